/* tolerance_floor_test.c - tolerances below the rounding of the state: they are raised to what the dtype can meet, the
 * solver says so, and evaluations stay few (cnf_solver_info.rtol_floor). */
#include <float.h>
#include <math.h>

#include "check.h"

enum { D = 2 };

/* x' = y, y' = -x: a rotation, over one turn and more. */
static cnf_field *rotation(int32_t dtype) {
  const cnf_op op = {.kind = CNF_OP_LINEAR, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = D};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(dtype, D, &op, 1, sizeof op, &field) == CNF_OK);
  return field;
}

static cnf_solver *solver_of(const cnf_field *field, const char *method, double rtol, int32_t adjoint) {
  cnf_solver_options o;
  cnf_solver *solver = NULL;
  cnf_solver_options_init(&o, sizeof o);
  o.method = cnf_method_find(method), o.rtol = rtol, o.atol = 1e-10, o.trace = CNF_TRACE_NONE, o.adjoint = adjoint;
  o.max_steps = 1 << 20;
  CHECK_STATUS(CNF_OK, cnf_solver_create(field, &o, &solver), "a solver is created");
  return solver;
}

static const float turn_theta[D * D + D] = {0, 1, -1, 0, 0, 0}, turn_start[D] = {1, 0};

/* Evaluations of a solve in float, and in *error the distance from the right end. */
static int32_t evaluations_of(const char *method, double rtol, double *error) {
  const double span = 7;
  float x1[D];
  int32_t evaluations = 0, status = -1;
  cnf_field *field = rotation(CNF_FLOAT32);
  cnf_solver *solver = solver_of(field, method, rtol, CNF_ADJOINT_DISCRETE);
  const cnf_solve_input in = {
      .struct_size = sizeof in, .parameters = turn_theta, .x0 = turn_start, .count = 1, .t1 = span};
  cnf_solve_output out = {.struct_size = sizeof out, .x1 = x1, .evaluations = &evaluations, .status = &status};
  CHECK(cnf_solve(solver, &in, &out) == CNF_OK && status == CNF_SAMPLE_OK);
  *error = hypot((double)x1[0] - cos(span), (double)x1[1] + sin(span));
  cnf_solver_destroy(solver), cnf_field_destroy(field);
  return evaluations;
}

/* A tolerance of 1e-9 is that of the floor: the same steps, and an error of a few units in the last place. */
static void check_steps(void) {
  static const char *const methods[] = {"bosh3", "dopri5", "tsit5", "vern7", "dopri8", "rodas4"};
  for (size_t i = 0; i < sizeof methods / sizeof methods[0]; ++i) {
    double error, at_floor;
    const int32_t few = evaluations_of(methods[i], FLT_EPSILON, &at_floor);
    CHECK(evaluations_of(methods[i], 1e-9, &error) == few && error == at_floor);
    CHECK(evaluations_of(methods[i], 0, &error) == few && error == at_floor);
    /* about 700 steps at most, each rounded: FLT_EPSILON/2 sqrt(700) = 1.6e-6; and as much from the errors of steps */
    check_count(error < 4e-6 && few < 4000, methods[i], "error and evaluations at the floor", __LINE__);
  }
}

static void check_info(void) {
  static const struct {
    int32_t dtype;
    double rtol, floor;
    int32_t raised;
  } cases[] = {{CNF_FLOAT32, 1e-5, FLT_EPSILON, 0}, {CNF_FLOAT32, FLT_EPSILON, FLT_EPSILON, 0},
               {CNF_FLOAT32, 1e-7, FLT_EPSILON, 1}, {CNF_FLOAT32, 0, FLT_EPSILON, 1},
               {CNF_FLOAT64, 1e-9, DBL_EPSILON, 0}, {CNF_FLOAT64, 1e-16, DBL_EPSILON, 1}};
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
    cnf_field *field = rotation(cases[i].dtype);
    cnf_solver *solver = solver_of(field, "dopri5", cases[i].rtol, CNF_ADJOINT_DISCRETE);
    cnf_solver_info info = {.struct_size = sizeof info};
    CHECK(cnf_solver_get_info(solver, &info) == CNF_OK);
    CHECK(info.rtol_floor == cases[i].floor && info.rtol_raised == cases[i].raised);
    cnf_solver_destroy(solver), cnf_field_destroy(field);
  }
  cnf_solver_options o; /* fixed steps have no tolerance to raise */
  cnf_solver *solver = NULL;
  cnf_field *field = rotation(CNF_FLOAT32);
  cnf_solver_options_init(&o, sizeof o);
  o.control = CNF_CONTROL_FIXED, o.steps = 4, o.rtol = 0;
  CHECK(cnf_solver_create(field, &o, &solver) == CNF_OK);
  cnf_solver_info info = {.struct_size = sizeof info};
  CHECK(cnf_solver_get_info(solver, &info) == CNF_OK && info.rtol_raised == 0);
  cnf_solver_destroy(solver), cnf_field_destroy(field);
}

/* The backward solve of the continuous adjoint has the same floor. */
static void check_adjoint(void) {
  const double span = 7;
  const float x1_bar[D] = {1, 0};
  int32_t reversed[2];
  for (int n = 0; n < 2; ++n) {
    float x_bar[D];
    cnf_field *field = rotation(CNF_FLOAT32);
    cnf_solver *solver = solver_of(field, "dopri8", n ? 1e-9 : FLT_EPSILON, CNF_ADJOINT_CONTINUOUS);
    const cnf_solve_input in = {
        .struct_size = sizeof in, .parameters = turn_theta, .x0 = turn_start, .count = 1, .t1 = span};
    const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_COTANGENTS, .x1_bar = x1_bar};
    cnf_gradient gradient = {.struct_size = sizeof gradient, .x0 = x_bar};
    cnf_solve_output out = {.struct_size = sizeof out, .adjoint_evaluations = &reversed[n]};
    CHECK(cnf_solve_vjp(solver, &in, &loss, &out, &gradient) == CNF_OK);
    CHECK(fabs((double)x_bar[0] - cos(span)) < 4e-6 && fabs((double)x_bar[1] - sin(span)) < 4e-6);
    cnf_solver_destroy(solver), cnf_field_destroy(field);
  }
  CHECK(reversed[0] == reversed[1] && reversed[0] < 4000);
}

int main(void) {
  check_steps();
  check_info();
  check_adjoint();
  return check_report();
}
