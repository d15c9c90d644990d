/* SPDX-License-Identifier: MIT
 *
 * gemm.c - the matrix product against OpenBLAS and oneDNN, on the shapes of small networks, skinny
 * ones and squares.  All contenders run by turns in one process on the same data; the peak of
 * multiply-adds and the bandwidths are measured in the same run.
 *
 * usage: bench_gemm [threads] [part of a title]
 *
 * Built with what the machine has:
 *     HAVE_OPENBLAS  cblas.h, -lopenblas        HAVE_DNNL  dnnl.h, -ldnnl
 * and -fopenmp, for what a caller of those libraries does around a product.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"
#include "base/base.h"
#include "base/pool.h"
#include "base/runtime.h"
#include "kernels/kernels.h"

#ifdef HAVE_OPENBLAS
#include <cblas.h>
#endif
#ifdef HAVE_DNNL
#include <dnnl.h>
#endif
#ifdef _OPENMP
#define PARALLEL _Pragma("omp parallel for num_threads(threads)")
#else
#define PARALLEL
#endif

enum { CONTENDERS = 4, ROUNDS = 15 };

typedef struct shape {
	const char *title;
	int64_t m, n, k;
	bool a_trans, b_trans, relu, adam; /* relu: with a bias; adam: the product is a gradient */
} shape;

static const shape shapes[] = {
    {.title = "forward 128x784 x 784x512, bias, relu", .m = 128, .n = 512, .k = 784, .relu = true},
    {.title = "forward 128x512 x 512x10", .m = 128, .n = 10, .k = 512},
    {.title = "dW (128x784)T x 128x512", .m = 784, .n = 512, .k = 128, .a_trans = true},
    {.title = "dW (128x784)T x 128x512, Adam",
     .m = 784,
     .n = 512,
     .k = 128,
     .a_trans = true,
     .adam = true},
    {.title = "dW (128x512)T x 128x10", .m = 512, .n = 10, .k = 128, .a_trans = true},
    {.title = "dX 128x10 x (512x10)T", .m = 128, .n = 512, .k = 10, .b_trans = true},
    {.title = "one row 1x784 x 784x512", .m = 1, .n = 512, .k = 784},
    {.title = "one row 1x2048 x 2048x8192", .m = 1, .n = 8192, .k = 2048},
    {.title = "two rows 2x784 x 784x512", .m = 2, .n = 512, .k = 784},
    {.title = "32x768 x 768x3072, bias, relu", .m = 32, .n = 3072, .k = 768, .relu = true},
    {.title = "NT 512x64 x (512x64)T", .m = 512, .n = 512, .k = 64, .b_trans = true},
    {.title = "NN 512x512 x 512x64", .m = 512, .n = 64, .k = 512},
    {.title = "square 64", .m = 64, .n = 64, .k = 64},
    {.title = "square 256", .m = 256, .n = 256, .k = 256},
    {.title = "square 512", .m = 512, .n = 512, .k = 512},
    {.title = "square 1000", .m = 1000, .n = 1000, .k = 1000},
    {.title = "square 1024", .m = 1024, .n = 1024, .k = 1024},
    {.title = "square 2048", .m = 2048, .n = 2048, .k = 2048},
};

typedef struct problem {
	shape s;
	const nc_kernels *kernels;
	nc_pool *pool;
	nc_gemm packed, plain; /* B kept in panels; packed at each call */
	nc_vm vm;
	nc_update update;
	float rate[2];
	float *a, *b, *panels, *c, *bias, *w, *mo, *v;
	void *scratch;
	size_t scratch_bytes; /* a thread */
} problem;

/* -- ours
 * ------------------------------------------------------------------------------------------ */
static const problem *running;
static const nc_gemm *running_gemm;

static void gemm_job(void *arg, nc_team team)
{
	const problem *p = arg;
	p->kernels->gemm(running_gemm, team.tid, team.size,
			 (char *)p->scratch + (size_t)team.tid * p->scratch_bytes);
}

static void run_gemm(problem *p, const nc_gemm *g)
{
	running = p;
	running_gemm = g;
	nc_pool_run(p->pool, gemm_job, p);
}
static void run_packed(problem *p)
{
	run_gemm(p, &p->packed);
}
static void run_plain(problem *p)
{
	run_gemm(p, &p->plain);
}

#if defined HAVE_OPENBLAS || defined HAVE_DNNL
/* -- libraries: what a caller does after the product is part of the time -- */
static void after(problem *p)
{
	int64_t m = p->s.m, n = p->s.n;
	int threads = nc_pool_threads(p->pool);
	if (p->s.adam) {
		/* OpenMP, as the library has its threads there */
		PARALLEL
		for (int t = 0; t < threads; t++)
			p->kernels->update(&p->update, t, threads);
	}
	if (p->s.relu) {
		PARALLEL
		for (int64_t i = 0; i < m; i++)
			for (int64_t j = 0; j < n; j++) {
				float x = p->c[i * n + j] + p->bias[j];
				p->c[i * n + j] = x > 0 ? x : 0;
			}
	}
}

#endif
#ifdef HAVE_OPENBLAS
static void run_openblas(problem *p)
{
	const shape *s = &p->s;
	cblas_sgemm(CblasRowMajor, s->a_trans ? CblasTrans : CblasNoTrans,
		    s->b_trans ? CblasTrans : CblasNoTrans, (int)s->m, (int)s->n, (int)s->k, 1,
		    p->a, (int)p->plain.lda, p->b, (int)p->plain.ldb, 0, p->c, (int)s->n);
	after(p);
}
#endif
#ifdef HAVE_DNNL
static void run_dnnl(problem *p)
{
	const shape *s = &p->s;
	dnnl_sgemm(s->a_trans ? 'T' : 'N', s->b_trans ? 'T' : 'N', s->m, s->n, s->k, 1, p->a,
		   p->plain.lda, p->b, p->plain.ldb, 0, p->c, s->n);
	after(p);
}
#endif

static const struct contender {
	const char *name;
	void (*run)(problem *p);
} contenders[] = {
    {"nacre, B in panels", run_packed},
    {"nacre, packs B", run_plain},
#ifdef HAVE_OPENBLAS
    {"OpenBLAS", run_openblas},
#endif
#ifdef HAVE_DNNL
    {"oneDNN sgemm", run_dnnl},
#endif
};
enum { COUNT = sizeof contenders / sizeof *contenders };

/* -- setting up
 * ------------------------------------------------------------------------------------- */
static float *array(nc_memory *m, int64_t n)
{
	float *p = nc_alloc(m, (size_t)n * sizeof *p);
	if (!p) {
		fprintf(stderr, "out of memory\n");
		exit(1);
	}
	bench_fill(p, n);
	return p;
}

static void problem_new(problem *p, const shape *s, const nc_kernels *k, nc_pool *pool,
			nc_memory *mem)
{
	int nr = k->gemm_width(s->n);
	int64_t width = (s->n + nr - 1) / nr * nr;
	*p = (problem){.s = *s, .kernels = k, .pool = pool, .rate = {1e-3f, 1e-3f}};
	p->a = array(mem, s->m * s->k);
	p->b = array(mem, s->k * s->n);
	p->panels = array(mem, s->k * width);
	p->c = array(mem, s->m * s->n);
	p->bias = array(mem, s->n);
	k->pack(s->k, s->n, nr, p->b, s->b_trans ? s->k : s->n, s->b_trans, p->panels, 0,
		width / nr);
	nc_gemm g = {.m = s->m,
		     .n = s->n,
		     .k = s->k,
		     .a = p->a,
		     .lda = s->a_trans ? s->m : s->k,
		     .a_trans = s->a_trans,
		     .nr = nr,
		     .c = p->c,
		     .ldc = s->n};
	if (s->relu) {
		p->vm = (nc_vm){.rank = 2,
				.size = {s->m, s->n},
				.total = s->m * s->n,
				.n_operands = 2,
				.n_code = 2,
				.n_results = 1};
		p->vm.operand[1] = (nc_operand){p->bias, NC_V_F32, NC_STRIDED, {0, 1}};
		p->vm.code[0] = (nc_code){NC_E_add, 0, {NC_VM_REGISTERS, NC_VM_REGISTERS + 1, 0}};
		p->vm.code[1] = (nc_code){NC_E_relu, 1, {0, 0, 0}};
		p->vm.result[0] = (nc_result){p->c, NC_V_F32, 1, NC_STRIDED, {s->n, 1}};
		g.vm = &p->vm;
	}
	if (s->adam) {
		int64_t n = s->m * width;
		p->w = array(mem, n), p->mo = array(mem, n), p->v = array(mem, n);
		for (int64_t i = 0; i < n; i++)
			p->v[i] += 0.5f;
		p->update = (nc_update){NC_UPDATE_ADAM, p->w, p->mo, p->v, p->c, p->rate,
					s->m * s->n,    0.9,  0.999, 1e-7, 0};
		g.update = &p->update;
	}
	p->packed = p->plain = g;
	p->packed.b = p->panels;
	p->plain.b = p->b;
	p->plain.b_format = s->b_trans ? NC_B_COLUMNS : NC_B_ROWS;
	p->plain.ldb = s->b_trans ? s->k : s->n;
	int nt = nc_pool_threads(pool);
	size_t one = k->gemm_scratch(&p->packed, nt), two = k->gemm_scratch(&p->plain, nt);
	p->scratch_bytes = nc_round_up(one > two ? one : two, 4096) + 4096;
	p->scratch = nc_alloc(mem, p->scratch_bytes * (size_t)nt);
	if (!p->scratch)
		exit(1);
}

static void problem_free(problem *p, nc_memory *mem)
{
	int nr = p->packed.nr;
	size_t width = (size_t)((p->s.n + nr - 1) / nr * nr), m = (size_t)p->s.m,
	       k = (size_t)p->s.k;
	nc_free(mem, p->a, m * k * 4);
	nc_free(mem, p->b, k * (size_t)p->s.n * 4);
	nc_free(mem, p->panels, k * width * 4);
	nc_free(mem, p->c, m * (size_t)p->s.n * 4);
	nc_free(mem, p->bias, (size_t)p->s.n * 4);
	nc_free(mem, p->w, m * width * 4);
	nc_free(mem, p->mo, m * width * 4);
	nc_free(mem, p->v, m * width * 4);
	nc_free(mem, p->scratch, p->scratch_bytes * (size_t)nc_pool_threads(p->pool));
}

/* -- measuring
 * -------------------------------------------------------------------------------------- */
/* One thread is timed by its own clock: what else runs on the machine counts less. */
static double now(const problem *p)
{
	struct timespec t;
	if (nc_pool_threads(p->pool) > 1)
		return nc_now();
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* multiply-adds that never leave the registers: a product of one tile with k so long that nothing
 * else counts and both sides in L1 */
static double peak(problem *p)
{
	double best = 0;
	for (int i = 0; i < 40; i++) {
		double t = now(p);
		for (int c = 0; c < 40; c++)
			run_packed(p);
		t = now(p) - t;
		double rate = 2. * (double)p->s.m * (double)p->s.n * (double)p->s.k * 40 / t;
		best = rate > best ? rate : best;
	}
	return best * 1e-9;
}

static void measure(problem *p, double limit)
{
	static double seconds[COUNT][ROUNDS];
	double work = 2. * (double)p->s.m * (double)p->s.n * (double)p->s.k;
	int calls = (int)(0.004 / (work / 80e9)) + 1;
	for (int r = -1; r < ROUNDS; r++)
		for (int c = 0; c < COUNT; c++) {
			if (nc_pool_threads(p->pool) > 1) /* let the others' threads go to sleep */
				usleep(20000);
			contenders[c].run(p);
			double t = now(p);
			for (int i = 0; i < calls; i++)
				contenders[c].run(p);
			if (r >= 0)
				seconds[c][r] = (now(p) - t) / calls;
		}
	printf("%s\n", p->s.title);
	for (int c = 0; c < COUNT; c++) {
		bench_sort(seconds[c], ROUNDS);
		double median = seconds[c][ROUNDS / 2], best = seconds[c][0];
		printf("  %-20s %9.1f us %9.1f us   %7.1f %7.1f GFLOP/s   %3.0f %%\n",
		       contenders[c].name, median * 1e6, best * 1e6, work / median * 1e-9,
		       work / best * 1e-9, 100 * work / best * 1e-9 / limit);
	}
	fflush(stdout);
}

/* Libraries read these at their start: set them, then start again. */
static void environment(char **argv, int threads)
{
	char text[16];
	snprintf(text, sizeof text, "%d", threads);
	const char *omp = getenv("OMP_NUM_THREADS");
	if (omp && !strcmp(omp, text) && !getenv("OPENBLAS_CORETYPE") &&
	    !getenv("OPENBLAS_L2_SIZE"))
		return;
	setenv("OMP_NUM_THREADS", text, 1);
	setenv("OPENBLAS_NUM_THREADS", text, 1);
	unsetenv("OPENBLAS_CORETYPE");
	unsetenv("OPENBLAS_L2_SIZE");
	execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 1;
	const char *only = argc > 2 ? argv[2] : "";
	const char *isa = getenv("NACRE_ISA") ? getenv("NACRE_ISA") : nc_cpu_isa(0);
	environment(argv, threads);
	nc_memory mem;
	nc_memory_init(&mem, NULL);
	nc_pool *pool = nc_pool_new(&mem, threads < 1 ? 1 : threads);
	const nc_kernels *k = nc_kernels_named(isa);
	if (!pool || !k)
		return 1;
	problem p;
	shape l1 = {.title = "peak", .m = 96, .n = 2 * k->vector * threads, .k = 256};
	problem_new(&p, &l1, k, pool, &mem);
	double limit = peak(&p);
	problem_free(&p, &mem);
	printf("%s, %d threads; one tile in L1: %.1f GFLOP/s (100 %%); median and best of %d\n",
	       k->isa, threads, limit, ROUNDS);
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		if (!strstr(shapes[i].title, only))
			continue;
		problem_new(&p, &shapes[i], k, pool, &mem);
		measure(&p, limit);
		problem_free(&p, &mem);
	}
	nc_pool_free(pool);
	return 0;
}
