/* TIME: y = t, one row, rounded once. */
#ifndef CNF_FIELD_OPS_TIME_H
#define CNF_FIELD_OPS_TIME_H

#include "field/ops/op.h"

static int forward_time(cnf_evaluator *e, int32_t i, const double *time, int32_t first, int32_t count) {
  real *y = value_of(e, i + 1);
  for (int32_t j = 0; j < e->model->kernels->lanes; j++) y[j] = (real)time[j];
  (void)first, (void)count;
  return 0;
}
static void backward_time(cnf_evaluator *e, int32_t i, const op_backward *pass) {
  e->model->kernels->add(1, pass->time_bar, bar_of(e, i + 1), pass->time_bar);
}

static const op_functions time_functions = {.forward = forward_time, .backward = backward_time};

#endif
