/* SPDX-License-Identifier: MIT
 *
 * nested.c - a model as a layer of another one.
 *
 * Calling it calls its layers again on the nodes it is given.  Its weights are those of its layers,
 * borrowed: so the outer model draws, trains and saves them like any others.
 */
#include <stdio.h>
#include <string.h>

#include "nn/policy.h"
#include "train/nested.h"

typedef struct nested_options {
	nacre_model *model;
} nested_options;

static void release(void *model)
{
	nacre_model_free(model);
}

nacre_model *nc_nested_model(const nacre_layer *l)
{
	return l && l->release == release ? l->context : NULL;
}

/* Inputs given, layers called, outputs left in the call. */
static nacre_node *replay(nc_call *c, nacre_layer *l, nacre_model *m, int n, nacre_node *const *x)
{
	for (int i = 0; i < n; i++) {
		m->input[i]->now = x[i];
		m->input[i]->mask_now = c->mask ? c->mask[i] : NULL;
	}
	for (nc_apply *a = m->calls; a; a = a->next) {
		nacre_node **in = nc_arena_alloc(&c->graph->arena, 2 * (size_t)a->n * sizeof *in);
		if (!in) {
			nc_no_memory(c->error, 2 * (size_t)a->n * sizeof *in);
			return NULL;
		}
		c->mask = NULL;
		for (int i = 0; i < a->n; i++) {
			in[i] = a->x[i]->now;
			in[a->n + i] = a->x[i]->mask_now;
			c->mask = in[a->n + i] ? in + a->n : c->mask;
		}
		a->y->now = nc_layer_call(c, a->layer, a->n, in);
		a->y->mask_now = c->mask_out;
		if (!a->y->now)
			return NULL;
		nacre_value *v = a->y->more;
		for (int i = 0; v && i < c->n_more; i++, v = v->more) {
			v->now = c->more[i];
			v->mask_now = c->more_mask[i];
		}
	}
	c->n_more = 0;
	for (int i = 1; i < m->n_outputs; i++) {
		if (i == NC_MAX_OUTPUTS) {
			nc_layer_fail(c, l, "more than %d outputs", NC_MAX_OUTPUTS);
			return NULL;
		}
		c->more[c->n_more] = m->output[i]->now;
		c->more_mask[c->n_more++] = m->output[i]->mask_now;
	}
	c->mask_out = m->output[0]->mask_now;
	return m->output[0]->now;
}

static nacre_node *nested_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	nacre_model *m = nc_nested_model(l);
	char want[128], got[128];
	nacre_node **in = nc_arena_copy(&c->graph->arena, x, (size_t)n * sizeof *in);
	if (!in) {
		nc_no_memory(c->error, (size_t)n * sizeof *in);
		return NULL;
	}
	x = in;
	for (int i = 0; i < n; i++) {
		if (nc_dtype_is_float(m->input[i]->dtype))
			in[i] = nc_cast_float(in[i], m->input[i]->dtype);
		if (!in[i])
			return NULL;
		const nacre_value *v = m->input[i];
		bool same = v->dtype == x[i]->dtype && v->rank == x[i]->rank;
		for (int d = 1; same && d < v->rank; d++)
			same = v->shape[d] == x[i]->shape[d];
		if (same)
			continue;
		nc_layer_fail(c, l, "input %d: expected %s %s a sample, got %s %s", i,
			      nacre_dtype_name(v->dtype),
			      nc_shape_text(want, v->rank - 1, v->shape + 1),
			      nacre_dtype_name(x[i]->dtype),
			      nc_shape_text(got, x[i]->rank - 1, x[i]->shape + 1));
		return NULL;
	}
	return replay(c, l, m, n, x);
}

static void refresh(nacre_layer *l, bool freeze, bool thaw)
{
	nacre_model *m = nc_nested_model(l);
	int k = 0;
	for (nacre_layer *i = m->layers; i; i = i->next) {
		if (freeze || thaw)
			nacre_layer_set_trainable(i, thaw);
		else if (i->class->refresh)
			i->class->refresh(i, false, false);
		for (int w = 0; w < i->n_weights && k < l->n_weights; w++, k++)
			l->weight[k].trainable = i->weight[w].trainable && !i->frozen;
	}
}

void nc_model_refresh(nacre_model *m)
{
	for (nacre_layer *l = m->layers; l; l = l->next)
		if (l->class->refresh)
			l->class->refresh(l, false, false);
}

/* "dense/kernel" -> "encoder/dense/kernel" */
static bool rename_variable(nacre_variable *v, const char *model)
{
	size_t size = strlen(model) + 1 + v->name_size;
	nc_memory *memory = &v->runtime->memory;
	char *name = nc_alloc(memory, size);
	if (!name)
		return false;
	snprintf(name, size, "%s/%s", model, v->name);
	nc_free(memory, v->name, v->name_size);
	v->name = name;
	v->name_size = size;
	return true;
}

static const nc_option no_options[] = {NC_OPT_END};
static const nc_layer_class functional_class = {
    .id = (nc_layer_id)NC_LAYER_FUNCTIONAL,
    .types = NC_TYPES_KEEP,
    .name = "Functional",
    .snake = "functional",
    .options_size = sizeof(nested_options),
    .options = no_options,
    .refresh = refresh,
    .call = nested_call,
};
static const nc_layer_class sequential_class = {
    .id = (nc_layer_id)NC_LAYER_SEQUENTIAL,
    .types = NC_TYPES_KEEP,
    .name = "Sequential",
    .snake = "sequential",
    .options_size = sizeof(nested_options),
    .options = no_options,
    .refresh = refresh,
    .call = nested_call,
};

/* The class with the numbers of inputs, and the weights. */
static void fill(nacre_layer *l, nacre_model *m)
{
	nc_layer_class *k = nc_arena_copy(&l->arena, l->class, sizeof *k);
	nc_call c = {.runtime = m->runtime, .error = &l->error};
	if (!k) {
		nc_no_memory(&l->error, sizeof *k);
		return;
	}
	k->min_in = k->max_in = m->n_inputs;
	l->class = k;
	for (nacre_layer *i = m->layers; i; i = i->next)
		if (!nc_layer_borrow(&c, l, i))
			return;
}

nacre_layer *nc_nested_new(nacre_model *m, const char *name)
{
	nested_options o = {m};
	nacre_layer *l =
	    nc_layer_new(m->sequential ? &sequential_class : &functional_class, &o, name);
	if (!l) {
		nacre_model_free(m);
		return NULL;
	}
	m->nested = true;
	l->release = release;
	l->context = m;
	if (m->error.status)
		nc_layer_refuse(l, "%s", m->error.text);
	else if (!m->n_inputs || !m->n_outputs)
		nc_layer_refuse(l, "the model has no %s", m->n_inputs ? "output" : "input");
	else
		fill(l, m);
	return l;
}

nacre_layer *nacre_nested(nacre_model *m)
{
	if (!m)
		return NULL;
	if (m->nested) {
		nc_model_fail(m, false, NACRE_INVALID, "nested: the model is a layer already");
		return NULL;
	}
	nacre_layer *l = nc_nested_new(m, m->name[0] ? m->name : NULL);
	for (int i = 0; l && i < l->n_weights; i++)
		if (!rename_variable(l->weight[i].variable, m->name))
			nc_no_memory(&l->error, 0);
	return l;
}
