/* How a call is cut into chunks and groups, and which kernels run it. Compiled once per dtype by
 * solve/call/solver_f32.c and solver_f64.c. */
#include "solve/worker.h"

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* How a call is cut depends on its size and the model, never on threads or on what is kept. Fixed steps: a tile is a
 * chunk. Adaptive steps: a chunk is an eighth of the call; with more samples its lanes are idle for a shorter part
 * at its end. It has at most so many tiles, and for a gradient only as many as can keep CNF_LIKELY_EVALUATIONS a
 * sample in CNF_CHUNK_BYTES. */
#define CNF_LIKELY_EVALUATIONS 64
#define CNF_CHUNK_BYTES ((size_t)32 << 20)
static void cut_batch(cnf_call *call) {
  const cnf_engine *s = call->solver;
  const int64_t lanes = s->model.kernels->lanes, count = (int64_t)call->input->count;
  call->chunk = lanes;
  if (!call->steps) {
    int64_t tiles = ceil_div(count, 8 * lanes), most = s->chunk_capacity / lanes;
    int64_t room = (int64_t)(CNF_CHUNK_BYTES / (CNF_LIKELY_EVALUATIONS * kept_reals(&s->model) * sizeof(real)));
    if (call->keeps && most > room) most = room > 1 ? room : 1;
    const int64_t chunks = ceil_div(count, (tiles < most ? tiles : most) * lanes);
    call->chunk = ceil_div(count, chunks); /* chunks of equal size */
  }
  const int64_t chunks = ceil_div(count, call->chunk);
  call->group = ceil_div(chunks, CNF_MAX_GROUPS) * call->chunk;
}

/* A call of few samples runs them one by one, since most of a tile would be idle. A training step of one sample of
 * the 2-64-64-64-2 net takes 1.69 ms in a tile of 16 lanes and 0.45 ms alone (`make bench-c`: alone-rk4, AVX2). */
#define CNF_MOST_SINGLE 2
static void choose_kernels(cnf_model *m, size_t count) {
  m->kernels =
      count <= CNF_MOST_SINGLE && !m->bf16 ? m->tile->single : m->tile; /* bfloat16 has no products for one lane */
}
