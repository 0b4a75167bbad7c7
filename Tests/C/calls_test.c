/* calls_test.c - bad input to the calls that solve, differentiate and draw returns the documented status and writes no
 * output.
 *
 * Each case takes valid input, changes one thing, and expects one status. The change is a statement that is passed to a
 * macro, so that a failure prints it.
 */
#include <float.h>
#include <math.h>

#include "fixture.h"

/* ---- Solve and evaluate ------------------------------------------------------------------------------------------ */

enum { COUNT = 3, FRACTIONS = 5 };

/* Everything a call may write to, in one block that tests check for changes. */
typedef struct outputs {
  double x1[COUNT][D], log_det[COUNT], t_reached[COUNT];
  int32_t status[COUNT], accepted[COUNT], rejected[COUNT], evaluations[COUNT];
  double step_fractions[COUNT][FRACTIONS], smallest_step[COUNT];
  int32_t adjoint_evaluations[COUNT];
  double reconstruction_error[COUNT];
  double velocity[COUNT][D], divergence[COUNT];
  double theta_bar[P], x0_bar[COUNT][D], t0_bar[COUNT], t1_bar[COUNT], loss[COUNT];
} outputs;

static cnf_solve_output solve_output(outputs *to) {
  return (cnf_solve_output){.struct_size = sizeof(cnf_solve_output),
                            .x1 = to->x1,
                            .log_det = to->log_det,
                            .t_reached = to->t_reached,
                            .status = to->status,
                            .accepted = to->accepted,
                            .rejected = to->rejected,
                            .evaluations = to->evaluations,
                            .step_fractions = to->step_fractions[0],
                            .step_fraction_stride = FRACTIONS,
                            .smallest_step = to->smallest_step,
                            .adjoint_evaluations = to->adjoint_evaluations,
                            .reconstruction_error = to->reconstruction_error};
}

static cnf_gradient gradient_output(outputs *to) {
  return (cnf_gradient){.struct_size = sizeof(cnf_gradient),
                        .parameters = to->theta_bar,
                        .x0 = to->x0_bar,
                        .t0 = to->t0_bar,
                        .t1 = to->t1_bar,
                        .loss = to->loss};
}

static const double theta[P] = {0.3, -0.2, 0.1, 0.4, -0.5, 0.2, -0.1, 0.6,  0.3, 0.5, -0.4, 0.2, 0.1,
                                0.2, -0.3, 0.4, 0.7, -0.6, 0.5, 0.3,  -0.4, 0.8, 0.6, 0.2,  0.1, -0.3};
static const double x0[COUNT][D] = {{0.5, -1}, {1, 2}, {-0.3, 0.7}};
static const cnf_loss normal_nll = {.struct_size = sizeof(cnf_loss), .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};

static cnf_solve_input good_input(void) {
  return (cnf_solve_input){
      .struct_size = sizeof(cnf_solve_input), .parameters = theta, .x0 = x0, .count = COUNT, .t0 = 0, .t1 = 1};
}

/* cnf_solve and cnf_solve_vjp must refuse the input. */
static void refuse_input(cnf_status expected, cnf_solver *solver, const cnf_solve_input *input, const char *what,
                         int line) {
  outputs to;
  pattern_fill(&to, sizeof to);
  cnf_solve_output output = solve_output(&to);
  cnf_gradient gradient = gradient_output(&to);
  check_status(expected, cnf_solve(solver, input, &output), what, line);
  check_count(pattern_intact(&to, sizeof to), what, "cnf_solve wrote", line);
  pattern_fill(&to, sizeof to);
  check_status(expected, cnf_solve_vjp(solver, input, &normal_nll, &output, &gradient), what, line);
  check_count(pattern_intact(&to, sizeof to), what, "cnf_solve_vjp wrote", line);
}

static void refuse_evaluation(cnf_status expected, cnf_solver *solver, const cnf_solve_input *input, const char *what,
                              int line) {
  outputs to;
  pattern_fill(&to, sizeof to);
  check_status(expected, cnf_solver_evaluate(solver, input, to.velocity, to.divergence), what, line);
  check_count(pattern_intact(&to, sizeof to), what, "cnf_solver_evaluate wrote", line);
}

#define REFUSE_INPUT(expected, spoil)                         \
  do {                                                        \
    cnf_solve_input input = good_input();                     \
    spoil;                                                    \
    refuse_input(expected, solver, &input, #spoil, __LINE__); \
  } while (0)

#define REFUSE_ALL(expected, spoil)                                \
  do {                                                             \
    cnf_solve_input input = good_input();                          \
    spoil;                                                         \
    refuse_input(expected, solver, &input, #spoil, __LINE__);      \
    refuse_evaluation(expected, solver, &input, #spoil, __LINE__); \
  } while (0)

static void test_solve_input(cnf_solver *solver) {
  REFUSE_ALL(CNF_ERROR_STRUCT_SIZE, input.struct_size = 0);
  REFUSE_ALL(CNF_ERROR_STRUCT_SIZE, input.struct_size -= 1);
  REFUSE_ALL(CNF_ERROR_STRUCT_SIZE, input.struct_size = SIZE_MAX);
  REFUSE_ALL(CNF_ERROR_NULL, input.parameters = NULL);
  REFUSE_ALL(CNF_ERROR_NULL, input.x0 = NULL);
  REFUSE_ALL(CNF_ERROR_SIZE, input.count = SIZE_MAX);
  REFUSE_ALL(CNF_ERROR_SIZE, input.count = SIZE_MAX / 8);
  REFUSE_ALL(CNF_ERROR_TIME, input.t0 = NAN);
  REFUSE_ALL(CNF_ERROR_TIME, input.t0 = -INFINITY);
  REFUSE_INPUT(CNF_ERROR_TIME, input.t1 = NAN);
  REFUSE_INPUT(CNF_ERROR_TIME, input.t1 = INFINITY);

  const cnf_solve_input input = good_input();
  refuse_input(CNF_ERROR_NULL, NULL, &input, "solver = NULL", __LINE__);
  refuse_input(CNF_ERROR_NULL, solver, NULL, "input = NULL", __LINE__);
  refuse_evaluation(CNF_ERROR_NULL, NULL, &input, "solver = NULL", __LINE__);
  refuse_evaluation(CNF_ERROR_NULL, solver, NULL, "input = NULL", __LINE__);
  CHECK(cnf_solve(solver, &input, NULL) == CNF_ERROR_NULL);

  outputs to;
  pattern_fill(&to, sizeof to);
  cnf_solve_output output = solve_output(&to);
  output.struct_size = 5;
  CHECK(cnf_solve(solver, &input, &output) == CNF_ERROR_STRUCT_SIZE);
  output = solve_output(&to);
  output.kinetic = to.divergence;
  CHECK(cnf_solve(solver, &input, &output) == CNF_ERROR_REGULARISER);
  CHECK(pattern_intact(&to, sizeof to));
}

/* Valid edge cases: no outputs, no samples, and an empty time interval. */
static void test_solve_edges(cnf_solver *solver) {
  cnf_solve_input input = good_input();
  cnf_solve_output nothing = {.struct_size = sizeof nothing};
  CHECK(cnf_solve(solver, &input, &nothing) == CNF_OK);
  CHECK(cnf_solver_evaluate(solver, &input, NULL, NULL) == CNF_OK);
  cnf_gradient no_gradient = {.struct_size = sizeof no_gradient};
  CHECK(cnf_solve_vjp(solver, &input, &normal_nll, NULL, &no_gradient) == CNF_OK);

  outputs to;
  pattern_fill(&to, sizeof to);
  cnf_solve_output output = solve_output(&to);
  input.count = 0;
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  CHECK(cnf_solver_evaluate(solver, &input, to.velocity, to.divergence) == CNF_OK);
  input.x0 = NULL;
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  CHECK(pattern_intact(&to, sizeof to));

  input = good_input();
  input.t1 = input.t0;
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  CHECK(memcmp(to.x1, x0, sizeof x0) == 0);
  for (int i = 0; i < COUNT; ++i) CHECK(to.log_det[i] == 0 && to.status[i] == CNF_SAMPLE_OK && to.t_reached[i] == 0);
}

/* smallest_step is the shortest of the steps in step_fractions. The gradient differentiates six evaluations of each
 * step of dopri5, those that the next state depends on. */
static void test_statistics(cnf_solver *solver) {
  enum { MOST = 200 };
  double fractions[COUNT][MOST];
  outputs to;
  const cnf_solve_input input = good_input();
  cnf_solve_output output = solve_output(&to);
  output.step_fractions = fractions[0], output.step_fraction_stride = MOST;
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  for (int i = 0; i < COUNT; ++i) {
    double shortest = INFINITY;
    CHECK(to.accepted[i] > 0 && to.accepted[i] < MOST && to.adjoint_evaluations[i] == 0);
    for (int n = 0; n < to.accepted[i]; ++n) shortest = fmin(shortest, fractions[i][n + 1] - fractions[i][n]);
    CHECK(fabs(to.smallest_step[i] - shortest) <= 2 * DBL_EPSILON); /* the difference of two rounded fractions */
  }
  cnf_gradient gradient = gradient_output(&to);
  CHECK(cnf_solve_vjp(solver, &input, &normal_nll, &output, &gradient) == CNF_OK);
  for (int i = 0; i < COUNT; ++i) CHECK(to.adjoint_evaluations[i] == 6 * to.accepted[i]);
}

static void test_step_fractions(cnf_solver *solver) {
#define REFUSE_FRACTIONS(...)                                                                    \
  do {                                                                                           \
    const double fractions[] = {__VA_ARGS__};                                                    \
    cnf_solve_input input = good_input();                                                        \
    input.step_fractions = fractions;                                                            \
    input.step_fraction_count = sizeof fractions / sizeof fractions[0];                          \
    refuse_input(CNF_ERROR_STEP_FRACTIONS, solver, &input, "fractions " #__VA_ARGS__, __LINE__); \
  } while (0)
  REFUSE_FRACTIONS(0);
  REFUSE_FRACTIONS(1);
  REFUSE_FRACTIONS(0.1, 1);
  REFUSE_FRACTIONS(0, 0.9);
  REFUSE_FRACTIONS(0, 0.5, 0.5, 1);
  REFUSE_FRACTIONS(0, 0.6, 0.4, 1);
  REFUSE_FRACTIONS(0, NAN, 1);
  REFUSE_FRACTIONS(0, 1, 2);
  REFUSE_FRACTIONS(0, INFINITY, 1);
  REFUSE_FRACTIONS(1, 0);
}

/* ---- Loss and gradient ------------------------------------------------------------------------------------------ */

static int32_t refusing_callback(void *context, size_t first, size_t count, const void *x1, const double *log_det,
                                 const int32_t *status, double *loss, void *x1_bar, double *log_det_bar) {
  (void)context, (void)first, (void)count, (void)x1, (void)log_det, (void)status;
  (void)loss, (void)x1_bar, (void)log_det_bar;
  return 7;
}

static void test_gradient(cnf_solver *solver) {
#define REFUSE_GRADIENT(expected, spoil)                                                                              \
  do {                                                                                                                \
    const cnf_solve_input input = good_input();                                                                       \
    cnf_loss loss = normal_nll, *loss_argument = &loss;                                                               \
    outputs to;                                                                                                       \
    pattern_fill(&to, sizeof to);                                                                                     \
    cnf_solve_output output = solve_output(&to), *output_argument = &output;                                          \
    cnf_gradient gradient = gradient_output(&to), *gradient_argument = &gradient;                                     \
    spoil;                                                                                                            \
    CHECK_STATUS(expected, cnf_solve_vjp(solver, &input, loss_argument, output_argument, gradient_argument), #spoil); \
    check_count(pattern_intact(&to, sizeof to), #spoil, "cnf_solve_vjp wrote", __LINE__);                             \
  } while (0)
  REFUSE_GRADIENT(CNF_ERROR_NULL, loss_argument = NULL);
  REFUSE_GRADIENT(CNF_ERROR_NULL, gradient_argument = NULL);
  REFUSE_GRADIENT(CNF_ERROR_STRUCT_SIZE, loss.struct_size = 0);
  REFUSE_GRADIENT(CNF_ERROR_STRUCT_SIZE, loss.struct_size += 8);
  REFUSE_GRADIENT(CNF_ERROR_STRUCT_SIZE, output.struct_size = 0);
  REFUSE_GRADIENT(CNF_ERROR_STRUCT_SIZE, gradient.struct_size = 0);
  REFUSE_GRADIENT(CNF_ERROR_STRUCT_SIZE, gradient.struct_size = SIZE_MAX);
  REFUSE_GRADIENT(CNF_ERROR_LOSS, loss.kind = -1);
  REFUSE_GRADIENT(CNF_ERROR_LOSS, loss.kind = UNKNOWN);
  REFUSE_GRADIENT(CNF_ERROR_NULL, loss.kind = CNF_LOSS_CALLBACK);
  REFUSE_GRADIENT(CNF_ERROR_OPTION, loss.kinetic = NAN);
  REFUSE_GRADIENT(CNF_ERROR_OPTION, loss.frobenius = INFINITY);
  REFUSE_GRADIENT(CNF_ERROR_REGULARISER, loss.kinetic = 0.01);
  REFUSE_GRADIENT(CNF_ERROR_REGULARISER, loss.frobenius = -1);
  REFUSE_GRADIENT(CNF_ERROR_REGULARISER, (loss.kind = CNF_LOSS_COTANGENTS, loss.kinetic = 1));
  REFUSE_GRADIENT(CNF_ERROR_REGULARISER, output.kinetic = to.log_det);
  REFUSE_GRADIENT(CNF_ERROR_REGULARISER, output.frobenius = to.log_det);

  /* Chunks before the one that failed may have been written, so outputs are not checked here. */
  const cnf_solve_input input = good_input();
  const cnf_loss refused = {.struct_size = sizeof refused, .kind = CNF_LOSS_CALLBACK, .function = refusing_callback};
  outputs to;
  cnf_gradient gradient = gradient_output(&to);
  CHECK(cnf_solve_vjp(solver, &input, &refused, NULL, &gradient) == CNF_ERROR_CALLBACK);
}

/* x1 may be the same array as x0. All results then have the same bits, with every adjoint. */
static void test_in_place(cnf_solver *solver) {
  double x[COUNT][D];
  outputs apart, in_place;
  pattern_fill(&apart, sizeof apart);
  pattern_fill(&in_place, sizeof in_place);
  cnf_solve_input input = good_input();
  cnf_solve_output output = solve_output(&apart);
  cnf_gradient gradient = gradient_output(&apart);
  CHECK(cnf_solve_vjp(solver, &input, &normal_nll, &output, &gradient) == CNF_OK);

  memcpy(x, x0, sizeof x);
  input.x0 = x;
  output = solve_output(&in_place);
  output.x1 = x;
  gradient = gradient_output(&in_place);
  CHECK(cnf_solve_vjp(solver, &input, &normal_nll, &output, &gradient) == CNF_OK);
  memcpy(in_place.x1, x, sizeof x);
  CHECK(memcmp(apart.x1, x0, sizeof x) != 0);
  CHECK(memcmp(&in_place, &apart, sizeof apart) == 0);

  memcpy(x, x0, sizeof x);
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  CHECK(memcmp(x, apart.x1, sizeof x) == 0);
}

static void test_adjoints_in_place(const cnf_field *field) {
  static const struct {
    const char *method;
    int32_t adjoint, control;
  } rows[] = {{"dopri5", CNF_ADJOINT_DISCRETE, CNF_CONTROL_BATCH},
              {"dopri5", CNF_ADJOINT_CONTINUOUS, CNF_CONTROL_SAMPLE},
              {"dopri5", CNF_ADJOINT_CONTINUOUS, CNF_CONTROL_FIXED},
              {"implicit_adams", CNF_ADJOINT_CONTINUOUS, CNF_CONTROL_FIXED},
              {"reversible_heun", CNF_ADJOINT_REVERSIBLE, CNF_CONTROL_SAMPLE},
              {"reversible_heun", CNF_ADJOINT_REVERSIBLE, CNF_CONTROL_FIXED},
              {"reversible_heun", CNF_ADJOINT_DISCRETE, CNF_CONTROL_FIXED}};
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    cnf_solver_options options;
    cnf_solver *solver = NULL;
    cnf_solver_options_init(&options, sizeof options);
    options.method = cnf_method_find(rows[i].method), options.adjoint = rows[i].adjoint,
    options.control = rows[i].control;
    options.steps = 8;
    CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
    test_in_place(solver);
    cnf_solver_destroy(solver);
  }
}

/* ---- Random numbers --------------------------------------------------------------------------------------------- */

typedef cnf_status (*random_function)(int32_t, uint64_t, uint32_t, uint64_t, uint64_t, size_t, size_t, void *);

static void test_random(random_function draw) {
#define REFUSE_DRAW(expected, ...)                               \
  do {                                                           \
    double to[COUNT * D];                                        \
    pattern_fill(to, sizeof to);                                 \
    CHECK_STATUS(expected, draw(__VA_ARGS__, to), #__VA_ARGS__); \
    CHECK(pattern_intact(to, sizeof to));                        \
  } while (0)
  const uint64_t too_many = UINT64_C(1) << 44;
  REFUSE_DRAW(CNF_ERROR_DTYPE, -1, 1, CNF_STREAM_USER, 0, 0, COUNT, D);
  REFUSE_DRAW(CNF_ERROR_DTYPE, UNKNOWN, 1, CNF_STREAM_USER, 0, 0, COUNT, D);
  REFUSE_DRAW(CNF_ERROR_SIZE, CNF_FLOAT64, 1, 256, 0, 0, COUNT, D);
  REFUSE_DRAW(CNF_ERROR_SIZE, CNF_FLOAT64, 1, UINT32_MAX, 0, 0, COUNT, D);
  REFUSE_DRAW(CNF_ERROR_SIZE, CNF_FLOAT64, 1, CNF_STREAM_USER, too_many, 0, COUNT, D);
  REFUSE_DRAW(CNF_ERROR_SIZE, CNF_FLOAT64, 1, CNF_STREAM_USER, 0, too_many, COUNT, D);
  REFUSE_DRAW(CNF_ERROR_SIZE, CNF_FLOAT64, 1, CNF_STREAM_USER, 0, too_many - 1, COUNT, D);
  REFUSE_DRAW(CNF_ERROR_SIZE, CNF_FLOAT64, 1, CNF_STREAM_USER, 0, 0, SIZE_MAX, D);
  REFUSE_DRAW(CNF_ERROR_SIZE, CNF_FLOAT64, 1, CNF_STREAM_USER, 0, 0, COUNT, SIZE_MAX);
  CHECK(draw(CNF_FLOAT64, 1, CNF_STREAM_USER, 0, 0, COUNT, D, NULL) == CNF_ERROR_NULL);
  CHECK(draw(CNF_FLOAT64, 1, CNF_STREAM_USER, 0, 0, 0, D, NULL) == CNF_OK); /* nothing to write */
}

/* cnf_work counts what a call did. The backward pass uses kept evaluations, or recomputes them if they do not fit;
 * results are the same. */
static void test_work(int32_t control) {
  enum { SAMPLES = 40 };
  cnf_field *field = good_field();
  double theta[P], x0[SAMPLES * D], theta_bar[2][P];
  for (int i = 0; i < P; ++i) theta[i] = 0.1 * (i % 7 - 3);
  for (int i = 0; i < SAMPLES * D; ++i) x0[i] = 0.05 * (i % 37 - 18);
  for (int keeps = 0; keeps < 2; ++keeps) {
    cnf_solver_options options;
    cnf_solver *solver = NULL;
    cnf_solver_options_init(&options, sizeof options);
    options.control = control, options.steps = 4, options.store_bytes = keeps ? 0 : -1;
    CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
    const cnf_solve_input input = {
        .struct_size = sizeof input, .parameters = theta, .x0 = x0, .count = SAMPLES, .t0 = 1, .t1 = 0};
    const cnf_loss nll = {.struct_size = sizeof nll, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
    cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = theta_bar[keeps]};
    CHECK(cnf_solve_vjp(solver, &input, &nll, NULL, &gradient) == CNF_OK);
    cnf_work work = {.struct_size = sizeof work};
    CHECK(cnf_solver_get_work(solver, &work) == CNF_OK);
    CHECK(work.steps > 0 && work.steps_recomputed == (keeps ? 0 : work.steps));
    CHECK(work.evaluations > 0 && work.idle_evaluations >= 0 && work.idle_evaluations < work.evaluations);
    CHECK(work.idle_adjoint_evaluations >= 0 && work.idle_adjoint_evaluations < work.adjoint_evaluations);
    CHECK(cnf_solver_get_work(solver, NULL) == CNF_ERROR_NULL);
    CHECK(cnf_solver_get_work(NULL, &work) == CNF_ERROR_NULL);
    work.struct_size = 3;
    CHECK(cnf_solver_get_work(solver, &work) == CNF_ERROR_STRUCT_SIZE);
    cnf_solver_destroy(solver);
  }
  CHECK(memcmp(theta_bar[0], theta_bar[1], sizeof theta_bar[0]) == 0);
  cnf_field_destroy(field);
}

int main(void) {
  cnf_field *field = good_field();
  cnf_solver *adaptive = good_solver(field, CNF_CONTROL_SAMPLE), *fixed = good_solver(field, CNF_CONTROL_FIXED);
  test_adjoints_in_place(field);
  cnf_field_destroy(field); /* the solvers keep what they need */
  cnf_solver *const solvers[] = {adaptive, fixed};
  for (size_t i = 0; i < 2; ++i) {
    test_solve_input(solvers[i]);
    test_solve_edges(solvers[i]);
    test_gradient(solvers[i]);
    test_in_place(solvers[i]);
    test_statistics(solvers[i]);
  }
  test_step_fractions(fixed);
  test_work(CNF_CONTROL_SAMPLE);
  test_work(CNF_CONTROL_FIXED);
  cnf_solver_destroy(adaptive);
  cnf_solver_destroy(fixed);

  test_random(cnf_random_normal);
  test_random(cnf_random_uniform);
  test_random(cnf_random_rademacher);
  return check_report();
}
