/* The field's own gradient (cnf_solver_evaluate_vjp): of a sum over samples of a function of f and its divergence where they
 * start. A tile is evaluated, given its cotangents and reversed while its panels are in cache, as one of euler's steps with
 * h = 1 would be: k_bar is the velocity's cotangent, mu that of the divergence, and the state's, which such a step passes
 * on beside the field, is left out. Tiles are grouped, and groups' gradients added, as those of a solve with fixed steps.
 */
#include "solve/solver.h"

typedef struct CNF_TYPED(field_gradient) {
  CNF_TYPED(cnf_call) call; /* first: run_gradient's is the same */
  const cnf_field_bars *bars;
  int with_divergence;
} CNF_TYPED(field_gradient);

/* Velocities and divergences of the lanes' samples into the worker's arrays of a chunk, with their statuses. A sample for which
 * something is not finite leaves its lane, and returns its share: zeros. Returns a lane that has a sample still, or -1. */
static int32_t CNF_TYPED(judge_points)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(field_gradient) * fg,
                                       const real *divergence) {
  WORKER_NAMES(w);
  const real *f = CNF_TYPED(rows_of)(m, w->e.kept.value, 0, m->program->op_count);
  const cnf_gradient *g = fg->call.gradient;
  int32_t live = -1;
  /* all blocks, the state among them, and their tangents: a net that saturates has an answer over infinite ones, but no gradient */
  k->finite(fg->with_divergence ? CNF_TYPED(kept_rows)(m) : CNF_TYPED(kept_value_rows)(m), w->e.kept.value, 0, w->row);
  if (fg->with_divergence) k->finite(1, divergence, 1, w->row);
  k->finite(m->program->context_dim, w->e.context, 1, w->row);
  for (int32_t j = 0; j < lanes; j++) {
    const int64_t s = w->sample[j];
    if (s < 0) continue;
    const size_t number = (size_t)(w->first + s);
    const int finite = w->row[j] == 0;
    CNF_TYPED(column_out)(D, lanes, f, j, w->chunk_x1 + (size_t)s * (size_t)D);
    w->chunk_log_det[s] = fg->with_divergence ? (double)divergence[j] : 0;
    w->chunk_status[s] = finite ? CNF_SAMPLE_OK : CNF_SAMPLE_NOT_FINITE;
    if (finite) {
      live = j;
      continue;
    }
    CNF_TYPED(lane_idle)(w, &fg->call, j);
    CNF_TYPED(clear_probes)(w, j);
    if (g->x0) memset((real *)g->x0 + number * (size_t)D, 0, (size_t)D * sizeof(real));
    if (g->t0) g->t0[number] = 0;
    CNF_TYPED(clear_context_bar)(&fg->call, number);
  }
  return live;
}

static void CNF_TYPED(target_loss)(CNF_TYPED(cnf_worker) * w, const cnf_field_loss *loss, int64_t count, int32_t D) {
  for (int64_t s = 0; s < count; s++) {
    const size_t number = (size_t)(w->first + s), at = (size_t)s * (size_t)D;
    const real *f = w->chunk_x1 + at, *target = (const real *)loss->target + number * (size_t)D;
    const double weight = loss->scale * (loss->weights ? loss->weights[number] : 1);
    double sum = 0;
    for (int32_t d = 0; d < D; d++) {
      const double miss = (double)f[d] - (double)target[d];
      sum += miss * miss;
      w->chunk_x1_bar[at + (size_t)d] = (real)(weight * miss);
    }
    w->chunk_loss[s] = weight * 0.5 * sum;
  }
}

/* chunk_loss, chunk_x1_bar and chunk_log_det_bar of the tile's samples. Returns 0 where a callback failed. */
static int CNF_TYPED(point_cotangents)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(field_gradient) * fg, int64_t count) {
  WORKER_NAMES(w);
  const cnf_field_bars *bars = fg->bars;
  const cnf_field_loss *loss = bars->loss;
  const size_t rows = (size_t)count * (size_t)D;
  memset(w->chunk_loss, 0, (size_t)count * sizeof(double));
  memset(w->chunk_log_det_bar, 0, (size_t)count * sizeof(double));
  memset(w->chunk_x1_bar, 0, rows * sizeof(real));
  if (loss && loss->kind == CNF_FIELD_LOSS_TARGET) CNF_TYPED(target_loss)(w, loss, count, D);
  if (loss && loss->kind == CNF_FIELD_LOSS_CALLBACK &&
      loss->function(loss->context, (size_t)w->first, (size_t)count, w->chunk_x1, w->chunk_log_det, w->chunk_status,
                     w->chunk_loss, w->chunk_x1_bar, w->chunk_log_det_bar) != 0)
    return 0;
  const real *velocity = bars->velocity ? (const real *)bars->velocity + (size_t)w->first * (size_t)D : NULL;
  for (size_t i = 0; velocity && i < rows; i++) w->chunk_x1_bar[i] += velocity[i];
  for (int64_t s = 0; bars->divergence && s < count; s++) w->chunk_log_det_bar[s] += bars->divergence[w->first + s];
  double *out = fg->call.gradient->loss;
  for (int64_t s = 0; loss && out && s < count; s++)
    out[w->first + s] = w->chunk_status[s] == CNF_SAMPLE_OK ? w->chunk_loss[s] : NAN;
  return 1;
}

/* Cotangents into the lanes that have a sample, zeros into the others. */
static void CNF_TYPED(load_point_bars)(CNF_TYPED(cnf_worker) * w) {
  WORKER_NAMES(w);
  real *f_bar = CNF_TYPED(rows_of)(m, w->e.bars.bar, 0, m->program->op_count);
  for (int32_t j = 0; j < lanes; j++) {
    const int64_t s = w->sample[j];
    w->stage_mu_row[j] = s < 0 ? 0 : (real)w->chunk_log_det_bar[s] * CNF_TYPED(probe_weight)(m);
    if (m->kinetic) w->stage_kinetic_row[j] = 0;
    if (m->frobenius) w->stage_frobenius_row[j] = 0;
    if (s < 0)
      CNF_TYPED(column_zero)(D, lanes, f_bar, j);
    else
      CNF_TYPED(column_in)(D, lanes, w->chunk_x1_bar + (size_t)s * (size_t)D, f_bar, j);
  }
}

/* Reverses the tile's evaluation, which is in scratch 0; lane `live` has a sample. */
static void CNF_TYPED(reverse_points)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(field_gradient) * fg, int32_t live,
                                      real *gradient) {
  WORKER_NAMES(w);
  const CNF_TYPED(cnf_integrands) integrands = {w->divergence_row, w->kinetic_row, w->frobenius_row};
  const CNF_TYPED(cnf_integrands) bars = {w->stage_mu_row, w->stage_kinetic_row, w->stage_frobenius_row};
  const int by_tangents = fg->with_divergence && CNF_TYPED(tangent_count)(m) > 0;
  const cnf_gradient *g = fg->call.gradient;
  int idle = 0;
  for (int32_t j = 0; j < lanes; j++) idle += w->sample[j] < 0;
  if (idle) CNF_TYPED(given_beside)(w, live);
  if (idle) CNF_TYPED(shelter_panel)(w, CNF_TYPED(kept_rows)(m), w->e.kept.value, live);
  if (by_tangents && idle) CNF_TYPED(prepare_constants)(m, &w->e.constants);
  if (by_tangents) CNF_TYPED(clear_constants)(m, &w->e.constants);
  w->e.bars = w->bars[0];
  CNF_TYPED(load_point_bars)(w);
  CNF_TYPED(zero_rows)(1, lanes, w->time_bar_row);
  const CNF_TYPED(cnf_reversed) done =
      CNF_TYPED(evaluate_reverse)(&w->e, fg->with_divergence ? &bars : NULL, w->time_bar_row, gradient, integrands);
  CNF_TYPED(gather_gradients)(m, &done, 1, gradient);
  if (by_tangents) CNF_TYPED(finish_constants)(m, &w->e.constants, gradient);
  for (int32_t j = 0; j < lanes; j++) {
    if (w->sample[j] < 0) continue;
    const size_t number = (size_t)(w->first + w->sample[j]);
    if (g->x0) CNF_TYPED(column_out)(D, lanes, w->e.bars.bar, j, (real *)g->x0 + number * (size_t)D);
    if (g->t0) g->t0[number] = (double)w->time_bar_row[j];
    CNF_TYPED(write_context_bar)(w, &fg->call, number, j);
  }
}

/* A task: one group, tile after tile into one partial gradient. */
static void CNF_TYPED(field_gradient_task)(void *context, int64_t number, int32_t worker) {
  CNF_TYPED(field_gradient) *fg = context;
  CNF_TYPED(cnf_call) *call = &fg->call;
  CNF_TYPED(cnf_worker) *w = &call->solver->workers[worker];
  CNF_TYPED(cnf_partials) *partials = &call->solver->partials;
  WORKER_NAMES(w);
  const CNF_TYPED(cnf_integrands) integrands = {w->divergence_row, w->kinetic_row, w->frobenius_row};
  const int32_t buffer = CNF_TYPED(partials_take)(partials);
  real *gradient = partials->memory + (size_t)buffer * m->gradient_size;
  int64_t first = number * call->group, end = first + call->group;
  if (end > (int64_t)call->input->count) end = (int64_t)call->input->count;
  memset(gradient, 0, m->gradient_size * sizeof(real));
  if (fg->with_divergence) CNF_TYPED(load_unit_tangents)(w);
  for (; first < end; first += lanes) {
    CNF_TYPED(load_points)(w, call, first, fg->with_divergence);
    CNF_TYPED(evaluate)(&w->e, w->time_row, fg->with_divergence, integrands);
    const int32_t live = CNF_TYPED(judge_points)(w, fg, w->divergence_row);
    if (!CNF_TYPED(point_cotangents)(w, fg, end - first < lanes ? end - first : lanes)) {
      __atomic_store_n(&call->callback_failed, 1, __ATOMIC_RELAXED);
      return;
    }
    if (live >= 0) CNF_TYPED(reverse_points)(w, fg, live, gradient);
  }
  CNF_TYPED(partials_add)(partials, (int32_t)number, buffer, m->gradient_size);
}

cnf_status CNF_TYPED(cnf_solver_run_evaluate_vjp)(CNF_TYPED(cnf_solver) * solver, const cnf_solve_input *input,
                                                  const cnf_field_bars *bars, cnf_gradient *gradient) {
  CNF_TYPED(field_gradient)
  fg = {.call = {.solver = solver, .input = input, .gradient = gradient, .steps = 1},
        .bars = bars,
        .with_divergence = !solver->model.jacobian && cnf_field_bars_want_divergence(bars, solver->model.trace)};
  if (input->count == 0) {
    if (gradient->parameters) memset(gradient->parameters, 0, solver->model.program->parameter_count * sizeof(real));
    return CNF_OK;
  }
  CNF_TYPED(choose_kernels)(&solver->model, input->count);
  CNF_TYPED(model_pack)(&solver->model, input->parameters);
  CNF_TYPED(cut_batch)(&fg.call);
  CNF_TYPED(run_gradient)(&fg.call, CNF_TYPED(field_gradient_task), &fg);
  return fg.call.callback_failed ? CNF_ERROR_CALLBACK : CNF_OK;
}
