/* Sizes of a caller's structs. A struct grows at its end alone, so a caller built against an older header passes a shorter one;
 * what it lacks is zero, the default, and is never written. A size is known if some released version of the struct had it:
 * each is named by the last member of that version. */
#ifndef CNF_API_SIZES_H
#define CNF_API_SIZES_H

#include "cnf.h"
#include <string.h>

#define CNF_SIZE_THROUGH(type, member) (offsetof(type, member) + sizeof(((type *)0)->member))

/* Last members of 0.1's structs. Those that have grown since have a function here; the others are compared with sizeof. */
static inline int cnf_knows_options_size(size_t size) {
  return size == sizeof(cnf_solver_options) || size == CNF_SIZE_THROUGH(cnf_solver_options, store_bytes);
}
static inline int cnf_knows_output_size(size_t size) {
  return size == sizeof(cnf_solve_output) || size == CNF_SIZE_THROUGH(cnf_solve_output, step_fraction_stride);
}
static inline int cnf_knows_method_info_size(size_t size) {
  return size == sizeof(cnf_method_info) || size == CNF_SIZE_THROUGH(cnf_method_info, e);
}

#endif
