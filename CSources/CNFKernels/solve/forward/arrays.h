/* What a worker holds to make steps. Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c.
 *
 * Panels are [rows][lanes], a row is [1][lanes]; S and D as in solve/lanes/arrays.h. Methods that do not use a struct
 * take no memory for it.
 */
#ifndef CNF_SOLVE_FORWARD_ARRAYS_H
#define CNF_SOLVE_FORWARD_ARRAYS_H
#include "solve/lanes/arrays.h"

/* The step under way, of all lanes. */
typedef struct cnf_step {
  real *x, *x1;     /* [S]: at the step's start and end */
  real *k;          /* [stages][S]: slopes; then those that dense output adds */
  real *h_row;      /* [1]: h of the lanes, rounded */
  double *time_row; /* [lanes]: time of the evaluation at hand */
  real *mask_row;   /* [1]: above 0 where the step is accepted, or where a lane takes part */
  real *sum_row;    /* [1]: sums of squares, and other sums over rows */
  real *row;        /* [1]: scratch */
} cnf_step;

/* Adams methods: the slopes of earlier steps (solve/forward/adams.h). */
typedef struct cnf_adams_history {
  real *ring;      /* [slopes][S]: slopes at the beginnings of steps; in the backward pass their cotangents */
  real *ones;      /* [1] */
  int32_t newest;  /* place of the newest slope in the ring */
  double span;     /* length of the intervals whose steps the slopes belong to, with its sign; 0: none */
  int32_t pending; /* backward: how many slopes, from the newest on, have cotangents in the ring */
  int32_t taken;   /* slopes that the step just made has taken; below CNF_ADAMS_LEAST: stages */
  double change[CNF_MOST_INTEGRALS][CNF_MAX_LANES]; /* implicit: of the integrals, over that step */
  int32_t count[CNF_MAX_LANES];                     /* slopes that the lane's next formula may take */
  int32_t unconverged[CNF_MAX_LANES];               /* 1: the lane's iteration did not converge */
} cnf_adams_history;

/* Rosenbrock methods: the linear system of a step (solve/forward/rosenbrock.h). */
typedef struct cnf_implicit {
  real *matrix;                  /* [D][D]: 1/gamma - h J, then its factors */
  int32_t *pivot;                /* [D][lanes]: the row that was exchanged with row i */
  real *f;                       /* [D]: slope at the step's start */
  real *f_t;                     /* [D]: h df/dt there */
  real *integrands;              /* [3][S]: what is integrated besides the state, at the step's start, middle and end */
  real *x_bar, *f_bar, *f_t_bar; /* [D]: backward: cotangents of the step's start, of f there, of f_t */
} cnf_implicit;

/* Reversible Heun (forward/ and solve/backward/reversible_heun.h). */
typedef struct cnf_reversible {
  real *y, *y1;                   /* [D]: the second state at the step's start and end */
  real *kappa, *phi;              /* [D]: backward: dL/dy, dL/df */
  real *y_end;                    /* [chunk][D]: y where the sample's last step has ended */
  double *error;                  /* [chunk]: largest distance of the undone steps' end from x0 */
  double later_h[CNF_MAX_LANES];  /* h/2 of the step that begins at the point that the lane holds */
  double later_mu[CNF_MAX_LANES]; /* the same times its mu */
  int32_t held[CNF_MAX_LANES];    /* 1: the lane holds the evaluation where step `step` ends */
} cnf_reversible;

/* Dense output: the polynomial of the step just made (solve/forward/dense_output.h). */
typedef struct cnf_dense_output {
  real *terms;                   /* [terms + 1][D+1]: its coefficients; then scratch */
  double t[CNF_MAX_LANES];       /* where that step began */
  double h[CNF_MAX_LANES];       /* its length */
  double end[CNF_MAX_LANES];     /* where it ended */
  double log_det[CNF_MAX_LANES]; /* where it began */
} cnf_dense_output;

/* Events: the search for where g crosses zero (solve/forward/events.h). */
typedef struct cnf_events {
  real *x, *x_bar;                           /* [D]: scratch; dg/dx */
  double g[CNF_MOST_EVENTS][CNF_MAX_LANES];  /* at the step's start */
  double g1[CNF_MOST_EVENTS][CNF_MAX_LANES]; /* at the attempt's end */
  /* The last place of the attempt, as a fraction, where g is known from a real step, and g there. Places up to it have
   * been scanned. */
  double known_at[CNF_MOST_EVENTS][CNF_MAX_LANES], known[CNF_MOST_EVENTS][CNF_MAX_LANES];
  double t[CNF_MAX_LANES];            /* scratch */
  int32_t sought[CNF_MAX_LANES];      /* 1 + the event that the lane looks for; 0: none */
  int32_t stopped_by[CNF_MAX_LANES];  /* the event that the lane has found; -1: none */
  int32_t crossing[CNF_MAX_LANES];    /* the first event that crosses over the attempt; -1: none */
  int32_t retried[CNF_MAX_LANES];     /* 1: the far end of the search's bracket has been tried a second time */
  int32_t switches[CNF_MAX_LANES];    /* from one event to another, in this step */
  cnf_scan scan[CNF_MAX_LANES];       /* the places around `crossing` */
  double place[CNF_MAX_LANES];        /* of `crossing` on the interpolant, a fraction of the step */
  int32_t seeks[CNF_MAX_LANES];       /* what the search's attempt is for: EVENT_SHORTEN and others */
  double full[CNF_MAX_LANES];         /* length of the attempt that began the search */
  double from[CNF_MAX_LANES];         /* g before the crossing */
  double chord[CNF_MAX_LANES];        /* dh/dg around the crossing; 0: used */
  cnf_bracket bracket[CNF_MAX_LANES]; /* of lengths of the step */
} cnf_events;

static void cnf_step_layout(cnf_step *step, const cnf_engine *s, cnf_arena *arena) {
  const size_t row = (size_t)s->model.kernels->lanes * sizeof(real), S = (size_t)state_rows(&s->model);
  const size_t slopes = (size_t)(s->stages.count + cnf_interpolant_slopes(&s->interpolant, s->stages.count));
  real **rows[] = {&step->h_row, &step->mask_row, &step->sum_row, &step->row};
  step->x = cnf_arena_take(arena, S, row);
  step->x1 = cnf_arena_take(arena, S, row);
  step->k = cnf_arena_take(arena, slopes * S, row);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) *rows[i] = cnf_arena_take(arena, 1, row);
  step->time_row = cnf_arena_take(arena, (size_t)s->model.kernels->lanes, sizeof(double));
}

static void cnf_adams_history_layout(cnf_adams_history *adams, const cnf_engine *s, cnf_arena *arena) {
  const size_t row = (size_t)s->model.kernels->lanes * sizeof(real);
  const size_t slopes = (size_t)cnf_adams_slopes(s->options.order);
  adams->ring = cnf_arena_take(arena, slopes * (size_t)state_rows(&s->model), row);
  adams->ones = cnf_arena_take(arena, 1, row);
}

static void cnf_implicit_layout(cnf_implicit *im, const cnf_engine *s, cnf_arena *arena) {
  const size_t lanes = (size_t)s->model.kernels->lanes, row = lanes * sizeof(real);
  const size_t D = (size_t)s->model.program->state_dim;
  real **panels[] = {&im->f, &im->f_t, &im->x_bar, &im->f_bar, &im->f_t_bar};
  im->matrix = cnf_arena_take(arena, D * D, row);
  im->pivot = cnf_arena_take(arena, D, lanes * sizeof *im->pivot);
  for (size_t i = 0; i < sizeof panels / sizeof panels[0]; i++) *panels[i] = cnf_arena_take(arena, D, row);
  im->integrands = cnf_arena_take(arena, 3 * (size_t)state_rows(&s->model), row);
}

static void cnf_reversible_layout(cnf_reversible *r, const cnf_engine *s, cnf_arena *arena) {
  const size_t row = (size_t)s->model.kernels->lanes * sizeof(real), chunk = (size_t)s->chunk_capacity;
  const size_t D = (size_t)s->model.program->state_dim;
  real **panels[] = {&r->y, &r->y1, &r->kappa, &r->phi};
  for (size_t i = 0; i < sizeof panels / sizeof panels[0]; i++) *panels[i] = cnf_arena_take(arena, D, row);
  r->y_end = cnf_arena_take(arena, chunk * D, sizeof(real));
  r->error = cnf_arena_take(arena, chunk, sizeof(double));
}

static void cnf_dense_output_layout(cnf_dense_output *dense, const cnf_engine *s, cnf_arena *arena) {
  const size_t row = (size_t)s->model.kernels->lanes * sizeof(real), D = (size_t)s->model.program->state_dim;
  dense->terms = cnf_arena_take(arena, (size_t)(s->interpolant.terms + 1) * (D + 1), row);
}

static void cnf_events_layout(cnf_events *events, const cnf_engine *s, cnf_arena *arena) {
  const size_t row = (size_t)s->model.kernels->lanes * sizeof(real), D = (size_t)s->model.program->state_dim;
  events->x = cnf_arena_take(arena, D, row);
  events->x_bar = cnf_arena_take(arena, D, row);
}

#endif
