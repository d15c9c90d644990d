/* SPDX-License-Identifier: MIT
 *
 * elementwise.c - what is bound by memory: programs of the tile interpreter, softmax, sums,
 * transposes and Adam, against a plain copy of the same size on the same threads.  All take turns
 * in one process; GB/s count what an ideal program reads and writes.  Then the cost of small calls.
 *
 * usage: bench_elementwise [threads] [isa]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "base/base.h"
#include "base/pool.h"
#include "base/runtime.h"
#include "kernels/kernels.h"

enum { ROUNDS = 11, CONTENDERS = 32, SCRATCH = 1 << 20 };

static const nc_kernels *kernels;
static nc_pool *pool;
static int threads = 2;
static char *scratch;
static float *x, *y, *z, *w;
static int64_t length;

typedef struct contender {
	const char *name;
	nc_job *job;
	const void *arg;
	double bytes; /* an element */
	double best, all[ROUNDS];
} contender;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* jobs */

static void job_copy(void *arg, nc_team t)
{
	(void)arg;
	typedef float vec __attribute__((vector_size(64), aligned(4)));
	int64_t n = length / 16, begin = n * t.tid / t.size, end = n * (t.tid + 1) / t.size;
	vec *d = (vec *)y;
	const vec *s = (const vec *)x;
	for (int64_t i = begin; i < end; i++) {
		d[i] = s[i];
		__asm__ volatile("" ::
				     : "memory"); /* a loop, not memcpy's stores around the cache */
	}
}
static void job_memcpy(void *arg, nc_team t)
{
	(void)arg;
	int64_t begin = length * t.tid / t.size, end = length * (t.tid + 1) / t.size;
	memcpy(y + begin, x + begin, (size_t)(end - begin) * sizeof *y);
}
static void job_vm(void *arg, nc_team t)
{
	kernels->vm(arg, t.tid, t.size, scratch + (size_t)t.tid * SCRATCH);
}
static void job_softmax(void *arg, nc_team t)
{
	kernels->softmax(arg, t.tid, t.size);
}
static void job_reduce(void *arg, nc_team t)
{
	kernels->reduce(arg, t.tid, t.size, scratch + (size_t)t.tid * SCRATCH);
}
static void job_move(void *arg, nc_team t)
{
	kernels->copy(arg, t.tid, t.size);
}
static void job_update(void *arg, nc_team t)
{
	kernels->update(arg, t.tid, t.size);
}

/* programs */

enum { R0, X = NC_VM_REGISTERS, A, B };

static nc_vm program(const nc_code *code, int n_code)
{
	static const float a = 1.25f, half = 0.5f;
	nc_vm vm = {.rank = 1,
		    .size = {length},
		    .total = length,
		    .n_operands = 3,
		    .n_code = n_code,
		    .n_results = 1};
	vm.operand[0] = (nc_operand){x, NC_V_F32, NC_FLAT, {0}};
	vm.operand[1] = (nc_operand){&a, NC_V_F32, NC_SCALAR, {0}};
	vm.operand[2] = (nc_operand){&half, NC_V_F32, NC_SCALAR, {0}};
	memcpy(vm.code, code, (size_t)n_code * sizeof *code);
	vm.result[0] = (nc_result){y, NC_V_F32, R0, NC_FLAT, {0}};
	return vm;
}

static const nc_code chain[] = {
    {NC_E_mul, R0, {X, A, 0}}, {NC_E_add, R0, {R0, B, 0}}, {NC_E_relu, R0, {R0, 0, 0}}};
static const nc_code gelu[] = {{NC_E_gelu, R0, {X, 0, 0}}};
static const nc_code add2[] = {{NC_E_add, R0, {X, A, 0}}};
static const uint8_t unary[] = {NC_E_exp, NC_E_tanh, NC_E_sigmoid, NC_E_erf, NC_E_log, NC_E_sqrt};
static const char *const unary_names[] = {"exp", "tanh", "sigmoid", "erf", "log", "sqrt"};
enum { UNARY = 6 };

/* measuring */

static void measure(contender *c, int n)
{
	int repeat = (int)(16e6 / (double)length);
	repeat = repeat < 1 ? 1 : repeat;
	for (int r = -1; r < ROUNDS; r++)
		for (int i = 0; i < n; i++) {
			double start = now();
			for (int k = 0; k < repeat; k++)
				nc_pool_run(pool, c[i].job, (void *)(uintptr_t)c[i].arg);
			if (r >= 0)
				c[i].all[r] = (now() - start) / repeat;
		}
	for (int i = 0; i < n; i++)
		bench_sort(c[i].all, ROUNDS);
	double copy = 8 * (double)length / c[0].all[ROUNDS / 2];
	printf("%ld floats, %d threads, %s\n%-34s %9s %9s %8s\n", (long)length, threads,
	       kernels->isa, "", "GB/s med", "best", "of copy");
	for (int i = 0; i < n; i++) {
		double bytes = c[i].bytes * (double)length, median = bytes / c[i].all[ROUNDS / 2];
		printf("%-34s %9.1f %9.1f %7.0f%%\n", c[i].name, median * 1e-9,
		       bytes / c[i].all[0] * 1e-9, 100 * median / copy);
	}
}

static void large(int64_t n)
{
	length = n;
	nc_vm vm_chain = program(chain, 3), vm_gelu = program(gelu, 1), vm_bias = program(add2, 1);
	nc_vm vm_add = vm_bias, one[UNARY];
	vm_add.operand[1] = (nc_operand){z, NC_V_F32, NC_FLAT, {0}};
	vm_bias.rank = 2;
	vm_bias.size[0] = n / 10;
	vm_bias.size[1] = 10;
	vm_bias.total = n / 10 * 10;
	vm_bias.operand[1] = (nc_operand){z, NC_V_F32, NC_STRIDED, {0, 1}};
	nc_softmax wide = {false, n / 1024, 1024, 1, x, y}, narrow = {false, n / 10, 10, 1, x, y};
	nc_reduce rows = {NC_REDUCE_SUM, n / 1024, 1024, 1, x, y, 1};
	nc_reduce columns = {NC_REDUCE_SUM, 1, n / 1024, 1024, x, y, 1};
	nc_copy move = {2, {1024, n / 1024}, {1, 1024}, {n / 1024, 1}, 4, x, y};
	static const float rate[2] = {1e-9f, 1};
	nc_update adam = {NC_UPDATE_ADAM, y, z, w, x, rate, n, 0.9f, 0.999f, 1e-7f, 0};
	contender c[CONTENDERS] = {
	    {.name = "copy, loop of vectors", .job = job_copy, .bytes = 8},
	    {.name = "memcpy", .job = job_memcpy, .bytes = 8},
	    {.name = "relu(a x + b)", .job = job_vm, .arg = &vm_chain, .bytes = 8},
	    {.name = "x + y", .job = job_vm, .arg = &vm_add, .bytes = 12},
	    {.name = "x + bias [n, 10]", .job = job_vm, .arg = &vm_bias, .bytes = 8},
	    {.name = "gelu (erf)", .job = job_vm, .arg = &vm_gelu, .bytes = 8}};
	int count = 6;
	for (int i = 0; i < UNARY; i++) {
		one[i] = program(&(nc_code){unary[i], R0, {X, 0, 0}}, 1);
		c[count++] =
		    (contender){.name = unary_names[i], .job = job_vm, .arg = &one[i], .bytes = 8};
	}
	c[count++] = (contender){
	    .name = "softmax rows of 1024", .job = job_softmax, .arg = &wide, .bytes = 8};
	c[count++] = (contender){
	    .name = "softmax rows of 10", .job = job_softmax, .arg = &narrow, .bytes = 8};
	c[count++] =
	    (contender){.name = "sum of rows of 1024", .job = job_reduce, .arg = &rows, .bytes = 4};
	c[count++] = (contender){
	    .name = "sum of 1024 columns", .job = job_reduce, .arg = &columns, .bytes = 4};
	c[count++] = (contender){.name = "transpose", .job = job_move, .arg = &move, .bytes = 8};
	c[count++] = (contender){.name = "Adam", .job = job_update, .arg = &adam, .bytes = 28};
	measure(c, count);
}

/* the best of many samples of some 0.1 ms, which no other process cuts into */
static double call_ns(nc_job *job, const void *arg)
{
	nc_team alone = {NULL, 0, 1};
	double best = 1;
	int repeat = 1;
	for (int r = 0; r < 400; r++) {
		double start = now();
		for (int i = 0; i < repeat; i++)
			job((void *)(uintptr_t)arg, alone);
		double t = (now() - start) / repeat;
		best = t < best ? t : best;
		repeat = best * repeat < 5e-5 ? 2 * repeat : repeat;
	}
	return best * 1e9;
}

static void small(void)
{
	length = 4;
	nc_vm tiny = program(chain, 3);
	length = 1280;
	nc_vm bias = program(add2, 1);
	bias.rank = 2;
	bias.size[0] = 128;
	bias.size[1] = 10;
	bias.operand[1] = (nc_operand){z, NC_V_F32, NC_STRIDED, {0, 1}};
	nc_softmax softmax = {false, 128, 10, 1, x, y}, log_softmax = {true, 128, 10, 1, x, y};
	nc_reduce rows = {NC_REDUCE_SUM, 128, 10, 1, x, y, 1},
		  sum = {NC_REDUCE_SUM, 1, 128, 10, x, y, 1};
	nc_softmax row = {false, 1, 1024, 1, x, y};
	nc_copy move = {2, {128, 512}, {1, 128}, {512, 1}, 4, x, y};
	length = 1024;
	nc_vm exponential = program(&(nc_code){NC_E_exp, R0, {X, 0, 0}}, 1),
	      vm_gelu = program(gelu, 1);
	printf("one call on one thread, best, ns\n");
	printf("%-34s %9.0f\n", "relu(a x + b) of 4", call_ns(job_vm, &tiny));
	printf("%-34s %9.0f\n", "x + bias, [128, 10]", call_ns(job_vm, &bias));
	printf("%-34s %9.0f\n", "softmax of [128, 10]", call_ns(job_softmax, &softmax));
	printf("%-34s %9.0f\n", "log-softmax of [128, 10]", call_ns(job_softmax, &log_softmax));
	printf("%-34s %9.0f\n", "softmax of 1024", call_ns(job_softmax, &row));
	printf("%-34s %9.0f\n", "exp of 1024", call_ns(job_vm, &exponential));
	printf("%-34s %9.0f\n", "gelu of 1024", call_ns(job_vm, &vm_gelu));
	printf("%-34s %9.0f\n", "row sums of [128, 10]", call_ns(job_reduce, &rows));
	printf("%-34s %9.0f\n", "column sums of [128, 10]", call_ns(job_reduce, &sum));
	printf("%-34s %9.0f\n", "transpose of [128, 512]", call_ns(job_move, &move));
}

int main(int argc, char **argv)
{
	nacre_runtime *runtime = nc_runtime(NULL);
	threads = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 2;
	kernels = nc_kernels_named(argc > 2 ? argv[2] : nc_cpu_isa(0));
	if (!runtime || !kernels || threads < 1)
		return 1;
	pool = nc_pool_new(nc_runtime_memory(runtime), threads);
	int64_t most = 10 << 20;
	scratch = aligned_alloc(64, (size_t)threads * SCRATCH);
	float **arrays[] = {&x, &y, &z, &w};
	for (int a = 0; a < 4; a++) {
		*arrays[a] = aligned_alloc(4096, (size_t)most * sizeof(float));
		for (int64_t i = 0; i < most; i++)
			(*arrays[a])[i] = (float)(i * 7919 % 8191) / 1024.f - 4;
	}
	for (int64_t i = 0; i < most; i++)
		w[i] = w[i] * w[i];
	small();
	large(3 << 10);
	large(256 << 10);
	large(most);
	nc_pool_free(pool);
	for (int a = 0; a < 4; a++)
		free(*arrays[a]);
	free(scratch);
	return 0;
}
