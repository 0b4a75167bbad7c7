"""diffrax's side: jitted JAX, with the settings that were found to make it fastest.

- One compiled function a task. The state is (x, log_det): diffrax pools both in one RMS norm.
- The time column of the first layer is kept apart: x W + (t w + b) rather than a concatenation in every evaluation.
- The probe is int8, so that no cotangent of it is formed or carried through the adjoint ODE.
- `backprop` keeps a checkpoint of every step, so each is recomputed once.
- `adjoint` leaves the parameters' cotangents out of the error norm (Kidger et al. 2021, arXiv 2009.09457).
- The exact trace carries D tangents, starts from the first layer's columns and forms the last layer's diagonal only.
"""

from typing import ClassVar

import diffrax
import jax
import jax.numpy as jnp
import numpy as np

import worker
import workloads

MOST_STEPS = 1024
ADAPTIVE_CHECKPOINTS = 64  # more than any workload takes steps


class ClassicalRK4(diffrax.AbstractERK):
    """rk4 as cnf has it (Kutta 1901); diffrax ships no method with this tableau."""

    tableau: ClassVar = diffrax.ButcherTableau(
        c=np.array([1 / 2, 1 / 2, 1]),
        a_lower=(np.array([1 / 2]), np.array([0, 1 / 2]), np.array([0.0, 0, 1])),
        b_sol=np.array([1 / 6, 1 / 3, 1 / 3, 1 / 6]),
        b_error=np.zeros(4),
    )
    interpolation_cls: ClassVar = diffrax.ThirdOrderHermitePolynomialInterpolation.from_k

    def order(self, terms):
        return 4


def split(theta, layers):
    """[(W [in][out], b)], and the first layer's row for t before it."""
    parts = workloads.unflatten(theta, layers)
    weight, bias = parts[0]
    first = tuple(jnp.asarray(a) for a in (weight.T[:-1], weight.T[-1], bias))
    return first, [(jnp.asarray(w.T), jnp.asarray(b)) for w, b in parts[1:]]


def join(parts):
    """The inverse of `split`, as flat numpy."""
    (weight, time, bias), rest = parts
    whole = np.concatenate([np.asarray(weight), np.asarray(time)[None]])
    return workloads.flatten([(whole.T, bias)] + [(np.asarray(w).T, b) for w, b in rest])


def net(parts, t, x):
    (weight, time, bias), rest = parts
    x = x @ weight + (t * time + bias)
    for weight, bias in rest:
        x = jnp.tanh(x) @ weight + bias
    return x


def velocity(t, x, args):
    return net(args[0], t, x)


def velocity_and_probed_trace(t, state, args):
    parts, probe = args
    probe = probe.astype(state[0].dtype)
    value, tangent = jax.jvp(lambda x: net(parts, t, x), (state[0],), (probe,))
    return value, jnp.sum(probe * tangent, axis=-1)


def velocity_and_exact_trace(t, state, args):
    ((weight, time, bias), rest), _ = args
    z, tangents = state[0] @ weight + (t * time + bias), weight[:, None, :]  # [D][1][H]: the columns, for every sample
    for index, (weight, bias) in enumerate(rest):
        y = jnp.tanh(z)
        tangents = (1 - y * y) * tangents  # [D][batch][H]
        z = y @ weight + bias
        if index < len(rest) - 1:
            tangents = tangents @ weight
    return z, jnp.einsum("dbh,hd->b", tangents, weight)


FIELDS = {
    "train": velocity_and_probed_trace,
    "density-hutchinson": velocity_and_probed_trace,
    "density-exact": velocity_and_exact_trace,
    "sample": velocity,
}


class Program:
    compiles_in_first_run = False

    def __init__(self, job):
        theta, x, probe = job.arrays()
        self.job = job
        self.arguments = split(theta, job.workload.layers), jnp.asarray(x), jnp.asarray(probe.astype(np.int8))
        self.compiled = jax.jit(self.function(FIELDS[job.task])).lower(*self.arguments).compile()

    def function(self, field):
        """(loss, answers), and for training its gradient by the parameters."""
        job, dim = self.job, self.job.workload.dim
        t0, t1 = job.times
        is_fixed, is_adjoint = job.mode == "fixed", job.variant == "adjoint"
        controls = {"rtol": job.tolerance, "atol": job.tolerance}
        if is_adjoint:
            norm = {} if is_fixed else {"norm": diffrax.adjoint_rms_seminorm}
            adjoint = diffrax.BacksolveAdjoint(
                stepsize_controller=diffrax.ConstantStepSize() if is_fixed else diffrax.PIDController(**controls, **norm)
            )
        else:
            checkpoints = workloads.FIXED_STEPS + 1 if is_fixed else ADAPTIVE_CHECKPOINTS
            adjoint = diffrax.RecursiveCheckpointAdjoint(checkpoints=checkpoints)

        def solve(state, parts, probe):
            solution = diffrax.diffeqsolve(
                diffrax.ODETerm(field),
                ClassicalRK4() if is_fixed else diffrax.Dopri5(),
                t0,
                t1,
                (t1 - t0) / workloads.FIXED_STEPS if is_fixed else None,
                state,
                (parts, probe),
                stepsize_controller=diffrax.ConstantStepSize() if is_fixed else diffrax.PIDController(**controls),
                adjoint=adjoint,
                max_steps=workloads.FIXED_STEPS + 1 if is_fixed else MOST_STEPS,
            )
            return jax.tree_util.tree_map(lambda a: a[-1], solution.ys), solution.stats["num_steps"]

        def sample(parts, x, probe):
            states, steps = solve(x, parts, probe)
            return jnp.zeros(()), (states, jnp.zeros(x.shape[0]), steps)

        def loss(parts, x, probe):
            (states, log_det), steps = solve((x, jnp.zeros(x.shape[0])), parts, probe)
            nll = 0.5 * jnp.sum(states * states, axis=-1) + 0.5 * dim * np.log(2 * np.pi) - log_det
            return jnp.mean(nll), (states, log_det, steps)

        if job.task == "sample":
            return sample
        return jax.value_and_grad(loss, has_aux=True) if job.task == "train" else loss

    def run(self):
        self.results = jax.block_until_ready(self.compiled(*self.arguments))

    def values(self):
        return self.results[0] if self.job.task == "train" else self.results

    def outcome(self):
        loss, (states, log_det, _) = self.values()
        answers = {"states": np.asarray(states), "log_det": np.asarray(log_det)}
        if self.job.task == "train":
            answers |= {"loss": float(loss), "gradient": join(self.results[1])}
        return answers

    def counts(self):
        """Forward evaluations by steps: 4 each of rk4, 6 each of dopri5 and its first. Those of the adjoint ODE are counted."""
        steps = int(self.values()[1][2])
        forward = 4 * steps if self.job.mode == "fixed" else 6 * steps + 1
        backward = None
        if self.job.task == "train" and self.job.variant == "adjoint":
            backward = forward if self.job.mode == "fixed" else self.counted() - forward
        return {"evaluations": forward, "backward": backward, "version": f"diffrax {diffrax.__version__}, jax {jax.__version__}"}

    def counted(self):
        """Evaluations of forward and adjoint solve, by a field that calls back; compiled anew, never timed."""
        calls = []
        field = FIELDS[self.job.task]

        def calling(t, state, args):
            jax.debug.callback(lambda: calls.append(1))
            return field(t, state, args)

        jax.block_until_ready(jax.jit(self.function(calling))(*self.arguments))
        jax.effects_barrier()
        return len(calls)


if __name__ == "__main__":
    worker.serve(Program)
