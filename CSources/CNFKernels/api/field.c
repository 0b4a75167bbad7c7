/* Fields: making, explaining and destroying them, and where their parameters are. */
#include "api/handles.h"
#include "api/sizes.h"
#include <stdio.h>
#include <stdlib.h>

/* The caller's ops, which are op_size bytes apart. What an older caller's ops lack is zero. The caller frees *copy. A
 * wrong op_count is left to cnf_program_make. */
static cnf_status copy_ops(const cnf_op *ops, int32_t op_count, size_t op_size, cnf_op **copy) {
  if (!cnf_knows_op_size(op_size)) return CNF_ERROR_STRUCT_SIZE;
  const size_t count = op_count >= 1 && op_count <= CNF_MAX_ROWS ? (size_t)op_count : 0;
  *copy = calloc(count ? count : 1, sizeof **copy);
  if (!*copy) return CNF_ERROR_MEMORY;
  for (size_t i = 0; i < count; i++) memcpy(*copy + i, (const char *)ops + i * op_size, op_size);
  return CNF_OK;
}

CNF_API cnf_status cnf_field_create_explained(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count,
                                              size_t op_size, cnf_field **field, int32_t *bad_op) {
  int32_t bad = -1;
  if (bad_op) *bad_op = -1;
  if (!ops || !field) return CNF_ERROR_NULL;
  cnf_op *copy = NULL;
  cnf_status status = copy_ops(ops, op_count, op_size, &copy);
  cnf_field *made = status ? NULL : malloc(sizeof *made);
  if (!status && !made) status = CNF_ERROR_MEMORY;
  if (!status) status = cnf_program_make(dtype, state_dim, copy, op_count, &made->program, &bad, NULL);
  free(copy);
  if (bad_op) *bad_op = bad;
  if (status)
    free(made);
  else
    *field = made;
  return status;
}

CNF_API cnf_status cnf_field_create(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count,
                                    size_t op_size, cnf_field **field) {
  return cnf_field_create_explained(dtype, state_dim, ops, op_count, op_size, field, NULL);
}

CNF_API cnf_status cnf_field_explain(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count,
                                     size_t op_size, char *text, size_t size) {
  if (size > 0 && text) text[0] = 0;
  if (!ops || (!text && size > 0)) return CNF_ERROR_NULL;
  cnf_op *copy = NULL;
  cnf_status status = copy_ops(ops, op_count, op_size, &copy);
  if (status == CNF_ERROR_STRUCT_SIZE)
    snprintf(text, size, "op_size is %zu, and must be sizeof(cnf_op), %zu", op_size, sizeof(cnf_op));
  if (status) return status;
  const int is_sized = op_count >= 1 && op_count <= CNF_MAX_ROWS;
  int32_t *rows = calloc(is_sized ? (size_t)op_count + 1 : 1, sizeof *rows);
  status = rows ? cnf_program_explain(dtype, state_dim, copy, op_count, rows, text, size) : CNF_ERROR_MEMORY;
  free(rows);
  free(copy);
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
