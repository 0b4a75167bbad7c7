/* The functions of each family of methods: one row a family. The functions are in forward/ and backward/;
 * methods/families.c has what a family accepts and refuses. Compiled once per dtype by call/solver_f32.c and
 * solver_f64.c. */
#include "solve/family.h"

static const cnf_family_code runge_kutta_code = {.step = make_runge_kutta_step,
                                                 .pass = {backward_discrete, backward_continuous},
                                                 .recompute = recompute_stages,
                                                 .reverse = reverse_runge_kutta_step,
                                                 .continuous_step = try_step,
                                                 .continuous_errors = pair_errors,
                                                 .continuous_quadrature = add_quadrature};

static const cnf_family_code adams_code = {.layout = adams_layout,
                                           .begin_chunk = start_adams,
                                           .step = make_adams_step,
                                           .accept = accept_adams_step,
                                           .first_slope = first_adams_slope,
                                           .pass = {backward_discrete, backward_continuous},
                                           .begin_reverse = start_adams_adjoint,
                                           .recompute = recompute_adams_stages,
                                           .reverse = reverse_adams_step,
                                           .continuous_step = try_step,
                                           .continuous_errors = pair_errors,
                                           .continuous_quadrature = add_quadrature};

static const cnf_family_code rosenbrock_code = {.configure = configure_rosenbrock,
                                                .layout = rosenbrock_layout,
                                                .evaluations = rosenbrock_evaluations,
                                                .step = make_rosenbrock_step,
                                                .pass = {backward_discrete, backward_continuous},
                                                .reverse = reverse_rosenbrock_step,
                                                .continuous_step = try_rosenbrock_step,
                                                .continuous_errors = rosenbrock_pair_errors,
                                                .continuous_quadrature = add_rosenbrock_quadrature};

static const cnf_family_code reversible_code = {
    .layout = reversible_layout,
    .step = make_reversible_step,
    .judge = judge_reversible_step,
    .accept = accept_reversible_step,
    .finish = finish_reversible_sample,
    .recorded_state = recorded_y,
    .pass = {[CNF_ADJOINT_DISCRETE] = backward_reversible, [CNF_ADJOINT_REVERSIBLE] = backward_reversible}};

/* The row of a cnf_family. */
static const cnf_family_code *family_code_of(int32_t family) {
  static const cnf_family_code *const codes[] = {
      [CNF_FAMILY_RUNGE_KUTTA] = &runge_kutta_code, [CNF_FAMILY_EXPLICIT_ADAMS] = &adams_code,
      [CNF_FAMILY_IMPLICIT_ADAMS] = &adams_code,    [CNF_FAMILY_ROSENBROCK] = &rosenbrock_code,
      [CNF_FAMILY_PARTITIONED] = &runge_kutta_code, [CNF_FAMILY_REVERSIBLE] = &reversible_code};
  return codes[family];
}
