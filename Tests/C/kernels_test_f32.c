/* The test of the kernels in float. */
#define CNF_REAL_BITS 32
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "simd/kernels.h"
#include "simd/activations/traits.h"
#include "kernels_test.h"
#include "kernels_terms_body.h"
#include "activation_terms_body.h"
#include "kernels_cases_body.h"
#include "kernels_test_body.h"
