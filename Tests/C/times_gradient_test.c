/* times_gradient_test.c - gradients of losses that depend on states at output times: compared with central differences
 * for every method, trace and regulariser, with each kind of loss, in single precision, and for learning the times.
 */
#include "times_fixture.h"

/* ---- Gradients ----
 * The error of central differences with step d is d^2/6 times the third derivative plus rounding of 2^-52 |L| / d. With
 * d = 1e-5, |L| below 50 and third derivatives below 1e3, both are less than 2e-8. */
static const double DIFFERENCE = 1e-5, GRADIENT_TOLERANCE = 1e-7;

/* The steps of an adaptive solve, to be repeated with slightly different times. The ends of all steps become output
 * times of a solve with one fixed step between output times; each end keeps its position between the output times of
 * the call. */
typedef struct replay {
  cnf_solver *solver; /* of one fixed step per interval */
  int steps;
  int interval[MOST_STEPS];    /* of each step, between two output times of the call */
  double position[MOST_STEPS]; /* of the end of each step, as a fraction of the interval */
} replay;

static double edge(const call_data *c, int i) { return i == 0 ? c->t0 : i > c->time_count ? c->t1 : c->times[i - 1]; }

static replay replay_of(cnf_solver *solver, const call_data *c) {
  replay r = {.solver = solver, .steps = c->accepted[0]};
  int interval = 0;
  for (int n = 0; n < r.steps; ++n) {
    const double begin = edge(c, interval), end = edge(c, interval + 1);
    const double t = c->t0 + c->fractions[n + 1] * (c->t1 - c->t0), position = (t - begin) / (end - begin);
    r.interval[n] = interval;
    r.position[n] = fabs(position - 1) < 1e-9 ? 1 : position;
    interval += r.position[n] == 1;
  }
  CHECK(interval == c->time_count + 1);
  return r;
}

static double replayed_loss(const replay *r, const call_data *c) {
  static call_data again;
  again = *c;
  again.time_count = r->steps - 1;
  memset(again.x_at_bar, 0, sizeof again.x_at_bar);
  memset(again.log_det_at_bar, 0, sizeof again.log_det_at_bar);
  for (int n = 0, at = 0; n + 1 < r->steps; ++n) {
    const double begin = edge(c, r->interval[n]), end = edge(c, r->interval[n] + 1);
    again.times[n] = begin + r->position[n] * (end - begin);
    if (r->position[n] != 1) continue;
    memcpy(again.x_at_bar + n * D, c->x_at_bar + at * D, D * sizeof(double));
    again.log_det_at_bar[n] = c->log_det_at_bar[at++];
  }
  return solve(r->solver, &again);
}

static double difference(const replay *r, cnf_solver *fixed, call_data *c, double *variable) {
  const double middle = *variable;
  *variable = middle + DIFFERENCE;
  const double above = r ? replayed_loss(r, c) : solve(fixed, c);
  *variable = middle - DIFFERENCE;
  const double below = r ? replayed_loss(r, c) : solve(fixed, c);
  *variable = middle;
  return (above - below) / (2 * DIFFERENCE);
}

static void check_difference(double got, double expected, const char *what, const char *where, int number) {
  char detail[400];
  snprintf(detail, sizeof detail, "%s, index %d: %.12g, central difference %.12g", where, number, got, expected);
  check_count(fabs(got - expected) < GRADIENT_TOLERANCE, what, detail, __LINE__);
}

/* With fixed steps, compares with differences of the solve; with adaptive steps, with differences of the same steps
 * repeated, for one sample, because every sample has its own steps. */
static void test_gradient(int32_t method, int32_t control, int32_t trace, int backward, int regularised) {
  static call_data c, scratch;
  cnf_method_info info = {.struct_size = sizeof info};
  cnf_method_get(method, &info);
  if (control == CNF_CONTROL_SAMPLE && !info.embedded_order) return;
  if (info.family == CNF_FAMILY_ROSENBROCK && trace == CNF_TRACE_HUTCHINSON) return;
  const setup how = {.method = method, .control = control, .trace = trace};
  const int32_t tangents = trace == CNF_TRACE_HUTCHINSON || trace == CNF_TRACE_EXACT_TANGENTS;
  const cnf_solver_options plain = {.kinetic = regularised, .frobenius = regularised && tangents};
  cnf_solver_options one_step = plain;
  one_step.steps = 1;
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, how, plain);
  cnf_solver *fixed =
      solver_of(net_ops, OP_COUNT, (setup){.method = method, .control = CNF_CONTROL_FIXED, .trace = trace}, one_step);
  const int count = control == CNF_CONTROL_FIXED ? 3 : 1;
  char where[160];
  snprintf(where, sizeof where, "%s control %d trace %d backward %d regularised %d", info.name, (int)control,
           (int)trace, backward, regularised);
  fill(&c, count, backward ? 1.4 : -0.2, backward ? -0.2 : 1.4);
  c.kinetic_bar = 0.7 * plain.kinetic, c.frobenius_bar = 0.4 * plain.frobenius;
  differentiate(solver, &c);
  CHECK(c.accepted[0] > TIMES + 1 && c.accepted[0] < MOST_STEPS);
  const replay taken = replay_of(fixed, &c), *r = control == CNF_CONTROL_FIXED ? NULL : &taken;
  double t0_bar = 0, t1_bar = 0, times_bar[TIMES] = {0};
  for (int i = 0; i < count; ++i) {
    t0_bar += c.t0_bar[i], t1_bar += c.t1_bar[i];
    for (int n = 0; n < TIMES; ++n) times_bar[n] += c.times_bar[i * TIMES + n];
  }
  scratch = c;
  check_difference(t0_bar, difference(r, solver, &scratch, &scratch.t0), "dL/dt0", where, 0);
  check_difference(t1_bar, difference(r, solver, &scratch, &scratch.t1), "dL/dt1", where, 0);
  for (int n = 0; n < TIMES; ++n)
    check_difference(times_bar[n], difference(r, solver, &scratch, &scratch.times[n]), "dL/dtime", where, n);
  for (int n = 0; n < count * D; ++n)
    check_difference(c.x0_bar[n], difference(r, solver, &scratch, &scratch.x0[n]), "dL/dx0", where, n);
  for (int n = 0; n < P; ++n)
    check_difference(c.theta_bar[n], difference(r, solver, &scratch, &scratch.theta[n]), "dL/dtheta", where, n);
  cnf_solver_destroy(solver);
  cnf_solver_destroy(fixed);
}

/* Learning an output time and t1 by gradient descent. x rotates once in 2 pi / w, and the loss is L = 1 - cos w (t -
 * t*) up to a constant, so dL/dt = w sin w (t - t*). Each step of size 1/w^2 reduces the error of t to its third power,
 * up to a factor. */
static void test_learning(int32_t control) {
  static call_data c;
  const setup how = {
      .method = cnf_method_find("dopri5"), .control = control, .trace = CNF_TRACE_NONE, .tolerance = 1e-11};
  cnf_solver *solver = solver_of(linear_ops, 1, how, (cnf_solver_options){.steps = 200});
  const double rate = 0.7, theta[D * D] = {0, -0.7, 0.7, 0}, wanted_time = 1.1, wanted_end = 2.3;
  fill_linear(&c, 1, 0, 1.9);
  memcpy(c.theta, theta, sizeof theta);
  memset(c.log_det_at_bar, 0, sizeof c.log_det_at_bar);
  c.log_det_bar[0] = 0;
  c.time_count = 1, c.times[0] = 0.6, c.x0[0] = 1, c.x0[1] = 0;
  c.x_at_bar[0] = -cos(rate * wanted_time), c.x_at_bar[1] = -sin(rate * wanted_time);
  c.x1_bar[0] = -cos(rate * wanted_end), c.x1_bar[1] = -sin(rate * wanted_end);
  for (int step = 0; step < 6; ++step) {
    differentiate(solver, &c);
    c.times[0] -= c.times_bar[0] / (rate * rate);
    c.t1 -= c.t1_bar[0] / (rate * rate);
  }
  CHECK(fabs(c.times[0] - wanted_time) < 1e-8); /* the solve's own error is 1e-11 per step */
  CHECK(fabs(c.t1 - wanted_end) < 1e-8);
  cnf_solver_destroy(solver);
}

/* ---- Losses ----
 * A callback that reads the states at the output times and writes their cotangents gives the same bits as
 * CNF_LOSS_COTANGENTS. */
static int32_t at_times(void *context, size_t first, size_t count, const void *x1, const double *log_det,
                        const int32_t *status, double *loss, void *x1_bar, double *log_det_bar) {
  call_data *c = context;
  (void)x1, (void)log_det, (void)status, (void)loss;
  for (size_t i = first; i < first + count; ++i) {
    memcpy((double *)x1_bar + (i - first) * D, c->x1_bar + i * D, D * sizeof(double));
    log_det_bar[i - first] = c->log_det_bar[i];
    for (size_t n = i * TIMES; n < (i + 1) * TIMES; ++n) {
      for (size_t d = 0; d < D; ++d) c->x_at_bar[n * D + d] = c->x_at[n * D + d];
      c->log_det_at_bar[n] = c->log_det_at[n];
    }
  }
  return 0;
}

static void test_callback(int32_t control) {
  static call_data c, other;
  const setup how = {.method = cnf_method_find("dopri5"), .control = control, .trace = CNF_TRACE_EXACT, .threads = 2};
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, how, nothing_more);
  fill(&c, COUNT, 0, 2);
  const cnf_solve_input input = input_of(&c);
  cnf_solve_output output = output_of(&c);
  cnf_gradient gradient = gradient_of(&c);
  cnf_loss loss = loss_of(&c);
  loss.kind = CNF_LOSS_CALLBACK, loss.function = at_times, loss.context = &c;
  CHECK(cnf_solve_vjp(solver, &input, &loss, &output, &gradient) == CNF_OK);
  CHECK(memcmp(c.x_at_bar, c.x_at, COUNT * TIMES * D * sizeof(double)) == 0);
  other = c;
  differentiate(solver, &other);
  CHECK(memcmp(&other, &c, sizeof c) == 0);
  cnf_solver_destroy(solver);
}

/* The gradient of a likelihood with cotangents at output times is the sum of the gradients of both. */
static void test_likelihood(int32_t control) {
  static call_data c[3]; /* likelihood, times, both */
  const setup how = {.method = cnf_method_find("tsit5"), .control = control, .trace = CNF_TRACE_HUTCHINSON};
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, how, nothing_more);
  for (int kind = 0; kind < 3; ++kind) {
    fill(&c[kind], COUNT, 2, 0);
    memset(c[kind].x1_bar, 0, sizeof c[kind].x1_bar);
    memset(c[kind].log_det_bar, 0, sizeof c[kind].log_det_bar);
    const cnf_solve_input input = input_of(&c[kind]);
    cnf_solve_output output = output_of(&c[kind]);
    cnf_gradient gradient = gradient_of(&c[kind]);
    cnf_loss loss = loss_of(&c[kind]);
    if (kind == 0) loss.x_at_bar = loss.log_det_at_bar = NULL;
    if (kind != 1) loss.kind = CNF_LOSS_NORMAL_NLL, loss.scale = 1;
    CHECK(cnf_solve_vjp(solver, &input, &loss, &output, &gradient) == CNF_OK);
  }
  /* sums of a few hundred terms below 10 in another order: rounding of at most 1e-13 per term */
  for (int i = 0; i < P; ++i) CHECK(fabs(c[0].theta_bar[i] + c[1].theta_bar[i] - c[2].theta_bar[i]) < 1e-11);
  for (int i = 0; i < COUNT * D; ++i) CHECK(fabs(c[0].x0_bar[i] + c[1].x0_bar[i] - c[2].x0_bar[i]) < 1e-11);
  for (int i = 0; i < COUNT * TIMES; ++i)
    CHECK(fabs(c[0].times_bar[i] + c[1].times_bar[i] - c[2].times_bar[i]) < 1e-11);
  CHECK(memcmp(c[0].theta_bar, c[2].theta_bar, sizeof c[0].theta_bar) != 0);
  cnf_solver_destroy(solver);
}

/* ---- Single precision compared with double precision, with the same fixed steps ---- */
static void test_float(int32_t trace) {
  static call_data c;
  static float theta[P], x0[COUNT * D], x_at_bar[COUNT * TIMES * D], x1_bar[COUNT * D];
  static float x_at[COUNT * TIMES * D], theta_bar[P], x0_bar[COUNT * D];
  static double log_det_at[COUNT * TIMES], times_bar[COUNT * TIMES];
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  fill(&c, COUNT, 0.1, 1.3);
  /* both solves get inputs that are rounded to float */
  for (int i = 0; i < P; ++i) c.theta[i] = theta[i] = (float)c.theta[i];
  for (int i = 0; i < COUNT * D; ++i) c.x0[i] = x0[i] = (float)c.x0[i], c.x1_bar[i] = x1_bar[i] = (float)c.x1_bar[i];
  for (int i = 0; i < COUNT * TIMES * D; ++i) c.x_at_bar[i] = x_at_bar[i] = (float)c.x_at_bar[i];
  const setup how = {.method = cnf_method_find("dopri5"), .control = CNF_CONTROL_FIXED, .trace = trace};
  cnf_solver *reference = solver_of(net_ops, OP_COUNT, how, nothing_more);
  differentiate(reference, &c);
  CHECK(cnf_field_create(CNF_FLOAT32, D, net_ops, OP_COUNT, sizeof(cnf_op), &field) == CNF_OK);
  cnf_solver_options_init(&options, sizeof options);
  options.control = CNF_CONTROL_FIXED, options.steps = 3, options.trace = trace, options.threads = 2;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  cnf_solve_input input = input_of(&c);
  cnf_loss loss = loss_of(&c);
  input.parameters = theta, input.x0 = x0, loss.x1_bar = x1_bar, loss.x_at_bar = x_at_bar;
  cnf_solve_output output = {.struct_size = sizeof output, .x_at = x_at, .log_det_at = log_det_at};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = theta_bar, .x0 = x0_bar, .times = times_bar};
  CHECK(cnf_solve_vjp(solver, &input, &loss, &output, &gradient) == CNF_OK);
  /* 15 steps with a few hundred roundings of 2^-24 = 6e-8 each, of numbers below 10; the gradient of theta sums 37
   * samples */
  const double state = 1e-4, sum = 1e-2;
  for (int i = 0; i < COUNT * TIMES * D; ++i) CHECK(fabs((double)x_at[i] - c.x_at[i]) < state);
  for (int i = 0; i < COUNT * TIMES; ++i) CHECK(fabs(log_det_at[i] - c.log_det_at[i]) < state);
  for (int i = 0; i < COUNT * TIMES; ++i) CHECK(fabs(times_bar[i] - c.times_bar[i]) < 10 * state);
  for (int i = 0; i < COUNT * D; ++i) CHECK(fabs((double)x0_bar[i] - c.x0_bar[i]) < 10 * state);
  for (int i = 0; i < P; ++i) CHECK(fabs((double)theta_bar[i] - c.theta_bar[i]) < sum);
  cnf_solver_destroy(solver);
  cnf_solver_destroy(reference);
  cnf_field_destroy(field);
}

int main(void) {
  for (int32_t method = 0; method < cnf_method_count(); ++method) {
    cnf_method_info info = {.struct_size = sizeof info};
    CHECK(cnf_method_get(method, &info) == CNF_OK);
    if (info.family == CNF_FAMILY_IMPLICIT_ADAMS)
      continue; /* it has no discrete gradient; adams_gradient_test.c tests its output times */
    for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control)
      for (int backward = 0; backward < 2; ++backward) {
        test_gradient(method, control, CNF_TRACE_EXACT, backward, 0);
        test_gradient(method, control, CNF_TRACE_HUTCHINSON, backward, 1);
      }
  }
  for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control) {
    for (int backward = 0; backward < 2; ++backward)
      for (int32_t trace = CNF_TRACE_NONE; trace <= CNF_TRACE_EXACT_PRODUCT; ++trace)
        for (int regularised = 0; regularised < 2; ++regularised)
          test_gradient(cnf_method_find("dopri5"), control, trace, backward, regularised);
    test_learning(control);
    test_callback(control);
    test_likelihood(control);
  }
  test_float(CNF_TRACE_HUTCHINSON);
  test_float(CNF_TRACE_EXACT);
  return check_report();
}
