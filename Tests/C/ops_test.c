/* ops_test.c - the ops of architectures: all derivatives compared with central differences, and independence of
 * samples, threads and instruction sets. */
#include "ops_fixture.h"

/* ---- Gradients of value and divergence
 * ------------------------------------------------------------------------------ */

/* The sum of losses by a plain solve with fixed steps. */
static double loss_at(cnf_solver *solver, const program *p, const numbers *n, int regularised) {
  double x1[COUNT * D], log_det[COUNT], kinetic[COUNT], frobenius[COUNT], loss = 0;
  const cnf_solve_input in = input_of(p, n, 0, COUNT);
  cnf_solve_output out = {.struct_size = sizeof out, .x1 = x1, .log_det = log_det};
  if (regularised) out.kinetic = kinetic, out.frobenius = frobenius;
  CHECK(cnf_solve(solver, &in, &out) == CNF_OK);
  for (int i = 0; i < COUNT; i++) {
    loss -= log_det[i];
    if (regularised) loss += 0.3 * kinetic[i] + 0.2 * frobenius[i];
    for (int d = 0; d < D; d++) loss += 0.5 * x1[i * D + d] * x1[i * D + d];
  }
  return loss;
}

/* A central difference with step e has an error of e^2 |L'''|/6 + DBL_EPSILON |L| / e. With e = 1e-5, |L| of order 10
 * and |L'''| of up to 1e3 (layer norms of few rows), the terms are 2e-8 and 2e-10. An error of 1e-7 is allowed,
 * relative to numbers above 1. */
static void check_difference(cnf_solver *solver, const program *p, numbers *n, int regularised, double *variable,
                             double got, const char *what, int place, int32_t trace) {
  const double e = 1e-5, tolerance = 1e-7, kept = *variable;
  char detail[200];
  *variable = kept + e;
  const double above = loss_at(solver, p, n, regularised);
  *variable = kept - e;
  const double expected = (above - loss_at(solver, p, n, regularised)) / (2 * e);
  *variable = kept;
  snprintf(detail, sizeof detail, "%s, trace %d, %s %d: %.12g, by differences %.12g", p->name, (int)trace, what, place,
           got, expected);
  check_count(fabs(got - expected) <= tolerance * fmax(1, fabs(expected)), "gradient equals central differences",
              detail, __LINE__);
}

static void test_differences(program_maker make, setting s) {
  const program p = make();
  numbers n;
  results r;
  double t0 = 0, t1 = 0;
  numbers_fill(&n);
  s.control = CNF_CONTROL_FIXED;
  cnf_solver *solver = ops_solver(&p, CNF_FLOAT64, s);
  if (!solver) return; /* the product form does not work; test_traces checks for which program it must */
  differentiate(solver, &p, &n, s.regularised, 0, COUNT, &r);
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, D, p.ops, p.count, sizeof(cnf_op), &field) == CNF_OK);
  const int parameters = (int)cnf_field_parameter_count(field), stride = parameters > 60 ? 3 : 1;
  cnf_field_destroy(field);
  for (int i = 0; i < parameters; i += stride)
    check_difference(solver, &p, &n, s.regularised, &n.theta[i], r.theta[i], "theta", i, s.trace);
  for (int i = 0; i < COUNT * D; i += 2)
    check_difference(solver, &p, &n, s.regularised, &n.x0[i], r.x0[i], "x0", i, s.trace);
  for (int i = 0; reads_context(&p) && i < COUNT * C; i++)
    check_difference(solver, &p, &n, s.regularised, &n.context[i], r.context[i], "context", i, s.trace);
  for (int i = 0; i < COUNT; i++) t0 += r.t0[i], t1 += r.t1[i];
  check_difference(solver, &p, &n, s.regularised, &n.t[0], t0, "t0", 0, s.trace);
  check_difference(solver, &p, &n, s.regularised, &n.t[1], t1, "t1", 0, s.trace);
  cnf_solver_destroy(solver);
}

/* ---- Traces compared with differences
 * --------------------------------------------------------------------------------- */

static void test_traces(program_maker make) {
  const program p = make();
  numbers n;
  numbers_fill(&n);
  const int32_t traces[2] = {CNF_TRACE_EXACT_TANGENTS, CNF_TRACE_EXACT_PRODUCT};
  for (int i = 0; i < 2; i++) {
    cnf_solver *solver = ops_solver(&p, CNF_FLOAT64, (setting){.trace = traces[i], .threads = 1});
    CHECK(i == 0 || (solver != NULL) == (make == conditional));
    if (!solver) continue;
    double f[COUNT * D], above[COUNT * D], below[COUNT * D], divergence[COUNT], sum[COUNT] = {0};
    const cnf_solve_input in = input_of(&p, &n, 0, COUNT);
    CHECK(cnf_solver_evaluate(solver, &in, f, divergence) == CNF_OK);
    for (int d = 0; d < D; d++) {
      numbers moved = n;
      const double e = 1e-5;
      const cnf_solve_input moved_in = input_of(&p, &moved, 0, COUNT);
      for (int s = 0; s < COUNT; s++) moved.x0[s * D + d] = n.x0[s * D + d] + e;
      CHECK(cnf_solver_evaluate(solver, &moved_in, above, NULL) == CNF_OK);
      for (int s = 0; s < COUNT; s++) moved.x0[s * D + d] = n.x0[s * D + d] - e;
      CHECK(cnf_solver_evaluate(solver, &moved_in, below, NULL) == CNF_OK);
      for (int s = 0; s < COUNT; s++) sum[s] += (above[s * D + d] - below[s * D + d]) / (2 * e);
    }
    for (int s = 0; s < COUNT; s++) {
      char detail[128];
      snprintf(detail, sizeof detail, "%s: %.12g, by differences %.12g", p.name, divergence[s], sum[s]);
      check_count(fabs(divergence[s] - sum[s]) <= 1e-8 * fmax(1, fabs(sum[s])), "trace", detail, __LINE__);
    }
    cnf_solver_destroy(solver);
  }
}

/* Compares with the formula of PyTorch's LayerNorm: biased variance, epsilon inside the root, and 1e-5 if the op has
 * none. theta is the gain, then the bias. */
static void test_norm_formula(void) {
  for (int i = 0; i < 2; i++) {
    program p = {.name = "one norm"};
    const double epsilon = i ? 0.25 : 1e-5, x[D] = {0.3, -1.2, 2.4}, theta[2 * D] = {1, 2, 3, 10, 20, 30};
    unary(&p, CNF_OP_LAYER_NORM, CNF_STATE, i ? epsilon : 0);
    cnf_field *field = NULL;
    size_t offset = 9, count = 0;
    CHECK(cnf_field_create(CNF_FLOAT64, D, p.ops, p.count, sizeof(cnf_op), &field) == CNF_OK);
    CHECK(cnf_field_op_parameters(field, 0, &offset, &count) == CNF_OK && offset == 0 && count == 2 * D);
    cnf_field_destroy(field);
    cnf_solver *solver = ops_solver(&p, CNF_FLOAT64, (setting){.trace = CNF_TRACE_NONE});
    double f[D];
    const cnf_solve_input in = {.struct_size = sizeof in, .parameters = theta, .x0 = x, .count = 1, .t1 = 1};
    CHECK(cnf_solver_evaluate(solver, &in, f, NULL) == CNF_OK);
    const double mean = (x[0] + x[1] + x[2]) / 3;
    double variance = 0;
    for (int d = 0; d < D; d++) variance += (x[d] - mean) * (x[d] - mean) / 3;
    for (int d = 0; d < D; d++) {
      const double expected = theta[d] * (x[d] - mean) / sqrt(variance + epsilon) + theta[D + d];
      CHECK(fabs(f[d] - expected) <= 16 * 2.3e-16 * 40); /* about ten roundings of numbers below 40 */
    }
    cnf_solver_destroy(solver);
  }
}

/* ---- Independence of threads, memory and other samples
 * ---------------------------------------------------------------- */

static void check_same(const program *p, const results *a, const results *b, const char *what) {
  char detail[128];
  snprintf(detail, sizeof detail, "%s, %s", p->name, what);
  check_count(memcmp(a, b, sizeof *a) == 0, "the same bits", detail, __LINE__);
}

static void test_bits(program_maker make, setting s) {
  const program p = make();
  numbers n;
  results all, other;
  numbers_fill(&n);
  s.threads = 1;
  cnf_solver *solver = ops_solver(&p, CNF_FLOAT64, s);
  differentiate(solver, &p, &n, 0, 0, COUNT, &all);
  s.threads = 3;
  cnf_solver *threaded = ops_solver(&p, CNF_FLOAT64, s);
  differentiate(threaded, &p, &n, 0, 0, COUNT, &other);
  check_same(&p, &all, &other, "three threads");
  s.store_bytes = -1;
  cnf_solver *recomputing = ops_solver(&p, CNF_FLOAT64, s);
  differentiate(recomputing, &p, &n, 0, 0, COUNT, &other);
  check_same(&p, &all, &other, "recomputed evaluations");
  for (int i = 0; i < COUNT; i++) {
    differentiate(solver, &p, &n, 0, i, 1, &other);
    check_count(memcmp(other.x1, all.x1 + i * D, sizeof(double) * D) == 0 && other.log_det[0] == all.log_det[i] &&
                    memcmp(other.x0, all.x0 + i * D, sizeof(double) * D) == 0 &&
                    memcmp(other.context, all.context + i * C, sizeof(double) * C) == 0,
                "a sample alone", p.name, __LINE__);
  }
  cnf_solver_destroy(solver);
  cnf_solver_destroy(threaded);
  cnf_solver_destroy(recomputing);
}

/* The largest difference of two results, relative to numbers above 1. */
static double distance(const results *a, const results *b) {
  const double *x = a->x1, *y = b->x1;
  double most = 0;
  for (size_t i = 0; i < offsetof(results, status) / sizeof(double); i++)
    most = fmax(most, fabs(x[i] - y[i]) / fmax(1, fabs(x[i])));
  return most;
}

/* Instruction sets add in different orders, with about a hundred roundings per stage. These fields amplify them at most
 * a hundredfold. */
static void test_instruction_sets(program_maker make) {
  const program p = make();
  numbers n;
  results generic, other;
  numbers_fill(&n);
  const setting s = {.control = CNF_CONTROL_FIXED, .trace = CNF_TRACE_HUTCHINSON, .probes = 1, .threads = 1};
#define CNF_X(name, value, suffix, text) value,
  static const int32_t isas[] = {CNF_ISA_LIST(CNF_X)}; /* the first is generic */
#undef CNF_X
  for (size_t i = 0; i < sizeof isas / sizeof isas[0]; i++) {
    const int32_t isa = isas[i];
    setting with = s;
    with.isa = isa;
    if (!cnf_isa_is_available(isa)) continue;
    cnf_solver *solver = ops_solver(&p, CNF_FLOAT64, with);
    differentiate(solver, &p, &n, 0, 0, COUNT, isa == CNF_ISA_GENERIC ? &generic : &other);
    if (isa != CNF_ISA_GENERIC)
      check_count(distance(&generic, &other) <= 1e4 * 2.3e-16, cnf_isa_name(isa), p.name, __LINE__);
    cnf_solver_destroy(solver);
  }
}

/* Both adjoints converge to the gradient of the flow as steps become exact, because the second derivatives of these
 * fields are continuous. */
static void test_continuous(program_maker make) {
  const program p = make();
  numbers n;
  results discrete, continuous;
  numbers_fill(&n);
  setting s = {.control = CNF_CONTROL_SAMPLE, .trace = CNF_TRACE_HUTCHINSON, .probes = 1, .tolerance = 1e-10};
  cnf_solver *first = ops_solver(&p, CNF_FLOAT64, s);
  s.adjoint = CNF_ADJOINT_CONTINUOUS;
  cnf_solver *second = ops_solver(&p, CNF_FLOAT64, s);
  differentiate(first, &p, &n, 0, 0, COUNT, &discrete);
  differentiate(second, &p, &n, 0, 0, COUNT, &continuous);
  char detail[128];
  snprintf(detail, sizeof detail, "%s: %g", p.name, distance(&discrete, &continuous));
  check_count(distance(&discrete, &continuous) <= 1e-6, "continuous adjoint", detail, __LINE__);
  cnf_solver_destroy(first);
  cnf_solver_destroy(second);
}

/* A Rosenbrock method gets its Jacobian from tangents, and has its order only if they are right. With a tolerance of
 * 1e-9 it must agree with dopri5; the log-determinant is less exact, because its quadrature has order 4. */
static void test_rosenbrock(program_maker make) {
  const program p = make();
  numbers n;
  double x1[2][COUNT * D], log_det[2][COUNT];
  cnf_field *field = NULL;
  numbers_fill(&n);
  CHECK(cnf_field_create(CNF_FLOAT64, D, p.ops, p.count, sizeof(cnf_op), &field) == CNF_OK);
  for (int i = 0; i < 2; i++) {
    cnf_solver *solver = NULL;
    cnf_solver_options options;
    cnf_solver_options_init(&options, sizeof options);
    options.method = cnf_method_find(i ? "rodas4" : "dopri5"), options.rtol = options.atol = 1e-9;
    options.trace = CNF_TRACE_EXACT_TANGENTS;
    CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
    const cnf_solve_input in = input_of(&p, &n, 0, COUNT);
    cnf_solve_output out = {.struct_size = sizeof out, .x1 = x1[i], .log_det = log_det[i]};
    CHECK(cnf_solve(solver, &in, &out) == CNF_OK);
    cnf_solver_destroy(solver);
  }
  for (int i = 0; i < COUNT * D; i++) check_count(fabs(x1[0][i] - x1[1][i]) <= 1e-6, "rodas4", p.name, __LINE__);
  for (int i = 0; i < COUNT; i++)
    check_count(fabs(log_det[0][i] - log_det[1][i]) <= 1e-5, "rodas4's log_det", p.name, __LINE__);
  cnf_field_destroy(field);
}

/* Mixed precision only rounds products of derivatives, so states equal those of full precision, to the bit. */
static void test_mixed(program_maker make) {
  const program p = make();
  numbers n;
  float theta[MOST_PARAMETERS], x0[COUNT * D], context[COUNT * C], x1[2][COUNT * D], theta_bar[2][MOST_PARAMETERS];
  cnf_field *field = NULL;
  double square = 0, difference = 0;
  numbers_fill(&n);
  for (int i = 0; i < MOST_PARAMETERS; i++) theta[i] = (float)n.theta[i];
  for (int i = 0; i < COUNT * D; i++) x0[i] = (float)n.x0[i];
  for (int i = 0; i < COUNT * C; i++) context[i] = (float)n.context[i];
  CHECK(cnf_field_create(CNF_FLOAT32, D, p.ops, p.count, sizeof(cnf_op), &field) == CNF_OK);
  for (int i = 0; i < 2; i++) {
    cnf_solver *solver = NULL;
    cnf_solver_options options;
    cnf_solver_options_init(&options, sizeof options);
    options.trace = CNF_TRACE_HUTCHINSON, options.exclude_log_det = 1;
    options.precision = i ? CNF_PRECISION_MIXED : CNF_PRECISION_FULL;
    CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
    cnf_solve_input in = input_of(&p, &n, 0, COUNT);
    in.parameters = theta, in.x0 = x0, in.context = reads_context(&p) ? context : NULL;
    const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
    cnf_solve_output out = {.struct_size = sizeof out, .x1 = x1[i]};
    memset(theta_bar[i], 0, sizeof theta_bar[i]);
    cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = theta_bar[i]};
    CHECK(cnf_solve_vjp(solver, &in, &loss, &out, &gradient) == CNF_OK);
    cnf_solver_destroy(solver);
  }
  check_count(memcmp(x1[0], x1[1], sizeof x1[0]) == 0, "mixed states", p.name, __LINE__);
  for (int i = 0; i < MOST_PARAMETERS; i++) {
    const double d = (double)theta_bar[1][i] - (double)theta_bar[0][i];
    square += (double)theta_bar[0][i] * (double)theta_bar[0][i], difference += d * d;
  }
  /* A term has a relative error of at most 1/256 per product, of which there are a few, and the sum may be smaller than
   * its terms. */
  check_count(sqrt(difference) <= 0.05 * sqrt(square), "mixed gradient", p.name, __LINE__);
  cnf_field_destroy(field);
}

/* In float, states of order 1 have about a hundred roundings of 6e-8, and gradients are sums of a few hundred such
 * terms. */
static void test_float(program_maker make) {
  const program p = make();
  numbers n;
  results wide;
  float theta[MOST_PARAMETERS], x0[COUNT * D], context[COUNT * C], theta_bar[MOST_PARAMETERS] = {0};
  float context_bar[COUNT * C] = {0};
  numbers_fill(&n);
  for (int i = 0; i < MOST_PARAMETERS; i++) theta[i] = (float)n.theta[i], n.theta[i] = (double)theta[i];
  for (int i = 0; i < COUNT * D; i++) x0[i] = (float)n.x0[i], n.x0[i] = (double)x0[i];
  for (int i = 0; i < COUNT * C; i++) context[i] = (float)n.context[i], n.context[i] = (double)context[i];
  const setting s = {.control = CNF_CONTROL_FIXED, .trace = CNF_TRACE_EXACT_TANGENTS, .threads = 1};
  cnf_solver *solver = ops_solver(&p, CNF_FLOAT64, s), *narrow = ops_solver(&p, CNF_FLOAT32, s);
  differentiate(solver, &p, &n, 0, 0, COUNT, &wide);
  cnf_solve_input in = input_of(&p, &n, 0, COUNT);
  in.parameters = theta, in.x0 = x0, in.context = reads_context(&p) ? context : NULL;
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_gradient gradient = {
      .struct_size = sizeof gradient, .parameters = theta_bar, .context = reads_context(&p) ? context_bar : NULL};
  CHECK(cnf_solve_vjp(narrow, &in, &loss, NULL, &gradient) == CNF_OK);
  double most = 0;
  for (int i = 0; i < MOST_PARAMETERS; i++)
    most = larger_of(most, fabs((double)theta_bar[i] - wide.theta[i]) / fmax(1, fabs(wide.theta[i])));
  for (int i = 0; i < COUNT * C; i++)
    most = larger_of(most, fabs((double)context_bar[i] - wide.context[i]) / fmax(1, fabs(wide.context[i])));
  char detail[128];
  snprintf(detail, sizeof detail, "%s: %g", p.name, most);
  check_count(most <= 400 * 6e-8 * 10, "float follows double", detail, __LINE__);
  cnf_solver_destroy(solver);
  cnf_solver_destroy(narrow);
}

/* ---- What is refused
 * ------------------------------------------------------------------------------------------------- */

static void check_refused(cnf_status expected, const cnf_op *ops, int32_t count, int32_t bad, const char *what) {
  cnf_field *field = NULL;
  int32_t bad_op = 99;
  CHECK_STATUS(expected, cnf_field_create_explained(CNF_FLOAT64, D, ops, count, sizeof(cnf_op), &field, &bad_op), what);
  CHECK(bad_op == bad && field == NULL);
}

static void test_refusals(void) {
#define ONE(status, what, ...) check_refused(status, (const cnf_op[]){{__VA_ARGS__}}, 1, 0, what)
#define UNARY .input2 = CNF_NO_BLOCK
  ONE(CNF_ERROR_OP_SHAPE, "a slice past the end", .kind = CNF_OP_SLICE, UNARY, .rows = 2, .first = 2);
  ONE(CNF_ERROR_OP_SHAPE, "a slice before the beginning", .kind = CNF_OP_SLICE, UNARY, .rows = 2, .first = -1);
  ONE(CNF_ERROR_OP_SHAPE, "an empty slice", .kind = CNF_OP_SLICE, UNARY);
  ONE(CNF_ERROR_OP_RESERVED, "first of a norm", .kind = CNF_OP_LAYER_NORM, UNARY, .first = 1);
  ONE(CNF_ERROR_OP_RESERVED, "a number of a product", .kind = CNF_OP_MULTIPLY, .number = 1);
  ONE(CNF_ERROR_OP_RESERVED, "an input of a context", .kind = CNF_OP_CONTEXT, UNARY, .rows = D);
  ONE(CNF_ERROR_OP_NUMBER, "a rate of 1", .kind = CNF_OP_DROPOUT, UNARY, .number = 1);
  ONE(CNF_ERROR_OP_NUMBER, "a rate below 0", .kind = CNF_OP_DROPOUT, UNARY, .number = -0.1);
  ONE(CNF_ERROR_OP_NUMBER, "a rate that is NaN", .kind = CNF_OP_DROPOUT, UNARY, .number = NAN);
  ONE(CNF_ERROR_OP_NUMBER, "an epsilon below 0", .kind = CNF_OP_LAYER_NORM, UNARY, .number = -1);
  ONE(CNF_ERROR_OP_NUMBER, "a factor that is not finite", .kind = CNF_OP_SCALE, UNARY, .number = INFINITY);
  ONE(CNF_ERROR_OP_NUMBER, "an offset that is not finite", .kind = CNF_OP_SCALE, UNARY, .offset = NAN);
  ONE(CNF_ERROR_OP_RESERVED, "an offset of a norm", .kind = CNF_OP_LAYER_NORM, UNARY, .offset = 1);
  ONE(CNF_ERROR_OP_RESERVED, "rows of a sum", .kind = CNF_OP_SUM, UNARY, .rows = 1);
  ONE(CNF_ERROR_OP_RESERVED, "weights of a sum", .kind = CNF_OP_SUM, UNARY, .tied = 1);
  ONE(CNF_ERROR_OP_INPUT, "the state's weights", .kind = CNF_OP_TRANSPOSED, UNARY);
  ONE(CNF_ERROR_OP_INPUT, "its own weights", .kind = CNF_OP_TRANSPOSED, UNARY, .tied = 1);
  ONE(CNF_ERROR_OP_INPUT, "weights before the first", .kind = CNF_OP_TRANSPOSED, UNARY, .tied = -1);
  program p = {.name = "weights of a norm"};
  unary(&p, CNF_OP_LAYER_NORM, CNF_STATE, 0), transposed(&p, CNF_STATE, 1);
  check_refused(CNF_ERROR_OP_INPUT, p.ops, p.count, 1, p.name);
  p = (program){.name = "weights of more rows"};
  linear(&p, CNF_STATE, D + 1, 0), transposed(&p, CNF_STATE, 1);
  check_refused(CNF_ERROR_OP_SHAPE, p.ops, p.count, 1, p.name);
  p = (program){.name = "rows of a transposed product"};
  linear(&p, CNF_STATE, D, 0), transposed(&p, CNF_STATE, 1), p.ops[1].rows = D;
  check_refused(CNF_ERROR_OP_RESERVED, p.ops, p.count, 1, p.name);
  p = (program){.name = "rows that differ"};
  pair(&p, CNF_OP_MULTIPLY, CNF_STATE, slice(&p, CNF_STATE, 0, 2));
  check_refused(CNF_ERROR_OP_SHAPE, p.ops, p.count, 1, p.name);
  p = (program){.name = "one row first"};
  pair(&p, CNF_OP_MULTIPLY, slice(&p, CNF_STATE, 0, 1), CNF_STATE);
  check_refused(CNF_ERROR_OP_SHAPE, p.ops, p.count, 1, p.name);
  p = (program){.name = "contexts that differ"};
  leaf_op(&p, CNF_OP_CONTEXT, 2), leaf_op(&p, CNF_OP_CONTEXT, 3);
  check_refused(CNF_ERROR_CONTEXT, p.ops, p.count, 1, p.name);
#undef ONE
}

int main(void) {
  for (int i = 0; i < PROGRAMS; i++) {
    test_traces(programs[i]);
    test_differences(programs[i], (setting){.trace = CNF_TRACE_NONE, .threads = 2});
    test_differences(programs[i], (setting){.trace = CNF_TRACE_EXACT_TANGENTS, .threads = 2});
    test_differences(programs[i], (setting){.trace = CNF_TRACE_EXACT_PRODUCT, .threads = 2});
    test_differences(programs[i], (setting){.trace = CNF_TRACE_HUTCHINSON, .probes = 1, .threads = 2});
    test_differences(programs[i],
                     (setting){.trace = CNF_TRACE_HUTCHINSON, .probes = 11, .threads = 2}); /* two groups */
    test_differences(programs[i],
                     (setting){.trace = CNF_TRACE_HUTCHINSON, .probes = 2, .regularised = 1, .threads = 2});
    for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; control++) {
      test_bits(programs[i], (setting){.control = control, .trace = CNF_TRACE_HUTCHINSON, .probes = 1});
      test_bits(programs[i], (setting){.control = control, .trace = CNF_TRACE_EXACT});
    }
    test_instruction_sets(programs[i]);
    test_continuous(programs[i]);
    test_float(programs[i]);
    test_rosenbrock(programs[i]);
    test_mixed(programs[i]);
  }
  test_norm_formula();
  test_refusals();
  return check_report();
}
