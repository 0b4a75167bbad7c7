"""The report as markdown, for a stranger to read."""

import math

import machine
import rows

TASK_NAMES = {
    "density-exact": "log-density, exact trace",
    "density-hutchinson": "log-density, one probe",
    "sample": "samples",
}


def lines_of(header, body):
    """A markdown table: first column to the left, the others to the right."""
    yield "| " + " | ".join(header) + " |"
    yield "|:--" + "|--:" * (len(header) - 1) + "|"
    for cells in body:
        yield "| " + " | ".join(cells) + " |"


def figures(value, digits=3):
    """A number with so many significant digits, without an exponent."""
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{decimals}f}"


def short(value):
    return f"{value:.1e}".replace("e-0", "e-")


def is_busy(row):
    return row["others"] > machine.QUIET_LOAD


def evaluations(program):
    """Forward, and those of the adjoint ODE where there is one."""
    counts = program.get("counts")
    if not counts:
        return "?"
    forward, backward = counts["evaluations"], counts.get("backward")
    text = f"{forward:.0f}" if float(forward).is_integer() else f"{forward:.1f}"
    return f"{text}+{backward:.0f}" if backward else text


def speed(results, scale, scale_by_sample):
    """cnf and the best rival, a row each."""
    unit = "µs a sample" if scale_by_sample else "ms"
    header = ["workload", "mode", "threads", f"cnf {unit}", f"best rival {unit}", "which", "rival / cnf"]
    header += ["cnf GFLOP/s", "of peak", "evaluations cnf", "rival", "error cnf", "rival", "runs", "others' load"]

    def time(program):
        return figures(scale * program["median"] / (program["batch"] if scale_by_sample else 1))

    def cells(row):
        cnf, rival = row["programs"][rows.CNF], row["programs"].get(row["rival"])
        which = row["rival"] or ""
        if rival and rival["batch"] != cnf["batch"]:
            which += f" (batch {rival['batch']})"
        return [
            row["workload"],
            row["mode"],
            str(row["threads"]),
            time(cnf),
            time(rival) if rival else "",
            which,
            f"**{figures(row['ratio'])}**" if rival else "",
            f"{row['gflops']:.1f}",
            f"{100 * row['gflops'] / row['peak_gflops']:.0f} %",
            evaluations(cnf),
            evaluations(rival) if rival else "",
            short(cnf["error"]["pooled"]),
            short(rival["error"]["pooled"]) if rival else "",
            str(cnf["runs"]),
            f"{row['others']:.2f}" + (" (busy)" if is_busy(row) else ""),
        ]

    return lines_of(header, map(cells, results))


def every_variant(results):
    header = ["workload", "task", "mode", "threads", "program", "median ms", "quartiles", "runs", "evaluations"]
    header += ["first result s"]

    def cells():
        for row in results:
            for name, program in row["programs"].items():
                low, high = program["quartiles"]
                yield [
                    row["workload"],
                    row["task"],
                    row["mode"],
                    str(row["threads"]),
                    name,
                    figures(1e3 * program["median"]),
                    "screened" if program["screened"] else f"{figures(1e3 * low)} - {figures(1e3 * high)}",
                    str(program["runs"]),
                    evaluations(program),
                    figures(program["built"]["first_seconds"]),
                ]
            for name, failure in row["failures"].items():
                yield [row["workload"], row["task"], row["mode"], str(row["threads"]), name, f"failed: {failure}"] + [""] * 4

    return lines_of(header, cells())


def first_gradient(results):
    header = ["workload", "mode", "threads", "cnf in C: s", "cnf in Python: s", "rival: s", "which"]

    def cells(row):
        first = {name: program["built"]["first_seconds"] for name, program in row["programs"].items()}
        # torchdiffeq's second variant finds the first one's compiled code on disk: only the first starts from nothing.
        cold = [name for name in first if name != rows.CNF and name != "torchdiffeq backprop"]
        which = min(cold, key=first.get, default=None)
        return [
            row["workload"],
            row["mode"],
            str(row["threads"]),
            figures(row["first_gradient_c"]["seconds"], 2),
            figures(first[rows.CNF], 2),
            figures(first[which], 2) if which else "",
            which or "",
        ]

    return lines_of(header, map(cells, results))


def memory(results):
    header = ["workload", "mode", "threads", "cnf in C", "cnf in Python", "its increase", "best rival", "its increase", "which"]

    def cells(row):
        def megabytes(who, what):
            return figures(row["memory"][who][what]) if who in row["memory"] else ""

        return [
            row["workload"],
            row["mode"],
            str(row["threads"]),
            figures(row["first_gradient_c"]["peak"]),
            megabytes("cnf", "peak"),
            megabytes("cnf", "increase"),
            megabytes("rival", "peak"),
            megabytes("rival", "increase"),
            row["rival"] or "",
        ]

    return lines_of(header, map(cells, results))


def scaling(results):
    """Time on the fewest threads over time on the most."""
    groups = {}
    for row in results:
        groups.setdefault((row["workload"], row["task"], row["mode"]), []).append(row)
    groups = {key: sorted(group, key=lambda row: row["threads"]) for key, group in groups.items() if len(group) > 1}
    if not groups:
        return []
    header = ["workload", "task", "mode", "threads", "cnf", "best rival"]

    def cells(key, group):
        few, many = group[0], group[-1]
        ours = figures(few["programs"][rows.CNF]["median"] / many["programs"][rows.CNF]["median"])
        theirs = ""
        if few["rival"] and many["rival"]:
            theirs = figures(few["programs"][few["rival"]]["median"] / many["programs"][many["rival"]]["median"])
        return [*key, f"{many['threads']} over {few['threads']}", ours, theirs]

    return lines_of(header, [cells(key, group) for key, group in groups.items()])


def accuracy(results):
    header = ["workload", "task", "mode", "program", "loss", "gradient", "error of states", "error of log_det", "over samples"]

    def cells():
        seen = set()
        for row in results:
            key = (row["workload"], row["task"], row["mode"])
            if key in seen:
                continue  # the same on any number of threads, to rounding
            seen.add(key)
            for name, program in row["programs"].items():
                difference, error = program.get("difference", {}), program["error"]
                yield [
                    *key,
                    name,
                    *(short(difference[what]) if what in difference else "" for what in ("loss", "gradient")),
                    short(error["states"]),
                    short(error["log_det"]) if row["task"] != "sample" else "",
                    str(error["samples"]),
                ]

    return lines_of(header, cells())


def markdown(report):
    results = report["rows"]
    training = [row for row in results if row["task"] == "train"]
    text = ["# swift-cnf compared with diffrax and torchdiffeq", "", *heading(report), ""]

    def section(title, note, lines):
        lines = list(lines)
        if len(lines) > 2:
            text.extend([f"## {title}", "", note, "", *lines, ""])

    complaints = [f"{r['workload']} {r['task']} {r['mode']}: {c}" for r in results for c in r["complaints"]]
    if report["broken"] or complaints:
        text += ["## FAILED", ""] + [f"- {line}" for line in report["broken"] + complaints] + [""]
    note = "Loss and its gradient with respect to all parameters, one probe per sample. Above 1, cnf is faster."
    section("Training step", note, speed(training, 1e3, False))
    for task, name in TASK_NAMES.items():
        note = "Microseconds per sample. A rival's batch is shown if it is smaller than cnf's."
        section(name.capitalize(), note, speed([r for r in results if r["task"] == task], 1e6, True))
    note = "From the start of a new process to its first gradient, with imports and compilation, cache empty."
    section("Time to the first gradient", note, first_gradient(training))
    note = "Peak resident memory (VmHWM) of a process that only trains, in MB, and its increase after imports."
    section("Memory", note, memory([row for row in training if "memory" in row]))
    section("More threads", "How many times faster a run is with more threads.", scaling(results))
    note = (
        "Loss and gradient: relative difference from cnf's. Errors: RMS over samples; the reference is cnf in\n"
        "double by dopri8 at 1e-9."
    )
    section("Agreement and achieved error", note, accuracy(results))
    note = "Median and quartiles of every program. Screened: much slower than the best, so timed only once, warm."
    section("Every program", note, every_variant(results))
    return "\n".join(text)


def heading(report):
    computer, versions = report["machine"], report["versions"]
    cnf = next((row["programs"][rows.CNF]["counts"] for row in report["rows"]), None)
    peaks = {row["threads"]: row["peak_gflops"] for row in report["rows"]}
    runs = f" in {report['runs']} runs" if report.get("runs", 1) > 1 else ""
    yield f"{report['date']}, {report['minutes']:.0f} minutes{runs}. Written by `make bench-peers`."
    yield "[How it is measured, and how to read it](peers/README.md)."
    yield ""
    yield f"- machine: {computer['processor']}, {computer['cores']} cores, {computer['memory_gb']} GB, {computer['kernel']}"
    if cnf:
        peak = ", ".join(f"{peak:.0f} GFLOP/s on {threads}" for threads, peak in sorted(peaks.items()))
        yield f"- FMA peak, float32, measured here: {peak} thread(s)"
        yield f"- cnf {cnf['version']} ({cnf['isa']} kernels), by {report['compiler']}"
    yield "- " + ", ".join(f"{name} {version}" for name, version in versions.items())
    busy = sum(map(is_busy, report["rows"]))
    if busy:
        yield f"- {busy} of {len(report['rows'])} rows ran while other programs were busy, and are not reliable"
