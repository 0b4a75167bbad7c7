/* How long a call takes, by repetition. */
#ifndef CNF_MEASURE_TIMING_H
#define CNF_MEASURE_TIMING_H

#include <stdint.h>

/* Seconds of one call: the fastest sample, the quartiles of all. */
typedef struct cnf_timing {
  double best, low, median, high;
  int32_t samples;
} cnf_timing;

/* Calls run(context) for about `seconds`, at least some times. A sample is as many calls as make the clock's own cost
 * vanish; the calls that find out how many that is warm up caches, and are not counted. */
cnf_timing cnf_time_calls(void (*run)(void *context), void *context, double seconds);

#endif
