/* small_calls_test.c - calls of few samples, which run them one by one: each sample has the bits that it has in any
 * other call, and nothing is evaluated for lanes without a sample.
 */
#include "net_fixture.h"

enum { MOST = 40 };

typedef struct setup {
  int32_t isa, dtype, control, trace, adjoint, threads;
} setup;

typedef struct answer {
  double x1[MOST * D], x0_bar[MOST * D], velocity[MOST * D]; /* room for either dtype */
  double log_det[MOST], t1_bar[MOST], divergence[MOST], loss[MOST];
  double theta_bar[P];
  int32_t status[MOST], accepted[MOST], evaluations[MOST];
  cnf_work work;
} answer;

static void numbers(int32_t dtype, int from, size_t count, double scale, void *out) {
  for (size_t i = 0; i < count; ++i)
    if (dtype == CNF_FLOAT64)
      ((double *)out)[i] = scale * noise(from + (int)i);
    else
      ((float *)out)[i] = (float)(scale * noise(from + (int)i));
}

static void run(setup how, size_t count, answer *a) {
  double theta[P], x0[MOST * D];
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  memset(a, 0, sizeof *a);
  numbers(how.dtype, 1, P, 1.5, theta);
  numbers(how.dtype, 100, MOST * D, 2, x0);
  cnf_solver_options_init(&options, sizeof options);
  options.isa = how.isa, options.control = how.control, options.trace = how.trace, options.adjoint = how.adjoint;
  options.threads = how.threads, options.steps = 6, options.rtol = options.atol = 1e-4;
  CHECK(cnf_field_create(how.dtype, D, net_ops, OP_COUNT, sizeof(cnf_op), &field) == CNF_OK);
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = theta, .x0 = x0, .count = count, .t0 = 1, .t1 = 0};
  cnf_solve_output output = {.struct_size = sizeof output,
                             .x1 = a->x1,
                             .log_det = a->log_det,
                             .status = a->status,
                             .accepted = a->accepted,
                             .evaluations = a->evaluations};
  const cnf_loss nll = {.struct_size = sizeof nll, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_gradient gradient = {
      .struct_size = sizeof gradient, .parameters = a->theta_bar, .x0 = a->x0_bar, .t1 = a->t1_bar, .loss = a->loss};
  CHECK(cnf_solver_evaluate(solver, &input, a->velocity, a->divergence) == CNF_OK);
  CHECK(cnf_solve(solver, &input, &output) == CNF_OK);
  a->work.struct_size = sizeof a->work;
  CHECK(cnf_solver_get_work(solver, &a->work) == CNF_OK);
  CHECK(cnf_solve_vjp(solver, &input, &nll, &output, &gradient) == CNF_OK);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

static int same(const answer *a, const answer *b, int32_t dtype, size_t count) {
  const size_t size = dtype == CNF_FLOAT64 ? sizeof(double) : sizeof(float), states = count * D * size;
  return !memcmp(a->x1, b->x1, states) && !memcmp(a->x0_bar, b->x0_bar, states) &&
         !memcmp(a->velocity, b->velocity, states) && !memcmp(a->log_det, b->log_det, count * sizeof(double)) &&
         !memcmp(a->t1_bar, b->t1_bar, count * sizeof(double)) && !memcmp(a->loss, b->loss, count * sizeof(double)) &&
         !memcmp(a->divergence, b->divergence, count * sizeof(double)) &&
         !memcmp(a->status, b->status, count * sizeof(int32_t)) &&
         !memcmp(a->accepted, b->accepted, count * sizeof(int32_t)) &&
         !memcmp(a->evaluations, b->evaluations, count * sizeof(int32_t));
}

static void check_setup(setup how) {
  static answer whole, some, threaded;
  run(how, MOST, &whole);
  for (size_t count = 1; count <= 12; ++count) {
    char where[128];
    snprintf(where, sizeof where, "%s, dtype %d, control %d, trace %d, adjoint %d, %zu samples", cnf_isa_name(how.isa),
             (int)how.dtype, (int)how.control, (int)how.trace, (int)how.adjoint, count);
    run(how, count, &some);
    check_count(same(&some, &whole, how.dtype, count), "a sample has its own bits", where, __LINE__);
    setup more = how;
    more.threads = 3;
    run(more, count, &threaded);
    check_count(same(&some, &threaded, how.dtype, count) &&
                    !memcmp(some.theta_bar, threaded.theta_bar, sizeof some.theta_bar),
                "threads change no bit", where, __LINE__);
    const size_t alone = how.dtype == CNF_FLOAT32 ? 3 : 2; /* with every instruction set */
    if (count <= alone) check_count(some.work.idle_evaluations == 0, "no lane is idle", where, __LINE__);
  }
}

int main(void) {
  static const int32_t isas[] = {
#define CNF_X(name, value, suffix, text) value,
      CNF_ISA_LIST(CNF_X)
#undef CNF_X
  };
  for (size_t i = 0; i < sizeof isas / sizeof isas[0]; ++i)
    for (int32_t dtype = CNF_FLOAT32; dtype <= CNF_FLOAT64 && cnf_isa_is_available(isas[i]); ++dtype) {
      check_setup((setup){isas[i], dtype, CNF_CONTROL_SAMPLE, CNF_TRACE_EXACT, CNF_ADJOINT_DISCRETE, 1});
      check_setup((setup){isas[i], dtype, CNF_CONTROL_FIXED, CNF_TRACE_HUTCHINSON, CNF_ADJOINT_DISCRETE, 1});
      check_setup((setup){isas[i], dtype, CNF_CONTROL_SAMPLE, CNF_TRACE_NONE, CNF_ADJOINT_CONTINUOUS, 1});
    }
  return check_report();
}
