/* Products by packed weights: of values in full precision, of derivatives in full or mixed precision. */
#ifndef CNF_FIELD_PRODUCTS_H
#define CNF_FIELD_PRODUCTS_H

#include "field/evaluator.h"

static void product_of_one(const cnf_kernels *k, const real *packed, int32_t rows, int32_t cols, const real *x,
                           int accumulate, real *y) {
  k->product(packed, rows, cols, 1, &x, &y, &accumulate);
}

static const int overwrite[CNF_TANGENT_GROUP] = {0}; /* as a product's `accumulate` */

/* A product of derivatives, tangents or cotangents: by the weights at `packed`, or in mixed precision by those at
 * `bf16`. */
static void derivative_product(const cnf_evaluator *e, size_t packed, size_t bf16, int32_t rows, int32_t cols,
                               int32_t count, const real *const *x, real *const *y, const int *accumulate) {
  const cnf_model *m = e->model;
  if (m->bf16)
    m->bf16->product(m->packed_bf16 + bf16, rows, cols, count, x, y, accumulate, e->bf16_scratch);
  else
    m->kernels->product(m->packed + packed, rows, cols, count, x, y, accumulate);
}

/* w_bar += sum over `count` pairs of panels of z x'. */
static void derivative_gradient(const cnf_model *m, int32_t rows, int32_t cols, int32_t count, const real *const *z,
                                const real *const *x, size_t ld, real *w_bar) {
  (m->bf16 ? m->bf16->weight_gradient : m->kernels->weight_gradient)(rows, cols, count, z, x, ld, w_bar);
}

#endif
