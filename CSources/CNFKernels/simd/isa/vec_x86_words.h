/* The vector words that AVX2 and AVX-512 share. Their headers define V, the prefix of an intrinsic, and SHIFT_LEFT of
 * an element's bits, and then include this file. */

CNF_INLINE vec v_load(const real *p) { return V(loadu)(p); }
CNF_INLINE void v_store(real *p, vec v) { V(storeu)(p, v); }
CNF_INLINE vec v_set1(real s) { return V(set1)(s); }
CNF_INLINE vec v_add(vec a, vec b) { return V(add)(a, b); }
CNF_INLINE vec v_sub(vec a, vec b) { return V(sub)(a, b); }
CNF_INLINE vec v_mul(vec a, vec b) { return V(mul)(a, b); }
CNF_INLINE vec v_div(vec a, vec b) { return V(div)(a, b); }
CNF_INLINE vec v_fma(vec a, vec b, vec c) { return V(fmadd)(a, b, c); }
CNF_INLINE vec v_fnma(vec a, vec b, vec c) { return V(fnmadd)(a, b, c); }
CNF_INLINE vec v_min(vec a, vec b) { return V(min)(a, b); }
CNF_INLINE vec v_max(vec a, vec b) { return V(max)(a, b); }
CNF_INLINE vec v_abs(vec a) { return V(andnot)(V(set1)((real)-0.0), a); }
CNF_INLINE vec v_power_of_two(vec shifted) { return SHIFT_LEFT(shifted, CNF_REAL_BITS == 32 ? 23 : 52); }
CNF_INLINE vec v_negate_odd(vec a, vec shifted) { return V(xor)(a, SHIFT_LEFT(shifted, CNF_REAL_BITS - 1)); }
