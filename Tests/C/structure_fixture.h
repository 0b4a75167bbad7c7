/* structure_fixture.h - for tests of symplectic and reversible methods: fields of several kinds, solves, gradients of a
 * scalar loss, and their central differences. */
#ifndef CNF_STRUCTURE_FIXTURE_H
#define CNF_STRUCTURE_FIXTURE_H

#include <math.h>

#include "fields_fixture.h"

enum {
  HIDDEN = 8,
  COUNT = 37,
  MOST_P = 700,
  MOST_TIMES = 2,
  MOST_FRACTIONS = 512
}; /* more samples than a tile of any instruction set */

/* The inputs of a solve, and a loss: the sum over samples of x1_bar x1 + log_det_bar log_det + kinetic and frobenius
 * times the regularisers + x_at_bar x_at + log_det_at_bar log_det_at over the output times. */
typedef struct problem {
  cnf_field *field;
  int32_t dim;
  size_t parameters;
  double theta[MOST_P], x0[COUNT * MOST_D];
  cnf_solver_options options;
  double x1_bar[COUNT * MOST_D], log_det_bar[COUNT];
  double x_at_bar[COUNT * MOST_TIMES * MOST_D], log_det_at_bar[COUNT * MOST_TIMES];
  double kinetic, frobenius;
  double t0, t1, times[MOST_TIMES];
  size_t time_count;
  const double *fractions; /* where fixed steps end; NULL: equal steps */
  size_t fraction_count;
} problem;

/* The outputs of a solve and its gradient. */
typedef struct answer {
  double theta_bar[MOST_P], x0_bar[COUNT * MOST_D], t0_bar[COUNT], t1_bar[COUNT], times_bar[COUNT * MOST_TIMES];
  double x1[COUNT * MOST_D], log_det[COUNT], kinetic[COUNT], frobenius[COUNT], t_reached[COUNT];
  double x_at[COUNT * MOST_TIMES * MOST_D], log_det_at[COUNT * MOST_TIMES];
  double reconstruction_error[COUNT], fractions[MOST_FRACTIONS]; /* fractions: only if the call has one sample */
  int32_t status[COUNT], accepted[COUNT], evaluations[COUNT], reversed[COUNT];
  cnf_solver_info info;
} answer;

/* Solves samples [first, first + count); with_gradient: also computes the gradient. */
static inline void solve_some(const problem *p, size_t first, size_t count, int with_gradient, answer *a) {
  cnf_solver *solver = NULL;
  uint64_t ids[COUNT];
  const size_t dim = (size_t)p->dim, times = p->time_count;
  memset(a, 0xA5, sizeof *a);
  a->info = (cnf_solver_info){.struct_size = sizeof a->info};
  CHECK(cnf_solver_create(p->field, &p->options, &solver) == CNF_OK);
  if (!solver) return;
  for (size_t i = 0; i < count; ++i) ids[i] = first + i;
  const cnf_solve_input input = {.struct_size = sizeof input,
                                 .parameters = p->theta,
                                 .x0 = p->x0 + first * dim,
                                 .count = count,
                                 .t0 = p->t0,
                                 .t1 = p->t1,
                                 .seed = 5,
                                 .sample_ids = ids,
                                 .step_fractions = p->fractions,
                                 .step_fraction_count = p->fraction_count,
                                 .times = p->times,
                                 .time_count = times};
  cnf_solve_output output = {.struct_size = sizeof output,
                             .x1 = a->x1,
                             .log_det = a->log_det,
                             .kinetic = p->options.kinetic ? a->kinetic : NULL,
                             .frobenius = p->options.frobenius ? a->frobenius : NULL,
                             .x_at = times ? a->x_at : NULL,
                             .log_det_at = times ? a->log_det_at : NULL,
                             .status = a->status,
                             .accepted = a->accepted,
                             .evaluations = a->evaluations,
                             .t_reached = a->t_reached,
                             .reconstruction_error = a->reconstruction_error,
                             .step_fractions = count == 1 ? a->fractions : NULL,
                             .step_fraction_stride = MOST_FRACTIONS,
                             .adjoint_evaluations = a->reversed};
  const cnf_loss loss = {.struct_size = sizeof loss,
                         .kind = CNF_LOSS_COTANGENTS,
                         .x1_bar = p->x1_bar + first * dim,
                         .log_det_bar = p->log_det_bar + first,
                         .kinetic = p->kinetic,
                         .frobenius = p->frobenius,
                         .x_at_bar = times ? p->x_at_bar + first * times * dim : NULL,
                         .log_det_at_bar = times ? p->log_det_at_bar + first * times : NULL};
  cnf_gradient gradient = {.struct_size = sizeof gradient,
                           .parameters = a->theta_bar,
                           .x0 = a->x0_bar,
                           .t0 = a->t0_bar,
                           .t1 = a->t1_bar,
                           .times = times ? a->times_bar : NULL};
  if (with_gradient)
    CHECK(cnf_solve_vjp(solver, &input, &loss, &output, &gradient) == CNF_OK);
  else
    CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  CHECK(cnf_solver_get_info(solver, &a->info) == CNF_OK); /* afterwards: what is reserved depends on the call */
  cnf_solver_destroy(solver);
}
static inline void solve_all(const problem *p, answer *a) { solve_some(p, 0, COUNT, 1, a); }

/* The loss of the first `count` samples. */
static inline double loss_of(const problem *p, size_t count) {
  static answer a;
  const size_t dim = (size_t)p->dim, times = p->time_count;
  double loss = 0;
  solve_some(p, 0, count, 0, &a);
  for (size_t i = 0; i < count; ++i) {
    CHECK(a.status[i] == CNF_SAMPLE_OK);
    for (size_t d = 0; d < dim; ++d) loss += p->x1_bar[i * dim + d] * a.x1[i * dim + d];
    loss += p->log_det_bar[i] * a.log_det[i];
    if (p->options.kinetic) loss += p->kinetic * a.kinetic[i];
    if (p->options.frobenius) loss += p->frobenius * a.frobenius[i];
    for (size_t n = i * times; n < (i + 1) * times; ++n) {
      for (size_t d = 0; d < dim; ++d) loss += p->x_at_bar[n * dim + d] * a.x_at[n * dim + d];
      loss += p->log_det_at_bar[n] * a.log_det_at[n];
    }
  }
  return loss;
}

/* The largest relative difference between the gradients of `a` and `b`. */
static inline double distance(const problem *p, const answer *a, const answer *b) {
  double d = difference(a->theta_bar, b->theta_bar, p->parameters);
  d = fmax(d, difference(a->x0_bar, b->x0_bar, (size_t)(COUNT * p->dim)));
  d = fmax(d, difference(a->times_bar, b->times_bar, COUNT * p->time_count));
  return fmax(d, fmax(difference(a->t0_bar, b->t0_bar, COUNT), difference(a->t1_bar, b->t1_bar, COUNT)));
}

/* d loss / d *value by central differences of fourth order with d = 2^-10. Their truncation error is about d^4 = 1e-12
 * times the fifth derivative of the loss; each of about a hundred operations of the solve adds rounding of 2^-53/d =
 * 1e-13 times the loss. */
static inline double central_difference(problem *p, size_t count, double *value) {
  const double step = 0x1p-10, at = *value;
  double near, far;
  *value = at + step, near = loss_of(p, count);
  *value = at - step, near -= loss_of(p, count);
  *value = at + 2 * step, far = loss_of(p, count);
  *value = at - 2 * step, far -= loss_of(p, count);
  *value = at;
  return (8 * near - far) / (12 * step);
}

/* All gradients of three samples (every third entry of theta's) agree with central differences within 1e-7, as README
 * states. */
static inline void check_gradient(problem *p, const char *what) {
  enum { FEW = 3 };
  static answer a;
  const size_t dim = (size_t)p->dim;
  double worst = 0, t_bar[2] = {0, 0}, times_bar[MOST_TIMES] = {0};
  char detail[200];
  solve_some(p, 0, FEW, 1, &a);
  for (size_t i = 0; i < FEW; ++i) t_bar[0] += a.t0_bar[i], t_bar[1] += a.t1_bar[i];
  for (size_t i = 0; i < FEW * p->time_count; ++i) times_bar[i % p->time_count] += a.times_bar[i];
#define COMPARE(exact, value)                                                               \
  do {                                                                                      \
    const double by_differences = central_difference(p, FEW, (value));                      \
    const double error_ = fabs((exact)-by_differences);                                     \
    worst = isfinite(error_) ? fmax(worst, error_ / (1 + fabs(by_differences))) : INFINITY; \
  } while (0)
  for (size_t i = 0; i < p->parameters; i += 3) COMPARE(a.theta_bar[i], &p->theta[i]);
  for (size_t i = 0; i < FEW * dim; ++i) COMPARE(a.x0_bar[i], &p->x0[i]);
  COMPARE(t_bar[0], &p->t0);
  COMPARE(t_bar[1], &p->t1);
  for (size_t i = 0; i < p->time_count; ++i) COMPARE(times_bar[i], &p->times[i]);
#undef COMPARE
  snprintf(detail, sizeof detail, "%s: %g", what, worst);
  check_count(worst < 1e-7, "gradient equals central differences", detail, __LINE__);
}

/* A sample has the same bits alone and in a batch, and gradients have the same bits with 1 and 3 threads. */
static inline void check_same_bits(problem *p) {
  static answer all, other;
  const size_t dim = (size_t)p->dim;
  solve_all(p, &all);
  for (size_t i = 0; i < COUNT; i += 5) {
    const size_t count = i % 2 ? 1 : 2, n = count * dim * sizeof(double);
    solve_some(p, i, count, 1, &other);
    CHECK(memcmp(other.x1, all.x1 + i * dim, n) == 0);
    CHECK(memcmp(other.log_det, all.log_det + i, count * sizeof(double)) == 0);
    CHECK(memcmp(other.x0_bar, all.x0_bar + i * dim, n) == 0);
    CHECK(memcmp(other.t0_bar, all.t0_bar + i, count * sizeof(double)) == 0);
    CHECK(memcmp(other.t1_bar, all.t1_bar + i, count * sizeof(double)) == 0);
    CHECK(memcmp(other.accepted, all.accepted + i, count * sizeof(int32_t)) == 0);
    CHECK(memcmp(other.reversed, all.reversed + i, count * sizeof(int32_t)) == 0);
  }
  p->options.threads = 3;
  solve_all(p, &other);
  p->options.threads = 1;
  CHECK(memcmp(other.theta_bar, all.theta_bar, p->parameters * sizeof(double)) == 0);
  CHECK(memcmp(other.x0_bar, all.x0_bar, COUNT * dim * sizeof(double)) == 0);
}

/* A problem with a field of make_field_of and normal parameters times `scale`. */
static inline problem problem_of(int kind, double scale) {
  int32_t dim;
  cnf_field *field = make_field_of(kind, 4, HIDDEN, &dim);
  problem p = {.field = field, .dim = dim, .parameters = cnf_field_parameter_count(field), .t0 = 0.2, .t1 = 1.1};
  CHECK(p.parameters <= MOST_P && dim <= MOST_D);
  const size_t n = (size_t)dim;
  CHECK(cnf_random_normal(CNF_FLOAT64, 7, CNF_STREAM_INITIAL, 0, 0, 1, p.parameters, p.theta) == CNF_OK);
  CHECK(cnf_random_normal(CNF_FLOAT64, 7, CNF_STREAM_DATA, 0, 0, COUNT, n, p.x0) == CNF_OK);
  CHECK(cnf_random_normal(CNF_FLOAT64, 7, CNF_STREAM_USER, 0, 0, COUNT, n, p.x1_bar) == CNF_OK);
  CHECK(cnf_random_normal(CNF_FLOAT64, 7, CNF_STREAM_USER, 1, 0, COUNT, 1, p.log_det_bar) == CNF_OK);
  CHECK(cnf_random_normal(CNF_FLOAT64, 7, CNF_STREAM_USER, 2, 0, COUNT, MOST_TIMES * n, p.x_at_bar) == CNF_OK);
  CHECK(cnf_random_normal(CNF_FLOAT64, 7, CNF_STREAM_USER, 3, 0, COUNT, MOST_TIMES, p.log_det_at_bar) == CNF_OK);
  for (size_t i = 0; i < p.parameters; ++i) p.theta[i] *= scale;
  cnf_solver_options_init(&p.options, sizeof p.options);
  p.options.control = CNF_CONTROL_FIXED;
  p.options.steps = 5;
  p.options.threads = 1;
  return p;
}

/* Sets trace, probes and regularisers to combination `number`, from 0, that a field of this kind allows. Returns 0 if
 * there is no such combination. */
static inline int set_trace(problem *p, int kind, int number) {
  const int32_t traces[] = {CNF_TRACE_NONE,           CNF_TRACE_HUTCHINSON, CNF_TRACE_EXACT_TANGENTS,
                            CNF_TRACE_EXACT_TANGENTS, CNF_TRACE_HUTCHINSON, CNF_TRACE_EXACT_PRODUCT};
  const int32_t probes[] = {1, 3, 1, 1, 11, 1};
  if (number >= (kind <= TWO_HIDDEN ? 6 : 5)) return 0;
  p->options.trace = traces[number], p->options.probes = probes[number];
  p->options.kinetic = number != 2, p->options.frobenius = number == 3 || number == 4;
  p->kinetic = p->options.kinetic ? 0.3 : 0, p->frobenius = p->options.frobenius ? 0.2 : 0;
  return 1;
}
#endif
