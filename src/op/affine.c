/* SPDX-License-Identifier: MIT
 *
 * affine.c - images resampled by a projective map each: y[i, j] = x at T (j, i); and the adjoint,
 * which adds every place of y to those of x that it was made of: each is the other's gradient.
 */
#include <math.h>
#include <string.h>

#include "nacre/augment.h"
#include "nacre/op.h"
#include "op/table.h"

static bool infer_affine(nacre_node *y)
{
	const nc_attr_affine *a = y->attr;
	const nacre_node *x = y->in[0], *t = y->in[1];
	char s[128];
	if (!nc_expect_float(y, 0) || !nc_expect_same(y, 0, 1))
		return false;
	if (x->rank != 4)
		return nc_node_fail(y, "images [n, height, width, channels] expected, got %s",
				    nc_shape_text(s, x->rank, x->shape));
	if (t->rank != 2 || t->shape[0] != x->shape[0] || t->shape[1] != 8)
		return nc_node_fail(y, "a transform of [%lld, 8] expected, got %s",
				    (long long)x->shape[0], nc_shape_text(s, t->rank, t->shape));
	const int64_t size[] = {x->shape[1], x->shape[2], a->height, a->width};
	for (int i = 0; i < 4; i++)
		if (size[i] < 1 || size[i] > NC_AFFINE_MOST)
			return nc_node_fail(y, "a height and width of 1 to %d expected, got %lld",
					    NC_AFFINE_MOST, (long long)size[i]);
	if (a->interpolation != NACRE_NEAREST && a->interpolation != NACRE_BILINEAR)
		return nc_node_fail(y, "nearest or bilinear interpolation expected");
	if (a->fill < NACRE_FILL_REFLECT || a->fill > NACRE_FILL_MIRROR)
		return nc_node_fail(y, "%d is no way to fill", a->fill);
	nc_infer_like(y, x);
	y->shape[1] = a->height;
	y->shape[2] = a->width;
	return true;
}

static void turn(const nc_op *op, nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	nc_attr_affine a = *(const nc_attr_affine *)y->attr;
	nacre_node *in[] = {dy, y->in[1]};
	a.height = y->in[0]->shape[1];
	a.width = y->in[0]->shape[2];
	a.value = 0; /* what comes from outside does not depend on x */
	dx[0] = dy ? nc_node_new(dy->graph, op, 2, in, &a) : NULL;
}

static void grad_affine(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	turn(&nc_op_affine_adjoint, y, dy, dx);
}

static void grad_affine_adjoint(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	turn(&nc_op_affine, y, dy, dx);
}

static double flops_affine(const nacre_node *y)
{
	return 8 * (double)nc_node_size(y);
}

static double flops_affine_adjoint(const nacre_node *y)
{
	return 8 * (double)nc_node_size(y->in[0]);
}

static const nc_field fields_affine[] = {
	{"height", NC_FIELD_I64, offsetof(nc_attr_affine, height)},
	{"width", NC_FIELD_I64, offsetof(nc_attr_affine, width)},
	{"interpolation", NC_FIELD_INT, offsetof(nc_attr_affine, interpolation)},
	{"fill", NC_FIELD_INT, offsetof(nc_attr_affine, fill)},
	{"value", NC_FIELD_F64, offsetof(nc_attr_affine, value)},
	{"flip", NC_FIELD_BOOL, offsetof(nc_attr_affine, flip)},
	{0}};

#define ROW(id, keras_name)                                                                        \
	const nc_op nc_op_##id = {                                                                 \
		.name = #id,                                                                       \
		.index = NC_OP_##id,                                                               \
		.min_in = 2,                                                                       \
		.max_in = 2,                                                                       \
		.element = -1,                                                                     \
		.attr_size = sizeof(nc_attr_affine),                                               \
		.fields = fields_affine,                                                           \
		.infer = infer_affine,                                                             \
		.grad = grad_##id,                                                                 \
		.flops = flops_##id,                                                               \
		.keras = keras_name,                                                               \
	};
ROW(affine, "image.affine_transform")
ROW(affine_adjoint, NULL)

nacre_node *nacre_affine_transform(nacre_node *x, nacre_node *transform,
				   nacre_affine_options o)
{
	if (!x || !transform)
		return NULL;
	nc_attr_affine a;
	memset(&a, 0, sizeof a);
	a.height = o.height ? o.height : x->rank == 4 ? x->shape[1] : 1;
	a.width = o.width ? o.width : x->rank == 4 ? x->shape[2] : 1;
	a.interpolation = o.interpolation ? o.interpolation : NACRE_BILINEAR;
	a.fill = o.fill_mode ? o.fill_mode : NACRE_FILL_CONSTANT;
	a.value = o.fill_value;
	return nc_node_new(x->graph, &nc_op_affine, 2, (nacre_node *[]){x, transform}, &a);
}
