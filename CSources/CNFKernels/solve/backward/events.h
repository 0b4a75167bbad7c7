/* What an event does to a sample's cotangents, before the backward pass begins. Compiled once per dtype by
 * solve/call/solver_f32.c and solver_f64.c.
 *
 * The last step x' = Phi(x, t, h; theta), l' = l + Psi(x, t, h; theta) ends where g(t + h, x') = 0, so h depends on
 * everything else. With the loss's x_bar and mu, and tau_bar = dL/d(t + h), let
 *     s = x_bar . Phi_h + mu Psi_h + tau_bar,   d = g_x . Phi_h + g_t.
 * Then dh = -(g_x . dx' + g_t dt)/d, where dx' is that of x' with h held. In dL this means: x_bar becomes x_bar -
 * (s/d) g_x, t gains tau_bar - (s/d) g_t, and h has no cotangent. (Regularisers are treated as l is.) Phi_h . v is
 * the h_bar of the step's reverse for the cotangent v. So the last step is reversed for g_x and for the loss's
 * cotangents, and its sums are thrown away.
 *
 * The continuous adjoint has f at the end for Phi_h, and the divergence for Psi_h (Chen, Amos and Nickel 2021, arXiv
 * 2011.03902). Its t is no variable of its own.
 */
#include "solve/worker.h"

/* Puts those of samples [tile, tile + lanes) of the chunk that an event has ended into lanes, at their last steps.
 * The other lanes have the state of the lane that is returned. -1: there is none. */
static int32_t load_stopped(cnf_worker *w, const cnf_call *call, int64_t tile, int64_t count) {
  WORKER_NAMES(w);
  int32_t live = -1;
  for (int32_t j = 0; j < lanes; j++) {
    const int64_t s = tile + j;
    w->lane.sample[j] = s < count && w->chunk.status[s] == CNF_SAMPLE_OK && w->chunk.event[s] >= 0 ? s : -1;
    w->lane.h[j] = 0;
    if (w->lane.sample[j] >= 0) live = j;
  }
  for (int32_t j = 0; live >= 0 && j < lanes; j++) {
    const int64_t s = w->lane.sample[w->lane.sample[j] < 0 ? live : j];
    w->lane.step[j] = w->chunk.accepted[s] - 1;
    w->events.t[j] = w->chunk.t[s];
    w->span.direction[j] = sample_t1(call, w->chunk.first + s) < sample_t0(call, w->chunk.first + s) ? -1 : 1;
    load_sample_inputs(w, call, w->chunk.first + s, j);
    column_in(D, lanes, w->chunk.x1 + (size_t)s * (size_t)D, w->events.x, j);
    if (!call->steps) move_constants(w, j, w->start.constants + (size_t)s * (size_t)call->solver->constant_rows, 0);
  }
  return live;
}

/* dg/dx of the lanes' own events into x_bar, zeros in idle lanes; dg/dt into g_t. */
static void event_slopes(cnf_worker *w, const cnf_call *call, double *g_t) {
  WORKER_NAMES(w);
  double t_bar[CNF_MAX_LANES];
  zero_rows(D, lanes, w->events.x_bar);
  for (int32_t e = 0; e < call->event_count; e++) {
    int32_t here = 0;
    for (int32_t j = 0; j < lanes; j++) {
      const int mine = w->lane.sample[j] >= 0 && w->chunk.event[w->lane.sample[j]] == e;
      w->step.mask_row[j] = (real)mine;
      here += mine;
    }
    if (here == 0) continue;
    call->events[e].reverse(call->events[e].context, lanes, w->events.t, w->events.x, w->back.lambda, t_bar);
    k->blend(D, w->step.mask_row, w->back.lambda, w->events.x_bar, w->events.x_bar);
    for (int32_t j = 0; j < lanes; j++)
      if (w->step.mask_row[j] > 0) g_t[j] = t_bar[j];
  }
}

/* The loss's cotangents of the lanes' samples into lambda and mu; zeros in idle lanes. */
static void load_cotangents(cnf_worker *w, const cnf_call *call) {
  WORKER_NAMES(w);
  const double scale = loss_scale(call->loss);
  w->back.kinetic_bar = scale * call->loss->kinetic;
  w->back.frobenius_bar = scale * call->loss->frobenius;
  for (int32_t j = 0; j < lanes; j++) {
    const int64_t s = w->lane.sample[j];
    w->back.mu_row[j] = s < 0 ? 0 : (real)w->loss.log_det_bar[s];
    column_zero(D, lanes, w->back.lambda, j);
    if (s >= 0) column_in(D, lanes, w->loss.x1_bar + (size_t)s * (size_t)D, w->back.lambda, j);
  }
}

/* The cotangent of g, x_bar, into lambda; the others are 0. */
static void load_event_bar(cnf_worker *w) {
  WORKER_NAMES(w);
  w->back.kinetic_bar = w->back.frobenius_bar = 0;
  zero_rows(1, lanes, w->back.mu_row);
  copy_rows(D, lanes, w->events.x_bar, w->back.lambda);
}

/* lambda . Phi_h + mu Psi_h of the lanes' last steps, into `out`. */
static void last_step_slope(cnf_worker *w, const cnf_call *call, int32_t live, double *out) {
  WORKER_NAMES(w);
  const cnf_step_record *tile = restore_step(w, call, live, 1);
  const cnf_step_record *record = record_of(w, call, w->lane.sample[live], w->lane.step[live]);
  call->solver->code->reverse(w, call, tile, record, 1, w->back.discarded);
  for (int32_t j = 0; j < lanes; j++) out[j] = (double)w->back.h_bar_row[j];
}

/* Continuous adjoint: f . lambda + mu div at the end, and the same of regularisers, from the evaluation there, into
 * `out`. */
static void end_slope(cnf_worker *w, double *out) {
  WORKER_NAMES(w);
  for (int32_t j = 0; j < lanes; j++) w->continuous.scale[j] = 1;
  hamiltonian(w, rows_of(m, w->e.kept.value, 0, m->program->op_count), w->back.lambda, w->step.row);
  for (int32_t j = 0; j < lanes; j++) out[j] = (double)w->step.row[j];
}

/* Turns the cotangents of the chunk's samples into those of a solve whose last step has a fixed length. */
static void event_cotangents(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count) {
  WORKER_NAMES(w);
  for (int64_t tile = 0; tile < count; tile += lanes) {
    double g_t[CNF_MAX_LANES], along[CNF_MAX_LANES], loss[CNF_MAX_LANES];
    const int32_t live = load_stopped(w, call, tile, count);
    if (live < 0) continue;
    event_slopes(w, call, g_t);
    if (call->keeps) {
      load_event_bar(w);
      last_step_slope(w, call, live, along);
      load_cotangents(w, call);
      last_step_slope(w, call, live, loss);
    } else {
      use_scratch(w, 0);
      mean_over(w, CNF_HALF_BOTH);
      copy_rows(D, lanes, w->events.x, w->e.kept.value);
      memcpy(w->step.time_row, w->events.t, (size_t)lanes * sizeof(double));
      evaluate(&w->e, w->step.time_row, 1, w->back.integrands);
      load_event_bar(w);
      end_slope(w, along);
      load_cotangents(w, call);
      end_slope(w, loss);
    }
    for (int32_t j = 0; j < lanes; j++) {
      const int64_t s = w->lane.sample[j];
      if (s < 0) continue;
      const double time_bar = call->loss->event_time_bar ? call->loss->event_time_bar[first + s] : 0;
      const double sum = loss[j] + time_bar, factor = sum == 0 ? 0 : sum / (along[j] + g_t[j]);
      if (!isfinite(factor)) {
        w->chunk.status[s] = CNF_SAMPLE_EVENT;
        continue;
      }
      for (int32_t d = 0; d < D; d++)
        w->loss.x1_bar[(size_t)s * (size_t)D + (size_t)d] -= (real)factor * PANEL(w->events.x_bar, d)[j];
      w->loss.event_bar[s] = time_bar - factor * g_t[j];
    }
  }
}
