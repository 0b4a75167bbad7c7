/* Sentences that say why a program is refused, for cnf_field_explain. */
#include "program/program.h"
#include <stdio.h>
#include <string.h>

typedef struct sentence {
  const cnf_op *ops;
  int32_t bad_op;
  const int32_t *rows; /* of the blocks up to that of bad_op - 1 */
  char *text;
  size_t size;
} sentence;

/* A block, what made it and its rows: "block 2 (LINEAR) of 3 rows". */
static const char *block(const sentence *s, int32_t number, char out[64]) {
  const char *kind = number == CNF_STATE ? "the state" : cnf_op_rows[s->ops[number - 1].kind].name;
  snprintf(out, 64, "block %d (%s) of %d rows", (int)number, kind, (int)s->rows[number]);
  return out;
}

/* What a word in braces stands for in the `misfit` of a kind. */
static const char *meaning(const sentence *s, const char *op, const char *word, size_t length, char out[64]) {
  const cnf_op *bad = &s->ops[s->bad_op];
  const struct {
    const char *word;
    int is_block;
    int32_t number;
  } words[] = {{"input", 1, bad->input},
               {"input2", 1, bad->input2},
               {"tied", 1, bad->tied},
               {"rows", 0, bad->rows},
               {"first", 0, bad->first}};
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (strlen(words[i].word) == length && !memcmp(words[i].word, word, length)) {
      if (words[i].is_block) return block(s, words[i].number, out);
      snprintf(out, 64, "%d", (int)words[i].number);
      return out;
    }
  return op;
}

static void explain_shape(const sentence *s, const char *op) {
  const cnf_op *bad = &s->ops[s->bad_op];
  const char *from = cnf_op_rows[bad->kind].misfit;
  if (!from || (cnf_op_uses(bad, CNF_USES_ROWS) && (bad->rows < 1 || bad->rows > CNF_MAX_ROWS))) {
    snprintf(s->text, s->size, "%s has %d rows, must have 1 to %d", op, (int)bad->rows, CNF_MAX_ROWS);
    return;
  }
  char sentence_text[256] = "", word[64];
  size_t used = 0;
  while (*from && used + 1 < sizeof sentence_text) {
    const char *end = *from == '{' ? strchr(from, '}') : NULL;
    if (end)
      snprintf(sentence_text + used, sizeof sentence_text - used, "%s",
               meaning(s, op, from + 1, (size_t)(end - from - 1), word));
    else
      sentence_text[used] = *from, sentence_text[used + 1] = 0;
    used += strlen(sentence_text + used);
    from = end ? end + 1 : from + 1;
  }
  snprintf(s->text, s->size, "%s", sentence_text);
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
  const char *name = kind >= 0 && kind < CNF_OP_KINDS ? cnf_op_rows[kind].name : "unknown";
  snprintf(op, sizeof op, "op %d (%s)", (int)bad, name);
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
