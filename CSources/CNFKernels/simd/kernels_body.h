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

#ifndef BF16_TERMS
#define BF16_TERMS 1 /* double has no such products */
#endif
/* What a sum takes from one word of each operand: a product, or those of a pair of bfloat16. */
typedef enum words { REALS, BF16_WORDS } words;
CNF_INLINE vec multiply_add(const words words, vec a, vec b, vec c) {
#if BF16_TERMS == 2
  if (words == BF16_WORDS) return v_bf16_dot(a, b, c);
#endif
  (void)words;
  return v_fma(a, b, c);
}

/* y [rows] = W x + b for one block of `rows` <= BLOCK_ROWS, a constant where this is inlined, as `words` is: the accumulators
 * stay in registers. Lane j's sum runs over columns in order, whatever the other lanes hold. */
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

/* Every panel meets a block of weights while that is in the first-level cache. */
static void CNF_KERNEL(product)(const real *packed, int rows, int cols, int count, const real *const *x, real *const *y,
                                const int *accumulate) {
  for (int first = 0; first < rows; first += BLOCK_ROWS) {
    int height = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
    for (int n = 0; n < count; n++)
      block_product_any(packed + (size_t)first * (size_t)cols, NULL, height, cols, x[n], y[n] + (size_t)first * LANES,
                        accumulate[n]);
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
                                       const real *pre_dot, const real *y_dot_bar, const real *exit, const real *mu,  \
                                       real *z_dot_bar, const real *from, int scaled, real *to) {                     \
    FOR_ELEMENTS(rows) {                                                                                              \
      vec kept = CNF_KEEPS_AUX_##suffix ? v_load(aux + i) : v_set1(0), a = v_load(y + i);                             \
      vec z_dot = CNF_KEEPS_PRE_TANGENT_##suffix ? v_load(pre_dot + i) : v_set1(0);                                   \
      vec bar = y_dot_bar ? v_load(y_dot_bar + i) : v_set1(0);                                                        \
      if (exit) bar = v_fma(v_load(exit + i), v_load(mu + i % LANES), bar);                                           \
      vec slope = derivative_##suffix(a, kept), bend = curvature_##suffix(a, kept, v_load(y_dot + i), z_dot);         \
      vec sum = from ? v_load(from + i) : v_set1(0);                                                                  \
      if (scaled) sum = v_mul(slope, sum);                                                                            \
      v_store(to + i, v_fma(bend, bar, sum));                                                                         \
      v_store(z_dot_bar + i, v_mul(slope, bar));                                                                      \
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
                                                   const real *exit, const real *mu, real *z_dot_bar, const real *from,
                                                   int scaled, real *to) {
  switch (activation) {
#define CNF_X(name, value, suffix, text)                                                                      \
  case value:                                                                                                 \
    tangent_reverse_##suffix(rows, y, aux, y_dot, pre_dot, y_dot_bar, exit, mu, z_dot_bar, from, scaled, to); \
    break;
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

/* Activation and derivative follow each block of rows while it is in the first-level cache. */
static void CNF_KERNEL(linear)(const real *packed, const real *b, int rows, int cols, const real *x, int activation,
                               real *y, real *aux, int count, const real *const *x_dot, real *const *y_dot,
                               real *const *pre_dot) {
  const int bends = activation != CNF_ACTIVATION_IDENTITY;
  for (int first = 0; first < rows; first += BLOCK_ROWS) {
    const int height = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
    const size_t at = (size_t)first * LANES;
    const real *weights = packed + (size_t)first * (size_t)cols;
    real *kept = aux ? aux + at : NULL;
    block_product_any(weights, b ? b + first : NULL, height, cols, x, y + at, 0);
    if (bends) CNF_KERNEL(activation)(activation, height, y + at, y + at, kept);
    for (int n = 0; n < count; n++) {
      block_product_any(weights, NULL, height, cols, x_dot[n], y_dot[n] + at, 0);
      if (bends) CNF_KERNEL(activation_tangent)
      (activation, height, y + at, kept, y_dot[n] + at, y_dot[n] + at, pre_dot && pre_dot[n] ? pre_dot[n] + at : NULL);
    }
  }
}

#include "simd/kernels_gradient_body.h"
#include "simd/kernels_panel_body.h"
#if CNF_REAL_BITS == 32
#include "simd/kernels_bf16_body.h"
#define BF16_TABLE &CNF_KERNEL(bf16_table)
#else
#define BF16_TABLE NULL
#endif

#include "simd/kernels_single_body.h"

const cnf_kernels CNF_KERNEL_TABLE = {
    .lanes = LANES,
    .block_rows = BLOCK_ROWS,
    .width = VW,
    .single = &SINGLE(table),
    .bf16 = BF16_TABLE,
    .pack = CNF_KERNEL(pack),
    .linear = CNF_KERNEL(linear),
    .product = CNF_KERNEL(product),
    .activation = CNF_KERNEL(activation),
    .activation_tangent = CNF_KERNEL(activation_tangent),
    .activation_reverse = CNF_KERNEL(activation_reverse),
    .activation_tangent_reverse = CNF_KERNEL(activation_tangent_reverse),
    .derivative = CNF_KERNEL(derivative),
    .derivative_reverse = CNF_KERNEL(derivative_reverse),
    .weight_gradient = CNF_KERNEL(weight_gradient),
    .row_sums = CNF_KERNEL(row_sums),
    .lanes_out = CNF_KERNEL(lanes_out),
    .lanes_in = CNF_KERNEL(lanes_in),
    .add = CNF_KERNEL(add),
    .scale = CNF_KERNEL(scale),
    .scale_add = CNF_KERNEL(scale_add),
    .dot = CNF_KERNEL(dot),
    .multiply = CNF_KERNEL(multiply),
    .total = CNF_KERNEL(total),
    .shift = CNF_KERNEL(shift),
    .affine = CNF_KERNEL(affine),
    .finite = CNF_KERNEL(finite),
    .blend = CNF_KERNEL(blend),
    .combine = CNF_KERNEL(combine),
    .error_squares = CNF_KERNEL(error_squares),
    .scaled_squares = CNF_KERNEL(scaled_squares),
    .fma_chains = CNF_KERNEL(fma_chains),
};
