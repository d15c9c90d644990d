/* SPDX-License-Identifier: MIT
 *
 * build.c - the programs of a model.
 *
 * One graph holds everything a step does: the layers are called again with the batch's size, the
 * losses, the regularizers and the metrics are added, and for training the gradients and the
 * optimizer's updates.
 */
#include <string.h>

#include "train/model.h"

typedef struct builder {
	nacre_model *m;
	nc_mode mode;
	int64_t rows;
	nc_call call;
	int n_inputs, n_outputs, outputs_capacity;
	nacre_node *input[2 * NACRE_MAX_PORTS + 1];
	nacre_node **output; /* in the graph's arena */
	nacre_node *target[NACRE_MAX_PORTS];
} builder;

/* Records the graph's error, if it has one. */
static bool sound(builder *b)
{
	const nacre_error *e = nacre_graph_error(b->call.graph);
	if (e->status)
		nc_model_take(b->m, false, NULL, e);
	return !b->m->error.status;
}

static bool no_memory(builder *b)
{
	nc_model_fail(b->m, false, NACRE_NO_MEMORY, "out of memory while a program was built");
	return false;
}

static bool forward(builder *b)
{
	nacre_model *m = b->m;
	for (int i = 0; i < m->n_inputs; i++) {
		nacre_value *v = m->input[i];
		int64_t shape[NACRE_MAX_RANK];
		memcpy(shape, v->shape, sizeof shape);
		shape[0] = b->rows;
		v->now = nacre_placeholder(b->call.graph, v->layer->name, v->dtype, v->rank, shape);
		b->input[b->n_inputs++] = v->now;
	}
	for (nc_apply *a = m->calls; a && sound(b); a = a->next) {
		nacre_node **x = nc_arena_alloc(&b->call.graph->arena, (size_t)a->n * sizeof *x);
		if (!x)
			return no_memory(b);
		for (int i = 0; i < a->n; i++)
			x[i] = a->x[i]->now;
		a->y->now = nc_layer_call(&b->call, a->layer, a->n, x);
		if (a->y->now && (a->y->now->rank < 1 || a->y->now->shape[0] != b->rows)) {
			char text[128];
			nc_model_fail(m, false, NACRE_INVALID,
				      "%s: expected a batch of %lld, gave %s", a->layer->name,
				      (long long)b->rows,
				      nc_shape_text(text, a->y->now->rank, a->y->now->shape));
		}
	}
	return sound(b);
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
	return sound(b);
}

static nacre_node *plus(nacre_node *a, nacre_node *b)
{
	return a ? nacre_plus(a, b) : b;
}

static nacre_node *loss(builder *b)
{
	nacre_model *m = b->m;
	nacre_node *total = NULL;
	for (int i = 0; i < m->n_outputs && sound(b); i++) {
		nacre_loss_function *f = m->how.losses[i] ? m->how.losses[i] : m->how.loss;
		double weight = m->how.loss_weights[i] != 0 ? m->how.loss_weights[i] : 1;
		nacre_node *values = f(b->target[i], m->output[i]->now, &m->how.loss_options);
		nacre_node *mean = nacre_mean(values, NACRE_ALL_AXES, false);
		total = plus(total, weight == 1 ? mean : nacre_scale(mean, weight));
	}
	for (nacre_layer *l = m->layers; l && sound(b); l = l->next)
		nc_layer_penalty(&b->call, l);
	return b->call.penalty ? plus(total, b->call.penalty) : total;
}

static nacre_node *metric(builder *b, int k)
{
	nacre_model *m = b->m;
	nacre_node *total = NULL;
	for (int i = 0; i < m->n_outputs && sound(b); i++) {
		nacre_node *v =
		    m->how.metrics[k](b->target[i], m->output[i]->now, &m->how.metric_options[k]);
		total = plus(total, nacre_mean(v, NACRE_ALL_AXES, false));
	}
	return m->n_outputs > 1 ? nacre_scale(total, 1.0 / m->n_outputs) : total;
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

/* The optimizer's moments: `per` for each trainable weight, zeros. */
static bool make_slots(builder *b, int n, int per)
{
	nacre_model *m = b->m;
	if (m->slot || n * per == 0)
		return true;
	m->slot = nc_zero_alloc(&m->runtime->memory, (size_t)(n * per) * sizeof *m->slot);
	if (!m->slot)
		return no_memory(b);
	m->n_slots = n * per;
	int k = 0;
	for (nacre_layer *l = m->layers; l; l = l->next)
		for (int i = 0; i < l->n_weights; i++)
			for (int s = 0; l->weight[i].trainable && !l->frozen && s < per; s++) {
				const nacre_variable *v = l->weight[i].variable;
				nacre_error e = {0};
				m->slot[k] =
				    nacre_variable_new(m->runtime, m->how.optimizer.kind->slot[s],
						       NACRE_F32, v->rank, v->shape, NULL, &e);
				if (!m->slot[k++]) {
					nc_model_take(m, false, "optimizer", &e);
					nc_model_drop_slots(m);
					return false;
				}
			}
	return true;
}

static bool update(builder *b, nacre_node *total)
{
	nacre_model *m = b->m;
	nc_arena *arena = &b->call.graph->arena;
	const nacre_optimizer *o = &m->how.optimizer;
	int n = trainable(m), per = o->kind->slots(o), k = 0;
	if (n == 0) {
		nc_model_fail(m, false, NACRE_INVALID, "fit: the model has no trainable weights");
		return false;
	}
	nacre_node **w = nc_arena_alloc(arena, (size_t)n * sizeof *w);
	nacre_node **g = nc_arena_alloc(arena, (size_t)n * sizeof *g);
	if (!w || !g)
		return no_memory(b);
	if (!make_slots(b, n, per))
		return false;
	for (nacre_layer *l = m->layers; l; l = l->next)
		for (int i = 0; i < l->n_weights; i++)
			if (l->weight[i].trainable && !l->frozen)
				w[k++] = nc_layer_use(&b->call, l, i);
	if (!sound(b))
		return false;
	nacre_grad(total, n, w, g);
	if (!sound(b))
		return false;
	nc_optimizer_clip(o, n, g);
	nacre_node *rate = nacre_placeholder(b->call.graph, "rate", NACRE_F32, 1, (int64_t[]){2});
	b->input[b->n_inputs++] = rate;
	for (int i = 0; i < n && sound(b); i++) {
		nacre_node *slot[NC_MAX_SLOTS] = {NULL};
		for (int s = 0; s < per; s++)
			slot[s] = nacre_use(b->call.graph, m->slot[i * per + s]);
		give(b, o->kind->update(o, w[i], slot, g[i], rate));
	}
	for (nc_effect *e = b->call.effects; e; e = e->next)
		give(b, e->node);
	return sound(b);
}

/* -- the whole --------------------------------------------------------------------------------- */
static bool build(builder *b, int n_targets, const nc_target *target)
{
	nacre_model *m = b->m;
	if (!forward(b))
		return false;
	b->outputs_capacity = m->n_outputs + 1 + m->n_metrics + trainable(m);
	for (nc_effect *e = b->call.effects; e; e = e->next)
		b->outputs_capacity++;
	b->output =
	    nc_arena_alloc(&b->call.graph->arena, (size_t)b->outputs_capacity * sizeof *b->output);
	if (!b->output)
		return no_memory(b);
	if (b->mode == NC_PREDICT) {
		for (int i = 0; i < m->n_outputs; i++)
			give(b, m->output[i]->now);
		return true;
	}
	if (!targets(b, n_targets, target))
		return false;
	nacre_node *total = loss(b);
	give(b, total);
	for (int k = 0; k < m->n_metrics && sound(b); k++)
		give(b, metric(b, k));
	if (!sound(b))
		return false;
	return b->mode != NC_TRAIN || update(b, total);
}

static nacre_program *compile(nacre_model *m, nc_mode mode, int64_t rows, int n_targets,
			      const nc_target *target)
{
	builder b = {.m = m, .mode = mode, .rows = rows};
	b.call = (nc_call){.runtime = m->runtime, .error = &m->error, .training = mode == NC_TRAIN};
	b.call.effects_end = &b.call.effects;
	b.call.graph = nacre_graph_new(m->runtime);
	nacre_program *p = NULL;
	if (!b.call.graph)
		no_memory(&b);
	else if (build(&b, n_targets, target)) {
		nacre_error e = {0};
		nacre_program_options options = {.backend = m->how.backend,
						 .no_optimize = m->how.no_optimize,
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
		if (r->mode != mode || r->rows != rows || !same_targets(r, n_targets, target))
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
	*r = (nc_run){.mode = mode, .rows = rows, .n_targets = n_targets};
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

/* -- compile ----------------------------------------------------------------------------------- */
nacre_status nacre_compile_with(nacre_model *m, nacre_compile_options o)
{
	if (!m)
		return NACRE_NO_MEMORY;
	if (!nc_model_ready(m, "compile", false))
		return m->error.status;
	nacre_error e = {0};
	if (nc_optimizer_check(&o.optimizer, &e))
		return nc_model_take(m, true, "compile", &e);
	for (int i = 0; i < m->n_outputs; i++)
		if (!o.loss && !o.losses[i])
			return nc_model_fail(m, true, NACRE_INVALID,
					     "compile: output %d has no loss", i);
	double s = o.loss_options.label_smoothing;
	if (!(s >= 0 && s <= 1))
		return nc_model_fail(m, true, NACRE_INVALID,
				     "compile: label_smoothing: expected 0 to 1, got %g", s);
	if (!(o.loss_options.delta >= 0))
		return nc_model_fail(m, true, NACRE_INVALID,
				     "compile: delta: expected at least 0, got %g",
				     o.loss_options.delta);
	if (m->training)
		return nc_model_fail(m, false, NACRE_INVALID,
				     "compile: the model is being trained");
	nc_model_drop_programs(m);
	nc_model_drop_slots(m);
	if (!nc_model_draw(m))
		return m->error.status;
	m->how = o;
	for (m->n_metrics = 0; m->n_metrics < NACRE_MAX_METRICS && o.metrics[m->n_metrics];)
		m->n_metrics++;
	m->learning_rate = (double)(float)o.optimizer.learning_rate; /* Keras keeps it in f32 */
	m->iterations = 0;
	m->compiled = true;
	return NACRE_OK;
}

int64_t nacre_iterations(const nacre_model *m)
{
	return m ? m->iterations : 0;
}

double nacre_learning_rate(const nacre_model *m)
{
	return m ? m->learning_rate : 0;
}

nacre_status nacre_set_learning_rate(nacre_model *m, double rate)
{
	if (!m || m->error.status)
		return nacre_model_error(m)->status;
	if (!(rate >= 0 && rate <= 1e30))
		return nc_model_fail(m, false, NACRE_INVALID,
				     "set_learning_rate: expected 0 to 1e+30, got %g", rate);
	m->learning_rate = (double)(float)rate;
	return NACRE_OK;
}
