/* dropout_steps_test.c - with one dropout mask per solve, the field stays as smooth as that of a network without
 * dropout.
 *
 * First part: a solve with dropout equals the solve of a network without dropout that multiplies by the numbers of the
 * mask, which it gets as context. Steps are the same for each sample at every tolerance, and states and gradients have
 * the same bits.
 *
 * Second part: if a mask is drawn in each evaluation, the error of a step is h sigma and not O(h^(order + 1)). The
 * number of steps then grows like 1 / tolerance instead of tolerance^(-1 / order). The program prints a table of both,
 * which Documentation/architectures.md shows.
 */
#include "ops_fixture.h"

/* ---- The mask as numbers ----------------------------------------------------------------------------------------- */

enum { FIRST = 9, SECOND = 8, MASK_ROWS = FIRST + SECOND + D };
/* The dropout rate of each row of all masks of `dropped`. */
static double rate_of(int row) { return row < FIRST ? 0.4 : row < FIRST + SECOND ? 0.25 : 0.5; }

/* `dropped` with its three dropouts replaced by products with slices of the context. */
static program masked_by_context(void) {
  program p = {.name = "masks as context"};
  const int32_t masks = leaf_op(&p, CNF_OP_CONTEXT, MASK_ROWS);
  const int32_t y = linear(&p, CNF_STATE, FIRST, CNF_ACTIVATION_TANH);
  const int32_t first = pair(&p, CNF_OP_MULTIPLY, y, slice(&p, masks, 0, FIRST));
  const int32_t z = linear(&p, first, SECOND, CNF_ACTIVATION_TANH);
  const int32_t second = pair(&p, CNF_OP_MULTIPLY, z, slice(&p, masks, FIRST, SECOND));
  const int32_t out = linear(&p, second, D, 0);
  pair(&p, CNF_OP_ADD, out, pair(&p, CNF_OP_MULTIPLY, CNF_STATE, slice(&p, masks, FIRST + SECOND, D)));
  return p;
}

/* Draws the masks with the key that cnf.h documents for dropout. Returns the number of dropped rows. */
static int masks_of(const cnf_solve_input *in, double masks[COUNT][MASK_ROWS]) {
  int dropped_rows = 0;
  for (int i = 0; i < COUNT; i++) {
    CHECK(cnf_random_uniform(CNF_FLOAT64, in->seed, CNF_STREAM_DROPOUT, in->step, in->sample_ids[i], 1, MASK_ROWS,
                             masks[i]) == CNF_OK);
    for (int r = 0; r < MASK_ROWS; r++) {
      const int drops = masks[i][r] < rate_of(r);
      masks[i][r] = drops ? 0 : 1 / (1 - rate_of(r));
      dropped_rows += drops;
    }
  }
  return dropped_rows;
}

typedef struct outcome {
  results r;
  int32_t accepted[COUNT], rejected[COUNT], evaluations[COUNT];
} outcome;

static void solve_with(cnf_solver *solver, const cnf_solve_input *in, outcome *o) {
  memset(o, 0, sizeof *o);
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_solve_output out = {.struct_size = sizeof out,
                          .x1 = o->r.x1,
                          .log_det = o->r.log_det,
                          .status = o->r.status,
                          .accepted = o->accepted,
                          .rejected = o->rejected,
                          .evaluations = o->evaluations};
  cnf_gradient gradient = {
      .struct_size = sizeof gradient, .parameters = o->r.theta, .x0 = o->r.x0, .t1 = o->r.t1, .loss = o->r.loss};
  CHECK(cnf_solve_vjp(solver, in, &loss, &out, &gradient) == CNF_OK);
  for (int i = 0; i < COUNT; i++) CHECK(o->r.status[i] == CNF_SAMPLE_OK);
}

static void test_equal_solves(const char *method, int32_t trace, double tolerance) {
  const program with = dropped(), without = masked_by_context();
  static outcome a, b, plain;
  numbers n;
  double masks[COUNT][MASK_ROWS];
  cnf_solver *solvers[2];
  for (int k = 0; k < 2; k++) {
    const program *p = k ? &without : &with;
    cnf_field *field = NULL;
    cnf_solver_options options;
    CHECK(cnf_field_create(CNF_FLOAT64, D, p->ops, p->count, sizeof(cnf_op), &field) == CNF_OK);
    cnf_solver_options_init(&options, sizeof options);
    options.method = cnf_method_find(method), options.trace = trace, options.rtol = options.atol = tolerance;
    CHECK_STATUS(CNF_OK, cnf_solver_create(field, &options, &solvers[k]), p->name);
    cnf_field_destroy(field);
  }
  numbers_fill(&n);
  cnf_solve_input in = input_of(&with, &n, 0, COUNT);
  in.t0 = 0, in.t1 = 2;
  solve_with(solvers[0], &in, &a);
  in.dropout_active = 0;
  solve_with(solvers[0], &in, &plain);
  const int dropped_rows = masks_of(&in, masks);
  CHECK(dropped_rows > 0 && dropped_rows < COUNT * MASK_ROWS);
  in.context = masks;
  solve_with(solvers[1], &in, &b);
  char detail[120];
  snprintf(detail, sizeof detail, "%s, trace %d, %g", method, (int)trace, tolerance);
  check_count(memcmp(a.accepted, b.accepted, sizeof a.accepted) == 0, "accepted steps", detail, __LINE__);
  check_count(memcmp(a.rejected, b.rejected, sizeof a.rejected) == 0, "rejected steps", detail, __LINE__);
  check_count(memcmp(a.evaluations, b.evaluations, sizeof a.evaluations) == 0, "evaluations", detail, __LINE__);
  check_count(memcmp(&a.r, &b.r, sizeof a.r) == 0, "bits of states and gradients", detail, __LINE__);
  for (int i = 0; i < COUNT; i++)
    check_count(a.r.x1[i * D] != plain.r.x1[i * D], "masks change the result", detail, __LINE__);
  for (int k = 0; k < 2; k++) cnf_solver_destroy(solvers[k]);
}

/* ---- A mask drawn in each evaluation ----------------------------------------------------------------------------- */

enum { WIDTH = 16, SAMPLES = 2, MOST_STEPS = 30000 };
static const double RATE = 0.3, END = 4;

/* Dropout whose mask is a function of the bits of its input. So the same input gets the same mask, which a callback
 * must guarantee, and any other input gets another mask. */
static void redraw(void *context, int32_t lanes, const double *time, const void *input, const void *theta,
                   void *output) {
  const double *t = time, *x = input;
  double *y = output;
  (void)context, (void)theta;
  for (int32_t j = 0; j < lanes; j++) {
    uint64_t key = 0, bits;
    for (int r = -1; r < WIDTH; r++) {
      memcpy(&bits, r < 0 ? &t[j] : &x[r * lanes + j], sizeof bits);
      key = (key ^ bits) * UINT64_C(0x9E3779B97F4A7C15); /* the bits of the golden ratio, as in SplitMix64 */
      key ^= key >> 32;
    }
    for (uint32_t r = 0; r < WIDTH; r++) {
      const uint32_t counter[4] = {r, 0, 0, 0}, words[2] = {(uint32_t)key, (uint32_t)(key >> 32)};
      uint32_t drawn[4];
      cnf_philox4x32(counter, words, drawn);
      y[r * (uint32_t)lanes + (uint32_t)j] =
          drawn[0] * 0x1p-32 < RATE ? 0 : x[r * (uint32_t)lanes + (uint32_t)j] / (1 - RATE);
    }
  }
}

typedef enum mask { NONE, FIXED, REDRAWN } mask;

/* dx/dt = W mask(sin(V [x, t] + b)) + c, which keeps changing with time. */
static cnf_solver *solver_with(mask kind, double tolerance) {
  const cnf_callback callback = {.struct_size = sizeof callback, .evaluate = redraw};
  program p = {.name = "masked"};
  const int32_t seen = pair(&p, CNF_OP_CONCAT, CNF_STATE, leaf_op(&p, CNF_OP_TIME, 0));
  int32_t y = linear(&p, seen, WIDTH, CNF_ACTIVATION_SIN);
  if (kind == FIXED) y = unary(&p, CNF_OP_DROPOUT, y, RATE);
  if (kind == REDRAWN)
    y = append(
        &p,
        (cnf_op){.kind = CNF_OP_CALLBACK, .input = y, .input2 = CNF_NO_BLOCK, .rows = WIDTH, .callback = &callback});
  linear(&p, y, D, 0);
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  CHECK(cnf_field_create(CNF_FLOAT64, D, p.ops, p.count, sizeof(cnf_op), &field) == CNF_OK);
  cnf_solver_options_init(&options, sizeof options);
  options.method = cnf_method_find("dopri5"), options.trace = CNF_TRACE_NONE;
  options.rtol = options.atol = tolerance, options.max_steps = MOST_STEPS;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  cnf_field_destroy(field);
  return solver;
}

typedef struct tally {
  double steps; /* the mean over samples of accepted and rejected steps */
  int arrived, out_of_steps;
} tally;

static tally count_steps(mask kind, double tolerance) {
  enum { P = WIDTH * (D + 2) + D * (WIDTH + 1) };
  double theta[P], x0[SAMPLES * D];
  int32_t accepted[SAMPLES], rejected[SAMPLES], status[SAMPLES];
  for (int i = 0; i < P; i++) theta[i] = 1.5 * number_at(7 * i + 3);
  for (int i = 0; i < SAMPLES * D; i++) x0[i] = number_at(i);
  cnf_solver *solver = solver_with(kind, tolerance);
  const cnf_solve_input in = {.struct_size = sizeof in,
                              .parameters = theta,
                              .x0 = x0,
                              .count = SAMPLES,
                              .t1 = END,
                              .seed = 5,
                              .dropout_active = 1};
  cnf_solve_output out = {.struct_size = sizeof out, .accepted = accepted, .rejected = rejected, .status = status};
  CHECK(cnf_solve(solver, &in, &out) == CNF_OK);
  cnf_solver_destroy(solver);
  tally result = {0};
  for (int i = 0; i < SAMPLES; i++) {
    result.steps += (accepted[i] + rejected[i]) / (double)SAMPLES;
    result.arrived += status[i] == CNF_SAMPLE_OK;
    result.out_of_steps += status[i] == CNF_SAMPLE_MAX_STEPS;
  }
  return result;
}

/* The power of 1 / tolerance with which the number of steps grows from `before` to `after`, where tolerances differ by
 * `ratio`. */
static double power(double before, double after, double ratio) { return log(after / before) / log(ratio); }

static void print_row(double tolerance, const tally row[3], int redrawn) {
  printf("| %.0e | %.1f | %.1f | ", tolerance, row[NONE].steps, row[FIXED].steps);
  if (!redrawn)
    printf("not tested |\n");
  else if (row[REDRAWN].arrived == SAMPLES)
    printf("%.1f |\n", row[REDRAWN].steps);
  else
    printf("%d of %d samples arrive within %d |\n", row[REDRAWN].arrived, SAMPLES, MOST_STEPS);
}

static void test_redrawn(void) {
  static const double tolerances[] = {1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8, 1e-10, 1e-12};
  enum { ROWS = sizeof tolerances / sizeof tolerances[0], ORDER = 5, FAILS_FROM = 4, REDRAWN_ROWS = 6 };
  tally t[ROWS][3] = {{{0}}};
  printf("| tolerance | no dropout | one mask per solve | one mask per evaluation |\n|---:|---:|---:|---:|\n");
  for (int k = 0; k < ROWS; k++) {
    for (int kind = NONE; kind <= (k < REDRAWN_ROWS ? REDRAWN : FIXED); kind++)
      t[k][kind] = count_steps((mask)kind, tolerances[k]);
    print_row(tolerances[k], t[k], k < REDRAWN_ROWS);
    CHECK(t[k][NONE].arrived == SAMPLES && t[k][FIXED].arrived == SAMPLES);
  }
  /* The number of steps of a smooth field grows like tolerance^(-1/5) if steps are short, within a tenth over the last
   * four decades. Dropped rows change the size of the field, but not this power. */
  for (int kind = NONE; kind <= FIXED; kind++) {
    const double grown = power(t[5][kind].steps, t[ROWS - 1][kind].steps, 1e4) * ORDER;
    printf("%s: tolerance^(-%.3f/5)\n", kind == NONE ? "no dropout" : "one mask per solve", grown);
    CHECK(fabs(grown - 1) < 0.1);
  }
  /* With errors of h sigma, the number of steps grows like 1 / tolerance. */
  const double grown = power(t[1][REDRAWN].steps, t[3][REDRAWN].steps, 1e2);
  printf("one mask per evaluation: tolerance^(-%.3f)\n", grown);
  CHECK(t[3][REDRAWN].arrived == SAMPLES && fabs(grown - 1) < 0.1);
  for (int k = FAILS_FROM; k < REDRAWN_ROWS; k++) CHECK(t[k][REDRAWN].out_of_steps == SAMPLES);
}

int main(void) {
  static const char *const methods[] = {"dopri5", "tsit5", "bosh3", "dopri8"};
  static const int32_t traces[] = {CNF_TRACE_NONE, CNF_TRACE_HUTCHINSON, CNF_TRACE_EXACT_TANGENTS};
  static const double tolerances[] = {1e-3, 1e-5, 1e-7, 1e-10};
  for (int m = 0; m < 4; m++)
    for (int t = 0; t < 3; t++)
      for (int k = 0; k < 4; k++) test_equal_solves(methods[m], traces[t], tolerances[k]);
  test_redrawn();
  return check_report();
}
