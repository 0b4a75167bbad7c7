/* theta into packed weights; padded gradients into the layout of theta at the end of a call.
 *
 * A call packs what it reads: the weights, for values and tangents; their transposes, for gradients. A divergence reads
 * a few transposes too (field/probe_constants.h), or the matrix M (field/trace_product.h). If the parameters are bound,
 * what is packed stays for the calls that follow. */
#ifndef CNF_FIELD_PACKING_H
#define CNF_FIELD_PACKING_H

#include "field/op_table.h"
#include "field/probe_constants.h"
#include "field/time_rate.h"
#include "field/trace_product.h"

/* What of theta a call reads. Every call reads PACK_VALUES. */
enum { PACK_VALUES = 1, PACK_DIVERGENCE = 2, PACK_TRANSPOSES = 4, PACK_TIME_RATE = 8 };

/* Do `parts` read the transpose of the weights of op i? */
static int reads_transpose(const cnf_model *m, int32_t i, int parts) {
  const cnf_program *p = m->program;
  if (!(parts & PACK_VALUES)) return 0;
  if (parts & PACK_TRANSPOSES) return 1;
  if ((parts & PACK_DIVERGENCE) && tangent_count(m) > 0 && leads_out(p, i)) return 1;
  for (int32_t n = i + 1; n < p->op_count; n++)
    if (p->plans[n].live && p->plans[n].op.kind == CNF_OP_TRANSPOSED && p->plans[n].source == i) return 1;
  return 0;
}

/* Makes `parts` of the parameters ready for the call that follows. parameters: the caller's theta, or NULL: the bound
 * ones. */
static void model_prepare(cnf_model *m, const real *parameters, int parts) {
  const cnf_program *p = m->program;
  const int both = PACK_DIVERGENCE | PACK_TRANSPOSES;
  if (parameters || m->theta != m->bound) m->ready = 0; /* the caller may have changed the numbers */
  m->theta = parameters ? parameters : m->bound;
  const int ready = m->ready;
  m->ready |= parts;
  for (int32_t i = 0; i < p->op_count; i++) {
    const op_functions *functions = functions_of(&p->plans[i]);
    if (!functions->pack) continue;
    if (!(ready & PACK_VALUES)) functions->pack(m, i, 0);
    if (reads_transpose(m, i, m->ready) && !reads_transpose(m, i, ready)) functions->pack(m, i, 1);
  }
  if ((m->ready & PACK_TIME_RATE) && !(ready & PACK_TIME_RATE)) m->time_rate = field_time_rate(m);
  if (m->trace != CNF_TRACE_EXACT_PRODUCT) return;
  if ((m->ready & PACK_DIVERGENCE) && !(ready & PACK_DIVERGENCE)) trace_product_pack(m);
  if ((m->ready & both) == both && (ready & both) != both) trace_product_pack_transposed(m);
}

/* Copies the parameters, for calls that bring none. */
static void model_bind(cnf_model *m, const real *parameters) {
  memcpy(m->bound, parameters, m->program->parameter_count * sizeof(real));
  m->theta = NULL;
  model_prepare(m, NULL, PACK_VALUES);
}

/* The padded gradient as theta is laid out. */
static void model_unpad(const cnf_model *m, const real *gradient, real *theta_bar) {
  const cnf_program *p = m->program;
  for (int32_t i = 0; i < p->op_count; i++)
    if (functions_of(&p->plans[i])->unpad) functions_of(&p->plans[i])->unpad(m, i, gradient, theta_bar);
}

#endif
