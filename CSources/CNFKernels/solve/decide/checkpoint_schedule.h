/* The schedule of checkpoints: which states the forward pass stores, and which steps the backward pass recomputes from
 * them. Numbers of steps and slots alone; no state is touched here.
 *
 * The backward pass goes from the last step to the first and wants the state at the start of each. Stored states are
 * checkpoints. Other states are recomputed from the last checkpoint before them. Take c checkpoints, the first of
 * them at the first step. If no step may be made more than r times, besides its reverse, the number of steps that can
 * be reversed is at most
 *     beta(c, r) = C(c + r, c).
 * For l steps, let r be the smallest number with beta(c, r) >= l. The least number of steps made is
 *     t(c, l) = r l - C(c + r, r - 1),    the forward pass (l - 1 of them) included
 * (Griewank and Walther, ACM TOMS 26(1), 2000, Algorithm 799, "revolve"). It is reached as follows: go m steps on and
 * store the state there; reverse the l - m steps after it with c - 1 checkpoints; then reverse the m steps before it
 * with c. So t(c, l) = m + t(c - 1, l - m) + t(c, m), for every m with
 *     beta(c, r-2) <= m <= beta(c, r-1)   and   beta(c-1, r-1) <= l - m <= beta(c-1, r).
 *
 * That needs l beforehand. Adaptive steps, whose number is not known, are stored as in Wang, Moin and Iaccarino (SIAM
 * J. Sci. Comput. 31(4), 2009). Each checkpoint has a level. If there is no room, one that is followed by a higher
 * level is dropped, and the newest state takes its slot with level 0. If there is no such one, the newest state
 * replaces the last and goes one level above it. In the backward pass the order between two checkpoints is that of
 * revolve, with the slots that are free by then. No step is made more than r times, r as above: at most C(c + r, r - 1)
 * more steps are made than the least number.
 */
#ifndef CNF_SOLVE_DECIDE_CHECKPOINT_SCHEDULE_H
#define CNF_SOLVE_DECIDE_CHECKPOINT_SCHEDULE_H

#include "cnf.h"

#define CNF_NEVER INT32_MAX /* a step that no solve reaches */

/* A stored state. */
typedef struct cnf_checkpoint {
  int32_t step;  /* the state is that at the start of this step */
  int32_t slot;  /* where it is stored */
  int32_t level; /* adaptive steps: see above */
} cnf_checkpoint;

/* The checkpoints of one sample. Its list holds the stored ones, in the order of steps, then the free slots. */
typedef struct cnf_checkpoint_plan {
  int32_t count;
  int32_t used;    /* slots that were ever taken; the entries of the list from `count` on name those that are free */
  int32_t next;    /* step whose state is stored next; CNF_NEVER: none */
  int32_t current; /* step whose state is in the sample's own column, apart from the checkpoints; -1: none */
  int32_t level;   /* the level that `current` would have */
} cnf_checkpoint_plan;

/* A solver's schedule. */
typedef struct cnf_schedule_rule {
  int32_t kind;     /* EVERY_STEP, EVERY_K or BINOMIAL */
  int32_t every;    /* EVERY_K: k */
  int32_t capacity; /* checkpoints of a sample; 0: not even one fits */
} cnf_schedule_rule;

/* `bytes`: size of one checkpoint of every sample of a chunk; `most`: steps that a sample may take. */
cnf_schedule_rule cnf_schedule_rule_of(const cnf_solver_options *options, size_t bytes, int32_t most);

/* m of the formula above, for l >= 2 steps and c >= 1 checkpoints; l - 1 if c is 1: no state between can be stored. */
int32_t cnf_revolve_distance(int32_t c, int32_t l);

void cnf_checkpoint_plan_clear(cnf_checkpoint_plan *plan);

/* What to do with the states of a sample that comes to step `step`. */
typedef struct cnf_checkpoint_writes {
  int32_t slot;    /* the slot that the state at `step` goes to; -1: none */
  int32_t earlier; /* do this first: the slot that the sample's own column goes to, which is the state at step - 1; -1:
                      none */
} cnf_checkpoint_writes;

/* The sample has come to `step`, from step - 1 or as its first. Its own column receives that state. It has the steps
 * before `end`; CNF_NEVER: their number is not known. */
cnf_checkpoint_writes cnf_checkpoint_plan_advance(const cnf_schedule_rule *rule, cnf_checkpoint_plan *plan,
                                                  cnf_checkpoint *list, int32_t step, int32_t end);

/* The state at `step` is wanted; all later steps have been reversed. Drops the checkpoints beyond it, returns the last
 * that is left, and plans what to store from there to `step`. */
const cnf_checkpoint *cnf_checkpoint_plan_restart(const cnf_schedule_rule *rule, cnf_checkpoint_plan *plan,
                                                  cnf_checkpoint *list, int32_t step);

/* On the way from there to `step` the state at plan->next has been recomputed: returns the slot that it goes to. */
int32_t cnf_checkpoint_plan_store(const cnf_schedule_rule *rule, cnf_checkpoint_plan *plan, cnf_checkpoint *list,
                                  int32_t step);

#endif
