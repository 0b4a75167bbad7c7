/* The derivative of a Runge-Kutta step, partitioned ones included: the exact derivative of the step that was taken.
 * Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c.
 *
 * A step is x' = x + h sum b_i k_i, k_i = f(t + c_i h, X_i), X_i = x + h sum_j a_ij k_j, and l' = l + h sum_i b_i
 * div_i. With lambda = dL/dx' and mu = dL/dl' (constant from one output time to the next), from the last stage to
 * the first:
 *     k_bar_i = h (b_i lambda + sum_{j>i} a_ji X_bar_j)
 *     X_bar_i = (df/dx)' k_bar_i + h b_i mu (d div_i/dx)'      theta_bar and t_bar_i likewise
 *     lambda <- lambda + sum_i X_bar_i
 *     h_bar   = sum_i b_i k_i lambda + X_bar_i (X_i - x)/h + c_i t_bar_i + b_i mu div_i
 * h keeps its sign: a solve backward in time has h < 0, and nothing else changes.
 *
 * A regulariser r' = r + |h| sum b_i q_i is treated as l is; its slope is q_i with the sign of h. Let rho be dL/dr
 * times that sign, a constant of the solve. Then h b_i rho is the cotangent of q_i, and h_bar gains b_i rho q_i. For
 * q = 1/2 mean_D f^2, k_bar_i gains h b_i rho k_i / D. For q = mean_D (J eps)^2, the cotangent of J eps gains 2 h
 * b_i rho J eps / D.
 *
 * The places s of steps, t = t0 + s (t1 - t0), are constants:
 *     dL/dt1 = sum over steps of s sum_i t_bar_i + ds h_bar,   dL/dt0 = sum of (1 - s) sum_i t_bar_i - ds h_bar.
 * Output times tau_1 ... tau_n cut the span into intervals, with tau_0 = t0 and tau_{n+1} = t1, and a step ends at
 * each of them. The loss depends on x and l there. So at tau_i lambda gains x_at_bar_i, and mu gains
 * log_det_at_bar_i, since l is counted from t0. Places are then fractions of a step's interval: t = tau_i + s
 * (tau_{i+1} - tau_i), and h is ds times the interval's length. tau_i ends one interval and begins the next, and
 * nothing else depends on it:
 *     dL/dtau_i = sum over steps before it, back to tau_{i-1}, of s sum_j t_bar_j + ds h_bar
 *               + sum over steps after it, up to tau_{i+1}, of (1 - s) sum_j t_bar_j - ds h_bar.
 * An interval of no length has steps of no length, with their s and ds and h = 0. The same holds for them.
 *
 * A partitioned method has these formulas for each half of the rows, with the half's a and b. A stage's slope moves
 * one half, so the other half of its k_bar is 0. The log-determinant and the regularisers take the mean of both
 * halves' b.
 */
#include "solve/worker.h"

/* Points the evaluator at stage i of the step to be reversed: in the slots of `tile`, or without one in scratch i. */
static void use_stage(cnf_worker *w, const cnf_engine *solver, const cnf_step_record *tile, int32_t i) {
  if (tile)
    use_slot(w, solver, tile, i);
  else
    use_scratch(w, i);
}

/* Adds what stage i gives to h_bar_row and t_bar_row. */
static void gather_times(cnf_worker *w, const cnf_stages *s, int32_t i, const real *x_bar) {
  WORKER_NAMES(w);
  cnf_band bands[CNF_MOST_BANDS];
  const int32_t count = cnf_bands(s->tableau, D, bands);
  const cnf_band *moved = &bands[s->half[i] == CNF_HALF_MOMENTA];
  const real b = (real)moved->b[i], weight = (real)s->weight[i], c = (real)cnf_tableau_c(s->tableau, i);
  k->dot(moved->rows, PANEL(slope(w, i), moved->first), PANEL(w->back.lambda, moved->first), 0, w->step.row);
  for (int32_t j = 0; j < lanes; j++) {
    real divergence = weight != 0 ? weight * w->back.mu_row[j] * w->back.integrands.divergence[j] : 0;
    w->back.h_bar_row[j] += b * w->step.row[j] + c * w->back.time_bar_row[j] + divergence;
    const real signed_weight = weight * w->span.direction[j];
    if (weight != 0 && m->kinetic)
      w->back.h_bar_row[j] += signed_weight * (real)w->back.kinetic_bar * w->back.integrands.kinetic[j];
    if (weight != 0 && m->frobenius)
      w->back.h_bar_row[j] += signed_weight * (real)w->back.frobenius_bar * w->back.integrands.frobenius[j];
    w->back.t_bar_row[j] += w->back.time_bar_row[j];
    w->step.row[j] = 1;
  }
  for (int32_t n = 0; n < count; n++) {
    weighted list = slopes(w, i, bands[n].a[i]);
    for (int32_t j = 0; j < list.count; j++) list.panel[j] = PANEL(list.panel[j], bands[n].first);
    k->combine(bands[n].rows, NULL, w->step.row, list.count, list.weight, list.panel,
               PANEL(w->back.displacement, bands[n].first));
  }
  k->dot(D, x_bar, w->back.displacement, 1, w->back.h_bar_row);
}

/* k_bar of stage i, from lambda and the X_bar of later stages, into the bars at hand. */
static void slope_cotangent(cnf_worker *w, const cnf_stages *s, int32_t i) {
  WORKER_NAMES(w);
  cnf_band bands[CNF_MOST_BANDS];
  const int32_t count = cnf_bands(s->tableau, D, bands);
  real *bar = rows_of(m, w->e.bars.bar, 0, m->program->op_count);
  for (int32_t n = 0; n < count; n++) {
    const int32_t first = bands[n].first;
    weighted list = {.count = 0};
    add_weighted(&list, bands[n].b[i], PANEL(w->back.lambda, first));
    for (int32_t j = i + 1; j < s->count; j++)
      if (s->reverses[j]) add_weighted(&list, bands[n].a[j][i], PANEL(w->back.stage_bar, j * D + first));
    k->combine(bands[n].rows, NULL, w->step.h_row, list.count, list.weight, list.panel, PANEL(bar, first));
  }
}

/* Cotangents of the integrands of a stage of weight b, as evaluate_reverse takes them. */
static cnf_integrands integrand_bars(cnf_worker *w, real b) {
  WORKER_NAMES(w);
  const real weight = probe_weight(m), kinetic = (real)(w->back.kinetic_bar / w->e.mean_rows),
             frobenius = (real)(2 * w->back.frobenius_bar / w->e.mean_rows) * weight;
  for (int32_t j = 0; j < lanes; j++)
    w->back.integrand_bars.divergence[j] = w->step.h_row[j] * b * w->back.mu_row[j] * weight;
  for (int32_t j = 0; m->kinetic && j < lanes; j++)
    w->back.integrand_bars.kinetic[j] = w->step.h_row[j] * b * (w->span.direction[j] * kinetic);
  for (int32_t j = 0; m->frobenius && j < lanes; j++)
    w->back.integrand_bars.frobenius[j] = w->step.h_row[j] * b * (w->span.direction[j] * frobenius);
  return w->back.integrand_bars;
}

/* Adds the weights' gradients of the stages that wait for it. A reverse that is made only for its h_bar has none. */
static void gather_waiting(const cnf_worker *w, int32_t waiting, real *gradient) {
  if (gradient && gradient != w->back.discarded) gather_gradients(w->e.model, w->back.reversed, waiting, gradient);
}

/* lambda at the ends of the lanes' steps becomes lambda at their starts. Weights' gradients are gathered over as
 * many stages as there are sets of bars: the sums over lanes are longer, and the gradient is read and written less
 * often. */
static void reverse_step(cnf_worker *w, const cnf_engine *solver, const cnf_step_record *tile, int want_times,
                         real *gradient) {
  WORKER_NAMES(w);
  const cnf_stages *s = &solver->stages;
  size_t state = (size_t)D * (size_t)lanes;
  int32_t waiting = 0;
  zero_rows(1, lanes, w->back.h_bar_row);
  zero_rows(1, lanes, w->back.t_bar_row);
  for (int32_t i = s->count - 1; i >= 0; i--) {
    if (!s->reverses[i]) continue;
    const real weight = (real)s->weight[i];
    use_stage(w, solver, tile, i);
    mean_over(w, s->half[i]);
    w->e.bars = w->back.bars[waiting];
    slope_cotangent(w, s, i);
    zero_rows(1, lanes, w->back.time_bar_row);
    const cnf_integrands bars = integrand_bars(w, weight);
    w->back.reversed[waiting++] =
        evaluate_reverse(&w->e, weight != 0 ? &bars : NULL, w->back.time_bar_row, gradient, w->back.integrands);
    copy_rows(D, lanes, w->e.bars.bar, w->back.stage_bar + (size_t)i * state);
    if (waiting == solver->bar_sets) {
      gather_waiting(w, waiting, gradient);
      waiting = 0;
    }
    if (want_times) gather_times(w, s, i, w->back.stage_bar + (size_t)i * state);
  }
  gather_waiting(w, waiting, gradient);
  for (int32_t i = 0; i < s->count; i++)
    if (s->reverses[i]) k->add(D, w->back.lambda, w->back.stage_bar + (size_t)i * state, w->back.lambda);
}

/* The same, as `reverse` of cnf_family_code. */
static int32_t reverse_runge_kutta_step(cnf_worker *w, const cnf_call *call, const cnf_step_record *tile,
                                        const cnf_step_record *record, int want_times, real *gradient) {
  (void)record;
  reverse_step(w, call->solver, tile, want_times, gradient);
  return call->solver->stages.reversed;
}

/* Recomputes the stages of the lanes' steps, stage i into scratch i. */
static void recompute_stages(cnf_worker *w, const cnf_engine *solver, const cnf_step_record *record) {
  const cnf_stages *s = &solver->stages;
  (void)record;
  step_row(w);
  for (int32_t i = 0; i < s->count; i++) {
    if (!s->reverses[i]) continue;
    use_scratch(w, i);
    make_stage(w, s, i);
  }
}
