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
const nc_layer_class nc_class_add = {
    .id = NC_LAYER_add,
    .name = "Add",
    .masks = NC_MASKS_ANY,
    .snake = "add",
    .options_size = sizeof(nacre_add_options),
    .options = no_options,
    .min_in = 2,
    .max_in = 1 << 20,
    .call = add_call,
};

nacre_layer *nacre_add_layer_new(nacre_add_options options)
{
	return nc_layer_new(&nc_class_add, &options, options.name);
}

/* A step is none of padding if any of its numbers comes from an input where it is none. */
static nacre_node *concatenate_mask(nc_call *c, int n, nacre_node *const *x, int axis)
{
	nacre_node *m = NULL, **all = nc_arena_alloc(&c->graph->arena, (size_t)n * sizeof *all);
	for (int i = 0; i < n && c->mask; i++)
		m = c->mask[i] ? c->mask[i] : m;
	if (!m || !all || x[0]->rank != m->rank + 1)
		return NULL;
	for (int i = 0; i < n; i++) {
		m = c->mask[i] ? nacre_expand_dims(c->mask[i], -1)
			       : nacre_fill(c->graph, NACRE_BOOL, x[i]->rank, x[i]->shape, 1);
		all[i] = nacre_broadcast(m, x[i]->rank, x[i]->shape);
	}
	return nacre_any(nacre_concat(n, all, axis), NACRE_LAST_AXIS, false);
}

static nacre_node *concatenate_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	const nacre_concatenate_options *o = (const nacre_concatenate_options *)l->options;
	int axis = nc_layer_axis(c, l, o->axis, x[0]->rank);
	for (int i = 1; i < n && axis > 0; i++)
		if (!fits(c, l, x, i, axis, false))
			return NULL;
	if (axis < 0)
		return NULL;
	c->mask_out = concatenate_mask(c, n, x, axis);
	return nacre_concat(n, x, axis);
}

static const nc_option concatenate_options[] = {
    NC_OPT_NUMBER(INT, nacre_concatenate_options, axis, -1, -8, 7),
    NC_OPT_END,
};
const nc_layer_class nc_class_concatenate = {
    .id = NC_LAYER_concatenate,
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
	return nc_layer_new(&nc_class_concatenate, &options, options.name);
}
