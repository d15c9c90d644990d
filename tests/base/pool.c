/* SPDX-License-Identifier: MIT
 *
 * The pool: every thread once, barriers, busy and nested callers, stop and restart, no trace left.
 */
#include <dirent.h>
#include <fenv.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#include "base/pool.h"
#include "test.h"

static const int sizes[] = {1, 2, 3, 7};
enum { SIZES = 4, MANY = 7 };

static void *nothing(void *arg)
{
	return arg;
}

static int threads_alive(void)
{
	int n = 0;
	DIR *d = opendir("/proc/self/task");
	for (struct dirent *e; d && (e = readdir(d));)
		n += e->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

/* The threads there are without any pool.  Counted once: an earlier test's may not all have left
 * the list.  A sanitizer's own thread comes with the first that is made. */
static int threads_at_rest(void)
{
	static int n;
	pthread_t t;
	if (n)
		return n;
	if (!pthread_create(&t, NULL, nothing, NULL))
		pthread_join(t, NULL);
	nanosleep(&(struct timespec){0, 50000000}, NULL);
	return n = threads_alive();
}

/* A joined thread leaves the list a moment after the join. */
static bool threads_become(int n)
{
	for (int i = 0; i < 2000; i++) {
		if (threads_alive() == n)
			return true;
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	}
	return false;
}

typedef struct counts {
	atomic_int by_tid[NC_THREADS], size, calls;
} counts;

static void count_job(void *arg, nc_team team)
{
	counts *c = arg;
	atomic_fetch_add(&c->by_tid[team.tid], 1);
	atomic_fetch_add(&c->calls, 1);
	atomic_store(&c->size, team.size);
}

TEST(every_thread_runs_once)
{
	int before = threads_at_rest();
	nc_memory m;
	nc_memory_init(&m, NULL);
	for (int s = 0; s < SIZES; s++) {
		nc_pool *p = nc_pool_new(&m, sizes[s]);
		CHECK(threads_become(before)); /* none before the first job */
		CHECK_EQ(nc_pool_threads(p), sizes[s]);
		static counts c;
		memset(&c, 0, sizeof c);
		for (int i = 1; i <= 200; i++) {
			nc_pool_run(p, count_job, &c);
			CHECK_EQ(c.size, sizes[s]);
			for (int t = 0; t < sizes[s]; t++)
				CHECK_EQ(c.by_tid[t], i);
			CHECK_EQ(c.calls, i * sizes[s]);
		}
		CHECK(threads_become(before + sizes[s] - 1));
		nc_pool_free(p);
		CHECK(threads_become(before));
	}
	CHECK_EQ(m.blocks, 0);
}

TEST(workers_wake_from_sleep)
{
	nc_memory m;
	nc_memory_init(&m, NULL);
	nc_pool *p = nc_pool_new(&m, 3);
	static counts c;
	memset(&c, 0, sizeof c);
	for (int i = 0; i < 60; i++) {
		nc_pool_run(p, count_job, &c);
		/* around the time after which they fall asleep */
		nanosleep(&(struct timespec){0, (long)(test_random() % 800000)}, NULL);
	}
	CHECK_EQ(c.calls, 180);
	nc_pool_free(p);
}

/* In each round every thread writes its place, and after a barrier reads all of them. */
typedef struct rounds {
	int value[NC_THREADS]; /* not atomic: the barrier must order it */
	int rounds;
	atomic_int errors;
} rounds;

static void barrier_job(void *arg, nc_team team)
{
	rounds *r = arg;
	for (int i = 0; i < r->rounds; i++) {
		r->value[team.tid] = i * 1000 + team.tid;
		nc_barrier(team);
		for (int t = 0; t < team.size; t++)
			if (r->value[t] != i * 1000 + t)
				atomic_fetch_add(&r->errors, 1);
		nc_barrier(team);
	}
}

TEST(barriers_order_memory)
{
	nc_memory m;
	nc_memory_init(&m, NULL);
	for (int s = 0; s < SIZES; s++) {
		nc_pool *p = nc_pool_new(&m, sizes[s]);
		static rounds r;
		memset(&r, 0, sizeof r);
		r.rounds = sizes[s] > 2 ? 100 : 1000;
		for (int i = 0; i < 5; i++)
			nc_pool_run(p, barrier_job, &r);
		CHECK_EQ(r.errors, 0);
		nc_pool_free(p);
	}
}

/* -- several callers ----------------------------------------------------------------------------*/
typedef struct caller {
	nc_pool *pool;
	int alone, together, wrong;
	pthread_t thread;
} caller;

typedef struct sum {
	int64_t part[NC_THREADS];
	int64_t total;
	int size;
	bool has_pool;
} sum;

static void sum_job(void *arg, nc_team team)
{
	sum *s = arg;
	int64_t part = 0;
	for (int64_t i = team.tid; i < 1000; i += team.size)
		part += i;
	s->part[team.tid] = part;
	nc_barrier(team);
	if (team.tid)
		return;
	s->size = team.size;
	s->has_pool = team.pool != NULL;
	s->total = 0;
	for (int t = 0; t < team.size; t++)
		s->total += s->part[t];
}

static void *call_often(void *arg)
{
	caller *c = arg;
	for (int i = 0; i < 300; i++) {
		sum s = {.total = -1};
		nc_pool_run(c->pool, sum_job, &s);
		if (s.total != 499500 || s.has_pool != (s.size > 1))
			c->wrong++;
		if (s.size == 1)
			c->alone++;
		else
			c->together++;
	}
	return NULL;
}

TEST(callers_share_a_pool)
{
	nc_memory m;
	nc_memory_init(&m, NULL);
	nc_pool *p = nc_pool_new(&m, 3);
	caller c[4];
	for (int i = 0; i < 4; i++) {
		c[i] = (caller){.pool = p};
		pthread_create(&c[i].thread, NULL, call_often, &c[i]);
	}
	int together = 0;
	for (int i = 0; i < 4; i++) {
		pthread_join(c[i].thread, NULL);
		CHECK_EQ(c[i].wrong, 0);
		CHECK_EQ(c[i].alone + c[i].together, 300);
		together += c[i].together;
	}
	CHECK(together > 0);
	nc_pool_free(p);
	CHECK_EQ(m.blocks, 0);
}

typedef struct nested {
	nc_pool *pool;
	sum inner[MANY];
} nested;

static void nested_job(void *arg, nc_team team)
{
	nested *n = arg;
	nc_pool_run(n->pool, sum_job, &n->inner[team.tid]);
}

TEST(a_job_may_run_jobs)
{
	nc_memory m;
	nc_memory_init(&m, NULL);
	static nested n;
	n.pool = nc_pool_new(&m, 3);
	nc_pool_run(n.pool, nested_job, &n);
	for (int t = 0; t < 3; t++) {
		CHECK_EQ(n.inner[t].total, 499500);
		CHECK_EQ(n.inner[t].size, 1);
		CHECK(!n.inner[t].has_pool);
	}
	nc_pool_free(n.pool);
}

TEST(serial_runs)
{
	sum s = {0};
	nc_pool_run_serial(sum_job, &s);
	CHECK_EQ(s.total, 499500);
	CHECK_EQ(s.size, 1);
	CHECK(!s.has_pool);
}

/* -- stop and resize ----------------------------------------------------------------------------*/
TEST(stop_and_restart)
{
	int before = threads_at_rest();
	nc_memory m;
	nc_memory_init(&m, NULL);
	nc_pool *p = nc_pool_new(&m, 3);
	nc_pool_stop(p);
	for (int i = 0; i < 20; i++) {
		sum s = {0};
		nc_pool_run(p, sum_job, &s);
		CHECK_EQ(s.size, 3);
		CHECK_EQ(s.total, 499500);
		if (i % 3 == 0)
			nanosleep(&(struct timespec){0, 1000000}, NULL);
		nc_pool_stop(p);
		CHECK(threads_become(before));
	}
	nc_pool_stop(p);
	nc_pool_free(p);
	nc_pool_free(NULL);
}

TEST(resize)
{
	int before = threads_at_rest();
	nc_memory m;
	nc_memory_init(&m, NULL);
	nc_pool *p = nc_pool_new(&m, 2);
	for (int i = 0; i < 12; i++) {
		int n = sizes[i % SIZES];
		CHECK_EQ(nc_pool_resize(p, n), NACRE_OK);
		CHECK_EQ(nc_pool_threads(p), n);
		sum s = {0};
		nc_pool_run(p, sum_job, &s);
		CHECK_EQ(s.size, n);
		CHECK_EQ(s.total, 499500);
		CHECK(threads_become(before + n - 1));
	}
	CHECK_EQ(nc_pool_resize(p, 0), NACRE_INVALID);
	CHECK_EQ(nc_pool_resize(p, NC_THREADS + 1), NACRE_INVALID);
	CHECK_EQ(nc_pool_threads(p), sizes[11 % SIZES]);
	nc_pool_free(p);
	CHECK(threads_become(before));
}

/* Stacks as large as the address space cannot be had; of those of half its size, one can. */
TEST(without_threads_the_caller_works_alone)
{
	int before = threads_at_rest();
	nc_memory m;
	nc_memory_init(&m, NULL);
	pthread_attr_t saved, large;
	CHECK_EQ(pthread_getattr_default_np(&saved), 0);
	CHECK_EQ(pthread_getattr_default_np(&large), 0);
	for (int bits = 45; bits <= 47; bits++) {
		nc_pool *p = nc_pool_new(&m, 6);
		pthread_attr_setstacksize(&large, (size_t)1 << bits);
		pthread_setattr_default_np(&large);
		for (int i = 0; i < 3; i++) {
			sum s = {0};
			nc_pool_run(p, sum_job, &s);
			CHECK_EQ(s.total, 499500);
			CHECK_EQ(s.size, 1);
			CHECK(threads_become(before));
		}
		pthread_setattr_default_np(&saved);
		nc_pool_stop(p); /* tries again after a stop */
		sum s = {0};
		nc_pool_run(p, sum_job, &s);
		CHECK_EQ(s.size, 6);
		CHECK_EQ(s.total, 499500);
		nc_pool_free(p);
		CHECK(threads_become(before));
	}
	pthread_attr_destroy(&saved);
	pthread_attr_destroy(&large);
}

TEST(sizes_are_kept_in_range)
{
	nc_memory m;
	nc_memory_init(&m, NULL);
	static const int asked[] = {-5, 0, 300}, got[] = {1, 1, NC_THREADS};
	for (int i = 0; i < 3; i++) {
		nc_pool *p = nc_pool_new(&m, asked[i]);
		CHECK_EQ(nc_pool_threads(p), got[i]);
		nc_pool_free(p);
	}
}

/* -- what the caller keeps ----------------------------------------------------------------------*/
TEST(the_callers_affinity_stays)
{
	nc_memory m;
	nc_memory_init(&m, NULL);
	cpu_set_t before, after;
	sched_getaffinity(0, sizeof before, &before);
	nc_pool *p = nc_pool_new(&m, 2);
	sum s;
	for (int i = 0; i < 100; i++)
		nc_pool_run(p, sum_job, &s);
	sched_getaffinity(0, sizeof after, &after);
	CHECK(CPU_EQUAL(&before, &after));
	nc_pool_free(p);
	sched_getaffinity(0, sizeof after, &after);
	CHECK(CPU_EQUAL(&before, &after));
}

typedef struct cpus {
	int cpu[NC_THREADS];
	cpu_set_t mask[2];
} cpus;

static void cpu_job(void *arg, nc_team team)
{
	cpus *c = arg;
	sched_getaffinity(0, sizeof c->mask[team.tid], &c->mask[team.tid]);
	nc_barrier(team); /* both at once: they cannot run one after the other on one CPU */
	c->cpu[team.tid] = sched_getcpu();
}

/* The caller pins itself here and there: the worker must never be bound to its CPU.  It is not the
 * first thread, whose mask is the mask of the process. */
static void *wander(void *arg)
{
	nc_pool *p = arg;
	cpu_set_t all;
	sched_getaffinity(0, sizeof all, &all);
	for (size_t i = 0, moves = 0; i < CPU_SETSIZE && moves < 8; i++) {
		if (!CPU_ISSET(i, &all))
			continue;
		moves++;
		cpu_set_t one;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		pthread_setaffinity_np(pthread_self(), sizeof one, &one);
		static cpus c;
		nc_pool_run(p, cpu_job, &c);
		CHECK_EQ(CPU_COUNT(&c.mask[1]), 1);
		CHECK(!CPU_ISSET(i, &c.mask[1]));
		CHECK_EQ(c.cpu[0], i);
		CHECK(c.cpu[1] != c.cpu[0]);
	}
	return NULL;
}

TEST(a_worker_makes_way)
{
	cpu_set_t all;
	sched_getaffinity(0, sizeof all, &all);
	if (CPU_COUNT(&all) < 2)
		return;
	nc_memory m;
	nc_memory_init(&m, NULL);
	nc_pool *p = nc_pool_new(&m, 2);
	pthread_t t;
	CHECK_EQ(pthread_create(&t, NULL, wander, p), 0);
	pthread_join(t, NULL);
	nc_pool_free(p);
}

typedef struct flush {
	float quotient[NC_THREADS], product[NC_THREADS];
	bool upward[NC_THREADS];
} flush;

static volatile float smallest = 1.17549435e-38f, half = 0.5f, denormal = 1e-41f, big = 1e20f;
static volatile float one = 1, tiny = 1e-20f;

static void flush_job(void *arg, nc_team team)
{
	flush *f = arg;
	f->quotient[team.tid] = smallest * half;
	f->product[team.tid] = denormal * big;
	f->upward[team.tid] = one + tiny > 1;
}

TEST(denormals_are_flushed_only_in_jobs)
{
#if defined __x86_64__ || defined __aarch64__
	nc_memory m;
	nc_memory_init(&m, NULL);
	for (int s = 0; s < SIZES; s++) {
		nc_pool *p = nc_pool_new(&m, sizes[s]);
		for (int mode = 0; mode < 2; mode++) {
			fesetround(mode ? FE_UPWARD : FE_TONEAREST);
			static flush f;
			memset(&f, 0x7f, sizeof f);
			nc_pool_run(p, flush_job, &f);
			CHECK(smallest * half > 0);
			CHECK(denormal * big > 0);
			CHECK_EQ(fegetround(), mode ? FE_UPWARD : FE_TONEAREST);
			for (int t = 0; t < sizes[s]; t++) {
				CHECK(f.product[t] == 0);
				if (!mode)
					CHECK(f.quotient[t] == 0);
				CHECK_EQ(f.upward[t], mode); /* the caller's rounding, in all */
			}
		}
		fesetround(FE_TONEAREST);
		nc_pool_free(p);
	}
	flush f;
	nc_pool_run_serial(flush_job, &f);
	CHECK(f.quotient[0] == 0 && f.product[0] == 0);
	CHECK(smallest * half > 0);
#endif
}
