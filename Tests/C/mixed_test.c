/* mixed_test.c - mixed precision with every instruction set: states equal those of full precision, gradients are close
 * to those of full precision within the rounding of bfloat16, and do not depend on the number of threads. */
#include <math.h>

#include "check.h"

enum {
  D = 7,
  HIDDEN = 19,
  OPS = 5,
  P = HIDDEN * (D + 1) + HIDDEN + HIDDEN * HIDDEN + HIDDEN + D * HIDDEN + D,
  COUNT = 41
};

static float theta[P], x0[COUNT * D];

typedef struct result {
  float x1[COUNT * D], gradient[P];
  double log_det[COUNT];
} result;

static cnf_field *tanh_net(int32_t dtype) {
  const cnf_op ops[OPS] = {
      {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},
      {.kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1},
      {.input = 2, .input2 = CNF_NO_BLOCK, .rows = HIDDEN, .activation = CNF_ACTIVATION_TANH},
      {.input = 3, .input2 = CNF_NO_BLOCK, .rows = HIDDEN, .activation = CNF_ACTIVATION_TANH},
      {.input = 4, .input2 = CNF_NO_BLOCK, .rows = D},
  };
  cnf_field *field = NULL;
  CHECK(cnf_field_create(dtype, D, ops, OPS, sizeof(cnf_op), &field) == CNF_OK);
  CHECK(cnf_field_parameter_count(field) == P);
  return field;
}

static cnf_solver_options options_with(int32_t precision, int32_t isa) {
  cnf_solver_options options;
  CHECK(cnf_solver_options_init(&options, sizeof options) == CNF_OK);
  options.precision = precision;
  options.isa = isa;
  options.exclude_log_det = 1; /* mixed precision always does this; full precision needs it to take the same steps */
  return options;
}

static result *solve(const cnf_field *field, cnf_solver_options options) {
  static result results[4];
  static int next;
  result *r = &results[next++ % 4];
  cnf_solver *solver = NULL;
  const cnf_solve_input in = {
      .struct_size = sizeof in, .parameters = theta, .x0 = x0, .count = COUNT, .t0 = 1, .t1 = 0, .seed = 3};
  const cnf_loss loss = {.struct_size = sizeof loss,
                         .kind = CNF_LOSS_NORMAL_NLL,
                         .scale = 1.0 / COUNT,
                         .kinetic = 0.3 * options.kinetic,
                         .frobenius = 0.2 * options.frobenius};
  cnf_solve_output out = {.struct_size = sizeof out, .x1 = r->x1, .log_det = r->log_det};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = r->gradient};
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  CHECK(cnf_solve_vjp(solver, &in, &loss, &out, &gradient) == CNF_OK);
  cnf_solver_destroy(solver);
  return r;
}

static double relative_error(const float *found, const float *expected, size_t count) {
  double error = 0, norm = 0;
  for (size_t i = 0; i < count; i++) {
    const double difference = (double)found[i] - expected[i];
    error += difference * difference, norm += (double)expected[i] * expected[i];
  }
  return sqrt(error / norm);
}

/* A gradient passes through at most five products of two operands, each with a relative error of at most 2^-9. The
 * lower bound checks that operands are rounded. */
static void test_isa(const cnf_field *field, int32_t isa, int32_t trace, int32_t regularised, int32_t probes) {
  cnf_solver_options full = options_with(CNF_PRECISION_FULL, isa), mixed = options_with(CNF_PRECISION_MIXED, isa);
  full.trace = mixed.trace = trace;
  full.probes = mixed.probes = probes;
  full.kinetic = mixed.kinetic = full.frobenius = mixed.frobenius = regularised;
  full.threads = mixed.threads = 2;
  const result *expected = solve(field, full), *found = solve(field, mixed);
  const double error = relative_error(found->gradient, expected->gradient, P);
  char detail[96];
  snprintf(detail, sizeof detail, "%s, trace %d, regularised %d: %.1e", cnf_isa_name(isa), (int)trace, (int)regularised,
           error);
  check_count(error > 1e-5 && error < 10 * 0x1p-9, "the gradient is close to that of full precision", detail, __LINE__);
  check_count(memcmp(found->x1, expected->x1, sizeof found->x1) == 0, "the states equal those of full precision",
              detail, __LINE__);
  for (int i = 0; i < COUNT; i++)
    CHECK(fabs(found->log_det[i] - expected->log_det[i]) < 10 * 0x1p-9 * fmax(1, fabs(expected->log_det[i])));
  mixed.threads = 1;
  mixed.store_bytes = -1;
  const result *alone = solve(field, mixed);
  CHECK(memcmp(alone->gradient, found->gradient, sizeof alone->gradient) == 0);
  CHECK(memcmp(alone->log_det, found->log_det, sizeof alone->log_det) == 0);
}

/* The product form has no tangents, so it has no Frobenius norm. Eleven probes are more than are computed side by
 * side. */
static void test_traces(const cnf_field *field, int32_t isa) {
  for (int32_t trace = CNF_TRACE_HUTCHINSON; trace < CNF_TRACE_AUTOMATIC; trace++) test_isa(field, isa, trace, 0, 1);
  test_isa(field, isa, CNF_TRACE_HUTCHINSON, 1, 1);
  test_isa(field, isa, CNF_TRACE_HUTCHINSON, 1, 11);
  test_isa(field, isa, CNF_TRACE_EXACT_TANGENTS, 1, 1);
}

int main(void) {
  cnf_field *field = tanh_net(CNF_FLOAT32), *wide = tanh_net(CNF_FLOAT64);
  cnf_solver *solver = NULL;
  CHECK(cnf_random_normal(CNF_FLOAT32, 1, CNF_STREAM_INITIAL, 0, 0, 1, P, theta) == CNF_OK);
  CHECK(cnf_random_normal(CNF_FLOAT32, 2, CNF_STREAM_DATA, 0, 0, COUNT, D, x0) == CNF_OK);
  for (int i = 0; i < P; i++) theta[i] *= 0.3f;

  cnf_solver_options options = options_with(CNF_PRECISION_MIXED, CNF_ISA_AUTOMATIC);
  CHECK_STATUS(CNF_ERROR_DTYPE, cnf_solver_create(wide, &options, &solver), "mixed precision of double");
  options.precision = CNF_PRECISION_MIXED + 1;
  CHECK_STATUS(CNF_ERROR_OPTION, cnf_solver_create(field, &options, &solver), "an unknown precision");
  CHECK(solver == NULL);

#define CNF_X(name, value, suffix, text) \
  if (cnf_isa_is_available(value))       \
    test_traces(field, value);           \
  else                                   \
    printf("%s: SKIPPED, this machine lacks the instruction set\n", text);
  CNF_ISA_LIST(CNF_X)
#undef CNF_X
  cnf_field_destroy(field);
  cnf_field_destroy(wide);
  return check_report();
}
