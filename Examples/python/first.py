"""Solves a linear flow through libcnf from Python, with nothing but the standard library.

    python3 first.py /path/to/libcnf.so      (or set CNF_LIBRARY)

The field is dx/dt = A x. Its solution is known: x(1) = exp(A) x(0), and log |det dx(1)/dx(0)| = tr(A). The program checks what it
prints, and exits with 1 if it is wrong. With numpy, pass `array.ctypes.data` where this program passes an array.
"""

import ctypes
import os
import sys
from ctypes import POINTER, byref, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint64, c_void_p, sizeof

FLOAT64, STATE, NO_BLOCK, LINEAR = 1, 0, -1, 0


# The structs of cnf.h, member for member.
class Op(ctypes.Structure):
    _fields_ = [(name, c_int32) for name in ("kind", "input", "input2", "rows", "activation")]
    _fields_ += [("reserved", c_int32 * 1), ("callback", c_void_p)]
    _fields_ += [("first", c_int32), ("tied", c_int32), ("number", c_double), ("offset", c_double)]


class SolverOptions(ctypes.Structure):
    _fields_ = [("struct_size", c_size_t), ("method", c_int32), ("control", c_int32)]
    _fields_ += [(name, c_double) for name in ("rtol", "atol", "initial_step", "min_step")]
    _fields_ += [
        (name, c_int32)
        for name in ("max_steps", "steps", "trace", "probe", "probes", "exclude_log_det", "threads", "isa")
    ]
    _fields_ += [("store_bytes", c_int64), ("precision", c_int32), ("norm", c_int32)]
    _fields_ += [
        (name, c_double)
        for name in ("pcoeff", "icoeff", "dcoeff", "safety", "factor_min", "factor_max", "max_step")
    ]
    _fields_ += [("rtol_rows", POINTER(c_double)), ("atol_rows", POINTER(c_double))]
    _fields_ += [("kinetic", c_int32), ("frobenius", c_int32), ("order", c_int32)]
    _fields_ += [("adjoint", c_int32), ("adjoint_rtol", c_double), ("adjoint_atol", c_double)]
    _fields_ += [("schedule", c_int32), ("checkpoint_every", c_int32), ("checkpoint_bytes", c_int64)]


class SolveInput(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("parameters", c_void_p),
        ("x0", c_void_p),
        ("count", c_size_t),
        ("t0", c_double),
        ("t1", c_double),
        ("probes", c_void_p),
        ("seed", c_uint64),
        ("step", c_uint64),
        ("sample_ids", POINTER(c_uint64)),
        ("step_fractions", POINTER(c_double)),
        ("step_fraction_count", c_size_t),
        ("times", POINTER(c_double)),
        ("time_count", c_size_t),
        ("t0s", POINTER(c_double)),
        ("t1s", POINTER(c_double)),
        ("sample_times", POINTER(c_double)),
        ("events", c_void_p),
        ("event_count", c_size_t),
        ("context", c_void_p),
        ("dropout_active", c_int32),
        ("reserved", c_int32 * 1),
        ("jump_times", POINTER(c_double)),
        ("jump_time_count", c_size_t),
        ("progress", c_void_p),
        ("progress_context", c_void_p),
    ]


class SolveOutput(ctypes.Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("x1", c_void_p),
        ("log_det", POINTER(c_double)),
        ("t_reached", POINTER(c_double)),
        ("status", POINTER(c_int32)),
        ("accepted", POINTER(c_int32)),
        ("rejected", POINTER(c_int32)),
        ("evaluations", POINTER(c_int32)),
        ("step_fractions", POINTER(c_double)),
        ("step_fraction_stride", c_size_t),
        ("smallest_step", POINTER(c_double)),
        ("adjoint_evaluations", POINTER(c_int32)),
        ("kinetic", POINTER(c_double)),
        ("frobenius", POINTER(c_double)),
        ("x_at", c_void_p),
        ("log_det_at", POINTER(c_double)),
        ("reconstruction_error", POINTER(c_double)),
        ("dense", c_void_p),
        ("dense_ends", POINTER(c_double)),
        ("dense_stride", c_size_t),
        ("dense_left_out", POINTER(c_int32)),
        ("event", POINTER(c_int32)),
    ]


def load(path):
    """Loads the library and declares the types that ctypes cannot guess. Handles are pointers; as int they would be cut to 32 bits."""
    library = ctypes.CDLL(path)
    library.cnf_version.restype = c_char_p
    library.cnf_status_message.restype = c_char_p
    library.cnf_field_create.argtypes = [c_int32, c_int32, POINTER(Op), c_int32, c_size_t, POINTER(c_void_p)]
    library.cnf_field_destroy.argtypes = [c_void_p]
    library.cnf_field_destroy.restype = None
    library.cnf_solver_options_init.argtypes = [POINTER(SolverOptions), c_size_t]
    library.cnf_solver_create.argtypes = [c_void_p, POINTER(SolverOptions), POINTER(c_void_p)]
    library.cnf_solver_destroy.argtypes = [c_void_p]
    library.cnf_solver_destroy.restype = None
    library.cnf_solve.argtypes = [c_void_p, POINTER(SolveInput), POINTER(SolveOutput)]
    return library


def check(library, status):
    if status != 0:
        raise RuntimeError(library.cnf_status_message(status).decode())


def exponential(a, terms=30):
    """exp(a) of a small 2x2 matrix, by its power series."""
    total, power = [[1.0, 0.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]
    for n in range(1, terms):
        power = [[sum(power[i][k] * a[k][j] for k in range(2)) / n for j in range(2)] for i in range(2)]
        total = [[total[i][j] + power[i][j] for j in range(2)] for i in range(2)]
    return total


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("CNF_LIBRARY", "libcnf.so")
    library = load(path)
    matrix = [[-0.5, 1.0], [-1.0, 0.2]]
    points = [[1.0, 0.0], [0.0, 1.0], [2.0, -1.0]]

    ops = (Op * 1)(Op(kind=LINEAR, input=STATE, input2=NO_BLOCK, rows=2))
    parameters = (c_double * 6)(*matrix[0], *matrix[1], 0, 0)  # W row by row, then b
    x0 = (c_double * 6)(*(value for point in points for value in point))
    x1, log_det, accepted = (c_double * 6)(), (c_double * 3)(), (c_int32 * 3)()

    field, solver = c_void_p(), c_void_p()
    try:
        check(library, library.cnf_field_create(FLOAT64, 2, ops, 1, sizeof(Op), byref(field)))
        options = SolverOptions()
        check(library, library.cnf_solver_options_init(byref(options), sizeof(options)))
        options.rtol = options.atol = 1e-10
        check(library, library.cnf_solver_create(field, byref(options), byref(solver)))

        inputs = SolveInput(
            struct_size=sizeof(SolveInput),
            parameters=ctypes.addressof(parameters),
            x0=ctypes.addressof(x0),
            count=3,
            t0=0.0,
            t1=1.0,
        )
        outputs = SolveOutput(
            struct_size=sizeof(SolveOutput), x1=ctypes.addressof(x1), log_det=log_det, accepted=accepted
        )
        check(library, library.cnf_solve(solver, byref(inputs), byref(outputs)))
    finally:
        library.cnf_solver_destroy(solver)
        library.cnf_field_destroy(field)

    print(f"cnf {library.cnf_version().decode()}")
    print("       x(0)                x(1)            log det   steps    error")
    flow, worst = exponential(matrix), 0.0
    for i, point in enumerate(points):
        expected = [flow[r][0] * point[0] + flow[r][1] * point[1] for r in range(2)]
        error = max(abs(x1[2 * i + d] - expected[d]) for d in range(2))
        error = max(error, abs(log_det[i] - (matrix[0][0] + matrix[1][1])))
        worst = max(worst, error)
        print(
            f"{point[0]:6.2f} {point[1]:6.2f}   {x1[2 * i]:10.6f} {x1[2 * i + 1]:10.6f}   {log_det[i]:8.5f}"
            f"   {accepted[i]:5d}   {error:.1e}"
        )
    # Each of a few tens of steps has a tolerance of 1e-10.
    return 0 if worst < 1e-8 else 1


if __name__ == "__main__":
    sys.exit(main())
