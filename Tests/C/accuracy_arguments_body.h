/* The arguments at which the accuracy of activations is tested. */

/* Near these arguments and their negatives, the functions change their form: a reduction takes the next multiple,
 * arguments are clamped, or results round to 1 or 0. The entry 0 covers the subnormals. */
enum { NEIGHBOURS = 300, FAR_NEIGHBOURS = 20, HALF_PIS = 4200, HALF_LN2S = 260 };
static const double branch_points[] = {
    0,     0x1p-126, 0x1p-119, 0x1p-24, 0x1p-12, 0.5,  1,    2,    9.011, 9.02,    13.2,  16.6,  17.3, 18.4, 18.7,
    19.07, 19.1,     36.8,     37.64,   38.2,    87.3, 87.6, 88.7, 103.9, 6435.55, 708.4, 708.7, 745,  1e4,  823551.24};

#if CNF_REAL_BITS == 32
typedef uint32_t bits_of_real;
enum { STRIDE = 1021 }; /* prime */
#else
typedef uint64_t bits_of_real;
enum { SAMPLE = 1 << 20, LARGE_SAMPLE = 32 << 20 };
#endif

static real real_of(bits_of_real bits) {
  real x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
static bits_of_real bits_of(real x) {
  bits_of_real bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

/* The arguments that every extent has: the neighbourhoods one after the other, then large and non-finite arguments. */
static int64_t branch_argument_count(void) {
  int64_t near = (int64_t)(sizeof branch_points / sizeof branch_points[0]) * (2 * NEIGHBOURS + 1);
  return 2 * (near + (int64_t)(HALF_PIS + HALF_LN2S) * (2 * FAR_NEIGHBOURS + 1) + 4);
}
static real branch_argument(int64_t index) {
  const int64_t width = 2 * NEIGHBOURS + 1, far_width = 2 * FAR_NEIGHBOURS + 1;
  const int64_t near = (int64_t)(sizeof branch_points / sizeof branch_points[0]) * width;
  const bits_of_real sign = index % 2 ? (bits_of_real)1 << (CNF_REAL_BITS - 1) : 0;
  index /= 2;
  if (index < near) {
    bits_of_real centre = bits_of((real)branch_points[index / width]);
    int64_t offset = index % width - NEIGHBOURS;
    return real_of((centre + (bits_of_real)(centre < NEIGHBOURS ? offset + NEIGHBOURS : offset)) | sign);
  }
  index -= near;
  if (index < (int64_t)(HALF_PIS + HALF_LN2S) * far_width) {
    int64_t multiple = index / far_width + 1, of_ln2 = multiple - HALF_PIS;
    double centre = of_ln2 > 0 ? (double)of_ln2 * 0.34657359027997264 : (double)multiple * 1.5707963267948966;
    return real_of((bits_of((real)centre) + (bits_of_real)(index % far_width - FAR_NEIGHBOURS)) | sign);
  }
  static const double last[] = {INFINITY, NAN, 1e30, 3e38};
  return real_of(bits_of((real)last[(index - (int64_t)(HALF_PIS + HALF_LN2S) * far_width) % 4]) | sign);
}

static int64_t swept_argument_count(accuracy_extent extent) {
#if CNF_REAL_BITS == 32
  return extent == ACCURACY_ALL ? INT64_C(1) << 32 : (INT64_C(1) << 32) / STRIDE;
#else
  return extent == ACCURACY_ALL ? LARGE_SAMPLE : SAMPLE;
#endif
}
/* Argument `index`. Floats come in order. A quarter of the doubles have random bits; the others have sizes from 2^-40
 * to 2^10, and most of these from 2^-4 on. */
static real swept_argument(accuracy_extent extent, int64_t index) {
#if CNF_REAL_BITS == 32
  return real_of((uint32_t)index * (extent == ACCURACY_ALL ? 1u : (uint32_t)STRIDE));
#else
  (void)extent;
  uint64_t x = (uint64_t)index * UINT64_C(0x9e3779b97f4a7c15); /* SplitMix64 (Steele, Lea, Flood, OOPSLA 2014) */
  x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
  x ^= x >> 31;
  if (index % 4 == 0) return real_of(x);
  uint64_t exponent = index % 2 ? 1023 - 4 + (x >> 52 & 0x7ff) % 14 : 1023 - 40 + (x >> 52 & 0x7ff) % 50;
  return real_of((x & UINT64_C(0x800fffffffffffff)) | exponent << 52);
#endif
}
