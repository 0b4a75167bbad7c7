/* Dense output: how a method's steps are interpolated, as data.
 *
 * With theta from 0 to 1 over a step of h from x to x', D = x' - x and f, f' the slopes at its ends,
 *     u(theta) = cubic Hermite of (x, f), (x', f')  +  theta^2 (1 - theta)^2 h sum_n theta^n sum_i d_ni k_i:
 * continuous with its derivative from step to step whatever d is, and of order 3 without d (Hairer, Norsett and Wanner, Solving
 * ODEs I, II.6). A method of order 4 or more may have d, made so that u is of a higher order; Dormand's and Prince's and
 * Tsitouras's own interpolants have this form, with one row of d. Stages may be added for them, evaluated where dense output is
 * asked for alone.
 *
 * In powers of theta, c_0 = x and with B_n = h sum_i d_ni k_i:
 *     c_1 = h f,   c_2 = 3 D - 2 h f - h f' + B_0,   c_3 = -2 D + h f + h f' + B_1 - 2 B_0,   c_p = B_(p-2) - 2 B_(p-3) + B_(p-4).
 * A method of order 1 has the chord, c_1 = D; one of order 2 the parabola c_1 = h f, c_2 = D - h f, which satisfies the
 * conditions of order 2 as its own weights do. Rosenbrock's is made of its stages (HW II, IV.7): with E_2 = h sum h2_i k_i and E_3
 * likewise, u = x + theta D + theta (1 - theta) (E_2 + theta E_3).
 */
#ifndef CNF_SOLVE_METHODS_DENSE_H
#define CNF_SOLVE_METHODS_DENSE_H

#include "solve/methods/tableau.h"

#define CNF_DENSE_ADDED 4 /* stages at most */
#define CNF_DENSE_ROWS 4  /* of d at most */
#define CNF_DENSE_TERMS (4 + CNF_DENSE_ROWS)
#define CNF_DENSE_SLOPES \
  (CNF_MAX_STAGES + 1 + CNF_DENSE_ADDED) /* a method's, the one at the step's end, the added ones */

/* What a method has beyond cubic Hermite. Slopes are numbered as stages; of a method that is not first-same-as-last, the one
 * at the step's end follows its last stage; added ones follow that. */
typedef struct cnf_dense_data {
  const char *method, *citation;
  int32_t order, added, rows;
  double a[CNF_DENSE_ADDED][CNF_DENSE_SLOPES];
  double d[CNF_DENSE_ROWS][CNF_DENSE_SLOPES];
} cnf_dense_data;

typedef enum cnf_dense_form {
  CNF_DENSE_CHORD,
  CNF_DENSE_PARABOLA,
  CNF_DENSE_HERMITE,
  CNF_DENSE_ROSENBROCK
} cnf_dense_form;

/* How the steps of one method are interpolated. */
typedef struct cnf_interpolant {
  cnf_dense_form form;
  int32_t order;              /* errors within a step are of h^(order + 1) */
  int32_t terms;              /* powers of theta, the 0th included */
  int32_t end;                /* HERMITE: number of the slope at the step's end */
  const cnf_dense_data *data; /* NULL: none */
  const char *citation;
} cnf_interpolant;

cnf_interpolant cnf_interpolant_of(const cnf_tableau *t);

/* Slopes beyond the method's own stages: the one at the step's end where it is none of them, and the added ones. */
static inline int32_t cnf_interpolant_slopes(const cnf_interpolant *in, int32_t stages) {
  if (in->form != CNF_DENSE_HERMITE) return 0;
  return (in->end >= stages) + (in->data ? in->data->added : 0);
}

#endif
