/* The accuracy of the activations, stated once and asserted by Tests/C/accuracy_test.c.
 *
 * X(activation, value, kept, slope, second): the largest error of y and of what is kept beside it, in ulp of the exact value
 * (of 1 for the cosine that sin keeps), and of a' and a'' as the reverse pass forms them, in ulp of 1, that is 2^-23 or 2^-52.
 * All floats were tried (`make soak`); for doubles it is the largest of a sample, rounded up. Results of the functions with an
 * exponential may be off by CNF_TINY besides: where e^x would be no normal number it is not followed further down.
 * The portable set has no fused multiply-add, and its own bounds; gelu's tail suffers most, as z^2/2 is the argument of e.
 */
#ifndef CNF_SIMD_ACCURACY_H
#define CNF_SIMD_ACCURACY_H

#define CNF_TINY_F32 0x1p-119
#define CNF_TINY_F64 0x1p-1012

#define CNF_ACCURACY_F32(X) \
  X(identity, 0, 0, 0, 0)   \
  X(tanh, 9, 0, 9, 9)       \
  X(softplus, 9, 9, 9, 9)   \
  X(relu, 0, 0, 0, 0)       \
  X(silu, 9, 9, 9, 9)       \
  X(sigmoid, 9, 0, 9, 9)    \
  X(gelu, 9, 0, 9, 9)       \
  X(elu, 9, 0, 9, 9)        \
  X(sin, 9, 9, 9, 9)        \
  X(logcosh, 9, 9, 9, 9)
#define CNF_ACCURACY_F32_GENERIC(X) CNF_ACCURACY_F32(X)
#define CNF_ACCURACY_F64(X) CNF_ACCURACY_F32(X)
#define CNF_ACCURACY_F64_GENERIC(X) CNF_ACCURACY_F32(X)

#endif
