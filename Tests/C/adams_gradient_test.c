/* adams_gradient_test.c - gradients of Adams methods.
 *
 * The discrete gradient of explicit_adams is compared with central differences of the solve, with and without output
 * times. Output times are tested for both methods, and the continuous adjoint of implicit_adams.
 */
#include "gradient_fixture.h"

static problem adams_problem(cnf_field *field, int32_t dim, const char *method, int32_t order, int32_t steps) {
  problem p = problem_of(field, dim, 0.5);
  p.options.method = cnf_method_find(method);
  p.options.adjoint = CNF_ADJOINT_DISCRETE;
  p.options.control = CNF_CONTROL_FIXED, p.options.steps = steps, p.options.order = order;
  p.options.rtol = p.options.atol = 1e-9; /* for the iteration of implicit_adams */
  set_cotangents(&p, 0, NULL);
  return p;
}

/* ---- The gradient ------------------------------------------------------------------------------------------------ */

/* With steps of 5e-4, the truncation error of differences is 6e-14/30 of a fifth derivative, which is at most 1e3 for
 * log-determinants of tanh networks. Their rounding error is 2^-52 |L|/5e-4 with L below 100. */
static const double STEP = 5e-4, TOLERANCE = 1e-9;

typedef struct how {
  int kind, order, steps, regularised, backward;
  int32_t trace;
  size_t time_count;
  const double *places;
  int moves; /* 1: single times are moved too; intervals may become unequal, since slopes are not kept across them */
} how;

static void check_central(problem *p, cnf_solver *solver, size_t count, double *variable, double got, const char *what,
                          how h, int number) {
  const double expected = central(p, solver, count, variable, STEP);
  char detail[400];
  snprintf(
      detail, sizeof detail,
      "field %d order %d steps %d trace %d regularised %d backward %d times %d, index %d: %.12g, by differences %.12g",
      h.kind, h.order, h.steps, (int)h.trace, h.regularised, h.backward, (int)h.time_count, number, got, expected);
  check_count(fabs(got - expected) < TOLERANCE * fmax(1, fabs(expected)), what, detail, __LINE__);
}

/* The loss with all times scaled about t0 by `growth` and moved by `shift`, so that equal intervals stay equal. */
static double loss_of_times(problem *p, cnf_solver *solver, size_t count, double growth, double shift) {
  problem q = *p;
  q.t0 = p->t0 + shift, q.t1 = p->t0 + growth * (p->t1 - p->t0) + shift;
  for (size_t i = 0; i < p->time_count; ++i) q.times[i] = p->t0 + growth * (p->times[i] - p->t0) + shift;
  return loss_value(&q, solver, count);
}

static double sum_of(const double *x, size_t count, size_t stride) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += x[i * stride];
  return sum;
}

static void check_times(problem *p, cnf_solver *solver, size_t count, const answer *a, how h) {
  const double t0_bar = sum_of(a->t0_bar, count, 1), t1_bar = sum_of(a->t1_bar, count, 1);
  double shift = t0_bar + t1_bar, growth = (p->t1 - p->t0) * t1_bar, value[2][4];
  for (size_t n = 0; n < p->time_count; ++n) {
    const double bar = sum_of(a->times_bar + n, count, p->time_count);
    if (h.moves) check_central(p, solver, count, &p->times[n], bar, "dL/dtimes", h, (int)n);
    shift += bar, growth += (p->times[n] - p->t0) * bar;
  }
  if (h.moves) check_central(p, solver, count, &p->t0, t0_bar, "dL/dt0", h, 0);
  if (h.moves) check_central(p, solver, count, &p->t1, t1_bar, "dL/dt1", h, 0);
  for (int i = 0; i < 4; ++i) {
    const double s = STEP * (i < 2 ? i - 2 : i - 1);
    value[0][i] = loss_of_times(p, solver, count, 1, s), value[1][i] = loss_of_times(p, solver, count, 1 + s, 0);
  }
  for (int i = 0; i < 2; ++i) {
    const double got = i ? growth : shift;
    const double expected = (8 * (value[i][2] - value[i][1]) - (value[i][3] - value[i][0])) / (12 * STEP);
    char detail[200];
    snprintf(detail, sizeof detail, "order %d steps %d backward %d times %d: %.12g, by differences %.12g", h.order,
             h.steps, h.backward, (int)h.time_count, got, expected);
    check_count(fabs(got - expected) < TOLERANCE * fmax(1, fabs(expected)), i ? "growth" : "shift", detail, __LINE__);
  }
}

static void test_gradient(how h) {
  enum { SAMPLES = 3 };
  static answer a;
  int32_t dim;
  cnf_field *field = make_field(h.kind, &dim);
  problem p = adams_problem(field, dim, "explicit_adams", h.order, h.steps);
  p.options.trace = h.trace, p.options.probes = 2;
  if (h.backward) p.t0 = 1.1, p.t1 = 0.2;
  set_cotangents(&p, h.time_count, h.places);
  p.options.kinetic = h.regularised & 1, p.options.frobenius = h.regularised >> 1 & (h.trace != CNF_TRACE_NONE);
  p.loss.kinetic = p.options.kinetic ? 0.3 : 0, p.loss.frobenius = p.options.frobenius ? 0.2 : 0;
  cnf_solver *solver = NULL;
  CHECK(cnf_solver_create(field, &p.options, &solver) == CNF_OK);
  solve_some(&p, 0, SAMPLES, &a);
  for (size_t i = 0; i < p.parameters; ++i)
    check_central(&p, solver, SAMPLES, &p.theta[i], a.theta_bar[i], "dL/dtheta", h, (int)i);
  for (int i = 0; i < SAMPLES * dim; ++i) check_central(&p, solver, SAMPLES, &p.x0[i], a.x0_bar[i], "dL/dx0", h, i);
  check_times(&p, solver, SAMPLES, &a, h);
  /* The two first steps have four evaluations each. Later steps, if there are any, use the first slope of both once
   * more. */
  const int longest = h.order == 0 || h.order >= 4, multi = longest && h.steps > 2 ? h.steps - 2 : 0;
  if (h.time_count == 0) CHECK(a.reversed[0] == (multi ? 2 * 5 + multi : 4 * h.steps));
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* ---- Output times ------------------------------------------------------------------------------------------------ */

static void plain_solve(const problem *p, size_t count, answer *a) {
  cnf_solver *solver = NULL;
  uint64_t ids[COUNT];
  const cnf_solve_input input = input_of(p, 0, count, ids);
  cnf_solve_output output = output_of(p, a);
  CHECK(cnf_solver_create(p->field, &p->options, &solver) == CNF_OK);
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  cnf_solver_destroy(solver);
}

static const double THIRDS[] = {1.0 / 3, 2.0 / 3}, UNEQUAL[] = {0.2, 0.7},
                    REPEATED[] = {0, 1.0 / 3, 1.0 / 3, 2.0 / 3, 1};

/* With equal intervals, a solve with output times equals one without, up to the rounding of the times of steps. Output
 * times at t0, at t1 or given twice change no bit. With unequal intervals, it equals solves one after the other, to the
 * bit. */
static void test_times(const char *method, int32_t order, int32_t steps, int backward) {
  static answer whole, cut, repeated, part;
  int32_t dim;
  cnf_field *field = make_field(TWO_HIDDEN, &dim);
  const size_t D = (size_t)dim;
  problem p = adams_problem(field, dim, method, order, steps);
  if (backward) p.t0 = 1.1, p.t1 = 0.2;
  set_cotangents(&p, 2, THIRDS);
  plain_solve(&p, COUNT, &cut);
  set_cotangents(&p, 5, REPEATED);
  plain_solve(&p, COUNT, &repeated);
  set_cotangents(&p, 0, NULL);
  p.options.steps = 3 * steps;
  plain_solve(&p, COUNT, &whole);
  /* rounding of times, 2^-52, and of about 36 steps, whose sums of 12 slopes have terms up to 20 times their result */
  CHECK(difference(cut.x1, whole.x1, COUNT * D) < 1e-12 && difference(cut.log_det, whole.log_det, COUNT) < 1e-12);
  CHECK(memcmp(cut.x1, repeated.x1, COUNT * D * sizeof(double)) == 0);
  CHECK(memcmp(cut.log_det, repeated.log_det, COUNT * sizeof(double)) == 0);
  for (size_t i = 0; i < COUNT; ++i) {
    const double *at = repeated.x_at + 5 * i * D;
    CHECK(memcmp(at, p.x0 + i * D, D * sizeof(double)) == 0 &&
          memcmp(at + 4 * D, cut.x1 + i * D, D * sizeof(double)) == 0);
    CHECK(memcmp(at + D, cut.x_at + 2 * i * D, D * sizeof(double)) == 0);
    CHECK(memcmp(at + 2 * D, at + D, D * sizeof(double)) == 0 && cut.status[i] == CNF_SAMPLE_OK);
  }

  p.options.steps = steps;
  set_cotangents(&p, 2, UNEQUAL);
  plain_solve(&p, COUNT, &cut);
  problem piece = p;
  piece.time_count = 0;
  for (int n = 0; n < 3; ++n) {
    piece.t0 = n == 0 ? p.t0 : p.times[n - 1], piece.t1 = n == 2 ? p.t1 : p.times[n];
    plain_solve(&piece, COUNT, &part);
    for (size_t i = 0; i < COUNT; ++i) {
      const double *end = n == 2 ? cut.x1 + i * D : cut.x_at + (2 * i + (size_t)n) * D;
      /* not the log-determinant: implicit_adams's iteration depends on its size */
      CHECK(memcmp(part.x1 + i * D, end, D * sizeof(double)) == 0);
    }
    memcpy(piece.x0, part.x1, sizeof piece.x0);
  }
  cnf_field_destroy(field);
}

/* ---- Promises ---------------------------------------------------------------------------------------------------- */

static void test_same_bits(int kind, int32_t trace, int32_t adjoint, const char *method) {
  static answer all, other;
  int32_t dim;
  cnf_field *field = make_field(kind, &dim);
  problem p = adams_problem(field, dim, method, 6, 5);
  const size_t D = (size_t)dim;
  p.options.trace = trace, p.options.adjoint = adjoint;
  set_cotangents(&p, 2, THIRDS);
  solve_all(&p, &all);
  for (size_t i = 0; i < COUNT; i += 3) {
    const size_t count = i % 2 ? 1 : 5 < COUNT - i ? 5 : COUNT - i;
    solve_some(&p, i, count, &other);
    CHECK(memcmp(other.x0_bar, all.x0_bar + i * D, count * D * sizeof(double)) == 0);
    CHECK(memcmp(other.times_bar, all.times_bar + 2 * i, 2 * count * sizeof(double)) == 0);
    CHECK(memcmp(other.t0_bar, all.t0_bar + i, count * sizeof(double)) == 0);
    CHECK(memcmp(other.t1_bar, all.t1_bar + i, count * sizeof(double)) == 0);
    CHECK(memcmp(other.reversed, all.reversed + i, count * sizeof(int32_t)) == 0);
  }
  p.options.threads = 3;
  solve_all(&p, &other);
  CHECK(memcmp(other.theta_bar, all.theta_bar, p.parameters * sizeof(double)) == 0);
  p.x0[4 * D] = NAN;
  solve_all(&p, &other);
  CHECK(other.status[4] == CNF_SAMPLE_NOT_FINITE && largest_of(other.x0_bar + 4 * D, D) == 0);
  for (size_t i = 0; i < COUNT; ++i)
    if (i != 4) CHECK(memcmp(other.x0_bar + i * D, all.x0_bar + i * D, D * sizeof(double)) == 0);
  CHECK(isfinite(largest_of(other.theta_bar, p.parameters)) && other.theta_bar[0] != all.theta_bar[0]);
  cnf_field_destroy(field);
}

/* implicit_adams refuses the discrete gradient, and the message names the continuous adjoint. That works, also with
 * output times, with order 4: its backward solve is by rk4_38. */
static void test_implicit(void) {
  static answer exact, a;
  int32_t dim;
  cnf_field *field = make_field(TWO_HIDDEN, &dim);
  problem p = adams_problem(field, dim, "implicit_adams", 6, 8);
  set_cotangents(&p, 2, THIRDS);
  cnf_solver *solver = NULL;
  uint64_t ids[COUNT];
  const cnf_solve_input input = input_of(&p, 0, COUNT, ids);
  const cnf_loss loss = loss_of(&p, 0);
  cnf_gradient gradient = {.struct_size = sizeof gradient, .x0 = a.x0_bar};
  CHECK(cnf_solver_create(field, &p.options, &solver) == CNF_OK);
  CHECK(cnf_solve_vjp(solver, &input, &loss, NULL, &gradient) == CNF_ERROR_METHOD_GRADIENT);
  CHECK(strstr(cnf_status_message(CNF_ERROR_METHOD_GRADIENT), "implicit_adams has the continuous adjoint") != NULL);
  cnf_solver_destroy(solver);
  problem tight = p;
  tight.options.method = cnf_method_find("dopri8"), tight.options.control = CNF_CONTROL_SAMPLE;
  tight.options.rtol = tight.options.atol = 1e-12;
  solve_all(&tight, &exact);
  p.options.adjoint = CNF_ADJOINT_CONTINUOUS;
  double error[2];
  for (int level = 0; level < 2; ++level) {
    p.options.steps = 8 << level;
    solve_all(&p, &a);
    error[level] = distance(&p, &a, &exact);
  }
  char detail[120];
  snprintf(detail, sizeof detail, "%g, %g, order %g", error[0], error[1], log2(error[0] / error[1]));
  check_count(log2(error[0] / error[1]) > 3.8 && error[1] < 1e-6, "continuous, order 4", detail, __LINE__);
  cnf_field_destroy(field);
}

int main(void) {
  for (int backward = 0; backward < 2; ++backward) {
    for (int order = 0; order <= 12; ++order) { /* more steps than slopes in the formula, and fewer */
      test_gradient((how){SHALLOW, order, order == 0 ? 16 : order + 3, 3, backward, CNF_TRACE_EXACT, 0, NULL, 1});
      test_gradient((how){SHALLOW, order, 2, 0, backward, CNF_TRACE_EXACT, 0, NULL, 1});
      test_gradient((how){SHALLOW, order, 4, 2, backward, CNF_TRACE_HUTCHINSON, 2, UNEQUAL, 1});
      test_gradient((how){SHALLOW, order, 3, 1, backward, CNF_TRACE_EXACT_PRODUCT, 2, THIRDS, 0});
      test_gradient((how){SHALLOW, order, 1, 3, backward, CNF_TRACE_EXACT, 5, REPEATED, 0});
    }
    for (int kind = 0; kind < FIELD_KINDS; ++kind) {
      test_gradient((how){kind, 6, 7, 1, backward, CNF_TRACE_NONE, 2, THIRDS, 0});
      test_gradient((how){kind, 6, 7, 2, backward, CNF_TRACE_EXACT_TANGENTS, 2, UNEQUAL, 1});
    }
    for (int32_t order = 3; order <= 12; ++order)
      for (int32_t steps = 1; steps <= 7; steps += 3) {
        test_times("explicit_adams", order, steps, backward);
        test_times("implicit_adams", order, steps, backward);
      }
  }
  test_same_bits(TWO_HIDDEN, CNF_TRACE_EXACT_PRODUCT, CNF_ADJOINT_DISCRETE, "explicit_adams");
  test_same_bits(CALLBACK, CNF_TRACE_HUTCHINSON, CNF_ADJOINT_DISCRETE, "explicit_adams");
  test_same_bits(WIDE, CNF_TRACE_EXACT_TANGENTS, CNF_ADJOINT_DISCRETE, "explicit_adams");
  test_same_bits(LINEAR_ENDS, CNF_TRACE_HUTCHINSON, CNF_ADJOINT_CONTINUOUS, "explicit_adams");
  test_same_bits(TWO_HIDDEN, CNF_TRACE_EXACT, CNF_ADJOINT_CONTINUOUS, "implicit_adams");
  test_implicit();
  return check_report();
}
