/* bits_fixture.h - one case of bits.c: its inputs, and hashes of all outputs. */
#ifndef CNF_BITS_FIXTURE_H
#define CNF_BITS_FIXTURE_H

#include "callback_layer.h"
#include "ops_fixture.h"

/* SAMPLES is a prime that is larger than the lanes of every tile. */
enum { SAMPLES = 67, MOST_D = 4, MOST_C = 2, MOST_TIMES = 3, MOST_STEPS = 12, MOST_TERMS = 9, MOST_PROBES = 2 };

typedef struct bits_case {
  char name[96];
  const program *ops;
  int32_t dim, dtype;
  cnf_solver_options options;
  double t0, t1;
  int32_t timed, own_times, spans, stops, dense, fractions, ids, dropout, given_probes, broken;
  int32_t loss; /* cnf_loss_kind */
  layer *host;  /* the layer that a callback computes; NULL: the program has no callback */
} bits_case;

/* ---- Inputs: in double, and as the dtype of the field ------------------------------------------------------------ */

enum { MOST_NUMBERS = 4096 };

/* Numbers in (-scale, scale); the same for every case. They are rounded to float for CNF_FLOAT32. */
static inline void *numbers_of(int32_t dtype, void *room, int from, size_t count, double scale) {
  for (size_t i = 0; i < count; ++i) {
    const double value = scale * number_at(7 * (int)i + from);
    if (dtype == CNF_FLOAT64)
      ((double *)room)[i] = value;
    else
      ((float *)room)[i] = (float)value;
  }
  return room;
}

/* Writes infinity into the first row of sample 5, and a state that overflows into that of sample 40. */
static inline void break_samples(int32_t dtype, int32_t dim, void *x0) {
  for (int i = 0; i < 2; ++i) {
    const size_t at = (size_t)((i ? 40 : 5) * dim);
    if (dtype == CNF_FLOAT64)
      ((double *)x0)[at] = i ? 1e308 : INFINITY;
    else
      ((float *)x0)[at] = i ? 3e38f : INFINITY;
  }
}

/* An event: the first row rises through 0.3, or the time passes 0.55. `context` is the size of a number. */
static void crossing_evaluate(void *context, int32_t lanes, const double *t, const void *x, double *g) {
  (void)t;
  for (int32_t j = 0; j < lanes; ++j)
    g[j] = (*(const size_t *)context == sizeof(double) ? ((const double *)x)[j] : (double)((const float *)x)[j]) - 0.3;
}
static size_t crossing_rows;
static void crossing_reverse(void *context, int32_t lanes, const double *t, const void *x, void *g_x, double *g_t) {
  (void)t, (void)x;
  const size_t size = *(const size_t *)context;
  memset(g_x, 0, size * crossing_rows * (size_t)lanes);
  for (int32_t j = 0; j < lanes; ++j) {
    if (size == sizeof(double))
      ((double *)g_x)[j] = 1;
    else
      ((float *)g_x)[j] = 1;
    g_t[j] = 0;
  }
}
static void clock_evaluate(void *context, int32_t lanes, const double *t, const void *x, double *g) {
  (void)context, (void)x;
  for (int32_t j = 0; j < lanes; ++j) g[j] = t[j] - 0.55;
}
static void clock_reverse(void *context, int32_t lanes, const double *t, const void *x, void *g_x, double *g_t) {
  (void)t, (void)x;
  memset(g_x, 0, *(const size_t *)context * crossing_rows * (size_t)lanes);
  for (int32_t j = 0; j < lanes; ++j) g_t[j] = 1;
}

/* A loss by a callback: half the squared norm of x1, minus the log-determinant. */
static int32_t bits_loss(void *context, size_t first, size_t count, const void *x, const double *log_det,
                         const int32_t *status, double *loss, void *x_bar, double *log_det_bar) {
  const bits_case *c = context;
  (void)first, (void)status;
  for (size_t i = 0; i < count; ++i) {
    loss[i] = -log_det[i], log_det_bar[i] = -1;
    for (size_t d = 0; d < (size_t)c->dim; ++d) {
      const size_t at = i * (size_t)c->dim + d;
      const double value = c->dtype == CNF_FLOAT64 ? ((const double *)x)[at] : (double)((const float *)x)[at];
      loss[i] += value * value / 2;
      if (c->dtype == CNF_FLOAT64)
        ((double *)x_bar)[at] = value;
      else
        ((float *)x_bar)[at] = (float)value;
    }
  }
  return 0;
}

/* ---- Hashes ------------------------------------------------------------------------------------------------------ */

static inline void hash_bits(uint64_t *hash, uint64_t bits) {
  *hash = (*hash ^ bits) * UINT64_C(0x100000001b3);
  *hash ^= *hash >> 29;
}
/* All NaNs have the same hash, because an operation may return any of them. */
static inline void hash_doubles(uint64_t *hash, const double *x, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    uint64_t bits = UINT64_C(0x7ff8000000000000);
    if (!isnan(x[i])) memcpy(&bits, x + i, sizeof bits);
    hash_bits(hash, bits);
  }
}
static inline void hash_reals(uint64_t *hash, int32_t dtype, const void *x, size_t count) {
  if (dtype == CNF_FLOAT64) {
    hash_doubles(hash, x, count);
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    uint32_t bits = UINT32_C(0x7fc00000);
    if (!isnan(((const float *)x)[i])) memcpy(&bits, (const float *)x + i, sizeof bits);
    hash_bits(hash, bits);
  }
}
static inline void hash_integers(uint64_t *hash, const int32_t *x, size_t count) {
  for (size_t i = 0; i < count; ++i) hash_bits(hash, (uint32_t)x[i]);
}

/* ---- Outputs: arrays of doubles, which may hold floats ---------------------------------------------------------- */

typedef struct bits_outputs {
  double x1[SAMPLES * MOST_D], x_at[SAMPLES * MOST_TIMES * MOST_D], log_det_at[SAMPLES * MOST_TIMES];
  double log_det[SAMPLES], t_reached[SAMPLES], fractions[SAMPLES * (MOST_STEPS + 1)], smallest[SAMPLES];
  double kinetic[SAMPLES], frobenius[SAMPLES], reconstruction_error[SAMPLES];
  double dense[SAMPLES * MOST_STEPS * MOST_TERMS * (MOST_D + 1)], ends[SAMPLES * (MOST_STEPS + 1)];
  int32_t status[SAMPLES], accepted[SAMPLES], rejected[SAMPLES], evaluations[SAMPLES], adjoint_evaluations[SAMPLES];
  int32_t left_out[SAMPLES], event[SAMPLES];
} bits_outputs;

static inline int32_t dense_terms(const bits_case *c) {
  cnf_method_info info = {.struct_size = sizeof info};
  return cnf_method_get(c->options.method, &info) == CNF_OK ? info.dense_terms : 0;
}

static inline cnf_solve_output output_of(const bits_case *c, bits_outputs *o) {
  memset(o, 0, sizeof *o);
  return (cnf_solve_output){.struct_size = sizeof(cnf_solve_output),
                            .x1 = o->x1,
                            .log_det = o->log_det,
                            .t_reached = o->t_reached,
                            .status = o->status,
                            .accepted = o->accepted,
                            .rejected = o->rejected,
                            .evaluations = o->evaluations,
                            .step_fractions = o->fractions,
                            .step_fraction_stride = MOST_STEPS + 1,
                            .smallest_step = o->smallest,
                            .adjoint_evaluations = o->adjoint_evaluations,
                            .kinetic = c->options.kinetic ? o->kinetic : NULL,
                            .frobenius = c->options.frobenius ? o->frobenius : NULL,
                            .x_at = c->timed ? o->x_at : NULL,
                            .log_det_at = c->timed ? o->log_det_at : NULL,
                            .reconstruction_error = o->reconstruction_error,
                            .dense = c->dense ? o->dense : NULL,
                            .dense_ends = o->ends,
                            .dense_stride = MOST_STEPS,
                            .dense_left_out = o->left_out,
                            .event = o->event};
}

/* The outputs of a solve, including dense output and its values. */
static inline uint64_t hash_outputs(const bits_case *c, const bits_outputs *o) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  const size_t dim = (size_t)c->dim, count = SAMPLES;
  hash_reals(&hash, c->dtype, o->x1, count * dim);
  hash_reals(&hash, c->dtype, o->x_at, count * MOST_TIMES * dim);
  hash_doubles(&hash, o->log_det_at, count * MOST_TIMES);
  hash_doubles(&hash, o->log_det, count), hash_doubles(&hash, o->t_reached, count);
  hash_doubles(&hash, o->fractions, count * (MOST_STEPS + 1)), hash_doubles(&hash, o->smallest, count);
  hash_doubles(&hash, o->kinetic, count), hash_doubles(&hash, o->frobenius, count);
  hash_doubles(&hash, o->reconstruction_error, count), hash_doubles(&hash, o->ends, count * (MOST_STEPS + 1));
  hash_integers(&hash, o->status, count), hash_integers(&hash, o->accepted, count);
  hash_integers(&hash, o->rejected, count), hash_integers(&hash, o->evaluations, count);
  hash_integers(&hash, o->adjoint_evaluations, count), hash_integers(&hash, o->left_out, count);
  hash_integers(&hash, o->event, count);
  const int32_t terms = dense_terms(c);
  const cnf_dense dense = {.struct_size = sizeof dense,
                           .dtype = c->dtype,
                           .state_dim = c->dim,
                           .terms = terms,
                           .count = count,
                           .stride = MOST_STEPS,
                           .coefficients = o->dense,
                           .ends = o->ends};
  for (size_t i = 0; i < count && c->dense; i += 6) {
    const double length = c->t1 - c->t0, at[] = {c->t0 + 0.13 * length, c->t0 + 0.7 * length};
    double x[2 * MOST_D] = {0}, log_det[2] = {0};
    CHECK(cnf_dense_evaluate(&dense, i, at, 2, x, log_det) == CNF_OK);
    hash_reals(&hash, c->dtype, x, 2 * dim), hash_doubles(&hash, log_det, 2);
  }
  return hash;
}

/* ---- One case ---------------------------------------------------------------------------------------------------- */

typedef struct bits_inputs {
  double theta[MOST_PARAMETERS], x0[SAMPLES * MOST_D], context[SAMPLES * MOST_C];
  double probes[SAMPLES * MOST_PROBES * MOST_D], x1_bar[SAMPLES * MOST_D], x_at_bar[SAMPLES * MOST_TIMES * MOST_D];
  double log_det_bar[SAMPLES], log_det_at_bar[SAMPLES * MOST_TIMES], time_bar[SAMPLES];
  double t0s[SAMPLES], t1s[SAMPLES], sample_times[SAMPLES * MOST_TIMES], times[MOST_TIMES];
  uint64_t ids[SAMPLES];
  cnf_event events[2];
  size_t real_size;
} bits_inputs;

static inline void fill_inputs(const bits_case *c, bits_inputs *in) {
  static const double share[MOST_TIMES] = {0.25, 0.6, 1};
  const double length = c->t1 - c->t0;
  memset(in, 0, sizeof *in);
  numbers_of(c->dtype, in->theta, 3, MOST_PARAMETERS, 0.9);
  numbers_of(c->dtype, in->x0, 11, (size_t)(SAMPLES * c->dim), 1.2);
  if (c->broken) break_samples(c->dtype, c->dim, in->x0);
  numbers_of(c->dtype, in->context, 5, SAMPLES * MOST_C, 1);
  numbers_of(c->dtype, in->probes, 1, SAMPLES * MOST_PROBES * MOST_D, 1.5);
  numbers_of(c->dtype, in->x1_bar, 17, SAMPLES * MOST_D, 1);
  numbers_of(c->dtype, in->x_at_bar, 23, SAMPLES * MOST_TIMES * MOST_D, 1);
  numbers_of(CNF_FLOAT64, in->log_det_bar, 29, SAMPLES, 1);
  numbers_of(CNF_FLOAT64, in->log_det_at_bar, 31, SAMPLES * MOST_TIMES, 1);
  numbers_of(CNF_FLOAT64, in->time_bar, 37, SAMPLES, 1);
  for (int k = 0; k < MOST_TIMES; ++k) in->times[k] = c->t0 + share[k] * length;
  for (int i = 0; i < SAMPLES; ++i) {
    in->ids[i] = (uint64_t)(1000 - 7 * i);
    in->t0s[i] = c->spans ? c->t0 + 0.01 * i * length : c->t0;
    in->t1s[i] = c->spans && i % 5 == 0 ? c->t0 - 0.4 * length : c->t1;
    for (int k = 0; k < MOST_TIMES; ++k)
      in->sample_times[i * MOST_TIMES + k] = in->t0s[i] + share[k] * (in->t1s[i] - in->t0s[i]);
  }
  in->real_size = c->dtype == CNF_FLOAT64 ? sizeof(double) : sizeof(float);
  crossing_rows = (size_t)c->dim;
  in->events[0] = (cnf_event){.struct_size = sizeof(cnf_event),
                              .context = &in->real_size,
                              .evaluate = crossing_evaluate,
                              .reverse = crossing_reverse,
                              .direction = CNF_DIRECTION_RISING};
  in->events[1] = (cnf_event){.struct_size = sizeof(cnf_event),
                              .context = &in->real_size,
                              .evaluate = clock_evaluate,
                              .reverse = clock_reverse};
}

static inline cnf_solve_input solve_input_of(const bits_case *c, const bits_inputs *in) {
  static const double fractions[] = {0, 0.1, 0.3, 0.35, 0.8, 1};
  return (cnf_solve_input){.struct_size = sizeof(cnf_solve_input),
                           .parameters = in->theta,
                           .x0 = in->x0,
                           .count = SAMPLES,
                           .t0 = c->t0,
                           .t1 = c->t1,
                           .probes = c->given_probes ? in->probes : NULL,
                           .seed = 5,
                           .step = 3,
                           .sample_ids = c->ids ? in->ids : NULL,
                           .step_fractions = c->fractions ? fractions : NULL,
                           .step_fraction_count = c->fractions ? sizeof fractions / sizeof fractions[0] : 0,
                           .times = c->timed && !c->own_times ? in->times : NULL,
                           .time_count = c->timed ? MOST_TIMES : 0,
                           .t0s = c->spans ? in->t0s : NULL,
                           .t1s = c->spans ? in->t1s : NULL,
                           .sample_times = c->timed && c->own_times ? in->sample_times : NULL,
                           .events = c->stops ? in->events : NULL,
                           .event_count = c->stops ? 2 : 0,
                           .context = reads_context(c->ops) ? in->context : NULL,
                           .dropout_active = c->dropout};
}

/* Prints a column: the hash, or the status of a call that fails. */
static inline void print_hash(const char *what, cnf_status status, uint64_t hash) {
  if (status == CNF_OK)
    printf(" %s=%016llx", what, (unsigned long long)hash);
  else
    printf(" %s=refused-%d", what, (int)status);
}

/* Hashes of cnf_solve_vjp: outputs, the gradient with respect to theta and the losses, to states, and to times. */
static inline void print_gradients(const bits_case *c, cnf_solver *solver, const bits_inputs *in, size_t parameters) {
  static bits_outputs outputs;
  static double theta[MOST_PARAMETERS], x0[SAMPLES * MOST_D], context[SAMPLES * MOST_C], t0[SAMPLES], t1[SAMPLES];
  static double losses[SAMPLES], times[SAMPLES * MOST_TIMES];
  const size_t dim = (size_t)c->dim;
  const cnf_solve_input input = solve_input_of(c, in);
  cnf_solve_output output = output_of(c, &outputs);
  const int is_timed_loss = c->timed && c->loss == CNF_LOSS_COTANGENTS;
  const cnf_loss loss = {.struct_size = sizeof loss,
                         .kind = c->loss,
                         .scale = 0.5,
                         .x1_bar = in->x1_bar,
                         .log_det_bar = in->log_det_bar,
                         .function = bits_loss,
                         .context = (void *)(uintptr_t)c,
                         .kinetic = c->options.kinetic ? 0.3 : 0,
                         .frobenius = c->options.frobenius ? 0.2 : 0,
                         .x_at_bar = is_timed_loss ? in->x_at_bar : NULL,
                         .log_det_at_bar = is_timed_loss ? in->log_det_at_bar : NULL,
                         .event_time_bar = c->stops ? in->time_bar : NULL};
  memset(losses, 0, sizeof losses), memset(times, 0, sizeof times), memset(context, 0, sizeof context);
  cnf_gradient gradient = {.struct_size = sizeof gradient,
                           .parameters = theta,
                           .x0 = x0,
                           .t0 = t0,
                           .t1 = t1,
                           .loss = losses,
                           .times = c->timed ? times : NULL,
                           .context = reads_context(c->ops) ? context : NULL};
  const cnf_status status = cnf_solve_vjp(solver, &input, &loss, &output, &gradient);
  print_hash("vjp", status, status == CNF_OK ? hash_outputs(c, &outputs) : 0);
  if (status != CNF_OK) return;
  uint64_t hash = 0;
  hash_reals(&hash, c->dtype, theta, parameters), hash_doubles(&hash, losses, SAMPLES);
  print_hash("theta", status, hash);
  hash = 0;
  hash_reals(&hash, c->dtype, x0, SAMPLES * dim), hash_reals(&hash, c->dtype, context, SAMPLES * MOST_C);
  print_hash("x0", status, hash);
  hash = 0;
  hash_doubles(&hash, t0, SAMPLES), hash_doubles(&hash, t1, SAMPLES), hash_doubles(&hash, times, SAMPLES * MOST_TIMES);
  print_hash("times", status, hash);
}

/* Hashes of the values and the gradient of the field, without a solve. */
static inline void print_field(const bits_case *c, cnf_solver *solver, const bits_inputs *in, size_t parameters) {
  static double velocity[SAMPLES * MOST_D], divergence[SAMPLES], theta[MOST_PARAMETERS], x0[SAMPLES * MOST_D];
  static double t0[SAMPLES], losses[SAMPLES], context[SAMPLES * MOST_C];
  const size_t dim = (size_t)c->dim;
  const cnf_solve_input input = solve_input_of(c, in);
  uint64_t hash = 0;
  cnf_status status = cnf_solver_evaluate(solver, &input, velocity, divergence);
  hash_reals(&hash, c->dtype, velocity, SAMPLES * dim), hash_doubles(&hash, divergence, SAMPLES);
  print_hash("field", status, hash);
  memset(context, 0, sizeof context);
  const cnf_field_loss loss = {
      .struct_size = sizeof loss, .scale = 0.5, .target = in->x1_bar, .weights = in->log_det_bar};
  cnf_gradient gradient = {.struct_size = sizeof gradient,
                           .parameters = theta,
                           .x0 = x0,
                           .t0 = t0,
                           .loss = losses,
                           .context = reads_context(c->ops) ? context : NULL};
  status = cnf_solver_evaluate_vjp(solver, &input, in->x1_bar, in->log_det_bar, &loss, &gradient);
  hash = 0;
  if (status == CNF_OK) {
    hash_reals(&hash, c->dtype, theta, parameters), hash_reals(&hash, c->dtype, x0, SAMPLES * dim);
    hash_doubles(&hash, t0, SAMPLES), hash_doubles(&hash, losses, SAMPLES);
    hash_reals(&hash, c->dtype, context, SAMPLES * MOST_C);
  }
  print_hash("field-vjp", status, hash);
}

static inline cnf_status make_solver(const bits_case *c, cnf_solver **solver, size_t *parameters) {
  cnf_field *field = NULL;
  if (c->host) c->host->dtype = c->dtype;
  CHECK(cnf_field_create(c->dtype, c->dim, c->ops->ops, c->ops->count, sizeof(cnf_op), &field) == CNF_OK);
  *parameters = cnf_field_parameter_count(field);
  CHECK(*parameters <= MOST_PARAMETERS && dense_terms(c) <= MOST_TERMS);
  const cnf_status status = cnf_solver_create(field, &c->options, solver);
  cnf_field_destroy(field);
  return status;
}

/* Prints the line of the case. If the solver cannot be created, which does not depend on the instruction set, there is
 * only a line for the first one. */
static inline void print_case(const bits_case *c, int is_first) {
  static bits_inputs inputs;
  static bits_outputs outputs;
  cnf_solver *solver = NULL;
  size_t parameters = 0;
  const char *const dtype = c->dtype == CNF_FLOAT64 ? "f64" : "f32";
  cnf_status status = make_solver(c, &solver, &parameters);
  if (status != CNF_OK) {
    if (is_first) printf("%s %s refused-%d\n", c->name, dtype, (int)status);
    return;
  }
  printf("%s %s %s threads-%d", c->name, dtype, cnf_isa_name(c->options.isa), (int)c->options.threads);
  fill_inputs(c, &inputs);
  const cnf_solve_input input = solve_input_of(c, &inputs);
  cnf_solve_output output = output_of(c, &outputs);
  status = cnf_solve(solver, &input, &output);
  print_hash("solve", status, status == CNF_OK ? hash_outputs(c, &outputs) : 0);
  if (status == CNF_OK) print_gradients(c, solver, &inputs, parameters);
  print_field(c, solver, &inputs, parameters);
  printf("\n");
  cnf_solver_destroy(solver);
}

#endif
