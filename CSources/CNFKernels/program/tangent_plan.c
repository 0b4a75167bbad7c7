/* Which tangents are constants of a solve, and which have to be made in every evaluation.
 *
 * A probe v is fixed over a solve, and so is the tangent of every block that only linear ops separate from the state: it
 * is made once, when a sample is loaded. An op that bends (an activation other than the identity, a callback, a product, a
 * norm, dropout) multiplies by a'(z), or dy/dx, which varies; blocks behind one are `bent`. In the same way v' J v = sum
 * over ops that bend of g' y_dot, where g is v led back from dx/dt to that op's block through linear ops alone (`exits`):
 * also a constant. So linear ops at either end of a net cost no product for the divergence, in an evaluation or in its
 * reverse; what their weights' gradients need are sums over the solve, led back once (probe_constants.h).
 *
 * A tangent is made in every evaluation (`tangent_runs`) where it varies and something but the end needs it: its op bends,
 * or it reaches another that does (`turns`).
 *
 * The Frobenius norm and the Jacobian of a Rosenbrock method want J v itself (`ends_run`): then dx/dt turns, and with it all
 * that leads there, and nothing exits. The divergence is v' y_dot of dx/dt, since its products have to be made anyway.
 */
#include "program/program.h"

/* From the state on: who bends, and whose tangent varies. */
static void plan_bends(cnf_program *p) {
  for (int32_t i = 0; i < p->op_count; i++) {
    cnf_plan *plan = &p->plans[i];
    const cnf_op *op = &plan->op;
    cnf_block *block = &p->blocks[i + 1];
    const int operands = cnf_op_operands(op);
    const cnf_block *a = operands > 0 ? &p->blocks[op->input] : NULL;
    plan->bends = !cnf_op_is_linear(op) && block->from_state;
    block->bent = plan->bends || (a && a->bent) || (operands > 1 && p->blocks[op->input2].bent);
    plan->entry_row = plan->held_row = -1;
    if (plan->live && plan->bends && op->kind == CNF_OP_LINEAR && !a->bent)
      plan->entry_row = p->entry_rows, p->entry_rows += plan->rows;
    if (plan->live && plan->bends && cnf_plan_held_rows(p, plan) > 0)
      plan->held_row = p->held_rows, p->held_rows += cnf_plan_held_rows(p, plan);
  }
}

/* From dx/dt back: what its tangent is needed for. */
static void plan_ends(cnf_program *p) {
  for (int32_t b = 0; b <= p->op_count; b++) p->blocks[b].exits = p->blocks[b].turns = 0;
  if (p->ends_run)
    p->blocks[p->op_count].turns = p->blocks[p->op_count].from_state;
  else
    p->blocks[p->op_count].exits = 1;
  for (int32_t i = p->op_count - 1; i >= 0; i--) {
    const cnf_plan *plan = &p->plans[i];
    const cnf_op *op = &plan->op;
    if (!plan->live) continue;
    const cnf_block *block = &p->blocks[i + 1];
    for (int n = 0; n < cnf_op_operands(op); n++) {
      cnf_block *operand = &p->blocks[n ? op->input2 : op->input];
      operand->exits |= !plan->bends && block->exits && operand->from_state;
      operand->turns |= (plan->bends || block->turns) && operand->from_state;
    }
  }
}

void cnf_program_plan_tangents(cnf_program *p, int32_t *written) {
  p->entry_rows = p->tangent_rows = p->held_rows = 0;
  p->tangent_products = 0;
  plan_bends(p);
  plan_ends(p);
  for (int32_t i = 0; i <= p->op_count; i++) written[i] = 0, p->blocks[i].tangent_row = -1;
  for (int32_t i = p->op_count - 1; i >= 0; i--) {
    cnf_plan *plan = &p->plans[i];
    const cnf_op *op = &plan->op;
    plan->tangent_runs = plan->live && p->blocks[i + 1].bent && (plan->bends || p->blocks[i + 1].turns);
    if (!plan->tangent_runs) continue;
    p->blocks[i + 1].tangent_row = p->tangent_rows;
    p->tangent_rows += plan->rows;
    plan->tangent_accumulate = written[op->input];
    written[op->input] = 1;
    if (op->kind == CNF_OP_CALLBACK || (cnf_op_multiplies(op) && p->blocks[op->input].bent))
      p->tangent_products += (size_t)plan->rows * (size_t)plan->cols;
    if (cnf_op_operands(op) < 2) continue;
    plan->tangent_accumulate2 = written[op->input2];
    written[op->input2] = 1;
  }
}
