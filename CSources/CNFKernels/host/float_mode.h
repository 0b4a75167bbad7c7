/* The floating-point mode of a thread: rounding, and what becomes of subnormal numbers.
 *
 * A host may have changed it for speed: -ffast-math, audio libraries and torch.set_flush_denormal set FTZ and DAZ.
 * They turn subnormal numbers into 0. The mode belongs to a thread. So one call would compute different numbers on its
 * different threads, and the same call different numbers in different hosts. Every public call that computes therefore
 * sets the default of IEEE 754, and restores the host's mode at its end. So does every thread that runs its tasks. */
#ifndef CNF_HOST_FLOAT_MODE_H
#define CNF_HOST_FLOAT_MODE_H

#include <stdint.h>

/* The mode of the calling thread: MXCSR of x86-64 (flags of exceptions included), FPCR of AArch64. Each change is a
 * barrier for the compiler: it moves no load or store over it, and so no arithmetic on numbers in memory. */
#if defined(__x86_64__)
typedef uint32_t cnf_float_mode;
#define CNF_FLOAT_MODE_DEFAULT ((cnf_float_mode)0x1f80) /* exceptions masked; rounding to nearest; no FTZ, no DAZ */
static inline cnf_float_mode cnf_float_mode_get(void) {
  cnf_float_mode mode;
  __asm__ volatile("stmxcsr %0" : "=m"(mode));
  return mode;
}
static inline void cnf_float_mode_set(cnf_float_mode mode) { __asm__ volatile("ldmxcsr %0" : : "m"(mode) : "memory"); }
#elif defined(__aarch64__)
typedef uint64_t cnf_float_mode;
#define CNF_FLOAT_MODE_DEFAULT ((cnf_float_mode)0) /* no traps; rounding to nearest; no FZ */
static inline cnf_float_mode cnf_float_mode_get(void) {
  cnf_float_mode mode;
  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
}
static inline void cnf_float_mode_set(cnf_float_mode mode) {
  __asm__ volatile("msr fpcr, %0" : : "r"(mode) : "memory");
}
#else                                              /* the host's mode is used as it is */
typedef uint32_t cnf_float_mode;
#define CNF_FLOAT_MODE_DEFAULT ((cnf_float_mode)0)
static inline cnf_float_mode cnf_float_mode_get(void) { return CNF_FLOAT_MODE_DEFAULT; }
static inline void cnf_float_mode_set(cnf_float_mode mode) { (void)mode; }
#endif

static inline cnf_float_mode cnf_float_mode_begin(void) {
  const cnf_float_mode before = cnf_float_mode_get();
  cnf_float_mode_set(CNF_FLOAT_MODE_DEFAULT);
  return before;
}
static inline void cnf_float_mode_end(const cnf_float_mode *before) { cnf_float_mode_set(*before); }

/* The rest of the block runs in the default mode; its end restores the mode before, however it is left. */
#define CNF_IN_DEFAULT_FLOAT_MODE \
  const cnf_float_mode mode_before __attribute__((cleanup(cnf_float_mode_end), unused)) = cnf_float_mode_begin()

#endif
