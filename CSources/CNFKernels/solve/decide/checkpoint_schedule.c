/* The schedule of checkpoints; checkpoint_schedule.h has the formulas. */
#include "solve/decide/checkpoint_schedule.h"
#include "host/memory.h"
#include <string.h>

int32_t cnf_revolve_distance(int32_t c, int32_t l) {
  int64_t beta = 1, before = 0, earlier = 0; /* beta(c, r), beta(c, r - 1) and beta(c, r - 2), from r = 0 on */
  if (c == 1) return l - 1;
  for (int64_t r = 1; beta < l; r++) {
    earlier = before;
    before = beta;
    beta = beta * (c + r) / r; /* below 2^24 * 2^25 */
  }
  int64_t least = l - (beta - before); /* beta(c-1, r) = beta(c, r) - beta(c, r-1) */
  if (least < earlier) least = earlier;
  if (least < 1) least = 1;
  return (int32_t)(least < l ? least : l - 1);
}

#define CNF_DEFAULT_CHECKPOINTS ((size_t)16 << 20)

/* Bytes for checkpoints where the caller gives none. They depend on the machine and on
 * limits of the process, not on how much memory is free. */
static size_t default_bytes(const cnf_solver_options *o) {
  const size_t share = cnf_memory_budget() / 4 / (size_t)o->threads;
  return o->schedule == CNF_SCHEDULE_AUTOMATIC && share > 0 ? share : CNF_DEFAULT_CHECKPOINTS;
}

static int64_t capacity_of(const cnf_solver_options *o, size_t bytes, int64_t most) {
  const int64_t every = o->checkpoint_every;
  if (o->schedule == CNF_SCHEDULE_EVERY_STEP || o->adjoint == CNF_ADJOINT_CONTINUOUS) return most;
  if (o->schedule == CNF_SCHEDULE_EVERY_K)
    return (most + every - 1) / every + every; /* and the states between two of
                                                                                         them */
  if (o->checkpoint_bytes > 0) return (int64_t)((size_t)o->checkpoint_bytes / bytes);
  const size_t some = default_bytes(o) / bytes;
  return some > 0 ? (int64_t)some : 1;
}

cnf_schedule_rule cnf_schedule_rule_of(const cnf_solver_options *options, size_t bytes, int32_t most) {
  const int64_t capacity = capacity_of(options, bytes, most);
  cnf_schedule_rule rule = {.kind = CNF_SCHEDULE_EVERY_STEP, .every = options->checkpoint_every, .capacity = most};
  if (capacity >= most) return rule; /* all states fit */
  rule.kind = options->schedule == CNF_SCHEDULE_EVERY_K ? CNF_SCHEDULE_EVERY_K : CNF_SCHEDULE_BINOMIAL;
  rule.capacity = (int32_t)capacity;
  return rule;
}

void cnf_checkpoint_plan_clear(cnf_checkpoint_plan *plan) {
  *plan = (cnf_checkpoint_plan){.next = CNF_NEVER, .current = -1};
}

/* Takes a free slot for the state at `step`, which is after all others. */
static int32_t take_checkpoint_slot(cnf_checkpoint_plan *plan, cnf_checkpoint *list, int32_t step, int32_t level) {
  cnf_checkpoint *entry = &list[plan->count];
  if (plan->count++ == plan->used) entry->slot = plan->used++;
  entry->step = step, entry->level = level;
  return entry->slot;
}

/* Drops a checkpoint that is followed by one of a higher level; `last` is the level of what follows the last. Returns 0
 * if there is none. */
static int give_up_one(cnf_checkpoint_plan *plan, cnf_checkpoint *list, int32_t last) {
  for (int32_t i = 0; i < plan->count; i++) {
    const cnf_checkpoint entry = list[i];
    if (entry.level >= (i + 1 < plan->count ? list[i + 1].level : last)) continue;
    memmove(&list[i], &list[i + 1], (size_t)(plan->count - i - 1) * sizeof *list);
    list[--plan->count] = entry;
    return 1;
  }
  return 0;
}

/* The next step after `step` whose state is to be stored, if steps up to `end` are to be reversed from the checkpoint
 * at `step`. */
static int32_t next_after(const cnf_schedule_rule *rule, const cnf_checkpoint_plan *plan, int32_t step, int32_t end) {
  const int32_t room = rule->capacity - plan->count;
  if (room == 0 || end - step < 2) return CNF_NEVER;
  return step + cnf_revolve_distance(room + 1, end - step);
}

cnf_checkpoint_writes cnf_checkpoint_plan_advance(const cnf_schedule_rule *rule, cnf_checkpoint_plan *plan,
                                                  cnf_checkpoint *list, int32_t step, int32_t end) {
  cnf_checkpoint_writes to = {.slot = -1, .earlier = -1};
  const int online = rule->kind == CNF_SCHEDULE_BINOMIAL && end == CNF_NEVER;
  if (plan->count == 0 || step == plan->next) {
    to.slot = take_checkpoint_slot(plan, list, step, CNF_NEVER); /* higher than any level */
    if (rule->kind == CNF_SCHEDULE_EVERY_K)
      plan->next = step + rule->every;
    else
      plan->next = online ? CNF_NEVER : next_after(rule, plan, step, end);
  } else if (online && list[plan->count - 1].step != plan->current) {
    if (plan->count < rule->capacity || give_up_one(plan, list, plan->level)) {
      to.earlier = take_checkpoint_slot(plan, list, plan->current, plan->level);
      plan->level = 0;
    } else {
      plan->level++;
    }
  }
  plan->current = step;
  return to;
}

const cnf_checkpoint *cnf_checkpoint_plan_restart(const cnf_schedule_rule *rule, cnf_checkpoint_plan *plan,
                                                  cnf_checkpoint *list, int32_t step) {
  while (list[plan->count - 1].step > step) plan->count--;
  const cnf_checkpoint *last = &list[plan->count - 1];
  plan->next = rule->kind == CNF_SCHEDULE_EVERY_K ? last->step + 1 : next_after(rule, plan, last->step, step + 1);
  return last;
}

int32_t cnf_checkpoint_plan_store(const cnf_schedule_rule *rule, cnf_checkpoint_plan *plan, cnf_checkpoint *list,
                                  int32_t step) {
  const int32_t at = plan->next, slot = take_checkpoint_slot(plan, list, at, 0);
  plan->next = rule->kind == CNF_SCHEDULE_EVERY_K ? at + 1 : next_after(rule, plan, at, step + 1);
  return slot;
}
