/* threads_test.c - the threads of a solver: tasks, refusals of the system, limits of the process, and forks.
 *
 * A part that may end or hang the process runs in a child, which has a minute. The linker puts this program's
 * pthread_create before the system's, so that it can refuse.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/threads.h"
#include "net_fixture.h"
#include "space_fixture.h"

/* ---- Threads that the system refuses ----------------------------------------------------------------------------- */

static atomic_int allowed = 1 << 20; /* threads that may still be created */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *argument) {
  return atomic_fetch_sub(&allowed, 1) > 0 ? __real_pthread_create(thread, attributes, run, argument) : EAGAIN;
}

/* ---- A solve ----------------------------------------------------------------------------------------------------- */

enum { SAMPLES = 700 };

typedef struct answer {
  double x1[SAMPLES * D], log_det[SAMPLES], theta_bar[P];
} answer;

static cnf_solver *solver_of(int32_t threads) {
  return options_solver(
      net_ops, OP_COUNT,
      (cnf_solver_options){.method = cnf_method_find("dopri5"), .trace = CNF_TRACE_EXACT, .threads = threads});
}

static int32_t threads_of(const cnf_solver *solver) {
  cnf_solver_info info = {.struct_size = sizeof info};
  CHECK(cnf_solver_get_info(solver, &info) == CNF_OK);
  return info.threads;
}

/* A solve and a gradient. */
static cnf_status solve_into(cnf_solver *solver, answer *a) {
  double theta[P], x0[SAMPLES * D];
  for (int i = 0; i < P; ++i) theta[i] = noise(i);
  for (int i = 0; i < SAMPLES * D; ++i) x0[i] = 2 * noise(i + P);
  const cnf_solve_input in = {
      .struct_size = sizeof in, .parameters = theta, .x0 = x0, .count = SAMPLES, .t0 = 1, .t1 = 0};
  cnf_solve_output out = {.struct_size = sizeof out, .x1 = a->x1, .log_det = a->log_det};
  const cnf_loss loss = {.struct_size = sizeof loss, .kind = CNF_LOSS_NORMAL_NLL, .scale = 1};
  cnf_gradient gradient = {.struct_size = sizeof gradient, .parameters = a->theta_bar};
  memset(a, 0, sizeof *a);
  const cnf_status status = cnf_solve(solver, &in, &out);
  return status ? status : cnf_solve_vjp(solver, &in, &loss, &out, &gradient);
}

static answer expected; /* by one thread */

static int solves_as_expected(cnf_solver *solver) {
  static answer a;
  return solve_into(solver, &a) == CNF_OK && memcmp(&a, &expected, sizeof a) == 0;
}

/* ---- Children ---------------------------------------------------------------------------------------------------- */

enum { PASSED = 21, SECONDS = 60 }; /* PASSED: no exit code of a runtime that ends the process */

/* Runs `test` in a child: does it return 1, in time? */
static int passes_in_child(int (*test)(void)) {
  const pid_t child = fork();
  int status = 0;
  if (child == 0) {
    check_failed = 0;
    alarm(SECONDS);
    _exit(test() && check_failed == 0 ? PASSED : EXIT_FAILURE);
  }
  if (child < 0 || waitpid(child, &status, 0) != child) return 0;
  return WIFEXITED(status) && WEXITSTATUS(status) == PASSED;
}

/* ---- Tests ------------------------------------------------------------------------------------------------------- */

/* Every task runs once, whatever the numbers of tasks and threads are. */
enum { MOST_TASKS = 40 };
static atomic_int runs[MOST_TASKS], strays;
static void count_run(void *context, int64_t number, int32_t worker) {
  if (worker < 0 || worker >= *(int32_t *)context) atomic_fetch_add(&strays, 1);
  atomic_fetch_add(&runs[number], 1);
}
static void test_tasks(void) {
  for (int32_t count = 1; count <= 5; ++count) {
    cnf_threads *threads = cnf_threads_start(count);
    CHECK(cnf_threads_count(threads) == count);
    for (int round = 0; round < 300; ++round) {
      const int64_t tasks = round % (MOST_TASKS + 1);
      cnf_threads_run(threads, tasks, count_run, &count);
      for (int i = 0; i < MOST_TASKS; ++i)
        if (atomic_exchange(&runs[i], 0) != (i < tasks)) CHECK(!"a task runs once");
      if (round % 100 == 0) usleep(2000); /* helpers fall asleep */
    }
    cnf_threads_stop(threads);
  }
  CHECK(atomic_load(&strays) == 0);
  cnf_threads_stop(NULL);
  CHECK(cnf_threads_count(NULL) == 1);
}

static void test_refusals(void) {
  for (int refused_after = 0; refused_after < 4; ++refused_after) {
    atomic_store(&allowed, refused_after);
    cnf_solver *solver = solver_of(4);
    atomic_store(&allowed, 1 << 20);
    CHECK(threads_of(solver) == 1 + (refused_after < 3 ? refused_after : 3));
    CHECK(solves_as_expected(solver));
    cnf_solver_destroy(solver);
  }
}

/* No process may be created: as nobody, because root has no such limit. */
static int without_processes(void) {
  const struct rlimit none = {0, 0};
  if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0)) return 0;
  if (setrlimit(RLIMIT_NPROC, &none) != 0) return 0;
  cnf_solver *solver = solver_of(4);
  const int ok = threads_of(solver) == 1 && solves_as_expected(solver);
  cnf_solver_destroy(solver);
  return ok;
}

/* Address space just above what is used, in steps of a megabyte: creation and calls succeed or return a status. */
static int without_space(void) {
  cnf_field *field = good_field();
  cnf_solver_options options;
  int made = 0, missing = 0;
  cnf_solver_options_init(&options, sizeof options);
  options.threads = 4;
  for (size_t extra = 0; extra < 600; extra += extra < 16 ? 1 : 32) {
    static answer a;
    const struct rlimit space = {address_space() + (extra << 20), RLIM_INFINITY};
    cnf_solver *solver = NULL;
    if (setrlimit(RLIMIT_AS, &space) != 0) return 0;
    const cnf_status status = cnf_solver_create(field, &options, &solver);
    const cnf_status solved = status == CNF_OK ? solve_into(solver, &a) : CNF_ERROR_MEMORY;
    if (status != CNF_OK && status != CNF_ERROR_MEMORY) return 0;
    if (solved != CNF_OK && solved != CNF_ERROR_MEMORY) return 0;
    made += solved == CNF_OK, missing += solved != CNF_OK;
    if (solved == CNF_OK && memcmp(a.x1, expected.x1, sizeof a.x1) != 0) return 0;
    cnf_solver_destroy(solver);
  }
  cnf_field_destroy(field);
  return made > 0 && missing > 0;
}

static cnf_solver *inherited;

/* The child of a fork: it has none of the threads of the solver that it inherits. */
static int after_fork(void) {
  if (!solves_as_expected(inherited) || !solves_as_expected(inherited)) return 0;
  cnf_solver *own = solver_of(2);
  const int ok = threads_of(own) == 2 && solves_as_expected(own) && solves_as_expected(inherited);
  cnf_solver_destroy(own);
  cnf_solver_destroy(inherited);
  return ok;
}

static void test_fork(int sleeps) {
  inherited = solver_of(2);
  CHECK(threads_of(inherited) == 2 && solves_as_expected(inherited));
  if (sleeps) usleep(20000);
  CHECK(passes_in_child(after_fork));
  CHECK(solves_as_expected(inherited)); /* the parent goes on */
  cnf_solver_destroy(inherited);
}

/* Solvers of several host threads at once, each with threads of its own. */
typedef struct host {
  pthread_t thread;
  cnf_solver *solver;
  answer found;
  int equal; /* calls whose answer was the expected one */
} host;
enum { HOSTS = 3, CALLS = 10 };

static void *solve_often(void *argument) {
  host *h = argument;
  for (int i = 0; i < CALLS; ++i)
    h->equal += solve_into(h->solver, &h->found) == CNF_OK && memcmp(&h->found, &expected, sizeof expected) == 0;
  return NULL;
}
static void test_hosts(void) {
  static host hosts[HOSTS];
  for (int i = 0; i < HOSTS; ++i) {
    hosts[i].solver = solver_of(3);
    CHECK(pthread_create(&hosts[i].thread, NULL, solve_often, &hosts[i]) == 0);
  }
  for (int i = 0; i < HOSTS; ++i) {
    CHECK(pthread_join(hosts[i].thread, NULL) == 0 && hosts[i].equal == CALLS);
    cnf_solver_destroy(hosts[i].solver);
  }
}

int main(void) {
  cnf_solver *alone = solver_of(1);
  CHECK(threads_of(alone) == 1 && solve_into(alone, &expected) == CNF_OK);
  cnf_solver_destroy(alone);
  test_tasks();
  test_refusals();
  CHECK(passes_in_child(without_processes));
  if (space_is_limited()) CHECK(passes_in_child(without_space));
  test_fork(0);
  test_fork(1);
  test_hosts();
  return check_report();
}
