/* Dense output: the coefficients of each accepted step, and writing them to the caller. solve/methods/dense.h has the
 * formulas. Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c. */
#include "solve/methods/dense.h"
#include "solve/worker.h"

/* Row 0 of coefficient p: [D+1], of the state and the log-determinant. */
static real *dense_term(const cnf_worker *w, int32_t p) {
  WORKER_NAMES(w);
  return w->dense.terms + (size_t)p * (size_t)(D + 1) * (size_t)lanes;
}

/* h times the sum of `count` slopes with these weights, into `out` [D+1]. */
static void weigh_slopes(cnf_worker *w, int32_t count, const double *weights, real *out) {
  WORKER_NAMES(w);
  weighted list = slopes(w, count, weights);
  k->combine(D + 1, NULL, w->step.h_row, list.count, list.weight, list.panel, out);
}

/* The slope at the state of the evaluation at hand, at the fraction c of the step just made. */
static void evaluate_added_slope(cnf_worker *w, double c, int with_integrands, real *out) {
  WORKER_NAMES(w);
  double *row = w->step.time_row;
  for (int32_t j = 0; j < lanes; j++) row[j] = cnf_time_in_step(w->dense.t[j], w->dense.h[j], w->dense.end[j], c);
  for (int32_t j = 0; w->span.jump_count > 0 && j < lanes; j++)
    row[j] = within_jumps(w, j, w->dense.t[j], w->dense.h[j], row[j]);
  evaluate_slope(w, with_integrands, out);
  count_work(w, 1);
}

/* Evaluations that a step's interpolant needs besides the step's own. */
static int32_t dense_evaluations(const cnf_engine *solver) {
  const cnf_interpolant *in = &solver->interpolant;
  if (in->form != CNF_DENSE_HERMITE) return 0;
  return !solver->stages.fsal + (in->data ? in->data->added : 0);
}

/* Makes those evaluations, in scratch of their own: the step's stages may still be wanted. */
static void evaluate_added_slopes(cnf_worker *w, const cnf_engine *solver, int with_integrands) {
  WORKER_NAMES(w);
  const cnf_interpolant *in = &solver->interpolant;
  use_scratch(w, solver->stages.count);
  if (!solver->stages.fsal) {
    copy_rows(D, lanes, w->step.x1, w->e.kept.value);
    evaluate_added_slope(w, 1, with_integrands, slope(w, in->end));
  }
  for (int32_t i = 0; in->data && i < in->data->added; i++) {
    const double *a = in->data->a[i];
    const int32_t before = in->end + 1 + i;
    double c = 0;
    for (int32_t n = 0; n < before; n++) c += a[n];
    weighted list = slopes(w, before, a);
    k->combine(D, w->step.x, w->step.h_row, list.count, list.weight, list.panel, w->e.kept.value);
    evaluate_added_slope(w, c, with_integrands, slope(w, before));
  }
}

/* c_2, c_3, ...: cubic Hermite and what the method adds. */
static void hermite_terms(cnf_worker *w, const cnf_engine *solver, const real *begin) {
  WORKER_NAMES(w);
  const cnf_interpolant *in = &solver->interpolant;
  const size_t size = (size_t)(D + 1) * (size_t)lanes;
  const real *end = slope(w, in->end);
  real *c2 = dense_term(w, 2), *c3 = dense_term(w, 3), *bump = dense_term(w, in->terms);
  for (size_t i = 0; i < size; i++) {
    const real h = w->step.h_row[i % (size_t)lanes], change = w->step.x1[i] - w->step.x[i];
    c2[i] = 3 * change - h * (2 * begin[i] + end[i]);
    c3[i] = h * (begin[i] + end[i]) - 2 * change;
  }
  for (int32_t p = 4; p < in->terms; p++) zero_rows(D + 1, lanes, dense_term(w, p));
  for (int32_t n = 0; in->data && n < in->data->rows; n++) {
    weigh_slopes(w, in->end + 1 + in->data->added, in->data->d[n], bump);
    real *low = dense_term(w, n + 2), *middle = dense_term(w, n + 3), *high = dense_term(w, n + 4);
    for (size_t i = 0; i < size; i++) low[i] += bump[i], middle[i] -= 2 * bump[i], high[i] += bump[i];
  }
}

/* Rosenbrock: the state by its stages, the log-determinant by the parabola that its quadrature integrates. */
static void rosenbrock_terms(cnf_worker *w, const cnf_engine *solver) {
  WORKER_NAMES(w);
  const cnf_rosenbrock *ros = solver->stages.tableau->rosenbrock;
  const size_t size = (size_t)D * (size_t)lanes, state = (size_t)S * (size_t)lanes;
  real *c1 = dense_term(w, 1), *c2 = dense_term(w, 2), *c3 = dense_term(w, 3);
  weigh_slopes(w, solver->stages.count, ros->h2, c1);
  weigh_slopes(w, solver->stages.count, ros->h3, c3);
  for (size_t i = 0; i < size; i++) {
    c2[i] = c3[i] - c1[i];
    c1[i] += w->step.x1[i] - w->step.x[i];
    c3[i] = -c3[i];
  }
  const real *q = w->implicit.integrands + size;
  for (int32_t j = 0; j < lanes; j++) {
    const real h = m->jacobian ? 0 : w->step.h_row[j], start = q[j], middle = q[state + (size_t)j],
               end = q[2 * state + (size_t)j];
    PANEL(c1, D)[j] = h * start;
    PANEL(c2, D)[j] = h * (4 * middle - 3 * start - end) / 2;
    PANEL(c3, D)[j] = h * (2 * start - 4 * middle + 2 * end) / 3;
  }
}

/* The coefficients of the step just made, from x at dense.t to x1 with length dense.h, in all lanes. Without
 * integrands those of the log-determinant mean nothing. */
static void make_dense_terms(cnf_worker *w, const cnf_engine *solver, int with_integrands) {
  WORKER_NAMES(w);
  const cnf_interpolant *in = &solver->interpolant;
  const size_t size = (size_t)(D + 1) * (size_t)lanes;
  const real *begin = solver->code->first_slope ? solver->code->first_slope(w, solver) : slope(w, 0);
  real *c1 = dense_term(w, 1), *c2 = dense_term(w, 2);
  memcpy(dense_term(w, 0), w->step.x, size * sizeof(real));
  for (int32_t j = 0; j < lanes; j++) PANEL(dense_term(w, 0), D)[j] = (real)w->dense.log_det[j];
  if (in->form == CNF_DENSE_ROSENBROCK) {
    rosenbrock_terms(w, solver);
    return;
  }
  if (in->form == CNF_DENSE_HERMITE) evaluate_added_slopes(w, solver, with_integrands);
  for (size_t i = 0; i < size; i++) {
    const real change = w->step.x1[i] - w->step.x[i];
    c1[i] = in->form == CNF_DENSE_CHORD ? change : w->step.h_row[i % (size_t)lanes] * begin[i];
    if (in->form == CNF_DENSE_PARABOLA) c2[i] = change - c1[i];
  }
  if (in->form == CNF_DENSE_HERMITE) hermite_terms(w, solver, begin);
}

/* Writes the accepted steps of the lanes of mask_row to the caller. They are counted already, and t is where they
 * ended. */
static void write_dense(cnf_worker *w, const cnf_call *call, int64_t first) {
  WORKER_NAMES(w);
  const cnf_solve_output *out = call->output;
  const int32_t terms = call->solver->interpolant.terms;
  make_dense_terms(w, call->solver, 1);
  for (int32_t j = 0; j < lanes; j++) {
    if (!(w->step.mask_row[j] > 0)) continue;
    const int64_t s = w->lane.sample[j];
    const size_t number = (size_t)(first + s), step = (size_t)w->chunk.accepted[s] - 1;
    w->chunk.evaluations[s] += dense_evaluations(call->solver);
    if (step >= out->dense_stride) {
      if (out->dense_left_out) out->dense_left_out[number]++;
      continue;
    }
    real *to = (real *)out->dense + (number * out->dense_stride + step) * (size_t)terms * (size_t)(D + 1);
    column_out(terms * (D + 1), lanes, w->dense.terms, j, to);
    double *ends = out->dense_ends + number * (out->dense_stride + 1);
    ends[step + 1] = w->lane.t[j];
    if (step == 0) ends[0] = w->dense.t[j];
  }
}

/* Before a chunk: its samples have no steps. */
static void clear_dense(const cnf_call *call, int64_t first, int64_t count) {
  const cnf_solve_output *out = call->output;
  if (!out || !out->dense) return;
  const size_t row = out->dense_stride + 1;
  for (size_t i = (size_t)first * row; i < (size_t)(first + count) * row; i++) out->dense_ends[i] = NAN;
  for (int64_t s = first; out->dense_left_out && s < first + count; s++) out->dense_left_out[s] = 0;
}

/* The sample in `lane` is done. If it has made no step, it has a step of no length with its state. */
static void finish_dense(cnf_worker *w, const cnf_call *call, int64_t number, int32_t lane, double t) {
  WORKER_NAMES(w);
  const cnf_solve_output *out = call->output;
  const size_t terms = (size_t)call->solver->interpolant.terms, rows = (size_t)D + 1;
  const size_t steps = (size_t)w->chunk.accepted[w->lane.sample[lane]];
  double *ends = out->dense_ends + (size_t)number * (out->dense_stride + 1);
  if (steps > 0 && steps <= out->dense_stride) ends[steps] = t; /* t1 itself, if the sample reached it */
  if (steps > 0) return;
  real *to = (real *)out->dense + (size_t)number * out->dense_stride * terms * rows;
  column_out(D, lanes, w->step.x, lane, to);
  to[D] = (real)w->lane.integral[0][lane];
  memset(to + rows, 0, (terms - 1) * rows * sizeof(real));
  ends[0] = ends[1] = t;
}
