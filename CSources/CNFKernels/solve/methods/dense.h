/* Dense output: how a method's steps are interpolated, as data.
 *
 * Notation: theta runs from 0 to 1 over a step of length h from x to x'; D = x' - x; f and f' are the slopes at its
 * ends. The interpolant is
 *     u(theta) = cubic Hermite of (x, f), (x', f')  +  theta^2 (1 - theta)^2 h sum_n theta^n sum_i d_ni k_i.
 * It is continuous with its derivative from step to step for any d. Without d it is of order 3 (Hairer, Norsett and
 * Wanner, Solving ODEs I, II.6). A method of order 4 or more may have d, chosen so that u is of a higher order. The
 * interpolants of Dormand and Prince and of Tsitouras have this form, with one row of d. d may need more stages, which
 * are evaluated only for dense output.
 *
 * In powers of theta, c_0 = x and with B_n = h sum_i d_ni k_i:
 *     c_1 = h f,   c_2 = 3 D - 2 h f - h f' + B_0,   c_3 = -2 D + h f + h f' + B_1 - 2 B_0,
 *     c_p = B_(p-2) - 2 B_(p-3) + B_(p-4) for p > 3.
 * A method of order 1 has the chord, c_1 = D. A method of order 2 has the parabola c_1 = h f, c_2 = D - h f, which
 * satisfies the conditions of order 2 as the method's weights do. A Rosenbrock method is interpolated by its stages
 * (Hairer and Wanner II, IV.7): with E_2 = h sum h2_i k_i and E_3 = h sum h3_i k_i, u = x + theta D + theta (1 - theta)
 * (E_2 + theta E_3).
 */
#ifndef CNF_SOLVE_METHODS_DENSE_H
#define CNF_SOLVE_METHODS_DENSE_H

#include "solve/methods/tableau.h"

#define CNF_DENSE_ADDED 4 /* added stages at most */
#define CNF_DENSE_ROWS 4  /* rows of d at most */
#define CNF_DENSE_TERMS (4 + CNF_DENSE_ROWS)
#define CNF_DENSE_SLOPES \
  (CNF_MAX_STAGES + 1 + CNF_DENSE_ADDED) /* slopes: a method's own, the one at the step's end, the added ones */

/* What a method has besides cubic Hermite. Slopes are numbered as stages. Then comes the slope at the step's end,
 * unless the last stage is that; then the added ones. */
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
  int32_t terms;              /* powers of theta, theta^0 included */
  int32_t end;                /* HERMITE: number of the slope at the step's end */
  const cnf_dense_data *data; /* NULL: none */
  const char *citation;
} cnf_interpolant;

cnf_interpolant cnf_interpolant_of(const cnf_tableau *t);

/* Slopes besides the method's own stages: the one at the step's end, unless a stage is that, and the added ones. */
static inline int32_t cnf_interpolant_slopes(const cnf_interpolant *in, int32_t stages) {
  if (in->form != CNF_DENSE_HERMITE) return 0;
  return (in->end >= stages) + (in->data ? in->data->added : 0);
}

#endif
