/* What a solve's constants have gathered, sample by sample, into the gradient a tile at a time (field/constants_body.h). */
#include "solve/solver.h"

/* An empty queue: lanes that no sample comes into add zeros. */
static void CNF_TYPED(clear_queue)(CNF_TYPED(cnf_worker) * w) {
  WORKER_NAMES(w);
  CNF_TYPED(clear_constants)(m, &w->queue);
  for (int32_t n = 0; n < m->probes; n++)
    CNF_TYPED(zero_rows)(D, lanes, CNF_TYPED(rows_of)(m, w->queue.tangent, n, CNF_STATE));
  w->queued = 0;
}

static void CNF_TYPED(flush_queue)(CNF_TYPED(cnf_worker) * w, real *gradient) {
  const CNF_TYPED(cnf_model) *m = w->e.model;
  if (w->queued == 0) return;
  CNF_TYPED(prepare_constants)(m, &w->queue);
  CNF_TYPED(finish_constants)(m, &w->queue, gradient);
  CNF_TYPED(clear_queue)(w);
}

/* Moves rows of lane `from` to lane `to` of another panel, leaving zeros. */
static void CNF_TYPED(move_lane)(int32_t rows, int32_t lanes, real *panel, int32_t from, real *other, int32_t to) {
  for (int32_t r = 0; r < rows; r++) {
    other[(size_t)r * (size_t)lanes + (size_t)to] = panel[(size_t)r * (size_t)lanes + (size_t)from];
    panel[(size_t)r * (size_t)lanes + (size_t)from] = 0;
  }
}

/* A lane's sums, with its probes, leave for the queue. */
static void CNF_TYPED(queue_lane)(CNF_TYPED(cnf_worker) * w, int32_t lane, real *gradient) {
  WORKER_NAMES(w);
  const cnf_program *p = m->program;
  CNF_TYPED(cnf_constants) *from = &w->e.constants, *to = &w->queue;
  const int32_t place = w->queued++;
  CNF_TYPED(move_lane)(1, lanes, from->mu, lane, to->mu, place);
  for (int32_t n = 0; n < m->probes; n++) {
    const size_t entries = (size_t)n * (size_t)p->entry_rows * (size_t)lanes;
    real *probes = CNF_TYPED(rows_of)(m, to->tangent, n, CNF_STATE);
    for (int32_t d = 0; d < D; d++) PANEL(probes, d)[place] = CNF_TYPED(probe_row)(w, n, d)[lane];
    CNF_TYPED(move_lane)(p->entry_rows, lanes, from->entry_bar + entries, lane, to->entry_bar + entries, place);
    for (int32_t b = 1; b <= p->op_count; b++) {
      const cnf_block *block = &p->blocks[b];
      if (CNF_TYPED(goes_out)(p, b - 1)) CNF_TYPED(move_lane)
      (block->rows, lanes, CNF_TYPED(rows_of)(m, from->exit_bar, n, b), lane, CNF_TYPED(rows_of)(m, to->exit_bar, n, b),
       place);
      if (CNF_TYPED(leads_in)(p, b - 1) && !p->plans[b - 1].is_view)
        CNF_TYPED(move_lane) /* a view's rows are its operands' */
      (block->rows, lanes, CNF_TYPED(rows_of)(m, from->tangent_bar, n, b), lane,
       CNF_TYPED(rows_of)(m, to->tangent_bar, n, b), place);
    }
  }
  if (w->queued == lanes) CNF_TYPED(flush_queue)(w, gradient);
}
