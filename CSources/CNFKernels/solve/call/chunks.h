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

/* A call of few samples runs them one by one, since most of a tile would be idle. How many pay is measured for each
 * instruction set and dtype (`most_alone` in simd/kernels.h). That holds while the weights stay in cache: every sample
 * alone reads all of them again. With 9.6 MB of packed weights (64-1024-1024-64, 20 steps of rk4) a gradient of two
 * samples takes 95 ms, of three 139 ms, and a tile 133 to 154 ms. Results are the same bits in either way; a gradient's
 * sum over samples is not. So the choice depends on the call's size and the model alone. */
#define CNF_ALONE_BYTES ((size_t)4 << 20)
#define CNF_ALONE_BEYOND 2
static void choose_kernels(cnf_model *m, size_t count) {
  const int in_cache = m->packed_size * sizeof(real) <= CNF_ALONE_BYTES;
  const int32_t most = in_cache || m->tile->most_alone < CNF_ALONE_BEYOND ? m->tile->most_alone : CNF_ALONE_BEYOND;
  const int alone = count <= (size_t)most && !m->bf16; /* bfloat16 has no products for one lane */
  m->kernels = alone ? m->tile->single : m->tile;
}
