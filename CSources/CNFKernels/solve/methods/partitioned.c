/* Partitioned methods, for states of positions and momenta. A new one is one entry here: a and b move the positions,
 * `momenta` moves the momenta. */
#include "solve/methods/families.h"

/* The halves take turns: a stage's slope moves one half of the rows, and the next stage is evaluated where both halves
 * then are. */
#define CNF_CUBE_ROOT_2 1.2599210498948731648
#define CNF_OUTER (1 / (2 - CNF_CUBE_ROOT_2))                /* Yoshida's x1 */
#define CNF_INNER (-CNF_CUBE_ROOT_2 / (2 - CNF_CUBE_ROOT_2)) /* and x0: 2 x1 + x0 = 1, 2 x1^3 + x0^3 = 0 */
#define CNF_BETWEEN ((CNF_OUTER + CNF_INNER) / 2)

static const cnf_momenta kick_first = {.a = {{0}, {1}}, .b = {1, 0}};
static const cnf_momenta kick_drift_kick = {.a = {{0}, {1.0 / 2}, {1.0 / 2}}, .b = {1.0 / 2, 0, 1.0 / 2}};
static const cnf_momenta drift_kick_drift = {.a = {{0}, {0}, {0, 1}}, .b = {0, 1, 0}};
static const cnf_momenta yoshida_kicks = {.a = {{0},
                                                {CNF_OUTER / 2},
                                                {CNF_OUTER / 2},
                                                {CNF_OUTER / 2, 0, CNF_BETWEEN},
                                                {CNF_OUTER / 2, 0, CNF_BETWEEN},
                                                {CNF_OUTER / 2, 0, CNF_BETWEEN, 0, CNF_BETWEEN},
                                                {CNF_OUTER / 2, 0, CNF_BETWEEN, 0, CNF_BETWEEN}},
                                          .b = {CNF_OUTER / 2, 0, CNF_BETWEEN, 0, CNF_BETWEEN, 0, CNF_OUTER / 2}};

static const cnf_tableau methods[] = {
    {.name = "symplectic_euler",
     .citation = "de Vogelaere 1956; Hairer, Lubich and Wanner, Geometric Numerical Integration, VI.3",
     .family = CNF_FAMILY_PARTITIONED,
     .order = 1,
     .stages = 2,
     .b = {0, 1},
     .momenta = &kick_first},
    {.name = "leapfrog",
     .alias = "stormer_verlet",
     .citation = "Verlet 1967, Phys. Rev. 159(1); velocity form: Swope et al. 1982, J. Chem. Phys. 76(1)",
     .family = CNF_FAMILY_PARTITIONED,
     .order = 2,
     .stages = 3,
     .a = {{0}, {0}, {0, 1}},
     .b = {0, 1, 0},
     .momenta = &kick_drift_kick},
    {.name = "position_verlet",
     .citation = "Tuckerman, Berne and Martyna 1992, J. Chem. Phys. 97(3): drift, kick, drift",
     .family = CNF_FAMILY_PARTITIONED,
     .order = 2,
     .stages = 3,
     .a = {{0}, {1.0 / 2}, {1.0 / 2}},
     .b = {1.0 / 2, 0, 1.0 / 2},
     .momenta = &drift_kick_drift},
    {.name = "yoshida4",
     .citation = "Yoshida 1990, Phys. Lett. A 150(5-7); Forest and Ruth 1990, Physica D 43(1): three leapfrogs",
     .family = CNF_FAMILY_PARTITIONED,
     .order = 4,
     .stages = 7,
     .a = {{0},
           {0},
           {0, CNF_OUTER},
           {0, CNF_OUTER},
           {0, CNF_OUTER, 0, CNF_INNER},
           {0, CNF_OUTER, 0, CNF_INNER},
           {0, CNF_OUTER, 0, CNF_INNER, 0, CNF_OUTER}},
     .b = {0, CNF_OUTER, 0, CNF_INNER, 0, CNF_OUTER, 0},
     .momenta = &yoshida_kicks},
};

const cnf_family_rules cnf_partitioned_family = {.methods = methods,
                                                 .method_count = sizeof methods / sizeof methods[0],
                                                 .halves = 1,
                                                 .recomputes = 1,
                                                 .keeps_evaluations = 1,
                                                 .adjoints = {[CNF_ADJOINT_REVERSIBLE] = CNF_ERROR_REVERSIBLE}};
