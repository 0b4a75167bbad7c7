/* MULTIPLY, LAYER_NORM and DROPOUT: they bend (tangent_plan.c), and their reverse is not an activation's.
 *
 * As with callbacks (callback.h), what tangents add to the operands' cotangents is held until the value is reversed. With a
 * tangent's y_dot and w the cotangent of it, `w . y_dot` differentiated:
 *
 *   y = a b           y_dot = a_dot b + a b_dot:   a_dot_bar = w b, b_dot_bar = w a, a_bar += w b_dot, b_bar += w a_dot.
 *   y = mask x        y_dot = mask x_dot:          x_dot_bar = mask w, nothing is held.
 *   y = g n + b,      n = r (x - mean x), r = 1/sqrt(mean (x - mean x)^2 + epsilon). The derivative of n by x is the symmetric
 *       D v = r (v - mean v - n mean(n v)),   y_dot = g D x_dot,   x_bar = D(g y_bar),   x_dot_bar = D(g w),
 *     and that of s = u . D v for u = g w, v = x_dot, by dr = -r^2 mean(n dx) and dn = D dx,
 *       x_bar += -r (mean(n u) D v + mean(n v) D u + mean(u D v) n),   g_bar += w D v summed over lanes.
 *     (Layer normalisation: Ba, Kiros and Hinton 2016, arXiv 1607.06450.)
 */
#include "field/evaluator.h"

/* out (+)= a b, where b has as many rows as a, or one. */
static void times_rows(const cnf_kernels *k, int32_t rows, const real *a, const real *b, int32_t b_rows, int accumulate,
                       real *out) {
  if (b_rows == rows)
    k->multiply(rows, a, b, accumulate, out);
  else if (accumulate)
    k->scale_add(rows, a, b, out);
  else
    k->scale(rows, a, b, out);
}
/* Its transpose: b's share of c, whose rows are a's. */
static void times_rows_back(const cnf_kernels *k, int32_t rows, const real *a, const real *c, int32_t b_rows,
                            int accumulate, real *out) {
  if (b_rows == rows)
    k->multiply(rows, a, c, accumulate, out);
  else
    k->dot(rows, a, c, accumulate, out);
}

/* ---- MULTIPLY */

static void multiply_tangent(cnf_evaluator *e, int32_t i, int32_t first, int32_t g, real *y_dot) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  const cnf_op *op = &plan->op;
  const cnf_block *a = &blocks[op->input], *b = &blocks[op->input2];
  const real *a_rows = PANEL(e->kept.value, a->row), *b_rows = PANEL(e->kept.value, b->row);
  const real *a_dot = tangent_of(e, first, g, op->input);
  const real *b_dot = tangent_of(e, first, g, op->input2);
  if (a->from_state) times_rows(k, plan->rows, a_dot, b_rows, b->rows, 0, y_dot);
  if (b->from_state) times_rows(k, plan->rows, a_rows, b_dot, b->rows, a->from_state, y_dot);
}

static void multiply_reverse(cnf_evaluator *e, int32_t i) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  const cnf_block *a = &blocks[plan->op.input], *b = &blocks[plan->op.input2];
  const real *bar = PANEL(e->bars.bar, blocks[i + 1].row);
  times_rows(k, plan->rows, bar, PANEL(e->kept.value, b->row), b->rows, plan->accumulate, PANEL(e->bars.bar, a->row));
  times_rows_back(k, plan->rows, bar, PANEL(e->kept.value, a->row), b->rows, plan->accumulate2,
                  PANEL(e->bars.bar, b->row));
}

static void multiply_tangent_reverse(cnf_evaluator *e, int32_t i, int32_t first, int32_t g, const real *bar,
                                     real *held) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  const cnf_op *op = &plan->op;
  const cnf_block *a = &blocks[op->input], *b = &blocks[op->input2];
  const real *a_rows = PANEL(e->kept.value, a->row), *b_rows = PANEL(e->kept.value, b->row);
  const real *a_dot = tangent_of(e, first, g, op->input);
  const real *b_dot = tangent_of(e, first, g, op->input2);
  real *held_b = PANEL(held, plan->rows);
  if (b->from_state) times_rows(k, plan->rows, bar, b_dot, b->rows, 1, held);
  if (a->from_state) times_rows_back(k, plan->rows, bar, a_dot, b->rows, 1, held_b);
  if (a->from_state) {
    times_rows(k, plan->rows, bar, b_rows, b->rows, 0, e->room);
    lead_tangent_back(e, first + g, g, op->input, e->room, plan->tangent_accumulate);
  }
  if (b->from_state) {
    times_rows_back(k, plan->rows, bar, a_rows, b->rows, 0, e->room);
    lead_tangent_back(e, first + g, g, op->input2, e->room, plan->tangent_accumulate2);
  }
}

/* ---- LAYER_NORM */

/* Row = sum over rows of a (b NULL), or of a b, over `rows`. */
static void mean_row(const cnf_kernels *k, int32_t rows, const real *a, const real *b, real *row) {
  if (b)
    k->dot(rows, a, b, 0, row);
  else
    k->total(rows, a, 0, row);
  for (int32_t j = 0; j < k->lanes; j++) row[j] /= (real)rows;
}
static void negate_row(const cnf_kernels *k, real *row) {
  for (int32_t j = 0; j < k->lanes; j++) row[j] = -row[j];
}

static void layer_norm_value(cnf_evaluator *e, int32_t i, const real *x, real *y) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  const real epsilon = (real)plan->op.number;
  real *n = kept_aux(e, plan), *r = PANEL(n, plan->rows);
  mean_row(k, plan->rows, x, NULL, r);
  negate_row(k, r);
  k->shift(plan->rows, x, r, n);
  mean_row(k, plan->rows, n, n, r);
  for (int32_t j = 0; j < lanes; j++) r[j] = 1 / (real)sqrt((double)(r[j] + epsilon));
  k->scale(plan->rows, n, r, n);
  k->affine(plan->rows, n, m->theta + plan->weight, m->theta + plan->bias, y);
}

/* out = D v; a row of scratch. Nothing overlaps. */
static void layer_norm_derivative(const cnf_evaluator *e, const cnf_plan *plan, const real *v, real *row, real *out) {
  const cnf_kernels *k = e->model->kernels;
  const real *n = kept_aux(e, plan), *r = n + (size_t)plan->rows * (size_t)k->lanes;
  mean_row(k, plan->rows, v, NULL, row);
  negate_row(k, row);
  k->shift(plan->rows, v, row, out);
  mean_row(k, plan->rows, v, n, row);
  negate_row(k, row);
  k->scale_add(plan->rows, n, row, out);
  k->scale(plan->rows, out, r, out);
}

static void layer_norm_tangent(cnf_evaluator *e, int32_t i, const real *x_dot, real *y_dot) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  layer_norm_derivative(e, plan, x_dot, PANEL(e->room, plan->rows), e->room);
  k->affine(plan->rows, e->room, m->theta + plan->weight, NULL, y_dot);
}

/* gain_bar += sums over lanes of w * n, or of w * D v. */
static void gain_gradient(cnf_evaluator *e, int32_t i, const real *w, const real *n, real *room, real *gradient) {
  EVALUATOR_NAMES(e);
  const real *products = room;
  if (!gradient) return;
  k->multiply(p->plans[i].rows, w, n, 0, room);
  k->row_sums(p->plans[i].rows, 1, &products, gradient + m->places[i].weight_bar);
}

static void layer_norm_reverse(cnf_evaluator *e, int32_t i, real *gradient) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  const real *bar = PANEL(e->bars.bar, blocks[i + 1].row);
  real *u = e->room, *x_bar = PANEL(u, plan->rows), *row = PANEL(x_bar, plan->rows);
  gain_gradient(e, i, bar, kept_aux(e, plan), u, gradient);
  if (gradient) k->row_sums(plan->rows, 1, &bar, gradient + m->places[i].bias_bar);
  k->affine(plan->rows, bar, m->theta + plan->weight, NULL, u);
  layer_norm_derivative(e, plan, u, row, x_bar);
  lead_back(k, plan->rows, x_bar, plan->accumulate, PANEL(e->bars.bar, blocks[plan->op.input].row));
}

static void layer_norm_tangent_reverse(cnf_evaluator *e, int32_t i, int32_t first, int32_t g, const real *bar,
                                       real *held, real *gradient) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  const int32_t rows = plan->rows, input = plan->op.input;
  const real *n = kept_aux(e, plan), *r = PANEL(n, rows), *v = tangent_of(e, first, g, input);
  real *u = e->room, *dv = PANEL(u, rows), *du = PANEL(dv, rows), *row = PANEL(du, rows);
  layer_norm_derivative(e, plan, v, row, dv);
  gain_gradient(e, i, bar, dv, u, gradient);
  k->affine(rows, bar, m->theta + plan->weight, NULL, u);
  layer_norm_derivative(e, plan, u, row, du);
  const real *const pairs[3][3] = {{n, u, dv}, {n, v, du}, {u, dv, n}}; /* -r mean(first second) third */
  for (int q = 0; q < 3; q++) {
    mean_row(k, rows, pairs[q][0], pairs[q][1], row);
    for (int32_t j = 0; j < lanes; j++) row[j] *= -r[j];
    k->scale_add(rows, pairs[q][2], row, held);
  }
  lead_tangent_back(e, first + g, g, input, du, plan->tangent_accumulate);
}

/* ---- All three, as passes.h calls them */

static int couples(const cnf_op *op) {
  return op->kind == CNF_OP_MULTIPLY || op->kind == CNF_OP_LAYER_NORM || op->kind == CNF_OP_DROPOUT;
}

static void coupling_value(cnf_evaluator *e, int32_t i, const real *a, real *y) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  switch (plan->op.kind) {
  case CNF_OP_MULTIPLY: {
    const cnf_block *b = &blocks[plan->op.input2];
    times_rows(k, plan->rows, a, PANEL(e->kept.value, b->row), b->rows, 0, y);
    break;
  }
  case CNF_OP_LAYER_NORM: layer_norm_value(e, i, a, y); break;
  case CNF_OP_DROPOUT: k->multiply(plan->rows, a, PANEL(e->masks, plan->mask_row), 0, y); break;
  }
}

static void coupling_tangent(cnf_evaluator *e, int32_t i, int32_t first, int32_t g, real *y_dot) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  switch (plan->op.kind) {
  case CNF_OP_MULTIPLY: multiply_tangent(e, i, first, g, y_dot); break;
  case CNF_OP_LAYER_NORM: layer_norm_tangent(e, i, tangent_of(e, first, g, plan->op.input), y_dot); break;
  case CNF_OP_DROPOUT:
    k->multiply(plan->rows, tangent_of(e, first, g, plan->op.input), PANEL(e->masks, plan->mask_row), 0, y_dot);
    break;
  }
}

/* Reverse of op i: of `count` tangents of the group that begins with `first`, then of the value where with_value. has_held:
 * `held` has parts of other groups already. gradient NULL: no parameter's. */
static void reverse_coupling(cnf_evaluator *e, int32_t i, int with_value, int32_t first, int32_t count, const real *mu,
                             int has_held, real *gradient) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  const cnf_op *op = &plan->op;
  const int32_t rows = plan->held_row < 0 ? 0 : cnf_plan_held_rows(p, plan);
  real *held = rows ? PANEL(e->held, plan->held_row) : NULL;
  if (rows && count && !has_held) zero_rows(rows, lanes, held);
  for (int32_t g = 0; g < count; g++) {
    const real *bar = bend_tangent_bar(e, i, first + g, g, mu);
    if (op->kind == CNF_OP_MULTIPLY) multiply_tangent_reverse(e, i, first, g, bar, held);
    if (op->kind == CNF_OP_LAYER_NORM) layer_norm_tangent_reverse(e, i, first, g, bar, held, gradient);
    if (op->kind == CNF_OP_DROPOUT) {
      k->multiply(plan->rows, bar, PANEL(e->masks, plan->mask_row), 0, e->room);
      lead_tangent_back(e, first + g, g, op->input, e->room, plan->tangent_accumulate);
    }
  }
  if (!with_value) return;
  real *a_bar = PANEL(e->bars.bar, blocks[op->input].row);
  if (op->kind == CNF_OP_MULTIPLY) multiply_reverse(e, i);
  if (op->kind == CNF_OP_LAYER_NORM) layer_norm_reverse(e, i, gradient);
  if (op->kind == CNF_OP_DROPOUT)
    k->multiply(plan->rows, PANEL(e->bars.bar, blocks[i + 1].row), PANEL(e->masks, plan->mask_row), plan->accumulate,
                a_bar);
  if (!rows || (!count && !has_held)) return;
  k->add(plan->rows, a_bar, held, a_bar);
  if (op->kind != CNF_OP_MULTIPLY) return;
  const cnf_block *b = &blocks[op->input2];
  real *b_bar = PANEL(e->bars.bar, b->row);
  k->add(b->rows, b_bar, PANEL(held, plan->rows), b_bar);
}
