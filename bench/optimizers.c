/* SPDX-License-Identifier: MIT
 *
 * optimizers.c - the update of every optimizer on 10 million parameters, against a plain copy on
 * the same threads: a program that holds the update alone, its gradient given.
 *
 * The bytes are the least that an update must move: weight and slots read and written once, the
 * gradient read once.  Where it depends on a sum over all parameters, no update can begin before
 * that sum is there, and what it is computed from must be read once more: `sums` arrays.  Muon is
 * products of matrices; it is reported in GFLOP/s beside a plain product of that size.
 *
 * usage: bench_optimizers [threads [name]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/pool.h"
#include "base/runtime.h"
#include "compile/program.h"
#include "nacre/graph.h"
#include "nacre/op.h"
#include "nn/optimizer.h"

enum { ROWS = 3200, COLUMNS = 3125, ROUNDS = 9 }; /* 10 million */

typedef struct row {
	const char *name;
	int arrays; /* read or written by the update itself */
	int sums;   /* read before it */
} row;

static const row rows[] = {
    {"sgd", 3, 0},      {"rmsprop", 5, 0},	{"adam", 7, 0},	     {"adamw", 7, 0},
    {"adagrad", 5, 0},  {"adadelta", 7, 0},	{"adamax", 7, 0},    {"nadam", 7, 0},
    {"lion", 5, 0},     {"ftrl", 7, 0},		{"schedule_free_adamw", 7, 0},
    {"lamb", 7, 4},     {"adafactor", 3, 3},
};

static double median_run(nacre_program *p)
{
	double all[ROUNDS];
	nc_program_execute(p);
	for (int r = 0; r < ROUNDS; r++) {
		double start = nc_now();
		nc_program_execute(p);
		double took = nc_now() - start;
		int i = r;
		for (; i > 0 && all[i - 1] > took; i--)
			all[i] = all[i - 1];
		all[i] = took;
	}
	return all[ROUNDS / 2];
}

typedef struct copying {
	float *to;
	const float *from;
	int64_t n;
} copying;

static void copy(void *arg, nc_team t)
{
	const copying *c = arg;
	typedef float vec __attribute__((vector_size(64), aligned(4)));
	int64_t n = c->n / 16, begin = n * t.tid / t.size, end = n * (t.tid + 1) / t.size;
	vec *d = (vec *)c->to;
	const vec *s = (const vec *)c->from;
	for (int64_t i = begin; i < end; i++) {
		d[i] = s[i];
		__asm__ volatile("" ::
				     : "memory"); /* a loop, not memcpy's stores around the cache */
	}
}

/* GB/s of a copy, read and written */
static double copy_speed(nacre_runtime *rt)
{
	int64_t n = (int64_t)ROWS * COLUMNS;
	copying c = {aligned_alloc(4096, (size_t)n * 4), NULL, n};
	float *from = aligned_alloc(4096, (size_t)n * 4);
	double best[ROUNDS];
	memset(from, 0, (size_t)n * 4);
	memset(c.to, 0, (size_t)n * 4);
	c.from = from;
	for (int r = -1; r < ROUNDS; r++) {
		double start = nc_now();
		nc_pool_run(rt->pool, copy, &c);
		double took = nc_now() - start;
		int i = r;
		for (; r >= 0 && i > 0 && best[i - 1] > took; i--)
			best[i] = best[i - 1];
		if (r >= 0)
			best[i] = took;
	}
	free(c.to);
	free(from);
	return 8 * (double)n / best[ROUNDS / 2] * 1e-9;
}

/* Seconds of an update; 0 after an error. */
static double measure(nacre_runtime *rt, const char *name, int64_t m, int64_t n, double *flops)
{
	nacre_error e = {0};
	nacre_optimizer o = nacre_optimizer_named(name);
	int64_t shape[2] = {m, n}, rates = nc_optimizer_rates(&o);
	nacre_graph *g = nacre_graph_new(rt);
	nacre_variable *v[1 + NC_KIND_SLOTS] = {
	    nacre_variable_new(rt, "w", NACRE_F32, 2, shape, NULL, &e)};
	nacre_node *slot[NC_KIND_SLOTS + 1] = {NULL}, *effect[1 + NC_KIND_SLOTS];
	nacre_node *w = nacre_use(g, v[0]);
	nacre_node *gradient = nacre_placeholder(g, "g", NACRE_F32, 2, shape);
	nacre_node *rate = nacre_placeholder(g, "rate", NACRE_F32, 1, &rates);
	int slots = nc_optimizer_slots(&o);
	for (int s = 0; s < slots; s++) {
		int64_t own[NACRE_MAX_RANK];
		int rank = nc_optimizer_slot_shape(&o, s, 2, shape, own);
		v[1 + s] = nacre_variable_new(rt, "slot", NACRE_F32, rank, own, NULL, &e);
		slot[s] = nacre_use(g, v[1 + s]);
	}
	int k = nc_optimizer_update(&o, w, slot, gradient, rate, effect);
	nacre_node *given[] = {gradient, rate};
	nacre_program *p = nacre_program_new(rt, 2, given, k, effect, NULL, &e);
	float *data = aligned_alloc(4096, (size_t)(m * n) * 4);
	float rate_data[NC_RATES] = {1e-3f, 1e-3f, 1, 1};
	double took = 0;
	for (int64_t i = 0; i < m * n; i++)
		data[i] = (float)(i * 7919 % 8191) / 4096.f - 1;
	if (p) {
		nc_program_bind(p, 0, data);
		nc_program_bind(p, 1, rate_data);
		took = median_run(p);
		*flops = nacre_program_flops(p);
	} else
		fprintf(stderr, "%s: %s\n", name, e.text);
	nacre_program_free(p);
	for (int s = 0; s <= slots; s++)
		nacre_variable_free(v[s]);
	nacre_graph_free(g);
	free(data);
	return took;
}

int main(int argc, char **argv)
{
	nacre_runtime_options o = {.threads = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 2};
	nacre_runtime *rt = nacre_runtime_new(&o, NULL);
	double n = (double)ROWS * COLUMNS, flops;
	if (!rt)
		return 1;
	printf("%d x %d parameters, %d threads, %s\n%-22s %8s %8s %8s %9s\n", ROWS, COLUMNS,
	       nc_pool_threads(rt->pool), rt->isa, "", "ms", "arrays", "GB/s", "of a copy");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const row *r = &rows[i];
		if (argc > 2 && strcmp(argv[2], r->name))
			continue;
		double copied = copy_speed(rt), took = measure(rt, r->name, ROWS, COLUMNS, &flops);
		double speed = 4 * n * (r->arrays + r->sums) / took * 1e-9;
		printf("%-22s %8.2f %5d + %d %8.1f %8.0f%%\n", r->name, took * 1e3, r->arrays,
		       r->sums, speed, 100 * speed / copied);
	}
	if (argc < 3 || strcmp(argv[2], "muon") == 0) {
		double took = measure(rt, "muon", 640, 640, &flops);
		printf("%-22s %8.2f   of 640 x 640: %.0f GFLOP/s\n", "muon", took * 1e3,
		       flops / took * 1e-9);
	}
	nacre_runtime_free(rt);
	return 0;
}
