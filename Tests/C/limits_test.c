/* limits_test.c - what control groups allow, read from folders that look like those of a machine; and what a solver
 * makes of the limits of this process. */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/cgroup.h"
#include "host/memory.h"
#include "host/threads.h"
#include "net_fixture.h"
#include "space_fixture.h"

/* ---- Control groups ---------------------------------------------------------------------------------------------- */

enum { MOST_PATH = 512 };

static char root[MOST_PATH];

static void make_folders(char *path) {
  for (char *at = strchr(path + strlen(root) + 1, '/'); at; at = strchr(at + 1, '/')) {
    *at = 0;
    mkdir(path, 0700);
    *at = '/';
  }
}

/* Writes a file of the machine, with its folders. */
static void put(const char *name, const char *text) {
  char path[2 * MOST_PATH];
  snprintf(path, sizeof path, "%s%s", root, name);
  make_folders(path);
  FILE *file = fopen(path, "w");
  CHECK(file && fputs(text, file) >= 0);
  if (file) fclose(file);
}

/* A machine without files. */
static void begin_machine(void) {
  static int number;
  const char *folder = getenv("TMPDIR");
  snprintf(root, sizeof root, "%s/limits_test-%d-%d", folder && *folder ? folder : "/tmp", (int)getpid(), number++);
  CHECK(mkdir(root, 0700) == 0);
}
static void end_machine(void) {
  char command[2 * MOST_PATH];
  snprintf(command, sizeof command, "rm -r '%s'", root);
  CHECK(system(command) == 0);
}

#define V2_MOUNT "24 1 0:21 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup rw,nsdelegate\n"
#define OTHER_MOUNTS                               \
  "21 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n" \
  "22 21 0:5 / /proc rw shared:3 - proc proc rw\n"

static void check_limits(const char *what, int64_t processors, int64_t memory) {
  char detail[200];
  const int64_t found = cnf_cgroup_processors(root), bytes = cnf_cgroup_memory(root);
  snprintf(detail, sizeof detail, "%s: %lld processors and %lld bytes, expected %lld and %lld", what, (long long)found,
           (long long)bytes, (long long)processors, (long long)memory);
  check_count(found == processors && bytes == memory, "limits of control groups", detail, __LINE__);
  end_machine();
}

/* In a container the mount point is the container's own group. */
static void test_v2(void) {
  static const struct {
    const char *quota;
    int64_t processors;
  } quotas[] = {{"max 100000\n", 0},
                {"100000 100000\n", 1},
                {"150000 100000\n", 2},
                {"100001 100000\n", 2},
                {"1000 100000\n", 1},
                {"50000 25000\n", 2},
                {"max\n", 0},
                {"200000\n", 0},
                {"200000 0\n", 0},
                {"-1 100000\n", 0},
                {"", 0},
                {"word 100000\n", 0},
                {"6400000 100000\n", 64}};
  for (size_t i = 0; i < sizeof quotas / sizeof quotas[0]; ++i) {
    begin_machine();
    put("/proc/self/mountinfo", OTHER_MOUNTS V2_MOUNT);
    put("/proc/self/cgroup", "0::/\n");
    put("/sys/fs/cgroup/cpu.max", quotas[i].quota);
    put("/sys/fs/cgroup/memory.max", "max\n");
    check_limits(quotas[i].quota, quotas[i].processors, 0);
  }
}

/* The limits of the groups above hold too. */
static void test_v2_nested(void) {
  begin_machine();
  put("/proc/self/mountinfo", V2_MOUNT);
  put("/proc/self/cgroup", "0::/system.slice/host.service\n");
  put("/sys/fs/cgroup/system.slice/cpu.max", "300000 100000\n");
  put("/sys/fs/cgroup/system.slice/memory.max", "314572800\n");
  put("/sys/fs/cgroup/system.slice/host.service/cpu.max", "400000 100000\n");
  put("/sys/fs/cgroup/system.slice/host.service/memory.max", "1073741824\n");
  check_limits("a group inside another", 3, 314572800);

  begin_machine();
  put("/proc/self/mountinfo", V2_MOUNT);
  put("/proc/self/cgroup", "0::/a\n");
  put("/sys/fs/cgroup/a/memory.max", "1073741824\n");
  put("/sys/fs/cgroup/a/memory.high", "209715200\n");
  check_limits("memory.high below memory.max", 0, 209715200);

  begin_machine(); /* the process was moved to a group that its namespace does not show */
  put("/proc/self/mountinfo", V2_MOUNT);
  put("/proc/self/cgroup", "0::/../other\n");
  put("/sys/fs/cgroup/cpu.max", "100000 100000\n");
  check_limits("a group outside the namespace", 1, 0);
}

/* Docker with v1: the group's path is that of the machine, and the mount shows the container's own group. */
static void test_v1(void) {
  static const char *const mounts =
      OTHER_MOUNTS "30 24 0:28 /docker/4f2 /sys/fs/cgroup/memory ro,nosuid master:12 - cgroup cgroup rw,memory\n"
                   "31 24 0:29 /docker/4f2 /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n";
  begin_machine();
  put("/proc/self/mountinfo", mounts);
  put("/proc/self/cgroup",
      "12:cpuset:/docker/4f2\n4:cpu,cpuacct:/docker/4f2\n3:memory:/docker/4f2/inner\n1:name=systemd:/x\n");
  put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000\n");
  put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "314572800\n");
  put("/sys/fs/cgroup/memory/inner/memory.limit_in_bytes", "9223372036854771712\n");
  check_limits("v1 in a container", 3, 314572800);

  begin_machine();
  put("/proc/self/mountinfo", mounts);
  put("/proc/self/cgroup", "4:cpu,cpuacct:/docker/4f2\n3:memory:/docker/4f2\n");
  put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  put("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  put("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  check_limits("v1 without limits", 0, 0);

  begin_machine(); /* both versions: v2 has no controllers; a mount point with a space; a name that begins alike */
  put("/proc/self/mountinfo", "40 1 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
                              "41 1 0:39 / /sys/fs/cpu\\040groups rw - cgroup cgroup rw,cpu\n"
                              "42 1 0:40 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n");
  put("/proc/self/cgroup", "0::/a\n2:cpuset:/wrong\n1:cpu:/a/b\n");
  put("/sys/fs/cpu groups/a/cpu.cfs_quota_us", "400000\n");
  put("/sys/fs/cpu groups/a/cpu.cfs_period_us", "100000\n");
  check_limits("both versions", 4, 0);
}

/* What cannot be read is no limit. */
static void test_no_groups(void) {
  static char long_line[20000];
  begin_machine();
  check_limits("no files", 0, 0);
  begin_machine();
  put("/proc/self/mountinfo", "- - -\n\nword\n24 1 0:21 / /sys/fs/cgroup rw\n - cgroup2 cgroup rw\n");
  put("/proc/self/cgroup", ":\n::\n0:\n0::\n");
  check_limits("files of another kind", 0, 0);
  begin_machine();
  memset(long_line, 'x', sizeof long_line - 1);
  put("/proc/self/mountinfo", long_line);
  put("/proc/self/cgroup", long_line);
  check_limits("lines without end", 0, 0);
}

/* ---- This process ------------------------------------------------------------------------------------------------ */

static void test_default_threads(void) {
  setenv("OMP_NUM_THREADS", "7", 1);
  CHECK(cnf_threads_default() == 7 && cnf_thread_count() == 7);
  setenv("OMP_NUM_THREADS", "3,2", 1); /* of nested levels the outermost counts */
  CHECK(cnf_threads_default() == 3);
  unsetenv("OMP_NUM_THREADS");
  const int32_t all = cnf_threads_default();
  CHECK(all >= 1);
  static const char *const not_numbers[] = {"", "0", "-2", "word"};
  for (size_t i = 0; i < sizeof not_numbers / sizeof not_numbers[0]; ++i) {
    setenv("OMP_NUM_THREADS", not_numbers[i], 1);
    CHECK(cnf_threads_default() == all);
  }
  unsetenv("OMP_NUM_THREADS");
  const int64_t quota = cnf_cgroup_processors("");
  CHECK(quota == 0 || all <= quota);
  CHECK(all <= sysconf(_SC_NPROCESSORS_ONLN));
}

/* States that an AUTOMATIC schedule stores with D = 2 in double and one thread: a quarter of the budget, in checkpoints
 * of a chunk of eight tiles, each 16 bytes a sample and 12 more. */
static int64_t automatic_checkpoints(void) {
  cnf_solver_info info = {.struct_size = sizeof info};
  cnf_solver *solver = options_solver(net_ops, OP_COUNT,
                                      (cnf_solver_options){.method = cnf_method_find("dopri5"),
                                                           .schedule = CNF_SCHEDULE_AUTOMATIC,
                                                           .max_steps = 1 << 24});
  CHECK(cnf_solver_get_info(solver, &info) == CNF_OK);
  cnf_solver_destroy(solver);
  return info.checkpoints * (int64_t)(8 * info.lanes * (D * (int32_t)sizeof(double) + 12));
}

/* With less address space the budget is a quarter of that, whatever the machine has. */
static void test_budget(void) {
  const int64_t whole = automatic_checkpoints();
  CHECK(whole > 0 && whole <= (int64_t)(cnf_memory_budget() / 4));
  if (!space_is_limited()) return;
  const rlim_t limit = (rlim_t)300 << 20;
  const pid_t child = fork();
  if (child == 0) {
    const struct rlimit space = {limit, limit};
    const int ok = setrlimit(RLIMIT_AS, &space) == 0 && cnf_memory_budget() == limit &&
                   automatic_checkpoints() <= (int64_t)limit / 4 && automatic_checkpoints() > (int64_t)limit / 5;
    _exit(ok && check_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE);
  }
  int status = -1;
  CHECK(child > 0 && waitpid(child, &status, 0) == child);
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
}

int main(void) {
  test_v2();
  test_v2_nested();
  test_v1();
  test_no_groups();
  test_default_threads();
  test_budget();
  return check_report();
}
