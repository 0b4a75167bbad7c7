/* Checks of a solver's options. Each refusal writes a sentence for cnf_solver_options_explain. */
#ifndef CNF_API_OPTIONS_H
#define CNF_API_OPTIONS_H

#include "program/program.h"
#include "solve/methods/families.h"

#define CNF_MOST_LANES 64 /* rows of panels times lanes must fit int32_t */

/* Where the sentence goes that says why options are refused. */
typedef struct cnf_refusal {
  char *text; /* [size]; not written if size is 0 */
  size_t size;
} cnf_refusal;

/* Writes the sentence: the option, its value and what is allowed. Returns `status`. */
cnf_status cnf_refuse(const cnf_refusal *r, cnf_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The rules of the family of method number `method`. */
const cnf_family_rules *cnf_rules_of_method(int32_t method);

/* Checks everything that does not depend on the divergence. Members that are zero stand for defaults. */
cnf_status cnf_options_check(const cnf_solver_options *o, const cnf_program *p, const cnf_refusal *r);

/* Checks and resolves the divergence: *trace is what EXACT and AUTOMATIC mean for this program and method. `o` has no
 * defaults left, and gets what the method prescribes. */
cnf_status cnf_options_resolve_trace(cnf_solver_options *o, const cnf_program *p, int32_t *trace, const cnf_refusal *r);

#endif
