/* The kernels of products in bfloat16, which only float has: how each is called, and its reference.
 *
 * The product of two bfloat16 is exact in float, so only the additions of a sum round. The tolerance of a float product
 * of the rounded operands is therefore more than enough.
 */
#define BF16_KERNEL_TESTS(X)                                                                                          \
  X(pack, ROWS_AND_COLS, 0, STRIDES, 0, (A(0), row_stride(c), col_stride(c), c->rows, c->cols, A(1)), {IN, MATRIX},   \
    {OUT, WORDS})                                                                                                     \
  X(product, ROWS_AND_COLS, 0, 2, 0, (A(0), c->rows, c->cols, c->count, FROM(1), TO(2), c->flags, A(3)), {IN, WORDS}, \
    {IN, INPUTS}, {SUM, STAGES}, {OUT, WORD_ROOM})                                                                    \
  X(weight_gradient, ROWS_AND_COLS, 0, 2, 0, (c->rows, c->cols, c->count, FROM(0), FROM(1), c->ld, A(2)),             \
    {IN, STAGES}, {IN, INPUTS}, {INOUT, GRADIENT})

enum {
#define X(name, ...) TEST_bf16_##name,
  BF16_KERNEL_TESTS(X)
#undef X
      BF16_KERNEL_COUNT
};
typedef struct table_of_listed_bf16 {
  int terms;
  void (*kernel[BF16_KERNEL_COUNT])(void);
} table_of_listed_bf16;
_Static_assert(sizeof(table_of_listed_bf16) == sizeof(cnf_bf16_kernels),
               "a kernel of the bfloat16 table is not in BF16_KERNEL_TESTS");

/* The nearest number of 8 significant bits, with ties to even. It uses arithmetic, and not bits like the kernels. A
 * subnormal has an error below the smallest normal number, which the tests here cannot distinguish from 0. */
static wide nearest_bf16(wide x) {
  int exponent;
  if (x == 0 || !isfinite(x)) return x;
  const wide fraction = WIDE(frexp)(x, &exponent), rounded = WIDE(nearbyint)(WIDE(ldexp)(fraction, 8));
  const wide nearest = WIDE(ldexp)(rounded, exponent - 8);
  return WIDE(fabs)(nearest) < 0x1p128 ? nearest : copysign(INFINITY, x);
}
static int terms_of(const call *c) { return c->k->bf16->terms; }
static size_t words_of(const call *c) { return ((size_t)c->cols + (size_t)terms_of(c) - 1) / (size_t)terms_of(c); }

/* A word that contains these terms, and term t of a word. */
static real word_with(const call *c, real first, real second) {
  uint32_t halves[2], word;
  const real terms[2] = {(real)nearest_bf16(first), (real)nearest_bf16(second)};
  memcpy(halves, terms, sizeof halves);
  word = terms_of(c) == 2 ? halves[0] >> 16 | halves[1] : halves[0];
  real result;
  memcpy(&result, &word, sizeof result);
  return result;
}
static wide term_of_word(const call *c, real word, size_t t) {
  uint32_t bits;
  real term;
  memcpy(&bits, &word, sizeof bits);
  if (terms_of(c) == 2) bits = t ? bits & UINT32_C(0xffff0000) : bits << 16;
  memcpy(&term, &bits, sizeof term);
  return term;
}

static expectation expect_bf16_pack(const call *c, int n, size_t i) {
  (void)n;
  const size_t block = (size_t)c->k->block_rows, words = words_of(c), col = i / block % words * (size_t)terms_of(c);
  const size_t row = i / (words * block) * block + i % block, at = row * row_stride(c) + col * col_stride(c);
  if (row >= (size_t)c->rows) return exactly(0);
  return exactly(word_with(c, B(0)[at], col + 1 < (size_t)c->cols ? B(0)[at + col_stride(c)] : 0));
}
static expectation expect_bf16_product(const call *c, int n, size_t i) {
  if (n == 3) return anything(); /* scratch memory */
  const size_t panel = (size_t)c->rows * lanes_of(c), at = i % panel, lane = at % lanes_of(c), row = at / lanes_of(c);
  const size_t block = (size_t)c->k->block_rows, words = words_of(c), terms = (size_t)terms_of(c);
  const real *x = panel_of(c, 1, i / panel, c->cols) + lane, *w = B(0) + row / block * block * words + row % block;
  term sum = c->flag ? AT(n, i) : leaf(0);
  for (size_t k = 0; k < words * terms; k++) {
    const wide input = k < (size_t)c->cols ? nearest_bf16(x[k * lanes_of(c)]) : 0;
    sum = plus(sum, times(leaf(term_of_word(c, w[k / terms * block], k % terms)), leaf(input)));
  }
  return expect(sum);
}
static expectation expect_bf16_weight_gradient(const call *c, int n, size_t i) {
  const size_t row = i / c->ld, col = i % c->ld;
  const int rounds = c->cols > 4 && c->rows >= 4;
  term sum = AT(n, i);
  if (col >= (size_t)c->cols) return anything();
  for (size_t p = 0; p < (size_t)c->count; p++)
    for (size_t j = 0; j < lanes_of(c); j++) {
      const wide z = panel_of(c, 0, p, c->rows)[row * lanes_of(c) + j];
      const wide x = panel_of(c, 1, p, c->cols)[col * lanes_of(c) + j];
      sum = plus(sum, times(leaf(rounds ? nearest_bf16(z) : z), leaf(rounds ? nearest_bf16(x) : x)));
    }
  return expect(sum);
}
