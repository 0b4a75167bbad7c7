/* long_solve_test.c - what rounding to float does to long solves and to large times: integrals over the steps are
 * summed in double, and callbacks get the time as a double. Expected results are closed forms. */
#include <math.h>

#include "check.h"

enum { STEPS = 59000 };
static const double span = 5.9;

static cnf_solver *solver_of(const cnf_op *op, const char *method, int32_t control, int32_t trace) {
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  options.method = cnf_method_find(method), options.control = control, options.trace = trace;
  options.steps = STEPS, options.threads = 1, options.max_steps = STEPS;
  options.kinetic = 1, options.frobenius = trace == CNF_TRACE_EXACT_TANGENTS;
  CHECK(cnf_field_create(CNF_FLOAT32, 2, op, 1, sizeof *op, &field) == CNF_OK);
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  cnf_field_destroy(field);
  return solver;
}

/* y' = W y with W = diag(1, 0) from (0, 1): the log-determinant is the span, |J|^2/2 is 1/2, and y stays at rest.
 * y' = (y_0, 1) */
static void test_integrals(const char *method) {
  const cnf_op op = {.kind = CNF_OP_LINEAR, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = 2};
  const float theta[6] = {1, 0, 0, 0, 0, 1}, x0[2] = {0, 0};
  const double times[1] = {span / 2};
  float x1[2];
  double log_det, kinetic, frobenius, log_det_at;
  cnf_solver *solver = solver_of(&op, method, CNF_CONTROL_FIXED, CNF_TRACE_EXACT_TANGENTS);
  const cnf_solve_input in = {.struct_size = sizeof in, .parameters = theta, .x0 = x0, .count = 1, .t1 = span};
  cnf_solve_output out = {
      .struct_size = sizeof out, .x1 = x1, .log_det = &log_det, .kinetic = &kinetic, .frobenius = &frobenius};
  CHECK(cnf_solve(solver, &in, &out) == CNF_OK);
  /* 1e-7 of the span: the weights of the field's own float arithmetic */
  printf("%s: %.9g %.9g %.9g\n", method, log_det, kinetic, frobenius);
  CHECK(fabs(log_det - span) < 1e-7 * span);
  CHECK(fabs(kinetic - span / 4) < 1e-7 * span);
  CHECK(fabs(frobenius - span / 2) < 1e-7 * span);
  cnf_solver_destroy(solver);
  solver = solver_of(&op, method, CNF_CONTROL_FIXED, CNF_TRACE_EXACT_TANGENTS);
  cnf_solve_input cut = in;
  cut.times = times, cut.time_count = 1;
  out = (cnf_solve_output){.struct_size = sizeof out, .log_det_at = &log_det_at};
  CHECK(cnf_solve(solver, &cut, &out) == CNF_ERROR_OUTPUT_TIMES || fabs(log_det_at - span / 2) < 1e-7 * span);
  cnf_solver_destroy(solver);
}

/* y' = cos t in the first row, for samples that stay in float. */
static void cosine(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  float *to = y;
  (void)context, (void)x, (void)theta;
  for (int32_t j = 0; j < lanes; ++j) to[j] = (float)cos(t[j]), to[lanes + j] = 0;
}
static void cosine_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                           const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  const float *bar = y_bar;
  float *to = t_bar;
  (void)context, (void)x, (void)theta, (void)x_bar, (void)theta_bar;
  for (int32_t j = 0; j < lanes; ++j) to[j] = -(float)sin(t[j]) * bar[j];
}

static void test_large_times(double t0, double t1) {
  const cnf_callback callback = {.struct_size = sizeof callback, .evaluate = cosine, .reverse = cosine_reverse};
  const cnf_op op = {
      .kind = CNF_OP_CALLBACK, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = 2, .callback = &callback};
  const float x0[2] = {0, 0}, x1_bar[2] = {1, 0};
  for (int adjoint = 0; adjoint < 2; ++adjoint) {
    float x1[2];
    double t0_bar, t1_bar;
    cnf_field *field = NULL;
    cnf_solver *solver = NULL;
    cnf_solver_options options;
    cnf_solver_options_init(&options, sizeof options);
    options.trace = CNF_TRACE_NONE, options.adjoint = adjoint, options.threads = 1;
    CHECK(cnf_field_create(CNF_FLOAT32, 2, &op, 1, sizeof op, &field) == CNF_OK);
    CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
    cnf_field_destroy(field);
    const cnf_solve_input in = {.struct_size = sizeof in, .x0 = x0, .count = 1, .t0 = t0, .t1 = t1};
    const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_COTANGENTS, .x1_bar = x1_bar};
    cnf_solve_output out = {.struct_size = sizeof out, .x1 = x1};
    cnf_gradient gradient = {.struct_size = sizeof gradient, .t0 = &t0_bar, .t1 = &t1_bar};
    CHECK(cnf_solve_vjp(solver, &in, &loss, &out, &gradient) == CNF_OK);
    /* two tolerances of 1e-5, and the derivatives of the solution by its ends */
    CHECK(fabs((double)x1[0] - (sin(t1) - sin(t0))) < 2e-5);
    CHECK(fabs(t1_bar - cos(t1)) < 1e-4 && fabs(t0_bar + cos(t0)) < 1e-4);
    printf("from %g to %g, adjoint %d: %.7g, right %.7g; %.5g %.5g\n", t0, t1, adjoint, (double)x1[0],
           sin(t1) - sin(t0), t0_bar, t1_bar);
    cnf_solver_destroy(solver);
  }
}

int main(void) {
  const char *methods[] = {"euler", "rk4", "explicit_adams", "implicit_adams", "reversible_heun", "rodas4"};
  for (size_t i = 0; i < sizeof methods / sizeof methods[0]; ++i) test_integrals(methods[i]);
  test_large_times(1e6, 1e6 + 1);
  test_large_times(1e6 + 1, 1e6);
  test_large_times(0, 1);
  return check_report();
}
