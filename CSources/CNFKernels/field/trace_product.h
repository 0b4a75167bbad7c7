/* The exact trace of a net of at most two hidden layers, as one product.
 *
 * f = W3 a2(W2 a1(W1 x + ...) + ...):  tr df/dx = d2' M d1,  M = W2 o Q,  Q = (W1x W3)',  d = a'(z)
 * f = W2 a1(W1 x + ...):               tr df/dx = M d1,      M_j = sum_d W1[j][d] W2[d][j]
 * f = W1 x + ...:                      tr df/dx = M = sum_d W1[d][d]
 * W1x are the columns of W1 that multiply x; o is the product of each entry with its counterpart. M is computed once
 * for each value of the parameters. mu is the cotangent of the trace. The backward pass adds up mu d2 d1' over the
 * solve, as it does for the gradient of a weight. The sum is M_bar. At the end of a call, trace_product_finish turns
 * M_bar into gradients of the weights. */
#ifndef CNF_FIELD_TRACE_PRODUCT_H
#define CNF_FIELD_TRACE_PRODUCT_H

#include "field/products.h"
#include "field/sizes.h"

/* C [M][N] += A [M][K] B [K][N]. Element (i, j) of each matrix is at [i*rs + j*cs]. The tile kernels compute panels of
 * N columns. */
static void matmul(const cnf_model *m, int32_t M, int32_t N, int32_t K, const real *A, size_t ars, size_t acs,
                   const real *B, size_t brs, size_t bcs, real *C, size_t crs, size_t ccs) {
  const cnf_kernels *k = m->tile;
  int32_t lanes = k->lanes;
  real *packed = m->matmul_scratch, *x = packed + packed_reals(k, M, K), *y = x + (size_t)K * (size_t)lanes;
  k->pack(A, ars, acs, M, K, packed);
  for (int32_t first = 0; first < N; first += lanes) {
    int32_t n = N - first < lanes ? N - first : lanes;
    for (int32_t r = 0; r < K; r++)
      for (int32_t j = 0; j < lanes; j++)
        x[(size_t)r * (size_t)lanes + (size_t)j] = j < n ? B[(size_t)r * brs + (size_t)(first + j) * bcs] : 0;
    product_of_one(k, packed, M, K, x, 0, y);
    for (int32_t r = 0; r < M; r++)
      for (int32_t j = 0; j < n; j++)
        C[(size_t)r * crs + (size_t)(first + j) * ccs] += y[(size_t)r * (size_t)lanes + (size_t)j];
  }
}

typedef struct trace_layers {
  const cnf_plan *first, *middle, *last; /* middle: two hidden layers, else NULL */
  const real *w1, *w2, *w3;              /* first [.][c1], middle [m_rows][m_cols], last [D][.] */
  size_t c1;
} trace_layers;

static trace_layers trace_layers_of(const cnf_model *m) {
  const cnf_program *p = m->program;
  const cnf_trace_product *t = &p->trace;
  trace_layers l = {.first = &p->plans[t->layers[0]], .last = &p->plans[t->layers[t->hidden]]};
  if (t->hidden == 2) l.middle = &p->plans[t->layers[1]];
  l.w1 = m->theta + l.first->weight;
  l.w2 = l.middle ? m->theta + l.middle->weight : NULL;
  l.w3 = m->theta + l.last->weight;
  l.c1 = (size_t)l.first->cols;
  return l;
}

static void trace_product_pack(cnf_model *m) {
  trace_layers l = trace_layers_of(m);
  int32_t D = m->program->state_dim;
  size_t rows = (size_t)m->m_rows, cols = (size_t)m->m_cols;
  switch (m->program->trace.hidden) {
  case 2:
    memset(m->q, 0, rows * cols * sizeof(real));
    matmul(m, m->m_rows, m->m_cols, D, l.w3, 1, rows, l.w1, 1, l.c1, m->q, cols, 1);
    for (size_t i = 0; i < rows * cols; i++) m->m[i] = l.w2[i] * m->q[i];
    break;
  case 1:
    for (size_t j = 0; j < cols; j++) {
      real sum = 0;
      for (size_t d = 0; d < (size_t)D; d++) sum += l.w1[j * l.c1 + d] * l.w3[d * cols + j];
      m->m[j] = sum;
    }
    break;
  default:
    m->m[0] = 0;
    for (size_t d = 0; d < (size_t)D; d++) m->m[0] += l.w1[d * l.c1 + d];
  }
  m->tile->pack(m->m, cols, 1, m->m_rows, m->m_cols, m->packed + m->m_packed);
  if (m->bf16) m->bf16->pack(m->m, cols, 1, m->m_rows, m->m_cols, m->packed_bf16 + m->m_bf16);
}

/* M', for the backward pass. */
static void trace_product_pack_transposed(cnf_model *m) {
  const size_t cols = (size_t)m->m_cols;
  m->tile->pack(m->m, 1, cols, m->m_cols, m->m_rows, m->packed + m->m_packed_t);
  if (m->bf16) m->bf16->pack(m->m, 1, cols, m->m_cols, m->m_rows, m->packed_bf16 + m->m_bf16_t);
}

/* Adds to the gradients of the weights what follows from M_bar, which the solve has left in `gradient`. Called once at
 * the end of a call. */
static void trace_product_finish(const cnf_model *m, real *gradient) {
  trace_layers l = trace_layers_of(m);
  const cnf_trace_product *t = &m->program->trace;
  int32_t D = m->program->state_dim;
  size_t rows = (size_t)m->m_rows, cols = (size_t)m->m_cols;
  const real *m_bar = gradient + m->m_bar;
  int any = 0; /* if every sample has failed because theta is not finite, M_bar is 0 and must not multiply theta */
  for (size_t i = 0; i < rows * m->m_ld && !any; i++) any = m_bar[i] != 0;
  if (!any) return;
  const cnf_op_place *first = &m->places[t->layers[0]], *last = &m->places[t->layers[t->hidden]];
  real *w1_bar = gradient + first->weight_bar, *w3_bar = gradient + last->weight_bar;
  switch (t->hidden) {
  case 2: {
    const cnf_op_place *middle = &m->places[t->layers[1]];
    for (size_t i = 0; i < rows; i++)
      for (size_t j = 0; j < cols; j++) {
        gradient[middle->weight_bar + i * middle->ld + j] += m_bar[i * m->m_ld + j] * m->q[i * cols + j];
        m->q_bar[i * cols + j] = m_bar[i * m->m_ld + j] * l.w2[i * cols + j];
      }
    matmul(m, m->m_cols, D, m->m_rows, m->q_bar, 1, cols, l.w3, 1, rows, w1_bar, first->ld, 1);
    matmul(m, D, m->m_rows, m->m_cols, l.w1, 1, l.c1, m->q_bar, 1, cols, w3_bar, last->ld, 1);
    break;
  }
  case 1:
    for (size_t j = 0; j < cols; j++)
      for (size_t d = 0; d < (size_t)D; d++) {
        w1_bar[j * first->ld + d] += m_bar[j] * l.w3[d * cols + j];
        w3_bar[d * last->ld + j] += m_bar[j] * l.w1[j * l.c1 + d];
      }
    break;
  default:
    for (size_t d = 0; d < (size_t)D; d++) w1_bar[d * first->ld + d] += m_bar[0];
  }
}

#endif
