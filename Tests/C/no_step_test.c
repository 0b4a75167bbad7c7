/* no_step_test.c - samples whose t1 is their t0: they make no step, or one of no length. A state that is not finite is
 * not ok, and neither is a gradient that is not finite, whatever the control, the adjoint and what else is asked for.
 */
#include "net_fixture.h"

enum { SAMPLES = 5 };

typedef struct manner {
  const char *method;
  int32_t control, adjoint, trace;
} manner;

/* What a call asks for besides the states; the last three make steps of no length. */
typedef enum extra { NOTHING, DENSE, OUTPUT_TIMES, TIME_GRADIENT, EXTRAS } extra;

typedef struct answer {
  double x1[SAMPLES][D], x0_bar[SAMPLES][D], theta_bar[P], t1_bar[SAMPLES], loss[SAMPLES];
  double dense[SAMPLES * 9 * (D + 1)], dense_ends[SAMPLES * 2];
  int32_t status[SAMPLES];
} answer;

/* Samples from t = 1 to t = 1. With spans, the times come from t0s and t1s. */
static void run(manner how, extra more, int spans, int with_gradient, double states[SAMPLES][D],
                double bars[SAMPLES][D], answer *a) {
  static const double ones[SAMPLES] = {1, 1, 1, 1, 1};
  double theta[P];
  for (int i = 0; i < P; ++i) theta[i] = noise(i + 1);
  cnf_solver *solver = options_solver(net_ops, OP_COUNT,
                                      (cnf_solver_options){.method = cnf_method_find(how.method),
                                                           .control = how.control,
                                                           .adjoint = how.adjoint,
                                                           .trace = how.trace,
                                                           .steps = 3});
  const cnf_solve_input input = {.struct_size = sizeof input,
                                 .parameters = theta,
                                 .x0 = states,
                                 .count = SAMPLES,
                                 .t0 = 1,
                                 .t1 = 1,
                                 .t0s = spans ? ones : NULL,
                                 .t1s = spans ? ones : NULL,
                                 .times = more == OUTPUT_TIMES ? ones : NULL,
                                 .time_count = more == OUTPUT_TIMES};
  memset(a, 0, sizeof *a);
  cnf_solve_output output = {.struct_size = sizeof output,
                             .x1 = a->x1,
                             .status = a->status,
                             .dense = more == DENSE ? a->dense : NULL,
                             .dense_ends = a->dense_ends,
                             .dense_stride = 1};
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_COTANGENTS, .x1_bar = bars};
  cnf_gradient gradient = {.struct_size = sizeof gradient,
                           .parameters = a->theta_bar,
                           .x0 = a->x0_bar,
                           .t1 = more == TIME_GRADIENT ? a->t1_bar : NULL};
  if (with_gradient)
    CHECK(cnf_solve_vjp(solver, &input, &loss, &output, &gradient) == CNF_OK);
  else
    CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  cnf_solver_destroy(solver);
}

static void check_manner(manner how, extra more, int spans, int with_gradient) {
  static answer a;
  double states[SAMPLES][D], bars[SAMPLES][D];
  char where[128];
  snprintf(where, sizeof where, "%s, control %d, adjoint %d, extra %d, spans %d, gradient %d", how.method,
           (int)how.control, (int)how.adjoint, (int)more, spans, with_gradient);
  for (int i = 0; i < SAMPLES; ++i)
    for (int d = 0; d < D; ++d) states[i][d] = noise(i * D + d + 40), bars[i][d] = noise(i * D + d + 80);
  states[1][1] = NAN, states[2][0] = INFINITY;
  if (with_gradient) bars[3][1] = NAN;
  run(how, more, spans, with_gradient, states, bars, &a);
  for (int i = 0; i < SAMPLES; ++i) {
    const int fails = i == 1 || i == 2 || (i == 3 && with_gradient);
    check_count(a.status[i] == (fails ? CNF_SAMPLE_NOT_FINITE : CNF_SAMPLE_OK), "status", where, __LINE__);
    check_count(memcmp(a.x1[i], states[i], sizeof a.x1[i]) == 0 || i == 1 || i == 2, "x1 is x0", where, __LINE__);
    for (int d = 0; d < D && with_gradient; ++d)
      check_count(a.x0_bar[i][d] == (fails ? 0 : bars[i][d]), "dL/dx0", where, __LINE__);
  }
  for (int i = 0; i < P; ++i) check_count(a.theta_bar[i] == 0, "dL/dtheta", where, __LINE__);
}

int main(void) {
  static const manner manners[] = {{"dopri5", CNF_CONTROL_SAMPLE, CNF_ADJOINT_DISCRETE, CNF_TRACE_EXACT},
                                   {"dopri5", CNF_CONTROL_SAMPLE, CNF_ADJOINT_CONTINUOUS, CNF_TRACE_HUTCHINSON},
                                   {"rodas4", CNF_CONTROL_SAMPLE, CNF_ADJOINT_DISCRETE, CNF_TRACE_EXACT},
                                   {"reversible_heun", CNF_CONTROL_SAMPLE, CNF_ADJOINT_REVERSIBLE, CNF_TRACE_EXACT},
                                   {"rk4", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE, CNF_TRACE_EXACT},
                                   {"rk4", CNF_CONTROL_FIXED, CNF_ADJOINT_CONTINUOUS, CNF_TRACE_EXACT},
                                   {"dopri5", CNF_CONTROL_BATCH, CNF_ADJOINT_DISCRETE, CNF_TRACE_EXACT}};
  for (size_t i = 0; i < sizeof manners / sizeof manners[0]; ++i)
    for (int more = NOTHING; more < EXTRAS; ++more)
      for (int spans = 0; spans < 2; ++spans)
        for (int with_gradient = more == TIME_GRADIENT; with_gradient < 2; ++with_gradient) {
          const int is_batch = manners[i].control == CNF_CONTROL_BATCH;
          if (is_batch && (spans || more == OUTPUT_TIMES)) continue; /* refused */
          check_manner(manners[i], (extra)more, spans, with_gradient);
        }
  return check_report();
}
