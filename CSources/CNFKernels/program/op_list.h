/* The list of ops: one row per kind.
 *
 * A new op takes a kind in cnf.h, a row and an #include here, its functions in field/ops/<name>.h, and a program in
 * Tests/C/ops_fixture.h. program/ops.c makes the rows that checking, planning and messages read. field/op_table.h makes
 * the table of the functions that evaluate: it defines CNF_OP_FUNCTIONS before it includes this file.
 *
 * X(KIND, name, ...): CNF_OP_KIND of cnf.h; the file field/ops/<name>.h; then the members of cnf_op_row (ops.h) that
 * are not 0. */
#ifndef CNF_PROGRAM_OP_LIST_H
#define CNF_PROGRAM_OP_LIST_H

/* clang-format off */
#define CNF_OP_LIST(X)                                                                                         \
  X(LINEAR, linear, .operands = 1, .rows = CNF_ROWS_GIVEN, .uses = CNF_USES_ROWS | CNF_USES_ACTIVATION,        \
    .derivative = CNF_DERIVATIVE_BY_ACTIVATION, .multiplies = 1, .place = place_linear)                        \
  X(ACTIVATION, activation, .operands = 1, .uses = CNF_USES_ACTIVATION,                                        \
    .derivative = CNF_DERIVATIVE_BY_ACTIVATION)                                                                \
  X(TIME, time, .rows = CNF_ROWS_ONE, .reads_time = 1)                                                         \
  X(ADD, add, .operands = 2, .misfit = "{op} adds {input} and {input2}")                                       \
  X(CONCAT, concat, .operands = 2, .rows = CNF_ROWS_JOINED, .second = CNF_SECOND_ANY)                          \
  X(CALLBACK, callback, .operands = 1, .rows = CNF_ROWS_GIVEN, .uses = CNF_USES_ROWS | CNF_USES_CALLBACK,      \
    .derivative = CNF_DERIVATIVE_VARIES, .reads_time = 1, .place = place_callback)                             \
  X(MULTIPLY, multiply, .operands = 2, .second = CNF_SECOND_SAME_OR_ONE, .derivative = CNF_DERIVATIVE_VARIES,  \
    .misfit = "{op} multiplies {input} by {input2}, which has neither as many nor one",                        \
    .place = place_multiply)                                                                                   \
  X(SLICE, slice, .operands = 1, .rows = CNF_ROWS_GIVEN, .uses = CNF_USES_ROWS | CNF_USES_FIRST,               \
    .misfit = "{op} takes {rows} rows, from row {first} on, of {input}")                                       \
  X(CONTEXT, context, .rows = CNF_ROWS_GIVEN, .uses = CNF_USES_ROWS, .place = place_context)                   \
  X(LAYER_NORM, layer_norm, .operands = 1, .number = CNF_NUMBER_NOT_NEGATIVE,                                  \
    .derivative = CNF_DERIVATIVE_VARIES, .place = place_layer_norm)                                            \
  X(DROPOUT, dropout, .operands = 1, .number = CNF_NUMBER_RATE, .derivative = CNF_DERIVATIVE_VARIES,           \
    .place = place_dropout)                                                                                    \
  X(SCALE, scale, .operands = 1, .number = CNF_NUMBER_FINITE, .uses = CNF_USES_OFFSET)                         \
  X(TRANSPOSED, transposed, .operands = 1, .rows = CNF_ROWS_TIED, .uses = CNF_USES_TIED, .multiplies = 1,      \
    .misfit = "{op} takes the weights of {tied} and reads {input}", .place = place_transposed)                 \
  X(SUM, sum, .operands = 1, .rows = CNF_ROWS_ONE)
/* clang-format on */

#endif

#ifdef CNF_OP_FUNCTIONS
#include "field/ops/activation.h"
#include "field/ops/linear.h"
#include "field/ops/transposed.h"
#include "field/ops/time.h"
#include "field/ops/context.h"
#include "field/ops/add.h"
#include "field/ops/concat.h"
#include "field/ops/slice.h"
#include "field/ops/scale.h"
#include "field/ops/sum.h"
#include "field/ops/multiply.h"
#include "field/ops/layer_norm.h"
#include "field/ops/dropout.h"
#include "field/ops/callback.h"
#endif
