/* What api/ calls: the solvers of both dtypes. Arguments have been validated, and options hold no defaults. */
#ifndef CNF_SOLVE_CALL_ENTRY_H
#define CNF_SOLVE_CALL_ENTRY_H

#include "program/program.h"

/* Steps of a sample that may be recorded. */
static inline int32_t cnf_record_capacity(const cnf_solver_options *options) {
  return options->max_steps > options->steps ? options->max_steps : options->steps;
}

/* The cotangents of a field's own gradient; each may be NULL. */
typedef struct cnf_field_cotangents {
  const void *velocity;       /* dtype [count][D] */
  const double *divergence;   /* [count] */
  const cnf_field_loss *loss; /* its cotangents are added to those */
} cnf_field_cotangents;

static inline int cnf_field_cotangents_want_divergence(const cnf_field_cotangents *bars, int32_t trace) {
  const int by_loss = bars->loss && bars->loss->kind == CNF_FIELD_LOSS_CALLBACK;
  return trace != CNF_TRACE_NONE && (bars->divergence || by_loss);
}

typedef struct cnf_solver_f32 cnf_solver_f32;
cnf_status cnf_solver_make_f32(const cnf_program *program, const cnf_solver_options *options, int32_t trace,
                               cnf_solver_f32 **solver);
void cnf_solver_free_f32(cnf_solver_f32 *solver);
cnf_status cnf_solver_run_f32(cnf_solver_f32 *solver, const cnf_solve_input *input, const cnf_loss *loss,
                              cnf_solve_output *output, cnf_gradient *gradient);
void cnf_solver_run_evaluate_f32(cnf_solver_f32 *solver, const cnf_solve_input *input, float *velocity,
                                 double *divergence);
cnf_status cnf_solver_run_evaluate_vjp_f32(cnf_solver_f32 *solver, const cnf_solve_input *input,
                                           const cnf_field_cotangents *bars, cnf_gradient *gradient);
/* Copies parameters [P] for the calls that bring none. */
void cnf_solver_bind_f32(cnf_solver_f32 *solver, const float *parameters);
/* What of *info the solver of a dtype knows. */
void cnf_solver_describe_f32(const cnf_solver_f32 *solver, cnf_solver_info *info);
/* All counts of *work. */
void cnf_solver_work_f32(const cnf_solver_f32 *solver, cnf_work *work);

typedef struct cnf_solver_f64 cnf_solver_f64;
cnf_status cnf_solver_make_f64(const cnf_program *program, const cnf_solver_options *options, int32_t trace,
                               cnf_solver_f64 **solver);
void cnf_solver_free_f64(cnf_solver_f64 *solver);
cnf_status cnf_solver_run_f64(cnf_solver_f64 *solver, const cnf_solve_input *input, const cnf_loss *loss,
                              cnf_solve_output *output, cnf_gradient *gradient);
void cnf_solver_run_evaluate_f64(cnf_solver_f64 *solver, const cnf_solve_input *input, double *velocity,
                                 double *divergence);
cnf_status cnf_solver_run_evaluate_vjp_f64(cnf_solver_f64 *solver, const cnf_solve_input *input,
                                           const cnf_field_cotangents *bars, cnf_gradient *gradient);
void cnf_solver_bind_f64(cnf_solver_f64 *solver, const double *parameters);
/* What of *info the solver of a dtype knows. */
void cnf_solver_describe_f64(const cnf_solver_f64 *solver, cnf_solver_info *info);
void cnf_solver_work_f64(const cnf_solver_f64 *solver, cnf_work *work);

#endif
