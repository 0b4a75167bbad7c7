"""cnf's side: libcnf through ctypes."""

import libcnf
import worker
import workloads

TRACES = {
    "train": libcnf.TRACE_HUTCHINSON,
    "density-hutchinson": libcnf.TRACE_HUTCHINSON,
    "density-exact": libcnf.TRACE_EXACT,
    "sample": libcnf.TRACE_NONE,
}


class Program:
    compiles_in_first_run = False

    def __init__(self, job):
        self.library = libcnf.load(job.library)
        is_fixed = job.mode == "fixed"
        self.method = job.method or ("rk4" if is_fixed else "dopri5")
        self.solver = libcnf.Solver(
            self.library,
            job.workload.layers,
            job.dtype,
            self.method,
            control=libcnf.CONTROL_FIXED if is_fixed else libcnf.CONTROL_SAMPLE,
            steps=workloads.FIXED_STEPS if is_fixed else 0,
            rtol=job.tolerance,
            atol=job.tolerance,
            trace=TRACES[job.task],
            threads=job.threads,
        )
        theta, x, probe = job.arrays()
        t0, t1 = job.times
        self.solver.prepare(theta, x, t0, t1, probe)
        self.is_training = job.task == "train"

    def run(self):
        if self.is_training:
            self.solver.solve_vjp()
        else:
            self.solver.solve()

    def outcome(self):
        failed = int((self.solver.status != 0).sum())
        if failed:
            raise RuntimeError(f"{failed} samples did not reach their end time")
        answers = {"states": self.solver.x1, "log_det": self.solver.log_det}
        if self.is_training:
            answers |= {"loss": self.solver.losses.sum(), "gradient": self.solver.gradient}
        return answers

    def counts(self):
        solver = self.solver
        return {
            "evaluations": float(solver.evaluations.mean()),
            "accepted": float(solver.accepted.mean()),
            "rejected": float(solver.rejected.mean()),
            "evaluations_most": int(solver.evaluations.max()),
            "tableau": libcnf.method_info(self.library, self.method),
            "trace": libcnf.TRACE_NAMES[solver.info.trace],
            "isa": self.library.cnf_isa_name(solver.info.isa).decode(),
            "version": self.library.cnf_version().decode(),
        }


if __name__ == "__main__":
    worker.serve(Program)
