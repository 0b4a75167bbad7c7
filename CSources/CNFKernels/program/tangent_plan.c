/* Which tangents are constants of a solve, and which every evaluation computes.
 *
 * A probe v is fixed over a solve, and so is the tangent of every block that only linear ops separate from the state:
 * it is computed once, when a sample is loaded. A nonlinear op (an activation other than the identity, a callback, a
 * product, a norm, dropout) multiplies by a'(z), or dy/dx, which varies; the blocks that depend on one are
 * `behind_nonlinear`. In the same way v' J v = sum over nonlinear ops of g' y_dot. Here g is v carried back from dx/dt
 * to that op's block through linear ops alone (the block `reaches_output`), and it is a constant too. So linear ops at
 * either end of a net cost no product for the divergence, in an evaluation or in its backward pass. The gradients of
 * their weights need sums over the solve, which are carried back once (field/probe_constants.h).
 *
 * Every evaluation computes a tangent (`tangent_runs`) where it varies and more than the output needs it: its op is
 * nonlinear, or its block `reaches_nonlinear`.
 *
 * The Frobenius norm and the Jacobian of a Rosenbrock method need J v itself (`output_tangent`). dx/dt then counts as
 * reaching a nonlinear op, with all that leads there, and no block counts as reaching the output. The divergence is v'
 * y_dot of dx/dt: its products are computed anyway. */
#include "program/program.h"

/* From the state on: which ops are nonlinear, and which tangents vary. */
static void plan_nonlinear(cnf_program *p) {
  for (int32_t i = 0; i < p->op_count; i++) {
    cnf_plan *plan = &p->plans[i];
    const cnf_op *op = &plan->op;
    cnf_block *block = &p->blocks[i + 1];
    const int operands = cnf_op_operands(op);
    const cnf_block *a = operands > 0 ? &p->blocks[op->input] : NULL;
    plan->is_nonlinear = !cnf_op_is_linear(op) && block->from_state;
    block->behind_nonlinear =
        plan->is_nonlinear || (a && a->behind_nonlinear) || (operands > 1 && p->blocks[op->input2].behind_nonlinear);
    plan->entry_row = plan->divergence_row = -1;
    if (!plan->live || !plan->is_nonlinear) continue;
    if (cnf_op_multiplies(op) && !a->behind_nonlinear) plan->entry_row = p->entry_rows, p->entry_rows += plan->rows;
    if (plan->divergence_rows > 0)
      plan->divergence_row = p->divergence_rows, p->divergence_rows += plan->divergence_rows;
  }
}

/* From dx/dt back: what the tangents are needed for. */
static void plan_uses(cnf_program *p) {
  for (int32_t b = 0; b <= p->op_count; b++) p->blocks[b].reaches_output = p->blocks[b].reaches_nonlinear = 0;
  if (p->output_tangent)
    p->blocks[p->op_count].reaches_nonlinear = p->blocks[p->op_count].from_state;
  else
    p->blocks[p->op_count].reaches_output = 1;
  for (int32_t i = p->op_count - 1; i >= 0; i--) {
    const cnf_plan *plan = &p->plans[i];
    const cnf_op *op = &plan->op;
    if (!plan->live) continue;
    const cnf_block *block = &p->blocks[i + 1];
    for (int n = 0; n < cnf_op_operands(op); n++) {
      cnf_block *operand = &p->blocks[n ? op->input2 : op->input];
      operand->reaches_output |= !plan->is_nonlinear && block->reaches_output && operand->from_state;
      operand->reaches_nonlinear |= (plan->is_nonlinear || block->reaches_nonlinear) && operand->from_state;
    }
  }
}

void cnf_program_plan_tangents(cnf_program *p, int32_t *written) {
  p->entry_rows = p->tangent_rows = p->divergence_rows = 0;
  p->tangent_products = 0;
  plan_nonlinear(p);
  plan_uses(p);
  for (int32_t i = 0; i <= p->op_count; i++) written[i] = 0, p->blocks[i].tangent_row = -1;
  for (int32_t i = p->op_count - 1; i >= 0; i--) {
    cnf_plan *plan = &p->plans[i];
    const cnf_op *op = &plan->op;
    cnf_block *block = &p->blocks[i + 1];
    plan->tangent_runs = plan->live && block->behind_nonlinear && (plan->is_nonlinear || block->reaches_nonlinear);
    if (!plan->tangent_runs) continue;
    block->tangent_row = p->tangent_rows;
    p->tangent_rows += plan->rows;
    plan->tangent_accumulate = written[op->input];
    written[op->input] = 1;
    if (!cnf_op_multiplies(op) || p->blocks[op->input].behind_nonlinear)
      p->tangent_products += (size_t)plan->rows * (size_t)plan->cols;
    if (cnf_op_operands(op) < 2) continue;
    plan->tangent_accumulate2 = written[op->input2];
    written[op->input2] = 1;
  }
}
