/* blas_product.c - is OpenBLAS faster than the kernels' own matrix product? One core, float; a line of JSON for each
 * shape.
 *
 * The product is weights [n][n] times columns. The columns are a tile's lanes, two panels of them (a value and its
 * tangent), or as many as a whole batch has. OpenBLAS reads row-major arrays and packs them at every call. The kernels'
 * weights are packed once for each call of the solver, so their time does not include packing.
 */
#define _POSIX_C_SOURCE 199309L
#include <cblas.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cnf.h"

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static float *numbers(size_t count) {
  float *array = malloc(count * sizeof *array);
  if (!array || cnf_random_normal(CNF_FLOAT32, 1, CNF_STREAM_DATA, 0, 0, 1, count, array) != CNF_OK) exit(EXIT_FAILURE);
  return array;
}

/* GFLOP/s of the best of some samples, each of at least 20 ms. */
static double blas(int n, int columns) {
  float *a = numbers((size_t)n * (size_t)n), *b = numbers((size_t)n * (size_t)columns);
  float *c = numbers((size_t)n * (size_t)columns);
  const double flops = 2.0 * n * n * columns;
  double best = 0;
  for (int sample = 0, calls = 1; sample < 20;) {
    const double begin = now();
    for (int i = 0; i < calls; i++)
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, columns, n, 1, a, n, b, columns, 0, c, columns);
    const double seconds = now() - begin, rate = 1e-9 * flops * calls / seconds;
    if (seconds < 0.02) {
      calls *= 2;
      continue;
    }
    best = rate > best ? rate : best;
    sample++;
  }
  free(a), free(b), free(c);
  return best;
}

static int32_t kernel_named(const char *name) {
  for (int32_t i = 0; i < cnf_kernel_count(); i++)
    if (strcmp(cnf_kernel_name(i), name) == 0) return i;
  exit(EXIT_FAILURE);
}

int main(void) {
  static const int sizes[] = {64, 128, 860, 1024}, batch[] = {512, 256, 1000, 256};
  double peak = 0;
  openblas_set_num_threads(1);
  if (cnf_measure_peak(CNF_FLOAT32, cnf_isa_best(), 0.2, &peak) != CNF_OK) return EXIT_FAILURE;
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
    const int n = sizes[i];
    cnf_kernel_measure own = {.struct_size = sizeof own};
    if (cnf_measure_kernel(kernel_named("product"), CNF_FLOAT32, cnf_isa_best(), n, n, 0.5, &own) != CNF_OK)
      return EXIT_FAILURE;
    printf("{\"n\": %d, \"lanes\": %d, \"product_gflops\": %.1f, \"openblas_gflops\": {\"%d\": %.1f, \"%d\": %.1f, "
           "\"%d\": %.1f}, \"peak_gflops\": %.1f}\n",
           n, (int)own.lanes, 1e-9 * own.flops / own.seconds, (int)own.lanes, blas(n, (int)own.lanes),
           2 * (int)own.lanes, blas(n, 2 * (int)own.lanes), batch[i], blas(n, batch[i]), 1e-9 * peak);
  }
  return EXIT_SUCCESS;
}
