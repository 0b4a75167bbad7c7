/* Tasks on threads. */
#ifndef CNF_HOST_THREADS_H
#define CNF_HOST_THREADS_H

#include <stdint.h>

/* Calls task(context, number, worker) for every number below count, on `threads` threads; worker < threads is the
 * thread's number. */
void cnf_parallel_for(int64_t count, int32_t threads, void (*task)(void *context, int64_t number, int32_t worker),
                      void *context);
int32_t cnf_parallel_default_threads(void);

#endif
