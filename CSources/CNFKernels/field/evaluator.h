/* A field at the current parameters (model, one per solver) and the panels to run it on a tile (evaluator, one per
 * thread). */
#ifndef CNF_FIELD_EVALUATOR_H
#define CNF_FIELD_EVALUATOR_H
#include "field/arena.h"
#include "program/program.h"
#include "simd/kernels.h"

/* Tangents that run through a field side by side share its weights while those are in the first-level cache. They go in
 * groups of this many. */
#define CNF_TANGENT_GROUP 8

#define CNF_MAX_LANES 32

/* Where an op's packed weights and padded gradients start, in reals. A LINEAR op has them all. A TRANSPOSED op has
 * those of the LINEAR op that owns its weights, with the two orientations exchanged. LAYER_NORM has gradients of gain
 * and bias, CALLBACK one of all its parameters, at weight_bar. */
typedef struct cnf_op_place {
  size_t packed;       /* [ceil(rows/block)][cols][block] */
  size_t packed_t;     /* the transpose: [ceil(cols/block)][rows][block] */
  size_t bf16, bf16_t; /* the same in bfloat16, from the start of packed_bf16 */
  size_t weight_bar;   /* [rows][ld] */
  size_t bias_bar;     /* [rows] */
  size_t ld;           /* reals from one row of weight_bar to the next */
} cnf_op_place;

typedef struct cnf_model {
  const cnf_program *program;
  const cnf_kernels *kernels;   /* of the call under way: those of tile, or tile->single */
  const cnf_kernels *tile;      /* those that the memory layout is for */
  const cnf_bf16_kernels *bf16; /* mixed precision: those of products of derivatives; else NULL */
  int32_t trace;                /* NONE, HUTCHINSON, EXACT_TANGENTS or EXACT_PRODUCT */
  int32_t probes;
  int32_t kinetic,
      frobenius;        /* 1: evaluations give this regulariser too; program->output_tangent is 1 where frobenius is */
  int32_t jacobian;     /* 1: unit tangents are there for the method, no divergence is asked for: it is 0 */
  const real *theta;    /* of the call under way, or `bound` */
  real *bound;          /* [parameter_count]: bound parameters */
  int32_t ready;        /* what of theta is packed (field/packing.h) */
  cnf_op_place *places; /* [op_count] */
  real *packed;         /* all packed weights */
  real *packed_bf16;    /* those that derivatives are multiplied by, in mixed precision */
  size_t packed_size, bf16_size;
  size_t gradient_size; /* of a padded gradient, in reals */
  /* EXACT_PRODUCT: trace = d2' M d1, M [m_rows][m_cols]; one hidden layer: m_rows = 1, d2 = 1; none: M is the trace. */
  int32_t m_rows, m_cols;
  size_t m_packed, m_packed_t, m_bf16, m_bf16_t, m_bar, m_ld; /* M_bar is part of the padded gradient */
  real *m, *q, *q_bar;                                        /* [m_rows][m_cols]; q: two hidden layers only */
  real *matmul_scratch;
  /* Adaptive steps of a field that reads t, without a max_step (field/time_rate.h): */
  int32_t wants_time_rate; /* 1: calls want it */
  double time_rate;        /* of the call under way; 0 where it is not wanted */
  double *time_rates;      /* [value_rows]: scratch */
} cnf_model;

/* What one evaluation leaves for its backward pass. Panels are [rows][lanes]. */
typedef struct cnf_kept {
  real *value;   /* [value_rows] */
  real *aux;     /* [aux_rows]; of a callback: the time that it was called with */
  real *tangent; /* [group][tangent_rows] */
  real *pre;     /* [group][pre_rows]: pre-activation tangents */
  real *md1;     /* EXACT_PRODUCT: [m_rows], M d1 */
} cnf_kept;

/* Cotangents of one evaluation. They stay until the gradients of the weights have been gathered. */
typedef struct cnf_bars {
  real *bar;         /* [value_rows]: of values; where an op has an activation, of what is before it */
  real *tangent_bar; /* [group][tangent_rows]: likewise, of tangents */
  real *d1, *d2;     /* EXACT_PRODUCT: [m_cols] a1'(z1); [m_rows] mu a2'(z2) */
} cnf_bars;

/* For each of N tangents: values that are constant during the solve of a lane's sample, and their cotangents summed
 * over its evaluations (probe_constants.h). */
typedef struct cnf_constants {
  real *tangent;     /* [N][value_rows]: of blocks whose tangent does not vary; block 0: the probes */
  real *entry;       /* [N][entry_rows]: W x_dot of nonlinear ops that read such a tangent */
  real *exit;        /* [N][value_rows]: the probe carried back to blocks that reach the output */
  real *divergence;  /* [1]: what the constant tangents add to the divergence, summed over n */
  real *tangent_bar; /* [N][value_rows]: sums of cotangents of `tangent` */
  real *entry_bar;   /* [N][entry_rows]: likewise of `entry` */
  real *exit_bar;    /* [N][value_rows]: likewise of `exit` */
  real *mu;          /* [1]: sum of the divergence's cotangents */
} cnf_constants;

/* One thread's panels. */
typedef struct cnf_evaluator {
  const cnf_model *model;
  cnf_kept kept;                 /* of the evaluation under way; a caller points it at storage */
  cnf_bars bars;                 /* likewise */
  cnf_constants constants;       /* of the lanes' samples */
  real *pre_divergence_bar;      /* [value_rows]: what the divergence adds to cotangents of pre-activations */
  real *divergence_bar;          /* [divergence_rows]: what it adds to cotangents of operands of other nonlinear ops */
  real *d1_bar;                  /* EXACT_PRODUCT: [m_cols] */
  real *bf16_scratch;            /* mixed precision: [group + 1][ceil(widest/terms)] words, panels of a product */
  real *scratch;                 /* of one op at a time: the most rows that an op's scratch_rows asks for */
  int32_t mean_first, mean_rows; /* the rows of dx/dt that regularisers are means over: all D, or a half */
  real *context;                 /* [context_dim]: of the lanes' samples */
  real *masks;                   /* [mask_rows]: of the lanes' samples: 0 or 1/(1 - rate); all 1 without dropout */
  real *context_bar;             /* [context_dim]: cotangents of `context`, summed over the evaluations of a solve */
} cnf_evaluator;

/* A row [1] for each of the other integrands of an evaluation: values, or cotangents. kinetic is 1/2 mean f^2;
 * frobenius is mean (J eps)^2, as a mean over probes or a sum over the D unit vectors. Both means are over the rows
 * that the evaluator names. A regulariser that the model lacks is not used. */
typedef struct cnf_integrands {
  real *divergence, *kinetic, *frobenius;
} cnf_integrands;

/* An evaluation after its backward pass: what gather_gradients reads. */
typedef struct cnf_reversed {
  cnf_kept kept;
  cnf_bars bars;
  int32_t value;    /* 1: its values are part of it */
  int32_t tangents; /* how many of the group are */
  int32_t product;  /* 1: EXACT_PRODUCT, with a divergence */
} cnf_reversed;

#endif
