/* What a worker holds of the samples in its lanes and of its chunk. Compiled once per dtype by solve/call/solver_f32.c
 * and solver_f64.c.
 *
 * A chunk is the samples of one task. A lane runs one of them at a time; an idle lane has none. Panels are
 * [rows][lanes]. States have S rows: D of x, the log-determinant, then the regularisers that the solver integrates,
 * over |dt|. A slope has the derivatives of those S rows by t.
 */
#ifndef CNF_SOLVE_LANES_ARRAYS_H
#define CNF_SOLVE_LANES_ARRAYS_H
#include "solve/solver.h"

#define CNF_MOST_INTEGRALS 3 /* S - D at most */

/* S of the above. */
static int32_t state_rows(const cnf_model *m) { return m->program->state_dim + 1 + m->kinetic + m->frobenius; }

/* Where each lane is: its sample, its time and its step. */
typedef struct cnf_lanes {
  int64_t sample[CNF_MAX_LANES];         /* number within the chunk; -1: the lane is idle */
  double t[CNF_MAX_LANES];               /* where the step under way begins */
  double h[CNF_MAX_LANES];               /* its length, with the sign of the direction that the lane moves in */
  double end[CNF_MAX_LANES];             /* where it ends: t + h up to rounding; t in idle lanes */
  double planned[CNF_MAX_LANES];         /* adaptive: h before it was cut to end at an output time or at t1 */
  int32_t interval[CNF_MAX_LANES];       /* of the step under way, between neighbouring output times */
  int32_t ends_interval[CNF_MAX_LANES];  /* 1: the step ends where its interval does */
  int32_t ends_at_jump[CNF_MAX_LANES];   /* 1: the step ends at the first of the jump times beyond t */
  int32_t was_not_finite[CNF_MAX_LANES]; /* 1: the last rejection was of numbers that are not finite */
  int32_t unproven[CNF_MAX_LANES];       /* 1: no step has been accepted since the sample, or a restart, began */
  int32_t step[CNF_MAX_LANES];        /* number of the step under way; in a backward pass that of the step to reverse */
  int32_t evaluations[CNF_MAX_LANES]; /* of the step just made */
  cnf_ratios past[CNF_MAX_LANES];     /* error ratios of the last accepted steps */
  /* The integrals up to t: log-determinant and regularisers, summed in double. The rows below the state's sum them in
   * dtype, for the error norm and the check of finite numbers. */
  double integral[CNF_MOST_INTEGRALS][CNF_MAX_LANES];
} cnf_lanes;

/* Start, end and output times of the samples in the lanes (solve/lanes/spans.h). */
typedef struct cnf_spans {
  double t0[CNF_MAX_LANES], t1[CNF_MAX_LANES];
  real direction[CNF_MAX_LANES];      /* -1 where t1 < t0, else 1 */
  const double *times[CNF_MAX_LANES]; /* [time_count] */
  const double *jumps;                /* [jump_count]: rising (solve/lanes/jumps.h) */
  size_t jump_count;
} cnf_spans;

/* What the forward pass gives for each sample of the chunk, by number within it. */
typedef struct cnf_chunk {
  int64_t first;                   /* sample of the call that the chunk begins with */
  int32_t *order;                  /* [chunk]: the order in which samples are loaded into lanes */
  real *x1;                        /* [chunk][D] */
  double *log_det;                 /* [chunk] */
  double *t;                       /* [chunk]: time reached */
  double *smallest_step;           /* [chunk]: length; 0: no step was accepted */
  double *kinetic, *frobenius;     /* [chunk]: integrals over |dt|; no memory for those not integrated */
  int32_t *status;                 /* [chunk]: cnf_sample_status */
  int32_t *accepted, *rejected;    /* [chunk]: steps */
  int32_t *evaluations, *reversed; /* [chunk]: evaluations of the field; reversed ones */
  int32_t *event, *interval;       /* [chunk]: event that ended the sample, -1: none; interval that it ended in */
} cnf_chunk;

/* What a sample's first step begins with, by number within the chunk (solve/lanes/first_step.h). */
typedef struct cnf_starts {
  double *h;       /* [chunk]: adaptive: length of the first step, with its sign; NaN: the field is not finite at x0 */
  real *slope;     /* [chunk][S]: first-same-as-last methods: of stage 0 */
  int32_t *slot;   /* [chunk]: that evaluation's slot, likewise; -1: it is not kept */
  real *constants; /* [chunk][constant_rows]: HUTCHINSON, adaptive: the sample's constants of the solve */
} cnf_starts;

static void cnf_chunk_layout(cnf_chunk *c, const cnf_engine *s, cnf_arena *arena) {
  const size_t chunk = (size_t)s->chunk_capacity;
  double **numbers[] = {&c->log_det, &c->t, &c->smallest_step};
  int32_t **counts[] = {&c->order,       &c->status,   &c->accepted, &c->rejected,
                        &c->evaluations, &c->reversed, &c->event,    &c->interval};
  c->x1 = cnf_arena_take(arena, chunk * (size_t)s->model.program->state_dim, sizeof(real));
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    *numbers[i] = cnf_arena_take(arena, chunk, sizeof(double));
  for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++)
    *counts[i] = cnf_arena_take(arena, chunk, sizeof(int32_t));
  c->kinetic = cnf_arena_take(arena, s->model.kinetic ? chunk : 0, sizeof(double));
  c->frobenius = cnf_arena_take(arena, s->model.frobenius ? chunk : 0, sizeof(double));
}

static void cnf_starts_layout(cnf_starts *start, const cnf_engine *s, cnf_arena *arena) {
  const size_t chunk = (size_t)s->chunk_capacity;
  start->h = cnf_arena_take(arena, chunk, sizeof(double));
  start->slope = cnf_arena_take(arena, chunk * (size_t)state_rows(&s->model), sizeof(real));
  start->slot = cnf_arena_take(arena, chunk, sizeof(int32_t));
  start->constants = cnf_arena_take(arena, chunk * (size_t)s->constant_rows, sizeof(real));
}

#endif
