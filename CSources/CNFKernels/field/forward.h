/* The forward pass of a program over a tile: values and tangents. */
#ifndef CNF_FIELD_FORWARD_H
#define CNF_FIELD_FORWARD_H

#include "field/op_table.h"

/* y = what the linear op i makes of its operands in set n of `panels`. Blocks that do not depend on the state are 0
 * there. */
static void map_op(const cnf_model *m, int32_t i, int32_t n, real *panels, real *y) {
  const cnf_program *p = m->program;
  const cnf_op *op = &p->plans[i].op;
  const int has_b = cnf_op_operands(op) > 1 && p->blocks[op->input2].from_state;
  const real *a = p->blocks[op->input].from_state ? rows_of(m, panels, n, op->input) : NULL;
  functions_of(&p->plans[i])->map(m, i, a, has_b ? rows_of(m, panels, n, op->input2) : NULL, y);
}

/* The value of op i. Returns 1 if the tangents are computed too. */
static int forward_op(cnf_evaluator *e, int32_t i, const double *time, int32_t first, int32_t count) {
  OP_NAMES(e, i);
  const op_functions *functions = functions_of(plan);
  if (functions->forward) return functions->forward(e, i, time, first, count);
  functions->map(m, i, value_of(e, op->input), cnf_op_operands(op) > 1 ? value_of(e, op->input2) : NULL,
                 value_of(e, i + 1));
  return 0;
}

static void tangent_op(cnf_evaluator *e, int32_t i, int32_t first, int32_t g) {
  OP_NAMES(e, i);
  const op_functions *functions = functions_of(plan);
  if (functions->tangent) {
    functions->tangent(e, i, first, g);
    return;
  }
  const int has_b = cnf_op_operands(op) > 1 && blocks[op->input2].from_state;
  const real *a_dot = blocks[op->input].from_state ? tangent_of(e, first, g, op->input) : NULL;
  functions->map(m, i, a_dot, has_b ? tangent_of(e, first, g, op->input2) : NULL, tangent_of(e, first, g, i + 1));
}

/* Block 0 of the kept values is x, row `time` is t; the last block becomes dx/dt. With it tangents [first, first +
 * count), count <= CNF_TANGENT_GROUP. time NULL: the values are there already, and only tangents are computed. */
static void field_forward(cnf_evaluator *e, const double *time, int32_t first, int32_t count) {
  const cnf_program *p = e->model->program;
  for (int32_t i = 0; i < p->op_count; i++) {
    const cnf_plan *plan = &p->plans[i];
    if (!plan->live || (time && forward_op(e, i, time, first, count)) || !plan->tangent_runs) continue;
    for (int32_t g = 0; g < count; g++) tangent_op(e, i, first, g);
  }
}

#endif
