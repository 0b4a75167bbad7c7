/* The ops: forward, tangent, reverse of the value, reverse of the tangent; each switch has one case per op kind. */
#include "field/evaluator.h"

#define PANEL(panel, row) ((panel) + (size_t)(row) * (size_t)lanes)
#define EVALUATOR_NAMES(e)                      \
  const CNF_TYPED(cnf_model) *m = (e)->model;   \
  const cnf_program *p = m->program;            \
  const CNF_TYPED(cnf_kernels) *k = m->kernels; \
  const cnf_block *blocks = p->blocks;          \
  const int32_t lanes = k->lanes;               \
  (void)blocks, (void)lanes

static void CNF_TYPED(copy_rows)(int32_t rows, int32_t lanes, const real *from, real *to) {
  memcpy(to, from, (size_t)rows * (size_t)lanes * sizeof(real));
}

/* to (+)= from: cotangents reach a block from each op that read it. */
static void CNF_TYPED(lead_back)(const CNF_TYPED(cnf_kernels) * k, int32_t rows, const real *from, int32_t accumulate,
                                 real *to) {
  if (accumulate)
    k->add(rows, to, from, to);
  else
    CNF_TYPED(copy_rows)(rows, k->lanes, from, to);
}

/* The panels of an op that keeps them; NULL else. */
static real *CNF_TYPED(kept_aux)(const CNF_TYPED(cnf_evaluator) * e, const cnf_plan *plan) {
  return plan->aux_row < 0 ? NULL : e->aux + (size_t)plan->aux_row * (size_t)e->model->kernels->lanes;
}
static real *CNF_TYPED(kept_pre)(const CNF_TYPED(cnf_evaluator) * e, const cnf_plan *plan) {
  return plan->pre_row < 0 ? NULL : e->pre + (size_t)plan->pre_row * (size_t)e->model->kernels->lanes;
}

/* f at block 0 of e->value and at `time` [lanes]; fills all live blocks, the last of which is dx/dt. */
static void CNF_TYPED(field_forward)(CNF_TYPED(cnf_evaluator) * e, const real *time) {
  EVALUATOR_NAMES(e);
  for (int32_t i = 0; i < p->op_count; i++) {
    const cnf_plan *plan = &p->plans[i];
    if (!plan->live) continue;
    const cnf_op *op = &plan->op;
    real *y = PANEL(e->value, blocks[i + 1].row);
    const real *a = op->kind == CNF_OP_TIME ? time : PANEL(e->value, blocks[op->input].row);
    switch (op->kind) {
    case CNF_OP_LINEAR:
      k->linear(m->packed + m->places[i].packed, m->theta + plan->bias, plan->rows, plan->cols, a, op->activation, y,
                CNF_TYPED(kept_aux)(e, plan));
      break;
    case CNF_OP_ACTIVATION: k->activation(op->activation, plan->rows, a, y, CNF_TYPED(kept_aux)(e, plan)); break;
    case CNF_OP_TIME: CNF_TYPED(copy_rows)(1, lanes, a, y); break;
    case CNF_OP_ADD: k->add(plan->rows, a, PANEL(e->value, blocks[op->input2].row), y); break;
    case CNF_OP_CONCAT: {
      int32_t n = blocks[op->input].rows;
      CNF_TYPED(copy_rows)(n, lanes, a, y);
      CNF_TYPED(copy_rows)(plan->rows - n, lanes, PANEL(e->value, blocks[op->input2].row), PANEL(y, n));
      break;
    }
    }
  }
}

/* J v for v in block 0 of e->tangent, after field_forward. Blocks that do not depend on the state have no tangent. */
static void CNF_TYPED(field_tangent)(CNF_TYPED(cnf_evaluator) * e) {
  EVALUATOR_NAMES(e);
  for (int32_t i = 0; i < p->op_count; i++) {
    const cnf_plan *plan = &p->plans[i];
    if (!plan->live || !blocks[i + 1].from_state) continue;
    const cnf_op *op = &plan->op;
    const cnf_block *a = &blocks[op->input];
    const real *a_dot = PANEL(e->tangent, a->row), *y = PANEL(e->value, blocks[i + 1].row);
    real *y_dot = PANEL(e->tangent, blocks[i + 1].row);
    switch (op->kind) {
    case CNF_OP_LINEAR:
      k->product(m->packed + m->places[i].packed, plan->rows, plan->cols, a_dot, y_dot, 0);
      if (op->activation != CNF_ACTIVATION_IDENTITY)
        k->activation_tangent(op->activation, plan->rows, y, CNF_TYPED(kept_aux)(e, plan), y_dot, y_dot,
                              CNF_TYPED(kept_pre)(e, plan));
      break;
    case CNF_OP_ACTIVATION:
      k->activation_tangent(op->activation, plan->rows, y, CNF_TYPED(kept_aux)(e, plan), a_dot, y_dot,
                            CNF_TYPED(kept_pre)(e, plan));
      break;
    case CNF_OP_ADD: {
      const cnf_block *b = &blocks[op->input2];
      const real *b_dot = PANEL(e->tangent, b->row);
      if (a->from_state && b->from_state)
        k->add(plan->rows, a_dot, b_dot, y_dot);
      else
        CNF_TYPED(copy_rows)(plan->rows, lanes, a->from_state ? a_dot : b_dot, y_dot);
      break;
    }
    case CNF_OP_CONCAT: {
      const cnf_block *parts[2] = {a, &blocks[op->input2]};
      for (int n = 0; n < 2; y_dot = PANEL(y_dot, parts[n]->rows), n++)
        if (parts[n]->from_state)
          CNF_TYPED(copy_rows)(parts[n]->rows, lanes, PANEL(e->tangent, parts[n]->row), y_dot);
        else
          memset(y_dot, 0, (size_t)parts[n]->rows * (size_t)lanes * sizeof(real));
      break;
    }
    }
  }
}

static void CNF_TYPED(gather_weight_gradient)(CNF_TYPED(cnf_evaluator) * e, int32_t op, const real *z_bar,
                                              const real *x, real *gradient) {
  const CNF_TYPED(cnf_model) *m = e->model;
  const cnf_plan *plan = &m->program->plans[op];
  const CNF_TYPED(cnf_linear_place) *place = &m->places[op];
  m->kernels->transpose(plan->cols, x, e->transposed, place->ld);
  m->kernels->weight_gradient(plan->rows, z_bar, e->transposed, place->ld, gradient + place->weight_bar);
}

/* Reverse of field_forward. The last block of e->bar holds the cotangent of dx/dt; block 0 receives that of the state,
 * `time_bar` [lanes] is added to, `gradient` (padded) is added to. has_extra: e->extra holds field_tangent_reverse's part. */
static void CNF_TYPED(field_reverse)(CNF_TYPED(cnf_evaluator) * e, int has_extra, real *time_bar, real *gradient) {
  EVALUATOR_NAMES(e);
  if (!p->state_read) memset(e->bar, 0, (size_t)p->state_dim * (size_t)lanes * sizeof(real));
  for (int32_t i = p->op_count - 1; i >= 0; i--) {
    const cnf_plan *plan = &p->plans[i];
    if (!plan->live) continue;
    const cnf_op *op = &plan->op;
    const cnf_block *block = &blocks[i + 1];
    real *bar = PANEL(e->bar, block->row);
    if (op->kind == CNF_OP_TIME) {
      k->add(1, time_bar, bar, time_bar);
      continue;
    }
    const real *y = PANEL(e->value, block->row);
    const real *extra = has_extra && block->from_state ? PANEL(e->extra, block->row) : NULL;
    real *a_bar = PANEL(e->bar, blocks[op->input].row);
    switch (op->kind) {
    case CNF_OP_LINEAR:
      if (op->activation != CNF_ACTIVATION_IDENTITY)
        k->activation_reverse(op->activation, plan->rows, y, CNF_TYPED(kept_aux)(e, plan), bar, extra, bar);
      CNF_TYPED(gather_weight_gradient)(e, i, bar, PANEL(e->value, blocks[op->input].row), gradient);
      k->row_sums(plan->rows, bar, gradient + m->places[i].bias_bar);
      k->product(m->packed + m->places[i].packed_t, plan->cols, plan->rows, bar, a_bar, plan->accumulate);
      break;
    case CNF_OP_ACTIVATION:
      k->activation_reverse(op->activation, plan->rows, y, CNF_TYPED(kept_aux)(e, plan), bar, extra, bar);
      CNF_TYPED(lead_back)(k, plan->rows, bar, plan->accumulate, a_bar);
      break;
    case CNF_OP_ADD:
      CNF_TYPED(lead_back)(k, plan->rows, bar, plan->accumulate, a_bar);
      CNF_TYPED(lead_back)(k, plan->rows, bar, plan->accumulate2, PANEL(e->bar, blocks[op->input2].row));
      break;
    case CNF_OP_CONCAT: {
      int32_t n = blocks[op->input].rows;
      CNF_TYPED(lead_back)(k, n, bar, plan->accumulate, a_bar);
      CNF_TYPED(lead_back)(k, plan->rows - n, PANEL(bar, n), plan->accumulate2, PANEL(e->bar, blocks[op->input2].row));
      break;
    }
    }
  }
}

/* Reverse of field_tangent. The last block of e->tangent_bar holds the cotangent of Jv; e->extra and `gradient` are added
 * to. v is a constant: nothing is led back to blocks that no LINEAR or ACTIVATION separates from the state. */
static void CNF_TYPED(field_tangent_reverse)(CNF_TYPED(cnf_evaluator) * e, real *gradient) {
  EVALUATOR_NAMES(e);
  for (int32_t i = p->op_count - 1; i >= 0; i--) {
    const cnf_plan *plan = &p->plans[i];
    const cnf_block *block = &blocks[i + 1];
    if (!plan->live || !block->behind_op) continue;
    const cnf_op *op = &plan->op;
    const cnf_block *a = &blocks[op->input];
    real *bar = PANEL(e->tangent_bar, block->row), *a_bar = PANEL(e->tangent_bar, a->row);
    if ((op->kind == CNF_OP_LINEAR || op->kind == CNF_OP_ACTIVATION) && op->activation != CNF_ACTIVATION_IDENTITY)
      k->activation_tangent_reverse(op->activation, plan->rows, PANEL(e->value, block->row),
                                    CNF_TYPED(kept_aux)(e, plan), PANEL(e->tangent, block->row),
                                    CNF_TYPED(kept_pre)(e, plan), bar, bar, PANEL(e->extra, block->row));
    switch (op->kind) {
    case CNF_OP_LINEAR:
      CNF_TYPED(gather_weight_gradient)(e, i, bar, PANEL(e->tangent, a->row), gradient);
      if (a->behind_op)
        k->product(m->packed + m->places[i].packed_t, plan->cols, plan->rows, bar, a_bar, plan->accumulate);
      break;
    case CNF_OP_ACTIVATION:
      if (a->behind_op) CNF_TYPED(lead_back)(k, plan->rows, bar, plan->accumulate, a_bar);
      break;
    default: {
      const cnf_block *b = &blocks[op->input2];
      real *b_part = op->kind == CNF_OP_CONCAT ? PANEL(bar, a->rows) : bar;
      if (a->behind_op) CNF_TYPED(lead_back)(k, a->rows, bar, plan->accumulate, a_bar);
      if (b->behind_op) CNF_TYPED(lead_back)(k, b->rows, b_part, plan->accumulate2, PANEL(e->tangent_bar, b->row));
    }
    }
  }
}
