/* SPDX-License-Identifier: MIT
 *
 * resize.c - an axis resampled: y = W x along it, with a band of weights W (resize.h), and, for the
 * gradient, y = W^T x by the same op.
 */
#include "op/resize.h"

#include <math.h>
#include <string.h>

#include "nacre/augment.h"
#include "nacre/op.h"
#include "op/table.h"

/* -- weights ----------------------------------------------------------------------------------- */
static double sinc(double x)
{
	return x < 1e-9 ? 1 : sin(x) / x;
}

static double lanczos(double d, double radius)
{
	const double pi = 3.14159265358979323846;
	return d < radius ? sinc(pi * d) * sinc(pi * d / radius) : 0;
}

/* Of a distance; bicubic is Keys's with a = -1/2. */
static double kernel(int method, double d)
{
	switch (method) {
	case NACRE_BILINEAR:
		return d < 1 ? 1 - d : 0;
	case NACRE_BICUBIC:
		if (d <= 1)
			return (1.5 * d - 2.5) * d * d + 1;
		return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
	case NACRE_LANCZOS3:
		return lanczos(d, 3);
	default:
		return lanczos(d, 5);
	}
}

static double reach(const nc_resampling *r, double each)
{
	double radius = r->method == NACRE_BILINEAR	  ? 1
			: r->method == NACRE_BICUBIC	  ? 2
			: r->method == NACRE_LANCZOS3	  ? 3
							  : 5;
	return radius * (r->antialias ? fmax(1, each) : 1);
}

double nc_resampling_weight(const nc_resampling *r, int64_t i, int64_t k)
{
	double each = (double)r->in / (double)r->out, at = (double)i * each;
	if (r->method == NACRE_NEAREST)
		return 1;
	if (r->method == NACRE_AREA) /* the part of place k that place i covers */
		return fmax(0, fmin(at + each, (double)k + 1) - fmax(at, (double)k));
	double d = fabs(at + 0.5 * each - 0.5 - (double)k);
	return kernel(r->method, r->antialias ? d / fmax(1, each) : d);
}

void nc_resampling_span(const nc_resampling *r, int64_t i, int64_t *from, int64_t *to, double *sum)
{
	double each = (double)r->in / (double)r->out, at = ((double)i + 0.5) * each;
	int64_t near = nc_min((int64_t)at, r->in - 1);
	if (r->method == NACRE_NEAREST) /* in f32, as Keras, and as nearest() below */
		near = nc_min((int64_t)(((float)i + 0.5f) * (float)r->in / (float)r->out),
			      r->in - 1);
	*from = near;
	*to = near + 1;
	if (r->method == NACRE_AREA) {
		*from = nc_min((int64_t)((double)i * each), r->in - 1);
		*to = nc_min((int64_t)ceil((double)(i + 1) * each), r->in);
	} else if (r->method != NACRE_NEAREST) {
		double wide = reach(r, each);
		*from = nc_max((int64_t)ceil(at - 0.5 - wide), 0);
		*to = nc_min((int64_t)floor(at - 0.5 + wide) + 1, r->in);
	}
	*from = nc_min(*from, near);
	*to = nc_max(*to, near + 1);
	*sum = 0;
	for (int64_t k = *from; k < *to; k++)
		*sum += nc_resampling_weight(r, i, k);
	if (!(fabs(*sum) > 1e-9)) { /* all of them rounded away */
		*from = near;
		*to = near + 1;
		*sum = nc_resampling_weight(r, i, near);
		*sum = *sum != 0 ? *sum : 1;
	}
}

/* -- the op ------------------------------------------------------------------------------------ */
static bool infer_resize(nacre_node *y)
{
	const nc_attr_resize *a = y->attr;
	const nacre_node *x = y->in[0];
	if (!nc_expect_float(y, 0) || !nc_expect_axis(y, a->axis))
		return false;
	if (a->size < 1 || x->shape[a->axis] < 1 || a->size > NC_RESIZE_MOST ||
	    x->shape[a->axis] > NC_RESIZE_MOST)
		return nc_node_fail(y, "sizes of 1 to %d expected, got %lld to %lld",
				    NC_RESIZE_MOST, (long long)x->shape[a->axis],
				    (long long)a->size);
	if (a->method < NACRE_NEAREST || a->method > NACRE_LANCZOS5)
		return nc_node_fail(y, "%d is no kind of interpolation", a->method);
	nc_infer_like(y, x);
	y->shape[a->axis] = a->size;
	return true;
}

static nacre_node *make(nacre_node *x, nc_attr_resize a)
{
	return x ? nc_node_new(x->graph, &nc_op_resize, 1, &x, &a) : NULL;
}

static void grad_resize(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	nc_attr_resize a = *(const nc_attr_resize *)y->attr;
	a.size = y->in[0]->shape[a.axis];
	a.adjoint = !a.adjoint;
	dx[0] = make(dy, a);
}

static double flops_resize(const nacre_node *y)
{
	const nc_attr_resize *a = y->attr;
	double ratio = (double)y->in[0]->shape[a->axis] / (double)a->size;
	return (double)nc_node_size(y) * (a->antialias && ratio > 1 ? 4 * ratio : 4);
}

static const nc_field fields_resize[] = {
	{"axis", NC_FIELD_INT, offsetof(nc_attr_resize, axis)},
	{"size", NC_FIELD_I64, offsetof(nc_attr_resize, size)},
	{"method", NC_FIELD_INT, offsetof(nc_attr_resize, method)},
	{"antialias", NC_FIELD_BOOL, offsetof(nc_attr_resize, antialias)},
	{"adjoint", NC_FIELD_BOOL, offsetof(nc_attr_resize, adjoint)},
	{0}};

const nc_op nc_op_resize = {
	.name = "resize",
	.index = NC_OP_resize,
	.min_in = 1,
	.max_in = 1,
	.element = -1,
	.attr_size = sizeof(nc_attr_resize),
	.fields = fields_resize,
	.infer = infer_resize,
	.grad = grad_resize,
	.flops = flops_resize,
	.keras = "image.resize",
	.onnx = "Resize",
};

/* a gather, which takes every type */
static nacre_node *nearest(nacre_node *x, int axis, int64_t size)
{
	int64_t in = x->shape[axis];
	if (size < 1 || in < 1 || size > NC_RESIZE_MOST || in > NC_RESIZE_MOST)
		return nc_graph_fail(x->graph,
				     "resize: sizes of 1 to %d expected, got %lld to %lld",
				     NC_RESIZE_MOST, (long long)in, (long long)size);
	int32_t *index = nc_arena_alloc(&x->graph->arena, (size_t)size * sizeof *index);
	if (!index) {
		nc_no_memory(&x->graph->error, (size_t)size * sizeof *index);
		return NULL;
	}
	for (int64_t i = 0; i < size; i++)
		index[i] = (int32_t)floorf(((float)i + 0.5f) * (float)in / (float)size);
	return nacre_gather(x, nacre_constant(x->graph, NACRE_I32, 1, &size, index), axis);
}

nacre_node *nacre_resize_axis(nacre_node *x, int axis, int64_t size, nacre_interpolation how,
			      bool antialias)
{
	if (!nc_axis_real(x, "resize", &axis))
		return NULL;
	if (x->shape[axis] == size)
		return x;
	if (how == NACRE_NEAREST && x->dtype != NACRE_F32)
		return nearest(x, axis, size);
	nc_attr_resize a;
	memset(&a, 0, sizeof a);
	a.axis = axis;
	a.size = size;
	a.method = how == NACRE_DEFAULT_INTERPOLATION ? NACRE_BILINEAR : (int)how;
	a.antialias = antialias && a.method != NACRE_AREA;
	return make(x, a);
}

/* A height that shrinks goes first: it is the cheaper axis, and the other has less to do. */
nacre_node *nacre_resize_image(nacre_node *x, int64_t height, int64_t width,
			       nacre_interpolation how, bool antialias)
{
	if (!x)
		return NULL;
	if (x->rank != 4)
		return nc_graph_fail(x->graph, "resize_image: [n, height, width, channels] "
					       "expected, got rank %d", x->rank);
	int first = height <= x->shape[1] ? 1 : 2;
	int64_t size[3] = {0, height, width};
	x = nacre_resize_axis(x, first, size[first], how, antialias);
	return nacre_resize_axis(x, 3 - first, size[3 - first], how, antialias);
}
