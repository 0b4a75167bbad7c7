/* A chunk's way back, by whichever adjoint, and what becomes of samples whose gradient is not finite.
 *
 * A sample may arrive and have none: it does not get back, or a net has saturated over numbers that are infinite inside, so that its
 * answer is finite and a weight's gradient 0 times infinity. What it adds to sums over lanes cannot be taken out again. So the way back is
 * walked, and looked at afterwards: each sample's own gradients when it is done, theta's when the chunk is. Where something is not
 * finite, the samples at fault get a status, and the chunk is walked again without them, from the gradient before it: the others' numbers
 * are their own, and their sums are what they are where those samples have failed on the way forward. Where only theta's sum tells, they are found by
 * halving: a half is walked alone, from zeros, until one sample is left.
 *
 * The hot loop knows nothing of it. A chunk costs one look at its gradient; a way back that uses up what it walks on, as slots that are
 * reversed in place and checkpoints are, is solved again before it is walked again, to the same bits.
 */
#include "solve/worker.h"

static int is_gradient_finite(const cnf_worker *w, const real *gradient) {
  const cnf_kernels *k = w->e.model->tile;
  const size_t lanes = (size_t)k->lanes, rows = w->e.model->gradient_size / lanes;
  double sum = 0;
  k->finite((int)rows, gradient, 0, w->step.row);
  for (size_t j = 0; j < lanes; j++) sum += (double)w->step.row[j];
  for (size_t i = rows * lanes; i < w->e.model->gradient_size; i++) sum += 0 * (double)gradient[i];
  return sum == 0;
}

/* The chunk as it was before it was walked back, but for the statuses that chunk_verdict has. */
static void prepare_restart(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count) {
  if (call->keeps && !call->solver->rules->pass_leaves_store) forward_chunk(w, call, first, count);
  memcpy(w->chunk.status, w->back.restart_status, (size_t)count * sizeof *w->chunk.status);
}

/* One pass over samples [from, to) of the chunk alone, from zeros: is theta's gradient finite? */
static int is_part_finite(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count, int64_t from, int64_t to,
                          real *gradient, backward_pass pass) {
  int32_t samples = 0;
  prepare_restart(w, call, first, count);
  for (int64_t s = 0; s < count; s++) {
    if (s < from || s >= to) w->chunk.status[s] = CNF_SAMPLE_NOT_FINITE;
    samples += w->chunk.status[s] == CNF_SAMPLE_OK;
  }
  if (samples == 0) return 1;
  memset(gradient, 0, w->e.model->gradient_size * sizeof(real));
  pass(w, call, first, count, gradient);
  return is_gradient_finite(w, gradient);
}

/* Samples [from, to) of the chunk are known to have a gradient by theta that is not finite: those that have it alone get a verdict.
 * Returns how many; 0 where theirs are finite, and their sum is not. Deep as the halvings of a chunk, eight. */
static int32_t find_not_finite(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count, int64_t from,
                               int64_t to, real *gradient, backward_pass pass) {
  if (to - from == 1) {
    w->back.restart_status[from] = CNF_SAMPLE_NOT_FINITE;
    return 1;
  }
  const int64_t bounds[3] = {from, from + (to - from) / 2, to};
  int32_t found = 0;
  for (int half = 0; half < 2; half++)
    if (!is_part_finite(w, call, first, count, bounds[half], bounds[half + 1], gradient, pass))
      found += find_not_finite(w, call, first, count, bounds[half], bounds[half + 1], gradient, pass);
  return found;
}

/* Differentiates the chunk that forward_chunk has just solved, adding to `gradient`, which is_fresh: is all zeros. */
static void differentiate_chunk(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count, int is_fresh,
                                real *gradient) {
  const size_t bytes = w->e.model->gradient_size * sizeof(real);
  const double scale = loss_scale(call->loss);
  const backward_pass pass = call->solver->code->pass[call->solver->options.adjoint];
  w->back.kinetic_bar = scale * call->loss->kinetic;
  w->back.frobenius_bar = scale * call->loss->frobenius;
  if (!is_fresh) memcpy(w->back.gradient_before, gradient, bytes);
  for (int gives_up = 0;;) {
    const int32_t failed = pass(w, call, first, count, gradient);
    if (gives_up || (failed == 0 && is_gradient_finite(w, gradient))) return;
    memcpy(w->back.restart_status, w->chunk.status, (size_t)count * sizeof *w->back.restart_status);
    if (failed == 0) gives_up = find_not_finite(w, call, first, count, 0, count, gradient, pass) == 0;
    prepare_restart(w, call, first, count);
    if (is_fresh)
      memset(gradient, 0, bytes);
    else
      memcpy(gradient, w->back.gradient_before, bytes);
  }
}
