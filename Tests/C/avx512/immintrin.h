/* <immintrin.h> for the emulated AVX-512: SIMDe's portable intrinsics under Intel's names. The first list below adds
 * intrinsics for which SIMDe 0.7.4 has no Intel name; the second replaces those whose results differ from the
 * instruction's, so that each operation rounds once, as on a processor. If kernels use another intrinsic that SIMDe
 * lacks or gets wrong, add it there.
 *
 * Of AVX512-BF16, SIMDe has only _mm512_dpbf16_ps, which adds the even products first and rounds each, and no
 * conversions. */
#ifndef CNF_EMULATED_IMMINTRIN_H
#define CNF_EMULATED_IMMINTRIN_H

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#include <math.h>
#include <stdint.h>
#include <string.h>

/* ---- Intrinsics without an Intel name in SIMDe */

#ifndef _MM_FROUND_NO_EXC
#define _MM_FROUND_NO_EXC SIMDE_MM_FROUND_NO_EXC
#endif
#define _mm512_shuffle_f32x4(a, b, imm8) simde_mm512_shuffle_f32x4(a, b, imm8)
#define _mm512_shuffle_f64x2(a, b, imm8) simde_mm512_shuffle_f64x2(a, b, imm8)
#define _mm512_extractf32x8_ps(a, imm8) _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a), imm8))

/* ---- Intrinsics whose results differ in SIMDe: by elements, after Intel's Software Developer's Manual (volume 2) */

#define EMULATED_FUNCTION static inline __attribute__((always_inline, unused))

/* a 2^floor(b), rounded once. SIMDe's a * exp2(b) overflows or underflows where a 2^b does not, and treats subnormal
 * operands as zeros, which VSCALEF does only if MXCSR says so. Factors of 2^1000 and 2^-1000 take every float out of
 * range, 2^5000 and 2^-5000 every double. */
EMULATED_FUNCTION float emulated_scale_ps(float a, float b) {
  if (isnan(a) || isnan(b)) return a + b;
  if (isinf(b)) return a * (b > 0 ? INFINITY : 0.0f);
  return scalbnf(a, (int)fmaxf(-1000, fminf(1000, floorf(b))));
}
EMULATED_FUNCTION double emulated_scale_pd(double a, double b) {
  if (isnan(a) || isnan(b)) return a + b;
  if (isinf(b)) return a * (b > 0 ? INFINITY : 0.0);
  return scalbn(a, (int)fmax(-5000, fmin(5000, floor(b))));
}

/* SIMDe's fmadd rounds the product before the sum. */
#define EMULATED_FUNCTIONS(suffix, vector, count, fused)                            \
  EMULATED_FUNCTION vector emulated_fmadd_##suffix(vector a, vector b, vector c) {  \
    for (int i = 0; i < count; i++) c[i] = fused(a[i], b[i], c[i]);                 \
    return c;                                                                       \
  }                                                                                 \
  EMULATED_FUNCTION vector emulated_fnmadd_##suffix(vector a, vector b, vector c) { \
    for (int i = 0; i < count; i++) c[i] = fused(-a[i], b[i], c[i]);                \
    return c;                                                                       \
  }                                                                                 \
  EMULATED_FUNCTION vector emulated_scalef_##suffix(vector a, vector b) {           \
    for (int i = 0; i < count; i++) a[i] = emulated_scale_##suffix(a[i], b[i]);     \
    return a;                                                                       \
  }
EMULATED_FUNCTIONS(ps, __m512, 16, fmaf)
EMULATED_FUNCTIONS(pd, __m512d, 8, fma)
#undef EMULATED_FUNCTIONS

EMULATED_FUNCTION __m512i emulated_cvtepu16_epi32(__m256i a) {
  uint16_t halves[16];
  uint32_t words[16];
  __m512i to;
  memcpy(halves, &a, sizeof halves);
  for (int i = 0; i < 16; i++) words[i] = halves[i];
  memcpy(&to, words, sizeof to);
  return to;
}
#define _mm512_cvtepu16_epi32 emulated_cvtepu16_epi32

/* AVX512-BF16 replaces subnormal operands and results by zeros of the same sign, whatever MXCSR says. */
EMULATED_FUNCTION float emulated_no_subnormal(float a) { return fabsf(a) < 0x1p-126f ? copysignf(0, a) : a; }
EMULATED_FUNCTION uint16_t emulated_bf16(float a) {
  uint32_t bits;
  a = emulated_no_subnormal(a);
  memcpy(&bits, &a, sizeof bits);
  return (uint16_t)(isnan(a) ? bits >> 16 | 0x40 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}
EMULATED_FUNCTION float emulated_from_bf16(uint16_t half) {
  const uint32_t bits = (uint32_t)half << 16;
  float a;
  memcpy(&a, &bits, sizeof a);
  return emulated_no_subnormal(a);
}
EMULATED_FUNCTION __m256bh emulated_cvtneps_pbh(__m512 a) {
  uint16_t halves[16];
  __m256bh to;
  for (int i = 0; i < 16; i++) halves[i] = emulated_bf16(a[i]);
  memcpy(&to, halves, sizeof to);
  return to;
}
EMULATED_FUNCTION __m512bh emulated_cvtne2ps_pbh(__m512 upper, __m512 lower) {
  uint16_t halves[32];
  __m512bh to;
  for (int i = 0; i < 16; i++) halves[i] = emulated_bf16(lower[i]), halves[16 + i] = emulated_bf16(upper[i]);
  memcpy(&to, halves, sizeof to);
  return to;
}
/* Adds the odd products first, each with one rounding. */
EMULATED_FUNCTION __m512 emulated_dpbf16_ps(__m512 sum, __m512bh a, __m512bh b) {
  uint16_t x[32], y[32];
  memcpy(x, &a, sizeof x);
  memcpy(y, &b, sizeof y);
  for (int i = 0; i < 16; i++)
    for (int odd = 1; odd >= 0; odd--)
      sum[i] = emulated_no_subnormal(
          fmaf(emulated_from_bf16(x[2 * i + odd]), emulated_from_bf16(y[2 * i + odd]), emulated_no_subnormal(sum[i])));
  return sum;
}

#undef _mm512_fmadd_ps
#undef _mm512_fmadd_pd
#undef _mm512_fnmadd_ps
#undef _mm512_fnmadd_pd
#undef _mm512_scalef_ps
#undef _mm512_scalef_pd
#define _mm512_fmadd_ps emulated_fmadd_ps
#define _mm512_fmadd_pd emulated_fmadd_pd
#define _mm512_fnmadd_ps emulated_fnmadd_ps
#define _mm512_fnmadd_pd emulated_fnmadd_pd
#define _mm512_scalef_ps emulated_scalef_ps
#define _mm512_scalef_pd emulated_scalef_pd

#undef _mm512_cvtneps_pbh
#undef _mm512_cvtne2ps_pbh
#undef _mm512_dpbf16_ps
#define _mm512_cvtneps_pbh emulated_cvtneps_pbh
#define _mm512_cvtne2ps_pbh emulated_cvtne2ps_pbh
#define _mm512_dpbf16_ps emulated_dpbf16_ps

#endif
