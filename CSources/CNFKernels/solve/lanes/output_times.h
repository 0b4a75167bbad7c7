/* Output times: where between t0 and t1 a sample's steps end and its state goes to the caller's arrays. Compiled
 * once per dtype by solve/call/solver_f32.c and solver_f64.c. They cut the span into intervals: interval 0 begins at
 * t0, interval i ends at times[i], the last one at t1. */
#include "solve/worker.h"

/* Start and end of an interval of the lane's sample. */
static double interval_begin(const cnf_worker *w, int32_t lane, int32_t interval) {
  return interval > 0 ? w->span.times[lane][interval - 1] : w->span.t0[lane];
}
static double interval_end(const cnf_worker *w, const cnf_call *call, int32_t lane, int32_t interval) {
  return interval < call->time_count ? w->span.times[lane][interval] : w->span.t1[lane];
}

/* NaN at the output times of samples [first, first + count) of the call: they stay at times that are not reached. */
static void clear_times(const cnf_call *call, int64_t first, int64_t count) {
  const cnf_solve_output *out = call->output;
  const size_t times = (size_t)call->time_count, D = (size_t)call->solver->model.program->state_dim;
  const size_t begin = (size_t)first * times, end = (size_t)(first + count) * times;
  for (size_t i = begin * D; out && out->x_at && i < end * D; i++) ((real *)out->x_at)[i] = (real)NAN;
  for (size_t i = begin; out && out->log_det_at && i < end; i++) out->log_det_at[i] = NAN;
}

/* Continuous adjoint: where the state of sample s of the chunk at an output time is kept. */
static real *state_at_time(const cnf_worker *w, const cnf_call *call, int64_t s, int32_t interval) {
  const cnf_engine *solver = call->solver;
  return w->store.states +
         ((size_t)interval * (size_t)solver->capacity.chunk + (size_t)s) * (size_t)solver->record_rows;
}

/* The lane's sample is at the end of its interval, an output time, and goes on in the next one. */
static void cross_output_time(cnf_worker *w, const cnf_call *call, int64_t first, int32_t lane) {
  WORKER_NAMES(w);
  const cnf_solve_output *out = call->output;
  const int32_t interval = w->lane.interval[lane]++;
  const size_t place = (size_t)(first + w->lane.sample[lane]) * (size_t)call->time_count + (size_t)interval;
  if (out && out->x_at) column_out(D, lanes, w->step.x, lane, (real *)out->x_at + place * (size_t)D);
  if (out && out->log_det_at) out->log_det_at[place] = w->lane.integral[0][lane];
  /* the backward pass solves x from here, unless it has the forward path */
  if (call->loss && call->solver->options.adjoint == CNF_ADJOINT_CONTINUOUS && !call->keeps_path)
    column_out(D, lanes, w->step.x, lane, state_at_time(w, call, w->lane.sample[lane], interval));
}
