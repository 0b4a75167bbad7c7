/* LINEAR: y = a(W x + b), W [rows][cols], b [rows]. The functions named `product` serve TRANSPOSED too, whose places
 * have the two orientations of W exchanged. OP_NAMES (field/panels.h) declares m, k, lanes, plan, op and others. */
#ifndef CNF_FIELD_OPS_LINEAR_H
#define CNF_FIELD_OPS_LINEAR_H

#include "field/ops/activation.h"

/* y = a(W x + b), and y_dot = a'(z) W x_dot of the tangents while the weights are in cache. */
static int forward_product(cnf_evaluator *e, int32_t i, int32_t first, int32_t count, const real *bias) {
  OP_NAMES(e, i);
  const real *x_dot[CNF_TANGENT_GROUP];
  real *y_dot[CNF_TANGENT_GROUP], *pre[CNF_TANGENT_GROUP], *y = value_of(e, i + 1), *aux = kept_aux(e, plan);
  if (!plan->tangent_runs || !blocks[op->input].behind_nonlinear) count = 0;
  for (int32_t g = 0; g < count; g++) {
    x_dot[g] = tangent_of(e, first, g, op->input);
    y_dot[g] = tangent_of(e, first, g, i + 1);
    pre[g] = kept_pre(e, plan, g);
  }
  k->linear(m->packed + m->places[i].packed, bias, plan->rows, plan->cols, value_of(e, op->input), op->activation, y,
            aux, m->bf16 ? 0 : count, x_dot, y_dot, pre);
  if (m->bf16 && count)
    derivative_product(e, m->places[i].packed, m->places[i].bf16, plan->rows, plan->cols, count, x_dot, y_dot,
                       overwrite);
  for (int32_t g = 0; m->bf16 && plan->is_nonlinear && g < count; g++)
    k->activation_tangent(op->activation, plan->rows, y, aux, y_dot[g], y_dot[g], pre[g]);
  return count > 0;
}
static int forward_linear(cnf_evaluator *e, int32_t i, const double *time, int32_t first, int32_t count) {
  (void)time;
  return forward_product(e, i, first, count, e->model->theta + e->model->program->plans[i].bias);
}

/* y_dot = a'(z) W x_dot; W x_dot is a constant of the solve where x_dot is. */
static void tangent_product(cnf_evaluator *e, int32_t i, int32_t first, int32_t g) {
  OP_NAMES(e, i);
  const real *z_dot = tangent_of(e, first, g, op->input);
  real *y_dot = tangent_of(e, first, g, i + 1);
  if (plan->entry_row >= 0) {
    z_dot = entry_of(m, e->constants.entry, first + g, plan);
  } else {
    derivative_product(e, m->places[i].packed, m->places[i].bf16, plan->rows, plan->cols, 1, &z_dot, &y_dot, overwrite);
    z_dot = y_dot;
  }
  if (plan->is_nonlinear)
    k->activation_tangent(op->activation, plan->rows, value_of(e, i + 1), kept_aux(e, plan), z_dot, y_dot,
                          kept_pre(e, plan, g));
}

/* x_bar = W' z_bar, x_dot_bar = W' z_dot_bar: one product for the value and the tangents. */
static void group_backward_product(cnf_evaluator *e, int32_t i, const op_backward *pass) {
  OP_NAMES(e, i);
  const real *from[CNF_TANGENT_GROUP + 1];
  real *to[CNF_TANGENT_GROUP + 1];
  int accumulate[CNF_TANGENT_GROUP + 1], panels = 0;
  if (pass->with_value) {
    from[panels] = bar_of(e, i + 1);
    to[panels] = bar_of(e, op->input);
    accumulate[panels++] = plan->accumulate;
  }
  for (int32_t g = 0; blocks[op->input].behind_nonlinear && g < pass->count; g++) {
    from[panels] = varying_of(m, e->bars.tangent_bar, g, i + 1);
    to[panels] = varying_of(m, e->bars.tangent_bar, g, op->input);
    accumulate[panels++] = plan->tangent_accumulate;
  }
  if (panels)
    derivative_product(e, m->places[i].packed_t, m->places[i].bf16_t, plan->cols, plan->rows, panels, from, to,
                       accumulate);
}
static void group_backward_linear(cnf_evaluator *e, int32_t i, const op_backward *pass) {
  if (e->model->program->plans[i].op.activation != CNF_ACTIVATION_IDENTITY) backward_through_activation(e, i, pass);
  group_backward_product(e, i, pass);
}

/* W x, without bias and activation. */
static void map_product(const cnf_model *m, int32_t i, const real *a, const real *b, real *y) {
  const cnf_plan *plan = &m->program->plans[i];
  product_of_one(m->kernels, m->packed + m->places[i].packed, plan->rows, plan->cols, a, 0, y);
  (void)b;
}
static void transpose_product(const cnf_model *m, int32_t i, int operand, const real *y_bar, int32_t accumulate,
                              real *to) {
  const cnf_plan *plan = &m->program->plans[i];
  product_of_one(m->kernels, m->packed + m->places[i].packed_t, plan->cols, plan->rows, y_bar, accumulate, to);
  (void)operand;
}

static void lay_out_linear(cnf_model *m, int32_t i, cnf_op_place *place) {
  const cnf_plan *plan = &m->program->plans[i];
  place->ld = gradient_stride(m->kernels, plan->cols);
  place->packed = take_reals(&m->packed_size, packed_reals(m->kernels, plan->rows, plan->cols));
  place->packed_t = take_reals(&m->packed_size, packed_reals(m->kernels, plan->cols, plan->rows));
  place->bf16 = take_reals(&m->bf16_size, bf16_words(m, plan->rows, plan->cols));
  place->bf16_t = take_reals(&m->bf16_size, bf16_words(m, plan->cols, plan->rows));
  place->weight_bar = take_reals(&m->gradient_size, (size_t)plan->rows * place->ld);
  place->bias_bar = take_reals(&m->gradient_size, (size_t)plan->rows);
}

static void pack_linear(cnf_model *m, int32_t i, int transposed) {
  const cnf_plan *plan = &m->program->plans[i];
  const cnf_op_place *place = &m->places[i];
  if (!plan->weights_read) return;
  const real *w = m->theta + plan->weight;
  const size_t cols = (size_t)plan->cols;
  if (transposed) {
    m->tile->pack(w, 1, cols, plan->cols, plan->rows, m->packed + place->packed_t);
    if (m->bf16) m->bf16->pack(w, 1, cols, plan->cols, plan->rows, m->packed_bf16 + place->bf16_t);
  } else {
    m->tile->pack(w, cols, 1, plan->rows, plan->cols, m->packed + place->packed);
    if (m->bf16) m->bf16->pack(w, cols, 1, plan->rows, plan->cols, m->packed_bf16 + place->bf16);
  }
}

static void unpad_linear(const cnf_model *m, int32_t i, const real *gradient, real *theta_bar) {
  const cnf_plan *plan = &m->program->plans[i];
  const cnf_op_place *place = &m->places[i];
  const size_t cols = (size_t)plan->cols, rows = (size_t)plan->rows;
  for (size_t r = 0; r < rows; r++)
    memcpy(theta_bar + plan->weight + r * cols, gradient + place->weight_bar + r * place->ld, cols * sizeof(real));
  memcpy(theta_bar + plan->bias, gradient + place->bias_bar, rows * sizeof(real));
}

/* W_bar += z_bar x', b_bar += z_bar of the values, summed over lanes. */
static void weight_gradient_linear(const cnf_model *m, int32_t i, int mixed, int32_t values, int32_t count,
                                   const real *const *y_bar, const real *const *a, real *gradient) {
  const cnf_plan *plan = &m->program->plans[i];
  const cnf_op_place *place = &m->places[i];
  if (values) m->kernels->row_sums(plan->rows, values, y_bar, gradient + place->bias_bar);
  (mixed && m->bf16 ? m->bf16->weight_gradient : m->kernels->weight_gradient)(plan->rows, plan->cols, count, y_bar, a,
                                                                              place->ld, gradient + place->weight_bar);
}

static const op_functions linear_functions = {.forward = forward_linear,
                                              .tangent = tangent_product,
                                              .group_backward = group_backward_linear,
                                              .map = map_product,
                                              .transpose = transpose_product,
                                              .lay_out = lay_out_linear,
                                              .pack = pack_linear,
                                              .unpad = unpad_linear,
                                              .weight_gradient = weight_gradient_linear};

#endif
