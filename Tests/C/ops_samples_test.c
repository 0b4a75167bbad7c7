/* ops_samples_test.c - contexts and dropout masks of samples. If one sample fails because of them, the bits of the
 * others are the same as if its state were NaN.
 */
#include "ops_fixture.h"

/* ---- Contexts
 * -------------------------------------------------------------------------------------------------------- */

static void test_missing_context(void) {
  const program conditioned = conditional(), plain = squashed();
  numbers n;
  double x1[COUNT * D];
  numbers_fill(&n);
  cnf_solver *solvers[2] = {ops_solver(&conditioned, CNF_FLOAT64, (setting){.trace = CNF_TRACE_NONE}),
                            ops_solver(&plain, CNF_FLOAT64, (setting){.trace = CNF_TRACE_NONE})};
  for (int i = 0; i < 2; i++) {
    cnf_solve_input in = input_of(i ? &plain : &conditioned, &n, 0, COUNT);
    in.context = i ? n.context : NULL;
    cnf_solve_output out = {.struct_size = sizeof out, .x1 = x1};
    pattern_fill(x1, sizeof x1);
    CHECK_STATUS(CNF_ERROR_CONTEXT, cnf_solve(solvers[i], &in, &out), i ? "a context that is not read" : "no context");
    CHECK(pattern_intact(x1, sizeof x1));
    cnf_solver_destroy(solvers[i]);
  }
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, D, conditioned.ops, conditioned.count, sizeof(cnf_op), &field) == CNF_OK);
  CHECK(cnf_field_context_dim(field) == C && cnf_field_context_dim(NULL) == 0);
  cnf_field_destroy(field);
}

/* How samples are solved and differentiated. */
typedef struct manner {
  const char *method;
  int32_t control, adjoint, trace;
} manner;

static cnf_solver *solver_of(const program *p, manner how) {
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  CHECK(cnf_field_create(CNF_FLOAT64, D, p->ops, p->count, sizeof(cnf_op), &field) == CNF_OK);
  cnf_solver_options_init(&options, sizeof options);
  options.method = cnf_method_find(how.method), options.control = how.control, options.adjoint = how.adjoint;
  options.trace = how.trace, options.threads = 1, options.steps = 3;
  CHECK_STATUS(CNF_OK, cnf_solver_create(field, &options, &solver), how.method);
  cnf_field_destroy(field);
  return solver;
}

/* All results of a gradient in which sample `bad` must fail, with the numbers of that sample set to 0. */
static void gradient_beside(cnf_solver *solver, const program *p, const numbers *n, int bad, results *r) {
  memset(r, 0, sizeof *r);
  const cnf_solve_input in = input_of(p, n, 0, COUNT);
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_solve_output out = {.struct_size = sizeof out, .x1 = r->x1, .log_det = r->log_det, .status = r->status};
  cnf_gradient gradient = {.struct_size = sizeof gradient,
                           .parameters = r->theta,
                           .x0 = r->x0,
                           .t0 = r->t0,
                           .t1 = r->t1,
                           .loss = r->loss,
                           .context = r->context};
  CHECK(cnf_solve_vjp(solver, &in, &loss, &out, &gradient) == CNF_OK);
  for (int i = 0; i < COUNT; i++) CHECK(r->status[i] == (i == bad ? CNF_SAMPLE_NOT_FINITE : CNF_SAMPLE_OK));
  for (int d = 0; d < D; d++) CHECK(r->x0[bad * D + d] == 0), r->x1[bad * D + d] = 0; /* x1 is where it stopped */
  for (int c = 0; c < C; c++) CHECK(r->context[bad * C + c] == 0);
  r->log_det[bad] = r->loss[bad] = 0;
}

/* With an infinite context, a saturating network still has finite values, but its derivatives by the first layer are 0
 * times infinity. */
static void test_bad_context(manner how, double value) {
  const program p = conditional();
  numbers n;
  results beside, bad;
  cnf_solver *solver = solver_of(&p, how);
  for (int place = 0; place < COUNT; place += 2) {
    numbers_fill(&n);
    n.x0[place * D] = NAN;
    gradient_beside(solver, &p, &n, place, &beside);
    numbers_fill(&n);
    n.context[place * C + 1] = value;
    gradient_beside(solver, &p, &n, place, &bad);
    char detail[120];
    snprintf(detail, sizeof detail, "%s control %d adjoint %d trace %d, %g", how.method, (int)how.control,
             (int)how.adjoint, (int)how.trace, value);
    check_count(memcmp(&beside, &bad, sizeof bad) == 0, "bits of the other samples", detail, __LINE__);
    for (int i = 0; i < MOST_PARAMETERS; i++) check_count(isfinite(bad.theta[i]), "theta's gradient", detail, __LINE__);
  }
  cnf_solver_destroy(solver);
}

/* The same for the gradient of the field itself, of velocities and divergences. */
static void test_bad_field_context(int32_t trace, double value) {
  const program p = conditional();
  numbers n;
  double velocity_bar[COUNT * D], divergence_bar[COUNT];
  results r[2];
  cnf_solver *solver = solver_of(&p, (manner){"dopri5", CNF_CONTROL_SAMPLE, CNF_ADJOINT_DISCRETE, trace});
  for (int i = 0; i < COUNT * D; i++) velocity_bar[i] = number_at(3 * i + 1);
  for (int i = 0; i < COUNT; i++) divergence_bar[i] = number_at(9 * i + 4);
  memset(r, 0, sizeof r);
  for (int k = 0; k < 2; k++) {
    numbers_fill(&n);
    *(k ? &n.context[2 * C] : &n.x0[2 * D]) = k ? value : NAN;
    const cnf_solve_input in = input_of(&p, &n, 0, COUNT);
    cnf_gradient gradient = {.struct_size = sizeof gradient,
                             .parameters = r[k].theta,
                             .x0 = r[k].x0,
                             .t0 = r[k].t0,
                             .context = r[k].context};
    CHECK(cnf_solver_evaluate_vjp(solver, &in, velocity_bar, trace ? divergence_bar : NULL, NULL, &gradient) == CNF_OK);
    for (int d = 0; d < D; d++) CHECK(r[k].x0[2 * D + d] == 0);
    for (int c = 0; c < C; c++) CHECK(r[k].context[2 * C + c] == 0);
    for (int i = 0; i < MOST_PARAMETERS; i++) CHECK(isfinite(r[k].theta[i]));
  }
  CHECK(r[0].theta[0] != 0 && memcmp(&r[0], &r[1], sizeof r[0]) == 0);
  cnf_solver_destroy(solver);
}

/* ---- Dropout
 * --------------------------------------------------------------------------------------------------------- */

/* dx/dt = dropout(x) with x = 1, so dx/dt is the mask. */
static void test_masks(void) {
  enum { N = 4000 };
  const double rate = 0.3;
  program p = {.name = "masks"};
  unary(&p, CNF_OP_DROPOUT, CNF_STATE, rate);
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  CHECK(cnf_field_create(CNF_FLOAT64, D, p.ops, p.count, sizeof(cnf_op), &field) == CNF_OK);
  cnf_solver_options_init(&options, sizeof options);
  options.trace = CNF_TRACE_NONE;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  static double ones[N * D], f[N * D], again[N * D];
  for (int i = 0; i < N * D; i++) ones[i] = 1;
  cnf_solve_input in = {.struct_size = sizeof in, .x0 = ones, .count = N, .t1 = 1, .seed = 9, .dropout_active = 1};
  CHECK(cnf_solver_evaluate(solver, &in, f, NULL) == CNF_OK);
  int dropped_rows = 0, changed = 0;
  for (int i = 0; i < N * D; i++) {
    CHECK(f[i] == 0 || f[i] == 1 / (1 - rate));
    dropped_rows += f[i] == 0;
  }
  /* The number of dropped rows among 12,000 is binomial, with a standard deviation of sqrt(0.21 * 12000) = 50. Five are
   * allowed. */
  CHECK(abs(dropped_rows - (int)(rate * N * D)) <= 251);
  in.step = 1; /* another step has another mask, and the same key has the same mask */
  CHECK(cnf_solver_evaluate(solver, &in, again, NULL) == CNF_OK);
  for (int i = 0; i < N * D; i++) changed += f[i] != again[i];
  CHECK(abs(changed - (int)(2 * rate * (1 - rate) * N * D)) <= 5 * 55); /* sqrt(0.42 * 0.58 * 12000) = 54.1 */
  in.step = 0;
  CHECK(cnf_solver_evaluate(solver, &in, again, NULL) == CNF_OK);
  CHECK(memcmp(f, again, sizeof f) == 0);
  in.dropout_active = 0;
  CHECK(cnf_solver_evaluate(solver, &in, again, NULL) == CNF_OK);
  CHECK(memcmp(ones, again, sizeof ones) == 0);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* In the backward pass, lanes of failed samples are filled with the state of a live sample, and must have its mask too:
 * with another mask the square of that state may overflow. So a gradient must be finite if that of each live sample
 * alone is. */
static void test_idle_masks(manner how) {
  enum { ROWS = 2, SEEDS = 60 };
  program p = {.name = "idle masks"};
  const int32_t kept = unary(&p, CNF_OP_DROPOUT, CNF_STATE, 0.5);
  linear(&p, linear(&p, pair(&p, CNF_OP_MULTIPLY, kept, kept), ROWS, 0), ROWS, 0);
  double theta[12], x0[COUNT * ROWS] = {0}, x1_bar[COUNT * ROWS], theta_bar[12], alone_bar[12];
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  CHECK(cnf_field_create(CNF_FLOAT64, ROWS, p.ops, p.count, sizeof(cnf_op), &field) == CNF_OK);
  CHECK(cnf_field_parameter_count(field) == 12);
  cnf_solver_options_init(&options, sizeof options);
  options.method = cnf_method_find(how.method), options.control = how.control, options.adjoint = how.adjoint;
  options.trace = how.trace, options.steps = 3, options.threads = 1, options.store_bytes = -1;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  for (int i = 0; i < 12; i++) theta[i] = 0.2 * number_at(i);
  for (int i = 0; i < COUNT * ROWS; i++) x1_bar[i] = 1;
  for (int i = 0; i < COUNT; i++)
    x0[i * ROWS] = i % 2 ? NAN : 1e160, x0[i * ROWS + 1] = 0.1 * i; /* (1e160)^2 is infinite */
  int survived = 0;
  for (int seed = 0; seed < SEEDS; seed++) {
    int32_t status[COUNT];
    uint64_t id = 0;
    cnf_solve_input in = {.struct_size = sizeof in,
                          .parameters = theta,
                          .x0 = x0,
                          .count = COUNT,
                          .t1 = 1,
                          .seed = (uint64_t)seed,
                          .dropout_active = 1};
    const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_COTANGENTS, .x1_bar = x1_bar};
    cnf_solve_output out = {.struct_size = sizeof out, .status = status};
    cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = theta_bar};
    CHECK(cnf_solve_vjp(solver, &in, &loss, &out, &gradient) == CNF_OK);
    int finite = 1, finite_alone = 1;
    for (int k = 0; k < 12; k++) finite &= isfinite(theta_bar[k]);
    in.count = 1, in.sample_ids = &id, out.status = NULL, gradient.parameters = alone_bar;
    for (int i = 0; i < COUNT; i++) {
      if (status[i]) continue;
      in.x0 = x0 + i * ROWS, id = (uint64_t)i;
      survived++;
      CHECK(cnf_solve_vjp(solver, &in, &loss, &out, &gradient) == CNF_OK);
      for (int k = 0; k < 12; k++) finite_alone &= isfinite(alone_bar[k]);
    }
    check_count(finite && finite_alone, "a gradient with idle lanes", how.method, __LINE__);
  }
  CHECK(survived > SEEDS / 2 && survived < SEEDS * COUNT);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

int main(void) {
  static const double values[] = {NAN, INFINITY, -INFINITY};
  static const manner manners[] = {{"dopri5", CNF_CONTROL_SAMPLE, CNF_ADJOINT_DISCRETE, 0},
                                   {"dopri5", CNF_CONTROL_SAMPLE, CNF_ADJOINT_CONTINUOUS, 0},
                                   {"rk4", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE, 0},
                                   {"rk4", CNF_CONTROL_FIXED, CNF_ADJOINT_CONTINUOUS, 0},
                                   {"reversible_heun", CNF_CONTROL_SAMPLE, CNF_ADJOINT_REVERSIBLE, 0},
                                   {"reversible_heun", CNF_CONTROL_FIXED, CNF_ADJOINT_REVERSIBLE, 0},
                                   {"reversible_heun", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE, 0}};
  static const int32_t traces[] = {CNF_TRACE_NONE, CNF_TRACE_HUTCHINSON, CNF_TRACE_EXACT_TANGENTS};
  test_missing_context();
  for (int v = 0; v < 3; v++)
    for (int t = 0; t < 3; t++) {
      test_bad_field_context(traces[t], values[v]);
      for (size_t i = 0; i < sizeof manners / sizeof manners[0]; i++) {
        manner how = manners[i];
        how.trace = traces[t];
        test_bad_context(how, values[v]);
      }
    }
  test_masks();
  test_idle_masks((manner){"rk4", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE, CNF_TRACE_NONE});
  test_idle_masks((manner){"rk4", CNF_CONTROL_FIXED, CNF_ADJOINT_CONTINUOUS, CNF_TRACE_NONE});
  test_idle_masks((manner){"rodas4", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE, CNF_TRACE_NONE});
  test_idle_masks((manner){"rodas4", CNF_CONTROL_FIXED, CNF_ADJOINT_CONTINUOUS, CNF_TRACE_NONE});
  return check_report();
}
