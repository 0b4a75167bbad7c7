"""torchdiffeq's side: PyTorch, with the settings that were found to make it fastest.

- The vector field is compiled by torch.compile; `eager` is not. Value and tangent are written out, no autograd inside.
- The state is one tensor [x, log_det]: torchdiffeq's norm is then the RMS over both, the one that diffrax has.
- The time column of the first layer is kept apart: x W' + (t w + b) rather than a concatenation in every evaluation.
- `adjoint` leaves the parameters' cotangents out of the error norm (torchdiffeq's "seminorm").
- The exact trace carries D tangents, starts from the first layer's columns and forms the last layer's diagonal only.
- Denormal numbers are flushed to zero.
"""

import math

import numpy as np
import torch
import torchdiffeq
from torch.nn.functional import linear
from torchdiffeq._impl.fixed_grid import FixedGridODESolver
from torchdiffeq._impl.odeint import SOLVERS
from torchdiffeq._impl.rk_common import rk4_step_func

import worker
import workloads


class ClassicalRK4(FixedGridODESolver):
    """rk4 as cnf has it; what torchdiffeq calls rk4 is Kutta's 3/8 rule, at the same cost."""

    order = 4

    def _step_func(self, func, t0, dt, t1, y0):
        f0 = func(t0, y0)
        return rk4_step_func(func, t0, dt, t1, y0, f0=f0), f0


SOLVERS["classical-rk4"] = ClassicalRK4


class Field(torch.nn.Module):
    """dx/dt, with d log_det/dt where the task has one."""

    def __init__(self, theta, layers, probe, task):
        super().__init__()
        parts = [(torch.from_numpy(w.copy()), torch.from_numpy(b.copy())) for w, b in workloads.unflatten(theta, layers)]
        self.time = torch.nn.Parameter(parts[0][0][:, -1].clone())
        parts[0] = (parts[0][0][:, :-1].contiguous(), parts[0][1])
        self.weights = torch.nn.ParameterList([torch.nn.Parameter(w) for w, _ in parts])
        self.biases = torch.nn.ParameterList([torch.nn.Parameter(b) for _, b in parts])
        self.probe = torch.from_numpy(probe)
        self.dim = probe.shape[1]
        self.body = {"sample": self.velocity, "density-exact": self.with_exact_trace}.get(task, self.with_probed_trace)
        self.evaluations = 0

    def forward(self, t, state):
        self.evaluations += 1
        return self.body(t, state)

    def first(self, t, x):
        return linear(x, self.weights[0], t * self.time + self.biases[0])

    def rest(self):
        return list(zip(self.weights, self.biases))[1:]

    def velocity(self, t, x):
        z = self.first(t, x)
        for weight, bias in self.rest():
            z = linear(torch.tanh(z), weight, bias)
        return z

    def with_probed_trace(self, t, state):
        z, z_dot = self.first(t, state[:, : self.dim]), linear(self.probe, self.weights[0])
        for weight, bias in self.rest():
            y = torch.tanh(z)
            z, z_dot = linear(y, weight, bias), linear((1 - y * y) * z_dot, weight)
        return torch.cat([z, (self.probe * z_dot).sum(-1, keepdim=True)], -1)

    def with_exact_trace(self, t, state):
        z, tangents = self.first(t, state[:, : self.dim]), self.weights[0].T[:, None, :]  # [D][1][H]
        rest = self.rest()
        for index, (weight, bias) in enumerate(rest):
            y = torch.tanh(z)
            tangents = (1 - y * y) * tangents  # [D][batch][H]
            z = linear(y, weight, bias)
            if index < len(rest) - 1:
                tangents = linear(tangents, weight)
        trace = torch.matmul(tangents, rest[-1][0][:, :, None]).sum(0)
        return torch.cat([z, trace], -1)

    def joined(self, values):
        """Gradients by parameters, as flat numpy in cnf's layout."""
        count = len(self.weights)
        of = {parameter: values[index].numpy() for index, parameter in enumerate(self.parameters())}
        layers = [(of[self.weights[k]], of[self.biases[k]]) for k in range(count)]
        layers[0] = (np.concatenate([layers[0][0], of[self.time][:, None]], axis=1), layers[0][1])
        return workloads.flatten(layers)


class Program:
    compiles_in_first_run = True

    def __init__(self, job):
        torch.set_num_threads(job.threads)
        torch.set_num_interop_threads(1)
        torch.set_flush_denormal(True)
        theta, x, probe = job.arrays()
        self.job = job
        self.field = Field(theta, job.workload.layers, probe, job.task)
        if not job.variant.startswith("eager"):
            self.field.body = torch.compile(self.field.body, dynamic=False)
        x = torch.from_numpy(x)
        self.start = x if job.task == "sample" else torch.cat([x, torch.zeros(len(x), 1)], -1)
        self.times = torch.tensor(job.times)
        self.is_training, self.is_adjoint = job.task == "train", job.variant.endswith("adjoint")
        if job.mode == "fixed":
            self.options = {"method": "classical-rk4", "options": {"step_size": 1.0 / workloads.FIXED_STEPS}}
        else:
            self.options = {"method": "dopri5", "rtol": job.tolerance, "atol": job.tolerance}
        if self.is_training and self.is_adjoint and job.mode == "adaptive":
            self.options["adjoint_options"] = {"norm": "seminorm"}
        self.counted = {}

    def run(self):
        if self.is_training:
            self.field.evaluations = 0
            for parameter in self.field.parameters():
                parameter.grad = None
            solve = torchdiffeq.odeint_adjoint if self.is_adjoint else torchdiffeq.odeint
            self.end = solve(self.field, self.start, self.times, **self.options)[-1]
            self.loss = self.mean_nll()
            self.counted["evaluations"], self.field.evaluations = self.field.evaluations, 0
            self.loss.backward()
            self.counted["backward"] = self.field.evaluations if self.is_adjoint else None
        else:
            with torch.no_grad():
                self.field.evaluations = 0
                self.end = torchdiffeq.odeint(self.field, self.start, self.times, **self.options)[-1]
                self.loss = None if self.job.task == "sample" else self.mean_nll()
                self.counted["evaluations"] = self.field.evaluations

    def mean_nll(self):
        dim = self.field.dim
        squares = self.end[:, :dim].square().sum(-1)
        return (0.5 * squares - self.end[:, dim]).mean() + 0.5 * dim * math.log(2 * math.pi)

    def outcome(self):
        end, dim = self.end.detach().numpy(), self.field.dim
        log_det = np.zeros(len(end)) if self.job.task == "sample" else end[:, dim]
        answers = {"states": end[:, :dim], "log_det": log_det}
        if self.is_training:
            gradient = self.field.joined([parameter.grad for parameter in self.field.parameters()])
            answers |= {"loss": self.loss.item(), "gradient": gradient}
        return answers

    def counts(self):
        return self.counted | {"version": f"torchdiffeq {torchdiffeq.__version__}, torch {torch.__version__}"}


if __name__ == "__main__":
    worker.serve(Program)
