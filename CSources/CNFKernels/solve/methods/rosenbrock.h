#ifndef CNF_SOLVE_METHODS_ROSENBROCK_H
#define CNF_SOLVE_METHODS_ROSENBROCK_H

#include <stdint.h>

#define CNF_ROSENBROCK_STAGES 6
#define CNF_ROSENBROCK_ROWS 512 /* D at most: a tile's matrix is [D][D][lanes], 32 MB of 32 floats */

/* What a Rosenbrock method has beside a tableau's a, b and e, which belong to its transformed stages (forward/rosenbrock.h). */
typedef struct cnf_rosenbrock {
  double gamma;                                                /* of every stage */
  double c[CNF_ROSENBROCK_STAGES][CNF_ROSENBROCK_STAGES];      /* strictly lower triangular: diag(1/gamma) - Gamma^-1 */
  double alpha[CNF_ROSENBROCK_STAGES];                         /* stage i is at t + alpha_i h */
  double d[CNF_ROSENBROCK_STAGES];                             /* of df/dt: row sums of Gamma */
  double h2[CNF_ROSENBROCK_STAGES], h3[CNF_ROSENBROCK_STAGES]; /* dense output, order 3 */
} cnf_rosenbrock;

struct cnf_tableau;
int32_t cnf_rosenbrock_count(void);
const struct cnf_tableau *cnf_rosenbrock_at(int32_t index); /* NULL out of range */

#endif
