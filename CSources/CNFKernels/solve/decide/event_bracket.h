/* The search for a root of g between two places, one before and one past the crossing, in doubles. It is the secant
 * with Illinois' halving (Dowell and Jarratt 1971, BIT 11). Where three tries have not halved the bracket it bisects,
 * so the length halves at least every fourth try. */
#ifndef CNF_SOLVE_DECIDE_EVENT_BRACKET_H
#define CNF_SOLVE_DECIDE_EVENT_BRACKET_H

#include <math.h>
#include <stdint.h>

typedef struct cnf_bracket {
  double low, high; /* g has its first sign at `low`; at `high` it has crossed zero, or is 0; either may be the larger
                       number */
  double g_low, g_high; /* halved where an end has stayed in place */
  double length;        /* length when it was last seen to have halved */
  int32_t stale;        /* tries since then */
  int32_t side;         /* end that the last try moved: -1 low, 1 high, 0 none */
} cnf_bracket;

static inline cnf_bracket cnf_bracket_of(double low, double g_low, double high, double g_high) {
  return (cnf_bracket){.low = low, .high = high, .g_low = g_low, .g_high = g_high, .length = fabs(high - low)};
}

static inline int cnf_bracket_is_within(const cnf_bracket *b, double tolerance) {
  return fabs(b->high - b->low) <= tolerance;
}

/* `at`, moved to at least half the tolerance from either end. */
static inline double cnf_bracket_inside(const cnf_bracket *b, double at, double tolerance) {
  const double push = copysign(tolerance / 2, b->high - b->low), sign = push < 0 ? -1 : 1;
  if (!(sign * at >= sign * (b->low + push))) at = b->low + push;
  if (sign * at > sign * (b->high - push)) at = b->high - push;
  return at;
}

/* Where to try next, while the bracket is longer than the tolerance. The try is a quarter of the tolerance short of the
 * secant's root. If the secant is good, this try becomes the low end. The next try lies just beyond the root and
 * becomes the high end. The bracket is then short enough. */
static inline double cnf_bracket_next(const cnf_bracket *b, double tolerance) {
  const double length = b->high - b->low, part = b->g_low / (b->g_low - b->g_high);
  if (b->stale >= 3 || !(part >= 0 && part <= 1)) return b->low + length / 2;
  return cnf_bracket_inside(b, b->low + part * length - copysign(tolerance / 4, length), tolerance);
}

/* `at` has been tried, and g is its value there. */
static inline void cnf_bracket_add(cnf_bracket *b, double at, double g, int crossed) {
  const int32_t side = crossed ? 1 : -1;
  if (crossed) {
    b->high = at, b->g_high = g;
    if (b->side == side) b->g_low /= 2;
  } else {
    b->low = at, b->g_low = g;
    if (b->side == side) b->g_high /= 2;
  }
  b->side = side;
  b->stale++;
  if (fabs(b->high - b->low) > b->length / 2) return;
  b->length = fabs(b->high - b->low);
  b->stale = 0;
}

#endif
