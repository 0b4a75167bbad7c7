/* cnf.h - continuous normalizing flows and neural ODEs on CPUs.
 *
 * This is the only public header of CNFKernels, and its manual. Read it from the top; what a first program needs comes first.
 *
 *   1  Conventions          5  Methods              9  Random numbers
 *   2  Status               6  Solver              10  Library and machine
 *   3  Field programs       7  Solve               11  Measuring
 *   4  Parameters           8  Loss and gradient    12  Dense output
 *
 * A first program, without error handling (Examples/c/first.c is the whole of it):
 *
 *     cnf_op ops[] = {
 *       {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},                    // block 1: t
 *       {.kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1},                                // block 2: [x, t]
 *       {.kind = CNF_OP_LINEAR, .input = 2, .input2 = CNF_NO_BLOCK, .rows = 64, .activation = CNF_ACTIVATION_TANH},
 *       {.kind = CNF_OP_LINEAR, .input = 3, .input2 = CNF_NO_BLOCK, .rows = 2, .activation = CNF_ACTIVATION_IDENTITY}};
 *     cnf_field *field;
 *     cnf_field_create(CNF_FLOAT32, 2, ops, 4, &field);
 *     cnf_solver_options options;
 *     cnf_solver_options_init(&options, sizeof options);                                         // dopri5, 1e-5, exact trace
 *     cnf_solver *solver;
 *     cnf_solver_create(field, &options, &solver);
 *     cnf_solve_input in = {.struct_size = sizeof in, .parameters = theta, .x0 = x, .count = n, .t0 = 1, .t1 = 0};
 *     cnf_solve_output out = {.struct_size = sizeof out, .x1 = z, .log_det = log_det};
 *     cnf_solve(solver, &in, &out);                             // log p(x) = log p0(z) + log_det
 */
#ifndef CNF_H
#define CNF_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CNF_VERSION_MAJOR 0
#define CNF_VERSION_MINOR 1
#define CNF_VERSION_PATCH 0

#if defined(__GNUC__)
#define CNF_API __attribute__((visibility("default")))
#else
#define CNF_API
#endif

/* ---- 1  Conventions ---------------------------------------------------------------------------------------------
 * Letters      B or count: samples of a call; D: rows of the state; P: parameters; K: probes.
 * Arrays       sample-major and row-major, contiguous: [count][D] holds sample i at offset i*D. Aligned as
 *              their element type. "dtype" below means float for a CNF_FLOAT32 field and double for a CNF_FLOAT64 field.
 * Time         a double everywhere. t1 < t0 is allowed: the solve then runs backward in time.
 * Options      structs that begin with struct_size: set it to sizeof of the struct, zero the rest, fill what you need.
 *              A field that is zero or NULL means the default named beside it. A struct grows at its end alone. From
 *              the first release on, a program built against an older header passes a smaller size, and is served as then.
 * Ownership    the caller owns every array. Inputs are never written. Outputs may not overlap inputs or each other,
 *              unless said otherwise. A NULL output is not computed.
 * Errors       every fallible call returns a cnf_status. On any status but CNF_OK and CNF_ERROR_CALLBACK no output has
 *              been written.
 *              The library never prints, exits or aborts.
 * Threads      handles that are const in a signature may be shared by threads. A cnf_solver serves one call at a time;
 *              use one solver per calling thread. Inside a call the library uses `threads` OpenMP threads.
 * Promises     a sample's results are bitwise the same alone or in any batch, at any place in it, at any number of
 *              threads (drawn probes belong to sample ids: give them where places differ); gradients are bitwise the
 *              same at any number of threads (see section 8 for their chunks).
 */

/* ---- 2  Status -------------------------------------------------------------------------------------------------- */

/* X(name, value, message): values are pinned for ever. */
#define CNF_STATUS_LIST(X)                                                                                             \
  X(CNF_OK, 0, "ok")                                                                                                   \
  X(CNF_ERROR_NULL, 1, "a required pointer is NULL")                                                                   \
  X(CNF_ERROR_STRUCT_SIZE, 2, "struct_size is not the size of any known version of the struct")                        \
  X(CNF_ERROR_DTYPE, 3, "unknown dtype, or one that an option does not go with")                                       \
  X(CNF_ERROR_SIZE, 4, "a size is zero, negative or so large that its product overflows")                              \
  X(CNF_ERROR_OP_KIND, 5, "unknown op kind")                                                                           \
  X(CNF_ERROR_OP_INPUT, 6, "an op reads a block, or weights, not there before it")                                     \
  X(CNF_ERROR_OP_SHAPE, 7, "an op's row counts do not fit")                                                            \
  X(CNF_ERROR_ACTIVATION, 8, "unknown activation")                                                                     \
  X(CNF_ERROR_FIELD_SHAPE, 9, "the last op does not have as many rows as the state")                                   \
  X(CNF_ERROR_METHOD, 10, "unknown method")                                                                            \
  X(CNF_ERROR_OPTION, 11, "an option is out of its range")                                                             \
  X(CNF_ERROR_TOLERANCE, 12, "tolerances must be finite, not negative, and not both zero")                             \
  X(CNF_ERROR_NOT_ADAPTIVE, 13, "the method has no error estimate: use CNF_CONTROL_FIXED")                             \
  X(CNF_ERROR_TRACE, 14, "the trace asked for does not fit the field program or the method")                           \
  X(CNF_ERROR_TIME, 15, "t0 and t1 must be finite")                                                                    \
  X(CNF_ERROR_STEP_FRACTIONS, 16, "step fractions must rise from 0 to 1")                                              \
  X(CNF_ERROR_ISA, 17, "this instruction set is unknown or this machine lacks it")                                     \
  X(CNF_ERROR_LOSS, 18, "unknown loss kind")                                                                           \
  X(CNF_ERROR_MEMORY, 19, "out of memory")                                                                             \
  X(CNF_ERROR_CALLBACK, 20, "the callback of a loss reported failure")                                                 \
  X(CNF_ERROR_OP_RESERVED, 21, "an op sets a member that its kind does not use")                                       \
  X(CNF_ERROR_KERNEL, 22, "a kernel's result is not that of the generic kernels")                                      \
  X(CNF_ERROR_REGULARISER, 23, "a regulariser is asked for that the solver was not created with")                      \
  X(CNF_ERROR_CALLBACK_TANGENT, 24, "this trace needs the `tangent` of every callback")                                \
  X(CNF_ERROR_CALLBACK_REVERSE, 25, "a gradient needs the `reverse` of every callback")                                \
  X(CNF_ERROR_CALLBACK_TANGENT_REVERSE, 26, "a divergence's gradient needs `tangent_reverse`")                         \
  X(CNF_ERROR_METHOD_GRADIENT, 27, "implicit_adams has the continuous adjoint only")                                   \
  X(CNF_ERROR_METHOD_SIZE, 28, "the state has too many rows for a Rosenbrock method, which takes 512")                 \
  X(CNF_ERROR_UNEQUAL_STEPS, 29, "a multistep method needs equal steps")                                               \
  X(CNF_ERROR_OUTPUT_TIMES, 30, "output times must run from t0 to t1, and suit control and method")                    \
  X(CNF_ERROR_CHECKPOINTS, 31, "checkpoint_bytes is less than one checkpoint takes")                                   \
  X(CNF_ERROR_SCHEDULE, 32, "every_k and binomial schedules are for Runge-Kutta and partitioned methods")              \
  X(CNF_ERROR_EVENT, 33, "an event lacks its `evaluate`, or its direction, tolerance or number is out of range")       \
  X(CNF_ERROR_EVENT_REVERSE, 34, "a gradient needs the `reverse` of every event")                                      \
  X(CNF_ERROR_EVENT_METHOD, 35, "events go with no Adams method or reversible_heun, nor with CNF_CONTROL_BATCH")       \
  X(CNF_ERROR_SPANS, 36, "samples that take common steps have a common t0 and t1")                                     \
  X(CNF_ERROR_METHOD_HALVES, 38, "a partitioned method needs an even number of rows: positions, then momenta")         \
  X(CNF_ERROR_REVERSIBLE, 39, "the reversible adjoint is for reversible_heun, which has no continuous one, nor batch") \
  X(CNF_ERROR_CONTEXT, 40, "a context is missing, or the field reads none, or its ops disagree on its rows")           \
  X(CNF_ERROR_OP_NUMBER, 41, "an op's epsilon is not above 0, its rate not in [0, 1), or its factor or offset infinite")

typedef enum cnf_status {
#define CNF_X(name, value, message) name = value,
  CNF_STATUS_LIST(CNF_X)
#undef CNF_X
} cnf_status;

/* A static, never NULL text for any value of `status`. Thread-safe. */
CNF_API const char *cnf_status_message(int32_t status);

/* How one sample's solve ended. The others are never affected. */
#define CNF_SAMPLE_STATUS_LIST(X)                                                                              \
  X(CNF_SAMPLE_OK, 0, "ok")                                                                                    \
  X(CNF_SAMPLE_MAX_STEPS, 1, "took the maximum number of steps before reaching its end time")                  \
  X(CNF_SAMPLE_STEP_TOO_SMALL, 2, "needs steps too small to change its time: stiff or singular field")         \
  X(CNF_SAMPLE_NOT_FINITE, 3, "state, field, log-determinant, regulariser or gradient became infinite or NaN") \
  X(CNF_SAMPLE_EVENT, 4, "an event's function is not a number, or its crossing has no derivative")

typedef enum cnf_sample_status {
#define CNF_X(name, value, message) name = value,
  CNF_SAMPLE_STATUS_LIST(CNF_X)
#undef CNF_X
} cnf_sample_status;

CNF_API const char *cnf_sample_status_message(int32_t status);

/* ---- 3  Field programs ------------------------------------------------------------------------------------------
 * A vector field dx/dt = f(x, t; theta) is a straight-line program over blocks of rows. Block 0 is the state x (D rows);
 * op number i makes block i+1 from blocks before it; the last block is dx/dt and has D rows.
 */
typedef enum cnf_dtype { CNF_FLOAT32 = 0, CNF_FLOAT64 = 1 } cnf_dtype;

#define CNF_STATE 0     /* the block that holds the state */
#define CNF_NO_BLOCK -1 /* an operand that an op does not have */

typedef enum cnf_op_kind {
  CNF_OP_LINEAR = 0,     /* rows x input: activation(W input + b); parameters W [rows][rows of input], b [rows] */
  CNF_OP_ACTIVATION = 1, /* activation(input), row by row */
  CNF_OP_TIME = 2,       /* one row: t */
  CNF_OP_ADD = 3,        /* input + input2, same rows: a residual connection */
  CNF_OP_CONCAT = 4,     /* rows of input, then rows of input2 */
  CNF_OP_CALLBACK = 5,   /* rows computed by the host: y = g(input, t), see cnf_callback */
  CNF_OP_MULTIPLY = 6,   /* input * input2, row by row; where input2 has one row, by that */
  CNF_OP_SLICE = 7,      /* `rows` rows of input, from its row `first` on */
  CNF_OP_CONTEXT = 8, /* `rows` rows that are given with a sample, the same over its solve: cnf_solve_input.context */
  CNF_OP_LAYER_NORM = 9, /* gain (input - mean) / sqrt(variance + number) + bias, mean and variance over the rows of a
                            sample; parameters gain [rows], bias [rows] (PyTorch's LayerNorm) */
  CNF_OP_DROPOUT = 10,   /* input, each row of it dropped (0) with probability `number`, else over 1 - number; which, is
                            drawn once for a sample's solve: cnf_solve_input.dropout_active */
  CNF_OP_SCALE = 11,     /* input times `number` plus `offset`, constants */
  CNF_OP_TRANSPOSED =
      12,         /* W' input, without bias, W the weights of the LINEAR op that made block `tied`: theta has them
                             once, and their gradient is the sum of both uses. What makes the gradient of a potential */
  CNF_OP_SUM = 13 /* one row: the sum of input's rows */
} cnf_op_kind;

/* X(name, value, C suffix, text)
 * gelu is z Phi(z), PyTorch's default form (by erf); elu has alpha = 1; logcosh is |z| + log(1 + e^(-2|z|)) = log(2 cosh z),
 * whose derivative is tanh: OT-Flow's antiderivTanh (Onken et al. 2021, arXiv 2006.00104). sin is meant for |z| up to 6435 in
 * float and 823551 in double, (2k + 1/2) pi: from there on it is 1 or -1, with derivative 0. */
#define CNF_ACTIVATION_LIST(X)                        \
  X(CNF_ACTIVATION_IDENTITY, 0, identity, "identity") \
  X(CNF_ACTIVATION_TANH, 1, tanh, "tanh")             \
  X(CNF_ACTIVATION_SOFTPLUS, 2, softplus, "softplus") \
  X(CNF_ACTIVATION_RELU, 3, relu, "relu")             \
  X(CNF_ACTIVATION_SILU, 4, silu, "silu")             \
  X(CNF_ACTIVATION_SIGMOID, 5, sigmoid, "sigmoid")    \
  X(CNF_ACTIVATION_GELU, 6, gelu, "gelu")             \
  X(CNF_ACTIVATION_ELU, 7, elu, "elu")                \
  X(CNF_ACTIVATION_SIN, 8, sin, "sin")                \
  X(CNF_ACTIVATION_LOGCOSH, 9, logcosh, "logcosh")

typedef enum cnf_activation {
#define CNF_X(name, value, suffix, text) name = value,
  CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
} cnf_activation;

/* An op that the host computes: y [rows] = g(x, t; theta), x the rows of the op's input, theta the op's own parameters. Slower
 * than the library's ops, and in every other respect one of them: alone or among others, with divergence and exact gradient.
 * Examples/c/callback_field.c has one.
 *
 * Every function works on a tile of `lanes` samples, feature-major: row r of lane j at r*lanes + j. t, t_bar [lanes]; x, x_dot,
 * x_bar, x_dot_bar [rows of input][lanes]; y, y_dot, y_bar, y_dot_bar [rows][lanes]; all dtype, `lanes` differing from
 * call to call (1 for calls of one or two samples in full precision). Outputs overlap no input.
 * Lanes        what is written to a lane depends on that lane's numbers alone, in the same way at every place and for every
 *              number of lanes: promises of section 1 rest on it. A lane fails by writing NaN, which gives its sample
 *              CNF_SAMPLE_NOT_FINITE, or by steps that become too small; a call cannot fail. Lanes without a sample
 *              hold numbers of no meaning, NaN among them; in the two reverse functions they hold those of another lane,
 *              with cotangents 0.
 * Theta        theta and theta_bar are dtype [parameter_count], in whatever order the callback likes; NULL where that is 0.
 *              theta_bar is the calling worker's own sum: added to, over all lanes in a fixed order, never overwritten. A
 *              lane whose cotangents are 0 must add exactly 0 to it.
 * Cotangents   x_bar, x_dot_bar and t_bar are all 0 at the call.
 * Threads      called from worker threads, several at a time, in no order that could be relied on, with the `context` of the
 *              op; numbers must depend on the arguments alone, since evaluations are made again.
 *
 * With J = dy/dx, and y_dot = J x_dot (t and theta held). A function that is NULL is missed only where it is needed. */
typedef struct cnf_callback {
  size_t struct_size;
  void *context;          /* handed to every function; must outlive the solvers of the field */
  size_t parameter_count; /* 0 is allowed */
  /* y = g(x, t): required. */
  void (*evaluate)(void *context, int32_t lanes, const void *t, const void *x, const void *theta, void *y);
  /* y_dot = J x_dot. NULL: CNF_TRACE_NONE only (refused: CNF_ERROR_CALLBACK_TANGENT). */
  void (*tangent)(void *context, int32_t lanes, const void *t, const void *x, const void *theta, const void *x_dot,
                  void *y_dot);
  /* x_bar = J' y_bar, t_bar = (dy/dt)' y_bar, theta_bar += (dy/dtheta)' y_bar. NULL: no gradients (CNF_ERROR_CALLBACK_REVERSE). */
  void (*reverse)(void *context, int32_t lanes, const void *t, const void *x, const void *theta, const void *y_bar,
                  void *x_bar, void *t_bar, void *theta_bar);
  /* Of s = y_dot_bar' J(x, t; theta) x_dot, lane by lane: x_dot_bar = J' y_dot_bar, x_bar = ds/dx, t_bar = ds/dt, theta_bar +=
   * ds/dtheta. NULL: gradients with CNF_TRACE_NONE only (CNF_ERROR_CALLBACK_TANGENT_REVERSE). */
  void (*tangent_reverse)(void *context, int32_t lanes, const void *t, const void *x, const void *theta,
                          const void *x_dot, const void *y_dot_bar, void *x_bar, void *x_dot_bar, void *t_bar,
                          void *theta_bar);
} cnf_callback;

typedef struct cnf_op {
  int32_t kind;                 /* cnf_op_kind */
  int32_t input;                /* block number of the first operand; CNF_NO_BLOCK for TIME and CONTEXT */
  int32_t input2;               /* block number of the second operand of ADD, CONCAT and MULTIPLY; else CNF_NO_BLOCK */
  int32_t rows;                 /* LINEAR, CALLBACK, SLICE and CONTEXT: rows of the result; else 0, it is derived */
  int32_t activation;           /* LINEAR and ACTIVATION: cnf_activation; else 0 */
  int32_t reserved[1];          /* zero */
  const cnf_callback *callback; /* CALLBACK: copied when the field is made; else NULL */
  int32_t first;                /* SLICE: first row; else 0 */
  int32_t tied;                 /* TRANSPOSED: block number of the LINEAR op whose weights are taken; else 0 */
  double number;                /* LAYER_NORM: epsilon, 0: 1e-5; DROPOUT: rate, in [0, 1); SCALE: factor; else 0 */
  double offset;                /* SCALE: what is added; else 0 */
} cnf_op;

typedef struct cnf_field cnf_field;

/* Checks the program and makes an immutable field. `ops` [op_count] is copied. On success *field must be destroyed. */
CNF_API cnf_status cnf_field_create(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count,
                                    cnf_field **field);
/* As cnf_field_create, and says which op is at fault: *bad_op is its number, or -1. bad_op may be NULL. */
CNF_API cnf_status cnf_field_create_explained(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count,
                                              cnf_field **field, int32_t *bad_op);
/* Why cnf_field_create refuses a program, which it does for the status that is returned: a sentence that names the op and the row
 * counts that do not fit, such as "op 2 (ADD) adds block 2 (CONCAT) of 3 rows and block 0 (the state) of 2 rows". At most
 * `size` - 1 characters and a 0 are written to `text`, which may be NULL where size is 0; "" where the program is accepted. */
CNF_API cnf_status cnf_field_explain(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count, char *text,
                                     size_t size);
/* NULL is a no-op. Solvers made from the field keep what they need: the field may go before them. */
CNF_API void cnf_field_destroy(cnf_field *field);

/* ---- 4  Parameters ----------------------------------------------------------------------------------------------
 * theta is one flat dtype array [P]: op after op, of a LINEAR op W [rows][cols] row-major, then b [rows] (the order of a
 * PyTorch nn.Sequential's state_dict), of a LAYER_NORM op gain [rows], then bias [rows], of a CALLBACK op its own parameters.
 */
CNF_API size_t cnf_field_parameter_count(const cnf_field *field); /* 0 for NULL */
/* Where op number `op` (a LINEAR) keeps its weight and bias in theta, and its shape. Outputs may be NULL. */
CNF_API cnf_status cnf_field_linear_layout(const cnf_field *field, int32_t op, size_t *weight_offset,
                                           size_t *bias_offset, int32_t *rows, int32_t *cols);
/* Where op number `op` (any kind) keeps its parameters in theta, and how many it has. Outputs may be NULL. */
CNF_API cnf_status cnf_field_op_parameters(const cnf_field *field, int32_t op, size_t *offset, size_t *count);

/* Rows of the context that every sample of a call has to bring: those of the CONTEXT ops, which all have the same; 0: none. */
CNF_API int32_t cnf_field_context_dim(const cnf_field *field);

/* ---- 5  Methods -------------------------------------------------------------------------------------------------
 * Methods are data. Explicit Runge-Kutta methods: k_i = f(t + c_i h, x + h sum_j a_ij k_j), x' = x + h sum_i b_i k_i, and the
 * embedded estimate of the step's error is h sum_i e_i k_i. Names, with the order of what is carried on:
 *   fixed steps   1 euler   2 midpoint heun2 ralston   3 heun3   4 rk4 rk4_38
 *   adaptive too  2 adaptive_heun fehlberg2   3 bosh3   5 dopri5 tsit5   7 vern7   8 dopri8
 *   stiff fields  4 rodas4, adaptive too
 *   two halves    1 symplectic_euler   2 leapfrog position_verlet   4 yoshida4
 *   reversible    2 reversible_heun, adaptive too
 * heun is another name of heun2, stormer_verlet of leapfrog. torchdiffeq means the same by the names it has, except that its rk4
 * is the 3/8 rule, rk4_38 here.
 *
 * Where an explicit method needs steps far shorter than its tolerance asks for, the field is stiff: take a Rosenbrock method,
 * rodas4 (Hairer and Wanner, Solving ODEs II, IV.7; L-stable, stiffly accurate). Each step factors a matrix of D x D, so that
 *     (1/gamma - h J) k_i = f(t + alpha_i h, x + h sum_j a_ij k_j) + sum_j c_ij k_j + d_i h df/dt,  x' = x + h sum_i b_i k_i,
 * J = df/dx by D tangents at the step's start, df/dt by a quotient of differences within the step. What follows from that:
 *   cost         D tangents, 3 D with a divergence, and D^3/3 multiply-adds a step; D up to 512 (CNF_ERROR_METHOD_SIZE)
 *   callbacks    need a `tangent` (CNF_ERROR_CALLBACK_TANGENT), which must be the derivative: an approximate J costs orders
 *   evaluations  each is counted once, the one that J comes with included; two more for df/dt where the program reads the time
 *                or has a callback, and two more for the divergence or the kinetic energy
 *   traces       NONE and EXACT_TANGENTS, which EXACT and AUTOMATIC come to; else CNF_ERROR_TRACE. The log-determinant and
 *                the regularisers are integrated to order 4 by Simpson's rule, and are no part of the error norm
 *   precision    MIXED is CNF_ERROR_DTYPE: bfloat16 would spoil J
 *   gradient     discrete: J and df/dt are differentiated too, so that it is that of the steps taken, exactly. It is the
 *                reverse of D tangents, whatever the trace: callbacks need `reverse` and `tangent_reverse`. A step is made
 *                again from its start, and store_bytes not used. Continuous: a stiff flow is unstable backward, so that x is
 *                kept, and the adjoint alone solved, by steps of the same method (section 8); callbacks need `tangent_reverse`
 *                with a divergence alone
 *
 * Adams methods, explicit_adams and implicit_adams, are for equal fixed steps, and as torchdiffeq has them. With m the option
 * `order` (12 where it is 0), a sample's slopes at its last steps' beginnings, k of them and m - 1 at most, are kept. While
 * k < 3, so always where m < 4, a step is one of rk4_38. Else
 *   explicit  x' = x + h sum_j b_j f(t - j h), j < k: Adams-Bashforth of order k
 *   implicit  x' = x + h (c_0 f(t + h, x') + sum_j c_j f(t + h - j h)), j = 1..k: Adams-Moulton of order k + 1, solved by
 *             iteration from the explicit one's x' until no component of x' - x changes by more than atol + rtol times its
 *             size (the options' rtol and atol); at most 4 times
 * k grows by one a step, but not where the iteration did not get so far: that step is taken as it is, and counted among the
 * sample's `rejected`. (torchdiffeq judges the whole batch, and warns; here a sample's iterations are its own.) As steps go to
 * 0, and iterations converge, the start decides the order: min(m - 1, 4) for the explicit, min(m, 5) for the implicit method,
 * where m is at least 4. Long explicit formulas are stable for short steps alone: h times a rate of decay must be below
 * 0.3, 0.088 and 0.0034 for k = 4, 6 and 11. The log-determinant and regularisers are summed by the same formulas, and the
 * log-determinant is a component of the iteration unless exclude_log_det.
 *   times        steps of one interval between output times may be longer than those of the one before: k is then 0, and
 *                the start is made anew; where they are as long, but for rounding of times, the slopes are kept. Steps of
 *                no length are of rk4_38, and leave the slopes alone. (torchdiffeq takes its formulas across unequal steps.)
 *   gradient     of explicit_adams discrete, evaluations being made again, store_bytes not used; that of implicit_adams would
 *                be of where its iterations happened to end: CNF_ERROR_METHOD_GRADIENT. The continuous adjoint serves both,
 *                its way back by as many steps of rk4_38
 *
 * Partitioned methods are for states of two halves, x = (q, p): positions, the first D/2 rows, and momenta (D is even:
 * CNF_ERROR_METHOD_HALVES). Each half has a tableau, a and b of q, momenta_a and momenta_b of p; a stage is one evaluation of the
 * whole field, and its slope moves one half. They are made for separable fields, q' = f_q(p, t), p' = f_p(q, t). Where these are
 * Hamiltonian, f_q = dT/dp and f_p = -dV/dq, a step is a symplectic map, and the energy's error stays of the step's order for
 * exponentially long times (Hairer, Lubich and Wanner, Geometric Numerical Integration, VI.3 and IX.8). leapfrog (kick, drift, kick),
 * position_verlet (drift, kick, drift) and yoshida4 are symmetric: as many steps back lead to x0, but for rounding.
 *   steps        fixed; no method has an embedded estimate
 *   t            a kick has the time that the positions have come to, a drift that of the momenta: leapfrog's kicks are at t
 *                and t + h, its drift at t + h/2. The order holds for fields that read t
 *   evaluations  2, 3, 3 and 7 a step: the half of each that is not used is computed too, so rk4 is cheaper than yoshida4 where
 *                nothing has to be kept
 *   other fields f_q that depends on q, or f_p on p: the same formulas, which are then of order 1, neither symplectic nor symmetric
 *   log_det      each stage's divergence with the mean of both halves' b. A separable field's is 0, and so is what exact traces
 *                give, to the bit: take CNF_TRACE_NONE. Hutchinson's estimate of it is integrated to order 1
 *   regularisers each half's rows with its own b: to the method's order in a separable field
 *   gradient     discrete, exact as any. Continuous: a_q goes with the momenta, a_p with the positions, and theta's quadrature
 *                takes each half's rows with its own b: to the method's order for what leaves the field separable
 *
 * reversible_heun (Kidger, Foster, Li and Lyons 2021, arXiv 2105.13493) carries y beside x, from y = x0 on:
 *     y' = 2x - y + h f(t, y),   x' = x + h/2 (f(t, y) + f(t', y')),
 * one evaluation a step, f(t', y') being the next one's f(t, y), and one at the start. Each step can be undone, exactly but for
 * rounding, which is what CNF_ADJOINT_REVERSIBLE does (section 8). Log-determinant and regularisers are summed by the same
 * trapezoid, and the error of an adaptive step is h/2 (f(t', y') - f(t, y)), as diffrax has it. It is stable where h times the
 * field's eigenvalues lie between -i and i alone: where states contract at a rate r, y - x, about (h r)^2/4 of them at first,
 * grows by e^{r t} instead. So it is for fields that contract mildly, e^{r (t1 - t0)} (h r)^2 being small, and no stiff ones.
 * CNF_ERROR_REVERSIBLE: CNF_CONTROL_BATCH, or the continuous adjoint.
 */
typedef enum cnf_family {
  CNF_FAMILY_RUNGE_KUTTA = 0,
  CNF_FAMILY_EXPLICIT_ADAMS = 1,
  CNF_FAMILY_IMPLICIT_ADAMS = 2,
  CNF_FAMILY_ROSENBROCK = 3,
  CNF_FAMILY_PARTITIONED = 4,
  CNF_FAMILY_REVERSIBLE = 5
} cnf_family;

typedef struct cnf_method_info {
  size_t struct_size;
  const char *name;       /* static */
  const char *citation;   /* static */
  int32_t order;          /* of the solution that is carried on */
  int32_t embedded_order; /* of the embedded solution; 0: none, fixed steps only */
  int32_t stages;
  int32_t is_fsal;   /* 1: the last stage is the first of the next step */
  int32_t a_stride;  /* elements from one row of a to the next */
  const double *a;   /* [stages][a_stride], strictly lower triangular; c_i is the sum of row i (RUNGE_KUTTA) */
  const double *b;   /* [stages] */
  const double *e;   /* [stages]; NULL where embedded_order is 0 */
  const char *alias; /* static: another name of the method; NULL: none */
  int32_t family; /* cnf_family: what a, b and e are coefficients of; of Adams methods stages is 0, and they are NULL */
  const double
      *momenta_a; /* [stages][a_stride]: PARTITIONED: of the second half of rows, a being the first half's; else NULL */
  const double *momenta_b; /* [stages]: likewise */
  /* dense output, section 12 */
  int32_t dense_order;        /* errors within a step are of its length to the power of this + 1 */
  int32_t dense_terms;        /* coefficients of a step's polynomial */
  const char *dense_citation; /* static */
} cnf_method_info;

CNF_API int32_t cnf_method_count(void);
/* Index of the method of this name or alias, or -1. */
CNF_API int32_t cnf_method_find(const char *name);
/* Fills *info, whose struct_size the caller has set; arrays are static. */
CNF_API cnf_status cnf_method_get(int32_t method, cnf_method_info *info);

/* ---- 6  Solver --------------------------------------------------------------------------------------------------
 * A solver is a field, a method and the memory to run them: the library allocates nothing after cnf_solver_create, except
 * for CNF_CONTROL_BATCH. (OpenMP starts its threads at the first call. Memory is mapped at creation, and touched when it
 * is first used.)
 */
typedef enum cnf_control {
  CNF_CONTROL_SAMPLE = 0, /* adaptive: every sample has its own steps */
  CNF_CONTROL_FIXED = 1,  /* `steps` equal steps, or the step fractions of the call */
  CNF_CONTROL_BATCH = 2 /* adaptive, one step size for the whole batch, as torchdiffeq: for comparison only. A sample's
                             answer then depends on its neighbours, and counts of steps and evaluations are those of the
                             search for the common steps. Allocates per call. */
} cnf_control;

typedef enum cnf_trace {
  CNF_TRACE_NONE = 0,           /* no divergence: log_det is 0 */
  CNF_TRACE_HUTCHINSON = 1,     /* mean over K probes of eps' J eps: unbiased */
  CNF_TRACE_EXACT = 2,          /* the cheaper of the two exact forms that fit */
  CNF_TRACE_EXACT_TANGENTS = 3, /* D tangents; fits every field whose callbacks have a tangent */
  CNF_TRACE_EXACT_PRODUCT = 4,  /* one hidden x hidden product; fits nets of at most two hidden layers */
  CNF_TRACE_AUTOMATIC = 5 /* exact when it costs at most twice as many multiply-adds as the probes, else Hutchinson */
} cnf_trace;

typedef enum cnf_probe { CNF_PROBE_RADEMACHER = 0, CNF_PROBE_GAUSSIAN = 1 } cnf_probe;

/* The instruction sets that bodies exist for. X(name, value, suffix, text) */
#define CNF_ISA_LIST(X)                                                                                         \
  X(CNF_ISA_GENERIC, 1, generic, "generic")                                                                     \
  X(CNF_ISA_AVX2, 2, avx2, "avx2")                                                                              \
  X(CNF_ISA_AVX512, 3, avx512, "avx512")                                                                        \
  X(CNF_ISA_AVX512BF16, 5, avx512bf16, "avx512bf16") /* AVX-512 with BF16: as avx512, but in mixed precision */ \
  X(CNF_ISA_NEON, 4, neon, "neon")                   /* AArch64 */

typedef enum cnf_isa {
  CNF_ISA_AUTOMATIC =
      0, /* the environment's CNF_ISA=generic|avx2|avx512|avx512bf16|neon if set, else the best of this machine */
#define CNF_X(name, value, suffix, text) name = value,
  CNF_ISA_LIST(CNF_X)
#undef CNF_X
} cnf_isa;

/* In which numbers a CNF_FLOAT32 field is run. MIXED: float for values, states and errors of steps; products of derivatives
 * (tangents, cotangents and weights' gradients) take operands that are rounded to bfloat16, 8 bits, and add in float. A
 * divergence and a gradient are then off by about 1/256 of their terms' size, so the error norm leaves the divergence out, as
 * exclude_log_det does. States are those of full precision with exclude_log_det, to the bit; the promises of section 1 hold. Twice the rate
 * with CNF_ISA_AVX512BF16; elsewhere operands are rounded and multiplied as floats, which saves nothing. */
typedef enum cnf_precision { CNF_PRECISION_FULL = 0, CNF_PRECISION_MIXED = 1 } cnf_precision;

/* Of a sample's errors against their tolerances. */
typedef enum cnf_norm {
  CNF_NORM_RMS = 0, /* root mean square */
  CNF_NORM_MAX = 1  /* the largest: every component keeps its tolerance */
} cnf_norm;

/* How cnf_solve_vjp differentiates; section 8 says what of. */
typedef enum cnf_adjoint {
  CNF_ADJOINT_DISCRETE = 0,   /* the steps that were taken, which are kept: exact */
  CNF_ADJOINT_CONTINUOUS = 1, /* the flow, by a second solve backward: no memory grows with steps, but of rodas4 */
  CNF_ADJOINT_REVERSIBLE = 2  /* reversible_heun: the steps that were taken, each undone on the way back: nor here */
} cnf_adjoint;

/* Which states CNF_ADJOINT_DISCRETE holds of the way forward, of steps whose evaluations are not kept (store_bytes). The others
 * are made again from the last one held before them, with the same bits: every schedule gives the same gradients. Runge-Kutta and
 * partitioned methods have them all, others EVERY_STEP alone, which AUTOMATIC is for them (CNF_ERROR_SCHEDULE). What grows
 * with the steps of every one of them is 32 bytes a step, its t and h among them: of each sample in a chunk where steps are
 * adaptive, else of the tile. Beside it
 *   EVERY_STEP   the state of every step;
 *   EVERY_K      of every k-th, and of the k - 1 in whose midst the reverse is: least where k is near the root of the steps.
 *                Each of the others is made once more;
 *   BINOMIAL     of c steps at most, c = checkpoint_bytes / (samples of a chunk * (size of a state + 12 bytes)), which
 *                cnf_solver_info has; a chunk is a tile where steps are fixed, else eight, however few a call fills.
 *                Griewank and Walther's order ("revolve", ACM TOMS 26(1), 2000): fixed steps, l of
 *                them, are made r l - C(c + r, r - 1) times in all, the way forward but for its last included, which is the least
 *                possible; r, the smallest number with C(c + r, c) >= l, is how often a step is made at most. Adaptive steps,
 *                whose number nobody knows beforehand, are made r l times at most (Wang, Moin and Iaccarino, SIAM J. Sci.
 *                Comput. 31(4), 2009), those of one sample; lanes that come to their checkpoints at different times wait
 *                for each other, some half of the lanes that a tile has. Every step that fits is held: with c >= l it is EVERY_STEP;
 *   AUTOMATIC    BINOMIAL, in a budget that is the machine's where none is given: so EVERY_STEP as long as that fits.
 * The two budgets go side by side. store_bytes is spent first, on the evaluations of a chunk's first steps, of which no state
 * is then held: it is bounded whatever the steps, and buys time; the schedule is for the steps after them. A worker's memory for a
 * reverse is at most store_bytes + checkpoint_bytes + the 32 bytes a step; least with store_bytes negative. (The scratch of one
 * step's evaluations is there in any case.) Address space is reserved for as many as there may be, and touched as used.
 */
typedef enum cnf_schedule {
  CNF_SCHEDULE_EVERY_STEP = 0,
  CNF_SCHEDULE_EVERY_K = 1,
  CNF_SCHEDULE_BINOMIAL = 2,
  CNF_SCHEDULE_AUTOMATIC = 3
} cnf_schedule;

/* Adaptive steps. With r the norm of an attempt's errors against their tolerances, r' and r" those of the sample's last two
 * accepted steps (1 where there are none) and k the embedded order + 1, an attempt is accepted where r is at most 1, and its
 * length multiplied by
 *     safety r^-((pcoeff + icoeff + dcoeff)/k) r'^((pcoeff + 2 dcoeff)/k) r"^-(dcoeff/k),
 * but by 1 to factor_max where r is below 1, by factor_min to safety where the step is refused (Soderlind 2003, ACM TOMS
 * 29(1); the letters are diffrax's). The integral controller (0, 1, 0) is torchdiffeq's; where its steps go up and down between
 * accepted and refused, proportional-integral ones such as (0.4, 0.3, 0) are calmer.
 */
typedef struct cnf_solver_options {
  size_t struct_size;
  int32_t method;    /* from cnf_method_find */
  int32_t control;   /* cnf_control */
  double rtol, atol; /* adaptive: error is measured against atol + rtol max(|x|, |x'|); implicit_adams: its iteration */
  double initial_step;     /* adaptive: length of the first step; 0: chosen (Hairer-Norsett-Wanner II.4) */
  double min_step;         /* adaptive: a shorter step ends the sample, unless it is the last or ends at an output
                              time; the first is never planned shorter; 0: 16 units in the last place of the larger of t
                              and 1e-12 t1 */
  int32_t max_steps;       /* adaptive: accepted and rejected steps together; 0: 4096 */
  int32_t steps;           /* CNF_CONTROL_FIXED: number of equal steps, between output times if there are any; at
                              least 1 unless the call gives fractions */
  int32_t trace;           /* cnf_trace */
  int32_t probe;           /* cnf_probe */
  int32_t probes;          /* K; 0: 1 */
  int32_t exclude_log_det; /* 1: the error norm covers the state alone; 0: state and log-determinant */
  int32_t threads;         /* 0: as many as OpenMP has */
  int32_t isa;             /* cnf_isa */
  int64_t store_bytes;     /* gradient: bytes per thread for evaluations kept between a solve and its reverse; those for
                              which there is no room are made again, with the same bits. 0: 32 MiB; negative: none */
  int32_t precision;       /* cnf_precision */
  int32_t norm;            /* adaptive: cnf_norm, of errors and of the first step's choice */
  double pcoeff, icoeff, dcoeff;       /* adaptive: the controller, see above; icoeff not negative, 0: 1 */
  double safety;                       /* adaptive: below 1; 0: 0.9 */
  double factor_min, factor_max;       /* adaptive: at most safety, and at least 1; 0: 0.2 and 10 */
  double max_step;                     /* adaptive: no step is longer; at least min_step; 0: none */
  const double *rtol_rows, *atol_rows; /* adaptive: [D], copied: each row's own, in place of rtol or atol, which the
                                          log-determinant keeps, so these are never both 0; NULL: rtol, atol */
  int32_t kinetic;                     /* 1: solves integrate the kinetic energy, 1/2 mean_D f^2, over |dt| */
  int32_t frobenius;                   /* 1: solves integrate the Jacobian's Frobenius norm, |J|_F^2 / D, over |dt| */
  int32_t order;                       /* Adams methods: m of section 5, 1 to 12; 0: 12 */
  int32_t adjoint;                     /* cnf_adjoint: how cnf_solve_vjp differentiates */
  double adjoint_rtol, adjoint_atol;   /* CONTINUOUS, adaptive: of the solve backward; 0: the solve's, row by row */
  int32_t schedule;                    /* cnf_schedule, of the discrete adjoint */
  int32_t checkpoint_every;            /* EVERY_K: k; 0: 8 */
  int64_t
      checkpoint_bytes; /* BINOMIAL, AUTOMATIC: of one thread's checkpoints; CNF_ERROR_CHECKPOINTS where not one fits. 0:
                               BINOMIAL 16 MiB, AUTOMATIC a quarter of the machine's memory over the threads, but one
                               checkpoint at least */
} cnf_solver_options;

/* Regularisers (RNODE, Finlay et al. 2020, arXiv 2002.02798) are quadratures by the method's weights over the accepted steps.
 * They are no part of the error norm, and positive whichever way time runs. The Frobenius norm is made of the tangents that
 * the trace takes: EXACT_TANGENTS give |J|_F^2 / D itself; HUTCHINSON the mean over its K probes of mean_D (J eps)^2, an
 * unbiased estimate as (eps' J)^2 is. Tangents then run through the whole net: about one last layer's product more for each
 * of them, in an evaluation and twice in its reverse. The product has no tangents: with `frobenius` EXACT comes to
 * EXACT_TANGENTS, AUTOMATIC to that or HUTCHINSON, and EXACT_PRODUCT and NONE are CNF_ERROR_TRACE. */

/* Fills in struct_size, which is the sizeof of the caller's struct, and the defaults: dopri5, CNF_CONTROL_SAMPLE, 1e-5/1e-5,
 * exact trace, all threads. Writes struct_size bytes, or nothing where that is no size that the struct has had. */
CNF_API cnf_status cnf_solver_options_init(cnf_solver_options *options, size_t struct_size);

typedef struct cnf_solver cnf_solver;

CNF_API cnf_status cnf_solver_create(const cnf_field *field, const cnf_solver_options *options, cnf_solver **solver);
CNF_API void cnf_solver_destroy(cnf_solver *solver); /* NULL is a no-op */

typedef struct cnf_solver_info {
  size_t struct_size;
  int32_t isa;   /* cnf_isa in use */
  int32_t lanes; /* samples of a tile */
  int32_t threads;
  int32_t trace;         /* what AUTOMATIC and EXACT came to: HUTCHINSON, EXACT_TANGENTS, EXACT_PRODUCT or NONE */
  size_t bytes;          /* allocated */
  size_t bytes_reserved; /* address space reserved for step records */
  int32_t schedule;      /* what AUTOMATIC came to, and BINOMIAL and EVERY_K where every step fits: EVERY_STEP */
  int32_t checkpoints;   /* states of a sample that may be held at once */
} cnf_solver_info;
CNF_API cnf_status cnf_solver_get_info(const cnf_solver *solver, cnf_solver_info *info);

/* What the solver's last cnf_solve or cnf_solve_vjp did, in evaluations of one lane of a tile: a tile is evaluated whole,
 * whether or not each of its lanes has a sample. */
typedef struct cnf_work {
  size_t struct_size;
  int64_t evaluations, idle_evaluations; /* of the solve; those in lanes without a sample */
  /* Of its reverse; those in lanes whose step was refused or that have no sample. The continuous adjoint reverses the stages
   * with weight of an accepted step once more, which is not counted. */
  int64_t adjoint_evaluations, idle_adjoint_evaluations;
  int64_t steps, steps_recomputed; /* of tiles, in the reverse; those whose evaluations had to be made again */
  int64_t
      steps_repeated; /* of tiles, in the reverse: made again from a checkpoint for the states between; each is then also
                             one of the steps above */
  int64_t repeated_evaluations, idle_repeated_evaluations; /* theirs; those in lanes that had nothing to make again */
} cnf_work;
CNF_API cnf_status cnf_solver_get_work(const cnf_solver *solver, cnf_work *work);

/* ---- 7  Solve ---------------------------------------------------------------------------------------------------
 * Output times cut the way from t0 to t1 into intervals. A step ends at each of them, so that states there are as good as at t1.
 * Adaptive steps are cut to end there; the next is as long as it would have been, or longer: k times cost about k steps.
 * Fixed steps: `steps` equal ones in every interval. A time may be t0, t1 or the time before it: its interval then has steps of
 * no length, one where steps are adaptive. CNF_ERROR_OUTPUT_TIMES: times beyond t0 or t1 or out of order; with step
 * fractions or CNF_CONTROL_BATCH; with an Adams method where samples have times of their own; more intervals than max_steps, or
 * more fixed steps in all of them.
 *
 * Samples may have times of their own. With t0s or t1s each runs from its t0 to its t1, forward, backward or not at all,
 * whatever its neighbours do: its numbers are, bit for bit, those of a call with that t0 and t1. Fixed steps and step fractions
 * divide its own way. Common output times must then lie on the way of every sample, in its order; those of sample_times on
 * that of their own sample (both at once: CNF_ERROR_OUTPUT_TIMES). Every method takes them, and every adjoint;
 * CNF_CONTROL_BATCH, whose steps are common, does not: CNF_ERROR_SPANS. A t0, t1 or way that is not finite: CNF_ERROR_TIME.
 */

/* Events. A sample stops where g(t, x) crosses zero: it is ok, its x1, log_det and t_reached are those of the crossing, `event` of
 * the output says which event it was, and output times from it on are NaN. g is looked at where steps end: two crossings within one
 * step are missed. A sample that starts where g is 0 has no sign yet, and no event until it has had one. The crossing is
 * looked for on the step's interpolant (section 12), then by steps of the method's own from where the step began, until it is
 * known to `tolerance`; the last is past it, so that a solve from there does not meet it again. That costs some 3 to 8 steps'
 * evaluations, which are counted, as no steps are. Of several events the first along the way counts. g that is NaN where a
 * step ends gives its sample CNF_SAMPLE_EVENT, where that step began.
 *
 * The event's time depends on everything before it, and so does the state there: gradients of both are exact, of the steps that
 * were taken, whose last one ends where g is 0. Cotangents of t_reached are in cnf_loss. Where g stands still along the flow,
 * dg/dt = 0 there, it has none: the sample keeps its x1, log_det and loss, adds 0 to every gradient, and has CNF_SAMPLE_EVENT.
 * Adaptive and fixed steps, both adjoints (Chen, Amos and Nickel 2021, arXiv 2011.03902, have the continuous one's rule); of
 * fixed steps evaluations are all made again in reverse. Not CNF_CONTROL_BATCH, no Adams method, not
 * reversible_heun (CNF_ERROR_EVENT_METHOD).
 */
#define CNF_MOST_EVENTS 8

typedef enum cnf_direction {
  CNF_DIRECTION_EITHER = 0,
  CNF_DIRECTION_RISING = 1,  /* as the sample travels, whichever way time runs: from negative to positive */
  CNF_DIRECTION_FALLING = -1 /* from positive to negative */
} cnf_direction;

/* The functions work on a tile as those of a cnf_callback do: lane by lane, from worker threads; lanes without a sample hold
 * numbers of no meaning. t, g and g_t [lanes] are doubles, x and g_x [D][lanes] dtype, feature-major. */
typedef struct cnf_event {
  size_t struct_size;
  void *context; /* handed to both functions */
  /* g(t, x): required. */
  void (*evaluate)(void *context, int32_t lanes, const double *t, const void *x, double *g);
  /* g_x = dg/dx, g_t = dg/dt, both to be written whole. NULL: no gradient (CNF_ERROR_EVENT_REVERSE). */
  void (*reverse)(void *context, int32_t lanes, const double *t, const void *x, void *g_x, double *g_t);
  int32_t direction; /* cnf_direction */
  int32_t reserved;  /* zero */
  double tolerance;  /* in time, at least 4 units in the last place of the larger of t0 and t1; 0: 16 of dtype's */
} cnf_event;

typedef struct cnf_solve_input {
  size_t struct_size;
  const void *parameters; /* dtype [P] */
  const void *x0;         /* dtype [count][D]: states at t0 */
  size_t count;           /* 0 is allowed: nothing is done */
  double t0, t1;
  const void *probes;         /* dtype [count][K][D], used as they are; NULL: drawn, see seed */
  uint64_t seed, step;        /* drawn probes are keyed by (seed, CNF_STREAM_PROBE, step, sample id, k*D + d); step and
                                   sample ids below 2^44 */
  const uint64_t *sample_ids; /* [count]; NULL: sample i has id i */
  const double *step_fractions; /* CNF_CONTROL_FIXED: [step_fraction_count] rising from 0 to 1, step i runs from
                                   t0 + f[i](t1 - t0) to t0 + f[i+1](t1 - t0); NULL: equal steps. Adams methods: equal
                                   ones to within rounding, else CNF_ERROR_UNEQUAL_STEPS */
  size_t step_fraction_count;
  const double *times;        /* [time_count]: output times of all samples, from t0 to t1 in the order of the solve */
  size_t time_count;          /* 0: none */
  const double *t0s, *t1s;    /* [count]: each sample's own t0, and t1, in place of the common one; NULL: that */
  const double *sample_times; /* [count][time_count]: each sample's own output times, in place of `times` */
  const cnf_event *events;    /* [event_count], at most CNF_MOST_EVENTS */
  size_t event_count;         /* 0: none */
  const void *context; /* dtype [count][C], C = cnf_field_context_dim: what CONTEXT ops read; NULL where C is 0, as it
                          must be there (CNF_ERROR_CONTEXT) */
  int32_t
      dropout_active;  /* 1: DROPOUT ops drop rows, and divide those that stay by 1 - rate; 0: they hand on their input.
                             Masks are keyed by (seed, CNF_STREAM_DROPOUT, step, sample id, row), rows counted over all DROPOUT
                             ops of the program in order: one mask for a whole solve and its reverse, so that the field is
                             as smooth as without and steps are about as many */
  int32_t reserved[1]; /* zero */
} cnf_solve_input;

typedef struct cnf_solve_output {
  size_t struct_size;
  void *x1;               /* dtype [count][D]: state at t1, or where a failed sample stopped; may be x0 itself */
  double *log_det;        /* [count]: log |det dx1/dx0| = integral of tr df/dx dt from t0 to t1 */
  double *t_reached;      /* [count]: t1 where the status is ok, or the event's time */
  int32_t *status;        /* [count]: cnf_sample_status */
  int32_t *accepted;      /* [count]: steps */
  int32_t *rejected;      /* [count]: steps; implicit_adams: accepted ones whose iteration did not converge */
  int32_t *evaluations;   /* [count]: of the field, those of rejected steps and of the first step's choice included */
  double *step_fractions; /* [count][step_fraction_stride]: accepted steps' ends as fractions, from 0; NaN after
                                   the last; what does not fit is left out */
  size_t step_fraction_stride;
  double *smallest_step;        /* [count]: length of the shortest accepted step, the last included; 0: none */
  int32_t *adjoint_evaluations; /* [count]: those that cnf_solve_vjp has reversed; of cnf_solve, 0 */
  /* Regularisers, as far as the sample came. Of either, where it is not NULL but the solver was created without it:
   * CNF_ERROR_REGULARISER. */
  double *kinetic;   /* [count]: integral of 1/2 mean_D f^2 over |dt| */
  double *frobenius; /* [count]: integral of |J|_F^2 / D over |dt|, or of its estimate */
  /* At the input's output times; NaN at those that a failed sample has not reached. */
  void *x_at;            /* dtype [count][time_count][D]: states */
  double *log_det_at;    /* [count][time_count]: log-determinants, from t0 on */
  double *retrace_error; /* [count]: CNF_ADJOINT_REVERSIBLE: largest distance of a component of x0 from where the way
                            back has ended; NaN where there was none, or it failed */
  /* Dense output: section 12. `dense` NULL: none, and the others are not written. */
  void *dense;             /* dtype [count][dense_stride][dense_terms of the method][D+1] */
  double *dense_ends;      /* [count][dense_stride + 1]: t0, then where each accepted step ends; NaN after the last */
  size_t dense_stride;     /* steps of a sample that there is room for */
  int32_t *dense_left_out; /* [count]: later steps, for which there was none */
  int32_t *event;          /* [count]: number of the event that ended the sample; -1: none */
} cnf_solve_output;

/* Carries every sample from t0 to t1. A sample that cannot get there has a status; the call is still CNF_OK.
 * With x0 = data, t0 = T, t1 = 0: log p(x) = log p0(x1) + log_det. */
CNF_API cnf_status cnf_solve(cnf_solver *solver, const cnf_solve_input *input, cnf_solve_output *output);

/* f(x0, t0) into `velocity`, dtype [count][D], and its divergence by the solver's trace into `divergence` [count]; t0s are
 * honoured. */
CNF_API cnf_status cnf_solver_evaluate(cnf_solver *solver, const cnf_solve_input *input, void *velocity,
                                       double *divergence);

/* ---- 8  Loss and gradient ---------------------------------------------------------------------------------------
 * The gradient is that of the steps that were taken: their places between t0 and t1, as fractions, are constants; with output
 * times, their places between the two times they lie between, each of which moves the steps on both its sides.
 *
 * With CNF_ADJOINT_CONTINUOUS it is that of the flow instead, as near as tolerances make it (Chen et al. 2018, arXiv
 * 1806.07366): state x and cotangent a are solved backward from t1 by the same method, x' = f, a' = -(df/dx)' a - (cotangent
 * of log_det) (d div/dx)', and theta's gradient is a quadrature over the accepted steps, outside the error norm. No step is
 * recorded, so memory does not grow with them. At an output time the way back ends a step, takes up the state that the solve
 * had there, which is all that is kept of it, and the cotangents given there; dL/dtimes[i] is theirs times f and the
 * divergence. A sample has its own steps backward, by adjoint_rtol and adjoint_atol, its cotangent measured against a power of
 * two near the largest that is given for it; the first is initial_step or the mean of the steps forward; max_steps holds once
 * more. With fixed steps, and CNF_CONTROL_BATCH, the steps are those of the solve. Losses, traces, callbacks and regularisers
 * are the same; CNF_PRECISION_MIXED is refused (CNF_ERROR_DTYPE): its cotangents are too rough for an error norm. A sample
 * that got to t1 but not back keeps its x1, log_det and loss, adds 0 to every gradient, and has the status and the t_reached
 * of its way back, and adjoint_evaluations 0; of others these are the stages of accepted and refused steps.
 *
 * With a Rosenbrock method the way back has a alone, which damps backward what the field damps forward: x(t) is read off the steps of
 * the way forward by their interpolant (section 12), for which each keeps 3 states and 32 bytes, in address space for max_steps (or
 * fixed steps) of every sample of a chunk, touched as used. So memory does grow with the accepted steps; it is that of
 * CNF_ADJOINT_DISCRETE and two states a step more. Steps back are the sample's own, of the same method: errors of a against
 * adjoint_rtol and adjoint_atol, and beside them how far x is from a cubic over the step, against those or rtol and atol where they are
 * larger. theta's gradient and the context's are one row more of the method, of its order and right past layers that a step does
 * not resolve. adjoint_evaluations are 8 an attempt: 6 stages, and 2 for d/dt.
 *
 * With CNF_ADJOINT_REVERSIBLE, of reversible_heun alone (CNF_ERROR_REVERSIBLE), the gradient is again that of the steps taken, and
 * no state is recorded: the way back undoes step after step. Memory does not grow with fixed steps; of adaptive ones t and h are
 * kept, 32 bytes a step and sample. The way back evaluates the field once and reverses it once a step. It comes to the states
 * of the way forward but for rounding, which grows as solutions part on the way back, by e^{r t} where the field contracts at
 * a rate r. `retrace_error` tells how far from x0 it ends: where that is not small beside the states, the gradient is that of
 * other steps, and CNF_ADJOINT_DISCRETE, which keeps y, has the right one. A sample that comes to numbers that are not finite
 * has CNF_SAMPLE_NOT_FINITE and adds 0 to every gradient, as one of a continuous adjoint that does not get back.
 *
 * Each chunk of samples is solved, given its cotangents and differentiated inside one task, so memory grows with threads,
 * not with count. A sample whose solve failed contributes 0 to every gradient, and its loss is NaN.
 *
 * A sample that arrives, but whose gradient is not finite (a net that saturates has an answer over infinite numbers inside), has
 * CNF_SAMPLE_NOT_FINITE, whatever the adjoint: it keeps its x1, log_det, loss and t_reached, adds 0 to every gradient, and the
 * others' are what they are without it. Its chunk is then gone over again, some times more to find it, and a CNF_OP_CALLBACK called as
 * often. Where each sample's is finite and their sum is not, the sum is infinite.
 */
typedef enum cnf_loss_kind {
  CNF_LOSS_COTANGENTS = 0, /* x1_bar and log_det_bar below are dL/dx1 and dL/dlog_det */
  CNF_LOSS_NORMAL_NLL = 1, /* scale * -(log N(x1; 0, I) + log_det), summed over samples */
  CNF_LOSS_CALLBACK = 2    /* any loss that is a sum over samples */
} cnf_loss_kind;

/* Called from worker threads, once per chunk of `count` samples that begins with sample `first` of the call.
 * In: x1 dtype [count][D], log_det [count], status [count]. Out: loss [count], x1_bar dtype [count][D], log_det_bar
 * [count]; all zero before the call; what it writes for failed samples is ignored. A result other than 0 makes the
 * whole call CNF_ERROR_CALLBACK. */
typedef int32_t (*cnf_loss_function)(void *context, size_t first, size_t count, const void *x1, const double *log_det,
                                     const int32_t *status, double *loss, void *x1_bar, double *log_det_bar);

typedef struct cnf_loss {
  size_t struct_size;
  int32_t kind;               /* cnf_loss_kind */
  double scale;               /* NORMAL_NLL: 1.0/count for a mean */
  const void *x1_bar;         /* COTANGENTS: dtype [count][D]; NULL: zeros */
  const double *log_det_bar;  /* COTANGENTS: [count]; NULL: zeros */
  cnf_loss_function function; /* CALLBACK */
  void *context;              /* CALLBACK */
  /* Of every kind: each sample's loss gains s (kinetic * its kinetic integral + frobenius * its Frobenius integral), where s
   * is `scale` for NORMAL_NLL and 1 else: for COTANGENTS they are dL/d(integral) of every sample; to what a CALLBACK has
   * written they are added when it has returned. Not 0 for a solver created without the regulariser: CNF_ERROR_REGULARISER. */
  double kinetic, frobenius;
  /* Of every kind: cotangents at the output times, added to the others; the loss that is reported leaves them out. A CALLBACK
   * may write its own samples' rows of these arrays, through its context: when it is called, x_at and log_det_at of the
   * output hold its samples' rows, and these are read when it has returned. */
  const void *x_at_bar;         /* dtype [count][time_count][D]: dL/dx_at; NULL: zeros */
  const double *log_det_at_bar; /* [count][time_count]: dL/dlog_det_at; NULL: zeros */
  /* Of every kind: [count]: dL/dt_reached, of samples that an event has ended; others' are not read. NULL: zeros. A CALLBACK may
   * write it as it may those above: t_reached and event of the output are then there. */
  const double *event_time_bar;
} cnf_loss;

typedef struct cnf_gradient {
  size_t struct_size;
  void *parameters; /* dtype [P], overwritten */
  void *x0;         /* dtype [count][D]: dL/dx0 */
  double *t0, *t1;  /* [count]: each sample's share of dL/dt0 and dL/dt1 */
  double *loss;     /* [count]: NaN where the solve failed; not written for COTANGENTS */
  double *times;    /* [count][time_count]: each sample's share of dL/dtimes[i] */
  void *context;    /* dtype [count][C]: dL/dcontext */
} cnf_gradient;

/* Solves, and differentiates the loss. `output` may be NULL. */
CNF_API cnf_status cnf_solve_vjp(cnf_solver *solver, const cnf_solve_input *input, const cnf_loss *loss,
                                 cnf_solve_output *output, cnf_gradient *gradient);

/* The field's own gradient, without a solve: one evaluation f = f(x0, t0; theta), and its divergence, of every sample and one
 * reverse, of the loss L. Flow matching, score matching and regression on a field want no more.
 * L is the sum of what is given, over all samples: f velocity_bar + divergence divergence_bar, and that of *loss. */
typedef enum cnf_field_loss_kind {
  CNF_FIELD_LOSS_TARGET = 0,  /* scale * weight * 1/2 |f - target|^2 */
  CNF_FIELD_LOSS_CALLBACK = 1 /* any loss that is a sum over samples */
} cnf_field_loss_kind;

typedef struct cnf_field_loss {
  size_t struct_size;
  int32_t kind;          /* cnf_field_loss_kind */
  double scale;          /* TARGET: 1.0/count for a mean over samples */
  const void *target;    /* TARGET: dtype [count][D] */
  const double *weights; /* TARGET: [count]; NULL: ones */
  /* CALLBACK: as that of cnf_loss, with f in place of x1 and the divergence in place of log_det. A sample whose x, context, f,
   * a block before that or divergence is not finite has status CNF_SAMPLE_NOT_FINITE, else CNF_SAMPLE_OK. */
  cnf_loss_function function;
  void *context;
} cnf_field_loss;

/* velocity_bar: dtype [count][D], divergence_bar: [count], loss: NULL is nothing of it. Of the input, t1, t1s and output times
 * are of no account, and are left alone. Of *gradient, `parameters`, `x0` (dL/dx), `t0` (each sample's dL/dt) and `loss`
 * (that of *loss, not written without one) are written; `t1` and `times` are not.
 * The divergence costs tangents: it is evaluated where divergence_bar or a CALLBACK may ask for it, and the solver has a trace,
 * whichever that is. A sample whose x, context, f, a block before that, or divergence so asked for is not finite contributes 0 to every
 * gradient, and its loss is NaN. Bits are the same at any number of threads, those of x0 and t0 the sample's own, all as of a step of euler of length
 * 1. Any method's solver will do. */
CNF_API cnf_status cnf_solver_evaluate_vjp(cnf_solver *solver, const cnf_solve_input *input, const void *velocity_bar,
                                           const double *divergence_bar, const cnf_field_loss *loss,
                                           cnf_gradient *gradient);

/* ---- 9  Random numbers ------------------------------------------------------------------------------------------
 * Philox4x32-10 (Salmon et al., SC 2011): counter-based, so a number depends on its key alone, not on who asks when.
 */
typedef enum cnf_stream {
  CNF_STREAM_PROBE = 0, /* used by the solver */
  CNF_STREAM_BASE = 1,  /* base samples */
  CNF_STREAM_SHUFFLE = 2,
  CNF_STREAM_INITIAL = 3, /* initial parameters */
  CNF_STREAM_DATA = 4,    /* generated data, dequantisation */
  CNF_STREAM_DROPOUT = 5, /* used by the solver */
  CNF_STREAM_USER = 16    /* and above: yours, up to 255 */
} cnf_stream;

CNF_API void cnf_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Number d of sample `first + i` into out[i*dim + d]; keyed by (seed, stream, step, sample, d). dtype as given.
 * stream < 256, step and samples < 2^44, dim < 2^34. */
CNF_API cnf_status cnf_random_normal(int32_t dtype, uint64_t seed, uint32_t stream, uint64_t step, uint64_t first,
                                     size_t count, size_t dim, void *out);
/* Uniform on [0, 1), never 1. */
CNF_API cnf_status cnf_random_uniform(int32_t dtype, uint64_t seed, uint32_t stream, uint64_t step, uint64_t first,
                                      size_t count, size_t dim, void *out);
/* -1 or 1. */
CNF_API cnf_status cnf_random_rademacher(int32_t dtype, uint64_t seed, uint32_t stream, uint64_t step, uint64_t first,
                                         size_t count, size_t dim, void *out);

/* ---- 10  Library and machine ------------------------------------------------------------------------------------ */
CNF_API const char *cnf_version(void);         /* "0.1.0", of the library that is loaded */
CNF_API const char *cnf_isa_name(int32_t isa); /* "avx512"; "unknown" */
CNF_API int32_t cnf_isa_is_available(int32_t isa);
CNF_API int32_t cnf_isa_best(void); /* what CNF_ISA_AUTOMATIC means now; 0 where CNF_ISA names none that is available */
CNF_API int32_t cnf_thread_count(void); /* what threads = 0 means */

/* ---- 11  Measuring ----------------------------------------------------------------------------------------------
 * How fast this machine is, and how near the kernels come to it, in one run. These calls use the calling thread alone, take
 * about the `seconds` they are given (above 0, at most 3600), and allocate. They may run side by side, and then measure that.
 */

/* Floating-point operations per second of one thread at most: independent chains of multiply-adds in registers, 2
 * operations each, the fastest of several runs. dtype: cnf_dtype; isa: cnf_isa. */
CNF_API cnf_status cnf_measure_peak(int32_t dtype, int32_t isa, double seconds, double *flops_per_second);

CNF_API int32_t cnf_kernel_count(void);              /* kernels that can be measured, numbered from 0 */
CNF_API const char *cnf_kernel_name(int32_t kernel); /* static: "product", "activation_tanh", ...; "unknown" */

typedef struct cnf_kernel_measure {
  size_t struct_size;
  double seconds;                   /* of a call: the median of the samples */
  double seconds_low, seconds_high; /* their lower and upper quartile */
  double flops;                     /* of a call: 2 rows cols lanes for each panel of a product; else 0 */
  double elements;                  /* numbers that a call walks: its panel, or its weights */
  int32_t samples;
  int32_t lanes; /* samples of a tile */
  int32_t isa;   /* cnf_isa that was measured */
} cnf_kernel_measure;

/* Times one kernel on a layer of `rows` x `cols` (1 to 8192 each) and one tile, its operands in cache as far as they fit:
 * what a chunk finds. Elementwise kernels walk `rows` alone. The result is compared first with the generic kernels':
 * CNF_ERROR_KERNEL where it differs by more than rounding; kernels named ..._bf16 are for CNF_FLOAT32 alone, else
 * CNF_ERROR_DTYPE. *out, whose struct_size the caller has set, is written on CNF_OK. */
CNF_API cnf_status cnf_measure_kernel(int32_t kernel, int32_t dtype, int32_t isa, int32_t rows, int32_t cols,
                                      double seconds, cnf_kernel_measure *out);

/* ---- 12  Dense output -------------------------------------------------------------------------------------------
 * A solve keeps the polynomials that its steps come with, where the output has an array for them, and its states can be read
 * at any time between, later and without the solver. A step from t_n of length h has coefficients c_p [D+1] of state and
 * log-determinant (from t0 on), p < dense_terms: at t_n + theta h these are sum_p c_p theta^p. They agree with the steps' ends
 * to rounding; the slope is continuous too, but not of methods of order 1 and 2 and of rodas4. Bits of the solve are as without.
 * With fixed steps of h errors between the ends are of h^(dense_order + 1), or of h^order, what states at the ends have, where
 * that is more:
 *   order 1, 2             the chord; the parabola through both ends with the slope at the first
 *   heun3 rk4 rk4_38 bosh3, Adams     3: cubic Hermite, by the slope at the step's end, one more evaluation (bosh3, adaptive: none)
 *   dopri5 tsit5           4: their own quartics; none more where steps are adaptive, else one
 *   vern7, dopri8          6, by 3 more evaluations; 7, by 5
 *   rodas4                 3, of its stages; the log-determinant by the parabola of its quadrature
 * Evaluations are made after accepted steps, and counted in `evaluations`. Regularisers have no dense output. With
 * CNF_CONTROL_BATCH a batch that fails has none. A sample with no way to go, or that fails before its first step is done, has
 * a step of no length, with its state.
 */
typedef struct cnf_dense {
  size_t struct_size;
  int32_t dtype;     /* cnf_dtype of the coefficients */
  int32_t state_dim; /* D */
  int32_t terms;     /* dense_terms of the method */
  int32_t reserved;  /* zero */
  size_t count, stride;
  const void *coefficients; /* dtype [count][stride][terms][D+1]: `dense` of the output */
  const double *ends;       /* [count][stride + 1]: dense_ends */
} cnf_dense;

/* State and log-determinant of one sample at `times` [time_count], in any order: x dtype [time_count][D], log_det [time_count];
 * either may be NULL. Where the sample has no step, be it that it failed before or that there was no room, they are NaN. The sums
 * are in double. Thread-safe. */
CNF_API cnf_status cnf_dense_evaluate(const cnf_dense *dense, size_t sample, const double *times, size_t time_count,
                                      void *x, double *log_det);

#ifdef __cplusplus
}
#endif
#endif
