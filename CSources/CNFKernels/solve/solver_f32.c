/* The solver for one dtype: every body, once. */
#define CNF_REAL_BITS 32
#include <math.h>
#include <stdlib.h>
#include "random/philox.h"
#include "simd/kernels.h"
#include "field/evaluator_body.h"
#include "field/layout_body.h"
#include "field/trace_product_body.h"
#include "field/packing_body.h"
#include "field/constants_body.h"
#include "field/divergence_body.h"
#include "solve/lanes_body.h"
#include "solve/keep_body.h"
#include "solve/start_body.h"
#include "solve/forward_body.h"
#include "solve/adjoint_body.h"
#include "solve/queue_body.h"
#include "solve/backward_body.h"
#include "solve/loss_body.h"
#include "solve/batch_body.h"
#include "solve/partials_body.h"
#include "solve/run_body.h"
#include "solve/solver_body.h"
