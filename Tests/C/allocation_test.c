/* allocation_test.c - allocations of memory.
 *
 * This program defines malloc and similar functions itself, and so counts every allocation of the process, on all
 * threads. It checks three statements of cnf.h:
 *
 *   - once a solver exists, cnf_solve and cnf_solver_evaluate neither allocate nor free, from the first call on; their
 *     derivatives do so only if they need more room than those before;
 *   - if there is no memory, creation returns CNF_ERROR_MEMORY, does not change the handle and frees all memory. The
 *     tests let the first, second, ... allocation fail, until creation succeeds;
 *   - if there is no room for a gradient, the call returns CNF_ERROR_MEMORY and writes nothing. A later call has it.
 *
 * With the environment variable CNF_TEST_SHORT it makes fewer calls of the same kinds: three threads only, a smaller
 * batch, and one kind of input for each size. Emulators need this, since they run it a hundred times slower. Whether a
 * call allocates does not depend on the instruction set.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

/* ---- Counting allocations --------------------------------------------------------------------------------------- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

static atomic_bool is_counting;
static atomic_long allocations; /* attempted allocations */
static atomic_long releases;    /* free, munmap, realloc */
static atomic_long live;        /* allocated blocks and mappings that have not been freed */
static atomic_long fail_at;     /* the number, from 1, of the allocation that fails; 0: none */

/* Counts an attempted allocation; 0: it has to fail. */
static int may_allocate(void) {
  if (!atomic_load(&is_counting)) return 1;
  return atomic_fetch_add(&allocations, 1) + 1 != atomic_load(&fail_at);
}

static void *allocated(void *memory) {
  if (memory && atomic_load(&is_counting)) atomic_fetch_add(&live, 1);
  return memory;
}

static void released(void) {
  if (!atomic_load(&is_counting)) return;
  atomic_fetch_add(&releases, 1);
  atomic_fetch_sub(&live, 1);
}

static void *out_of_memory(void) {
  errno = ENOMEM;
  return NULL;
}

void *malloc(size_t size) { return may_allocate() ? allocated(__libc_malloc(size)) : out_of_memory(); }
void *calloc(size_t count, size_t size) {
  return may_allocate() ? allocated(__libc_calloc(count, size)) : out_of_memory();
}
void *memalign(size_t alignment, size_t size) {
  return may_allocate() ? allocated(__libc_memalign(alignment, size)) : out_of_memory();
}
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **memory, size_t alignment, size_t size) {
  void *block = memalign(alignment, size);
  if (block) *memory = block;
  return block ? 0 : ENOMEM;
}
void *realloc(void *old, size_t size) {
  if (!may_allocate()) return out_of_memory();
  void *memory = __libc_realloc(old, size);
  if (memory && !old) allocated(memory);
  return memory;
}
void free(void *memory) {
  if (memory) released();
  __libc_free(memory);
}
void *mmap(void *address, size_t size, int protection, int flags, int file, off_t offset) {
  if (!may_allocate()) return errno = ENOMEM, MAP_FAILED;
  void *memory = (void *)syscall(SYS_mmap, address, size, protection, flags, file, offset);
  if (memory != MAP_FAILED) allocated(memory);
  return memory;
}
int munmap(void *address, size_t size) {
  released();
  return (int)syscall(SYS_munmap, address, size);
}

static void start_counting(long failing) {
  atomic_store(&allocations, 0), atomic_store(&releases, 0), atomic_store(&live, 0), atomic_store(&fail_at, failing);
  atomic_store(&is_counting, 1);
}
static void stop_counting(void) { atomic_store(&is_counting, 0); }

/* ---- Calls ------------------------------------------------------------------------------------------------------ */

/* COUNT, the samples of the largest call, is more than 16 tiles of 32 lanes, the most there are, so that there are
 * several chunks (an eighth of a batch) of several tiles; more than 64 tiles of 8 lanes, so that groups have several
 * chunks if tiles are small; and a prime, so that the last tile is not full. D is even because partitioned methods
 * require it. SHORT_COUNT is a prime of more than 16 tiles of 8 lanes. */
enum { D = 4, HIDDEN = 20, COUNT = 521, SHORT_COUNT = 137, OP_COUNT = 6, MAX_PARAMETERS = 2000 };

static union {
  float f32[MAX_PARAMETERS];
  double f64[MAX_PARAMETERS];
} theta, theta_bar;
static union {
  float f32[COUNT * D];
  double f64[COUNT * D];
} x0, x1, x0_bar, velocity;
enum { TIMES = 2, DENSE_STEPS = 4 };
static double kinetic[COUNT], frobenius[COUNT], log_det[COUNT], t_reached[COUNT], loss[COUNT], t0_bar[COUNT],
    t1_bar[COUNT], divergence[COUNT], log_det_at[COUNT * TIMES], times_bar[COUNT * TIMES];
static double x_at[COUNT * TIMES * D], x_at_bar[COUNT * TIMES * D]; /* large enough for both dtypes */
static int32_t status[COUNT], accepted[COUNT], rejected[COUNT], evaluations[COUNT];
static int is_short; /* CNF_TEST_SHORT is set */
static size_t turn;  /* is_short: which kinds of input a solver gets */

/* A callback that takes little time: row r of the output is theta_r times row r of the input. `context` is the size of
 * a number. */
static double number_at(const void *context, const void *numbers, int32_t i) {
  return *(const size_t *)context == sizeof(double) ? ((const double *)numbers)[i]
                                                    : (double)((const float *)numbers)[i];
}
static void put_number(const void *context, void *numbers, int32_t i, double value) {
  if (*(const size_t *)context == sizeof(double))
    ((double *)numbers)[i] = value;
  else
    ((float *)numbers)[i] = (float)value;
}
/* y = theta x, or y_dot = theta x_dot. */
static void scaled_rows(const void *context, int32_t lanes, const void *theta, const void *x, void *y) {
  for (int32_t i = 0; i < D * lanes; ++i)
    put_number(context, y, i, number_at(context, theta, i / lanes) * number_at(context, x, i));
}
/* x_bar = theta y_bar and theta_bar += x y_bar, or the same with tangents. */
static void scaled_rows_reverse(const void *context, int32_t lanes, const void *theta, const void *x, const void *y_bar,
                                void *x_bar, void *theta_bar) {
  scaled_rows(context, lanes, theta, y_bar, x_bar);
  for (int32_t i = 0; i < D * lanes; ++i)
    put_number(context, theta_bar, i / lanes,
               number_at(context, theta_bar, i / lanes) + number_at(context, x, i) * number_at(context, y_bar, i));
}
static void scale_evaluate(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  (void)t, scaled_rows(context, lanes, theta, x, y);
}
static void scale_tangent(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                          const void *x_dot, void *y_dot) {
  (void)t, (void)x, scaled_rows(context, lanes, theta, x_dot, y_dot);
}
static void scale_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                          const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  (void)t, (void)t_bar, scaled_rows_reverse(context, lanes, theta, x, y_bar, x_bar, theta_bar);
}
static void scale_tangent_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                                  const void *x_dot, const void *y_dot_bar, void *x_bar, void *x_dot_bar, void *t_bar,
                                  void *theta_bar) {
  (void)t, (void)x, (void)x_bar, (void)t_bar;
  scaled_rows_reverse(context, lanes, theta, x_dot, y_dot_bar, x_dot_bar, theta_bar);
}

/* A residual block between a layer and a callback: a field with every kind of op except a separate activation. */
static cnf_status make_field(int32_t dtype, cnf_field **field) {
  static size_t real_sizes[] = {sizeof(float), sizeof(double)};
  const cnf_callback callback = {.struct_size = sizeof callback,
                                 .context = &real_sizes[dtype],
                                 .parameter_count = D,
                                 .evaluate = scale_evaluate,
                                 .tangent = scale_tangent,
                                 .reverse = scale_reverse,
                                 .tangent_reverse = scale_tangent_reverse};
  const cnf_op ops[OP_COUNT] = {
      {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},
      {.kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1},
      {.kind = CNF_OP_LINEAR, .input = 2, .input2 = CNF_NO_BLOCK, .rows = HIDDEN, .activation = CNF_ACTIVATION_TANH},
      {.kind = CNF_OP_LINEAR, .input = 3, .input2 = CNF_NO_BLOCK, .rows = HIDDEN, .activation = CNF_ACTIVATION_SILU},
      {.kind = CNF_OP_ADD, .input = 3, .input2 = 4},
      {.kind = CNF_OP_CALLBACK, .input = 5, .input2 = CNF_NO_BLOCK, .rows = D, .callback = &callback},
  };
  return cnf_field_create(dtype, D, ops, OP_COUNT, sizeof(cnf_op), field);
}

static int32_t zero_loss(void *context, size_t first, size_t count, const void *x, const double *log_det_of,
                         const int32_t *status_of, double *loss_of, void *x_bar, double *log_det_bar) {
  (void)context, (void)first, (void)count, (void)x, (void)log_det_of, (void)status_of;
  (void)loss_of, (void)x_bar, (void)log_det_bar;
  return 0;
}

/* An event at t = 0.45, between the output times, whatever the state. */
static void clock_evaluate(void *context, int32_t lanes, const double *t, const void *x, double *g) {
  (void)context, (void)x;
  for (int32_t j = 0; j < lanes; ++j) g[j] = 0.45 - t[j];
}
static void clock_reverse(void *context, int32_t lanes, const double *t, const void *x, void *g_x, double *g_t) {
  (void)t, (void)x;
  memset(g_x, 0, *(const size_t *)context * D * (size_t)lanes);
  for (int32_t j = 0; j < lanes; ++j) g_t[j] = -1;
}

/* Which calls `run` makes: none that differentiates; none that differentiates a solve; all. */
enum { WITHOUT_GRADIENTS, WITHOUT_SOLVE_GRADIENTS, ALL };

/* Makes the calls that `calls` names, small ones first, so that a buffer that grew with a larger call would be
 * noticed. If is_short, each size gets one of the three kinds of input, and another one with the next solver. */
static cnf_status run(cnf_solver *solver, int32_t dtype, int regularised, int calls, int stops) {
  static double dense[COUNT * DENSE_STEPS * 5 * (D + 1)], dense_ends[COUNT * (DENSE_STEPS + 1)]; /* dopri5's 5 terms */
  static int32_t event[COUNT], left_out[COUNT];
  size_t real_size = dtype == CNF_FLOAT32 ? sizeof(float) : sizeof(double);
  const cnf_event clock = {
      .struct_size = sizeof clock, .context = &real_size, .evaluate = clock_evaluate, .reverse = clock_reverse};
  cnf_loss losses[] = {
      {.struct_size = sizeof(cnf_loss), .kind = CNF_LOSS_NORMAL_NLL, .scale = 1},
      {.struct_size = sizeof(cnf_loss), .kind = CNF_LOSS_CALLBACK, .function = zero_loss},
      {.struct_size = sizeof(cnf_loss), .kind = CNF_LOSS_COTANGENTS, .x1_bar = &x0, .x_at_bar = &x_at_bar},
  };
  cnf_solve_output output = {.struct_size = sizeof output,
                             .x1 = &x1,
                             .log_det = log_det,
                             .t_reached = t_reached,
                             .status = status,
                             .accepted = accepted,
                             .rejected = rejected,
                             .evaluations = evaluations};
  cnf_gradient gradient = {.struct_size = sizeof gradient,
                           .parameters = &theta_bar,
                           .x0 = &x0_bar,
                           .t0 = t0_bar,
                           .t1 = t1_bar,
                           .loss = loss};
  for (size_t j = 0; j < sizeof losses / sizeof losses[0] && regularised; ++j)
    losses[j].kinetic = losses[j].frobenius = 0.01;
  if (regularised) output.kinetic = kinetic, output.frobenius = frobenius;
  const size_t counts[] = {1, 5, is_short ? SHORT_COUNT : COUNT};
  static const double times[TIMES] = {0.7, 0.2};
  static double t0s[COUNT];
  for (size_t i = 0; i < COUNT; ++i) t0s[i] = i % 2 ? 1 : 0.8;
  for (size_t i = 0; i < 3 * sizeof counts / sizeof counts[0]; ++i) {
    if (is_short && (i / 3 + turn) % 3 != i % 3) continue;
    const int timed = i % 3 == 1;
    const cnf_solve_input input = {.struct_size = sizeof input,
                                   .parameters = &theta,
                                   .x0 = &x0,
                                   .count = counts[i / 3],
                                   .t0 = 1,
                                   .t1 = 0,
                                   .seed = 3,
                                   .times = times,
                                   .time_count = timed ? TIMES : 0,
                                   .t0s = i % 3 == 2 ? t0s : NULL,
                                   .events = &clock,
                                   .event_count = timed && stops};
    output.dense = dense, output.dense_ends = dense_ends, output.dense_stride = DENSE_STEPS;
    output.dense_left_out = left_out, output.event = event;
    output.x_at = timed ? &x_at : NULL, output.log_det_at = timed ? log_det_at : NULL;
    gradient.times = timed ? times_bar : NULL;
    cnf_status result = cnf_solve(solver, &input, &output);
    if (result == CNF_OK) result = cnf_solver_evaluate(solver, &input, &velocity, divergence);
    const cnf_field_loss target = {.struct_size = sizeof target, .kind = CNF_FIELD_LOSS_TARGET, .target = &x0};
    if (result == CNF_OK && calls != WITHOUT_GRADIENTS)
      result = cnf_solver_evaluate_vjp(solver, &input, &x0, log_det, &target, &gradient);
    for (size_t j = 0; j < sizeof losses / sizeof losses[0] && result == CNF_OK && calls == ALL; ++j)
      result = cnf_solve_vjp(solver, &input, &losses[j], &output, &gradient);
    if (result != CNF_OK) return result;
  }
  return CNF_OK;
}

/* ---- Tests ------------------------------------------------------------------------------------------------------ */

/* Makes all calls: those without gradients from the first on, those with gradients the second time. */
static void count_calls(cnf_solver *solver, int32_t dtype, int regularised, int calls, int stops, const char *what) {
  turn++;
  for (int gradients = 0; gradients < 2; ++gradients) {
    if (gradients) CHECK(run(solver, dtype, regularised, calls, stops) == CNF_OK);
    start_counting(0);
    const cnf_status result = run(solver, dtype, regularised, gradients ? calls : WITHOUT_GRADIENTS, stops);
    stop_counting();
    char detail[200];
    snprintf(detail, sizeof detail, "%ld allocations, %ld releases: %s, regularised %d, gradients %d",
             atomic_load(&allocations), atomic_load(&releases), what, regularised, gradients);
    CHECK(result == CNF_OK);
    check_count(allocations == 0 && releases == 0, "calls allocate nothing", detail, __LINE__);
  }
}

static void test_calls_allocate_nothing(const cnf_field *field, int32_t dtype, const char *dtype_text) {
  static const char *const method_text[] = {"dopri5, adaptive", "dopri5", "explicit_adams", "implicit_adams"};
  static const struct {
    int32_t trace, regularised, adjoint;
  } cases[] = {{CNF_TRACE_NONE, 0, CNF_ADJOINT_DISCRETE},   {CNF_TRACE_HUTCHINSON, 0, CNF_ADJOINT_DISCRETE},
               {CNF_TRACE_EXACT, 0, CNF_ADJOINT_DISCRETE},  {CNF_TRACE_HUTCHINSON, 1, CNF_ADJOINT_DISCRETE},
               {CNF_TRACE_EXACT, 1, CNF_ADJOINT_DISCRETE},  {CNF_TRACE_HUTCHINSON, 0, CNF_ADJOINT_CONTINUOUS},
               {CNF_TRACE_EXACT, 1, CNF_ADJOINT_CONTINUOUS}};
  for (int32_t threads = is_short ? 3 : 1; threads <= 3; ++threads) {
    for (int32_t method = 0; method < (threads < 3 ? 2 : 4); ++method) { /* Adams methods: only with 3 threads */
      for (size_t t = 0; t < sizeof cases / sizeof cases[0]; ++t) {
        const int calls = method < 3 || cases[t].adjoint == CNF_ADJOINT_CONTINUOUS ? ALL : WITHOUT_SOLVE_GRADIENTS;
        const int stops = method < 2; /* Adams methods do not allow events */
        cnf_solver_options options;
        cnf_solver_options_init(&options, sizeof options);
        options.control = method == 0 ? CNF_CONTROL_SAMPLE : CNF_CONTROL_FIXED;
        if (method >= 2) options.method = cnf_method_find(method_text[method]);
        options.steps = 6;
        options.trace = cases[t].trace;
        options.kinetic = options.frobenius = cases[t].regularised;
        options.adjoint = cases[t].adjoint;
        options.threads = threads;
        if (cases[t].trace == CNF_TRACE_HUTCHINSON && method < 2) { /* recompute states between checkpoints */
          options.schedule = threads == 1 ? CNF_SCHEDULE_EVERY_K : CNF_SCHEDULE_BINOMIAL;
          options.checkpoint_every = 3, options.checkpoint_bytes = 30000, options.store_bytes = -1;
        }
        cnf_solver *solver = NULL;
        CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
        char what[120];
        snprintf(what, sizeof what, "%s, %s steps, trace %d, adjoint %d, %d threads", dtype_text, method_text[method],
                 (int)cases[t].trace, (int)cases[t].adjoint, (int)threads);
        count_calls(solver, dtype, cases[t].regularised, calls, stops, what);
        cnf_solver_destroy(solver);
      }
    }
  }
}

/* Rosenbrock methods, which factor matrices. */
static void test_rosenbrock_allocates_nothing(const cnf_field *field, int32_t dtype) {
  for (int32_t number = 0; number < 4; ++number)
    for (int regularised = number / 2; regularised < 2;
         ++regularised) { /* continuous adjoint: only with regularisers */
      cnf_solver_options options;
      cnf_solver_options_init(&options, sizeof options);
      options.method = cnf_method_find("rodas4");
      options.control = number % 2 ? CNF_CONTROL_FIXED : CNF_CONTROL_SAMPLE;
      options.adjoint = number < 2 ? CNF_ADJOINT_DISCRETE : CNF_ADJOINT_CONTINUOUS;
      options.steps = 6;
      options.kinetic = options.frobenius = regularised;
      options.threads = 3;
      cnf_solver *solver = NULL;
      CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
      count_calls(solver, dtype, regularised, ALL, 1, "rodas4");
      cnf_solver_destroy(solver);
    }
}

/* Symplectic and reversible methods, with the gradients they support. */
static void test_structure_allocates_nothing(const cnf_field *field, int32_t dtype) {
  static const struct {
    const char *method;
    int32_t control, adjoint;
  } cases[] = {{"yoshida4", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE},
               {"yoshida4", CNF_CONTROL_FIXED, CNF_ADJOINT_CONTINUOUS},
               {"reversible_heun", CNF_CONTROL_FIXED, CNF_ADJOINT_REVERSIBLE},
               {"reversible_heun", CNF_CONTROL_SAMPLE, CNF_ADJOINT_REVERSIBLE},
               {"reversible_heun", CNF_CONTROL_SAMPLE, CNF_ADJOINT_DISCRETE}};
  for (size_t t = 0; t < sizeof cases / sizeof cases[0]; ++t)
    for (int regularised = 0; regularised < 2; ++regularised) {
      cnf_solver_options options;
      cnf_solver_options_init(&options, sizeof options);
      options.method = cnf_method_find(cases[t].method);
      options.control = cases[t].control;
      options.adjoint = cases[t].adjoint;
      options.steps = 6;
      options.kinetic = options.frobenius = regularised;
      options.threads = 3;
      cnf_solver *solver = NULL;
      CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
      const int stops = strcmp(cases[t].method, "reversible_heun") != 0;
      count_calls(solver, dtype, regularised, ALL, stops, cases[t].method);
      cnf_solver_destroy(solver);
    }
}

/* Creation succeeds at the attempt after as many attempts as it makes allocations. */
static void test_field_without_memory(void) {
  cnf_status result = CNF_ERROR_MEMORY;
  long attempt = 0;
  while (result == CNF_ERROR_MEMORY && attempt < 1000) {
    cnf_field *field;
    pattern_fill(&field, sizeof field);
    start_counting(++attempt);
    result = make_field(CNF_FLOAT32, &field);
    if (result == CNF_OK) cnf_field_destroy(field);
    stop_counting();
    CHECK(live == 0);
    CHECK(result == CNF_OK || pattern_intact(&field, sizeof field));
  }
  CHECK(result == CNF_OK && attempt > 1);
}

/* The first gradient finds no room. */
static void test_gradient_without_memory(const cnf_field *field) {
  float bar[MAX_PARAMETERS];
  cnf_solver_options options;
  cnf_solver *solver = NULL;
  cnf_solver_options_init(&options, sizeof options);
  options.threads = 2;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  const cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = &theta, .x0 = &x0, .count = COUNT, .t0 = 1, .t1 = 0};
  const cnf_loss nll = {.struct_size = sizeof nll, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  const cnf_field_loss target = {.struct_size = sizeof target, .kind = CNF_FIELD_LOSS_TARGET, .target = &x0};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = bar};
  pattern_fill(bar, sizeof bar);
  for (int number = 0; number < 3; ++number) {
    start_counting(number < 2 ? 1 : 0);
    const cnf_status result = number == 0 ? cnf_solver_evaluate_vjp(solver, &input, NULL, NULL, &target, &gradient)
                                          : cnf_solve_vjp(solver, &input, &nll, NULL, &gradient);
    stop_counting();
    CHECK(result == (number < 2 ? CNF_ERROR_MEMORY : CNF_OK));
    CHECK(number == 2 || pattern_intact(bar, sizeof bar));
    CHECK(allocations == 1 && releases == 0);
  }
  cnf_solver_destroy(solver);
}

static void test_solver_without_memory(const cnf_field *field) {
  cnf_solver_options options;
  cnf_solver_options_init(&options, sizeof options);
  options.threads = 2;
  options.kinetic = options.frobenius = 1;
  options.adjoint = CNF_ADJOINT_CONTINUOUS;
  cnf_status result = CNF_ERROR_MEMORY;
  long attempt = 0;
  while (result == CNF_ERROR_MEMORY && attempt < 1000) {
    cnf_solver *solver;
    pattern_fill(&solver, sizeof solver);
    start_counting(++attempt);
    result = cnf_solver_create(field, &options, &solver);
    if (result == CNF_OK) cnf_solver_destroy(solver);
    stop_counting();
    CHECK(live == 0);
    CHECK(result == CNF_OK || pattern_intact(&solver, sizeof solver));
  }
  CHECK(result == CNF_OK && attempt > 1);
}

int main(void) {
  is_short = getenv("CNF_TEST_SHORT") != NULL;

  /* counting works */
  start_counting(0);
  void *volatile block = malloc(16);
  free(block);
  stop_counting();
  CHECK(allocations == 1 && releases == 1 && live == 0);

  for (int32_t dtype = CNF_FLOAT32; dtype <= CNF_FLOAT64; ++dtype) {
    cnf_field *field = NULL;
    CHECK(make_field(dtype, &field) == CNF_OK);
    const size_t parameters = cnf_field_parameter_count(field);
    CHECK(parameters <= MAX_PARAMETERS);
    CHECK(cnf_random_normal(dtype, 1, CNF_STREAM_INITIAL, 0, 0, 1, parameters, &theta) == CNF_OK);
    for (size_t p = 0; p < parameters; ++p) {
      if (dtype == CNF_FLOAT32)
        theta.f32[p] *= 0.2f;
      else
        theta.f64[p] *= 0.2;
    }
    CHECK(cnf_random_normal(dtype, 1, CNF_STREAM_DATA, 0, 0, COUNT, D, &x0) == CNF_OK);
    test_calls_allocate_nothing(field, dtype, dtype == CNF_FLOAT32 ? "float" : "double");
    test_rosenbrock_allocates_nothing(field, dtype);
    test_structure_allocates_nothing(field, dtype);
    if (dtype == CNF_FLOAT32) test_solver_without_memory(field), test_gradient_without_memory(field);
    cnf_field_destroy(field);
  }
  test_field_without_memory();
  return check_report();
}
