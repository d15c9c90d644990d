/* SPDX-License-Identifier: MIT
 *
 * source.c - sources and conversions.
 */
#include <string.h>

#include "backend/reference/rows.h"
#include "nacre/op.h"

/* given from outside */
void nc_ref_placeholder(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)n, (void)in, (void)y, (void)c;
}

void nc_ref_variable(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)n, (void)in, (void)y, (void)c;
}

void nc_ref_fill(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)in, (void)c;
	double value = ((const nc_attr_fill *)n->attr)->value;
	int64_t size = nc_node_size(n);
	for (int64_t i = 0; i < size; i++)
		y[i] = value;
}

void nc_ref_constant(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)in, (void)c;
	const nc_attr_constant *a = n->attr;
	int64_t size = nc_node_size(n);
	for (int64_t i = 0; i < size; i++)
		y[i] = nc_element(a->dtype, a->data, i);
}

void nc_ref_arange(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)in, (void)c;
	const nc_attr_arange *a = n->attr;
	for (int64_t i = 0; i < a->n; i++)
		y[i] = a->start + (double)i * a->step;
}

enum { CHUNK = 256 };

static void draw(const nc_attr_random *a, nc_random r, int64_t begin, int64_t end, float *out)
{
	if (a->kind == NACRE_UNIFORM)
		nc_random_uniform(r, begin, end, out);
	else if (a->kind == NACRE_NORMAL)
		nc_random_normal(r, begin, end, out);
	else if (a->kind == NACRE_TRUNCATED_NORMAL)
		nc_random_truncated_normal(r, begin, end, out);
	else
		nc_random_bernoulli(r, (float)a->a, begin, end, out);
}

void nc_ref_random(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)in;
	const nc_attr_random *a = n->attr;
	nc_random r = nc_random_stream(c->seed, c->step, a->key);
	int64_t size = nc_node_size(n);
	float v[CHUNK];
	for (int64_t begin = 0; begin < size; begin += CHUNK) {
		int64_t end = nc_min(begin + CHUNK, size);
		draw(a, r, begin, end, v);
		for (int64_t i = begin; i < end; i++) {
			double u = (double)v[i - begin];
			if (a->kind == NACRE_UNIFORM)
				u = a->a + (a->b - a->a) * u;
			else if (a->kind != NACRE_BERNOULLI)
				u = a->a + a->b * u;
			y[i] = u;
		}
	}
}

void nc_ref_cast(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	int64_t size = nc_node_size(n);
	for (int64_t i = 0; i < size; i++)
		y[i] = nc_ref_as(n->dtype, in[0][i]);
}

void nc_ref_stop_gradient(const nacre_node *n, double *const *in, double *y,
			  const nc_ref_context *c)
{
	(void)c;
	memcpy(y, in[0], (size_t)nc_node_size(n) * sizeof(*y));
}
