/* kernels_test.h - what the two dtypes' halves of kernels_test give to its main. */
#ifndef CNF_KERNELS_TEST_H
#define CNF_KERNELS_TEST_H

#include <stdint.h>

typedef struct kernels_tally {
  int passed, failed;    /* calls of kernels, right and wrong in some element */
  long long comparisons; /* elements compared with the reference or with an earlier result */
} kernels_tally;

/* Tries every kernel of the ISA's table; prints what fails. An ISA that has no table here is a failure. */
kernels_tally kernels_test_f32(int32_t isa);
kernels_tally kernels_test_f64(int32_t isa);

#endif
