/* SPDX-License-Identifier: MIT
 *
 * update.c - effects, in double precision; the formulas are in nacre/op.h.
 */
#include <math.h>
#include <string.h>

#include "backend/reference/rows.h"

void nc_ref_assign(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)y, (void)c;
	memcpy(in[0], in[1], (size_t)nc_node_size(n->in[0]) * sizeof(**in));
}

void nc_ref_update_sgd(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)y, (void)c;
	const nc_attr_update *a = n->attr;
	double *w = in[0];
	const double *g = in[1], *rate = in[2];
	int64_t size = nc_node_size(n->in[0]);
	for (int64_t i = 0; i < size; i++) {
		w[i] -= w[i] * a->decay * rate[1];
		w[i] -= rate[0] * g[i];
	}
}

void nc_ref_update_momentum(const nacre_node *n, double *const *in, double *y,
			    const nc_ref_context *c)
{
	(void)y, (void)c;
	const nc_attr_update *a = n->attr;
	double *w = in[0], *m = in[1];
	const double *g = in[2], *rate = in[3];
	int64_t size = nc_node_size(n->in[0]);
	for (int64_t i = 0; i < size; i++) {
		w[i] -= w[i] * a->decay * rate[1];
		m[i] = a->a * m[i] - rate[0] * g[i];
		w[i] += a->b != 0 ? a->a * m[i] - rate[0] * g[i] : m[i];
	}
}

void nc_ref_update_rmsprop(const nacre_node *n, double *const *in, double *y,
			   const nc_ref_context *c)
{
	(void)y, (void)c;
	const nc_attr_update *a = n->attr;
	double *w = in[0], *v = in[1];
	const double *g = in[2], *rate = in[3];
	int64_t size = nc_node_size(n->in[0]);
	for (int64_t i = 0; i < size; i++) {
		w[i] -= w[i] * a->decay * rate[1];
		v[i] = a->a * v[i] + (1 - a->a) * g[i] * g[i];
		w[i] -= rate[0] * g[i] / sqrt(v[i] + a->c);
	}
}

void nc_ref_update_adam(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)y, (void)c;
	const nc_attr_update *a = n->attr;
	double *w = in[0], *m = in[1], *v = in[2];
	const double *g = in[3], *rate = in[4];
	int64_t size = nc_node_size(n->in[0]);
	for (int64_t i = 0; i < size; i++) {
		w[i] -= w[i] * a->decay * rate[1];
		m[i] += (g[i] - m[i]) * (1 - a->a);
		v[i] += (g[i] * g[i] - v[i]) * (1 - a->b);
		w[i] -= rate[0] * m[i] / (sqrt(v[i]) + a->c);
	}
}
