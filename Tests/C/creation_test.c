/* creation_test.c - bad input to texts, fields, methods and solvers returns the documented status and writes no output.
 *
 * Each case takes valid input, changes one thing, and expects one status. The change is a statement that is passed to a
 * macro, so that a failure prints it.
 */
#include <float.h>
#include <math.h>

#include "fixture.h"

/* The number of activations, which is also the first invalid value. */
#define CNF_X(name, value, suffix, text) +1
enum { ACTIVATION_COUNT = 0 CNF_ACTIVATION_LIST(CNF_X) };
#undef CNF_X

/* ---- Texts ------------------------------------------------------------------------------------------------------ */

static void test_texts(void) {
#define CNF_X(name, value, message) \
  CHECK(name == value);             \
  CHECK(strcmp(cnf_status_message(value), message) == 0);
  CNF_STATUS_LIST(CNF_X)
#undef CNF_X
#define CNF_X(name, value, message) \
  CHECK(name == value);             \
  CHECK(strcmp(cnf_sample_status_message(value), message) == 0);
  CNF_SAMPLE_STATUS_LIST(CNF_X)
#undef CNF_X
#define CNF_X(name, value, suffix, text) CHECK(name == value && strcmp(cnf_isa_name(value), text) == 0);
  CNF_ISA_LIST(CNF_X)
#undef CNF_X

  const int32_t unknown[] = {-1, UNKNOWN, INT32_MIN, INT32_MAX};
  for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; ++i) {
    CHECK(cnf_status_message(unknown[i]) != NULL && *cnf_status_message(unknown[i]) != '\0');
    CHECK(cnf_sample_status_message(unknown[i]) != NULL && *cnf_sample_status_message(unknown[i]) != '\0');
    CHECK(strcmp(cnf_isa_name(unknown[i]), "unknown") == 0);
    CHECK(cnf_isa_is_available(unknown[i]) == 0);
  }
  CHECK(cnf_isa_is_available(CNF_ISA_GENERIC) == 1);
  CHECK(cnf_isa_best() == 0 || cnf_isa_is_available(cnf_isa_best()));
  CHECK(cnf_thread_count() >= 1);

  char version[64];
  snprintf(version, sizeof version, "%d.%d.%d", CNF_VERSION_MAJOR, CNF_VERSION_MINOR, CNF_VERSION_PATCH);
  CHECK(strcmp(cnf_version(), version) == 0);
}

/* ---- Fields ----------------------------------------------------------------------------------------------------- */

/* Both functions that create fields must refuse, name op `bad_op`, and not write the handle. */
static void refuse_field(cnf_status expected, int32_t bad_op, int32_t dtype, int32_t state_dim, const cnf_op *ops,
                         int32_t op_count, const char *what, int line) {
  cnf_field *field;
  int32_t named = 12345;
  pattern_fill(&field, sizeof field);
  check_status(expected, cnf_field_create(dtype, state_dim, ops, op_count, sizeof(cnf_op), &field), what, line);
  check_count(pattern_intact(&field, sizeof field), what, "the handle was written", line);
  check_status(expected, cnf_field_create_explained(dtype, state_dim, ops, op_count, sizeof(cnf_op), &field, &named),
               what, line);
  check_count(pattern_intact(&field, sizeof field), what, "the handle was written", line);
  char detail[64];
  snprintf(detail, sizeof detail, "expected op %d to be named, got %d", (int)bad_op, (int)named);
  check_count(named == bad_op, what, detail, line);

  char why[160], begin[16];
  check_status(expected, cnf_field_explain(dtype, state_dim, ops, op_count, sizeof(cnf_op), why, sizeof why), what,
               line);
  snprintf(begin, sizeof begin, "op %d (", (int)bad_op);
  check_count(bad_op >= 0 ? strncmp(why, begin, strlen(begin)) == 0 : strncmp(why, "op ", 3) != 0, what, why, line);
}

/* Changes the program `ops`; the error must name op `bad_op`. */
#define REFUSE_OPS(expected, bad_op, spoil)                                          \
  do {                                                                               \
    cnf_op ops[OP_COUNT] = OPS;                                                      \
    spoil;                                                                           \
    refuse_field(expected, bad_op, CNF_FLOAT64, D, ops, OP_COUNT, #spoil, __LINE__); \
  } while (0)

/* Changes an argument: dtype, state_dim, program or op_count. The error names no op. */
#define REFUSE_FIELD(expected, spoil)                                                  \
  do {                                                                                 \
    const cnf_op ops[OP_COUNT] = OPS, *program = ops;                                  \
    int32_t dtype = CNF_FLOAT64, state_dim = D, op_count = OP_COUNT;                   \
    spoil;                                                                             \
    refuse_field(expected, -1, dtype, state_dim, program, op_count, #spoil, __LINE__); \
  } while (0)

static void test_field_arguments(void) {
  REFUSE_FIELD(CNF_ERROR_DTYPE, dtype = -1);
  REFUSE_FIELD(CNF_ERROR_DTYPE, dtype = UNKNOWN);
  REFUSE_FIELD(CNF_ERROR_DTYPE, dtype = INT32_MAX);
  REFUSE_FIELD(CNF_ERROR_SIZE, state_dim = 0);
  REFUSE_FIELD(CNF_ERROR_SIZE, state_dim = -1);
  REFUSE_FIELD(CNF_ERROR_SIZE, state_dim = INT32_MIN);
  REFUSE_FIELD(CNF_ERROR_SIZE, state_dim = INT32_MAX);
  REFUSE_FIELD(CNF_ERROR_SIZE, op_count = 0);
  REFUSE_FIELD(CNF_ERROR_SIZE, op_count = -1);
  REFUSE_FIELD(CNF_ERROR_SIZE, op_count = INT32_MIN);
  REFUSE_FIELD(CNF_ERROR_NULL, program = NULL);

  const cnf_op ops[OP_COUNT] = OPS;
  int32_t bad_op;
  char why[128], expected[128];
  const size_t sizes[] = {0, 1, sizeof(cnf_op) - 8, sizeof(cnf_op) + 8};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
    CHECK(cnf_field_create_explained(CNF_FLOAT64, D, ops, OP_COUNT, sizes[i], &(cnf_field *){NULL}, &bad_op) ==
          CNF_ERROR_STRUCT_SIZE);
    CHECK(bad_op == -1);
    CHECK(cnf_field_explain(CNF_FLOAT64, D, ops, OP_COUNT, sizes[i], why, sizeof why) == CNF_ERROR_STRUCT_SIZE);
    snprintf(expected, sizeof expected, "op_size is %zu, and must be sizeof(cnf_op), %zu", sizes[i], sizeof(cnf_op));
    check_count(strcmp(why, expected) == 0, expected, why, __LINE__);
  }
  CHECK(cnf_field_create(CNF_FLOAT64, D, ops, OP_COUNT, sizeof(cnf_op), NULL) == CNF_ERROR_NULL);
  CHECK(cnf_field_create_explained(CNF_FLOAT64, D, ops, OP_COUNT, sizeof(cnf_op), NULL, &bad_op) == CNF_ERROR_NULL);
  CHECK(cnf_field_create_explained(CNF_FLOAT64, D, NULL, OP_COUNT, sizeof(cnf_op), NULL, NULL) == CNF_ERROR_NULL);
  cnf_field_destroy(NULL);

  cnf_field *field = NULL;
  CHECK(cnf_field_create_explained(CNF_FLOAT32, D, ops, OP_COUNT, sizeof(cnf_op), &field, NULL) == CNF_OK);
  cnf_field_destroy(field);
  field = NULL;
  CHECK(cnf_field_create_explained(CNF_FLOAT64, D, ops, OP_COUNT, sizeof(cnf_op), &field, &bad_op) == CNF_OK &&
        bad_op == -1);
  cnf_field_destroy(field);
}

/* Checks the sentence that explains a changed program on D rows. */
#define EXPLAIN(sentence, spoil)                                                       \
  do {                                                                                 \
    cnf_op ops[OP_COUNT] = OPS;                                                        \
    char why[160];                                                                     \
    spoil;                                                                             \
    cnf_field_explain(CNF_FLOAT64, D, ops, OP_COUNT, sizeof(cnf_op), why, sizeof why); \
    check_count(strcmp(why, sentence) == 0, #spoil, why, __LINE__);                    \
  } while (0)

/* In the program, block 1 is the time, and block 2 is the state and the time, 3 rows. Blocks 3 and 4 are linear, of 4
 * and 2 rows. */
static void test_explanations(void) {
  CHECK(D == 2 && OP_COUNT == 4 && HIDDEN == 4);
  EXPLAIN("", (void)ops);
  EXPLAIN("op 2 (ADD) adds block 2 (CONCAT) of 3 rows and block 0 (the state) of 2 rows",
          ops[2] = ((cnf_op){.kind = CNF_OP_ADD, .input = 2, .input2 = CNF_STATE}));
  EXPLAIN("op 2 (MULTIPLY) multiplies block 2 (CONCAT) of 3 rows by block 0 (the state) of 2 rows, which has neither "
          "as many "
          "nor one",
          ops[2] = ((cnf_op){.kind = CNF_OP_MULTIPLY, .input = 2, .input2 = CNF_STATE}));
  EXPLAIN("op 3 (SLICE) takes 2 rows, from row 3 on, of block 3 (LINEAR) of 4 rows",
          ops[3] = ((cnf_op){.kind = CNF_OP_SLICE, .input = 3, .input2 = CNF_NO_BLOCK, .rows = 2, .first = 3}));
  EXPLAIN("op 3 (TRANSPOSED) takes the weights of block 3 (LINEAR) of 4 rows and reads block 0 (the state) of 2 rows",
          ops[3] = ((cnf_op){.kind = CNF_OP_TRANSPOSED, .input = 0, .input2 = CNF_NO_BLOCK, .tied = 3}));
  EXPLAIN("op 3 (TRANSPOSED) takes the weights of block 2, which no LINEAR before it made",
          ops[3] = ((cnf_op){.kind = CNF_OP_TRANSPOSED, .input = 2, .input2 = CNF_NO_BLOCK, .tied = 2}));
  EXPLAIN("op 2 (LINEAR) has 0 rows, must have 1 to 16777216", ops[2].rows = 0);
  EXPLAIN("op 1 (CONCAT) reads block 3: those before it are 0 to 1", ops[1].input2 = 3);
  EXPLAIN("op 3 (LINEAR) is the last and makes 5 rows, of a state of 2", ops[3].rows = 5);
  EXPLAIN("op 2 (LINEAR): unknown activation", ops[2].activation = -1);
  EXPLAIN("op 2 (unknown): unknown op kind", ops[2].kind = UNKNOWN);

  /* A sentence that does not fit is cut. Nothing is written if the size is 0. */
  cnf_op ops[OP_COUNT] = OPS;
  char why[8];
  ops[3].rows = 5;
  memset(why, 'x', sizeof why);
  CHECK(cnf_field_explain(CNF_FLOAT64, D, ops, OP_COUNT, sizeof(cnf_op), why, 5) == CNF_ERROR_FIELD_SHAPE);
  CHECK(strcmp(why, "op 3") == 0 && why[5] == 'x');
  CHECK(cnf_field_explain(CNF_FLOAT64, D, ops, OP_COUNT, sizeof(cnf_op), NULL, 0) == CNF_ERROR_FIELD_SHAPE);
  CHECK(cnf_field_explain(CNF_FLOAT64, D, ops, OP_COUNT, sizeof(cnf_op), NULL, 1) == CNF_ERROR_NULL);
  CHECK(cnf_field_explain(CNF_FLOAT64, D, ops, INT32_MAX, sizeof(cnf_op), why, sizeof why) == CNF_ERROR_SIZE);
}

static void test_field_ops(void) {
  REFUSE_OPS(CNF_ERROR_OP_KIND, 0, ops[0].kind = -1);
  REFUSE_OPS(CNF_ERROR_OP_KIND, 2, ops[2].kind = UNKNOWN);
  REFUSE_OPS(CNF_ERROR_OP_KIND, 3, ops[3].kind = INT32_MAX);
  /* Operands: none, the op's own block, a later block, and one far out of range. */
  REFUSE_OPS(CNF_ERROR_OP_INPUT, 1, ops[1].input = CNF_NO_BLOCK);
  REFUSE_OPS(CNF_ERROR_OP_INPUT, 1, ops[1].input = 2);
  REFUSE_OPS(CNF_ERROR_OP_INPUT, 1, ops[1].input2 = CNF_NO_BLOCK);
  REFUSE_OPS(CNF_ERROR_OP_INPUT, 1, ops[1].input2 = 3);
  REFUSE_OPS(CNF_ERROR_OP_INPUT, 2, ops[2].input = CNF_NO_BLOCK);
  REFUSE_OPS(CNF_ERROR_OP_INPUT, 2, ops[2].input = 3);
  REFUSE_OPS(CNF_ERROR_OP_INPUT, 3, ops[3].input = OP_COUNT);
  REFUSE_OPS(CNF_ERROR_OP_INPUT, 3, ops[3].input = INT32_MAX);
  REFUSE_OPS(CNF_ERROR_OP_INPUT, 3, ops[3].input = INT32_MIN);
  REFUSE_OPS(CNF_ERROR_OP_INPUT, 2, (ops[2].kind = CNF_OP_ACTIVATION, ops[2].input = -2));
  REFUSE_OPS(CNF_ERROR_OP_INPUT, 2, (ops[2].kind = CNF_OP_ADD, ops[2].input2 = 7));
  /* Rows: an ADD of 3 and 2 rows, linear layers without rows. */
  REFUSE_OPS(CNF_ERROR_OP_SHAPE, 2, ops[2] = ((cnf_op){.kind = CNF_OP_ADD, .input = 2, .input2 = CNF_STATE}));
  REFUSE_OPS(CNF_ERROR_OP_SHAPE, 2, ops[2].rows = 0);
  REFUSE_OPS(CNF_ERROR_OP_SHAPE, 2, ops[2].rows = -1);
  REFUSE_OPS(CNF_ERROR_OP_SHAPE, 2, ops[2].rows = INT32_MIN);
  REFUSE_OPS(CNF_ERROR_OP_SHAPE, 2, ops[2].rows = INT32_MAX);
  REFUSE_OPS(CNF_ERROR_ACTIVATION, 2, ops[2].activation = -1);
  REFUSE_OPS(CNF_ERROR_ACTIVATION, 2, ops[2].activation = ACTIVATION_COUNT);
  REFUSE_OPS(CNF_ERROR_ACTIVATION, 3, ops[3].activation = INT32_MIN);
  REFUSE_OPS(CNF_ERROR_ACTIVATION, 2, (ops[2].kind = CNF_OP_ACTIVATION, ops[2].rows = 0, ops[2].activation = UNKNOWN));
  /* Members that the kind of op does not use. */
  REFUSE_OPS(CNF_ERROR_OP_RESERVED, 0, ops[0].input = CNF_STATE);
  REFUSE_OPS(CNF_ERROR_OP_RESERVED, 0, ops[0].input2 = CNF_STATE);
  REFUSE_OPS(CNF_ERROR_OP_RESERVED, 0, ops[0].rows = 1);
  REFUSE_OPS(CNF_ERROR_OP_RESERVED, 1, ops[1].activation = CNF_ACTIVATION_TANH);
  REFUSE_OPS(CNF_ERROR_OP_RESERVED, 2, ops[2].input2 = CNF_STATE);
  REFUSE_OPS(CNF_ERROR_OP_RESERVED, 2, ops[2].kind = CNF_OP_ACTIVATION);
  REFUSE_OPS(CNF_ERROR_OP_RESERVED, 3, ops[3].reserved[0] = 7);
  const cnf_callback callback = {.struct_size = sizeof callback};
  REFUSE_OPS(CNF_ERROR_OP_RESERVED, 3, ops[3].callback = &callback);
  REFUSE_OPS(CNF_ERROR_FIELD_SHAPE, 3, ops[3].rows = D + 1);
  REFUSE_OPS(CNF_ERROR_FIELD_SHAPE, 3, ops[3].rows = 1);
}

/* Concatenating the last block with itself doubles its rows. From 2^22 rows, ten doublings overflow int32_t. One of the
 * ops must be refused and named. */
static void test_field_overflow(void) {
  enum { START = 1 << 22, DOUBLINGS = 10 };
  cnf_op ops[DOUBLINGS + 1];
  for (int32_t i = 0; i < DOUBLINGS; ++i) ops[i] = (cnf_op){.kind = CNF_OP_CONCAT, .input = i, .input2 = i};
  ops[DOUBLINGS] = (cnf_op){.kind = CNF_OP_LINEAR, .input = DOUBLINGS, .input2 = CNF_NO_BLOCK, .rows = START};
  cnf_field *field;
  int32_t bad_op = 12345;
  pattern_fill(&field, sizeof field);
  CHECK_STATUS(CNF_ERROR_SIZE,
               cnf_field_create_explained(CNF_FLOAT64, START, ops, DOUBLINGS + 1, sizeof(cnf_op), &field, &bad_op),
               "blocks of more than 2^31 rows");
  CHECK(pattern_intact(&field, sizeof field));
  CHECK(bad_op > 0 && bad_op < DOUBLINGS);
}

static void test_field_queries(const cnf_field *field) {
  CHECK(cnf_field_parameter_count(field) == P);
  CHECK(cnf_field_parameter_count(NULL) == 0);

  size_t weight, bias;
  int32_t rows, columns;
  CHECK(cnf_field_linear_layout(field, 2, &weight, &bias, &rows, &columns) == CNF_OK);
  CHECK(weight == 0 && bias == HIDDEN * (D + 1) && rows == HIDDEN && columns == D + 1);
  CHECK(cnf_field_linear_layout(field, 3, &weight, &bias, &rows, &columns) == CNF_OK);
  CHECK(weight == HIDDEN * (D + 1) + HIDDEN && bias == P - D && rows == D && columns == HIDDEN);
  CHECK(cnf_field_linear_layout(field, 3, NULL, NULL, NULL, NULL) == CNF_OK);

  pattern_fill(&weight, sizeof weight), pattern_fill(&bias, sizeof bias);
  pattern_fill(&rows, sizeof rows), pattern_fill(&columns, sizeof columns);
  CHECK(cnf_field_linear_layout(NULL, 2, &weight, &bias, &rows, &columns) == CNF_ERROR_NULL);
  CHECK(cnf_field_linear_layout(field, -1, &weight, &bias, &rows, &columns) != CNF_OK);
  CHECK(cnf_field_linear_layout(field, OP_COUNT, &weight, &bias, &rows, &columns) != CNF_OK);
  CHECK(cnf_field_linear_layout(field, INT32_MAX, &weight, &bias, &rows, &columns) != CNF_OK);
  CHECK(cnf_field_linear_layout(field, 0, &weight, &bias, &rows, &columns) != CNF_OK); /* TIME has no weight */
  CHECK(pattern_intact(&weight, sizeof weight) && pattern_intact(&bias, sizeof bias));
  CHECK(pattern_intact(&rows, sizeof rows) && pattern_intact(&columns, sizeof columns));
}

/* ---- Methods ---------------------------------------------------------------------------------------------------- */

static void test_methods(void) {
  CHECK(cnf_method_find(NULL) == -1);
  CHECK(cnf_method_find("") == -1);
  CHECK(cnf_method_find("dopri") == -1);
  CHECK(cnf_method_find("dopri55") == -1);
  CHECK(cnf_method_count() > 0);
  for (int32_t method = 0; method < cnf_method_count(); ++method) {
    cnf_method_info info = {.struct_size = sizeof info};
    CHECK(cnf_method_get(method, &info) == CNF_OK);
    CHECK(cnf_method_find(info.name) == method);
    CHECK(info.alias == NULL || cnf_method_find(info.alias) == method);
    CHECK(info.citation != NULL);
    CHECK((info.a != NULL) == (info.stages > 0) && (info.b != NULL) == (info.stages > 0));
    CHECK((info.e != NULL) == (info.embedded_order > 0));
  }
  CHECK(cnf_method_find("explicit_adams") >= 0 && cnf_method_find("implicit_adams") >= 0);
  CHECK(cnf_method_find("heun") == cnf_method_find("heun2") && cnf_method_find("heun") >= 0);

  CHECK(cnf_method_get(0, NULL) == CNF_ERROR_NULL);
  const size_t sizes[] = {0, 1, sizeof(cnf_method_info) + 8, SIZE_MAX};
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
    cnf_method_info info;
    pattern_fill(&info, sizeof info);
    info.struct_size = sizes[i];
    CHECK(cnf_method_get(0, &info) == CNF_ERROR_STRUCT_SIZE);
    CHECK(pattern_intact((char *)&info + sizeof info.struct_size, sizeof info - sizeof info.struct_size));
  }
  const int32_t unknown[] = {-1, INT32_MIN, INT32_MAX, cnf_method_count()};
  for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; ++i) {
    cnf_method_info info;
    pattern_fill(&info, sizeof info);
    info.struct_size = sizeof info;
    CHECK(cnf_method_get(unknown[i], &info) == CNF_ERROR_METHOD);
    CHECK(pattern_intact((char *)&info + sizeof info.struct_size, sizeof info - sizeof info.struct_size));
  }
}

/* ---- Solvers ---------------------------------------------------------------------------------------------------- */

/* Does the sentence `why` begin with "<name> is ", for an option that the code `spoil` sets? Or does it say that two
 * options are both 0? */
static int names_option(const char *spoil, const char *why) {
  for (const char *at = spoil; (at = strstr(at, "options.")) != NULL;) {
    at += strlen("options.");
    const size_t length = strspn(at, "abcdefghijklmnopqrstuvwxyz_");
    const char *after = why + length;
    if (strncmp(why, at, length)) continue;
    if (*after == '[') after += strcspn(after, "]") + 1; /* of a row */
    if (!strncmp(after, " is ", 4) || !strncmp(after, " and ", 5)) return 1;
  }
  return 0;
}

static void refuse_solver(cnf_status expected, const cnf_field *field, const cnf_solver_options *options,
                          const char *what, int line) {
  cnf_solver *solver;
  pattern_fill(&solver, sizeof solver);
  cnf_status status = cnf_solver_create(field, options, &solver);
  check_status(expected, status, what, line);
  check_count(pattern_intact(&solver, sizeof solver) || status == CNF_OK, what, "the handle was written", line);
  if (status == CNF_OK) cnf_solver_destroy(solver);
  char why[256];
  check_status(expected, cnf_solver_options_explain(field, options, why, sizeof why), what, line);
  check_count(field == NULL || options == NULL || names_option(what, why), what, why, line);
}

#define REFUSE_OPTIONS(expected, spoil)                         \
  do {                                                          \
    cnf_solver_options options;                                 \
    cnf_solver_options_init(&options, sizeof options);          \
    spoil;                                                      \
    refuse_solver(expected, field, &options, #spoil, __LINE__); \
  } while (0)

static void test_solver_options(const cnf_field *field) {
  cnf_solver_destroy(NULL);
  REFUSE_OPTIONS(CNF_ERROR_STRUCT_SIZE, options.struct_size = 0);
  REFUSE_OPTIONS(CNF_ERROR_STRUCT_SIZE, options.struct_size = 1);
  REFUSE_OPTIONS(CNF_ERROR_STRUCT_SIZE, options.struct_size += 8);
  REFUSE_OPTIONS(CNF_ERROR_STRUCT_SIZE, options.struct_size = SIZE_MAX);
  REFUSE_OPTIONS(CNF_ERROR_METHOD, options.method = -1);
  REFUSE_OPTIONS(CNF_ERROR_METHOD, options.method = cnf_method_count());
  REFUSE_OPTIONS(CNF_ERROR_METHOD, options.method = INT32_MIN);
  REFUSE_OPTIONS(CNF_ERROR_NOT_ADAPTIVE,
                 (options.method = cnf_method_find("rk4"), options.control = CNF_CONTROL_SAMPLE));
  REFUSE_OPTIONS(CNF_ERROR_NOT_ADAPTIVE,
                 (options.method = cnf_method_find("euler"), options.control = CNF_CONTROL_SAMPLE));
  REFUSE_OPTIONS(CNF_ERROR_NOT_ADAPTIVE,
                 (options.method = cnf_method_find("midpoint"), options.control = CNF_CONTROL_BATCH));
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.control = -1);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.control = UNKNOWN);
  REFUSE_OPTIONS(CNF_ERROR_TOLERANCE, options.rtol = -1e-5);
  REFUSE_OPTIONS(CNF_ERROR_TOLERANCE, options.atol = -DBL_MIN);
  REFUSE_OPTIONS(CNF_ERROR_TOLERANCE, options.rtol = NAN);
  REFUSE_OPTIONS(CNF_ERROR_TOLERANCE, options.atol = NAN);
  REFUSE_OPTIONS(CNF_ERROR_TOLERANCE, options.rtol = INFINITY);
  REFUSE_OPTIONS(CNF_ERROR_TOLERANCE, options.atol = INFINITY);
  REFUSE_OPTIONS(CNF_ERROR_TOLERANCE, options.rtol = options.atol = 0);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.initial_step = -0.1);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.initial_step = NAN);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.initial_step = INFINITY);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.min_step = -1e-9);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.min_step = NAN);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.min_step = INFINITY);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.max_steps = -1);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.max_steps = INT32_MIN);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, (options.control = CNF_CONTROL_FIXED, options.steps = -1));
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.trace = -1);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.trace = UNKNOWN);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.probe = -1);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.probe = UNKNOWN);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.probes = -1);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.threads = -1);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.norm = -1);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.norm = UNKNOWN);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.pcoeff = NAN);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.icoeff = -0.1);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.icoeff = INFINITY);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.dcoeff = -INFINITY);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.safety = 1);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.safety = -0.5);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.safety = NAN);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.factor_min = 1);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.factor_min = -1);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.factor_max = 0.99);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.factor_max = INFINITY);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.max_step = -1);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.max_step = NAN);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.max_step = -INFINITY);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, (options.min_step = 0.2, options.max_step = 0.1));
  const double zeros[D] = {0, 0}, negative[D] = {1e-3, -1e-3}, unknown[D] = {NAN, 1e-3};
  REFUSE_OPTIONS(CNF_ERROR_TOLERANCE, options.rtol_rows = negative);
  REFUSE_OPTIONS(CNF_ERROR_TOLERANCE, options.atol_rows = negative);
  REFUSE_OPTIONS(CNF_ERROR_TOLERANCE, options.rtol_rows = unknown);
  REFUSE_OPTIONS(CNF_ERROR_TOLERANCE, options.rtol_rows = options.atol_rows = zeros);
  REFUSE_OPTIONS(CNF_ERROR_TOLERANCE, (options.rtol_rows = zeros, options.atol = 0));
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.kinetic = -1);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.order = 13);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.kinetic = 2);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.frobenius = -1);
  REFUSE_OPTIONS(CNF_ERROR_OPTION, options.frobenius = UNKNOWN);
  REFUSE_OPTIONS(CNF_ERROR_TRACE, (options.frobenius = 1, options.trace = CNF_TRACE_NONE));
  REFUSE_OPTIONS(CNF_ERROR_TRACE, (options.frobenius = 1, options.trace = CNF_TRACE_EXACT_PRODUCT));
  REFUSE_OPTIONS(CNF_ERROR_ISA, options.isa = -1);
  REFUSE_OPTIONS(CNF_ERROR_ISA, options.isa = UNKNOWN);

  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  refuse_solver(CNF_ERROR_NULL, NULL, &options, "field = NULL", __LINE__);
  refuse_solver(CNF_ERROR_NULL, field, NULL, "options = NULL", __LINE__);
  CHECK(cnf_solver_create(field, &options, NULL) == CNF_ERROR_NULL);
}

/* A struct with a size that no version of the header has is neither read nor written. */
static void test_solver_options_sizes(void) {
  const size_t today = sizeof(cnf_solver_options), wrong[] = {0, sizeof(size_t), today - 8, today + 8, SIZE_MAX};
  cnf_solver_options options;
  CHECK(cnf_solver_options_init(NULL, today) == CNF_ERROR_NULL);
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
    pattern_fill(&options, sizeof options);
    CHECK(cnf_solver_options_init(&options, wrong[i]) == CNF_ERROR_STRUCT_SIZE);
    CHECK(pattern_intact(&options, sizeof options));
  }
  CHECK(cnf_solver_options_init(&options, today) == CNF_OK && options.struct_size == today);
}

/* The product form of the exact trace works for at most two hidden layers. */
static void test_trace_that_does_not_fit(void) {
  const cnf_op ops[] = {
      {.kind = CNF_OP_LINEAR, .input = 0, .input2 = CNF_NO_BLOCK, .rows = HIDDEN, .activation = CNF_ACTIVATION_TANH},
      {.kind = CNF_OP_LINEAR, .input = 1, .input2 = CNF_NO_BLOCK, .rows = HIDDEN, .activation = CNF_ACTIVATION_TANH},
      {.kind = CNF_OP_LINEAR, .input = 2, .input2 = CNF_NO_BLOCK, .rows = HIDDEN, .activation = CNF_ACTIVATION_TANH},
      {.kind = CNF_OP_LINEAR, .input = 3, .input2 = CNF_NO_BLOCK, .rows = D},
  };
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, D, ops, 4, sizeof(cnf_op), &field) == CNF_OK);
  REFUSE_OPTIONS(CNF_ERROR_TRACE, options.trace = CNF_TRACE_EXACT_PRODUCT);
  cnf_field_destroy(field);
}

/* The Frobenius norm needs tangents, which changes what EXACT and AUTOMATIC resolve to. D = 2 tangents cost twice one
 * probe. */
static void test_trace_of_the_frobenius_norm(const cnf_field *field) {
  static const struct {
    int32_t asked, probes, frobenius, found;
  } cases[] = {
      {CNF_TRACE_EXACT, 1, 0, CNF_TRACE_EXACT_PRODUCT},           {CNF_TRACE_EXACT, 1, 1, CNF_TRACE_EXACT_TANGENTS},
      {CNF_TRACE_AUTOMATIC, 1, 0, CNF_TRACE_EXACT_PRODUCT},       {CNF_TRACE_AUTOMATIC, 1, 1, CNF_TRACE_EXACT_TANGENTS},
      {CNF_TRACE_HUTCHINSON, 1, 1, CNF_TRACE_HUTCHINSON},         {CNF_TRACE_HUTCHINSON, 3, 1, CNF_TRACE_HUTCHINSON},
      {CNF_TRACE_EXACT_TANGENTS, 1, 1, CNF_TRACE_EXACT_TANGENTS},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    cnf_solver_options options;
    cnf_solver_options_init(&options, sizeof options);
    options.trace = cases[i].asked, options.probes = cases[i].probes, options.frobenius = cases[i].frobenius;
    options.kinetic = 1;
    cnf_solver *solver = NULL;
    CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
    cnf_solver_info info = {.struct_size = sizeof info};
    CHECK(cnf_solver_get_info(solver, &info) == CNF_OK);
    CHECK(info.trace == cases[i].found);
    cnf_solver_destroy(solver);
  }
}

static void test_solver_info(const cnf_solver *solver) {
  cnf_solver_info info = {.struct_size = sizeof info};
  CHECK(cnf_solver_get_info(solver, &info) == CNF_OK);
  CHECK(cnf_isa_is_available(info.isa) && info.lanes > 0 && info.threads > 0 && info.bytes > 0);
  CHECK(cnf_solver_get_info(solver, NULL) == CNF_ERROR_NULL);
  pattern_fill(&info, sizeof info);
  info.struct_size = sizeof info;
  CHECK(cnf_solver_get_info(NULL, &info) == CNF_ERROR_NULL);
  info.struct_size = 3;
  CHECK(cnf_solver_get_info(solver, &info) == CNF_ERROR_STRUCT_SIZE);
  CHECK(pattern_intact((char *)&info + sizeof info.struct_size, sizeof info - sizeof info.struct_size));
}

int main(void) {
  test_texts();
  test_field_arguments();
  test_explanations();
  test_field_ops();
  test_field_overflow();
  test_methods();
  cnf_field *field = good_field();
  test_field_queries(field);
  test_solver_options(field);
  test_solver_options_sizes();
  test_trace_that_does_not_fit();
  test_trace_of_the_frobenius_norm(field);
  cnf_solver *solver = good_solver(field, CNF_CONTROL_SAMPLE);
  test_solver_info(solver);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
  return check_report();
}
