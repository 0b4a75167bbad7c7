/* One row a family: add one here for a new value of cnf_family, and its functions in call/families.h. */
#include "solve/methods/families.h"
#include "solve/methods/adams.h"
#include "solve/methods/tableau.h"

static const cnf_family_rules rules[] = {
    [CNF_FAMILY_RUNGE_KUTTA] = {.recomputes = 1,
                                .keeps_evaluations = 1,
                                .adjoints = {[CNF_ADJOINT_REVERSIBLE] = CNF_ERROR_REVERSIBLE}},
    [CNF_FAMILY_PARTITIONED] = {.halves = 1,
                                .recomputes = 1,
                                .keeps_evaluations = 1,
                                .adjoints = {[CNF_ADJOINT_REVERSIBLE] = CNF_ERROR_REVERSIBLE}},
    [CNF_FAMILY_EXPLICIT_ADAMS] = {.start = CNF_ADAMS_START,
                                   .equal_steps = 1,
                                   .all_rows = 1,
                                   .events = CNF_ERROR_EVENT_METHOD,
                                   .adjoints = {[CNF_ADJOINT_REVERSIBLE] = CNF_ERROR_REVERSIBLE}},
    [CNF_FAMILY_IMPLICIT_ADAMS] = {.start = CNF_ADAMS_START,
                                   .equal_steps = 1,
                                   .iterates = 1,
                                   .events = CNF_ERROR_EVENT_METHOD,
                                   .adjoints = {[CNF_ADJOINT_REVERSIBLE] = CNF_ERROR_REVERSIBLE},
                                   .gradients = {[CNF_ADJOINT_DISCRETE] = CNF_ERROR_METHOD_GRADIENT}},
    [CNF_FAMILY_ROSENBROCK] = {.most_rows = CNF_ROSENBROCK_ROWS,
                               .jacobian = 1,
                               .keeps_path = 1,
                               .adjoints = {[CNF_ADJOINT_REVERSIBLE] = CNF_ERROR_REVERSIBLE}},
    [CNF_FAMILY_REVERSIBLE] = {.carries_slope = 1,
                               .pass_leaves_store = 1,
                               .events = CNF_ERROR_EVENT_METHOD,
                               .batch = CNF_ERROR_REVERSIBLE,
                               .adjoints = {[CNF_ADJOINT_CONTINUOUS] = CNF_ERROR_REVERSIBLE}},
};

const cnf_family_rules *cnf_family_rules_of(int32_t family) { return &rules[family]; }
