/* The solver of one dtype, its call under way, and the records of accepted steps. Types alone; compiled once per
 * dtype by solve/call/solver_f32.c and solver_f64.c. */
#ifndef CNF_SOLVE_SOLVER_H
#define CNF_SOLVE_SOLVER_H
#include "field/evaluator.h"
#include "host/threads.h"
#include "solve/methods/adams.h"
#include "solve/decide/event_bracket.h"
#include "solve/decide/event_scan.h"
#include "solve/decide/step_control.h"
#include "solve/methods/dense.h"
#include "solve/methods/families.h"
#include "solve/call/entry.h"
#include "solve/decide/checkpoint_schedule.h"
#include "solve/methods/stages.h"

#define CNF_MAX_CHUNK_TILES 8 /* tiles of a chunk at most, where steps are adaptive */
#define CNF_MAX_GROUPS 64     /* partial gradients of a call at most */

/* The solver of this dtype, as the code of this dtype calls it. */
typedef struct CNF_TYPED(cnf_solver) cnf_engine;

/* One accepted step of one sample; where steps are fixed, of a whole tile (step_of in solve/lanes/step_times.h then has
 * each sample's t and h). A slot says where its evaluations are kept; -1: they are recomputed. */
typedef struct cnf_step_record {
  double t, h;
  int32_t first;    /* slot of stage 0; first-same-as-last methods: that of the last stage of the step before */
  int32_t rest;     /* slot of the first of the other stages that are kept; the others follow */
  int32_t interval; /* between neighbouring output times: 0 begins at t0, time_count ends at t1 */
  /* Adams methods: how many slopes the formula uses. Below CNF_ADAMS_LEAST: a starting step; 0: a step of no length.
   * Other families: always 0. */
  int32_t slopes;
} cnf_step_record;

/* The slot of a stage that is kept. */
static inline int32_t cnf_kept_slot(const cnf_stages *s, const cnf_step_record *record, int32_t stage) {
  int32_t slot = record->rest;
  if (stage == 0) return record->first;
  for (int32_t i = 1; i < stage; i++) slot += cnf_is_kept(s, i);
  return slot;
}

typedef struct cnf_family_code cnf_family_code; /* functions of a family of methods: solve/family.h */
typedef struct cnf_worker cnf_worker;           /* one thread's memory: solve/worker.h */

/* Partial gradients on their way into one (solve/call/partial_gradients.h). */
typedef struct cnf_partials {
  real *memory; /* [capacity.partials][gradient_size] */
  int32_t lock;
  int32_t free[CNF_MAX_GROUPS], free_count;
  int32_t groups;
  int32_t buffer[2 * CNF_MAX_GROUPS]; /* [node of the tree], level after level */
  int32_t met[2 * CNF_MAX_GROUPS];    /* [pair of nodes]: 1: one of the two is there */
  int32_t root;                       /* buffer of the sum of all */
} cnf_partials;

/* What is reserved for what calls keep (solve/call/reserve.h). For each worker, except for `partials`. */
typedef struct cnf_capacity {
  int64_t workers;
  int64_t chunk;       /* samples of a chunk */
  int64_t records;     /* of steps */
  int64_t slots;       /* evaluations */
  int64_t states;      /* of each sample of a chunk */
  int64_t checkpoints; /* of each sample of a chunk: entries of its list */
  int64_t partials;    /* partial gradients */
} cnf_capacity;

struct CNF_TYPED(cnf_solver) {
  cnf_model model;
  cnf_solver_options options;  /* no member stands for a default; the tolerances of rows are in the arrays below */
  real *rtol, *atol;           /* [D+1]: of each row of the state, then of the log-determinant */
  real *pair_rtol, *pair_atol; /* [2 D]: continuous adjoint: of x, then of a over its scale */
  int32_t rtol_raised;         /* 1: a relative tolerance was below what the dtype can meet, and has been raised */
  cnf_stages stages;
  cnf_stages advance; /* the same for states alone: stage 0 included, no divergence, no error estimate */
  cnf_schedule_rule rule;
  int32_t chunk_capacity;  /* samples of a chunk at most */
  int32_t record_capacity; /* steps of a sample at most */
  int32_t record_rows;     /* rows of a recorded state: D; all S; or 3 D of the forward path */
  int32_t slot_capacity;   /* evaluations that a worker can keep: of a tile where steps are fixed, else of one sample */
  size_t slot_size;        /* reals of a slot */
  int32_t constant_rows;   /* reals of a lane's constants of the solve */
  int32_t bar_sets;        /* evaluations whose cotangents are held at once */
  const cnf_family_rules *rules; /* of the method's family; `stages` are those of the method that a solve starts with */
  const cnf_family_code *code;
  cnf_worker *workers; /* [threads] */
  cnf_partials partials;
  double *grid;            /* [record_capacity + 1]: batch control: the steps that it has found, as fractions */
  char *memory, *reserved; /* NULL: nothing is reserved yet */
  size_t bytes, bytes_reserved;
  cnf_capacity capacity;
  cnf_threads *threads;        /* options.threads of them */
  cnf_interpolant interpolant; /* how dense output is interpolated */
  int32_t scratch_count;       /* evaluations of a tile that there is room for, besides those kept */
};

/* The call under way. Workers read it, and write the outputs of their own samples. */
typedef struct cnf_call {
  cnf_engine *solver;
  const cnf_solve_input *input;
  cnf_solve_output *output; /* may be NULL */
  const cnf_loss *loss;     /* NULL: solve only */
  cnf_gradient *gradient;
  const double *fractions; /* fixed steps: [steps + 1], of the one interval; NULL: equal steps */
  int32_t steps;           /* fixed steps: their number in an interval; 0: adaptive */
  int32_t time_count;      /* output times; there is one interval more */
  int64_t chunk, group;    /* samples of a chunk; of a group, which is a multiple of a chunk */
  int32_t want_times;
  int32_t keeps;       /* 1: steps are recorded for the backward pass, with the states that the schedule keeps */
  int32_t keeps_times; /* 1: steps are recorded, without states */
  int32_t steps_rejected, evaluations; /* CNF_CONTROL_BATCH: of the search for the steps */
  int32_t callback_failed;             /* written atomically */
  int32_t *cancelled; /* 1: the host has ended the call; read and written atomically; NULL: it cannot */
  int32_t want_dense;
  int32_t event_count;
  const cnf_event *events;
  int32_t keeps_path; /* 1: steps are recorded, with what x(t) within them is made of (solve/store/forward_path.h) */
} cnf_call;

#endif
