/* SPDX-License-Identifier: MIT
 *
 * merge.c - layers of several inputs: add, concatenate.
 */
#include "nn/layer.h"

/* Whether x[i] may stand beside x[0]: sizes equal but for one axis, or stretched (one is 1). */
static bool fits(nc_call *c, nacre_layer *l, nacre_node *const *x, int i, int except, bool stretch)
{
	char a[128], b[128];
	const nacre_node *p = x[0], *q = x[i];
	bool same = p->rank == q->rank && p->dtype == q->dtype;
	for (int d = 1; same && d < p->rank; d++) {
		bool one = stretch && (p->shape[d] == 1 || q->shape[d] == 1);
		same = d == except || p->shape[d] == q->shape[d] || one;
	}
	if (same)
		return true;
	return nc_layer_fail(
	    c, l, "input %d is %s %s a sample, input 0 is %s %s", i, nacre_dtype_name(q->dtype),
	    nc_shape_text(b, q->rank - 1, q->shape + 1), nacre_dtype_name(p->dtype),
	    nc_shape_text(a, p->rank - 1, p->shape + 1));
}

static nacre_node *add_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	nacre_node *y = x[0];
	for (int i = 1; i < n; i++) {
		if (!fits(c, l, x, i, -1, true))
			return NULL;
		y = nacre_plus(y, x[i]);
	}
	return y;
}

static const nc_option no_options[] = {NC_OPT_END};
static const nc_layer_class add_class = {
	.name = "Add",
	.snake = "add",
	.options_size = sizeof(nacre_add_options),
	.options = no_options,
	.min_in = 2,
	.max_in = 1 << 20,
	.call = add_call,
};

nacre_layer *nacre_add_layer_new(nacre_add_options options)
{
	return nc_layer_new(&add_class, &options, options.name);
}

static nacre_node *concatenate_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	const nacre_concatenate_options *o = (const nacre_concatenate_options *)l->options;
	int axis = nc_layer_axis(c, l, o->axis, x[0]->rank);
	for (int i = 1; i < n && axis > 0; i++)
		if (!fits(c, l, x, i, axis, false))
			return NULL;
	return axis > 0 ? nacre_concat(n, x, axis) : NULL;
}

static const nc_option concatenate_options[] = {
	NC_OPT_NUMBER(INT, nacre_concatenate_options, axis, -1, -8, 7),
	NC_OPT_END,
};
static const nc_layer_class concatenate_class = {
	.name = "Concatenate",
	.snake = "concatenate",
	.options_size = sizeof(nacre_concatenate_options),
	.options = concatenate_options,
	.min_in = 2,
	.max_in = 1 << 20,
	.call = concatenate_call,
};

nacre_layer *nacre_concatenate_new(nacre_concatenate_options options)
{
	return nc_layer_new(&concatenate_class, &options, options.name);
}
