/* The table of kernels of NEON for double. */
#if defined(__aarch64__)
#include <arm_neon.h>
#define CNF_REAL_BITS 64
#define CNF_KERNEL(name) cnf_##name##_f64__neon
#define CNF_KERNEL_TABLE cnf_kernels_neon_f64
#include "simd/kernels.h"
#include "simd/isa/vec_neon.h"
#include "simd/kernels/table.h"
#else
typedef int cnf_not_for_this_machine;
#endif
