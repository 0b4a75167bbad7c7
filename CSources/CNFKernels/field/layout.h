/* Where the arrays of a model and of an evaluator lie: decided once per solver. */
#ifndef CNF_FIELD_LAYOUT_H
#define CNF_FIELD_LAYOUT_H

#include "field/op_table.h"
#include "field/sizes.h"

static void place_trace_product(cnf_model *m) {
  const cnf_program *p = m->program;
  const cnf_trace_product *t = &p->trace;
  m->m_rows = t->hidden == 2 ? p->plans[t->layers[1]].rows : 1;
  m->m_cols = t->hidden >= 1 ? p->plans[t->layers[0]].rows : 1;
  m->m_ld = gradient_stride(m->kernels, m->m_cols);
  m->m_packed = take_reals(&m->packed_size, packed_reals(m->kernels, m->m_rows, m->m_cols));
  m->m_packed_t = take_reals(&m->packed_size, packed_reals(m->kernels, m->m_cols, m->m_rows));
  m->m_bf16 = take_reals(&m->bf16_size, bf16_words(m, m->m_rows, m->m_cols));
  m->m_bf16_t = take_reals(&m->bf16_size, bf16_words(m, m->m_cols, m->m_rows));
  m->m_bar = take_reals(&m->gradient_size, (size_t)m->m_rows * m->m_ld);
}

/* EXACT_PRODUCT: the matrices whose product is the trace. */
static void trace_product_layout(cnf_model *m, cnf_arena *arena) {
  const cnf_program *p = m->program;
  const size_t product = (size_t)m->m_rows * (size_t)m->m_cols;
  m->m = cnf_arena_take(arena, product, sizeof(real));
  if (p->trace.hidden != 2) return;
  m->q = cnf_arena_take(arena, product, sizeof(real));
  m->q_bar = cnf_arena_take(arena, product, sizeof(real));
  /* matmul_scratch: packed left factor, a panel of the right one, a panel of the result; the largest of three shapes */
  size_t a = (size_t)m->m_rows + 16, b = (size_t)m->m_cols + 16, d = (size_t)p->state_dim + 16;
  size_t left = a * b > a * d ? a * b : a * d;
  if (b * d > left) left = b * d;
  m->matmul_scratch = cnf_arena_take(arena, left + (a + b + d) * (size_t)m->kernels->lanes * 2, sizeof(real));
}

/* Decides where everything lies, and takes the model's memory from `arena`. */
static void model_layout(cnf_model *m, cnf_arena *arena) {
  const cnf_program *p = m->program;
  m->packed_size = m->bf16_size = m->gradient_size = 0;
  m->places = cnf_arena_take(arena, (size_t)p->op_count, sizeof *m->places);
  for (int32_t i = 0; i < p->op_count; i++) {
    const op_functions *functions = functions_of(&p->plans[i]);
    cnf_op_place place = {0};
    if (!functions->lay_out) continue;
    functions->lay_out(m, i, &place);
    if (m->places) m->places[i] = place;
  }
  m->m_rows = m->m_cols = 0;
  if (m->trace == CNF_TRACE_EXACT_PRODUCT) place_trace_product(m);
  m->packed_size += CNF_CACHE_LINE / sizeof(real); /* products of one lane load up to a vector past the last weights */
  m->packed = cnf_arena_take(arena, m->packed_size, sizeof(real));
  m->bound = cnf_arena_take(arena, p->parameter_count, sizeof(real));
  m->packed_bf16 = cnf_arena_take(arena, m->bf16_size, sizeof(real));
  m->time_rates = cnf_arena_take(arena, m->wants_time_rate ? (size_t)p->value_rows : 0, sizeof(double));
  if (m->trace == CNF_TRACE_EXACT_PRODUCT) trace_product_layout(m, arena);
}

/* Reals of what one evaluation keeps; the parts lie back to back in the order of the struct. */
static size_t kept_reals(const cnf_model *m) {
  const cnf_program *p = m->program;
  size_t group = (size_t)group_size(m), product = m->trace == CNF_TRACE_EXACT_PRODUCT;
  size_t rows = (size_t)p->value_rows + (size_t)p->aux_rows + group * ((size_t)p->tangent_rows + (size_t)p->pre_rows) +
                (product ? (size_t)m->m_rows : 0);
  return rows * (size_t)m->kernels->lanes;
}
static cnf_kept kept_at(const cnf_model *m, real *at) {
  const cnf_program *p = m->program;
  size_t lanes = (size_t)m->kernels->lanes, group = (size_t)group_size(m);
  cnf_kept kept = {.value = at};
  kept.aux = kept.value + (size_t)p->value_rows * lanes;
  kept.tangent = kept.aux + (size_t)p->aux_rows * lanes;
  kept.pre = kept.tangent + group * (size_t)p->tangent_rows * lanes;
  kept.md1 = kept.pre + group * (size_t)p->pre_rows * lanes;
  return kept;
}

static void bars_layout(cnf_bars *bars, const cnf_model *m, cnf_arena *arena) {
  size_t row = (size_t)m->kernels->lanes * sizeof(real), rows = (size_t)m->program->value_rows;
  bars->bar = cnf_arena_take(arena, rows, row);
  bars->tangent_bar = cnf_arena_take(arena, (size_t)group_size(m) * (size_t)m->program->tangent_rows, row);
  size_t product = m->trace == CNF_TRACE_EXACT_PRODUCT;
  bars->d1 = cnf_arena_take(arena, product * (size_t)m->m_cols, row);
  bars->d2 = cnf_arena_take(arena, product * (size_t)m->m_rows, row);
}

/* The sums of a solve's constants alone. */
static void sums_layout(cnf_constants *c, const cnf_model *m, cnf_arena *arena) {
  size_t row = (size_t)m->kernels->lanes * sizeof(real), count = (size_t)tangent_count(m);
  size_t rows = count * (size_t)m->program->value_rows, entries = count * (size_t)m->program->entry_rows;
  c->tangent_bar = cnf_arena_take(arena, rows, row);
  c->entry_bar = cnf_arena_take(arena, entries, row);
  c->exit_bar = cnf_arena_take(arena, rows, row);
  c->mu = cnf_arena_take(arena, 1, row);
}

static void constants_layout(cnf_constants *c, const cnf_model *m, cnf_arena *arena) {
  size_t row = (size_t)m->kernels->lanes * sizeof(real), count = (size_t)tangent_count(m);
  size_t rows = count * (size_t)m->program->value_rows, entries = count * (size_t)m->program->entry_rows;
  c->tangent = cnf_arena_take(arena, rows, row);
  c->entry = cnf_arena_take(arena, entries, row);
  c->exit = cnf_arena_take(arena, rows, row);
  c->divergence = cnf_arena_take(arena, 1, row);
  sums_layout(c, m, arena);
}

/* Takes an evaluator's own panels from `arena`. What `kept` and `bars` point at is the caller's. */
static void evaluator_layout(cnf_evaluator *e, const cnf_model *m, cnf_arena *arena) {
  const cnf_program *p = m->program;
  size_t row = (size_t)m->kernels->lanes * sizeof(real);
  e->model = m;
  e->mean_rows = p->state_dim;
  constants_layout(&e->constants, m, arena);
  e->pre_divergence_bar = cnf_arena_take(arena, (size_t)p->value_rows, row);
  e->d1_bar = cnf_arena_take(arena, m->trace == CNF_TRACE_EXACT_PRODUCT ? (size_t)m->m_cols : 0, row);
  const size_t panels = m->bf16 ? (size_t)group_size(m) + 1 : 0, terms = m->bf16 ? (size_t)m->bf16->terms : 1;
  e->bf16_scratch = cnf_arena_take(arena, panels * ((size_t)p->widest + terms - 1) / terms, row);
  size_t scratch = 0;
  for (int32_t i = 0; i < p->op_count; i++) {
    const op_functions *functions = functions_of(&p->plans[i]);
    const size_t rows = functions->scratch_rows ? functions->scratch_rows(&p->plans[i]) : 0;
    if (rows > scratch) scratch = rows;
  }
  e->scratch = cnf_arena_take(arena, scratch, row);
  e->divergence_bar = cnf_arena_take(arena, (size_t)p->divergence_rows, row);
  e->context = cnf_arena_take(arena, (size_t)p->context_dim, row);
  e->masks = cnf_arena_take(arena, (size_t)p->mask_rows, row);
  e->context_bar = cnf_arena_take(arena, (size_t)p->context_dim, row);
}

#endif
