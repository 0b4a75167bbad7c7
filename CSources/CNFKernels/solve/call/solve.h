/* cnf_solve and cnf_solve_vjp: chunks of samples to workers, partial gradients into one. Compiled once per dtype by
 * solve/call/solver_f32.c and solver_f64.c. */
#include "host/threads.h"
#include "solve/worker.h"

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

/* Has a callback of the call refused? Tasks that have not begun then do nothing. */
static int has_failed(const cnf_call *call) { return __atomic_load_n(&call->callback_failed, __ATOMIC_RELAXED); }

/* The host has ended the call before the chunk's samples had their gradients. */
static void cancel_gradient(cnf_worker *w, int64_t count) {
  for (int64_t s = 0; s < count; s++) {
    if (w->chunk.status[s] == CNF_SAMPLE_OK) w->chunk.status[s] = CNF_SAMPLE_CANCELLED;
    if (w->reversible.error) w->reversible.error[s] = NAN;
  }
}

/* A task of a gradient: one group, chunk after chunk into one partial gradient. */
static void vjp_task(void *context, int64_t number, int32_t worker) {
  cnf_call *call = context;
  cnf_worker *w = &call->solver->workers[worker];
  cnf_partials *partials = &call->solver->partials;
  const size_t size = call->solver->model.gradient_size;
  if (has_failed(call)) return;
  const int32_t buffer = partials_take(partials);
  real *gradient = partials->memory + (size_t)buffer * size;
  int64_t first = number * call->group, end = first + call->group;
  if (end > (int64_t)call->input->count) end = (int64_t)call->input->count;
  memset(gradient, 0, size * sizeof(real));
  for (; first < end; first += call->chunk) {
    int64_t count = end - first < call->chunk ? end - first : call->chunk;
    forward_chunk(w, call, first, count);
    write_chunk(w, call, first, count);
    if (!is_cancelled(call)) {
      if (!chunk_cotangents(w, call, first, count)) {
        __atomic_store_n(&call->callback_failed, 1, __ATOMIC_RELAXED);
        partials_give(partials, buffer);
        return;
      }
      if (call->event_count) event_cotangents(w, call, first, count);
      differentiate_chunk(w, call, first, count, first == number * call->group, gradient);
    }
    if (is_cancelled(call)) cancel_gradient(w, count);
    write_reversed(w, call, first, count);
  }
  if (is_cancelled(call))
    partials_give(partials, buffer);
  else
    partials_add(partials, (int32_t)number, buffer, size);
}

/* Runs `task` on every group, and writes the sum of the partial gradients to the caller. `context` is the call, or
 * begins with it. */
static cnf_status run_gradient(cnf_call *call, cnf_task *task, void *context) {
  cnf_engine *solver = call->solver;
  cnf_partials *partials = &solver->partials;
  const int32_t groups = (int32_t)ceil_div((int64_t)call->input->count, call->group);
  const cnf_status status = reserve(solver, capacity_of_gradient(call));
  if (status) return status;
  partials_begin(partials, groups,
                 (int32_t)solver->capacity.partials < groups ? (int32_t)solver->capacity.partials : groups);
  cnf_threads_run(solver->threads, groups, task, context);
  if (call->callback_failed) return CNF_ERROR_CALLBACK;
  if (is_cancelled(call)) return CNF_ERROR_CANCELLED;
  if (!call->gradient->parameters) return CNF_OK;
  real *gradient = partials->memory + (size_t)partials->root * solver->model.gradient_size;
  if (solver->model.trace == CNF_TRACE_EXACT_PRODUCT) trace_product_finish(&solver->model, gradient);
  model_unpad(&solver->model, gradient, call->gradient->parameters);
  return CNF_OK;
}

void CNF_TYPED(cnf_solver_bind)(cnf_engine *solver, const real *parameters) { model_bind(&solver->model, parameters); }

cnf_status CNF_TYPED(cnf_solver_run)(cnf_engine *solver, const cnf_solve_input *input, const cnf_loss *loss,
                                     cnf_solve_output *output, cnf_gradient *gradient) {
  cnf_call call = {.solver = solver, .input = input, .output = output, .loss = loss, .gradient = gradient};
  int32_t cancelled = 0;
  if (input->progress) call.cancelled = &cancelled;
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
  model_prepare(&solver->model, input->parameters,
                PACK_VALUES | PACK_DIVERGENCE | (loss ? PACK_TRANSPOSES : 0) |
                    (solver->model.wants_time_rate ? PACK_TIME_RATE : 0));
  if (solver->options.control == CNF_CONTROL_FIXED) {
    call.fractions = input->step_fractions;
    call.steps = input->step_fractions ? (int32_t)input->step_fraction_count - 1 : solver->options.steps;
  } else if (solver->options.control == CNF_CONTROL_BATCH && input->t0 != input->t1) {
    int failed;
    cnf_status status = find_batch_steps(&call, &call.steps, &failed);
    if (status || failed) return status || !cancelled ? status : CNF_ERROR_CANCELLED;
    call.fractions = solver->grid;
  }
  if (solver->options.control == CNF_CONTROL_BATCH && input->t0 == input->t1 && call.want_times)
    call.steps = 1; /* the gradient is that of one step of no length */
  cut_batch(&call);
  if (loss) return run_gradient(&call, vjp_task, &call);
  const cnf_status status = reserve(solver, capacity_of_solve(&call));
  if (!status) cnf_threads_run(solver->threads, ceil_div((int64_t)input->count, call.chunk), solve_task, &call);
  return !status && cancelled ? CNF_ERROR_CANCELLED : status;
}
