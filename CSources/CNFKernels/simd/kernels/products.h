/* Matrix products: a block of packed weights times a panel. simd/kernels/table.h includes this file. */

static void CNF_KERNEL(pack)(const real *w, size_t row_stride, size_t col_stride, int rows, int cols, real *packed) {
  for (int first = 0; first < rows; first += BLOCK_ROWS)
    for (int c = 0; c < cols; c++)
      for (int r = first; r < first + BLOCK_ROWS; r++)
        *packed++ = r < rows ? w[(size_t)r * row_stride + (size_t)c * col_stride] : 0;
}

#ifndef BF16_TERMS
#define BF16_TERMS 1 /* double has no products of bfloat16 */
#endif
/* What one word of each operand adds to a sum: one product, or the products of a pair of bfloat16. */
typedef enum words { REALS, BF16_WORDS } words;
CNF_INLINE vec multiply_add(const words words, vec a, vec b, vec c) {
#if BF16_TERMS == 2
  if (words == BF16_WORDS) return v_bf16_dot(a, b, c);
#endif
  (void)words;
  return v_fma(a, b, c);
}

/* y [rows] = W x + b for one block of `rows` <= BLOCK_ROWS. `rows` and `words` are constants in each call, so that the
 * accumulators stay in registers. The sum of lane j runs over columns in order, whatever the other lanes hold. */
CNF_INLINE void block_product(const words words, const real *packed, const real *b, const int rows, int cols,
                              const real *x, real *y, int accumulate) {
  vec acc[BLOCK_ROWS][VN];
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < VN; j++)
      acc[r][j] = accumulate ? v_load(y + (size_t)r * LANES + (size_t)j * VW) : v_set1(b ? b[r] : 0);
  for (int c = 0; c < cols; c++, packed += BLOCK_ROWS, x += LANES) {
    vec v[VN];
    for (int j = 0; j < VN; j++) v[j] = v_load(x + (size_t)j * VW);
    for (int r = 0; r < rows; r++) {
      vec w = v_set1(packed[r]);
      for (int j = 0; j < VN; j++) acc[r][j] = multiply_add(words, w, v[j], acc[r][j]);
    }
  }
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < VN; j++) v_store(y + (size_t)r * LANES + (size_t)j * VW, acc[r][j]);
}

CNF_INLINE void block_product_of(const words words, const real *packed, const real *b, int rows, int cols,
                                 const real *x, real *y, int accumulate) {
  switch (rows) {
  case 1: block_product(words, packed, b, 1, cols, x, y, accumulate); break;
  case 2: block_product(words, packed, b, 2, cols, x, y, accumulate); break;
  case 3: block_product(words, packed, b, 3, cols, x, y, accumulate); break;
#if BLOCK_ROWS > 4
  case 4: block_product(words, packed, b, 4, cols, x, y, accumulate); break;
  case 5: block_product(words, packed, b, 5, cols, x, y, accumulate); break;
#endif
#if BLOCK_ROWS > 6
  case 6: block_product(words, packed, b, 6, cols, x, y, accumulate); break;
  case 7: block_product(words, packed, b, 7, cols, x, y, accumulate); break;
#endif
  default: block_product(words, packed, b, BLOCK_ROWS, cols, x, y, accumulate);
  }
}
static void block_product_any(const real *packed, const real *b, int rows, int cols, const real *x, real *y,
                              int accumulate) {
  block_product_of(REALS, packed, b, rows, cols, x, y, accumulate);
}

/* All panels are multiplied by a block of weights while it is in the first-level cache. */
static void CNF_KERNEL(product)(const real *packed, int rows, int cols, int count, const real *const *x, real *const *y,
                                const int *accumulate) {
  for (int first = 0; first < rows; first += BLOCK_ROWS) {
    int height = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
    for (int n = 0; n < count; n++)
      block_product_any(packed + (size_t)first * (size_t)cols, NULL, height, cols, x[n], y[n] + (size_t)first * LANES,
                        accumulate[n]);
  }
}
