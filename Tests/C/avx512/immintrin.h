/* <immintrin.h> for the emulated AVX-512: SIMDe's portable intrinsics under Intel's names, beside those that SIMDe 0.7.4
 * has no Intel name for, and those that it computes otherwise than the instruction does. With these each arithmetic word
 * of the vocabulary is rounded once, as on a processor. An intrinsic that SIMDe has needs nothing here; one that it lacks
 * or gets wrong is a line or a function more in one of the two lists.
 *
 * Of AVX512-BF16 SIMDe has _mm512_dpbf16_ps, which adds the even products first and rounds each; VDPBF16PS adds the odd
 * ones first, fused, with subnormals as zeros. It has no conversion to bfloat16. */
#ifndef CNF_EMULATED_IMMINTRIN_H
#define CNF_EMULATED_IMMINTRIN_H

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#include <math.h>

/* ---- Without a name in SIMDe */

#ifndef _MM_FROUND_NO_EXC
#define _MM_FROUND_NO_EXC SIMDE_MM_FROUND_NO_EXC
#endif
#define _mm512_shuffle_f32x4(a, b, imm8) simde_mm512_shuffle_f32x4(a, b, imm8)
#define _mm512_shuffle_f64x2(a, b, imm8) simde_mm512_shuffle_f64x2(a, b, imm8)
#define _mm512_extractf32x8_ps(a, imm8) _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a), imm8))

/* ---- Otherwise than the instruction: here by elements, as Intel's Software Developer's Manual (volume 2) has it */

#define EMULATED_FUNCTION static inline __attribute__((always_inline, unused))

/* a 2^floor(b), rounded once. SIMDe's a * exp2(b) overflows or vanishes where a 2^b does not, and takes subnormal
 * operands for zeros, as VSCALEF does only where MXCSR says so. 2^1000 and 2^-1000 lead every float out of range, 2^5000
 * and 2^-5000 every double. */
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
#define EMULATED_WORDS(suffix, vector, count, fused)                                \
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
EMULATED_WORDS(ps, __m512, 16, fmaf)
EMULATED_WORDS(pd, __m512d, 8, fma)
#undef EMULATED_WORDS

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

#endif
