/* The methods: explicit Runge-Kutta ones, and the names of those of Adams. A new Runge-Kutta method is one entry here: name,
 * citation, orders, a, b, and e = b - b_embedded. c is the row sums of a; FSAL is derived. Order conditions of every entry are
 * checked by algebra in the tests.
 * Names are torchdiffeq's where it has the method, but for rk4: torchdiffeq's is the 3/8 rule, here rk4_38. Where it carries on
 * a solution that is not its last stage's (adaptive_heun, fehlberg2), torchdiffeq yet takes the last stage's slope for the
 * next step's first; here that is evaluated.
 */
#include "solve/methods/tableau.h"
#include "solve/methods/families.h"
#include <math.h>
#include <string.h>

/* Partitioned methods (cnf.h, section 5) take turns: a stage's slope moves one half of the rows, by as much as both tableaux say,
 * and the next stage stands where that has led. */
#define CNF_CUBE_ROOT_2 1.2599210498948731648
#define CNF_OUTER (1 / (2 - CNF_CUBE_ROOT_2))                /* Yoshida's x1, */
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

static const cnf_tableau tableaux[] = {
    {.name = "euler", .citation = "Euler 1768", .order = 1, .stages = 1, .b = {1}},
    {.name = "midpoint",
     .citation = "Runge 1895, Math. Ann. 46: the modified Euler method",
     .order = 2,
     .stages = 2,
     .a = {{0}, {1.0 / 2}},
     .b = {0, 1}},
    {.name = "heun2",
     .alias = "heun",
     .citation = "Heun 1900, Z. Math. Phys. 45: the trapezoidal predictor-corrector",
     .order = 2,
     .stages = 2,
     .a = {{0}, {1}},
     .b = {1.0 / 2, 1.0 / 2}},
    {.name = "ralston",
     .citation = "Ralston 1962, Math. Comp. 16(80): least bound on the error of two stages",
     .order = 2,
     .stages = 2,
     .a = {{0}, {2.0 / 3}},
     .b = {1.0 / 4, 3.0 / 4}},
    {.name = "heun3",
     .citation = "Heun 1900, Z. Math. Phys. 45: the method of third order",
     .order = 3,
     .stages = 3,
     .a = {{0}, {1.0 / 3}, {0, 2.0 / 3}},
     .b = {1.0 / 4, 0, 3.0 / 4}},
    {.name = "rk4",
     .citation = "Kutta 1901, Z. Math. Phys. 46: the classical method",
     .order = 4,
     .stages = 4,
     .a = {{0}, {1.0 / 2}, {0, 1.0 / 2}, {0, 0, 1}},
     .b = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6}},
    {.name = "rk4_38",
     .citation = "Kutta 1901, Z. Math. Phys. 46: the 3/8 rule",
     .order = 4,
     .stages = 4,
     .a = {{0}, {1.0 / 3}, {-1.0 / 3, 1}, {1, -1, 1}},
     .b = {1.0 / 8, 3.0 / 8, 3.0 / 8, 1.0 / 8}},
    {.name = "adaptive_heun",
     .citation = "Heun 1900, Z. Math. Phys. 45, with Euler's method: Heun-Euler 2(1)",
     .order = 2,
     .embedded_order = 1,
     .stages = 2,
     .a = {{0}, {1}},
     .b = {1.0 / 2, 1.0 / 2},
     .e = {-1.0 / 2, 1.0 / 2}},
    {.name = "fehlberg2",
     .citation = "Fehlberg 1969, NASA TR R-315: RK1(2), its second order carried on",
     .order = 2,
     .embedded_order = 1,
     .stages = 3,
     .a = {{0}, {1.0 / 2}, {1.0 / 256, 255.0 / 256}},
     .b = {1.0 / 512, 255.0 / 256, 1.0 / 512},
     .e = {-1.0 / 512, 0, 1.0 / 512}},
    {.name = "bosh3",
     .citation = "Bogacki and Shampine 1989, Appl. Math. Lett. 2(4)",
     .order = 3,
     .embedded_order = 2,
     .stages = 4,
     .a = {{0}, {1.0 / 2}, {0, 3.0 / 4}, {2.0 / 9, 1.0 / 3, 4.0 / 9}},
     .b = {2.0 / 9, 1.0 / 3, 4.0 / 9, 0},
     .e = {2.0 / 9 - 7.0 / 24, 1.0 / 3 - 1.0 / 4, 4.0 / 9 - 1.0 / 3, -1.0 / 8}},
    {.name = "dopri5",
     .citation = "Dormand and Prince 1980, J. Comput. Appl. Math. 6(1): RK5(4)7M",
     .order = 5,
     .embedded_order = 4,
     .stages = 7,
     .a = {{0},
           {1.0 / 5},
           {3.0 / 40, 9.0 / 40},
           {44.0 / 45, -56.0 / 15, 32.0 / 9},
           {19372.0 / 6561, -25360.0 / 2187, 64448.0 / 6561, -212.0 / 729},
           {9017.0 / 3168, -355.0 / 33, 46732.0 / 5247, 49.0 / 176, -5103.0 / 18656},
           {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84}},
     .b = {35.0 / 384, 0, 500.0 / 1113, 125.0 / 192, -2187.0 / 6784, 11.0 / 84, 0},
     .e = {35.0 / 384 - 5179.0 / 57600, 0, 500.0 / 1113 - 7571.0 / 16695, 125.0 / 192 - 393.0 / 640,
           -2187.0 / 6784 + 92097.0 / 339200, 11.0 / 84 - 187.0 / 2100, -1.0 / 40}},
    {.name = "tsit5",
     .citation = "Tsitouras 2011, Comput. Math. Appl. 62(2), table 1",
     .order = 5,
     .embedded_order = 4,
     .stages = 7,
     .a = {{0},
           {0.161},
           {-0.008480655492356989, 0.335480655492357},
           {2.8971530571054935, -6.359448489975075, 4.3622954328695815},
           {5.325864828439257, -11.748883564062828, 7.4955393428898365, -0.09249506636175525},
           {5.86145544294642, -12.92096931784711, 8.159367898576159, -0.071584973281401, -0.028269050394068383},
           {0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774}},
     .b = {0.09646076681806523, 0.01, 0.4798896504144996, 1.379008574103742, -3.290069515436081, 2.324710524099774, 0},
     .e = {-0.00178001105222577714, -0.0008164344596567469, 0.007880878010261995, -0.1447110071732629,
           0.5823571654525552, -0.45808210592918697, 1.0 / 66}},
    {.name = "vern7",
     .citation =
         "Verner 2010, Numer. Algorithms 53(2-3): the efficient pair 7(6); digits as in OrdinaryDiffEq.jl's Vern7",
     .order = 7,
     .embedded_order = 6,
     .stages = 10,
     .a = {{0},
           {1.0 / 200},
           {-4361.0 / 4050, 2401.0 / 2025},
           {49.0 / 1200, 0, 49.0 / 400},
           {2454451729.0 / 3841600000, 0, -9433712007.0 / 3841600000, 4364554539.0 / 1920800000},
           {-6187101755456742839167388910402379177523537620.0 / 2324599620333464857202963610201679332423082271.0, 0,
            27569888999279458303270493567994248533230000.0 / 2551701010245296220859455115479340650299761.0,
            -37368161901278864592027018689858091583238040000.0 / 4473131870960004275166624817435284159975481033.0,
            1392547243220807196190880383038194667840000000.0 / 1697219131380493083996999253929006193143549863.0},
           {11272026205260557297236918526339.0 / 1857697188743815510261537500000.0, 0,
            -48265918242888069.0 / 1953194276993750.0,
            26726983360888651136155661781228.0 / 1308381343805114800955157615625.0,
            -2090453318815827627666994432.0 / 1096684189897834170412307919.0,
            1148577938985388929671582486744843844943428041509.0 / 1141532118233823914568777901158338927629837500000.0},
           {1304457204588839386329181466225966641.0 / 108211771565488329642169667802016000.0, 0,
            -1990261989751005.0 / 40001418792832.0,
            2392691599894847687194643439066780106875.0 / 58155654089143548047476915856270826016.0,
            -1870932273351008733802814881998561250.0 / 419326053051486744762255151208232123.0,
            1043329047173803328972823866240311074041739158858792987034783181.0 /
                510851127745017966999893975119259285040213723744255237522144000.0,
            -311918858557595100410788125.0 / 3171569057622789618800376448.0},
           {17579784273699839132265404100877911157.0 / 1734023495717116205617154737841023480.0, 0,
            -18539365951217471064750.0 / 434776548575709731377.0,
            447448655912568142291911830292656995992000.0 / 12511202807447096607487664209063950964109.0,
            -65907597316483030274308429593905808000000.0 / 15158061430635748897861852383197382130691.0,
            273847823027445129865693702689010278588244606493753883568739168819449761.0 /
                136252034448398939768371761610231099586032870552034688235302796640584360.0,
            694664732797172504668206847646718750.0 / 1991875650119463976442052358853258111.0,
            -19705319055289176355560129234220800.0 / 72595753317320295604316217197876507.0},
           {-511858190895337044664743508805671.0 / 11367030248263048398341724647960.0, 0,
            2822037469238841750.0 / 15064746656776439.0,
            -23523744880286194122061074624512868000.0 / 152723005449262599342117017051789699.0,
            10685036369693854448650967542704000000.0 / 575558095977344459903303055137999707.0,
            -6259648732772142303029374363607629515525848829303541906422993.0 /
                876479353814142962817551241844706205620792843316435566420120.0,
            17380896627486168667542032602031250.0 / 13279937889697320236613879977356033.0}},
     .b = {96762636172307789.0 / 2051985304794103980.0, 0, 0, 312188947591288252500000.0 / 1212357694274963646019729.0,
           13550580884964304000000000000.0 / 51686919683339547115937980629.0,
           72367769693133178898676076432831566019684378142853445230956642801.0 /
               475600216991873963561768100160364792981629064220601844848928537580.0,
           1619421054120605468750.0 / 3278200730370057108183.0, -66898316144057728000.0 / 227310933007074849597.0,
           181081444637946577.0 / 2226845467039736466.0, 0},
     .e = {522643094875451.0 / 205198530479410398.0, 0, 0, -550343178903849903000000.0 / 56980811630923291362927263.0,
           197654115880170560000000000.0 / 4698810880303595192357998239.0,
           -3171408959554499061315206389277085667739969057641653677018211151.0 /
               47560021699187396356176810016036479298162906422060184484892853758.0,
           40831491787144609375000.0 / 154075434327392684084601.0, -66898316144057728000.0 / 227310933007074849597.0,
           181081444637946577.0 / 2226845467039736466.0, -2152106665253777.0 / 106040260335225546.0}},
    {.name = "dopri8",
     .citation = "Prince and Dormand 1981, J. Comput. Appl. Math. 7(1): RK8(7)13M",
     .order = 8,
     .embedded_order = 7,
     .stages = 13,
     .a = {{0},
           {1.0 / 18},
           {1.0 / 48, 1.0 / 16},
           {1.0 / 32, 0, 3.0 / 32},
           {5.0 / 16, 0, -75.0 / 64, 75.0 / 64},
           {3.0 / 80, 0, 0, 3.0 / 16, 3.0 / 20},
           {29443841.0 / 614563906, 0, 0, 77736538.0 / 692538347, -28693883.0 / 1125000000, 23124283.0 / 1800000000},
           {16016141.0 / 946692911, 0, 0, 61564180.0 / 158732637, 22789713.0 / 633445777, 545815736.0 / 2771057229,
            -180193667.0 / 1043307555},
           {39632708.0 / 573591083, 0, 0, -433636366.0 / 683701615, -421739975.0 / 2616292301, 100302831.0 / 723423059,
            790204164.0 / 839813087, 800635310.0 / 3783071287},
           {246121993.0 / 1340847787, 0, 0, -37695042795.0 / 15268766246, -309121744.0 / 1061227803,
            -12992083.0 / 490766935, 6005943493.0 / 2108947869, 393006217.0 / 1396673457, 123872331.0 / 1001029789},
           {-1028468189.0 / 846180014, 0, 0, 8478235783.0 / 508512852, 1311729495.0 / 1432422823,
            -10304129995.0 / 1701304382, -48777925059.0 / 3047939560, 15336726248.0 / 1032824649,
            -45442868181.0 / 3398467696, 3065993473.0 / 597172653},
           {185892177.0 / 718116043, 0, 0, -3185094517.0 / 667107341, -477755414.0 / 1098053517,
            -703635378.0 / 230739211, 5731566787.0 / 1027545527, 5232866602.0 / 850066563, -4093664535.0 / 808688257,
            3962137247.0 / 1805957418, 65686358.0 / 487910083},
           {403863854.0 / 491063109, 0, 0, -5068492393.0 / 434740067, -411421997.0 / 543043805, 652783627.0 / 914296604,
            11173962825.0 / 925320556, -13158990841.0 / 6184727034, 3936647629.0 / 1978049680, -160528059.0 / 685178525,
            248638103.0 / 1413531060, 0}},
     .b = {14005451.0 / 335480064, 0, 0, 0, 0, -59238493.0 / 1068277825, 181606767.0 / 758867731,
           561292985.0 / 797845732, -1041891430.0 / 1371343529, 760417239.0 / 1151165299, 118820643.0 / 751138087,
           -528747749.0 / 2220607170, 1.0 / 4},
     .e = {14005451.0 / 335480064 - 13451932.0 / 455176623, 0, 0, 0, 0,
           -59238493.0 / 1068277825 + 808719846.0 / 976000145, 181606767.0 / 758867731 - 1757004468.0 / 5645159321,
           561292985.0 / 797845732 - 656045339.0 / 265891186, -1041891430.0 / 1371343529 + 3867574721.0 / 1518517206,
           760417239.0 / 1151165299 - 465885868.0 / 322736535, 118820643.0 / 751138087 - 53011238.0 / 667516719,
           -528747749.0 / 2220607170 - 2.0 / 45, 1.0 / 4}},
    /* Orders as steps go to 0: three steps from the start are taken with errors of h^4 and h^5 (solve/forward/adams.h). */
    {.name = "explicit_adams",
     .citation = "Bashforth and Adams 1883; Hairer, Norsett and Wanner, Solving ODEs I, III.1",
     .family = CNF_FAMILY_EXPLICIT_ADAMS,
     .order = 4},
    {.name = "implicit_adams",
     .citation = "Moulton 1926; Hairer, Norsett and Wanner, Solving ODEs I, III.1",
     .family = CNF_FAMILY_IMPLICIT_ADAMS,
     .order = 5},
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
    /* x' = x + h sum b_i k_i, but k_1 is carried and k_2 stands elsewhere than a says from the second step on
     * (solve/backward/reversible_heun.h); error as diffrax: against x + h k_1. */
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

enum { LISTED_COUNT = sizeof tableaux / sizeof tableaux[0] };

int32_t cnf_tableau_count(void) { return LISTED_COUNT + cnf_rosenbrock_count(); }

const cnf_tableau *cnf_tableau_at(int32_t index) {
  if (index < 0) return NULL;
  return index < LISTED_COUNT ? &tableaux[index] : cnf_rosenbrock_at(index - LISTED_COUNT);
}

cnf_half cnf_tableau_half(const cnf_tableau *t, int32_t stage) {
  if (!t->momenta) return CNF_HALF_BOTH;
  int moves_momenta = t->momenta->b[stage] != 0;
  for (int32_t i = stage + 1; i < t->stages; i++) moves_momenta |= t->momenta->a[i][stage] != 0;
  return moves_momenta ? CNF_HALF_MOMENTA : CNF_HALF_POSITIONS;
}

/* Time is a position to what moves momenta, and a momentum to what moves positions: so q' = f_q(p, t) and p' = f_p(q, t) are
 * the separable field q' = f_q(p, s), t' = 1; p' = f_p(q, t), s' = 1, and keep the order. */
double cnf_tableau_c(const cnf_tableau *t, int32_t stage) {
  double sum = 0;
  if (t->rosenbrock) return t->rosenbrock->alpha[stage];
  const double *row = cnf_tableau_half(t, stage) == CNF_HALF_POSITIONS ? t->momenta->a[stage] : t->a[stage];
  for (int32_t j = 0; j < stage; j++) sum += row[j];
  return fabs(sum - 1) < 1e-12 ? 1 : sum; /* the last stages stand at the step's end, to the bit */
}

int32_t cnf_tableau_is_fsal(const cnf_tableau *t) {
  int32_t last = t->stages - 1;
  if (cnf_family_rules_of(t->family)->carries_slope) return 1;
  return t->embedded_order > 0 && t->b[last] == 0 && memcmp(t->a[last], t->b, sizeof t->b) == 0;
}
