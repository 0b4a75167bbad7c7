/* tr df/dx of a tile, and its reverse, in each of the ways that a model may have chosen. */
#include "field/evaluator.h"

/* Block 0 of e->tangent = unit vector d in every lane. */
static void CNF_TYPED(unit_tangent)(CNF_TYPED(cnf_evaluator) * e, int32_t d, real *panel) {
  int32_t lanes = e->model->kernels->lanes;
  memset(panel, 0, (size_t)e->model->program->state_dim * (size_t)lanes * sizeof(real));
  for (int32_t j = 0; j < lanes; j++) panel[(size_t)d * (size_t)lanes + (size_t)j] = 1;
}

static const cnf_plan *CNF_TYPED(hidden_plan)(const CNF_TYPED(cnf_model) * m, int layer) {
  return &m->program->plans[m->program->trace.layers[layer]];
}
static real *CNF_TYPED(hidden_panel)(const CNF_TYPED(cnf_evaluator) * e, real *panel, int layer) {
  const cnf_program *p = e->model->program;
  return panel + (size_t)p->blocks[p->trace.layers[layer] + 1].row * (size_t)e->model->kernels->lanes;
}

static void CNF_TYPED(product_divergence)(CNF_TYPED(cnf_evaluator) * e, real *out) {
  EVALUATOR_NAMES(e);
  int32_t hidden = p->trace.hidden;
  if (hidden == 0) {
    for (int32_t j = 0; j < lanes; j++) out[j] = m->m[0];
    return;
  }
  const cnf_plan *first = CNF_TYPED(hidden_plan)(m, 0);
  k->derivative(first->op.activation, m->m_cols, CNF_TYPED(hidden_panel)(e, e->value, 0), CNF_TYPED(kept_aux)(e, first),
                e->d1);
  k->product(m->packed + m->m_packed, m->m_rows, m->m_cols, e->d1, hidden == 2 ? e->md1 : out, 0);
  if (hidden == 1) return;
  const cnf_plan *second = CNF_TYPED(hidden_plan)(m, 1);
  k->derivative(second->op.activation, m->m_rows, CNF_TYPED(hidden_panel)(e, e->value, 1),
                CNF_TYPED(kept_aux)(e, second), e->d2);
  k->dot(m->m_rows, e->d2, e->md1, 0, out);
}

static void CNF_TYPED(product_divergence_reverse)(CNF_TYPED(cnf_evaluator) * e, const real *bar, real *gradient) {
  EVALUATOR_NAMES(e);
  int32_t hidden = p->trace.hidden;
  if (hidden == 0) {
    k->row_sums(1, bar, gradient + m->m_bar);
    return;
  }
  const real *d2 = bar; /* one hidden layer: d2 is 1 */
  if (hidden == 2) {
    const cnf_plan *second = CNF_TYPED(hidden_plan)(m, 1);
    k->scale(m->m_rows, e->md1, bar, e->md1);
    k->derivative_reverse(second->op.activation, m->m_rows, CNF_TYPED(hidden_panel)(e, e->value, 1),
                          CNF_TYPED(kept_aux)(e, second), e->md1, CNF_TYPED(hidden_panel)(e, e->extra, 1));
    k->scale(m->m_rows, e->d2, bar, e->d2);
    d2 = e->d2;
  }
  const cnf_plan *first = CNF_TYPED(hidden_plan)(m, 0);
  k->product(m->packed + m->m_packed_t, m->m_cols, m->m_rows, d2, e->d1_bar, 0);
  k->derivative_reverse(first->op.activation, m->m_cols, CNF_TYPED(hidden_panel)(e, e->value, 0),
                        CNF_TYPED(kept_aux)(e, first), e->d1_bar, CNF_TYPED(hidden_panel)(e, e->extra, 0));
  k->transpose(m->m_cols, e->d1, e->transposed, m->m_ld);
  k->weight_gradient(m->m_rows, d2, e->transposed, m->m_ld, gradient + m->m_bar);
}

/* Tangent number n of the divergence: a probe, or a unit vector. */
static int32_t CNF_TYPED(tangent_count)(const CNF_TYPED(cnf_model) * m) {
  return m->trace == CNF_TRACE_HUTCHINSON ? m->probes : m->program->state_dim;
}

static void CNF_TYPED(seed_tangent)(CNF_TYPED(cnf_evaluator) * e, const real *probes, int32_t n) {
  EVALUATOR_NAMES(e);
  if (m->trace == CNF_TRACE_HUTCHINSON)
    CNF_TYPED(copy_rows)(p->state_dim, lanes, PANEL(probes, n * p->state_dim), e->tangent);
  else
    CNF_TYPED(unit_tangent)(e, n, e->tangent);
}

/* What tangent n adds to the divergence, into row out. */
static void CNF_TYPED(add_tangent)(CNF_TYPED(cnf_evaluator) * e, const real *probes, int32_t n, real *out) {
  EVALUATOR_NAMES(e);
  const real *last = PANEL(e->tangent, blocks[p->op_count].row);
  if (m->trace == CNF_TRACE_HUTCHINSON)
    k->dot(p->state_dim, PANEL(probes, n * p->state_dim), last, 1, out);
  else
    k->add(1, out, PANEL(last, n), out);
}

static void CNF_TYPED(mean_of_probes)(const CNF_TYPED(cnf_model) * m, real *row) {
  if (m->trace != CNF_TRACE_HUTCHINSON || m->probes == 1) return;
  for (int32_t j = 0; j < m->kernels->lanes; j++) row[j] /= (real)m->probes;
}

/* Row out = divergence at the values of field_forward. probes: panels [K][D][lanes], HUTCHINSON only. */
static void CNF_TYPED(divergence)(CNF_TYPED(cnf_evaluator) * e, const real *probes, real *out) {
  const CNF_TYPED(cnf_model) *m = e->model;
  if (m->trace == CNF_TRACE_EXACT_PRODUCT) {
    CNF_TYPED(product_divergence)(e, out);
    return;
  }
  memset(out, 0, (size_t)m->kernels->lanes * sizeof(real));
  if (m->trace == CNF_TRACE_NONE) return;
  for (int32_t n = 0; n < CNF_TYPED(tangent_count)(m); n++) {
    CNF_TYPED(seed_tangent)(e, probes, n);
    CNF_TYPED(field_tangent)(e);
    CNF_TYPED(add_tangent)(e, probes, n, out);
  }
  CNF_TYPED(mean_of_probes)(m, out);
}

/* Reverse of the divergence with cotangent row `bar`: overwrites e->extra, adds to `gradient`, and gives the divergence
 * itself in row out. */
static void CNF_TYPED(divergence_reverse)(CNF_TYPED(cnf_evaluator) * e, const real *probes, const real *bar,
                                          real *gradient, real *out) {
  EVALUATOR_NAMES(e);
  memset(e->extra, 0, (size_t)p->value_rows * (size_t)lanes * sizeof(real));
  if (m->trace == CNF_TRACE_EXACT_PRODUCT) {
    CNF_TYPED(product_divergence)(e, out);
    CNF_TYPED(product_divergence_reverse)(e, bar, gradient);
    return;
  }
  memset(out, 0, (size_t)lanes * sizeof(real));
  real *last_bar = PANEL(e->tangent_bar, blocks[p->op_count].row);
  for (int32_t n = 0; n < CNF_TYPED(tangent_count)(m); n++) {
    CNF_TYPED(seed_tangent)(e, probes, n);
    CNF_TYPED(field_tangent)(e);
    CNF_TYPED(add_tangent)(e, probes, n, out);
    if (m->trace == CNF_TRACE_HUTCHINSON) {
      k->scale(p->state_dim, PANEL(probes, n * p->state_dim), bar, last_bar);
      for (int32_t r = 0; m->probes > 1 && r < p->state_dim; r++) CNF_TYPED(mean_of_probes)(m, PANEL(last_bar, r));
    } else {
      memset(last_bar, 0, (size_t)p->state_dim * (size_t)lanes * sizeof(real));
      CNF_TYPED(copy_rows)(1, lanes, bar, PANEL(last_bar, n));
    }
    CNF_TYPED(field_tangent_reverse)(e, gradient);
  }
  CNF_TYPED(mean_of_probes)(m, out);
}
