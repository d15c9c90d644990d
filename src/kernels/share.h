/* SPDX-License-Identifier: MIT
 *
 * share.h - how work is cut between the threads of a team: contiguous shares of units whose size
 * depends on the problem alone, so that the bits of a result never depend on the number of threads.
 */
#ifndef NC_SHARE_H
#define NC_SHARE_H

#include <stdint.h>

typedef struct nc_share {
	int64_t begin, end;
} nc_share;

/* units [begin, end) of thread tid of nt */
static inline nc_share share_of(int64_t units, int tid, int nt)
{
	int64_t each = units / nt, more = units % nt; /* the first `more` threads take one more */
	int64_t begin = each * tid + (tid < more ? tid : more);
	return (nc_share){begin, begin + each + (tid < more)};
}
/* as share_of, but all for the first thread if the whole work is small: waking costs more */
static inline nc_share share_above(int64_t small, int64_t work, int64_t units, int tid, int nt)
{
	if (work < small)
		return tid ? (nc_share){0, 0} : (nc_share){0, units};
	return share_of(units, tid, nt);
}
static inline int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

#endif
