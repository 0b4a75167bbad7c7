/* Events: a sample stops where g(t, x) crosses zero. Compiled once per dtype by solve/call/solver_f32.c and
 * solver_f64.c.
 *
 * g is evaluated where steps end. An attempt that is good enough to be accepted, but over which g crosses zero, is
 * not accepted. The crossing is first located on the attempt's interpolant (solve/methods/dense.h). From then on the
 * lane's attempts are real steps from the same start; a bracket (solve/decide/event_bracket.h) chooses their lengths
 * until it is as short as the tolerance. The last one is past the crossing by at most that, and is accepted like any
 * step. So the state at the event is as good as the method's, and the step has a derivative. If an attempt of the
 * search is rejected for its error, the search ends and the step counts as rejected.
 *
 * The first event along the way counts. If two cross in one step, the interpolant says which is first. At the end of
 * a search, another event that has crossed by then is searched for in turn.
 */
#include "solve/decide/event_bracket.h"
#include "solve/worker.h"

static void finish_sample(cnf_worker *w, const cnf_call *call, int32_t lane, int32_t status); /* solve/forward/loop.h */

enum { EVENT_NEW_LANE = -1 }; /* in events.sought: the sample has just been loaded, and g is not known */

/* Length that the bracket is shortened to: at least 4 units in the last place of the times. */
static double event_tolerance(const cnf_worker *w, const cnf_call *call, int32_t event, int32_t lane) {
  const double largest = fmax(fabs(w->span.t0[lane]), fabs(w->span.t1[lane]));
  const double ulp = nextafter(largest, INFINITY) - largest;
  const double tolerance = call->events[event].tolerance, real_ulps = CNF_REAL_BITS == 32 ? 0x1p29 : 1;
  return tolerance > 0 ? fmax(tolerance, 4 * ulp) : 16 * real_ulps * ulp;
}

static int has_crossed(double from, double g) { return from < 0 ? g >= 0 : g <= 0; }

/* Does event e stop a sample whose g goes from `from` to g? A sample that starts with g = 0 has no sign to lose. */
static int stops_at(const cnf_event *e, double from, double g) {
  if (from < 0) return g >= 0 && e->direction != CNF_DIRECTION_FALLING;
  return from > 0 && g <= 0 && e->direction != CNF_DIRECTION_RISING;
}

/* g of every event at the times t and states x [D] of the lanes, into rows g[event]. */
static void evaluate_events(cnf_worker *w, const cnf_call *call, const double *t, const real *x,
                            double g[][CNF_MAX_LANES]) {
  WORKER_NAMES(w);
  for (int32_t e = 0; e < call->event_count; e++) call->events[e].evaluate(call->events[e].context, lanes, t, x, g[e]);
}

/* g at the start of the samples that have just been loaded. */
static void start_events(cnf_worker *w, const cnf_call *call) {
  WORKER_NAMES(w);
  int32_t fresh = 0;
  for (int32_t j = 0; j < lanes; j++) fresh += w->lane.sample[j] >= 0 && w->events.sought[j] == EVENT_NEW_LANE;
  if (fresh == 0) return;
  evaluate_events(w, call, w->lane.t, w->step.x, w->events.g1);
  for (int32_t j = 0; j < lanes; j++) {
    if (w->lane.sample[j] < 0 || w->events.sought[j] != EVENT_NEW_LANE) continue;
    int unknown = 0;
    w->events.sought[j] = 0;
    for (int32_t e = 0; e < call->event_count; e++) {
      w->events.g[e][j] = w->events.g1[e][j];
      unknown |= isnan(w->events.g[e][j]);
    }
    if (unknown) finish_sample(w, call, j, CNF_SAMPLE_EVENT);
  }
}

/* The crossing of event e on the interpolants of the lanes that `open` lists, as a fraction of the step, into place. */
static void locate_crossing(cnf_worker *w, const cnf_call *call, int32_t e, const int32_t *open, double *place) {
  WORKER_NAMES(w);
  const int32_t terms = call->solver->interpolant.terms;
  cnf_bracket bracket[CNF_MAX_LANES];
  double tolerance[CNF_MAX_LANES], g[CNF_MAX_LANES];
  int32_t searching = 0;
  for (int32_t j = 0; j < lanes; j++) {
    place[j] = 1;
    bracket[j] = cnf_bracket_of(0, w->events.g[e][j], 1, w->events.g1[e][j]);
    tolerance[j] = open[j] ? fmax(event_tolerance(w, call, e, j) / fabs(w->dense.h[j]), 0x1p-50) : INFINITY;
    searching += !cnf_bracket_is_within(&bracket[j], tolerance[j]);
  }
  while (searching > 0) {
    searching = 0;
    for (int32_t j = 0; j < lanes; j++) {
      if (!cnf_bracket_is_within(&bracket[j], tolerance[j])) place[j] = cnf_bracket_next(&bracket[j], tolerance[j]);
      w->events.t[j] = w->dense.t[j] + place[j] * w->dense.h[j];
      w->step.row[j] = (real)place[j];
    }
    copy_rows(D, lanes, dense_term(w, terms - 1), w->events.x);
    for (int32_t p = terms - 2; p >= 0; p--) {
      k->scale(D, w->events.x, w->step.row, w->events.x);
      k->add(D, w->events.x, dense_term(w, p), w->events.x);
    }
    call->events[e].evaluate(call->events[e].context, lanes, w->events.t, w->events.x, g);
    for (int32_t j = 0; j < lanes; j++) {
      if (cnf_bracket_is_within(&bracket[j], tolerance[j])) continue;
      if (isnan(g[j])) { /* real steps will show */
        bracket[j].low = bracket[j].high = 1;
        place[j] = 0.5;
        continue;
      }
      cnf_bracket_add(&bracket[j], place[j], g[j], has_crossed(w->events.g[e][j], g[j]));
      if (g[j] == 0) bracket[j].low = bracket[j].high;
      searching += !cnf_bracket_is_within(&bracket[j], tolerance[j]);
    }
  }
}

/* After an attempt, before it is judged: g at its end; and for lanes that are not searching yet, the first event
 * that crosses, and where about. */
static void look_for_crossings(cnf_worker *w, const cnf_call *call) {
  WORKER_NAMES(w);
  int32_t open[CNF_MOST_EVENTS][CNF_MAX_LANES], crossings[CNF_MOST_EVENTS] = {0}, any = 0;
  for (int32_t j = 0; j < lanes; j++) w->events.t[j] = w->dense.t[j] + w->dense.h[j];
  evaluate_events(w, call, w->events.t, w->step.x1, w->events.g1);
  for (int32_t j = 0; j < lanes; j++) {
    int32_t crosses = 0;
    w->events.crossing[j] = -1;
    for (int32_t e = 0; e < call->event_count; e++) {
      open[e][j] = w->lane.sample[j] >= 0 && w->events.sought[j] == 0 &&
                   stops_at(&call->events[e], w->events.g[e][j], w->events.g1[e][j]);
      crossings[e] += open[e][j], crosses += open[e][j];
    }
    if (crosses) w->chunk.evaluations[w->lane.sample[j]] += dense_evaluations(call->solver);
    any += crosses;
  }
  if (any == 0) return;
  make_dense_terms(w, call->solver, 0);
  for (int32_t e = 0; e < call->event_count; e++) {
    double place[CNF_MAX_LANES];
    if (crossings[e] == 0) continue;
    locate_crossing(w, call, e, open[e], place);
    for (int32_t j = 0; j < lanes; j++) {
      if (!open[e][j] || (w->events.crossing[j] >= 0 && w->events.place[j] <= place[j])) continue;
      w->events.crossing[j] = e;
      w->events.place[j] = place[j];
    }
  }
}

typedef enum event_decision {
  EVENT_NONE,         /* no event: the attempt is a step like others */
  EVENT_STOP,         /* the attempt is the last step: it ends at the event */
  EVENT_TRY,          /* another attempt is made from the same start */
  EVENT_NOT_A_NUMBER, /* g is not a number */
} event_decision;

/* The lane's next attempt has this length, as far as t + length is from t when rounded. */
static event_decision try_length(cnf_worker *w, int32_t lane, double length) {
  w->lane.h[lane] = (w->dense.t[lane] + length) - w->dense.t[lane];
  w->lane.ends_interval[lane] = 0;
  return EVENT_TRY;
}

/* Another event that has crossed at the attempt's end, where the search for event e is over; -1: none. */
static int32_t other_event(const cnf_worker *w, const cnf_call *call, int32_t e, int32_t lane) {
  for (int32_t i = 0; i < call->event_count; i++)
    if (i != e && stops_at(&call->events[i], w->events.g[i][lane], w->events.g1[i][lane])) return i;
  return -1;
}

/* The search for event e is over, at the end of the attempt or at the other end of the bracket. */
static event_decision end_search(cnf_worker *w, const cnf_call *call, int32_t e, int32_t lane) {
  cnf_bracket *bracket = &w->events.bracket[lane];
  const double h = w->dense.h[lane];
  if (!has_crossed(w->events.g[e][lane], w->events.g1[e][lane]) && !w->events.retried[lane]) {
    w->events.retried[lane] = 1; /* only once: at the end of an interval, rounding of t may have moved the crossing */
    return try_length(w, lane, bracket->high);
  }
  const int32_t other = other_event(w, call, e, lane);
  if (other >= 0 && w->events.switches[lane]++ < call->event_count) {
    const double g = w->events.g1[other][lane], tolerance = event_tolerance(w, call, other, lane);
    w->events.sought[lane] = 1 + other;
    w->events.retried[lane] = 0;
    *bracket = cnf_bracket_of(0, w->events.g[other][lane], h, g);
    if (g != 0 && !cnf_bracket_is_within(bracket, tolerance))
      return try_length(w, lane, cnf_bracket_next(bracket, tolerance));
  }
  w->events.stopped_by[lane] = w->events.sought[lane] - 1;
  return EVENT_STOP;
}

/* Decides on a lane's attempt that is good enough to be accepted. */
static event_decision decide_event(cnf_worker *w, const cnf_call *call, int32_t lane) {
  cnf_bracket *bracket = &w->events.bracket[lane];
  const double h = w->dense.h[lane];
  for (int32_t e = 0; e < call->event_count; e++)
    if (isnan(w->events.g1[e][lane])) return EVENT_NOT_A_NUMBER;
  const int begins = w->events.sought[lane] == 0;
  if (begins && w->events.crossing[lane] < 0) {
    for (int32_t e = 0; e < call->event_count; e++) w->events.g[e][lane] = w->events.g1[e][lane];
    return EVENT_NONE;
  }
  if (begins) {
    w->events.sought[lane] = 1 + w->events.crossing[lane];
    w->events.switches[lane] = w->events.retried[lane] = 0;
  }
  const int32_t e = w->events.sought[lane] - 1;
  const double from = w->events.g[e][lane], g = w->events.g1[e][lane], tolerance = event_tolerance(w, call, e, lane);
  if (begins)
    *bracket = cnf_bracket_of(0, from, h, g);
  else
    cnf_bracket_add(bracket, h, g, has_crossed(from, g));
  if (g == 0 || cnf_bracket_is_within(bracket, tolerance)) return end_search(w, call, e, lane);
  if (begins) { /* the slope of the chord serves to step beyond the crossing after the located place has been tried */
    w->events.chord[lane] = h / (g - from);
    return try_length(w, lane, cnf_bracket_inside(bracket, w->events.place[lane] * h, tolerance));
  }
  if (w->events.chord[lane] !=
      0) { /* the located place has been tried: now as far to the other side, for a short bracket */
    const double beyond = h - 2 * g * w->events.chord[lane];
    w->events.chord[lane] = 0;
    if (isfinite(beyond)) return try_length(w, lane, cnf_bracket_inside(bracket, beyond, tolerance));
  }
  return try_length(w, lane, cnf_bracket_next(bracket, tolerance));
}
