/* Where a sample's steps are in time, and where their records are. Compiled once per dtype by solve/call/solver_f32.c
 * and solver_f64.c. */
#include "solve/decide/step_times.h"
#include "solve/worker.h"

/* The lane is at a step of length h from t to `end`. */
static void place_lane(cnf_worker *w, int32_t lane, double t, double h, double end) {
  w->lane.t[lane] = t, w->lane.h[lane] = h, w->lane.end[lane] = end;
}

/* The record of step n of sample s of the chunk. Where steps are fixed, the tile's samples share one. */
static cnf_step_record *record_of(const cnf_worker *w, const cnf_call *call, int64_t s, int32_t n) {
  return w->store.steps + (call->steps ? (size_t)n : (size_t)n * (size_t)call->chunk + (size_t)s);
}

/* Start of fixed step n of an interval, as a fraction of the interval. */
static double fraction(const cnf_call *call, int32_t n) {
  return call->fractions ? call->fractions[n] : (double)n / call->steps;
}

/* Step n of sample s of the chunk, as it was made. A fixed step has its place in the sample's own span, and the
 * slots of its tile's record. The last step of a sample that an event has ended reaches to the event. */
static cnf_step_record step_of(const cnf_worker *w, const cnf_call *call, int64_t s, int32_t n) {
  if (!call->steps) return *record_of(w, call, s, n);
  cnf_step_record step = {.first = -1, .rest = -1};
  if (call->keeps) step = *record_of(w, call, s, n);
  const int64_t number = w->chunk.first + s;
  const int is_cut = w->chunk.event[s] >= 0 && n == w->chunk.accepted[s] - 1;
  const double *times = sample_times(call, number);
  step.interval = n / call->steps, n %= call->steps;
  const double begin = step.interval > 0 ? times[step.interval - 1] : sample_t0(call, number);
  const double end = step.interval < call->time_count ? times[step.interval] : sample_t1(call, number);
  const double from = fraction(call, n);
  step.t = cnf_time_in_interval(begin, end, from);
  step.h = is_cut ? w->chunk.t[s] - step.t : (fraction(call, n + 1) - from) * (end - begin);
  return step;
}

/* Where step n of sample s ended, to the bit. */
static double end_of_step(const cnf_worker *w, const cnf_call *call, int64_t s, int32_t n) {
  if (n + 1 >= w->chunk.accepted[s]) return w->chunk.t[s];
  return step_of(w, call, s, n + 1).t;
}

/* The lane comes to step n of sample s in a backward pass. In an idle lane the step has no length. */
static void place_at_step(cnf_worker *w, const cnf_call *call, int32_t lane, int64_t s, int32_t n, int idle) {
  const cnf_step_record step = step_of(w, call, s, n);
  place_lane(w, lane, step.t, idle ? 0 : step.h, idle ? step.t : end_of_step(w, call, s, n));
}
