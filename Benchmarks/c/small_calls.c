/* small_calls.c - the time of calls with 1 to 16 samples: what a program waits for that asks for one answer at a time.
 *
 *     small_calls [threads [shape...]]      without arguments: 1 thread, all shapes
 *
 * Each line of JSON has a shape, a call and the smallest times in microseconds, for 1, 2, ... 16 samples. The calls:
 * `evaluate` (the field, no divergence), `solve` (dopri5 at 1e-5, exact divergence), `vjp` (the same, with the gradient
 * of the NLL) and `rk4` (a gradient of 8 equal steps, one probe). The smallest of many times, because a busy machine
 * only adds to them.
 */
#define _POSIX_C_SOURCE 199309L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benchmark.h"

typedef struct shape {
  const char *name;
  int32_t dtype, dim, hidden, layers, activation;
} shape;

static const shape shapes[] = {{"W1", CNF_FLOAT32, 2, 64, 3, CNF_ACTIVATION_TANH},
                               {"W5", CNF_FLOAT32, 43, 64, 2, CNF_ACTIVATION_TANH},
                               {"digits", CNF_FLOAT32, 64, 128, 2, CNF_ACTIVATION_SOFTPLUS},
                               {"middle", CNF_FLOAT32, 64, 256, 3, CNF_ACTIVATION_TANH},
                               {"wide", CNF_FLOAT32, 64, 1024, 2, CNF_ACTIVATION_TANH},
                               {"W1-double", CNF_FLOAT64, 2, 64, 3, CNF_ACTIVATION_TANH},
                               {"digits-double", CNF_FLOAT64, 64, 128, 2, CNF_ACTIVATION_SOFTPLUS}};

enum { MAX_LAYERS = 4, MOST_SAMPLES = 16, MOST_DIM = 64, MIN_RUNS = 5 };
static const double SECONDS = 0.15; /* of timing, for each number of samples */

typedef enum call_kind { CALL_EVALUATE, CALL_SOLVE, CALL_VJP, CALL_RK4, CALL_KINDS } call_kind;
static const char *const call_names[] = {"evaluate", "solve", "vjp", "rk4"};

static cnf_field *make_field(const shape *s) {
  cnf_op ops[MAX_LAYERS + 3] = {
      {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},
      {.kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1},
  };
  for (int32_t layer = 0; layer <= s->layers; ++layer)
    ops[2 + layer] = (cnf_op){.kind = CNF_OP_LINEAR,
                              .input = 2 + layer,
                              .input2 = CNF_NO_BLOCK,
                              .rows = layer == s->layers ? s->dim : s->hidden,
                              .activation = layer == s->layers ? CNF_ACTIVATION_IDENTITY : s->activation};
  cnf_field *field;
  TRY(cnf_field_create(s->dtype, s->dim, ops, s->layers + 3, sizeof(cnf_op), &field));
  return field;
}

/* Weights of variance 1 / columns; no biases. */
static void *draw_parameters(const shape *s, const cnf_field *field) {
  const size_t count = cnf_field_parameter_count(field);
  void *theta = calloc(count, sizeof(double));
  double *draws = calloc(count, sizeof *draws);
  if (!theta || !draws) exit(EXIT_FAILURE);
  TRY(cnf_random_normal(CNF_FLOAT64, 1, CNF_STREAM_INITIAL, 0, 0, 1, count, draws));
  for (int32_t op = 2; op < s->layers + 3; ++op) {
    size_t weight;
    int32_t rows, columns;
    TRY(cnf_field_linear_layout(field, op, &weight, NULL, &rows, &columns));
    for (size_t i = weight; i < weight + (size_t)rows * (size_t)columns; ++i)
      if (s->dtype == CNF_FLOAT32)
        ((float *)theta)[i] = (float)(draws[i] / sqrt(columns));
      else
        ((double *)theta)[i] = draws[i] / sqrt(columns);
  }
  free(draws);
  return theta;
}

static cnf_solver *make_solver(const cnf_field *field, call_kind kind, int32_t threads) {
  cnf_solver_options options;
  cnf_solver *solver;
  cnf_solver_options_init(&options, sizeof options);
  options.threads = threads;
  if (kind == CALL_RK4) {
    options.method = cnf_method_find("rk4");
    options.control = CNF_CONTROL_FIXED, options.steps = 8, options.trace = CNF_TRACE_HUTCHINSON;
  }
  TRY(cnf_solver_create(field, &options, &solver));
  return solver;
}

static void call(cnf_solver *solver, call_kind kind, const cnf_solve_input *input, void *theta_bar) {
  static double out[MOST_SAMPLES * MOST_DIM];
  static double log_det[MOST_SAMPLES];
  cnf_solve_output output = {.struct_size = sizeof output, .x1 = out, .log_det = log_det};
  const cnf_loss nll = {.struct_size = sizeof nll, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = theta_bar};
  if (kind == CALL_EVALUATE)
    TRY(cnf_solver_evaluate(solver, input, out, NULL));
  else if (kind == CALL_SOLVE)
    TRY(cnf_solve(solver, input, &output));
  else
    TRY(cnf_solve_vjp(solver, input, &nll, &output, &gradient));
}

static void measure(const shape *s, call_kind kind, int32_t threads) {
  cnf_field *field = make_field(s);
  cnf_solver *solver = make_solver(field, kind, threads);
  void *theta = draw_parameters(s, field), *theta_bar = calloc(cnf_field_parameter_count(field), sizeof(double));
  double x0[MOST_SAMPLES * MOST_DIM];
  if (!theta_bar) exit(EXIT_FAILURE);
  TRY(cnf_random_normal(s->dtype, 1, CNF_STREAM_DATA, 0, 0, MOST_SAMPLES, (size_t)s->dim, x0));
  cnf_solver_info info = {.struct_size = sizeof info};
  TRY(cnf_solver_get_info(solver, &info));
  printf("{\"shape\": \"%s\", \"call\": \"%s\", \"isa\": \"%s\", \"lanes\": %d, \"threads\": %d, \"us\": [", s->name,
         call_names[kind], cnf_isa_name(info.isa), (int)info.lanes, (int)threads);
  for (size_t count = 1; count <= MOST_SAMPLES; ++count) {
    const cnf_solve_input input = {
        .struct_size = sizeof input, .parameters = theta, .x0 = x0, .count = count, .t0 = 1, .t1 = 0};
    double least = INFINITY;
    const double begin = now();
    for (int run = 0; run < MIN_RUNS || now() - begin < SECONDS; ++run) {
      const double before = now();
      call(solver, kind, &input, theta_bar);
      least = fmin(least, now() - before);
    }
    printf("%s%.1f", count > 1 ? ", " : "", 1e6 * least);
  }
  printf("]}\n");
  fflush(stdout);
  free(theta), free(theta_bar);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* All shapes without a list; else those that it names. */
static int is_wanted(const char *name, int count, char **words) {
  for (int i = 0; i < count; ++i)
    if (strcmp(name, words[i]) == 0) return 1;
  return count <= 0;
}

int main(int argc, char **argv) {
  const int32_t threads = argc > 1 ? (int32_t)strtol(argv[1], NULL, 10) : 1;
  for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; ++i)
    for (call_kind kind = 0; kind < CALL_KINDS && is_wanted(shapes[i].name, argc - 2, argv + 2); ++kind)
      measure(&shapes[i], kind, threads);
  return EXIT_SUCCESS;
}
