/* check.h - counted checks, and buffers that show whether they were written to, for all C tests. */
#ifndef CNF_CHECK_H
#define CNF_CHECK_H

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cnf.h"

static int check_passed, check_failed;

/* Whether a sanitizer is active, which adds memory of its own to that of the process. */
#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CHECK_IS_SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHECK_IS_SANITIZED 1
#endif
#ifndef CHECK_IS_SANITIZED
#define CHECK_IS_SANITIZED 0
#endif

/* Counts a check, and prints the line and the condition if it is false. */
#define CHECK(condition) check_count((condition) ? 1 : 0, #condition, "", __LINE__)

static inline void check_count(int ok, const char *text, const char *detail, int line) {
  if (ok) {
    ++check_passed;
  } else {
    ++check_failed;
    printf("line %d: FAILED: %s%s%s\n", line, text, *detail ? ": " : "", detail);
  }
}

/* Checks a status. `what` describes the call that returned it. */
#define CHECK_STATUS(expected, status, what) check_status((expected), (status), (what), __LINE__)

static inline void check_status(cnf_status expected, cnf_status status, const char *what, int line) {
  char detail[256];
  snprintf(detail, sizeof detail, "expected %d (%s), got %d (%s)", (int)expected, cnf_status_message(expected),
           (int)status, cnf_status_message(status));
  check_count(status == expected, what, detail, line);
}

/* The larger of two numbers, `b` counting as infinite if it is NaN. A comparison, because gcc 12 for AArch64 fails to
 * compile some loops with fmax. */
static inline double larger_of(double a, double b) { return b > a ? b : b == b ? a : HUGE_VAL; }

/* Prints the numbers of passed and failed checks, and returns the exit code of the program. */
static inline int check_report(void) {
  printf("%d passed, %d failed\n", check_passed, check_failed);
  return check_failed == 0 && check_passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* An output is filled with a pattern, which is intact until something is written to it. */
enum { CHECK_PATTERN = 0xA5 };
static inline void pattern_fill(void *memory, size_t bytes) { memset(memory, CHECK_PATTERN, bytes); }
static inline int pattern_intact(const void *memory, size_t bytes) {
  const unsigned char *byte = memory;
  for (size_t i = 0; i < bytes; ++i)
    if (byte[i] != CHECK_PATTERN) return 0;
  return 1;
}

#endif
