"""One row of the table: one workload, task, mode and number of threads, computed by cnf and by every rival.

All processes are built, checked against each other and kept; then they run in turn, one at a time, and the rest stand still.
"""

import json
import math
import os
import statistics
import subprocess
import time
from dataclasses import dataclass, field

import numpy as np

import checks
import flops
import libcnf
import machine
import workloads
from process import Worker, WorkerFailed, environment

CNF = "cnf"
SAMPLE_SECONDS = 0.1  # a run that is shorter is repeated until it lasts this long, and divided
SCREEN = 1.5  # a variant that needs so many times the best one's time is timed no further
LONG_RUN = 2.0  # seconds: what the first run warms up no longer shows
# Rounds for those whose slowest program needs at most so many seconds a run.
ROUNDS = ((0.5, 9), (LONG_RUN, 5), (math.inf, 3))
REFERENCE_WORK = 2e8  # multiply-adds of an evaluation of all samples of the reference
REFERENCE_TOLERANCE = 1e-9


def variants(task, rivals):
    """{name: (script, variant)} of the rivals for a task."""
    scripts = {"diffrax": "worker_diffrax.py", "torchdiffeq": "worker_torch.py"}
    kinds = ("adjoint", "backprop") if task == "train" else ("",)
    return {f"{rival} {kind}".strip(): (scripts[rival], kind) for rival in rivals for kind in kinds}


@dataclass
class Setting:
    """What is the same for all rows."""

    library: str  # libcnf.so
    programs: str  # folder of first_gradient
    scratch: str
    rivals: list
    threads: list
    runs: int  # 0: by ROUNDS
    patience: float
    limit: float  # seconds for one answer
    references: dict = field(default_factory=dict)


@dataclass
class Row:
    workload: workloads.Workload
    task: str
    mode: str
    threads: int

    def title(self):
        return f"{self.workload.name} {self.task} {self.mode} {self.threads} thread{'s' if self.threads > 1 else ''}"


class Measurement:
    def __init__(self, row, setting, say):
        self.row, self.setting, self.say = row, setting, say
        self.folder = os.path.join(setting.scratch, row.title().replace(" ", "-").replace(":", "_"))
        os.makedirs(self.folder)
        self.data = self.draw()
        self.workers, self.programs, self.outcomes = {}, {}, {}
        self.complaints, self.failures = [], {}
        self.patience = machine.Patience(setting.patience)

    def draw(self):
        """The folder with this workload's numbers, shared by all of its rows."""
        folder = os.path.join(self.setting.scratch, "data-" + self.row.workload.shape.replace(":", "_"))
        if not os.path.isdir(folder):
            os.makedirs(folder)
            for name, array in zip(("theta", "x", "probe"), workloads.draw(self.row.workload)):
                np.save(os.path.join(folder, f"{name}.npy"), array)
        return folder

    def batch(self, name):
        """The whole; or, for a rival's exact trace, the part that it can do in reasonable time."""
        w = self.row.workload
        return w.exact_batch if self.row.task == "density-exact" and name != CNF and w.exact_batch else w.batch

    def job(self, name, variant, **others):
        w = self.row.workload
        named = w.name if w.name in workloads.NAMED else w.shape
        job = {"workload": named, "batch": self.batch(name), "task": self.row.task, "mode": self.row.mode}
        job |= {"variant": variant, "threads": self.row.threads, "data": self.data}
        return job | ({"library": self.setting.library} if name == CNF else {}) | others

    # ---- Building and checking

    def start(self, name, script, variant, is_tuned=True):
        log = os.path.join(self.folder, name.replace(" ", "-") + ".log")
        worker = Worker(script, self.job(name, variant), os.path.join(self.folder, "compiled"), log, is_tuned)
        try:
            return worker, worker.wait_until_built(self.setting.limit)
        except Exception:
            worker.close()
            raise

    def outcome(self, worker, name):
        path = os.path.join(self.folder, name.replace(" ", "-") + ".npz")
        worker.ask("outcome " + path, self.setting.limit)
        with np.load(path) as arrays:
            return dict(arrays)

    def build(self):
        """Starts cnf, then each rival; a rival that fails, or does not answer in time, is left out and said to be."""
        self.add(CNF, "worker_cnf.py", "")
        for name, (script, variant) in variants(self.row.task, self.setting.rivals).items():
            try:
                self.add(name, script, variant)
            except WorkerFailed as failure:
                self.fail(name, failure)
        if self.setting.rivals and not self.rival_names():
            self.complaints.append("no rival could be run")

    def add(self, name, script, variant):
        worker, built = self.start(name, script, variant)
        self.workers[name] = worker
        self.outcomes[name] = self.outcome(worker, name)
        warm = built["first_run"]
        if built["compiles_in_first_run"] or warm["seconds"] < LONG_RUN:
            self.patience.wait()
            warm = worker.ask("run 1", self.setting.limit)
        if warm["seconds"] < SAMPLE_SECONDS:  # one short run is no measure to be screened by
            warm = worker.ask(f"run {math.ceil(SAMPLE_SECONDS / warm['seconds'])}", self.setting.limit)
        self.programs[name] = {"built": built, "warm": warm, "batch": self.batch(name)}
        self.say(f"{name}: first result after {built['first_seconds']:.2f} s, then {1e3 * warm['seconds']:.4g} ms")

    def fail(self, name, failure):
        self.say(f"{name}: {failure}")
        self.failures[name] = str(failure)
        if name in self.workers:
            self.workers.pop(name).close()
        self.programs.pop(name, None)
        self.outcomes.pop(name, None)

    def rival_names(self):
        return [name for name in self.programs if name != CNF]

    def check(self):
        truth = self.reference()
        count = min(len(answers["states"]) for answers in [truth, *self.outcomes.values()])
        for name, program in self.programs.items():
            program["error"] = checks.achieved(self.outcomes[name], truth, self.row.task, count)
        job = self.job(CNF, "")
        for name in self.rival_names():
            found, complaints = checks.disagreements(
                self.row.workload, job, name, self.outcomes[CNF], self.outcomes[name]
            )
            self.programs[name]["difference"] = found
            self.complaints += complaints

    def reference(self):
        """States and log-determinants by cnf in double with dopri8 at 1e-9, of as many samples as that is quick for."""
        w, task = self.row.workload, self.row.task
        kind = "density-hutchinson" if task == "train" else task
        key = (w.shape, kind)
        if key not in self.setting.references:
            count = min(w.batch, max(16, int(REFERENCE_WORK / w.multiply_adds)))
            precise = {"dtype": "float64", "method": "dopri8", "tolerance": REFERENCE_TOLERANCE, "mode": "adaptive"}
            job = self.job(CNF, "", task=kind, **precise) | {"batch": count, "threads": max(self.setting.threads)}
            log = os.path.join(self.folder, "reference.log")
            worker = Worker("worker_cnf.py", job, self.folder, log)
            try:
                worker.wait_until_built(self.setting.limit)
                self.setting.references[key] = self.outcome(worker, "reference")
            finally:
                worker.close()
        return self.setting.references[key]

    # ---- Timing

    def per_sample(self, name, seconds):
        return seconds / self.programs[name]["batch"]

    def time(self):
        """Rounds of one run of every program that is in the race."""
        warm = {name: program["warm"]["seconds"] for name, program in self.programs.items()}
        rivals = self.rival_names()
        best = min((warm[name] for name in rivals), default=0)
        racing = [CNF] + [name for name in rivals if warm[name] <= SCREEN * best]
        repeats = {name: max(1, math.ceil(SAMPLE_SECONDS / warm[name])) for name in racing}
        slowest = max(warm[name] for name in racing)
        rounds = next(count for seconds, count in ROUNDS if slowest <= seconds)
        rounds = min(rounds, self.setting.runs) if self.setting.runs else rounds
        runs = {name: [] for name in racing}
        for _ in range(rounds):
            for name in [name for name in racing if name in self.workers]:
                self.patience.wait()
                try:
                    runs[name].append(self.workers[name].ask(f"run {repeats[name]}", self.setting.limit))
                except WorkerFailed as failure:
                    self.fail(name, failure)
        for name, program in self.programs.items():
            timed = runs.get(name) or [program["warm"]]
            program |= summary(timed) | {"screened": not runs.get(name)}

    def finish(self):
        """Counts of evaluations; then all processes end."""
        for name, worker in self.workers.items():
            try:
                self.programs[name]["counts"] = worker.ask("counts", self.setting.limit)
            except WorkerFailed as failure:
                self.say(f"{name}: evaluations were not counted: {failure}")
        self.close()

    def close(self):
        for worker in self.workers.values():
            worker.close()
        self.workers.clear()

    # ---- Outside of the timing

    def best_rival(self):
        timed = [name for name in self.rival_names() if not self.programs[name]["screened"]]
        return min(timed, key=lambda name: self.per_sample(name, self.programs[name]["median"]), default=None)

    def memory(self):
        """Peak memory of a fresh process that does this alone, with the allocator as it comes."""
        scripts = variants(self.row.task, self.setting.rivals) | {CNF: ("worker_cnf.py", "")}
        result = {}
        for name in (CNF, self.best_rival()):
            if name is None:
                continue
            worker, built = self.start(name, *scripts[name], is_tuned=False)
            peak = worker.ask("run 1", self.setting.limit)["memory_peak"]
            worker.close()
            result[CNF if name == CNF else "rival"] = {"peak": peak, "increase": peak - built["memory_at_start"]}
        return result

    def first_gradient_in_c(self):
        """Seconds from start to end of a C program that takes one training step, and its peak memory."""
        w = self.row.workload
        arguments = [str(w.dim), "-".join(map(str, w.hidden)), str(w.batch), self.row.mode, str(self.row.threads)]
        program = os.path.join(self.setting.programs, "first_gradient")
        times = []
        while len(times) < 3 and sum(times) < 2:
            start = time.monotonic()
            ended = subprocess.run(
                [program, *arguments],
                capture_output=True,
                text=True,
                check=True,
                env=environment(self.row.threads, False, self.folder),
            )
            times.append(time.monotonic() - start)
        return {"seconds": statistics.median(times), "peak": json.loads(ended.stdout)["peak_mb"]}

    def result(self):
        """All of it, for JSON."""
        row, w = self.row, self.row.workload
        cnf, rival = self.programs[CNF], self.best_rival()
        operations = flops.executed(w, row.task, row.mode, cnf["counts"])
        result = {
            "workload": w.name,
            "shape": w.shape,
            "task": row.task,
            "mode": row.mode,
            "threads": row.threads,
            "programs": self.programs,
            "failures": self.failures,
            "complaints": self.complaints,
            "rival": rival,
            "gflops": 1e-9 * operations / cnf["median"],
            "peak_gflops": libcnf.peak_gflops(libcnf.load(self.setting.library), row.threads),
            "others": max(program["others"] for program in self.programs.values()),
        }
        if rival:
            ours, theirs = (self.per_sample(name, self.programs[name]["median"]) for name in (CNF, rival))
            result["ratio"] = theirs / ours
        if row.task == "train":
            result["first_gradient_c"] = self.first_gradient_in_c()
            if row.threads == max(self.setting.threads):
                result["memory"] = self.memory()
        return result


def summary(timed):
    seconds = sorted(run["seconds"] for run in timed)
    quartiles = statistics.quantiles(seconds, n=4, method="inclusive") if len(seconds) > 1 else seconds * 3
    return {
        "median": statistics.median(seconds),
        "quartiles": [quartiles[0], quartiles[2]],
        "runs": len(seconds),
        "cpu": statistics.median(run["cpu_seconds"] for run in timed),
        "others": statistics.median(run["others"] for run in timed),
    }


def measure(row, setting, say):
    """The row's result, ready for JSON."""
    measurement = Measurement(row, setting, say)
    try:
        measurement.build()
        measurement.check()
        measurement.time()
        measurement.finish()
        return measurement.result()
    finally:
        measurement.close()
