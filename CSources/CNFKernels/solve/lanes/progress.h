/* The host's progress function, and the end of a call that it asks for. Compiled once per dtype by
 * solve/call/solver_f32.c and solver_f64.c. All workers look at one flag before each step. Once it is set it stays set,
 * so a pass that ends early is never taken for a finished one. */
#include "solve/worker.h"

/* Has the host ended the call? */
static int is_cancelled(const cnf_call *call) {
  return call->cancelled && __atomic_load_n(call->cancelled, __ATOMIC_RELAXED);
}

/* The tile has made a step of its samples, which are among samples [first, first + count) of the call. `left` of these
 * have not come into a lane yet. */
static void report_progress(const cnf_worker *w, const cnf_call *call, int32_t backward, int64_t first, int64_t count,
                            int64_t left) {
  WORKER_NAMES(w);
  int32_t samples = 0;
  if (!call->input->progress) return;
  for (int32_t j = 0; j < lanes; j++) samples += w->lane.sample[j] >= 0;
  const cnf_progress progress = {.struct_size = sizeof progress,
                                 .backward = backward,
                                 .samples = samples,
                                 .first = (size_t)first,
                                 .count = (size_t)count,
                                 .finished = (size_t)(count - left - samples)};
  if (call->input->progress(call->input->progress_context, &progress))
    __atomic_store_n(call->cancelled, 1, __ATOMIC_RELAXED);
}
