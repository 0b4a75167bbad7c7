/* schedules_test.c - checkpoint schedules: a gradient has the same bits whatever states it stores, repeats the
 * documented number of steps, and takes the documented memory.
 *
 * Expected results: the bits of the gradient that stores every step, for all methods, kinds of trace and of step size
 * control and both dtypes, with stored evaluations for none, some or all of the steps; Griewank and Walther's closed
 * form for the number of repeated steps.
 */
#include <math.h>
#include <unistd.h>

#include "callback_layer.h"

enum {
  D = 3,
  HIDDEN = 9,
  COUNT = 37,
  MOST_P = 200,
  TIMES = 3
}; /* COUNT: more samples than a tile of any instruction set */

/* All outputs of cnf_solve_vjp, in either dtype. */
typedef struct answer {
  double theta_bar[MOST_P], x0_bar[COUNT * D], x1[COUNT * D],
      x_at[COUNT * TIMES * D]; /* or floats, followed by zeros */
  double t0_bar[COUNT], t1_bar[COUNT], times_bar[COUNT * TIMES], loss[COUNT];
  int32_t status[COUNT], accepted[COUNT], reversed[COUNT];
} answer;

typedef struct problem {
  int32_t dtype, is_callback, with_times, backward, broken; /* broken: one sample begins at NaN */
  int32_t own_spans; /* each sample has its own interval (forward, backward or empty) and its own output times */
  cnf_solver_options options;
} problem;

static problem problem_of(int32_t dtype, const char *method, int32_t control, int32_t trace) {
  problem p = {.dtype = dtype};
  cnf_solver_options_init(&p.options, sizeof p.options);
  p.options.method = cnf_method_find(method), p.options.control = control, p.options.trace = trace;
  p.options.steps = 10, p.options.threads = 1, p.options.store_bytes = -1;
  p.options.rtol = p.options.atol = 1e-4;
  p.options.max_steps = 400; /* enough for the lowest order at this tolerance */
  return p;
}

static cnf_solver *solver_of(const problem *p) {
  static layer last[2] = {{.dtype = CNF_FLOAT32, .rows = D, .cols = HIDDEN},
                          {.dtype = CNF_FLOAT64, .rows = D, .cols = HIDDEN}};
  const cnf_callback callback = layer_callback(&last[p->dtype == CNF_FLOAT64]);
  cnf_op ops[] = {
      {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},
      {.kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1},
      {.kind = CNF_OP_LINEAR, .input = 2, .input2 = CNF_NO_BLOCK, .rows = HIDDEN, .activation = CNF_ACTIVATION_TANH},
      {.kind = CNF_OP_LINEAR, .input = 3, .input2 = CNF_NO_BLOCK, .rows = D}};
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  if (p->is_callback)
    ops[3] = (cnf_op){.kind = CNF_OP_CALLBACK, .input = 3, .input2 = CNF_NO_BLOCK, .rows = D, .callback = &callback};
  CHECK(cnf_field_create(p->dtype, D, ops, sizeof ops / sizeof ops[0], sizeof(cnf_op), &field) == CNF_OK);
  CHECK(cnf_solver_create(field, &p->options, &solver) == CNF_OK);
  cnf_field_destroy(field);
  return solver;
}

static cnf_work run(cnf_solver *solver, const problem *p, size_t count, answer *a) {
  static union {
    float f32[MOST_P];
    double f64[MOST_P];
  } theta, x0, bar;
  const double forward[TIMES] = {0.35, 0.6, 1.05}, back[TIMES] = {1.05, 0.6, 0.35};
  double log_det_at_bar[COUNT * TIMES];
  cnf_work work = {.struct_size = sizeof work};
  static double t0s[COUNT], t1s[COUNT], own_times[COUNT * TIMES];
  for (int i = 0; i < COUNT; ++i) {
    t0s[i] = 0.1 + 0.02 * i, t1s[i] = t0s[i] + (0.5 + 0.03 * (i % 11)) * (i % 3 - 1);
    for (int n = 0; n < TIMES; ++n) own_times[i * TIMES + n] = t0s[i] + (0.2 + 0.3 * n) * (t1s[i] - t0s[i]);
  }
  memset(a, 0, sizeof *a);
  CHECK(cnf_random_normal(p->dtype, 7, CNF_STREAM_INITIAL, 0, 0, 1, MOST_P, &theta) == CNF_OK);
  CHECK(cnf_random_normal(p->dtype, 7, CNF_STREAM_DATA, 0, 0, COUNT, D, &x0) == CNF_OK);
  static double x_at_bar[COUNT * TIMES * D];
  CHECK(cnf_random_normal(p->dtype, 8, CNF_STREAM_DATA, 0, 0, COUNT, D, &bar) == CNF_OK);
  for (size_t i = 0; i < TIMES; ++i) /* the same cotangents at every time */
    memcpy((char *)x_at_bar + i * sizeof bar / TIMES, (char *)&bar, sizeof bar / TIMES);
  for (int i = 0; i < COUNT * TIMES; ++i) log_det_at_bar[i] = 0.1 * (i % 7) - 0.3;
  if (p->broken && p->dtype == CNF_FLOAT32) x0.f32[5 * D] = NAN;
  if (p->broken && p->dtype == CNF_FLOAT64) x0.f64[5 * D] = NAN;
  const cnf_solve_input input = {.struct_size = sizeof input,
                                 .parameters = &theta,
                                 .x0 = &x0,
                                 .count = count,
                                 .t0 = p->backward ? 1.2 : 0.1,
                                 .t1 = p->backward ? 0.1 : 1.2,
                                 .seed = 5,
                                 .times = p->own_spans  ? NULL
                                          : p->backward ? back
                                                        : forward,
                                 .t0s = p->own_spans ? t0s : NULL,
                                 .t1s = p->own_spans ? t1s : NULL,
                                 .sample_times = p->own_spans && p->with_times ? own_times : NULL,
                                 .time_count = p->with_times ? TIMES : 0};
  const cnf_loss loss = {.struct_size = sizeof loss,
                         .kind = CNF_LOSS_NORMAL_NLL,
                         .scale = 1,
                         .kinetic = p->options.kinetic ? 0.3 : 0,
                         .frobenius = p->options.frobenius ? 0.2 : 0,
                         .x_at_bar = p->with_times ? x_at_bar : NULL,
                         .log_det_at_bar = p->with_times ? log_det_at_bar : NULL};
  cnf_solve_output output = {.struct_size = sizeof output,
                             .x1 = a->x1,
                             .status = a->status,
                             .accepted = a->accepted,
                             .adjoint_evaluations = a->reversed,
                             .x_at = p->with_times ? a->x_at : NULL};
  cnf_gradient gradient = {.struct_size = sizeof gradient,
                           .parameters = a->theta_bar,
                           .x0 = a->x0_bar,
                           .t0 = a->t0_bar,
                           .t1 = a->t1_bar,
                           .loss = a->loss,
                           .times = p->with_times ? a->times_bar : NULL};
  CHECK(cnf_solve_vjp(solver, &input, &loss, &output, &gradient) == CNF_OK);
  CHECK(cnf_solver_get_work(solver, &work) == CNF_OK);
  return work;
}

static cnf_work solve(const problem *p, size_t count, answer *a) {
  cnf_solver *solver = solver_of(p);
  const cnf_work work = run(solver, p, count, a);
  cnf_solver_destroy(solver);
  return work;
}

/* The bytes of one checkpoint of every sample of a chunk, as cnf.h states. A chunk is eight tiles if each sample has
 * its own adaptive steps, else one. */
static int64_t checkpoint_bytes(const problem *p) {
  cnf_solver *solver = solver_of(p);
  cnf_solver_info info = {.struct_size = sizeof info};
  CHECK(cnf_solver_get_info(solver, &info) == CNF_OK);
  cnf_solver_destroy(solver);
  const int64_t chunk = info.lanes * (p->options.control == CNF_CONTROL_SAMPLE ? 8 : 1);
  return chunk * (D * (p->dtype == CNF_FLOAT32 ? 4 : 8) + 12);
}

/* ---- Bits ------------------------------------------------------------------------------------------------------- */

typedef struct schedule {
  int32_t kind, every, checkpoints;
} schedule;

static const schedule schedules[] = {{CNF_SCHEDULE_EVERY_K, 2, 0},   {CNF_SCHEDULE_EVERY_K, 3, 0},
                                     {CNF_SCHEDULE_EVERY_K, 0, 0},   {CNF_SCHEDULE_EVERY_K, 350, 0},
                                     {CNF_SCHEDULE_BINOMIAL, 0, 1},  {CNF_SCHEDULE_BINOMIAL, 0, 2},
                                     {CNF_SCHEDULE_BINOMIAL, 0, 5},  {CNF_SCHEDULE_BINOMIAL, 0, 0},
                                     {CNF_SCHEDULE_AUTOMATIC, 0, 3}, {CNF_SCHEDULE_AUTOMATIC, 0, 0}};
enum { SCHEDULES = sizeof schedules / sizeof schedules[0] };

static void choose(problem *p, schedule s, int64_t bytes) {
  p->options.schedule = s.kind, p->options.checkpoint_every = s.every;
  p->options.checkpoint_bytes = s.checkpoints * bytes;
}

/* Compares every schedule with storing every step, with three sizes of the store of evaluations, or with one size per
 * schedule. */
static void test_same_bits(problem p, int all_stores) {
  static const int64_t stores[] = {-1, 60000, 0}; /* 60000: enough for some of the steps and some lanes of a tile */
  static answer every, other;
  const int64_t bytes = checkpoint_bytes(&p);
  const cnf_work plain = solve(&p, COUNT, &every);
  int ok = 0, longest = 0;
  for (int i = 0; i < COUNT; ++i) {
    ok += every.status[i] == CNF_SAMPLE_OK;
    if (every.status[i] == CNF_SAMPLE_OK && every.accepted[i] > longest) longest = every.accepted[i];
  }
  CHECK(ok > COUNT / 4 && plain.steps_repeated == 0 && plain.repeated_evaluations == 0);
  for (int s = 0; s < SCHEDULES; ++s)
    for (int k = 0; k < 3; ++k) {
      if (!all_stores && k != (s + p.options.method) % 3) continue;
      char detail[200];
      choose(&p, schedules[s], bytes);
      p.options.store_bytes = stores[k];
      p.options.threads = all_stores && k == 1 ? 2 + s % 2 : 1;
      cnf_solver *solver = solver_of(&p);
      cnf_work work = run(solver, &p, COUNT, &other);
      snprintf(detail, sizeof detail,
               "dtype %d method %d control %d trace %d times %d spans %d, schedule %d every %d of %d, store %d",
               (int)p.dtype, (int)p.options.method, (int)p.options.control, (int)p.options.trace, (int)p.with_times,
               (int)p.own_spans, (int)schedules[s].kind, (int)schedules[s].every, (int)schedules[s].checkpoints,
               (int)stores[k]);
      check_count(memcmp(&other, &every, sizeof every) == 0, "the same bits", detail, __LINE__);
      cnf_solver_info info = {.struct_size = sizeof info};
      CHECK(cnf_solver_get_info(solver, &info) == CNF_OK);
      const int holds_all = info.schedule == CNF_SCHEDULE_EVERY_STEP;
      const int32_t free_steps = info.schedule == CNF_SCHEDULE_EVERY_K ? 2 : 1 + info.checkpoints;
      CHECK(holds_all == (p.options.max_steps <= info.checkpoints));
      if (holds_all) CHECK(work.steps_repeated == 0);
      if (stores[k] < 0 && !holds_all && longest > free_steps)
        check_count(work.steps_repeated > 0, "steps are repeated", detail, __LINE__);
      CHECK(work.steps == plain.steps && work.idle_repeated_evaluations <= work.repeated_evaluations);
      if (all_stores) {
        run(solver, &p, COUNT, &other);
        check_count(memcmp(&other, &every, sizeof every) == 0, "the same bits in the next call", detail, __LINE__);
      }
      cnf_solver_destroy(solver);
    }
}

static void test_methods(void) {
  const int32_t traces[] = {CNF_TRACE_NONE, CNF_TRACE_HUTCHINSON, CNF_TRACE_EXACT_TANGENTS, CNF_TRACE_EXACT_PRODUCT};
  for (int32_t dtype = CNF_FLOAT32; dtype <= CNF_FLOAT64; ++dtype)
    for (int32_t method = 0; method < cnf_method_count(); ++method) {
      cnf_method_info info = {.struct_size = sizeof info};
      CHECK(cnf_method_get(method, &info) == CNF_OK);
      if (info.family != CNF_FAMILY_RUNGE_KUTTA) continue; /* no discrete gradient */
      for (int t = 0; t < 4; ++t)
        for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_BATCH; ++control)
          if (control == CNF_CONTROL_FIXED || info.embedded_order)
            test_same_bits(problem_of(dtype, info.name, control, traces[t]), 0);
    }
}

/* Output times, regularisers, probes, mixed precision, callbacks, backward time and samples that fail. */
static void test_features(int32_t control) {
  const char *method = control == CNF_CONTROL_FIXED ? "rk4" : "tsit5";
  for (int32_t dtype = CNF_FLOAT32; dtype <= CNF_FLOAT64; ++dtype) {
    problem p = problem_of(dtype, method, control, CNF_TRACE_HUTCHINSON);
    p.options.probes = 2, p.options.kinetic = p.options.frobenius = 1, p.backward = 1;
    test_same_bits(p, 1);
    p = problem_of(dtype, method, control, CNF_TRACE_EXACT_TANGENTS);
    p.is_callback = 1;
    test_same_bits(p, 1);
    if (control == CNF_CONTROL_BATCH) continue; /* has no output times, and fails as a whole */
    p = problem_of(dtype, method, control, CNF_TRACE_EXACT);
    p.with_times = p.broken = 1;
    test_same_bits(p, 1);
    p.own_spans = 1;
    test_same_bits(p, 1);
    p.with_times = 0, p.options.trace = CNF_TRACE_HUTCHINSON, p.options.kinetic = 1;
    test_same_bits(p, 1);
    p.own_spans = p.options.kinetic = 0, p.with_times = 1;
    p.backward = 1, p.options.steps = 3, p.options.trace = CNF_TRACE_HUTCHINSON, p.broken = 0;
    test_same_bits(p, 1);
  }
  problem p = problem_of(CNF_FLOAT32, method, control, CNF_TRACE_HUTCHINSON);
  p.options.precision = CNF_PRECISION_MIXED;
  test_same_bits(p, 1);
}

/* Some of the samples need more steps than max_steps. */
static void test_failures(void) {
  static answer a;
  problem p = problem_of(CNF_FLOAT64, "bosh3", CNF_CONTROL_SAMPLE, CNF_TRACE_EXACT);
  int32_t least = INT32_MAX, most = 0;
  solve(&p, COUNT, &a);
  for (int i = 0; i < COUNT; ++i) {
    if (a.accepted[i] < least) least = a.accepted[i];
    if (a.accepted[i] > most) most = a.accepted[i];
  }
  CHECK(least + 2 < most); /* so lanes reach their checkpoints at different times */
  p.options.max_steps = (least + most) / 2 + 1;
  solve(&p, COUNT, &a);
  int failed = 0;
  for (int i = 0; i < COUNT; ++i) failed += a.status[i] == CNF_SAMPLE_MAX_STEPS;
  CHECK(failed > 0 && failed < COUNT);
  test_same_bits(p, 1);
}

/* ---- Counts ----------------------------------------------------------------------------------------------------- */

/* The steps needed to reverse l steps with c checkpoints, counting those of the forward pass except the last (Griewank
 * and Walther 2000): r l - C(c + r, r - 1), r being the smallest with C(c + r, c) >= l. For adaptive steps, at most r
 * l. */
static int64_t revolve_steps(int64_t c, int64_t l, int64_t *most) {
  int64_t r = 0, beta = 1, before = 0;
  while (beta < l) r++, before = beta, beta = beta * (c + r) / r;
  *most = r * l;
  return r * l - (r ? before * (c + r) / (c + 1) : 0);
}

static void test_counts(int32_t control) {
  static answer a;
  char detail[120];
  for (int32_t c = 1; c <= 9; c += 1 + c / 3)
    for (int32_t size = 2; size <= 60; size += 1 + size / 4) {
      problem p = problem_of(CNF_FLOAT64, control == CNF_CONTROL_FIXED ? "rk4" : "dopri5", control, CNF_TRACE_NONE);
      p.options.steps = size, p.options.max_step = control == CNF_CONTROL_FIXED ? 0 : 1.1 / size;
      choose(&p, (schedule){CNF_SCHEDULE_BINOMIAL, 0, c}, checkpoint_bytes(&p));
      const cnf_work work = solve(&p, 1, &a); /* one sample, so the steps of a tile are those of the sample */
      const int32_t l = a.accepted[0];
      int64_t most;
      const int64_t least = revolve_steps(c, l, &most), made = work.steps_repeated + l - 1;
      snprintf(detail, sizeof detail, "control %d, %d checkpoints, %d steps: %lld made, least %lld, most %lld",
               (int)control, (int)c, (int)l, (long long)made, (long long)least, (long long)most);
      if (control == CNF_CONTROL_SAMPLE)
        check_count(made >= least && made <= most, "no step more than r times", detail, __LINE__);
      else
        check_count(made == least, "as few steps as possible", detail, __LINE__);
      CHECK(work.steps == l && work.steps_recomputed == l);
      choose(&p, (schedule){CNF_SCHEDULE_EVERY_K, c, 0}, 0);
      const int64_t segments = (l + c - 1) / c, last = l - (segments - 1) * c;
      CHECK(solve(&p, 1, &a).steps_repeated == (segments - 1) * (c - 1) + (last > 2 ? last - 2 : 0));
    }
}

static void test_tile_counts(void) {
  static answer a;
  problem p = problem_of(CNF_FLOAT32, "rk4", CNF_CONTROL_FIXED, CNF_TRACE_EXACT);
  int64_t most;
  p.options.steps = 40;
  choose(&p, (schedule){CNF_SCHEDULE_BINOMIAL, 0, 4}, checkpoint_bytes(&p));
  const cnf_work work = solve(&p, COUNT, &a);
  const int64_t tiles = work.steps / 40; /* lanes step together, so each tile makes as many steps as one sample */
  CHECK(work.steps_repeated == tiles * (revolve_steps(4, 40, &most) - 39));
  CHECK(work.repeated_evaluations == work.steps_repeated * 4 * (work.evaluations / (tiles * 40 * 4)));
}

/* ---- Memory ----------------------------------------------------------------------------------------------------- */

/* Resident memory of this process in KiB, or -1 if the system has no /proc/self/statm. */
static long resident_kilobytes(void) {
  long size, pages = -1;
  FILE *file = fopen("/proc/self/statm", "r");
  if (!file) return -1;
  if (fscanf(file, "%ld %ld", &size, &pages) != 2) pages = -1;
  fclose(file);
  return pages < 0 ? -1 : pages * (sysconf(_SC_PAGESIZE) / 1024);
}

enum { WIDE = 256, WIDE_COUNT = 8 };

/* The resident memory that a new solver adds in a gradient with `steps` steps, in KiB. */
static long touched_kilobytes(int32_t steps, int32_t adjoint, int32_t kind) {
  static double theta[WIDE * (WIDE + 1)], x0[WIDE_COUNT * WIDE], theta_bar[WIDE * (WIDE + 1)];
  const cnf_op op = {.kind = CNF_OP_LINEAR, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = WIDE};
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  for (int i = 0; i < WIDE_COUNT * WIDE; ++i) x0[i] = 0.01 * (i % 13);
  for (int i = 0; i < WIDE; ++i) theta[i * WIDE + i] = -0.3; /* x' = -0.3 x */
  CHECK(cnf_field_create(CNF_FLOAT64, WIDE, &op, 1, sizeof(cnf_op), &field) == CNF_OK);
  cnf_solver_options_init(&options, sizeof options);
  options.method = cnf_method_find("euler"), options.control = CNF_CONTROL_FIXED, options.trace = CNF_TRACE_NONE;
  options.max_steps = options.steps = steps, options.threads = 1, options.store_bytes = -1;
  options.adjoint = adjoint, options.schedule = kind, options.checkpoint_bytes = (int64_t)1 << 20;
  const long before = resident_kilobytes();
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = theta, .x0 = x0, .count = WIDE_COUNT, .t0 = 0, .t1 = 1};
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = theta_bar};
  CHECK(cnf_solve_vjp(solver, &input, &loss, NULL, &gradient) == CNF_OK);
  const long after = resident_kilobytes();
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
  return after - before;
}

/* Between 100 and 1000 steps, the 32 bytes per step of t, h and the like add about 30 KiB. A state takes 2 KiB per
 * sample, and there are 8 samples. */
static void test_memory(void) {
  static const struct {
    const char *name;
    int32_t adjoint, kind, is_constant;
  } rows[] = {{"every step", CNF_ADJOINT_DISCRETE, CNF_SCHEDULE_EVERY_STEP, 0},
              {"every 8th", CNF_ADJOINT_DISCRETE, CNF_SCHEDULE_EVERY_K, 0},
              {"binomial", CNF_ADJOINT_DISCRETE, CNF_SCHEDULE_BINOMIAL, 1},
              {"automatic", CNF_ADJOINT_DISCRETE, CNF_SCHEDULE_AUTOMATIC, 1},
              {"continuous", CNF_ADJOINT_CONTINUOUS, CNF_SCHEDULE_EVERY_STEP, 1}};
  if (resident_kilobytes() < 0 || CHECK_IS_SANITIZED) {
    printf("SKIPPED memory: %s\n", CHECK_IS_SANITIZED ? "a sanitizer adds memory of its own" : "no /proc/self/statm");
    return;
  }
  touched_kilobytes(50, CNF_ADJOINT_DISCRETE, CNF_SCHEDULE_EVERY_STEP); /* loads code and stacks */
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; ++i) {
    const long few = touched_kilobytes(100, rows[i].adjoint, rows[i].kind);
    const long many = touched_kilobytes(1000, rows[i].adjoint, rows[i].kind);
    char detail[160];
    snprintf(detail, sizeof detail, "%s: %ld KiB for 100 steps, %ld for 1000", rows[i].name, few, many);
    printf("%s\n", detail);
    if (rows[i].is_constant)
      check_count(many - few < 128, "memory does not grow with steps", detail, __LINE__);
    else
      check_count(many - few > 1024, "memory grows with steps", detail, __LINE__);
  }
}

static void test_options(void) {
  problem p = problem_of(CNF_FLOAT64, "dopri5", CNF_CONTROL_SAMPLE, CNF_TRACE_NONE);
  const cnf_op op = {.kind = CNF_OP_LINEAR, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = D};
  const int64_t bytes = checkpoint_bytes(&p);
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_info info = {.struct_size = sizeof info};
  CHECK(cnf_field_create(CNF_FLOAT64, D, &op, 1, sizeof(cnf_op), &field) == CNF_OK);
  cnf_solver_options o = p.options;
  o.schedule = 4;
  CHECK_STATUS(CNF_ERROR_OPTION, cnf_solver_create(field, &o, &solver), "unknown schedule");
  o = p.options, o.checkpoint_every = -1;
  CHECK_STATUS(CNF_ERROR_OPTION, cnf_solver_create(field, &o, &solver), "negative checkpoint_every");
  o = p.options, o.checkpoint_bytes = -1;
  CHECK_STATUS(CNF_ERROR_OPTION, cnf_solver_create(field, &o, &solver), "negative checkpoint_bytes");
  o = p.options, o.schedule = CNF_SCHEDULE_BINOMIAL, o.checkpoint_bytes = bytes - 1;
  CHECK_STATUS(CNF_ERROR_CHECKPOINTS, cnf_solver_create(field, &o, &solver), "less than a checkpoint");
  o.adjoint = CNF_ADJOINT_CONTINUOUS; /* needs no checkpoints */
  CHECK(cnf_solver_create(field, &o, &solver) == CNF_OK);
  cnf_solver_destroy(solver);
  for (int32_t n = 1; n <= 3; ++n) {
    o = p.options, o.schedule = CNF_SCHEDULE_BINOMIAL, o.checkpoint_bytes = (n + 1) * bytes - 1;
    CHECK(cnf_solver_create(field, &o, &solver) == CNF_OK && cnf_solver_get_info(solver, &info) == CNF_OK);
    CHECK(info.checkpoints == n && info.schedule == CNF_SCHEDULE_BINOMIAL);
    cnf_solver_destroy(solver);
  }
  o = p.options, o.schedule = CNF_SCHEDULE_AUTOMATIC;
  CHECK(cnf_solver_create(field, &o, &solver) == CNF_OK && cnf_solver_get_info(solver, &info) == CNF_OK);
  CHECK(info.schedule == CNF_SCHEDULE_EVERY_STEP && info.checkpoints == o.max_steps);
  cnf_solver_destroy(solver);
  cnf_field_destroy(field);
}

int main(void) {
  test_options();
  test_memory();
  test_tile_counts();
  for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_BATCH; ++control) {
    test_counts(control);
    test_features(control);
  }
  test_failures();
  test_methods();
  return check_report();
}
