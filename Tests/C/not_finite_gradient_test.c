/* not_finite_gradient_test.c - samples whose forward pass succeeds, but whose gradient is not finite. They must get a
 * status, add nothing to gradients, and change no bit of the other samples.
 *
 * The field is W tanh(V x^2 + b). The square of a state of 1e160 is infinite and its tanh is 1, so the result is
 * finite. But the gradient of V is 0 times infinity.
 */
#include "gradient_fixture.h"

enum { ROWS = 2, HIDDEN = 4, P = HIDDEN * (ROWS + 1) + ROWS * (HIDDEN + 1) };

static cnf_field *squares_field(void) {
  const cnf_op ops[] = {{.kind = CNF_OP_MULTIPLY, .input = CNF_STATE, .input2 = CNF_STATE},
                        LINEAR(1, HIDDEN, CNF_ACTIVATION_TANH),
                        LINEAR(2, ROWS, CNF_ACTIVATION_IDENTITY)};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, ROWS, ops, 3, sizeof(cnf_op), &field) == CNF_OK &&
        cnf_field_parameter_count(field) == P);
  return field;
}

typedef struct manner {
  const char *method;
  int32_t control, adjoint, trace, schedule;
  int64_t store_bytes;
} manner;

static problem squares_problem(cnf_field *field, manner how) {
  problem p = problem_of(field, ROWS, 0.5);
  p.options.method = cnf_method_find(how.method), p.options.control = how.control, p.options.adjoint = how.adjoint;
  p.options.trace = how.trace, p.options.schedule = how.schedule, p.options.store_bytes = how.store_bytes;
  p.options.checkpoint_every = 2, p.options.steps = 5, p.options.max_steps = 1000;
  set_cotangents(&p, 0, NULL);
  return p;
}

/* Sets one row of each of these samples to `at`: 1e160 to fail in the backward pass, or NaN to fail in the forward
 * pass. */
static void set_failing(problem *p, const int *failing, int count, double at) {
  for (int v = 0; v < count; ++v) p->x0[ROWS * failing[v] + failing[v] % ROWS] = at;
}

static void check_failing(manner how, const int *failing, int count, size_t samples) {
  static answer a, without;
  cnf_field *field = squares_field();
  problem p = squares_problem(field, how), other = p;
  set_failing(&p, failing, count, 1e160), set_failing(&other, failing, count, NAN);
  solve_some(&p, 0, samples, &a);
  solve_some(&other, 0, samples, &without);
  char where[160];
  snprintf(where, sizeof where, "%s control %d adjoint %d trace %d schedule %d store %d, %d of %d", how.method,
           (int)how.control, (int)how.adjoint, (int)how.trace, (int)how.schedule, (int)how.store_bytes, count,
           (int)samples);
  check_count(memcmp(a.theta_bar, without.theta_bar, P * sizeof(double)) == 0, "theta's gradient", where, __LINE__);
  for (int i = 0; i < (int)samples; ++i) {
    int is_failing = 0;
    for (int v = 0; v < count; ++v) is_failing |= i == failing[v];
    check_count(a.status[i] == (is_failing ? CNF_SAMPLE_NOT_FINITE : CNF_SAMPLE_OK), "status", where, __LINE__);
    check_count(memcmp(a.x0_bar + ROWS * i, without.x0_bar + ROWS * i, ROWS * sizeof(double)) == 0 &&
                    a.t0_bar[i] == without.t0_bar[i] && a.t1_bar[i] == without.t1_bar[i] &&
                    a.reversed[i] == without.reversed[i],
                "gradients of samples", where, __LINE__);
    if (is_failing) CHECK(a.x0_bar[ROWS * i] == 0 && isfinite(a.x1[ROWS * i]) && a.t_reached[i] == p.t1);
  }
  CHECK(count < (int)samples ? largest_of(a.theta_bar, P) > 0 : largest_of(a.theta_bar, P) == 0);
  cnf_field_destroy(field);
}

/* If the gradient of each sample is finite but their sum overflows, no sample has failed. */
static void test_sum(void) {
  static answer a;
  cnf_field *field = squares_field();
  problem p = squares_problem(field, (manner){"rk4", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE, CNF_TRACE_NONE, 0, 0});
  for (int i = 0; i < COUNT; ++i) p.x1_bar[ROWS * i] = p.x1_bar[ROWS * i + 1] = 1e307, p.log_det_bar[i] = 0;
  solve_all(&p, &a);
  for (int i = 0; i < COUNT; ++i) CHECK(a.status[i] == CNF_SAMPLE_OK && isfinite(a.x0_bar[ROWS * i]));
  CHECK(!isfinite(a.theta_bar[P - 1])); /* about 0.9 times the sum of 37 cotangents */
  cnf_field_destroy(field);
}

/* The gradient of the field itself checks the blocks of the backward pass too, so such a sample adds nothing. */
static void test_field_gradient(int32_t trace) {
  static const int failing[] = {0, 5, 36};
  double theta_bar[2][P], x0_bar[2][COUNT * ROWS], loss[2][COUNT];
  cnf_field *field = squares_field();
  for (int n = 0; n < 2; ++n) {
    problem p = squares_problem(field, (manner){"rk4", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE, trace, 0, 0});
    set_failing(&p, failing, 3, n ? NAN : 1e160);
    cnf_solver *solver = NULL;
    uint64_t ids[COUNT];
    const cnf_solve_input input = input_of(&p, 0, COUNT, ids);
    const cnf_field_loss target = {
        .struct_size = sizeof target, .kind = CNF_FIELD_LOSS_TARGET, .scale = 1, .target = p.x1_bar};
    cnf_gradient gradient = {
        .struct_size = sizeof gradient, .parameters = theta_bar[n], .x0 = x0_bar[n], .loss = loss[n]};
    CHECK(cnf_solver_create(field, &p.options, &solver) == CNF_OK);
    CHECK(cnf_solver_evaluate_vjp(solver, &input, p.x1_bar, p.log_det_bar, &target, &gradient) == CNF_OK);
    cnf_solver_destroy(solver);
  }
  CHECK(memcmp(theta_bar[0], theta_bar[1], sizeof theta_bar[0]) == 0 && isfinite(largest_of(theta_bar[0], P)));
  CHECK(memcmp(x0_bar[0], x0_bar[1], sizeof x0_bar[0]) == 0);
  for (int v = 0; v < 3; ++v) CHECK(isnan(loss[0][failing[v]]));
  CHECK(isfinite(loss[0][1]));
  cnf_field_destroy(field);
}

int main(void) {
  static const manner manners[] = {
      {"dopri5", CNF_CONTROL_SAMPLE, CNF_ADJOINT_DISCRETE, CNF_TRACE_HUTCHINSON, 0, 0},
      {"dopri5", CNF_CONTROL_SAMPLE, CNF_ADJOINT_DISCRETE, CNF_TRACE_EXACT_TANGENTS, 0, -1},
      {"dopri5", CNF_CONTROL_SAMPLE, CNF_ADJOINT_DISCRETE, CNF_TRACE_NONE, CNF_SCHEDULE_EVERY_K, -1},
      {"dopri5", CNF_CONTROL_SAMPLE, CNF_ADJOINT_CONTINUOUS, CNF_TRACE_HUTCHINSON, 0, 0},
      {"rk4", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE, CNF_TRACE_EXACT_TANGENTS, 0, 0},
      {"rk4", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE, CNF_TRACE_HUTCHINSON, CNF_SCHEDULE_EVERY_K, -1},
      {"rk4", CNF_CONTROL_FIXED, CNF_ADJOINT_CONTINUOUS, CNF_TRACE_NONE, 0, 0},
      {"explicit_adams", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE, CNF_TRACE_NONE, 0, 0},
      {"rodas4", CNF_CONTROL_SAMPLE, CNF_ADJOINT_DISCRETE, CNF_TRACE_EXACT, 0, 0},
      {"rodas4", CNF_CONTROL_FIXED, CNF_ADJOINT_CONTINUOUS, CNF_TRACE_EXACT, 0, 0},
      {"reversible_heun", CNF_CONTROL_SAMPLE, CNF_ADJOINT_REVERSIBLE, CNF_TRACE_HUTCHINSON, 0, 0},
      {"reversible_heun", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE, CNF_TRACE_NONE, 0, 0}};
  static const int few[] = {0, 5, 36}, both[] = {0, 1};
  for (size_t i = 0; i < sizeof manners / sizeof manners[0]; ++i) {
    check_failing(manners[i], few, 3, COUNT);
    check_failing(manners[i], few, 1, 2); /* kernels of one lane */
    check_failing(manners[i], both, 2, 2);
  }
  test_sum();
  for (int32_t trace = CNF_TRACE_NONE; trace <= CNF_TRACE_EXACT_TANGENTS; ++trace)
    if (trace != CNF_TRACE_EXACT) test_field_gradient(trace);
  return check_report();
}
