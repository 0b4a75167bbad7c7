/* Measurements of float kernels. */
#define CNF_REAL_BITS 32
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include "measure/entry.h"
#include "measure/timing.h"
#include "host/memory.h"
#include "solve/solver.h"
#include "measure/operands.h"
#include "measure/kernel_list.h"
#include "measure/check.h"
#include "measure/measure.h"

/* The list is the same for both dtypes. */
int32_t cnf_measured_kernel_count(void) { return MEASURED_KERNELS; }
const char *cnf_measured_kernel_name(int32_t kernel) { return measured_kernels[kernel].name; }
