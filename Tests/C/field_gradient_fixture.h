/* field_gradient_fixture.h - fields, and calls of cnf_solver_evaluate_vjp, for the tests of the gradient of a field. */
#ifndef CNF_FIELD_GRADIENT_FIXTURE_H
#define CNF_FIELD_GRADIENT_FIXTURE_H

#include <math.h>

#include "callback_layer.h"

enum { MOST_D = 11, MOST_P = 600, MOST = 400 };

#define LINEAR(from, n, f) \
  { .kind = CNF_OP_LINEAR, .input = (from), .input2 = CNF_NO_BLOCK, .rows = (n), .activation = (f) }
#define TIME_AND_STATE                                                    \
  {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK}, { \
    .kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1                \
  }

enum field_kind { SHALLOW, TWO_HIDDEN, CALLBACK, WIDE, LINEAR_ENDS, PLAIN_LINEAR, FIELD_KINDS };

static inline cnf_field *make_field(int kind, int32_t dtype, int32_t *dim) {
  static layer last = {.dtype = CNF_FLOAT64, .rows = 3, .cols = 6};
  const cnf_callback callback = layer_callback(&last);
  const int32_t d = *dim = kind == WIDE ? MOST_D : 3; /* WIDE: more tangents than are computed at once */
  const cnf_op shallow[] = {TIME_AND_STATE, LINEAR(2, 6, CNF_ACTIVATION_TANH), LINEAR(3, d, CNF_ACTIVATION_IDENTITY)};
  const cnf_op deep[] = {TIME_AND_STATE, LINEAR(2, 6, CNF_ACTIVATION_SOFTPLUS), LINEAR(3, 5, CNF_ACTIVATION_TANH),
                         LINEAR(4, d, CNF_ACTIVATION_IDENTITY)};
  const cnf_op called[] = {
      TIME_AND_STATE,
      LINEAR(2, 6, CNF_ACTIVATION_TANH),
      {.kind = CNF_OP_CALLBACK, .input = 3, .input2 = CNF_NO_BLOCK, .rows = d, .callback = &callback}};
  /* the first and the last layer are linear, and the state is added to the output */
  const cnf_op ends[] = {LINEAR(CNF_STATE, 4, CNF_ACTIVATION_IDENTITY),
                         LINEAR(1, 5, CNF_ACTIVATION_TANH),
                         LINEAR(2, d, CNF_ACTIVATION_IDENTITY),
                         {.kind = CNF_OP_ADD, .input = 3, .input2 = CNF_STATE}};
  const cnf_op linear[] = {LINEAR(CNF_STATE, d, CNF_ACTIVATION_IDENTITY)};
  const cnf_op *const programs[FIELD_KINDS] = {shallow, deep, called, shallow, ends, linear};
  const int32_t counts[FIELD_KINDS] = {4, 5, 4, 4, 4, 1};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(dtype, d, programs[kind], counts[kind], sizeof(cnf_op), &field) == CNF_OK);
  return field;
}

/* The inputs and outputs of a call, [count] of each. */
typedef struct call_data {
  int32_t dim;
  size_t count, parameters;
  double theta[MOST_P], x[MOST * MOST_D], t[MOST], velocity_bar[MOST * MOST_D], divergence_bar[MOST];
  uint64_t ids[MOST];
  double theta_bar[MOST_P], x_bar[MOST * MOST_D], t_bar[MOST], loss[MOST];
} call_data;

/* The i-th of a series of numbers in [-1, 1] that look random. */
static inline double noise(size_t i) { return sin(12.9898 * (double)i + 0.37 * (double)i * (double)i); }

static inline void fill(call_data *c, const cnf_field *field, int32_t dim, size_t count) {
  memset(c, 0, sizeof *c);
  c->dim = dim, c->count = count, c->parameters = cnf_field_parameter_count(field);
  CHECK(c->parameters <= MOST_P && count <= MOST && dim <= MOST_D);
  for (size_t i = 0; i < c->parameters; ++i) c->theta[i] = 0.8 * noise(i + 1);
  for (size_t i = 0; i < count * (size_t)dim; ++i) c->x[i] = 1.5 * noise(i + 100), c->velocity_bar[i] = noise(i + 5000);
  for (size_t i = 0; i < count; ++i)
    c->t[i] = noise(i + 9000), c->divergence_bar[i] = noise(i + 9500), c->ids[i] = 3 * i;
}

typedef struct setup {
  int32_t trace, threads, probes, kinetic, frobenius;
  const char *method; /* NULL: euler */
} setup;

/* Solves with one euler step, to compare gradients; evaluations of the field do not use the method. */
static inline cnf_solver *solver_of(const cnf_field *field, setup how) {
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  options.method = cnf_method_find(how.method ? how.method : "euler");
  options.control = CNF_CONTROL_FIXED, options.steps = 1, options.trace = how.trace;
  options.threads = how.threads ? how.threads : 1, options.probes = how.probes;
  options.kinetic = how.kinetic, options.frobenius = how.frobenius;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  return solver;
}

static inline cnf_solve_input input_of(const call_data *c) {
  return (cnf_solve_input){.struct_size = sizeof(cnf_solve_input),
                           .parameters = c->theta,
                           .x0 = c->x,
                           .count = c->count,
                           .t1 = NAN, /* ignored */
                           .seed = 5,
                           .sample_ids = c->ids,
                           .t0s = c->t};
}

static inline cnf_gradient gradient_of(call_data *c) {
  return (cnf_gradient){
      .struct_size = sizeof(cnf_gradient), .parameters = c->theta_bar, .x0 = c->x_bar, .t0 = c->t_bar, .loss = c->loss};
}

static inline cnf_status differentiate(cnf_solver *solver, call_data *c, int with_divergence,
                                       const cnf_field_loss *loss) {
  const cnf_solve_input input = input_of(c);
  cnf_gradient gradient = gradient_of(c);
  return cnf_solver_evaluate_vjp(solver, &input, c->velocity_bar, with_divergence ? c->divergence_bar : NULL, loss,
                                 &gradient);
}

/* Whether a solver of the field allows the trace: the product form works only for some programs. */
static inline int trace_fits(int kind, int32_t trace) {
  return trace != CNF_TRACE_EXACT_PRODUCT || (kind != CALLBACK && kind != LINEAR_ENDS);
}
static inline setup with_trace(int32_t trace) {
  return (setup){.trace = trace, .probes = trace == CNF_TRACE_HUTCHINSON ? 2 : 1};
}

#endif
