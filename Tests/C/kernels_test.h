/* kernels_test.h - the functions that kernels_test_f32.c and kernels_test_f64.c define for kernels_test.c. */
#ifndef CNF_KERNELS_TEST_H
#define CNF_KERNELS_TEST_H

#include <stdint.h>

typedef struct kernels_tally {
  int passed, failed;    /* calls of kernels with all elements right, and with a wrong element */
  long long comparisons; /* elements compared with the reference or with an earlier result */
} kernels_tally;

/* Tests every kernel of the table of `isa`, and prints failures. An instruction set without a table is a failure. */
kernels_tally kernels_test_f32(int32_t isa);
kernels_tally kernels_test_f64(int32_t isa);

#endif
