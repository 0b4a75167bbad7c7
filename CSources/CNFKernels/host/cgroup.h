/* What the control groups of this process allow it: a container sets its limits there (cgroup v1 and v2 of Linux).
 *
 * A group's own limit and those of all groups above it hold. `root` is a folder in which /proc and /sys/fs/cgroup are
 * looked for: "" for this machine; tests have folders of their own. */
#ifndef CNF_HOST_CGROUP_H
#define CNF_HOST_CGROUP_H

#include <stdint.h>

/* The processors whose time the quota allows, rounded up; 0: there is no quota. */
int64_t cnf_cgroup_processors(const char *root);
/* The least limit of memory, in bytes; 0: there is none. */
int64_t cnf_cgroup_memory(const char *root);

#endif
