/* accuracy_test.h - the functions that accuracy_test_f32.c and accuracy_test_f64.c define for accuracy_test.c. */
#ifndef CNF_ACCURACY_TEST_H
#define CNF_ACCURACY_TEST_H

#include <stdint.h>

typedef enum accuracy_extent {
  ACCURACY_STRIDE, /* a prime stride of all floats, some doubles, and neighbourhoods of the branch points */
  ACCURACY_ALL     /* all floats (an eighth for derivatives), more doubles, and the same neighbourhoods */
} accuracy_extent;

enum { ACCURACY_QUANTITIES = 4 }; /* y, aux, a', a'' */

typedef struct accuracy_worst {
  double ulps, at, found, expected;
} accuracy_worst;

/* The results of one activation on one instruction set. */
typedef struct accuracy_result {
  accuracy_worst worst[ACCURACY_QUANTITIES];
  double bound[ACCURACY_QUANTITIES];
  int64_t arguments,
      broken; /* arguments tested, and those with a result out of range or without the NaN of its input */
  double broken_at;
} accuracy_result;

/* Tests part `part` of `parts` of the arguments with the instruction sets `isas` [isa_count]. Overwrites `results`
 * [isa_count]. */
void accuracy_test_f32(int activation, accuracy_extent extent, int part, int parts, const int32_t *isas, int isa_count,
                       accuracy_result *results);
void accuracy_test_f64(int activation, accuracy_extent extent, int part, int parts, const int32_t *isas, int isa_count,
                       accuracy_result *results);

#endif
