"""Whether two programs computed the same, and how far each is from the truth."""

import numpy as np

import workloads

HALF_ULP = 2.0**-24  # of float, relative
# How much a solve may magnify an error that is made on the way: e^(L t) with L = 4 and t = 1. A tanh net whose weights
# have gain 2 stretches by some GAIN a layer where tanh is steep and by less where it saturates; 4 is taken for the
# whole.
MAGNIFICATION = 50
# Steps of an adaptive solve, forward and adjoint, each wrong by the tolerance.
ADAPTIVE_STEPS = 20


def rounding_bound(workload):
    """Same steps, float: `evaluations` sums of `widest` products, whose roundings add like a random walk, magnified.

    2e-4 for W1, 9e-4 for W4, below 1e-3 for every workload that is named."""
    evaluations = 4 * workloads.FIXED_STEPS
    widest = max(inputs for inputs, _ in workload.layers)
    return MAGNIFICATION * HALF_ULP * np.sqrt(evaluations * widest)


def method_bound():
    """Different steps, or another discretisation of the gradient: the tolerance a step, magnified.

    The adjoint of fixed steps is held to it too: it solves the adjoint ODE backward by rk4, and so is off by that method's error
    for 20 steps, which is of the tolerance's size."""
    return MAGNIFICATION * ADAPTIVE_STEPS * workloads.TOLERANCE


def relative(a, b):
    """|a - b| / |b| in the Euclidean norm, in double."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    return float(np.linalg.norm(a - b) / max(np.linalg.norm(b), np.finfo(np.float64).tiny))


def rms(a, b):
    return float(np.sqrt(np.mean(np.square(np.asarray(a, np.float64) - np.asarray(b, np.float64)))))


def disagreements(workload, job, variant, ours, theirs):
    """{quantity: relative difference}, and the sentences of those that are out of bounds. Samples that both have are compared."""
    same_steps = job["mode"] == "fixed"
    count = min(len(ours["states"]), len(theirs["states"]))
    found, complaints = {}, []

    def compare(name, a, b, bound):
        found[name] = relative(a, b)
        if not found[name] <= bound:
            complaints.append(f"{name} differs from {variant}'s by {found[name]:.1e}, more than {bound:.1e}")

    bound = rounding_bound(workload) if same_steps else method_bound()
    compare("states", ours["states"][:count], theirs["states"][:count], bound)
    if job["task"] != "sample":
        compare("log_det", ours["log_det"][:count], theirs["log_det"][:count], bound)
    if job["task"] == "train":
        compare("loss", ours["loss"], theirs["loss"], bound)
        is_discrete = same_steps and "backprop" in variant
        compare("gradient", ours["gradient"], theirs["gradient"], bound if is_discrete else method_bound())
    return found, complaints


def achieved(outcome, truth, task, count):
    """RMS errors over the first `count` samples: of states, of log-determinants, and of both pooled, a log-determinant
    counting as one more dimension; the last is what every program's step control looks at."""
    states, log_det = (rms(outcome[name][:count], truth[name][:count]) for name in ("states", "log_det"))
    dim = truth["states"].shape[1]
    pooled = states if task == "sample" else np.sqrt((dim * states**2 + log_det**2) / (dim + 1))
    return {"states": states, "log_det": log_det, "pooled": float(pooled), "samples": count}
