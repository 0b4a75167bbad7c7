"""Writes Documentation/conditional.md, invertibility.md and logit.md, figures and pictures, by `cnf train`, `evaluate` and `plot`.

    python3 Benchmarks/flow_documents.py .build/release/cnf conditional|invertibility|maps|logit|all [--seconds 120] [--write]

Prints each page; `maps` is a part of invertibility that takes a minute. --write writes the page into Documentation/ instead, with its
picture. All runs of one page take equal seconds, one after the other, so a busy machine slows all of them alike. The pages say how many
steps each run took.
"""
import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import textwrap
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


def wrapped(page: str) -> str:
    """The page with paragraphs and list items at most 100 columns wide; tables, code, headings and pictures stay as they are."""
    lines: list[str] = []
    is_code = False
    for line in page.splitlines():
        is_code ^= line.startswith("```")
        begins = is_code or line.startswith(("```", "|", "#", "!", "- ")) or not line
        continues = lines and lines[-1] and not begins and not lines[-1].startswith(("```", "|", "#", "!"))
        if continues:
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
    is_code = False
    for place, line in enumerate(lines):
        is_code ^= line.startswith("```")
        if not is_code and not line.startswith(("```", "|", "#", "!")):
            indent = "  " if line.startswith("- ") else ""
            lines[place] = textwrap.fill(line, 100, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
    return "\n".join(lines) + "\n"


def conditional(program: str, folder: Path, seconds: float, write: bool) -> str:
    plain = train(program, folder / "plain", seconds, "--data", "digits")
    by_class = train(program, folder / "by-class", seconds, "--data", "digits", "--condition", "labels")
    picture = DOCUMENTATION / "digits-by-class.png"
    if write:
        cnf(program, "plot", str(folder / "by-class"), "--kind", "samples", "--out", str(folder / "samples.png"))
        shutil.copy(folder / "samples.png", picture)

    def row(name: str, nll: float, bits: float, steps: int) -> list[str]:
        return [name, f"{nll:.2f}", f"{bits:.3f}", str(steps)]

    rows = [
        row("flow, p(x)", plain["nll_nats"], plain["bits_per_dim"], plain["steps"]),
        row("flow given the class, p(x\\|c)", by_class["nll_nats"], by_class["bits_per_dim"], by_class["steps"]),
        row("the same flow without the class, Σ p(x\\|c) p(c)", by_class["marginal_nll_nats"],
            by_class["marginal_bits_per_dim"], by_class["steps"]),
        row("full-covariance Gaussian", plain["gaussian_nll_nats"], plain["gaussian_bits_per_dim"], 0)[:3] + [""],
    ]
    return conditional_page(seconds, rows, by_class["count"], (plain["nll_stderr"], by_class["nll_stderr"]),
                            by_class["bayes_accuracy"])


def conditional_page(seconds: float, rows: list[list[str]], count: int, errors: tuple[float, float], accuracy: float) -> str:
    return f"""# Conditional flows: digits by class

A conditional flow learns p(x given c): the density of a sample when something about it is known. This
page trains a flow of handwritten digits that is given each image's class, one of ten, and compares it
with a flow that is not.

```
cnf train --data digits --condition labels --seconds {seconds:g} --out runs/digits-by-class
cnf evaluate runs/digits-by-class
cnf plot runs/digits-by-class --kind samples --out digits-by-class.png
cnf sample runs/digits-by-class -n 10 --class 3 --log-density
```

Columns of a file can be the context too: `--condition-columns K`.

## Results

Both flows train for {seconds:g} seconds with the digits' defaults. NLL is the mean of -log p(x) over the
{count} held-out images, in nats; lower is better. It is negative because the pixels
x = (k + u)/17 lie between 0 and 1, where a density can exceed 1. Its standard error is {errors[0]:.2f} without and {errors[1]:.2f} nats with the class. Bits/dim
belong to the 17 levels of a pixel; lower is better.

{table(["model", "held-out NLL, nats", "bits/dim", "steps"], rows)}

By Bayes' rule the flow given the class is also a classifier, although it was not trained as one. The
class with the largest p(x|c) p(c) is right for {round(accuracy * count)} of {count} held-out images: {100 * accuracy:.1f} %.

![Held-out digits and samples of the flow, a row for each class](digits-by-class.png)

## When it does not work

Only `--model flow` and `timed-flow` take a context. Both train by maximum likelihood; `flow` also trains
by flow matching.

This command rewrites the page:

```
{COMMAND} conditional --seconds {seconds:g} --write
```
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
    differences = [[f"{entry['tolerance']:.0e}", f"{entry['difference_max']:.1e}"] for entry in jacobian["table"]]
    return invertibility_page(seconds, inverse["samples"], rows, jacobian["samples"], differences, maps(program, folder))


def invertibility_page(seconds: float, samples: int, rows: list[list[str]], jacobian_samples: int,
                       differences: list[list[str]], models: str) -> str:
    headings = ["tolerance", "states", "data: x, max", "rms", "log-det, max", "rms", "drawn: x, max", "rms",
                "log-det, max", "rms", "evaluations"]
    return f"""# Is a flow invertible, and is its log-determinant right?

A flow is a map with an inverse. Its log-density uses the log-determinant of that map. Both are computed by
an ODE solver, so both have errors. This page measures them. For your own run, type

```
cnf evaluate runs/pinwheel --check-inverse --check-jacobian
```

**In short:** errors fall with the tolerance. At the default 1e-5 in float, the state returns to within
1e-4 and the log-determinant to within 1e-3 nats. If you need more, use a smaller tolerance and, from about
1e-6 on, double precision.

## Forward then backward

{samples} held-out samples go to the base and back, and as many drawn ones go to the data and back. The
flow was trained on the pinwheel for {seconds / 4:g} seconds (64-64-64, tanh), and is solved by dopri5 with
rtol = atol.

- *x* is the distance to the starting point, measured after the transform, where columns have variance 1.
- *log-det* is the sum of the log-determinants of both directions, in nats. It should be 0.
- *Evaluations* are those of one sample, both directions together.

Rounding limits the rows in float.

{table(headings, rows)}

## Trace and determinant

The log-density of an ODE integrates the trace of its Jacobian. The log-density of a discrete map takes
log |det| of its Jacobian. The two should agree. The table has their largest difference over
{jacobian_samples} held-out samples, in nats. The Jacobian is that of the steps that were taken: D reverse
solves in double precision give its D rows, and LU its determinant. (D tangents along the solve would give
the same matrix by columns.)

{table(["tolerance", "largest difference"], differences)}

With fixed steps of length h and a method of order p the difference falls as hᵖ.
`Tests/ContinuousFlowsTests/JacobianTests.swift` measures this for midpoint, bosh3, rk4 and dopri5.

{models}
## How to repeat this page

```
{COMMAND} invertibility --seconds {seconds:g} --write
```
"""


# Trained by steps, not by seconds: what is shown is the map's arithmetic.
MODELS = {
    "coupling": ["--depth", "10"], "affine": [], "linear": [], "stacked": ["--blocks", "2", "--hidden", "32,32"],
    "diffusion": [],
}


def maps(program: str, folder: Path) -> str:
    """The part of invertibility.md about models other than flow."""
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
    return maps_part(rows)


def maps_part(rows: list[list[str]]) -> str:
    headings = ["model", "finest tolerance", "x, max: the run's, float", "log-det, max", "x, max: finest, double",
                "log-det, max", "trace or layers against log \\|det\\|"]
    return f"""## Every model

The same checks for other models of the pinwheel, each trained for 500 steps. The table shows the worst of
held-out and drawn samples: as the run evaluates (in float, by dopri5 at 1e-5 if the model solves anything),
and in double at the finest tolerance. The last column is the largest difference between the model's own
log-determinant and that of its Jacobian, at the finest tolerance.

- Coupling, affine and linear flows solve nothing. Their errors are rounding.
- `affine` and `linear` have constant log-determinants, whose sum is 0.
- For a diffusion model the map is the probability flow.
- For a stacked flow the Jacobian is the product of its blocks' Jacobians.

{table(headings, rows)}

```
cnf train --data pinwheel --model coupling --depth 10 --steps 500 --out runs/coupling
cnf evaluate runs/coupling --check-inverse --check-jacobian
```

`{COMMAND} maps` repeats this table alone.
"""


def logit(program: str, folder: Path, seconds: float, write: bool) -> str:
    rows = []
    for transform in ("marginals", "logit", "standardise"):
        result = train(program, folder / transform, seconds, "--data", "digits", "--transform", transform)
        rows.append([f"`--transform {transform}`", f"{result['nll_nats']:.2f}", f"{result['bits_per_dim']:.3f}",
                     f"{result['evaluations_mean']:.0f}", str(result["steps"])])
    return logit_page(seconds, rows)


def logit_page(seconds: float, rows: list[list[str]]) -> str:
    return f"""# Data transforms: which one for the digits?

A transform is a fixed map between the data and the flow. Its log-determinant is part of every density, so
figures with different transforms compare. Choose it with `--transform`:

| `--transform` | what it does |
|---|---|
| `marginals` | takes each column's own distribution of levels to a normal; the default for the digits |
| `logit` | first the logit of α + (1 - 2α) x, then standardised: as MAF and FFJORD do |
| `standardise` | gives each column mean 0 and variance 1 |

```
cnf train --data digits --transform logit --out runs/logit
```

α is `--logit-alpha`: 1e-6 for the digits, 0.05 for files. The logit has a density a little beyond 0 and 1:
above -α/(1 - 2α) and below 1 + α/(1 - 2α). `cnf train` and `cnf evaluate` refuse files with values outside
this range, and `cnf logprob` gives them -inf.

## Results

The same flow behind each transform, trained for {seconds:g} seconds. NLL is the mean of -log p(x) over the 360
held-out images, in nats; lower is better. It is negative because the pixels x = (k + u)/17 lie
between 0 and 1, where a density can exceed 1. Bits/dim
belong to the 17 levels of a pixel; lower is better. Evaluations of the field are the mean per sample.

{table(["transform", "held-out NLL, nats", "bits/dim", "evaluations", "steps"], rows)}

This command rewrites the page:

```
{COMMAND} logit --seconds {seconds:g} --write
```
"""


def main() -> int:
    documents = {"conditional": conditional, "invertibility": invertibility, "logit": logit}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("document", choices=[*documents, "maps", "all"])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--write", action="store_true", help="write the pages into Documentation/")
    options = parser.parse_args()
    if options.document == "maps":
        if options.write:
            parser.error("maps is a part of invertibility, which --write writes as a whole")
        with tempfile.TemporaryDirectory() as folder:
            print(wrapped(maps(options.program, Path(folder))))
        return 0
    for name, make in documents.items():
        if options.document not in (name, "all"):
            continue
        with tempfile.TemporaryDirectory() as folder:
            text = wrapped(make(options.program, Path(folder), options.seconds, options.write))
        if options.write:
            (DOCUMENTATION / f"{name}.md").write_text(text)
        else:
            print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
