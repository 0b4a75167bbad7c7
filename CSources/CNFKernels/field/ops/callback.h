/* CALLBACK ops: the host's functions called on the panels of an evaluation. cnf.h has their contract.
 *
 * dy/dx varies, so the op bends (tangent_plan.c): its tangent is made in every evaluation. Unlike an activation it couples rows,
 * so nothing of its reverse can be done in place: cotangents of x are made in callback_bar, and what groups of tangents add
 * to the value's is held until the value is reversed, with the first group. The time is kept beside the evaluation, as its aux.
 */
#include "field/evaluator.h"

/* The op's own part of an array laid out like theta, or like a padded gradient; NULL where it has no parameters. */
static const real *callback_theta(const cnf_model *m, const cnf_plan *plan) {
  return plan->callback.parameter_count ? m->theta + plan->weight : NULL;
}

static void callback_value(cnf_evaluator *e, int32_t i, const real *time) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  real *t = kept_aux(e, plan);
  copy_rows(1, lanes, time, t);
  plan->callback.evaluate(plan->callback.context, lanes, t, PANEL(e->kept.value, blocks[plan->op.input].row),
                          callback_theta(m, plan), PANEL(e->kept.value, blocks[i + 1].row));
}

static void callback_tangent(cnf_evaluator *e, int32_t i, const real *x_dot, real *y_dot) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  plan->callback.tangent(plan->callback.context, lanes, kept_aux(e, plan),
                         PANEL(e->kept.value, blocks[plan->op.input].row), callback_theta(m, plan), x_dot, y_dot);
}

/* The cotangent of tangent g of block i + 1, whose op bends, in place: what reached it, and mu times its exit. */
static const real *bend_tangent_bar(cnf_evaluator *e, int32_t i, int32_t n, int32_t g, const real *mu) {
  EVALUATOR_NAMES(e);
  const cnf_block *block = &blocks[i + 1];
  real *bar = varying_of(m, e->bars.tangent_bar, g, i + 1);
  if (!block->exits) return bar;
  const real *exit = rows_of(m, e->constants.exit, n, i + 1);
  if (block->turns)
    k->scale_add(block->rows, exit, mu, bar);
  else
    k->scale(block->rows, exit, mu, bar);
  k->scale_add(block->rows, tangent_of(e, n - g, g, i + 1), mu, rows_of(m, e->constants.exit_bar, n, i + 1));
  return bar;
}

/* Reverse of op i: of `count` tangents of the group that begins with `first`, then of the value where time_bar is not NULL.
 * has_held: `held` has parts of other groups already. */
static void reverse_callback(cnf_evaluator *e, int32_t i, int32_t first, int32_t count, const real *mu, int has_held,
                             real *time_bar, real *gradient) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  const cnf_callback *host = &plan->callback;
  const int32_t input = plan->op.input, rows = plan->cols + 1; /* of x, then t */
  const real *t = kept_aux(e, plan), *x = PANEL(e->kept.value, blocks[input].row);
  const real *theta = callback_theta(m, plan);
  real *theta_bar = host->parameter_count ? gradient + m->places[i].weight_bar : NULL;
  real *held = PANEL(e->held, plan->held_row);
  real *x_bar = e->callback_bar, *t_bar = PANEL(x_bar, plan->cols), *x_dot_bar = PANEL(x_bar, rows);
  if (count && !has_held) zero_rows(rows, lanes, held);
  for (int32_t g = 0; g < count; g++) {
    const real *x_dot = tangent_of(e, first, g, input);
    const real *y_dot_bar = bend_tangent_bar(e, i, first + g, g, mu);
    zero_rows(rows + plan->cols, lanes, x_bar);
    host->tangent_reverse(host->context, lanes, t, x, theta, x_dot, y_dot_bar, x_bar, x_dot_bar, t_bar, theta_bar);
    k->add(rows, held, x_bar, held);
    lead_tangent_back(e, first + g, g, input, x_dot_bar, plan->tangent_accumulate);
  }
  if (!time_bar) return;
  zero_rows(rows, lanes, x_bar);
  host->reverse(host->context, lanes, t, x, theta, PANEL(e->bars.bar, blocks[i + 1].row), x_bar, t_bar, theta_bar);
  if (count || has_held) k->add(rows, x_bar, held, x_bar);
  k->add(1, time_bar, t_bar, time_bar);
  lead_back(k, plan->cols, x_bar, plan->accumulate, PANEL(e->bars.bar, blocks[input].row));
}
