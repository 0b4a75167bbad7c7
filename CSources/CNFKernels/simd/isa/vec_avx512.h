/* The vector words for AVX-512 F, VL, DQ. vec_generic.h says what they mean. */
#include "simd/real.h"

#define VN 2
#define BLOCK_ROWS 8 /* 16 accumulators: twice what hides an FMA's latency of 4 on two ports */

/* So many samples are solved one by one in less time than in a tile. `make bench-small-calls` measures it. The smallest
 * of many times in us, on one thread of an AMD EPYC (Zen 5), for 1, 2, ... samples alone and for a tile:
 *
 *                                  float                                    double
 *     AVX-512  W1, solve           37 65 93 114 155 190    tile 262         25 48 72 95 120          tile 149
 *              W1, 8 steps of rk4  89 174 259 343 432 519  tile 511         124 250 374 502 620      tile 545
 *              W5, solve           34 61 88 114 140 167    tile 120
 *              digits, gradient    176 297 456 580 704 867 tile 1140        295 502 701 910 1110     tile 970
 *     AVX2     W1, solve           58 103 147 182 247      tile 246         48 91 137                tile 136
 *              W5, gradient        104 185 273 357         tile 313
 *              digits, 8 of rk4    397 786 1184 1569       tile 1415        472 947 1418 1923        tile 1457
 *     generic  W1, gradient        128 253 373 501 633 755 tile 690         212 422 636 843          tile 671
 *              digits, gradient    409 632 844 1074 1284   tile 1577 */
#define MOST_ALONE (CNF_REAL_BITS == 32 ? 5 : 4)

/* V(add) is _mm512_add_ps or _mm512_add_pd. */
#if CNF_REAL_BITS == 32
#define VW 16
#define V(word) _mm512_##word##_ps
typedef __m512 vec;
#define SHIFT_LEFT(a, n) _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a), n))
#else
#define VW 8
#define V(word) _mm512_##word##_pd
typedef __m512d vec;
#define SHIFT_LEFT(a, n) _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_castpd_si512(a), n))
#endif

#include "simd/isa/vec_x86_words.h"

#if CNF_REAL_BITS == 32
#ifndef BF16_TERMS
#define BF16_TERMS 1
CNF_INLINE vec v_bf16(vec a) {
  const __m512i bits = _mm512_castps_si512(a);
  const __m512i even = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(even, _mm512_set1_epi32(0x7fff)));
  const __m512i kept = _mm512_and_si512(rounded, _mm512_set1_epi32((int)0xffff0000));
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q), _mm512_castsi512_ps(kept), a);
}
#endif
CNF_INLINE vec v_where_positive(vec x, vec a, vec b) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ), b, a);
}
CNF_INLINE real v_sum(vec a) {
  __m256 h = _mm256_add_ps(_mm512_castps512_ps256(a), _mm512_extractf32x8_ps(a, 1));
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(h), _mm256_extractf128_ps(h, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
}
CNF_INLINE void v_transpose(vec r[VW]) {
  vec t[VW];
  for (int i = 0; i < 8; i++) { /* pairs of rows, then fours, then quarters of a register */
    t[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
  }
  for (int i = 0; i < 4; i++) {
    r[4 * i + 0] = _mm512_shuffle_ps(t[4 * i + 0], t[4 * i + 2], 0x44);
    r[4 * i + 1] = _mm512_shuffle_ps(t[4 * i + 0], t[4 * i + 2], 0xee);
    r[4 * i + 2] = _mm512_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0x44);
    r[4 * i + 3] = _mm512_shuffle_ps(t[4 * i + 1], t[4 * i + 3], 0xee);
  }
  for (int i = 0; i < 4; i++) {
    t[i] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_f32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_f32x4(r[i + 8], r[i + 12], 0xdd);
  }
  for (int i = 0; i < 8; i++) {
    r[i] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_f32x4(t[i], t[i + 8], 0xdd);
  }
}
#else
CNF_INLINE vec v_where_positive(vec x, vec a, vec b) {
  return _mm512_mask_blend_pd(_mm512_cmp_pd_mask(x, _mm512_setzero_pd(), _CMP_GT_OQ), b, a);
}
CNF_INLINE real v_sum(vec a) {
  __m256d h = _mm256_add_pd(_mm512_castpd512_pd256(a), _mm512_extractf64x4_pd(a, 1));
  __m128d s = _mm_add_pd(_mm256_castpd256_pd128(h), _mm256_extractf128_pd(h, 1));
  return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
}
CNF_INLINE void v_transpose(vec r[VW]) {
  vec t[VW];
  for (int i = 0; i < 4; i++) {
    t[2 * i] = _mm512_unpacklo_pd(r[2 * i], r[2 * i + 1]);
    t[2 * i + 1] = _mm512_unpackhi_pd(r[2 * i], r[2 * i + 1]);
  }
  for (int i = 0; i < 2; i++) { /* i = 0: even columns, 1: odd columns; quarters hold columns 0/1, 2/3, 4/5, 6/7 */
    __m512d a = _mm512_shuffle_f64x2(t[i], t[i + 2], 0x88), b = _mm512_shuffle_f64x2(t[i + 4], t[i + 6], 0x88);
    __m512d c = _mm512_shuffle_f64x2(t[i], t[i + 2], 0xdd), d = _mm512_shuffle_f64x2(t[i + 4], t[i + 6], 0xdd);
    r[i + 0] = _mm512_shuffle_f64x2(a, b, 0x88);
    r[i + 4] = _mm512_shuffle_f64x2(a, b, 0xdd);
    r[i + 2] = _mm512_shuffle_f64x2(c, d, 0x88);
    r[i + 6] = _mm512_shuffle_f64x2(c, d, 0xdd);
  }
}
#endif
