/* events_within_test.c - events whose crossings lie within one step: the first of several roots is found by every
 * method, in both directions of time and of the crossing, with exact gradients; crossings that only the interpolant
 * shows are refused.
 */
#include "events_fixture.h"

/* dx0/dt = 3 t^2 + 12 t - 4, so x0 = (t + 6) (t + 2) (t - 2) + a constant; dx1/dt = 0. scipy #9228 has this field:
 * solvers that examine g at the ends of steps alone miss the roots at -6 and -2. */
static const cnf_op cubic_ops[] = {
    {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},
    {.kind = CNF_OP_MULTIPLY, .input = 1, .input2 = 1},
    {.kind = CNF_OP_SCALE, .input = 2, .input2 = CNF_NO_BLOCK, .number = 3, .offset = -4},
    {.kind = CNF_OP_SCALE, .input = 1, .input2 = CNF_NO_BLOCK, .number = 12},
    {.kind = CNF_OP_ADD, .input = 3, .input2 = 4},
    {.kind = CNF_OP_SCALE, .input = 1, .input2 = CNF_NO_BLOCK},
    {.kind = CNF_OP_CONCAT, .input = 5, .input2 = 6},
};
enum { CUBIC_OPS = sizeof cubic_ops / sizeof cubic_ops[0] };

static double cubic(double t) { return (t + 6) * (t + 2) * (t - 2); }
static double cubic_slope(double t) { return 3 * t * t + 12 * t - 4; }

/* Solves the cubic from t0 to t1 with an event at x0 = 0, and differentiates the time of the event. */
static void run_cubic(event_call *c, cnf_solver_options options, int32_t direction, double t0, double t1) {
  surface zero = {.c0 = 1};
  const cnf_event event = event_of(&zero, direction);
  cnf_solver *solver = solver_of(cubic_ops, CUBIC_OPS, options);
  fill(c, COUNT, t0, t1);
  memset(c->x1_bar, 0, sizeof c->x1_bar), memset(c->log_det_bar, 0, sizeof c->log_det_bar);
  for (int i = 0; i < COUNT; ++i) c->x0[i * D] = cubic(t0);
  differentiate(solver, c, &event, 1);
  cnf_solver_destroy(solver);
}

/* Methods of order 3 or more integrate the cubic exactly, so times and their derivatives have only rounding errors:
 * dT/dx0 = -1/f(T), dT/dt0 = f(t0)/f(T). Those of order 4 halve x0 into q' = f(t): also exact. */
static void check_root(cnf_solver_options options, int32_t direction, double t0, double t1, double root) {
  static event_call c;
  cnf_method_info info = {.struct_size = sizeof info};
  cnf_method_get(options.method, &info);
  const int exact = info.order >= 3 && options.adjoint == CNF_ADJOINT_DISCRETE;
  run_cubic(&c, options, direction, t0, t1);
  for (int i = 0; i < COUNT; ++i) {
    CHECK(c.status[i] == CNF_SAMPLE_OK && c.event[i] == 0);
    NEAR(c.t_reached[i], root, info.order >= 3 ? 1e-8 : 0.7, info.name, i);
    NEAR(c.x1[i * D], 0, 1e-9, info.name, i);
    if (!exact) continue;
    NEAR(c.x0_bar[i * D], -c.time_bar[i] / cubic_slope(root), 1e-7, info.name, i);
    NEAR(c.t0_bar[i], c.time_bar[i] * cubic_slope(t0) / cubic_slope(root), 1e-6, info.name, i);
  }
}

static void test_roots(cnf_solver_options options) {
  check_root(options, CNF_DIRECTION_EITHER, -8, 2.5, -6);
  check_root(options, CNF_DIRECTION_RISING, -8, 2.5, -6);
  check_root(options, CNF_DIRECTION_FALLING, -8, 2.5, -2); /* g ends above 0, where it has not begun */
  check_root(options, CNF_DIRECTION_EITHER, -8, 0.5, -6);  /* g begins and ends below 0 */
  check_root(options, CNF_DIRECTION_FALLING, -8, 0.5, -2);
  check_root(options, CNF_DIRECTION_EITHER, -4, 4, -2); /* g begins and ends above 0 */
  check_root(options, CNF_DIRECTION_RISING, -4, 4, 2);
  check_root(options, CNF_DIRECTION_EITHER, 4, -8, 2);
  check_root(options, CNF_DIRECTION_RISING, 4, -8, -2);
  check_root(options, CNF_DIRECTION_FALLING, 4, -4, 2);
}

static void test_methods(void) {
  const char *const fixed[] = {"heun3", "rk4", "rk4_38", "bosh3", "dopri5", "tsit5", "vern7", "dopri8", "rodas4"};
  for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; ++i)
    for (int32_t steps = 1; steps <= 3; ++steps)
      test_roots(
          (cnf_solver_options){.method = cnf_method_find(fixed[i]), .control = CNF_CONTROL_FIXED, .steps = steps});
  const char *const adaptive[] = {"bosh3", "dopri5", "tsit5", "vern7", "dopri8", "rodas4"};
  for (size_t i = 0; i < sizeof adaptive / sizeof adaptive[0]; ++i)
    for (int32_t adjoint = CNF_ADJOINT_DISCRETE; adjoint <= CNF_ADJOINT_CONTINUOUS; ++adjoint)
      test_roots((cnf_solver_options){.method = cnf_method_find(adaptive[i]), .rtol = 1e-9, .adjoint = adjoint});
  /* Order 1 and 2: the chord and the parabola. Their own solution of the cubic has its roots elsewhere. */
  const char *const low[] = {"midpoint", "heun2", "ralston", "leapfrog", "yoshida4"};
  for (size_t i = 0; i < sizeof low / sizeof low[0]; ++i) {
    const cnf_solver_options options = {
        .method = cnf_method_find(low[i]), .control = CNF_CONTROL_FIXED, .steps = i < 3 ? 5 : 3};
    check_root(options, CNF_DIRECTION_EITHER, -8, 0.5, -6);
    check_root(options, CNF_DIRECTION_FALLING, -8, 0.5, -2);
  }
}

/* ---- What only the interpolant shows ---- */

/* x' = (x1, -16 x0) turns by 4 h in a step. One step of midpoint of length h has x0 = 1 - 8 h^2, with the parabola
 * x0 = 1 - 8 h^2 theta^2. x1 = -16 h at its end, and the parabola is the chord there. The samples begin at other
 * phases; levels run across the whole height. With fixed steps the step is the whole span or half of it. If the solve
 * stops, then where its own step crosses the level, within the tolerance. If it does not, then no bit differs from the
 * solve without events. */
static void test_confirmed(const char *method, int32_t control, int32_t steps) {
  static event_call with, without;
  const double theta[D * D + D] = {0, 1, -16, 0, 0, 0};
  const double scale = 4.2;
  surface level = {.c0 = 1, .square = -0.3};
  int stopped = 0, passed = 0;
  for (int32_t direction = -1; direction <= 1; ++direction)
    for (int n = -20; n <= 20; ++n) {
      const cnf_event event = event_of(&level, direction);
      cnf_solver *solver = solver_of(
          linear_ops, 1,
          (cnf_solver_options){.method = cnf_method_find(method), .control = control, .steps = steps, .rtol = 3e-2});
      level.level = 0.1 * n;
      fill(&with, COUNT, 0, 1);
      memcpy(with.theta, theta, sizeof theta);
      for (int i = 0; i < COUNT; ++i) with.x0[i * D] = cos(0.17 * i), with.x0[i * D + 1] = scale * sin(0.17 * i);
      without = with;
      solve(solver, &with, &event, 1);
      solve(solver, &without, NULL, 0);
      for (int i = 0; i < COUNT; ++i) {
        CHECK(with.status[i] == CNF_SAMPLE_OK);
        if (with.event[i] < 0) {
          passed++;
          CHECK(memcmp(with.x1 + i * D, without.x1 + i * D, D * sizeof(double)) == 0);
          CHECK(with.accepted[i] == without.accepted[i]);
          continue;
        }
        const double x = with.x1[i * D], g = x - 0.3 * x * x - level.level;
        stopped++;
        NEAR(g, 0, 1e-10, method, i);
      }
      cnf_solver_destroy(solver);
    }
  CHECK(stopped > 300 && passed > 300);
}

/* ---- Several events, and the price ---- */

/* The first along the path counts, though the other is past its crossing at the end of the step and this one is not. */
static void test_first_of_two(void) {
  static event_call c;
  surface zero = {.c0 = 1}, clock = {.rate = 1, .level = -3};
  const cnf_event events[] = {event_of(&clock, CNF_DIRECTION_EITHER), event_of(&zero, CNF_DIRECTION_EITHER)};
  cnf_solver *solver =
      solver_of(cubic_ops, CUBIC_OPS,
                (cnf_solver_options){.method = cnf_method_find("rk4"), .control = CNF_CONTROL_FIXED, .steps = 1});
  fill(&c, COUNT, -8, 0.5);
  for (int i = 0; i < COUNT; ++i) c.x0[i * D] = cubic(-8);
  solve(solver, &c, events, 2);
  for (int i = 0; i < COUNT; ++i) CHECK(c.event[i] == 1 && fabs(c.t_reached[i] + 6) < 1e-8);
  clock.level = -7;
  solve(solver, &c, events, 2);
  for (int i = 0; i < COUNT; ++i) CHECK(c.event[i] == 0 && fabs(c.t_reached[i] + 7) < 1e-8);
  cnf_solver_destroy(solver);
}

/* An event that does not happen costs the evaluations of the interpolant, which cnf.h lists, and no more. */
static void test_price(void) {
  static event_call with, without;
  static const struct {
    const char *method;
    int32_t fixed, adaptive; /* evaluations a step; -1: no adaptive steps */
  } prices[] = {{"euler", 0, -1}, {"midpoint", 0, -1}, {"rk4", 1, -1},   {"bosh3", 1, 0}, {"dopri5", 1, 0},
                {"tsit5", 1, 0},  {"vern7", 3, 3},     {"dopri8", 5, 5}, {"rodas4", 0, 0}};
  surface far = {.c0 = 1, .level = 1e3};
  const cnf_event event = event_of(&far, CNF_DIRECTION_EITHER);
  for (size_t n = 0; n < sizeof prices / sizeof prices[0]; ++n)
    for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_FIXED; ++control) {
      const int32_t price = control == CNF_CONTROL_FIXED ? prices[n].fixed : prices[n].adaptive;
      if (price < 0) continue;
      cnf_solver *solver =
          solver_of(net_ops, OP_COUNT,
                    (cnf_solver_options){.method = cnf_method_find(prices[n].method), .control = control, .steps = 6});
      fill(&with, COUNT, 0, 1);
      without = with;
      solve(solver, &with, &event, 1);
      solve(solver, &without, NULL, 0);
      CHECK(memcmp(with.x1, without.x1, sizeof with.x1) == 0);
      for (int i = 0; i < COUNT; ++i)
        check_count(with.evaluations[i] == without.evaluations[i] + price * with.accepted[i], "the price of events",
                    prices[n].method, __LINE__);
      cnf_solver_destroy(solver);
    }
}

int main(void) {
  test_methods();
  test_confirmed("midpoint", CNF_CONTROL_FIXED, 1);
  test_confirmed("midpoint", CNF_CONTROL_FIXED, 2);
  test_confirmed("rk4", CNF_CONTROL_FIXED, 1);
  test_confirmed("heun2", CNF_CONTROL_FIXED, 2);
  test_confirmed("adaptive_heun", CNF_CONTROL_SAMPLE, 0);
  test_confirmed("bosh3", CNF_CONTROL_SAMPLE, 0);
  test_first_of_two();
  test_price();
  return check_report();
}
