/* The continuous adjoint: state and cotangent are solved backward together (Chen et al. 2018, arXiv 1806.07366,
 * algorithm 1), so nothing of the forward pass is kept. Here are a step, its errors and its share of theta's
 * gradient. Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c.
 *
 * With l = int div dt, a(t1) = dL/dx1 and mu = dL/dl, a constant,
 *     x' = f,   a' = -(df/dx)' a - mu (d div/dx)',
 *     theta_bar = int_{t0}^{t1} (df/dtheta)' a + mu (d div/dtheta)' dt,
 *     dL/dt1 = f(t1, x1) a(t1) + mu div(t1, x1),   dL/dt0 = -(f(t0, x0) a(t0) + mu div(t0, x0)).
 * At output times a and mu jump, and x starts anew (solve/backward/continuous_output_times.h). A regulariser int q |dt|
 * is treated as l is, with rho = dL/dr times the sign of t1 - t0 in place of mu (solve/backward/runge_kutta.h).
 *
 * Signs: (x, a) goes from t1 to t0 in steps h, which are negative if t1 > t0 and positive if t1 < t0. The slopes are
 * those above in both cases. theta_bar is an integral from t0 to t1, so a stage's share has weight -h b_i.
 *
 * The reverse of an evaluation, with cotangent a of f and mu of the divergence, is (df/dx)' a + mu (d div/dx)': the
 * slope of a with the other sign. The same reverse with -h b_i a and -h b_i mu gives theta's share. Whether a step
 * is accepted is known only after its last stage, and what a reverse adds to sums over lanes cannot be taken back.
 * So the stages are tried first, and their sums are thrown away. Then the stages with b_i != 0 are reversed a second
 * time for the accepted lanes, from the evaluations that the trial has kept. That is a third more work than one
 * reverse, and a rejected step adds exactly nothing. The quadrature is no part of the error norm, which is over x
 * and a.
 *
 * Partitioned methods: in a separable field a_q' = -(df_p/dq)' a_p depends on (q, a_p), and a_p' = -(df_q/dp)' a_q
 * on (p, a_q). So a_q goes with the momenta and a_p with the positions, and the order holds. A stage's share of
 * theta_bar is that of the half of f that it moves, with that half's weight.
 *
 * All of this is linear in (a, mu, rho). A sample's cotangents are divided by a power of two near their size, and
 * its results multiplied by it; both are exact. So tolerances mean the same whatever factor stands before the loss,
 * 1/count say.
 */
#include "solve/worker.h"

static real *pair_slope(const cnf_worker *w, int32_t stage) {
  WORKER_NAMES(w);
  return w->continuous.slopes + (size_t)stage * 2 * (size_t)D * (size_t)lanes;
}

/* Rows [first, first + rows) of `to` = those of pair + h sum_j weights[j] slope_j over the first `count` stages. */
static void move_pair_rows(const cnf_worker *w, int32_t first, int32_t rows, int32_t count, const double *weights,
                           real *to) {
  WORKER_NAMES(w);
  weighted list = {.count = 0};
  for (int32_t j = 0; j < count; j++) add_weighted(&list, weights[j], PANEL(pair_slope(w, j), first));
  k->combine(rows, PANEL(w->continuous.pair, first), w->step.h_row, list.count, list.weight, list.panel, to);
}

/* x and a [D] of stage i of a step of every lane from `pair`; i = count: of the step's end. x may be NULL. */
static void pair_at_stage(const cnf_worker *w, const cnf_stages *s, int32_t i, real *x, real *a) {
  WORKER_NAMES(w);
  cnf_band bands[CNF_MOST_BANDS];
  const int32_t count = cnf_bands(s->tableau, D, bands);
  for (int32_t n = 0; n < count; n++) {
    const double *weights = i < s->count ? bands[n].a[i] : bands[n].b;
    const cnf_band *of_x = &bands[n], *of_a = &bands[count - 1 - n];
    if (x) move_pair_rows(w, of_x->first, of_x->rows, i, weights, PANEL(x, of_x->first));
    move_pair_rows(w, D + of_a->first, of_a->rows, i, weights, PANEL(a, of_a->first));
  }
}

/* Cotangents of the integrands as evaluate_reverse takes them; those of lane j count row[j] times. */
static cnf_integrands weighted_bars(cnf_worker *w, const real *row) {
  WORKER_NAMES(w);
  const real weight = probe_weight(m);
  const int32_t rows = w->e.mean_rows;
  for (int32_t j = 0; j < lanes; j++) {
    w->back.integrand_bars.divergence[j] = row[j] * w->back.mu_row[j] * weight;
    if (m->kinetic)
      w->back.integrand_bars.kinetic[j] =
          row[j] * w->span.direction[j] * (real)(w->back.kinetic_bar / (w->continuous.scale[j] * rows));
    if (m->frobenius)
      w->back.integrand_bars.frobenius[j] =
          row[j] * w->span.direction[j] * (real)(2 * w->back.frobenius_bar / (w->continuous.scale[j] * rows)) * weight;
  }
  cnf_integrands bars = w->back.integrand_bars;
  if (m->jacobian) bars.divergence = NULL; /* no divergence is asked for */
  return bars;
}

/* f a + mu div, and the same of regularisers, of the evaluation at hand with slope f and cotangent a, into row. Lane
 * j's cotangents are scaled. */
static void hamiltonian(cnf_worker *w, const real *f, const real *a, real *row) {
  WORKER_NAMES(w);
  k->dot(D, f, a, 0, row);
  for (int32_t j = 0; j < lanes; j++) {
    if (m->trace != CNF_TRACE_NONE) row[j] += w->back.mu_row[j] * w->back.integrands.divergence[j];
    if (m->kinetic)
      row[j] +=
          w->span.direction[j] * (real)(w->back.kinetic_bar / w->continuous.scale[j]) * w->back.integrands.kinetic[j];
    if (m->frobenius)
      row[j] += w->span.direction[j] * (real)(w->back.frobenius_bar / w->continuous.scale[j]) *
                w->back.integrands.frobenius[j];
  }
}

/* Stage i of every lane: its evaluation into scratch i, its slopes of x and of a. */
static void try_stage(cnf_worker *w, const cnf_stages *s, int32_t i) {
  WORKER_NAMES(w);
  real *slope = pair_slope(w, i);
  use_scratch(w, i);
  mean_over(w, CNF_HALF_BOTH);
  w->e.bars = w->back.bars[0];
  pair_at_stage(w, s, i, w->e.kept.value, rows_of(m, w->e.bars.bar, 0, m->program->op_count));
  time_row(w, cnf_tableau_c(s->tableau, i));
  evaluate(&w->e, w->step.time_row, 1, w->back.integrands);
  copy_rows(D, lanes, rows_of(m, w->e.kept.value, 0, m->program->op_count), slope);
  /* the reverse overwrites M d1, which a second one needs */
  const int32_t held = m->trace == CNF_TRACE_EXACT_PRODUCT ? m->m_rows : 0;
  copy_rows(held, lanes, w->e.kept.md1, w->continuous.held_md1);
  zero_rows(1, lanes, w->back.time_bar_row);
  for (int32_t j = 0; j < lanes; j++) w->step.row[j] = 1;
  const cnf_integrands bars = weighted_bars(w, w->step.row);
  evaluate_reverse(&w->e, &bars, w->back.time_bar_row, w->back.discarded, w->back.integrands);
  copy_rows(held, lanes, w->continuous.held_md1, w->e.kept.md1);
  for (int32_t j = 0; j < lanes; j++) w->step.row[j] = -1;
  k->scale(D, w->e.bars.bar, w->step.row, PANEL(slope, D));
}

/* What the reverses of a worker sum over the solve: the cotangents of the constants, and of the context. */
typedef struct solve_sums {
  cnf_constants constants;
  real *context_bar;
} solve_sums;

/* Until restore_sums, what reverses sum over the solve is thrown away. */
static solve_sums discard_sums(cnf_worker *w) {
  const solve_sums sums = {w->e.constants, w->e.context_bar};
  w->e.constants.tangent_bar = w->continuous.discarded_sums.tangent_bar;
  w->e.constants.entry_bar = w->continuous.discarded_sums.entry_bar;
  w->e.constants.exit_bar = w->continuous.discarded_sums.exit_bar;
  w->e.constants.mu = w->continuous.discarded_sums.mu;
  w->e.context_bar = w->continuous.discarded_context;
  return sums;
}
static void restore_sums(cnf_worker *w, const solve_sums *sums) {
  w->e.constants = sums->constants;
  w->e.context_bar = sums->context_bar;
}

/* For lanes that start from t1 or an output time: the derivative by that time, from f [D] there and the evaluation
 * just reversed. */
static void begin_time_bars(cnf_worker *w, const cnf_call *call, int64_t first, const real *f) {
  WORKER_NAMES(w);
  if (!call->want_times) return;
  hamiltonian(w, f, PANEL(w->continuous.pair, D), w->step.row);
  for (int32_t j = 0; j < lanes; j++) {
    if (!w->continuous.starts_interval[j] || is_at_event(w, j)) continue;
    if (w->lane.interval[j] == call->time_count)
      w->back.t1_bar[j] = w->continuous.scale[j] * (double)w->step.row[j];
    else
      write_time_bar(w, call, first, j, f);
  }
}

/* All stages of a step, then x and a at its end, in pair1. What the reverses sum over the solve is thrown away. */
static void try_step(cnf_worker *w, const cnf_call *call, int64_t first) {
  WORKER_NAMES(w);
  const cnf_stages *s = &call->solver->stages;
  const solve_sums sums = discard_sums(w);
  step_row(w);
  for (int32_t i = 0; i < s->count; i++) {
    if (!s->runs[i]) continue;
    try_stage(w, s, i);
    if (i == 0) begin_time_bars(w, call, first, pair_slope(w, 0));
  }
  restore_sums(w, &sums);
  pair_at_stage(w, s, s->count, w->continuous.pair1, PANEL(w->continuous.pair1, D));
}

/* bar [D] times -h and `weight`, unscaled, in the lanes of mask_row; zeros in the others. */
static void scale_share(cnf_worker *w, double weight, real *bar) {
  WORKER_NAMES(w);
  for (int32_t j = 0; j < lanes; j++)
    w->step.sum_row[j] = w->step.mask_row[j] > 0 ? (real)(-w->lane.h[j] * weight * w->continuous.scale[j]) : 0;
  k->scale(D, bar, w->step.sum_row, bar);
  for (int32_t j = 0; j < lanes; j++)
    if (!(w->step.mask_row[j] > 0)) column_zero(D, lanes, bar, j);
}

/* Reverses the evaluation at hand, whose cotangent of f is in the bars, with -h and `weight` for mu and rho. It then
 * waits with `waiting` others to be gathered into the gradient. Returns how many wait. */
static int32_t reverse_share(cnf_worker *w, const cnf_engine *solver, double weight, int32_t live, int32_t waiting,
                             real *gradient) {
  WORKER_NAMES(w);
  for (int32_t j = 0; j < lanes; j++)
    w->step.sum_row[j] = w->step.mask_row[j] > 0 ? (real)(-w->lane.h[j] * weight * w->continuous.scale[j]) : 0;
  fill_rejected_lanes(w, kept_rows(m), w->e.kept.value, live);
  zero_rows(1, lanes, w->back.time_bar_row);
  const cnf_integrands bars = weighted_bars(w, w->step.sum_row);
  w->back.reversed[waiting++] = evaluate_reverse(&w->e, &bars, w->back.time_bar_row, gradient, w->back.integrands);
  if (waiting < solver->bar_sets) return waiting;
  gather_gradients(m, w->back.reversed, waiting, gradient);
  return 0;
}

/* Adds theta's share of the step just tried, for the lanes of mask_row, of which `live` is one. The others have the
 * evaluations of that lane with zero cotangents: they add exact zeros. */
static void add_quadrature(cnf_worker *w, const cnf_engine *solver, int32_t live, real *gradient) {
  WORKER_NAMES(w);
  const cnf_stages *s = &solver->stages;
  int32_t waiting = 0;
  cnf_band bands[CNF_MOST_BANDS];
  cnf_bands(s->tableau, D, bands);
  for (int32_t i = 0; i < s->count; i++) {
    const cnf_band *moved = &bands[s->half[i] == CNF_HALF_MOMENTA];
    if (moved->b[i] == 0) continue;
    use_scratch(w, i);
    mean_over(w, s->half[i]);
    w->e.bars = w->back.bars[waiting];
    real *a = rows_of(m, w->e.bars.bar, 0, m->program->op_count);
    pair_at_stage(w, s, i, NULL, a);
    scale_share(w, moved->b[i], a);
    if (s->half[i] != CNF_HALF_BOTH) zero_rows(D / 2, lanes, PANEL(a, D / 2 - moved->first));
    waiting = reverse_share(w, solver, s->weight[i], live, waiting, gradient);
  }
  gather_gradients(m, w->back.reversed, waiting, gradient);
}

/* Into sum_row the squares of the errors of the step just tried, of x and of a, over their tolerances. */
static void pair_errors(cnf_worker *w, const cnf_engine *solver) {
  WORKER_NAMES(w);
  const cnf_stages *s = &solver->stages;
  weighted list = {.count = 0};
  for (int32_t i = 0; i < s->count; i++) add_weighted(&list, s->tableau->e[i], pair_slope(w, i));
  zero_rows(1, lanes, w->step.sum_row);
  k->error_squares(2 * D, w->continuous.pair, w->continuous.pair1, w->step.h_row, list.count, list.weight, list.panel,
                   solver->pair_rtol, solver->pair_atol, solver->options.norm, w->step.sum_row);
}
