/* The formulas of the activations, four small functions each:
 *   forward(z, &y, &aux)            y = a(z), and what the backward pass needs kept
 *   derivative(y, aux)              a'(z)
 *   second(y, aux)                  a''(z)
 *   curvature(y, aux, y_dot, z_dot) a''(z) z_dot; y_dot is a'(z) z_dot; z_dot is valid only where the traits keep it
 * A new activation takes a line in the list of cnf.h, a row in traits.h, its four functions here, and its reference in
 * Tests/C/activation_terms_body.h.
 */

CNF_INLINE void forward_identity(vec z, vec *y, vec *aux) {
  *y = z;
  (void)aux;
}
CNF_INLINE vec derivative_identity(vec y, vec aux) {
  (void)y, (void)aux;
  return v_set1(R(1.0));
}
CNF_INLINE vec second_identity(vec y, vec aux) {
  (void)y, (void)aux;
  return v_set1(R(0.0));
}
CNF_INLINE vec curvature_identity(vec y, vec aux, vec y_dot, vec z_dot) {
  (void)y, (void)aux, (void)y_dot, (void)z_dot;
  return v_set1(R(0.0));
}

/* a' = 1 - y^2, a'' = -2 y a'. */
CNF_INLINE void forward_tanh(vec z, vec *y, vec *aux) {
  vec bottom, top = v_tanh_top(z, &bottom);
  *y = v_div(top, bottom);
  (void)aux;
}
CNF_INLINE vec derivative_tanh(vec y, vec aux) {
  (void)aux;
  return v_fnma(y, y, v_set1(R(1.0)));
}
CNF_INLINE vec second_tanh(vec y, vec aux) { return v_mul(v_mul(v_set1(R(-2.0)), y), derivative_tanh(y, aux)); }
CNF_INLINE vec curvature_tanh(vec y, vec aux, vec y_dot, vec z_dot) {
  (void)aux, (void)z_dot;
  return v_mul(v_mul(v_set1(R(-2.0)), y), y_dot);
}

/* y = max(z, 0) + log1p(e), e = e^-|z|; aux = s = sigmoid z. a' = s, a'' = s (1 - s). */
CNF_INLINE void forward_softplus(vec z, vec *y, vec *aux) {
  vec zero = v_set1(R(0.0));
  exp_parts e = v_exp_parts(v_max(v_set1(-EXP_END), v_sub(zero, v_abs(z))));
  vec top = v_exp_top(e), bottom = v_exp_bottom(e), sum = v_add(top, bottom);
  *aux = v_div(v_where_positive(z, bottom, top), sum);
  *y = v_add(v_max(zero, z), v_twice_atanh(v_div(top, v_add(sum, bottom))));
}
CNF_INLINE vec derivative_softplus(vec y, vec aux) {
  (void)y;
  return aux;
}
CNF_INLINE vec second_softplus(vec y, vec aux) {
  (void)y;
  return v_fnma(aux, aux, aux);
}
CNF_INLINE vec curvature_softplus(vec y, vec aux, vec y_dot, vec z_dot) {
  (void)y, (void)z_dot;
  return v_fnma(aux, y_dot, y_dot);
}

/* a'' is 0, at the kink too. */
CNF_INLINE void forward_relu(vec z, vec *y, vec *aux) {
  *y = v_max(v_set1(R(0.0)), z);
  (void)aux;
}
CNF_INLINE vec derivative_relu(vec y, vec aux) {
  (void)aux;
  return v_where_positive(y, v_set1(R(1.0)), v_set1(R(0.0)));
}
CNF_INLINE vec second_relu(vec y, vec aux) {
  (void)y, (void)aux;
  return v_set1(R(0.0));
}
CNF_INLINE vec curvature_relu(vec y, vec aux, vec y_dot, vec z_dot) {
  (void)y, (void)aux, (void)y_dot, (void)z_dot;
  return v_set1(R(0.0));
}

/* y = z s, aux = s = sigmoid z. a' = s + y (1-s), a'' = (1-s) (2s + y (1-2s)). a' has a zero, so z_dot is kept. */
CNF_INLINE void forward_silu(vec z, vec *y, vec *aux) {
  vec s = v_sigmoid(z);
  *y = v_mul(v_max(v_set1(-EXP_END), z), s);
  *aux = s;
}
CNF_INLINE vec derivative_silu(vec y, vec aux) { return v_fma(y, v_sub(v_set1(R(1.0)), aux), aux); }
CNF_INLINE vec second_silu(vec y, vec aux) {
  vec twice = v_add(aux, aux);
  return v_mul(v_sub(v_set1(R(1.0)), aux), v_fma(y, v_sub(v_set1(R(1.0)), twice), twice));
}
CNF_INLINE vec curvature_silu(vec y, vec aux, vec y_dot, vec z_dot) {
  (void)y_dot;
  return v_mul(second_silu(y, aux), z_dot);
}

/* a' = y (1-y), a'' = a' (1-2y). */
CNF_INLINE void forward_sigmoid(vec z, vec *y, vec *aux) {
  *y = v_sigmoid(z);
  (void)aux;
}
CNF_INLINE vec derivative_sigmoid(vec y, vec aux) {
  (void)aux;
  return v_fnma(y, y, y);
}
CNF_INLINE vec second_sigmoid(vec y, vec aux) {
  vec slope = derivative_sigmoid(y, aux);
  return v_fnma(v_add(y, y), slope, slope);
}
CNF_INLINE vec curvature_sigmoid(vec y, vec aux, vec y_dot, vec z_dot) {
  (void)aux, (void)z_dot;
  return v_fnma(v_add(y, y), y_dot, y_dot);
}

/* y = z Phi(z) = max(z, 0) - t Phi(-t), t = |z|, Phi the normal distribution; Phi(-t) is e^(-t^2/2) times a
 * rational function, so that small values are accurate too. aux = z: a' = Phi + z phi with Phi = y/z, a'' = phi (2 -
 * z^2), phi = e^(-z^2/2) / sqrt(2 pi). a' has a zero, so z_dot is kept. */
CNF_INLINE void forward_gelu(vec z, vec *y, vec *aux) {
  vec t = v_min(v_set1(MILLS_END), v_abs(z));
  exp_parts e = v_exp_minus_half_square(t);
  vec top = v_mul(v_exp_top(e), V_POLYNOMIAL(MILLS_P, t)), bottom = v_mul(v_exp_bottom(e), V_POLYNOMIAL(MILLS_Q, t));
  *y = v_fnma(t, v_div(top, bottom), v_max(v_set1(R(0.0)), z));
  *aux = z;
}
CNF_INLINE vec derivative_gelu(vec y, vec aux) {
  vec z = v_clamp(-MILLS_END, MILLS_END, aux), part = v_min(v_set1(MILLS_END), y);
  exp_parts e = v_exp_minus_half_square(z);
  vec bottom = v_exp_bottom(e), slope_top = v_mul(v_mul(v_set1(NORMAL_PEAK), v_mul(z, z)), v_exp_top(e));
  vec slope = v_div(v_fma(part, bottom, slope_top), v_mul(z, bottom));
  /* Near 0 y/z is 0/0, or y has lost bits as a subnormal; a' is 1/2 there. A NaN stays one. */
  return v_where_positive(v_sub(v_abs(z), v_set1(R(0x1p-64))), slope, v_add(v_set1(R(0.5)), z));
}
CNF_INLINE vec second_gelu(vec y, vec aux) {
  (void)y;
  vec z = v_clamp(-MILLS_END, MILLS_END, aux);
  exp_parts e = v_exp_minus_half_square(z);
  vec factor = v_mul(v_set1(NORMAL_PEAK), v_fnma(z, z, v_set1(R(2.0))));
  return v_mul(factor, v_div(v_exp_top(e), v_exp_bottom(e)));
}
CNF_INLINE vec curvature_gelu(vec y, vec aux, vec y_dot, vec z_dot) {
  (void)y_dot;
  return v_mul(second_gelu(y, aux), z_dot);
}

/* y = z where z > 0, else e^z - 1; there a' = a'' = y + 1. At 0 a' is 1, a'' the left one. */
CNF_INLINE void forward_elu(vec z, vec *y, vec *aux) {
  exp_parts e = v_exp_parts(v_clamp(-EXP_END, R(0.0), z));
  *y = v_where_positive(z, z, v_div(v_expm1_top(e), v_exp_bottom(e)));
  (void)aux;
}
CNF_INLINE vec derivative_elu(vec y, vec aux) {
  (void)aux;
  return v_add(v_set1(R(1.0)), v_min(v_set1(R(0.0)), y));
}
CNF_INLINE vec second_elu(vec y, vec aux) {
  (void)aux;
  return v_where_positive(y, v_set1(R(0.0)), v_add(v_set1(R(1.0)), y));
}
CNF_INLINE vec curvature_elu(vec y, vec aux, vec y_dot, vec z_dot) {
  (void)aux, (void)z_dot;
  return v_where_positive(y, v_set1(R(0.0)), y_dot);
}

/* aux = a' = cos z, a'' = -y; a' has zeros, so z_dot is kept. */
CNF_INLINE void forward_sin(vec z, vec *y, vec *aux) { *y = v_sin_cos(z, aux); }
CNF_INLINE vec derivative_sin(vec y, vec aux) {
  (void)y;
  return aux;
}
CNF_INLINE vec second_sin(vec y, vec aux) {
  (void)aux;
  return v_sub(v_set1(R(0.0)), y);
}
CNF_INLINE vec curvature_sin(vec y, vec aux, vec y_dot, vec z_dot) {
  (void)aux, (void)y_dot;
  return v_fnma(y, z_dot, v_set1(R(0.0)));
}

/* y = |z| + log(1 + e^(-2|z|)); aux = a' = tanh z, a'' = 1 - aux^2; a' has a zero, so z_dot is kept. With
 * tanh |z| = p/q, e^(-2|z|) is (q-p)/(q+p) and the logarithm 2 atanh((q-p)/(3q+p)). The cancellation in q-p is small
 * compared with y, which is at least log 2. */
CNF_INLINE void forward_logcosh(vec z, vec *y, vec *aux) {
  vec q, top = v_tanh_top(z, &q), p = v_abs(top);
  vec w = v_div(v_sub(q, p), v_fma(q, v_set1(R(3.0)), p));
  *y = v_add(v_abs(z), v_twice_atanh(w));
  *aux = v_div(top, q);
}
CNF_INLINE vec derivative_logcosh(vec y, vec aux) {
  (void)y;
  return aux;
}
CNF_INLINE vec second_logcosh(vec y, vec aux) {
  (void)y;
  return v_fnma(aux, aux, v_set1(R(1.0)));
}
CNF_INLINE vec curvature_logcosh(vec y, vec aux, vec y_dot, vec z_dot) {
  (void)y_dot;
  return v_mul(second_logcosh(y, aux), z_dot);
}
