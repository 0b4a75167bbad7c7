/* Rosenbrock methods, for stiff fields. A new one is one entry here. solve/forward/rosenbrock.h has the formula that
 * the coefficients belong to. Tests/C/rosenbrock_test.c checks their order conditions by algebra. */
#include "solve/methods/families.h"
#include <stddef.h>

/* Coefficients as the code RODAS (1996) prints them, METH = 1: 16 digits, of which the order conditions confirm 13. */
static const cnf_rosenbrock rodas4 = {
    .gamma = 0.25,
    .c = {{0},
          {-5.6688},
          {-2.430093356833875, -0.2063599157091915},
          {-0.1073529058151375, -9.594562251023355, -20.47028614809616},
          {7.496443313967647, -10.24680431464352, -33.99990352819905, 11.70890893206160},
          {8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054}},
    .alpha = {0, 0.386, 0.21, 0.63, 1, 1},
    .d = {0.25, -0.1043, 0.1035, -0.03620000000000023, 0, 0},
    .h2 = {10.12623508344586, -7.487995877610167, -34.80091861555747, -7.992771707568823, 1.025137723295662},
    .h3 = {-0.6762803392801253, 6.087714651680015, 16.43084320892478, 24.76722511418386, -6.594389125716872}};

static const cnf_tableau methods[] = {
    {.name = "rodas4",
     .family = CNF_FAMILY_ROSENBROCK,
     .citation = "Hairer and Wanner 1996, Solving ODEs II, IV.7: RODAS, L-stable, stiffly accurate",
     .order = 4,
     .embedded_order = 3,
     .stages = 6,
     .a = {{0},
           {1.544},
           {0.9466785280815826, 0.2557011698983284},
           {3.314825187068521, 2.896124015972201, 0.9986419139977817},
           {1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950},
           {1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1}},
     .b = {1.221224509226641, 6.019134481288629, 12.53708332932087, -0.6878860361058950, 1, 1},
     .e = {0, 0, 0, 0, 0, 1},
     .rosenbrock = &rodas4},
};

const cnf_family_rules cnf_rosenbrock_family = {.methods = methods,
                                                .method_count = sizeof methods / sizeof methods[0],
                                                .most_rows = CNF_ROSENBROCK_ROWS,
                                                .jacobian = 1,
                                                .keeps_path = 1,
                                                .adjoints = {[CNF_ADJOINT_REVERSIBLE] = CNF_ERROR_REVERSIBLE}};
