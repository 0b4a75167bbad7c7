/* continuous_times_test.c - the continuous adjoint with output times.
 *
 * Expected results: the closed form of a linear flow; the discrete gradient of dopri8 with tolerance 1e-12, to which
 * the continuous one converges as its tolerance decreases, with every trace, with and without regularisers; the order
 * of a method with fixed steps; and equal bits whatever the batch, the number of threads and a power of two that
 * multiplies the loss.
 */
#include "gradient_fixture.h"

enum { TIMES = 4 };
static const double FRACTIONS[TIMES] = {0.11, 0.45, 0.52, 0.83};

/* f = A x with A = s I + w J: x(t) = e^{s t} R(w t) x(0), R being a rotation, and l = 2 s t, at each output time. */
static void test_closed_form(int32_t control, int backward) {
  const double s = -0.4, w = 0.7, theta[] = {s, -w, w, s, 0, 0};
  /* adaptive: errors of 1e-11 in each of a few hundred steps; fixed: 120 steps of rk4 in intervals of at most 1, with
   * errors below (1/120)^4 / 100 */
  const double tolerance = 1e-9;
  static answer a;
  cnf_field *field = linear_field();
  problem p = problem_of(field, 2, 1);
  memcpy(p.theta, theta, sizeof theta);
  p.t0 = backward ? 2 : -1, p.t1 = backward ? -1 : 2;
  p.options.control = control, p.options.steps = 120, p.options.rtol = p.options.atol = 1e-11;
  if (control == CNF_CONTROL_FIXED) p.options.method = cnf_method_find("rk4");
  set_cotangents(&p, TIMES, FRACTIONS);
  solve_all(&p, &a);
  for (int i = 0; i < COUNT; ++i) {
    double x0_bar[2] = {0}, mu = 0;
    for (int n = 0; n <= TIMES; ++n) { /* the last is t1 */
      const int at = i * TIMES + n, end = n == TIMES;
      const double t = (end ? p.t1 : p.times[n]) - p.t0, g = exp(s * t), *x = p.x0 + 2 * i;
      const double *bar = end ? p.x1_bar + 2 * i : p.x_at_bar + 2 * at,
                   l_bar = end ? p.log_det_bar[i] : p.log_det_at_bar[at];
      const double y[2] = {g * (cos(w * t) * x[0] - sin(w * t) * x[1]), g * (sin(w * t) * x[0] + cos(w * t) * x[1])};
      const double f[2] = {s * y[0] - w * y[1], w * y[0] + s * y[1]};
      const double time_bar = bar[0] * f[0] + bar[1] * f[1] + 2 * s * l_bar;
      CHECK(fabs((end ? a.t1_bar[i] : a.times_bar[at]) - time_bar) < tolerance * 10);
      if (!end) CHECK(fabs(a.x_at[2 * at] - y[0]) < tolerance && fabs(a.log_det_at[at] - 2 * s * t) < tolerance);
      x0_bar[0] += g * (cos(w * t) * bar[0] + sin(w * t) * bar[1]);
      x0_bar[1] += g * (cos(w * t) * bar[1] - sin(w * t) * bar[0]);
      mu += l_bar;
    }
    const double *x = p.x0 + 2 * i;
    const double start = x0_bar[0] * (s * x[0] - w * x[1]) + x0_bar[1] * (w * x[0] + s * x[1]) + 2 * s * mu;
    CHECK(fabs(a.x0_bar[2 * i] - x0_bar[0]) < tolerance * 10 && fabs(a.x0_bar[2 * i + 1] - x0_bar[1]) < tolerance * 10);
    CHECK(fabs(a.t0_bar[i] + start) < tolerance * 100);
  }
  cnf_field_destroy(field);
}

/* The gradient with respect to theta, x0, t0, t1 and the output times converges to that of the discrete adjoint as the
 * tolerance decreases. */
static void test_convergence(int kind, int32_t trace, int32_t probes, int regularised, int backward) {
  static answer exact;
  int32_t dim;
  cnf_field *field = make_field(kind, &dim);
  problem p = problem_of(field, dim, 0.5);
  p.options.trace = trace, p.options.probes = probes;
  if (backward) p.t0 = 1.1, p.t1 = 0.2;
  set_cotangents(&p, TIMES, FRACTIONS);
  if (regularised) p.options.kinetic = p.options.frobenius = 1, p.loss.kinetic = 0.3, p.loss.frobenius = 0.2;
  solve_exactly(&p, &exact);
  char where[160];
  snprintf(where, sizeof where, "field %d trace %d probes %d regularised %d backward %d", kind, (int)trace, (int)probes,
           regularised, backward);
  check_convergence(&p, &exact, 100, 4.0 / 5, where);
  cnf_field_destroy(field);
}

/* With fixed steps of rk4, as many in every interval between output times, the gradient has order 4. */
static void test_order(int32_t trace, int backward) {
  static answer exact;
  int32_t dim;
  cnf_field *field = make_field(TWO_HIDDEN, &dim);
  problem p = problem_of(field, dim, 0.5);
  p.options.trace = trace;
  if (backward) p.t0 = 1.1, p.t1 = 0.2;
  set_cotangents(&p, TIMES, FRACTIONS);
  solve_exactly(&p, &exact);
  p.options.method = cnf_method_find("rk4");
  char where[80];
  snprintf(where, sizeof where, "trace %d backward %d", (int)trace, backward);
  check_order(&p, &exact, 4, 8, 1e-5, where);
  cnf_field_destroy(field);
}

/* Output times at t0 and t1, and two that are equal. */
static void test_ends(int32_t control, int is_empty) {
  const double fractions[] = {0, 0.3, 0.3, 1};
  static answer exact, a;
  int32_t dim;
  cnf_field *field = make_field(TWO_HIDDEN, &dim);
  problem p = problem_of(field, dim, 0.5);
  p.options.control = control, p.options.steps = 20, p.options.rtol = p.options.atol = 1e-9;
  if (control == CNF_CONTROL_FIXED) p.options.method = cnf_method_find("rk4");
  if (is_empty) p.t1 = p.t0;
  set_cotangents(&p, TIMES, fractions);
  solve_exactly(&p, &exact);
  solve_all(&p, &a);
  char detail[120];
  snprintf(detail, sizeof detail, "control %d empty %d: %g", (int)control, is_empty, distance(&p, &a, &exact));
  check_count(distance(&p, &a, &exact) < 100 * 1e-9, "times at t0 and t1", detail, __LINE__);
  for (int i = 0; i < COUNT; ++i) CHECK(a.status[i] == CNF_SAMPLE_OK && a.t_reached[i] == p.t1);
  cnf_field_destroy(field);
}

/* The gradient of a sample has the same bits alone and in a batch; that of theta with 1 and 3 threads, and if a power
 * of two multiplies the loss. */
static void test_same_bits(int kind, int32_t control, int32_t trace) {
  static answer all;
  int32_t dim;
  cnf_field *field = make_field(kind, &dim);
  problem p = problem_of(field, dim, 0.5);
  p.options.trace = trace, p.options.control = control, p.options.steps = 3;
  set_cotangents(&p, TIMES, FRACTIONS);
  solve_all(&p, &all);
  check_bits(&p, &all);
  /* with cotangents only at output times, which then determine the scale of the adjoint's tolerance */
  memset(p.x1_bar, 0, sizeof p.x1_bar), memset(p.log_det_bar, 0, sizeof p.log_det_bar);
  p.options.threads = 1;
  solve_all(&p, &all);
  check_power_of_two(&p, &all);
  cnf_field_destroy(field);
}

/* With cotangents of 0 at output times, the gradient is that of the loss at t1. */
static void test_zero_cotangents(int32_t control) {
  static answer with, without;
  int32_t dim;
  cnf_field *field = make_field(RESIDUAL, &dim);
  problem p = problem_of(field, dim, 0.5);
  p.options.control = control, p.options.steps = 10, p.options.rtol = p.options.atol = 1e-9;
  if (control == CNF_CONTROL_FIXED) p.options.method = cnf_method_find("dopri8");
  set_cotangents(&p, TIMES, FRACTIONS);
  memset(p.x_at_bar, 0, sizeof p.x_at_bar), memset(p.log_det_at_bar, 0, sizeof p.log_det_at_bar);
  solve_all(&p, &with);
  CHECK(largest_of(with.times_bar, COUNT * TIMES) == 0);
  p.time_count = 0, p.options.steps = 50;
  solve_all(&p, &without);
  CHECK(distance(&p, &with, &without) < 100 * 1e-9);
  cnf_field_destroy(field);
}

/* Samples that fail in the backward solve have gradients of 0, also with respect to times, and do not change those of
 * others. */
static void test_failures(void) {
  static answer a, healthy;
  cnf_field *field = linear_field();
  problem p = problem_of(field, 2, 1);
  set_cotangents(&p, TIMES, FRACTIONS);
  make_samples_fail(&p);
  for (int i = 0; i < COUNT; i += 3) {
    p.x1_bar[2 * i] = p.x1_bar[2 * i + 1] = 0;
    memset(p.x_at_bar + 2 * TIMES * i, 0, 2 * TIMES * sizeof(double));
  }
  solve_all(&p, &a);
  int ok_count = 0;
  for (int i = 0; i < COUNT; ++i) {
    CHECK(a.status[i] == failing_status(i));
    for (int n = 0; n < TIMES; ++n)
      CHECK(fabs(a.times_bar[i * TIMES + n] - (i % 3 == 0 ? -0.8 * p.log_det_at_bar[i * TIMES + n] : 0)) < 1e-12);
    if (i % 3 != 0) CHECK(a.x0_bar[2 * i] == 0 && a.x0_bar[2 * i + 1] == 0 && a.t0_bar[i] == 0 && a.t1_bar[i] == 0);
    ok_count += a.status[i] == CNF_SAMPLE_OK;
  }
  CHECK(ok_count == 13);
  for (int i = 0; i < COUNT; ++i)
    if (i % 3 != 0) p.x0[2 * i] = NAN;
  solve_all(&p, &healthy);
  CHECK(memcmp(healthy.theta_bar, a.theta_bar, 6 * sizeof(double)) == 0 && largest_of(a.theta_bar, 6) > 0);
  cnf_field_destroy(field);
}

int main(void) {
  for (int backward = 0; backward < 2; ++backward) {
    test_closed_form(CNF_CONTROL_SAMPLE, backward);
    test_closed_form(CNF_CONTROL_FIXED, backward);
    test_order(CNF_TRACE_EXACT_PRODUCT, backward);
    test_order(CNF_TRACE_HUTCHINSON, backward);
    for (int kind = 0; kind < FIELD_KINDS; ++kind) {
      test_convergence(kind, CNF_TRACE_NONE, 1, 0, backward);
      test_convergence(kind, CNF_TRACE_HUTCHINSON, 3, 0, backward);
      test_convergence(kind, CNF_TRACE_EXACT_TANGENTS, 1, 1, backward);
      test_convergence(kind, CNF_TRACE_HUTCHINSON, 11, 1, backward);
      if (kind <= TWO_HIDDEN) test_convergence(kind, CNF_TRACE_EXACT_PRODUCT, 1, 0, backward);
    }
  }
  for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control) {
    test_same_bits(TWO_HIDDEN, control, CNF_TRACE_EXACT_PRODUCT);
    test_same_bits(CALLBACK, control, CNF_TRACE_HUTCHINSON);
    test_same_bits(WIDE, control, CNF_TRACE_EXACT_TANGENTS);
    test_ends(control, 0);
    test_ends(control, 1);
    test_zero_cotangents(control);
  }
  test_failures();
  return check_report();
}
