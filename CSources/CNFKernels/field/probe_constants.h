/* What of the divergence is the same over a solve, and its reverse once per solve; tangent_plan.c says why.
 *
 * prepare_constants: the probe v goes forward through linear ops to the first that bend (entry = W x_dot of those), and
 * back from dx/dt through linear ops to the last that bend (exit = g). An evaluation's divergence is then the sum of
 * exit' y_dot, plus what linear ops alone carry from the state to dx/dt.
 *
 * finish_constants: the sums over a solve's evaluations of the cotangents of all these are led back into the weights.
 * With cotangent mu of the divergence, exit_bar is the sum of mu y_dot, and the gradient of a LINEAR op on the way out is
 * (v led back to its result) x (exit_bar led forward to its operand)'.
 */
#include "field/evaluator.h"

static void unit_tangent(const cnf_model *m, int32_t d, real *panel) {
  int32_t lanes = m->kernels->lanes;
  zero_rows(m->program->state_dim, lanes, panel);
  for (int32_t j = 0; j < lanes; j++) panel[(size_t)d * (size_t)lanes + (size_t)j] = 1;
}

/* Rows of a concatenation: those of an operand, which may be there already, or zeros. */
static void part_in(int32_t rows, int32_t lanes, const real *from, real *to) {
  if (!from)
    zero_rows(rows, lanes, to);
  else if (from != to)
    copy_rows(rows, lanes, from, to);
}

/* y = the linear op i of what its operands have in set n of `panels`; blocks that do not depend on the state have zeros. */
static void linear_op(const cnf_model *m, int32_t i, int32_t n, real *panels, real *y) {
  const cnf_program *p = m->program;
  const cnf_kernels *k = m->kernels;
  const int32_t lanes = k->lanes;
  const cnf_plan *plan = &p->plans[i];
  const cnf_op *op = &plan->op;
  const cnf_block *a = &p->blocks[op->input], *b = op->input2 >= 0 ? &p->blocks[op->input2] : NULL;
  const real *a_rows = rows_of(m, panels, n, op->input);
  const real *b_rows = b ? rows_of(m, panels, n, op->input2) : NULL;
  switch (op->kind) {
  case CNF_OP_TRANSPOSED:
  case CNF_OP_LINEAR: product_of_one(k, m->packed + m->places[i].packed, plan->rows, plan->cols, a_rows, 0, y); break;
  case CNF_OP_ADD:
    if (a->from_state && b->from_state)
      k->add(plan->rows, a_rows, b_rows, y);
    else
      copy_rows(plan->rows, lanes, a->from_state ? a_rows : b_rows, y);
    break;
  case CNF_OP_CONCAT:
    part_in(a->rows, lanes, a->from_state ? a_rows : NULL, y);
    part_in(b->rows, lanes, b->from_state ? b_rows : NULL, PANEL(y, a->rows));
    break;
  case CNF_OP_SCALE: scale_by(plan->rows, lanes, op->number, a_rows, 0, y); break;
  case CNF_OP_SUM: k->total(a->rows, a_rows, 0, y); break;
  case CNF_OP_SLICE: copy_rows(plan->rows, lanes, PANEL(a_rows, op->first), y); break;
  default: copy_rows(plan->rows, lanes, a_rows, y);
  }
}

/* Adds `bar`, a cotangent of linear op i's result, to those of its operands in set n of `panels`. The state's is wanted only
 * where to_state is 1. */
static void linear_op_reverse(const cnf_model *m, int32_t i, int32_t n, const real *bar, int to_state, real *panels) {
  const cnf_program *p = m->program;
  const cnf_kernels *k = m->kernels;
  const int32_t lanes = k->lanes;
  const cnf_plan *plan = &p->plans[i];
  const cnf_op *op = &plan->op;
  if (plan->is_view) return;
  const int32_t operands[2] = {op->input, cnf_op_operands(op) > 1 ? op->input2 : -1};
  for (int o = 0; o < 2; o++) {
    const int32_t block = operands[o];
    if (block < 0 || !p->blocks[block].from_state || (block == CNF_STATE && !to_state)) continue;
    real *to = rows_of(m, panels, n, block);
    if (cnf_op_multiplies(op))
      product_of_one(k, m->packed + m->places[i].packed_t, plan->cols, plan->rows, bar, 1, to);
    else if (op->kind == CNF_OP_SCALE)
      scale_by(plan->rows, lanes, op->number, bar, 1, to);
    else if (op->kind == CNF_OP_SUM)
      spread_row(p->blocks[block].rows, lanes, bar, 1, to);
    else if (op->kind == CNF_OP_SLICE)
      lead_part_back(k, p->blocks[block].rows, op->first, plan->rows, bar, 1, to);
    else
      k->add(p->blocks[block].rows, to, op->kind == CNF_OP_CONCAT && o ? PANEL(bar, p->blocks[operands[0]].rows) : bar,
             to);
  }
}

/* A linear op on the way from the last that bends to dx/dt; one on the way from the state to the first that bends. */
static int leaves(const cnf_program *p, int32_t i) {
  return p->plans[i].live && cnf_op_operands(&p->plans[i].op) > 0 && p->blocks[i + 1].exits && !p->plans[i].bends;
}
/* Its block reaches dx/dt linearly, and its tangent varies: a term of the divergence. */
static int goes_out(const cnf_program *p, int32_t i) {
  return p->plans[i].tangent_runs && p->plans[i].bends && p->blocks[i + 1].exits;
}
static int leads_in(const cnf_program *p, int32_t i) {
  const cnf_block *block = &p->blocks[i + 1];
  return p->plans[i].live && block->from_state && !block->bent && block->turns;
}

/* From the probes in block 0 of c->tangent to all that follows from them. */
static void prepare_constants(const cnf_model *m, cnf_constants *c) {
  const cnf_program *p = m->program;
  const cnf_kernels *k = m->kernels;
  const int32_t lanes = k->lanes;
  zero_rows(1, lanes, c->divergence);
  for (int32_t n = 0; n < tangent_count(m); n++) {
    const real *probe = rows_of(m, c->tangent, n, CNF_STATE);
    for (int32_t i = 0; i < p->op_count; i++) {
      if (p->plans[i].entry_row >= 0)
        linear_op(m, i, n, c->tangent, entry_of(m, c->entry, n, &p->plans[i]));
      else if (leads_in(p, i))
        linear_op(m, i, n, c->tangent, rows_of(m, c->tangent, n, i + 1));
    }
    for (int32_t b = 0; b < p->op_count; b++)
      if (p->blocks[b].exits) zero_rows(p->blocks[b].rows, lanes, rows_of(m, c->exit, n, b));
    copy_rows(p->state_dim, lanes, probe, rows_of(m, c->exit, n, p->op_count));
    for (int32_t i = p->op_count - 1; i >= 0; i--)
      if (leaves(p, i)) linear_op_reverse(m, i, n, rows_of(m, c->exit, n, i + 1), 1, c->exit);
    if (p->blocks[CNF_STATE].exits) k->dot(p->state_dim, rows_of(m, c->exit, n, CNF_STATE), probe, 1, c->divergence);
  }
}

/* All sums to zero, for the evaluations to come. */
static void clear_constants(const cnf_model *m, cnf_constants *c) {
  const cnf_program *p = m->program;
  const int32_t lanes = m->kernels->lanes;
  zero_rows(1, lanes, c->mu);
  for (int32_t n = 0; n < tangent_count(m); n++) {
    zero_rows(p->entry_rows, lanes, c->entry_bar + (size_t)n * (size_t)p->entry_rows * (size_t)lanes);
    for (int32_t b = 0; b <= p->op_count; b++) {
      const cnf_block *block = &p->blocks[b];
      if (block->exits) zero_rows(block->rows, lanes, rows_of(m, c->exit_bar, n, b));
      if (!block->bent) zero_rows(block->rows, lanes, rows_of(m, c->tangent_bar, n, b));
    }
  }
}

/* What op i's cotangent z and operand x add to the weights' gradient. */
static void add_outer(const cnf_model *m, int32_t i, const real *z, const real *x, real *gradient) {
  add_weight_gradient(m, i, 0, 1, &z, &x, gradient);
}

/* The sums of all lanes into the padded gradient; c's sums are used up. */
static void finish_constants(const cnf_model *m, cnf_constants *c, real *gradient) {
  const cnf_program *p = m->program;
  const cnf_kernels *k = m->kernels;
  for (int32_t n = 0; n < tangent_count(m); n++) {
    if (p->blocks[CNF_STATE].exits)
      k->scale(p->state_dim, rows_of(m, c->tangent, n, CNF_STATE), c->mu, rows_of(m, c->exit_bar, n, CNF_STATE));
    for (int32_t i = 0; i < p->op_count; i++) {
      if (!leaves(p, i)) continue;
      const int32_t input = p->plans[i].op.input;
      if (cnf_op_multiplies(&p->plans[i].op) && p->blocks[input].from_state)
        add_outer(m, i, rows_of(m, c->exit, n, i + 1), rows_of(m, c->exit_bar, n, input), gradient);
      if (i + 1 < p->op_count && p->blocks[i + 1].from_state)
        linear_op(m, i, n, c->exit_bar, rows_of(m, c->exit_bar, n, i + 1));
    }
    for (int32_t i = p->op_count - 1; i >= 0; i--) {
      const int enters = p->plans[i].entry_row >= 0;
      if (!enters && !leads_in(p, i)) continue;
      const real *bar = enters ? entry_of(m, c->entry_bar, n, &p->plans[i]) : rows_of(m, c->tangent_bar, n, i + 1);
      if (cnf_op_multiplies(&p->plans[i].op))
        add_outer(m, i, bar, rows_of(m, c->tangent, n, p->plans[i].op.input), gradient);
      linear_op_reverse(m, i, n, bar, 0, c->tangent_bar);
    }
  }
}
