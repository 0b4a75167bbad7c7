/* CALLBACK: y = g(x, t; theta), functions of the host, called on the panels of an evaluation. cnf.h has their contract.
 *
 * The op counts as nonlinear: its tangent is computed in every evaluation. It couples rows, so its backward functions
 * cannot work in place: they write to e->scratch. What the tangents add to the cotangents of x and t waits in
 * e->divergence_bar until the value goes back, with the first group. aux has the time of the evaluation,
 * a double: in float as a sum of three rows, which is exact.
 *
 * OP_NAMES (field/panels.h) declares m, k, lanes, plan, op and others. */
#ifndef CNF_FIELD_OPS_CALLBACK_H
#define CNF_FIELD_OPS_CALLBACK_H

#include "field/ops/op.h"

/* The op's own part of theta; NULL where it has no parameters. */
static const real *callback_theta(const cnf_model *m, const cnf_plan *plan) {
  return plan->callback.parameter_count ? m->theta + plan->weight : NULL;
}
static real *callback_theta_bar(const cnf_model *m, int32_t i, real *gradient) {
  return m->program->plans[i].callback.parameter_count ? gradient + m->places[i].weight_bar : NULL;
}

#define CNF_TIME_ROWS (CNF_REAL_BITS == 32 ? CNF_CALLBACK_TIME_ROWS : 1)

static void keep_time(const cnf_evaluator *e, const cnf_plan *plan, const double *time) {
  const int32_t lanes = e->model->kernels->lanes;
  real *aux = kept_aux(e, plan);
  for (int32_t j = 0; j < lanes; j++) {
    double rest = time[j];
    for (int32_t r = 0; r < CNF_TIME_ROWS; r++) {
      PANEL(aux, r)[j] = (real)rest;
      rest -= (double)PANEL(aux, r)[j];
    }
  }
}
static const double *kept_time(const cnf_evaluator *e, const cnf_plan *plan, double time[CNF_MAX_LANES]) {
  const int32_t lanes = e->model->kernels->lanes;
  const real *aux = kept_aux(e, plan);
  for (int32_t j = 0; j < lanes; j++) {
    time[j] = (double)aux[j];
    for (int32_t r = 1; r < CNF_TIME_ROWS; r++) time[j] += (double)PANEL(aux, r)[j];
  }
  return time;
}

static int forward_callback(cnf_evaluator *e, int32_t i, const double *time, int32_t first, int32_t count) {
  OP_NAMES(e, i);
  keep_time(e, plan, time);
  plan->callback.evaluate(plan->callback.context, lanes, time, value_of(e, op->input), callback_theta(m, plan),
                          value_of(e, i + 1));
  (void)first, (void)count;
  return 0;
}
static void backward_callback(cnf_evaluator *e, int32_t i, const op_backward *pass) {
  OP_NAMES(e, i);
  double time[CNF_MAX_LANES];
  const int32_t rows = plan->cols + 1; /* of x, then t */
  real *x_bar = e->scratch, *t_bar = PANEL(x_bar, plan->cols);
  zero_rows(rows, lanes, x_bar);
  plan->callback.reverse(plan->callback.context, lanes, kept_time(e, plan, time), value_of(e, op->input),
                         callback_theta(m, plan), bar_of(e, i + 1), x_bar, t_bar,
                         callback_theta_bar(m, i, pass->gradient));
  add_divergence_bar(e, plan, pass, 0, rows, x_bar);
  k->add(1, pass->time_bar, t_bar, pass->time_bar);
  put_rows(k, plan->cols, x_bar, plan->accumulate, bar_of(e, op->input));
}

static void tangent_callback(cnf_evaluator *e, int32_t i, int32_t first, int32_t g) {
  OP_NAMES(e, i);
  double time[CNF_MAX_LANES];
  plan->callback.tangent(plan->callback.context, lanes, kept_time(e, plan, time), value_of(e, op->input),
                         callback_theta(m, plan), tangent_of(e, first, g, op->input), tangent_of(e, first, g, i + 1));
}
static void tangent_backward_callback(cnf_evaluator *e, int32_t i, int32_t g, const real *y_dot_bar,
                                      const op_backward *pass) {
  OP_NAMES(e, i);
  double time[CNF_MAX_LANES];
  const int32_t rows = plan->cols + 1; /* of x, then t */
  real *x_bar = e->scratch, *t_bar = PANEL(x_bar, plan->cols), *x_dot_bar = PANEL(x_bar, rows);
  real *sum = PANEL(e->divergence_bar, plan->divergence_row);
  zero_rows(rows + plan->cols, lanes, x_bar);
  plan->callback.tangent_reverse(plan->callback.context, lanes, kept_time(e, plan, time), value_of(e, op->input),
                                 callback_theta(m, plan), tangent_of(e, pass->first, g, op->input), y_dot_bar, x_bar,
                                 x_dot_bar, t_bar, callback_theta_bar(m, i, pass->gradient));
  k->add(rows, sum, x_bar, sum);
  put_tangent_bar(e, pass->first + g, g, op->input, x_dot_bar, plan->tangent_accumulate);
}

static void lay_out_callback(cnf_model *m, int32_t i, cnf_op_place *place) {
  place->weight_bar = take_reals(&m->gradient_size, m->program->plans[i].callback.parameter_count);
}
static void unpad_callback(const cnf_model *m, int32_t i, const real *gradient, real *theta_bar) {
  const cnf_plan *plan = &m->program->plans[i];
  const size_t count = plan->callback.parameter_count;
  if (count) memcpy(theta_bar + plan->weight, gradient + m->places[i].weight_bar, count * sizeof(real));
}
static size_t scratch_rows_callback(const cnf_plan *plan) { return 2 * (size_t)plan->cols + 1; }

static const op_functions callback_functions = {.forward = forward_callback,
                                                .backward = backward_callback,
                                                .tangent = tangent_callback,
                                                .tangent_backward = tangent_backward_callback,
                                                .lay_out = lay_out_callback,
                                                .unpad = unpad_callback,
                                                .scratch_rows = scratch_rows_callback};

#endif
