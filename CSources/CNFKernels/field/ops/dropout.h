/* DROPOUT: y = mask x, row by row. A sample's mask is 0 or 1/(1 - rate), and stays the same over its solve. So the
 * derivative is a constant of each sample, not one of the program: the op counts as nonlinear. OP_NAMES
 * (field/panels.h) declares m, k, lanes, plan, op and others. */
#ifndef CNF_FIELD_OPS_DROPOUT_H
#define CNF_FIELD_OPS_DROPOUT_H

#include "field/ops/op.h"

static int forward_dropout(cnf_evaluator *e, int32_t i, const double *time, int32_t first, int32_t count) {
  OP_NAMES(e, i);
  k->multiply(plan->rows, value_of(e, op->input), PANEL(e->masks, plan->mask_row), 0, value_of(e, i + 1));
  (void)time, (void)first, (void)count;
  return 0;
}
static void backward_dropout(cnf_evaluator *e, int32_t i, const op_backward *pass) {
  OP_NAMES(e, i);
  k->multiply(plan->rows, bar_of(e, i + 1), PANEL(e->masks, plan->mask_row), plan->accumulate, bar_of(e, op->input));
  (void)pass;
}

static void tangent_dropout(cnf_evaluator *e, int32_t i, int32_t first, int32_t g) {
  OP_NAMES(e, i);
  k->multiply(plan->rows, tangent_of(e, first, g, op->input), PANEL(e->masks, plan->mask_row), 0,
              tangent_of(e, first, g, i + 1));
}
static void tangent_backward_dropout(cnf_evaluator *e, int32_t i, int32_t g, const real *y_dot_bar,
                                     const op_backward *pass) {
  OP_NAMES(e, i);
  k->multiply(plan->rows, y_dot_bar, PANEL(e->masks, plan->mask_row), 0, e->scratch);
  put_tangent_bar(e, pass->first + g, g, op->input, e->scratch, plan->tangent_accumulate);
}

static size_t scratch_rows_dropout(const cnf_plan *plan) { return (size_t)plan->rows; }

static const op_functions dropout_functions = {.forward = forward_dropout,
                                               .backward = backward_dropout,
                                               .tangent = tangent_dropout,
                                               .tangent_backward = tangent_backward_dropout,
                                               .scratch_rows = scratch_rows_dropout};

#endif
