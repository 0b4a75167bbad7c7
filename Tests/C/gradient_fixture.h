/* gradient_fixture.h - fields, and solves with gradients, with or without output times, for the tests of adjoints. */
#ifndef CNF_GRADIENT_FIXTURE_H
#define CNF_GRADIENT_FIXTURE_H

#include <math.h>

#include "fields_fixture.h"

/* COUNT: more samples than a tile of any instruction set */
enum { COUNT = 37, MOST_P = 600, MOST_TIMES = 12, MOST_FRACTIONS = 2048 };

/* The results of a solve and its gradient. */
typedef struct answer {
  double theta_bar[MOST_P], x0_bar[COUNT * MOST_D], t0_bar[COUNT], t1_bar[COUNT], loss[COUNT], x1[COUNT * MOST_D];
  double times_bar[COUNT * MOST_TIMES], log_det[COUNT], kinetic[COUNT], frobenius[COUNT];
  double x_at[COUNT * MOST_TIMES * MOST_D], log_det_at[COUNT * MOST_TIMES];
  double t_reached[COUNT];
  int32_t status[COUNT], accepted[COUNT], rejected[COUNT], reversed[COUNT];
} answer;

/* A field with parameters, samples, options and a loss. If `has_cotangents`, the cotangents of the loss are those of
 * this struct. With output times, the cotangents there are always those of this struct. */
typedef struct problem {
  cnf_field *field;
  int32_t dim;
  size_t parameters;
  double theta[MOST_P], x0[COUNT * MOST_D];
  cnf_solver_options options;
  cnf_loss loss;
  double t0, t1, times[MOST_TIMES];
  size_t time_count;
  double x1_bar[COUNT * MOST_D], log_det_bar[COUNT];
  double x_at_bar[COUNT * MOST_TIMES * MOST_D], log_det_at_bar[COUNT * MOST_TIMES];
  int has_cotangents;
  const double *fractions; /* step fractions for fixed steps; NULL for equal steps */
  size_t fraction_count;
} problem;

static inline problem problem_of(cnf_field *field, int32_t dim, double scale) {
  problem p = {.field = field, .dim = dim, .parameters = cnf_field_parameter_count(field), .t0 = 0.2, .t1 = 1.1};
  CHECK(p.parameters <= MOST_P && dim <= MOST_D);
  CHECK(cnf_random_normal(CNF_FLOAT64, 7, CNF_STREAM_INITIAL, 0, 0, 1, p.parameters, p.theta) == CNF_OK);
  CHECK(cnf_random_normal(CNF_FLOAT64, 7, CNF_STREAM_DATA, 0, 0, COUNT, (size_t)dim, p.x0) == CNF_OK);
  for (size_t i = 0; i < p.parameters; ++i) p.theta[i] *= scale;
  cnf_solver_options_init(&p.options, sizeof p.options);
  p.options.max_steps = 1 << 20;
  p.options.threads = 1;
  p.options.adjoint = CNF_ADJOINT_CONTINUOUS;
  p.loss = (cnf_loss){.struct_size = sizeof(cnf_loss), .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  return p;
}

/* The same for rodas4, with a maximum number of steps whose records fit into memory. */
static inline problem rodas4_problem_of(cnf_field *field, int32_t dim, double scale, int32_t trace) {
  problem p = problem_of(field, dim, scale);
  p.options.method = cnf_method_find("rodas4");
  p.options.trace = trace;
  p.options.max_steps = 1 << 14;
  return p;
}

/* The input and the loss for samples [first, first + count), each with its own id. */
static inline cnf_solve_input input_of(const problem *p, size_t first, size_t count, uint64_t ids[COUNT]) {
  for (size_t i = 0; i < count; ++i) ids[i] = first + i;
  return (cnf_solve_input){.struct_size = sizeof(cnf_solve_input),
                           .parameters = p->theta,
                           .x0 = p->x0 + first * (size_t)p->dim,
                           .count = count,
                           .t0 = p->t0,
                           .t1 = p->t1,
                           .seed = 5,
                           .sample_ids = ids,
                           .step_fractions = p->fractions,
                           .step_fraction_count = p->fraction_count,
                           .times = p->times,
                           .time_count = p->time_count};
}
static inline cnf_loss loss_of(const problem *p, size_t first) {
  const size_t dim = (size_t)p->dim, at = first * p->time_count;
  cnf_loss loss = p->loss;
  if (p->has_cotangents) loss.x1_bar = p->x1_bar + first * dim, loss.log_det_bar = p->log_det_bar + first;
  if (p->time_count > 0) loss.x_at_bar = p->x_at_bar + at * dim, loss.log_det_at_bar = p->log_det_at_bar + at;
  return loss;
}
static inline cnf_solve_output output_of(const problem *p, answer *a) {
  return (cnf_solve_output){.struct_size = sizeof(cnf_solve_output),
                            .x1 = a->x1,
                            .log_det = a->log_det,
                            .status = a->status,
                            .accepted = a->accepted,
                            .rejected = a->rejected,
                            .t_reached = a->t_reached,
                            .adjoint_evaluations = a->reversed,
                            .kinetic = p->options.kinetic ? a->kinetic : NULL,
                            .frobenius = p->options.frobenius ? a->frobenius : NULL,
                            .x_at = a->x_at,
                            .log_det_at = a->log_det_at};
}

static inline cnf_solver_info solve_some(const problem *p, size_t first, size_t count, answer *a) {
  cnf_solver *solver = NULL;
  cnf_solver_info info = {.struct_size = sizeof info};
  uint64_t ids[COUNT];
  memset(a, 0xA5, sizeof *a);
  CHECK(cnf_solver_create(p->field, &p->options, &solver) == CNF_OK);
  CHECK(cnf_solver_get_info(solver, &info) == CNF_OK);
  const cnf_solve_input input = input_of(p, first, count, ids);
  const cnf_loss loss = loss_of(p, first);
  cnf_solve_output output = output_of(p, a);
  cnf_gradient gradient = {.struct_size = sizeof gradient,
                           .parameters = a->theta_bar,
                           .x0 = a->x0_bar,
                           .t0 = a->t0_bar,
                           .t1 = a->t1_bar,
                           .loss = a->loss,
                           .times = a->times_bar};
  CHECK(cnf_solve_vjp(solver, &input, &loss, &output, &gradient) == CNF_OK);
  cnf_solver_destroy(solver);
  return info;
}
static inline cnf_solver_info solve_all(const problem *p, answer *a) { return solve_some(p, 0, COUNT, a); }

/* Sets irregular cotangents in [-1, 1], and output times at these fractions of the time interval. */
static inline void set_cotangents(problem *p, size_t time_count, const double *places) {
  const size_t dim = (size_t)p->dim;
  CHECK(time_count <= MOST_TIMES);
  p->has_cotangents = 1, p->time_count = time_count;
  p->loss.kind = CNF_LOSS_COTANGENTS;
  for (size_t i = 0; i < time_count; ++i) p->times[i] = places[i] == 1 ? p->t1 : p->t0 + places[i] * (p->t1 - p->t0);
  for (size_t i = 0; i < COUNT * dim; ++i) p->x1_bar[i] = sin(12.9898 * (double)i + 1);
  for (size_t i = 0; i < COUNT; ++i) p->log_det_bar[i] = sin(78.233 * (double)i + 2);
  for (size_t i = 0; i < COUNT * time_count * dim; ++i) p->x_at_bar[i] = sin(37.719 * (double)i + 3);
  for (size_t i = 0; i < COUNT * time_count; ++i) p->log_det_at_bar[i] = sin(4.581 * (double)i + 4);
}

/* The loss of the first `count` samples that the cotangents and the coefficients of regularisers define, by a plain
 * solve. */
static inline double loss_value(const problem *p, cnf_solver *solver, size_t count) {
  static answer a;
  uint64_t ids[COUNT];
  const cnf_solve_input input = input_of(p, 0, count, ids);
  cnf_solve_output output = output_of(p, &a);
  double sum = 0;
  CHECK(p->has_cotangents && cnf_solve(solver, &input, &output) == CNF_OK);
  for (size_t i = 0; i < count * (size_t)p->dim; ++i) sum += p->x1_bar[i] * a.x1[i];
  for (size_t i = 0; i < count; ++i) sum += p->log_det_bar[i] * a.log_det[i];
  for (size_t i = 0; i < count * p->time_count * (size_t)p->dim; ++i) sum += p->x_at_bar[i] * a.x_at[i];
  for (size_t i = 0; i < count * p->time_count; ++i) sum += p->log_det_at_bar[i] * a.log_det_at[i];
  for (size_t i = 0; p->options.kinetic && i < count; ++i) sum += p->loss.kinetic * a.kinetic[i];
  for (size_t i = 0; p->options.frobenius && i < count; ++i) sum += p->loss.frobenius * a.frobenius[i];
  return sum;
}

/* dL/d*variable by differences of order 4, where *variable is a member of *p. The truncation error is step^4/30 times
 * the fifth derivative. */
static inline double central(problem *p, cnf_solver *solver, size_t count, double *variable, double step) {
  const double middle = *variable;
  double value[4];
  for (int i = 0; i < 4; ++i) {
    *variable = middle + step * (i < 2 ? i - 2 : i - 1);
    value[i] = loss_value(p, solver, count);
  }
  *variable = middle;
  return (8 * (value[2] - value[1]) - (value[3] - value[0])) / (12 * step);
}

/* The largest relative difference of two gradients. */
static inline double distance(const problem *p, const answer *a, const answer *b) {
  double d = difference(a->theta_bar, b->theta_bar, p->parameters);
  d = fmax(d, difference(a->x0_bar, b->x0_bar, (size_t)(COUNT * p->dim)));
  d = fmax(d, difference(a->times_bar, b->times_bar, COUNT * p->time_count));
  return fmax(d, fmax(difference(a->t0_bar, b->t0_bar, COUNT), difference(a->t1_bar, b->t1_bar, COUNT)));
}

static inline cnf_field *make_field(int kind, int32_t *dim) { return make_field_of(kind, 3, 6, dim); }

#endif
