/* callback_loss.c - trains a flow with a loss of your own.
 *
 * The library has the negative log-likelihood (NLL) under a standard normal base. Any other loss that is a sum over
 * samples is a callback: it reads solved samples, and writes each sample's loss and its derivatives. Here the base is a
 * logistic distribution, whose tails are heavier. The program
 *   - trains on two clusters by gradient descent with momentum;
 *   - checks that a small step down the gradient lowers the loss by what the gradient predicts;
 *   - shows how a callback reports failure.
 * It exits with 1 if a call or a check fails.
 *
 *     cc -std=c11 callback_loss.c -o callback_loss $(pkg-config --cflags --libs cnf) -lm && ./callback_loss
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cnf.h"

enum { D = 2, HIDDEN = 16, COUNT = 256, STEPS = 100 };
static const uint64_t SEED = 11;

/* A failed call prints its message and ends the program, through the clean-up at the end of the function. */
#define TRY(call)                                                                      \
  do {                                                                                 \
    cnf_status status_ = (call);                                                       \
    if (status_ != CNF_OK) {                                                           \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, cnf_status_message(status_)); \
      goto done;                                                                       \
    }                                                                                  \
  } while (0)

/* What the callback needs. Several threads call it at once, so it only reads this. */
typedef struct logistic_base {
  double scale; /* of each sample's loss: 1/COUNT makes the sum a mean */
} logistic_base;

/* scale * -(log p0(z) + log_det), where p0(z) is the product over d of e^-|z| / (1 + e^-|z|)^2.
 * d(-log p0)/dz = tanh(z/2). Failed samples are skipped: the library ignores what is written for them. */
static int32_t logistic_nll(void *context, size_t first, size_t count, const void *x1, const double *log_det,
                            const int32_t *status, double *loss, void *x1_bar, double *log_det_bar) {
  const logistic_base *base = context;
  const float *z = x1;   /* [count][D] */
  float *z_bar = x1_bar; /* [count][D] */
  (void)first;
  for (size_t i = 0; i < count; ++i) {
    if (status[i] != CNF_SAMPLE_OK) continue;
    double nll = -log_det[i];
    for (size_t d = 0; d < D; ++d) {
      const double value = z[i * D + d];
      nll += fabs(value) + 2 * log1p(exp(-fabs(value)));
      z_bar[i * D + d] = (float)(base->scale * tanh(value / 2));
    }
    loss[i] = base->scale * nll;
    log_det_bar[i] = -base->scale;
  }
  return 0;
}

/* A callback that fails: any result other than 0 ends the call with CNF_ERROR_CALLBACK. */
static int32_t refuse(void *context, size_t first, size_t count, const void *x1, const double *log_det,
                      const int32_t *status, double *loss, void *x1_bar, double *log_det_bar) {
  (void)context, (void)first, (void)count, (void)x1, (void)log_det, (void)status, (void)loss, (void)x1_bar,
      (void)log_det_bar;
  return 1;
}

/* A hidden layer of tanh over [x, t], one of softplus, and a linear layer. */
static cnf_status make_field(cnf_field **field) {
  const cnf_op ops[] = {
      {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},
      {.kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1},
      {.kind = CNF_OP_LINEAR, .input = 2, .input2 = CNF_NO_BLOCK, .rows = HIDDEN, .activation = CNF_ACTIVATION_TANH},
      {.kind = CNF_OP_LINEAR,
       .input = 3,
       .input2 = CNF_NO_BLOCK,
       .rows = HIDDEN,
       .activation = CNF_ACTIVATION_SOFTPLUS},
      {.kind = CNF_OP_LINEAR, .input = 4, .input2 = CNF_NO_BLOCK, .rows = D},
  };
  return cnf_field_create(CNF_FLOAT32, D, ops, sizeof ops / sizeof ops[0], sizeof(cnf_op), field);
}

/* x [COUNT][D]: half the samples around (-2, 0), half around (2, 0). */
static cnf_status make_data(float *x) {
  cnf_status status = cnf_random_normal(CNF_FLOAT32, SEED, CNF_STREAM_DATA, 0, 0, COUNT, D, x);
  for (size_t i = 0; status == CNF_OK && i < COUNT; ++i) {
    for (size_t d = 0; d < D; ++d) x[i * D + d] *= 0.5f;
    x[i * D] += i % 2 ? 2.0f : -2.0f;
  }
  return status;
}

static double sum(const double *values, size_t count) {
  double total = 0;
  for (size_t i = 0; i < count; ++i) total += values[i];
  return total;
}

int main(void) {
  int ok = 0;
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  float *theta = NULL, *velocity = NULL, *slope = NULL; /* [P] each */
  float x[COUNT * D];
  double loss[COUNT];

  TRY(make_field(&field));
  TRY(make_data(x));
  const size_t parameters = cnf_field_parameter_count(field);
  theta = malloc(parameters * sizeof *theta);
  velocity = calloc(parameters, sizeof *velocity);
  slope = malloc(parameters * sizeof *slope);
  if (!theta || !velocity || !slope) goto done;
  TRY(cnf_random_normal(CNF_FLOAT32, SEED, CNF_STREAM_INITIAL, 0, 0, 1, parameters, theta));
  for (size_t p = 0; p < parameters; ++p) theta[p] *= 0.25f;

  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  options.method = cnf_method_find("rk4");
  options.control = CNF_CONTROL_FIXED;
  options.steps = 8;
  TRY(cnf_solver_create(field, &options, &solver));

  logistic_base base = {.scale = 1.0 / COUNT};
  cnf_loss nll = {.struct_size = sizeof nll, .kind = CNF_LOSS_CALLBACK, .function = logistic_nll, .context = &base};
  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = theta, .x0 = x, .count = COUNT, .t0 = 1, .t1 = 0};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = slope, .loss = loss};

  double first_loss = 0, last_loss = 0;
  printf("step   mean NLL\n");
  for (int step = 0; step <= STEPS; ++step) {
    TRY(cnf_solve_vjp(solver, &input, &nll, NULL, &gradient));
    last_loss = sum(loss, COUNT);
    if (step == 0) first_loss = last_loss;
    if (step % 20 == 0) printf("%4d   %8.5f\n", step, last_loss);
    if (step == STEPS) break;
    for (size_t p = 0; p < parameters; ++p) {
      velocity[p] = 0.9f * velocity[p] + slope[p];
      theta[p] -= 0.02f * velocity[p];
    }
  }

  /* A step of -rate * slope should change the loss by -rate |slope|^2, up to terms in rate^2. The rate is chosen for a
   * change of 1e-4: large compared with float rounding, and so small that the curvature shows only in the second digit.
   * */
  double squared = 0;
  for (size_t p = 0; p < parameters; ++p) squared += (double)slope[p] * slope[p];
  const double predicted = 1e-4, rate = predicted / squared;
  for (size_t p = 0; p < parameters; ++p) theta[p] -= (float)(rate * slope[p]);
  TRY(cnf_solve_vjp(solver, &input, &nll, NULL, &gradient));
  const double observed = last_loss - sum(loss, COUNT);
  const int agrees = fabs(observed / predicted - 1) < 0.1;
  printf("\na small step down: predicted %.2e, observed %.2e: %s\n", predicted, observed, agrees ? "ok" : "WRONG");

  cnf_loss refused = nll;
  refused.function = refuse;
  const cnf_status status = cnf_solve_vjp(solver, &input, &refused, NULL, &gradient);
  printf("a callback that fails: %s\n", cnf_status_message(status));

  ok = agrees && last_loss < first_loss - 0.1 && status == CNF_ERROR_CALLBACK;
done:
  free(slope);
  free(velocity);
  free(theta);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
