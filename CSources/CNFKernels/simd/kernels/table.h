/* Every kernel of one instruction set and dtype, and the table of them. simd/tables/kernels_<isa>_<dtype>.c include
 * this file after the words of the instruction set; simd/kernels.h states the contract of each kernel. */
#include "simd/activations/traits.h"
#include "simd/activations/functions.h"
#include "simd/activations/formulas.h"

#define LANES (VW * VN)
#define FOR_ELEMENTS(rows) for (size_t i = 0, end = (size_t)(rows)*LANES; i < end; i += VW)

#include "simd/kernels/products.h"
#include "simd/kernels/activation_loops.h"
#include "simd/kernels/linear.h"
#include "simd/kernels/gradients.h"
#include "simd/kernels/panels.h"
#if CNF_REAL_BITS == 32
#include "simd/kernels/bf16.h"
#define BF16_TABLE &CNF_KERNEL(bf16_table)
#else
#define BF16_TABLE NULL
#endif

#include "simd/kernels/one_lane.h"

const cnf_kernels CNF_KERNEL_TABLE = {
    .lanes = LANES,
    .block_rows = BLOCK_ROWS,
    .width = VW,
    .single = &SINGLE(table),
    .most_alone = MOST_ALONE,
    .bf16 = BF16_TABLE,
    .pack = CNF_KERNEL(pack),
    .linear = CNF_KERNEL(linear),
    .product = CNF_KERNEL(product),
    .activation = CNF_KERNEL(activation),
    .activation_tangent = CNF_KERNEL(activation_tangent),
    .activation_reverse = CNF_KERNEL(activation_reverse),
    .activation_tangent_reverse = CNF_KERNEL(activation_tangent_reverse),
    .derivative = CNF_KERNEL(derivative),
    .derivative_reverse = CNF_KERNEL(derivative_reverse),
    .weight_gradient = CNF_KERNEL(weight_gradient),
    .row_sums = CNF_KERNEL(row_sums),
    .lanes_out = CNF_KERNEL(lanes_out),
    .lanes_in = CNF_KERNEL(lanes_in),
    .add = CNF_KERNEL(add),
    .scale = CNF_KERNEL(scale),
    .scale_add = CNF_KERNEL(scale_add),
    .dot = CNF_KERNEL(dot),
    .multiply = CNF_KERNEL(multiply),
    .total = CNF_KERNEL(total),
    .shift = CNF_KERNEL(shift),
    .affine = CNF_KERNEL(affine),
    .finite = CNF_KERNEL(finite),
    .blend = CNF_KERNEL(blend),
    .combine = CNF_KERNEL(combine),
    .error_squares = CNF_KERNEL(error_squares),
    .scaled_squares = CNF_KERNEL(scaled_squares),
    .fma_chains = CNF_KERNEL(fma_chains),
};
