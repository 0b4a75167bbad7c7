/* first_gradient.c - the time to the first gradient, and the memory: one training step in a new process.
 *
 *     first_gradient D H1-H2-... BATCH fixed|adaptive THREADS
 *
 * This is what a program that embeds the library waits for. The caller measures time and memory of the process. The
 * field is an MLP of [x, t] with tanh between its layers, the trace one Rademacher probe a sample, and the method 20
 * steps of rk4 or dopri5 at 1e-5: the workloads of Benchmarks/peers, with random numbers of its own.
 *
 * Prints a line of JSON: the mean loss, and the peak memory of the process (on Linux; 0 elsewhere). What wait4 tells a
 * parent may include the parent's own memory at the fork.
 */
#define _POSIX_C_SOURCE 199309L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benchmark.h"

enum { MAX_LAYERS = 8, STEPS = 20 };
static const double TOLERANCE = 1e-5, GAIN = 2; /* weights are N(0, GAIN^2 / inputs) */

/* Rows of the layers, the last being D; returns how many, or 0 for text that is no list of numbers. */
static int32_t parse_layers(char *text, int32_t dim, int32_t rows[MAX_LAYERS]) {
  int32_t count = 0;
  for (char *word = strtok(text, "-"); word; word = strtok(NULL, "-")) {
    if (count == MAX_LAYERS - 1) return 0;
    rows[count] = (int32_t)strtol(word, NULL, 10);
    if (rows[count++] < 1) return 0;
  }
  rows[count] = dim;
  return count + 1;
}

static cnf_field *make_field(int32_t dim, const int32_t *rows, int32_t layers) {
  cnf_op ops[MAX_LAYERS + 2] = {
      {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},
      {.kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1},
  };
  for (int32_t layer = 0; layer < layers; ++layer)
    ops[2 + layer] = (cnf_op){.kind = CNF_OP_LINEAR,
                              .input = 2 + layer,
                              .input2 = CNF_NO_BLOCK,
                              .rows = rows[layer],
                              .activation = layer == layers - 1 ? CNF_ACTIVATION_IDENTITY : CNF_ACTIVATION_TANH};
  cnf_field *field;
  TRY(cnf_field_create(CNF_FLOAT32, dim, ops, layers + 2, sizeof(cnf_op), &field));
  return field;
}

static float *draw_parameters(const cnf_field *field, int32_t layers) {
  const size_t count = cnf_field_parameter_count(field);
  float *theta = allocate(count, sizeof *theta);
  TRY(cnf_random_normal(CNF_FLOAT32, 0, CNF_STREAM_INITIAL, 0, 0, 1, count, theta));
  for (int32_t op = 2; op < layers + 2; ++op) {
    size_t weight;
    int32_t rows, columns;
    TRY(cnf_field_linear_layout(field, op, &weight, NULL, &rows, &columns));
    for (size_t i = weight; i < weight + (size_t)rows * (size_t)columns; ++i) theta[i] *= (float)(GAIN / sqrt(columns));
  }
  return theta;
}

/* VmHWM, in MB. */
static double peak_memory(void) {
  FILE *file = fopen("/proc/self/status", "r");
  if (!file) return 0;
  char line[256];
  double kilobytes = 0;
  while (fgets(line, sizeof line, file))
    if (strncmp(line, "VmHWM:", 6) == 0) kilobytes = strtod(line + 6, NULL);
  fclose(file);
  return kilobytes / 1024;
}

int main(int argc, char **argv) {
  int32_t rows[MAX_LAYERS];
  const int32_t dim = argc > 5 ? (int32_t)strtol(argv[1], NULL, 10) : 0;
  const int32_t layers = argc > 5 ? parse_layers(argv[2], dim, rows) : 0;
  const size_t batch = argc > 5 ? strtoul(argv[3], NULL, 10) : 0;
  if (dim < 1 || layers == 0 || batch == 0) {
    fprintf(stderr, "usage: first_gradient D H1-H2-... BATCH fixed|adaptive THREADS\n");
    return EXIT_FAILURE;
  }
  const int is_fixed = strcmp(argv[4], "fixed") == 0;

  cnf_field *field = make_field(dim, rows, layers);
  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  options.method = cnf_method_find(is_fixed ? "rk4" : "dopri5");
  options.control = is_fixed ? CNF_CONTROL_FIXED : CNF_CONTROL_SAMPLE;
  options.steps = is_fixed ? STEPS : 0;
  options.rtol = options.atol = TOLERANCE;
  options.trace = CNF_TRACE_HUTCHINSON;
  options.threads = (int32_t)strtol(argv[5], NULL, 10);
  cnf_solver *solver;
  TRY(cnf_solver_create(field, &options, &solver));

  float *theta = draw_parameters(field, layers), *x0 = allocate(batch * (size_t)dim, sizeof *x0);
  float *theta_bar = allocate(cnf_field_parameter_count(field), sizeof *theta_bar);
  double *loss = allocate(batch, sizeof *loss), mean = 0;
  TRY(cnf_random_normal(CNF_FLOAT32, 0, CNF_STREAM_DATA, 0, 0, batch, (size_t)dim, x0));
  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = theta, .x0 = x0, .count = batch, .t0 = 0, .t1 = 1};
  const cnf_loss nll = {.struct_size = sizeof nll, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1.0 / (double)batch};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = theta_bar, .loss = loss};
  TRY(cnf_solve_vjp(solver, &input, &nll, NULL, &gradient));
  for (size_t i = 0; i < batch; ++i) mean += loss[i];
  printf("{\"loss\": %.6f, \"peak_mb\": %.1f}\n", mean, peak_memory());

  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
  free(theta), free(x0), free(theta_bar), free(loss);
  return isfinite(mean) ? EXIT_SUCCESS : EXIT_FAILURE;
}
