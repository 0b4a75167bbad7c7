/* kernels_test.c - compares every kernel of every instruction set and dtype with the formula of its contract
 * (simd/kernels.h).
 *
 * kernels_cases_body.h lists the kernels; the test does not compile if a kernel of the table is missing.
 * kernels_terms_body.h has the arithmetic of the reference and derives its tolerances. kernels_test_body.h tests each
 * kernel.
 */
#include "check.h"
#include "kernels_test.h"

/* CTest reports a test with this exit code as skipped. */
enum { EXIT_SKIPPED = 77 };

static void test_isa(int32_t isa, const char *dtype, kernels_tally (*test)(int32_t isa)) {
  if (!cnf_isa_is_available(isa)) {
    printf("%s %s: SKIPPED, this machine lacks the instruction set\n", cnf_isa_name(isa), dtype);
    return;
  }
  kernels_tally tally = test(isa);
  printf("%s %s: %lld comparisons in %d calls\n", cnf_isa_name(isa), dtype, tally.comparisons,
         tally.passed + tally.failed);
  CHECK(tally.comparisons > 0);
  check_passed += tally.passed;
  check_failed += tally.failed;
}

/* Tests the instruction set that the argument names, or all of them. */
int main(int count, char **arguments) {
  int tested = 0;
#define CNF_X(name, value, suffix, text)              \
  if (count < 2 || strcmp(arguments[1], text) == 0) { \
    test_isa(value, "f32", kernels_test_f32);         \
    test_isa(value, "f64", kernels_test_f64);         \
    tested += cnf_isa_is_available(value) ? 2 : 0;    \
  }
  CNF_ISA_LIST(CNF_X)
#undef CNF_X
  return tested ? check_report() : EXIT_SKIPPED;
}
