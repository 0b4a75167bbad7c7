/* Compares the activations of the kernel tables with the functions of the C library in a wider type. The references are
 * not rounded back, so the error is found to a thousandth of an ulp: glibc's double and long double functions are
 * within a few of their own ulps, which are 2^-29 and 2^-11 ulps of the tested types. */

enum {
  CHUNK = 4096,
  DERIVATIVES_EVERY = 8
}; /* of all floats, derivatives are tested in every 8th chunk only, because they are as smooth as values */

typedef struct chunk {
  int count;      /* of the CHUNK arguments; the rest repeat the last one */
  int quantities; /* the number of quantities that are tested, in the order of `expected` */
  _Alignas(64) real z[CHUNK], y[CHUNK], aux[CHUNK], slope[CHUNK], second[CHUNK], ones[CHUNK];
  wide expected[ACCURACY_QUANTITIES][CHUNK];
  real nearest[ACCURACY_QUANTITIES][CHUNK]; /* the same, rounded */
} chunk;

static void expect_chunk(int activation, chunk *c) {
  const activation_reference *a = &activations[activation];
  for (int i = 0; i < CHUNK; i++) {
    wide z = c->z[i], y = a->value(z), aux = a->kept(z);
    c->expected[0][i] = y, c->expected[1][i] = aux;
    if (c->quantities > 2) { /* a' and a'' at infinity are not specified: SiLU's are NaN there */
      c->expected[2][i] = isinf(z) ? (wide)NAN : a->slope(leaf(y), leaf(aux)).value;
      c->expected[3][i] = isinf(z) ? (wide)NAN : a->second(leaf(y), leaf(aux)).value;
    }
    for (int q = 0; q < c->quantities; q++) c->nearest[q][i] = (real)c->expected[q][i];
  }
}

static void run_chunk(kernel_table *k, int activation, chunk *c) {
  const int rows = CHUNK / k->lanes;
  k->activation(activation, rows, c->z, c->y, c->aux);
  if (c->quantities <= 2) return;
  k->derivative(activation, rows, c->y, c->aux, c->slope);
  memset(c->second, 0, sizeof c->second);
  k->derivative_reverse(activation, rows, c->y, c->aux, c->ones, c->second);
}

/* The error in units of `unit`. An error of up to `ignored` does not count. */
static double ulps_between(wide found, wide expected, wide unit, wide ignored) {
  if (isinf(expected) || isinf((real)expected)) return found == (wide)(real)expected ? 0 : INFINITY;
  wide error = WIDE(fabs)(found - expected) - ignored;
  return error <= 0 ? 0 : isnan(error) ? INFINITY : (double)(error / unit);
}

/* Whether NaN stays NaN, and results are within the bounds that formulas need: 1 - y^2 and s (1 - s) must not be
 * negative. */
static int is_sound(int activation, real z, real y, real aux) {
  if (isnan(z)) return isnan(y);
  switch (activation) {
  case CNF_ACTIVATION_TANH: return fabs((double)y) <= 1 && (isinf(z) ? fabs((double)y) == 1 : y * z >= 0);
  case CNF_ACTIVATION_SIN: return fabs((double)y) <= 1 && fabs((double)aux) <= 1;
  case CNF_ACTIVATION_LOGCOSH: return fabs((double)aux) <= 1;
  case CNF_ACTIVATION_SIGMOID: return y >= 0 && y <= 1;
  case CNF_ACTIVATION_SOFTPLUS: return y >= 0 && aux >= 0 && aux <= 1;
  case CNF_ACTIVATION_SILU: return aux >= 0 && aux <= 1;
  case CNF_ACTIVATION_ELU: return y >= -1;
  default: return 1;
  }
}

/* Whether all results of the chunk are correctly rounded. This holds outside the curved part, where most floats are. */
static int is_perfect(const real *found, const real *nearest) {
  return memcmp(found, nearest, CHUNK * sizeof *found) == 0;
}

static void judge_chunk(int activation, const chunk *c, accuracy_result *result) {
  const int keeps_aux = cnf_activation_keeps_aux(activation);
  const int y_is_perfect = is_perfect(c->y, c->nearest[0]),
            aux_is_perfect = !keeps_aux || is_perfect(c->aux, c->nearest[1]);
  result->arguments += c->count;
  if (y_is_perfect && aux_is_perfect && c->quantities <= 2 && result->worst[0].ulps >= 0.5) return;
  const real *found[ACCURACY_QUANTITIES] = {c->y, c->aux, c->slope, c->second};
  const int follows_tiny = activation == CNF_ACTIVATION_TANH || activation == CNF_ACTIVATION_SIN ||
                           activation == CNF_ACTIVATION_ELU || activation == CNF_ACTIVATION_LOGCOSH;
  const wide ignored = follows_tiny ? 0 : (wide)TINY;
  for (int q = 0; q < c->quantities; q++) {
    if (q == 1 && !keeps_aux) continue;
    for (int i = 0; i < c->count; i++) {
      if (found[q][i] == c->nearest[q][i] && result->worst[q].ulps >= 0.5)
        continue; /* correctly rounded, as most are */
      wide expected = c->expected[q][i];
      if (isnan(expected)) continue;
      wide unit = q == 0 ? ulp_of(expected) : q == 1 ? kept_unit(activation, expected) : (wide)REAL_ULP;
      double ulps = ulps_between(found[q][i], expected, unit, ignored);
      if (ulps > result->worst[q].ulps)
        result->worst[q] = (accuracy_worst){ulps, (double)c->z[i], (double)found[q][i], (double)expected};
    }
  }
  for (int i = 0; i < c->count; i++)
    if (!is_sound(activation, c->z[i], c->y[i], c->aux[i])) result->broken++, result->broken_at = (double)c->z[i];
}

void CNF_TYPED(accuracy_test)(int activation, accuracy_extent extent, int part, int parts, const int32_t *isas,
                              int isa_count, accuracy_result *results) {
  static chunk c;
  for (int i = 0; i < CHUNK; i++) c.ones[i] = 1;
  for (int n = 0; n < isa_count; n++) {
    const accuracy *a = accuracy_of(isas[n], activation);
    results[n] = (accuracy_result){.bound = {a->value, a->kept, a->slope, a->second}};
  }
  const int64_t branches = branch_argument_count(), total = branches + swept_argument_count(extent);
  const int64_t chunks = (total + CHUNK - 1) / CHUNK;
  for (int64_t number = part; number < chunks; number += parts) {
    const int64_t first = number * CHUNK;
    c.count = total - first < CHUNK ? (int)(total - first) : CHUNK;
    c.quantities = extent == ACCURACY_STRIDE || first < branches || number / parts % DERIVATIVES_EVERY == 0 ? 4 : 2;
    for (int i = 0; i < CHUNK; i++) {
      int64_t index = first + (i < c.count ? i : c.count - 1);
      c.z[i] = index < branches ? branch_argument(index) : swept_argument(extent, index - branches);
    }
    expect_chunk(activation, &c);
    for (int n = 0; n < isa_count; n++) {
      run_chunk(CNF_TYPED(cnf_kernels_for)(isas[n]), activation, &c);
      judge_chunk(activation, &c, &results[n]);
    }
  }
}
