/* field_loss_test.c - losses of the gradient of a field: a target, a callback and cotangents that are the same loss;
 * calls without optional arguments; samples that are not finite; float; and wrong arguments. */
#include "field_gradient_fixture.h"

/* ---- Losses ---- */

typedef struct target_context {
  const double *target, *weights;
  double scale;
  int32_t dim, fails;
} target_context;

static int32_t target_callback(void *context, size_t first, size_t count, const void *velocity,
                               const double *divergence, const int32_t *status, double *loss, void *velocity_bar,
                               double *divergence_bar) {
  const target_context *c = context;
  const size_t d = (size_t)c->dim;
  (void)divergence, (void)status;
  for (size_t i = 0; i < count; ++i) {
    const double weight = c->scale * c->weights[first + i];
    double sum = 0;
    for (size_t n = 0; n < d; ++n) {
      const double residual = ((const double *)velocity)[i * d + n] - c->target[(first + i) * d + n];
      sum += residual * residual;
      ((double *)velocity_bar)[i * d + n] = weight * residual;
    }
    loss[i] = weight * 0.5 * sum;
    divergence_bar[i] = 0;
  }
  return c->fails;
}

/* CNF_FIELD_LOSS_TARGET and a callback with the same loss give the same bits, cotangents of the same loss the same
 * numbers, and the loss is the documented one. */
static void test_losses(int32_t trace) {
  enum { KINDS = 3, COUNT = 133 };
  static call_data c[KINDS];
  static double target[COUNT * MOST_D], weights[COUNT], velocity[COUNT * MOST_D];
  int32_t dim;
  cnf_field *field = make_field(TWO_HIDDEN, CNF_FLOAT64, &dim);
  cnf_solver *solver = solver_of(field, (setup){.trace = trace, .threads = 2});
  for (size_t i = 0; i < (size_t)(COUNT * dim); ++i) target[i] = noise(i + 77);
  for (size_t i = 0; i < COUNT; ++i) weights[i] = 1.5 + noise(i + 7);
  target_context context = {target, weights, 1.0 / COUNT, dim, 0};
  const cnf_field_loss losses[2] = {{.struct_size = sizeof(cnf_field_loss),
                                     .kind = CNF_FIELD_LOSS_TARGET,
                                     .scale = 1.0 / COUNT,
                                     .target = target,
                                     .weights = weights},
                                    {.struct_size = sizeof(cnf_field_loss),
                                     .kind = CNF_FIELD_LOSS_CALLBACK,
                                     .function = target_callback,
                                     .context = &context}};
  for (int n = 0; n < KINDS; ++n) {
    fill(&c[n], field, dim, COUNT);
    const cnf_solve_input input = input_of(&c[n]);
    cnf_gradient gradient = gradient_of(&c[n]);
    if (n == 2) {
      CHECK(cnf_solver_evaluate(solver, &input, velocity, NULL) == CNF_OK);
      for (size_t i = 0; i < COUNT; ++i)
        for (size_t d = 0; d < (size_t)dim; ++d) {
          const size_t at = i * (size_t)dim + d;
          c[n].velocity_bar[at] = weights[i] / COUNT * (velocity[at] - target[at]);
        }
      pattern_fill(c[n].loss, sizeof c[n].loss);
    }
    CHECK(cnf_solver_evaluate_vjp(solver, &input, n == 2 ? c[n].velocity_bar : NULL, NULL, n == 2 ? NULL : &losses[n],
                                  &gradient) == CNF_OK);
    CHECK(n != 2 || pattern_intact(c[n].loss, sizeof c[n].loss)); /* with cotangents, no loss is computed */
  }
  CHECK(memcmp(&c[0], &c[1], sizeof c[0]) == 0); /* including the loss */
  for (size_t i = 0; i < COUNT; ++i) {
    double sum = 0;
    for (size_t d = 0; d < (size_t)dim; ++d) {
      const size_t at = i * (size_t)dim + d;
      sum += (velocity[at] - target[at]) * (velocity[at] - target[at]);
    }
    CHECK(fabs(c[0].loss[i] - 0.5 * weights[i] / COUNT * sum) < 1e-14);
  }
  /* weights[i] / COUNT and scale * weights[i] differ in rounding, by a unit in the last place of cotangents below
   * 0.1 */
  for (size_t i = 0; i < c[0].parameters; ++i) CHECK(fabs(c[2].theta_bar[i] - c[0].theta_bar[i]) < 1e-14);
  CHECK(c[0].theta_bar[0] != 0);
  /* with a loss and cotangents, the gradient is the sum of both */
  static call_data both;
  fill(&both, field, dim, COUNT);
  const cnf_solve_input input = input_of(&both);
  cnf_gradient gradient = gradient_of(&both);
  CHECK(cnf_solver_evaluate_vjp(solver, &input, both.velocity_bar, both.divergence_bar, &losses[0], &gradient) ==
        CNF_OK);
  CHECK(memcmp(both.loss, c[0].loss, sizeof both.loss) == 0); /* cotangents do not change the loss */
  static call_data cotangents;
  fill(&cotangents, field, dim, COUNT);
  CHECK(differentiate(solver, &cotangents, 1, NULL) == CNF_OK);
  for (size_t i = 0; i < c[0].parameters; ++i) /* sums of about 400 terms below 10 in another order */
    CHECK(fabs(both.theta_bar[i] - cotangents.theta_bar[i] - c[0].theta_bar[i]) < 1e-11);
  context.fails = 1;
  CHECK(cnf_solver_evaluate_vjp(solver, &input, NULL, NULL, &losses[1], &gradient) == CNF_ERROR_CALLBACK);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* Calls without weights, without a loss, without samples and without outputs. */
static void test_edges(void) {
  static call_data c, ones;
  static double weights[3] = {1, 1, 1}, zeros[MOST_P];
  int32_t dim;
  cnf_field *field = make_field(SHALLOW, CNF_FLOAT64, &dim);
  cnf_solver *solver = solver_of(field, (setup){.trace = CNF_TRACE_EXACT});
  fill(&c, field, dim, 3);
  ones = c;
  cnf_field_loss loss = {.struct_size = sizeof loss, .kind = CNF_FIELD_LOSS_TARGET, .scale = 0.5, .target = c.x};
  CHECK(differentiate(solver, &c, 0, &loss) == CNF_OK);
  loss.weights = weights;
  CHECK(differentiate(solver, &ones, 0, &loss) == CNF_OK);
  CHECK(memcmp(&c, &ones, sizeof c) == 0);
  cnf_solve_input input = input_of(&c);
  cnf_gradient gradient = gradient_of(&c);
  CHECK(cnf_solver_evaluate_vjp(solver, &input, NULL, NULL, NULL, &gradient) == CNF_OK);
  CHECK(memcmp(c.theta_bar, zeros, c.parameters * sizeof(double)) == 0 && c.t_bar[2] == 0 && c.x_bar[0] == 0);
  c.theta_bar[0] = 1;
  input.count = 0, input.x0 = NULL;
  CHECK(cnf_solver_evaluate_vjp(solver, &input, NULL, NULL, NULL, &gradient) == CNF_OK);
  CHECK(memcmp(c.theta_bar, zeros, c.parameters * sizeof(double)) == 0);
  input = input_of(&c);
  gradient = (cnf_gradient){.struct_size = sizeof gradient};
  CHECK(cnf_solver_evaluate_vjp(solver, &input, c.velocity_bar, NULL, &loss, &gradient) == CNF_OK);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* Samples that are not finite have gradients of 0 and a loss of NaN, and do not change the results of others. */
static void test_failure(int kind, setup how) {
  enum { COUNT = 70 };
  static call_data good, bad;
  static double zeros[MOST_D], target[COUNT * MOST_D], probes[COUNT * MOST_D * 2];
  const size_t failing[] = {0, 5, 64, 69};
  int32_t dim;
  cnf_field *field = make_field(kind, CNF_FLOAT64, &dim);
  cnf_solver *solver = solver_of(field, how);
  for (size_t i = 0; i < COUNT * MOST_D * 2; ++i) probes[i] = i % 3 ? 1 : -1;
  const cnf_field_loss loss = {
      .struct_size = sizeof loss, .kind = CNF_FIELD_LOSS_TARGET, .scale = 0.5, .target = target};
  fill(&good, field, dim, COUNT);
  /* cotangents of 0, and targets equal to the values, so that these samples add nothing */
  for (int v = 0; v < 4; ++v) {
    const size_t at = failing[v] * (size_t)dim;
    memset(good.velocity_bar + at, 0, (size_t)dim * sizeof(double));
    good.divergence_bar[failing[v]] = 0;
  }
  cnf_solve_input input = input_of(&good);
  cnf_gradient gradient = gradient_of(&good);
  input.probes = probes;
  double *velocity = bad.x_bar; /* scratch */
  CHECK(cnf_solver_evaluate(solver, &input, velocity, NULL) == CNF_OK);
  memcpy(target, velocity, sizeof target < sizeof bad.x_bar ? sizeof target : sizeof bad.x_bar);
  for (size_t i = 0; i < COUNT; ++i) {
    int is_failing = 0;
    for (int v = 0; v < 4; ++v) is_failing |= i == failing[v];
    for (size_t d = 0; d < (size_t)dim && !is_failing; ++d) target[i * (size_t)dim + d] += 0.1;
  }
  CHECK(cnf_solver_evaluate_vjp(solver, &input, good.velocity_bar, good.divergence_bar, &loss, &gradient) == CNF_OK);
  fill(&bad, field, dim, COUNT);
  for (int v = 0; v < 4; ++v) bad.x[failing[v] * (size_t)dim + (size_t)(v % 2)] = v < 2 ? NAN : INFINITY;
  input = input_of(&bad), gradient = gradient_of(&bad);
  input.probes = probes;
  if (how.trace == CNF_TRACE_HUTCHINSON) probes[5 * dim * how.probes] = NAN;
  CHECK(cnf_solver_evaluate_vjp(solver, &input, bad.velocity_bar, bad.divergence_bar, &loss, &gradient) == CNF_OK);
  for (size_t i = 0; i < good.parameters; ++i)
    check_count(bad.theta_bar[i] == good.theta_bar[i], "theta without the failing samples", "", __LINE__);
  for (size_t i = 0; i < COUNT; ++i) {
    const size_t at = i * (size_t)dim, bytes = (size_t)dim * sizeof(double);
    int is_failing = 0;
    for (int v = 0; v < 4; ++v) is_failing |= i == failing[v];
    if (is_failing) {
      CHECK(memcmp(bad.x_bar + at, zeros, bytes) == 0 && bad.t_bar[i] == 0 && isnan(bad.loss[i]));
      continue;
    }
    CHECK(memcmp(bad.x_bar + at, good.x_bar + at, bytes) == 0 && bad.t_bar[i] == good.t_bar[i]);
    CHECK(bad.loss[i] == good.loss[i]);
  }
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* Single precision compared with double precision, with the same inputs: a few hundred roundings of 6e-8, of 50 terms
 * below 10. */
static void test_float(int32_t trace) {
  enum { COUNT = 50 };
  static call_data c;
  static float theta[MOST_P], x[COUNT * MOST_D], bar[COUNT * MOST_D], theta_bar[MOST_P], x_bar[COUNT * MOST_D];
  static double t_bar[COUNT];
  int32_t dim;
  cnf_field *field = make_field(TWO_HIDDEN, CNF_FLOAT64, &dim), *single = make_field(TWO_HIDDEN, CNF_FLOAT32, &dim);
  cnf_solver *solver = solver_of(field, (setup){.trace = trace}), *other = solver_of(single, (setup){.trace = trace});
  fill(&c, field, dim, COUNT);
  for (size_t i = 0; i < c.parameters; ++i) c.theta[i] = theta[i] = (float)c.theta[i];
  for (size_t i = 0; i < (size_t)(COUNT * dim); ++i) {
    c.x[i] = x[i] = (float)c.x[i];
    c.velocity_bar[i] = bar[i] = (float)c.velocity_bar[i];
  }
  CHECK(differentiate(solver, &c, 1, NULL) == CNF_OK);
  cnf_solve_input input = input_of(&c);
  input.parameters = theta, input.x0 = x;
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = theta_bar, .x0 = x_bar, .t0 = t_bar};
  CHECK(cnf_solver_evaluate_vjp(other, &input, bar, c.divergence_bar, NULL, &gradient) == CNF_OK);
  for (size_t i = 0; i < c.parameters; ++i) CHECK(fabs((double)theta_bar[i] - c.theta_bar[i]) < 1e-3);
  for (size_t i = 0; i < (size_t)(COUNT * dim); ++i) CHECK(fabs((double)x_bar[i] - c.x_bar[i]) < 1e-4);
  for (size_t i = 0; i < COUNT; ++i) CHECK(fabs(t_bar[i] - c.t_bar[i]) < 1e-4);
  cnf_solver_destroy(solver);
  cnf_solver_destroy(other);
  cnf_field_destroy(field);
  cnf_field_destroy(single);
}

/* ---- Wrong arguments ---- */

static void test_wrong_arguments(void) {
  static call_data c;
  int32_t dim;
  cnf_field *field = make_field(SHALLOW, CNF_FLOAT64, &dim);
  cnf_solver *solver = solver_of(field, (setup){.trace = CNF_TRACE_EXACT});
  fill(&c, field, dim, 3);
  const cnf_field_loss good = {.struct_size = sizeof good, .kind = CNF_FIELD_LOSS_TARGET, .scale = 1, .target = c.x};
  cnf_field_loss loss = good;
  pattern_fill(c.theta_bar, sizeof c.theta_bar);
#define CHECK_ERROR(expected, change) \
  loss = good;                        \
  change;                             \
  CHECK_STATUS(expected, differentiate(solver, &c, 1, &loss), #change)
  CHECK_ERROR(CNF_ERROR_STRUCT_SIZE, loss.struct_size -= 1);
  CHECK_ERROR(CNF_ERROR_LOSS, loss.kind = 99);
  CHECK_ERROR(CNF_ERROR_NULL, loss.target = NULL);
  CHECK_ERROR(CNF_ERROR_OPTION, loss.scale = NAN);
  CHECK_ERROR(CNF_ERROR_NULL, loss.kind = CNF_FIELD_LOSS_CALLBACK);
  CHECK_ERROR(CNF_ERROR_TIME, c.t[1] = NAN);
#undef CHECK_ERROR
  fill(&c, field, dim, 3);
  pattern_fill(c.theta_bar, sizeof c.theta_bar);
  cnf_solve_input input = input_of(&c);
  cnf_gradient gradient = gradient_of(&c);
  CHECK(cnf_solver_evaluate_vjp(NULL, &input, NULL, NULL, NULL, &gradient) == CNF_ERROR_NULL);
  CHECK(cnf_solver_evaluate_vjp(solver, NULL, NULL, NULL, NULL, &gradient) == CNF_ERROR_NULL);
  CHECK(cnf_solver_evaluate_vjp(solver, &input, NULL, NULL, NULL, NULL) == CNF_ERROR_NULL);
  gradient.struct_size = 8;
  CHECK(cnf_solver_evaluate_vjp(solver, &input, NULL, NULL, NULL, &gradient) == CNF_ERROR_STRUCT_SIZE);
  CHECK(pattern_intact(c.theta_bar, sizeof c.theta_bar));
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);

  /* a callback needs only the functions that the loss uses */
  static layer last = {.dtype = CNF_FLOAT64, .rows = 3, .cols = 3};
  cnf_callback callback = layer_callback(&last);
  callback.tangent_reverse = NULL;
  const cnf_op ops[] = {
      {.kind = CNF_OP_CALLBACK, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = 3, .callback = &callback}};
  CHECK(cnf_field_create(CNF_FLOAT64, 3, ops, 1, sizeof(cnf_op), &field) == CNF_OK);
  solver = solver_of(field, (setup){.trace = CNF_TRACE_HUTCHINSON});
  fill(&c, field, 3, 3);
  CHECK_STATUS(CNF_ERROR_CALLBACK_TANGENT_REVERSE, differentiate(solver, &c, 1, NULL), "cotangents of the divergence");
  CHECK_STATUS(CNF_OK, differentiate(solver, &c, 0, NULL), "no cotangents of the divergence");
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

int main(void) {
  for (int32_t trace = CNF_TRACE_NONE; trace <= CNF_TRACE_EXACT_PRODUCT; ++trace) {
    for (int kind = 0; kind < FIELD_KINDS; ++kind)
      if (trace_fits(kind, trace)) test_failure(kind, with_trace(trace));
    test_losses(trace);
    test_float(trace);
  }
  test_edges();
  test_wrong_arguments();
  return check_report();
}
