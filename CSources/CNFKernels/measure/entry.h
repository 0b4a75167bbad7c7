/* What api/ calls to measure kernels, for both dtypes. Arguments have been validated; isa is one that this machine
 * has. */
#ifndef CNF_MEASURE_ENTRY_H
#define CNF_MEASURE_ENTRY_H

#include "cnf.h"

#define CNF_MOST_MEASURED_ROWS 8192 /* and columns: operands then take some GB at most */

int32_t cnf_measured_kernel_count(void);
const char *cnf_measured_kernel_name(int32_t kernel);

cnf_status cnf_measured_peak_f32(int32_t isa, double seconds, double *flops_per_second);
cnf_status cnf_measured_peak_f64(int32_t isa, double seconds, double *flops_per_second);

/* Writes all of *out except struct_size and isa. */
cnf_status cnf_measured_kernel_f32(int32_t kernel, int32_t isa, int32_t rows, int32_t cols, double seconds,
                                   cnf_kernel_measure *out);
cnf_status cnf_measured_kernel_f64(int32_t kernel, int32_t isa, int32_t rows, int32_t cols, double seconds,
                                   cnf_kernel_measure *out);

#endif
