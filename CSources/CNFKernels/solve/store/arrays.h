/* What a worker keeps of the forward pass for the backward pass. Compiled once per dtype by solve/call/solver_f32.c and
 * solver_f64.c. */
#ifndef CNF_SOLVE_STORE_ARRAYS_H
#define CNF_SOLVE_STORE_ARRAYS_H
#include "solve/lanes/arrays.h"

typedef struct cnf_store {
  /* Accepted steps; record_of (solve/lanes/step_times.h) says where a step's record is. */
  cnf_step_record *steps; /* [steps]; adaptive: [steps][chunk] */
  /* States at the starts of steps (solve/store/checkpoints.h). Continuous adjoint: states at output times, or the
   * forward path (solve/store/forward_path.h). The other arrays are only for schedules other than EVERY_STEP. */
  real *states;                /* [slots for states][chunk][record_rows] */
  real *own;                   /* [chunk][D]: each sample's own column */
  cnf_checkpoint_plan *plans;  /* [chunk] */
  cnf_checkpoint *checkpoints; /* [chunk][capacity] */
  /* Evaluations (solve/store/kept_evaluations.h) */
  real *scratch; /* [scratch_count] of a tile: of the step under way, then of dense output, or of d/dt */
  real *slots;   /* [slot_capacity]: those that are kept */
  int32_t slots_used;
  int32_t next_slot[CNF_MAX_LANES]; /* first-same-as-last methods: slot of stage 0 of the lane's next step; -1: none */
} cnf_store;

static void cnf_store_layout(cnf_store *store, const cnf_engine *s, cnf_arena *arena) {
  const size_t chunk = (size_t)s->chunk_capacity;
  const int discrete = s->options.adjoint == CNF_ADJOINT_DISCRETE;
  const int scheduled = discrete && s->rule.kind != CNF_SCHEDULE_EVERY_STEP;
  store->scratch = cnf_arena_take(arena, (size_t)s->scratch_count * kept_reals(&s->model), sizeof(real));
  store->own = cnf_arena_take(arena, scheduled ? chunk : 0, (size_t)s->model.program->state_dim * sizeof(real));
  store->plans = cnf_arena_take(arena, scheduled ? chunk : 0, sizeof *store->plans);
}

/* What calls keep (solve/call/reserve.h). */
static void cnf_store_reserve(cnf_store *store, const cnf_engine *s, cnf_arena *arena) {
  const cnf_capacity *c = &s->capacity;
  const size_t chunk = (size_t)c->chunk;
  store->steps = cnf_arena_take(arena, (size_t)c->records, sizeof *store->steps);
  store->slots = cnf_arena_take(arena, (size_t)c->slots * s->slot_size, sizeof(real));
  store->states = cnf_arena_take(arena, (size_t)c->states * chunk, (size_t)s->record_rows * sizeof(real));
  store->checkpoints = cnf_arena_take(arena, (size_t)c->checkpoints * chunk, sizeof *store->checkpoints);
}

#endif
