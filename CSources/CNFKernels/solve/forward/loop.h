/* The forward pass: the loop over steps of the lanes, the Runge-Kutta stages, and what accepts and rejects a step.
 * Each sample has its own t and h. Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c. */
#include "solve/decide/step_control.h"
#include "solve/worker.h"

/* Rows [first, first + rows) of `to` = those of x + h sum_j weights[j] k_j over the first `count` stages. */
static void move_rows(cnf_worker *w, int32_t first, int32_t rows, int32_t count, const double *weights, real *to) {
  WORKER_NAMES(w);
  weighted list = slopes(w, count, weights);
  for (int32_t n = 0; n < list.count; n++) list.panel[n] = PANEL(list.panel[n], first);
  k->combine(rows, PANEL(w->step.x, first), w->step.h_row, list.count, list.weight, list.panel, PANEL(to, first));
}

/* Stage i of a step of every lane from (t, x) with its h: the evaluation at hand, and slope i. */
static void make_stage(cnf_worker *w, const cnf_stages *s, int32_t i) {
  WORKER_NAMES(w);
  cnf_band bands[CNF_MOST_BANDS];
  const int32_t count = cnf_bands(s->tableau, D, bands);
  for (int32_t n = 0; n < count; n++) move_rows(w, bands[n].first, bands[n].rows, i, bands[n].a[i], w->e.kept.value);
  time_row(w, cnf_tableau_c(s->tableau, i));
  mean_over(w, s->half[i]);
  evaluate_slope(w, s->integrands[i], slope(w, i));
}

/* All stages of a step, then x1. Evaluations go to the slots of `record`, if it has any. Else stage i goes to
 * scratch i if it is kept later, and to scratch 0 if nobody wants it again. */
static void make_step(cnf_worker *w, const cnf_engine *solver, const cnf_stages *s, const cnf_step_record *record,
                      int kept_later) {
  WORKER_NAMES(w);
  step_row(w);
  for (int32_t i = s->fsal ? 1 : 0; i < s->count; i++) {
    if (!s->runs[i]) continue;
    if (record->rest >= 0 && cnf_is_kept(s, i))
      use_slot(w, solver, record, i);
    else
      use_scratch(w, kept_later ? i : 0);
    make_stage(w, s, i);
  }
  if (!s->tableau->momenta) {
    move_rows(w, 0, S, s->count, s->tableau->b, w->step.x1);
    return;
  }
  cnf_band bands[CNF_MOST_BANDS];
  const int32_t count = cnf_bands(s->tableau, D, bands);
  for (int32_t n = 0; n < count; n++) move_rows(w, bands[n].first, bands[n].rows, s->count, bands[n].b, w->step.x1);
  move_rows(w, D, S - D, s->count, s->weight, w->step.x1);
}

/* The step of cnf_family_code, for Runge-Kutta and partitioned methods. */
static void make_runge_kutta_step(cnf_worker *w, const cnf_call *call, const cnf_stages *s, cnf_step_record *tile) {
  make_step(w, call->solver, s, tile, call->keeps && !call->steps);
  count_step(w, s->evaluations);
}

/* Writes a sample's result into the chunk and frees its lane. */
static void finish_sample(cnf_worker *w, const cnf_call *call, int32_t lane, int32_t status) {
  WORKER_NAMES(w);
  int64_t s = w->lane.sample[lane];
  column_out(D, lanes, w->step.x, lane, w->chunk.x1 + (size_t)s * (size_t)D);
  if (call->solver->code->finish) call->solver->code->finish(w, lane);
  w->chunk.log_det[s] = w->lane.integral[0][lane];
  if (m->kinetic) w->chunk.kinetic[s] = w->lane.integral[1][lane];
  if (m->frobenius) w->chunk.frobenius[s] = w->lane.integral[1 + m->kinetic][lane];
  w->chunk.t[s] = status == CNF_SAMPLE_OK && w->events.stopped_by[lane] < 0 ? w->span.t1[lane] : w->lane.t[lane];
  w->chunk.event[s] = w->events.stopped_by[lane];
  w->chunk.interval[s] = w->lane.interval[lane];
  w->chunk.status[s] = status;
  if (call->want_dense) finish_dense(w, call, w->chunk.first + s, lane, w->chunk.t[s]);
  idle_lane(w, call, lane);
}

/* h of every lane for the next step, which ends within the lane's interval or at its end. Ends samples whose
 * adaptive step has become too small. */
static void choose_steps(cnf_worker *w, const cnf_call *call) {
  WORKER_NAMES(w);
  const cnf_solver_options *o = &call->solver->options;
  for (int32_t j = 0; j < lanes; j++) {
    if (w->lane.sample[j] < 0 || w->events.sought[j] > 0) continue; /* a lane that searches for an event has its h */
    const double begin = interval_begin(w, j, w->lane.interval[j]), t1 = w->span.t1[j];
    const double end = interval_end(w, call, j, w->lane.interval[j]);
    if (!call->steps) {
      const double longest = cnf_longest_step(o, m->time_rate, w->span.t0[j], t1, w->lane.unproven[j]);
      w->lane.planned[j] = cnf_bound_step(w->lane.h[j], longest);
      const int ends = clip_step(w, j, end, t1 - w->span.t0[j], (double)w->span.direction[j]);
      if (ends && w->lane.planned[j] == 0) /* a step of no length was rejected */
        finish_sample(w, call, j, CNF_SAMPLE_NOT_FINITE);
      else if (!ends && fabs(w->lane.h[j]) < cnf_least_step(o->min_step, w->lane.t[j], t1))
        finish_sample(w, call, j, w->lane.was_not_finite[j] ? CNF_SAMPLE_NOT_FINITE : CNF_SAMPLE_STEP_TOO_SMALL);
      continue;
    }
    int32_t n = w->lane.step[j] - w->lane.interval[j] * call->steps;
    const double from = fraction(call, n), to = fraction(call, n + 1);
    place_lane(w, j, cnf_time_in_interval(begin, end, from), (to - from) * (end - begin),
               cnf_time_in_interval(begin, end, to));
    w->lane.ends_interval[j] = n + 1 == call->steps;
  }
}

/* Records the accepted step of `lane`; where steps are fixed, `tile` has its slots. */
static cnf_step_record *record_step(cnf_worker *w, const cnf_call *call, const cnf_step_record *tile, int32_t lane) {
  const cnf_solve_output *out = call->output;
  const cnf_stages *s = &call->solver->stages;
  const int32_t n = w->chunk.accepted[w->lane.sample[lane]];
  if (!call->keeps && !call->keeps_times && !(out && out->step_fractions)) return NULL; /* there may be no records */
  cnf_step_record *record = record_of(w, call, w->lane.sample[lane], n);
  *record = *tile;
  record->t = w->lane.t[lane], record->h = w->lane.h[lane];
  record->interval = w->lane.interval[lane];
  if (!call->keeps) return record;
  if (!call->steps) {
    take_slots(w, call->solver, w->store.next_slot[lane], record);
    w->store.next_slot[lane] = s->fsal && record->rest >= 0 ? cnf_kept_slot(s, record, s->count - 1) : -1;
  }
  if (record->rest < 0) record_state(w, call, lane, n);
  return record;
}

/* An attempt from x to x1 [rows] that begins with slope `first`; x1 - x is h times the list `moved`. */
typedef struct attempt {
  int32_t rows;
  const real *x, *x1, *first, *rtol, *atol;
  weighted moved;
} attempt;

/* Squares, over their tolerances, of what cnf_first_ratio compares, into rows [1]. */
static void bend_squares(cnf_worker *w, const attempt *a, int32_t norm, real *moved, real *straight, real *bend) {
  WORKER_NAMES(w);
  weighted lists[3] = {a->moved, {.count = 0}, a->moved};
  real *squares[3] = {moved, straight, bend};
  add_weighted(&lists[1], 1, a->first);
  add_weighted(&lists[2], -1, a->first);
  for (int32_t n = 0; n < 3; n++) {
    zero_rows(1, lanes, squares[n]);
    k->error_squares(a->rows, a->x, a->x1, w->step.h_row, lists[n].count, lists[n].weight, lists[n].panel, a->rtol,
                     a->atol, norm, squares[n]);
  }
}

/* Raises the error ratios of attempts at a first step to what cnf_first_ratio says. */
static void doubt_first_steps(cnf_worker *w, const cnf_engine *solver, const attempt *a, double *ratio) {
  WORKER_NAMES(w);
  const int32_t norm = solver->options.norm;
  int32_t doubtful = 0;
  for (int32_t j = 0; j < lanes; j++) doubtful += w->lane.sample[j] >= 0 && w->lane.unproven[j] && ratio[j] <= 1;
  if (doubtful == 0) return;
  bend_squares(w, a, norm, w->step.row, w->step.mask_row, w->step.sum_row);
  for (int32_t j = 0; j < lanes; j++) {
    if (w->lane.sample[j] < 0 || !w->lane.unproven[j] || !(ratio[j] <= 1)) continue;
    const double least = cnf_first_ratio(&solver->stages, cnf_norm_of(norm, (double)w->step.row[j], a->rows),
                                         cnf_norm_of(norm, (double)w->step.mask_row[j], a->rows),
                                         cnf_norm_of(norm, (double)w->step.sum_row[j], a->rows));
    ratio[j] = fmax(ratio[j], least);
  }
}

/* The step just made, of `rows` rows. */
static attempt forward_attempt(const cnf_worker *w, const cnf_engine *solver, int32_t rows) {
  const cnf_stages *s = &solver->stages;
  return (attempt){.rows = rows,
                   .x = w->step.x,
                   .x1 = w->step.x1,
                   .first = solver->code->first_slope ? solver->code->first_slope(w, solver) : slope(w, 0),
                   .rtol = solver->rtol,
                   .atol = solver->atol,
                   .moved = slopes(w, s->count, s->tableau->b)};
}

/* The error of the step just made over its tolerance, of each lane: at most 1 if the step is good enough, NaN if the
 * step has made a number that is not finite. Fixed steps have no error: 0. */
static void measure_errors(cnf_worker *w, const cnf_call *call, double *ratio) {
  WORKER_NAMES(w);
  const cnf_engine *solver = call->solver;
  const cnf_solver_options *o = &solver->options;
  const int components = D + (m->trace != CNF_TRACE_NONE && !o->exclude_log_det);
  k->finite(S, w->step.x1, 0, w->step.row);
  k->finite(m->program->context_dim, w->e.context, 1, w->step.row);
  if (solver->code->check_finite) solver->code->check_finite(w);
  if (!call->steps) {
    const weighted list = slopes(w, solver->stages.count, solver->stages.tableau->e);
    zero_rows(1, lanes, w->step.sum_row);
    k->error_squares(components, w->step.x, w->step.x1, w->step.h_row, list.count, list.weight, list.panel,
                     solver->rtol, solver->atol, o->norm, w->step.sum_row);
  }
  for (int32_t j = 0; j < lanes; j++)
    ratio[j] = w->step.row[j] != 0 ? NAN
               : call->steps       ? 0
                                   : cnf_norm_of(o->norm, (double)w->step.sum_row[j], components);
  if (call->steps) return;
  const attempt made = forward_attempt(w, solver, components);
  doubt_first_steps(w, solver, &made, ratio);
}

/* The lane's step is accepted: it is recorded, the lane goes on to its end, and h becomes the length of the next. */
static cnf_step_record *accept_step(cnf_worker *w, const cnf_call *call, const cnf_step_record *tile, int32_t lane,
                                    double ratio) {
  const cnf_solver_options *o = &call->solver->options;
  const int64_t n = w->lane.sample[lane];
  const int32_t order = call->solver->stages.order;
  cnf_step_record *record = record_step(w, call, tile, lane);
  double *h = &w->lane.h[lane], *smallest = &w->chunk.smallest_step[n];
  const double length = fabs(*h);
  w->step.mask_row[lane] = 1;
  if (length > 0) *smallest = *smallest > 0 ? fmin(length, *smallest) : length;
  w->chunk.accepted[n]++;
  w->lane.unproven[lane] = 0;
  w->lane.step[lane]++;
  w->lane.t[lane] = w->lane.end[lane];
  if (call->steps) return record;
  if (w->lane.ends_interval[lane] && length < fabs(w->lane.planned[lane]))
    *h = cnf_step_after_cut(o, *h, w->lane.planned[lane], ratio, order, w->lane.past[lane]);
  else
    *h *= cnf_step_factor(o, ratio, order, &w->lane.past[lane]);
  return record;
}

/* The lane's step is rejected: h becomes shorter for the next attempt. A fixed step that is not finite ends the
 * sample. */
static void reject_step(cnf_worker *w, const cnf_call *call, int32_t lane, double ratio) {
  if (call->steps) {
    finish_sample(w, call, lane, CNF_SAMPLE_NOT_FINITE);
    return;
  }
  w->chunk.rejected[w->lane.sample[lane]]++;
  w->lane.ends_interval[lane] = w->lane.ends_at_jump[lane] = w->events.sought[lane] = 0;
  begin_scan(w, call, lane);
  w->lane.was_not_finite[lane] = !isfinite(ratio);
  w->lane.h[lane] *= cnf_step_factor(&call->solver->options, ratio, call->solver->stages.order, &w->lane.past[lane]);
}

/* Accepts or rejects the step just made, lane by lane, by its error ratios. mask_row = 1 where it is accepted;
 * records[j] is then its record. Returns how many are accepted. A step over which an event crosses zero may be neither:
 * another length is tried. */
static int32_t judge_steps(cnf_worker *w, const cnf_call *call, const cnf_step_record *tile, const double *ratio,
                           cnf_step_record **records) {
  WORKER_NAMES(w);
  int32_t accepted = 0;
  for (int32_t j = 0; j < lanes; j++) {
    w->step.mask_row[j] = 0;
    records[j] = NULL;
    if (w->lane.sample[j] < 0) continue;
    w->chunk.evaluations[w->lane.sample[j]] += w->lane.evaluations[j];
    if (!(ratio[j] <= 1)) {
      reject_step(w, call, j, ratio[j]);
      continue;
    }
    const event_decision decision = call->event_count ? decide_event(w, call, j) : EVENT_NONE;
    if (decision == EVENT_NOT_A_NUMBER) finish_sample(w, call, j, CNF_SAMPLE_EVENT);
    if (decision == EVENT_NOT_A_NUMBER || decision == EVENT_TRY) continue;
    records[j] = accept_step(w, call, tile, j, ratio[j]);
    accepted++;
  }
  return accepted;
}

/* Idle lanes take the next samples of the chunk. A sample that makes no step is finished at once. */
static void load_lanes(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count, int64_t *next) {
  WORKER_NAMES(w);
  const cnf_solve_input *in = call->input;
  for (int32_t j = 0; j < lanes; j++)
    while (w->lane.sample[j] < 0 && *next < count) {
      const int64_t s = w->chunk.order[(*next)++];
      bind_lane(w, call, s, j);
      w->lane.h[j] = w->start.h[s];
      w->lane.step[j] = w->lane.interval[j] = w->lane.was_not_finite[j] = 0;
      w->events.sought[j] = call->event_count ? EVENT_NEW_LANE : 0;
      w->lane.past[j] = (cnf_ratios){1, 1};
      w->lane.unproven[j] = 1;
      w->store.next_slot[j] = w->start.slot[s];
      column_in(D, lanes, (const real *)in->x0 + (size_t)(first + s) * (size_t)D, w->step.x, j);
      column_zero(S - D, lanes, PANEL(w->step.x, D), j);
      for (int32_t r = 0; r < CNF_MOST_INTEGRALS; r++) w->lane.integral[r][j] = 0;
      if (!has_steps(call, first + s)) /* no step looks at its state */
        finish_sample(w, call, j, is_column_finite(D, lanes, w->step.x, j) ? CNF_SAMPLE_OK : CNF_SAMPLE_NOT_FINITE);
      else if (!call->steps && isnan(w->start.h[s]))
        finish_sample(w, call, j, CNF_SAMPLE_NOT_FINITE);
      else if (!call->steps) {
        column_in(S, lanes, w->start.slope + (size_t)s * (size_t)S, slope(w, 0), j);
        move_constants(w, j, w->start.constants + (size_t)s * (size_t)call->solver->constant_rows, 0);
      }
    }
}

/* Samples that are done, or have made all the steps they may make, leave their lanes. A sample at an output time
 * goes on. */
static void leave_lanes(cnf_worker *w, const cnf_call *call, int64_t first) {
  WORKER_NAMES(w);
  for (int32_t j = 0; j < lanes; j++) {
    int64_t n = w->lane.sample[j];
    if (n < 0) continue;
    const int at_event = w->events.stopped_by[j] >= 0;
    const int at_end = w->step.mask_row[j] > 0 && w->lane.ends_interval[j],
              at_time = at_end && !at_event && w->lane.interval[j] < call->time_count;
    if (at_time) cross_output_time(w, call, first, j);
    if (at_event || (at_end && !at_time))
      finish_sample(w, call, j, CNF_SAMPLE_OK);
    else if (!call->steps && w->chunk.accepted[n] + w->chunk.rejected[n] >= call->solver->options.max_steps)
      finish_sample(w, call, j, CNF_SAMPLE_MAX_STEPS);
  }
}

/* The host has ended the call: samples stop where they are. */
static void cancel_lanes(cnf_worker *w, const cnf_call *call) {
  for (int32_t j = 0; j < w->e.model->kernels->lanes; j++)
    if (w->lane.sample[j] >= 0) finish_sample(w, call, j, CNF_SAMPLE_CANCELLED);
}

/* Before the first step of a chunk: nothing is kept, written or found yet. */
static void begin_chunk(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count) {
  WORKER_NAMES(w);
  zero_rows(call->solver->stages.count * S, lanes, w->step.k);
  w->store.slots_used = 0;
  w->chunk.first = first;
  if (call->keeps) clear_plans(w, call->solver, count);
  clear_times(call, first, count);
  clear_dense(call, first, count);
  start_chunk(w, call, first, count);
  if (call->solver->code->begin_chunk) call->solver->code->begin_chunk(w);
}

/* add_integrals of a method with stages. */
static void add_stage_integrals(cnf_worker *w, const cnf_engine *solver) {
  const real *panels[CNF_MAX_STAGES];
  for (int32_t i = 0; i < solver->stages.count; i++) panels[i] = slope(w, i);
  add_to_integrals(w, solver->stages.count, solver->stages.weight, panels);
}

/* The lanes of mask_row, whose steps are accepted, keep what is wanted of them and move to their ends. */
static void move_lanes(cnf_worker *w, const cnf_call *call, int64_t first, cnf_step_record *const *records) {
  WORKER_NAMES(w);
  const cnf_engine *solver = call->solver;
  if (call->keeps && !call->steps) keep_step(w, solver, records);
  if (call->keeps_path) keep_path_steps(w, call);
  if (solver->code->add_integrals)
    solver->code->add_integrals(w, solver);
  else
    add_stage_integrals(w, solver);
  if (call->want_dense) write_dense(w, call, first);
  k->blend(S, w->step.mask_row, w->step.x1, w->step.x, w->step.x);
  if (solver->code->accept) solver->code->accept(w);
  real *k0 = slope(w, 0), *k1 = slope(w, solver->stages.count - 1);
  if (solver->stages.fsal) k->blend(S, w->step.mask_row, k1, k0, k0);
}

/* Solves samples [first, first + count) of the call, count <= chunk_capacity, into the worker's chunk. */
static void forward_chunk(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count) {
  WORKER_NAMES(w);
  const cnf_engine *solver = call->solver;
  cnf_stages stages = solver->stages;
  int64_t next = 0;
  if (call->want_dense) stages.integrands[0] = 1; /* c_1 of dense output is f, even if stage 0 has no weight */
  begin_chunk(w, call, first, count);
  for (;;) {
    cnf_step_record tile = {.first = -1, .rest = -1}, *records[CNF_MAX_LANES];
    double ratio[CNF_MAX_LANES];
    int32_t live = 0;
    load_lanes(w, call, first, count, &next);
    if (is_cancelled(call)) cancel_lanes(w, call);
    if (call->event_count) start_events(w, call);
    choose_steps(w, call);
    for (int32_t j = 0; j < lanes; j++) live += w->lane.sample[j] >= 0;
    if (live == 0 && next < count) continue;
    if (live == 0) break;
    /* with events, lanes of fixed steps are not all at the same step: their evaluations are recomputed */
    if (call->keeps && solver->options.control != CNF_CONTROL_SAMPLE && !call->event_count)
      take_slots(w, solver, -1, &tile);
    solver->code->step(w, call, &stages, &tile);
    /* what comes next goes on from where the step began */
    memcpy(w->dense.t, w->lane.t, sizeof w->lane.t);
    memcpy(w->dense.h, w->lane.h, sizeof w->lane.h);
    memcpy(w->dense.end, w->lane.end, sizeof w->lane.end);
    memcpy(w->dense.log_det, w->lane.integral[0], sizeof w->lane.integral[0]);
    measure_errors(w, call, ratio);
    if (call->event_count) look_for_crossings(w, call, ratio);
    const int32_t accepted = judge_steps(w, call, &tile, ratio, records);
    if (accepted > 0) move_lanes(w, call, first, records);
    leave_lanes(w, call, first);
    if (accepted > 0) report_progress(w, call, 0, first, count, count - next);
    if (w->span.jump_count > 0) restart_at_jumps(w, call);
  }
}
