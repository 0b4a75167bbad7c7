"""The tables and pictures of Documentation/neural-ode.md: digits, and a disc inside a ring, by `cnf train`.

    python3 Benchmarks/neural_ode.py .build/release/cnf [--seeds 3] [--pictures Documentation] [--quick]

Prints both tables as Markdown. The exit code is 1 if the mean accuracy on the digits is below 97 %, if that of an augmented
model is below 99 %, or if a plain model separates disc and ring as well.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

CIRCLES = ["--model", "classifier", "--data", "concentric", "--count", "3000", "--layer", "ignore", "--steps", "600",
           "--rtol", "1e-5", "--atol", "1e-5"]
# Widths of the field's hidden layers, and zeros behind the data.
CIRCLE_MODELS = [("16", 0), ("32,32", 0), ("16", 1), ("16", 2)]
DIGIT_MODELS = ["classifier", "residual-network"]
# Points of another seed than any that was trained on.
FRESH = ["--data", "concentric", "--count", "100000", "--data-seed", "9"]


def call(program: str, *arguments: str) -> dict:
    return json.loads(subprocess.run([program, *arguments, "--json"], check=True, capture_output=True, text=True).stdout)


def evaluations(run: str) -> tuple[float, float]:
    """Of the field per sample, at the first validation and at the last."""
    lines = [json.loads(line) for line in open(f"{run}/metrics.jsonl")]
    counts = [line["evaluations_mean"] for line in lines if line["kind"] == "validation"]
    return counts[0], counts[-1]


def digits(program: str, folder: str, seeds: int, extra: list[str]) -> float:
    print("| `cnf train --data digits` | accuracy, each seed | mean | cross-entropy, nats | seconds of a run |")
    print("|---|---|---:|---:|---:|")
    means = []
    for model in DIGIT_MODELS:
        runs = [call(program, "train", "--model", model, "--data", "digits", "--out", f"{folder}/{model}-{seed}",
                     "--seed", str(seed), "--quiet", *extra) for seed in range(seeds)]
        means.append(statistics.mean(run["accuracy"] for run in runs))
        each = ", ".join(f"{100 * run['accuracy']:.2f} %" for run in runs)
        print(f"| `--model {model}` | {each} | {100 * means[-1]:.2f} % "
              f"| {statistics.mean(run['nll_nats'] for run in runs):.3f} "
              f"| {statistics.median(run['seconds'] for run in runs):.0f} |", flush=True)
    return means[0]


def circles(program: str, folder: str, seeds: int, extra: list[str]) -> dict[int, list[float]]:
    print("| hidden layers | augmented dimensions | accuracy, each seed | cross-entropy, nats | evaluations, first validation "
          "to last |")
    print("|---|---:|---|---:|---:|")
    accuracies = {}
    for hidden, augment in CIRCLE_MODELS:
        rows = []
        for seed in range(seeds):
            run = f"{folder}/circles-{hidden}-{augment}-{seed}"
            call(program, "train", *CIRCLES, "--hidden", hidden, "--augment", str(augment), "--seed", str(seed), "--out",
                 run, "--quiet", *extra)
            rows.append((call(program, "evaluate", run, *FRESH), evaluations(run)))
        accuracies.setdefault(augment, []).extend(row["accuracy"] for row, _ in rows)
        each = ", ".join(f"{100 * row['accuracy']:.3f} %" for row, _ in rows)
        first = statistics.mean(counts[0] for _, counts in rows)
        last = statistics.mean(counts[1] for _, counts in rows)
        print(f"| {hidden} | {augment} | {each} | {statistics.mean(row['nll_nats'] for row, _ in rows):.5f} "
              f"| {first:.0f} to {last:.0f} |", flush=True)
    return accuracies


def pictures(program: str, folder: str, out: str) -> None:
    for hidden, augment, name in [("16", 0, "plain"), ("16", 1, "augmented")]:
        call(program, "plot", f"{folder}/circles-{hidden}-{augment}-0", "--kind", "classes", "--out",
             str(pathlib.Path(out) / f"concentric-{name}.png"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pictures", metavar="FOLDER")
    parser.add_argument("--quick", action="store_true", help="few steps: a quick trial")
    options = parser.parse_args()
    extra = ["--steps", "20"] if options.quick else []
    with tempfile.TemporaryDirectory() as folder:
        accuracy = digits(options.program, folder, options.seeds, extra)
        print()
        accuracies = circles(options.program, folder, options.seeds, extra)
        if options.pictures:
            pictures(options.program, folder, options.pictures)
    if options.quick:
        return 0
    augmented = min(min(values) for augment, values in accuracies.items() if augment > 0)
    return int(accuracy < 0.97 or augmented < 0.99 or max(accuracies[0]) >= augmented)


if __name__ == "__main__":
    sys.exit(main())
