/* net_fixture.h - the small field of fixture.h and a linear one, solvers of both, and numbers that look random. */
#ifndef CNF_NET_FIXTURE_H
#define CNF_NET_FIXTURE_H

#include <math.h>

#include "fixture.h"

enum { COUNT = 37, MOST_STEPS = 400 }; /* COUNT: more samples than a tile of any instruction set */

/* The i-th of a series of numbers in [-1, 1] that look random. */
static inline double noise(int i) { return sin(12.9898 * i + 0.37 * i * i); }

static const cnf_op net_ops[OP_COUNT] = OPS;
static const cnf_op linear_ops[] = {{.kind = CNF_OP_LINEAR, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = D}};

/* A solver with the options that are not 0, the defaults for the others, and one thread if `threads` is 0. The method
 * is always that of the options. */
static inline cnf_solver *options_solver(const cnf_op *ops, int32_t op_count, cnf_solver_options options) {
  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options defaults;
  cnf_solver_options_init(&defaults, sizeof defaults);
  options.struct_size = defaults.struct_size;
  if (options.rtol == 0 && options.atol == 0) options.rtol = defaults.rtol, options.atol = defaults.atol;
  if (options.threads == 0) options.threads = 1;
  CHECK(cnf_field_create(CNF_FLOAT64, D, ops, op_count, sizeof(cnf_op), &field) == CNF_OK);
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  cnf_field_destroy(field);
  return solver;
}

#endif
