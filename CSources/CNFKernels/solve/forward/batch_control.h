/* CNF_CONTROL_BATCH: one step size for all samples. Compiled once per dtype by solve/call/solver_f32.c and
 * solver_f64.c. The common steps are found first, all tiles together; then the call runs on them as on fixed steps. It
 * is for comparison with integrators that work so. It allocates. All threads wait for each other after every step. */
#include "solve/decide/step_control.h"
#include "host/threads.h"
#include "solve/worker.h"
#include <stdlib.h>

typedef enum batch_phase {
  BATCH_LOAD,  /* x0 into the tiles */
  BATCH_FIRST, /* sums[0] = |x|^2, sums[1] = |f0|^2, scaled */
  BATCH_GUESS, /* sums[0] = |f1 - f0|^2, scaled */
  BATCH_STEP   /* x1, and sums[0] = |error|^2, scaled; of a first step then |x1 - x|^2, |h f|^2, |x1 - x - h f|^2 */
} batch_phase;

enum { BATCH_SUMS = 4 };

typedef struct batch {
  cnf_call *call;
  cnf_stages stages;
  batch_phase phase;
  double t, h, end;
  int32_t steps; /* accepted so far */
  cnf_ratios past;
  int64_t tiles;
  real *x, *x1; /* [tiles][S][lanes]: at the step's start and end */
  double *sums; /* [tiles][BATCH_SUMS] */
} batch;

/* Joins two sums of squares, or takes the larger of two; not a number where one is not. */
static double join_squares(int32_t norm, double a, double b) {
  if (norm == CNF_NORM_RMS) return a + b;
  return isnan(a) || b <= a ? a : b;
}

static double join_lanes(const cnf_worker *w, int32_t norm, const real *row) {
  double joined = 0;
  for (int32_t j = 0; j < w->e.model->kernels->lanes; j++)
    if (w->lane.sample[j] >= 0) joined = join_squares(norm, joined, (double)row[j]);
  return joined;
}

/* The samples of tile number `tile` into the lanes, at the batch's t and h. Their states come from b->x, in
 * BATCH_LOAD from the call. */
static void load_batch_tile(cnf_worker *w, const batch *b, int64_t tile) {
  WORKER_NAMES(w);
  const cnf_solve_input *in = b->call->input;
  w->chunk.first = 0; /* numbers of a tile's samples count from the first of the call */
  for (int32_t j = 0; j < lanes; j++) {
    const int64_t number = tile * lanes + j;
    idle_lane(w, b->call, j);
    if (number >= (int64_t)in->count) continue;
    bind_lane(w, b->call, number, j);
    load_probes(w, b->call, number, j);
    if (b->phase == BATCH_LOAD) column_in(D, lanes, (const real *)in->x0 + (size_t)number * (size_t)D, w->step.x, j);
  }
  use_scratch(w, 0);
  if (b->phase == BATCH_LOAD) return;
  copy_rows(S, lanes, b->x + (size_t)tile * (size_t)S * (size_t)lanes, w->step.x);
  for (int32_t j = 0; j < lanes; j++)
    if (w->lane.sample[j] >= 0)
      place_lane(w, j, b->t, b->h, b->end);
    else
      place_lane(w, j, b->t, 0, b->t);
  zero_rows(1, lanes, w->step.row);
  zero_rows(1, lanes, w->step.sum_row);
}

/* BATCH_STEP: makes an attempt, and joins its squares into sums [BATCH_SUMS]. */
static void try_batch_step(cnf_worker *w, const batch *b, double *sums) {
  WORKER_NAMES(w);
  const cnf_engine *solver = b->call->solver;
  const cnf_solver_options *o = &solver->options;
  const int32_t components = D + (m->trace != CNF_TRACE_NONE && !o->exclude_log_det);
  const cnf_work before = w->work;
  cnf_step_record no_slots = {.first = -1, .rest = -1};
  load_unit_tangents(w);
  if (m->trace == CNF_TRACE_HUTCHINSON) prepare_constants(m, &w->e.constants);
  solver->code->step(w, b->call, &b->stages, &no_slots);
  w->work = before; /* the batch counts these evaluations */
  const weighted list = slopes(w, b->stages.count, b->stages.tableau->e);
  k->error_squares(components, w->step.x, w->step.x1, w->step.h_row, list.count, list.weight, list.panel, solver->rtol,
                   solver->atol, o->norm, w->step.sum_row);
  k->finite(S, w->step.x1, 1, w->step.sum_row);
  sums[0] = join_lanes(w, o->norm, w->step.sum_row);
  if (b->steps > 0) return;
  const attempt made = forward_attempt(w, solver, components);
  real *rows[] = {w->step.row, w->step.mask_row, w->step.sum_row};
  bend_squares(w, &made, o->norm, rows[0], rows[1], rows[2]);
  for (int32_t n = 0; n < 3; n++) sums[1 + n] = join_lanes(w, o->norm, rows[n]);
}

/* BATCH_FIRST and BATCH_GUESS, into sums [2]. */
static void guess_batch_step(cnf_worker *w, const batch *b, double *sums) {
  WORKER_NAMES(w);
  const int32_t norm = b->call->solver->options.norm;
  const real *rtol = b->call->solver->rtol, *atol = b->call->solver->atol;
  real *f0 = slope(w, 0);
  const real one = 1, *slope_list[1] = {f0};
  copy_rows(D, lanes, w->step.x, w->e.kept.value);
  time_row(w, 0);
  evaluate_slope(w, 0, f0);
  if (b->phase == BATCH_FIRST) {
    k->scaled_squares(D, w->step.x, NULL, w->step.x, rtol, atol, norm, w->step.row);
    k->scaled_squares(D, f0, NULL, w->step.x, rtol, atol, norm, w->step.sum_row);
    sums[0] = join_lanes(w, norm, w->step.row);
    sums[1] = join_lanes(w, norm, w->step.sum_row);
    return;
  }
  step_row(w);
  time_row(w, 1);
  k->combine(D, w->step.x, w->step.h_row, 1, &one, slope_list, w->e.kept.value);
  evaluate_slope(w, 0, w->step.x1);
  k->scaled_squares(D, w->step.x1, f0, w->step.x, rtol, atol, norm, w->step.row);
  sums[0] = join_lanes(w, norm, w->step.row);
}

/* A task: the phase on one tile. */
static void batch_task(void *context, int64_t tile, int32_t worker) {
  batch *b = context;
  cnf_worker *w = &b->call->solver->workers[worker];
  WORKER_NAMES(w);
  const size_t state = (size_t)S * (size_t)lanes;
  load_batch_tile(w, b, tile);
  switch (b->phase) {
  case BATCH_LOAD: copy_rows(S, lanes, w->step.x, b->x + (size_t)tile * state); break;
  case BATCH_FIRST:
  case BATCH_GUESS: guess_batch_step(w, b, b->sums + BATCH_SUMS * tile); break;
  case BATCH_STEP:
    try_batch_step(w, b, b->sums + BATCH_SUMS * tile);
    copy_rows(S, lanes, w->step.x1, b->x1 + (size_t)tile * state);
  }
}

/* The norm over `count` components of what a phase has left in sums[which], joined in the order of the tiles. */
static double batch_norm(const batch *b, int which, double count) {
  const int32_t norm = b->call->solver->options.norm;
  double joined = 0;
  for (int64_t i = 0; i < b->tiles; i++) joined = join_squares(norm, joined, b->sums[BATCH_SUMS * i + which]);
  return sqrt(norm == CNF_NORM_MAX ? joined : joined / count);
}

/* Runs a phase over all tiles. */
static void batch_run(batch *b, batch_phase phase) {
  b->phase = phase;
  cnf_threads_run(b->call->solver->threads, b->tiles, batch_task, b);
}

static double batch_first_step(batch *b) {
  const cnf_solver_options *o = &b->call->solver->options;
  const cnf_solve_input *in = b->call->input;
  double span = fabs(in->t1 - in->t0), n = (double)in->count * b->call->solver->model.program->state_dim;
  double least = cnf_least_step(o->min_step, in->t0, in->t1);
  if (o->initial_step > 0) return fmin(fmax(o->initial_step, least), span);
  b->call->evaluations += 2;
  batch_run(b, BATCH_FIRST);
  double d0 = batch_norm(b, 0, n), d1 = batch_norm(b, 1, n);
  double h0 = fmin(cnf_first_guess(span, d0, d1), span);
  b->h = in->t1 > in->t0 ? h0 : -h0;
  b->end = cnf_limit_time(in->t0 + b->h, b->h, in->t1);
  batch_run(b, BATCH_GUESS);
  double d2 = batch_norm(b, 0, n) / h0;
  return fmin(fmax(cnf_first_step(span, h0, d0, d1, d2, b->stages.order), least), span);
}

/* All samples have made a step of the search. */
static void report_batch_progress(const cnf_call *call) {
  const int32_t lanes = call->solver->model.kernels->lanes;
  const size_t count = call->input->count;
  const cnf_progress progress = {
      .struct_size = sizeof progress, .samples = count < (size_t)lanes ? (int32_t)count : lanes, .count = count};
  if (call->input->progress && call->input->progress(call->input->progress_context, &progress))
    __atomic_store_n(call->cancelled, 1, __ATOMIC_RELAXED);
}

/* Finds the steps from t0 to t1, into solver->grid as fractions. Returns how the batch ended. *steps receives their
 * number, *t the time reached. */
static int32_t batch_steps(batch *b, int32_t *steps, double *t) {
  cnf_engine *solver = b->call->solver;
  const cnf_solver_options *o = &solver->options;
  const cnf_solve_input *in = b->call->input;
  int components = solver->model.program->state_dim + (solver->model.trace != CNF_TRACE_NONE && !o->exclude_log_det);
  double direction = in->t1 > in->t0 ? 1 : -1, n = (double)in->count * components;
  int last = 0, was_not_finite = 0;
  *steps = b->steps = 0;
  *t = b->t = b->end = in->t0;
  solver->grid[0] = 0;
  b->past = (cnf_ratios){1, 1};
  batch_run(b, BATCH_LOAD);
  double h = direction * batch_first_step(b);
  for (int32_t attempts = 0; attempts < o->max_steps; attempts++) {
    const double longest = cnf_longest_step(o, solver->model.time_rate, in->t0, in->t1, *steps == 0);
    b->h = cnf_clip_step(b->t, cnf_bound_step(h, longest), in->t1, in->t1 - in->t0, &last);
    b->end = last ? in->t1 : cnf_limit_time(b->t + b->h, b->h, in->t1);
    if (!last && fabs(b->h) < cnf_least_step(o->min_step, b->t, in->t1))
      return was_not_finite ? CNF_SAMPLE_NOT_FINITE : CNF_SAMPLE_STEP_TOO_SMALL;
    b->call->evaluations += b->stages.evaluations;
    batch_run(b, BATCH_STEP);
    double ratio = batch_norm(b, 0, n);
    if (ratio <= 1 && *steps == 0)
      ratio = fmax(ratio, cnf_first_ratio(&b->stages, batch_norm(b, 1, n), batch_norm(b, 2, n), batch_norm(b, 3, n)));
    h = b->h * cnf_step_factor(o, ratio, b->stages.order, &b->past);
    if (ratio <= 1) {
      real *swap = b->x;
      b->x = b->x1, b->x1 = swap;
      *t = b->t = b->end;
      b->steps = ++*steps;
      solver->grid[*steps] = last ? 1 : (b->t - in->t0) / (in->t1 - in->t0);
      if (last) return CNF_SAMPLE_OK;
      report_batch_progress(b->call);
      if (is_cancelled(b->call)) return CNF_SAMPLE_CANCELLED;
    } else {
      was_not_finite = !isfinite(ratio);
      b->call->steps_rejected++;
    }
  }
  return CNF_SAMPLE_MAX_STEPS;
}

/* The batch failed: every sample has the same status, and the state where the batch stopped. */
static void write_failed_batch(const batch *b, int32_t status, int32_t steps, double t) {
  const cnf_model *m = &b->call->solver->model;
  int32_t D = m->program->state_dim, lanes = m->kernels->lanes, S = state_rows(m);
  cnf_solve_output *out = b->call->output;
  cnf_gradient *g = b->call->gradient;
  const double *grid = b->call->solver->grid, span = fabs(b->call->input->t1 - b->call->input->t0);
  double smallest = steps > 0 ? INFINITY : 0;
  for (int32_t n = 0; n < steps; n++) smallest = fmin(smallest, (grid[n + 1] - grid[n]) * span);
  for (size_t i = 0; i < b->call->input->count; i++) {
    real *tile = b->x + i / (size_t)lanes * (size_t)S * (size_t)lanes;
    const cnf_integrands integrals = integrands_of(m, tile);
    int32_t lane = (int32_t)(i % (size_t)lanes);
    if (out && out->x1) column_out(D, lanes, tile, lane, (real *)out->x1 + i * (size_t)D);
    if (out && out->log_det) out->log_det[i] = (double)integrals.divergence[lane];
    if (out && out->kinetic) out->kinetic[i] = (double)integrals.kinetic[lane];
    if (out && out->frobenius) out->frobenius[i] = (double)integrals.frobenius[lane];
    if (out && out->t_reached) out->t_reached[i] = t;
    if (out && out->event) out->event[i] = -1;
    if (out && out->status) out->status[i] = status;
    if (out && out->accepted) out->accepted[i] = steps;
    if (out && out->rejected) out->rejected[i] = b->call->steps_rejected;
    if (out && out->evaluations) out->evaluations[i] = b->call->evaluations;
    if (out && out->smallest_step) out->smallest_step[i] = smallest;
    if (out && out->adjoint_evaluations) out->adjoint_evaluations[i] = 0;
    if (out && out->reconstruction_error) out->reconstruction_error[i] = NAN;
    for (size_t n = 0; out && out->dense && n <= out->dense_stride; n++)
      out->dense_ends[i * (out->dense_stride + 1) + n] = NAN;
    if (out && out->dense && out->dense_left_out) out->dense_left_out[i] = steps;
    for (size_t n = 0; out && out->step_fractions && n < out->step_fraction_stride; n++)
      out->step_fractions[i * out->step_fraction_stride + n] = n <= (size_t)steps ? b->call->solver->grid[n] : NAN;
    if (g && g->x0) memset((real *)g->x0 + i * (size_t)D, 0, (size_t)D * sizeof(real));
    if (g) clear_context_bar(b->call, i);
    if (g && g->t0) g->t0[i] = 0;
    if (g && g->t1) g->t1[i] = 0;
    if (g && g->loss && b->call->loss->kind != CNF_LOSS_COTANGENTS) g->loss[i] = NAN;
  }
  if (g && g->parameters) memset(g->parameters, 0, m->program->parameter_count * sizeof(real));
}

/* Finds the steps. *failed = 1: outputs are written and the call is over. */
static cnf_status find_batch_steps(cnf_call *call, int32_t *steps, int *failed) {
  const cnf_model *m = &call->solver->model;
  int32_t lanes = m->kernels->lanes, status;
  double t;
  batch b = {.call = call};
  b.stages = cnf_stages_make(call->solver->stages.tableau, 1, !call->solver->options.exclude_log_det);
  b.tiles = ((int64_t)call->input->count + lanes - 1) / lanes;
  b.stages.fsal = 0; /* every stage is evaluated: a step after a rejected one shares no slope */
  b.stages.evaluations = b.stages.count;
  if (call->solver->code->evaluations) b.stages.evaluations = call->solver->code->evaluations(m, &b.stages);
  size_t state = (size_t)state_rows(m) * (size_t)lanes * sizeof(real);
  b.x = calloc((size_t)b.tiles, state);
  b.x1 = calloc((size_t)b.tiles, state);
  b.sums = calloc((size_t)b.tiles, BATCH_SUMS * sizeof(double));
  *failed = 0;
  int have_memory = b.x && b.x1 && b.sums;
  if (have_memory) {
    status = batch_steps(&b, steps, &t);
    if (status != CNF_SAMPLE_OK) {
      write_failed_batch(&b, status, *steps, t);
      *failed = 1;
    }
  }
  free(b.x);
  free(b.x1);
  free(b.sums);
  return have_memory ? CNF_OK : CNF_ERROR_MEMORY;
}
