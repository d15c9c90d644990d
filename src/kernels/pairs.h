/* SPDX-License-Identifier: MIT
 *
 * pairs.h - products of bf16: their tiles as a table, since one of an instruction that only some
 * CPUs of a set have can stand in for another.
 *
 * Two neighbours along k lie in one 32-bit lane, the first of them in its low half: so A and B are
 * like matrices of f32 with half as many k, and are cut, packed and walked as such (gemm.inc).  A
 * single last k has a zero beside it.  Sums are f32; of a pair the second product is added first.
 */
#ifndef NC_PAIRS_H
#define NC_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

typedef int32_t nc_pair __attribute__((may_alias));

/* T[mr][nv vectors] (+)= sum over kn pairs; A(i,k) = a[k*lda + i], B(k,j) = b[k*ldb + j] */
typedef void nc_pair_fn(int64_t kn, const nc_pair *a, int64_t lda, const nc_pair *b, int64_t ldb,
			float *t, int64_t ldt, bool add);

typedef struct nc_pairs {
	nc_pair_fn *tile[4][13]; /* [vectors][rows] */
} nc_pairs;

#endif
