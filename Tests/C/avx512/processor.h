/* Included before api/machine.c: adds AVX-512 to the features that the processor reports. */
#define __builtin_cpu_supports(feature) (strncmp(feature, "avx512", 6) == 0 || __builtin_cpu_supports(feature))
