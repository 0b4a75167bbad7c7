/* The derivative of explicit_adams: of the steps that were taken, which share slopes. Compiled once per dtype by
 * solve/call/solver_f32.c and solver_f64.c.
 *
 * A step of k slopes is x_{n+1} = x_n + h_n sum_{j<k} b_j f_{n-j}, f_p = f(t_p, x_p), and l_{n+1} = l_n + h_n sum_j
 * b_j div_{n-j}. With lambda = dL/dx_{n+1} and mu = dL/dl_{n+1}, from the last step to the first:
 *     f_bar_{n-j} += h_n b_j lambda,   div_bar_{n-j} += h_n b_j mu,   for j < k         (1)
 *     lambda <- lambda + (df/dx)' f_bar_n + (d div/dx)' div_bar_n at (t_n, x_n);   theta_bar and t_bar_n likewise   (2)
 *     h_n h_bar_n = (x_{n+1} - x_n)' lambda + (l_{n+1} - l_n) mu     (3)
 * f_n is used by steps n to n + m - 2 at most. They have all been reversed when step n is, so f_bar_n is then
 * complete. Unfinished cotangents wait in the ring, whose slopes are no longer needed. (3) uses rows of the solution
 * instead of recomputing the sum of slopes, so records of this method have all S rows. Regularisers r are treated as
 * l is, with the constant rho (solve/backward/runge_kutta.h) for mu.
 *
 * A step of the start is one of rk4_38, and is reversed as such. Later formulas may use its slope f_n too; (2) adds
 * that, by one more evaluation at (t_n, x_n). h keeps its sign everywhere.
 */
#include "solve/methods/adams.h"
#include "solve/worker.h"

/* Before the first step of a chunk is reversed: no slope has a cotangent yet. The ring's place stays where the last
 * step left it. */
static void start_adams_adjoint(cnf_worker *w, const cnf_engine *solver) {
  WORKER_NAMES(w);
  zero_rows(cnf_adams_slopes(solver->options.order) * S, lanes, w->adams.ring);
  w->adams.pending = 0;
}

/* (1): adds what a step of `count` slopes gives to their cotangents. An entry of the ring has D rows of f_bar, then
 * div_bar, then with regularisers the weight h b that rho is multiplied with. */
static void add_slope_cotangents(cnf_worker *w, const cnf_engine *solver, int32_t count) {
  WORKER_NAMES(w);
  const cnf_adams *formula = cnf_adams_of(count);
  for (int32_t age = 0; age < count; age++) {
    const double b = (double)formula->bashforth[age] / (double)formula->divisor;
    real *bar = past_slope(w, solver, age);
    for (int32_t j = 0; j < lanes; j++) w->step.row[j] = w->step.h_row[j] * (real)b;
    k->scale_add(D, w->back.lambda, w->step.row, bar);
    k->scale_add(1, w->back.mu_row, w->step.row, PANEL(bar, D));
    if (S > D + 1) k->add(1, PANEL(bar, D + 1), w->step.row, PANEL(bar, D + 1));
  }
  if (w->adams.pending < count) w->adams.pending = count;
}

/* (3): h_bar_row of the lanes' steps. */
static void length_cotangents(cnf_worker *w, const cnf_call *call) {
  WORKER_NAMES(w);
  for (int32_t j = 0; j < lanes; j++) {
    const int64_t s = w->lane.sample[j];
    if (s < 0) continue;
    const real *from = checkpoint_at(w, call->solver, s, w->lane.step[j]);
    const int at_end = w->lane.step[j] + 1 == w->chunk.accepted[s];
    const real *to = checkpoint_at(w, call->solver, s, w->lane.step[j] + !at_end);
    double last[3] = {w->chunk.log_det[s]}, sum = 0; /* rows from D on, at t1 */
    if (m->kinetic) last[1] = w->chunk.kinetic[s];
    if (m->frobenius) last[1 + m->kinetic] = w->chunk.frobenius[s];
    const double kinetic = w->back.kinetic_bar, frobenius = w->back.frobenius_bar;
    const double bars[3] = {(double)w->back.mu_row[j], m->kinetic ? kinetic : frobenius,
                            frobenius}; /* of the integrals over |dt| */
    for (int32_t d = 0; d < D; d++) {
      const double end = (double)(at_end ? w->chunk.x1[(size_t)s * (size_t)D + (size_t)d] : to[d]);
      sum += (double)PANEL(w->back.lambda, d)[j] * (end - (double)from[d]);
    }
    for (int32_t d = D; d < S; d++) sum += bars[d - D] * ((at_end ? last[d - D] : (double)to[d]) - (double)from[d]);
    w->back.h_bar_row[j] = w->lane.h[j] != 0 ? (real)(sum / w->lane.h[j]) : 0; /* of no length: see
                                                                                  no_length_cotangents */
  }
}

/* (3) where h = 0: all slopes are the one at hand, whose integrands are in their rows. A span of no length counts as
 * forward. */
static void no_length_cotangents(cnf_worker *w) {
  WORKER_NAMES(w);
  k->dot(D, rows_of(m, w->e.kept.value, 0, m->program->op_count), w->back.lambda, 0, w->step.row);
  for (int32_t j = 0; j < lanes; j++) {
    if (w->lane.sample[j] < 0 || w->lane.h[j] != 0) continue;
    double sum = (double)w->step.row[j];
    if (m->trace != CNF_TRACE_NONE) sum += (double)w->back.mu_row[j] * (double)w->back.integrands.divergence[j];
    if (m->kinetic) sum += w->back.kinetic_bar * (double)w->back.integrands.kinetic[j];
    if (m->frobenius) sum += w->back.frobenius_bar * (double)w->back.integrands.frobenius[j];
    w->back.h_bar_row[j] = (real)sum;
  }
}

/* (2): reverses the slope at the steps' beginnings, from its cotangents in the ring. */
static void reverse_slope(cnf_worker *w, const cnf_engine *solver, int wants_length, real *gradient) {
  WORKER_NAMES(w);
  const real *bar = past_slope(w, solver, 0);
  const real weight = probe_weight(m);
  use_scratch(w, 0);
  w->e.bars = w->back.bars[0];
  copy_rows(D, lanes, w->step.x, w->e.kept.value);
  time_row(w, 0);
  evaluate(&w->e, w->step.time_row, 1, w->back.integrands);
  copy_rows(D, lanes, bar, rows_of(m, w->e.bars.bar, 0, m->program->op_count));
  for (int32_t j = 0; j < lanes; j++) {
    w->back.integrand_bars.divergence[j] = PANEL(bar, D)[j] * weight;
    if (m->kinetic)
      w->back.integrand_bars.kinetic[j] = PANEL(bar, D + 1)[j] * w->span.direction[j] * (real)(w->back.kinetic_bar / D);
    if (m->frobenius)
      w->back.integrand_bars.frobenius[j] =
          PANEL(bar, D + 1)[j] * w->span.direction[j] * (real)(2 * w->back.frobenius_bar / D) * weight;
  }
  const cnf_integrands bars = w->back.integrand_bars;
  zero_rows(1, lanes, w->back.time_bar_row);
  const cnf_reversed done = evaluate_reverse(&w->e, &bars, w->back.time_bar_row, gradient, w->back.integrands);
  gather_gradients(m, &done, 1, gradient);
  w->work.adjoint_evaluations += lanes;
  for (int32_t j = 0; j < lanes; j++) w->work.idle_adjoint_evaluations += w->lane.sample[j] < 0;
  if (wants_length) no_length_cotangents(w);
  k->add(D, w->back.lambda, w->e.bars.bar, w->back.lambda);
  k->add(1, w->back.t_bar_row, w->back.time_bar_row, w->back.t_bar_row);
}

/* `reverse` of cnf_family_code. All lanes are at the same kind of step, and at its state; the stages of a step of
 * the start are recomputed. Returns how many evaluations were reversed. */

static int32_t reverse_adams_step(cnf_worker *w, const cnf_call *call, const cnf_step_record *tile,
                                  const cnf_step_record *record, int want_times, real *gradient) {
  WORKER_NAMES(w);
  const cnf_engine *solver = call->solver;
  const int32_t most = cnf_adams_slopes(solver->options.order);
  const int32_t slopes = record->slopes;
  int32_t reversed = 0;
  (void)tile; /* no evaluations are kept */
  if (slopes < CNF_ADAMS_LEAST) {
    reverse_step(w, solver, NULL, want_times, gradient);
    reversed = solver->stages.reversed;
  } else {
    zero_rows(1, lanes, w->back.t_bar_row);
    if (want_times) length_cotangents(w, call);
    add_slope_cotangents(w, solver, slopes);
  }
  if (slopes == 0) return reversed; /* a step of no length: its slope is not in the ring */
  if (w->adams.pending > 0) {
    reverse_slope(w, solver, want_times && slopes >= CNF_ADAMS_LEAST, gradient);
    w->adams.pending--, reversed++;
  }
  zero_rows(S, lanes, past_slope(w, solver, 0));
  w->adams.newest = (w->adams.newest + 1) % most;
  return reversed;
}

/* A step of the start has stages. The others have one slope, which reverse_adams_step evaluates. */
static void recompute_adams_stages(cnf_worker *w, const cnf_engine *solver, const cnf_step_record *record) {
  if (record->slopes < CNF_ADAMS_LEAST) recompute_stages(w, solver, record);
}

static const cnf_family_code adams_code = {.layout = adams_layout,
                                           .begin_chunk = start_adams,
                                           .step = make_adams_step,
                                           .accept = accept_adams_step,
                                           .add_integrals = add_adams_integrals,
                                           .first_slope = first_adams_slope,
                                           .pass = {backward_discrete, backward_continuous},
                                           .begin_reverse = start_adams_adjoint,
                                           .recompute = recompute_adams_stages,
                                           .reverse = reverse_adams_step,
                                           .continuous_step = try_step,
                                           .continuous_errors = pair_errors,
                                           .continuous_quadrature = add_quadrature};
