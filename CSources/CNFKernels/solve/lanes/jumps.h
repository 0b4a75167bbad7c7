/* Jump times: where the field jumps, steps end and begin anew. Compiled once per dtype by solve/call/solver_f32.c and
 * solver_f64.c.
 *
 * A step that ends at a jump must not see the field beyond it, and the next one must not see the field before it. A
 * field is free to define its value at the jump itself, which it may know rounded to its dtype. So the evaluations of a
 * step are made at most at the last number before the jump that it ends at, and at least at the first number beyond the
 * jump that it begins at. Both follow from t and h of the step alone: the backward passes evaluate at the same times.
 */
#include "solve/decide/step_control.h"
#include "solve/decide/step_times.h"
#include "solve/worker.h"

/* The first jump strictly beyond t in the direction of `sign`; infinite if there is none. */
static double next_jump(const cnf_worker *w, double t, double sign) {
  const double *jumps = w->span.jumps;
  size_t low = 0, high = w->span.jump_count; /* jumps below `low` are at most t; those from `high` on are above */
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (sign > 0 ? jumps[middle] <= t : jumps[middle] < t)
      low = middle + 1;
    else
      high = middle;
  }
  if (sign > 0) return low < w->span.jump_count ? jumps[low] : INFINITY;
  return low > 0 ? jumps[low - 1] : -INFINITY;
}

static int is_jump(const cnf_worker *w, double t) { return next_jump(w, nextafter(t, -INFINITY), 1) == t; }

/* The number of the field's dtype next to the one that `jump` is rounded to, in the direction of `sign`. */
static double beside_jump(double jump, double sign) {
  return CNF_REAL_BITS == 32 ? (double)nextafterf((float)jump, (float)sign * INFINITY)
                             : nextafter(jump, sign * INFINITY);
}

/* `time`, which the field is to be evaluated at in a step of the lane from t to t + h, within the jumps that the step
 * begins and ends at. With h = 0 the step goes in the direction of the lane's sample. */
static double within_jumps(const cnf_worker *w, int32_t lane, double t, double h, double time) {
  const double sign = h != 0 ? copysign(1, h) : (double)w->span.direction[lane], end = next_jump(w, t, sign);
  if (h != 0 && (end - t == h || sign * (time - end) >= 0)) {
    const double last = beside_jump(end, -sign);
    if (sign * (time - last) > 0) time = last;
  }
  if (is_jump(w, t)) {
    const double first = beside_jump(t, sign);
    if (sign * (time - first) < 0) time = first;
  }
  return time;
}

/* h of the lane's next step, of the planned length, cut to end at `end` or at a jump before it: ends_interval and
 * ends_at_jump say which; end is where. Returns 1 if it ends at either. */
static int clip_step(cnf_worker *w, int32_t lane, double end, double span, double sign) {
  const double t = w->lane.t[lane];
  const double jump = w->span.jump_count > 0 ? next_jump(w, t, sign) : sign * INFINITY;
  const double stop = sign * (jump - end) < 0 ? jump : end;
  const int together = fabs(jump - end) <= CNF_SPAN_ROUNDING * fabs(span); /* rounding of t may pass both at once */
  int32_t ends;
  w->lane.h[lane] = cnf_clip_step(t, w->lane.planned[lane], stop, span, &ends);
  w->lane.ends_interval[lane] = ends && (stop == end || together);
  w->lane.ends_at_jump[lane] = ends && (stop == jump || together);
  const double last = sign * (double)w->span.direction[lane] > 0 ? w->span.t1[lane] : w->span.t0[lane];
  const double at = w->lane.ends_at_jump[lane] ? jump : ends ? end : t + w->lane.h[lane];
  w->lane.end[lane] = cnf_limit_time(at, w->lane.h[lane], ends ? last : end);
  return ends;
}
