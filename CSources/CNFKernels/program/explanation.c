#include "program/program.h"
#include <stdio.h>

static const char *const kinds[] = {
    [CNF_OP_LINEAR] = "LINEAR",
    [CNF_OP_ACTIVATION] = "ACTIVATION",
    [CNF_OP_TIME] = "TIME",
    [CNF_OP_ADD] = "ADD",
    [CNF_OP_CONCAT] = "CONCAT",
    [CNF_OP_CALLBACK] = "CALLBACK",
    [CNF_OP_MULTIPLY] = "MULTIPLY",
    [CNF_OP_SLICE] = "SLICE",
    [CNF_OP_CONTEXT] = "CONTEXT",
    [CNF_OP_LAYER_NORM] = "LAYER_NORM",
    [CNF_OP_DROPOUT] = "DROPOUT",
    [CNF_OP_SCALE] = "SCALE",
    [CNF_OP_TRANSPOSED] = "TRANSPOSED",
    [CNF_OP_SUM] = "SUM",
};
_Static_assert(sizeof kinds / sizeof kinds[0] == CNF_OP_SUM + 1, "a name of every kind");

typedef struct sentence {
  const cnf_op *ops;
  int32_t bad_op;
  const int32_t *rows; /* of the blocks up to that of bad_op - 1 */
  char *text;
  size_t size;
} sentence;

/* Rows of a block and what it is: "block 2 (LINEAR) of 3 rows". */
static const char *block(const sentence *s, int32_t number, char out[64]) {
  const char *kind = number == CNF_STATE ? "the state" : kinds[s->ops[number - 1].kind];
  snprintf(out, 64, "block %d (%s) of %d rows", (int)number, kind, (int)s->rows[number]);
  return out;
}

static void explain_shape(const sentence *s, const char *op) {
  const cnf_op *bad = &s->ops[s->bad_op];
  char a[64], b[64];
  switch (bad->kind) {
  case CNF_OP_ADD:
    snprintf(s->text, s->size, "%s adds %s and %s", op, block(s, bad->input, a), block(s, bad->input2, b));
    return;
  case CNF_OP_MULTIPLY:
    snprintf(s->text, s->size, "%s multiplies %s by %s, which has neither as many nor one", op, block(s, bad->input, a),
             block(s, bad->input2, b));
    return;
  case CNF_OP_TRANSPOSED:
    snprintf(s->text, s->size, "%s takes the weights of %s and reads %s", op, block(s, bad->tied, b),
             block(s, bad->input, a));
    return;
  case CNF_OP_SLICE:
    if (bad->rows >= 1 && bad->rows <= CNF_MAX_ROWS) {
      snprintf(s->text, s->size, "%s takes %d rows, from row %d on, of %s", op, (int)bad->rows, (int)bad->first,
               block(s, bad->input, a));
      return;
    }
  }
  snprintf(s->text, s->size, "%s has %d rows, must have 1 to %d", op, (int)bad->rows, CNF_MAX_ROWS);
}

static void explain_input(const sentence *s, const char *op) {
  const cnf_op *bad = &s->ops[s->bad_op];
  const int reads_first = cnf_op_operands(bad) > 0 && (bad->input < 0 || bad->input > s->bad_op);
  const int reads_second = cnf_op_operands(bad) > 1 && (bad->input2 < 0 || bad->input2 > s->bad_op);
  if (reads_first || reads_second)
    snprintf(s->text, s->size, "%s reads block %d: those before it are 0 to %d", op,
             (int)(reads_first ? bad->input : bad->input2), (int)s->bad_op);
  else
    snprintf(s->text, s->size, "%s takes the weights of block %d, which no LINEAR before it made", op, (int)bad->tied);
}

cnf_status cnf_program_explain(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count, int32_t *rows,
                               char *text, size_t size) {
  cnf_program program;
  int32_t bad;
  const cnf_status status = cnf_program_make(dtype, state_dim, ops, op_count, &program, &bad, rows);
  if (size > 0) text[0] = 0;
  if (status == CNF_OK) {
    cnf_program_free(&program);
    return status;
  }
  if (bad < 0) {
    snprintf(text, size, "%s", cnf_status_message(status));
    return status;
  }
  const sentence s = {.ops = ops, .bad_op = bad, .rows = rows, .text = text, .size = size};
  char op[48];
  const int32_t kind = ops[bad].kind;
  snprintf(op, sizeof op, "op %d (%s)", (int)bad, kind >= 0 && kind <= CNF_OP_SUM ? kinds[kind] : "unknown");
  switch (status) {
  case CNF_ERROR_OP_SHAPE: explain_shape(&s, op); break;
  case CNF_ERROR_OP_INPUT: explain_input(&s, op); break;
  case CNF_ERROR_FIELD_SHAPE:
    snprintf(text, size, "%s is the last and makes %d rows, of a state of %d", op, (int)rows[op_count], (int)state_dim);
    break;
  default: snprintf(text, size, "%s: %s", op, cnf_status_message(status));
  }
  return status;
}
