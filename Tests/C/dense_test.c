/* dense_test.c - dense output: the order of every method's interpolant, compared with a much finer solve; its cost;
 * that it changes no bit of the solve; and that it is independent of batch and threads.
 */
#include <math.h>

#include "fixture.h"

enum { COUNT = 37, SAMPLES = 8, STRIDE = 160, ROOM = 8 * (D + 1) }; /* COUNT: more than a tile of any instruction set */

static double noise(int i) { return sin(12.9898 * i + 0.37 * i * i); } /* irregular numbers in [-1, 1] */

typedef struct dense_call {
  int count;
  size_t stride;
  double t0, t1;
  double theta[P], x0[COUNT * D], x1[COUNT * D], log_det[COUNT];
  double dense[COUNT * STRIDE * ROOM], ends[COUNT * (STRIDE + 1)];
  int32_t status[COUNT], accepted[COUNT], rejected[COUNT], evaluations[COUNT], left_out[COUNT];
} dense_call;

static void fill(dense_call *c, int count, double t0, double t1) {
  memset(c, 0, sizeof *c);
  c->count = count, c->stride = STRIDE, c->t0 = t0, c->t1 = t1;
  for (int i = 0; i < P; ++i) c->theta[i] = 0.5 * noise(i + 1);
  for (int i = 0; i < count * D; ++i) c->x0[i] = noise(i + 100);
}

static cnf_solver *solver_of(cnf_solver_options more) {
  const cnf_op ops[OP_COUNT] = OPS;
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  CHECK(cnf_field_create(CNF_FLOAT64, D, ops, OP_COUNT, sizeof(cnf_op), &field) == CNF_OK);
  cnf_solver_options_init(&options, sizeof options);
  options.method = more.method, options.control = more.control, options.trace = more.trace;
  options.steps = more.steps, options.threads = more.threads ? more.threads : 1, options.max_steps = more.max_steps,
  options.order = more.order;
  if (more.rtol > 0) options.rtol = options.atol = more.rtol;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  cnf_field_destroy(field);
  return solver;
}

static void run(cnf_solver *solver, dense_call *c, int with_dense) {
  const cnf_solve_input input = {.struct_size = sizeof input,
                                 .parameters = c->theta,
                                 .x0 = c->x0,
                                 .count = (size_t)c->count,
                                 .t0 = c->t0,
                                 .t1 = c->t1,
                                 .seed = 5};
  cnf_solve_output output = {.struct_size = sizeof output,
                             .x1 = c->x1,
                             .log_det = c->log_det,
                             .status = c->status,
                             .accepted = c->accepted,
                             .rejected = c->rejected,
                             .evaluations = c->evaluations,
                             .dense = with_dense ? c->dense : NULL,
                             .dense_ends = c->ends,
                             .dense_stride = c->stride,
                             .dense_left_out = c->left_out};
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
}

static cnf_dense view(const dense_call *c, int32_t method) {
  cnf_method_info info = {.struct_size = sizeof info};
  cnf_method_get(method, &info);
  return (cnf_dense){.struct_size = sizeof(cnf_dense),
                     .dtype = CNF_FLOAT64,
                     .state_dim = D,
                     .terms = info.dense_terms,
                     .count = (size_t)c->count,
                     .stride = c->stride,
                     .coefficients = c->dense,
                     .ends = c->ends};
}

/* The largest errors of state and log-determinant by dense output, at three times of each step of the first `samples`
 * samples, which have the steps of sample 0. The reference is dopri8 with output times there and 4 steps between two of
 * them, whose errors are much smaller. */
static void errors_within(const dense_call *c, int32_t method, int samples, double error[2]) {
  static const double theta[] = {0.2, 0.5, 0.8};
  static double times[3 * STRIDE], x_at[SAMPLES * 3 * STRIDE * D], log_det_at[SAMPLES * 3 * STRIDE];
  const cnf_dense dense = view(c, method);
  size_t count = 0;
  CHECK(c->accepted[0] <= STRIDE);
  for (int n = 0; n < c->accepted[0] && n < STRIDE; ++n)
    for (int i = 0; i < 3; ++i) times[count++] = c->ends[n] + theta[i] * (c->ends[n + 1] - c->ends[n]);
  cnf_solver *solver = solver_of((cnf_solver_options){
      .method = cnf_method_find("dopri8"), .control = CNF_CONTROL_FIXED, .trace = CNF_TRACE_EXACT, .steps = 4});
  const cnf_solve_input input = {.struct_size = sizeof input,
                                 .parameters = c->theta,
                                 .x0 = c->x0,
                                 .count = (size_t)samples,
                                 .t0 = c->t0,
                                 .t1 = c->t1,
                                 .times = times,
                                 .time_count = count};
  cnf_solve_output output = {.struct_size = sizeof output, .x_at = x_at, .log_det_at = log_det_at};
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  error[0] = error[1] = 0;
  for (size_t i = 0; i < (size_t)samples * count; ++i) {
    double x[D], l;
    CHECK(cnf_dense_evaluate(&dense, i / count, &times[i % count], 1, x, &l) == CNF_OK && isfinite(x[0]) &&
          isfinite(l));
    for (int d = 0; d < D; ++d) error[0] = fmax(error[0], fabs(x[d] - x_at[i * D + (size_t)d]));
    error[1] = fmax(error[1], fabs(l - log_det_at[i]));
  }
  cnf_solver_destroy(solver);
}

/* The parameters of the field are multiplied by `calm`. */
static void errors_of(int32_t method, int steps, double span, double calm, double error[2]) {
  static dense_call c;
  cnf_solver *solver = solver_of((cnf_solver_options){.method = method,
                                                      .control = CNF_CONTROL_FIXED,
                                                      .trace = CNF_TRACE_EXACT_TANGENTS,
                                                      .steps = steps,
                                                      .order = 5,
                                                      .rtol = 1e-12});
  fill(&c, SAMPLES, -0.3, -0.3 + span);
  for (int i = 0; i < P; ++i) c.theta[i] *= calm;
  run(solver, &c, 1);
  errors_within(&c, method, SAMPLES, error);
  cnf_solver_destroy(solver);
}

static void check_slope(const char *name, const char *what, double slope, double expected) {
  char detail[160];
  snprintf(detail, sizeof detail, "%s: slope %.3f, expected %.0f", name, slope, expected);
  check_count(fabs(slope - expected) < 0.2, what, detail, __LINE__);
}

/* Within one step the error is O(h^(dense_order + 1)). Over many steps it is the larger of that and O(h^order). The
 * test halves the steps. Their lengths are such that errors are far above rounding, 1e-15, and higher powers of h far
 * below. */
static void test_order(int32_t method) {
  cnf_method_info info = {.struct_size = sizeof info};
  double coarse[2], fine[2];
  CHECK(cnf_method_get(method, &info) == CNF_OK && info.dense_order >= 1 && info.dense_citation != NULL);
  if (info.family == CNF_FAMILY_PARTITIONED)
    return; /* these have order 1 for this network; partitioned_test.c has separable fields */
  const int adams = info.family == CNF_FAMILY_EXPLICIT_ADAMS || info.family == CNF_FAMILY_IMPLICIT_ADAMS;
  const double calm = info.dense_order == 7 ? 0.6 : 1;
  const double length = info.dense_order == 7 ? 1 : info.dense_order == 6 ? 0.2 : info.dense_order >= 4 ? 0.04 : 0.01;
  if (!adams) { /* the first steps of an Adams method are by another method */
    errors_of(method, 1, length, calm, coarse);
    errors_of(method, 1, length / 2, calm, fine);
    for (int n = 0; n < 2; ++n)
      check_slope(info.name, n ? "log-determinant within a step" : "state within a step", log2(coarse[n] / fine[n]),
                  info.dense_order + 1);
  }
  const int steps = info.dense_order == 7 ? 4 : info.dense_order == 6 ? 8 : adams ? 64 : 24;
  const int order = adams || info.order > info.dense_order ? info.dense_order + 1 : info.order;
  errors_of(method, steps, 1.2, 1, coarse);
  errors_of(method, 2 * steps, 1.2, 1, fine);
  for (int n = 0; n < 2; ++n)
    check_slope(info.name, n ? "log-determinant over steps" : "state over steps", log2(coarse[n] / fine[n]), order);
}

/* ---- Dense output does not change the solve; counts; ends ---- */
static void test_same_bits(int32_t method, int32_t control, int32_t trace) {
  static dense_call with, without;
  cnf_method_info info = {.struct_size = sizeof info};
  cnf_method_get(method, &info);
  if (control != CNF_CONTROL_FIXED && !info.embedded_order) return;
  if (info.family == CNF_FAMILY_ROSENBROCK && trace == CNF_TRACE_HUTCHINSON) return;
  if (info.family == CNF_FAMILY_REVERSIBLE && control == CNF_CONTROL_BATCH) return;
  cnf_solver *solver =
      solver_of((cnf_solver_options){.method = method, .control = control, .trace = trace, .steps = 9});
  fill(&without, COUNT, 0.9, -0.4);
  with = without;
  run(solver, &without, 0);
  run(solver, &with, 1);
  CHECK(memcmp(with.x1, without.x1, sizeof with.x1) == 0);
  CHECK(memcmp(with.log_det, without.log_det, sizeof with.log_det) == 0);
  CHECK(memcmp(with.accepted, without.accepted, sizeof with.accepted) == 0);
  CHECK(memcmp(with.rejected, without.rejected, sizeof with.rejected) == 0);
  const int fsal = info.is_fsal && control == CNF_CONTROL_SAMPLE;
  const int more = info.family == CNF_FAMILY_ROSENBROCK || info.order <= 2 ? 0
                   : info.dense_order == 7                                 ? 5
                   : info.dense_order == 6                                 ? 3
                                                                           : !fsal;
  const cnf_dense dense = view(&with, method);
  for (int i = 0; i < COUNT; ++i) {
    const double *ends = with.ends + i * (STRIDE + 1);
    const int n = with.accepted[i], last = n < STRIDE ? n : STRIDE;
    if (control != CNF_CONTROL_BATCH) CHECK(with.evaluations[i] == without.evaluations[i] + more * n);
    CHECK(ends[0] == with.t0 && with.left_out[i] == n - last && n > 0);
    if (n <= STRIDE) CHECK(ends[n] == with.t1);
    CHECK(n >= STRIDE || isnan(ends[n + 1]));
    double x[D], l;
    CHECK(cnf_dense_evaluate(&dense, (size_t)i, &with.t0, 1, x, &l) == CNF_OK);
    CHECK(memcmp(x, with.x0 + i * D, sizeof x) == 0 && l == 0);
    if (n > STRIDE) continue;
    /* The sum has up to 8 terms, and those of order 7 are up to 300 times as large as the change of a step. */
    CHECK(cnf_dense_evaluate(&dense, (size_t)i, &with.t1, 1, x, &l) == CNF_OK);
    for (int d = 0; d < D; ++d) CHECK(fabs(x[d] - with.x1[i * D + d]) < 1e-12);
    CHECK(fabs(l - with.log_det[i]) < 1e-12);
  }
  cnf_solver_destroy(solver);
}

/* With adaptive steps, errors between the ends are like those at the ends, up to a factor for the error of the
 * interpolant. */
static void test_adaptive(const char *name, double tolerance) {
  static dense_call c;
  const int32_t method = cnf_method_find(name);
  double error[2];
  char detail[160];
  cnf_solver *solver =
      solver_of((cnf_solver_options){.method = method, .trace = CNF_TRACE_EXACT_TANGENTS, .rtol = tolerance});
  fill(&c, COUNT, 1.1, -0.2); /* backward in time */
  run(solver, &c, 1);
  errors_within(&c, method, 1, error);
  snprintf(detail, sizeof detail, "%s: errors %g and %g", name, error[0], error[1]);
  check_count(error[0] < 30 * tolerance && error[1] < 30 * tolerance, "adaptive", detail, __LINE__);
  cnf_solver_destroy(solver);
}

/* The polynomials of a sample have the same bits alone, among others, at any position and with any number of
 * threads. */
static void test_independence(int32_t method, int32_t control) {
  static dense_call all, threads, alone;
  const cnf_solver_options one = {.method = method, .control = control, .trace = CNF_TRACE_EXACT_TANGENTS, .steps = 5};
  cnf_solver_options three = one;
  three.threads = 3;
  cnf_solver *solver = solver_of(one), *other = solver_of(three);
  fill(&all, COUNT, 0, 1);
  threads = all;
  memset(all.dense, 0, sizeof all.dense), memset(threads.dense, 0, sizeof threads.dense);
  run(solver, &all, 1);
  run(other, &threads, 1);
  CHECK(memcmp(all.dense, threads.dense, sizeof all.dense) == 0);
  CHECK(memcmp(all.evaluations, threads.evaluations, sizeof all.evaluations) == 0);
  const size_t row = (size_t)view(&all, method).terms * (D + 1) * STRIDE;
  for (int i = 0; i < COUNT; i += 9) {
    fill(&alone, 1, 0, 1);
    memcpy(alone.x0, all.x0 + i * D, D * sizeof(double));
    run(solver, &alone, 1);
    CHECK(memcmp(alone.dense, all.dense + (size_t)i * row, row * sizeof(double)) == 0);
    CHECK(alone.evaluations[0] == all.evaluations[i]);
    for (int n = 0; n <= alone.accepted[0]; ++n) CHECK(alone.ends[n] == all.ends[i * (STRIDE + 1) + n]);
  }
  cnf_solver_destroy(solver);
  cnf_solver_destroy(other);
}

/* ---- Steps that do not fit, failures, and empty intervals ---- */
static void test_little_room(void) {
  static dense_call c;
  const int32_t method = cnf_method_find("dopri5");
  cnf_solver *solver = solver_of((cnf_solver_options){.method = method, .trace = CNF_TRACE_EXACT, .rtol = 1e-8});
  fill(&c, 3, 0, 1);
  c.stride = 2;
  run(solver, &c, 1);
  const cnf_dense dense = view(&c, method);
  for (int i = 0; i < 3; ++i) {
    const double times[] = {c.ends[i * 3 + 2], c.t1, -1e-9, NAN};
    double x[4 * D], l[4];
    CHECK(c.left_out[i] == c.accepted[i] - 2 && c.left_out[i] > 0);
    CHECK(cnf_dense_evaluate(&dense, (size_t)i, times, 4, x, l) == CNF_OK);
    CHECK(isfinite(x[0]) && isfinite(l[0]));
    for (int n = 1; n < 4; ++n) CHECK(isnan(x[n * D]) && isnan(x[n * D + 1]) && isnan(l[n]));
  }
  cnf_solver_destroy(solver);
}

static void test_failures(void) {
  static dense_call c;
  const int32_t method = cnf_method_find("dopri5");
  cnf_solver *solver =
      solver_of((cnf_solver_options){.method = method, .trace = CNF_TRACE_EXACT, .rtol = 1e-8, .max_steps = 3});
  fill(&c, 3, 0, 5);
  c.x0[D] = NAN;
  run(solver, &c, 1);
  const cnf_dense dense = view(&c, method);
  double t = c.t0, x[D], l;
  CHECK(c.status[0] == CNF_SAMPLE_MAX_STEPS && c.status[1] == CNF_SAMPLE_NOT_FINITE);
  CHECK(cnf_dense_evaluate(&dense, 0, &c.t1, 1, x, &l) == CNF_OK && isnan(x[0]) && isnan(l));
  CHECK(cnf_dense_evaluate(&dense, 0, &c.ends[c.accepted[0]], 1, x, &l) == CNF_OK);
  for (int d = 0; d < D; ++d) CHECK(fabs(x[d] - c.x1[d]) < 1e-13);
  CHECK(cnf_dense_evaluate(&dense, 1, &t, 1, x, &l) == CNF_OK && isnan(x[0]) && x[1] == c.x0[D + 1] && l == 0);
  fill(&c, 3, 2, 2);
  run(solver, &c, 1);
  t = 2;
  CHECK(cnf_dense_evaluate(&dense, 2, &t, 1, x, &l) == CNF_OK && memcmp(x, c.x0 + 2 * D, sizeof x) == 0 && l == 0);
  cnf_solver_destroy(solver);
}

static void test_refusals(void) {
  static dense_call c;
  const int32_t method = cnf_method_find("dopri5");
  cnf_solver *solver = solver_of((cnf_solver_options){.method = method, .trace = CNF_TRACE_EXACT});
  fill(&c, 1, 0, 1);
  run(solver, &c, 1);
  const cnf_dense good = view(&c, method);
  double x[D], l, t = 0.5;
  cnf_dense bad;
#define REFUSED(status, change)                   \
  (bad = good, change, pattern_fill(x, sizeof x), \
   CHECK_STATUS(status, cnf_dense_evaluate(&bad, 0, &t, 1, x, &l), #change), CHECK(pattern_intact(x, sizeof x)))
  REFUSED(CNF_ERROR_STRUCT_SIZE, bad.struct_size = 8);
  REFUSED(CNF_ERROR_OPTION, bad.reserved = 1);
  REFUSED(CNF_ERROR_NULL, bad.coefficients = NULL);
  REFUSED(CNF_ERROR_NULL, bad.ends = NULL);
  REFUSED(CNF_ERROR_DTYPE, bad.dtype = 7);
  REFUSED(CNF_ERROR_SIZE, bad.state_dim = 0);
  REFUSED(CNF_ERROR_SIZE, bad.terms = 1);
  REFUSED(CNF_ERROR_SIZE, bad.terms = 9);
  REFUSED(CNF_ERROR_SIZE, bad.stride = 0);
  REFUSED(CNF_ERROR_SIZE, bad.stride = SIZE_MAX / 2);
  REFUSED(CNF_ERROR_SIZE, bad.count = 0);
  CHECK_STATUS(CNF_ERROR_NULL, cnf_dense_evaluate(NULL, 0, &t, 1, x, &l), "no dense");
  CHECK_STATUS(CNF_ERROR_NULL, cnf_dense_evaluate(&good, 0, NULL, 1, x, &l), "no times");
  CHECK_STATUS(CNF_ERROR_SIZE, cnf_dense_evaluate(&good, 1, &t, 1, x, &l), "no such sample");
  CHECK_STATUS(CNF_OK, cnf_dense_evaluate(&good, 0, NULL, 0, NULL, NULL), "nothing asked for");
  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = c.theta, .x0 = c.x0, .count = 1, .t0 = 0, .t1 = 1};
  cnf_solve_output output = {.struct_size = sizeof output, .dense = c.dense, .dense_stride = 4};
  CHECK_STATUS(CNF_ERROR_NULL, cnf_solve(solver, &input, &output), "dense without ends");
  output.dense_ends = c.ends, output.dense_stride = 0;
  CHECK_STATUS(CNF_ERROR_SIZE, cnf_solve(solver, &input, &output), "dense without room");
  output.dense_stride = SIZE_MAX / 16;
  CHECK_STATUS(CNF_ERROR_SIZE, cnf_solve(solver, &input, &output), "dense larger than memory");
  cnf_solver_destroy(solver);
}

/* In single precision, the result equals that of a double solve up to rounding. */
static void test_single(void) {
  static dense_call c;
  static float theta[P], x0[D], dense[STRIDE * ROOM];
  double ends[STRIDE + 1], t = 0.37, l, l32, x[D];
  float x32[D];
  const cnf_op ops[OP_COUNT] = OPS;
  const int32_t method = cnf_method_find("tsit5");
  cnf_field *field = NULL;
  cnf_solver *solver = solver_of(
      (cnf_solver_options){.method = method, .control = CNF_CONTROL_FIXED, .trace = CNF_TRACE_EXACT, .steps = 10});
  fill(&c, 1, 0, 1);
  run(solver, &c, 1);
  const cnf_dense wide = view(&c, method);
  CHECK(cnf_dense_evaluate(&wide, 0, &t, 1, x, &l) == CNF_OK);
  cnf_solver_destroy(solver);
  for (int i = 0; i < P; ++i) theta[i] = (float)c.theta[i];
  for (int d = 0; d < D; ++d) x0[d] = (float)c.x0[d];
  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  options.method = method, options.control = CNF_CONTROL_FIXED, options.steps = 10, options.threads = 1;
  CHECK(cnf_field_create(CNF_FLOAT32, D, ops, OP_COUNT, sizeof(cnf_op), &field) == CNF_OK);
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  cnf_field_destroy(field);
  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = theta, .x0 = x0, .count = 1, .t0 = 0, .t1 = 1};
  cnf_solve_output output = {.struct_size = sizeof output, .dense = dense, .dense_ends = ends, .dense_stride = STRIDE};
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  cnf_dense narrow = wide;
  narrow.dtype = CNF_FLOAT32, narrow.coefficients = dense, narrow.ends = ends;
  CHECK(cnf_dense_evaluate(&narrow, 0, &t, 1, x32, &l32) == CNF_OK);
  for (int d = 0; d < D; ++d) CHECK(fabs((double)x32[d] - x[d]) < 1e-5); /* 10 steps of 6 stages with 30 sums: 80 ulp */
  CHECK(fabs(l32 - l) < 1e-5);
  cnf_solver_destroy(solver);
}

int main(void) {
  for (int32_t method = 0; method < cnf_method_count(); ++method) {
    test_order(method);
    for (int32_t trace = CNF_TRACE_NONE; trace <= CNF_TRACE_EXACT; ++trace)
      for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_BATCH; ++control)
        test_same_bits(method, control, trace);
  }
  const char *const adaptive[] = {"bosh3", "dopri5", "tsit5", "vern7", "dopri8", "rodas4"};
  for (size_t i = 0; i < sizeof adaptive / sizeof adaptive[0]; ++i) {
    test_adaptive(adaptive[i], 1e-6);
    test_independence(cnf_method_find(adaptive[i]), CNF_CONTROL_SAMPLE);
    test_independence(cnf_method_find(adaptive[i]), CNF_CONTROL_FIXED);
  }
  test_independence(cnf_method_find("implicit_adams"), CNF_CONTROL_FIXED);
  test_little_room();
  test_failures();
  test_refusals();
  test_single();
  return check_report();
}
