/* Start time, end time and output times of each sample, common or its own (t0s, t1s, sample_times). Compiled once
 * per dtype by solve/call/solver_f32.c and solver_f64.c. */
#include "solve/worker.h"

/* Of sample `number` of the call. */
static double sample_t0(const cnf_call *call, int64_t number) {
  return call->input->t0s ? call->input->t0s[number] : call->input->t0;
}
static double sample_t1(const cnf_call *call, int64_t number) {
  return call->input->t1s ? call->input->t1s[number] : call->input->t1;
}
static const double *sample_times(const cnf_call *call, int64_t number) {
  const cnf_solve_input *in = call->input;
  return in->sample_times ? in->sample_times + (size_t)number * in->time_count : in->times;
}

/* Does the sample make a step? With t0 = t1 it makes one of no length if there are output times, or if derivatives
 * by its times are asked for. */
static int has_steps(const cnf_call *call, int64_t number) {
  return call->steps > 0 || call->want_times || call->time_count > 0 ||
         sample_t0(call, number) != sample_t1(call, number);
}

/* Integrals over |dt| have slopes that change sign with the direction of time, as h does. Applies that sign to rows
 * [begin, end) of a panel [S]. */
static void turn_regularisers(const cnf_worker *w, int32_t begin, int32_t end, real *panel) {
  const int32_t lanes = w->e.model->kernels->lanes;
  for (int32_t r = begin; r < end; r++)
    for (int32_t j = 0; j < lanes; j++) PANEL(panel, r)[j] *= w->span.direction[j];
}
