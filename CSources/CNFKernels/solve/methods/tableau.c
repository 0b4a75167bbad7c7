/* The list of all methods, and what follows from their numbers. */
#include "solve/methods/tableau.h"
#include "solve/methods/families.h"
#include <math.h>
#include <string.h>

static const cnf_family_rules *const families[] = {
#define CNF_X(value, name, code) &cnf_##name##_family,
    CNF_FAMILY_LIST(CNF_X)
#undef CNF_X
};

enum { FAMILY_COUNT = sizeof families / sizeof families[0] };

int32_t cnf_tableau_count(void) {
  int32_t count = 0;
  for (int32_t i = 0; i < FAMILY_COUNT; i++) count += families[i]->method_count;
  return count;
}

const cnf_tableau *cnf_tableau_at(int32_t index) {
  if (index < 0) return NULL;
  for (int32_t i = 0; i < FAMILY_COUNT; index -= families[i++]->method_count)
    if (index < families[i]->method_count) return &families[i]->methods[index];
  return NULL;
}

const cnf_family_rules *cnf_family_rules_of(int32_t family) {
  switch (family) {
#define CNF_X(value, name, code) \
  case value: return &cnf_##name##_family;
    CNF_FAMILY_LIST(CNF_X)
#undef CNF_X
  }
  return NULL;
}

cnf_half cnf_tableau_half(const cnf_tableau *t, int32_t stage) {
  if (!t->momenta) return CNF_HALF_BOTH;
  int moves_momenta = t->momenta->b[stage] != 0;
  for (int32_t i = stage + 1; i < t->stages; i++) moves_momenta |= t->momenta->a[i][stage] != 0;
  return moves_momenta ? CNF_HALF_MOMENTA : CNF_HALF_POSITIONS;
}

/* Where a stage is in time. For what moves momenta, time is a position; for what moves positions, it is a momentum. So
 * q' = f_q(p, t), p' = f_p(q, t) is the separable field q' = f_q(p, s), t' = 1; p' = f_p(q, t), s' = 1, and the method
 * keeps its order. */
double cnf_tableau_c(const cnf_tableau *t, int32_t stage) {
  double sum = 0;
  if (t->rosenbrock) return t->rosenbrock->alpha[stage];
  const double *row = cnf_tableau_half(t, stage) == CNF_HALF_POSITIONS ? t->momenta->a[stage] : t->a[stage];
  for (int32_t j = 0; j < stage; j++) sum += row[j];
  return fabs(sum - 1) < 1e-12 ? 1 : sum; /* the last stages are at the step's end, to the bit */
}

/* Stage i is k_i = (1 + z sum_j a_ij k_j) z x; with a matrix it is (1 + z sum_j a_ij k_j + sum_j c_ij k_j) z x, divided
 * by 1/gamma - z. Both are computed as power series. */
double cnf_tableau_error_constant(const cnf_tableau *t) {
  enum { TERMS = 16 };
  double k[CNF_MAX_STAGES][TERMS] = {{0}}, constant = 0;
  const cnf_rosenbrock *r = t->rosenbrock;
  for (int32_t i = 0; i < t->stages; i++)
    for (int32_t n = 0; n <= t->embedded_order; n++) {
      double sum = n == 0;
      for (int32_t j = 0; j < i; j++) sum += (n ? t->a[i][j] * k[j][n - 1] : 0) + (r ? r->c[i][j] * k[j][n] : 0);
      k[i][n] = r ? r->gamma * (sum + (n ? k[i][n - 1] : 0)) : sum;
    }
  for (int32_t i = 0; i < t->stages; i++) constant += t->e[i] * k[i][t->embedded_order];
  return fabs(constant);
}

int32_t cnf_tableau_is_fsal(const cnf_tableau *t) {
  int32_t last = t->stages - 1;
  if (cnf_family_rules_of(t->family)->carries_slope) return 1;
  return t->embedded_order > 0 && t->b[last] == 0 && memcmp(t->a[last], t->b, sizeof t->b) == 0;
}
