/* Interpolants of methods that have more than cubic Hermite. A new one is one entry here. Tests/C/dense_order_test.c
 * checks its order conditions by algebra, dense_test.c measures its convergence. */
#include "solve/methods/dense.h"
#include "solve/methods/dense_coefficients.h"
#include "solve/methods/families.h"
#include <stddef.h>
#include <string.h>

static const cnf_dense_data listed[] = {
    {.method = "dopri5",
     .citation = "Shampine; Hairer, Norsett and Wanner, Solving ODEs I, II.6: the code DOPRI5's",
     .order = 4,
     .rows = 1,
     .d = {{-12715105075.0 / 11282082432.0, 0, 87487479700.0 / 32700410799.0, -10690763975.0 / 1880347072.0,
            701980252875.0 / 199316789632.0, -1453857185.0 / 822651844.0, 69997945.0 / 29380423.0}}},
    /* the paper's b_i(theta) less Hermite's, over theta^2 (1 - theta)^2: their coefficients of theta^4 */
    {.method = "tsit5",
     .citation = "Tsitouras 2011, Comput. Math. Appl. 62(2): the free interpolant",
     .order = 4,
     .rows = 1,
     .d = {{-1.0530884977290216, 0.1017, 2.490627285651252793, -16.54810288924490272, 47.37952196281928122,
            -34.87065786149660974, 2.5}}},
    {.method = "vern7",
     .citation = "by the order conditions, two stages added (Scripts/make_dense_coefficients.py)",
     .order = 6,
     .added = 2,
     .rows = 3,
     .a = CNF_DENSE_VERN7_A,
     .d = CNF_DENSE_VERN7_D},
    {.method = "dopri8",
     .citation = "by the order conditions, four stages added (Scripts/make_dense_coefficients.py)",
     .order = 7,
     .added = 4,
     .rows = 4,
     .a = CNF_DENSE_DOPRI8_A,
     .d = CNF_DENSE_DOPRI8_D},
};

static const cnf_dense_data *data_of(const char *method) {
  for (size_t i = 0; i < sizeof listed / sizeof listed[0]; i++)
    if (strcmp(listed[i].method, method) == 0) return &listed[i];
  return NULL;
}

cnf_interpolant cnf_interpolant_of(const cnf_tableau *t) {
  if (t->rosenbrock)
    return (cnf_interpolant){.form = CNF_DENSE_ROSENBROCK,
                             .order = 3,
                             .terms = 4,
                             .citation = "Hairer and Wanner, Solving ODEs II, IV.7: the code RODAS's"};
  const int multistep = cnf_family_rules_of(t->family)->equal_steps;
  if (!multistep && t->order <= 2)
    return (cnf_interpolant){.form = t->order == 1 ? CNF_DENSE_CHORD : CNF_DENSE_PARABOLA,
                             .order = t->order,
                             .terms = t->order + 1,
                             .citation = t->order == 1 ? "the chord" : "the parabola through both ends"};
  const cnf_dense_data *data = data_of(t->name);
  cnf_interpolant in = {.form = CNF_DENSE_HERMITE,
                        .order = data ? data->order : 3,
                        .terms = 4 + (data ? data->rows : 0),
                        .data = data,
                        .citation = data ? data->citation : "cubic Hermite"};
  /* Adams: the slope at the start is in the history; the start's stages are free for the one at the end */
  in.end = multistep ? 1 : t->stages - cnf_tableau_is_fsal(t);
  return in;
}
