/* times_fixture.h - solves with output times, for the tests of their states and of their gradients. */
#ifndef CNF_TIMES_FIXTURE_H
#define CNF_TIMES_FIXTURE_H

#include "net_fixture.h"

enum { TIMES = 4 };

typedef struct setup {
  int32_t method, control, trace, threads;
  int64_t store_bytes;
  double tolerance;
} setup;

static inline cnf_solver *solver_of(const cnf_op *ops, int32_t op_count, setup how, cnf_solver_options more) {
  more.method = how.method, more.control = how.control, more.trace = how.trace;
  more.threads = how.threads, more.store_bytes = how.store_bytes;
  more.steps = more.steps ? more.steps : 3, more.rtol = more.atol = how.tolerance ? how.tolerance : 1e-4;
  return options_solver(ops, op_count, more);
}

static const cnf_solver_options nothing_more = {0};

/* The inputs and outputs of a call. The loss is a fixed linear function of states and log-determinants at the output
 * times and at t1, and of the regularisers if their coefficients are not 0. */
typedef struct call_data {
  int count, time_count;
  double t0, t1, times[MOST_STEPS];
  double theta[P], x0[COUNT * D];
  double x1_bar[COUNT * D], log_det_bar[COUNT], x_at_bar[COUNT * MOST_STEPS * D], log_det_at_bar[COUNT * MOST_STEPS];
  double kinetic_bar, frobenius_bar, kinetic[COUNT], frobenius[COUNT];
  double x1[COUNT * D], log_det[COUNT], x_at[COUNT * MOST_STEPS * D], log_det_at[COUNT * MOST_STEPS];
  double fractions[COUNT * (MOST_STEPS + 1)];
  int32_t status[COUNT], accepted[COUNT];
  double theta_bar[P], x0_bar[COUNT * D], t0_bar[COUNT], t1_bar[COUNT], times_bar[COUNT * MOST_STEPS];
} call_data;

static inline void fill(call_data *c, int count, double t0, double t1) {
  const double fractions[TIMES] = {0.11, 0.45, 0.52, 0.83};
  memset(c, 0, sizeof *c);
  c->count = count, c->time_count = TIMES, c->t0 = t0, c->t1 = t1;
  for (int i = 0; i < TIMES; ++i) c->times[i] = t0 + fractions[i] * (t1 - t0);
  for (int i = 0; i < P; ++i) c->theta[i] = 1.5 * noise(i + 1);
  for (int i = 0; i < count * D; ++i) c->x0[i] = 2 * noise(i + 100), c->x1_bar[i] = noise(i + 300);
  for (int i = 0; i < count; ++i) c->log_det_bar[i] = noise(i + 500);
  for (int i = 0; i < count * TIMES * D; ++i) c->x_at_bar[i] = noise(i + 700);
  for (int i = 0; i < count * TIMES; ++i) c->log_det_at_bar[i] = noise(i + 1300);
}

static inline cnf_solve_input input_of(const call_data *c) {
  return (cnf_solve_input){.struct_size = sizeof(cnf_solve_input),
                           .parameters = c->theta,
                           .x0 = c->x0,
                           .count = (size_t)c->count,
                           .t0 = c->t0,
                           .t1 = c->t1,
                           .seed = 5,
                           .times = c->times,
                           .time_count = (size_t)c->time_count};
}

static inline cnf_solve_output output_of(call_data *c) {
  return (cnf_solve_output){.struct_size = sizeof(cnf_solve_output),
                            .x1 = c->x1,
                            .log_det = c->log_det,
                            .kinetic = c->kinetic_bar != 0 ? c->kinetic : NULL,
                            .frobenius = c->frobenius_bar != 0 ? c->frobenius : NULL,
                            .status = c->status,
                            .accepted = c->accepted,
                            .step_fractions = c->fractions,
                            .step_fraction_stride = MOST_STEPS + 1,
                            .x_at = c->x_at,
                            .log_det_at = c->log_det_at};
}

static inline cnf_loss loss_of(const call_data *c) {
  return (cnf_loss){.struct_size = sizeof(cnf_loss),
                    .kind = CNF_LOSS_COTANGENTS,
                    .x1_bar = c->x1_bar,
                    .log_det_bar = c->log_det_bar,
                    .kinetic = c->kinetic_bar,
                    .frobenius = c->frobenius_bar,
                    .x_at_bar = c->x_at_bar,
                    .log_det_at_bar = c->log_det_at_bar};
}

static inline cnf_gradient gradient_of(call_data *c) {
  return (cnf_gradient){.struct_size = sizeof(cnf_gradient),
                        .parameters = c->theta_bar,
                        .x0 = c->x0_bar,
                        .t0 = c->t0_bar,
                        .t1 = c->t1_bar,
                        .times = c->times_bar};
}

static inline double solve(cnf_solver *solver, call_data *c) {
  const cnf_solve_input input = input_of(c);
  cnf_solve_output output = output_of(c);
  double sum = 0;
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  for (int i = 0; i < c->count * D; ++i) sum += c->x1_bar[i] * c->x1[i];
  for (int i = 0; i < c->count; ++i) sum += c->log_det_bar[i] * c->log_det[i];
  for (int i = 0; i < c->count; ++i) sum += c->kinetic_bar * c->kinetic[i] + c->frobenius_bar * c->frobenius[i];
  for (int i = 0; i < c->count * c->time_count * D; ++i) sum += c->x_at_bar[i] * c->x_at[i];
  for (int i = 0; i < c->count * c->time_count; ++i) sum += c->log_det_at_bar[i] * c->log_det_at[i];
  return sum;
}

static inline void differentiate(cnf_solver *solver, call_data *c) {
  const cnf_solve_input input = input_of(c);
  cnf_solve_output output = output_of(c);
  const cnf_loss loss = loss_of(c);
  cnf_gradient gradient = gradient_of(c);
  CHECK(cnf_solve_vjp(solver, &input, &loss, &output, &gradient) == CNF_OK);
}

/* f = A x with A = s I + w J has x(t) = e^{s t} R(w t) x(0), R being a rotation, and log-determinant 2 s t. */
static const double S = -0.4, W = 0.7;

static inline void fill_linear(call_data *c, int count, double t0, double t1) {
  const double theta[D * D + D] = {S, -W, W, S, 0, 0};
  fill(c, count, t0, t1);
  memcpy(c->theta, theta, sizeof theta);
}

#endif
