/* The solver of CNF_FLOAT32 fields: states are float. */
#define CNF_REAL_BITS 32
#include "solve/call/bodies.h"
