/* program_fuzzer.c - libFuzzer target: any field program is refused with a reason, or solved and differentiated. */
#include "calls.h"

enum { MOST_OPS = 9, MOST_ROWS = 20, MOST_PARAMETERS = 20000 };

/* Rows: small, seldom any number. */
static int32_t rows(bytes *b) {
  if (!once_in(b, 32)) return pick(b, MOST_ROWS);
  const uint32_t high = take(b) << 24, low = take(b);
  return (int32_t)(high | low);
}

/* y = sum of the input's rows, in every row, plus theta. */
static double number_at(int32_t dtype, const void *numbers, int32_t i) {
  return dtype == CNF_FLOAT64 ? ((const double *)numbers)[i] : (double)((const float *)numbers)[i];
}
static void add_to(int32_t dtype, void *numbers, int32_t i, double value) {
  if (dtype == CNF_FLOAT64)
    ((double *)numbers)[i] += value;
  else
    ((float *)numbers)[i] += (float)value;
}
static void set_to(int32_t dtype, void *numbers, int32_t i, double value) {
  if (dtype == CNF_FLOAT64)
    ((double *)numbers)[i] = value;
  else
    ((float *)numbers)[i] = (float)value;
}
typedef struct sum_shape {
  int32_t dtype, rows;
} sum_shape;
static void sum_evaluate(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  const sum_shape *s = context;
  (void)t;
  for (int32_t i = 0; i < s->rows * lanes; i++)
    set_to(s->dtype, y, i, number_at(s->dtype, x, i % lanes) + number_at(s->dtype, theta, 0));
}
static void sum_tangent(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                        const void *x_dot, void *y_dot) {
  const sum_shape *s = context;
  (void)t, (void)x, (void)theta;
  for (int32_t i = 0; i < s->rows * lanes; i++) set_to(s->dtype, y_dot, i, number_at(s->dtype, x_dot, i % lanes));
}
static void sum_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                        const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  const sum_shape *s = context;
  (void)t, (void)x, (void)theta, (void)t_bar;
  for (int32_t i = 0; i < s->rows * lanes; i++) {
    add_to(s->dtype, x_bar, i % lanes, number_at(s->dtype, y_bar, i));
    add_to(s->dtype, theta_bar, 0, number_at(s->dtype, y_bar, i));
  }
}
static void sum_tangent_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                                const void *x_dot, const void *y_dot_bar, void *x_bar, void *x_dot_bar, void *t_bar,
                                void *theta_bar) {
  const sum_shape *s = context;
  (void)t, (void)x, (void)theta, (void)x_dot, (void)x_bar, (void)t_bar, (void)theta_bar;
  for (int32_t i = 0; i < s->rows * lanes; i++)
    add_to(s->dtype, x_dot_bar, i % lanes, number_at(s->dtype, y_dot_bar, i));
}

/* The operands that each kind has: a program of arbitrary numbers alone would always be refused. */
static cnf_op fuzzed_op(bytes *b, int32_t number, cnf_callback *callback, sum_shape *shape) {
  static const double factors[] = {0, 0.5, 1e-3, 2};
  cnf_op op = {.kind = pick(b, CNF_OP_SUM + 2), .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK};
  const int one = op.kind != CNF_OP_TIME && op.kind != CNF_OP_CONTEXT;
  const int two = op.kind == CNF_OP_ADD || op.kind == CNF_OP_CONCAT || op.kind == CNF_OP_MULTIPLY;
  const int sized =
      op.kind == CNF_OP_LINEAR || op.kind == CNF_OP_CALLBACK || op.kind == CNF_OP_SLICE || op.kind == CNF_OP_CONTEXT;
  if (one) op.input = pick(b, (uint32_t)number + 1);
  if (two) op.input2 = pick(b, (uint32_t)number + 1);
  if (sized) op.rows = rows(b);
  if (op.kind == CNF_OP_LINEAR || op.kind == CNF_OP_ACTIVATION) op.activation = pick(b, 11);
  if (op.kind == CNF_OP_SLICE) op.first = pick(b, 3);
  if (op.kind == CNF_OP_TRANSPOSED) op.tied = pick(b, (uint32_t)number + 1);
  if (op.kind == CNF_OP_LAYER_NORM || op.kind == CNF_OP_DROPOUT || op.kind == CNF_OP_SCALE)
    op.number = number ? factors[pick(b, 4)] : 0;
  if (op.kind == CNF_OP_SCALE) op.offset = factors[pick(b, 4)];
  if (op.kind == CNF_OP_CALLBACK) {
    shape->rows = op.rows;
    op.callback = callback;
  }
  if (once_in(b, 64)) op.input = (int32_t)take(b) - 3;
  return op;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bytes b = {.next = data, .left = size};
  const int32_t dtype = pick(&b, 2), dim = 1 + pick(&b, 5), count = 1 + pick(&b, MOST_OPS);
  cnf_callback callbacks[MOST_OPS];
  sum_shape shapes[MOST_OPS];
  cnf_op ops[MOST_OPS];
  for (int32_t i = 0; i < count; i++) {
    shapes[i] = (sum_shape){.dtype = dtype};
    callbacks[i] = (cnf_callback){.struct_size = sizeof callbacks[i],
                                  .context = &shapes[i],
                                  .parameter_count = 1,
                                  .evaluate = sum_evaluate,
                                  .tangent = once_in(&b, 16) ? NULL : sum_tangent,
                                  .reverse = once_in(&b, 16) ? NULL : sum_reverse,
                                  .tangent_reverse = once_in(&b, 16) ? NULL : sum_tangent_reverse};
    ops[i] = fuzzed_op(&b, i, &callbacks[i], &shapes[i]);
  }
  /* most programs end in a layer of the state's rows, so that they are accepted */
  if (!once_in(&b, 8))
    ops[count - 1] =
        (cnf_op){.kind = CNF_OP_LINEAR, .input = pick(&b, (uint32_t)count), .input2 = CNF_NO_BLOCK, .rows = dim};

  cnf_field *field = NULL;
  int32_t bad = -2;
  char text[200];
  const cnf_status status = cnf_field_create_explained(dtype, dim, ops, count, sizeof *ops, &field, &bad);
  MUST((status == CNF_OK) == (field != NULL));
  MUST(cnf_field_explain(dtype, dim, ops, count, sizeof *ops, text, sizeof text) == status);
  MUST((status == CNF_OK) == (text[0] == 0) || status == CNF_ERROR_MEMORY);
  MUST(bad >= -1 && bad < count);
  if (field && cnf_field_parameter_count(field) <= MOST_PARAMETERS) fuzz_calls(&b, field, dtype, dim);
  cnf_field_destroy(field);
  return 0;
}
