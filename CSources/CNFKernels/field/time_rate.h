/* How fast a field can change with t by itself, as its weights have it: what the default of max_step rests on.
 *
 * The rate of a row is the size of its derivative by t at a fixed state, with every activation at its steepest and the
 * paths through a product of weights added like independent errors. It is an estimate, not a bound. What a field does
 * in time comes from activations, and one whose input has rate r turns within about 1/r. */
#ifndef CNF_FIELD_TIME_RATE_H
#define CNF_FIELD_TIME_RATE_H

#include "field/op_table.h"

/* The rate of what weights w[0], w[stride], ... make of `count` rows. */
static double product_rate(int32_t count, const real *w, size_t stride, const double *rates) {
  enum { SUMS = 8 }; /* side by side, so that they fill a vector */
  double sum[SUMS] = {0};
  int32_t c = 0;
  for (; c + SUMS <= count; c += SUMS)
    for (int32_t n = 0; n < SUMS; n++) {
      const double part = (double)w[(size_t)(c + n) * stride] * rates[c + n];
      sum[n] += part * part;
    }
  for (int32_t n = 0; c < count; c++, n++)
    sum[n] += (double)w[(size_t)c * stride] * rates[c] * ((double)w[(size_t)c * stride] * rates[c]);
  for (int32_t n = 1; n < SUMS; n++) sum[0] += sum[n];
  return sqrt(sum[0]);
}

/* The rate of row r of the block that an op makes, before its activation; `a` and `b` are those of its operands. */
static double row_rate(const cnf_model *m, const cnf_plan *plan, int32_t r, const double *a, const double *b) {
  const cnf_program *p = m->program;
  const cnf_op *op = &plan->op;
  const int32_t cols = op->input >= 0 ? p->blocks[op->input].rows : 0;
  switch ((cnf_op_kind)op->kind) {
  case CNF_OP_LINEAR: return product_rate(cols, m->theta + plan->weight + (size_t)r * (size_t)cols, 1, a);
  case CNF_OP_TRANSPOSED:
    return product_rate(cols, m->theta + p->plans[plan->source].weight + r, (size_t)plan->rows, a);
  case CNF_OP_TIME: return 1;
  case CNF_OP_CONTEXT: return 0;
  case CNF_OP_CALLBACK: return INFINITY;
  case CNF_OP_ADD: return a[r] + b[r];
  case CNF_OP_MULTIPLY: return a[r] + b[p->blocks[op->input2].rows > 1 ? r : 0]; /* of factors near 1 */
  case CNF_OP_CONCAT: return r < cols ? a[r] : b[r - cols];
  case CNF_OP_SLICE: return a[op->first + r];
  case CNF_OP_LAYER_NORM: return a[r] * fabs((double)m->theta[plan->weight + (size_t)r]); /* of rows of variance 1 */
  case CNF_OP_SCALE: return a[r] * fabs(op->number);
  case CNF_OP_ACTIVATION:
  case CNF_OP_DROPOUT: return a[r];
  case CNF_OP_SUM: {
    double sum = 0;
    for (int32_t c = 0; c < cols; c++) sum += a[c] * a[c];
    return sqrt(sum);
  }
  }
  return INFINITY;
}

/* The largest rate of an activation's input; 0 if the field does not read t, or is linear in it; infinite if there are
 * callbacks, which may do anything with it. */
static double field_time_rate(const cnf_model *m) {
  const cnf_program *p = m->program;
  double fastest = 0, *rates = m->time_rates;
  if (p->callbacks > 0) return INFINITY;
  for (int32_t d = 0; d < p->state_dim; d++) rates[d] = 0;
  for (int32_t i = 0; i < p->op_count; i++) {
    const cnf_plan *plan = &p->plans[i];
    if (!plan->live) continue;
    const int32_t operands = cnf_op_operands(&plan->op);
    const double *a = operands > 0 ? rates + p->blocks[plan->op.input].row : NULL;
    const double *b = operands > 1 ? rates + p->blocks[plan->op.input2].row : NULL;
    double *to = rates + p->blocks[i + 1].row;
    const int turns = plan->op.activation != CNF_ACTIVATION_IDENTITY || plan->op.kind == CNF_OP_LAYER_NORM;
    const double steepest = plan->op.activation == CNF_ACTIVATION_SIGMOID ? 0.25 : 1;
    for (int32_t r = 0; r < plan->rows; r++) {
      const double rate = row_rate(m, plan, r, a, b);
      if (turns && rate > fastest) fastest = rate;
      to[r] = steepest * rate;
    }
  }
  return fastest;
}

#endif
