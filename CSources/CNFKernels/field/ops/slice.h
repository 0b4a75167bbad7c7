/* SLICE: y = `rows` rows of x, from row `first` on. */
#ifndef CNF_FIELD_OPS_SLICE_H
#define CNF_FIELD_OPS_SLICE_H

#include "field/ops/op.h"

static void map_slice(const cnf_model *m, int32_t i, const real *a, const real *b, real *y) {
  const cnf_plan *plan = &m->program->plans[i];
  const int32_t lanes = m->kernels->lanes;
  copy_rows(plan->rows, lanes, PANEL(a, plan->op.first), y);
  (void)b;
}
static void transpose_slice(const cnf_model *m, int32_t i, int operand, const real *y_bar, int32_t accumulate,
                            real *to) {
  const cnf_plan *plan = &m->program->plans[i];
  const int32_t lanes = m->kernels->lanes;
  real *part = PANEL(to, plan->op.first);
  if (!accumulate) zero_rows(m->program->blocks[plan->op.input].rows, lanes, to);
  m->kernels->add(plan->rows, part, y_bar, part);
  (void)operand;
}

static const op_functions slice_functions = {.map = map_slice, .transpose = transpose_slice};

#endif
