/* Activations of panels and their derivatives: one loop each. The activation is chosen outside the loop.
 * simd/kernels/table.h includes this file. */

#define CNF_X(name, value, suffix, text)                                                                              \
  static void activation_##suffix(int rows, const real *z, real *y, real *aux) {                                      \
    FOR_ELEMENTS(rows) {                                                                                              \
      vec a, kept;                                                                                                    \
      forward_##suffix(v_load(z + i), &a, &kept);                                                                     \
      v_store(y + i, a);                                                                                              \
      if (CNF_KEEPS_AUX_##suffix) v_store(aux + i, kept);                                                             \
    }                                                                                                                 \
  }                                                                                                                   \
  static void tangent_##suffix(int rows, const real *y, const real *aux, const real *z_dot, real *y_dot,              \
                               real *pre_dot) {                                                                       \
    FOR_ELEMENTS(rows) {                                                                                              \
      vec kept = CNF_KEEPS_AUX_##suffix ? v_load(aux + i) : v_set1(0), v = v_load(z_dot + i);                         \
      if (CNF_KEEPS_PRE_TANGENT_##suffix) v_store(pre_dot + i, v);                                                    \
      v_store(y_dot + i, v_mul(derivative_##suffix(v_load(y + i), kept), v));                                         \
    }                                                                                                                 \
  }                                                                                                                   \
  static void reverse_##suffix(int rows, const real *y, const real *aux, const real *y_bar, const real *added,        \
                               real *z_bar) {                                                                         \
    FOR_ELEMENTS(rows) {                                                                                              \
      vec kept = CNF_KEEPS_AUX_##suffix ? v_load(aux + i) : v_set1(0);                                                \
      vec more = added ? v_load(added + i) : v_set1(0);                                                               \
      v_store(z_bar + i, v_fma(derivative_##suffix(v_load(y + i), kept), v_load(y_bar + i), more));                   \
    }                                                                                                                 \
  }                                                                                                                   \
  static void tangent_reverse_##suffix(int rows, const real *y, const real *aux, const real *y_dot,                   \
                                       const real *pre_dot, const real *y_dot_bar, const real *exit, const real *mu,  \
                                       real *z_dot_bar, const real *from, int scaled, real *to) {                     \
    FOR_ELEMENTS(rows) {                                                                                              \
      vec kept = CNF_KEEPS_AUX_##suffix ? v_load(aux + i) : v_set1(0), a = v_load(y + i);                             \
      vec z_dot = CNF_KEEPS_PRE_TANGENT_##suffix ? v_load(pre_dot + i) : v_set1(0);                                   \
      vec bar = y_dot_bar ? v_load(y_dot_bar + i) : v_set1(0);                                                        \
      if (exit) bar = v_fma(v_load(exit + i), v_load(mu + i % LANES), bar);                                           \
      vec slope = derivative_##suffix(a, kept), slope_dot = curvature_##suffix(a, kept, v_load(y_dot + i), z_dot);    \
      vec sum = from ? v_load(from + i) : v_set1(0);                                                                  \
      if (scaled) sum = v_mul(slope, sum);                                                                            \
      v_store(to + i, v_fma(slope_dot, bar, sum));                                                                    \
      v_store(z_dot_bar + i, v_mul(slope, bar));                                                                      \
    }                                                                                                                 \
  }                                                                                                                   \
  static void derivative_rows_##suffix(int rows, const real *y, const real *aux, real *d) {                           \
    FOR_ELEMENTS(rows)                                                                                                \
    v_store(d + i, derivative_##suffix(v_load(y + i), CNF_KEEPS_AUX_##suffix ? v_load(aux + i) : v_set1(0)));         \
  }                                                                                                                   \
  static void derivative_reverse_##suffix(int rows, const real *y, const real *aux, const real *d_bar, real *z_bar) { \
    FOR_ELEMENTS(rows) {                                                                                              \
      vec kept = CNF_KEEPS_AUX_##suffix ? v_load(aux + i) : v_set1(0);                                                \
      v_store(z_bar + i, v_fma(second_##suffix(v_load(y + i), kept), v_load(d_bar + i), v_load(z_bar + i)));          \
    }                                                                                                                 \
  }
CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X

static void CNF_KERNEL(activation)(int activation, int rows, const real *z, real *y, real *aux) {
  switch (activation) {
#define CNF_X(name, value, suffix, text) \
  case value: activation_##suffix(rows, z, y, aux); break;
    CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
  }
}
static void CNF_KERNEL(activation_tangent)(int activation, int rows, const real *y, const real *aux, const real *z_dot,
                                           real *y_dot, real *pre_dot) {
  switch (activation) {
#define CNF_X(name, value, suffix, text) \
  case value: tangent_##suffix(rows, y, aux, z_dot, y_dot, pre_dot); break;
    CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
  }
}
static void CNF_KERNEL(activation_reverse)(int activation, int rows, const real *y, const real *aux, const real *y_bar,
                                           const real *added, real *z_bar) {
  switch (activation) {
#define CNF_X(name, value, suffix, text) \
  case value: reverse_##suffix(rows, y, aux, y_bar, added, z_bar); break;
    CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
  }
}
static void CNF_KERNEL(activation_tangent_reverse)(int activation, int rows, const real *y, const real *aux,
                                                   const real *y_dot, const real *pre_dot, const real *y_dot_bar,
                                                   const real *exit, const real *mu, real *z_dot_bar, const real *from,
                                                   int scaled, real *to) {
  switch (activation) {
#define CNF_X(name, value, suffix, text)                                                                      \
  case value:                                                                                                 \
    tangent_reverse_##suffix(rows, y, aux, y_dot, pre_dot, y_dot_bar, exit, mu, z_dot_bar, from, scaled, to); \
    break;
    CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
  }
}
static void CNF_KERNEL(derivative)(int activation, int rows, const real *y, const real *aux, real *d) {
  switch (activation) {
#define CNF_X(name, value, suffix, text) \
  case value: derivative_rows_##suffix(rows, y, aux, d); break;
    CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
  }
}
static void CNF_KERNEL(derivative_reverse)(int activation, int rows, const real *y, const real *aux, const real *d_bar,
                                           real *z_bar) {
  switch (activation) {
#define CNF_X(name, value, suffix, text) \
  case value: derivative_reverse_##suffix(rows, y, aux, d_bar, z_bar); break;
    CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
  }
}
