/* regularisers_test.c - kinetic energy and Frobenius norm compared with closed forms, and as parts of each kind of
 * loss.
 *
 * With f = A x + b and A = s I + w J, J being the rotation by 90 degrees, |f(t)|^2 = |f(0)|^2 e^{2 s t} and |A|_F^2 = 2
 * (s^2 + w^2), so both integrals are known, forward and backward in time. Every Rademacher probe gives |A eps|^2 = (s^2
 * + w^2) |eps|^2 exactly.
 */
#include <math.h>

#include "fixture.h"

enum { COUNT = 37 }; /* more than a tile of any instruction set */
static const double S = -0.4, W = 0.7, BIAS = 0.3, T = 1.5;

static cnf_solver *rotation_solver(int32_t control, int32_t trace, int32_t probes) {
  const cnf_op ops[] = {{.kind = CNF_OP_LINEAR, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = D}};
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  CHECK(cnf_field_create(CNF_FLOAT64, D, ops, 1, sizeof(cnf_op), &field) == CNF_OK);
  cnf_solver_options_init(&options, sizeof options);
  options.control = control, options.steps = 60, options.rtol = options.atol = 1e-10;
  options.trace = trace, options.probes = probes, options.kinetic = options.frobenius = options.threads = 1;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  cnf_field_destroy(field);
  return solver;
}

typedef struct case_data {
  double theta[D * D + D], x0[COUNT * D], x1[COUNT * D];
  double log_det[COUNT], kinetic[COUNT], frobenius[COUNT], loss[COUNT];
  double theta_bar[D * D + D], x0_bar[COUNT * D], t1_bar[COUNT];
} case_data;

static cnf_solve_input fill(case_data *c, double t0, double t1) {
  const double theta[D * D + D] = {S, -W, W, S, BIAS, -BIAS};
  memcpy(c->theta, theta, sizeof theta);
  for (int i = 0; i < COUNT * D; ++i) c->x0[i] = 0.1 * (i % 17 - 8);
  return (cnf_solve_input){.struct_size = sizeof(cnf_solve_input),
                           .parameters = c->theta,
                           .x0 = c->x0,
                           .count = COUNT,
                           .t0 = t0,
                           .t1 = t1,
                           .seed = 5};
}

static cnf_solve_output output_of(case_data *c) {
  return (cnf_solve_output){.struct_size = sizeof(cnf_solve_output),
                            .x1 = c->x1,
                            .log_det = c->log_det,
                            .kinetic = c->kinetic,
                            .frobenius = c->frobenius};
}

/* 1/2 mean_D |f|^2 at x. */
static double kinetic_energy(const double *x) {
  const double f0 = S * x[0] - W * x[1] + BIAS, f1 = W * x[0] + S * x[1] - BIAS;
  return 0.25 * (f0 * f0 + f1 * f1);
}

/* The error of quadratures of order 5 with steps h = 0.025 and rates below 1: h^5 ~ 1e-8, times a constant below 1/10,
 * times T. */
static const double TOLERANCE = 2e-9;

static void test_closed_form(int32_t control, int32_t trace, int32_t probes) {
  cnf_solver *solver = rotation_solver(control, trace, probes);
  for (int backward = 0; backward < 2; ++backward) {
    case_data c;
    const cnf_solve_input input = fill(&c, backward ? T : 0, backward ? 0 : T);
    cnf_solve_output output = output_of(&c);
    CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
    const double sign = backward ? -1 : 1, growth = sign * expm1(sign * 2 * S * T) / (2 * S);
    for (int i = 0; i < COUNT; ++i) {
      char detail[160];
      const double kinetic = kinetic_energy(c.x0 + i * D) * growth, frobenius = (S * S + W * W) * T;
      snprintf(detail, sizeof detail,
               "control %d trace %d probes %d backward %d: kinetic %.15g of %.15g, frobenius %.15g of %.15g",
               (int)control, (int)trace, (int)probes, backward, c.kinetic[i], kinetic, c.frobenius[i], frobenius);
      check_count(fabs(c.kinetic[i] - kinetic) < TOLERANCE * (1 + kinetic), "kinetic", detail, __LINE__);
      check_count(fabs(c.frobenius[i] - frobenius) < TOLERANCE, "frobenius", detail, __LINE__);
      CHECK(fabs(c.log_det[i] - sign * 2 * S * T) < TOLERANCE);
    }
  }
  cnf_solver_destroy(solver);
}

static int32_t half_square(void *context, size_t first, size_t count, const void *x1, const double *log_det,
                           const int32_t *status, double *loss, void *x1_bar, double *log_det_bar) {
  (void)context, (void)first, (void)status, (void)log_det;
  for (size_t i = 0; i < count; ++i) {
    const double *x = (const double *)x1 + i * D;
    loss[i] = 0.5 * (x[0] * x[0] + x[1] * x[1]) + log(2 * acos(-1)) - log_det[i];
    for (int d = 0; d < D; ++d) ((double *)x1_bar)[i * D + (size_t)d] = x[d];
    log_det_bar[i] = -1;
  }
  return 0;
}

/* CNF_LOSS_NORMAL_NLL, a callback and cotangents that compute the same loss with the same regularisers give the same
 * gradients. The loss is the documented sum, and regularisers add their integrands at t1, with the sign of dt, to its
 * derivative with respect to t1. */
static void test_losses(int32_t control, int backward) {
  enum { KINDS = 3 };
  cnf_solver *solver = rotation_solver(control, CNF_TRACE_EXACT, 1);
  static case_data c[KINDS], plain;
  double log_det_bar[COUNT];
  for (int i = 0; i < COUNT; ++i) log_det_bar[i] = -1;
  cnf_loss losses[KINDS] = {
      {.struct_size = sizeof(cnf_loss), .kind = CNF_LOSS_NORMAL_NLL, .scale = 1},
      {.struct_size = sizeof(cnf_loss), .kind = CNF_LOSS_CALLBACK, .function = half_square, .scale = 9},
      {.struct_size = sizeof(cnf_loss),
       .kind = CNF_LOSS_COTANGENTS,
       .scale = 9,
       .x1_bar = c[0].x1,
       .log_det_bar = log_det_bar},
  };
  for (int kind = -1; kind < KINDS; ++kind) { /* -1: the first loss without regularisers */
    case_data *to = kind < 0 ? &plain : &c[kind];
    cnf_loss loss = losses[kind < 0 ? 0 : kind];
    if (kind >= 0) loss.kinetic = 0.25, loss.frobenius = 0.5;
    const cnf_solve_input input = fill(to, backward ? T : 0, backward ? 0 : T);
    cnf_solve_output output = output_of(to);
    cnf_gradient gradient = {.struct_size = sizeof gradient,
                             .parameters = to->theta_bar,
                             .x0 = to->x0_bar,
                             .t1 = to->t1_bar,
                             .loss = kind == 2 ? NULL : to->loss};
    CHECK(cnf_solve_vjp(solver, &input, &loss, &output, &gradient) == CNF_OK);
  }
  for (int i = 0; i < COUNT; ++i) {
    const double expected = plain.loss[i] + 0.25 * c[0].kinetic[i] + 0.5 * c[0].frobenius[i];
    CHECK(fabs(c[0].loss[i] - expected) <= 4 * 2.3e-16 * (1 + fabs(expected)));
    CHECK(fabs(c[1].loss[i] - expected) <= 16 * 2.3e-16 * (1 + fabs(expected)));
    const double integrands = (backward ? -1 : 1) * (0.25 * kinetic_energy(c[0].x1 + i * D) + 0.5 * (S * S + W * W));
    CHECK(fabs(c[0].t1_bar[i] - plain.t1_bar[i] - integrands) < 1e-7);
  }
  CHECK(memcmp(c[0].theta_bar, plain.theta_bar, sizeof plain.theta_bar) != 0);
  for (int kind = 1; kind < KINDS; ++kind) {
    CHECK(memcmp(c[kind].theta_bar, c[0].theta_bar, sizeof c[0].theta_bar) == 0);
    CHECK(memcmp(c[kind].x0_bar, c[0].x0_bar, sizeof c[0].x0_bar) == 0);
    CHECK(memcmp(c[kind].t1_bar, c[0].t1_bar, sizeof c[0].t1_bar) == 0);
  }
  cnf_solver_destroy(solver);
}

/* A field that reads only time has the Jacobian 0; if t0 = t1, the integrals are 0. */
static void test_nothing_to_integrate(void) {
  const cnf_op ops[] = {{.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},
                        {.kind = CNF_OP_LINEAR, .input = 1, .input2 = CNF_NO_BLOCK, .rows = D}};
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  CHECK(cnf_field_create(CNF_FLOAT64, D, ops, 2, sizeof(cnf_op), &field) == CNF_OK);
  cnf_solver_options_init(&options, sizeof options);
  options.kinetic = options.frobenius = 1;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  static case_data c;
  cnf_solve_input input = fill(&c, 0, 1);
  cnf_solve_output output = output_of(&c);
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  /* f = (S t + W, -W t + S): the first numbers of theta are the weights S and -W, then the biases W and S */
  const double expected = 0.25 * ((S * S + W * W) / 3 + S * W - W * S + W * W + S * S);
  for (int i = 0; i < COUNT; ++i) CHECK(c.frobenius[i] == 0 && fabs(c.kinetic[i] - expected) < 1e-12);
  input.t1 = 0;
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  for (int i = 0; i < COUNT; ++i) CHECK(c.frobenius[i] == 0 && c.kinetic[i] == 0);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

int main(void) {
  for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_BATCH; ++control) {
    test_closed_form(control, CNF_TRACE_EXACT, 1);
    test_closed_form(control, CNF_TRACE_EXACT_TANGENTS, 1);
    test_closed_form(control, CNF_TRACE_HUTCHINSON, 1);
    test_closed_form(control, CNF_TRACE_HUTCHINSON, 11); /* more probes than are computed at once */
    for (int backward = 0; backward < 2; ++backward) test_losses(control, backward);
  }
  test_nothing_to_integrate();
  return check_report();
}
