"""What is computed: the nets, batches and tasks that are compared, and the numbers that every program is given.

A workload is an MLP with tanh between its layers that sees [x, t] and gives dx/dt. Its weights are N(0, GAIN^2 / inputs), its
biases N(0, 0.1^2); data are standard normal; the probe is one Rademacher vector a sample. All are float32, drawn by numpy's
PCG64 from SEED, in this order: W and b of each layer (W as [in][out]), data, probe.
"""

from dataclasses import dataclass, replace

import numpy as np

GAIN = 2.0
BIAS_DEVIATION = 0.1
SEED = 0

FIXED_STEPS = 20  # of rk4
TOLERANCE = 1e-5  # of dopri5, relative and absolute

TASKS = ("train", "density-exact", "density-hutchinson", "sample")
MODES = ("fixed", "adaptive")


@dataclass(frozen=True)
class Workload:
    name: str
    dim: int
    hidden: tuple
    batch: int
    exact_batch: int = 0  # batch of density-exact where the whole one would keep a rival busy for minutes; 0: the whole

    @property
    def layers(self):
        """[(inputs, outputs)] of the linear layers; the first sees t too."""
        widths = (self.dim + 1, *self.hidden, self.dim)
        return list(zip(widths, widths[1:]))

    @property
    def multiply_adds(self):
        """Of one evaluation of the net: the sum of inputs times outputs."""
        return sum(inputs * outputs for inputs, outputs in self.layers)

    @property
    def shape(self):
        return f"{self.dim}:{'-'.join(map(str, self.hidden))}:{self.batch}"

    def with_batch(self, batch):
        return replace(self, batch=batch)


NAMED = {
    w.name: w
    for w in (
        Workload("W1", 2, (64, 64, 64), 512),
        Workload("W2", 6, (60, 60, 60), 10_000),
        Workload("W3", 43, (860, 860), 1_000, exact_batch=64),
        Workload("W4", 784, (1024, 1024), 256, exact_batch=4),
        Workload("W5", 43, (64, 64), 2_048),
    )
}


def parse(text):
    """A workload by name, or one of your own as D:h1-h2:batch."""
    if text in NAMED:
        return NAMED[text]
    try:
        dim, hidden, batch = text.split(":")
        workload = Workload(text, int(dim), tuple(int(h) for h in hidden.split("-")), int(batch))
    except ValueError:
        raise ValueError(f"workload '{text}' is none of {', '.join(NAMED)}, nor of the form D:h1-h2:batch") from None
    if min(workload.dim, workload.batch, *workload.hidden) < 1:
        raise ValueError(f"workload '{text}' has a size below 1")
    return workload


def draw(workload):
    """theta (flat, see `flatten`), data [batch][D] and probe [batch][D], float32."""
    random = np.random.default_rng(SEED)
    layers = []
    for inputs, outputs in workload.layers:
        weight = (random.standard_normal((inputs, outputs)) * (GAIN / np.sqrt(inputs))).astype(np.float32)
        bias = (BIAS_DEVIATION * random.standard_normal(outputs)).astype(np.float32)
        layers.append((weight.T, bias))
    data = random.standard_normal((workload.batch, workload.dim)).astype(np.float32)
    probe = (2.0 * random.integers(0, 2, data.shape) - 1.0).astype(np.float32)
    return flatten(layers), data, probe


def flatten(layers):
    """[(W [out][in], b [out])] as one array: W row by row, then b, layer after layer (section 4 of cnf.h)."""
    return np.concatenate([np.ravel(part) for layer in layers for part in layer])


def unflatten(theta, layers):
    """The inverse of `flatten`, for Workload.layers."""
    result, offset = [], 0
    for inputs, outputs in layers:
        weight = theta[offset : offset + inputs * outputs].reshape(outputs, inputs)
        offset += inputs * outputs
        result.append((weight, theta[offset : offset + outputs]))
        offset += outputs
    assert offset == theta.size, f"theta has {theta.size} numbers, the layers {offset}"
    return result
