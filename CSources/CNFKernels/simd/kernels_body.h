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

/* ---- gradients of parameters: the only places where lanes meet */

/* Two vectors of columns of a panel, transposed, are a strip: [lanes][2 vectors]. As many panels share a pass over the
 * gradient as keep their strips within half of a first-level cache of 32 KB; as many rows share the strips as keep the
 * panels' rows within 96 KB, in the second level. */
#define STRIP (2 * VW)
#define FEW 4
#define STRIP_BYTES ((int)sizeof(real) * LANES * STRIP)
#define GRADIENT_PANELS (16384 / STRIP_BYTES < 2 ? 2 : 16384 / STRIP_BYTES > 12 ? 12 : 16384 / STRIP_BYTES)
#define GRADIENT_ROWS (98304 / (GRADIENT_PANELS * LANES * (int)sizeof(real)) / BLOCK_ROWS * BLOCK_ROWS)

/* VW x VW numbers from rows that are ldi apart to rows that are ldo apart, transposed. */
CNF_INLINE void transpose_block(const real *in, size_t ldi, real *out, size_t ldo) {
  vec r[VW];
  for (int i = 0; i < VW; i++) r[i] = v_load(in + (size_t)i * ldi);
  v_transpose(r);
  for (int i = 0; i < VW; i++) v_store(out + (size_t)i * ldo, r[i]);
}

/* A row of lanes that is wanted soon; the hardware does not see it coming, where rows are far apart or few. */
CNF_INLINE void prefetch_row(const real *row) {
  for (size_t byte = 0; byte < LANES * sizeof(real); byte += 64) __builtin_prefetch((const char *)row + byte);
}

/* Rows x [0, cols) of a panel into a strip; columns past cols are 0. */
static void strip_of(int cols, const real *x, real *strip) {
  if (cols >= STRIP) {
    for (int c = 0; c < STRIP; c += VW)
      for (int j = 0; j < LANES; j += VW)
        transpose_block(x + (size_t)c * LANES + j, LANES, strip + (size_t)j * STRIP + c, STRIP);
    return;
  }
  for (int c = 0; c < STRIP; c++)
    for (int j = 0; j < LANES; j++) strip[j * STRIP + c] = c < cols ? x[(size_t)c * LANES + j] : 0;
}

/* A block of `rows` rows and `vectors` vectors of columns stays in registers while panels and their lanes are summed in
 * order. */
CNF_INLINE void block_gradient(const int rows, const int vectors, int count, const real *const *z, size_t row,
                               const real *strips, size_t ld, real *w_bar) {
  vec acc[BLOCK_ROWS][2];
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < vectors; j++) acc[r][j] = v_load(w_bar + (size_t)r * ld + (size_t)j * VW);
  for (int r = 0; r < rows; r++) /* the next strip's */
    for (int j = 0; j < vectors; j++) __builtin_prefetch(w_bar + (size_t)r * ld + (size_t)(2 + j) * VW, 1);
  for (int n = 0; n < count; n++) {
    const real *zn = z[n] + row * LANES;
    for (int t = 0; t < LANES; t++, strips += STRIP) {
      vec v[2];
      for (int j = 0; j < vectors; j++) v[j] = v_load(strips + (size_t)j * VW);
      for (int r = 0; r < rows; r++) {
        vec s = v_set1(zn[(size_t)r * LANES + t]);
        for (int j = 0; j < vectors; j++) acc[r][j] = v_fma(s, v[j], acc[r][j]);
      }
    }
  }
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < vectors; j++) v_store(w_bar + (size_t)r * ld + (size_t)j * VW, acc[r][j]);
}

/* As few blocks of rows as can be, of about equal heights: a low one would not hide the latency of its sums. */
CNF_INLINE void strip_gradient(const int vectors, int first, int end, int count, const real *const *z,
                               const real *strips, size_t ld, real *w_bar) {
  for (int left = (end - first + BLOCK_ROWS - 1) / BLOCK_ROWS, r = first, height; left > 0; left--, r += height) {
    real *to = w_bar + (size_t)r * ld;
    height = (end - r + left - 1) / left;
    switch (height) {
    case 1: block_gradient(1, vectors, count, z, (size_t)r, strips, ld, to); break;
    case 2: block_gradient(2, vectors, count, z, (size_t)r, strips, ld, to); break;
    case 3: block_gradient(3, vectors, count, z, (size_t)r, strips, ld, to); break;
#if BLOCK_ROWS > 4
    case 4: block_gradient(4, vectors, count, z, (size_t)r, strips, ld, to); break;
    case 5: block_gradient(5, vectors, count, z, (size_t)r, strips, ld, to); break;
#endif
#if BLOCK_ROWS > 6
    case 6: block_gradient(6, vectors, count, z, (size_t)r, strips, ld, to); break;
    case 7: block_gradient(7, vectors, count, z, (size_t)r, strips, ld, to); break;
#endif
    default: block_gradient(BLOCK_ROWS, vectors, count, z, (size_t)r, strips, ld, to);
    }
  }
}

static void gradient_of_panels(int rows, int cols, int count, const real *const *z, const real *const *x, size_t ld,
                               real *w_bar) {
  _Alignas(64) real strips[GRADIENT_PANELS * LANES * STRIP];
  for (int first = 0; first < rows; first += GRADIENT_ROWS) {
    const int end = rows - first < GRADIENT_ROWS ? rows : first + GRADIENT_ROWS;
    for (int c = 0; c < cols; c += STRIP) {
      for (int n = 0; n < count; n++) strip_of(cols - c, x[n] + (size_t)c * LANES, strips + (size_t)n * LANES * STRIP);
      if (cols - c > VW)
        strip_gradient(2, first, end, count, z, strips, ld, w_bar + c);
      else
        strip_gradient(1, first, end, count, z, strips, ld, w_bar + c);
    }
  }
}

/* Few rows or few columns fill no vector of either; then lanes are the vector, and each sum over them is taken at the end. `few`,
 * a constant where this is inlined, is how many rows of f there are; element (i, j) of the result, row i of m by row j of f,
 * lies at [i*m_stride + j*f_stride]. */
CNF_INLINE void narrow_gradient(const int few, int many, int count, const real *const *m, const real *const *f,
                                size_t m_stride, size_t f_stride, real *w_bar) {
  for (int i = 0; i < many; i++) {
    vec sum[FEW] = {v_set1(0), v_set1(0), v_set1(0), v_set1(0)}, other[FEW] = {sum[0], sum[0], sum[0], sum[0]};
    for (int n = 0; n < count; n++) {
      const real *row = m[n] + (size_t)i * LANES;
      for (int lane = 0; lane < LANES; lane += 2 * VW) {
        const vec a = v_load(row + lane), b = v_load(row + lane + VW);
        for (int j = 0; j < few; j++) {
          sum[j] = v_fma(a, v_load(f[n] + (size_t)j * LANES + lane), sum[j]);
          other[j] = v_fma(b, v_load(f[n] + (size_t)j * LANES + lane + VW), other[j]);
        }
      }
    }
    for (int j = 0; j < few; j++) w_bar[(size_t)i * m_stride + (size_t)j * f_stride] += v_sum(v_add(sum[j], other[j]));
  }
}

static void narrow_gradient_any(int few, int many, int count, const real *const *m, const real *const *f,
                                size_t m_stride, size_t f_stride, real *w_bar) {
  switch (few) {
  case 1: narrow_gradient(1, many, count, m, f, m_stride, f_stride, w_bar); break;
  case 2: narrow_gradient(2, many, count, m, f, m_stride, f_stride, w_bar); break;
  case 3: narrow_gradient(3, many, count, m, f, m_stride, f_stride, w_bar); break;
  default: narrow_gradient(FEW, many, count, m, f, m_stride, f_stride, w_bar);
  }
}

static void CNF_KERNEL(weight_gradient)(int rows, int cols, int count, const real *const *z, const real *const *x,
                                        size_t ld, real *w_bar) {
  if (cols <= FEW) {
    narrow_gradient_any(cols, rows, count, z, x, ld, 1, w_bar);
    return;
  }
  if (rows < FEW) {
    narrow_gradient_any(rows, cols, count, x, z, 1, ld, w_bar);
    return;
  }
  for (int n = 0; n < count; n += GRADIENT_PANELS)
    gradient_of_panels(rows, cols, count - n < GRADIENT_PANELS ? count - n : GRADIENT_PANELS, z + n, x + n, ld, w_bar);
}

static void CNF_KERNEL(row_sums)(int rows, int count, const real *const *z, real *b_bar) {
  for (int r = 0; r < rows; r++) {
    vec s = v_set1(0);
    for (int n = 0; n < count; n++)
      for (int j = 0; j < VN; j++) s = v_add(s, v_load(z[n] + (size_t)r * LANES + (size_t)j * VW));
    b_bar[r] += v_sum(s);
  }
}

/* ---- lanes of a panel as columns of their own */

static void CNF_KERNEL(lanes_out)(int rows, const real *panel, real *const *to) {
  int r = 0;
  for (; r + VW <= rows; r += VW)
    for (int j = 0; j < LANES; j += VW) {
      vec block[VW];
      for (int i = 0; i < VW; i++) block[i] = v_load(panel + (size_t)(r + i) * LANES + j);
      v_transpose(block);
      for (int i = 0; i < VW; i++)
        if (to[j + i]) v_store(to[j + i] + r, block[i]);
    }
  for (; r < rows; r++)
    for (int j = 0; j < LANES; j++)
      if (to[j]) to[j][r] = panel[(size_t)r * LANES + j];
}

static void CNF_KERNEL(lanes_in)(int rows, const real *const *from, real *panel) {
  int r = 0;
  for (; r + VW <= rows; r += VW)
    for (int j = 0; j < LANES; j += VW) {
      vec block[VW];
      for (int i = 0; i < VW; i++) block[i] = v_load(from[j + i] + r);
      v_transpose(block);
      for (int i = 0; i < VW; i++) v_store(panel + (size_t)(r + i) * LANES + j, block[i]);
    }
  for (; r < rows; r++)
    for (int j = 0; j < LANES; j++) panel[(size_t)r * LANES + j] = from[j][r];
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

static void CNF_KERNEL(scale_add)(int rows, const real *a, const real *s, real *out) {
  for (int r = 0; r < rows; r++, a += LANES, out += LANES)
    FOR_LANES v_store(out + j, v_fma(v_load(a + j), v_load(s + j), v_load(out + j)));
}

/* Four sums a lane, of every fourth row each, hide the latency of an addition. */
static void CNF_KERNEL(dot)(int rows, const real *a, const real *b, int accumulate, real *out) {
  FOR_LANES {
    vec s[4] = {accumulate ? v_load(out + j) : v_set1(0), v_set1(0), v_set1(0), v_set1(0)};
    int r = 0;
    for (; r + 4 <= rows; r += 4)
      for (int n = 0; n < 4; n++) {
        const size_t at = (size_t)(r + n) * LANES + (size_t)j;
        s[n] = v_fma(v_load(a + at), v_load(b + at), s[n]);
      }
    for (; r < rows; r++) s[0] = v_fma(v_load(a + (size_t)r * LANES + j), v_load(b + (size_t)r * LANES + j), s[0]);
    v_store(out + j, v_add(v_add(s[0], s[1]), v_add(s[2], s[3])));
  }
}

static void CNF_KERNEL(finite)(int rows, const real *a, int accumulate, real *out) {
  FOR_LANES {
    vec s = accumulate ? v_load(out + j) : v_set1(0);
    for (int r = 0; r < rows; r++) s = v_fma(v_load(a + (size_t)r * LANES + j), v_set1(0), s);
    v_store(out + j, s);
  }
}

static void CNF_KERNEL(blend)(int rows, const real *mask, const real *a, const real *b, real *out) {
  for (int r = 0; r < rows; r++, a += LANES, b += LANES, out += LANES)
    FOR_LANES v_store(out + j, v_where_positive(v_load(mask + j), v_load(a + j), v_load(b + j)));
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

/* ---- what the machine can do at most */

static void CNF_KERNEL(fma_chains)(int rounds, const real *a, const real *b, real *x) {
  enum { CHAINS = CNF_FMA_CHAINS(VN * BLOCK_ROWS) };
  vec chain[CHAINS], factor = v_load(a), summand = v_load(b);
  for (int n = 0; n < CHAINS; n++) chain[n] = v_load(x + (size_t)n * VW);
  for (int i = 0; i < rounds; i++)
    for (int n = 0; n < CHAINS; n++) chain[n] = v_fma(factor, chain[n], summand);
  for (int n = 0; n < CHAINS; n++) v_store(x + (size_t)n * VW, chain[n]);
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
    .weight_gradient = CNF_KERNEL(weight_gradient),
    .row_sums = CNF_KERNEL(row_sums),
    .lanes_out = CNF_KERNEL(lanes_out),
    .lanes_in = CNF_KERNEL(lanes_in),
    .add = CNF_KERNEL(add),
    .scale = CNF_KERNEL(scale),
    .scale_add = CNF_KERNEL(scale_add),
    .dot = CNF_KERNEL(dot),
    .finite = CNF_KERNEL(finite),
    .blend = CNF_KERNEL(blend),
    .combine = CNF_KERNEL(combine),
    .error_squares = CNF_KERNEL(error_squares),
    .scaled_squares = CNF_KERNEL(scaled_squares),
    .fma_chains = CNF_KERNEL(fma_chains),
};
