/* first.c - densities and gradients of a continuous normalizing flow, in C.
 *
 * A flow carries samples along dx/dt = f(x, t; theta): from the base, a standard normal at t = 0, to the data at t = 1.
 * This program
 *   - builds f as a small neural network;
 *   - carries data back to the base, and prints the log-density of each sample;
 *   - differentiates the mean negative log-likelihood (NLL), and checks every component of the gradient against central
 *     differences.
 * It exits with 1 if a call or the check fails.
 *
 *     cc -std=c11 first.c -o first $(pkg-config --cflags --libs cnf) -lm && ./first
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cnf.h"

enum { D = 2, HIDDEN = 16, COUNT = 6 };
static const uint64_t SEED = 7;
static const double LOG_TWO_PI = 1.8378770664093454836;

/* Every call that can fail returns a status. If it is not CNF_OK, the call has not written its outputs. Here a failed
 * call prints its message and ends the program, through the clean-up at the end of the function. */
#define TRY(call)                                                                      \
  do {                                                                                 \
    cnf_status status_ = (call);                                                       \
    if (status_ != CNF_OK) {                                                           \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, cnf_status_message(status_)); \
      goto done;                                                                       \
    }                                                                                  \
  } while (0)

/* f(x, t): two hidden layers of tanh over [x, t]. Block 0 is the state; op i makes block i + 1. */
static cnf_status make_field(cnf_field **field) {
  const cnf_op ops[] = {
      {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},
      {.kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1},
      {.kind = CNF_OP_LINEAR, .input = 2, .input2 = CNF_NO_BLOCK, .rows = HIDDEN, .activation = CNF_ACTIVATION_TANH},
      {.kind = CNF_OP_LINEAR, .input = 3, .input2 = CNF_NO_BLOCK, .rows = HIDDEN, .activation = CNF_ACTIVATION_TANH},
      {.kind = CNF_OP_LINEAR, .input = 4, .input2 = CNF_NO_BLOCK, .rows = D},
  };
  const int32_t op_count = sizeof ops / sizeof ops[0];
  cnf_status status = cnf_field_create(CNF_FLOAT64, D, ops, op_count, sizeof(cnf_op), field);
  if (status != CNF_OK) {
    char why[160];
    cnf_field_explain(CNF_FLOAT64, D, ops, op_count, sizeof(cnf_op), why, sizeof why);
    fprintf(stderr, "%s\n", why);
  }
  return status;
}

/* theta [P]: normal weights of variance 1/(columns of their layer), biases 0. */
static cnf_status make_parameters(const cnf_field *field, double *theta) {
  const size_t count = cnf_field_parameter_count(field);
  cnf_status status = cnf_random_normal(CNF_FLOAT64, SEED, CNF_STREAM_INITIAL, 0, 0, 1, count, theta);
  for (int32_t op = 2; op <= 4 && status == CNF_OK; ++op) {
    size_t weight, bias;
    int32_t rows, columns;
    status = cnf_field_linear_layout(field, op, &weight, &bias, &rows, &columns);
    if (status != CNF_OK) break;
    for (int32_t i = 0; i < rows * columns; ++i) theta[weight + i] /= sqrt(columns);
    for (int32_t i = 0; i < rows; ++i) theta[bias + i] = 0;
  }
  return status;
}

/* log N(z; 0, I) of one sample z [D]. */
static double log_base_density(const double *z) {
  double sum = -0.5 * D * LOG_TWO_PI;
  for (int d = 0; d < D; ++d) sum -= 0.5 * z[d] * z[d];
  return sum;
}

/* Carries x [COUNT][D] from t = 1 to t = 0, each sample with steps of its own, and prints the results.
 * log p(x) = log p0(z) + log_det. Returns 1 on success. */
static int print_densities(const cnf_field *field, const double *theta, const double *x) {
  int ok = 0;
  cnf_solver *solver = NULL;
  double z[COUNT][D], log_det[COUNT];
  int32_t sample_status[COUNT], accepted[COUNT], rejected[COUNT];

  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options); /* dopri5, exact trace */
  options.rtol = options.atol = 1e-8;
  TRY(cnf_solver_create(field, &options, &solver));

  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = theta, .x0 = x, .count = COUNT, .t0 = 1, .t1 = 0};
  cnf_solve_output output = {.struct_size = sizeof output,
                             .x1 = z,
                             .log_det = log_det,
                             .status = sample_status,
                             .accepted = accepted,
                             .rejected = rejected};
  TRY(cnf_solve(solver, &input, &output));

  printf("         data x                 base z            log p(x)   steps  status\n");
  for (int i = 0; i < COUNT; ++i) {
    printf("%9.5f %9.5f    %9.5f %9.5f    %11.7f   %2d+%d   %s\n", x[i * D], x[i * D + 1], z[i][0], z[i][1],
           log_base_density(z[i]) + log_det[i], (int)accepted[i], (int)rejected[i],
           cnf_sample_status_message(sample_status[i]));
  }
  ok = 1;
done:
  cnf_solver_destroy(solver);
  return ok;
}

/* The mean NLL of x, by its definition. A solver serves any number of calls. */
static cnf_status mean_nll(cnf_solver *solver, const double *theta, const double *x, double *nll) {
  double z[COUNT][D], log_det[COUNT];
  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = theta, .x0 = x, .count = COUNT, .t0 = 1, .t1 = 0};
  cnf_solve_output output = {.struct_size = sizeof output, .x1 = z, .log_det = log_det};
  cnf_status status = cnf_solve(solver, &input, &output);
  if (status != CNF_OK) return status;
  *nll = 0;
  for (int i = 0; i < COUNT; ++i) *nll -= (log_base_density(z[i]) + log_det[i]) / COUNT;
  return CNF_OK;
}

/* Differentiates the mean NLL, and compares with central differences. Steps are fixed, so that both sides differentiate
 * the same function of theta. theta [P] is changed and restored. Returns 1 if the two agree. */
static int check_gradient(const cnf_field *field, double *theta, const double *x) {
  /* A central difference with step h has an error of about h^2 |L'''| / 6 from the truncated series and of
   * DBL_EPSILON |L| / h from rounding. With this h, and L and L''' of order 1, each is about 1e-10. The check allows a
   * thousand times that. */
  const double h = cbrt(DBL_EPSILON) * 2, tolerance = 1e-7;
  const size_t count = cnf_field_parameter_count(field);
  int ok = 0;
  cnf_solver *solver = NULL;
  double *gradient_theta = malloc(count * sizeof *gradient_theta);
  double loss[COUNT];
  if (!gradient_theta) goto done;

  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  options.method = cnf_method_find("rk4");
  options.control = CNF_CONTROL_FIXED;
  options.steps = 16;
  TRY(cnf_solver_create(field, &options, &solver));

  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = theta, .x0 = x, .count = COUNT, .t0 = 1, .t1 = 0};
  const cnf_loss nll = {.struct_size = sizeof nll, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1.0 / COUNT};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = gradient_theta, .loss = loss};
  TRY(cnf_solve_vjp(solver, &input, &nll, NULL, &gradient));

  double total = 0;
  for (int i = 0; i < COUNT; ++i) total += loss[i];
  printf("\nmean NLL %.10f nats\n", total);
  printf("\nparameter      gradient   central difference   |difference|\n");

  double worst = 0;
  for (size_t p = 0; p < count; ++p) {
    const double kept = theta[p];
    double above, below;
    theta[p] = kept + h;
    TRY(mean_nll(solver, theta, x, &above));
    theta[p] = kept - h;
    TRY(mean_nll(solver, theta, x, &below));
    theta[p] = kept;
    const double central = (above - below) / (2 * h), difference = fabs(central - gradient_theta[p]);
    if (p % (count / 8) == 0)
      printf("%9zu %13.9f        %13.9f        %.1e\n", p, gradient_theta[p], central, difference);
    if (!(difference <= worst)) worst = difference; /* written so that a NaN is kept */
  }
  ok = worst <= tolerance;
  printf("\nlargest difference over %zu parameters: %.1e, allowed %.1e: %s\n", count, worst, tolerance,
         ok ? "ok" : "WRONG");
done:
  cnf_solver_destroy(solver);
  free(gradient_theta);
  return ok;
}

int main(void) {
  int ok = 0;
  cnf_field *field = NULL;
  double *theta = NULL, x[COUNT * D];

  TRY(make_field(&field));
  theta = malloc(cnf_field_parameter_count(field) * sizeof *theta);
  if (!theta) goto done;
  TRY(make_parameters(field, theta));
  TRY(cnf_random_normal(CNF_FLOAT64, SEED, CNF_STREAM_DATA, 0, 0, COUNT, D, x));

  printf("cnf %s, instruction set %s\n\n", cnf_version(), cnf_isa_name(cnf_isa_best()));
  ok = print_densities(field, theta, x) && check_gradient(field, theta, x);
done:
  free(theta);
  cnf_field_destroy(field);
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
