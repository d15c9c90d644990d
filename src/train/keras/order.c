/* SPDX-License-Identifier: MIT
 *
 * order.c - the order in which Keras keeps the layers of a model, and the places of their weights.
 *
 * A functional model's layers stand by decreasing depth (the longest way to an output), and among
 * equals as a walk from the outputs back, inputs from left to right, meets them.  Places in a file
 * count by class in that order: a writer with branches that keeps another one swaps the weights of
 * layers of one shape, and nobody notices.
 */
#include <stdio.h>
#include <string.h>

#include "format/load.h"
#include "train/keras/keras.h"

typedef struct node { /* a call of a layer, or an input */
	nacre_layer *layer;
	const nc_apply *call; /* NULL: an input */
	int next;             /* the next of its inputs to walk to */
	bool met;
	size_t depth;
} node;

typedef struct rank { /* of a layer */
	nacre_layer *layer;
	size_t depth, met; /* met: when the walk came to it, from 1; 0: never */
	bool in;
} rank;

typedef struct walk {
	size_t n_nodes, n_ranks, n_done, n_met;
	node *node;
	rank *rank;
	size_t *stack, *done; /* done: nodes, inputs before what uses them */
} walk;

static bool start(walk *w, nacre_model *m, nc_arena *a, nacre_error *e)
{
	size_t n = (size_t)m->n_inputs, k = 0;
	for (nc_apply *c = m->calls; c; c = c->next)
		n++;
	*w = (walk){.n_nodes = n, .n_ranks = (size_t)m->n_layers};
	w->node = nc_arena_alloc(a, (n + 1) * sizeof *w->node);
	w->rank = nc_arena_alloc(a, (w->n_ranks + 1) * sizeof *w->rank);
	w->stack = nc_arena_alloc(a, (n + 1) * sizeof *w->stack);
	w->done = nc_arena_alloc(a, (n + 1) * sizeof *w->done);
	if (!w->node || !w->rank || !w->stack || !w->done) {
		nc_no_memory(e, n * sizeof *w->node);
		return false;
	}
	for (nacre_layer *l = m->layers; l; l = l->next) {
		l->mark = k;
		w->rank[k++].layer = l;
	}
	k = 0;
	for (int i = 0; i < m->n_inputs; i++) {
		m->input[i]->mark = k;
		w->node[k++].layer = m->input[i]->layer;
	}
	for (nc_apply *c = m->calls; c; c = c->next) {
		for (nacre_value *v = c->y; v; v = v->more)
			v->mark = k;
		w->node[k].call = c;
		w->node[k++].layer = c->layer;
	}
	return true;
}

static void meet(walk *w, size_t i)
{
	rank *r = &w->rank[w->node[i].layer->mark];
	w->node[i].met = true;
	if (!r->met)
		r->met = ++w->n_met;
}

/* From one output back to the inputs, depth first. */
static void walk_from(walk *w, const nacre_value *output)
{
	size_t n = 0;
	if (w->node[output->mark].met)
		return;
	meet(w, output->mark);
	w->stack[n++] = output->mark;
	while (n) {
		node *top = &w->node[w->stack[n - 1]];
		if (!top->call || top->next == top->call->n) {
			w->done[w->n_done++] = w->stack[--n];
			continue;
		}
		size_t below = top->call->x[top->next++]->mark;
		if (w->node[below].met)
			continue;
		meet(w, below);
		w->stack[n++] = below;
	}
}

/* Depths, from the outputs on: of a node at least its layer's, one more below it. */
static void measure(walk *w)
{
	for (size_t i = w->n_done; i-- > 0;) {
		node *x = &w->node[w->done[i]];
		rank *r = &w->rank[x->layer->mark];
		if (r->depth > x->depth)
			x->depth = r->depth;
		r->depth = x->depth;
		r->in = true;
		for (int k = 0; x->call && k < x->call->n; k++) {
			node *below = &w->node[x->call->x[k]->mark];
			if (below->depth < x->depth + 1)
				below->depth = x->depth + 1;
		}
	}
}

static int compare(const void *a, const void *b)
{
	const rank *p = a, *q = b;
	if (p->depth != q->depth)
		return p->depth < q->depth ? 1 : -1;
	return (p->met > q->met) - (p->met < q->met);
}

bool nc_keras_order_of(nacre_model *m, nc_arena *a, nc_keras_order *out, nacre_error *e)
{
	walk w;
	if (!start(&w, m, a, e))
		return false;
	*out = (nc_keras_order){0};
	out->layer = nc_arena_alloc(a, (w.n_ranks + 1) * sizeof(nacre_layer *));
	void **sorted = nc_arena_alloc(a, (w.n_ranks + 1) * sizeof *sorted);
	if (!out->layer || !sorted) {
		nc_no_memory(e, w.n_ranks * sizeof *sorted);
		return false;
	}
	for (int i = 0; i < m->n_outputs; i++)
		walk_from(&w, m->output[i]);
	measure(&w);
	for (int i = 0; i < m->n_inputs; i++) /* those that lead nowhere come last */
		w.rank[m->input[i]->layer->mark].in = true;
	size_t n = 0;
	for (nacre_layer *l = m->layers; l; l = l->next)
		if (m->sequential ? l->class != &nc_class_input : w.rank[l->mark].in)
			sorted[n++] = &w.rank[l->mark];
	if (!m->sequential)
		nc_sort(sorted, n, compare);
	for (size_t i = 0; i < n; i++)
		out->layer[i] = ((rank *)sorted[i])->layer;
	out->n = n;
	return true;
}

/* -- places ------------------------------------------------------------------------------------ */
/* "cell/kernel": the weight is in a part of the layer, "<layer>/cell/vars/<i>", and each part
 * counts for itself. */
static int folder(const char *name)
{
	const char *slash = strrchr(name, '/');
	return slash ? (int)(slash - name) : 0;
}

/* A text of the arena; NULL: no memory. */
static const char *NC_PRINTF(2, 3) text(nc_arena *a, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	char *out = nc_arena_alloc(a, (size_t)n + 1);
	if (out)
		vsnprintf(out, (size_t)n + 1, format, again);
	va_end(again);
	va_end(args);
	return out;
}

/* Weight i as Keras counts: what is trained first.  Layers of the table have theirs so already. */
static int nth_weight(const nacre_layer *l, int i)
{
	int n = 0;
	for (int pass = 0; pass < 2 && l->class->id == NC_LAYER_own; pass++)
		for (int k = 0; k < l->n_weights; k++)
			if (l->weight[k].trainable == !pass && n++ == i)
				return k;
	return i;
}

static const char *place_of(nc_arena *a, const nacre_layer *l, int i, const char *group)
{
	const char *name = l->weight[i].name;
	int length = folder(name), index = 0, borrowed = 0;
	for (int k = 0; k < i; k++)
		borrowed += l->weight[k].borrowed;
	for (int at = 0, k; (k = nth_weight(l, at)) != i; at++)
		index += !l->weight[k].borrowed && folder(l->weight[k].name) == length &&
			 memcmp(l->weight[k].name, name, (size_t)length) == 0;
	const nacre_layer *inner = nc_layer_inner(l);
	if (l->weight[i].borrowed && inner && borrowed < inner->n_weights) {
		const nc_option *o = l->class->options;
		while (o->kind != NC_OPTION_LAYER)
			o++;
		const char *inside = text(a, "%s/%s", group, nc_keras_option_name(o));
		return inside ? place_of(a, inner, borrowed, inside) : NULL;
	}
	if (nc_keras_is_lookup(l->class)) /* "idf_weights" */
		return text(a, "%s/vars/%s", group, name);
	return text(a, "%s/%.*s%svars/%d", group, length, name, length ? "/" : "", index);
}

/* Those of a layer, from out->n on; of a model inside in that model's order. */
static bool layer_places(nc_arena *a, nacre_layer *l, const char *group, nc_keras_places *out,
			 nacre_error *e)
{
	nacre_model *nested = nc_nested_model(l);
	nc_keras_places inside = {0};
	if (nested && !nc_keras_places_of(nested, a, &inside, e))
		return false;
	size_t n = nested ? inside.n : (size_t)l->n_weights;
	for (size_t i = 0; i < n; i++) {
		size_t j = nested ? i : (size_t)nth_weight(l, (int)i);
		nc_keras_place *p = &out->place[out->n++];
		p->layer = l;
		p->variable = nested ? inside.place[j].variable : l->weight[j].variable;
		p->path = nested ? text(a, "%s/%s", group, inside.place[j].path)
				 : place_of(a, l, (int)j, group);
		if (!p->path) {
			nc_no_memory(e, 0);
			return false;
		}
	}
	return true;
}

/* The weight of a layer that this variable is. */
static int weight_of(const nacre_layer *l, const nacre_variable *v)
{
	int i = 0;
	while (i < l->n_weights && l->weight[i].variable != v)
		i++;
	return i;
}

bool nc_keras_is_trained(const nc_keras_place *p)
{
	int i = weight_of(p->layer, p->variable);
	return i < p->layer->n_weights && p->layer->weight[i].trainable && !p->layer->frozen;
}

/* The places of Keras count by the name of the class in small letters, which a class of the
 * program's own may share with another one: the layers before i of that name, but those of i's
 * class where that is one of the table, which are counted apart. */
static size_t namesakes(const nc_keras_order *order, size_t i, bool any_own)
{
	const nc_layer_class *class = order->layer[i]->class;
	bool own = class->id == NC_LAYER_own;
	size_t n = 0;
	for (size_t k = 0; k < i && (own || any_own); k++) {
		const nc_layer_class *other = order->layer[k]->class;
		if (own || other->id == NC_LAYER_own)
			n += strcmp(other->snake, class->snake) == 0;
	}
	return n;
}

static size_t count_weights(const nc_keras_order *order)
{
	size_t n = 0;
	for (size_t i = 0; i < order->n; i++)
		n += (size_t)order->layer[i]->n_weights;
	return n;
}

bool nc_keras_places_of(nacre_model *m, nc_arena *a, nc_keras_places *out, nacre_error *e)
{
	nc_keras_order order;
	size_t counter[NC_ALL_LAYERS] = {0};
	*out = (nc_keras_places){0};
	if (!nc_keras_order_of(m, a, &order, e))
		return false;
	out->place = nc_arena_alloc(a, (count_weights(&order) + 1) * sizeof *out->place);
	out->group = nc_arena_alloc(a, (order.n + 1) * sizeof *out->group);
	if (!out->place || !out->group) {
		nc_no_memory(e, order.n * sizeof *out->group);
		return false;
	}
	bool any_own = false;
	for (size_t i = 0; i < order.n; i++) {
		nacre_layer *l = order.layer[i];
		bool own = l->class->id == NC_LAYER_own;
		size_t k = namesakes(&order, i, any_own) + (own ? 0 : counter[l->class->id]++);
		any_own |= own;
		const char *group = k ? text(a, "layers/%s_%zu", l->class->snake, k)
				      : text(a, "layers/%s", l->class->snake);
		out->group[out->n_groups++] = group;
		if (!group)
			nc_no_memory(e, 0);
		if (!group || !layer_places(a, l, group, out, e))
			return false;
	}
	return true;
}

/* Where the slots of each layer begin in the model's list, which follows the layers as they were
 * made; into the layers' marks. */
static void mark_slots(nacre_model *m, size_t per)
{
	size_t k = 0;
	for (nacre_layer *l = m->layers; l; l = l->next) {
		l->mark = k;
		for (int i = 0; i < l->n_weights; i++)
			k += l->weight[i].trainable && !l->frozen ? per : 0;
	}
}

/* The first slot of a place's variable. */
static size_t slot_of(const nc_keras_place *p, size_t per)
{
	const nacre_layer *l = p->layer;
	size_t k = l->mark;
	for (int i = 0; i < weight_of(l, p->variable); i++)
		k += l->weight[i].trainable ? per : 0;
	return k;
}

bool nc_keras_slots_of(nacre_model *m, nc_arena *a, const char *vars, int first,
		       nc_keras_places *out, nacre_error *e)
{
	nc_keras_places weights;
	*out = (nc_keras_places){0};
	if (!m->slot) /* not a step was made yet */
		return true;
	if (!nc_keras_places_of(m, a, &weights, e))
		return false;
	out->place = nc_arena_alloc(a, ((size_t)m->n_slots + 1) * sizeof *out->place);
	if (!out->place) {
		nc_no_memory(e, (size_t)m->n_slots * sizeof *out->place);
		return false;
	}
	const nacre_optimizer *o = &m->how.optimizer;
	int per = nc_optimizer_slots(o);
	mark_slots(m, (size_t)per);
	for (int group = 0; group < 2 + NC_KIND_SLOTS; group++)
		for (size_t i = 0; i < weights.n * (size_t)per; i++) {
			const nc_keras_place *w = &weights.place[i / (size_t)per];
			int s = (int)(i % (size_t)per);
			if (nc_keras_slot_group(o, s) != group || !nc_keras_is_trained(w) ||
			    !nc_keras_slot_is_kept(o, w->variable, s))
				continue;
			nc_keras_place *p = &out->place[out->n];
			nacre_variable **slot = &m->slot[slot_of(w, (size_t)per)];
			p->variable = slot[s];
			if (nc_keras_slot_is_idle(o, w->variable, s)) {
				p->weight = w->variable;
				p->rows = slot[0];
				p->columns = slot[1];
			}
			p->path = text(a, "%s/%zu", vars, (size_t)first + out->n++);
			if (!p->path) {
				nc_no_memory(e, 0);
				return false;
			}
		}
	return true;
}
