/* The table of kernels of the portable set for float. */
#define CNF_REAL_BITS 32
#define CNF_KERNEL(name) cnf_##name##_f32__generic
#define CNF_KERNEL_TABLE cnf_kernels_generic_f32
#include "simd/kernels.h"
#include "simd/isa/vec_generic.h"
#include "simd/kernels/table.h"
