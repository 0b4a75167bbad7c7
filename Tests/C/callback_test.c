/* callback_test.c - fields that the host computes: the same numbers as the library's own ops, exact gradients, and failures
 * that stay in their lane. */
#include <float.h>

#include "callback_layer.h"

enum { D = 3, HIDDEN = 5, COUNT = 21, MOST_OPS = 12, MOST_P = 256 };

/* ---- A field's program, with some of its LINEAR ops given to callbacks ------------------------------------------ */

typedef struct program {
  cnf_op ops[MOST_OPS];
  int32_t count, rows[MOST_OPS + 1];
  layer layers[MOST_OPS];
  cnf_callback callbacks[MOST_OPS];
} program;

static int32_t append(program *p, cnf_op op, int32_t rows) {
  p->ops[p->count++] = op;
  p->rows[p->count] = rows;
  return p->count;
}
static int32_t linear(program *p, int32_t input, int32_t rows, int32_t activation) {
  return append(
      p,
      (cnf_op){.kind = CNF_OP_LINEAR, .input = input, .input2 = CNF_NO_BLOCK, .rows = rows, .activation = activation},
      rows);
}
static int32_t pair(program *p, int32_t kind, int32_t a, int32_t b) {
  return append(p, (cnf_op){.kind = kind, .input = a, .input2 = b},
                kind == CNF_OP_ADD ? p->rows[a] : p->rows[a] + p->rows[b]);
}
static int32_t with_time(program *p, int32_t block) {
  const int32_t t = append(p, (cnf_op){.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK}, 1);
  return pair(p, CNF_OP_CONCAT, block, t);
}

/* A plain net: its first layer has a constant tangent, its last leads out linearly. */
static program plain_net(void) {
  program p = {.count = 0, .rows = {D}};
  const int32_t first = linear(&p, with_time(&p, CNF_STATE), HIDDEN, CNF_ACTIVATION_TANH);
  linear(&p, linear(&p, first, HIDDEN - 1, CNF_ACTIVATION_TANH), D, CNF_ACTIVATION_IDENTITY);
  return p;
}
/* Every kind of op: linear layers before and behind those that bend, blocks that several ops read, the state at both ends. */
static program every_op(void) {
  program p = {.count = 0, .rows = {D}};
  const int32_t entry = linear(&p, CNF_STATE, D, CNF_ACTIVATION_IDENTITY);
  const int32_t first = linear(&p, with_time(&p, entry), HIDDEN, CNF_ACTIVATION_TANH);
  const int32_t sum = pair(&p, CNF_OP_ADD, first, linear(&p, first, HIDDEN, CNF_ACTIVATION_IDENTITY));
  const int32_t bent = append(
      &p,
      (cnf_op){.kind = CNF_OP_ACTIVATION, .input = sum, .input2 = CNF_NO_BLOCK, .activation = CNF_ACTIVATION_SOFTPLUS},
      HIDDEN);
  const int32_t both = pair(&p, CNF_OP_CONCAT, bent, first);
  pair(&p, CNF_OP_ADD, linear(&p, both, D, CNF_ACTIVATION_IDENTITY), CNF_STATE);
  return p;
}

static int linear_count(const program *p) {
  int count = 0;
  for (int32_t i = 0; i < p->count; i++) count += p->ops[i].kind == CNF_OP_LINEAR;
  return count;
}

/* LINEAR op number n of the program becomes a callback where bit n of `mask` is set. One that reads a concatenation with the
 * time reads the operand alone then, and takes the time from its argument. */
static cnf_field *make_field(program p, int32_t dtype, unsigned mask, program *keep) {
  *keep = p;
  int number = 0;
  for (int32_t i = 0; i < p.count; i++) {
    cnf_op *op = &keep->ops[i];
    if (op->kind != CNF_OP_LINEAR || !(mask >> number++ & 1)) continue;
    const cnf_op *input = op->input > 0 ? &p.ops[op->input - 1] : NULL;
    const int sees_time = input && input->kind == CNF_OP_CONCAT && p.ops[input->input2 - 1].kind == CNF_OP_TIME;
    keep->layers[i] = (layer){.dtype = dtype,
                              .rows = op->rows,
                              .cols = p.rows[op->input],
                              .sees_time = sees_time,
                              .is_tanh = op->activation == CNF_ACTIVATION_TANH};
    keep->callbacks[i] = layer_callback(&keep->layers[i]);
    *op = (cnf_op){.kind = CNF_OP_CALLBACK,
                   .input = sees_time ? input->input : op->input,
                   .input2 = CNF_NO_BLOCK,
                   .rows = op->rows,
                   .callback = &keep->callbacks[i]};
  }
  cnf_field *field = NULL;
  CHECK(cnf_field_create(dtype, D, keep->ops, keep->count, &field) == CNF_OK);
  return field;
}

/* ---- Solves and gradients ---------------------------------------------------------------------------------------- */

typedef struct setting {
  int32_t trace, probes, control, threads;
  int64_t store_bytes;
} setting;

/* All that a gradient call gives, as double. */
typedef struct result {
  double x1[COUNT * D], log_det[COUNT], theta[MOST_P], x0[COUNT * D], t0[COUNT], t1[COUNT], loss[COUNT];
  int32_t status[COUNT], evaluations[COUNT];
} result;

static void widen(int32_t dtype, const void *from, size_t count, double *to) {
  for (size_t i = 0; i < count; i++)
    to[i] = dtype == CNF_FLOAT64 ? ((const double *)from)[i] : (double)((const float *)from)[i];
}
static void narrow(int32_t dtype, const double *from, size_t count, void *to) {
  for (size_t i = 0; i < count; i++)
    if (dtype == CNF_FLOAT64)
      ((double *)to)[i] = from[i];
    else
      ((float *)to)[i] = (float)from[i];
}

static cnf_solver *make_solver(const cnf_field *field, setting s) {
  cnf_solver_options options;
  cnf_solver *solver = NULL;
  cnf_solver_options_init(&options, sizeof options);
  options.control = s.control;
  options.rtol = options.atol = 1e-6;
  options.steps = 5;
  options.trace = s.trace;
  options.probes = s.probes;
  options.threads = s.threads;
  options.store_bytes = s.store_bytes;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  return solver;
}

/* Normal numbers, the same at every run. */
static void numbers(uint64_t seed, double scale, size_t count, double *out) {
  CHECK(cnf_random_normal(CNF_FLOAT64, seed, CNF_STREAM_USER, 0, 0, 1, count, out) == CNF_OK);
  for (size_t i = 0; i < count; i++) out[i] *= scale;
}

static double input_theta[MOST_P], input_x0[COUNT * D];

/* Samples [first, first + count) of the input, with their loss. */
static result differentiate(const cnf_field *field, int32_t dtype, setting s, size_t first, size_t count) {
  double theta[MOST_P], x0[COUNT * D], x1[COUNT * D], theta_bar[MOST_P], x0_bar[COUNT * D];
  uint64_t ids[COUNT];
  result out = {.log_det = {0}};
  const size_t P = cnf_field_parameter_count(field);
  cnf_solver *solver = make_solver(field, s);
  narrow(dtype, input_theta, P, theta);
  narrow(dtype, input_x0 + first * D, count * D, x0);
  for (size_t i = 0; i < count; i++) ids[i] = first + i;
  const cnf_solve_input in = {.struct_size = sizeof in,
                              .parameters = theta,
                              .x0 = x0,
                              .count = count,
                              .t0 = 0.25,
                              .t1 = 1.5,
                              .seed = 3,
                              .sample_ids = ids};
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_solve_output solved = {.struct_size = sizeof solved,
                             .x1 = x1,
                             .log_det = out.log_det,
                             .status = out.status,
                             .evaluations = out.evaluations};
  cnf_gradient gradient = {.struct_size = sizeof gradient,
                           .parameters = theta_bar,
                           .x0 = x0_bar,
                           .t0 = out.t0,
                           .t1 = out.t1,
                           .loss = out.loss};
  CHECK(cnf_solve_vjp(solver, &in, &loss, &solved, &gradient) == CNF_OK);
  cnf_solver_destroy(solver);
  widen(dtype, x1, count * D, out.x1);
  widen(dtype, theta_bar, P, out.theta);
  widen(dtype, x0_bar, count * D, out.x0);
  return out;
}

/* Largest difference of two arrays over the largest magnitude in them. */
static double difference(const double *a, const double *b, size_t count) {
  double worst = 0, scale = DBL_MIN;
  for (size_t i = 0; i < count; i++) {
    scale = fmax(scale, fmax(fabs(a[i]), fabs(b[i])));
    if (!(fabs(a[i] - b[i]) <= worst)) worst = fabs(a[i] - b[i]); /* written so that a NaN is kept */
  }
  return worst / scale;
}

/* Both sides round each of some 36 evaluations' n <= 200 sums of products on their own, and a sum of n of them wanders by some
 * sqrt(n) half units: 36 * sqrt(200) / 2 = 250 units in the last place of the largest, were nothing amplified. Times 4 for the
 * nets' amplification over the interval, e^1.25. */
#define ROUNDING_UNITS 1000

static void check_same(const result *a, const result *b, size_t P, int32_t dtype, const char *what) {
  const double tolerance = ROUNDING_UNITS * (dtype == CNF_FLOAT64 ? DBL_EPSILON : FLT_EPSILON);
  const double parts[] = {difference(a->x1, b->x1, COUNT * D), difference(a->log_det, b->log_det, COUNT),
                          difference(a->theta, b->theta, P),   difference(a->x0, b->x0, COUNT * D),
                          difference(a->t0, b->t0, COUNT),     difference(a->t1, b->t1, COUNT)};
  char detail[256];
  double worst = 0;
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    if (!(parts[i] <= worst)) worst = parts[i];
  snprintf(detail, sizeof detail, "%s: x1 %.1e log_det %.1e theta %.1e x0 %.1e t0 %.1e t1 %.1e, allowed %.1e", what,
           parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], tolerance);
  check_count(worst <= tolerance, "a callback is the op it replaces", detail, __LINE__);
}

/* Any of a program's layers as callbacks, in every combination: solution and gradients are those of the program. */
static void test_equal_programs(void) {
  const program programs[] = {plain_net(), every_op()};
  const setting settings[] = {{CNF_TRACE_NONE, 1, CNF_CONTROL_FIXED, 2, 0},
                              {CNF_TRACE_EXACT_TANGENTS, 1, CNF_CONTROL_FIXED, 2, 0},
                              {CNF_TRACE_EXACT_TANGENTS, 1, CNF_CONTROL_SAMPLE, 2, 0},
                              {CNF_TRACE_EXACT_TANGENTS, 1, CNF_CONTROL_BATCH, 1, 0},
                              {CNF_TRACE_HUTCHINSON, 2, CNF_CONTROL_SAMPLE, 1, 0},
                              {CNF_TRACE_HUTCHINSON, 11, CNF_CONTROL_FIXED, 2, 0}, /* two groups of tangents */
                              {CNF_TRACE_HUTCHINSON, 11, CNF_CONTROL_SAMPLE, 2, -1}};
  for (size_t n = 0; n < sizeof programs / sizeof programs[0]; n++)
    for (size_t s = 0; s < sizeof settings / sizeof settings[0]; s++)
      for (int32_t dtype = CNF_FLOAT32; dtype <= CNF_FLOAT64; dtype++) {
        program keep;
        cnf_field *field = make_field(programs[n], dtype, 0, &keep);
        const size_t P = cnf_field_parameter_count(field);
        /* float's steps follow its rounding: only fixed ones are the same steps */
        if (dtype == CNF_FLOAT32 && settings[s].control != CNF_CONTROL_FIXED) {
          cnf_field_destroy(field);
          continue;
        }
        const result expected = differentiate(field, dtype, settings[s], 0, COUNT);
        cnf_field_destroy(field);
        for (unsigned mask = 1; mask < 1u << linear_count(&programs[n]); mask++) {
          char what[64];
          snprintf(what, sizeof what, "program %zu, setting %zu, dtype %d, layers %#x", n, s, (int)dtype, mask);
          field = make_field(programs[n], dtype, mask, &keep);
          CHECK(cnf_field_parameter_count(field) == P);
          const result got = differentiate(field, dtype, settings[s], 0, COUNT);
          check_same(&expected, &got, P, dtype, what);
          cnf_field_destroy(field);
        }
      }
}

/* A sample alone, in part of a batch, at another place, on another number of threads; gradients at any number of threads. */
static void test_independence(void) {
  const setting settings[] = {{CNF_TRACE_EXACT_TANGENTS, 1, CNF_CONTROL_SAMPLE, 1, 0},
                              {CNF_TRACE_HUTCHINSON, 2, CNF_CONTROL_FIXED, 1, 0}};
  for (size_t s = 0; s < 2; s++) {
    program keep;
    cnf_field *field = make_field(every_op(), CNF_FLOAT64, 0x0d, &keep);
    const result whole = differentiate(field, CNF_FLOAT64, settings[s], 0, COUNT);
    for (size_t first = 0; first < COUNT; first += 5)
      for (size_t count = 1; first + count <= COUNT; count += 3) {
        const result part = differentiate(field, CNF_FLOAT64, settings[s], first, count);
        CHECK(memcmp(part.x1, whole.x1 + first * D, count * D * sizeof(double)) == 0);
        CHECK(memcmp(part.log_det, whole.log_det + first, count * sizeof(double)) == 0);
        CHECK(memcmp(part.evaluations, whole.evaluations + first, count * sizeof(int32_t)) == 0);
      }
    for (int32_t threads = 2; threads <= 5; threads++) {
      setting other = settings[s];
      other.threads = threads;
      const result again = differentiate(field, CNF_FLOAT64, other, 0, COUNT);
      CHECK(memcmp(again.theta, whole.theta, sizeof whole.theta) == 0);
      CHECK(memcmp(again.x0, whole.x0, sizeof whole.x0) == 0);
      CHECK(memcmp(again.x1, whole.x1, sizeof whole.x1) == 0);
    }
    cnf_field_destroy(field);
  }
}

/* ---- A field of its own: y_0' = theta_0 sin(theta_1 t) y_0 y_1, y_1' = theta_2 y_0^2 + cos(y_1), y_2' = y_0 y_1 y_2 t ---- */

/* Jacobian, and derivatives of v' J w, by hand: J rows are
 *   [a s y1, a s y0, 0], [2 c y0, -sin y1, 0], [t y1 y2, t y0 y2, t y0 y1]      with a, b, c = theta and s = sin(b t). */
#define OWN_NAMES                                                                       \
  const double *T = t, *X = x, *P = theta;                                              \
  const double a = P[0], b = P[1], c = P[2], u = T[j], s = sin(b * u), ds = cos(b * u); \
  const double y0 = X[j], y1 = X[lanes + j], y2 = X[2 * lanes + j];                     \
  (void)context, (void)a, (void)b, (void)c, (void)s, (void)ds, (void)y0, (void)y1, (void)y2, (void)P

static void own_evaluate(void *context, int32_t lanes, const void *t, const void *x, const void *theta, void *y) {
  double *Y = y;
  for (int32_t j = 0; j < lanes; j++) {
    OWN_NAMES;
    Y[j] = a * s * y0 * y1;
    Y[lanes + j] = c * y0 * y0 + cos(y1);
    Y[2 * lanes + j] = y0 * y1 * y2 * u;
  }
}
static void own_tangent(void *context, int32_t lanes, const void *t, const void *x, const void *theta,
                        const void *x_dot, void *y_dot) {
  const double *W = x_dot;
  double *Y = y_dot;
  for (int32_t j = 0; j < lanes; j++) {
    OWN_NAMES;
    const double w0 = W[j], w1 = W[lanes + j], w2 = W[2 * lanes + j];
    Y[j] = a * s * (y1 * w0 + y0 * w1);
    Y[lanes + j] = 2 * c * y0 * w0 - sin(y1) * w1;
    Y[2 * lanes + j] = u * (y1 * y2 * w0 + y0 * y2 * w1 + y0 * y1 * w2);
  }
}
static void own_reverse(void *context, int32_t lanes, const void *t, const void *x, const void *theta,
                        const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  const double *V = y_bar;
  double *X_ = x_bar, *T_ = t_bar, *P_ = theta_bar;
  for (int32_t j = 0; j < lanes; j++) {
    OWN_NAMES;
    const double v0 = V[j], v1 = V[lanes + j], v2 = V[2 * lanes + j];
    X_[j] = v0 * a * s * y1 + v1 * 2 * c * y0 + v2 * u * y1 * y2;
    X_[lanes + j] = v0 * a * s * y0 - v1 * sin(y1) + v2 * u * y0 * y2;
    X_[2 * lanes + j] = v2 * u * y0 * y1;
    T_[j] = v0 * a * b * ds * y0 * y1 + v2 * y0 * y1 * y2;
    P_[0] += v0 * s * y0 * y1;
    P_[1] += v0 * a * u * ds * y0 * y1;
    P_[2] += v1 * y0 * y0;
  }
}
static void own_tangent_reverse(void *context, int32_t lanes, const void *t, const void *x, const void *theta,
                                const void *x_dot, const void *y_dot_bar, void *x_bar, void *x_dot_bar, void *t_bar,
                                void *theta_bar) {
  const double *W = x_dot, *V = y_dot_bar;
  double *X_ = x_bar, *W_ = x_dot_bar, *T_ = t_bar, *P_ = theta_bar;
  for (int32_t j = 0; j < lanes; j++) {
    OWN_NAMES;
    const double w0 = W[j], w1 = W[lanes + j], w2 = W[2 * lanes + j];
    const double v0 = V[j], v1 = V[lanes + j], v2 = V[2 * lanes + j];
    W_[j] = v0 * a * s * y1 + v1 * 2 * c * y0 + v2 * u * y1 * y2;
    W_[lanes + j] = v0 * a * s * y0 - v1 * sin(y1) + v2 * u * y0 * y2;
    W_[2 * lanes + j] = v2 * u * y0 * y1;
    X_[j] = v0 * a * s * w1 + v1 * 2 * c * w0 + v2 * u * (y2 * w1 + y1 * w2);
    X_[lanes + j] = v0 * a * s * w0 - v1 * cos(y1) * w1 + v2 * u * (y2 * w0 + y0 * w2);
    X_[2 * lanes + j] = v2 * u * (y1 * w0 + y0 * w1);
    const double m = y1 * w0 + y0 * w1;
    T_[j] = v0 * a * b * ds * m + v2 * (y1 * y2 * w0 + y0 * y2 * w1 + y0 * y1 * w2);
    P_[0] += v0 * s * m;
    P_[1] += v0 * a * u * ds * m;
    P_[2] += v1 * 2 * y0 * w0;
  }
}

static const cnf_callback own = {.struct_size = sizeof(cnf_callback),
                                 .parameter_count = 3,
                                 .evaluate = own_evaluate,
                                 .tangent = own_tangent,
                                 .reverse = own_reverse,
                                 .tangent_reverse = own_tangent_reverse};

static cnf_field *callback_field(const cnf_callback *callback, int32_t dim) {
  const cnf_op op = {
      .kind = CNF_OP_CALLBACK, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = dim, .callback = callback};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, dim, &op, 1, &field) == CNF_OK);
  return field;
}

/* The summed loss of fixed steps, as a function of all that a gradient is taken in. */
static double own_loss(cnf_solver *solver, const double *theta, const double *x0, double t0, double t1) {
  double x1[COUNT * D], log_det[COUNT], loss = 0;
  const cnf_solve_input in = {
      .struct_size = sizeof in, .parameters = theta, .x0 = x0, .count = COUNT, .t0 = t0, .t1 = t1, .seed = 5};
  cnf_solve_output out = {.struct_size = sizeof out, .x1 = x1, .log_det = log_det};
  CHECK(cnf_solve(solver, &in, &out) == CNF_OK);
  for (int i = 0; i < COUNT; i++) {
    loss -= log_det[i];
    for (int d = 0; d < D; d++) loss += 0.5 * x1[i * D + d] * x1[i * D + d];
  }
  return loss;
}

/* A central difference of step e is off by some e^2 |L'''|/6 + DBL_EPSILON |L| / e: e = 1e-5 and |L|, |L'''| of order 10 give
 * 2e-10 and 2e-10. The gradients' relative scale allowed here is 1e-7. */
static void test_central_differences(int32_t trace) {
  const double e = 1e-5, tolerance = 1e-7;
  cnf_field *field = callback_field(&own, D);
  cnf_solver *solver =
      make_solver(field, (setting){.trace = trace, .probes = 2, .control = CNF_CONTROL_FIXED, .threads = 2});
  double theta[3] = {0.7, 1.3, 0.4}, x0[COUNT * D], theta_bar[3], x0_bar[COUNT * D], t0_bar[COUNT], t1_bar[COUNT];
  double got[3 + 4 + 2] = {0}, expected[3 + 4 + 2], t[2] = {0.2, 1.1};
  memcpy(x0, input_x0, sizeof x0);
  const cnf_solve_input in = {
      .struct_size = sizeof in, .parameters = theta, .x0 = x0, .count = COUNT, .t0 = t[0], .t1 = t[1], .seed = 5};
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_gradient gradient = {
      .struct_size = sizeof gradient, .parameters = theta_bar, .x0 = x0_bar, .t0 = t0_bar, .t1 = t1_bar};
  CHECK(cnf_solve_vjp(solver, &in, &loss, NULL, &gradient) == CNF_OK);
  memcpy(got, theta_bar, sizeof theta_bar);
  const int places[4] = {0, 1, 2, COUNT * D - 1};
  for (int i = 0; i < 4; i++) got[3 + i] = x0_bar[places[i]];
  for (int i = 0; i < COUNT; i++) got[7] += t0_bar[i], got[8] += t1_bar[i];
  double *variables[9] = {theta,          theta + 1,      theta + 2, &x0[places[0]], &x0[places[1]],
                          &x0[places[2]], &x0[places[3]], t,         t + 1};
  for (int i = 0; i < 9; i++) {
    const double kept = *variables[i];
    *variables[i] = kept + e;
    const double above = own_loss(solver, theta, x0, t[0], t[1]);
    *variables[i] = kept - e;
    expected[i] = (above - own_loss(solver, theta, x0, t[0], t[1])) / (2 * e);
    *variables[i] = kept;
    char detail[128];
    snprintf(detail, sizeof detail, "trace %d, variable %d: %.12g, by differences %.12g", (int)trace, i, got[i],
             expected[i]);
    check_count(fabs(got[i] - expected[i]) <= tolerance * fmax(1, fabs(expected[i])),
                "gradient equals central differences", detail, __LINE__);
  }
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* ---- What is missing is named ------------------------------------------------------------------------------------ */

static cnf_status try_solver(const cnf_callback *callback, int32_t trace, cnf_solver **solver) {
  cnf_field *field = callback_field(callback, D);
  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  options.trace = trace;
  *solver = NULL;
  const cnf_status status = cnf_solver_create(field, &options, solver);
  cnf_field_destroy(field);
  return status;
}
static cnf_status try_gradient(cnf_solver *solver) {
  const double theta[3] = {1, 1, 1}, x0[D] = {0.1, 0.2, 0.3};
  double theta_bar[3];
  pattern_fill(theta_bar, sizeof theta_bar);
  const cnf_solve_input in = {.struct_size = sizeof in, .parameters = theta, .x0 = x0, .count = 1, .t1 = 1};
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = theta_bar};
  const cnf_status status = cnf_solve_vjp(solver, &in, &loss, NULL, &gradient);
  CHECK(status == CNF_OK || pattern_intact(theta_bar, sizeof theta_bar));
  return status;
}

static void test_missing_functions(void) {
  cnf_solver *solver;
  cnf_callback callback = own;
  callback.tangent = NULL;
  CHECK_STATUS(CNF_ERROR_CALLBACK_TANGENT, try_solver(&callback, CNF_TRACE_EXACT, &solver), "no tangent, exact");
  CHECK_STATUS(CNF_ERROR_CALLBACK_TANGENT, try_solver(&callback, CNF_TRACE_HUTCHINSON, &solver), "no tangent, probes");
  CHECK_STATUS(CNF_ERROR_TRACE, try_solver(&callback, CNF_TRACE_EXACT_PRODUCT, &solver), "no net");
  CHECK_STATUS(CNF_OK, try_solver(&callback, CNF_TRACE_NONE, &solver), "no tangent, no trace");
  CHECK_STATUS(CNF_OK, try_gradient(solver), "its gradient");
  cnf_solver_destroy(solver);
  callback = own, callback.reverse = NULL;
  CHECK_STATUS(CNF_OK, try_solver(&callback, CNF_TRACE_EXACT, &solver), "no reverse, solved only");
  CHECK_STATUS(CNF_ERROR_CALLBACK_REVERSE, try_gradient(solver), "no reverse");
  cnf_solver_destroy(solver);
  callback = own, callback.tangent_reverse = NULL;
  CHECK_STATUS(CNF_OK, try_solver(&callback, CNF_TRACE_HUTCHINSON, &solver), "no tangent_reverse, solved only");
  CHECK_STATUS(CNF_ERROR_CALLBACK_TANGENT_REVERSE, try_gradient(solver), "no tangent_reverse, divergence");
  cnf_solver_destroy(solver);
  CHECK_STATUS(CNF_OK, try_solver(&callback, CNF_TRACE_NONE, &solver), "no tangent_reverse, no trace");
  CHECK_STATUS(CNF_OK, try_gradient(solver), "its gradient");
  cnf_solver_destroy(solver);
}

static void test_bad_ops(void) {
  const struct {
    cnf_status status;
    cnf_callback callback;
    int32_t rows;
  } bad[] = {
      {CNF_ERROR_STRUCT_SIZE, {.struct_size = 8, .evaluate = own_evaluate}, D},
      {CNF_ERROR_NULL, {.struct_size = sizeof(cnf_callback)}, D},
      {CNF_ERROR_SIZE, {.struct_size = sizeof(cnf_callback), .evaluate = own_evaluate, .parameter_count = SIZE_MAX}, D},
      {CNF_ERROR_OP_SHAPE, {.struct_size = sizeof(cnf_callback), .evaluate = own_evaluate}, 0},
      {CNF_ERROR_FIELD_SHAPE, {.struct_size = sizeof(cnf_callback), .evaluate = own_evaluate}, D + 1}};
  for (size_t i = 0; i <= sizeof bad / sizeof bad[0]; i++) {
    const int none = i == sizeof bad / sizeof bad[0];
    const cnf_op op = {.kind = CNF_OP_CALLBACK,
                       .input2 = CNF_NO_BLOCK,
                       .rows = none ? D : bad[i].rows,
                       .callback = none ? NULL : &bad[i].callback};
    cnf_field *field;
    int32_t bad_op = 7;
    pattern_fill(&field, sizeof field);
    CHECK_STATUS(none ? CNF_ERROR_NULL : bad[i].status,
                 cnf_field_create_explained(CNF_FLOAT64, D, &op, 1, &field, &bad_op), "a bad callback");
    CHECK(bad_op == 0 && pattern_intact(&field, sizeof field));
  }
}

/* Where parameters lie: after those of the ops before. */
static void test_layout(void) {
  program keep;
  cnf_field *field = make_field(plain_net(), CNF_FLOAT64, 2, &keep); /* the middle layer */
  size_t offset, count, before = HIDDEN * (D + 2);
  CHECK(cnf_field_op_parameters(field, 3, &offset, &count) == CNF_OK);
  CHECK(offset == before && count == (HIDDEN - 1) * (HIDDEN + 1));
  CHECK(cnf_field_op_parameters(field, 0, NULL, &count) == CNF_OK && count == 0);
  CHECK(cnf_field_op_parameters(field, keep.count, &offset, &count) == CNF_ERROR_SIZE);
  CHECK(cnf_field_op_parameters(field, -1, &offset, &count) == CNF_ERROR_SIZE);
  CHECK(cnf_field_op_parameters(NULL, 0, &offset, &count) == CNF_ERROR_NULL);
  CHECK(cnf_field_linear_layout(field, 3, &offset, NULL, NULL, NULL) == CNF_ERROR_OP_KIND);
  cnf_field_destroy(field);
}

/* ---- Lanes that fail ----------------------------------------------------------------------------------------------- */

/* x' = (cos t, 0), but NaN from t = 0.5 on where the second row, which never changes, is above 1. theta scales the first. */
static void marked_evaluate(void *context, int32_t lanes, const void *t, const void *x, const void *theta, void *y) {
  const double *T = t, *X = x, *P = theta;
  double *Y = y;
  (void)context;
  for (int32_t j = 0; j < lanes; j++) {
    Y[j] = X[lanes + j] > 1 && T[j] > 0.5 ? NAN : P[0] * cos(T[j]);
    Y[lanes + j] = 0;
  }
}
static void marked_reverse(void *context, int32_t lanes, const void *t, const void *x, const void *theta,
                           const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  const double *T = t, *P = theta, *V = y_bar;
  double *T_ = t_bar, *P_ = theta_bar;
  (void)context, (void)x, (void)x_bar;
  for (int32_t j = 0; j < lanes; j++) T_[j] = -V[j] * P[0] * sin(T[j]), P_[0] += V[j] * cos(T[j]);
}

static void test_nan(int32_t control) {
  enum { N = 11, BAD = 4, MOST_EVALUATIONS = 1000 };
  const cnf_callback marked = {
      .struct_size = sizeof marked, .parameter_count = 1, .evaluate = marked_evaluate, .reverse = marked_reverse};
  cnf_field *field = callback_field(&marked, 2);
  cnf_solver *solver = make_solver(field, (setting){.trace = CNF_TRACE_NONE, .control = control, .threads = 2});
  double x0[N * 2], x1[2][N * 2], theta = 1.5, theta_bar[2], x0_bar[2][N * 2];
  int32_t status[2][N], evaluations[2][N];
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  for (int run = 0; run < 2; run++) {
    for (int i = 0; i < N; i++) x0[2 * i] = 0.1 * i, x0[2 * i + 1] = run && i == BAD ? 2 : 0.01 * i;
    const cnf_solve_input in = {.struct_size = sizeof in, .parameters = &theta, .x0 = x0, .count = N, .t0 = 0, .t1 = 2};
    cnf_solve_output out = {
        .struct_size = sizeof out, .x1 = x1[run], .status = status[run], .evaluations = evaluations[run]};
    cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = &theta_bar[run], .x0 = x0_bar[run]};
    CHECK(cnf_solve_vjp(solver, &in, &loss, &out, &gradient) == CNF_OK);
    CHECK(isfinite(theta_bar[run]));
  }
  for (int i = 0; i < N; i++) {
    CHECK(status[1][i] == (i == BAD ? CNF_SAMPLE_NOT_FINITE : CNF_SAMPLE_OK) && status[0][i] == CNF_SAMPLE_OK);
    CHECK(evaluations[1][i] <= MOST_EVALUATIONS);
    if (i == BAD) continue;
    CHECK(memcmp(&x1[0][2 * i], &x1[1][2 * i], 2 * sizeof(double)) == 0);
    CHECK(memcmp(&x0_bar[0][2 * i], &x0_bar[1][2 * i], 2 * sizeof(double)) == 0);
  }
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* y' = y^2 has its pole at 1/y(0). */
static void square_evaluate(void *context, int32_t lanes, const void *t, const void *x, const void *theta, void *y) {
  (void)context, (void)t, (void)theta;
  for (int32_t j = 0; j < lanes; j++) ((double *)y)[j] = ((const double *)x)[j] * ((const double *)x)[j];
}
static void test_pole(void) {
  enum { N = 5, MOST_EVALUATIONS = 6 * 4096 + 2 }; /* dopri5 and the default of max_steps */
  const cnf_callback square = {.struct_size = sizeof square, .evaluate = square_evaluate};
  cnf_field *field = callback_field(&square, 1);
  cnf_solver *solver = make_solver(field, (setting){.trace = CNF_TRACE_NONE, .control = CNF_CONTROL_SAMPLE});
  const double x0[N] = {0.1, 1, -1, 2, 0}; /* poles at 10, 1, -1, 0.5 and nowhere */
  double x1[N], t[N];
  int32_t status[N], evaluations[N];
  const cnf_solve_input in = {.struct_size = sizeof in, .x0 = x0, .count = N, .t0 = 0, .t1 = 4};
  cnf_solve_output out = {
      .struct_size = sizeof out, .x1 = x1, .status = status, .t_reached = t, .evaluations = evaluations};
  CHECK(cnf_solve(solver, &in, &out) == CNF_OK);
  for (int i = 0; i < N; i++) {
    const int meets_pole = x0[i] * in.t1 > 1;
    CHECK(meets_pole == (status[i] != CNF_SAMPLE_OK) && evaluations[i] <= MOST_EVALUATIONS);
    /* an error of 1e-6 a step, in a solution of order 1 that forgets it or, at 0.1, makes it (1/0.6)^2 times as large */
    if (meets_pole)
      CHECK(fabs(t[i] - 1 / x0[i]) < 1e-2);
    else
      CHECK(fabs(x1[i] - x0[i] / (1 - x0[i] * in.t1)) < 1e-5);
  }
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* x' = theta sqrt(x): finite at 0, where a lane without a sample stands, but without a derivative there. */
static void root_evaluate(void *context, int32_t lanes, const void *t, const void *x, const void *theta, void *y) {
  (void)context, (void)t;
  for (int32_t j = 0; j < lanes; j++) ((double *)y)[j] = *(const double *)theta * sqrt(((const double *)x)[j]);
}
static void root_tangent(void *context, int32_t lanes, const void *t, const void *x, const void *theta,
                         const void *x_dot, void *y_dot) {
  (void)context, (void)t;
  for (int32_t j = 0; j < lanes; j++)
    ((double *)y_dot)[j] = *(const double *)theta * ((const double *)x_dot)[j] / (2 * sqrt(((const double *)x)[j]));
}
static void root_reverse(void *context, int32_t lanes, const void *t, const void *x, const void *theta,
                         const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  (void)context, (void)t, (void)t_bar;
  for (int32_t j = 0; j < lanes; j++) {
    const double v = ((const double *)y_bar)[j], root = sqrt(((const double *)x)[j]);
    ((double *)x_bar)[j] = *(const double *)theta * v / (2 * root);
    *(double *)theta_bar += v * root;
  }
}
static void root_tangent_reverse(void *context, int32_t lanes, const void *t, const void *x, const void *theta,
                                 const void *x_dot, const void *y_dot_bar, void *x_bar, void *x_dot_bar, void *t_bar,
                                 void *theta_bar) {
  (void)context, (void)t, (void)t_bar;
  for (int32_t j = 0; j < lanes; j++) {
    const double v = ((const double *)y_dot_bar)[j], w = ((const double *)x_dot)[j], y = ((const double *)x)[j];
    const double slope = 1 / (2 * sqrt(y));
    ((double *)x_dot_bar)[j] = *(const double *)theta * v * slope;
    ((double *)x_bar)[j] = -*(const double *)theta * v * w * slope / (2 * y);
    *(double *)theta_bar += v * w * slope;
  }
}
static void test_empty_lanes(int32_t control, int64_t store_bytes) {
  enum { N = 3 }; /* more than run alone, fewer than a tile has lanes */
  const cnf_callback root = {.struct_size = sizeof root,
                             .parameter_count = 1,
                             .evaluate = root_evaluate,
                             .tangent = root_tangent,
                             .reverse = root_reverse,
                             .tangent_reverse = root_tangent_reverse};
  cnf_field *field = callback_field(&root, 1);
  cnf_solver *solver = make_solver(
      field, (setting){.trace = CNF_TRACE_HUTCHINSON, .probes = 1, .control = control, .store_bytes = store_bytes});
  const double x0[N] = {1, 2, 3}, theta = 0.5, t1 = 1;
  double theta_bar = NAN, expected = 0;
  const cnf_solve_input in = {.struct_size = sizeof in, .parameters = &theta, .x0 = x0, .count = N, .t0 = 0, .t1 = t1};
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = &theta_bar};
  CHECK(cnf_solve_vjp(solver, &in, &loss, NULL, &gradient) == CNF_OK);
  /* sqrt(x1) = r + theta t/2 with r = sqrt(x0), log_det = log(sqrt(x1)/r): L = x1^2/2 - log_det */
  for (int i = 0; i < N; i++) {
    const double end = sqrt(x0[i]) + theta * t1 / 2;
    expected += 2 * end * end * end * t1 / 2 - t1 / (2 * end);
  }
  /* dopri5 at 1e-6, or in 5 steps of 0.2, is right to some 1e-6 here; the gradient is that of its steps */
  CHECK(fabs(theta_bar - expected) < 1e-5 * expected);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

int main(void) {
  numbers(1, 0.5, MOST_P, input_theta);
  numbers(2, 0.7, COUNT * D, input_x0);
  test_equal_programs();
  test_independence();
  test_central_differences(CNF_TRACE_NONE);
  test_central_differences(CNF_TRACE_EXACT_TANGENTS);
  test_central_differences(CNF_TRACE_HUTCHINSON);
  test_missing_functions();
  test_bad_ops();
  test_layout();
  test_nan(CNF_CONTROL_SAMPLE);
  test_nan(CNF_CONTROL_FIXED);
  test_pole();
  test_empty_lanes(CNF_CONTROL_FIXED, 0);
  test_empty_lanes(CNF_CONTROL_FIXED, -1);
  test_empty_lanes(CNF_CONTROL_SAMPLE, 0);
  return check_report();
}
