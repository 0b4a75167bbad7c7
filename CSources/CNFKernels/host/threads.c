/* Threads of a solver; threads.h has the contract.
 *
 * One number, the gate, says which job is under way, whether it is open, and how many helpers are inside. A helper
 * enters an open job by adding itself. The caller opens a job, takes tasks until none is left, closes the job and waits
 * until the helpers inside have left. Nobody else changes the job, so a closed job without helpers is nobody's.
 *
 * Whoever waits tries again and again for CNF_SPINS rounds, about 50 microseconds, and then sleeps on a semaphore.
 * Calls of a training loop follow each other sooner than a sleeping thread wakes up. A semaphore needs no lock, which a
 * fork could leave locked in the child. */
#define _GNU_SOURCE
#include "host/threads.h"
#include "host/cgroup.h"
#include "host/float_mode.h"
#include "host/memory.h"
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CACHE_LINE 64
#define CNF_SPINS 1000
/* A helper's stack. Kernels need a few pages; the functions of a host may need more. */
#define CNF_STACK_BYTES ((size_t)2 << 20)

/* Parts of the gate: bit 0, the helpers inside, the number of the job. */
#define GATE_OPEN ((uint64_t)1)
#define GATE_HELPER ((uint64_t)2)
#define GATE_INSIDE ((uint64_t)0xfffffffe)
#define GATE_JOB ((uint64_t)1 << 32)

typedef struct helper {
  _Alignas(CACHE_LINE) cnf_threads *threads;
  pthread_t thread;
  int32_t worker;    /* its number as a worker, from 1 */
  uint32_t last_job; /* that it has entered */
  sem_t wake;
  atomic_int asleep; /* 1: it sleeps or is about to; whoever sets it to 0 posts `wake` */
} helper;

struct cnf_threads {
  _Alignas(CACHE_LINE) atomic_uint_least64_t gate;
  _Alignas(CACHE_LINE) atomic_int_least64_t next; /* the first task that nobody has taken */
  /* The job. Written while the gate is closed and no helper is inside. */
  _Alignas(CACHE_LINE) int64_t count;
  cnf_task *task;
  void *context;
  sem_t empty; /* posted by the last helper that leaves a closed job */
  atomic_int stops;
  int32_t spins, helpers;
  pid_t process; /* that the helpers belong to */
  size_t bytes;
  helper helper[];
};

static void pause_briefly(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void wait_for(sem_t *semaphore) {
  while (sem_wait(semaphore) != 0 && errno == EINTR) {
  }
}

static void take_tasks(cnf_threads *t, int32_t worker) {
  for (int64_t i; (i = atomic_fetch_add_explicit(&t->next, 1, memory_order_relaxed)) < t->count;)
    t->task(t->context, i, worker);
}

/* ---- Helpers ----------------------------------------------------------------------------------------------------- */

/* Enters the job that is open, unless the helper has been in it. */
static int try_enter(helper *h) {
  uint64_t gate = atomic_load_explicit(&h->threads->gate, memory_order_acquire);
  while ((gate & GATE_OPEN) && (uint32_t)(gate / GATE_JOB) != h->last_job)
    if (atomic_compare_exchange_weak_explicit(&h->threads->gate, &gate, gate + GATE_HELPER, memory_order_acq_rel,
                                              memory_order_acquire)) {
      h->last_job = (uint32_t)(gate / GATE_JOB);
      return 1;
    }
  return 0;
}

static void leave(cnf_threads *t) {
  const uint64_t gate = atomic_fetch_sub_explicit(&t->gate, GATE_HELPER, memory_order_acq_rel) - GATE_HELPER;
  if (!(gate & (GATE_OPEN | GATE_INSIDE))) sem_post(&t->empty);
}

/* Waits for a job and enters it. Returns 0 if the helper is to end. */
static int enter_next_job(helper *h) {
  cnf_threads *t = h->threads;
  for (;;) {
    for (int32_t i = 0; i <= t->spins; i++) {
      if (try_enter(h)) return 1;
      if (atomic_load_explicit(&t->stops, memory_order_relaxed)) return 0;
      pause_briefly();
    }
    /* A caller writes the gate, then reads `asleep`; here it is the other way round. One of the two sees the other. */
    atomic_store(&h->asleep, 1);
    const uint64_t gate = atomic_load(&t->gate);
    const int is_needed = ((gate & GATE_OPEN) && (uint32_t)(gate / GATE_JOB) != h->last_job) || atomic_load(&t->stops);
    if (is_needed && atomic_exchange(&h->asleep, 0)) continue;
    wait_for(&h->wake);
  }
}

static void *help(void *argument) {
  helper *h = argument;
  while (enter_next_job(h)) {
    CNF_IN_DEFAULT_FLOAT_MODE;
    if (h->worker < h->threads->count) take_tasks(h->threads, h->worker);
    leave(h->threads);
  }
  return NULL;
}

static void wake(helper *h) {
  if (atomic_load(&h->asleep) && atomic_exchange(&h->asleep, 0)) sem_post(&h->wake);
}

/* ---- The caller -------------------------------------------------------------------------------------------------- */

static void open_job(cnf_threads *t, int64_t count, cnf_task *task, void *context) {
  const uint64_t last = atomic_load_explicit(&t->gate, memory_order_relaxed) / GATE_JOB;
  t->count = count, t->task = task, t->context = context;
  atomic_store_explicit(&t->next, 0, memory_order_relaxed);
  atomic_store(&t->gate, (uint64_t)(uint32_t)(last + 1) * GATE_JOB + GATE_OPEN);
  for (int32_t i = 0; i < t->helpers && i < count - 1; i++) wake(&t->helper[i]);
}

static void close_job(cnf_threads *t) {
  uint64_t gate = atomic_fetch_and_explicit(&t->gate, ~GATE_OPEN, memory_order_acq_rel);
  if (!(gate & GATE_INSIDE)) return;
  for (int32_t i = 0; i < t->spins && (gate & GATE_INSIDE); i++) {
    pause_briefly();
    gate = atomic_load_explicit(&t->gate, memory_order_acquire);
  }
  wait_for(&t->empty);
}

void cnf_threads_run(cnf_threads *t, int64_t count, cnf_task *task, void *context) {
  if (!t || count <= 1 || t->process != getpid()) {
    for (int64_t i = 0; i < count; i++) task(context, i, 0);
    return;
  }
  open_job(t, count, task, context);
  take_tasks(t, 0);
  close_job(t);
}

int32_t cnf_threads_count(const cnf_threads *t) { return t ? 1 + t->helpers : 1; }

/* ---- Start and end ----------------------------------------------------------------------------------------------- */

/* Starts one helper. It blocks signals, which the host's own threads are to receive, except those of its own faults and
 * of profilers. */
static int start_helper(cnf_threads *t, const pthread_attr_t *attributes) {
  static const int open[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF};
  helper *h = &t->helper[t->helpers];
  sigset_t blocked, before;
  h->threads = t, h->worker = t->helpers + 1;
  if (sem_init(&h->wake, 0, 0) != 0) return 0;
  sigfillset(&blocked);
  for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) sigdelset(&blocked, open[i]);
  pthread_sigmask(SIG_BLOCK, &blocked, &before);
  const int failed = pthread_create(&h->thread, attributes, help, h);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failed) sem_destroy(&h->wake);
  return !failed;
}

static int32_t processors(void) {
#if defined(__linux__)
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  const long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (int32_t)online : 1;
}

cnf_threads *cnf_threads_start(int32_t count) {
  if (count <= 1) return NULL;
  const size_t bytes = sizeof(cnf_threads) + (size_t)(count - 1) * sizeof(helper);
  cnf_threads *t = (void *)cnf_memory_take(bytes);
  if (!t) return NULL;
  t->bytes = bytes;
  t->process = getpid();
  t->spins = count <= processors() ? CNF_SPINS : 0; /* else others need the processor */
  pthread_attr_t attributes;
  if (sem_init(&t->empty, 0, 0) == 0 && pthread_attr_init(&attributes) == 0) {
    pthread_attr_setstacksize(&attributes, CNF_STACK_BYTES);
    while (t->helpers < count - 1 && start_helper(t, &attributes)) t->helpers++;
    pthread_attr_destroy(&attributes);
  }
  if (t->helpers > 0) return t;
  cnf_threads_stop(t);
  return NULL;
}

void cnf_threads_stop(cnf_threads *t) {
  if (!t) return;
  if (t->process == getpid()) { /* the child of a fork has no helpers */
    atomic_store(&t->stops, 1);
    for (int32_t i = 0; i < t->helpers; i++) wake(&t->helper[i]);
    for (int32_t i = 0; i < t->helpers; i++) {
      pthread_join(t->helper[i].thread, NULL);
      sem_destroy(&t->helper[i].wake);
    }
    sem_destroy(&t->empty);
  }
  cnf_memory_free((char *)t, t->bytes);
}

/* The first number of OMP_NUM_THREADS, as OpenMP reads it for the outermost level; 0: there is none. */
static int32_t wanted_threads(void) {
  const char *text = getenv("OMP_NUM_THREADS");
  const long value = text ? strtol(text, NULL, 10) : 0;
  return value > 0 ? (int32_t)(value < CNF_MOST_THREADS ? value : CNF_MOST_THREADS) : 0;
}

int32_t cnf_threads_default(void) {
  const int32_t wanted = wanted_threads();
  if (wanted > 0) return wanted;
  const int64_t quota = cnf_cgroup_processors("");
  const int32_t count = processors();
  if (quota > 0 && quota < count) return (int32_t)quota;
  return count < CNF_MOST_THREADS ? count : CNF_MOST_THREADS;
}
