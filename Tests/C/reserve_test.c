/* reserve_test.c - room for gradients: reserved by the first call that needs it, as much as that call can use. */
#define _GNU_SOURCE
#include "space_fixture.h"

enum { WIDE = 784, MOST = 200 };

static float theta[WIDE * WIDE + WIDE], theta_bar[WIDE * WIDE + WIDE], x0[MOST * WIDE], x1[MOST * WIDE];

/* dx/dt = tanh(W x + b). */
static cnf_field *field_of(int32_t dim) {
  const cnf_op op = {.kind = CNF_OP_LINEAR,
                     .input = CNF_STATE,
                     .input2 = CNF_NO_BLOCK,
                     .rows = dim,
                     .activation = CNF_ACTIVATION_TANH};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT32, dim, &op, 1, sizeof op, &field) == CNF_OK);
  return field;
}

static cnf_solver_options options_of(int32_t threads) {
  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  options.trace = CNF_TRACE_NONE;
  options.threads = threads;
  return options;
}

static cnf_status gradient_of(cnf_solver *solver, size_t count, float *bar) {
  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = theta, .x0 = x0, .count = count, .t0 = 1, .t1 = 0};
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = bar};
  return cnf_solve_vjp(solver, &input, &loss, NULL, &gradient);
}

static cnf_status solve_all(cnf_solver *solver, size_t count) {
  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = theta, .x0 = x0, .count = count, .t0 = 1, .t1 = 0};
  cnf_solve_output output = {.struct_size = sizeof output, .x1 = x1};
  const cnf_status status = cnf_solve(solver, &input, &output);
  return status ? status : cnf_solver_evaluate(solver, &input, x1, NULL);
}

static size_t reserved(const cnf_solver *solver) {
  cnf_solver_info info = {.struct_size = sizeof info};
  CHECK(cnf_solver_get_info(solver, &info) == CNF_OK);
  return info.bytes_reserved;
}

/* A small gradient reserves little, a larger one more, and the numbers are those of a solver that had room at once. */
static void test_growth(int32_t control) {
  enum { SMALL = 2, SIZE = SMALL * SMALL + SMALL };
  float grown[SIZE], whole[SIZE];
  cnf_field *field = field_of(SMALL);
  cnf_solver_options options = options_of(2);
  cnf_solver *solver = NULL, *fresh = NULL;
  options.control = control, options.steps = 8;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK && cnf_solver_create(field, &options, &fresh) == CNF_OK);
  CHECK(reserved(solver) == 0);
  CHECK(solve_all(solver, MOST) == CNF_OK && reserved(solver) == 0);
  CHECK(gradient_of(solver, 3, grown) == CNF_OK);
  const size_t few = reserved(solver);
  CHECK(gradient_of(solver, MOST, grown) == CNF_OK);
  const size_t many = reserved(solver);
  CHECK(gradient_of(solver, 3, whole) == CNF_OK && reserved(solver) == many);
  CHECK(gradient_of(fresh, MOST, whole) == CNF_OK);
  CHECK(memcmp(grown, whole, sizeof grown) == 0);
  char detail[120];
  snprintf(detail, sizeof detail, "control %d: %zu bytes for 3 samples, %zu for %d", (int)control, few, many,
           (int)MOST);
  /* 8 steps of dopri5 are 49 evaluations of a tile: some kilobytes. With adaptive steps it may be 4096 steps. */
  check_count(few > 0 && few < many && many < (control == CNF_CONTROL_FIXED ? (size_t)1 << 20 : (size_t)100 << 20),
              "as much as a call can use", detail, __LINE__);
  cnf_solver_destroy(solver);
  cnf_solver_destroy(fresh);
  cnf_field_destroy(field);
}

/* 784 rows with half a gigabyte of address space: a solver solves. The gradient of 200 samples, each with up to 4096
 * stored states, finds no room and writes nothing; with few checkpoints it does. */
static void test_limited_space(void) {
  cnf_field *field = field_of(WIDE);
  cnf_solver *solver = NULL, *frugal = NULL;
  cnf_solver_options options = options_of(4);
  struct rlimit before;
  CHECK(getrlimit(RLIMIT_AS, &before) == 0);
  const struct rlimit space = {address_space() + ((size_t)512 << 20), before.rlim_max};
  CHECK(setrlimit(RLIMIT_AS, &space) == 0);
  CHECK_STATUS(CNF_OK, cnf_solver_create(field, &options, &solver), "a solver");
  CHECK_STATUS(CNF_OK, solver ? solve_all(solver, MOST) : CNF_ERROR_MEMORY, "a solve");
  pattern_fill(theta_bar, sizeof theta_bar);
  CHECK_STATUS(CNF_ERROR_MEMORY, solver ? gradient_of(solver, MOST, theta_bar) : CNF_OK, "a gradient without room");
  CHECK(pattern_intact(theta_bar, sizeof theta_bar));
  options.schedule = CNF_SCHEDULE_BINOMIAL, options.store_bytes = -1;
  CHECK_STATUS(CNF_OK, cnf_solver_create(field, &options, &frugal), "a solver with few checkpoints");
  CHECK_STATUS(CNF_OK, frugal ? gradient_of(frugal, MOST, theta_bar) : CNF_ERROR_MEMORY, "its gradient");
  CHECK(setrlimit(RLIMIT_AS, &before) == 0);
  static float later[WIDE * WIDE + WIDE];
  CHECK_STATUS(CNF_OK, solver ? gradient_of(solver, MOST, later) : CNF_ERROR_MEMORY, "the same gradient with room");
  CHECK(memcmp(later, theta_bar, sizeof later) == 0);
  cnf_solver_destroy(solver);
  cnf_solver_destroy(frugal);
  cnf_field_destroy(field);
}

int main(void) {
  CHECK(cnf_random_normal(CNF_FLOAT32, 1, CNF_STREAM_INITIAL, 0, 0, 1, WIDE * WIDE, theta) == CNF_OK);
  for (int i = 0; i < WIDE * WIDE; ++i) theta[i] *= 0.01f;
  CHECK(cnf_random_normal(CNF_FLOAT32, 1, CNF_STREAM_DATA, 0, 0, MOST, WIDE, x0) == CNF_OK);
  test_growth(CNF_CONTROL_FIXED);
  test_growth(CNF_CONTROL_SAMPLE);
  if (space_is_limited()) test_limited_space();
  return check_report();
}
