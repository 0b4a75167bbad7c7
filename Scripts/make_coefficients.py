#!/usr/bin/env python3
"""Makes CSources/CNFKernels/simd/activations/coefficients.h: the minimax coefficients of the vector functions, in both dtypes.

Needs mpmath (1.3.0 was used), from PyPI. Each fit is Remez's exchange in 50 digits, linearised for rationals as in Cody,
Fraser and Hart 1968 (Numerische Mathematik 12). Coefficients are rounded to the dtype one after the other, from the lowest
power on, and what is left is fitted again after each: the rest makes up for what rounding took away. The error that is printed
with a fit is that of the rounded coefficients in exact arithmetic.

    python3 Scripts/make_coefficients.py            writes the header
    python3 Scripts/make_coefficients.py --check    fails where the header differs from what it would write
"""

import argparse
import pathlib
import sys

from mpmath import lu_solve, matrix, mp, mpf

HEADER = pathlib.Path(__file__).resolve().parent.parent / "CSources/CNFKernels/simd/activations/coefficients.h"
GRID = 600  # points at which the error of a fit is looked at
MARGIN = mpf(2) ** -12  # by which intervals are widened: an argument is reduced in rounded arithmetic

mp.dps = 50


def chebyshev(low, high, count):
    """Points that lie closer towards the ends, as the extrema of a minimax error do."""
    return [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * (2 * i + 1) / (2 * count)) for i in range(count)]


def polynomial(coefficients, x):
    return sum(value * x**power for power, value in coefficients.items())


def extrema(points, errors):
    """The largest error of each run of equal signs."""
    found = []
    for x, e in zip(points, errors):
        if found and (e > 0) == (found[-1][1] > 0):
            if abs(e) > abs(found[-1][1]):
                found[-1] = (x, e)
        else:
            found.append((x, e))
    return found


def remez(fit, p_fixed, q_fixed):
    """Minimax p/q with some coefficients given: (error, p, q), each {power: value}."""
    p_free = [k for k in range(fit.p_count) if k not in p_fixed]
    q_free = [k for k in range(fit.q_count) if k not in q_fixed]
    free = len(p_free) + len(q_free)
    grid = chebyshev(fit.low, fit.high, GRID)
    values = [fit.function(x) for x in grid]
    weights = [fit.weight(x) for x in grid]
    nodes = chebyshev(fit.low, fit.high, free + 1)
    q = dict(q_fixed)
    best = None
    for _ in range(20):
        p = dict(p_fixed)
        for _ in range(4 if q_free else 1):
            left, right = matrix(free + 1, free + 1), matrix(free + 1, 1)
            for i, x in enumerate(nodes):
                f = fit.function(x)
                for j, k in enumerate(p_free):
                    left[i, j] = x**k
                for j, k in enumerate(q_free):
                    left[i, len(p_free) + j] = -f * x**k
                left[i, free] = -((-1) ** i) * polynomial(q, x) / fit.weight(x)
                right[i] = f * polynomial(q_fixed, x) - polynomial(p_fixed, x)
            solution = lu_solve(left, right)
            p = {**p_fixed, **{k: solution[j] for j, k in enumerate(p_free)}}
            q = {**q_fixed, **{k: solution[len(p_free) + j] for j, k in enumerate(q_free)}}
        errors = [w * (polynomial(p, x) / polynomial(q, x) - f) for x, f, w in zip(grid, values, weights)]
        worst = max(abs(e) for e in errors)
        if best is None or worst < best[0]:
            best = (worst, p, q)
        peaks = extrema(grid, errors)
        while len(peaks) > free + 1:
            peaks.pop(0 if abs(peaks[0][1]) < abs(peaks[-1][1]) else -1)
        if len(peaks) < free + 1 or worst < mpf("1.02") * min(abs(e) for _, e in peaks):
            break
        nodes = [x for x, _ in peaks]
    return best


class Fit:
    """function(x) ~ p(x)/q(x) for low <= x <= high; what is made small is weight(x) * (p/q - function)."""

    def __init__(self, name, text, function, weight, low, high, p_count, q_count=1, first=None, scale=1):
        self.name, self.text, self.function, self.weight = name, text, function, weight
        self.low, self.high, self.p_count, self.q_count = mpf(low), mpf(high), p_count, q_count
        self.q_fixed = {0: mpf(scale)}
        self.p_fixed = {} if first is None else {0: mpf(first) * scale}  # the value at 0, to the bit

    def rounded(self, bits):
        """(error, p, q) with coefficients of so many bits."""
        p_fixed, q_fixed = dict(self.p_fixed), dict(self.q_fixed)
        error, p, q = remez(self, p_fixed, q_fixed)
        for power in range(max(self.p_count, self.q_count)):
            for coefficients, fixed, count in ((p, p_fixed, self.p_count), (q, q_fixed, self.q_count)):
                if power >= count or power in fixed:
                    continue
                fixed[power] = round_to(coefficients[power], bits)
                if len(p_fixed) + len(q_fixed) < self.p_count + self.q_count:
                    error, p, q = remez(self, p_fixed, q_fixed)
                    coefficients = p if fixed is p_fixed else q
        grid = chebyshev(self.low, self.high, 2000)
        error = max(abs(self.weight(x) * (polynomial(p_fixed, x) / polynomial(q_fixed, x) - self.function(x))) for x in grid)
        return error, p_fixed, q_fixed


def round_to(x, bits):
    with mp.workprec(bits):
        return +x


def hexadecimal(x, bits):
    """C's hexadecimal notation of a number of at most 53 bits."""
    text = float(x).hex()
    mantissa, exponent = text.split("p")
    mantissa = mantissa.rstrip("0") if "." in mantissa else mantissa
    return f"{mantissa.rstrip('.')}p{exponent}{'f' if bits == 24 else ''}"


def parts(x, widths):
    """x as a sum of numbers of so many bits, each rounded to nearest from what the ones before left."""
    found = []
    for bits in widths:
        found.append(round_to(x, bits))
        x -= found[-1]
    return found


def root(function):
    return lambda u: function(mp.sqrt(u))


def fits(bits):
    single = bits == 24
    tiny = mpf("1e-12")
    half_ln2 = mp.log(2) / 2 * (1 + MARGIN)
    half_pi = mp.pi / 2 * (1 + MARGIN)
    tail = mpf("13.25") if single else mpf("37.75")
    even = root(lambda r: r * mp.coth(r / 2))
    arc = root(lambda w: (mp.atanh(w) / w - 1) / w**2)
    sine = root(lambda r: (mp.sin(r) / r - 1) / r**2)
    cosine = root(lambda r: (mp.cos(r) - 1) / r**2)
    mills = lambda t: mp.exp(t * t / 2) * mp.erfc(t / mp.sqrt(2)) / 2
    half = root(lambda x: mp.tanh(x / 2) / x)
    yield Fit("EXP_EVEN", "r coth(r/2) in r^2, |r| <= ln(2)/2; relative", even, lambda v: 1 / even(v), tiny, half_ln2**2,
              3 if single else 6, first=2)
    yield Fit("ATANH_TAIL", "(atanh(w)/w - 1)/w^2 in w^2, w <= 1/3; relative to atanh(w)", arc, lambda u: u / (1 + u * arc(u)), tiny,
              mpf(1) / 9 * (1 + MARGIN), 4 if single else 10)
    yield Fit("SIN_TAIL", "(sin(r)/r - 1)/r^2 in r^2, |r| <= pi/2; relative to sin(r)", sine, lambda u: u / (1 + u * sine(u)), tiny,
              half_pi**2, 4 if single else 8)
    yield Fit("COS_TAIL", "(cos(r) - 1)/r^2 in r^2, |r| <= pi/2; of cos(r), absolute", cosine, lambda u: u, tiny, half_pi**2,
              5 if single else 9)
    yield Fit("MILLS", f"e^(t^2/2) Phi(-t) in t, 0 <= t <= {mp.nstr(tail, 4)}; relative", mills, lambda t: 1 / mills(t), 0, tail,
              5 if single else 11, 6 if single else 12, first=0.5)
    if single:
        # q(0) just below 1, not 1: then q, q^2 and p^2 + q^2 round by half as much. Of the 64ths 59 had the smallest
        # error.
        yield Fit("TANH", "tanh(x/2)/x in x^2, |x| <= 8.8; relative, over cosh(x)", half, lambda u: 1 / half(u) / mp.cosh(mp.sqrt(u)),
                  tiny, mpf("8.8") ** 2, 3, 4, first=0.5, scale=mpf(59) / 64)


def macro(name, numbers, bits):
    """#define name {numbers}, in lines of at most 120 columns."""
    words = [hexadecimal(x, bits) for x in numbers]
    lines, line = [], f"#define {name} {{"
    for i, word in enumerate(words):
        word += "}" if i == len(words) - 1 else ", "
        if len(line) + len(word) > 117:
            lines.append(line.rstrip())
            line = "  "
        line += word
    lines.append(line)
    return " \\\n".join(lines) + "\n"


def section(bits):
    text = ""
    for fit in fits(bits):
        error, p, q = fit.rounded(bits)
        text += f"\n/* {fit.text}: 2^{mp.nstr(mp.log(error, 2), 4)} */\n"
        if fit.q_count > 1:
            text += macro(fit.name + "_P", [p[k] for k in sorted(p)], bits) + macro(fit.name + "_Q", [q[k] for k in sorted(q)], bits)
        else:
            text += macro(fit.name, [p[k] for k in sorted(p)], bits)
    short = 13 if bits == 24 else 36
    text += "\n/* ln 2 and pi in parts, all but the last short: their products with small integers are exact */\n"
    text += macro("LN2_PARTS", parts(mp.log(2), [short, bits]), bits)
    short = 12 if bits == 24 else 33
    text += macro("PI_PARTS", parts(mp.pi, [short] * (3 if bits == 24 else 2) + [bits]), bits)
    last = 2**11 if bits == 24 else 2**18  # the largest multiple of pi: the products with its parts are exact up to twice it
    constants = {
        "LOG2_E": 1 / mp.log(2),
        "ONE_OVER_PI": 1 / mp.pi,
        "NORMAL_PEAK": 1 / mp.sqrt(2 * mp.pi),
        "SIN_END": (last + mpf(0.5)) * mp.pi,
    }
    for name, value in constants.items():
        text += f"#define {name} {hexadecimal(round_to(value, bits), bits)}\n"
    return text


def header():
    return (
        "/* Made by Scripts/make_coefficients.py, which says how. Coefficients of rising powers; each with the function, its\n"
        " * variable and interval, and the largest error of the rounded coefficients in exact arithmetic. */\n"
        "/* clang-format off */\n#if CNF_REAL_BITS == 32\n" + section(24) + "\n#else\n" + section(53) + "\n#endif\n/* clang-format on */\n"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    is_check = parser.parse_args().check
    made = header()
    if not is_check:
        HEADER.write_text(made)
    elif HEADER.read_text() != made:
        sys.exit(f"{HEADER} is not what this script makes")


if __name__ == "__main__":
    main()
