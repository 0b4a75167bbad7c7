/* spans_test.c - samples with intervals of their own, forward, backward or empty, in one call. Expected results: the
 * same bits as a call with one sample and its t0 and t1; the closed form of a linear flow; central differences.
 */
#include <math.h>

#include "fixture.h"

enum {
  COUNT = 37,
  TIMES = 3,
  STEPS = 3,
  MOST_STEPS = 200
}; /* COUNT: more samples than a tile of any instruction set */

typedef struct setup {
  int32_t method, control, trace, adjoint, threads;
  double tolerance;
} setup;

static const cnf_op net_ops[OP_COUNT] = OPS;
static const cnf_op linear_ops[] = {{.kind = CNF_OP_LINEAR, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = D}};

static int32_t has_tangents(int32_t trace) {
  return trace == CNF_TRACE_HUTCHINSON || trace == CNF_TRACE_EXACT_TANGENTS;
}

static cnf_solver *solver_of(const cnf_op *ops, int32_t op_count, setup how, int32_t steps) {
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  CHECK(cnf_field_create(CNF_FLOAT64, D, ops, op_count, sizeof(cnf_op), &field) == CNF_OK);
  cnf_solver_options_init(&options, sizeof options);
  options.method = how.method, options.control = how.control, options.trace = how.trace, options.adjoint = how.adjoint;
  options.threads = how.threads ? how.threads : 1, options.steps = steps;
  options.rtol = options.atol = how.tolerance ? how.tolerance : 1e-4;
  options.kinetic = 1, options.frobenius = has_tangents(how.trace);
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  cnf_field_destroy(field);
  return solver;
}

/* The inputs and outputs of a call, [count] of each. The loss is a fixed linear function of states, log-determinants
 * and regularisers. */
typedef struct call_data {
  int count, time_count;
  double t0s[COUNT], t1s[COUNT], times[COUNT * TIMES];
  double x0[COUNT * D], x1_bar[COUNT * D], log_det_bar[COUNT], x_at_bar[COUNT * TIMES * D],
      log_det_at_bar[COUNT * TIMES];
  uint64_t ids[COUNT];
  double theta[P], kinetic_bar, frobenius_bar;
  double x1[COUNT * D], log_det[COUNT], kinetic[COUNT], frobenius[COUNT], t_reached[COUNT], smallest[COUNT];
  double x_at[COUNT * TIMES * D], log_det_at[COUNT * TIMES], fractions[COUNT * MOST_STEPS];
  int32_t status[COUNT], accepted[COUNT], rejected[COUNT], evaluations[COUNT], reversed[COUNT];
  double theta_bar[P], x0_bar[COUNT * D], t0_bar[COUNT], t1_bar[COUNT], times_bar[COUNT * TIMES];
} call_data;

/* The i-th of a series of numbers in [-1, 1] that look random. */
static double noise(int i) { return sin(12.9898 * i + 0.37 * i * i); }

/* Sample i goes forward if i % 3 is 0, backward if 1, and has an empty interval if 2. Intervals overlap and differ in
 * length. */
static void fill(call_data *c, int time_count) {
  const double fractions[TIMES] = {0.2, 0.2, 0.9};
  memset(c, 0, sizeof *c);
  c->count = COUNT, c->time_count = time_count;
  for (int i = 0; i < COUNT; ++i) {
    const double length = i % 3 == 2 ? 0 : 0.4 + fabs(noise(i + 2000));
    c->ids[i] = (uint64_t)i;
    c->t0s[i] = noise(i + 1500);
    c->t1s[i] = i % 3 == 1 ? c->t0s[i] - length : c->t0s[i] + length;
    for (int n = 0; n < time_count; ++n)
      c->times[i * time_count + n] = c->t0s[i] + fractions[n] * (c->t1s[i] - c->t0s[i]);
    c->log_det_bar[i] = noise(i + 500);
  }
  for (int i = 0; i < P; ++i) c->theta[i] = 1.5 * noise(i + 1);
  for (int i = 0; i < COUNT * D; ++i) c->x0[i] = 2 * noise(i + 100), c->x1_bar[i] = noise(i + 300);
  for (int i = 0; i < COUNT * time_count * D; ++i) c->x_at_bar[i] = noise(i + 700);
  for (int i = 0; i < COUNT * time_count; ++i) c->log_det_at_bar[i] = noise(i + 1300);
}

static cnf_solve_input input_of(const call_data *c) {
  return (cnf_solve_input){.struct_size = sizeof(cnf_solve_input),
                           .parameters = c->theta,
                           .x0 = c->x0,
                           .count = (size_t)c->count,
                           .t0 = NAN,
                           .t1 = NAN, /* t0 and t1 are ignored */
                           .seed = 5,
                           .sample_ids = c->ids,
                           .time_count = (size_t)c->time_count,
                           .t0s = c->t0s,
                           .t1s = c->t1s,
                           .sample_times = c->time_count ? c->times : NULL};
}

static cnf_solve_output output_of(call_data *c, int32_t trace) {
  return (cnf_solve_output){.struct_size = sizeof(cnf_solve_output),
                            .x1 = c->x1,
                            .log_det = c->log_det,
                            .kinetic = c->kinetic,
                            .frobenius = has_tangents(trace) ? c->frobenius : NULL,
                            .t_reached = c->t_reached,
                            .status = c->status,
                            .accepted = c->accepted,
                            .rejected = c->rejected,
                            .evaluations = c->evaluations,
                            .smallest_step = c->smallest,
                            .adjoint_evaluations = c->reversed,
                            .step_fractions = c->fractions,
                            .step_fraction_stride = MOST_STEPS,
                            .x_at = c->x_at,
                            .log_det_at = c->log_det_at};
}

static cnf_loss loss_of(const call_data *c) {
  return (cnf_loss){.struct_size = sizeof(cnf_loss),
                    .kind = CNF_LOSS_COTANGENTS,
                    .x1_bar = c->x1_bar,
                    .log_det_bar = c->log_det_bar,
                    .kinetic = c->kinetic_bar,
                    .frobenius = c->frobenius_bar,
                    .x_at_bar = c->time_count ? c->x_at_bar : NULL,
                    .log_det_at_bar = c->time_count ? c->log_det_at_bar : NULL};
}

static cnf_gradient gradient_of(call_data *c) {
  return (cnf_gradient){.struct_size = sizeof(cnf_gradient),
                        .parameters = c->theta_bar,
                        .x0 = c->x0_bar,
                        .t0 = c->t0_bar,
                        .t1 = c->t1_bar,
                        .times = c->time_count ? c->times_bar : NULL};
}

/* OWN: each sample has its own ends and output times; COMMON: all samples have those of the first. */
typedef enum spans { OWN, COMMON } spans;

static void run(cnf_solver *solver, call_data *c, setup how, int differentiate, spans kind, const double *fractions) {
  cnf_solve_input input = input_of(c);
  cnf_solve_output output = output_of(c, how.trace);
  const cnf_loss loss = loss_of(c);
  cnf_gradient gradient = gradient_of(c);
  if (fractions) input.step_fractions = fractions, input.step_fraction_count = STEPS + 1;
  if (kind == COMMON) {
    input.t0 = c->t0s[0], input.t1 = c->t1s[0], input.t0s = input.t1s = input.sample_times = NULL;
    input.times = c->time_count ? c->times : NULL;
  }
  CHECK((differentiate ? cnf_solve_vjp(solver, &input, &loss, &output, &gradient)
                       : cnf_solve(solver, &input, &output)) == CNF_OK);
}

/* Makes `to` a call with sample i of `from` alone. */
static void pick(const call_data *from, int i, call_data *to) {
  const size_t n = (size_t)from->time_count, at = (size_t)i;
  memset(to, 0, sizeof *to);
  to->count = 1, to->time_count = from->time_count;
  to->t0s[0] = from->t0s[i], to->t1s[0] = from->t1s[i], to->ids[0] = from->ids[i];
  to->log_det_bar[0] = from->log_det_bar[i];
  to->kinetic_bar = from->kinetic_bar, to->frobenius_bar = from->frobenius_bar;
  memcpy(to->theta, from->theta, sizeof to->theta);
  memcpy(to->times, from->times + at * n, n * sizeof(double));
  memcpy(to->x0, from->x0 + at * D, D * sizeof(double));
  memcpy(to->x1_bar, from->x1_bar + at * D, D * sizeof(double));
  memcpy(to->x_at_bar, from->x_at_bar + at * n * D, n * D * sizeof(double));
  memcpy(to->log_det_at_bar, from->log_det_at_bar + at * n, n * sizeof(double));
}

/* All outputs per sample have the same bits for sample i of `a` and sample j of `b`. */
static void check_same(const call_data *a, int i, const call_data *b, int j, const char *where) {
  char detail[300];
  snprintf(detail, sizeof detail, "%s, sample %d", where, i);
#define SAME(member, width)                                                                            \
  check_count(memcmp(a->member + (size_t)i * (size_t)(width), b->member + (size_t)j * (size_t)(width), \
                     (size_t)(width) * sizeof a->member[0]) == 0,                                      \
              #member, detail, __LINE__)
  SAME(x1, D), SAME(log_det, 1), SAME(kinetic, 1), SAME(frobenius, 1), SAME(t_reached, 1), SAME(smallest, 1);
  SAME(status, 1), SAME(accepted, 1), SAME(rejected, 1), SAME(evaluations, 1), SAME(reversed, 1);
  SAME(x_at, a->time_count * D), SAME(log_det_at, a->time_count), SAME(fractions, MOST_STEPS);
  SAME(x0_bar, D), SAME(t0_bar, 1), SAME(t1_bar, 1), SAME(times_bar, a->time_count);
#undef SAME
}

/* ---- Bits ---- */

static int takes_gradient(int32_t family, int32_t adjoint) {
  if (family == CNF_FAMILY_IMPLICIT_ADAMS) return adjoint == CNF_ADJOINT_CONTINUOUS;
  if (family == CNF_FAMILY_REVERSIBLE) return adjoint != CNF_ADJOINT_CONTINUOUS;
  return adjoint != CNF_ADJOINT_REVERSIBLE;
}

/* With negative weights, the computed integral of a positive function may be negative. */
static int has_negative_weights(const cnf_method_info *info) {
  for (int32_t i = 0; i < info->stages; ++i)
    if (info->b[i] < 0 || (info->momenta_b && info->momenta_b[i] < 0)) return 1;
  return info->family == CNF_FAMILY_EXPLICIT_ADAMS;
}

static const double uneven[STEPS + 1] = {0, 0.2, 0.7, 1};

/* A sample has the same bits in a call with other intervals as in a call of its own, and does not depend on the order
 * of samples. */
static void test_alone(setup how, int with_times, const double *fractions) {
  static call_data mixed, alone, reordered, again;
  cnf_method_info info = {.struct_size = sizeof info};
  cnf_method_get(how.method, &info);
  if (how.control == CNF_CONTROL_SAMPLE && !info.embedded_order) return;
  const int differentiate = takes_gradient(info.family, how.adjoint);
  if (how.adjoint && !differentiate) return;
  if (with_times && (info.family == CNF_FAMILY_EXPLICIT_ADAMS || info.family == CNF_FAMILY_IMPLICIT_ADAMS)) return;
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, how, STEPS);
  char where[200];
  snprintf(where, sizeof where, "%s control %d trace %d adjoint %d times %d", info.name, (int)how.control,
           (int)how.trace, (int)how.adjoint, with_times);
  fill(&mixed, with_times ? TIMES : 0);
  mixed.kinetic_bar = 0.3, mixed.frobenius_bar = has_tangents(how.trace) ? 0.2 : 0;
  reordered = mixed;
  for (int i = 0; i < COUNT; ++i) {
    pick(&mixed, COUNT - 1 - i, &alone);
    reordered.ids[i] = alone.ids[0], reordered.t0s[i] = alone.t0s[0], reordered.t1s[i] = alone.t1s[0];
    memcpy(reordered.x0 + i * D, alone.x0, D * sizeof(double));
    memcpy(reordered.x1_bar + i * D, alone.x1_bar, D * sizeof(double));
    reordered.log_det_bar[i] = alone.log_det_bar[0];
    memcpy(reordered.times + i * TIMES, alone.times, TIMES * sizeof(double));
    memcpy(reordered.x_at_bar + i * TIMES * D, alone.x_at_bar, TIMES * D * sizeof(double));
    memcpy(reordered.log_det_at_bar + i * TIMES, alone.log_det_at_bar, TIMES * sizeof(double));
  }
  again = mixed;
  run(solver, &mixed, how, differentiate, OWN, fractions);
  run(solver, &reordered, how, differentiate, OWN, fractions);
  for (int i = 0; i < COUNT; ++i) {
    CHECK(mixed.status[i] == CNF_SAMPLE_OK && mixed.t_reached[i] == mixed.t1s[i] && mixed.accepted[i] < MOST_STEPS);
    check_count((mixed.kinetic[i] >= 0 && mixed.frobenius[i] >= 0) || has_negative_weights(&info),
                "regularisers are positive", where, __LINE__);
    pick(&mixed, i, &alone);
    run(solver, &alone, how, differentiate, COMMON, fractions);
    check_same(&mixed, i, &alone, 0, where);
    check_same(&mixed, i, &reordered, COUNT - 1 - i, where);
  }
  cnf_solver_destroy(solver);
  how.threads = 3;
  solver = solver_of(net_ops, OP_COUNT, how, STEPS);
  run(solver, &again, how, differentiate, OWN, fractions);
  check_count(memcmp(&again, &mixed, sizeof mixed) == 0, "the same bits with 3 threads", where, __LINE__);
  cnf_solver_destroy(solver);
}

/* Ends per sample that are all equal give the same bits as common ends, including the gradient with respect to
 * theta. */
static void test_equal_ends(setup how, int with_times, double t0, double t1) {
  static call_data own, common;
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, how, STEPS);
  fill(&own, with_times ? TIMES : 0);
  for (int i = 0; i < COUNT; ++i) {
    own.t0s[i] = t0, own.t1s[i] = t1;
    for (int n = 0; n < own.time_count; ++n) own.times[i * TIMES + n] = t0 + 0.3 * n * (t1 - t0);
  }
  common = own;
  run(solver, &own, how, 1, OWN, NULL);
  run(solver, &common, how, 1, COMMON, NULL);
  CHECK(memcmp(&own, &common, sizeof own) == 0);
  /* one end common, the other per sample */
  cnf_solve_input input = input_of(&common);
  cnf_solve_output output = output_of(&common, how.trace);
  input.t0 = t0, input.t0s = NULL;
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK && memcmp(own.x1, common.x1, sizeof own.x1) == 0);
  input = input_of(&common), input.t1 = t1, input.t1s = NULL;
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK && memcmp(own.x1, common.x1, sizeof own.x1) == 0);
  cnf_solver_destroy(solver);
}

/* ---- Central differences ----
 * With a difference d = 1e-5, their error is d^2/6 times the third derivative plus 2^-52 |L| / d. With |L| below 200
 * and third derivatives below 1e3, both are below 2e-8. */
static const double DIFFERENCE = 1e-5, GRADIENT_TOLERANCE = 1e-7;

static double loss_now(cnf_solver *solver, call_data *c, setup how) {
  double sum = 0;
  run(solver, c, how, 0, OWN, NULL);
  for (int i = 0; i < COUNT * D; ++i) sum += c->x1_bar[i] * c->x1[i];
  for (int i = 0; i < COUNT; ++i) {
    sum += c->log_det_bar[i] * c->log_det[i] + c->kinetic_bar * c->kinetic[i];
    sum += c->frobenius_bar * c->frobenius[i];
  }
  for (int i = 0; i < COUNT * c->time_count * D; ++i) sum += c->x_at_bar[i] * c->x_at[i];
  for (int i = 0; i < COUNT * c->time_count; ++i) sum += c->log_det_at_bar[i] * c->log_det_at[i];
  return sum;
}

static void check_difference(cnf_solver *solver, setup how, call_data *c, double *variable, double got,
                             const char *what, int number) {
  char detail[300];
  const double middle = *variable;
  *variable = middle + DIFFERENCE;
  const double above = loss_now(solver, c, how);
  *variable = middle - DIFFERENCE;
  const double expected = (above - loss_now(solver, c, how)) / (2 * DIFFERENCE);
  *variable = middle;
  snprintf(detail, sizeof detail, "trace %d, index %d: %.12g, central difference %.12g", (int)how.trace, number, got,
           expected);
  check_count(fabs(got - expected) < GRADIENT_TOLERANCE, what, detail, __LINE__);
}

/* With fixed steps, whose fractions do not depend on x, differences of solves are accurate. Output times that coincide
 * with another or lie in an empty interval cannot be varied without getting out of order: test_alone covers them. */
static void test_differences(int32_t trace) {
  static call_data c, scratch;
  const setup how = {.method = cnf_method_find("bosh3"), .control = CNF_CONTROL_FIXED, .trace = trace};
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, how, STEPS);
  fill(&c, TIMES);
  for (int i = 0; i < COUNT; ++i) {
    if (i % 3 == 2) c.t1s[i] = c.t0s[i] + 1e-3; /* a short interval instead of an empty one */
    for (int n = 0; n < TIMES; ++n) c.times[i * TIMES + n] = c.t0s[i] + (n + 1) / 4.0 * (c.t1s[i] - c.t0s[i]);
  }
  c.kinetic_bar = 0.3, c.frobenius_bar = has_tangents(trace) ? 0.2 : 0;
  run(solver, &c, how, 1, OWN, NULL);
  scratch = c;
  for (int i = 0; i < P; ++i) check_difference(solver, how, &scratch, &scratch.theta[i], c.theta_bar[i], "theta", i);
  for (int i = 0; i < COUNT; i += 5) {
    check_difference(solver, how, &scratch, &scratch.t0s[i], c.t0_bar[i], "t0", i);
    check_difference(solver, how, &scratch, &scratch.t1s[i], c.t1_bar[i], "t1", i);
    check_difference(solver, how, &scratch, &scratch.x0[i * D], c.x0_bar[i * D], "x0", i);
    for (int n = 0; n < TIMES; ++n)
      check_difference(solver, how, &scratch, &scratch.times[i * TIMES + n], c.times_bar[i * TIMES + n], "time", i);
  }
  cnf_solver_destroy(solver);
}

/* ---- Closed form ----
 * f = A x with A = s I + w J: x(t) = e^{s t} R(w t) x(0), log-determinant 2 s t, |A|_F^2 / D = s^2 + w^2. */
static const double S = -0.4, W = 0.7;
static const double FLOW_TOLERANCE = 1e-7; /* 100 times the tolerance; for rk4 with 100 steps h <= 0.014, h^4 is less */

static void test_closed_form(const char *method, int32_t control, int32_t adjoint) {
  static call_data c;
  const double theta[D * D + D] = {S, -W, W, S, 0, 0};
  const setup how = {.method = cnf_method_find(method),
                     .control = control,
                     .trace = CNF_TRACE_EXACT_TANGENTS,
                     .adjoint = adjoint,
                     .tolerance = 1e-9};
  cnf_method_info info = {.struct_size = sizeof info};
  cnf_method_get(how.method, &info);
  const int differentiate = takes_gradient(info.family, adjoint);
  cnf_solver *solver = solver_of(linear_ops, 1, how, 100);
  fill(&c, 0);
  memcpy(c.theta, theta, sizeof theta);
  run(solver, &c, how, differentiate, OWN, NULL);
  for (int i = 0; i < COUNT; ++i) {
    const double t = c.t1s[i] - c.t0s[i], growth = exp(S * t), *x0 = c.x0 + i * D, *bar = c.x1_bar + i * D;
    const double x[D] = {growth * (cos(W * t) * x0[0] - sin(W * t) * x0[1]),
                         growth * (sin(W * t) * x0[0] + cos(W * t) * x0[1])};
    for (int d = 0; d < D; ++d) CHECK(fabs(c.x1[i * D + d] - x[d]) < FLOW_TOLERANCE);
    CHECK(fabs(c.log_det[i] - 2 * S * t) < FLOW_TOLERANCE);
    CHECK(fabs(c.frobenius[i] - (S * S + W * W) * fabs(t)) < FLOW_TOLERANCE);
    if (!differentiate) continue;
    const double t1_bar = 2 * S * c.log_det_bar[i] + bar[0] * (S * x[0] - W * x[1]) + bar[1] * (W * x[0] + S * x[1]);
    CHECK(fabs(c.t1_bar[i] - t1_bar) < 10 * FLOW_TOLERANCE);
    CHECK(fabs(c.t0_bar[i] + t1_bar) < 10 * FLOW_TOLERANCE); /* f does not read t, so only t1 - t0 matters */
  }
  cnf_solver_destroy(solver);
}

/* ---- Evaluations ---- */

static void test_evaluate(int32_t trace) {
  static call_data c;
  double velocity[COUNT * D], divergence[COUNT], alone[D], alone_divergence;
  const setup how = {.method = cnf_method_find("euler"), .control = CNF_CONTROL_FIXED, .trace = trace};
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, how, 1);
  fill(&c, 0);
  cnf_solve_input input = input_of(&c);
  CHECK(cnf_solver_evaluate(solver, &input, velocity, divergence) == CNF_OK);
  for (int i = 0; i < COUNT; ++i) {
    input = input_of(&c);
    input.x0 = c.x0 + i * D, input.t0s = input.t1s = NULL, input.t0 = c.t0s[i], input.count = 1;
    input.sample_ids = c.ids + i;
    CHECK(cnf_solver_evaluate(solver, &input, alone, &alone_divergence) == CNF_OK);
    CHECK(memcmp(alone, velocity + i * D, sizeof alone) == 0 && alone_divergence == divergence[i]);
  }
  CHECK(memcmp(velocity, velocity + D, sizeof alone) != 0);
  cnf_solver_destroy(solver);
}

/* ---- Wrong arguments ---- */

static cnf_status try_call(cnf_solver *solver, call_data *c, cnf_solve_input input) {
  cnf_solve_output output = output_of(c, CNF_TRACE_EXACT_TANGENTS);
  pattern_fill(c->x1, sizeof c->x1);
  const cnf_status status = cnf_solve(solver, &input, &output);
  CHECK(status == CNF_OK || pattern_intact(c->x1, sizeof c->x1));
  return status;
}

static void test_wrong_arguments(int32_t control) {
  static call_data c;
  const setup how = {.method = cnf_method_find("dopri5"), .control = control, .trace = CNF_TRACE_EXACT_TANGENTS};
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, how, STEPS);
  const int batch = control == CNF_CONTROL_BATCH;
  fill(&c, TIMES);
  const cnf_solve_input good = input_of(&c);
  cnf_solve_input input = good;
  CHECK_STATUS(batch ? CNF_ERROR_SPANS : CNF_OK, try_call(solver, &c, good), "t0 and t1 per sample");
  input.t1s = NULL, input.t1 = 1, input.sample_times = NULL, input.time_count = 0;
  CHECK_STATUS(batch ? CNF_ERROR_SPANS : CNF_OK, try_call(solver, &c, input), "t0 per sample");
  if (batch) {
    input.t0s = NULL, input.t0 = 0;
    CHECK_STATUS(CNF_OK, try_call(solver, &c, input), "common t0 and t1");
    cnf_solver_destroy(solver);
    return;
  }
  input.t1 = NAN;
  CHECK_STATUS(CNF_ERROR_TIME, try_call(solver, &c, input), "common t1 is NaN");
  const double wrong[] = {NAN, INFINITY, 1.7e308}; /* the last: t1 - t0 overflows */
  for (int i = 0; i < 3; ++i) {
    fill(&c, 0);
    c.t0s[COUNT - 1] = -1e308, c.t1s[COUNT - 1] = wrong[i];
    CHECK_STATUS(CNF_ERROR_TIME, try_call(solver, &c, input_of(&c)), "a wrong t1 of one sample");
  }
  fill(&c, 0);
  c.t0s[0] = -INFINITY;
  CHECK_STATUS(CNF_ERROR_TIME, try_call(solver, &c, input_of(&c)), "an infinite t0 of one sample");
  fill(&c, TIMES);
  input = good, input.times = c.times;
  CHECK_STATUS(CNF_ERROR_OUTPUT_TIMES, try_call(solver, &c, input), "both common times and times per sample");
  input.sample_times = NULL;
  CHECK_STATUS(CNF_ERROR_OUTPUT_TIMES, try_call(solver, &c, input), "common times outside of some intervals");
  c.times[(COUNT - 1) * TIMES + 1] = c.t0s[COUNT - 1] - 0.01; /* this sample goes forward */
  CHECK_STATUS(CNF_ERROR_OUTPUT_TIMES, try_call(solver, &c, good), "a time before t0");
  fill(&c, TIMES);
  c.times[4 * TIMES] = c.t1s[4] - 0.01; /* this sample goes backward */
  CHECK_STATUS(CNF_ERROR_OUTPUT_TIMES, try_call(solver, &c, good), "a time beyond t1");
  fill(&c, TIMES);
  c.times[COUNT * TIMES - 1] = NAN;
  CHECK_STATUS(CNF_ERROR_OUTPUT_TIMES, try_call(solver, &c, good), "a time that is NaN");
  /* common times inside all intervals, which all go forward */
  fill(&c, 2);
  for (int i = 0; i < COUNT; ++i) c.t0s[i] = -1 - 0.01 * i, c.t1s[i] = 1 + 0.02 * i;
  const double common[2] = {-0.5, 0.5};
  input = input_of(&c), input.sample_times = NULL, input.times = common;
  CHECK_STATUS(CNF_OK, try_call(solver, &c, input), "common times");
  static call_data own;
  own = c;
  for (int i = 0; i < COUNT; ++i) memcpy(own.times + i * 2, common, sizeof common);
  CHECK_STATUS(CNF_OK, try_call(solver, &own, input_of(&own)), "the same times per sample");
  CHECK(memcmp(own.x_at, c.x_at, sizeof c.x_at) == 0 && memcmp(own.x1, c.x1, sizeof c.x1) == 0);
  cnf_solver_destroy(solver);
}

int main(void) {
  for (int32_t method = 0; method < cnf_method_count(); ++method) {
    cnf_method_info info = {.struct_size = sizeof info};
    CHECK(cnf_method_get(method, &info) == CNF_OK);
    const int32_t trace = info.family == CNF_FAMILY_ROSENBROCK ? CNF_TRACE_EXACT_TANGENTS : CNF_TRACE_HUTCHINSON;
    for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control)
      for (int32_t adjoint = CNF_ADJOINT_DISCRETE; adjoint <= CNF_ADJOINT_REVERSIBLE; ++adjoint)
        for (int with_times = 0; with_times < 2; ++with_times)
          test_alone((setup){method, control, trace, adjoint, 1, 0}, with_times, NULL);
  }
  for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control) {
    const int32_t dopri5 = cnf_method_find("dopri5");
    for (int32_t trace = CNF_TRACE_NONE; trace <= CNF_TRACE_EXACT_PRODUCT; ++trace)
      for (int32_t adjoint = 0; adjoint < 2; ++adjoint)
        test_alone((setup){dopri5, control, trace, adjoint, 1, 0}, 0, NULL);
    for (int with_times = 0; with_times < 2; ++with_times)
      for (int i = 0; i < 3; ++i)
        test_equal_ends((setup){dopri5, control, CNF_TRACE_HUTCHINSON, 0, 1, 0}, with_times, 0.5, i / 2.0);
    for (int32_t adjoint = 0; adjoint < 2; ++adjoint) test_closed_form("dopri5", control, adjoint);
    test_closed_form("rodas4", control, 0);
  }
  test_alone((setup){cnf_method_find("rk4"), CNF_CONTROL_FIXED, CNF_TRACE_HUTCHINSON, 0, 1, 0}, 0, uneven);
  test_closed_form("rk4", CNF_CONTROL_FIXED, 0);
  test_closed_form("implicit_adams", CNF_CONTROL_FIXED, 1);
  for (int32_t trace = CNF_TRACE_NONE; trace <= CNF_TRACE_EXACT_PRODUCT; ++trace) {
    test_differences(trace);
    test_evaluate(trace);
  }
  for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_BATCH; ++control) test_wrong_arguments(control);
  return check_report();
}
