/* The kernels for tiles of one lane. simd/kernels/table.h includes this file.
 *
 * A product is then a matrix times a vector: its vectors hold rows where those of a tile hold lanes. Every number comes
 * from the same operations in the same order as in a lane of a tile, so it has the same bits; a sum over lanes has one
 * term. The kernels for elements serve here too: a panel [rows][1] is read as [rows/LANES][LANES] and a rest, the tail,
 * and a row is one number for all of them. */
#define SINGLE(name) CNF_KERNEL(name##_single)
#define BLOCK_VECTORS ((BLOCK_ROWS + VW - 1) / VW)
#define SINGLE_BLOCKS \
  (8 / BLOCK_VECTORS < 2 ? 2 : 8 / BLOCK_VECTORS) /* blocks at a time: enough sums to hide the latency of an FMA */

/* The last `left` < LANES elements of an operand, padded with 0 to a row of LANES; NULL stays NULL. */
CNF_INLINE real *tail_of(const real *p, int left, real *tail) {
  if (!p) return NULL;
  for (int i = 0; i < LANES; i++) tail[i] = i < left ? p[i] : 0;
  return tail;
}
CNF_INLINE void put_tail(real *p, int left, const real *tail) {
  for (int i = 0; p && i < left; i++) p[i] = tail[i];
}
CNF_INLINE real first_of(vec a) {
  real all[VW];
  v_store(all, a);
  return all[0];
}
CNF_INLINE const real *spread(const real *number, real *row) {
  for (int i = 0; number && i < LANES; i++) row[i] = number[0];
  return number ? row : NULL;
}
#define OR_NULL(p, at) ((p) ? (p) + (at) : NULL)

/* y [rows] = W x + start for `blocks` blocks of rows (a constant, so that the loops unroll); start NULL: zeros. */
CNF_INLINE void single_blocks(const int blocks, const real *packed, const real *start, int rows, int cols,
                              const real *x, real *y) {
  vec acc[SINGLE_BLOCKS][BLOCK_VECTORS];
  real column[BLOCK_VECTORS * VW];
  for (int b = 0; b < blocks; b++) {
    for (int r = 0; r < BLOCK_VECTORS * VW; r++) {
      const int row = b * BLOCK_ROWS + r;
      column[r] = start && r < BLOCK_ROWS && row < rows ? start[row] : 0;
    }
    for (int j = 0; j < BLOCK_VECTORS; j++) acc[b][j] = v_load(column + (size_t)j * VW);
  }
  for (int c = 0; c < cols; c++, packed += BLOCK_ROWS) {
    const vec v = v_set1(x[c]);
    for (int b = 0; b < blocks; b++)
      for (int j = 0; j < BLOCK_VECTORS; j++)
        acc[b][j] = v_fma(v_load(packed + (size_t)b * BLOCK_ROWS * (size_t)cols + (size_t)j * VW), v, acc[b][j]);
  }
  for (int b = 0; b < blocks; b++) {
    for (int j = 0; j < BLOCK_VECTORS; j++) v_store(column + (size_t)j * VW, acc[b][j]);
    for (int r = 0; r < BLOCK_ROWS && b * BLOCK_ROWS + r < rows; r++) y[b * BLOCK_ROWS + r] = column[r];
  }
}

/* Loads reach up to a vector past the packed weights; field/layout.h reserves that much. */
static void single_product(const real *packed, const real *start, int rows, int cols, const real *x, real *y) {
  const int step = SINGLE_BLOCKS * BLOCK_ROWS;
  int first = 0;
  for (; rows - first > step - BLOCK_ROWS; first += step)
    single_blocks(SINGLE_BLOCKS, packed + (size_t)first * (size_t)cols, OR_NULL(start, first), rows - first, cols, x,
                  y + first);
  for (; first < rows; first += BLOCK_ROWS)
    single_blocks(1, packed + (size_t)first * (size_t)cols, OR_NULL(start, first), rows - first, cols, x, y + first);
}

static void SINGLE(product)(const real *packed, int rows, int cols, int count, const real *const *x, real *const *y,
                            const int *accumulate) {
  for (int n = 0; n < count; n++) single_product(packed, accumulate[n] ? y[n] : NULL, rows, cols, x[n], y[n]);
}

static void SINGLE(activation)(int activation, int rows, const real *z, real *y, real *aux) {
  const int full = rows / LANES, at = full * LANES, left = rows - at;
  real z_tail[LANES], y_tail[LANES], aux_tail[LANES];
  CNF_KERNEL(activation)(activation, full, z, y, aux);
  if (!left) return;
  CNF_KERNEL(activation)(activation, 1, tail_of(z + at, left, z_tail), y_tail, aux ? aux_tail : NULL);
  put_tail(y + at, left, y_tail);
  put_tail(OR_NULL(aux, at), left, aux_tail);
}

static void SINGLE(activation_tangent)(int activation, int rows, const real *y, const real *aux, const real *z_dot,
                                       real *y_dot, real *pre_dot) {
  const int full = rows / LANES, at = full * LANES, left = rows - at;
  real y_tail[LANES], aux_tail[LANES], z_tail[LANES], out_tail[LANES], pre_tail[LANES];
  CNF_KERNEL(activation_tangent)(activation, full, y, aux, z_dot, y_dot, pre_dot);
  if (!left) return;
  CNF_KERNEL(activation_tangent)
  (activation, 1, tail_of(y + at, left, y_tail), tail_of(OR_NULL(aux, at), left, aux_tail),
   tail_of(z_dot + at, left, z_tail), out_tail, pre_dot ? pre_tail : NULL);
  put_tail(y_dot + at, left, out_tail);
  put_tail(OR_NULL(pre_dot, at), left, pre_tail);
}

static void SINGLE(linear)(const real *packed, const real *b, int rows, int cols, const real *x, int activation,
                           real *y, real *aux, int count, const real *const *x_dot, real *const *y_dot,
                           real *const *pre_dot) {
  const int is_nonlinear = activation != CNF_ACTIVATION_IDENTITY;
  single_product(packed, b, rows, cols, x, y);
  if (is_nonlinear) SINGLE(activation)(activation, rows, y, y, aux);
  for (int n = 0; n < count; n++) {
    single_product(packed, NULL, rows, cols, x_dot[n], y_dot[n]);
    if (is_nonlinear)
      SINGLE(activation_tangent)(activation, rows, y, aux, y_dot[n], y_dot[n], pre_dot ? pre_dot[n] : NULL);
  }
}

static void SINGLE(activation_reverse)(int activation, int rows, const real *y, const real *aux, const real *y_bar,
                                       const real *added, real *z_bar) {
  const int full = rows / LANES, at = full * LANES, left = rows - at;
  real y_tail[LANES], aux_tail[LANES], bar_tail[LANES], added_tail[LANES], out_tail[LANES];
  CNF_KERNEL(activation_reverse)(activation, full, y, aux, y_bar, added, z_bar);
  if (!left) return;
  CNF_KERNEL(activation_reverse)
  (activation, 1, tail_of(y + at, left, y_tail), tail_of(OR_NULL(aux, at), left, aux_tail),
   tail_of(y_bar + at, left, bar_tail), tail_of(OR_NULL(added, at), left, added_tail), out_tail);
  put_tail(z_bar + at, left, out_tail);
}

static void SINGLE(activation_tangent_reverse)(int activation, int rows, const real *y, const real *aux,
                                               const real *y_dot, const real *pre_dot, const real *y_dot_bar,
                                               const real *exit, const real *mu, real *z_dot_bar, const real *from,
                                               int scaled, real *to) {
  const int full = rows / LANES, at = full * LANES, left = rows - at;
  real tails[7][LANES], mu_row[LANES], bar_tail[LANES], to_tail[LANES];
  const real *mus = spread(mu, mu_row);
  CNF_KERNEL(activation_tangent_reverse)
  (activation, full, y, aux, y_dot, pre_dot, y_dot_bar, exit, mus, z_dot_bar, from, scaled, to);
  if (!left) return;
  CNF_KERNEL(activation_tangent_reverse)
  (activation, 1, tail_of(y + at, left, tails[0]), tail_of(OR_NULL(aux, at), left, tails[1]),
   tail_of(y_dot + at, left, tails[2]), tail_of(OR_NULL(pre_dot, at), left, tails[3]),
   tail_of(OR_NULL(y_dot_bar, at), left, tails[4]), tail_of(OR_NULL(exit, at), left, tails[5]), mus, bar_tail,
   tail_of(OR_NULL(from, at), left, tails[6]), scaled, to_tail);
  put_tail(z_dot_bar + at, left, bar_tail);
  put_tail(to + at, left, to_tail);
}

static void SINGLE(derivative)(int activation, int rows, const real *y, const real *aux, real *d) {
  const int full = rows / LANES, at = full * LANES, left = rows - at;
  real y_tail[LANES], aux_tail[LANES], out_tail[LANES];
  CNF_KERNEL(derivative)(activation, full, y, aux, d);
  if (!left) return;
  CNF_KERNEL(derivative)
  (activation, 1, tail_of(y + at, left, y_tail), tail_of(OR_NULL(aux, at), left, aux_tail), out_tail);
  put_tail(d + at, left, out_tail);
}

static void SINGLE(derivative_reverse)(int activation, int rows, const real *y, const real *aux, const real *d_bar,
                                       real *z_bar) {
  const int full = rows / LANES, at = full * LANES, left = rows - at;
  real y_tail[LANES], aux_tail[LANES], bar_tail[LANES], out_tail[LANES];
  CNF_KERNEL(derivative_reverse)(activation, full, y, aux, d_bar, z_bar);
  if (!left) return;
  CNF_KERNEL(derivative_reverse)
  (activation, 1, tail_of(y + at, left, y_tail), tail_of(OR_NULL(aux, at), left, aux_tail),
   tail_of(d_bar + at, left, bar_tail), tail_of(z_bar + at, left, out_tail));
  put_tail(z_bar + at, left, out_tail);
}

static void SINGLE(weight_gradient)(int rows, int cols, int count, const real *const *z, const real *const *x,
                                    size_t ld, real *w_bar) {
  for (int r = 0; r < rows; r++)
    for (int c = 0; c < cols; c += VW) {
      real *to = w_bar + (size_t)r * ld + c, tail[LANES];
      const int left = cols - c;
      vec acc = v_load(to);
      for (int n = 0; n < count; n++)
        acc = v_fma(v_set1(z[n][r]), v_load(left < VW ? tail_of(x[n] + c, left, tail) : x[n] + c), acc);
      v_store(to, acc);
    }
}

static void SINGLE(row_sums)(int rows, int count, const real *const *z, real *b_bar) {
  for (int n = 0; n < count; n++)
    for (int r = 0; r < rows; r++) b_bar[r] += z[n][r];
}

static void SINGLE(lanes_out)(int rows, const real *panel, real *const *to) {
  if (to[0]) memcpy(to[0], panel, (size_t)rows * sizeof(real));
}
static void SINGLE(lanes_in)(int rows, const real *const *from, real *panel) {
  memcpy(panel, from[0], (size_t)rows * sizeof(real));
}

static void SINGLE(add)(int rows, const real *a, const real *b, real *out) {
  for (int r = 0; r < rows; r++) out[r] = a[r] + b[r];
}
static void SINGLE(scale)(int rows, const real *a, const real *s, real *out) {
  for (int r = 0; r < rows; r++) out[r] = a[r] * s[0];
}
static void SINGLE(scale_add)(int rows, const real *a, const real *s, real *out) {
  const int full = rows / LANES, at = full * LANES, left = rows - at;
  real s_row[LANES], a_tail[LANES], out_tail[LANES];
  CNF_KERNEL(scale_add)(full, a, spread(s, s_row), out);
  if (!left) return;
  CNF_KERNEL(scale_add)(1, tail_of(a + at, left, a_tail), s_row, tail_of(out + at, left, out_tail));
  put_tail(out + at, left, out_tail);
}

/* Sums over rows, in the order in which a lane of a tile adds them. */
static void SINGLE(dot)(int rows, const real *a, const real *b, int accumulate, real *out) {
  vec s[4] = {v_set1(accumulate ? out[0] : 0), v_set1(0), v_set1(0), v_set1(0)};
  const int whole = rows / 4 * 4;
  for (int r = 0; r < rows; r++) {
    const int n = r < whole ? r % 4 : 0;
    s[n] = v_fma(v_set1(a[r]), v_set1(b[r]), s[n]);
  }
  out[0] = first_of(v_add(v_add(s[0], s[1]), v_add(s[2], s[3])));
}
static void SINGLE(multiply)(int rows, const real *a, const real *b, int accumulate, real *out) {
  const int full = rows / LANES, at = full * LANES, left = rows - at;
  real a_tail[LANES], b_tail[LANES], out_tail[LANES];
  CNF_KERNEL(multiply)(full, a, b, accumulate, out);
  if (!left) return;
  CNF_KERNEL(multiply)
  (1, tail_of(a + at, left, a_tail), tail_of(b + at, left, b_tail), accumulate, tail_of(out + at, left, out_tail));
  put_tail(out + at, left, out_tail);
}
static void SINGLE(total)(int rows, const real *a, int accumulate, real *out) {
  real s[4] = {accumulate ? out[0] : 0, 0, 0, 0};
  const int whole = rows / 4 * 4;
  for (int r = 0; r < rows; r++) s[r < whole ? r % 4 : 0] += a[r];
  out[0] = (s[0] + s[1]) + (s[2] + s[3]);
}
static void SINGLE(shift)(int rows, const real *a, const real *s, real *out) {
  for (int r = 0; r < rows; r++) out[r] = a[r] + s[0];
}
static void SINGLE(affine)(int rows, const real *a, const real *c, const real *d, real *out) {
  int r = 0;
  for (; r + VW <= rows; r += VW) v_store(out + r, v_fma(v_load(c + r), v_load(a + r), d ? v_load(d + r) : v_set1(0)));
  for (; r < rows; r++) out[r] = first_of(v_fma(v_set1(c[r]), v_set1(a[r]), v_set1(d ? d[r] : 0)));
}
static void SINGLE(finite)(int rows, const real *a, int accumulate, real *out) {
  real s = accumulate ? out[0] : 0;
  for (int r = 0; r < rows; r++) s += a[r] * 0;
  out[0] = s;
}
static void SINGLE(blend)(int rows, const real *mask, const real *a, const real *b, real *out) {
  memmove(out, mask[0] > 0 ? a : b, (size_t)rows * sizeof(real));
}

CNF_INLINE vec single_stage_sum(int count, const real *c, const real *const *k, int r) {
  vec s = v_set1(0);
  for (int n = 0; n < count; n++) s = v_fma(v_set1(c[n]), v_set1(k[n][r]), s);
  return s;
}
static void SINGLE(combine)(int rows, const real *base, const real *h, int count, const real *c, const real *const *k,
                            real *out) {
  int r = 0;
  for (; r + VW <= rows; r += VW) {
    vec from = base ? v_load(base + r) : v_set1(0);
    v_store(out + r, v_fma(v_set1(h[0]), stage_sum(count, c, k, (size_t)r), from));
  }
  for (; r < rows; r++)
    out[r] = first_of(v_fma(v_set1(h[0]), single_stage_sum(count, c, k, r), v_set1(base ? base[r] : 0)));
}
static void SINGLE(error_squares)(int rows, const real *x0, const real *x1, const real *h, int count, const real *e,
                                  const real *const *k, const real *rtol, const real *atol, int norm, real *sum) {
  vec s = v_set1(sum[0]);
  for (int r = 0; r < rows; r++) {
    vec size = v_max(v_abs(v_set1(x0[r])), v_abs(v_set1(x1[r])));
    vec error = v_mul(v_set1(h[0]), single_stage_sum(count, e, k, r));
    vec ratio = v_div(error, v_fma(v_set1(rtol[r]), size, v_set1(atol[r])));
    s = with_square(norm, ratio, s);
  }
  sum[0] = first_of(s);
}
static void SINGLE(scaled_squares)(int rows, const real *a, const real *b, const real *x, const real *rtol,
                                   const real *atol, int norm, real *sum) {
  vec s = v_set1(sum[0]);
  for (int r = 0; r < rows; r++) {
    vec difference = b ? v_sub(v_set1(a[r]), v_set1(b[r])) : v_set1(a[r]);
    vec ratio = v_div(difference, v_fma(v_set1(rtol[r]), v_abs(v_set1(x[r])), v_set1(atol[r])));
    s = with_square(norm, ratio, s);
  }
  sum[0] = first_of(s);
}

static const cnf_kernels SINGLE(table) = {
    .lanes = 1,
    .block_rows = BLOCK_ROWS,
    .width = VW,
    .pack = CNF_KERNEL(pack),
    .linear = SINGLE(linear),
    .product = SINGLE(product),
    .activation = SINGLE(activation),
    .activation_tangent = SINGLE(activation_tangent),
    .activation_reverse = SINGLE(activation_reverse),
    .activation_tangent_reverse = SINGLE(activation_tangent_reverse),
    .derivative = SINGLE(derivative),
    .derivative_reverse = SINGLE(derivative_reverse),
    .weight_gradient = SINGLE(weight_gradient),
    .row_sums = SINGLE(row_sums),
    .lanes_out = SINGLE(lanes_out),
    .lanes_in = SINGLE(lanes_in),
    .add = SINGLE(add),
    .scale = SINGLE(scale),
    .scale_add = SINGLE(scale_add),
    .dot = SINGLE(dot),
    .multiply = SINGLE(multiply),
    .total = SINGLE(total),
    .shift = SINGLE(shift),
    .affine = SINGLE(affine),
    .finite = SINGLE(finite),
    .blend = SINGLE(blend),
    .combine = SINGLE(combine),
    .error_squares = SINGLE(error_squares),
    .scaled_squares = SINGLE(scaled_squares),
    .fma_chains = CNF_KERNEL(fma_chains),
};
