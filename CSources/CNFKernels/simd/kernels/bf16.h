/* Products of operands rounded to bfloat16, with sums in float. simd/kernels/table.h includes this file.
 *
 * The loops are those of products.h and gradients.h, over 32-bit words of BF16_TERMS terms. Where an instruction set
 * does not multiply pairs of bfloat16, a word is a float that has been rounded: the result is right, and no faster. */
#define BF16(name) CNF_KERNEL(name##_bf16)
#define BF16_LANES (LANES / BF16_TERMS) /* words of a row of lanes, for sums over lanes */
static int bf16_words(int terms) { return (terms + BF16_TERMS - 1) / BF16_TERMS; }

/* The upper half of x, rounded as v_bf16 does. */
CNF_INLINE uint32_t bf16_of(real x) {
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return x == x ? (bits + 0x7fff + ((bits >> 16) & 1)) >> 16 : bits >> 16 | 0x40; /* quiet */
}
CNF_INLINE real bf16_word(real first, real second) {
  const uint32_t bits = BF16_TERMS == 2 ? bf16_of(first) | bf16_of(second) << 16 : bf16_of(first) << 16;
  real word;
  memcpy(&word, &bits, sizeof word);
  return word;
}

static void BF16(pack)(const real *w, size_t row_stride, size_t col_stride, int rows, int cols, real *packed) {
  for (int first = 0; first < rows; first += BLOCK_ROWS)
    for (int c = 0; c < cols; c += BF16_TERMS)
      for (int r = first; r < first + BLOCK_ROWS; r++) {
        const size_t at = (size_t)r * row_stride + (size_t)c * col_stride;
        *packed++ = r < rows ? bf16_word(w[at], c + 1 < cols ? w[at + col_stride] : 0) : 0;
      }
}

/* A panel as words [ceil(cols/terms)][lanes]: the terms of a sum are columns. */
static void bf16_columns(int cols, const real *x, real *to) {
#if BF16_TERMS == 2
  for (int c = 0; c < cols; c += 2, x += 2 * LANES)
    for (int j = 0; j < LANES; j += VW, to += VW)
      v_store(to, v_bf16_pairs(v_load(x + j), c + 1 < cols ? v_load(x + LANES + j) : v_set1(0)));
#else
  FOR_ELEMENTS(cols) v_store(to + i, v_bf16(v_load(x + i)));
#endif
}

/* A panel as words [rows][BF16_LANES]: the terms of a sum are lanes. */
static void bf16_lanes(int rows, const real *x, real *to) {
#if BF16_TERMS == 2
  for (int i = 0; i < rows * LANES; i += 2 * VW, to += VW)
    v_store(to, v_bf16_neighbours(v_load(x + i), v_load(x + i + VW)));
#else
  bf16_columns(rows, x, to);
#endif
}

static void BF16(product)(const real *packed, int rows, int cols, int count, const real *const *x, real *const *y,
                          const int *accumulate, real *scratch) {
  const int words = bf16_words(cols);
  const size_t panel = (size_t)words * LANES;
  for (int n = 0; n < count; n++) bf16_columns(cols, x[n], scratch + (size_t)n * panel);
  for (int first = 0; first < rows; first += BLOCK_ROWS) {
    const int height = rows - first < BLOCK_ROWS ? rows - first : BLOCK_ROWS;
    for (int n = 0; n < count; n++)
      block_product_of(BF16_WORDS, packed + (size_t)first * (size_t)words, NULL, height, words,
                       scratch + (size_t)n * panel, y[n] + (size_t)first * LANES, accumulate[n]);
  }
}

/* Rows [0, cols) of a panel as a strip of words [BF16_LANES][STRIP]; columns past cols are 0. */
static void bf16_strip_of(int cols, const real *x, real *strip) {
  _Alignas(64) real words[STRIP * BF16_LANES];
  const int filled = cols < STRIP ? cols : STRIP;
  bf16_lanes(filled, x, words);
  memset(words + filled * BF16_LANES, 0, (size_t)(STRIP - filled) * BF16_LANES * sizeof(real));
  for (int c = 0; c < STRIP; c += VW)
    for (int j = 0; j < BF16_LANES; j += VW)
      transpose_block(words + c * BF16_LANES + j, BF16_LANES, strip + (size_t)j * STRIP + c, STRIP);
}

/* Rounded rows are on the stack, with the strips. 32 KB of them, because a caller's thread may have a small stack. */
#define BF16_ROWS (32768 / (GRADIENT_PANELS * BF16_LANES * (int)sizeof(real)) / BLOCK_ROWS * BLOCK_ROWS)

static void bf16_gradient_of_panels(int rows, int cols, int count, const real *const *z, const real *const *x,
                                    size_t ld, real *w_bar) {
  _Alignas(64) real strips[GRADIENT_PANELS * BF16_LANES * STRIP], words[GRADIENT_PANELS][BF16_ROWS * BF16_LANES];
  const real *rounded[GRADIENT_PANELS];
  for (int n = 0; n < GRADIENT_PANELS; n++) rounded[n] = words[n];
  for (int first = 0; first < rows; first += BF16_ROWS, w_bar += (size_t)BF16_ROWS * ld) {
    const int height = rows - first < BF16_ROWS ? rows - first : BF16_ROWS;
    for (int n = 0; n < count; n++) bf16_lanes(height, z[n] + (size_t)first * LANES, words[n]);
    for (int c = 0; c < cols; c += STRIP) {
      for (int n = 0; n < count; n++)
        bf16_strip_of(cols - c, x[n] + (size_t)c * LANES, strips + (size_t)n * BF16_LANES * STRIP);
      if (cols - c > VW)
        strip_gradient(BF16_WORDS, 2, 0, height, count, rounded, strips, ld, w_bar + c);
      else
        strip_gradient(BF16_WORDS, 1, 0, height, count, rounded, strips, ld, w_bar + c);
    }
  }
}

static void BF16(weight_gradient)(int rows, int cols, int count, const real *const *z, const real *const *x, size_t ld,
                                  real *w_bar) {
  if (cols <= FEW || rows < FEW) {
    CNF_KERNEL(weight_gradient)(rows, cols, count, z, x, ld, w_bar);
    return;
  }
  for (int n = 0; n < count; n += GRADIENT_PANELS)
    bf16_gradient_of_panels(rows, cols, count - n < GRADIENT_PANELS ? count - n : GRADIENT_PANELS, z + n, x + n, ld,
                            w_bar);
}

static const cnf_bf16_kernels CNF_KERNEL(bf16_table) = {
    .terms = BF16_TERMS, .pack = BF16(pack), .product = BF16(product), .weight_gradient = BF16(weight_gradient)};
