/* The accuracy of the activations, stated once: Tests/C/accuracy_test asserts it, on all floats in `make soak`.
 *
 * X(activation, value, kept, slope, second): the largest error of y and of what is kept beside it, in ulp of the exact value
 * (of 1/2 for the cosine that sin keeps: its zeros are not followed), and of a' and a'' as the reverse pass forms them, in ulp
 * of 1, that is 2^-23 or 2^-52. The largest found, with a little room.
 *
 * Results of the functions with an exponential may be off by CNF_TINY besides: where e^x would be no normal number it is not
 * followed further down. SiLU's a' = s + y (1-s) takes 1-s, of which the rounding is 1.5 * 2^-24 or 2^-53 at most, times y up
 * to 17 or 37: 13 or 28. The portable set has no fused multiply-add, and its own bounds; gelu's is 64 or 512 larger, half an
 * ulp of the largest z^2/2.
 */
#ifndef CNF_SIMD_ACCURACY_H
#define CNF_SIMD_ACCURACY_H

#define CNF_TINY_F32 0x1p-119
#define CNF_TINY_F64 0x1p-1012

#define CNF_ACCURACY_F32(X)     \
  X(identity, 0, 0, 0, 0)       \
  X(tanh, 3.5, 0, 3.1, 6.2)     \
  X(softplus, 3.4, 2.5, 0.8, 1) \
  X(relu, 0, 0, 0, 0)           \
  X(silu, 3.4, 2.5, 13, 13)     \
  X(sigmoid, 2.5, 0, 1, 1)      \
  X(gelu, 6.6, 0, 2.3, 1.4)     \
  X(elu, 2.5, 0, 1, 1)          \
  X(sin, 2.5, 3.5, 1.8, 1.1)    \
  X(logcosh, 2.5, 3.5, 1.8, 3.2)
#define CNF_ACCURACY_F32_GENERIC(X) \
  X(identity, 0, 0, 0, 0)           \
  X(tanh, 3.5, 0, 3.5, 7)           \
  X(softplus, 3.4, 2.5, 0.8, 1)     \
  X(relu, 0, 0, 0, 0)               \
  X(silu, 3.4, 2.5, 13, 13)         \
  X(sigmoid, 2.5, 0, 1, 1)          \
  X(gelu, 70.6, 0, 2.5, 1.4)        \
  X(elu, 2.8, 0, 1.4, 1.4)          \
  X(sin, 2.5, 4, 2, 1.1)            \
  X(logcosh, 3, 3.5, 1.8, 3.5)
#define CNF_ACCURACY_F64(X)       \
  X(identity, 0, 0, 0, 0)         \
  X(tanh, 2.7, 0, 2.7, 5.4)       \
  X(softplus, 3.8, 2.7, 0.9, 0.9) \
  X(relu, 0, 0, 0, 0)             \
  X(silu, 3.4, 2.7, 28, 28)       \
  X(sigmoid, 2.7, 0, 0.9, 0.9)    \
  X(gelu, 7, 0, 2.1, 1.4)         \
  X(elu, 2.7, 0, 1.3, 1.3)        \
  X(sin, 2.2, 3.8, 1.9, 1.1)      \
  X(logcosh, 2.5, 2.7, 1.4, 2.7)
#define CNF_ACCURACY_F64_GENERIC(X) \
  X(identity, 0, 0, 0, 0)           \
  X(tanh, 4.7, 0, 4.7, 9.4)         \
  X(softplus, 3.8, 2.7, 0.9, 1.1)   \
  X(relu, 0, 0, 0, 0)               \
  X(silu, 3.4, 2.7, 28, 28)         \
  X(sigmoid, 2.7, 0, 1.1, 1.1)      \
  X(gelu, 519, 0, 2.4, 1.4)         \
  X(elu, 3.6, 0, 1.8, 1.8)          \
  X(sin, 2.4, 4.2, 2.1, 1.2)        \
  X(logcosh, 2.9, 4.7, 2.4, 4.7)

#endif
