/* Where g first crosses zero over a step, from its values at places along the step, in plain numbers. Places are
 * fractions of the step, and come in the order in which the sample passes them. */
#ifndef CNF_SOLVE_DECIDE_EVENT_SCAN_H
#define CNF_SOLVE_DECIDE_EVENT_SCAN_H

#include <math.h>
#include <stdint.h>

/* Places within a step at which g is evaluated on the interpolant, evenly spaced. The interpolant of dopri5 is of
 * degree 4: a g that is linear in the state has at most four zeros in a step. */
#define CNF_SCAN_PLACES 8

typedef struct cnf_scan {
  double low, g_low;   /* the last place before the crossing, and g there; without a crossing the last place of all */
  double high, g_high; /* the place after it */
  int32_t found;       /* 1: there is a crossing between low and high */
  int32_t again;       /* 1: at some later place g is on the first side again */
} cnf_scan;

static inline int cnf_has_crossed(double from, double g) { return from < 0 ? g >= 0 : g <= 0; }

static inline int cnf_same_sign(double a, double b) { return (a < 0 && b < 0) || (a > 0 && b > 0); }

/* Does an event of this cnf_direction stop a sample whose g goes from `from` to g? Where g = 0 at first, there is no
 * sign to lose. */
static inline int cnf_stops_at(int32_t direction, double from, double g) {
  if (from < 0) return g >= 0 && direction >= 0;
  return from > 0 && g <= 0 && direction <= 0;
}

/* g is the value at the next place. A value that is not a number says nothing. */
static inline void cnf_scan_add(cnf_scan *s, int32_t direction, double place, double g) {
  if (isnan(g)) return;
  if (s->found) {
    s->again |= !cnf_has_crossed(s->g_low, g);
  } else if (cnf_stops_at(direction, s->g_low, g)) {
    s->high = place, s->g_high = g;
    s->found = 1;
  } else {
    s->low = place, s->g_low = g;
  }
}

#endif
