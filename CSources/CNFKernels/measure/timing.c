/* Times repeated calls: medians and quartiles of samples. */
#define _POSIX_C_SOURCE 199309L
#include "measure/timing.h"
#include <stdlib.h>
#include <time.h>

/* Short samples: some of them then escape other processes that take the core. */
enum { MOST_SAMPLES = 200, LEAST_SAMPLES = 8 };
#define MOST_CALLS ((int64_t)1 << 40) /* of a sample, in case a call takes no time at all */

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static double time_of(int64_t calls, void (*run)(void *context), void *context) {
  double before = now();
  for (int64_t i = 0; i < calls; i++) run(context);
  return now() - before;
}

static int by_value(const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

cnf_timing cnf_time_calls(void (*run)(void *context), void *context, double seconds) {
  double times[MOST_SAMPLES], begin = now();
  int64_t calls = 1;
  while (time_of(calls, run, context) < seconds / MOST_SAMPLES && calls < MOST_CALLS) calls *= 2;
  int32_t n = 0;
  while (n < MOST_SAMPLES && (n < LEAST_SAMPLES || now() - begin < seconds))
    times[n++] = time_of(calls, run, context) / (double)calls;
  qsort(times, (size_t)n, sizeof times[0], by_value);
  return (cnf_timing){
      .best = times[0], .low = times[n / 4], .median = times[n / 2], .high = times[3 * n / 4], .samples = n};
}
