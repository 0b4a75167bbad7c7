/* CONCAT: y = the rows of a, then those of b. */
#ifndef CNF_FIELD_OPS_CONCAT_H
#define CNF_FIELD_OPS_CONCAT_H

#include "field/ops/op.h"

/* Copies one part. It may be in its place already (a view), or be 0 (NULL). */
static void copy_part(int32_t rows, int32_t lanes, const real *from, real *to) {
  if (!from)
    zero_rows(rows, lanes, to);
  else if (from != to)
    copy_rows(rows, lanes, from, to);
}
static void map_concat(const cnf_model *m, int32_t i, const real *a, const real *b, real *y) {
  const cnf_plan *plan = &m->program->plans[i];
  const int32_t lanes = m->kernels->lanes, upper = m->program->blocks[plan->op.input].rows;
  copy_part(upper, lanes, a, y);
  copy_part(plan->rows - upper, lanes, b, PANEL(y, upper));
}
static void transpose_concat(const cnf_model *m, int32_t i, int operand, const real *y_bar, int32_t accumulate,
                             real *to) {
  const cnf_plan *plan = &m->program->plans[i];
  const int32_t lanes = m->kernels->lanes, upper = m->program->blocks[plan->op.input].rows;
  put_rows(m->kernels, operand ? plan->rows - upper : upper, PANEL(y_bar, operand ? upper : 0), accumulate, to);
}

static const op_functions concat_functions = {.map = map_concat, .transpose = transpose_concat};

#endif
