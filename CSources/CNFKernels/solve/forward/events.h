/* Events: a sample stops where g(t, x) crosses zero. Compiled once per dtype by solve/call/solver_f32.c and
 * solver_f64.c.
 *
 * Over an attempt that is good enough to be accepted, g is evaluated at its end, and at places within it on its
 * interpolant (solve/methods/dense.h). If it crosses zero, the attempt is not accepted yet. The crossing is located on
 * the interpolant. From then on the lane's attempts are real steps from the same start. A bracket
 * (solve/decide/event_bracket.h) chooses their lengths until it is as short as the tolerance. The last one is past the
 * crossing by at most that, and is accepted like any step. So the state at the event is as good as the method's, and
 * the step has a derivative. If an attempt of the search is rejected for its error, the search ends and the step counts
 * as rejected.
 *
 * If g crosses zero and returns within the attempt, only the interpolant has seen it. Then real steps confirm the two
 * places around the crossing first. If they do not, the whole attempt is repeated and scanned from there on.
 *
 * The first event along the way counts. If two cross in one step, the interpolant says which is first. At the end of
 * a search, another event that has crossed by then is searched for in turn.
 */
#include "solve/decide/event_bracket.h"
#include "solve/decide/event_scan.h"
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

/* g of every event at the times t and states x [D] of the lanes, into rows g[event]. */
static void evaluate_events(cnf_worker *w, const cnf_call *call, const double *t, const real *x,
                            double g[][CNF_MAX_LANES]) {
  WORKER_NAMES(w);
  for (int32_t e = 0; e < call->event_count; e++) call->events[e].evaluate(call->events[e].context, lanes, t, x, g[e]);
}

/* Nothing of the lane's next attempt has been looked at: g is known at its start alone. */
static void begin_scan(cnf_worker *w, const cnf_call *call, int32_t lane) {
  for (int32_t e = 0; e < call->event_count; e++) {
    w->events.known[e][lane] = w->events.g[e][lane];
    w->events.known_at[e][lane] = 0;
  }
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
    begin_scan(w, call, j);
    if (unknown) finish_sample(w, call, j, CNF_SAMPLE_EVENT);
  }
}

/* The states of the interpolants at fractions of the lanes' steps, into events.x, and their times into events.t. */
static void interpolate_states(cnf_worker *w, const cnf_call *call, const double *place) {
  WORKER_NAMES(w);
  const int32_t terms = call->solver->interpolant.terms;
  for (int32_t j = 0; j < lanes; j++) {
    w->events.t[j] = cnf_time_in_step(w->dense.t[j], w->dense.h[j], w->dense.end[j], place[j]);
    w->step.row[j] = (real)place[j];
  }
  copy_rows(D, lanes, dense_term(w, terms - 1), w->events.x);
  for (int32_t p = terms - 2; p >= 0; p--) {
    k->scale(D, w->events.x, w->step.row, w->events.x);
    k->add(D, w->events.x, dense_term(w, p), w->events.x);
  }
}

/* Scans g of every event over the attempts of the lanes that `scanned` lists: on their interpolants, then at their
 * ends. Places up to known_at have been looked at. */
static void scan_events(cnf_worker *w, const cnf_call *call, const int32_t *scanned, cnf_scan scan[][CNF_MAX_LANES]) {
  WORKER_NAMES(w);
  double g[CNF_MOST_EVENTS][CNF_MAX_LANES], places[CNF_MAX_LANES];
  for (int32_t e = 0; e < call->event_count; e++)
    for (int32_t j = 0; j < lanes; j++)
      scan[e][j] = (cnf_scan){.low = w->events.known_at[e][j], .g_low = w->events.known[e][j]};
  for (int32_t i = 1; i <= CNF_SCAN_PLACES + 1; i++) {
    const int at_end = i == CNF_SCAN_PLACES + 1;
    const double place = at_end ? 1 : (double)i / (CNF_SCAN_PLACES + 1);
    for (int32_t j = 0; j < lanes; j++) places[j] = place;
    if (!at_end) {
      interpolate_states(w, call, places);
      evaluate_events(w, call, w->events.t, w->events.x, g);
    }
    for (int32_t e = 0; e < call->event_count; e++)
      for (int32_t j = 0; j < lanes; j++)
        if (scanned[j] && (at_end || place > w->events.known_at[e][j]))
          cnf_scan_add(&scan[e][j], call->events[e].direction, place, at_end ? w->events.g1[e][j] : g[e][j]);
  }
}

/* The crossings of event e that scans have found, on the interpolants, as fractions of the steps, into place. */
static void locate_crossing(cnf_worker *w, const cnf_call *call, int32_t e, const cnf_scan *scan, double *place) {
  WORKER_NAMES(w);
  cnf_bracket bracket[CNF_MAX_LANES];
  double tolerance[CNF_MAX_LANES], g[CNF_MAX_LANES];
  int32_t searching = 0;
  for (int32_t j = 0; j < lanes; j++) {
    place[j] = scan[j].high;
    bracket[j] = cnf_bracket_of(scan[j].low, scan[j].g_low, scan[j].high, scan[j].g_high);
    tolerance[j] = scan[j].found ? fmax(event_tolerance(w, call, e, j) / fabs(w->dense.h[j]), 0x1p-50) : INFINITY;
    searching += !cnf_bracket_is_within(&bracket[j], tolerance[j]);
  }
  while (searching > 0) {
    searching = 0;
    for (int32_t j = 0; j < lanes; j++)
      if (!cnf_bracket_is_within(&bracket[j], tolerance[j])) place[j] = cnf_bracket_next(&bracket[j], tolerance[j]);
    interpolate_states(w, call, place);
    call->events[e].evaluate(call->events[e].context, lanes, w->events.t, w->events.x, g);
    for (int32_t j = 0; j < lanes; j++) {
      if (cnf_bracket_is_within(&bracket[j], tolerance[j])) continue;
      if (isnan(g[j])) { /* real steps will show */
        place[j] = (bracket[j].low + bracket[j].high) / 2;
        bracket[j].low = bracket[j].high;
        continue;
      }
      cnf_bracket_add(&bracket[j], place[j], g[j], cnf_has_crossed(scan[j].g_low, g[j]));
      if (g[j] == 0) bracket[j].low = bracket[j].high;
      searching += !cnf_bracket_is_within(&bracket[j], tolerance[j]);
    }
  }
}

/* After an attempt, before it is judged: g at its end; and for lanes whose attempt is good enough and that are not
 * searching yet, the first event that crosses, and where about. */
static void look_for_crossings(cnf_worker *w, const cnf_call *call, const double *ratio) {
  WORKER_NAMES(w);
  cnf_scan scan[CNF_MOST_EVENTS][CNF_MAX_LANES];
  int32_t scanned[CNF_MAX_LANES], any = 0;
  evaluate_events(w, call, w->dense.end, w->step.x1, w->events.g1);
  for (int32_t j = 0; j < lanes; j++) {
    w->events.crossing[j] = -1;
    scanned[j] = w->lane.sample[j] >= 0 && w->events.sought[j] == 0 && ratio[j] <= 1;
    if (scanned[j]) w->chunk.evaluations[w->lane.sample[j]] += dense_evaluations(call->solver);
    any += scanned[j];
  }
  if (any == 0) return;
  make_dense_terms(w, call->solver, 0);
  scan_events(w, call, scanned, scan);
  for (int32_t e = 0; e < call->event_count; e++) {
    double place[CNF_MAX_LANES];
    int32_t found = 0;
    for (int32_t j = 0; j < lanes; j++) found += scan[e][j].found;
    if (found == 0) continue;
    locate_crossing(w, call, e, scan[e], place);
    for (int32_t j = 0; j < lanes; j++) {
      if (!scan[e][j].found || (w->events.crossing[j] >= 0 && w->events.place[j] <= place[j])) continue;
      w->events.crossing[j] = e;
      w->events.place[j] = place[j];
      w->events.scan[j] = scan[e][j];
    }
  }
}

typedef enum event_decision {
  EVENT_NONE,         /* no event: the attempt is a step like others */
  EVENT_STOP,         /* the attempt is the last step: it ends at the event */
  EVENT_TRY,          /* another attempt is made from the same start */
  EVENT_NOT_A_NUMBER, /* g is not a number */
} event_decision;

/* What the lane's next attempt of a search is for. */
enum {
  EVENT_SHORTEN, /* to shorten the bracket */
  EVENT_BEFORE,  /* to confirm the place before a crossing that only the interpolant shows */
  EVENT_AFTER    /* to confirm the place after it */
};

/* The lane's next attempt has this length, as far as t + length is from t when rounded. It does not
 * go beyond t1. */
static event_decision try_length(cnf_worker *w, int32_t lane, double length) {
  const double t = w->dense.t[lane], end = cnf_limit_time(t + length, length, w->span.t1[lane]);
  place_lane(w, lane, t, end - t, end);
  w->lane.ends_interval[lane] = w->lane.ends_at_jump[lane] = 0;
  return EVENT_TRY;
}

/* There is no crossing up to `place`, so the search is over. The lane makes the attempt that began it once more. */
static event_decision try_again_beyond(cnf_worker *w, int32_t e, int32_t lane, double place) {
  w->events.known_at[e][lane] = place;
  w->events.sought[lane] = 0;
  w->lane.h[lane] = w->lane.planned[lane]; /* fixed steps: choose_steps sets h */
  return EVENT_TRY;
}

/* Another event that has crossed at the attempt's end, where the search for event e is over; -1: none. */
static int32_t other_event(const cnf_worker *w, const cnf_call *call, int32_t e, int32_t lane) {
  for (int32_t i = 0; i < call->event_count; i++)
    if (i != e && cnf_stops_at(call->events[i].direction, w->events.g[i][lane], w->events.g1[i][lane])) return i;
  return -1;
}

/* The search for event e is over, at the end of the attempt or at the other end of the bracket. */
static event_decision end_search(cnf_worker *w, const cnf_call *call, int32_t e, int32_t lane) {
  cnf_bracket *bracket = &w->events.bracket[lane];
  const double h = w->dense.h[lane];
  if (!cnf_has_crossed(w->events.from[lane], w->events.g1[e][lane]) && !w->events.retried[lane]) {
    w->events.retried[lane] = 1; /* only once: at the end of an interval, rounding of t may have moved the crossing */
    return try_length(w, lane, bracket->high);
  }
  const int32_t other = other_event(w, call, e, lane);
  if (other >= 0 && w->events.switches[lane]++ < call->event_count) {
    const double from = w->events.g[other][lane], g = w->events.g1[other][lane];
    const double tolerance = event_tolerance(w, call, other, lane);
    w->events.sought[lane] = 1 + other;
    w->events.retried[lane] = 0;
    w->events.from[lane] = from;
    w->events.chord[lane] = 0;
    *bracket = cnf_bracket_of(0, from, h, g);
    if (g != 0 && !cnf_bracket_is_within(bracket, tolerance))
      return try_length(w, lane, cnf_bracket_next(bracket, tolerance));
  }
  w->events.stopped_by[lane] = w->events.sought[lane] - 1;
  return EVENT_STOP;
}

/* The attempt's end is past the crossing that the lane looks for: the bracket begins. */
static event_decision begin_bracket(cnf_worker *w, const cnf_call *call, int32_t e, int32_t lane) {
  const cnf_scan *scan = &w->events.scan[lane];
  const double h = w->dense.h[lane], g = w->events.g1[e][lane], full = w->events.full[lane];
  const double tolerance = event_tolerance(w, call, e, lane);
  cnf_bracket *bracket = &w->events.bracket[lane];
  *bracket = cnf_bracket_of(w->events.known_at[e][lane] * full, w->events.from[lane], h, g);
  w->events.seeks[lane] = EVENT_SHORTEN;
  const double located = w->events.place[lane] * full;
  const int is_end = g == 0 && fabs(h - located) <= tolerance; /* else an earlier crossing is sought */
  if (is_end || cnf_bracket_is_within(bracket, tolerance)) return end_search(w, call, e, lane);
  /* the slope of the chord serves to step beyond the crossing after the located place has been tried */
  w->events.chord[lane] = (scan->high - scan->low) * full / (scan->g_high - scan->g_low);
  return try_length(w, lane, cnf_bracket_inside(bracket, located, tolerance));
}

/* An attempt that was not part of a search. */
static event_decision begin_search(cnf_worker *w, const cnf_call *call, int32_t lane) {
  const int32_t e = w->events.crossing[lane];
  const cnf_scan *scan = &w->events.scan[lane];
  if (e < 0) {
    for (int32_t i = 0; i < call->event_count; i++) w->events.g[i][lane] = w->events.g1[i][lane];
    begin_scan(w, call, lane);
    return EVENT_NONE;
  }
  w->events.sought[lane] = 1 + e;
  w->events.switches[lane] = w->events.retried[lane] = 0;
  w->events.from[lane] = w->events.known[e][lane];
  const double full = w->events.full[lane] = w->dense.h[lane];
  const int is_known = cnf_same_sign(w->events.from[lane], scan->g_low);
  if (is_known && !scan->again) return begin_bracket(w, call, e, lane);
  w->events.seeks[lane] = is_known ? EVENT_AFTER : EVENT_BEFORE;
  return try_length(w, lane, (is_known ? scan->high : scan->low) * full);
}

/* The attempt was made to confirm one of the two places around a crossing. */
static event_decision confirm_place(cnf_worker *w, const cnf_call *call, int32_t e, int32_t lane) {
  const cnf_scan *scan = &w->events.scan[lane];
  const double g = w->events.g1[e][lane];
  if (w->events.seeks[lane] == EVENT_BEFORE) {
    if (!cnf_same_sign(scan->g_low, g)) return try_again_beyond(w, e, lane, scan->high);
    w->events.known[e][lane] = w->events.from[lane] = g;
    w->events.known_at[e][lane] = scan->low;
    w->events.seeks[lane] = EVENT_AFTER;
    return try_length(w, lane, scan->high * w->events.full[lane]);
  }
  if (cnf_has_crossed(w->events.from[lane], g)) return begin_bracket(w, call, e, lane);
  w->events.known[e][lane] = g;
  return try_again_beyond(w, e, lane, scan->high);
}

/* Decides on a lane's attempt that is good enough to be accepted. */
static event_decision decide_event(cnf_worker *w, const cnf_call *call, int32_t lane) {
  cnf_bracket *bracket = &w->events.bracket[lane];
  const double h = w->dense.h[lane];
  for (int32_t e = 0; e < call->event_count; e++)
    if (isnan(w->events.g1[e][lane])) return EVENT_NOT_A_NUMBER;
  if (w->events.sought[lane] == 0) return begin_search(w, call, lane);
  const int32_t e = w->events.sought[lane] - 1;
  if (w->events.seeks[lane] != EVENT_SHORTEN) return confirm_place(w, call, e, lane);
  const double g = w->events.g1[e][lane], tolerance = event_tolerance(w, call, e, lane);
  cnf_bracket_add(bracket, h, g, cnf_has_crossed(w->events.from[lane], g));
  if (g == 0 || cnf_bracket_is_within(bracket, tolerance)) return end_search(w, call, e, lane);
  if (w->events.chord[lane] != 0) { /* the located place has been tried: now as far to the other side */
    const double beyond = h - 2 * g * w->events.chord[lane];
    w->events.chord[lane] = 0;
    if (isfinite(beyond)) return try_length(w, lane, cnf_bracket_inside(bracket, beyond, tolerance));
  }
  return try_length(w, lane, cnf_bracket_next(bracket, tolerance));
}
