/* stiff_fixture.h - stiff fields for tests of gradients, as callbacks with all four functions. */
#ifndef CNF_STIFF_FIXTURE_H
#define CNF_STIFF_FIXTURE_H

#include "check.h"

/* Van der Pol: x' = y, y' = mu (1 - x^2) y - x. theta: mu. A tile is [rows][n lanes]. */
static inline void pol_evaluate(void *context, int32_t n, const double *t, const void *x, const void *theta, void *y) {
  const double *u = x, *v = u + n, mu = *(const double *)theta;
  double *f = y, *g = f + n;
  (void)context, (void)t;
  for (int32_t j = 0; j < n; ++j) f[j] = v[j], g[j] = mu * (1 - u[j] * u[j]) * v[j] - u[j];
}
static inline void pol_tangent(void *context, int32_t n, const double *t, const void *x, const void *theta,
                               const void *x_dot, void *y_dot) {
  const double *u = x, *v = u + n, *a = x_dot, *b = a + n, mu = *(const double *)theta;
  double *f = y_dot, *g = f + n;
  (void)context, (void)t;
  for (int32_t j = 0; j < n; ++j) f[j] = b[j], g[j] = mu * ((1 - u[j] * u[j]) * b[j] - 2 * u[j] * v[j] * a[j]) - a[j];
}
static inline void pol_reverse(void *context, int32_t n, const double *t, const void *x, const void *theta,
                               const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  const double *u = x, *v = u + n, *f = y_bar, *g = f + n, mu = *(const double *)theta;
  double *a = x_bar, *b = a + n;
  (void)context, (void)t, (void)t_bar;
  for (int32_t j = 0; j < n; ++j) {
    a[j] += g[j] * (-2 * mu * u[j] * v[j] - 1);
    b[j] += f[j] + g[j] * mu * (1 - u[j] * u[j]);
    *(double *)theta_bar += g[j] * (1 - u[j] * u[j]) * v[j];
  }
}
static inline void pol_tangent_reverse(void *context, int32_t n, const double *t, const void *x, const void *theta,
                                       const void *x_dot, const void *y_dot_bar, void *x_bar, void *x_dot_bar,
                                       void *t_bar, void *theta_bar) {
  const double *u = x, *v = u + n, *p = x_dot, *q = p + n, *f = y_dot_bar, *g = f + n, mu = *(const double *)theta;
  double *a = x_bar, *b = a + n, *c = x_dot_bar, *d = c + n;
  (void)context, (void)t, (void)t_bar;
  for (int32_t j = 0; j < n; ++j) {
    a[j] += g[j] * mu * (-2 * v[j] * p[j] - 2 * u[j] * q[j]);
    b[j] += g[j] * mu * (-2 * u[j] * p[j]);
    c[j] += g[j] * (-2 * mu * u[j] * v[j] - 1);
    d[j] += f[j] + g[j] * mu * (1 - u[j] * u[j]);
    *(double *)theta_bar += g[j] * ((1 - u[j] * u[j]) * q[j] - 2 * u[j] * v[j] * p[j]);
  }
}

/* Robertson: x' = -a x + c y z, z' = b y^2, y' = -x' - z'. theta: a, b, c. The reverse functions use g = x_bar - y_bar
 * and k = z_bar - y_bar. */
static inline void robertson_evaluate(void *context, int32_t n, const double *t, const void *state, const void *theta,
                                      void *out) {
  const double *x = state, *y = x + n, *z = y + n, *r = theta;
  double *f = out;
  (void)context, (void)t;
  for (int32_t j = 0; j < n; ++j) {
    f[j] = -r[0] * x[j] + r[2] * y[j] * z[j], f[2 * n + j] = r[1] * y[j] * y[j];
    f[n + j] = -f[j] - f[2 * n + j];
  }
}
static inline void robertson_tangent(void *context, int32_t n, const double *t, const void *state, const void *theta,
                                     const void *dot, void *out) {
  const double *y = (const double *)state + n, *z = y + n, *u = dot, *v = u + n, *w = v + n, *r = theta;
  double *f = out;
  (void)context, (void)t;
  for (int32_t j = 0; j < n; ++j) {
    f[j] = -r[0] * u[j] + r[2] * (v[j] * z[j] + y[j] * w[j]), f[2 * n + j] = 2 * r[1] * y[j] * v[j];
    f[n + j] = -f[j] - f[2 * n + j];
  }
}
static inline void robertson_reverse(void *context, int32_t n, const double *t, const void *state, const void *theta,
                                     const void *out_bar, void *state_bar, void *t_bar, void *theta_bar) {
  const double *x = state, *y = x + n, *z = y + n, *f = out_bar, *r = theta;
  double *to = state_bar, *r_bar = theta_bar;
  (void)context, (void)t, (void)t_bar;
  for (int32_t j = 0; j < n; ++j) {
    const double g = f[j] - f[n + j], k = f[2 * n + j] - f[n + j];
    to[j] -= r[0] * g, to[n + j] += r[2] * z[j] * g + 2 * r[1] * y[j] * k, to[2 * n + j] += r[2] * y[j] * g;
    r_bar[0] -= x[j] * g, r_bar[1] += y[j] * y[j] * k, r_bar[2] += y[j] * z[j] * g;
  }
}
static inline void robertson_tangent_reverse(void *context, int32_t n, const double *t, const void *state,
                                             const void *theta, const void *dot, const void *dot_bar_out,
                                             void *state_bar, void *dot_bar, void *t_bar, void *theta_bar) {
  const double *y = (const double *)state + n, *z = y + n, *u = dot, *v = u + n, *w = v + n, *f = dot_bar_out,
               *r = theta;
  double *to = state_bar, *to_dot = dot_bar, *r_bar = theta_bar;
  (void)context, (void)t, (void)t_bar;
  for (int32_t j = 0; j < n; ++j) {
    const double g = f[j] - f[n + j], k = f[2 * n + j] - f[n + j];
    to[n + j] += r[2] * w[j] * g + 2 * r[1] * v[j] * k, to[2 * n + j] += r[2] * v[j] * g;
    to_dot[j] -= r[0] * g, to_dot[n + j] += r[2] * z[j] * g + 2 * r[1] * y[j] * k, to_dot[2 * n + j] += r[2] * y[j] * g;
    r_bar[0] -= u[j] * g, r_bar[1] += 2 * y[j] * v[j] * k, r_bar[2] += (v[j] * z[j] + y[j] * w[j]) * g;
  }
}

/* HIRES, a model of plant growth under light (Schaefer 1975; Hairer and Wanner, Solving ODEs II, IV.10): y' = K y + s
 * e_1 + r y_6 y_8 (e_7 - e_6 - e_8). theta: r = 280, s = 0.0007. hires_rates lists the entries of K that are not 0. */
typedef struct hires_rate {
  int32_t to, from;
  double rate;
} hires_rate;
static const hires_rate hires_rates[] = {{0, 0, -1.71},  {0, 1, 0.43},   {0, 2, 8.32},  {1, 0, 1.71},  {1, 1, -8.75},
                                         {2, 2, -10.03}, {2, 3, 0.43},   {2, 4, 0.035}, {3, 1, 8.32},  {3, 2, 1.71},
                                         {3, 3, -1.12},  {4, 4, -1.745}, {4, 5, 0.43},  {4, 6, 0.43},  {5, 3, 0.69},
                                         {5, 4, 1.71},   {5, 5, -0.43},  {5, 6, 0.69},  {6, 6, -1.81}, {7, 6, 1.81}};
enum { HIRES_RATES = sizeof hires_rates / sizeof hires_rates[0] };

/* out += K x, or K' x if `transposed`. */
static inline void hires_linear(int32_t n, int transposed, const double *x, double *out) {
  for (int i = 0; i < HIRES_RATES; ++i) {
    const hires_rate *r = &hires_rates[i];
    const int32_t to = transposed ? r->from : r->to, from = transposed ? r->to : r->from;
    for (int32_t j = 0; j < n; ++j) out[to * n + j] += r->rate * x[from * n + j];
  }
}
/* hires_react: out += v (e_7 - e_6 - e_8) in lane j; hires_reacted: the scalar product of x and e_7 - e_6 - e_8
 * there. */
static inline void hires_react(int32_t n, int32_t j, double v, double *out) {
  out[6 * n + j] += v, out[5 * n + j] -= v, out[7 * n + j] -= v;
}
static inline double hires_reacted(int32_t n, int32_t j, const double *x) {
  return x[6 * n + j] - x[5 * n + j] - x[7 * n + j];
}
static inline void hires_evaluate(void *context, int32_t n, const double *t, const void *x, const void *theta,
                                  void *y) {
  const double *u = x, *r = theta;
  double *f = y;
  (void)context, (void)t;
  memset(f, 0, 8 * (size_t)n * sizeof(double));
  hires_linear(n, 0, u, f);
  for (int32_t j = 0; j < n; ++j) {
    hires_react(n, j, r[0] * u[5 * n + j] * u[7 * n + j], f);
    f[j] += r[1];
  }
}
static inline void hires_tangent(void *context, int32_t n, const double *t, const void *x, const void *theta,
                                 const void *x_dot, void *y_dot) {
  const double *u = x, *v = x_dot, *r = theta;
  double *f = y_dot;
  (void)context, (void)t;
  memset(f, 0, 8 * (size_t)n * sizeof(double));
  hires_linear(n, 0, v, f);
  for (int32_t j = 0; j < n; ++j)
    hires_react(n, j, r[0] * (u[5 * n + j] * v[7 * n + j] + v[5 * n + j] * u[7 * n + j]), f);
}
static inline void hires_reverse(void *context, int32_t n, const double *t, const void *x, const void *theta,
                                 const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  const double *u = x, *f = y_bar, *r = theta;
  double *to = x_bar, *r_bar = theta_bar;
  (void)context, (void)t, (void)t_bar;
  hires_linear(n, 1, f, to);
  for (int32_t j = 0; j < n; ++j) {
    const double w = hires_reacted(n, j, f);
    to[5 * n + j] += r[0] * w * u[7 * n + j], to[7 * n + j] += r[0] * w * u[5 * n + j];
    r_bar[0] += w * u[5 * n + j] * u[7 * n + j], r_bar[1] += f[j];
  }
}
static inline void hires_tangent_reverse(void *context, int32_t n, const double *t, const void *x, const void *theta,
                                         const void *x_dot, const void *y_dot_bar, void *x_bar, void *x_dot_bar,
                                         void *t_bar, void *theta_bar) {
  const double *u = x, *v = x_dot, *f = y_dot_bar, *r = theta;
  double *to = x_bar, *to_dot = x_dot_bar, *r_bar = theta_bar;
  (void)context, (void)t, (void)t_bar;
  hires_linear(n, 1, f, to_dot);
  for (int32_t j = 0; j < n; ++j) {
    const double w = hires_reacted(n, j, f);
    to[5 * n + j] += r[0] * w * v[7 * n + j], to[7 * n + j] += r[0] * w * v[5 * n + j];
    to_dot[5 * n + j] += r[0] * w * u[7 * n + j], to_dot[7 * n + j] += r[0] * w * u[5 * n + j];
    r_bar[0] += w * (u[5 * n + j] * v[7 * n + j] + v[5 * n + j] * u[7 * n + j]);
  }
}

enum stiff_kind { POL, ROBERTSON, HIRES, STIFF_KINDS };

static inline cnf_callback stiff_callback(int kind) {
  cnf_callback callback = {.struct_size = sizeof callback,
                           .parameter_count = kind == POL         ? 1
                                              : kind == ROBERTSON ? 3
                                                                  : 2};
#define FUNCTIONS(name)                                                                                      \
  callback.evaluate = name##_evaluate, callback.tangent = name##_tangent, callback.reverse = name##_reverse, \
  callback.tangent_reverse = name##_tangent_reverse
  switch (kind) {
  case POL: FUNCTIONS(pol); break;
  case ROBERTSON: FUNCTIONS(robertson); break;
  default: FUNCTIONS(hires);
  }
#undef FUNCTIONS
  return callback;
}
static inline cnf_field *stiff_field(int kind, int32_t *dim) {
  const cnf_callback callback = stiff_callback(kind);
  *dim = kind == POL ? 2 : kind == ROBERTSON ? 3 : 8;
  const cnf_op op = {
      .kind = CNF_OP_CALLBACK, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = *dim, .callback = &callback};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, *dim, &op, 1, sizeof(cnf_op), &field) == CNF_OK);
  return field;
}

#endif
