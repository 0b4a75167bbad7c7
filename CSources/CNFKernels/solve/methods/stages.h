/* A tableau as the stage loops use it: which stages run, which have a divergence, and which are reversed. */
#ifndef CNF_SOLVE_METHODS_STAGES_H
#define CNF_SOLVE_METHODS_STAGES_H

#include "solve/methods/families.h"
#include "solve/methods/tableau.h"

typedef struct cnf_stages {
  const cnf_tableau *tableau;
  int32_t count;
  int32_t fsal;                 /* 1: stage 0 is the last stage of the step before: adaptive steps of first-same-as-last
                                   methods, reversible_heun */
  int32_t order;                /* for the controller: embedded order + 1 */
  double error_constant;        /* cnf_tableau_error_constant; 0 if there is no error estimate */
  int32_t evaluations;          /* of the field, in one step */
  int32_t runs[CNF_MAX_STAGES]; /* forward: the solution, the error or a later stage needs the stage */
  int32_t integrands[CNF_MAX_STAGES]; /* forward: the stage needs its divergence and regularisers */
  int32_t reverses[CNF_MAX_STAGES];   /* backward: the solution depends on the stage */
  int32_t reversed;                   /* evaluations of one step that the backward pass reverses */
  int32_t trials; /* continuous adjoint: evaluations of one step, which shares none with other steps */
  int32_t kept;   /* evaluations that a step keeps for the backward pass, its own and stage 0 of the next step */
  /* Of the log-determinant and the regularisers: b; of a partitioned method the mean of both halves' b. */
  double weight[CNF_MAX_STAGES];
  cnf_half half[CNF_MAX_STAGES]; /* rows that the stage's slope moves */
} cnf_stages;

/* Rows of states and slopes that share coefficients: all of them; of a partitioned method one half. */
typedef struct cnf_band {
  int32_t first, rows;
  const double (*a)[CNF_MAX_STAGES];
  const double *b;
} cnf_band;
#define CNF_MOST_BANDS 2

/* The bands of the D rows of the state; returns their number. */
static inline int32_t cnf_bands(const cnf_tableau *t, int32_t D, cnf_band *bands) {
  bands[0] = (cnf_band){0, D, t->a, t->b};
  if (!t->momenta) return 1;
  bands[0].rows = D / 2;
  bands[1] = (cnf_band){D / 2, D / 2, t->momenta->a, t->momenta->b};
  return 2;
}

/* Does the step's end, or a later stage, depend on this stage's slope? */
static inline int32_t cnf_has_weight(const cnf_tableau *t, int32_t stage) {
  return t->b[stage] != 0 || (t->momenta && t->momenta->b[stage] != 0);
}
static inline int32_t cnf_leads_to(const cnf_tableau *t, int32_t stage, int32_t later) {
  return t->a[later][stage] != 0 || (t->momenta && t->momenta->a[later][stage] != 0);
}

/* Does the backward pass want this stage's evaluation, for its own step or as stage 0 of the next? */
static inline int32_t cnf_is_kept(const cnf_stages *s, int32_t stage) {
  return s->reverses[stage] || (s->fsal && stage == s->count - 1);
}

static inline cnf_stages cnf_stages_make(const cnf_tableau *t, int adaptive, int error_has_log_det) {
  cnf_stages s = {.tableau = t, .count = t->stages, .order = t->embedded_order + 1};
  if (t->embedded_order > 0) s.error_constant = cnf_tableau_error_constant(t);
  s.fsal = (adaptive || cnf_family_rules_of(t->family)->carries_slope) && cnf_tableau_is_fsal(t);
  for (int32_t i = t->stages - 1; i >= 0; i--) {
    s.weight[i] = t->momenta ? (t->b[i] + t->momenta->b[i]) / 2 : t->b[i];
    s.half[i] = cnf_tableau_half(t, i);
    s.reverses[i] = cnf_has_weight(t, i);
    s.runs[i] = adaptive || cnf_has_weight(t, i);
    for (int32_t j = i + 1; j < t->stages; j++) {
      s.reverses[i] |= s.reverses[j] && cnf_leads_to(t, i, j);
      s.runs[i] |= s.runs[j] && cnf_leads_to(t, i, j);
    }
    s.integrands[i] =
        s.weight[i] != 0 || (adaptive && error_has_log_det && t->e[i] != 0) || (s.fsal && i == t->stages - 1);
  }
  for (int32_t i = 0; i < t->stages; i++) s.evaluations += s.runs[i], s.reversed += s.reverses[i];
  s.trials = s.evaluations;
  for (int32_t i = s.fsal; i < t->stages; i++) s.kept += cnf_is_kept(&s, i);
  s.evaluations -= s.fsal;
  return s;
}

/* The same stages for the state alone, without a slope of the step before: no divergence, no error estimate. */
static inline cnf_stages cnf_stages_states(const cnf_stages *all) {
  cnf_stages s = *all;
  s.fsal = s.evaluations = 0;
  for (int32_t i = 0; i < s.count; i++) {
    s.runs[i] = s.reverses[i];
    s.integrands[i] = 0;
    s.evaluations += s.runs[i];
  }
  return s;
}

#endif
