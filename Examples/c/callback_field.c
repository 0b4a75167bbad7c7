/* callback_field.c - a vector field of your own: a pendulum with friction, written in C, plus a small net of the
 * library.
 *
 * x = (angle, speed):  angle' = speed,  speed' = -g sin(angle) - c speed + net(x). The pendulum is a callback with two
 * parameters, g and c, and hand-written derivatives. The net and the sum are ops of the library. The program
 *   - sets the net to zero, and checks that the flow then shrinks volumes by e^(-c T);
 *   - differentiates a loss of end states and log-determinants with respect to all parameters, and checks the gradient
 *     against central differences.
 * It exits with 1 if a call or a check fails.
 *
 *     cc -std=c11 callback_field.c -o callback_field $(pkg-config --cflags --libs cnf) -lm && ./callback_field
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cnf.h"

enum { D = 2, HIDDEN = 8, COUNT = 5, PENDULUM = 2, P = PENDULUM + HIDDEN * (D + 1) + D * (HIDDEN + 1) };
static const double T = 2;

/* A failed call prints its message and ends the program, through the clean-up at the end of the function. */
#define TRY(call)                                                                      \
  do {                                                                                 \
    cnf_status status_ = (call);                                                       \
    if (status_ != CNF_OK) {                                                           \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, cnf_status_message(status_)); \
      goto done;                                                                       \
    }                                                                                  \
  } while (0)

/* ---- The pendulum: theta = (g, c). A panel has a row of angles, then a row of speeds, with one sample per lane.
 * ------- */

static void pendulum(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  const double *angle = x, *speed = angle + lanes, *g = theta, *c = g + 1;
  double *angle_rate = y, *speed_rate = angle_rate + lanes;
  (void)context, (void)t;
  for (int32_t j = 0; j < lanes; ++j) {
    angle_rate[j] = speed[j];
    speed_rate[j] = -*g * sin(angle[j]) - *c * speed[j];
  }
}

/* y_dot = J x_dot with J = [0, 1; -g cos(angle), -c]. */
static void pendulum_tangent(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                             const void *x_dot, void *y_dot) {
  const double *angle = x, *g = theta, *c = g + 1, *in = x_dot;
  double *out = y_dot;
  (void)context, (void)t;
  for (int32_t j = 0; j < lanes; ++j) {
    out[j] = in[lanes + j];
    out[lanes + j] = -*g * cos(angle[j]) * in[j] - *c * in[lanes + j];
  }
}

/* x_bar = J' y_bar. The cotangents of g and c are sums over all lanes. The field does not see t, so t_bar stays 0. */
static void pendulum_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                             const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  const double *angle = x, *speed = angle + lanes, *g = theta, *c = g + 1, *bar = y_bar;
  double *out = x_bar, *sums = theta_bar;
  (void)context, (void)t, (void)t_bar;
  for (int32_t j = 0; j < lanes; ++j) {
    const double speed_bar = bar[lanes + j];
    out[j] = -*g * cos(angle[j]) * speed_bar;
    out[lanes + j] = bar[j] - *c * speed_bar;
    sums[0] -= sin(angle[j]) * speed_bar;
    sums[1] -= speed[j] * speed_bar;
  }
}

/* The derivatives of s = y_dot_bar' J x_dot: only -g cos(angle) and -c vary. */
static void pendulum_tangent_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                                     const void *x_dot, const void *y_dot_bar, void *x_bar, void *x_dot_bar,
                                     void *t_bar, void *theta_bar) {
  const double *angle = x, *g = theta, *c = g + 1, *in = x_dot, *bar = y_dot_bar;
  double *out = x_bar, *out_dot = x_dot_bar, *sums = theta_bar;
  (void)context, (void)t, (void)t_bar;
  for (int32_t j = 0; j < lanes; ++j) {
    const double speed_bar = bar[lanes + j];
    out_dot[j] = -*g * cos(angle[j]) * speed_bar;
    out_dot[lanes + j] = bar[j] - *c * speed_bar;
    out[j] = *g * sin(angle[j]) * in[j] * speed_bar;
    sums[0] -= cos(angle[j]) * in[j] * speed_bar;
    sums[1] -= in[lanes + j] * speed_bar;
  }
}

/* pendulum(x) + net(x). The field copies the callback with its op. */
static cnf_status make_field(cnf_field **field) {
  const cnf_callback callback = {.struct_size = sizeof callback,
                                 .parameter_count = PENDULUM,
                                 .evaluate = pendulum,
                                 .tangent = pendulum_tangent,
                                 .reverse = pendulum_reverse,
                                 .tangent_reverse = pendulum_tangent_reverse};
  const cnf_op ops[] = {
      {.kind = CNF_OP_CALLBACK, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = D, .callback = &callback},
      {.kind = CNF_OP_LINEAR,
       .input = CNF_STATE,
       .input2 = CNF_NO_BLOCK,
       .rows = HIDDEN,
       .activation = CNF_ACTIVATION_TANH},
      {.kind = CNF_OP_LINEAR, .input = 2, .input2 = CNF_NO_BLOCK, .rows = D},
      {.kind = CNF_OP_ADD, .input = 1, .input2 = 3},
  };
  return cnf_field_create(CNF_FLOAT64, D, ops, sizeof ops / sizeof ops[0], sizeof(cnf_op), field);
}

/* The sum over samples of |x(T)|^2 / 2 - log_det, by its definition. */
static cnf_status total_loss(cnf_solver *solver, const double *theta, const double *x, double *loss, double *log_det) {
  double end[COUNT][D];
  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = theta, .x0 = x, .count = COUNT, .t0 = 0, .t1 = T};
  cnf_solve_output output = {.struct_size = sizeof output, .x1 = end, .log_det = log_det};
  const cnf_status status = cnf_solve(solver, &input, &output);
  *loss = 0;
  for (int i = 0; i < COUNT && status == CNF_OK; ++i)
    *loss += 0.5 * (end[i][0] * end[i][0] + end[i][1] * end[i][1]) - log_det[i];
  return status;
}

int main(void) {
  /* A central difference with step h has an error of about h^2 |L'''| / 6 + DBL_EPSILON |L| / h. With this h, and L and
   * L''' up to 100, each term is 2e-9. The check allows fifty times that. */
  const double h = cbrt(DBL_EPSILON) * 2, tolerance = 1e-7;
  int ok = 0;
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  double theta[P] = {9.81, 0.3}, gradient_theta[P], x[COUNT * D], log_det[COUNT], loss, above, below, worst = 0;

  TRY(make_field(&field));
  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options); /* exact trace: by tangents, as every callback needs */
  options.method = cnf_method_find("rk4");
  options.control = CNF_CONTROL_FIXED;
  options.steps = 40;
  TRY(cnf_solver_create(field, &options, &solver));
  TRY(cnf_random_normal(CNF_FLOAT64, 3, CNF_STREAM_DATA, 0, 0, COUNT, D, x));

  /* tr J = -c: for a constant divergence rk4 is exact, except for rounding */
  TRY(total_loss(solver, theta, x, &loss, log_det));
  for (int i = 0; i < COUNT; ++i) worst = fmax(worst, fabs(log_det[i] + theta[1] * T));
  printf("log |det| of the pendulum alone is -c T = %.3f, with an error of %.1e\n", -theta[1] * T, worst);
  if (!(worst < 1e-13)) goto done;

  TRY(cnf_random_normal(CNF_FLOAT64, 3, CNF_STREAM_INITIAL, 0, 0, 1, P - PENDULUM, theta + PENDULUM));
  for (int p = PENDULUM; p < P; ++p) theta[p] *= 0.3;
  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = theta, .x0 = x, .count = COUNT, .t0 = 0, .t1 = T};
  const cnf_loss nll = {.struct_size = sizeof nll, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = gradient_theta};
  TRY(cnf_solve_vjp(solver, &input, &nll, NULL, &gradient));

  printf("\nparameter      gradient   central difference   |difference|\n");
  worst = 0;
  for (int p = 0; p < P; ++p) {
    const double kept = theta[p];
    theta[p] = kept + h;
    TRY(total_loss(solver, theta, x, &above, log_det));
    theta[p] = kept - h;
    TRY(total_loss(solver, theta, x, &below, log_det));
    theta[p] = kept;
    const double central = (above - below) / (2 * h), difference = fabs(central - gradient_theta[p]);
    if (p < 4)
      printf("%9s %13.8f        %13.8f        %.1e\n",
             p == 0   ? "g"
             : p == 1 ? "c"
                      : "net",
             gradient_theta[p], central, difference);
    if (!(difference <= worst)) worst = difference; /* written so that a NaN is kept */
  }
  ok = worst <= tolerance;
  printf("\nlargest difference over %d parameters: %.1e, allowed %.1e: %s\n", P, worst, tolerance, ok ? "ok" : "WRONG");
done:
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
  return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
