/* A step of a Rosenbrock method. It is linearly implicit: steps may be long where the field is stiff, and no
 * equation is iterated. Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c.
 *
 * The formula (Hairer and Wanner, Solving ODEs II, IV.7) has J = df/dx and f_t = df/dt at (t, x). It is that of the
 * transformed stages (7.25'), which need no products with J; each is divided by h, so that it is a slope like those
 * of an explicit method:
 *     (1/gamma - h J) k_i = f(t + alpha_i h, x + h sum_j a_ij k_j) + sum_j c_ij k_j + d_i h f_t,
 *     x' = x + h sum_i b_i k_i.
 * The error is h sum_i e_i k_i. All stages share one matrix. The method has its order only if J is df/dx itself, so
 * J is made of the field's tangents. An idle lane has h = 0 and the matrix 1/gamma.
 *
 * Each lane's matrix is factored with its own pivots, by operations on that lane's numbers alone. A singular matrix
 * leaves infinities or NaN in k, and so in x': the step is rejected like any other that is not finite.
 *
 * The log-determinant and the regularisers are integrated by Simpson's rule, at the step's start, middle and end.
 * The state in the middle is the dense output at 1/2, x + h sum_j (b_j/2 + h2_j/4 + h3_j/8) k_j, of order 3. Its
 * error is O(h^4) and that of the rule O(h^5), so the sum over steps is of order 4. They are no part of the error
 * norm.
 */
#include "solve/worker.h"

/* Distance between neighbouring times of the difference quotient of df/dt, as a fraction of h (make_time_slope). */
#define CNF_TIME_PART (CNF_REAL_BITS == 64 ? 0x1p-10 : 0x1p-5)

/* Simpson's weights at the step's start, middle and end. */
static const double simpson_weights[3] = {1.0 / 6, 4.0 / 6, 1.0 / 6};

/* Does f see t rounded? A TIME op rounds it; a callback gets the double. */
static int rounds_time(const cnf_model *m) {
  const cnf_plan *plans = m->program->plans;
  for (int32_t i = 0; i < m->program->op_count; i++)
    if (plans[i].live && plans[i].op.kind == CNF_OP_TIME) return 1;
  return 0;
}

/* Is anything integrated besides the state? */
static int has_quadratures(const cnf_model *m) { return !m->jacobian || m->kinetic; }

/* Of one step: the stages, of which the first brings the Jacobian; two for df/dt; two for the quadratures. */
static int32_t rosenbrock_evaluations(const cnf_model *m, const cnf_stages *s) {
  return s->count + 2 * cnf_program_reads_time(m->program) + 2 * has_quadratures(m);
}

/* f and the integrands at the step's start, and 1/gamma - h J. */
static void make_matrix(cnf_worker *w, double gamma) {
  WORKER_NAMES(w);
  cnf_evaluator *e = &w->e;
  cnf_implicit *im = &w->implicit;
  const int32_t group = group_size(m), end = m->program->op_count;
  const cnf_integrands out = integrands_of(m, im->integrands);
  const real diagonal = (real)(1 / gamma);
  const int varies = m->program->blocks[end].from_state;
  zero_rows(S, lanes, im->integrands);
  copy_rows(D, lanes, w->step.x, e->kept.value);
  time_row(w, 0);
  for (int32_t first = 0; first < D; first += group) {
    const int32_t count = D - first < group ? D - first : group;
    field_forward(e, first ? NULL : w->step.time_row, first, count);
    if (!m->jacobian) add_tangents(e, first, count, out);
    for (int32_t g = 0; g < count; g++)
      for (int32_t r = 0; r < D; r++) {
        real *to = PANEL(im->matrix, r * D + first + g);
        const real one = r == first + g ? diagonal : 0;
        const real *column = varies ? PANEL(tangent_of(e, first, g, end), r) : NULL;
        for (int32_t j = 0; j < lanes; j++) to[j] = varies ? one - w->step.h_row[j] * column[j] : one;
      }
  }
  if (m->kinetic) kinetic_energy(e, out.kinetic);
  for (int32_t j = 0; m->frobenius && j < lanes; j++) out.frobenius[j] /= (real)D;
  turn_regularisers(w, D + 1, S, im->integrands);
  copy_rows(D, lanes, rows_of(m, e->kept.value, 0, end), im->f);
}

/* h df/dt is a sum of these weights times f at the two later times, minus f at the start. */
static void time_slope_weights(const cnf_worker *w, real weight[2][CNF_MAX_LANES]) {
  WORKER_NAMES(w);
  const int rounds = rounds_time(m);
  for (int32_t j = 0; j < lanes; j++) {
    double seen[3]; /* at the step's start and the two places */
    for (int n = 0; n < 3; n++) {
      seen[n] = cnf_time_in_step(w->lane.t[j], w->lane.h[j], w->lane.end[j], n * CNF_TIME_PART);
      if (rounds) seen[n] = (double)(real)seen[n];
    }
    const double p = seen[1] - seen[0], q = seen[2] - seen[0];
    const int apart = p != 0 && q != p;
    weight[0][j] = apart ? (real)(w->lane.h[j] * (q / p) / (q - p)) : 0;
    weight[1][j] = apart ? (real)(w->lane.h[j] * -(p / q) / (q - p)) : 0;
  }
}

/* h df/dt from f at the start, at t + delta and at t + 2 delta. With the distances p and q of the two times, rounded
 * as the field sees them, f_t = (f1 - f0) q/(p(q - p)) - (f2 - f0) p/(q(q - p)) + O(delta^2). The field is not
 * evaluated outside the step. delta = c h with c = 2^-10, in float 2^-5. With the unit of rounding u, rounding adds
 * about 4 u/c |f| to a slope (4e-13; 1e-5 in float) and truncation c^2 h^3 f_ttt / 3. With c near u^(1/5),
 * truncation stays below what the step's own error, h^4 f_tttt, may be. If h is too short to change a rounded time,
 * f_t counts as 0. */
static void make_time_slope(cnf_worker *w) {
  WORKER_NAMES(w);
  cnf_evaluator *e = &w->e;
  cnf_implicit *im = &w->implicit;
  real weight[2][CNF_MAX_LANES];
  time_slope_weights(w, weight);
  zero_rows(D, lanes, im->f_t);
  for (int n = 0; n < 2; n++) {
    time_row(w, (n + 1) * CNF_TIME_PART);
    field_forward(e, w->step.time_row, 0, 0);
    const real *f = rows_of(m, e->kept.value, 0, m->program->op_count);
    for (int32_t r = 0; r < D; r++)
      for (int32_t j = 0; j < lanes; j++) PANEL(im->f_t, r)[j] += weight[n][j] * (PANEL(f, r)[j] - PANEL(im->f, r)[j]);
  }
}

/* Factors the matrix of each lane with partial pivoting: U, and below the diagonal L, whose diagonal is 1. */
static void factor_matrix(cnf_worker *w) {
  WORKER_NAMES(w);
  real *a = w->implicit.matrix;
  for (int32_t c = 0; c < D; c++) {
    int32_t *pivot = w->implicit.pivot + (size_t)c * (size_t)lanes;
    for (int32_t j = 0; j < lanes; j++) {
      pivot[j] = c;
      real most = (real)fabs((double)PANEL(a, c * D + c)[j]);
      for (int32_t r = c + 1; r < D; r++) {
        const real size = (real)fabs((double)PANEL(a, r * D + c)[j]);
        if (size > most) most = size, pivot[j] = r;
      }
      for (int32_t i = 0; pivot[j] != c && i < D; i++) {
        const real swap = PANEL(a, c * D + i)[j];
        PANEL(a, c * D + i)[j] = PANEL(a, pivot[j] * D + i)[j];
        PANEL(a, pivot[j] * D + i)[j] = swap;
      }
    }
    for (int32_t r = c + 1; r < D; r++) {
      real *l = PANEL(a, r * D + c);
      for (int32_t j = 0; j < lanes; j++) l[j] /= PANEL(a, c * D + c)[j];
      for (int32_t i = c + 1; i < D; i++) {
        real *to = PANEL(a, r * D + i);
        const real *u = PANEL(a, c * D + i);
        for (int32_t j = 0; j < lanes; j++) to[j] -= l[j] * u[j];
      }
    }
  }
}

/* x [D] = matrix^-1 x, by its factors. */
static void solve_factored(const cnf_worker *w, real *x) {
  WORKER_NAMES(w);
  const real *a = w->implicit.matrix;
  for (int32_t c = 0; c < D; c++)
    for (int32_t j = 0; j < lanes; j++) {
      const int32_t p = w->implicit.pivot[(size_t)c * (size_t)lanes + (size_t)j];
      const real swap = PANEL(x, c)[j];
      PANEL(x, c)[j] = PANEL(x, p)[j];
      PANEL(x, p)[j] = swap;
    }
  for (int32_t r = 1; r < D; r++)
    for (int32_t c = 0; c < r; c++)
      for (int32_t j = 0; j < lanes; j++) PANEL(x, r)[j] -= PANEL(a, r * D + c)[j] * PANEL(x, c)[j];
  for (int32_t r = D - 1; r >= 0; r--) {
    for (int32_t c = r + 1; c < D; c++)
      for (int32_t j = 0; j < lanes; j++) PANEL(x, r)[j] -= PANEL(a, r * D + c)[j] * PANEL(x, c)[j];
    for (int32_t j = 0; j < lanes; j++) PANEL(x, r)[j] /= PANEL(a, r * D + r)[j];
  }
}

/* k_i into slope i. */
static void make_implicit_stage(cnf_worker *w, const cnf_stages *s, int32_t i) {
  WORKER_NAMES(w);
  const cnf_rosenbrock *ros = s->tableau->rosenbrock;
  cnf_implicit *im = &w->implicit;
  const real *f = im->f;
  real *to = slope(w, i);
  const int32_t size = D * lanes;
  if (i > 0) {
    weighted list = slopes(w, i, s->tableau->a[i]);
    k->combine(D, w->step.x, w->step.h_row, list.count, list.weight, list.panel, w->e.kept.value);
    time_row(w, ros->alpha[i]);
    field_forward(&w->e, w->step.time_row, 0, 0);
    f = rows_of(m, w->e.kept.value, 0, m->program->op_count);
  }
  const real d = (real)ros->d[i];
  for (int32_t n = 0; n < size; n++) to[n] = f[n] + d * im->f_t[n];
  for (int32_t j = 0; j < i; j++) {
    const real c = (real)ros->c[i][j], *other = slope(w, j);
    for (int32_t n = 0; n < size; n++) to[n] += c * other[n];
  }
  solve_factored(w, to);
}

/* The state in the middle of a step is x + h sum_j weights[j] k_j. */
static void middle_weights(const cnf_stages *s, double weights[CNF_MAX_STAGES]) {
  const cnf_rosenbrock *ros = s->tableau->rosenbrock;
  for (int32_t i = 0; i < s->count; i++) weights[i] = s->tableau->b[i] / 2 + ros->h2[i] / 4 + ros->h3[i] / 8;
}

/* The rows of x1 below the state's, by Simpson's rule. */
static void integrate_quadratures(cnf_worker *w, const cnf_stages *s) {
  WORKER_NAMES(w);
  const real weights[3] = {(real)simpson_weights[0], (real)simpson_weights[1], (real)simpson_weights[2]};
  const real *rows[3];
  double middle[CNF_MAX_STAGES] = {0};
  middle_weights(s, middle);
  for (int n = 0; n < 3; n++) {
    real *panel = w->implicit.integrands + (size_t)n * (size_t)S * (size_t)lanes;
    rows[n] = PANEL(panel, D);
    if (n == 0) continue;
    weighted list = slopes(w, s->count, n == 1 ? middle : s->tableau->b);
    k->combine(D, w->step.x, w->step.h_row, list.count, list.weight, list.panel, w->e.kept.value);
    time_row(w, n == 1 ? 1.0 / 2 : 1);
    evaluate_slope(w, 1, panel);
  }
  k->combine(S - D, PANEL(w->step.x, D), w->step.h_row, 3, weights, rows, PANEL(w->step.x1, D));
}

/* The same in double, over the lanes of mask_row. */
static void add_rosenbrock_integrals(cnf_worker *w, const cnf_engine *solver) {
  WORKER_NAMES(w);
  const real *panels[3];
  (void)solver;
  for (int n = 0; n < 3; n++) panels[n] = w->implicit.integrands + (size_t)n * (size_t)S * (size_t)lanes;
  if (has_quadratures(m)) add_to_integrals(w, 3, simpson_weights, panels);
}

/* The slopes of a step of every lane from (t, x) with its h. All evaluations go to scratch 0; with `apart` those of
 * stage i > 0 go to scratch i. */
static void rosenbrock_stages(cnf_worker *w, const cnf_stages *s, int apart) {
  WORKER_NAMES(w);
  use_scratch(w, 0);
  make_matrix(w, s->tableau->rosenbrock->gamma);
  if (cnf_program_reads_time(m->program))
    make_time_slope(w);
  else
    zero_rows(D, lanes, w->implicit.f_t);
  factor_matrix(w);
  for (int32_t i = 0; i < s->count; i++) {
    if (apart) use_scratch(w, i);
    make_implicit_stage(w, s, i);
  }
}

/* The step of cnf_family_code: x1, and slopes for the error. */
static void make_rosenbrock_step(cnf_worker *w, const cnf_call *call, const cnf_stages *s, cnf_step_record *tile) {
  WORKER_NAMES(w);
  (void)call, (void)tile;
  step_row(w);
  rosenbrock_stages(w, s, 0);
  weighted list = slopes(w, s->count, s->tableau->b);
  k->combine(D, w->step.x, w->step.h_row, list.count, list.weight, list.panel, w->step.x1);
  if (has_quadratures(m))
    integrate_quadratures(w, s);
  else
    copy_rows(S - D, lanes, PANEL(w->step.x, D), PANEL(w->step.x1, D));
  count_step(w, s->evaluations);
}

/* Creation: every evaluation brings the field's D tangents. The continuous adjoint keeps the forward path, and has
 * two more evaluations a step for d/dt. It reverses each evaluation once; stages at the same time share one. */
static void configure_rosenbrock(cnf_engine *s) {
  s->model.jacobian = s->model.trace == CNF_TRACE_NONE;
  s->model.trace = CNF_TRACE_EXACT_TANGENTS;
  s->stages.evaluations = s->stages.reversed = rosenbrock_evaluations(&s->model, &s->stages);
  if (s->options.adjoint != CNF_ADJOINT_CONTINUOUS) return;
  s->record_rows = CNF_PATH_PARTS * s->model.program->state_dim;
  s->scratch_count = s->stages.trials = s->stages.count + 2;
}

/* Of the state alone. */
static const real *first_rosenbrock_slope(const cnf_worker *w, const cnf_engine *solver) {
  (void)solver;
  return w->implicit.f;
}

static void rosenbrock_layout(cnf_worker *w, const cnf_engine *s, cnf_arena *arena) {
  cnf_implicit_layout(&w->implicit, s, arena);
}
