/* continuous_test.c - the continuous adjoint compared with closed forms and with the gradient of a more accurate solve.
 *
 * Expected results: matrix exponentials of a linear flow; the discrete gradient of dopri8 with tolerance 1e-12, to
 * which the continuous one converges as its tolerance decreases, with every adaptive method, trace and kind of op; the
 * order of a method with fixed steps; and equal bits whatever the batch, the number of threads and a power of two that
 * multiplies the loss.
 */
#include <math.h>
#include <sys/resource.h>

#include "gradient_fixture.h"

/* ---- Tests ------------------------------------------------------------------------------------------------------ */

/* x' = A x + b with A = s I + w J, for which e^{A' t} is known. c = dL/dx1, mu = dL/dlog_det. */
static void test_linear_flow(int backward) {
  const double s = -0.4, w = 0.7, T = backward ? -1.5 : 1.5, c0 = 0.8, c1 = -0.3, mu = 0.6;
  cnf_field *field = linear_field();
  problem p = problem_of(field, 2, 1);
  const double theta[] = {s, -w, w, s, 0.3, -0.3};
  memcpy(p.theta, theta, sizeof theta);
  p.t0 = backward ? 1.5 : 0, p.t1 = p.t0 + T;
  double x1_bar[COUNT * 2], log_det_bar[COUNT];
  for (int i = 0; i < COUNT; ++i) x1_bar[2 * i] = c0, x1_bar[2 * i + 1] = c1, log_det_bar[i] = mu;
  p.loss = (cnf_loss){
      .struct_size = sizeof p.loss, .kind = CNF_LOSS_COTANGENTS, .x1_bar = x1_bar, .log_det_bar = log_det_bar};
  p.options.rtol = p.options.atol = 1e-11;
  static answer a;
  solve_all(&p, &a);
  /* e^{A'T} c, and the integral of it over [0, T] */
  const double g = exp(s * T), y0 = g * (cos(w * T) * c0 + sin(w * T) * c1),
               y1 = g * (cos(w * T) * c1 - sin(w * T) * c0), n = s * s + w * w;
  const double i0 = (s * (y0 - c0) - w * (y1 - c1)) / n, i1 = (s * (y1 - c1) + w * (y0 - c0)) / n;
  const double tolerance = 1e-8; /* errors of 1e-11 in each of about a hundred steps, which grow by e^{0.4 T} */
  for (int i = 0; i < COUNT; ++i) {
    CHECK(a.status[i] == CNF_SAMPLE_OK && fabs(a.x0_bar[2 * i] - y0) < tolerance);
    CHECK(fabs(a.x0_bar[2 * i + 1] - y1) < tolerance);
    const double *x0 = p.x0 + 2 * i, *x1 = a.x1 + 2 * i;
    const double end = (s * x1[0] - w * x1[1] + 0.3) * c0 + (w * x1[0] + s * x1[1] - 0.3) * c1 + mu * 2 * s;
    const double start = (s * x0[0] - w * x0[1] + 0.3) * y0 + (w * x0[0] + s * x0[1] - 0.3) * y1 + mu * 2 * s;
    CHECK(fabs(a.t1_bar[i] - end) < tolerance && fabs(a.t0_bar[i] + start) < tolerance);
  }
  CHECK(fabs(a.theta_bar[4] - COUNT * i0) < COUNT * tolerance);
  CHECK(fabs(a.theta_bar[5] - COUNT * i1) < COUNT * tolerance);
  cnf_field_destroy(field);
}

/* Gradients converge to the exact one as the tolerance decreases by factors of 100. */
static void test_convergence(int kind, int32_t trace, int32_t probes, int regularised, int backward) {
  static const char *const methods[] = {"dopri5", "adaptive_heun", "fehlberg2", "bosh3", "tsit5", "vern7", "dopri8"};
  static answer exact;
  int32_t dim;
  cnf_field *field = make_field(kind, &dim);
  problem p = problem_of(field, dim, 0.5);
  p.options.trace = trace, p.options.probes = probes;
  if (backward) p.t0 = 1.1, p.t1 = 0.2;
  if (regularised) p.options.kinetic = p.options.frobenius = 1, p.loss.kinetic = 0.3, p.loss.frobenius = 0.2;
  solve_exactly(&p, &exact);
  for (size_t m = 0; m < sizeof methods / sizeof methods[0]; ++m) {
    if (m > 0 && (kind != RESIDUAL || regularised)) break; /* every method with one field, the first with all fields */
    cnf_method_info info = {.struct_size = sizeof info};
    p.options.method = cnf_method_find(methods[m]);
    CHECK(cnf_method_get(p.options.method, &info) == CNF_OK);
    char where[160];
    snprintf(where, sizeof where, "field %d trace %d probes %d regularised %d backward %d %s", kind, (int)trace,
             (int)probes, regularised, backward, methods[m]);
    /* The error of each of 10 to 100 steps is at most the tolerance; but if the weights e of the error estimate are
     * small, like the 1/512 of fehlberg2, it is a multiple that grows with 1/e. */
    const double steps = fmax(100, 2 / largest_of(info.e, (size_t)info.stages));
    /* The global error is proportional to tolerance^(q/(q+1)), q being the embedded order. */
    check_convergence(&p, &exact, steps, (double)info.embedded_order / (info.embedded_order + 1), where);
  }
  cnf_field_destroy(field);
}

/* With fixed steps of rk4, the gradient has order 4. */
static void test_order(int32_t trace, int backward) {
  static answer exact;
  int32_t dim;
  cnf_field *field = make_field(TWO_HIDDEN, &dim);
  problem p = problem_of(field, dim, 0.5);
  p.options.trace = trace;
  if (backward) p.t0 = 1.1, p.t1 = 0.2;
  solve_exactly(&p, &exact);
  p.options.method = cnf_method_find("rk4");
  char where[80];
  snprintf(where, sizeof where, "trace %d backward %d", (int)trace, backward);
  check_order(&p, &exact, 16, 32, 1e-6, where);
  cnf_field_destroy(field);
}

/* The gradient of a sample has the same bits alone and in a batch; that of theta with 1 and 3 threads, and if a power
 * of two multiplies the loss. */
static void test_same_bits(int kind, int32_t control, int32_t trace) {
  static answer all;
  int32_t dim;
  cnf_field *field = make_field(kind, &dim);
  problem p = problem_of(field, dim, 0.5);
  p.options.trace = trace, p.options.control = control, p.options.steps = 9;
  solve_all(&p, &all);
  check_bits(&p, &all);
  check_power_of_two(&p, &all);
  cnf_field_destroy(field);
}

/* All instruction sets agree, up to the growth of rounding in 100 steps. */
static void test_instruction_sets(void) {
  static answer first, other;
  int32_t dim, isas = 0;
  cnf_field *field = make_field(RESIDUAL, &dim);
  problem p = problem_of(field, dim, 0.5);
  p.options.isa = CNF_ISA_GENERIC;
  solve_all(&p, &first);
#define CNF_X(name, value, suffix, text)                                                         \
  if (cnf_isa_is_available(name)) {                                                              \
    p.options.isa = name;                                                                        \
    solve_all(&p, &other);                                                                       \
    check_count(distance(&p, &other, &first) < 1e-11, "instruction sets agree", text, __LINE__); \
    ++isas;                                                                                      \
  }
  CNF_ISA_LIST(CNF_X)
#undef CNF_X
  CHECK(isas > 0);
  cnf_field_destroy(field);
}

/* Samples that fail in the forward or in the backward solve report it, have gradients of 0, and do not change those of
 * others. */
static void test_failures(void) {
  cnf_field *field = linear_field();
  problem p = problem_of(field, 2, 1);
  check_failures(&p, 1e-14);
  cnf_field_destroy(field);
}

/* y = -x sqrt(4 - x^2) in each row, which is NaN if |x| > 2. *context counts values beyond 2 in calls of reverse. */
static void bounded_evaluate(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  (void)context, (void)t, (void)theta;
  for (int32_t i = 0; i < 2 * lanes; ++i) {
    const double at = ((const double *)x)[i];
    ((double *)y)[i] = -at * sqrt(4 - at * at);
  }
}
static double bounded_slope(double x) { return (2 * x * x - 4) / sqrt(4 - x * x); }
static double bounded_curvature(double x) { return x * (12 - 2 * x * x) / pow(4 - x * x, 1.5); }
static void bounded_tangent(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                            const void *x_dot, void *y_dot) {
  (void)context, (void)t, (void)theta;
  for (int32_t i = 0; i < 2 * lanes; ++i)
    ((double *)y_dot)[i] = bounded_slope(((const double *)x)[i]) * ((const double *)x_dot)[i];
}
static void bounded_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                            const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  (void)t, (void)theta, (void)t_bar, (void)theta_bar;
  for (int32_t i = 0; i < 2 * lanes; ++i) {
    const double at = ((const double *)x)[i];
    *(long *)context += fabs(at) > 2;
    ((double *)x_bar)[i] += bounded_slope(at) * ((const double *)y_bar)[i];
  }
}
static void bounded_tangent_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                                    const void *x_dot, const void *y_dot_bar, void *x_bar, void *x_dot_bar, void *t_bar,
                                    void *theta_bar) {
  (void)context, (void)t, (void)theta, (void)t_bar, (void)theta_bar;
  for (int32_t i = 0; i < 2 * lanes; ++i) {
    const double at = ((const double *)x)[i], bar = ((const double *)y_dot_bar)[i];
    ((double *)x_dot_bar)[i] += bounded_slope(at) * bar;
    ((double *)x_bar)[i] += bounded_curvature(at) * ((const double *)x_dot)[i] * bar;
  }
}

/* Steps that leave the region where the field is defined are rejected, and their NaNs do not get into any sum. */
static void test_rejected_not_finite(int32_t trace) {
  static answer exact, a;
  long beyond = 0;
  const cnf_callback callback = {.struct_size = sizeof callback,
                                 .context = &beyond,
                                 .evaluate = bounded_evaluate,
                                 .tangent = bounded_tangent,
                                 .reverse = bounded_reverse,
                                 .tangent_reverse = bounded_tangent_reverse};
  const cnf_op ops[] = {
      {.kind = CNF_OP_CALLBACK, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = 2, .callback = &callback},
      LINEAR(1, 2, CNF_ACTIVATION_IDENTITY)};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, 2, ops, 2, sizeof(cnf_op), &field) == CNF_OK);
  problem p = problem_of(field, 2, 1);
  const double theta[] = {1, 0.1, -0.1, 1, 0, 0};
  memcpy(p.theta, theta, sizeof theta);
  for (int i = 0; i < 2 * COUNT; ++i)
    p.x0[i] = i % 4 < 2 ? 1.9 - 0.01 * i / 4 : 0; /* samples at 0 stay there, with one step */
  p.options.trace = trace;
  problem tight = p;
  tight.options.adjoint = CNF_ADJOINT_DISCRETE;
  tight.options.rtol = tight.options.atol = 1e-12;
  solve_all(&tight, &exact);
  p.options.rtol = p.options.atol = 1e-8;
  CHECK(beyond == 0);
  p.options.initial_step = 1;
  solve_all(&p, &a);
  CHECK(beyond > 0);
  CHECK(distance(&p, &a, &exact) < 100 * 1e-8);
  cnf_field_destroy(field);
}

static long peak_kilobytes(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/* A hundred times as many steps take no more memory; that of the discrete gradient grows. This test runs first, because
 * the peak of a process never falls. */
static void test_memory(void) {
  static answer a;
  int32_t dim;
  cnf_field *field = make_field(SHALLOW, &dim);
  problem p = problem_of(field, dim, 0.5);
  p.options.control = CNF_CONTROL_FIXED, p.options.method = cnf_method_find("rk4"), p.options.max_steps = 0;
  p.options.steps = 100;
  solve_all(&p, &a);
  const long few = peak_kilobytes();
  p.options.steps = 10000;
  const cnf_solver_info continuous = solve_all(&p, &a);
  const long many = peak_kilobytes();
  p.options.adjoint = CNF_ADJOINT_DISCRETE;
  const cnf_solver_info discrete = solve_all(&p, &a);
  const long stored = peak_kilobytes();
  char detail[200];
  snprintf(detail, sizeof detail,
           "peak %ld KiB, with 100 times as many steps %ld KiB, discrete %ld KiB; reserved %zu bytes, discrete %zu",
           few, many, stored, continuous.bytes_reserved, discrete.bytes_reserved);
  if (!CHECK_IS_SANITIZED)
    check_count(many - few < 256 && stored - many > 4096, "memory does not grow with steps", detail, __LINE__);
  check_count(continuous.bytes_reserved < discrete.bytes_reserved / 2, "little is reserved", detail, __LINE__);
  printf("%s\n", detail);
  cnf_field_destroy(field);
}

static void test_options(void) {
  int32_t dim;
  cnf_field *field = make_field(SHALLOW, &dim), *single = NULL;
  const cnf_op ops[] = {LINEAR(CNF_STATE, 2, CNF_ACTIVATION_IDENTITY)};
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  CHECK(cnf_field_create(CNF_FLOAT32, 2, ops, 1, sizeof(cnf_op), &single) == CNF_OK);
  cnf_solver_options_init(&options, sizeof options);
  CHECK(options.adjoint == CNF_ADJOINT_DISCRETE);
  options.adjoint = 3;
  CHECK_STATUS(CNF_ERROR_OPTION, cnf_solver_create(field, &options, &solver), "unknown adjoint");
  options.adjoint = CNF_ADJOINT_CONTINUOUS, options.adjoint_rtol = -1;
  CHECK_STATUS(CNF_ERROR_TOLERANCE, cnf_solver_create(field, &options, &solver), "negative adjoint_rtol");
  options.adjoint_rtol = 0, options.adjoint_atol = INFINITY;
  CHECK_STATUS(CNF_ERROR_TOLERANCE, cnf_solver_create(field, &options, &solver), "infinite adjoint_atol");
  options.adjoint_atol = 0, options.precision = CNF_PRECISION_MIXED;
  CHECK_STATUS(CNF_ERROR_DTYPE, cnf_solver_create(single, &options, &solver), "mixed precision");
  CHECK(solver == NULL);
  cnf_field_destroy(field);
  cnf_field_destroy(single);
}

int main(void) {
  test_memory();
  test_options();
  for (int backward = 0; backward < 2; ++backward) {
    test_linear_flow(backward);
    test_order(CNF_TRACE_EXACT_PRODUCT, backward);
    test_order(CNF_TRACE_HUTCHINSON, backward);
    for (int kind = 0; kind < FIELD_KINDS; ++kind) {
      test_convergence(kind, CNF_TRACE_NONE, 1, 0, backward);
      test_convergence(kind, CNF_TRACE_HUTCHINSON, 3, 0, backward);
      test_convergence(kind, CNF_TRACE_EXACT_TANGENTS, 1, 0, backward);
      test_convergence(kind, CNF_TRACE_HUTCHINSON, 11, 1, backward);
      if (kind <= TWO_HIDDEN) test_convergence(kind, CNF_TRACE_EXACT_PRODUCT, 1, 0, backward);
    }
  }
  for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control) {
    test_same_bits(TWO_HIDDEN, control, CNF_TRACE_EXACT_PRODUCT);
    test_same_bits(CALLBACK, control, CNF_TRACE_HUTCHINSON);
    test_same_bits(WIDE, control, CNF_TRACE_EXACT_TANGENTS);
  }
  test_rejected_not_finite(CNF_TRACE_NONE);
  test_rejected_not_finite(CNF_TRACE_HUTCHINSON);
  test_rejected_not_finite(CNF_TRACE_EXACT_TANGENTS);
  test_instruction_sets();
  test_failures();
  return check_report();
}
