/* The one adjoint stage loop: the derivative of the steps that were taken, lanes walking their own records backward.
 *
 * A step is x' = x + h sum b_i k_i, k_i = f(t + c_i h, X_i), X_i = x + h sum_j a_ij k_j, and l' = l + h sum b_i div_i.
 * With lambda = dL/dx', mu = dL/dl' (a constant of the solve), from the last stage to the first:
 *     k_bar_i = h (b_i lambda + sum_{j>i} a_ji X_bar_j)
 *     X_bar_i = (df/dx)' k_bar_i + h b_i mu (d div_i/dx)'      theta_bar and t_bar_i likewise
 *     lambda <- lambda + sum_i X_bar_i
 *     h_bar   = sum_i b_i k_i lambda + X_bar_i (X_i - x)/h + c_i t_bar_i + b_i mu div_i
 * h keeps its sign: a solve backward in time has h < 0 and needs nothing else changed.
 * Places of steps are constants s of t = t0 + s (t1 - t0):
 *     dL/dt1 = sum over steps of s sum_i t_bar_i + ds h_bar,   dL/dt0 = sum of (1 - s) sum_i t_bar_i - ds h_bar.
 */
#include "solve/solver.h"

/* Values of every stage that has a reverse, kept for it; their slopes in w->k. */
static void CNF_TYPED(replay_stages)(CNF_TYPED(cnf_worker) * w, const cnf_stages *s) {
  WORKER_NAMES(w);
  const cnf_program *p = m->program;
  size_t value = (size_t)p->value_rows * (size_t)lanes, aux = (size_t)p->aux_rows * (size_t)lanes;
  for (int32_t i = 0; i < s->count; i++) {
    if (!s->reverses[i]) continue;
    w->e.value = w->stage_value + (size_t)i * value;
    w->e.aux = w->stage_aux + (size_t)i * aux;
    CNF_TYPED(weighted) list = CNF_TYPED(slopes)(w, i, s->tableau->a[i]);
    k->combine(D, w->x, w->h_row, list.count, list.weight, list.panel, w->e.value);
    CNF_TYPED(time_row)(w, cnf_tableau_c(s->tableau, i));
    CNF_TYPED(field_forward)(&w->e, w->time_row);
    CNF_TYPED(copy_rows)
    (D, lanes, w->e.value + (size_t)p->blocks[p->op_count].row * (size_t)lanes, CNF_TYPED(slope)(w, i));
  }
}

/* What stage i adds to h_bar_row and t_bar_row. */
static void CNF_TYPED(gather_times)(CNF_TYPED(cnf_worker) * w, const cnf_stages *s, int32_t i, const real *x_bar) {
  WORKER_NAMES(w);
  real b = (real)s->tableau->b[i], c = (real)cnf_tableau_c(s->tableau, i);
  CNF_TYPED(weighted) list = CNF_TYPED(slopes)(w, i, s->tableau->a[i]);
  k->dot(D, CNF_TYPED(slope)(w, i), w->lambda, 0, w->row);
  for (int32_t j = 0; j < lanes; j++) {
    real divergence = b != 0 ? b * w->mu_row[j] * w->divergence_row[j] : 0;
    w->h_bar_row[j] += b * w->row[j] + c * w->time_bar_row[j] + divergence;
    w->t_bar_row[j] += w->time_bar_row[j];
    w->row[j] = 1;
  }
  k->combine(D, NULL, w->row, list.count, list.weight, list.panel, w->slope);
  k->dot(D, x_bar, w->slope, 1, w->h_bar_row);
}

/* lambda at the steps' ends becomes lambda at their starts. */
static void CNF_TYPED(reverse_step)(CNF_TYPED(cnf_worker) * w, const cnf_stages *s, int want_times, real *gradient) {
  WORKER_NAMES(w);
  const cnf_program *p = m->program;
  size_t row = (size_t)lanes * sizeof(real), state = (size_t)D * (size_t)lanes;
  size_t value = (size_t)p->value_rows * (size_t)lanes, aux = (size_t)p->aux_rows * (size_t)lanes;
  CNF_TYPED(step_row)(w);
  CNF_TYPED(replay_stages)(w, s);
  memset(w->h_bar_row, 0, row);
  memset(w->t_bar_row, 0, row);
  for (int32_t i = s->count - 1; i >= 0; i--) {
    if (!s->reverses[i]) continue;
    double b = s->tableau->b[i];
    int has_divergence = m->trace != CNF_TRACE_NONE && b != 0;
    CNF_TYPED(weighted) list = {.count = 0};
    CNF_TYPED(weigh)(&list, b, w->lambda);
    for (int32_t j = i + 1; j < s->count; j++)
      if (s->reverses[j]) CNF_TYPED(weigh)(&list, s->tableau->a[j][i], w->stage_bar + (size_t)j * state);
    k->combine(D, NULL, w->h_row, list.count, list.weight, list.panel,
               w->e.bar + (size_t)p->blocks[p->op_count].row * (size_t)lanes);
    w->e.value = w->stage_value + (size_t)i * value;
    w->e.aux = w->stage_aux + (size_t)i * aux;
    memset(w->time_bar_row, 0, row);
    memset(w->divergence_row, 0, row);
    if (has_divergence) {
      for (int32_t j = 0; j < lanes; j++) w->stage_mu_row[j] = w->h_row[j] * (real)b * w->mu_row[j];
      CNF_TYPED(divergence_reverse)(&w->e, w->probes, w->stage_mu_row, gradient, w->divergence_row);
    }
    CNF_TYPED(field_reverse)(&w->e, has_divergence, w->time_bar_row, gradient);
    CNF_TYPED(copy_rows)(D, lanes, w->e.bar, w->stage_bar + (size_t)i * state);
    if (want_times) CNF_TYPED(gather_times)(w, s, i, w->stage_bar + (size_t)i * state);
  }
  for (int32_t i = 0; i < s->count; i++)
    if (s->reverses[i]) k->add(D, w->lambda, w->stage_bar + (size_t)i * state, w->lambda);
}

static void CNF_TYPED(adjoint_idle)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_call) * call, int32_t lane) {
  WORKER_NAMES(w);
  CNF_TYPED(lane_idle)(w, call, lane);
  CNF_TYPED(column_zero)(D, lanes, w->lambda, lane);
  w->mu_row[lane] = 0;
}

static void CNF_TYPED(finish_adjoint)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_call) * call, int64_t first,
                                      int32_t lane) {
  WORKER_NAMES(w);
  cnf_gradient *g = call->gradient;
  size_t number = (size_t)(first + w->sample[lane]);
  if (g->x0) CNF_TYPED(column_out)(D, lanes, w->lambda, lane, (real *)g->x0 + number * (size_t)D);
  if (g->t0) g->t0[number] = w->t0_bar[lane];
  if (g->t1) g->t1[number] = w->t1_bar[lane];
  CNF_TYPED(adjoint_idle)(w, call, lane);
}

/* The next samples that did arrive into idle lanes; the failed ones get zeros. */
static void CNF_TYPED(load_adjoints)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_call) * call, int64_t first,
                                     int64_t count, int64_t *next) {
  WORKER_NAMES(w);
  cnf_gradient *g = call->gradient;
  for (int32_t j = 0; j < lanes; j++) {
    while (w->sample[j] < 0 && *next < count) {
      int64_t s = (*next)++;
      size_t number = (size_t)(first + s);
      if (w->chunk_status[s] != CNF_SAMPLE_OK) {
        if (g->x0) memset((real *)g->x0 + number * (size_t)D, 0, (size_t)D * sizeof(real));
        if (g->t0) g->t0[number] = 0;
        if (g->t1) g->t1[number] = 0;
        continue;
      }
      w->sample[j] = s;
      w->step[j] = w->chunk_accepted[s] - 1;
      w->t0_bar[j] = w->t1_bar[j] = 0;
      w->mu_row[j] = (real)w->chunk_log_det_bar[s];
      CNF_TYPED(column_in)(D, lanes, w->chunk_x1_bar + (size_t)s * (size_t)D, w->lambda, j);
      CNF_TYPED(load_probes)(w, call, first + s, j);
      if (w->step[j] < 0) CNF_TYPED(finish_adjoint)(w, call, first, j);
    }
  }
}

/* Idle lanes stand where a live one does, with h = 0 and zero cotangents: its values are finite, so what they add to the
 * sums over lanes is exactly 0. */
static void CNF_TYPED(shelter_idle_lanes)(CNF_TYPED(cnf_worker) * w, int32_t live) {
  WORKER_NAMES(w);
  int32_t probe_rows = m->trace == CNF_TRACE_HUTCHINSON ? m->probes * D : 0;
  for (int32_t j = 0; j < lanes; j++) {
    if (w->sample[j] >= 0) continue;
    w->t[j] = w->t[live];
    for (int32_t d = 0; d < D; d++) w->x[d * lanes + j] = w->x[d * lanes + live];
    for (int32_t d = 0; d < probe_rows; d++) w->probes[d * lanes + j] = w->probes[d * lanes + live];
  }
}

/* Differentiates the chunk that forward_chunk has just solved and recorded. */
static void CNF_TYPED(adjoint_chunk)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_call) * call, int64_t first,
                                     int64_t count, real *gradient) {
  WORKER_NAMES(w);
  double t0 = call->input->t0, span = call->input->t1 - call->input->t0;
  real *own_value = w->e.value, *own_aux = w->e.aux;
  int64_t next = 0;
  for (int32_t j = 0; j < lanes; j++) CNF_TYPED(adjoint_idle)(w, call, j);
  for (;;) {
    int32_t live = -1;
    CNF_TYPED(load_adjoints)(w, call, first, count, &next);
    for (int32_t j = 0; j < lanes; j++) {
      if (w->sample[j] < 0) continue;
      live = j;
      size_t place = (size_t)w->step[j] * (size_t)call->solver->chunk_capacity + (size_t)w->sample[j];
      w->t[j] = w->record_step[place].t;
      w->h[j] = w->record_step[place].h;
      CNF_TYPED(column_in)(D, lanes, w->record_x + place * (size_t)D, w->x, j);
    }
    if (live < 0) break;
    CNF_TYPED(shelter_idle_lanes)(w, live);
    CNF_TYPED(reverse_step)(w, &call->solver->stages, call->want_times, gradient);
    for (int32_t j = 0; j < lanes; j++) {
      if (w->sample[j] < 0) continue;
      int32_t n = w->step[j];
      double place = call->steps ? CNF_TYPED(fraction)(call, n) : (w->t[j] - t0) / span;
      double length = call->steps ? CNF_TYPED(fraction)(call, n + 1) - place : w->h[j] / span;
      double t_bar = (double)w->t_bar_row[j], h_bar = (double)w->h_bar_row[j];
      w->t1_bar[j] += place * t_bar + length * h_bar;
      w->t0_bar[j] += (1 - place) * t_bar - length * h_bar;
      if (--w->step[j] < 0) CNF_TYPED(finish_adjoint)(w, call, first, j);
    }
  }
  w->e.value = own_value;
  w->e.aux = own_aux;
}
