/* The discrete adjoint: the loop backward over the recorded steps of the lanes. Compiled once per dtype by
 * solve/call/solver_f32.c and solver_f64.c. Each sample has its own steps. An idle lane has the state of a live one,
 * with h = 0 and zero cotangents. Its numbers are finite, so it adds exactly 0 to the sums over lanes. */
#include "solve/worker.h"

static void idle_discrete_lane(cnf_worker *w, int32_t lane) {
  WORKER_NAMES(w);
  w->lane.sample[lane] = -1;
  w->lane.h[lane] = 0;
  w->span.direction[lane] = 1;
  column_zero(D, lanes, w->back.lambda, lane);
  w->back.mu_row[lane] = 0;
}

/* Sample s, at its end, into a lane. */
static void load_discrete_lane(cnf_worker *w, const cnf_call *call, int64_t first, int64_t s, int32_t lane) {
  WORKER_NAMES(w);
  (void)first;
  bind_lane(w, call, s, lane);
  w->lane.step[lane] = w->chunk.accepted[s] - 1;
  w->lane.interval[lane] =
      record_of(w, call, s, w->lane.step[lane])->interval; /* an event may have ended the sample in an earlier
                                                              interval */
  w->back.t0_bar[lane] = w->back.t1_bar[lane] = 0;
  w->back.mu_row[lane] = (real)w->loss.log_det_bar[s];
  column_in(D, lanes, w->loss.x1_bar + (size_t)s * (size_t)D, w->back.lambda, lane);
  if (!call->steps) move_constants(w, lane, w->start.constants + (size_t)s * (size_t)call->solver->constant_rows, 0);
}

/* Recomputes the evaluations of the lanes' steps, into scratch. records[j] is lane j's record; an idle lane has that
 * of another. A lane whose evaluations are kept is given the state of a lane that is recomputed. So is an idle lane,
 * with h = 0.
 * If the family's reverse makes its own evaluations, the lanes only get their states. */
static void recompute_step(cnf_worker *w, const cnf_call *call, cnf_step_record *const *records) {
  WORKER_NAMES(w);
  const cnf_engine *solver = call->solver;
  int32_t wants[CNF_MAX_LANES], leader = 0;
  for (int32_t j = 0; j < lanes; j++) {
    wants[j] = w->lane.sample[j] >= 0 && records[j]->rest < 0;
    if (wants[j]) leader = j;
  }
  recompute_states(w, call, wants);
  fill_idle_inputs(w, leader);
  for (int32_t j = 0; j < lanes; j++) {
    const int32_t from = wants[j] ? j : leader;
    column_in(D, lanes, step_state(w, call->solver, w->lane.sample[from], w->lane.step[from]), w->step.x, j);
    place_at_step(w, call, j, w->lane.sample[from], w->lane.step[from], w->lane.sample[j] < 0);
  }
  if (solver->code->recompute) solver->code->recompute(w, solver, records[leader]);
}

/* The slopes, from evaluations that were kept. */
static void restore_slopes(cnf_worker *w, const cnf_engine *solver, const cnf_step_record *tile) {
  WORKER_NAMES(w);
  for (int32_t i = 0; i < solver->stages.count; i++) {
    if (!solver->stages.reverses[i]) continue;
    use_stage(w, solver, tile, i);
    copy_rows(D, lanes, rows_of(m, w->e.kept.value, 0, m->program->op_count), slope(w, i));
  }
}

/* Brings the evaluations of the lanes' steps to where they can be reversed. Returns the record whose slots they are
 * in; NULL: they are in scratch. */
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
    place_at_step(w, call, j, w->lane.sample[from], w->lane.step[from], w->lane.sample[j] < 0);
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

/* The lane is at the step to be reversed. If a jump lies before it, and after *begin, *begin becomes the last one. */
static int find_jump_before(const cnf_worker *w, int32_t lane, double *begin) {
  const double sign = (double)w->span.direction[lane], t = w->lane.t[lane];
  if (w->span.jump_count == 0) return 0;
  const double jump = is_jump(w, t) ? t : next_jump(w, t, -sign);
  if (!(sign * (jump - *begin) > 0)) return 0;
  *begin = jump;
  return 1;
}
/* If a jump lies at its end or after it, and before *end, *end becomes the first one. */
static int find_jump_after(const cnf_worker *w, int32_t lane, double *end) {
  const double sign = (double)w->span.direction[lane];
  const double jump = w->span.jump_count > 0 ? next_jump(w, w->lane.t[lane], sign) : sign * INFINITY;
  if (!(sign * (jump - *end) < 0)) return 0;
  *end = jump;
  return 1;
}

/* Adds what the step just reversed gives to the derivatives by the times it is between: t0, t1 or output times. */
static void add_times(cnf_worker *w, const cnf_call *call, int64_t first, int32_t lane) {
  const int32_t interval = w->lane.interval[lane], n = w->lane.step[lane] - interval * call->steps;
  double begin = interval_begin(w, lane, interval), end = interval_end(w, call, lane, interval);
  const int after_jump = find_jump_before(w, lane, &begin), before_jump = find_jump_after(w, lane, &end);
  const double span = end - begin;
  double place = 0, length = 1; /* adaptive: those of the one step of an interval of no length */
  if (call->steps)
    place = fraction(call, n), length = fraction(call, n + 1) - place;
  else if (span != 0)
    place = (w->lane.t[lane] - begin) / span, length = w->lane.h[lane] / span;
  double t_bar = (double)w->back.t_bar_row[lane], h_bar = (double)w->back.h_bar_row[lane];
  const int64_t s = w->lane.sample[lane];
  if (w->chunk.event[s] >= 0 && w->lane.step[lane] == w->chunk.accepted[s] - 1) /* its length is given by the event */
    t_bar += w->loss.event_bar[s], h_bar = 0;
  double *times = call->gradient->times, *begin_bar = &w->back.t0_bar[lane], *end_bar = &w->back.t1_bar[lane];
  if (times) times += (size_t)(first + w->lane.sample[lane]) * (size_t)call->time_count;
  if (interval > 0) begin_bar = times ? times + interval - 1 : NULL;
  if (interval < call->time_count) end_bar = times ? times + interval : NULL;
  if (after_jump) begin_bar = NULL; /* jumps stay where they are */
  if (before_jump) end_bar = NULL;
  if (end_bar) *end_bar += place * t_bar + length * h_bar;
  if (begin_bar) *begin_bar += (1 - place) * t_bar - length * h_bar;
}

/* The lane comes to a step of this interval. If it has crossed an output time, the loss's cotangents there are
 * added. */
static void enter_interval(cnf_worker *w, const cnf_call *call, int64_t first, int32_t lane, int32_t interval) {
  WORKER_NAMES(w);
  if (interval == w->lane.interval[lane]) return;
  w->lane.interval[lane] = interval; /* every interval has a step, so this is the one before */
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

/* The pass: backward over the steps of the chunk's samples. Returns how many samples have no gradient. */
static int32_t backward_discrete(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count, real *gradient) {
  WORKER_NAMES(w);
  const cnf_family_code *code = call->solver->code;
  const int64_t samples = begin_backward(w, call, first, count, idle_discrete_lane);
  int64_t next = 0;
  int32_t failed = 0;
  if (code->begin_reverse) code->begin_reverse(w, call->solver);
  for (;;) {
    int32_t live = -1;
    load_backward_lanes(w, call, first, samples, &next, load_discrete_lane);
    for (int32_t j = 0; j < lanes; j++)
      if (w->lane.sample[j] >= 0) live = j;
    if (live < 0 || is_cancelled(call)) break;
    const cnf_step_record *tile = restore_step(w, call, live, call->want_times);
    const cnf_step_record *record = record_of(w, call, w->lane.sample[live], w->lane.step[live]);
    const int32_t reversed = code->reverse(w, call, tile, record, call->want_times, gradient);
    for (int32_t j = 0; j < lanes; j++) {
      if (w->lane.sample[j] < 0) continue;
      add_times(w, call, first, j);
      w->chunk.reversed[w->lane.sample[j]] += reversed;
      go_to_previous_step(w, call, first, j);
      if (w->lane.step[j] >= 0) continue;
      failed += finish_backward_lane(w, call, first, j, w->back.lambda, 1, gradient);
      idle_discrete_lane(w, j);
    }
    report_progress(w, call, 1, first, count, samples - next);
  }
  end_backward(w, gradient);
  return failed;
}
