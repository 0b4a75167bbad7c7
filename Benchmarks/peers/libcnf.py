"""libcnf through ctypes: the structs of cnf.h, field for field, and a handle for a field with its solver.

The mirrors are lists of (name, type) in the header's order. A field that cnf.h gains is one line here; until it is added,
`load` refuses the library where it is one of the options.
"""

import ctypes
from concurrent.futures import ThreadPoolExecutor
from ctypes import POINTER, byref, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint64, c_void_p, sizeof

import numpy as np

FLOAT32, FLOAT64 = 0, 1
STATE, NO_BLOCK = 0, -1
LINEAR, TIME, CONCAT = 0, 2, 4
IDENTITY, TANH = 0, 1
CONTROL_SAMPLE, CONTROL_FIXED = 0, 1
TRACE_NONE, TRACE_HUTCHINSON, TRACE_EXACT = 0, 1, 2
LOSS_NORMAL_NLL = 1
TRACE_NAMES = {0: "none", 1: "hutchinson", 3: "tangents", 4: "product"}  # those that cnf_solver_info reports


def struct(name, *fields, sized=True):
    """A ctypes struct; a sized one begins with struct_size, which is set at construction."""

    def init(self, **values):
        ctypes.Structure.__init__(self, **values)
        if sized:
            self.struct_size = sizeof(self)

    return type(
        name,
        (ctypes.Structure,),
        {"_fields_": ([("struct_size", c_size_t)] if sized else []) + list(fields), "__init__": init},
    )


Op = struct(
    "cnf_op",
    ("kind", c_int32),
    ("input", c_int32),
    ("input2", c_int32),
    ("rows", c_int32),
    ("activation", c_int32),
    ("reserved", c_int32 * 1),
    ("callback", c_void_p),
    ("first", c_int32),
    ("tied", c_int32),
    ("number", c_double),
    ("offset", c_double),
    sized=False,
)
MethodInfo = struct(
    "cnf_method_info",
    ("name", c_char_p),
    ("citation", c_char_p),
    ("order", c_int32),
    ("embedded_order", c_int32),
    ("stages", c_int32),
    ("is_fsal", c_int32),
    ("a_stride", c_int32),
    ("a", POINTER(c_double)),
    ("b", POINTER(c_double)),
    ("e", POINTER(c_double)),
    ("alias", c_char_p),
    ("family", c_int32),
    ("momenta_a", POINTER(c_double)),
    ("momenta_b", POINTER(c_double)),
    ("dense_order", c_int32),
    ("dense_terms", c_int32),
    ("dense_citation", c_char_p),
)
SolverOptions = struct(
    "cnf_solver_options",
    ("method", c_int32),
    ("control", c_int32),
    ("rtol", c_double),
    ("atol", c_double),
    ("initial_step", c_double),
    ("min_step", c_double),
    ("max_steps", c_int32),
    ("steps", c_int32),
    ("trace", c_int32),
    ("probe", c_int32),
    ("probes", c_int32),
    ("exclude_log_det", c_int32),
    ("threads", c_int32),
    ("isa", c_int32),
    ("store_bytes", c_int64),
    ("precision", c_int32),
    ("norm", c_int32),
    ("pcoeff", c_double),
    ("icoeff", c_double),
    ("dcoeff", c_double),
    ("safety", c_double),
    ("factor_min", c_double),
    ("factor_max", c_double),
    ("max_step", c_double),
    ("rtol_rows", c_void_p),
    ("atol_rows", c_void_p),
    ("kinetic", c_int32),
    ("frobenius", c_int32),
    ("order", c_int32),
    ("adjoint", c_int32),
    ("adjoint_rtol", c_double),
    ("adjoint_atol", c_double),
    ("schedule", c_int32),
    ("checkpoint_every", c_int32),
    ("checkpoint_bytes", c_int64),
)
SolverInfo = struct(
    "cnf_solver_info",
    ("isa", c_int32),
    ("lanes", c_int32),
    ("threads", c_int32),
    ("trace", c_int32),
    ("bytes", c_size_t),
    ("bytes_reserved", c_size_t),
    ("schedule", c_int32),
    ("checkpoints", c_int32),
)
SolveInput = struct(
    "cnf_solve_input",
    ("parameters", c_void_p),
    ("x0", c_void_p),
    ("count", c_size_t),
    ("t0", c_double),
    ("t1", c_double),
    ("probes", c_void_p),
    ("seed", c_uint64),
    ("step", c_uint64),
    ("sample_ids", c_void_p),
    ("step_fractions", c_void_p),
    ("step_fraction_count", c_size_t),
    ("times", c_void_p),
    ("time_count", c_size_t),
    ("t0s", c_void_p),
    ("t1s", c_void_p),
    ("sample_times", c_void_p),
    ("events", c_void_p),
    ("event_count", c_size_t),
    ("context", c_void_p),
    ("dropout_active", c_int32),
    ("reserved", c_int32 * 1),
)
SolveOutput = struct(
    "cnf_solve_output",
    ("x1", c_void_p),
    ("log_det", c_void_p),
    ("t_reached", c_void_p),
    ("status", c_void_p),
    ("accepted", c_void_p),
    ("rejected", c_void_p),
    ("evaluations", c_void_p),
    ("step_fractions", c_void_p),
    ("step_fraction_stride", c_size_t),
    ("smallest_step", c_void_p),
    ("adjoint_evaluations", c_void_p),
    ("kinetic", c_void_p),
    ("frobenius", c_void_p),
    ("x_at", c_void_p),
    ("log_det_at", c_void_p),
    ("reconstruction_error", c_void_p),
    ("dense", c_void_p),
    ("dense_ends", c_void_p),
    ("dense_stride", c_size_t),
    ("dense_left_out", c_void_p),
    ("event", c_void_p),
)
Loss = struct(
    "cnf_loss",
    ("kind", c_int32),
    ("scale", c_double),
    ("x1_bar", c_void_p),
    ("log_det_bar", c_void_p),
    ("function", c_void_p),
    ("context", c_void_p),
    ("kinetic", c_double),
    ("frobenius", c_double),
    ("x_at_bar", c_void_p),
    ("log_det_at_bar", c_void_p),
    ("event_time_bar", c_void_p),
)
Gradient = struct(
    "cnf_gradient",
    ("parameters", c_void_p),
    ("x0", c_void_p),
    ("t0", c_void_p),
    ("t1", c_void_p),
    ("loss", c_void_p),
    ("times", c_void_p),
    ("context", c_void_p),
)


def load(path):
    """The library, after a check that its options are those mirrored here."""
    library = ctypes.CDLL(path)
    for name in ("cnf_version", "cnf_status_message", "cnf_isa_name"):
        getattr(library, name).restype = c_char_p
    for name in ("cnf_field_destroy", "cnf_solver_destroy"):
        getattr(library, name).argtypes, getattr(library, name).restype = [c_void_p], None
    library.cnf_solver_options_init.argtypes = [POINTER(SolverOptions), c_size_t]
    library.cnf_method_find.argtypes = [c_char_p]
    library.cnf_field_create.argtypes = [c_int32, c_int32, POINTER(Op), c_int32, c_size_t, POINTER(c_void_p)]
    library.cnf_field_parameter_count.argtypes, library.cnf_field_parameter_count.restype = [c_void_p], c_size_t
    library.cnf_solver_create.argtypes = [c_void_p, POINTER(SolverOptions), POINTER(c_void_p)]
    library.cnf_solver_get_info.argtypes = [c_void_p, POINTER(SolverInfo)]
    library.cnf_solve.argtypes = [c_void_p, POINTER(SolveInput), POINTER(SolveOutput)]
    library.cnf_measure_peak.argtypes = [c_int32, c_int32, c_double, POINTER(c_double)]
    library.cnf_solve_vjp.argtypes = [
        c_void_p,
        POINTER(SolveInput),
        POINTER(Loss),
        POINTER(SolveOutput),
        POINTER(Gradient),
    ]

    if library.cnf_solver_options_init(byref(SolverOptions()), sizeof(SolverOptions)) != 0:
        raise RuntimeError(
            f"no version of cnf_solver_options in {path} has {sizeof(SolverOptions)} bytes, as it has in {__file__}: "
            "give its list there the fields that cnf.h has"
        )
    return library


def peak_gflops(library, threads, seconds=0.3):
    """What `threads` threads reach that do nothing but fused multiply-adds in registers, at the same time."""

    def measure(_):
        peak = c_double()
        check(library, library.cnf_measure_peak(FLOAT32, library.cnf_isa_best(), seconds, byref(peak)), "cnf_measure_peak")
        return 1e-9 * peak.value

    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(measure, range(threads)))


def check(library, status, call):
    if status != 0:
        raise RuntimeError(f"{call}: {library.cnf_status_message(status).decode()} (status {status})")


def address(array):
    return array.ctypes.data


def method_info(library, name):
    """A Runge-Kutta method's tableau as plain lists."""
    info = MethodInfo()
    method = library.cnf_method_find(name.encode())
    check(library, library.cnf_method_get(method, byref(info)), f"cnf_method_get('{name}')")
    n = info.stages
    return {
        "stages": n,
        "is_fsal": bool(info.is_fsal),
        "a": [[info.a[i * info.a_stride + j] for j in range(i)] for i in range(n)],
        "b": info.b[:n],
        "e": info.e[:n] if info.embedded_order else [0.0] * n,
    }


class Solver:
    """An MLP of [x, t] with tanh between its layers, and a solver of it."""

    def __init__(self, library, layers, dtype, method, **options):
        self.library, self.dtype = library, np.dtype(dtype)
        self.dim = layers[-1][1]
        ops = [
            Op(kind=TIME, input=NO_BLOCK, input2=NO_BLOCK),
            Op(kind=CONCAT, input=STATE, input2=1),
        ]
        for block, (_, outputs) in enumerate(layers, start=2):
            activation = IDENTITY if block == len(layers) + 1 else TANH
            ops.append(Op(kind=LINEAR, input=block, input2=NO_BLOCK, rows=outputs, activation=activation))
        code = FLOAT64 if self.dtype == np.float64 else FLOAT32
        self.field, self.handle = c_void_p(), c_void_p()
        program = (Op * len(ops))(*ops)
        status = library.cnf_field_create(code, self.dim, program, len(ops), sizeof(Op), byref(self.field))
        check(library, status, "cnf_field_create")
        self.parameters = library.cnf_field_parameter_count(self.field)

        values = SolverOptions()
        check(library, library.cnf_solver_options_init(byref(values), sizeof(values)), "cnf_solver_options_init")
        for name, value in options.items():
            setattr(values, name, value)
        values.method = library.cnf_method_find(method.encode())
        check(library, library.cnf_solver_create(self.field, byref(values), byref(self.handle)), "cnf_solver_create")
        self.info = SolverInfo()
        check(library, library.cnf_solver_get_info(self.handle, byref(self.info)), "cnf_solver_get_info")

    def prepare(self, theta, x0, t0, t1, probe):
        """Holds the arrays of one problem, and makes those of its answers."""
        count = len(x0)
        self.theta, self.x0, self.probe = (np.ascontiguousarray(array, self.dtype) for array in (theta, x0, probe))
        assert self.theta.size == self.parameters, f"{self.theta.size} parameters, {self.parameters} expected"
        self.x1, self.log_det = np.zeros_like(self.x0), np.zeros(count)
        self.losses, self.gradient = np.zeros(count), np.zeros_like(self.theta)
        self.status, self.accepted, self.rejected, self.evaluations = np.zeros((4, count), np.int32)
        self.input = SolveInput(
            parameters=address(self.theta), x0=address(self.x0), count=count, t0=t0, t1=t1, probes=address(self.probe)
        )
        self.output = SolveOutput(
            x1=address(self.x1),
            log_det=address(self.log_det),
            status=address(self.status),
            accepted=address(self.accepted),
            rejected=address(self.rejected),
            evaluations=address(self.evaluations),
        )
        self.loss = Loss(kind=LOSS_NORMAL_NLL, scale=1.0 / count)
        self.gradients = Gradient(parameters=address(self.gradient), loss=address(self.losses))

    def solve(self):
        status = self.library.cnf_solve(self.handle, byref(self.input), byref(self.output))
        check(self.library, status, "cnf_solve")

    def solve_vjp(self):
        status = self.library.cnf_solve_vjp(
            self.handle, byref(self.input), byref(self.loss), byref(self.output), byref(self.gradients)
        )
        check(self.library, status, "cnf_solve_vjp")
