/* Address space for what calls keep besides their results: the steps of a solve, and what its derivative needs of them.
 * Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c.
 *
 * It is reserved by the first call that needs it, for the samples, steps and threads of that call, and again when a
 * later call needs more. A solver that only solves reserves none. */
#include "host/memory.h"
#include "solve/worker.h"

/* Partial gradients that `threads` workers hold at once, of at most CNF_MAX_GROUPS = 2^6 groups. Each worker adds to
 * one. The others wait for their neighbour, whose samples are with some worker or not begun. Groups begin in order. So
 * on each of the 6 levels at most threads + 1 wait: one for each worker, and one at the border of what has begun. */
static int64_t partials_at_once(int64_t threads, int64_t groups) {
  const int64_t most = threads + 6 * (threads + 1);
  return most < groups ? most : groups;
}

/* Steps of a sample that the call may record. */
static int64_t steps_of_call(const cnf_call *call) {
  return call->steps ? (int64_t)call->steps * (call->time_count + 1) : call->solver->record_capacity;
}

/* What a solve keeps: its steps, where it records them. */
static cnf_capacity capacity_of_solve(const cnf_call *call) {
  const cnf_engine *s = call->solver;
  const int64_t steps = steps_of_call(call), count = (int64_t)call->input->count, chunks = ceil_div(count, call->chunk);
  cnf_capacity c = {0};
  if (!call->keeps && !call->keeps_times && !(call->output && call->output->step_fractions)) return c;
  c.workers = chunks < s->options.threads ? chunks : s->options.threads;
  c.chunk = call->chunk;
  c.records = call->steps ? steps : steps * call->chunk;
  return c;
}

/* And a gradient. Continuous adjoint: the forward path, or the states at output times. */
static cnf_capacity capacity_of_gradient(const cnf_call *call) {
  const cnf_engine *s = call->solver;
  const int64_t steps = steps_of_call(call), groups = ceil_div((int64_t)call->input->count, call->group);
  cnf_capacity c = capacity_of_solve(call);
  c.workers = groups < s->options.threads ? groups : s->options.threads;
  c.chunk = call->chunk;
  c.partials = partials_at_once(c.workers, groups);
  if (s->options.adjoint == CNF_ADJOINT_CONTINUOUS) c.states = call->keeps_path ? steps : call->time_count;
  if (!call->keeps) return c;
  const int64_t columns = call->steps ? 1 : call->chunk;        /* what has slots: the tile, or each sample */
  const int64_t slots = columns * steps * (s->stages.kept + 1); /* stage 0 may be evaluated once more */
  c.slots = slots < s->slot_capacity ? slots : s->slot_capacity;
  c.states = steps < s->rule.capacity ? steps : s->rule.capacity;
  if (s->rule.kind != CNF_SCHEDULE_EVERY_STEP) c.checkpoints = s->rule.capacity;
  return c;
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/* Both; *grows = 1 if b is more than a in something. */
static cnf_capacity capacity_join(cnf_capacity a, cnf_capacity b, int *grows) {
  const cnf_capacity both = {.workers = larger(a.workers, b.workers),
                             .chunk = larger(a.chunk, b.chunk),
                             .records = larger(a.records, b.records),
                             .slots = larger(a.slots, b.slots),
                             .states = larger(a.states, b.states),
                             .checkpoints = larger(a.checkpoints, b.checkpoints),
                             .partials = larger(a.partials, b.partials)};
  *grows = memcmp(&both, &a, sizeof a) != 0;
  return both;
}

static void reserve_layout(cnf_engine *s, cnf_arena *arena) {
  const cnf_capacity *c = &s->capacity;
  for (int64_t i = 0; i < c->workers; i++) {
    cnf_store_reserve(&s->workers[i].store, s, arena);
    cnf_backward_reserve(&s->workers[i].back, s, arena);
  }
  s->partials.memory = cnf_arena_take(arena, (size_t)c->partials * s->model.gradient_size, sizeof(real));
}

/* Reserves what the call needs. What was there is gone then: no call reads what an earlier one has kept. */
static cnf_status reserve(cnf_engine *s, cnf_capacity wanted) {
  cnf_arena arena = {0};
  int grows;
  const cnf_capacity both = capacity_join(s->capacity, wanted, &grows);
  if (!grows) return CNF_OK;
  cnf_memory_free(s->reserved, s->bytes_reserved);
  s->reserved = NULL, s->bytes_reserved = 0;
  s->capacity = both;
  reserve_layout(s, &arena);
  if (!arena.overflow) s->reserved = cnf_memory_take(arena.used);
  if (!s->reserved) {
    s->capacity = (cnf_capacity){0};
    return CNF_ERROR_MEMORY;
  }
  s->bytes_reserved = arena.used;
  arena = (cnf_arena){.base = s->reserved};
  reserve_layout(s, &arena);
  return CNF_OK;
}
