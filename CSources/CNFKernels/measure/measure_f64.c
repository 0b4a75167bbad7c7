/* Measurements of double kernels. */
#define CNF_REAL_BITS 64
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
