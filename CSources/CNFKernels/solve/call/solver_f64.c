/* The solver of CNF_FLOAT64 fields: states are double. */
#define CNF_REAL_BITS 64
#include "solve/call/bodies.h"
