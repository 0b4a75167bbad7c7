/* How long a call takes, measured by repeating it. */
#ifndef CNF_MEASURE_TIMING_H
#define CNF_MEASURE_TIMING_H

#include <stdint.h>

/* Seconds of one call: the fastest sample, the quartiles of all. */
typedef struct cnf_timing {
  double best, low, median, high;
  int32_t samples;
} cnf_timing;

/* Calls run(context) for about `seconds`, and at least a few times. A sample is so many calls that the cost of reading
 * the clock is negligible. The calls that find this number warm up the caches and are not counted. */
cnf_timing cnf_time_calls(void (*run)(void *context), void *context, double seconds);

#endif
