/* Reference arithmetic in a type wider than `real`, and the allowed error of a kernel.
 *
 * A term is a formula that is evaluated in three ways: its value; its size, the same formula with absolute values and
 * with plus instead of minus; and the largest number of roundings between an input and the result. Each rounding is a
 * factor of 1 + d with |d| <= ulp/2. So a kernel that evaluates the formula in any order, fused or not, has an error of
 * at most
 *
 *   roundings * ulp * size,    ulp = 2^-23 or 2^-52.
 *
 * For a sum of n products this is n * ulp * sum of |terms|. It is twice the bound of first order; the other half covers
 * higher orders and the rounding of the reference. Without roundings the tolerance is 0.
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
/* b is a sum of positive terms, so its relative error is that of its roundings. */
static inline term over(term a, term b) {
  return (term){a.value / b.value, a.size / b.value, a.roundings + b.roundings + 1};
}

/* A result that a kernel may store: a finite value within the tolerance, the same infinity, or any NaN for NaN. */
typedef struct expectation {
  wide value, tolerance;
} expectation;

/* A rounding among subnormal numbers has an error of up to half the smallest positive number. */
static inline wide tolerance_of(term t) { return t.roundings * ((wide)REAL_ULP * t.size + REAL_TRUE_MIN); }
static inline expectation expect(term t) { return (expectation){t.value, tolerance_of(t)}; }
static inline expectation exactly(wide x) { return (expectation){x, 0}; }
static inline expectation anything(void) {
  return (expectation){0, -1};
} /* the contract leaves the element undefined */

static inline wide ulp_of(wide x) {
  real rounded = (real)WIDE(fabs)(x);
  return isfinite(rounded) ? (wide)REAL_NEXT(rounded, (real)INFINITY) - rounded : 0;
}
