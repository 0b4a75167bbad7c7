/* partitioned_test.c - symplectic methods: their coefficients, convergence, invariants and gradients.
 *
 * Expected results: the order conditions of bicoloured trees; dopri8 with errors of 1e-13; M' J M = J, M being the
 * Jacobian of a solve of a Hamiltonian field; the energy of a pendulum; a solve forward and back; central differences;
 * for the continuous adjoint, the gradient of a solve with many steps. A check of an invariant is also made with rk4,
 * which must fail it.
 */
#include "solve/methods/tableau.h"
#include "structure_fixture.h"

static const char *const methods[] = {"symplectic_euler", "leapfrog", "position_verlet", "yoshida4"};
enum { METHODS = sizeof methods / sizeof methods[0], HALF = 2 };

static int order_of(const char *name) { return cnf_tableau_at(cnf_method_find(name))->order; }

/* ---- Coefficients ----------------------------------------------------------------------------------------------- */

/* Sets u_i of node `node` of colour `half` (0: positions): the product over its children, which have the other colour,
 * of sum_j a_ij u_j. Here a is the matrix of the other half, because it gives the other half's rows at stage i. */
static void stage_weights(const cnf_tableau *t, const int *parent, int nodes, int node, int half, double *u) {
  for (int i = 0; i < t->stages; ++i) u[i] = 1;
  for (int child = node + 1; child < nodes; ++child) {
    double inner[CNF_MAX_STAGES];
    if (parent[child] != node) continue;
    stage_weights(t, parent, nodes, child, !half, inner);
    for (int i = 0; i < t->stages; ++i) {
      const double *row = half ? t->a[i] : t->momenta->a[i];
      double sum = 0;
      for (int j = 0; j < i; ++j) sum += row[j] * inner[j];
      u[i] *= sum;
    }
  }
}

/* The largest error of sum_i b_i u_i = 1/gamma over all trees of `nodes` nodes and both colours of the root (in a
 * separable field, neighbours differ in colour). Every tree can be numbered so that parents come first; all such
 * numberings are tried. */
static double worst_condition(const cnf_tableau *t, int nodes) {
  int parent[8] = {0};
  double worst = 0;
  for (;;) {
    double density = 1, u[CNF_MAX_STAGES];
    for (int node = 0; node < nodes; ++node) {
      int size = 0;
      for (int n = 0; n < nodes; ++n) {
        int at = n;
        while (at > node) at = parent[at];
        size += at == node;
      }
      density *= size;
    }
    for (int half = 0; half < 2; ++half) {
      const double *b = half ? t->momenta->b : t->b;
      double sum = 0;
      stage_weights(t, parent, nodes, 0, half, u);
      for (int i = 0; i < t->stages; ++i) sum += b[i] * u[i];
      worst = fmax(worst, fabs(sum - 1 / density));
    }
    int node = nodes - 1;
    while (node > 0 && parent[node] == node - 1) parent[node--] = 0;
    if (node <= 0) return worst;
    ++parent[node];
  }
}

static void test_coefficients(void) {
  const double tolerance = 1e-13; /* products of five coefficients of at most 1.7, each rounded once */
  int found = 0;
  for (int32_t method = 0; method < cnf_tableau_count(); ++method) {
    const cnf_tableau *t = cnf_tableau_at(method);
    CHECK((t->momenta != NULL) == (t->family == CNF_FAMILY_PARTITIONED));
    if (!t->momenta) continue;
    ++found;
    CHECK(t->embedded_order == 0 && *t->citation);
    for (int order = 1; order <= t->order; ++order) CHECK(worst_condition(t, order) < tolerance);
    CHECK(worst_condition(t, t->order + 1) > 1e-3);
    double time[2] = {0, 0};
    for (int i = 0; i < t->stages; ++i) {
      int updates[2] = {t->b[i] != 0, t->momenta->b[i] != 0};
      for (int j = 0; j < t->stages; ++j) {
        if (i >= j) CHECK(t->a[j][i] == 0 || i < j);
        updates[0] |= t->a[j][i] != 0, updates[1] |= t->momenta->a[j][i] != 0;
        if (j <= i) CHECK(t->a[j][i] == 0 && t->momenta->a[j][i] == 0); /* explicit */
      }
      CHECK(updates[0] + updates[1] == 1); /* a stage updates one half, at the time that the other half has reached */
      CHECK(cnf_tableau_half(t, i) == (updates[1] ? CNF_HALF_MOMENTA : CNF_HALF_POSITIONS));
      CHECK(fabs(cnf_tableau_c(t, i) - time[!updates[1]]) < tolerance);
      time[updates[1]] += updates[1] ? t->momenta->b[i] : t->b[i];
    }
    CHECK(cnf_tableau_c(t, 0) == 0 && cnf_tableau_c(t, t->stages - 1) == 1);
    cnf_method_info info = {.struct_size = sizeof info};
    CHECK(cnf_method_get(method, &info) == CNF_OK && info.family == CNF_FAMILY_PARTITIONED && !info.e && !info.is_fsal);
    CHECK(info.momenta_b == t->momenta->b && info.momenta_a == &t->momenta->a[0][0]);
  }
  CHECK(found == METHODS);
  CHECK(cnf_method_find("stormer_verlet") == cnf_method_find("leapfrog"));
}

/* ---- Fields ----------------------------------------------------------------------------------------------------- */

/* The field SHALLOW with parameters that make it separable: half of the hidden units read (q, t) and give p', the
 * others read (p, t) and give q'. If `hamiltonian`, f = (dT/dp, -dV/dq), because the last layer is the transpose of the
 * first. */
static problem separable(int hamiltonian) {
  enum { D = 2 * HALF, COLS = D + 1 };
  problem p = problem_of(SHALLOW, 0.7);
  double *first = p.theta, *last = p.theta + HIDDEN * COLS + HIDDEN;
  for (int j = 0; j < HIDDEN; ++j) {
    const int reads = j < HIDDEN / 2 ? 0 : HALF, writes = HALF - reads;
    for (int d = 0; d < D; ++d) {
      if (d / HALF != reads / HALF) first[j * COLS + d] = 0;
      if (d / HALF != writes / HALF) last[d * HIDDEN + j] = 0;
    }
    for (int d = 0; hamiltonian && d < HALF; ++d)
      last[(writes + d) * HIDDEN + j] = (writes ? -1 : 1) * first[j * COLS + reads + d];
  }
  return p;
}

/* q' = p, p' = -sin q */
static cnf_field *pendulum(void) {
  const cnf_op ops[] = {LINEAR(CNF_STATE, 1, CNF_ACTIVATION_SIN),
                        LINEAR(CNF_STATE, 1, CNF_ACTIVATION_IDENTITY),
                        {.kind = CNF_OP_CONCAT, .input = 2, .input2 = 1},
                        LINEAR(3, 2, CNF_ACTIVATION_IDENTITY)};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, 2, ops, 4, sizeof(cnf_op), &field) == CNF_OK);
  return field;
}
static const double pendulum_theta[] = {1, 0, 0, 0, 1, 0, 1, 0, 0, -1, 0, 0};

/* ---- Convergence and invariants --------------------------------------------------------------------------------- */

/* The order of the errors of states and of both regularisers, whose integrals use the weights of both halves. */
static void test_convergence(const char *method, int is_separable, int backward) {
  static answer exact, a;
  problem p = separable(0);
  const double order = is_separable ? order_of(method) : 1;
  if (!is_separable) /* one unit reads a row of each half */
    p.theta[0] = p.theta[2] = 0.9, p.theta[1] = p.theta[3] = -0.4;
  p.t0 = backward ? 1.4 : -0.6, p.t1 = backward ? -0.6 : 1.4;
  p.options.trace = CNF_TRACE_EXACT_TANGENTS, p.options.kinetic = p.options.frobenius = 1;
  problem tight = p;
  tight.options.method = cnf_method_find("dopri8"), tight.options.steps = 200;
  solve_some(&tight, 0, COUNT, 0, &exact);
  p.options.method = cnf_method_find(method);
  double errors[3][2];
  for (int level = 0; level < 2; ++level) {
    p.options.steps = (order < 2 ? 256 : order < 4 ? 64 : 32) << (2 * level);
    solve_some(&p, 0, COUNT, 0, &a);
    errors[0][level] = difference(a.x1, exact.x1, (size_t)(COUNT * p.dim));
    errors[1][level] = difference(a.kinetic, exact.kinetic, COUNT);
    errors[2][level] = difference(a.frobenius, exact.frobenius, COUNT);
    if (is_separable) CHECK(largest_of(a.log_det, COUNT) == 0);
  }
  for (int n = 0; n < 3; ++n) {
    char detail[160];
    const double slope = log2(errors[n][0] / errors[n][1]) / 2;
    snprintf(detail, sizeof detail, "%s, separable %d, backward %d, quantity %d: slope %g, errors %g %g", method,
             is_separable, backward, n, slope, errors[n][0], errors[n][1]);
    check_count(fabs(slope - order) < 0.2, "order", detail, __LINE__);
  }
  cnf_field_destroy(p.field);
}

/* The largest entry of M' J M - J, M being the Jacobian of a whole solve. Row r of M is the gradient of x1[r]. */
static double symplectic_defect(problem *p) {
  static answer a;
  enum { D = 2 * HALF };
  double M[D][D], worst = 0;
  memset(p->log_det_bar, 0, sizeof p->log_det_bar);
  for (int r = 0; r < D; ++r) {
    memset(p->x1_bar, 0, sizeof p->x1_bar);
    for (int i = 0; i < COUNT; ++i) p->x1_bar[i * D + r] = 1;
    solve_some(p, 0, 1, 1, &a);
    memcpy(M[r], a.x0_bar, sizeof M[r]);
  }
  for (int i = 0; i < D; ++i)
    for (int j = 0; j < D; ++j) {
      double sum = 0;
      for (int n = 0; n < HALF; ++n) sum += M[n][i] * M[n + HALF][j] - M[n + HALF][i] * M[n][j];
      worst = fmax(worst, fabs(sum - (j == i + HALF) + (i == j + HALF)));
    }
  return worst;
}

static void test_symplecticity(void) {
  problem p = separable(1);
  p.options.trace = CNF_TRACE_NONE;
  p.t0 = 0, p.t1 = 4, p.options.steps = 10;
  for (int m = 0; m < METHODS; ++m) {
    p.options.method = cnf_method_find(methods[m]);
    /* rounding of 10 steps, each of 7 products of 4 x 4 matrices with entries up to 10 */
    CHECK(symplectic_defect(&p) < 1e-12);
  }
  p.options.method = cnf_method_find("rk4");
  CHECK(symplectic_defect(&p) > 1e-6);
  p.options.method = cnf_method_find("leapfrog");
  p.theta[HALF] = 0.5; /* no longer separable */
  CHECK(symplectic_defect(&p) > 1e-6);
  cnf_field_destroy(p.field);
}

/* The largest error of the pendulum's energy in the first tenth of 1e5 steps, and in all of them, from 99 output
 * times. */
static void energy_errors(const char *method, double *early, double *all) {
  enum { SAMPLES = 99, STEPS = 1000 };
  const double x0[] = {1.2, 0}, h = 0.5;
  double times[SAMPLES], x_at[2 * SAMPLES];
  cnf_field *field = pendulum();
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  options.method = cnf_method_find(method), options.control = CNF_CONTROL_FIXED, options.steps = STEPS;
  options.max_steps = (SAMPLES + 1) * STEPS + 1, options.trace = CNF_TRACE_NONE;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  for (int i = 0; i < SAMPLES; ++i) times[i] = (i + 1) * STEPS * h;
  const cnf_solve_input input = {.struct_size = sizeof input,
                                 .parameters = pendulum_theta,
                                 .x0 = x0,
                                 .count = 1,
                                 .t1 = (SAMPLES + 1) * STEPS * h,
                                 .times = times,
                                 .time_count = SAMPLES};
  cnf_solve_output output = {.struct_size = sizeof output, .x_at = x_at};
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  *early = *all = 0;
  for (int i = 0; i < SAMPLES; ++i) {
    const double energy = x_at[2 * i + 1] * x_at[2 * i + 1] / 2 - cos(x_at[2 * i]), error = fabs(energy + cos(x0[0]));
    if (i < 10) *early = fmax(*early, error);
    *all = fmax(*all, error);
  }
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* Energy errors do not grow with time; those of rk4 do (Hairer, Lubich and Wanner, IX.8). */
static void test_energy(void) {
  double early, all;
  for (int m = 0; m < METHODS; ++m) {
    energy_errors(methods[m], &early, &all);
    char detail[120];
    snprintf(detail, sizeof detail, "%s: %g in the first tenth, %g in all", methods[m], early, all);
    printf("%s\n", detail);
    check_count(all < 3 * early && all < 0.3, "bounded energy error", detail, __LINE__);
  }
  energy_errors("rk4", &early, &all);
  printf("rk4: %g in the first tenth, %g in all\n", early, all);
  CHECK(all > 0.99 * (1 - cos(1.2))); /* the pendulum has lost its energy */
}

/* A solve from t0 to t1 and back to t0 ends where it began, if the method is symmetric. */
static void test_reversibility(void) {
  static answer forward, back;
  problem p = separable(0);
  p.options.steps = 40;
  p.t0 = -1, p.t1 = 3;
  for (int m = 0; m <= METHODS; ++m) {
    const char *method = m < METHODS ? methods[m] : "rk4";
    p.options.method = cnf_method_find(method);
    solve_some(&p, 0, COUNT, 0, &forward);
    problem backward = p;
    backward.t0 = p.t1, backward.t1 = p.t0;
    memcpy(backward.x0, forward.x1, sizeof forward.x1);
    solve_some(&backward, 0, COUNT, 0, &back);
    const double error = difference(back.x1, p.x0, (size_t)(COUNT * p.dim));
    const int symmetric = m > 0 && m < METHODS;
    check_count(symmetric ? error < 1e-12 : error > 1e-9, "forward and back", method, __LINE__);
  }
  cnf_field_destroy(p.field);
}

/* The largest error of dense output within one step of the given length, compared with output times of dopri8, whose
 * errors are below 1e-13. It is of order h^(order of dense output + 1). */
static double dense_error(const problem *p, double length) {
  enum { TIMES = 3, D = 2 * HALF, CAPACITY = 8 * (D + 1) };
  static double dense[COUNT * CAPACITY], ends[COUNT * 2], x_at[COUNT * TIMES * D];
  double times[TIMES], x[D], l, worst = 0;
  cnf_solver *solver = NULL;
  cnf_solver_options options = p->options;
  cnf_method_info info = {.struct_size = sizeof info};
  CHECK(cnf_method_get(options.method, &info) == CNF_OK);
  for (int i = 0; i < TIMES; ++i) times[i] = p->t0 + (0.2 + 0.3 * i) * length;
  options.steps = 1;
  CHECK(cnf_solver_create(p->field, &options, &solver) == CNF_OK);
  cnf_solve_input input = {.struct_size = sizeof input,
                           .parameters = p->theta,
                           .x0 = p->x0,
                           .count = COUNT,
                           .t0 = p->t0,
                           .t1 = p->t0 + length};
  cnf_solve_output output = {.struct_size = sizeof output, .dense = dense, .dense_ends = ends, .dense_stride = 1};
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  cnf_solver_destroy(solver);
  options.method = cnf_method_find("dopri8"), options.steps = 10;
  CHECK(cnf_solver_create(p->field, &options, &solver) == CNF_OK);
  input.times = times, input.time_count = TIMES;
  output = (cnf_solve_output){.struct_size = sizeof output, .x_at = x_at};
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  cnf_solver_destroy(solver);
  const cnf_dense view = {.struct_size = sizeof view,
                          .dtype = CNF_FLOAT64,
                          .state_dim = D,
                          .terms = info.dense_terms,
                          .count = COUNT,
                          .stride = 1,
                          .coefficients = dense,
                          .ends = ends};
  for (size_t i = 0; i < COUNT * TIMES; ++i) {
    CHECK(cnf_dense_evaluate(&view, i / TIMES, &times[i % TIMES], 1, x, &l) == CNF_OK && l == 0);
    worst = fmax(worst, difference(x, x_at + i * D, D));
  }
  return worst;
}

static void test_dense(const char *method, int backward) {
  problem p = separable(0);
  cnf_method_info info = {.struct_size = sizeof info};
  p.options.method = cnf_method_find(method), p.options.trace = CNF_TRACE_EXACT;
  CHECK(cnf_method_get(p.options.method, &info) == CNF_OK);
  const double length = backward ? -0.02 : 0.02, coarse = dense_error(&p, length), fine = dense_error(&p, length / 2);
  char detail[160];
  snprintf(detail, sizeof detail, "%s, backward %d: %g, %g, slope %g", method, backward, coarse, fine,
           log2(coarse / fine));
  check_count(fabs(log2(coarse / fine) - (info.dense_order + 1)) < 0.2, "dense output's order", detail, __LINE__);
  cnf_field_destroy(p.field);
}

/* ---- Gradients -------------------------------------------------------------------------------------------------- */

static void test_gradients(const char *method) {
  for (int kind = -1; kind < FIELD_KINDS; ++kind) { /* -1: separable */
    problem p = kind < 0 ? separable(0) : problem_of(kind, 0.5);
    p.options.method = cnf_method_find(method);
    for (int number = 0; set_trace(&p, kind, number); ++number) {
      char what[120];
      if (kind == WIDE && number != 3) continue;
      p.time_count = (size_t)(number % 3), p.times[0] = 0.5, p.times[1] = 0.9;
      snprintf(what, sizeof what, "%s, field %d, trace %d, times %zu", method, kind, number, p.time_count);
      check_gradient(&p, what);
      check_same_bits(&p);
    }
    cnf_field_destroy(p.field);
  }
}

/* In separable fields that read t, the gradient of the continuous adjoint converges to that of the exact flow with the
 * order of the method. Two exceptions: the gradient of parameters that would couple the halves (which are 0 here)
 * depends on both halves at once, and is not compared; so does Hutchinson's estimate of the divergence, with which the
 * order is 1. */
static void test_continuous(const char *method, int number, int backward) {
  static answer exact, a;
  problem p = separable(0);
  CHECK(set_trace(&p, SHALLOW, number));
  if (backward) p.t0 = 1.1, p.t1 = 0.2;
  p.options.adjoint = CNF_ADJOINT_CONTINUOUS;
  p.options.method = cnf_method_find(method);
  problem tight = p;
  tight.options.adjoint = CNF_ADJOINT_DISCRETE;
  tight.options.method = cnf_method_find("dopri8"), tight.options.steps = 100;
  solve_all(&tight, &exact);
  double error[2];
  for (int level = 0; level < 2; ++level) {
    p.options.steps = (order_of(method) < 2 ? 256 : 32) << level;
    solve_all(&p, &a);
    for (size_t i = 0; i < p.parameters; ++i)
      if (p.theta[i] == 0) a.theta_bar[i] = exact.theta_bar[i];
    error[level] = distance(&p, &a, &exact);
  }
  char detail[120];
  const double slope = log2(error[0] / error[1]),
               order = p.options.trace == CNF_TRACE_HUTCHINSON ? 1 : order_of(method);
  snprintf(detail, sizeof detail, "%s, trace %d, backward %d: %g, %g, slope %g", method, number, backward, error[0],
           error[1], slope);
  check_count(fabs(slope - order) < 0.2, "continuous adjoint's order", detail, __LINE__);
  p.options.steps = 5;
  check_same_bits(&p);
  cnf_field_destroy(p.field);
}

/* ---- Wrong options ---------------------------------------------------------------------------------------------- */

static void test_wrong_options(void) {
  const cnf_op ops[] = {LINEAR(CNF_STATE, 3, CNF_ACTIVATION_TANH)};
  cnf_field *odd = NULL, *even = pendulum();
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  CHECK(cnf_field_create(CNF_FLOAT64, 3, ops, 1, sizeof(cnf_op), &odd) == CNF_OK);
  for (int m = 0; m < METHODS; ++m) {
    cnf_solver_options_init(&options, sizeof options);
    options.method = cnf_method_find(methods[m]), options.steps = 3;
    CHECK_STATUS(CNF_ERROR_NOT_ADAPTIVE, cnf_solver_create(even, &options, &solver), "adaptive steps");
    options.control = CNF_CONTROL_BATCH;
    CHECK_STATUS(CNF_ERROR_NOT_ADAPTIVE, cnf_solver_create(even, &options, &solver), "batch control");
    options.control = CNF_CONTROL_FIXED;
    CHECK_STATUS(CNF_ERROR_METHOD_HALVES, cnf_solver_create(odd, &options, &solver), "an odd number of rows");
  }
  CHECK(solver == NULL);
  cnf_field_destroy(odd);
  cnf_field_destroy(even);
}

int main(void) {
  test_coefficients();
  test_wrong_options();
  test_symplecticity();
  test_reversibility();
  test_energy();
  for (int m = 0; m < METHODS; ++m) {
    for (int backward = 0; backward < 2; ++backward) {
      for (int is_separable = 0; is_separable < 2; ++is_separable) test_convergence(methods[m], is_separable, backward);
      test_dense(methods[m], backward);
      for (int number = 0; number < 6; ++number) test_continuous(methods[m], number, backward);
    }
    test_gradients(methods[m]);
  }
  return check_report();
}
