/* callback_training.c - trains a field of your own that is not a net: a sum of Gaussian bumps with a velocity each.
 *
 * f(x) = sum_k a_k phi_k(x), phi_k = exp(-|x - c_k|^2 / 2 s^2), with centres c_k on a grid and learned velocities a_k.
 * A callback gives f and its derivatives. The library solves, integrates the exact divergence, and differentiates the
 * negative log-likelihood (NLL) with respect to all a_k. The program trains on two clusters by gradient descent with
 * momentum, beginning with a field of zeros. The NLL of the best Gaussian is known in closed form. On new samples no
 * flow has a lower NLL than the entropy of the clusters. The program exits with 1 if a call fails, or if the NLL does
 * not fall well below that of the Gaussian.
 *
 *     cc -std=c11 callback_training.c -o callback_training $(pkg-config --cflags --libs cnf) -lm && ./callback_training
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cnf.h"

enum { D = 2, SIDE = 5, BUMPS = SIDE * SIDE, P = D * BUMPS, COUNT = 256, STEPS = 100 };
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

/* ---- The field: theta [BUMPS][D]. A panel has the first coordinates of all lanes, then the second ones.
 * --------------- */

/* What the callback needs. Several threads call it at once, so it only reads this. */
typedef struct grid {
  float centre[BUMPS][D], inverse_square; /* 1 / s^2 */
} grid;

/* phi_k at lane j, and d = (x - c_k) / s^2: dphi_k/dx = -phi_k d. */
typedef struct bump {
  float value, d[D];
} bump;

static bump bump_at(const grid *g, int32_t k, const float *x, int32_t j, int32_t lanes) {
  const float u = x[j] - g->centre[k][0], v = x[lanes + j] - g->centre[k][1];
  return (bump){expf(-0.5f * g->inverse_square * (u * u + v * v)), {g->inverse_square * u, g->inverse_square * v}};
}

static void bumps(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  const float *a = theta;
  float *rate = y;
  (void)t;
  for (int32_t j = 0; j < lanes; ++j) {
    rate[j] = rate[lanes + j] = 0;
    for (int32_t k = 0; k < BUMPS; ++k) {
      const float value = bump_at(context, k, x, j, lanes).value;
      rate[j] += a[D * k] * value;
      rate[lanes + j] += a[D * k + 1] * value;
    }
  }
}

/* y_dot = -sum_k a_k phi_k (d . x_dot). */
static void bumps_tangent(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                          const void *x_dot, void *y_dot) {
  const float *a = theta, *in = x_dot;
  float *out = y_dot;
  (void)t;
  for (int32_t j = 0; j < lanes; ++j) {
    out[j] = out[lanes + j] = 0;
    for (int32_t k = 0; k < BUMPS; ++k) {
      const bump b = bump_at(context, k, x, j, lanes);
      const float change = -b.value * (b.d[0] * in[j] + b.d[1] * in[lanes + j]);
      out[j] += a[D * k] * change;
      out[lanes + j] += a[D * k + 1] * change;
    }
  }
}

/* x_bar = -sum_k (a_k . y_bar) phi_k d. The cotangent of a_k is the sum of phi_k y_bar over all lanes. */
static void bumps_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                          const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  const float *a = theta, *bar = y_bar;
  float *out = x_bar, *a_bar = theta_bar;
  (void)t, (void)t_bar;
  for (int32_t k = 0; k < BUMPS; ++k)
    for (int32_t j = 0; j < lanes; ++j) {
      const bump b = bump_at(context, k, x, j, lanes);
      const float weight = -b.value * (a[D * k] * bar[j] + a[D * k + 1] * bar[lanes + j]);
      for (int32_t d = 0; d < D; ++d) {
        out[d * lanes + j] += weight * b.d[d];
        a_bar[D * k + d] += b.value * bar[d * lanes + j];
      }
    }
}

/* The derivatives of s = w . J x_dot = -sum_k (a_k . w) phi_k (d . x_dot), w = y_dot_bar. */
static void bumps_tangent_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                                  const void *x_dot, const void *y_dot_bar, void *x_bar, void *x_dot_bar, void *t_bar,
                                  void *theta_bar) {
  const float *a = theta, *in = x_dot, *w = y_dot_bar;
  float *out = x_bar, *out_dot = x_dot_bar, *a_bar = theta_bar;
  (void)t, (void)t_bar;
  const float inverse_square = ((const grid *)context)->inverse_square;
  for (int32_t k = 0; k < BUMPS; ++k)
    for (int32_t j = 0; j < lanes; ++j) {
      const bump b = bump_at(context, k, x, j, lanes);
      const float along = b.d[0] * in[j] + b.d[1] * in[lanes + j];
      const float weight = -b.value * (a[D * k] * w[j] + a[D * k + 1] * w[lanes + j]);
      for (int32_t d = 0; d < D; ++d) {
        out_dot[d * lanes + j] += weight * b.d[d];
        out[d * lanes + j] += weight * (inverse_square * in[d * lanes + j] - b.d[d] * along);
        a_bar[D * k + d] -= b.value * along * w[d * lanes + j];
      }
    }
}

/* The field copies the callback with its op. The context must outlive the solvers. */
static cnf_status make_field(grid *g, cnf_field **field) {
  const cnf_callback callback = {.struct_size = sizeof callback,
                                 .context = g,
                                 .parameter_count = P,
                                 .evaluate = bumps,
                                 .tangent = bumps_tangent,
                                 .reverse = bumps_reverse,
                                 .tangent_reverse = bumps_tangent_reverse};
  const cnf_op op = {
      .kind = CNF_OP_CALLBACK, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = D, .callback = &callback};
  for (int k = 0; k < BUMPS; ++k)
    g->centre[k][0] = (float)(k % SIDE) - SIDE / 2, g->centre[k][1] = (float)(k / SIDE) - SIDE / 2;
  g->inverse_square = 1;
  return cnf_field_create(CNF_FLOAT32, D, &op, 1, sizeof(cnf_op), field);
}

/* ---- Training -------------------------------------------------------------------------------------------------------
 * */

static const double CENTRE = 1.2, DEVIATION = 0.4;

/* x [COUNT][D]: half the samples around (-CENTRE, 0), half around (CENTRE, 0). */
static cnf_status make_data(float *x) {
  cnf_status status = cnf_random_normal(CNF_FLOAT32, SEED, CNF_STREAM_DATA, 0, 0, COUNT, D, x);
  for (size_t i = 0; status == CNF_OK && i < COUNT; ++i) {
    for (size_t d = 0; d < D; ++d) x[i * D + d] *= (float)DEVIATION;
    x[i * D] += (float)(i % 2 ? CENTRE : -CENTRE);
  }
  return status;
}

/* The mean NLL of these samples under the Gaussian with their mean and covariance: log(2 pi e) + log(det covariance) /
 * 2. */
static double gaussian_nll(const float *x) {
  double mean[D] = {0}, covariance[D][D] = {{0}};
  for (int i = 0; i < COUNT; ++i)
    for (int d = 0; d < D; ++d) mean[d] += x[i * D + d] / (double)COUNT;
  for (int i = 0; i < COUNT; ++i)
    for (int d = 0; d < D; ++d)
      for (int e = 0; e < D; ++e)
        covariance[d][e] += (x[i * D + d] - mean[d]) * (x[i * D + e] - mean[e]) / (double)COUNT;
  const double determinant = covariance[0][0] * covariance[1][1] - covariance[0][1] * covariance[1][0];
  return 1 + log(2 * 3.14159265358979323846) + 0.5 * log(determinant);
}

int main(void) {
  /* How far below the Gaussian the NLL must be. The entropy of the clusters, log(2 pi e) + log(DEVIATION^2) + log 2, is
   * 0.46 below. */
  const double margin = 0.2;
  int ok = 0;
  grid g;
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  float theta[P] = {0}, velocity[P] = {0}, slope[P], x[COUNT * D];
  double loss[COUNT];

  TRY(make_field(&g, &field));
  TRY(make_data(x));
  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options); /* exact trace: by tangents, as every callback needs */
  options.method = cnf_method_find("rk4");
  options.control = CNF_CONTROL_FIXED;
  options.steps = 4;
  TRY(cnf_solver_create(field, &options, &solver));

  /* from the data at t = 1 to the base at t = 0 */
  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = theta, .x0 = x, .count = COUNT, .t0 = 1, .t1 = 0};
  const cnf_loss nll = {.struct_size = sizeof nll, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1.0 / COUNT};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = slope, .loss = loss};
  double first = 0, last = 0;
  printf("step   mean NLL\n");
  for (int step = 0; step <= STEPS; ++step) {
    TRY(cnf_solve_vjp(solver, &input, &nll, NULL, &gradient));
    last = 0;
    for (int i = 0; i < COUNT; ++i) last += loss[i];
    if (step == 0) first = last;
    if (step % 25 == 0) printf("%4d   %8.5f\n", step, last);
    for (int p = 0; p < P && step < STEPS; ++p) {
      velocity[p] = 0.9f * velocity[p] - 0.2f * slope[p];
      theta[p] += velocity[p];
    }
  }
  const double gaussian = gaussian_nll(x);
  ok = last < first - margin && last < gaussian - margin;
  printf("\nNLL of the best Gaussian: %.5f; of %d trained velocities: %.5f: %s\n", gaussian, P, last,
         ok ? "ok" : "WRONG");
done:
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
