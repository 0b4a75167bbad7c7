"""Discrete and continuous flows: held-out NLL for about equal parameters and equal seconds of one core.

    python3 Benchmarks/discrete.py .build/release/cnf [--cpu-seconds 60] [--seeds 1] [--data pinwheel,digits]
        [--models affine] [--json FILE]

Each model is trained by `cnf train` on one thread, for as many steps as fit the seconds. Short runs measure what a step costs, in
processor time, so that other programs on the machine do not count. The longest of them takes at least a quarter of the seconds, because a
continuous flow's steps become more expensive as it learns. All other settings are each model's defaults.
Prints a table in Markdown; progress goes to standard error. NLL is in nats per sample, lower is better.
"""
import argparse
import json
import math
import resource
import statistics
import subprocess
import sys
import tempfile

# Widths that give about the parameters of the first model. An affine flow has the D² + D that it has.
PLANAR = {
    "continuous": ["--hidden", "64,64,64"],
    "2 continuous blocks": ["--blocks", "2", "--hidden", "45,45,45"],
    "coupling, 10 layers": ["--model", "coupling", "--depth", "10", "--hidden", "27,27"],
    "affine (P L U)": ["--model", "affine"],
}
DATA = {
    "pinwheel": PLANAR,
    "two-spirals": PLANAR,
    "digits": {
        "continuous": ["--hidden", "128,128"],
        # Half of the steps in each, so that both have as many in all.
        "2 continuous blocks": ["--blocks", "2", "--hidden", "79,79", "--fixed-steps", "4"],
        "coupling, 10 layers": ["--model", "coupling", "--depth", "10", "--hidden", "26,26"],
        "affine (P L U)": ["--model", "affine"],
    },
}
# Steps of the shortest of the short runs, the most by which they are multiplied for the next, and the share of the
# seconds that one has to take to tell what a step costs.
FEWEST_STEPS = 20
MORE_STEPS = 8
TELLING_SHARE = 0.25


def train(program: str, data: str, flags: list[str], seed: int, steps: int) -> tuple[dict, int, float]:
    """What `cnf train` says, the model's parameters, and the processor seconds that it took, plots and evaluation included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "train", "--data", data, "--out", f"{folder}/run", "--seed", str(seed), "--threads", "1",
                   "--seconds", "0", "--steps", str(steps), "--validation-interval", str(max(1, steps // 10)),
                   "--json", *flags]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    words = done.stderr.split(" parameters;")[0].split()
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return json.loads(done.stdout), int(words[-1]), seconds


def steps_within(program: str, data: str, flags: list[str], seconds: float) -> int:
    """Of two short runs, the longer a quarter of `seconds` or more: what is evaluated and drawn is in both and cancels."""
    few = train(program, data, flags, 0, FEWEST_STEPS)[2]
    steps, difference = FEWEST_STEPS, 0.0
    while difference < TELLING_SHARE * seconds:
        if difference > 0.1:
            factor = min(MORE_STEPS, 1.2 * TELLING_SHARE * seconds / difference)
        else:
            factor = MORE_STEPS
        steps = int(math.ceil(steps * max(1.2, factor)))
        difference = train(program, data, flags, 0, steps)[2] - few
    return max(1, int(seconds * (steps - FEWEST_STEPS) / difference))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--cpu-seconds", type=float, default=60)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--data", default=",".join(DATA))
    parser.add_argument("--models", default="", help="those whose name begins so, separated by commas")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    results = []
    for data in options.data.split(","):
        for model, flags in DATA[data].items():
            if not model.startswith(tuple(options.models.split(","))):
                continue
            steps = steps_within(options.program, data, flags, options.cpu_seconds)
            runs, taken = [], []
            for seed in range(options.seeds):
                result, parameters, seconds = train(options.program, data, flags, seed, steps)
                runs.append(result)
                taken.append(seconds)
                print(f"{data}, {model}, seed {seed}: NLL {result['nll_nats']:.3f} nats after {steps} steps, {seconds:.0f} s",
                      file=sys.stderr)
            results.append({
                "data": data, "model": model, "parameters": parameters, "steps": steps, "cpu_seconds": statistics.mean(taken),
                "nll_nats": statistics.mean(run["nll_nats"] for run in runs),
                "nll_nats_by_seed": [run["nll_nats"] for run in runs], "stderr": runs[0]["nll_stderr"],
                "gaussian_nll_nats": runs[0]["gaussian_nll_nats"], "evaluations": runs[0]["evaluations_mean"],
            })
    print("| data | model | parameters | steps | processor s | held-out NLL, nats | NLL of the full Gaussian |")
    print("|---|---|---|---|---|---|---|")
    for row in results:
        nlls = row["nll_nats_by_seed"]
        half = (max(nlls) - min(nlls)) / 2
        print(f"| {row['data']} | {row['model']} | {row['parameters']:,} | {row['steps']:,} | {row['cpu_seconds']:.0f} | "
              f"{row['nll_nats']:.3f} ± {half:.3f} | {row['gaussian_nll_nats']:.3f} |")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
