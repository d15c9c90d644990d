/* SPDX-License-Identifier: MIT
 *
 * image.c - images resampled: affine, affine_adjoint, resize.
 */
#include <math.h>
#include <string.h>

#include "backend/reference/rows.h"
#include "nacre/augment.h"
#include "op/resize.h"

/* A place outside 0 .. n-1 as the one that stands for it; -1: none. */
static int64_t inside(int64_t i, int64_t n, int fill)
{
	if (i >= 0 && i < n)
		return i;
	int64_t period = fill == NACRE_FILL_WRAP ? n : fill == NACRE_FILL_REFLECT ? 2 * n
									  : 2 * n - 2;
	if (fill == NACRE_FILL_CONSTANT)
		return -1;
	if (fill == NACRE_FILL_NEAREST || period == 0)
		return i < 0 ? 0 : n - 1;
	i = (i % period + period) % period;
	if (i < n)
		return i;
	return fill == NACRE_FILL_REFLECT ? period - 1 - i : period - i;
}

typedef struct spot { /* the places that make one of the result */
	int n;
	int64_t at[4]; /* pixel of the image; -1: outside */
	double weight[4];
} spot;

static double bounded(double v)
{
	return v > -1e9 ? (v < 1e9 ? v : 1e9) : -1e9;
}

static spot find(const nc_attr_affine *a, const double *t, int64_t h, int64_t w, int64_t row,
		 int64_t column)
{
	double x = (double)column, y = (double)row, k = t[6] * x + t[7] * y + 1;
	double sx = bounded((t[0] * x + t[1] * y + t[2]) / k);
	double sy = bounded((t[3] * x + t[4] * y + t[5]) / k);
	spot s = {.n = a->interpolation == NACRE_NEAREST ? 1 : 4};
	double fx = s.n == 1 ? round(sx) : floor(sx), fy = s.n == 1 ? round(sy) : floor(sy);
	double dx = sx - fx, dy = sy - fy;
	for (int i = 0; i < s.n; i++) {
		int64_t at_x = inside((int64_t)fx + i % 2, w, a->fill);
		int64_t at_y = inside((int64_t)fy + i / 2, h, a->fill);
		s.at[i] = at_x < 0 || at_y < 0 ? -1 : at_y * w + at_x;
		s.weight[i] = s.n == 1 ? 1 : (i % 2 ? dx : 1 - dx) * (i / 2 ? dy : 1 - dy);
	}
	return s;
}

void nc_ref_affine(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	const nc_attr_affine *a = n->attr;
	const int64_t *shape = n->in[0]->shape, h = shape[1], w = shape[2], channels = shape[3];
	for (int64_t i = 0; i < nc_node_size(n) / nc_max(channels, 1); i++) {
		int64_t image = i / (a->height * a->width), place = i % (a->height * a->width);
		const double *x = in[0] + image * h * w * channels;
		spot s = find(a, in[1] + image * 8, h, w, place / a->width, place % a->width);
		for (int64_t k = 0; k < channels; k++) {
			double sum = 0;
			for (int j = 0; j < s.n; j++)
				sum += s.weight[j] *
				       (s.at[j] < 0 ? a->value : x[s.at[j] * channels + k]);
			y[i * channels + k] = sum;
		}
	}
}

void nc_ref_affine_adjoint(const nacre_node *n, double *const *in, double *y,
			   const nc_ref_context *c)
{
	(void)c;
	const nc_attr_affine *a = n->attr;
	const int64_t *shape = n->in[0]->shape, h = shape[1], w = shape[2], channels = shape[3];
	memset(y, 0, (size_t)nc_node_size(n) * sizeof *y);
	for (int64_t i = 0; i < nc_node_size(n->in[0]) / nc_max(channels, 1); i++) {
		int64_t image = i / (h * w), place = i % (h * w);
		double *x = y + image * a->height * a->width * channels;
		spot s = find(a, in[1] + image * 8, a->height, a->width, place / w, place % w);
		for (int j = 0; j < s.n; j++)
			for (int64_t k = 0; k < channels && s.at[j] >= 0; k++)
				x[s.at[j] * channels + k] +=
				    s.weight[j] * in[0][i * channels + k];
	}
}

void nc_ref_resize(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	const nc_attr_resize *a = n->attr;
	const nacre_node *x = n->in[0];
	nc_ref_lines l = nc_ref_around(x, a->axis);
	nc_resampling r = {l.n, a->size, a->method, a->antialias};
	if (a->adjoint)
		r = (nc_resampling){a->size, l.n, a->method, a->antialias};
	memset(y, 0, (size_t)nc_node_size(n) * sizeof *y);
	if (!nc_node_size(n))
		return;
	for (int64_t i = 0; i < r.out; i++) {
		int64_t from, to;
		double sum;
		nc_resampling_span(&r, i, &from, &to, &sum);
		for (int64_t k = from; k < to; k++) {
			double w = nc_resampling_weight(&r, i, k) / sum;
			int64_t read = a->adjoint ? i : k, write = a->adjoint ? k : i;
			for (int64_t o = 0; o < l.outer; o++)
				for (int64_t j = 0; j < l.inner; j++)
					y[(o * a->size + write) * l.inner + j] +=
					    w * in[0][(o * l.n + read) * l.inner + j];
		}
	}
}
