/* What every activation keeps for its backward pass, and how accurate it is. The memory layout, the kernels and the
 * tests read this one list.
 *
 * X(suffix, aux, pre_tangent, f32, f32_generic, f64, f64_generic)
 *   aux          1: a second panel is kept besides y; activations/formulas.h says what it holds
 *   pre_tangent  1: the tangent of z is kept, because the curvature needs it and it cannot be found as y_dot / a'(z)
 * the rest largest errors (value, kept, slope, second), which Tests/C/accuracy_test asserts, on all floats in `make
 * soak`:
 *                of float and double, and of the portable set, which has no fused multiply-add
 *
 * The errors of y and of the kept aux are in ulp of the exact value (of 1/2 for the cosine that sin keeps: its zeros
 * are not followed). Those of a' and a'', as the backward pass forms them, are in ulp of 1, that is 2^-23 or 2^-52.
 * Each is the largest found, with a little room.
 *
 * Functions with an exponential may be off by CNF_TINY in addition: e^x is not followed below the normal numbers.
 * SiLU's a' = s + y (1-s) takes 1-s, whose rounding is at most 1.5 * 2^-24 or 2^-53, times y, up to 17 or 37: 13 or 28.
 * In the portable set the bound of gelu is 64 or 512 larger: half an ulp of the largest z^2/2. */
#ifndef CNF_SIMD_ACTIVATIONS_TRAITS_H
#define CNF_SIMD_ACTIVATIONS_TRAITS_H

#include "cnf.h"

#define CNF_TINY_F32 0x1p-119
#define CNF_TINY_F64 0x1p-1012

/* clang-format off */
#define CNF_ACTIVATION_TRAITS(X)                                                                         \
  X(identity, 0, 0, (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0))                              \
  X(tanh, 0, 0, (3.5, 0, 3.1, 6.2), (3.5, 0, 3.5, 7), (2.7, 0, 2.7, 5.4), (4.7, 0, 4.7, 9.4))            \
  X(softplus, 1, 0, (3.4, 2.5, 0.8, 1), (3.4, 2.5, 0.8, 1), (3.8, 2.7, 0.9, 0.9), (3.8, 2.7, 0.9, 1.1))  \
  X(relu, 0, 0, (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0), (0, 0, 0, 0))                                  \
  X(silu, 1, 1, (3.4, 2.5, 13, 13), (3.4, 2.5, 13, 13), (3.4, 2.7, 28, 28), (3.4, 2.7, 28, 28))          \
  X(sigmoid, 0, 0, (2.5, 0, 1, 1), (2.5, 0, 1, 1), (2.7, 0, 0.9, 0.9), (2.7, 0, 1.1, 1.1))               \
  X(gelu, 1, 1, (6.6, 0, 2.3, 1.4), (70.6, 0, 2.5, 1.4), (7, 0, 2.1, 1.4), (519, 0, 2.4, 1.4))           \
  X(elu, 0, 0, (2.5, 0, 1, 1), (2.8, 0, 1.4, 1.4), (2.7, 0, 1.3, 1.3), (3.6, 0, 1.8, 1.8))               \
  X(sin, 1, 1, (2.5, 3.5, 1.8, 1.1), (2.5, 4, 2, 1.1), (2.2, 3.8, 1.9, 1.1), (2.4, 4.2, 2.1, 1.2))       \
  X(logcosh, 1, 1, (2.5, 3.5, 1.8, 3.2), (3, 3.5, 1.8, 3.5), (2.5, 2.7, 1.4, 2.7), (2.9, 4.7, 2.4, 4.7))
/* clang-format on */

enum {
#define CNF_X(suffix, aux, pre_tangent, ...) CNF_KEEPS_AUX_##suffix = aux, CNF_KEEPS_PRE_TANGENT_##suffix = pre_tangent,
  CNF_ACTIVATION_TRAITS(CNF_X)
#undef CNF_X
};

static inline int cnf_activation_keeps_aux(int32_t activation) {
  switch (activation) {
#define CNF_X(name, value, suffix, text) \
  case value: return CNF_KEEPS_AUX_##suffix;
    CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
  }
  return 0;
}

static inline int cnf_activation_keeps_pre_tangent(int32_t activation) {
  switch (activation) {
#define CNF_X(name, value, suffix, text) \
  case value: return CNF_KEEPS_PRE_TANGENT_##suffix;
    CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
  }
  return 0;
}

#endif
