/* Counter-based noise: a number depends only on its key (Philox4x32-10). */
#ifndef CNF_RANDOM_PHILOX_H
#define CNF_RANDOM_PHILOX_H

#include <stdint.h>

typedef struct cnf_noise_key {
  uint64_t seed;
  uint32_t stream; /* below 2^8 */
  uint64_t step;   /* below 2^44 */
  uint64_t sample; /* below 2^44 */
} cnf_noise_key;

double cnf_noise_uniform(cnf_noise_key key, uint64_t dimension); /* [0, 1), a multiple of 2^-32 */
double cnf_noise_normal(cnf_noise_key key, uint64_t dimension);
double cnf_noise_rademacher(cnf_noise_key key, uint64_t dimension); /* -1 or 1 */

#endif
