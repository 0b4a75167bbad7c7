/* Which states a gradient holds of the way that a sample came, and which of the others are made again from them, and when. No
 * state is touched here: these are the numbers of steps, and of the slots that states lie in.
 *
 * The reverse goes from the last step to the first, and of each step wants the state at its start. States that are held are
 * checkpoints; from the last one before the step that is wanted, steps are made again. With c checkpoints, the first of them at
 * the first step, and l steps, each made at most r times besides its reverse, no order reverses more than
 *     beta(c, r) = C(c + r, c) steps,
 * and the least number of steps made, where r is the smallest with beta(c, r) >= l, is
 *     t(c, l) = r l - C(c + r, r - 1),    the way forward (l - 1 of them) included
 * (Griewank and Walther, ACM TOMS 26(1), 2000, Algorithm 799, "revolve"). It is reached by going m steps on, holding the state
 * there, and reversing the l - m steps after it with c - 1 checkpoints and then the m before it with c:
 * t(c, l) = m + t(c - 1, l - m) + t(c, m), by every m with
 *     beta(c, r-2) <= m <= beta(c, r-1)   and   beta(c-1, r-1) <= l - m <= beta(c-1, r).
 *
 * That asks for l beforehand. Steps that are chosen on the way are held as in Wang, Moin and Iaccarino (SIAM J. Sci. Comput. 31(4),
 * 2009): each has a level; when there is no room, one that has a higher one after it is given up for the newest, which is
 * of level 0; where there is none, the newest goes up one level over the one it takes the place of. On the way back the order
 * between two checkpoints is revolve's, with the slots that are free by then. No step is made more than r times, r as above: of
 * steps made that is at most C(c + r, r - 1) more than the least.
 */
#ifndef CNF_SOLVE_DECIDE_CHECKPOINT_SCHEDULE_H
#define CNF_SOLVE_DECIDE_CHECKPOINT_SCHEDULE_H

#include "cnf.h"

#define CNF_NEVER INT32_MAX /* a step that no solve comes to */

/* A state that is held. */
typedef struct cnf_checkpoint {
  int32_t step;  /* at the start of which it is */
  int32_t slot;  /* that it lies in */
  int32_t level; /* steps chosen on the way: see above */
} cnf_checkpoint;

/* The checkpoints of one sample. Its list holds those that count, in the order of steps, then the free slots. */
typedef struct cnf_checkpoint_plan {
  int32_t count;
  int32_t used; /* slots that were ever taken; entries of the list from `count` on name those of them that are free */
  int32_t next; /* step whose state is to be held next; CNF_NEVER: none */
  int32_t current; /* step whose state is in the sample's own column, apart from checkpoints; -1: none */
  int32_t level;   /* that `current` would have */
} cnf_checkpoint_plan;

/* A solver's choice. */
typedef struct cnf_schedule_rule {
  int32_t kind;     /* EVERY_STEP, EVERY_K or BINOMIAL */
  int32_t every;    /* EVERY_K: k */
  int32_t capacity; /* checkpoints of a sample; 0: not even one fits */
} cnf_schedule_rule;

/* `bytes` is of one checkpoint of every sample of a chunk, `most` the steps that a sample may take. */
cnf_schedule_rule cnf_schedule_rule_of(const cnf_solver_options *options, size_t bytes, int32_t most);

/* m of the above, for l >= 2 steps and c >= 1 checkpoints; l - 1 where c is 1: no state on the way can be held. */
int32_t cnf_revolve_distance(int32_t c, int32_t l);

void cnf_checkpoint_plan_clear(cnf_checkpoint_plan *plan);

/* What is to be done with the states of a sample that comes to step `step`. */
typedef struct cnf_checkpoint_writes {
  int32_t slot;    /* the one that the state at `step` goes to; -1: none */
  int32_t earlier; /* first, the one that the sample's own column goes to, which is that of step - 1; -1: none */
} cnf_checkpoint_writes;

/* The sample has come to `step`, from step - 1 or as its first; its own column receives that state. It has the steps before
 * `end`; CNF_NEVER: nobody knows. */
cnf_checkpoint_writes cnf_checkpoint_plan_advance(const cnf_schedule_rule *rule, cnf_checkpoint_plan *plan,
                                                  cnf_checkpoint *list, int32_t step, int32_t end);

/* The state at `step` is wanted, of steps whose followers are all reversed. Gives up those beyond it; returns the last that is
 * left, and plans what to hold from it to `step`. */
const cnf_checkpoint *cnf_checkpoint_plan_restart(const cnf_schedule_rule *rule, cnf_checkpoint_plan *plan,
                                                  cnf_checkpoint *list, int32_t step);

/* On the way from there to `step` the state at plan->next has been made: returns the slot that it goes to. */
int32_t cnf_checkpoint_plan_store(const cnf_schedule_rule *rule, cnf_checkpoint_plan *plan, cnf_checkpoint *list,
                                  int32_t step);

#endif
