/* exp, expm1 and log1p on the intervals that activations need, for one dtype and ISA.
 *
 * expm1: x = n ln 2 + r with |r| <= ln(2)/2 (1 + 2 ulp), ln 2 split in two (Cody and Waite) so that r is exact to an ulp;
 *        expm1(r) by its Taylor series; expm1(x) = 2^n expm1(r) + (2^n - 1). Remainder of the series, relative to r:
 *        float, to r^7/7!: 0.3466^7/8! = 1.5e-8 (0.13 ulp); double, to r^13/13!: 0.3466^13/14! = 1.2e-17 (0.05 ulp).
 * log1p: on [0, 1] as 2 atanh(w), w = x/(2+x) <= 1/3, by its series. Remainder, relative to 2w: float, to w^13:
 *        3^-14/15 = 1.4e-8; double, to w^31: 3^-32/33 = 1.6e-17.
 * Bounds in ulp, tested against the double and long double functions of the C library: ActivationTests, Tests/C.
 */
#if CNF_REAL_BITS == 32
#define LOG2E 0x1.715476p+0f
#define LN2_HIGH 0x1.62ep-1f /* 13 bits: exact products for |n| < 2^11 */
#define LN2_LOW 0x1.0bfbe8p-15f
#define EXP_LOWEST -87.0f /* e^x is normal from here up */
#define TANH_ONE 10.0f    /* tanh rounds to 1 from 9.02 on */
#define R(x) x##f
#else
#define LOG2E 0x1.71547652b82fep+0
#define LN2_HIGH 0x1.62e42fefap-1 /* 36 bits: exact products for |n| < 2^17 */
#define LN2_LOW 0x1.cf79abc9e3b39p-40
#define EXP_LOWEST -708.0
#define TANH_ONE 20.0 /* tanh rounds to 1 from 19.1 on */
#define R(x) x
#endif

/* expm1(x) for x in [EXP_LOWEST, 60]. A NaN stays one. */
CNF_INLINE vec v_expm1_reduced(vec x, vec *two_n_minus_1, vec *n_out) {
  vec n = v_round(v_mul(x, v_set1(LOG2E)));
  vec r = v_fnma(n, v_set1(LN2_LOW), v_fnma(n, v_set1(LN2_HIGH), x));
  vec p;
#if CNF_REAL_BITS == 32
  p = v_set1(R(1.0) / R(5040.0));
#else
  p = v_set1(1.0 / 6227020800.0);
  p = v_fma(p, r, v_set1(1.0 / 479001600.0));
  p = v_fma(p, r, v_set1(1.0 / 39916800.0));
  p = v_fma(p, r, v_set1(1.0 / 3628800.0));
  p = v_fma(p, r, v_set1(1.0 / 362880.0));
  p = v_fma(p, r, v_set1(1.0 / 40320.0));
  p = v_fma(p, r, v_set1(1.0 / 5040.0));
#endif
  p = v_fma(p, r, v_set1(R(1.0) / R(720.0)));
  p = v_fma(p, r, v_set1(R(1.0) / R(120.0)));
  p = v_fma(p, r, v_set1(R(1.0) / R(24.0)));
  p = v_fma(p, r, v_set1(R(1.0) / R(6.0)));
  p = v_fma(p, r, v_set1(R(0.5)));
  p = v_fma(v_mul(p, r), r, r);
  *two_n_minus_1 = v_sub(v_scale(v_set1(R(1.0)), n), v_set1(R(1.0)));
  *n_out = n;
  return p;
}
CNF_INLINE vec v_expm1(vec x) {
  vec scale_minus_1, n;
  vec p = v_expm1_reduced(x, &scale_minus_1, &n);
  return v_add(v_scale(p, n), scale_minus_1);
}
/* e^x for x <= 0; 0 below EXP_LOWEST, where e^x is hardly a normal number, and for NaN. */
CNF_INLINE vec v_exp_negative(vec x) {
  vec scale_minus_1, n;
  vec p = v_expm1_reduced(v_max(v_set1(EXP_LOWEST), x), &scale_minus_1, &n);
  vec e = v_scale(v_add(p, v_set1(R(1.0))), n);
  return v_where_positive(v_sub(x, v_set1(EXP_LOWEST)), e, v_set1(R(0.0)));
}
/* log(1 + x) for x in [0, 1]. */
CNF_INLINE vec v_log1p_unit(vec x) {
  vec w = v_div(x, v_add(x, v_set1(R(2.0))));
  vec u = v_mul(w, w);
  vec p;
#if CNF_REAL_BITS == 32
  p = v_set1(R(1.0) / R(13.0));
#else
  p = v_set1(1.0 / 31.0);
  for (int odd = 29; odd >= 13; odd -= 2) p = v_fma(p, u, v_set1(1.0 / odd));
#endif
  p = v_fma(p, u, v_set1(R(1.0) / R(11.0)));
  p = v_fma(p, u, v_set1(R(1.0) / R(9.0)));
  p = v_fma(p, u, v_set1(R(1.0) / R(7.0)));
  p = v_fma(p, u, v_set1(R(1.0) / R(5.0)));
  p = v_fma(p, u, v_set1(R(1.0) / R(3.0)));
  vec twice = v_add(w, w);
  return v_fma(v_mul(p, u), twice, twice);
}
