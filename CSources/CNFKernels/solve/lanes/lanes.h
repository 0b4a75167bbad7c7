/* Samples in and out of lanes. */
#include "solve/worker.h"

/* The rows of a panel [S] below the state's: the log-determinant and the regularisers. */
static cnf_integrands integrands_of(const cnf_model *m, real *panel) {
  const size_t lanes = (size_t)m->kernels->lanes;
  cnf_integrands rows = {.divergence = panel + (size_t)m->program->state_dim * lanes};
  rows.kinetic = rows.divergence + lanes;
  rows.frobenius = rows.kinetic + (size_t)m->kinetic * lanes;
  return rows;
}

static void column_in(int32_t rows, int32_t lanes, const real *from, real *panel, int32_t lane) {
  for (int32_t d = 0; d < rows; d++) panel[(size_t)d * (size_t)lanes + (size_t)lane] = from[d];
}
static void column_out(int32_t rows, int32_t lanes, const real *panel, int32_t lane, real *to) {
  for (int32_t d = 0; d < rows; d++) to[d] = panel[(size_t)d * (size_t)lanes + (size_t)lane];
}
static void column_zero(int32_t rows, int32_t lanes, real *panel, int32_t lane) {
  for (int32_t d = 0; d < rows; d++) panel[(size_t)d * (size_t)lanes + (size_t)lane] = 0;
}

/* Row d of the lanes' probe number n. */
static real *probe_row(const cnf_worker *w, int32_t n, int32_t d) {
  WORKER_NAMES(w);
  return rows_of(m, w->e.constants.tangent, n, CNF_STATE) + (size_t)d * (size_t)lanes;
}

/* The probes of sample `number` of the call: the caller's, or drawn from the sample's own key. */
static void load_probes(cnf_worker *w, const cnf_call *call, int64_t number, int32_t lane) {
  WORKER_NAMES(w);
  if (m->trace != CNF_TRACE_HUTCHINSON) return;
  const cnf_solve_input *in = call->input;
  uint64_t id = in->sample_ids ? in->sample_ids[number] : (uint64_t)number;
  cnf_noise_key key = {.seed = in->seed, .stream = CNF_STREAM_PROBE, .step = in->step, .sample = id};
  const int gaussian = call->solver->options.probe == CNF_PROBE_GAUSSIAN;
  for (int32_t n = 0; n < m->probes; n++)
    for (int32_t d = 0; d < D; d++) {
      const size_t i = (size_t)n * (size_t)D + (size_t)d;
      real *to = probe_row(w, n, d) + lane;
      if (in->probes)
        *to = ((const real *)in->probes)[(size_t)number * (size_t)m->probes * (size_t)D + i];
      else
        *to = (real)(gaussian ? cnf_noise_normal(key, i) : cnf_noise_rademacher(key, i));
    }
}

/* A lane's constants as one column: the divergence of linear ops, then of each tangent its entries, and of each block the
 * tangent where it does not vary, the exit where an op that bends exits. */
static int32_t constant_reals(const cnf_model *m) {
  const cnf_program *p = m->program;
  int32_t rows = p->state_dim + p->entry_rows;
  for (int32_t b = 1; b <= p->op_count; b++) rows += p->blocks[b].rows * (leads_in(p, b - 1) + goes_out(p, b - 1));
  return m->trace == CNF_TRACE_HUTCHINSON ? 1 + m->probes * rows : 0;
}

/* Lane `lane` of the constants into a column (out = 1), or from it. */
static void move_constants(cnf_worker *w, int32_t lane, real *column, int out) {
  WORKER_NAMES(w);
  const cnf_program *p = m->program;
  cnf_constants *c = &w->e.constants;
  if (m->trace != CNF_TRACE_HUTCHINSON) return;
#define MOVE(rows, panel)                             \
  do {                                                \
    const int32_t rows_ = (rows);                     \
    real *panel_ = (panel);                           \
    if (out)                                          \
      column_out(rows_, lanes, panel_, lane, column); \
    else                                              \
      column_in(rows_, lanes, column, panel_, lane);  \
    column += rows_;                                  \
  } while (0)
  MOVE(1, c->divergence);
  for (int32_t n = 0; n < m->probes; n++) {
    MOVE(p->entry_rows, c->entry + (size_t)n * (size_t)p->entry_rows * (size_t)lanes);
    MOVE(D, probe_row(w, n, 0));
    for (int32_t b = 1; b <= p->op_count; b++) {
      if (leads_in(p, b - 1)) MOVE(p->blocks[b].rows, rows_of(m, c->tangent, n, b));
      if (goes_out(p, b - 1)) MOVE(p->blocks[b].rows, rows_of(m, c->exit, n, b));
    }
  }
#undef MOVE
}

static void clear_probes(cnf_worker *w, int32_t lane) {
  WORKER_NAMES(w);
  if (m->trace != CNF_TRACE_HUTCHINSON) return;
  for (int32_t n = 0; n < m->probes; n++) column_zero(D, lanes, probe_row(w, n, 0), lane);
}

/* Unit vectors are every sample's tangents: what follows from them stays for the whole task. */
static void load_unit_tangents(cnf_worker *w) {
  WORKER_NAMES(w);
  if (m->trace != CNF_TRACE_EXACT_TANGENTS) return;
  for (int32_t d = 0; d < D; d++) unit_tangent(m, d, probe_row(w, d, 0));
  prepare_constants(m, &w->e.constants);
}

/* An idle lane stands still: with h = 0 its state stays as it is. */
static void lane_idle(cnf_worker *w, const cnf_call *call, int32_t lane) {
  WORKER_NAMES(w);
  w->lane.sample[lane] = -1;
  w->lane.t[lane] = sample_t0(call, w->chunk.first);
  w->lane.h[lane] = 0;
  w->lane.ends_interval[lane] = 0;
  w->span.direction[lane] = 1;
  w->events.sought[lane] = 0;
  w->events.stopped_by[lane] = -1;
  column_zero(S, lanes, w->step.x, lane);
}

/* Where step n of sample s of the chunk is recorded; fixed steps are the tile's, and have one record. */
static cnf_step_record *record_of(const cnf_worker *w, const cnf_call *call, int64_t s, int32_t n) {
  return w->store.steps + (call->steps ? (size_t)n : (size_t)n * (size_t)call->chunk + (size_t)s);
}

/* Where fixed step n of an interval begins, as a fraction of the interval. */
static double fraction(const cnf_call *call, int32_t n) {
  return call->fractions ? call->fractions[n] : (double)n / call->steps;
}

/* Step n of sample s of the chunk, as it was made; fixed steps are at places of the sample's own way, and have slots where they
 * are recorded. The last one of a sample that an event has ended goes as far as that. */
static cnf_step_record step_of(const cnf_worker *w, const cnf_call *call, int64_t s, int32_t n) {
  if (!call->steps) return *record_of(w, call, s, n);
  cnf_step_record step = {.first = -1, .rest = -1};
  if (call->keeps) step = *record_of(w, call, s, n);
  const int64_t number = w->chunk.first + s;
  const int is_cut = w->chunk.event[s] >= 0 && n == w->chunk.accepted[s] - 1;
  const double *times = sample_times(call, number);
  step.interval = n / call->steps, n %= call->steps;
  const double begin = step.interval > 0 ? times[step.interval - 1] : sample_t0(call, number);
  const double end = step.interval < call->time_count ? times[step.interval] : sample_t1(call, number);
  const double from = fraction(call, n);
  step.t = begin + from * (end - begin);
  step.h = is_cut ? w->chunk.t[s] - step.t : (fraction(call, n + 1) - from) * (end - begin);
  return step;
}

/* h_row, from the lanes' doubles. */
static void step_row(cnf_worker *w) {
  WORKER_NAMES(w);
  for (int32_t j = 0; j < lanes; j++) w->step.h_row[j] = (real)w->lane.h[j];
}
/* time_row = t + c h. */
static void time_row(cnf_worker *w, double c) {
  WORKER_NAMES(w);
  for (int32_t j = 0; j < lanes; j++) w->step.time_row[j] = (real)(w->lane.t[j] + c * w->lane.h[j]);
}

/* A list of panels and their weights, zeros left out, for the kernels that sum slopes. */
typedef struct weighted {
  int32_t count;
  real weight[CNF_DENSE_SLOPES];
  const real *panel[CNF_DENSE_SLOPES];
} weighted;

static void add_weighted(weighted *list, double weight, const real *panel) {
  if (weight == 0) return;
  list->weight[list->count] = (real)weight;
  list->panel[list->count++] = panel;
}
/* sum_j weights[j] k_j over the first `count` stages. */
static weighted slopes(const cnf_worker *w, int32_t count, const double *weights) {
  WORKER_NAMES(w);
  weighted list = {.count = 0};
  for (int32_t j = 0; j < count; j++)
    add_weighted(&list, weights[j], w->step.k + (size_t)j * (size_t)S * (size_t)lanes);
  return list;
}

/* What a loss's coefficients are multiplied with. */
static double loss_scale(const cnf_loss *loss) { return loss->kind == CNF_LOSS_NORMAL_NLL ? loss->scale : 1; }
