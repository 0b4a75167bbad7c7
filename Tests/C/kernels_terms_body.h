/* Reference arithmetic in numbers wider than `real`, and the error that a kernel may make.
 *
 * A term is a formula evaluated three times: its value; its size, the same formula on absolute values, all minus signs
 * made plus; and the number of roundings on the longest way from an input to the result. Each rounding is a factor of
 * 1 + d, |d| <= ulp/2, so a kernel that evaluates the formula in any order, fused or not, is within
 *
 *   roundings * ulp * size,    ulp = 2^-23 or 2^-52:
 *
 * for a sum of n products n * ulp * sum of |terms|. That is twice the bound of first order; the other half covers the
 * higher orders and the reference's own rounding. No roundings, no tolerance.
 *
 * exp, log1p and tanh have the bounds of Tests/KernelTests/ActivationTests.swift, in ulp of the result.
 */
#if CNF_REAL_BITS == 32
typedef double wide;
#define WIDE(function) function
#define WIDE_EPSILON DBL_EPSILON
#define REAL_ULP FLT_EPSILON
#define REAL_NEXT nextafterf
#define DTYPE "f32"
enum { VALUE_ULPS = 4, VALUE_ULPS_GENERIC = 4 };
#define SMALLEST_EXACT 0x1p-96 /* near e^-87 activations go to 0 at once: no finer than the ulp of this */
#else
typedef long double wide;
#define WIDE(function) function##l
#define WIDE_EPSILON LDBL_EPSILON
#define REAL_ULP DBL_EPSILON
#define REAL_NEXT nextafter
#define DTYPE "f64"
enum { VALUE_ULPS = 5, VALUE_ULPS_GENERIC = 8 }; /* generic has no fused multiply-add: the series round twice a term */
#define SMALLEST_EXACT 0x1p-960
#endif

typedef struct term {
  wide value, size;
  int roundings;
} term;

static inline term leaf(wide x) { return (term){x, WIDE(fabs)(x), 0}; }
static inline int larger(int a, int b) { return a > b ? a : b; }
static inline term plus(term a, term b) {
  return (term){a.value + b.value, a.size + b.size, larger(a.roundings, b.roundings) + 1};
}
static inline term minus(term a, term b) {
  return (term){a.value - b.value, a.size + b.size, larger(a.roundings, b.roundings) + 1};
}
static inline term times(term a, term b) {
  return (term){a.value * b.value, a.size * b.size, a.roundings + b.roundings + 1};
}
/* b is a sum of positive terms: its relative error is that of its roundings. */
static inline term over(term a, term b) {
  return (term){a.value / b.value, a.size / b.value, a.roundings + b.roundings + 1};
}

/* What a kernel may store: within the tolerance of a finite value, the same infinity, not a number. */
typedef struct expectation {
  wide value, tolerance;
} expectation;

static inline wide tolerance_of(term t) { return t.roundings == 0 ? 0 : t.roundings * (wide)REAL_ULP * t.size; }
static inline expectation expect(term t) { return (expectation){t.value, tolerance_of(t)}; }
static inline expectation exactly(wide x) { return (expectation){x, 0}; }
static inline expectation anything(void) { return (expectation){0, -1}; } /* where the contract promises nothing */

static inline wide ulp_of(wide x) {
  real rounded = (real)WIDE(fabs)(x);
  return isfinite(rounded) ? (wide)REAL_NEXT(rounded, (real)INFINITY) - rounded : 0;
}

/* ---- Activations: value(z); kept(z), the aux; a', a'' and a'' z_dot from what is kept, as activations.h states. */

/* 0 for what is not a number, as e^x is in simd/math.h: y itself is not a number then. */
static inline wide sigmoid(wide z) {
  if (isnan(z)) return 0;
  return z >= 0 ? 1 / (1 + WIDE(exp)(-z)) : WIDE(exp)(z) / (1 + WIDE(exp)(z));
}
static inline wide no_aux(wide z) { return (void)z, 0; }

typedef struct activation_reference {
  wide (*value)(wide z), (*kept)(wide z);
  term (*slope)(term y, term aux), (*second)(term y, term aux);
  term (*bend)(term y, term aux, term y_dot, term z_dot); /* a''(z) z_dot */
  int is_exact;                                           /* value has no rounding */
} activation_reference;

static wide value_identity(wide z) { return z; }
static term slope_identity(term y, term aux) { return (void)y, (void)aux, leaf(1); }
static term second_identity(term y, term aux) { return (void)y, (void)aux, leaf(0); }
static term bend_identity(term y, term aux, term y_dot, term z_dot) {
  return (void)y, (void)aux, (void)y_dot, (void)z_dot, leaf(0);
}

static wide value_tanh(wide z) { return WIDE(tanh)(z); }
static term slope_tanh(term y, term aux) { return (void)aux, minus(leaf(1), times(y, y)); }
static term second_tanh(term y, term aux) { return times(times(leaf(-2), y), slope_tanh(y, aux)); }
static term bend_tanh(term y, term aux, term y_dot, term z_dot) {
  return (void)aux, (void)z_dot, times(times(leaf(-2), y), y_dot);
}

static wide value_softplus(wide z) { return (z < 0 ? 0 : z) + WIDE(log1p)(WIDE(exp)(-WIDE(fabs)(z))); }
static term slope_softplus(term y, term aux) { return (void)y, aux; }
static term second_softplus(term y, term aux) { return (void)y, minus(aux, times(aux, aux)); }
static term bend_softplus(term y, term aux, term y_dot, term z_dot) {
  return (void)y, (void)z_dot, minus(y_dot, times(aux, y_dot));
}

static wide value_relu(wide z) { return z < 0 ? 0 : z; }
static term slope_relu(term y, term aux) { return (void)aux, leaf(y.value > 0 ? 1 : 0); }
static term second_relu(term y, term aux) { return second_identity(y, aux); }
static term bend_relu(term y, term aux, term y_dot, term z_dot) { return bend_identity(y, aux, y_dot, z_dot); }

static wide value_silu(wide z) { return z * sigmoid(z); }
static term slope_silu(term y, term aux) { return plus(aux, times(y, minus(leaf(1), aux))); }
static term second_silu(term y, term aux) {
  term twice = plus(aux, aux);
  return times(minus(leaf(1), aux), plus(twice, times(y, minus(leaf(1), twice))));
}
static term bend_silu(term y, term aux, term y_dot, term z_dot) {
  return (void)y_dot, times(second_silu(y, aux), z_dot);
}

enum { IS_EXACT_identity = 1, IS_EXACT_tanh = 0, IS_EXACT_softplus = 0, IS_EXACT_relu = 1, IS_EXACT_silu = 0 };

static const activation_reference activations[] = {
#define CNF_X(name, number, suffix, text)                                \
  [number] = {value_##suffix, CNF_KEEPS_AUX_##suffix ? sigmoid : no_aux, \
              slope_##suffix, second_##suffix,                           \
              bend_##suffix,  IS_EXACT_##suffix},
    CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
};
enum { ACTIVATIONS = sizeof activations / sizeof activations[0] };

/* y or aux from a pre-activation that is itself uncertain; |a'| <= 1.1 (SiLU's largest). */
static inline expectation activated(wide (*function)(wide z), term z, int ulps) {
  wide y = function(z.value), carried = isfinite(z.value) ? (wide)1.1 * tolerance_of(z) : 0;
  if (ulps == 0) return (expectation){y, carried};
  wide reach = WIDE(fmax)(WIDE(fabs)(y) + carried, (wide)SMALLEST_EXACT);
  return (expectation){y, ulps * ulp_of(reach) + carried};
}

/* The reference, checked: a' and a'' are the central differences of a and a', and bend is a'' z_dot.
 * Error of a central difference: step^2/6 times the third derivative, here at most 5, and rounding over the step. */
static int reference_is_consistent(int activation) {
  const activation_reference *a = &activations[activation];
  const wide step = (wide)1e-3, bound = step * step / 6 * 5 + 8 * WIDE_EPSILON / step, z_dot = (wide)0.7;
  for (int i = -600; i <= 600; i++) {
    wide z = ((wide)i + (wide)0.37) / 100, from = z - step, to = z + step; /* off ReLU's kink */
    term y = leaf(a->value(z)), aux = leaf(a->kept(z)), slope = a->slope(y, aux), second = a->second(y, aux);
    wide first_difference = (a->value(to) - a->value(from)) / (2 * step);
    wide slope_from = a->slope(leaf(a->value(from)), leaf(a->kept(from))).value;
    wide slope_to = a->slope(leaf(a->value(to)), leaf(a->kept(to))).value;
    wide bend = a->bend(y, aux, leaf(slope.value * z_dot), leaf(z_dot)).value;
    if (!(WIDE(fabs)(slope.value - first_difference) <= bound)) return 0;
    if (!(WIDE(fabs)(second.value - (slope_to - slope_from) / (2 * step)) <= bound)) return 0;
    if (!(WIDE(fabs)(bend - second.value * z_dot) <= 16 * WIDE_EPSILON)) return 0;
  }
  return 1;
}
