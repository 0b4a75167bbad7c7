"""What a gradient costs in memory and time, by the number of steps and by what is kept of them.

    python3 Benchmarks/memory.py .build-c/bench/memory [--quick] [--write-results]

Each cell is a separate process, Benchmarks/c/memory.c, which says what is solved; its peak memory is VmHWM, which Linux
records. Results are checked before a table is printed: all discrete rows must have the same bits, and the continuous
gradient must agree to one part in a thousand, which is float's rounding over so many steps. The time is the fastest of a
few runs. --write-results replaces the section "Memory by the number of steps" of Benchmarks/RESULTS.md.
"""
import argparse
import json
import os
import subprocess
import sys

# Arguments of memory.c, and their texts in the tables.
WAYS = {
    "backpropagation": "all evaluations kept: backpropagation through the solver",
    "every-step": "every state",
    "every-32": "every 32nd state",
    "automatic-16": "automatic, 16 MiB",
    "binomial-1": "binomial, 1 MiB",
    "continuous": "continuous adjoint",
    "reversible": "reversible Heun, undone",
}
STEPS = [100, 300, 1000, 3000, 10000]
KINDS = {"fixed": "Fixed steps of rk4", "adaptive": "Adaptive steps of dopri5"}
RESULTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "RESULTS.md")
BEGIN, END = "<!-- make bench-memory -->", "<!-- /make bench-memory -->"


def measure(program: str, way: str, steps: int, kind: str, runs: int) -> dict:
    cells = []
    for _ in range(runs):
        result = subprocess.run([program, way, str(steps), kind], capture_output=True, text=True, check=True)
        cells.append(json.loads(result.stdout))
    best = min(cells, key=lambda cell: cell["seconds"])
    best["peak_mb"] = max(cell["peak_mb"] for cell in cells)
    return best


def check(cells: dict, steps: int, kind: str) -> None:
    first = cells["every-step", steps, kind]
    for way in WAYS:
        cell = cells[way, steps, kind]
        where = f"{way}, {steps} steps, {kind}"
        if way in ("continuous", "reversible"):  # the latter's steps are another method's, of order 2
            if abs(cell["norm"] / first["norm"] - 1) > 1e-3:
                sys.exit(f"memory.py: {where}: the gradient's norm is {cell['norm']}, that of the steps {first['norm']}")
        elif cell["bits"] != first["bits"]:
            sys.exit(f"memory.py: {where}: the bits differ from those of every-step")


def table(cells: dict, kind: str, steps: list[int], format_cell) -> list[str]:
    lines = ["| kept | " + " | ".join(f"{n:,}" for n in steps) + " |", "|:--|" + "--:|" * len(steps)]
    for way, text in WAYS.items():
        lines.append(f"| {text} | " + " | ".join(format_cell(cells[way, n, kind]) for n in steps) + " |")
    return lines


def section(cells: dict, steps: list[int]) -> str:
    lines = [
        BEGIN, "", "## Memory by the number of steps", "",
        "`make bench-memory`: one gradient of 32 samples with D = 64, two hidden layers of 64, on one thread.",
        "Rows differ in what is stored of the steps; each cell is a separate process. All rows except the",
        "last two have the same bits. Every schedule stores at least 32 bytes per step, and per sample if",
        "steps are adaptive. The program is `Benchmarks/c/memory.c`.", "",
    ]
    for kind, title in KINDS.items():
        lines += [f"{title}: peak resident memory (VmHWM) in MiB, by the number of steps.", ""]
        lines += table(cells, kind, steps, lambda c: f"{c['peak_mb']:.1f}")
        lines += ["", "Seconds per gradient; in brackets, how often a step was recomputed to restore a state:", ""]
        lines += table(cells, kind, steps,
                       lambda c: f"{c['seconds']:.3g}" + (f" ({c['made_again']:.2f})" if c["made_again"] else ""))
        lines.append("")
    return "\n".join(lines + [END])


def replace_section(text: str, new: str) -> str:
    """`text` with the section between the marks replaced by `new`, or with it at the end."""
    if BEGIN not in text:
        return text.rstrip("\n") + "\n\n" + new + "\n"
    return text[:text.index(BEGIN)] + new + text[text.index(END) + len(END):]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--quick", action="store_true", help="only 100 and 1,000 steps, one run each")
    parser.add_argument("--runs", type=int, default=3, help="of each cell")
    parser.add_argument("--write-results", action="store_true", help="write the section of Benchmarks/RESULTS.md")
    options = parser.parse_args()
    steps, runs = ([100, 1000], 1) if options.quick else (STEPS, options.runs)
    cells = {}
    for kind in KINDS:
        for count in steps:
            for way in WAYS:
                cells[way, count, kind] = measure(options.program, way, count, kind, runs)
                print(f"{kind} {count} {way}: {cells[way, count, kind]}", file=sys.stderr)
            check(cells, count, kind)
    text = section(cells, steps)
    print(text)
    if options.write_results:
        with open(RESULTS) as file:
            old = file.read()
        with open(RESULTS, "w") as file:
            file.write(replace_section(old, text))


if __name__ == "__main__":
    main()
