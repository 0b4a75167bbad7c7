/* A call: chunks of samples to workers, partial gradients into one. */
#include "solve/parallel.h"
#include "solve/solver.h"

/* Copies a solved chunk into the caller's arrays. */
static void CNF_TYPED(write_chunk)(const CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_call) * call, int64_t first,
                                   int64_t count) {
  WORKER_NAMES(w);
  cnf_solve_output *out = call->output;
  size_t n = (size_t)count;
  if (!out) return;
  if (out->x1) memcpy((real *)out->x1 + (size_t)first * (size_t)D, w->chunk_x1, n * (size_t)D * sizeof(real));
  if (out->log_det) memcpy(out->log_det + first, w->chunk_log_det, n * sizeof(double));
  if (out->t_reached) memcpy(out->t_reached + first, w->chunk_t, n * sizeof(double));
  if (out->status) memcpy(out->status + first, w->chunk_status, n * sizeof(int32_t));
  if (out->accepted) memcpy(out->accepted + first, w->chunk_accepted, n * sizeof(int32_t));
  if (out->rejected) memcpy(out->rejected + first, w->chunk_rejected, n * sizeof(int32_t));
  if (out->evaluations) memcpy(out->evaluations + first, w->chunk_evaluations, n * sizeof(int32_t));
  for (size_t s = 0; call->solver->options.control == CNF_CONTROL_BATCH && s < n; s++) {
    if (out->rejected) out->rejected[(size_t)first + s] = call->steps_refused;
    if (out->evaluations) out->evaluations[(size_t)first + s] = call->evaluations;
  }
  if (!out->step_fractions) return;
  double t0 = call->input->t0, span = call->input->t1 - t0;
  for (size_t s = 0; s < n; s++) {
    double *row = out->step_fractions + ((size_t)first + s) * out->step_fraction_stride;
    for (size_t i = 0; i < out->step_fraction_stride; i++) {
      int32_t steps = w->chunk_accepted[s];
      size_t place = i * (size_t)call->solver->chunk_capacity + s;
      if (i > (size_t)steps)
        row[i] = NAN;
      else if (i == (size_t)steps) /* the end of the last step: 1 if the sample arrived */
        row[i] = span == 0 || w->chunk_status[s] == CNF_SAMPLE_OK ? (double)(steps > 0) : (w->chunk_t[s] - t0) / span;
      else
        row[i] = call->steps ? CNF_TYPED(fraction)(call, (int32_t)i) : (w->record_step[place].t - t0) / span;
    }
  }
}

/* A task of a solve: one chunk. */
static void CNF_TYPED(solve_task)(void *context, int64_t number, int32_t worker) {
  CNF_TYPED(cnf_call) *call = context;
  CNF_TYPED(cnf_worker) *w = &call->solver->workers[worker];
  int64_t first = number * call->chunk, left = (int64_t)call->input->count - first;
  int64_t count = left < call->chunk ? left : call->chunk;
  CNF_TYPED(forward_chunk)(w, call, first, count);
  CNF_TYPED(write_chunk)(w, call, first, count);
}

/* A task of a gradient: one group, chunk after chunk into one partial gradient. */
static void CNF_TYPED(vjp_task)(void *context, int64_t number, int32_t worker) {
  CNF_TYPED(cnf_call) *call = context;
  CNF_TYPED(cnf_worker) *w = &call->solver->workers[worker];
  size_t size = call->solver->model.gradient_size;
  real *gradient = call->solver->partials + (size_t)number * size;
  int64_t first = number * call->group, end = first + call->group;
  if (end > (int64_t)call->input->count) end = (int64_t)call->input->count;
  memset(gradient, 0, size * sizeof(real));
  for (; first < end; first += call->chunk) {
    int64_t count = end - first < call->chunk ? end - first : call->chunk;
    CNF_TYPED(forward_chunk)(w, call, first, count);
    CNF_TYPED(write_chunk)(w, call, first, count);
    if (!CNF_TYPED(chunk_cotangents)(w, call, first, count)) {
      __atomic_store_n(&call->callback_failed, 1, __ATOMIC_RELAXED);
      return;
    }
    CNF_TYPED(adjoint_chunk)(w, call, first, count, gradient);
  }
}

#define CNF_REDUCE_BLOCK 4096

typedef struct CNF_TYPED(reduction) {
  CNF_TYPED(cnf_solver) * solver;
  int64_t groups;
} CNF_TYPED(reduction);

/* Sums a range of all partial gradients into the first, along one fixed tree: neighbours, then neighbours' sums. */
static void CNF_TYPED(reduce_task)(void *context, int64_t number, int32_t worker) {
  CNF_TYPED(reduction) *r = context;
  (void)worker;
  size_t size = r->solver->model.gradient_size, begin = (size_t)number * CNF_REDUCE_BLOCK;
  size_t end = begin + CNF_REDUCE_BLOCK < size ? begin + CNF_REDUCE_BLOCK : size;
  for (int64_t step = 1; step < r->groups; step *= 2)
    for (int64_t i = 0; i + step < r->groups; i += 2 * step) {
      real *a = r->solver->partials + (size_t)i * size;
      const real *b = r->solver->partials + (size_t)(i + step) * size;
      for (size_t n = begin; n < end; n++) a[n] += b[n];
    }
}

static int64_t CNF_TYPED(ceil_div)(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* How a batch is cut: by its size and the model, never by threads. Adaptive chunks hold several tiles, so that a lane whose
 * sample is done finds another; groups are as many as there is room for partial gradients. */
static void CNF_TYPED(cut_batch)(CNF_TYPED(cnf_call) * call) {
  const CNF_TYPED(cnf_solver) *s = call->solver;
  int64_t lanes = s->model.kernels->lanes, tiles = CNF_TYPED(ceil_div)((int64_t)call->input->count, lanes);
  int64_t chunk_tiles = 1, capacity = s->chunk_capacity / lanes;
  if (!call->steps) chunk_tiles = tiles / 8 < 1 ? 1 : tiles / 8;
  if (chunk_tiles > capacity) chunk_tiles = capacity;
  int64_t group_tiles = CNF_TYPED(ceil_div)(tiles, s->group_capacity);
  if (group_tiles < chunk_tiles) group_tiles = chunk_tiles;
  call->chunk = chunk_tiles * lanes;
  call->group = group_tiles * lanes;
}

static void CNF_TYPED(run_gradient)(CNF_TYPED(cnf_call) * call) {
  CNF_TYPED(cnf_solver) *solver = call->solver;
  int64_t groups = CNF_TYPED(ceil_div)((int64_t)call->input->count, call->group);
  int32_t threads = solver->options.threads;
  cnf_parallel_for(groups, threads, CNF_TYPED(vjp_task), call);
  if (call->callback_failed || !call->gradient->parameters) return;
  CNF_TYPED(reduction) r = {.solver = solver, .groups = groups};
  int64_t blocks = CNF_TYPED(ceil_div)((int64_t)solver->model.gradient_size, CNF_REDUCE_BLOCK);
  cnf_parallel_for(blocks, groups > 1 ? threads : 1, CNF_TYPED(reduce_task), &r);
  if (solver->model.trace == CNF_TRACE_EXACT_PRODUCT) CNF_TYPED(trace_product_finish)(&solver->model, solver->partials);
  CNF_TYPED(model_unpad)(&solver->model, solver->partials, call->gradient->parameters);
}

cnf_status CNF_TYPED(cnf_solver_run)(CNF_TYPED(cnf_solver) * solver, const cnf_solve_input *input, const cnf_loss *loss,
                                     cnf_solve_output *output, cnf_gradient *gradient) {
  CNF_TYPED(cnf_call) call = {.solver = solver, .input = input, .output = output, .loss = loss, .gradient = gradient};
  if (input->count == 0) {
    if (gradient && gradient->parameters)
      memset(gradient->parameters, 0, solver->model.program->parameter_count * sizeof(real));
    return CNF_OK;
  }
  call.want_times = gradient && (gradient->t0 || gradient->t1);
  CNF_TYPED(model_pack)(&solver->model, input->parameters);
  if (solver->options.control == CNF_CONTROL_FIXED) {
    call.fractions = input->step_fractions;
    call.steps = input->step_fractions ? (int32_t)input->step_fraction_count - 1 : solver->options.steps;
  } else if (solver->options.control == CNF_CONTROL_BATCH && input->t0 != input->t1) {
    int failed;
    cnf_status status = CNF_TYPED(batch_grid)(&call, &call.steps, &failed);
    if (status || failed) return status;
    call.fractions = solver->grid;
  }
  if (input->t0 == input->t1 && call.want_times && !call.steps)
    call.steps = 1; /* one step of no length has the gradient */
  CNF_TYPED(cut_batch)(&call);
  if (loss)
    CNF_TYPED(run_gradient)(&call);
  else
    cnf_parallel_for(CNF_TYPED(ceil_div)((int64_t)input->count, call.chunk), solver->options.threads,
                     CNF_TYPED(solve_task), &call);
  return call.callback_failed ? CNF_ERROR_CALLBACK : CNF_OK;
}

typedef struct CNF_TYPED(evaluation) {
  CNF_TYPED(cnf_call) call;
  real *velocity;
  double *divergence;
} CNF_TYPED(evaluation);

static void CNF_TYPED(evaluate_task)(void *context, int64_t tile, int32_t worker) {
  CNF_TYPED(evaluation) *ev = context;
  CNF_TYPED(cnf_worker) *w = &ev->call.solver->workers[worker];
  WORKER_NAMES(w);
  const cnf_solve_input *in = ev->call.input;
  int64_t first = tile * lanes;
  for (int32_t j = 0; j < lanes; j++) {
    CNF_TYPED(lane_idle)(w, &ev->call, j);
    if (first + j >= (int64_t)in->count) continue;
    CNF_TYPED(column_in)(D, lanes, (const real *)in->x0 + (size_t)(first + j) * (size_t)D, w->x, j);
    CNF_TYPED(load_probes)(w, &ev->call, first + j, j);
  }
  CNF_TYPED(copy_rows)(D, lanes, w->x, w->e.value);
  CNF_TYPED(time_row)(w, 0);
  CNF_TYPED(evaluate_slope)(w, ev->divergence && m->trace != CNF_TRACE_NONE, w->x1);
  for (int32_t j = 0; j < lanes && first + j < (int64_t)in->count; j++) {
    if (ev->velocity) CNF_TYPED(column_out)(D, lanes, w->x1, j, ev->velocity + (size_t)(first + j) * (size_t)D);
    if (ev->divergence) ev->divergence[first + j] = (double)w->x1[(size_t)D * (size_t)lanes + (size_t)j];
  }
}

void CNF_TYPED(cnf_solver_run_evaluate)(CNF_TYPED(cnf_solver) * solver, const cnf_solve_input *input, real *velocity,
                                        double *divergence) {
  CNF_TYPED(evaluation)
  ev = {.call = {.solver = solver, .input = input}, .velocity = velocity, .divergence = divergence};
  CNF_TYPED(model_pack)(&solver->model, input->parameters);
  cnf_parallel_for(CNF_TYPED(ceil_div)((int64_t)input->count, solver->model.kernels->lanes), solver->options.threads,
                   CNF_TYPED(evaluate_task), &ev);
}
