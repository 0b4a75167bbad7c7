/* The forward path: x(t) as the forward pass found it, kept for the continuous adjoint of a Rosenbrock method
 * (solve/backward/continuous_rosenbrock.h). Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c.
 *
 * A stiff field's state cannot be solved backward: what has died away would grow. So x(t) is read here. Each
 * accepted step keeps, besides its t and h, [3][D]: x at its start, and E_2 and E_3 of the method's dense output
 * (solve/methods/dense.h). With x' at the start of the next step, or the sample's x1, and theta = (t - t_n)/h,
 *     x(t) = (1 - theta) x + theta x' + theta (1 - theta) (E_2 + theta E_3).
 * At the ends that is x and x' to the bit; between them the error is O(h^4).
 */
#include "solve/worker.h"

#define CNF_PATH_PARTS 3

/* [3][D] of step n of sample s of the chunk. */
static real *path_at(const cnf_worker *w, const cnf_call *call, int64_t s, int32_t n) {
  return checkpoint_at(w, call->solver, s, n);
}

/* Keeps the step just made of the lanes in mask_row. Their x is still at its start; the step is counted already.
 * lambda and displacement, which the forward pass does not use, are scratch. */
static void keep_path_steps(cnf_worker *w, const cnf_call *call) {
  WORKER_NAMES(w);
  const cnf_stages *s = &call->solver->stages;
  const weighted second = slopes(w, s->count, s->tableau->rosenbrock->h2);
  const weighted third = slopes(w, s->count, s->tableau->rosenbrock->h3);
  const real *parts[CNF_PATH_PARTS] = {w->step.x, w->back.lambda, w->back.displacement};
  k->combine(D, NULL, w->step.h_row, second.count, second.weight, second.panel, w->back.lambda);
  k->combine(D, NULL, w->step.h_row, third.count, third.weight, third.panel, w->back.displacement);
  for (int32_t j = 0; j < lanes; j++) {
    if (!(w->step.mask_row[j] > 0)) continue;
    const int64_t sample = w->lane.sample[j];
    real *to = path_at(w, call, sample, w->chunk.accepted[sample] - 1);
    for (int32_t n = 0; n < CNF_PATH_PARTS; n++) column_out(D, lanes, parts[n], j, to + (size_t)n * (size_t)D);
  }
}

/* The step of the forward path that the lane is in at t + c h, where h is a step of the backward pass. It is the
 * last step that begins before that time, searched from step path_step[lane] downward, or the first step. *place
 * receives theta. With c = 0, the start of the lane's step, path_step[lane] is moved there. c h is not added to t:
 * near the end of a long span it may be below the rounding of t. */
static int32_t path_step_at(cnf_worker *w, const cnf_call *call, int32_t lane, double c, double *place) {
  for (int32_t n = w->continuous.path_step[lane];; n--) {
    const cnf_step_record step = step_of(w, call, w->lane.sample[lane], n);
    const double beyond = (w->lane.t[lane] - step.t) + c * w->lane.h[lane];
    if (n > 0 && !((double)w->span.direction[lane] * beyond > 0)) continue;
    *place = step.h != 0 ? beyond / step.h : 0;
    if (c == 0) w->continuous.path_step[lane] = n;
    return n;
  }
}

/* x(t + c h) of every lane into `to` [D]; idle lanes have that of a lane with a sample. */
static void path_state(cnf_worker *w, const cnf_call *call, double c, real *to) {
  WORKER_NAMES(w);
  int32_t live = -1;
  for (int32_t j = 0; j < lanes; j++) {
    const int64_t s = w->lane.sample[j];
    double place;
    if (s < 0) continue;
    live = j;
    const int32_t n = path_step_at(w, call, j, c, &place);
    const real *x = path_at(w, call, s, n), *second = x + D, *third = second + D;
    const real *next = n + 1 < w->chunk.accepted[s] ? path_at(w, call, s, n + 1) : w->chunk.x1 + (size_t)s * (size_t)D;
    const real after = (real)place, before = (real)(1 - place), bump = (real)(place * (1 - place));
    for (int32_t d = 0; d < D; d++)
      PANEL(to, d)[j] = before * x[d] + after * next[d] + bump * (second[d] + after * third[d]);
  }
  for (int32_t j = 0; live >= 0 && j < lanes; j++)
    for (int32_t d = 0; w->lane.sample[j] < 0 && d < D; d++) PANEL(to, d)[j] = PANEL(to, d)[live];
}
