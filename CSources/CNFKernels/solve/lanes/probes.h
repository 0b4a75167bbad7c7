/* Probes of the samples in the lanes, and the constants of a solve that follow from them. Compiled once per dtype by
 * solve/call/solver_f32.c and solver_f64.c. */
#include "random/philox.h"
#include "solve/worker.h"

/* Row d of probe number n of the lanes. */
static real *probe_row(const cnf_worker *w, int32_t n, int32_t d) {
  WORKER_NAMES(w);
  return rows_of(m, w->e.constants.tangent, n, CNF_STATE) + (size_t)d * (size_t)lanes;
}

/* The probes of sample `number` of the call: the caller's, or drawn by the sample's own key. */
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

/* Reals of a lane's constants as one column: the divergence of linear ops; then of each tangent its entries, and of
 * each block the tangent where it is constant and the exit where a nonlinear op exits. */
static int32_t constant_reals(const cnf_model *m) {
  const cnf_program *p = m->program;
  int32_t rows = p->state_dim + p->entry_rows;
  for (int32_t b = 1; b <= p->op_count; b++) rows += p->blocks[b].rows * (leads_in(p, b - 1) + goes_out(p, b - 1));
  return m->trace == CNF_TRACE_HUTCHINSON ? 1 + m->probes * rows : 0;
}

/* Constants of lane `lane`, into a column (out = 1) or from it. */
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

/* The tangents of every sample are the unit vectors: what follows from them is the same for the whole task. */
static void load_unit_tangents(cnf_worker *w) {
  WORKER_NAMES(w);
  if (m->trace != CNF_TRACE_EXACT_TANGENTS) return;
  for (int32_t d = 0; d < D; d++) unit_tangent(m, d, probe_row(w, d, 0));
  prepare_constants(m, &w->e.constants);
}
