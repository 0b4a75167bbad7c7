/* Where the stages of a step are in time, in doubles. Rounding never moves one beyond the end of the step, nor a step
 * beyond the end of its interval: the field may exist between t0 and t1 alone. */
#ifndef CNF_SOLVE_DECIDE_STEP_TIMES_H
#define CNF_SOLVE_DECIDE_STEP_TIMES_H

#include <math.h>

/* t, but not beyond `stop` in the direction of h. */
static inline double cnf_limit_time(double t, double h, double stop) {
  return h > 0 ? fmin(t, stop) : h < 0 ? fmax(t, stop) : t;
}

/* The time at the fraction c of a step of length h from t to `end`; at c = 1 that is `end` to the bit. Only a method
 * whose own c is outside 0 ... 1 leaves the step (yoshida4). */
static inline double cnf_time_in_step(double t, double h, double end, double c) {
  if (c == 1) return end;
  const double at = t + c * h;
  return c < 0 || c > 1 ? at : cnf_limit_time(at, h, end);
}

/* The time at the fraction `part`, between 0 and 1, of the interval from `begin` to `end`. */
static inline double cnf_time_in_interval(double begin, double end, double part) {
  return cnf_time_in_step(begin, end - begin, end, part);
}

#endif
