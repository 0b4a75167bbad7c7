/* check.h - what the C tests share: counting checks, and buffers that show whether anybody wrote to them. */
#ifndef CNF_CHECK_H
#define CNF_CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cnf.h"

static int check_passed, check_failed;

/* Whether a process's memory is what it asks for: sanitizers have memory of their own beside it. */
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

/* Counts, and says where and what when `condition` is false. */
#define CHECK(condition) check_count((condition) ? 1 : 0, #condition, "", __LINE__)

static inline void check_count(int ok, const char *text, const char *detail, int line) {
  if (ok) {
    ++check_passed;
  } else {
    ++check_failed;
    printf("line %d: FAILED: %s%s%s\n", line, text, *detail ? ": " : "", detail);
  }
}

/* `what` is what was done to provoke the status. */
#define CHECK_STATUS(expected, status, what) check_status((expected), (status), (what), __LINE__)

static inline void check_status(cnf_status expected, cnf_status status, const char *what, int line) {
  char detail[256];
  snprintf(detail, sizeof detail, "expected %d (%s), got %d (%s)", (int)expected, cnf_status_message(expected),
           (int)status, cnf_status_message(status));
  check_count(status == expected, what, detail, line);
}

/* Prints the closing line; the result is the program's exit code. */
static inline int check_report(void) {
  printf("%d passed, %d failed\n", check_passed, check_failed);
  return check_failed == 0 && check_passed > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* An output that holds a pattern until somebody writes to it. */
enum { CHECK_PATTERN = 0xA5 };
static inline void pattern_fill(void *memory, size_t bytes) { memset(memory, CHECK_PATTERN, bytes); }
static inline int pattern_intact(const void *memory, size_t bytes) {
  const unsigned char *byte = memory;
  for (size_t i = 0; i < bytes; ++i)
    if (byte[i] != CHECK_PATTERN) return 0;
  return 1;
}

#endif
