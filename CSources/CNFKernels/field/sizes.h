/* How many reals packed weights and padded gradients take. */
#ifndef CNF_FIELD_SIZES_H
#define CNF_FIELD_SIZES_H

#include "field/evaluator.h"

static size_t round_up(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

/* Reals of a packed matrix of rows x cols. */
static size_t packed_reals(const cnf_kernels *k, int32_t rows, int32_t cols) {
  return round_up((size_t)rows, (size_t)k->block_rows) * (size_t)cols;
}

/* Words of the same in bfloat16; 0 in full precision. */
static size_t bf16_words(const cnf_model *m, int32_t rows, int32_t cols) {
  return m->bf16 ? packed_reals(m->tile, rows, (cols + m->bf16->terms - 1) / m->bf16->terms) : 0;
}

/* Adds `count` reals to *size. Returns where they start, a multiple of a cache line. */
static size_t take_reals(size_t *size, size_t count) {
  const size_t at = *size;
  *size += round_up(count, CNF_CACHE_LINE / sizeof(float));
  return at;
}

/* Reals from one row of a padded gradient to the next: whole vectors, and no multiple of 1 KiB, because rows would then
 * share few sets of a cache (1024 columns of float: 85 GFLOP/s, and 93 with one cache line more). */
static size_t gradient_stride(const cnf_kernels *k, int32_t cols) {
  const size_t line = CNF_CACHE_LINE / sizeof(real), ld = round_up((size_t)cols, (size_t)k->width);
  return ld % (16 * line) == 0 ? ld + line : ld;
}

#endif
