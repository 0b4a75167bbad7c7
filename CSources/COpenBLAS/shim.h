/* What is used of OpenBLAS, declared here so that no header of it has to be found: Debian keeps them in a folder that depends
 * on the variant installed. Matrices are column-major; LAPACK's integers are 32 bits wide. */
#ifndef CNF_COPENBLAS_SHIM_H
#define CNF_COPENBLAS_SHIM_H

#include <stdint.h>

/* Cholesky factor of the symmetric positive-definite a [n][lda] in place, of its upper (uplo "U") or lower ("L") triangle.
 * info: 0 ok; k > 0: the leading minor of order k is not positive definite; -k: argument k is bad. */
void dpotrf_(const char *uplo, const int32_t *n, double *a, const int32_t *lda, int32_t *info);

/* Factors a [n][lda] in place into P L U, L of unit diagonal; pivots [n], from 1: row i was exchanged with row pivots[i].
 * info: 0 ok; k > 0: U's diagonal is exactly 0 at k; -k: argument k is bad. */
void dgetrf_(const int32_t *m, const int32_t *n, double *a, const int32_t *lda, int32_t *pivots, int32_t *info);

/* The inverse, in place, of what dgetrf_ has factored. work [lwork], lwork >= n. info as there. */
void dgetri_(const int32_t *n, double *a, const int32_t *lda, const int32_t *pivots, double *work, const int32_t *lwork,
             int32_t *info);

/* Version, options, core and thread limit of the library that is loaded, in words; static. */
char *openblas_get_config(void);

int openblas_get_num_threads(void);
void openblas_set_num_threads(int count);

#endif
