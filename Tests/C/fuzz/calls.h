/* calls.h - a solver with options, and every call on it with inputs and outputs, as the bytes say. */
#ifndef CNF_FUZZ_CALLS_H
#define CNF_FUZZ_CALLS_H

#include "bytes.h"

enum { MOST_SAMPLES = 40, MOST_TIMES = 4, MOST_DENSE = 3, MOST_FRACTIONS = 6 };

static inline cnf_solver_options fuzzed_options(bytes *b) {
  static const double tolerances[] = {1e-2, 1e-4, 1e-6, 1e-10};
  static const double lengths[] = {0, 0, 0, 0.1, 1e-3, 5};
  cnf_solver_options o;
  cnf_solver_options_init(&o, sizeof o);
  o.method = pick(b, (uint32_t)cnf_method_count() + 1);
  o.control = pick(b, 4);
  o.rtol = number(b, tolerances, 4), o.atol = number(b, tolerances, 4);
  o.initial_step = number(b, lengths, 6), o.min_step = number(b, lengths, 3), o.max_step = number(b, lengths, 6);
  o.max_steps = 1 + pick(b, 30);
  o.steps = pick(b, 6);
  o.trace = pick(b, 7), o.probe = pick(b, 3), o.probes = pick(b, 4);
  o.exclude_log_det = pick(b, 2), o.norm = pick(b, 2);
  o.threads = 1 + pick(b, 3);
  o.precision = once_in(b, 8);
  o.store_bytes = once_in(b, 2) ? -1 : (int64_t)take(b) * 1000;
  if (once_in(b, 4)) o.pcoeff = 0.4, o.icoeff = 0.3;
  o.kinetic = once_in(b, 4), o.frobenius = once_in(b, 4);
  o.order = pick(b, 14);
  o.adjoint = pick(b, 4);
  o.schedule = pick(b, 5), o.checkpoint_every = pick(b, 5);
  o.checkpoint_bytes = (int64_t)take(b) * 40;
  return o;
}

/* Arrays of a call; freed together. */
typedef struct arrays {
  void *memory[48];
  int count;
} arrays;

static inline void *keep(arrays *a, void *memory) {
  MUST(memory && a->count < (int)(sizeof a->memory / sizeof a->memory[0]));
  return a->memory[a->count++] = memory;
}
static inline void free_arrays(arrays *a) {
  while (a->count > 0) free(a->memory[--a->count]);
}
/* An output of `count` elements, now and then none. */
static inline void *output_array(arrays *a, bytes *b, size_t count, size_t size) {
  return once_in(b, 4) ? NULL : keep(a, malloc(count * size > 0 ? count * size : 1));
}

/* A circle, lane by lane: every dtype is read as bytes, so one function serves both. */
typedef struct circle {
  int32_t dtype, dim;
} circle;
static inline double state_at(const circle *c, const void *x, size_t i) {
  return c->dtype == CNF_FLOAT64 ? ((const double *)x)[i] : (double)((const float *)x)[i];
}
static inline void circle_evaluate(void *context, int32_t lanes, const double *t, const void *x, double *g) {
  const circle *c = context;
  for (int32_t j = 0; j < lanes; j++) {
    g[j] = -0.5 + 0.1 * t[j];
    for (int32_t d = 0; d < c->dim; d++) g[j] += pow(state_at(c, x, (size_t)(d * lanes + j)), 2);
  }
}
static inline void circle_reverse(void *context, int32_t lanes, const double *t, const void *x, void *g_x,
                                  double *g_t) {
  const circle *c = context;
  for (int32_t i = 0; i < c->dim * lanes; i++) {
    const double value = 2 * state_at(c, x, (size_t)i);
    if (c->dtype == CNF_FLOAT64)
      ((double *)g_x)[i] = value;
    else
      ((float *)g_x)[i] = (float)value;
  }
  for (int32_t j = 0; j < lanes; j++) g_t[j] = 0.1 + 0 * t[j];
}

/* A sum of the samples' rows; refuses once in a while. */
static inline int32_t sum_loss(void *context, size_t first, size_t count, const void *x1, const double *log_det,
                               const int32_t *status, double *loss, void *x1_bar, double *log_det_bar) {
  (void)first, (void)x1, (void)x1_bar;
  for (size_t i = 0; i < count; i++) {
    MUST(status[i] >= 0);
    loss[i] = log_det[i], log_det_bar[i] = 1;
  }
  return *(const int32_t *)context;
}

typedef struct call {
  int32_t dtype, dim;
  size_t count;
  cnf_solve_input in;
  cnf_solve_output out;
  cnf_loss loss;
  cnf_field_loss field_loss;
  cnf_gradient gradient;
  cnf_event event;
  circle circle;
  int32_t refuses;
} call;

static inline double *ordered_times(arrays *a, bytes *b, size_t count, double t0, double t1) {
  double *times = keep(a, malloc(count * sizeof *times + 1));
  for (size_t i = 0; i < count; i++)
    times[i] = once_in(b, 32) ? odd_number(b) : t0 + (double)(i + 1) / (double)(count + 1) * (t1 - t0);
  return times;
}

static inline void fill_input(call *c, arrays *a, bytes *b, const cnf_field *field, const cnf_solver_options *o) {
  static const double spans[] = {0, 1, -1, 0.5, 2, 10};
  const size_t context = (size_t)cnf_field_context_dim(field), probes = (size_t)(o->probes > 0 ? o->probes : 1);
  const size_t D = (size_t)c->dim;
  cnf_solve_input *in = &c->in;
  c->count = (size_t)pick(b, once_in(b, 4) ? MOST_SAMPLES : 5);
  in->struct_size = sizeof *in;
  in->count = c->count;
  in->parameters = keep(a, array(b, c->dtype, cnf_field_parameter_count(field), 0.5));
  in->x0 = keep(a, array(b, c->dtype, c->count * D, 1));
  in->t0 = number(b, spans, 6), in->t1 = number(b, spans, 6);
  in->seed = take(b), in->step = take(b);
  if (context && !once_in(b, 16)) in->context = keep(a, array(b, c->dtype, c->count * context, 1));
  if (once_in(b, 4)) in->probes = keep(a, array(b, c->dtype, c->count * probes * D, 1));
  if (once_in(b, 4)) in->t0s = keep(a, array(b, CNF_FLOAT64, c->count, 1));
  if (once_in(b, 4)) in->t1s = keep(a, array(b, CNF_FLOAT64, c->count, 1));
  if (once_in(b, 3)) {
    in->time_count = (size_t)pick(b, MOST_TIMES + 1);
    in->times = ordered_times(a, b, in->time_count, in->t0, in->t1);
  }
  if (once_in(b, 6)) {
    in->step_fraction_count = 2 + (size_t)pick(b, MOST_FRACTIONS - 1);
    double *fractions = ordered_times(a, b, in->step_fraction_count, 0, 1);
    fractions[0] = 0, fractions[in->step_fraction_count - 1] = 1;
    in->step_fractions = fractions;
  }
  c->circle = (circle){c->dtype, c->dim};
  c->event = (cnf_event){.struct_size = sizeof c->event,
                         .context = &c->circle,
                         .evaluate = circle_evaluate,
                         .reverse = once_in(b, 8) ? NULL : circle_reverse,
                         .direction = pick(b, 4) - 1};
  if (once_in(b, 3)) in->events = &c->event, in->event_count = 1;
  in->dropout_active = pick(b, 2);
}

static inline void fill_output(call *c, arrays *a, bytes *b, const cnf_solver_options *o) {
  const size_t real = c->dtype == CNF_FLOAT64 ? sizeof(double) : sizeof(float), n = c->count, D = (size_t)c->dim;
  const size_t times = c->in.time_count;
  cnf_solve_output *out = &c->out;
  cnf_method_info info = {.struct_size = sizeof info};
  out->struct_size = sizeof *out;
  out->x1 = output_array(a, b, n * D, real);
  out->log_det = output_array(a, b, n, sizeof(double));
  out->t_reached = output_array(a, b, n, sizeof(double));
  out->status = output_array(a, b, n, sizeof(int32_t));
  out->accepted = output_array(a, b, n, sizeof(int32_t));
  out->rejected = output_array(a, b, n, sizeof(int32_t));
  out->evaluations = output_array(a, b, n, sizeof(int32_t));
  out->adjoint_evaluations = output_array(a, b, n, sizeof(int32_t));
  out->event = output_array(a, b, n, sizeof(int32_t));
  out->smallest_step = output_array(a, b, n, sizeof(double));
  out->reconstruction_error = output_array(a, b, n, sizeof(double));
  out->x_at = output_array(a, b, n * times * D, real);
  out->log_det_at = output_array(a, b, n * times, sizeof(double));
  if (o->kinetic || once_in(b, 16)) out->kinetic = output_array(a, b, n, sizeof(double));
  if (o->frobenius || once_in(b, 16)) out->frobenius = output_array(a, b, n, sizeof(double));
  if (once_in(b, 3)) {
    out->step_fraction_stride = (size_t)pick(b, MOST_FRACTIONS);
    out->step_fractions = output_array(a, b, n * out->step_fraction_stride, sizeof(double));
  }
  if (once_in(b, 3) && cnf_method_get(o->method, &info) == CNF_OK) {
    out->dense_stride = (size_t)pick(b, MOST_DENSE);
    out->dense = output_array(a, b, n * out->dense_stride * (size_t)info.dense_terms * (D + 1), real);
    out->dense_ends = output_array(a, b, n * (out->dense_stride + 1), sizeof(double));
    out->dense_left_out = output_array(a, b, n, sizeof(int32_t));
  }
}

static inline void fill_gradient(call *c, arrays *a, bytes *b, const cnf_field *field, const cnf_solver_options *o) {
  const size_t real = c->dtype == CNF_FLOAT64 ? sizeof(double) : sizeof(float), n = c->count, D = (size_t)c->dim;
  const size_t times = c->in.time_count;
  cnf_gradient *g = &c->gradient;
  c->refuses = once_in(b, 16);
  c->loss = (cnf_loss){.struct_size = sizeof c->loss,
                       .kind = pick(b, 4),
                       .scale = 1,
                       .function = sum_loss,
                       .context = &c->refuses,
                       .kinetic = o->kinetic ? 0.1 : 0,
                       .frobenius = o->frobenius ? 0.1 : 0};
  if (c->loss.kind == CNF_LOSS_COTANGENTS) {
    c->loss.x1_bar = keep(a, array(b, c->dtype, n * D, 1));
    c->loss.log_det_bar = keep(a, array(b, CNF_FLOAT64, n, 1));
  }
  if (times && once_in(b, 2)) {
    c->loss.x_at_bar = keep(a, array(b, c->dtype, n * times * D, 1));
    c->loss.log_det_at_bar = keep(a, array(b, CNF_FLOAT64, n * times, 1));
  }
  if (c->in.event_count && once_in(b, 2)) c->loss.event_time_bar = keep(a, array(b, CNF_FLOAT64, n, 1));
  c->field_loss = (cnf_field_loss){.struct_size = sizeof c->field_loss,
                                   .kind = pick(b, 3),
                                   .scale = 1,
                                   .target = c->in.x0,
                                   .function = sum_loss,
                                   .context = &c->refuses};
  g->struct_size = sizeof *g;
  g->parameters = output_array(a, b, cnf_field_parameter_count(field), real);
  g->x0 = output_array(a, b, n * D, real);
  g->t0 = output_array(a, b, n, sizeof(double));
  g->t1 = output_array(a, b, n, sizeof(double));
  g->loss = output_array(a, b, n, sizeof(double));
  g->times = output_array(a, b, n * times, sizeof(double));
  g->context = output_array(a, b, n * (size_t)cnf_field_context_dim(field), real);
}

static inline void check_result(const call *c, const cnf_solve_output *out, cnf_status status) {
  MUST(strcmp(cnf_status_message(status), "unknown status") != 0);
  for (size_t i = 0; status == CNF_OK && out && out->status && i < c->count; i++)
    MUST(strcmp(cnf_sample_status_message(out->status[i]), "unknown sample status") != 0);
}

/* Creates a solver, and makes every call on it, a few times with inputs of their own. */
static inline void fuzz_calls(bytes *b, const cnf_field *field, int32_t dtype, int32_t dim) {
  const cnf_solver_options options = fuzzed_options(b);
  cnf_solver *solver = NULL;
  const cnf_status made = cnf_solver_create(field, &options, &solver);
  MUST((made == CNF_OK) == (solver != NULL));
  for (int i = 0; solver && i < 3 && (i == 0 || b->left > 0); i++) {
    call c = {.dtype = dtype, .dim = dim};
    arrays a = {.count = 0};
    fill_input(&c, &a, b, field, &options);
    fill_output(&c, &a, b, &options);
    fill_gradient(&c, &a, b, field, &options);
    void *velocity = output_array(&a, b, c.count * (size_t)dim, sizeof(double));
    double *divergence = output_array(&a, b, c.count, sizeof(double));
    check_result(&c, &c.out, cnf_solve(solver, &c.in, &c.out));
    cnf_solver_evaluate(solver, &c.in, velocity, divergence);
    cnf_solve_output *out = once_in(b, 4) ? NULL : &c.out;
    check_result(&c, out, cnf_solve_vjp(solver, &c.in, &c.loss, out, &c.gradient));
    cnf_solver_evaluate_vjp(solver, &c.in, c.in.x0, NULL, once_in(b, 2) ? NULL : &c.field_loss, &c.gradient);
    free_arrays(&a);
  }
  cnf_solver_destroy(solver);
}

#endif
