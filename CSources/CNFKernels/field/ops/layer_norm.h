/* LAYER_NORM: y = g n + b, n = r (x - mean x), r = 1/sqrt(mean (x - mean x)^2 + epsilon), means over the rows of a
 * sample (Ba, Kiros and Hinton 2016, arXiv 1607.06450).
 *
 * The derivative of n by x is the symmetric D v = r (v - mean v - n mean(n v)). With w the cotangent of y_dot:
 *
 *   y_dot = g D x_dot,   x_bar = D(g y_bar),   x_dot_bar = D(g w)
 *
 * and of s = w . y_dot = u . D v for u = g w, v = x_dot, by dr = -r^2 mean(n dx) and dn = D dx:
 *
 *   x_bar += -r (mean(n u) D v + mean(n v) D u + mean(u D v) n),   g_bar += w D v summed over lanes
 *
 * OP_NAMES (field/panels.h) declares m, k, lanes, plan, op and others. */
#ifndef CNF_FIELD_OPS_LAYER_NORM_H
#define CNF_FIELD_OPS_LAYER_NORM_H

#include "field/ops/op.h"

/* row = mean over rows of a (b NULL), or of a b. */
static void mean_row(const cnf_kernels *k, int32_t rows, const real *a, const real *b, real *row) {
  if (b)
    k->dot(rows, a, b, 0, row);
  else
    k->total(rows, a, 0, row);
  for (int32_t j = 0; j < k->lanes; j++) row[j] /= (real)rows;
}
static void negate_row(const cnf_kernels *k, real *row) {
  for (int32_t j = 0; j < k->lanes; j++) row[j] = -row[j];
}

/* aux: n [rows], then r [1]. */
static int forward_layer_norm(cnf_evaluator *e, int32_t i, const double *time, int32_t first, int32_t count) {
  OP_NAMES(e, i);
  const real epsilon = (real)op->number, *x = value_of(e, op->input);
  real *n = kept_aux(e, plan), *r = PANEL(n, plan->rows);
  mean_row(k, plan->rows, x, NULL, r);
  negate_row(k, r);
  k->shift(plan->rows, x, r, n);
  mean_row(k, plan->rows, n, n, r);
  for (int32_t j = 0; j < lanes; j++) r[j] = 1 / (real)sqrt((double)(r[j] + epsilon));
  k->scale(plan->rows, n, r, n);
  k->affine(plan->rows, n, m->theta + plan->weight, m->theta + plan->bias, value_of(e, i + 1));
  (void)time, (void)first, (void)count;
  return 0;
}

/* out = D v; row [1] is scratch. Nothing overlaps. */
static void layer_norm_derivative(const cnf_evaluator *e, const cnf_plan *plan, const real *v, real *row, real *out) {
  const cnf_kernels *k = e->model->kernels;
  const real *n = kept_aux(e, plan), *r = n + (size_t)plan->rows * (size_t)k->lanes;
  mean_row(k, plan->rows, v, NULL, row);
  negate_row(k, row);
  k->shift(plan->rows, v, row, out);
  mean_row(k, plan->rows, v, n, row);
  negate_row(k, row);
  k->scale_add(plan->rows, n, row, out);
  k->scale(plan->rows, out, r, out);
}

/* g_bar += w n summed over lanes, or w D v; products [rows] is scratch. */
static void add_gain_gradient(cnf_evaluator *e, int32_t i, const real *w, const real *n, real *products,
                              real *gradient) {
  OP_NAMES(e, i);
  const real *panel = products;
  if (!gradient) return;
  k->multiply(plan->rows, w, n, 0, products);
  k->row_sums(plan->rows, 1, &panel, gradient + m->places[i].weight_bar);
}

static void backward_layer_norm(cnf_evaluator *e, int32_t i, const op_backward *pass) {
  OP_NAMES(e, i);
  const real *y_bar = bar_of(e, i + 1);
  real *u = e->scratch, *x_bar = PANEL(u, plan->rows), *row = PANEL(x_bar, plan->rows), *to = bar_of(e, op->input);
  add_gain_gradient(e, i, y_bar, kept_aux(e, plan), u, pass->gradient);
  if (pass->gradient) k->row_sums(plan->rows, 1, &y_bar, pass->gradient + m->places[i].bias_bar);
  k->affine(plan->rows, y_bar, m->theta + plan->weight, NULL, u);
  layer_norm_derivative(e, plan, u, row, x_bar);
  put_rows(k, plan->rows, x_bar, plan->accumulate, to);
  add_divergence_bar(e, plan, pass, 0, plan->rows, to);
}

static void tangent_layer_norm(cnf_evaluator *e, int32_t i, int32_t first, int32_t g) {
  OP_NAMES(e, i);
  layer_norm_derivative(e, plan, tangent_of(e, first, g, op->input), PANEL(e->scratch, plan->rows), e->scratch);
  k->affine(plan->rows, e->scratch, m->theta + plan->weight, NULL, tangent_of(e, first, g, i + 1));
}

static void tangent_backward_layer_norm(cnf_evaluator *e, int32_t i, int32_t g, const real *y_dot_bar,
                                        const op_backward *pass) {
  OP_NAMES(e, i);
  const int32_t rows = plan->rows;
  const real *n = kept_aux(e, plan), *r = PANEL(n, rows), *v = tangent_of(e, pass->first, g, op->input);
  real *u = e->scratch, *dv = PANEL(u, rows), *du = PANEL(dv, rows), *row = PANEL(du, rows);
  layer_norm_derivative(e, plan, v, row, dv);
  add_gain_gradient(e, i, y_dot_bar, dv, u, pass->gradient);
  k->affine(rows, y_dot_bar, m->theta + plan->weight, NULL, u);
  layer_norm_derivative(e, plan, u, row, du);
  const real *const terms[3][3] = {{n, u, dv}, {n, v, du}, {u, dv, n}}; /* -r mean(first second) third */
  for (int q = 0; q < 3; q++) {
    mean_row(k, rows, terms[q][0], terms[q][1], row);
    for (int32_t j = 0; j < lanes; j++) row[j] *= -r[j];
    k->scale_add(rows, terms[q][2], row, PANEL(e->divergence_bar, plan->divergence_row));
  }
  put_tangent_bar(e, pass->first + g, g, op->input, du, plan->tangent_accumulate);
}

static void lay_out_layer_norm(cnf_model *m, int32_t i, cnf_op_place *place) {
  const size_t rows = (size_t)m->program->plans[i].rows;
  place->weight_bar = take_reals(&m->gradient_size, rows);
  place->bias_bar = take_reals(&m->gradient_size, rows);
}
static void unpad_layer_norm(const cnf_model *m, int32_t i, const real *gradient, real *theta_bar) {
  const cnf_plan *plan = &m->program->plans[i];
  const size_t bytes = (size_t)plan->rows * sizeof(real);
  memcpy(theta_bar + plan->weight, gradient + m->places[i].weight_bar, bytes);
  memcpy(theta_bar + plan->bias, gradient + m->places[i].bias_bar, bytes);
}
static size_t scratch_rows_layer_norm(const cnf_plan *plan) { return 3 * (size_t)plan->rows + 1; }

static const op_functions layer_norm_functions = {.forward = forward_layer_norm,
                                                  .backward = backward_layer_norm,
                                                  .tangent = tangent_layer_norm,
                                                  .tangent_backward = tangent_backward_layer_norm,
                                                  .lay_out = lay_out_layer_norm,
                                                  .unpad = unpad_layer_norm,
                                                  .scratch_rows = scratch_rows_layer_norm};

#endif
