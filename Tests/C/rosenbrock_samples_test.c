/* rosenbrock_samples_test.c - the continuous adjoint of rodas4 with samples that have contexts, intervals and events of
 * their own, compared with the discrete gradient with small tolerances; and samples that fail in the backward solve.
 */
#include "gradient_fixture.h"

/* ---- Contexts, intervals and events
 * ------------------------------------------------------------------------------- */

static void line_evaluate(void *context, int32_t lanes, const double *t, const void *x, double *g) {
  (void)context;
  for (int32_t j = 0; j < lanes; ++j) g[j] = ((const double *)x)[j] + 0.1 * t[j] - 0.2;
}
static void line_reverse(void *context, int32_t lanes, const double *t, const void *x, void *g_x, double *g_t) {
  (void)context, (void)t, (void)x;
  for (int32_t j = 0; j < lanes; ++j) ((double *)g_x)[j] = 1, ((double *)g_x)[lanes + j] = 0, g_t[j] = 0.1;
}

/* With contexts, intervals and events of samples, the continuous gradient agrees with the discrete one up to its
 * tolerance. */
static void test_per_sample_inputs(int32_t control, int with_event) {
  enum { ROWS = 2, CONTEXT = 2, HIDDEN = 5, P = HIDDEN * (ROWS + CONTEXT + 1) + ROWS * (HIDDEN + 1) };
  const cnf_op ops[] = {{.kind = CNF_OP_CONTEXT, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK, .rows = CONTEXT},
                        {.kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1},
                        LINEAR(2, HIDDEN, CNF_ACTIVATION_TANH),
                        LINEAR(3, ROWS, CNF_ACTIVATION_IDENTITY)};
  const cnf_event event = {.struct_size = sizeof event, .evaluate = line_evaluate, .reverse = line_reverse};
  double theta[P], x0[COUNT * ROWS], context[COUNT * CONTEXT], x1_bar[COUNT * ROWS], log_det_bar[COUNT], t0s[COUNT],
      t1s[COUNT], time_bar[COUNT];
  static struct {
    double theta[P], x0[COUNT * ROWS], context[COUNT * CONTEXT], t0[COUNT], t1[COUNT];
    int32_t status[COUNT], event[COUNT];
  } got[2];
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, ROWS, ops, 4, sizeof(cnf_op), &field) == CNF_OK &&
        cnf_field_parameter_count(field) == P);
  for (int i = 0; i < P; ++i) theta[i] = 0.7 * sin(3.7 * i + 1);
  for (int i = 0; i < COUNT * ROWS; ++i) x0[i] = sin(12.9898 * i), x1_bar[i] = sin(78.233 * i + 2);
  for (int i = 0; i < COUNT * CONTEXT; ++i) context[i] = sin(37.719 * i + 3);
  for (int i = 0; i < COUNT; ++i) {
    log_det_bar[i] = sin(4.581 * i), time_bar[i] = sin(5.1 * i + 1);
    t0s[i] = 0.1 * sin(1.3 * i), t1s[i] = t0s[i] + (i % 3 == 0 ? -1 : 1) * (0.8 + 0.4 * sin(2.1 * i));
  }
  int stopped = 0;
  for (int32_t adjoint = CNF_ADJOINT_DISCRETE; adjoint <= CNF_ADJOINT_CONTINUOUS; ++adjoint) {
    cnf_solver_options options;
    cnf_solver *solver = NULL;
    cnf_solver_options_init(&options, sizeof options);
    options.method = cnf_method_find("rodas4"), options.control = control, options.adjoint = adjoint;
    options.rtol = options.atol = adjoint == CNF_ADJOINT_DISCRETE ? 1e-11 : 1e-9;
    options.steps = 160; /* (1/160)^4 is 1.5e-9 */
    CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
    const cnf_solve_input input = {.struct_size = sizeof input,
                                   .parameters = theta,
                                   .x0 = x0,
                                   .count = COUNT,
                                   .context = context,
                                   .t0s = t0s,
                                   .t1s = t1s,
                                   .events = with_event ? &event : NULL,
                                   .event_count = with_event ? 1 : 0};
    const cnf_loss loss = {.struct_size = sizeof loss,
                           .kind = CNF_LOSS_COTANGENTS,
                           .x1_bar = x1_bar,
                           .log_det_bar = log_det_bar,
                           .event_time_bar = with_event ? time_bar : NULL};
    cnf_solve_output output = {
        .struct_size = sizeof output, .status = got[adjoint].status, .event = got[adjoint].event};
    cnf_gradient gradient = {.struct_size = sizeof gradient,
                             .parameters = got[adjoint].theta,
                             .x0 = got[adjoint].x0,
                             .t0 = got[adjoint].t0,
                             .t1 = got[adjoint].t1,
                             .context = got[adjoint].context};
    CHECK(cnf_solve_vjp(solver, &input, &loss, &output, &gradient) == CNF_OK);
    cnf_solver_destroy(solver);
  }
  for (int i = 0; i < COUNT; ++i) {
    CHECK(got[0].status[i] == CNF_SAMPLE_OK && got[1].status[i] == CNF_SAMPLE_OK && got[0].event[i] == got[1].event[i]);
    stopped += got[1].event[i] == 0;
  }
  CHECK(with_event ? stopped > 3 && stopped < COUNT : stopped == 0);
  double worst = difference(got[1].theta, got[0].theta, P);
  worst = fmax(worst, difference(got[1].x0, got[0].x0, COUNT * ROWS));
  worst = fmax(worst, difference(got[1].context, got[0].context, COUNT * CONTEXT));
  worst = fmax(worst, difference(got[1].t0, got[0].t0, COUNT));
  if (!with_event) worst = fmax(worst, difference(got[1].t1, got[0].t1, COUNT)); /* with events, steps depend on t1 */
  char detail[120];
  snprintf(detail, sizeof detail, "control %d event %d: %g", (int)control, with_event, worst);
  check_count(worst < 100 * 1e-9, "inputs per sample", detail, __LINE__);
  cnf_field_destroy(field);
}

/* ---- Failures
 * ------------------------------------------------------------------------------------------------------ */

/* Samples that fail in the forward or in the backward solve report it, have gradients of 0, and do not change those of
 * others. */
static void test_failures(void) {
  cnf_field *field = linear_field();
  problem p = rodas4_problem_of(field, 2, 1, CNF_TRACE_EXACT);
  check_failures(&p, 2048 * 0x1p-50); /* coefficients of 2048 multiply the rounding errors */
  cnf_field_destroy(field);
}

/* y = theta x, whose reverse function returns NaN in lanes whose first row is above 1. */
static void breaking_evaluate(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                              void *y) {
  (void)context, (void)t;
  for (int32_t i = 0; i < 2 * lanes; ++i) ((double *)y)[i] = *(const double *)theta * ((const double *)x)[i];
}
static void breaking_tangent(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                             const void *x_dot, void *y_dot) {
  (void)x;
  breaking_evaluate(context, lanes, t, x_dot, theta, y_dot);
}
static void breaking_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                             const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  const double *at = x, *bar = y_bar;
  (void)context, (void)t, (void)t_bar;
  for (int32_t i = 0; i < 2 * lanes; ++i) {
    ((double *)x_bar)[i] += at[i % lanes] > 1 ? NAN : *(const double *)theta * bar[i];
    *(double *)theta_bar += at[i] * bar[i];
  }
}

/* Samples that begin above 1 decay below it, and their backward solve fails: they report it after a bounded number of
 * steps, and do not change the bits of others. The callback has no tangent_reverse: a continuous gradient without a
 * trace does not need it; with a trace its absence is an error. */
static void test_breaking(int32_t control) {
  static answer a, without;
  const cnf_callback callback = {.struct_size = sizeof callback,
                                 .parameter_count = 1,
                                 .evaluate = breaking_evaluate,
                                 .tangent = breaking_tangent,
                                 .reverse = breaking_reverse};
  const cnf_op op = {
      .kind = CNF_OP_CALLBACK, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = 2, .callback = &callback};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, 2, &op, 1, sizeof(cnf_op), &field) == CNF_OK);
  problem p = rodas4_problem_of(field, 2, 1, CNF_TRACE_NONE);
  p.theta[0] = -1, p.t0 = 0, p.t1 = 1.5;
  p.options.control = control, p.options.steps = 30;
  set_cotangents(&p, 0, NULL);
  for (int i = 0; i < 2 * COUNT; ++i) p.x0[i] = i % 6 == 0 ? 2 : 0.5 + 0.01 * i / COUNT;
  solve_all(&p, &a);
  for (int i = 0; i < COUNT; ++i) {
    const int fails = i % 3 == 0;
    CHECK(a.status[i] == (fails ? CNF_SAMPLE_NOT_FINITE : CNF_SAMPLE_OK));
    CHECK(isfinite(a.x0_bar[2 * i]) && (!fails || (a.x0_bar[2 * i] == 0 && a.reversed[i] == 0)));
    /* x is 1 at t = log 2, and the backward solve stops within a step of it */
    if (fails) CHECK(fabs(a.t_reached[i] - 0.6931) < 0.1);
    p.x0[2 * i] = fails ? NAN : p.x0[2 * i];
  }
  solve_all(&p, &without);
  CHECK(memcmp(a.theta_bar, without.theta_bar, sizeof(double)) == 0 && isfinite(a.theta_bar[0]));
  CHECK(memcmp(a.x0_bar, without.x0_bar, sizeof(double) * 2 * COUNT) == 0);
  p.options.trace = CNF_TRACE_EXACT;
  cnf_solver *solver = NULL;
  uint64_t ids[COUNT];
  const cnf_solve_input input = input_of(&p, 0, 1, ids);
  const cnf_loss loss = loss_of(&p, 0);
  cnf_gradient gradient = {.struct_size = sizeof gradient, .x0 = a.x0_bar};
  CHECK(cnf_solver_create(field, &p.options, &solver) == CNF_OK);
  CHECK_STATUS(CNF_ERROR_CALLBACK_TANGENT_REVERSE, cnf_solve_vjp(solver, &input, &loss, NULL, &gradient), "a trace");
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

int main(void) {
  for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control) {
    test_per_sample_inputs(control, 0);
    test_per_sample_inputs(control, 1);
    test_breaking(control);
  }
  test_failures();
  return check_report();
}
