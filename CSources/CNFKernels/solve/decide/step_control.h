/* Step-size control of one sample, in doubles (Hairer, Norsett and Wanner, Solving ODEs I, section II.4), with the
 * constants of torchdiffeq: the length of the next step from the error of the last. judge_steps in solve/forward/loop.h
 * accepts a step, if its error ratio is at most 1, or rejects it. h has the sign of t1 - t0 everywhere. */
#ifndef CNF_SOLVE_DECIDE_STEP_CONTROL_H
#define CNF_SOLVE_DECIDE_STEP_CONTROL_H

#include "cnf.h"
#include "solve/methods/stages.h"
#include <math.h>

#define CNF_SAFETY 0.9
#define CNF_LARGEST_FACTOR 10.0
#define CNF_SMALLEST_FACTOR 0.2

/* The norm of `count` errors over their tolerances, from what kernels gather: the sum of squares, or the largest
 * square. */
static inline double cnf_norm_of(int32_t norm, double squares, int32_t count) {
  return sqrt(norm == CNF_NORM_MAX ? squares : squares / count);
}

/* Error ratios of a sample's last two accepted steps; 1 where there are none. */
typedef struct cnf_ratios {
  double last, earlier;
} cnf_ratios;

/* The factor for the step's length after an attempt with this error ratio, as cnf.h documents it; `order` is the
 * embedded order + 1. A ratio that is not a number counts as a bad rejection. A ratio of 0 says nothing about later
 * steps, so it is remembered as 1. */
static inline double cnf_step_factor(const cnf_solver_options *o, double ratio, int order, cnf_ratios *past) {
  if (!isfinite(ratio)) return o->factor_min;
  const double before = o->pcoeff + 2 * o->dcoeff;
  double factor = ratio == 0 ? INFINITY : o->safety * pow(ratio, -(o->pcoeff + o->icoeff + o->dcoeff) / order);
  if (before != 0) factor *= pow(past->last, before / order);
  if (o->dcoeff != 0) factor *= pow(past->earlier, -o->dcoeff / order);
  const double least = ratio < 1 ? 1 : o->factor_min, most = ratio <= 1 ? o->factor_max : o->safety;
  if (ratio <= 1) *past = (cnf_ratios){ratio == 0 ? 1 : ratio, past->last};
  return fmin(most, fmax(factor, least));
}

/* The first step: the algorithm and the constants of Hairer, Norsett and Wanner, Solving ODEs I, section II.4, made
 * independent of the unit of time. d0, d1 and d2 are the scaled norms of x, of f and of (f(t+h0, x+h0 f) - f) / h0. */
#define CNF_FIRST_SMALL_NORM 1e-5 /* of x or span f, scaled: below it the norms say nothing about a length */
#define CNF_FIRST_DEFAULT 1e-6    /* the length then, compared with the span */
#define CNF_FIRST_CHANGE 0.01     /* a small change of x, compared with its size */
#define CNF_FIRST_CHANGES 2       /* of x or f by their sizes, in a unit of time at most */
#define CNF_FIRST_ZERO_NORM 1e-15 /* of f and its derivative, times the span and its square: below it f counts as 0 */
#define CNF_FIRST_SHORTER 1e-3    /* the step compared with the first guess, where f counts as 0 */
#define CNF_FIRST_LONGEST 100     /* the step at most, compared with the first guess */

/* A first guess of the step's length. */
static inline double cnf_first_guess(double span, double d0, double d1) {
  const double fallback = CNF_FIRST_DEFAULT * span;
  const int small = d0 < CNF_FIRST_SMALL_NORM || span * d1 < CNF_FIRST_SMALL_NORM;
  const double h0 = small ? fallback : CNF_FIRST_CHANGE * d0 / d1;
  return isfinite(h0) && h0 > 0 ? h0 : fallback; /* norms overflow where a tolerance is close to 0 */
}

/* The length of the first step. The book's formula (0.01/max(d1, d2))^(1/order) has no unit of time: here it is the
 * span, or CNF_FIRST_CHANGES times the longer of the times in which x and f change by their sizes, if that is shorter.
 * With the span alone, a field much faster than the span would begin with many rejected steps. */
static inline double cnf_first_step(double span, double h0, double d0, double d1, double d2, int order) {
  const double unit = fmin(span, CNF_FIRST_CHANGES * fmax(d0 / d1, d1 / d2)); /* 0/0 is ignored by both */
  double h1 = span * d1 <= CNF_FIRST_ZERO_NORM && span * (span * d2) <= CNF_FIRST_ZERO_NORM
                  ? fmax(CNF_FIRST_DEFAULT * span, CNF_FIRST_SHORTER * h0)
                  : unit * pow(CNF_FIRST_CHANGE / fmax(unit * d1, unit * (unit * d2)), 1.0 / order);
  double h = fmin(CNF_FIRST_LONGEST * h0, h1);
  return isfinite(h) && h > 0 ? h : h0;
}

#define CNF_FIRST_BEND 8    /* 2 bend/straight at most: there h f says nothing about the step */
#define CNF_FIRST_DOUBT 0.5 /* of the error that the bend of a first step implies: a smaller estimate is not believed */

/* The least error ratio that the first step of a sample counts with. No measured error has led to its length, so its
 * own estimate may vanish by chance: on x' = -x bosh3's is 0 at h = 1. The arguments are sizes over the tolerance: of
 * x' - x, of h f, and of x' - x - h f. On x' = z x with a short step, 2 bend/straight is h z, and the error estimate,
 * C (h z)^k x with k the embedded order + 1, is this ratio over CNF_FIRST_DOUBT. A linear field with several rates z
 * has a larger estimate, because the moments of the rates are log-convex. */
static inline double cnf_first_ratio(const cnf_stages *s, double moved, double straight, double bend) {
  const double rate = bend < CNF_FIRST_BEND / 2 * straight ? 2 * bend / straight : CNF_FIRST_BEND;
  return CNF_FIRST_DOUBT * s->error_constant * fmax(moved, straight) * pow(rate, s->order - 1);
}

#define CNF_LEAST_TIME 1e-12 /* |t| counts as at least this part of |t1| */
#define CNF_LEAST_ULPS 16    /* of t: the least step, by default */

/* The least length of a step. A shorter one ends the sample, unless it ends at t1 or at an output time. By default it
 * is still larger than the rounding of t. Near t = 0 the rounding of t alone would be too small: a field that is finite
 * nowhere must be given up soon. The rounding of t1 would be too large: stiff fields begin with steps of 1e-15 of the
 * span (Robertson's reaction to t1 = 1e11). */
static inline double cnf_least_step(double min_step, double t, double t1) {
  double largest = fmax(fabs(t), CNF_LEAST_TIME * fabs(t1));
  return min_step > 0 ? min_step : CNF_LEAST_ULPS * (nextafter(largest, INFINITY) - largest);
}

/* h after an accepted step that was cut from `planned` to end at an output time. The error of a cut step says little
 * about how long the next may be. So the planned length stays, or the one that the step itself allows if that is
 * longer. Its ratio is not remembered. */
static inline double cnf_step_after_cut(const cnf_solver_options *o, double h, double planned, double ratio, int order,
                                        cnf_ratios past) {
  return copysign(fmax(fabs(planned), fabs(h) * cnf_step_factor(o, ratio, order, &past)), planned);
}

#define CNF_TIME_PARTS 20 /* of a span, the shortest longest step of a field that reads t */
#define CNF_TIME_TURN 2   /* over the field's rate (field/time_rate.h): a longer longest step */

/* The longest step from t0 to t1; 0: any. By default it is limited where the field reads t, because the stages of a
 * long step may lie on both sides of what a field does for a short time. A given length of the first step, which
 * `unproven` is 1 for, is not limited by this default. */
static inline double cnf_longest_step(const cnf_solver_options *o, double time_rate, double t0, double t1,
                                      int unproven) {
  if (o->max_step > 0 || time_rate == 0 || (unproven && o->initial_step > 0)) return o->max_step;
  return fmax(fmax(fabs(t1 - t0) / CNF_TIME_PARTS, CNF_TIME_TURN / time_rate), o->min_step);
}

/* h, limited to the longest step; 0: no limit. */
static inline double cnf_bound_step(double h, double longest) {
  return longest > 0 ? copysign(fmin(fabs(h), longest), h) : h;
}

#define CNF_SPAN_ROUNDING 1e-12 /* of a span: the rounding of t by 2^-53 in about 9,000 steps */

/* The next step from t. If h reaches `stop`, give or take the rounding of the solve's span t1 - t0, the step is
 * stop - t, and *last is 1. Otherwise it is h, rounded to (t + h) - t, and *last is 0. */
static inline double cnf_clip_step(double t, double h, double stop, double span, int *last) {
  double left = stop - t;
  *last = fabs(h) >= fabs(left) - CNF_SPAN_ROUNDING * fabs(span);
  return *last ? left : (t + h) - t;
}

#endif
