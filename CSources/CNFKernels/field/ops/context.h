/* CONTEXT: y = the rows that are given with a sample, the same over its solve. OP_NAMES (field/panels.h) declares m, k,
 * lanes, plan, op and others. */
#ifndef CNF_FIELD_OPS_CONTEXT_H
#define CNF_FIELD_OPS_CONTEXT_H

#include "field/ops/op.h"

static int forward_context(cnf_evaluator *e, int32_t i, const double *time, int32_t first, int32_t count) {
  OP_NAMES(e, i);
  copy_rows(plan->rows, lanes, e->context, value_of(e, i + 1));
  (void)time, (void)first, (void)count;
  return 0;
}
static void backward_context(cnf_evaluator *e, int32_t i, const op_backward *pass) {
  OP_NAMES(e, i);
  k->add(plan->rows, e->context_bar, bar_of(e, i + 1), e->context_bar);
  (void)pass;
}

static const op_functions context_functions = {.forward = forward_context, .backward = backward_context};

#endif
