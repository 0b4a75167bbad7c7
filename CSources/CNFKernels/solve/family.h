/* The functions that a family of methods gives to the loops: one row a family (solve/call/families.h). Types alone;
 * compiled once per dtype by solve/call/solver_f32.c and solver_f64.c. */
#ifndef CNF_SOLVE_FAMILY_H
#define CNF_SOLVE_FAMILY_H
#include "solve/solver.h"

/* A backward pass over samples [first, first + count) of the call, which forward_chunk has just solved: adds to
 * `gradient`. Returns how many samples have no gradient. Their status says why; solve/backward/differentiate_chunk.h
 * says what happens then. */
typedef int32_t (*backward_pass)(cnf_worker *w, const cnf_call *call, int64_t first, int64_t count, real *gradient);

/* NULL: the family does not need the function, unless its comment says what NULL means. */
struct cnf_family_code {
  /* Creation: what the solver does differently from that of a Runge-Kutta method; the family's part of a worker. */
  void (*configure)(cnf_engine *s);
  void (*layout)(cnf_worker *w, const cnf_engine *s, cnf_arena *arena);
  /* Evaluations of one step. NULL: one a stage. */
  int32_t (*evaluations)(const cnf_model *m, const cnf_stages *s);

  /* Forward (solve/forward/loop.h). Before the first step of a chunk: */
  void (*begin_chunk)(cnf_worker *w);
  /* Required: a step of every lane from (t, x) with its h, into x1 and lane.evaluations. Counts its work. Where
   * steps are fixed, `tile` has the slots that evaluations go to. */
  void (*step)(cnf_worker *w, const cnf_call *call, const cnf_stages *s, cnf_step_record *tile);
  /* Adds to step.row the lanes in which what the family carries besides x1 is not finite. NULL: it carries nothing. */
  void (*check_finite)(cnf_worker *w);
  /* The lanes of mask_row have accepted the step just made. */
  void (*accept)(cnf_worker *w);
  /* Adds the step's share of the integrals of the lanes of mask_row, whose lengths are dense.h. NULL: slopes times the
   * stages' weights. */
  void (*add_integrals)(cnf_worker *w, const cnf_engine *s);
  /* The lane's sample is done. */
  void (*finish)(cnf_worker *w, int32_t lane);
  /* The state at the step's start that the backward pass wants. NULL: x. */
  const real *(*recorded_state)(const cnf_worker *w);
  /* The slope at the start of the step just made, of the state at least. NULL: that of stage 0. */
  const real *(*first_slope)(const cnf_worker *w, const cnf_engine *s);

  /* Backward: the pass of each cnf_adjoint; NULL where cnf_family_rules refuse it. */
  backward_pass pass[3];
  /* Discrete adjoint (solve/backward/discrete_loop.h). Before the first step of a chunk: */
  void (*begin_reverse)(cnf_worker *w, const cnf_engine *s);
  /* Recomputes the stages of the lanes' steps, into scratch. NULL: `reverse` does it. */
  void (*recompute)(cnf_worker *w, const cnf_engine *s, const cnf_step_record *record);
  /* lambda at the ends of the lanes' steps becomes lambda at their starts. `tile` has the slots of their
   * evaluations; NULL: they are in scratch. `record` is that of a lane with a sample. Returns how many evaluations
   * of each lane were reversed. */
  int32_t (*reverse)(cnf_worker *w, const cnf_call *call, const cnf_step_record *tile, const cnf_step_record *record,
                     int want_times, real *gradient);
  /* Continuous adjoint (solve/backward/continuous_loop.h). In this order: a step of every lane from `pair`, into pair1;
   * the squares of its errors, into sum_row; its share of theta's gradient, for the lanes of mask_row, of which
   * `live` is one. */
  void (*continuous_step)(cnf_worker *w, const cnf_call *call, int64_t first);
  void (*continuous_errors)(cnf_worker *w, const cnf_engine *s);
  void (*continuous_quadrature)(cnf_worker *w, const cnf_engine *s, int32_t live, real *gradient);
};

#endif
