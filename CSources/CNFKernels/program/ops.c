/* The rows of op_list.h, and what the kinds plan of their own. */
#include "program/ops.h"
#include "program/program.h"

#define LAYER_NORM_EPSILON 1e-5 /* PyTorch's default */

/* Weights W [rows][cols], then the bias [rows]. */
static cnf_status place_linear(cnf_program *p, cnf_plan *plan) {
  plan->source = (int32_t)(plan - p->plans);
  plan->cols = p->blocks[plan->op.input].rows;
  plan->bias = plan->weight + (size_t)plan->rows * (size_t)plan->cols;
  plan->parameter_count = (size_t)plan->rows * ((size_t)plan->cols + 1);
  p->products += (size_t)plan->rows * (size_t)plan->cols;
  return CNF_OK;
}

/* The weights of the LINEAR op that made block `tied`. */
static cnf_status place_transposed(cnf_program *p, cnf_plan *plan) {
  plan->source = plan->op.tied - 1;
  plan->cols = p->plans[plan->source].rows;
  p->products += (size_t)plan->rows * (size_t)plan->cols;
  return CNF_OK;
}

/* A copy of the host's functions, and the time of an evaluation, a double, kept as aux. */
static cnf_status place_callback(cnf_program *p, cnf_plan *plan) {
  plan->callback = *plan->op.callback;
  plan->op.callback = NULL;
  plan->cols = p->blocks[plan->op.input].rows;
  plan->aux_row = p->aux_rows;
  p->aux_rows += p->dtype == CNF_FLOAT32 ? CNF_CALLBACK_TIME_ROWS : 1;
  plan->parameter_count = plan->callback.parameter_count;
  plan->divergence_rows = plan->cols + 1; /* of x, then of t */
  p->products += (size_t)plan->rows * (size_t)plan->cols;
  return CNF_OK;
}

static cnf_status place_multiply(cnf_program *p, cnf_plan *plan) {
  plan->divergence_rows = plan->rows + p->blocks[plan->op.input2].rows; /* of input, then of input2 */
  return CNF_OK;
}

static cnf_status place_context(cnf_program *p, cnf_plan *plan) {
  if (p->context_dim > 0 && p->context_dim != plan->rows) return CNF_ERROR_CONTEXT;
  p->context_dim = plan->rows;
  return CNF_OK;
}

/* Gain [rows], then bias [rows]; aux has the normalised input, then 1/sqrt(variance + epsilon). */
static cnf_status place_layer_norm(cnf_program *p, cnf_plan *plan) {
  if (plan->op.number == 0) plan->op.number = LAYER_NORM_EPSILON;
  plan->aux_row = p->aux_rows;
  p->aux_rows += plan->rows + 1;
  plan->bias = plan->weight + (size_t)plan->rows;
  plan->parameter_count = 2 * (size_t)plan->rows;
  plan->divergence_rows = plan->rows;
  return CNF_OK;
}

static cnf_status place_dropout(cnf_program *p, cnf_plan *plan) {
  plan->mask_row = p->mask_rows;
  p->mask_rows += plan->rows;
  return CNF_OK;
}

const cnf_op_row cnf_op_rows[CNF_OP_KINDS] = {
#define CNF_X(kind, file, ...) [CNF_OP_##kind] = {.name = #kind, __VA_ARGS__},
    CNF_OP_LIST(CNF_X)
#undef CNF_X
};
