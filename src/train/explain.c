/* SPDX-License-Identifier: MIT
 *
 * explain.c - saliency: the gradient of a score by the inputs, or by what a layer gives.
 *
 * One program a batch size: the layers on inputs that may be moved (by noise, or towards a
 * baseline) by an amount that is one of its own inputs, the score that a mask chooses, its
 * gradient. It runs once to see which class is predicted where that is the target, then once for
 * each sample or step; what it gives is added up here, in double precision and always in the same
 * order.
 */
#include <math.h>
#include <string.h>

#include "nacre/augment.h"
#include "nacre/explain.h"
#include "nn/loss.h"
#include "nn/policy.h"
#include "op/table.h"
#include "train/nested.h"

typedef struct explainer {
	nacre_model *m;
	const nacre_saliency_options *o;
	const char *what; /* the function, for errors */
	bool maps;        /* without channels and signs, of the first input alone */
	nc_source source;
	nc_feeder feeder;
	nacre_tensor *baseline[NACRE_MAX_PORTS]; /* f32 [1, ...]; NULL: 0 */
	nacre_program *program;
	int64_t rows, classes; /* of the program */
	int n;                 /* what it gives beside the scores, and of which inputs */
	int input[NACRE_MAX_PORTS];
	int64_t width[NACRE_MAX_PORTS];                /* numbers of a sample */
	nacre_tensor *out[NACRE_MAX_PORTS], *complete; /* complete: NULL: not wanted */
	float *mask;                                   /* [batch, classes] */
	double *sum;                                   /* of the batch: result after result */
	size_t mask_bytes, sum_bytes;
} explainer;

const char *nacre_saliency_name(nacre_saliency_method method)
{
	static const char *const names[] = {
#define X(NAME, name) #name,
	    NACRE_SALIENCY_LIST(X)
#undef X
	};
	return method >= 0 && method < NACRE_SALIENCY_METHODS ? names[method] : NULL;
}

/* -- the program ------------------------------------------------------------------------------- */
typedef struct builder {
	explainer *x;
	nacre_model *m;
	nc_call call;
	int64_t rows;
	int n_in, n_out;
	nacre_node *in[2 * NACRE_MAX_PORTS + 2], *out[NACRE_MAX_PORTS + 1];
	nacre_node *amount;                 /* f32 [1]; NULL: inputs are not moved */
	nacre_node *at[NACRE_MAX_PORTS];    /* where the gradient is taken */
	nacre_node *moved[NACRE_MAX_PORTS]; /* input - baseline */
	nacre_node *score;                  /* of the classes that the mask chooses, rank 0 */
} builder;

static bool no_memory(explainer *x)
{
	nc_model_fail(x->m, false, NACRE_NO_MEMORY, "%s: out of memory", x->what);
	return false;
}

static bool refuse(explainer *x, const char *format, ...) NC_PRINTF(2, 3);
static bool refuse(explainer *x, const char *format, ...)
{
	va_list args;
	nacre_error e = {0};
	va_start(args, format);
	nc_failv(&e, NACRE_INVALID, format, args);
	va_end(args);
	nc_model_take(x->m, false, x->what, &e);
	return false;
}

static nacre_node *give_in(builder *b, const char *name, nacre_dtype dtype, int rank,
			   const int64_t *shape)
{
	return b->in[b->n_in++] = nacre_placeholder(b->call.graph, name, dtype, rank, shape);
}

static nacre_node *noisy(builder *b, nacre_node *x)
{
	unsigned sample = x ? (NACRE_AXIS(x->rank) - 1) & ~NACRE_AXIS(0) : 0;
	nacre_node *range = nacre_minus(nacre_max(x, sample, true), nacre_min(x, sample, true));
	nacre_node *noise = nacre_random(b->call.graph, NACRE_NORMAL, NACRE_F32, x ? x->rank : 0,
					 x ? x->shape : NULL, 0, 1);
	return nacre_plus(x, nacre_times(noise, nacre_times(range, b->amount)));
}

/* The inputs, and where the model is looked at. */
static void feed(builder *b)
{
	nacre_model *m = b->m;
	nacre_saliency_method method = b->x->o->method;
	for (int i = 0; i < m->n_inputs; i++) {
		const nacre_value *v = m->input[i];
		int64_t shape[NACRE_MAX_RANK];
		memcpy(shape, v->shape, sizeof shape);
		shape[0] = b->rows;
		b->at[i] = give_in(b, v->layer->name, v->dtype, v->rank, shape);
	}
	int64_t one = 1;
	if (method == NACRE_SMOOTH_GRAD || method == NACRE_INTEGRATED_GRADIENTS)
		b->amount = nacre_squeeze(give_in(b, "amount", NACRE_F32, 1, &one), NACRE_ALL_AXES);
	for (int i = 0; i < m->n_inputs; i++) {
		nacre_value *v = m->input[i];
		const nacre_tensor *t = b->x->baseline[i];
		nacre_node *x = b->at[i], *base = NULL;
		if (t)
			base = give_in(b, "baseline", NACRE_F32, t->rank, t->shape);
		if (method == NACRE_SMOOTH_GRAD && v->dtype == NACRE_F32)
			b->at[i] = noisy(b, x);
		if (method == NACRE_INTEGRATED_GRADIENTS && v->dtype == NACRE_F32) {
			b->moved[i] = base ? nacre_minus(x, base) : x;
			b->at[i] = nacre_times(b->moved[i], b->amount);
			if (base)
				b->at[i] = nacre_plus(b->at[i], base);
		}
		v->now = b->at[i];
		v->mask_now = NULL;
	}
}

/* What goes into a softmax or sigmoid at the end, in the output's shape; else y itself. */
static nacre_node *before_probabilities(nacre_node *y)
{
	const nacre_node *n = y;
	while (n && (n->op->flags & NC_OP_RESHAPES ||
		     (n->op->index == NC_OP_cast && nc_dtype_is_float(n->in[0]->dtype))))
		n = n->in[0];
	bool probability =
	    n && (n->op->index == NC_OP_softmax || n->op->index == NC_OP_log_softmax ||
		  n->op->index == NC_OP_sigmoid);
	return probability ? nacre_reshape(n->in[0], y->rank, y->shape) : y;
}

/* The scores of all classes, and the sum of those that the mask chooses. */
static bool score(builder *b)
{
	explainer *x = b->x;
	const nacre_value *v = b->m->output[x->o->output];
	if (!nc_dtype_is_float(v->dtype))
		return refuse(x, "output %d is of %s, which has no gradient", x->o->output,
			      nacre_dtype_name(v->dtype));
	nacre_node *y = before_probabilities(v->now);
	int64_t classes = x->classes = v->rank > 1 ? v->shape[v->rank - 1] : 1;
	y = nacre_sum(nacre_reshape(y, 3, (int64_t[]){b->rows, -1, classes}), NACRE_AXIS(1), false);
	nacre_node *mask = give_in(b, "mask", NACRE_F32, 2, (int64_t[]){b->rows, classes});
	b->score = nacre_sum(nacre_times(y, y ? nc_cast_float(mask, y->dtype) : NULL),
			     NACRE_ALL_AXES, false);
	b->out[b->n_out++] = nc_cast_float(y, NACRE_F32);
	return nc_model_sound(b->m, b->call.graph);
}

/* -- the layer of Grad-CAM --------------------------------------------------------------------- */
/* needed[id]: the score depends on that node; of all nodes up to it. */
static bool *mark(builder *b)
{
	const nacre_graph *g = b->call.graph;
	int last = b->score->id;
	bool *needed = nc_arena_alloc(&b->call.graph->arena, (size_t)g->n * sizeof *needed);
	if (needed)
		needed[last] = true;
	for (int i = last; needed && i >= 0; i--)
		for (int k = 0; needed[i] && k < g->node[i]->n_in; k++)
			needed[g->node[i]->in[k]->id] = true;
	return needed;
}

/* The last of the values, of models inside too, that has places and is needed. */
static void find_last(const nacre_model *m, const bool *needed, nacre_node **found)
{
	for (const nc_apply *a = m->calls; a; a = a->next) {
		const nacre_model *inner = nc_nested_model(a->layer);
		if (inner)
			find_last(inner, needed, found);
		for (const nacre_value *v = a->y; v; v = v->more)
			if (v->now && v->now->rank == 4 && nc_dtype_is_float(v->now->dtype) &&
			    v->now->shape[1] * v->now->shape[2] > 1 && needed[v->now->id])
				*found = v->now;
	}
}

static nacre_node *find_named(const nacre_model *m, const char *name)
{
	nacre_node *found = NULL;
	for (const nc_apply *a = m->calls; a; a = a->next)
		if (strcmp(a->layer->name, name) == 0)
			found = a->y->now;
	for (const nc_apply *a = found ? NULL : m->calls; a; a = a->next) {
		const nacre_model *inner = nc_nested_model(a->layer);
		size_t n = strlen(a->layer->name);
		bool path = strncmp(name, a->layer->name, n) == 0 && name[n] == '/';
		nacre_node *y = inner ? find_named(inner, path ? name + n + 1 : name) : NULL;
		found = y ? y : found;
	}
	return found;
}

static nacre_node *feature_map(builder *b)
{
	const char *name = b->x->o->layer;
	const bool *needed = mark(b);
	char text[128];
	nacre_node *a = NULL;
	if (!needed) {
		no_memory(b->x);
		return NULL;
	}
	if (name)
		a = find_named(b->m, name);
	else
		find_last(b->m, needed, &a);
	if (!a && name)
		refuse(b->x, "there is no layer \"%s\"", name);
	else if (!a)
		refuse(b->x, "no layer before the score gives [height, width, channels] of more "
			     "than one place, which grad_cam needs");
	else if (a->rank != 4 || !nc_dtype_is_float(a->dtype))
		refuse(b->x,
		       "grad_cam needs a layer that gives [height, width, channels], \"%s\" gives "
		       "%s of %s",
		       name, nc_shape_text(text, a->rank - 1, a->shape + 1),
		       nacre_dtype_name(a->dtype));
	else if (!needed[a->id])
		refuse(b->x, "the score does not depend on layer \"%s\"", name);
	return b->m->error.status ? NULL : a;
}

/* relu(sum over k of w_k A_k), w_k = mean of dS/dA_k, at the size of the input */
static bool grad_cam(builder *b)
{
	const nacre_value *v = b->m->input[0];
	nacre_node *a = feature_map(b), *w = NULL;
	if (!a)
		return false;
	nacre_grad(b->score, 1, &a, &w);
	w = nacre_mean(nc_cast_float(w, NACRE_F32), NACRE_AXIS(1) | NACRE_AXIS(2), true);
	nacre_node *y = nacre_sum(nacre_times(nc_cast_float(a, NACRE_F32), w), NACRE_AXIS(3), true);
	y = nacre_relu(y);
	int64_t h = a->shape[1], width = a->shape[2];
	if (v->rank == 4 || v->rank == 3) {
		h = v->shape[1];
		width = v->shape[2];
		y = nacre_resize_image(y, h, width, NACRE_BILINEAR, false);
	}
	b->out[b->n_out++] = nacre_reshape(y, 3, (int64_t[]){b->rows, h, width});
	return nc_model_sound(b->m, b->call.graph);
}

static bool gradients(builder *b)
{
	explainer *x = b->x;
	nacre_node *by[NACRE_MAX_PORTS], *g[NACRE_MAX_PORTS];
	for (int i = 0; i < x->n; i++)
		by[i] = b->at[x->input[i]];
	nacre_grad(b->score, x->n, by, g);
	for (int i = 0; i < x->n; i++) {
		nacre_node *moved = b->moved[x->input[i]];
		b->out[b->n_out++] = moved ? nacre_times(moved, g[i]) : g[i];
	}
	return nc_model_sound(b->m, b->call.graph);
}

static bool build(builder *b)
{
	feed(b);
	return nc_model_sound(b->m, b->call.graph) &&
	       nc_model_calls(b->m, b->m, &b->call, b->rows) && score(b) &&
	       (b->x->o->method == NACRE_GRAD_CAM ? grad_cam(b) : gradients(b));
}

static bool make_program(explainer *x, int64_t rows)
{
	nacre_model *m = x->m;
	builder b = {.x = x, .m = m, .rows = rows};
	nacre_error e = {0};
	if (x->program && x->rows == rows)
		return true;
	nacre_program_free(x->program);
	x->program = NULL;
	x->rows = rows;
	b.call = (nc_call){
	    .runtime = m->runtime, .error = &m->error, .apart = x->o->method == NACRE_GRAD_CAM};
	b.call.effects_end = &b.call.effects;
	b.call.graph = nacre_graph_new(m->runtime);
	if (!b.call.graph)
		return no_memory(x);
	if (build(&b)) {
		nacre_program_options options = {.backend = m->how.backend,
						 .no_optimize = m->how.no_optimize,
						 .seed = nc_mix(x->o->seed, NC_SEED_NOISE)};
		x->program =
		    nacre_program_new(m->runtime, b.n_in, b.in, b.n_out, b.out, &options, &e);
		if (!x->program)
			nc_model_take(m, false, x->what, &e);
	}
	nacre_graph_free(b.call.graph);
	return x->program;
}

/* -- running it -------------------------------------------------------------------------------- */
static int64_t runs(const nacre_saliency_options *o)
{
	int64_t n = o->method == NACRE_SMOOTH_GRAD            ? o->samples
		    : o->method == NACRE_INTEGRATED_GRADIENTS ? o->steps
							      : 1;
	return n ? n : 50;
}

/* How far the inputs are moved in run k; k < 0: not at all. */
static float amount(const nacre_saliency_options *o, int64_t k)
{
	if (o->method == NACRE_SMOOTH_GRAD)
		return k < 0 ? 0 : (float)(o->noise != 0 ? o->noise : 0.15);
	return k < 0 ? 1 : (float)(((double)k + 0.5) / (double)runs(o));
}

/* The class of a sample, chosen or the one with the largest score. */
static void choose(explainer *x)
{
	const float *s = nc_program_result(x->program, 0);
	int64_t target = x->o->target - 1;
	memset(x->mask, 0, x->mask_bytes);
	for (int64_t r = 0; r < x->rows; r++, s += x->classes) {
		int64_t best = 0;
		for (int64_t c = 1; target < 0 && c < x->classes; c++)
			best = s[c] > s[best] ? c : best;
		x->mask[r * x->classes + (target < 0 ? best : target)] = 1;
	}
}

static void add_up(explainer *x)
{
	double *sum = x->sum;
	for (int i = 0; i < x->n; i++) {
		const float *g = nc_program_result(x->program, 1 + i);
		for (int64_t k = 0; k < x->rows * x->width[i]; k++)
			*sum++ += (double)g[k];
	}
}

/* The scores of the chosen classes go into the second column of what is said about completeness. */
static void add_scores(explainer *x, int64_t first, double sign)
{
	const float *s = nc_program_result(x->program, 0);
	for (int64_t k = 0; k < x->rows * x->classes; k++)
		if (x->mask[k] != 0) {
			int64_t at = 2 * (first + k / x->classes) + 1;
			double so_far = nacre_tensor_get(x->complete, at);
			nacre_tensor_set(x->complete, at, so_far + sign * (double)s[k]);
		}
}

/* And the sum of all that a sample was given into the first. */
static void add_sums(explainer *x, int64_t first)
{
	const double *sum = x->sum;
	for (int i = 0; i < x->n; i++)
		for (int64_t r = 0; r < x->rows; r++) {
			double all = nacre_tensor_get(x->complete, 2 * (first + r));
			for (int64_t k = 0; k < x->width[i]; k++)
				all += *sum++ / (double)runs(x->o);
			nacre_tensor_set(x->complete, 2 * (first + r), all);
		}
}

/* Sums of `channels` numbers, or the largest of their absolute values. */
static double without_channels(const double *v, int64_t channels, bool integrated)
{
	double sum = 0, most = 0;
	for (int64_t k = 0; k < channels; k++) {
		sum += v[k];
		most = fabs(v[k]) > most || isnan(v[k]) ? fabs(v[k]) : most;
	}
	return integrated ? sum : most;
}

/* The means of a batch to their places. */
static void collect(explainer *x, int64_t first)
{
	const double *sum = x->sum;
	double n = (double)runs(x->o);
	bool integrated = x->o->method == NACRE_INTEGRATED_GRADIENTS;
	for (int i = 0; i < x->n; i++) {
		int64_t all = nacre_tensor_size(x->out[i]) / x->source.size;
		int64_t channels = all ? x->width[i] / all : 1;
		float *to = (float *)(void *)x->out[i]->data + first * all;
		for (int64_t k = 0; k < x->rows * all; k++, sum += channels)
			to[k] =
			    (float)((x->maps ? without_channels(sum, channels, integrated) : *sum) /
				    n);
	}
}

static bool batch(explainer *x, int64_t i)
{
	nc_feeder *f = &x->feeder;
	nacre_program *p = x->program;
	const nacre_saliency_options *o = x->o;
	int k = 0;
	int64_t first = i * f->batch_size;
	float far;
	nc_feeder_first(f, i);
	if (f->making.error.status) {
		nc_model_take(x->m, false, NULL, &f->making.error);
		return false;
	}
	for (; k < f->batch.n; k++)
		nc_program_bind(p, k, f->batch.column[k].out);
	if (o->method == NACRE_SMOOTH_GRAD || o->method == NACRE_INTEGRATED_GRADIENTS)
		nc_program_bind(p, k++, &far);
	for (int b = 0; b < x->m->n_inputs; b++)
		if (x->baseline[b])
			nc_program_bind(p, k++, x->baseline[b]->data);
	nc_program_bind(p, k, x->mask);
	if (!o->target || x->complete) {
		far = amount(o, -1);
		memset(x->mask, 0, x->mask_bytes);
		nc_program_execute(p);
	}
	choose(x);
	if (x->complete) {
		add_scores(x, first, 1);
		far = 0;
		nc_program_execute(p);
		add_scores(x, first, -1);
	}
	memset(x->sum, 0, x->sum_bytes);
	for (int64_t r = 0; r < runs(o); r++) {
		far = amount(o, r);
		nacre_program_set_step(p, (uint64_t)(i * runs(o) + r));
		nc_program_execute(p);
		add_up(x);
	}
	collect(x, first);
	if (x->complete)
		add_sums(x, first);
	return true;
}

/* -- around it --------------------------------------------------------------------------------- */
/* What the program gives of a batch becomes tensors for all samples, and room for its sums. */
static bool make_room(explainer *x)
{
	nacre_model *m = x->m;
	nacre_program *p = x->program;
	nacre_error e = {0};
	size_t cells = 0, sum = 0, each;
	int64_t width;
	bool fits = nc_mul((size_t)x->feeder.batch_size, (size_t)x->classes, &cells);
	for (int i = 0; i < x->n && fits; i++) {
		const struct nc_spec *s = &p->spec[p->n_inputs + 1 + i];
		int64_t shape[NACRE_MAX_RANK];
		bool channels = x->maps && s->rank == 4;
		memcpy(shape, s->shape, sizeof shape);
		shape[0] = x->source.size;
		fits = nc_shape_size(s->rank - 1, s->shape + 1, &width) &&
		       nc_mul((size_t)width, (size_t)x->feeder.batch_size, &each) &&
		       nc_add(sum, each, &sum);
		x->width[i] = width;
		x->out[i] = nacre_tensor_new(m->runtime, NACRE_F32, s->rank - channels, shape, &e);
		if (!x->out[i]) {
			nc_model_take(m, false, x->what, &e);
			return false;
		}
	}
	if (x->o->completeness) {
		int64_t shape[] = {x->source.size, 2};
		x->complete = nacre_tensor_new(m->runtime, NACRE_F32, 2, shape, &e);
		if (!x->complete) {
			nc_model_take(m, false, x->what, &e);
			return false;
		}
	}
	fits = fits && nc_mul(cells, sizeof *x->mask, &x->mask_bytes) &&
	       nc_mul(sum, sizeof *x->sum, &x->sum_bytes);
	x->mask = fits ? nc_zero_alloc(&m->runtime->memory, x->mask_bytes) : NULL;
	x->sum = x->mask ? nc_alloc(&m->runtime->memory, x->sum_bytes) : NULL;
	return x->sum || no_memory(x);
}

static bool check_numbers(explainer *x)
{
	const nacre_saliency_options *o = x->o;
	const nacre_model *m = x->m;
	if (!nacre_saliency_name(o->method))
		return refuse(x, "method: %d is none", (int)o->method);
	if (!x->maps && o->method == NACRE_GRAD_CAM)
		return refuse(x, "grad_cam is about a layer, not about inputs: use saliency");
	if (o->completeness && o->method != NACRE_INTEGRATED_GRADIENTS)
		return refuse(x, "completeness: only integrated_gradients has it");
	if (o->output < 0 || o->output >= m->n_outputs)
		return refuse(x, "output: expected 0 to %d, got %d", m->n_outputs - 1, o->output);
	if (o->samples < 0 || o->steps < 0)
		return refuse(x, "%s: expected at least 1, got %lld",
			      o->samples < 0 ? "samples" : "steps",
			      (long long)(o->samples < 0 ? o->samples : o->steps));
	if (!(o->noise >= 0 && o->noise < (double)INFINITY))
		return refuse(x, "noise: expected a number from 0, got %g", o->noise);
	const nacre_value *y = m->output[o->output];
	int64_t classes = y->rank > 1 ? y->shape[y->rank - 1] : 1;
	if (o->target < 0 || o->target > classes)
		return refuse(x, "target: expected a class from 0 to %lld, got %d",
			      (long long)classes - 1, nc_class(o->target));
	return true;
}

/* Which inputs have gradients that are wanted. */
static bool choose_inputs(explainer *x)
{
	const nacre_model *m = x->m;
	bool all = !x->maps || x->o->completeness;
	for (int i = 0; i < (all ? m->n_inputs : 1); i++)
		if (x->o->method == NACRE_GRAD_CAM || m->input[i]->dtype == NACRE_F32)
			x->input[x->n++] = i;
	return (x->n && !(x->maps && x->input[0])) ||
	       refuse(x, "%s is of %s, which has no gradient", m->input[0]->layer->name,
		      nacre_dtype_name(m->input[0]->dtype));
}

static bool make_baseline(explainer *x, int i)
{
	const nacre_tensor *given = x->o->baseline[i];
	const nacre_value *v = x->m->input[i];
	int64_t shape[NACRE_MAX_RANK], n = nacre_tensor_size(given);
	char want[128], got[128];
	nacre_error e = {0};
	bool same = given->rank == v->rank - 1;
	for (int k = 0; same && k < given->rank; k++)
		same = given->shape[k] == v->shape[k + 1];
	if (!same && n != 1)
		return refuse(x, "baseline %d: expected %s or one number, got %s", i,
			      nc_shape_text(want, v->rank - 1, v->shape + 1),
			      nc_shape_text(got, given->rank, given->shape));
	memcpy(shape, v->shape, sizeof shape);
	shape[0] = 1;
	nacre_tensor *t = nacre_tensor_new(x->m->runtime, NACRE_F32, v->rank, shape, &e);
	x->baseline[i] = t;
	if (!t) {
		nc_model_take(x->m, false, x->what, &e);
		return false;
	}
	for (int64_t k = 0; k < nacre_tensor_size(t); k++)
		nacre_tensor_set(t, k, nacre_tensor_get(given, n == 1 ? 0 : k));
	return true;
}

static bool prepare(explainer *x)
{
	nacre_model *m = x->m;
	if (!nc_model_ready(m, x->what, false) || !check_numbers(x) || !choose_inputs(x) ||
	    !nc_source_open(&x->source, m, x->o->data, NC_PREDICT, x->what))
		return false;
	if (x->source.map)
		return refuse(x, "the data has a map: the gradient would not be by what it holds");
	for (int i = 0; i < NACRE_MAX_PORTS; i++) {
		if (!x->o->baseline[i])
			continue;
		if (i >= m->n_inputs || m->input[i]->dtype != NACRE_F32)
			return refuse(x, "baseline %d: the model has no such input of f32", i);
		if (x->o->method == NACRE_INTEGRATED_GRADIENTS && !make_baseline(x, i))
			return false;
	}
	return nc_model_draw(m) &&
	       nc_feeder_open(&x->feeder, m, &x->source, NC_PREDICT, x->o->batch_size, x->what);
}

/* Fills x->out; after an error there is nothing in it. */
static bool explain(explainer *x)
{
	bool good = prepare(x);
	for (int64_t i = 0; good && i < x->feeder.batches; i++)
		good = make_program(x, nc_feeder_rows(&x->feeder, i)) && (i || make_room(x)) &&
		       batch(x, i);
	if (!x->m)
		return false;
	nc_memory *memory = &x->m->runtime->memory;
	nacre_program_free(x->program);
	if (x->mask)
		nc_free(memory, x->mask, x->mask_bytes);
	if (x->sum)
		nc_free(memory, x->sum, x->sum_bytes);
	if (x->feeder.buffer)
		nc_feeder_close(&x->feeder);
	nc_source_close(&x->source);
	for (int i = 0; i < NACRE_MAX_PORTS; i++) {
		nacre_tensor_free(x->baseline[i]);
		if (good && !(x->maps && i))
			continue;
		nacre_tensor_free(x->out[i]);
		x->out[i] = NULL;
	}
	if (good && x->o->completeness)
		*x->o->completeness = x->complete;
	else
		nacre_tensor_free(x->complete);
	return good;
}

nacre_tensor *nacre_saliency_with(nacre_model *m, nacre_saliency_options o)
{
	explainer x = {.m = m, .o = &o, .what = "saliency", .maps = true};
	if (o.completeness)
		*o.completeness = NULL;
	explain(&x);
	return x.out[0];
}

nacre_status nacre_input_gradients_with(nacre_model *m, nacre_tensor **gradient,
					nacre_saliency_options o)
{
	explainer x = {.m = m, .o = &o, .what = "input_gradients"};
	if (o.completeness)
		*o.completeness = NULL;
	for (int i = 0; m && gradient && i < m->n_inputs; i++)
		gradient[i] = NULL;
	if (m && !m->error.status && !gradient)
		refuse(&x, "the room for the gradients is NULL");
	if (m && !m->error.status && explain(&x))
		for (int i = 0; i < x.n; i++)
			gradient[x.input[i]] = x.out[i];
	return nacre_model_error(m)->status;
}
