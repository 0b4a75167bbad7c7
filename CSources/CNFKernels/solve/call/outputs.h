/* Writes the results of a chunk to the caller's arrays. Compiled once per dtype by solve/call/solver_f32.c and
 * solver_f64.c. */
#include "solve/worker.h"

/* What the forward pass has found. */
static void write_chunk(const cnf_worker *w, const cnf_call *call, int64_t first, int64_t count) {
  WORKER_NAMES(w);
  cnf_solve_output *out = call->output;
  size_t n = (size_t)count;
  if (!out) return;
  if (out->log_det) memcpy(out->log_det + first, w->chunk.log_det, n * sizeof(double));
  if (out->kinetic) memcpy(out->kinetic + first, w->chunk.kinetic, n * sizeof(double));
  if (out->frobenius) memcpy(out->frobenius + first, w->chunk.frobenius, n * sizeof(double));
  if (out->t_reached) memcpy(out->t_reached + first, w->chunk.t, n * sizeof(double));
  if (out->status) memcpy(out->status + first, w->chunk.status, n * sizeof(int32_t));
  if (out->event) memcpy(out->event + first, w->chunk.event, n * sizeof(int32_t));
  if (out->accepted) memcpy(out->accepted + first, w->chunk.accepted, n * sizeof(int32_t));
  if (out->rejected) memcpy(out->rejected + first, w->chunk.rejected, n * sizeof(int32_t));
  if (out->evaluations) memcpy(out->evaluations + first, w->chunk.evaluations, n * sizeof(int32_t));
  if (out->smallest_step) memcpy(out->smallest_step + first, w->chunk.smallest_step, n * sizeof(double));
  for (size_t s = 0; call->solver->options.control == CNF_CONTROL_BATCH && s < n; s++) {
    if (out->rejected) out->rejected[(size_t)first + s] = call->steps_rejected;
    if (out->evaluations) out->evaluations[(size_t)first + s] = call->evaluations;
  }
  if (!out->step_fractions) return;
  for (size_t s = 0; s < n; s++) {
    const double t0 = sample_t0(call, first + (int64_t)s), span = sample_t1(call, first + (int64_t)s) - t0;
    double *row = out->step_fractions + ((size_t)first + s) * out->step_fraction_stride;
    for (size_t i = 0; i < out->step_fraction_stride; i++) {
      int32_t steps = w->chunk.accepted[s];
      if (i > (size_t)steps)
        row[i] = NAN;
      else if (i == (size_t)steps) /* the end of the last step: 1 if the sample reached t1 */
        row[i] = span == 0 || (w->chunk.status[s] == CNF_SAMPLE_OK && w->chunk.event[s] < 0)
                     ? (double)(steps > 0)
                     : (w->chunk.t[s] - t0) / span;
      else
        row[i] = call->steps && !call->time_count ? fraction(call, (int32_t)i)
                 : span == 0                      ? 0
                                                  : (step_of(w, call, (int64_t)s, (int32_t)i).t - t0) / span;
    }
  }
}

/* What the backward pass has changed: its counts, and the status of samples that have no gradient. */
static void write_reversed(const cnf_worker *w, const cnf_call *call, int64_t first, int64_t count) {
  int32_t *out = call->output ? call->output->adjoint_evaluations : NULL;
  const size_t D = (size_t)call->solver->model.program->state_dim;
  if (call->output && call->output->x1)
    memcpy((real *)call->output->x1 + (size_t)first * D, w->chunk.x1, (size_t)count * D * sizeof(real));
  if (out) memcpy(out + first, w->chunk.reversed, (size_t)count * sizeof(int32_t));
  if (call->output && call->output->reconstruction_error)
    for (int64_t s = 0; s < count; s++)
      call->output->reconstruction_error[first + s] = call->loss && w->reversible.error ? w->reversible.error[s] : NAN;
  if (!call->output || !call->loss) return;
  if (call->output->status) memcpy(call->output->status + first, w->chunk.status, (size_t)count * sizeof(int32_t));
  if (call->output->t_reached) memcpy(call->output->t_reached + first, w->chunk.t, (size_t)count * sizeof(double));
}
