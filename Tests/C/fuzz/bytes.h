/* bytes.h - decisions and numbers from the bytes that libFuzzer makes. */
#ifndef CNF_FUZZ_BYTES_H
#define CNF_FUZZ_BYTES_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cnf.h"

typedef struct bytes {
  const uint8_t *next;
  size_t left;
  uint32_t series; /* of numbers that look random */
} bytes;

/* The next byte; 0 when there are no more. */
static inline uint32_t take(bytes *b) {
  if (b->left == 0) return 0;
  b->left--;
  return *b->next++;
}
/* A number from 0 to n - 1, n at most 256. */
static inline int32_t pick(bytes *b, uint32_t n) { return (int32_t)(take(b) % n); }
/* 1 once in n times, and 0 without bytes. */
static inline int once_in(bytes *b, uint32_t n) { return take(b) % n == n - 1; }

/* Numbers that calls must survive. */
static inline double odd_number(bytes *b) {
  static const double odd[] = {0, -1, 1e-300, 1e300, -1e30, 1e-30, INFINITY, -INFINITY, NAN, 1e9, 3e38, 1e-45};
  return odd[pick(b, sizeof odd / sizeof odd[0])];
}
/* One of `usual`, seldom an odd one. */
static inline double number(bytes *b, const double *usual, uint32_t count) {
  return once_in(b, 16) ? odd_number(b) : usual[pick(b, count)];
}

/* A number in [-1, 1] that looks random and takes no byte. */
static inline double noise(bytes *b) {
  b->series = b->series * 1664525u + 1013904223u;
  return (double)(b->series >> 8) / (1 << 23) - 1;
}

/* An array of exactly `count` numbers, so that AddressSanitizer sees what lies beyond. The caller frees it. */
static inline void *array(bytes *b, int32_t dtype, size_t count, double scale) {
  const int is_double = dtype == CNF_FLOAT64, is_odd = once_in(b, 8);
  void *memory = malloc(count ? count * (is_double ? sizeof(double) : sizeof(float)) : 1);
  const size_t where = count ? take(b) % count : 0;
  for (size_t i = 0; memory && i < count; i++) {
    const double value = is_odd && i == where ? odd_number(b) : scale * noise(b);
    if (is_double)
      ((double *)memory)[i] = value;
    else
      ((float *)memory)[i] = (float)value;
  }
  return memory;
}

/* What must hold whatever the bytes are. The fuzzer reports a trap. */
#define MUST(condition)                                                                                 \
  do {                                                                                                  \
    if (!(condition)) fprintf(stderr, "line %d: broken: %s\n", __LINE__, #condition), __builtin_trap(); \
  } while (0)

#endif
