/* The vector words for AArch64's Advanced SIMD (NEON), which every such processor has. vec_generic.h says what they
 * mean.
 *
 * The size of the block is derived, not measured. Of 32 registers, 24 are accumulators, 4 are values and the rest are
 * weights. A weight is loaded as a scalar and multiplied from its lane (FMLA by element), so it need not be spread over
 * a vector. Arm's optimization guides give FMLA 4 cycles and 2 pipes (Neoverse N1) or 4 (V1, V2): 8 or 16 independent
 * sums keep them busy, and a block has 24. The 24 FMLA of a column read 4 vectors and 6 scalars: 5 cycles of two load
 * pipes, during the 6 cycles that four pipes multiply. Clang's loop has these 24 in 35 instructions, and spills
 * nothing. A tile is 16 floats or 8 doubles, as with AVX2. */
#include "simd/real.h"

#define VN 4
#define BLOCK_ROWS 6
#define MOST_ALONE (CNF_REAL_BITS == 32 ? 3 : 2) /* not measured: as AVX2, whose tiles have as many lanes */

/* V(vaddq) is vaddq_f32 or vaddq_f64. */
#if CNF_REAL_BITS == 32
#define VW 4
#define V(word) word##_f32
typedef float32x4_t vec;
#else
#define VW 2
#define V(word) word##_f64
typedef float64x2_t vec;
#endif

CNF_INLINE vec v_load(const real *p) { return V(vld1q)(p); }
CNF_INLINE void v_store(real *p, vec v) { V(vst1q)(p, v); }
CNF_INLINE vec v_set1(real s) { return V(vdupq_n)(s); }
CNF_INLINE vec v_add(vec a, vec b) { return V(vaddq)(a, b); }
CNF_INLINE vec v_sub(vec a, vec b) { return V(vsubq)(a, b); }
CNF_INLINE vec v_mul(vec a, vec b) { return V(vmulq)(a, b); }
CNF_INLINE vec v_div(vec a, vec b) { return V(vdivq)(a, b); }
CNF_INLINE vec v_fma(vec a, vec b, vec c) { return V(vfmaq)(c, a, b); }
CNF_INLINE vec v_fnma(vec a, vec b, vec c) { return V(vfmsq)(c, a, b); }
/* The words return b where either is NaN. FMIN and FMAX would return NaN, FMINNM and FMAXNM the number. */
CNF_INLINE vec v_min(vec a, vec b) { return V(vbslq)(V(vcltq)(a, b), a, b); }
CNF_INLINE vec v_max(vec a, vec b) { return V(vbslq)(V(vcgtq)(a, b), a, b); }
CNF_INLINE vec v_abs(vec a) { return V(vabsq)(a); }
CNF_INLINE vec v_where_positive(vec x, vec a, vec b) { return V(vbslq)(V(vcgtzq)(x), a, b); }
CNF_INLINE real v_sum(vec a) { return V(vaddvq)(a); } /* of neighbours, then of the sums */

#if CNF_REAL_BITS == 32
#define BF16_TERMS 1
CNF_INLINE vec v_bf16(vec a) {
  const uint32x4_t bits = vreinterpretq_u32_f32(a), even = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
  const uint32x4_t rounded = vaddq_u32(bits, vaddq_u32(even, vdupq_n_u32(0x7fff)));
  return vbslq_f32(vceqq_f32(a, a), vreinterpretq_f32_u32(vandq_u32(rounded, vdupq_n_u32(0xffff0000))), a);
}
CNF_INLINE vec v_power_of_two(vec shifted) {
  return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(shifted), 23));
}
CNF_INLINE vec v_negate_odd(vec a, vec shifted) {
  uint32x4_t odd = vshlq_n_u32(vreinterpretq_u32_f32(shifted), 31);
  return vreinterpretq_f32_u32(veorq_u32(vreinterpretq_u32_f32(a), odd));
}
CNF_INLINE void v_transpose(vec r[VW]) {
  float64x2_t t[4];
  for (int i = 0; i < 2; i++) { /* of rows 0, 1 and of rows 2, 3: columns 0 and 2, columns 1 and 3 */
    t[2 * i] = vreinterpretq_f64_f32(vtrn1q_f32(r[2 * i], r[2 * i + 1]));
    t[2 * i + 1] = vreinterpretq_f64_f32(vtrn2q_f32(r[2 * i], r[2 * i + 1]));
  }
  for (int i = 0; i < 2; i++) {
    r[i] = vreinterpretq_f32_f64(vtrn1q_f64(t[i], t[i + 2]));
    r[i + 2] = vreinterpretq_f32_f64(vtrn2q_f64(t[i], t[i + 2]));
  }
}
#else
CNF_INLINE vec v_power_of_two(vec shifted) {
  return vreinterpretq_f64_u64(vshlq_n_u64(vreinterpretq_u64_f64(shifted), 52));
}
CNF_INLINE vec v_negate_odd(vec a, vec shifted) {
  uint64x2_t odd = vshlq_n_u64(vreinterpretq_u64_f64(shifted), 63);
  return vreinterpretq_f64_u64(veorq_u64(vreinterpretq_u64_f64(a), odd));
}
CNF_INLINE void v_transpose(vec r[VW]) {
  vec top = r[0], bottom = r[1];
  r[0] = vtrn1q_f64(top, bottom);
  r[1] = vtrn2q_f64(top, bottom);
}
#endif
