#define _GNU_SOURCE
#include "solve/memory.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

char *cnf_memory_take(size_t bytes) {
  void *memory;
  if (posix_memalign(&memory, 64, bytes ? bytes : 64) != 0) return NULL;
  return memset(memory, 0, bytes);
}

void cnf_memory_free(char *memory) { free(memory); }

char *cnf_memory_reserve(size_t bytes) {
  void *memory =
      mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

void cnf_memory_release(char *memory, size_t bytes) {
  if (memory) munmap(memory, bytes ? bytes : 1);
}
