/* SPDX-License-Identifier: MIT
 *
 * call.c - building and calling layers: their weights, the layers inside of them, masks.
 */
#include <stdio.h>
#include <string.h>

#include "nn/policy.h"

bool nc_layer_fail(nc_call *c, const nacre_layer *l, const char *format, ...)
{
	char text[400];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	nc_fail(c->error, NACRE_INVALID, "%s: %s", l->name, text);
	return false;
}

bool nc_layer_take(nc_call *c, const nacre_layer *l, const char *name, const nacre_error *e)
{
	nc_fail(c->error, e->status ? e->status : NACRE_NO_MEMORY, "%s: %s: %s", l->name, name,
		e->status ? e->text : "out of memory");
	return false;
}

/* -- what inputs must be ----------------------------------------------------------------------- */
unsigned nc_layer_axes(nc_call *c, const nacre_layer *l, const int64_t *axes, int rank)
{
	const int64_t last[NACRE_MAX_RANK] = {-1};
	unsigned bits = 0;
	if (!axes[0])
		axes = last;
	for (int i = 0; i < nc_shape_rank(axes); i++) {
		bool far = axes[i] < -NACRE_MAX_RANK || axes[i] > NACRE_MAX_RANK;
		int axis = nc_layer_axis(c, l, far ? NACRE_MAX_RANK : (int)axes[i], rank);
		if (axis < 0)
			return 0;
		bits |= NACRE_AXIS(axis);
	}
	return bits;
}

bool nc_layer_rank(nc_call *c, const nacre_layer *l, const nacre_node *x, int rank,
		   const char *expected)
{
	char text[128];
	int64_t shape[NACRE_MAX_RANK];
	if (rank < 0 ? x->rank >= -rank : x->rank == rank)
		return true;
	memcpy(shape, x->shape, sizeof shape);
	shape[0] = -1;
	return nc_layer_fail(c, l, "expected an input of %s, got %s", expected,
			     nc_shape_text(text, x->rank, shape));
}

bool nc_layer_floats(nc_call *c, const nacre_layer *l, const nacre_node *x)
{
	return nc_dtype_is_float(x->dtype) ||
	       nc_layer_fail(c, l, "expected an input of f32, got %s", nacre_dtype_name(x->dtype));
}

/* -- weights ----------------------------------------------------------------------------------- */
static nc_weight *weight_new(nc_call *c, nacre_layer *l)
{
	if (l->n_weights == l->weights_capacity) {
		int capacity = l->weights_capacity ? 2 * l->weights_capacity : 4;
		nc_weight *w =
		    nc_realloc(l->memory, l->weight, (size_t)l->weights_capacity * sizeof *w,
			       (size_t)capacity * sizeof *w);
		if (!w) {
			nc_no_memory(c->error, (size_t)capacity * sizeof *w);
			return NULL;
		}
		l->weight = w;
		l->weights_capacity = capacity;
	}
	return &l->weight[l->n_weights];
}

/* A file that promises more weights than it can hold gets no memory for them. */
static bool has_room(nc_call *c, const nacre_layer *l, const char *name, nacre_dtype dtype,
		     int rank, const int64_t *shape)
{
	int64_t n = 0;
	size_t bytes = 0;
	if (!c->room)
		return true;
	if (nc_shape_size(rank, shape, &n) && nc_mul((size_t)n, nacre_dtype_size(dtype), &bytes) &&
	    bytes <= *c->room) {
		*c->room -= bytes;
		return true;
	}
	char text[128];
	return nc_layer_fail(c, l, "%s of %s is larger than the file", name,
			     nc_shape_text(text, rank, shape));
}

static nc_weight *add_weight(nc_call *c, nacre_layer *l, const char *name, nacre_dtype dtype,
			     int rank, const int64_t *shape, const nacre_tensor *value)
{
	char full[2 * NC_NAME_SIZE + 64];
	snprintf(full, sizeof full, "%s%s/%s", l->prefix ? l->prefix : "", l->name, name);
	if (!has_room(c, l, name, dtype, rank, shape))
		return NULL;
	nc_weight *w = weight_new(c, l);
	nacre_error e = {0};
	nacre_variable *v =
	    w ? nacre_variable_new(c->runtime, full, dtype, rank, shape, value, &e) : NULL;
	if (!v) {
		nc_layer_take(c, l, name, &e);
		return NULL;
	}
	*w = (nc_weight){.name = name, .variable = v};
	l->n_weights++;
	return w;
}

bool nc_layer_add_weight(nc_call *c, nacre_layer *l, const char *name, int rank,
			 const int64_t *shape, nacre_initializer_function *initializer,
			 const nacre_initializer_options *options, nacre_regularizer regularizer,
			 bool trainable)
{
	nc_weight *w =
	    add_weight(c, l, name, nc_policy_variable(l->policy), rank, shape, NULL);
	if (!w)
		return false;
	w->trainable = trainable;
	w->initializer = initializer;
	w->regularizer = regularizer;
	if (options)
		w->initializer_options = *options;
	return true;
}

bool nc_layer_add_state(nc_call *c, nacre_layer *l, const char *name, nacre_dtype dtype, int rank,
			const int64_t *shape, double value)
{
	nacre_error e = {0};
	nacre_tensor *t = nacre_tensor_new(c->runtime, dtype, rank, shape, &e);
	if (!t)
		return nc_layer_take(c, l, name, &e);
	for (int64_t i = 0; i < nacre_tensor_size(t); i++)
		nacre_tensor_set(t, i, value);
	nc_weight *w = add_weight(c, l, name, dtype, rank, shape, t);
	nacre_tensor_free(t);
	if (w)
		w->drawn = true;
	return w != NULL;
}

nacre_node *nc_layer_use(nc_call *c, nacre_layer *l, int i)
{
	nacre_node *w = l->weight[i].instead;
	if (!w)
		w = nacre_use(c->graph, l->weight[i].variable);
	return c->autocast ? nc_cast_float(w, c->compute) : w;
}

nacre_status nc_weight_initialize(nc_weight *w, uint64_t seed, nacre_error *e)
{
	nacre_variable *v = w->variable;
	nacre_tensor *t = nacre_tensor_new(v->runtime, NACRE_F32, v->rank, v->shape, e);
	if (!t)
		return NACRE_NO_MEMORY;
	nacre_error own = {0};
	nacre_status status = w->initializer(t, seed, &w->initializer_options, &own);
	if (status)
		nc_fail(e, status, "%s: %s", v->name,
			own.status ? own.text : "its initializer failed");
	else
		status = nacre_variable_write(v, t, e);
	nacre_tensor_free(t);
	return status;
}

/* -- calling ----------------------------------------------------------------------------------- */
/* The mask of the output as the class has it. */
static nacre_node *pass_mask(nc_masks how, int n, nacre_node *const *mask)
{
	if (!mask || how == NC_MASKS_END)
		return NULL;
	nacre_node *m = mask[0];
	for (int i = 1; m && i < n && how == NC_MASKS_ANY; i++)
		m = mask[i] ? nacre_logical_or(m, mask[i]) : NULL;
	return m;
}

/* The output as a term of the loss, for each sample. */
static void activity(nc_call *c, const nacre_regularizer *r, nacre_node *y)
{
	if (r->l1 == 0 && r->l2 == 0 && !r->function)
		return;
	y = nc_cast_float(y, NACRE_F32);
	double each = 1.0 / (double)nc_max(y->rank ? y->shape[0] : 1, 1);
	if (r->l1 != 0)
		nc_call_add_loss(c, nacre_scale(nacre_sum(nacre_abs(y), NACRE_ALL_AXES, false),
						r->l1 * each));
	if (r->l2 != 0)
		nc_call_add_loss(c, nacre_scale(nacre_sum(nacre_square(y), NACRE_ALL_AXES, false),
						r->l2 * each));
	if (r->function)
		nc_call_add_loss(c, nacre_scale(r->function(y), each));
}

void nacre_layer_set_activity_regularizer(nacre_layer *l, nacre_regularizer r)
{
	if (l)
		l->activity = r;
}

/* Its build and call, with inputs, weights and output in the types of its policy. */
static nacre_node *call_typed(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	const nc_layer_class *k = l->class;
	bool autocast = c->autocast;
	nacre_dtype compute = c->compute;
	nacre_node *y = NULL;
	nc_layer_inherit(l, c->policy);
	x = nc_layer_inputs(c, l, n, x);
	c->autocast = k->types != NC_TYPES_KEEP;
	c->compute = nc_layer_computes(l);
	if (x && (l->built || !k->build || k->build(c, l, n, x))) {
		l->built = true;
		y = k->call(c, l, n, x);
	}
	if (k->types == NC_TYPES_WIDE || k->types == NC_TYPES_F32 || k->types == NC_TYPES_INDEX)
		y = nc_cast_float(y, nc_layer_gives(l));
	c->autocast = autocast;
	c->compute = compute;
	return y;
}

/* A node that no function which looks at its input's op knows; compiled, it is gone. */
static nacre_node *set_apart(nacre_node *y)
{
	int64_t shape[5] = {1, y->shape[0], y->shape[1], y->shape[2], y->shape[3]};
	return nacre_reshape(nacre_reshape(y, 5, shape), 4, shape + 1);
}

nacre_node *nc_layer_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	const nc_layer_class *k = l->class;
	if (c->error->status)
		return NULL;
	if (n < k->min_in || n > k->max_in) {
		if (k->min_in == k->max_in)
			nc_layer_fail(c, l, "expected %d input%s, got %d", k->min_in,
				      k->min_in == 1 ? "" : "s", n);
		else
			nc_layer_fail(c, l, "expected at least %d inputs, got %d", k->min_in, n);
		return NULL;
	}
	c->n_more = 0;
	c->mask_out = pass_mask(k->masks, n, c->mask);
	nacre_node *y = call_typed(c, l, n, x);
	c->mask = NULL;
	if (y)
		activity(c, &l->activity, y);
	if (y && c->apart && y->rank == 4)
		y = set_apart(y);
	if (y)
		return y;
	const nacre_error *e = nacre_graph_error(c->graph);
	nc_fail(c->error, e->status ? e->status : NACRE_FAILED, "%s: %s", l->name,
		e->status ? e->text : "gave no output");
	return NULL;
}

bool nc_layer_borrow(nc_call *c, nacre_layer *l, const nacre_layer *inner)
{
	for (int i = 0; i < inner->n_weights; i++) {
		nc_weight *w = weight_new(c, l);
		if (!w)
			return false;
		*w = inner->weight[i];
		w->borrowed = true;
		w->trainable = w->trainable && !inner->frozen;
		l->n_weights++;
	}
	return true;
}

nacre_node *nc_layer_call_inner(nc_call *c, nacre_layer *l, nacre_layer *inner, int n,
				nacre_node *const *x)
{
	nacre_node *const *mask = c->mask;
	nacre_node *mask_out = c->mask_out;
	bool first = !inner->built;
	nc_layer_inherit(inner, l->policy);
	if (first) {
		char prefix[2 * NC_NAME_SIZE];
		snprintf(prefix, sizeof prefix, "%s/", l->name);
		inner->prefix = nc_arena_string(&inner->arena, prefix);
		if (!inner->name[0])
			snprintf(inner->name, sizeof inner->name, "%s", inner->class->snake);
	}
	c->mask = NULL;
	nacre_node *y = nc_layer_call(c, inner, n, x);
	if (y && first && !nc_layer_borrow(c, l, inner))
		y = NULL;
	c->mask = mask;
	c->mask_out = mask_out;
	c->n_more = 0;
	return y;
}
