/* Fields: making, explaining and destroying them, and where their parameters are. */
#include "api/handles.h"
#include <stdlib.h>

CNF_API cnf_status cnf_field_create_explained(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count,
                                              cnf_field **field, int32_t *bad_op) {
  if (bad_op) *bad_op = -1;
  if (!ops || !field) return CNF_ERROR_NULL;
  int32_t bad;
  cnf_field *made = malloc(sizeof *made);
  if (!made) return CNF_ERROR_MEMORY;
  cnf_status status = cnf_program_make(dtype, state_dim, ops, op_count, &made->program, &bad, NULL);
  if (bad_op) *bad_op = bad;
  if (status != CNF_OK) {
    free(made);
    return status;
  }
  *field = made;
  return CNF_OK;
}

CNF_API cnf_status cnf_field_create(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count,
                                    cnf_field **field) {
  return cnf_field_create_explained(dtype, state_dim, ops, op_count, field, NULL);
}

CNF_API cnf_status cnf_field_explain(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count, char *text,
                                     size_t size) {
  if (size > 0 && text) text[0] = 0;
  if (!ops || (!text && size > 0)) return CNF_ERROR_NULL;
  const int is_sized = op_count >= 1 && op_count <= CNF_MAX_ROWS;
  int32_t *rows = calloc(is_sized ? (size_t)op_count + 1 : 1, sizeof *rows);
  if (!rows) return CNF_ERROR_MEMORY;
  const cnf_status status = cnf_program_explain(dtype, state_dim, ops, op_count, rows, text, size);
  free(rows);
  return status;
}

CNF_API void cnf_field_destroy(cnf_field *field) {
  if (!field) return;
  cnf_program_free(&field->program);
  free(field);
}

CNF_API size_t cnf_field_parameter_count(const cnf_field *field) { return field ? field->program.parameter_count : 0; }

CNF_API int32_t cnf_field_context_dim(const cnf_field *field) { return field ? field->program.context_dim : 0; }

CNF_API cnf_status cnf_field_linear_layout(const cnf_field *field, int32_t op, size_t *weight_offset,
                                           size_t *bias_offset, int32_t *rows, int32_t *cols) {
  if (!field) return CNF_ERROR_NULL;
  if (op < 0 || op >= field->program.op_count) return CNF_ERROR_SIZE;
  const cnf_plan *plan = &field->program.plans[op];
  if (plan->op.kind != CNF_OP_LINEAR) return CNF_ERROR_OP_KIND;
  if (weight_offset) *weight_offset = plan->weight;
  if (bias_offset) *bias_offset = plan->bias;
  if (rows) *rows = plan->rows;
  if (cols) *cols = plan->cols;
  return CNF_OK;
}

CNF_API cnf_status cnf_field_op_parameters(const cnf_field *field, int32_t op, size_t *offset, size_t *count) {
  if (!field) return CNF_ERROR_NULL;
  if (op < 0 || op >= field->program.op_count) return CNF_ERROR_SIZE;
  const cnf_plan *plan = &field->program.plans[op];
  if (offset) *offset = plan->weight;
  if (count) *count = plan->parameter_count;
  return CNF_OK;
}
