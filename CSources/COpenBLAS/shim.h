/* The functions of OpenBLAS that this project uses. They are declared here because the folder of OpenBLAS's headers
 * depends on the variant that Debian has installed. Matrices are column-major; LAPACK's integers have 32 bits. */
#ifndef CNF_COPENBLAS_SHIM_H
#define CNF_COPENBLAS_SHIM_H

#include <stdint.h>

/* Cholesky factor, in place, of the symmetric positive-definite a [n][lda]. uplo names the triangle that is read and
 * written: "U" upper, "L" lower. info: 0 ok; k > 0: the leading minor of order k is not positive definite; -k: argument
 * k is bad. */
void dpotrf_(const char *uplo, const int32_t *n, double *a, const int32_t *lda, int32_t *info);

/* Factors a [n][lda] in place into P L U; L has a unit diagonal. pivots [n] count from 1: row i was exchanged with row
 * pivots[i]. info: 0 ok; k > 0: U's diagonal is exactly 0 at k; -k: argument k is bad. */
void dgetrf_(const int32_t *m, const int32_t *n, double *a, const int32_t *lda, int32_t *pivots, int32_t *info);

/* Replaces the factors that dgetrf_ wrote by the inverse. work [lwork], lwork >= n. info as in dgetrf_. */
void dgetri_(const int32_t *n, double *a, const int32_t *lda, const int32_t *pivots, double *work, const int32_t *lwork,
             int32_t *info);

/* A static text: version, options, core and thread limit of the loaded library. */
char *openblas_get_config(void);

int openblas_get_num_threads(void);
void openblas_set_num_threads(int count);

#endif
