/* Steps of Adams methods; solve/methods/adams.c has the formulas. Compiled once per dtype by solve/call/solver_f32.c
 * and solver_f64.c. Steps are fixed, so all lanes are at the same step and share a ring of slopes. How many of them a
 * lane's formula takes, and when its iteration ends, is each lane's own. */
#include <float.h>
#include "solve/methods/adams.h"
#include "solve/worker.h"

/* The slope at the beginning of the step `age` steps ago, in the ring. */
static real *past_slope(const cnf_worker *w, const cnf_engine *solver, int32_t age) {
  WORKER_NAMES(w);
  const int32_t place = (w->adams.newest + age) % cnf_adams_slopes(solver->options.order);
  return w->adams.ring + (size_t)place * (size_t)S * (size_t)lanes;
}

/* Makes room for the newest slope; in a full ring it replaces the oldest. */
static real *new_slope(cnf_worker *w, const cnf_engine *solver) {
  WORKER_NAMES(w);
  const int32_t most = cnf_adams_slopes(solver->options.order);
  w->adams.newest = (w->adams.newest + most - 1) % most;
  for (int32_t j = 0; j < lanes; j++) w->adams.count[j] += w->adams.count[j] < most;
  return past_slope(w, solver, 0);
}

/* A chunk's samples have no slopes yet. */
static void start_adams(cnf_worker *w) {
  WORKER_NAMES(w);
  w->adams.newest = 0;
  w->adams.span = 0;
  for (int32_t j = 0; j < lanes; j++) w->adams.count[j] = 0, w->adams.ones[j] = 1;
}

/* out = base + h sum_j numerators[j]/divisor times the slope of age j. base may be NULL: zeros. */
static void sum_slopes(cnf_worker *w, const cnf_engine *solver, const real *base, int32_t count,
                       const int64_t *numerators, int64_t divisor, real *out) {
  WORKER_NAMES(w);
  weighted list = {.count = 0};
  for (int32_t j = 0; j < count; j++)
    add_weighted(&list, (double)numerators[j] / (double)divisor, past_slope(w, solver, j));
  k->combine(S, base, w->step.h_row, list.count, list.weight, list.panel, out);
}

/* Of x' - x: what the predictor gives, and what the corrector gives without its first slope, whose weight h c_0 is
 * then in step.row. Each formula that some lane is at is summed for the whole tile; a lane takes its own. */
static void sum_formulas(cnf_worker *w, const cnf_engine *solver, real *change, real *known) {
  WORKER_NAMES(w);
  real *sum = w->step.x1; /* free until the step is done */
  for (int32_t count = CNF_ADAMS_LEAST; count <= cnf_adams_slopes(solver->options.order); count++) {
    const cnf_adams *predictor = cnf_adams_of(count), *corrector = cnf_adams_of(count + 1);
    int32_t here = 0;
    for (int32_t j = 0; j < lanes; j++) {
      const int mine = w->lane.sample[j] >= 0 && w->adams.count[j] == count;
      w->step.mask_row[j] = (real)mine;
      if (mine) w->step.row[j] = (real)(w->lane.h[j] * ((double)corrector->moulton[0] / (double)corrector->divisor));
      here += mine;
    }
    if (here == 0) continue;
    sum_slopes(w, solver, NULL, count, predictor->bashforth, predictor->divisor, sum);
    k->blend(S, w->step.mask_row, sum, change, change);
    sum_slopes(w, solver, NULL, count, corrector->moulton + 1, corrector->divisor, sum);
    k->blend(S, w->step.mask_row, sum, known, known);
  }
}

/* x1 by functional iteration. A lane that has converged keeps its value while others go on. */
static void iterate_corrector(cnf_worker *w, const cnf_engine *solver) {
  WORKER_NAMES(w);
  real *known = slope(w, 0), *change = slope(w, 1), *next = slope(w, 2), *f = slope(w, 3); /* free: the start is over */
  const real one = 1, *slope_list[1] = {f};
  const real difference[2] = {1, -1}, *changes[2] = {next, change};
  const int32_t components = D + (m->trace != CNF_TRACE_NONE && !solver->options.exclude_log_det);
  sum_formulas(w, solver, change, known);
  time_row(w, 1);
  for (int32_t j = 0; j < lanes; j++) w->adams.unconverged[j] = w->lane.sample[j] >= 0;
  for (int32_t i = 0; i < CNF_ADAMS_ITERATIONS; i++) {
    int32_t open = 0;
    for (int32_t j = 0; j < lanes; j++)
      w->step.mask_row[j] = (real)w->adams.unconverged[j], open += w->adams.unconverged[j];
    if (open == 0) break;
    k->add(D, w->step.x, change, w->e.kept.value);
    evaluate_slope(w, 1, f);
    count_work(w, 1);
    k->combine(S, known, w->step.row, 1, &one, slope_list, next);
    zero_rows(1, lanes, w->step.sum_row);
    k->error_squares(components, change, next, w->adams.ones, 2, difference, changes, solver->rtol, solver->atol,
                     CNF_NORM_MAX, w->step.sum_row);
    k->blend(S, w->step.mask_row, next, change, change);
    for (int32_t j = 0; j < lanes; j++) {
      if (!w->adams.unconverged[j]) continue;
      w->lane.evaluations[j]++;
      w->adams.unconverged[j] = !(w->step.sum_row[j] < 1);
    }
  }
  for (int32_t j = 0; j < lanes; j++)
    w->adams.count[j] -= w->adams.unconverged[j]; /* this step does not lengthen its formula */
  k->add(S, w->step.x, change, w->step.x1);
  for (int32_t r = D; r < S; r++)
    for (int32_t j = 0; j < lanes; j++) w->adams.change[r - D][j] = (double)PANEL(change, r)[j];
}

static void add_adams_integrals(cnf_worker *w, const cnf_engine *solver) {
  WORKER_NAMES(w);
  double weights[CNF_ADAMS_MOST];
  const real *panels[CNF_ADAMS_MOST];
  const int32_t count = w->adams.taken;
  if (count < CNF_ADAMS_LEAST) {
    add_stage_integrals(w, solver);
  } else if (solver->rules->iterates) {
    for (int32_t r = 0; r < S - D; r++)
      for (int32_t j = 0; j < lanes; j++)
        if (w->step.mask_row[j] > 0) w->lane.integral[r][j] += w->adams.change[r][j];
  } else {
    const cnf_adams *formula = cnf_adams_of(count);
    for (int32_t i = 0; i < count; i++) {
      weights[i] = (double)formula->bashforth[i] / (double)formula->divisor;
      panels[i] = past_slope(w, solver, i);
    }
    add_to_integrals(w, count, weights, panels);
  }
}

#define CNF_ADAMS_UNEQUAL 1e-5 /* of a length: the most that lengths differ by if they count as equal in float */

/* Begins a step in the interval of lane `live`. Returns 1 if the interval has no length: its steps leave the slopes
 * alone. The slopes of earlier intervals are kept if their steps were as long, else dropped: the formulas need equal
 * steps. Lengths count as equal up to the rounding of times that were meant to be equally far apart: a difference of
 * two lengths involves four times, each off by at most 2 units in the last place. In a float solve these may be units
 * of a float, because times often come from arrays of floats. The lengths then differ by at most 1e-5 of the length,
 * which moves a step by less than 1e-5 h times its change: below the rounding of the state. */
static int enter_adams_interval(cnf_worker *w, const cnf_call *call, int32_t live) {
  WORKER_NAMES(w);
  const double begin = interval_begin(w, live, w->lane.interval[live]),
               span = interval_end(w, call, live, w->lane.interval[live]) - begin;
  const double largest = fmax(fabs(call->input->t0), fabs(call->input->t1));
  double rounding = 8 * DBL_EPSILON * largest;
  if (CNF_REAL_BITS == 32) rounding = fmax(rounding, fmin(8 * FLT_EPSILON * largest, CNF_ADAMS_UNEQUAL * fabs(span)));
  if (call->time_count == 0) return 0; /* one interval, of each sample's own length */
  if (span == 0) return 1;
  if (w->adams.span != 0 && fabs(span - w->adams.span) <= rounding) return 0;
  for (int32_t j = 0; j < lanes; j++) w->adams.count[j] = 0;
  w->adams.span = span;
  return 0;
}

/* A step of every lane from (t, x) with its h, into x1. tile->slopes receives how many slopes it takes. All live
 * lanes have equally many until they have CNF_ADAMS_LEAST, and never fewer from then on. */
static void make_adams_step(cnf_worker *w, const cnf_call *call, const cnf_stages *s, cnf_step_record *tile) {
  WORKER_NAMES(w);
  const cnf_engine *solver = call->solver;
  const cnf_step_record no_slots = {.first = -1, .rest = -1};
  int32_t live = 0;
  (void)s; /* the stages of the start are used, without what dense output adds */
  for (int32_t j = 0; j < lanes; j++) {
    w->adams.unconverged[j] = 0;
    if (w->lane.sample[j] >= 0) live = j;
  }
  const int has_no_length = enter_adams_interval(w, call, live);
  real *newest = has_no_length ? NULL : new_slope(w, solver);
  const int32_t slopes = w->adams.taken = tile->slopes = has_no_length ? 0 : w->adams.count[live];
  const int starts = slopes < CNF_ADAMS_LEAST;
  for (int32_t j = 0; j < lanes; j++) w->lane.evaluations[j] = starts ? solver->stages.evaluations : 1;
  if (starts) {
    make_step(w, solver, &solver->stages, &no_slots, 0);
    count_work(w, solver->stages.evaluations);
    if (newest) copy_rows(S, lanes, slope(w, 0), newest);
    return;
  }
  use_scratch(w, 0);
  step_row(w);
  time_row(w, 0);
  copy_rows(D, lanes, w->step.x, w->e.kept.value);
  evaluate_slope(w, 1, newest);
  count_work(w, 1);
  if (solver->rules->iterates) {
    iterate_corrector(w, solver);
  } else {
    const cnf_adams *formula = cnf_adams_of(slopes);
    sum_slopes(w, solver, w->step.x, slopes, formula->bashforth, formula->divisor, w->step.x1);
  }
}

/* A step whose iteration did not converge is taken, and counts as rejected too. */
static void accept_adams_step(cnf_worker *w) {
  WORKER_NAMES(w);
  for (int32_t j = 0; j < lanes; j++)
    if (w->step.mask_row[j] > 0) w->chunk.rejected[w->lane.sample[j]] += w->adams.unconverged[j];
}

static const real *first_adams_slope(const cnf_worker *w, const cnf_engine *solver) { return past_slope(w, solver, 0); }

static void adams_layout(cnf_worker *w, const cnf_engine *s, cnf_arena *arena) {
  cnf_adams_history_layout(&w->adams, s, arena);
}
