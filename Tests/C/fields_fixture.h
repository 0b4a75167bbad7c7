/* fields_fixture.h - fields of all kinds for tests of gradients, and a measure of the difference of two gradients. */
#ifndef CNF_TESTS_FIELDS_FIXTURE_H
#define CNF_TESTS_FIELDS_FIXTURE_H
#include <math.h>

#include "callback_layer.h"

enum { MOST_D = 11 };

static inline double largest_of(const double *x, size_t n) {
  double largest = 0;
  for (size_t i = 0; i < n; ++i) largest = fmax(largest, fabs(x[i]));
  return largest;
}
static inline double difference(const double *x, const double *y, size_t n) {
  double largest = 0;
  for (size_t i = 0; i < n; ++i) largest = isfinite(x[i]) ? fmax(largest, fabs(x[i] - y[i])) : INFINITY;
  return largest / (1 + largest_of(y, n));
}
/* ---- Fields ----------------------------------------------------------------------------------------------------- */

#define LINEAR(from, n, f) \
  { .kind = CNF_OP_LINEAR, .input = (from), .input2 = CNF_NO_BLOCK, .rows = (n), .activation = (f) }
#define TIME_AND_STATE                                                    \
  {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK}, { \
    .kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1                \
  }

enum field_kind { SHALLOW, TWO_HIDDEN, RESIDUAL, CALLBACK, WIDE, LINEAR_ENDS, FIELD_KINDS };

/* A field of `rows` rows; WIDE has MOST_D rows, or one less if `rows` is even. SHALLOW has a hidden layer of `width`.
 * Writes the number of rows to *dim. */
static inline cnf_field *make_field_of(int kind, int32_t rows, int32_t width, int32_t *dim) {
  static layer last = {.dtype = CNF_FLOAT64, .cols = 6};
  const int32_t d = *dim =
      kind == WIDE ? MOST_D - (rows % 2 == 0) : rows; /* WIDE: more tangents than run side by side */
  last.rows = d;
  const cnf_callback callback = layer_callback(&last);
  const cnf_op shallow[] = {TIME_AND_STATE, LINEAR(2, width, CNF_ACTIVATION_TANH),
                            LINEAR(3, d, CNF_ACTIVATION_IDENTITY)};
  const cnf_op deep[] = {TIME_AND_STATE, LINEAR(2, 6, CNF_ACTIVATION_SOFTPLUS), LINEAR(3, 5, CNF_ACTIVATION_TANH),
                         LINEAR(4, d, CNF_ACTIVATION_IDENTITY)};
  const cnf_op residual[] = {TIME_AND_STATE,
                             LINEAR(2, 6, CNF_ACTIVATION_TANH),
                             LINEAR(3, 6, CNF_ACTIVATION_SILU),
                             {.kind = CNF_OP_ADD, .input = 3, .input2 = 4},
                             LINEAR(5, d, CNF_ACTIVATION_IDENTITY)};
  /* The first layer is linear, and a linear layer bypasses the nonlinear one to the output. */
  const cnf_op linear_ends[] = {TIME_AND_STATE,
                                LINEAR(2, 5, CNF_ACTIVATION_IDENTITY),
                                LINEAR(3, 6, CNF_ACTIVATION_TANH),
                                LINEAR(4, d, CNF_ACTIVATION_IDENTITY),
                                LINEAR(2, d, CNF_ACTIVATION_IDENTITY),
                                {.kind = CNF_OP_ADD, .input = 5, .input2 = 6}};
  cnf_op host[sizeof residual / sizeof residual[0]];
  memcpy(host, residual, sizeof host);
  host[5] = (cnf_op){.kind = CNF_OP_CALLBACK, .input = 5, .input2 = CNF_NO_BLOCK, .rows = d, .callback = &callback};
  const cnf_op *const lists[FIELD_KINDS] = {shallow, deep, residual, host, residual, linear_ends};
  const int32_t counts[FIELD_KINDS] = {4, 5, 6, 6, 6, 7};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, d, lists[kind], counts[kind], sizeof(cnf_op), &field) == CNF_OK);
  return field;
}

#endif
