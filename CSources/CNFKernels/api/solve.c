/* The calls on a solver: checks of their arguments, then the solver of the field's dtype. */
#include "api/handles.h"
#include "api/sizes.h"
#include "host/float_mode.h"
#include "solve/methods/dense.h"
#include "solve/methods/families.h"
#include "solve/methods/tableau.h"
#include <float.h>
#include <math.h>

#define CNF_KEY_LIMIT ((uint64_t)1 << 44) /* of steps and sample ids in the keys of random numbers */

#define CNF_EQUAL_FRACTIONS (4 * DBL_EPSILON) /* how far step fractions may be from i/n, however they were computed */

static const cnf_family_rules *rules_of(const cnf_solver *s) {
  return cnf_family_rules_of(cnf_tableau_at(s->options.method)->family);
}

/* The trace that a gradient reverses. A discrete adjoint of steps that take the Jacobian reverses its tangents,
 * whatever the trace. */
static int32_t reversed_trace(const cnf_solver *s) {
  const int of_steps = s->options.adjoint != CNF_ADJOINT_CONTINUOUS;
  return rules_of(s)->jacobian && of_steps ? CNF_TRACE_EXACT_TANGENTS : s->trace;
}

static cnf_status check_fractions(const cnf_solver *s, const cnf_solve_input *in) {
  if (s->options.control != CNF_CONTROL_FIXED) return in->step_fractions ? CNF_ERROR_STEP_FRACTIONS : CNF_OK;
  if (!in->step_fractions) return s->options.steps > 0 ? CNF_OK : CNF_ERROR_OPTION;
  size_t n = in->step_fraction_count;
  const double *f = in->step_fractions;
  if (n < 2 || n - 1 > (size_t)cnf_record_capacity(&s->options) || f[0] != 0 || f[n - 1] != 1)
    return CNF_ERROR_STEP_FRACTIONS;
  for (size_t i = 1; i < n; i++)
    if (!(f[i] > f[i - 1])) return CNF_ERROR_STEP_FRACTIONS;
  if (!rules_of(s)->equal_steps) return CNF_OK;
  for (size_t i = 1; i < n; i++)
    if (fabs(f[i] - (double)i / (double)(n - 1)) > CNF_EQUAL_FRACTIONS) return CNF_ERROR_UNEQUAL_STEPS;
  return CNF_OK;
}

static double sample_t0(const cnf_solve_input *in, size_t i) { return in->t0s ? in->t0s[i] : in->t0; }
static double sample_t1(const cnf_solve_input *in, size_t i) { return in->t1s ? in->t1s[i] : in->t1; }

static int is_span(double t0, double t1) { return isfinite(t0) && isfinite(t1) && isfinite(t1 - t0); }

/* The common t0 and t1 are not read if all samples have their own. */
static cnf_status check_spans(const cnf_solve_input *in) {
  if (!in->t0s && !in->t1s) return is_span(in->t0, in->t1) ? CNF_OK : CNF_ERROR_TIME;
  for (size_t i = 0; i < in->count; i++)
    if (!is_span(sample_t0(in, i), sample_t1(in, i))) return CNF_ERROR_TIME;
  return CNF_OK;
}

/* Do output times run from t0 to t1? */
static int times_run(const double *times, size_t count, double t0, double t1) {
  const double direction = t1 < t0 ? -1 : 1;
  double before = t0;
  for (size_t i = 0; i < count; before = times[i++])
    if (!(direction * before <= direction * times[i] && direction * times[i] <= direction * t1)) return 0;
  return 1;
}

/* Every interval has at least one step; fixed steps are `steps` in each, and all of them are recorded. */
static cnf_status check_times(const cnf_solver *s, const cnf_solve_input *in) {
  const size_t capacity = (size_t)cnf_record_capacity(&s->options), count = in->time_count;
  const int32_t fixed = s->options.control == CNF_CONTROL_FIXED;
  size_t total;
  if (count == 0) return CNF_OK;
  if (!in->times && !in->sample_times) return CNF_ERROR_NULL;
  if (in->times && in->sample_times) return CNF_ERROR_OUTPUT_TIMES;
  /* lanes share slopes, which must be of equal steps; intervals of a sample's own are not equal */
  if (rules_of(s)->equal_steps && (in->t0s || in->t1s || in->sample_times)) return CNF_ERROR_OUTPUT_TIMES;
  if (in->step_fractions || s->options.control == CNF_CONTROL_BATCH) return CNF_ERROR_OUTPUT_TIMES;
  if (count >= capacity / (size_t)(fixed ? s->options.steps : 1)) return CNF_ERROR_OUTPUT_TIMES;
  if (__builtin_mul_overflow(in->count, count, &total) ||
      __builtin_mul_overflow(total, (size_t)s->program.state_dim * sizeof(double), &total) || total > PTRDIFF_MAX)
    return CNF_ERROR_SIZE;
  if (!in->t0s && !in->t1s && !in->sample_times)
    return times_run(in->times, count, in->t0, in->t1) ? CNF_OK : CNF_ERROR_OUTPUT_TIMES;
  for (size_t i = 0; i < in->count; i++)
    if (!times_run(in->sample_times ? in->sample_times + i * count : in->times, count, sample_t0(in, i),
                   sample_t1(in, i)))
      return CNF_ERROR_OUTPUT_TIMES;
  return CNF_OK;
}

/* Jump times rise. Steps end at them where each sample has adaptive steps that share no slope. */
static cnf_status check_jumps(const cnf_solver *s, const cnf_solve_input *in) {
  if (in->jump_time_count == 0) return CNF_OK;
  if (!in->jump_times) return CNF_ERROR_NULL;
  if (s->options.control != CNF_CONTROL_SAMPLE || rules_of(s)->carries_slope) return CNF_ERROR_JUMP_TIMES;
  if (in->jump_time_count > PTRDIFF_MAX / sizeof(double)) return CNF_ERROR_SIZE;
  for (size_t i = 0; i < in->jump_time_count; i++)
    if (!isfinite(in->jump_times[i]) || (i > 0 && !(in->jump_times[i] > in->jump_times[i - 1])))
      return CNF_ERROR_JUMP_TIMES;
  return CNF_OK;
}

/* An evaluation reads t0 alone: end times, output times and jump times are dropped. */
static cnf_status check_point(cnf_solve_input *in) {
  in->t1 = in->t0, in->t1s = in->t0s;
  in->times = in->sample_times = in->jump_times = NULL, in->time_count = in->jump_time_count = 0;
  return check_spans(in);
}

static cnf_status check_events(const cnf_solver *s, const cnf_solve_input *in, int with_gradient) {
  if (in->event_count == 0) return CNF_OK;
  if (!in->events) return CNF_ERROR_NULL;
  if (in->event_count > CNF_MOST_EVENTS) return CNF_ERROR_EVENT;
  for (size_t i = 0; i < in->event_count; i++) {
    const cnf_event *e = &in->events[i];
    if (e->struct_size != sizeof *e) return CNF_ERROR_STRUCT_SIZE;
    if (!e->evaluate || e->reserved || e->direction < CNF_DIRECTION_FALLING || e->direction > CNF_DIRECTION_RISING)
      return CNF_ERROR_EVENT;
    if (!isfinite(e->tolerance) || e->tolerance < 0) return CNF_ERROR_EVENT;
    if (with_gradient && !e->reverse) return CNF_ERROR_EVENT_REVERSE;
  }
  return s->options.control == CNF_CONTROL_BATCH ? CNF_ERROR_EVENT_METHOD : rules_of(s)->events;
}

static cnf_status check_input(const cnf_solver *s, const cnf_solve_input *in) {
  if (!s) return CNF_ERROR_NULL;
  if (!in->parameters && s->program.parameter_count > 0 && !s->is_bound) return CNF_ERROR_NULL;
  if (!in->x0 && in->count > 0) return CNF_ERROR_NULL;
  size_t per_sample = (size_t)s->program.state_dim * (size_t)s->options.probes * sizeof(double), total;
  if (__builtin_mul_overflow(in->count, per_sample, &total) || total > PTRDIFF_MAX) return CNF_ERROR_SIZE;
  const size_t context = (size_t)s->program.context_dim;
  if (in->count > 0 && (context > 0) != (in->context != NULL)) return CNF_ERROR_CONTEXT;
  if (__builtin_mul_overflow(in->count, context * sizeof(double), &total) || total > PTRDIFF_MAX) return CNF_ERROR_SIZE;
  if (in->reserved[0]) return CNF_ERROR_OPTION;
  if ((s->trace == CNF_TRACE_HUTCHINSON && !in->probes) || (in->dropout_active && s->program.mask_rows > 0)) {
    if (in->step >= CNF_KEY_LIMIT) return CNF_ERROR_SIZE;
    for (size_t i = 0; in->sample_ids && i < in->count; i++)
      if (in->sample_ids[i] >= CNF_KEY_LIMIT) return CNF_ERROR_SIZE;
  }
  return CNF_OK;
}

/* Of a solve: the samples' spans and their steps. */
static cnf_status check_steps(const cnf_solver *s, const cnf_solve_input *in) {
  if (s->options.control == CNF_CONTROL_BATCH && (in->t0s || in->t1s)) return CNF_ERROR_SPANS;
  cnf_status status = check_spans(in);
  if (!status) status = check_fractions(s, in);
  if (!status) status = check_times(s, in);
  return status ? status : check_jumps(s, in);
}

static cnf_status check_dense(const cnf_solver *s, const cnf_solve_input *in, const cnf_solve_output *out) {
  const cnf_interpolant interpolant = cnf_interpolant_of(cnf_tableau_at(s->options.method));
  size_t total = in->count;
  if (!out->dense) return CNF_OK;
  if (!out->dense_ends) return CNF_ERROR_NULL;
  if (out->dense_stride == 0 || __builtin_mul_overflow(total, out->dense_stride, &total) ||
      __builtin_mul_overflow(total, (size_t)interpolant.terms * ((size_t)s->program.state_dim + 1), &total) ||
      total > PTRDIFF_MAX / sizeof(double) - in->count)
    return CNF_ERROR_SIZE;
  return CNF_OK;
}

static cnf_status check_output(const cnf_solver *s, const cnf_solve_input *in, const cnf_solve_output *out) {
  size_t total;
  if (!cnf_knows_output_size(out->struct_size)) return CNF_ERROR_STRUCT_SIZE;
  if ((out->kinetic && !s->options.kinetic) || (out->frobenius && !s->options.frobenius)) return CNF_ERROR_REGULARISER;
  if (out->step_fractions &&
      (out->step_fraction_stride == 0 || __builtin_mul_overflow(in->count, out->step_fraction_stride, &total) ||
       total > PTRDIFF_MAX / sizeof(double)))
    return CNF_ERROR_SIZE;
  return check_dense(s, in, out);
}

static cnf_status check_loss(const cnf_solver *s, const cnf_loss *loss) {
  if (!isfinite(loss->kinetic) || !isfinite(loss->frobenius)) return CNF_ERROR_OPTION;
  if ((loss->kinetic != 0 && !s->options.kinetic) || (loss->frobenius != 0 && !s->options.frobenius))
    return CNF_ERROR_REGULARISER;
  switch (loss->kind) {
  case CNF_LOSS_COTANGENTS: return CNF_OK;
  case CNF_LOSS_NORMAL_NLL: return isfinite(loss->scale) ? CNF_OK : CNF_ERROR_OPTION;
  case CNF_LOSS_CALLBACK: return loss->function ? CNF_OK : CNF_ERROR_NULL;
  }
  return CNF_ERROR_LOSS;
}

/* Copies of the caller's structs. What an older caller's struct lacks is zero. */
static cnf_status copy_input(const cnf_solve_input *input, cnf_solve_input *whole) {
  if (!input) return CNF_ERROR_NULL;
  if (!cnf_knows_input_size(input->struct_size)) return CNF_ERROR_STRUCT_SIZE;
  memcpy(whole, input, input->struct_size);
  return CNF_OK;
}
static cnf_status copy_loss(const cnf_loss *loss, cnf_loss *whole) {
  if (!loss) return CNF_ERROR_NULL;
  if (!cnf_knows_loss_size(loss->struct_size)) return CNF_ERROR_STRUCT_SIZE;
  memcpy(whole, loss, loss->struct_size);
  return CNF_OK;
}
static cnf_status copy_gradient(const cnf_gradient *gradient, cnf_gradient *whole) {
  if (!gradient) return CNF_ERROR_NULL;
  if (!cnf_knows_gradient_size(gradient->struct_size)) return CNF_ERROR_STRUCT_SIZE;
  memcpy(whole, gradient, gradient->struct_size);
  return CNF_OK;
}

static cnf_status run(cnf_solver *s, const cnf_solve_input *in, const cnf_loss *loss, cnf_solve_output *out,
                      cnf_gradient *gradient) {
  cnf_solve_output whole = {0}; /* what an older caller's struct lacks is not written */
  if (out) memcpy(&whole, out, out->struct_size);
  out = out ? &whole : NULL;
  return s->f32 ? cnf_solver_run_f32(s->f32, in, loss, out, gradient)
                : cnf_solver_run_f64(s->f64, in, loss, out, gradient);
}

CNF_API cnf_status cnf_solve(cnf_solver *solver, const cnf_solve_input *input, cnf_solve_output *output) {
  CNF_IN_DEFAULT_FLOAT_MODE;
  cnf_solve_input in = {0};
  if (!output) return CNF_ERROR_NULL;
  cnf_status status = copy_input(input, &in);
  if (!status) status = check_input(solver, &in);
  if (!status) status = check_steps(solver, &in);
  if (!status) status = check_events(solver, &in, 0);
  if (!status) status = check_output(solver, &in, output);
  return status ? status : run(solver, &in, NULL, output, NULL);
}

CNF_API cnf_status cnf_solve_vjp(cnf_solver *solver, const cnf_solve_input *input, const cnf_loss *loss,
                                 cnf_solve_output *output, cnf_gradient *gradient) {
  CNF_IN_DEFAULT_FLOAT_MODE;
  cnf_solve_input in = {0};
  cnf_loss whole_loss = {0};
  cnf_gradient whole_gradient = {0};
  if (!loss || !gradient) return CNF_ERROR_NULL;
  cnf_status status = copy_input(input, &in);
  if (!status) status = check_input(solver, &in);
  if (!status) status = check_steps(solver, &in);
  if (!status) status = check_events(solver, &in, 1);
  if (!status && output) status = check_output(solver, &in, output);
  if (!status) status = copy_loss(loss, &whole_loss);
  if (!status) status = check_loss(solver, &whole_loss);
  if (!status) status = copy_gradient(gradient, &whole_gradient);
  if (!status) status = rules_of(solver)->gradients[solver->options.adjoint];
  if (!status) status = cnf_program_check_callbacks(&solver->program, reversed_trace(solver), 1);
  return status ? status : run(solver, &in, &whole_loss, output, &whole_gradient);
}

CNF_API cnf_status cnf_solver_evaluate(cnf_solver *solver, const cnf_solve_input *input, void *velocity,
                                       double *divergence) {
  CNF_IN_DEFAULT_FLOAT_MODE;
  cnf_solve_input in = {0};
  cnf_status status = copy_input(input, &in);
  if (!status) status = check_input(solver, &in);
  if (!status) status = check_point(&in);
  if (status || in.count == 0) return status;
  if (solver->f32)
    cnf_solver_run_evaluate_f32(solver->f32, &in, velocity, divergence);
  else
    cnf_solver_run_evaluate_f64(solver->f64, &in, velocity, divergence);
  return CNF_OK;
}

static cnf_status check_field_loss(const cnf_field_loss *loss) {
  switch (loss->kind) {
  case CNF_FIELD_LOSS_TARGET:
    if (!loss->target) return CNF_ERROR_NULL;
    return isfinite(loss->scale) ? CNF_OK : CNF_ERROR_OPTION;
  case CNF_FIELD_LOSS_CALLBACK: return loss->function ? CNF_OK : CNF_ERROR_NULL;
  }
  return CNF_ERROR_LOSS;
}

CNF_API cnf_status cnf_solver_evaluate_vjp(cnf_solver *solver, const cnf_solve_input *input, const void *velocity_bar,
                                           const double *divergence_bar, const cnf_field_loss *loss,
                                           cnf_gradient *gradient) {
  CNF_IN_DEFAULT_FLOAT_MODE;
  cnf_solve_input in = {0};
  cnf_field_loss whole_loss = {0};
  cnf_gradient whole_gradient = {0};
  cnf_status status = copy_input(input, &in);
  if (!status) status = check_input(solver, &in);
  if (!status) status = check_point(&in);
  if (!status && loss && !cnf_knows_field_loss_size(loss->struct_size)) status = CNF_ERROR_STRUCT_SIZE;
  if (!status && loss) memcpy(&whole_loss, loss, loss->struct_size);
  if (!status && loss) status = check_field_loss(&whole_loss);
  if (!status) status = copy_gradient(gradient, &whole_gradient);
  if (status) return status;
  const cnf_field_cotangents bars = {velocity_bar, divergence_bar, loss ? &whole_loss : NULL};
  const int reversed = cnf_field_cotangents_want_divergence(&bars, solver->trace);
  status = cnf_program_check_callbacks(&solver->program, reversed ? solver->trace : CNF_TRACE_NONE, 1);
  if (status) return status;
  return solver->f32 ? cnf_solver_run_evaluate_vjp_f32(solver->f32, &in, &bars, &whole_gradient)
                     : cnf_solver_run_evaluate_vjp_f64(solver->f64, &in, &bars, &whole_gradient);
}
