/* States between checkpoints, recomputed: the same steps, from the same states, by the same kernels, so with the
 * same bits. Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c. Lanes that want a state go side by
 * side, each from its sample's last checkpoint. The others have the state of one that goes. */
#include "solve/worker.h"

/* The state at the start of step n of sample s, after recompute_states. */
static const real *step_state(const cnf_worker *w, const cnf_engine *solver, int64_t s, int32_t n) {
  if (solver->rule.kind == CNF_SCHEDULE_EVERY_STEP) return checkpoint_at(w, solver, s, n);
  if (w->store.plans[s].current == n) return own_column(w, solver, s);
  return checkpoint_at(w, solver, s, checkpoints_of(w, solver, s)[w->store.plans[s].count - 1].slot);
}

/* at[j] = the step whose state lane j goes on from, with that state in x; -1 if the lane has its state or wants
 * none. Returns a lane that goes, or -1. */
static int32_t begin_recomputing(cnf_worker *w, const cnf_engine *solver, const int32_t *wants, int32_t *at) {
  WORKER_NAMES(w);
  int32_t moving = -1;
  for (int32_t j = 0; j < lanes; j++) {
    const int64_t s = w->lane.sample[j];
    at[j] = -1;
    if (!wants[j] || w->store.plans[s].current == w->lane.step[j]) continue;
    const cnf_checkpoint *from =
        cnf_checkpoint_plan_restart(&solver->rule, &w->store.plans[s], checkpoints_of(w, solver, s), w->lane.step[j]);
    if (from->step == w->lane.step[j]) continue;
    at[j] = from->step;
    column_in(D, lanes, checkpoint_at(w, solver, s, from->slot), w->step.x, j);
    moving = j;
  }
  for (int32_t j = 0; moving >= 0 && j < lanes; j++)
    for (int32_t d = 0; at[j] < 0 && d < D; d++) PANEL(w->step.x, d)[j] = PANEL(w->step.x, d)[moving];
  return moving;
}

/* The lane's sample has come to step *at, with the state in x. */
static void arrive_at_step(cnf_worker *w, const cnf_engine *solver, int32_t lane, int32_t *at) {
  WORKER_NAMES(w);
  const int64_t s = w->lane.sample[lane];
  cnf_checkpoint_plan *plan = &w->store.plans[s];
  real *to = NULL;
  if (*at == w->lane.step[lane]) {
    to = own_column(w, solver, s);
    plan->current = *at;
    *at = -1;
    place_lane(w, lane, w->lane.t[lane], 0, w->lane.t[lane]);
  } else if (*at == plan->next) {
    to = checkpoint_at(
        w, solver, s, cnf_checkpoint_plan_store(&solver->rule, plan, checkpoints_of(w, solver, s), w->lane.step[lane]));
  }
  if (to) column_out(D, lanes, w->step.x, lane, to);
}

/* Recomputes the states at the starts of the lanes' steps, of lanes with wants[j] = 1. Overwrites t, h and x of all
 * lanes. */
static void recompute_states(cnf_worker *w, const cnf_call *call, const int32_t *wants) {
  WORKER_NAMES(w);
  const cnf_engine *solver = call->solver;
  const cnf_stages *s = &solver->advance;
  const cnf_step_record no_slots = {.first = -1, .rest = -1};
  int32_t at[CNF_MAX_LANES];
  if (solver->rule.kind == CNF_SCHEDULE_EVERY_STEP) return;
  const int32_t moving = begin_recomputing(w, solver, wants, at);
  if (moving < 0) return;
  zero_rows(S - D, lanes, PANEL(w->step.x, D));
  for (int32_t j = 0; j < lanes; j++) place_at_step(w, call, j, w->lane.sample[moving], at[moving], 1);
  for (;;) {
    int32_t idle = 0;
    for (int32_t j = 0; j < lanes; j++) {
      if (at[j] < 0) {
        idle++;
        continue;
      }
      place_at_step(w, call, j, w->lane.sample[j], at[j], 0);
    }
    if (idle == lanes) return;
    make_step(w, solver, s, &no_slots, 0);
    copy_rows(D, lanes, w->step.x1, w->step.x);
    w->work.steps_repeated++;
    w->work.repeated_evaluations += (int64_t)lanes * s->evaluations;
    w->work.idle_repeated_evaluations += (int64_t)idle * s->evaluations;
    for (int32_t j = 0; j < lanes; j++) {
      if (at[j] < 0) continue;
      at[j]++;
      arrive_at_step(w, solver, j, &at[j]);
    }
  }
}
