/* peer_tableaus_test.c - error weights compared with those that torchdiffeq, diffrax and SciPy have for the same
 * methods. Their factors are stated in Documentation/methods.md. A sign has no effect on an error norm; a factor has.
 */
#include "check.h"
#include "peer_tableaus.h"

/* The other library's weights are `factor` times those here. */
static const struct {
  const char *peer, *method;
  double factor;
} factors[] = {{"torchdiffeq", "adaptive_heun", -1},
               {"torchdiffeq", "fehlberg2", 1},
               {"torchdiffeq", "bosh3", 1},
               {"torchdiffeq", "dopri5", 2.0 / 3},
               {"torchdiffeq", "dopri8", 1},
               {"diffrax", "adaptive_heun", -1},
               {"diffrax", "bosh3", 1},
               {"diffrax", "dopri5", 2.0 / 3},
               {"diffrax", "tsit5", -1},
               {"diffrax", "dopri8", 1},
               {"scipy", "bosh3", -1},
               {"scipy", "dopri5", -1}};

int main(void) {
  const size_t count = sizeof factors / sizeof factors[0];
  CHECK(count == sizeof peer_tableaus / sizeof peer_tableaus[0]);
  for (size_t n = 0; n < count; ++n) {
    const peer_tableau *peer = &peer_tableaus[n];
    cnf_method_info info = {.struct_size = sizeof info};
    CHECK(cnf_method_get(cnf_method_find(peer->method), &info) == CNF_OK && info.e);
    CHECK(!strcmp(peer->peer, factors[n].peer) && !strcmp(peer->method, factors[n].method));
    for (int i = 0; i < peer->stages; ++i) {
      char where[96];
      const double ours = i < info.stages ? info.e[i] : 0; /* dopri8 elsewhere has a last stage without a weight */
      snprintf(where, sizeof where, "%s of %s, stage %d: %.17g, here %.17g", peer->method, peer->peer, i, peer->e[i],
               ours);
      check_count(fabs(peer->e[i] - factors[n].factor * ours) <= 1e-15, "error weight", where, __LINE__);
    }
  }
  return check_report();
}
