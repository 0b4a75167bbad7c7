/* Partial gradients, one of each group of samples, summed along a fixed tree: neighbours, then sums of neighbours.
 * Compiled once per dtype by solve/call/solver_f32.c and solver_f64.c. Whoever comes last to a pair adds it. The tree
 * depends only on the number of groups, so the bits do not depend on who was ready when. A partial gradient lives
 * until that of its neighbour is there, so memory grows with threads, not with groups (partials_at_once in
 * solve/call/reserve.h). */
#include "solve/worker.h"

static void partials_lock(cnf_partials *p) {
  while (__atomic_exchange_n(&p->lock, 1, __ATOMIC_ACQUIRE)) {
  }
}
static void partials_unlock(cnf_partials *p) { __atomic_store_n(&p->lock, 0, __ATOMIC_RELEASE); }

static void partials_begin(cnf_partials *p, int32_t groups, int32_t buffers) {
  p->lock = 0;
  p->groups = groups, p->free_count = buffers;
  for (int32_t i = 0; i < buffers; i++) p->free[i] = buffers - 1 - i; /* a stack: the lowest is taken first */
  memset(p->met, 0, sizeof p->met);
}

static int32_t partials_take(cnf_partials *p) {
  partials_lock(p);
  const int32_t buffer = p->free[--p->free_count];
  partials_unlock(p);
  return buffer;
}
static void partials_give(cnf_partials *p, int32_t buffer) {
  partials_lock(p);
  p->free[p->free_count++] = buffer;
  partials_unlock(p);
}

/* Group number `node` has its gradient in `buffer`: adds it up the tree, as far as neighbours are there. size: reals
 * of a gradient. */
static void partials_add(cnf_partials *p, int32_t node, int32_t buffer, size_t size) {
  int32_t level = 0; /* where the nodes of this level begin */
  for (int32_t count = p->groups; count > 1; level += count, count = (count + 1) / 2, node /= 2) {
    if (node == count - 1 && count % 2) continue; /* no neighbour: goes up alone */
    p->buffer[level + node] = buffer;
    if (!__atomic_exchange_n(&p->met[level + node / 2], 1, __ATOMIC_ACQ_REL)) return;
    const int32_t other = p->buffer[level + (node ^ 1)], left = node % 2 ? other : buffer,
                  right = node % 2 ? buffer : other;
    real *to = p->memory + (size_t)left * size;
    const real *from = p->memory + (size_t)right * size;
    for (size_t i = 0; i < size; i++) to[i] += from[i];
    partials_give(p, right);
    buffer = left;
  }
  p->root = buffer;
}
