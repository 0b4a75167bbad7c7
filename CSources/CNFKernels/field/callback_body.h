/* CALLBACK ops: the host's functions called on the panels of an evaluation. cnf.h has their contract.
 *
 * dy/dx varies, so the op bends (tangent_plan.c): its tangent is made in every evaluation. Unlike an activation it couples rows,
 * so nothing of its reverse can be done in place: cotangents of x are made in callback_bar, and what groups of tangents add
 * to the value's is held until the value is reversed, with the first group. The time is kept beside the evaluation, as its aux.
 */
#include "field/evaluator.h"

/* The op's own part of an array laid out like theta, or like a padded gradient; NULL where it has no parameters. */
static const real *CNF_TYPED(callback_theta)(const CNF_TYPED(cnf_model) * m, const cnf_plan *plan) {
  return plan->callback.parameter_count ? m->theta + plan->weight : NULL;
}

static void CNF_TYPED(callback_value)(CNF_TYPED(cnf_evaluator) * e, int32_t i, const real *time) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  real *t = CNF_TYPED(kept_aux)(e, plan);
  CNF_TYPED(copy_rows)(1, lanes, time, t);
  plan->callback.evaluate(plan->callback.context, lanes, t, PANEL(e->kept.value, blocks[plan->op.input].row),
                          CNF_TYPED(callback_theta)(m, plan), PANEL(e->kept.value, blocks[i + 1].row));
}

static void CNF_TYPED(callback_tangent)(CNF_TYPED(cnf_evaluator) * e, int32_t i, const real *x_dot, real *y_dot) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  plan->callback.tangent(plan->callback.context, lanes, CNF_TYPED(kept_aux)(e, plan),
                         PANEL(e->kept.value, blocks[plan->op.input].row), CNF_TYPED(callback_theta)(m, plan), x_dot,
                         y_dot);
}

/* The cotangent of tangent g of block i + 1, whose op bends, in place: what reached it, and mu times its exit. */
static const real *CNF_TYPED(bend_tangent_bar)(CNF_TYPED(cnf_evaluator) * e, int32_t i, int32_t n, int32_t g,
                                               const real *mu) {
  EVALUATOR_NAMES(e);
  const cnf_block *block = &blocks[i + 1];
  real *bar = CNF_TYPED(varying_of)(m, e->bars.tangent_bar, g, i + 1);
  if (!block->exits) return bar;
  const real *exit = CNF_TYPED(rows_of)(m, e->constants.exit, n, i + 1);
  if (block->turns)
    k->scale_add(block->rows, exit, mu, bar);
  else
    k->scale(block->rows, exit, mu, bar);
  k->scale_add(block->rows, CNF_TYPED(tangent_of)(e, n - g, g, i + 1), mu,
               CNF_TYPED(rows_of)(m, e->constants.exit_bar, n, i + 1));
  return bar;
}

/* Reverse of op i: of `count` tangents of the group that begins with `first`, then of the value where time_bar is not NULL.
 * has_held: `held` has parts of other groups already. */
static void CNF_TYPED(reverse_callback)(CNF_TYPED(cnf_evaluator) * e, int32_t i, int32_t first, int32_t count,
                                        const real *mu, int has_held, real *time_bar, real *gradient) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  const cnf_callback *host = &plan->callback;
  const int32_t input = plan->op.input, rows = plan->cols + 1; /* of x, then t */
  const real *t = CNF_TYPED(kept_aux)(e, plan), *x = PANEL(e->kept.value, blocks[input].row);
  const real *theta = CNF_TYPED(callback_theta)(m, plan);
  real *theta_bar = host->parameter_count ? gradient + m->places[i].weight_bar : NULL;
  real *held = PANEL(e->held, plan->held_row);
  real *x_bar = e->callback_bar, *t_bar = PANEL(x_bar, plan->cols), *x_dot_bar = PANEL(x_bar, rows);
  if (count && !has_held) CNF_TYPED(zero_rows)(rows, lanes, held);
  for (int32_t g = 0; g < count; g++) {
    const real *x_dot = CNF_TYPED(tangent_of)(e, first, g, input);
    const real *y_dot_bar = CNF_TYPED(bend_tangent_bar)(e, i, first + g, g, mu);
    CNF_TYPED(zero_rows)(rows + plan->cols, lanes, x_bar);
    host->tangent_reverse(host->context, lanes, t, x, theta, x_dot, y_dot_bar, x_bar, x_dot_bar, t_bar, theta_bar);
    k->add(rows, held, x_bar, held);
    CNF_TYPED(lead_tangent_back)(e, first + g, g, input, x_dot_bar, plan->tangent_accumulate);
  }
  if (!time_bar) return;
  CNF_TYPED(zero_rows)(rows, lanes, x_bar);
  host->reverse(host->context, lanes, t, x, theta, PANEL(e->bars.bar, blocks[i + 1].row), x_bar, t_bar, theta_bar);
  if (count || has_held) k->add(rows, x_bar, held, x_bar);
  k->add(1, time_bar, t_bar, time_bar);
  CNF_TYPED(lead_back)(k, plan->cols, x_bar, plan->accumulate, PANEL(e->bars.bar, blocks[input].row));
}
