/* time_unit_test.c - a change of the unit of time by a power of two, which is exact in binary arithmetic: y' = 2^k f(y,
 * 2^k s) over s = t/2^k. Every method with an error estimate must give the same bits of states, log-determinants,
 * counts and step fractions, and both adjoints the same bits of dL/dx0. */
#include "net_fixture.h"

enum { MOST_POWER = 20 };
static const float tiny = 1e-9f; /* a state and a field near zero: no norm says how long the first step is */

typedef struct results {
  unsigned char x1[COUNT * D * 8], x0_bar[COUNT * D * 8];
  double log_det[COUNT], fractions[COUNT * MOST_STEPS];
  int32_t status[COUNT], accepted[COUNT], rejected[COUNT], evaluations[COUNT];
} results;

/* What a solve depends on, besides the unit. */
typedef struct setup {
  int32_t dtype, method, control, adjoint, is_near_zero;
  double t0, t1;
} setup;

static void put(int32_t dtype, void *array, int i, double value) {
  if (dtype == CNF_FLOAT32)
    ((float *)array)[i] = (float)value;
  else
    ((double *)array)[i] = value;
}

/* The parameters of the net if time is counted in units 2^power times as long: W's column of t, and the last layer. */
static void fill_parameters(const setup *how, int power, void *theta) {
  const int last = HIDDEN * (D + 1) + HIDDEN;
  const double size = how->is_near_zero ? tiny : 1.5;
  for (int i = 0; i < P; ++i) {
    const int scaled = i >= last || (i < HIDDEN * (D + 1) && i % (D + 1) == D);
    put(how->dtype, theta, i, ldexp((i >= last ? size : 1.5) * (double)(float)noise(i + 1), scaled ? power : 0));
  }
}

static void solve_in_unit(const setup *how, cnf_solver *solver, int power, results *to) {
  double theta[P], x0[COUNT * D], x1_bar[COUNT * D];
  memset(to, 0, sizeof *to);
  fill_parameters(how, power, theta);
  for (int i = 0; i < COUNT * D; ++i)
    put(how->dtype, x0, i, (how->is_near_zero ? tiny : 2) * noise(i + 100)), put(how->dtype, x1_bar, i, noise(i + 300));
  const cnf_solve_input in = {.struct_size = sizeof in,
                              .parameters = theta,
                              .x0 = x0,
                              .count = COUNT,
                              .t0 = ldexp(how->t0, -power),
                              .t1 = ldexp(how->t1, -power)};
  cnf_solve_output out = {.struct_size = sizeof out,
                          .x1 = to->x1,
                          .log_det = to->log_det,
                          .status = to->status,
                          .accepted = to->accepted,
                          .rejected = to->rejected,
                          .evaluations = to->evaluations,
                          .step_fractions = to->fractions,
                          .step_fraction_stride = MOST_STEPS};
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_COTANGENTS, .x1_bar = x1_bar};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .x0 = to->x0_bar};
  CHECK(cnf_solve_vjp(solver, &in, &loss, &out, &gradient) == CNF_OK);
}

static cnf_solver *solver_of(const setup *how) {
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  options.method = how->method, options.control = how->control, options.adjoint = how->adjoint;
  options.threads = 1, options.rtol = options.atol = 1e-4;
  CHECK(cnf_field_create(how->dtype, D, net_ops, OP_COUNT, sizeof(cnf_op), &field) == CNF_OK);
  const cnf_status status = cnf_solver_create(field, &options, &solver);
  cnf_field_destroy(field);
  return status == CNF_OK ? solver : NULL;
}

/* Returns whether the method supports this. */
static int check_units(const setup *how, const char *name) {
  static results here, there;
  cnf_solver *solver = solver_of(how);
  if (!solver) return 0;
  solve_in_unit(how, solver, 0, &here);
  int different = 0, failed = 0;
  for (int i = 0; i < COUNT; ++i) failed += here.status[i] != CNF_SAMPLE_OK;
  for (int power = -MOST_POWER; power <= MOST_POWER; power += 3) { /* even and odd ones */
    solve_in_unit(how, solver, power, &there);
    /* fractions are NaN after the last step: bits are compared */
    different += memcmp(&here, &there, sizeof here) != 0;
  }
  if (different + failed > 0)
    printf("%s dtype %d control %d adjoint %d near zero %d from %g: %d units differ, %d samples fail\n", name,
           how->dtype, how->control, how->adjoint, how->is_near_zero, how->t0, different, failed);
  CHECK(different == 0);
  CHECK(failed == 0);
  cnf_solver_destroy(solver);
  return 1;
}

int main(void) {
  int solvers = 0;
  for (int32_t method = 0; method < cnf_method_count(); ++method) {
    cnf_method_info info = {.struct_size = sizeof info};
    CHECK(cnf_method_get(method, &info) == CNF_OK);
    if (info.embedded_order == 0) continue;
    for (int i = 0; i < 32; ++i) {
      const setup how = {.dtype = i & 1,
                         .method = method,
                         .adjoint = i >> 1 & 1,
                         .is_near_zero = i >> 2 & 1,
                         .t0 = i >> 3 & 1 ? 3 : -0.5,
                         .t1 = i >> 3 & 1 ? -0.5 : 3,
                         .control = i >> 4 & 1 ? CNF_CONTROL_BATCH : CNF_CONTROL_SAMPLE};
      solvers += check_units(&how, info.name);
    }
  }
  CHECK(solvers >= 32 * 8);
  return check_report();
}
