/* The table of kernels of the portable set for double. */
#define CNF_REAL_BITS 64
#define CNF_KERNEL(name) cnf_##name##_f64__generic
#define CNF_KERNEL_TABLE cnf_kernels_generic_f64
#include "simd/kernels.h"
#include "simd/isa/vec_generic.h"
#include "simd/kernels/table.h"
