/* A method as data, and the list of all methods. */
#ifndef CNF_SOLVE_METHODS_TABLEAU_H
#define CNF_SOLVE_METHODS_TABLEAU_H

#include "cnf.h"

#define CNF_MAX_STAGES 13
#define CNF_ROSENBROCK_STAGES 6
#define CNF_ROSENBROCK_ROWS \
  512 /* D at most of a Rosenbrock method: a tile's matrix is [D][D][lanes], 32 MB of 32 floats */

/* What a Rosenbrock method has besides a, b and e, of its transformed stages (solve/forward/rosenbrock.h). */
typedef struct cnf_rosenbrock {
  double gamma;                                    /* of every stage */
  double c[CNF_ROSENBROCK_STAGES][CNF_MAX_STAGES]; /* strictly lower triangular: diag(1/gamma) - Gamma^-1 */
  double alpha[CNF_ROSENBROCK_STAGES];             /* stage i is at t + alpha_i h */
  double d[CNF_ROSENBROCK_STAGES];                 /* weights of df/dt: row sums of Gamma */
  double h2[CNF_ROSENBROCK_STAGES],
      h3[CNF_ROSENBROCK_STAGES]; /* dense output, order 3: E_2 and E_3 of solve/methods/dense.h */
} cnf_rosenbrock;

/* A partitioned method: a and b of the second half of rows, the momenta. The tableau has those of the first half, the
 * positions. */
typedef struct cnf_momenta {
  double a[CNF_MAX_STAGES][CNF_MAX_STAGES]; /* strictly lower triangular */
  double b[CNF_MAX_STAGES];
} cnf_momenta;

/* A method as data. runge_kutta.c, partitioned.c, reversible_heun.c and rosenbrock.c of this folder have the
 * coefficients; adams.c has formulas, and methods with 0 stages. There are no other tables of coefficients in the
 * project. */
typedef struct cnf_tableau {
  const char *name, *alias, *citation; /* alias: another name, or NULL */
  int32_t family;                      /* cnf_family */
  int32_t order, embedded_order, stages;
  double a[CNF_MAX_STAGES][CNF_MAX_STAGES]; /* strictly lower triangular */
  double b[CNF_MAX_STAGES];
  double e[CNF_MAX_STAGES];         /* b minus the embedded weights; zero where embedded_order is 0 */
  const cnf_rosenbrock *rosenbrock; /* of CNF_FAMILY_ROSENBROCK; else NULL */
  const cnf_momenta *momenta;       /* of CNF_FAMILY_PARTITIONED; else NULL */
} cnf_tableau;

/* The half of the rows that a stage's slope moves; BOTH: it moves all of them. */
typedef enum cnf_half { CNF_HALF_BOTH = 0, CNF_HALF_POSITIONS = 1, CNF_HALF_MOMENTA = 2 } cnf_half;
cnf_half cnf_tableau_half(const cnf_tableau *t, int32_t stage);

/* All methods, numbered from 0. */
int32_t cnf_tableau_count(void);
const cnf_tableau *cnf_tableau_at(int32_t index);          /* NULL out of range */
double cnf_tableau_c(const cnf_tableau *t, int32_t stage); /* the stage is at t + c h */
int32_t cnf_tableau_is_fsal(const cnf_tableau *t);         /* first-same-as-last, or the family carries its slope */
/* The size of C, where the first step of x' = z x with h = 1 has the error estimate (C z^k + O(z^(k+1))) x and k is the
 * embedded order + 1. Of a method with an error estimate. */
double cnf_tableau_error_constant(const cnf_tableau *t);

#endif
