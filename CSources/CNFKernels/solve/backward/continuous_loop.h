/* The loop of the continuous adjoint: samples go backward from their ends, each lane with its own t and h, and
 * accept or reject steps as in the forward pass. Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c. A
 * sample that does not reach t0 has no gradient: its chunk is differentiated again without it
 * (solve/backward/differentiate_chunk.h). */
#include "solve/decide/step_control.h"
#include "solve/worker.h"

static void idle_continuous_lane(cnf_worker *w, int32_t lane) {
  WORKER_NAMES(w);
  w->lane.sample[lane] = -1;
  w->lane.h[lane] = 0;
  w->continuous.scale[lane] = 1;
  w->span.direction[lane] = 1;
  w->continuous.starts_interval[lane] = 0;
  w->back.mu_row[lane] = 0;
  column_zero(D, lanes, PANEL(w->continuous.pair, D), lane);
}

/* Sample s, at its end, into a lane. Its first step is as long as its steps forward were on average. */
static void load_continuous_lane(cnf_worker *w, const cnf_call *call, int64_t first, int64_t s, int32_t lane) {
  WORKER_NAMES(w);
  const cnf_solver_options *o = &call->solver->options;
  bind_lane(w, call, s, lane);
  const double t0 = w->span.t0[lane], t1 = w->span.t1[lane], span = fabs(t1 - t0);
  const double length = o->initial_step > 0 ? o->initial_step : span / w->chunk.accepted[s];
  const int at_event = w->chunk.event[s] >= 0;
  w->lane.t[lane] = at_event ? w->chunk.t[s] : t1;
  const double planned = fmax(length, cnf_least_step(o->min_step, t1, t0));
  w->lane.h[lane] = copysign(span > 0 ? fmin(planned, span) : planned, t0 - t1); /* 0 would count as a rejected step */
  w->lane.step[lane] = w->lane.ends_interval[lane] = w->lane.ends_at_jump[lane] = w->lane.was_not_finite[lane] = 0;
  w->lane.interval[lane] = at_event ? w->chunk.interval[s] : call->time_count;
  if (at_event && call->steps) w->lane.step[lane] = call->steps * (call->time_count + 1) - w->chunk.accepted[s];
  w->continuous.attempts[lane] = 0;
  w->continuous.path_step[lane] = w->chunk.accepted[s] - 1;
  w->continuous.starts_interval[lane] = 1;
  w->lane.past[lane] = (cnf_ratios){1, 1};
  w->lane.unproven[lane] = 1;
  w->back.t0_bar[lane] = w->back.t1_bar[lane] = 0;
  const double scale = w->continuous.scale[lane] = cotangent_scale(w, call, first, s);
  w->back.mu_row[lane] = (real)(w->loss.log_det_bar[s] / scale);
  column_in(D, lanes, w->chunk.x1 + (size_t)s * (size_t)D, w->continuous.pair, lane);
  for (int32_t d = 0; d < D; d++)
    PANEL(w->continuous.pair, D + d)[lane] = (real)((double)w->loss.x1_bar[s * D + d] / scale);
  if (!call->steps) move_constants(w, lane, w->start.constants + (size_t)s * (size_t)call->solver->constant_rows, 0);
}

/* The lane's step has ended at a jump of the field: the next one is at most as long as forward steps on average. */
static void begin_beyond_jump(cnf_worker *w, int32_t lane) {
  const double mean = fabs(w->span.t1[lane] - w->span.t0[lane]) / w->chunk.accepted[w->lane.sample[lane]];
  w->lane.past[lane] = (cnf_ratios){1, 1};
  w->lane.unproven[lane] = 1;
  w->lane.h[lane] = copysign(fmin(fabs(w->lane.h[lane]), mean), w->lane.h[lane]);
}

static void fail_continuous_lane(cnf_worker *w, int32_t lane, int32_t status) {
  const int64_t s = w->lane.sample[lane];
  w->chunk.status[s] = status;
  w->chunk.t[s] = w->lane.t[lane];
  idle_continuous_lane(w, lane);
}

/* h of every lane for the next step, which ends within the lane's interval or at its beginning. Idle lanes get the
 * state of a live one. Returns that lane, or -1. *failed counts samples whose step has become too small. */
static int32_t choose_backward_steps(cnf_worker *w, const cnf_call *call, int32_t *failed) {
  WORKER_NAMES(w);
  const cnf_solver_options *o = &call->solver->options;
  int32_t live = -1;
  for (int32_t j = 0; j < lanes; j++) {
    if (w->lane.sample[j] < 0) continue;
    const double t0 = w->span.t0[j], t1 = w->span.t1[j], begin = interval_begin(w, j, w->lane.interval[j]);
    if (call->steps) {
      const double end = interval_end(w, call, j, w->lane.interval[j]);
      const int32_t n =
          w->lane.step[j] - (call->time_count - w->lane.interval[j]) * call->steps; /* counted from the interval's
                                                                                       end */
      const double from = fraction(call, call->steps - n), to = fraction(call, call->steps - n - 1);
      place_lane(w, j, cnf_time_in_interval(begin, end, from), (to - from) * (end - begin),
                 cnf_time_in_interval(begin, end, to));
      if (w->continuous.starts_interval[j] && is_at_event(w, j)) { /* from the event to the start of its step */
        w->lane.t[j] = w->chunk.t[w->lane.sample[j]];
        w->lane.h[j] = w->lane.end[j] - w->lane.t[j];
      }
      w->lane.ends_interval[j] = n + 1 == call->steps;
    } else {
      const double longest = cnf_longest_step(o, m->time_rate, t0, t1, w->lane.unproven[j]);
      w->lane.planned[j] = cnf_bound_step(w->lane.h[j], longest);
      const int ends = clip_step(w, j, begin, t0 - t1, -(double)w->span.direction[j]);
      if (ends && w->lane.planned[j] == 0) { /* a step of no length was rejected */
        fail_continuous_lane(w, j, CNF_SAMPLE_NOT_FINITE);
        ++*failed;
        continue;
      }
      if (!ends && fabs(w->lane.h[j]) < cnf_least_step(o->min_step, w->lane.t[j], t0)) {
        fail_continuous_lane(w, j, w->lane.was_not_finite[j] ? CNF_SAMPLE_NOT_FINITE : CNF_SAMPLE_STEP_TOO_SMALL);
        ++*failed;
        continue;
      }
    }
    live = j;
  }
  for (int32_t j = 0; live >= 0 && j < lanes; j++) {
    if (w->lane.sample[j] >= 0) continue;
    for (int32_t d = 0; d < D; d++) PANEL(w->continuous.pair, d)[j] = PANEL(w->continuous.pair, d)[live];
    place_lane(w, j, w->lane.t[live], 0, w->lane.t[live]);
  }
  if (live >= 0) fill_idle_inputs(w, live);
  return live;
}

/* The error of the step just tried over its tolerance, of each lane, as measure_errors. A first step is not doubted
 * (cnf_first_ratio) if x comes from the forward path: Rosenbrock methods, whose estimate vanishes at no real rate. */
static void measure_backward_errors(cnf_worker *w, const cnf_call *call, double *ratio) {
  WORKER_NAMES(w);
  const cnf_engine *solver = call->solver;
  k->finite(2 * D, w->continuous.pair1, 0, w->step.row);
  if (!call->steps) solver->code->continuous_errors(w, solver);
  for (int32_t j = 0; j < lanes; j++)
    ratio[j] = w->step.row[j] != 0 ? NAN
               : call->steps       ? 0
                                   : cnf_norm_of(solver->options.norm, (double)w->step.sum_row[j], 2 * D);
  if (call->steps || solver->rules->keeps_path) return;
  attempt tried = {.rows = 2 * D,
                   .x = w->continuous.pair,
                   .x1 = w->continuous.pair1,
                   .first = pair_slope(w, 0),
                   .rtol = solver->pair_rtol,
                   .atol = solver->pair_atol};
  for (int32_t i = 0; i < solver->stages.count; i++)
    add_weighted(&tried.moved, solver->stages.tableau->b[i], pair_slope(w, i));
  doubt_first_steps(w, solver, &tried, ratio);
}

/* Accepts or rejects the step just tried: mask_row = 1 where it is accepted, next_h[j] is the length of lane j's
 * next attempt. Returns an accepted lane, or -1. */
static int32_t judge_backward_steps(cnf_worker *w, const cnf_call *call, double *next_h) {
  WORKER_NAMES(w);
  const cnf_engine *solver = call->solver;
  const cnf_solver_options *o = &solver->options;
  const cnf_stages *s = &solver->stages;
  double ratios[CNF_MAX_LANES];
  int32_t accepted = -1;
  measure_backward_errors(w, call, ratios);
  for (int32_t j = 0; j < lanes; j++) {
    w->step.mask_row[j] = 0;
    if (w->lane.sample[j] < 0) continue;
    const double ratio = ratios[j];
    w->chunk.reversed[w->lane.sample[j]] += solver->stages.trials;
    w->continuous.attempts[j]++;
    w->continuous.starts_interval[j] = 0;
    if (ratio <= 1) w->step.mask_row[j] = 1, w->lane.unproven[j] = 0, accepted = j;
    w->lane.was_not_finite[j] = !isfinite(ratio);
    if (call->steps)
      next_h[j] = 0;
    else if (ratio <= 1 && w->lane.ends_interval[j] && fabs(w->lane.h[j]) < fabs(w->lane.planned[j]))
      next_h[j] = cnf_step_after_cut(o, w->lane.h[j], w->lane.planned[j], ratio, s->order, w->lane.past[j]);
    else
      next_h[j] = w->lane.h[j] * cnf_step_factor(o, ratio, s->order, &w->lane.past[j]);
  }
  return accepted;
}

/* The samples in the lanes of mask_row are back at t0, where their state was x0: writes their gradients. Returns how
 * many are not finite. */
static int32_t finish_continuous_lanes(cnf_worker *w, const cnf_call *call, int64_t first, real *gradient) {
  WORKER_NAMES(w);
  int32_t failed = 0;
  if (call->want_times) {
    for (int32_t j = 0; j < lanes; j++)
      if (w->step.mask_row[j] > 0)
        column_in(D, lanes, (const real *)call->input->x0 + (size_t)(first + w->lane.sample[j]) * (size_t)D,
                  w->continuous.pair, j);
    use_scratch(w, 0);
    mean_over(w, CNF_HALF_BOTH);
    copy_rows(D, lanes, w->continuous.pair, w->e.kept.value);
    for (int32_t j = 0; j < lanes; j++) w->step.time_row[j] = w->step.mask_row[j] > 0 ? w->span.t0[j] : w->lane.t[j];
    for (int32_t j = 0; w->span.jump_count > 0 && j < lanes; j++)
      w->step.time_row[j] = within_jumps(w, j, w->span.t0[j], 0, w->step.time_row[j]);
    evaluate(&w->e, w->step.time_row, 1, w->back.integrands);
    hamiltonian(w, rows_of(m, w->e.kept.value, 0, m->program->op_count), PANEL(w->continuous.pair, D), w->step.row);
  }
  for (int32_t j = 0; j < lanes; j++) {
    if (!(w->step.mask_row[j] > 0)) continue;
    w->back.t0_bar[j] = call->want_times ? -w->continuous.scale[j] * (double)w->step.row[j] : 0;
    failed += finish_backward_lane(w, call, first, j, PANEL(w->continuous.pair, D), w->continuous.scale[j], gradient);
    idle_continuous_lane(w, j);
  }
  return failed;
}

/* After a step: accepted lanes move to its end, and at an output time into the interval before. mask_row stays set
 * for those that reach t0, and is cleared for the others. Returns how many reach t0. */
static int32_t advance_continuous_lanes(cnf_worker *w, const cnf_call *call, int64_t first, const double *next_h,
                                        int32_t *failed) {
  WORKER_NAMES(w);
  int32_t arrived = 0;
  k->blend(2 * D, w->step.mask_row, w->continuous.pair1, w->continuous.pair, w->continuous.pair);
  for (int32_t j = 0; j < lanes; j++) {
    if (w->lane.sample[j] < 0) continue;
    const int accepted = w->step.mask_row[j] > 0;
    if (accepted) w->lane.t[j] = w->lane.end[j], w->lane.step[j]++;
    w->lane.h[j] = next_h[j];
    if (accepted && w->lane.ends_at_jump[j]) begin_beyond_jump(w, j);
    if (accepted && w->lane.ends_interval[j] && w->lane.interval[j] == 0) {
      arrived++;
      continue;
    }
    if (accepted && w->lane.ends_interval[j]) cross_output_time_backward(w, call, first, j);
    w->step.mask_row[j] = 0;
    const int once = call->steps || w->span.t0[j] == w->span.t1[j]; /* a shorter step cannot be tried */
    if (once ? !accepted : w->continuous.attempts[j] >= call->solver->options.max_steps) {
      fail_continuous_lane(w, j, once ? CNF_SAMPLE_NOT_FINITE : CNF_SAMPLE_MAX_STEPS);
      ++*failed;
    }
  }
  return arrived;
}

/* The pass: backward over the chunk's samples. Returns how many have no gradient; their status says why. */
static int32_t backward_continuous(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count, real *gradient) {
  WORKER_NAMES(w);
  const cnf_family_code *code = call->solver->code;
  const int64_t samples = begin_backward(w, call, first, count, idle_continuous_lane);
  int64_t next = 0;
  int32_t failed = 0;
  while (!is_cancelled(call)) {
    double next_h[CNF_MAX_LANES];
    load_backward_lanes(w, call, first, samples, &next, load_continuous_lane);
    if (choose_backward_steps(w, call, &failed) < 0) {
      if (next < samples) continue;
      break;
    }
    code->continuous_step(w, call, first);
    const int32_t accepted = judge_backward_steps(w, call, next_h);
    w->work.steps++, w->work.steps_recomputed++;
    w->work.adjoint_evaluations += (int64_t)lanes * call->solver->stages.trials;
    for (int32_t j = 0; j < lanes; j++)
      if (!(w->step.mask_row[j] > 0)) w->work.idle_adjoint_evaluations += call->solver->stages.trials;
    if (accepted >= 0) code->continuous_quadrature(w, call->solver, accepted, gradient);
    if (advance_continuous_lanes(w, call, first, next_h, &failed) > 0)
      failed += finish_continuous_lanes(w, call, first, gradient);
    if (accepted >= 0) report_progress(w, call, 1, first, count, samples - next);
  }
  end_backward(w, gradient);
  return failed;
}
