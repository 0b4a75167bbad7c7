/* One thread's memory: a struct of each folder that keeps something. Compiled once per dtype by solve/call/solver_f32.c
 * and solver_f64.c. */
#ifndef CNF_SOLVE_WORKER_H
#define CNF_SOLVE_WORKER_H
#include "solve/backward/arrays.h"
#include "solve/family.h"
#include "solve/forward/arrays.h"
#include "solve/lanes/arrays.h"
#include "solve/store/arrays.h"

struct cnf_worker {
  cnf_evaluator e; /* the field, on the tile at hand */
  /* lanes/ */
  cnf_lanes lane;
  cnf_spans span;
  cnf_chunk chunk;
  cnf_starts start;
  /* forward/ */
  cnf_step step;
  cnf_adams_history adams;
  cnf_implicit implicit;
  cnf_reversible reversible;
  cnf_dense_output dense;
  cnf_events events;
  /* store/ */
  cnf_store store;
  /* backward/ */
  cnf_chunk_loss loss;
  cnf_backward back;
  cnf_continuous continuous;
  cnf_work work; /* of the call under way */
};

static void cnf_worker_layout(cnf_worker *w, const cnf_engine *s, cnf_arena *arena) {
  evaluator_layout(&w->e, &s->model, arena);
  cnf_step_layout(&w->step, s, arena);
  cnf_store_layout(&w->store, s, arena);
  cnf_dense_output_layout(&w->dense, s, arena);
  cnf_events_layout(&w->events, s, arena);
  cnf_chunk_layout(&w->chunk, s, arena);
  cnf_chunk_loss_layout(&w->loss, s, arena);
  cnf_starts_layout(&w->start, s, arena);
  cnf_backward_layout(&w->back, s, arena);
  if (w->back.bars) w->e.bars = w->back.bars[0];
  cnf_continuous_layout(&w->continuous, s, arena);
  if (s->code->layout) s->code->layout(w, s, arena);
}

/* Names that most functions on a worker use: model, kernels, lanes of a tile, D and S. */
#define WORKER_NAMES(w)                                      \
  const cnf_model *m = (w)->e.model;                         \
  const cnf_kernels *k = m->kernels;                         \
  const int32_t lanes = k->lanes, D = m->program->state_dim; \
  const int32_t S = state_rows(m);                           \
  (void)lanes, (void)D, (void)k, (void)S

#endif
