/* SPDX-License-Identifier: MIT
 *
 * pool.h - a fork-join pool: one job at a time runs on all its threads, the caller among them.
 *
 * Starting and ending a job costs well under a microsecond while the workers spin; after about
 * 0.4 ms without work they sleep on a futex.  If the affinity mask of the process has at least as
 * many CPUs as the pool has threads, each worker is bound to one, never to the one that the caller
 * runs on: when the caller moves there, that worker changes places with it.  The caller's mask is
 * never touched.
 *
 * A forked child has no workers and must not use a pool of its parent, nor free it.
 */
#ifndef NC_POOL_H
#define NC_POOL_H

#include "base/base.h"

enum { NC_THREADS = 256 }; /* the most that a pool can have */

typedef struct nc_pool nc_pool;

/* One job's threads: tid 0 .. size-1.  pool is NULL when it runs on the caller alone. */
typedef struct nc_team {
	nc_pool *pool;
	int tid, size;
} nc_team;

typedef void nc_job(void *arg, nc_team team);

/* CPUs that this process may use: affinity mask, cut by the cgroup quota (v1 and v2), 1..256 */
int nc_cpu_count(void);
/* CPUs that the cgroup quotas under `root` (normally "") allow, rounded up; NC_THREADS: no limit */
int nc_cgroup_cpus(const char *root);

nc_pool *nc_pool_new(nc_memory *m, int threads); /* NULL: no memory; starts no thread yet */
void nc_pool_free(nc_pool *p);
int nc_pool_threads(const nc_pool *p);
nacre_status nc_pool_resize(nc_pool *p, int threads); /* stops the workers */
void nc_pool_stop(nc_pool *p); /* ends the workers; they start again when needed */
/* Resize and stop wait for another caller's job to end; inside a job they would wait forever. */

/* Runs job on every thread of the pool and returns when all are done.  If the pool is busy with
 * another caller's job, or its workers cannot be started, runs it on the caller alone: the result
 * is the same.  Denormals are flushed to zero in every thread while a job runs, the caller's
 * floating-point state is restored. */
void nc_pool_run(nc_pool *p, nc_job *job, void *arg);
/* the same on the caller alone */
void nc_pool_run_serial(nc_job *job, void *arg);

/* Waits for all threads of the team; what was written before is seen after. */
void nc_barrier(nc_team team);

#endif
