/* SPDX-License-Identifier: MIT
 *
 * build.c - the programs of a model.
 *
 * One graph holds everything a step does: the layers are called again with the batch's size, the
 * losses, the regularizers and the metrics are added, and for training the gradients and the
 * optimizer's updates.
 */
#include <string.h>

#include "nn/policy.h"
#include "train/model.h"

typedef struct builder {
	nacre_model *m;
	nc_mode mode;
	int64_t rows;
	nc_call call;
	int n_inputs, n_outputs, outputs_capacity;
	nacre_node *input[2 * NACRE_MAX_PORTS + 2];
	nacre_node **output; /* in the graph's arena */
	nacre_node *target[NACRE_MAX_PORTS + 1];
	nacre_node *weight; /* of the samples; NULL: 1 */
	nacre_node *loss[NACRE_MAX_PORTS];
	int n_targets;
	const nc_target *wanted;
} builder;

bool nc_model_sound(nacre_model *m, const nacre_graph *g)
{
	const nacre_error *e = nacre_graph_error(g);
	if (e->status)
		nc_model_take(m, false, NULL, e);
	return !m->error.status;
}

static bool sound(builder *b)
{
	return nc_model_sound(b->m, b->call.graph);
}

static bool no_memory(builder *b)
{
	nc_model_fail(b->m, false, NACRE_NO_MEMORY, "out of memory while a program was built");
	return false;
}

bool nc_model_calls(nacre_model *m, const nacre_model *of, nc_call *c, int64_t rows)
{
	for (nc_apply *a = of->calls; a && nc_model_sound(m, c->graph); a = a->next) {
		nacre_node **x = nc_arena_alloc(&c->graph->arena, 2 * (size_t)a->n * sizeof *x);
		if (!x) {
			nc_model_fail(m, false, NACRE_NO_MEMORY,
				      "out of memory while a program was built");
			return false;
		}
		nacre_node **mask = x + a->n;
		for (int i = 0; i < a->n; i++) {
			x[i] = a->x[i]->now;
			mask[i] = a->x[i]->mask_now;
			c->mask = mask[i] ? mask : c->mask;
		}
		a->y->now = nc_layer_call(c, a->layer, a->n, x);
		a->y->mask_now = c->mask_out;
		nacre_value *v = a->y->more;
		for (int i = 0; v && i < c->n_more; i++, v = v->more) {
			v->now = c->more[i];
			v->mask_now = c->more_mask[i];
		}
		if (a->y->now && (a->y->now->rank < 1 || a->y->now->shape[0] != rows)) {
			char text[128];
			nc_model_fail(m, false, NACRE_INVALID,
				      "%s: expected a batch of %lld, gave %s", a->layer->name,
				      (long long)rows,
				      nc_shape_text(text, a->y->now->rank, a->y->now->shape));
		}
	}
	return nc_model_sound(m, c->graph);
}

static void feed(builder *b, const nacre_model *of)
{
	for (int i = 0; i < b->m->n_inputs; i++) {
		nacre_value *v = of->input[i];
		int64_t shape[NACRE_MAX_RANK];
		memcpy(shape, v->shape, sizeof shape);
		shape[0] = b->rows;
		v->now = nacre_placeholder(b->call.graph, v->layer->name, v->dtype, v->rank, shape);
		b->input[b->n_inputs++] = v->now;
	}
}

static void give(builder *b, nacre_node *n)
{
	if (b->n_outputs < b->outputs_capacity)
		b->output[b->n_outputs++] = n;
}

static bool targets(builder *b, int n, const nc_target *target)
{
	for (int i = 0; i < n; i++) {
		int64_t shape[NACRE_MAX_RANK] = {b->rows};
		memcpy(shape + 1, target[i].shape, (size_t)target[i].rank * sizeof *shape);
		nacre_dtype dtype = target[i].feed == NC_FEED_I32 ? NACRE_I32 : NACRE_F32;
		b->target[i] =
		    nacre_placeholder(b->call.graph, "target", dtype, target[i].rank + 1, shape);
		b->input[b->n_inputs++] = b->target[i];
	}
	if (n > b->m->n_outputs)
		b->weight = b->target[b->m->n_outputs];
	return sound(b);
}

/* The data set's map, of its inputs or of inputs and targets: what it gives is the model's. */
static bool through_map(builder *b)
{
	const nacre_model *map = b->m->map;
	int n = b->m->n_inputs, more = map->n_inputs - n;
	for (int i = 0; i < more; i++) {
		nacre_value *v = map->input[n + i];
		int64_t shape[NACRE_MAX_RANK];
		memcpy(shape, v->shape, sizeof shape);
		shape[0] = b->rows;
		v->now = b->target[i] ? b->target[i] /* NULL where nothing is learned or measured */
				      : nacre_fill(b->call.graph, v->dtype, v->rank, shape, 0);
	}
	if (!nc_model_calls(b->m, map, &b->call, b->rows))
		return false;
	for (int i = 0; i < more && b->target[i]; i++)
		b->target[i] = map->output[n + i]->now;
	for (int i = 0; i < n; i++) {
		b->m->input[i]->now = nc_cast_float(map->output[i]->now, b->m->input[i]->dtype);
		b->m->input[i]->mask_now = map->output[i]->mask_now;
	}
	return sound(b);
}

static bool forward(builder *b)
{
	nacre_model *m = b->m;
	for (int i = 0; i < m->n_inputs; i++)
		m->input[i]->mask_now = NULL;
	feed(b, m->map ? m->map : m);
	if (!nc_mode_predicts(b->mode) && !targets(b, b->n_targets, b->wanted))
		return false;
	return (!m->map || through_map(b)) && nc_model_calls(m, m, &b->call, b->rows);
}

static nacre_node *plus(nacre_node *a, nacre_node *b)
{
	return a ? nacre_plus(a, b) : b;
}

/* Losses and metrics are of f32, whatever the model computes in. */
static nacre_node *prediction(const builder *b, int i)
{
	return nc_cast_float(b->m->output[i]->now, NACRE_F32);
}

static nacre_node *loss(builder *b)
{
	nacre_model *m = b->m;
	nacre_node *total = NULL;
	for (int i = 0; i < m->n_outputs && sound(b); i++) {
		double weight = m->how.loss_weights[i] != 0 ? m->how.loss_weights[i] : 1;
		nacre_node *l = b->loss[i] = nc_loss_batch(
		    nc_loss_of(m, i), b->target[i], prediction(b, i), b->weight,
		    m->output[i]->mask_now, nc_loss_options_of(m, i));
		total = plus(total, weight == 1 ? l : nacre_scale(l, weight));
	}
	for (nacre_layer *l = m->layers; l && sound(b); l = l->next)
		nc_layer_penalty(&b->call, l);
	return b->call.penalty ? plus(total, b->call.penalty) : total;
}

/* What each metric adds to its sums: metric by metric, of each output. */
static void metrics(builder *b)
{
	nacre_model *m = b->m;
	for (int k = 0; k < m->n_metrics; k++)
		for (int i = 0; i < m->n_outputs && sound(b); i++)
			if (nc_metric_covers(m, k, i))
				give(b, nc_metric_batch(m->how.metrics[k], b->target[i],
							prediction(b, i), b->weight,
							m->output[i]->mask_now,
							&m->how.metric_options[k]));
}

/* -- training ---------------------------------------------------------------------------------- */
static int trainable(const nacre_model *m)
{
	int n = 0;
	for (nacre_layer *l = m->layers; l; l = l->next)
		for (int i = 0; i < l->n_weights; i++)
			n += l->weight[i].trainable && !l->frozen;
	return n;
}

static nacre_variable *make_slot(nacre_model *m, const nacre_variable *v, int s)
{
	const nacre_optimizer *o = &m->how.optimizer;
	int64_t shape[NACRE_MAX_RANK];
	double start;
	nacre_error e = {0};
	int rank = nc_optimizer_slot_shape(o, s, v->rank, v->shape, shape);
	bool copy = !nc_optimizer_slot_start(o, s, &start);
	nacre_tensor *value = copy ? nacre_variable_read(v, &e) : NULL;
	if (!copy && start != 0)
		value = nacre_tensor_new(m->runtime, v->dtype, rank, shape, &e);
	for (int64_t i = 0; value && !copy && i < nacre_tensor_size(value); i++)
		nacre_tensor_set(value, i, start);
	nacre_variable *slot = e.status
				   ? NULL
				   : nacre_variable_new(m->runtime, nc_optimizer_slot_name(o, s),
							v->dtype, rank, shape, value, &e);
	nacre_tensor_free(value);
	if (!slot)
		nc_model_take(m, false, "optimizer", &e);
	return slot;
}

/* What the optimizer keeps: `per` for each trainable weight. */
static bool make_slots(nacre_model *m, int n, int per)
{
	if (m->slot || n * per == 0)
		return true;
	m->slot = nc_zero_alloc(&m->runtime->memory, (size_t)(n * per) * sizeof *m->slot);
	if (!m->slot) {
		nc_model_fail(m, false, NACRE_NO_MEMORY, "out of memory while a program was built");
		return false;
	}
	m->n_slots = n * per;
	int k = 0;
	for (nacre_layer *l = m->layers; l; l = l->next)
		for (int i = 0; i < l->n_weights; i++)
			for (int s = 0; l->weight[i].trainable && !l->frozen && s < per; s++) {
				m->slot[k] = make_slot(m, l->weight[i].variable, s);
				if (!m->slot[k++]) {
					nc_model_drop_slots(m);
					return false;
				}
			}
	return true;
}

bool nc_model_slots(nacre_model *m, int *per)
{
	*per = nc_optimizer_slots(&m->how.optimizer);
	return make_slots(m, trainable(m), *per);
}

typedef struct trained { /* the weights that are trained */
	int n, per;
	nacre_node **w, **g;
	nacre_layer **layer;
	nc_weight **weight;
} trained;

static bool find_trained(builder *b, trained *t)
{
	nacre_model *m = b->m;
	nc_arena *arena = &b->call.graph->arena;
	int n = t->n = trainable(m), k = 0;
	if (n == 0) {
		nc_model_fail(m, false, NACRE_INVALID, "fit: the model has no trainable weights");
		return false;
	}
	t->w = nc_arena_alloc(arena, (size_t)n * sizeof *t->w);
	t->g = nc_arena_alloc(arena, (size_t)n * sizeof *t->g);
	t->layer = nc_arena_alloc(arena, (size_t)n * sizeof *t->layer);
	t->weight = nc_arena_alloc(arena, (size_t)n * sizeof *t->weight);
	if (!t->w || !t->g || !t->layer || !t->weight)
		return no_memory(b);
	if (!nc_model_slots(m, &t->per))
		return false;
	for (nacre_layer *l = m->layers; l; l = l->next)
		for (int i = 0; i < l->n_weights; i++)
			if (l->weight[i].trainable && !l->frozen) {
				t->layer[k] = l;
				t->weight[k] = &l->weight[i];
				t->w[k++] = nc_layer_use(&b->call, l, i);
			}
	return sound(b);
}

static nacre_node *slot_of(builder *b, const trained *t, int i, int s)
{
	return nacre_use(b->call.graph, b->m->slot[i * t->per + s]);
}

static bool makes_step(const builder *b)
{
	return b->mode == NC_TRAIN || b->mode == NC_APPLY;
}

/* Gradients of several batches are added, and their mean makes a step; here g is added, or becomes
 * the mean. */
static void accumulate(builder *b, const trained *t)
{
	const nacre_optimizer *o = &b->m->how.optimizer;
	double part = 1.0 / (double)o->gradient_accumulation_steps;
	for (int i = 0; i < t->n && sound(b); i++) {
		nacre_node *sum = slot_of(b, t, i, nc_optimizer_accumulator(o));
		nacre_node *all = nacre_plus(t->g[i], sum);
		bool step = makes_step(b);
		t->g[i] = nacre_scale(all, part);
		if (step && all)
			all = nacre_fill(b->call.graph, all->dtype, all->rank, all->shape, 0);
		give(b, nacre_assign(sum, all));
	}
}

static void steps(builder *b, const trained *t)
{
	const nacre_optimizer *o = &b->m->how.optimizer;
	nc_optimizer_clip(o, t->n, t->g);
	int64_t rates = nc_optimizer_rates(o);
	nacre_node *rate = nacre_placeholder(b->call.graph, "rate", NACRE_F32, 1, &rates);
	b->input[b->n_inputs++] = rate;
	for (int i = 0; i < t->n && sound(b); i++) {
		nacre_node *slot[NC_MAX_SLOTS] = {NULL}, *effect[1 + NC_KIND_SLOTS];
		const nacre_variable *v = t->weight[i]->variable;
		nacre_optimizer own = nc_optimizer_for(o, v->name, v->rank);
		for (int s = 0; s < o->kind->slots(o); s++)
			slot[s] = slot_of(b, t, i, s);
		int n = nc_optimizer_update(&own, t->w[i], slot, t->g[i], rate, effect);
		for (int k = 0; k < n; k++)
			give(b, effect[k]);
	}
}

static nacre_node *scale_of(builder *b)
{
	nacre_node *x = nacre_placeholder(b->call.graph, "scale", NACRE_F32, 1, (int64_t[]){1});
	b->input[b->n_inputs++] = x;
	return nacre_squeeze(x, NACRE_AXIS(0));
}

/* Where the loss scale follows the gradients it is known only after they are whether they may be
 * used: so they are kept, of the loss multiplied by the scale, and a program of its own applies
 * them. */
static bool keep_gradients(builder *b, const trained *t, nacre_node *total)
{
	const nacre_optimizer *o = &b->m->how.optimizer;
	nacre_node *finite = NULL;
	nacre_grad(nacre_times(total, scale_of(b)), t->n, t->w, t->g);
	for (int i = 0; i < t->n && sound(b); i++) {
		nacre_node *all = nacre_all(nacre_is_finite(t->g[i]), NACRE_ALL_AXES, false);
		finite = finite ? nacre_logical_and(finite, all) : all;
	}
	give(b, finite ? nacre_cast(finite, NACRE_F32) : NULL);
	for (int i = 0; i < t->n && sound(b); i++)
		give(b, nacre_assign(slot_of(b, t, i, nc_optimizer_gradient(o)), t->g[i]));
	return sound(b);
}

static bool apply_gradients(builder *b)
{
	const nacre_optimizer *o = &b->m->how.optimizer;
	trained t = {0};
	if (!find_trained(b, &t))
		return false;
	nacre_node *scale = scale_of(b);
	for (int i = 0; i < t.n && sound(b); i++) {
		nacre_node *g = slot_of(b, &t, i, nc_optimizer_gradient(o));
		t.g[i] = nacre_divide(g, g ? nc_cast_float(scale, g->dtype) : NULL);
	}
	if (sound(b) && o->gradient_accumulation_steps > 1)
		accumulate(b, &t);
	if (sound(b) && makes_step(b))
		steps(b, &t);
	return sound(b);
}

static bool effects(builder *b)
{
	for (nc_effect *e = b->call.effects; e; e = e->next)
		give(b, e->node);
	return sound(b);
}

static bool update(builder *b, nacre_node *total)
{
	const nacre_optimizer *o = &b->m->how.optimizer;
	double scale = o->loss_scale_factor;
	trained t = {0};
	if (!find_trained(b, &t))
		return false;
	if (b->mode == NC_GRADIENT)
		return keep_gradients(b, &t, total) && effects(b);
	nacre_grad(scale != 0 ? nacre_scale(total, scale) : total, t.n, t.w, t.g);
	for (int i = 0; i < t.n && sound(b) && scale != 0; i++)
		t.g[i] = nacre_scale(t.g[i], 1 / scale);
	if (sound(b) && o->gradient_accumulation_steps > 1)
		accumulate(b, &t);
	if (sound(b) && makes_step(b))
		steps(b, &t);
	return effects(b);
}

/* What follows a step, on the weights as it left them: averages, by rate[0] (0 in the first step)
 * and, where rate[1] is not 0, into the weights; then constraints. */
static bool after(builder *b)
{
	const nacre_optimizer *o = &b->m->how.optimizer;
	trained t = {0};
	if (!find_trained(b, &t))
		return false;
	nacre_node *rate = nacre_placeholder(b->call.graph, "rate", NACRE_F32, 1, (int64_t[]){2});
	nacre_node *keep = nacre_squeeze(nacre_slice_axis(rate, 0, 0, 1), NACRE_AXIS(0));
	nacre_node *flag = nacre_squeeze(nacre_slice_axis(rate, 0, 1, 2), NACRE_AXIS(0));
	nacre_node *replace = nacre_not_equal(flag, nacre_scalar(b->call.graph, NACRE_F32, 0));
	b->input[b->n_inputs++] = rate;
	for (int i = 0; i < t.n && sound(b); i++) {
		nacre_node *w = t.w[i];
		if (o->use_ema) {
			nacre_node *a = slot_of(b, &t, i, nc_optimizer_average(o));
			nacre_node *part = w ? nc_cast_float(keep, w->dtype) : NULL;
			nacre_node *mean = nacre_plus(w, nacre_times(nacre_minus(a, w), part));
			give(b, nacre_assign(a, mean));
			if (o->ema_overwrite_frequency)
				w = nacre_select(replace, mean, w);
		}
		w = nc_layer_constrained(t.layer[i], t.weight[i], w);
		if (w != t.w[i])
			give(b, nacre_assign(t.w[i], w));
	}
	return sound(b);
}

/* -- the whole --------------------------------------------------------------------------------- */
static bool build(builder *b)
{
	nacre_model *m = b->m;
	if (nc_mode_has_batch(b->mode) && !forward(b))
		return false;
	b->outputs_capacity = 2 + (2 + m->n_metrics) * m->n_outputs +
			      (2 + NC_KIND_SLOTS) * trainable(m);
	for (nc_effect *e = b->call.effects; e; e = e->next)
		b->outputs_capacity++;
	b->output =
	    nc_arena_alloc(&b->call.graph->arena, (size_t)b->outputs_capacity * sizeof *b->output);
	if (!b->output)
		return no_memory(b);
	if (!nc_mode_has_batch(b->mode))
		return b->mode == NC_AFTER ? after(b) : apply_gradients(b);
	if (nc_mode_predicts(b->mode)) {
		for (int i = 0; i < m->n_outputs; i++)
			give(b, m->output[i]->dtype == NACRE_BF16 ? prediction(b, i)
								  : m->output[i]->now);
		return true;
	}
	nacre_node *total = loss(b);
	give(b, total);
	for (int i = 0; i < nc_n_losses(m); i++)
		give(b, b->loss[i]);
	metrics(b);
	if (!sound(b))
		return false;
	return !nc_mode_trains(b->mode) || update(b, total);
}

static nacre_program *compile(nacre_model *m, nc_mode mode, int64_t rows, int n_targets,
			      const nc_target *target)
{
	builder b = {
	    .m = m, .mode = mode, .rows = rows, .n_targets = n_targets, .wanted = target};
	b.call = (nc_call){.runtime = m->runtime,
			   .error = &m->error,
			   .training = nc_mode_trains(mode) || mode == NC_SAMPLE};
	b.call.effects_end = &b.call.effects;
	b.call.graph = nacre_graph_new(m->runtime);
	nacre_program *p = NULL;
	if (!b.call.graph)
		no_memory(&b);
	else if (build(&b)) {
		nacre_error e = {0};
		nacre_program_options options = {.backend = m->how.backend,
						 .no_optimize = m->how.no_optimize,
						 .fast_convolution =
						     m->fast_convolution && mode == NC_PREDICT,
						 .seed = nc_mix(m->seed, NC_SEED_PROGRAM)};
		p = nacre_program_new(m->runtime, b.n_inputs, b.input, b.n_outputs, b.output,
				      &options, &e);
		if (!p)
			nc_model_take(m, false, NULL, &e);
	}
	nacre_graph_free(b.call.graph);
	return p;
}

static bool same_targets(const nc_run *r, int n, const nc_target *target)
{
	if (r->n_targets != n)
		return false;
	for (int i = 0; i < n; i++) {
		const nc_target *a = &r->target[i], *b = &target[i];
		if (a->feed != b->feed || a->rank != b->rank ||
		    memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape) != 0)
			return false;
	}
	return true;
}

/* Frees the least recently used beyond the number that is kept. */
static void trim(nacre_model *m)
{
	nc_run **at = &m->runs;
	for (int i = 0; *at && i < NC_MAX_PROGRAMS; i++)
		at = &(*at)->next;
	for (nc_run *r = *at, *next; r; r = next) {
		next = r->next;
		nacre_program_free(r->program);
		nc_free(&m->runtime->memory, r, sizeof *r);
	}
	*at = NULL;
}

nacre_program *nc_model_program(nacre_model *m, nc_mode mode, int64_t rows, int n_targets,
				const nc_target *target)
{
	for (nc_run **at = &m->runs; *at; at = &(*at)->next) {
		nc_run *r = *at;
		if (r->mode != mode || r->rows != rows || r->map != m->map ||
		    !same_targets(r, n_targets, target))
			continue;
		*at = r->next; /* to the front */
		r->next = m->runs;
		m->runs = r;
		return r->program;
	}
	nc_run *r = nc_zero_alloc(&m->runtime->memory, sizeof *r);
	if (!r) {
		nc_model_fail(m, false, NACRE_NO_MEMORY, "out of memory while a program was built");
		return NULL;
	}
	*r = (nc_run){.mode = mode, .rows = rows, .n_targets = n_targets, .map = m->map};
	if (n_targets)
		memcpy(r->target, target, (size_t)n_targets * sizeof *target);
	r->program = compile(m, mode, rows, n_targets, target);
	if (!r->program) {
		nc_free(&m->runtime->memory, r, sizeof *r);
		return NULL;
	}
	r->next = m->runs;
	m->runs = r;
	trim(m);
	return r->program;
}
