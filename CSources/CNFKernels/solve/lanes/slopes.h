/* Slopes of the lanes: where they are, weighted sums of them, and one evaluation of the field. Compiled once per
 * dtype by solve/call/solver_f32.c and solver_f64.c. */
#include "solve/decide/step_times.h"
#include "solve/worker.h"

/* The rows of a panel [S] below the state's: the log-determinant and the regularisers. */
static cnf_integrands integrands_of(const cnf_model *m, real *panel) {
  const size_t lanes = (size_t)m->kernels->lanes;
  cnf_integrands rows = {.divergence = panel + (size_t)m->program->state_dim * lanes};
  rows.kinetic = rows.divergence + lanes;
  rows.frobenius = rows.kinetic + (size_t)m->kinetic * lanes;
  return rows;
}

/* h_row from the lanes' h, which are doubles. */
static void step_row(cnf_worker *w) {
  WORKER_NAMES(w);
  for (int32_t j = 0; j < lanes; j++) w->step.h_row[j] = (real)w->lane.h[j];
}
/* time_row = t + c h, within the lanes' steps. */
static void time_row(cnf_worker *w, double c) {
  WORKER_NAMES(w);
  double *row = w->step.time_row;
  for (int32_t j = 0; j < lanes; j++) row[j] = cnf_time_in_step(w->lane.t[j], w->lane.h[j], w->lane.end[j], c);
  for (int32_t j = 0; w->span.jump_count > 0 && j < lanes; j++)
    row[j] = within_jumps(w, j, w->lane.t[j], w->lane.h[j], row[j]);
}

static real *slope(const cnf_worker *w, int32_t stage) {
  WORKER_NAMES(w);
  return w->step.k + (size_t)stage * (size_t)S * (size_t)lanes;
}

/* Panels and their weights, without those of weight 0, for the kernels that sum slopes. */
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

/* Adds h times the sum of `count` panels [S] of slopes with these weights to the integrals of the lanes of mask_row. In
 * double: in float, 59,000 equal steps would be wrong in the fourth digit. */
static void add_to_integrals(cnf_worker *w, int32_t count, const double *weights, const real *const *panels) {
  WORKER_NAMES(w);
  for (int32_t r = D; r < S; r++) {
    double sum[CNF_MAX_LANES] = {0}, *to = w->lane.integral[r - D];
    for (int32_t i = 0; i < count; i++) {
      const real *row = PANEL(panels[i], r);
      for (int32_t j = 0; weights[i] != 0 && j < lanes; j++) sum[j] += weights[i] * (double)row[j];
    }
    for (int32_t j = 0; j < lanes; j++)
      if (w->step.mask_row[j] > 0) to[j] += w->dense.h[j] * sum[j];
  }
}

/* Regularisers are means over the rows that a slope moves. A partitioned method integrates each half with its own
 * weights, so the integral is the mean of the halves' weights times the means over each half. */
static void mean_over(cnf_worker *w, cnf_half half) {
  const int32_t D = w->e.model->program->state_dim;
  w->e.mean_first = half == CNF_HALF_MOMENTA ? D / 2 : 0;
  w->e.mean_rows = half == CNF_HALF_BOTH ? D : D / 2;
}

/* Slope `out` [S] at time_row and the state in block 0 of the kept values: f, and with_integrands the divergence and
 * regularisers, else zeros. */
static void evaluate_slope(cnf_worker *w, int with_integrands, real *out) {
  WORKER_NAMES(w);
  evaluate(&w->e, w->step.time_row, with_integrands, integrands_of(m, out));
  turn_regularisers(w, D + 1, S, out);
  copy_rows(D, lanes, rows_of(m, w->e.kept.value, 0, m->program->op_count), out);
}

/* Adds `count` evaluations of the tile to the counts of the call. */
static void count_work(cnf_worker *w, int32_t count) {
  WORKER_NAMES(w);
  for (int32_t j = 0; j < lanes; j++) w->work.idle_evaluations += w->lane.sample[j] < 0 ? count : 0;
  w->work.evaluations += (int64_t)lanes * count;
}

/* A step of `evaluations` evaluations has been made in every lane. */
static void count_step(cnf_worker *w, int32_t evaluations) {
  WORKER_NAMES(w);
  for (int32_t j = 0; j < lanes; j++) w->lane.evaluations[j] = evaluations;
  count_work(w, evaluations);
}
