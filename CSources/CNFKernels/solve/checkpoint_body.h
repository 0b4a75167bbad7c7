/* The states that a solve leaves for its reverse: those at the starts of steps whose evaluations are not kept. Which ones is
 * the schedule's choice (schedule.h). A sample's own column has that of its last step, whatever else is held.
 */
#include "solve/schedule.h"
#include "solve/solver.h"

static cnf_checkpoint *CNF_TYPED(checkpoints_of)(const CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_solver) * solver,
                                                 int64_t s) {
  return w->checkpoints + (size_t)s * (size_t)solver->rule.capacity;
}
/* Slot `slot` of sample s; EVERY_STEP: that of step `slot`. */
static real *CNF_TYPED(checkpoint_at)(const CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_solver) * solver, int64_t s,
                                      int32_t slot) {
  return w->record_x + ((size_t)slot * (size_t)solver->chunk_capacity + (size_t)s) * (size_t)solver->record_rows;
}
static real *CNF_TYPED(own_column)(const CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_solver) * solver, int64_t s) {
  return w->own_x + (size_t)s * (size_t)solver->model.program->state_dim;
}

static void CNF_TYPED(clear_trails)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_solver) * solver, int64_t count) {
  if (solver->rule.kind == CNF_SCHEDULE_EVERY_STEP) return;
  for (int64_t s = 0; s < count; s++) cnf_trail_clear(&w->trails[s]);
}

/* The lane is at the start of its sample's step n, which has been accepted and of which no evaluation is kept. */
static void CNF_TYPED(record_state)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_call) * call, int32_t lane,
                                    int32_t n) {
  WORKER_NAMES(w);
  const CNF_TYPED(cnf_solver) *solver = call->solver;
  const int64_t s = w->sample[lane];
  if (solver->rule.kind == CNF_SCHEDULE_EVERY_STEP) {
    const real *x = cnf_is_reversible(solver->family) ? w->y : w->x;
    CNF_TYPED(column_out)(solver->record_rows, lanes, x, lane, CNF_TYPED(checkpoint_at)(w, solver, s, n));
    return;
  }
  /* an event may end a sample anywhere */
  const int32_t end = call->steps && !call->event_count ? call->steps * (call->time_count + 1) : CNF_NEVER;
  real *own = CNF_TYPED(own_column)(w, solver, s);
  const cnf_holding to = cnf_trail_pass(&solver->rule, &w->trails[s], CNF_TYPED(checkpoints_of)(w, solver, s), n, end);
  if (to.earlier >= 0) memcpy(CNF_TYPED(checkpoint_at)(w, solver, s, to.earlier), own, (size_t)D * sizeof(real));
  CNF_TYPED(column_out)(D, lanes, w->x, lane, own);
  if (to.slot >= 0) memcpy(CNF_TYPED(checkpoint_at)(w, solver, s, to.slot), own, (size_t)D * sizeof(real));
}
