/* callback_fixture.h - solvers, fields and random numbers for the tests of callbacks. */
#ifndef CNF_CALLBACK_FIXTURE_H
#define CNF_CALLBACK_FIXTURE_H

#include "check.h"

typedef struct setting {
  int32_t trace, probes, control, threads;
  int64_t store_bytes;
} setting;

static inline cnf_solver *make_solver(const cnf_field *field, setting s) {
  cnf_solver_options options;
  cnf_solver *solver = NULL;
  cnf_solver_options_init(&options, sizeof options);
  options.control = s.control;
  options.rtol = options.atol = 1e-6;
  options.max_step = INFINITY; /* by default, steps of fields with callbacks are shorter */
  options.steps = 5;
  options.trace = s.trace;
  options.probes = s.probes;
  options.threads = s.threads;
  options.store_bytes = s.store_bytes;
  CHECK(cnf_solver_create(field, &options, &solver) == CNF_OK);
  return solver;
}

/* Normal numbers that are the same in every run. */
static inline void numbers(uint64_t seed, double scale, size_t count, double *out) {
  CHECK(cnf_random_normal(CNF_FLOAT64, seed, CNF_STREAM_USER, 0, 0, 1, count, out) == CNF_OK);
  for (size_t i = 0; i < count; i++) out[i] *= scale;
}

/* A field whose dx/dt is one callback of the state. */
static inline cnf_field *callback_field(const cnf_callback *callback, int32_t dim) {
  const cnf_op op = {
      .kind = CNF_OP_CALLBACK, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = dim, .callback = callback};
  cnf_field *field = NULL;
  CHECK(cnf_field_create(CNF_FLOAT64, dim, &op, 1, sizeof(cnf_op), &field) == CNF_OK);
  return field;
}

#endif
