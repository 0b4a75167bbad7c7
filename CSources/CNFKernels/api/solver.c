/* Solvers: checks of options, defaults, making and destroying. */
#include "api/handles.h"
#include "api/sizes.h"
#include "host/float_mode.h"
#include "solve/methods/adams.h"
#include "solve/decide/step_control.h"
#include "host/threads.h"
#include "solve/methods/families.h"
#include "solve/methods/tableau.h"
#include <math.h>
#include <stdlib.h>

#define CNF_DEFAULT_MAX_STEPS 4096 /* as diffrax has it */
#define CNF_MOST_STEPS (1 << 24)
#define CNF_MOST_THREADS 4096
#define CNF_MOST_PROBES (1 << 16)
#define CNF_DEFAULT_STORE ((int64_t)32 << 20)
#define CNF_DEFAULT_EVERY 8
#define CNF_MOST_LANES 64 /* rows of panels times lanes must fit int32_t */

CNF_API cnf_status cnf_solver_options_init(cnf_solver_options *options, size_t struct_size) {
  if (!options) return CNF_ERROR_NULL;
  if (!cnf_knows_options_size(struct_size)) return CNF_ERROR_STRUCT_SIZE;
  const cnf_solver_options defaults = {.struct_size = struct_size,
                                       .method = cnf_method_find("dopri5"),
                                       .control = CNF_CONTROL_SAMPLE,
                                       .rtol = 1e-5,
                                       .atol = 1e-5,
                                       .trace = CNF_TRACE_EXACT};
  memcpy(options, &defaults, struct_size);
  return CNF_OK;
}

static int in_range(int32_t value, int32_t least, int32_t most) { return value >= least && value <= most; }
static int is_length(double value) { return isfinite(value) && value >= 0; }

/* Are the tolerances of every row, and of the log-determinant, valid? */
static int are_tolerances(const cnf_solver_options *o, int32_t state_dim) {
  for (int32_t d = 0; d <= state_dim; d++) {
    const double rtol = o->rtol_rows && d < state_dim ? o->rtol_rows[d] : o->rtol;
    const double atol = o->atol_rows && d < state_dim ? o->atol_rows[d] : o->atol;
    if (!is_length(rtol) || !is_length(atol) || (rtol == 0 && atol == 0)) return 0;
  }
  return 1;
}

/* Is the step-size controller valid? Zeros stand for defaults. */
static int is_controller(const cnf_solver_options *o) {
  if (!isfinite(o->pcoeff) || !is_length(o->icoeff) || !isfinite(o->dcoeff)) return 0;
  if (!is_length(o->safety) || o->safety >= 1 || !is_length(o->factor_min) || o->factor_min >= 1) return 0;
  const double safety = o->safety == 0 ? CNF_SAFETY : o->safety;
  if ((o->factor_min == 0 ? CNF_SMALLEST_FACTOR : o->factor_min) > safety) return 0;
  if (!is_length(o->factor_max) || (o->factor_max != 0 && o->factor_max < 1)) return 0;
  return is_length(o->max_step) && (o->max_step == 0 || o->max_step >= o->min_step);
}

/* The rules of the family of method number `method`. */
static const cnf_family_rules *rules_of(int32_t method) { return cnf_family_rules_of(cnf_tableau_at(method)->family); }

static cnf_status check_options(const cnf_solver_options *o, int32_t state_dim) {
  const cnf_tableau *t = cnf_tableau_at(o->method);
  if (!t) return CNF_ERROR_METHOD;
  const cnf_family_rules *rules = cnf_family_rules_of(t->family);
  if (rules->halves && state_dim % 2 != 0) return CNF_ERROR_METHOD_HALVES;
  if (!in_range(o->control, CNF_CONTROL_SAMPLE, CNF_CONTROL_BATCH)) return CNF_ERROR_OPTION;
  if (o->control != CNF_CONTROL_FIXED && !t->embedded_order) return CNF_ERROR_NOT_ADAPTIVE;
  if ((o->control != CNF_CONTROL_FIXED || rules->iterates) && !are_tolerances(o, state_dim)) return CNF_ERROR_TOLERANCE;
  if (!in_range(o->order, 0, CNF_ADAMS_MOST)) return CNF_ERROR_OPTION;
  if (!is_length(o->initial_step) || !is_length(o->min_step) || !is_controller(o)) return CNF_ERROR_OPTION;
  if (!in_range(o->norm, CNF_NORM_RMS, CNF_NORM_MAX)) return CNF_ERROR_OPTION;
  if (!in_range(o->max_steps, 0, CNF_MOST_STEPS) || !in_range(o->steps, 0, CNF_MOST_STEPS)) return CNF_ERROR_OPTION;
  if (!in_range(o->trace, CNF_TRACE_NONE, CNF_TRACE_AUTOMATIC)) return CNF_ERROR_OPTION;
  if (!in_range(o->probe, CNF_PROBE_RADEMACHER, CNF_PROBE_GAUSSIAN)) return CNF_ERROR_OPTION;
  if (!in_range(o->probes, 0, CNF_MOST_PROBES) || !in_range(o->exclude_log_det, 0, 1)) return CNF_ERROR_OPTION;
  if (!in_range(o->threads, 0, CNF_MOST_THREADS)) return CNF_ERROR_OPTION;
  if (!in_range(o->precision, CNF_PRECISION_FULL, CNF_PRECISION_MIXED)) return CNF_ERROR_OPTION;
  if (!in_range(o->adjoint, CNF_ADJOINT_DISCRETE, CNF_ADJOINT_REVERSIBLE)) return CNF_ERROR_OPTION;
  if (rules->adjoints[o->adjoint]) return rules->adjoints[o->adjoint];
  if (o->control == CNF_CONTROL_BATCH && rules->batch) return rules->batch;
  if (!is_length(o->adjoint_rtol) || !is_length(o->adjoint_atol)) return CNF_ERROR_TOLERANCE;
  if (!in_range(o->schedule, CNF_SCHEDULE_EVERY_STEP, CNF_SCHEDULE_AUTOMATIC)) return CNF_ERROR_OPTION;
  if ((o->schedule == CNF_SCHEDULE_EVERY_K || o->schedule == CNF_SCHEDULE_BINOMIAL) && !rules->recomputes)
    return CNF_ERROR_SCHEDULE;
  if (!in_range(o->checkpoint_every, 0, CNF_MOST_STEPS) || o->checkpoint_bytes < 0) return CNF_ERROR_OPTION;
  if (!in_range(o->kinetic, 0, 1) || !in_range(o->frobenius, 0, 1)) return CNF_ERROR_OPTION;
  if (o->isa == CNF_ISA_AUTOMATIC ? !cnf_isa_best() : !cnf_isa_is_available(o->isa)) return CNF_ERROR_ISA;
  return CNF_OK;
}

/* Multiply-adds of one divergence, to choose between its forms. Tangents cost as much as values. */
static double trace_cost(const cnf_program *p, int32_t trace, int32_t probes) {
  const cnf_trace_product *t = &p->trace;
  switch (trace) {
  case CNF_TRACE_HUTCHINSON: return (double)probes * (double)p->products;
  case CNF_TRACE_EXACT_TANGENTS: return (double)p->state_dim * (double)p->products;
  case CNF_TRACE_EXACT_PRODUCT:
    if (t->hidden < 0) return INFINITY;
    if (t->hidden == 0) return 0;
    return (double)p->plans[t->layers[0]].rows * (t->hidden == 2 ? (double)p->plans[t->layers[1]].rows : 1);
  }
  return 0;
}

/* Resolves AUTOMATIC and EXACT for this program. The Frobenius norm needs tangents. */
static cnf_status resolve_trace(const cnf_program *p, const cnf_solver_options *o, int32_t *trace) {
  *trace = o->trace;
  double tangents = trace_cost(p, CNF_TRACE_EXACT_TANGENTS, 0), product = trace_cost(p, CNF_TRACE_EXACT_PRODUCT, 0);
  if (o->frobenius && (o->trace == CNF_TRACE_NONE || o->trace == CNF_TRACE_EXACT_PRODUCT)) return CNF_ERROR_TRACE;
  if (o->frobenius) product = INFINITY;
  int32_t exact = product <= tangents ? CNF_TRACE_EXACT_PRODUCT : CNF_TRACE_EXACT_TANGENTS;
  if (o->trace == CNF_TRACE_EXACT_PRODUCT && p->trace.hidden < 0) return CNF_ERROR_TRACE;
  if (o->trace == CNF_TRACE_EXACT) *trace = exact;
  if (o->trace == CNF_TRACE_AUTOMATIC)
    *trace =
        fmin(tangents, product) <= 2 * trace_cost(p, CNF_TRACE_HUTCHINSON, o->probes) ? exact : CNF_TRACE_HUTCHINSON;
  if (!p->blocks[p->op_count].from_state) *trace = CNF_TRACE_NONE; /* a field of time alone has divergence 0 */
  return CNF_OK;
}

/* Options of a method whose steps take the field's D tangents, whatever the divergence. */
static cnf_status resolve_jacobian(const cnf_program *p, cnf_solver_options *o, int32_t *trace) {
  if (o->precision == CNF_PRECISION_MIXED) return CNF_ERROR_DTYPE;
  if (o->trace == CNF_TRACE_HUTCHINSON || o->trace == CNF_TRACE_EXACT_PRODUCT) return CNF_ERROR_TRACE;
  if (*trace != CNF_TRACE_NONE) *trace = CNF_TRACE_EXACT_TANGENTS;
  o->exclude_log_det = 1;
  return cnf_program_check_callbacks(p, CNF_TRACE_EXACT_TANGENTS, 0);
}

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
  if (!o.threads) o.threads = cnf_parallel_default_threads();
  if (!o.isa) o.isa = cnf_isa_best();
  if (!o.store_bytes) o.store_bytes = CNF_DEFAULT_STORE;
  const int keeps = o.adjoint != CNF_ADJOINT_CONTINUOUS && rules_of(o.method)->keeps_evaluations;
  if (o.store_bytes < 0 || !keeps) o.store_bytes = 0;
  if (o.precision == CNF_PRECISION_MIXED)
    o.exclude_log_det = 1; /* the divergence's rounding must not count as an
                                                                    error of a step */
  if (!o.checkpoint_every) o.checkpoint_every = CNF_DEFAULT_EVERY;
  if (!rules_of(o.method)->recomputes) o.schedule = CNF_SCHEDULE_EVERY_STEP;
  if (o.icoeff == 0) o.icoeff = 1;
  if (o.safety == 0) o.safety = CNF_SAFETY;
  if (o.factor_min == 0) o.factor_min = CNF_SMALLEST_FACTOR;
  if (o.factor_max == 0) o.factor_max = CNF_LARGEST_FACTOR;
  return o;
}

CNF_API cnf_status cnf_solver_create(const cnf_field *field, const cnf_solver_options *options, cnf_solver **solver) {
  CNF_IN_DEFAULT_FLOAT_MODE;
  if (!field || !options || !solver) return CNF_ERROR_NULL;
  if (!cnf_knows_options_size(options->struct_size)) return CNF_ERROR_STRUCT_SIZE;
  cnf_solver_options wanted = {0};
  memcpy(&wanted, options, options->struct_size);
  wanted.struct_size = sizeof wanted;
  cnf_status status = check_options(&wanted, field->program.state_dim);
  if (status) return status;
  if (wanted.precision == CNF_PRECISION_MIXED &&
      (field->program.dtype != CNF_FLOAT32 || wanted.adjoint == CNF_ADJOINT_CONTINUOUS))
    return CNF_ERROR_DTYPE;
  if ((int64_t)wanted.probes * field->program.state_dim > INT32_MAX / CNF_MOST_LANES) return CNF_ERROR_SIZE;
  cnf_solver *s = calloc(1, sizeof *s);
  if (!s) return CNF_ERROR_MEMORY;
  s->options = without_defaults(wanted);
  const cnf_family_rules *rules = rules_of(wanted.method);
  status = resolve_trace(&field->program, &s->options, &s->trace);
  if (!status && rules->most_rows && field->program.state_dim > rules->most_rows) status = CNF_ERROR_METHOD_SIZE;
  if (!status && rules->jacobian) status = resolve_jacobian(&field->program, &s->options, &s->trace);
  if (!status) status = cnf_program_check_callbacks(&field->program, s->trace, 0);
  if (!status) status = cnf_program_copy(&field->program, &s->program);
  if (!status && (s->options.frobenius || rules->jacobian)) status = want_end_tangents(&s->program);
  if (!status && s->program.dtype == CNF_FLOAT32)
    status = cnf_solver_make_f32(&s->program, &s->options, s->trace, &s->f32);
  else if (!status)
    status = cnf_solver_make_f64(&s->program, &s->options, s->trace, &s->f64);
  s->options.rtol_rows = s->options.atol_rows = NULL; /* copied: the caller's arrays may be freed */
  if (status) {
    cnf_solver_destroy(s);
    return status;
  }
  *solver = s;
  return CNF_OK;
}

CNF_API void cnf_solver_destroy(cnf_solver *solver) {
  if (!solver) return;
  cnf_solver_free_f32(solver->f32);
  cnf_solver_free_f64(solver->f64);
  cnf_program_free(&solver->program);
  free(solver);
}

CNF_API cnf_status cnf_solver_get_info(const cnf_solver *solver, cnf_solver_info *info) {
  if (!solver || !info) return CNF_ERROR_NULL;
  if (info->struct_size != sizeof *info) return CNF_ERROR_STRUCT_SIZE;
  info->isa = solver->options.isa;
  info->threads = solver->options.threads;
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
