/* A field program, checked and planned: what is known before dtype and instruction set matter. */
#ifndef CNF_FIELD_PROGRAM_H
#define CNF_FIELD_PROGRAM_H

#include "cnf.h"

/* One op and the block it makes. Rows are counted in panels that hold all blocks back to back, the state first. */
typedef struct cnf_plan {
  cnf_op op;
  cnf_callback callback; /* CALLBACK: a copy; op.callback is NULL */
  int32_t rows;          /* of the result */
  int32_t cols;          /* LINEAR, TRANSPOSED, CALLBACK: rows of the input */
  size_t weight;         /* LINEAR, LAYER_NORM (gain): offsets in theta; CALLBACK: of its parameters */
  size_t bias;
  int32_t aux_row;     /* first row in the aux panel, -1: keeps none; CALLBACK: where its time is kept; LAYER_NORM: what
                          is normalised, then 1/sqrt(variance + epsilon) */
  int32_t pre_row;     /* first row in the pre-tangent panel, -1: keeps none */
  int32_t live;        /* 1: dx/dt depends on it; the others are never run */
  int32_t accumulate;  /* 1: in reverse, a later op has written the cotangent of `input` already */
  int32_t accumulate2; /* the same of `input2` */
  int32_t is_view;     /* CONCAT: its rows are those of its operands, which lie side by side and are read by it alone */
  /* tangents, see tangent_plan.c */
  int32_t bends;        /* 1: its derivative varies over a solve, or is a sample's own; of what depends on the state */
  int32_t held_row;     /* first of its cnf_plan_held_rows in the held panel (evaluator.h), if it bends; else -1 */
  int32_t tangent_runs; /* 1: the tangent of its block is made in every evaluation */
  int32_t entry_row;    /* LINEAR that bends a constant tangent: first row in the entry panel; else -1 */
  int32_t tangent_accumulate; /* as accumulate and accumulate2, for cotangents of tangents */
  int32_t tangent_accumulate2;
  int32_t mask_row; /* DROPOUT: first row of its mask in the panel of masks */
  int32_t source;   /* LINEAR and TRANSPOSED: number of the LINEAR op whose weights it takes, its own or another's */
  int32_t weights_read; /* LINEAR: 1: a live op takes its weights, which may be another's than the op itself */
} cnf_plan;

/* How many blocks an op reads: input and input2 are blocks where there are so many. */
static inline int cnf_op_operands(const cnf_op *op) {
  switch (op->kind) {
  case CNF_OP_TIME:
  case CNF_OP_CONTEXT: return 0;
  case CNF_OP_ADD:
  case CNF_OP_CONCAT:
  case CNF_OP_MULTIPLY: return 2;
  }
  return 1;
}
/* Is an op's derivative by its operands a constant of every solve? DROPOUT's is one of each sample's own, and counts as varying. */
static inline int cnf_op_is_linear(const cnf_op *op) {
  switch (op->kind) {
  case CNF_OP_LINEAR:
  case CNF_OP_ACTIVATION: return op->activation == CNF_ACTIVATION_IDENTITY;
  case CNF_OP_CALLBACK:
  case CNF_OP_MULTIPLY:
  case CNF_OP_LAYER_NORM:
  case CNF_OP_DROPOUT: return 0;
  }
  return 1;
}

/* Does an op multiply by a matrix of weights? */
static inline int cnf_op_multiplies(const cnf_op *op) {
  return op->kind == CNF_OP_LINEAR || op->kind == CNF_OP_TRANSPOSED;
}

/* How many parameters of its own an op has. */
static inline size_t cnf_plan_parameters(const cnf_plan *plan) {
  switch (plan->op.kind) {
  case CNF_OP_LINEAR: return (size_t)plan->rows * ((size_t)plan->cols + 1);
  case CNF_OP_CALLBACK: return plan->callback.parameter_count;
  case CNF_OP_LAYER_NORM: return 2 * (size_t)plan->rows;
  }
  return 0;
}

typedef struct cnf_block {
  int32_t row; /* first row in the value panel */
  int32_t rows;
  int32_t from_state; /* 1: depends on the state, so it has a tangent */
  /* tangents, see tangent_plan.c */
  int32_t bent;        /* 1: an op that bends lies between the state and it: its tangent varies over a solve */
  int32_t exits;       /* 1: reaches dx/dt through linear ops alone */
  int32_t turns;       /* 1: reaches an op that bends through linear ops alone */
  int32_t tangent_row; /* first row in panels of tangents made in every evaluation; -1: none is */
} cnf_block;

/* The nets whose exact trace is one product: [x or (x, t)] -> LINEAR a1 -> [LINEAR a2] -> LINEAR identity. */
typedef struct cnf_trace_product {
  int32_t hidden;    /* hidden layers: 0, 1, 2; -1: the program has another shape */
  int32_t layers[3]; /* op numbers of the LINEARs, hidden + 1 of them */
} cnf_trace_product;

typedef struct cnf_program {
  int32_t dtype;
  int32_t state_dim;
  int32_t op_count;
  int32_t value_rows, aux_rows, pre_rows; /* panels' heights */
  int32_t tangent_rows, entry_rows, held_rows;
  int32_t context_dim, mask_rows; /* rows of a sample's context, and of its DROPOUT masks */
  int32_t callbacks;              /* live CALLBACK ops */
  int32_t widest;                 /* rows of the largest block */
  size_t parameter_count;
  int32_t state_read; /* 1: some live op reads the state */
  int32_t ends_run;   /* 1: dx/dt's own tangent is wanted of every evaluation that has tangents (tangent_plan.c) */
  size_t
      products; /* sum of rows*cols over ops that multiply by weights, and CALLBACK ops: multiply-adds of one evaluation */
  size_t tangent_products; /* the same over those that a tangent runs through in every evaluation */
  cnf_trace_product trace;
  cnf_plan *plans;   /* [op_count] */
  cnf_block *blocks; /* [op_count + 1] */
} cnf_program;

/* Rows of what the divergence adds to cotangents of an op's operands, where these are not what a bend's `extra` is for: of a
 * CALLBACK's x and t, of both operands of MULTIPLY, of LAYER_NORM's input. */
static inline int32_t cnf_plan_held_rows(const cnf_program *p, const cnf_plan *plan) {
  switch (plan->op.kind) {
  case CNF_OP_CALLBACK: return plan->cols + 1;
  case CNF_OP_MULTIPLY: return plan->rows + p->blocks[plan->op.input2].rows;
  case CNF_OP_LAYER_NORM: return plan->rows;
  }
  return 0;
}

/* Rows of all panels stay below this, so that rows times lanes fit int32_t, and products of two sizes size_t. */
#define CNF_MAX_ROWS (1 << 24)

/* Fills `program`, whose arrays are then owned by it. *bad_op: the op at fault or -1. rows [op_count + 1] or NULL: of every block
 * that was made, also where the program is refused. */
cnf_status cnf_program_make(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count, cnf_program *program,
                            int32_t *bad_op, int32_t *rows);
/* Writes why that refuses a program, cnf_field_explain's sentence; rows [op_count + 1] is scratch. */
cnf_status cnf_program_explain(int32_t dtype, int32_t state_dim, const cnf_op *ops, int32_t op_count, int32_t *rows,
                               char *text, size_t size);
/* Can the callbacks do what is asked? `trace` is resolved; with_gradient: the reverse as well. */
cnf_status cnf_program_check_callbacks(const cnf_program *program, int32_t trace, int with_gradient);
cnf_status cnf_program_copy(const cnf_program *from, cnf_program *to);
void cnf_program_free(cnf_program *program);

/* Decides what of a tangent is made once per solve and what in every evaluation, by program->ends_run; `scratch`
 * [op_count + 1] is overwritten. May be called again. */
void cnf_program_plan_tangents(cnf_program *program, int32_t *scratch);

#endif
