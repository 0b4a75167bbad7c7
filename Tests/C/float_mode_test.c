/* float_mode_test.c - a host whose threads flush subnormal numbers to 0, or round upward, gets the bits that every
 * other host gets, on one thread and on four. Its mode is as before after every call. Callbacks run in the default
 * mode.
 */
#include "check.h"
#include "host/float_mode.h"

#if defined(__x86_64__)
enum { FLUSH = 0x8040, UPWARD = 2 << 13 }; /* FTZ and DAZ; rounding */
#elif defined(__aarch64__)
enum { FLUSH = 1 << 24, UPWARD = 1 << 22 };
#else
enum { FLUSH = 0, UPWARD = 0 };
#endif

enum { D = 2, P = 6, COUNT = 200, STRIDE = 4, TERMS = 16 };

typedef struct results {
  float x1[COUNT][D], theta_bar[P], x0_bar[COUNT][D], velocity[COUNT][D], field_theta_bar[P], field_x_bar[COUNT][D];
  double log_det[COUNT], loss[COUNT], t1_bar[COUNT], divergence[COUNT], dense_ends[COUNT][STRIDE + 1], noise[8];
  float dense[COUNT * STRIDE * TERMS * (D + 1)], between[2][D];
  int32_t status[COUNT];
} results;

static int32_t calls_in_other_modes; /* of callbacks, written atomically */

static void note_mode(void) {
  const cnf_float_mode mask = CNF_FLOAT_MODE_DEFAULT | (cnf_float_mode)(FLUSH | UPWARD);
  if ((cnf_float_mode_get() & mask) != CNF_FLOAT_MODE_DEFAULT)
    __atomic_fetch_add(&calls_in_other_modes, 1, __ATOMIC_RELAXED);
}

/* y = -x / 2, as an op of the host. */
static void halve(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  (void)context, (void)t, (void)theta;
  note_mode();
  for (int32_t i = 0; i < D * lanes; ++i) ((float *)y)[i] = -0.5f * ((const float *)x)[i];
}
static void halve_tangent(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                          const void *x_dot, void *y_dot) {
  (void)x;
  halve(context, lanes, t, x_dot, theta, y_dot);
}
static void halve_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                          const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  (void)x, (void)t_bar, (void)theta_bar;
  halve(context, lanes, t, y_bar, theta, x_bar);
}
static void halve_tangent_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                                  const void *x_dot, const void *y_dot_bar, void *x_bar, void *x_dot_bar, void *t_bar,
                                  void *theta_bar) {
  (void)x, (void)x_dot, (void)x_bar, (void)t_bar, (void)theta_bar;
  halve(context, lanes, t, y_dot_bar, theta, x_dot_bar);
}

static int32_t half_sum(void *context, size_t first, size_t count, const void *x1, const double *log_det,
                        const int32_t *status, double *loss, void *x1_bar, double *log_det_bar) {
  (void)context, (void)first, (void)log_det, (void)status, (void)log_det_bar;
  note_mode();
  for (size_t i = 0; i < count * D; ++i) {
    loss[i / D] += 0.5 * (double)((const float *)x1)[i];
    ((float *)x1_bar)[i] = 0.5f;
  }
  return 0;
}

/* A loss that leaves its thread in another mode, which may be one that the host's own work runs on too. */
static int32_t spoil_mode(void *context, size_t first, size_t count, const void *x1, const double *log_det,
                          const int32_t *status, double *loss, void *x1_bar, double *log_det_bar) {
  (void)context, (void)first, (void)count, (void)x1, (void)log_det, (void)status, (void)loss, (void)x1_bar;
  (void)log_det_bar;
  cnf_float_mode_set(CNF_FLOAT_MODE_DEFAULT | FLUSH);
  return 0;
}

static cnf_solver *make_solver(int32_t threads, int32_t control) {
  const cnf_callback callback = {.struct_size = sizeof callback,
                                 .evaluate = halve,
                                 .tangent = halve_tangent,
                                 .reverse = halve_reverse,
                                 .tangent_reverse = halve_tangent_reverse};
  const cnf_op ops[] = {
      {.kind = CNF_OP_LINEAR, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = D},
      {.kind = CNF_OP_CALLBACK, .input = 1, .input2 = CNF_NO_BLOCK, .rows = D, .callback = &callback}};
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  CHECK(cnf_field_create(CNF_FLOAT32, D, ops, 2, sizeof(cnf_op), &field) == CNF_OK);
  cnf_solver_options_init(&options, sizeof options);
  options.threads = threads, options.control = control, options.steps = STRIDE, options.atol = 1e-36;
  options.max_step = INFINITY; /* dense output has room for STRIDE steps */
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  cnf_field_destroy(field);
  return solver;
}

/* The mode of the host's thread is as before. Not a status of CNF_OK: the call has failed. */
static void check_call(cnf_float_mode host, cnf_status status, const char *what) {
  CHECK_STATUS(CNF_OK, status, what);
  check_count(cnf_float_mode_get() == host, "the mode of the host is as before", what, __LINE__);
}

/* Makes every call with states that are subnormal, or about to be, in a host of mode `host`. */
static void run(cnf_float_mode host, int32_t threads, int32_t control, results *r) {
  static float x0[COUNT][D], dense[COUNT * STRIDE * TERMS * (D + 1)];
  const float theta[P] = {2, 0.5f, -0.5f, 1.75f, 1e-40f, 0};
  const double times[2] = {0.4, 0.6};
  memset(r, 0, sizeof *r);
  for (int i = 0; i < COUNT; ++i) x0[i][0] = 3e-39f / (1 + (float)i), x0[i][1] = 1e-41f * (float)i;
  cnf_solver *solver = make_solver(threads, control);
  cnf_solve_input in = {.struct_size = sizeof in, .parameters = theta, .x0 = x0, .count = COUNT, .t1 = 1};
  cnf_solve_output out = {.struct_size = sizeof out,
                          .x1 = r->x1,
                          .log_det = r->log_det,
                          .status = r->status,
                          .dense = dense,
                          .dense_ends = r->dense_ends[0],
                          .dense_stride = STRIDE};
  const cnf_loss spoiler = {.struct_size = sizeof spoiler, .kind = CNF_LOSS_CALLBACK, .function = spoil_mode};
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_CALLBACK, .function = half_sum};
  cnf_gradient gradient = {
      .struct_size = sizeof gradient, .parameters = r->theta_bar, .x0 = r->x0_bar, .t1 = r->t1_bar, .loss = r->loss};
  cnf_gradient field_gradient = {
      .struct_size = sizeof gradient, .parameters = r->field_theta_bar, .x0 = r->field_x_bar};
  cnf_method_info method = {.struct_size = sizeof method};
  cnf_method_get(cnf_method_find("dopri5"), &method);
  const cnf_dense view = {.struct_size = sizeof view,
                          .dtype = CNF_FLOAT32,
                          .state_dim = D,
                          .terms = method.dense_terms,
                          .count = COUNT,
                          .stride = STRIDE,
                          .coefficients = dense,
                          .ends = r->dense_ends[0]};
  cnf_float_mode_set(host);
  check_call(host, cnf_solve_vjp(solver, &in, &spoiler, NULL, &gradient), "a callback that changes the mode");
  calls_in_other_modes = 0; /* those of that call */
  const cnf_status solved = cnf_solve(solver, &in, &out);
  check_call(host, solved, "cnf_solve");
  check_call(host, cnf_solve_vjp(solver, &in, &loss, NULL, &gradient), "cnf_solve_vjp");
  check_call(host, cnf_solver_evaluate(solver, &in, r->velocity, r->divergence), "cnf_solver_evaluate");
  check_call(host, cnf_solver_evaluate_vjp(solver, &in, x0, NULL, NULL, &field_gradient), "cnf_solver_evaluate_vjp");
  check_call(host, cnf_dense_evaluate(&view, 7, times, 2, r->between, NULL), "cnf_dense_evaluate");
  check_call(host, cnf_random_normal(CNF_FLOAT64, 1, CNF_STREAM_USER, 0, 0, 2, 4, r->noise), "cnf_random_normal");
  /* an early return restores the mode too */
  CHECK_STATUS(CNF_ERROR_NULL, cnf_solve(solver, &in, NULL), "cnf_solve without an output");
  CHECK(cnf_float_mode_get() == host);
  CHECK(calls_in_other_modes == 0);
  cnf_float_mode_set(CNF_FLOAT_MODE_DEFAULT);
  memcpy(r->dense, dense, sizeof dense);
  cnf_solver_destroy(solver);
}

static int is_subnormal(float x) { return x != 0 && fabsf(x) < 1.17549435e-38f; }

int main(void) {
  static results plain, other;
  const cnf_float_mode hosts[] = {CNF_FLOAT_MODE_DEFAULT, CNF_FLOAT_MODE_DEFAULT | FLUSH,
                                  CNF_FLOAT_MODE_DEFAULT | UPWARD};
  for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_BATCH; ++control) {
    run(CNF_FLOAT_MODE_DEFAULT, 1, control, &plain);
    int subnormal = 0;
    for (int i = 0; i < COUNT; ++i) subnormal += is_subnormal(plain.x1[i][0]) && is_subnormal(plain.x1[i][1]);
    CHECK(subnormal > COUNT / 2);
    CHECK(is_subnormal(plain.between[1][0]) && plain.status[COUNT - 1] == CNF_SAMPLE_OK);
    for (size_t host = 0; host < sizeof hosts / sizeof hosts[0]; ++host)
      for (int32_t threads = 1; threads <= 4; threads += 3) {
        char what[64];
        snprintf(what, sizeof what, "control %d, host %d, %d threads", (int)control, (int)host, (int)threads);
        run(hosts[host], threads, control, &other);
        check_count(memcmp(&plain, &other, sizeof plain) == 0, "the bits of every host", what, __LINE__);
      }
  }
  return check_report();
}
