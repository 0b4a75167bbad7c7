/* References of the activations: value(z); kept(z), the auxiliary value; a', a'' and a'' z_dot from these, by the
 * formulas of simd/activations/formulas.h; and the bounds of simd/activations/traits.h. Include it after
 * kernels_terms_body.h. */
#if CNF_REAL_BITS == 32
#define TINY CNF_TINY_F32
#define MILLS_END ((wide)13.2f) /* GELU's a' and a'' are constant beyond this */
#define SIN_END ((wide)0x1.9238d8p+12f)
#else
#define TINY CNF_TINY_F64
#define MILLS_END ((wide)37.64)
#define SIN_END ((wide)0x1.921fe788397a1p+19)
#endif

static inline wide sigmoid(wide z) { return z >= 0 ? 1 / (1 + WIDE(exp)(-z)) : WIDE(exp)(z) / (1 + WIDE(exp)(z)); }
static inline wide clamp(wide end, wide z) { return z > end ? end : z < -end ? -end : z; }
static inline wide no_aux(wide z) { return (void)z, 0; }

typedef struct activation_reference {
  wide (*value)(wide z), (*kept)(wide z);
  term (*slope)(term y, term aux), (*second)(term y, term aux);
  term (*curvature)(term y, term aux, term y_dot, term z_dot); /* a''(z) z_dot */
} activation_reference;

static wide value_identity(wide z) { return z; }
static term slope_identity(term y, term aux) { return (void)y, (void)aux, leaf(1); }
static term second_identity(term y, term aux) { return (void)y, (void)aux, leaf(0); }
static term curvature_identity(term y, term aux, term y_dot, term z_dot) {
  return (void)y, (void)aux, (void)y_dot, (void)z_dot, leaf(0);
}

static wide value_tanh(wide z) { return WIDE(tanh)(z); }
static term slope_tanh(term y, term aux) { return (void)aux, minus(leaf(1), times(y, y)); }
static term second_tanh(term y, term aux) { return times(times(leaf(-2), y), slope_tanh(y, aux)); }
static term curvature_tanh(term y, term aux, term y_dot, term z_dot) {
  return (void)aux, (void)z_dot, times(times(leaf(-2), y), y_dot);
}

static wide value_softplus(wide z) { return (z < 0 ? 0 : z) + WIDE(log1p)(WIDE(exp)(-WIDE(fabs)(z))); }
static term slope_softplus(term y, term aux) { return (void)y, aux; }
static term second_softplus(term y, term aux) { return (void)y, minus(aux, times(aux, aux)); }
static term curvature_softplus(term y, term aux, term y_dot, term z_dot) {
  return (void)y, (void)z_dot, minus(y_dot, times(aux, y_dot));
}

static wide value_relu(wide z) { return z < 0 ? 0 : z; }
static term slope_relu(term y, term aux) { return (void)aux, leaf(y.value > 0 ? 1 : 0); }
static term second_relu(term y, term aux) { return second_identity(y, aux); }
static term curvature_relu(term y, term aux, term y_dot, term z_dot) {
  return curvature_identity(y, aux, y_dot, z_dot);
}

static wide value_silu(wide z) { return z == -INFINITY ? -TINY / 2 : z * sigmoid(z); } /* at -infinity, 0 within TINY */
static term slope_silu(term y, term aux) { return plus(aux, times(y, minus(leaf(1), aux))); }
static term second_silu(term y, term aux) {
  term twice = plus(aux, aux);
  return times(minus(leaf(1), aux), plus(twice, times(y, minus(leaf(1), twice))));
}
static term curvature_silu(term y, term aux, term y_dot, term z_dot) {
  return (void)y_dot, times(second_silu(y, aux), z_dot);
}

static wide value_sigmoid(wide z) { return sigmoid(z); }
static term slope_sigmoid(term y, term aux) { return (void)aux, minus(y, times(y, y)); }
static term second_sigmoid(term y, term aux) {
  term slope = slope_sigmoid(y, aux);
  return minus(slope, times(plus(y, y), slope));
}
static term curvature_sigmoid(term y, term aux, term y_dot, term z_dot) {
  return (void)aux, (void)z_dot, minus(y_dot, times(plus(y, y), y_dot));
}

/* z Phi(z) with Phi(z) = erfc(-z sqrt(1/2))/2. The rounding error of the argument is corrected to first order, because
 * the tail of erfc magnifies it by z^2. */
static wide value_gelu(wide z) {
  if (isinf(z)) return z > 0 ? z : -TINY / 2;
  const wide root = WIDE(sqrt)((wide)0.5), rest = WIDE(fma)(-root, root, (wide)0.5) / (2 * root);
  const wide two_over_sqrt_pi = 2 / WIDE(sqrt)(WIDE(acos)(-1));
  wide x = -z * root, lost = WIDE(fma)(-z, root, -x) - z * rest;
  return z * (WIDE(erfc)(x) - lost * two_over_sqrt_pi * WIDE(exp)(-x * x)) / 2;
}
static term normal_density(wide z) {
  const wide square = z * z, peak = 1 / WIDE(sqrt)(2 * WIDE(acos)(-1));
  term density = leaf(peak * WIDE(exp)(-square / 2));
  density.roundings = 4 + (isfinite(square) ? (int)(square / 2) : 0); /* of the exponential, and of its argument */
  return density;
}
static term slope_gelu(term y, term aux) {
  wide z = clamp(MILLS_END, aux.value), sign = z < 0 ? -1 : 1;
  if (!(WIDE(fabs)(z) > 0x1p-64)) return leaf((wide)0.5 + z);
  term cdf = over(times(leaf(sign), y.value > MILLS_END ? leaf(MILLS_END) : y), leaf(sign * z));
  return plus(cdf, times(leaf(z), normal_density(z)));
}
static term second_gelu(term y, term aux) {
  wide z = clamp(MILLS_END, aux.value);
  return (void)y, times(normal_density(z), minus(leaf(2), times(leaf(z), leaf(z))));
}
static term curvature_gelu(term y, term aux, term y_dot, term z_dot) {
  return (void)y_dot, times(second_gelu(y, aux), z_dot);
}

static wide value_elu(wide z) { return z > 0 ? z : WIDE(expm1)(z); }
static term slope_elu(term y, term aux) { return (void)aux, y.value > 0 ? leaf(1) : plus(leaf(1), y); }
static term second_elu(term y, term aux) { return (void)aux, y.value > 0 ? leaf(0) : plus(leaf(1), y); }
static term curvature_elu(term y, term aux, term y_dot, term z_dot) {
  return (void)aux, (void)z_dot, y.value > 0 ? leaf(0) : y_dot;
}

static wide value_sin(wide z) { return WIDE(sin)(clamp(SIN_END, z)); }
static wide kept_sin(wide z) { return WIDE(cos)(clamp(SIN_END, z)); }
static term slope_sin(term y, term aux) { return (void)y, aux; }
static term second_sin(term y, term aux) { return (void)aux, times(leaf(-1), y); }
static term curvature_sin(term y, term aux, term y_dot, term z_dot) {
  return (void)aux, (void)y_dot, times(times(leaf(-1), y), z_dot);
}

static wide value_logcosh(wide z) { return WIDE(fabs)(z) + WIDE(log1p)(WIDE(exp)(-2 * WIDE(fabs)(z))); }
static term slope_logcosh(term y, term aux) { return (void)y, aux; }
static term second_logcosh(term y, term aux) { return (void)y, minus(leaf(1), times(aux, aux)); }
static term curvature_logcosh(term y, term aux, term y_dot, term z_dot) {
  return (void)y_dot, times(second_logcosh(y, aux), z_dot);
}

static wide kept_softplus(wide z) { return sigmoid(z); }
static wide kept_silu(wide z) { return sigmoid(z); }
static wide kept_gelu(wide z) { return z; }
static wide kept_logcosh(wide z) { return WIDE(tanh)(z); }
#define kept_identity no_aux
#define kept_tanh no_aux
#define kept_relu no_aux
#define kept_sigmoid no_aux
#define kept_elu no_aux

static const activation_reference activations[] = {
#define CNF_X(name, number, suffix, text) \
  [number] = {value_##suffix, kept_##suffix, slope_##suffix, second_##suffix, curvature_##suffix},
    CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
};
enum { ACTIVATIONS = sizeof activations / sizeof activations[0] };

/* Error bounds in ulp: of y and aux relative to their sizes, of a' and a'' relative to 1. */
typedef struct accuracy {
  double value, kept, slope, second;
} accuracy;
enum {
#define CNF_X(name, number, suffix, text) ACTIVATION_##suffix = number,
  CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
};
#define BOUNDS(...) \
  { __VA_ARGS__ }
#if CNF_REAL_BITS == 32
#define FUSED(suffix, aux, pre, f32, f32_generic, f64, f64_generic) [ACTIVATION_##suffix] = BOUNDS f32,
#define GENERIC(suffix, aux, pre, f32, f32_generic, f64, f64_generic) [ACTIVATION_##suffix] = BOUNDS f32_generic,
#else
#define FUSED(suffix, aux, pre, f32, f32_generic, f64, f64_generic) [ACTIVATION_##suffix] = BOUNDS f64,
#define GENERIC(suffix, aux, pre, f32, f32_generic, f64, f64_generic) [ACTIVATION_##suffix] = BOUNDS f64_generic,
#endif
static const accuracy fused_accuracy[ACTIVATIONS] = {CNF_ACTIVATION_TRAITS(FUSED)};
static const accuracy generic_accuracy[ACTIVATIONS] = {CNF_ACTIVATION_TRAITS(GENERIC)};
#undef FUSED
#undef GENERIC
static inline const accuracy *accuracy_of(int32_t isa, int activation) {
  return isa == CNF_ISA_GENERIC ? &generic_accuracy[activation] : &fused_accuracy[activation];
}
/* The ulp of the auxiliary value's error. A cosine is only used as a slope, so its zeros need no relative accuracy. */
static inline wide kept_unit(int activation, wide kept) {
  return ulp_of(activation == ACTIVATION_sin ? (wide)0.5 : kept);
}

/* y or aux of a pre-activation with an error of its own, which grows by |a'| <= 1.13 (GELU's largest). */
static inline expectation activated(int activation, int kept, term z, double ulps) {
  const activation_reference *a = &activations[activation];
  wide y = kept ? a->kept(z.value) : a->value(z.value);
  wide carried = isfinite(z.value) ? (wide)1.13 * tolerance_of(z) : 0;
  if (ulps == 0) return (expectation){y, carried};
  wide reach = WIDE(fabs)(y) + carried;
  return (expectation){y, ulps * (kept ? kept_unit(activation, reach) : ulp_of(reach)) + TINY + carried};
}
