/* The functions of each family of methods: one row a family. The functions are in forward/ and backward/;
 * solve/methods/families.h has what a family accepts and refuses. Compiled once per dtype by solve/call/solver_f32.c
 * and solver_f64.c. */
#include "solve/family.h"

/* Runge-Kutta and partitioned methods. The rows of other families are at the end of their files of backward/. */
static const cnf_family_code runge_kutta_code = {.step = make_runge_kutta_step,
                                                 .pass = {backward_discrete, backward_continuous},
                                                 .recompute = recompute_stages,
                                                 .reverse = reverse_runge_kutta_step,
                                                 .continuous_step = try_step,
                                                 .continuous_errors = pair_errors,
                                                 .continuous_quadrature = add_quadrature};

/* The row of a cnf_family. */
static const cnf_family_code *family_code_of(int32_t family) {
  switch (family) {
#define CNF_X(value, name, code) \
  case value: return &code##_code;
    CNF_FAMILY_LIST(CNF_X)
#undef CNF_X
  }
  return NULL;
}
