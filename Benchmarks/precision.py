"""Does mixed precision train as well as full precision? Several seeds of each on two data sets, by `cnf train`.

    python3 Benchmarks/precision.py .build/release/cnf [--seeds 5] [--json FILE]

For each data set it prints the mean held-out NLL of the seeds in both precisions (nats, lower is better), the spread from seed to seed
(standard deviation), and the difference of the means in units of its own standard error. Up to about two of those, mixed precision
changes no more than another seed does. The exit code is 1 if a difference is beyond three.
"""
import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile

# Fixed numbers of steps, so that a slow machine trains as much as a fast one.
DATA = {
    "pinwheel": ["--hidden", "64,64,64", "--trace", "hutchinson", "--steps", "1000"],
    "digits": ["--trace", "hutchinson", "--seconds", "0", "--steps", "1000"],
}
PRECISIONS = ["full", "mixed"]


def held_out_nll(program: str, data: str, precision: str, seed: int) -> float:
    """NLL of the held-out samples, nats; evaluated in full precision with the exact trace."""
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "train", "--data", data, "--out", f"{folder}/run", "--seed", str(seed),
                   "--precision", precision, "--json", "--quiet", *DATA[data]]
        result = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(result.stdout)["nll_nats"]


def summary(values: dict[str, list[float]]) -> dict[str, float]:
    means = {name: statistics.mean(v) for name, v in values.items()}
    spreads = {name: statistics.stdev(v) for name, v in values.items()}
    error = math.sqrt(sum(spreads[name] ** 2 / len(values[name]) for name in values))
    difference = means["mixed"] - means["full"]
    return {"mean_full": means["full"], "mean_mixed": means["mixed"], "spread_full": spreads["full"],
            "spread_mixed": spreads["mixed"], "difference": difference, "standard_errors": difference / error}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    if options.seeds < 2:
        parser.error("--seeds must be at least 2: a spread needs two")
    results = {}
    for data in DATA:
        values = {name: [] for name in PRECISIONS}
        for seed in range(options.seeds):
            for name in PRECISIONS:  # in turn, so that a machine that changes changes both
                values[name].append(held_out_nll(options.program, data, name, seed))
                print(f"{data}, seed {seed}, {name}: NLL {values[name][-1]:.4f} nats", file=sys.stderr)
        results[data] = {"values": values, **summary(values)}
        r = results[data]
        print(f"{data}: NLL in full precision {r['mean_full']:.4f} nats (from seed to seed {r['spread_full']:.4f}), "
              f"mixed {r['mean_mixed']:.4f} ({r['spread_mixed']:.4f}); "
              f"difference {r['difference']:+.4f}, {r['standard_errors']:+.1f} standard errors")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)
    return int(any(abs(r["standard_errors"]) > 3 for r in results.values()))


if __name__ == "__main__":
    sys.exit(main())
