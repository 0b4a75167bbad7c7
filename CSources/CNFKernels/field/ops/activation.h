/* ACTIVATION: y = a(x), row by row; and the activation of a LINEAR op. OP_NAMES (field/panels.h) declares m, k, lanes,
 * plan, op and others. */
#ifndef CNF_FIELD_OPS_ACTIVATION_H
#define CNF_FIELD_OPS_ACTIVATION_H

#include "field/ops/op.h"

static int forward_activation(cnf_evaluator *e, int32_t i, const double *time, int32_t first, int32_t count) {
  OP_NAMES(e, i);
  k->activation(op->activation, plan->rows, value_of(e, op->input), value_of(e, i + 1), kept_aux(e, plan));
  (void)time, (void)first, (void)count;
  return 0;
}

static void tangent_activation(cnf_evaluator *e, int32_t i, int32_t first, int32_t g) {
  OP_NAMES(e, i);
  k->activation_tangent(op->activation, plan->rows, value_of(e, i + 1), kept_aux(e, plan),
                        tangent_of(e, first, g, op->input), tangent_of(e, first, g, i + 1), kept_pre(e, plan, g));
}

/* Cotangents of what is before the activation of op i, in place of those of y and y_dot. Each tangent adds a''(z) z_dot
 * times its cotangent to that of z: a lone one at once, several through e->pre_divergence_bar. */
static void backward_through_activation(cnf_evaluator *e, int32_t i, const op_backward *pass) {
  OP_NAMES(e, i);
  const real *y = value_of(e, i + 1), *aux = kept_aux(e, plan);
  real *y_bar = bar_of(e, i + 1), *sum = PANEL(e->pre_divergence_bar, block->row);
  const int at_once = pass->with_value && pass->count == 1 && !pass->continues;
  for (int32_t g = 0; g < pass->count; g++) {
    const int32_t n = pass->first + g;
    const real *y_dot = tangent_of(e, pass->first, g, i + 1);
    const real *exit = block->reaches_output ? rows_of(m, e->constants.exit, n, i + 1) : NULL;
    const real *from = at_once ? y_bar : pass->continues || g > 0 ? sum : NULL;
    real *bar = varying_of(m, e->bars.tangent_bar, g, i + 1);
    k->activation_tangent_reverse(op->activation, plan->rows, y, aux, y_dot, kept_pre(e, plan, g),
                                  block->reaches_nonlinear ? bar : NULL, exit, pass->mu, bar, from, at_once,
                                  at_once ? y_bar : sum);
    if (exit) k->scale_add(plan->rows, y_dot, pass->mu, rows_of(m, e->constants.exit_bar, n, i + 1));
    if (plan->entry_row >= 0) {
      real *entry_bar = entry_of(m, e->constants.entry_bar, n, plan);
      k->add(plan->rows, entry_bar, bar, entry_bar);
    }
  }
  if (pass->with_value && !at_once)
    k->activation_reverse(op->activation, plan->rows, y, aux, y_bar, pass->count || pass->continues ? sum : NULL,
                          y_bar);
}

static void group_backward_activation(cnf_evaluator *e, int32_t i, const op_backward *pass) {
  OP_NAMES(e, i);
  if (op->activation != CNF_ACTIVATION_IDENTITY) backward_through_activation(e, i, pass);
  if (pass->with_value) put_rows(k, plan->rows, bar_of(e, i + 1), plan->accumulate, bar_of(e, op->input));
  for (int32_t g = 0; g < pass->count; g++)
    put_tangent_bar(e, pass->first + g, g, op->input, varying_of(m, e->bars.tangent_bar, g, i + 1),
                    plan->tangent_accumulate);
}

/* The identity, which is linear. */
static void map_activation(const cnf_model *m, int32_t i, const real *a, const real *b, real *y) {
  copy_rows(m->program->plans[i].rows, m->kernels->lanes, a, y);
  (void)b;
}
static void transpose_activation(const cnf_model *m, int32_t i, int operand, const real *y_bar, int32_t accumulate,
                                 real *to) {
  put_rows(m->kernels, m->program->plans[i].rows, y_bar, accumulate, to);
  (void)operand;
}

static const op_functions activation_functions = {.forward = forward_activation,
                                                  .tangent = tangent_activation,
                                                  .group_backward = group_backward_activation,
                                                  .map = map_activation,
                                                  .transpose = transpose_activation};

#endif
