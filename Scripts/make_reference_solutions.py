"""Makes Sources/TestProblems/Resources/references.json: end states of the ODE test problems, from extrapolation in 80-bit floats.

    python3 Scripts/make_reference_solutions.py > Sources/TestProblems/Resources/references.json

Problems are those of Sources/TestProblems/Problems (which cites them), written again here. Non-stiff ones: Gragg's extrapolation
of the modified midpoint rule; stiff ones: Bader and Deuflhard's of the linearly implicit one (Hairer, Norsett, Wanner I, II.9;
Hairer, Wanner II, IV.9), of variable step at tolerances below double's rounding. Each is made twice, the second time at
a smaller tolerance, and compared with another method (SciPy's DOP853 in double; extrapolation of the linearly implicit Euler
rule) or with published digits; the script fails where they are further apart than LIMITS. It takes a
few minutes and needs x86's 80-bit long double, numpy and scipy. Arguments are the names of problems to solve; without
any it solves all.
"""

import json
import sys

import numpy as np
from scipy.integrate import solve_ivp

REAL = np.longdouble
assert np.finfo(REAL).nmant >= 63, "long double is no wider than double here"

# ---- The problems: name -> (rates, start, end time)
# ----------------------------------------------------------------------


def array(values):
    return np.array(values)


def chain(rates, last):
    def f(t, y):
        flow = rates(len(y)) * y[:-1] if last else None
        out = np.zeros_like(y)
        out[:-1] -= flow
        out[1:] += flow
        return out

    return f


def diffusion(t, y):
    out = -2 * y
    out[1:] += y[:-1]
    out[:-1] += y[1:]
    return out


GRAVITY = 2.95912208286
SUN = 1.00000597682
MASSES = [0.000954786104043, 0.000285583733151, 0.0000437273164546, 0.0000517759138449, 0.00000277777777778]
PLACES = [
    [3.42947415189, 3.35386959711, 1.35494901715],
    [6.64145542550, 5.97156957878, 2.18231499728],
    [11.2630437207, 14.6952576794, 6.27960525067],
    [-30.1552268759, 1.65699966404, 1.43785752721],
    [-21.1238353380, 28.4465098142, 15.3882659679],
]
SPEEDS = [
    [-0.557160570446, 0.505696783289, 0.230578543901],
    [-0.415570776342, 0.365682722812, 0.169143213293],
    [-0.325325669158, 0.189706021964, 0.0877265322780],
    [-0.0240476254170, -0.287659532608, -0.117219543175],
    [-0.176860753121, -0.216393453025, -0.0148647893090],
]


def planets(t, y):
    places, speeds = y[:15].reshape(5, 3), y[15:]
    masses = np.array(MASSES, dtype=y.dtype)
    inverse_cubes = (places**2).sum(axis=1) ** -1.5
    pull = np.zeros_like(places)
    for j in range(5):
        pull[j] = -(SUN + masses[j]) * places[j] * inverse_cubes[j]
        for k in range(5):
            if k == j:
                continue
            apart = places[k] - places[j]
            pull[j] += masses[k] * (apart * (apart @ apart) ** y.dtype.type(-1.5) - places[k] * inverse_cubes[k])
    return np.concatenate([speeds, GRAVITY * pull.reshape(-1)])


def orbit(t, y):
    cube = (y[0] * y[0] + y[1] * y[1]) ** 1.5
    return array([y[2], y[3], -y[0] / cube, -y[1] / cube])


def b4(t, y):
    r = np.sqrt(y[0] * y[0] + y[1] * y[1])
    return array([-y[1] - y[0] * y[2] / r, y[0] - y[1] * y[2] / r, y[0] / r])


NON_STIFF = {
    "A1": (lambda t, y: -y, [1.0], 20.0),
    "A2": (lambda t, y: -(y**3) / 2, [1.0], 20.0),
    "A3": (lambda t, y: y * np.cos(t), [1.0], 20.0),
    "A4": (lambda t, y: y / 4 * (1 - y / 20), [1.0], 20.0),
    "A5": (lambda t, y: (y - t) / (y + t), [4.0], 20.0),
    "B1": (lambda t, y: array([2 * (y[0] - y[0] * y[1]), -(y[1] - y[0] * y[1])]), [1.0, 3.0], 20.0),
    "B2": (lambda t, y: array([-y[0] + y[1], y[0] - 2 * y[1] + y[2], y[1] - y[2]]), [2.0, 0.0, 1.0], 20.0),
    "B3": (lambda t, y: array([-y[0], y[0] - y[1] * y[1], y[1] * y[1]]), [1.0, 0.0, 0.0], 20.0),
    "B4": (b4, [3.0, 0.0, 0.0], 20.0),
    "B5": (lambda t, y: array([y[1] * y[2], -y[0] * y[2], -0.51 * y[0] * y[1]]), [0.0, 1.0, 1.0], 20.0),
    "C1": (chain(lambda n: np.ones(n - 1), True), [1.0] + [0.0] * 9, 20.0),
    "C2": (chain(lambda n: np.arange(1.0, n), True), [1.0] + [0.0] * 9, 20.0),
    "C3": (diffusion, [1.0] + [0.0] * 9, 20.0),
    "C4": (diffusion, [1.0] + [0.0] * 50, 20.0),
    "C5": (planets, sum(PLACES, []) + sum(SPEEDS, []), 20.0),
}
for number, eccentricity in enumerate([0.1, 0.3, 0.5, 0.7, 0.9], start=1):
    speed = np.sqrt((1 + eccentricity) / (1 - eccentricity))
    NON_STIFF[f"D{number}"] = (orbit, [1 - eccentricity, 0.0, 0.0, speed], 20.0)
NON_STIFF |= {
    "E1": (
        lambda t, y: array([y[1], -(y[1] / (t + 1) + (1 - 0.25 / ((t + 1) * (t + 1))) * y[0])]),
        [0.6713967071418030, 0.09540051444747446],
        20.0,
    ),
    "E2": (lambda t, y: array([y[1], (1 - y[0] * y[0]) * y[1] - y[0]]), [2.0, 0.0], 20.0),
    "E3": (lambda t, y: array([y[1], y[0] ** 3 / 6 - y[0] + 2 * np.sin(2.78535 * t)]), [0.0, 0.0], 20.0),
    "E4": (lambda t, y: array([y[1], 0.032 - 0.4 * y[1] * y[1]]), [30.0, 0.0], 20.0),
    "E5": (lambda t, y: array([y[1], np.sqrt(1 + y[1] * y[1]) / (25 - t)]), [0.0, 0.0], 20.0),
}


def van_der_pol(mu):
    square = mu * mu

    def f(t, y):
        return array([y[1], square * ((1 - y[0] * y[0]) * y[1] - y[0])])

    def jacobian(t, y):
        zero, one = 0 * y[0], 1 + 0 * y[0]
        return array([[zero, one], [square * (-2 * y[0] * y[1] - 1), square * (1 - y[0] * y[0])]])

    return f, jacobian


def robertson(t, y):
    a, b, c = 0.04 * y[0], 1e4 * y[1] * y[2], 3e7 * y[1] * y[1]
    return array([-a + b, a - b - c, c])


def robertson_jacobian(t, y):
    zero = 0 * y[0]
    return array(
        [
            [zero - 0.04, 1e4 * y[2], 1e4 * y[1]],
            [zero + 0.04, -1e4 * y[2] - 6e7 * y[1], -1e4 * y[1]],
            [zero, 6e7 * y[1], zero],
        ]
    )


def hires(t, y):
    z = 280 * y[5] * y[7]
    return array(
        [
            -1.71 * y[0] + 0.43 * y[1] + 8.32 * y[2] + 0.0007,
            1.71 * y[0] - 8.75 * y[1],
            -10.03 * y[2] + 0.43 * y[3] + 0.035 * y[4],
            8.32 * y[1] + 1.71 * y[2] - 1.12 * y[3],
            -1.745 * y[4] + 0.43 * y[5] + 0.43 * y[6],
            -z + 0.69 * y[3] + 1.71 * y[4] - 0.43 * y[5] + 0.69 * y[6],
            z - 1.81 * y[6],
            -z + 1.81 * y[6],
        ]
    )


def hires_jacobian(t, y):
    out = np.zeros((8, 8), dtype=np.asarray(y).dtype)
    out[0, :3] = [-1.71, 0.43, 8.32]
    out[1, :2] = [1.71, -8.75]
    out[2, 2:5] = [-10.03, 0.43, 0.035]
    out[3, 1:4] = [8.32, 1.71, -1.12]
    out[4, 4:7] = [-1.745, 0.43, 0.43]
    out[5, 3:7] = [0.69, 1.71, -0.43, 0.69]
    out[6, 6], out[7, 6] = -1.81, 1.81
    for row, sign in ((5, -1), (6, 1), (7, -1)):
        out[row, 5] += sign * 280 * y[7]
        out[row, 7] += sign * 280 * y[5]
    return out


STIFF = {f"VDP{power}": (*van_der_pol(10.0**power), [2.0, 0.0], 2.0) for power in (3, 4, 5, 6)}
STIFF["ROBER"] = (robertson, robertson_jacobian, [1.0, 0.0, 0.0], 1e11)
STIFF["HIRES"] = (hires, hires_jacobian, [1.0, 0, 0, 0, 0, 0, 0, 0.0057], 321.8122)

# Test Set for Initial Value Problem Solvers (Mazzia, Magherini; Bari 2008), at the end times above.
PUBLISHED = {
    "VDP3": [0.1706167732170483e1, -0.8928097010247975],
    "ROBER": [0.2083340149701255e-7, 0.8333360770334713e-13, 0.9999999791665050],
    "HIRES": [
        0.7371312573325668e-3,
        0.1442485726316185e-3,
        0.5888729740967575e-4,
        0.1175651343283149e-2,
        0.2386356198831331e-2,
        0.6238968252742796e-2,
        0.2849998395185769e-2,
        0.2850001604814231e-2,
    ],
}

# ---- Integrators
# ---------------------------------------------------------------------------------------------------------


def error_size(error, y, rtol, atol):
    return float(np.max(np.abs(error) / (atol + rtol * np.abs(y))))


def extrapolate(basic, counts, power, t, y, h, rtol, atol):
    """Aitken-Neville over steps h/n until two neighbours on the diagonal agree: the last, the size of their difference, and how
    many counts it took."""
    table = []
    size = np.inf
    for j, n in enumerate(counts):
        row = [basic(t, y, h, n)]
        if row[0] is None or not np.all(np.isfinite(row[0])):
            return None, np.inf, j
        for k in range(j):
            ratio = (REAL(n) / counts[j - 1 - k]) ** power - 1
            row.append(row[k] + (row[k] - table[j - 1][k]) / ratio)
        if j > 1:
            size = error_size(row[j] - row[j - 1], row[j], rtol, atol)
            if size <= 1:
                return row[j], size, j
        table.append(row)
    return table[-1][-1], size, len(counts)


# A step that converges this many columns before the last could have been longer.
SPARE = 4


def integrate(basic_at, counts, power, y, end, h, rtol, atol):
    """Steps of their own length from 0 to end: doubled where columns are left over, else by the last column's order."""
    t, y, end, h = REAL(0), np.array(y, dtype=REAL), REAL(end), REAL(h)
    while t < end:
        last = t + h * REAL(1.01) >= end
        if last:
            h = end - t
        result, size, columns = extrapolate(basic_at(t, y), counts, power, t, y, h, rtol, atol)
        if size <= 1:
            t, y = (end if last else t + h), result
        order = power * len(counts) - 1
        if columns < len(counts) - SPARE:
            factor = 2.0 if size <= 1 else 0.1
        else:
            factor = 0.9 * max(size, 1e-30) ** (-1 / order) if np.isfinite(size) else 0.1
        h *= REAL(min(2.0, max(0.1, factor)))
        assert t + h > t, "step too small"
    return y


def midpoint(f):
    """Gragg's modified midpoint rule with smoothing: an expansion in h^2."""

    def basic(t, y, h, n):
        step = h / n
        before, at = y, y + step * f(t, y)
        for i in range(1, n):
            before, at = at, before + 2 * step * f(t + i * step, at)
        return (at + before + step * f(t + h, at)) / 2

    return lambda t, y: basic


def factored(matrix):
    """Gaussian elimination with row pivots in the matrix's own precision (linalg has no long double): solves by it."""
    a, n, order = [list(row) for row in matrix], len(matrix), list(range(len(matrix)))
    for i in range(n):
        pivot = max(range(i, n), key=lambda r: abs(a[r][i]))
        a[i], a[pivot], order[i], order[pivot] = a[pivot], a[i], order[pivot], order[i]
        for r in range(i + 1, n):
            a[r][i] = a[r][i] / a[i][i]
            if a[r][i] != 0:
                for c in range(i + 1, n):
                    a[r][c] = a[r][c] - a[r][i] * a[i][c]

    def solve(right):
        b = [right[o] for o in order]
        for i in range(n):
            for c in range(i):
                b[i] = b[i] - a[i][c] * b[c]
        for i in reversed(range(n)):
            for c in range(i + 1, n):
                b[i] = b[i] - a[i][c] * b[c]
            b[i] = b[i] / a[i][i]
        return np.array(b, dtype=REAL)

    return solve


def implicit_midpoint(f, jacobian):
    """Bader and Deuflhard's linearly implicit midpoint rule with smoothing, for autonomous fields: an expansion in h^2."""

    def at_step(t0, y0):
        J = jacobian(t0, y0)

        def basic(t, y, h, n):
            step = h / n
            solve = factored(np.eye(len(y), dtype=REAL) - step * J)
            move = solve(step * f(t, y))
            y = y + move
            for _ in range(1, n):
                move = move + 2 * solve(step * f(t, y) - move)
                y = y + move
            return y + solve(step * f(t, y) - move)

        return basic

    return at_step


def implicit_euler(f, jacobian):
    """The linearly implicit Euler rule, for autonomous fields: an expansion in h."""

    def at_step(t0, y0):
        J = jacobian(t0, y0)

        def basic(t, y, h, n):
            solve = factored(np.eye(len(y), dtype=REAL) - h / n * J)
            for _ in range(n):
                y = y + solve(h / n * f(t, y))
            return y

        return basic

    return at_step


# ---- References
# ----------------------------------------------------------------------------------------------------------


# The largest difference allowed between two tolerances, and from the other method: DOP853 in double is itself no better
# than its rounding, some 1e-16 a step, amplified; Euler's is asked for 1e-11 a step (SciPy's Radau agrees to 1e-12 up
# to mu = 1e5, and gives up at 1e6); the published digits are those of a run in double.
LIMITS = {"non-stiff": (1e-12, 1e-12), "published": (1e-12, 1e-12), "Euler": (1e-12, 1e-9)}


def apart(a, b, floor):
    """The largest difference of two states, relative to each component, but at least to `floor`."""
    a, b = np.asarray(a, dtype=REAL), np.asarray(b, dtype=REAL)
    return float(np.max(np.abs(a - b) / (np.abs(b) + floor)))


def non_stiff(name):
    f, start, end = NON_STIFF[name]
    reference = integrate(midpoint(f), list(range(2, 26, 2)), 2, start, end, 0.1, 1e-17, 1e-19)
    tighter = integrate(midpoint(f), list(range(2, 30, 2)), 2, start, end, 0.05, 2e-18, 1e-20)
    other = solve_ivp(f, (0, end), start, method="DOP853", rtol=2.3e-14, atol=1e-16).y[:, -1]
    # as the benchmark measures: its absolute tolerance is its relative one
    floor = 1
    return tighter, apart(reference, tighter, floor), apart(other, tighter, floor), "non-stiff"


def onto_slow_manifold(y, eps):
    """Van der Pol's y' between jumps, by its series in eps = 1/mu^2 to eps^2: eps z' = (1 - y^2) z - y, z a function of y. There the
    extrapolation's columns share an error of some 1e-11 in z, of which they know nothing."""

    def leading(x):
        return x / (1 - x * x)

    def two_terms(x):
        slope = (1 + x * x) / (1 - x * x) ** 2
        return leading(x) + eps * slope * leading(x) / (1 - x * x)

    h = REAL(1e-5)
    slope = (two_terms(y + h) - two_terms(y - h)) / (2 * h)
    return (y + eps * slope * two_terms(y)) / (1 - y * y)


def stiff(name):
    f, jacobian, start, end = STIFF[name]
    method, counts = implicit_midpoint(f, jacobian), [2, 6, 10, 14, 22, 34, 50, 70]
    reference = integrate(method, counts, 2, start, end, 1e-13, 1e-14, 1e-24)
    tighter = integrate(method, counts, 2, start, end, 1e-14, 2e-15, 1e-25)
    if name.startswith("VDP"):
        for state in (reference, tighter):
            state[1] = onto_slow_manifold(state[0], REAL(10) ** (-2 * int(name[3:])))
    if name in PUBLISHED:
        return tighter, apart(reference, tighter, 0), apart(PUBLISHED[name], tighter, 0), "published"

    other = integrate(implicit_euler(f, jacobian), list(range(2, 12)), 1, start, end, 1e-14, 1e-11, 1e-22)
    other[1] = onto_slow_manifold(other[0], REAL(10) ** (-2 * int(name[3:])))
    return tighter, apart(reference, tighter, 0), apart(other, tighter, 0), "Euler"


def main(names):
    lines = []
    for name in names:
        result, itself, other, kind = (non_stiff if name in NON_STIFF else stiff)(name)
        print(f"{name}: between tolerances {itself:.1e}, {kind} {other:.1e}", file=sys.stderr, flush=True)
        assert itself <= LIMITS[kind][0] and other <= LIMITS[kind][1], name
        lines.append(f'"{name}": {json.dumps([float(value) for value in result])}')
    print("{\n" + ",\n".join(lines) + "\n}")


if __name__ == "__main__":
    main(sys.argv[1:] or [*NON_STIFF, *STIFF])
