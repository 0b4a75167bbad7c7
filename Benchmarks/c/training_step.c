/* training_step.c - the time of a training step: the mean NLL of a batch and its gradient, in float, by cnf_solve_vjp
 * alone.
 *
 *     training_step [threads [workload...]]      without arguments: all threads, all workloads
 *
 * Each workload is checked first: loss and gradient in float are compared with those in double. It then runs for about
 * 3 seconds. A line of JSON has the median and the quartiles of its runs. GFLOP/s are nominal: the multiply-adds of a
 * textbook evaluation with one probe (1 unit for the value, 1 for the tangent, twice that in reverse) divided by the
 * time, whatever the trace. Work that the library saves therefore shows as speed.
 */
#define _POSIX_C_SOURCE 199309L
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "benchmark.h"

typedef struct workload {
  const char *name;
  int32_t dim, hidden, layers; /* hidden layers */
  int32_t activation;
  size_t batch;
  const char *method;
  int32_t steps; /* fixed; 0: adaptive with `tolerance` */
  double tolerance;
  int32_t trace;
  int32_t precision;
} workload;

static const workload workloads[] = {
    {"W1-rk4", 2, 64, 3, CNF_ACTIVATION_TANH, 512, "rk4", 20, 0, CNF_TRACE_HUTCHINSON, 0},
    {"W1-rk4-mixed", 2, 64, 3, CNF_ACTIVATION_TANH, 512, "rk4", 20, 0, CNF_TRACE_HUTCHINSON, CNF_PRECISION_MIXED},
    {"W1-dopri5", 2, 64, 3, CNF_ACTIVATION_TANH, 512, "dopri5", 0, 1e-5, CNF_TRACE_HUTCHINSON, 0},
    {"W1-dopri5-exact", 2, 64, 3, CNF_ACTIVATION_TANH, 512, "dopri5", 0, 1e-5, CNF_TRACE_EXACT, 0},
    {"W2-rk4", 6, 60, 3, CNF_ACTIVATION_TANH, 10000, "rk4", 20, 0, CNF_TRACE_HUTCHINSON, 0},
    {"W2-dopri5", 6, 60, 3, CNF_ACTIVATION_TANH, 10000, "dopri5", 0, 1e-5, CNF_TRACE_HUTCHINSON, 0},
    {"W3-rk4", 43, 860, 2, CNF_ACTIVATION_TANH, 1000, "rk4", 20, 0, CNF_TRACE_HUTCHINSON, 0},
    {"W3-rk4-mixed", 43, 860, 2, CNF_ACTIVATION_TANH, 1000, "rk4", 20, 0, CNF_TRACE_HUTCHINSON, CNF_PRECISION_MIXED},
    {"W3-dopri5", 43, 860, 2, CNF_ACTIVATION_TANH, 1000, "dopri5", 0, 1e-5, CNF_TRACE_HUTCHINSON, 0},
    {"W3-dopri5-mixed", 43, 860, 2, CNF_ACTIVATION_TANH, 1000, "dopri5", 0, 1e-5, CNF_TRACE_HUTCHINSON,
     CNF_PRECISION_MIXED},
    {"W4-rk4", 784, 1024, 2, CNF_ACTIVATION_TANH, 256, "rk4", 20, 0, CNF_TRACE_HUTCHINSON, 0},
    {"W4-rk4-mixed", 784, 1024, 2, CNF_ACTIVATION_TANH, 256, "rk4", 20, 0, CNF_TRACE_HUTCHINSON, CNF_PRECISION_MIXED},
    {"W4-dopri5", 784, 1024, 2, CNF_ACTIVATION_TANH, 256, "dopri5", 0, 1e-5, CNF_TRACE_HUTCHINSON, 0},
    {"W4-dopri5-mixed", 784, 1024, 2, CNF_ACTIVATION_TANH, 256, "dopri5", 0, 1e-5, CNF_TRACE_HUTCHINSON,
     CNF_PRECISION_MIXED},
    {"W5-rk4", 43, 64, 2, CNF_ACTIVATION_TANH, 2048, "rk4", 20, 0, CNF_TRACE_HUTCHINSON, 0},
    {"W5-dopri5", 43, 64, 2, CNF_ACTIVATION_TANH, 2048, "dopri5", 0, 1e-5, CNF_TRACE_HUTCHINSON, 0},
    {"digits-rk4", 64, 128, 2, CNF_ACTIVATION_SOFTPLUS, 256, "rk4", 8, 0, CNF_TRACE_HUTCHINSON, 0},
    {"digits-rk4-exact", 64, 128, 2, CNF_ACTIVATION_SOFTPLUS, 256, "rk4", 8, 0, CNF_TRACE_EXACT, 0},
    {"odd-rk4", 13, 97, 2, CNF_ACTIVATION_TANH, 500, "rk4", 20, 0, CNF_TRACE_HUTCHINSON, 0},
    {"one-rk4", 1, 64, 2, CNF_ACTIVATION_TANH, 512, "rk4", 20, 0, CNF_TRACE_HUTCHINSON, 0},
    {"alone-rk4", 2, 64, 3, CNF_ACTIVATION_TANH, 1, "rk4", 20, 0, CNF_TRACE_HUTCHINSON, 0},
};

enum { MAX_LAYERS = 8, MAX_RUNS = 400, MIN_RUNS = 5 };
static const double SECONDS = 3; /* of timing, each */

/* Of all threads. On a busy machine this is the figure to trust. */
static double processor_time(void) {
  struct timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static int by_value(const void *a, const void *b) {
  const double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

/* A workload in one dtype: everything of a step, made once. */
typedef struct bench {
  int32_t dtype;
  cnf_field *field;
  cnf_solver *solver;
  size_t parameters, batch, dim;
  void *theta, *x0, *theta_bar;
  double *loss;
  int32_t *evaluations, *status;
} bench;

static double element(const bench *b, const void *array, size_t i) {
  return b->dtype == CNF_FLOAT32 ? ((const float *)array)[i] : ((const double *)array)[i];
}

static void set_element(const bench *b, void *array, size_t i, double value) {
  if (b->dtype == CNF_FLOAT32)
    ((float *)array)[i] = (float)value;
  else
    ((double *)array)[i] = value;
}

static bench make(const workload *w, int32_t dtype, int32_t precision, int32_t threads) {
  bench b = {.dtype = dtype, .batch = w->batch, .dim = (size_t)w->dim};
  cnf_op ops[MAX_LAYERS + 3] = {
      {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},
      {.kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1},
  };
  for (int32_t layer = 0; layer <= w->layers; ++layer) {
    const int is_last = layer == w->layers;
    ops[2 + layer] = (cnf_op){.kind = CNF_OP_LINEAR,
                              .input = 2 + layer,
                              .input2 = CNF_NO_BLOCK,
                              .rows = is_last ? w->dim : w->hidden,
                              .activation = is_last ? CNF_ACTIVATION_IDENTITY : w->activation};
  }
  TRY(cnf_field_create(dtype, w->dim, ops, w->layers + 3, sizeof(cnf_op), &b.field));

  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  options.method = cnf_method_find(w->method);
  options.control = w->steps ? CNF_CONTROL_FIXED : CNF_CONTROL_SAMPLE;
  options.steps = w->steps;
  options.rtol = options.atol = w->steps ? 1 : w->tolerance;
  options.trace = w->trace;
  options.threads = threads;
  options.precision = precision;
  TRY(cnf_solver_create(b.field, &options, &b.solver));

  b.parameters = cnf_field_parameter_count(b.field);
  const size_t size = dtype == CNF_FLOAT32 ? sizeof(float) : sizeof(double);
  b.theta = allocate(b.parameters, size), b.theta_bar = allocate(b.parameters, size);
  b.x0 = allocate(b.batch * b.dim, size);
  b.loss = allocate(b.batch, sizeof *b.loss);
  b.evaluations = allocate(b.batch, sizeof *b.evaluations), b.status = allocate(b.batch, sizeof *b.status);

  /* Drawn as floats, so that both dtypes start from the same numbers. Weights have variance 4/columns. */
  float *draws = allocate(b.parameters > b.batch * b.dim ? b.parameters : b.batch * b.dim, sizeof *draws);
  TRY(cnf_random_normal(CNF_FLOAT32, 1, CNF_STREAM_INITIAL, 0, 0, 1, b.parameters, draws));
  for (int32_t op = 2; op < w->layers + 3; ++op) {
    size_t weight;
    int32_t rows, columns;
    TRY(cnf_field_linear_layout(b.field, op, &weight, NULL, &rows, &columns));
    for (size_t i = weight; i < weight + (size_t)rows * (size_t)columns; ++i)
      set_element(&b, b.theta, i, (float)(2 * draws[i] / sqrt(columns)));
  }
  TRY(cnf_random_normal(CNF_FLOAT32, 1, CNF_STREAM_DATA, 0, 0, b.batch, b.dim, draws));
  for (size_t i = 0; i < b.batch * b.dim; ++i) set_element(&b, b.x0, i, draws[i]);
  free(draws);
  return b;
}

static void destroy(bench *b) {
  cnf_solver_destroy(b->solver);
  cnf_field_destroy(b->field);
  free(b->theta), free(b->theta_bar), free(b->x0), free(b->loss), free(b->evaluations), free(b->status);
}

/* One step; the result is the mean loss. */
static double step(bench *b) {
  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = b->theta, .x0 = b->x0, .count = b->batch, .t0 = 1, .t1 = 0};
  const cnf_loss nll = {.struct_size = sizeof nll, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1.0 / (double)b->batch};
  cnf_solve_output output = {.struct_size = sizeof output, .evaluations = b->evaluations, .status = b->status};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = b->theta_bar, .loss = b->loss};
  TRY(cnf_solve_vjp(b->solver, &input, &nll, &output, &gradient));
  double sum = 0;
  for (size_t i = 0; i < b->batch; ++i) sum += b->loss[i];
  return sum;
}

/* The relative error of the gradient in float, compared with double. Both use the same probes, which depend on their
 * key alone. Adaptive steps of the two differ a little, so results agree to about the tolerance and float's rounding
 * over about a hundred evaluations. In mixed precision a product has an error of up to 2^-9 for each of its operands; a
 * gradient goes through one product of tangents and one of cotangents for each hidden layer, and one of its own. */
static double check(const workload *w, bench *single, int32_t threads) {
  bench exact = make(w, CNF_FLOAT64, CNF_PRECISION_FULL, threads);
  const int is_mixed = w->precision == CNF_PRECISION_MIXED;
  const double bound = is_mixed ? (2 * w->layers + 1) * 2 * 0x1p-9 : 1e-3, loss_bound = is_mixed ? bound : 1e-4;
  const double loss_error = fabs(step(single) / step(&exact) - 1);
  double error = 0, norm = 0;
  for (size_t p = 0; p < exact.parameters; ++p) {
    const double value = element(&exact, exact.theta_bar, p),
                 difference = element(single, single->theta_bar, p) - value;
    error += difference * difference, norm += value * value;
  }
  error = sqrt(error / norm);
  for (size_t i = 0; i < single->batch; ++i)
    if (single->status[i] != CNF_SAMPLE_OK) error = NAN;
  if (!(loss_error < loss_bound && error < bound)) {
    fprintf(stderr, "%s: float and double disagree: loss by %.1e, gradient by %.1e\n", w->name, loss_error, error);
    exit(EXIT_FAILURE);
  }
  destroy(&exact);
  return error;
}

/* Multiply-adds of a textbook step, twice: 2 floating-point operations each. */
static double nominal_operations(const workload *w, const bench *b) {
  double products = 0, evaluations = 0;
  for (int32_t layer = 0; layer <= w->layers; ++layer)
    products += (layer ? w->hidden : w->dim + 1.0) * (layer < w->layers ? w->hidden : w->dim);
  for (size_t i = 0; i < b->batch; ++i) evaluations += b->evaluations[i];
  return evaluations * 2 * products * (2 + 4);
}

static void measure(const workload *w, int32_t threads) {
  static double times[MAX_RUNS], processor[MAX_RUNS];
  bench b = make(w, CNF_FLOAT32, w->precision, threads);
  const double error = check(w, &b, threads);

  int runs = 0;
  const double begin = now();
  while (runs < MAX_RUNS && (runs < MIN_RUNS || now() - begin < SECONDS)) {
    const double before = now(), used = processor_time();
    step(&b);
    processor[runs] = processor_time() - used;
    times[runs++] = now() - before;
  }
  qsort(times, (size_t)runs, sizeof times[0], by_value);
  qsort(processor, (size_t)runs, sizeof processor[0], by_value);

  cnf_solver_info info = {.struct_size = sizeof info};
  TRY(cnf_solver_get_info(b.solver, &info));
  cnf_work work = {.struct_size = sizeof work};
  TRY(cnf_solver_get_work(b.solver, &work));
  double evaluations = 0;
  for (size_t i = 0; i < b.batch; ++i) evaluations += b.evaluations[i] / (double)b.batch;
  const double median = times[runs / 2];
  printf("{\"workload\": \"%s\", \"isa\": \"%s\", \"threads\": %d, \"batch\": %zu, \"evaluations_mean\": %.1f, "
         "\"runs\": %d, \"ms_median\": %.3f, \"ms_quartiles\": [%.3f, %.3f], \"cpu_ms\": %.3f, \"steps_per_second\": "
         "%.2f, "
         "\"gradient_error\": %.1e, \"nominal_gflops\": %.1f, \"idle\": %.3f, \"idle_adjoint\": %.3f, "
         "\"steps_recomputed\": %.3f}\n",
         w->name, cnf_isa_name(info.isa), (int)info.threads, b.batch, evaluations, runs, 1e3 * median,
         1e3 * times[runs / 4], 1e3 * times[3 * runs / 4], 1e3 * processor[runs / 2], 1 / median, error,
         1e-9 * nominal_operations(w, &b) / median, (double)work.idle_evaluations / (double)work.evaluations,
         (double)work.idle_adjoint_evaluations / (double)work.adjoint_evaluations,
         (double)work.steps_recomputed / (double)work.steps);
  fflush(stdout);
  destroy(&b);
}

/* All workloads without a list; else those whose names begin with a word of it. */
static int is_wanted(const char *name, int count, char **words) {
  for (int i = 0; i < count; i++)
    if (strncmp(name, words[i], strlen(words[i])) == 0) return 1;
  return count <= 0;
}

int main(int argc, char **argv) {
  const int32_t threads = argc > 1 ? (int32_t)strtol(argv[1], NULL, 10) : 0;
  for (size_t i = 0; i < sizeof workloads / sizeof workloads[0]; ++i)
    if (is_wanted(workloads[i].name, argc - 2, argv + 2)) measure(&workloads[i], threads);
  return EXIT_SUCCESS;
}
