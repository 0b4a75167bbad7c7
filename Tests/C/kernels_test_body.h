/* The test of every kernel, shape, activation and flag:
 *
 *   - Operands are at addresses that are multiples of an element but not of 16 bytes, between guards. Guards of inputs
 *     are NaN, so reading one changes the result. Guards of outputs are numbers, because writing NaN to a NaN would not
 *     be seen. Writing to a guard or to an input is a failure.
 *   - Each output is compared with the reference.
 *   - If the contract allows the output to overwrite an input, the result must have the same bits in place.
 *   - With NaN, infinity and -infinity in one element of each operand, the outputs are compared again. Where the
 *     reference did not change, as in all other lanes, no bit may change.
 *
 * All data are functions of the numbers that a failure prints.
 */

/* The largest operands are 7 panels (one per stage) of 61 rows and 32 lanes. A guard is longer than a row of lanes. */
enum { PRIME = 61, CAPACITY = MAX_STAGES * PRIME * 32, GUARD = 48, MISALIGNED = 1, ROOM = CAPACITY + 2 * GUARD + 16 };
enum { SHOWN_FAILURES = 5 }; /* per kernel */

static _Alignas(64) real memory[MAX_OPERANDS][ROOM];
static real before[MAX_OPERANDS][CAPACITY], first_result[MAX_OPERANDS][CAPACITY];
static expectation first_expected[MAX_OPERANDS][CAPACITY];

typedef struct run {
  const kernel_test *test;
  call call;
  const char *what; /* what is special about this call, or "" */
  int aliased;      /* the operand that the first OUT overwrites; -1 for none */
  int shown;        /* the number of failures of this kernel so far */
  kernels_tally tally;
} run;

/* ---- Data */

static uint64_t mix(uint64_t x) { /* SplitMix64's finalizer (Steele, Lea, Flood, OOPSLA 2014) */
  x += UINT64_C(0x9e3779b97f4a7c15);
  x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
  return x ^ (x >> 31);
}
static uint64_t key_of(const run *r, int operand) {
  uint64_t key = (uint64_t)(r->test - kernel_tests);
  const int parts[] = {operand, r->call.rows, r->call.cols, r->call.activation, r->call.flag};
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) key = mix(key) + (uint64_t)parts[i];
  return mix(key);
}
/* A uniform number in (-span, span). */
static real uniform(uint64_t key, double span) { return (real)(span * ((double)(mix(key) >> 11) * 0x1p-52 - 1)); }

/* A pre-activation: most are in the curved part, some where exp is almost 0, and some where only the limit remains. */
static real pre_activation(uint64_t key) {
  static const double extremes[] = {0,  -0.0, 1e-30, -1e-30, 1e-9, -1e-9, 9.1,  -9.1,
                                    87, -88,  19.2,  -709,   710,  1e30,  -1e30};
  switch (key % 8) {
  case 0: return (real)extremes[mix(key) % (sizeof extremes / sizeof extremes[0])];
  case 1:
  case 2: return uniform(key, 100);
  case 3: return uniform(key, 0.01);
  default: return uniform(key, 6);
  }
}

static real element(const run *r, int operand, size_t i) {
  const activation_reference *a = &activations[r->call.activation];
  uint64_t key = key_of(r, operand) + i, shared = key_of(r, -1) + i; /* y and aux come from the same z */
  switch (r->call.operands[operand].extent) {
  case Z: return pre_activation(mix(key));
  case Y: return (real)a->value(uniform(shared, 6));
  case AUX: return (real)a->kept(uniform(shared, 6));
  case TOLERANCE: return (real)1e-3 * (1 + uniform(key, 0.9));
#if CNF_REAL_BITS == 32
  case WORDS: { /* the last word has no second term if the number of columns is odd */
    const size_t word = i / (size_t)r->call.k->block_rows % words_of(&r->call);
    const int has_second = (int)(word * 2 + 1) < r->call.cols;
    return word_with(&r->call, uniform(key, 2), has_second ? uniform(mix(key), 2) : 0);
  }
#endif
  default:
    switch (mix(~key) % 16) {
    case 0: return 0;
    case 1: return (real)(WIDE(nearbyint)(256 * (wide)uniform(key, 2)) / 256); /* halfway between two bfloat16 if odd */
    default: return uniform(key, 2);
    }
  }
}

static size_t round_up(size_t n, size_t unit) { return (n + unit - 1) / unit * unit; }

static size_t count_of(const call *c, extent extent) {
  size_t lanes = (size_t)c->k->lanes, rows = (size_t)c->rows, cols = (size_t)c->cols, panel = rows * lanes;
  switch (extent) {
  case PANEL:
  case Z:
  case Y: return panel;
  case AUX: return cnf_activation_keeps_aux(c->activation) ? panel : 0;
  case PRE: return cnf_activation_keeps_pre_tangent(c->activation) ? panel : 0;
  case INPUT: return cols * lanes;
  case ROW: return lanes;
  case COLUMN:
  case TOLERANCE: return rows;
  case MATRIX: return (rows - 1) * row_stride(c) + (cols - 1) * col_stride(c) + 1;
  case PACKED: return round_up(rows, (size_t)c->k->block_rows) * cols;
  case GRADIENT: return rows * c->ld;
  case COEFFICIENTS: return (size_t)c->count;
  case STAGES: return (size_t)c->count * panel;
  case PRES: return cnf_activation_keeps_pre_tangent(c->activation) ? (size_t)c->count * panel : 0;
  case INPUTS: return (size_t)c->count * cols * lanes;
  case COLUMNS: return panel;
  case VECTOR: return (size_t)c->k->width;
  case CHAINS:
    return CNF_FMA_CHAINS((size_t)c->k->block_rows * (size_t)c->tile->lanes / (size_t)c->k->width) *
           (size_t)c->k->width;
#if CNF_REAL_BITS == 32
  case WORDS: return round_up(rows, (size_t)c->k->block_rows) * words_of(c);
  case WORD_ROOM: return (size_t)c->count * words_of(c) * lanes;
#else
  case WORDS:
  case WORD_ROOM: return 0;
#endif
  }
  return 0;
}

/* The number of arrays of an operand that is passed as a list of pointers; 0 for an operand that is one array. */
static int arrays_of(const call *c, extent extent) {
  if (extent == COLUMNS) return c->k->lanes;
  return extent == STAGES || extent == PRES || extent == INPUTS ? c->count : 0;
}

/* Whether the call does not have this operand. */
static int is_absent(const call *c, role role) {
  return role == ABSENT || (role == MAYBE && !(c->flag & 1)) || (role == MAYBE_2 && !(c->flag & 2)) ||
         (role == MAYBE_4 && !(c->flag & 4));
}
static int is_written(const operand *o) { return o->role == OUT || o->role == SUM || o->role == INOUT; }
static int is_read(const call *c, const operand *o) {
  return o->role == SUM ? c->flag : o->role == INOUT || (!is_written(o) && !is_absent(c, o->role));
}

/* Sets the sizes and contents of the operands. Returns 0 if they do not fit. */
static int prepare(run *r) {
  call *c = &r->call;
  for (int n = 0; n < MAX_OPERANDS; n++) {
    operand *o = &c->operands[n];
    *o = (operand){.role = r->test->operands[n].role, .extent = r->test->operands[n].extent, .before = before[n]};
    if (is_absent(c, o->role)) continue;
    o->count = count_of(c, o->extent);
    if (o->count > CAPACITY) return 0;
    for (size_t i = 0; i < o->count; i++) before[n][i] = is_read(c, o) ? element(r, n, i) : (real)NAN;
  }
  return 1;
}

/* ---- Checks */

static void fail(run *r, const char *why) {
  const call *c = &r->call;
  r->tally.failed++;
  if (r->shown++ >= SHOWN_FAILURES) return;
  printf("FAILED: %s %s " DTYPE ", lanes %d, rows %d, cols %d, activation %d, flag %d, stages %d%s%s: %s\n",
         r->test->name, cnf_isa_name(c->isa), c->k->lanes, c->rows, c->cols, c->activation, c->flag, c->count,
         *r->what ? ", " : "", r->what, why);
}

static int same_bits(real a, real b) { return memcmp(&a, &b, sizeof a) == 0; }

static int matches(real found, expectation expected) {
  if (expected.tolerance < 0) return 1;
  if (isnan(expected.value)) return isnan(found);
  if (isinf(expected.value)) return found == (real)expected.value;
  return WIDE(fabs)(found - expected.value) <= expected.tolerance;
}

/* With all bits set, a real is NaN. With 0xa5 in every byte, it is a small negative number. */
static int guard_byte(const operand *o) { return is_written(o) ? 0xa5 : 0xff; }
static int is_guard(const operand *o, const real *from, size_t count) {
  const unsigned char *byte = (const unsigned char *)from;
  for (size_t i = 0; i < count * sizeof(real); i++)
    if (byte[i] != guard_byte(o)) return 0;
  return 1;
}

/* Sets up the operands and calls the kernel. Returns NULL, or a message if it wrote to something else than its
 * outputs. */
static const char *call_kernel(run *r) {
  call *c = &r->call;
  int first_out = -1;
  for (int n = 0; n < MAX_OPERANDS; n++) {
    operand *o = &c->operands[n];
    o->at = NULL;
    memset(c->pointers[n], 0, sizeof c->pointers[n]);
    if (o->count == 0) continue;
    memset(memory[n], guard_byte(o), (o->count + 2 * GUARD + MISALIGNED) * sizeof(real));
    o->at = memory[n] + GUARD + MISALIGNED;
    memcpy(o->at, o->before, o->count * sizeof(real));
    if (o->role == OUT && first_out < 0) first_out = n;
    const int arrays = arrays_of(c, o->extent), skips = is_written(o) && o->extent == COLUMNS && c->flag;
    for (int s = 0; s < arrays; s++)
      c->pointers[n][s] = skips && s % 2 ? NULL : o->at + (size_t)s * (o->count / (size_t)arrays);
  }
  for (int s = 0; s < MAX_STAGES; s++) c->flags[s] = c->flag;
  if (r->aliased >= 0) c->operands[first_out].at = c->operands[r->aliased].at;
  r->test->run(c);
  for (int n = 0; n < MAX_OPERANDS; n++) {
    const operand *o = &c->operands[n];
    if (o->count == 0) continue;
    const real *start = memory[n], *data = start + GUARD + MISALIGNED;
    if (!is_guard(o, start, GUARD + MISALIGNED)) return "wrote before an operand";
    if (!is_guard(o, data + o->count, GUARD)) return "wrote past an operand";
    if (!is_written(o) && n != r->aliased && memcmp(data, o->before, o->count * sizeof(real)) != 0)
      return "wrote to an input";
  }
  return NULL;
}

static void explain(run *r, int n, size_t i, expectation expected, size_t wrong) {
  char text[256];
  wide found = r->call.operands[n].at[i], ulp = ulp_of(expected.value);
  snprintf(text, sizeof text,
           "operand %d, index %zu: found %.17g, expected %.17g, %.3g ULPs of %.3g allowed; %zu wrong", n, i,
           (double)found, (double)expected.value, (double)(WIDE(fabs)(found - expected.value) / ulp),
           isfinite(expected.value) ? (double)(expected.tolerance / ulp) : 0.0, wrong);
  fail(r, text);
}

/* Calls the kernel and compares every output with the reference. The first call stores the results and references. In
 * later calls, an element with the same reference must have the same bits. */
static void compare(run *r, int is_first) {
  const char *trespass = call_kernel(r);
  if (trespass) {
    fail(r, trespass);
    return;
  }
  size_t wrong = 0, wrong_at = 0;
  int wrong_in = 0;
  expectation wanted = {0, 0};
  for (int n = 0; n < MAX_OPERANDS; n++) {
    const operand *o = &r->call.operands[n];
    if (!is_written(o)) continue;
    for (size_t i = 0; i < o->count; i++) {
      expectation expected = r->test->expected(&r->call, n, i);
      int ok = matches(o->at[i], expected);
      if (is_first) {
        first_result[n][i] = o->at[i];
        first_expected[n][i] = expected;
      } else if (expected.tolerance >= 0 && expected.value == first_expected[n][i].value &&
                 !signbit(expected.value) == !signbit(first_expected[n][i].value)) {
        ok = same_bits(o->at[i], first_result[n][i]);
      }
      if (!ok && wrong++ == 0) wrong_in = n, wrong_at = i, wanted = expected;
    }
    r->tally.comparisons += (long long)o->count;
  }
  if (wrong)
    explain(r, wrong_in, wrong_at, wanted, wrong);
  else
    r->tally.passed++;
}

/* Lets the first OUT overwrite each operand for which the contract allows it. */
static void compare_in_place(run *r) {
  for (int in = 0; in < MAX_OPERANDS; in++) {
    if (!(r->test->in_place & ON(in)) || r->call.operands[in].count == 0) continue;
    r->what = "in place", r->aliased = in;
    const char *trespass = call_kernel(r);
    int same = 1;
    for (int n = 0; n < MAX_OPERANDS; n++) {
      const operand *o = &r->call.operands[n];
      if (!is_written(o) || o->count == 0) continue;
      same = same && memcmp(o->at, first_result[n], o->count * sizeof(real)) == 0;
      r->tally.comparisons += (long long)o->count;
    }
    if (trespass || !same)
      fail(r, trespass ? trespass : "the bits differ from those of a call that is not in place");
    else
      r->tally.passed++;
    r->what = "", r->aliased = -1;
  }
}

static void compare_spoiled(run *r) {
  static const struct {
    real value;
    const char *name;
  } spoils[] = {{(real)NAN, "NaN"}, {(real)INFINITY, "infinity"}, {(real)-INFINITY, "-infinity"}};
  for (int n = 0; n < MAX_OPERANDS; n++) {
    operand *o = &r->call.operands[n];
    if (o->count == 0 || !is_read(&r->call, o)) continue;
    for (size_t s = 0; s < sizeof spoils / sizeof spoils[0]; s++) {
      size_t i = mix(key_of(r, n) + s) % o->count;
      char what[64];
      snprintf(what, sizeof what, "%s in operand %d, index %zu", spoils[s].name, n, i);
      real kept = o->before[i];
      o->before[i] = spoils[s].value, r->what = what;
      compare(r, 0);
      o->before[i] = kept, r->what = "";
    }
  }
}

/* Checks the reference: a' and a'' must equal central differences of a and a', and curvature must be a'' z_dot. The
 * error of a central difference is step^2/6 times the third derivative, here at most 5, plus rounding divided by the
 * step. */
static int reference_is_consistent(int activation) {
  const activation_reference *a = &activations[activation];
  const wide step = (wide)1e-3, bound = step * step / 6 * 5 + 8 * WIDE_EPSILON / step, z_dot = (wide)0.7;
  for (int i = -600; i <= 600; i++) {
    wide z = ((wide)i + (wide)0.37) / 100, from = z - step, to = z + step; /* not at ReLU's kink */
    term y = leaf(a->value(z)), aux = leaf(a->kept(z)), slope = a->slope(y, aux), second = a->second(y, aux);
    wide first_difference = (a->value(to) - a->value(from)) / (2 * step);
    wide slope_from = a->slope(leaf(a->value(from)), leaf(a->kept(from))).value;
    wide slope_to = a->slope(leaf(a->value(to)), leaf(a->kept(to))).value;
    wide curvature = a->curvature(y, aux, leaf(slope.value * z_dot), leaf(z_dot)).value;
    if (!(WIDE(fabs)(slope.value - first_difference) <= bound)) return 0;
    if (!(WIDE(fabs)(second.value - (slope_to - slope_from) / (2 * step)) <= bound)) return 0;
    if (!(WIDE(fabs)(curvature - second.value * z_dot) <= 16 * WIDE_EPSILON)) return 0;
  }
  return 1;
}

/* ---- Shapes */

enum { MAX_SIZES = 9, STAGE_COUNTS = 3 };
static const int stage_counts[STAGE_COUNTS] = {0, 1, MAX_STAGES};
static const int few_stages[STAGE_COUNTS] = {0, 1, 3}; /* for kernels whose rows and columns are both varied */

/* Sizes next to that of a block of rows and of a vector, one more than two vectors, and a prime; each once. */
static int sizes_of(kernel_table *k, int *sizes) {
  const int block = k->block_rows, width = k->width;
  const int candidates[MAX_SIZES] = {1, block - 1, block, block + 1, width - 1, width, width + 1, 2 * width + 1, PRIME};
  int count = 0;
  for (int i = 0; i < MAX_SIZES; i++) {
    int is_new = candidates[i] > 0;
    for (int j = 0; j < count; j++) is_new = is_new && sizes[j] != candidates[i];
    if (is_new) sizes[count++] = candidates[i];
  }
  return count;
}

static int has_stages(const kernel_test *test) {
  for (int n = 0; n < MAX_OPERANDS; n++)
    if (test->operands[n].role != ABSENT && (test->operands[n].extent == STAGES || test->operands[n].extent == INPUTS))
      return 1;
  return 0;
}

static void try_shape(run *r, int rows, int cols) {
  call *c = &r->call;
  c->rows = rows, c->cols = cols;
  for (c->activation = 0; c->activation < (r->test->per_activation ? (int)ACTIVATIONS : 1); c->activation++)
    for (c->flag = 0; c->flag < r->test->flags; c->flag++)
      for (int s = 0; s < (has_stages(r->test) ? STAGE_COUNTS : 1); s++) {
        c->count = r->test->sizes == ROWS_AND_COLS ? few_stages[s] : stage_counts[s];
        c->ld = round_up((size_t)cols, (size_t)c->k->width) + (c->flag ? (size_t)c->k->width : 0);
        if (!prepare(r)) {
          fail(r, "an operand exceeds CAPACITY");
          continue;
        }
        compare(r, 1);
        compare_in_place(r);
        compare_spoiled(r);
      }
}

static void test_table(run *r, kernel_table *table) {
  int sizes[MAX_SIZES];
  r->call.k = table;
  int count = sizes_of(table, sizes);
  for (int t = 0; t < (table->bf16 ? TEST_COUNT : KERNEL_COUNT); t++) {
    r->test = &kernel_tests[t], r->shown = 0;
    int row_sizes = r->test->sizes & ROWS ? count : 1, col_sizes = r->test->sizes & COLS ? count : 1;
    for (int i = 0; i < row_sizes; i++)
      for (int j = 0; j < col_sizes; j++) try_shape(r, sizes[i], sizes[j]);
    if (r->shown > SHOWN_FAILURES) printf("... %s: %d failures in all\n", r->test->name, r->shown);
  }
}

kernels_tally CNF_TYPED(kernels_test)(int32_t isa) {
  kernel_table *table = CNF_TYPED(cnf_kernels_for)(isa);
  run r = {.call = {.k = table, .tile = table, .isa = isa}, .what = "", .aliased = -1};
  const int is_own = isa == CNF_ISA_GENERIC || table != &CNF_TYPED(cnf_kernels_generic);
  if (!is_own || table->lanes < 1 || table->lanes % table->width != 0 || table->lanes > GUARD) {
    printf("FAILED: %s " DTYPE ": no table of its own, or its lanes are not whole vectors\n", cnf_isa_name(isa));
    return (kernels_tally){.failed = 1};
  }
  for (int a = 0; a < (int)ACTIVATIONS; a++) {
    int ok = reference_is_consistent(a);
    if (!ok) printf("FAILED: reference of activation %d, " DTYPE ": its derivatives are not those of its values\n", a);
    r.tally.passed += ok, r.tally.failed += !ok;
  }
  test_table(&r, table);
  r.tally.failed += (table->bf16 != NULL) != (CNF_REAL_BITS == 32) || table->single->bf16;
  test_table(&r, table->single);
  return r.tally;
}
