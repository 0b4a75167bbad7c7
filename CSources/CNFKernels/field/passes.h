/* The ops: forward with tangents, and their reverse; each switch has one case per op kind. */
#include "field/evaluator.h"

#define PANEL(panel, row) ((panel) + (size_t)(row) * (size_t)lanes)
#define EVALUATOR_NAMES(e)             \
  const cnf_model *m = (e)->model;     \
  const cnf_program *p = m->program;   \
  const cnf_kernels *k = m->kernels;   \
  const cnf_block *blocks = p->blocks; \
  const int32_t lanes = k->lanes;      \
  (void)blocks, (void)lanes

static void copy_rows(int32_t rows, int32_t lanes, const real *from, real *to) {
  memcpy(to, from, (size_t)rows * (size_t)lanes * sizeof(real));
}
static void zero_rows(int32_t rows, int32_t lanes, real *to) {
  memset(to, 0, (size_t)rows * (size_t)lanes * sizeof(real));
}

/* to (+)= from: cotangents reach a block from each op that read it. */
static void lead_back(const cnf_kernels *k, int32_t rows, const real *from, int32_t accumulate, real *to) {
  if (accumulate)
    k->add(rows, to, from, to);
  else
    copy_rows(rows, k->lanes, from, to);
}

static void product_of_one(const cnf_kernels *k, const real *packed, int32_t rows, int32_t cols, const real *x,
                           int accumulate, real *y) {
  k->product(packed, rows, cols, 1, &x, &y, &accumulate);
}

static const int overwrite[CNF_TANGENT_GROUP] = {0}; /* as a product's `accumulate` */

/* A product of derivatives, tangents or cotangents: by the weights at `packed`, or in mixed precision by those at `bf16`. */
static void derivative_product(const cnf_evaluator *e, size_t packed, size_t bf16, int32_t rows, int32_t cols,
                               int32_t count, const real *const *x, real *const *y, const int *accumulate) {
  const cnf_model *m = e->model;
  if (m->bf16)
    m->bf16->product(m->packed_bf16 + bf16, rows, cols, count, x, y, accumulate, e->bf16_room);
  else
    m->kernels->product(m->packed + packed, rows, cols, count, x, y, accumulate);
}
static void derivative_gradient(const cnf_model *m, int32_t rows, int32_t cols, int32_t count, const real *const *z,
                                const real *const *x, size_t ld, real *w_bar) {
  (m->bf16 ? m->bf16->weight_gradient : m->kernels->weight_gradient)(rows, cols, count, z, x, ld, w_bar);
}

/* Tangents that a divergence takes: probes, or unit vectors. */
static int32_t tangent_count(const cnf_model *m) {
  if (m->trace == CNF_TRACE_HUTCHINSON) return m->probes;
  return m->trace == CNF_TRACE_EXACT_TANGENTS ? m->program->state_dim : 0;
}
static int32_t group_size(const cnf_model *m) {
  int32_t n = tangent_count(m);
  return n < CNF_TANGENT_GROUP ? n : CNF_TANGENT_GROUP;
}

/* The panels of an op that keeps them; NULL else. */
static real *kept_aux(const cnf_evaluator *e, const cnf_plan *plan) {
  return plan->aux_row < 0 ? NULL : e->kept.aux + (size_t)plan->aux_row * (size_t)e->model->kernels->lanes;
}
static real *kept_pre(const cnf_evaluator *e, const cnf_plan *plan, int32_t g) {
  if (plan->pre_row < 0) return NULL;
  return e->kept.pre + (size_t)(g * e->model->program->pre_rows + plan->pre_row) * (size_t)e->model->kernels->lanes;
}

/* A block's rows in set n of [..][value_rows] panels. */
static real *rows_of(const cnf_model *m, real *panels, int32_t n, int32_t block) {
  const cnf_program *p = m->program;
  return panels + ((size_t)n * (size_t)p->value_rows + (size_t)p->blocks[block].row) * (size_t)m->kernels->lanes;
}
static real *entry_of(const cnf_model *m, real *panels, int32_t n, const cnf_plan *plan) {
  return panels + ((size_t)n * (size_t)m->program->entry_rows + (size_t)plan->entry_row) * (size_t)m->kernels->lanes;
}
/* Likewise in set g of [..][tangent_rows] panels, of a block whose tangent is made in every evaluation. */
static real *varying_of(const cnf_model *m, real *panels, int32_t g, int32_t block) {
  const cnf_program *p = m->program;
  return panels +
         ((size_t)g * (size_t)p->tangent_rows + (size_t)p->blocks[block].tangent_row) * (size_t)m->kernels->lanes;
}
/* The tangent of a block, number g of the group that begins with tangent `first`: of this evaluation, or of the solve. */
static real *tangent_of(const cnf_evaluator *e, int32_t first, int32_t g, int32_t block) {
  return e->model->program->blocks[block].bent ? varying_of(e->model, e->kept.tangent, g, block)
                                               : rows_of(e->model, e->constants.tangent, first + g, block);
}

/* Leads `bar`, the cotangent of tangent g of an op's operand, back to it: to this evaluation's, or to the solve's sums. */
static void lead_tangent_back(cnf_evaluator *e, int32_t n, int32_t g, int32_t block, const real *bar, int accumulate) {
  EVALUATOR_NAMES(e);
  if (!blocks[block].from_state || block == CNF_STATE) return; /* the probes are not differentiated */
  if (blocks[block].bent)
    lead_back(k, blocks[block].rows, bar, accumulate, varying_of(m, e->bars.tangent_bar, g, block));
  else
    lead_back(k, blocks[block].rows, bar, 1, rows_of(m, e->constants.tangent_bar, n, block));
}

/* to (+)= factor from: SCALE, and its transpose. */
static void scale_by(int32_t rows, int32_t lanes, double factor, const real *from, int32_t accumulate, real *to) {
  const real by = (real)factor;
  const int32_t count = rows * lanes;
  if (accumulate)
    for (int32_t i = 0; i < count; i++) to[i] += by * from[i];
  else
    for (int32_t i = 0; i < count; i++) to[i] = by * from[i];
}

/* to = factor from + offset. */
static void scale_and_shift(int32_t rows, int32_t lanes, double factor, double offset, const real *from, real *to) {
  const real by = (real)factor, plus = (real)offset;
  const int32_t count = rows * lanes;
  for (int32_t i = 0; i < count; i++) to[i] = by * from[i] + plus;
}

/* Each of `rows` rows to (+)= row: SUM's transpose. */
static void spread_row(int32_t rows, int32_t lanes, const real *row, int32_t accumulate, real *to) {
  for (int32_t r = 0; r < rows; r++, to += lanes)
    if (accumulate)
      for (int32_t j = 0; j < lanes; j++) to[j] += row[j];
    else
      copy_rows(1, lanes, row, to);
}

/* The gradient of the weights that op i multiplies by, of `count` panels of its result's cotangents and of its operand:
 * W_bar += z x' of a LINEAR op, whose W_bar is [rows][cols], += x z' of a TRANSPOSED one. */
static void add_weight_gradient(const cnf_model *m, int32_t i, int mixed, int32_t count, const real *const *z,
                                const real *const *x, real *gradient) {
  const cnf_plan *plan = &m->program->plans[i];
  const cnf_linear_place *place = &m->places[i];
  const int tied = plan->op.kind == CNF_OP_TRANSPOSED;
  (mixed && m->bf16 ? m->bf16->weight_gradient : m->kernels->weight_gradient)(
      tied ? plan->cols : plan->rows, tied ? plan->rows : plan->cols, count, tied ? x : z, tied ? z : x, place->ld,
      gradient + place->weight_bar);
}

/* to [total] (+)= from, at `rows` rows from `first` on: a slice's cotangent on its way back. */
static void lead_part_back(const cnf_kernels *k, int32_t total, int32_t first, int32_t rows, const real *from,
                           int32_t accumulate, real *to) {
  const int32_t lanes = k->lanes;
  if (!accumulate) zero_rows(total, lanes, to);
  k->add(rows, PANEL(to, first), from, PANEL(to, first));
}

#include "field/ops/callback.h"
#include "field/ops/coupling.h"

/* Tangent g of op i, where the value's product has not brought it along. */
static void tangent_op(cnf_evaluator *e, int32_t i, int32_t first, int32_t g) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  const cnf_op *op = &plan->op;
  const real *y = PANEL(e->kept.value, blocks[i + 1].row), *a_dot = tangent_of(e, first, g, op->input);
  real *y_dot = tangent_of(e, first, g, i + 1);
  switch (op->kind) {
  case CNF_OP_TRANSPOSED:
  case CNF_OP_LINEAR:
    if (plan->entry_row >= 0) {
      a_dot = entry_of(m, e->constants.entry, first + g, plan);
    } else {
      derivative_product(e, m->places[i].packed, m->places[i].bf16, plan->rows, plan->cols, 1, &a_dot, &y_dot,
                         overwrite);
      a_dot = y_dot;
    }
    if (plan->bends)
      k->activation_tangent(op->activation, plan->rows, y, kept_aux(e, plan), a_dot, y_dot, kept_pre(e, plan, g));
    break;
  case CNF_OP_ACTIVATION:
    k->activation_tangent(op->activation, plan->rows, y, kept_aux(e, plan), a_dot, y_dot, kept_pre(e, plan, g));
    break;
  case CNF_OP_ADD: {
    const real *b_dot = tangent_of(e, first, g, op->input2);
    if (blocks[op->input].from_state && blocks[op->input2].from_state)
      k->add(plan->rows, a_dot, b_dot, y_dot);
    else
      copy_rows(plan->rows, lanes, blocks[op->input].from_state ? a_dot : b_dot, y_dot);
    break;
  }
  case CNF_OP_CONCAT: {
    const int32_t parts[2] = {op->input, op->input2};
    for (int n = 0; n < 2; y_dot = PANEL(y_dot, blocks[parts[n]].rows), n++)
      if (blocks[parts[n]].from_state)
        copy_rows(blocks[parts[n]].rows, lanes, tangent_of(e, first, g, parts[n]), y_dot);
      else
        zero_rows(blocks[parts[n]].rows, lanes, y_dot);
    break;
  }
  case CNF_OP_CALLBACK: callback_tangent(e, i, a_dot, y_dot); break;
  case CNF_OP_SLICE: copy_rows(plan->rows, lanes, PANEL(a_dot, op->first), y_dot); break;
  case CNF_OP_SCALE: scale_by(plan->rows, lanes, op->number, a_dot, 0, y_dot); break;
  case CNF_OP_SUM: k->total(blocks[op->input].rows, a_dot, 0, y_dot); break;
  case CNF_OP_MULTIPLY:
  case CNF_OP_LAYER_NORM:
  case CNF_OP_DROPOUT: coupling_tangent(e, i, first, g, y_dot); break;
  }
}

/* The value of op i; a LINEAR op's product takes `count` tangents of the group along where they run through it: then 1. */
static int value_op(cnf_evaluator *e, int32_t i, const real *time, int32_t first, int32_t count) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  const cnf_op *op = &plan->op;
  real *y = PANEL(e->kept.value, blocks[i + 1].row);
  const real *a = cnf_op_operands(op) ? PANEL(e->kept.value, blocks[op->input].row) : time;
  switch (op->kind) {
  case CNF_OP_TRANSPOSED:
  case CNF_OP_LINEAR: {
    const real *x_dot[CNF_TANGENT_GROUP];
    real *y_dot[CNF_TANGENT_GROUP], *pre[CNF_TANGENT_GROUP];
    if (!plan->tangent_runs || !blocks[op->input].bent) count = 0;
    for (int32_t g = 0; g < count; g++) {
      x_dot[g] = tangent_of(e, first, g, op->input);
      y_dot[g] = tangent_of(e, first, g, i + 1);
      pre[g] = kept_pre(e, plan, g);
    }
    real *aux = kept_aux(e, plan);
    const real *bias = op->kind == CNF_OP_LINEAR ? m->theta + plan->bias : NULL;
    k->linear(m->packed + m->places[i].packed, bias, plan->rows, plan->cols, a, op->activation, y, aux,
              m->bf16 ? 0 : count, x_dot, y_dot, pre);
    if (m->bf16 && count)
      derivative_product(e, m->places[i].packed, m->places[i].bf16, plan->rows, plan->cols, count, x_dot, y_dot,
                         overwrite);
    for (int32_t g = 0; m->bf16 && plan->bends && g < count; g++)
      k->activation_tangent(op->activation, plan->rows, y, aux, y_dot[g], y_dot[g], pre[g]);
    return count > 0;
  }
  case CNF_OP_ACTIVATION: k->activation(op->activation, plan->rows, a, y, kept_aux(e, plan)); break;
  case CNF_OP_TIME: copy_rows(1, lanes, a, y); break;
  case CNF_OP_ADD: k->add(plan->rows, a, PANEL(e->kept.value, blocks[op->input2].row), y); break;
  case CNF_OP_CONCAT: {
    int32_t n = blocks[op->input].rows;
    if (plan->is_view) break;
    copy_rows(n, lanes, a, y);
    copy_rows(plan->rows - n, lanes, PANEL(e->kept.value, blocks[op->input2].row), PANEL(y, n));
    break;
  }
  case CNF_OP_CALLBACK: callback_value(e, i, time); break;
  case CNF_OP_SLICE: copy_rows(plan->rows, lanes, PANEL(a, op->first), y); break;
  case CNF_OP_SCALE: scale_and_shift(plan->rows, lanes, op->number, op->offset, a, y); break;
  case CNF_OP_SUM: k->total(blocks[op->input].rows, a, 0, y); break;
  case CNF_OP_CONTEXT: copy_rows(plan->rows, lanes, e->context, y); break;
  case CNF_OP_MULTIPLY:
  case CNF_OP_LAYER_NORM:
  case CNF_OP_DROPOUT: coupling_value(e, i, a, y); break;
  }
  return 0;
}

/* f at block 0 of the kept values and at row `time`, the last block being dx/dt; with it tangents [first, first + count),
 * count <= CNF_TANGENT_GROUP. time NULL: the values are there already, and only tangents are made. */
static void field_forward(cnf_evaluator *e, const real *time, int32_t first, int32_t count) {
  const cnf_program *p = e->model->program;
  for (int32_t i = 0; i < p->op_count; i++) {
    const cnf_plan *plan = &p->plans[i];
    if (!plan->live || (time && value_op(e, i, time, first, count)) || !plan->tangent_runs) continue;
    for (int32_t g = 0; g < count; g++) tangent_op(e, i, first, g);
  }
}

/* Reverse of the activation of op i: cotangents of what is before it, of the value (bars.bar, in place) where with_value, and
 * of `count` tangents. Each tangent adds to the value's: a lone one at once, several through `extra`. */
static void reverse_bend(cnf_evaluator *e, int32_t i, int with_value, int32_t first, int32_t count, const real *mu,
                         int has_extra) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  const cnf_block *block = &blocks[i + 1];
  const real *y = PANEL(e->kept.value, block->row), *aux = kept_aux(e, plan);
  real *value_bar = PANEL(e->bars.bar, block->row), *extra = PANEL(e->extra, block->row);
  const int at_once = with_value && count == 1 && !has_extra;
  for (int32_t g = 0; g < count; g++) {
    const int32_t n = first + g;
    const real *y_dot = tangent_of(e, first, g, i + 1);
    const real *exit = block->exits ? rows_of(m, e->constants.exit, n, i + 1) : NULL;
    const real *from = at_once ? value_bar : has_extra || g > 0 ? extra : NULL;
    real *bar = varying_of(m, e->bars.tangent_bar, g, i + 1);
    k->activation_tangent_reverse(plan->op.activation, plan->rows, y, aux, y_dot, kept_pre(e, plan, g),
                                  block->turns ? bar : NULL, exit, mu, bar, from, at_once, at_once ? value_bar : extra);
    if (exit) k->scale_add(plan->rows, y_dot, mu, rows_of(m, e->constants.exit_bar, n, i + 1));
    if (plan->entry_row >= 0) {
      real *sum = entry_of(m, e->constants.entry_bar, n, plan);
      k->add(plan->rows, sum, bar, sum);
    }
  }
  if (with_value && !at_once)
    k->activation_reverse(plan->op.activation, plan->rows, y, aux, value_bar, count || has_extra ? extra : NULL,
                          value_bar);
}

/* Reverse of op i of tangent g, behind its activation, for all kinds but LINEAR, TRANSPOSED, CALLBACK and those that couple. */
static void reverse_tangent_op(cnf_evaluator *e, int32_t i, int32_t first, int32_t g) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  const cnf_op *op = &plan->op;
  const real *bar = varying_of(m, e->bars.tangent_bar, g, i + 1);
  if (op->kind == CNF_OP_SCALE) { /* does not bend: its operand's tangent varies, as its own does */
    scale_by(plan->rows, lanes, op->number, bar, plan->tangent_accumulate,
             varying_of(m, e->bars.tangent_bar, g, op->input));
    return;
  }
  if (op->kind == CNF_OP_SUM) { /* likewise */
    spread_row(blocks[op->input].rows, lanes, bar, plan->tangent_accumulate,
               varying_of(m, e->bars.tangent_bar, g, op->input));
    return;
  }
  if (op->kind == CNF_OP_SLICE) { /* likewise */
    lead_part_back(k, blocks[op->input].rows, op->first, plan->rows, bar, plan->tangent_accumulate,
                   varying_of(m, e->bars.tangent_bar, g, op->input));
    return;
  }
  lead_tangent_back(e, first + g, g, op->input, bar, plan->tangent_accumulate);
  if (op->kind == CNF_OP_ADD) lead_tangent_back(e, first + g, g, op->input2, bar, plan->tangent_accumulate2);
  if (op->kind == CNF_OP_CONCAT)
    lead_tangent_back(e, first + g, g, op->input2, PANEL(bar, blocks[op->input].rows), plan->tangent_accumulate2);
}

/* The transposed product of an op that multiplies, of the value's cotangent and of the tangents'. */
static void reverse_linear(cnf_evaluator *e, int32_t i, int with_value, int32_t count) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  const int32_t input = plan->op.input;
  const real *from[CNF_TANGENT_GROUP + 1];
  real *to[CNF_TANGENT_GROUP + 1];
  int accumulate[CNF_TANGENT_GROUP + 1], panels = 0;
  if (with_value) {
    from[panels] = PANEL(e->bars.bar, blocks[i + 1].row);
    to[panels] = PANEL(e->bars.bar, blocks[input].row);
    accumulate[panels++] = plan->accumulate;
  }
  for (int32_t g = 0; plan->tangent_runs && blocks[input].bent && g < count; g++) {
    from[panels] = varying_of(m, e->bars.tangent_bar, g, i + 1);
    to[panels] = varying_of(m, e->bars.tangent_bar, g, input);
    accumulate[panels++] = plan->tangent_accumulate;
  }
  if (panels)
    derivative_product(e, m->places[i].packed_t, m->places[i].bf16_t, plan->cols, plan->rows, panels, from, to,
                       accumulate);
}

/* The value's reverse of op i, behind its activation, for all kinds but LINEAR, TRANSPOSED, CALLBACK and those that couple. */
static void reverse_value_op(cnf_evaluator *e, int32_t i, real *time_bar) {
  EVALUATOR_NAMES(e);
  const cnf_plan *plan = &p->plans[i];
  const cnf_op *op = &plan->op;
  const real *bar = PANEL(e->bars.bar, blocks[i + 1].row);
  if (op->kind == CNF_OP_TIME) {
    k->add(1, time_bar, bar, time_bar);
    return;
  }
  if (op->kind == CNF_OP_CONTEXT) {
    k->add(plan->rows, e->context_bar, bar, e->context_bar);
    return;
  }
  if (plan->is_view) return;
  const cnf_block *a = &blocks[op->input];
  if (op->kind == CNF_OP_SCALE) {
    scale_by(plan->rows, lanes, op->number, bar, plan->accumulate, PANEL(e->bars.bar, a->row));
    return;
  }
  if (op->kind == CNF_OP_SUM) {
    spread_row(a->rows, lanes, bar, plan->accumulate, PANEL(e->bars.bar, a->row));
    return;
  }
  if (op->kind == CNF_OP_SLICE) {
    lead_part_back(k, a->rows, op->first, plan->rows, bar, plan->accumulate, PANEL(e->bars.bar, a->row));
    return;
  }
  lead_back(k, a->rows, bar, plan->accumulate, PANEL(e->bars.bar, a->row));
  if (op->kind != CNF_OP_ADD && op->kind != CNF_OP_CONCAT) return;
  const cnf_block *b = &blocks[op->input2];
  lead_back(k, b->rows, op->kind == CNF_OP_CONCAT ? PANEL(bar, a->rows) : bar, plan->accumulate2,
            PANEL(e->bars.bar, b->row));
}

/* Reverse of field_forward. With the value: the last block of bars.bar holds the cotangent of dx/dt, block 0 receives that of
 * the state, and row `time_bar` and the context's rows are added to; without it (time_bar NULL) tangents alone are reversed.
 * Row `mu`: the cotangent of the divergence, over the number of probes. has_extra: `extra` holds other parts of the
 * divergence's. Callbacks and norms add to `gradient` at once; the linear ops' is gathered later. */
static void field_reverse(cnf_evaluator *e, int32_t first, int32_t count, const real *mu, int has_extra, real *time_bar,
                          real *gradient) {
  EVALUATOR_NAMES(e);
  const int with_value = time_bar != NULL;
  if (with_value && !p->state_read) zero_rows(p->state_dim, lanes, e->bars.bar);
  for (int32_t i = p->op_count - 1; i >= 0; i--) {
    const cnf_plan *plan = &p->plans[i];
    const cnf_op *op = &plan->op;
    const int runs = plan->tangent_runs && count > 0;
    if (!plan->live || (!with_value && !runs)) continue;
    if (op->kind == CNF_OP_CALLBACK) {
      reverse_callback(e, i, first, runs ? count : 0, mu, has_extra && plan->bends, time_bar, gradient);
      continue;
    }
    if (couples(op)) {
      reverse_coupling(e, i, with_value, first, runs ? count : 0, mu, has_extra && plan->bends, gradient);
      continue;
    }
    if ((op->kind == CNF_OP_LINEAR || op->kind == CNF_OP_ACTIVATION) && op->activation != CNF_ACTIVATION_IDENTITY)
      reverse_bend(e, i, with_value, first, runs ? count : 0, mu, has_extra && plan->bends);
    if (cnf_op_multiplies(op)) {
      reverse_linear(e, i, with_value, count);
      continue;
    }
    if (with_value) reverse_value_op(e, i, time_bar);
    for (int32_t g = 0; runs && g < count; g++) reverse_tangent_op(e, i, first, g);
  }
}

/* Adds the gradients of all weights and biases from `count` reversed evaluations to the padded `gradient`. */
static void gather_gradients(const cnf_model *m, const cnf_reversed *done, int32_t count, real *gradient) {
  enum { MOST = 64 };
  const cnf_program *p = m->program;
  const cnf_kernels *k = m->kernels;
  const int32_t lanes = k->lanes;
  const real *z[MOST], *x[MOST];
  for (int32_t i = 0; i < p->op_count; i++) {
    const cnf_plan *plan = &p->plans[i];
    if (!plan->live || !cnf_op_multiplies(&plan->op)) continue;
    const int32_t input = plan->op.input, tangents = plan->tangent_runs && p->blocks[input].bent;
    int32_t pairs = 0;
    for (int32_t n = 0; n < count; n++)
      if (done[n].value) {
        z[pairs] = PANEL(done[n].bars.bar, p->blocks[i + 1].row);
        x[pairs++] = PANEL(done[n].kept.value, p->blocks[input].row);
      }
    if (pairs && plan->op.kind == CNF_OP_LINEAR) k->row_sums(plan->rows, pairs, z, gradient + m->places[i].bias_bar);
    for (int32_t n = 0; tangents && n < count; n++)
      for (int32_t g = 0; g < done[n].tangents; g++) {
        z[pairs] = varying_of(m, done[n].bars.tangent_bar, g, i + 1);
        x[pairs++] = varying_of(m, done[n].kept.tangent, g, input);
      }
    if (pairs) add_weight_gradient(m, i, 1, pairs, z, x, gradient);
  }
  int32_t pairs = 0;
  for (int32_t n = 0; n < count; n++)
    if (done[n].product) z[pairs] = done[n].bars.d2, x[pairs++] = done[n].bars.d1;
  if (pairs) derivative_gradient(m, m->m_rows, m->m_cols, pairs, z, x, m->m_ld, gradient + m->m_bar);
}
