"""Compares swift-cnf's C library with diffrax and torchdiffeq on this machine; `make bench-peers` sets up everything and calls it.

README.md in this folder says what is compared, by which rules, and how to read the output. The exit code is 1 if
programs disagree or cannot run.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

import machine
import rows
import table
import workloads
from process import WorkerFailed

RIVALS = ("diffrax", "torchdiffeq")
PACKAGES = ("diffrax", "jax", "jaxlib", "torchdiffeq", "torch", "numpy")
HERE = os.path.dirname(os.path.abspath(__file__))
RESULTS = os.path.join(os.path.dirname(HERE), "RESULTS.md")
# A short run, of a few minutes.
QUICK = {"workloads": "W1,13:97-61:512", "threads": "2", "runs": 3, "patience": 2.0}


def choices(known):
    def parse(text):
        words = text.split(",")
        for word in words:
            if word not in known:
                raise argparse.ArgumentTypeError(f"'{word}' is none of {', '.join(known)}")
        return words

    return parse


def parse_workloads(text):
    try:
        return [workloads.parse(word) for word in text.split(",")]
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def parse_threads(text):
    try:
        counts = sorted({int(word) for word in text.split(",")})
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no list of numbers") from None
    if counts[0] < 1:
        raise argparse.ArgumentTypeError("there is no run on fewer than 1 thread")
    return counts


def parse_rivals(text):
    return [] if text == "none" else choices(RIVALS)(text)


def arguments():
    parser = argparse.ArgumentParser(prog="make bench-peers", description=__doc__.split(";")[0] + ".")
    add = parser.add_argument
    add("--workloads", type=parse_workloads, help=f"of {','.join(workloads.NAMED)}, or your own as D:h1-h2:batch")
    add("--modes", type=choices(workloads.MODES), default=list(workloads.MODES), help="fixed,adaptive")
    add("--tasks", type=choices(workloads.TASKS), default=list(workloads.TASKS), help=",".join(workloads.TASKS))
    add("--threads", type=parse_threads, help="1,2; without this option densities and samples have 1 alone")
    add("--rivals", type=parse_rivals, default=list(RIVALS), help="diffrax,torchdiffeq, or none")
    add("--runs", type=int, default=0, help="rounds at most; else 9, and 5 or 3 for what takes over 0.5 or 2 s")
    add("--patience", type=float, default=10.0, help="seconds a row may wait for other processes to be quiet")
    add("--limit", type=float, default=180.0, help="seconds that one run may take before its program is left out")
    quick = " ".join(f"--{name} {value}" for name, value in QUICK.items())
    add("--quick", action="store_true", help="a short run of a few minutes: " + quick)
    add("--json", metavar="FILE", help="write everything that was measured")
    add("--merge", metavar="FILE", nargs="+", help="measure nothing: the tables of what --json wrote in several runs")
    add("--markdown", metavar="FILE", help="write the tables")
    add("--write-results", action="store_true", help="write the tables to Benchmarks/RESULTS.md")
    add("--build", metavar="FOLDER", required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    defaults = {"workloads": ",".join(workloads.NAMED), "threads": "1,2"} | (QUICK if options.quick else {})
    if options.workloads is None:
        options.workloads = parse_workloads(defaults["workloads"])
    options.threads_beside_training = options.threads
    if options.threads is None:
        options.threads = parse_threads(defaults["threads"])
        options.threads_beside_training = options.threads[:1]
    if options.quick:
        options.runs = options.runs or QUICK["runs"]
        options.patience = min(options.patience, QUICK["patience"])
    return options


def rows_of(options):
    """Training steps in every mode; densities and samples, to save time, in the adaptive one, unless fixed alone is asked for."""
    for workload in options.workloads:
        for task in options.tasks:
            modes = options.modes if task == "train" or "adaptive" not in options.modes else ["adaptive"]
            for mode in modes:
                for threads in options.threads if task == "train" else options.threads_beside_training:
                    yield rows.Row(workload, task, mode, threads)


def compiler(build):
    """What built libcnf.so, as it names itself."""
    with open(os.path.join(build, "CMakeCache.txt")) as file:
        path = next(line.split("=", 1)[1].strip() for line in file if line.startswith("CMAKE_C_COMPILER:"))
    return subprocess.run([path, "--version"], capture_output=True, text=True).stdout.splitlines()[0]


def say(text):
    """Progress; the tables alone go to standard output."""
    print(text, file=sys.stderr, flush=True)


def measured(options):
    """What `--json` writes. An interrupt ends it early, with the rows that there are."""
    scratch = tempfile.mkdtemp(prefix="peers-")
    setting = rows.Setting(
        library=os.path.abspath(os.path.join(options.build, "libcnf.so")),
        programs=os.path.abspath(options.build),
        scratch=scratch,
        rivals=options.rivals,
        threads=options.threads,
        runs=options.runs,
        patience=options.patience,
        limit=options.limit,
    )
    report = {
        "date": datetime.date.today().isoformat(),
        "machine": machine.description(),
        "compiler": compiler(options.build),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "rows": [],
        "broken": [],
    }
    begin = time.monotonic()
    try:
        planned = list(rows_of(options))
        for index, row in enumerate(planned, start=1):
            say(f"[{index}/{len(planned)}, {(time.monotonic() - begin) / 60:.0f} min] {row.title()}")
            try:
                result = rows.measure(row, setting, lambda text: say(f"    {text}"))
            except (WorkerFailed, RuntimeError, subprocess.CalledProcessError) as error:
                report["broken"].append(f"{row.title()}: {error}")
                say(f"    BROKEN: {error}")
                continue
            for complaint in result["complaints"]:
                say(f"    DISAGREEMENT: {complaint}")
            report["rows"].append(result)
    except KeyboardInterrupt:
        say(f"interrupted: {len(report['rows'])} of {len(planned)} rows")
    finally:
        shutil.rmtree(scratch)
    report["minutes"] = (time.monotonic() - begin) / 60
    return report


def merged(paths):
    """Several reports as one, rows in the order of the files; they have to be of one machine, compiler and set of versions."""
    reports = []
    for path in paths:
        with open(path) as file:
            reports.append(json.load(file))
    whole = reports[0]
    for path, report in zip(paths[1:], reports[1:]):
        for what in ("machine", "compiler", "versions"):
            if report[what] != whole[what]:
                sys.exit(f"{path} has another {what} than {paths[0]}")
        whole["rows"] += report["rows"]
        whole["broken"] += report["broken"]
        whole["minutes"] += report["minutes"]
        whole["date"] = max(whole["date"], report["date"])
    whole["runs"] = len(reports)
    return whole


def other_sections(path):
    """What other programs have put into the file, each between marks of its own."""
    if not os.path.exists(path):
        return ""
    with open(path) as file:
        found = re.finditer(r"<!-- (make [a-z-]+) -->.*?<!-- /\1 -->", file.read(), re.DOTALL)
        return "".join(f"\n{section.group()}\n" for section in found)


def main():
    options = arguments()
    report = merged(options.merge) if options.merge else measured(options)
    text = table.markdown(report)
    print(text)
    for path in [options.markdown, RESULTS if options.write_results else None]:
        if path:
            kept = other_sections(path)
            with open(path, "w") as file:
                file.write(text + kept)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(report, file, indent=1)
    return 1 if report["broken"] or any(row["complaints"] for row in report["rows"]) else 0


if __name__ == "__main__":
    sys.exit(main())
