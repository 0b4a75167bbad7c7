/* A field at given parameters, evaluated on a tile: all of this folder, which solver_f32.c and solver_f64.c compile
 * once per dtype. */
#ifndef CNF_FIELD_FIELD_H
#define CNF_FIELD_FIELD_H

#include "field/layout.h"
#include "field/packing.h"
#include "field/forward.h"
#include "field/backward.h"
#include "field/probe_constants.h"
#include "field/trace_product.h"
#include "field/divergence.h"

#endif
