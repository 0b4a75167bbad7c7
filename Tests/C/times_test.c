/* times_test.c - output times: states there against a closed form, gradients through all of them against central differences,
 * what they cost in steps, and the promises that hold at them as at t1.
 */
#include <math.h>

#include "fixture.h"

enum { COUNT = 37, TIMES = 4, MOST_STEPS = 400 }; /* COUNT: more than a tile of any instruction set */

typedef struct setup {
  int32_t method, control, trace, threads;
  int64_t store_bytes;
  double tolerance;
} setup;

static cnf_solver *solver_of(const cnf_op *ops, int32_t op_count, setup how, cnf_solver_options more) {
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  CHECK(cnf_field_create(CNF_FLOAT64, D, ops, op_count, &field) == CNF_OK);
  cnf_solver_options_init(&options, sizeof options);
  options.method = how.method, options.control = how.control, options.trace = how.trace;
  options.threads = how.threads ? how.threads : 1, options.store_bytes = how.store_bytes;
  options.steps = more.steps ? more.steps : 3, options.rtol = options.atol = how.tolerance ? how.tolerance : 1e-4;
  options.adjoint = more.adjoint;
  options.max_steps = more.max_steps, options.max_step = more.max_step, options.initial_step = more.initial_step;
  options.pcoeff = more.pcoeff, options.icoeff = more.icoeff, options.dcoeff = more.dcoeff;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  cnf_field_destroy(field);
  return solver;
}

static const cnf_op net_ops[OP_COUNT] = OPS;
static const cnf_op linear_ops[] = {{.kind = CNF_OP_LINEAR, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = D}};
static const cnf_solver_options nothing_more = {0};

/* All that a call is given and gives. Loss: a fixed linear function of states and log-determinants, at the times and at t1. */
typedef struct call_data {
  int count, time_count;
  double t0, t1, times[MOST_STEPS];
  double theta[P], x0[COUNT * D];
  double x1_bar[COUNT * D], log_det_bar[COUNT], x_at_bar[COUNT * MOST_STEPS * D], log_det_at_bar[COUNT * MOST_STEPS];
  double x1[COUNT * D], log_det[COUNT], x_at[COUNT * MOST_STEPS * D], log_det_at[COUNT * MOST_STEPS];
  double fractions[COUNT * (MOST_STEPS + 1)];
  int32_t status[COUNT], accepted[COUNT];
  double theta_bar[P], x0_bar[COUNT * D], t0_bar[COUNT], t1_bar[COUNT], times_bar[COUNT * MOST_STEPS];
} call_data;

/* Numbers in [-1, 1] without pattern. */
static double noise(int i) { return sin(12.9898 * i + 0.37 * i * i); }

static void fill(call_data *c, int count, double t0, double t1) {
  const double places[TIMES] = {0.11, 0.45, 0.52, 0.83};
  memset(c, 0, sizeof *c);
  c->count = count, c->time_count = TIMES, c->t0 = t0, c->t1 = t1;
  for (int i = 0; i < TIMES; ++i) c->times[i] = t0 + places[i] * (t1 - t0);
  for (int i = 0; i < P; ++i) c->theta[i] = 1.5 * noise(i + 1);
  for (int i = 0; i < count * D; ++i) c->x0[i] = 2 * noise(i + 100), c->x1_bar[i] = noise(i + 300);
  for (int i = 0; i < count; ++i) c->log_det_bar[i] = noise(i + 500);
  for (int i = 0; i < count * TIMES * D; ++i) c->x_at_bar[i] = noise(i + 700);
  for (int i = 0; i < count * TIMES; ++i) c->log_det_at_bar[i] = noise(i + 1300);
}

static cnf_solve_input input_of(const call_data *c) {
  return (cnf_solve_input){.struct_size = sizeof(cnf_solve_input),
                           .parameters = c->theta,
                           .x0 = c->x0,
                           .count = (size_t)c->count,
                           .t0 = c->t0,
                           .t1 = c->t1,
                           .seed = 5,
                           .times = c->times,
                           .time_count = (size_t)c->time_count};
}

static cnf_solve_output output_of(call_data *c) {
  return (cnf_solve_output){.struct_size = sizeof(cnf_solve_output),
                            .x1 = c->x1,
                            .log_det = c->log_det,
                            .status = c->status,
                            .accepted = c->accepted,
                            .step_fractions = c->fractions,
                            .step_fraction_stride = MOST_STEPS + 1,
                            .x_at = c->x_at,
                            .log_det_at = c->log_det_at};
}

static cnf_loss loss_of(const call_data *c) {
  return (cnf_loss){.struct_size = sizeof(cnf_loss),
                    .kind = CNF_LOSS_COTANGENTS,
                    .x1_bar = c->x1_bar,
                    .log_det_bar = c->log_det_bar,
                    .x_at_bar = c->x_at_bar,
                    .log_det_at_bar = c->log_det_at_bar};
}

static cnf_gradient gradient_of(call_data *c) {
  return (cnf_gradient){.struct_size = sizeof(cnf_gradient),
                        .parameters = c->theta_bar,
                        .x0 = c->x0_bar,
                        .t0 = c->t0_bar,
                        .t1 = c->t1_bar,
                        .times = c->times_bar};
}

static double solve(cnf_solver *solver, call_data *c) {
  const cnf_solve_input input = input_of(c);
  cnf_solve_output output = output_of(c);
  double sum = 0;
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  for (int i = 0; i < c->count * D; ++i) sum += c->x1_bar[i] * c->x1[i];
  for (int i = 0; i < c->count; ++i) sum += c->log_det_bar[i] * c->log_det[i];
  for (int i = 0; i < c->count * c->time_count * D; ++i) sum += c->x_at_bar[i] * c->x_at[i];
  for (int i = 0; i < c->count * c->time_count; ++i) sum += c->log_det_at_bar[i] * c->log_det_at[i];
  return sum;
}

static void differentiate(cnf_solver *solver, call_data *c) {
  const cnf_solve_input input = input_of(c);
  cnf_solve_output output = output_of(c);
  const cnf_loss loss = loss_of(c);
  cnf_gradient gradient = gradient_of(c);
  CHECK(cnf_solve_vjp(solver, &input, &loss, &output, &gradient) == CNF_OK);
}

/* ---- Gradients ----
 * Central differences with step d are off by d^2/6 of the third derivative and by rounding, 2^-52 |L| / d: with d = 1e-5,
 * |L| below 50 and third derivatives below 1e3 both are less than 2e-8. */
static const double DIFFERENCE = 1e-5, GRADIENT_TOLERANCE = 1e-7;

/* The steps that a solve took, so that they can be taken again with other times: each one's end is one more output time of
 * a solve with one fixed step in every interval, placed as before between the times of the call. */
typedef struct replay {
  cnf_solver *solver; /* fixed, one step */
  int steps;
  int interval[MOST_STEPS]; /* that the step is in */
  double place[MOST_STEPS]; /* of its end, as a fraction of the interval */
} replay;

static double edge(const call_data *c, int i) { return i == 0 ? c->t0 : i > c->time_count ? c->t1 : c->times[i - 1]; }

static replay replay_of(cnf_solver *solver, const call_data *c) {
  replay r = {.solver = solver, .steps = c->accepted[0]};
  int interval = 0;
  for (int n = 0; n < r.steps; ++n) {
    const double begin = edge(c, interval), end = edge(c, interval + 1);
    const double t = c->t0 + c->fractions[n + 1] * (c->t1 - c->t0), place = (t - begin) / (end - begin);
    r.interval[n] = interval;
    r.place[n] = fabs(place - 1) < 1e-9 ? 1 : place;
    interval += r.place[n] == 1;
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
    again.times[n] = begin + r->place[n] * (end - begin);
    if (r->place[n] != 1) continue;
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
  snprintf(detail, sizeof detail, "%s, number %d: %.12g, by differences %.12g", where, number, got, expected);
  check_count(fabs(got - expected) < GRADIENT_TOLERANCE, what, detail, __LINE__);
}

/* Fixed steps: differences of the solve itself. Adaptive: of the steps that it took, which differ from sample to sample, so
 * that there is one. */
static void test_gradient(int32_t method, int32_t control, int32_t trace, int backward) {
  static call_data c, scratch;
  cnf_method_info info = {.struct_size = sizeof info};
  cnf_method_get(method, &info);
  if (control == CNF_CONTROL_SAMPLE && !info.embedded_order) return;
  const setup how = {.method = method, .control = control, .trace = trace};
  cnf_solver_options one_step = {.steps = 1};
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, how, nothing_more);
  cnf_solver *fixed =
      solver_of(net_ops, OP_COUNT, (setup){.method = method, .control = CNF_CONTROL_FIXED, .trace = trace}, one_step);
  const int count = control == CNF_CONTROL_FIXED ? 3 : 1;
  char where[160];
  snprintf(where, sizeof where, "%s control %d trace %d backward %d", info.name, (int)control, (int)trace, backward);
  fill(&c, count, backward ? 1.4 : -0.2, backward ? -0.2 : 1.4);
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

/* ---- Closed form ----
 * f = A x with A = s I + w J turns and stretches: x(t) = e^{s t} R(w t) x(0), and the log-determinant is 2 s t. */
static const double S = -0.4, W = 0.7;
static const double FLOW_TOLERANCE =
    1e-7; /* 100 times that of the steps, some 30 of them; 600 of rk4: (3/600)^4 is less */

static void fill_linear(call_data *c, int count, double t0, double t1) {
  const double theta[D * D + D] = {S, -W, W, S, 0, 0};
  fill(c, count, t0, t1);
  memcpy(c->theta, theta, sizeof theta);
}

static void linear_flow(const double *x, double t, double *y) {
  const double growth = exp(S * t);
  y[0] = growth * (cos(W * t) * x[0] - sin(W * t) * x[1]);
  y[1] = growth * (sin(W * t) * x[0] + cos(W * t) * x[1]);
}

static double dot_slope(const double *bar, const double *x) {
  return bar[0] * (S * x[0] - W * x[1]) + bar[1] * (W * x[0] + S * x[1]);
}

static void test_closed_form(int32_t control, const char *method, int backward) {
  static call_data c;
  const setup how = {
      .method = cnf_method_find(method), .control = control, .trace = CNF_TRACE_EXACT, .tolerance = 1e-9};
  cnf_solver *solver = solver_of(linear_ops, 1, how, (cnf_solver_options){.steps = 120, .max_steps = 4096});
  fill_linear(&c, COUNT, backward ? 2 : -1, backward ? -1 : 2);
  differentiate(solver, &c);
  for (int i = 0; i < COUNT; ++i) {
    double t1_bar = 2 * S * c.log_det_bar[i] + dot_slope(c.x1_bar + i * D, c.x1 + i * D);
    CHECK(fabs(c.t1_bar[i] - t1_bar) < FLOW_TOLERANCE * 10);
    for (int n = 0; n < TIMES; ++n) {
      const int at = i * TIMES + n;
      const double t = c.times[n] - c.t0;
      double x[D];
      linear_flow(c.x0 + i * D, t, x);
      for (int d = 0; d < D; ++d) CHECK(fabs(c.x_at[at * D + d] - x[d]) < FLOW_TOLERANCE);
      CHECK(fabs(c.log_det_at[at] - 2 * S * t) < FLOW_TOLERANCE);
      /* x and l at other times do not depend on this one */
      const double time_bar = 2 * S * c.log_det_at_bar[at] + dot_slope(c.x_at_bar + at * D, x);
      CHECK(fabs(c.times_bar[at] - time_bar) < FLOW_TOLERANCE * 10);
    }
  }
  cnf_solver_destroy(solver);
}

/* Times at t0, at t1 and twice the same: what is there is the very state, and moving one of them moves what is read there. */
static void test_ends(int32_t control, int no_length) {
  static call_data c;
  const setup how = {
      .method = cnf_method_find("dopri5"), .control = control, .trace = CNF_TRACE_EXACT, .tolerance = 1e-9};
  cnf_solver *solver = solver_of(linear_ops, 1, how, (cnf_solver_options){.steps = 20});
  fill_linear(&c, COUNT, 0.5, no_length ? 0.5 : 1.5);
  const double t[TIMES] = {0, 0.3, 0.3, 1};
  for (int n = 0; n < TIMES; ++n) c.times[n] = c.t0 + t[n] * (c.t1 - c.t0);
  differentiate(solver, &c);
  for (int i = 0; i < COUNT; ++i) {
    const double *x = c.x_at + i * TIMES * D, *l = c.log_det_at + i * TIMES;
    CHECK(memcmp(x, c.x0 + i * D, D * sizeof(double)) == 0 && l[0] == 0);
    CHECK(memcmp(x + D, x + 2 * D, D * sizeof(double)) == 0 && l[1] == l[2]);
    CHECK(memcmp(x + 3 * D, c.x1 + i * D, D * sizeof(double)) == 0 && l[3] == c.log_det[i]);
    for (int n = 0; n < TIMES; ++n) {
      const int at = i * TIMES + n;
      const double time_bar = 2 * S * c.log_det_at_bar[at] + dot_slope(c.x_at_bar + at * D, x + n * D);
      CHECK(fabs(c.times_bar[at] - time_bar) < FLOW_TOLERANCE);
    }
    const double t1_bar = 2 * S * c.log_det_bar[i] + dot_slope(c.x1_bar + i * D, c.x1 + i * D);
    CHECK(fabs(c.t1_bar[i] - t1_bar) < FLOW_TOLERANCE);
  }
  cnf_solver_destroy(solver);
}

/* Learning times: x turns once around in 2 pi / w, and is nearest to a point that it comes by at one time only. With
 * L = 1 - cos w (t - t*), dL/dt = w sin w (t - t*): steps of 1/w^2 against it leave a cube of what was missing. */
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
  CHECK(fabs(c.times[0] - wanted_time) < 1e-8); /* the flow's own error: 1e-11 a step */
  CHECK(fabs(c.t1 - wanted_end) < 1e-8);
  cnf_solver_destroy(solver);
}

/* ---- Cost ----
 * A time cuts one step in two, and the next is planned as if it had not: k times cost k steps. That is a theorem where the
 * length of a step depends on where it begins alone, and its end moves on with its beginning: then the n-th step after k cuts
 * ends no earlier than the (n - k)-th without. So it holds sample by sample where all steps are as long as max_step allows,
 * and for a flow that decays, along which steps grow. Elsewhere a controller remembers, and a step more or less may be
 * refused: there it holds for the sum over the samples. Times that lie together, next to each other within rounding, cost no
 * more. */
typedef enum cost_field { LONGEST, DECAY, NET, COST_FIELDS } cost_field;

static void test_cost(int32_t method, cnf_solver_options controller, cost_field kind, int together) {
  static call_data c;
  int32_t without[COUNT];
  cnf_method_info info = {.struct_size = sizeof info};
  cnf_method_get(method, &info);
  if (!info.embedded_order) return;
  setup how = {.method = method, .control = CNF_CONTROL_SAMPLE, .trace = CNF_TRACE_EXACT, .tolerance = 1e-5};
  if (kind == LONGEST) how.tolerance = 10, controller.max_step = controller.initial_step = 0.07;
  cnf_solver *solver =
      kind == DECAY ? solver_of(linear_ops, 1, how, controller) : solver_of(net_ops, OP_COUNT, how, controller);
  fill_linear(&c, COUNT, 0, 4);
  if (kind != DECAY) fill(&c, COUNT, 0, 4);
  c.time_count = 0;
  solve(solver, &c);
  memcpy(without, c.accepted, sizeof without);
  for (int k = 1; k <= 13; ++k) {
    int excess = 0, worst = 0;
    c.time_count = k;
    for (int n = 0; n < k; ++n) c.times[n] = together ? 1.7 + 1e-11 * n : 4 * (n + 0.6) / (k + 0.3);
    solve(solver, &c);
    for (int i = 0; i < COUNT; ++i) {
      const int more = c.accepted[i] - without[i] - k;
      excess += more, worst = more > worst ? more : worst;
    }
    char detail[400];
    snprintf(detail, sizeof detail,
             "%s, field %d, %d times, together %d, pcoeff %g: %d too many of a sample, %d of all", info.name, (int)kind,
             k, together, controller.pcoeff, worst, excess);
    check_count(excess <= 0, "steps of all samples", detail, __LINE__);
    check_count(kind == NET || worst <= 0, "steps of a sample", detail, __LINE__);
  }
  cnf_solver_destroy(solver);
}

/* ---- Promises ---- */

/* Alone, in a batch, by other threads, with what is kept or made again: the same bits. */
static void test_independence(int32_t control, int32_t trace) {
  static call_data whole, other;
  const setup how = {.method = cnf_method_find("dopri5"), .control = control, .trace = trace};
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, how, nothing_more);
  fill(&whole, COUNT, 0, 2);
  differentiate(solver, &whole);
  for (int i = 0; i < COUNT; ++i) { /* a probe belongs to its sample's id */
    uint64_t id = (uint64_t)i;
    const size_t at = (size_t)i * TIMES;
    other = whole;
    other.count = 1;
    cnf_solve_input input = input_of(&other);
    cnf_solve_output output = output_of(&other);
    cnf_loss loss = loss_of(&whole);
    cnf_gradient gradient = gradient_of(&other);
    input.x0 = whole.x0 + i * D, input.sample_ids = &id;
    loss.x1_bar = whole.x1_bar + i * D, loss.log_det_bar = whole.log_det_bar + i;
    loss.x_at_bar = whole.x_at_bar + at * D, loss.log_det_at_bar = whole.log_det_at_bar + at;
    CHECK(cnf_solve_vjp(solver, &input, &loss, &output, &gradient) == CNF_OK);
    CHECK(memcmp(other.x_at, whole.x_at + at * D, TIMES * D * sizeof(double)) == 0);
    CHECK(memcmp(other.log_det_at, whole.log_det_at + at, TIMES * sizeof(double)) == 0);
    CHECK(memcmp(other.x1, whole.x1 + i * D, D * sizeof(double)) == 0);
    CHECK(memcmp(other.x0_bar, whole.x0_bar + i * D, D * sizeof(double)) == 0);
    CHECK(memcmp(other.times_bar, whole.times_bar + at, TIMES * sizeof(double)) == 0);
    CHECK(other.t0_bar[0] == whole.t0_bar[i] && other.t1_bar[0] == whole.t1_bar[i]);
  }
  cnf_solver_destroy(solver);
  const int64_t stores[] = {0, -1, 20000}; /* all, none, some */
  for (int v = 0; v < 3; ++v) {
    setup varied = how;
    varied.threads = 1 + v, varied.store_bytes = stores[v];
    solver = solver_of(net_ops, OP_COUNT, varied, nothing_more);
    fill(&other, COUNT, 0, 2);
    differentiate(solver, &other);
    CHECK(memcmp(&other, &whole, sizeof whole) == 0);
    cnf_solver_destroy(solver);
  }
}

/* Samples that fail on the way: NaN from there on, no gradient, and the neighbours' answers are theirs. */
static void test_failure(int32_t control) {
  static call_data good, bad;
  const int victim = 5;
  const setup how = {.method = cnf_method_find("rk4"), .control = control, .trace = CNF_TRACE_EXACT};
  setup adaptive = how;
  if (control == CNF_CONTROL_SAMPLE) adaptive.method = cnf_method_find("dopri5");
  cnf_solver *solver = solver_of(linear_ops, 1, adaptive, nothing_more);
  fill_linear(&good, COUNT, 0, 4);
  good.theta[0] = good.theta[3] = 2; /* e^8 from 0 to 4 */
  bad = good;
  /* The slope, 2 x, passes the largest double, 1.8e308, between the second and the third time: e^3.6 = 37 and e^4.16 = 64. */
  bad.x0[victim * D] = bad.x0[victim * D + 1] = 1.7e308 / 90;
  bad.theta[1] = bad.theta[2] = good.theta[1] = good.theta[2] = 0;
  differentiate(solver, &good);
  differentiate(solver, &bad);
  CHECK(good.status[victim] == CNF_SAMPLE_OK && bad.status[victim] != CNF_SAMPLE_OK);
  int reached = 0;
  for (int n = 0; n < TIMES; ++n) {
    const int at = victim * TIMES + n, there = isfinite(bad.x_at[at * D]);
    CHECK(there == isfinite(bad.x_at[at * D + 1]) && there == isfinite(bad.log_det_at[at]));
    CHECK(there || (isnan(bad.x_at[at * D]) && isnan(bad.log_det_at[at])));
    CHECK(reached == n || !there);
    CHECK(bad.times_bar[at] == 0);
    reached += there;
  }
  /* An adaptive step's trial reaches further, and may give up earlier. */
  CHECK(control == CNF_CONTROL_FIXED ? reached == 2 : reached < 3);
  CHECK(bad.x0_bar[victim * D] == 0 && bad.t0_bar[victim] == 0 && bad.t1_bar[victim] == 0);
  for (int i = 0; i < COUNT; ++i) {
    if (i == victim) continue;
    CHECK(memcmp(bad.x_at + i * TIMES * D, good.x_at + i * TIMES * D, TIMES * D * sizeof(double)) == 0);
    CHECK(memcmp(bad.times_bar + i * TIMES, good.times_bar + i * TIMES, TIMES * sizeof(double)) == 0);
  }
  cnf_solver_destroy(solver);
}

/* Steps of at most 0.01, 50 of them: as far as 0.5 of 1. */
static void test_out_of_steps(void) {
  static call_data c;
  const setup how = {.method = cnf_method_find("dopri5"), .trace = CNF_TRACE_EXACT};
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, how, (cnf_solver_options){.max_step = 0.01, .max_steps = 50});
  fill(&c, COUNT, 0, 1);
  differentiate(solver, &c);
  for (int i = 0; i < COUNT; ++i) {
    CHECK(c.status[i] == CNF_SAMPLE_MAX_STEPS);
    for (int n = 0; n < TIMES; ++n) {
      CHECK(isnan(c.log_det_at[i * TIMES + n]) == (n >= 2) && isnan(c.x_at[(i * TIMES + n) * D]) == (n >= 2));
      CHECK(c.times_bar[i * TIMES + n] == 0);
    }
  }
  for (int i = 0; i < P; ++i) CHECK(c.theta_bar[i] == 0);
  cnf_solver_destroy(solver);
}

/* ---- Losses ----
 * A callback that sees its samples' states at the times, and writes their cotangents, makes the gradient that cotangents do. */
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

/* A likelihood gains what the times add: its gradient is its own, and that of the times alone. */
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
  /* sums of some hundred terms below 10, in another order: 1e-13 each way at most */
  for (int i = 0; i < P; ++i) CHECK(fabs(c[0].theta_bar[i] + c[1].theta_bar[i] - c[2].theta_bar[i]) < 1e-11);
  for (int i = 0; i < COUNT * D; ++i) CHECK(fabs(c[0].x0_bar[i] + c[1].x0_bar[i] - c[2].x0_bar[i]) < 1e-11);
  for (int i = 0; i < COUNT * TIMES; ++i)
    CHECK(fabs(c[0].times_bar[i] + c[1].times_bar[i] - c[2].times_bar[i]) < 1e-11);
  CHECK(memcmp(c[0].theta_bar, c[2].theta_bar, sizeof c[0].theta_bar) != 0);
  cnf_solver_destroy(solver);
}

/* ---- Single precision: the same steps, fixed, in both. ---- */
static void test_float(int32_t trace) {
  static call_data c;
  static float theta[P], x0[COUNT * D], x_at_bar[COUNT * TIMES * D], x1_bar[COUNT * D];
  static float x_at[COUNT * TIMES * D], theta_bar[P], x0_bar[COUNT * D];
  static double log_det_at[COUNT * TIMES], times_bar[COUNT * TIMES];
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  fill(&c, COUNT, 0.1, 1.3);
  /* a float holds 24 bits: round all that is given, so that both solves are given the same */
  for (int i = 0; i < P; ++i) c.theta[i] = theta[i] = (float)c.theta[i];
  for (int i = 0; i < COUNT * D; ++i) c.x0[i] = x0[i] = (float)c.x0[i], c.x1_bar[i] = x1_bar[i] = (float)c.x1_bar[i];
  for (int i = 0; i < COUNT * TIMES * D; ++i) c.x_at_bar[i] = x_at_bar[i] = (float)c.x_at_bar[i];
  const setup how = {.method = cnf_method_find("dopri5"), .control = CNF_CONTROL_FIXED, .trace = trace};
  cnf_solver *reference = solver_of(net_ops, OP_COUNT, how, nothing_more);
  differentiate(reference, &c);
  CHECK(cnf_field_create(CNF_FLOAT32, D, net_ops, OP_COUNT, &field) == CNF_OK);
  cnf_solver_options_init(&options, sizeof options);
  options.control = CNF_CONTROL_FIXED, options.steps = 3, options.trace = trace, options.threads = 2;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  cnf_solve_input input = input_of(&c);
  cnf_loss loss = loss_of(&c);
  input.parameters = theta, input.x0 = x0, loss.x1_bar = x1_bar, loss.x_at_bar = x_at_bar;
  cnf_solve_output output = {.struct_size = sizeof output, .x_at = x_at, .log_det_at = log_det_at};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = theta_bar, .x0 = x0_bar, .times = times_bar};
  CHECK(cnf_solve_vjp(solver, &input, &loss, &output, &gradient) == CNF_OK);
  /* some 15 steps of some hundred roundings of 2^-24 = 6e-8 each, of numbers below 10; a gradient is a sum over 37 samples */
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

/* ---- Refusals ---- */

static cnf_status try_call(cnf_solver *solver, call_data *c, cnf_solve_input input) {
  cnf_solve_output output = output_of(c);
  pattern_fill(c->x_at, sizeof c->x_at);
  const cnf_status status = cnf_solve(solver, &input, &output);
  CHECK(status == CNF_OK || pattern_intact(c->x_at, sizeof c->x_at));
  return status;
}

static void test_refusals(void) {
  static call_data c;
  const double fractions[] = {0, 0.5, 1};
  for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_BATCH; ++control) {
    const setup how = {.method = cnf_method_find("dopri5"), .control = control, .trace = CNF_TRACE_EXACT};
    cnf_solver *solver = solver_of(net_ops, OP_COUNT, how, (cnf_solver_options){.max_steps = 15});
    fill(&c, COUNT, 0, 1);
    const cnf_solve_input good = input_of(&c);
    cnf_solve_input input = good;
    const int batch = control == CNF_CONTROL_BATCH;
    CHECK_STATUS(batch ? CNF_ERROR_OUTPUT_TIMES : CNF_OK, try_call(solver, &c, input), "times");
    input.times = NULL;
    CHECK_STATUS(CNF_ERROR_NULL, try_call(solver, &c, input), "no times");
    input.time_count = 0;
    CHECK_STATUS(CNF_OK, try_call(solver, &c, input), "no times, and none counted");
    if (control == CNF_CONTROL_FIXED) {
      input = good, input.step_fractions = fractions, input.step_fraction_count = 3;
      CHECK_STATUS(CNF_ERROR_OUTPUT_TIMES, try_call(solver, &c, input), "step fractions");
    }
    const double wrong[] = {-0.1, 1.1, NAN, INFINITY, 0.05}; /* the last falls: it is tried as the second */
    for (int i = 0; i < 5; ++i) {
      fill(&c, COUNT, 0, 1);
      c.times[i == 4] = wrong[i];
      CHECK_STATUS(CNF_ERROR_OUTPUT_TIMES, try_call(solver, &c, good), "a wrong time");
    }
    fill(&c, COUNT, 0, 1);
    input = good, input.t0 = 1, input.t1 = 0;
    CHECK_STATUS(CNF_ERROR_OUTPUT_TIMES, try_call(solver, &c, input), "rising times backward");
    for (int i = 0; i < 15; ++i) c.times[i] = 0.5;
    input = good, input.time_count = 14; /* 15 intervals, of which each has a step, or three */
    CHECK_STATUS(control ? CNF_ERROR_OUTPUT_TIMES : CNF_OK, try_call(solver, &c, input), "as many as steps");
    input.time_count = 15;
    CHECK_STATUS(CNF_ERROR_OUTPUT_TIMES, try_call(solver, &c, input), "more than steps");
    input.time_count = SIZE_MAX;
    CHECK_STATUS(CNF_ERROR_OUTPUT_TIMES, try_call(solver, &c, input), "more than memory");
    cnf_solver_destroy(solver);
  }
}

/* Methods and adjoints that do not stop on the way say so. */
static void test_refused_methods(void) {
  static call_data c;
  const char *const methods[] = {"explicit_adams", "implicit_adams", "rodas4", "dopri5"};
  for (int i = 0; i < 4; ++i) {
    const setup how = {
        .method = cnf_method_find(methods[i]), .control = CNF_CONTROL_FIXED, .trace = CNF_TRACE_EXACT_TANGENTS};
    const int is_continuous = i == 3;
    cnf_solver *solver = solver_of(net_ops, OP_COUNT, how, (cnf_solver_options){.adjoint = is_continuous});
    fill(&c, COUNT, 0, 1);
    const cnf_solve_input input = input_of(&c);
    CHECK_STATUS(is_continuous ? CNF_OK : CNF_ERROR_OUTPUT_TIMES, try_call(solver, &c, input), methods[i]);
    cnf_gradient gradient = gradient_of(&c);
    const cnf_loss loss = loss_of(&c);
    CHECK_STATUS(CNF_ERROR_OUTPUT_TIMES, cnf_solve_vjp(solver, &input, &loss, NULL, &gradient), methods[i]);
    cnf_solver_destroy(solver);
  }
}

int main(void) {
  test_refused_methods();
  const cnf_solver_options controllers[] = {
      {0}, {.pcoeff = 0.4, .icoeff = 0.3}, {.pcoeff = 0.3, .icoeff = 0.3, .dcoeff = 0.02}};
  for (int32_t method = 0; method < cnf_method_count(); ++method) {
    cnf_method_info info = {.struct_size = sizeof info};
    CHECK(cnf_method_get(method, &info) == CNF_OK);
    if (info.family != CNF_FAMILY_RUNGE_KUTTA) continue;
    for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control)
      for (int backward = 0; backward < 2; ++backward)
        test_gradient(method, control, CNF_TRACE_EXACT_PRODUCT, backward);
    for (int i = 0; i < 6 * COST_FIELDS; ++i) test_cost(method, controllers[i % 3], (cost_field)(i / 6), i / 3 % 2);
  }
  for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control) {
    for (int backward = 0; backward < 2; ++backward) {
      test_closed_form(control, "dopri5", backward);
      test_closed_form(control, control ? "rk4" : "dopri8", backward);
      for (int32_t trace = CNF_TRACE_NONE; trace <= CNF_TRACE_EXACT_TANGENTS; ++trace)
        test_gradient(cnf_method_find("dopri5"), control, trace, backward);
    }
    for (int32_t trace = CNF_TRACE_HUTCHINSON; trace <= CNF_TRACE_EXACT_PRODUCT; ++trace)
      test_independence(control, trace);
    test_ends(control, 0);
    test_ends(control, 1);
    test_learning(control);
    test_failure(control);
    test_callback(control);
    test_likelihood(control);
  }
  test_out_of_steps();
  test_refusals();
  test_float(CNF_TRACE_HUTCHINSON);
  test_float(CNF_TRACE_EXACT);
  return check_report();
}
