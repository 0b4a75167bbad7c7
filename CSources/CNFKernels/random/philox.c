/* Philox4x32-10: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 *
 * Counter of dimension d:  word 0  d / 4
 *                          word 1  sample, low 32 bits
 *                          word 2  step, low 32 bits
 *                          word 3  stream << 24 | sample bits 32-43 << 12 | step bits 32-43
 * Key: the seed, low word first.
 * A uniform or Rademacher number of dimension d is made from word d % 4 of the result, a normal number from the pair of
 * words that contains word d % 4.
 */
#include "random/philox.h"
#include "host/float_mode.h"
#include "cnf.h"
#include <math.h>

CNF_API void cnf_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
  if (!counter || !key || !out) return;
  uint32_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3], k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; round++) {
    uint64_t p = (uint64_t)0xD2511F53u * x0, q = (uint64_t)0xCD9E8D57u * x2;
    x0 = (uint32_t)(q >> 32) ^ x1 ^ k0;
    x1 = (uint32_t)q;
    x2 = (uint32_t)(p >> 32) ^ x3 ^ k1;
    x3 = (uint32_t)p;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  out[0] = x0, out[1] = x1, out[2] = x2, out[3] = x3;
}

static void words(cnf_noise_key key, uint64_t dimension, uint32_t out[4]) {
  uint32_t counter[4] = {(uint32_t)(dimension / 4), (uint32_t)key.sample, (uint32_t)key.step,
                         key.stream << 24 | (uint32_t)(key.sample >> 32 & 0xFFF) << 12 |
                             (uint32_t)(key.step >> 32 & 0xFFF)};
  uint32_t seed[2] = {(uint32_t)key.seed, (uint32_t)(key.seed >> 32)};
  cnf_philox4x32(counter, seed, out);
}

double cnf_noise_uniform(cnf_noise_key key, uint64_t dimension) {
  uint32_t w[4];
  words(key, dimension, w);
  return w[dimension % 4] * 0x1p-32;
}

double cnf_noise_rademacher(cnf_noise_key key, uint64_t dimension) {
  uint32_t w[4];
  words(key, dimension, w);
  return w[dimension % 4] >> 31 ? 1 : -1;
}

/* Box and Muller's method: the first word of the pair gives the radius, the second the angle. The argument of the
 * logarithm is never 0. */
double cnf_noise_normal(cnf_noise_key key, uint64_t dimension) {
  uint32_t w[4];
  words(key, dimension, w);
  const uint32_t *pair = w + (dimension % 4 / 2) * 2;
  double radius = sqrt(-2 * log((pair[0] + 1.0) * 0x1p-32));
  double angle = 2 * 3.14159265358979323846 * (pair[1] * 0x1p-32);
  return dimension % 2 == 0 ? radius * cos(angle) : radius * sin(angle);
}

typedef double (*noise)(cnf_noise_key key, uint64_t dimension);

static cnf_status fill(noise draw, int32_t dtype, cnf_noise_key key, uint64_t first, size_t count, size_t dim,
                       void *out) {
  CNF_IN_DEFAULT_FLOAT_MODE;
  size_t total;
  const uint64_t limit = (uint64_t)1 << 44;
  if (dtype != CNF_FLOAT32 && dtype != CNF_FLOAT64) return CNF_ERROR_DTYPE;
  if (!out && count > 0 && dim > 0) return CNF_ERROR_NULL;
  if (key.stream > 255 || key.step >= limit || first >= limit || count > limit - first || dim >> 34 ||
      __builtin_mul_overflow(count, dim, &total) || total > PTRDIFF_MAX / sizeof(double))
    return CNF_ERROR_SIZE;
  for (size_t i = 0; i < count; i++) {
    key.sample = first + i;
    for (size_t d = 0; d < dim; d++) {
      double value = draw(key, d);
      if (dtype == CNF_FLOAT64)
        ((double *)out)[i * dim + d] = value;
      else /* truncate: a uniform number just below 1 must not round up to 1 */
        ((float *)out)[i * dim + d] =
            draw == cnf_noise_uniform ? (float)(floor(value * 0x1p24) * 0x1p-24) : (float)value;
    }
  }
  return CNF_OK;
}

CNF_API cnf_status cnf_random_normal(int32_t dtype, uint64_t seed, uint32_t stream, uint64_t step, uint64_t first,
                                     size_t count, size_t dim, void *out) {
  cnf_noise_key key = {.seed = seed, .stream = stream, .step = step};
  return fill(cnf_noise_normal, dtype, key, first, count, dim, out);
}

CNF_API cnf_status cnf_random_uniform(int32_t dtype, uint64_t seed, uint32_t stream, uint64_t step, uint64_t first,
                                      size_t count, size_t dim, void *out) {
  cnf_noise_key key = {.seed = seed, .stream = stream, .step = step};
  return fill(cnf_noise_uniform, dtype, key, first, count, dim, out);
}

CNF_API cnf_status cnf_random_rademacher(int32_t dtype, uint64_t seed, uint32_t stream, uint64_t step, uint64_t first,
                                         size_t count, size_t dim, void *out) {
  cnf_noise_key key = {.seed = seed, .stream = stream, .step = step};
  return fill(cnf_noise_rademacher, dtype, key, first, count, dim, out);
}
