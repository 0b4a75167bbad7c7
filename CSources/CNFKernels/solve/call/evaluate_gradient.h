/* cnf_solver_evaluate_vjp: the gradient of a function of the field and its divergence where samples start, summed
 * over samples. Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c. A tile is evaluated, given its
 * cotangents and reversed while its panels are in cache. That is an euler step with h = 1: k_bar is the velocity's
 * cotangent and mu that of the divergence, without the state's own cotangent. Tiles are grouped, and the groups'
 * gradients added, as in a solve with fixed steps. */
#include "solve/worker.h"

typedef struct field_gradient {
  cnf_call call; /* first: run_gradient passes on a pointer to it */
  const cnf_field_cotangents *bars;
  int with_divergence;
} field_gradient;

/* Velocities, divergences and statuses of the lanes' samples, into the worker's chunk. If a number of a sample is
 * not finite, it leaves its lane, and its gradients are zeros. Returns a lane that still has a sample, or -1. */
static int32_t judge_points(cnf_worker *w, const field_gradient *fg, const real *divergence) {
  WORKER_NAMES(w);
  const real *f = rows_of(m, w->e.kept.value, 0, m->program->op_count);
  const cnf_gradient *g = fg->call.gradient;
  int32_t live = -1;
  /* all blocks and their tangents: a net that saturates over infinite ones has an answer, but no gradient */
  k->finite(fg->with_divergence ? kept_rows(m) : kept_value_rows(m), w->e.kept.value, 0, w->step.row);
  if (fg->with_divergence) k->finite(1, divergence, 1, w->step.row);
  k->finite(m->program->context_dim, w->e.context, 1, w->step.row);
  for (int32_t j = 0; j < lanes; j++) {
    const int64_t s = w->lane.sample[j];
    if (s < 0) continue;
    const size_t number = (size_t)(w->chunk.first + s);
    const int finite = w->step.row[j] == 0;
    column_out(D, lanes, f, j, w->chunk.x1 + (size_t)s * (size_t)D);
    w->chunk.log_det[s] = fg->with_divergence ? (double)divergence[j] : 0;
    w->chunk.status[s] = finite ? CNF_SAMPLE_OK : CNF_SAMPLE_NOT_FINITE;
    if (finite) {
      live = j;
      continue;
    }
    idle_lane(w, &fg->call, j);
    clear_probes(w, j);
    if (g->x0) memset((real *)g->x0 + number * (size_t)D, 0, (size_t)D * sizeof(real));
    if (g->t0) g->t0[number] = 0;
    clear_context_bar(&fg->call, number);
  }
  return live;
}

static void target_loss(cnf_worker *w, const cnf_field_loss *loss, int64_t count, int32_t D) {
  for (int64_t s = 0; s < count; s++) {
    const size_t number = (size_t)(w->chunk.first + s), at = (size_t)s * (size_t)D;
    const real *f = w->chunk.x1 + at, *target = (const real *)loss->target + number * (size_t)D;
    const double weight = loss->scale * (loss->weights ? loss->weights[number] : 1);
    double sum = 0;
    for (int32_t d = 0; d < D; d++) {
      const double miss = (double)f[d] - (double)target[d];
      sum += miss * miss;
      w->loss.x1_bar[at + (size_t)d] = (real)(weight * miss);
    }
    w->loss.loss[s] = weight * 0.5 * sum;
  }
}

/* The loss of the tile's samples and its cotangents. Returns 0 if a callback failed. */
static int point_cotangents(cnf_worker *w, const field_gradient *fg, int64_t count) {
  WORKER_NAMES(w);
  const cnf_field_cotangents *bars = fg->bars;
  const cnf_field_loss *loss = bars->loss;
  const size_t rows = (size_t)count * (size_t)D;
  memset(w->loss.loss, 0, (size_t)count * sizeof(double));
  memset(w->loss.log_det_bar, 0, (size_t)count * sizeof(double));
  memset(w->loss.x1_bar, 0, rows * sizeof(real));
  if (loss && loss->kind == CNF_FIELD_LOSS_TARGET) target_loss(w, loss, count, D);
  if (loss && loss->kind == CNF_FIELD_LOSS_CALLBACK &&
      loss->function(loss->context, (size_t)w->chunk.first, (size_t)count, w->chunk.x1, w->chunk.log_det,
                     w->chunk.status, w->loss.loss, w->loss.x1_bar, w->loss.log_det_bar) != 0)
    return 0;
  const real *velocity = bars->velocity ? (const real *)bars->velocity + (size_t)w->chunk.first * (size_t)D : NULL;
  for (size_t i = 0; velocity && i < rows; i++) w->loss.x1_bar[i] += velocity[i];
  for (int64_t s = 0; bars->divergence && s < count; s++)
    w->loss.log_det_bar[s] += bars->divergence[w->chunk.first + s];
  double *out = fg->call.gradient->loss;
  for (int64_t s = 0; loss && out && s < count; s++)
    out[w->chunk.first + s] = w->chunk.status[s] == CNF_SAMPLE_OK ? w->loss.loss[s] : NAN;
  return 1;
}

/* Cotangents into the lanes that have a sample, zeros into the others. */
static void load_point_bars(cnf_worker *w) {
  WORKER_NAMES(w);
  real *f_bar = rows_of(m, w->e.bars.bar, 0, m->program->op_count);
  for (int32_t j = 0; j < lanes; j++) {
    const int64_t s = w->lane.sample[j];
    w->back.integrand_bars.divergence[j] = s < 0 ? 0 : (real)w->loss.log_det_bar[s] * probe_weight(m);
    if (m->kinetic) w->back.integrand_bars.kinetic[j] = 0;
    if (m->frobenius) w->back.integrand_bars.frobenius[j] = 0;
    if (s < 0)
      column_zero(D, lanes, f_bar, j);
    else
      column_in(D, lanes, w->loss.x1_bar + (size_t)s * (size_t)D, f_bar, j);
  }
}

/* Reverses the tile's evaluation, which is in scratch 0. Lane `live` has a sample. */
static void reverse_points(cnf_worker *w, const field_gradient *fg, int32_t live, real *gradient) {
  WORKER_NAMES(w);
  const cnf_integrands bars = w->back.integrand_bars;
  const int by_tangents = fg->with_divergence && tangent_count(m) > 0;
  const cnf_gradient *g = fg->call.gradient;
  int idle = 0;
  for (int32_t j = 0; j < lanes; j++) idle += w->lane.sample[j] < 0;
  if (idle) fill_idle_inputs(w, live);
  if (idle) fill_idle_lanes(w, kept_rows(m), w->e.kept.value, live);
  if (by_tangents && idle) prepare_constants(m, &w->e.constants);
  if (by_tangents) clear_constants(m, &w->e.constants);
  w->e.bars = w->back.bars[0];
  load_point_bars(w);
  zero_rows(1, lanes, w->back.time_bar_row);
  const cnf_reversed done =
      evaluate_reverse(&w->e, fg->with_divergence ? &bars : NULL, w->back.time_bar_row, gradient, w->back.integrands);
  gather_gradients(m, &done, 1, gradient);
  if (by_tangents) finish_constants(m, &w->e.constants, gradient);
  for (int32_t j = 0; j < lanes; j++) {
    if (w->lane.sample[j] < 0) continue;
    const size_t number = (size_t)(w->chunk.first + w->lane.sample[j]);
    if (g->x0) column_out(D, lanes, w->e.bars.bar, j, (real *)g->x0 + number * (size_t)D);
    if (g->t0) g->t0[number] = (double)w->back.time_bar_row[j];
    write_context_bar(w, &fg->call, number, j);
  }
}

/* A task: one group, tile after tile into one partial gradient. */
static void field_gradient_task(void *context, int64_t number, int32_t worker) {
  field_gradient *fg = context;
  cnf_call *call = &fg->call;
  cnf_worker *w = &call->solver->workers[worker];
  cnf_partials *partials = &call->solver->partials;
  WORKER_NAMES(w);
  if (has_failed(call)) return;
  const int32_t buffer = partials_take(partials);
  real *gradient = partials->memory + (size_t)buffer * m->gradient_size;
  int64_t first = number * call->group, end = first + call->group;
  if (end > (int64_t)call->input->count) end = (int64_t)call->input->count;
  memset(gradient, 0, m->gradient_size * sizeof(real));
  if (fg->with_divergence) load_unit_tangents(w);
  for (; first < end; first += lanes) {
    load_points(w, call, first, fg->with_divergence);
    evaluate(&w->e, w->step.time_row, fg->with_divergence, w->back.integrands);
    const int32_t live = judge_points(w, fg, w->back.integrands.divergence);
    if (!point_cotangents(w, fg, end - first < lanes ? end - first : lanes)) {
      __atomic_store_n(&call->callback_failed, 1, __ATOMIC_RELAXED);
      partials_give(partials, buffer);
      return;
    }
    if (live >= 0) reverse_points(w, fg, live, gradient);
  }
  partials_add(partials, (int32_t)number, buffer, m->gradient_size);
}

cnf_status CNF_TYPED(cnf_solver_run_evaluate_vjp)(cnf_engine *solver, const cnf_solve_input *input,
                                                  const cnf_field_cotangents *bars, cnf_gradient *gradient) {
  field_gradient fg = {.call = {.solver = solver, .input = input, .gradient = gradient, .steps = 1},
                       .bars = bars,
                       .with_divergence =
                           !solver->model.jacobian && cnf_field_cotangents_want_divergence(bars, solver->model.trace)};
  if (input->count == 0) {
    if (gradient->parameters) memset(gradient->parameters, 0, solver->model.program->parameter_count * sizeof(real));
    return CNF_OK;
  }
  choose_kernels(&solver->model, input->count);
  model_prepare(&solver->model, input->parameters,
                PACK_VALUES | PACK_TRANSPOSES | (fg.with_divergence ? PACK_DIVERGENCE : 0));
  cut_batch(&fg.call);
  return run_gradient(&fg.call, field_gradient_task, &fg);
}
