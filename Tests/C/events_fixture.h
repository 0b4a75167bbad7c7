/* events_fixture.h - solves with events, and their gradients, for the tests of events. */
#ifndef CNF_EVENTS_FIXTURE_H
#define CNF_EVENTS_FIXTURE_H

#include "net_fixture.h"

/* An event where g = c0 x0 + c1 x1 + square x0^2 + rate t - level is 0, for states in double or (single) float. */
typedef struct surface {
  double c0, c1, square, rate, level;
  int32_t single;
} surface;

static inline void surface_evaluate(void *context, int32_t lanes, const double *t, const void *x, double *g) {
  const surface *s = context;
  for (int32_t j = 0; j < lanes; ++j) {
    const double a = s->single ? (double)((const float *)x)[j] : ((const double *)x)[j];
    const double b = s->single ? (double)((const float *)x)[lanes + j] : ((const double *)x)[lanes + j];
    g[j] = s->c0 * a + s->c1 * b + s->square * a * a + s->rate * t[j] - s->level;
  }
}

static inline void surface_reverse(void *context, int32_t lanes, const double *t, const void *x, void *g_x,
                                   double *g_t) {
  const surface *s = context;
  double *to = g_x;
  (void)t;
  for (int32_t j = 0; j < lanes; ++j) {
    to[j] = s->c0 + 2 * s->square * ((const double *)x)[j];
    to[lanes + j] = s->c1;
    g_t[j] = s->rate;
  }
}

static inline cnf_event event_of(surface *s, int32_t direction) {
  return (cnf_event){.struct_size = sizeof(cnf_event),
                     .context = s,
                     .evaluate = surface_evaluate,
                     .reverse = surface_reverse,
                     .direction = direction};
}

typedef struct event_call {
  int count;
  double t0, t1;
  double theta[P], x0[COUNT * D], x1_bar[COUNT * D], log_det_bar[COUNT], time_bar[COUNT];
  double kinetic_bar, frobenius_bar, x_at_bar[COUNT * 4 * D];
  const double *input_fractions, *times;
  size_t input_fraction_count, time_count;
  double x1[COUNT * D], log_det[COUNT], t_reached[COUNT], fractions[COUNT * (MOST_STEPS + 1)], x_at[COUNT * 4 * D];
  double kinetic[COUNT], frobenius[COUNT];
  int32_t status[COUNT], accepted[COUNT], event[COUNT], evaluations[COUNT];
  double theta_bar[P], x0_bar[COUNT * D], t0_bar[COUNT], t1_bar[COUNT], loss[COUNT];
} event_call;

static inline void fill(event_call *c, int count, double t0, double t1) {
  memset(c, 0, sizeof *c);
  c->count = count, c->t0 = t0, c->t1 = t1;
  for (int i = 0; i < P; ++i) c->theta[i] = 0.8 * noise(i + 1);
  for (int i = 0; i < count * D; ++i) c->x0[i] = 0.6 * noise(i + 100), c->x1_bar[i] = noise(i + 300);
  for (int i = 0; i < count; ++i) c->log_det_bar[i] = noise(i + 500), c->time_bar[i] = noise(i + 700);
}

static inline cnf_solver *solver_of(const cnf_op *ops, int32_t op_count, cnf_solver_options more) {
  more.atol = more.rtol;
  return options_solver(ops, op_count, more);
}

static inline cnf_solve_input input_of(const event_call *c, const cnf_event *events, size_t event_count) {
  return (cnf_solve_input){.struct_size = sizeof(cnf_solve_input),
                           .parameters = c->theta,
                           .x0 = c->x0,
                           .count = (size_t)c->count,
                           .t0 = c->t0,
                           .t1 = c->t1,
                           .seed = 5,
                           .step_fractions = c->input_fractions,
                           .step_fraction_count = c->input_fraction_count,
                           .times = c->times,
                           .time_count = c->time_count,
                           .events = events,
                           .event_count = event_count};
}

static inline cnf_solve_output output_of(event_call *c) {
  return (cnf_solve_output){.struct_size = sizeof(cnf_solve_output),
                            .x1 = c->x1,
                            .log_det = c->log_det,
                            .kinetic = c->kinetic_bar != 0 ? c->kinetic : NULL,
                            .frobenius = c->frobenius_bar != 0 ? c->frobenius : NULL,
                            .t_reached = c->t_reached,
                            .status = c->status,
                            .accepted = c->accepted,
                            .evaluations = c->evaluations,
                            .step_fractions = c->fractions,
                            .step_fraction_stride = MOST_STEPS + 1,
                            .x_at = c->times ? c->x_at : NULL,
                            .event = c->event};
}

/* Solves and returns the loss: a fixed linear function of the states, log-determinants and times at which samples end,
 * of the regularisers, and of states at the output times that are reached. */
static inline double solve(cnf_solver *solver, event_call *c, const cnf_event *events, size_t event_count) {
  const cnf_solve_input input = input_of(c, events, event_count);
  cnf_solve_output output = output_of(c);
  double sum = 0;
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  for (int i = 0; i < c->count * D; ++i) sum += c->x1_bar[i] * c->x1[i];
  for (int i = 0; i < c->count; ++i) sum += c->log_det_bar[i] * c->log_det[i] + c->time_bar[i] * c->t_reached[i];
  for (int i = 0; i < c->count; ++i) sum += c->kinetic_bar * c->kinetic[i] + c->frobenius_bar * c->frobenius[i];
  for (int i = 0; i < c->count * (int)c->time_count * D; ++i)
    sum += isnan(c->x_at[i]) ? 0 : c->x_at_bar[i] * c->x_at[i];
  return sum;
}

static inline void differentiate(cnf_solver *solver, event_call *c, const cnf_event *events, size_t event_count) {
  const cnf_solve_input input = input_of(c, events, event_count);
  cnf_solve_output output = output_of(c);
  const cnf_loss loss = {.struct_size = sizeof loss,
                         .kind = CNF_LOSS_COTANGENTS,
                         .x1_bar = c->x1_bar,
                         .log_det_bar = c->log_det_bar,
                         .kinetic = c->kinetic_bar,
                         .frobenius = c->frobenius_bar,
                         .x_at_bar = c->times ? c->x_at_bar : NULL,
                         .event_time_bar = c->time_bar};
  cnf_gradient gradient = {
      .struct_size = sizeof gradient, .parameters = c->theta_bar, .x0 = c->x0_bar, .t0 = c->t0_bar, .t1 = c->t1_bar};
  CHECK_STATUS(CNF_OK, cnf_solve_vjp(solver, &input, &loss, &output, &gradient), "vjp with events");
}

static inline void check_near(double got, double expected, double tolerance, const char *what, int number, int line) {
  char detail[200];
  snprintf(detail, sizeof detail, "index %d: %.15g, expected %.15g", number, got, expected);
  check_count(fabs(got - expected) <= tolerance, what, detail, line);
}
#define NEAR(got, expected, tolerance, what, number) check_near(got, expected, tolerance, what, number, __LINE__)

#endif
