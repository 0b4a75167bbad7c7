/* The elementary functions that activations consist of, for one dtype and instruction set. coefficients.h has each
 * approximation with its interval and its error in exact arithmetic; Scripts/make_coefficients.py computes it.
 *
 * Everything with an exponential comes from one reduction and one even polynomial (Cody and Waite 1980; the even
 * function is that of fdlibm's e_exp.c): x = n ln 2 + r, |r| <= ln(2)/2, s = 2^n, E = r coth(r/2). Then exactly
 *
 *   e^x = s (E + r) / (E - r)                                     1/(1 + e^-x) = s (E + r) / (s (E + r) + (E - r))
 *   e^x - 1 = ((s-1) E + (s+1) r) / (E - r)      tanh(x/2) = ((s-1) E + (s+1) r) / ((s+1) E + (s-1) r)
 *
 * Nothing cancels: where x is small, n is 0 and s-1 is exactly 0. Each takes one division, and half the terms of the
 * series of e^r. In float tanh has its own form, with fewer operations still.
 *
 * A NaN stays one. Largest errors: simd/activations/traits.h, which Tests/C/accuracy_test asserts.
 */
#include "simd/activations/coefficients.h"

#if CNF_REAL_BITS == 32
#define R(x) x##f
#define POWER_MAGIC 12583039.0f /* 1.5 * 2^23 + 127: a sum with it is rounded to n, and has n + bias in its low bits */
#define ROUND_MAGIC 12582912.0f /* 1.5 * 2^23 */
#define EXP_END 87.6f           /* 2^n is a normal number down to -EXP_END, and twice it is one up to EXP_END */
#define TANH_END 8.67f          /* the result is exactly 1 there, fused or not; tanh itself is an ulp less */
#define MILLS_END 13.2f         /* z Phi(z) is below every normal number from -MILLS_END down */
#else
#define R(x) x
#define POWER_MAGIC 6755399441056767.0 /* 1.5 * 2^52 + 1023 */
#define ROUND_MAGIC 6755399441055744.0 /* 1.5 * 2^52 */
#define EXP_END 708.7
#define TANH_END 19.1 /* tanh rounds to 1 from 19.07 on */
#define MILLS_END 37.64
#endif

/* c[0] + c[1] x + ..., `count` terms (a constant, so that the loop unrolls). From 8 terms on, even and odd powers are
 * summed apart: one more multiplication, half the latency. That is 3 to 7 % faster in double, and slower for fewer
 * terms. */
CNF_INLINE vec v_polynomial(const real *c, const int count, vec x) {
  vec p = v_set1(c[count - 1]), q = v_set1(c[count - 2]);
  if (count < 8) {
    for (int i = count - 2; i >= 0; i--) p = v_fma(p, x, v_set1(c[i]));
    return p;
  }
  vec u = v_mul(x, x);
  for (int i = count - 3; i >= 0; i -= 2) p = v_fma(p, u, v_set1(c[i]));
  for (int i = count - 4; i >= 0; i -= 2) q = v_fma(q, u, v_set1(c[i]));
  return count % 2 ? v_fma(q, x, p) : v_fma(p, x, q);
}
#define V_POLYNOMIAL(list, x) v_polynomial((const real[])list, (int)(sizeof((const real[])list) / sizeof(real)), x)

/* A NaN stays: v_min and v_max return their second operand then. */
CNF_INLINE vec v_clamp(real low, real high, vec x) { return v_max(v_set1(low), v_min(v_set1(high), x)); }

typedef struct exp_parts {
  vec s, even, r;
} exp_parts;

/* Of x + rest, |x| <= EXP_END; rest is what x has lost in rounding, small compared with 1. */
CNF_INLINE exp_parts v_exp_parts_of_sum(vec x, vec rest) {
  static const real ln2[] = LN2_PARTS;
  vec shifted = v_fma(x, v_set1(LOG2_E), v_set1(POWER_MAGIC)), n = v_sub(shifted, v_set1(POWER_MAGIC));
  exp_parts e;
  e.r = v_fnma(n, v_set1(ln2[1]), v_add(v_fnma(n, v_set1(ln2[0]), x), rest));
  e.even = V_POLYNOMIAL(EXP_EVEN, v_mul(e.r, e.r));
  e.s = v_power_of_two(shifted);
  return e;
}
CNF_INLINE exp_parts v_exp_parts(vec x) {
  return v_exp_parts_of_sum(x, v_set1(R(-0.0)));
} /* adding -0 is no operation */
/* e^x is top / bottom. */
CNF_INLINE vec v_exp_top(exp_parts e) { return v_mul(e.s, v_add(e.even, e.r)); }
CNF_INLINE vec v_exp_bottom(exp_parts e) { return v_sub(e.even, e.r); }
/* e^x - 1 is this / bottom. */
CNF_INLINE vec v_expm1_top(exp_parts e) {
  vec one = v_set1(R(1.0));
  return v_fma(v_sub(e.s, one), e.even, v_mul(v_add(e.s, one), e.r));
}

/* 1/(1 + e^-x); e^-EXP_END below -EXP_END. */
CNF_INLINE vec v_sigmoid(vec x) {
  exp_parts e = v_exp_parts(v_clamp(-EXP_END, EXP_END, x));
  vec top = v_exp_top(e);
  return v_div(top, v_add(top, v_exp_bottom(e)));
}

/* tanh x is top / bottom: odd, and never beyond 1, so that 1 - tanh^2 is not negative.
 * Float: tanh(x/2) = p/q, tanh x = 2pq / (p^2 + q^2). An error of p/q shrinks by a factor of 1/cosh x as tanh
 * approaches 1. So p/q needs three terms fewer than a ratio for tanh x itself, and top is at most bottom without a
 * clamp (tested on all floats). */
CNF_INLINE vec v_tanh_top(vec x, vec *bottom) {
  vec a = v_clamp(-TANH_END, TANH_END, x);
#if CNF_REAL_BITS == 32
  vec u = v_mul(a, a);
  vec p = v_mul(a, V_POLYNOMIAL(TANH_P, u)), q = V_POLYNOMIAL(TANH_Q, u);
  *bottom = v_fma(p, p, v_mul(q, q));
  return v_mul(v_add(p, p), q);
#else
  exp_parts e = v_exp_parts(v_add(a, a));
  vec one = v_set1(R(1.0)), less = v_sub(e.s, one), more = v_add(e.s, one);
  *bottom = v_fma(more, e.even, v_mul(less, e.r));
  return v_fma(less, e.even, v_mul(more, e.r));
#endif
}

/* 2 atanh(w) for 0 <= w <= 1/3: log(1 + x) with w = x/(2 + x). */
CNF_INLINE vec v_twice_atanh(vec w) {
  vec u = v_mul(w, w), twice = v_add(w, w);
  return v_fma(v_mul(u, V_POLYNOMIAL(ATANH_TAIL, u)), twice, twice);
}

/* sin and cos of x: n is the multiple of pi nearest to x. x beyond SIN_END is taken as SIN_END, where sin is 1 and cos
 * 0. */
CNF_INLINE vec v_sin_cos(vec x, vec *cosine) {
  static const real pi[] = PI_PARTS;
  vec a = v_clamp(-SIN_END, SIN_END, x);
  vec shifted = v_fma(a, v_set1(ONE_OVER_PI), v_set1(ROUND_MAGIC)), n = v_sub(shifted, v_set1(ROUND_MAGIC));
  vec r = a;
  for (size_t i = 0; i < sizeof pi / sizeof pi[0]; i++) r = v_fnma(n, v_set1(pi[i]), r);
  vec u = v_mul(r, r);
  vec signed_r = v_negate_odd(r, shifted);
  *cosine = v_negate_odd(v_fma(u, V_POLYNOMIAL(COS_TAIL, u), v_set1(R(1.0))), shifted);
  return v_clamp(R(-1.0), R(1.0), v_fma(v_mul(u, V_POLYNOMIAL(SIN_TAIL, u)), signed_r, signed_r));
}

/* Of -t^2/2, with the rounding error of the square where v_fnma is fused. */
CNF_INLINE exp_parts v_exp_minus_half_square(vec t) {
  vec square = v_mul(t, t);
  return v_exp_parts_of_sum(v_mul(v_set1(R(-0.5)), square), v_mul(v_set1(R(0.5)), v_fnma(t, t, square)));
}
