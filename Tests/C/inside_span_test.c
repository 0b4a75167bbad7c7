/* inside_span_test.c - no method evaluates the field outside the closed interval from t0 to t1, not by a unit in the
 * last place: a field such as sqrt(t) does not exist there. A callback and an event record every time they are asked
 * for, over random intervals, with every control, adjoint and schedule, output times, events and dense output. */
#include <float.h>
#include <math.h>

#include "check.h"

enum { D = 2, COUNT = 3, TIMES = 3, FRACTIONS = 6, INTERVALS = 8, DENSE_STEPS = 8, DENSE_TERMS = 8 };

static double earliest, latest, rate; /* of the times asked for; rate: of the field, about one over the span */
static int is_float;

static double number(const void *x, int32_t i) {
  return is_float ? (double)((const float *)x)[i] : ((const double *)x)[i];
}
static void put(void *x, int32_t i, double value) {
  if (is_float)
    ((float *)x)[i] = (float)value;
  else
    ((double *)x)[i] = value;
}
static void record(int32_t lanes, const double *t) {
  for (int32_t j = 0; j < lanes; ++j) {
    if (!(t[j] >= earliest)) earliest = t[j];
    if (!(t[j] <= latest)) latest = t[j];
  }
}

/* y_0' = rate cos(3 y_1), y_1' = rate sin(2 y_0). */
static void evaluate(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  (void)context, (void)theta;
  record(lanes, t);
  for (int32_t j = 0; j < lanes; ++j) {
    put(y, j, rate * cos(3 * number(x, lanes + j)));
    put(y, lanes + j, rate * sin(2 * number(x, j)));
  }
}
static void tangent(void *context, int32_t lanes, const double *t, const void *x, const void *theta, const void *x_dot,
                    void *y_dot) {
  (void)context, (void)theta;
  record(lanes, t);
  for (int32_t j = 0; j < lanes; ++j) {
    put(y_dot, j, -3 * rate * sin(3 * number(x, lanes + j)) * number(x_dot, lanes + j));
    put(y_dot, lanes + j, 2 * rate * cos(2 * number(x, j)) * number(x_dot, j));
  }
}
static void reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta, const void *y_bar,
                    void *x_bar, void *t_bar, void *theta_bar) {
  (void)context, (void)theta, (void)t_bar, (void)theta_bar;
  record(lanes, t);
  for (int32_t j = 0; j < lanes; ++j) {
    put(x_bar, lanes + j, -3 * rate * sin(3 * number(x, lanes + j)) * number(y_bar, j));
    put(x_bar, j, 2 * rate * cos(2 * number(x, j)) * number(y_bar, lanes + j));
  }
}
static void tangent_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                            const void *x_dot, const void *y_dot_bar, void *x_bar, void *x_dot_bar, void *t_bar,
                            void *theta_bar) {
  reverse(context, lanes, t, x, theta, y_dot_bar, x_dot_bar, t_bar, theta_bar);
  for (int32_t j = 0; j < lanes; ++j) {
    put(x_bar, lanes + j, -9 * rate * cos(3 * number(x, lanes + j)) * number(x_dot, lanes + j) * number(y_dot_bar, j));
    put(x_bar, j, -4 * rate * sin(2 * number(x, j)) * number(x_dot, j) * number(y_dot_bar, lanes + j));
  }
}
static const cnf_callback callback = {.struct_size = sizeof callback,
                                      .evaluate = evaluate,
                                      .tangent = tangent,
                                      .reverse = reverse,
                                      .tangent_reverse = tangent_reverse};

/* An event at a state that some samples come to. */
static void event_evaluate(void *context, int32_t lanes, const double *t, const void *x, double *g) {
  (void)context;
  record(lanes, t);
  for (int32_t j = 0; j < lanes; ++j) g[j] = number(x, j) - 0.3;
}
static void event_reverse(void *context, int32_t lanes, const double *t, const void *x, void *g_x, double *g_t) {
  (void)context, (void)x;
  record(lanes, t);
  for (int32_t j = 0; j < lanes; ++j) put(g_x, j, 1), put(g_x, lanes + j, 0), g_t[j] = 0;
}

/* Uniform in [0, 1), from a linear congruential generator. */
static double uniform(void) {
  static unsigned long long state = 12345;
  state = state * 6364136223846793005ULL + 1442695040888963407ULL;
  return (double)(state >> 11) * 0x1p-53;
}

typedef struct setup {
  int32_t dtype, method, control, adjoint, schedule, steps;
  int with_fractions, with_times, with_event, with_dense;
} setup;

static cnf_solver *solver_of(const setup *how) {
  const cnf_op op = {
      .kind = CNF_OP_CALLBACK, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = D, .callback = &callback};
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  options.method = how->method, options.control = how->control, options.adjoint = how->adjoint;
  options.steps = how->steps, options.threads = 1, options.trace = CNF_TRACE_EXACT_TANGENTS;
  options.schedule = how->schedule, options.checkpoint_every = 3, options.store_bytes = how->schedule ? -1 : 0;
  options.rtol = options.atol = 1e-4;
  CHECK(cnf_field_create(how->dtype, D, &op, 1, sizeof op, &field) == CNF_OK);
  const cnf_status status = cnf_solver_create(field, &options, &solver);
  cnf_field_destroy(field);
  return status == CNF_OK ? solver : NULL;
}

/* Solves over [t0, t1] and differentiates. Returns whether the method supports this. */
static int solve_between(const setup *how, cnf_solver *solver, double t0, double t1, int fails) {
  double x0[COUNT * D], x1[COUNT * D], x1_bar[COUNT * D], x0_bar[COUNT * D], times[TIMES], fractions[FRACTIONS];
  double dense[COUNT * DENSE_STEPS * DENSE_TERMS * (D + 1)], ends[COUNT * (DENSE_STEPS + 1)], t0_bar[COUNT];
  const cnf_event event = {.struct_size = sizeof event, .evaluate = event_evaluate, .reverse = event_reverse};
  for (int i = 0; i < COUNT * D; ++i) put(x0, i, uniform() - 0.5), put(x1_bar, i, 1);
  for (int i = 0; i < TIMES; ++i) times[i] = t0 + (t1 - t0) * (i + uniform()) / TIMES;
  for (int i = 0; i < TIMES; ++i) times[i] = t0 < t1 ? fmin(times[i], t1) : fmax(times[i], t1);
  for (int i = 0; i < FRACTIONS; ++i) fractions[i] = i == 0 ? 0 : i == FRACTIONS - 1 ? 1 : (i + uniform()) / FRACTIONS;
  const cnf_solve_input in = {.struct_size = sizeof in,
                              .x0 = x0,
                              .count = COUNT,
                              .t0 = t0,
                              .t1 = t1,
                              .step_fractions = how->with_fractions ? fractions : NULL,
                              .step_fraction_count = how->with_fractions ? FRACTIONS : 0,
                              .times = how->with_times ? times : NULL,
                              .time_count = how->with_times ? TIMES : 0,
                              .events = how->with_event ? &event : NULL,
                              .event_count = (size_t)how->with_event};
  cnf_solve_output out = {.struct_size = sizeof out, .x1 = x1};
  if (how->with_dense) out.dense = dense, out.dense_ends = ends, out.dense_stride = DENSE_STEPS;
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_COTANGENTS, .x1_bar = x1_bar};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .x0 = x0_bar, .t0 = t0_bar};
  earliest = INFINITY, latest = -INFINITY, is_float = how->dtype == CNF_FLOAT32;
  rate = 1.5 / fabs(t1 - t0);
  if (cnf_solve_vjp(solver, &in, &loss, &out, &gradient) != CNF_OK) return 0;
  const int inside = earliest >= fmin(t0, t1) && latest <= fmax(t0, t1);
  if (!inside && !fails) printf("from %.17g to %.17g: asked for %.17g to %.17g\n", t0, t1, earliest, latest);
  return inside ? 1 : -1;
}

/* Returns over how many intervals the field was asked for times outside. */
static int leaves(const setup *how, int *solves) {
  cnf_solver *solver = solver_of(how);
  int outside = 0;
  for (int i = 0; solver && i < INTERVALS; ++i) {
    const double t0 = (uniform() - 0.5) * ldexp(1, (int)(20 * uniform()) - 10);
    const double t1 = i % 4 == 0 ? 0 : t0 + (uniform() - 0.5) * ldexp(1, (int)(20 * uniform()) - 14);
    const int result = solve_between(how, solver, t0, t1, outside > 0);
    if (result == 0) break;
    outside += result < 0;
    ++*solves;
  }
  cnf_solver_destroy(solver);
  return outside;
}

/* Every combination that the method supports. */
static int test_method(int32_t method, const char *name, int *outside) {
  int solves = 0;
  for (int i = 0; i < 3 * 3 * 3 * 2 * 16; ++i) {
    const setup how = {.method = method,
                       .control = i % 3,
                       .adjoint = i / 3 % 3,
                       .schedule = i / 9 % 3,
                       .dtype = i / 27 % 2,
                       .with_fractions = i / 54 % 2,
                       .with_times = i / 108 % 2,
                       .with_event = i / 216 % 2,
                       .with_dense = i / 432 % 2,
                       .steps = 1 + i % 13};
    if (how.with_fractions && how.control != CNF_CONTROL_FIXED) continue;
    const int here = leaves(&how, &solves);
    if (here > 0 && *outside == 0)
      printf("%s: %d of %d, dtype %d control %d adjoint %d schedule %d steps %d fractions %d times %d event %d dense "
             "%d\n",
             name, here, INTERVALS, how.dtype, how.control, how.adjoint, how.schedule, how.steps, how.with_fractions,
             how.with_times, how.with_event, how.with_dense);
    *outside += here;
  }
  return solves;
}

int main(void) {
  int solves = 0;
  for (int32_t method = 0; method < cnf_method_count(); ++method) {
    cnf_method_info info = {.struct_size = sizeof info};
    int outside = 0;
    CHECK(cnf_method_get(method, &info) == CNF_OK);
    const int here = test_method(method, info.name, &outside);
    CHECK(here >= 4 * INTERVALS);
    solves += here;
    CHECK((outside > 0) == (strcmp(info.name, "yoshida4") == 0)); /* cnf.h names it */
  }
  printf("%d solves\n", solves);
  return check_report();
}
