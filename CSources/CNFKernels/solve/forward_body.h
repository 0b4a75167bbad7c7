/* The one stage loop, and the lanes that run through it: each sample has its own t, h and verdict. */
#include "solve/control.h"
#include "solve/solver.h"

static real *CNF_TYPED(slope)(const CNF_TYPED(cnf_worker) * w, int32_t stage) {
  WORKER_NAMES(w);
  return w->k + (size_t)stage * (size_t)(D + 1) * (size_t)lanes;
}

/* Slope `out` [D+1] = (f, divergence) at the state in block 0 of the evaluator and at time_row. */
static void CNF_TYPED(evaluate_slope)(CNF_TYPED(cnf_worker) * w, int with_divergence, real *out) {
  WORKER_NAMES(w);
  const cnf_program *p = m->program;
  CNF_TYPED(field_forward)(&w->e, w->time_row);
  CNF_TYPED(copy_rows)(D, lanes, w->e.value + (size_t)p->blocks[p->op_count].row * (size_t)lanes, out);
  real *divergence = out + (size_t)D * (size_t)lanes;
  if (with_divergence)
    CNF_TYPED(divergence)(&w->e, w->probes, divergence);
  else
    memset(divergence, 0, (size_t)lanes * sizeof(real));
}

/* All stages of a step of every lane from (t, x) with its h; then x1. */
static void CNF_TYPED(make_step)(CNF_TYPED(cnf_worker) * w, const cnf_stages *s) {
  WORKER_NAMES(w);
  CNF_TYPED(step_row)(w);
  for (int32_t i = s->fsal ? 1 : 0; i < s->count; i++) {
    if (!s->runs[i]) continue;
    CNF_TYPED(weighted) list = CNF_TYPED(slopes)(w, i, s->tableau->a[i]);
    k->combine(D, w->x, w->h_row, list.count, list.weight, list.panel, w->e.value);
    CNF_TYPED(time_row)(w, cnf_tableau_c(s->tableau, i));
    CNF_TYPED(evaluate_slope)(w, s->divergence[i] && m->trace != CNF_TRACE_NONE, CNF_TYPED(slope)(w, i));
  }
  CNF_TYPED(weighted) list = CNF_TYPED(slopes)(w, s->count, s->tableau->b);
  k->combine(D + 1, w->x, w->h_row, list.count, list.weight, list.panel, w->x1);
}

/* Hands a sample's result over and frees its lane. */
static void CNF_TYPED(finish_sample)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_call) * call, int32_t lane,
                                     int32_t status) {
  WORKER_NAMES(w);
  int64_t s = w->sample[lane];
  CNF_TYPED(column_out)(D, lanes, w->x, lane, w->chunk_x1 + (size_t)s * (size_t)D);
  w->chunk_log_det[s] = (double)w->x[(size_t)D * (size_t)lanes + (size_t)lane];
  w->chunk_t[s] = status == CNF_SAMPLE_OK ? call->input->t1 : w->t[lane];
  w->chunk_status[s] = status;
  CNF_TYPED(lane_idle)(w, call, lane);
}

/* Loads samples from *next on into idle lanes. A sample with no way to go is finished at once. */
static void CNF_TYPED(load_samples)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_call) * call, int64_t first,
                                    int64_t count, int64_t *next) {
  WORKER_NAMES(w);
  const cnf_solve_input *in = call->input;
  for (int32_t j = 0; j < lanes && *next < count; j++) {
    if (w->sample[j] >= 0) continue;
    int64_t s = (*next)++;
    w->sample[j] = s;
    w->t[j] = in->t0;
    w->fresh[j] = 1;
    w->step[j] = 0;
    w->chunk_accepted[s] = w->chunk_rejected[s] = w->chunk_evaluations[s] = 0;
    CNF_TYPED(column_in)(D, lanes, (const real *)in->x0 + (size_t)(first + s) * (size_t)D, w->x, j);
    w->x[(size_t)D * (size_t)lanes + (size_t)j] = 0;
    CNF_TYPED(load_probes)(w, call, first + s, j);
    if (in->t0 == in->t1 && !call->steps) CNF_TYPED(finish_sample)(w, call, j, CNF_SAMPLE_OK);
  }
}

static double CNF_TYPED(root_mean)(double squares, int32_t count) { return sqrt(squares / count); }

/* First steps of the fresh lanes (adaptive): their f0, which FSAL methods keep as slope 0, and a length for the step.
 * The whole tile is evaluated; the lanes under way do not notice. */
static void CNF_TYPED(start_lanes)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_call) * call) {
  WORKER_NAMES(w);
  const cnf_solver_options *o = &call->solver->options;
  const cnf_stages *s = &call->solver->stages;
  double t0 = call->input->t0, t1 = call->input->t1, direction = t1 > t0 ? 1 : -1, d0[CNF_MAX_LANES], d1[CNF_MAX_LANES];
  int choose = o->initial_step == 0, any = 0;
  for (int32_t j = 0; j < lanes; j++) any |= w->fresh[j];
  if (!any) return;
  for (int32_t j = 0; j < lanes; j++) {
    w->mask_row[j] = (real)w->fresh[j];
    if (!w->fresh[j]) continue;
    w->h[j] = direction * fmin(o->initial_step, fabs(t1 - t0));
    w->chunk_evaluations[w->sample[j]] += choose ? 2 : s->fsal;
  }
  real *f0 = w->x1; /* free between steps */
  if (choose || s->fsal) {
    CNF_TYPED(copy_rows)(D, lanes, w->x, w->e.value);
    CNF_TYPED(time_row)(w, 0);
    CNF_TYPED(evaluate_slope)(w, s->fsal && m->trace != CNF_TRACE_NONE, f0);
    if (s->fsal) k->blend(D + 1, w->mask_row, f0, CNF_TYPED(slope)(w, 0));
  }
  if (choose) {
    real *norms = w->row, *f1 = w->e.value + (size_t)m->program->blocks[m->program->op_count].row * (size_t)lanes;
    const real one = 1, *slope_list[1] = {f0};
    memset(norms, 0, (size_t)lanes * sizeof(real));
    memset(w->sum_row, 0, (size_t)lanes * sizeof(real));
    k->scaled_squares(D, w->x, NULL, w->x, (real)o->rtol, (real)o->atol, norms);
    k->scaled_squares(D, f0, NULL, w->x, (real)o->rtol, (real)o->atol, w->sum_row);
    for (int32_t j = 0; j < lanes; j++) {
      d0[j] = CNF_TYPED(root_mean)((double)norms[j], D);
      d1[j] = CNF_TYPED(root_mean)((double)w->sum_row[j], D);
      if (w->fresh[j]) w->h[j] = direction * fmin(cnf_first_guess(d0[j], d1[j]), fabs(t1 - t0));
    }
    CNF_TYPED(step_row)(w);
    CNF_TYPED(time_row)(w, 1);
    k->combine(D, w->x, w->h_row, 1, &one, slope_list, w->e.value);
    CNF_TYPED(field_forward)(&w->e, w->time_row);
    memset(norms, 0, (size_t)lanes * sizeof(real));
    k->scaled_squares(D, f1, f0, w->x, (real)o->rtol, (real)o->atol, norms);
    for (int32_t j = 0; j < lanes; j++) {
      if (!w->fresh[j]) continue;
      double h0 = fabs(w->h[j]), d2 = CNF_TYPED(root_mean)((double)norms[j], D) / h0;
      w->h[j] = direction * fmin(cnf_first_step(h0, d1[j], d2, s->order), fabs(t1 - t0));
    }
  }
  /* 0 where all of x and f0 is finite, else not a number; without f0 x stands for it */
  k->dot(D, w->x, w->zeros, 0, w->row);
  k->dot(D, choose || s->fsal ? f0 : w->x, w->zeros, 1, w->row);
  for (int32_t j = 0; j < lanes; j++) {
    if (!w->fresh[j]) continue;
    w->fresh[j] = w->unruly[j] = 0;
    w->h[j] = direction * fmin(fmax(fabs(w->h[j]), cnf_least_step(o->min_step, t0, t1)), fabs(t1 - t0));
    if (w->row[j] != 0) CNF_TYPED(finish_sample)(w, call, j, CNF_SAMPLE_NOT_FINITE);
  }
}

/* h of every lane for the step to come. Adaptive: ends samples whose step has become too small. */
static void CNF_TYPED(choose_steps)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_call) * call) {
  WORKER_NAMES(w);
  double t0 = call->input->t0, t1 = call->input->t1;
  for (int32_t j = 0; j < lanes; j++) {
    if (w->sample[j] < 0) continue;
    if (!call->steps) {
      w->h[j] = cnf_clip_step(w->t[j], w->h[j], t0, t1, &w->last[j]);
      if (!w->last[j] && fabs(w->h[j]) < cnf_least_step(call->solver->options.min_step, w->t[j], t1))
        CNF_TYPED(finish_sample)(w, call, j, w->unruly[j] ? CNF_SAMPLE_NOT_FINITE : CNF_SAMPLE_STEP_TOO_SMALL);
      continue;
    }
    int32_t n = w->step[j];
    double from = CNF_TYPED(fraction)(call, n);
    w->t[j] = t0 + from * (t1 - t0);
    w->h[j] = (CNF_TYPED(fraction)(call, n + 1) - from) * (t1 - t0);
    w->last[j] = n + 1 == call->steps;
  }
}

static void CNF_TYPED(record_step)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_call) * call, int32_t lane) {
  WORKER_NAMES(w);
  int64_t s = w->sample[lane], n = w->chunk_accepted[s];
  const cnf_solve_output *out = call->output;
  size_t place = (size_t)n * (size_t)call->solver->chunk_capacity + (size_t)s;
  if (call->loss || (out && out->step_fractions)) {
    w->record_step[place] = (cnf_step_record){.t = w->t[lane], .h = w->h[lane]};
    if (call->loss) CNF_TYPED(column_out)(D, lanes, w->x, lane, w->record_x + place * (size_t)D);
  }
}

/* Verdict on the step just made, lane by lane: mask_row = 1 where it is accepted. Returns how many are. */
static int32_t CNF_TYPED(judge_steps)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_call) * call) {
  WORKER_NAMES(w);
  const cnf_solver_options *o = &call->solver->options;
  const cnf_stages *s = &call->solver->stages;
  int adaptive = !call->steps, components = D + (m->trace != CNF_TRACE_NONE && !o->exclude_log_det);
  double ratio = 0;
  int32_t accepted = 0;
  k->dot(D + 1, w->x1, w->zeros, 0, w->row); /* 0 where all of x1 is finite, else not a number */
  if (adaptive) {
    CNF_TYPED(weighted) list = CNF_TYPED(slopes)(w, s->count, s->tableau->e);
    memset(w->sum_row, 0, (size_t)lanes * sizeof(real));
    k->error_squares(components, w->x, w->x1, w->h_row, list.count, list.weight, list.panel, (real)o->rtol,
                     (real)o->atol, w->sum_row);
  }
  for (int32_t j = 0; j < lanes; j++) {
    int64_t n = w->sample[j];
    w->mask_row[j] = 0;
    if (n < 0) continue;
    w->chunk_evaluations[n] += s->evaluations;
    int finite = w->row[j] == 0;
    if (adaptive) ratio = finite ? CNF_TYPED(root_mean)((double)w->sum_row[j], components) : NAN;
    if (adaptive ? ratio <= 1 : finite) {
      w->mask_row[j] = 1;
      accepted++;
      CNF_TYPED(record_step)(w, call, j);
      w->chunk_accepted[n]++;
      w->step[j]++;
      w->t[j] += w->h[j];
      if (adaptive) w->h[j] *= cnf_step_factor(ratio, s->order);
      continue;
    }
    if (!adaptive) {
      CNF_TYPED(finish_sample)(w, call, j, CNF_SAMPLE_NOT_FINITE);
      continue;
    }
    w->chunk_rejected[n]++;
    w->last[j] = 0;
    w->unruly[j] = !isfinite(ratio);
    w->h[j] *= cnf_step_factor(ratio, s->order);
  }
  return accepted;
}

/* Solves samples [first, first + count) of the call, count <= chunk_capacity, into the worker's chunk_ arrays. */
static void CNF_TYPED(forward_chunk)(CNF_TYPED(cnf_worker) * w, const CNF_TYPED(cnf_call) * call, int64_t first,
                                     int64_t count) {
  WORKER_NAMES(w);
  const cnf_stages *s = &call->solver->stages;
  int64_t next = 0;
  size_t state = (size_t)(D + 1) * (size_t)lanes;
  memset(w->k, 0, (size_t)s->count * state * sizeof(real));
  for (int32_t j = 0; j < lanes; j++) CNF_TYPED(lane_idle)(w, call, j);
  for (;;) {
    int32_t idle = 0;
    for (int32_t j = 0; j < lanes; j++) idle += w->sample[j] < 0;
    if (next < count && idle >= lanes / 4) { /* fewer would not pay for the evaluations of start_lanes */
      CNF_TYPED(load_samples)(w, call, first, count, &next);
      if (!call->steps) CNF_TYPED(start_lanes)(w, call);
      continue;
    }
    if (idle == lanes) break;
    CNF_TYPED(choose_steps)(w, call);
    CNF_TYPED(make_step)(w, s);
    if (CNF_TYPED(judge_steps)(w, call)) {
      k->blend(D + 1, w->mask_row, w->x1, w->x);
      if (s->fsal) k->blend(D + 1, w->mask_row, CNF_TYPED(slope)(w, s->count - 1), CNF_TYPED(slope)(w, 0));
    }
    for (int32_t j = 0; j < lanes; j++) {
      int64_t n = w->sample[j];
      if (n < 0) continue;
      if (w->mask_row[j] > 0 && w->last[j])
        CNF_TYPED(finish_sample)(w, call, j, CNF_SAMPLE_OK);
      else if (!call->steps && w->chunk_accepted[n] + w->chunk_rejected[n] >= call->solver->options.max_steps)
        CNF_TYPED(finish_sample)(w, call, j, CNF_SAMPLE_MAX_STEPS);
    }
  }
}
