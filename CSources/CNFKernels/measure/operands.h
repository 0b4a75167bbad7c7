/* The operands of the measured kernels: one set for all of them, in one mapping.
 *
 * Every number depends only on its place and on its lane modulo CHECKED_LANES. Two instruction sets with different
 * tiles then compute the same results in lane j and lane j modulo CHECKED_LANES, and sums over lanes in proportion to
 * the lanes. */

enum { STAGES = 7 };                                         /* the most that dopri5 combines */
#define CHECKED_LANES (CNF_TYPED(cnf_kernels_generic).lanes) /* every other table's lanes are a multiple of these */

typedef struct operands {
  const cnf_kernels *k;
  int rows, cols, activation;
  size_t ld;                                   /* columns rounded up to a vector */
  real *weights, *packed, *bias;               /* [rows][cols], the same packed, [rows] */
  real *packed_bf16, *scratch_bf16;            /* the same in words of bfloat16; those of a panel [cols][lanes] */
  real *unit;                                  /* [rows]: ones, tolerances as large as the numbers */
  real *x;                                     /* [STAGES][cols][lanes] */
  real *z, *y, *aux;                           /* [rows][lanes]: before and after the activation, and what it keeps */
  real *z_dot, *y_dot, *pre_dot;               /* [rows][lanes] */
  real *bar;                                   /* [rows][lanes]: a cotangent */
  real *row;                                   /* [lanes]: positive */
  real *stage;                                 /* [STAGES][rows][lanes] */
  const real *stages[STAGES], *inputs[STAGES]; /* addresses of stage, of x */
  real *columns[CNF_MAX_LANES];                /* of out, a column a lane */
  const real *sources[CNF_MAX_LANES];          /* the bias, for each lane */
  real coefficients[STAGES];
  real *out, *out_aux; /* what the kernel writes, zero before: as large as any; [rows][lanes] */
  char *memory;
  size_t bytes;
} operands;

static void operands_layout(operands *m, cnf_arena *arena) {
  size_t rows = (size_t)m->rows, cols = (size_t)m->cols, lanes = (size_t)m->k->lanes;
  size_t block = (size_t)m->k->block_rows, packed = (rows + block - 1) / block * block * cols;
  size_t panel = lanes * sizeof(real), out = rows * lanes;
  m->weights = cnf_arena_take(arena, rows * cols, sizeof(real));
  m->packed = cnf_arena_take(arena, packed, sizeof(real));
  m->packed_bf16 = cnf_arena_take(arena, packed, sizeof(real));
  m->scratch_bf16 = cnf_arena_take(arena, cols, panel);
  m->bias = cnf_arena_take(arena, rows, sizeof(real));
  m->unit = cnf_arena_take(arena, rows, sizeof(real));
  m->x = cnf_arena_take(arena, STAGES * cols, panel);
  real **panels[] = {&m->z, &m->y, &m->aux, &m->z_dot, &m->y_dot, &m->pre_dot, &m->bar, &m->out_aux};
  for (size_t i = 0; i < sizeof panels / sizeof panels[0]; i++) *panels[i] = cnf_arena_take(arena, rows, panel);
  m->row = cnf_arena_take(arena, 1, panel);
  m->stage = cnf_arena_take(arena, STAGES * rows, panel);
  if (out < packed) out = packed;
  if (out < rows * m->ld) out = rows * m->ld;
  m->out = cnf_arena_take(arena, out, sizeof(real));
}

/* Uniform in (-1, 1), by the low discrepancy of the golden ratio: no two rows or lanes are alike. */
static real number(size_t row, size_t lane) {
  uint32_t bits = (uint32_t)row * UINT32_C(0x9e3779b9) + (uint32_t)lane * UINT32_C(0x85ebca6b) + UINT32_C(0x5bd1e995);
  return (real)((double)(bits >> 8) * 0x1p-23 - 1 + 0x1p-24);
}

static void fill(real *panel, size_t first, size_t rows, size_t lanes) {
  for (size_t r = 0; r < rows; r++)
    for (size_t j = 0; j < lanes; j++) panel[r * lanes + j] = number(first + r, j % (size_t)CHECKED_LANES);
}

/* Weights of size 1/sqrt(cols) keep the results of a layer about as large as its inputs. */
static void operands_fill(operands *m) {
  size_t rows = (size_t)m->rows, cols = (size_t)m->cols, lanes = (size_t)m->k->lanes;
  real gain = 1 / (real)sqrt((double)cols);
  for (size_t i = 0; i < rows * cols; i++) m->weights[i] = gain * number(i, 1);
  for (size_t r = 0; r < rows; r++) m->bias[r] = number(r, 2), m->unit[r] = 1;
  m->k->pack(m->weights, cols, 1, m->rows, m->cols, m->packed);
  if (m->k->bf16) m->k->bf16->pack(m->weights, cols, 1, m->rows, m->cols, m->packed_bf16);
  fill(m->x, 3, STAGES * cols, lanes);
  fill(m->z, 5, rows, lanes);
  fill(m->z_dot, 7, rows, lanes);
  fill(m->bar, 11, rows, lanes);
  m->k->activation(m->activation, m->rows, m->z, m->y, m->aux);
  m->k->activation_tangent(m->activation, m->rows, m->y, m->aux, m->z_dot, m->y_dot, m->pre_dot);
  for (size_t j = 0; j < lanes; j++) m->row[j] = (real)(0.5 + 0.25 * (double)number(13, j % (size_t)CHECKED_LANES));
  fill(m->stage, 17, STAGES * rows, lanes);
  for (size_t j = 0; j < lanes; j++) m->columns[j] = m->out + j * rows, m->sources[j] = m->bias;
  for (size_t i = 0; i < STAGES; i++) {
    m->stages[i] = m->stage + i * rows * lanes;
    m->inputs[i] = m->x + i * cols * lanes;
    m->coefficients[i] = number(i, 4);
  }
}

/* Returns 0 if there is no memory. */
static int operands_make(operands *m, int32_t isa, int32_t rows, int32_t cols, int32_t activation) {
  *m = (operands){.k = CNF_TYPED(cnf_kernels_for)(isa), .rows = rows, .cols = cols};
  size_t width = (size_t)m->k->width;
  m->activation = activation;
  m->ld = ((size_t)cols + width - 1) / width * width;
  cnf_arena arena = {0};
  operands_layout(m, &arena);
  m->bytes = arena.used;
  m->memory = arena.overflow ? NULL : cnf_memory_take(m->bytes);
  if (!m->memory) return 0;
  arena = (cnf_arena){.base = m->memory};
  operands_layout(m, &arena);
  operands_fill(m);
  return 1;
}
