/* ops_fixture.h - programs with all ops of architectures, in double, with a few samples and a loss. */
#ifndef CNF_TESTS_OPS_FIXTURE_H
#define CNF_TESTS_OPS_FIXTURE_H

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check.h"

enum { D = 3, C = 2, COUNT = 5, MOST_OPS = 40, MOST_PARAMETERS = 512 };

typedef struct program {
  const char *name;
  int32_t count;
  cnf_op ops[MOST_OPS];
} program;

static int32_t append(program *p, cnf_op op) {
  p->ops[p->count++] = op;
  return p->count;
}
static int32_t leaf_op(program *p, int32_t kind, int32_t rows) {
  return append(p, (cnf_op){.kind = kind, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK, .rows = rows});
}
static int32_t linear(program *p, int32_t input, int32_t rows, int32_t activation) {
  return append(
      p,
      (cnf_op){.kind = CNF_OP_LINEAR, .input = input, .input2 = CNF_NO_BLOCK, .rows = rows, .activation = activation});
}
static int32_t unary(program *p, int32_t kind, int32_t input, double number) {
  return append(p, (cnf_op){.kind = kind, .input = input, .input2 = CNF_NO_BLOCK, .number = number});
}
static int32_t slice(program *p, int32_t input, int32_t first, int32_t rows) {
  return append(p,
                (cnf_op){.kind = CNF_OP_SLICE, .input = input, .input2 = CNF_NO_BLOCK, .rows = rows, .first = first});
}
static int32_t pair(program *p, int32_t kind, int32_t a, int32_t b) {
  return append(p, (cnf_op){.kind = kind, .input = a, .input2 = b});
}

/* FFJORD's concatsquash: (W x + b) * sigmoid(g t + c) + h t. */
static int32_t concat_squash(program *p, int32_t x, int32_t t, int32_t rows) {
  const int32_t y = linear(p, x, rows, CNF_ACTIVATION_IDENTITY), gate = linear(p, t, rows, CNF_ACTIVATION_SIGMOID);
  const int32_t shift = linear(p, t, rows, CNF_ACTIVATION_IDENTITY);
  return pair(p, CNF_OP_ADD, pair(p, CNF_OP_MULTIPLY, y, gate), shift);
}
static program squashed(void) {
  program p = {.name = "concatsquash"};
  const int32_t t = leaf_op(&p, CNF_OP_TIME, 0);
  const int32_t y = append(&p, (cnf_op){.kind = CNF_OP_ACTIVATION,
                                        .input = concat_squash(&p, CNF_STATE, t, 6),
                                        .input2 = CNF_NO_BLOCK,
                                        .activation = CNF_ACTIVATION_TANH});
  concat_squash(&p, y, t, D);
  return p;
}
/* Products of blocks that depend on the state, one with itself and one with a single row; slices before and after
 * nonlinear ops. */
static program products(void) {
  program p = {.name = "products and slices"};
  const int32_t square = pair(&p, CNF_OP_MULTIPLY, CNF_STATE, CNF_STATE);
  const int32_t row = slice(&p, CNF_STATE, 1, 1);
  const int32_t scaled = pair(&p, CNF_OP_MULTIPLY, square, row);
  const int32_t hidden = linear(&p, scaled, 5, CNF_ACTIVATION_TANH);
  const int32_t upper = slice(&p, hidden, 2, 3), lower = slice(&p, hidden, 0, 3), one = slice(&p, hidden, 4, 1);
  const int32_t product = pair(&p, CNF_OP_MULTIPLY, upper, lower);
  const int32_t out = pair(&p, CNF_OP_ADD, pair(&p, CNF_OP_MULTIPLY, product, one), CNF_STATE);
  pair(&p, CNF_OP_ADD, out, slice(&p, hidden, 1, 3));
  return p;
}
/* A conditional network of [x, context, t], for which the product form of the exact trace works. */
static program conditional(void) {
  program p = {.name = "conditional"};
  const int32_t c = leaf_op(&p, CNF_OP_CONTEXT, C), t = leaf_op(&p, CNF_OP_TIME, 0);
  const int32_t input = pair(&p, CNF_OP_CONCAT, pair(&p, CNF_OP_CONCAT, CNF_STATE, c), t);
  linear(&p, linear(&p, linear(&p, input, 6, CNF_ACTIVATION_TANH), 5, CNF_ACTIVATION_SOFTPLUS), D, 0);
  return p;
}
/* Gates that depend on the context, and a term of dx/dt that depends on the context only. */
static program gated(void) {
  program p = {.name = "gated by context"};
  const int32_t c = leaf_op(&p, CNF_OP_CONTEXT, C);
  const int32_t gate = linear(&p, c, 4, CNF_ACTIVATION_SIGMOID);
  const int32_t y = pair(&p, CNF_OP_MULTIPLY, linear(&p, CNF_STATE, 4, CNF_ACTIVATION_SIN), gate);
  const int32_t out = linear(&p, y, D, 0), row = slice(&p, c, 1, 1);
  pair(&p, CNF_OP_ADD, pair(&p, CNF_OP_MULTIPLY, out, row), linear(&p, c, D, 0));
  return p;
}
/* Layer norms of a linear block, of a nonlinear block, of the state, and as last op. */
static program normed(void) {
  program p = {.name = "layer norms"};
  const int32_t first = unary(&p, CNF_OP_LAYER_NORM, linear(&p, CNF_STATE, 7, 0), 0);
  const int32_t nonlinear = linear(&p, first, 5, CNF_ACTIVATION_TANH);
  const int32_t second = linear(&p, unary(&p, CNF_OP_LAYER_NORM, nonlinear, 1e-2), D, CNF_ACTIVATION_SOFTPLUS);
  const int32_t state = unary(&p, CNF_OP_LAYER_NORM, CNF_STATE, 0.5);
  unary(&p, CNF_OP_LAYER_NORM, pair(&p, CNF_OP_ADD, second, state), 0.1);
  return p;
}
/* Scales before, between and after nonlinear ops, of blocks that other ops read too. */
static program scaled(void) {
  program p = {.name = "scales"};
  const int32_t half = unary(&p, CNF_OP_SCALE, CNF_STATE, 0.5);
  const int32_t hidden = linear(&p, pair(&p, CNF_OP_CONCAT, half, CNF_STATE), 5, CNF_ACTIVATION_TANH);
  const int32_t nonlinear = linear(&p, unary(&p, CNF_OP_SCALE, hidden, -1.5), D, CNF_ACTIVATION_SOFTPLUS);
  const int32_t out = linear(&p, hidden, D, 0), sum = pair(&p, CNF_OP_ADD, nonlinear, out);
  pair(&p, CNF_OP_ADD, unary(&p, CNF_OP_SCALE, sum, 0.7), unary(&p, CNF_OP_SCALE, half, -1));
  return p;
}
static program dropped(void) {
  program p = {.name = "dropout"};
  const int32_t first = unary(&p, CNF_OP_DROPOUT, linear(&p, CNF_STATE, 9, CNF_ACTIVATION_TANH), 0.4);
  const int32_t second = unary(&p, CNF_OP_DROPOUT, linear(&p, first, 8, CNF_ACTIVATION_TANH), 0.25);
  pair(&p, CNF_OP_ADD, linear(&p, second, D, 0), unary(&p, CNF_OP_DROPOUT, CNF_STATE, 0.5));
  return p;
}
/* FFJORD's hyper and blend layers, which are products with the time. */
static program hyper(void) {
  program p = {.name = "hyper and blend"};
  const int32_t t = leaf_op(&p, CNF_OP_TIME, 0);
  const int32_t still = linear(&p, CNF_STATE, 5, 0), moving = linear(&p, CNF_STATE, 5, 0);
  const int32_t sum = pair(&p, CNF_OP_ADD, still, pair(&p, CNF_OP_MULTIPLY, moving, t));
  const int32_t y = unary(&p, CNF_OP_LAYER_NORM, sum, 0);
  const int32_t early = linear(&p, y, D, CNF_ACTIVATION_SILU), late = linear(&p, y, D, CNF_ACTIVATION_GELU);
  const int32_t change = pair(&p, CNF_OP_ADD, late, unary(&p, CNF_OP_SCALE, early, -1));
  pair(&p, CNF_OP_ADD, early, pair(&p, CNF_OP_MULTIPLY, change, t));
  return p;
}
static int32_t transposed(program *p, int32_t input, int32_t tied) {
  return append(p, (cnf_op){.kind = CNF_OP_TRANSPOSED, .input = input, .input2 = CNF_NO_BLOCK, .tied = tied});
}
static int32_t affine(program *p, int32_t input, double factor, double offset) {
  return append(
      p, (cnf_op){.kind = CNF_OP_SCALE, .input = input, .input2 = CNF_NO_BLOCK, .number = factor, .offset = offset});
}
/* Minus the gradient of w' tanh(V softplus(K (x, t) + b) + c) by x. No op reads the last layer, but its weights are
 * used. */
static program potential(void) {
  program p = {.name = "gradient of a potential"};
  const int32_t t = leaf_op(&p, CNF_OP_TIME, 0), s = pair(&p, CNF_OP_CONCAT, CNF_STATE, t);
  const int32_t z = linear(&p, s, 6, 0);
  const int32_t u = append(
      &p,
      (cnf_op){.kind = CNF_OP_ACTIVATION, .input = z, .input2 = CNF_NO_BLOCK, .activation = CNF_ACTIVATION_SOFTPLUS});
  const int32_t y = linear(&p, u, 5, CNF_ACTIVATION_TANH), phi = linear(&p, y, 1, 0);
  const int32_t slope = affine(&p, pair(&p, CNF_OP_MULTIPLY, y, y), -1, 1);
  const int32_t y_bar = transposed(&p, affine(&p, t, 0, 1), phi);
  const int32_t u_bar = transposed(&p, pair(&p, CNF_OP_MULTIPLY, y_bar, slope), y);
  const int32_t sigmoid = append(
      &p,
      (cnf_op){.kind = CNF_OP_ACTIVATION, .input = z, .input2 = CNF_NO_BLOCK, .activation = CNF_ACTIVATION_SIGMOID});
  const int32_t s_bar = transposed(&p, pair(&p, CNF_OP_MULTIPLY, u_bar, sigmoid), z);
  affine(&p, slice(&p, s_bar, 0, D), -1, 0);
  return p;
}
/* Tied weights before, between and after nonlinear ops, of ops whose results are used and of one whose result is
 * not. */
static program tied(void) {
  program p = {.name = "tied weights"};
  const int32_t square = linear(&p, CNF_STATE, D, 0), wide = linear(&p, CNF_STATE, 5, CNF_ACTIVATION_TANH);
  const int32_t first = transposed(&p, CNF_STATE, square); /* the first op of the state's tangent */
  const int32_t inner = linear(&p, transposed(&p, wide, wide), 4, CNF_ACTIVATION_SILU);
  const int32_t unused = linear(&p, first, 4, CNF_ACTIVATION_TANH);
  const int32_t nonlinear = linear(&p, transposed(&p, inner, unused), D, CNF_ACTIVATION_TANH);
  const int32_t out = transposed(&p, nonlinear, square); /* the last op of dx/dt */
  pair(&p, CNF_OP_ADD, pair(&p, CNF_OP_ADD, out, first), transposed(&p, square, square));
  return p;
}
/* Sums of the state, of nonlinear blocks, and of the last linear block; and a block with an offset. */
static program sums(void) {
  program p = {.name = "sums"};
  const int32_t total = unary(&p, CNF_OP_SUM, CNF_STATE, 0), hidden = linear(&p, total, 5, CNF_ACTIVATION_TANH);
  const int32_t joined = pair(&p, CNF_OP_CONCAT, hidden, affine(&p, CNF_STATE, 0.5, -0.3));
  const int32_t norm = unary(&p, CNF_OP_SUM, pair(&p, CNF_OP_MULTIPLY, joined, joined), 0);
  const int32_t gate = unary(&p, CNF_OP_SUM, linear(&p, norm, 3, CNF_ACTIVATION_SIGMOID), 0);
  const int32_t row = unary(&p, CNF_OP_SUM, linear(&p, hidden, 4, 0), 0);
  const int32_t two = pair(&p, CNF_OP_CONCAT, gate, pair(&p, CNF_OP_ADD, row, total));
  pair(&p, CNF_OP_CONCAT, two, affine(&p, pair(&p, CNF_OP_MULTIPLY, gate, row), 0.7, 0.1));
  return p;
}
static int32_t identity(program *p, int32_t input) {
  return append(
      p, (cnf_op){
             .kind = CNF_OP_ACTIVATION, .input = input, .input2 = CNF_NO_BLOCK, .activation = CNF_ACTIVATION_IDENTITY});
}
/* ACTIVATION ops that are linear, before and after a nonlinear layer and around it. */
static program identities(void) {
  program p = {.name = "identities"};
  const int32_t state = identity(&p, CNF_STATE);
  const int32_t hidden = linear(&p, identity(&p, linear(&p, state, 5, 0)), 6, CNF_ACTIVATION_TANH);
  const int32_t out = linear(&p, identity(&p, hidden), D, 0);
  identity(&p, pair(&p, CNF_OP_ADD, identity(&p, out), state));
  return p;
}
typedef program (*program_maker)(void);
static const program_maker programs[] = {squashed, products, conditional, gated, normed, scaled,
                                         dropped,  hyper,    potential,   tied,  sums,   identities};
enum { PROGRAMS = sizeof programs / sizeof programs[0] };

/* ---- Numbers
 * ------------------------------------------------------------------------------------------------------- */

typedef struct numbers {
  double theta[MOST_PARAMETERS], x0[COUNT * D], context[COUNT * C], t[2];
  uint64_t ids[COUNT];
} numbers;

/* Irregular numbers in (-1, 1), from multiples of the golden ratio. */
static double number_at(int i) { return 2 * fmod(0.6180339887498949 * (i + 1), 1) - 1; }
static inline void numbers_fill(numbers *n) {
  for (int i = 0; i < MOST_PARAMETERS; i++) n->theta[i] = 0.9 * number_at(7 * i + 3);
  for (int i = 0; i < COUNT * D; i++) n->x0[i] = 1.2 * number_at(i);
  for (int i = 0; i < COUNT * C; i++) n->context[i] = number_at(5 * i + 2);
  for (int i = 0; i < COUNT; i++) n->ids[i] = (uint64_t)(11 + 3 * i);
  n->t[0] = 0.2, n->t[1] = 0.9;
}

typedef struct setting {
  int32_t trace, probes, control, isa, threads, adjoint, regularised;
  int64_t store_bytes;
  double tolerance;
} setting;

static inline cnf_solver *ops_solver(const program *p, int32_t dtype, setting s) {
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  CHECK(cnf_field_create(dtype, D, p->ops, p->count, sizeof(cnf_op), &field) == CNF_OK);
  CHECK(cnf_field_parameter_count(field) <= MOST_PARAMETERS);
  cnf_solver_options_init(&options, sizeof options);
  options.control = s.control, options.steps = 3, options.trace = s.trace, options.probes = s.probes;
  options.isa = s.isa, options.threads = s.threads, options.adjoint = s.adjoint, options.store_bytes = s.store_bytes;
  options.kinetic = options.frobenius = s.regularised;
  if (s.tolerance > 0) options.rtol = options.atol = s.tolerance;
  const cnf_status status = cnf_solver_create(field, &options, &solver);
  check_count(status == CNF_OK || status == CNF_ERROR_TRACE, "solver", p->name, __LINE__);
  cnf_field_destroy(field);
  return status == CNF_OK ? solver : NULL;
}

static int reads_context(const program *p) {
  for (int32_t i = 0; i < p->count; i++)
    if (p->ops[i].kind == CNF_OP_CONTEXT) return 1;
  return 0;
}
/* The input for samples [first, first + count). */
static cnf_solve_input input_of(const program *p, const numbers *n, int first, int count) {
  return (cnf_solve_input){.struct_size = sizeof(cnf_solve_input),
                           .parameters = n->theta,
                           .x0 = n->x0 + first * D,
                           .count = (size_t)count,
                           .t0 = n->t[0],
                           .t1 = n->t[1],
                           .seed = 5,
                           .step = 3,
                           .sample_ids = n->ids + first,
                           .context = reads_context(p) ? n->context + first * C : NULL,
                           .dropout_active = 1};
}

typedef struct results {
  double x1[COUNT * D], log_det[COUNT], theta[MOST_PARAMETERS], x0[COUNT * D], context[COUNT * C], t0[COUNT], t1[COUNT];
  double loss[COUNT];
  int32_t status[COUNT];
} results;

static inline void differentiate(cnf_solver *solver, const program *p, const numbers *n, int regularised, int first,
                                 int count, results *r) {
  memset(r, 0, sizeof *r);
  const cnf_solve_input in = input_of(p, n, first, count);
  cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  if (regularised) loss.kinetic = 0.3, loss.frobenius = 0.2;
  cnf_solve_output out = {.struct_size = sizeof out, .x1 = r->x1, .log_det = r->log_det, .status = r->status};
  cnf_gradient gradient = {.struct_size = sizeof gradient,
                           .parameters = r->theta,
                           .x0 = r->x0,
                           .t0 = r->t0,
                           .t1 = r->t1,
                           .loss = r->loss,
                           .context = reads_context(p) ? r->context : NULL};
  CHECK_STATUS(CNF_OK, cnf_solve_vjp(solver, &in, &loss, &out, &gradient), p->name);
  for (int i = 0; i < count; i++) check_count(r->status[i] == CNF_SAMPLE_OK, "sample", p->name, __LINE__);
}

#endif
