"""Figures and pictures of Documentation/conditional.md, invertibility.md and logit.md, by `cnf train`, `evaluate` and `plot`.

    python3 Benchmarks/flow_documents.py .build/release/cnf conditional|invertibility|maps|logit|all [--seconds 120] [--write]

Prints each document, maps being a part of invertibility that takes a minute; --write puts it into Documentation/ instead, with its picture. Runs of one document take equal seconds,
one after the other, so a busy machine makes all of them poorer alike; how many steps each has taken is said.
"""
import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

DOCUMENTATION = Path(__file__).resolve().parent.parent / "Documentation"
COMMAND = "python3 Benchmarks/flow_documents.py .build/release/cnf"


def cnf(program: str, *arguments: str) -> dict:
    """The JSON result of a call."""
    result = subprocess.run([program, *arguments, "--json"], check=True, capture_output=True, text=True)
    return json.loads(result.stdout)


def train(program: str, run: Path, seconds: float, *flags: str) -> dict:
    print(f"training {run.name} for {seconds:g} s", file=sys.stderr)
    return cnf(program, "train", "--out", str(run), "--seconds", str(seconds), "--quiet", *flags)


def table(headings: list[str], rows: list[list[str]]) -> str:
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def conditional(program: str, folder: Path, seconds: float, write: bool) -> str:
    plain = train(program, folder / "plain", seconds, "--data", "digits")
    by_class = train(program, folder / "by-class", seconds, "--data", "digits", "--condition", "labels")
    picture = DOCUMENTATION / "digits-by-class.png"
    if write:
        cnf(program, "plot", str(folder / "by-class"), "--kind", "samples", "--out", str(folder / "samples.png"))
        shutil.copy(folder / "samples.png", picture)

    def row(name: str, nll: float, bits: float, steps: int) -> list[str]:
        return [name, f"{-nll:.2f}", f"{bits:.3f}", str(steps)]

    rows = [
        row("flow, log p(x)", plain["nll_nats"], plain["bits_per_dim"], plain["steps"]),
        row("flow given the class, log p(x\\|c)", by_class["nll_nats"], by_class["bits_per_dim"], by_class["steps"]),
        row("the same without the class, log Σ p(x\\|c) p(c)", by_class["marginal_nll_nats"],
            by_class["marginal_bits_per_dim"], by_class["steps"]),
        row("full-covariance Gaussian", plain["gaussian_nll_nats"], plain["gaussian_bits_per_dim"], 0)[:3] + [""],
    ]
    count = by_class["count"]
    right = round(by_class["bayes_accuracy"] * count)
    return f"""# Conditional flows: digits by class

A flow of the handwritten digits that is given each image's class, one of ten, beside one that is not, trained for {seconds:g} seconds
each (`--condition labels`, else the digits' defaults). Mean over the {count} held-out images, of which neither has seen one; the
standard error is {plain["nll_stderr"]:.2f} and {by_class["nll_stderr"]:.2f} nats.

{table(["", "nats", "bits/dim", "steps"], rows)}

By Bayes' rule the flow given the class is a classifier that was never trained to be one: the class of the largest p(x|c) p(c) is
the right one for {right} of {count} held-out images, {100 * by_class["bayes_accuracy"]:.1f} %.

![Held-out digits and samples of the flow, a row for each class](digits-by-class.png)

```
cnf train --data digits --condition labels --seconds {seconds:g} --out runs/digits-by-class
cnf evaluate runs/digits-by-class
cnf plot runs/digits-by-class --kind samples --out digits-by-class.png
cnf sample runs/digits-by-class -n 10 --class 3 --log-density
```

All of this page: `{COMMAND} conditional --seconds {seconds:g} --write`. Columns of a file are conditions too: `--condition-columns K`.

Conditions go with `--model flow` and `timed-flow` alone, by maximum likelihood or, of a flow, by flow matching.
"""


def invertibility(program: str, folder: Path, seconds: float, write: bool) -> str:
    run = folder / "pinwheel"
    train(program, run, seconds / 4, "--data", "pinwheel")
    result = cnf(program, "evaluate", str(run), "--check-inverse", "--check-jacobian")
    inverse, jacobian = result["inverse"], result["jacobian"]

    def row(name: str, entry: dict) -> list[str]:
        figures = [entry[start][key] for start in ("data", "drawn")
                   for key in ("x_max", "x_rms", "log_det_max", "log_det_rms")]
        return [name, entry["precision"], *(f"{figure:.1e}" for figure in figures),
                f"{entry['data']['evaluations_mean']:.0f}"]

    rows = [row("the run's, 1e-5", inverse["run"])]
    rows += [row(f"{entry['tolerance']:.0e}", entry) for entry in inverse["table"]]
    headings = ["tolerance", "states", "data: x, max", "rms", "log-det, max", "rms", "drawn: x, max", "rms",
                "log-det, max", "rms", "evaluations"]
    differences = [[f"{entry['tolerance']:.0e}", f"{entry['difference_max']:.1e}"] for entry in jacobian["table"]]
    return f"""# Flows as maps: there and back, trace and determinant

A flow of the pinwheel (64-64-64, tanh, {seconds / 4:g} seconds of training), solved by dopri5 with rtol = atol.

**Forward then backward.** {inverse["samples"]} held-out points to the base and back, and as many drawn ones to the data and back: how far x misses
where it began, after the transform, where columns have variance 1; and how far the sum of both ways' log-determinants is from 0,
in nats. Evaluations are a point's, there and back. Float's rounding is the floor of its rows.

{table(headings, rows)}

**Instantaneous against discrete change of variables.** The ODE's log-density integrates the trace; a map's takes log |det| of its
Jacobian. Here is the Jacobian of the very steps that were taken, its D rows had by D reverse solves in double precision (D
tangents along the solve would give the same matrix by its columns), and its determinant by LU; the largest difference of the two over
{jacobian["samples"]} held-out points, in nats.

{table(["tolerance", "largest difference"], differences)}

With fixed steps of length h and a method of order p the difference falls as hᵖ, which `Tests/ContinuousFlowsTests/JacobianTests.swift`
measures for midpoint, bosh3, rk4 and dopri5.

```
cnf evaluate runs/pinwheel --check-inverse --check-jacobian
```

{maps(program, folder)}
All of this page: `{COMMAND} invertibility --seconds {seconds:g} --write`.
"""


# Trained by steps, not by seconds: what is shown is the map's arithmetic.
MODELS = {
    "coupling": ["--depth", "10"], "affine": [], "linear": [], "stacked": ["--blocks", "2", "--hidden", "32,32"],
    "diffusion": [],
}


def maps(program: str, folder: Path) -> str:
    """The part of invertibility.md that is of models other than flow."""
    rows = []
    for model, flags in MODELS.items():
        run = folder / model
        call = ["--data", "pinwheel", "--model", model, "--steps", "500", *flags]
        cnf(program, "train", "--out", str(run), "--quiet", *call)
        result = cnf(program, "evaluate", str(run), "--check-inverse", "--check-jacobian")
        own, finest = result["inverse"]["run"], result["inverse"]["table"][-1]
        assert own["precision"] == "float" and finest["precision"] == "double"
        tolerance = f"{finest['tolerance']:.0e}" if "tolerance" in finest else "none"
        figures = [max(entry[start][key] for start in ("data", "drawn"))
                   for entry in (own, finest) for key in ("x_max", "log_det_max")]
        figures.append(result["jacobian"]["table"][-1]["difference_max"])
        rows.append([f"`--model {' '.join([model, *flags])}`", tolerance, *(f"{figure:.1e}" for figure in figures)])
    headings = ["model", "finest tolerance", "x, max: the run's, float", "log-det, max", "x, max: finest, double",
                "log-det, max", "trace or layers against log \\|det\\|"]
    command = f"{COMMAND} maps"
    return f"""**Every model.** The same of other models of the pinwheel, 500 steps each: the worst of data and drawn points, as the run evaluates
(dopri5 within 1e-5 in float, where anything is solved), and in double at the finest tolerance; and there the largest difference between the
model's own log-determinant and that of its Jacobian. Coupling, affine and linear flows solve nothing: what they miss is rounding, and
`affine` and `linear` have log-determinants that are constants, whose sum is 0. Of a diffusion model it is the probability flow, of a stacked
flow the Jacobian is the product of its blocks'.

{table(headings, rows)}

```
cnf train --data pinwheel --model coupling --depth 10 --steps 500 --out runs/coupling
cnf evaluate runs/coupling --check-inverse --check-jacobian
```

The table of every model alone, which is what was run for it: `{command}`.
"""


def logit(program: str, folder: Path, seconds: float, write: bool) -> str:
    rows = []
    for transform in ("marginals", "logit", "standardise"):
        result = train(program, folder / transform, seconds, "--data", "digits", "--transform", transform)
        rows.append([f"`--transform {transform}`", f"{-result['nll_nats']:.2f}", f"{result['bits_per_dim']:.3f}",
                     f"{result['evaluations_mean']:.0f}", str(result["steps"])])
    return f"""# Transforms of the digits

The same flow behind each transform, {seconds:g} seconds of training each; log p(x) of the 360 held-out images in nats, of x = (k + u) / 17 with the
transform's log-determinant counted, and bits/dim of the 17 levels: figures compare with one another, and are made as MAF's and
FFJORD's are (logit of 1e-6 + (1 - 2e-6) x, here standardised). Evaluations of the field are a sample's.

{table(["", "nats", "bits/dim", "evaluations", "steps"], rows)}

All of this page: `{COMMAND} logit --seconds {seconds:g} --write`.
"""


def main() -> int:
    documents = {"conditional": conditional, "invertibility": invertibility, "logit": logit}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("document", choices=[*documents, "maps", "all"])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--write", action="store_true", help="into Documentation/")
    options = parser.parse_args()
    if options.document == "maps":
        if options.write:
            parser.error("maps is a part of invertibility, which --write writes as a whole")
        with tempfile.TemporaryDirectory() as folder:
            print(maps(options.program, Path(folder)))
        return 0
    for name, make in documents.items():
        if options.document not in (name, "all"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            text = make(options.program, Path(folder), options.seconds, options.write)
        if options.write:
            (DOCUMENTATION / f"{name}.md").write_text(text)
        else:
            print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
