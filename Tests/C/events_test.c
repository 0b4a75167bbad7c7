/* events_test.c - events: closed forms of times and their derivatives, both directions of a crossing and of time,
 * several events, failures, and independence of batch and threads. events_gradient_test.c has the gradients.
 */
#include "events_fixture.h"

/* ---- Closed forms ---- */

/* Free fall from the height y with the velocity v under the gravity G. y(t) = y + v t - G t^2/2 reaches the ground at t
 * = (v + sqrt(v^2 + 2 G y))/G with the velocity dy/dt = v - G t. The derivatives are dt/dy = -1/(dy/dt), dt/dv =
 * -t/(dy/dt) and dt/d(-G) = -(t^2/2)/(dy/dt). Methods of order 2 or more only have rounding errors here: 1e-13. */
static void test_free_fall(int32_t control, const char *method) {
  static event_call c;
  surface ground = {.c0 = 1};
  const cnf_event event = event_of(&ground, CNF_DIRECTION_FALLING);
  const double G = 9.81, theta[D * D + D] = {0, 1, 0, 0, 0, -G};
  cnf_solver *solver =
      solver_of(linear_ops, 1, (cnf_solver_options){.method = cnf_method_find(method), .control = control, .steps = 7});
  fill(&c, COUNT, 0, 5);
  memcpy(c.theta, theta, sizeof theta);
  memset(c.x1_bar, 0, sizeof c.x1_bar), memset(c.log_det_bar, 0, sizeof c.log_det_bar);
  for (int i = 0; i < COUNT; ++i) c.x0[i * D] = 2 + i * 0.3, c.x0[i * D + 1] = noise(i);
  differentiate(solver, &c, &event, 1);
  double gravity_bar = 0, expected_bar = 0;
  for (int i = 0; i < COUNT; ++i) {
    const double y = c.x0[i * D], v = c.x0[i * D + 1], t = (v + sqrt(v * v + 2 * G * y)) / G, fall = v - G * t;
    CHECK(c.status[i] == CNF_SAMPLE_OK && c.event[i] == 0);
    NEAR(c.t_reached[i], t, 1e-13, "time of fall", i);
    NEAR(c.x1[i * D], 0, 1e-12, "height at the end", i);
    NEAR(c.x1[i * D + 1], fall, 1e-12, "velocity at the end", i);
    NEAR(c.x0_bar[i * D], -c.time_bar[i] / fall, 1e-12, "dt/dy", i);
    NEAR(c.x0_bar[i * D + 1], -c.time_bar[i] * t / fall, 1e-12, "dt/dv", i);
    NEAR(c.t0_bar[i], c.time_bar[i], 1e-11, "dt/dt0", i); /* the field does not depend on t, so all times shift */
    expected_bar += -c.time_bar[i] * (t * t / 2) / fall;
  }
  gravity_bar = c.theta_bar[D * D + 1];
  NEAR(gravity_bar, expected_bar, 1e-11, "dt/d(-G)", 0);
  cnf_solver_destroy(solver);
}

/* x' = -a x decreases to a level at t = log(x/level)/a, with dt/dx = 1/(a x) and dt/da = -t/a. Backward in time it
 * increases to the level. Steps are accurate to 1e-10. */
static void test_decay(int backward) {
  static event_call c;
  const double a = 0.7, theta[D * D + D] = {-a, 0, 0, -0.2, 0, 0};
  surface level = {.c0 = 1, .level = backward ? 4 : 0.5};
  const cnf_event event = event_of(&level, backward ? CNF_DIRECTION_RISING : CNF_DIRECTION_FALLING);
  cnf_solver *solver =
      solver_of(linear_ops, 1,
                (cnf_solver_options){.method = cnf_method_find("dopri5"), .trace = CNF_TRACE_EXACT, .rtol = 1e-11});
  fill(&c, COUNT, 1, backward ? -9 : 11);
  memcpy(c.theta, theta, sizeof theta);
  memset(c.x1_bar, 0, sizeof c.x1_bar), memset(c.log_det_bar, 0, sizeof c.log_det_bar);
  double rate_bar = 0;
  for (int i = 0; i < COUNT; ++i) c.x0[i * D] = 1 + i * 0.05;
  differentiate(solver, &c, &event, 1);
  for (int i = 0; i < COUNT; ++i) {
    const double x = c.x0[i * D], t = log(x / level.level) / a;
    CHECK(c.status[i] == CNF_SAMPLE_OK && c.event[i] == 0);
    NEAR(c.t_reached[i], 1 + t, 1e-9, "time of decay", i);
    NEAR(c.log_det[i], -(a + 0.2) * t, 1e-9, "log-determinant", i);
    NEAR(c.x0_bar[i * D], c.time_bar[i] / (a * x), 1e-8, "dt/dx", i);
    rate_bar += c.time_bar[i] * t / a; /* the derivative by the weight, -a */
  }
  NEAR(c.theta_bar[0], rate_bar, 1e-7, "dt/d(-a)", 0);
  cnf_solver_destroy(solver);
}

/* ---- Bits and independence ---- */

/* An event that does not happen changes no bit. It costs one evaluation a fixed step: the slope at the end, for the
 * interpolant. */
static void test_no_event(int32_t control) {
  static event_call with, without;
  surface far = {.c0 = 1, .level = 1e3};
  const cnf_event event = event_of(&far, CNF_DIRECTION_EITHER);
  cnf_solver *solver =
      solver_of(net_ops, OP_COUNT,
                (cnf_solver_options){
                    .method = cnf_method_find("dopri5"), .control = control, .trace = CNF_TRACE_EXACT, .steps = 9});
  fill(&with, COUNT, 1, -0.4);
  without = with;
  differentiate(solver, &with, &event, 1);
  differentiate(solver, &without, NULL, 0);
  for (int i = 0; i < COUNT; ++i) CHECK(with.event[i] == -1 && without.event[i] == -1 && with.t_reached[i] == with.t1);
  for (int i = 0; i < COUNT; ++i) {
    CHECK(with.evaluations[i] == without.evaluations[i] + (control == CNF_CONTROL_FIXED ? with.accepted[i] : 0));
    with.evaluations[i] = without.evaluations[i];
  }
  CHECK(memcmp(&with, &without, sizeof with) == 0);
  cnf_solver_destroy(solver);
}

/* Some samples stop and others do not. The results of each do not depend on the others, and gradients are the same with
 * any number of threads. */
static void test_independence(int32_t method, int32_t control, int32_t trace) {
  static event_call all, threads, alone;
  surface curved = {.c0 = 1, .c1 = -0.7, .square = 0.5, .rate = 0.5, .level = 1.3};
  surface other = {.c0 = 0.3, .c1 = 1, .level = -0.1};
  const cnf_event events[] = {event_of(&curved, CNF_DIRECTION_EITHER), event_of(&other, CNF_DIRECTION_EITHER)};
  const cnf_solver_options one = {.method = method, .control = control, .trace = trace, .steps = 8};
  cnf_solver_options three = one;
  three.threads = 3;
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, one), *threaded = solver_of(net_ops, OP_COUNT, three);
  cnf_method_info info = {.struct_size = sizeof info};
  cnf_method_get(method, &info);
  const int differentiable = info.family == CNF_FAMILY_RUNGE_KUTTA;
  fill(&all, COUNT, 0, 1.2);
  all.x0[5 * D] = NAN; /* this sample fails */
  threads = all;
  if (differentiable) {
    differentiate(solver, &all, events, 2);
    differentiate(threaded, &threads, events, 2);
  } else {
    solve(solver, &all, events, 2);
    solve(threaded, &threads, events, 2);
  }
  CHECK(memcmp(&all, &threads, sizeof all) == 0);
  int kinds[3] = {0};
  for (int i = 0; i < COUNT; ++i) ++kinds[1 + all.event[i]];
  CHECK(kinds[0] > 1 && kinds[1] > 1 && kinds[2] > 1);
  CHECK(all.status[5] != CNF_SAMPLE_OK && all.event[5] == -1);
  for (int i = 0; i < COUNT; ++i) {
    fill(&alone, 1, 0, 1.2);
    memcpy(alone.x0, all.x0 + i * D, D * sizeof(double));
    memcpy(alone.x1_bar, all.x1_bar + i * D, D * sizeof(double));
    alone.log_det_bar[0] = all.log_det_bar[i], alone.time_bar[0] = all.time_bar[i];
    if (trace == CNF_TRACE_HUTCHINSON && i > 0) break; /* a sample alone has the probes of sample 0 */
    if (differentiable)
      differentiate(solver, &alone, events, 2);
    else
      solve(solver, &alone, events, 2);
    CHECK(i == 5 || memcmp(alone.x1, all.x1 + i * D, D * sizeof(double)) == 0);
    CHECK(alone.event[0] == all.event[i] && alone.status[0] == all.status[i]);
    CHECK(alone.accepted[0] == all.accepted[i] && alone.evaluations[0] == all.evaluations[i]);
    CHECK(i == 5 || (alone.t_reached[0] == all.t_reached[i] && alone.log_det[0] == all.log_det[i]));
    CHECK(memcmp(alone.x0_bar, all.x0_bar + i * D, D * sizeof(double)) == 0 && alone.t0_bar[0] == all.t0_bar[i]);
  }
  cnf_solver_destroy(solver);
  cnf_solver_destroy(threaded);
}

/* ---- Directions, several events, output times, tolerances, failures ---- */

/* x = (cos wt, sin wt) crosses x1 = 1/2 upward at wt = pi/6 and downward at 5 pi/6. Backward in time the directions
 * swap. */
static const double TURN[D * D + D] = {0, -2, 2, 0, 0, 0}, PI = 3.14159265358979323846;

static double stop_of(int32_t direction, double t1, double tolerance, int32_t *event, double *g, const char *method) {
  static event_call c;
  surface height = {.c1 = 1, .level = 0.5};
  cnf_event one = event_of(&height, direction);
  one.tolerance = tolerance;
  cnf_solver *solver = solver_of(linear_ops, 1, (cnf_solver_options){.method = cnf_method_find(method), .rtol = 1e-12});
  fill(&c, 1, 0, t1);
  memcpy(c.theta, TURN, sizeof TURN);
  c.x0[0] = 1, c.x0[1] = 0;
  solve(solver, &c, &one, 1);
  CHECK(c.status[0] == CNF_SAMPLE_OK);
  *event = c.event[0];
  *g = c.x1[1] - 0.5;
  cnf_solver_destroy(solver);
  return c.t_reached[0];
}

static void test_directions(const char *method) {
  int32_t event;
  double g;
  NEAR(stop_of(CNF_DIRECTION_EITHER, 9, 0, &event, &g, method), PI / 12, 1e-10, "either", 0);
  NEAR(stop_of(CNF_DIRECTION_RISING, 9, 0, &event, &g, method), PI / 12, 1e-10, "rising", 0);
  CHECK(event == 0 && g >= 0); /* the solve stops after the crossing */
  NEAR(stop_of(CNF_DIRECTION_FALLING, 9, 0, &event, &g, method), 5 * PI / 12, 1e-10, "falling", 0);
  CHECK(event == 0 && g <= 0);
  NEAR(stop_of(CNF_DIRECTION_RISING, -9, 0, &event, &g, method), -7 * PI / 12, 1e-10, "rising, backward", 0);
  NEAR(stop_of(CNF_DIRECTION_FALLING, -9, 0, &event, &g, method), -11 * PI / 12, 1e-10, "falling, backward", 0);
  CHECK(stop_of(CNF_DIRECTION_FALLING, 1, 0, &event, &g, method) == 1 && event == -1);
  /* The solve stops at most the tolerance after the crossing. */
  for (double tolerance = 1e-2; tolerance > 1e-12; tolerance /= 10) {
    const double late = stop_of(CNF_DIRECTION_RISING, 9, tolerance, &event, &g, method) - PI / 12;
    CHECK(late > -1e-11 && late <= tolerance + 1e-11 && event == 0);
  }
}

static void test_several(void) {
  static event_call c;
  surface high = {.c1 = 1, .level = 0.6}, low = {.c1 = 1, .level = 0.5}, late = {.rate = 1, .level = 0.29};
  const cnf_event events[] = {event_of(&high, CNF_DIRECTION_EITHER), event_of(&late, CNF_DIRECTION_RISING),
                              event_of(&low, CNF_DIRECTION_EITHER)};
  cnf_solver *solver = solver_of(linear_ops, 1,
                                 (cnf_solver_options){.method = cnf_method_find("rk4"),
                                                      .control = CNF_CONTROL_FIXED,
                                                      .steps = 2}); /* all events are in one step */
  const double times[] = {0.2, 0.4, 0.7, 0.8};
  fill(&c, 1, 0, 0.8);
  memcpy(c.theta, TURN, sizeof TURN);
  c.x0[0] = 1, c.x0[1] = 0;
  solve(solver, &c, events, 3);
  CHECK(c.event[0] == 2);
  NEAR(c.t_reached[0], PI / 12, 1e-3, "the first of three", 0);
  solve(solver, &c, events, 2);
  CHECK(c.event[0] == 1);
  NEAR(c.t_reached[0], 0.29, 1e-14, "a time", 0);
  solve(solver, &c, events, 1);
  CHECK(c.event[0] == 0);
  NEAR(c.t_reached[0], asin(0.6) / 2, 1e-3, "the last of three", 0);
  c.times = times, c.time_count = 4; /* output times after the event are not reached */
  solve(solver, &c, events, 3);
  CHECK(c.event[0] == 2 && c.status[0] == CNF_SAMPLE_OK && fabs(c.x_at[0] - cos(0.4)) < 1e-3);
  for (int n = 1; n < 4; ++n) CHECK(isnan(c.x_at[n * D]) && isnan(c.x_at[n * D + 1]));
  /* A sample that starts at g = 0 has no event there. It returns to g = 0 after half a turn. */
  low.level = 0, c.t1 = 4, c.times = NULL, c.time_count = 0;
  cnf_solver_destroy(solver);
  solver = solver_of(linear_ops, 1, (cnf_solver_options){.method = cnf_method_find("dopri5"), .rtol = 1e-10});
  solve(solver, &c, events + 2, 1);
  CHECK(c.event[0] == 0);
  NEAR(c.t_reached[0], PI / 2, 1e-8, "return to g = 0", 0);
  /* A new solve that starts at an event finds the next crossing. */
  low.level = 0.5, c.t1 = 9;
  solve(solver, &c, events + 2, 1);
  memcpy(c.x0, c.x1, D * sizeof(double));
  c.t0 = c.t_reached[0];
  solve(solver, &c, events + 2, 1);
  NEAR(c.t_reached[0], 5 * PI / 12, 1e-8, "the next crossing", 0);
  cnf_solver_destroy(solver);
}

/* With crossings a few units in the last place from t1 and from an output time, the search ends, at the event or just
 * before. */
static void test_edges(int32_t control, int backward) {
  static event_call c;
  const double theta[D * D + D] = {0, 0, 0, 0, 1, 0}, t0 = 0.1, t1 = backward ? -1.3 : 1.3;
  const double times[] = {t0 + 0.3 * (t1 - t0), t1};
  surface clock = {.rate = 1};
  const cnf_event event = event_of(&clock, CNF_DIRECTION_EITHER);
  cnf_solver *solver = solver_of(
      linear_ops, 1, (cnf_solver_options){.method = cnf_method_find("dopri5"), .control = control, .steps = 7});
  for (int ulps = -40; ulps <= 40; ++ulps)
    for (int place = 0; place < 2; ++place) {
      fill(&c, 3, t0, t1);
      memcpy(c.theta, theta, sizeof theta);
      clock.level = times[place] + ulps * 0x1p-53;
      c.times = times, c.time_count = 2;
      solve(solver, &c, &event, 1);
      for (int i = 0; i < 3; ++i) {
        CHECK(c.status[i] == CNF_SAMPLE_OK);
        CHECK(c.event[i] == 0 ? fabs(c.t_reached[i] - clock.level) < 16 * 0x1p-52 * 1.3 : place == 1);
      }
    }
  cnf_solver_destroy(solver);
}

static void unknown_evaluate(void *context, int32_t lanes, const double *t, const void *x, double *g) {
  for (int32_t j = 0; j < lanes; ++j) g[j] = t[j] < 0.5 && ((const double *)x)[j] < *(double *)context ? -1 : NAN;
}

static void test_failures(int32_t control) {
  static event_call c;
  double wall = 100;
  cnf_event unknown = {.struct_size = sizeof unknown, .context = &wall, .evaluate = unknown_evaluate};
  cnf_solver *solver = solver_of(
      linear_ops, 1, (cnf_solver_options){.method = cnf_method_find("dopri5"), .control = control, .steps = 10});
  const double theta[D * D + D] = {0, 0, 0, 0, 1, 0}; /* x[0]' = 1 */
  fill(&c, 4, 0, 1);
  memcpy(c.theta, theta, sizeof theta);
  c.x0[2 * D] = 200; /* g is NaN at the start */
  solve(solver, &c, &unknown, 1);
  for (int i = 0; i < 4; ++i) CHECK(c.status[i] == CNF_SAMPLE_EVENT && c.event[i] == -1);
  CHECK(c.accepted[2] == 0 && c.t_reached[2] == 0 && c.t_reached[0] < 0.5 &&
        fabs(c.x1[0] - c.x0[0] - c.t_reached[0]) < 1e-14);
  cnf_solver_destroy(solver);
}

static void test_refusals(void) {
  static event_call c;
  surface plane = {.c0 = 1};
  cnf_event event = event_of(&plane, CNF_DIRECTION_EITHER), bad;
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, (cnf_solver_options){.method = cnf_method_find("dopri5")});
  fill(&c, 2, 0, 1);
  cnf_solve_output output = output_of(&c);
#define REFUSED(expected, change)                                     \
  do {                                                                \
    bad = event;                                                      \
    change;                                                           \
    const cnf_solve_input in = input_of(&c, &bad, 1);                 \
    pattern_fill(c.x1, sizeof c.x1);                                  \
    CHECK_STATUS(expected, cnf_solve(solver, &in, &output), #change); \
    CHECK(pattern_intact(c.x1, sizeof c.x1));                         \
  } while (0)
  REFUSED(CNF_ERROR_STRUCT_SIZE, bad.struct_size = 8);
  REFUSED(CNF_ERROR_EVENT, bad.evaluate = NULL);
  REFUSED(CNF_ERROR_EVENT, bad.reserved = 1);
  REFUSED(CNF_ERROR_EVENT, bad.direction = 2);
  REFUSED(CNF_ERROR_EVENT, bad.direction = -2);
  REFUSED(CNF_ERROR_EVENT, bad.tolerance = -1);
  REFUSED(CNF_ERROR_EVENT, bad.tolerance = NAN);
  cnf_solve_input in = input_of(&c, NULL, 1);
  CHECK_STATUS(CNF_ERROR_NULL, cnf_solve(solver, &in, &output), "no events");
  in = input_of(&c, &event, CNF_MOST_EVENTS + 1);
  CHECK_STATUS(CNF_ERROR_EVENT, cnf_solve(solver, &in, &output), "too many events");
  event.reverse = NULL;
  in = input_of(&c, &event, 1);
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .x0 = c.x0_bar};
  CHECK_STATUS(CNF_ERROR_EVENT_REVERSE, cnf_solve_vjp(solver, &in, &loss, &output, &gradient), "no reverse");
  CHECK_STATUS(CNF_OK, cnf_solve(solver, &in, &output), "no reverse, solved only");
  cnf_solver_destroy(solver);
  solver = solver_of(net_ops, OP_COUNT,
                     (cnf_solver_options){.method = cnf_method_find("dopri5"), .control = CNF_CONTROL_BATCH});
  CHECK_STATUS(CNF_ERROR_EVENT_METHOD, cnf_solve(solver, &in, &output), "batch control");
  cnf_solver_destroy(solver);
  solver = solver_of(
      net_ops, OP_COUNT,
      (cnf_solver_options){.method = cnf_method_find("explicit_adams"), .control = CNF_CONTROL_FIXED, .steps = 8});
  CHECK_STATUS(CNF_ERROR_EVENT_METHOD, cnf_solve(solver, &in, &output), "Adams");
  cnf_solver_destroy(solver);
}

/* Batch control has no events. If the batch fails, the output still says that no event happened. */
static void test_batch_fails(void) {
  static event_call c;
  cnf_solver *solver = solver_of(
      net_ops, OP_COUNT,
      (cnf_solver_options){.method = cnf_method_find("dopri5"), .control = CNF_CONTROL_BATCH, .max_steps = 2});
  fill(&c, COUNT, 0, 5);
  memset(c.event, 0x5A, sizeof c.event);
  solve(solver, &c, NULL, 0);
  for (int i = 0; i < COUNT; ++i) CHECK(c.status[i] == CNF_SAMPLE_MAX_STEPS && c.event[i] == -1);
  cnf_solver_destroy(solver);
}

/* In single precision, the event equals that of a double solve up to rounding. */
static void test_single(void) {
  static float theta[P], x0[D], x1[D];
  surface height = {.c1 = 1, .level = 0.5, .single = 1};
  const cnf_event event = event_of(&height, CNF_DIRECTION_RISING);
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  for (int i = 0; i < D * D + D; ++i) theta[i] = (float)TURN[i];
  x0[0] = 1, x0[1] = 0;
  cnf_solver_options_init(&options, sizeof options);
  options.threads = 1, options.rtol = options.atol = 1e-6;
  CHECK(cnf_field_create(CNF_FLOAT32, D, linear_ops, 1, sizeof(cnf_op), &field) == CNF_OK);
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  cnf_field_destroy(field);
  double t;
  int32_t number;
  const cnf_solve_input input = {.struct_size = sizeof input,
                                 .parameters = theta,
                                 .x0 = x0,
                                 .count = 1,
                                 .t0 = 0,
                                 .t1 = 9,
                                 .events = &event,
                                 .event_count = 1};
  cnf_solve_output output = {.struct_size = sizeof output, .x1 = x1, .t_reached = &t, .event = &number};
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK && number == 0);
  NEAR(t, PI / 12, 1e-4, "in float", 0); /* 100 times the tolerance of a step */
  NEAR((double)x1[1], 0.5, 1e-5, "in float",
       1); /* the default tolerance: 16 units in the last place of 9, 1.5e-5, times a slope of 1.7 */
  cnf_solver_destroy(solver);
}

int main(void) {
  const char *const exact[] = {"midpoint", "rk4", "heun3", "dopri5", "tsit5", "vern7", "dopri8"};
  for (size_t i = 0; i < sizeof exact / sizeof exact[0]; ++i) test_free_fall(CNF_CONTROL_FIXED, exact[i]);
  for (size_t i = 3; i < sizeof exact / sizeof exact[0]; ++i) test_free_fall(CNF_CONTROL_SAMPLE, exact[i]);
  for (int backward = 0; backward < 2; ++backward) test_decay(backward);
  const char *const stiff[] = {"dopri5", "dopri8", "rodas4"};
  for (size_t i = 0; i < 3; ++i)
    for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control) {
      test_independence(cnf_method_find(stiff[i]), control, CNF_TRACE_EXACT_TANGENTS);
      if (i < 2) test_independence(cnf_method_find(stiff[i]), control, CNF_TRACE_HUTCHINSON);
    }
  for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control) {
    test_no_event(control);
    test_edges(control, 0);
    test_edges(control, 1);
    test_failures(control);
  }
  test_directions("dopri5");
  test_directions("vern7");
  test_directions("rodas4");
  test_several();
  test_refusals();
  test_batch_fails();
  test_single();
  return check_report();
}
