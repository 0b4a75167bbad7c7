/* Measures the peak of the machine, and one kernel, for one dtype. */

typedef struct chain_operands {
  const cnf_kernels *k;
  real *a, *b, *x; /* [width], [width], [chains][width] */
} chain_operands;

enum { ROUNDS = 1024 }; /* of a call: so many that its start and end take less than a hundredth of it */

static void run_chains(void *context) {
  const chain_operands *c = context;
  c->k->fma_chains(ROUNDS, c->a, c->b, c->x);
}

cnf_status CNF_TYPED(cnf_measured_peak)(int32_t isa, double seconds, double *flops_per_second) {
  const cnf_kernels *k = CNF_TYPED(cnf_kernels_for)(isa);
  size_t width = (size_t)k->width, chains = CNF_FMA_CHAINS((size_t)k->block_rows * (size_t)k->lanes / width);
  size_t count = (chains + 2) * width;
  real *memory = malloc(count * sizeof(real));
  if (!memory) return CNF_ERROR_MEMORY;
  for (size_t i = 0; i < count; i++) memory[i] = (real)0.5; /* x = x/2 + 1/2 stays between 1/2 and 1 */
  chain_operands c = {.k = k, .a = memory, .b = memory + width, .x = memory + 2 * width};
  cnf_timing timing = cnf_time_calls(run_chains, &c, seconds);
  int is_right = 1;
  for (size_t i = 2 * width; i < count; i++) is_right = is_right && memory[i] == 1;
  free(memory);
  if (!is_right) return CNF_ERROR_KERNEL;
  *flops_per_second = 2.0 * ROUNDS * (double)(chains * width) / timing.best;
  return CNF_OK;
}

cnf_status CNF_TYPED(cnf_measured_kernel)(int32_t number, int32_t isa, int32_t rows, int32_t cols, double seconds,
                                          cnf_kernel_measure *out) {
  const measured_kernel *kernel = &measured_kernels[number];
  operands m;
  if (!kernel->run) return CNF_ERROR_DTYPE;
  if (!operands_make(&m, isa, rows, cols, kernel->activation)) return CNF_ERROR_MEMORY;
  cnf_status status = check(kernel, &m);
  if (status == CNF_OK) {
    cnf_timing timing = cnf_time_calls(kernel->run, &m, seconds);
    double lanes = m.k->lanes, across = kernel->work == ROWS_BY_COLS ? cols : lanes;
    out->lanes = m.k->lanes;
    out->samples = timing.samples;
    out->seconds = timing.median;
    out->seconds_low = timing.low;
    out->seconds_high = timing.high;
    out->flops = kernel->work == PRODUCT ? 2.0 * rows * cols * lanes * kernel->panels : 0;
    out->elements = across * rows;
  }
  cnf_memory_free(m.memory, m.bytes);
  return status;
}
