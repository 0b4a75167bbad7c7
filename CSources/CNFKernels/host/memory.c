/* Memory from the operating system, by mmap. */
#define _GNU_SOURCE
#include "host/memory.h"
#include "host/cgroup.h"
#include "host/red_zones.h"
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef MAP_NORESERVE
#define MAP_NORESERVE 0
#endif

char *cnf_memory_take(size_t bytes) {
  void *memory =
      mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  return memory == MAP_FAILED ? NULL : memory;
}

void cnf_memory_free(char *memory, size_t bytes) {
  if (!memory) return;
  ASAN_UNPOISON_MEMORY_REGION(memory, bytes); /* a later mapping may have the same addresses */
  munmap(memory, bytes ? bytes : 1);
}

size_t cnf_memory_budget(void) {
  const long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  const int64_t group = cnf_cgroup_memory("");
  size_t budget = pages > 0 && size > 0 ? (size_t)pages * (size_t)size : 0;
  struct rlimit space;
  if (group > 0 && (budget == 0 || (size_t)group < budget)) budget = (size_t)group;
  if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY && (budget == 0 || space.rlim_cur < budget))
    budget = (size_t)space.rlim_cur;
  return budget;
}
