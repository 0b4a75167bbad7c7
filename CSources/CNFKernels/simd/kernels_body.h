/* The kernels, once. Included by kernels_<isa>_<dtype>.c after the ISA's vocabulary; kernels.h states each contract. */
#include "simd/activation_traits.h"
#include "simd/math.h"
#include "simd/activations.h"

#define LANES (VW * VN)

static void CNF_KERNEL(pack)(const real *w, size_t row_stride, size_t col_stride, int rows, int cols, real *packed) {
  for (int first = 0; first < rows; first += BLOCK_ROWS)
    for (int c = 0; c < cols; c++)
      for (int r = first; r < first + BLOCK_ROWS; r++)
        *packed++ = r < rows ? w[(size_t)r * row_stride + (size_t)c * col_stride] : 0;
}

/* y [rows] = W x + b for one block of `rows` <= BLOCK_ROWS, a constant where this is inlined: the accumulators stay in
 * registers. Lane j's sum runs over columns in order, whatever the other lanes hold. */
CNF_INLINE void block_product(const real *packed, const real *b, const int rows, int cols, const real *x, real *y,
                              int accumulate) {
  vec acc[BLOCK_ROWS][VN];
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < VN; j++)
      acc[r][j] = accumulate ? v_load(y + (size_t)r * LANES + (size_t)j * VW) : v_set1(b ? b[r] : 0);
  for (int c = 0; c < cols; c++, packed += BLOCK_ROWS, x += LANES) {
    vec v[VN];
    for (int j = 0; j < VN; j++) v[j] = v_load(x + (size_t)j * VW);
    for (int r = 0; r < rows; r++) {
      vec w = v_set1(packed[r]);
      for (int j = 0; j < VN; j++) acc[r][j] = v_fma(w, v[j], acc[r][j]);
    }
  }
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < VN; j++) v_store(y + (size_t)r * LANES + (size_t)j * VW, acc[r][j]);
}

static void block_product_any(const real *packed, const real *b, int rows, int cols, const real *x, real *y,
                              int accumulate) {
  switch (rows) {
  case 1: block_product(packed, b, 1, cols, x, y, accumulate); break;
  case 2: block_product(packed, b, 2, cols, x, y, accumulate); break;
  case 3: block_product(packed, b, 3, cols, x, y, accumulate); break;
#if BLOCK_ROWS > 4
  case 4: block_product(packed, b, 4, cols, x, y, accumulate); break;
  case 5: block_product(packed, b, 5, cols, x, y, accumulate); break;
#endif
#if BLOCK_ROWS > 6
  case 6: block_product(packed, b, 6, cols, x, y, accumulate); break;
  case 7: block_product(packed, b, 7, cols, x, y, accumulate); break;
#endif
  default: block_product(packed, b, BLOCK_ROWS, cols, x, y, accumulate);
  }
}

static void CNF_KERNEL(product)(const real *packed, int rows, int cols, const real *x, real *y, int accumulate) {
  for (int first = 0; first < rows; first += BLOCK_ROWS) {
    int n = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
    block_product_any(packed + (size_t)first * (size_t)cols, NULL, n, cols, x, y + (size_t)first * LANES, accumulate);
  }
}

/* ---- activations: one loop each, the activation chosen outside it */

#define FOR_ELEMENTS(rows) for (size_t i = 0, end = (size_t)(rows)*LANES; i < end; i += VW)

#define CNF_X(name, value, suffix, text)                                                                              \
  static void activation_##suffix(int rows, const real *z, real *y, real *aux) {                                      \
    FOR_ELEMENTS(rows) {                                                                                              \
      vec a, kept;                                                                                                    \
      forward_##suffix(v_load(z + i), &a, &kept);                                                                     \
      v_store(y + i, a);                                                                                              \
      if (CNF_KEEPS_AUX_##suffix) v_store(aux + i, kept);                                                             \
    }                                                                                                                 \
  }                                                                                                                   \
  static void tangent_##suffix(int rows, const real *y, const real *aux, const real *z_dot, real *y_dot,              \
                               real *pre_dot) {                                                                       \
    FOR_ELEMENTS(rows) {                                                                                              \
      vec kept = CNF_KEEPS_AUX_##suffix ? v_load(aux + i) : v_set1(0), v = v_load(z_dot + i);                         \
      if (CNF_KEEPS_PRE_TANGENT_##suffix) v_store(pre_dot + i, v);                                                    \
      v_store(y_dot + i, v_mul(derivative_##suffix(v_load(y + i), kept), v));                                         \
    }                                                                                                                 \
  }                                                                                                                   \
  static void reverse_##suffix(int rows, const real *y, const real *aux, const real *y_bar, const real *extra,        \
                               real *z_bar) {                                                                         \
    FOR_ELEMENTS(rows) {                                                                                              \
      vec kept = CNF_KEEPS_AUX_##suffix ? v_load(aux + i) : v_set1(0);                                                \
      vec more = extra ? v_load(extra + i) : v_set1(0);                                                               \
      v_store(z_bar + i, v_fma(derivative_##suffix(v_load(y + i), kept), v_load(y_bar + i), more));                   \
    }                                                                                                                 \
  }                                                                                                                   \
  static void tangent_reverse_##suffix(int rows, const real *y, const real *aux, const real *y_dot,                   \
                                       const real *pre_dot, const real *y_dot_bar, real *z_dot_bar, real *extra) {    \
    FOR_ELEMENTS(rows) {                                                                                              \
      vec kept = CNF_KEEPS_AUX_##suffix ? v_load(aux + i) : v_set1(0), a = v_load(y + i);                             \
      vec z_dot = CNF_KEEPS_PRE_TANGENT_##suffix ? v_load(pre_dot + i) : v_set1(0);                                   \
      vec bar = v_load(y_dot_bar + i);                                                                                \
      vec bend = curvature_##suffix(a, kept, v_load(y_dot + i), z_dot);                                               \
      v_store(z_dot_bar + i, v_mul(derivative_##suffix(a, kept), bar));                                               \
      v_store(extra + i, v_fma(bend, bar, v_load(extra + i)));                                                        \
    }                                                                                                                 \
  }                                                                                                                   \
  static void derivative_rows_##suffix(int rows, const real *y, const real *aux, real *d) {                           \
    FOR_ELEMENTS(rows)                                                                                                \
    v_store(d + i, derivative_##suffix(v_load(y + i), CNF_KEEPS_AUX_##suffix ? v_load(aux + i) : v_set1(0)));         \
  }                                                                                                                   \
  static void derivative_reverse_##suffix(int rows, const real *y, const real *aux, const real *d_bar, real *extra) { \
    FOR_ELEMENTS(rows) {                                                                                              \
      vec kept = CNF_KEEPS_AUX_##suffix ? v_load(aux + i) : v_set1(0);                                                \
      v_store(extra + i, v_fma(second_##suffix(v_load(y + i), kept), v_load(d_bar + i), v_load(extra + i)));          \
    }                                                                                                                 \
  }
CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X

static void CNF_KERNEL(activation)(int activation, int rows, const real *z, real *y, real *aux) {
  switch (activation) {
#define CNF_X(name, value, suffix, text) \
  case value: activation_##suffix(rows, z, y, aux); break;
    CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
  }
}
static void CNF_KERNEL(activation_tangent)(int activation, int rows, const real *y, const real *aux, const real *z_dot,
                                           real *y_dot, real *pre_dot) {
  switch (activation) {
#define CNF_X(name, value, suffix, text) \
  case value: tangent_##suffix(rows, y, aux, z_dot, y_dot, pre_dot); break;
    CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
  }
}
static void CNF_KERNEL(activation_reverse)(int activation, int rows, const real *y, const real *aux, const real *y_bar,
                                           const real *extra, real *z_bar) {
  switch (activation) {
#define CNF_X(name, value, suffix, text) \
  case value: reverse_##suffix(rows, y, aux, y_bar, extra, z_bar); break;
    CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
  }
}
static void CNF_KERNEL(activation_tangent_reverse)(int activation, int rows, const real *y, const real *aux,
                                                   const real *y_dot, const real *pre_dot, const real *y_dot_bar,
                                                   real *z_dot_bar, real *extra) {
  switch (activation) {
#define CNF_X(name, value, suffix, text) \
  case value: tangent_reverse_##suffix(rows, y, aux, y_dot, pre_dot, y_dot_bar, z_dot_bar, extra); break;
    CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
  }
}
static void CNF_KERNEL(derivative)(int activation, int rows, const real *y, const real *aux, real *d) {
  switch (activation) {
#define CNF_X(name, value, suffix, text) \
  case value: derivative_rows_##suffix(rows, y, aux, d); break;
    CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
  }
}
static void CNF_KERNEL(derivative_reverse)(int activation, int rows, const real *y, const real *aux, const real *d_bar,
                                           real *extra) {
  switch (activation) {
#define CNF_X(name, value, suffix, text) \
  case value: derivative_reverse_##suffix(rows, y, aux, d_bar, extra); break;
    CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
  }
}

/* The activation follows each block of rows while it is in the first-level cache. */
static void CNF_KERNEL(linear)(const real *packed, const real *b, int rows, int cols, const real *x, int activation,
                               real *y, real *aux) {
  for (int first = 0; first < rows; first += BLOCK_ROWS) {
    int n = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
    real *block = y + (size_t)first * LANES;
    block_product_any(packed + (size_t)first * (size_t)cols, b ? b + first : NULL, n, cols, x, block, 0);
    if (activation != CNF_ACTIVATION_IDENTITY)
      CNF_KERNEL(activation)(activation, n, block, block, aux ? aux + (size_t)first * LANES : NULL);
  }
}

/* ---- gradients of parameters: the only places where lanes meet */

static void CNF_KERNEL(transpose)(int cols, const real *x, real *x_t, size_t ld) {
  int c = 0;
  for (; c + VW <= cols; c += VW)
    for (int j = 0; j < LANES; j += VW) v_transpose(x + (size_t)c * LANES + j, LANES, x_t + (size_t)j * ld + c, ld);
  for (; c < (int)ld; c++)
    for (int j = 0; j < LANES; j++) x_t[(size_t)j * ld + c] = c < cols ? x[(size_t)c * LANES + j] : 0;
}

/* A block of `rows` rows and `vectors` vectors of columns stays in registers while the lanes are summed in order. */
CNF_INLINE void block_gradient(const int rows, const int vectors, const real *z, const real *x_t, size_t ld,
                               real *w_bar) {
  vec acc[BLOCK_ROWS][2];
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < vectors; j++) acc[r][j] = v_load(w_bar + (size_t)r * ld + (size_t)j * VW);
  for (int t = 0; t < LANES; t++) {
    vec v[2];
    for (int j = 0; j < vectors; j++) v[j] = v_load(x_t + (size_t)t * ld + (size_t)j * VW);
    for (int r = 0; r < rows; r++) {
      vec s = v_set1(z[(size_t)r * LANES + t]);
      for (int j = 0; j < vectors; j++) acc[r][j] = v_fma(s, v[j], acc[r][j]);
    }
  }
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < vectors; j++) v_store(w_bar + (size_t)r * ld + (size_t)j * VW, acc[r][j]);
}

CNF_INLINE void column_gradient(const int vectors, int rows, const real *z, const real *x_t, size_t ld, real *w_bar) {
  int r = 0;
  for (; r + BLOCK_ROWS <= rows; r += BLOCK_ROWS)
    block_gradient(BLOCK_ROWS, vectors, z + (size_t)r * LANES, x_t, ld, w_bar + (size_t)r * ld);
  for (; r + 2 <= rows; r += 2) block_gradient(2, vectors, z + (size_t)r * LANES, x_t, ld, w_bar + (size_t)r * ld);
  for (; r < rows; r++) block_gradient(1, vectors, z + (size_t)r * LANES, x_t, ld, w_bar + (size_t)r * ld);
}

static void CNF_KERNEL(weight_gradient)(int rows, const real *z, const real *x_t, size_t ld, real *w_bar) {
  size_t c = 0;
  for (; c + 2 * VW <= ld; c += 2 * VW) column_gradient(2, rows, z, x_t + c, ld, w_bar + c);
  for (; c < ld; c += VW) column_gradient(1, rows, z, x_t + c, ld, w_bar + c);
}

static void CNF_KERNEL(row_sums)(int rows, const real *z, real *b_bar) {
  for (int r = 0; r < rows; r++, z += LANES) {
    vec s = v_load(z);
    for (int j = 1; j < VN; j++) s = v_add(s, v_load(z + (size_t)j * VW));
    b_bar[r] += v_sum(s);
  }
}

/* ---- panel arithmetic of stages */

static void CNF_KERNEL(add)(int rows, const real *a, const real *b, real *out) {
  FOR_ELEMENTS(rows) v_store(out + i, v_add(v_load(a + i), v_load(b + i)));
}

#define FOR_LANES for (int j = 0; j < LANES; j += VW)

static void CNF_KERNEL(scale)(int rows, const real *a, const real *s, real *out) {
  for (int r = 0; r < rows; r++, a += LANES, out += LANES)
    FOR_LANES v_store(out + j, v_mul(v_load(a + j), v_load(s + j)));
}

static void CNF_KERNEL(dot)(int rows, const real *a, const real *b, int accumulate, real *out) {
  FOR_LANES {
    vec s = accumulate ? v_load(out + j) : v_set1(0);
    for (int r = 0; r < rows; r++) s = v_fma(v_load(a + (size_t)r * LANES + j), v_load(b + (size_t)r * LANES + j), s);
    v_store(out + j, s);
  }
}

static void CNF_KERNEL(blend)(int rows, const real *mask, const real *a, real *out) {
  for (int r = 0; r < rows; r++, a += LANES, out += LANES)
    FOR_LANES v_store(out + j, v_where_positive(v_load(mask + j), v_load(a + j), v_load(out + j)));
}

CNF_INLINE vec stage_sum(int count, const real *c, const real *const *k, size_t i) {
  vec s = v_set1(0);
  for (int n = 0; n < count; n++) s = v_fma(v_set1(c[n]), v_load(k[n] + i), s);
  return s;
}

static void CNF_KERNEL(combine)(int rows, const real *base, const real *h, int count, const real *c,
                                const real *const *k, real *out) {
  size_t i = 0;
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < LANES; j += VW, i += VW) {
      vec from = base ? v_load(base + i) : v_set1(0);
      v_store(out + i, v_fma(v_load(h + j), stage_sum(count, c, k, i), from));
    }
}

static void CNF_KERNEL(error_squares)(int rows, const real *x0, const real *x1, const real *h, int count, const real *e,
                                      const real *const *k, real rtol, real atol, real *sum) {
  size_t i = 0;
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < LANES; j += VW, i += VW) {
      vec size = v_max(v_abs(v_load(x0 + i)), v_abs(v_load(x1 + i)));
      vec error = v_mul(v_load(h + j), stage_sum(count, e, k, i));
      vec ratio = v_div(error, v_fma(v_set1(rtol), size, v_set1(atol)));
      v_store(sum + j, v_fma(ratio, ratio, v_load(sum + j)));
    }
}

static void CNF_KERNEL(scaled_squares)(int rows, const real *a, const real *b, const real *x, real rtol, real atol,
                                       real *sum) {
  size_t i = 0;
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < LANES; j += VW, i += VW) {
      vec difference = b ? v_sub(v_load(a + i), v_load(b + i)) : v_load(a + i);
      vec ratio = v_div(difference, v_fma(v_set1(rtol), v_abs(v_load(x + i)), v_set1(atol)));
      v_store(sum + j, v_fma(ratio, ratio, v_load(sum + j)));
    }
}

const CNF_TYPED(cnf_kernels) CNF_KERNEL_TABLE = {
    .lanes = LANES,
    .block_rows = BLOCK_ROWS,
    .width = VW,
    .pack = CNF_KERNEL(pack),
    .linear = CNF_KERNEL(linear),
    .product = CNF_KERNEL(product),
    .activation = CNF_KERNEL(activation),
    .activation_tangent = CNF_KERNEL(activation_tangent),
    .activation_reverse = CNF_KERNEL(activation_reverse),
    .activation_tangent_reverse = CNF_KERNEL(activation_tangent_reverse),
    .derivative = CNF_KERNEL(derivative),
    .derivative_reverse = CNF_KERNEL(derivative_reverse),
    .transpose = CNF_KERNEL(transpose),
    .weight_gradient = CNF_KERNEL(weight_gradient),
    .row_sums = CNF_KERNEL(row_sums),
    .add = CNF_KERNEL(add),
    .scale = CNF_KERNEL(scale),
    .dot = CNF_KERNEL(dot),
    .blend = CNF_KERNEL(blend),
    .combine = CNF_KERNEL(combine),
    .error_squares = CNF_KERNEL(error_squares),
    .scaled_squares = CNF_KERNEL(scaled_squares),
};
