/* Panels of a tile: where a block's rows lie in them, and how rows are copied and added. Compiled once per dtype by
 * solver_f32.c and solver_f64.c, as every file of this folder is. */
#ifndef CNF_FIELD_PANELS_H
#define CNF_FIELD_PANELS_H

#include "field/evaluator.h"

#define PANEL(panel, row) ((panel) + (size_t)(row) * (size_t)lanes)
#define EVALUATOR_NAMES(e)             \
  const cnf_model *m = (e)->model;     \
  const cnf_program *p = m->program;   \
  const cnf_kernels *k = m->kernels;   \
  const cnf_block *blocks = p->blocks; \
  const int32_t lanes = k->lanes;      \
  (void)blocks, (void)lanes
/* And those of op i. */
#define OP_NAMES(e, i)                     \
  EVALUATOR_NAMES(e);                      \
  const cnf_plan *plan = &p->plans[i];     \
  const cnf_op *op = &plan->op;            \
  const cnf_block *block = &blocks[i + 1]; \
  (void)op, (void)block

static void copy_rows(int32_t rows, int32_t lanes, const real *from, real *to) {
  memcpy(to, from, (size_t)rows * (size_t)lanes * sizeof(real));
}
static void zero_rows(int32_t rows, int32_t lanes, real *to) {
  memset(to, 0, (size_t)rows * (size_t)lanes * sizeof(real));
}

/* to = from, or to += from. The first op of a backward pass that reaches a block writes its cotangent; the others
 * add. */
static void put_rows(const cnf_kernels *k, int32_t rows, const real *from, int32_t accumulate, real *to) {
  if (accumulate)
    k->add(rows, to, from, to);
  else
    copy_rows(rows, k->lanes, from, to);
}

/* to = factor from, or to += factor from. */
static void put_scaled_rows(int32_t rows, int32_t lanes, double factor, const real *from, int32_t accumulate,
                            real *to) {
  const real by = (real)factor;
  const int32_t count = rows * lanes;
  if (accumulate)
    for (int32_t i = 0; i < count; i++) to[i] += by * from[i];
  else
    for (int32_t i = 0; i < count; i++) to[i] = by * from[i];
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

/* The panels that an op keeps for its backward pass; NULL if it keeps none. */
static real *kept_aux(const cnf_evaluator *e, const cnf_plan *plan) {
  return plan->aux_row < 0 ? NULL : e->kept.aux + (size_t)plan->aux_row * (size_t)e->model->kernels->lanes;
}
static real *kept_pre(const cnf_evaluator *e, const cnf_plan *plan, int32_t g) {
  if (plan->pre_row < 0) return NULL;
  return e->kept.pre + (size_t)(g * e->model->program->pre_rows + plan->pre_row) * (size_t)e->model->kernels->lanes;
}

/* A block's value, and its value's cotangent. */
static real *value_of(const cnf_evaluator *e, int32_t block) {
  return e->kept.value + (size_t)e->model->program->blocks[block].row * (size_t)e->model->kernels->lanes;
}
static real *bar_of(const cnf_evaluator *e, int32_t block) {
  return e->bars.bar + (size_t)e->model->program->blocks[block].row * (size_t)e->model->kernels->lanes;
}

/* A block's rows in set n of [..][value_rows] panels. */
static real *rows_of(const cnf_model *m, real *panels, int32_t n, int32_t block) {
  const cnf_program *p = m->program;
  return panels + ((size_t)n * (size_t)p->value_rows + (size_t)p->blocks[block].row) * (size_t)m->kernels->lanes;
}
static real *entry_of(const cnf_model *m, real *panels, int32_t n, const cnf_plan *plan) {
  return panels + ((size_t)n * (size_t)m->program->entry_rows + (size_t)plan->entry_row) * (size_t)m->kernels->lanes;
}
/* Likewise in set g of [..][tangent_rows] panels, of a block whose tangent every evaluation computes. */
static real *varying_of(const cnf_model *m, real *panels, int32_t g, int32_t block) {
  const cnf_program *p = m->program;
  return panels +
         ((size_t)g * (size_t)p->tangent_rows + (size_t)p->blocks[block].tangent_row) * (size_t)m->kernels->lanes;
}
/* The tangent of a block, number g of the group that starts with tangent `first`: of this evaluation, or of the
 * solve. */
static real *tangent_of(const cnf_evaluator *e, int32_t first, int32_t g, int32_t block) {
  return e->model->program->blocks[block].behind_nonlinear ? varying_of(e->model, e->kept.tangent, g, block)
                                                           : rows_of(e->model, e->constants.tangent, first + g, block);
}

/* Where the cotangent of tangent n, number g of its group, of an op's operand goes: to this evaluation's, or to the
 * sums over the solve, which always accumulate. NULL: nobody needs it, because the block does not depend on the state,
 * or because probes are not differentiated. */
static real *operand_tangent_bar(cnf_evaluator *e, int32_t n, int32_t g, int32_t block, int32_t *accumulate) {
  EVALUATOR_NAMES(e);
  if (!blocks[block].from_state || block == CNF_STATE) return NULL;
  if (blocks[block].behind_nonlinear) return varying_of(m, e->bars.tangent_bar, g, block);
  *accumulate = 1;
  return rows_of(m, e->constants.tangent_bar, n, block);
}
static void put_tangent_bar(cnf_evaluator *e, int32_t n, int32_t g, int32_t block, const real *bar,
                            int32_t accumulate) {
  real *to = operand_tangent_bar(e, n, g, block, &accumulate);
  if (to) put_rows(e->model->kernels, e->model->program->blocks[block].rows, bar, accumulate, to);
}

#endif
