/* A solver of one dtype: model, per-thread workers, and the call under way. */
#ifndef CNF_SOLVE_SOLVER_H
#define CNF_SOLVE_SOLVER_H
#include "field/evaluator.h"
#include "solve/methods/adams.h"
#include "solve/decide/event_bracket.h"
#include "solve/decide/step_control.h"
#include "solve/methods/dense.h"
#include "solve/call/entry.h"
#include "solve/decide/checkpoint_schedule.h"
#include "solve/methods/stages.h"

#define CNF_MAX_LANES 32
#define CNF_MAX_CHUNK_TILES 8 /* of an adaptive solve */
#define CNF_MAX_GROUPS 64     /* partial gradients of a call */

/* The solver of this dtype, as this dtype's code calls it. */
typedef struct CNF_TYPED(cnf_solver) cnf_engine;

/* The table of an instruction set that this machine has. */
const cnf_kernels *CNF_TYPED(cnf_kernels_for)(int32_t isa);

/* One accepted step of one sample, or of a tile where steps are fixed (step_of in lanes/lanes.h has each sample's t and h then), and
 * where its evaluations are kept: -1, if they are to be made again. */
typedef struct cnf_step_record {
  double t, h;
  int32_t first;    /* slot of stage 0: of first-same-as-last methods, that of the last stage of the step before */
  int32_t rest;     /* slot of the other stages that are kept, one after the other */
  int32_t interval; /* between neighbouring output times: 0 begins at t0, time_count ends at t1 */
  int32_t
      slopes; /* Adams methods: of its formula; less than CNF_ADAMS_LEAST: of the start; 0: of no length, and others' */
} cnf_step_record;

/* The slot of a stage that is kept. */
static inline int32_t cnf_kept_slot(const cnf_stages *s, const cnf_step_record *record, int32_t stage) {
  int32_t slot = record->rest;
  if (stage == 0) return record->first;
  for (int32_t i = 1; i < stage; i++) slot += cnf_is_kept(s, i);
  return slot;
}

/* What a step of a Rosenbrock method works on (forward/rosenbrock.h); no memory is taken for other methods. */
typedef struct cnf_implicit {
  real *matrix;                  /* [D][D]: 1/gamma - h J, then its factors */
  int32_t *pivot;                /* [D][lanes]: the row that was exchanged with row i */
  real *f;                       /* [D]: slope at the step's start */
  real *f_t;                     /* [D]: h df/dt there */
  real *integrands;              /* [3][S]: what is integrated beside the state, at the step's start, middle and end */
  real *x_bar, *f_bar, *f_t_bar; /* [D]: reverse: of the step's start, of f there, of f_t */
} cnf_implicit;

/* One thread's memory. Panels are [rows][lanes]. States have S rows: D of x, the log-determinant, and the integrals of the
 * regularisers over |dt| that the solver was created with. Slopes have those rows' derivatives by t. */
typedef struct cnf_worker {
  cnf_evaluator e;
  real *x, *x1;                                      /* [S]: at the step's start and end */
  real *k;                                           /* [stages][S]: slopes */
  real *h_row, *time_row, *mask_row, *sum_row, *row; /* [1] */
  /* lanes */
  int64_t sample[CNF_MAX_LANES]; /* within the chunk; -1: idle */
  double t[CNF_MAX_LANES], h[CNF_MAX_LANES];
  double planned[CNF_MAX_LANES];   /* adaptive: h before it was cut */
  int32_t interval[CNF_MAX_LANES]; /* of the step under way, between neighbouring output times */
  int32_t last[CNF_MAX_LANES];     /* 1: it ends where its interval does */
  int32_t unruly[CNF_MAX_LANES];   /* 1: the last attempt was rejected for not being finite */
  cnf_ratios past[CNF_MAX_LANES];
  int32_t step[CNF_MAX_LANES];      /* the step to be made, or in the adjoint to be reversed */
  int32_t next_slot[CNF_MAX_LANES]; /* of stage 0 of the step to be made: first-same-as-last */
  /* Adams methods (forward/adams.h) */
  real *history;                   /* [slopes][S]: a ring of slopes at steps' beginnings */
  real *one_row;                   /* [1]: ones */
  int32_t newest;                  /* place in the ring */
  double history_span;             /* length of the intervals whose steps the slopes are of, with its sign; 0: none */
  int32_t pending;                 /* reverse: how many slopes from the newest on have cotangents in the ring */
  int32_t slopes[CNF_MAX_LANES];   /* how many of them the lane's next formula may take */
  int32_t spent[CNF_MAX_LANES];    /* evaluations of the step just made */
  int32_t doubtful[CNF_MAX_LANES]; /* 1: its iteration did not converge */
  /* chunk, by sample within it */
  real *chunk_x1; /* [chunk][D] */
  double *chunk_log_det, *chunk_t, *chunk_smallest, *chunk_kinetic, *chunk_frobenius;
  int32_t *chunk_status, *chunk_accepted, *chunk_rejected, *chunk_evaluations, *chunk_reversed;
  double *chunk_loss, *chunk_log_det_bar;
  real *chunk_x1_bar; /* [chunk][D] */
  /* how the chunk's samples start, by sample within it (lanes/first_step.h) */
  int32_t *order;       /* [chunk]: in which they are loaded into lanes */
  double *start_h;      /* [chunk]: adaptive: length of the first step, with its sign; NaN: field not finite at x0 */
  real *start_slope;    /* [chunk][S]: first-same-as-last: of stage 0 */
  int32_t *start_slot;  /* [chunk]: its evaluation, likewise */
  real *start_constant; /* [chunk][constant_rows]: HUTCHINSON, adaptive: the lane's constants */
  cnf_step_record *record_step; /* record_of (lanes/lanes.h) says where a step's is */
  /* states at steps' starts (store/checkpoints.h); all but record_x are there for schedules other than EVERY_STEP alone */
  real *
      record_x; /* [capacity][chunk][record_rows]: checkpoints; of the continuous adjoint states at output times, or the track */
  real *own_x;                 /* [chunk][D]: each sample's own column */
  cnf_trail *trails;           /* [chunk] */
  cnf_checkpoint *checkpoints; /* [chunk][capacity] */
  /* evaluations (store/kept_evaluations.h) */
  real *
      scratch; /* [scratch_count] of a tile: those of the step under way, then of what dense output or a stiff way back adds */
  real *slots; /* [slot_capacity]: those that are kept */
  int32_t slots_used;
  /* adjoint */
  cnf_bars *bars;         /* [bar_sets] */
  cnf_reversed *reversed; /* [stages]: of the step under way */
  cnf_constants queue;    /* HUTCHINSON: sums of samples that are done, until a tile of them is */
  int32_t queued;
  real *lambda;    /* [D]: cotangent of the state at the step's end */
  real *stage_bar; /* [stages][D]: cotangents of the stages' states */
  real *mu_row, *stage_mu_row, *time_bar_row, *divergence_row, *h_bar_row, *t_bar_row; /* [1] */
  real *slope;                                                                         /* [D] scratch */
  real *kinetic_row, *frobenius_row, *stage_kinetic_row, *stage_frobenius_row;         /* [1] */
  double kinetic_bar, frobenius_bar; /* of the call: cotangents of the integrals over |dt| */
  double t0_bar[CNF_MAX_LANES], t1_bar[CNF_MAX_LANES];
  cnf_implicit implicit;
  /* continuous adjoint (backward/continuous.h): NULL for solvers without */
  real *pair, *pair1;          /* [2 D]: x, then a over its scale, at the step's start and end */
  real *pair_k;                /* [stages][2 D]: slopes */
  real *held_md1;              /* EXACT_PRODUCT: [m_rows] */
  real *gradient_before;       /* [gradient_size]: the chunk's gradient before it */
  real *discarded;             /* [gradient_size]: where callbacks add what a trial gives; NULL where there are none */
  double scale[CNF_MAX_LANES]; /* of the sample's cotangents, a power of two */
  int32_t tries[CNF_MAX_LANES];
  int32_t fresh[CNF_MAX_LANES]; /* 1: the step under way is the first from its interval's end */
  cnf_constants discarded_sums; /* its sums alone */
  real *discarded_context;      /* [context_dim] */
  cnf_work work;                /* of the call under way */
  /* spans (lanes/spans.h): whence, whither and by which times the samples in the lanes go */
  int64_t first; /* sample of the call that the chunk begins with */
  double span_t0[CNF_MAX_LANES], span_t1[CNF_MAX_LANES];
  real direction[CNF_MAX_LANES];           /* -1 where t1 < t0, else 1 */
  const double *span_times[CNF_MAX_LANES]; /* [time_count] */
  /* reversible_heun (backward/reversible_heun.h); no memory is taken for other methods */
  real *y, *y1;                /* [D]: at the step's start and end */
  real *kappa, *phi;           /* [D]: dL/dy, dL/df, on the way back */
  real *chunk_y;               /* [chunk][D]: y where the sample's last step has ended */
  double *chunk_retrace_error; /* [chunk] */
  double later_h[CNF_MAX_LANES],
      later_mu[CNF_MAX_LANES]; /* h/2 of the step that begins at the held point; times its mu */
  int32_t held[CNF_MAX_LANES]; /* 1: the lane holds the evaluation where step `step` ends */
  /* dense output (forward/dense_output.h) */
  real *dense; /* [terms + 1][D+1]: coefficients of the step just made; then scratch */
  double made_t[CNF_MAX_LANES], made_h[CNF_MAX_LANES]; /* where that step began, and its length */
  /* events (forward/events.h) */
  real *event_x, *event_bar;                       /* [D]: scratch; dg/dx */
  double event_g[CNF_MOST_EVENTS][CNF_MAX_LANES];  /* at the step's start */
  double event_g1[CNF_MOST_EVENTS][CNF_MAX_LANES]; /* at the attempt's end */
  double event_t[CNF_MAX_LANES];                   /* scratch */
  int32_t seeks[CNF_MAX_LANES];                    /* 1 + the event that the lane looks for; 0: none */
  int32_t stops[CNF_MAX_LANES];                    /* the event it has found; -1: none */
  int32_t crossing[CNF_MAX_LANES];                 /* the first event over the attempt; -1: none */
  int32_t event_again[CNF_MAX_LANES];              /* 1: the far end of the search's bracket is tried once more */
  int32_t event_switches[CNF_MAX_LANES];           /* from one event to another, in this step */
  double crossing_place[CNF_MAX_LANES];            /* where it is on the interpolant, a fraction */
  double chord[CNF_MAX_LANES];                     /* dh/dg over the step; 0: used */
  cnf_bracket bracket[CNF_MAX_LANES];              /* lengths of the step */
  int32_t *chunk_event, *chunk_interval;           /* [chunk]: that ended the sample, -1: none; in which interval */
  double *chunk_event_bar;                         /* [chunk]: what the last step's t gains */
  int32_t *chunk_verdict;       /* [chunk]: statuses to go back with, once more (backward/chunk.h) */
  int32_t track[CNF_MAX_LANES]; /* Rosenbrock, continuous adjoint: the step of the way forward that the lane is in */
} cnf_worker;

/* Partial gradients on their way into one (call/partial_gradients.h). */
typedef struct cnf_partials {
  real *memory; /* [CNF_MAX_GROUPS][gradient_size]: address space, of which as much is touched as is in use at once */
  int32_t lock;
  int32_t free[CNF_MAX_GROUPS], free_count;
  int32_t groups;
  int32_t buffer[2 * CNF_MAX_GROUPS]; /* by node of the tree, level after level */
  int32_t met[2 * CNF_MAX_GROUPS];    /* by pair of nodes: 1: one of them is there */
  int32_t root;                       /* buffer of the sum of all */
} cnf_partials;

struct CNF_TYPED(cnf_solver) {
  cnf_model model;
  cnf_solver_options options;  /* resolved: no field stands for a default; tolerances of rows are the arrays below */
  real *rtol, *atol;           /* [D+1]: of each row of the state, and of the log-determinant */
  real *pair_rtol, *pair_atol; /* [2 D]: continuous adjoint: of x, then of a over its scale */
  cnf_stages stages;
  cnf_stages advance; /* the same for states alone, stage 0 included: no divergence, no error */
  cnf_schedule_rule rule;
  int32_t chunk_capacity;  /* samples */
  int32_t record_capacity; /* steps of a sample */
  int32_t record_rows;     /* of the state that a record has: D, or all S; of the track 3 D */
  int32_t slot_capacity;   /* evaluations that a worker can keep: of a tile where steps are fixed, else of a sample */
  size_t slot_size;        /* reals of one */
  int32_t constant_rows;   /* a lane's constants, in reals */
  int32_t bar_sets;        /* stages whose cotangents are held at once */
  int32_t family;          /* cnf_family; `stages` are those of the start of an Adams method */
  cnf_worker *workers;     /* [threads] */
  cnf_partials partials;
  double *grid; /* [record_capacity + 1]: step fractions that batch control has found */
  char *memory, *reserved;
  size_t bytes, bytes_reserved;
  cnf_interpolant interpolant; /* of dense output */
  int32_t scratch_count;       /* evaluations that a tile has room for, beside those kept */
};

/* The call under way; read-only for workers but for their own samples' outputs. */
typedef struct cnf_call {
  cnf_engine *solver;
  const cnf_solve_input *input;
  cnf_solve_output *output; /* may be NULL */
  const cnf_loss *loss;     /* NULL: solve only */
  cnf_gradient *gradient;
  const double *fractions; /* fixed steps: [steps + 1], or NULL: equal; of the one interval */
  int32_t steps;           /* fixed steps: how many in an interval; 0: adaptive */
  int32_t time_count;      /* output times; the intervals are one more */
  int64_t chunk, group;    /* samples; group is a multiple of chunk's lanes */
  int32_t want_times;
  int32_t keeps;       /* 1: steps are recorded for their reverse, with the states that the schedule holds */
  int32_t keeps_times; /* 1: they are recorded, without */
  int32_t steps_refused, evaluations; /* CNF_CONTROL_BATCH: of the search for the steps */
  int32_t callback_failed;            /* written atomically */
  int32_t want_dense;
  int32_t event_count;
  const cnf_event *events;
  int32_t keeps_track; /* 1: steps are kept, with what x(t) between their ends is made of (store/forward_path.h) */
} cnf_call;

#endif
