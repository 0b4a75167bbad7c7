#include "cnf.h"
#include "solve/tableau.h"
#include <string.h>

CNF_API int32_t cnf_method_count(void) { return cnf_tableau_count(); }

CNF_API int32_t cnf_method_find(const char *name) {
  if (!name) return -1;
  for (int32_t i = 0; i < cnf_tableau_count(); i++)
    if (strcmp(cnf_tableau_at(i)->name, name) == 0) return i;
  return -1;
}

CNF_API cnf_status cnf_method_get(int32_t method, cnf_method_info *info) {
  const cnf_tableau *t = cnf_tableau_at(method);
  if (!info) return CNF_ERROR_NULL;
  if (info->struct_size != sizeof *info) return CNF_ERROR_STRUCT_SIZE;
  if (!t) return CNF_ERROR_METHOD;
  info->name = t->name;
  info->citation = t->citation;
  info->order = t->order;
  info->embedded_order = t->embedded_order;
  info->stages = t->stages;
  info->is_fsal = cnf_tableau_is_fsal(t);
  info->a = &t->a[0][0];
  info->a_stride = CNF_MAX_STAGES;
  info->b = t->b;
  info->e = t->embedded_order ? t->e : NULL;
  return CNF_OK;
}
