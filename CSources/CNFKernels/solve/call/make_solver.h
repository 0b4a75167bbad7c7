/* Makes and frees a solver, with one allocation for what every call uses. Compiled once per dtype by
 * solve/call/solver_f32.c and solver_f64.c. */
#include "host/memory.h"
#include "solve/worker.h"

const cnf_kernels *CNF_TYPED(cnf_kernels_for)(int32_t isa) {
  switch (isa) {
#if defined(__x86_64__)
  case CNF_ISA_AVX2: return &CNF_TYPED(cnf_kernels_avx2);
  case CNF_ISA_AVX512: return &CNF_TYPED(cnf_kernels_avx512);
  case CNF_ISA_AVX512BF16: return &CNF_TYPED(cnf_kernels_avx512bf16);
#elif defined(__aarch64__)
  case CNF_ISA_NEON: return &CNF_TYPED(cnf_kernels_neon);
#endif
  default: return &CNF_TYPED(cnf_kernels_generic);
  }
}

#define CNF_MOST_SLOTS (1 << 24)

static void cnf_engine_layout(cnf_engine *s, cnf_arena *arena) {
  size_t threads = (size_t)s->options.threads;
  model_layout(&s->model, arena);
  s->constant_rows = constant_reals(&s->model);
  s->slot_size = kept_reals(&s->model);
  if (s->options.control == CNF_CONTROL_SAMPLE)
    s->slot_size = round_up(s->slot_size / (size_t)s->model.kernels->lanes, CNF_CACHE_LINE / sizeof(real));
  size_t slots = (size_t)s->options.store_bytes / (s->slot_size * sizeof(real));
  s->slot_capacity = slots < CNF_MOST_SLOTS ? (int32_t)slots : CNF_MOST_SLOTS;
  s->rtol = cnf_arena_take(arena, (size_t)s->model.program->state_dim + 1, sizeof(real));
  s->atol = cnf_arena_take(arena, (size_t)s->model.program->state_dim + 1, sizeof(real));
  const size_t pair = s->options.adjoint == CNF_ADJOINT_CONTINUOUS ? 2 * (size_t)s->model.program->state_dim : 0;
  s->pair_rtol = cnf_arena_take(arena, pair, sizeof(real));
  s->pair_atol = cnf_arena_take(arena, pair, sizeof(real));
  s->grid = cnf_arena_take(arena, s->options.control == CNF_CONTROL_BATCH ? (size_t)s->record_capacity + 1 : 0,
                           sizeof(double));
  cnf_worker *workers = cnf_arena_take(arena, threads, sizeof *workers);
  for (size_t i = 0; i < threads; i++) {
    cnf_worker measured;
    cnf_worker_layout(workers ? &workers[i] : &measured, s, arena);
  }
  s->workers = workers;
}

/* The smallest relative tolerance that steps are judged by: a unit in the last place of the dtype. x' itself is rounded
 * by up to half of that, so shorter steps would not make it more accurate, only add more roundings. */
#define CNF_RTOL_FLOOR (CNF_REAL_BITS == 32 ? 0x1p-23 : 0x1p-52)

/* `rtol`, raised to the floor if it is below. */
static real raised_rtol(cnf_engine *s, double rtol) {
  if (rtol >= CNF_RTOL_FLOOR) return (real)rtol;
  s->rtol_raised = 1;
  return (real)CNF_RTOL_FLOOR;
}

/* The caller's tolerances, row by row. The least atol keeps a state that is exactly 0 from a division by 0. */
static void tolerances_fill(cnf_engine *s) {
  cnf_solver_options *o = &s->options;
  const int32_t D = s->model.program->state_dim;
  const double least = CNF_REAL_BITS == 32 ? 1e-36 : 1e-300;
  for (int32_t d = 0; d <= D; d++) {
    s->rtol[d] = raised_rtol(s, o->rtol_rows && d < D ? o->rtol_rows[d] : o->rtol);
    s->atol[d] = (real)fmax(o->atol_rows && d < D ? o->atol_rows[d] : o->atol, least);
  }
  for (int32_t d = 0; o->adjoint == CNF_ADJOINT_CONTINUOUS && d < 2 * D; d++) {
    s->pair_rtol[d] = o->adjoint_rtol > 0 ? raised_rtol(s, o->adjoint_rtol) : s->rtol[d % D];
    s->pair_atol[d] = o->adjoint_atol > 0 ? (real)fmax(o->adjoint_atol, least) : s->atol[d % D];
    if (!s->rules->keeps_path || d >= D)
      continue; /* x comes from the forward pass, which has it to its own
                                                      tolerance */
    if (s->rtol[d] > s->pair_rtol[d]) s->pair_rtol[d] = s->rtol[d];
    if (s->atol[d] > s->pair_atol[d]) s->pair_atol[d] = s->atol[d];
  }
  o->rtol_rows = o->atol_rows = NULL; /* the caller's arrays may go */
}

/* Bytes of one checkpoint of every sample of a chunk: its state, and what is known of it. */
static size_t checkpoint_bytes(const cnf_engine *s) {
  return (size_t)s->chunk_capacity * ((size_t)s->model.program->state_dim * sizeof(real) + sizeof(cnf_checkpoint));
}

/* The model, the method and the sizes of what is kept, from options that hold no defaults. */
static void cnf_engine_configure(cnf_engine *s, const cnf_program *program, const cnf_solver_options *options,
                                 int32_t trace) {
  const cnf_tableau *method = cnf_tableau_at(options->method);
  const int adaptive = options->control == CNF_CONTROL_SAMPLE; /* batch control runs its steps as fixed ones */
  const int discrete = options->adjoint == CNF_ADJOINT_DISCRETE;
  s->options = *options;
  s->model.program = program;
  s->model.kernels = s->model.tile = CNF_TYPED(cnf_kernels_for)(options->isa);
  s->model.bf16 = options->precision == CNF_PRECISION_MIXED ? s->model.tile->bf16 : NULL;
  s->model.trace = trace;
  s->model.probes = options->probes;
  s->model.kinetic = options->kinetic;
  s->model.frobenius = options->frobenius;
  s->model.wants_time_rate =
      options->control != CNF_CONTROL_FIXED && options->max_step == 0 && cnf_program_reads_time(program);
  s->rules = cnf_family_rules_of(method->family);
  s->code = family_code_of(method->family);
  s->interpolant = cnf_interpolant_of(method);
  if (s->rules->start) method = cnf_tableau_at(cnf_method_find(s->rules->start));
  s->stages = cnf_stages_make(method, adaptive, !options->exclude_log_det);
  s->chunk_capacity = (adaptive ? CNF_MAX_CHUNK_TILES : 1) * s->model.kernels->lanes;
  s->record_capacity = cnf_record_capacity(options);
  s->record_rows = s->rules->all_rows && discrete ? state_rows(&s->model) : program->state_dim;
  s->scratch_count = s->stages.count + 1;
  if (s->code->configure) s->code->configure(s);
  s->advance = cnf_stages_states(&s->stages);
  s->rule = cnf_schedule_rule_of(options, checkpoint_bytes(s), s->record_capacity);
  s->bar_sets = group_size(&s->model) > 1 ? 1 : s->stages.count;
}

/* Takes the solver's memory: measured first, then carved by the same calls. Returns 0 if there is none. */
static int cnf_engine_allocate(cnf_engine *s) {
  cnf_arena arena = {0};
  cnf_engine_layout(s, &arena);
  s->bytes = arena.used;
  if (!arena.overflow) s->memory = cnf_memory_take(arena.used);
  if (!s->memory) return 0;
  arena = (cnf_arena){.base = s->memory};
  cnf_engine_layout(s, &arena);
  return 1;
}

cnf_status CNF_TYPED(cnf_solver_make)(const cnf_program *program, const cnf_solver_options *options, int32_t trace,
                                      cnf_engine **solver) {
  cnf_engine *s = calloc(1, sizeof *s);
  if (!s) return CNF_ERROR_MEMORY;
  cnf_engine_configure(s, program, options, trace);
  const cnf_status status = s->rule.capacity < 1      ? CNF_ERROR_CHECKPOINTS
                            : !cnf_engine_allocate(s) ? CNF_ERROR_MEMORY
                                                      : CNF_OK;
  if (status) {
    CNF_TYPED(cnf_solver_free)(s);
    return status;
  }
  tolerances_fill(s);
  s->threads = cnf_threads_start(s->options.threads);
  s->options.threads = cnf_threads_count(s->threads);
  *solver = s;
  return CNF_OK;
}

void CNF_TYPED(cnf_solver_free)(cnf_engine *s) {
  if (!s) return;
  cnf_threads_stop(s->threads);
  cnf_memory_free(s->memory, s->bytes);
  cnf_memory_free(s->reserved, s->bytes_reserved);
  free(s);
}

void CNF_TYPED(cnf_solver_work)(const cnf_engine *s, cnf_work *work) {
  for (int32_t i = 0; i < s->options.threads; i++) {
    const cnf_work *part = &s->workers[i].work;
    work->evaluations += part->evaluations;
    work->idle_evaluations += part->idle_evaluations;
    work->adjoint_evaluations += part->adjoint_evaluations;
    work->idle_adjoint_evaluations += part->idle_adjoint_evaluations;
    work->steps += part->steps;
    work->steps_recomputed += part->steps_recomputed;
    work->steps_repeated += part->steps_repeated;
    work->repeated_evaluations += part->repeated_evaluations;
    work->idle_repeated_evaluations += part->idle_repeated_evaluations;
  }
}

void CNF_TYPED(cnf_solver_describe)(const cnf_engine *s, cnf_solver_info *info) {
  info->lanes = s->model.tile->lanes;
  info->threads = s->options.threads;
  info->bytes = s->bytes;
  info->bytes_reserved = s->bytes_reserved;
  info->schedule = s->rule.kind;
  info->checkpoints = s->rule.capacity;
  info->rtol_floor = CNF_RTOL_FLOOR;
  info->rtol_raised = s->rtol_raised && (s->options.control != CNF_CONTROL_FIXED || s->rules->iterates);
}
