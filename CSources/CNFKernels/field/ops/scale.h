/* SCALE: y = number x + offset, constants. OP_NAMES (field/panels.h) declares m, k, lanes, plan, op and others. */
#ifndef CNF_FIELD_OPS_SCALE_H
#define CNF_FIELD_OPS_SCALE_H

#include "field/ops/op.h"

static int forward_scale(cnf_evaluator *e, int32_t i, const double *time, int32_t first, int32_t count) {
  OP_NAMES(e, i);
  const real factor = (real)op->number, offset = (real)op->offset, *x = value_of(e, op->input);
  real *y = value_of(e, i + 1);
  const int32_t numbers = plan->rows * lanes;
  for (int32_t j = 0; j < numbers; j++) y[j] = factor * x[j] + offset;
  (void)time, (void)first, (void)count;
  return 0;
}

static void map_scale(const cnf_model *m, int32_t i, const real *a, const real *b, real *y) {
  const cnf_plan *plan = &m->program->plans[i];
  put_scaled_rows(plan->rows, m->kernels->lanes, plan->op.number, a, 0, y);
  (void)b;
}
static void transpose_scale(const cnf_model *m, int32_t i, int operand, const real *y_bar, int32_t accumulate,
                            real *to) {
  const cnf_plan *plan = &m->program->plans[i];
  put_scaled_rows(plan->rows, m->kernels->lanes, plan->op.number, y_bar, accumulate, to);
  (void)operand;
}

static const op_functions scale_functions = {.forward = forward_scale, .map = map_scale, .transpose = transpose_scale};

#endif
