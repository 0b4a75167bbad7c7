/* HUTCHINSON: the sums that a solve's constants gather belong to samples. Those of samples that are done are
 * collected, and go to the gradient a tile at a time (field/probe_constants.h). Compiled once per dtype by
 * solve/call/solver_f32.c and solver_f64.c. */
#include "solve/worker.h"

/* Nothing is collected: lanes that stay empty add zeros. */
static void clear_solve_sums(cnf_worker *w) {
  WORKER_NAMES(w);
  clear_constants(m, &w->back.sums);
  for (int32_t n = 0; n < m->probes; n++) zero_rows(D, lanes, rows_of(m, w->back.sums.tangent, n, CNF_STATE));
  w->back.sums_count = 0;
}

static void flush_solve_sums(cnf_worker *w, real *gradient) {
  const cnf_model *m = w->e.model;
  if (w->back.sums_count == 0) return;
  prepare_constants(m, &w->back.sums);
  finish_constants(m, &w->back.sums, gradient);
  clear_solve_sums(w);
}

/* Moves rows of lane `from` to lane `to` of another panel and leaves zeros. */
static void move_lane(int32_t rows, int32_t lanes, real *panel, int32_t from, real *other, int32_t to) {
  for (int32_t r = 0; r < rows; r++) {
    other[(size_t)r * (size_t)lanes + (size_t)to] = panel[(size_t)r * (size_t)lanes + (size_t)from];
    panel[(size_t)r * (size_t)lanes + (size_t)from] = 0;
  }
}

/* Moves a lane's sums, with its probes, to the collected ones. */
static void collect_lane_sums(cnf_worker *w, int32_t lane, real *gradient) {
  WORKER_NAMES(w);
  const cnf_program *p = m->program;
  cnf_constants *from = &w->e.constants, *to = &w->back.sums;
  const int32_t place = w->back.sums_count++;
  move_lane(1, lanes, from->mu, lane, to->mu, place);
  for (int32_t n = 0; n < m->probes; n++) {
    const size_t entries = (size_t)n * (size_t)p->entry_rows * (size_t)lanes;
    real *probes = rows_of(m, to->tangent, n, CNF_STATE);
    for (int32_t d = 0; d < D; d++) PANEL(probes, d)[place] = probe_row(w, n, d)[lane];
    move_lane(p->entry_rows, lanes, from->entry_bar + entries, lane, to->entry_bar + entries, place);
    for (int32_t b = 1; b <= p->op_count; b++) {
      const cnf_block *block = &p->blocks[b];
      if (goes_out(p, b - 1))
        move_lane(block->rows, lanes, rows_of(m, from->exit_bar, n, b), lane, rows_of(m, to->exit_bar, n, b), place);
      if (leads_in(p, b - 1) && !p->plans[b - 1].is_view)
        move_lane /* a view's rows are its operands' */
            (block->rows, lanes, rows_of(m, from->tangent_bar, n, b), lane, rows_of(m, to->tangent_bar, n, b), place);
    }
  }
  if (w->back.sums_count == lanes) flush_solve_sums(w, gradient);
}
