/* bits.c - prints hashes of every kind of result, to check that a change does not alter them: `make bits`.
 *
 * Each case has one line: its name, then hashes of the outputs of cnf_solve, of those of cnf_solve_vjp, of the
 * gradients with respect to theta (with the losses), x0 and context, and times, and of the values and gradient of the
 * field. The sections are:
 *
 *   methods     every method x trace x control x adjoint, on a net with two hidden layers
 *   settings    one method of each family with output times, spans, events, dense output, regularisers and the like
 *   ops         every program of ops_fixture.h, every activation and a callback
 *   random      the random numbers; tables of the methods
 *
 * Each case is run for both dtypes, every instruction set of this machine, and 1 and 2 threads. Compare lists only
 * between builds by the same compiler on the same machine, because compilers contract and order operations differently,
 * and libm belongs to the system.
 */
#include "bits_fixture.h"

enum { ISAS = 8 };
static int32_t isas[ISAS];
static int isa_count;

/* A network of [x, t] with tanh and softplus, for which the product form of the exact trace works. */
static program two_layers(void) {
  program p = {.name = "net"};
  const int32_t input = pair(&p, CNF_OP_CONCAT, CNF_STATE, leaf_op(&p, CNF_OP_TIME, 0));
  linear(&p, linear(&p, linear(&p, input, 9, CNF_ACTIVATION_TANH), 7, CNF_ACTIVATION_SOFTPLUS), MOST_D, 0);
  return p;
}
static program activated(int32_t activation) {
  program p = {.name = "activation"};
  const int32_t hidden = linear(&p, CNF_STATE, 6, activation);
  append(&p, (cnf_op){.kind = CNF_OP_ACTIVATION,
                      .input = linear(&p, hidden, D, 0),
                      .input2 = CNF_NO_BLOCK,
                      .activation = activation});
  return p;
}

static bits_case case_of(const program *p, int32_t dim, const char *method) {
  bits_case c = {.ops = p, .dim = dim, .t0 = 1, .t1 = 0.1, .loss = CNF_LOSS_COTANGENTS};
  cnf_solver_options_init(&c.options, sizeof c.options);
  c.options.method = cnf_method_find(method);
  c.options.rtol = c.options.atol = 1e-3;
  c.options.steps = 5;
  c.options.max_steps = 200;
  return c;
}

/* Runs the case for both dtypes, every instruction set, and 1 and 2 threads. A case with invalid options has one line
 * per dtype. */
static void print_everywhere(bits_case *c) {
  for (c->dtype = CNF_FLOAT32; c->dtype <= CNF_FLOAT64; ++c->dtype)
    for (int i = 0; i < isa_count; ++i)
      for (c->options.threads = 1; c->options.threads <= 2; ++c->options.threads) {
        c->options.isa = isas[i];
        print_case(c, i == 0 && c->options.threads == 1);
      }
}

static const char *const control_text[] = {"sample", "fixed", "batch"};
static const char *const trace_text[] = {"none", "hutchinson", "exact", "tangents", "product", "automatic"};
static const char *const adjoint_text[] = {"discrete", "continuous", "reversible"};

static void print_methods(void) {
  const program net = two_layers();
  static const int32_t traces[] = {CNF_TRACE_NONE, CNF_TRACE_HUTCHINSON, CNF_TRACE_EXACT_TANGENTS,
                                   CNF_TRACE_EXACT_PRODUCT};
  for (int32_t method = 0; method < cnf_method_count(); ++method) {
    cnf_method_info info = {.struct_size = sizeof info};
    CHECK(cnf_method_get(method, &info) == CNF_OK);
    for (size_t t = 0; t < sizeof traces / sizeof traces[0]; ++t)
      for (int32_t control = CNF_CONTROL_SAMPLE; control <= CNF_CONTROL_BATCH; ++control)
        for (int32_t adjoint = CNF_ADJOINT_DISCRETE; adjoint <= CNF_ADJOINT_REVERSIBLE; ++adjoint) {
          bits_case c = case_of(&net, MOST_D, info.name);
          c.options.trace = traces[t], c.options.control = control, c.options.adjoint = adjoint;
          snprintf(c.name, sizeof c.name, "methods %s %s %s %s", info.name, trace_text[traces[t]],
                   control_text[control], adjoint_text[adjoint]);
          print_everywhere(&c);
        }
  }
}

/* ---- Settings: each changes a case in one respect ---------------------------------------------------------------- */

static void set_times(bits_case *c) { c->timed = 1; }
static void set_own_times(bits_case *c) { c->timed = c->own_times = c->spans = 1; }
static void set_spans(bits_case *c) { c->spans = 1; }
static void set_events(bits_case *c) { c->stops = 1, c->t0 = 0, c->t1 = 1; }
static void set_events_and_times(bits_case *c) { set_events(c), c->timed = 1; }
static void set_dense(bits_case *c) { c->dense = 1; }
static void set_fractions(bits_case *c) { c->fractions = 1, c->options.steps = 0; }
static void set_normal_nll(bits_case *c) { c->loss = CNF_LOSS_NORMAL_NLL, c->ids = 1; }
static void set_callback_loss(bits_case *c) { c->loss = CNF_LOSS_CALLBACK; }
static void set_regularisers(bits_case *c) { c->options.kinetic = c->options.frobenius = 1; }
static void set_regularisers_and_times(bits_case *c) { set_regularisers(c), c->timed = 1; }
static void set_gaussian_probes(bits_case *c) { c->options.probe = CNF_PROBE_GAUSSIAN, c->options.probes = 2; }
static void set_given_probes(bits_case *c) { c->given_probes = 1, c->options.probes = 2; }
static void set_mixed(bits_case *c) { c->options.precision = CNF_PRECISION_MIXED; }
static void set_nothing_stored(bits_case *c) { c->options.store_bytes = -1; }
static void set_every_k(bits_case *c) {
  set_nothing_stored(c), c->options.schedule = CNF_SCHEDULE_EVERY_K, c->options.checkpoint_every = 3;
}
static void set_binomial(bits_case *c) {
  set_nothing_stored(c), c->options.schedule = CNF_SCHEDULE_BINOMIAL, c->options.checkpoint_bytes = 20000;
}
static void set_state_norm(bits_case *c) { c->options.exclude_log_det = 1, c->options.norm = CNF_NORM_MAX; }
static void set_controller(bits_case *c) {
  c->options.pcoeff = 0.4, c->options.icoeff = 0.3, c->options.dcoeff = 0.1, c->options.safety = 0.8;
  c->options.factor_min = 0.3, c->options.factor_max = 4, c->options.initial_step = 0.2, c->options.max_step = 0.3;
}
static void set_row_tolerances(bits_case *c) {
  static const double rows[MOST_D] = {1e-2, 1e-4, 1e-3, 1e-5};
  c->options.rtol_rows = c->options.atol_rows = rows;
  c->options.adjoint_rtol = c->options.adjoint_atol = 1e-4;
}
static void set_few_steps(bits_case *c) { c->options.max_steps = 6, c->options.rtol = c->options.atol = 1e-7; }
static void set_long_steps(bits_case *c) { c->options.min_step = 0.2, c->options.rtol = c->options.atol = 1e-7; }
static void set_broken(bits_case *c) { c->broken = 1; }
static void set_order(bits_case *c) { c->options.order = 5, c->options.steps = 9; }
static void set_no_way(bits_case *c) { c->t1 = c->t0; }

typedef struct named_setting {
  const char *name;
  void (*set)(bits_case *c);
} named_setting;
static const named_setting named_settings[] = {{"times", set_times},
                                               {"own-times", set_own_times},
                                               {"spans", set_spans},
                                               {"events", set_events},
                                               {"events-and-times", set_events_and_times},
                                               {"dense", set_dense},
                                               {"fractions", set_fractions},
                                               {"normal-nll", set_normal_nll},
                                               {"callback-loss", set_callback_loss},
                                               {"regularisers", set_regularisers},
                                               {"regularisers-and-times", set_regularisers_and_times},
                                               {"gaussian-probes", set_gaussian_probes},
                                               {"given-probes", set_given_probes},
                                               {"mixed", set_mixed},
                                               {"nothing-stored", set_nothing_stored},
                                               {"every-k", set_every_k},
                                               {"binomial", set_binomial},
                                               {"state-norm", set_state_norm},
                                               {"controller", set_controller},
                                               {"row-tolerances", set_row_tolerances},
                                               {"few-steps", set_few_steps},
                                               {"long-steps", set_long_steps},
                                               {"broken", set_broken},
                                               {"order", set_order},
                                               {"no-way", set_no_way}};

static void print_settings(void) {
  const program net = two_layers();
  static const struct {
    const char *method;
    int32_t control, adjoint, trace;
  } ways[] = {{"dopri5", CNF_CONTROL_SAMPLE, CNF_ADJOINT_DISCRETE, CNF_TRACE_HUTCHINSON},
              {"dopri5", CNF_CONTROL_SAMPLE, CNF_ADJOINT_CONTINUOUS, CNF_TRACE_HUTCHINSON},
              {"tsit5", CNF_CONTROL_SAMPLE, CNF_ADJOINT_DISCRETE, CNF_TRACE_EXACT},
              {"bosh3", CNF_CONTROL_FIXED, CNF_ADJOINT_CONTINUOUS, CNF_TRACE_EXACT},
              {"rk4", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE, CNF_TRACE_HUTCHINSON},
              {"dopri5", CNF_CONTROL_BATCH, CNF_ADJOINT_DISCRETE, CNF_TRACE_EXACT},
              {"rodas4", CNF_CONTROL_SAMPLE, CNF_ADJOINT_DISCRETE, CNF_TRACE_EXACT},
              {"rodas4", CNF_CONTROL_SAMPLE, CNF_ADJOINT_CONTINUOUS, CNF_TRACE_EXACT},
              {"rodas4", CNF_CONTROL_FIXED, CNF_ADJOINT_CONTINUOUS, CNF_TRACE_NONE},
              {"explicit_adams", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE, CNF_TRACE_EXACT},
              {"implicit_adams", CNF_CONTROL_FIXED, CNF_ADJOINT_CONTINUOUS, CNF_TRACE_HUTCHINSON},
              {"yoshida4", CNF_CONTROL_FIXED, CNF_ADJOINT_DISCRETE, CNF_TRACE_HUTCHINSON},
              {"leapfrog", CNF_CONTROL_FIXED, CNF_ADJOINT_CONTINUOUS, CNF_TRACE_EXACT},
              {"reversible_heun", CNF_CONTROL_SAMPLE, CNF_ADJOINT_REVERSIBLE, CNF_TRACE_HUTCHINSON},
              {"reversible_heun", CNF_CONTROL_SAMPLE, CNF_ADJOINT_DISCRETE, CNF_TRACE_EXACT}};
  for (size_t w = 0; w < sizeof ways / sizeof ways[0]; ++w)
    for (size_t s = 0; s < sizeof named_settings / sizeof named_settings[0]; ++s) {
      bits_case c = case_of(&net, MOST_D, ways[w].method);
      c.options.control = ways[w].control, c.options.adjoint = ways[w].adjoint, c.options.trace = ways[w].trace;
      named_settings[s].set(&c);
      snprintf(c.name, sizeof c.name, "settings %s %s %s %s %s", named_settings[s].name, ways[w].method,
               trace_text[ways[w].trace], control_text[ways[w].control], adjoint_text[ways[w].adjoint]);
      print_everywhere(&c);
    }
}

/* ---- Ops --------------------------------------------------------------------------------------------------------- */

/* `host`: the layer that the callback of the program computes, in the dtype of the case. */
static void print_program(const program *p, const char *name, layer *host) {
  static const struct {
    const char *method;
    int32_t adjoint, trace, dropout, regularised, precision;
  } ways[] = {{"dopri5", CNF_ADJOINT_DISCRETE, CNF_TRACE_HUTCHINSON, 1, 0, CNF_PRECISION_FULL},
              {"dopri5", CNF_ADJOINT_DISCRETE, CNF_TRACE_EXACT, 0, 0, CNF_PRECISION_FULL},
              {"dopri5", CNF_ADJOINT_DISCRETE, CNF_TRACE_HUTCHINSON, 0, 1, CNF_PRECISION_FULL},
              {"dopri5", CNF_ADJOINT_DISCRETE, CNF_TRACE_HUTCHINSON, 1, 0, CNF_PRECISION_MIXED},
              {"dopri5", CNF_ADJOINT_CONTINUOUS, CNF_TRACE_EXACT_TANGENTS, 1, 1, CNF_PRECISION_FULL},
              {"rodas4", CNF_ADJOINT_DISCRETE, CNF_TRACE_EXACT, 1, 1, CNF_PRECISION_FULL},
              {"rodas4", CNF_ADJOINT_CONTINUOUS, CNF_TRACE_NONE, 0, 0, CNF_PRECISION_FULL}};
  for (size_t w = 0; w < sizeof ways / sizeof ways[0]; ++w) {
    bits_case c = case_of(p, D, ways[w].method);
    c.options.adjoint = ways[w].adjoint, c.options.trace = ways[w].trace, c.options.precision = ways[w].precision;
    c.options.kinetic = c.options.frobenius = ways[w].regularised;
    c.dropout = ways[w].dropout, c.host = host;
    snprintf(c.name, sizeof c.name, "ops %s %s %s %s%s%s%s", name, ways[w].method, trace_text[ways[w].trace],
             adjoint_text[ways[w].adjoint], ways[w].dropout ? " dropout" : "",
             ways[w].regularised ? " regularised" : "", ways[w].precision == CNF_PRECISION_MIXED ? " mixed" : "");
    for (char *at = c.name + 4; at < c.name + 4 + strlen(name); ++at) *at = *at == ' ' ? '-' : *at;
    print_everywhere(&c);
  }
}

static void print_ops(void) {
  for (int i = 0; i < PROGRAMS; ++i) {
    const program p = programs[i]();
    print_program(&p, p.name, NULL);
  }
#define CNF_X(name, value, suffix, text)            \
  {                                                 \
    const program p = activated(value);             \
    print_program(&p, "activation-" #suffix, NULL); \
  }
  CNF_ACTIVATION_LIST(CNF_X)
#undef CNF_X
  layer host = {.rows = 5, .cols = D + 1, .sees_time = 1, .is_tanh = 1};
  const cnf_callback callback = layer_callback(&host);
  program p = {.name = "callback"};
  const int32_t hidden = append(
      &p,
      (cnf_op){.kind = CNF_OP_CALLBACK, .input = CNF_STATE, .input2 = CNF_NO_BLOCK, .rows = 5, .callback = &callback});
  linear(&p, hidden, D, 0);
  print_program(&p, p.name, &host);
}

/* ---- Random numbers and tables ----------------------------------------------------------------------------------- */

static void print_random(void) {
  static double numbers_out[SAMPLES * MOST_D];
  typedef cnf_status (*draw)(int32_t, uint64_t, uint32_t, uint64_t, uint64_t, size_t, size_t, void *);
  static const struct {
    const char *name;
    draw draw;
  } draws[] = {{"normal", cnf_random_normal}, {"uniform", cnf_random_uniform}, {"rademacher", cnf_random_rademacher}};
  for (size_t i = 0; i < sizeof draws / sizeof draws[0]; ++i)
    for (int32_t dtype = CNF_FLOAT32; dtype <= CNF_FLOAT64; ++dtype) {
      uint64_t hash = 0;
      const cnf_status status = draws[i].draw(dtype, 9, CNF_STREAM_USER, 2, 5, SAMPLES, MOST_D, numbers_out);
      hash_reals(&hash, dtype, numbers_out, SAMPLES * MOST_D);
      printf("random %s %s", draws[i].name, dtype == CNF_FLOAT64 ? "f64" : "f32");
      print_hash("numbers", status, hash);
      printf("\n");
    }
  for (int32_t method = 0; method < cnf_method_count(); ++method) {
    cnf_method_info info = {.struct_size = sizeof info};
    CHECK(cnf_method_get(method, &info) == CNF_OK);
    uint64_t hash = 0;
    const size_t s = (size_t)info.stages;
    const int32_t numbers_of_it[] = {info.order,  info.embedded_order, info.stages,     info.is_fsal,
                                     info.family, info.dense_order,    info.dense_terms};
    hash_integers(&hash, numbers_of_it, sizeof numbers_of_it / sizeof numbers_of_it[0]);
    for (size_t i = 0; i < s && info.a; ++i) hash_doubles(&hash, info.a + i * (size_t)info.a_stride, i);
    for (size_t i = 0; i < s && info.momenta_a; ++i) hash_doubles(&hash, info.momenta_a + i * (size_t)info.a_stride, i);
    if (info.b) hash_doubles(&hash, info.b, s);
    if (info.e) hash_doubles(&hash, info.e, s);
    if (info.momenta_b) hash_doubles(&hash, info.momenta_b, s);
    printf("table %s numbers=%016llx\n", info.name, (unsigned long long)hash);
  }
}

int main(void) {
#define CNF_X(name, value, suffix, text) \
  if (cnf_isa_is_available(value)) isas[isa_count++] = value;
  CNF_ISA_LIST(CNF_X)
#undef CNF_X
  print_random();
  print_methods();
  print_settings();
  print_ops();
  return check_failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
