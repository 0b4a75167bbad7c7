/* The vector words for AVX2 with FMA. vec_generic.h says what they mean. */
#include "simd/real.h"

#define VN 2
#define BLOCK_ROWS 6                             /* 12 accumulators, 2 values, 1 weight: 15 of 16 registers */
#define MOST_ALONE (CNF_REAL_BITS == 32 ? 3 : 2) /* as measured: vec_avx512.h */

/* V(add) is _mm256_add_ps or _mm256_add_pd. */
#if CNF_REAL_BITS == 32
#define VW 8
#define V(word) _mm256_##word##_ps
typedef __m256 vec;
#define SHIFT_LEFT(a, n) _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a), n))
#else
#define VW 4
#define V(word) _mm256_##word##_pd
typedef __m256d vec;
#define SHIFT_LEFT(a, n) _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(a), n))
#endif

#include "simd/isa/vec_x86_words.h"

CNF_INLINE vec v_where_positive(vec x, vec a, vec b) { return V(blendv)(b, a, V(cmp)(x, V(setzero)(), _CMP_GT_OQ)); }

#if CNF_REAL_BITS == 32
#define BF16_TERMS 1
CNF_INLINE vec v_bf16(vec a) {
  const __m256i bits = _mm256_castps_si256(a);
  const __m256i even = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(even, _mm256_set1_epi32(0x7fff)));
  const __m256i kept = _mm256_and_si256(rounded, _mm256_set1_epi32((int)0xffff0000));
  return _mm256_blendv_ps(_mm256_castsi256_ps(kept), a, _mm256_cmp_ps(a, a, _CMP_UNORD_Q));
}
CNF_INLINE real v_sum(vec a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}
CNF_INLINE void v_transpose(vec r[VW]) {
  vec t[VW];
  for (int i = 0; i < 4; i++) {
    t[2 * i] = _mm256_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm256_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  }
  for (int i = 0; i < 2; i++) {
    r[4 * i + 0] = _mm256_shuffle_ps(t[4 * i + 0], t[4 * i + 2], 0x44);
    r[4 * i + 1] = _mm256_shuffle_ps(t[4 * i + 0], t[4 * i + 2], 0xee);
    r[4 * i + 2] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
    r[4 * i + 3] = _mm256_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xee);
  }
  for (int i = 0; i < 4; i++) {
    t[i] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x20);
    t[i + 4] = _mm256_permute2f128_ps(r[i], r[i + 4], 0x31);
  }
  for (int i = 0; i < VW; i++) r[i] = t[i];
}
#else
CNF_INLINE real v_sum(vec a) {
  __m128d s = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
  return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
}
CNF_INLINE void v_transpose(vec r[VW]) {
  vec t[VW];
  for (int i = 0; i < 2; i++) {
    t[2 * i] = _mm256_unpacklo_pd(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm256_unpackhi_pd(r[2 * i], r[2 * i + 1]);
  }
  for (int i = 0; i < 2; i++) {
    r[i] = _mm256_permute2f128_pd(t[i], t[i + 2], 0x20);
    r[i + 2] = _mm256_permute2f128_pd(t[i], t[i + 2], 0x31);
  }
}
#endif
