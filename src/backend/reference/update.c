/* SPDX-License-Identifier: MIT
 *
 * update.c - effects, in double precision; the formulas are in nacre/op.h.
 */
#include <math.h>
#include <string.h>

#include "backend/reference/rows.h"
#include "nacre/op.h"

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

static double mixed(double a, double x, double y)
{
	return a * x + (1 - a) * y;
}

/* One element of nacre_update(); r: the rates. */
static double by_rule(const nc_attr_update *u, const double *r, double w, double *m, double *v,
		      double g)
{
	double a = u->a, b = u->b, x, s = r[2] * sqrt(fmax(*m, 0));
	switch (u->rule) {
	case NACRE_UPDATE_ADAGRAD:
		*m += g * g;
		return w - r[0] * g / sqrt(*m + u->c);
	case NACRE_UPDATE_LION:
		x = mixed(a, *m, g);
		*m = mixed(b, *m, g);
		return w - r[0] * ((x > 0) - (x < 0));
	case NACRE_UPDATE_ADADELTA:
		*m = mixed(a, *m, g * g);
		x = g * sqrt(*v + u->c) / sqrt(*m + u->c);
		*v = mixed(a, *v, x * x);
		return w - r[0] * x;
	case NACRE_UPDATE_ADAMAX:
		*m = mixed(a, *m, g);
		*v = fmax(b * *v, fabs(g));
		return w - r[0] * *m / (*v + u->c);
	case NACRE_UPDATE_NADAM:
		*m = mixed(a, *m, g);
		*v = mixed(b, *v, g * g);
		return w - (r[0] * *m + r[2] * g) / (sqrt(r[3] * *v) + u->c);
	case NACRE_UPDATE_FTRL:
		*m += g * g;
		x = r[2] * sqrt(*m);
		*v += g + 2 * b * w - (x - s) * w;
		return (fmin(fmax(*v, -a), a) - *v) / (x + r[3]);
	default:
		*v = mixed(b, *v, g * g);
		x = (w - (1 - a) * *m) / a;
		*m -= r[0] * g / (sqrt(r[2] * *v) + u->c);
		x += r[3] * (*m - x);
		return mixed(a, x, *m);
	}
}

static void update_by_rule(const nacre_node *n, double *const *in, double *v, const double *g,
			   const double *rate)
{
	const nc_attr_update *a = n->attr;
	int64_t size = nc_node_size(n->in[0]);
	for (int64_t i = 0; i < size; i++) {
		double w = in[0][i] - in[0][i] * a->decay * rate[1];
		in[0][i] = by_rule(a, rate, w, &in[1][i], &v[i], g[i]);
	}
}

void nc_ref_update_one(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)y, (void)c;
	update_by_rule(n, in, in[1], in[2], in[3]);
}

void nc_ref_update_two(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)y, (void)c;
	update_by_rule(n, in, in[2], in[3], in[4]);
}
