/* One activation, four small functions:
 *   forward(z, &y, &aux)            y = a(z), and what the reverse pass wants kept
 *   derivative(y, aux)              a'(z)
 *   second(y, aux)                  a''(z)
 *   curvature(y, aux, y_dot, z_dot) a''(z) z_dot; y_dot = a'(z) z_dot is at hand, z_dot only where the traits keep it
 * A new activation is one line in cnf.h's list, one in activation_traits.h, and its four functions here.
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

/* tanh z = e/(e+2) with e = expm1(2|z|), sign restored: no cancellation near 0. a' = 1 - y^2, a'' = -2 y a'. */
CNF_INLINE void forward_tanh(vec z, vec *y, vec *aux) {
  vec a = v_min(v_set1(TANH_ONE), v_abs(z));
  vec e = v_expm1(v_add(a, a));
  *y = v_copysign(v_div(e, v_add(e, v_set1(R(2.0)))), z);
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

/* s = sigmoid z, from e = e^-|z|. For NaN e and s are 0: it is y that carries a NaN on. */
CNF_INLINE vec sigmoid_of(vec z, vec e) {
  vec positive = v_div(v_set1(R(1.0)), v_add(v_set1(R(1.0)), e));
  return v_where_positive(z, positive, v_mul(e, positive));
}
/* softplus z = max(z, 0) + log1p(e^-|z|); aux = s. a' = s, a'' = s (1 - s). */
CNF_INLINE void forward_softplus(vec z, vec *y, vec *aux) {
  vec e = v_exp_negative(v_sub(v_set1(R(0.0)), v_abs(z)));
  *y = v_add(v_max(v_set1(R(0.0)), z), v_log1p_unit(e));
  *aux = sigmoid_of(z, e);
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

/* y = z s, aux = s. a' = s + y (1-s), a'' = (1-s) (2s + y (1-2s)). a' has a zero, so z_dot is kept. */
CNF_INLINE void forward_silu(vec z, vec *y, vec *aux) {
  vec s = sigmoid_of(z, v_exp_negative(v_sub(v_set1(R(0.0)), v_abs(z))));
  *y = v_mul(z, s);
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
