/* field_gradient_test.c - the gradient of losses of the field and its divergence, without a solve. Expected results:
 * central differences of cnf_solver_evaluate; the bits of the discrete gradient of one euler step of length 1; and
 * equal bits whatever the batch, the number of threads and the kind of loss.
 */
#include "field_gradient_fixture.h"

/* ---- Central differences ----
 * Their error is d^2/6 times the third derivative, which is below 100, plus 2^-52 |L| / d. With d = 1e-5 and |L| below
 * 100, it is 3e-9. */
static const double DIFFERENCE = 1e-5, TOLERANCE = 1e-7;

static double value_now(cnf_solver *solver, const call_data *c, int with_divergence) {
  static double velocity[MOST * MOST_D], divergence[MOST];
  const cnf_solve_input input = input_of(c);
  double sum = 0;
  CHECK(cnf_solver_evaluate(solver, &input, velocity, divergence) == CNF_OK);
  for (size_t i = 0; i < c->count * (size_t)c->dim; ++i) sum += c->velocity_bar[i] * velocity[i];
  for (size_t i = 0; with_divergence && i < c->count; ++i) sum += c->divergence_bar[i] * divergence[i];
  return sum;
}

static void check_difference(cnf_solver *solver, call_data *c, int with_divergence, double *variable, double got,
                             const char *what, const char *where, size_t number) {
  char detail[300];
  const double middle = *variable;
  *variable = middle + DIFFERENCE;
  const double above = value_now(solver, c, with_divergence);
  *variable = middle - DIFFERENCE;
  const double expected = (above - value_now(solver, c, with_divergence)) / (2 * DIFFERENCE);
  *variable = middle;
  snprintf(detail, sizeof detail, "%s, index %zu: %.12g, central difference %.12g", where, number, got, expected);
  check_count(fabs(got - expected) < TOLERANCE, what, detail, __LINE__);
}

static void test_differences(int kind, setup how, int with_divergence) {
  static call_data c, scratch;
  int32_t dim;
  char where[160];
  cnf_field *field = make_field(kind, CNF_FLOAT64, &dim);
  cnf_solver *solver = solver_of(field, how);
  snprintf(where, sizeof where, "field %d trace %d probes %d frobenius %d divergence %d", kind, (int)how.trace,
           (int)how.probes, (int)how.frobenius, with_divergence);
  fill(&c, field, dim, 7);
  CHECK(differentiate(solver, &c, with_divergence, NULL) == CNF_OK);
  scratch = c;
  for (size_t i = 0; i < c.parameters; ++i)
    check_difference(solver, &scratch, with_divergence, &scratch.theta[i], c.theta_bar[i], "theta", where, i);
  for (size_t i = 0; i < c.count * (size_t)dim; ++i)
    check_difference(solver, &scratch, with_divergence, &scratch.x[i], c.x_bar[i], "x", where, i);
  for (size_t i = 0; i < c.count; ++i)
    check_difference(solver, &scratch, with_divergence, &scratch.t[i], c.t_bar[i], "t", where, i);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* ---- Euler ----
 * One step of length 1 is x + f, and log_det is the divergence. So its gradient with respect to theta has the same bits
 * as that of the field; with respect to x it is x1_bar larger; and the gradients with respect to t0 and t1 add up to
 * that with respect to t, both up to one rounding. */
static void test_euler(int kind, setup how, size_t count) {
  static call_data field_call, step;
  static double t1s[MOST], t1_bar[MOST];
  int32_t dim;
  cnf_field *field = make_field(kind, CNF_FLOAT64, &dim);
  cnf_solver *solver = solver_of(field, how);
  fill(&field_call, field, dim, count);
  for (size_t i = 0; i < count; ++i) field_call.t[i] = floor(8 * field_call.t[i]) / 8, t1s[i] = field_call.t[i] + 1;
  step = field_call;
  CHECK(differentiate(solver, &field_call, 1, NULL) == CNF_OK);
  cnf_solve_input input = input_of(&step);
  input.t1s = t1s;
  const cnf_loss loss = {.struct_size = sizeof loss,
                         .kind = CNF_LOSS_COTANGENTS,
                         .x1_bar = step.velocity_bar,
                         .log_det_bar = step.divergence_bar};
  cnf_gradient gradient = gradient_of(&step);
  gradient.t1 = t1_bar;
  CHECK(cnf_solve_vjp(solver, &input, &loss, NULL, &gradient) == CNF_OK);
  char detail[160];
  snprintf(detail, sizeof detail, "field %d trace %d count %zu", kind, (int)how.trace, count);
  check_count(memcmp(step.theta_bar, field_call.theta_bar, sizeof step.theta_bar) == 0, "theta", detail, __LINE__);
  for (size_t i = 0; i < count * (size_t)dim; ++i)
    check_count(step.x_bar[i] == step.velocity_bar[i] + field_call.x_bar[i], "x", detail, __LINE__);
  for (size_t i = 0; i < count; ++i)
    check_count(fabs(step.t_bar[i] + t1_bar[i] - field_call.t_bar[i]) < 1e-14, "t", detail, __LINE__);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

/* ---- Equal bits ---- */

/* The bits do not depend on the number of threads, and a sample has the same bits in every batch. */
static void test_bits(int kind, setup how) {
  static call_data whole, other;
  int32_t dim;
  cnf_field *field = make_field(kind, CNF_FLOAT64, &dim);
  for (int32_t threads = 1; threads <= 4; ++threads) {
    how.threads = threads;
    cnf_solver *solver = solver_of(field, how);
    call_data *to = threads == 1 ? &whole : &other;
    fill(to, field, dim, MOST);
    CHECK(differentiate(solver, to, 1, NULL) == CNF_OK);
    CHECK(threads == 1 || memcmp(&whole, &other, sizeof whole) == 0);
    cnf_solver_destroy(solver);
  }
  how.threads = 1;
  cnf_solver *solver = solver_of(field, how);
  const size_t starts[] = {0, 5, 130, MOST - 1}, sizes[] = {1, 3, 50, 1};
  for (int n = 0; n < 4; ++n) {
    const size_t first = starts[n], count = sizes[n], d = (size_t)dim;
    fill(&other, field, dim, MOST);
    cnf_solve_input input = input_of(&other);
    cnf_gradient gradient = gradient_of(&other);
    input.x0 = other.x + first * d, input.t0s = other.t + first, input.sample_ids = other.ids + first;
    input.count = count;
    CHECK(cnf_solver_evaluate_vjp(solver, &input, other.velocity_bar + first * d, other.divergence_bar + first, NULL,
                                  &gradient) == CNF_OK);
    CHECK(memcmp(other.x_bar, whole.x_bar + first * d, count * d * sizeof(double)) == 0);
    CHECK(memcmp(other.t_bar, whole.t_bar + first, count * sizeof(double)) == 0);
  }
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

int main(void) {
  for (int kind = 0; kind < FIELD_KINDS; ++kind) {
    for (int32_t trace = CNF_TRACE_NONE; trace <= CNF_TRACE_EXACT_PRODUCT; ++trace) {
      if (!trace_fits(kind, trace)) continue;
      const setup how = with_trace(trace);
      const int tangents = trace == CNF_TRACE_HUTCHINSON || trace == CNF_TRACE_EXACT_TANGENTS;
      for (int with_divergence = 0; with_divergence < 2; ++with_divergence) {
        if (trace == CNF_TRACE_NONE && with_divergence) continue;
        test_differences(kind, how, with_divergence);
        if (tangents) test_differences(kind, (setup){trace, 1, 1, 1, 1, NULL}, with_divergence); /* with regularisers */
      }
      const size_t counts[] = {1, 2, 3, 100, 399};
      for (int n = 0; n < 5; ++n) test_euler(kind, how, counts[n]);
      test_bits(kind, how);
    }
    /* solvers of other methods, which plan tangents and batches differently */
    test_differences(kind, (setup){CNF_TRACE_EXACT_TANGENTS, 1, 1, 0, 0, "rodas4"}, 1);
    test_differences(kind, (setup){CNF_TRACE_NONE, 1, 1, 0, 0, "rodas4"}, 0);
    test_differences(kind, (setup){CNF_TRACE_HUTCHINSON, 1, 1, 0, 0, "implicit_adams"}, 1);
  }
  return check_report();
}
