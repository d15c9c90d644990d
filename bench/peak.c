/* SPDX-License-Identifier: MIT
 *
 * peak.c - what the processor can do at most: multiply-adds in f32, and copying.
 *
 *     bench/peak [threads ...]        (1 and 2 without)
 *
 * Prints a line for each number of threads: GFLOP/s with AVX2 and with AVX-512 (where there are; on
 * aarch64 NEON), the better of them, and GB/s of a copy, read and written bytes together.  Each is
 * the best of several rounds, all threads in one round at once, bound to a CPU each.
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 20, MAX_THREADS = 256 };
#define STEPS 8000000
#define COPY_BYTES ((size_t)64 << 20)

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Latency 4 and two units want 8 sums in flight; 12 leave room for units that run later.  The
 * factors come from memory that the compiler cannot see through, and the sums go back there.
 * Values stay finite: x = x * 0.5 + 0.5. */
static volatile float half = 0.5f, sink;

#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#define SUMS 12
#define DECLARE(i) v s##i = (v){0} + (float)(i);
#define STEP(i) s##i = s##i * a + a;
#define GATHER(i) all += s##i;
#define PEAK(name, bytes, attribute)                                                               \
	attribute static double name(long steps)                                                   \
	{                                                                                          \
		typedef float v __attribute__((vector_size(bytes)));                               \
		v a = (v){0} + half;                                                               \
		EACH(DECLARE)                                                                      \
		for (long i = 0; i < steps; i++) {                                                 \
			EACH(STEP)                                                                 \
			__asm__ volatile("");                                                      \
		}                                                                                  \
		v all = (v){0};                                                                    \
		EACH(GATHER)                                                                       \
		sink = all[0];                                                                     \
		return 2.0 * SUMS * ((double)(bytes) / 4) * (double)steps;                         \
	}

#if defined(__x86_64__)
PEAK(avx2, 32, __attribute__((target("avx2,fma"))))
PEAK(avx512, 64, __attribute__((target("avx512f"))))
#else
PEAK(vector128, 16, )
#endif

static char *copy_from[MAX_THREADS], *copy_to[MAX_THREADS];

typedef struct kind {
	const char *name;
	double (*run)(long steps); /* NULL: the copy */
} kind;

typedef struct team {
	const kind *kind;
	int n;
	pthread_barrier_t barrier;
	double best; /* a second, of all threads */
} team;

typedef struct member {
	team *team;
	int i;
} member;

static double copy(int i)
{
	memcpy(copy_to[i], copy_from[i], COPY_BYTES);
	return 2.0 * (double)COPY_BYTES;
}

static void bind_to(int i)
{
	cpu_set_t have, one;
	if (sched_getaffinity(0, sizeof have, &have))
		return;
	i %= CPU_COUNT(&have);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &have) || i--)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof one, &one);
		return;
	}
}

static void *work(void *argument)
{
	member *m = argument;
	team *t = m->team;
	bind_to(m->i);
	for (int round = 0; round < ROUNDS; round++) {
		pthread_barrier_wait(&t->barrier);
		double start = now();
		double done = t->kind->run ? t->kind->run(STEPS) : copy(m->i);
		pthread_barrier_wait(&t->barrier);
		double rate = done * t->n / (now() - start);
		if (m->i == 0 && rate > t->best)
			t->best = rate;
	}
	return NULL;
}

/* The best rate of `n` threads together; 0: they could not be started. */
static double measure(const kind *k, int n)
{
	static pthread_t threads[MAX_THREADS];
	static member members[MAX_THREADS];
	team t = {.kind = k, .n = n};
	if (pthread_barrier_init(&t.barrier, NULL, (unsigned)n))
		return 0;
	for (int i = 0; i < n; i++) {
		members[i] = (member){&t, i};
		if (pthread_create(&threads[i], NULL, work, &members[i])) {
			fprintf(stderr, "peak: cannot start %d threads\n", n);
			exit(1);
		}
	}
	for (int i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&t.barrier);
	return t.best;
}

static int line(int n)
{
	kind kinds[3];
	int m = 0;
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
		kinds[m++] = (kind){"avx2", avx2};
	if (__builtin_cpu_supports("avx512f"))
		kinds[m++] = (kind){"avx512", avx512};
#else
	kinds[m++] = (kind){"vector128", vector128};
#endif
	printf("threads=%d", n);
	double best = 0;
	for (int i = 0; i < m; i++) {
		double rate = measure(&kinds[i], n) * 1e-9;
		printf(" %s=%.1f", kinds[i].name, rate);
		best = rate > best ? rate : best;
	}
	for (int i = 0; i < n; i++) {
		if (!copy_from[i] && !(copy_from[i] = calloc(1, COPY_BYTES)))
			return 1;
		if (!copy_to[i] && !(copy_to[i] = malloc(COPY_BYTES)))
			return 1;
		memset(copy_from[i], i + 1, COPY_BYTES);
		memset(copy_to[i], i, COPY_BYTES);
	}
	const kind copying = {"copy", NULL};
	printf(" gflops=%.1f copy_gbs=%.1f\n", best, measure(&copying, n) * 1e-9);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;
	if (argc < 2)
		failed = line(1) || line(2);
	for (int i = 1; i < argc && !failed; i++) {
		long n = strtol(argv[i], NULL, 10);
		if (n < 1 || n > MAX_THREADS) {
			fprintf(stderr, "peak: threads must be 1 to %d, got '%s'\n", MAX_THREADS,
				argv[i]);
			return 2;
		}
		failed = line((int)n);
	}
	for (int i = 0; i < MAX_THREADS; i++) {
		free(copy_from[i]);
		free(copy_to[i]);
	}
	return failed;
}
