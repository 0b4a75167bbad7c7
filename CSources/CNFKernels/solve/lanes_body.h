/* Samples in and out of lanes. */
#include "solve/solver.h"

#define WORKER_NAMES(w)                                      \
  const CNF_TYPED(cnf_model) *m = (w)->e.model;              \
  const CNF_TYPED(cnf_kernels) *k = m->kernels;              \
  const int32_t lanes = k->lanes, D = m->program->state_dim; \
  (void)lanes, (void)D, (void)k

static void CNF_TYPED(column_in)(int32_t rows, int32_t lanes, const real *from, real *panel, int32_t lane) {
  for (int32_t d = 0; d < rows; d++) panel[(size_t)d * (size_t)lanes + (size_t)lane] = from[d];
}
static void CNF_TYPED(column_out)(int32_t rows, int32_t lanes, const real *panel, int32_t lane, real *to) {
  for (int32_t d = 0; d < rows; d++) to[d] = panel[(size_t)d * (size_t)lanes + (size_t)lane];
}
static void CNF_TYPED(column_zero)(int32_t rows, int32_t lanes, real *panel, int32_t lane) {
  for (int32_t d = 0; d < rows; d++) panel[(size_t)d * (size_t)lanes + (size_t)lane] = 0;
}

/* The probes of sample `number` of the call: the caller's, or drawn from the sample's own key. */
static void CNF_TYPED(load_probes)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_call) * call, int64_t number,
                                   int32_t lane) {
  WORKER_NAMES(w);
  if (m->trace != CNF_TRACE_HUTCHINSON) return;
  int32_t n = m->probes * D;
  const cnf_solve_input *in = call->input;
  if (in->probes) {
    CNF_TYPED(column_in)(n, lanes, (const real *)in->probes + (size_t)number * (size_t)n, w->probes, lane);
    return;
  }
  uint64_t id = in->sample_ids ? in->sample_ids[number] : (uint64_t)number;
  cnf_noise_key key = {.seed = in->seed, .stream = CNF_STREAM_PROBE, .step = in->step, .sample = id};
  for (int32_t i = 0; i < n; i++)
    w->probes[(size_t)i * (size_t)lanes + (size_t)lane] =
        (real)(call->solver->options.probe == CNF_PROBE_GAUSSIAN ? cnf_noise_normal(key, (uint64_t)i)
                                                                 : cnf_noise_rademacher(key, (uint64_t)i));
}

/* An idle lane stands still: with h = 0 its state stays as it is. */
static void CNF_TYPED(lane_idle)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_call) * call, int32_t lane) {
  WORKER_NAMES(w);
  w->sample[lane] = -1;
  w->t[lane] = call->input->t0;
  w->h[lane] = 0;
  w->last[lane] = w->fresh[lane] = 0;
  CNF_TYPED(column_zero)(D + 1, lanes, w->x, lane);
  if (m->trace == CNF_TRACE_HUTCHINSON) CNF_TYPED(column_zero)(m->probes * D, lanes, w->probes, lane);
}

/* Where fixed step n begins, as a fraction of the way from t0 to t1. */
static double CNF_TYPED(fraction)(const CNF_TYPED(cnf_call) * call, int32_t n) {
  return call->fractions ? call->fractions[n] : (double)n / call->steps;
}

/* h_row, from the lanes' doubles. */
static void CNF_TYPED(step_row)(CNF_TYPED(cnf_worker) * w) {
  WORKER_NAMES(w);
  for (int32_t j = 0; j < lanes; j++) w->h_row[j] = (real)w->h[j];
}
/* time_row = t + c h. */
static void CNF_TYPED(time_row)(CNF_TYPED(cnf_worker) * w, double c) {
  WORKER_NAMES(w);
  for (int32_t j = 0; j < lanes; j++) w->time_row[j] = (real)(w->t[j] + c * w->h[j]);
}

/* A list of panels and their weights, zeros left out, for the kernels that sum slopes. */
typedef struct CNF_TYPED(weighted) {
  int32_t count;
  real weight[CNF_MAX_STAGES + 1];
  const real *panel[CNF_MAX_STAGES + 1];
} CNF_TYPED(weighted);

static void CNF_TYPED(weigh)(CNF_TYPED(weighted) * list, double weight, const real *panel) {
  if (weight == 0) return;
  list->weight[list->count] = (real)weight;
  list->panel[list->count++] = panel;
}
/* sum_j weights[j] k_j over the first `count` stages. */
static CNF_TYPED(weighted) CNF_TYPED(slopes)(const CNF_TYPED(cnf_worker) * w, int32_t count, const double *weights) {
  WORKER_NAMES(w);
  CNF_TYPED(weighted) list = {.count = 0};
  for (int32_t j = 0; j < count; j++)
    CNF_TYPED(weigh)(&list, weights[j], w->k + (size_t)j * (size_t)(D + 1) * (size_t)lanes);
  return list;
}
