"""The first table of Documentation/architectures.md: each architecture trained on one data set, with its parameters, steps and cost.

    python3 Benchmarks/architectures.py .build/release/cnf .build/release/cnf-examples [--steps 500] [--data pinwheel] [--quick]

Prints Markdown. Every run is `cnf train` with the same steps, batches, seed and solver, on one thread. The field by a closure is the
example `closure-field`, which has a run and data of its own. The exit code is 1 if the held-out NLL of an architecture is not 0.3 nats
below that of the full-covariance Gaussian. Two architectures cannot get there: `identity`, which is a Gaussian, and ReLU by maximum
likelihood, whose divergence is piecewise constant, so that its gradient does not see where the pieces meet.
"""
import argparse
import json
import math
import re
import resource
import struct
import subprocess
import sys
import tempfile

LAYERS = ["input", "ignore", "concat", "squash", "concatsquash", "hyper", "blend"]
ACTIVATIONS = ["softplus", "relu", "silu", "sigmoid", "gelu", "elu", "sin", "logcosh", "identity"]
ROWS = [(f"layer {layer}", ["--layer", layer]) for layer in LAYERS]
ROWS += [("layer hyper, 4 hyper-units", ["--layer", "hyper", "--hyper-units", "4"])]
ROWS += [(f"activation {activation}", ["--activation", activation]) for activation in ACTIVATIONS]
ROWS += [("activation relu, by flow matching", ["--activation", "relu", "--objective", "flow-matching", "--coupling",
                                                "optimal-transport"])]
ROWS += [
    ("4 Fourier features", ["--time-features", "4"]),
    ("residual", ["--residual"]),
    ("layer norm", ["--layer-norm"]),
    ("dropout 0.05", ["--dropout", "0.05"]),
    ("2 blocks, T = 0.5 each", ["--blocks", "2", "--end-time", "0.5"]),
    ("concatsquash, residual, norm, dropout, features",
     ["--layer", "concatsquash", "--residual", "--layer-norm", "--dropout", "0.05", "--time-features", "4"]),
]
MARGIN = 0.3
GAUSSIANS = ["activation identity", "activation relu"]


def call(*arguments: str) -> str:
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


def parameter_count(path: str) -> int:
    """Of a safetensors file: its header is a length in 8 bytes, then JSON."""
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
    return sum(math.prod(tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")


def train(program: str, data: str, steps: int, folder: str, flags: list[str]) -> dict:
    report = json.loads(call(
        program, "train", "--data", data, "--hidden", "32,32", "--steps", str(steps), "--batch-size", "256", "--seed", "0",
        "--learning-rate", "2e-2",
        "--solver", "dopri5", "--rtol", "1e-4", "--atol", "1e-4", "--evaluation-rtol", "1e-5", "--evaluation-atol", "1e-5",
        "--threads", "1", "--out", folder, "--json", "--quiet", *flags))
    return report | {"parameters": parameter_count(f"{folder}/best.safetensors")}


def processor_seconds() -> float:
    """Of all programs that have ended."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("examples")
    parser.add_argument("--data", default="pinwheel")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--quick", action="store_true", help="few steps: a quick trial")
    options = parser.parse_args()
    steps = 10 if options.quick else options.steps
    wrong = []
    print("| architecture | parameters | steps | held-out NLL, nats | below the Gaussian | evaluations of a density "
          "| processor seconds |")
    print("|---|---:|---:|---:|---:|---:|---:|", flush=True)
    for name, flags in ROWS:
        before = processor_seconds()
        with tempfile.TemporaryDirectory() as folder:
            run = train(options.program, options.data, steps, f"{folder}/run", flags)
        gain = run["gaussian_nll_nats"] - run["nll_nats"]
        if name not in GAUSSIANS and not gain > MARGIN:
            wrong.append(name)
        print(f"| {name} | {run['parameters']} | {run['steps']} | {run['nll_nats']:.3f} ± {run['nll_stderr']:.3f} | {gain:.3f} "
              f"| {run['evaluations_mean']:.1f} | {processor_seconds() - before:.1f} |", flush=True)
    before = processor_seconds()
    output = call(options.examples, "closure-field")
    count, nll, evaluations = re.search(r"bumps, (\d+) parameters: NLL (\S+) nats, by (\S+) evaluations", output).groups()
    gaussian = float(re.search(r"Gaussian: NLL (\S+) nats", output).group(1))
    if not gaussian - float(nll) > MARGIN:
        wrong.append("closure")
    print(f"| a closure's bumps (`cnf-examples closure-field`) | {count} | 150 | {float(nll):.3f} "
          f"| {gaussian - float(nll):.3f} | {float(evaluations):.1f} | {processor_seconds() - before:.1f} |")
    for name in wrong:
        print(f"not {MARGIN} nats below the Gaussian: {name}", file=sys.stderr)
    return 0 if options.quick else int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
