/* A solver's memory: one allocation for what is used, one reservation of address space for step records. */
#include "solve/call/memory.h"
#include "solve/solver.h"

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

/* The arrays of a chunk, by sample within it. */
static void chunk_layout(cnf_worker *w, const cnf_engine *s, cnf_arena *arena) {
  size_t chunk = (size_t)s->chunk_capacity, D = (size_t)s->model.program->state_dim;
  w->chunk_x1 = cnf_arena_take(arena, chunk * D, sizeof(real));
  w->chunk_x1_bar = cnf_arena_take(arena, chunk * D, sizeof(real));
  double **numbers[] = {&w->chunk_log_det, &w->chunk_t, &w->chunk_smallest, &w->chunk_loss, &w->chunk_log_det_bar};
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    *numbers[i] = cnf_arena_take(arena, chunk, sizeof(double));
  int32_t **counts[] = {&w->chunk_status, &w->chunk_accepted, &w->chunk_rejected, &w->chunk_evaluations,
                        &w->chunk_reversed};
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
    *counts[i] = cnf_arena_take(arena, chunk, sizeof(int32_t));
  w->chunk_kinetic = cnf_arena_take(arena, s->model.kinetic ? chunk : 0, sizeof(double));
  w->chunk_frobenius = cnf_arena_take(arena, s->model.frobenius ? chunk : 0, sizeof(double));
  w->order = cnf_arena_take(arena, chunk, sizeof(int32_t));
  w->chunk_event = cnf_arena_take(arena, chunk, sizeof(int32_t));
  w->chunk_verdict = cnf_arena_take(arena, chunk, sizeof(int32_t));
  w->chunk_interval = cnf_arena_take(arena, chunk, sizeof(int32_t));
  w->chunk_event_bar = cnf_arena_take(arena, chunk, sizeof(double));
  w->start_h = cnf_arena_take(arena, chunk, sizeof(double));
  w->start_slope = cnf_arena_take(arena, chunk * (size_t)state_rows(&s->model), sizeof(real));
  w->start_slot = cnf_arena_take(arena, chunk, sizeof(int32_t));
  w->start_constant = cnf_arena_take(arena, chunk * (size_t)s->constant_rows, sizeof(real));
}

static void reversible_layout(cnf_worker *w, const cnf_engine *s, cnf_arena *arena) {
  const cnf_model *m = &s->model;
  const size_t row = (size_t)m->kernels->lanes * sizeof(real), chunk = (size_t)s->chunk_capacity;
  const size_t D = cnf_is_reversible(s->family) ? (size_t)m->program->state_dim : 0;
  real **panels[] = {&w->y, &w->y1, &w->kappa, &w->phi};
  for (size_t i = 0; i < sizeof panels / sizeof panels[0]; i++) *panels[i] = cnf_arena_take(arena, D, row);
  w->chunk_y = cnf_arena_take(arena, chunk * D, sizeof(real));
  w->chunk_retrace_error = cnf_arena_take(arena, D ? chunk : 0, sizeof(double));
}

static void continuous_layout(cnf_worker *w, const cnf_engine *s, cnf_arena *arena) {
  const cnf_model *m = &s->model;
  size_t row = (size_t)m->kernels->lanes * sizeof(real), pair = 2 * (size_t)m->program->state_dim;
  w->pair = cnf_arena_take(arena, pair, row);
  w->pair1 = cnf_arena_take(arena, pair, row);
  w->pair_k = cnf_arena_take(arena, (size_t)s->stages.count * pair, row);
  w->held_md1 = cnf_arena_take(arena, (size_t)m->m_rows, row);
  sums_layout(&w->discarded_sums, m, arena);
  w->discarded_context = cnf_arena_take(arena, (size_t)m->program->context_dim, row);
  w->discarded = NULL;
  if (m->program->callbacks) w->discarded = cnf_arena_take(arena, m->gradient_size, sizeof(real));
}

static void adjoint_layout(cnf_worker *w, const cnf_engine *s, cnf_arena *arena, cnf_arena *reserve) {
  size_t row = (size_t)s->model.kernels->lanes * sizeof(real), D = (size_t)s->model.program->state_dim;
  size_t stages = (size_t)s->stages.count;
  w->bars = cnf_arena_take(arena, (size_t)s->bar_sets, sizeof *w->bars);
  for (int32_t i = 0; i < s->bar_sets; i++) {
    cnf_bars measured;
    bars_layout(w->bars ? &w->bars[i] : &measured, &s->model, arena);
  }
  if (w->bars) w->e.bars = w->bars[0];
  w->reversed = cnf_arena_take(arena, stages, sizeof *w->reversed);
  if (s->model.trace == CNF_TRACE_HUTCHINSON) constants_layout(&w->queue, &s->model, arena);
  w->lambda = cnf_arena_take(arena, D, row);
  w->stage_bar = cnf_arena_take(arena, stages * D, row);
  w->slope = cnf_arena_take(arena, D, row);
  const int continuous = s->options.adjoint == CNF_ADJOINT_CONTINUOUS;
  if (continuous) continuous_layout(w, s, arena);
  reversible_layout(w, s, arena);
  if (!continuous && s->model.program->callbacks) /* of events alone */
    w->discarded = cnf_arena_take(reserve, s->model.gradient_size, sizeof(real));
  w->gradient_before =
      cnf_arena_take(reserve, s->model.gradient_size, sizeof(real)); /* of chunks behind others alone */
  w->slots = cnf_arena_take(reserve, (size_t)s->slot_capacity * s->slot_size, sizeof(real));
  const size_t steps = (size_t)s->record_capacity, chunk = (size_t)s->chunk_capacity;
  const int adaptive = s->options.control == CNF_CONTROL_SAMPLE;
  w->record_step = cnf_arena_take(reserve, adaptive ? steps * chunk : steps, sizeof *w->record_step);
  const int discrete = s->options.adjoint == CNF_ADJOINT_DISCRETE;
  const int scheduled = discrete && s->rule.kind != CNF_SCHEDULE_EVERY_STEP;
  const size_t states = discrete ? chunk * (size_t)s->rule.capacity : continuous ? chunk * steps : 0;
  w->record_x = cnf_arena_take(reserve, states, (size_t)s->record_rows * sizeof(real));
  w->checkpoints = cnf_arena_take(reserve, scheduled ? states : 0, sizeof *w->checkpoints);
  w->own_x = cnf_arena_take(arena, scheduled ? chunk : 0, D * sizeof(real));
  w->trails = cnf_arena_take(arena, scheduled ? chunk : 0, sizeof *w->trails);
}

static void implicit_layout(cnf_implicit *im, const cnf_engine *s, cnf_arena *arena) {
  const size_t lanes = (size_t)s->model.kernels->lanes, row = lanes * sizeof(real);
  const size_t D = s->stages.tableau->rosenbrock ? (size_t)s->model.program->state_dim : 0;
  im->matrix = cnf_arena_take(arena, D * D, row);
  im->pivot = cnf_arena_take(arena, D, lanes * sizeof *im->pivot);
  im->f = cnf_arena_take(arena, D, row);
  im->f_t = cnf_arena_take(arena, D, row);
  im->x_bar = cnf_arena_take(arena, D, row);
  im->f_bar = cnf_arena_take(arena, D, row);
  im->f_t_bar = cnf_arena_take(arena, D, row);
  im->integrands = cnf_arena_take(arena, D ? 3 * (size_t)state_rows(&s->model) : 0, row);
}

static void worker_layout(cnf_worker *w, const cnf_engine *s, cnf_arena *arena, cnf_arena *reserve) {
  size_t row = (size_t)s->model.kernels->lanes * sizeof(real), stages = (size_t)s->stages.count;
  evaluator_layout(&w->e, &s->model, arena);
  size_t state = (size_t)state_rows(&s->model);
  w->x = cnf_arena_take(arena, state, row);
  w->x1 = cnf_arena_take(arena, state, row);
  w->k =
      cnf_arena_take(arena, (stages + (size_t)cnf_interpolant_slopes(&s->interpolant, s->stages.count)) * state, row);
  size_t slopes = cnf_is_adams(s->family) ? (size_t)cnf_adams_slopes(s->options.order) : 0;
  w->history = cnf_arena_take(arena, slopes * state, row);
  w->one_row = cnf_arena_take(arena, slopes > 0, row);
  w->scratch = cnf_arena_take(arena, (size_t)s->scratch_count * kept_reals(&s->model), sizeof(real));
  w->dense = cnf_arena_take(arena, (size_t)(s->interpolant.terms + 1) * ((size_t)s->model.program->state_dim + 1), row);
  real **rows[] = {&w->h_row,     &w->time_row,     &w->mask_row,      &w->sum_row,           &w->row,
                   &w->mu_row,    &w->stage_mu_row, &w->time_bar_row,  &w->divergence_row,    &w->h_bar_row,
                   &w->t_bar_row, &w->kinetic_row,  &w->frobenius_row, &w->stage_kinetic_row, &w->stage_frobenius_row};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) *rows[i] = cnf_arena_take(arena, 1, row);
  w->event_x = cnf_arena_take(arena, (size_t)s->model.program->state_dim, row);
  w->event_bar = cnf_arena_take(arena, (size_t)s->model.program->state_dim, row);
  chunk_layout(w, s, arena);
  adjoint_layout(w, s, arena, reserve);
  implicit_layout(&w->implicit, s, arena);
}

static void solver_layout(cnf_engine *s, cnf_arena *arena, cnf_arena *reserve) {
  size_t threads = (size_t)s->options.threads;
  model_layout(&s->model, arena);
  s->constant_rows = constant_reals(&s->model);
  s->slot_size = kept_reals(&s->model);
  if (s->options.control == CNF_CONTROL_SAMPLE)
    s->slot_size = ROUND_UP(s->slot_size / (size_t)s->model.kernels->lanes, CNF_CACHE_LINE / sizeof(real));
  size_t slots = (size_t)s->options.store_bytes / (s->slot_size * sizeof(real));
  s->slot_capacity = slots < CNF_MOST_SLOTS ? (int32_t)slots : CNF_MOST_SLOTS;
  s->rtol = cnf_arena_take(arena, (size_t)s->model.program->state_dim + 1, sizeof(real));
  s->atol = cnf_arena_take(arena, (size_t)s->model.program->state_dim + 1, sizeof(real));
  const size_t pair = s->options.adjoint == CNF_ADJOINT_CONTINUOUS ? 2 * (size_t)s->model.program->state_dim : 0;
  s->pair_rtol = cnf_arena_take(arena, pair, sizeof(real));
  s->pair_atol = cnf_arena_take(arena, pair, sizeof(real));
  s->grid = cnf_arena_take(arena, (size_t)s->record_capacity + 1, sizeof(double));
  cnf_worker *workers = cnf_arena_take(arena, threads, sizeof *workers);
  for (size_t i = 0; i < threads; i++) {
    cnf_worker measured;
    worker_layout(workers ? &workers[i] : &measured, s, arena, reserve);
  }
  s->workers = workers;
  s->partials.memory = cnf_arena_take(reserve, CNF_MAX_GROUPS * s->model.gradient_size, sizeof(real));
}

/* The caller's tolerances, row by row. A state that is exactly 0 must not divide by 0. */
static void tolerances_fill(cnf_engine *s) {
  cnf_solver_options *o = &s->options;
  const int32_t D = s->model.program->state_dim;
  const double least = CNF_REAL_BITS == 32 ? 1e-36 : 1e-300;
  for (int32_t d = 0; d <= D; d++) {
    s->rtol[d] = (real)(o->rtol_rows && d < D ? o->rtol_rows[d] : o->rtol);
    s->atol[d] = (real)fmax(o->atol_rows && d < D ? o->atol_rows[d] : o->atol, least);
  }
  for (int32_t d = 0; o->adjoint == CNF_ADJOINT_CONTINUOUS && d < 2 * D; d++) {
    s->pair_rtol[d] = o->adjoint_rtol > 0 ? (real)o->adjoint_rtol : s->rtol[d % D];
    s->pair_atol[d] = o->adjoint_atol > 0 ? (real)fmax(o->adjoint_atol, least) : s->atol[d % D];
    if (!s->stages.tableau->rosenbrock || d >= D) continue; /* x comes of the way forward, which has it to its own */
    if (s->rtol[d] > s->pair_rtol[d]) s->pair_rtol[d] = s->rtol[d];
    if (s->atol[d] > s->pair_atol[d]) s->pair_atol[d] = s->atol[d];
  }
  o->rtol_rows = o->atol_rows = NULL; /* the caller's arrays may go */
}

/* Of one checkpoint of every sample of a chunk: states, and what is known of them. */
static size_t checkpoint_bytes(const cnf_engine *s) {
  return (size_t)s->chunk_capacity * ((size_t)s->model.program->state_dim * sizeof(real) + sizeof(cnf_checkpoint));
}

cnf_status CNF_TYPED(cnf_solver_make)(const cnf_program *program, const cnf_solver_options *options, int32_t trace,
                                      cnf_engine **solver) {
  cnf_engine *s = calloc(1, sizeof *s);
  if (!s) return CNF_ERROR_MEMORY;
  s->options = *options;
  s->model.program = program;
  s->model.kernels = s->model.tile = CNF_TYPED(cnf_kernels_for)(options->isa);
  s->model.bf16 = options->precision == CNF_PRECISION_MIXED ? s->model.tile->bf16 : NULL;
  s->model.trace = trace;
  s->model.probes = options->probes;
  s->model.kinetic = options->kinetic;
  s->model.frobenius = options->frobenius;
  /* batch control runs its steps as fixed ones, once it has found them */
  const cnf_tableau *method = cnf_tableau_at(options->method);
  s->family = method->family;
  s->interpolant = cnf_interpolant_of(method);
  if (cnf_is_adams(s->family)) method = cnf_tableau_at(cnf_method_find(CNF_ADAMS_START));
  s->stages = cnf_stages_make(method, options->control == CNF_CONTROL_SAMPLE, !options->exclude_log_det);
  if (s->stages.tableau->rosenbrock) {
    s->model.jacobian = trace == CNF_TRACE_NONE;
    s->model.trace = CNF_TRACE_EXACT_TANGENTS;
    s->stages.evaluations = s->stages.reversed = rosenbrock_evaluations(&s->model, &s->stages);
  }
  s->chunk_capacity = (options->control == CNF_CONTROL_SAMPLE ? CNF_MAX_CHUNK_TILES : 1) * s->model.kernels->lanes;
  s->record_capacity = cnf_record_capacity(options);
  s->record_rows = s->family == CNF_FAMILY_EXPLICIT_ADAMS && options->adjoint == CNF_ADJOINT_DISCRETE
                       ? state_rows(&s->model)
                       : program->state_dim;
  s->scratch_count = s->stages.count + 1;
  if (s->stages.tableau->rosenbrock && options->adjoint == CNF_ADJOINT_CONTINUOUS) {
    s->record_rows = CNF_TRACK_PARTS * program->state_dim;
    s->scratch_count = s->stages.count + 2;
    s->stages.trials = s->stages.count + 2; /* reverses, each its evaluation's but for stages at one time */
  }
  s->advance = cnf_stages_states(&s->stages);
  s->rule = cnf_schedule_rule_of(options, checkpoint_bytes(s), s->record_capacity);
  if (s->rule.capacity < 1) {
    CNF_TYPED(cnf_solver_free)(s);
    return CNF_ERROR_CHECKPOINTS;
  }
  s->bar_sets = group_size(&s->model) > 1 ? 1 : s->stages.count;
  cnf_arena arena = {0}, reserve = {0};
  solver_layout(s, &arena, &reserve);
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
  solver_layout(s, &arena, &reserve);
  tolerances_fill(s);
  *solver = s;
  return CNF_OK;
}

void CNF_TYPED(cnf_solver_free)(cnf_engine *s) {
  if (!s) return;
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
  info->bytes = s->bytes;
  info->bytes_reserved = s->bytes_reserved;
  info->schedule = s->rule.kind;
  info->checkpoints = s->rule.capacity;
}
