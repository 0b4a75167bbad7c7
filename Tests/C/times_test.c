/* times_test.c - output times: states and derivatives with respect to times compared with a closed form, additional
 * steps, equal bits alone and in a batch, failures and wrong arguments. times_gradient_test.c compares gradients with
 * central differences.
 */
#include "times_fixture.h"

/* ---- Closed form ---- */
/* 100 times the tolerance of about 30 adaptive steps; rk4 takes 600 steps, and (3/600)^4 is less */
static const double FLOW_TOLERANCE = 1e-7;

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

/* Output times at t0 and t1 have exactly the states there, equal output times have equal states, and each has the
 * derivative of its own state. */
static void test_ends(int32_t control, int is_empty) {
  static call_data c;
  const setup how = {
      .method = cnf_method_find("dopri5"), .control = control, .trace = CNF_TRACE_EXACT, .tolerance = 1e-9};
  cnf_solver *solver = solver_of(linear_ops, 1, how, (cnf_solver_options){.steps = 20});
  fill_linear(&c, COUNT, 0.5, is_empty ? 0.5 : 1.5);
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

/* ---- Cost ----
 * An output time cuts one step in two and does not change the size of the next step, so k output times cost at most k
 * more steps. This is certain if the size of a step depends only on where it begins, and a later beginning never gives
 * an earlier end: then step n after k cuts ends no earlier than step n - k without cuts. So it is checked for each
 * sample where all steps are as long as max_step allows, and for a flow that decays, along which steps grow. Otherwise
 * a controller also uses the errors of earlier steps, and the number of rejected steps may differ, so it is checked for
 * the sum over samples. Output times that differ only by rounding cost no more than others. */
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
             "%s, field %d, %d times, together %d, pcoeff %g: at most %d steps too many per sample, %d in all",
             info.name, (int)kind, k, together, controller.pcoeff, worst, excess);
    check_count(excess <= 0, "steps of all samples", detail, __LINE__);
    check_count(kind == NET || worst <= 0, "steps of a sample", detail, __LINE__);
  }
  cnf_solver_destroy(solver);
}

/* ---- Equal bits ---- */

/* The bits do not depend on the batch, on the number of threads or on store_bytes. */
static void test_independence(int32_t control, int32_t trace) {
  static call_data whole, other;
  const setup how = {.method = cnf_method_find("dopri5"), .control = control, .trace = trace};
  cnf_solver *solver = solver_of(net_ops, OP_COUNT, how, nothing_more);
  fill(&whole, COUNT, 0, 2);
  differentiate(solver, &whole);
  for (int i = 0; i < COUNT; ++i) { /* probes depend on the id of the sample */
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
  const int64_t stores[] = {0, -1, 20000}; /* store all evaluations, none, some */
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

/* A sample that fails has NaN at later output times and gradients of 0, and does not change the results of others. */
static void test_failure(int32_t control) {
  static call_data good, bad;
  const int failing = 5;
  const setup how = {.method = cnf_method_find("rk4"), .control = control, .trace = CNF_TRACE_EXACT};
  setup adaptive = how;
  if (control == CNF_CONTROL_SAMPLE) adaptive.method = cnf_method_find("dopri5");
  cnf_solver *solver = solver_of(linear_ops, 1, adaptive, nothing_more);
  fill_linear(&good, COUNT, 0, 4);
  good.theta[0] = good.theta[3] = 2; /* e^8 from 0 to 4 */
  bad = good;
  /* 2 x exceeds the largest double, 1.8e308, between the second and the third time, where x has grown by e^3.6 = 37 and
   * e^4.16 = 64 */
  bad.x0[failing * D] = bad.x0[failing * D + 1] = 1.7e308 / 90;
  bad.theta[1] = bad.theta[2] = good.theta[1] = good.theta[2] = 0;
  differentiate(solver, &good);
  differentiate(solver, &bad);
  CHECK(good.status[failing] == CNF_SAMPLE_OK && bad.status[failing] != CNF_SAMPLE_OK);
  int reached = 0;
  for (int n = 0; n < TIMES; ++n) {
    const int at = failing * TIMES + n, is_reached = isfinite(bad.x_at[at * D]);
    CHECK(is_reached == isfinite(bad.x_at[at * D + 1]) && is_reached == isfinite(bad.log_det_at[at]));
    CHECK(is_reached || (isnan(bad.x_at[at * D]) && isnan(bad.log_det_at[at])));
    CHECK(reached == n || !is_reached);
    CHECK(bad.times_bar[at] == 0);
    reached += is_reached;
  }
  /* a longer adaptive step may fail earlier */
  CHECK(control == CNF_CONTROL_FIXED ? reached == 2 : reached < 3);
  CHECK(bad.x0_bar[failing * D] == 0 && bad.t0_bar[failing] == 0 && bad.t1_bar[failing] == 0);
  for (int i = 0; i < COUNT; ++i) {
    if (i == failing) continue;
    CHECK(memcmp(bad.x_at + i * TIMES * D, good.x_at + i * TIMES * D, TIMES * D * sizeof(double)) == 0);
    CHECK(memcmp(bad.times_bar + i * TIMES, good.times_bar + i * TIMES, TIMES * sizeof(double)) == 0);
  }
  cnf_solver_destroy(solver);
}

/* 50 steps of at most 0.01 reach 0.5 of 1. */
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

/* ---- Wrong arguments ---- */

static cnf_status try_call(cnf_solver *solver, call_data *c, cnf_solve_input input) {
  cnf_solve_output output = output_of(c);
  pattern_fill(c->x_at, sizeof c->x_at);
  const cnf_status status = cnf_solve(solver, &input, &output);
  CHECK(status == CNF_OK || pattern_intact(c->x_at, sizeof c->x_at));
  return status;
}

static void test_wrong_arguments(void) {
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
    CHECK_STATUS(CNF_ERROR_NULL, try_call(solver, &c, input), "times are NULL");
    input.time_count = 0;
    CHECK_STATUS(CNF_OK, try_call(solver, &c, input), "times are NULL and time_count is 0");
    if (control == CNF_CONTROL_FIXED) {
      input = good, input.step_fractions = fractions, input.step_fraction_count = 3;
      CHECK_STATUS(CNF_ERROR_OUTPUT_TIMES, try_call(solver, &c, input), "times and step fractions");
    }
    const double wrong[] = {-0.1, 1.1, NAN, INFINITY, 0.05}; /* 0.05 is set as the second time, below the first */
    for (int i = 0; i < 5; ++i) {
      fill(&c, COUNT, 0, 1);
      c.times[i == 4] = wrong[i];
      CHECK_STATUS(CNF_ERROR_OUTPUT_TIMES, try_call(solver, &c, good), "a wrong time");
    }
    fill(&c, COUNT, 0, 1);
    input = good, input.t0 = 1, input.t1 = 0;
    CHECK_STATUS(CNF_ERROR_OUTPUT_TIMES, try_call(solver, &c, input), "increasing times with t1 < t0");
    for (int i = 0; i < 15; ++i) c.times[i] = 0.5;
    input = good, input.time_count = 14; /* 15 intervals, with at least one step each, or three fixed steps */
    CHECK_STATUS(control ? CNF_ERROR_OUTPUT_TIMES : CNF_OK, try_call(solver, &c, input), "max_steps intervals");
    input.time_count = 15;
    CHECK_STATUS(CNF_ERROR_OUTPUT_TIMES, try_call(solver, &c, input), "more intervals than max_steps");
    input.time_count = SIZE_MAX;
    CHECK_STATUS(CNF_ERROR_OUTPUT_TIMES, try_call(solver, &c, input), "time_count overflows");
    cnf_solver_destroy(solver);
  }
}

/* Adams methods share evaluations between lanes, so output times are an error if samples have intervals of their
 * own. */
static void test_adams_with_spans(void) {
  static call_data c;
  const char *const methods[] = {"explicit_adams", "implicit_adams", "rodas4"};
  double ends[COUNT];
  for (int i = 0; i < COUNT; ++i) ends[i] = 1;
  for (int i = 0; i < 3; ++i) {
    const setup how = {
        .method = cnf_method_find(methods[i]), .control = CNF_CONTROL_FIXED, .trace = CNF_TRACE_EXACT_TANGENTS};
    cnf_solver *solver = solver_of(net_ops, OP_COUNT, how, nothing_more);
    fill(&c, COUNT, 0, 1);
    cnf_solve_input input = input_of(&c);
    CHECK_STATUS(CNF_OK, try_call(solver, &c, input), methods[i]);
    input.t1s = ends;
    CHECK_STATUS(i < 2 ? CNF_ERROR_OUTPUT_TIMES : CNF_OK, try_call(solver, &c, input), methods[i]);
    cnf_solver_destroy(solver);
  }
}

int main(void) {
  test_adams_with_spans();
  const cnf_solver_options controllers[] = {
      {0}, {.pcoeff = 0.4, .icoeff = 0.3}, {.pcoeff = 0.3, .icoeff = 0.3, .dcoeff = 0.02}};
  for (int32_t method = 0; method < cnf_method_count(); ++method) {
    cnf_method_info info = {.struct_size = sizeof info};
    CHECK(cnf_method_get(method, &info) == CNF_OK);
    if (info.family == CNF_FAMILY_IMPLICIT_ADAMS) continue; /* it has no discrete gradient */
    if (info.family == CNF_FAMILY_REVERSIBLE)
      continue; /* its second state, and so the size of a step, depends on the steps before */
    for (int i = 0; i < 6 * COST_FIELDS; ++i) test_cost(method, controllers[i % 3], (cost_field)(i / 6), i / 3 % 2);
  }
  for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control) {
    for (int backward = 0; backward < 2; ++backward) {
      test_closed_form(control, "dopri5", backward);
      test_closed_form(control, control ? "rk4" : "dopri8", backward);
      test_closed_form(control, "rodas4", backward);
    }
    for (int32_t trace = CNF_TRACE_HUTCHINSON; trace <= CNF_TRACE_EXACT_PRODUCT; ++trace)
      test_independence(control, trace);
    test_ends(control, 0);
    test_ends(control, 1);
    test_failure(control);
  }
  test_out_of_steps();
  test_wrong_arguments();
  return check_report();
}
