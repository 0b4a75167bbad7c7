/* How the samples of a chunk start: their probes, and where steps are adaptive the first slope and the length of the
 * first step. Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c. This is done for whole tiles of
 * samples, so that later a lane can take its next sample at once. */
#include "solve/decide/step_control.h"
#include "solve/worker.h"

static void finish_sample(cnf_worker *w, const cnf_call *call, int32_t lane, int32_t status); /* solve/forward/loop.h */

/* h of all lanes for their first step (Hairer, Norsett and Wanner II.4), from the slope f0 at (t0, x). */
static void choose_first_steps(cnf_worker *w, const cnf_call *call, const real *f0) {
  WORKER_NAMES(w);
  const int32_t norm = call->solver->options.norm;
  const real one = 1, *slope_list[1] = {f0}, *rtol = call->solver->rtol, *atol = call->solver->atol;
  const real *f1 = rows_of(m, w->e.kept.value, 0, m->program->op_count);
  double span[CNF_MAX_LANES], d0[CNF_MAX_LANES], d1[CNF_MAX_LANES];
  zero_rows(1, lanes, w->step.row);
  zero_rows(1, lanes, w->step.sum_row);
  k->scaled_squares(D, w->step.x, NULL, w->step.x, rtol, atol, norm, w->step.row);
  k->scaled_squares(D, f0, NULL, w->step.x, rtol, atol, norm, w->step.sum_row);
  for (int32_t j = 0; j < lanes; j++) {
    d1[j] = cnf_norm_of(norm, (double)w->step.sum_row[j], D);
    d0[j] = cnf_norm_of(norm, (double)w->step.row[j], D);
    span[j] = fabs(w->span.t1[j] - w->span.t0[j]);
    const double guess = fmin(cnf_first_guess(span[j], d0[j], d1[j]), span[j]);
    w->lane.h[j] = w->lane.sample[j] < 0 ? 0 : (double)w->span.direction[j] * guess;
    w->lane.end[j] = cnf_limit_time(w->lane.t[j] + w->lane.h[j], w->lane.h[j], w->span.t1[j]);
  }
  step_row(w);
  time_row(w, 1);
  k->combine(D, w->step.x, w->step.h_row, 1, &one, slope_list, w->e.kept.value);
  field_forward(&w->e, w->step.time_row, 0, 0);
  count_work(w, 1);
  zero_rows(1, lanes, w->step.row);
  k->scaled_squares(D, f1, f0, w->step.x, rtol, atol, norm, w->step.row);
  for (int32_t j = 0; j < lanes; j++) {
    if (w->lane.sample[j] < 0 || w->lane.h[j] == 0) continue;
    double h0 = fabs(w->lane.h[j]), d2 = cnf_norm_of(norm, (double)w->step.row[j], D) / h0;
    const double h = cnf_first_step(span[j], h0, d0[j], d1[j], d2, call->solver->stages.order);
    w->lane.h[j] = (double)w->span.direction[j] * fmin(h, span[j]);
  }
}

/* Keeps the evaluation of stage 0 of the samples in the lanes that `starts` lists, which is in scratch 0. */
static void keep_first_stage(cnf_worker *w, const cnf_engine *solver, const int32_t *starts) {
  WORKER_NAMES(w);
  int32_t slot[CNF_MAX_LANES];
  for (int32_t j = 0; j < lanes; j++) {
    slot[j] = starts[j] && w->store.slots_used < solver->slot_capacity ? w->store.slots_used++ : -1;
    if (starts[j]) w->start.slot[w->lane.sample[j]] = slot[j];
  }
  keep_columns(w, solver, kept_rows(m), w->e.kept.value, slot);
}

/* What steps that begin at the lanes' (t, x) begin with, for the lanes that `starts` lists: h, and the slope f0 if it
 * is wanted. h, f0 and the evaluation at hand are overwritten in all lanes. step.row becomes 0 where all is finite. */
static void begin_steps(cnf_worker *w, const cnf_call *call, const int32_t *starts, real *f0) {
  WORKER_NAMES(w);
  const cnf_solver_options *o = &call->solver->options;
  const cnf_stages *s = &call->solver->stages;
  const int choose = o->initial_step == 0;
  for (int32_t j = 0; j < lanes; j++)
    w->lane.h[j] = w->lane.sample[j] < 0 ? 0 : (double)w->span.direction[j] * o->initial_step;
  if (choose || s->fsal) {
    use_scratch(w, 0);
    copy_rows(D, lanes, w->step.x, w->e.kept.value);
    time_row(w, 0);
    evaluate_slope(w, s->fsal, f0);
    count_work(w, 1);
    if (s->fsal && call->keeps) keep_first_stage(w, call->solver, starts);
  }
  if (choose) choose_first_steps(w, call, f0);
  k->finite(D, w->step.x, 0, w->step.row);
  k->finite(m->program->context_dim, w->e.context, 1, w->step.row);
  if (choose || s->fsal) k->finite(D, f0, 1, w->step.row);
  for (int32_t j = 0; j < lanes; j++) {
    if (!starts[j]) continue;
    const double t = w->lane.t[j], t1 = w->span.t1[j], left = fabs(t1 - t);
    const double length = fmax(fabs(w->lane.h[j]), cnf_least_step(o->min_step, t, t1));
    /* if t0 = t1 the planned length stays above 0: choose_steps takes a planned length of 0 as a rejected step */
    w->lane.h[j] = (double)w->span.direction[j] * (left > 0 ? fmin(length, left) : length);
    w->chunk.evaluations[w->lane.sample[j]] += choose ? 2 : s->fsal;
  }
}

/* Adaptive steps: what the samples in the lanes start with, for load_lanes. */
static void start_tile(cnf_worker *w, const cnf_call *call) {
  WORKER_NAMES(w);
  real *f0 = w->step.x1; /* free between steps */
  int32_t starts[CNF_MAX_LANES];
  int goes = 0;
  for (int32_t j = 0; j < lanes; j++) {
    starts[j] = w->lane.sample[j] >= 0 && has_steps(call, w->chunk.first + w->lane.sample[j]);
    goes |= starts[j];
  }
  if (!goes) return;
  begin_steps(w, call, starts, f0);
  for (int32_t j = 0; j < lanes; j++) {
    const int64_t n = w->lane.sample[j];
    if (!starts[j]) continue;
    w->start.h[n] = w->step.row[j] != 0 ? NAN : w->lane.h[j];
    if (call->solver->stages.fsal) column_out(S, lanes, f0, j, w->start.slope + (size_t)n * (size_t)S);
    move_constants(w, j, w->start.constants + (size_t)n * (size_t)call->solver->constant_rows, 1);
  }
}

/* Lanes whose steps have been accepted and end at jumps of the field begin anew beyond them. The other lanes keep their
 * h and slopes. */
static void restart_at_jumps(cnf_worker *w, const cnf_call *call) {
  WORKER_NAMES(w);
  const cnf_stages *s = &call->solver->stages;
  real *f0 = w->step.x1, *k0 = slope(w, 0);
  int32_t starts[CNF_MAX_LANES], any = 0;
  double h[CNF_MAX_LANES], end[CNF_MAX_LANES];
  for (int32_t j = 0; j < lanes; j++) {
    starts[j] = w->lane.sample[j] >= 0 && w->lane.ends_at_jump[j] && w->step.mask_row[j] > 0;
    h[j] = w->lane.h[j], end[j] = w->lane.end[j];
    any += starts[j];
  }
  if (any == 0) return;
  begin_steps(w, call, starts, f0);
  for (int32_t j = 0; j < lanes; j++) {
    w->step.mask_row[j] = (real)starts[j];
    if (!starts[j]) w->lane.h[j] = h[j], w->lane.end[j] = end[j];
    if (!starts[j]) continue;
    w->lane.past[j] = (cnf_ratios){1, 1};
    w->lane.unproven[j] = 1;
    w->store.next_slot[j] = w->start.slot[w->lane.sample[j]];
  }
  if (s->fsal) k->blend(S, w->step.mask_row, f0, k0, k0);
  for (int32_t j = 0; j < lanes; j++)
    if (starts[j] && w->step.row[j] != 0) finish_sample(w, call, j, CNF_SAMPLE_NOT_FINITE);
}

/* Samples in the order of their first steps, shortest first: those are likely to take longest, and should not come
 * last. */
static void order_by_first_step(cnf_worker *w, int64_t count) {
  for (int64_t i = 1; i < count; i++) {
    const int32_t s = w->chunk.order[i];
    int64_t at = i;
    for (; at > 0 && fabs(w->start.h[w->chunk.order[at - 1]]) > fabs(w->start.h[s]); at--)
      w->chunk.order[at] = w->chunk.order[at - 1];
    w->chunk.order[at] = s;
  }
}

/* Starts samples [first, first + count) of the call. Afterwards all lanes are idle. With fixed steps the chunk is one
 * tile, and its lanes keep the samples' constants. */
static void start_chunk(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count) {
  WORKER_NAMES(w);
  const int adaptive = !call->steps;
  load_unit_tangents(w);
  for (int64_t s = 0; s < count; s++) {
    w->chunk.order[s] = (int32_t)s;
    w->start.h[s] = 0;
    w->start.slot[s] = -1;
    w->chunk.accepted[s] = w->chunk.rejected[s] = w->chunk.evaluations[s] = w->chunk.reversed[s] = 0;
    w->chunk.smallest_step[s] = 0;
  }
  for (int64_t tile = 0; tile < count; tile += lanes) {
    for (int32_t j = 0; j < lanes; j++) {
      idle_lane(w, call, j);
      clear_probes(w, j);
      if (tile + j >= count) continue;
      bind_lane(w, call, tile + j, j);
      column_in(D, lanes, (const real *)call->input->x0 + (size_t)(first + tile + j) * (size_t)D, w->step.x, j);
      load_probes(w, call, first + tile + j, j);
    }
    if (m->trace == CNF_TRACE_HUTCHINSON) prepare_constants(m, &w->e.constants);
    if (adaptive && !is_cancelled(call)) start_tile(w, call);
  }
  if (adaptive) order_by_first_step(w, count);
  for (int32_t j = 0; j < lanes; j++) idle_lane(w, call, j);
}
