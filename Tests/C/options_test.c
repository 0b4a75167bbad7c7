/* options_test.c - cnf_solver_options_explain: every refusal of options has the status of cnf_solver_create, and a
 * sentence that names the option, its value and what is allowed. creation_test.c has the plain ranges.
 */
#include <stdint.h>

#include "net_fixture.h"

/* ---- Fields ------------------------------------------------------------------------------------------------------ */

/* dx/dt = W x + b of `rows` rows. */
static cnf_field *linear_field(int32_t dtype, int32_t rows) {
  const cnf_op op = {.kind = CNF_OP_LINEAR, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = rows};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(dtype, rows, &op, 1, sizeof(cnf_op), &field) == CNF_OK);
  return field;
}

/* Three hidden layers, too deep for the product form of the trace. */
static cnf_field *deep_field(void) {
  cnf_op ops[4];
  cnf_field *field = NULL;
  for (int i = 0; i < 4; ++i)
    ops[i] = (cnf_op){.kind = CNF_OP_LINEAR,
                      .input = i,
                      .input2 = CNF_NO_BLOCK,
                      .rows = D,
                      .activation = i < 3 ? CNF_ACTIVATION_TANH : CNF_ACTIVATION_IDENTITY};
  CHECK(cnf_field_create(CNF_FLOAT64, D, ops, 4, sizeof(cnf_op), &field) == CNF_OK);
  return field;
}

static void nothing(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  (void)context, (void)t, (void)theta;
  memcpy(y, x, (size_t)lanes * D * sizeof(double));
}

static cnf_field *host_field(void) {
  const cnf_callback callback = {.struct_size = sizeof callback, .evaluate = nothing};
  const cnf_op op = {
      .kind = CNF_OP_CALLBACK, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = D, .callback = &callback};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, D, &op, 1, sizeof(cnf_op), &field) == CNF_OK);
  return field;
}

/* ---- Sentences --------------------------------------------------------------------------------------------------- */

/* The options are refused, with this status and this sentence. "" and CNF_OK: they are accepted. */
static void check_sentence(const cnf_field *field, const cnf_solver_options *options, cnf_status status,
                           const char *sentence, int line) {
  cnf_solver *solver = NULL;
  char why[256];
  memset(why, 'x', sizeof why);
  check_status(status, cnf_solver_create(field, options, &solver), sentence, line);
  check_status(status, cnf_solver_options_explain(field, options, why, sizeof why), sentence, line);
  check_count(strcmp(why, sentence) == 0, sentence, why, line);
  cnf_solver_destroy(solver);
}

#define SENTENCE(field, expected, spoil, sentence)                   \
  do {                                                               \
    cnf_solver_options options;                                      \
    cnf_solver_options_init(&options, sizeof options);               \
    options.threads = 1;                                             \
    spoil;                                                           \
    check_sentence(field, &options, (expected), sentence, __LINE__); \
  } while (0)

#define METHOD(name) options.method = cnf_method_find(name)

static void test_ranges(const cnf_field *field) {
  const double rows[D] = {1e-3, -1e-3}, zeros[D] = {0, 0};
  char size[128], count[64];
  snprintf(size, sizeof size, "struct_size is 12, and must be sizeof(cnf_solver_options), %zu",
           sizeof(cnf_solver_options));
  snprintf(count, sizeof count, "method is -1, and must be from 0 to %d", (int)cnf_method_count() - 1);
  SENTENCE(field, CNF_OK, (void)0, "");
  SENTENCE(field, CNF_ERROR_STRUCT_SIZE, options.struct_size = 12, size);
  SENTENCE(field, CNF_ERROR_METHOD, options.method = -1, count);
  SENTENCE(field, CNF_ERROR_OPTION, options.max_steps = -1, "max_steps is -1, and must be from 0 to 16777216");
  SENTENCE(field, CNF_ERROR_OPTION, options.trace = 9, "trace is 9, and must be a cnf_trace, from 0 to 5");
  SENTENCE(field, CNF_ERROR_OPTION, options.min_step = -0.5, "min_step is -0.5, and must be finite and not negative");
  SENTENCE(field, CNF_ERROR_OPTION, options.pcoeff = INFINITY, "pcoeff is inf, and must be finite");
  SENTENCE(field, CNF_ERROR_OPTION, options.safety = 1, "safety is 1, and must be at least 0 and below 1");
  SENTENCE(field, CNF_ERROR_OPTION, options.factor_max = 0.5,
           "factor_max is 0.5, and must be 0, or finite and at least 1");
  SENTENCE(field, CNF_ERROR_OPTION, options.factor_min = 0.95,
           "factor_min is 0.95, and must be at most safety, which is 0.9");
  SENTENCE(field, CNF_ERROR_OPTION, (options.min_step = 0.2, options.max_step = 0.1),
           "max_step is 0.1, and must be at least min_step, which is 0.2");
  SENTENCE(field, CNF_ERROR_OPTION, options.checkpoint_bytes = -5, "checkpoint_bytes is -5, and must not be negative");
  SENTENCE(field, CNF_ERROR_TOLERANCE, options.adjoint_rtol = -1,
           "adjoint_rtol is -1, and must be finite and not negative");
  SENTENCE(field, CNF_ERROR_TOLERANCE, options.rtol_rows = rows,
           "rtol_rows[1] is -0.001, and must be finite and not negative");
  SENTENCE(field, CNF_ERROR_TOLERANCE, options.rtol = options.atol = 0,
           "rtol and atol are both 0, and one of them must be above 0");
  SENTENCE(field, CNF_ERROR_TOLERANCE, options.rtol_rows = options.atol_rows = zeros,
           "rtol_rows[1] and atol_rows[1] are both 0, and one of them must be above 0");
  SENTENCE(field, CNF_ERROR_ISA, options.isa = 99, "isa is 99 (unknown), and must be one that this machine has");
}

static void test_methods(const cnf_field *field) {
  cnf_field *odd = linear_field(CNF_FLOAT64, 3), *wide = linear_field(CNF_FLOAT64, 513);
  SENTENCE(wide, CNF_ERROR_SIZE, options.probes = 65536,
           "probes is 65536, and must be at most 65408 for a state of 513 rows");
  SENTENCE(odd, CNF_ERROR_METHOD_HALVES, (METHOD("leapfrog"), options.control = CNF_CONTROL_FIXED),
           "method is leapfrog, which needs an even number of rows, but the state has 3");
  SENTENCE(wide, CNF_ERROR_METHOD_SIZE, METHOD("rodas4"),
           "method is rodas4, which takes at most 512 rows, but the state has 513");
  SENTENCE(field, CNF_ERROR_NOT_ADAPTIVE, METHOD("rk4"),
           "control is 0, and must be CNF_CONTROL_FIXED: method rk4 has no error estimate");
  SENTENCE(field, CNF_ERROR_REVERSIBLE, options.adjoint = CNF_ADJOINT_REVERSIBLE,
           "adjoint is 2, which method dopri5 does not have: only reversible_heun has the reversible adjoint, but no "
           "continuous adjoint or batch");
  SENTENCE(field, CNF_ERROR_REVERSIBLE, (METHOD("reversible_heun"), options.control = CNF_CONTROL_BATCH),
           "control is CNF_CONTROL_BATCH, which method reversible_heun does not have: only reversible_heun has the "
           "reversible adjoint, but no continuous adjoint or batch");
  SENTENCE(field, CNF_ERROR_SCHEDULE, (METHOD("rodas4"), options.schedule = CNF_SCHEDULE_BINOMIAL),
           "schedule is 2, and must be CNF_SCHEDULE_EVERY_STEP or AUTOMATIC with method rodas4");
  SENTENCE(field, CNF_ERROR_CHECKPOINTS, (options.schedule = CNF_SCHEDULE_BINOMIAL, options.checkpoint_bytes = 1),
           "checkpoint_bytes is 1, too little for one state of each sample of a chunk");
  cnf_field_destroy(odd);
  cnf_field_destroy(wide);
}

static void test_divergence(const cnf_field *field) {
  cnf_field *deep = deep_field(), *single = linear_field(CNF_FLOAT32, D), *host = host_field();
  SENTENCE(field, CNF_ERROR_TRACE, (options.frobenius = 1, options.trace = CNF_TRACE_NONE),
           "trace is 0, which has no tangents for `frobenius`: it must be CNF_TRACE_EXACT, HUTCHINSON, EXACT_TANGENTS "
           "or AUTOMATIC");
  SENTENCE(deep, CNF_ERROR_TRACE, options.trace = CNF_TRACE_EXACT_PRODUCT,
           "trace is CNF_TRACE_EXACT_PRODUCT, which fits only nets of at most two hidden layers");
  SENTENCE(field, CNF_ERROR_TRACE, (METHOD("rodas4"), options.trace = CNF_TRACE_HUTCHINSON),
           "trace is 1, and must be CNF_TRACE_NONE, EXACT, EXACT_TANGENTS or AUTOMATIC with method rodas4");
  SENTENCE(host, CNF_ERROR_CALLBACK_TANGENT, (void)0,
           "trace is 2: this trace or method needs the `tangent` of every callback");
  SENTENCE(host, CNF_ERROR_CALLBACK_TANGENT, (METHOD("rodas4"), options.trace = CNF_TRACE_NONE),
           "method is rodas4: this trace or method needs the `tangent` of every callback");
  SENTENCE(field, CNF_ERROR_DTYPE, options.precision = CNF_PRECISION_MIXED,
           "precision is CNF_PRECISION_MIXED, which needs a CNF_FLOAT32 field");
  SENTENCE(single, CNF_ERROR_DTYPE, (options.precision = CNF_PRECISION_MIXED, options.adjoint = CNF_ADJOINT_CONTINUOUS),
           "precision is CNF_PRECISION_MIXED, and must be FULL with the continuous adjoint");
  SENTENCE(single, CNF_ERROR_DTYPE, (options.precision = CNF_PRECISION_MIXED, METHOD("rodas4")),
           "precision is CNF_PRECISION_MIXED, and must be FULL with method rodas4");
  cnf_field_destroy(deep);
  cnf_field_destroy(single);
  cnf_field_destroy(host);
}

/* The text is cut to its room, and need not be there. */
static void test_text(const cnf_field *field) {
  cnf_solver_options options;
  char why[16];
  cnf_solver_options_init(&options, sizeof options);
  options.max_steps = -1;
  memset(why, 'x', sizeof why);
  CHECK(cnf_solver_options_explain(field, &options, why, 10) == CNF_ERROR_OPTION);
  CHECK(strcmp(why, "max_steps") == 0 && why[10] == 'x');
  CHECK(cnf_solver_options_explain(field, &options, NULL, 0) == CNF_ERROR_OPTION);
  CHECK(cnf_solver_options_explain(field, &options, NULL, 1) == CNF_ERROR_NULL);
  CHECK(cnf_solver_options_explain(NULL, &options, why, sizeof why) == CNF_ERROR_NULL && why[0] == 0);
  CHECK(cnf_solver_options_explain(field, NULL, why, sizeof why) == CNF_ERROR_NULL);
}

int main(void) {
  cnf_field *field = good_field();
  test_ranges(field);
  test_methods(field);
  test_divergence(field);
  test_text(field);
  cnf_field_destroy(field);
  return check_report();
}
