/* The options of a solver: their defaults, their checks, and the sentences that say why one is refused. */
#include "api/options.h"
#include "api/sizes.h"
#include "host/threads.h"
#include "solve/decide/step_control.h"
#include "solve/methods/adams.h"
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define CNF_MOST_STEPS (1 << 24)
#define CNF_MOST_PROBES (1 << 16)

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

cnf_status cnf_refuse(const cnf_refusal *r, cnf_status status, const char *format, ...) {
  if (r->size == 0) return status;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(r->text, r->size, format, arguments);
  va_end(arguments);
  return status;
}

const cnf_family_rules *cnf_rules_of_method(int32_t method) {
  return cnf_family_rules_of(cnf_tableau_at(method)->family);
}

/* ---- Ranges: a row for each option that has one ----------------------------------------------------------------- */

typedef struct int_rule {
  const char *name, *kind; /* of the option; of its numbers, with a blank */
  size_t offset;
  int32_t least, most;
} int_rule;

#define INT_RULE(name, kind, least, most) \
  { #name, kind, offsetof(cnf_solver_options, name), least, most }
static const int_rule int_rules[] = {
    INT_RULE(control, "a cnf_control, ", CNF_CONTROL_SAMPLE, CNF_CONTROL_BATCH),
    INT_RULE(order, "", 0, CNF_ADAMS_MOST),
    INT_RULE(norm, "a cnf_norm, ", CNF_NORM_RMS, CNF_NORM_MAX),
    INT_RULE(max_steps, "", 0, CNF_MOST_STEPS),
    INT_RULE(steps, "", 0, CNF_MOST_STEPS),
    INT_RULE(trace, "a cnf_trace, ", CNF_TRACE_NONE, CNF_TRACE_AUTOMATIC),
    INT_RULE(probe, "a cnf_probe, ", CNF_PROBE_RADEMACHER, CNF_PROBE_GAUSSIAN),
    INT_RULE(probes, "", 0, CNF_MOST_PROBES),
    INT_RULE(exclude_log_det, "", 0, 1),
    INT_RULE(threads, "", 0, CNF_MOST_THREADS),
    INT_RULE(precision, "a cnf_precision, ", CNF_PRECISION_FULL, CNF_PRECISION_MIXED),
    INT_RULE(adjoint, "a cnf_adjoint, ", CNF_ADJOINT_DISCRETE, CNF_ADJOINT_REVERSIBLE),
    INT_RULE(schedule, "a cnf_schedule, ", CNF_SCHEDULE_EVERY_STEP, CNF_SCHEDULE_AUTOMATIC),
    INT_RULE(checkpoint_every, "", 0, CNF_MOST_STEPS),
    INT_RULE(kinetic, "", 0, 1),
    INT_RULE(frobenius, "", 0, 1),
};

typedef enum double_range {
  RANGE_FINITE,       /* any number */
  RANGE_NOT_NEGATIVE, /* 0 or above */
  RANGE_LIMIT,        /* 0 or above, or infinite */
  RANGE_BELOW_ONE,    /* 0 or above, below 1 */
  RANGE_ZERO_OR_ONE   /* 0, or 1 or above */
} double_range;

typedef struct double_rule {
  const char *name;
  size_t offset;
  double_range range;
  cnf_status status;
} double_rule;

#define DOUBLE_RULE(name, range, status) \
  { #name, offsetof(cnf_solver_options, name), range, status }
static const double_rule double_rules[] = {
    DOUBLE_RULE(initial_step, RANGE_NOT_NEGATIVE, CNF_ERROR_OPTION),
    DOUBLE_RULE(min_step, RANGE_NOT_NEGATIVE, CNF_ERROR_OPTION),
    DOUBLE_RULE(max_step, RANGE_LIMIT, CNF_ERROR_OPTION),
    DOUBLE_RULE(pcoeff, RANGE_FINITE, CNF_ERROR_OPTION),
    DOUBLE_RULE(icoeff, RANGE_NOT_NEGATIVE, CNF_ERROR_OPTION),
    DOUBLE_RULE(dcoeff, RANGE_FINITE, CNF_ERROR_OPTION),
    DOUBLE_RULE(safety, RANGE_BELOW_ONE, CNF_ERROR_OPTION),
    DOUBLE_RULE(factor_min, RANGE_BELOW_ONE, CNF_ERROR_OPTION),
    DOUBLE_RULE(factor_max, RANGE_ZERO_OR_ONE, CNF_ERROR_OPTION),
    DOUBLE_RULE(adjoint_rtol, RANGE_NOT_NEGATIVE, CNF_ERROR_TOLERANCE),
    DOUBLE_RULE(adjoint_atol, RANGE_NOT_NEGATIVE, CNF_ERROR_TOLERANCE),
};

static int is_length(double value) { return isfinite(value) && value >= 0; }

static const char *const range_texts[] = {"finite", "finite and not negative", "not negative", "at least 0 and below 1",
                                          "0, or finite and at least 1"};

static int is_in_range(double value, double_range range) {
  switch (range) {
  case RANGE_FINITE: return isfinite(value);
  case RANGE_NOT_NEGATIVE: return is_length(value);
  case RANGE_LIMIT: return value >= 0;
  case RANGE_BELOW_ONE: return is_length(value) && value < 1;
  case RANGE_ZERO_OR_ONE: return is_length(value) && (value == 0 || value >= 1);
  }
  return 0;
}

static cnf_status check_ranges(const cnf_solver_options *o, const cnf_refusal *r) {
  for (size_t i = 0; i < sizeof int_rules / sizeof int_rules[0]; i++) {
    const int_rule *rule = &int_rules[i];
    int32_t value;
    memcpy(&value, (const char *)o + rule->offset, sizeof value);
    if (value < rule->least || value > rule->most)
      return cnf_refuse(r, CNF_ERROR_OPTION, "%s is %" PRId32 ", and must be %sfrom %" PRId32 " to %" PRId32,
                        rule->name, value, rule->kind, rule->least, rule->most);
  }
  for (size_t i = 0; i < sizeof double_rules / sizeof double_rules[0]; i++) {
    const double_rule *rule = &double_rules[i];
    double value;
    memcpy(&value, (const char *)o + rule->offset, sizeof value);
    if (!is_in_range(value, rule->range))
      return cnf_refuse(r, rule->status, "%s is %g, and must be %s", rule->name, value, range_texts[rule->range]);
  }
  if (o->checkpoint_bytes < 0)
    return cnf_refuse(r, CNF_ERROR_OPTION, "checkpoint_bytes is %" PRId64 ", and must not be negative",
                      o->checkpoint_bytes);
  return CNF_OK;
}

/* ---- Rules between options -------------------------------------------------------------------------------------- */

/* The tolerances of every row, and of the log-determinant, which has number D. */
static cnf_status check_tolerances(const cnf_solver_options *o, int32_t state_dim, const cnf_refusal *r) {
  for (int32_t d = state_dim; d >= 0; d--) {
    char names[2][32];
    const double *const rows[2] = {d < state_dim ? o->rtol_rows : NULL, d < state_dim ? o->atol_rows : NULL};
    const double values[2] = {rows[0] ? rows[0][d] : o->rtol, rows[1] ? rows[1][d] : o->atol};
    for (int i = 0; i < 2; i++) {
      const char *name = i ? "atol" : "rtol";
      snprintf(names[i], sizeof names[i], rows[i] ? "%s_rows[%" PRId32 "]" : "%s", name, d);
      if (!is_length(values[i]))
        return cnf_refuse(r, CNF_ERROR_TOLERANCE, "%s is %g, and must be %s", names[i], values[i],
                          range_texts[RANGE_NOT_NEGATIVE]);
    }
    if (values[0] == 0 && values[1] == 0)
      return cnf_refuse(r, CNF_ERROR_TOLERANCE, "%s and %s are both 0, and one of them must be above 0", names[0],
                        names[1]);
  }
  return CNF_OK;
}

static cnf_status check_controller(const cnf_solver_options *o, const cnf_refusal *r) {
  const double safety = o->safety == 0 ? CNF_SAFETY : o->safety;
  const double factor_min = o->factor_min == 0 ? CNF_SMALLEST_FACTOR : o->factor_min;
  if (factor_min > safety)
    return cnf_refuse(r, CNF_ERROR_OPTION, "factor_min is %g, and must be at most safety, which is %g", factor_min,
                      safety);
  if (o->max_step != 0 && o->max_step < o->min_step)
    return cnf_refuse(r, CNF_ERROR_OPTION, "max_step is %g, and must be at least min_step, which is %g", o->max_step,
                      o->min_step);
  return CNF_OK;
}

/* What the method's family accepts. */
static cnf_status check_family(const cnf_solver_options *o, const cnf_tableau *t, int32_t state_dim,
                               const cnf_refusal *r) {
  const cnf_family_rules *rules = cnf_family_rules_of(t->family);
  if (rules->halves && state_dim % 2 != 0)
    return cnf_refuse(r, CNF_ERROR_METHOD_HALVES,
                      "method is %s, which needs an even number of rows, but the state has %" PRId32, t->name,
                      state_dim);
  if (rules->most_rows && state_dim > rules->most_rows)
    return cnf_refuse(r, CNF_ERROR_METHOD_SIZE,
                      "method is %s, which takes at most %" PRId32 " rows, but the state has %" PRId32, t->name,
                      rules->most_rows, state_dim);
  if (o->control != CNF_CONTROL_FIXED && !t->embedded_order)
    return cnf_refuse(r, CNF_ERROR_NOT_ADAPTIVE,
                      "control is %" PRId32 ", and must be CNF_CONTROL_FIXED: method %s has no error estimate",
                      o->control, t->name);
  if (rules->adjoints[o->adjoint])
    return cnf_refuse(r, rules->adjoints[o->adjoint], "adjoint is %" PRId32 ", which method %s does not have: %s",
                      o->adjoint, t->name, cnf_status_message(rules->adjoints[o->adjoint]));
  if (o->control == CNF_CONTROL_BATCH && rules->batch)
    return cnf_refuse(r, rules->batch, "control is CNF_CONTROL_BATCH, which method %s does not have: %s", t->name,
                      cnf_status_message(rules->batch));
  if ((o->schedule == CNF_SCHEDULE_EVERY_K || o->schedule == CNF_SCHEDULE_BINOMIAL) && !rules->recomputes)
    return cnf_refuse(r, CNF_ERROR_SCHEDULE,
                      "schedule is %" PRId32 ", and must be CNF_SCHEDULE_EVERY_STEP or AUTOMATIC with method %s",
                      o->schedule, t->name);
  return CNF_OK;
}

static cnf_status check_machine(const cnf_solver_options *o, const cnf_refusal *r) {
  if (o->isa == CNF_ISA_AUTOMATIC && !cnf_isa_best())
    return cnf_refuse(r, CNF_ERROR_ISA,
                      "isa is CNF_ISA_AUTOMATIC, and the environment's CNF_ISA names none of this machine's");
  if (o->isa != CNF_ISA_AUTOMATIC && !cnf_isa_is_available(o->isa))
    return cnf_refuse(r, CNF_ERROR_ISA, "isa is %" PRId32 " (%s), and must be one that this machine has", o->isa,
                      cnf_isa_name(o->isa));
  return CNF_OK;
}

cnf_status cnf_options_check(const cnf_solver_options *o, const cnf_program *p, const cnf_refusal *r) {
  const cnf_tableau *t = cnf_tableau_at(o->method);
  if (!t)
    return cnf_refuse(r, CNF_ERROR_METHOD, "method is %" PRId32 ", and must be from 0 to %" PRId32, o->method,
                      cnf_tableau_count() - 1);
  cnf_status status = check_ranges(o, r);
  if (!status) status = check_family(o, t, p->state_dim, r);
  if (!status && (o->control != CNF_CONTROL_FIXED || cnf_family_rules_of(t->family)->iterates))
    status = check_tolerances(o, p->state_dim, r);
  if (!status) status = check_controller(o, r);
  if (!status) status = check_machine(o, r);
  if (status) return status;
  if (o->precision == CNF_PRECISION_MIXED && p->dtype != CNF_FLOAT32)
    return cnf_refuse(r, CNF_ERROR_DTYPE, "precision is CNF_PRECISION_MIXED, which needs a CNF_FLOAT32 field");
  if (o->precision == CNF_PRECISION_MIXED && o->adjoint == CNF_ADJOINT_CONTINUOUS)
    return cnf_refuse(r, CNF_ERROR_DTYPE,
                      "precision is CNF_PRECISION_MIXED, and must be FULL with the continuous adjoint");
  const int32_t most_probes = INT32_MAX / CNF_MOST_LANES / p->state_dim;
  if ((o->probes ? o->probes : 1) > most_probes)
    return cnf_refuse(r, CNF_ERROR_SIZE,
                      "probes is %" PRId32 ", and must be at most %" PRId32 " for a state of %" PRId32 " rows",
                      o->probes, most_probes, p->state_dim);
  return CNF_OK;
}

/* ---- The divergence --------------------------------------------------------------------------------------------- */

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
static cnf_status resolve_form(const cnf_program *p, const cnf_solver_options *o, int32_t *trace,
                               const cnf_refusal *r) {
  *trace = o->trace;
  double tangents = trace_cost(p, CNF_TRACE_EXACT_TANGENTS, 0), product = trace_cost(p, CNF_TRACE_EXACT_PRODUCT, 0);
  if (o->frobenius && (o->trace == CNF_TRACE_NONE || o->trace == CNF_TRACE_EXACT_PRODUCT))
    return cnf_refuse(r, CNF_ERROR_TRACE,
                      "trace is %" PRId32 ", which has no tangents for `frobenius`: it must be "
                      "CNF_TRACE_EXACT, HUTCHINSON, EXACT_TANGENTS or AUTOMATIC",
                      o->trace);
  if (o->frobenius) product = INFINITY;
  int32_t exact = product <= tangents ? CNF_TRACE_EXACT_PRODUCT : CNF_TRACE_EXACT_TANGENTS;
  if (o->trace == CNF_TRACE_EXACT_PRODUCT && p->trace.hidden < 0)
    return cnf_refuse(r, CNF_ERROR_TRACE,
                      "trace is CNF_TRACE_EXACT_PRODUCT, which fits only nets of at most two hidden layers");
  if (o->trace == CNF_TRACE_EXACT) *trace = exact;
  if (o->trace == CNF_TRACE_AUTOMATIC)
    *trace =
        fmin(tangents, product) <= 2 * trace_cost(p, CNF_TRACE_HUTCHINSON, o->probes) ? exact : CNF_TRACE_HUTCHINSON;
  if (!p->blocks[p->op_count].from_state) *trace = CNF_TRACE_NONE; /* a field of time alone has divergence 0 */
  return CNF_OK;
}

static cnf_status check_callbacks(const cnf_program *p, int32_t trace, const char *reason, const cnf_refusal *r) {
  const cnf_status status = cnf_program_check_callbacks(p, trace, 0);
  return status ? cnf_refuse(r, status, "%s: %s", reason, cnf_status_message(status)) : CNF_OK;
}

/* Options of a method whose steps take the field's D tangents, whatever the divergence. */
static cnf_status resolve_jacobian(const cnf_program *p, cnf_solver_options *o, int32_t *trace, const cnf_refusal *r) {
  const char *method = cnf_tableau_at(o->method)->name;
  if (o->precision == CNF_PRECISION_MIXED)
    return cnf_refuse(r, CNF_ERROR_DTYPE, "precision is CNF_PRECISION_MIXED, and must be FULL with method %s", method);
  if (o->trace == CNF_TRACE_HUTCHINSON || o->trace == CNF_TRACE_EXACT_PRODUCT)
    return cnf_refuse(r, CNF_ERROR_TRACE,
                      "trace is %" PRId32 ", and must be CNF_TRACE_NONE, EXACT, EXACT_TANGENTS or "
                      "AUTOMATIC with method %s",
                      o->trace, method);
  if (*trace != CNF_TRACE_NONE) *trace = CNF_TRACE_EXACT_TANGENTS;
  o->exclude_log_det = 1;
  char reason[64];
  snprintf(reason, sizeof reason, "method is %s", method);
  return check_callbacks(p, CNF_TRACE_EXACT_TANGENTS, reason, r);
}

cnf_status cnf_options_resolve_trace(cnf_solver_options *o, const cnf_program *p, int32_t *trace,
                                     const cnf_refusal *r) {
  cnf_status status = resolve_form(p, o, trace, r);
  if (!status && cnf_rules_of_method(o->method)->jacobian) status = resolve_jacobian(p, o, trace, r);
  char reason[32];
  snprintf(reason, sizeof reason, "trace is %" PRId32, o->trace);
  return status ? status : check_callbacks(p, *trace, reason, r);
}
