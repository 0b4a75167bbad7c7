/* Columns of panels: some rows of one lane, into a panel and out of it. Compiled once per dtype by
 * solve/call/solver_f32.c and solver_f64.c. */
#include "solve/worker.h"

static void column_in(int32_t rows, int32_t lanes, const real *from, real *panel, int32_t lane) {
  for (int32_t d = 0; d < rows; d++) panel[(size_t)d * (size_t)lanes + (size_t)lane] = from[d];
}
static void column_out(int32_t rows, int32_t lanes, const real *panel, int32_t lane, real *to) {
  for (int32_t d = 0; d < rows; d++) to[d] = panel[(size_t)d * (size_t)lanes + (size_t)lane];
}
static void column_zero(int32_t rows, int32_t lanes, real *panel, int32_t lane) {
  for (int32_t d = 0; d < rows; d++) panel[(size_t)d * (size_t)lanes + (size_t)lane] = 0;
}

/* Are the numbers of one lane finite? */
static int is_column_finite(int32_t rows, int32_t lanes, const real *panel, int32_t lane) {
  double sum = 0; /* a sum of zeros; NaN if a number is not finite */
  for (int32_t d = 0; d < rows; d++) sum += 0 * (double)panel[(size_t)d * (size_t)lanes + (size_t)lane];
  return sum == 0;
}
