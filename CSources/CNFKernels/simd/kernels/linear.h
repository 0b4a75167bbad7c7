/* The linear layer: a product, its activation and its tangents. simd/kernels/table.h includes this file. */

/* The activation and the tangents follow each block of rows while it is in the first-level cache. */
static void CNF_KERNEL(linear)(const real *packed, const real *b, int rows, int cols, const real *x, int activation,
                               real *y, real *aux, int count, const real *const *x_dot, real *const *y_dot,
                               real *const *pre_dot) {
  const int is_nonlinear = activation != CNF_ACTIVATION_IDENTITY;
  for (int first = 0; first < rows; first += BLOCK_ROWS) {
    const int height = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
    const size_t at = (size_t)first * LANES;
    const real *weights = packed + (size_t)first * (size_t)cols;
    real *kept = aux ? aux + at : NULL;
    block_product_any(weights, b ? b + first : NULL, height, cols, x, y + at, 0);
    if (is_nonlinear) CNF_KERNEL(activation)(activation, height, y + at, y + at, kept);
    for (int n = 0; n < count; n++) {
      block_product_any(weights, NULL, height, cols, x_dot[n], y_dot[n] + at, 0);
      if (is_nonlinear) CNF_KERNEL(activation_tangent)
      (activation, height, y + at, kept, y_dot[n] + at, y_dot[n] + at, pre_dot && pre_dot[n] ? pre_dot[n] + at : NULL);
    }
  }
}
