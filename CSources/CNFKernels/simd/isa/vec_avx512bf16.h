/* The vector words for AVX-512 with BF16. VDPBF16PS multiplies pairs of bfloat16 and adds the products to a float:
 * twice the terms of an FMA. It adds the odd product first, then the even one, each fused, with subnormals as zeros.
 * All other words are those of vec_avx512.h. */
#include "simd/real.h"

#if CNF_REAL_BITS == 32
#define BF16_TERMS 2 /* of a sum, in each 32 bits: the first in the lower half */
#endif

#include "simd/isa/vec_avx512.h"

#if CNF_REAL_BITS == 32
CNF_INLINE __m512i v_bf16_halves(vec a) { return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(a)); }
/* Element i: a[i], then b[i]. */
CNF_INLINE vec v_bf16_pairs(vec a, vec b) {
  return _mm512_castsi512_ps(_mm512_or_si512(v_bf16_halves(a), _mm512_slli_epi32(v_bf16_halves(b), 16)));
}
/* Pairs of neighbours: those of a, then those of b. */
CNF_INLINE vec v_bf16_neighbours(vec a, vec b) { return (vec)_mm512_cvtne2ps_pbh(b, a); }
/* c + the products of a's terms and b's. */
CNF_INLINE vec v_bf16_dot(vec a, vec b, vec c) { return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b); }
#endif
