/* The continuous adjoint of a Rosenbrock method, for stiff fields: a step, its errors and its share of theta's
 * gradient. Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c.
 *
 * What dies away in a stiff field would grow if x were solved backward. So x(t) is read off the forward path
 * (solve/store/forward_path.h), and only the adjoint is solved. In the notation of solve/backward/continuous.h,
 *     a' = g(t, a) = -J(t)' a - mu (d div/dx)' - rho (dq/dx)',   J(t) = df/dx at (t, x(t)).
 * This is a linear equation. Backward it damps what the field damps forward: it is as stiff, and stable. It is
 * solved by steps of the same method, with its own lengths h from t1 to t0 and dg/da = -J':
 *     (1/gamma + h J(t))' k_i = g(t + alpha_i h, A_i) + sum_j c_ij k_j + d_i h g_t,   A_i = a + h sum_j a_ij k_j,
 *     a' = a + h sum_i b_i k_i,   error h sum_i e_i k_i.
 * The matrix is that of a step of -h (solve/forward/rosenbrock.h); its factors solve the transposed equation. g_t, with
 * a held, is a difference quotient like df/dt there. It is needed even if the field does not read the time, because J
 * changes with x(t).
 *
 * theta's gradient, and that of the context, is one more row w of the same method: w' = F(t, a) = (df/dtheta)' a +
 * mu (d div/dtheta)' + ..., on which nothing else depends. Its stages are
 *     k^w_i / gamma = F(t + alpha_i h, A_i) + h G k_i + d_i h F_t + sum_j c_ij k^w_j,   G = dF/da = (df/dtheta)' at t.
 * With beta_i = gamma (b_i + sum_{l>i} c_li beta_l), the weights b of the untransformed method, which add up to 1,
 *     w' - w = h sum_i beta_i (F(t + alpha_i h, A_i) + h G k_i + d_i h F_t).
 * That has the method's order and is no part of the error norm. A quadrature with nodes of its own would be wrong
 * where one long step passes a layer of a. For a' = z a, w' = a, the quantity w - a/z is constant in the flow and in
 * these steps: w changes by (R(hz) - 1) a/z, which goes to -a/z, as it must. All of this is linear in (a, mu, rho).
 * So a step's share is a sum of reverses, one at each place where it has evaluated: stages at the same time share
 * one, those of h G k_i are at its start, and F_t = sum_n w_n (F_n - F_0)/h.
 *
 * No equation is solved for x, but a step must resolve it: where x passes a layer in which a is smooth, as at t0,
 * theta's integrand a x' passes the layer too. The step has x at its places alpha. It checks whether x there is a
 * polynomial of a degree below their number less 1: for such a polynomial sum_p omega_p x(t + alpha_p h) is 0, where
 * omega are the weights of the divided difference. For the five places of rodas4 the sum is of h^4. That is the
 * error of x's rows. Its tolerance is the solve's own where that is larger than the adjoint's, because x is not
 * known better. (f along the forward path would not do: its error is J times that of x.) Within one step of the
 * forward pass the sum is 0.
 *
 * solve/backward/continuous_loop.h tries, judges and counts the steps. Stages are reversed twice, as in
 * solve/backward/continuous.h.
 */
#include "solve/worker.h"

/* The first stage that is at the same time as stage i. They share its evaluation, in that scratch. */
static int32_t shared_stage(const cnf_stages *s, int32_t i) {
  const double *alpha = s->tableau->rosenbrock->alpha;
  int32_t first = 0;
  while (alpha[first] != alpha[i]) first++;
  return first;
}

/* Weights of the two places beyond t in the difference quotient of h d/dt, which are n CNF_TIME_PART steps away; the
 * place t has minus their sum. Distances are exact, not rounded with t, because most of the change over them is that
 * of x(t). */
static const double place_weights[2] = {2 / CNF_TIME_PART, -1 / (2 * CNF_TIME_PART)};

/* beta of the formula above. Returns sum_i d_i beta_i. */
static double quadrature_weights(const cnf_stages *s, double beta[CNF_MAX_STAGES]) {
  const cnf_rosenbrock *ros = s->tableau->rosenbrock;
  double of_slope = 0;
  for (int32_t i = s->count - 1; i >= 0; i--) {
    beta[i] = s->tableau->b[i];
    for (int32_t l = i + 1; l < s->count; l++) beta[i] += ros->c[l][i] * beta[l];
    beta[i] *= ros->gamma;
    of_slope += ros->d[i] * beta[i];
  }
  return of_slope;
}

/* g at `a` [D], by the reverse of the evaluation at hand, into `out` [D]. What the reverse sums over the solve is
 * thrown away. */
static void adjoint_slope(cnf_worker *w, const real *a, real *out) {
  WORKER_NAMES(w);
  w->e.bars = w->back.bars[0];
  copy_rows(D, lanes, a, rows_of(m, w->e.bars.bar, 0, m->program->op_count));
  zero_rows(1, lanes, w->back.time_bar_row);
  for (int32_t j = 0; j < lanes; j++) w->step.row[j] = 1;
  const cnf_integrands bars = weighted_bars(w, w->step.row);
  evaluate_reverse(&w->e, &bars, w->back.time_bar_row, w->back.discarded, w->back.integrands);
  for (int32_t j = 0; j < lanes; j++) w->step.row[j] = -1;
  k->scale(D, w->e.bars.bar, w->step.row, out);
}

/* Evaluates the field at t + c h and the state of the forward path there, into scratch `number`. */
static void evaluate_on_path(cnf_worker *w, const cnf_call *call, double c, int32_t number) {
  use_scratch(w, number);
  path_state(w, call, c, w->e.kept.value);
  time_row(w, c);
  evaluate(&w->e, w->step.time_row, 1, w->back.integrands);
}

/* At the step's start: the factors of 1/gamma + h J, g into implicit.f_bar, f into implicit.f, h g_t into
 * implicit.f_t. */
static void begin_rosenbrock_step(cnf_worker *w, const cnf_call *call, int64_t first) {
  WORKER_NAMES(w);
  const cnf_stages *s = &call->solver->stages;
  cnf_implicit *im = &w->implicit;
  const real *a = PANEL(w->continuous.pair, D);
  use_scratch(w, 0);
  path_state(w, call, 0, w->step.x);
  copy_rows(D, lanes, w->step.x, w->continuous.pair);
  for (int32_t j = 0; j < lanes; j++) w->step.h_row[j] = (real)-w->lane.h[j];
  make_matrix(w, s->tableau->rosenbrock->gamma);
  factor_matrix(w);
  step_row(w);
  adjoint_slope(w, a, im->f_bar);
  begin_time_bars(w, call, first, im->f);
  zero_rows(D, lanes, im->f_t);
  for (int32_t n = 0; n < 2; n++) {
    const real weight = (real)place_weights[n];
    evaluate_on_path(w, call, (n + 1) * CNF_TIME_PART, s->count + n);
    adjoint_slope(w, a, im->f_t_bar);
    for (int32_t i = 0; i < D * lanes; i++) im->f_t[i] += weight * (im->f_t_bar[i] - im->f_bar[i]);
  }
}

/* k_i into the rows of a of slope i. */
static void try_rosenbrock_stage(cnf_worker *w, const cnf_call *call, int32_t i) {
  WORKER_NAMES(w);
  const cnf_stages *s = &call->solver->stages;
  const cnf_rosenbrock *ros = s->tableau->rosenbrock;
  cnf_implicit *im = &w->implicit;
  const real *g = im->f_bar, d = (real)ros->d[i];
  real *to = PANEL(pair_slope(w, i), D);
  const int32_t size = D * lanes, place = shared_stage(s, i);
  if (i > 0) {
    move_pair_rows(w, D, D, i, s->tableau->a[i], w->back.lambda);
    if (place == i)
      evaluate_on_path(w, call, ros->alpha[i], i);
    else
      use_scratch(w, place);
    adjoint_slope(w, w->back.lambda, im->x_bar);
    g = im->x_bar;
  }
  for (int32_t n = 0; n < size; n++) to[n] = g[n] + d * im->f_t[n];
  for (int32_t j = 0; j < i; j++) {
    const real c = (real)ros->c[i][j], *other = PANEL(pair_slope(w, j), D);
    for (int32_t n = 0; n < size; n++) to[n] += c * other[n];
  }
  solve_transposed(w, to);
}

/* A step of every lane's a from t with its h; x and a at its end in pair1. */
static void try_rosenbrock_step(cnf_worker *w, const cnf_call *call, int64_t first) {
  WORKER_NAMES(w);
  const cnf_stages *s = &call->solver->stages;
  const solve_sums sums = discard_sums(w);
  mean_over(w, CNF_HALF_BOTH);
  begin_rosenbrock_step(w, call, first);
  for (int32_t i = 0; i < s->count; i++) try_rosenbrock_stage(w, call, i);
  restore_sums(w, &sums);
  path_state(w, call, 1, w->continuous.pair1);
  move_pair_rows(w, D, D, s->count, s->tableau->b, PANEL(w->continuous.pair1, D));
}

/* As pair_errors: the errors of a, and how far x is from a polynomial over the step's places. */
static void rosenbrock_pair_errors(cnf_worker *w, const cnf_engine *solver) {
  WORKER_NAMES(w);
  const cnf_stages *s = &solver->stages;
  const double *alpha = s->tableau->rosenbrock->alpha;
  const int32_t norm = solver->options.norm;
  weighted of_x = {.count = 0}, of_a = {.count = 0};
  double omega[CNF_MAX_STAGES] = {0}, largest = 0;
  for (int32_t i = 0; i < s->count; i++) {
    add_weighted(&of_a, s->tableau->e[i], PANEL(pair_slope(w, i), D));
    if (shared_stage(s, i) != i) continue;
    omega[i] = 1;
    for (int32_t l = 0; l < s->count; l++)
      if (l != i && shared_stage(s, l) == l) omega[i] /= alpha[i] - alpha[l];
    largest = fmax(largest, fabs(omega[i]));
  }
  for (int32_t i = 0; i < s->count; i++)
    add_weighted(&of_x, omega[i] / largest, w->store.scratch + (size_t)i * kept_reals(m));
  zero_rows(1, lanes, w->step.sum_row);
  for (int32_t j = 0; j < lanes; j++) w->step.mask_row[j] = 1; /* the step is not judged yet */
  k->error_squares(D, w->continuous.pair, w->continuous.pair1, w->step.mask_row, of_x.count, of_x.weight, of_x.panel,
                   solver->pair_rtol, solver->pair_atol, norm, w->step.sum_row);
  k->error_squares(D, PANEL(w->continuous.pair, D), PANEL(w->continuous.pair1, D), w->step.h_row, of_a.count,
                   of_a.weight, of_a.panel, solver->pair_rtol + D, solver->pair_atol + D, norm, w->step.sum_row);
}

/* Nodes of a step's quadrature: the places of its stages, of which the first is its start, then the two places
 * beyond that. Writes the cotangent of f of node `node`, over -h, into `bar`. Returns the weight of mu and rho
 * there. */
static double node_cotangent(cnf_worker *w, const cnf_stages *s, int32_t node, real *bar) {
  WORKER_NAMES(w);
  double beta[CNF_MAX_STAGES] = {0};
  const double of_slope = quadrature_weights(s, beta), *outer = place_weights;
  double weight = node < s->count ? 0 : of_slope * outer[node - s->count];
  zero_rows(D, lanes, bar);
  for (int32_t i = 1; node > 0 && i < s->count; i++) {
    if (shared_stage(s, i) != node) continue;
    move_pair_rows(w, D, D, i, s->tableau->a[i], w->back.lambda);
    for (int32_t j = 0; j < lanes; j++) w->step.row[j] = (real)beta[i];
    k->scale_add(D, w->back.lambda, w->step.row, bar);
    weight += beta[i];
  }
  if (node > 0 && node < s->count) return weight;
  if (node == 0) weight = beta[0] - of_slope * (outer[0] + outer[1]);
  for (int32_t j = 0; j < lanes; j++) w->step.row[j] = (real)weight;
  k->scale_add(D, PANEL(w->continuous.pair, D), w->step.row, bar);
  if (node > 0) return weight;
  weighted list = {.count = 0};
  for (int32_t i = 0; i < s->count; i++) add_weighted(&list, beta[i], PANEL(pair_slope(w, i), D));
  k->combine(D, bar, w->step.h_row, list.count, list.weight, list.panel, bar);
  return weight;
}

/* As add_quadrature, for a Rosenbrock step. */
static void add_rosenbrock_quadrature(cnf_worker *w, const cnf_engine *solver, int32_t live, real *gradient) {
  const cnf_model *m = w->e.model;
  const cnf_stages *s = &solver->stages;
  int32_t waiting = 0;
  for (int32_t node = 0; node < s->count + 2; node++) {
    if (node < s->count && shared_stage(s, node) != node) continue;
    use_scratch(w, node);
    w->e.bars = w->back.bars[waiting];
    real *bar = rows_of(m, w->e.bars.bar, 0, m->program->op_count);
    const double weight = node_cotangent(w, s, node, bar);
    scale_share(w, 1, bar);
    waiting = reverse_share(w, solver, weight, live, waiting, gradient);
  }
  gather_gradients(m, w->back.reversed, waiting, gradient);
}

static const cnf_family_code rosenbrock_code = {.configure = configure_rosenbrock,
                                                .layout = rosenbrock_layout,
                                                .evaluations = rosenbrock_evaluations,
                                                .step = make_rosenbrock_step,
                                                .first_slope = first_rosenbrock_slope,
                                                .add_integrals = add_rosenbrock_integrals,
                                                .pass = {backward_discrete, backward_continuous},
                                                .reverse = reverse_rosenbrock_step,
                                                .continuous_step = try_rosenbrock_step,
                                                .continuous_errors = rosenbrock_pair_errors,
                                                .continuous_quadrature = add_rosenbrock_quadrature};
