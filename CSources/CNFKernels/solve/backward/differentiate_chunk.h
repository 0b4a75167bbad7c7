/* The backward pass of a chunk, by whichever adjoint, and what happens to samples whose gradient is not finite.
 * Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c.
 *
 * A sample may reach its end and still have no gradient. Its backward solve may fail; or a
 * saturating activation gets an infinite input: its value is finite, but a weight's gradient is 0 times infinity. What
 * such a sample adds to sums over lanes cannot be taken out again. So the pass is made, and its results are checked
 * afterwards: each sample's own gradients when it is done, theta's gradient when the chunk is. If something is not
 * finite, the samples at fault get a status, and the pass is repeated without them, from the gradient before the chunk.
 * The numbers of the others are their own, and the sums are those of a chunk in which the samples at fault have failed
 * forward. If only theta's sum is not finite, the samples at fault are found by halving: each half is differentiated
 * alone, from zeros, until one sample is left.
 *
 * The hot loop is not concerned: a chunk costs one check of its gradient. A pass that uses up what it reads (slots
 * are reversed in place, checkpoints are dropped) needs the forward pass again first, which gives the same bits.
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

/* The chunk as it was before its backward pass, with the statuses of restart_status. */
static void prepare_restart(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count) {
  if (call->keeps && !call->solver->rules->pass_leaves_store) forward_chunk(w, call, first, count);
  memcpy(w->chunk.status, w->back.restart_status, (size_t)count * sizeof *w->chunk.status);
}

/* Makes a pass over samples [from, to) of the chunk alone, from zeros: is theta's gradient finite? */
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

/* Samples [from, to) of the chunk have a gradient by theta that is not finite: marks those that have it alone, in
 * restart_status. Returns how many; 0 if the gradient of each is finite and their sum is not. The recursion is at
 * most eight deep, the halvings of a chunk. */
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

/* Differentiates the chunk that forward_chunk has just solved, and adds to `gradient`. is_fresh: that is all zeros. */
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
    if (is_cancelled(call)) return;
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
