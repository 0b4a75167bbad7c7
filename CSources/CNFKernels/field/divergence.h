/* The integrands besides dx/dt, and their backward pass: tr df/dx by each of the methods that a model may have chosen,
 * and the two regularisers of RNODE (Finlay et al. 2020, arXiv 2002.02798), 1/2 mean_D f^2 and mean_D (J eps)^2. The
 * paper has (eps' J)^2. The mean of either over eps is |J|_F^2 / D, and tangents give J eps. */
#ifndef CNF_FIELD_DIVERGENCE_H
#define CNF_FIELD_DIVERGENCE_H

#include "field/backward.h"
#include "field/forward.h"
#include "field/probe_constants.h"

static const cnf_plan *hidden_plan(const cnf_model *m, int layer) {
  return &m->program->plans[m->program->trace.layers[layer]];
}
static real *hidden_panel(const cnf_evaluator *e, real *panel, int layer) {
  const cnf_program *p = e->model->program;
  return panel + (size_t)p->blocks[p->trace.layers[layer] + 1].row * (size_t)e->model->kernels->lanes;
}

/* d1, d2 from the kept values. */
static void product_derivatives(cnf_evaluator *e) {
  EVALUATOR_NAMES(e);
  for (int layer = 0; layer < p->trace.hidden; layer++) {
    const cnf_plan *plan = hidden_plan(m, layer);
    k->derivative(plan->op.activation, plan->rows, hidden_panel(e, e->kept.value, layer), kept_aux(e, plan),
                  layer ? e->bars.d2 : e->bars.d1);
  }
}

/* The divergence in the product form, after field_forward; keeps M d1. */
static void product_divergence(cnf_evaluator *e, real *out) {
  EVALUATOR_NAMES(e);
  if (p->trace.hidden == 0) {
    for (int32_t j = 0; j < lanes; j++) out[j] = m->m[0];
    return;
  }
  product_derivatives(e);
  const real *d1 = e->bars.d1;
  derivative_product(e, m->m_packed, m->m_bf16, m->m_rows, m->m_cols, 1, &d1, &e->kept.md1, overwrite);
  if (p->trace.hidden == 1)
    copy_rows(1, lanes, e->kept.md1, out);
  else
    k->dot(m->m_rows, e->bars.d2, e->kept.md1, 0, out);
}

/* Overwrites pre_divergence_bar, and leaves d1 and mu d2 in the bars. Row out receives the divergence. */
static void product_divergence_reverse(cnf_evaluator *e, const real *mu, real *out) {
  EVALUATOR_NAMES(e);
  int32_t hidden = p->trace.hidden;
  zero_rows(p->value_rows, lanes, e->pre_divergence_bar);
  for (int32_t j = 0; hidden == 0 && j < lanes; j++) out[j] = m->m[0], e->bars.d1[j] = 1;
  if (hidden == 1) copy_rows(1, lanes, e->kept.md1, out);
  if (hidden < 2) copy_rows(1, lanes, mu, e->bars.d2);
  if (hidden == 0) return;
  product_derivatives(e);
  if (hidden == 2) {
    const cnf_plan *second = hidden_plan(m, 1);
    k->dot(m->m_rows, e->bars.d2, e->kept.md1, 0, out);
    k->scale(m->m_rows, e->kept.md1, mu, e->kept.md1);
    k->derivative_reverse(second->op.activation, m->m_rows, hidden_panel(e, e->kept.value, 1), kept_aux(e, second),
                          e->kept.md1, hidden_panel(e, e->pre_divergence_bar, 1));
    k->scale(m->m_rows, e->bars.d2, mu, e->bars.d2);
  }
  const cnf_plan *first = hidden_plan(m, 0);
  const real *d2 = e->bars.d2;
  derivative_product(e, m->m_packed_t, m->m_bf16_t, m->m_cols, m->m_rows, 1, &d2, &e->d1_bar, overwrite);
  k->derivative_reverse(first->op.activation, m->m_cols, hidden_panel(e, e->kept.value, 0), kept_aux(e, first),
                        e->d1_bar, hidden_panel(e, e->pre_divergence_bar, 0));
}

/* 1/K for the mean over K probes. */
static real probe_weight(const cnf_model *m) { return m->trace == CNF_TRACE_HUTCHINSON ? 1 / (real)m->probes : 1; }

/* Rows out += what `count` tangents of the group that begins with `first` add to the divergence and the Frobenius
 * norm. */
static void add_tangents(cnf_evaluator *e, int32_t first, int32_t count, cnf_integrands out) {
  EVALUATOR_NAMES(e);
  for (int32_t g = 0; p->output_tangent && g < count; g++) {
    const real *y_dot = tangent_of(e, first, g, p->op_count);
    k->dot(p->state_dim, rows_of(m, e->constants.tangent, first + g, CNF_STATE), y_dot, 1, out.divergence);
    const real *rows = PANEL(y_dot, e->mean_first);
    if (m->frobenius) k->dot(e->mean_rows, rows, rows, 1, out.frobenius);
  }
  for (int32_t i = 0; i < p->op_count; i++) {
    if (!goes_out(p, i)) continue;
    for (int32_t g = 0; g < count; g++)
      k->dot(blocks[i + 1].rows, rows_of(m, e->constants.exit, first + g, i + 1), tangent_of(e, first, g, i + 1), 1,
             out.divergence);
  }
}

/* The cotangents of the tangents of dx/dt, if the program has output_tangent: mu eps + nu J eps. */
static void begin_tangent_bars(cnf_evaluator *e, int32_t first, int32_t count, cnf_integrands bars) {
  EVALUATOR_NAMES(e);
  for (int32_t g = 0; p->output_tangent && g < count; g++) {
    const real *probe = rows_of(m, e->constants.tangent, first + g, CNF_STATE);
    const real *y_dot = tangent_of(e, first, g, p->op_count);
    real *bar = rows_of(m, e->constants.tangent_bar, first + g, p->op_count); /* a sum over the solve */
    if (blocks[p->op_count].behind_nonlinear) {
      bar = varying_of(m, e->bars.tangent_bar, g, p->op_count);
      zero_rows(p->state_dim, lanes, bar);
    }
    k->scale_add(p->state_dim, probe, bars.divergence, bar);
    if (m->frobenius)
      k->scale_add(e->mean_rows, PANEL(y_dot, e->mean_first), bars.frobenius, PANEL(bar, e->mean_first));
  }
}

static void mean_of_probes(const cnf_model *m, real *row) {
  if (m->trace != CNF_TRACE_HUTCHINSON || m->probes == 1) return;
  for (int32_t j = 0; j < m->kernels->lanes; j++) row[j] /= (real)m->probes;
}

/* Sums over tangents and rows become means. */
static void finish_means(const cnf_evaluator *e, cnf_integrands out) {
  const cnf_model *m = e->model;
  mean_of_probes(m, out.divergence);
  if (!m->frobenius) return;
  mean_of_probes(m, out.frobenius);
  for (int32_t j = 0; j < m->kernels->lanes; j++) out.frobenius[j] /= (real)e->mean_rows;
}

static void kinetic_energy(cnf_evaluator *e, real *row) {
  EVALUATOR_NAMES(e);
  const real *f = PANEL(e->kept.value, blocks[p->op_count].row + e->mean_first);
  k->dot(e->mean_rows, f, f, 0, row);
  for (int32_t j = 0; j < lanes; j++) row[j] /= (real)(2 * e->mean_rows);
}

static void clear_integrands(const cnf_model *m, cnf_integrands out) {
  const int32_t lanes = m->kernels->lanes;
  zero_rows(1, lanes, out.divergence);
  if (m->kinetic) zero_rows(1, lanes, out.kinetic);
  if (m->frobenius) zero_rows(1, lanes, out.frobenius);
}

/* f at block 0 of the kept values and row `time`. Rows out = the other integrands, or 0 without with_integrands. */
static void evaluate(cnf_evaluator *e, const double *time, int with_integrands, cnf_integrands out) {
  EVALUATOR_NAMES(e);
  const int with_trace = with_integrands && m->trace != CNF_TRACE_NONE && !m->jacobian;
  int32_t total = with_trace ? tangent_count(m) : 0, group = group_size(m);
  field_forward(e, time, 0, total < group ? total : group);
  if (!with_trace) clear_integrands(m, out);
  if (with_integrands && m->kinetic) kinetic_energy(e, out.kinetic);
  if (!with_trace) return;
  if (m->trace == CNF_TRACE_EXACT_PRODUCT) {
    product_divergence(e, out.divergence);
    return;
  }
  copy_rows(1, lanes, e->constants.divergence, out.divergence);
  if (m->frobenius) zero_rows(1, lanes, out.frobenius);
  for (int32_t first = 0; first < total; first += group) {
    int32_t count = total - first < group ? total - first : group;
    if (first) field_forward(e, NULL, first, count);
    add_tangents(e, first, count, out);
  }
  finish_means(e, out);
}

/* The backward pass of evaluate. Rows of bars: `divergence` is its cotangent over the number of probes; `kinetic` times
 * f is added to the cotangent of f; `frobenius` times J eps is added to the cotangent of J eps. bars NULL: the
 * evaluation had no integrands. Rows out receive the integrands again. The caller gathers the result into the gradient
 * (gather_gradients). Groups of tangents whose panels are used again are gathered here. gradient may be NULL where
 * there are no callbacks: nothing is gathered then. */
static cnf_reversed evaluate_reverse(cnf_evaluator *e, const cnf_integrands *bars, real *time_bar, real *gradient,
                                     cnf_integrands out) {
  EVALUATOR_NAMES(e);
  cnf_reversed done = {.kept = e->kept, .bars = e->bars, .value = 1};
  const real *mu = bars ? bars->divergence : NULL;
  clear_integrands(m, out);
  if (bars && m->kinetic) {
    kinetic_energy(e, out.kinetic);
    const int32_t row = blocks[p->op_count].row + e->mean_first;
    k->scale_add(e->mean_rows, PANEL(e->kept.value, row), bars->kinetic, PANEL(e->bars.bar, row));
  }
  if (mu && m->trace == CNF_TRACE_EXACT_PRODUCT) {
    product_divergence_reverse(e, mu, out.divergence);
    field_backward(e, 0, 0, mu, 1, time_bar, gradient);
    done.product = 1;
    return done;
  }
  int32_t total = mu ? tangent_count(m) : 0, group = group_size(m);
  if (total) {
    copy_rows(1, lanes, e->constants.divergence, out.divergence);
    k->add(1, e->constants.mu, mu, e->constants.mu);
  }
  for (int32_t first = total > group ? (total - 1) / group * group : 0; first > 0; first -= group) {
    cnf_reversed part = done;
    part.value = 0;
    part.tangents = total - first < group ? total - first : group;
    field_forward(e, NULL, first, part.tangents);
    add_tangents(e, first, part.tangents, out);
    begin_tangent_bars(e, first, part.tangents, *bars);
    field_backward(e, first, part.tangents, mu, first + group < total, NULL, gradient);
    if (gradient) gather_gradients(m, &part, 1, gradient);
  }
  done.tangents = total < group ? total : group;
  if (total > group) field_forward(e, NULL, 0, group);
  if (total) {
    add_tangents(e, 0, done.tangents, out);
    begin_tangent_bars(e, 0, done.tangents, *bars);
  }
  finish_means(e, out);
  field_backward(e, 0, done.tangents, mu, total > group, time_bar, gradient);
  return done;
}

#endif
