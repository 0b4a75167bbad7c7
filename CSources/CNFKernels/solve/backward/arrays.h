/* What a worker holds to differentiate a chunk. Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c.
 *
 * Panels are [rows][lanes], a row is [1][lanes]; S and D as in solve/lanes/arrays.h. */
#ifndef CNF_SOLVE_BACKWARD_ARRAYS_H
#define CNF_SOLVE_BACKWARD_ARRAYS_H
#include "solve/lanes/arrays.h"

/* The loss of each sample of the chunk and its cotangents, by number within it (solve/backward/loss.h). */
typedef struct cnf_chunk_loss {
  double *loss;        /* [chunk] */
  double *log_det_bar; /* [chunk] */
  double *event_bar;   /* [chunk]: what the event that ended the sample adds to the cotangent of the last step's t */
  real *x1_bar;        /* [chunk][D] */
} cnf_chunk_loss;

/* The backward pass over the lanes' steps. */
typedef struct cnf_backward {
  cnf_bars *bars;                /* [bar_sets]: cotangents of evaluations that wait to be gathered into the gradient */
  cnf_reversed *reversed;        /* [stages]: those evaluations */
  real *lambda;                  /* [D]: cotangent of the state at the step's end */
  real *stage_bar;               /* [stages][D]: cotangents of the stages' states */
  real *displacement;            /* [D]: sums of slopes; scratch */
  real *mu_row;                  /* [1]: cotangent of the log-determinant */
  real *time_bar_row;            /* [1]: cotangent of the time of the evaluation at hand */
  real *h_bar_row, *t_bar_row;   /* [1]: cotangents of the step's length and of its start */
  cnf_integrands integrands;     /* [1] each: what the evaluation at hand gives besides f */
  cnf_integrands integrand_bars; /* [1] each: their cotangents */
  double kinetic_bar, frobenius_bar; /* of the call: cotangents of the integrals over |dt| */
  double t0_bar[CNF_MAX_LANES], t1_bar[CNF_MAX_LANES];
  cnf_constants sums;      /* HUTCHINSON: sums of samples that are done, until there is a tile of them */
  int32_t sums_count;      /* lanes of `sums` that are filled */
  real *gradient_before;   /* [gradient_size]: the partial gradient before this chunk */
  real *discarded;         /* [gradient_size]: where callbacks add what is thrown away; NULL where there are none */
  int32_t *restart_status; /* [chunk]: the statuses that a second backward pass begins with */
} cnf_backward;

/* The continuous adjoint (solve/backward/continuous.h); no memory is taken for other adjoints. */
typedef struct cnf_continuous {
  real *pair, *pair1;                     /* [2 D]: x, then a over its scale, at the step's start and end */
  real *slopes;                           /* [stages][2 D] */
  real *held_md1;                         /* EXACT_PRODUCT: [m_rows] */
  cnf_constants discarded_sums;           /* sums of attempts, thrown away */
  real *discarded_context;                /* [context_dim] */
  double scale[CNF_MAX_LANES];            /* of the sample's cotangents, a power of two */
  int32_t attempts[CNF_MAX_LANES];        /* accepted and rejected steps so far */
  int32_t starts_interval[CNF_MAX_LANES]; /* 1: the step under way is the first from its interval's end */
  int32_t path_step[CNF_MAX_LANES];       /* Rosenbrock: the step of the forward path that the lane is in */
} cnf_continuous;

static void cnf_chunk_loss_layout(cnf_chunk_loss *loss, const cnf_engine *s, cnf_arena *arena) {
  const size_t chunk = (size_t)s->chunk_capacity;
  loss->x1_bar = cnf_arena_take(arena, chunk * (size_t)s->model.program->state_dim, sizeof(real));
  loss->loss = cnf_arena_take(arena, chunk, sizeof(double));
  loss->log_det_bar = cnf_arena_take(arena, chunk, sizeof(double));
  loss->event_bar = cnf_arena_take(arena, chunk, sizeof(double));
}

static void cnf_backward_layout(cnf_backward *b, const cnf_engine *s, cnf_arena *arena) {
  const size_t row = (size_t)s->model.kernels->lanes * sizeof(real), D = (size_t)s->model.program->state_dim;
  const size_t stages = (size_t)s->stages.count;
  real **rows[] = {&b->mu_row,
                   &b->time_bar_row,
                   &b->h_bar_row,
                   &b->t_bar_row,
                   &b->integrands.divergence,
                   &b->integrands.kinetic,
                   &b->integrands.frobenius,
                   &b->integrand_bars.divergence,
                   &b->integrand_bars.kinetic,
                   &b->integrand_bars.frobenius};
  b->bars = cnf_arena_take(arena, (size_t)s->bar_sets, sizeof *b->bars);
  for (int32_t i = 0; i < s->bar_sets; i++) {
    cnf_bars measured;
    bars_layout(b->bars ? &b->bars[i] : &measured, &s->model, arena);
  }
  b->reversed = cnf_arena_take(arena, stages, sizeof *b->reversed);
  if (s->model.trace == CNF_TRACE_HUTCHINSON) constants_layout(&b->sums, &s->model, arena);
  b->lambda = cnf_arena_take(arena, D, row);
  b->stage_bar = cnf_arena_take(arena, stages * D, row);
  b->displacement = cnf_arena_take(arena, D, row);
  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) *rows[i] = cnf_arena_take(arena, 1, row);
  b->restart_status = cnf_arena_take(arena, (size_t)s->chunk_capacity, sizeof *b->restart_status);
}

/* What gradients keep (solve/call/reserve.h). */
static void cnf_backward_reserve(cnf_backward *b, const cnf_engine *s, cnf_arena *arena) {
  b->discarded = NULL;
  if (s->model.program->callbacks) b->discarded = cnf_arena_take(arena, s->model.gradient_size, sizeof(real));
  b->gradient_before = cnf_arena_take(arena, s->model.gradient_size, sizeof(real));
}

static void cnf_continuous_layout(cnf_continuous *c, const cnf_engine *s, cnf_arena *arena) {
  const cnf_model *m = &s->model;
  const size_t row = (size_t)m->kernels->lanes * sizeof(real), pair = 2 * (size_t)m->program->state_dim;
  if (s->options.adjoint != CNF_ADJOINT_CONTINUOUS) return;
  c->pair = cnf_arena_take(arena, pair, row);
  c->pair1 = cnf_arena_take(arena, pair, row);
  c->slopes = cnf_arena_take(arena, (size_t)s->stages.count * pair, row);
  c->held_md1 = cnf_arena_take(arena, (size_t)m->m_rows, row);
  sums_layout(&c->discarded_sums, m, arena);
  c->discarded_context = cnf_arena_take(arena, (size_t)m->program->context_dim, row);
}

#endif
