/* Panels as columns, and the arithmetic of stages on panels. simd/kernels/table.h includes this file. */

/* ---- lanes of a panel as columns */

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

/* Four sums per lane, each of every fourth row, hide the latency of an addition. */
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

static void CNF_KERNEL(multiply)(int rows, const real *a, const real *b, int accumulate, real *out) {
  if (accumulate)
    FOR_ELEMENTS(rows) v_store(out + i, v_fma(v_load(a + i), v_load(b + i), v_load(out + i)));
  else
    FOR_ELEMENTS(rows) v_store(out + i, v_mul(v_load(a + i), v_load(b + i)));
}

/* Four sums per lane, as in dot. */
static void CNF_KERNEL(total)(int rows, const real *a, int accumulate, real *out) {
  FOR_LANES {
    vec s[4] = {accumulate ? v_load(out + j) : v_set1(0), v_set1(0), v_set1(0), v_set1(0)};
    int r = 0;
    for (; r + 4 <= rows; r += 4)
      for (int n = 0; n < 4; n++) s[n] = v_add(s[n], v_load(a + (size_t)(r + n) * LANES + (size_t)j));
    for (; r < rows; r++) s[0] = v_add(s[0], v_load(a + (size_t)r * LANES + j));
    v_store(out + j, v_add(v_add(s[0], s[1]), v_add(s[2], s[3])));
  }
}

static void CNF_KERNEL(shift)(int rows, const real *a, const real *s, real *out) {
  for (int r = 0; r < rows; r++, a += LANES, out += LANES)
    FOR_LANES v_store(out + j, v_add(v_load(a + j), v_load(s + j)));
}

static void CNF_KERNEL(affine)(int rows, const real *a, const real *c, const real *d, real *out) {
  for (int r = 0; r < rows; r++, a += LANES, out += LANES) {
    const vec factor = v_set1(c[r]), summand = v_set1(d ? d[r] : 0);
    FOR_LANES v_store(out + j, v_fma(factor, v_load(a + j), summand));
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

/* `sum` and one more squared ratio. CNF_NORM_MAX: v_max returns its second operand where one is NaN, so a NaN in `sum`
 * stays; 0 times a square that is not finite is NaN, which makes the sum NaN. */
CNF_INLINE vec with_square(const int norm, vec ratio, vec sum) {
  if (norm == CNF_NORM_RMS) return v_fma(ratio, ratio, sum);
  const vec square = v_mul(ratio, ratio);
  return v_fma(square, v_set1(0), v_max(square, sum));
}

/* `norm` is a constant in each call, so that the test of it is compiled away. */
CNF_INLINE void error_rows(const int norm, int rows, const real *x0, const real *x1, const real *h, int count,
                           const real *e, const real *const *k, const real *rtol, const real *atol, real *sum) {
  size_t i = 0;
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < LANES; j += VW, i += VW) {
      vec size = v_max(v_abs(v_load(x0 + i)), v_abs(v_load(x1 + i)));
      vec error = v_mul(v_load(h + j), stage_sum(count, e, k, i));
      vec ratio = v_div(error, v_fma(v_set1(rtol[r]), size, v_set1(atol[r])));
      v_store(sum + j, with_square(norm, ratio, v_load(sum + j)));
    }
}
CNF_INLINE void scaled_rows(const int norm, int rows, const real *a, const real *b, const real *x, const real *rtol,
                            const real *atol, real *sum) {
  size_t i = 0;
  for (int r = 0; r < rows; r++)
    for (int j = 0; j < LANES; j += VW, i += VW) {
      vec difference = b ? v_sub(v_load(a + i), v_load(b + i)) : v_load(a + i);
      vec ratio = v_div(difference, v_fma(v_set1(rtol[r]), v_abs(v_load(x + i)), v_set1(atol[r])));
      v_store(sum + j, with_square(norm, ratio, v_load(sum + j)));
    }
}

static void CNF_KERNEL(error_squares)(int rows, const real *x0, const real *x1, const real *h, int count, const real *e,
                                      const real *const *k, const real *rtol, const real *atol, int norm, real *sum) {
  if (norm == CNF_NORM_MAX)
    error_rows(CNF_NORM_MAX, rows, x0, x1, h, count, e, k, rtol, atol, sum);
  else
    error_rows(CNF_NORM_RMS, rows, x0, x1, h, count, e, k, rtol, atol, sum);
}

static void CNF_KERNEL(scaled_squares)(int rows, const real *a, const real *b, const real *x, const real *rtol,
                                       const real *atol, int norm, real *sum) {
  if (norm == CNF_NORM_MAX)
    scaled_rows(CNF_NORM_MAX, rows, a, b, x, rtol, atol, sum);
  else
    scaled_rows(CNF_NORM_RMS, rows, a, b, x, rtol, atol, sum);
}

/* ---- the peak of the machine */

static void CNF_KERNEL(fma_chains)(int rounds, const real *a, const real *b, real *x) {
  enum { CHAINS = CNF_FMA_CHAINS(VN * BLOCK_ROWS) };
  vec chain[CHAINS], factor = v_load(a), summand = v_load(b);
  for (int n = 0; n < CHAINS; n++) chain[n] = v_load(x + (size_t)n * VW);
  for (int i = 0; i < rounds; i++)
    for (int n = 0; n < CHAINS; n++) chain[n] = v_fma(factor, chain[n], summand);
  for (int n = 0; n < CHAINS; n++) v_store(x + (size_t)n * VW, chain[n]);
}
