/* ADD: y = a + b, of as many rows each. */
#ifndef CNF_FIELD_OPS_ADD_H
#define CNF_FIELD_OPS_ADD_H

#include "field/ops/op.h"

static void map_add(const cnf_model *m, int32_t i, const real *a, const real *b, real *y) {
  const int32_t rows = m->program->plans[i].rows;
  if (a && b)
    m->kernels->add(rows, a, b, y);
  else
    copy_rows(rows, m->kernels->lanes, a ? a : b, y);
}
static void transpose_add(const cnf_model *m, int32_t i, int operand, const real *y_bar, int32_t accumulate, real *to) {
  put_rows(m->kernels, m->program->plans[i].rows, y_bar, accumulate, to);
  (void)operand;
}

static const op_functions add_functions = {.map = map_add, .transpose = transpose_add};

#endif
