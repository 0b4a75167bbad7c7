/* The reversible Heun method; solve/forward/reversible_heun.h makes its steps. */
#include "solve/methods/families.h"

static const cnf_tableau methods[] = {
    /* x' = x + h sum b_i k_i. From the second step on, k_1 is carried over and k_2 is not at the place that a says
     * (solve/forward/reversible_heun.h). The error is against x + h k_1, as in diffrax. */
    {.name = "reversible_heun",
     .citation = "Kidger, Foster, Li and Lyons 2021, arXiv 2105.13493, algorithm 1",
     .family = CNF_FAMILY_REVERSIBLE,
     .order = 2,
     .embedded_order = 1,
     .stages = 2,
     .a = {{0}, {1}},
     .b = {1.0 / 2, 1.0 / 2},
     .e = {-1.0 / 2, 1.0 / 2}},
};

const cnf_family_rules cnf_reversible_family = {.methods = methods,
                                                .method_count = sizeof methods / sizeof methods[0],
                                                .carries_slope = 1,
                                                .pass_leaves_store = 1,
                                                .events = CNF_ERROR_EVENT_METHOD,
                                                .batch = CNF_ERROR_REVERSIBLE,
                                                .adjoints = {[CNF_ADJOINT_CONTINUOUS] = CNF_ERROR_REVERSIBLE}};
