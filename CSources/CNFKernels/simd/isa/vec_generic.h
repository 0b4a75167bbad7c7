/* The vector words for any machine, by the compilers' portable 16-byte vectors. CSources/CNFKernels/README.md lists the
 * words; the header of every instruction set has the same. There is no fused multiply-add here: a*b + c rounds
 * twice. */
#include "simd/real.h"

#if CNF_REAL_BITS == 32
#define VW 4
typedef int32_t vec_int __attribute__((vector_size(16)));
#define MANTISSA_BITS 23
#define SIGN_BIT INT32_MIN
#else
#define VW 2
typedef int64_t vec_int __attribute__((vector_size(16)));
#define MANTISSA_BITS 52
#define SIGN_BIT INT64_MIN
#endif
typedef real vec __attribute__((vector_size(16)));
#define VN 2         /* vectors of a row of lanes */
#define BLOCK_ROWS 4 /* rows of an accumulator block: 4*VN accumulators, VN values, one weight fit 16 registers */
#define MOST_ALONE (CNF_REAL_BITS == 32 ? 5 : 3) /* as measured: vec_avx512.h */

CNF_INLINE vec v_load(const real *p) {
  vec v;
  memcpy(&v, p, sizeof v);
  return v;
}
CNF_INLINE void v_store(real *p, vec v) { memcpy(p, &v, sizeof v); }
CNF_INLINE vec v_set1(real s) { return (vec){0} + s; }
CNF_INLINE vec v_add(vec a, vec b) { return a + b; }
CNF_INLINE vec v_sub(vec a, vec b) { return a - b; }
CNF_INLINE vec v_mul(vec a, vec b) { return a * b; }
CNF_INLINE vec v_div(vec a, vec b) { return a / b; }
CNF_INLINE vec v_fma(vec a, vec b, vec c) { return a * b + c; }
CNF_INLINE vec v_fnma(vec a, vec b, vec c) { return c - a * b; }
CNF_INLINE vec v_bits_select(vec_int mask, vec a, vec b) { return (vec)((mask & (vec_int)a) | (~mask & (vec_int)b)); }
/* The smaller, the larger; b where either is not a number. */
CNF_INLINE vec v_min(vec a, vec b) { return v_bits_select((vec_int)(a < b), a, b); }
CNF_INLINE vec v_max(vec a, vec b) { return v_bits_select((vec_int)(a > b), a, b); }
CNF_INLINE vec v_abs(vec a) { return (vec)((vec_int)a & ~((vec_int){0} + SIGN_BIT)); }
/* a where x > 0, else b. */
CNF_INLINE vec v_where_positive(vec x, vec a, vec b) { return v_bits_select((vec_int)(x > (vec){0}), a, b); }
/* `shifted` is a number plus 1.5 * 2^MANTISSA_BITS: the sum has rounded it to an integer n, which is in its low bits.
 * v_power_of_two: 2^n, if the bias of exponents was added too. v_negate_odd: a, or -a where n is odd. */
CNF_INLINE vec v_power_of_two(vec shifted) { return (vec)((vec_int)shifted << MANTISSA_BITS); }
CNF_INLINE vec v_negate_odd(vec a, vec shifted) {
  return (vec)((vec_int)a ^ ((vec_int)shifted << (CNF_REAL_BITS - 1)));
}
#if CNF_REAL_BITS == 32
/* Rounded to bfloat16, the upper half of a float: to nearest, ties to even. NaN stays NaN. */
#define BF16_TERMS 1
typedef uint32_t vec_bits __attribute__((vector_size(16)));
CNF_INLINE vec v_bf16(vec a) {
  const vec_bits bits = (vec_bits)a, even = (bits >> 16) & 1;
  return v_bits_select((vec_int)(a == a), (vec)((bits + 0x7fff + even) & 0xffff0000), a);
}
#endif
CNF_INLINE real v_sum(vec a) {
#if CNF_REAL_BITS == 32
  return (a[0] + a[2]) + (a[1] + a[3]);
#else
  return a[0] + a[1];
#endif
}
/* Exchanges r[i][j] and r[j][i]. */
CNF_INLINE void v_transpose(vec r[VW]) {
  for (int i = 0; i < VW; i++)
    for (int j = 0; j < i; j++) {
      real kept = r[i][j];
      r[i][j] = r[j][i];
      r[j][i] = kept;
    }
}
