/* fma_peak.c - how many floating-point operations a core does at best: float, fused multiply-adds that wait for nothing but their own
 * chain.
 *
 *     fma_peak [seconds]          a line of JSON: GFLOP/s, an FMA counted as 2 operations, and the instruction set
 *
 * Chains: an accumulator each, fed back into itself. There are more of them than latency times throughput (x86: 4 cycles at 2 a
 * cycle; large Arm cores: 4 at 4), so the units never idle, and few enough to stay in registers. The fastest of many short rounds is
 * reported: the peak is what a core reaches while nothing disturbs it.
 */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

enum { ROUND = 100000 }; /* FMAs of each chain between two looks at the clock: some tenths of a millisecond */
static const double SECONDS = 0.3;

/* What is read from here is not known to the compiler, and what is stored has to be computed. (Clang saw that a chain that begins at 1
 * stays there, and left it out: a twelfth too much was counted.) */
static volatile float unknown;

/* x' = x a + b tends to b / (1 - a) = 1: never infinite, never denormal. */
#define DEFINE_ROUND(name, attributes, vec, chains, set1, fma, first)            \
  attributes static void round_##name(void) {                                    \
    const vec a = set1(0.999f), b = set1(0.001f);                                \
    vec x[chains];                                                               \
    for (int c = 0; c < chains; ++c) x[c] = set1(unknown + (float)c);            \
    for (int i = 0; i < ROUND; ++i) {                                            \
      _Pragma("GCC unroll 32") for (int c = 0; c < chains; ++c) fma(x[c], a, b); \
    }                                                                            \
    for (int c = 0; c < chains; ++c) unknown = first(x[c]);                      \
  }

enum { CHAINS_GENERIC = 16, CHAINS_X86 = 12, CHAINS_NEON = 24 };

/* Where the instruction set is unknown: multiply and add, as the compiler makes them. */
#define GENERIC_SET1(value) (value)
#define GENERIC_FMA(x, a, b) ((x) = (x) * (a) + (b))
#define GENERIC_FIRST(x) (x)
DEFINE_ROUND(generic, , float, CHAINS_GENERIC, GENERIC_SET1, GENERIC_FMA, GENERIC_FIRST)

#if defined(__x86_64__)
#define AVX2_FMA(x, a, b) ((x) = _mm256_fmadd_ps(x, a, b))
#define AVX512_FMA(x, a, b) ((x) = _mm512_fmadd_ps(x, a, b))
DEFINE_ROUND(avx2, __attribute__((target("avx2,fma"))), __m256, CHAINS_X86, _mm256_set1_ps, AVX2_FMA, _mm256_cvtss_f32)
DEFINE_ROUND(avx512, __attribute__((target("avx512f"))), __m512, CHAINS_X86, _mm512_set1_ps, AVX512_FMA,
             _mm512_cvtss_f32)
#elif defined(__aarch64__)
#define NEON_FMA(x, a, b) ((x) = vfmaq_f32(b, x, a))
#define NEON_FIRST(x) vgetq_lane_f32(x, 0)
DEFINE_ROUND(neon, , float32x4_t, CHAINS_NEON, vdupq_n_f32, NEON_FMA, NEON_FIRST)
#endif

typedef struct kernel {
  const char *isa;
  void (*round)(void);
  double operations; /* of a round */
} kernel;

static kernel best_kernel(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return (kernel){"avx512", round_avx512, 2.0 * 16 * CHAINS_X86 * ROUND};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return (kernel){"avx2", round_avx2, 2.0 * 8 * CHAINS_X86 * ROUND};
#elif defined(__aarch64__)
  return (kernel){"neon", round_neon, 2.0 * 4 * CHAINS_NEON * ROUND};
#endif
  return (kernel){"generic", round_generic, 2.0 * CHAINS_GENERIC * ROUND};
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

int main(int argc, char **argv) {
  const double seconds = argc > 1 ? strtod(argv[1], NULL) : SECONDS;
  const kernel best = best_kernel();
  double fastest = 0;
  for (const double begin = now(); fastest == 0 || now() - begin < seconds;) {
    const double before = now();
    best.round();
    const double rate = best.operations / (now() - before);
    if (rate > fastest) fastest = rate;
  }
  printf("{\"gflops\": %.1f, \"isa\": \"%s\"}\n", 1e-9 * fastest, best.isa);
  return EXIT_SUCCESS;
}
