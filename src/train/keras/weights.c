/* SPDX-License-Identifier: MIT
 *
 * weights.c - weights and the optimizer's state in Keras 3's HDF5 tree.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/keras/keras.h"

/* -- a list of tensors, all read before one is written ----------------------------------------- */
static bool list_room(nc_keras_list *list)
{
	if (list->n < list->room)
		return true;
	size_t room = list->room ? 2 * list->room : 16;
	void *new = nc_realloc(list->memory, list->item, list->room * sizeof *list->item,
			       room * sizeof *list->item);
	if (!new)
		return false;
	list->item = new;
	list->room = room;
	return true;
}

void nc_keras_list_free(nc_keras_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		nacre_tensor_free(list->item[i].tensor);
	nc_free(list->memory, list->item, list->room * sizeof *list->item);
	*list = (nc_keras_list){.memory = list->memory};
}

static bool same_shape(const nc_hdf5_type *t, const nacre_variable *v)
{
	bool same = t->rank == v->rank;
	for (int i = 0; same && i < v->rank; i++)
		same = t->shape[i] == v->shape[i];
	return same;
}

static const nc_hdf5_object *find_data(nc_keras *k, const nc_hdf5 *f, const nc_hdf5_object *from,
				       const char *path)
{
	const nc_hdf5_object *o = nc_hdf5_find(f, from, path);
	if (!o || o->group) {
		nc_keras_fail(k, NACRE_BAD_MODEL, "%s: there is no such variable", path);
		return NULL;
	}
	return o;
}

bool nc_keras_list_add(nc_keras *k, nc_keras_list *list, const nc_hdf5 *f,
		       const nc_hdf5_object *from, const char *path, nacre_variable *v)
{
	char want[128], got[128];
	const nc_hdf5_object *o = find_data(k, f, from, path);
	if (!o)
		return false;
	if (!same_shape(&o->type, v))
		return nc_keras_fail(
		    k, NACRE_BAD_MODEL, "%s: %s is %s in the model, %s there", path,
		    nacre_variable_name(v), nc_shape_text(want, v->rank, v->shape),
		    o->type.rank <= NACRE_MAX_RANK ? nc_shape_text(got, o->type.rank, o->type.shape)
						   : "of a higher rank");
	if (!list_room(list))
		return nc_keras_no_memory(k);
	list->item[list->n].plain = nc_hdf5_plain(o, v->dtype);
	if (list->item[list->n].plain) {
		list->item[list->n].tensor = NULL;
		list->item[list->n++].variable = v;
		return true;
	}
	nacre_error inner = {0};
	nacre_tensor *t = nc_hdf5_tensor(f, o, k->runtime, NULL, &inner), *converted = NULL;
	if (t)
		converted = nacre_tensor_convert(t, v->dtype, &inner);
	nacre_tensor_free(t);
	if (!converted)
		return nc_keras_fail(k, inner.status ? inner.status : NACRE_NO_MEMORY, "%s: %s",
				     path, inner.status ? inner.text : "out of memory");
	list->item[list->n].variable = v;
	list->item[list->n++].tensor = converted;
	return true;
}

/* The archive is told of what has been read of it. */
static bool set_plain(nc_keras *k, nacre_variable *v, const uint8_t *plain)
{
	uint32_t crc = 0;
	size_t n;
	nc_variable_set(v, plain, k->file, k->unchecked ? &crc : NULL);
	return !k->unchecked || !nc_variable_bytes(v, 0, &n) ||
	       !nc_zip_seen(k->archive, k->unchecked, plain, n, crc, k->error);
}

bool nc_keras_list_write(nc_keras *k, nc_keras_list *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct nc_keras_item *item = &list->item[i];
		if (item->plain) {
			if (!set_plain(k, item->variable, item->plain))
				return false;
		} else if (nacre_variable_write(item->variable, item->tensor, k->error)) {
			return false;
		}
	}
	return true;
}

bool nc_keras_scalar(nc_keras *k, const nc_hdf5 *f, const nc_hdf5_object *o, double *out)
{
	nacre_error inner = {0};
	if (o->group || o->type.count != 1)
		return nc_keras_fail(k, NACRE_BAD_MODEL, "%s: expected a number", o->name);
	nacre_tensor *t = nc_hdf5_tensor(f, o, k->runtime, NULL, &inner);
	if (!t)
		return nc_keras_fail(k, inner.status ? inner.status : NACRE_NO_MEMORY, "%s: %s",
				     o->name, inner.status ? inner.text : "out of memory");
	*out = nacre_tensor_get(t, 0);
	nacre_tensor_free(t);
	return isfinite(*out) ||
	       nc_keras_fail(k, NACRE_BAD_MODEL, "%s: expected a finite number", o->name);
}

/* -- reading ----------------------------------------------------------------------------------- */
static bool holds_data(const nc_hdf5_object *o) /* at most NC_HDF5_DEPTH deep */
{
	for (size_t i = 0; o->group && i < o->n; i++)
		if (strcmp(o->child[i]->name, "seed_generator") != 0 && holds_data(o->child[i]))
			return true;
	return !o->group;
}

/* Whether a group of variables holds as many as there are places in it; `any`: one of them. */
static bool right_count(nc_keras *k, const nc_hdf5 *f, const char *any, size_t expected)
{
	size_t length = (size_t)(strrchr(any, '/') - any);
	char *path = nc_arena_copy(k->arena, any, length + 1);
	if (!path)
		return nc_keras_no_memory(k);
	path[length] = 0;
	const nc_hdf5_object *vars = nc_hdf5_find(f, NULL, path);
	return !vars || vars->n == expected ||
	       nc_keras_fail(k, NACRE_BAD_MODEL, "%s: expected %zu variables, got %zu", path,
			     expected, vars->n);
}

/* Weights of a layer that the model has not, or more of them than it has, are another model's. */
static bool nothing_more(nc_keras *k, const nc_hdf5 *f, const nc_keras_places *places)
{
	const nc_hdf5_object *layers = nc_hdf5_find(f, NULL, "layers");
	for (size_t i = 0; layers && i < layers->n; i++) {
		size_t at = 0;
		while (at < places->n_groups &&
		       strcmp(places->group[at] + strlen("layers/"), layers->child[i]->name) != 0)
			at++;
		if (at == places->n_groups && holds_data(layers->child[i]))
			return nc_keras_fail(k, NACRE_BAD_MODEL,
					     "layers/%.60s: the model has no such layer",
					     layers->child[i]->name);
	}
	for (size_t i = 0, in_group = 1; i < places->n; i++, in_group++) {
		const char *here = places->place[i].path;
		size_t length = (size_t)(strrchr(here, '/') - here) + 1;
		if (i + 1 < places->n && strncmp(here, places->place[i + 1].path, length) == 0)
			continue;
		if (!right_count(k, f, here, in_group))
			return false;
		in_group = 0;
	}
	return true;
}

typedef struct state { /* of the optimizer */
	bool given, has_rate, has_scale;
	double iteration, rate, steps, scale;
} state;

/* The step and the scale come behind an iteration and a rate that mean nothing; a fresh one has
 * neither. */
static bool read_scale(nc_keras *k, const nc_hdf5 *f, size_t inner, state *s)
{
	const nc_hdf5_object *vars = nc_hdf5_find(f, NULL, NC_KERAS_VARS), *o;
	if (!vars || !vars->group || vars->n < inner + 4)
		return true;
	s->has_scale = true;
	if (!(o = find_data(k, f, vars, "2")) || !nc_keras_scalar(k, f, o, &s->steps) ||
	    !(o = find_data(k, f, vars, "3")) || !nc_keras_scalar(k, f, o, &s->scale))
		return false;
	return (s->steps >= 0 && s->steps < 9e15 && s->scale >= 0) ||
	       nc_keras_fail(k, NACRE_BAD_MODEL, NC_KERAS_VARS ": a loss scale of %g for %g steps",
			     s->scale, s->steps);
}

/* A fresh optimizer has its iteration and rate alone. */
static bool read_optimizer(nc_keras *k, const nc_hdf5 *f, nc_keras_list *list, state *s)
{
	nacre_model *m = k->model;
	bool scaled = m->how.optimizer.dynamic_loss_scale;
	const char *group = scaled ? NC_KERAS_INNER_VARS : NC_KERAS_VARS;
	const nc_hdf5_object *vars = nc_hdf5_find(f, NULL, group), *o;
	nc_keras_places slots;
	if (!vars || !vars->group || vars->n == 0)
		return true;
	if (scaled && !read_scale(k, f, vars->n, s))
		return false;
	s->given = true;
	s->has_rate = !nc_model_has_schedule(m);
	size_t first = s->has_rate ? 2 : 1;
	if (!(o = find_data(k, f, vars, "0")) || !nc_keras_scalar(k, f, o, &s->iteration))
		return false;
	if (s->has_rate &&
	    (!(o = find_data(k, f, vars, "1")) || !nc_keras_scalar(k, f, o, &s->rate)))
		return false;
	if (!(s->iteration >= 0 && s->iteration < 9e15) || !(s->rate >= 0 && s->rate <= 1e30))
		return nc_keras_fail(k, NACRE_BAD_MODEL, "%s: a step of %g at a rate of %g", group,
				     s->iteration, s->rate);
	if (vars->n == first)
		return true;
	if (!nc_model_slots(m, &(int){0}))
		return nc_keras_fail(k, m->error.status, "%s: %s", group, m->error.text);
	if (!nc_keras_slots_of(m, k->arena, group, (int)first, &slots, k->error))
		return false;
	size_t all = first + slots.n + nc_keras_slot_after(&m->how.optimizer, 0, &(double){0});
	if (vars->n != all)
		return nc_keras_fail(k, NACRE_BAD_MODEL,
				     "%s: expected %zu or %zu variables, got %zu", group, first,
				     all, vars->n);
	for (size_t i = 0; i < slots.n; i++)
		if (!slots.place[i].weight &&
		    !nc_keras_list_add(k, list, f, NULL, slots.place[i].path,
				       slots.place[i].variable))
			return false;
	return true;
}

static void mark_drawn(nacre_model *m)
{
	for (nacre_layer *l = m->layers; l; l = l->next)
		for (int i = 0; i < l->n_weights; i++)
			l->weight[i].drawn = true;
	m->drawn = false; /* what compiling drew of the seed is replaced: it may be set anew */
}

bool nc_keras_read_weights(nc_keras *k, const nc_hdf5 *f, bool optimizer)
{
	nacre_model *m = k->model;
	nc_keras_places places;
	nc_keras_list list = {.memory = &k->runtime->memory};
	state s = {0};
	bool good = nc_keras_places_of(m, k->arena, &places, k->error);
	for (size_t i = 0; good && i < places.n; i++)
		good = nc_keras_list_add(k, &list, f, NULL, places.place[i].path,
					 places.place[i].variable);
	good = good && nothing_more(k, f, &places) &&
	       (!optimizer || read_optimizer(k, f, &list, &s)) && nc_keras_list_write(k, &list);
	nc_keras_list_free(&list);
	if (!good)
		return false;
	mark_drawn(m);
	if (s.given)
		m->iterations = (int64_t)s.iteration;
	if (s.given && s.has_rate)
		m->learning_rate = (double)(float)s.rate;
	if (s.has_scale) {
		m->scale_steps = (int64_t)s.steps;
		m->loss_scale = (float)s.scale;
	}
	return true;
}

/* -- writing ----------------------------------------------------------------------------------- */
static bool put(nc_hdf5_tree *t, nc_keras_list *held, const char *path, nacre_tensor *value,
		nacre_error *e)
{
	if (!value)
		return false;
	if (!list_room(held)) {
		nacre_tensor_free(value);
		nc_no_memory(e, 0);
		return false;
	}
	held->item[held->n++] = (struct nc_keras_item){.tensor = value};
	return !nc_hdf5_put_tensor(t, path, value);
}

/* What Keras has in an idle slot: 0 for a vector, else rows / mean(rows) times columns. */
static nacre_tensor *idle(const nc_keras_place *p, nacre_error *e)
{
	const nacre_variable *w = p->weight;
	if (w->rank < 2)
		return nacre_tensor_new(w->runtime, NACRE_I32, 0, NULL, e);
	nacre_tensor *r = nacre_variable_read(p->rows, e), *c = nacre_variable_read(p->columns, e);
	nacre_tensor *v = nacre_tensor_new(w->runtime, NACRE_F32, w->rank, w->shape, e);
	int64_t n = w->shape[w->rank - 2], m = w->shape[w->rank - 1];
	for (int64_t i = 0; r && c && v && i < nacre_tensor_size(r); i++) {
		double mean = 0;
		for (int64_t k = 0; k < n; k++)
			mean += nacre_tensor_get(r, i / n * n + k) / (double)n;
		for (int64_t k = 0; k < m; k++)
			nacre_tensor_set(v, i * m + k,
					 mean == 0 ? 0
						   : nacre_tensor_get(r, i) / mean *
							 nacre_tensor_get(c, i / n * m + k));
	}
	if (!r || !c) {
		nacre_tensor_free(v);
		v = NULL;
	}
	nacre_tensor_free(r);
	nacre_tensor_free(c);
	return v;
}

static bool put_places(nc_hdf5_tree *t, nc_keras_list *held, const nc_keras_places *places,
		       nacre_error *e)
{
	for (size_t i = 0; i < places->n; i++)
		if (!put(t, held, places->place[i].path,
			 places->place[i].weight
			     ? idle(&places->place[i], e)
			     : nacre_variable_read(places->place[i].variable, e),
			 e))
			return false;
	return true;
}

static bool put_number(nc_hdf5_tree *t, nc_keras_list *held, nacre_runtime *rt, const char *path,
		       nacre_dtype dtype, double number, nacre_error *e)
{
	nacre_tensor *v = nacre_tensor_new(rt, dtype, 0, NULL, e);
	if (v)
		nacre_tensor_set(v, 0, number);
	return put(t, held, path, v, e);
}

typedef struct vars { /* a group of variables that is being filled */
	nc_hdf5_tree *tree;
	nc_keras_list *held;
	const char *group;
	int n;
} vars;

static bool put_next(nacre_model *m, vars *g, nacre_dtype dtype, double number, nacre_error *e)
{
	char path[2 * NC_NAME_SIZE];
	snprintf(path, sizeof path, "%s/%d", g->group, g->n++);
	return put_number(g->tree, g->held, m->runtime, path, dtype, number, e);
}

/* What comes after all slots, if they are there. */
static bool put_after(nacre_model *m, vars *g, nacre_error *e)
{
	double number;
	int64_t every = nc_max(m->how.optimizer.gradient_accumulation_steps, 1);
	return !m->slot ||
	       !nc_keras_slot_after(&m->how.optimizer, m->iterations / every, &number) ||
	       put_next(m, g, NACRE_F32, number, e);
}

static nacre_dtype count_type(int64_t n)
{
	return n > INT32_MAX ? NACRE_I64 : NACRE_I32;
}

/* Step, rate and slots, behind what is in the group. */
static bool put_state(nacre_model *m, nc_arena *a, vars *g, nacre_error *e)
{
	nc_keras_places slots;
	if (!put_next(m, g, count_type(m->iterations), (double)m->iterations, e) ||
	    (!nc_model_has_schedule(m) && !put_next(m, g, NACRE_F32, m->learning_rate, e)) ||
	    !nc_keras_slots_of(m, a, g->group, g->n, &slots, e) ||
	    !put_places(g->tree, g->held, &slots, e))
		return false;
	g->n += (int)slots.n;
	return put_after(m, g, e);
}

/* Of a loss scale: iteration and rate that mean nothing, and if there was a step what is meant. */
static bool put_scaled(nacre_model *m, nc_arena *a, vars *g, nacre_error *e)
{
	vars inner = {g->tree, g->held, NC_KERAS_INNER_VARS, 0};
	if (!put_next(m, g, NACRE_I32, 0, e) || !put_next(m, g, NACRE_F32, 0, e))
		return false;
	if (m->slot && (!put_next(m, g, count_type(m->scale_steps), (double)m->scale_steps, e) ||
			!put_next(m, g, NACRE_F32, (double)m->loss_scale, e)))
		return false;
	return put_state(m, a, g, e) && !nc_hdf5_put_group(g->tree, NC_KERAS_INNER_VARS) &&
	       !nc_hdf5_put_text(g->tree, NC_KERAS_INNER_VARS, "name",
				 nacre_optimizer_name(&m->how.optimizer)) &&
	       put_state(m, a, &inner, e);
}

static bool put_optimizer(nacre_model *m, nc_arena *a, nc_hdf5_tree *t, nc_keras_list *held,
			  nacre_error *e)
{
	const nacre_optimizer *o = &m->how.optimizer;
	vars g = {t, held, NC_KERAS_VARS, 0};
	return !nc_hdf5_put_text(t, NC_KERAS_VARS, "name",
				 o->dynamic_loss_scale ? NC_KERAS_SCALED_NAME
						       : nacre_optimizer_name(o)) &&
	       (o->dynamic_loss_scale ? put_scaled(m, a, &g, e) : put_state(m, a, &g, e));
}

/* As Keras does, every layer has a group of variables with its name, be it empty. */
static bool put_groups(nacre_model *m, nc_arena *a, nc_hdf5_tree *t, const nc_keras_places *places,
		       nacre_error *e)
{
	nc_keras_order order;
	nc_text path;
	nc_text_init(&path, &m->runtime->memory);
	if (!nc_keras_order_of(m, a, &order, e) || nc_hdf5_put_group(t, "vars") ||
	    nc_hdf5_put_text(t, "vars", "name", m->name))
		return false;
	bool good = true;
	for (size_t i = 0; good && i < places->n_groups; i++) {
		path.size = 0;
		nc_text_add(&path, "%s/vars", places->group[i]);
		if (path.failed)
			nc_no_memory(e, 0);
		good = !path.failed && !nc_hdf5_put_group(t, path.data) &&
		       !nc_hdf5_put_text(t, path.data, "name", order.layer[i]->name);
	}
	nc_text_free(&path);
	return good;
}

nacre_status nc_keras_put_weights(nacre_model *m, nc_arena *a, bool optimizer, nc_hdf5_tree *t,
				  nc_keras_list *held, nacre_error *e)
{
	nc_keras_places places;
	bool good = nc_keras_places_of(m, a, &places, e) && put_groups(m, a, t, &places, e) &&
		    put_places(t, held, &places, e) &&
		    (!optimizer ||
		     (!nc_hdf5_put_group(t, "optimizer/vars") && put_optimizer(m, a, t, held, e)));
	if (!good && !e->status)
		nc_no_memory(e, 0);
	return good ? NACRE_OK : e->status;
}
