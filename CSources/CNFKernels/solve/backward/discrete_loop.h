/* The walk back: samples that arrived, each with its own steps, in lanes; longest first, so that few lanes are idle at the
 * end. A lane without a sample stands where a live one does, with h = 0 and zero cotangents: what it adds to the sums over
 * lanes is exactly 0, because its numbers are finite.
 */
#include "solve/worker.h"

static void idle_discrete_lane(cnf_worker *w, int32_t lane) {
  WORKER_NAMES(w);
  w->lane.sample[lane] = -1;
  w->lane.h[lane] = 0;
  w->span.direction[lane] = 1;
  column_zero(D, lanes, w->back.lambda, lane);
  w->back.mu_row[lane] = 0;
}

/* Is what the lane's sample, number `number` of the call, has of the gradient by itself finite? x_bar [D]: dL/dx0 of the lanes. */
static int is_own_finite(const cnf_worker *w, const cnf_call *call, size_t number, int32_t lane, const real *x_bar) {
  WORKER_NAMES(w);
  const double *times = call->gradient->times;
  double sum = 0; /* of zeros: not 0 where one of the numbers is not finite */
  for (int32_t d = 0; d < D; d++) sum += 0 * (double)PANEL(x_bar, d)[lane];
  for (int32_t r = 0; r < m->program->context_dim; r++) sum += 0 * (double)PANEL(w->e.context_bar, r)[lane];
  if (call->want_times) sum += 0 * w->back.t0_bar[lane] + 0 * w->back.t1_bar[lane];
  for (size_t i = 0; times && i < (size_t)call->time_count; i++)
    sum += 0 * times[number * (size_t)call->time_count + i];
  return sum == 0;
}

/* Returns 1 where the sample has no gradient, being not finite. */
static int32_t finish_discrete_lane(cnf_worker *w, const cnf_call *call, int64_t first, int32_t lane, real *gradient) {
  WORKER_NAMES(w);
  cnf_gradient *g = call->gradient;
  size_t number = (size_t)(first + w->lane.sample[lane]);
  const int fails = !is_own_finite(w, call, number, lane, w->back.lambda);
  if (fails) w->chunk.status[w->lane.sample[lane]] = CNF_SAMPLE_NOT_FINITE;
  if (g->x0) column_out(D, lanes, w->back.lambda, lane, (real *)g->x0 + number * (size_t)D);
  if (g->t0) g->t0[number] = w->back.t0_bar[lane];
  if (g->t1) g->t1[number] = w->back.t1_bar[lane];
  write_context_bar(w, call, number, lane);
  if (m->trace == CNF_TRACE_HUTCHINSON) collect_lane_sums(w, lane, gradient);
  idle_discrete_lane(w, lane);
  return fails;
}

/* Samples to be walked back into w->chunk.order, those with most steps first; the others' gradients are written. Returns how many. */
static int64_t order_backward(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count) {
  WORKER_NAMES(w);
  cnf_gradient *g = call->gradient;
  int64_t samples = 0;
  for (int64_t s = 0; s < count; s++) {
    const int ok = w->chunk.status[s] == CNF_SAMPLE_OK;
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
    real *x0 = g->x0 ? (real *)g->x0 + number * (size_t)D : NULL;
    for (int32_t d = 0; x0 && d < D; d++) x0[d] = ok ? w->loss.x1_bar[(size_t)s * (size_t)D + (size_t)d] : 0;
    clear_context_bar(call, number);
    if (g->t0) g->t0[number] = 0;
    if (g->t1) g->t1[number] = 0;
  }
  return samples;
}

/* Sample s, at its end, into a lane. */
static void load_discrete_lane(cnf_worker *w, const cnf_call *call, int64_t s, int32_t lane) {
  WORKER_NAMES(w);
  bind_lane(w, call, s, lane);
  w->lane.step[lane] = w->chunk.accepted[s] - 1;
  w->lane.interval[lane] =
      record_of(w, call, s, w->lane.step[lane])->interval; /* an event may have ended it in an earlier one */
  w->back.t0_bar[lane] = w->back.t1_bar[lane] = 0;
  w->back.mu_row[lane] = (real)w->loss.log_det_bar[s];
  column_in(D, lanes, w->loss.x1_bar + (size_t)s * (size_t)D, w->back.lambda, lane);
  if (!call->steps) move_constants(w, lane, w->start.constants + (size_t)s * (size_t)call->solver->constant_rows, 0);
}

/* Fixed steps: every sample that arrived is in the lane it was solved in, where its evaluations are. The other lanes'
 * probes may be anything: they become zeros. */
static void load_tile(cnf_worker *w, const cnf_call *call, int64_t samples) {
  WORKER_NAMES(w);
  for (int64_t i = 0; i < samples; i++) load_discrete_lane(w, call, w->chunk.order[i], w->chunk.order[i]);
  if (samples == lanes || m->trace != CNF_TRACE_HUTCHINSON) return;
  for (int32_t j = 0; j < lanes; j++)
    if (w->lane.sample[j] < 0) clear_probes(w, j);
  prepare_constants(m, &w->e.constants);
}

/* Adaptive: the next samples into idle lanes. When a lane is idle for good its constants stay those of its last sample; a
 * lane that never had one gets those of the first. */
static void load_discrete_lanes(cnf_worker *w, const cnf_call *call, int64_t samples, int64_t *next) {
  WORKER_NAMES(w);
  const int at_start = *next == 0;
  for (int32_t j = 0; j < lanes && *next < samples; j++)
    if (w->lane.sample[j] < 0) load_discrete_lane(w, call, w->chunk.order[(*next)++], j);
  for (int32_t j = 0; at_start && j < lanes; j++)
    if (w->lane.sample[j] < 0)
      move_constants(w, j, w->start.constants + (size_t)w->chunk.order[0] * (size_t)call->solver->constant_rows, 0);
}

/* Lane `live` of a panel over each idle lane that holds a number that is not finite; over all of them where there are
 * callbacks, whose derivatives need not be finite wherever their values are. */
static void fill_idle_lanes(cnf_worker *w, int32_t rows, real *panel, int32_t live) {
  WORKER_NAMES(w);
  k->finite(rows, panel, 0, w->step.row);
  for (int32_t j = 0; j < lanes; j++)
    for (int32_t r = 0; w->lane.sample[j] < 0 && (w->step.row[j] != 0 || m->program->callbacks) && r < rows; r++)
      panel[(size_t)r * (size_t)lanes + (size_t)j] = panel[(size_t)r * (size_t)lanes + (size_t)live];
}

/* Makes the evaluations of the lanes' steps again, in scratch; records[j] is that of lane j, an idle one's another's. Lanes
 * whose evaluations are kept stand where one does whose are not, those without a sample with h = 0. Methods whose reverse makes its
 * own evaluations are put to their states. */
static void recompute_step(cnf_worker *w, const cnf_call *call, cnf_step_record *const *records) {
  WORKER_NAMES(w);
  const cnf_stages *s = &call->solver->stages;
  int32_t wants[CNF_MAX_LANES], leader = 0;
  for (int32_t j = 0; j < lanes; j++) {
    wants[j] = w->lane.sample[j] >= 0 && records[j]->rest < 0;
    if (wants[j]) leader = j;
  }
  recompute_states(w, call, wants);
  fill_idle_inputs(w, leader);
  for (int32_t j = 0; j < lanes; j++) {
    const int32_t from = wants[j] ? j : leader;
    const cnf_step_record step = step_of(w, call, w->lane.sample[from], w->lane.step[from]);
    column_in(D, lanes, step_state(w, call->solver, w->lane.sample[from], w->lane.step[from]), w->step.x, j);
    w->lane.t[j] = step.t;
    w->lane.h[j] = w->lane.sample[j] < 0 ? 0 : step.h;
  }
  if (s->tableau->rosenbrock || records[leader]->slopes >= CNF_ADAMS_LEAST) return;
  step_row(w);
  for (int32_t i = 0; i < s->count; i++) {
    if (!s->reverses[i]) continue;
    use_scratch(w, i);
    make_stage(w, s, i);
  }
}

/* The slopes of evaluations that were kept. */
static void restore_slopes(cnf_worker *w, const cnf_engine *solver, const cnf_step_record *tile) {
  WORKER_NAMES(w);
  for (int32_t i = 0; i < solver->stages.count; i++) {
    if (!solver->stages.reverses[i]) continue;
    use_stage(w, solver, tile, i);
    copy_rows(D, lanes, rows_of(m, w->e.kept.value, 0, m->program->op_count), slope(w, i));
  }
}

/* Brings the evaluations of the lanes' steps to where they can be reversed. Returns the record whose slots they are in, or
 * NULL: scratch. */
static const cnf_step_record *restore_step(cnf_worker *w, const cnf_call *call, int32_t live, int want_slopes) {
  WORKER_NAMES(w);
  const cnf_engine *solver = call->solver;
  const cnf_step_record *tile = NULL;
  cnf_step_record *records[CNF_MAX_LANES] = {0};
  int kept = 0, idle = 0;
  for (int32_t j = 0; j < lanes; j++) {
    const int32_t from = w->lane.sample[j] < 0 ? live : j;
    records[j] = record_of(w, call, w->lane.sample[from], w->lane.step[from]);
    kept += records[j]->rest >= 0;
    idle += w->lane.sample[j] < 0;
  }
  if (kept < lanes) recompute_step(w, call, records);
  for (int32_t j = 0; j < lanes; j++) {
    const int32_t from = w->lane.sample[j] < 0 ? live : j;
    const cnf_step_record step = step_of(w, call, w->lane.sample[from], w->lane.step[from]);
    w->lane.t[j] = step.t;
    w->lane.h[j] = w->lane.sample[j] < 0 ? 0 : step.h;
  }
  step_row(w);
  if (kept > 0 && !call->steps) {
    fetch_step(w, solver, records);
  } else if (kept > 0) {
    tile = records[live];
    for (int32_t i = 0; idle && i < solver->stages.count; i++) {
      if (!solver->stages.reverses[i]) continue;
      use_slot(w, solver, tile, i);
      fill_idle_lanes(w, kept_rows(m), w->e.kept.value, live);
    }
  }
  if (kept > 0 && want_slopes) restore_slopes(w, solver, tile);
  w->work.steps++;
  w->work.steps_recomputed += kept < lanes;
  const int32_t evaluations = records[live]->slopes < CNF_ADAMS_LEAST ? solver->stages.evaluations : 0;
  w->work.adjoint_evaluations += (int64_t)lanes * evaluations;
  w->work.idle_adjoint_evaluations += (int64_t)idle * evaluations;
  return tile;
}

/* What the step just reversed adds to the derivatives by the times between which it lies: t0, t1 or output times. */
static void add_times(cnf_worker *w, const cnf_call *call, int64_t first, int32_t lane) {
  const int32_t interval = w->lane.interval[lane], n = w->lane.step[lane] - interval * call->steps;
  const double begin = interval_begin(w, lane, interval);
  const double span = interval_end(w, call, lane, interval) - begin;
  double place = 0, length = 1; /* adaptive: of the one step of an interval of no length */
  if (call->steps)
    place = fraction(call, n), length = fraction(call, n + 1) - place;
  else if (span != 0)
    place = (w->lane.t[lane] - begin) / span, length = w->lane.h[lane] / span;
  double t_bar = (double)w->back.t_bar_row[lane], h_bar = (double)w->back.h_bar_row[lane];
  const int64_t s = w->lane.sample[lane];
  if (w->chunk.event[s] >= 0 && w->lane.step[lane] == w->chunk.accepted[s] - 1) /* its h is what the event makes it */
    t_bar += w->loss.event_bar[s], h_bar = 0;
  double *times = call->gradient->times, *begin_bar = &w->back.t0_bar[lane], *end_bar = &w->back.t1_bar[lane];
  if (times) times += (size_t)(first + w->lane.sample[lane]) * (size_t)call->time_count;
  if (interval > 0) begin_bar = times ? times + interval - 1 : NULL;
  if (interval < call->time_count) end_bar = times ? times + interval : NULL;
  if (end_bar) *end_bar += place * t_bar + length * h_bar;
  if (begin_bar) *begin_bar += (1 - place) * t_bar - length * h_bar;
}

/* The lane comes, on its way back, to a step of this interval: at an output time the loss's cotangents come in. */
static void enter_interval(cnf_worker *w, const cnf_call *call, int64_t first, int32_t lane, int32_t interval) {
  WORKER_NAMES(w);
  if (interval == w->lane.interval[lane]) return;
  w->lane.interval[lane] = interval; /* none is without a step: it is the one before */
  const size_t place = (size_t)(first + w->lane.sample[lane]) * (size_t)call->time_count + (size_t)interval;
  const real *x_bar = call->loss->x_at_bar ? (const real *)call->loss->x_at_bar + place * (size_t)D : NULL;
  for (int32_t d = 0; x_bar && d < D; d++) PANEL(w->back.lambda, d)[lane] += x_bar[d];
  if (call->loss->log_det_at_bar) w->back.mu_row[lane] += (real)call->loss->log_det_at_bar[place];
}

/* The lane goes on to the step before the one just reversed. */
static void go_to_previous_step(cnf_worker *w, const cnf_call *call, int64_t first, int32_t lane) {
  if (--w->lane.step[lane] < 0) return;
  enter_interval(w, call, first, lane, record_of(w, call, w->lane.sample[lane], w->lane.step[lane])->interval);
}

/* The step of every lane that restore_step has brought. Returns how many evaluations of each were reversed. */
static int32_t reverse_lanes(cnf_worker *w, const cnf_call *call, const cnf_step_record *tile, int32_t live,
                             real *gradient) {
  const cnf_stages *s = &call->solver->stages;
  if (call->solver->family == CNF_FAMILY_EXPLICIT_ADAMS) {
    const int32_t slopes = record_of(w, call, w->lane.sample[live], w->lane.step[live])->slopes;
    return reverse_adams_step(w, call, slopes, gradient);
  }
  if (s->tableau->rosenbrock)
    reverse_rosenbrock_step(w, s, gradient);
  else
    reverse_step(w, call->solver, tile, call->want_times, gradient);
  return s->reversed;
}

/* One pass over the chunk's samples that arrived. Returns how many have no gradient. */
static int32_t backward_discrete(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count, real *gradient) {
  WORKER_NAMES(w);
  const int64_t samples = order_backward(w, call, first, count);
  int64_t next = 0;
  int32_t failed = 0;
  for (int32_t j = 0; j < lanes; j++) idle_discrete_lane(w, j);
  if (tangent_count(m) > 0) clear_constants(m, &w->e.constants);
  if (m->trace == CNF_TRACE_HUTCHINSON) clear_solve_sums(w);
  if (call->steps) load_tile(w, call, samples);
  if (call->solver->family == CNF_FAMILY_EXPLICIT_ADAMS) start_adams_adjoint(w, call->solver);
  for (;;) {
    int32_t live = -1;
    if (!call->steps) load_discrete_lanes(w, call, samples, &next);
    for (int32_t j = 0; j < lanes; j++)
      if (w->lane.sample[j] >= 0) live = j;
    if (live < 0) break;
    const cnf_step_record *tile = restore_step(w, call, live, call->want_times);
    const int32_t reversed = reverse_lanes(w, call, tile, live, gradient);
    for (int32_t j = 0; j < lanes; j++) {
      if (w->lane.sample[j] < 0) continue;
      add_times(w, call, first, j);
      w->chunk.reversed[w->lane.sample[j]] += reversed;
      go_to_previous_step(w, call, first, j);
      if (w->lane.step[j] < 0) failed += finish_discrete_lane(w, call, first, j, gradient);
    }
  }
  if (m->trace == CNF_TRACE_HUTCHINSON) flush_solve_sums(w, gradient);
  if (m->trace == CNF_TRACE_EXACT_TANGENTS) finish_constants(m, &w->e.constants, gradient);
  return failed;
}
