/* Solvers: defaults of options, making and destroying. */
#include "api/handles.h"
#include "api/options.h"
#include "api/sizes.h"
#include "host/float_mode.h"
#include "host/threads.h"
#include "solve/decide/step_control.h"
#include "solve/methods/adams.h"
#include <inttypes.h>
#include <stdlib.h>

#define CNF_DEFAULT_MAX_STEPS 4096 /* as diffrax has it */
#define CNF_DEFAULT_STORE ((int64_t)32 << 20)
#define CNF_DEFAULT_EVERY 8

static cnf_status want_end_tangents(cnf_program *p) {
  int32_t *scratch = malloc(((size_t)p->op_count + 1) * sizeof *scratch);
  if (!scratch) return CNF_ERROR_MEMORY;
  p->output_tangent = 1;
  cnf_program_plan_tangents(p, scratch);
  free(scratch);
  return CNF_OK;
}

static cnf_solver_options without_defaults(cnf_solver_options o) {
  if (!o.max_steps) o.max_steps = CNF_DEFAULT_MAX_STEPS;
  if (!o.probes) o.probes = 1;
  if (!o.order) o.order = CNF_ADAMS_MOST;
  if (!o.threads) o.threads = cnf_threads_default();
  if (!o.isa) o.isa = cnf_isa_best();
  if (!o.store_bytes) o.store_bytes = CNF_DEFAULT_STORE;
  const int keeps = o.adjoint != CNF_ADJOINT_CONTINUOUS && cnf_rules_of_method(o.method)->keeps_evaluations;
  if (o.store_bytes < 0 || !keeps) o.store_bytes = 0;
  if (o.precision == CNF_PRECISION_MIXED)
    o.exclude_log_det = 1; /* the divergence's rounding must not count as an
                                                                    error of a step */
  if (!o.checkpoint_every) o.checkpoint_every = CNF_DEFAULT_EVERY;
  if (!cnf_rules_of_method(o.method)->recomputes) o.schedule = CNF_SCHEDULE_EVERY_STEP;
  if (o.icoeff == 0) o.icoeff = 1;
  if (o.safety == 0) o.safety = CNF_SAFETY;
  if (o.factor_min == 0) o.factor_min = CNF_SMALLEST_FACTOR;
  if (o.factor_max == 0) o.factor_max = CNF_LARGEST_FACTOR;
  return o;
}

/* Copies the program, and makes the solver of its dtype. */
static cnf_status make_engine(cnf_solver *s, const cnf_program *program, const cnf_refusal *r) {
  cnf_status status = cnf_program_copy(program, &s->program);
  if (!status && (s->options.frobenius || cnf_rules_of_method(s->options.method)->jacobian))
    status = want_end_tangents(&s->program);
  if (!status && s->program.dtype == CNF_FLOAT32)
    status = cnf_solver_make_f32(&s->program, &s->options, s->trace, &s->f32);
  else if (!status)
    status = cnf_solver_make_f64(&s->program, &s->options, s->trace, &s->f64);
  s->options.rtol_rows = s->options.atol_rows = NULL; /* copied: the caller's arrays may be freed */
  if (status == CNF_ERROR_CHECKPOINTS)
    return cnf_refuse(r, status,
                      "checkpoint_bytes is %" PRId64 "%s, too little for one state of each sample of a chunk",
                      s->options.checkpoint_bytes, s->options.checkpoint_bytes ? "" : " (the default)");
  if (status == CNF_ERROR_MEMORY)
    return cnf_refuse(
        r, status, "threads is %" PRId32 " and max_steps is %" PRId32 ": there is not enough memory for such a solver",
        s->options.threads, s->options.max_steps);
  return status;
}

/* Creates a solver. If it is refused, the reason goes to `r`. */
static cnf_status create(const cnf_field *field, const cnf_solver_options *options, const cnf_refusal *r,
                         cnf_solver **solver) {
  if (!cnf_knows_options_size(options->struct_size))
    return cnf_refuse(r, CNF_ERROR_STRUCT_SIZE, "struct_size is %zu, and must be sizeof(cnf_solver_options), %zu",
                      options->struct_size, sizeof(cnf_solver_options));
  cnf_solver_options wanted = {0};
  memcpy(&wanted, options, options->struct_size);
  wanted.struct_size = sizeof wanted;
  cnf_status status = cnf_options_check(&wanted, &field->program, r);
  if (status) return status;
  cnf_solver *s = calloc(1, sizeof *s);
  if (!s) return cnf_refuse(r, CNF_ERROR_MEMORY, "%s", cnf_status_message(CNF_ERROR_MEMORY));
  s->options = without_defaults(wanted);
  status = cnf_options_resolve_trace(&s->options, &field->program, &s->trace, r);
  if (!status) status = make_engine(s, &field->program, r);
  if (status)
    cnf_solver_destroy(s);
  else
    *solver = s;
  return status;
}

CNF_API cnf_status cnf_solver_create(const cnf_field *field, const cnf_solver_options *options, cnf_solver **solver) {
  CNF_IN_DEFAULT_FLOAT_MODE;
  const cnf_refusal silent = {0};
  return field && options && solver ? create(field, options, &silent, solver) : CNF_ERROR_NULL;
}

CNF_API cnf_status cnf_solver_options_explain(const cnf_field *field, const cnf_solver_options *options, char *text,
                                              size_t size) {
  CNF_IN_DEFAULT_FLOAT_MODE;
  const cnf_refusal r = {text, size};
  cnf_solver *solver = NULL;
  if (size > 0 && text) text[0] = 0;
  if (!field || !options || (!text && size > 0)) return CNF_ERROR_NULL;
  const cnf_status status = create(field, options, &r, &solver);
  cnf_solver_destroy(solver);
  return status;
}

CNF_API void cnf_solver_destroy(cnf_solver *solver) {
  if (!solver) return;
  cnf_solver_free_f32(solver->f32);
  cnf_solver_free_f64(solver->f64);
  cnf_program_free(&solver->program);
  free(solver);
}

CNF_API cnf_status cnf_solver_bind_parameters(cnf_solver *solver, const void *parameters) {
  CNF_IN_DEFAULT_FLOAT_MODE;
  if (!solver) return CNF_ERROR_NULL;
  solver->is_bound = parameters != NULL;
  if (!parameters) return CNF_OK;
  if (solver->f32)
    cnf_solver_bind_f32(solver->f32, parameters);
  else
    cnf_solver_bind_f64(solver->f64, parameters);
  return CNF_OK;
}

CNF_API cnf_status cnf_solver_get_info(const cnf_solver *solver, cnf_solver_info *info) {
  if (!solver || !info) return CNF_ERROR_NULL;
  if (info->struct_size != sizeof *info) return CNF_ERROR_STRUCT_SIZE;
  info->isa = solver->options.isa;
  info->trace = solver->trace;
  if (solver->f32)
    cnf_solver_describe_f32(solver->f32, info);
  else
    cnf_solver_describe_f64(solver->f64, info);
  return CNF_OK;
}

CNF_API cnf_status cnf_solver_get_work(const cnf_solver *solver, cnf_work *work) {
  if (!solver || !work) return CNF_ERROR_NULL;
  if (work->struct_size != sizeof *work) return CNF_ERROR_STRUCT_SIZE;
  *work = (cnf_work){.struct_size = sizeof *work};
  if (solver->f32)
    cnf_solver_work_f32(solver->f32, work);
  else
    cnf_solver_work_f64(solver->f64, work);
  return CNF_OK;
}
