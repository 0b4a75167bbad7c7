/* theta into packed weights at the start of a call; padded gradients into the layout of theta at its end. */
#ifndef CNF_FIELD_PACKING_H
#define CNF_FIELD_PACKING_H

#include "field/op_table.h"
#include "field/trace_product.h"

/* Packs theta, in both orientations, for the calls that follow. */
static void model_pack(cnf_model *m, const real *theta) {
  const cnf_program *p = m->program;
  m->theta = theta;
  for (int32_t i = 0; i < p->op_count; i++)
    if (functions_of(&p->plans[i])->pack) functions_of(&p->plans[i])->pack(m, i, theta);
  if (m->trace == CNF_TRACE_EXACT_PRODUCT) trace_product_pack(m);
}

/* The padded gradient as theta is laid out. */
static void model_unpad(const cnf_model *m, const real *gradient, real *theta_bar) {
  const cnf_program *p = m->program;
  for (int32_t i = 0; i < p->op_count; i++)
    if (functions_of(&p->plans[i])->unpad) functions_of(&p->plans[i])->unpad(m, i, gradient, theta_bar);
}

#endif
