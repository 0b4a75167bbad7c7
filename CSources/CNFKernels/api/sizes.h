/* Sizes of a caller's structs. A struct grows only at its end. After a release, a caller built against an older
 * header passes a shorter struct: what it lacks is then zero, the default, and is never written. No version has been
 * released, so today's size is the only one that is known. The first struct to grow after a release names its old
 * size here, by its last member then. */
#ifndef CNF_API_SIZES_H
#define CNF_API_SIZES_H

#include "cnf.h"
#include <string.h>

static inline int cnf_knows_op_size(size_t size) { return size == sizeof(cnf_op); }
static inline int cnf_knows_options_size(size_t size) { return size == sizeof(cnf_solver_options); }
static inline int cnf_knows_output_size(size_t size) { return size == sizeof(cnf_solve_output); }
static inline int cnf_knows_method_info_size(size_t size) { return size == sizeof(cnf_method_info); }
static inline int cnf_knows_input_size(size_t size) { return size == sizeof(cnf_solve_input); }
static inline int cnf_knows_loss_size(size_t size) { return size == sizeof(cnf_loss); }
static inline int cnf_knows_field_loss_size(size_t size) { return size == sizeof(cnf_field_loss); }
static inline int cnf_knows_gradient_size(size_t size) { return size == sizeof(cnf_gradient); }

#endif
