/* SPDX-License-Identifier: MIT
 *
 * run.h - for tests of functions from nodes to nodes: feed numbers, read numbers.
 */
#ifndef NACRE_TEST_RUN_H
#define NACRE_TEST_RUN_H

#include <nacre.h>

#include "test.h"

/* A constant of f32 or i32 from literals: f32(g, 2, 3, (float[]){...}); rank 1 if rows is 0. */
static inline nacre_node *f32(nacre_graph *g, int64_t rows, int64_t columns, const float *x)
{
	int64_t shape[] = {rows, columns};
	return nacre_constant(g, NACRE_F32, rows ? 2 : 1, rows ? shape : shape + 1, x);
}

static inline nacre_node *i32(nacre_graph *g, int64_t n, const int32_t *x)
{
	return nacre_constant(g, NACRE_I32, 1, &n, x);
}

/* The value of a node; free it.  NULL after an error, which is a failed check. */
static inline nacre_tensor *run_node(nacre_node *y)
{
	nacre_error e = {0};
	if (!y)
		return NULL;
	nacre_tensor *t = nacre_tensor_new(NULL, nacre_node_dtype(y), nacre_node_rank(y),
					   nacre_node_shape(y), &e);
	nacre_program *p = nacre_program_new(NULL, 0, NULL, 1, &y, NULL, &e);
	if (p && t)
		nacre_program_run(p, NULL, &t, &e);
	nacre_program_free(p);
	if (!e.status)
		return t;
	test_failed(__FILE__, __LINE__, "%s", e.text);
	nacre_tensor_free(t);
	return NULL;
}

/* Compares a node with numbers. */
static inline void check_node(const char *file, int line, nacre_node *y, int n, const double *want,
			      double tolerance)
{
	nacre_tensor *t = run_node(y);
	if (!t || nacre_tensor_size(t) != n)
		test_failed(file, line, "expected %d values, got %lld", n,
			    t ? (long long)nacre_tensor_size(t) : -1);
	for (int i = 0; t && i < n && i < nacre_tensor_size(t); i++) {
		double v = nacre_tensor_get(t, i);
		if (!(fabs(v - want[i]) <= tolerance * fmax(1, fabs(want[i]))))
			test_failed(file, line, "[%d]: expected %.9g, got %.9g", i, want[i], v);
	}
	nacre_tensor_free(t);
}
#define CHECK_NODE(y, tolerance, ...)                                                              \
	check_node(__FILE__, __LINE__, y, (int)(sizeof(double[]){__VA_ARGS__} / sizeof(double)),   \
		   (double[]){__VA_ARGS__}, tolerance)

#endif
