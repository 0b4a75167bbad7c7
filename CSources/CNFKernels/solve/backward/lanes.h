/* What the backward passes share: which samples they take, how samples come into lanes and leave them, and what idle
 * lanes hold. Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c.
 *
 * There are three passes: discrete (solve/backward/discrete_loop.h), continuous (solve/backward/continuous_loop.h) and
 * that of reversible Heun (solve/backward/reversible_heun.h). Each takes the samples that have reached their ends,
 * those with most steps first, so that few lanes are idle at the end. A sample leaves its lane when it is back at its
 * start.
 */
#include "solve/worker.h"

/* Puts the samples of the pass into chunk.order, those with most steps first. Writes the gradients of the others.
 * Returns how many samples the pass has. */
static int64_t order_backward(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count) {
  WORKER_NAMES(w);
  cnf_gradient *g = call->gradient;
  int64_t samples = 0;
  for (int64_t s = 0; s < count; s++) {
    int ok = w->chunk.status[s] == CNF_SAMPLE_OK;
    const size_t number = (size_t)(first + s);
    for (int32_t i = 0; g->times && i < call->time_count; i++)
      g->times[number * (size_t)call->time_count + (size_t)i] = 0;
    if (ok && w->chunk.accepted[s] > 0) {
      int64_t at = samples++;
      for (; at > 0 && w->chunk.accepted[w->chunk.order[at - 1]] < w->chunk.accepted[s]; at--)
        w->chunk.order[at] = w->chunk.order[at - 1];
      w->chunk.order[at] = (int32_t)s;
      continue;
    }
    /* a sample without a step: the cotangent of its end is its gradient */
    const real *x1_bar = w->loss.x1_bar + (size_t)s * (size_t)D;
    if (ok && !is_column_finite(D, 1, x1_bar, 0)) ok = 0, w->chunk.status[s] = CNF_SAMPLE_NOT_FINITE;
    real *x0 = g->x0 ? (real *)g->x0 + number * (size_t)D : NULL;
    for (int32_t d = 0; x0 && d < D; d++) x0[d] = ok ? x1_bar[d] : 0;
    clear_context_bar(call, number);
    if (g->t0) g->t0[number] = 0;
    if (g->t1) g->t1[number] = 0;
  }
  return samples;
}

/* Makes a lane idle. */
typedef void (*lane_idler)(cnf_worker *w, int32_t lane);

/* Begins a pass: all lanes are idle, and no sums are left. Returns how many samples the pass has, in chunk.order. */
static int64_t begin_backward(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count, lane_idler idle) {
  WORKER_NAMES(w);
  const int64_t samples = order_backward(w, call, first, count);
  for (int64_t s = 0; s < count; s++) w->chunk.reversed[s] = 0;
  for (int32_t j = 0; j < lanes; j++) idle(w, j);
  if (tangent_count(m) > 0) clear_constants(m, &w->e.constants);
  if (m->trace == CNF_TRACE_HUTCHINSON) clear_solve_sums(w);
  return samples;
}

/* Ends a pass: the sums over the samples' solves go to the gradient. */
static void end_backward(cnf_worker *w, real *gradient) {
  const cnf_model *m = w->e.model;
  if (m->trace == CNF_TRACE_HUTCHINSON) flush_solve_sums(w, gradient);
  if (m->trace == CNF_TRACE_EXACT_TANGENTS) finish_constants(m, &w->e.constants, gradient);
}

/* Puts sample s of the chunk, at its end, into a lane. */
typedef void (*lane_loader)(cnf_worker *w, const cnf_call *call, int64_t first, int64_t s, int32_t lane);

/* Fixed steps: puts every sample into the lane it was solved in, where its probes are; the probes of the other lanes
 * become zeros. Adaptive steps: puts the next samples into idle lanes; a lane that never had one gets the constants
 * of the first. */
static void load_backward_lanes(cnf_worker *w, const cnf_call *call, int64_t first, int64_t samples, int64_t *next,
                                lane_loader load) {
  WORKER_NAMES(w);
  const int at_start = *next == 0;
  if (call->steps) {
    for (; *next < samples; ++*next) load(w, call, first, w->chunk.order[*next], w->chunk.order[*next]);
    if (!at_start || samples == lanes || m->trace != CNF_TRACE_HUTCHINSON) return;
    for (int32_t j = 0; j < lanes; j++)
      if (w->lane.sample[j] < 0) clear_probes(w, j);
    prepare_constants(m, &w->e.constants);
    return;
  }
  for (int32_t j = 0; j < lanes && *next < samples; j++)
    if (w->lane.sample[j] < 0) load(w, call, first, w->chunk.order[(*next)++], j);
  for (int32_t j = 0; at_start && samples > 0 && j < lanes; j++)
    if (w->lane.sample[j] < 0)
      move_constants(w, j, w->start.constants + (size_t)w->chunk.order[0] * (size_t)call->solver->constant_rows, 0);
}

/* Are the own gradients of the lane's sample finite? `number`: of the call. x_bar [D]: dL/dx0 of the lanes. */
static int is_own_finite(const cnf_worker *w, const cnf_call *call, size_t number, int32_t lane, const real *x_bar) {
  WORKER_NAMES(w);
  const double *times = call->gradient->times;
  double sum = 0; /* a sum of zeros; NaN if one of the numbers is not finite */
  if (!is_column_finite(D, lanes, x_bar, lane)) return 0;
  if (!is_column_finite(m->program->context_dim, lanes, w->e.context_bar, lane)) return 0;
  if (call->want_times) sum += 0 * w->back.t0_bar[lane] + 0 * w->back.t1_bar[lane];
  for (size_t i = 0; times && i < (size_t)call->time_count; i++)
    sum += 0 * times[number * (size_t)call->time_count + i];
  return sum == 0;
}

/* The lane's sample is back at its start: writes its own gradients. dL/dx0 is `scale` times x_bar [D]. Returns 1 if
 * they are not finite: the sample then has none. The caller makes the lane idle. */
static int32_t finish_backward_lane(cnf_worker *w, const cnf_call *call, int64_t first, int32_t lane, const real *x_bar,
                                    double scale, real *gradient) {
  WORKER_NAMES(w);
  const cnf_gradient *g = call->gradient;
  const size_t number = (size_t)(first + w->lane.sample[lane]);
  const int fails = !is_own_finite(w, call, number, lane, x_bar);
  real *x0 = g->x0 ? (real *)g->x0 + number * (size_t)D : NULL;
  if (fails) w->chunk.status[w->lane.sample[lane]] = CNF_SAMPLE_NOT_FINITE;
  for (int32_t d = 0; x0 && d < D; d++) x0[d] = (real)(scale * (double)PANEL(x_bar, d)[lane]);
  if (g->t0) g->t0[number] = w->back.t0_bar[lane];
  if (g->t1) g->t1[number] = w->back.t1_bar[lane];
  write_context_bar(w, call, number, lane);
  if (m->trace == CNF_TRACE_HUTCHINSON) collect_lane_sums(w, lane, gradient);
  return fails;
}

/* Copies lane `live` of a panel over each idle lane that holds a number that is not finite. With callbacks, over all
 * idle lanes: their derivatives may not be finite where their values are. */
static void fill_idle_lanes(cnf_worker *w, int32_t rows, real *panel, int32_t live) {
  WORKER_NAMES(w);
  k->finite(rows, panel, 0, w->step.row);
  for (int32_t j = 0; j < lanes; j++)
    for (int32_t r = 0; w->lane.sample[j] < 0 && (w->step.row[j] != 0 || m->program->callbacks) && r < rows; r++)
      panel[(size_t)r * (size_t)lanes + (size_t)j] = panel[(size_t)r * (size_t)lanes + (size_t)live];
}

/* Copies lane `live` of a panel over each lane that is not in mask_row. */
static void fill_rejected_lanes(cnf_worker *w, int32_t rows, real *panel, int32_t live) {
  WORKER_NAMES(w);
  for (int32_t j = 0; j < lanes; j++)
    for (int32_t r = 0; !(w->step.mask_row[j] > 0) && r < rows; r++)
      panel[(size_t)r * (size_t)lanes + (size_t)j] = panel[(size_t)r * (size_t)lanes + (size_t)live];
}
