/* events_test.c - events: times that have a closed form and their derivatives, gradients against central differences, both
 * directions of a crossing and of time, several events, what fails, and the promises that hold for them as for a solve's end.
 */
#include <math.h>

#include "callback_layer.h"
#include "fixture.h"

enum { COUNT = 37, MOST_STEPS = 400 }; /* COUNT: more than a tile of any instruction set */

static double noise(int i) { return sin(12.9898 * i + 0.37 * i * i); } /* in [-1, 1], without pattern */

/* g = c0 x0 + c1 x1 + square x0^2 + rate t - level, in double or float. */
typedef struct surface {
  double c0, c1, square, rate, level;
  int32_t single;
} surface;

static void surface_evaluate(void *context, int32_t lanes, const double *t, const void *x, double *g) {
  const surface *s = context;
  for (int32_t j = 0; j < lanes; ++j) {
    const double a = s->single ? (double)((const float *)x)[j] : ((const double *)x)[j];
    const double b = s->single ? (double)((const float *)x)[lanes + j] : ((const double *)x)[lanes + j];
    g[j] = s->c0 * a + s->c1 * b + s->square * a * a + s->rate * t[j] - s->level;
  }
}

static void surface_reverse(void *context, int32_t lanes, const double *t, const void *x, void *g_x, double *g_t) {
  const surface *s = context;
  double *to = g_x;
  (void)t;
  for (int32_t j = 0; j < lanes; ++j) {
    to[j] = s->c0 + 2 * s->square * ((const double *)x)[j];
    to[lanes + j] = s->c1;
    g_t[j] = s->rate;
  }
}

static cnf_event event_of(surface *s, int32_t direction) {
  return (cnf_event){.struct_size = sizeof(cnf_event),
                     .context = s,
                     .evaluate = surface_evaluate,
                     .reverse = surface_reverse,
                     .direction = direction};
}

typedef struct event_call {
  int count;
  double t0, t1;
  double theta[P], x0[COUNT * D], x1_bar[COUNT * D], log_det_bar[COUNT], time_bar[COUNT];
  const double *given_fractions, *times;
  size_t given_count, time_count;
  double x1[COUNT * D], log_det[COUNT], t_reached[COUNT], fractions[COUNT * (MOST_STEPS + 1)], x_at[COUNT * 4 * D];
  int32_t status[COUNT], accepted[COUNT], event[COUNT], evaluations[COUNT];
  double theta_bar[P], x0_bar[COUNT * D], t0_bar[COUNT], t1_bar[COUNT], loss[COUNT];
} event_call;

static void fill(event_call *c, int count, double t0, double t1) {
  memset(c, 0, sizeof *c);
  c->count = count, c->t0 = t0, c->t1 = t1;
  for (int i = 0; i < P; ++i) c->theta[i] = 0.8 * noise(i + 1);
  for (int i = 0; i < count * D; ++i) c->x0[i] = 0.6 * noise(i + 100), c->x1_bar[i] = noise(i + 300);
  for (int i = 0; i < count; ++i) c->log_det_bar[i] = noise(i + 500), c->time_bar[i] = noise(i + 700);
}

static const cnf_op net_ops[OP_COUNT] = OPS;
static const cnf_op linear_ops[] = {{.kind = CNF_OP_LINEAR, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = D}};

static cnf_solver *solver_of(const cnf_op *ops, int32_t op_count, cnf_solver_options more) {
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  CHECK(cnf_field_create(CNF_FLOAT64, D, ops, op_count, &field) == CNF_OK);
  cnf_solver_options_init(&options, sizeof options);
  options.method = more.method, options.control = more.control, options.trace = more.trace;
  options.steps = more.steps, options.threads = more.threads ? more.threads : 1, options.max_steps = more.max_steps;
  options.adjoint = more.adjoint, options.store_bytes = more.store_bytes, options.kinetic = more.kinetic;
  if (more.rtol > 0) options.rtol = options.atol = more.rtol;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  cnf_field_destroy(field);
  return solver;
}

static cnf_solve_input input_of(const event_call *c, const cnf_event *events, size_t event_count) {
  return (cnf_solve_input){.struct_size = sizeof(cnf_solve_input),
                           .parameters = c->theta,
                           .x0 = c->x0,
                           .count = (size_t)c->count,
                           .t0 = c->t0,
                           .t1 = c->t1,
                           .seed = 5,
                           .step_fractions = c->given_fractions,
                           .step_fraction_count = c->given_count,
                           .times = c->times,
                           .time_count = c->time_count,
                           .events = events,
                           .event_count = event_count};
}

static cnf_solve_output output_of(event_call *c) {
  return (cnf_solve_output){.struct_size = sizeof(cnf_solve_output),
                            .x1 = c->x1,
                            .log_det = c->log_det,
                            .t_reached = c->t_reached,
                            .status = c->status,
                            .accepted = c->accepted,
                            .evaluations = c->evaluations,
                            .step_fractions = c->fractions,
                            .step_fraction_stride = MOST_STEPS + 1,
                            .x_at = c->times ? c->x_at : NULL,
                            .event = c->event};
}

/* Solves; the loss is a fixed linear function of states, log-determinants and times at the ends. */
static double solve(cnf_solver *solver, event_call *c, const cnf_event *events, size_t event_count) {
  const cnf_solve_input input = input_of(c, events, event_count);
  cnf_solve_output output = output_of(c);
  double sum = 0;
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  for (int i = 0; i < c->count * D; ++i) sum += c->x1_bar[i] * c->x1[i];
  for (int i = 0; i < c->count; ++i) sum += c->log_det_bar[i] * c->log_det[i] + c->time_bar[i] * c->t_reached[i];
  return sum;
}

static void differentiate(cnf_solver *solver, event_call *c, const cnf_event *events, size_t event_count) {
  const cnf_solve_input input = input_of(c, events, event_count);
  cnf_solve_output output = output_of(c);
  const cnf_loss loss = {.struct_size = sizeof loss,
                         .kind = CNF_LOSS_COTANGENTS,
                         .x1_bar = c->x1_bar,
                         .log_det_bar = c->log_det_bar,
                         .event_time_bar = c->time_bar};
  cnf_gradient gradient = {
      .struct_size = sizeof gradient, .parameters = c->theta_bar, .x0 = c->x0_bar, .t0 = c->t0_bar, .t1 = c->t1_bar};
  CHECK_STATUS(CNF_OK, cnf_solve_vjp(solver, &input, &loss, &output, &gradient), "vjp with events");
}

static void check_near(double got, double expected, double tolerance, const char *what, int number, int line) {
  char detail[200];
  snprintf(detail, sizeof detail, "number %d: %.15g, expected %.15g", number, got, expected);
  check_count(fabs(got - expected) <= tolerance, what, detail, line);
}
#define NEAR(got, expected, tolerance, what, number) check_near(got, expected, tolerance, what, number, __LINE__)

/* ---- Closed forms ---- */

/* Free fall from y with velocity v under gravity G: y(t) = y + v t - G t^2/2 meets the ground at t = (v + sqrt(v^2 + 2 G y))/G, and is
 * then as fast as dy/dt = v - G t. dt/dy = -1/(dy/dt), dt/dv = -t/(dy/dt), dt/d(-G) = -(t^2/2)/(dy/dt). Methods of order 2 and
 * more have no error here, but for rounding: 1e-13. */
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
    NEAR(c.t0_bar[i], c.time_bar[i], 1e-11, "dt/dt0", i); /* the field knows no time: all shifts */
    expected_bar += -c.time_bar[i] * (t * t / 2) / fall;
  }
  gravity_bar = c.theta_bar[D * D + 1];
  NEAR(gravity_bar, expected_bar, 1e-11, "dt/d(-G)", 0);
  cnf_solver_destroy(solver);
}

/* x' = -a x comes down to a level at t = log(x/level)/a: dt/dx = 1/(a x), dt/da = -t/a; backward in time it climbs there. Steps
 * are accurate to 1e-10. */
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
    rate_bar += c.time_bar[i] * t / a; /* by -a, the weight */
  }
  NEAR(c.theta_bar[0], rate_bar, 1e-7, "dt/d(-a)", 0);
  cnf_solver_destroy(solver);
}

/* ---- Gradients against central differences ----
 * Their own error is d^2/6 of third derivatives, below 1e3, and the rounding of L, the event's place included, 1e-14 / d: with
 * d = 1e-5 both are below 2e-8. */
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

/* Fixed steps are solved again. Of adaptive ones those that one sample took are taken again, as fixed ones with fractions, the last
 * a little longer than it was, so that it is the event that ends it. */
static void test_gradient(int32_t method, int32_t control, int32_t trace, int backward, int64_t store_bytes) {
  static event_call c;
  static derivative again;
  static double fractions[MOST_STEPS];
  cnf_method_info info = {.struct_size = sizeof info};
  cnf_method_get(method, &info);
  if (control == CNF_CONTROL_SAMPLE && !info.embedded_order) return;
  surface bent = {.c0 = backward ? 0.4 : 1, .c1 = -0.7, .square = 0.5, .rate = 1.3, .level = backward ? -0.7 : 0.9};
  const cnf_event event = event_of(&bent, CNF_DIRECTION_EITHER);
  cnf_solver_options options = {
      .method = method, .control = control, .trace = trace, .steps = 16, .store_bytes = store_bytes};
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, options);
  options.control = CNF_CONTROL_FIXED;
  again.solver = solver_of(net_ops, OP_COUNT, options), again.event = &event;
  fill(&c, control == CNF_CONTROL_FIXED ? 3 : 1, 0.1, backward ? -2 : 2.2);
  differentiate(solver, &c, &event, 1);
  char where[160];
  snprintf(where, sizeof where, "%s control %d trace %d backward %d", info.name, (int)control, (int)trace, backward);
  for (int i = 0; i < c.count; ++i) {
    check_count(c.status[i] == CNF_SAMPLE_OK && c.event[i] == 0, "an event ends it", where, __LINE__);
    double g;
    const double x[D] = {c.x1[i * D], c.x1[i * D + 1]};
    surface_evaluate(&bent, 1, &c.t_reached[i], x, &g);
    NEAR(g, 0, 1e-13, "g at the event", i); /* 16 units in the last place of 2, with slopes of about 2, and rounding */
  }
  again.call = c;
  if (control == CNF_CONTROL_SAMPLE) {
    const int n = c.accepted[0];
    memcpy(fractions, c.fractions, (size_t)n * sizeof(double));
    fractions[n] = c.fractions[n - 1] + 1.05 * (c.fractions[n] - c.fractions[n - 1]);
    fractions[n + 1] = 1;
    again.call.given_fractions = fractions, again.call.given_count = (size_t)n + 2;
  }
  double t0_bar = 0, t1_bar = 0;
  for (int i = 0; i < c.count; ++i) t0_bar += c.t0_bar[i], t1_bar += c.t1_bar[i];
  NEAR(t0_bar, difference(&again, &again.call.t0), GRADIENT_TOLERANCE, where, -1);
  NEAR(t1_bar, difference(&again, &again.call.t1), GRADIENT_TOLERANCE, where, -2);
  for (int n = 0; n < c.count * D; ++n)
    NEAR(c.x0_bar[n], difference(&again, &again.call.x0[n]), GRADIENT_TOLERANCE, where, n);
  for (int n = 0; n < P; ++n)
    NEAR(c.theta_bar[n], difference(&again, &again.call.theta[n]), GRADIENT_TOLERANCE, where, 100 + n);
  cnf_solver_destroy(solver);
  cnf_solver_destroy(again.solver);
}

/* Output times before the event and after it: a loss of the states at those that are reached. */
static void test_gradient_with_times(void) {
  static event_call c;
  static double x_at_bar[3 * 4 * D];
  const double times[] = {0.25, 0.3, 1.7, 2};
  surface bent = {.c0 = 1, .c1 = -0.7, .square = 0.5, .rate = 1.3, .level = 0.9};
  const cnf_event event = event_of(&bent, CNF_DIRECTION_EITHER);
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

/* A field with a callback in a layer's place has the layer's gradients: what the event's own reverses give it is thrown away. */
static void test_callback_field(int32_t control, int32_t trace) {
  static event_call native, hosted;
  layer last = {.dtype = CNF_FLOAT64, .rows = D, .cols = HIDDEN};
  const cnf_callback callback = layer_callback(&last);
  const cnf_op ops[OP_COUNT] = {
      net_ops[0],
      net_ops[1],
      net_ops[2],
      {.kind = CNF_OP_CALLBACK, .input = 3, .input2 = CNF_NO_BLOCK, .rows = D, .callback = &callback}};
  surface bent = {.c0 = 1, .c1 = -0.7, .square = 0.5, .rate = 1.3, .level = 0.9};
  const cnf_event event = event_of(&bent, CNF_DIRECTION_EITHER);
  const cnf_solver_options options = {
      .method = cnf_method_find("dopri5"), .control = control, .trace = trace, .steps = 9};
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

/* The continuous adjoint comes to the discrete one as tolerances go to 0: both are the flow's to about 1e-9 here. */
static void test_continuous(int32_t control, int backward) {
  static event_call discrete, continuous;
  surface bent = {.c0 = backward ? 0.4 : 1, .c1 = -0.7, .square = 0.5, .rate = 1.3, .level = backward ? -0.7 : 0.9};
  const cnf_event event = event_of(&bent, CNF_DIRECTION_EITHER);
  cnf_solver_options options = {.method = cnf_method_find("dopri8"),
                                .control = control,
                                .trace = CNF_TRACE_EXACT,
                                .steps = 60,
                                .rtol = 1e-12,
                                .kinetic = 1};
  fill(&discrete, COUNT, 0.1, backward ? -2 : 2.2);
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

/* ---- Promises ---- */

/* Where no event happens nothing changes, to the bit. */
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
  CHECK(memcmp(&with, &without, sizeof with) == 0);
  cnf_solver_destroy(solver);
}

/* Some samples stop and others do not: each one's answer is its own, gradients are the same at any number of threads. */
static void test_independence(int32_t method, int32_t control, int32_t trace) {
  static event_call all, threads, alone;
  surface bent = {.c0 = 1, .c1 = -0.7, .square = 0.5, .rate = 0.5, .level = 1.3};
  surface other = {.c0 = 0.3, .c1 = 1, .level = -0.1};
  const cnf_event events[] = {event_of(&bent, CNF_DIRECTION_EITHER), event_of(&other, CNF_DIRECTION_EITHER)};
  const cnf_solver_options one = {.method = method, .control = control, .trace = trace, .steps = 8};
  cnf_solver_options three = one;
  three.threads = 3;
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, one), *threaded = solver_of(net_ops, OP_COUNT, three);
  cnf_method_info info = {.struct_size = sizeof info};
  cnf_method_get(method, &info);
  const int differentiable = info.family == CNF_FAMILY_RUNGE_KUTTA;
  fill(&all, COUNT, 0, 1.2);
  all.x0[5 * D] = NAN; /* fails beside the others */
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
    if (trace == CNF_TRACE_HUTCHINSON && i > 0) break; /* its probes are those of sample 0 */
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

/* ---- Directions, several events, output times, tolerance, what fails ---- */

/* A turn: x = (cos wt, sin wt) crosses x1 = 1/2 upward at wt = pi/6, downward at 5 pi/6; the other way round where time runs back. */
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
  CHECK(event == 0 && g >= 0); /* past it */
  NEAR(stop_of(CNF_DIRECTION_FALLING, 9, 0, &event, &g, method), 5 * PI / 12, 1e-10, "falling", 0);
  CHECK(event == 0 && g <= 0);
  NEAR(stop_of(CNF_DIRECTION_RISING, -9, 0, &event, &g, method), -7 * PI / 12, 1e-10, "rising, backward", 0);
  NEAR(stop_of(CNF_DIRECTION_FALLING, -9, 0, &event, &g, method), -11 * PI / 12, 1e-10, "falling, backward", 0);
  CHECK(stop_of(CNF_DIRECTION_FALLING, 1, 0, &event, &g, method) == 1 && event == -1);
  /* to a tolerance: past the crossing by no more than it */
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
  cnf_solver *solver =
      solver_of(linear_ops, 1,
                (cnf_solver_options){
                    .method = cnf_method_find("rk4"), .control = CNF_CONTROL_FIXED, .steps = 2}); /* all in one step */
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
  c.times = times, c.time_count = 4; /* those beyond it are not reached */
  solve(solver, &c, events, 3);
  CHECK(c.event[0] == 2 && c.status[0] == CNF_SAMPLE_OK && fabs(c.x_at[0] - cos(0.4)) < 1e-3);
  for (int n = 1; n < 4; ++n) CHECK(isnan(c.x_at[n * D]) && isnan(c.x_at[n * D + 1]));
  /* one that starts on the surface has no sign to lose; it comes back to it after half a turn */
  low.level = 0, c.t1 = 4, c.times = NULL, c.time_count = 0;
  cnf_solver_destroy(solver);
  solver = solver_of(linear_ops, 1, (cnf_solver_options){.method = cnf_method_find("dopri5"), .rtol = 1e-10});
  solve(solver, &c, events + 2, 1);
  CHECK(c.event[0] == 0);
  NEAR(c.t_reached[0], PI / 2, 1e-8, "back on the surface", 0);
  /* from where an event has ended a solve goes on: the other crossing is the next */
  low.level = 0.5, c.t1 = 9;
  solve(solver, &c, events + 2, 1);
  memcpy(c.x0, c.x1, D * sizeof(double));
  c.t0 = c.t_reached[0];
  solve(solver, &c, events + 2, 1);
  NEAR(c.t_reached[0], 5 * PI / 12, 1e-8, "the next crossing", 0);
  cnf_solver_destroy(solver);
}

/* Crossings a few units in the last place from t1, and from an output time: the search ends, at the event or just before it. */
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
  const double theta[D * D + D] = {0, 0, 0, 0, 1, 0}; /* x0 rises by 1 a unit of time */
  fill(&c, 4, 0, 1);
  memcpy(c.theta, theta, sizeof theta);
  c.x0[2 * D] = 200; /* not a number at the start */
  solve(solver, &c, &unknown, 1);
  for (int i = 0; i < 4; ++i) CHECK(c.status[i] == CNF_SAMPLE_EVENT && c.event[i] == -1);
  CHECK(c.accepted[2] == 0 && c.t_reached[2] == 0 && c.t_reached[0] < 0.5 &&
        fabs(c.x1[0] - c.x0[0] - c.t_reached[0]) < 1e-14);
  cnf_solver_destroy(solver);
}

/* A reverse that says g stands still: no derivative, but for that sample alone. */
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
    CHECK(c.theta_bar[n] == without.theta_bar[n]); /* fixed steps: the others are in the same lanes either way */
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
  CHECK_STATUS(CNF_OK, cnf_solve(solver, &in, &output), "a solve needs none");
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

/* A CALLBACK loss reads t_reached and writes event_time_bar: L = sum of t_reached. */
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
  static event_call c, given;
  surface bent = {.c0 = 1, .c1 = -0.7, .square = 0.5, .rate = 1.3, .level = 0.9};
  const cnf_event event = event_of(&bent, CNF_DIRECTION_EITHER);
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, (cnf_solver_options){.method = cnf_method_find("tsit5")});
  fill(&c, COUNT, 0.1, 2.2);
  memset(c.x1_bar, 0, sizeof c.x1_bar), memset(c.log_det_bar, 0, sizeof c.log_det_bar);
  given = c;
  for (int i = 0; i < COUNT; ++i) given.time_bar[i] = 1;
  differentiate(solver, &given, &event, 1);
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
  CHECK(memcmp(c.theta_bar, given.theta_bar, sizeof c.theta_bar) == 0);
  CHECK(memcmp(c.x0_bar, given.x0_bar, sizeof c.x0_bar) == 0);
  for (int i = 0; i < COUNT; ++i) CHECK(c.loss[i] == given.t_reached[i]);
  cnf_solver_destroy(solver);
}

/* Single precision: the event of a double solve, to its own rounding. */
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
  CHECK(cnf_field_create(CNF_FLOAT32, D, linear_ops, 1, &field) == CNF_OK);
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
       1); /* the default tolerance here: 16 units in the last place of 9, 1.5e-5, times 1.7 */
  cnf_solver_destroy(solver);
}

int main(void) {
  const char *const exact[] = {"midpoint", "rk4", "heun3", "dopri5", "tsit5", "vern7", "dopri8"};
  for (size_t i = 0; i < sizeof exact / sizeof exact[0]; ++i) test_free_fall(CNF_CONTROL_FIXED, exact[i]);
  for (size_t i = 3; i < sizeof exact / sizeof exact[0]; ++i) test_free_fall(CNF_CONTROL_SAMPLE, exact[i]);
  for (int backward = 0; backward < 2; ++backward) {
    test_decay(backward);
    test_continuous(CNF_CONTROL_SAMPLE, backward);
    test_continuous(CNF_CONTROL_FIXED, backward);
    for (int32_t method = 0; method < cnf_method_count(); ++method) {
      cnf_method_info info = {.struct_size = sizeof info};
      cnf_method_get(method, &info);
      if (info.family != CNF_FAMILY_RUNGE_KUTTA) continue;
      for (int32_t trace = CNF_TRACE_NONE; trace <= CNF_TRACE_EXACT; ++trace) {
        test_gradient(method, CNF_CONTROL_FIXED, trace, backward, 0);
        test_gradient(method, CNF_CONTROL_SAMPLE, trace, backward, trace == CNF_TRACE_NONE ? -1 : 0);
      }
      test_gradient(method, CNF_CONTROL_SAMPLE, CNF_TRACE_EXACT_TANGENTS, backward, 0);
    }
  }
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
  test_still();
  test_gradient_with_times();
  for (int32_t trace = CNF_TRACE_NONE; trace <= CNF_TRACE_HUTCHINSON; ++trace)
    for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control)
      test_callback_field(control, trace);
  test_refusals();
  test_callback_loss();
  test_single();
  return check_report();
}
