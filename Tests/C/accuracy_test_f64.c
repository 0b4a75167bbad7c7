/* The accuracy test of the activations in double. */
#define CNF_REAL_BITS 64
#include <float.h>
#include <math.h>
#include <string.h>
#include "simd/kernels.h"
#include "simd/activations/traits.h"
#include "accuracy_test.h"
#include "kernels_terms_body.h"
#include "activation_terms_body.h"
typedef const cnf_kernels kernel_table;
#include "accuracy_arguments_body.h"
#include "accuracy_body.h"
