/* Step-size control of one sample, in doubles: Hairer, Norsett and Wanner, Solving ODEs I, section II.4, with the
 * constants of torchdiffeq. h carries the sign of t1 - t0 everywhere. */
#ifndef CNF_SOLVE_DECIDE_STEP_CONTROL_H
#define CNF_SOLVE_DECIDE_STEP_CONTROL_H

#include "cnf.h"
#include <math.h>

#define CNF_SAFETY 0.9
#define CNF_LARGEST_FACTOR 10.0
#define CNF_SMALLEST_FACTOR 0.2

/* The norm of `count` errors against their tolerances, from what kernels gather: the sum of squares, or the largest. */
static inline double cnf_norm_of(int32_t norm, double squares, int32_t count) {
  return sqrt(norm == CNF_NORM_MAX ? squares : squares / count);
}

/* Error ratios of a sample's last two accepted steps; 1 where there are none. */
typedef struct cnf_ratios {
  double last, earlier;
} cnf_ratios;

/* What the step is multiplied by after an attempt with this error ratio, as cnf.h has it; `order` is the embedded order + 1.
 * A ratio that is not a number counts as a bad rejection. A ratio of 0 tells the next steps nothing: it is remembered as 1. */
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

/* First guess from the scaled norms of x and f. */
static inline double cnf_first_guess(double d0, double d1) {
  double h0 = d0 < 1e-5 || d1 < 1e-5 ? 1e-6 : 0.01 * d0 / d1;
  return isfinite(h0) && h0 > 0 ? h0 : 1e-6; /* norms overflow where a tolerance is next to nothing */
}

/* The first step's length, d2 = |f(t+h0, x+h0 f) - f| / h0. */
static inline double cnf_first_step(double h0, double d1, double d2, int order) {
  double h1 = d1 <= 1e-15 && d2 <= 1e-15 ? fmax(1e-6, 1e-3 * h0) : pow(0.01 / fmax(d1, d2), 1.0 / order);
  double h = fmin(100 * h0, h1);
  return isfinite(h) && h > 0 ? h : h0;
}

/* No step but those that end at t1 or at an output time may be shorter: it ends the sample. The default is still told from
 * rounding of t; near 0 it is not that of t alone, so that a field which is no_slots finite is given up soon. Stiff fields
 * begin with steps of 1e-15 of the way (Robertson's reaction to t1 = 1e11), so nor is it that of t1. */
static inline double cnf_least_step(double min_step, double t, double t1) {
  double largest = fmax(fabs(t), 1e-12 * fabs(t1));
  return min_step > 0 ? min_step : 16 * (nextafter(largest, INFINITY) - largest);
}

/* h after an accepted step that was cut from `planned` to end at an output time. A cut step says little of how long the next
 * may be: its error is that of its own length, and next to none where the time was close. So the plan stands, or what the
 * step itself allows where that is more; and its ratio is not remembered, `past` staying that of the step before. */
static inline double cnf_step_after_cut(const cnf_solver_options *o, double h, double planned, double ratio, int order,
                                        cnf_ratios past) {
  return copysign(fmax(fabs(planned), fabs(h) * cnf_step_factor(o, ratio, order, &past)), planned);
}

/* h, but no longer than max_step, if there is one. */
static inline double cnf_bound_step(double h, double max_step) {
  return max_step > 0 ? copysign(fmin(fabs(h), max_step), h) : h;
}

/* The next step from t: h, as far as t + h is from t when rounded, or what is left to `stop` if h reaches it to within
 * rounding of the solve's span t1 - t0; *last tells which. */
static inline double cnf_clip_step(double t, double h, double stop, double span, int *last) {
  double left = stop - t;
  *last = fabs(h) >= fabs(left) - 1e-12 * fabs(span);
  return *last ? left : (t + h) - t;
}

#endif
