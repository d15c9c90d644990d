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
	nacre_node *input[2 * NACRE_MAX_PORTS + 2];
	nacre_node **output; /* in the graph's arena */
	nacre_node *target[NACRE_MAX_PORTS + 1];
	nacre_node *weight; /* of the samples; NULL: 1 */
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
		nacre_node **x =
		    nc_arena_alloc(&b->call.graph->arena, 2 * (size_t)a->n * sizeof *x);
		if (!x)
			return no_memory(b);
		nacre_node **mask = x + a->n;
		for (int i = 0; i < a->n; i++) {
			x[i] = a->x[i]->now;
			mask[i] = a->x[i]->mask_now;
			b->call.mask = mask[i] ? mask : b->call.mask;
		}
		a->y->now = nc_layer_call(&b->call, a->layer, a->n, x);
		a->y->mask_now = b->call.mask_out;
		nacre_value *v = a->y->more;
		for (int i = 0; v && i < b->call.n_more; i++, v = v->more) {
			v->now = b->call.more[i];
			v->mask_now = b->call.more_mask[i];
		}
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
	if (n > b->m->n_outputs)
		b->weight = b->target[b->m->n_outputs];
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
		nacre_node *l = nc_loss_batch(f, b->target[i], m->output[i]->now, b->weight,
					      m->output[i]->mask_now, &m->how.loss_options);
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
			give(b, nc_metric_batch(m->how.metrics[k], b->target[i], m->output[i]->now,
						b->weight, m->output[i]->mask_now,
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
		value = nacre_tensor_new(m->runtime, NACRE_F32, rank, shape, &e);
	for (int64_t i = 0; value && !copy && i < nacre_tensor_size(value); i++)
		nacre_tensor_set(value, i, start);
	nacre_variable *slot = e.status
				   ? NULL
				   : nacre_variable_new(m->runtime, nc_optimizer_slot_name(o, s),
							NACRE_F32, rank, shape, value, &e);
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

/* Gradients of several batches are added, and their mean makes a step; here g is added, or becomes
 * the mean. */
static void accumulate(builder *b, const trained *t)
{
	const nacre_optimizer *o = &b->m->how.optimizer;
	double part = 1.0 / (double)o->gradient_accumulation_steps;
	for (int i = 0; i < t->n && sound(b); i++) {
		nacre_node *sum = slot_of(b, t, i, nc_optimizer_accumulator(o));
		nacre_node *all = nacre_plus(t->g[i], sum);
		bool step = b->mode == NC_TRAIN;
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

static bool update(builder *b, nacre_node *total)
{
	const nacre_optimizer *o = &b->m->how.optimizer;
	double scale = o->loss_scale_factor;
	trained t = {0};
	if (!find_trained(b, &t))
		return false;
	nacre_grad(scale != 0 ? nacre_scale(total, scale) : total, t.n, t.w, t.g);
	for (int i = 0; i < t.n && sound(b) && scale != 0; i++)
		t.g[i] = nacre_scale(t.g[i], 1 / scale);
	if (sound(b) && o->gradient_accumulation_steps > 1)
		accumulate(b, &t);
	if (sound(b) && b->mode == NC_TRAIN)
		steps(b, &t);
	for (nc_effect *e = b->call.effects; e; e = e->next)
		give(b, e->node);
	return sound(b);
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
			nacre_node *mean = nacre_plus(w, nacre_times(nacre_minus(a, w), keep));
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
static bool build(builder *b, int n_targets, const nc_target *target)
{
	nacre_model *m = b->m;
	if (b->mode != NC_AFTER && !forward(b))
		return false;
	b->outputs_capacity =
	    m->n_outputs + 1 + m->n_metrics * m->n_outputs + (2 + NC_KIND_SLOTS) * trainable(m);
	for (nc_effect *e = b->call.effects; e; e = e->next)
		b->outputs_capacity++;
	b->output =
	    nc_arena_alloc(&b->call.graph->arena, (size_t)b->outputs_capacity * sizeof *b->output);
	if (!b->output)
		return no_memory(b);
	if (b->mode == NC_AFTER)
		return after(b);
	if (b->mode == NC_PREDICT) {
		for (int i = 0; i < m->n_outputs; i++)
			give(b, m->output[i]->now);
		return true;
	}
	if (!targets(b, n_targets, target))
		return false;
	nacre_node *total = loss(b);
	give(b, total);
	metrics(b);
	if (!sound(b))
		return false;
	return !nc_mode_trains(b->mode) || update(b, total);
}

static nacre_program *compile(nacre_model *m, nc_mode mode, int64_t rows, int n_targets,
			      const nc_target *target)
{
	builder b = {.m = m, .mode = mode, .rows = rows};
	b.call =
	    (nc_call){.runtime = m->runtime, .error = &m->error, .training = nc_mode_trains(mode)};
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
	for (int k = -1; k < NACRE_MAX_METRICS && (k < 0 || o.metrics[k]); k++)
		if (nc_loss_check(k < 0 ? &o.loss_options : &o.metric_options[k], &e))
			return nc_model_take(m, true, "compile", &e);
	if (m->training)
		return nc_model_fail(m, false, NACRE_INVALID,
				     "compile: the model is being trained");
	m->has_after = o.optimizer.use_ema;
	for (nacre_layer *l = m->layers; l; l = l->next) {
		const char *unknown = nc_layer_unknown_constraint(l);
		m->has_after |= l->n_constraints > 0;
		if (unknown)
			return nc_model_fail(m, true, NACRE_INVALID,
					     "compile: %s: a constraint of \"%s\", which is no "
					     "weight of the layer",
					     l->name, unknown);
	}
	nc_model_drop_programs(m);
	nc_model_drop_slots(m);
	nc_model_refresh(m);
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
	if (m && m->compiled && m->how.optimizer.schedule.function)
		return (double)(float)nacre_schedule_at(&m->how.optimizer.schedule, m->iterations);
	return m ? m->learning_rate : 0;
}

nacre_status nacre_set_learning_rate(nacre_model *m, double rate)
{
	if (!m || m->error.status)
		return nacre_model_error(m)->status;
	if (!(rate >= 0 && rate <= 1e30))
		return nc_model_fail(m, false, NACRE_INVALID,
				     "set_learning_rate: expected 0 to 1e+30, got %g", rate);
	if (m->compiled && m->how.optimizer.schedule.function)
		return nc_model_fail(m, false, NACRE_INVALID,
				     "set_learning_rate: the optimizer follows a schedule");
	m->learning_rate = (double)(float)rate;
	return NACRE_OK;
}
