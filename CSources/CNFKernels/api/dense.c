/* cnf_dense_evaluate: states and log-determinants from a solve's dense output. */
#include "cnf.h"
#include "host/float_mode.h"
#include "solve/methods/dense.h"
#include <math.h>

/* The step that contains `t`, of `steps` steps that end at ends[1] to ends[steps], from ends[0] on; -1: none. */
static int64_t step_of(const double *ends, size_t steps, double t) {
  const double direction = ends[steps] < ends[0] ? -1 : 1;
  size_t low = 0, high = steps; /* ends[low] is not beyond t, ends[high] not before it */
  if (!(direction * ends[0] <= direction * t && direction * t <= direction * ends[steps])) return -1;
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    if (direction * ends[middle] <= direction * t)
      low = middle;
    else
      high = middle;
  }
  return (int64_t)low;
}

static double coefficient(const cnf_dense *dense, size_t place) {
  return dense->dtype == CNF_FLOAT32 ? (double)((const float *)dense->coefficients)[place]
                                     : ((const double *)dense->coefficients)[place];
}

static cnf_status check(const cnf_dense *dense, size_t sample) {
  size_t total;
  if (dense->struct_size != sizeof *dense) return CNF_ERROR_STRUCT_SIZE;
  if (dense->reserved) return CNF_ERROR_OPTION;
  if (!dense->coefficients || !dense->ends) return CNF_ERROR_NULL;
  if (dense->dtype != CNF_FLOAT32 && dense->dtype != CNF_FLOAT64) return CNF_ERROR_DTYPE;
  if (dense->state_dim < 1 || dense->terms < 2 || dense->terms > CNF_DENSE_TERMS || dense->stride == 0)
    return CNF_ERROR_SIZE;
  if (__builtin_mul_overflow(dense->count, dense->stride, &total) ||
      __builtin_mul_overflow(total, (size_t)dense->terms * ((size_t)dense->state_dim + 1), &total) ||
      total > PTRDIFF_MAX / sizeof(double))
    return CNF_ERROR_SIZE;
  return sample < dense->count ? CNF_OK : CNF_ERROR_SIZE;
}

CNF_API cnf_status cnf_dense_evaluate(const cnf_dense *dense, size_t sample, const double *times, size_t time_count,
                                      void *x, double *log_det) {
  CNF_IN_DEFAULT_FLOAT_MODE;
  if (!dense || (!times && time_count > 0)) return CNF_ERROR_NULL;
  const cnf_status status = check(dense, sample);
  if (status) return status;
  const size_t D = (size_t)dense->state_dim, terms = (size_t)dense->terms, rows = D + 1;
  const double *ends = dense->ends + sample * (dense->stride + 1);
  size_t steps = 0;
  while (steps < dense->stride && !isnan(ends[steps + 1])) steps++;
  for (size_t i = 0; i < time_count; i++) {
    const int64_t step = steps > 0 ? step_of(ends, steps, times[i]) : -1;
    const double length = step < 0 ? NAN : ends[step + 1] - ends[step];
    const double theta = length == 0 ? 0 : step < 0 ? NAN : (times[i] - ends[step]) / length;
    const size_t place = step < 0 ? 0 : (sample * dense->stride + (size_t)step) * terms * rows;
    for (size_t d = 0; d < rows; d++) {
      double sum = step < 0 ? NAN : coefficient(dense, place + (terms - 1) * rows + d);
      for (size_t p = terms - 1; step >= 0 && p-- > 0;) sum = sum * theta + coefficient(dense, place + p * rows + d);
      if (d == D && log_det) log_det[i] = sum;
      if (d < D && x && dense->dtype == CNF_FLOAT32) ((float *)x)[i * D + d] = (float)sum;
      if (d < D && x && dense->dtype == CNF_FLOAT64) ((double *)x)[i * D + d] = sum;
    }
  }
  return CNF_OK;
}
