/* The backward pass of the reversible Heun method (Kidger, Foster, Li and Lyons 2021, arXiv 2105.13493, algorithm 2,
 * without noise). Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c.
 *
 * solve/forward/reversible_heun.h has the step, with f_n = f(t_n, y_n). With the same h it is undone by
 *     y = 2x' - y' - h f(t', y'),   x = x' - h/2 (f(t, y) + f(t', y')).
 * That is exact up to rounding, which the field may make grow. So nothing of the steps is kept; where they are
 * adaptive, their t and h are. With CNF_ADJOINT_DISCRETE the y are kept instead.
 *
 * The derivative of the steps: f_n is used by the step that ends at point n and by the one that begins there, so
 * each point is reversed once. Let lambda = dL/dx_n; kappa = dL/dy_n without what goes through f_n; phi = the later
 * step's share of dL/df_n; h the step that ends at n (0 if n = 0) and mu its dL/dl; h+ and mu+ those of the step
 * that begins there. Then
 *     f_bar = phi + h/2 lambda,   div_bar = (h mu + h+ mu+)/2,
 *     kappa <- kappa + (df/dy)' f_bar + div_bar (d div/dy)',
 * with theta_bar and t_bar_n from the same reverse. At n - 1
 *     phi = h kappa + h/2 lambda,   lambda <- lambda + 2 kappa,   kappa <- -kappa.
 * At n = 0, dL/dx0 = lambda + kappa. With lambda and kappa from before these assignments, a step's h_bar is
 *     lambda (f_{n-1} + f_n)/2 + kappa f_{n-1} + mu (div_{n-1} + div_n)/2.
 * Signs, regularisers, times and output times are as in solve/backward/runge_kutta.h, with c = 1 for point n of its
 * step.
 *
 * Each turn of the loop reverses the points that lanes hold, then goes to the points before them and evaluates
 * there. A lane that has just been loaded holds none, and goes to its last. Growing rounding may end in numbers that
 * are not finite. Such a sample has no gradient, and its chunk is differentiated again without it.
 */
#include "solve/worker.h"

/* The time of the point where step n of the lane's sample ends, as it was evaluated; n = -1: t0. */
static double point_time(const cnf_worker *w, const cnf_call *call, int32_t lane, int32_t n) {
  return n < 0 ? w->span.t0[lane] : end_of_step(w, call, w->lane.sample[lane], n);
}

static void idle_reversible_lane(cnf_worker *w, int32_t lane) {
  WORKER_NAMES(w);
  w->lane.sample[lane] = -1;
  w->span.direction[lane] = 1;
  w->lane.h[lane] = w->reversible.later_h[lane] = w->reversible.later_mu[lane] = 0;
  w->reversible.held[lane] = 0;
  w->back.mu_row[lane] = 0;
  real *panels[] = {w->back.lambda, w->reversible.kappa, w->reversible.phi, w->step.x, w->reversible.y};
  for (size_t i = 0; i < sizeof panels / sizeof panels[0]; i++) column_zero(D, lanes, panels[i], lane);
  column_zero(S, lanes, slope(w, 0), lane);
}

/* Sample s, at its end, into a lane. */
static void load_reversible_lane(cnf_worker *w, const cnf_call *call, int64_t first, int64_t s, int32_t lane) {
  WORKER_NAMES(w);
  (void)first;
  idle_reversible_lane(w, lane);
  bind_lane(w, call, s, lane);
  w->lane.step[lane] = w->chunk.accepted[s] - 1;
  w->lane.interval[lane] = call->time_count;
  w->back.t0_bar[lane] = w->back.t1_bar[lane] = 0;
  w->back.mu_row[lane] = (real)w->loss.log_det_bar[s];
  column_in(D, lanes, w->loss.x1_bar + (size_t)s * (size_t)D, w->back.lambda, lane);
  column_in(D, lanes, w->chunk.x1 + (size_t)s * (size_t)D, w->step.x, lane);
  if (!call->steps) move_constants(w, lane, w->start.constants + (size_t)s * (size_t)call->solver->constant_rows, 0);
}

static void fail_reversible_lane(cnf_worker *w, const cnf_call *call, int32_t lane) {
  const int64_t s = w->lane.sample[lane];
  w->chunk.status[s] = CNF_SAMPLE_NOT_FINITE;
  w->chunk.t[s] = point_time(w, call, lane, w->lane.step[lane]);
  idle_reversible_lane(w, lane);
}

/* t and h of the step that ends at the point each lane holds; h = 0 before point 0. If the lane has crossed an
 * output time, the loss's cotangents there are added. */
static void restore_times(cnf_worker *w, const cnf_call *call, int64_t first) {
  WORKER_NAMES(w);
  for (int32_t j = 0; j < lanes; j++) {
    w->lane.h[j] = 0;
    if (!w->reversible.held[j] || w->lane.step[j] < 0) continue;
    const cnf_step_record step = step_of(w, call, w->lane.sample[j], w->lane.step[j]);
    place_lane(w, j, step.t, step.h, end_of_step(w, call, w->lane.sample[j], w->lane.step[j]));
    enter_interval(w, call, first, j, step.interval);
  }
  step_row(w);
}

/* The cotangents of the held evaluations: f_bar into the bars at hand, and those of the integrands. */
static cnf_integrands point_bars(cnf_worker *w) {
  WORKER_NAMES(w);
  const real half = (real)0.5, *lambda[1] = {w->back.lambda}, weight = probe_weight(m);
  real *bar = rows_of(m, w->e.bars.bar, 0, m->program->op_count);
  k->combine(D, w->reversible.phi, w->step.h_row, 1, &half, lambda, bar);
  for (int32_t j = 0; j < lanes; j++) {
    const double length = w->reversible.later_h[j] + w->lane.h[j] / 2;
    if (!w->reversible.held[j]) column_zero(D, lanes, bar, j);
    w->back.integrand_bars.divergence[j] =
        (real)(w->reversible.later_mu[j] + w->lane.h[j] / 2 * (double)w->back.mu_row[j]) * weight;
    if (m->kinetic) w->back.integrand_bars.kinetic[j] = (real)(length * w->back.kinetic_bar / D) * w->span.direction[j];
    if (m->frobenius)
      w->back.integrand_bars.frobenius[j] =
          (real)(length * 2 * w->back.frobenius_bar / D) * weight * w->span.direction[j];
  }
  return w->back.integrand_bars;
}

/* Reverses the points held, in scratch `number`: kappa, time_bar_row, theta's gradient. Lanes that hold none have
 * the state of lane `live` with zero cotangents: they add exact zeros. */
static void reverse_held(cnf_worker *w, int32_t number, int32_t live, real *gradient) {
  WORKER_NAMES(w);
  use_scratch(w, number);
  w->e.bars = w->back.bars[0];
  for (int32_t j = 0; j < lanes; j++) w->step.mask_row[j] = (real)w->reversible.held[j];
  fill_rejected_lanes(w, kept_rows(m), w->e.kept.value, live);
  const cnf_integrands bars = point_bars(w);
  zero_rows(1, lanes, w->back.time_bar_row);
  w->back.reversed[0] = evaluate_reverse(&w->e, &bars, w->back.time_bar_row, gradient, w->back.integrands);
  gather_gradients(m, w->back.reversed, 1, gradient);
  k->add(D, w->reversible.kappa, w->e.bars.bar, w->reversible.kappa);
  for (int32_t j = 0; j < lanes; j++) {
    if (!w->reversible.held[j])
      column_zero(D, lanes, w->reversible.kappa, j);
    else
      w->chunk.reversed[w->lane.sample[j]]++;
    w->work.idle_adjoint_evaluations += !w->reversible.held[j];
  }
  w->work.steps++, w->work.steps_recomputed++;
  w->work.adjoint_evaluations += lanes;
}

/* Point 0 of the lane's sample has been reversed: writes its gradients, and how far from x0 the undone steps have
 * ended. Returns 1 if the gradients are not finite. */
static int32_t finish_reversible_lane(cnf_worker *w, const cnf_call *call, int64_t first, int32_t lane,
                                      real *gradient) {
  WORKER_NAMES(w);
  const int64_t s = w->lane.sample[lane];
  const real *x0 = (const real *)call->input->x0 + (size_t)(first + s) * (size_t)D;
  real *x_bar = w->step.x1; /* free in the backward pass */
  double error = 0;
  for (int32_t d = 0; d < D; d++) { /* a comparison: see cotangent_scale */
    const double miss = fabs((double)PANEL(w->step.x, d)[lane] - (double)x0[d]);
    error = miss > error ? miss : error;
  }
  if (!call->keeps) w->reversible.error[s] = error;
  w->lane.step[lane] = 0;
  w->back.t_bar_row[lane] = w->back.time_bar_row[lane];
  w->back.h_bar_row[lane] = 0;
  w->lane.t[lane] = w->span.t0[lane];
  if (call->want_times) add_times(w, call, first, lane);
  k->add(D, w->back.lambda, w->reversible.kappa, x_bar);
  const int32_t fails = finish_backward_lane(w, call, first, lane, x_bar, 1, gradient);
  idle_reversible_lane(w, lane);
  return fails;
}

/* Evaluates every lane's next point, the one before that which it holds or its last, into scratch `number` and slope
 * 1. x and y go back to it; a y that was kept is fetched. */
static void evaluate_points_before(cnf_worker *w, const cnf_call *call, int32_t number) {
  WORKER_NAMES(w);
  const real minus_one = -1, halves[2] = {(real)-0.5, (real)-0.5};
  const real *held[1] = {slope(w, 0)}, *both[2] = {slope(w, 0), slope(w, 1)};
  for (int32_t i = 0; i < D * lanes; i++) w->reversible.y1[i] = 2 * w->step.x[i] - w->reversible.y[i];
  k->combine(D, w->reversible.y1, w->step.h_row, 1, &minus_one, held, w->reversible.y);
  for (int32_t j = 0; j < lanes; j++) {
    const int64_t s = w->lane.sample[j];
    const real *kept = NULL;
    w->step.time_row[j] = sample_t0(call, w->chunk.first);
    if (s < 0) continue;
    w->step.time_row[j] = point_time(w, call, j, w->lane.step[j] - w->reversible.held[j]);
    if (!w->reversible.held[j])
      kept = w->reversible.y_end + (size_t)s * (size_t)D;
    else if (call->keeps)
      kept = checkpoint_at(w, call->solver, s, w->lane.step[j]);
    if (kept) column_in(D, lanes, kept, w->reversible.y, j);
  }
  use_scratch(w, number);
  copy_rows(D, lanes, w->reversible.y, w->e.kept.value);
  evaluate_slope(w, 1, slope(w, 1));
  k->combine(D, w->step.x, w->step.h_row, 2, halves, both, w->step.x);
}

/* h_bar and t_bar of the steps just undone, into the derivatives by their times. */
static void gather_step_times(cnf_worker *w, const cnf_call *call, int64_t first) {
  WORKER_NAMES(w);
  const real halves[2] = {(real)0.5, (real)0.5};
  const real *slopes[2] = {slope(w, 0), slope(w, 1)};
  for (int32_t j = 0; j < lanes; j++) w->step.row[j] = 1;
  real *mean = w->step.x1; /* [S]: free in the backward pass */
  k->combine(S, NULL, w->step.row, 2, halves, slopes, mean);
  const cnf_integrands of = integrands_of(m, mean);
  k->dot(D, mean, w->back.lambda, 0, w->step.row);
  k->dot(D, slopes[1], w->reversible.kappa, 1, w->step.row);
  for (int32_t j = 0; j < lanes; j++) {
    if (!w->reversible.held[j]) continue;
    real h_bar = w->step.row[j] + w->back.time_bar_row[j] + w->back.mu_row[j] * of.divergence[j];
    if (m->kinetic) h_bar += (real)w->back.kinetic_bar * of.kinetic[j];
    if (m->frobenius) h_bar += (real)w->back.frobenius_bar * of.frobenius[j];
    w->back.h_bar_row[j] = h_bar;
    w->back.t_bar_row[j] = w->back.time_bar_row[j];
    add_times(w, call, first, j);
  }
}

/* phi, lambda and kappa of the points that the lanes have come to, which they hold from now on. */
static void carry_cotangents(cnf_worker *w) {
  WORKER_NAMES(w);
  const real weights[2] = {1, (real)0.5}, minus_one = -1, two = 2;
  const real *panels[2] = {w->reversible.kappa, w->back.lambda};
  k->combine(D, NULL, w->step.h_row, 2, weights, panels, w->reversible.phi);
  for (int32_t j = 0; j < lanes; j++) w->step.row[j] = 1;
  k->combine(D, w->back.lambda, w->step.row, 1, &two, panels, w->back.lambda);
  k->combine(D, NULL, w->step.row, 1, &minus_one, panels, w->reversible.kappa);
  copy_rows(S, lanes, slope(w, 1), slope(w, 0));
  for (int32_t j = 0; j < lanes; j++) {
    if (w->lane.sample[j] < 0) continue;
    w->reversible.later_h[j] = w->lane.h[j] / 2;
    w->reversible.later_mu[j] = w->lane.h[j] / 2 * (double)w->back.mu_row[j];
    w->lane.step[j] -= w->reversible.held[j];
    w->reversible.held[j] = 1;
  }
}

/* Lanes whose row in `bad` is not 0 fail; returns how many. */
static int32_t fail_lanes(cnf_worker *w, const cnf_call *call, const real *bad) {
  int32_t failed = 0;
  for (int32_t j = 0; j < w->e.model->kernels->lanes; j++)
    if (w->lane.sample[j] >= 0 && bad[j] != 0) fail_reversible_lane(w, call, j), failed++;
  return failed;
}

/* The pass: backward over the steps of the chunk's samples. Returns how many samples have no gradient. */
static int32_t backward_reversible(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count, real *gradient) {
  WORKER_NAMES(w);
  const int64_t samples = begin_backward(w, call, first, count, idle_reversible_lane);
  int64_t next = 0;
  int32_t failed = 0, number = 0;
  for (int64_t s = 0; s < count; s++) w->reversible.error[s] = NAN;
  for (; !is_cancelled(call); number = !number) {
    int32_t held = -1, live = 0;
    load_backward_lanes(w, call, first, samples, &next, load_reversible_lane);
    restore_times(w, call, first);
    for (int32_t j = 0; j < lanes; j++)
      if (w->reversible.held[j]) held = j;
    if (held >= 0) {
      reverse_held(w, !number, held, gradient);
      k->finite(D, w->reversible.kappa, 0, w->step.row);
      failed += fail_lanes(w, call, w->step.row);
    }
    for (int32_t j = 0; j < lanes; j++)
      if (w->reversible.held[j] && w->lane.step[j] < 0) failed += finish_reversible_lane(w, call, first, j, gradient);
    for (int32_t j = 0; j < lanes; j++) live += w->lane.sample[j] >= 0;
    if (live == 0 && next == samples) break;
    if (live == 0) continue;
    step_row(w);
    evaluate_points_before(w, call, number);
    if (call->want_times && held >= 0) gather_step_times(w, call, first);
    carry_cotangents(w);
    k->finite(S, slope(w, 0), 0, w->step.row);
    k->finite(D, w->back.lambda, 1, w->step.row);
    if (!call->keeps) k->finite(D, w->step.x, 1, w->step.row), k->finite(D, w->reversible.y, 1, w->step.row);
    failed += fail_lanes(w, call, w->step.row);
    report_progress(w, call, 1, first, count, samples - next);
  }
  end_backward(w, gradient);
  return failed;
}

static const cnf_family_code reversible_code = {
    .layout = reversible_layout,
    .step = make_reversible_step,
    .check_finite = check_reversible_finite,
    .accept = accept_reversible_step,
    .finish = finish_reversible_sample,
    .recorded_state = recorded_y,
    .pass = {[CNF_ADJOINT_DISCRETE] = backward_reversible, [CNF_ADJOINT_REVERSIBLE] = backward_reversible}};
