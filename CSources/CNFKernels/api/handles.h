/* The structs behind the opaque handles of cnf.h. */
#ifndef CNF_API_HANDLES_H
#define CNF_API_HANDLES_H

#include "program/program.h"
#include "solve/call/entry.h"

struct cnf_field {
  cnf_program program;
};

struct cnf_solver {
  cnf_program program; /* a copy: the field may be destroyed first */
  cnf_solver_options options;
  int32_t trace;
  int32_t is_bound;    /* 1: calls need not bring parameters */
  cnf_solver_f32 *f32; /* the one of the program's dtype; the other is NULL */
  cnf_solver_f64 *f64;
};

#endif
