/* Adams methods: formulas of 1 to 12 slopes, and the methods that use them. A formula is the integral over a step of
 * the polynomial through the slopes (Hairer, Norsett and Wanner, Solving ODEs I, section III.1; Bashforth and Adams
 * 1883, Moulton 1926). Its weights are exact: integers over the least divisor that both formulas share. Tests compare
 * them with that integral. */
#include "solve/methods/adams.h"
#include "solve/methods/families.h"
#include <stddef.h>

static const cnf_adams formulas[CNF_ADAMS_MOST] = {
    {.divisor = 1, .bashforth = {1}, .moulton = {1}},
    {.divisor = 2, .bashforth = {3, -1}, .moulton = {1, 1}},
    {.divisor = 12, .bashforth = {23, -16, 5}, .moulton = {5, 8, -1}},
    {.divisor = 24, .bashforth = {55, -59, 37, -9}, .moulton = {9, 19, -5, 1}},
    {.divisor = 720, .bashforth = {1901, -2774, 2616, -1274, 251}, .moulton = {251, 646, -264, 106, -19}},
    {.divisor = 1440, .bashforth = {4277, -7923, 9982, -7298, 2877, -475}, .moulton = {475, 1427, -798, 482, -173, 27}},
    {.divisor = 60480,
     .bashforth = {198721, -447288, 705549, -688256, 407139, -134472, 19087},
     .moulton = {19087, 65112, -46461, 37504, -20211, 6312, -863}},
    {.divisor = 120960,
     .bashforth = {434241, -1152169, 2183877, -2664477, 2102243, -1041723, 295767, -36799},
     .moulton = {36799, 139849, -121797, 123133, -88547, 41499, -11351, 1375}},
    {.divisor = 3628800,
     .bashforth = {14097247, -43125206, 95476786, -139855262, 137968480, -91172642, 38833486, -9664106, 1070017},
     .moulton = {1070017, 4467094, -4604594, 5595358, -5033120, 3146338, -1291214, 312874, -33953}},
    {.divisor = 7257600,
     .bashforth = {30277247, -104995189, 265932680, -454661776, 538363838, -444772162, 252618224, -94307320, 20884811,
                   -2082753},
     .moulton = {2082753, 9449717, -11271304, 16002320, -17283646, 13510082, -7394032, 2687864, -583435, 57281}},
    {.divisor = 479001600,
     .bashforth = {2132509567, -8271795124, 23591063805, -46113029016, 63716378958, -63176201472, 44857168434,
                   -22329634920, 7417904451, -1479574348, 134211265},
     .moulton = {134211265, 656185652, -890175549, 1446205080, -1823311566, 1710774528, -1170597042, 567450984,
                 -184776195, 36284876, -3250433}},
    {.divisor = 958003200,
     .bashforth = {4527766399, -19433810163, 61633227185, -135579356757, 214139355366, -247741639374, 211103573298,
                   -131365867290, 58189107627, -17410248271, 3158642445, -262747265},
     .moulton = {262747265, 1374799219, -2092490673, 3828828885, -5519460582, 6043521486, -4963166514, 3007739418,
                 -1305971115, 384709327, -68928781, 5675265}},
};

const cnf_adams *cnf_adams_of(int32_t slopes) {
  return slopes >= 1 && slopes <= CNF_ADAMS_MOST ? &formulas[slopes - 1] : NULL;
}

/* Orders for steps that go to 0: the first three steps have errors of h^4 and h^5 (solve/forward/adams.h). */
static const cnf_tableau explicit_adams = {
    .name = "explicit_adams",
    .citation = "Bashforth and Adams 1883; Hairer, Norsett and Wanner, Solving ODEs I, III.1",
    .family = CNF_FAMILY_EXPLICIT_ADAMS,
    .order = 4};
static const cnf_tableau implicit_adams = {.name = "implicit_adams",
                                           .citation =
                                               "Moulton 1926; Hairer, Norsett and Wanner, Solving ODEs I, III.1",
                                           .family = CNF_FAMILY_IMPLICIT_ADAMS,
                                           .order = 5};

const cnf_family_rules cnf_explicit_adams_family = {.methods = &explicit_adams,
                                                    .method_count = 1,
                                                    .start = CNF_ADAMS_START,
                                                    .equal_steps = 1,
                                                    .all_rows = 1,
                                                    .events = CNF_ERROR_EVENT_METHOD,
                                                    .adjoints = {[CNF_ADJOINT_REVERSIBLE] = CNF_ERROR_REVERSIBLE}};
const cnf_family_rules cnf_implicit_adams_family = {.methods = &implicit_adams,
                                                    .method_count = 1,
                                                    .start = CNF_ADAMS_START,
                                                    .equal_steps = 1,
                                                    .iterates = 1,
                                                    .events = CNF_ERROR_EVENT_METHOD,
                                                    .adjoints = {[CNF_ADJOINT_REVERSIBLE] = CNF_ERROR_REVERSIBLE},
                                                    .gradients = {[CNF_ADJOINT_DISCRETE] = CNF_ERROR_METHOD_GRADIENT}};
