/* Output times in the continuous adjoint. Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c.
 *
 * The backward solve goes from t1 through the output times tau_n ... tau_1 to t0, and ends a step at each. The loss
 * depends on x and l at tau_i. So the cotangents jump there, as in solve/backward/runge_kutta.h: a gains x_at_bar_i, mu
 * gains log_det_at_bar_i. The flow has no steps: only x(tau) and l(tau) depend on tau. So
 *     dL/dtau_i = x_at_bar_i' f(tau_i, x_i) + log_det_at_bar_i div(tau_i, x_i).
 * That is the jump of f a + mu div. At t1, there is nothing beyond the time. Regularisers run from t0 to t1 and do
 * not depend on output times.
 *
 * x_i is the state that the forward pass had at tau_i, which it keeps (solve/lanes/output_times.h). So errors in x that
 * the backward solve has gathered are dropped at each output time, as in torchdiffeq. The continuous adjoint of a
 * Rosenbrock method reads x off the forward path throughout.
 */
#include "solve/worker.h"

/* The loss's own cotangents at the end of an interval. */
typedef struct end_bars {
  const real *x; /* [D]; NULL: zeros */
  double log_det;
} end_bars;

/* The cotangents of sample s of the chunk; those at t1 if `interval` is the last one. */
static end_bars end_bars_of(const cnf_worker *w, const cnf_call *call, int64_t first, int64_t s, int32_t interval) {
  const size_t D = (size_t)w->e.model->program->state_dim;
  const cnf_loss *loss = call->loss;
  if (interval == call->time_count) return (end_bars){w->loss.x1_bar + (size_t)s * D, w->loss.log_det_bar[s]};
  const size_t place = (size_t)(first + s) * (size_t)call->time_count + (size_t)interval;
  return (end_bars){loss->x_at_bar ? (const real *)loss->x_at_bar + place * D : NULL,
                    loss->log_det_at_bar ? loss->log_det_at_bar[place] : 0};
}

/* The power of two that sample s's cotangents are divided by: at least as large as the largest of them, at any time;
 * 1 if all are 0. */
static double cotangent_scale(const cnf_worker *w, const cnf_call *call, int64_t first, int64_t s) {
  WORKER_NAMES(w);
  double largest = fmax(fabs(w->back.kinetic_bar), fabs(w->back.frobenius_bar));
  int exponent;
  for (int32_t i = 0; i <= call->time_count; i++) {
    const end_bars bars = end_bars_of(w, call, first, s, i);
    largest = fmax(largest, fabs(bars.log_det));
    real row = 0; /* in `real` and by a comparison: gcc 12 for AArch64 fails to compile an fmax of floats in double */
    for (int32_t d = 0; bars.x && d < D; d++) {
      const real size = bars.x[d] < 0 ? -bars.x[d] : bars.x[d];
      row = size > row ? size : row;
    }
    largest = fmax(largest, (double)row);
  }
  if (largest == 0 || !isfinite(largest)) return 1;
  frexp(largest, &exponent);
  return ldexp(1, exponent);
}

/* Did the lane's backward solve begin at an event, in the interval that it is still in? */
static int is_at_event(const cnf_worker *w, int32_t lane) {
  const int64_t s = w->lane.sample[lane];
  return s >= 0 && w->chunk.event[s] >= 0 && w->lane.interval[lane] == w->chunk.interval[s];
}

/* dL/dtau of the output time at the end of the lane's interval, from the slope f and the divergence there. */
static void write_time_bar(const cnf_worker *w, const cnf_call *call, int64_t first, int32_t lane, const real *f) {
  WORKER_NAMES(w);
  const int64_t s = w->lane.sample[lane];
  const end_bars bars = end_bars_of(w, call, first, s, w->lane.interval[lane]);
  double sum = m->trace != CNF_TRACE_NONE ? bars.log_det * (double)w->back.integrands.divergence[lane] : 0;
  for (int32_t d = 0; bars.x && d < D; d++) sum += (double)bars.x[d] * (double)PANEL(f, d)[lane];
  if (call->gradient->times)
    call->gradient->times[(size_t)(first + s) * (size_t)call->time_count + (size_t)w->lane.interval[lane]] = sum;
}

/* The lane is at an output time and goes on in the interval before, from the state that the forward pass had there. */
static void cross_output_time_backward(cnf_worker *w, const cnf_call *call, int64_t first, int32_t lane) {
  WORKER_NAMES(w);
  const int64_t s = w->lane.sample[lane];
  const int32_t interval = --w->lane.interval[lane];
  const end_bars bars = end_bars_of(w, call, first, s, interval);
  const double scale = w->continuous.scale[lane];
  w->lane.t[lane] = w->span.times[lane][interval];
  w->continuous.starts_interval[lane] = 1;
  if (!call->keeps_path) column_in(D, lanes, state_at_time(w, call, s, interval), w->continuous.pair, lane);
  for (int32_t d = 0; bars.x && d < D; d++) PANEL(w->continuous.pair, D + d)[lane] += (real)((double)bars.x[d] / scale);
  w->back.mu_row[lane] += (real)(bars.log_det / scale);
}
