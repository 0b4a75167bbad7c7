#!/usr/bin/env python3
"""Coefficients of the dense output of vern7 and dopri8, printed as CSources/CNFKernels/solve/methods/dense_coefficients.h.

    pip install mpmath && Scripts/make_dense_coefficients.py > CSources/CNFKernels/solve/methods/dense_coefficients.h

Neither method's own stages carry an interpolant of high order, so stages are added, in the manner of Enright, Jackson, Norsett and
Thomsen 1986 (ACM TOMS 12(3)): weights that satisfy all continuous order conditions up to q at some place c give a state there
with an error of h^(q+1), whose slope helps the conditions of order q + 1 to a solution. The conditions, sum_i b_i(theta) phi_i(tree) =
theta^r / gamma(tree) for every rooted tree of r <= q nodes, are linear; of their solutions the one of least norm is taken. The
interpolant has the form of solve/methods/dense.h, whose weights d_n are found from the highest power of theta down.

Stages without weight in the solution get none here: so none of them needs its divergence. vern7's last stage is for the error
alone, and does not run where steps are fixed. Arithmetic has 60 digits; the conditions hold to those that the methods' own
coefficients hold theirs to, which is asserted.
"""

import pathlib
import re

import mpmath as mp

mp.mp.dps = 60
SOURCE = pathlib.Path(__file__).parent.parent / "CSources/CNFKernels/solve/methods/runge_kutta.c"
DEPENDENT = mp.mpf("1e-12")  # pivots below are rounding: dopri8's coefficients hold its conditions to 1e-15
METHODS = {
    # name: order, stages left out, places of added stages and the order of each one's state
    "vern7": (6, {9}, [("7/20", 5), ("13/20", 5)]),
    "dopri8": (7, set(), [("1/5", 5), ("1/4", 6), ("2/5", 6), ("7/10", 6)]),
}


def method(name):
    """a and b of a method, as runge_kutta.c has them."""
    text = SOURCE.read_text().split(f'.name = "{name}"')[1].split("{.name")[0]

    def entry(key):
        begin = text.index(f".{key} = {{") + len(f".{key} = ")
        depth, end = 0, begin
        while True:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
            if depth == 0:
                break
        listed = text[begin:end].replace("{", "[").replace("}", "]")
        return eval(re.sub(r"(\d+\.\d+|\d+)", r'mp.mpf("\1")', listed))

    a, b = entry("a"), entry("b")
    return [row + [mp.mpf(0)] * (len(b) - len(row)) for row in a], b


def rooted_trees(most):
    """Rooted trees by their number of nodes; a tree is the tuple of what hangs at its root."""
    trees = {1: [()]}

    def forests(nodes, largest, last):
        if nodes == 0:
            yield ()
        for size in range(min(nodes, largest), 0, -1):
            for i in range(last if size == largest else len(trees[size]) - 1, -1, -1):
                for rest in forests(nodes - size, size, i):
                    yield (trees[size][i], *rest)

    for nodes in range(2, most + 1):
        trees[nodes] = list(forests(nodes - 1, nodes - 1, len(trees[nodes - 1]) - 1))
    return trees


TREES = rooted_trees(7)


def nodes(tree):
    return 1 + sum(map(nodes, tree))


def gamma(tree):
    return nodes(tree) * mp.fprod(map(gamma, tree))


def phi(tree, a):
    product = [mp.mpf(1)] * len(a)
    for branch in tree:
        inner = phi(branch, a)
        product = [p * mp.fdot(row, inner) for p, row in zip(product, a)]
    return product


def conditions(a, order):
    """Rows phi(tree), with the tree's nodes and gamma."""
    return [(phi(t, a), r, gamma(t)) for r in range(1, order + 1) for t in TREES[r]]


def solve(rows, right, columns, width):
    """The solution of least norm over `columns`, zero elsewhere. Rows may depend on each other, but must agree."""
    system = [[row[c] for c in columns] + [value] for row, value in zip(rows, right)]
    original, place, rank = [row[:] for row in system], list(range(len(system))), 0
    for c in range(len(columns)):
        best = max(range(rank, len(system)), key=lambda r: abs(system[r][c]), default=None)
        if best is None or abs(system[best][c]) < DEPENDENT:
            continue
        system[rank], system[best] = system[best], system[rank]
        place[rank], place[best] = place[best], place[rank]
        for r in range(rank + 1, len(system)):
            factor = system[r][c] / system[rank][c]
            system[r] = [x - factor * y for x, y in zip(system[r], system[rank])]
        rank += 1
    assert all(abs(row[-1]) < DEPENDENT for row in system[rank:]), "conditions contradict each other"
    chosen = [original[place[r]] for r in range(rank)]
    matrix, value = mp.matrix([row[:-1] for row in chosen]), mp.matrix([row[-1] for row in chosen])
    least = matrix.T * mp.lu_solve(matrix * matrix.T, value)
    solution = [mp.mpf(0)] * width
    for c, x in zip(columns, least):
        solution[c] = x
    return solution


def added_stages(a, b, left_out, places):
    stages, rows = len(b), []
    for text, order in places:
        c = mp.mpf(text.split("/")[0]) / int(text.split("/")[1])
        listed = conditions(a, order)
        columns = [i for i in range(len(a)) if i >= stages or (b[i] != 0 and i not in left_out)]
        row = solve([p for p, _, _ in listed], [c**r / g for _, r, g in listed], columns, len(a))
        a = [old + [mp.mpf(0)] for old in a] + [row + [mp.mpf(0)]]
        rows.append(row)
    return a, rows


def weights(a, b, order):
    """d_0 ... d_(order-4). The power p of theta has the weights H_p + d_(p-4) - 2 d_(p-3) + d_(p-2), H_p of cubic Hermite."""
    stages, width = len(b), len(a)
    hermite = {2: [3 * x for x in b], 3: [-2 * x for x in b]}
    for power, at_start, at_end in ((2, -2, -1), (3, 1, 1)):
        hermite[power] += [mp.mpf(0)] * (width - stages)
        hermite[power][0] += at_start
        hermite[power][stages] += at_end
    columns = [i for i in range(width) if i >= stages or b[i] != 0]
    listed, d = conditions(a, order), {}
    for power in range(order, 1, -1):
        right = []
        for p, r, g in listed:
            value = 1 / mp.mpf(g) if r == power else mp.mpf(0)
            value -= mp.fdot(p, hermite.get(power, [0] * width))
            value += 2 * mp.fdot(p, d.get(power - 3, [0] * width)) - mp.fdot(p, d.get(power - 2, [0] * width))
            right.append(value)
        if power >= 4:
            d[power - 4] = solve([p for p, _, _ in listed], right, columns, width)
        else:  # nothing is left to choose
            assert all(abs(value) < DEPENDENT for value in right), "the lowest powers' conditions do not hold"
    return [d[n] for n in range(order - 3)]


def listed(rows):
    def number(x):
        return "0" if abs(x) < DEPENDENT else repr(float(x))

    return ", ".join("{" + ", ".join(map(number, row)) + "}" for row in rows)


print("/* Made by Scripts/make_dense_coefficients.py, which derives them: do not edit. Doubles nearest to 60 digits. */")
print("// clang-format off")
for name, (order, left_out, places) in METHODS.items():
    a, b = method(name)
    a = [row + [mp.mpf(0)] for row in a] + [b + [mp.mpf(0)]]  # the slope at the step's end
    a, rows = added_stages(a, b, left_out, places)
    print(f"#define CNF_DENSE_{name.upper()}_A {{{listed(rows)}}}")
    print(f"#define CNF_DENSE_{name.upper()}_D {{{listed(weights(a, b, order))}}}")
print("// clang-format on")
