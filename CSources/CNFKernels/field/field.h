/* A field at given parameters, evaluated on a tile: all of this folder. solver_f32.c and solver_f64.c compile it once per dtype. */
#ifndef CNF_FIELD_FIELD_H
#define CNF_FIELD_FIELD_H

#include "field/passes.h"
#include "field/layout.h"
#include "field/trace_product.h"
#include "field/packing.h"
#include "field/probe_constants.h"
#include "field/divergence.h"

#endif
