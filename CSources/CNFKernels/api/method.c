/* Methods: finding one by name, and its numbers. */
#include "api/sizes.h"
#include "solve/methods/dense.h"
#include "solve/methods/tableau.h"

CNF_API int32_t cnf_method_count(void) { return cnf_tableau_count(); }

CNF_API int32_t cnf_method_find(const char *name) {
  if (!name) return -1;
  for (int32_t i = 0; i < cnf_tableau_count(); i++) {
    const cnf_tableau *t = cnf_tableau_at(i);
    if (strcmp(t->name, name) == 0 || (t->alias && strcmp(t->alias, name) == 0)) return i;
  }
  return -1;
}

CNF_API cnf_status cnf_method_get(int32_t method, cnf_method_info *info) {
  const cnf_tableau *t = cnf_tableau_at(method);
  if (!info) return CNF_ERROR_NULL;
  if (!cnf_knows_method_info_size(info->struct_size)) return CNF_ERROR_STRUCT_SIZE;
  if (!t) return CNF_ERROR_METHOD;
  info->name = t->name;
  info->alias = t->alias;
  info->family = t->family;
  info->citation = t->citation;
  info->order = t->order;
  info->embedded_order = t->embedded_order;
  info->stages = t->stages;
  info->is_fsal = cnf_tableau_is_fsal(t);
  info->a = t->stages ? &t->a[0][0] : NULL;
  info->a_stride = CNF_MAX_STAGES;
  info->b = t->stages ? t->b : NULL;
  info->e = t->embedded_order ? t->e : NULL;
  info->momenta_a = t->momenta ? &t->momenta->a[0][0] : NULL;
  info->momenta_b = t->momenta ? t->momenta->b : NULL;
  const cnf_rosenbrock *r = t->rosenbrock;
  info->rosenbrock_gamma = r ? r->gamma : 0;
  info->rosenbrock_c = r ? &r->c[0][0] : NULL;
  info->rosenbrock_alpha = r ? r->alpha : NULL;
  info->rosenbrock_d = r ? r->d : NULL;
  info->rosenbrock_h2 = r ? r->h2 : NULL;
  info->rosenbrock_h3 = r ? r->h3 : NULL;
  const cnf_interpolant dense = cnf_interpolant_of(t);
  info->dense_order = dense.order;
  info->dense_terms = dense.terms;
  info->dense_citation = dense.citation;
  return CNF_OK;
}
