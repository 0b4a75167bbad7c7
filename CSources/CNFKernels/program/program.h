/* A field program, checked and planned: what is known before dtype and instruction set matter. */
#ifndef CNF_FIELD_PROGRAM_H
#define CNF_FIELD_PROGRAM_H

#include "program/ops.h"

/* One op and the block it makes. Rows are counted in panels that hold all blocks back to back, the state first. */
typedef struct cnf_plan {
  cnf_op op;
  cnf_callback callback;  /* CALLBACK: a copy; op.callback is NULL */
  int32_t rows;           /* of the result */
  int32_t cols;           /* LINEAR, TRANSPOSED, CALLBACK: rows of the input; else 0 */
  size_t parameter_count; /* the op's own */
  size_t weight;          /* where they start in theta; LAYER_NORM: the gain */
  size_t bias;            /* LINEAR, LAYER_NORM: where the bias starts in theta */
  int32_t source;         /* LINEAR, TRANSPOSED: number of the LINEAR op that owns the weights */
  int32_t weights_read;   /* LINEAR: 1: an op that dx/dt depends on takes its weights, itself or a TRANSPOSED one */
  int32_t aux_row;        /* first row in the panel of aux values that an evaluation keeps; -1: none */
  int32_t pre_row;        /* first row in the panel of pre-activation tangents; -1: none */
  int32_t mask_row;       /* DROPOUT: first row in the panel of masks */
  int32_t live;           /* 1: dx/dt depends on it; the others never run */
  int32_t accumulate;     /* 1: in the backward pass, a later op has already written the cotangent of `input` */
  int32_t accumulate2;    /* likewise of `input2` */
  int32_t is_view; /* CONCAT: its rows are those of its operands, which are neighbours and have no other reader */
  /* tangents: tangent_plan.c */
  int32_t is_nonlinear;       /* 1: its operands depend on the state, and its derivative by them varies */
  int32_t tangent_runs;       /* 1: every evaluation computes the tangent of its block */
  int32_t tangent_accumulate; /* as accumulate and accumulate2, for cotangents of tangents */
  int32_t tangent_accumulate2;
  int32_t entry_row; /* nonlinear LINEAR whose input has a constant tangent: first row in the entry panel; else -1 */
  int32_t divergence_rows; /* rows of what the divergence adds to the cotangents of its operands (field/evaluator.h) */
  int32_t divergence_row;  /* nonlinear: the first of them in their panel (evaluator.h); -1: none */
} cnf_plan;

typedef struct cnf_block {
  int32_t row; /* first row in the value panel */
  int32_t rows;
  int32_t from_state; /* 1: depends on the state, so it has a tangent */
  /* tangents: tangent_plan.c */
  int32_t behind_nonlinear;  /* 1: a nonlinear op lies between the state and it, so its tangent varies over a solve */
  int32_t reaches_output;    /* 1: dx/dt depends on it through linear ops alone, on some path */
  int32_t reaches_nonlinear; /* 1: a nonlinear op depends on it through linear ops alone, on some path */
  int32_t tangent_row;       /* first row in panels of tangents that every evaluation computes; -1: none */
} cnf_block;

/* The nets whose exact trace is one product: [x or (x, t)] -> LINEAR a1 -> [LINEAR a2] -> LINEAR identity. */
typedef struct cnf_trace_product {
  int32_t hidden;    /* hidden layers: 0, 1, 2; -1: the program has another shape */
  int32_t layers[3]; /* op numbers of the LINEARs, hidden + 1 of them */
} cnf_trace_product;

/* Rows of aux for the time of a CALLBACK in a float field: a double as the sum of three floats. */
#define CNF_CALLBACK_TIME_ROWS 3

typedef struct cnf_program {
  int32_t dtype;
  int32_t state_dim;
  int32_t op_count;
  /* heights of panels */
  int32_t value_rows, aux_rows, pre_rows;
  int32_t tangent_rows, entry_rows, divergence_rows;
  int32_t context_dim, mask_rows; /* rows of a sample's context and of its DROPOUT masks */
  int32_t widest;                 /* rows of the largest block */
  int32_t callbacks;              /* live CALLBACK ops */
  size_t parameter_count;
  int32_t state_read;     /* 1: some live op reads the state */
  int32_t output_tangent; /* 1: evaluations with tangents compute that of dx/dt too (tangent_plan.c) */
  /* multiply-adds of one evaluation: sum of rows*cols over ops that multiply by weights and CALLBACK ops */
  size_t products;
  size_t tangent_products; /* the same over those that a tangent runs through in every evaluation */
  cnf_trace_product trace;
  cnf_plan *plans;   /* [op_count] */
  cnf_block *blocks; /* [op_count + 1] */
} cnf_program;

/* Rows of all panels stay below this: rows times lanes then fit int32_t, and products of two sizes fit size_t. */
#define CNF_MAX_ROWS (1 << 24)

/* Checks and plans `ops`. `program` owns its arrays. *bad_op: the op that is refused, or -1. rows [op_count + 1] or
 * NULL: rows of every block that was made, also where the program is refused. */
cnf_status cnf_program_make(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count, cnf_program *program,
                            int32_t *bad_op, int32_t *rows);
/* The sentence of cnf_field_explain: why cnf_program_make refuses a program. rows [op_count + 1] is scratch. */
cnf_status cnf_program_explain(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count, int32_t *rows,
                               char *text, size_t size);
/* Refuses callbacks that lack a function which the trace (a resolved one) or the gradient needs. */
cnf_status cnf_program_check_callbacks(const cnf_program *program, int32_t trace, int with_gradient);
/* May dx/dt depend on t by itself? A callback may read it. */
int cnf_program_reads_time(const cnf_program *program);
cnf_status cnf_program_copy(const cnf_program *from, cnf_program *to);
void cnf_program_free(cnf_program *program);

/* Decides which tangents are computed once per solve and which in every evaluation, by program->output_tangent.
 * `scratch` [op_count + 1] is overwritten. May be called again. */
void cnf_program_plan_tangents(cnf_program *program, int32_t *scratch);

#endif
