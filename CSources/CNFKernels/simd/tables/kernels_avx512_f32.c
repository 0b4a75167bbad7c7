/* The table of kernels of AVX-512 for float. */
#if defined(__x86_64__)
#include <immintrin.h>
#define CNF_REAL_BITS 32
#define CNF_KERNEL(name) cnf_##name##_f32__avx512
#define CNF_KERNEL_TABLE cnf_kernels_avx512_f32
#include "simd/kernels.h"
#include "simd/isa/target_avx512_begin.h"
#include "simd/isa/vec_avx512.h"
#include "simd/kernels/table.h"
#include "simd/isa/target_end.h"
#else
typedef int cnf_not_for_this_machine;
#endif
