/* The list of measured kernels: how each is called, where its result is, and how much work a call does. */

/* Where out holds the result. */
typedef enum shape {
  PANEL,    /* [rows][lanes] */
  ROW,      /* [lanes] */
  GRADIENT, /* [rows][ld], summed over lanes */
  SUMS,     /* [rows], summed over lanes */
  COLUMNS,  /* [lanes][rows] */
  PACKED    /* as `packed` */
} shape;

/* How the work of a call is counted. PRODUCT: 2 operations for every weight, lane and panel; else numbers, not
 * operations. */
typedef enum work { PRODUCT, ROWS_BY_LANES, ROWS_BY_COLS } work;

typedef struct measured_kernel {
  const char *name;
  void (*run)(void *operands); /* NULL: this dtype does not have it */
  int activation;
  shape shape;
  work work;
  int panels; /* PRODUCT: how many panels are multiplied, or contracted */
} measured_kernel;

#define RUN(name, ...)                    \
  static void run_##name(void *context) { \
    const operands *m = context;          \
    m->k->__VA_ARGS__;                    \
  }
static const int zero = 0, one = 1;
RUN(linear,
    linear(m->packed, m->bias, m->rows, m->cols, m->inputs[0], m->activation, m->out, m->out_aux, 0, NULL, NULL, NULL))
RUN(linear_tangent, linear(m->packed, m->bias, m->rows, m->cols, m->inputs[0], m->activation, m->out_aux, m->aux, 1,
                           m->inputs + 1, &m->out, &m->pre_dot))
RUN(product, product(m->packed, m->rows, m->cols, 1, m->inputs, &m->out, &zero))
RUN(product_accumulate, product(m->packed, m->rows, m->cols, 1, m->inputs, &m->out, &one))
RUN(weight_gradient, weight_gradient(m->rows, m->cols, 1, m->stages, m->inputs, m->ld, m->out))
RUN(weight_gradient_stages, weight_gradient(m->rows, m->cols, STAGES, m->stages, m->inputs, m->ld, m->out))
RUN(row_sums, row_sums(m->rows, 1, m->stages, m->out))
RUN(pack, pack(m->weights, (size_t)m->cols, 1, m->rows, m->cols, m->out))
RUN(activation, activation(m->activation, m->rows, m->z, m->out, m->out_aux))
RUN(tangent, activation_tangent(m->activation, m->rows, m->y, m->aux, m->z_dot, m->out, m->out_aux))
RUN(reverse, activation_reverse(m->activation, m->rows, m->y, m->aux, m->bar, m->z_dot, m->out))
RUN(tangent_reverse, activation_tangent_reverse(m->activation, m->rows, m->y, m->aux, m->y_dot, m->pre_dot, m->bar,
                                                m->z, m->row, m->out, m->z_dot, 1, m->out_aux))
RUN(derivative, derivative(m->activation, m->rows, m->y, m->aux, m->out))
RUN(derivative_reverse, derivative_reverse(m->activation, m->rows, m->y, m->aux, m->bar, m->out))
RUN(combine, combine(m->rows, m->z, m->row, STAGES, m->coefficients, m->stages, m->out))
RUN(error_squares, error_squares(m->rows, m->z, m->bar, m->row, STAGES, m->coefficients, m->stages, m->unit, m->unit,
                                 CNF_NORM_RMS, m->out))
RUN(scaled_squares, scaled_squares(m->rows, m->z, m->bar, m->z_dot, m->unit, m->unit, CNF_NORM_RMS, m->out))
RUN(dot, dot(m->rows, m->z, m->bar, 0, m->out))
RUN(add, add(m->rows, m->z, m->bar, m->out))
RUN(scale, scale(m->rows, m->z, m->row, m->out))
RUN(scale_add, scale_add(m->rows, m->z, m->row, m->out))
RUN(multiply, multiply(m->rows, m->z, m->bar, 0, m->out))
RUN(total, total(m->rows, m->z, 0, m->out))
RUN(shift, shift(m->rows, m->z, m->row, m->out))
RUN(affine, affine(m->rows, m->z, m->bias, m->unit, m->out))
RUN(finite, finite(m->rows, m->z, 0, m->out))
RUN(blend, blend(m->rows, m->row, m->z, m->bar, m->out))
RUN(lanes_out, lanes_out(m->rows, m->z, m->columns))
RUN(lanes_in, lanes_in(m->rows, m->sources, m->out))
#if CNF_REAL_BITS == 32
RUN(product_bf16, bf16->product(m->packed_bf16, m->rows, m->cols, 1, m->inputs, &m->out, &zero, m->scratch_bf16))
RUN(weight_gradient_bf16, bf16->weight_gradient(m->rows, m->cols, STAGES, m->stages, m->inputs, m->ld, m->out))
#endif
#undef RUN

#define ENTRY_OF(name, run, activation, shape, work, panels) {name, run_##run, activation, shape, work, panels},
#define ENTRY(name, run, activation, shape, work) ENTRY_OF(name, run, activation, shape, work, 1)
#if CNF_REAL_BITS == 32
#define ENTRY_BF16(name, run, shape, panels) ENTRY_OF(name, run, 0, shape, PRODUCT, panels)
#else
#define ENTRY_BF16(name, run, shape, panels) {name, NULL, 0, shape, PRODUCT, panels},
#endif
#define ACTIVATION(name, value, suffix, text) ENTRY("activation_" text, activation, value, PANEL, ROWS_BY_LANES)
#define TANGENT(name, value, suffix, text) ENTRY("activation_tangent_" text, tangent, value, PANEL, ROWS_BY_LANES)
#define REVERSE(name, value, suffix, text) ENTRY("activation_reverse_" text, reverse, value, PANEL, ROWS_BY_LANES)
#define TANGENT_REVERSE(name, value, suffix, text) \
  ENTRY("activation_tangent_reverse_" text, tangent_reverse, value, PANEL, ROWS_BY_LANES)
#define DERIVATIVE(name, value, suffix, text) ENTRY("derivative_" text, derivative, value, PANEL, ROWS_BY_LANES)
#define DERIVATIVE_REVERSE(name, value, suffix, text) \
  ENTRY("derivative_reverse_" text, derivative_reverse, value, PANEL, ROWS_BY_LANES)

/* clang-format off */
static const measured_kernel measured_kernels[] = {
  ENTRY("linear_tanh", linear, CNF_ACTIVATION_TANH, PANEL, PRODUCT)
  ENTRY_OF("linear_tanh_tangent", linear_tangent, CNF_ACTIVATION_TANH, PANEL, PRODUCT, 2)
  ENTRY("product", product, 0, PANEL, PRODUCT)
  ENTRY("product_accumulate", product_accumulate, 0, PANEL, PRODUCT)
  ENTRY("weight_gradient", weight_gradient, 0, GRADIENT, PRODUCT)
  ENTRY_OF("weight_gradient_stages", weight_gradient_stages, 0, GRADIENT, PRODUCT, STAGES)
  ENTRY_BF16("product_bf16", product_bf16, PANEL, 1)
  ENTRY_BF16("weight_gradient_stages_bf16", weight_gradient_bf16, GRADIENT, STAGES)
  ENTRY("row_sums", row_sums, 0, SUMS, ROWS_BY_LANES)
  ENTRY("pack", pack, 0, PACKED, ROWS_BY_COLS)
  CNF_ACTIVATION_LIST(ACTIVATION)
  CNF_ACTIVATION_LIST(TANGENT)
  CNF_ACTIVATION_LIST(REVERSE)
  CNF_ACTIVATION_LIST(TANGENT_REVERSE)
  CNF_ACTIVATION_LIST(DERIVATIVE)
  CNF_ACTIVATION_LIST(DERIVATIVE_REVERSE)
  ENTRY("combine", combine, 0, PANEL, ROWS_BY_LANES)
  ENTRY("error_squares", error_squares, 0, ROW, ROWS_BY_LANES)
  ENTRY("scaled_squares", scaled_squares, 0, ROW, ROWS_BY_LANES)
  ENTRY("dot", dot, 0, ROW, ROWS_BY_LANES)
  ENTRY("add", add, 0, PANEL, ROWS_BY_LANES)
  ENTRY("scale", scale, 0, PANEL, ROWS_BY_LANES)
  ENTRY("scale_add", scale_add, 0, PANEL, ROWS_BY_LANES)
  ENTRY("multiply", multiply, 0, PANEL, ROWS_BY_LANES)
  ENTRY("total", total, 0, ROW, ROWS_BY_LANES)
  ENTRY("shift", shift, 0, PANEL, ROWS_BY_LANES)
  ENTRY("affine", affine, 0, PANEL, ROWS_BY_LANES)
  ENTRY("finite", finite, 0, ROW, ROWS_BY_LANES)
  ENTRY("blend", blend, 0, PANEL, ROWS_BY_LANES)
  ENTRY("lanes_out", lanes_out, 0, COLUMNS, ROWS_BY_LANES)
  ENTRY("lanes_in", lanes_in, 0, PANEL, ROWS_BY_LANES)
};
/* clang-format on */
enum { MEASURED_KERNELS = sizeof measured_kernels / sizeof measured_kernels[0] };
