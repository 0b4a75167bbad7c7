/* What is known of an op's kind before dtype and instruction set matter: the rows of op_list.h. */
#ifndef CNF_PROGRAM_OPS_H
#define CNF_PROGRAM_OPS_H

#include "cnf.h"
#include "program/op_list.h"

/* Rows of the result. */
typedef enum cnf_rows_rule {
  CNF_ROWS_OF_INPUT, /* as many as input */
  CNF_ROWS_GIVEN,    /* cnf_op.rows */
  CNF_ROWS_ONE,
  CNF_ROWS_JOINED, /* those of input, then those of input2 */
  CNF_ROWS_TIED    /* as many as the tied LINEAR op reads */
} cnf_rows_rule;

/* Rows of the second operand. */
typedef enum cnf_second_rule { CNF_SECOND_SAME, CNF_SECOND_SAME_OR_ONE, CNF_SECOND_ANY } cnf_second_rule;

/* Members of cnf_op that a kind uses. The others must be 0, so that later versions may give them a meaning. */
enum {
  CNF_USES_ROWS = 1,
  CNF_USES_ACTIVATION = 2,
  CNF_USES_CALLBACK = 4,
  CNF_USES_FIRST = 8, /* with rows: a part of input */
  CNF_USES_TIED = 16,
  CNF_USES_OFFSET = 32
};

/* Which values of cnf_op.number are accepted. */
typedef enum cnf_number_rule {
  CNF_NUMBER_UNUSED, /* 0 */
  CNF_NUMBER_FINITE,
  CNF_NUMBER_NOT_NEGATIVE, /* and finite */
  CNF_NUMBER_RATE          /* in [0, 1) */
} cnf_number_rule;

/* How the derivative of the result by the operands behaves over a solve. */
typedef enum cnf_derivative {
  CNF_DERIVATIVE_CONSTANT,      /* the op is linear */
  CNF_DERIVATIVE_BY_ACTIVATION, /* constant where the activation is the identity */
  CNF_DERIVATIVE_VARIES         /* also where it is constant but differs between samples (DROPOUT) */
} cnf_derivative;

struct cnf_program;
struct cnf_plan;

typedef struct cnf_op_row {
  const char *name;   /* "LAYER_NORM" */
  int32_t operands;   /* how many blocks it reads: none, input, or input and input2 */
  int32_t rows;       /* cnf_rows_rule */
  int32_t second;     /* cnf_second_rule */
  int32_t uses;       /* sum of CNF_USES_ */
  int32_t number;     /* cnf_number_rule */
  int32_t derivative; /* cnf_derivative */
  int32_t multiplies; /* 1: by a matrix of weights */
  int32_t reads_time; /* 1: the result depends on t by itself */
  const char *misfit; /* message for row counts that do not fit; explanation.c fills in {op}, {input}, ... */
  /* Plans what a kind has of its own: parameters, panels that it keeps. NULL: nothing. */
  cnf_status (*place)(struct cnf_program *program, struct cnf_plan *plan);
} cnf_op_row;

/* Kinds are numbered from 0 without gaps: a number that is too large does not fit the table of rows. */
#define CNF_X(kind, file, ...) +1
enum { CNF_OP_KINDS = 0 CNF_OP_LIST(CNF_X) };
#undef CNF_X

extern const cnf_op_row cnf_op_rows[CNF_OP_KINDS];

/* How many blocks an op reads. The kind is a valid one, here and below. */
static inline int cnf_op_operands(const cnf_op *op) { return cnf_op_rows[op->kind].operands; }

static inline int cnf_op_uses(const cnf_op *op, int32_t member) { return (cnf_op_rows[op->kind].uses & member) != 0; }

/* 1: the derivative by the operands is the same for all samples and over every solve. */
static inline int cnf_op_is_linear(const cnf_op *op) {
  const int32_t derivative = cnf_op_rows[op->kind].derivative;
  return derivative == CNF_DERIVATIVE_CONSTANT ||
         (derivative == CNF_DERIVATIVE_BY_ACTIVATION && op->activation == CNF_ACTIVATION_IDENTITY);
}

/* 1: the op multiplies by a matrix of weights. */
static inline int cnf_op_multiplies(const cnf_op *op) { return cnf_op_rows[op->kind].multiplies; }

#endif
