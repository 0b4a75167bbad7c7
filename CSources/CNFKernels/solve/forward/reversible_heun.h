/* A step of the reversible Heun method (Kidger, Foster, Li and Lyons 2021, arXiv 2105.13493, algorithm 1, without
 * noise). Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c.
 *
 * It carries a second state y, which begins as x0:
 *     y' = 2x - y + h f(t, y),   x' = x + h/2 (f(t, y) + f(t', y')).
 * f(t', y') is the next step's f(t, y), so a step has one evaluation. The log-determinant and the regularisers take
 * the same trapezoid. solve/backward/reversible_heun.h undoes these steps.
 */
#include "solve/worker.h"

/* A step of every lane from (t, x, y) with its h, into x1 and y1. Slope 0 is f at y; slope 1 becomes f at y1. */
static void make_reversible_step(cnf_worker *w, const cnf_call *call, const cnf_stages *s, cnf_step_record *tile) {
  WORKER_NAMES(w);
  const real one = 1, *slope_list[1] = {slope(w, 0)};
  int32_t starts = 0;
  (void)tile;
  use_scratch(w, 0);
  for (int32_t j = 0; j < lanes; j++) {
    if (w->lane.sample[j] < 0 || w->lane.step[j] > 0) continue;
    for (int32_t d = 0; d < D; d++) PANEL(w->reversible.y, d)[j] = PANEL(w->step.x, d)[j];
    if (!call->steps) continue; /* solve/lanes/first_step.h has made its slope */
    w->chunk.evaluations[w->lane.sample[j]]++;
    starts++;
  }
  if (starts > 0) { /* fixed steps: this is so in all lanes */
    copy_rows(D, lanes, w->reversible.y, w->e.kept.value);
    time_row(w, 0);
    evaluate_slope(w, 1, slope(w, 0));
    count_work(w, 1);
  }
  step_row(w);
  for (int32_t i = 0; i < D * lanes; i++) w->reversible.y1[i] = 2 * w->step.x[i] - w->reversible.y[i];
  k->combine(D, w->reversible.y1, w->step.h_row, 1, &one, slope_list, w->reversible.y1);
  copy_rows(D, lanes, w->reversible.y1, w->e.kept.value);
  time_row(w, 1);
  evaluate_slope(w, 1, slope(w, 1));
  count_step(w, 1);
  move_rows(w, 0, S, 2, s->tableau->b, w->step.x1);
}

/* y has to be finite too. */
static void check_reversible_finite(cnf_worker *w) {
  WORKER_NAMES(w);
  k->finite(D, w->reversible.y1, 1, w->step.row);
}

static void accept_reversible_step(cnf_worker *w) {
  WORKER_NAMES(w);
  k->blend(D, w->step.mask_row, w->reversible.y1, w->reversible.y, w->reversible.y);
}

static void finish_reversible_sample(cnf_worker *w, int32_t lane) {
  WORKER_NAMES(w);
  const size_t place = (size_t)w->lane.sample[lane] * (size_t)D;
  column_out(D, lanes, w->reversible.y, lane, w->reversible.y_end + place);
}

static const real *recorded_y(const cnf_worker *w) { return w->reversible.y; }

static void reversible_layout(cnf_worker *w, const cnf_engine *s, cnf_arena *arena) {
  cnf_reversible_layout(&w->reversible, s, arena);
}
