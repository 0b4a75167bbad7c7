/* A field at the current parameters (model, one per solver) and the panels to run it on a tile (evaluator, one per thread). */
#ifndef CNF_FIELD_EVALUATOR_H
#define CNF_FIELD_EVALUATOR_H
#include "field/arena.h"
#include "field/program.h"
#include "simd/kernels.h"

/* Where a LINEAR op's packed weights and padded gradients begin, in reals. */
typedef struct CNF_TYPED(cnf_linear_place) {
  size_t packed;     /* [ceil(rows/block)][cols][block] */
  size_t packed_t;   /* the transpose: [ceil(cols/block)][rows][block] */
  size_t weight_bar; /* [rows][ld], columns past cols stay 0 */
  size_t bias_bar;   /* [rows] */
  size_t ld;
} CNF_TYPED(cnf_linear_place);

typedef struct CNF_TYPED(cnf_model) {
  const cnf_program *program;
  const CNF_TYPED(cnf_kernels) * kernels;
  int32_t trace; /* NONE, HUTCHINSON, EXACT_TANGENTS or EXACT_PRODUCT */
  int32_t probes;
  const real *theta;                    /* of the call under way */
  CNF_TYPED(cnf_linear_place) * places; /* [op_count] */
  real *packed;                         /* all packed weights */
  size_t packed_size;
  size_t gradient_size; /* of a padded gradient, in reals */
  /* EXACT_PRODUCT: trace = d2' M d1, M [m_rows][m_cols]; one hidden layer: m_rows = 1, d2 = 1; none: M is the trace. */
  int32_t m_rows, m_cols;
  size_t m_packed, m_packed_t, m_bar, m_ld; /* M_bar is part of the padded gradient */
  real *m, *q, *q_bar;                      /* [m_rows][m_cols]; q: two hidden layers only */
  real *matmul_scratch;
} CNF_TYPED(cnf_model);

/* Panels of one thread. Rows as in cnf_program; all panels are [rows][lanes]. */
typedef struct CNF_TYPED(cnf_evaluator) {
  const CNF_TYPED(cnf_model) * model;
  real *value, *aux; /* [value_rows], [aux_rows]: of one evaluation; a caller may point them at storage of its own */
  real *pre;         /* [pre_rows]: pre-activation tangents */
  real *tangent;     /* [value_rows] */
  real *bar;         /* [value_rows]: cotangents of values */
  real *tangent_bar; /* [value_rows]: cotangents of tangents */
  real *extra;       /* [value_rows]: what the divergence adds to cotangents of pre-activations */
  real *transposed;  /* [lanes][widest, padded] */
  real *d1, *d2, *md1, *d1_bar; /* EXACT_PRODUCT: [m_cols], [m_rows], [m_rows], [m_cols] */
} CNF_TYPED(cnf_evaluator);

#endif
