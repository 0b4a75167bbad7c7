/* The functions of an op: what its file in this folder gives to the passes over a program.
 *
 * Op i reads blocks plan->op.input (a) and input2 (b), and writes block i + 1 (y). A bar marks a cotangent, a dot a
 * tangent: number g of the group that starts with tangent `first`. Panels are [rows][lanes].
 *
 * A linear op gives `map` and `transpose`. Its forward, tangent and backward functions follow from them; where it gives
 * one of these itself, that is used. A nonlinear op gives all four.
 *
 * Most of them begin with OP_NAMES(e, i) of field/panels.h: it declares m, p, k, blocks, lanes, plan, op, block. */
#ifndef CNF_FIELD_OPS_OP_H
#define CNF_FIELD_OPS_OP_H

#include "field/panels.h"
#include "field/products.h"
#include "field/sizes.h"

/* A backward pass over a program, as each op sees it. */
typedef struct op_backward {
  int with_value;       /* 1: the cotangent of the value goes back too, after those of the tangents */
  int32_t first, count; /* the tangents of the group; count 0: none run through this op */
  const real *mu;       /* [1]: cotangent of the divergence, over the number of probes */
  int continues;        /* 1: other groups have already added to what the divergence adds to this op's cotangents */
  real *time_bar;       /* [1], added to: cotangent of t; NULL without the value */
  real *gradient;       /* padded gradient, added to; NULL: not wanted */
} op_backward;

typedef struct op_functions {
  /* y. Returns 1 if the tangents [first, first + count) are computed too. `time` [1]. */
  int (*forward)(cnf_evaluator *e, int32_t i, const double *time, int32_t first, int32_t count);
  /* y_dot of tangent g. */
  void (*tangent)(cnf_evaluator *e, int32_t i, int32_t first, int32_t g);
  /* a_bar, b_bar from y_bar, and gradients that cannot wait. */
  void (*backward)(cnf_evaluator *e, int32_t i, const op_backward *pass);
  /* a_dot_bar, b_dot_bar of tangent g from y_dot_bar. What the tangent adds to a_bar and b_bar goes to the rows of
   * e->divergence_bar that the plan has, from which `backward` adds it. */
  void (*tangent_backward)(cnf_evaluator *e, int32_t i, int32_t g, const real *y_dot_bar, const op_backward *pass);
  /* In place of the two above: the tangents and the value together. */
  void (*group_backward)(cnf_evaluator *e, int32_t i, const op_backward *pass);

  /* y = A a + B b, the op without an offset; a or b is NULL where it is 0 or does not exist. */
  void (*map)(const cnf_model *m, int32_t i, const real *a, const real *b, real *y);
  /* to = A' y_bar (operand 0) or B' y_bar (operand 1), or to += that. */
  void (*transpose)(const cnf_model *m, int32_t i, int operand, const real *y_bar, int32_t accumulate, real *to);

  /* Where packed weights and padded gradients lie, taken from the sizes of *m; NULL: nowhere. (`place` in a row of
   * program/op_list.h is another function: it places parameters in theta and rows in blocks.) */
  void (*lay_out)(cnf_model *m, int32_t i, cnf_op_place *place);
  /* m->theta into packed weights, or into their transposes. */
  void (*pack)(cnf_model *m, int32_t i, int transposed);
  /* The padded gradient as theta is laid out. */
  void (*unpad)(const cnf_model *m, int32_t i, const real *gradient, real *theta_bar);
  /* gradient += that of the weights, from `count` panels y_bar of the result and a of the operand. Those of the first
   * `values` panels are values; the others are tangents. mixed: in the precision of the model. */
  void (*weight_gradient)(const cnf_model *m, int32_t i, int mixed, int32_t values, int32_t count,
                          const real *const *y_bar, const real *const *a, real *gradient);
  /* Rows of e->scratch that the functions above use; NULL: none. */
  size_t (*scratch_rows)(const cnf_plan *plan);
} op_functions;

/* What the divergence has added to `rows` rows of an operand's cotangent, from row `row` of the op's own, into that
 * cotangent. */
static void add_divergence_bar(cnf_evaluator *e, const cnf_plan *plan, const op_backward *pass, int32_t row,
                               int32_t rows, real *bar) {
  const cnf_kernels *k = e->model->kernels;
  if (plan->divergence_row < 0 || (!pass->count && !pass->continues)) return;
  k->add(rows, bar, e->divergence_bar + (size_t)(plan->divergence_row + row) * (size_t)k->lanes, bar);
}

#endif
