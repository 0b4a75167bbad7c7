/* rosenbrock_gradient_test.c - the discrete gradient of rodas4 for nets and stiff fields, compared with central
 * differences of a solve with the same steps, and equal bits whatever the batch and the number of threads.
 */
#include "gradient_fixture.h"
#include "stiff_fixture.h"

static problem rodas4_problem(cnf_field *field, int32_t dim, double scale, int32_t trace) {
  problem p = problem_of(field, dim, scale);
  p.options.method = cnf_method_find("rodas4");
  p.options.adjoint = CNF_ADJOINT_DISCRETE;
  p.options.trace = trace;
  set_cotangents(&p, 0, NULL);
  return p;
}

/* `got` agrees with the central difference with this step, up to `tolerance` times the larger of 1 and its absolute
 * value. */
static void check_central(problem *p, cnf_solver *solver, size_t count, double *variable, double step, double got,
                          double tolerance, const char *what, const char *where, int number) {
  const double expected = central(p, solver, count, variable, step);
  char detail[400];
  snprintf(detail, sizeof detail, "%s, index %d: %.12g, central difference %.12g", where, number, got, expected);
  check_count(fabs(got - expected) < tolerance * fmax(1, fabs(expected)), what, detail, __LINE__);
}

static double sum_of(const double *x, size_t count, size_t stride) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += x[i * stride];
  return sum;
}

/* Central differences with steps of 1e-3 have an error of 1e-12/30 times a fifth derivative and of 2^-52 |L|/1e-3 times
 * the rounding of solver steps, a few hundred units for coefficients up to 34: 1e-10 in all. README states 1e-7. */
static const double STEP = 2e-4, NET_TOLERANCE = 1e-8;

/* Gradients of solves of nets with fixed steps, with respect to theta, x0, t0 and t1. */
static void test_net(int kind, int32_t trace, int regularised, int backward) {
  enum { SAMPLES = 3 };
  static answer a;
  static const double fractions[] = {0, 0.3, 0.45, 1};
  int32_t dim;
  cnf_field *field = make_field(kind, &dim);
  problem p = rodas4_problem(field, dim, 0.5, trace);
  p.options.control = CNF_CONTROL_FIXED, p.options.steps = 3;
  p.options.kinetic = regularised, p.options.frobenius = regularised && trace != CNF_TRACE_NONE;
  p.loss.kinetic = regularised ? 0.3 : 0, p.loss.frobenius = p.options.frobenius ? 0.2 : 0;
  if (backward) p.t0 = 1.1, p.t1 = 0.2;
  p.fractions = regularised ? fractions : NULL, p.fraction_count = regularised ? 4 : 0;
  cnf_solver *solver = NULL;
  CHECK(cnf_solver_create(field, &p.options, &solver) == CNF_OK);
  solve_some(&p, 0, SAMPLES, &a);
  char where[120];
  snprintf(where, sizeof where, "field %d trace %d regularised %d backward %d", kind, (int)trace, regularised,
           backward);
  for (size_t i = 0; i < p.parameters; ++i)
    check_central(&p, solver, SAMPLES, &p.theta[i], STEP, a.theta_bar[i], NET_TOLERANCE, "dL/dtheta", where, (int)i);
  for (int i = 0; i < SAMPLES * dim; ++i)
    check_central(&p, solver, SAMPLES, &p.x0[i], STEP, a.x0_bar[i], NET_TOLERANCE, "dL/dx0", where, i);
  check_central(&p, solver, SAMPLES, &p.t0, STEP, sum_of(a.t0_bar, SAMPLES, 1), NET_TOLERANCE, "dL/dt0", where, 0);
  check_central(&p, solver, SAMPLES, &p.t1, STEP, sum_of(a.t1_bar, SAMPLES, 1), NET_TOLERANCE, "dL/dt1", where, 0);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* x' = W t + b does not read the state: J is 0, and x1 = x0 + W (t1^2 - t0^2)/2 + b (t1 - t0), for which methods of
 * order 2 and higher are exact. */
static void test_field_of_time(void) {
  static answer a;
  const cnf_op ops[] = {{.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},
                        LINEAR(1, 2, CNF_ACTIVATION_IDENTITY)};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, 2, ops, 2, sizeof(cnf_op), &field) == CNF_OK);
  problem p = rodas4_problem(field, 2, 1, CNF_TRACE_EXACT);
  p.options.kinetic = 1;
  solve_all(&p, &a);
  /* rounding of df/dt, whose weights w_n are up to 2048: 2048 2^-52, times sums of coefficients up to 34, in about ten
   * steps */
  const double tolerance = 1e-10, square = (p.t1 * p.t1 - p.t0 * p.t0) / 2, length = p.t1 - p.t0;
  for (int d = 0; d < 2; ++d) {
    const double bar = sum_of(p.x1_bar + d, COUNT, 2), *w = p.theta, *b = p.theta + 2;
    CHECK(fabs(a.theta_bar[d] - bar * square) < tolerance && fabs(a.theta_bar[2 + d] - bar * length) < tolerance);
    for (int i = 0; i < COUNT; ++i)
      CHECK(a.x0_bar[2 * i + d] == p.x1_bar[2 * i + d] &&
            fabs(a.x1[2 * i + d] - p.x0[2 * i + d] - w[d] * square - b[d] * length) < tolerance);
  }
  for (int i = 0; i < COUNT; ++i) {
    double end = 0, start = 0;
    for (int d = 0; d < 2; ++d) {
      end += p.x1_bar[2 * i + d] * (p.theta[d] * p.t1 + p.theta[2 + d]);
      start -= p.x1_bar[2 * i + d] * (p.theta[d] * p.t0 + p.theta[2 + d]);
    }
    CHECK(fabs(a.t1_bar[i] - end) < tolerance && fabs(a.t0_bar[i] - start) < tolerance);
  }
  cnf_field_destroy(field);
}

/* ---- Stiff fields
 * ---------------------------------------------------------------------------------------------------- */

/* The gradient of an adaptive solve equals that of a solve with the same steps as fixed ones, up to rounding, and
 * agrees with central differences up to 1e-7, each variable being measured in units of its size. Log-determinants are
 * at least 1e5, so their cotangents are 1e-6. */
static void test_stiff(int is_robertson, int32_t trace) {
  int32_t dim;
  static answer adaptive, fixed;
  static double fractions[MOST_FRACTIONS];
  const double mu = 1e3, rates[3] = {0.04, 3e7, 1e4}, states[2][3] = {{2, 0, 0}, {1, 0, 0}};
  cnf_field *field = stiff_field(is_robertson ? ROBERTSON : POL, &dim);
  problem p = rodas4_problem(field, dim, 1, trace);
  memcpy(p.theta, is_robertson ? rates : &mu, p.parameters * sizeof(double));
  memcpy(p.x0, states[is_robertson], (size_t)p.dim * sizeof(double));
  p.t0 = 0, p.t1 = is_robertson ? 40 : 500;
  p.options.rtol = 1e-6, p.options.atol = 1e-9;
  for (int i = 0; i < COUNT; ++i) p.log_det_bar[i] = 1e-6;
  if (is_robertson) p.x1_bar[1] = 1e3; /* y is about 1e-5 */
  cnf_solver *solver = NULL;
  CHECK(cnf_solver_create(field, &p.options, &solver) == CNF_OK);
  uint64_t ids[COUNT];
  const cnf_solve_input input = input_of(&p, 0, 1, ids);
  cnf_solve_output output = output_of(&p, &adaptive);
  output.step_fractions = fractions, output.step_fraction_stride = MOST_FRACTIONS;
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  cnf_solver_destroy(solver);
  solve_some(&p, 0, 1, &adaptive);
  const int32_t steps = adaptive.accepted[0];
  /* rates of 3e3 for a time of 500, and 2e3 for 40: explicit methods need 1e5 steps */
  CHECK(adaptive.status[0] == CNF_SAMPLE_OK && steps < 150);
  p.options.control = CNF_CONTROL_FIXED, p.options.max_steps = MOST_FRACTIONS;
  p.fractions = fractions, p.fraction_count = (size_t)steps + 1;
  solve_some(&p, 0, 1, &fixed);
  CHECK(cnf_solver_create(field, &p.options, &solver) == CNF_OK);
  char where[120];
  snprintf(where, sizeof where, "%s trace %d, %d steps", is_robertson ? "Robertson" : "Van der Pol", (int)trace,
           (int)steps);
  for (size_t i = 0; i < p.parameters + (size_t)p.dim; ++i) {
    const int is_theta = i < p.parameters, n = (int)(is_theta ? i : i - p.parameters);
    double *variable = is_theta ? &p.theta[n] : &p.x0[n];
    const double got = is_theta ? fixed.theta_bar[n] : fixed.x0_bar[n];
    const double other = is_theta ? adaptive.theta_bar[n] : adaptive.x0_bar[n];
    const double unit = is_theta ? p.theta[n] : is_robertson && n == 1 ? 1e-4 : 1; /* y is at most 3.6e-5 */
    const double by_differences = unit * central(&p, solver, 1, variable, unit * 1e-3);
    char detail[300];
    snprintf(detail, sizeof detail, "%s, %s %d: %.12g, adaptive %.12g, central difference %.12g", where,
             is_theta ? "theta" : "x0", n, unit * got, unit * other, by_differences);
    check_count(fabs(unit * got - by_differences) < 1e-7 * fmax(1, fabs(by_differences)), "stiff gradient", detail,
                __LINE__);
    check_count(fabs(unit * (got - other)) < 1e-9 * fmax(1, fabs(unit * got)), "adaptive and fixed", detail, __LINE__);
  }
  const double t1_bar = central(&p, solver, 1, &p.t1, p.t1 * 1e-3), t0_bar = central(&p, solver, 1, &p.t0, p.t1 * 1e-3);
  CHECK(fabs(fixed.t1_bar[0] - t1_bar) < 1e-7 * fmax(1, fabs(t1_bar)));
  CHECK(fabs(fixed.t0_bar[0] - t0_bar) < 1e-7 * fmax(1, fabs(t0_bar)));
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* ---- Equal bits -------------------------------------------------------------------------------------------------- */

/* The gradient of a sample has the same bits alone, in a batch, and in a batch with one that fails; that of theta with
 * 1 and 3 threads. */
static void test_same_bits(int kind, int32_t control, int32_t trace) {
  static answer all;
  int32_t dim;
  cnf_field *field = make_field(kind, &dim);
  problem p = rodas4_problem(field, dim, 0.5, trace);
  p.options.control = control, p.options.steps = 5;
  solve_all(&p, &all);
  check_bits(&p, &all);
  check_failing_neighbour(&p, &all);
  cnf_field_destroy(field);
}

/* The gradient in float agrees with that in double up to rounding: differences for df/dt and coefficients up to 34
 * cause relative errors of about 64 2^-24 in each of about ten steps. */
static void test_float(void) {
  int32_t dim;
  cnf_field *field = make_field(SHALLOW, &dim);
  problem p = rodas4_problem(field, dim, 0.5, CNF_TRACE_EXACT);
  p.options.control = CNF_CONTROL_FIXED, p.options.steps = 4;
  check_float(&p, &p.options);
  cnf_field_destroy(field);
}

/* The gradient of rodas4 needs second derivatives of callbacks, with every trace. */
static void test_missing_functions(void) {
  double x0_bar[2];
  for (int what = 0; what < 2; ++what) {
    cnf_callback callback = stiff_callback(POL);
    if (what == 0) callback.tangent_reverse = NULL;
    if (what == 1) callback.reverse = NULL;
    const cnf_op op = {
        .kind = CNF_OP_CALLBACK, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = 2, .callback = &callback};
    cnf_field *field = NULL;
    cnf_solver *solver = NULL;
    CHECK(cnf_field_create(CNF_FLOAT64, 2, &op, 1, sizeof(cnf_op), &field) == CNF_OK);
    problem p = rodas4_problem(field, 2, 1, CNF_TRACE_NONE);
    CHECK(cnf_solver_create(field, &p.options, &solver) == CNF_OK);
    uint64_t ids[COUNT];
    const cnf_solve_input input = input_of(&p, 0, 1, ids);
    const cnf_loss loss = loss_of(&p, 0);
    cnf_gradient gradient = {.struct_size = sizeof gradient, .x0 = x0_bar};
    const cnf_status expected[] = {CNF_ERROR_CALLBACK_TANGENT_REVERSE, CNF_ERROR_CALLBACK_REVERSE};
    CHECK_STATUS(expected[what], cnf_solve_vjp(solver, &input, &loss, NULL, &gradient),
                 what ? "callback without reverse" : "callback without tangent_reverse");
    cnf_solver_destroy(solver);
    cnf_field_destroy(field);
  }
}

int main(void) {
  test_field_of_time();
  for (int is_robertson = 0; is_robertson < 2; ++is_robertson) {
    test_stiff(is_robertson, CNF_TRACE_NONE);
    test_stiff(is_robertson, CNF_TRACE_EXACT);
  }
  for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control) {
    test_same_bits(TWO_HIDDEN, control, CNF_TRACE_NONE);
    test_same_bits(CALLBACK, control, CNF_TRACE_EXACT);
    test_same_bits(WIDE, control, CNF_TRACE_EXACT);
    test_same_bits(LINEAR_ENDS, control, CNF_TRACE_EXACT);
  }
  test_float();
  test_missing_functions();
  for (int backward = 0; backward < 2; ++backward)
    for (int kind = 0; kind < FIELD_KINDS; ++kind)
      for (int regularised = 0; regularised < 2; ++regularised) {
        test_net(kind, CNF_TRACE_NONE, regularised, backward);
        test_net(kind, CNF_TRACE_EXACT, regularised, backward);
      }
  return check_report();
}
