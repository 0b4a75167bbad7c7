/* A call: chunks of samples to workers, partial gradients into one. */
#include "solve/call/threads.h"
#include "solve/worker.h"

/* Copies a solved chunk into the caller's arrays. */
static void write_chunk(const cnf_worker *w, const cnf_call *call, int64_t first, int64_t count) {
  WORKER_NAMES(w);
  cnf_solve_output *out = call->output;
  size_t n = (size_t)count;
  if (!out) return;
  if (out->log_det) memcpy(out->log_det + first, w->chunk.log_det, n * sizeof(double));
  if (out->kinetic) memcpy(out->kinetic + first, w->chunk.kinetic, n * sizeof(double));
  if (out->frobenius) memcpy(out->frobenius + first, w->chunk.frobenius, n * sizeof(double));
  if (out->t_reached) memcpy(out->t_reached + first, w->chunk.t, n * sizeof(double));
  if (out->status) memcpy(out->status + first, w->chunk.status, n * sizeof(int32_t));
  if (out->event) memcpy(out->event + first, w->chunk.event, n * sizeof(int32_t));
  if (out->accepted) memcpy(out->accepted + first, w->chunk.accepted, n * sizeof(int32_t));
  if (out->rejected) memcpy(out->rejected + first, w->chunk.rejected, n * sizeof(int32_t));
  if (out->evaluations) memcpy(out->evaluations + first, w->chunk.evaluations, n * sizeof(int32_t));
  if (out->smallest_step) memcpy(out->smallest_step + first, w->chunk.smallest_step, n * sizeof(double));
  for (size_t s = 0; call->solver->options.control == CNF_CONTROL_BATCH && s < n; s++) {
    if (out->rejected) out->rejected[(size_t)first + s] = call->steps_refused;
    if (out->evaluations) out->evaluations[(size_t)first + s] = call->evaluations;
  }
  if (!out->step_fractions) return;
  for (size_t s = 0; s < n; s++) {
    const double t0 = sample_t0(call, first + (int64_t)s), span = sample_t1(call, first + (int64_t)s) - t0;
    double *row = out->step_fractions + ((size_t)first + s) * out->step_fraction_stride;
    for (size_t i = 0; i < out->step_fraction_stride; i++) {
      int32_t steps = w->chunk.accepted[s];
      if (i > (size_t)steps)
        row[i] = NAN;
      else if (i == (size_t)steps) /* the end of the last step: 1 if the sample arrived */
        row[i] = span == 0 || (w->chunk.status[s] == CNF_SAMPLE_OK && w->chunk.event[s] < 0)
                     ? (double)(steps > 0)
                     : (w->chunk.t[s] - t0) / span;
      else
        row[i] = call->steps && !call->time_count ? fraction(call, (int32_t)i)
                 : span == 0                      ? 0
                                                  : (step_of(w, call, (int64_t)s, (int32_t)i).t - t0) / span;
    }
  }
}

/* The same, of what the reverse counts, and how samples ended that did not get back, or have no gradient that is finite. */
static void write_reversed(const cnf_worker *w, const cnf_call *call, int64_t first, int64_t count) {
  int32_t *out = call->output ? call->output->adjoint_evaluations : NULL;
  const size_t D = (size_t)call->solver->model.program->state_dim;
  if (call->output && call->output->x1)
    memcpy((real *)call->output->x1 + (size_t)first * D, w->chunk.x1, (size_t)count * D * sizeof(real));
  if (out) memcpy(out + first, w->chunk.reversed, (size_t)count * sizeof(int32_t));
  if (call->output && call->output->retrace_error)
    for (int64_t s = 0; s < count; s++)
      call->output->retrace_error[first + s] = call->loss && w->reversible.error ? w->reversible.error[s] : NAN;
  if (!call->output || !call->loss) return;
  if (call->output->status) memcpy(call->output->status + first, w->chunk.status, (size_t)count * sizeof(int32_t));
  if (call->output->t_reached) memcpy(call->output->t_reached + first, w->chunk.t, (size_t)count * sizeof(double));
}

/* A task of a solve: one chunk. */
static void solve_task(void *context, int64_t number, int32_t worker) {
  cnf_call *call = context;
  cnf_worker *w = &call->solver->workers[worker];
  int64_t first = number * call->chunk, left = (int64_t)call->input->count - first;
  int64_t count = left < call->chunk ? left : call->chunk;
  forward_chunk(w, call, first, count);
  write_chunk(w, call, first, count);
  write_reversed(w, call, first, count);
}

/* A task of a gradient: one group, chunk after chunk into one partial gradient. */
static void vjp_task(void *context, int64_t number, int32_t worker) {
  cnf_call *call = context;
  cnf_worker *w = &call->solver->workers[worker];
  cnf_partials *partials = &call->solver->partials;
  const size_t size = call->solver->model.gradient_size;
  const int32_t buffer = partials_take(partials);
  real *gradient = partials->memory + (size_t)buffer * size;
  int64_t first = number * call->group, end = first + call->group;
  if (end > (int64_t)call->input->count) end = (int64_t)call->input->count;
  memset(gradient, 0, size * sizeof(real));
  for (; first < end; first += call->chunk) {
    int64_t count = end - first < call->chunk ? end - first : call->chunk;
    forward_chunk(w, call, first, count);
    write_chunk(w, call, first, count);
    if (!chunk_cotangents(w, call, first, count)) {
      __atomic_store_n(&call->callback_failed, 1, __ATOMIC_RELAXED);
      return;
    }
    if (call->event_count) event_cotangents(w, call, first, count);
    differentiate_chunk(w, call, first, count, first == number * call->group, gradient);
    write_reversed(w, call, first, count);
  }
  partials_add(partials, (int32_t)number, buffer, size);
}

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* How a batch is cut: by its size and the model, never by threads or by how much is kept. Fixed steps: a tile is a chunk.
 * Adaptive: a chunk is an eighth of the batch, the more samples, the shorter its lanes stand idle at its end; but at most so
 * many tiles, and in a gradient as many as have CNF_LIKELY_EVALUATIONS a sample kept in CNF_CHUNK_BYTES. */
#define CNF_LIKELY_EVALUATIONS 64
#define CNF_CHUNK_BYTES ((size_t)32 << 20)
static void cut_batch(cnf_call *call) {
  const cnf_engine *s = call->solver;
  const int64_t lanes = s->model.kernels->lanes, count = (int64_t)call->input->count;
  call->chunk = lanes;
  if (!call->steps) {
    int64_t tiles = ceil_div(count, 8 * lanes), most = s->chunk_capacity / lanes;
    int64_t room = (int64_t)(CNF_CHUNK_BYTES / (CNF_LIKELY_EVALUATIONS * kept_reals(&s->model) * sizeof(real)));
    if (call->keeps && most > room) most = room > 1 ? room : 1;
    const int64_t chunks = ceil_div(count, (tiles < most ? tiles : most) * lanes);
    call->chunk = ceil_div(count, chunks); /* equal ones */
  }
  const int64_t chunks = ceil_div(count, call->chunk);
  call->group = ceil_div(chunks, CNF_MAX_GROUPS) * call->chunk;
}

/* `task` of every group, with the call or what begins with it, then the sum of what they leave to the caller. */
static void run_gradient(cnf_call *call, void (*task)(void *, int64_t, int32_t), void *context) {
  cnf_engine *solver = call->solver;
  cnf_partials *partials = &solver->partials;
  const int32_t groups = (int32_t)ceil_div((int64_t)call->input->count, call->group);
  partials_begin(partials, groups);
  cnf_parallel_for(groups, solver->options.threads, task, context);
  if (call->callback_failed || !call->gradient->parameters) return;
  real *gradient = partials->memory + (size_t)partials->root * solver->model.gradient_size;
  if (solver->model.trace == CNF_TRACE_EXACT_PRODUCT) trace_product_finish(&solver->model, gradient);
  model_unpad(&solver->model, gradient, call->gradient->parameters);
}

/* A call of few samples runs them one by one, not side by side in a tile most of which would be idle: a training step of one
 * sample of the 2-64-64-64-2 net took 1.69 ms in a tile of 16 lanes, 0.45 ms alone (`make bench-c`: alone-rk4, AVX2). */
#define CNF_MOST_SINGLE 2
static void choose_kernels(cnf_model *m, size_t count) {
  m->kernels =
      count <= CNF_MOST_SINGLE && !m->bf16 ? m->tile->single : m->tile; /* no product of bfloat16 is for one lane */
}

cnf_status CNF_TYPED(cnf_solver_run)(cnf_engine *solver, const cnf_solve_input *input, const cnf_loss *loss,
                                     cnf_solve_output *output, cnf_gradient *gradient) {
  cnf_call call = {.solver = solver, .input = input, .output = output, .loss = loss, .gradient = gradient};
  if (input->count == 0) {
    if (gradient && gradient->parameters)
      memset(gradient->parameters, 0, solver->model.program->parameter_count * sizeof(real));
    return CNF_OK;
  }
  call.keeps = loss && solver->options.adjoint == CNF_ADJOINT_DISCRETE;
  call.keeps_path = loss && solver->options.adjoint == CNF_ADJOINT_CONTINUOUS && solver->rules->keeps_path;
  call.keeps_times = call.keeps_path || (loss && solver->options.adjoint == CNF_ADJOINT_REVERSIBLE &&
                                         solver->options.control == CNF_CONTROL_SAMPLE);
  call.want_times = gradient && (gradient->t0 || gradient->t1 || gradient->times);
  call.time_count = (int32_t)input->time_count;
  call.events = input->events;
  call.event_count = (int32_t)input->event_count;
  call.want_dense = output && output->dense;
  for (int32_t i = 0; i < solver->options.threads; i++) memset(&solver->workers[i].work, 0, sizeof(cnf_work));
  choose_kernels(&solver->model, input->count);
  model_pack(&solver->model, input->parameters);
  if (solver->options.control == CNF_CONTROL_FIXED) {
    call.fractions = input->step_fractions;
    call.steps = input->step_fractions ? (int32_t)input->step_fraction_count - 1 : solver->options.steps;
  } else if (solver->options.control == CNF_CONTROL_BATCH && input->t0 != input->t1) {
    int failed;
    cnf_status status = find_batch_steps(&call, &call.steps, &failed);
    if (status || failed) return status;
    call.fractions = solver->grid;
  }
  if (solver->options.control == CNF_CONTROL_BATCH && input->t0 == input->t1 && call.want_times)
    call.steps = 1; /* one step of no length has the gradient */
  cut_batch(&call);
  if (loss)
    run_gradient(&call, vjp_task, &call);
  else
    cnf_parallel_for(ceil_div((int64_t)input->count, call.chunk), solver->options.threads, solve_task, &call);
  return call.callback_failed ? CNF_ERROR_CALLBACK : CNF_OK;
}

typedef struct evaluation {
  cnf_call call;
  real *velocity;
  double *divergence;
} evaluation;

/* A tile of samples that begins with `first`, where they start, as an evaluation in scratch 0 wants them; with_divergence:
 * and what follows from their probes. */
static void load_points(cnf_worker *w, const cnf_call *call, int64_t first, int with_divergence) {
  WORKER_NAMES(w);
  const cnf_solve_input *in = call->input;
  w->chunk.first = first;
  for (int32_t j = 0; j < lanes; j++) {
    lane_idle(w, call, j);
    clear_probes(w, j);
    if (first + j >= (int64_t)in->count) continue;
    bind_lane(w, call, j, j);
    column_in(D, lanes, (const real *)in->x0 + (size_t)(first + j) * (size_t)D, w->step.x, j);
    if (with_divergence) load_probes(w, call, first + j, j);
  }
  if (with_divergence && m->trace == CNF_TRACE_HUTCHINSON) prepare_constants(m, &w->e.constants);
  use_scratch(w, 0);
  copy_rows(D, lanes, w->step.x, w->e.kept.value);
  time_row(w, 0);
}

static void evaluate_task(void *context, int64_t tile, int32_t worker) {
  evaluation *ev = context;
  cnf_worker *w = &ev->call.solver->workers[worker];
  WORKER_NAMES(w);
  const cnf_solve_input *in = ev->call.input;
  int64_t first = tile * lanes;
  if (ev->divergence) load_unit_tangents(w);
  load_points(w, &ev->call, first, ev->divergence != NULL);
  evaluate_slope(w, ev->divergence != NULL, w->step.x1);
  for (int32_t j = 0; j < lanes && first + j < (int64_t)in->count; j++) {
    if (ev->velocity) column_out(D, lanes, w->step.x1, j, ev->velocity + (size_t)(first + j) * (size_t)D);
    if (ev->divergence) ev->divergence[first + j] = (double)w->step.x1[(size_t)D * (size_t)lanes + (size_t)j];
  }
}

void CNF_TYPED(cnf_solver_run_evaluate)(cnf_engine *solver, const cnf_solve_input *input, real *velocity,
                                        double *divergence) {
  evaluation ev = {.call = {.solver = solver, .input = input}, .velocity = velocity, .divergence = divergence};
  choose_kernels(&solver->model, input->count);
  model_pack(&solver->model, input->parameters);
  cnf_parallel_for(ceil_div((int64_t)input->count, solver->model.kernels->lanes), solver->options.threads,
                   evaluate_task, &ev);
}
