/* accuracy_test.h - what the two dtypes' halves of accuracy_test give to its main. */
#ifndef CNF_ACCURACY_TEST_H
#define CNF_ACCURACY_TEST_H

#include <stdint.h>

typedef enum accuracy_extent {
  ACCURACY_STRIDE, /* a prime stride of all floats, a sample of doubles, and neighbourhoods of the branch points */
  ACCURACY_ALL     /* all floats, of derivatives an eighth; a larger sample of doubles; and the same neighbourhoods */
} accuracy_extent;

enum { ACCURACY_QUANTITIES = 4 }; /* y, aux, a', a'' */

typedef struct accuracy_worst {
  double ulps, at, found, expected;
} accuracy_worst;

/* Of one activation on one instruction set. */
typedef struct accuracy_result {
  accuracy_worst worst[ACCURACY_QUANTITIES];
  double bound[ACCURACY_QUANTITIES];
  int64_t arguments, broken; /* arguments tried; and those where a NaN, a range or a symmetry was not kept */
  double broken_at;
} accuracy_result;

/* Tries part `part` of `parts` of the arguments on the instruction sets of this list, [isa_count]; results are
 * [isa_count]. */
void accuracy_test_f32(int activation, accuracy_extent extent, int part, int parts, const int32_t *isas, int isa_count,
                       accuracy_result *results);
void accuracy_test_f64(int activation, accuracy_extent extent, int part, int parts, const int32_t *isas, int isa_count,
                       accuracy_result *results);

#endif
