/* events_gradient_test.c - gradients of solves that events end, compared with central differences: every method and
 * trace, both directions of time, regularisers, output times and an event at one of them; the continuous adjoint; and
 * callbacks.
 */
#include "callback_layer.h"
#include "events_fixture.h"

/* ---- Gradients compared with central differences ----
 * The differences have a truncation error of d^2/6 times a third derivative, which is below 1e3, and a rounding error
 * of 1e-14 / d, which includes that of the time of the event. With d = 1e-5 both are below 2e-8. */
static const double DIFFERENCE = 1e-5, GRADIENT_TOLERANCE = 1e-7;

typedef struct derivative {
  cnf_solver *solver;
  const cnf_event *event;
  event_call call;
} derivative;

static double difference(derivative *d, double *variable) {
  const double middle = *variable;
  *variable = middle + DIFFERENCE;
  const double above = solve(d->solver, &d->call, d->event, 1);
  *variable = middle - DIFFERENCE;
  const double below = solve(d->solver, &d->call, d->event, 1);
  *variable = middle;
  return (above - below) / (2 * DIFFERENCE);
}

/* How samples are solved. If `regularised`, the loss has the kinetic energy, and the Frobenius norm if the trace
 * computes tangents. */
typedef struct manner {
  int32_t method, control, trace, adjoint, backward, regularised;
  int64_t store_bytes;
} manner;

static int32_t has_tangents(int32_t trace) {
  return trace == CNF_TRACE_HUTCHINSON || trace == CNF_TRACE_EXACT_TANGENTS;
}

/* Prepares the solves for differences. Fixed steps stay as they are. Adaptive steps become fixed steps with the
 * fractions of the one sample, and the last is a little longer, so that the event ends it. */
static void prepare_differences(derivative *again, const event_call *c, int32_t control) {
  static double fractions[MOST_STEPS];
  again->call = *c;
  if (control != CNF_CONTROL_SAMPLE) return;
  const int n = c->accepted[0];
  memcpy(fractions, c->fractions, (size_t)n * sizeof(double));
  fractions[n] = c->fractions[n - 1] + 1.05 * (c->fractions[n] - c->fractions[n - 1]);
  fractions[n + 1] = 1;
  again->call.input_fractions = fractions, again->call.input_fraction_count = (size_t)n + 2;
}

/* The continuous adjoint gives the gradient of the flow and not of the steps. With dopri8 and 60 steps they differ by
 * 1e-9, so the same tolerance works. */
static void check_differences(derivative *again, const event_call *c, double tolerance, const char *where) {
  double t0_bar = 0, t1_bar = 0;
  for (int i = 0; i < c->count; ++i) t0_bar += c->t0_bar[i], t1_bar += c->t1_bar[i];
  NEAR(t0_bar, difference(again, &again->call.t0), tolerance, where, -1);
  NEAR(t1_bar, difference(again, &again->call.t1), tolerance, where, -2);
  for (int n = 0; n < c->count * D; ++n) NEAR(c->x0_bar[n], difference(again, &again->call.x0[n]), tolerance, where, n);
  for (int n = 0; n < P; ++n)
    NEAR(c->theta_bar[n], difference(again, &again->call.theta[n]), tolerance, where, 100 + n);
}

static void test_gradient(manner how) {
  static event_call c;
  static derivative again;
  cnf_method_info info = {.struct_size = sizeof info};
  cnf_method_get(how.method, &info);
  if (how.control == CNF_CONTROL_SAMPLE && !info.embedded_order) return;
  surface curved = {
      .c0 = how.backward ? 0.4 : 1, .c1 = -0.7, .square = 0.5, .rate = 1.3, .level = how.backward ? -0.7 : 0.9};
  const cnf_event event = event_of(&curved, CNF_DIRECTION_EITHER);
  cnf_solver_options options = {.method = how.method,
                                .control = how.control,
                                .trace = how.trace,
                                .steps = how.adjoint ? 60 : 16,
                                .adjoint = how.adjoint,
                                .store_bytes = how.store_bytes,
                                .kinetic = how.regularised,
                                .frobenius = how.regularised && has_tangents(how.trace)};
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, options);
  options.control = CNF_CONTROL_FIXED;
  again.solver = solver_of(net_ops, OP_COUNT, options), again.event = &event;
  fill(&c, how.control == CNF_CONTROL_FIXED ? 3 : 1, 0.1, how.backward ? -2 : 2.2);
  if (options.kinetic) c.kinetic_bar = 0.7;
  if (options.frobenius) c.frobenius_bar = 0.4;
  differentiate(solver, &c, &event, 1);
  char where[160];
  snprintf(where, sizeof where, "%s control %d trace %d adjoint %d backward %d regularised %d", info.name,
           (int)how.control, (int)how.trace, (int)how.adjoint, (int)how.backward, (int)how.regularised);
  for (int i = 0; i < c.count; ++i) {
    check_count(c.status[i] == CNF_SAMPLE_OK && c.event[i] == 0, "an event ends the sample", where, __LINE__);
    double g;
    const double x[D] = {c.x1[i * D], c.x1[i * D + 1]};
    surface_evaluate(&curved, 1, &c.t_reached[i], x, &g);
    NEAR(g, 0, 1e-13, "g at the event", i); /* 16 units in the last place of 2 times a slope of about 2, and rounding */
  }
  prepare_differences(&again, &c, how.control);
  check_differences(&again, &c, GRADIENT_TOLERANCE, where);
  cnf_solver_destroy(solver);
  cnf_solver_destroy(again.solver);
}

/* Regularisers are integrals over |dt| up to the time of the event. They are tested forward and backward in time. */
static void test_regularised(int32_t backward) {
  static const struct {
    const char *method;
    int32_t control, adjoint;
  } rows[] = {
      {"rk4", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE},      {"dopri5", CNF_CONTROL_SAMPLE, CNF_ADJOINT_DISCRETE},
      {"rodas4", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE},   {"rodas4", CNF_CONTROL_SAMPLE, CNF_ADJOINT_DISCRETE},
      {"leapfrog", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE}, {"yoshida4", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE},
      {"dopri8", CNF_CONTROL_FIXED, CNF_ADJOINT_CONTINUOUS}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i)
    for (int32_t trace = CNF_TRACE_NONE; trace <= CNF_TRACE_EXACT_TANGENTS; ++trace) {
      const int32_t method = cnf_method_find(rows[i].method);
      if (trace == CNF_TRACE_HUTCHINSON && method == cnf_method_find("rodas4")) continue; /* has no estimate */
      test_gradient((manner){method, rows[i].control, trace, rows[i].adjoint, backward, 1, 0});
      test_gradient((manner){method, rows[i].control, trace, rows[i].adjoint, backward, 1, -1});
    }
}

/* An event exactly at an output time comes before it: the state at this time and at later ones is NaN and has no
 * cotangent. The differences leave these states out too, because rounding may move the event after the output time. */
static void test_at_time(int32_t control, int32_t adjoint) {
  static event_call c;
  static derivative again;
  const double times[] = {0.25, 0.5, 1};
  surface clock = {.rate = 1, .level = 0.5};
  const cnf_event event = event_of(&clock, CNF_DIRECTION_EITHER);
  cnf_solver_options options = {.method = cnf_method_find(adjoint ? "dopri8" : "dopri5"),
                                .control = control,
                                .trace = CNF_TRACE_EXACT,
                                .steps = 8,
                                .adjoint = adjoint,
                                .rtol = 1e-12};
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, options);
  again.solver = solver, again.event = &event;
  fill(&c, 3, 0, 1.5);
  c.times = times, c.time_count = 3;
  for (int i = 0; i < 3 * 3 * D; ++i) c.x_at_bar[i] = noise(i + 900);
  differentiate(solver, &c, &event, 1);
  for (int i = 0; i < 3; ++i) {
    CHECK(c.status[i] == CNF_SAMPLE_OK && c.event[i] == 0 && fabs(c.t_reached[i] - 0.5) <= 16 * 0x1p-52);
    for (int n = 0; n < 3 * D; ++n) CHECK(isnan(c.x_at[i * 3 * D + n]) == (n >= D));
  }
  again.call = c;
  for (int i = 0; i < 3 * 3 * D; ++i)
    if (isnan(c.x_at[i])) again.call.x_at_bar[i] = 0;
  char where[80];
  snprintf(where, sizeof where, "at a time, control %d adjoint %d", (int)control, (int)adjoint);
  check_differences(&again, &c, GRADIENT_TOLERANCE, where);
  cnf_solver_destroy(solver);
}

/* Output times before and after the event. The loss is of the states at the times that are reached. */
static void test_gradient_with_times(void) {
  static event_call c;
  static double x_at_bar[3 * 4 * D];
  const double times[] = {0.25, 0.3, 1.7, 2};
  surface curved = {.c0 = 1, .c1 = -0.7, .square = 0.5, .rate = 1.3, .level = 0.9};
  const cnf_event event = event_of(&curved, CNF_DIRECTION_EITHER);
  const cnf_solver_options options = {
      .method = cnf_method_find("tsit5"), .control = CNF_CONTROL_FIXED, .trace = CNF_TRACE_EXACT, .steps = 4};
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, options);
  fill(&c, 3, 0.1, 2.2);
  c.times = times, c.time_count = 4;
  for (int i = 0; i < 3 * 4 * D; ++i) x_at_bar[i] = noise(i + 900);
  const cnf_solve_input input = input_of(&c, &event, 1);
  cnf_solve_output output = output_of(&c);
  const cnf_loss loss = {.struct_size = sizeof loss,
                         .x1_bar = c.x1_bar,
                         .log_det_bar = c.log_det_bar,
                         .x_at_bar = x_at_bar,
                         .event_time_bar = c.time_bar};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = c.theta_bar, .x0 = c.x0_bar, .t0 = c.t0_bar};
  CHECK(cnf_solve_vjp(solver, &input, &loss, &output, &gradient) == CNF_OK);
  double t0_bar = 0;
  int reached = 0;
  for (int i = 0; i < 3; ++i) t0_bar += c.t0_bar[i], CHECK(c.event[i] == 0 && isnan(c.x_at[(i * 4 + 3) * D]));
  for (int i = 0; i < 12; ++i) reached += !isnan(c.x_at[i * D]);
  CHECK(reached > 3 && reached <= 9);
  for (int n = -1; n < 3 * D + P; ++n) {
    static event_call moved;
    double sum[2];
    for (int side = 0; side < 2; ++side) {
      moved = c;
      *(n < 0 ? &moved.t0 : n < 3 * D ? &moved.x0[n] : &moved.theta[n - 3 * D]) += side ? DIFFERENCE : -DIFFERENCE;
      sum[side] = solve(solver, &moved, &event, 1);
      for (int i = 0; i < 3 * 4 * D; ++i) sum[side] += isnan(moved.x_at[i]) ? 0 : x_at_bar[i] * moved.x_at[i];
    }
    NEAR(n < 0       ? t0_bar
         : n < 3 * D ? c.x0_bar[n]
                     : c.theta_bar[n - 3 * D],
         (sum[1] - sum[0]) / (2 * DIFFERENCE), GRADIENT_TOLERANCE, "with output times", n);
  }
  cnf_solver_destroy(solver);
}

/* A field with a callback in place of a layer has the gradients of the layer. What the backward pass of the search for
 * the event adds to the callback's parameters must be discarded. */
static void test_callback_field(int32_t control, int32_t trace) {
  static event_call native, hosted;
  layer last = {.dtype = CNF_FLOAT64, .rows = D, .cols = HIDDEN};
  const cnf_callback callback = layer_callback(&last);
  const cnf_op ops[OP_COUNT] = {
      net_ops[0],
      net_ops[1],
      net_ops[2],
      {.kind = CNF_OP_CALLBACK, .input = 3, .input2 = CNF_NO_BLOCK, .rows = D, .callback = &callback}};
  surface curved = {.c0 = 1, .c1 = -0.7, .square = 0.5, .rate = 1.3, .level = 0.9};
  const cnf_event event = event_of(&curved, CNF_DIRECTION_EITHER);
  const cnf_solver_options options = {.method = cnf_method_find("dopri5"),
                                      .control = control,
                                      .trace = trace,
                                      .steps = 9,
                                      .max_step =
                                          INFINITY}; /* by default, steps of fields with callbacks are shorter */
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, options);
  fill(&native, COUNT, 0.1, 2.2);
  hosted = native;
  differentiate(solver, &native, &event, 1);
  cnf_solver_destroy(solver);
  solver = solver_of(ops, OP_COUNT, options);
  differentiate(solver, &hosted, &event, 1);
  cnf_solver_destroy(solver);
  for (int n = 0; n < P; ++n) NEAR(hosted.theta_bar[n], native.theta_bar[n], 1e-10, "callback field", n);
  for (int n = 0; n < COUNT * D; ++n) NEAR(hosted.x0_bar[n], native.x0_bar[n], 1e-11, "callback field", n);
}

/* The continuous adjoint converges to the discrete one as tolerances go to 0. Both equal the gradient of the flow to
 * about 1e-9 here. */
static void test_continuous(int32_t control, int backward) {
  static event_call discrete, continuous;
  surface curved = {.c0 = backward ? 0.4 : 1, .c1 = -0.7, .square = 0.5, .rate = 1.3, .level = backward ? -0.7 : 0.9};
  const cnf_event event = event_of(&curved, CNF_DIRECTION_EITHER);
  cnf_solver_options options = {.method = cnf_method_find("dopri8"),
                                .control = control,
                                .trace = CNF_TRACE_EXACT,
                                .steps = 60,
                                .rtol = 1e-12,
                                .kinetic = 1};
  fill(&discrete, COUNT, 0.1, backward ? -2 : 2.2);
  discrete.kinetic_bar = 0.7;
  continuous = discrete;
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, options);
  differentiate(solver, &discrete, &event, 1);
  cnf_solver_destroy(solver);
  options.adjoint = CNF_ADJOINT_CONTINUOUS;
  solver = solver_of(net_ops, OP_COUNT, options);
  differentiate(solver, &continuous, &event, 1);
  cnf_solver_destroy(solver);
  int stopped = 0;
  for (int i = 0; i < COUNT; ++i) {
    CHECK(continuous.status[i] == CNF_SAMPLE_OK && continuous.event[i] == discrete.event[i]);
    stopped += continuous.event[i] == 0;
    for (int d = 0; d < D; ++d)
      NEAR(continuous.x0_bar[i * D + d], discrete.x0_bar[i * D + d], 1e-7, "continuous x0", i);
    NEAR(continuous.t0_bar[i], discrete.t0_bar[i], 1e-7, "continuous t0", i);
    NEAR(continuous.t1_bar[i], discrete.t1_bar[i], 1e-7, "continuous t1", i);
  }
  CHECK(stopped > COUNT / 2);
  for (int n = 0; n < P; ++n) NEAR(continuous.theta_bar[n], discrete.theta_bar[n], 1e-6, "continuous theta", n);
}

/* With events, a partitioned method on a separable field and a kinetic loss, the continuous adjoint converges to the
 * gradient of the flow. The terms of the event use the mean of f^2 over all rows, and those of the steps the mean of
 * each half. Parameters that would couple the halves are 0, as in partitioned_test.c. */
static void test_partitioned(const char *method, int backward) {
  static event_call exact, c;
  surface curved = {.c0 = backward ? 0.4 : 1, .c1 = -0.7, .square = 0.5, .rate = 1.3, .level = backward ? -0.7 : 0.9};
  const cnf_event event = event_of(&curved, CNF_DIRECTION_EITHER);
  cnf_solver_options options = {
      .method = cnf_method_find("dopri8"), .control = CNF_CONTROL_FIXED, .steps = 100, .kinetic = 1};
  fill(&exact, 3, 0.1, backward ? -2 : 2.2);
  exact.kinetic_bar = 0.7;
  for (int unit = 0; unit < HIDDEN; ++unit) { /* half of the units read x[0] and contribute to x[1]' only */
    const int sees = unit < HIDDEN / 2 ? 0 : 1;
    exact.theta[unit * (D + 1) + 1 - sees] = 0;
    exact.theta[HIDDEN * (D + 2) + sees * HIDDEN + unit] = 0;
  }
  const event_call start = exact;
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, options);
  differentiate(solver, &exact, &event, 1);
  cnf_solver_destroy(solver);
  options.method = cnf_method_find(method), options.adjoint = CNF_ADJOINT_CONTINUOUS;
  double error[2] = {0, 0};
  for (int level = 0; level < 2; ++level) {
    c = start;
    options.steps = 32 << (3 * level);
    solver = solver_of(net_ops, OP_COUNT, options);
    differentiate(solver, &c, &event, 1);
    cnf_solver_destroy(solver);
    for (int i = 0; i < 3; ++i) CHECK(c.event[i] == 0 && exact.event[i] == 0 && c.status[i] == CNF_SAMPLE_OK);
    for (int n = 0; n < 3 * D; ++n) error[level] = fmax(error[level], fabs(c.x0_bar[n] - exact.x0_bar[n]));
    for (int i = 0; i < 3; ++i) error[level] = fmax(error[level], fabs(c.t0_bar[i] - exact.t0_bar[i]));
    for (int n = 0; n < P; ++n)
      if (start.theta[n] != 0) error[level] = fmax(error[level], fabs(c.theta_bar[n] - exact.theta_bar[n]));
  }
  char detail[160];
  const double slope = log2(error[0] / error[1]) / 3;
  cnf_method_info info = {.struct_size = sizeof info};
  cnf_method_get(options.method, &info);
  snprintf(detail, sizeof detail, "%s, backward %d: errors %g, %g, slope %g", method, backward, error[0], error[1],
           slope);
  check_count(fabs(slope - info.order) < 0.2, "order of the continuous adjoint", detail, __LINE__);
}

/* A `reverse` that returns a zero gradient of g for one sample. Its crossing then has no derivative, so it fails
 * alone. */
static void still_reverse(void *context, int32_t lanes, const double *t, const void *x, void *g_x, double *g_t) {
  surface_reverse(context, lanes, t, x, g_x, g_t);
  for (int32_t j = 0; j < lanes; ++j)
    if (((const double *)x)[lanes + j] > 5) ((double *)g_x)[j] = ((double *)g_x)[lanes + j] = 0;
}

static void test_still(void) {
  static event_call c, without;
  surface edge = {.c0 = 1, .level = 0.5};
  cnf_event event = event_of(&edge, CNF_DIRECTION_EITHER);
  event.reverse = still_reverse;
  cnf_solver *solver =
      solver_of(linear_ops, 1,
                (cnf_solver_options){.method = cnf_method_find("dopri5"), .control = CNF_CONTROL_FIXED, .steps = 9});
  const double theta[D * D + D] = {0, 0, 0, 0, 1, 0};
  fill(&c, 3, 0, 1);
  memcpy(c.theta, theta, sizeof theta);
  for (int i = 0; i < 3; ++i) c.x0[i * D] = 0.1 * i, c.x0[i * D + 1] = i == 1 ? 6 : 0;
  without = c;
  differentiate(solver, &c, &event, 1);
  CHECK(c.status[0] == CNF_SAMPLE_OK && c.status[1] == CNF_SAMPLE_EVENT && c.status[2] == CNF_SAMPLE_OK);
  CHECK(c.x0_bar[D] == 0 && c.x0_bar[D + 1] == 0 && c.t0_bar[1] == 0 && fabs(c.x1[D] - 0.5) < 1e-12);
  without.x1_bar[D] = without.x1_bar[D + 1] = without.time_bar[1] = without.log_det_bar[1] = 0;
  without.x0[D + 1] = 0;
  differentiate(solver, &without, &event, 1);
  for (int n = 0; n < P; ++n)
    CHECK(c.theta_bar[n] ==
          without.theta_bar[n]); /* with fixed steps, the others are in the same lanes in both solves */
  cnf_solver_destroy(solver);
}

/* A CALLBACK loss that reads t_reached and writes event_time_bar: L is the sum of t_reached. */
typedef struct time_loss {
  event_call *call;
} time_loss;

static int32_t sum_of_times(void *context, size_t first, size_t count, const void *x1, const double *log_det,
                            const int32_t *status, double *loss, void *x1_bar, double *log_det_bar) {
  event_call *c = ((time_loss *)context)->call;
  (void)x1, (void)log_det, (void)status, (void)x1_bar, (void)log_det_bar;
  for (size_t i = 0; i < count; ++i) {
    loss[i] = c->t_reached[first + i];
    c->time_bar[first + i] = 1;
  }
  return 0;
}

static void test_callback_loss(void) {
  static event_call c, expected;
  surface curved = {.c0 = 1, .c1 = -0.7, .square = 0.5, .rate = 1.3, .level = 0.9};
  const cnf_event event = event_of(&curved, CNF_DIRECTION_EITHER);
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, (cnf_solver_options){.method = cnf_method_find("tsit5")});
  fill(&c, COUNT, 0.1, 2.2);
  memset(c.x1_bar, 0, sizeof c.x1_bar), memset(c.log_det_bar, 0, sizeof c.log_det_bar);
  expected = c;
  for (int i = 0; i < COUNT; ++i) expected.time_bar[i] = 1;
  differentiate(solver, &expected, &event, 1);
  time_loss context = {&c};
  const cnf_solve_input input = input_of(&c, &event, 1);
  cnf_solve_output output = output_of(&c);
  const cnf_loss loss = {.struct_size = sizeof loss,
                         .kind = CNF_LOSS_CALLBACK,
                         .function = sum_of_times,
                         .context = &context,
                         .event_time_bar = c.time_bar};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = c.theta_bar, .x0 = c.x0_bar, .loss = c.loss};
  CHECK(cnf_solve_vjp(solver, &input, &loss, &output, &gradient) == CNF_OK);
  CHECK(memcmp(c.theta_bar, expected.theta_bar, sizeof c.theta_bar) == 0);
  CHECK(memcmp(c.x0_bar, expected.x0_bar, sizeof c.x0_bar) == 0);
  for (int i = 0; i < COUNT; ++i) CHECK(c.loss[i] == expected.t_reached[i]);
  cnf_solver_destroy(solver);
}

int main(void) {
  for (int32_t backward = 0; backward < 2; ++backward) {
    test_continuous(CNF_CONTROL_SAMPLE, backward);
    test_continuous(CNF_CONTROL_FIXED, backward);
    test_regularised(backward);
    test_partitioned("leapfrog", backward);
    test_partitioned("yoshida4", backward);
    for (int32_t method = 0; method < cnf_method_count(); ++method) {
      cnf_method_info info = {.struct_size = sizeof info};
      cnf_method_get(method, &info);
      if (info.family != CNF_FAMILY_RUNGE_KUTTA) continue;
      for (int32_t trace = CNF_TRACE_NONE; trace <= CNF_TRACE_EXACT; ++trace) {
        test_gradient((manner){method, CNF_CONTROL_FIXED, trace, 0, backward, 0, 0});
        test_gradient((manner){method, CNF_CONTROL_SAMPLE, trace, 0, backward, 0, trace == CNF_TRACE_NONE ? -1 : 0});
      }
      test_gradient((manner){method, CNF_CONTROL_SAMPLE, CNF_TRACE_EXACT_TANGENTS, 0, backward, 0, 0});
    }
  }
  for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control)
    for (int32_t adjoint = CNF_ADJOINT_DISCRETE; adjoint <= CNF_ADJOINT_CONTINUOUS; ++adjoint)
      test_at_time(control, adjoint);
  test_gradient_with_times();
  for (int32_t trace = CNF_TRACE_NONE; trace <= CNF_TRACE_HUTCHINSON; ++trace)
    for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control)
      test_callback_field(control, trace);
  test_still();
  test_callback_loss();
  return check_report();
}
