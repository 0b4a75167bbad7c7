/* Where a model and an evaluator keep what they have: decided once per solver. */
#include "field/evaluator.h"

static size_t round_up(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }
#define ROUND_UP round_up

/* Reals of a packed matrix of rows x cols. */
static size_t packed_reals(const cnf_kernels *k, int32_t rows, int32_t cols) {
  return ROUND_UP((size_t)rows, (size_t)k->block_rows) * (size_t)cols;
}

/* Words of the same in bfloat16. */
static size_t bf16_words(const cnf_model *m, int32_t rows, int32_t cols) {
  return m->bf16 ? packed_reals(m->tile, rows, (cols + m->bf16->terms - 1) / m->bf16->terms) : 0;
}

/* Room for `count` reals more; where they begin, a multiple of a cache line. */
static size_t take_reals(size_t *size, size_t count) {
  const size_t at = *size;
  *size += ROUND_UP(count, CNF_CACHE_LINE / sizeof(float));
  return at;
}

/* From one row of a gradient to the next: whole vectors, and no multiple of 1 KiB, at which rows would share few sets of a
 * cache (1024 columns of float: 85 GFLOP/s, with a cache line more 93). */
static size_t gradient_stride(const cnf_kernels *k, int32_t cols) {
  const size_t line = CNF_CACHE_LINE / sizeof(real), ld = ROUND_UP((size_t)cols, (size_t)k->width);
  return ld % (16 * line) == 0 ? ld + line : ld;
}

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

/* Decides where everything lies and takes the model's memory from `arena`. */
static void model_layout(cnf_model *m, cnf_arena *arena) {
  const cnf_program *p = m->program;
  m->packed_size = m->bf16_size = m->gradient_size = 0;
  cnf_linear_place *places = cnf_arena_take(arena, (size_t)p->op_count, sizeof *places);
  for (int32_t i = 0; i < p->op_count; i++) {
    const cnf_plan *plan = &p->plans[i];
    if (plan->op.kind == CNF_OP_CALLBACK && places) places[i] = (cnf_linear_place){.weight_bar = m->gradient_size};
    if (plan->op.kind == CNF_OP_CALLBACK) m->gradient_size += ROUND_UP(plan->callback.parameter_count, 16);
    if (plan->op.kind == CNF_OP_LAYER_NORM) {
      const size_t gain = take_reals(&m->gradient_size, (size_t)plan->rows);
      const size_t bias = take_reals(&m->gradient_size, (size_t)plan->rows);
      if (places) places[i] = (cnf_linear_place){.weight_bar = gain, .bias_bar = bias};
    }
    if (plan->op.kind == CNF_OP_TRANSPOSED && places) {
      const cnf_linear_place of = places[plan->source];
      places[i] = of;
      places[i].packed = of.packed_t, places[i].packed_t = of.packed;
      places[i].bf16 = of.bf16_t, places[i].bf16_t = of.bf16;
    }
    if (plan->op.kind != CNF_OP_LINEAR) continue;
    cnf_linear_place place = {.ld = gradient_stride(m->kernels, plan->cols)};
    place.packed = take_reals(&m->packed_size, packed_reals(m->kernels, plan->rows, plan->cols));
    place.packed_t = take_reals(&m->packed_size, packed_reals(m->kernels, plan->cols, plan->rows));
    place.bf16 = take_reals(&m->bf16_size, bf16_words(m, plan->rows, plan->cols));
    place.bf16_t = take_reals(&m->bf16_size, bf16_words(m, plan->cols, plan->rows));
    place.weight_bar = take_reals(&m->gradient_size, (size_t)plan->rows * place.ld);
    place.bias_bar = take_reals(&m->gradient_size, (size_t)plan->rows);
    if (places) places[i] = place;
  }
  m->m_rows = m->m_cols = 0;
  if (m->trace == CNF_TRACE_EXACT_PRODUCT) place_trace_product(m);
  m->places = places;
  m->packed_size += CNF_CACHE_LINE / sizeof(real); /* products of one lane load up to a vector past the last weights */
  m->packed = cnf_arena_take(arena, m->packed_size, sizeof(real));
  m->packed_bf16 = cnf_arena_take(arena, m->bf16_size, sizeof(real));
  if (m->trace != CNF_TRACE_EXACT_PRODUCT) return;
  size_t product = (size_t)m->m_rows * (size_t)m->m_cols;
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

/* Takes an evaluator's own panels from `arena`; what `kept` and `bars` point at is the caller's. */
static void evaluator_layout(cnf_evaluator *e, const cnf_model *m, cnf_arena *arena) {
  size_t row = (size_t)m->kernels->lanes * sizeof(real);
  e->model = m;
  e->mean_rows = m->program->state_dim;
  constants_layout(&e->constants, m, arena);
  e->extra = cnf_arena_take(arena, (size_t)m->program->value_rows, row);
  e->d1_bar = cnf_arena_take(arena, m->trace == CNF_TRACE_EXACT_PRODUCT ? (size_t)m->m_cols : 0, row);
  const size_t panels = m->bf16 ? (size_t)group_size(m) + 1 : 0, terms = m->bf16 ? (size_t)m->bf16->terms : 1;
  e->bf16_room = cnf_arena_take(arena, panels * ((size_t)m->program->widest + terms - 1) / terms, row);
  size_t widest = 0, widest_coupling = 0;
  for (int32_t i = 0; i < m->program->op_count; i++) {
    const cnf_plan *plan = &m->program->plans[i];
    if (plan->op.kind == CNF_OP_CALLBACK && (size_t)plan->cols > widest) widest = (size_t)plan->cols;
    if (couples(&plan->op) && (size_t)plan->rows > widest_coupling) widest_coupling = (size_t)plan->rows;
  }
  e->held = cnf_arena_take(arena, (size_t)m->program->held_rows, row);
  e->callback_bar = cnf_arena_take(arena, 2 * widest + 1, row);
  e->context = cnf_arena_take(arena, (size_t)m->program->context_dim, row);
  e->masks = cnf_arena_take(arena, (size_t)m->program->mask_rows, row);
  e->context_bar = cnf_arena_take(arena, (size_t)m->program->context_dim, row);
  e->room = cnf_arena_take(arena, 3 * widest_coupling + 1, row);
}
