/* The loss of a solved chunk and its cotangents, into cnf_chunk_loss. Compiled once per dtype by
 * solve/call/solver_f32.c and solver_f64.c. The cotangents of the regularisers' integrals are the same for all samples
 * (solve/backward/differentiate_chunk.h). */
#include "solve/worker.h"

/* The factor of a loss's coefficients of regularisers. */
static double loss_scale(const cnf_loss *loss) { return loss->kind == CNF_LOSS_NORMAL_NLL ? loss->scale : 1; }

static void normal_nll(cnf_worker *w, const cnf_loss *loss, int64_t count, int32_t D) {
  const double half_log_two_pi = 0.91893853320467274178;
  for (int64_t s = 0; s < count; s++) {
    const real *x = w->chunk.x1 + (size_t)s * (size_t)D;
    real *bar = w->loss.x1_bar + (size_t)s * (size_t)D;
    double sum = 0;
    for (int32_t d = 0; d < D; d++) {
      sum += (double)x[d] * (double)x[d];
      bar[d] = (real)(loss->scale * (double)x[d]);
    }
    w->loss.loss[s] = loss->scale * (0.5 * sum + D * half_log_two_pi - w->chunk.log_det[s]);
    w->loss.log_det_bar[s] = -loss->scale;
  }
}

static void copy_cotangents(cnf_worker *w, const cnf_loss *loss, int64_t first, int64_t count, int32_t D) {
  size_t rows = (size_t)count * (size_t)D;
  if (loss->x1_bar)
    memcpy(w->loss.x1_bar, (const real *)loss->x1_bar + (size_t)first * (size_t)D, rows * sizeof(real));
  else
    memset(w->loss.x1_bar, 0, rows * sizeof(real));
  for (int64_t s = 0; s < count; s++) w->loss.log_det_bar[s] = loss->log_det_bar ? loss->log_det_bar[first + s] : 0;
}

/* Returns 0 if a callback failed. */
static int chunk_cotangents(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count) {
  WORKER_NAMES(w);
  const cnf_loss *loss = call->loss;
  switch (loss->kind) {
  case CNF_LOSS_NORMAL_NLL: normal_nll(w, loss, count, D); break;
  case CNF_LOSS_COTANGENTS: copy_cotangents(w, loss, first, count, D); return 1; /* the caller has the loss */
  default:
    memset(w->loss.loss, 0, (size_t)count * sizeof(double));
    memset(w->loss.log_det_bar, 0, (size_t)count * sizeof(double));
    memset(w->loss.x1_bar, 0, (size_t)count * (size_t)D * sizeof(real));
    if (loss->function(loss->context, (size_t)first, (size_t)count, w->chunk.x1, w->chunk.log_det, w->chunk.status,
                       w->loss.loss, w->loss.x1_bar, w->loss.log_det_bar) != 0)
      return 0;
  }
  const double scale = loss_scale(loss);
  for (int64_t s = 0; loss->kinetic != 0 && s < count; s++)
    w->loss.loss[s] += scale * loss->kinetic * w->chunk.kinetic[s];
  for (int64_t s = 0; loss->frobenius != 0 && s < count; s++)
    w->loss.loss[s] += scale * loss->frobenius * w->chunk.frobenius[s];
  if (call->gradient->loss)
    for (int64_t s = 0; s < count; s++)
      call->gradient->loss[first + s] = w->chunk.status[s] == CNF_SAMPLE_OK ? w->loss.loss[s] : NAN;
  return 1;
}
