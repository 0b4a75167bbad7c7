/* The type `real` of one dtype. Code for a dtype is written once, in headers: a .c file defines CNF_REAL_BITS as 32 or
 * 64 and includes them. CNF_TYPED gives a name that other files see the suffix of its dtype. */
#ifndef CNF_SIMD_REAL_H
#define CNF_SIMD_REAL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if CNF_REAL_BITS == 32
typedef float real;
#define CNF_TYPED(name) name##_f32
#elif CNF_REAL_BITS == 64
typedef double real;
#define CNF_TYPED(name) name##_f64
#else
#error "define CNF_REAL_BITS as 32 or 64"
#endif

#define CNF_INLINE static inline __attribute__((always_inline, unused))

#endif
