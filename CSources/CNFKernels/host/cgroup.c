/* Limits of control groups; cgroup.h has the contract.
 *
 * /proc/self/cgroup names the process's group: `0::/path` with v2, `4:memory:/path` with v1. /proc/self/mountinfo says
 * where each hierarchy is mounted, and which of its groups is at the mount point: in a container that is often the
 * container's own. What does not fit this is taken for no limit. Nothing here allocates. */
#define _POSIX_C_SOURCE 200809L
#include "host/cgroup.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MOST_PATH 4096 /* as PATH_MAX of Linux */

/* ---- Files ------------------------------------------------------------------------------------------------------- */

typedef struct lines {
  int file;
  int begin, end; /* what of the buffer has not been taken */
  char buffer[4096];
} lines;

static int open_file(const char *root, const char *folder, const char *name) {
  char path[2 * MOST_PATH];
  const int length = snprintf(path, sizeof path, "%s%s/%s", root, folder, name);
  return length > 0 && length < (int)sizeof path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

/* The next line into line [size], without its end; a longer one is cut. Returns 0 at the end of the file. */
static int next_line(lines *from, char *line, int size) {
  int length = 0, any = 0;
  for (;; any = 1) {
    if (from->begin == from->end) {
      from->begin = 0, from->end = (int)read(from->file, from->buffer, sizeof from->buffer);
      if (from->end <= 0) from->end = 0;
      if (from->end == 0) break;
    }
    const char next = from->buffer[from->begin++];
    any = 1;
    if (next == '\n') break;
    if (length < size - 1) line[length++] = next;
  }
  line[length] = 0;
  return any;
}

/* The first line of a group's file. Returns 0 if there is none. */
static int first_line(const char *root, const char *folder, const char *name, char *line, int size) {
  lines from = {.file = open_file(root, folder, name)};
  if (from.file < 0) return 0;
  const int any = next_line(&from, line, size);
  close(from.file);
  return any;
}

/* ---- Where the process's group is -------------------------------------------------------------------------------- */

/* A hierarchy of groups. controller NULL: that of v2, which has all controllers. */
typedef struct hierarchy {
  const char *controller;
  char mount[MOST_PATH]; /* where it is mounted */
  char top[MOST_PATH];   /* the group that is found there */
  char group[MOST_PATH]; /* the process's own */
} hierarchy;

/* Is `word` one of the words of `list`, which commas divide? */
static int has_word(const char *list, const char *word) {
  const size_t length = strlen(word);
  for (const char *at = list; at; at = strchr(at, ','), at = at ? at + 1 : NULL)
    if (strncmp(at, word, length) == 0 && (at[length] == ',' || at[length] == 0)) return 1;
  return 0;
}

/* A path of mountinfo, where a space is written \040. */
static void copy_path(const char *from, char *to) {
  size_t length = 0;
  while (*from && length < MOST_PATH - 1) {
    const int is_code = from[0] == '\\' && from[1] && from[2] && from[3];
    to[length++] = is_code ? (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0')) : *from;
    from += is_code ? 4 : 1;
  }
  to[length] = 0;
}

/* Finds where the hierarchy is mounted. A line is `id parent device top mount options [tags] - type source options`. */
static int find_mount(const char *root, hierarchy *h) {
  static const char *const type[] = {"cgroup2", "cgroup"};
  lines from = {.file = open_file(root, "/proc/self", "mountinfo")};
  char line[3 * MOST_PATH];
  int found = 0;
  if (from.file < 0) return 0;
  while (!found && next_line(&from, line, sizeof line)) {
    char *rest = strstr(line, " - "), *field[5] = {NULL}, *system[3] = {NULL}, *place = NULL;
    if (!rest) continue;
    *rest = 0;
    for (int i = 0; i < 5; i++) field[i] = strtok_r(i ? NULL : line, " ", &place);
    for (int i = 0; i < 3; i++) system[i] = strtok_r(i ? NULL : rest + 3, " ", &place);
    if (!field[4] || !system[2] || strcmp(system[0], type[h->controller != NULL]) != 0) continue;
    if (h->controller && !has_word(system[2], h->controller)) continue;
    copy_path(field[3], h->top);
    copy_path(field[4], h->mount);
    found = 1;
  }
  close(from.file);
  return found;
}

/* Finds the process's group in the hierarchy. A line is `number:controllers:group`. */
static int find_group(const char *root, hierarchy *h) {
  lines from = {.file = open_file(root, "/proc/self", "cgroup")};
  char line[MOST_PATH + 256];
  int found = 0;
  if (from.file < 0) return 0;
  while (!found && next_line(&from, line, sizeof line)) {
    char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) continue;
    *group++ = 0, controllers++;
    found = h->controller ? has_word(controllers, h->controller) : *controllers == 0;
    if (found) snprintf(h->group, sizeof h->group, "%s", group);
  }
  close(from.file);
  return found;
}

/* The process's group as a folder: at the mount point, or under it. */
static void group_folder(const hierarchy *h, char *folder, size_t size) {
  const size_t top = strcmp(h->top, "/") == 0 ? 0 : strlen(h->top);
  const int is_below = strncmp(h->group, h->top, top) == 0 && (top == 0 || h->group[top] == '/' || h->group[top] == 0);
  const char *under = is_below && strncmp(h->group, "/..", 3) != 0 ? h->group + top : "";
  snprintf(folder, size, "%s%s", h->mount, strcmp(under, "/") == 0 ? "" : under);
}

/* ---- Limits ------------------------------------------------------------------------------------------------------ */

/* The limit that the group in `folder` sets itself; 0: none. */
typedef int64_t limit_of_group(const char *root, const char *folder);

static int64_t positive(const char *text) {
  const long long value = strtoll(text, NULL, 10); /* "max" gives 0 */
  return value > 0 ? value : 0;
}

static int64_t lesser(int64_t a, int64_t b) { return a == 0 || (b > 0 && b < a) ? b : a; }

static int64_t number_in(const char *root, const char *folder, const char *name) {
  char line[128];
  return first_line(root, folder, name, line, sizeof line) ? positive(line) : 0;
}

static int64_t processors_of(int64_t quota, int64_t period) {
  return quota > 0 && period > 0 ? quota / period + (quota % period > 0) : 0;
}
static int64_t processors_v2(const char *root, const char *folder) {
  char line[128];
  if (!first_line(root, folder, "cpu.max", line, sizeof line)) return 0;
  const char *period = strchr(line, ' ');
  return period ? processors_of(positive(line), positive(period)) : 0;
}
static int64_t processors_v1(const char *root, const char *folder) {
  return processors_of(number_in(root, folder, "cpu.cfs_quota_us"), number_in(root, folder, "cpu.cfs_period_us"));
}

/* From `high` on, the kernel slows a group down. */
static int64_t memory_v2(const char *root, const char *folder) {
  return lesser(number_in(root, folder, "memory.max"), number_in(root, folder, "memory.high"));
}
/* Without a limit the file has the largest number of whole pages. */
static int64_t memory_v1(const char *root, const char *folder) {
  const int64_t bytes = number_in(root, folder, "memory.limit_in_bytes");
  return bytes < INT64_MAX / 2 ? bytes : 0;
}

/* The least limit of the process's group and those above it; 0: there is none. */
static int64_t least_limit(const char *root, const char *controller, limit_of_group *limit) {
  hierarchy h = {.controller = controller};
  char folder[2 * MOST_PATH];
  if (!find_mount(root, &h) || !find_group(root, &h)) return 0;
  group_folder(&h, folder, sizeof folder);
  const size_t top = strlen(h.mount);
  for (int64_t least = 0;;) {
    least = lesser(least, limit(root, folder));
    char *last = strrchr(folder, '/');
    if (!last || strlen(folder) <= top) return least;
    *last = 0;
  }
}

int64_t cnf_cgroup_processors(const char *root) {
  return lesser(least_limit(root, NULL, processors_v2), least_limit(root, "cpu", processors_v1));
}

int64_t cnf_cgroup_memory(const char *root) {
  return lesser(least_limit(root, NULL, memory_v2), least_limit(root, "memory", memory_v1));
}
