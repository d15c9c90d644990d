/* SPDX-License-Identifier: MIT
 *
 * clone.c - a second model with the same layers, and weights of its own.
 *
 * Every layer is made again from its options, one of the program's own from its config, and the
 * calls of the model are made again on the new layers: so what was shared is shared, and nothing of
 * the old model is pointed to.
 */
#include <string.h>

#include "train/keras/keras.h"
#include "train/nested.h"

typedef struct cloner {
	nacre_model *from, *to;
	nc_arena arena;
	nacre_layer **layer; /* by the mark of the old one; NULL: not made yet */
	nacre_value **value;
} cloner;

static bool no_memory(cloner *c)
{
	nc_model_fail(c->from, false, NACRE_NO_MEMORY, "clone: out of memory");
	return false;
}

/* -- layers ------------------------------------------------------------------------------------ */
static nacre_layer *clone_layer(cloner *c, const nacre_layer *l);

static void free_inner(const nacre_layer *l, const void *options)
{
	nacre_layer *inner;
	for (const nc_option *o = l->class->options; o->name; o++)
		if (o->kind == NC_OPTION_LAYER) {
			memcpy(&inner, (const char *)options + o->offset, sizeof inner);
			nacre_layer_free(inner);
		}
}

/* The options with layers inside made again; NULL after an error. */
static void *clone_options(cloner *c, const nacre_layer *l)
{
	char *options = nc_arena_copy(&c->arena, l->options, l->class->options_size);
	nacre_layer *none = NULL;
	if (!options) {
		no_memory(c);
		return NULL;
	}
	for (const nc_option *o = l->class->options; o->name; o++)
		if (o->kind == NC_OPTION_LAYER)
			memcpy(options + o->offset, &none, sizeof none);
	for (const nc_option *o = l->class->options; o->name; o++) {
		const nacre_layer *inner = nc_option_layer(l, o);
		if (!inner)
			continue;
		nacre_layer *copy = clone_layer(c, inner);
		memcpy(options + o->offset, &copy, sizeof copy);
		if (!copy) {
			free_inner(l, options);
			return NULL;
		}
	}
	return options;
}

/* A layer of the table. */
static nacre_layer *clone_plain(cloner *c, const nacre_layer *l)
{
	void *options = clone_options(c, l);
	nacre_layer *copy = options ? nc_layer_new(l->class, options, l->name) : NULL;
	if (options && !copy) {
		free_inner(l, options);
		no_memory(c);
	}
	return copy;
}

static nacre_layer *clone_own(cloner *c, const nacre_layer *l)
{
	nacre_error e = {0};
	nacre_layer *copy = nc_own_again(l, &c->arena, &e);
	if (!copy)
		nc_model_take(c->from, false, "clone", &e);
	return copy;
}

static nacre_layer *clone_layer(cloner *c, const nacre_layer *l)
{
	nacre_model *inner = nc_nested_model(l);
	nacre_layer *copy = NULL;
	if (inner) {
		nacre_model *m = nacre_model_clone(inner);
		copy = m ? nc_nested_new(m, l->name) : NULL;
		if (!m)
			nc_model_take(c->from, false, NULL, nacre_model_error(inner));
		else if (!copy)
			no_memory(c);
		if (!m)
			nacre_clear_error(inner);
	} else
		copy = l->class->id == NC_LAYER_own ? clone_own(c, l) : clone_plain(c, l);
	if (!copy)
		return NULL;
	copy->frozen = l->frozen;
	copy->policy = l->policy;
	copy->activity = l->activity;
	copy->n_constraints = l->n_constraints;
	memcpy(copy->constraint, l->constraint, sizeof copy->constraint);
	return copy;
}

/* The new layer in the place of an old one. */
static nacre_layer *layer_of(cloner *c, const nacre_layer *l)
{
	nacre_layer **at = &c->layer[l->mark];
	if (!*at)
		*at = clone_layer(c, l);
	return *at;
}

/* -- calls ------------------------------------------------------------------------------------- */
static bool clone_sequence(cloner *c)
{
	for (const nacre_layer *l = c->from->layers; l; l = l->next) {
		nacre_layer *copy = layer_of(c, l);
		if (!copy || nacre_add(c->to, copy))
			return false;
	}
	return true;
}

/* Keeps a new value, and the further ones of its call, for the old ones. */
static bool keep(cloner *c, const nacre_value *old, nacre_value *new)
{
	for (; old; old = old->more, new = new->more) {
		if (!new || c->to->error.status)
			return false;
		c->value[old->mark] = new;
	}
	return true;
}

static bool clone_calls(cloner *c)
{
	nacre_model *m = c->from;
	for (int i = 0; i < m->n_inputs; i++) {
		nacre_layer *l = layer_of(c, m->input[i]->layer);
		if (!l || !keep(c, m->input[i], nacre_model_input(c->to, l)))
			return false;
	}
	for (const nc_apply *a = m->calls; a; a = a->next) {
		nacre_value **x = nc_arena_alloc(&c->arena, (size_t)a->n * sizeof *x);
		nacre_layer *l = x ? layer_of(c, a->layer) : NULL;
		if (!x)
			return no_memory(c);
		for (int i = 0; i < a->n; i++)
			x[i] = c->value[a->x[i]->mark];
		if (!l || !keep(c, a->y, nacre_apply_n(l, a->n, x)))
			return false;
	}
	for (int i = 0; i < m->n_outputs; i++)
		if (nacre_model_output(c->to, c->value[m->output[i]->mark]))
			return false;
	return true;
}

static size_t mark_values(nacre_value *v, size_t n)
{
	for (; v; v = v->more)
		v->mark = n++;
	return n;
}

/* Numbers layers and values, and makes room for their copies. */
static bool number(cloner *c)
{
	nacre_model *m = c->from;
	size_t layers = 0, values = 0;
	for (nacre_layer *l = m->layers; l; l = l->next)
		l->mark = layers++;
	for (int i = 0; i < m->n_inputs; i++)
		values = mark_values(m->input[i], values);
	for (const nc_apply *a = m->calls; a; a = a->next)
		values = mark_values(a->y, values);
	c->layer = nc_arena_alloc(&c->arena, (layers + 1) * sizeof *c->layer);
	c->value = nc_arena_alloc(&c->arena, (values + 1) * sizeof *c->value);
	if (!c->layer || !c->value)
		return no_memory(c);
	memset(c->layer, 0, (layers + 1) * sizeof *c->layer);
	memset(c->value, 0, (values + 1) * sizeof *c->value);
	return true;
}

/* Those of models inside of models have longer names. */
static bool take_name(nacre_variable *v, const nacre_variable *from)
{
	nc_memory *memory = &v->runtime->memory;
	if (strcmp(v->name, from->name) == 0)
		return true;
	char *name = nc_alloc(memory, from->name_size);
	if (!name)
		return false;
	memcpy(name, from->name, from->name_size);
	nc_free(memory, v->name, v->name_size);
	v->name = name;
	v->name_size = from->name_size;
	return true;
}

static bool take_names(cloner *c)
{
	for (const nacre_layer *l = c->from->layers; l; l = l->next) {
		nacre_layer *copy = c->layer[l->mark];
		for (int i = 0; copy && i < l->n_weights && i < copy->n_weights; i++)
			if (!take_name(copy->weight[i].variable, l->weight[i].variable))
				return no_memory(c);
	}
	return true;
}

/* A layer that no model has taken yet is nobody's. */
static void free_orphans(cloner *c)
{
	for (const nacre_layer *l = c->from->layers; l && c->layer; l = l->next)
		if (c->layer[l->mark] && !c->layer[l->mark]->owner)
			nacre_layer_free(c->layer[l->mark]);
}

nacre_model *nacre_model_clone(nacre_model *m)
{
	if (!nc_model_ready(m, "clone", false))
		return NULL;
	cloner c = {.from = m};
	nc_arena_init(&c.arena, &m->runtime->memory);
	c.to = m->sequential ? nacre_sequential_in(m->runtime, m->name)
			     : nacre_functional_in(m->runtime, m->name);
	bool good = c.to ? number(&c) : no_memory(&c);
	if (good)
		c.to->seed = m->seed, c.to->policy = m->policy;
	good = good && (m->sequential ? clone_sequence(&c) : clone_calls(&c)) && take_names(&c);
	if (!good && c.to && c.to->error.status && !m->error.status)
		nc_model_take(m, false, "clone", &c.to->error);
	if (!good) {
		free_orphans(&c);
		nacre_model_free(c.to);
		c.to = NULL;
	}
	nc_arena_free(&c.arena);
	return c.to;
}
