#!/usr/bin/env python3
"""Prints Tests/C/peer_tableaus.h: the error weights of torchdiffeq, diffrax and SciPy for the methods that this library names alike.

    pip download --no-deps --no-binary :all: torchdiffeq    and unpack it
    pip download --no-deps diffrax                           and unpack it
    pip install scipy
    python3 Scripts/make_peer_tableaus.py TORCHDIFFEQ_FOLDER DIFFRAX_FOLDER |
      clang-format --assume-filename=peer_tableaus.h > Tests/C/peer_tableaus.h

The folders are those of the packages, which hold `_impl` and `_solver`. Neither is imported, so torch and jax need not be there: the
tableaus are read from the source, and evaluated with small stand-ins.
"""

import re
import sys

import numpy
import scipy
from scipy.integrate._ivp import rk


class Tableau:
    """Takes the place of torchdiffeq's and diffrax's tableau classes; keeps their error weights."""

    def __init__(self, **members):
        self.error = [float(x) for x in members.get("c_error", members.get("b_error"))]


class Torch:
    """Takes the place of torch: tensors are numpy arrays."""

    float64 = None

    @staticmethod
    def tensor(values, dtype=None):
        return numpy.array(values, dtype=float)


def call_of(text, start):
    """The text of the call that begins at `start`, to its closing parenthesis."""
    depth = 0
    for at in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0 and text[at] == ")":
            return text[start : at + 1]
    raise ValueError("no end of the call")


def read(path, name):
    """The error weights of the first tableau that the file at `path` makes by calling `name`."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    start = re.search(rf"^\w+ = {name}\(", text, flags=re.M)
    names = {"torch": Torch, "np": numpy, name: Tableau}
    before = re.sub(r"^(from|import) [^(\n]*(\([^)]*\))?", "", text[: start.start()], flags=re.M)
    exec(before, names)  # numbers that the tableau uses
    return eval(call_of(text, text.index("(", start.start()) - len(name)), names).error


def main(torchdiffeq, diffrax):
    rows = []
    for method in ("adaptive_heun", "fehlberg2", "bosh3", "dopri5", "dopri8"):
        rows.append(("torchdiffeq", method, read(f"{torchdiffeq}/_impl/{method}.py", "_ButcherTableau")))
    for method, file in (("adaptive_heun", "heun"), ("bosh3", "bosh3"), ("dopri5", "dopri5"), ("tsit5", "tsit5"), ("dopri8", "dopri8")):
        rows.append(("diffrax", method, read(f"{diffrax}/_solver/{file}.py", "ButcherTableau")))
    for method, solver in (("bosh3", rk.RK23), ("dopri5", rk.RK45)):
        rows.append(("scipy", method, list(solver.E)))
    print("/* peer_tableaus.h - error weights of other libraries: torchdiffeq 0.2.5, diffrax 0.7.2, SciPy %s. Made by" % scipy.__version__)
    print(" * Scripts/make_peer_tableaus.py; do not edit. */")
    print("#ifndef CNF_TESTS_PEER_TABLEAUS_H\n#define CNF_TESTS_PEER_TABLEAUS_H\n")
    print("typedef struct peer_tableau {\n  const char *peer, *method;\n  int stages;\n  double e[16];\n} peer_tableau;\n")
    print("static const peer_tableau peer_tableaus[] = {")
    for peer, method, error in rows:
        print(f'    {{"{peer}", "{method}", {len(error)}, {{{", ".join(repr(float(x)) for x in error)}}}}},')
    print("};\n\n#endif")


main(*sys.argv[1:])
