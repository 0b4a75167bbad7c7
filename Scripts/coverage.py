"""Prints line coverage by folder, and the functions that were never run, of a report that `llvm-cov export` has written.

    python3 Scripts/coverage.py NAME export.json

The same function is compiled for several dtypes and instruction sets: it counts as run where one of them is. Tests, benchmarks and
files outside CSources and Sources are left out. Names of Swift are demangled by swift-demangle. Implicit closures are left out: they
are the messages of preconditions and the right-hand sides of && and ??.
"""

import collections
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COVERED = ("CSources/", "Sources/")


def path_of(filename):
    """The path in this repository; None for files that are not reported."""
    path = os.path.relpath(filename, ROOT)
    return path if path.startswith(COVERED) and "/bench-" not in path else None


def lines_by_folder(data):
    folders = collections.defaultdict(lambda: [0, 0])
    for file in data["files"]:
        path = path_of(file["filename"])
        if path:
            lines = file["summary"]["lines"]
            folder = folders[os.path.dirname(path)]
            folder[0] += lines["covered"]
            folder[1] += lines["count"]
    return folders


def functions_never_run(data):
    """(path, line, name) of functions of which no instance was run. A function begins at its first region."""
    runs, names = collections.Counter(), {}
    for function in data["functions"]:
        path = path_of(function["filenames"][0])
        if path and function["regions"]:
            place = (path, function["regions"][0][0], function["regions"][0][1])
            runs[place] += function["count"]
            names.setdefault(place, function["name"].split(":")[-1])
    places = [place for place, count in sorted(runs.items()) if not count]
    named = zip(places, demangled([names[place] for place in places]))
    return [(path, line, name) for (path, line, _), name in named if "implicit closure" not in name]


def demangled(names):
    """Readable names of Swift functions; names of C stay as they are."""
    text = subprocess.run(
        ["swift", "demangle", "--compact", "--simplified"], input="\n".join(names), capture_output=True, text=True, check=True
    ).stdout
    return text.splitlines()


def main():
    name, report = sys.argv[1:]
    with open(report, encoding="utf-8") as file:
        data = json.load(file)["data"][0]
    folders = lines_by_folder(data)
    print(f"{name}: lines that tests run, by folder")
    for folder, (covered, count) in sorted(folders.items()):
        print(f"  {100 * covered / max(count, 1):6.1f} %  {covered:6d} of {count:6d}  {folder}")
    covered, count = (sum(numbers) for numbers in zip(*folders.values()))
    print(f"  {100 * covered / count:6.1f} %  {covered:6d} of {count:6d}  in all")
    missing = functions_never_run(data)
    print(f"{name}: {len(missing)} functions that no test runs")
    for path, line, function in missing:
        print(f"  {path}:{line}: {function}")


main()
