/* What the ways back have in common that do not walk the steps' records in tiles but take samples into lanes themselves: the
 * continuous adjoint's (backward/continuous_loop.h) and reversible Heun's (backward/reversible_heun.h). Walkers are the samples that arrived, in
 * the order of `order`.
 */
#include "solve/worker.h"

/* Puts sample s of the chunk at `first`, at its end, into a lane. */
typedef void (*lane_loader)(cnf_worker *w, const cnf_call *call, int64_t first, int64_t s, int32_t lane);

/* Fixed steps: every walker into the lane it was solved in, where its probes are; the other lanes' probes become zeros. Adaptive: the
 * next samples into idle lanes; a lane that never had one gets the constants of the first. */
static void load_backward_lanes(cnf_worker *w, const cnf_call *call, int64_t first, int64_t samples, int64_t *next,
                                lane_loader load) {
  WORKER_NAMES(w);
  const int at_start = *next == 0;
  if (call->steps) {
    for (; *next < samples; ++*next) load(w, call, first, w->chunk.order[*next], w->chunk.order[*next]);
    if (!at_start || samples == lanes || m->trace != CNF_TRACE_HUTCHINSON) return;
    for (int32_t j = 0; j < lanes; j++)
      if (w->lane.sample[j] < 0) clear_probes(w, j);
    prepare_constants(m, &w->e.constants);
    return;
  }
  for (int32_t j = 0; j < lanes && *next < samples; j++)
    if (w->lane.sample[j] < 0) load(w, call, first, w->chunk.order[(*next)++], j);
  for (int32_t j = 0; at_start && samples > 0 && j < lanes; j++)
    if (w->lane.sample[j] < 0)
      move_constants(w, j, w->start.constants + (size_t)w->chunk.order[0] * (size_t)call->solver->constant_rows, 0);
}

/* One pass over the samples of a chunk, which adds to `gradient`. Returns how many have none, be it that they did not get back; their
 * status says why (backward/chunk.h). */
typedef int32_t (*backward_pass)(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count, real *gradient);
