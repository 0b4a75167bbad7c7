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
 */
#if CNF_REAL_BITS == 32
typedef double wide;
#define WIDE(function) function
#define WIDE_EPSILON DBL_EPSILON
#define REAL_ULP FLT_EPSILON
#define REAL_TRUE_MIN (wide)0x1p-149
#define REAL_NEXT nextafterf
#define DTYPE "f32"
#else
typedef long double wide;
#define WIDE(function) function##l
#define WIDE_EPSILON LDBL_EPSILON
#define REAL_ULP DBL_EPSILON
#define REAL_TRUE_MIN (wide)0x1p-1074
#define REAL_NEXT nextafter
#define DTYPE "f64"
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

/* Below the normal numbers a rounding is off by up to half the smallest number there is, whatever the size. */
static inline wide tolerance_of(term t) { return t.roundings * ((wide)REAL_ULP * t.size + REAL_TRUE_MIN); }
static inline expectation expect(term t) { return (expectation){t.value, tolerance_of(t)}; }
static inline expectation exactly(wide x) { return (expectation){x, 0}; }
static inline expectation anything(void) { return (expectation){0, -1}; } /* where the contract promises nothing */

static inline wide ulp_of(wide x) {
  real rounded = (real)WIDE(fabs)(x);
  return isfinite(rounded) ? (wide)REAL_NEXT(rounded, (real)INFINITY) - rounded : 0;
}
