/* What of the divergence is the same over a solve, and its derivative, once per solve; program/tangent_plan.c says why.
 *
 * prepare_constants: the probe v goes forward through linear ops to the first nonlinear ones (entry = W x_dot of
 * those), and back from dx/dt through linear ops to the last nonlinear ones (exit = g). The divergence of an evaluation
 * is then the sum of exit' y_dot, plus what linear ops alone carry from the state to dx/dt.
 *
 * finish_constants: evaluations sum the cotangents of all these over the solve. The sums are carried back into the
 * gradients of weights. With cotangent mu of the divergence, exit_bar is the sum of mu y_dot. The gradient of a LINEAR
 * op on a path to dx/dt is (v carried back to its result) x (exit_bar carried forward to its operand)'. */
#ifndef CNF_FIELD_PROBE_CONSTANTS_H
#define CNF_FIELD_PROBE_CONSTANTS_H

#include "field/forward.h"

static void unit_tangent(const cnf_model *m, int32_t d, real *panel) {
  int32_t lanes = m->kernels->lanes;
  zero_rows(m->program->state_dim, lanes, panel);
  for (int32_t j = 0; j < lanes; j++) panel[(size_t)d * (size_t)lanes + (size_t)j] = 1;
}

/* Adds `bar`, a cotangent of linear op i's result, to those of its operands in set n of `panels`, as far as they depend
 * on the state; to that of the state itself only where to_state is 1. */
static void transpose_op(const cnf_model *m, int32_t i, int32_t n, const real *bar, int to_state, real *panels) {
  const cnf_program *p = m->program;
  const cnf_plan *plan = &p->plans[i];
  if (plan->is_view) return;
  for (int operand = 0; operand < cnf_op_operands(&plan->op); operand++) {
    const int32_t block = operand ? plan->op.input2 : plan->op.input;
    if (!p->blocks[block].from_state || (block == CNF_STATE && !to_state)) continue;
    functions_of(plan)->transpose(m, i, operand, bar, 1, rows_of(m, panels, n, block));
  }
}

/* 1: op i is linear and lies on a path of linear ops to dx/dt. */
static int leads_out(const cnf_program *p, int32_t i) {
  const cnf_plan *plan = &p->plans[i];
  return plan->live && cnf_op_operands(&plan->op) > 0 && p->blocks[i + 1].reaches_output && !plan->is_nonlinear;
}
/* 1: the tangent of op i, which is nonlinear, reaches dx/dt through linear ops: a term of the divergence. */
static int goes_out(const cnf_program *p, int32_t i) {
  return p->plans[i].tangent_runs && p->plans[i].is_nonlinear && p->blocks[i + 1].reaches_output;
}
/* 1: op i is linear and lies on a path of linear ops from the state to a nonlinear op. */
static int leads_in(const cnf_program *p, int32_t i) {
  const cnf_block *block = &p->blocks[i + 1];
  return p->plans[i].live && block->from_state && !block->behind_nonlinear && block->reaches_nonlinear;
}

/* Computes the constants from the probes in block 0 of c->tangent. */
static void prepare_constants(const cnf_model *m, cnf_constants *c) {
  const cnf_program *p = m->program;
  const cnf_kernels *k = m->kernels;
  const int32_t lanes = k->lanes;
  zero_rows(1, lanes, c->divergence);
  for (int32_t n = 0; n < tangent_count(m); n++) {
    const real *probe = rows_of(m, c->tangent, n, CNF_STATE);
    for (int32_t i = 0; i < p->op_count; i++) {
      if (p->plans[i].entry_row >= 0)
        map_op(m, i, n, c->tangent, entry_of(m, c->entry, n, &p->plans[i]));
      else if (leads_in(p, i))
        map_op(m, i, n, c->tangent, rows_of(m, c->tangent, n, i + 1));
    }
    for (int32_t b = 0; b < p->op_count; b++)
      if (p->blocks[b].reaches_output) zero_rows(p->blocks[b].rows, lanes, rows_of(m, c->exit, n, b));
    copy_rows(p->state_dim, lanes, probe, rows_of(m, c->exit, n, p->op_count));
    for (int32_t i = p->op_count - 1; i >= 0; i--)
      if (leads_out(p, i)) transpose_op(m, i, n, rows_of(m, c->exit, n, i + 1), 1, c->exit);
    if (p->blocks[CNF_STATE].reaches_output)
      k->dot(p->state_dim, rows_of(m, c->exit, n, CNF_STATE), probe, 1, c->divergence);
  }
}

/* Sets all sums to 0, for the evaluations that follow. */
static void clear_constants(const cnf_model *m, cnf_constants *c) {
  const cnf_program *p = m->program;
  const int32_t lanes = m->kernels->lanes;
  zero_rows(1, lanes, c->mu);
  for (int32_t n = 0; n < tangent_count(m); n++) {
    zero_rows(p->entry_rows, lanes, c->entry_bar + (size_t)n * (size_t)p->entry_rows * (size_t)lanes);
    for (int32_t b = 0; b <= p->op_count; b++) {
      const cnf_block *block = &p->blocks[b];
      if (block->reaches_output) zero_rows(block->rows, lanes, rows_of(m, c->exit_bar, n, b));
      if (!block->behind_nonlinear) zero_rows(block->rows, lanes, rows_of(m, c->tangent_bar, n, b));
    }
  }
}

/* What op i's cotangent z and operand x, both of a tangent, add to the gradient of the weights it multiplies by. */
static void add_outer(const cnf_model *m, int32_t i, const real *z, const real *x, real *gradient) {
  functions_of(&m->program->plans[i])->weight_gradient(m, i, 0, 0, 1, &z, &x, gradient);
}

/* Adds the sums of all lanes to the padded gradient. Overwrites the sums of c. */
static void finish_constants(const cnf_model *m, cnf_constants *c, real *gradient) {
  const cnf_program *p = m->program;
  const cnf_kernels *k = m->kernels;
  for (int32_t n = 0; n < tangent_count(m); n++) {
    if (p->blocks[CNF_STATE].reaches_output)
      k->scale(p->state_dim, rows_of(m, c->tangent, n, CNF_STATE), c->mu, rows_of(m, c->exit_bar, n, CNF_STATE));
    for (int32_t i = 0; i < p->op_count; i++) {
      if (!leads_out(p, i)) continue;
      const int32_t input = p->plans[i].op.input;
      if (cnf_op_multiplies(&p->plans[i].op) && p->blocks[input].from_state)
        add_outer(m, i, rows_of(m, c->exit, n, i + 1), rows_of(m, c->exit_bar, n, input), gradient);
      if (i + 1 < p->op_count && p->blocks[i + 1].from_state)
        map_op(m, i, n, c->exit_bar, rows_of(m, c->exit_bar, n, i + 1));
    }
    for (int32_t i = p->op_count - 1; i >= 0; i--) {
      const int enters = p->plans[i].entry_row >= 0;
      if (!enters && !leads_in(p, i)) continue;
      const real *bar = enters ? entry_of(m, c->entry_bar, n, &p->plans[i]) : rows_of(m, c->tangent_bar, n, i + 1);
      if (cnf_op_multiplies(&p->plans[i].op))
        add_outer(m, i, bar, rows_of(m, c->tangent, n, p->plans[i].op.input), gradient);
      transpose_op(m, i, n, bar, 0, c->tangent_bar);
    }
  }
}

#endif
