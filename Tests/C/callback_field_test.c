/* callback_field_test.c - a field that is one callback: exact gradients, errors for missing functions, and failures of
 * single samples that do not affect the others. */
#include <math.h>

#include "callback_fixture.h"

enum { D = 3, COUNT = 21 };

static double input_x0[COUNT * D];

/* ---- The field: y_0' = theta_0 sin(theta_1 t) y_0 y_1, y_1' = theta_2 y_0^2 + cos(y_1), y_2' = y_0 y_1 y_2 t ---- */

/* The Jacobian and the derivatives of v' J w are written out. The rows of J are
 *   [a s y1, a s y0, 0], [2 c y0, -sin y1, 0], [t y1 y2, t y0 y2, t y0 y1]      with a, b, c = theta and s = sin(b
 * t). */
#define OWN_NAMES                                                                       \
  const double *T = t, *X = x, *P = theta;                                              \
  const double a = P[0], b = P[1], c = P[2], u = T[j], s = sin(b * u), ds = cos(b * u); \
  const double y0 = X[j], y1 = X[lanes + j], y2 = X[2 * lanes + j];                     \
  (void)context, (void)a, (void)b, (void)c, (void)s, (void)ds, (void)y0, (void)y1, (void)y2, (void)P

static void own_evaluate(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  double *Y = y;
  for (int32_t j = 0; j < lanes; j++) {
    OWN_NAMES;
    Y[j] = a * s * y0 * y1;
    Y[lanes + j] = c * y0 * y0 + cos(y1);
    Y[2 * lanes + j] = y0 * y1 * y2 * u;
  }
}
static void own_tangent(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                        const void *x_dot, void *y_dot) {
  const double *W = x_dot;
  double *Y = y_dot;
  for (int32_t j = 0; j < lanes; j++) {
    OWN_NAMES;
    const double w0 = W[j], w1 = W[lanes + j], w2 = W[2 * lanes + j];
    Y[j] = a * s * (y1 * w0 + y0 * w1);
    Y[lanes + j] = 2 * c * y0 * w0 - sin(y1) * w1;
    Y[2 * lanes + j] = u * (y1 * y2 * w0 + y0 * y2 * w1 + y0 * y1 * w2);
  }
}
static void own_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                        const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  const double *V = y_bar;
  double *X_ = x_bar, *T_ = t_bar, *P_ = theta_bar;
  for (int32_t j = 0; j < lanes; j++) {
    OWN_NAMES;
    const double v0 = V[j], v1 = V[lanes + j], v2 = V[2 * lanes + j];
    X_[j] = v0 * a * s * y1 + v1 * 2 * c * y0 + v2 * u * y1 * y2;
    X_[lanes + j] = v0 * a * s * y0 - v1 * sin(y1) + v2 * u * y0 * y2;
    X_[2 * lanes + j] = v2 * u * y0 * y1;
    T_[j] = v0 * a * b * ds * y0 * y1 + v2 * y0 * y1 * y2;
    P_[0] += v0 * s * y0 * y1;
    P_[1] += v0 * a * u * ds * y0 * y1;
    P_[2] += v1 * y0 * y0;
  }
}
static void own_tangent_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                                const void *x_dot, const void *y_dot_bar, void *x_bar, void *x_dot_bar, void *t_bar,
                                void *theta_bar) {
  const double *W = x_dot, *V = y_dot_bar;
  double *X_ = x_bar, *W_ = x_dot_bar, *T_ = t_bar, *P_ = theta_bar;
  for (int32_t j = 0; j < lanes; j++) {
    OWN_NAMES;
    const double w0 = W[j], w1 = W[lanes + j], w2 = W[2 * lanes + j];
    const double v0 = V[j], v1 = V[lanes + j], v2 = V[2 * lanes + j];
    W_[j] = v0 * a * s * y1 + v1 * 2 * c * y0 + v2 * u * y1 * y2;
    W_[lanes + j] = v0 * a * s * y0 - v1 * sin(y1) + v2 * u * y0 * y2;
    W_[2 * lanes + j] = v2 * u * y0 * y1;
    X_[j] = v0 * a * s * w1 + v1 * 2 * c * w0 + v2 * u * (y2 * w1 + y1 * w2);
    X_[lanes + j] = v0 * a * s * w0 - v1 * cos(y1) * w1 + v2 * u * (y2 * w0 + y0 * w2);
    X_[2 * lanes + j] = v2 * u * (y1 * w0 + y0 * w1);
    const double m = y1 * w0 + y0 * w1;
    T_[j] = v0 * a * b * ds * m + v2 * (y1 * y2 * w0 + y0 * y2 * w1 + y0 * y1 * w2);
    P_[0] += v0 * s * m;
    P_[1] += v0 * a * u * ds * m;
    P_[2] += v1 * 2 * y0 * w0;
  }
}

static const cnf_callback own = {.struct_size = sizeof(cnf_callback),
                                 .parameter_count = 3,
                                 .evaluate = own_evaluate,
                                 .tangent = own_tangent,
                                 .reverse = own_reverse,
                                 .tangent_reverse = own_tangent_reverse};

/* The sum of losses with fixed steps, as a function of every variable that the gradient is taken of. */
static double own_loss(cnf_solver *solver, const double *theta, const double *x0, double t0, double t1) {
  double x1[COUNT * D], log_det[COUNT], loss = 0;
  const cnf_solve_input in = {
      .struct_size = sizeof in, .parameters = theta, .x0 = x0, .count = COUNT, .t0 = t0, .t1 = t1, .seed = 5};
  cnf_solve_output out = {.struct_size = sizeof out, .x1 = x1, .log_det = log_det};
  CHECK(cnf_solve(solver, &in, &out) == CNF_OK);
  for (int i = 0; i < COUNT; i++) {
    loss -= log_det[i];
    for (int d = 0; d < D; d++) loss += 0.5 * x1[i * D + d] * x1[i * D + d];
  }
  return loss;
}

/* dx/dt = g(t) tanh(x), row by row: a callback that reads the time alone, so no tangent runs through it. */
static cnf_field *forced_field(void) {
  const cnf_op ops[] = {
      {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},
      {.kind = CNF_OP_CONCAT, .input = 1, .input2 = 1},
      {.kind = CNF_OP_CONCAT, .input = 2, .input2 = 1},
      {.kind = CNF_OP_CALLBACK, .input = 3, .input2 = CNF_NO_BLOCK, .rows = D, .callback = &own},
      {.kind = CNF_OP_ACTIVATION, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .activation = CNF_ACTIVATION_TANH},
      {.kind = CNF_OP_MULTIPLY, .input = 5, .input2 = 4}};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, D, ops, sizeof ops / sizeof ops[0], sizeof ops[0], &field) == CNF_OK);
  return field;
}

/* A central difference with step e has an error of about e^2 |L'''|/6 + DBL_EPSILON |L| / e. With e = 1e-5 and |L|,
 * |L'''| of order 10, both terms are 2e-10. The test allows a relative error of 1e-7. */
static void test_central_differences(cnf_field *field, int32_t trace) {
  const double e = 1e-5, tolerance = 1e-7;
  cnf_solver *solver =
      make_solver(field, (setting){.trace = trace, .probes = 2, .control = CNF_CONTROL_FIXED, .threads = 2});
  double theta[3] = {0.7, 1.3, 0.4}, x0[COUNT * D], theta_bar[3], x0_bar[COUNT * D], t0_bar[COUNT], t1_bar[COUNT];
  double got[3 + 4 + 2] = {0}, expected[3 + 4 + 2], t[2] = {0.2, 1.1};
  memcpy(x0, input_x0, sizeof x0);
  const cnf_solve_input in = {
      .struct_size = sizeof in, .parameters = theta, .x0 = x0, .count = COUNT, .t0 = t[0], .t1 = t[1], .seed = 5};
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_gradient gradient = {
      .struct_size = sizeof gradient, .parameters = theta_bar, .x0 = x0_bar, .t0 = t0_bar, .t1 = t1_bar};
  CHECK(cnf_solve_vjp(solver, &in, &loss, NULL, &gradient) == CNF_OK);
  memcpy(got, theta_bar, sizeof theta_bar);
  const int places[4] = {0, 1, 2, COUNT * D - 1};
  for (int i = 0; i < 4; i++) got[3 + i] = x0_bar[places[i]];
  for (int i = 0; i < COUNT; i++) got[7] += t0_bar[i], got[8] += t1_bar[i];
  double *variables[9] = {theta,          theta + 1,      theta + 2, &x0[places[0]], &x0[places[1]],
                          &x0[places[2]], &x0[places[3]], t,         t + 1};
  for (int i = 0; i < 9; i++) {
    const double kept = *variables[i];
    *variables[i] = kept + e;
    const double above = own_loss(solver, theta, x0, t[0], t[1]);
    *variables[i] = kept - e;
    expected[i] = (above - own_loss(solver, theta, x0, t[0], t[1])) / (2 * e);
    *variables[i] = kept;
    char detail[128];
    snprintf(detail, sizeof detail, "trace %d, variable %d: %.12g, by differences %.12g", (int)trace, i, got[i],
             expected[i]);
    check_count(fabs(got[i] - expected[i]) <= tolerance * fmax(1, fabs(expected[i])),
                "gradient equals central differences", detail, __LINE__);
  }
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* ---- Missing functions ------------------------------------------------------------------------------------------- */

static cnf_status try_solver(const cnf_callback *callback, int32_t trace, cnf_solver **solver) {
  cnf_field *field = callback_field(callback, D);
  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  options.trace = trace;
  *solver = NULL;
  const cnf_status status = cnf_solver_create(field, &options, solver);
  cnf_field_destroy(field);
  return status;
}
static cnf_status try_gradient(cnf_solver *solver) {
  const double theta[3] = {1, 1, 1}, x0[D] = {0.1, 0.2, 0.3};
  double theta_bar[3];
  pattern_fill(theta_bar, sizeof theta_bar);
  const cnf_solve_input in = {.struct_size = sizeof in, .parameters = theta, .x0 = x0, .count = 1, .t1 = 1};
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = theta_bar};
  const cnf_status status = cnf_solve_vjp(solver, &in, &loss, NULL, &gradient);
  CHECK(status == CNF_OK || pattern_intact(theta_bar, sizeof theta_bar));
  return status;
}

static void test_missing_functions(void) {
  cnf_solver *solver;
  cnf_callback callback = own;
  callback.tangent = NULL;
  CHECK_STATUS(CNF_ERROR_CALLBACK_TANGENT, try_solver(&callback, CNF_TRACE_EXACT, &solver), "no tangent, exact");
  CHECK_STATUS(CNF_ERROR_CALLBACK_TANGENT, try_solver(&callback, CNF_TRACE_HUTCHINSON, &solver), "no tangent, probes");
  CHECK_STATUS(CNF_ERROR_TRACE, try_solver(&callback, CNF_TRACE_EXACT_PRODUCT, &solver), "no net");
  CHECK_STATUS(CNF_OK, try_solver(&callback, CNF_TRACE_NONE, &solver), "no tangent, no trace");
  CHECK_STATUS(CNF_OK, try_gradient(solver), "its gradient");
  cnf_solver_destroy(solver);
  callback = own, callback.reverse = NULL;
  CHECK_STATUS(CNF_OK, try_solver(&callback, CNF_TRACE_EXACT, &solver), "no reverse, solved only");
  CHECK_STATUS(CNF_ERROR_CALLBACK_REVERSE, try_gradient(solver), "no reverse");
  cnf_solver_destroy(solver);
  callback = own, callback.tangent_reverse = NULL;
  CHECK_STATUS(CNF_OK, try_solver(&callback, CNF_TRACE_HUTCHINSON, &solver), "no tangent_reverse, solved only");
  CHECK_STATUS(CNF_ERROR_CALLBACK_TANGENT_REVERSE, try_gradient(solver), "no tangent_reverse, divergence");
  cnf_solver_destroy(solver);
  CHECK_STATUS(CNF_OK, try_solver(&callback, CNF_TRACE_NONE, &solver), "no tangent_reverse, no trace");
  CHECK_STATUS(CNF_OK, try_gradient(solver), "its gradient");
  cnf_solver_destroy(solver);
}

static void test_bad_ops(void) {
  const struct {
    cnf_status status;
    cnf_callback callback;
    int32_t rows;
  } bad[] = {
      {CNF_ERROR_STRUCT_SIZE, {.struct_size = 8, .evaluate = own_evaluate}, D},
      {CNF_ERROR_NULL, {.struct_size = sizeof(cnf_callback)}, D},
      {CNF_ERROR_SIZE, {.struct_size = sizeof(cnf_callback), .evaluate = own_evaluate, .parameter_count = SIZE_MAX}, D},
      {CNF_ERROR_OP_SHAPE, {.struct_size = sizeof(cnf_callback), .evaluate = own_evaluate}, 0},
      {CNF_ERROR_FIELD_SHAPE, {.struct_size = sizeof(cnf_callback), .evaluate = own_evaluate}, D + 1}};
  for (size_t i = 0; i <= sizeof bad / sizeof bad[0]; i++) {
    const int none = i == sizeof bad / sizeof bad[0];
    const cnf_op op = {.kind = CNF_OP_CALLBACK,
                       .input2 = CNF_NO_BLOCK,
                       .rows = none ? D : bad[i].rows,
                       .callback = none ? NULL : &bad[i].callback};
    cnf_field *field;
    int32_t bad_op = 7;
    pattern_fill(&field, sizeof field);
    CHECK_STATUS(none ? CNF_ERROR_NULL : bad[i].status,
                 cnf_field_create_explained(CNF_FLOAT64, D, &op, 1, sizeof(cnf_op), &field, &bad_op), "a bad callback");
    CHECK(bad_op == 0 && pattern_intact(&field, sizeof field));
  }
}

/* ---- Lanes that fail
 * ----------------------------------------------------------------------------------------------- */

/* x' = (theta cos t, 0). It is NaN from t = 0.5 on for samples whose second row, a constant, is above 1. */
static void marked_evaluate(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  const double *T = t, *X = x, *P = theta;
  double *Y = y;
  (void)context;
  for (int32_t j = 0; j < lanes; j++) {
    Y[j] = X[lanes + j] > 1 && T[j] > 0.5 ? NAN : P[0] * cos(T[j]);
    Y[lanes + j] = 0;
  }
}
static void marked_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                           const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  const double *T = t, *P = theta, *V = y_bar;
  double *T_ = t_bar, *P_ = theta_bar;
  (void)context, (void)x, (void)x_bar;
  for (int32_t j = 0; j < lanes; j++) T_[j] = -V[j] * P[0] * sin(T[j]), P_[0] += V[j] * cos(T[j]);
}

static void test_nan(int32_t control) {
  enum { N = 11, BAD = 4, MOST_EVALUATIONS = 1000 };
  const cnf_callback marked = {
      .struct_size = sizeof marked, .parameter_count = 1, .evaluate = marked_evaluate, .reverse = marked_reverse};
  cnf_field *field = callback_field(&marked, 2);
  cnf_solver *solver = make_solver(field, (setting){.trace = CNF_TRACE_NONE, .control = control, .threads = 2});
  double x0[N * 2], x1[2][N * 2], theta = 1.5, theta_bar[2], x0_bar[2][N * 2];
  int32_t status[2][N], evaluations[2][N];
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  for (int run = 0; run < 2; run++) {
    for (int i = 0; i < N; i++) x0[2 * i] = 0.1 * i, x0[2 * i + 1] = run && i == BAD ? 2 : 0.01 * i;
    const cnf_solve_input in = {.struct_size = sizeof in, .parameters = &theta, .x0 = x0, .count = N, .t0 = 0, .t1 = 2};
    cnf_solve_output out = {
        .struct_size = sizeof out, .x1 = x1[run], .status = status[run], .evaluations = evaluations[run]};
    cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = &theta_bar[run], .x0 = x0_bar[run]};
    CHECK(cnf_solve_vjp(solver, &in, &loss, &out, &gradient) == CNF_OK);
    CHECK(isfinite(theta_bar[run]));
  }
  for (int i = 0; i < N; i++) {
    CHECK(status[1][i] == (i == BAD ? CNF_SAMPLE_NOT_FINITE : CNF_SAMPLE_OK) && status[0][i] == CNF_SAMPLE_OK);
    CHECK(evaluations[1][i] <= MOST_EVALUATIONS);
    if (i == BAD) continue;
    CHECK(memcmp(&x1[0][2 * i], &x1[1][2 * i], 2 * sizeof(double)) == 0);
    CHECK(memcmp(&x0_bar[0][2 * i], &x0_bar[1][2 * i], 2 * sizeof(double)) == 0);
  }
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* The solution of y' = y^2 has a pole at 1/y(0). */
static void square_evaluate(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  (void)context, (void)t, (void)theta;
  for (int32_t j = 0; j < lanes; j++) ((double *)y)[j] = ((const double *)x)[j] * ((const double *)x)[j];
}
static void test_pole(void) {
  enum { N = 5, MOST_EVALUATIONS = 6 * 4096 + 2 }; /* dopri5 and the default of max_steps */
  const cnf_callback square = {.struct_size = sizeof square, .evaluate = square_evaluate};
  cnf_field *field = callback_field(&square, 1);
  cnf_solver *solver = make_solver(field, (setting){.trace = CNF_TRACE_NONE, .control = CNF_CONTROL_SAMPLE});
  const double x0[N] = {0.1, 1, -1, 2, 0}; /* poles at 10, 1, -1, 0.5 and nowhere */
  double x1[N], t[N];
  int32_t status[N], evaluations[N];
  const cnf_solve_input in = {.struct_size = sizeof in, .x0 = x0, .count = N, .t0 = 0, .t1 = 4};
  cnf_solve_output out = {
      .struct_size = sizeof out, .x1 = x1, .status = status, .t_reached = t, .evaluations = evaluations};
  CHECK(cnf_solve(solver, &in, &out) == CNF_OK);
  for (int i = 0; i < N; i++) {
    const int meets_pole = x0[i] * in.t1 > 1;
    CHECK(meets_pole == (status[i] != CNF_SAMPLE_OK) && evaluations[i] <= MOST_EVALUATIONS);
    /* Each step has an error of 1e-6. The solution is of order 1 and damps it, or at 0.1 amplifies it by (1/0.6)^2. */
    if (meets_pole)
      CHECK(fabs(t[i] - 1 / x0[i]) < 1e-2);
    else
      CHECK(fabs(x1[i] - x0[i] / (1 - x0[i] * in.t1)) < 1e-5);
  }
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* x' = theta sqrt(x) is finite at 0, the state of an idle lane, but has no derivative there. */
static void root_evaluate(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  (void)context, (void)t;
  for (int32_t j = 0; j < lanes; j++) ((double *)y)[j] = *(const double *)theta * sqrt(((const double *)x)[j]);
}
static void root_tangent(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                         const void *x_dot, void *y_dot) {
  (void)context, (void)t;
  for (int32_t j = 0; j < lanes; j++)
    ((double *)y_dot)[j] = *(const double *)theta * ((const double *)x_dot)[j] / (2 * sqrt(((const double *)x)[j]));
}
static void root_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                         const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  (void)context, (void)t, (void)t_bar;
  for (int32_t j = 0; j < lanes; j++) {
    const double v = ((const double *)y_bar)[j], root = sqrt(((const double *)x)[j]);
    ((double *)x_bar)[j] = *(const double *)theta * v / (2 * root);
    *(double *)theta_bar += v * root;
  }
}
static void root_tangent_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                                 const void *x_dot, const void *y_dot_bar, void *x_bar, void *x_dot_bar, void *t_bar,
                                 void *theta_bar) {
  (void)context, (void)t, (void)t_bar;
  for (int32_t j = 0; j < lanes; j++) {
    const double v = ((const double *)y_dot_bar)[j], w = ((const double *)x_dot)[j], y = ((const double *)x)[j];
    const double slope = 1 / (2 * sqrt(y));
    ((double *)x_dot_bar)[j] = *(const double *)theta * v * slope;
    ((double *)x_bar)[j] = -*(const double *)theta * v * w * slope / (2 * y);
    *(double *)theta_bar += v * w * slope;
  }
}
static void test_empty_lanes(int32_t control, int64_t store_bytes) {
  enum { N = 3 }; /* more than are solved one by one, and fewer than the lanes of a tile */
  const cnf_callback root = {.struct_size = sizeof root,
                             .parameter_count = 1,
                             .evaluate = root_evaluate,
                             .tangent = root_tangent,
                             .reverse = root_reverse,
                             .tangent_reverse = root_tangent_reverse};
  cnf_field *field = callback_field(&root, 1);
  cnf_solver *solver = make_solver(
      field, (setting){.trace = CNF_TRACE_HUTCHINSON, .probes = 1, .control = control, .store_bytes = store_bytes});
  const double x0[N] = {1, 2, 3}, theta = 0.5, t1 = 1;
  double theta_bar = NAN, expected = 0;
  const cnf_solve_input in = {.struct_size = sizeof in, .parameters = &theta, .x0 = x0, .count = N, .t0 = 0, .t1 = t1};
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = &theta_bar};
  CHECK(cnf_solve_vjp(solver, &in, &loss, NULL, &gradient) == CNF_OK);
  /* With r = sqrt(x0), sqrt(x1) = r + theta t/2 and log_det = log(sqrt(x1)/r), and L = x1^2/2 - log_det. */
  for (int i = 0; i < N; i++) {
    const double end = sqrt(x0[i]) + theta * t1 / 2;
    expected += 2 * end * end * end * t1 / 2 - t1 / (2 * end);
  }
  /* dopri5 with a tolerance of 1e-6, or with 5 steps of 0.2, has an error of about 1e-6 here, and so has the
   * gradient. */
  CHECK(fabs(theta_bar - expected) < 1e-5 * expected);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

int main(void) {
  numbers(2, 0.7, COUNT * D, input_x0);
  for (int32_t trace = CNF_TRACE_NONE; trace <= CNF_TRACE_EXACT_TANGENTS; trace++) {
    if (trace == CNF_TRACE_EXACT) continue; /* means EXACT_TANGENTS here */
    test_central_differences(callback_field(&own, D), trace);
    test_central_differences(forced_field(), trace);
  }
  test_missing_functions();
  test_bad_ops();
  test_nan(CNF_CONTROL_SAMPLE);
  test_nan(CNF_CONTROL_FIXED);
  test_pole();
  test_empty_lanes(CNF_CONTROL_FIXED, 0);
  test_empty_lanes(CNF_CONTROL_FIXED, -1);
  test_empty_lanes(CNF_CONTROL_SAMPLE, 0);
  return check_report();
}
