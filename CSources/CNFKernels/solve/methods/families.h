/* What each family of methods is, accepts and refuses: one row a family. api/ and the loops ask here; they never
 * test for a family by name. */
#ifndef CNF_SOLVE_METHODS_FAMILIES_H
#define CNF_SOLVE_METHODS_FAMILIES_H

#include "solve/methods/tableau.h"

/* Zero means: no, none, or as for a Runge-Kutta method. A cnf_status other than CNF_OK is what a solver or a call is
 * refused with. */
typedef struct cnf_family_rules {
  /* The family's methods: [method_count]. */
  const cnf_tableau *methods;
  int32_t method_count;
  /* Name of the method whose steps begin a solve; NULL: the method itself. */
  const char *start;
  /* 1: D must be even (CNF_ERROR_METHOD_HALVES). */
  int32_t halves;
  /* D at most (CNF_ERROR_METHOD_SIZE); 0: any. */
  int32_t most_rows;
  /* 1: steps take the field's D tangents: full precision; trace NONE or EXACT_TANGENTS; the log-determinant is no part
     of the error norm. */
  int32_t jacobian;
  /* 1: a formula uses earlier steps of the same length (CNF_ERROR_UNEQUAL_STEPS, CNF_ERROR_OUTPUT_TIMES). */
  int32_t equal_steps;
  /* 1: fixed steps need the tolerances too. */
  int32_t iterates;
  /* 1: the last slope of a step is the first of the next, also where steps are fixed. */
  int32_t carries_slope;
  /* 1: the continuous adjoint reads x(t) off the forward pass (solve/store/forward_path.h). */
  int32_t keeps_path;
  /* 1: the discrete adjoint wants all S rows of the states. */
  int32_t all_rows;
  /* 1: a state alone leads to the next state: schedules other than EVERY_STEP are allowed. */
  int32_t recomputes;
  /* 1: evaluations are kept for the backward pass (store_bytes). */
  int32_t keeps_evaluations;
  /* 1: the discrete backward pass leaves what the forward pass has stored as it was. */
  int32_t pass_leaves_store;
  /* CNF_OK, or the status that refuses: events; CNF_CONTROL_BATCH; each cnf_adjoint, when a solver is created; each
   * cnf_adjoint, when a gradient is asked for. */
  cnf_status events, batch, adjoints[3], gradients[3];
} cnf_family_rules;

/* X(value of cnf_family, name of its rules, name of its functions), in the order of the methods' numbers. The rules
 * cnf_<name>_family are in a file of this folder. The functions <name>_code are at the end of the
 * family's file of solve/backward/; those of Runge-Kutta methods are in solve/call/families.h, those of Rosenbrock
 * methods in solve/backward/continuous_rosenbrock.h. */
#define CNF_FAMILY_LIST(X)                            \
  X(CNF_FAMILY_RUNGE_KUTTA, runge_kutta, runge_kutta) \
  X(CNF_FAMILY_EXPLICIT_ADAMS, explicit_adams, adams) \
  X(CNF_FAMILY_IMPLICIT_ADAMS, implicit_adams, adams) \
  X(CNF_FAMILY_PARTITIONED, partitioned, runge_kutta) \
  X(CNF_FAMILY_REVERSIBLE, reversible, reversible)    \
  X(CNF_FAMILY_ROSENBROCK, rosenbrock, rosenbrock)

#define CNF_X(value, name, code) extern const cnf_family_rules cnf_##name##_family;
CNF_FAMILY_LIST(CNF_X)
#undef CNF_X

/* Of a cnf_family. */
const cnf_family_rules *cnf_family_rules_of(int32_t family);

#endif
