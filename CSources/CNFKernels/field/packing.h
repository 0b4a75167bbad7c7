/* theta into packed weights at the start of a call, padded gradients into theta's layout at its end. */
#include "field/evaluator.h"

/* Packs theta, in both orientations, for the calls that follow. */
static void model_pack(cnf_model *m, const real *theta) {
  const cnf_program *p = m->program;
  m->theta = theta;
  for (int32_t i = 0; i < p->op_count; i++) {
    const cnf_plan *plan = &p->plans[i];
    if (plan->op.kind != CNF_OP_LINEAR || !plan->weights_read) continue;
    const real *w = theta + plan->weight;
    size_t cols = (size_t)plan->cols;
    m->kernels->pack(w, cols, 1, plan->rows, plan->cols, m->packed + m->places[i].packed);
    m->kernels->pack(w, 1, cols, plan->cols, plan->rows, m->packed + m->places[i].packed_t);
    if (!m->bf16) continue;
    m->bf16->pack(w, cols, 1, plan->rows, plan->cols, m->packed_bf16 + m->places[i].bf16);
    m->bf16->pack(w, 1, cols, plan->cols, plan->rows, m->packed_bf16 + m->places[i].bf16_t);
  }
  if (m->trace == CNF_TRACE_EXACT_PRODUCT) trace_product_pack(m);
}

/* The padded gradient as theta is laid out. */
static void model_unpad(const cnf_model *m, const real *gradient, real *theta_bar) {
  const cnf_program *p = m->program;
  for (int32_t i = 0; i < p->op_count; i++) {
    const cnf_plan *plan = &p->plans[i];
    const cnf_linear_place *place = &m->places[i];
    if (plan->op.kind == CNF_OP_CALLBACK && plan->callback.parameter_count > 0)
      memcpy(theta_bar + plan->weight, gradient + place->weight_bar, plan->callback.parameter_count * sizeof(real));
    if (plan->op.kind == CNF_OP_LAYER_NORM) {
      memcpy(theta_bar + plan->weight, gradient + place->weight_bar, (size_t)plan->rows * sizeof(real));
      memcpy(theta_bar + plan->bias, gradient + place->bias_bar, (size_t)plan->rows * sizeof(real));
    }
    if (plan->op.kind != CNF_OP_LINEAR) continue;
    size_t cols = (size_t)plan->cols, rows = (size_t)plan->rows;
    for (size_t r = 0; r < rows; r++)
      memcpy(theta_bar + plan->weight + r * cols, gradient + place->weight_bar + r * place->ld, cols * sizeof(real));
    memcpy(theta_bar + plan->bias, gradient + place->bias_bar, rows * sizeof(real));
  }
}
