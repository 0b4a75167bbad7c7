/* cnf.h - continuous normalizing flows and neural ODEs on CPUs.
 *
 * This is the only public header of CNFKernels, and its manual. It is valid C11 and C++.
 *
 * What the library does: a vector field dx/dt = f(x, t; theta) carries samples from t0 to t1. You describe f as a short
 * program of ops, or give it as C functions. The library solves the ODE for a batch of samples, integrates the
 * log-determinant of the map along the way, and differentiates a loss of the result.
 *
 * The simplest whole program prints the log-densities of three samples under the flow of a linear field:
 *
 *     #include <cnf.h>
 *     #include <stdio.h>
 *
 *     int main(void) {
 *       enum { D = 2, N = 3, P = 6 };                         // rows of the state, samples, parameters
 *       const cnf_op ops[] = {{.kind = CNF_OP_LINEAR, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = D}};
 *       const double theta[P] = {-0.5, 1.0, -1.0, 0.2, 0, 0}; // W row by row, then b: dx/dt = W x + b
 *       const double x[N][D] = {{1, 0}, {0, 1}, {2, -1}};     // the data, at t = 1
 *       double z[N][D], log_det[N];                           // results: the base, at t = 0
 *       cnf_field *field = NULL;
 *       cnf_solver *solver = NULL;
 *       cnf_solver_options options;
 *       cnf_solver_options_init(&options, sizeof options);    // dopri5, tolerances 1e-5, exact trace
 *
 *       cnf_status status = cnf_field_create(CNF_FLOAT64, D, ops, 1, sizeof(cnf_op), &field);
 *       if (status == CNF_OK) status = cnf_solver_create(field, &options, &solver);
 *
 *       cnf_solve_input in = {.struct_size = sizeof in, .parameters = theta, .x0 = x, .count = N, .t0 = 1, .t1 = 0};
 *       cnf_solve_output out = {.struct_size = sizeof out, .x1 = z, .log_det = log_det};
 *       if (status == CNF_OK) status = cnf_solve(solver, &in, &out);
 *
 *       // log p(x) = log N(z; 0, I) + log_det, where log N(z; 0, I) = -log(2 pi) - |z|^2 / 2 in the plane
 *       for (int i = 0; i < N && status == CNF_OK; i++)
 *         printf("log p = %.5f\n", -1.837877 - 0.5 * (z[i][0] * z[i][0] + z[i][1] * z[i][1]) + log_det[i]);
 *       if (status != CNF_OK) fprintf(stderr, "%s\n", cnf_status_message(status));
 *       cnf_solver_destroy(solver);
 *       cnf_field_destroy(field);
 *       return status != CNF_OK;
 *     }
 *
 * Build it with
 *
 *     cc -std=c11 density.c -o density $(pkg-config --cflags --libs cnf)
 *
 * In C++ the designated initializers need -std=c++20. With -Wextra, C++ compilers warn of members that they leave out;
 * these members are 0 as intended: add -Wno-missing-field-initializers, or write `cnf_solve_input in = {};` and assign
 * the members.
 *
 * Longer programs are in Examples/c: first.c has a neural net and checks its gradient; callback_loss.c trains with a
 * loss of its own; callback_field.c and callback_training.c compute their fields in C.
 *
 * Sections
 *
 *     1  Conventions           what holds for every function: arrays, ownership, errors, threads
 *     2  Status                what a call and a sample can return
 *     3  Field programs        how to describe dx/dt
 *     4  Parameters            where theta holds which weights
 *     5  Methods               names and limits of the ODE methods
 *     6  Solver                options: method, tolerances, trace, threads, memory
 *     7  Solve                 forward pass, output times, events
 *     8  Loss and gradient     backward pass
 *     9  Random numbers        counter-based noise
 *    10  Library and machine   version, instruction sets, threads
 *    11  Measuring             speed of this machine and of the kernels
 *    12  Dense output          states between the steps, after the solve
 *
 * In the source tree, Documentation/glossary.md explains the words used here. Documentation/methods.md has the
 * formulas, their sources, and advice on the choice of a method.
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
 * These rules hold for every function and struct, unless its own comment says otherwise.
 *
 * Letters      B or count: samples of a call. D: rows of the state. C: rows of the context. P: parameters. K: probes.
 * dtype        float for a CNF_FLOAT32 field, double for a CNF_FLOAT64 field.
 * Arrays       Contiguous and row-major, one row a sample: in [count][D], sample i begins at offset i*D. Arrays need
 *              only the alignment of their element type.
 * Time         A double, in the unit of the field's t. t1 < t0 is allowed: the solve then runs backward in time. Every
 *              function of yours gets t as a double. No evaluation, forward or backward, lies outside the closed
 *              interval from t0 to t1, not even by rounding. The exception is yoshida4, whose stages leave its steps.
 * Ownership    The caller owns every array. The library never writes inputs and keeps no pointer to them after a call.
 * Aliasing     Outputs may not overlap inputs or each other.
 * NULL         An output that is NULL is not computed. An input that is NULL means the default in its comment.
 * Structs      Structs that begin with struct_size: set it to sizeof of the struct, zero the rest, fill what you need.
 *              A member that is zero or NULL means its default. Structs grow only at their end. From the first release
 *              on, a program built with an older header passes a smaller size, and is served as it was then.
 * Errors       Every call that can fail returns a cnf_status. If it is not CNF_OK, CNF_ERROR_CALLBACK or
 *              CNF_ERROR_CANCELLED, no output has been written. A required pointer that is NULL gives CNF_ERROR_NULL; a
 *              wrong struct_size gives CNF_ERROR_STRUCT_SIZE. The library never prints, exits or aborts.
 * Threads      Calls may run at the same time if none writes an object that another uses. A const handle is only read,
 *              so threads may share it. A cnf_solver serves one call at a time: use one solver per calling thread.
 *              Inside a call the library uses `threads` threads: the caller's, and the solver's own, which sleep
 *              between calls. They block the signals that a host handles.
 * Fork         In the child of a fork a solver of the parent has no threads. Its calls run on the calling thread alone,
 *              with the same bits; a solver that the child creates has threads. A solver that was in a call of another
 *              thread when the process forked may not be used in the child.
 * Float mode   Calls compute in the default mode of IEEE 754 on all their threads: rounding to nearest, subnormal
 *              numbers kept (no FTZ, no DAZ). So results are the same bits whatever mode the host has set. Callbacks
 *              run in the default mode too. At its end a call restores the mode of the calling thread.
 * Callbacks    Functions of yours that the library calls: those of ops, events and losses. They must return. A C++
 *              exception or longjmp that leaves one is undefined behaviour, because the library is C: it may end the
 *              process or leave the solver unusable. Catch the exception inside, keep it in your context, and fail as
 *              the callback can: an op or an event writes NaN, a loss returns a number that is not 0. Throw it again
 *              when the call has returned.
 *
 * Promises
 *   - A sample's results are the same bits alone or in any batch, at any place in it, at any number of threads. (Drawn
 *     probes and dropout masks belong to sample ids: pass sample_ids if a sample's place differs between calls.)
 *   - A gradient is the same bits at any number of threads.
 *   - A sample that fails has a status of its own and never changes another sample.
 *   - The exception to the first and the last is CNF_CONTROL_BATCH, where all samples share their steps.
 */

/* ---- 2  Status -------------------------------------------------------------------------------------------------- */

/* How a call ended. X(name, value, message): values never change. */
#define CNF_STATUS_LIST(X)                                                                                           \
  X(CNF_OK, 0, "ok")                                                                                                 \
  X(CNF_ERROR_NULL, 1, "a required pointer is NULL")                                                                 \
  X(CNF_ERROR_STRUCT_SIZE, 2, "struct_size is not the size of any known version of the struct")                      \
  X(CNF_ERROR_DTYPE, 3, "unknown dtype, or an option that this dtype or method does not support")                    \
  X(CNF_ERROR_SIZE, 4, "a size is zero, negative or too large")                                                      \
  X(CNF_ERROR_OP_KIND, 5, "unknown op kind")                                                                         \
  X(CNF_ERROR_OP_INPUT, 6, "an op reads a block, or weights, that no earlier op makes")                              \
  X(CNF_ERROR_OP_SHAPE, 7, "the row counts of an op and its operands do not match")                                  \
  X(CNF_ERROR_ACTIVATION, 8, "unknown activation")                                                                   \
  X(CNF_ERROR_FIELD_SHAPE, 9, "the last op does not have as many rows as the state")                                 \
  X(CNF_ERROR_METHOD, 10, "unknown method")                                                                          \
  X(CNF_ERROR_OPTION, 11, "an option is out of its range")                                                           \
  X(CNF_ERROR_TOLERANCE, 12, "tolerances must be finite, not negative, and not both zero")                           \
  X(CNF_ERROR_NOT_ADAPTIVE, 13, "the method has no error estimate: use CNF_CONTROL_FIXED")                           \
  X(CNF_ERROR_TRACE, 14, "the field program or the method does not support this trace")                              \
  X(CNF_ERROR_TIME, 15, "t0 and t1 must be finite")                                                                  \
  X(CNF_ERROR_STEP_FRACTIONS, 16, "step fractions must rise from 0 to 1")                                            \
  X(CNF_ERROR_ISA, 17, "the instruction set is unknown, or this machine does not have it")                           \
  X(CNF_ERROR_LOSS, 18, "unknown loss kind")                                                                         \
  X(CNF_ERROR_MEMORY, 19, "out of memory")                                                                           \
  X(CNF_ERROR_CALLBACK, 20, "the callback of a loss reported failure")                                               \
  X(CNF_ERROR_OP_RESERVED, 21, "an op sets a member that its kind does not use")                                     \
  X(CNF_ERROR_KERNEL, 22, "a kernel's result differs from that of the generic kernel")                               \
  X(CNF_ERROR_REGULARISER, 23, "the solver was created without this regulariser")                                    \
  X(CNF_ERROR_CALLBACK_TANGENT, 24, "this trace or method needs the `tangent` of every callback")                    \
  X(CNF_ERROR_CALLBACK_REVERSE, 25, "a gradient needs the `reverse` of every callback")                              \
  X(CNF_ERROR_CALLBACK_TANGENT_REVERSE, 26, "the gradient of a divergence needs `tangent_reverse`")                  \
  X(CNF_ERROR_METHOD_GRADIENT, 27, "implicit_adams has the continuous adjoint only")                                 \
  X(CNF_ERROR_METHOD_SIZE, 28, "a Rosenbrock method takes at most 512 rows of state")                                \
  X(CNF_ERROR_UNEQUAL_STEPS, 29, "a multistep method needs equal steps")                                             \
  X(CNF_ERROR_OUTPUT_TIMES, 30, "output times must run from t0 to t1, and suit control and method")                  \
  X(CNF_ERROR_CHECKPOINTS, 31, "checkpoint_bytes is too small for one checkpoint")                                   \
  X(CNF_ERROR_SCHEDULE, 32, "only Runge-Kutta and partitioned methods have every_k and binomial schedules")          \
  X(CNF_ERROR_EVENT, 33, "an event has no `evaluate`, or its direction, tolerance or number is out of range")        \
  X(CNF_ERROR_EVENT_REVERSE, 34, "a gradient needs the `reverse` of every event")                                    \
  X(CNF_ERROR_EVENT_METHOD, 35, "Adams methods, reversible_heun and CNF_CONTROL_BATCH have no events")               \
  X(CNF_ERROR_SPANS, 36, "CNF_CONTROL_BATCH needs the same t0 and t1 for all samples")                               \
  X(CNF_ERROR_METHOD_HALVES, 38, "a partitioned method needs an even number of rows: positions, then momenta")       \
  X(CNF_ERROR_REVERSIBLE, 39, "only reversible_heun has the reversible adjoint, but no continuous adjoint or batch") \
  X(CNF_ERROR_CONTEXT, 40, "a context is missing, or the field reads none, or its ops disagree on its rows")         \
  X(CNF_ERROR_OP_NUMBER, 41,                                                                                         \
    "an op's epsilon is not above 0, its rate not in [0, 1), or its factor or offset infinite")                      \
  X(CNF_ERROR_JUMP_TIMES, 42,                                                                                        \
    "jump times must be finite and rise, and need CNF_CONTROL_SAMPLE and a method that is not reversible")           \
  X(CNF_ERROR_CANCELLED, 43, "the progress function has ended the call")

typedef enum cnf_status {
#define CNF_X(name, value, message) name = value,
  CNF_STATUS_LIST(CNF_X)
#undef CNF_X
} cnf_status;

/* The message of a cnf_status: a static text, never NULL; "unknown status" for any other number. */
CNF_API const char *cnf_status_message(int32_t status);

/* How the solve of one sample ended. Other samples are never affected, and the call still returns CNF_OK. */
#define CNF_SAMPLE_STATUS_LIST(X)                                                                              \
  X(CNF_SAMPLE_OK, 0, "ok")                                                                                    \
  X(CNF_SAMPLE_MAX_STEPS, 1, "took the maximum number of steps before reaching its end time")                  \
  X(CNF_SAMPLE_STEP_TOO_SMALL, 2, "needs steps too small to change its time: stiff or singular field")         \
  X(CNF_SAMPLE_NOT_FINITE, 3, "state, field, log-determinant, regulariser or gradient became infinite or NaN") \
  X(CNF_SAMPLE_EVENT, 4, "an event's function is not a number, or its crossing has no derivative")             \
  X(CNF_SAMPLE_CANCELLED, 5, "the progress function ended the call before the sample was done")

typedef enum cnf_sample_status {
#define CNF_X(name, value, message) name = value,
  CNF_SAMPLE_STATUS_LIST(CNF_X)
#undef CNF_X
} cnf_sample_status;

/* The message of a cnf_sample_status: a static text, never NULL; "unknown sample status" for any other number. */
CNF_API const char *cnf_sample_status_message(int32_t status);

/* ---- 3  Field programs ------------------------------------------------------------------------------------------
 * A vector field dx/dt = f(x, t; theta) is a straight-line program over blocks of rows. Block 0 is the state x (D
 * rows). Op number i makes block i + 1 from blocks before it. The last block is dx/dt and has D rows. A net that sees
 * the time, [x, t] -> 64 tanh -> D, is
 *
 *     {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},                   // block 1: t
 *     {.kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1},                               // block 2: [x, t]
 *     {.kind = CNF_OP_LINEAR, .input = 2, .input2 = CNF_NO_BLOCK, .rows = 64, .activation = CNF_ACTIVATION_TANH},
 *     {.kind = CNF_OP_LINEAR, .input = 3, .input2 = CNF_NO_BLOCK, .rows = D},                 // block 4: dx/dt
 */
typedef enum cnf_dtype { CNF_FLOAT32 = 0, CNF_FLOAT64 = 1 } cnf_dtype;

#define CNF_STATE 0     /* the block that holds the state */
#define CNF_NO_BLOCK -1 /* an operand that an op does not have */

/* What an op computes from the blocks `input` and `input2`, for each sample by itself. */
typedef enum cnf_op_kind {
  /* activation(W input + b). Parameters: W [rows][rows of input], then b [rows]. */
  CNF_OP_LINEAR = 0,
  /* activation(input), element by element. */
  CNF_OP_ACTIVATION = 1,
  /* One row: t, rounded to dtype. A float field cannot tell times apart that differ by less than about 6e-8 |t|. If
   * that matters, choose the origin of time near the solve, take CNF_FLOAT64, or read t in a callback. */
  CNF_OP_TIME = 2,
  /* input + input2, of equal rows: a residual connection. */
  CNF_OP_ADD = 3,
  /* The rows of input, then the rows of input2. */
  CNF_OP_CONCAT = 4,
  /* Rows that the host's own functions compute, y = g(input, t): see cnf_callback. */
  CNF_OP_CALLBACK = 5,
  /* input * input2, element by element. If input2 has one row, that row multiplies every row of input. */
  CNF_OP_MULTIPLY = 6,
  /* `rows` rows of input, beginning with its row `first`. */
  CNF_OP_SLICE = 7,
  /* `rows` rows that come with each sample and stay the same over its solve: cnf_solve_input.context. */
  CNF_OP_CONTEXT = 8,
  /* gain (input - mean) / sqrt(variance + number) + bias, with mean and variance over the rows of a sample, as
     PyTorch's LayerNorm. Parameters: gain [rows], then bias [rows]. */
  CNF_OP_LAYER_NORM = 9,
  /* Each row of input is 0 with probability `number`, else divided by 1 - number. Which rows are 0 is drawn once for
     the whole solve of a sample: cnf_solve_input.dropout_active. */
  CNF_OP_DROPOUT = 10,
  /* number * input + offset, both constants. */
  CNF_OP_SCALE = 11,
  /* W' input, without bias, where W are the weights of the LINEAR op that made block `tied`. theta holds W once, and
     its gradient sums both uses. Fields that are the gradient of a potential are built with it. */
  CNF_OP_TRANSPOSED = 12,
  /* One row: the sum of the rows of input. */
  CNF_OP_SUM = 13
} cnf_op_kind;

/* X(name, value, C suffix, text)
 * gelu      z Phi(z), PyTorch's default form (by erf)
 * elu       with alpha = 1
 * logcosh   |z| + log(1 + e^(-2|z|)) = log(2 cosh z), whose derivative is tanh: OT-Flow's antiderivTanh (Onken et al.
 *           2021, arXiv 2006.00104)
 * sin       for |z| up to 6435 in float and 823551 in double, (2k + 1/2) pi; beyond, it is 1 or -1 with derivative 0
 */
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

/* An op that the host computes: y = g(x, t; theta), where x is the op's input, y has `rows` rows, and theta are the
 * op's own parameters. It is slower than the library's ops. In every other respect it is one of them: alone or among
 * others, with divergence and exact gradient. Examples/c/callback_field.c has one.
 *
 * Layout       Every function works on a tile of `lanes` samples, feature-major: row r of lane j is at r*lanes + j.
 *              t, t_bar [lanes]; x, x_dot, x_bar, x_dot_bar [rows of input][lanes]; y, y_dot, y_bar, y_dot_bar
 *              [rows][lanes]; t double, all others dtype. `lanes` differs from call to call. Outputs overlap no input.
 * Lanes        What is written to a lane may depend only on the numbers of that lane, and must be computed in the same
 *              way at every place and for every number of lanes. The promises of section 1 rest on this.
 * Idle lanes   In the forward pass, lanes without a sample hold arbitrary numbers, NaN among them. In the two reverse
 *              functions they hold the numbers of another lane, with cotangents 0.
 * Failure      A call cannot fail. A lane fails by writing NaN: its sample then ends with CNF_SAMPLE_NOT_FINITE or with
 *              CNF_SAMPLE_STEP_TOO_SMALL.
 * Parameters   theta and theta_bar are dtype [parameter_count], in any order you like; NULL if the count is 0.
 *              theta_bar is a running sum of the calling worker: add to it, over all lanes in a fixed order, and never
 *              overwrite it. A lane whose cotangents are 0 must add exactly 0.
 * Cotangents   x_bar, x_dot_bar and t_bar are all 0 at the call.
 * Threads      Worker threads call the functions, several at a time and in no fixed order. Results may depend only on
 *              the arguments, because evaluations are recomputed.
 *
 * Below, J = dy/dx, J' is its transpose, and t and theta are held in a tangent. A function may be NULL if nothing that
 * you ask for needs it. */
typedef struct cnf_callback {
  size_t struct_size;
  void *context;          /* passed to every function; must outlive the solvers of the field */
  size_t parameter_count; /* 0 is allowed */
  /* y = g(x, t). Required. */
  void (*evaluate)(void *context, int32_t lanes, const double *t, const void *x, const void *theta, void *y);
  /* y_dot = J x_dot. Needed by every trace but CNF_TRACE_NONE and by Rosenbrock methods; if NULL, they give
   * CNF_ERROR_CALLBACK_TANGENT. It must be exact: an approximate J lowers the order of a Rosenbrock method. */
  void (*tangent)(void *context, int32_t lanes, const double *t, const void *x, const void *theta, const void *x_dot,
                  void *y_dot);
  /* x_bar = J' y_bar, t_bar = (dy/dt)' y_bar, theta_bar += (dy/dtheta)' y_bar. Needed by every gradient; if NULL, that
   * gives CNF_ERROR_CALLBACK_REVERSE. */
  void (*reverse)(void *context, int32_t lanes, const double *t, const void *x, const void *theta, const void *y_bar,
                  void *x_bar, void *t_bar, void *theta_bar);
  /* The derivatives of s = y_dot_bar' J(x, t; theta) x_dot, lane by lane: x_dot_bar = J' y_dot_bar, x_bar = ds/dx,
   * t_bar = ds/dt, theta_bar += ds/dtheta. Needed by the gradient of a divergence, and by the discrete gradient of a
   * Rosenbrock method; if NULL, they give CNF_ERROR_CALLBACK_TANGENT_REVERSE. */
  void (*tangent_reverse)(void *context, int32_t lanes, const double *t, const void *x, const void *theta,
                          const void *x_dot, const void *y_dot_bar, void *x_bar, void *x_dot_bar, void *t_bar,
                          void *theta_bar);
} cnf_callback;

/* One op of a field program. It grows only at its end: calls take the sizeof that the caller knows. */
typedef struct cnf_op {
  int32_t kind;                 /* cnf_op_kind */
  int32_t input;                /* block number of the first operand; CNF_NO_BLOCK for TIME and CONTEXT */
  int32_t input2;               /* block number of the second operand of ADD, CONCAT and MULTIPLY; else CNF_NO_BLOCK */
  int32_t rows;                 /* LINEAR, CALLBACK, SLICE and CONTEXT: rows of the result; else 0, it is derived */
  int32_t activation;           /* LINEAR and ACTIVATION: cnf_activation; else 0 */
  int32_t reserved[1];          /* zero */
  const cnf_callback *callback; /* CALLBACK: copied when the field is created; else NULL */
  int32_t first;                /* SLICE: first row; else 0 */
  int32_t tied;                 /* TRANSPOSED: block number of the LINEAR op whose weights it uses; else 0 */
  double number;                /* LAYER_NORM: epsilon, 0: 1e-5; DROPOUT: rate, in [0, 1); SCALE: factor; else 0 */
  double offset;                /* SCALE: what is added; else 0 */
} cnf_op;

/* A checked field program. It never changes, so threads may share it. */
typedef struct cnf_field cnf_field;

/* Checks the program `ops` [op_count], copies it and creates a field. op_size is sizeof(cnf_op). On CNF_OK *field is
 * the new field: free it with cnf_field_destroy. Else *field is not written.
 * Errors: DTYPE, SIZE, CONTEXT, OP_KIND, OP_INPUT, OP_SHAPE, OP_RESERVED, OP_NUMBER, ACTIVATION, FIELD_SHAPE, MEMORY;
 * STRUCT_SIZE if cnf_op never had op_size bytes. */
CNF_API cnf_status cnf_field_create(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count,
                                    size_t op_size, cnf_field **field);
/* As cnf_field_create, and says which op is wrong: *bad_op is its number, or -1. bad_op may be NULL. */
CNF_API cnf_status cnf_field_create_explained(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count,
                                              size_t op_size, cnf_field **field, int32_t *bad_op);
/* Says why cnf_field_create refuses a program, and returns the status with which it does. `text` receives one sentence
 * that names the op and the row counts that do not match, such as "op 2 (ADD) adds block 2 (CONCAT) of 3 rows and block
 * 0 (the state) of 2 rows". It is "" if the program is accepted. At most size - 1 characters and a 0 are written;
 * `text` may be NULL if size is 0. */
CNF_API cnf_status cnf_field_explain(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count,
                                     size_t op_size, char *text, size_t size);
/* Frees the field. NULL is a no-op. Solvers copy what they need, so a field may be destroyed before its solvers. */
CNF_API void cnf_field_destroy(cnf_field *field);

/* ---- 4  Parameters ----------------------------------------------------------------------------------------------
 * theta is one flat dtype array [P]. It holds the parameters of op after op:
 *
 *     LINEAR       W [rows][cols] row-major, then b [rows]
 *     LAYER_NORM   gain [rows], then bias [rows]
 *     CALLBACK     its own, in its own order
 *
 * This is the order of the state_dict of a PyTorch nn.Sequential.
 */

/* P; 0 for NULL. */
CNF_API size_t cnf_field_parameter_count(const cnf_field *field);
/* The offsets in theta of weight and bias of op number `op`, a LINEAR, and its shape. Each output may be NULL.
 * Errors: SIZE if there is no such op, OP_KIND if it is not a LINEAR. */
CNF_API cnf_status cnf_field_linear_layout(const cnf_field *field, int32_t op, size_t *weight_offset,
                                           size_t *bias_offset, int32_t *rows, int32_t *cols);
/* The offset in theta of the parameters of op number `op`, of any kind, and their number. Each output may be NULL.
 * Errors: SIZE if there is no such op. */
CNF_API cnf_status cnf_field_op_parameters(const cnf_field *field, int32_t op, size_t *offset, size_t *count);

/* C: the rows of context that every sample of a call has to bring. All CONTEXT ops of a program have the same number of
 * rows. 0 if there are none, and for NULL. */
CNF_API int32_t cnf_field_context_dim(const cnf_field *field);

/* ---- 5  Methods -------------------------------------------------------------------------------------------------
 * Methods are data, which cnf_method_get returns. A number before names is their order.
 *
 *     Runge-Kutta, fixed steps               1 euler   2 midpoint heun2 ralston   3 heun3   4 rk4 rk4_38
 *     Runge-Kutta, adaptive or fixed steps   2 adaptive_heun fehlberg2   3 bosh3   5 dopri5 tsit5   7 vern7   8 dopri8
 *     Rosenbrock, adaptive or fixed steps    4 rodas4
 *     Adams, equal fixed steps               explicit_adams implicit_adams
 *     partitioned, fixed steps               1 symplectic_euler   2 leapfrog position_verlet   4 yoshida4
 *     reversible, adaptive or fixed steps    2 reversible_heun
 *
 * heun is another name of heun2, stormer_verlet of leapfrog. With fixed steps, torchdiffeq and diffrax mean the same by
 * the names they have, except that torchdiffeq's rk4 is the 3/8 rule, which is rk4_38 here. Adaptive steps differ:
 *   dopri5                    the error weights here are SciPy's, 1.5 times those of torchdiffeq and diffrax: steps are
 *                             about 8 % shorter at the same tolerance
 *   adaptive_heun fehlberg2   torchdiffeq takes the last stage's slope as the next step's first
 *   bosh3 tsit5 dopri8        the same error weights, except for signs
 *   all                       torchdiffeq has one norm for the batch, and both read output times from dense output
 *
 * Which to take: dopri5 or tsit5 by default; vern7 or dopri8 for tight tolerances; rk4 for training at a fixed cost;
 * rodas4 if the field is stiff, that is if explicit methods need steps far shorter than the tolerance asks for;
 * leapfrog or yoshida4 for separable Hamiltonian fields; reversible_heun for exact gradients without stored states.
 *
 * What each family needs and refuses. Formulas and sources are in Documentation/methods.md.
 *
 *   Rosenbrock: for stiff fields
 *     state         at most 512 rows: CNF_ERROR_METHOD_SIZE
 *     cost          a step takes D tangents, 3 D with a divergence, and D^3/3 multiply-adds
 *     callbacks     need a `tangent` that is exact; a discrete gradient needs `reverse` and `tangent_reverse` too,
 *                   whatever the trace; a continuous one needs `tangent_reverse` only with a divergence
 *     trace         NONE or EXACT_TANGENTS, which EXACT and AUTOMATIC mean here; else CNF_ERROR_TRACE
 *     error norm    covers the state alone, as with exclude_log_det. Log-determinant and regularisers have order 4
 *     precision     MIXED is CNF_ERROR_DTYPE: bfloat16 would make J too rough
 *     gradient      discrete or continuous. Steps are recomputed from their starts: store_bytes is not used
 *     evaluations   each counts once, the one that comes with J included; two more for df/dt if the program reads the
 *                   time or has a callback, and two more for the divergence or the kinetic energy
 *   Adams: few evaluations a step
 *     steps         equal; else CNF_ERROR_UNEQUAL_STEPS
 *     order         m = cnf_solver_options.order. A formula uses at most m - 1 slopes of past steps; the first steps
 *                   are rk4_38. As steps go to 0, and for m of at least 4, the order is min(m - 1, 4) for
 *                   explicit_adams and min(m, 5) for implicit_adams. With m below 4 every step is one of rk4_38
 *     stability     long explicit formulas need short steps: h times a rate of decay must be below 0.3, 0.088 and
 *                   0.0034 for formulas of 4, 6 and 11 slopes
 *     iteration     implicit_adams iterates until no component of x' - x changes by more than atol + rtol times its
 *                   size, at most 4 times. A step that has not converged by then is taken, and counted in `rejected`
 *     output times  an interval starts anew, with rk4_38, if its steps are not as long as those of the one before.
 *                   Lengths may differ by the rounding of times; in a float solve by that of times in float
 *     gradient      explicit_adams: discrete or continuous. implicit_adams: continuous, else CNF_ERROR_METHOD_GRADIENT.
 *                   The continuous adjoint takes as many steps of rk4_38 backward. store_bytes is not used
 *     events        CNF_ERROR_EVENT_METHOD
 *   Partitioned: symplectic, for separable fields dq/dt = f_q(p, t), dp/dt = f_p(q, t)
 *     state         positions q in the first D/2 rows, momenta p in the others. An odd D is CNF_ERROR_METHOD_HALVES
 *     other fields  are solved too, but with order 1, and neither symplectically nor symmetrically
 *     trace         take NONE: the divergence of a separable field is 0. Hutchinson's estimate of it has order 1
 *     evaluations   2, 3, 3 and 7 a step. Each computes the whole field and uses one half of it
 *     time          yoshida4 evaluates the field up to 0.36 h outside each step, so also outside [t0, t1]
 *     gradient      discrete or continuous
 *   Reversible: each step can be undone
 *     stability     h times the eigenvalues of df/dx must lie between -i and i. For fields that contract mildly
 *     gradient      discrete or reversible. The continuous adjoint and CNF_CONTROL_BATCH are CNF_ERROR_REVERSIBLE
 *     events        CNF_ERROR_EVENT_METHOD
 */
typedef enum cnf_family {
  CNF_FAMILY_RUNGE_KUTTA = 0,
  CNF_FAMILY_EXPLICIT_ADAMS = 1,
  CNF_FAMILY_IMPLICIT_ADAMS = 2,
  CNF_FAMILY_ROSENBROCK = 3,
  CNF_FAMILY_PARTITIONED = 4,
  CNF_FAMILY_REVERSIBLE = 5
} cnf_family;

/* One method. All pointers are to static data. */
typedef struct cnf_method_info {
  size_t struct_size;
  const char *name;
  const char *citation;
  int32_t order;          /* of the solution that is carried on */
  int32_t embedded_order; /* of the solution that estimates the error; 0: none, fixed steps only */
  int32_t stages;
  int32_t is_fsal;   /* 1: the last stage is the first of the next step */
  int32_t a_stride;  /* elements from one row of a to the next */
  const double *a;   /* [stages][a_stride], strictly lower triangular; RUNGE_KUTTA: c_i is the sum of row i */
  const double *b;   /* [stages] */
  const double *e;   /* [stages]; NULL where embedded_order is 0 */
  const char *alias; /* another name of the method; NULL: none */
  int32_t family;    /* cnf_family: the formula that a, b and e belong to. Adams: stages is 0, and they are NULL */
  /* PARTITIONED: a and b of the second half of rows; those above are of the first half. Else NULL. */
  const double *momenta_a; /* [stages][a_stride] */
  const double *momenta_b; /* [stages] */
  /* Dense output, section 12. */
  int32_t dense_order;        /* within a step of length h the error is of h^(dense_order + 1) */
  int32_t dense_terms;        /* coefficients of a step's polynomial */
  const char *dense_citation; /* source of the polynomial */
  /* ROSENBROCK: the numbers of its formula (Documentation/methods.md) besides a, b and e. Else 0 and NULL. */
  double rosenbrock_gamma;        /* gamma, the same for every stage */
  const double *rosenbrock_c;     /* [stages][a_stride], strictly lower triangular: c_ij */
  const double *rosenbrock_alpha; /* [stages]: stage i is at t + alpha_i h */
  const double *rosenbrock_d;     /* [stages]: d_i, the weights of df/dt */
  /* [stages]: dense output. With D = x' - x, E_2 = h sum_i h2_i k_i and E_3 likewise, the state at t + theta h is
     x + theta D + theta (1 - theta) (E_2 + theta E_3). */
  const double *rosenbrock_h2, *rosenbrock_h3;
} cnf_method_info;

/* The number of methods. Methods are numbered from 0. */
CNF_API int32_t cnf_method_count(void);
/* The number of the method with this name or alias; -1 if there is none, and for NULL. */
CNF_API int32_t cnf_method_find(const char *name);
/* Fills *info, whose struct_size the caller has set. Errors: METHOD if there is no such number. */
CNF_API cnf_status cnf_method_get(int32_t method, cnf_method_info *info);

/* ---- 6  Solver --------------------------------------------------------------------------------------------------
 * A solver is a field, a method, and the memory and the threads to run them. cnf_solver_create allocates the memory and
 * starts the threads. If the system refuses a thread, the solver has fewer: cnf_solver_info has their number. Memory is
 * mapped at creation, and touched when it is first used. Calls allocate nothing, with two exceptions:
 *   - CNF_CONTROL_BATCH allocates in every call.
 *   - Gradients, and solves that return step_fractions, keep numbers for every step. The first such call reserves
 *     address space for as many steps, samples and threads as it can use. A later call does so only if it can use more.
 *     If there is no space, the call returns CNF_ERROR_MEMORY and writes nothing; smaller calls still work. To need
 *     less: a smaller max_steps, a negative store_bytes, CNF_SCHEDULE_BINOMIAL, fewer threads.
 */

/* Who chooses the steps. */
typedef enum cnf_control {
  /* Adaptive: every sample has steps of its own. */
  CNF_CONTROL_SAMPLE = 0,
  /* `steps` equal steps, or the step fractions of the call. */
  CNF_CONTROL_FIXED = 1,
  /* Adaptive, with one step size for the whole batch, as torchdiffeq has it. For comparison only: a sample's answer
     then depends on the other samples. Counts of steps and evaluations are those of the search for the common steps.
     Allocates in every call. */
  CNF_CONTROL_BATCH = 2
} cnf_control;

/* How the divergence tr df/dx is computed, of which the log-determinant is the integral. */
typedef enum cnf_trace {
  /* Not at all: log_det is 0. */
  CNF_TRACE_NONE = 0,
  /* Hutchinson's estimate: the mean over K probes of eps' J eps. Unbiased. */
  CNF_TRACE_HUTCHINSON = 1,
  /* The cheaper of the two exact forms below that fits the field. */
  CNF_TRACE_EXACT = 2,
  /* By D tangents. Fits every field whose callbacks have a `tangent`. */
  CNF_TRACE_EXACT_TANGENTS = 3,
  /* By one product of hidden x hidden numbers. Fits nets of at most two hidden layers; else CNF_ERROR_TRACE. */
  CNF_TRACE_EXACT_PRODUCT = 4,
  /* Exact if that costs at most twice the multiply-adds of the probes, else Hutchinson. */
  CNF_TRACE_AUTOMATIC = 5
} cnf_trace;

/* The distribution of drawn probes. */
typedef enum cnf_probe { CNF_PROBE_RADEMACHER = 0, CNF_PROBE_GAUSSIAN = 1 } cnf_probe;

/* The instruction sets that the kernels are built for. X(name, value, suffix, text) */
#define CNF_ISA_LIST(X)                                                                                         \
  X(CNF_ISA_GENERIC, 1, generic, "generic")                                                                     \
  X(CNF_ISA_AVX2, 2, avx2, "avx2")                                                                              \
  X(CNF_ISA_AVX512, 3, avx512, "avx512")                                                                        \
  X(CNF_ISA_AVX512BF16, 5, avx512bf16, "avx512bf16") /* AVX-512 with BF16: as avx512, but in mixed precision */ \
  X(CNF_ISA_NEON, 4, neon, "neon")                   /* AArch64 */

typedef enum cnf_isa {
  /* The one that the environment names, CNF_ISA=generic|avx2|avx512|avx512bf16|neon, else the best of this machine. */
  CNF_ISA_AUTOMATIC = 0,
#define CNF_X(name, value, suffix, text) name = value,
  CNF_ISA_LIST(CNF_X)
#undef CNF_X
} cnf_isa;

/* The numbers that a CNF_FLOAT32 field computes with.
 * FULL    float throughout.
 * MIXED   float for values, states and errors of steps. Products of derivatives (tangents, cotangents, gradients of
 *         weights) round their operands to bfloat16, which has 8 bits, and add in float. A divergence and a gradient
 *         are then wrong by about 1/256 of the size of their terms, so the error norm leaves the log-determinant out,
 *         as exclude_log_det does. States are the same bits as in full precision with exclude_log_det. The promises of
 *         section 1 hold. It is twice as fast with CNF_ISA_AVX512BF16; elsewhere rounded operands are multiplied as
 *         floats, which saves nothing. CNF_ERROR_DTYPE: with a CNF_FLOAT64 field, a Rosenbrock method or the continuous
 *         adjoint. */
typedef enum cnf_precision { CNF_PRECISION_FULL = 0, CNF_PRECISION_MIXED = 1 } cnf_precision;

/* The norm of a sample's errors, each divided by its tolerance. */
typedef enum cnf_norm {
  CNF_NORM_RMS = 0, /* root mean square */
  CNF_NORM_MAX = 1  /* the largest: every component keeps its tolerance */
} cnf_norm;

/* How cnf_solve_vjp differentiates. Section 8 compares them. */
typedef enum cnf_adjoint {
  CNF_ADJOINT_DISCRETE = 0,   /* the steps that were taken, from stored states: exact */
  CNF_ADJOINT_CONTINUOUS = 1, /* the flow, by a second solve backward in time: memory does not grow with steps */
  CNF_ADJOINT_REVERSIBLE = 2  /* reversible_heun: the steps that were taken, each undone: no states are stored */
} cnf_adjoint;

/* Which states CNF_ADJOINT_DISCRETE stores in the forward pass, of the steps whose evaluations are not stored
 * (store_bytes). The other states are recomputed from the last stored one before them, with the same bits: every
 * schedule gives the same gradient. Runge-Kutta and partitioned methods have every schedule. Other methods have
 * EVERY_STEP, which AUTOMATIC means for them; EVERY_K and BINOMIAL give CNF_ERROR_SCHEDULE.
 *
 * EVERY_STEP   The state of every step.
 * EVERY_K      The state of every k-th step, and the k - 1 states between the two that the backward pass is at. Each
 *              other step is recomputed once. Memory is least if k is near the square root of the number of steps.
 * BINOMIAL     At most c states: c = checkpoint_bytes / (samples of a chunk * (size of a state + 12 bytes)). A chunk
 *              here is a tile with fixed steps, else eight tiles, however few a call fills. cnf_solver_info has c. With
 *              c or fewer steps this is EVERY_STEP. Recomputing is the least possible with fixed steps; with adaptive
 *              steps no step is recomputed more often than in that optimum. Documentation/methods.md has the counts.
 * AUTOMATIC    BINOMIAL in a budget that depends on the machine and on limits of the process, unless checkpoint_bytes
 *              gives one. So it is EVERY_STEP as long as that fits.
 *
 * Every schedule also stores 32 bytes a step, its t and h among them: for each sample of a chunk with adaptive steps,
 * else for the tile. store_bytes is spent first, on the evaluations of a chunk's first steps; the schedule serves the
 * steps after them. A worker's memory for a backward pass is at most store_bytes + checkpoint_bytes + 32 bytes a step.
 * It is least with a negative store_bytes. (Scratch for the evaluations of one step comes on top.) Address space is
 * reserved for the largest number of steps that a call can make, and touched as it is used. */
typedef enum cnf_schedule {
  CNF_SCHEDULE_EVERY_STEP = 0,
  CNF_SCHEDULE_EVERY_K = 1,
  CNF_SCHEDULE_BINOMIAL = 2,
  CNF_SCHEDULE_AUTOMATIC = 3
} cnf_schedule;

/* The options of a solver. Zero is the default of every member, except for those that cnf_solver_options_init sets. */
typedef struct cnf_solver_options {
  size_t struct_size;
  int32_t method;  /* from cnf_method_find */
  int32_t control; /* cnf_control */
  /* Adaptive: errors are measured against atol + rtol max(|x|, |x'|), x and x' being the states at both ends of a step.
   * An rtol below a unit in the last place of dtype (1.2e-7 for float) cannot be met: it is raised to that, and
   * cnf_solver_info says so. Use a CNF_FLOAT64 field for more digits. implicit_adams: the tolerance of its
   * iteration. */
  double rtol, atol;
  /* Adaptive: length of the first step. 0: chosen from the field (Hairer, Norsett and Wanner, Solving ODEs I, II.4).
   * Either way it is rejected if its error estimate is far smaller than its curvature implies: an estimate may vanish
   * by chance. */
  double initial_step;
  /* Adaptive: a step that would be shorter ends the sample with CNF_SAMPLE_STEP_TOO_SMALL, unless it ends at t1 or at
   * an output time. The first step is never planned shorter. 0: 16 units in the last place of the larger of t and 1e-12
   * t1. */
  double min_step;
  /* Adaptive: the most steps of a sample, accepted and rejected together. 0: 4096 */
  int32_t max_steps;
  /* CNF_CONTROL_FIXED: number of equal steps, in each interval between output times if there are any. At least 1,
   * unless the call gives step fractions. */
  int32_t steps;
  int32_t trace;           /* cnf_trace */
  int32_t probe;           /* cnf_probe */
  int32_t probes;          /* K; 0: 1 */
  int32_t exclude_log_det; /* 1: the error norm covers the state alone; 0: state and log-determinant */
  int32_t threads;         /* at most 4096; 0: cnf_thread_count() */
  int32_t isa;             /* cnf_isa */
  /* Gradient: bytes per thread for evaluations of the forward pass. The backward pass recomputes those for which there
   * is no room, with the same bits. 0: 32 MiB; negative: none */
  int64_t store_bytes;
  int32_t precision; /* cnf_precision */
  int32_t norm;      /* adaptive: cnf_norm of errors, also in the choice of the first step */
  /* Adaptive: the step-size controller. With r the error norm of an attempt, r' and r" those of the sample's last two
   * accepted steps (1 if there are none) and k the embedded order + 1, an attempt is accepted if r <= 1. The step size
   * is then multiplied by
   *     safety r^-((pcoeff + icoeff + dcoeff)/k) r'^((pcoeff + 2 dcoeff)/k) r"^-(dcoeff/k),
   * limited to 1 to factor_max if r < 1, and to factor_min to safety if the attempt is rejected (Soderlind 2003, ACM
   * TOMS 29(1), with diffrax's letters). (0, 1, 0) is the integral controller, as torchdiffeq has it. If steps
   * alternate between accepted and rejected, a proportional-integral controller such as (0.4, 0.3, 0) is smoother. */
  double pcoeff, icoeff, dcoeff; /* icoeff not negative; 0: 1 */
  double safety;                 /* below 1; 0: 0.9 */
  double factor_min, factor_max; /* at most safety, and at least 1; 0: 0.2 and 10 */
  /* Adaptive: no step is longer; at least min_step. INFINITY: no limit. 0: no limit for a field that does not read t.
   * Otherwise 1/20 of |t1 - t0|, or longer if the field's weights let it change only slowly with t: the fastest input
   * of an activation changes by 2 over it. A field with callbacks always has the 1/20. A given initial_step is not
   * limited by this default. What a field does in a time shorter than about half of the longest step may go unseen,
   * such as a pulse. Then give max_step, an initial_step, output times there, or jump_times of cnf_solve_input. */
  double max_step;
  /* Adaptive: [D] each, copied: a tolerance for each row of the state. The log-determinant keeps rtol and atol, so
   * these two are never both 0. NULL: rtol, atol for all rows */
  const double *rtol_rows, *atol_rows;
  int32_t kinetic;                   /* 1: solves integrate the kinetic energy, 1/2 mean_D f^2, over |dt| */
  int32_t frobenius;                 /* 1: solves integrate the Jacobian's Frobenius norm, |J|_F^2 / D, over |dt| */
  int32_t order;                     /* Adams methods: m of section 5, 1 to 12; 0: 12 */
  int32_t adjoint;                   /* cnf_adjoint */
  double adjoint_rtol, adjoint_atol; /* CONTINUOUS, adaptive: of the solve backward; 0: rtol and atol, row by row */
  int32_t schedule;                  /* cnf_schedule, of the discrete adjoint */
  int32_t checkpoint_every;          /* EVERY_K: k; 0: 8 */
  /* BINOMIAL, AUTOMATIC: bytes for the checkpoints of one thread; CNF_ERROR_CHECKPOINTS if not one fits. 0: for
   * BINOMIAL 16 MiB. For AUTOMATIC a quarter of the memory that the process may use, divided by the threads, but at
   * least one checkpoint. That memory is the least of the machine's, the limits of its control groups (cgroup v1 and
   * v2, as containers set them) and RLIMIT_AS, when the solver is created */
  int64_t checkpoint_bytes;
} cnf_solver_options;

/* The regularisers `kinetic` and `frobenius` are those of RNODE (Finlay et al. 2020, arXiv 2002.02798). They are
 * integrals over the accepted steps with the weights of the method. They are positive in either direction of time, and
 * not in the error norm. The Frobenius norm comes from the tangents of the trace: with EXACT_TANGENTS it is |J|_F^2 / D
 * itself; with HUTCHINSON it is the mean over the K probes of mean_D (J eps)^2, an unbiased estimate. It costs about
 * one more product of the last layer for each tangent of an evaluation, and two in its reverse. EXACT_PRODUCT has no
 * tangents. So with `frobenius` EXACT means EXACT_TANGENTS, AUTOMATIC means that or HUTCHINSON, and EXACT_PRODUCT and
 * NONE give CNF_ERROR_TRACE. */

/* Sets struct_size, which is the sizeof of the caller's struct, and the defaults: dopri5, CNF_CONTROL_SAMPLE, rtol =
 * atol = 1e-5, CNF_TRACE_EXACT, all threads, zero else. Writes struct_size bytes, or nothing if the struct never had
 * that size. */
CNF_API cnf_status cnf_solver_options_init(cnf_solver_options *options, size_t struct_size);

/* A solver and its memory. It serves one call at a time. */
typedef struct cnf_solver cnf_solver;

/* Checks the options and creates a solver. On CNF_OK *solver is the new solver: free it with cnf_solver_destroy. Else
 * *solver is not written. The field is only read, and may be destroyed afterwards.
 * Errors: METHOD, OPTION, TOLERANCE, NOT_ADAPTIVE, TRACE, ISA, DTYPE, SIZE, CALLBACK_TANGENT, CHECKPOINTS, SCHEDULE,
 * REVERSIBLE, METHOD_HALVES, METHOD_SIZE, MEMORY. */
CNF_API cnf_status cnf_solver_create(const cnf_field *field, const cnf_solver_options *options, cnf_solver **solver);
/* Says why cnf_solver_create refuses options, and returns the status with which it does. `text` receives one sentence
 * that names the option, its value and what is allowed, such as "max_steps is -1, and must be from 0 to 16777216". It
 * is "" if the options are accepted. 256 characters hold every sentence; at most size - 1 and a 0 are written. `text`
 * may be NULL if size is 0. To find out, it creates the solver and frees it again. */
CNF_API cnf_status cnf_solver_options_explain(const cnf_field *field, const cnf_solver_options *options, char *text,
                                              size_t size);
/* Copies the parameters, dtype [P], into the solver and prepares them once. Every call whose input.parameters is NULL
 * then uses them, with the same results as if it brought them: it saves the preparation, which costs as much as several
 * evaluations of one sample. What only gradients need is prepared at the first gradient. Later changes to your array
 * have no effect until you bind it again. A call that brings parameters uses those; the bound ones remain, and are
 * prepared again when they are needed. Callbacks get theta from the copy. NULL unbinds: calls must bring parameters
 * again. Errors: NULL if there is no solver. */
CNF_API cnf_status cnf_solver_bind_parameters(cnf_solver *solver, const void *parameters);
/* Frees the solver. NULL is a no-op. No call may be using it. */
CNF_API void cnf_solver_destroy(cnf_solver *solver);

/* What a solver was created with, after all defaults and automatic choices. */
typedef struct cnf_solver_info {
  size_t struct_size;
  int32_t isa;           /* cnf_isa in use */
  int32_t lanes;         /* samples of a tile */
  int32_t threads;       /* how many there are: fewer than asked for if the system refuses them */
  int32_t trace;         /* what AUTOMATIC and EXACT mean here: HUTCHINSON, EXACT_TANGENTS, EXACT_PRODUCT or NONE */
  size_t bytes;          /* memory allocated */
  size_t bytes_reserved; /* address space reserved for gradients so far; 0 before the first */
  int32_t schedule;      /* what AUTOMATIC means here; EVERY_STEP if BINOMIAL or EVERY_K can store every step */
  int32_t checkpoints;   /* states of one sample that can be stored at once */
  double rtol_floor;     /* the smallest rtol that dtype can meet: 1.2e-7 for float, 2.2e-16 for double */
  int32_t rtol_raised;   /* 1: rtol, one of rtol_rows, or adjoint_rtol was below rtol_floor and has been raised to it */
  int32_t reserved;      /* zero */
} cnf_solver_info;

/* Fills *info, whose struct_size the caller has set. */
CNF_API cnf_status cnf_solver_get_info(const cnf_solver *solver, cnf_solver_info *info);

/* The work of the solver's last cnf_solve or cnf_solve_vjp. Evaluations are counted per lane: a tile is always
 * evaluated whole, also if some of its lanes are idle. */
typedef struct cnf_work {
  size_t struct_size;
  /* Of the forward pass; those of them in lanes without a sample. */
  int64_t evaluations, idle_evaluations;
  /* Of the backward pass. Idle ones are in lanes that have no sample, or whose step was rejected. The continuous
   * adjoint reverses the weighted stages of an accepted step once more, which is not counted. */
  int64_t adjoint_evaluations, idle_adjoint_evaluations;
  /* Steps of tiles in the backward pass; those of them whose evaluations were recomputed. */
  int64_t steps, steps_recomputed;
  /* Steps of tiles repeated from a checkpoint, for the states between; each is also one of `steps`. */
  int64_t steps_repeated;
  /* Evaluations of the repeated steps; those of them in lanes that had nothing to repeat. */
  int64_t repeated_evaluations, idle_repeated_evaluations;
} cnf_work;

/* Fills *work, whose struct_size the caller has set. Do not call it while the solver is in another call. */
CNF_API cnf_status cnf_solver_get_work(const cnf_solver *solver, cnf_work *work);

/* ---- 7  Solve ---------------------------------------------------------------------------------------------------
 * Output times. You may ask for states at times between t0 and t1. They cut the solve into intervals, and a step ends
 * at each, so that these states are as accurate as those at t1. An adaptive step is cut to end there, and the next one
 * is as long as it would have been, or longer: k times cost about k steps. Fixed steps are `steps` equal ones in every
 * interval. A time may equal t0, t1 or the time before it; that interval then has steps of no length, one with adaptive
 * control. Times beyond t0 or t1, or out of order, give CNF_ERROR_OUTPUT_TIMES. So do output times with step fractions,
 * with CNF_CONTROL_BATCH, and with an Adams method whose samples have times of their own; so do more intervals than
 * max_steps, or more fixed steps in all of them.
 *
 * Times of each sample. With t0s or t1s, each sample runs from its own t0 to its own t1: forward, backward or not at
 * all. Its results are the same bits as those of a call with that t0 and t1. Fixed steps and step fractions divide its
 * own span. `times` must then lie within the span of every sample, in its order, and `sample_times` within that of its
 * own sample. Every method and adjoint supports this. CNF_CONTROL_BATCH does not: CNF_ERROR_SPANS.
 *
 * Jump times. If the field jumps at known times (a pulse, a switched input), say so in `jump_times`. Otherwise an
 * adaptive solve meets a jump inside a step, and rejects steps until they are very short, or does not notice a short
 * pulse.
 *   - An adaptive step ends at each jump time that lies between a sample's t0 and t1. The next step begins anew, as at
 *     t0: its slope is evaluated there, its length is chosen from the field or is initial_step, and the controller
 *     forgets earlier errors. This costs 2 evaluations a jump, and no memory.
 *   - The field may define its value at a jump as it likes. A step that ends at a jump evaluates the field at most at
 *     the last number before it. A step that begins at a jump evaluates it at least at the first number beyond it.
 *     A "number" is one of the field's dtype, and the jump itself is rounded to it.
 *   - Every jump time holds for all samples, whichever way they run. Those outside a sample's span do nothing.
 *   - Gradients are those of solves whose jumps stay where they are: dL/d(jump time) is not computed, and dL/dt0,
 *     dL/dt1 and dL/dtimes move only the steps up to the next jump. All adjoints of adaptive methods support jumps,
 *     except CNF_ADJOINT_REVERSIBLE.
 *   - CNF_ERROR_JUMP_TIMES: a time is not finite, or not above the one before it; or there are jump times with
 *     CNF_CONTROL_FIXED, CNF_CONTROL_BATCH or reversible_heun, whose steps share slopes. With fixed steps, put output
 *     times or step fractions at the jumps.
 *
 * Events. A sample stops where a function g(t, x) of yours crosses zero. It is then ok: its x1, log_det and t_reached
 * are those of the crossing, `event` says which event it was, and its states at later output times are NaN. What to
 * know:
 *   - g is evaluated at the end of each step, and at 8 evenly spaced places within it on the step's interpolant
 *     (section 12). So a g that crosses zero and returns within one step is seen.
 *   - What is missed: a g that returns within a ninth of a step, or by less than the interpolant's error, and a g that
 *     touches zero without a crossing. The remedy is a shorter max_step, more fixed steps, or output times near such
 *     places.
 *   - This costs the evaluations of the interpolant in every step (the table in section 12): none with adaptive dopri5,
 *     tsit5, bosh3 and rodas4, 3 with vern7, 5 with dopri8, and 1 with rk4 and other fixed steps of order 3 or more. g
 *     itself is evaluated 9 times a step.
 *   - A sample that starts with g = 0 has no sign yet, and no event until g has had one.
 *   - The crossing is searched on the interpolant, then by attempts of the method from the start of
 *     the step, until its time is known to `tolerance`. The last attempt ends just past the crossing, so that a solve
 *     from there does not meet it again. The search costs the evaluations of about 3 to 8 steps. They are counted; its
 *     steps are not.
 *   - If several events occur, the first one along the sample's path counts.
 *   - If g is NaN at the end of a step, the sample ends with CNF_SAMPLE_EVENT, where that step began.
 *   - Gradients are exact, of the state at the crossing and of its time (event_time_bar in section 8). If dg/dt = 0
 *     along the flow at the crossing, there is no derivative: the sample keeps its x1, log_det and loss, adds 0 to
 *     every gradient, and has CNF_SAMPLE_EVENT.
 *   - Adaptive and fixed steps, discrete and continuous adjoints support events. With fixed steps the backward pass
 *     recomputes all evaluations. CNF_CONTROL_BATCH, Adams methods and reversible_heun do not: CNF_ERROR_EVENT_METHOD.
 */
#define CNF_MOST_EVENTS 8

/* Which crossings of zero count, as the sample travels, in either direction of time. */
typedef enum cnf_direction {
  CNF_DIRECTION_EITHER = 0,
  CNF_DIRECTION_RISING = 1,  /* from negative to positive */
  CNF_DIRECTION_FALLING = -1 /* from positive to negative */
} cnf_direction;

/* The functions work on a tile, with the rules of cnf_callback: lane by lane, from worker threads, with arbitrary
 * numbers in idle lanes. t, g and g_t are double [lanes]; x and g_x are dtype [D][lanes], feature-major. */
typedef struct cnf_event {
  size_t struct_size;
  void *context; /* passed to both functions */
  /* g(t, x). Required. */
  void (*evaluate)(void *context, int32_t lanes, const double *t, const void *x, double *g);
  /* g_x = dg/dx and g_t = dg/dt, each to be written whole. Needed by gradients; if NULL: CNF_ERROR_EVENT_REVERSE. */
  void (*reverse)(void *context, int32_t lanes, const double *t, const void *x, void *g_x, double *g_t);
  int32_t direction; /* cnf_direction */
  int32_t reserved;  /* zero */
  double tolerance;  /* in time; at least 4 units in the last place of the larger of t0 and t1; 0: 16 of dtype's */
} cnf_event;

/* Where a call is. `first` and `count` name the samples that one worker works on now, its chunk. */
typedef struct cnf_progress {
  size_t struct_size;
  int32_t backward; /* 0: the forward pass; 1: the backward pass, which follows for each chunk of a gradient */
  int32_t samples;  /* samples of the chunk that are under way side by side */
  size_t first, count;
  size_t finished; /* samples of the chunk that are done, in this pass */
} cnf_progress;

/* A function of yours that sees a call proceed, and can end it. It returns 0 to go on.
 *
 * When         After each accepted step of the samples that a worker solves side by side, forward and backward. It is
 *              not called after attempts that all of them reject.
 * Threads      Worker threads call it, several at a time. Calls are not in the order of samples. It must be safe to
 *              call from several threads at once, and must not call the library with the same solver.
 * Ending       If it returns another number, every worker stops before its next step, and the call returns
 *              CNF_ERROR_CANCELLED. Outputs are written: samples that were done keep their results, the others have
 *              CNF_SAMPLE_CANCELLED and what they had when they stopped. A gradient is not usable, and a loss callback
 *              may have been called for some samples. The solver may be used again at once.
 * Cost         One call a step of a tile. NULL costs nothing. */
typedef int32_t (*cnf_progress_function)(void *context, const cnf_progress *progress);

/* What a solve starts from. */
typedef struct cnf_solve_input {
  size_t struct_size;
  const void *parameters; /* dtype [P]; NULL: those of cnf_solver_bind_parameters, or P is 0 */
  const void *x0;         /* dtype [count][D]: states at t0 */
  size_t count;           /* 0 is allowed: nothing is done */
  double t0, t1;          /* not read if t0s and t1s replace them */
  const void *probes;     /* HUTCHINSON: dtype [count][K][D], used as they are; NULL: drawn */
  /* Drawn probes are keyed by (seed, CNF_STREAM_PROBE, step, sample id, k*D + d). step and sample ids are below 2^44.
   * Use a new `step` for each training step. */
  uint64_t seed, step;
  const uint64_t *sample_ids; /* [count]; NULL: sample i has id i */
  /* CNF_CONTROL_FIXED: [step_fraction_count], rising from 0 to 1. Step i runs from t0 + f[i](t1 - t0) to
   * t0 + f[i+1](t1 - t0). NULL: equal steps. Adams methods need equal ones, to within rounding:
   * CNF_ERROR_UNEQUAL_STEPS. */
  const double *step_fractions;
  size_t step_fraction_count;
  const double *times;        /* [time_count]: output times of all samples, from t0 to t1 in the order of the solve */
  size_t time_count;          /* 0: none */
  const double *t0s, *t1s;    /* [count]: t0 and t1 of each sample; NULL: t0 and t1 above */
  const double *sample_times; /* [count][time_count]: output times of each sample; `times` is then NULL */
  const cnf_event *events;    /* [event_count], at most CNF_MOST_EVENTS */
  size_t event_count;         /* 0: none */
  const void *context; /* dtype [count][C]: what CONTEXT ops read; NULL if and only if C is 0: CNF_ERROR_CONTEXT */
  /* 1: DROPOUT ops drop rows (training); 0: they pass their input on (evaluation). Masks are keyed by (seed,
   * CNF_STREAM_DROPOUT, step, sample id, row), rows counted over all DROPOUT ops of the program in order. One mask
   * serves a sample's whole solve and its backward pass, so the field stays smooth and steps stay about as many. */
  int32_t dropout_active;
  int32_t reserved[1];            /* zero */
  const double *jump_times;       /* [jump_time_count], rising: times at which the field jumps; see above */
  size_t jump_time_count;         /* 0: none */
  cnf_progress_function progress; /* called as the solve goes on, and may end it; NULL: none */
  void *progress_context;         /* passed to `progress` */
} cnf_solve_input;

/* What a solve writes. Every pointer may be NULL. A failed sample keeps what it had when it stopped. */
typedef struct cnf_solve_output {
  size_t struct_size;
  void *x1; /* dtype [count][D]: state at t1, or where the sample stopped; may be x0 itself */
  /* [count]: log |det dx1/dx0| = integral of tr df/dx dt from t0 to t1. Like the regularisers, summed in double. */
  double *log_det;
  double *t_reached;    /* [count]: t1 if the status is ok, or the event's time; else where the sample stopped */
  int32_t *status;      /* [count]: cnf_sample_status */
  int32_t *accepted;    /* [count]: accepted steps */
  int32_t *rejected;    /* [count]: rejected steps; implicit_adams: accepted steps whose iteration did not converge */
  int32_t *evaluations; /* [count]: of the field, those of rejected steps and of the first step's choice included */
  /* [count][step_fraction_stride]: where the accepted steps end, as fractions of the span, beginning with 0. NaN after
   * the last; what does not fit is left out. */
  double *step_fractions;
  size_t step_fraction_stride;
  double *smallest_step;        /* [count]: length of the shortest accepted step, the last included; 0: none */
  int32_t *adjoint_evaluations; /* [count]: evaluations that cnf_solve_vjp reversed; 0 from cnf_solve */
  /* Integrals as far as the sample came. CNF_ERROR_REGULARISER if the solver was created without the regulariser. */
  double *kinetic;   /* [count]: integral of 1/2 mean_D f^2 over |dt| */
  double *frobenius; /* [count]: integral of |J|_F^2 / D over |dt|, or of its estimate */
  /* At the output times; NaN at those that the sample has not reached. */
  void *x_at;         /* dtype [count][time_count][D]: states */
  double *log_det_at; /* [count][time_count]: log-determinants, integrated from t0 on */
  /* [count]: CNF_ADJOINT_REVERSIBLE: the largest distance of a component of x0 from where the backward pass ended. NaN
   * if there was no backward pass, or if it failed. */
  double *reconstruction_error;
  /* Dense output: section 12. If `dense` is NULL there is none, and the others are not written. */
  void *dense;             /* dtype [count][dense_stride][dense_terms of the method][D+1] */
  double *dense_ends;      /* [count][dense_stride + 1]: t0, then where each accepted step ends; NaN after the last */
  size_t dense_stride;     /* steps of a sample that there is room for */
  int32_t *dense_left_out; /* [count]: later steps, which did not fit */
  int32_t *event;          /* [count]: number of the event that ended the sample; -1: none */
} cnf_solve_output;

/* Carries every sample from t0 to t1. A sample that does not arrive has a status that says why; the call still returns
 * CNF_OK. A sample whose t1 is its t0 is ok if its state is finite.
 * With x0 = data, t0 = T and t1 = 0: log p(x) = log p0(x1) + log_det.
 * Errors: SIZE, OPTION, TIME, STEP_FRACTIONS, UNEQUAL_STEPS, OUTPUT_TIMES, JUMP_TIMES, SPANS, CONTEXT, EVENT,
 * EVENT_METHOD, REGULARISER, CANCELLED; with CNF_CONTROL_BATCH or step_fractions also MEMORY. */
CNF_API cnf_status cnf_solve(cnf_solver *solver, const cnf_solve_input *input, cnf_solve_output *output);

/* Evaluates the field once: f(x0, t0) into `velocity`, dtype [count][D], and its divergence, by the solver's trace,
 * into `divergence` [count]. Either may be NULL. t0s count; t1, t1s, output times, jump times and events are not read.
 * Errors: SIZE, OPTION, TIME, CONTEXT. */
CNF_API cnf_status cnf_solver_evaluate(cnf_solver *solver, const cnf_solve_input *input, void *velocity,
                                       double *divergence);

/* ---- 8  Loss and gradient ---------------------------------------------------------------------------------------
 * cnf_solve_vjp solves, computes a loss of the results, and differentiates it. The options decide of what:
 *
 *   CNF_ADJOINT_DISCRETE     The exact derivative of the steps that were taken. The places of the steps between t0 and
 *                            t1, as fractions, count as constants. With output times these are fractions of the
 *                            interval, and each time moves the steps on both its sides. Memory: cnf_schedule and
 *                            store_bytes. As a derivative of the flow it is as accurate as these steps are; see below.
 *   CNF_ADJOINT_CONTINUOUS   The derivative of the flow, as accurate as the tolerances. State and cotangent are solved
 *                            backward from t1, so memory does not grow with the steps. Use it if memory is short, and
 *                            check it: a field that contracts strongly makes the backward solve of the state unstable.
 *   CNF_ADJOINT_REVERSIBLE   reversible_heun only. The derivative of the steps that were taken, each undone in turn, so
 *                            that no state is stored.
 *
 * Accuracy of the discrete gradient. Steps are chosen for the errors of the state. Nothing controls the error that
 * the same steps make in a derivative of the flow. For x' = -x from x0 = 0.01 over 3 units of time, dopri5 at 1e-6 has
 * an error of 2e-7 in x1, of 2e-5 in dx1/dx0, and of 5e-7 with the continuous adjoint. At x0 = 0 the state has no error
 * at all: one step is as long as the controller likes, and dx1/dx0 is wrong by 0.17 at every tolerance. With an
 * activation whose second derivative jumps, such as ELU, the gradient of a log-determinant errs by far more than the
 * tolerance. Remedies: a smaller tolerance, max_step, fixed steps, or
 * CNF_ADJOINT_CONTINUOUS, whose steps are chosen for the errors of the cotangent too. Optimisers often do not need
 * more: the discrete gradient is exactly that of the loss which the solve reports.
 *
 * More about the continuous adjoint (Chen et al. 2018, arXiv 1806.07366; formulas in Documentation/methods.md)
 *   - A sample has backward steps of its own, by adjoint_rtol and adjoint_atol. Its cotangent is measured relative to a
 *     power of two near its largest given one, so a constant factor of the loss changes nothing. The first step is
 *     initial_step or the mean of the forward steps. max_steps holds once more. With fixed steps and CNF_CONTROL_BATCH,
 *     the steps are those of the forward pass.
 *   - The gradient of theta is a quadrature over the accepted steps, outside the error norm.
 *   - At an output time the backward solve ends a step, takes the stored state of the forward pass, and adds the
 *     cotangents given there. These states are all that is stored. dL/dtimes[i] is the cotangents times f and the
 *     divergence.
 *   - A sample that reached t1 but not t0 again keeps its x1, log_det and loss. It adds 0 to every gradient, has the
 *     status and the t_reached of its backward solve, and adjoint_evaluations 0. For other samples these count the
 *     stages of accepted and rejected steps.
 *   - With a Rosenbrock method only the cotangent is solved backward. The state is read from the interpolants of the
 *     forward steps, which are stored: 3 states and 32 bytes a step, in address space reserved for max_steps (or the
 *     fixed steps) of every sample of a chunk. So memory grows with the accepted steps, by 2 states a step more than
 *     CNF_ADJOINT_DISCRETE. Backward steps are also limited by how well they resolve x. adjoint_evaluations are 8 an
 *     attempt.
 *   - CNF_PRECISION_MIXED is refused: CNF_ERROR_DTYPE. Its cotangents are too rough for an error norm.
 *
 * More about the reversible adjoint
 *   - With fixed steps memory does not grow with their number. Of adaptive steps t and h are stored: 32 bytes a step
 *     and sample. The backward pass evaluates and reverses the field once a step.
 *   - It returns to the states of the forward pass, except for rounding. Rounding grows by e^{r t} if the field
 *     contracts at rate r. `reconstruction_error` measures it: if it is not small compared with the states, the
 *     gradient belongs to other steps. Then use CNF_ADJOINT_DISCRETE, which stores y and is exact.
 *
 * Chunks. Each chunk of samples is solved, given its cotangents and differentiated inside one task. So memory grows
 * with threads, not with count. Where a batch is cut depends only on its size and the model, and partial gradients are
 * added in a fixed tree: the bits of a gradient do not depend on threads.
 *
 * Failed samples. A sample whose solve failed adds 0 to every gradient, and its loss is NaN. A sample that arrives, but
 * whose gradient is not finite, ends with CNF_SAMPLE_NOT_FINITE under every adjoint. It keeps its x1, log_det, loss and
 * t_reached and adds 0 to every gradient; the other samples have the gradients that they have without it. To
 * find it, the library repeats the chunk, several times if necessary, and so calls its callbacks more often. If every
 * sample's gradient is finite and only their sum is not, the sum is infinite.
 */
typedef enum cnf_loss_kind {
  /* Any loss whose derivatives you know beforehand: x1_bar and log_det_bar below are dL/dx1 and dL/dlog_det. */
  CNF_LOSS_COTANGENTS = 0,
  /* The negative log-likelihood under a standard normal base: scale * -(log N(x1; 0, I) + log_det), summed over
   * samples. */
  CNF_LOSS_NORMAL_NLL = 1,
  /* Any loss that is a sum over samples: `function` computes it and its derivatives from the solved samples. */
  CNF_LOSS_CALLBACK = 2
} cnf_loss_kind;

/* A loss of your own. Worker threads call it, once per chunk of `count` samples, of which the first is sample `first`
 * of the call. Read x1 dtype [count][D], log_det [count] and status [count]. Write loss [count], x1_bar dtype
 * [count][D] = dL/dx1 and log_det_bar [count] = dL/dlog_det. These three are all zero before the call; what you write
 * for failed samples is ignored. Return 0, or another number to make the whole call return CNF_ERROR_CALLBACK: chunks
 * that have not begun are then left out. */
typedef int32_t (*cnf_loss_function)(void *context, size_t first, size_t count, const void *x1, const double *log_det,
                                     const int32_t *status, double *loss, void *x1_bar, double *log_det_bar);

typedef struct cnf_loss {
  size_t struct_size;
  int32_t kind;               /* cnf_loss_kind */
  double scale;               /* NORMAL_NLL: 1.0/count for a mean */
  const void *x1_bar;         /* COTANGENTS: dtype [count][D]; NULL: zeros */
  const double *log_det_bar;  /* COTANGENTS: [count]; NULL: zeros */
  cnf_loss_function function; /* CALLBACK */
  void *context;              /* CALLBACK: passed to `function` */
  /* The members below go with every kind. */
  /* Weights of the regularisers. Each sample's loss gains s (kinetic * its kinetic integral + frobenius * its Frobenius
   * integral), where s is `scale` for NORMAL_NLL, else 1. For COTANGENTS they are dL/d(integral) of every sample. A
   * CALLBACK does not see them: they are added when it has returned. CNF_ERROR_REGULARISER: a weight that is not 0, in
   * a solver that was created without the regulariser. */
  double kinetic, frobenius;
  /* Cotangents at the output times. They are added to the others; the loss that is reported leaves them out. A CALLBACK
   * may write the rows of its own samples into these arrays, through its context: x_at and log_det_at of the output
   * hold those rows when it is called, and these arrays are read when it has returned. */
  const void *x_at_bar;         /* dtype [count][time_count][D]: dL/dx_at; NULL: zeros */
  const double *log_det_at_bar; /* [count][time_count]: dL/dlog_det_at; NULL: zeros */
  /* [count]: dL/dt_reached of samples that an event ended; those of others are not read. NULL: zeros. A CALLBACK may
   * write it as it may write those above; t_reached and event of the output are there when it is called. */
  const double *event_time_bar;
} cnf_loss;

/* The gradient. Every pointer may be NULL. Arrays are overwritten. */
typedef struct cnf_gradient {
  size_t struct_size;
  void *parameters; /* dtype [P]: dL/dtheta */
  void *x0;         /* dtype [count][D]: dL/dx0 */
  double *t0, *t1;  /* [count]: each sample's share of dL/dt0 and dL/dt1 */
  double *loss;     /* [count]: each sample's loss; NaN where the solve failed; not written for COTANGENTS */
  double *times;    /* [count][time_count]: each sample's share of dL/dtimes[i] */
  void *context;    /* dtype [count][C]: dL/dcontext */
} cnf_gradient;

/* Solves, and differentiates the loss. `output` may be NULL.
 * Errors: those of cnf_solve, and LOSS, CALLBACK, CALLBACK_REVERSE, CALLBACK_TANGENT_REVERSE, EVENT_REVERSE,
 * METHOD_GRADIENT, MEMORY. */
CNF_API cnf_status cnf_solve_vjp(cnf_solver *solver, const cnf_solve_input *input, const cnf_loss *loss,
                                 cnf_solve_output *output, cnf_gradient *gradient);

/* A loss of the field itself, without a solve: flow matching, score matching and regression of a field need no more. */
typedef enum cnf_field_loss_kind {
  CNF_FIELD_LOSS_TARGET = 0,  /* scale * weight * 1/2 |f - target|^2, summed over samples */
  CNF_FIELD_LOSS_CALLBACK = 1 /* any loss that is a sum over samples */
} cnf_field_loss_kind;

typedef struct cnf_field_loss {
  size_t struct_size;
  int32_t kind;          /* cnf_field_loss_kind */
  double scale;          /* TARGET: 1.0/count for a mean over samples */
  const void *target;    /* TARGET: dtype [count][D]; required */
  const double *weights; /* TARGET: [count]; NULL: ones */
  /* CALLBACK: as in cnf_loss, with f for x1 and the divergence for log_det. A sample has status CNF_SAMPLE_NOT_FINITE
   * if its x, context, f, a block before f, or divergence is not finite, else CNF_SAMPLE_OK. */
  cnf_loss_function function;
  void *context;
} cnf_field_loss;

/* Evaluates the field once per sample, f = f(x0, t0; theta) and its divergence, and differentiates
 *     L = sum over samples of f . velocity_bar + divergence * divergence_bar + (the loss of *loss).
 * velocity_bar is dtype [count][D], divergence_bar [count]; a NULL among these and `loss` leaves out its term. As in
 * cnf_solver_evaluate, t1, t1s, output times and events are not read.
 *
 * Of *gradient it writes `parameters`, `x0` (dL/dx), `t0` (each sample's dL/dt), `context` and `loss` (that of *loss;
 * not written if `loss` is NULL). `t1` and `times` are not written.
 *
 * The divergence costs tangents. It is evaluated only if the solver has a trace, and divergence_bar or a CALLBACK may
 * use it. A sample whose x, context, f, a block before f, or divergence is not finite adds 0 to every gradient, and its
 * loss is NaN. x0 and t0 are the sample's own bits; all are those of one euler step of length 1. A solver of any method
 * will do. Errors: SIZE, OPTION, TIME, CONTEXT, LOSS, CALLBACK, CALLBACK_REVERSE, CALLBACK_TANGENT_REVERSE,
 * MEMORY. */
CNF_API cnf_status cnf_solver_evaluate_vjp(cnf_solver *solver, const cnf_solve_input *input, const void *velocity_bar,
                                           const double *divergence_bar, const cnf_field_loss *loss,
                                           cnf_gradient *gradient);

/* ---- 9  Random numbers ------------------------------------------------------------------------------------------
 * Philox4x32-10 (Salmon et al., SC 2011) is counter-based: a number depends only on its key, (seed, stream, step,
 * sample, dimension), and not on who asks for it or when.
 */
typedef enum cnf_stream {
  CNF_STREAM_PROBE = 0, /* used by the solver */
  CNF_STREAM_BASE = 1,  /* base samples */
  CNF_STREAM_SHUFFLE = 2,
  CNF_STREAM_INITIAL = 3, /* initial parameters */
  CNF_STREAM_DATA = 4,    /* generated data, dequantisation */
  CNF_STREAM_DROPOUT = 5, /* used by the solver */
  CNF_STREAM_USER = 16    /* this and above, up to 255, are yours */
} cnf_stream;

/* The raw generator: one block of 4 numbers. */
CNF_API void cnf_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Standard normal numbers: number d of sample first + i into out[i*dim + d], of type `dtype`. stream is below 256, step
 * and samples are below 2^44, dim is below 2^34. Errors: DTYPE, SIZE. */
CNF_API cnf_status cnf_random_normal(int32_t dtype, uint64_t seed, uint32_t stream, uint64_t step, uint64_t first,
                                     size_t count, size_t dim, void *out);
/* As cnf_random_normal: uniform on [0, 1), never 1. */
CNF_API cnf_status cnf_random_uniform(int32_t dtype, uint64_t seed, uint32_t stream, uint64_t step, uint64_t first,
                                      size_t count, size_t dim, void *out);
/* As cnf_random_normal: -1 or 1, each with probability 1/2. */
CNF_API cnf_status cnf_random_rademacher(int32_t dtype, uint64_t seed, uint32_t stream, uint64_t step, uint64_t first,
                                         size_t count, size_t dim, void *out);

/* ---- 10  Library and machine ------------------------------------------------------------------------------------
 * Texts are static. cnf_isa_best, cnf_thread_count and what uses them read the environment: do not change that at the
 * same time.
 */

/* The version of the library that is loaded: "0.1.0". */
CNF_API const char *cnf_version(void);
/* The name of a cnf_isa: "avx512"; "unknown" for any other number. */
CNF_API const char *cnf_isa_name(int32_t isa);
/* 1 if this machine has the instruction set, else 0. */
CNF_API int32_t cnf_isa_is_available(int32_t isa);
/* The cnf_isa that CNF_ISA_AUTOMATIC means now; 0 if the environment's CNF_ISA names none that is available. */
CNF_API int32_t cnf_isa_best(void);
/* The number of threads that threads = 0 means now. If the environment's OMP_NUM_THREADS begins with a number above 0,
 * it is that number. Else it is the processors that the process may run on, or fewer if a container has a quota for
 * fewer: the quota's processors, rounded up (cgroup v1 and v2). */
CNF_API int32_t cnf_thread_count(void);

/* ---- 11  Measuring ----------------------------------------------------------------------------------------------
 * How fast this machine is, and how near to its peak the kernels come. These calls use only the calling thread, take
 * about `seconds` (above 0, at most 3600) and allocate memory. Several may run at once, and then measure just that.
 */

/* The most floating-point operations per second of one thread: independent chains of multiply-adds in registers, 2
 * operations each, the fastest of several runs. dtype: cnf_dtype; isa: cnf_isa. Errors: DTYPE, ISA, OPTION. */
CNF_API cnf_status cnf_measure_peak(int32_t dtype, int32_t isa, double seconds, double *flops_per_second);

/* The number of kernels that can be measured, numbered from 0. */
CNF_API int32_t cnf_kernel_count(void);
/* The name of a kernel, a static text: "product", "activation_tanh", ...; "unknown" for any other number. */
CNF_API const char *cnf_kernel_name(int32_t kernel);

typedef struct cnf_kernel_measure {
  size_t struct_size;
  double seconds;                   /* of one call: the median of `samples` samples */
  double seconds_low, seconds_high; /* their lower and upper quartiles */
  double flops;                     /* of one call: 2 rows cols lanes for each panel of a product; else 0 */
  double elements;                  /* numbers that one call reads: its panel, or its weights */
  int32_t samples;
  int32_t lanes; /* samples of a tile */
  int32_t isa;   /* cnf_isa that was measured */
} cnf_kernel_measure;

/* Times one kernel on a layer of `rows` x `cols` (1 to 8192 each) and one tile, with its operands in cache as far as
 * they fit, as a chunk finds them. Elementwise kernels use `rows` alone. First the result is compared with that of the
 * generic kernel: CNF_ERROR_KERNEL if it differs by more than rounding. Kernels named ..._bf16 are for CNF_FLOAT32
 * alone, else CNF_ERROR_DTYPE. *out, whose struct_size the caller has set, is written on CNF_OK.
 * Errors: OPTION, SIZE, DTYPE, ISA, KERNEL, MEMORY. */
CNF_API cnf_status cnf_measure_kernel(int32_t kernel, int32_t dtype, int32_t isa, int32_t rows, int32_t cols,
                                      double seconds, cnf_kernel_measure *out);

/* ---- 12  Dense output -------------------------------------------------------------------------------------------
 * If the output has an array `dense`, a solve stores the polynomial of each step. You can then read states at any time
 * between, later and without the solver. A step from t_n of length h has coefficients c_p [D+1], p < dense_terms, of
 * the state and the log-determinant (integrated from t0 on). At t_n + theta h they are sum_p c_p theta^p.
 *   - At the ends of steps they agree with the solve to rounding. The slope is continuous from step to step, except
 *     with methods of order 1 and 2 and rodas4.
 *   - The bits of the solve do not change.
 *   - With fixed steps of length h, errors between the ends are of h^(dense_order + 1), or of h^order, like those at
 *     the ends, if that is larger.
 *
 *     methods                        dense_order   polynomial                                  more evaluations a step
 *     of order 1                     1             the chord                                   none
 *     of order 2                     2             the parabola of both ends and one slope     none
 *     heun3 rk4 rk4_38 bosh3 Adams   3             cubic Hermite                               1; bosh3, adaptive: none
 *     dopri5 tsit5                   4             their own quartics                          none if adaptive, else 1
 *     vern7                          6             by the order conditions                     3
 *     dopri8                         7             by the order conditions                     5
 *     yoshida4                       3             cubic Hermite                               1
 *     rodas4                         3             from its stages; log-determinant: parabola  none
 *
 * These evaluations are made after accepted steps, and counted in `evaluations`. Regularisers have no dense output.
 * With CNF_CONTROL_BATCH a batch that fails has none. A sample whose t1 is its t0, or that fails before its first step
 * is done, has one step of no length, with its state.
 */
typedef struct cnf_dense {
  size_t struct_size;
  int32_t dtype;            /* cnf_dtype of the coefficients */
  int32_t state_dim;        /* D */
  int32_t terms;            /* dense_terms of the method */
  int32_t reserved;         /* zero */
  size_t count, stride;     /* those of the output */
  const void *coefficients; /* dtype [count][stride][terms][D+1]: `dense` of the output */
  const double *ends;       /* [count][stride + 1]: `dense_ends` of the output */
} cnf_dense;

/* The state and log-determinant of one sample at `times` [time_count], in any order: x dtype [time_count][D], log_det
 * [time_count]; either may be NULL. They are NaN at times without a stored step: the sample failed before, or there was
 * no room. Sums are in double. Errors: OPTION, DTYPE, SIZE. */
CNF_API cnf_status cnf_dense_evaluate(const cnf_dense *dense, size_t sample, const double *times, size_t time_count,
                                      void *x, double *log_det);

#ifdef __cplusplus
}
#endif
#endif
