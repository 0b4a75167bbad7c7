/* Evaluations that are kept from the forward pass to the backward pass, as long as there is room. The others are
 * recomputed, with the same bits. Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c.
 *
 * Fixed steps: all lanes are at the same step, so a slot holds an evaluation of the tile, which is made and reversed
 * in place. Adaptive steps: a slot holds the column of one sample. The columns of lanes whose step is accepted are
 * copied out of the tile, and in the backward pass into the lane that the sample then has. So rejected steps take no
 * room.
 */
#include "solve/worker.h"

/* Rows of an evaluation's panels; those that an evaluation without divergence fills. */
static int32_t kept_rows(const cnf_model *m) { return (int32_t)(kept_reals(m) / (size_t)m->kernels->lanes); }
static int32_t kept_value_rows(const cnf_model *m) { return m->program->value_rows + m->program->aux_rows; }

static void use_scratch(cnf_worker *w, int32_t number) {
  w->e.kept = kept_at(w->e.model, w->store.scratch + (size_t)number * kept_reals(w->e.model));
}
/* Points the evaluator at stage i of the step of `record`, whose evaluations are in slots of the tile. */
static void use_slot(cnf_worker *w, const cnf_engine *solver, const cnf_step_record *record, int32_t i) {
  w->e.kept =
      kept_at(w->e.model, w->store.slots + (size_t)cnf_kept_slot(&solver->stages, record, i) * solver->slot_size);
}

/* Takes slots for a step's evaluations: all of them, or none. `first` is the slot of stage 0, if that is there
 * already. */
static void take_slots(cnf_worker *w, const cnf_engine *solver, int32_t first, cnf_step_record *record) {
  const int32_t wanted = solver->stages.kept, room = solver->slot_capacity - w->store.slots_used;
  record->first = record->rest = -1;
  if (wanted > room || (solver->stages.fsal && first < 0)) return;
  record->first = solver->stages.fsal ? first : w->store.slots_used;
  record->rest = w->store.slots_used + !solver->stages.fsal;
  w->store.slots_used += wanted;
}

/* Copies lane j of `panel` [rows] to slot[j], unless that is -1. */
static void keep_columns(cnf_worker *w, const cnf_engine *solver, int32_t rows, const real *panel,
                         const int32_t *slot) {
  WORKER_NAMES(w);
  real *to[CNF_MAX_LANES];
  for (int32_t j = 0; j < lanes; j++) to[j] = slot[j] < 0 ? NULL : w->store.slots + (size_t)slot[j] * solver->slot_size;
  k->lanes_out(rows, panel, to);
}

/* Adaptive steps: keeps the evaluations of the step just made, of the lanes in mask_row; records[j] is lane j's. */
static void keep_step(cnf_worker *w, const cnf_engine *solver, cnf_step_record *const *records) {
  WORKER_NAMES(w);
  const cnf_stages *s = &solver->stages;
  int32_t slot[CNF_MAX_LANES];
  for (int32_t i = s->fsal ? 1 : 0; i < s->count; i++) {
    if (!cnf_is_kept(s, i)) continue;
    for (int32_t j = 0; j < lanes; j++)
      slot[j] = records[j] && records[j]->rest >= 0 ? cnf_kept_slot(s, records[j], i) : -1;
    use_scratch(w, i);
    keep_columns(w, solver, s->integrands[i] ? kept_rows(m) : kept_value_rows(m), w->e.kept.value, slot);
  }
}

/* Adaptive steps, backward: fetches the evaluations of records[j], if they are kept, into lane j of scratch. */
static void fetch_step(cnf_worker *w, const cnf_engine *solver, cnf_step_record *const *records) {
  WORKER_NAMES(w);
  const cnf_stages *s = &solver->stages;
  const real *from[CNF_MAX_LANES];
  for (int32_t i = 0; i < s->count; i++) {
    if (!s->reverses[i]) continue;
    const int32_t rows = s->integrands[i] ? kept_rows(m) : kept_value_rows(m);
    int32_t kept = 0;
    for (int32_t j = 0; j < lanes; j++) {
      from[j] =
          records[j]->rest < 0 ? NULL : w->store.slots + (size_t)cnf_kept_slot(s, records[j], i) * solver->slot_size;
      kept += from[j] != NULL;
    }
    use_scratch(w, i);
    if (kept == lanes) k->lanes_in(rows, from, w->e.kept.value);
    for (int32_t j = 0; kept < lanes && j < lanes; j++)
      if (from[j]) column_in(rows, lanes, from[j], w->e.kept.value, j);
  }
}
