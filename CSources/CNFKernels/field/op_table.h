/* The functions of every op, by kind. */
#ifndef CNF_FIELD_OP_TABLE_H
#define CNF_FIELD_OP_TABLE_H

#include "field/ops/op.h"
#define CNF_OP_FUNCTIONS
#include "program/op_list.h"
#undef CNF_OP_FUNCTIONS

static const op_functions *const op_table[CNF_OP_KINDS] = {
#define CNF_X(kind, name, ...) [CNF_OP_##kind] = &name##_functions,
    CNF_OP_LIST(CNF_X)
#undef CNF_X
};

static const op_functions *functions_of(const cnf_plan *plan) { return op_table[plan->op.kind]; }

#endif
