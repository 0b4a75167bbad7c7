/* jumps_test.c - jump times: a pulse is solved to its closed form by every adaptive method, in both directions of time
 * and both dtypes; gradients by every adjoint and schedule; samples with spans of their own; output times and events at
 * jumps; refusals.
 */
#include "check.h"

enum { COUNT = 37, MOST_STEPS = 4096 }; /* COUNT: more samples than a tile of any instruction set */

/* dx/dt = -a x + A while the time is in the pulse from `from` to `to`, else -a x. theta is (a, A). At the two jumps
 * themselves it is not a number: no step may see the field there. diffrax #58 and jax #10922 have such pulses. */
typedef struct pulse {
  double from, to;
  int32_t single;
} pulse;

static double number_at(const pulse *p, const void *array, int64_t i) {
  return p->single ? (double)((const float *)array)[i] : ((const double *)array)[i];
}
static void set_number(const pulse *p, void *array, int64_t i, double value) {
  if (p->single)
    ((float *)array)[i] = (float)value;
  else
    ((double *)array)[i] = value;
}
static double rounded(const pulse *p, double value) { return p->single ? (double)(float)value : value; }

static double strength(const pulse *p, double t) {
  const double from = rounded(p, p->from), to = rounded(p, p->to);
  return t == from || t == to ? NAN : (double)(t > from && t < to);
}

static void pulse_evaluate(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  const pulse *p = context;
  for (int32_t j = 0; j < lanes; ++j)
    set_number(p, y, j, number_at(p, theta, 1) * strength(p, t[j]) - number_at(p, theta, 0) * number_at(p, x, j));
}
static void pulse_tangent(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                          const void *x_dot, void *y_dot) {
  const pulse *p = context;
  (void)t, (void)x;
  for (int32_t j = 0; j < lanes; ++j) set_number(p, y_dot, j, -number_at(p, theta, 0) * number_at(p, x_dot, j));
}
static void pulse_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                          const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  const pulse *p = context;
  double rate_bar = number_at(p, theta_bar, 0), strength_bar = number_at(p, theta_bar, 1);
  (void)t_bar;
  for (int32_t j = 0; j < lanes; ++j) {
    const double bar = number_at(p, y_bar, j), on = strength(p, t[j]);
    set_number(p, x_bar, j, -number_at(p, theta, 0) * bar);
    rate_bar -= bar * number_at(p, x, j);
    if (bar != 0) strength_bar += bar * on;
  }
  set_number(p, theta_bar, 0, rate_bar);
  set_number(p, theta_bar, 1, strength_bar);
}
static void pulse_tangent_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                                  const void *x_dot, const void *y_dot_bar, void *x_bar, void *x_dot_bar, void *t_bar,
                                  void *theta_bar) {
  const pulse *p = context;
  double rate_bar = number_at(p, theta_bar, 0);
  (void)t, (void)x, (void)x_bar, (void)t_bar;
  for (int32_t j = 0; j < lanes; ++j) {
    const double bar = number_at(p, y_dot_bar, j);
    set_number(p, x_dot_bar, j, -number_at(p, theta, 0) * bar);
    rate_bar -= bar * number_at(p, x_dot, j);
  }
  set_number(p, theta_bar, 0, rate_bar);
}

static cnf_solver *pulse_solver(pulse *p, cnf_solver_options options) {
  const cnf_callback callback = {.struct_size = sizeof callback,
                                 .context = p,
                                 .parameter_count = 2,
                                 .evaluate = pulse_evaluate,
                                 .tangent = pulse_tangent,
                                 .reverse = pulse_reverse,
                                 .tangent_reverse = pulse_tangent_reverse};
  const cnf_op op = {
      .kind = CNF_OP_CALLBACK, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = 1, .callback = &callback};
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options defaults;
  cnf_solver_options_init(&defaults, sizeof defaults);
  options.struct_size = sizeof options;
  if (options.rtol == 0) options.rtol = defaults.rtol;
  options.atol = options.rtol;
  if (options.threads == 0) options.threads = 1;
  CHECK(cnf_field_create(p->single ? CNF_FLOAT32 : CNF_FLOAT64, 1, &op, 1, sizeof op, &field) == CNF_OK);
  CHECK_STATUS(CNF_OK, cnf_solver_create(field, &options, &solver), "solver of a pulse");
  cnf_field_destroy(field);
  return solver;
}

/* The integral from t0 to t of e^(-a (t - s)) over the pulse, in either direction of time. */
static double response(const pulse *p, double a, double t0, double t) {
  const double low = fmin(fmax(p->from, fmin(t0, t)), fmax(t0, t)), high = fmin(fmax(p->to, fmin(t0, t)), fmax(t0, t));
  return (t < t0 ? -1 : 1) * (exp(-a * (t - high)) - exp(-a * (t - low))) / a;
}
static double solution(const pulse *p, const double theta[2], double x0, double t0, double t) {
  return x0 * exp(-theta[0] * (t - t0)) + theta[1] * response(p, theta[0], t0, t);
}

/* The pulse on the side of t that `toward` has the sign of. */
static double strength_beside(const pulse *p, double t, double toward) {
  return strength(p, t + copysign(1e-9, toward));
}

static const double PULSE[2] = {0.5, 0.6}, THETA[2] = {1, 100};

/* ---- Values ---- */

/* The default settings meet the tolerance, with few rejected steps, and steps end at the jumps to the bit. Without jump
 * times, an early version answered 0.0498 where 0.9130825 is right. */
static void test_pulse(const char *method, int32_t single, int32_t backward) {
  pulse p = {PULSE[0], PULSE[1], single};
  const double t0 = backward ? 3 : 0, t1 = 3 - t0, x0 = backward ? 0.9 : 1;
  const float theta_f[2] = {(float)THETA[0], (float)THETA[1]};
  static double dense[MOST_STEPS * 16], ends[MOST_STEPS + 1];
  double log_det;
  union {
    double f64;
    float f32;
  } from, to;
  int32_t status, accepted, rejected, found = 0;
  set_number(&p, &from, 0, x0);
  cnf_solver *solver =
      pulse_solver(&p, (cnf_solver_options){.method = cnf_method_find(method), .trace = CNF_TRACE_EXACT});
  const cnf_solve_input input = {.struct_size = sizeof input,
                                 .parameters = single ? (const void *)theta_f : THETA,
                                 .x0 = &from,
                                 .count = 1,
                                 .t0 = t0,
                                 .t1 = t1,
                                 .jump_times = PULSE,
                                 .jump_time_count = 2};
  cnf_solve_output output = {.struct_size = sizeof output,
                             .x1 = &to,
                             .log_det = &log_det,
                             .status = &status,
                             .accepted = &accepted,
                             .rejected = &rejected,
                             .dense = dense,
                             .dense_ends = ends,
                             .dense_stride = MOST_STEPS};
  CHECK_STATUS(CNF_OK, cnf_solve(solver, &input, &output), method);
  const double exact = solution(&p, THETA, x0, t0, t1), got = number_at(&p, &to, 0);
  char detail[200];
  snprintf(detail, sizeof detail, "%s: %.9g, right %.9g; %d accepted, %d rejected", method, got, exact, accepted,
           rejected);
  /* Every step adds an error of at most 1e-5 (1 + |x|) with |x| up to 10, which grows with the field if time runs
   * backward. Forward, methods of order 3 or more do far better. */
  cnf_method_info info = {.struct_size = sizeof info};
  cnf_method_get(cnf_method_find(method), &info);
  const double bound = backward ? accepted * 11e-5 * exp(THETA[0] * 3) : info.order >= 3 ? 1e-4 : accepted * 11e-5;
  check_count(status == CNF_SAMPLE_OK && fabs(got - exact) < bound, "a pulse", detail, __LINE__);
  check_count(rejected <= 6 + accepted / 50, "few rejected steps", detail, __LINE__);
  CHECK(fabs(log_det + THETA[0] * (t1 - t0)) < 1e-4);
  for (int32_t i = 0; i <= accepted; ++i) found += ends[i] == PULSE[0] || ends[i] == PULSE[1];
  CHECK(found == 2);
  cnf_solver_destroy(solver);
}

/* ---- Gradients ---- */

typedef struct gradients {
  double x1[COUNT], x0_bar[COUNT], t0_bar[COUNT], t1_bar[COUNT], times_bar[COUNT * 3], x_at[COUNT * 3], theta_bar[2];
  double log_det[COUNT];
  int32_t status[COUNT], accepted[COUNT];
} gradients;

/* Samples with spans of their own: some before the pulse, some across it, some after it, either way, and some that
 * begin or end at a jump. The loss is the sum of x1 times weights, and of x at the output times, if there are any. */
typedef struct spans {
  double x0[COUNT], t0s[COUNT], t1s[COUNT], x1_bar[COUNT], sample_times[COUNT * 3], x_at_bar[COUNT * 3];
} spans;

static spans make_spans(int32_t times) {
  static const double places[] = {0, 0.3, 0.5, 0.55, 0.6, 0.9, 1.4};
  spans s;
  for (int i = 0; i < COUNT; ++i) {
    s.x0[i] = 0.5 + 0.1 * i, s.x1_bar[i] = 1 + 0.05 * i;
    s.t0s[i] = places[i % 7], s.t1s[i] = places[(i / 7 + i) % 7] + 0.01;
    for (int n = 0; n < times; ++n) {
      s.sample_times[i * times + n] = s.t0s[i] + (n + 1) * 0.25 * (s.t1s[i] - s.t0s[i]);
      s.x_at_bar[i * times + n] = 0.3 - 0.2 * n;
    }
  }
  return s;
}

static void differentiate(cnf_solver *solver, const spans *s, int first, int count, int32_t times, gradients *g) {
  memset(g, 0, sizeof *g);
  const size_t at = (size_t)first * (size_t)times;
  const cnf_solve_input input = {.struct_size = sizeof input,
                                 .parameters = THETA,
                                 .x0 = s->x0 + first,
                                 .count = (size_t)count,
                                 .t0s = s->t0s + first,
                                 .t1s = s->t1s + first,
                                 .sample_times = times ? s->sample_times + at : NULL,
                                 .time_count = (size_t)times,
                                 .jump_times = PULSE,
                                 .jump_time_count = 2};
  const cnf_loss loss = {.struct_size = sizeof loss,
                         .kind = CNF_LOSS_COTANGENTS,
                         .x1_bar = s->x1_bar + first,
                         .x_at_bar = times ? s->x_at_bar + at : NULL};
  cnf_solve_output output = {.struct_size = sizeof output,
                             .x1 = g->x1,
                             .log_det = g->log_det,
                             .status = g->status,
                             .accepted = g->accepted,
                             .x_at = times ? g->x_at : NULL};
  cnf_gradient gradient = {.struct_size = sizeof gradient,
                           .parameters = g->theta_bar,
                           .x0 = g->x0_bar,
                           .t0 = g->t0_bar,
                           .t1 = g->t1_bar,
                           .times = times ? g->times_bar : NULL};
  CHECK_STATUS(CNF_OK, cnf_solve_vjp(solver, &input, &loss, &output, &gradient), "gradient across jumps");
}

/* Bounds by closed forms; those of dx(t)/da are central differences of the closed form. */
static void test_gradient(const char *method, int32_t adjoint, int32_t times, double tolerance) {
  pulse p = {PULSE[0], PULSE[1], 0};
  const spans s = make_spans(times);
  static gradients g;
  cnf_solver *solver = pulse_solver(&p, (cnf_solver_options){.method = cnf_method_find(method),
                                                             .trace = CNF_TRACE_EXACT,
                                                             .rtol = tolerance / 100,
                                                             .adjoint = adjoint});
  differentiate(solver, &s, 0, COUNT, times, &g);
  double rate_bar = 0, strength_bar = 0, worst = 0;
  for (int i = 0; i < COUNT; ++i) {
    CHECK(g.status[i] == CNF_SAMPLE_OK);
    double x0_bar = 0, t0_bar = 0;
    for (int n = 0; n <= times; ++n) {
      const double t = n < times ? s.sample_times[i * times + n] : s.t1s[i], t0 = s.t0s[i];
      const double bar = n < times ? s.x_at_bar[i * times + n] : s.x1_bar[i], d = 1e-6;
      const double above[2] = {THETA[0] + d, THETA[1]}, below[2] = {THETA[0] - d, THETA[1]};
      const double x = solution(&p, THETA, s.x0[i], t0, t), got = n < times ? g.x_at[i * times + n] : g.x1[i];
      const double t_bar = n < times ? g.times_bar[i * times + n] : g.t1_bar[i];
      const double decay = exp(-THETA[0] * (t - t0));
      worst = larger_of(worst, fabs(got - x));
      x0_bar += bar * decay;
      rate_bar += bar * (solution(&p, above, s.x0[i], t0, t) - solution(&p, below, s.x0[i], t0, t)) / (2 * d);
      strength_bar += bar * response(&p, THETA[0], t0, t);
      const double along = strength_beside(&p, t, t0 - t), from_t0 = strength_beside(&p, t0, t - t0);
      worst = larger_of(worst, 0.01 * fabs(t_bar - bar * (THETA[1] * along - THETA[0] * x)));
      t0_bar += bar * decay * (THETA[0] * s.x0[i] - THETA[1] * from_t0);
    }
    worst = larger_of(worst, fabs(g.x0_bar[i] - x0_bar));
    worst = larger_of(worst, 0.01 * fabs(g.t0_bar[i] - t0_bar));
  }
  worst = larger_of(worst, 0.01 * fabs(g.theta_bar[0] - rate_bar));
  worst = larger_of(worst, 0.01 * fabs(g.theta_bar[1] - strength_bar));
  char detail[100];
  snprintf(detail, sizeof detail, "%s, adjoint %d, %d times: off by %.3g", method, adjoint, times, worst);
  check_count(worst <= tolerance, "gradient across jumps", detail, __LINE__);
  cnf_solver_destroy(solver);
}

/* Every schedule and every size of the store give the same bits: a step after a jump starts from a slope of its own. */
static void test_stores(const char *method) {
  pulse p = {PULSE[0], PULSE[1], 0};
  const spans s = make_spans(3);
  static gradients expected, got;
  const cnf_solver_options options = {.method = cnf_method_find(method), .trace = CNF_TRACE_EXACT, .rtol = 1e-7};
  cnf_solver *solver = pulse_solver(&p, options);
  differentiate(solver, &s, 0, COUNT, 3, &expected);
  cnf_solver_destroy(solver);
  for (int64_t store = -1; store <= 20000; store += store < 0 ? 2001 : 6000)
    for (int32_t schedule = CNF_SCHEDULE_EVERY_STEP; schedule <= CNF_SCHEDULE_BINOMIAL; ++schedule)
      for (int32_t threads = 1; threads <= 3; threads += 2) {
        cnf_solver_options other = options;
        other.store_bytes = store, other.schedule = schedule, other.threads = threads;
        other.checkpoint_every = 3;
        other.checkpoint_bytes = 20000;
        solver = pulse_solver(&p, other);
        differentiate(solver, &s, 0, COUNT, 3, &got);
        CHECK(memcmp(&expected, &got, sizeof got) == 0);
        cnf_solver_destroy(solver);
      }
}

/* A sample's results are the same bits alone. Jumps outside its span change none. */
static void test_independence(const char *method, int32_t adjoint) {
  pulse p = {PULSE[0], PULSE[1], 0};
  const spans s = make_spans(0);
  static gradients all, alone;
  cnf_solver *solver = pulse_solver(
      &p, (cnf_solver_options){.method = cnf_method_find(method), .trace = CNF_TRACE_EXACT, .adjoint = adjoint});
  differentiate(solver, &s, 0, COUNT, 0, &all);
  for (int i = 0; i < COUNT; ++i) {
    double x1;
    int32_t accepted;
    differentiate(solver, &s, i, 1, 0, &alone);
    CHECK(alone.x1[0] == all.x1[i] && alone.x0_bar[0] == all.x0_bar[i] && alone.t0_bar[0] == all.t0_bar[i]);
    CHECK(alone.t1_bar[0] == all.t1_bar[i] && alone.accepted[0] == all.accepted[i]);
    if (fmin(s.t0s[i], s.t1s[i]) <= PULSE[1] && fmax(s.t0s[i], s.t1s[i]) >= PULSE[0]) continue;
    const cnf_solve_input input = {
        .struct_size = sizeof input, .parameters = THETA, .x0 = s.x0 + i, .count = 1, .t0 = s.t0s[i], .t1 = s.t1s[i]};
    cnf_solve_output output = {.struct_size = sizeof output, .x1 = &x1, .accepted = &accepted};
    CHECK(cnf_solve(solver, &input, &output) == CNF_OK && x1 == all.x1[i] && accepted == all.accepted[i]);
  }
  cnf_solver_destroy(solver);
}

/* ---- Output times, events, dense output, evaluations ---- */

static void level_evaluate(void *context, int32_t lanes, const double *t, const void *x, double *g) {
  (void)t;
  for (int32_t j = 0; j < lanes; ++j) g[j] = ((const double *)x)[j] - *(const double *)context;
}

/* Output times at the jumps and up to two units in the last place from them; an event within the pulse; dense output,
 * which evaluates the slope at the end of a step for methods that do not share it. */
static void test_times(const char *method, int32_t backward) {
  pulse p = {PULSE[0], PULSE[1], 0};
  const double t0 = backward ? 1 : 0, t1 = 1 - t0, x0 = 1.5, sign = backward ? -1 : 1;
  static double dense[MOST_STEPS * 16], ends[MOST_STEPS + 1];
  cnf_method_info info = {.struct_size = sizeof info};
  cnf_method_get(cnf_method_find(method), &info);
  cnf_solver *solver = pulse_solver(&p, (cnf_solver_options){.method = cnf_method_find(method), .rtol = 1e-8});
  for (int place = -2; place <= 2; ++place) {
    double times[2] = {PULSE[backward], PULSE[!backward]}, x1, x_at[2];
    for (int n = 0; n < 2; ++n)
      for (int ulps = 0; ulps < abs(place); ++ulps) times[n] = nextafter(times[n], sign * place * INFINITY);
    const cnf_solve_input input = {.struct_size = sizeof input,
                                   .parameters = THETA,
                                   .x0 = &x0,
                                   .count = 1,
                                   .t0 = t0,
                                   .t1 = t1,
                                   .times = times,
                                   .time_count = 2,
                                   .jump_times = PULSE,
                                   .jump_time_count = 2};
    cnf_solve_output output = {.struct_size = sizeof output,
                               .x1 = &x1,
                               .x_at = x_at,
                               .dense = dense,
                               .dense_ends = ends,
                               .dense_stride = MOST_STEPS};
    CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
    CHECK(fabs(x1 - solution(&p, THETA, x0, t0, t1)) < 1e-5);
    for (int n = 0; n < 2; ++n) CHECK(fabs(x_at[n] - solution(&p, THETA, x0, t0, times[n])) < 1e-5);
    const cnf_dense view = {.struct_size = sizeof view,
                            .dtype = CNF_FLOAT64,
                            .state_dim = 1,
                            .terms = info.dense_terms,
                            .count = 1,
                            .stride = MOST_STEPS,
                            .coefficients = dense,
                            .ends = ends};
    for (int n = 0; n <= 100; ++n) {
      const double t = t0 + 0.01 * n * (t1 - t0);
      double x;
      CHECK(cnf_dense_evaluate(&view, 0, &t, 1, &x, NULL) == CNF_OK);
      CHECK(fabs(x - solution(&p, THETA, x0, t0, t)) < (info.dense_order < 3 ? 1e-2 : 1e-4));
    }
  }
  double level = solution(&p, THETA, x0, t0, 0.55), x1, t;
  int32_t number;
  const cnf_event event = {.struct_size = sizeof event, .context = &level, .evaluate = level_evaluate};
  const cnf_solve_input input = {.struct_size = sizeof input,
                                 .parameters = THETA,
                                 .x0 = &x0,
                                 .count = 1,
                                 .t0 = t0,
                                 .t1 = t1,
                                 .events = &event,
                                 .event_count = 1,
                                 .jump_times = PULSE,
                                 .jump_time_count = 2};
  cnf_solve_output output = {.struct_size = sizeof output, .x1 = &x1, .t_reached = &t, .event = &number};
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK && number == 0);
  CHECK(fabs(t - 0.55) < 1e-6);
  cnf_solver_destroy(solver);
}

/* ---- Refusals ---- */

static void test_refusals(void) {
  pulse p = {PULSE[0], PULSE[1], 0};
  const double bad[][2] = {{0.6, 0.5}, {0.5, 0.5}, {0.5, NAN}, {NAN, 0.5}, {0.5, INFINITY}, {-INFINITY, 0.5}};
  const double x0 = 1;
  double x1;
  cnf_solve_input input = {.struct_size = sizeof input,
                           .parameters = THETA,
                           .x0 = &x0,
                           .count = 1,
                           .t0 = 0,
                           .t1 = 1,
                           .jump_times = PULSE,
                           .jump_time_count = 2};
  cnf_solve_output output = {.struct_size = sizeof output, .x1 = &x1};
  const cnf_solver_options refused[] = {
      {.method = cnf_method_find("dopri5"), .control = CNF_CONTROL_FIXED, .steps = 10},
      {.method = cnf_method_find("dopri5"), .control = CNF_CONTROL_BATCH},
      {.method = cnf_method_find("reversible_heun"), .adjoint = CNF_ADJOINT_REVERSIBLE},
      {.method = cnf_method_find("rk4"), .control = CNF_CONTROL_FIXED, .steps = 10}};
  pattern_fill(&x1, sizeof x1);
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; ++i) {
    cnf_solver *solver = pulse_solver(&p, refused[i]);
    CHECK_STATUS(CNF_ERROR_JUMP_TIMES, cnf_solve(solver, &input, &output), "a solver without jump times");
    cnf_solver_destroy(solver);
  }
  cnf_solver *solver = pulse_solver(&p, (cnf_solver_options){.method = cnf_method_find("dopri5")});
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; ++i) {
    input.jump_times = bad[i];
    CHECK_STATUS(CNF_ERROR_JUMP_TIMES, cnf_solve(solver, &input, &output), "bad jump times");
  }
  input.jump_times = NULL;
  CHECK_STATUS(CNF_ERROR_NULL, cnf_solve(solver, &input, &output), "no jump times");
  CHECK(pattern_intact(&x1, sizeof x1));
  cnf_solver_destroy(solver);
}

int main(void) {
  const char *const methods[] = {"adaptive_heun", "fehlberg2", "bosh3", "dopri5", "tsit5", "vern7", "dopri8", "rodas4"};
  for (size_t i = 0; i < sizeof methods / sizeof methods[0]; ++i) {
    for (int32_t backward = 0; backward < 2; ++backward) {
      for (int32_t single = 0; single < 2; ++single) test_pulse(methods[i], single, backward);
      if (i > 1) test_times(methods[i], backward);
    }
    for (int32_t adjoint = CNF_ADJOINT_DISCRETE; adjoint <= CNF_ADJOINT_CONTINUOUS; ++adjoint) {
      test_independence(methods[i], adjoint);
      if (i < 2) continue;
      test_gradient(methods[i], adjoint, 0, 1e-6);
      test_gradient(methods[i], adjoint, 3, 1e-6);
    }
    if (strcmp(methods[i], "rodas4") != 0) test_stores(methods[i]);
  }
  test_refusals();
  return check_report();
}
