/* What the benchmarks of the C library share. A source defines _POSIX_C_SOURCE before its first header. */
#ifndef CNF_BENCHMARK_H
#define CNF_BENCHMARK_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cnf.h"

/* Ends the program if the call fails. */
#define TRY(call)                                                                      \
  do {                                                                                 \
    cnf_status status_ = (call);                                                       \
    if (status_ != CNF_OK) {                                                           \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, cnf_status_message(status_)); \
      exit(EXIT_FAILURE);                                                              \
    }                                                                                  \
  } while (0)

/* Zeros; ends the program if there is no memory. */
static inline void *allocate(size_t count, size_t size) {
  void *memory = calloc(count, size);
  if (!memory) fprintf(stderr, "out of memory\n"), exit(EXIT_FAILURE);
  return memory;
}

/* Seconds of wall time, from an arbitrary start. */
static inline double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

#endif
