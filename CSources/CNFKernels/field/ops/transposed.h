/* TRANSPOSED: y = W' x, W the weights of a LINEAR op before it. Its place is that op's, with the two orientations of
 * the packed weights exchanged, so every product of linear.h is a product by W'. */
#ifndef CNF_FIELD_OPS_TRANSPOSED_H
#define CNF_FIELD_OPS_TRANSPOSED_H

#include "field/ops/linear.h"

static int forward_transposed(cnf_evaluator *e, int32_t i, const double *time, int32_t first, int32_t count) {
  (void)time;
  return forward_product(e, i, first, count, NULL);
}

/* m->places is NULL while memory is measured. */
static void lay_out_transposed(cnf_model *m, int32_t i, cnf_op_place *place) {
  if (!m->places) return;
  const cnf_op_place owner = m->places[m->program->plans[i].source];
  *place = owner;
  place->packed = owner.packed_t, place->packed_t = owner.packed;
  place->bf16 = owner.bf16_t, place->bf16_t = owner.bf16;
}

/* W_bar += x y_bar', summed over lanes. */
static void weight_gradient_transposed(const cnf_model *m, int32_t i, int mixed, int32_t values, int32_t count,
                                       const real *const *y_bar, const real *const *a, real *gradient) {
  const cnf_plan *plan = &m->program->plans[i];
  const cnf_op_place *place = &m->places[i];
  (mixed && m->bf16 ? m->bf16->weight_gradient : m->kernels->weight_gradient)(plan->cols, plan->rows, count, a, y_bar,
                                                                              place->ld, gradient + place->weight_bar);
  (void)values;
}

static const op_functions transposed_functions = {.forward = forward_transposed,
                                                  .tangent = tangent_product,
                                                  .group_backward = group_backward_product,
                                                  .map = map_product,
                                                  .transpose = transpose_product,
                                                  .lay_out = lay_out_transposed,
                                                  .weight_gradient = weight_gradient_transposed};

#endif
