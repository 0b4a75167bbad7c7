/* Output times on the way back of the continuous adjoint.
 *
 * The way back goes from t1 through the output times tau_n ... tau_1 to t0, and ends a step at each. The loss depends on x and l at
 * tau_i, so there the cotangents jump as those of backward/runge_kutta.h do: a gains x_at_bar_i, mu gains log_det_at_bar_i. Of the
 * flow itself x(tau) and l(tau) alone depend on tau, since steps are none of it:
 *     dL/dtau_i = x_at_bar_i' f(tau_i, x_i) + log_det_at_bar_i div(tau_i, x_i),
 * the jump's share of f a + mu div, which is larger after the jump than before it by just that; t1 is the one time with
 * nothing beyond it. Regularisers run from t0 to t1, and are none of a time's affair.
 *
 * x_i is the state that the solve had at tau_i, kept on the way forward where a step's state would be (lanes/output_times.h): what
 * the way back has gathered of errors in x is left behind at each time, as torchdiffeq does. A Rosenbrock method's way back reads x off
 * its track throughout, whose steps end at the times.
 */
#include "solve/worker.h"

/* The loss's own cotangents at the end of an interval. */
typedef struct end_bars {
  const real *x; /* [D]; NULL: zeros */
  double log_det;
} end_bars;

/* Those of sample s of the chunk, at t1 where `interval` is the last one. */
static end_bars end_bars_of(const cnf_worker *w, const cnf_call *call, int64_t first, int64_t s, int32_t interval) {
  const size_t D = (size_t)w->e.model->program->state_dim;
  const cnf_loss *loss = call->loss;
  if (interval == call->time_count) return (end_bars){w->loss.x1_bar + (size_t)s * D, w->loss.log_det_bar[s]};
  const size_t place = (size_t)(first + s) * (size_t)call->time_count + (size_t)interval;
  return (end_bars){loss->x_at_bar ? (const real *)loss->x_at_bar + place * D : NULL,
                    loss->log_det_at_bar ? loss->log_det_at_bar[place] : 0};
}

/* The power of two that sample s's cotangents are divided by: at least as large as the largest of them, wherever on the way it
 * comes in; 1 where all are 0. */
static double cotangent_scale(const cnf_worker *w, const cnf_call *call, int64_t first, int64_t s) {
  WORKER_NAMES(w);
  double largest = fmax(fabs(w->back.kinetic_bar), fabs(w->back.frobenius_bar));
  int exponent;
  for (int32_t i = 0; i <= call->time_count; i++) {
    const end_bars bars = end_bars_of(w, call, first, s, i);
    largest = fmax(largest, fabs(bars.log_det));
    for (int32_t d = 0; bars.x && d < D; d++) largest = fmax(largest, fabs((double)bars.x[d]));
  }
  if (largest == 0 || !isfinite(largest)) return 1;
  frexp(largest, &exponent);
  return ldexp(1, exponent);
}

/* Has the lane's way back begun at an event, and not left its interval? */
static int is_at_event(const cnf_worker *w, int32_t lane) {
  const int64_t s = w->lane.sample[lane];
  return s >= 0 && w->chunk.event[s] >= 0 && w->lane.interval[lane] == w->chunk.interval[s];
}

/* dL/dtau of the output time at which the lane's interval ends, from the slope f there and divergence_row. */
static void write_time_bar(const cnf_worker *w, const cnf_call *call, int64_t first, int32_t lane, const real *f) {
  WORKER_NAMES(w);
  const int64_t s = w->lane.sample[lane];
  const end_bars bars = end_bars_of(w, call, first, s, w->lane.interval[lane]);
  double sum = m->trace != CNF_TRACE_NONE ? bars.log_det * (double)w->back.integrands.divergence[lane] : 0;
  for (int32_t d = 0; bars.x && d < D; d++) sum += (double)bars.x[d] * (double)PANEL(f, d)[lane];
  if (call->gradient->times)
    call->gradient->times[(size_t)(first + s) * (size_t)call->time_count + (size_t)w->lane.interval[lane]] = sum;
}

/* The lane has come back to an output time: it goes on in the interval before, from the state that the solve had there. */
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
