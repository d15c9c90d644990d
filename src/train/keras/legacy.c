/* SPDX-License-Identifier: MIT
 *
 * legacy.c - weights as Keras 2 keeps them: a group for each layer, by its name, whose attribute
 * weight_names lists the data sets in order: what is trained, then the rest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/keras/keras.h"

typedef struct names {
	size_t n;
	const char **name;
} names;

static bool add_name(nc_keras *k, names *out, size_t *room, const char *data, size_t size)
{
	if (out->n == *room) {
		size_t more = *room ? 2 * *room : 8;
		const char **new = nc_arena_alloc(k->arena, more * sizeof *new);
		if (!new)
			return nc_keras_no_memory(k);
		if (out->n)
			memcpy(new, out->name, out->n * sizeof *new);
		out->name = new;
		*room = more;
	}
	char *text = nc_arena_alloc(k->arena, size + 1);
	if (!text)
		return nc_keras_no_memory(k);
	memcpy(text, data, size);
	if (memchr(text, 0, size))
		return nc_keras_fail(k, NACRE_BAD_MODEL, "a name with a zero byte");
	out->name[out->n++] = text;
	return true;
}

static bool add_names(nc_keras *k, const nc_hdf5 *f, const nc_hdf5_attribute *a, names *out,
		      size_t *room)
{
	nacre_error inner = {0};
	const char *data;
	size_t size;
	for (int64_t i = 0; i < a->type.count; i++) {
		if (nc_hdf5_string(f, a, i, &data, &size, &inner))
			return nc_keras_fail(k, inner.status, "%s: %s", a->name, inner.text);
		if (!add_name(k, out, room, data, size))
			return false;
	}
	return true;
}

/* A list of strings in an attribute; a long one is cut into name0, name1, ... */
static bool read_names(nc_keras *k, const nc_hdf5 *f, const nc_hdf5_object *o, const char *name,
		       names *out)
{
	const nc_hdf5_attribute *a = nc_hdf5_attribute_find(o, name);
	size_t room = 0;
	char part[NC_NAME_SIZE];
	*out = (names){0};
	if (a && a->type.count == 0)
		return true;
	if (a)
		return add_names(k, f, a, out, &room);
	for (int i = 0;; i++) {
		snprintf(part, sizeof part, "%s%d", name, i);
		a = nc_hdf5_attribute_find(o, part);
		if (!a && i == 0)
			return nc_keras_fail(k, NACRE_BAD_MODEL, "%s: it has no attribute %s",
					     o->name, name);
		if (!a)
			return true;
		if (!add_names(k, f, a, out, &room))
			return false;
	}
}

/* The weights of a layer in that order: those of `all` that are the layer's. */
static size_t order_weights(const nc_keras_places *all, const nacre_layer *l, nacre_variable **out)
{
	size_t n = 0;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < all->n; i++) {
			const nc_keras_place *p = &all->place[i];
			int w = 0;
			while (p->layer == l && l->weight[w].variable != p->variable)
				w++;
			if (p->layer == l && l->weight[w].trainable == (pass == 0))
				out[n++] = p->variable;
		}
	return n;
}

static bool add_layer(nc_keras *k, nc_keras_list *list, const nc_hdf5 *f,
		      const nc_hdf5_object *root, const nc_keras_places *all, const nacre_layer *l)
{
	names weights;
	nacre_variable **v =
	    nc_arena_alloc(k->arena, ((size_t)l->n_weights + 1) * sizeof(nacre_variable *));
	const nc_hdf5_object *group = nc_hdf5_find(f, root, l->name);
	if (!v)
		return nc_keras_no_memory(k);
	size_t n = order_weights(all, l, v);
	k->where = l->name;
	if (!group && n)
		return nc_keras_fail(k, NACRE_BAD_MODEL, "the file has no such layer");
	if (!group)
		return true;
	if (!group->group || !read_names(k, f, group, "weight_names", &weights))
		return group->group ? false : nc_keras_fail(k, NACRE_BAD_MODEL, "expected a group");
	if (weights.n == 0 && nc_keras_is_lookup(l->class))
		n = 0; /* those of tf_idf are in the config alone */
	if (weights.n != n)
		return nc_keras_fail(k, NACRE_BAD_MODEL, "expected %zu weights, got %zu", n,
				     weights.n);
	for (size_t i = 0; i < n; i++)
		if (!nc_keras_list_add(k, list, f, group, weights.name[i], v[i]))
			return false;
	k->where = NULL;
	return true;
}

/* Each layer of the file that has weights must be one of the model's. */
static bool check_layers(nc_keras *k, const nc_hdf5 *f, const nc_hdf5_object *root)
{
	names layers, weights;
	if (!read_names(k, f, root, "layer_names", &layers))
		return false;
	for (size_t i = 0; i < layers.n; i++) {
		const nc_hdf5_object *group = nc_hdf5_find(f, root, layers.name[i]);
		if (nacre_get_layer(k->model, layers.name[i]) || !group || !group->group)
			continue;
		if (!read_names(k, f, group, "weight_names", &weights))
			return false;
		if (weights.n)
			return nc_keras_fail(k, NACRE_BAD_MODEL, "the model has no layer \"%.60s\"",
					     layers.name[i]);
	}
	return true;
}

/* Which slot of its weight a variable is, of `per`. */
static int slot_number(const nacre_model *m, const nacre_variable *v, int per)
{
	int i = 0;
	while (i < m->n_slots && m->slot[i] != v)
		i++;
	return i % per;
}

/* Keras 2 keeps a momentum that is never used. */
static bool is_idle(const nacre_optimizer *o)
{
	return strcmp(nacre_optimizer_name(o), "sgd") == 0 && o->momentum == 0;
}

typedef struct state { /* of the optimizer */
	bool has_rate, has_scale;
	double iteration, rate, steps, scale;
} state;

static bool read_number(nc_keras *k, const nc_hdf5 *f, const nc_hdf5_object *root,
			const char *name, double *out)
{
	const nc_hdf5_object *o = nc_hdf5_find(f, root, name);
	if (!o)
		return nc_keras_fail(k, NACRE_BAD_MODEL, "%s: there is no such variable", name);
	return nc_keras_scalar(k, f, o, out);
}

/* What Keras 3 has around the state of the inner optimizer: an iteration and a rate that mean
 * nothing, the step and the scale.  They are taken from the names; Keras 2 has others. */
static bool read_scale(nc_keras *k, const nc_hdf5 *f, const nc_hdf5_object *root, names *all,
		       state *s)
{
	enum { OUTER = 4 };
	if (all->n < OUTER || !strstr(all->name[2], "step_counter") ||
	    !strstr(all->name[3], "dynamic_scale"))
		return nc_keras_fail(k, NACRE_UNSUPPORTED,
				     "the state of a " NC_KERAS_SCALED
				     " is read as Keras 3 writes it, with step_counter and "
				     "dynamic_scale");
	if (!read_number(k, f, root, all->name[2], &s->steps) ||
	    !read_number(k, f, root, all->name[3], &s->scale))
		return false;
	if (!(s->steps >= 0 && s->steps < 9e15 && s->scale >= 0))
		return nc_keras_fail(k, NACRE_BAD_MODEL, "a loss scale of %g for %g steps",
				     s->scale, s->steps);
	s->has_scale = true;
	all->name += OUTER;
	all->n -= OUTER;
	return true;
}

/* iteration, then (Keras 3) the learning rate, then the slots: in Keras 3's order, or (Keras 2) all
 * of the first kind before all of the second. */
static bool read_state(nc_keras *k, const nc_hdf5 *f, nc_keras_list *list, state *s)
{
	const nc_hdf5_object *root = nc_hdf5_find(f, NULL, "optimizer_weights");
	names all;
	nc_keras_places slots;
	nacre_model *m = k->model;
	if (!root || !root->group || !nc_hdf5_attribute_find(root, "weight_names"))
		return true;
	if (!read_names(k, f, root, "weight_names", &all) || all.n == 0)
		return all.n == 0 && !k->error->status;
	if (m->how.optimizer.dynamic_loss_scale &&
	    (!read_scale(k, f, root, &all, s) || all.n == 0))
		return !k->error->status;
	s->has_rate = all.n > 1 && strstr(all.name[1], "learning_rate");
	size_t first = 1 + s->has_rate;
	if (!read_number(k, f, root, all.name[0], &s->iteration) ||
	    (s->has_rate && !read_number(k, f, root, all.name[1], &s->rate)))
		return false;
	if (!(s->iteration >= 0 && s->iteration < 9e15) || !(s->rate >= 0 && s->rate <= 1e30))
		return nc_keras_fail(k, NACRE_BAD_MODEL, "a step of %g at a rate of %g",
				     s->iteration, s->rate);
	int per = 0;
	if (all.n > first && !nc_model_slots(m, &per))
		return nc_keras_fail(k, m->error.status, "%s", m->error.text);
	if (!nc_keras_slots_of(m, k->arena, NC_KERAS_VARS, 0, &slots, k->error))
		return false;
	if (slots.n == 0 && is_idle(&m->how.optimizer))
		return true;
	if (all.n != first && all.n - first != slots.n)
		return nc_keras_fail(k, NACRE_BAD_MODEL,
				     "optimizer: expected %zu variables, got %zu", first + slots.n,
				     all.n);
	/* iter:0 with dense/kernel/m:0 of the older optimizers: one kind after the other */
	bool grouped = per > 1 && strstr(all.name[0], "iter:") != NULL;
	size_t at = first;
	for (int kind = 0; kind < (grouped ? per : 1) && all.n > first; kind++)
		for (size_t i = 0; i < slots.n; i++) {
			nacre_variable *v = slots.place[i].variable;
			if (grouped && slot_number(m, v, per) != kind)
				continue;
			const char *name = all.name[at++];
			if (!slots.place[i].weight &&
			    !nc_keras_list_add(k, list, f, root, name, v))
				return false;
		}
	return true;
}

bool nc_keras_read_legacy(nc_keras *k, const nc_hdf5 *f, bool optimizer)
{
	nacre_model *m = k->model;
	const nc_hdf5_object *root = nc_hdf5_find(f, NULL, "model_weights");
	nc_keras_list list = {.memory = &k->runtime->memory};
	state s = {0};
	k->where = NULL;
	if (!root)
		root = f->root;
	nc_keras_places all;
	bool good = root->group && nc_keras_places_of(m, k->arena, &all, k->error) &&
		    check_layers(k, f, root);
	for (nacre_layer *l = m->layers; l && good; l = l->next)
		good = add_layer(k, &list, f, root, &all, l);
	k->where = NULL;
	good = good && (!optimizer || read_state(k, f, &list, &s)) &&
	       nc_keras_list_write(k, &list);
	nc_keras_list_free(&list);
	if (!good)
		return k->error->status ? false
					: nc_keras_fail(k, NACRE_BAD_MODEL, "expected a group");
	for (nacre_layer *l = m->layers; l; l = l->next)
		for (int i = 0; i < l->n_weights; i++)
			l->weight[i].drawn = true;
	m->drawn = false; /* as in weights.c */
	if (optimizer)
		m->iterations = (int64_t)s.iteration;
	if (s.has_rate)
		m->learning_rate = (double)(float)s.rate;
	if (s.has_scale) {
		m->scale_steps = (int64_t)s.steps;
		m->loss_scale = (float)s.scale;
	}
	return true;
}
