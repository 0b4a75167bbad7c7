/* All of the library's OpenMP. omp.h is not included: with clang it is in a folder of another compiler's headers. */
#include "host/threads.h"
#include "host/float_mode.h"

#if defined(_OPENMP)
#include <stdatomic.h>

extern int omp_get_max_threads(void);
extern int omp_get_thread_num(void);

/* Tasks are handed out by a counter, not by schedule(dynamic). Debian's libomp 14 allocates memory each time it
 * hands out an iteration, and newer clangs call a function at the end of such loops that it lacks. */
void cnf_parallel_for(int64_t count, int32_t threads, void (*task)(void *context, int64_t number, int32_t worker),
                      void *context) {
  if (threads > count) threads = (int32_t)count;
  if (threads <= 1) {
    for (int64_t i = 0; i < count; i++) task(context, i, 0);
    return;
  }
  atomic_int_fast64_t next = 0;
#pragma omp parallel num_threads(threads)
  {
    CNF_IN_DEFAULT_FLOAT_MODE;
    const int32_t worker = omp_get_thread_num();
    for (int64_t i; (i = atomic_fetch_add_explicit(&next, 1, memory_order_relaxed)) < count;) task(context, i, worker);
  }
}

int32_t cnf_parallel_default_threads(void) { return omp_get_max_threads(); }

#else

void cnf_parallel_for(int64_t count, int32_t threads, void (*task)(void *context, int64_t number, int32_t worker),
                      void *context) {
  (void)threads;
  for (int64_t i = 0; i < count; i++) task(context, i, 0);
}

int32_t cnf_parallel_default_threads(void) { return 1; }

#endif
