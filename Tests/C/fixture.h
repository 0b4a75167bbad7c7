/* fixture.h - a small field and its solvers, for the tests of the API. */
#ifndef CNF_FIXTURE_H
#define CNF_FIXTURE_H

#include "check.h"

/* A value that is in none of the lists of cnf.h. */
enum { UNKNOWN = 10000 };

enum { D = 2, HIDDEN = 4, OP_COUNT = 4, P = HIDDEN * (D + 1) + HIDDEN + D * HIDDEN + D };

/* f(x, t) of [x, t] with one hidden tanh layer. */
#define OPS                                                                     \
  {                                                                             \
    {.kind = CNF_OP_TIME, .input = CNF_NO_BLOCK, .input2 = CNF_NO_BLOCK},       \
        {.kind = CNF_OP_CONCAT, .input = CNF_STATE, .input2 = 1},               \
        {.kind = CNF_OP_LINEAR,                                                 \
         .input = 2,                                                            \
         .input2 = CNF_NO_BLOCK,                                                \
         .rows = HIDDEN,                                                        \
         .activation = CNF_ACTIVATION_TANH},                                    \
        {.kind = CNF_OP_LINEAR, .input = 3, .input2 = CNF_NO_BLOCK, .rows = D}, \
  }

static inline cnf_field *good_field(void) {
  const cnf_op ops[OP_COUNT] = OPS;
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, D, ops, OP_COUNT, sizeof(cnf_op), &field) == CNF_OK);
  return field;
}

static inline cnf_solver *good_solver(const cnf_field *field, int32_t control) {
  cnf_solver_options options;
  cnf_solver *solver = NULL;
  cnf_solver_options_init(&options, sizeof options);
  options.control = control;
  options.steps = 4;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  return solver;
}

#endif
