/* A solver of one dtype: model, per-thread workers, and the call under way. */
#ifndef CNF_SOLVE_SOLVER_H
#define CNF_SOLVE_SOLVER_H
#include "field/evaluator.h"
#include "solve/entry.h"
#include "solve/stages.h"

#define CNF_MAX_LANES 32
#define CNF_MAX_CHUNK_TILES 8 /* of an adaptive solve */
#define CNF_MAX_GROUPS 64

/* One accepted step of one sample. */
typedef struct cnf_step_record {
  double t, h;
} cnf_step_record;

/* One thread's memory. Panels are [rows][lanes]; the log-determinant is row D of states and slopes. */
typedef struct CNF_TYPED(cnf_worker) {
  CNF_TYPED(cnf_evaluator) e;
  real *x, *x1;                                      /* [D+1]: at the step's start and end */
  real *k;                                           /* [stages][D+1]: slopes; row D is the divergence */
  real *probes;                                      /* [K][D] */
  real *zeros;                                       /* [D+1] */
  real *h_row, *time_row, *mask_row, *sum_row, *row; /* [1] */
  /* lanes */
  int64_t sample[CNF_MAX_LANES]; /* within the chunk; -1: idle */
  double t[CNF_MAX_LANES], h[CNF_MAX_LANES];
  int32_t last[CNF_MAX_LANES];   /* 1: the step under way ends at t1 */
  int32_t unruly[CNF_MAX_LANES]; /* 1: the last attempt was rejected for not being finite */
  int32_t fresh[CNF_MAX_LANES];  /* 1: loaded, not started */
  int32_t step[CNF_MAX_LANES];   /* adjoint: the step to be reversed; fixed: the step to be made */
  /* chunk, by sample within it */
  real *chunk_x1; /* [chunk][D] */
  double *chunk_log_det, *chunk_t;
  int32_t *chunk_status, *chunk_accepted, *chunk_rejected, *chunk_evaluations;
  double *chunk_loss, *chunk_log_det_bar;
  real *chunk_x1_bar; /* [chunk][D] */
  /* records: step n of sample s at n*chunk + s */
  cnf_step_record *record_step;
  real *record_x; /* [..][D] */
  /* adjoint */
  real *stage_value, *stage_aux; /* [stages][value_rows], [stages][aux_rows] */
  real *lambda;                  /* [D]: cotangent of the state at the step's end */
  real *stage_bar;               /* [stages][D]: cotangents of the stages' states */
  real *mu_row, *stage_mu_row, *time_bar_row, *divergence_row, *h_bar_row, *t_bar_row; /* [1] */
  real *slope;                                                                         /* [D] scratch */
  double t0_bar[CNF_MAX_LANES], t1_bar[CNF_MAX_LANES];
} CNF_TYPED(cnf_worker);

struct CNF_TYPED(cnf_solver) {
  CNF_TYPED(cnf_model) model;
  cnf_solver_options options; /* resolved: no field stands for a default */
  cnf_stages stages;
  int32_t chunk_capacity;  /* samples */
  int32_t record_capacity; /* steps of a sample */
  int32_t group_capacity;
  CNF_TYPED(cnf_worker) * workers; /* [threads] */
  real *partials;                  /* [group_capacity][gradient_size] */
  double *grid;                    /* [record_capacity + 1]: step fractions that batch control has found */
  char *memory, *reserved;
  size_t bytes, bytes_reserved;
};

/* The call under way; read-only for workers but for their own samples' outputs. */
typedef struct CNF_TYPED(cnf_call) {
  CNF_TYPED(cnf_solver) * solver;
  const cnf_solve_input *input;
  cnf_solve_output *output; /* may be NULL */
  const cnf_loss *loss;     /* NULL: solve only */
  cnf_gradient *gradient;
  const double *fractions; /* fixed steps: [steps + 1], or NULL: equal */
  int32_t steps;           /* fixed steps: how many; 0: adaptive */
  int64_t chunk, group;    /* samples; group is a multiple of chunk's lanes */
  int32_t want_times;
  int32_t steps_refused, evaluations; /* CNF_CONTROL_BATCH: of the search for the steps */
  int32_t callback_failed;            /* written atomically */
} CNF_TYPED(cnf_call);

#endif
