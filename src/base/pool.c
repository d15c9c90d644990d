/* SPDX-License-Identifier: MIT
 *
 * pool.c - the fork-join pool.  A job starts when `epoch` moves on and ends when `left` is 0.
 *
 * Workers spin on the epoch and then sleep on it as a futex.  A worker first counts itself among
 * the sleepers and the kernel then compares the epoch; the caller first moves the epoch and then
 * looks for sleepers: in any order of the two, either the worker sees the new epoch or the caller
 * sees the sleeper.  Both sides must be sequentially consistent for that.
 */
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#if defined __x86_64__
#include <xmmintrin.h>
#endif

#include "base/pool.h"

#define SPIN_SECONDS 0.4e-3
#define SPINS_BEFORE_YIELD 2000

typedef struct worker {
	nc_pool *pool;
	pthread_t thread;
	int tid, cpu; /* cpu: where it is bound to; -1: nowhere */
} worker;

struct nc_pool {
	_Alignas(NC_ALIGN) atomic_uint epoch;
	_Alignas(NC_ALIGN) atomic_int sleepers;
	_Alignas(NC_ALIGN) atomic_int left;      /* workers still in the job */
	_Alignas(NC_ALIGN) atomic_int arrived;   /* threads that wait at the barrier */
	_Alignas(NC_ALIGN) atomic_uint barriers; /* passed so far */

	/* written between jobs by who holds `lock`, read by the workers after the epoch moved */
	_Alignas(NC_ALIGN) nc_job *job; /* NULL: end */
	void *arg;
	unsigned float_state;
	int size; /* threads of a job */

	pthread_mutex_t lock; /* held while a job runs and by whatever changes the pool */
	nc_memory *memory;
	atomic_int threads; /* wanted */
	bool running, cannot_start;
	int caller_cpu; /* no worker is bound to it; -1: nothing is bound */
	worker worker[NC_THREADS];
};

/* -- the floating-point state: flush denormals, keep the rest -----------------------------------*/
#if defined __x86_64__
#define FLUSH 0x8040u /* FTZ, DAZ */
static unsigned float_state(void)
{
	return _mm_getcsr();
}
static void set_float_state(unsigned state)
{
	_mm_setcsr(state);
}
#elif defined __aarch64__
#define FLUSH (1u << 24) /* FZ */
static unsigned float_state(void)
{
	uint64_t state;
	__asm__ volatile("mrs %0, fpcr" : "=r"(state));
	return (unsigned)state;
}
static void set_float_state(unsigned state)
{
	__asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)state));
}
#else
#define FLUSH 0u
static unsigned float_state(void)
{
	return 0;
}
static void set_float_state(unsigned state)
{
	(void)state;
}
#endif

static inline void relax(void)
{
#if defined __x86_64__
	__builtin_ia32_pause();
#elif defined __aarch64__
	__asm__ volatile("yield");
#endif
}

/* Waits a little: from time to time lets a preempted peer have this CPU. */
static inline void wait_politely(unsigned turn)
{
	relax();
	if (turn > SPINS_BEFORE_YIELD && !(turn & 63))
		sched_yield();
}

/* -- workers ------------------------------------------------------------------------------------*/
static void futex(atomic_uint *word, int operation, unsigned value)
{
	syscall(SYS_futex, word, operation, value, NULL, NULL, 0);
}

static void await_epoch(nc_pool *p, unsigned seen)
{
	double start = 0;
	for (unsigned turn = 1; atomic_load_explicit(&p->epoch, memory_order_acquire) == seen;
	     turn++) {
		relax();
		if (turn & 63)
			continue;
		double now = nc_now();
		if (start == 0)
			start = now;
		if (now - start < SPIN_SECONDS) {
			if (turn > SPINS_BEFORE_YIELD)
				sched_yield();
			continue;
		}
		atomic_fetch_add(&p->sleepers, 1);
		while (atomic_load(&p->epoch) == seen)
			futex(&p->epoch, FUTEX_WAIT_PRIVATE, seen);
		atomic_fetch_sub(&p->sleepers, 1);
	}
}

static void *work(void *arg)
{
	worker *w = arg;
	nc_pool *p = w->pool;
	/* It is created under the lock: the epoch stands still until it is told to start. */
	for (unsigned seen = 0;; seen++) {
		await_epoch(p, seen);
		if (!p->job)
			return NULL;
		set_float_state(p->float_state);
		p->job(p->arg, (nc_team){p, w->tid, p->size});
		atomic_fetch_sub_explicit(&p->left, 1, memory_order_release);
	}
}

static void next_epoch(nc_pool *p)
{
	atomic_fetch_add(&p->epoch, 1);
	if (atomic_load(&p->sleepers) > 0)
		futex(&p->epoch, FUTEX_WAKE_PRIVATE, INT32_MAX);
}

static void bind_to(worker *w, int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	w->cpu = pthread_setaffinity_np(w->thread, sizeof set, &set) ? -1 : cpu;
}

/* Gives each worker a CPU of its own, the ones that follow the caller's in the process's mask.
 * Unbound, the kernel likes to wake a worker on the CPU of the very thread that spins for it. */
static void bind_workers(nc_pool *p)
{
	cpu_set_t set;
	p->caller_cpu = -1;
	int cpu = sched_getcpu();
	if (sched_getaffinity(getpid(), sizeof set, &set) || CPU_COUNT(&set) < p->size || cpu < 0 ||
	    cpu >= CPU_SETSIZE || !CPU_ISSET((size_t)cpu, &set))
		return;
	p->caller_cpu = cpu;
	for (int i = 1; i < p->size; i++) {
		do
			cpu = (cpu + 1) % CPU_SETSIZE;
		while (!CPU_ISSET((size_t)cpu, &set));
		bind_to(&p->worker[i], cpu);
	}
}

/* The caller may have moved onto the CPU of a worker: that worker takes the one it left. */
static void follow_caller(nc_pool *p)
{
	if (p->caller_cpu < 0)
		return;
	int cpu = sched_getcpu();
	if (cpu == p->caller_cpu || cpu < 0)
		return;
	for (int i = 1; i < p->size; i++)
		if (p->worker[i].cpu == cpu) {
			bind_to(&p->worker[i], p->caller_cpu);
			p->caller_cpu = cpu;
			return;
		}
}

static void join(nc_pool *p, int size)
{
	p->job = NULL;
	next_epoch(p);
	for (int i = 1; i < size; i++)
		pthread_join(p->worker[i].thread, NULL);
	p->running = false;
}

/* Signals are for the program's own threads; faults, aborts and profilers' ticks stay open. */
static void block_signals(sigset_t *old)
{
	static const int open[] = {SIGSEGV, SIGBUS,  SIGFPE, SIGILL,
				   SIGTRAP, SIGABRT, SIGSYS, SIGPROF};
	sigset_t set;
	sigfillset(&set);
	for (size_t i = 0; i < sizeof open / sizeof *open; i++)
		sigdelset(&set, open[i]);
	pthread_sigmask(SIG_SETMASK, &set, old);
}

static void start(nc_pool *p)
{
	p->size = atomic_load_explicit(&p->threads, memory_order_relaxed);
	atomic_store(&p->epoch, 0);
	sigset_t old;
	block_signals(&old);
	int made = 1;
	for (; made < p->size; made++) {
		p->worker[made] = (worker){.pool = p, .tid = made, .cpu = -1};
		if (pthread_create(&p->worker[made].thread, NULL, work, &p->worker[made]))
			break;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	p->running = true;
	if (made < p->size) {
		join(p, made);
		p->cannot_start = true; /* until the pool is stopped or resized */
		return;
	}
	bind_workers(p);
}

/* -- the pool -----------------------------------------------------------------------------------*/
nc_pool *nc_pool_new(nc_memory *m, int threads)
{
	nc_pool *p = nc_zero_alloc(m, sizeof *p);
	if (!p)
		return NULL;
	if (pthread_mutex_init(&p->lock, NULL)) {
		nc_free(m, p, sizeof *p);
		return NULL;
	}
	p->memory = m;
	p->threads = threads < 1 ? 1 : threads > NC_THREADS ? NC_THREADS : threads;
	return p;
}

int nc_pool_threads(const nc_pool *p)
{
	return atomic_load_explicit(&p->threads, memory_order_relaxed);
}

static void stop(nc_pool *p)
{
	if (p->running)
		join(p, p->size);
	p->cannot_start = false;
}

nacre_status nc_pool_resize(nc_pool *p, int threads)
{
	if (threads < 1 || threads > NC_THREADS)
		return NACRE_INVALID;
	pthread_mutex_lock(&p->lock);
	stop(p);
	atomic_store_explicit(&p->threads, threads, memory_order_relaxed);
	pthread_mutex_unlock(&p->lock);
	return NACRE_OK;
}

void nc_pool_stop(nc_pool *p)
{
	pthread_mutex_lock(&p->lock);
	stop(p);
	pthread_mutex_unlock(&p->lock);
}

void nc_pool_free(nc_pool *p)
{
	if (!p)
		return;
	nc_pool_stop(p);
	pthread_mutex_destroy(&p->lock);
	nc_free(p->memory, p, sizeof *p);
}

static void run_flushed(nc_job *job, void *arg, nc_team team)
{
	unsigned state = float_state();
	if ((state & FLUSH) == FLUSH) {
		job(arg, team);
		return;
	}
	set_float_state(state | FLUSH);
	job(arg, team);
	set_float_state(state);
}

void nc_pool_run_serial(nc_job *job, void *arg)
{
	run_flushed(job, arg, (nc_team){NULL, 0, 1});
}

static void run_team(nc_pool *p, nc_job *job, void *arg)
{
	follow_caller(p);
	p->job = job;
	p->arg = arg;
	p->float_state = float_state() | FLUSH;
	atomic_store_explicit(&p->left, p->size - 1, memory_order_relaxed);
	next_epoch(p);
	run_flushed(job, arg, (nc_team){p, 0, p->size});
	for (unsigned turn = 1; atomic_load_explicit(&p->left, memory_order_acquire); turn++)
		wait_politely(turn);
}

void nc_pool_run(nc_pool *p, nc_job *job, void *arg)
{
	if (nc_pool_threads(p) == 1 || pthread_mutex_trylock(&p->lock)) {
		nc_pool_run_serial(job, arg);
		return;
	}
	if (!p->running && !p->cannot_start && nc_pool_threads(p) > 1)
		start(p);
	if (p->running)
		run_team(p, job, arg);
	bool alone = !p->running;
	pthread_mutex_unlock(&p->lock);
	if (alone)
		nc_pool_run_serial(job, arg);
}

void nc_barrier(nc_team team)
{
	nc_pool *p = team.pool;
	if (team.size == 1)
		return;
	unsigned passed = atomic_load_explicit(&p->barriers, memory_order_acquire);
	if (atomic_fetch_add_explicit(&p->arrived, 1, memory_order_acq_rel) == team.size - 1) {
		atomic_store_explicit(&p->arrived, 0, memory_order_relaxed);
		atomic_fetch_add_explicit(&p->barriers, 1, memory_order_release);
		return;
	}
	for (unsigned turn = 1; atomic_load_explicit(&p->barriers, memory_order_acquire) == passed;
	     turn++)
		wait_politely(turn);
}
