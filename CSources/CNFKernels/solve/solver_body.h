/* A solver's memory: one allocation for what is used, one reservation of address space for step records. */
#include "solve/memory.h"
#include "solve/solver.h"

static const CNF_TYPED(cnf_kernels) * CNF_TYPED(kernels_for)(int32_t isa) {
  switch (isa) {
#if defined(__x86_64__)
  case CNF_ISA_AVX2: return &CNF_TYPED(cnf_kernels_avx2);
  case CNF_ISA_AVX512: return &CNF_TYPED(cnf_kernels_avx512);
#endif
  default: return &CNF_TYPED(cnf_kernels_generic);
  }
}

#define CNF_PARTIALS_BYTES ((size_t)32 << 20) /* room for partial gradients, unless 8 of them take more */

static void CNF_TYPED(worker_layout)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_solver) * s, cnf_arena *arena,
                                     cnf_arena *reserve) {
  const cnf_program *p = s->model.program;
  size_t row = (size_t)s->model.kernels->lanes * sizeof(real), D = (size_t)p->state_dim;
  size_t stages = (size_t)s->stages.count, chunk = (size_t)s->chunk_capacity, steps = (size_t)s->record_capacity;
  CNF_TYPED(evaluator_layout)(&w->e, &s->model, arena);
  w->x = cnf_arena_take(arena, D + 1, row);
  w->x1 = cnf_arena_take(arena, D + 1, row);
  w->k = cnf_arena_take(arena, stages * (D + 1), row);
  w->probes = cnf_arena_take(arena, s->model.trace == CNF_TRACE_HUTCHINSON ? (size_t)s->model.probes * D : 0, row);
  w->zeros = cnf_arena_take(arena, D + 1, row);
  real **rows[] = {&w->h_row,        &w->time_row,     &w->mask_row,       &w->sum_row,   &w->row,      &w->mu_row,
                   &w->stage_mu_row, &w->time_bar_row, &w->divergence_row, &w->h_bar_row, &w->t_bar_row};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) *rows[i] = cnf_arena_take(arena, 1, row);
  w->chunk_x1 = cnf_arena_take(arena, chunk * D, sizeof(real));
  w->chunk_x1_bar = cnf_arena_take(arena, chunk * D, sizeof(real));
  double **numbers[] = {&w->chunk_log_det, &w->chunk_t, &w->chunk_loss, &w->chunk_log_det_bar};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    *numbers[i] = cnf_arena_take(arena, chunk, sizeof(double));
  int32_t **counts[] = {&w->chunk_status, &w->chunk_accepted, &w->chunk_rejected, &w->chunk_evaluations};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
    *counts[i] = cnf_arena_take(arena, chunk, sizeof(int32_t));
  w->stage_value = cnf_arena_take(arena, stages * (size_t)p->value_rows, row);
  w->stage_aux = cnf_arena_take(arena, stages * (size_t)p->aux_rows, row);
  w->lambda = cnf_arena_take(arena, D, row);
  w->stage_bar = cnf_arena_take(arena, stages * D, row);
  w->slope = cnf_arena_take(arena, D, row);
  w->record_step = cnf_arena_take(reserve, steps * chunk, sizeof *w->record_step);
  w->record_x = cnf_arena_take(reserve, steps * chunk, D * sizeof(real));
}

static void CNF_TYPED(solver_layout)(CNF_TYPED(cnf_solver) * s, cnf_arena *arena, cnf_arena *reserve) {
  size_t threads = (size_t)s->options.threads;
  CNF_TYPED(model_layout)(&s->model, arena);
  size_t bytes = s->model.gradient_size * sizeof(real), room = bytes ? CNF_PARTIALS_BYTES / bytes : CNF_MAX_GROUPS;
  s->group_capacity = room < 8 ? 8 : room > CNF_MAX_GROUPS ? CNF_MAX_GROUPS : (int32_t)room;
  s->grid = cnf_arena_take(arena, (size_t)s->record_capacity + 1, sizeof(double));
  CNF_TYPED(cnf_worker) *workers = cnf_arena_take(arena, threads, sizeof *workers);
  for (size_t i = 0; i < threads; i++) {
    CNF_TYPED(cnf_worker) measured;
    CNF_TYPED(worker_layout)(workers ? &workers[i] : &measured, s, arena, reserve);
  }
  s->workers = workers;
  s->partials = cnf_arena_take(reserve, (size_t)s->group_capacity * s->model.gradient_size, sizeof(real));
}

cnf_status CNF_TYPED(cnf_solver_make)(const cnf_program *program, const cnf_solver_options *options, int32_t trace,
                                      CNF_TYPED(cnf_solver) * *solver) {
  CNF_TYPED(cnf_solver) *s = calloc(1, sizeof *s);
  if (!s) return CNF_ERROR_MEMORY;
  s->options = *options;
  s->model.program = program;
  s->model.kernels = CNF_TYPED(kernels_for)(options->isa);
  s->model.trace = trace;
  s->model.probes = options->probes;
  /* batch control runs its steps as fixed ones, once it has found them */
  s->stages = cnf_stages_make(cnf_tableau_at(options->method), options->control == CNF_CONTROL_SAMPLE,
                              !options->exclude_log_det);
  s->chunk_capacity = (options->control == CNF_CONTROL_SAMPLE ? CNF_MAX_CHUNK_TILES : 1) * s->model.kernels->lanes;
  s->record_capacity = cnf_record_capacity(options);
  cnf_arena arena = {0}, reserve = {0};
  CNF_TYPED(solver_layout)(s, &arena, &reserve);
  s->bytes = arena.used;
  s->bytes_reserved = reserve.used;
  if (!arena.overflow && !reserve.overflow) {
    s->memory = cnf_memory_take(arena.used);
    s->reserved = cnf_memory_take(reserve.used);
  }
  if (!s->memory || !s->reserved) {
    CNF_TYPED(cnf_solver_free)(s);
    return CNF_ERROR_MEMORY;
  }
  arena = (cnf_arena){.base = s->memory};
  reserve = (cnf_arena){.base = s->reserved};
  CNF_TYPED(solver_layout)(s, &arena, &reserve);
  *solver = s;
  return CNF_OK;
}

void CNF_TYPED(cnf_solver_free)(CNF_TYPED(cnf_solver) * s) {
  if (!s) return;
  cnf_memory_free(s->memory, s->bytes);
  cnf_memory_free(s->reserved, s->bytes_reserved);
  free(s);
}

void CNF_TYPED(cnf_solver_describe)(const CNF_TYPED(cnf_solver) * s, cnf_solver_info *info) {
  info->lanes = s->model.kernels->lanes;
  info->bytes = s->bytes;
  info->bytes_reserved = s->bytes_reserved;
}
