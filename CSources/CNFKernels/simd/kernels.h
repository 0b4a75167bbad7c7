/* The table of kernels of one instruction set and dtype: all arithmetic on panels that the field and the solver need.
 *
 * A panel is [rows][lanes], rows packed back to back: row r of lane j at r*lanes + j. A row is [lanes].
 * Kernels are pure: no allocation, no threads, no dispatch. Lanes never mix, except in weight_gradient and row_sums, so
 * a NaN or infinity stays in its lane. Pointers are aligned as their element type. Inputs and outputs do not overlap,
 * unless a kernel allows "in place": y may then be z, y_dot may be z_dot, z_bar may be y_bar, z_dot_bar may be
 * y_dot_bar, and out may be a or b. */
#ifndef CNF_SIMD_KERNELS_H
#define CNF_SIMD_KERNELS_H
#include "simd/real.h"

/* Products of float panels with operands rounded to bfloat16 and sums in float: the derivatives of mixed precision. A
 * word of 32 bits holds `terms` neighbouring terms of a sum. The last word may have one term too few: it is 0. */
typedef struct cnf_bf16_kernels {
  int terms;
  /* packed [ceil(rows/block)][ceil(cols/terms)][block] words, from w as in `pack`; missing rows are 0. */
  void (*pack)(const real *w, size_t row_stride, size_t col_stride, int rows, int cols, real *packed);
  /* As `product`. scratch [count][ceil(cols/terms)][lanes] is overwritten. */
  void (*product)(const real *packed, int rows, int cols, int count, const real *const *x, real *const *y,
                  const int *accumulate, real *scratch);
  /* As `weight_gradient`. Layers of fewer than 5 columns or 4 rows are not rounded: they fill no vector, and cost
   * little. */
  void (*weight_gradient)(int rows, int cols, int count, const real *const *z, const real *const *x, size_t ld,
                          real *w_bar);
} cnf_bf16_kernels;

typedef struct cnf_kernels {
  int lanes;      /* T, samples of a tile */
  int block_rows; /* rows of a block of packed weights */
  int width;      /* elements of a vector: leading dimensions of gradients are multiples of it */
  int most_alone; /* a call of at most so many samples runs them one by one, by `single` */
  /* The same kernels for tiles of one lane, with the same packed weights, gradients and bits; NULL in that table
   * itself. */
  const struct cnf_kernels *single;
  const cnf_bf16_kernels *bf16; /* NULL in double, and for one lane */

  /* packed [ceil(rows/block)][cols][block] from w: element (r, c) at w[r*row_stride + c*col_stride]; missing rows are
   * 0. */
  void (*pack)(const real *w, size_t row_stride, size_t col_stride, int rows, int cols, real *packed);
  /* y [rows] = a(W x [cols] + b), aux [rows] where the activation keeps one; b may be NULL: zeros. Then, while each
   * block of weights is in the first-level cache, for each of `count` tangents n: y_dot[n] = a'(z) W x_dot[n];
   * pre_dot[n] receives W x_dot[n] where the activation keeps it. */
  void (*linear)(const real *packed, const real *b, int rows, int cols, const real *x, int activation, real *y,
                 real *aux, int count, const real *const *x_dot, real *const *y_dot, real *const *pre_dot);
  /* y[n] [rows] = W x[n] [cols] for each of `count` panels, added to what is there where accumulate[n]. */
  void (*product)(const real *packed, int rows, int cols, int count, const real *const *x, real *const *y,
                  const int *accumulate);

  /* Activations, z [rows] before and y [rows] after; activations/formulas.h has the formulas. */
  void (*activation)(int activation, int rows, const real *z, real *y, real *aux); /* in place allowed */
  /* y_dot = a'(z) z_dot; in place allowed; pre_dot receives z_dot where the activation keeps it. */
  void (*activation_tangent)(int activation, int rows, const real *y, const real *aux, const real *z_dot, real *y_dot,
                             real *pre_dot);
  /* z_bar = a'(z) y_bar + added; added may be NULL: zeros; in place allowed. */
  void (*activation_reverse)(int activation, int rows, const real *y, const real *aux, const real *y_bar,
                             const real *added, real *z_bar);
  /* Backward of the tangent, and of the value with it if `scaled`. With the cotangent w = y_dot_bar + exit * row mu of
   * y_dot (y_dot_bar or exit may be NULL: zeros):
   *   z_dot_bar = a'(z) w,   to = from + a''(z) z_dot w;   scaled: to = a'(z) from + a''(z) z_dot w
   * from may be NULL: zeros. In place allowed: z_dot_bar may be y_dot_bar, to may be from. */
  void (*activation_tangent_reverse)(int activation, int rows, const real *y, const real *aux, const real *y_dot,
                                     const real *pre_dot, const real *y_dot_bar, const real *exit, const real *mu,
                                     real *z_dot_bar, const real *from, int scaled, real *to);
  /* d = a'(z). */
  void (*derivative)(int activation, int rows, const real *y, const real *aux, real *d);
  /* z_bar += a''(z) d_bar. */
  void (*derivative_reverse)(int activation, int rows, const real *y, const real *aux, const real *d_bar, real *z_bar);

  /* w_bar [rows][ld] += sum over `count` pairs of panels and over lanes of z[n] [rows] x[n] [cols]. ld is a multiple of
   * width and at least cols; columns past cols are padding, which may be written. */
  void (*weight_gradient)(int rows, int cols, int count, const real *const *z, const real *const *x, size_t ld,
                          real *w_bar);
  /* b_bar [rows] += sums of the `count` panels z[n] [rows] over lanes, in a fixed order. */
  void (*row_sums)(int rows, int count, const real *const *z, real *b_bar);

  /* to[j] [rows] = lane j of panel [rows]; lanes whose to[j] is NULL are left out. */
  void (*lanes_out)(int rows, const real *panel, real *const *to);
  /* Lane j of panel [rows] = from[j] [rows]; lanes may share one. */
  void (*lanes_in)(int rows, const real *const *from, real *panel);

  void (*add)(int rows, const real *a, const real *b, real *out);       /* out = a + b; in place allowed */
  void (*scale)(int rows, const real *a, const real *s, real *out);     /* out = a * row s; in place allowed */
  void (*scale_add)(int rows, const real *a, const real *s, real *out); /* out += a * row s */
  void (*dot)(int rows, const real *a, const real *b, int accumulate,
              real *out); /* row out (+)= sum over rows of a*b */
  void (*multiply)(int rows, const real *a, const real *b, int accumulate, real *out); /* out (+)= a * b */
  void (*total)(int rows, const real *a, int accumulate, real *out);                   /* row out (+)= sum over rows */
  void (*shift)(int rows, const real *a, const real *s, real *out);                    /* out = a + row s */
  /* out = c[r] a + d[r] in row r; c [rows], d [rows] or NULL: zeros. */
  void (*affine)(int rows, const real *a, const real *c, const real *d, real *out);
  void (*finite)(int rows, const real *a, int accumulate, real *out); /* row out (+)= 0; NaN where a is not finite */
  void (*blend)(int rows, const real *mask, const real *a, const real *b,
                real *out); /* out = a where row mask > 0, else b; in place allowed */
  /* out = base + h * sum_i c[i] k[i]; h a row; base may be NULL: zeros; out may be base. */
  void (*combine)(int rows, const real *base, const real *h, int count, const real *c, const real *const *k, real *out);
  /* Squares of errors against tolerances, of which each row has its own, rtol [rows] and atol [rows].
   * CNF_NORM_RMS: row sum += sum over rows of (h * sum_i e[i] k[i] / (atol + rtol max(|x0|, |x1|)))^2
   * CNF_NORM_MAX: row sum = the largest of it and of those squares; NaN where one is not finite.
   * The caller checks that x1 is finite: an infinite x1 has an infinite scale, and so no error. */
  void (*error_squares)(int rows, const real *x0, const real *x1, const real *h, int count, const real *e,
                        const real *const *k, const real *rtol, const real *atol, int norm, real *sum);
  /* Likewise of ((a - b) / (atol + rtol |x|))^2; b may be NULL: zeros. */
  void (*scaled_squares)(int rows, const real *a, const real *b, const real *x, const real *rtol, const real *atol,
                         int norm, real *sum);

  /* For measure/, the peak of the machine: x = a x + b, `rounds` times, on CNF_FMA_CHAINS vectors x that stay in
   * registers; a and b are one vector each. */
  void (*fma_chains)(int rounds, const real *a, const real *b, real *x);
} cnf_kernels;

/* Independent chains that hide the latency of a multiply-add: as many as a product has `accumulators` (block_rows rows
 * of lanes), and at least 12, which two units need that take three cycles for a multiplication and three for an
 * addition. */
#define CNF_FMA_CHAINS(accumulators) ((accumulators) < 12 ? 12 : (accumulators))

extern const cnf_kernels CNF_TYPED(cnf_kernels_generic);
#if defined(__x86_64__)
extern const cnf_kernels CNF_TYPED(cnf_kernels_avx2), CNF_TYPED(cnf_kernels_avx512), CNF_TYPED(cnf_kernels_avx512bf16);
#elif defined(__aarch64__)
extern const cnf_kernels CNF_TYPED(cnf_kernels_neon);
#endif

/* The kernels of an instruction set that this machine has. Defined in solve/call/make_solver.h. */
const cnf_kernels *CNF_TYPED(cnf_kernels_for)(int32_t isa);

#endif
