/* arena_test.c - blocks of an arena: where they lie, and the red zones between them under AddressSanitizer. */
#include "check.h"
#include "field/arena.h"

int main(void) {
  static _Alignas(CNF_CACHE_LINE) char memory[1024];
  cnf_arena measured = {0}, arena = {.base = memory};
  static const size_t counts[] = {3, 8, 0, 1};
  char *end = memory;
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i) {
    const size_t bytes = counts[i] * sizeof(double);
    char *block = cnf_arena_take(&arena, counts[i], sizeof(double));
    CHECK(cnf_arena_take(&measured, counts[i], sizeof(double)) == NULL && measured.used == arena.used);
    CHECK(block == end && (block - memory) % CNF_CACHE_LINE == 0);
    end = memory + arena.used;
    CHECK(end - (block + bytes) >= CNF_RED_ZONE && end - (block + bytes) < CNF_RED_ZONE + CNF_CACHE_LINE);
#if CNF_RED_ZONE
    for (char *at = block; at < end; ++at) CHECK(__asan_address_is_poisoned(at) == (at >= block + bytes));
#endif
  }
  CHECK(cnf_arena_take(&arena, SIZE_MAX / 4, sizeof(double)) == NULL && arena.overflow);
  return check_report();
}
