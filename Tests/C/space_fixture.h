/* space_fixture.h - limits of address space, for tests that run short of it. */
#ifndef CNF_SPACE_FIXTURE_H
#define CNF_SPACE_FIXTURE_H

#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"

/* Bytes of address space that the process has taken. */
static inline size_t address_space(void) {
  size_t pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file && fscanf(file, "%zu", &pages) == 1);
  if (file) fclose(file);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* Is a process held to RLIMIT_AS? QEMU's user mode ignores it, and a sanitizer's own memory is terabytes. */
static inline int space_is_limited(void) {
  const size_t much = (size_t)1 << 30;
  struct rlimit before;
  if (CHECK_IS_SANITIZED || getrlimit(RLIMIT_AS, &before) != 0) return 0;
  const struct rlimit little = {address_space() + much / 2, before.rlim_max};
  if (setrlimit(RLIMIT_AS, &little) != 0) return 0;
  void *memory = mmap(NULL, much, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory != MAP_FAILED) munmap(memory, much);
  CHECK(setrlimit(RLIMIT_AS, &before) == 0);
  return memory == MAP_FAILED;
}

#endif
