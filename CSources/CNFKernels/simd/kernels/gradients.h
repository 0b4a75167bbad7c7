/* Gradients of parameters: the only kernels that sum over lanes. simd/kernels/table.h includes this file. */

/* A strip is two vectors of columns of a panel, transposed: [lanes][2 vectors]. GRADIENT_PANELS panels share a pass
 * over the gradient: so many that their strips fit half of a first-level cache of 32 KB. GRADIENT_ROWS rows share the
 * strips: so many that the panels' rows fit 96 KB of the second level. */
#define STRIP (2 * VW)
#define FEW 4
#define STRIP_BYTES ((int)sizeof(real) * LANES * STRIP)
#define GRADIENT_PANELS (16384 / STRIP_BYTES < 2 ? 2 : 16384 / STRIP_BYTES > 12 ? 12 : 16384 / STRIP_BYTES)
#define GRADIENT_ROWS (98304 / (GRADIENT_PANELS * LANES * (int)sizeof(real)) / BLOCK_ROWS * BLOCK_ROWS)

/* Transposes VW x VW numbers, from rows that are ldi apart to rows that are ldo apart. */
CNF_INLINE void transpose_block(const real *in, size_t ldi, real *out, size_t ldo) {
  vec r[VW];
  for (int i = 0; i < VW; i++) r[i] = v_load(in + (size_t)i * ldi);
  v_transpose(r);
  for (int i = 0; i < VW; i++) v_store(out + (size_t)i * ldo, r[i]);
}

/* Rows [0, cols) of a panel as a strip; columns past cols are 0. */
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
CNF_INLINE void block_gradient(const words words, const int rows, const int vectors, int count, const real *const *z,
                               size_t row, const real *strips, size_t ld, real *w_bar) {
  const int length = words == REALS ? LANES : LANES / BF16_TERMS;
  vec acc[BLOCK_ROWS][2];
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < vectors; j++) acc[r][j] = v_load(w_bar + (size_t)r * ld + (size_t)j * VW);
  for (int r = 0; r < rows; r++) /* the next strip's */
    for (int j = 0; j < vectors; j++) __builtin_prefetch(w_bar + (size_t)r * ld + (size_t)(2 + j) * VW, 1);
  for (int n = 0; n < count; n++) {
    const real *zn = z[n] + row * (size_t)length;
    for (int t = 0; t < length; t++, strips += STRIP) {
      vec v[2];
      for (int j = 0; j < vectors; j++) v[j] = v_load(strips + (size_t)j * VW);
      for (int r = 0; r < rows; r++) {
        vec s = v_set1(zn[(size_t)(r * length + t)]);
        for (int j = 0; j < vectors; j++) acc[r][j] = multiply_add(words, s, v[j], acc[r][j]);
      }
    }
  }
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < vectors; j++) v_store(w_bar + (size_t)r * ld + (size_t)j * VW, acc[r][j]);
}

/* As few blocks of rows as possible, of about equal heights: a low block would not hide the latency of its sums. */
CNF_INLINE void strip_gradient(const words words, const int vectors, int first, int end, int count,
                               const real *const *z, const real *strips, size_t ld, real *w_bar) {
  for (int left = (end - first + BLOCK_ROWS - 1) / BLOCK_ROWS, r = first, height; left > 0; left--, r += height) {
    real *to = w_bar + (size_t)r * ld;
    height = (end - r + left - 1) / left;
    switch (height) {
    case 1: block_gradient(words, 1, vectors, count, z, (size_t)r, strips, ld, to); break;
    case 2: block_gradient(words, 2, vectors, count, z, (size_t)r, strips, ld, to); break;
    case 3: block_gradient(words, 3, vectors, count, z, (size_t)r, strips, ld, to); break;
#if BLOCK_ROWS > 4
    case 4: block_gradient(words, 4, vectors, count, z, (size_t)r, strips, ld, to); break;
    case 5: block_gradient(words, 5, vectors, count, z, (size_t)r, strips, ld, to); break;
#endif
#if BLOCK_ROWS > 6
    case 6: block_gradient(words, 6, vectors, count, z, (size_t)r, strips, ld, to); break;
    case 7: block_gradient(words, 7, vectors, count, z, (size_t)r, strips, ld, to); break;
#endif
    default: block_gradient(words, BLOCK_ROWS, vectors, count, z, (size_t)r, strips, ld, to);
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
        strip_gradient(REALS, 2, first, end, count, z, strips, ld, w_bar + c);
      else
        strip_gradient(REALS, 1, first, end, count, z, strips, ld, w_bar + c);
    }
  }
}

/* Few rows or columns do not fill a vector. Vectors then hold lanes, and the sum over them comes at the end. f has
 * `few` rows (a constant, so that the loops unroll). Element (i, j) of the result, row i of m by row j of f, is at
 * [i*m_stride + j*f_stride]. */
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
