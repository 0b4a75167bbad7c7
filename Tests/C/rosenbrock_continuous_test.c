/* rosenbrock_continuous_test.c - the continuous adjoint of rodas4, whose backward solve interpolates the stored states
 * of the forward solve.
 *
 * Expected results: the closed form of a stiff linear flow; the discrete gradient with small tolerances, to which the
 * continuous one converges as its tolerance decreases, for nets and for stiff fields; the order with fixed steps; and
 * equal bits whatever the batch, the number of threads and a power of two that multiplies the loss.
 * rosenbrock_samples_test.c tests contexts, intervals and events of samples, and samples that fail.
 */
#include "gradient_fixture.h"
#include "stiff_fixture.h"

enum { TIMES = 3 };
static const double FRACTIONS[TIMES] = {0.11, 0.45, 0.83};

/* ---- Closed form
 * -------------------------------------------------------------------------------------------------- */

/* int_0^T e^{p (T - t)} e^{q t} dt */
static double convolution(double p, double q, double T) {
  return p == q ? T * exp(p * T) : (exp(p * T) - exp(q * T)) / (p - q);
}

/* x' = A x + b, A = Q diag(r) Q' with a rotation Q and rates r that differ by a factor of 1e6. In the rotated rows u =
 * Q'x, c = Q'b and y = Q' x1_bar, the solution is u(t) = (u_0 + c/r) e^{rt} - c/r, the adjoint is y e^{r(T - t)}, b_bar
 * = Q int y, A_bar = Q Y Q' + mu T, and Y_ij = int y_i u_j. The cotangent of the fast row decays within 1e-6 of t1, and
 * so does the fast row of the state at t0. One fixed step is longer than this layer; the test with fixed steps begins
 * with a fast row that does not change, and the layer's part of the gradient of theta is then correct up to its own
 * order of magnitude, 1/r. A solve backward in time is that of -f. */
static void test_linear_stiff(int32_t control, int backward) {
  enum { ROWS = 2 };
  const double rates[ROWS] = {-1e6, -0.7}, angle = 0.6, T = 1.3, b[ROWS] = {0.4, -0.2}, sign = backward ? -1 : 1;
  const double q[ROWS][ROWS] = {{cos(angle), -sin(angle)}, {sin(angle), cos(angle)}};
  const int is_fixed = control == CNF_CONTROL_FIXED;
  const cnf_op ops[] = {LINEAR(CNF_STATE, ROWS, CNF_ACTIVATION_IDENTITY)};
  static answer a;
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, ROWS, ops, 1, sizeof(cnf_op), &field) == CNF_OK);
  problem p = rodas4_problem_of(field, ROWS, 1, CNF_TRACE_EXACT);
  set_cotangents(&p, 0, NULL);
  p.t0 = backward ? T : 0, p.t1 = backward ? 0 : T;
  double c[ROWS] = {0}, Y[ROWS][ROWS] = {{0}}, y_sum[ROWS] = {0}, mu_sum = 0;
  for (int i = 0; i < ROWS; ++i) {
    p.theta[ROWS * ROWS + i] = sign * b[i];
    for (int j = 0; j < ROWS; ++j) {
      p.theta[ROWS * i + j] = sign * (q[i][0] * rates[0] * q[j][0] + q[i][1] * rates[1] * q[j][1]);
      c[i] += q[j][i] * b[j];
    }
  }
  for (int s = 0; is_fixed && s < COUNT; ++s) {
    const double fast = -c[0] / rates[0], slow = q[0][1] * p.x0[ROWS * s] + q[1][1] * p.x0[ROWS * s + 1];
    for (int i = 0; i < ROWS; ++i) p.x0[ROWS * s + i] = q[i][0] * fast + q[i][1] * slow;
  }
  p.options.control = control, p.options.steps = 40;
  p.options.rtol = p.options.atol = 1e-9;
  solve_all(&p, &a);
  double worst[4] = {0}; /* of x0_bar, t1_bar, A_bar, b_bar */
  for (int s = 0; s < COUNT; ++s) {
    double u[ROWS] = {0}, y[ROWS] = {0}, end = p.log_det_bar[s] * (rates[0] + rates[1]);
    CHECK(a.status[s] == CNF_SAMPLE_OK && a.accepted[s] < 1000 &&
          a.reversed[s] < 8 * 1000); /* explicit methods need 1e6 steps */
    for (int i = 0; i < ROWS; ++i)
      for (int j = 0; j < ROWS; ++j) u[i] += q[j][i] * p.x0[ROWS * s + j], y[i] += q[j][i] * p.x1_bar[ROWS * s + j];
    for (int i = 0; i < ROWS; ++i) {
      double x0_bar = 0;
      for (int j = 0; j < ROWS; ++j) {
        const double rest = c[j] / rates[j];
        Y[i][j] += y[i] * ((u[j] + rest) * convolution(rates[i], rates[j], T) - rest * convolution(rates[i], 0, T));
        x0_bar += q[i][j] * y[j] * exp(rates[j] * T);
      }
      worst[0] = fmax(worst[0], fabs(a.x0_bar[ROWS * s + i] - x0_bar));
      end += y[i] * rates[i] * (u[i] + c[i] / rates[i]) * exp(rates[i] * T);
      y_sum[i] += y[i] * convolution(rates[i], 0, T);
    }
    mu_sum += p.log_det_bar[s];
    worst[1] = fmax(worst[1], fabs(sign * a.t1_bar[s] - end));
  }
  for (int i = 0; i < ROWS; ++i) {
    for (int j = 0; j < ROWS; ++j) {
      double expected = i == j ? mu_sum * T : 0;
      for (int n = 0; n < ROWS * ROWS; ++n) expected += q[i][n / ROWS] * Y[n / ROWS][n % ROWS] * q[j][n % ROWS];
      worst[2] = fmax(worst[2], fabs(sign * a.theta_bar[ROWS * i + j] - expected));
    }
    const double expected = q[i][0] * y_sum[0] + q[i][1] * y_sum[1];
    worst[3] = fmax(worst[3], fabs(sign * a.theta_bar[ROWS * ROWS + i] - expected));
  }
  char detail[200];
  snprintf(detail, sizeof detail, "control %d backward %d: x0 %.2g t1 %.2g A %.2g b %.2g", (int)control, backward,
           worst[0], worst[1], worst[2], worst[3]);
  /* Adaptive: errors of 1e-9 in each of a few hundred steps. Fixed: a relative error of (0.7 T / 40)^4 / 30 of the slow
   * row in 40 steps; an error of the integral over the layer as large as the integral itself, about 1/r per sample. f
   * and the divergence at t1 multiply the rounding of x and the errors of fixed steps by 1e6. */
  const double tolerance = 1e-8, layers = is_fixed ? COUNT * 4 / -rates[0] : COUNT * tolerance;
  check_count(worst[0] < tolerance && worst[1] < 1e6 * 1e-14, "x0 and t1", detail, __LINE__);
  check_count(worst[2] < layers && worst[3] < COUNT * tolerance, "theta", detail, __LINE__);
  cnf_field_destroy(field);
}

/* ---- Compared with the exact gradient
 * ------------------------------------------------------------------------------ */

/* The gradient with respect to theta, x0, t0, t1 and output times converges to that of dopri8 with tolerance 1e-12. As
 * with explicit methods (continuous_test.c), the error is at most 100 times the tolerance and proportional to
 * tolerance^(3/4), 3 being the embedded order. With fixed steps, the order is at least 3.8, from 4 and 16 steps. */
static void test_convergence(int kind, int32_t trace, int regularised, int backward) {
  static answer exact;
  int32_t dim;
  cnf_field *field = make_field(kind, &dim);
  problem p = rodas4_problem_of(field, dim, 0.5, trace);
  if (backward) p.t0 = 1.1, p.t1 = 0.2;
  set_cotangents(&p, TIMES, FRACTIONS);
  p.options.kinetic = regularised, p.options.frobenius = regularised && trace != CNF_TRACE_NONE;
  p.loss.kinetic = regularised ? 0.3 : 0, p.loss.frobenius = p.options.frobenius ? 0.2 : 0;
  solve_exactly(&p, &exact);
  char where[120];
  snprintf(where, sizeof where, "field %d trace %d regularised %d backward %d", kind, (int)trace, regularised,
           backward);
  check_convergence(&p, &exact, 100, 3.0 / 4, where);
  check_order(&p, &exact, 4, 16, 1e-6, where);
  cnf_field_destroy(field);
}

/* A problem with a stiff field. Errors are measured in units of theta and x0_unit. */
typedef struct stiff_case {
  int kind;
  double theta[3], x0[8], t1, bar; /* bar: the cotangent of the second row; 0: that of set_cotangents */
  double x0_unit[8];
  double end[8]; /* the solution at t1 from the literature; 0: none */
} stiff_case;

static const stiff_case stiff_cases[] = {
    {.kind = POL, .theta = {1e3}, .x0 = {2, 0}, .t1 = 500, .x0_unit = {1, 1}},
    {.kind = ROBERTSON, .theta = {0.04, 3e7, 1e4}, .x0 = {1, 0, 0}, .t1 = 40, .bar = 1e3, .x0_unit = {1, 1e-4, 1}},
    /* reference solution of Mazzia and Magherini, Test Set for IVP Solvers */
    {.kind = HIRES,
     .theta = {280, 7e-4},
     .x0 = {1, 0, 0, 0, 0, 0, 0, 0.0057},
     .t1 = 321.8122,
     .x0_unit = {1, 1, 1, 1, 1, 1, 1, 0.0057},
     .end = {0.7371312573325668e-3, 0.1442485726316185e-3, 0.5888729740967575e-4, 0.1175651343283149e-2,
             0.2386356198831331e-2, 0.6238968252742796e-2, 0.2849998395185769e-2, 0.2850001604814231e-2}}};

/* The largest difference of all gradients d in their units, divided by 1 + |d|. */
static double stiff_distance(const stiff_case *of, const problem *p, const answer *a, const answer *b) {
  double worst = 0;
  for (size_t i = 0; i < p->parameters; ++i)
    worst = fmax(worst,
                 fabs(a->theta_bar[i] - b->theta_bar[i]) * of->theta[i] / (1 + fabs(b->theta_bar[i]) * of->theta[i]));
  for (int i = 0; i < p->dim; ++i)
    worst = fmax(worst, fabs(a->x0_bar[i] - b->x0_bar[i]) * of->x0_unit[i] / (1 + fabs(b->x0_bar[i]) * of->x0_unit[i]));
  return fmax(worst, fmax(fabs(a->t0_bar[0] - b->t0_bar[0]), fabs(a->t1_bar[0] - b->t1_bar[0])));
}

/* For stiff fields, the gradient converges to that of rodas4 with tolerance 1e-10 as the tolerance decreases by factors
 * of 100, with tens to hundreds of steps forward and backward. The scale of the adjoint's absolute tolerance is a power
 * of two near the largest cotangent. */
static void test_stiff(const stiff_case *of, int32_t trace) {
  static answer exact, a;
  int32_t dim;
  cnf_field *field = stiff_field(of->kind, &dim);
  problem p = rodas4_problem_of(field, dim, 1, trace), tight;
  set_cotangents(&p, 0, NULL);
  memcpy(p.theta, of->theta, p.parameters * sizeof(double));
  memcpy(p.x0, of->x0, (size_t)dim * sizeof(double));
  p.t0 = 0, p.t1 = of->t1;
  p.options.max_step = INFINITY; /* the fields do not read t, which a solver cannot know of a callback */
  if (of->bar > 0) p.x1_bar[1] = of->bar;
  for (int i = 0; i < COUNT; ++i) p.log_det_bar[i] = 1e-6; /* log-determinants are at least 1e5 */
  tight = p;
  tight.options.adjoint = CNF_ADJOINT_DISCRETE;
  tight.options.rtol = 1e-10, tight.options.atol = 1e-13;
  solve_some(&tight, 0, 1, &exact);
  CHECK(exact.status[0] == CNF_SAMPLE_OK);
  for (int i = 0; i < dim && of->end[0] > 0; ++i) CHECK(fabs(exact.x1[i] - of->end[i]) < 1e-8 * of->end[i]);
  double before = INFINITY;
  for (int level = 0; level < 3; ++level) {
    const double tolerance = pow(100, -level) * 1e-4, scale = of->bar > 0 ? 1024 : 1;
    p.options.rtol = tolerance, p.options.atol = 1e-3 * tolerance, p.options.adjoint_atol = tolerance;
    solve_some(&p, 0, 1, &a);
    const double error = stiff_distance(of, &p, &a, &exact);
    char detail[200];
    snprintf(detail, sizeof detail, "stiff field %d trace %d at %g: %g, before %g; %d steps forward, %d backward",
             of->kind, (int)trace, tolerance, error, before, (int)a.accepted[0], (int)a.reversed[0] / 8);
    puts(detail);
    check_count(a.status[0] == CNF_SAMPLE_OK && a.reversed[0] < 8 * 400, "few steps", detail, __LINE__);
    check_count(error <= 100 * tolerance * scale, "near the exact gradient", detail, __LINE__);
    check_count(error <= before * 3 / pow(100, 3.0 / 4), "error decreases with tolerance", detail, __LINE__);
    before = error;
  }
  cnf_field_destroy(field);
}

/* ---- Equal bits
 * ---------------------------------------------------------------------------------------------------- */

/* The gradient of a sample has the same bits alone, in a batch, and in a batch with one that fails; that of theta with
 * 1, 2 and 3 threads, and if a power of two multiplies the loss. */
static void test_same_bits(int kind, int32_t control, int32_t trace) {
  static answer all;
  int32_t dim;
  cnf_field *field = make_field(kind, &dim);
  problem p = rodas4_problem_of(field, dim, 0.5, trace);
  p.options.control = control, p.options.steps = 3;
  set_cotangents(&p, TIMES, FRACTIONS);
  solve_all(&p, &all);
  check_bits(&p, &all);
  check_power_of_two(&p, &all);
  check_failing_neighbour(&p, &all);
  cnf_field_destroy(field);
}

/* The gradient in float agrees with that in double, up to rounding that coefficients up to 34 and differences over h/32
 * increase by a factor of a few hundred, and up to the tolerance of 1e-5 in about ten steps. */
static void test_float(void) {
  int32_t dim;
  cnf_field *field = make_field(SHALLOW, &dim);
  problem p = rodas4_problem_of(field, dim, 0.5, CNF_TRACE_EXACT);
  const cnf_solver_options narrow = p.options;
  set_cotangents(&p, 0, NULL);
  p.options.rtol = p.options.atol = 1e-9;
  check_float(&p, &narrow);
  cnf_field_destroy(field);
}

int main(void) {
  for (int backward = 0; backward < 2; ++backward) {
    test_linear_stiff(CNF_CONTROL_SAMPLE, backward);
    test_linear_stiff(CNF_CONTROL_FIXED, backward);
    for (int kind = 0; kind < FIELD_KINDS; ++kind)
      for (int regularised = 0; regularised < 2; ++regularised) {
        test_convergence(kind, CNF_TRACE_NONE, regularised, backward);
        test_convergence(kind, CNF_TRACE_EXACT, regularised, backward);
      }
  }
  for (size_t i = 0; i < sizeof stiff_cases / sizeof stiff_cases[0]; ++i) {
    test_stiff(&stiff_cases[i], CNF_TRACE_NONE);
    test_stiff(&stiff_cases[i], CNF_TRACE_EXACT);
  }
  for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control) {
    test_same_bits(TWO_HIDDEN, control, CNF_TRACE_NONE);
    test_same_bits(CALLBACK, control, CNF_TRACE_EXACT);
    test_same_bits(WIDE, control, CNF_TRACE_EXACT);
    test_same_bits(LINEAR_ENDS, control, CNF_TRACE_EXACT);
  }
  test_float();
  return check_report();
}
