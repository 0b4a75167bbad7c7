/* MULTIPLY: y = a b, row by row; where b has one row, by that. With w the cotangent of y_dot:
 *
 *   y_dot = a_dot b + a b_dot
 *   a_bar = y_bar b, b_bar = y_bar a
 *   a_dot_bar = w b, b_dot_bar = w a, and of w . y_dot: a_bar += w b_dot, b_bar += w a_dot
 *
 * OP_NAMES (field/panels.h) declares m, k, lanes, plan, op and others. */
#ifndef CNF_FIELD_OPS_MULTIPLY_H
#define CNF_FIELD_OPS_MULTIPLY_H

#include "field/ops/op.h"

/* out = a b or out += a b, where b has as many rows as a, or one. */
static void times_rows(const cnf_kernels *k, int32_t rows, const real *a, const real *b, int32_t b_rows, int accumulate,
                       real *out) {
  if (b_rows == rows)
    k->multiply(rows, a, b, accumulate, out);
  else if (accumulate)
    k->scale_add(rows, a, b, out);
  else
    k->scale(rows, a, b, out);
}
/* Its transpose: what b receives of c, which has the rows of a. */
static void times_rows_transposed(const cnf_kernels *k, int32_t rows, const real *a, const real *c, int32_t b_rows,
                                  int accumulate, real *out) {
  if (b_rows == rows)
    k->multiply(rows, a, c, accumulate, out);
  else
    k->dot(rows, a, c, accumulate, out);
}

static int forward_multiply(cnf_evaluator *e, int32_t i, const double *time, int32_t first, int32_t count) {
  OP_NAMES(e, i);
  times_rows(k, plan->rows, value_of(e, op->input), value_of(e, op->input2), blocks[op->input2].rows, 0,
             value_of(e, i + 1));
  (void)time, (void)first, (void)count;
  return 0;
}
static void backward_multiply(cnf_evaluator *e, int32_t i, const op_backward *pass) {
  OP_NAMES(e, i);
  const int32_t b_rows = blocks[op->input2].rows;
  const real *y_bar = bar_of(e, i + 1);
  real *a_bar = bar_of(e, op->input), *b_bar = bar_of(e, op->input2);
  times_rows(k, plan->rows, y_bar, value_of(e, op->input2), b_rows, plan->accumulate, a_bar);
  times_rows_transposed(k, plan->rows, y_bar, value_of(e, op->input), b_rows, plan->accumulate2, b_bar);
  add_divergence_bar(e, plan, pass, 0, plan->rows, a_bar);
  add_divergence_bar(e, plan, pass, plan->rows, b_rows, b_bar);
}

static void tangent_multiply(cnf_evaluator *e, int32_t i, int32_t first, int32_t g) {
  OP_NAMES(e, i);
  const cnf_block *a = &blocks[op->input], *b = &blocks[op->input2];
  real *y_dot = tangent_of(e, first, g, i + 1);
  if (a->from_state)
    times_rows(k, plan->rows, tangent_of(e, first, g, op->input), value_of(e, op->input2), b->rows, 0, y_dot);
  if (b->from_state)
    times_rows(k, plan->rows, value_of(e, op->input), tangent_of(e, first, g, op->input2), b->rows, a->from_state,
               y_dot);
}
static void tangent_backward_multiply(cnf_evaluator *e, int32_t i, int32_t g, const real *y_dot_bar,
                                      const op_backward *pass) {
  OP_NAMES(e, i);
  const cnf_block *a = &blocks[op->input], *b = &blocks[op->input2];
  const int32_t first = pass->first, rows = plan->rows;
  real *a_bar = PANEL(e->divergence_bar, plan->divergence_row), *b_bar = PANEL(a_bar, rows);
  if (b->from_state) times_rows(k, rows, y_dot_bar, tangent_of(e, first, g, op->input2), b->rows, 1, a_bar);
  if (a->from_state) times_rows_transposed(k, rows, y_dot_bar, tangent_of(e, first, g, op->input), b->rows, 1, b_bar);
  if (a->from_state) {
    times_rows(k, rows, y_dot_bar, value_of(e, op->input2), b->rows, 0, e->scratch);
    put_tangent_bar(e, first + g, g, op->input, e->scratch, plan->tangent_accumulate);
  }
  if (b->from_state) {
    times_rows_transposed(k, rows, y_dot_bar, value_of(e, op->input), b->rows, 0, e->scratch);
    put_tangent_bar(e, first + g, g, op->input2, e->scratch, plan->tangent_accumulate2);
  }
}

static size_t scratch_rows_multiply(const cnf_plan *plan) { return (size_t)plan->rows; }

static const op_functions multiply_functions = {.forward = forward_multiply,
                                                .backward = backward_multiply,
                                                .tangent = tangent_multiply,
                                                .tangent_backward = tangent_backward_multiply,
                                                .scratch_rows = scratch_rows_multiply};

#endif
