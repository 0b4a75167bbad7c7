/* field_gradient_test.c - the gradient of losses of the field and its divergence, without a solve. Expected results:
 * central differences of cnf_solver_evaluate; the bits of the discrete gradient of one euler step of length 1; and
 * equal bits whatever the batch, the number of threads and the kind of loss.
 */
#include <math.h>

#include "callback_layer.h"

enum { MOST_D = 11, MOST_P = 600, MOST = 400 };

#define LINEAR(from, n, f) \
  { .kind = CNF_OP_LINEAR, .input = (from), .input2 = CNF_NO_BLOCK, .rows = (n), .activation = (f) }
#define TIME_AND_STATE                                                    \
  {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK}, { \
    .kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1                \
  }

enum field_kind { SHALLOW, TWO_HIDDEN, CALLBACK, WIDE, LINEAR_ENDS, PLAIN_LINEAR, FIELD_KINDS };

static cnf_field *make_field(int kind, int32_t dtype, int32_t *dim) {
  static layer last = {.dtype = CNF_FLOAT64, .rows = 3, .cols = 6};
  const cnf_callback callback = layer_callback(&last);
  const int32_t d = *dim = kind == WIDE ? MOST_D : 3; /* WIDE: more tangents than are computed at once */
  const cnf_op shallow[] = {TIME_AND_STATE, LINEAR(2, 6, CNF_ACTIVATION_TANH), LINEAR(3, d, CNF_ACTIVATION_IDENTITY)};
  const cnf_op deep[] = {TIME_AND_STATE, LINEAR(2, 6, CNF_ACTIVATION_SOFTPLUS), LINEAR(3, 5, CNF_ACTIVATION_TANH),
                         LINEAR(4, d, CNF_ACTIVATION_IDENTITY)};
  const cnf_op called[] = {
      TIME_AND_STATE,
      LINEAR(2, 6, CNF_ACTIVATION_TANH),
      {.kind = CNF_OP_CALLBACK, .input = 3, .input2 = CNF_NO_BLOCK, .rows = d, .callback = &callback}};
  /* the first and the last layer are linear, and the state is added to the output */
  const cnf_op ends[] = {LINEAR(CNF_STATE, 4, CNF_ACTIVATION_IDENTITY),
                         LINEAR(1, 5, CNF_ACTIVATION_TANH),
                         LINEAR(2, d, CNF_ACTIVATION_IDENTITY),
                         {.kind = CNF_OP_ADD, .input = 3, .input2 = CNF_STATE}};
  const cnf_op linear[] = {LINEAR(CNF_STATE, d, CNF_ACTIVATION_IDENTITY)};
  const cnf_op *const programs[FIELD_KINDS] = {shallow, deep, called, shallow, ends, linear};
  const int32_t counts[FIELD_KINDS] = {4, 5, 4, 4, 4, 1};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(dtype, d, programs[kind], counts[kind], &field) == CNF_OK);
  return field;
}

/* The inputs and outputs of a call, [count] of each. */
typedef struct call_data {
  int32_t dim;
  size_t count, parameters;
  double theta[MOST_P], x[MOST * MOST_D], t[MOST], velocity_bar[MOST * MOST_D], divergence_bar[MOST];
  uint64_t ids[MOST];
  double theta_bar[MOST_P], x_bar[MOST * MOST_D], t_bar[MOST], loss[MOST];
} call_data;

/* The i-th of a series of numbers in [-1, 1] that look random. */
static double noise(size_t i) { return sin(12.9898 * (double)i + 0.37 * (double)i * (double)i); }

static void fill(call_data *c, const cnf_field *field, int32_t dim, size_t count) {
  memset(c, 0, sizeof *c);
  c->dim = dim, c->count = count, c->parameters = cnf_field_parameter_count(field);
  CHECK(c->parameters <= MOST_P && count <= MOST && dim <= MOST_D);
  for (size_t i = 0; i < c->parameters; ++i) c->theta[i] = 0.8 * noise(i + 1);
  for (size_t i = 0; i < count * (size_t)dim; ++i) c->x[i] = 1.5 * noise(i + 100), c->velocity_bar[i] = noise(i + 5000);
  for (size_t i = 0; i < count; ++i)
    c->t[i] = noise(i + 9000), c->divergence_bar[i] = noise(i + 9500), c->ids[i] = 3 * i;
}

typedef struct setup {
  int32_t trace, threads, probes, kinetic, frobenius;
  const char *method; /* NULL: euler */
} setup;

/* Solves with one euler step, to compare gradients; evaluations of the field do not use the method. */
static cnf_solver *solver_of(const cnf_field *field, setup how) {
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  options.method = cnf_method_find(how.method ? how.method : "euler");
  options.control = CNF_CONTROL_FIXED, options.steps = 1, options.trace = how.trace;
  options.threads = how.threads ? how.threads : 1, options.probes = how.probes;
  options.kinetic = how.kinetic, options.frobenius = how.frobenius;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  return solver;
}

static cnf_solve_input input_of(const call_data *c) {
  return (cnf_solve_input){.struct_size = sizeof(cnf_solve_input),
                           .parameters = c->theta,
                           .x0 = c->x,
                           .count = c->count,
                           .t1 = NAN, /* ignored */
                           .seed = 5,
                           .sample_ids = c->ids,
                           .t0s = c->t};
}

static cnf_gradient gradient_of(call_data *c) {
  return (cnf_gradient){
      .struct_size = sizeof(cnf_gradient), .parameters = c->theta_bar, .x0 = c->x_bar, .t0 = c->t_bar, .loss = c->loss};
}

static cnf_status differentiate(cnf_solver *solver, call_data *c, int with_divergence, const cnf_field_loss *loss) {
  const cnf_solve_input input = input_of(c);
  cnf_gradient gradient = gradient_of(c);
  return cnf_solver_evaluate_vjp(solver, &input, c->velocity_bar, with_divergence ? c->divergence_bar : NULL, loss,
                                 &gradient);
}

/* ---- Central differences ----
 * Their error is d^2/6 times the third derivative, which is below 100, plus 2^-52 |L| / d. With d = 1e-5 and |L| below
 * 100, it is 3e-9. */
static const double DIFFERENCE = 1e-5, TOLERANCE = 1e-7;

static double value_now(cnf_solver *solver, const call_data *c, int with_divergence) {
  static double velocity[MOST * MOST_D], divergence[MOST];
  const cnf_solve_input input = input_of(c);
  double sum = 0;
  CHECK(cnf_solver_evaluate(solver, &input, velocity, divergence) == CNF_OK);
  for (size_t i = 0; i < c->count * (size_t)c->dim; ++i) sum += c->velocity_bar[i] * velocity[i];
  for (size_t i = 0; with_divergence && i < c->count; ++i) sum += c->divergence_bar[i] * divergence[i];
  return sum;
}

static void check_difference(cnf_solver *solver, call_data *c, int with_divergence, double *variable, double got,
                             const char *what, const char *where, size_t number) {
  char detail[300];
  const double middle = *variable;
  *variable = middle + DIFFERENCE;
  const double above = value_now(solver, c, with_divergence);
  *variable = middle - DIFFERENCE;
  const double expected = (above - value_now(solver, c, with_divergence)) / (2 * DIFFERENCE);
  *variable = middle;
  snprintf(detail, sizeof detail, "%s, index %zu: %.12g, central difference %.12g", where, number, got, expected);
  check_count(fabs(got - expected) < TOLERANCE, what, detail, __LINE__);
}

static void test_differences(int kind, setup how, int with_divergence) {
  static call_data c, scratch;
  int32_t dim;
  char where[160];
  cnf_field *field = make_field(kind, CNF_FLOAT64, &dim);
  cnf_solver *solver = solver_of(field, how);
  snprintf(where, sizeof where, "field %d trace %d probes %d frobenius %d divergence %d", kind, (int)how.trace,
           (int)how.probes, (int)how.frobenius, with_divergence);
  fill(&c, field, dim, 7);
  CHECK(differentiate(solver, &c, with_divergence, NULL) == CNF_OK);
  scratch = c;
  for (size_t i = 0; i < c.parameters; ++i)
    check_difference(solver, &scratch, with_divergence, &scratch.theta[i], c.theta_bar[i], "theta", where, i);
  for (size_t i = 0; i < c.count * (size_t)dim; ++i)
    check_difference(solver, &scratch, with_divergence, &scratch.x[i], c.x_bar[i], "x", where, i);
  for (size_t i = 0; i < c.count; ++i)
    check_difference(solver, &scratch, with_divergence, &scratch.t[i], c.t_bar[i], "t", where, i);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* ---- Euler ----
 * One step of length 1 is x + f, and log_det is the divergence. So its gradient with respect to theta has the same bits
 * as that of the field; with respect to x it is x1_bar larger; and the gradients with respect to t0 and t1 add up to
 * that with respect to t, both up to one rounding. */
static void test_euler(int kind, setup how, size_t count) {
  static call_data field_call, step;
  static double t1s[MOST], t1_bar[MOST];
  int32_t dim;
  cnf_field *field = make_field(kind, CNF_FLOAT64, &dim);
  cnf_solver *solver = solver_of(field, how);
  fill(&field_call, field, dim, count);
  for (size_t i = 0; i < count; ++i) field_call.t[i] = floor(8 * field_call.t[i]) / 8, t1s[i] = field_call.t[i] + 1;
  step = field_call;
  CHECK(differentiate(solver, &field_call, 1, NULL) == CNF_OK);
  cnf_solve_input input = input_of(&step);
  input.t1s = t1s;
  const cnf_loss loss = {.struct_size = sizeof loss,
                         .kind = CNF_LOSS_COTANGENTS,
                         .x1_bar = step.velocity_bar,
                         .log_det_bar = step.divergence_bar};
  cnf_gradient gradient = gradient_of(&step);
  gradient.t1 = t1_bar;
  CHECK(cnf_solve_vjp(solver, &input, &loss, NULL, &gradient) == CNF_OK);
  char detail[160];
  snprintf(detail, sizeof detail, "field %d trace %d count %zu", kind, (int)how.trace, count);
  check_count(memcmp(step.theta_bar, field_call.theta_bar, sizeof step.theta_bar) == 0, "theta", detail, __LINE__);
  for (size_t i = 0; i < count * (size_t)dim; ++i)
    check_count(step.x_bar[i] == step.velocity_bar[i] + field_call.x_bar[i], "x", detail, __LINE__);
  for (size_t i = 0; i < count; ++i)
    check_count(fabs(step.t_bar[i] + t1_bar[i] - field_call.t_bar[i]) < 1e-14, "t", detail, __LINE__);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* ---- Equal bits ---- */

/* The bits do not depend on the number of threads, and a sample has the same bits in every batch. */
static void test_bits(int kind, setup how) {
  static call_data whole, other;
  int32_t dim;
  cnf_field *field = make_field(kind, CNF_FLOAT64, &dim);
  for (int32_t threads = 1; threads <= 4; ++threads) {
    how.threads = threads;
    cnf_solver *solver = solver_of(field, how);
    call_data *to = threads == 1 ? &whole : &other;
    fill(to, field, dim, MOST);
    CHECK(differentiate(solver, to, 1, NULL) == CNF_OK);
    CHECK(threads == 1 || memcmp(&whole, &other, sizeof whole) == 0);
    cnf_solver_destroy(solver);
  }
  how.threads = 1;
  cnf_solver *solver = solver_of(field, how);
  const size_t starts[] = {0, 5, 130, MOST - 1}, sizes[] = {1, 3, 50, 1};
  for (int n = 0; n < 4; ++n) {
    const size_t first = starts[n], count = sizes[n], d = (size_t)dim;
    fill(&other, field, dim, MOST);
    cnf_solve_input input = input_of(&other);
    cnf_gradient gradient = gradient_of(&other);
    input.x0 = other.x + first * d, input.t0s = other.t + first, input.sample_ids = other.ids + first;
    input.count = count;
    CHECK(cnf_solver_evaluate_vjp(solver, &input, other.velocity_bar + first * d, other.divergence_bar + first, NULL,
                                  &gradient) == CNF_OK);
    CHECK(memcmp(other.x_bar, whole.x_bar + first * d, count * d * sizeof(double)) == 0);
    CHECK(memcmp(other.t_bar, whole.t_bar + first, count * sizeof(double)) == 0);
  }
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

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
  for (int v = 0; v < 4;
       ++v) { /* cotangents of 0, and targets equal to the values, so that these samples add nothing */
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
  CHECK(cnf_field_create(CNF_FLOAT64, 3, ops, 1, &field) == CNF_OK);
  solver = solver_of(field, (setup){.trace = CNF_TRACE_HUTCHINSON});
  fill(&c, field, 3, 3);
  CHECK_STATUS(CNF_ERROR_CALLBACK_TANGENT_REVERSE, differentiate(solver, &c, 1, NULL), "cotangents of the divergence");
  CHECK_STATUS(CNF_OK, differentiate(solver, &c, 0, NULL), "no cotangents of the divergence");
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

int main(void) {
  for (int kind = 0; kind < FIELD_KINDS; ++kind) {
    for (int32_t trace = CNF_TRACE_NONE; trace <= CNF_TRACE_EXACT_PRODUCT; ++trace) {
      if (trace == CNF_TRACE_EXACT_PRODUCT && (kind == CALLBACK || kind == LINEAR_ENDS)) continue; /* not possible */
      const setup how = {.trace = trace, .probes = trace == CNF_TRACE_HUTCHINSON ? 2 : 1};
      const int tangents = trace == CNF_TRACE_HUTCHINSON || trace == CNF_TRACE_EXACT_TANGENTS;
      for (int with_divergence = 0; with_divergence < 2; ++with_divergence) {
        if (trace == CNF_TRACE_NONE && with_divergence) continue;
        test_differences(kind, how, with_divergence);
        if (tangents) test_differences(kind, (setup){trace, 1, 1, 1, 1, NULL}, with_divergence); /* with regularisers */
      }
      const size_t counts[] = {1, 2, 3, 100, 399};
      for (int n = 0; n < 5; ++n) test_euler(kind, how, counts[n]);
      test_bits(kind, how);
      test_failure(kind, how);
    }
    /* solvers of other methods, which plan tangents and batches differently */
    test_differences(kind, (setup){CNF_TRACE_EXACT_TANGENTS, 1, 1, 0, 0, "rodas4"}, 1);
    test_differences(kind, (setup){CNF_TRACE_NONE, 1, 1, 0, 0, "rodas4"}, 0);
    test_differences(kind, (setup){CNF_TRACE_HUTCHINSON, 1, 1, 0, 0, "implicit_adams"}, 1);
  }
  for (int32_t trace = CNF_TRACE_NONE; trace <= CNF_TRACE_EXACT_PRODUCT; ++trace) {
    test_losses(trace);
    test_float(trace);
  }
  test_edges();
  test_wrong_arguments();
  return check_report();
}
