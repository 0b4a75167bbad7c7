/* rosenbrock_test.c - Rosenbrock methods: order conditions, convergence, damping of stiff components, equal bits alone
 * and in a batch, and wrong options. */
#include "callback_fixture.h"
#include "solve/methods/tableau.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { S = CNF_ROSENBROCK_STAGES };

/* ---- Order conditions: Hairer and Wanner II, table IV.7.2, of k_i = h f(x + sum alpha_ij k_j) + h J sum gamma_ij
 * k_j ---- */

/* Computes alpha, gamma and b from the coefficients of the transformed stages u = Gamma k: Gamma = (1/gamma - C)^-1,
 * alpha = a Gamma, b = m Gamma. */
static void original_coefficients(const cnf_tableau *t, const double m[], double alpha[S][S], double gamma[S][S],
                                  double b[S]) {
  const cnf_rosenbrock *r = t->rosenbrock;
  for (int i = 0; i < t->stages; i++)
    for (int j = 0; j < t->stages; j++) {
      double sum = i == j;
      for (int l = 0; l < i; l++) sum += r->c[i][l] * gamma[l][j];
      gamma[i][j] = j > i ? 0 : r->gamma * sum;
    }
  for (int j = 0; j < t->stages; j++) {
    b[j] = 0;
    for (int l = 0; l < t->stages; l++) b[j] += m[l] * gamma[l][j];
    for (int i = 0; i < t->stages; i++) {
      alpha[i][j] = 0;
      for (int l = 0; l < i; l++) alpha[i][j] += t->a[i][l] * gamma[l][j];
    }
  }
}

/* The largest error of the conditions of order 1 to 4; beta = alpha + gamma, sums over all indices. */
static double worst(int order, int stages, double alpha[S][S], double gamma[S][S], const double b[S]) {
  double alpha_i[S] = {0}, beta_i[S] = {0}, beta[S][S], error = 0, sums[8] = {0};
  for (int i = 0; i < stages; i++)
    for (int j = 0; j < stages; j++) {
      beta[i][j] = alpha[i][j] + gamma[i][j];
      alpha_i[i] += alpha[i][j], beta_i[i] += beta[i][j];
    }
  for (int i = 0; i < stages; i++) {
    double beta_beta = 0, alpha_beta = 0, beta_square = 0, beta_beta_beta = 0;
    for (int j = 0; j < stages; j++) {
      beta_beta += beta[i][j] * beta_i[j];
      alpha_beta += alpha[i][j] * beta_i[j];
      beta_square += beta[i][j] * alpha_i[j] * alpha_i[j];
      for (int l = 0; l < stages; l++) beta_beta_beta += beta[i][j] * beta[j][l] * beta_i[l];
    }
    sums[0] += b[i];
    sums[1] += b[i] * beta_i[i];
    sums[2] += b[i] * alpha_i[i] * alpha_i[i];
    sums[3] += b[i] * beta_beta;
    sums[4] += b[i] * alpha_i[i] * alpha_i[i] * alpha_i[i];
    sums[5] += b[i] * alpha_i[i] * alpha_beta;
    sums[6] += b[i] * beta_square;
    sums[7] += b[i] * beta_beta_beta;
  }
  const double expected[8] = {1, 1.0 / 2, 1.0 / 3, 1.0 / 6, 1.0 / 4, 1.0 / 8, 1.0 / 12, 1.0 / 24};
  const int orders[8] = {1, 2, 3, 3, 4, 4, 4, 4};
  for (int n = 0; n < 8; n++)
    if (orders[n] == order) error = fmax(error, fabs(sums[n] - expected[n]));
  return error;
}

static void test_order_conditions(void) {
  /* coefficients of up to 34 with 16 digits, in sums of about twenty products of three */
  const double tolerance = 1e-11;
  int found = 0;
  for (int32_t method = 0; method < cnf_tableau_count(); method++) {
    const cnf_tableau *t = cnf_tableau_at(method);
    const cnf_rosenbrock *r = t->rosenbrock;
    double alpha[S][S], gamma[S][S], b[S], embedded[S], middle[S], m[S];
    if (!r) continue;
    found++;
    original_coefficients(t, t->b, alpha, gamma, b);
    for (int order = 1; order <= t->order; order++) CHECK(worst(order, t->stages, alpha, gamma, b) < tolerance);
    for (int i = 0; i < t->stages; i++) {
      double alpha_i = 0, gamma_i = 0;
      for (int j = 0; j < t->stages; j++) alpha_i += alpha[i][j], gamma_i += gamma[i][j];
      CHECK(fabs(alpha_i - r->alpha[i]) < tolerance && fabs(gamma_i - r->d[i]) < tolerance);
      m[i] = t->b[i] - t->e[i];
      /* stiffly accurate: b is the last row of beta */
      CHECK(fabs(b[i] - alpha[t->stages - 1][i] - gamma[t->stages - 1][i]) < tolerance);
    }
    original_coefficients(t, m, alpha, gamma, embedded);
    for (int order = 1; order <= t->embedded_order; order++)
      CHECK(worst(order, t->stages, alpha, gamma, embedded) < tolerance);
    CHECK(worst(t->embedded_order + 1, t->stages, alpha, gamma, embedded) > 1e-6);
    /* dense output at 1/2 as a step: sum b_i = 1/2, sum b_i beta_i = 1/8, … */
    for (int i = 0; i < t->stages; i++) m[i] = t->b[i] / 2 + r->h2[i] / 4 + r->h3[i] / 8;
    original_coefficients(t, m, alpha, gamma, middle);
    double sums[4] = {0};
    for (int i = 0; i < t->stages; i++) {
      double alpha_i = 0, beta_i = 0, beta_beta = 0;
      for (int j = 0; j < t->stages; j++) {
        double beta_j = 0;
        for (int l = 0; l < t->stages; l++) beta_j += alpha[j][l] + gamma[j][l];
        alpha_i += alpha[i][j], beta_i += alpha[i][j] + gamma[i][j];
        beta_beta += (alpha[i][j] + gamma[i][j]) * beta_j;
      }
      sums[0] += middle[i], sums[1] += middle[i] * beta_i, sums[2] += middle[i] * alpha_i * alpha_i;
      sums[3] += middle[i] * beta_beta;
    }
    CHECK(fabs(sums[0] - 1.0 / 2) < tolerance && fabs(sums[1] - 1.0 / 8) < tolerance);
    CHECK(fabs(sums[2] - 1.0 / 24) < tolerance && fabs(sums[3] - 1.0 / 48) < tolerance);
  }
  CHECK(found == 1);
}

/* ---- Solves ---------------------------------------------------------------------------------------------------- */

static cnf_solver *solver_of(const cnf_field *field, cnf_solver_options options) {
  cnf_solver *solver = NULL;
  options.method = cnf_method_find("rodas4");
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  return solver;
}
static cnf_solver_options options_of(int32_t control, int32_t trace) {
  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  options.control = control;
  options.trace = trace;
  options.threads = 1;
  return options;
}

/* x' = -x^3/2 cos t, y' = -x y + sin 3t: nonlinear, and depends on time. x = x0 / sqrt(1 + x0^2 sin t); the divergence
 * is -3/2 x^2 cos t - x, and the integral of its first term is -3/2 log(1 + x0^2 sin t). */
static void smooth(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  const double *time = t, *u = x, *v = u + lanes;
  double *f = y, *g = f + lanes;
  (void)context, (void)theta;
  for (int32_t j = 0; j < lanes; j++)
    f[j] = -0.5 * u[j] * u[j] * u[j] * cos(time[j]), g[j] = -u[j] * v[j] + sin(3 * time[j]);
}
static void smooth_tangent(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                           const void *x_dot, void *y_dot) {
  const double *time = t, *u = x, *v = u + lanes, *a = x_dot, *b = a + lanes;
  double *f = y_dot, *g = f + lanes;
  (void)context, (void)theta;
  for (int32_t j = 0; j < lanes; j++)
    f[j] = -1.5 * u[j] * u[j] * cos(time[j]) * a[j], g[j] = -a[j] * v[j] - u[j] * b[j];
}
static cnf_field *smooth_field(void) {
  const cnf_callback callback = {.struct_size = sizeof callback, .evaluate = smooth, .tangent = smooth_tangent};
  return callback_field(&callback, 2);
}

static void test_convergence(void) {
  cnf_field *field = smooth_field();
  const double x0[2] = {1.2, 0.4};
  double exact[3] = {0}, result[3], errors[2][2]; /* [steps][state, log-determinant] */
  const int32_t steps[3] = {64, 256, 4096};
  for (int n = 2; n >= 0; n--) {
    cnf_solver_options options = options_of(CNF_CONTROL_FIXED, CNF_TRACE_EXACT);
    options.steps = steps[n];
    cnf_solver *solver = solver_of(field, options);
    const cnf_solve_input in = {.struct_size = sizeof in, .x0 = x0, .count = 1, .t0 = 0, .t1 = 2};
    cnf_solve_output out = {.struct_size = sizeof out, .x1 = result, .log_det = &result[2]};
    CHECK(cnf_solve(solver, &in, &out) == CNF_OK);
    cnf_solver_destroy(solver);
    if (n == 2) {
      memcpy(exact, result, sizeof exact);
      continue;
    }
    errors[n][0] = hypot(result[0] - exact[0], result[1] - exact[1]);
    errors[n][1] = fabs(result[2] - exact[2]);
  }
  /* with 4096 steps, the error of 1.3e-9 (64/4096)^4 is below rounding, which is at most a few ulp per step */
  CHECK(fabs(exact[0] - x0[0] / sqrt(1 + x0[0] * x0[0] * sin(2))) < 1e-11);
  for (int part = 0; part < 2; part++) {
    const double slope = log(errors[0][part] / errors[1][part]) / log(4);
    if (fabs(slope - 4) >= 0.2) printf("slope %g, errors %g %g\n", slope, errors[0][part], errors[1][part]);
    CHECK(fabs(slope - 4) < 0.2);
  }
  cnf_field_destroy(field);
}

/* y' = -1e8 (y - cos t) */
static void relax(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  (void)context, (void)theta;
  for (int32_t j = 0; j < lanes; j++) ((double *)y)[j] = -1e8 * (((const double *)x)[j] - cos(((const double *)t)[j]));
}
static void relax_tangent(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                          const void *x_dot, void *y_dot) {
  (void)context, (void)t, (void)x, (void)theta;
  for (int32_t j = 0; j < lanes; j++) ((double *)y_dot)[j] = -1e8 * ((const double *)x_dot)[j];
}

static void test_damping(void) {
  const cnf_callback callback = {.struct_size = sizeof callback, .evaluate = relax, .tangent = relax_tangent};
  cnf_field *field = callback_field(&callback, 1);
  cnf_solver_options options = options_of(CNF_CONTROL_FIXED, CNF_TRACE_NONE);
  options.steps = 1;
  cnf_solver *solver = solver_of(field, options);
  double x0 = 3, x1;
  const cnf_solve_input in = {.struct_size = sizeof in, .x0 = &x0, .count = 1, .t0 = 0, .t1 = 0.1};
  cnf_solve_output out = {.struct_size = sizeof out, .x1 = &x1};
  CHECK(cnf_solve(solver, &in, &out) == CNF_OK);
  /* The stability function is 0 at infinity: of the initial distance 2 from cos t, only 2/z times a constant remains,
   * with z = 1e7. A method that is only A-stable would keep all of it. */
  CHECK(fabs(x1 - cos(0.1)) < 1e-4);
  cnf_solver_destroy(solver);

  /* Adaptive: only as many steps as cos t requires. dopri5 is stable for steps up to 3.3e-8, so 4096 of its steps do
   * not reach 1e-3. */
  int32_t status, accepted, rejected;
  double reached;
  cnf_solve_input far = in;
  far.t1 = 1;
  out.status = &status, out.accepted = &accepted, out.rejected = &rejected, out.t_reached = &reached;
  options = options_of(CNF_CONTROL_SAMPLE, CNF_TRACE_NONE);
  options.rtol = options.atol = 1e-6;
  solver = solver_of(field, options);
  CHECK(cnf_solve(solver, &far, &out) == CNF_OK);
  CHECK(status == CNF_SAMPLE_OK && accepted + rejected < 100 && fabs(x1 - cos(1)) < 1e-5);
  cnf_solver_destroy(solver);
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  CHECK(cnf_solve(solver, &far, &out) == CNF_OK);
  CHECK(status == CNF_SAMPLE_MAX_STEPS && accepted + rejected == 4096 && reached < 1e-3);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* A sample of a field of 3 rows has the same bits alone, in a batch, in a batch with samples that are NaN, and with 1
 * and 2 threads, with adaptive and fixed steps. */
static void test_independence(void) {
  enum { D = 3, COUNT = 37, H = 8, P = H * (D + 1) + H + D * H + D };
  const cnf_op ops[] = {
      {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},
      {.kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1},
      {.kind = CNF_OP_LINEAR, .input = 2, .input2 = CNF_NO_BLOCK, .rows = H, .activation = CNF_ACTIVATION_TANH},
      {.kind = CNF_OP_LINEAR, .input = 3, .input2 = CNF_NO_BLOCK, .rows = D}};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, D, ops, 4, sizeof(cnf_op), &field) == CNF_OK);
  double theta[P], x0[COUNT * D], together[COUNT * D], log_det[COUNT], other[COUNT * D], other_log_det[COUNT];
  int32_t status[COUNT], evaluations[COUNT], other_evaluations[COUNT];
  numbers(1, 2, P, theta);
  numbers(2, 1, COUNT * D, x0);
  for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; control++) {
    cnf_solver_options options = options_of(control, CNF_TRACE_EXACT);
    options.steps = 7;
    cnf_solver *one = solver_of(field, options);
    options.threads = 2;
    cnf_solver *two = solver_of(field, options);
    cnf_solve_input in = {.struct_size = sizeof in, .parameters = theta, .x0 = x0, .count = COUNT, .t0 = 0, .t1 = 1};
    cnf_solve_output out = {
        .struct_size = sizeof out, .x1 = together, .log_det = log_det, .status = status, .evaluations = evaluations};
    CHECK(cnf_solve(one, &in, &out) == CNF_OK);
    for (int i = 0; i < COUNT; i++) CHECK(status[i] == CNF_SAMPLE_OK && isfinite(together[i * D]));
    out.x1 = other, out.log_det = other_log_det, out.evaluations = other_evaluations;
    CHECK(cnf_solve(two, &in, &out) == CNF_OK);
    CHECK(memcmp(together, other, sizeof other) == 0 && memcmp(log_det, other_log_det, sizeof log_det) == 0);
    CHECK(memcmp(evaluations, other_evaluations, sizeof evaluations) == 0);
    for (int i = 0; i < COUNT; i++) { /* alone, with kernels for one lane */
      in.x0 = x0 + i * D, in.count = 1;
      CHECK(cnf_solve(one, &in, &out) == CNF_OK);
      CHECK(memcmp(together + i * D, other, D * sizeof *other) == 0 && log_det[i] == other_log_det[0]);
      CHECK(evaluations[i] == other_evaluations[0]);
    }
    double failing[COUNT * D];
    memcpy(failing, x0, sizeof failing);
    failing[5 * D + 1] = NAN, failing[20 * D] = INFINITY;
    in.x0 = failing, in.count = COUNT;
    CHECK(cnf_solve(two, &in, &out) == CNF_OK);
    for (int i = 0; i < COUNT; i++) {
      if (i == 5 || i == 20)
        CHECK(status[i] == CNF_SAMPLE_NOT_FINITE);
      else
        CHECK(memcmp(together + i * D, other + i * D, D * sizeof *other) == 0 && status[i] == CNF_SAMPLE_OK);
    }
    /* float agrees up to rounding in a few tens of steps with coefficients up to 34, and to the tolerance of 1e-5 */
    if (control == CNF_CONTROL_SAMPLE) {
      cnf_field *single = NULL;
      float theta_f32[P], x0_f32[COUNT * D], x1_f32[COUNT * D];
      for (int n = 0; n < P; n++) theta_f32[n] = (float)theta[n];
      for (int n = 0; n < COUNT * D; n++) x0_f32[n] = (float)x0[n];
      CHECK(cnf_field_create(CNF_FLOAT32, D, ops, 4, sizeof(cnf_op), &single) == CNF_OK);
      cnf_solver *narrow = solver_of(single, options);
      in.parameters = theta_f32, in.x0 = x0_f32, out.x1 = x1_f32;
      CHECK(cnf_solve(narrow, &in, &out) == CNF_OK);
      for (int n = 0; n < COUNT * D; n++)
        CHECK(status[n / D] == CNF_SAMPLE_OK && fabs(x1_f32[n] - together[n]) < 1e-3 * (1 + fabs(together[n])));
      CHECK(fabs(other_log_det[0] - log_det[0]) < 1e-3 * (1 + fabs(log_det[0])));
      cnf_solver_destroy(narrow);
      cnf_field_destroy(single);
      /* a solve of a net with a Lipschitz constant of about 1e8 ends, whatever the status */
      int32_t accepted[COUNT], rejected[COUNT];
      double wild[P];
      for (int n = 0; n < P; n++) wild[n] = 1e4 * theta[n];
      in.parameters = wild, in.x0 = x0, out.x1 = other, out.accepted = accepted, out.rejected = rejected;
      CHECK(cnf_solve(two, &in, &out) == CNF_OK);
      for (int i = 0; i < COUNT; i++) CHECK(accepted[i] + rejected[i] <= 4096 && status[i] <= CNF_SAMPLE_NOT_FINITE);
    }
    cnf_solver_destroy(one);
    cnf_solver_destroy(two);
  }
  cnf_field_destroy(field);
}

/* Linear fields x' = A x: log-determinants of tr(A) t, Lipschitz constants up to 1e8, and singular matrices. */
static void test_linear(void) {
  enum { D = 11, P = D * D + D }; /* D: more tangents than are computed at once */
  const cnf_op op = {.kind = CNF_OP_LINEAR, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = D};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, D, &op, 1, sizeof(cnf_op), &field) == CNF_OK);
  double theta[P], x0[D], x1[D], log_det, trace = 0;
  int32_t status, accepted, rejected;
  numbers(3, 1, P, theta);
  numbers(4, 1, D, x0);
  for (int d = 0; d < D; d++) trace += theta[d * D + d];
  cnf_solver_options options = options_of(CNF_CONTROL_SAMPLE, CNF_TRACE_EXACT);
  options.max_steps = 500;
  cnf_solver *solver = solver_of(field, options);
  const cnf_solve_input in = {.struct_size = sizeof in, .parameters = theta, .x0 = x0, .count = 1, .t0 = 0, .t1 = 0.5};
  cnf_solve_output out = {.struct_size = sizeof out,
                          .x1 = x1,
                          .log_det = &log_det,
                          .status = &status,
                          .accepted = &accepted,
                          .rejected = &rejected};
  CHECK(cnf_solve(solver, &in, &out) == CNF_OK);
  /* Simpson's rule is exact for a constant, so there is only the rounding of the sum */
  CHECK(status == CNF_SAMPLE_OK && fabs(log_det - trace / 2) < 500 * DBL_EPSILON * (1 + fabs(trace)));
  for (int n = 0; n < P; n++) theta[n] *= 1e8;
  CHECK(cnf_solve(solver, &in, &out) == CNF_OK);
  CHECK(status != CNF_SAMPLE_OK && accepted + rejected <= 500); /* e^(1e8) overflows a double */
  cnf_solver_destroy(solver);
  /* singular: h J = 1/gamma exactly, with h = 1/4 and J = 16 */
  memset(theta, 0, sizeof theta);
  for (int d = 0; d < D; d++) theta[d * D + d] = 16;
  options = options_of(CNF_CONTROL_FIXED, CNF_TRACE_NONE);
  options.steps = 2;
  solver = solver_of(field, options);
  CHECK(cnf_solve(solver, &in, &out) == CNF_OK);
  CHECK(status == CNF_SAMPLE_NOT_FINITE && log_det == 0);
  cnf_solver_destroy(solver);
  options.control = CNF_CONTROL_SAMPLE;
  options.initial_step = 0.25;
  solver = solver_of(field, options);
  CHECK(cnf_solve(solver, &in, &out) == CNF_OK);
  CHECK(status == CNF_SAMPLE_OK && rejected >= 1);
  CHECK(fabs(x1[0] / (x0[0] * exp(8)) - 1) < 8 * 1e-3); /* errors of 1e-5 per step grow by up to e^8 */
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

static void test_families(void) {
  for (int32_t method = 0; method < cnf_method_count(); method++) {
    cnf_method_info method_info = {.struct_size = sizeof method_info, .family = -1};
    CHECK(cnf_method_get(method, &method_info) == CNF_OK);
    CHECK((method_info.family == CNF_FAMILY_ROSENBROCK) == (strcmp(method_info.name, "rodas4") == 0));
    CHECK(method_info.family >= CNF_FAMILY_RUNGE_KUTTA && method_info.family <= CNF_FAMILY_REVERSIBLE);
  }
}

static void test_wrong_options(void) {
  cnf_field *field = smooth_field();
  cnf_solver *solver = NULL;
  cnf_solver_options options = options_of(CNF_CONTROL_SAMPLE, CNF_TRACE_HUTCHINSON);
  options.method = cnf_method_find("rodas4");
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_ERROR_TRACE);
  options.trace = CNF_TRACE_AUTOMATIC;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  cnf_solver_info info = {.struct_size = sizeof info};
  CHECK(cnf_solver_get_info(solver, &info) == CNF_OK && info.trace == CNF_TRACE_EXACT_TANGENTS);
  double x0[2] = {1, 1};
  const cnf_solve_input in = {.struct_size = sizeof in, .x0 = x0, .count = 1, .t0 = 0, .t1 = 1};
  /* without a trace, the divergence of an evaluation is 0, although the method computes tangents */
  double velocity[2], divergence = 1;
  CHECK(cnf_solver_evaluate(solver, &in, velocity, &divergence) == CNF_OK && divergence == -1.5 - 1);
  cnf_solver_destroy(solver);
  options.trace = CNF_TRACE_NONE;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  CHECK(cnf_solver_evaluate(solver, &in, velocity, &divergence) == CNF_OK && divergence == 0);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);

  const cnf_callback without_tangent = {.struct_size = sizeof without_tangent, .evaluate = smooth};
  field = callback_field(&without_tangent, 2);
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_ERROR_CALLBACK_TANGENT);
  cnf_field_destroy(field);
  const cnf_op wide = {
      .kind = CNF_OP_ACTIVATION, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .activation = CNF_ACTIVATION_TANH};
  CHECK(cnf_field_create(CNF_FLOAT32, CNF_ROSENBROCK_ROWS + 1, &wide, 1, sizeof(cnf_op), &field) == CNF_OK);
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_ERROR_METHOD_SIZE);
  cnf_field_destroy(field);
  CHECK(cnf_field_create(CNF_FLOAT32, 2, &wide, 1, sizeof(cnf_op), &field) == CNF_OK);
  options.precision = CNF_PRECISION_MIXED;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_ERROR_DTYPE);
  cnf_field_destroy(field);
}

int main(void) {
  test_order_conditions();
  test_convergence();
  test_damping();
  test_independence();
  test_linear();
  test_families();
  test_wrong_options();
  return check_report();
}
