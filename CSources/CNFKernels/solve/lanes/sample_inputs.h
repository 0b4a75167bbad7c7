/* What stays the same over a sample's solve, in its lane: its span, its context, and the masks of its DROPOUT ops.
 * Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c. Masks are drawn by a key of the sample whenever
 * it comes into a lane, so the backward pass has those of the solve. */
#include "random/philox.h"
#include "solve/worker.h"

/* Row r of all masks of the sample with `key`: 0 with probability `rate`. */
static real mask_of(cnf_noise_key key, int32_t r, double rate) {
  return cnf_noise_uniform(key, (uint64_t)r) < rate ? 0 : (real)(1 / (1 - rate));
}

/* Context and masks of sample `number` of the call into a lane. The cotangents of its context are summed from 0. */
static void load_sample_inputs(cnf_worker *w, const cnf_call *call, int64_t number, int32_t lane) {
  WORKER_NAMES(w);
  const cnf_program *p = m->program;
  const cnf_solve_input *in = call->input;
  const size_t context = (size_t)p->context_dim;
  if (context > 0) {
    column_in(p->context_dim, lanes, (const real *)in->context + (size_t)number * context, w->e.context, lane);
    column_zero(p->context_dim, lanes, w->e.context_bar, lane);
  }
  const uint64_t id = in->sample_ids ? in->sample_ids[number] : (uint64_t)number;
  const cnf_noise_key key = {.seed = in->seed, .stream = CNF_STREAM_DROPOUT, .step = in->step, .sample = id};
  for (int32_t i = 0; p->mask_rows > 0 && i < p->op_count; i++) {
    const cnf_plan *plan = &p->plans[i];
    if (plan->op.kind != CNF_OP_DROPOUT) continue;
    for (int32_t r = plan->mask_row; r < plan->mask_row + plan->rows; r++)
      PANEL(w->e.masks, r)[lane] = in->dropout_active ? mask_of(key, r, plan->op.number) : 1;
  }
}

/* Puts sample s of the chunk into a lane, at its t0, with its inputs. */
static void bind_lane(cnf_worker *w, const cnf_call *call, int64_t s, int32_t lane) {
  const int64_t number = w->chunk.first + s;
  w->lane.sample[lane] = s;
  w->lane.t[lane] = w->lane.end[lane] = w->span.t0[lane] = sample_t0(call, number);
  w->span.t1[lane] = sample_t1(call, number);
  w->span.times[lane] = sample_times(call, number);
  w->span.direction[lane] = w->span.t1[lane] < w->span.t0[lane] ? -1 : 1;
  w->span.jumps = call->input->jump_times;
  w->span.jump_count = call->input->jump_time_count;
  load_sample_inputs(w, call, number, lane);
}

/* Makes a lane idle. Its h is 0, so its state stays as it is. */
static void idle_lane(cnf_worker *w, const cnf_call *call, int32_t lane) {
  WORKER_NAMES(w);
  w->lane.sample[lane] = -1;
  w->lane.t[lane] = w->lane.end[lane] = sample_t0(call, w->chunk.first);
  w->lane.h[lane] = 0;
  w->lane.ends_interval[lane] = w->lane.ends_at_jump[lane] = 0;
  w->span.direction[lane] = 1;
  w->events.sought[lane] = 0;
  w->events.stopped_by[lane] = -1;
  column_zero(S, lanes, w->step.x, lane);
}

/* Fills the idle lanes with the context and masks of lane `live`, whose state they have too. */
static void fill_idle_inputs(cnf_worker *w, int32_t live) {
  WORKER_NAMES(w);
  for (int32_t r = 0; r < m->program->context_dim; r++)
    for (int32_t j = 0; j < lanes; j++)
      if (w->lane.sample[j] < 0) PANEL(w->e.context, r)[j] = PANEL(w->e.context, r)[live];
  for (int32_t r = 0; r < m->program->mask_rows; r++)
    for (int32_t j = 0; j < lanes; j++)
      if (w->lane.sample[j] < 0) PANEL(w->e.masks, r)[j] = PANEL(w->e.masks, r)[live];
}

/* Writes the gradient by the context of sample `number`, which is in `lane`. */
static void write_context_bar(const cnf_worker *w, const cnf_call *call, size_t number, int32_t lane) {
  WORKER_NAMES(w);
  const int32_t context = m->program->context_dim;
  real *to = call->gradient->context;
  if (to && context > 0) column_out(context, lanes, w->e.context_bar, lane, to + number * (size_t)context);
}
/* Zeros for a sample without a gradient. */
static void clear_context_bar(const cnf_call *call, size_t number) {
  const size_t context = (size_t)call->solver->model.program->context_dim;
  real *to = call->gradient->context;
  if (to && context > 0) memset(to + number * context, 0, context * sizeof(real));
}
