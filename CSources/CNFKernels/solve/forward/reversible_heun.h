/* A step of the reversible Heun method; backward/reversible_heun.h has its formulas. */
#include "solve/solver.h"

/* A step of every lane from (t, x, y) with its h, into x1 and y1; slope 0 is f at y, slope 1 becomes that at y1. */
static void make_reversible_step(cnf_worker *w, const cnf_call *call) {
  WORKER_NAMES(w);
  const real one = 1, *slope_list[1] = {slope(w, 0)};
  int32_t starts = 0;
  use_scratch(w, 0);
  for (int32_t j = 0; j < lanes; j++) {
    if (w->sample[j] < 0 || w->step[j] > 0) continue;
    for (int32_t d = 0; d < D; d++) PANEL(w->y, d)[j] = PANEL(w->x, d)[j];
    if (!call->steps) continue; /* has its slope from lanes/first_step.h */
    w->chunk_evaluations[w->sample[j]]++;
    starts++;
  }
  if (starts > 0) { /* fixed steps: all lanes */
    copy_rows(D, lanes, w->y, w->e.kept.value);
    time_row(w, 0);
    evaluate_slope(w, 1, slope(w, 0));
    count_work(w, 1);
  }
  step_row(w);
  for (int32_t i = 0; i < D * lanes; i++) w->y1[i] = 2 * w->x[i] - w->y[i];
  k->combine(D, w->y1, w->h_row, 1, &one, slope_list, w->y1);
  copy_rows(D, lanes, w->y1, w->e.kept.value);
  time_row(w, 1);
  evaluate_slope(w, 1, slope(w, 1));
  count_work(w, 1);
  move_rows(w, 0, S, 2, call->solver->stages.tableau->b, w->x1);
}
