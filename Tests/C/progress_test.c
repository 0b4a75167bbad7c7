/* progress_test.c - the progress function: what it sees, and how it ends solves and gradients of every control and
 * adjoint, on one thread and on several. ThreadSanitizer runs it too.
 */
#include "net_fixture.h"
#include <stdatomic.h>

enum { SAMPLES = 400 }; /* several chunks */

typedef struct watch {
  atomic_int calls, backward, wrong, calls_after_end;
  atomic_int finished; /* samples of chunks whose forward pass has reported that all are done */
  int32_t end_at;      /* the call that ends the solve; 0: none */
  int32_t count;
} watch;

static int32_t watch_progress(void *context, const cnf_progress *p) {
  watch *w = context;
  const int calls = 1 + atomic_fetch_add(&w->calls, 1);
  if (p->struct_size != sizeof *p || p->first + p->count > (size_t)w->count || p->count == 0 || p->samples < 0 ||
      (size_t)p->samples + p->finished > p->count || (p->backward != 0 && p->backward != 1))
    atomic_fetch_add(&w->wrong, 1);
  atomic_fetch_add(&w->backward, p->backward);
  if (!p->backward && p->finished == p->count) atomic_fetch_add(&w->finished, (int)p->count);
  if (w->end_at && calls > w->end_at) atomic_fetch_add(&w->calls_after_end, 1);
  return w->end_at && calls >= w->end_at;
}

typedef struct result {
  double x1[SAMPLES * D], log_det[SAMPLES], t_reached[SAMPLES], x_at[SAMPLES * D], theta_bar[P], x0_bar[SAMPLES * D];
  int32_t status[SAMPLES], accepted[SAMPLES];
} result;

typedef struct manner {
  cnf_solver_options options;
  int32_t gradient, count;
} manner;

static cnf_status run(cnf_solver *solver, const manner *how, watch *w, result *r) {
  static double theta[P], x0[SAMPLES * D], x1_bar[SAMPLES * D];
  static const double times[] = {0.5};
  const int has_times = how->options.control != CNF_CONTROL_BATCH;
  for (int i = 0; i < P; ++i) theta[i] = 2 * noise(i + 1);
  for (int i = 0; i < SAMPLES * D; ++i) x0[i] = noise(i + 100), x1_bar[i] = noise(i + 300);
  memset(r, 0, sizeof *r);
  if (w) w->count = how->count;
  const cnf_solve_input input = {.struct_size = sizeof input,
                                 .parameters = theta,
                                 .x0 = x0,
                                 .count = (size_t)how->count,
                                 .t0 = 0,
                                 .t1 = 2,
                                 .times = has_times ? times : NULL,
                                 .time_count = (size_t)has_times,
                                 .progress = w ? watch_progress : NULL,
                                 .progress_context = w};
  cnf_solve_output output = {.struct_size = sizeof output,
                             .x1 = r->x1,
                             .log_det = r->log_det,
                             .t_reached = r->t_reached,
                             .status = r->status,
                             .accepted = r->accepted,
                             .x_at = has_times ? r->x_at : NULL};
  if (!how->gradient) return cnf_solve(solver, &input, &output);
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_COTANGENTS, .x1_bar = x1_bar};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = r->theta_bar, .x0 = r->x0_bar};
  return cnf_solve_vjp(solver, &input, &loss, &output, &gradient);
}

/* Ended or not, samples that are done have their bits, and the solver then solves as a new one does. */
static void check_cancelled(cnf_solver *solver, const manner *how, const result *whole, int32_t end_at) {
  static result part, again;
  watch w = {.end_at = end_at};
  int32_t cancelled = 0, reached = 0;
  CHECK_STATUS(CNF_ERROR_CANCELLED, run(solver, how, &w, &part), "an ended call");
  CHECK(w.wrong == 0 && w.calls >= end_at);
  CHECK(w.calls_after_end < (how->options.threads ? how->options.threads : 1));
  for (int i = 0; i < how->count; ++i) {
    const int done = part.status[i] == CNF_SAMPLE_OK;
    cancelled += part.status[i] == CNF_SAMPLE_CANCELLED;
    reached += part.t_reached[i] == 2;
    CHECK(done || part.status[i] == CNF_SAMPLE_CANCELLED);
    CHECK(part.t_reached[i] >= 0 && part.t_reached[i] <= 2 && isfinite(part.x1[i * D]));
    CHECK(!done || part.t_reached[i] == 2);
    if (part.t_reached[i] == 2) CHECK(memcmp(part.x1 + i * D, whole->x1 + i * D, D * sizeof(double)) == 0);
    if (how->gradient && done) CHECK(memcmp(part.x0_bar + i * D, whole->x0_bar + i * D, D * sizeof(double)) == 0);
    if (how->options.control != CNF_CONTROL_BATCH && part.t_reached[i] < 0.5) CHECK(isnan(part.x_at[i * D]));
  }
  CHECK(cancelled > 0 && reached < how->count);
  CHECK_STATUS(CNF_OK, run(solver, how, NULL, &again), "a call after an ended one");
  CHECK(memcmp(&again, whole, sizeof again) == 0);
}

static void test_manner(manner how) {
  static result whole, watched;
  watch all = {.end_at = 0};
  cnf_solver *solver = options_solver(net_ops, OP_COUNT, how.options);
  CHECK_STATUS(CNF_OK, run(solver, &how, NULL, &whole), "without a progress function");
  CHECK_STATUS(CNF_OK, run(solver, &how, &all, &watched), "with one");
  CHECK(memcmp(&whole, &watched, sizeof whole) == 0);
  CHECK(all.wrong == 0 && all.calls > 0 && all.finished == how.count);
  CHECK((all.backward > 0) == (how.gradient != 0));
  check_cancelled(solver, &how, &whole, 1);
  check_cancelled(solver, &how, &whole, 3);
  check_cancelled(solver, &how, &whole, all.calls / 2);
  cnf_solver_destroy(solver);
}

/* A gradient that ends in the backward pass of its last chunk: the states are there, the gradient is not. */
static void test_backward_end(void) {
  static result whole;
  const manner how = {
      .options = {.method = cnf_method_find("dopri5"), .trace = CNF_TRACE_EXACT}, .gradient = 1, .count = 3};
  watch all = {.end_at = 0};
  static result part;
  cnf_solver *solver = options_solver(net_ops, OP_COUNT, how.options);
  CHECK(run(solver, &how, &all, &whole) == CNF_OK);
  watch w = {.end_at = all.calls - 1};
  CHECK(run(solver, &how, &w, &part) == CNF_ERROR_CANCELLED && w.backward > 0);
  int32_t cancelled = 0; /* those of the last chunk; a machine with short tiles has several */
  for (int i = 0; i < how.count; ++i) {
    cancelled += part.status[i] == CNF_SAMPLE_CANCELLED;
    CHECK(part.t_reached[i] == 2);
  }
  CHECK(cancelled > 0);
  CHECK(memcmp(part.x1, whole.x1, sizeof whole.x1) == 0);
  cnf_solver_destroy(solver);
}

int main(void) {
  static const struct {
    const char *method;
    int32_t control, adjoint;
  } cases[] = {
      {"dopri5", CNF_CONTROL_SAMPLE, CNF_ADJOINT_DISCRETE},
      {"dopri5", CNF_CONTROL_SAMPLE, CNF_ADJOINT_CONTINUOUS},
      {"rk4", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE},
      {"rk4", CNF_CONTROL_FIXED, CNF_ADJOINT_CONTINUOUS},
      {"tsit5", CNF_CONTROL_BATCH, CNF_ADJOINT_DISCRETE},
      {"rodas4", CNF_CONTROL_SAMPLE, CNF_ADJOINT_DISCRETE},
      {"rodas4", CNF_CONTROL_SAMPLE, CNF_ADJOINT_CONTINUOUS},
      {"explicit_adams", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE},
      {"reversible_heun", CNF_CONTROL_SAMPLE, CNF_ADJOINT_REVERSIBLE},
      {"reversible_heun", CNF_CONTROL_FIXED, CNF_ADJOINT_REVERSIBLE},
      {"leapfrog", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i)
    for (int32_t threads = 1; threads <= 4; threads += 3)
      for (int32_t gradient = 0; gradient < 2; ++gradient)
        test_manner((manner){.options = {.method = cnf_method_find(cases[i].method),
                                         .control = cases[i].control,
                                         .adjoint = cases[i].adjoint,
                                         .trace = CNF_TRACE_EXACT_TANGENTS,
                                         .steps = 12,
                                         .threads = threads},
                             .gradient = gradient,
                             .count = SAMPLES});
  test_backward_end();
  return check_report();
}
