/* adams_test.c - explicit_adams and implicit_adams: the algebra of their coefficients, their order by slopes of errors,
 * whole solves compared with a plain reference that has no coefficients, and independence of samples. */
#include <float.h>
#include <math.h>

#include "callback_fixture.h"
#include "fixture.h"
#include "solve/methods/adams.h"

enum { COUNT = 41, STATE = 5 }; /* a prime beyond a tile; x, log-determinant, kinetic, Frobenius */
static const char *const METHODS[2] = {"explicit_adams", "implicit_adams"};

/* ---- Coefficients ----------------------------------------------------------------------------------------------- */

/* A formula of k slopes integrates t^p over [0, 1] exactly for p < k: sum_j w_j place_j^p = divisor/(p+1), in integers.
 * It does not for p = k, because its error constant is not 0. */
static void check_formula(int k, int64_t divisor, const int64_t *weights, int first_place) {
  for (int p = 0; p <= k; ++p) {
    __int128 sum = 0;
    for (int j = 0; j < k; ++j) {
      __int128 term = weights[j];
      for (int i = 0; i < p; ++i) term *= first_place - j;
      sum += term;
    }
    CHECK((sum * (p + 1) == divisor) == (p < k));
  }
  for (int j = k; j < CNF_ADAMS_MOST; ++j) CHECK(weights[j] == 0);
}

static void test_algebra(void) {
  CHECK(cnf_adams_of(0) == NULL && cnf_adams_of(CNF_ADAMS_MOST + 1) == NULL);
  for (int k = 1; k <= CNF_ADAMS_MOST; ++k) {
    const cnf_adams *a = cnf_adams_of(k);
    check_formula(k, a->divisor, a->bashforth, 0);
    check_formula(k, a->divisor, a->moulton, 1);
  }
}

/* The error at t = 1 for x' = x cos t, x = e^(sin t), after `steps` steps from exact values. The implicit equation is
 * linear here, so it is solved exactly. */
static double multistep_error(int k, int is_implicit, int steps) {
  const cnf_adams *a = cnf_adams_of(k);
  const double h = 1.0 / steps;
  double x = 0;
  for (int n = k - 1; n < steps; ++n) {
    double sum = 0;
    static double states[4096];
    for (int j = 0; n == k - 1 && j < k; ++j) states[j] = exp(sin(j * h));
    for (int j = 0; j < k; ++j) {
      const int at = n + is_implicit - j;
      const double weight = (double)(is_implicit ? a->moulton[j] : a->bashforth[j]) / (double)a->divisor;
      if (at <= n) sum += weight * cos(at * h) * states[at];
    }
    x = states[n] + h * sum;
    if (is_implicit) x /= 1 - h * (double)a->moulton[0] / (double)a->divisor * cos((n + 1) * h);
    states[n + 1] = x;
  }
  return fabs(x - exp(sin(1.0)));
}

static void test_order_of_formulas(void) {
  for (int k = 1; k <= 8; ++k)
    for (int is_implicit = 0; is_implicit < 2; ++is_implicit) {
      const int steps = k <= 5 ? 64 : k < 8 ? 32 : 24; /* the leading term dominates, and errors are above 2e-13 */
      const double coarse = multistep_error(k, is_implicit, steps), fine = multistep_error(k, is_implicit, 2 * steps);
      char detail[120];
      snprintf(detail, sizeof detail, "%d slopes, implicit %d: errors %g and %g, slope %g", k, is_implicit, coarse,
               fine, log2(coarse / fine));
      check_count(fabs(log2(coarse / fine) - k) < 0.2, "order of a formula", detail, __LINE__);
    }
}

/* ---- A plain reference ------------------------------------------------------------------------------------------- */

/* The slopes of x, of the log-determinant, and of the kinetic and Frobenius integrals, for the network of fixture.h.
 * `direction` is the sign of t1 - t0, because regularisers are integrals over |dt|. */
static void slopes_at(const double *theta, const double *x, double t, double direction, double *out) {
  const double *w1 = theta, *b1 = w1 + HIDDEN * (D + 1), *w2 = b1 + HIDDEN, *b2 = w2 + D * HIDDEN;
  double a[HIDDEN], jacobian[D][D] = {{0}}, energy = 0, frobenius = 0;
  for (int i = 0; i < HIDDEN; ++i) {
    double z = b1[i] + w1[i * (D + 1) + D] * t;
    for (int d = 0; d < D; ++d) z += w1[i * (D + 1) + d] * x[d];
    a[i] = tanh(z);
  }
  for (int d = 0; d < D; ++d) {
    out[d] = b2[d];
    for (int i = 0; i < HIDDEN; ++i) {
      out[d] += w2[d * HIDDEN + i] * a[i];
      for (int e = 0; e < D; ++e) jacobian[d][e] += w2[d * HIDDEN + i] * (1 - a[i] * a[i]) * w1[i * (D + 1) + e];
    }
    energy += out[d] * out[d];
    for (int e = 0; e < D; ++e) frobenius += jacobian[d][e] * jacobian[d][e];
  }
  out[D] = jacobian[0][0] + jacobian[1][1];
  out[D + 1] = direction * 0.5 * energy / D;
  out[D + 2] = direction * frobenius / D;
}

/* sum_i g_i nabla^i f over `count` differences of the slopes f[0], f[1], ... (newest first). For Adams-Bashforth, the g
 * follow from sum_{m<=i} g_m/(i+1-m) = 1. For Adams-Moulton, the same sums are 0 except the first (Hairer, Norsett and
 * Wanner III.1). So the reference does not use the coefficients of adams.c. */
static double by_differences(const double *f, int count, int is_moulton) {
  double g[CNF_ADAMS_MOST + 1], difference[CNF_ADAMS_MOST + 1], sum = 0;
  for (int i = 0; i < count; ++i) difference[i] = f[i];
  for (int i = 0; i < count; ++i) {
    g[i] = i > 0 && is_moulton ? 0 : 1;
    for (int m = 0; m < i; ++m) g[i] -= g[m] / (i + 1 - m);
    sum += g[i] * difference[0];
    for (int j = 0; j < count - 1 - i; ++j) difference[j] -= difference[j + 1];
  }
  return sum;
}

typedef struct answer {
  double state[STATE];
  int32_t rejected, evaluations;
} answer;

typedef struct plan {
  int is_implicit, order, steps;
  double rtol, t0, t1;
} plan;

static void start_step(const double *theta, double *x, double t, double h, double direction, const double *k1) {
  double k2[STATE], k3[STATE], k4[STATE], y[D];
  for (int d = 0; d < D; ++d) y[d] = x[d] + h / 3 * k1[d];
  slopes_at(theta, y, t + h / 3, direction, k2);
  for (int d = 0; d < D; ++d) y[d] = x[d] + h * (k2[d] - k1[d] / 3);
  slopes_at(theta, y, t + 2 * h / 3, direction, k3);
  for (int d = 0; d < D; ++d) y[d] = x[d] + h * (k1[d] - k2[d] + k3[d]);
  slopes_at(theta, y, t + h, direction, k4);
  for (int d = 0; d < STATE; ++d) x[d] += h / 8 * (k1[d] + 3 * k2[d] + 3 * k3[d] + k4[d]);
}

static answer reference(const double *theta, const double *x0, plan p) {
  answer out = {.state = {x0[0], x0[1]}};
  double *x = out.state, past[STATE][CNF_ADAMS_MOST + 1] = {{0}}; /* past[d][j]: slope of d, j steps ago */
  const double h = (p.t1 - p.t0) / p.steps, direction = p.t1 < p.t0 ? -1 : 1;
  int slopes = 0;
  for (int n = 0; n < p.steps; ++n) {
    const double t = p.t0 + n * h;
    double f[STATE], change[STATE], next[STATE];
    slopes_at(theta, x, t, direction, f);
    out.evaluations++;
    for (int d = 0; d < STATE; ++d) {
      memmove(past[d] + 1, past[d], CNF_ADAMS_MOST * sizeof(double));
      past[d][0] = f[d];
    }
    if (slopes < p.order - 1 || slopes == 0) slopes++;
    if (slopes < 3) {
      start_step(theta, x, t, h, direction, f);
      out.evaluations += 3;
      continue;
    }
    for (int d = 0; d < STATE; ++d) change[d] = h * by_differences(past[d], slopes, 0);
    int converged = !p.is_implicit;
    for (int i = 0; i < 4 && !converged; ++i) {
      double y[D], worst = 0;
      for (int d = 0; d < D; ++d) y[d] = x[d] + change[d];
      slopes_at(theta, y, t + h, direction, f);
      out.evaluations++;
      for (int d = 0; d < STATE; ++d) {
        double window[CNF_ADAMS_MOST + 1];
        window[0] = f[d];
        memcpy(window + 1, past[d], (size_t)slopes * sizeof(double));
        next[d] = h * by_differences(window, slopes + 1, 1);
        const double scale = p.rtol * (1 + fmax(fabs(change[d]), fabs(next[d])));
        if (d <= D) worst = fmax(worst, fabs(next[d] - change[d]) / scale);
        change[d] = next[d];
      }
      converged = worst < 1;
    }
    if (!converged) slopes--, out.rejected++;
    for (int d = 0; d < STATE; ++d) x[d] += change[d];
  }
  return out;
}

/* ---- Solves ------------------------------------------------------------------------------------------------------ */

typedef struct solution {
  double x1[COUNT * D], log_det[COUNT], kinetic[COUNT], frobenius[COUNT];
  int32_t status[COUNT], accepted[COUNT], rejected[COUNT], evaluations[COUNT];
} solution;

static cnf_solver *adams_solver(const cnf_field *field, plan p, int32_t threads, int32_t isa) {
  cnf_solver_options options;
  cnf_solver *solver = NULL;
  cnf_solver_options_init(&options, sizeof options);
  options.method = cnf_method_find(METHODS[p.is_implicit]);
  options.control = CNF_CONTROL_FIXED, options.steps = p.steps, options.order = p.order;
  options.rtol = options.atol = p.rtol;
  options.kinetic = options.frobenius = 1;
  options.threads = threads, options.isa = isa;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  return solver;
}

static cnf_status solve(cnf_solver *solver, const double *theta, const double *x0, size_t count, plan p,
                        const double *fractions, solution *s) {
  pattern_fill(s, sizeof *s);
  const cnf_solve_input input = {.struct_size = sizeof input,
                                 .parameters = theta,
                                 .x0 = x0,
                                 .count = count,
                                 .t0 = p.t0,
                                 .t1 = p.t1,
                                 .step_fractions = fractions,
                                 .step_fraction_count = fractions ? (size_t)p.steps + 1 : 0};
  cnf_solve_output output = {.struct_size = sizeof output,
                             .x1 = s->x1,
                             .log_det = s->log_det,
                             .status = s->status,
                             .accepted = s->accepted,
                             .rejected = s->rejected,
                             .evaluations = s->evaluations,
                             .kinetic = s->kinetic,
                             .frobenius = s->frobenius};
  return cnf_solve(solver, &input, &output);
}

/* Weights of size about a half, and states of very different sizes, so that the numbers of iterations differ too. */
static void problem(double *theta, double *x0) {
  numbers(11, 0.5, P, theta);
  numbers(12, 2, COUNT * D, x0);
}

/* A step sums at most 12 slopes by weights or differences. The terms are at most 2^12 times a slope, and each is
 * rounded. There are at most 30 steps, whose rounding errors grow little more than the field amplifies them: 2^12 * 30
 * * 2^-53 = 1.4e-11. (Explicit formulas of more than eight slopes are barely stable: with twice as many steps, rounding
 * errors grew to 1e-5 in both programs.) */
static const double REFERENCE_TOLERANCE = 1.4e-11;

static void test_reference(plan p) {
  cnf_field *field = good_field();
  double theta[P], x0[COUNT * D];
  static solution s;
  problem(theta, x0);
  cnf_solver *solver = adams_solver(field, p, 2, CNF_ISA_AUTOMATIC);
  CHECK(solve(solver, theta, x0, COUNT, p, NULL, &s) == CNF_OK);
  double worst = 0;
  int counts_differ = 0;
  if (p.order == 0) p.order = 12;
  for (int i = 0; i < COUNT; ++i) {
    const answer a = reference(theta, x0 + i * D, p);
    const double found[STATE] = {s.x1[i * D], s.x1[i * D + 1], s.log_det[i], s.kinetic[i], s.frobenius[i]};
    for (int d = 0; d < STATE; ++d) worst = fmax(worst, fabs(found[d] - a.state[d]) / (1 + fabs(a.state[d])));
    counts_differ += s.rejected[i] != a.rejected || s.evaluations[i] != a.evaluations;
    counts_differ += s.status[i] != CNF_SAMPLE_OK || s.accepted[i] != p.steps;
  }
  char detail[200];
  snprintf(detail, sizeof detail, "%s, order %d, %d steps, rtol %g, from %g to %g: error %g, %d counts differ",
           METHODS[p.is_implicit], p.order, p.steps, p.rtol, p.t0, p.t1, worst, counts_differ);
  check_count(worst < REFERENCE_TOLERANCE && counts_differ == 0, "the reference", detail, __LINE__);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* As steps become short, the first two steps and the first corrector with three slopes have errors of h^5, and the
 * first explicit step with three slopes has one of h^4. Iterations end within 1e-12, while errors are at least
 * 1e-10. */
static void test_order_of_solves(int is_implicit, int order) {
  cnf_field *field = good_field();
  double theta[P], x0[COUNT * D], error[2] = {0};
  static solution s, exact;
  problem(theta, x0);
  plan p = {.is_implicit = is_implicit, .order = order, .rtol = 1e-12, .t0 = 0, .t1 = 1};
  cnf_solver_options options;
  cnf_solver *fine = NULL;
  cnf_solver_options_init(&options, sizeof options);
  options.method = cnf_method_find("dopri8"), options.control = CNF_CONTROL_FIXED, options.steps = 400;
  options.kinetic = options.frobenius = 1;
  CHECK(cnf_solver_create(field, &options, &fine) == CNF_OK);
  CHECK(solve(fine, theta, x0, COUNT, p, NULL, &exact) == CNF_OK);
  for (int i = 0; i < 2; ++i) {
    p.steps = 60 << i;
    cnf_solver *solver = adams_solver(field, p, 1, CNF_ISA_AUTOMATIC);
    CHECK(solve(solver, theta, x0, COUNT, p, NULL, &s) == CNF_OK);
    for (int n = 0; n < COUNT * D; ++n) error[i] += (s.x1[n] - exact.x1[n]) * (s.x1[n] - exact.x1[n]);
    for (int n = 0; n < COUNT; ++n) error[i] += (s.log_det[n] - exact.log_det[n]) * (s.log_det[n] - exact.log_det[n]);
    cnf_solver_destroy(solver);
  }
  const double slope = log2(error[0] / error[1]) / 2;
  const int expected = order < 4 ? 4 : is_implicit ? (order < 5 ? order : 5) : (order < 5 ? order - 1 : 4);
  char detail[160];
  snprintf(detail, sizeof detail, "%s, order %d: errors %g and %g, slope %g of %d", METHODS[is_implicit], order,
           sqrt(error[0]), sqrt(error[1]), slope, expected);
  check_count(fabs(slope - expected) < 0.2, "order of a solve", detail, __LINE__);
  cnf_solver_destroy(fine);
  cnf_field_destroy(field);
}

static int same_sample(const solution *a, int i, const solution *b, int j) {
  return memcmp(a->x1 + i * D, b->x1 + j * D, D * sizeof(double)) == 0 && a->log_det[i] == b->log_det[j] &&
         a->kinetic[i] == b->kinetic[j] && a->frobenius[i] == b->frobenius[j] && a->status[i] == b->status[j] &&
         a->rejected[i] == b->rejected[j] && a->evaluations[i] == b->evaluations[j];
}

/* A sample has the same bits alone, at another position, in another batch and with other numbers of threads. The test
 * also checks that the other samples need other numbers of iterations and use formulas of other lengths. */
static void test_independence(plan p, int32_t isa) {
  cnf_field *field = good_field();
  double theta[P], x0[COUNT * D], reversed[COUNT * D];
  static solution all, other;
  problem(theta, x0);
  for (int i = 0; i < COUNT; ++i) memcpy(reversed + i * D, x0 + (COUNT - 1 - i) * D, D * sizeof(double));
  cnf_solver *solver = adams_solver(field, p, 1, isa);
  CHECK(solve(solver, theta, x0, COUNT, p, NULL, &all) == CNF_OK);
  int vary = 0, unconverged = 0;
  for (int i = 0; i < COUNT; ++i) {
    vary += all.evaluations[i] != all.evaluations[0];
    unconverged += all.rejected[i] != all.rejected[0];
    CHECK(solve(solver, theta, x0 + i * D, 1, p, NULL, &other) == CNF_OK);
    CHECK(same_sample(&all, i, &other, 0));
  }
  CHECK((vary > 0 && unconverged > 0) == p.is_implicit);
  CHECK(solve(solver, theta, reversed, COUNT, p, NULL, &other) == CNF_OK);
  for (int i = 0; i < COUNT; ++i) CHECK(same_sample(&all, i, &other, COUNT - 1 - i));
  cnf_solver_destroy(solver);
  for (int32_t threads = 2; threads <= 3; ++threads) {
    solver = adams_solver(field, p, threads, isa);
    CHECK(solve(solver, theta, x0, COUNT, p, NULL, &other) == CNF_OK);
    CHECK(memcmp(&all, &other, sizeof all) == 0);
    cnf_solver_destroy(solver);
  }
  cnf_field_destroy(field);
}

/* ---- A sample that diverges -------------------------------------------------------------------------------------- */

/* x' = -x^3 for each row. Near 0 it is harmless; beyond 1/h explicit steps grow like x^3. */
static void cube(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  (void)context, (void)t, (void)theta;
  const double *from = x;
  for (int32_t i = 0; i < D * lanes; ++i) ((double *)y)[i] = -from[i] * from[i] * from[i];
}
static void cube_tangent(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                         const void *x_dot, void *y_dot) {
  (void)context, (void)t, (void)theta;
  const double *from = x, *dot = x_dot;
  for (int32_t i = 0; i < D * lanes; ++i) ((double *)y_dot)[i] = -3 * from[i] * from[i] * dot[i];
}

static void test_divergence(int is_implicit) {
  const cnf_callback callback = {.struct_size = sizeof callback, .evaluate = cube, .tangent = cube_tangent};
  cnf_field *field = callback_field(&callback, D);
  const plan p = {.is_implicit = is_implicit, .order = 6, .steps = 30, .rtol = 1e-8, .t0 = 0, .t1 = 1.5};
  const int diverging = 3;
  double x0[COUNT * D];
  static solution healthy, mixed;
  numbers(13, 0.5, COUNT * D, x0);
  cnf_solver *solver = adams_solver(field, p, 2, CNF_ISA_AUTOMATIC);
  CHECK(solve(solver, NULL, x0, COUNT, p, NULL, &healthy) == CNF_OK);
  x0[diverging * D] = 40;
  CHECK(solve(solver, NULL, x0, COUNT, p, NULL, &mixed) == CNF_OK);
  for (int i = 0; i < COUNT; ++i) {
    CHECK(healthy.status[i] == CNF_SAMPLE_OK);
    if (i == diverging)
      CHECK(mixed.status[i] == CNF_SAMPLE_NOT_FINITE && mixed.accepted[i] < p.steps);
    else
      CHECK(same_sample(&healthy, i, &mixed, i));
  }
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* ---- Output times that are equally far apart, except for rounding ------------------------------------------------ */

/* x' = -x at 40 output times that are 0.1 apart, in exact decimals, in sums, and in floats. The slopes are kept from
 * interval to interval, so that a step costs one evaluation: in a double solve unless the times are floats. */
static void test_rounded_times(int32_t dtype, int as_floats, int as_sums) {
  enum { TIMES = 40, STEPS = 2, START = 3 };
  const cnf_op op = {.kind = CNF_OP_LINEAR, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = 1};
  const float theta_single[2] = {-1, 0}, x0_single = 1;
  const double theta_double[2] = {-1, 0}, x0_double = 1;
  const int single = dtype == CNF_FLOAT32;
  double times[TIMES], sum = 0, x1_double;
  float x1_single;
  int32_t evaluations;
  for (int i = 0; i < TIMES; ++i) {
    sum += 0.1;
    times[i] = as_floats ? (double)((float)(i + 1) * 0.1f) : as_sums ? sum : (i + 1) / 10.0;
  }
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  options.method = cnf_method_find("explicit_adams"), options.control = CNF_CONTROL_FIXED, options.steps = STEPS;
  options.order = 5, options.trace = CNF_TRACE_NONE, options.threads = 1;
  CHECK(cnf_field_create(dtype, 1, &op, 1, sizeof op, &field) == CNF_OK);
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  const cnf_solve_input input = {.struct_size = sizeof input,
                                 .parameters = single ? (const void *)theta_single : theta_double,
                                 .x0 = single ? (const void *)&x0_single : &x0_double,
                                 .count = 1,
                                 .t1 = times[TIMES - 1],
                                 .times = times,
                                 .time_count = TIMES - 1};
  cnf_solve_output output = {.struct_size = sizeof output,
                             .x1 = single ? (void *)&x1_single : (void *)&x1_double,
                             .evaluations = &evaluations};
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  /* the steps of the start, which are two, have four evaluations each */
  const int32_t few = TIMES * STEPS + 2 * START;
  CHECK(!single && as_floats ? evaluations > few : evaluations == few);
  CHECK(fabs((single ? (double)x1_single : x1_double) - exp(-times[TIMES - 1])) < 1e-6);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* ---- What is refused --------------------------------------------------------------------------------------------- */

static void test_refusals(int is_implicit) {
  cnf_field *field = good_field();
  double theta[P], x0[COUNT * D], fractions[9];
  static solution s, equal;
  problem(theta, x0);
  cnf_solver_options options;
  cnf_solver *solver = NULL;
  cnf_solver_options_init(&options, sizeof options);
  options.method = cnf_method_find(METHODS[is_implicit]);
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_ERROR_NOT_ADAPTIVE);
  options.control = CNF_CONTROL_BATCH;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_ERROR_NOT_ADAPTIVE);
  options.control = CNF_CONTROL_FIXED;
  for (int i = 0; i < 3; ++i) {
    const int32_t orders[] = {-1, CNF_ADAMS_MOST + 1, INT32_MAX};
    options.order = orders[i];
    CHECK(cnf_solver_create(field, &options, &solver) == CNF_ERROR_OPTION);
  }
  options.order = 0, options.rtol = -1;
  if (is_implicit) CHECK(cnf_solver_create(field, &options, &solver) == CNF_ERROR_TOLERANCE);
  CHECK(solver == NULL);

  plan p = {.is_implicit = is_implicit, .steps = 8, .rtol = 1e-9, .t0 = 1, .t1 = 0};
  solver = adams_solver(field, p, 1, CNF_ISA_AUTOMATIC);
  for (int i = 0; i <= 8; ++i) fractions[i] = i / 8.0;
  CHECK(solve(solver, theta, x0, COUNT, p, NULL, &equal) == CNF_OK);
  CHECK(solve(solver, theta, x0, COUNT, p, fractions, &s) == CNF_OK && memcmp(&s, &equal, sizeof s) == 0);
  fractions[3] += 0x1p-53; /* rounding */
  CHECK(solve(solver, theta, x0, COUNT, p, fractions, &s) == CNF_OK);
  fractions[3] += 1e-3;
  CHECK(solve(solver, theta, x0, COUNT, p, fractions, &s) == CNF_ERROR_UNEQUAL_STEPS);
  CHECK(pattern_intact(&s, sizeof s));

  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = theta, .x0 = x0, .count = COUNT, .t0 = 1, .t1 = 0};
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .x0 = s.x1};
  if (is_implicit) CHECK(cnf_solve_vjp(solver, &input, &loss, NULL, &gradient) == CNF_ERROR_METHOD_GRADIENT);
  CHECK(pattern_intact(&s, sizeof s));
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

int main(void) {
  test_algebra();
  test_order_of_formulas();
  for (int i = 0; i < 8; ++i) test_rounded_times(i & 1 ? CNF_FLOAT64 : CNF_FLOAT32, i >> 1 & 1, i >> 2 & 1);
  for (int is_implicit = 0; is_implicit < 2; ++is_implicit) {
    for (int order = 0; order <= 12; ++order)
      for (int backward = 0; backward < 2; ++backward) {
        const plan p = {is_implicit, order, order > 8 || order == 0 ? 20 : 30, 1e-9, backward, !backward};
        test_reference(p);
      }
    for (int order = 1; order <= 8; ++order) test_order_of_solves(is_implicit, order);
    test_divergence(is_implicit);
    test_refusals(is_implicit);
  }
  for (int32_t isa = CNF_ISA_AUTOMATIC; isa <= CNF_ISA_AVX512; ++isa) {
    if (isa != CNF_ISA_AUTOMATIC && !cnf_isa_is_available(isa)) continue;
    test_independence((plan){.is_implicit = 0, .steps = 12, .rtol = 1e-9, .t1 = 1}, isa);
    test_independence((plan){.is_implicit = 1, .steps = 12, .rtol = 1e-8, .t0 = 4}, isa);
  }
  return check_report();
}
