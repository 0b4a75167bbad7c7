/* reversible_test.c - reversible Heun and its adjoint: steps, reversed steps, gradients, memory and errors.
 *
 * Expected results: the formulas of the method for a linear field; dopri8 with many steps for the order; central
 * differences; the gradient with stored states, and that of adaptive steps repeated as fixed ones; peaks of memory; a
 * field whose reversed solve overflows.
 */
#include <sys/resource.h>

#include "structure_fixture.h"

static problem reversible_problem(int kind, int32_t adjoint) {
  problem p = problem_of(kind, 0.5);
  p.options.method = cnf_method_find("reversible_heun");
  p.options.adjoint = adjoint;
  return p;
}
static void make_adaptive(problem *p, double tolerance) {
  p->options.control = CNF_CONTROL_SAMPLE;
  p->options.rtol = p->options.atol = tolerance;
}

static cnf_field *linear_field(int32_t dtype) {
  const cnf_op ops[] = {LINEAR(CNF_STATE, 2, CNF_ACTIVATION_IDENTITY)};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(dtype, 2, ops, 1, sizeof(cnf_op), &field) == CNF_OK);
  return field;
}

/* ---- Forward ---------------------------------------------------------------------------------------------------- */

/* x' = A x + b with the formulas of arXiv 2105.13493: one evaluation per step and one at the start. */
static void test_formulas(int backward) {
  enum { STEPS = 30 };
  static answer a;
  const double theta[] = {-0.4, -1.3, 1.1, 0.3, 0.2, -0.1};
  problem p = reversible_problem(SHALLOW, CNF_ADJOINT_DISCRETE);
  cnf_field_destroy(p.field);
  p.field = linear_field(CNF_FLOAT64), p.dim = 2, p.parameters = 6;
  memcpy(p.theta, theta, sizeof theta);
  p.options.steps = STEPS;
  if (backward) p.t0 = 1.1, p.t1 = 0.2;
  solve_some(&p, 0, COUNT, 0, &a);
  const double h = (p.t1 - p.t0) / STEPS;
  for (int i = 0; i < COUNT; ++i) {
    double x[2] = {p.x0[2 * i], p.x0[2 * i + 1]}, y[2] = {x[0], x[1]}, f[2], next[2];
#define FIELD(f, y) f[0] = theta[0] * y[0] + theta[1] * y[1] + 0.2, f[1] = theta[2] * y[0] + theta[3] * y[1] - 0.1
    FIELD(f, y);
    for (int n = 0; n < STEPS; ++n) {
      for (int d = 0; d < 2; ++d) y[d] = 2 * x[d] - y[d] + h * f[d];
      FIELD(next, y);
      for (int d = 0; d < 2; ++d) x[d] += h / 2 * (f[d] + next[d]), f[d] = next[d];
    }
#undef FIELD
    for (int d = 0; d < 2; ++d) CHECK(fabs(x[d] - a.x1[2 * i + d]) < 1e-14 * STEPS);
    CHECK(fabs(a.log_det[i] - (p.t1 - p.t0) * (theta[0] + theta[3])) < 1e-14 * STEPS);
    CHECK(a.evaluations[i] == STEPS + 1 && a.accepted[i] == STEPS && isnan(a.reconstruction_error[i]));
  }
  cnf_field_destroy(p.field);
}

/* States, log-determinants and regularisers converge with order 2. */
static void test_convergence(int backward) {
  static answer exact, a;
  problem p = reversible_problem(TWO_HIDDEN, CNF_ADJOINT_DISCRETE);
  p.options.trace = CNF_TRACE_EXACT_TANGENTS, p.options.kinetic = p.options.frobenius = 1;
  p.t0 = backward ? 1.4 : -0.6, p.t1 = backward ? -0.6 : 1.4;
  problem tight = p;
  tight.options.method = cnf_method_find("dopri8"), tight.options.steps = 100;
  solve_some(&tight, 0, COUNT, 0, &exact);
  double errors[4][2];
  for (int level = 0; level < 2; ++level) {
    p.options.steps = 64 << (2 * level);
    solve_some(&p, 0, COUNT, 0, &a);
    errors[0][level] = difference(a.x1, exact.x1, (size_t)(COUNT * p.dim));
    errors[1][level] = difference(a.log_det, exact.log_det, COUNT);
    errors[2][level] = difference(a.kinetic, exact.kinetic, COUNT);
    errors[3][level] = difference(a.frobenius, exact.frobenius, COUNT);
  }
  for (int n = 0; n < 4; ++n) {
    char detail[120];
    const double slope = log2(errors[n][0] / errors[n][1]) / 2;
    snprintf(detail, sizeof detail, "backward %d, quantity %d: slope %g, errors %g %g", backward, n, slope,
             errors[n][0], errors[n][1]);
    check_count(fabs(slope - 2) < 0.2, "order 2", detail, __LINE__);
  }
  /* adaptive: an error of about 1e-6 in each of about a hundred steps */
  make_adaptive(&p, 1e-6);
  solve_some(&p, 0, COUNT, 0, &a);
  CHECK(difference(a.x1, exact.x1, (size_t)(COUNT * p.dim)) < 1e-4);
  for (int i = 0; i < COUNT; ++i) CHECK(a.status[i] == CNF_SAMPLE_OK && a.accepted[i] > 3);
  cnf_field_destroy(p.field);
}

/* ---- Gradients -------------------------------------------------------------------------------------------------- */

static void test_gradients(int kind, int32_t adjoint) {
  problem p = reversible_problem(kind, adjoint);
  for (int number = 0; set_trace(&p, kind, number); ++number) {
    char what[120];
    if (kind == WIDE && number != 3) continue;
    for (int backward = 0; backward < 2; ++backward) {
      p.t0 = backward ? 1.1 : 0.2, p.t1 = backward ? 0.2 : 1.1;
      p.time_count = (size_t)((number + backward) % 3);
      p.times[0] = backward ? 0.9 : 0.5, p.times[1] = backward ? 0.5 : 0.9;
      snprintf(what, sizeof what, "field %d, trace %d, adjoint %d, backward %d, times %zu", kind, number, (int)adjoint,
               backward, p.time_count);
      check_gradient(&p, what);
    }
    check_same_bits(&p);
    problem adaptive = p;
    make_adaptive(&adaptive, 1e-3);
    check_same_bits(&adaptive);
  }
  cnf_field_destroy(p.field);
}

/* The gradient with recomputed states equals that with stored states up to the rounding of about a hundred steps, and
 * the reversed solve ends at x0. */
static void test_stored_states(int kind, int adaptive) {
  static answer reversed, stored;
  problem p = reversible_problem(kind, CNF_ADJOINT_REVERSIBLE);
  for (int number = 0; set_trace(&p, kind, number); ++number) {
    p.options.steps = 60;
    if (adaptive) make_adaptive(&p, 1e-5);
    p.time_count = (size_t)(number % 3), p.times[0] = 0.5, p.times[1] = 0.9;
    problem storing = p;
    storing.options.adjoint = CNF_ADJOINT_DISCRETE;
    solve_all(&p, &reversed);
    solve_all(&storing, &stored);
    char detail[120];
    const double error = distance(&p, &reversed, &stored), back = largest_of(reversed.reconstruction_error, COUNT);
    snprintf(detail, sizeof detail, "field %d, trace %d, adaptive %d: difference %g, error at x0 %g", kind, number,
             adaptive, error, back);
    check_count(error < 1e-11 && back < 1e-12 && back > 0, "recomputed and stored states", detail, __LINE__);
    for (int i = 0; i < COUNT; ++i) {
      CHECK(reversed.reversed[i] == reversed.accepted[i] + 1 && stored.reversed[i] == stored.accepted[i] + 1);
      CHECK(reversed.x1[i] == stored.x1[i] && isnan(stored.reconstruction_error[i]));
    }
    CHECK(reversed.info.bytes_reserved < stored.info.bytes_reserved);
  }
  cnf_field_destroy(p.field);
}

/* Adaptive steps and the same steps as fixed ones have the same gradient, which treats the ends of steps as
 * constants. */
static void test_adaptive(int kind) {
  static answer adaptive, fixed;
  problem p = reversible_problem(kind, CNF_ADJOINT_REVERSIBLE), again;
  CHECK(set_trace(&p, kind, 4));
  again = p;
  make_adaptive(&p, 1e-4);
  for (size_t i = 0; i < 5; ++i) {
    const size_t n = (size_t)p.dim;
    solve_some(&p, i, 1, 1, &adaptive);
    CHECK(adaptive.accepted[0] > 3 && adaptive.accepted[0] < MOST_FRACTIONS);
    again.fractions = adaptive.fractions, again.fraction_count = (size_t)adaptive.accepted[0] + 1;
    solve_some(&again, i, 1, 1, &fixed);
    CHECK(difference(adaptive.x0_bar, fixed.x0_bar, n) < 1e-12);
    CHECK(difference(adaptive.theta_bar, fixed.theta_bar, p.parameters) < 1e-12);
    CHECK(difference(adaptive.t0_bar, fixed.t0_bar, 1) < 1e-12 && difference(adaptive.t1_bar, fixed.t1_bar, 1) < 1e-12);
  }
  cnf_field_destroy(p.field);
}

/* t0 = t1: the gradient with respect to x0 is the cotangent of x1, and those of t0 and t1 are products with f. */
static void test_empty_interval(void) {
  static answer a;
  problem p = reversible_problem(SHALLOW, CNF_ADJOINT_REVERSIBLE);
  p.t1 = p.t0;
  for (int adaptive = 0; adaptive < 2; ++adaptive) {
    if (adaptive) make_adaptive(&p, 1e-4);
    solve_all(&p, &a);
    CHECK(difference(a.x0_bar, p.x1_bar, (size_t)(COUNT * p.dim)) < 1e-14);
    for (int i = 0; i < COUNT; ++i) CHECK(a.t1_bar[i] != 0 && fabs(a.t1_bar[i] + a.t0_bar[i]) < 1e-13);
    CHECK(largest_of(a.theta_bar, p.parameters) == 0);
  }
  cnf_field_destroy(p.field);
}

static void test_instruction_sets(void) {
  static answer first, other;
  problem p = reversible_problem(RESIDUAL, CNF_ADJOINT_REVERSIBLE);
  p.options.isa = CNF_ISA_GENERIC;
  solve_all(&p, &first);
#define CNF_X(name, value, suffix, text)                                                         \
  if (cnf_isa_is_available(name)) {                                                              \
    p.options.isa = name;                                                                        \
    solve_all(&p, &other);                                                                       \
    check_count(distance(&p, &other, &first) < 1e-12, "instruction sets agree", text, __LINE__); \
  }
  CNF_ISA_LIST(CNF_X)
#undef CNF_X
  cnf_field_destroy(p.field);
}

/* In float, also with matrix products of derivatives in bfloat16: the gradient is near that with stored states. */
static void test_float(int32_t precision) {
  const cnf_op ops[] = {TIME_AND_STATE, LINEAR(2, HIDDEN, CNF_ACTIVATION_TANH), LINEAR(3, 2, CNF_ACTIVATION_IDENTITY)};
  enum { P = HIDDEN * 3 + HIDDEN + 2 * HIDDEN + 2 };
  float theta[P], x0[2 * COUNT], gradients[2][P];
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT32, 2, ops, 4, sizeof(cnf_op), &field) == CNF_OK &&
        cnf_field_parameter_count(field) == P);
  CHECK(cnf_random_normal(CNF_FLOAT32, 7, CNF_STREAM_INITIAL, 0, 0, 1, P, theta) == CNF_OK);
  CHECK(cnf_random_normal(CNF_FLOAT32, 7, CNF_STREAM_DATA, 0, 0, COUNT, 2, x0) == CNF_OK);
  for (int n = 0; n < 2; ++n) {
    cnf_solver *solver = NULL;
    cnf_solver_options options;
    cnf_solver_options_init(&options, sizeof options);
    options.method = cnf_method_find("reversible_heun"), options.control = CNF_CONTROL_FIXED, options.steps = 20;
    options.adjoint = n ? CNF_ADJOINT_REVERSIBLE : CNF_ADJOINT_DISCRETE, options.precision = precision;
    options.trace = CNF_TRACE_EXACT_TANGENTS;
    CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
    const cnf_solve_input input = {.struct_size = sizeof input, .parameters = theta, .x0 = x0, .count = COUNT, .t1 = 1};
    const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1.0 / COUNT};
    cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = gradients[n]};
    CHECK(cnf_solve_vjp(solver, &input, &loss, NULL, &gradient) == CNF_OK);
    cnf_solver_destroy(solver);
  }
  double worst = 0;
  for (int i = 0; i < P; ++i) worst = larger_of(worst, fabs(gradients[0][i] - gradients[1][i]));
  /* float: rounding of 6e-8 in 20 steps and 20 reversed steps, with some growth; bfloat16: values that differ a little
   * may round to neighbours, which are 1/256 apart */
  CHECK(worst < (precision == CNF_PRECISION_MIXED ? 1e-2 : 1e-5));
  cnf_field_destroy(field);
}

/* ---- Memory and errors ------------------------------------------------------------------------------------------ */

static long peak_kilobytes(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

/* A hundred times as many steps take no more memory; with stored states they do. This test runs first, because the peak
 * of a process never falls. */
static void test_memory(void) {
  static answer a;
  problem p = reversible_problem(SHALLOW, CNF_ADJOINT_REVERSIBLE);
  p.options.steps = 100;
  solve_all(&p, &a);
  const long few = peak_kilobytes();
  p.options.steps = 10000;
  solve_all(&p, &a);
  const long many = peak_kilobytes();
  const double back = largest_of(a.reconstruction_error, COUNT);
  p.options.adjoint = CNF_ADJOINT_DISCRETE;
  solve_all(&p, &a);
  const long stored = peak_kilobytes();
  char detail[200];
  snprintf(detail, sizeof detail,
           "peak %ld KiB, with 100 times as many steps %ld KiB, with stored states %ld KiB; error at x0 %g", few, many,
           stored, back);
  check_count(back < 1e-10, "the reversed solve ends at x0", detail, __LINE__);
  if (!CHECK_IS_SANITIZED)
    check_count(many - few < 256 && stored - many > 1024, "memory does not grow with steps", detail, __LINE__);
  printf("%s\n", detail);
  cnf_field_destroy(p.field);
}

/* x' = 110 x for a time of 10 goes from 1e-300 to about 1e177; in the reversed solve, rounding errors grow by e^1100.
 * Such samples report CNF_SAMPLE_NOT_FINITE and do not change the gradients of the others, whose states are 0 and whose
 * only cotangent is that of log_det. */
static void test_overflow(int adaptive) {
  static answer a, rest;
  const double theta[] = {110, 0, 0, 110, 0, 0};
  double trace_bar = 0;
  problem p = reversible_problem(SHALLOW, CNF_ADJOINT_REVERSIBLE);
  cnf_field_destroy(p.field);
  p.field = linear_field(CNF_FLOAT64), p.dim = 2, p.parameters = 6;
  memcpy(p.theta, theta, sizeof theta);
  p.t0 = 0, p.t1 = 10, p.options.steps = 4000;
  if (adaptive) make_adaptive(&p, 1e-3), p.options.max_steps = 1 << 20, p.options.max_step = 0.004;
  for (int i = 0; i < 2 * COUNT; ++i) p.x0[i] = i / 2 % 3 ? 1e-300 : 0, p.x1_bar[i] *= i / 2 % 3 != 0;
  solve_all(&p, &a);
  for (int i = 0; i < COUNT; ++i) {
    CHECK(a.status[i] == (i % 3 ? CNF_SAMPLE_NOT_FINITE : CNF_SAMPLE_OK) && isfinite(a.x1[2 * i]));
    CHECK(i % 3 ? isnan(a.reconstruction_error[i]) : a.reconstruction_error[i] == 0);
    CHECK(i % 3 ? a.t_reached[i] < 10 && a.t_reached[i] > 0 : a.t_reached[i] == 10);
    const double t1_bar = i % 3 ? 0 : 2 * 110 * p.log_det_bar[i];
    CHECK(a.x0_bar[2 * i] == 0 && fabs(a.t1_bar[i] - t1_bar) < 1e-9 && fabs(a.t0_bar[i] + t1_bar) < 1e-9);
    trace_bar += i % 3 ? 0 : 10 * p.log_det_bar[i];
    if (i % 3) p.x0[2 * i] = NAN;
  }
  CHECK(fabs(a.theta_bar[0] - trace_bar) < 1e-11 && fabs(a.theta_bar[3] - trace_bar) < 1e-11 && a.theta_bar[4] == 0);
  solve_all(&p, &rest); /* the same if these samples fail at the start */
  CHECK(memcmp(a.theta_bar, rest.theta_bar, 6 * sizeof(double)) == 0);
  cnf_field_destroy(p.field);
}

/* With a field that contracts by e^-12, the values y - x of the method grow to 145; their rounding of 2^-53 grows by
 * another e^12 in the reversed solve, to about 3e-9, which reconstruction_error reports. */
static void test_contraction(void) {
  static answer reversed, stored;
  const double theta[] = {-12, 0, 0, -12, 0, 0};
  problem p = reversible_problem(SHALLOW, CNF_ADJOINT_REVERSIBLE);
  cnf_field_destroy(p.field);
  p.field = linear_field(CNF_FLOAT64), p.dim = 2, p.parameters = 6;
  memcpy(p.theta, theta, sizeof theta);
  p.t0 = 0, p.t1 = 1, p.options.steps = 200;
  solve_all(&p, &reversed);
  p.options.adjoint = CNF_ADJOINT_DISCRETE;
  solve_all(&p, &stored);
  const double back = largest_of(reversed.reconstruction_error, COUNT);
  const double tolerance = 10 * 145 * 0x1p-53 * exp(12); /* 10: the errors of the 200 steps cancel in part */
  printf("contraction by e^-12: error at x0 %g, of gradients %g\n", back, distance(&p, &reversed, &stored));
  CHECK(back > 1e-11 && back < tolerance && distance(&p, &reversed, &stored) < tolerance);
  cnf_field_destroy(p.field);
}

static void test_wrong_options(void) {
  cnf_field *field = linear_field(CNF_FLOAT64);
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  cnf_method_info info = {.struct_size = sizeof info};
  for (int32_t method = 0; method < cnf_method_count(); ++method) {
    cnf_solver_options_init(&options, sizeof options);
    options.method = method, options.control = CNF_CONTROL_FIXED, options.steps = 2;
    options.adjoint = CNF_ADJOINT_REVERSIBLE;
    CHECK(cnf_method_get(method, &info) == CNF_OK);
    if (info.family == CNF_FAMILY_REVERSIBLE) continue;
    CHECK_STATUS(CNF_ERROR_REVERSIBLE, cnf_solver_create(field, &options, &solver), info.name);
  }
  const int32_t method = cnf_method_find("reversible_heun");
  CHECK(cnf_method_get(method, &info) == CNF_OK && info.is_fsal && info.order == 2 && info.embedded_order == 1);
  cnf_solver_options_init(&options, sizeof options);
  options.method = method, options.adjoint = CNF_ADJOINT_CONTINUOUS;
  CHECK_STATUS(CNF_ERROR_REVERSIBLE, cnf_solver_create(field, &options, &solver), "continuous adjoint");
  options.adjoint = CNF_ADJOINT_DISCRETE, options.control = CNF_CONTROL_BATCH;
  CHECK_STATUS(CNF_ERROR_REVERSIBLE, cnf_solver_create(field, &options, &solver), "batch control");
  CHECK(solver == NULL);
  cnf_field_destroy(field);
}

int main(void) {
  test_memory();
  test_wrong_options();
  test_float(CNF_PRECISION_FULL);
  test_float(CNF_PRECISION_MIXED);
  test_empty_interval();
  test_contraction();
  test_instruction_sets();
  for (int flag = 0; flag < 2; ++flag) {
    test_formulas(flag);
    test_convergence(flag);
    test_overflow(flag);
  }
  for (int kind = 0; kind < FIELD_KINDS; ++kind) {
    test_gradients(kind, CNF_ADJOINT_REVERSIBLE);
    test_gradients(kind, CNF_ADJOINT_DISCRETE);
    test_stored_states(kind, 0);
    test_stored_states(kind, 1);
    test_adaptive(kind);
  }
  return check_report();
}
