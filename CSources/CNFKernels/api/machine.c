/* The library's version, and what this machine has: instruction sets and threads. */
#include "cnf.h"
#include "host/threads.h"
#include <stdlib.h>
#include <string.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

CNF_API const char *cnf_version(void) {
  return TEXT(CNF_VERSION_MAJOR) "." TEXT(CNF_VERSION_MINOR) "." TEXT(CNF_VERSION_PATCH);
}

CNF_API const char *cnf_isa_name(int32_t isa) {
  switch (isa) {
#define CNF_X(name, value, suffix, text) \
  case value: return text;
    CNF_ISA_LIST(CNF_X)
#undef CNF_X
  }
  return "unknown";
}

CNF_API int32_t cnf_isa_is_available(int32_t isa) {
  switch (isa) {
  case CNF_ISA_GENERIC: return 1;
#if defined(__x86_64__)
  case CNF_ISA_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  case CNF_ISA_AVX512:
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("fma");
  case CNF_ISA_AVX512BF16: return cnf_isa_is_available(CNF_ISA_AVX512) && __builtin_cpu_supports("avx512bf16");
#elif defined(__aarch64__)
  case CNF_ISA_NEON: return 1;
#endif
  }
  return 0;
}

static const int32_t isas[] = {
#define CNF_X(name, value, suffix, text) value,
    CNF_ISA_LIST(CNF_X)
#undef CNF_X
};

CNF_API int32_t cnf_isa_best(void) {
  const char *wanted = getenv("CNF_ISA");
  int32_t best = 0;
  for (size_t i = 0; i < sizeof isas / sizeof isas[0]; i++) {
    if (wanted && *wanted && strcmp(wanted, cnf_isa_name(isas[i])) != 0) continue;
    if (cnf_isa_is_available(isas[i])) best = isas[i];
  }
  return best;
}

CNF_API int32_t cnf_thread_count(void) { return cnf_threads_default(); }
