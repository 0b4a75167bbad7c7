/* The derivative of a Rosenbrock step, including that of its Jacobian. Compiled once per dtype by
 * solve/call/solver_f32.c and solver_f64.c.
 *
 * With E = 1/gamma - h J, J = df/dx at (t, x), F = h df/dt there, by differences, and X_i = x + h sum_j a_ij k_j, a
 * step is
 *     E k_i = r_i = f(t + alpha_i h, X_i) + sum_{j<i} c_ij k_j + d_i F,   x' = x + h sum_i b_i k_i.
 * With lambda = dL/dx', from the last stage to the first (E' is E transposed; the factors of E solve with it too):
 *     k_bar_i = h b_i lambda + sum_{l>i} h a_li X_bar_l + c_li r_bar_l,   r_bar_i = E'^-1 k_bar_i
 *     X_bar_i = (df/dx)' r_bar_i at stage i, theta_bar and t_bar_i likewise;   F_bar = sum_i d_i r_bar_i
 *     J_bar   = h sum_i r_bar_i k_i'
 *     lambda <- lambda + sum_i X_bar_i + the cotangents of x that J_bar and F_bar give
 *     h_bar   = lambda' sum_i b_i k_i + sum_i X_bar_i' sum_j a_ij k_j + alpha_i t_bar_i + r_bar_i' J k_i
 * because d(E^-1 r) = E^-1 (dr - dE k) and dE = -dh J - h dJ. Column c of J is the tangent of f along unit vector c,
 * so column c of J_bar is that tangent's cotangent. The reverse of tangents, which differentiates the divergence,
 * differentiates J too, with exact second derivatives of f. That costs D tangents once more, whatever the trace.
 *
 * F = sum_n w_n (f(t + n delta h, x) - f(t, x)), n = 1, 2. The weights w_n do not change with h. So f_bar_n = w_n
 * F_bar, f(t, x) loses as much, and t_bar_n counts n delta times for h.
 *
 * The quadratures l' = l + h sum_n s_n div_n have evaluations at the step's middle and end, whose states are x plus
 * sums of k. Their X_bar are treated as those of stages; the one at the end, where the state is x', is added to
 * lambda.
 *
 * Only a step's start is kept: J would take room for D tangents of each sample. So the stages are recomputed.
 */
#include "solve/worker.h"

static real *stage_bar(const cnf_worker *w, int32_t i) {
  WORKER_NAMES(w);
  return w->back.stage_bar + (size_t)i * (size_t)D * (size_t)lanes;
}

/* x [D] = matrix'^-1 x, by the factors of the matrix: U' first, then L', then the exchanges of rows from the last to
 * the first. */
static void solve_transposed(const cnf_worker *w, real *x) {
  WORKER_NAMES(w);
  const real *a = w->implicit.matrix;
  for (int32_t c = 0; c < D; c++) {
    for (int32_t r = 0; r < c; r++)
      for (int32_t j = 0; j < lanes; j++) PANEL(x, c)[j] -= PANEL(a, r * D + c)[j] * PANEL(x, r)[j];
    for (int32_t j = 0; j < lanes; j++) PANEL(x, c)[j] /= PANEL(a, c * D + c)[j];
  }
  for (int32_t c = D - 1; c >= 0; c--)
    for (int32_t r = c + 1; r < D; r++)
      for (int32_t j = 0; j < lanes; j++) PANEL(x, c)[j] -= PANEL(a, r * D + c)[j] * PANEL(x, r)[j];
  for (int32_t c = D - 1; c >= 0; c--)
    for (int32_t j = 0; j < lanes; j++) {
      const int32_t p = w->implicit.pivot[(size_t)c * (size_t)lanes + (size_t)j];
      const real swap = PANEL(x, c)[j];
      PANEL(x, c)[j] = PANEL(x, p)[j];
      PANEL(x, p)[j] = swap;
    }
}

/* h_bar_row += X_bar' sum_j weights[j] k_j over `count` stages. */
static void add_length_bar(cnf_worker *w, const real *x_bar, int32_t count, const double *weights) {
  WORKER_NAMES(w);
  weighted list = slopes(w, count, weights);
  for (int32_t j = 0; j < lanes; j++) w->step.row[j] = 1;
  k->combine(D, NULL, w->step.row, list.count, list.weight, list.panel, w->back.displacement);
  k->dot(D, x_bar, w->back.displacement, 1, w->back.h_bar_row);
}

/* Adds the time cotangent of an evaluation at t + c h. */
static void add_time_bar(cnf_worker *w, double c) {
  WORKER_NAMES(w);
  for (int32_t j = 0; j < lanes; j++) {
    w->back.t_bar_row[j] += w->back.time_bar_row[j];
    w->back.h_bar_row[j] += (real)c * w->back.time_bar_row[j];
  }
}

/* Reverses the evaluation at hand, at t + c h, from the cotangent of f in the bars and from `bars`, as
 * evaluate_reverse takes them. The cotangent of its state is then in block 0 of the bars. */
static void reverse_evaluation(cnf_worker *w, const cnf_integrands *bars, double c, real *gradient) {
  WORKER_NAMES(w);
  zero_rows(1, lanes, w->back.time_bar_row);
  const cnf_reversed done = evaluate_reverse(&w->e, bars, w->back.time_bar_row, gradient, w->back.integrands);
  if (gradient && gradient != w->back.discarded) gather_gradients(m, &done, 1, gradient);
  add_time_bar(w, c);
}

/* Cotangents of the integrands at a node of weight b; without a divergence if none is asked for. */
static cnf_integrands node_bars(cnf_worker *w, double b) {
  cnf_integrands bars = integrand_bars(w, (real)b);
  if (w->e.model->jacobian) bars.divergence = NULL;
  return bars;
}

/* Adds to h_bar_row what a node of weight b gives to the integrals, from its integrands. */
static void add_node(cnf_worker *w, double b) {
  WORKER_NAMES(w);
  for (int32_t j = 0; j < lanes; j++) {
    if (!m->jacobian) w->back.h_bar_row[j] += (real)b * w->back.mu_row[j] * w->back.integrands.divergence[j];
    if (m->kinetic)
      w->back.h_bar_row[j] += (real)(b * w->back.kinetic_bar) * w->span.direction[j] * w->back.integrands.kinetic[j];
    if (m->frobenius)
      w->back.h_bar_row[j] +=
          (real)(b * w->back.frobenius_bar) * w->span.direction[j] * w->back.integrands.frobenius[j];
  }
}

/* The nodes of the quadratures at the step's middle and end. lambda gains the cotangent of x' from the end; x_bar
 * and the stages' k_bar, which are overwritten, get those from the middle. */
static void reverse_nodes(cnf_worker *w, const cnf_stages *s, real *gradient) {
  WORKER_NAMES(w);
  double middle[CNF_MAX_STAGES] = {0};
  middle_weights(s, middle);
  zero_rows(s->count * D, lanes, w->back.stage_bar);
  if (!has_quadratures(m)) return;
  for (int n = 2; n >= 1; n--) {
    const double c = n / 2.0, *weights = n == 1 ? middle : s->tableau->b;
    weighted list = slopes(w, s->count, weights);
    use_scratch(w, 0);
    k->combine(D, w->step.x, w->step.h_row, list.count, list.weight, list.panel, w->e.kept.value);
    time_row(w, c);
    evaluate(&w->e, w->step.time_row, 1, w->back.integrands);
    zero_rows(D, lanes, rows_of(m, w->e.bars.bar, 0, m->program->op_count));
    const cnf_integrands bars = node_bars(w, simpson_weights[n]);
    reverse_evaluation(w, &bars, c, gradient);
    add_node(w, simpson_weights[n]);
    if (n == 2) {
      k->add(D, w->back.lambda, w->e.bars.bar, w->back.lambda);
      continue;
    }
    k->add(D, w->implicit.x_bar, w->e.bars.bar, w->implicit.x_bar);
    add_length_bar(w, w->e.bars.bar, s->count, middle);
    for (int32_t i = 0; i < s->count; i++) {
      for (int32_t j = 0; j < lanes; j++) w->step.row[j] = w->step.h_row[j] * (real)middle[i];
      k->scale(D, w->e.bars.bar, w->step.row, stage_bar(w, i));
    }
  }
}

/* r_bar of every stage in place of its k_bar, and f_t_bar. x_bar gains the X_bar of the stages after the first,
 * whose f is at x. */
static void reverse_stages(cnf_worker *w, const cnf_stages *s, real *gradient) {
  WORKER_NAMES(w);
  const cnf_rosenbrock *ros = s->tableau->rosenbrock;
  const size_t size = (size_t)D * (size_t)lanes;
  for (int32_t i = s->count - 1; i >= 0; i--) {
    real *bar = stage_bar(w, i), *f_t_bar = w->implicit.f_t_bar;
    const real d = (real)ros->d[i];
    solve_transposed(w, bar);
    for (size_t n = 0; n < size; n++) f_t_bar[n] += d * bar[n];
    for (int32_t l = 0; l < i; l++) {
      const real c = (real)ros->c[i][l];
      real *to = stage_bar(w, l);
      for (size_t n = 0; n < size; n++) to[n] += c * bar[n];
    }
    if (i == 0) break;
    use_scratch(w, i);
    copy_rows(D, lanes, bar, rows_of(m, w->e.bars.bar, 0, m->program->op_count));
    reverse_evaluation(w, NULL, ros->alpha[i], gradient);
    const real *x_bar = w->e.bars.bar;
    k->add(D, w->implicit.x_bar, x_bar, w->implicit.x_bar);
    add_length_bar(w, x_bar, i, s->tableau->a[i]);
    for (int32_t l = 0; l < i; l++) {
      for (int32_t j = 0; j < lanes; j++) w->step.row[j] = w->step.h_row[j] * (real)s->tableau->a[i][l];
      k->scale_add(D, x_bar, w->step.row, stage_bar(w, l));
    }
  }
}

/* The evaluations of the difference quotient for df/dt. r_bar_0, the cotangent of f(t, x), loses what they gain. */
static void reverse_time_slope(cnf_worker *w, real *gradient) {
  WORKER_NAMES(w);
  real weight[2][CNF_MAX_LANES];
  time_slope_weights(w, weight);
  for (int n = 0; n < 2; n++) {
    const double c = (n + 1) * CNF_TIME_PART;
    real *bar = rows_of(m, w->e.bars.bar, 0, m->program->op_count);
    use_scratch(w, 0);
    copy_rows(D, lanes, w->step.x, w->e.kept.value);
    time_row(w, c);
    field_forward(&w->e, w->step.time_row, 0, 0);
    k->scale(D, w->implicit.f_t_bar, weight[n], bar);
    for (int32_t j = 0; j < lanes; j++) weight[n][j] = -weight[n][j];
    k->scale_add(D, w->implicit.f_t_bar, weight[n], w->implicit.f_bar);
    reverse_evaluation(w, NULL, c, gradient);
    k->add(D, w->implicit.x_bar, w->e.bars.bar, w->implicit.x_bar);
  }
}

/* Cotangents of tangents [first, first + count) of dx/dt at the step's start: columns of J_bar, plus what the
 * divergence and the Frobenius norm give there. h_bar_row gains these columns' part of sum_i r_bar_i' J k_i. */
static void begin_jacobian_bars(cnf_worker *w, const cnf_stages *s, int32_t first, int32_t count, cnf_integrands bars) {
  WORKER_NAMES(w);
  const int32_t end = m->program->op_count, bent = m->program->blocks[end].behind_nonlinear;
  for (int32_t g = 0; g < count; g++) {
    const int32_t column = first + g;
    const real *y_dot = tangent_of(&w->e, first, g, end);
    real *bar = bent ? varying_of(m, w->e.bars.tangent_bar, g, end)
                     : rows_of(m, w->e.constants.tangent_bar, column, end); /* a sum over the solve */
    if (bent) zero_rows(D, lanes, bar);
    for (int32_t r = 0; r < D; r++) {
      zero_rows(1, lanes, w->step.row);
      for (int32_t i = 0; i < s->count; i++) {
        const real *r_bar = PANEL(stage_bar(w, i), r), *k_i = PANEL(slope(w, i), column);
        for (int32_t j = 0; j < lanes; j++) w->step.row[j] += r_bar[j] * k_i[j];
      }
      k->dot(1, w->step.row, PANEL(y_dot, r), 1, w->back.h_bar_row);
      k->scale_add(1, w->step.row, w->step.h_row, PANEL(bar, r));
    }
    if (bars.divergence) k->add(1, PANEL(bar, column), bars.divergence, PANEL(bar, column));
    if (m->frobenius) k->scale_add(D, y_dot, bars.frobenius, bar);
  }
}

/* The evaluation at the step's start: f, J, and the first node of the quadratures. Tangents go in groups, from the
 * last to the first; the value goes with the first group, as in evaluate_reverse. */
static void reverse_start(cnf_worker *w, const cnf_stages *s, real *gradient) {
  WORKER_NAMES(w);
  cnf_evaluator *e = &w->e;
  const int32_t end = m->program->op_count, group = group_size(m);
  const int32_t total = m->program->blocks[end].from_state ? D : 0;
  const cnf_integrands bars = node_bars(w, simpson_weights[0]);
  real *mu = w->step.sum_row, *f_bar = rows_of(m, e->bars.bar, 0, end);
  zero_rows(1, lanes, mu); /* nothing exits: the divergence's cotangent is added at the end */
  use_scratch(w, 0);
  copy_rows(D, lanes, w->step.x, e->kept.value);
  time_row(w, 0);
  field_forward(e, w->step.time_row, 0, 0);
  clear_integrands(m, w->back.integrands);
  copy_rows(D, lanes, w->implicit.f_bar, f_bar);
  if (m->kinetic) {
    kinetic_energy(e, w->back.integrands.kinetic);
    k->scale_add(D, rows_of(m, e->kept.value, 0, end), bars.kinetic, f_bar);
  }
  zero_rows(1, lanes, w->back.time_bar_row);
  for (int32_t first = total > group ? (total - 1) / group * group : 0; first >= 0; first -= group) {
    const int32_t count = total - first < group ? total - first : group;
    if (count > 0) {
      field_forward(e, NULL, first, count);
      if (!m->jacobian) add_tangents(e, first, count, w->back.integrands);
      begin_jacobian_bars(w, s, first, count, bars);
    }
    field_backward(e, first, count, mu, first + group < total, first == 0 ? w->back.time_bar_row : NULL, gradient);
    const cnf_reversed done = {.kept = e->kept, .bars = e->bars, .value = first == 0, .tangents = count};
    if (gradient && gradient != w->back.discarded) gather_gradients(m, &done, 1, gradient);
  }
  for (int32_t j = 0; m->frobenius && j < lanes; j++) w->back.integrands.frobenius[j] /= (real)D;
  add_node(w, simpson_weights[0]);
  add_time_bar(w, 0);
  k->add(D, w->implicit.x_bar, e->bars.bar, w->implicit.x_bar);
}

/* `reverse` of cnf_family_code: the lanes are at the starts of their steps, (t, x) with h. */
static int32_t reverse_rosenbrock_step(cnf_worker *w, const cnf_call *call, const cnf_step_record *tile,
                                       const cnf_step_record *record, int want_times, real *gradient) {
  WORKER_NAMES(w);
  const cnf_stages *s = &call->solver->stages;
  (void)tile, (void)record, (void)want_times; /* nothing of a step is kept; times cost almost nothing */
  w->e.bars = w->back.bars[0];
  rosenbrock_stages(w, s, 1);
  zero_rows(1, lanes, w->back.h_bar_row);
  zero_rows(1, lanes, w->back.t_bar_row);
  zero_rows(D, lanes, w->implicit.x_bar);
  zero_rows(D, lanes, w->implicit.f_t_bar);
  reverse_nodes(w, s, gradient);
  add_length_bar(w, w->back.lambda, s->count, s->tableau->b);
  for (int32_t i = 0; i < s->count; i++) {
    for (int32_t j = 0; j < lanes; j++) w->step.row[j] = w->step.h_row[j] * (real)s->tableau->b[i];
    k->scale_add(D, w->back.lambda, w->step.row, stage_bar(w, i));
  }
  reverse_stages(w, s, gradient);
  copy_rows(D, lanes, stage_bar(w, 0), w->implicit.f_bar);
  if (cnf_program_reads_time(m->program)) reverse_time_slope(w, gradient);
  reverse_start(w, s, gradient);
  k->add(D, w->back.lambda, w->implicit.x_bar, w->back.lambda);
  return s->reversed;
}
