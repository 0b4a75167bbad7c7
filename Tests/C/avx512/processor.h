/* Before api/machine.c: the processor has what it has, and AVX-512. */
#define __builtin_cpu_supports(feature) (strncmp(feature, "avx512", 6) == 0 || __builtin_cpu_supports(feature))
