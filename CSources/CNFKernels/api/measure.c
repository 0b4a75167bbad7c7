/* The measuring calls: checks of arguments. */
#include "measure/entry.h"
#include "host/float_mode.h"
#include <math.h>

#define CNF_MOST_SECONDS 3600

CNF_API int32_t cnf_kernel_count(void) { return cnf_measured_kernel_count(); }

static int is_kernel(int32_t kernel) { return kernel >= 0 && kernel < cnf_measured_kernel_count(); }

CNF_API const char *cnf_kernel_name(int32_t kernel) {
  return is_kernel(kernel) ? cnf_measured_kernel_name(kernel) : "unknown";
}

/* Checks the arguments. *isa becomes one that this machine has. */
static cnf_status check(int32_t dtype, int32_t *isa, double seconds) {
  if (dtype != CNF_FLOAT32 && dtype != CNF_FLOAT64) return CNF_ERROR_DTYPE;
  if (*isa == CNF_ISA_AUTOMATIC) *isa = cnf_isa_best();
  if (!cnf_isa_is_available(*isa)) return CNF_ERROR_ISA;
  if (!(isfinite(seconds) && seconds > 0 && seconds <= CNF_MOST_SECONDS)) return CNF_ERROR_OPTION;
  return CNF_OK;
}

CNF_API cnf_status cnf_measure_peak(int32_t dtype, int32_t isa, double seconds, double *flops_per_second) {
  CNF_IN_DEFAULT_FLOAT_MODE;
  if (!flops_per_second) return CNF_ERROR_NULL;
  cnf_status status = check(dtype, &isa, seconds);
  if (status) return status;
  return dtype == CNF_FLOAT32 ? cnf_measured_peak_f32(isa, seconds, flops_per_second)
                              : cnf_measured_peak_f64(isa, seconds, flops_per_second);
}

static int is_size(int32_t size) { return size >= 1 && size <= CNF_MOST_MEASURED_ROWS; }

CNF_API cnf_status cnf_measure_kernel(int32_t kernel, int32_t dtype, int32_t isa, int32_t rows, int32_t cols,
                                      double seconds, cnf_kernel_measure *out) {
  CNF_IN_DEFAULT_FLOAT_MODE;
  if (!out) return CNF_ERROR_NULL;
  if (out->struct_size != sizeof *out) return CNF_ERROR_STRUCT_SIZE;
  if (!is_kernel(kernel)) return CNF_ERROR_OPTION;
  if (!is_size(rows) || !is_size(cols)) return CNF_ERROR_SIZE;
  cnf_status status = check(dtype, &isa, seconds);
  if (status) return status;
  status = dtype == CNF_FLOAT32 ? cnf_measured_kernel_f32(kernel, isa, rows, cols, seconds, out)
                                : cnf_measured_kernel_f64(kernel, isa, rows, cols, seconds, out);
  if (status == CNF_OK) out->isa = isa;
  return status;
}
