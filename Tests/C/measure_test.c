/* measure_test.c - the functions that measure kernels: what they refuse, and that their figures are plausible. Times
 * themselves are not tested. */
#include <math.h>

#include "fixture.h"

static const double SHORT = 1e-3; /* seconds; each kernel still gets its minimum of eight samples */
enum { ROWS = 20, COLS = 13 };

static void test_peak_arguments(void) {
#define REFUSE_PEAK(expected, dtype, isa, seconds)                                                         \
  do {                                                                                                     \
    double flops = -1;                                                                                     \
    CHECK_STATUS(expected, cnf_measure_peak(dtype, isa, seconds, &flops), #dtype ", " #isa ", " #seconds); \
    CHECK(flops == -1);                                                                                    \
  } while (0)
  REFUSE_PEAK(CNF_ERROR_DTYPE, -1, CNF_ISA_GENERIC, SHORT);
  REFUSE_PEAK(CNF_ERROR_DTYPE, UNKNOWN, CNF_ISA_GENERIC, SHORT);
  REFUSE_PEAK(CNF_ERROR_ISA, CNF_FLOAT32, -1, SHORT);
  REFUSE_PEAK(CNF_ERROR_ISA, CNF_FLOAT32, UNKNOWN, SHORT);
  REFUSE_PEAK(CNF_ERROR_OPTION, CNF_FLOAT32, CNF_ISA_GENERIC, 0);
  REFUSE_PEAK(CNF_ERROR_OPTION, CNF_FLOAT32, CNF_ISA_GENERIC, -1);
  REFUSE_PEAK(CNF_ERROR_OPTION, CNF_FLOAT32, CNF_ISA_GENERIC, 3601);
  REFUSE_PEAK(CNF_ERROR_OPTION, CNF_FLOAT32, CNF_ISA_GENERIC, NAN);
  REFUSE_PEAK(CNF_ERROR_OPTION, CNF_FLOAT32, CNF_ISA_GENERIC, INFINITY);
  CHECK(cnf_measure_peak(CNF_FLOAT32, CNF_ISA_GENERIC, SHORT, NULL) == CNF_ERROR_NULL);
}

static void test_kernel_arguments(void) {
#define REFUSE_KERNEL(expected, spoil)                                                                \
  do {                                                                                                \
    int32_t kernel = 0, dtype = CNF_FLOAT32, isa = CNF_ISA_GENERIC, rows = ROWS, cols = COLS;         \
    double seconds = SHORT;                                                                           \
    cnf_kernel_measure to, *out = &to, before;                                                        \
    pattern_fill(&to, sizeof to);                                                                     \
    to.struct_size = sizeof to;                                                                       \
    spoil;                                                                                            \
    memcpy(&before, &to, sizeof to);                                                                  \
    CHECK_STATUS(expected, cnf_measure_kernel(kernel, dtype, isa, rows, cols, seconds, out), #spoil); \
    check_count(memcmp(&before, &to, sizeof to) == 0, #spoil, "cnf_measure_kernel wrote", __LINE__);  \
  } while (0)
  REFUSE_KERNEL(CNF_ERROR_NULL, out = NULL);
  REFUSE_KERNEL(CNF_ERROR_STRUCT_SIZE, to.struct_size = 0);
  REFUSE_KERNEL(CNF_ERROR_STRUCT_SIZE, to.struct_size -= 1);
  REFUSE_KERNEL(CNF_ERROR_OPTION, kernel = -1);
  REFUSE_KERNEL(CNF_ERROR_OPTION, kernel = cnf_kernel_count());
  REFUSE_KERNEL(CNF_ERROR_SIZE, rows = 0);
  REFUSE_KERNEL(CNF_ERROR_SIZE, cols = -1);
  REFUSE_KERNEL(CNF_ERROR_SIZE, rows = 8193);
  REFUSE_KERNEL(CNF_ERROR_SIZE, cols = INT32_MAX);
  REFUSE_KERNEL(CNF_ERROR_DTYPE, dtype = UNKNOWN);
  REFUSE_KERNEL(CNF_ERROR_ISA, isa = UNKNOWN);
  REFUSE_KERNEL(CNF_ERROR_OPTION, seconds = 0);
  REFUSE_KERNEL(CNF_ERROR_OPTION, seconds = NAN);
}

static void test_names(void) {
  CHECK(cnf_kernel_count() > 0);
  CHECK(strcmp(cnf_kernel_name(-1), "unknown") == 0);
  CHECK(strcmp(cnf_kernel_name(cnf_kernel_count()), "unknown") == 0);
  for (int32_t i = 0; i < cnf_kernel_count(); i++)
    for (int32_t j = 0; j < i; j++)
      check_count(strcmp(cnf_kernel_name(i), cnf_kernel_name(j)) != 0, "names differ", cnf_kernel_name(i), __LINE__);
}

/* Every kernel must give the result of the generic kernels (else the status is CNF_ERROR_KERNEL) on a shape that does
 * not fill blocks and vectors, and its figures must be plausible. */
static void test_kernels(int32_t isa, int32_t dtype) {
  double peak = 0;
  CHECK(cnf_measure_peak(dtype, isa, SHORT, &peak) == CNF_OK);
  CHECK(isfinite(peak) && peak > 1e6 && peak < 1e13); /* every core is within these limits */
  for (int32_t i = 0; i < cnf_kernel_count(); i++) {
    const char *name = cnf_kernel_name(i);
    cnf_kernel_measure to = {.struct_size = sizeof to};
    if (dtype == CNF_FLOAT64 && strstr(name, "_bf16")) {
      check_status(CNF_ERROR_DTYPE, cnf_measure_kernel(i, dtype, isa, ROWS, COLS, SHORT, &to), name, __LINE__);
      continue;
    }
    check_status(CNF_OK, cnf_measure_kernel(i, dtype, isa, ROWS, COLS, SHORT, &to), name, __LINE__);
    check_count(to.seconds > 0 && to.seconds < 1 && to.seconds_low <= to.seconds && to.seconds <= to.seconds_high, name,
                "its times are not plausible", __LINE__);
    check_count(to.isa == isa && to.lanes > 0 && to.samples >= 8, name, "isa, lanes or samples", __LINE__);
    const int is_product = strstr(name, "linear") || strstr(name, "product") || strstr(name, "weight");
    const double panels = strstr(name, "_stages") ? 7 : strstr(name, "linear_tanh_tangent") ? 2 : 1;
    check_count(to.flops == (is_product ? 2.0 * ROWS * COLS * to.lanes * panels : 0), name, "operations", __LINE__);
    check_count(to.elements > 0 && fmod(to.elements, ROWS) == 0, name, "elements", __LINE__);
  }
}

int main(void) {
  test_peak_arguments();
  test_kernel_arguments();
  test_names();
#define CNF_X(name, value, suffix, text)                                   \
  if (cnf_isa_is_available(value)) {                                       \
    test_kernels(value, CNF_FLOAT32);                                      \
    test_kernels(value, CNF_FLOAT64);                                      \
  } else {                                                                 \
    printf("%s: SKIPPED, this machine lacks the instruction set\n", text); \
  }
  CNF_ISA_LIST(CNF_X)
#undef CNF_X
  return check_report();
}
