/* The formulas of Adams methods, as data. */
#ifndef CNF_SOLVE_METHODS_ADAMS_H
#define CNF_SOLVE_METHODS_ADAMS_H

#include <stdint.h>

#define CNF_ADAMS_MOST 12      /* slopes of the longest formula; the default of `order` in cnf_solver_options */
#define CNF_ADAMS_LEAST 3      /* slopes that a multistep formula needs; with fewer the step is one of the start */
#define CNF_ADAMS_ITERATIONS 4 /* evaluations of one iteration at most */
#define CNF_ADAMS_START "rk4_38"

/* The formulas of k slopes on equal steps, newest slope first. Weights are numerators over one divisor.
 *     Bashforth  x' = x + h sum_{j<k} bashforth[j] f(t - jh),     order k
 *     Moulton    x' = x + h sum_{j<k} moulton[j] f(t + h - jh),   order k; its first slope is the unknown one */
typedef struct cnf_adams {
  int64_t divisor;
  int64_t bashforth[CNF_ADAMS_MOST], moulton[CNF_ADAMS_MOST];
} cnf_adams;

const cnf_adams *cnf_adams_of(int32_t slopes); /* slopes: 1 to CNF_ADAMS_MOST; else NULL */

/* Slopes that a solver with this `order` keeps, the newest included: one less than its longest formula has. */
static inline int32_t cnf_adams_slopes(int32_t order) { return order > 1 ? order - 1 : 1; }

#endif
