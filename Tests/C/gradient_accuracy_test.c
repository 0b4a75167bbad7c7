/* gradient_accuracy_test.c - how far the discrete gradient is from the derivative of the flow, as section 8 of cnf.h
 * and Documentation/methods.md say: steps are chosen for the errors of the state alone. Expected results: the closed
 * form of x' = -x, whose dx1/dx0 over 3 units of time is e^-3. */
#include <math.h>

#include "check.h"

static const double span = 3;

static cnf_solver_options options_of(double tolerance, int32_t adjoint) {
  cnf_solver_options o;
  cnf_solver_options_init(&o, sizeof o);
  o.rtol = o.atol = tolerance, o.adjoint = adjoint, o.trace = CNF_TRACE_NONE;
  return o;
}

/* The error of dx1/dx0 from x0. */
static double derivative_error(cnf_solver_options o, double x0) {
  const cnf_op op = {.kind = CNF_OP_LINEAR, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = 1};
  const double theta[2] = {-1, 0}, one = 1;
  double x_bar = NAN;
  int32_t status = -1;
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, 1, &op, 1, sizeof op, &field) == CNF_OK);
  CHECK_STATUS(CNF_OK, cnf_solver_create(field, &o, &solver), "a solver is created");
  const cnf_solve_input in = {.struct_size = sizeof in, .parameters = theta, .x0 = &x0, .count = 1, .t1 = span};
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_COTANGENTS, .x1_bar = &one};
  cnf_solve_output out = {.struct_size = sizeof out, .status = &status};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .x0 = &x_bar};
  CHECK(cnf_solve_vjp(solver, &in, &loss, &out, &gradient) == CNF_OK && status == CNF_SAMPLE_OK);
  cnf_solver_destroy(solver), cnf_field_destroy(field);
  return fabs(x_bar - exp(-span));
}

/* From 0.01 the tolerance of the state is mostly atol, a hundred times that of the derivative. The error of the
 * discrete gradient is then many tolerances, and falls with the tolerance; that of the continuous one is a few. */
static void check_small_state(void) {
  double before = INFINITY;
  for (double tolerance = 1e-4; tolerance > 1e-9; tolerance /= 10) {
    const double discrete = derivative_error(options_of(tolerance, CNF_ADJOINT_DISCRETE), 0.01),
                 continuous = derivative_error(options_of(tolerance, CNF_ADJOINT_CONTINUOUS), 0.01);
    char detail[128];
    snprintf(detail, sizeof detail, "tolerance %g: discrete %g, before %g, continuous %g", tolerance, discrete, before,
             continuous);
    check_count(discrete > 5 * tolerance && discrete < 50 * tolerance, "the discrete gradient", detail, __LINE__);
    check_count(discrete < before / 5, "its error falls with the tolerance", detail, __LINE__);
    check_count(continuous < 2 * tolerance, "the continuous gradient", detail, __LINE__);
    before = discrete;
  }
}

/* A state at rest has no error, so its steps are as long as the controller likes. The remedies help. */
static void check_rest(void) {
  cnf_solver_options o = options_of(1e-8, CNF_ADJOINT_DISCRETE);
  CHECK(derivative_error(o, 0) > 0.1);
  o.max_step = 0.1;
  CHECK(derivative_error(o, 0) < 1e-8); /* 30 steps, each with an error of 0.1^6/3600 */
  o.max_step = 0, o.control = CNF_CONTROL_FIXED, o.steps = 30;
  CHECK(derivative_error(o, 0) < 1e-8);
  CHECK(derivative_error(options_of(1e-8, CNF_ADJOINT_CONTINUOUS), 0) < 2e-8);
}

int main(void) {
  check_small_state();
  check_rest();
  return check_report();
}
