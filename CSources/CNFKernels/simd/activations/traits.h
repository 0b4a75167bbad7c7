/* What an activation keeps beside its result y for the reverse pass. One list serves the memory layout and the kernels.
 * X(suffix, aux, pre_tangent): aux = 1 where a second panel is kept, whose meaning activations/formulas.h states;
 * pre_tangent = 1 where the curvature needs the tangent of z itself, because y' cannot be divided out. */
#ifndef CNF_SIMD_ACTIVATION_TRAITS_H
#define CNF_SIMD_ACTIVATION_TRAITS_H

#include "cnf.h"

#define CNF_ACTIVATION_TRAITS(X) \
  X(identity, 0, 0)              \
  X(tanh, 0, 0)                  \
  X(softplus, 1, 0)              \
  X(relu, 0, 0)                  \
  X(silu, 1, 1)                  \
  X(sigmoid, 0, 0)               \
  X(gelu, 1, 1)                  \
  X(elu, 0, 0)                   \
  X(sin, 1, 1)                   \
  X(logcosh, 1, 1)

enum {
#define CNF_X(suffix, aux, pre_tangent) CNF_KEEPS_AUX_##suffix = aux, CNF_KEEPS_PRE_TANGENT_##suffix = pre_tangent,
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
