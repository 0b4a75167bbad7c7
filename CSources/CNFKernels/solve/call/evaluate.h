/* cnf_solver_evaluate: the field and its divergence where samples start. Compiled once per dtype by
 * solve/call/solver_f32.c and solver_f64.c. */
#include "host/threads.h"
#include "solve/worker.h"

typedef struct evaluation {
  cnf_call call;
  real *velocity;
  double *divergence;
} evaluation;

/* Loads a tile of samples that begins with `first`, at their starts, for an evaluation in scratch 0;
 * with_divergence: their probes too. */
static void load_points(cnf_worker *w, const cnf_call *call, int64_t first, int with_divergence) {
  WORKER_NAMES(w);
  const cnf_solve_input *in = call->input;
  w->chunk.first = first;
  for (int32_t j = 0; j < lanes; j++) {
    idle_lane(w, call, j);
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
  model_prepare(&solver->model, input->parameters, PACK_VALUES | (divergence ? PACK_DIVERGENCE : 0));
  cnf_threads_run(solver->threads, ceil_div((int64_t)input->count, solver->model.kernels->lanes), evaluate_task, &ev);
}
