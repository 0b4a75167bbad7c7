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
  CHECK(cnf_solver_get_info(solver, &info) == CNF_OK); /* afterwards: what is reserved depends on the call */
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

/* ---- Reference of continuous gradients -------------------------------------------------------------------------- */

/* The reference: the discrete gradient of dopri8 with tolerance 1e-12. */
static inline void solve_exactly(const problem *p, answer *exact) {
  problem tight = *p;
  tight.options.adjoint = CNF_ADJOINT_DISCRETE, tight.options.control = CNF_CONTROL_SAMPLE;
  tight.options.method = cnf_method_find("dopri8");
  tight.options.rtol = tight.options.atol = 1e-12;
  solve_all(&tight, exact);
}

/* The tolerance decreases by 100 twice. The error is at most that of `steps` steps; 1e-11 covers the error of the
 * reference. It decreases with tolerance^rate, to a factor of 3, or is below 10 times the tolerance: a few long steps
 * of a high order are often much more accurate than required. */
static inline void check_convergence(problem *p, const answer *exact, double steps, double rate, const char *where) {
  static answer a;
  double before = INFINITY;
  for (int level = 0; level < 3; ++level) {
    const double tolerance = pow(100, -level) * 1e-4;
    p->options.rtol = p->options.atol = tolerance;
    solve_all(p, &a);
    const double error = distance(p, &a, exact);
    char detail[300];
    snprintf(detail, sizeof detail, "%s at %g: %g, before %g", where, tolerance, error, before);
    check_count(error <= steps * tolerance + 1e-11, "near the exact gradient", detail, __LINE__);
    check_count(error <= before * 3 / pow(100, rate) || error < 10 * tolerance, "error decreases with tolerance",
                detail, __LINE__);
    if (level == 0) check_count(error > 1e-12, "not the discrete gradient", detail, __LINE__);
    before = error;
  }
  for (int i = 0; i < COUNT; ++i) CHECK(a.status[i] == CNF_SAMPLE_OK);
}

/* With `coarse` and with `fine` equal steps: the order of the error is above 3.8, and the error of `fine` steps below
 * `bound`. */
static inline void check_order(problem *p, const answer *exact, int32_t coarse, int32_t fine, double bound,
                               const char *where) {
  static answer a;
  double error[2];
  p->options.control = CNF_CONTROL_FIXED;
  for (int level = 0; level < 2; ++level) {
    p->options.steps = level ? fine : coarse;
    solve_all(p, &a);
    error[level] = distance(p, &a, exact);
  }
  const double order = log(error[0] / error[1]) / log((double)fine / coarse);
  char detail[200];
  snprintf(detail, sizeof detail, "%s: %g, %g, order %g", where, error[0], error[1], order);
  check_count(order > 3.8 && error[1] < bound, "order 4", detail, __LINE__);
}

/* ---- Equal bits; `all` is the answer of solve_all to the problem ------------------------------------------------- */

/* Each sample's own gradients have the same bits alone and in parts of the batch; sums have them at 2 and 3 threads. */
static inline void check_bits(problem *p, const answer *all) {
  static answer other;
  const size_t D = (size_t)p->dim, times = p->time_count;
  for (size_t i = 0; i < COUNT; i += 3) {
    const size_t count = i % 2 ? 1 : 5 < COUNT - i ? 5 : COUNT - i;
    solve_some(p, i, count, &other);
    CHECK(memcmp(other.x0_bar, all->x0_bar + i * D, count * D * sizeof(double)) == 0);
    CHECK(memcmp(other.times_bar, all->times_bar + i * times, count * times * sizeof(double)) == 0);
    CHECK(memcmp(other.t0_bar, all->t0_bar + i, count * sizeof(double)) == 0);
    CHECK(memcmp(other.t1_bar, all->t1_bar + i, count * sizeof(double)) == 0);
    CHECK(memcmp(other.reversed, all->reversed + i, count * sizeof(int32_t)) == 0);
  }
  for (p->options.threads = 2; p->options.threads <= 3; ++p->options.threads) {
    solve_all(p, &other);
    CHECK(memcmp(other.theta_bar, all->theta_bar, p->parameters * sizeof(double)) == 0);
    CHECK(memcmp(other.times_bar, all->times_bar, COUNT * times * sizeof(double)) == 0);
  }
}

/* A power of two that multiplies the loss multiplies its gradients, to the bit. */
static inline void check_power_of_two(const problem *p, const answer *all) {
  static answer other;
  problem scaled = *p;
  scaled.loss.scale *= 0x1p-10;
  for (size_t i = 0; i < COUNT * MOST_D; ++i) scaled.x1_bar[i] *= 0x1p-10;
  for (size_t i = 0; i < COUNT * MOST_TIMES * MOST_D; ++i) scaled.x_at_bar[i] *= 0x1p-10;
  for (size_t i = 0; i < COUNT; ++i) scaled.log_det_bar[i] *= 0x1p-10;
  for (size_t i = 0; i < COUNT * MOST_TIMES; ++i) scaled.log_det_at_bar[i] *= 0x1p-10;
  solve_all(&scaled, &other);
  for (size_t i = 0; i < p->parameters; ++i) other.theta_bar[i] *= 0x1p10;
  for (size_t i = 0; i < COUNT * p->time_count; ++i) other.times_bar[i] *= 0x1p10;
  CHECK(memcmp(other.theta_bar, all->theta_bar, p->parameters * sizeof(double)) == 0);
  CHECK(memcmp(other.times_bar, all->times_bar, COUNT * p->time_count * sizeof(double)) == 0);
}

/* A sample that fails adds nothing to sums and changes no bit of another sample's gradient. */
static inline void check_failing_neighbour(problem *p, const answer *all) {
  static answer other;
  const size_t D = (size_t)p->dim;
  p->x0[4 * D] = NAN;
  solve_all(p, &other);
  CHECK(other.status[4] == CNF_SAMPLE_NOT_FINITE && largest_of(other.x0_bar + 4 * D, D) == 0);
  for (size_t i = 0; i < COUNT; ++i)
    if (i != 4) CHECK(memcmp(other.x0_bar + i * D, all->x0_bar + i * D, D * sizeof(double)) == 0);
  CHECK(isfinite(largest_of(other.theta_bar, p->parameters)) && other.theta_bar[0] != all->theta_bar[0]);
}

/* ---- Float, and samples that fail ------------------------------------------------------------------------------- */

/* The gradient in double, of a problem with make_field(SHALLOW), and that in float with the options `narrow` agree to
 * 1e-4. */
static inline void check_float(problem *p, const cnf_solver_options *narrow) {
  enum { DIM = 3, HIDDEN = 6, P = HIDDEN * (DIM + 1) + HIDDEN + DIM * HIDDEN + DIM };
  static answer wide;
  const cnf_op ops[] = {TIME_AND_STATE, LINEAR(2, HIDDEN, CNF_ACTIVATION_TANH),
                        LINEAR(3, DIM, CNF_ACTIVATION_IDENTITY)};
  float theta[P], x0[COUNT * DIM], x1_bar[COUNT * DIM], theta_bar[P], x0_bar[COUNT * DIM];
  int32_t status[COUNT];
  CHECK(p->parameters == P && p->dim == DIM);
  for (int i = 0; i < P; ++i) p->theta[i] = theta[i] = (float)p->theta[i];
  for (int i = 0; i < COUNT * DIM; ++i) {
    p->x0[i] = x0[i] = (float)p->x0[i];
    p->x1_bar[i] = x1_bar[i] = (float)p->x1_bar[i];
  }
  solve_all(p, &wide);
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  CHECK(cnf_field_create(CNF_FLOAT32, DIM, ops, 4, sizeof(cnf_op), &field) == CNF_OK);
  CHECK(cnf_solver_create(field, narrow, &solver) == CNF_OK);
  uint64_t ids[COUNT];
  cnf_solve_input input = input_of(p, 0, COUNT, ids);
  cnf_loss loss = loss_of(p, 0);
  input.parameters = theta, input.x0 = x0, loss.x1_bar = x1_bar;
  cnf_solve_output output = {.struct_size = sizeof output, .status = status};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = theta_bar, .x0 = x0_bar};
  CHECK(cnf_solve_vjp(solver, &input, &loss, &output, &gradient) == CNF_OK);
  for (int i = 0; i < COUNT; ++i) CHECK(status[i] == CNF_SAMPLE_OK);
  for (int i = 0; i < COUNT * DIM; ++i)
    CHECK(fabs((double)x0_bar[i] - wide.x0_bar[i]) < 1e-4 * (1 + fabs(wide.x0_bar[i])));
  const double largest = 1 + largest_of(wide.theta_bar, P);
  for (int i = 0; i < P; ++i) CHECK(fabs((double)theta_bar[i] - wide.theta_bar[i]) < 1e-4 * largest);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* x' = W x + b of two rows. */
static inline cnf_field *linear_field(void) {
  const cnf_op ops[] = {LINEAR(CNF_STATE, 2, CNF_ACTIVATION_IDENTITY)};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, 2, ops, 1, sizeof(cnf_op), &field) == CNF_OK);
  return field;
}

/* Sets theta, tolerances and states so that samples of linear_field fail. 60 steps are too few for a tolerance of 1e-13
 * backward, except for every third sample, which rests at 0. Sample 1 starts with NaN. */
static inline void make_samples_fail(problem *p) {
  const double theta[] = {-0.4, -3, 3, -0.4, 0, 0};
  memcpy(p->theta, theta, sizeof theta);
  p->options.max_steps = 60;
  p->options.rtol = p->options.atol = 1e-4;
  p->options.adjoint_rtol = p->options.adjoint_atol = 1e-13;
  for (int i = 0; i < COUNT; i += 3) p->x0[2 * i] = p->x0[2 * i + 1] = 0;
  p->x0[2] = NAN;
}
static inline int32_t failing_status(int i) {
  return i % 3 == 0 ? CNF_SAMPLE_OK : i == 1 ? CNF_SAMPLE_NOT_FINITE : CNF_SAMPLE_MAX_STEPS;
}

/* Samples that fail, forward or backward, have a status and gradients of 0. Theta's gradient is that of the other
 * samples, to `tolerance`. The problem is one of linear_field, and its loss the normal NLL. */
static inline void check_failures(problem *p, double tolerance) {
  static answer a, rest;
  const double trace_bar = -(p->t1 - p->t0);
  make_samples_fail(p);
  solve_all(p, &a);
  for (int i = 0; i < COUNT; ++i) {
    CHECK(a.status[i] == failing_status(i));
    CHECK(i == 1 ? isnan(a.loss[i]) : isfinite(a.loss[i]));
    if (i % 3 == 0) {
      CHECK(a.t_reached[i] == p->t1 && fabs(a.t1_bar[i] - 0.8) < 1e-12 && fabs(a.t0_bar[i] + 0.8) < 1e-12);
      continue;
    }
    if (i != 1) CHECK(a.t_reached[i] > p->t0 && a.t_reached[i] < p->t1 && a.reversed[i] == 0);
    CHECK(a.x0_bar[2 * i] == 0 && a.x0_bar[2 * i + 1] == 0 && a.t0_bar[i] == 0 && a.t1_bar[i] == 0);
  }
  /* d/dtheta of -log_det = -(t1 - t0) tr A, of 13 samples; the others add nothing */
  const double expected[] = {13 * trace_bar, 0, 0, 13 * trace_bar, 0, 0};
  CHECK(difference(a.theta_bar, expected, 6) < tolerance);
  for (int i = 0; i < COUNT; ++i) p->x0[2 * i] = NAN;
  solve_all(p, &rest);
  CHECK(largest_of(rest.theta_bar, 6) == 0 && largest_of(rest.x0_bar, 2 * COUNT) == 0);
}

#endif
