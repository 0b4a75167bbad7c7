/* Stored states: those at the starts of steps whose evaluations are not kept, as far as the schedule stores them
 * (solve/decide/checkpoint_schedule.h). A sample's own column has the state of its last step in any case. Compiled once
 * per dtype by solve/call/solver_f32.c and solver_f64.c. */
#include "solve/decide/checkpoint_schedule.h"
#include "solve/worker.h"

static cnf_checkpoint *checkpoints_of(const cnf_worker *w, const cnf_engine *solver, int64_t s) {
  return w->store.checkpoints + (size_t)s * (size_t)solver->rule.capacity;
}
/* Slot `slot` of sample s. EVERY_STEP: the slot is the number of the step. */
static real *checkpoint_at(const cnf_worker *w, const cnf_engine *solver, int64_t s, int32_t slot) {
  return w->store.states + ((size_t)slot * (size_t)solver->capacity.chunk + (size_t)s) * (size_t)solver->record_rows;
}
static real *own_column(const cnf_worker *w, const cnf_engine *solver, int64_t s) {
  return w->store.own + (size_t)s * (size_t)solver->model.program->state_dim;
}

static void clear_plans(cnf_worker *w, const cnf_engine *solver, int64_t count) {
  if (solver->rule.kind == CNF_SCHEDULE_EVERY_STEP) return;
  for (int64_t s = 0; s < count; s++) cnf_checkpoint_plan_clear(&w->store.plans[s]);
}

/* The lane is at the start of step n of its sample. The step has been accepted, and none of its evaluations is kept. */
static void record_state(cnf_worker *w, const cnf_call *call, int32_t lane, int32_t n) {
  WORKER_NAMES(w);
  const cnf_engine *solver = call->solver;
  const int64_t s = w->lane.sample[lane];
  if (solver->rule.kind == CNF_SCHEDULE_EVERY_STEP) {
    const real *x = solver->code->recorded_state ? solver->code->recorded_state(w) : w->step.x;
    real *to = checkpoint_at(w, solver, s, n);
    column_out(solver->record_rows, lanes, x, lane, to);
    for (int32_t r = D; solver->rules->all_rows && r < S; r++) to[r] = (real)w->lane.integral[r - D][lane];
    return;
  }
  /* an event may end a sample before its last step */
  const int32_t end = call->steps && !call->event_count ? call->steps * (call->time_count + 1) : CNF_NEVER;
  real *own = own_column(w, solver, s);
  const cnf_checkpoint_writes to =
      cnf_checkpoint_plan_advance(&solver->rule, &w->store.plans[s], checkpoints_of(w, solver, s), n, end);
  if (to.earlier >= 0) memcpy(checkpoint_at(w, solver, s, to.earlier), own, (size_t)D * sizeof(real));
  column_out(D, lanes, w->step.x, lane, own);
  if (to.slot >= 0) memcpy(checkpoint_at(w, solver, s, to.slot), own, (size_t)D * sizeof(real));
}
