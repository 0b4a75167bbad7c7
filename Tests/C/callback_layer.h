/* callback_layer.h - a dense layer as a callback, in plain code: y = a(W [x, t] + b), where a is tanh or the identity.
 *
 * It computes the same as a LINEAR op, with the parameters W, b in the same order, so it can replace one. Sums are in
 * double for both dtypes.
 */
#ifndef CNF_CALLBACK_LAYER_H
#define CNF_CALLBACK_LAYER_H

#include <math.h>

#include "check.h"

typedef struct layer {
  int32_t dtype, rows, cols; /* rows and columns of W; cols includes that of t if sees_time */
  int32_t sees_time;         /* 1: the last column of W multiplies t */
  int32_t is_tanh;
} layer;

static inline double layer_get(const layer *l, const void *numbers, size_t i) {
  return l->dtype == CNF_FLOAT64 ? ((const double *)numbers)[i] : (double)((const float *)numbers)[i];
}
static inline void layer_set(const layer *l, void *numbers, size_t i, double value) {
  if (l->dtype == CNF_FLOAT64)
    ((double *)numbers)[i] = value;
  else
    ((float *)numbers)[i] = (float)value;
}
static inline void layer_add(const layer *l, void *numbers, size_t i, double value) {
  layer_set(l, numbers, i, layer_get(l, numbers, i) + value);
}

static inline int32_t layer_inputs(const layer *l) { return l->cols - l->sees_time; }

/* Column c of lane j of [x, t]. */
static inline double layer_column(const layer *l, int32_t lanes, const double *t, const void *x, int32_t c, int32_t j) {
  return c < layer_inputs(l) ? layer_get(l, x, (size_t)(c * lanes + j)) : t[j];
}
static inline double layer_weight(const layer *l, const void *theta, int32_t r, int32_t c) {
  return layer_get(l, theta, (size_t)(r * l->cols + c));
}
/* z = W [x, t] + b of one row and lane. */
static inline double layer_sum(const layer *l, int32_t lanes, const double *t, const void *x, const void *theta,
                               int32_t r, int32_t j) {
  double z = layer_get(l, theta, (size_t)(l->rows * l->cols + r));
  for (int32_t c = 0; c < l->cols; c++) z += layer_weight(l, theta, r, c) * layer_column(l, lanes, t, x, c, j);
  return z;
}
/* a'(z) and a''(z). */
static inline double layer_slope(const layer *l, double z) { return l->is_tanh ? 1 - tanh(z) * tanh(z) : 1; }
static inline double layer_curvature(const layer *l, double z) {
  return l->is_tanh ? -2 * tanh(z) * layer_slope(l, z) : 0;
}
/* W x_dot of one row and lane. */
static inline double layer_sum_dot(const layer *l, int32_t lanes, const void *theta, const void *x_dot, int32_t r,
                                   int32_t j) {
  double z_dot = 0;
  for (int32_t c = 0; c < layer_inputs(l); c++)
    z_dot += layer_weight(l, theta, r, c) * layer_get(l, x_dot, (size_t)(c * lanes + j));
  return z_dot;
}

static void layer_evaluate(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y) {
  const layer *l = context;
  for (int32_t r = 0; r < l->rows; r++)
    for (int32_t j = 0; j < lanes; j++) {
      const double z = layer_sum(l, lanes, t, x, theta, r, j);
      layer_set(l, y, (size_t)(r * lanes + j), l->is_tanh ? tanh(z) : z);
    }
}

static void layer_tangent(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                          const void *x_dot, void *y_dot) {
  const layer *l = context;
  for (int32_t r = 0; r < l->rows; r++)
    for (int32_t j = 0; j < lanes; j++)
      layer_set(l, y_dot, (size_t)(r * lanes + j),
                layer_slope(l, layer_sum(l, lanes, t, x, theta, r, j)) * layer_sum_dot(l, lanes, theta, x_dot, r, j));
}

/* Adds to the cotangents of x, t, W and b what follows from z_bar, the cotangent of z of one row and lane. */
static inline void layer_add_cotangents(const layer *l, int32_t lanes, const double *t, const void *x,
                                        const void *theta, int32_t r, int32_t j, double z_bar, void *x_bar, void *t_bar,
                                        void *theta_bar) {
  for (int32_t c = 0; c < l->cols; c++) {
    const double back = layer_weight(l, theta, r, c) * z_bar;
    if (c < layer_inputs(l))
      layer_add(l, x_bar, (size_t)(c * lanes + j), back);
    else
      layer_add(l, t_bar, (size_t)j, back);
    layer_add(l, theta_bar, (size_t)(r * l->cols + c), z_bar * layer_column(l, lanes, t, x, c, j));
  }
  layer_add(l, theta_bar, (size_t)(l->rows * l->cols + r), z_bar);
}

static void layer_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                          const void *y_bar, void *x_bar, void *t_bar, void *theta_bar) {
  const layer *l = context;
  for (int32_t r = 0; r < l->rows; r++)
    for (int32_t j = 0; j < lanes; j++) {
      const double slope = layer_slope(l, layer_sum(l, lanes, t, x, theta, r, j));
      layer_add_cotangents(l, lanes, t, x, theta, r, j, slope * layer_get(l, y_bar, (size_t)(r * lanes + j)), x_bar,
                           t_bar, theta_bar);
    }
}

/* s = sum_r y_dot_bar_r a'(z_r) z_dot_r: z_bar = y_dot_bar a'' z_dot, z_dot_bar = y_dot_bar a'. */
static void layer_tangent_reverse(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                                  const void *x_dot, const void *y_dot_bar, void *x_bar, void *x_dot_bar, void *t_bar,
                                  void *theta_bar) {
  const layer *l = context;
  for (int32_t r = 0; r < l->rows; r++)
    for (int32_t j = 0; j < lanes; j++) {
      const double z = layer_sum(l, lanes, t, x, theta, r, j), bar = layer_get(l, y_dot_bar, (size_t)(r * lanes + j));
      const double z_dot_bar = bar * layer_slope(l, z);
      layer_add_cotangents(l, lanes, t, x, theta, r, j,
                           bar * layer_curvature(l, z) * layer_sum_dot(l, lanes, theta, x_dot, r, j), x_bar, t_bar,
                           theta_bar);
      for (int32_t c = 0; c < layer_inputs(l); c++) {
        layer_add(l, x_dot_bar, (size_t)(c * lanes + j), layer_weight(l, theta, r, c) * z_dot_bar);
        layer_add(l, theta_bar, (size_t)(r * l->cols + c), z_dot_bar * layer_get(l, x_dot, (size_t)(c * lanes + j)));
      }
    }
}

static inline cnf_callback layer_callback(layer *l) {
  return (cnf_callback){.struct_size = sizeof(cnf_callback),
                        .context = l,
                        .parameter_count = (size_t)l->rows * (size_t)(l->cols + 1),
                        .evaluate = layer_evaluate,
                        .tangent = layer_tangent,
                        .reverse = layer_reverse,
                        .tangent_reverse = layer_tangent_reverse};
}

#endif
