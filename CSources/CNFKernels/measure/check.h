/* Compares the result of a kernel with that of the generic kernels, before it is timed. */

static double result_at(const operands *m, shape shape, int i, int j) {
  size_t row = (size_t)i, column = (size_t)j, lanes = (size_t)m->k->lanes, block = (size_t)m->k->block_rows;
  double sums = (double)m->k->lanes / CHECKED_LANES;
  switch (shape) {
  case PANEL: return m->out[row * lanes + column];
  case ROW: return m->out[column];
  case COLUMNS: return m->out[column * (size_t)m->rows + row];
  case GRADIENT: return m->out[row * m->ld + column] / sums;
  case SUMS: return m->out[row] / sums;
  case PACKED: return m->out[(row / block * (size_t)m->cols + column) * block + row % block];
  }
  return NAN;
}

/* How far a result reaches, whether its columns are lanes, and how many terms the longest of its sums has. */
typedef struct extents {
  int rows, columns, columns_are_lanes, terms;
} extents;

static extents extents_of(const measured_kernel *kernel, const operands *m) {
  const int lanes = m->k->lanes;
  switch (kernel->shape) {
  case PANEL: return (extents){m->rows, lanes, 1, kernel->work == PRODUCT ? m->cols : STAGES};
  case ROW: return (extents){1, lanes, 1, STAGES * m->rows};
  case COLUMNS: return (extents){m->rows, lanes, 1, 1};
  case GRADIENT: return (extents){m->rows, m->cols, 0, lanes * kernel->panels};
  case SUMS: return (extents){m->rows, 1, 0, lanes};
  case PACKED: return (extents){m->rows, m->cols, 0, 1};
  }
  return (extents){0};
}

/* Terms are at most a few units, so sums of n of them differ by roundings of about ulp sqrt(n). The factor allows for
 * the errors of activations (simd/activations/traits.h) and for sums of one sign. */
#define ULPS 32

static int results_agree(const measured_kernel *kernel, const operands *m, const operands *generic) {
  const extents to = extents_of(kernel, m);
  const double tolerance = ULPS * (CNF_REAL_BITS == 32 ? FLT_EPSILON : DBL_EPSILON) * sqrt(to.terms);
  for (int i = 0; i < to.rows; i++)
    for (int j = 0; j < to.columns; j++) {
      double found = result_at(m, kernel->shape, i, j);
      double expected = result_at(generic, kernel->shape, i, to.columns_are_lanes ? j % CHECKED_LANES : j);
      if (!(fabs(found - expected) <= tolerance * fmax(1, fabs(expected)))) return 0;
    }
  return 1;
}

static cnf_status check(const measured_kernel *kernel, operands *m) {
  operands generic;
  if (!operands_make(&generic, CNF_ISA_GENERIC, m->rows, m->cols, m->activation)) return CNF_ERROR_MEMORY;
  kernel->run(&generic);
  kernel->run(m);
  int agree = results_agree(kernel, m, &generic);
  cnf_memory_free(generic.memory, generic.bytes);
  return agree ? CNF_OK : CNF_ERROR_KERNEL;
}
