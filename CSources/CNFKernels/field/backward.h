/* The backward pass of a program over a tile, and the gradients of weights. */
#ifndef CNF_FIELD_BACKWARD_H
#define CNF_FIELD_BACKWARD_H

#include "field/op_table.h"

/* The cotangent of tangent g of block i + 1, whose op is nonlinear, in place: what reached it, and mu times its
 * exit. */
static const real *complete_tangent_bar(cnf_evaluator *e, int32_t i, int32_t g, const op_backward *pass) {
  OP_NAMES(e, i);
  const int32_t n = pass->first + g;
  real *bar = varying_of(m, e->bars.tangent_bar, g, i + 1);
  if (!block->reaches_output) return bar;
  const real *exit = rows_of(m, e->constants.exit, n, i + 1);
  if (block->reaches_nonlinear)
    k->scale_add(block->rows, exit, pass->mu, bar);
  else
    k->scale(block->rows, exit, pass->mu, bar);
  k->scale_add(block->rows, tangent_of(e, pass->first, g, i + 1), pass->mu,
               rows_of(m, e->constants.exit_bar, n, i + 1));
  return bar;
}

/* The value and the tangents of a linear op, from its transpose. */
static void backward_linear_op(cnf_evaluator *e, int32_t i) {
  OP_NAMES(e, i);
  if (plan->is_view) return; /* its operands' cotangents are its own */
  for (int operand = 0; operand < cnf_op_operands(op); operand++)
    functions_of(plan)->transpose(m, i, operand, bar_of(e, i + 1), operand ? plan->accumulate2 : plan->accumulate,
                                  bar_of(e, operand ? op->input2 : op->input));
}
static void tangent_backward_linear_op(cnf_evaluator *e, int32_t i, int32_t g, const op_backward *pass) {
  OP_NAMES(e, i);
  const real *bar = varying_of(m, e->bars.tangent_bar, g, i + 1);
  for (int operand = 0; operand < cnf_op_operands(op); operand++) {
    int32_t accumulate = operand ? plan->tangent_accumulate2 : plan->tangent_accumulate;
    real *to = operand_tangent_bar(e, pass->first + g, g, operand ? op->input2 : op->input, &accumulate);
    if (to) functions_of(plan)->transpose(m, i, operand, bar, accumulate, to);
  }
}

/* The tangents first: a nonlinear op adds what they give to the cotangents of its operands with those of the value. */
static void backward_op(cnf_evaluator *e, int32_t i, const op_backward *pass) {
  OP_NAMES(e, i);
  const op_functions *functions = functions_of(plan);
  if (functions->group_backward) {
    functions->group_backward(e, i, pass);
    return;
  }
  if (plan->divergence_row >= 0 && pass->count && !pass->continues)
    zero_rows(plan->divergence_rows, lanes, PANEL(e->divergence_bar, plan->divergence_row));
  for (int32_t g = 0; g < pass->count; g++)
    if (functions->tangent_backward)
      functions->tangent_backward(e, i, g, complete_tangent_bar(e, i, g, pass), pass);
    else
      tangent_backward_linear_op(e, i, g, pass);
  if (!pass->with_value) return;
  if (functions->backward)
    functions->backward(e, i, pass);
  else
    backward_linear_op(e, i);
}

/* Reverse of field_forward. With the value: the last block of bars.bar holds the cotangent of dx/dt, block 0 receives
 * that of the state, and row `time_bar` and the context's rows are added to. Without it (time_bar NULL) only tangents
 * go back. Row `mu`: the cotangent of the divergence, over the number of probes. continues: pre_divergence_bar and
 * divergence_bar hold what other tangents, or the product form of the divergence, have added. Callbacks and norms add
 * to `gradient` at once; gather_gradients adds that of the products later. */
static void field_backward(cnf_evaluator *e, int32_t first, int32_t count, const real *mu, int continues,
                           real *time_bar, real *gradient) {
  EVALUATOR_NAMES(e);
  const int with_value = time_bar != NULL;
  if (with_value && !p->state_read) zero_rows(p->state_dim, lanes, e->bars.bar);
  for (int32_t i = p->op_count - 1; i >= 0; i--) {
    const cnf_plan *plan = &p->plans[i];
    const int runs = plan->tangent_runs && count > 0;
    if (!plan->live || (!with_value && !runs)) continue;
    const op_backward pass = {.with_value = with_value,
                              .first = first,
                              .count = runs ? count : 0,
                              .mu = mu,
                              .continues = continues && plan->is_nonlinear,
                              .time_bar = time_bar,
                              .gradient = gradient};
    backward_op(e, i, &pass);
  }
}

/* Adds the gradients of all weights and biases from `count` evaluations that have gone back to the padded
 * `gradient`. */
static void gather_gradients(const cnf_model *m, const cnf_reversed *done, int32_t count, real *gradient) {
  enum { MOST = 64 };
  const cnf_program *p = m->program;
  const int32_t lanes = m->kernels->lanes;
  const real *z[MOST], *x[MOST];
  for (int32_t i = 0; i < p->op_count; i++) {
    const cnf_plan *plan = &p->plans[i];
    if (!plan->live || !functions_of(plan)->weight_gradient) continue;
    const int32_t input = plan->op.input, with_tangents = plan->tangent_runs && p->blocks[input].behind_nonlinear;
    int32_t pairs = 0;
    for (int32_t n = 0; n < count; n++)
      if (done[n].value) {
        z[pairs] = PANEL(done[n].bars.bar, p->blocks[i + 1].row);
        x[pairs++] = PANEL(done[n].kept.value, p->blocks[input].row);
      }
    const int32_t values = pairs;
    for (int32_t n = 0; with_tangents && n < count; n++)
      for (int32_t g = 0; g < done[n].tangents; g++) {
        z[pairs] = varying_of(m, done[n].bars.tangent_bar, g, i + 1);
        x[pairs++] = varying_of(m, done[n].kept.tangent, g, input);
      }
    if (pairs) functions_of(plan)->weight_gradient(m, i, 1, values, pairs, z, x, gradient);
  }
  int32_t pairs = 0;
  for (int32_t n = 0; n < count; n++)
    if (done[n].product) z[pairs] = done[n].bars.d2, x[pairs++] = done[n].bars.d1;
  if (pairs) derivative_gradient(m, m->m_rows, m->m_cols, pairs, z, x, m->m_ld, gradient + m->m_bar);
}

#endif
