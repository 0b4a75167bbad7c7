/* revolve_test.c - which states checkpoints hold and which steps are repeated (solve/decide/checkpoint_schedule.h).
 *
 * The tests simulate a forward pass and a backward pass; each slot holds the number of the step whose state it would
 * hold. Checked: a state is used only if a slot holds it; the number of steps is that of Griewank and Walther's closed
 * form, which is itself compared with dynamic programming for small numbers of steps.
 */
#include "check.h"
#include "solve/decide/checkpoint_schedule.h"

enum { MOST = 2200, SMALL = 60, MOST_SMALL_CHECKPOINTS = 8 };

/* The smallest r with C(c + r, c) >= l, and C(c + r, r - 1). */
static int64_t repetitions(int64_t c, int64_t l, int64_t *below) {
  int64_t r = 0, beta = 1, before = 0;
  while (beta < l) r++, before = beta, beta = beta * (c + r) / r;
  *below = r == 0 ? 0 : before * (c + r) / (c + 1); /* C(c+r, r-1) = C(c+r-1, r-1) (c + r)/(c + 1) */
  return r;
}

/* The steps needed to reverse l steps with c checkpoints, counting those of the forward pass except the last:
 * r l - C(c + r, r - 1). */
static int64_t closed_form(int64_t c, int64_t l) {
  int64_t below;
  const int64_t r = repetitions(c, l, &below);
  return r * l - below;
}

/* The closed form is the least over all positions of the next checkpoint. */
static void test_closed_form(void) {
  static int64_t least[MOST_SMALL_CHECKPOINTS + 1][SMALL + 1];
  for (int c = 1; c <= MOST_SMALL_CHECKPOINTS; ++c)
    for (int l = 2; l <= SMALL; ++l) {
      least[c][l] = (int64_t)l * (l - 1) / 2; /* every state from the one checkpoint */
      for (int m = 1; c > 1 && m < l; ++m) {
        const int64_t made = m + least[c - 1][l - m] + least[c][m];
        if (made < least[c][l]) least[c][l] = made;
      }
      CHECK(closed_form(c, l) == least[c][l]);
      const int m = cnf_revolve_distance(c, l);
      CHECK(m >= 1 && m < l && (c == 1 || m + least[c - 1][l - m] + least[c][m] == least[c][l]));
    }
}

/* Simulates l steps, beginning with step `first`, and their reversal. Returns the number of steps made, or -1 if a
 * state was used that no slot held. `known`: the number of steps is known in advance. */
static int64_t simulate(const cnf_schedule_rule *rule, int32_t first, int32_t l, int known) {
  static cnf_checkpoint list[MOST];
  static int32_t held[MOST];
  const int32_t end = first + l;
  int32_t own = -1, most = 0;
  int64_t made = l - 1;
  cnf_checkpoint_plan plan;
  cnf_checkpoint_plan_clear(&plan);
  for (int32_t n = first; n < end; ++n) {
    const cnf_checkpoint_writes to = cnf_checkpoint_plan_advance(rule, &plan, list, n, known ? end : CNF_NEVER);
    if (to.earlier >= 0) held[to.earlier] = own;
    own = n;
    if (to.slot >= 0) held[to.slot] = n;
    if (to.slot >= rule->capacity || to.earlier >= rule->capacity) return -1;
    if (plan.count > most) most = plan.count;
  }
  for (int32_t n = end - 1; n >= first; --n) {
    if (plan.current == n) {
      if (own != n) return -1;
      continue;
    }
    const cnf_checkpoint *from = cnf_checkpoint_plan_restart(rule, &plan, list, n);
    int32_t at = from->step;
    if (held[from->slot] != at || at > n) return -1;
    for (; at < n; ++made)
      if (++at < n && at == plan.next) {
        const int32_t slot = cnf_checkpoint_plan_store(rule, &plan, list, n);
        if (slot >= rule->capacity) return -1;
        held[slot] = at;
        if (plan.count > most) most = plan.count;
      }
  }
  return most <= rule->capacity ? made : -1;
}

static void test_binomial(int32_t c, int32_t l) {
  const cnf_schedule_rule rule = {.kind = CNF_SCHEDULE_BINOMIAL, .capacity = c};
  int64_t below;
  char detail[120];
  const int64_t r = repetitions(c, l, &below), known = simulate(&rule, 3, l, 1), online = simulate(&rule, 3, l, 0);
  snprintf(detail, sizeof detail, "c %d l %d: %lld and %lld steps, least %lld, r %lld", (int)c, (int)l,
           (long long)known, (long long)online, (long long)closed_form(c, l), (long long)r);
  check_count(known == closed_form(c, l), "fixed steps: as few as possible", detail, __LINE__);
  check_count(online >= closed_form(c, l) && online <= r * l, "adaptive steps: at most r l", detail, __LINE__);
}

/* Segments of k steps: every state that is not a checkpoint is recomputed once, except that of the last step. */
static void test_every(int32_t k, int32_t l) {
  const cnf_schedule_rule rule = {.kind = CNF_SCHEDULE_EVERY_K, .every = k, .capacity = (l + k - 1) / k + k};
  const int64_t segments = (l + k - 1) / k, last = l - (segments - 1) * k;
  const int64_t again = (segments - 1) * (k - 1) + (last > 2 ? last - 2 : 0);
  CHECK(simulate(&rule, 0, l, 1) == l - 1 + again && simulate(&rule, 7, l, 0) == l - 1 + again);
}

int main(void) {
  test_closed_form();
  for (int32_t c = 1; c <= 30; ++c)
    for (int32_t l = 1; l <= 300; ++l) test_binomial(c, l);
  for (int32_t c = 2; c <= 200; c += c / 2)
    for (int32_t l = 301; l <= 2000; l += 283) test_binomial(c, l);
  for (int32_t k = 1; k <= 20; ++k)
    for (int32_t l = 1; l <= 100; ++l) test_every(k, l);
  return check_report();
}
