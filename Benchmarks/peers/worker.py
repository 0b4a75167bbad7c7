"""One process that computes one thing, again and again, when it is told to.

The parent gives a job as JSON (see rows.py) and gets a line of JSON for each line it writes:

    (start)         first_at: when the first result was there, on the clock that all processes share; its run, as below;
                    whether that run compiled anything; memory then
    run N           seconds and CPU seconds of one of N runs in a row; CPU that other processes used meanwhile
    outcome FILE    loss, gradient [P], states [batch][D], log_det [batch] into FILE (npz), in cnf's layout
    counts          evaluations of the field, and whatever else a program can tell of its last run

The process is built and warm before it answers, so that runs of several processes can alternate.
"""

import ctypes
import json
import os
import resource
import signal
import sys
import time
from dataclasses import dataclass

import numpy as np

import machine
import workloads

PR_SET_PDEATHSIG = 1  # linux/prctl.h


@dataclass
class Job:
    """What to compute; the fields of the JSON."""

    workload: workloads.Workload  # its batch is the job's
    task: str
    mode: str
    variant: str
    threads: int
    data: str  # folder with theta.npy, x.npy, probe.npy
    library: str = ""
    dtype: str = "float32"
    method: str = ""  # of cnf's reference; else the mode's
    tolerance: float = workloads.TOLERANCE

    @property
    def times(self):
        """From data to base, or for samples from base to data."""
        return (1.0, 0.0) if self.task == "sample" else (0.0, 1.0)

    def arrays(self):
        """theta [P], x [batch][D], probe [batch][D]."""
        theta, x, probe = (np.load(os.path.join(self.data, f"{name}.npy")) for name in ("theta", "x", "probe"))
        return theta, x[: self.workload.batch], probe[: self.workload.batch]


def job_from(text):
    values = json.loads(text)
    batch = values.pop("batch")
    return Job(workload=workloads.parse(values.pop("workload")).with_batch(batch), **values)


def own_cpu_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def reply(**values):
    print(json.dumps(values), flush=True)


def timed(run, count):
    busy, own, start = machine.busy_seconds(), own_cpu_seconds(), time.perf_counter()
    for _ in range(count):
        run()
    seconds = time.perf_counter() - start
    own = own_cpu_seconds() - own
    others = max(0.0, machine.busy_seconds() - busy - own)
    return {"seconds": seconds / count, "cpu_seconds": own / count, "others": others / seconds}


def serve(build):
    """`build(job)` gives an object with run(), outcome(), counts() and compiles_in_first_run; run() returns when its results are
    there."""
    # A stopped process does not see that its input has ended: the kernel ends it with its parent.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    job = job_from(sys.argv[1])
    before = machine.memory("VmRSS")
    program = build(job)
    built = machine.memory("VmRSS")
    first = timed(program.run, 1)
    reply(
        first_at=time.monotonic(),
        first_run=first,
        compiles_in_first_run=program.compiles_in_first_run,
        memory_at_start=before,
        memory_built=built,
        memory_peak=machine.memory("VmHWM"),
    )
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        if command == "run":
            reply(**timed(program.run, int(argument)), memory_peak=machine.memory("VmHWM"))
        elif command == "outcome":
            np.savez(argument, **program.outcome())
            reply(saved=argument)
        elif command == "counts":
            reply(**program.counts())
        else:
            raise ValueError(f"unknown command '{line.strip()}'")
