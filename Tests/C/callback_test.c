/* callback_test.c - layers that are callbacks give the same numbers as the library's own layers, alone and among
 * others. */
#include <float.h>

#include "callback_fixture.h"
#include "callback_layer.h"

enum { D = 3, HIDDEN = 5, COUNT = 21, MOST_OPS = 12, MOST_P = 256 };

/* ---- A field program with callbacks in place of some LINEAR ops -------------------------------------------------- */

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

/* A plain network: the tangent of its first layer is constant, and its last layer is linear. */
static program plain_net(void) {
  program p = {.count = 0, .rows = {D}};
  const int32_t first = linear(&p, with_time(&p, CNF_STATE), HIDDEN, CNF_ACTIVATION_TANH);
  linear(&p, linear(&p, first, HIDDEN - 1, CNF_ACTIVATION_TANH), D, CNF_ACTIVATION_IDENTITY);
  return p;
}
/* Linear layers before and after nonlinear ones, blocks that several ops read, and the state as first and last
 * operand. */
static program every_op(void) {
  program p = {.count = 0, .rows = {D}};
  const int32_t entry = linear(&p, CNF_STATE, D, CNF_ACTIVATION_IDENTITY);
  const int32_t first = linear(&p, with_time(&p, entry), HIDDEN, CNF_ACTIVATION_TANH);
  const int32_t sum = pair(&p, CNF_OP_ADD, first, linear(&p, first, HIDDEN, CNF_ACTIVATION_IDENTITY));
  const int32_t activated = append(
      &p,
      (cnf_op){.kind = CNF_OP_ACTIVATION, .input = sum, .input2 = CNF_NO_BLOCK, .activation = CNF_ACTIVATION_SOFTPLUS},
      HIDDEN);
  const int32_t both = pair(&p, CNF_OP_CONCAT, activated, first);
  pair(&p, CNF_OP_ADD, linear(&p, both, D, CNF_ACTIVATION_IDENTITY), CNF_STATE);
  return p;
}

static int linear_count(const program *p) {
  int count = 0;
  for (int32_t i = 0; i < p->count; i++) count += p->ops[i].kind == CNF_OP_LINEAR;
  return count;
}

/* LINEAR op number n of the program becomes a callback if bit n of `mask` is set. If the op reads a concatenation with
 * the time, the callback reads only the other operand, because it gets the time as an argument. */
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
  CHECK(cnf_field_create(dtype, D, keep->ops, keep->count, sizeof(cnf_op), &field) == CNF_OK);
  return field;
}

/* ---- Solves and gradients ---------------------------------------------------------------------------------------- */

/* All results of a gradient call, as doubles. */
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

static double input_theta[MOST_P], input_x0[COUNT * D];

/* The results for samples [first, first + count) of the input. */
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

/* The largest difference of two arrays, divided by the largest magnitude in them. */
static double difference(const double *a, const double *b, size_t count) {
  double worst = 0, scale = DBL_MIN;
  for (size_t i = 0; i < count; i++) {
    scale = fmax(scale, fmax(fabs(a[i]), fabs(b[i])));
    if (!(fabs(a[i] - b[i]) <= worst)) worst = fabs(a[i] - b[i]); /* in this form a NaN stays */
  }
  return worst / scale;
}

/* Both programs round the n <= 200 sums of products of each of about 36 evaluations in different orders. A sum of n of
 * them differs by about sqrt(n) half units: 36 * sqrt(200) / 2 = 250 units in the last place of the largest. The
 * networks amplify errors by up to e^1.25 over the interval, so the bound is 4 times that. */
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
  check_count(worst <= tolerance, "a callback equals the op it replaces", detail, __LINE__);
}

/* With any combination of layers as callbacks, the solution and the gradients equal those of the original program. */
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
        /* In float, rounding affects adaptive steps, so only fixed steps are the same. */
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

/* A sample has the same bits alone, in part of a batch, at other positions and with other numbers of threads; and
 * gradients have the same bits with any number of threads. */
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

/* The parameters of a callback come after those of the ops before it. */
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

int main(void) {
  numbers(1, 0.5, MOST_P, input_theta);
  numbers(2, 0.7, COUNT * D, input_x0);
  test_equal_programs();
  test_independence();
  test_layout();
  return check_report();
}
