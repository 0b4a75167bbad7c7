/* SUM: y = the sum of the rows of x, one row. */
#ifndef CNF_FIELD_OPS_SUM_H
#define CNF_FIELD_OPS_SUM_H

#include "field/ops/op.h"

static void map_sum(const cnf_model *m, int32_t i, const real *a, const real *b, real *y) {
  m->kernels->total(m->program->blocks[m->program->plans[i].op.input].rows, a, 0, y);
  (void)b;
}
static void transpose_sum(const cnf_model *m, int32_t i, int operand, const real *y_bar, int32_t accumulate, real *to) {
  const int32_t lanes = m->kernels->lanes, rows = m->program->blocks[m->program->plans[i].op.input].rows;
  for (int32_t r = 0; r < rows; r++, to += lanes)
    if (accumulate)
      for (int32_t j = 0; j < lanes; j++) to[j] += y_bar[j];
    else
      copy_rows(1, lanes, y_bar, to);
  (void)operand;
}

static const op_functions sum_functions = {.map = map_sum, .transpose = transpose_sum};

#endif
