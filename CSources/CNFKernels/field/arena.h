/* One allocation, carved in order. Measured first with base == NULL, then carved for real by the same calls.
 *
 * Built with AddressSanitizer, a red zone follows every block: what reads or writes beyond a block is reported, though
 * the memory is the arena's own. */
#ifndef CNF_FIELD_ARENA_H
#define CNF_FIELD_ARENA_H

#include "host/red_zones.h"
#include <stddef.h>
#include <stdint.h>

#define CNF_CACHE_LINE 64

typedef struct cnf_arena {
  char *base;   /* NULL while measuring */
  size_t used;  /* bytes */
  int overflow; /* 1: a size did not fit size_t */
} cnf_arena;

/* `count` elements of `size` bytes, on a cache line of their own; NULL while measuring. */
static inline void *cnf_arena_take(cnf_arena *arena, size_t count, size_t size) {
  size_t block, bytes, end;
  if (__builtin_mul_overflow(count, size, &block) ||
      __builtin_add_overflow(block, CNF_CACHE_LINE - 1 + CNF_RED_ZONE, &bytes)) {
    arena->overflow = 1;
    return NULL;
  }
  bytes &= ~(size_t)(CNF_CACHE_LINE - 1);
  if (__builtin_add_overflow(arena->used, bytes, &end) || end > PTRDIFF_MAX) {
    arena->overflow = 1;
    return NULL;
  }
  char *p = arena->base ? arena->base + arena->used : NULL;
  if (p) ASAN_POISON_MEMORY_REGION(p + block, bytes - block);
  arena->used = end;
  return p;
}

#endif
