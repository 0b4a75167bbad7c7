"""The machine: what it is, how busy it is."""

import os
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
IDLE, IO_WAIT, GUEST = 3, 4, 8  # columns of /proc/stat; guest time is counted in user time already

QUIET_LOAD = 0.2  # of one core, used by others
GLANCE_SECONDS = 0.1


def busy_seconds():
    """CPU seconds that the machine has spent on anything, since it was started."""
    with open("/proc/stat") as file:
        ticks = [int(word) for word in file.readline().split()[1:][:GUEST]]
    return (sum(ticks) - ticks[IDLE] - ticks[IO_WAIT]) / TICKS


def memory(name, process="self"):
    """VmRSS or VmHWM of a process, in MB."""
    with open(f"/proc/{process}/status") as file:
        for line in file:
            if line.startswith(name + ":"):
                return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/{process}/status has no {name}")


class Patience:
    """Waits for a quiet machine, for so many seconds in all."""

    def __init__(self, seconds):
        self.left = seconds

    def wait(self):
        """Called while none of our own processes runs."""
        while self.left > 0:
            busy, start = busy_seconds(), time.monotonic()
            time.sleep(GLANCE_SECONDS)
            passed = time.monotonic() - start
            self.left -= passed
            if busy_seconds() - busy < QUIET_LOAD * passed:
                return


def description():
    """Model, cores, kernel."""
    model = "unknown"
    listed = subprocess.run(["lscpu"], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}).stdout
    for line in listed.splitlines():
        key, _, value = line.partition(":")
        if key == "Model name":
            model = value.strip()
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "kernel": f"{os.uname().sysname} {os.uname().release}",
    }
