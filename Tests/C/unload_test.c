/* unload_test.c - a host loads the library, uses it and unloads it, again and again.
 *
 *   unload_test libcnf.so
 *
 * The program is not linked with the library, so dlclose gives up the last reference to it. Threads that the library or
 * its runtime has started must not run code that is no longer there.
 */
#include <dlfcn.h>

#include "check.h"

enum { CYCLES = 300, ROWS = 2, SAMPLES = 200, THREADS = 2 };

typedef cnf_status options_init(cnf_solver_options *, size_t);
typedef cnf_status field_create(int32_t, int32_t, const cnf_op *, int32_t, size_t, cnf_field **);
typedef void field_destroy(cnf_field *);
typedef cnf_status solver_create(const cnf_field *, const cnf_solver_options *, cnf_solver **);
typedef void solver_destroy(cnf_solver *);
typedef cnf_status solve(cnf_solver *, const cnf_solve_input *, cnf_solve_output *);

/* The address of a function: ISO C has no cast from an object's address to a function's. */
static void look_up(void *library, const char *name, void *function) {
  void *symbol = dlsym(library, name);
  memcpy(function, &symbol, sizeof symbol);
}

/* Solves dx/dt = -x from 0 to 1 and returns 1 if every sample arrives at x exp(-1). */
static int solve_once(void *library) {
  static double x[SAMPLES][ROWS], y[SAMPLES][ROWS];
  const double theta[ROWS * ROWS + ROWS] = {-1, 0, 0, -1, 0, 0};
  const cnf_op op = {.kind = CNF_OP_LINEAR, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = ROWS};
  options_init *init;
  field_create *make_field;
  field_destroy *free_field;
  solver_create *make_solver;
  solver_destroy *free_solver;
  solve *run;
  look_up(library, "cnf_solver_options_init", &init);
  look_up(library, "cnf_field_create", &make_field);
  look_up(library, "cnf_field_destroy", &free_field);
  look_up(library, "cnf_solver_create", &make_solver);
  look_up(library, "cnf_solver_destroy", &free_solver);
  look_up(library, "cnf_solve", &run);

  cnf_field *field = NULL;
  cnf_solver *solver = NULL;
  cnf_solver_options options;
  cnf_solve_input input = {
      .struct_size = sizeof input, .parameters = theta, .x0 = x, .count = SAMPLES, .t0 = 0, .t1 = 1};
  cnf_solve_output output = {.struct_size = sizeof output, .x1 = y};
  for (int i = 0; i < SAMPLES; ++i) x[i][0] = i, x[i][1] = -1 - i;
  init(&options, sizeof options);
  options.threads = THREADS;
  options.rtol = options.atol = 1e-9;
  if (make_field(CNF_FLOAT64, ROWS, &op, 1, sizeof op, &field) || make_solver(field, &options, &solver)) return 0;
  const cnf_status status = run(solver, &input, &output);
  free_solver(solver);
  free_field(field);
  double error = 0;
  for (int i = 0; i < SAMPLES * ROWS; ++i)
    error = larger_of(error, fabs((&y[0][0])[i] - (&x[0][0])[i] * exp(-1)) / (1 + fabs((&x[0][0])[i])));
  return status == CNF_OK && error < 1e-7; /* a hundred tolerances: a few steps add theirs */
}

int main(int count, char **arguments) {
  if (count != 2) return EXIT_FAILURE;
  for (int cycle = 0; cycle < CYCLES; ++cycle) {
    void *library = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) printf("%s\n", dlerror());
    CHECK(library != NULL);
    if (!library) break;
    CHECK(solve_once(library));
    CHECK(dlclose(library) == 0);
  }
  return check_report();
}
