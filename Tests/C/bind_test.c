/* bind_test.c - bound parameters: the bits of every call are those of a call that brings them, in any order of calls.
 * Later changes to the caller's array have no effect.
 */
#include "ops_fixture.h"

enum { ROOM = MOST_PARAMETERS + 4 * COUNT * D };

typedef enum call_kind { EVALUATE, EVALUATE_DIVERGENCE, SOLVE, FIELD_GRADIENT, GRADIENT, KINDS } call_kind;
static const char *const kinds[] = {"evaluate", "evaluate with divergence", "solve", "gradient of the field",
                                    "gradient"};

/* Makes a call with parameters `theta`; NULL: the bound ones. Outputs go to `out` [ROOM], one after the other. */
static void call(cnf_solver *solver, const program *p, call_kind kind, const double *theta, double *out) {
  static numbers n;
  double log_det[COUNT], x_bar[COUNT * D];
  numbers_fill(&n);
  for (int i = 0; i < COUNT * D; i++) x_bar[i] = number_at(3 * i + 1);
  memset(out, 0, ROOM * sizeof *out);
  memset(log_det, 0, sizeof log_det);
  cnf_solve_input in = input_of(p, &n, 0, COUNT);
  in.parameters = theta;
  cnf_solve_output solved = {.struct_size = sizeof solved, .x1 = out, .log_det = out + COUNT * D};
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_gradient gradient = {.struct_size = sizeof gradient,
                           .parameters = out + 2 * COUNT * D,
                           .x0 = out + 2 * COUNT * D + MOST_PARAMETERS,
                           .loss = out + 3 * COUNT * D + MOST_PARAMETERS};
  cnf_status status = CNF_OK;
  switch (kind) {
  case EVALUATE: status = cnf_solver_evaluate(solver, &in, out, NULL); break;
  case EVALUATE_DIVERGENCE: status = cnf_solver_evaluate(solver, &in, out, out + COUNT * D); break;
  case SOLVE: status = cnf_solve(solver, &in, &solved); break;
  case FIELD_GRADIENT: status = cnf_solver_evaluate_vjp(solver, &in, x_bar, n.x0, NULL, &gradient); break;
  default: status = cnf_solve_vjp(solver, &in, &loss, &solved, &gradient);
  }
  CHECK_STATUS(CNF_OK, status, p->name);
}

/* `first` then `second` on a solver that is bound anew; each has the bits of a call on a solver without bound
 * parameters, and so has a call with other parameters in between. */
static void check_calls(const program *p, setting s, call_kind first, call_kind second) {
  static double a[MOST_PARAMETERS], b[MOST_PARAMETERS], expected[ROOM], got[ROOM];
  char what[160];
  snprintf(what, sizeof what, "%s, dtype double, trace %d, control %d: %s, then %s", p->name, (int)s.trace,
           (int)s.control, kinds[first], kinds[second]);
  for (int i = 0; i < MOST_PARAMETERS; i++) a[i] = 0.9 * number_at(7 * i + 3), b[i] = 0.8 * number_at(5 * i + 1);
  cnf_solver *bound = ops_solver(p, CNF_FLOAT64, s), *plain = ops_solver(p, CNF_FLOAT64, s);
  if (!bound || !plain) return;
  CHECK(cnf_solver_bind_parameters(bound, a) == CNF_OK);
  double was[MOST_PARAMETERS];
  memcpy(was, a, sizeof a);
  memset(a, 0, sizeof a); /* the solver has a copy */
  const struct {
    call_kind kind;
    const double *theta, *same_as;
  } steps[] = {{first, NULL, was}, {second, NULL, was}, {first, b, b}, {second, NULL, was}, {first, NULL, was}};
  for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
    call(bound, p, steps[i].kind, steps[i].theta, got);
    call(plain, p, steps[i].kind, steps[i].same_as, expected);
    check_count(memcmp(got, expected, sizeof got) == 0, "the bits of a call with parameters", what, __LINE__);
  }
  CHECK(cnf_solver_bind_parameters(bound, b) == CNF_OK);
  call(bound, p, second, NULL, got);
  call(plain, p, second, b, expected);
  check_count(memcmp(got, expected, sizeof got) == 0, "bound anew", what, __LINE__);
  cnf_solver_destroy(bound);
  cnf_solver_destroy(plain);
}

/* y = theta[0] x, theta[0] of the copy. The context is where the caller's theta is. */
static int32_t from_copy;
static void scaled_evaluate(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  (void)t;
  if (theta != context) __atomic_store_n(&from_copy, 1, __ATOMIC_RELAXED);
  for (int32_t i = 0; i < D * lanes; i++) ((double *)y)[i] = *(const double *)theta * ((const double *)x)[i];
}

static void test_callback(void) {
  double theta[1] = {2}, x[D] = {1, 2, 3}, y[D];
  const cnf_callback callback = {
      .struct_size = sizeof callback, .context = theta, .parameter_count = 1, .evaluate = scaled_evaluate};
  const cnf_op op = {
      .kind = CNF_OP_CALLBACK, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = D, .callback = &callback};
  const program p = {.name = "callback", .count = 1, .ops = {op}};
  cnf_solver *solver = ops_solver(&p, CNF_FLOAT64, (setting){.threads = 1});
  cnf_solve_input in = {.struct_size = sizeof in, .parameters = theta, .x0 = x, .count = 1, .t1 = 1};
  CHECK(cnf_solver_evaluate(solver, &in, y, NULL) == CNF_OK && y[2] == 6 && !from_copy);
  CHECK(cnf_solver_bind_parameters(solver, theta) == CNF_OK);
  theta[0] = 5, in.parameters = NULL;
  CHECK(cnf_solver_evaluate(solver, &in, y, NULL) == CNF_OK && y[2] == 6 && from_copy);
  cnf_solver_destroy(solver);
}

/* Without bound parameters, calls must bring them. */
static void test_arguments(void) {
  const program p = squashed();
  static numbers n;
  double velocity[COUNT * D];
  numbers_fill(&n);
  cnf_solver *solver = ops_solver(&p, CNF_FLOAT64, (setting){.threads = 1});
  cnf_solve_input in = input_of(&p, &n, 0, COUNT);
  in.parameters = NULL;
  CHECK(cnf_solver_evaluate(solver, &in, velocity, NULL) == CNF_ERROR_NULL);
  CHECK(cnf_solver_bind_parameters(NULL, n.theta) == CNF_ERROR_NULL);
  CHECK(cnf_solver_bind_parameters(solver, n.theta) == CNF_OK);
  CHECK(cnf_solver_evaluate(solver, &in, velocity, NULL) == CNF_OK);
  CHECK(cnf_solver_bind_parameters(solver, NULL) == CNF_OK);
  CHECK(cnf_solver_evaluate(solver, &in, velocity, NULL) == CNF_ERROR_NULL);
  cnf_solver_destroy(solver);
}

int main(void) {
  static const int32_t traces[] = {CNF_TRACE_NONE, CNF_TRACE_HUTCHINSON, CNF_TRACE_EXACT_TANGENTS,
                                   CNF_TRACE_EXACT_PRODUCT};
  program deep = {.name = "two hidden layers"}, shallow = {.name = "one hidden layer"}, flat = {.name = "linear"};
  linear(&deep, linear(&deep, linear(&deep, CNF_STATE, 5, CNF_ACTIVATION_TANH), 6, CNF_ACTIVATION_SOFTPLUS), D, 0);
  linear(&shallow, linear(&shallow, CNF_STATE, 5, CNF_ACTIVATION_TANH), D, 0);
  linear(&flat, CNF_STATE, D, 0);
  for (int n = 0; n < PROGRAMS + 3; n++) {
    const program p = n < PROGRAMS ? programs[n]() : n == PROGRAMS ? deep : n == PROGRAMS + 1 ? shallow : flat;
    for (size_t t = 0; t < sizeof traces / sizeof traces[0]; t++)
      for (int first = 0; first < KINDS; first++)
        for (int second = 0; second < KINDS; second++)
          check_calls(&p, (setting){.trace = traces[t], .threads = 1, .control = CNF_CONTROL_FIXED}, (call_kind)first,
                      (call_kind)second);
  }
  test_callback();
  test_arguments();
  return check_report();
}
