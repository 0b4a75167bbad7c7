/* The list of kernels: how each is called, its operands, which of them the output may overwrite, and its reference. */

typedef const cnf_kernels kernel_table;

/* ABSENT ends a list of operands. MAYBE, MAYBE_2, MAYBE_4: NULL unless that bit of the call's flag is set, which is 1,
 * 2, 4. SUM: accumulated if the flag is set. */
typedef enum role { ABSENT, IN, MAYBE, MAYBE_2, MAYBE_4, OUT, SUM, INOUT } role;
typedef enum extent {
  PANEL, /* [rows][lanes] */
  PRE,   /* the same if the activation keeps the tangent of z, else NULL */
  Z,
  Y,
  AUX,       /* panels of pre-activations (Z), of values (Y), and of auxiliary values (AUX; NULL if there are none) */
  INPUT,     /* [cols][lanes] */
  ROW,       /* [lanes] */
  COLUMN,    /* [rows] */
  TOLERANCE, /* [rows]: positive */
  MATRIX,    /* rows x cols as strided_place lays it out */
  PACKED,    /* [ceil(rows/block)][cols][block] */
  GRADIENT,  /* [rows][ld] */
  COEFFICIENTS, /* [count] */
  STAGES,       /* [count] panels of [rows][lanes], each with its own pointer */
  PRES,         /* the same, if the activation keeps the tangent of z */
  INPUTS,       /* [count] panels of [cols][lanes] */
  COLUMNS,      /* [lanes] columns of [rows]; if the flag is set, the kernel gets NULL for odd lanes */
  VECTOR,       /* [width] */
  CHAINS,       /* [chains][width] */
  WORDS,        /* [ceil(rows/block)][ceil(cols/terms)][block]: packed weights in bfloat16 */
  WORD_ROOM,    /* [count][ceil(cols/terms)][lanes] */
} extent;
enum { MAX_OPERANDS = 10, MAX_STAGES = 7, MAX_POINTERS = 32 };

typedef struct operand {
  role role;
  extent extent;
  size_t count; /* the number of elements; 0 if the operand is NULL */
  real *at;     /* the pointer that the kernel gets */
  real *before; /* the elements before the call; those of an OUT are NaN */
} operand;

typedef struct call {
  kernel_table *k, *tile; /* k is the table under test; tile is that for whole tiles, also if k is for one lane */
  int32_t isa;
  int rows, cols, activation, flag, count;
  size_t ld; /* columns rounded up to a vector; a vector more if the flag is set */
  operand operands[MAX_OPERANDS];
  real *pointers[MAX_OPERANDS][MAX_POINTERS]; /* the pointers of operands that are several arrays */
  int flags[MAX_STAGES];                      /* the flag, for each panel */
} call;

/* The layouts for pack: row-major, transposed, and row-major with gaps. */
enum { STRIDES = 3, GAP = 3 };
static size_t row_stride(const call *c) { return c->flag == 1 ? 1 : (size_t)c->cols + (c->flag == 2 ? GAP : 0); }
static size_t col_stride(const call *c) { return c->flag == 1 ? (size_t)c->rows : 1; }

static int norm_of(int flag) { return flag ? CNF_NORM_MAX : CNF_NORM_RMS; }

enum { ROWS = 1, COLS = 2, ROWS_AND_COLS = ROWS | COLS }; /* the sizes that are varied; the other one is 1 */
#define ON(operand) (1 << (operand))                      /* the first OUT may be this operand */
#define A(operand) (c->operands[operand].at)
#define FROM(operand) ((const real *const *)c->pointers[operand])
#define TO(operand) ((real *const *)c->pointers[operand])

/* X(kernel, sizes, per activation, flags, in place, (arguments), operands: {role, extent} ...) */
#define KERNEL_TESTS(X)                                                                                                \
  X(pack, ROWS_AND_COLS, 0, STRIDES, 0, (A(0), row_stride(c), col_stride(c), c->rows, c->cols, A(1)), {IN, MATRIX},    \
    {OUT, PACKED})                                                                                                     \
  X(linear, ROWS_AND_COLS, 1, 2, 0,                                                                                    \
    (A(0), A(1), c->rows, c->cols, A(2), c->activation, A(3), A(4), c->count, FROM(5), TO(6), TO(7)), {IN, PACKED},    \
    {MAYBE, COLUMN}, {IN, INPUT}, {OUT, PANEL}, {OUT, AUX}, {IN, INPUTS}, {OUT, STAGES}, {OUT, PRES})                  \
  X(product, ROWS_AND_COLS, 0, 2, 0, (A(0), c->rows, c->cols, c->count, FROM(1), TO(2), c->flags), {IN, PACKED},       \
    {IN, INPUTS}, {SUM, STAGES})                                                                                       \
  X(activation, ROWS, 1, 1, ON(0), (c->activation, c->rows, A(0), A(1), A(2)), {IN, Z}, {OUT, PANEL}, {OUT, AUX})      \
  X(activation_tangent, ROWS, 1, 1, ON(2), (c->activation, c->rows, A(0), A(1), A(2), A(3), A(4)), {IN, Y}, {IN, AUX}, \
    {IN, PANEL}, {OUT, PANEL}, {OUT, PRE})                                                                             \
  X(activation_reverse, ROWS, 1, 2, ON(2), (c->activation, c->rows, A(0), A(1), A(2), A(3), A(4)), {IN, Y}, {IN, AUX}, \
    {IN, PANEL}, {MAYBE, PANEL}, {OUT, PANEL})                                                                         \
  X(activation_tangent_reverse, ROWS, 1, 16, ON(4),                                                                    \
    (c->activation, c->rows, A(0), A(1), A(2), A(3), A(4), A(5), A(6), A(7), A(8), c->flag & 8, A(9)), {IN, Y},        \
    {IN, AUX}, {IN, PANEL}, {IN, PRE}, {MAYBE, PANEL}, {MAYBE_2, PANEL}, {MAYBE_2, ROW}, {OUT, PANEL},                 \
    {MAYBE_4, PANEL}, {OUT, PANEL})                                                                                    \
  X(derivative, ROWS, 1, 1, 0, (c->activation, c->rows, A(0), A(1), A(2)), {IN, Y}, {IN, AUX}, {OUT, PANEL})           \
  X(derivative_reverse, ROWS, 1, 1, 0, (c->activation, c->rows, A(0), A(1), A(2), A(3)), {IN, Y}, {IN, AUX},           \
    {IN, PANEL}, {INOUT, PANEL})                                                                                       \
  X(weight_gradient, ROWS_AND_COLS, 0, 2, 0, (c->rows, c->cols, c->count, FROM(0), FROM(1), c->ld, A(2)),              \
    {IN, STAGES}, {IN, INPUTS}, {INOUT, GRADIENT})                                                                     \
  X(row_sums, ROWS, 0, 1, 0, (c->rows, c->count, FROM(0), A(1)), {IN, STAGES}, {INOUT, COLUMN})                        \
  X(lanes_out, ROWS, 0, 2, 0, (c->rows, A(0), TO(1)), {IN, PANEL}, {OUT, COLUMNS})                                     \
  X(lanes_in, ROWS, 0, 1, 0, (c->rows, FROM(0), A(1)), {IN, COLUMNS}, {OUT, PANEL})                                    \
  X(add, ROWS, 0, 1, ON(0) | ON(1), (c->rows, A(0), A(1), A(2)), {IN, PANEL}, {IN, PANEL}, {OUT, PANEL})               \
  X(scale, ROWS, 0, 1, ON(0), (c->rows, A(0), A(1), A(2)), {IN, PANEL}, {IN, ROW}, {OUT, PANEL})                       \
  X(scale_add, ROWS, 0, 1, 0, (c->rows, A(0), A(1), A(2)), {IN, PANEL}, {IN, ROW}, {INOUT, PANEL})                     \
  X(dot, ROWS, 0, 2, 0, (c->rows, A(0), A(1), c->flag, A(2)), {IN, PANEL}, {IN, PANEL}, {SUM, ROW})                    \
  X(multiply, ROWS, 0, 2, 0, (c->rows, A(0), A(1), c->flag, A(2)), {IN, PANEL}, {IN, PANEL}, {SUM, PANEL})             \
  X(total, ROWS, 0, 2, 0, (c->rows, A(0), c->flag, A(1)), {IN, PANEL}, {SUM, ROW})                                     \
  X(shift, ROWS, 0, 1, 0, (c->rows, A(0), A(1), A(2)), {IN, PANEL}, {IN, ROW}, {OUT, PANEL})                           \
  X(affine, ROWS, 0, 2, 0, (c->rows, A(0), A(1), A(2), A(3)), {IN, PANEL}, {IN, COLUMN}, {MAYBE, COLUMN},              \
    {OUT, PANEL})                                                                                                      \
  X(finite, ROWS, 0, 2, 0, (c->rows, A(0), c->flag, A(1)), {IN, PANEL}, {SUM, ROW})                                    \
  X(blend, ROWS, 0, 1, ON(1) | ON(2), (c->rows, A(0), A(1), A(2), A(3)), {IN, ROW}, {IN, PANEL}, {IN, PANEL},          \
    {OUT, PANEL})                                                                                                      \
  X(combine, ROWS, 0, 2, ON(0), (c->rows, A(0), A(1), c->count, A(2), FROM(3), A(4)), {MAYBE, PANEL}, {IN, ROW},       \
    {IN, COEFFICIENTS}, {IN, STAGES}, {OUT, PANEL})                                                                    \
  X(error_squares, ROWS, 0, 2, 0,                                                                                      \
    (c->rows, A(0), A(1), A(2), c->count, A(3), FROM(4), A(5), A(6), norm_of(c->flag), A(7)), {IN, PANEL},             \
    {IN, PANEL}, {IN, ROW}, {IN, COEFFICIENTS}, {IN, STAGES}, {IN, TOLERANCE}, {IN, TOLERANCE}, {INOUT, ROW})          \
  X(scaled_squares, ROWS, 0, 4, 0, (c->rows, A(0), A(1), A(2), A(3), A(4), norm_of(c->flag >> 1), A(5)), {IN, PANEL},  \
    {MAYBE, PANEL}, {IN, PANEL}, {IN, TOLERANCE}, {IN, TOLERANCE}, {INOUT, ROW})                                       \
  X(fma_chains, ROWS, 0, 1, 0, (c->rows, A(0), A(1), A(2)), {IN, VECTOR}, {IN, VECTOR}, {INOUT, CHAINS})

/* These assertions fail unless the list has every function of the table, in the same order. */
enum {
#define X(name, ...) TEST_##name,
  KERNEL_TESTS(X)
#undef X
      KERNEL_COUNT
};
typedef struct table_of_listed {
  int lanes, block_rows, width, most_alone;
  const void *single, *bf16;
  void (*kernel[KERNEL_COUNT])(void);
} table_of_listed;
_Static_assert(sizeof(table_of_listed) == sizeof(kernel_table), "a kernel of the table is not in KERNEL_TESTS");
#define X(name, ...)                                                                         \
  _Static_assert(offsetof(table_of_listed, kernel) + TEST_##name * sizeof(void (*)(void)) == \
                     offsetof(kernel_table, name),                                           \
                 #name " is not where the table has it");
KERNEL_TESTS(X)
#undef X

/* ---- References: element i of output `n`, from the operands before the call */

#define B(operand) (c->operands[operand].before)
#define AT(operand, index) leaf(B(operand)[index])
#define OR_ZERO(operand, index) leaf(c->operands[operand].count ? B(operand)[index] : 0)

static size_t lanes_of(const call *c) { return (size_t)c->k->lanes; }
static term y_of(const call *c, size_t i) { return AT(0, i); }
static term aux_of(const call *c, size_t i) { return OR_ZERO(1, i); }
static const activation_reference *activation_of(const call *c) { return &activations[c->activation]; }

/* start + row r of the packed weights (operand 0) times one lane of a panel [cols][lanes], which begins at `x`. */
static term row_product(const call *c, term start, size_t r, const real *x) {
  size_t block = (size_t)c->k->block_rows, cols = (size_t)c->cols;
  const real *w = B(0) + r / block * block * cols + r % block;
  for (size_t k = 0; k < cols; k++) start = plus(start, times(leaf(w[k * block]), leaf(x[k * lanes_of(c)])));
  return start;
}
/* Panel n of an operand that is several panels of `rows` rows. */
static const real *panel_of(const call *c, int operand, size_t n, int rows) {
  return B(operand) + n * (size_t)rows * lanes_of(c);
}
/* Element i of the sum of stages (operand k) times coefficients (operand e). */
static term stage_sum(const call *c, int e, int k, size_t i) {
  size_t panel = (size_t)c->rows * lanes_of(c);
  term sum = leaf(0);
  for (size_t n = 0; n < (size_t)c->count; n++) sum = plus(sum, times(AT(e, n), AT(k, n * panel + i)));
  return sum;
}
static expectation value_or_kept(const call *c, term z, int kept) {
  const accuracy *bound = accuracy_of(c->isa, c->activation);
  return activated(c->activation, kept, z, kept ? bound->kept : bound->value);
}

static expectation expect_pack(const call *c, int n, size_t i) {
  (void)n;
  size_t block = (size_t)c->k->block_rows, cols = (size_t)c->cols;
  size_t row = i / (cols * block) * block + i % block, col = i / block % cols;
  return exactly(row < (size_t)c->rows ? B(0)[row * row_stride(c) + col * col_stride(c)] : 0);
}
/* The reference of tangents uses the derivative at the y that the kernel found; y itself is checked separately. */
static expectation expect_linear(const call *c, int n, size_t i) {
  size_t panel = (size_t)c->rows * lanes_of(c), at = i % panel, r = at / lanes_of(c), j = at % lanes_of(c);
  if (n < 6) return value_or_kept(c, row_product(c, OR_ZERO(1, r), r, B(2) + j), n == 4);
  term z_dot = row_product(c, leaf(0), r, panel_of(c, 5, i / panel, c->cols) + j);
  if (n == 7) return expect(z_dot);
  term y = leaf(A(3)[at]), aux = leaf(c->operands[4].count ? A(4)[at] : 0);
  if (c->activation == CNF_ACTIVATION_IDENTITY) return expect(z_dot);
  return expect(times(activation_of(c)->slope(y, aux), z_dot));
}
static expectation expect_product(const call *c, int n, size_t i) {
  size_t panel = (size_t)c->rows * lanes_of(c), at = i % panel;
  term start = c->flag ? AT(n, i) : leaf(0);
  return expect(row_product(c, start, at / lanes_of(c), panel_of(c, 1, i / panel, c->cols) + at % lanes_of(c)));
}
static expectation expect_activation(const call *c, int n, size_t i) { return value_or_kept(c, AT(0, i), n == 2); }
static expectation expect_activation_tangent(const call *c, int n, size_t i) {
  if (n == 4) return exactly(B(2)[i]);
  return expect(times(activation_of(c)->slope(y_of(c, i), aux_of(c, i)), AT(2, i)));
}
static expectation expect_activation_reverse(const call *c, int n, size_t i) {
  (void)n;
  return expect(plus(times(activation_of(c)->slope(y_of(c, i), aux_of(c, i)), AT(2, i)), OR_ZERO(3, i)));
}
static expectation expect_activation_tangent_reverse(const call *c, int n, size_t i) {
  const activation_reference *a = activation_of(c);
  term bar = OR_ZERO(4, i);
  if (c->operands[5].count) bar = plus(bar, times(AT(5, i), AT(6, i % lanes_of(c))));
  if (n == 7) return expect(times(a->slope(y_of(c, i), aux_of(c, i)), bar));
  term curvature = times(a->curvature(y_of(c, i), aux_of(c, i), AT(2, i), OR_ZERO(3, i)), bar);
  term sum = OR_ZERO(8, i);
  if (c->flag & 8) sum = times(a->slope(y_of(c, i), aux_of(c, i)), sum);
  return expect(plus(sum, curvature));
}
static expectation expect_derivative(const call *c, int n, size_t i) {
  (void)n;
  return expect(activation_of(c)->slope(y_of(c, i), aux_of(c, i)));
}
static expectation expect_derivative_reverse(const call *c, int n, size_t i) {
  return expect(plus(AT(n, i), times(activation_of(c)->second(y_of(c, i), aux_of(c, i)), AT(2, i))));
}
static expectation expect_weight_gradient(const call *c, int n, size_t i) {
  size_t row = i / c->ld, col = i % c->ld;
  term sum = AT(n, i);
  if (col >= (size_t)c->cols) return anything();
  for (size_t p = 0; p < (size_t)c->count; p++)
    for (size_t j = 0; j < lanes_of(c); j++)
      sum = plus(sum, times(leaf(panel_of(c, 0, p, c->rows)[row * lanes_of(c) + j]),
                            leaf(panel_of(c, 1, p, c->cols)[col * lanes_of(c) + j])));
  return expect(sum);
}
static expectation expect_row_sums(const call *c, int n, size_t i) {
  term sum = AT(n, i);
  for (size_t p = 0; p < (size_t)c->count; p++)
    for (size_t j = 0; j < lanes_of(c); j++) sum = plus(sum, leaf(panel_of(c, 0, p, c->rows)[i * lanes_of(c) + j]));
  return expect(sum);
}
static expectation expect_lanes_out(const call *c, int n, size_t i) {
  size_t lane = i / (size_t)c->rows, row = i % (size_t)c->rows;
  return exactly(c->pointers[n][lane] ? B(0)[row * lanes_of(c) + lane] : (wide)NAN);
}
static expectation expect_lanes_in(const call *c, int n, size_t i) {
  return (void)n, exactly(B(0)[i % lanes_of(c) * (size_t)c->rows + i / lanes_of(c)]);
}
static expectation expect_add(const call *c, int n, size_t i) { return (void)n, expect(plus(AT(0, i), AT(1, i))); }
static expectation expect_scale(const call *c, int n, size_t i) {
  return (void)n, expect(times(AT(0, i), AT(1, i % lanes_of(c))));
}
static expectation expect_scale_add(const call *c, int n, size_t i) {
  return expect(plus(AT(n, i), times(AT(0, i), AT(1, i % lanes_of(c)))));
}
static expectation expect_dot(const call *c, int n, size_t j) {
  term sum = c->flag ? AT(n, j) : leaf(0);
  for (size_t i = j; i < (size_t)c->rows * lanes_of(c); i += lanes_of(c)) sum = plus(sum, times(AT(0, i), AT(1, i)));
  return expect(sum);
}
static expectation expect_multiply(const call *c, int n, size_t i) {
  return expect(plus(c->flag ? AT(n, i) : leaf(0), times(AT(0, i), AT(1, i))));
}
static expectation expect_total(const call *c, int n, size_t j) {
  term sum = c->flag ? AT(n, j) : leaf(0);
  for (size_t i = j; i < (size_t)c->rows * lanes_of(c); i += lanes_of(c)) sum = plus(sum, AT(0, i));
  return expect(sum);
}
static expectation expect_shift(const call *c, int n, size_t i) {
  return (void)n, expect(plus(AT(0, i), AT(1, i % lanes_of(c))));
}
static expectation expect_affine(const call *c, int n, size_t i) {
  return (void)n, expect(plus(times(AT(0, i), AT(1, i / lanes_of(c))), OR_ZERO(2, i / lanes_of(c))));
}
static expectation expect_finite(const call *c, int n, size_t j) {
  term sum = c->flag ? AT(n, j) : leaf(0);
  for (size_t i = j; i < (size_t)c->rows * lanes_of(c); i += lanes_of(c)) sum = plus(sum, times(AT(0, i), leaf(0)));
  return expect(sum);
}
static expectation expect_blend(const call *c, int n, size_t i) {
  return (void)n, exactly(B(0)[i % lanes_of(c)] > 0 ? B(1)[i] : B(2)[i]);
}
static expectation expect_combine(const call *c, int n, size_t i) {
  (void)n;
  return expect(plus(OR_ZERO(0, i), times(AT(1, i % lanes_of(c)), stage_sum(c, 2, 3, i))));
}
/* The sum of squares, or the largest of them, after one more square. A square that is not finite makes the largest
 * NaN. */
static term with_square_of(int norm, term sum, term ratio) {
  term square = times(ratio, ratio);
  if (norm == CNF_NORM_RMS) return plus(sum, square);
  wide largest = square.value > sum.value ? square.value : sum.value;
  term most = {largest, WIDE(fmax)(square.size, sum.size), larger(square.roundings, sum.roundings)};
  return plus(most, times(square, leaf(0)));
}
static expectation expect_error_squares(const call *c, int n, size_t j) {
  term sum = AT(n, j);
  for (size_t i = j; i < (size_t)c->rows * lanes_of(c); i += lanes_of(c)) {
    wide a = WIDE(fabs)(B(0)[i]), b = WIDE(fabs)(B(1)[i]); /* if one is NaN, x1's is taken, as in v_max */
    term unit = plus(AT(6, i / lanes_of(c)), times(AT(5, i / lanes_of(c)), leaf(a > b ? a : b)));
    term ratio = over(times(AT(2, j), stage_sum(c, 3, 4, i)), unit);
    sum = with_square_of(norm_of(c->flag), sum, ratio);
  }
  return expect(sum);
}
static expectation expect_scaled_squares(const call *c, int n, size_t j) {
  term sum = AT(n, j);
  for (size_t i = j; i < (size_t)c->rows * lanes_of(c); i += lanes_of(c)) {
    term unit = plus(AT(4, i / lanes_of(c)), times(AT(3, i / lanes_of(c)), leaf(WIDE(fabs)(B(2)[i]))));
    term ratio = over(minus(AT(0, i), OR_ZERO(1, i)), unit);
    sum = with_square_of(norm_of(c->flag >> 1), sum, ratio);
  }
  return expect(sum);
}
static expectation expect_fma_chains(const call *c, int n, size_t i) {
  size_t j = i % (size_t)c->k->width;
  term x = AT(n, i);
  for (int round = 0; round < c->rows; round++) x = plus(times(AT(0, j), x), AT(1, j));
  return expect(x);
}

#if CNF_REAL_BITS == 32
#include "kernels_bf16_cases_body.h"
#else
#define BF16_KERNEL_TESTS(X)
enum { BF16_KERNEL_COUNT = 0 };
#endif

/* ---- The list, as data */

typedef struct kernel_test {
  const char *name;
  void (*run)(const call *c);
  expectation (*expected)(const call *c, int n, size_t i);
  int sizes, per_activation, flags, in_place;
  struct {
    role role;
    extent extent;
  } operands[MAX_OPERANDS];
} kernel_test;

#define X(name, sizes, per_activation, flags, in_place, arguments, ...) \
  static void run_##name(const call *c) { c->k->name arguments; }
KERNEL_TESTS(X)
#undef X
#define X(name, sizes, per_activation, flags, in_place, arguments, ...) \
  static void run_bf16_##name(const call *c) { c->k->bf16->name arguments; }
BF16_KERNEL_TESTS(X)
#undef X
enum { TEST_COUNT = KERNEL_COUNT + BF16_KERNEL_COUNT };
static const kernel_test kernel_tests[TEST_COUNT] = {
#define X(name, sizes, per_activation, flags, in_place, arguments, ...) \
  {#name, run_##name, expect_##name, sizes, per_activation, flags, in_place, {__VA_ARGS__}},
    KERNEL_TESTS(X)
#undef X
#define X(name, sizes, per_activation, flags, in_place, arguments, ...) \
  {"bf16_" #name, run_bf16_##name, expect_bf16_##name, sizes, per_activation, flags, in_place, {__VA_ARGS__}},
        BF16_KERNEL_TESTS(X)
#undef X
};
