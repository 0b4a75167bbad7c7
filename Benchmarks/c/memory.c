/* memory.c - peak memory and time of one gradient, by how it is differentiated and by the number of steps.
 *
 *     memory WAY STEPS fixed|adaptive
 *
 * Benchmarks/memory.py runs it once for each cell of a table. Backpropagation through the solver stores all that it
 * needs of every step; the continuous adjoint stores the state at the end; checkpoint schedules lie between. The field
 * is a net of [x, t] with two hidden layers of 64 tanh, D = 64, and 32 samples in float on one thread, with one probe a
 * sample. `fixed`: STEPS steps of rk4. `adaptive`: dopri5 with steps of at most 1/STEPS, and a tolerance that needs no
 * shorter ones. The reversible adjoint uses its own method, reversible_heun, in both.
 *
 * Prints a line of JSON. `bits` is a sum over the bits of every gradient: discrete gradients agree in it. The peak is
 * VmHWM on Linux, and 0 elsewhere.
 */
#define _POSIX_C_SOURCE 199309L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "benchmark.h"

enum { D = 64, HIDDEN = 64, BATCH = 32, OPS = 5 };
#define MEBIBYTE ((int64_t)1 << 20)

/* To add a way: a line here, and one in Benchmarks/memory.py. */
static const struct way {
  const char *name;
  int32_t adjoint, schedule, every;
  int64_t checkpoint_bytes, store_bytes;
} ways[] = {
    {"backpropagation", CNF_ADJOINT_DISCRETE, CNF_SCHEDULE_EVERY_STEP, 0, 0, INT64_MAX / 4}, /* all evaluations kept */
    {"every-step", CNF_ADJOINT_DISCRETE, CNF_SCHEDULE_EVERY_STEP, 0, 0, -1},
    {"every-32", CNF_ADJOINT_DISCRETE, CNF_SCHEDULE_EVERY_K, 32, 0, -1},
    {"automatic-16", CNF_ADJOINT_DISCRETE, CNF_SCHEDULE_AUTOMATIC, 0, 16 * MEBIBYTE, -1},
    {"binomial-1", CNF_ADJOINT_DISCRETE, CNF_SCHEDULE_BINOMIAL, 0, MEBIBYTE, -1},
    {"continuous", CNF_ADJOINT_CONTINUOUS, CNF_SCHEDULE_EVERY_STEP, 0, 0, -1},
    {"reversible", CNF_ADJOINT_REVERSIBLE, CNF_SCHEDULE_EVERY_STEP, 0, 0, -1}, /* of reversible_heun */
};

#define LINEAR(from, n, f) \
  { .kind = CNF_OP_LINEAR, .input = (from), .input2 = CNF_NO_BLOCK, .rows = (n), .activation = (f) }

/* VmHWM, in MB of 2^20 bytes. */
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

/* FNV-1a. */
static uint64_t add_bits(uint64_t sum, const void *memory, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) sum = (sum ^ ((const unsigned char *)memory)[i]) * 0x100000001b3u;
  return sum;
}

static float *draw(size_t count, uint32_t stream, float scale) {
  float *numbers = malloc(count * sizeof *numbers);
  if (!numbers) fprintf(stderr, "out of memory\n"), exit(EXIT_FAILURE);
  TRY(cnf_random_normal(CNF_FLOAT32, 1, stream, 0, 0, 1, count, numbers));
  for (size_t i = 0; i < count; ++i) numbers[i] *= scale;
  return numbers;
}

static cnf_solver *make_solver(const cnf_field *field, const struct way *way, int32_t steps, int is_fixed) {
  cnf_solver_options options;
  cnf_solver *solver;
  cnf_solver_options_init(&options, sizeof options);
  const int is_reversible = way->adjoint == CNF_ADJOINT_REVERSIBLE;
  options.method = cnf_method_find(is_reversible ? "reversible_heun" : is_fixed ? "rk4" : "dopri5");
  options.control = is_fixed ? CNF_CONTROL_FIXED : CNF_CONTROL_SAMPLE;
  options.steps = is_fixed ? steps : 0;
  options.max_steps = steps + 10;
  options.max_step = is_fixed ? 0 : 1.0 / steps;
  options.rtol = options.atol = 1e-2;
  options.trace = CNF_TRACE_HUTCHINSON;
  options.threads = 1;
  options.adjoint = way->adjoint, options.schedule = way->schedule;
  options.checkpoint_every = way->every, options.checkpoint_bytes = way->checkpoint_bytes;
  options.store_bytes = way->store_bytes < INT64_MAX / 4 ? way->store_bytes : (int64_t)steps * 4 * MEBIBYTE;
  TRY(cnf_solver_create(field, &options, &solver));
  return solver;
}

/* One gradient; prints the line. Returns 0 where a sample did not arrive. */
static int run(const cnf_field *field, cnf_solver *solver, const struct way *way) {
  static float x0_bar[BATCH * D];
  static double loss[BATCH];
  static int32_t accepted[BATCH];
  const size_t parameters = cnf_field_parameter_count(field);
  float *theta = draw(parameters, CNF_STREAM_INITIAL, 0.125f), *x0 = draw(BATCH * D, CNF_STREAM_DATA, 1);
  float *theta_bar = draw(parameters, CNF_STREAM_USER, 1);
  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = theta, .x0 = x0, .count = BATCH, .t0 = 1, .t1 = 0};
  const cnf_loss nll = {.struct_size = sizeof nll, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1.0 / BATCH};
  cnf_solve_output output = {.struct_size = sizeof output, .accepted = accepted};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = theta_bar, .x0 = x0_bar, .loss = loss};
  cnf_work work = {.struct_size = sizeof work};
  const double begin = now();
  TRY(cnf_solve_vjp(solver, &input, &nll, &output, &gradient));
  const double seconds = now() - begin;
  TRY(cnf_solver_get_work(solver, &work));
  double mean = 0, squares = 0, steps = 0;
  for (int i = 0; i < BATCH; ++i) mean += loss[i], steps += (double)accepted[i] / BATCH;
  for (size_t i = 0; i < parameters; ++i) squares += (double)theta_bar[i] * (double)theta_bar[i];
  uint64_t bits = add_bits(0xcbf29ce484222325u, theta_bar, parameters * sizeof *theta_bar);
  bits = add_bits(add_bits(bits, x0_bar, sizeof x0_bar), loss, sizeof loss);
  printf(
      "{\"way\": \"%s\", \"steps\": %.1f, \"seconds\": %.4f, \"peak_mb\": %.2f, \"made_again\": %.3f, \"loss\": %.7f, "
      "\"norm\": %.7g, \"bits\": \"%016llx\"}\n",
      way->name, steps, seconds, peak_memory(), work.steps ? (double)work.steps_repeated / (double)work.steps : 0, mean,
      sqrt(squares), (unsigned long long)bits);
  free(theta), free(x0), free(theta_bar);
  return isfinite(mean) && isfinite(squares);
}

int main(int argc, char **argv) {
  const int32_t steps = argc == 4 ? (int32_t)strtol(argv[2], NULL, 10) : 0;
  const struct way *way = NULL;
  for (size_t i = 0; argc == 4 && i < sizeof ways / sizeof ways[0]; ++i)
    if (strcmp(ways[i].name, argv[1]) == 0) way = &ways[i];
  if (!way || steps < 1) {
    fprintf(stderr, "usage: memory WAY STEPS fixed|adaptive, where WAY is one of");
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; ++i) fprintf(stderr, " %s", ways[i].name);
    fprintf(stderr, "\n");
    return EXIT_FAILURE;
  }
  const cnf_op ops[OPS] = {{.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},
                           {.kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1},
                           LINEAR(2, HIDDEN, CNF_ACTIVATION_TANH),
                           LINEAR(3, HIDDEN, CNF_ACTIVATION_TANH),
                           LINEAR(4, D, CNF_ACTIVATION_IDENTITY)};
  cnf_field *field;
  TRY(cnf_field_create(CNF_FLOAT32, D, ops, OPS, sizeof(cnf_op), &field));
  cnf_solver *solver = make_solver(field, way, steps, strcmp(argv[3], "fixed") == 0);
  const int ok = run(field, solver, way);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
