/* SPDX-License-Identifier: MIT
 *
 * checkpoint.c - all that the rest of a training depends on, to a file and back.
 *
 * Tensors: "model/dense/kernel", "optimizer/dense/kernel/momentum", and within fit
 * "training/means", "history/loss", "callback/early_stopping.0".  Numbers stand in the metadata:
 * whole ones in decimal, doubles as the 16 hexadecimal digits of their bits.  Random numbers need
 * no state: they are functions of seed and step.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/checked.h"
#include "nn/optimizer_options.h"
#include "train/callback.h"

enum { MAX_METADATA = 24, NAME = 256 };

static uint64_t bits_of(double x)
{
	uint64_t v;
	memcpy(&v, &x, sizeof v);
	return v;
}

/* -- what it was made with --------------------------------------------------------------------- */
static uint64_t mix_text(uint64_t h, const char *s)
{
	for (; s && *s; s++)
		h = nc_mix(h, (unsigned char)*s);
	return nc_mix(h, 256);
}

static uint64_t mix_options(uint64_t h, const nc_option *table, const void *options)
{
	for (const nc_option *o = table; o->name; o++)
		h = nc_mix(h, bits_of(nc_option_number(o, (const char *)options + o->offset)));
	return h;
}

static uint64_t mix_schedule(uint64_t h, const nacre_schedule *s)
{
	nc_schedule_kind kind;
	size_t i = 0;
	if (!s->function)
		return nc_mix(h, 0);
	while (nc_schedule_kind_at(i, &kind) && kind.fresh.function != s->function)
		i++;
	if (!nc_schedule_kind_at(i, &kind)) /* one's own: what it reads is not known */
		return nc_mix(nc_mix(h, 1), bits_of(s->initial_learning_rate));
	h = mix_options(mix_text(h, kind.keras), kind.options, s);
	for (int k = 0; k < s->n_boundaries; k++)
		h = nc_mix(nc_mix(h, bits_of(s->boundary[k])), bits_of(s->value[k]));
	return nc_mix(h, bits_of(s->value[s->n_boundaries]));
}

/* What the optimizer computes with, but for the learning rate, which is state. */
static uint64_t configuration(const nacre_optimizer *o)
{
	const nc_optimizer_field *f;
	uint64_t h = nc_mix(0, (uint64_t)o->dynamic_loss_scale);
	for (size_t i = 0; (f = nc_optimizer_field_at(i)); i++)
		if (nc_optimizer_field_is_of(f, o))
			h = mix_options(h, (const nc_option[]){f->option, NC_OPT_END}, o);
	h = mix_options(h, nc_scaling_options, o);
	for (int i = 0; i < NACRE_MAX_NO_DECAY; i++)
		h = mix_text(mix_text(h, o->no_decay[i]), o->no_muon[i]);
	return mix_schedule(h, &o->schedule);
}

/* Calls `f` for the moments in the order in which the model keeps them. */
typedef bool slot_function(void *context, nacre_variable *weight, const char *slot,
			   nacre_variable *moment);
static bool each_slot(nacre_model *m, slot_function *f, void *context)
{
	int per, k = 0;
	if (!nc_model_slots(m, &per))
		return false;
	for (nacre_layer *l = m->layers; l; l = l->next)
		for (int i = 0; i < l->n_weights && !l->frozen; i++)
			for (int s = 0; l->weight[i].trainable && s < per; s++, k++)
				if (!f(context, l->weight[i].variable,
				       nacre_variable_name(m->slot[k]), m->slot[k]))
					return false;
	return true;
}

/* "callback/early_stopping.0": the second of a kind has 1; false: nothing is to be kept */
static bool callback_name(const nc_training *at, int i, char name[NAME])
{
	const nacre_callback *c = &at->callbacks[i];
	int before = 0;
	if (!c->state || !c->name)
		return false;
	for (int k = 0; k < i; k++)
		before += at->callbacks[k].name && strcmp(at->callbacks[k].name, c->name) == 0;
	snprintf(name, NAME, "callback/%.100s.%d", c->name, before);
	return true;
}

static int count_callbacks(const nc_training *at)
{
	int n = 0;
	while (at && n < NACRE_MAX_CALLBACKS && nc_is_callback(&at->callbacks[n]))
		n++;
	return n;
}

/* -- saving ------------------------------------------------------------------------------------ */
typedef struct saver {
	nacre_model *m;
	nacre_error *e;
	nc_arena arena;
	size_t n, capacity;
	nacre_named_tensor *item;
	bool *borrowed;
	int n_metadata;
	nacre_metadata metadata[MAX_METADATA];
} saver;

static bool reserve(saver *a)
{
	if (a->n < a->capacity)
		return true;
	size_t capacity = a->capacity ? 2 * a->capacity : 32;
	nacre_named_tensor *item = nc_arena_alloc(&a->arena, capacity * sizeof *item);
	bool *borrowed = nc_arena_alloc(&a->arena, capacity * sizeof *borrowed);
	if (!item || !borrowed)
		return false;
	if (a->n) {
		memcpy(item, a->item, a->n * sizeof *item);
		memcpy(borrowed, a->borrowed, a->n * sizeof *borrowed);
	}
	a->item = item;
	a->borrowed = borrowed;
	a->capacity = capacity;
	return true;
}

/* Takes the tensor over, if it is not borrowed. */
static bool add(saver *a, const char *name, nacre_tensor *t, bool borrowed)
{
	char *copy = t ? nc_arena_string(&a->arena, name) : NULL;
	if (!copy || !reserve(a)) {
		if (!borrowed)
			nacre_tensor_free(t);
		nc_no_memory(a->e, strlen(name));
		return false;
	}
	a->item[a->n] = (nacre_named_tensor){copy, t};
	a->borrowed[a->n++] = borrowed;
	return true;
}

static bool add_variable(saver *a, const char *name, const nacre_variable *v)
{
	nacre_tensor *t = nacre_variable_read(v, a->e);
	return t && add(a, name, t, false);
}

static bool add_bytes(saver *a, const char *name, nacre_dtype dtype, int64_t n, const void *data)
{
	nacre_tensor *t = nacre_tensor_new(a->m->runtime, dtype, 1, &n, a->e);
	if (t && n)
		memcpy(t->data, data, (size_t)n * nacre_dtype_size(dtype));
	return t && add(a, name, t, false);
}

static void put(saver *a, const char *key, const char *format, ...) NC_PRINTF(3, 4);
static void put(saver *a, const char *key, const char *format, ...)
{
	char text[NAME];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	char *copy = nc_arena_string(&a->arena, text);
	if (!copy)
		nc_no_memory(a->e, strlen(text));
	else
		a->metadata[a->n_metadata++] = (nacre_metadata){key, copy};
}

static bool save_slot(void *context, nacre_variable *weight, const char *slot,
		      nacre_variable *moment)
{
	char name[NAME];
	snprintf(name, sizeof name, "optimizer/%.180s/%.40s", nacre_variable_name(weight), slot);
	return add_variable(context, name, moment);
}

static bool save_model(saver *a)
{
	nacre_model *m = a->m;
	put(a, "format", "nacre checkpoint 2");
	put(a, "version", "%s", nacre_version());
	put(a, "optimizer", "%s", nacre_optimizer_name(&m->how.optimizer));
	put(a, "configuration", "%016llx", (unsigned long long)configuration(&m->how.optimizer));
	put(a, "seed", "%llu", (unsigned long long)m->seed);
	put(a, "iterations", "%lld", (long long)m->iterations);
	put(a, "learning_rate", "%016llx", (unsigned long long)bits_of(m->learning_rate));
	put(a, "order", "%lld", (long long)(m->at ? m->at->order : m->epochs));
	put(a, "loss_scale", "%016llx", (unsigned long long)bits_of((double)m->loss_scale));
	put(a, "scale_steps", "%lld", (long long)m->scale_steps);
	put(a, "skipped", "%lld", (long long)m->skipped);
	for (nacre_layer *l = m->layers; l; l = l->next)
		for (int i = 0; i < l->n_weights; i++) {
			char name[NAME];
			snprintf(name, sizeof name, "model/%.200s",
				 nacre_variable_name(l->weight[i].variable));
			if (!add_variable(a, name, l->weight[i].variable))
				return false;
		}
	return each_slot(m, save_slot, a);
}

static bool save_history(saver *a)
{
	const nc_history *h = &a->m->history;
	for (int i = 0; i < h->n_names; i++) {
		char name[NAME];
		int64_t n = h->epochs;
		nacre_tensor *t = nacre_tensor_new(a->m->runtime, NACRE_F64, 1, &n, a->e);
		for (int64_t k = 0; t && k < n; k++)
			nacre_tensor_set(t, k, h->value[k * NC_MAX_LOGS + i]);
		snprintf(name, sizeof name, "history/%s", h->name[i]);
		if (!t || !add(a, name, t, false))
			return false;
	}
	return true;
}

static bool save_callbacks(saver *a, const nc_training *at)
{
	char name[NAME], part[NAME + 16];
	for (int i = 0; i < count_callbacks(at); i++) {
		if (!callback_name(at, i, name))
			continue;
		nacre_callback_state s = at->callbacks[i].state(at->callbacks[i].context);
		if (!add_bytes(a, name, NACRE_U8, (int64_t)s.size, s.data))
			return false;
		for (int k = 0; k < s.n_tensors; k++) {
			snprintf(part, sizeof part, "%s/%d", name, k);
			if (!add(a, part, s.tensors[k], true))
				return false;
		}
	}
	return true;
}

static bool save_training(saver *a, const nc_training *at)
{
	const nc_means *now = &at->means;
	double means[1 + 2 * NC_MAX_MEANS] = {now->rows};
	for (int i = 0; i < now->n; i++) {
		means[1 + i] = now->sum[i];
		means[1 + now->n + i] = now->value[i];
	}
	put(a, "epoch", "%d", at->epoch);
	put(a, "batch", "%lld", (long long)at->batch);
	put(a, "first", "%lld", (long long)at->first);
	put(a, "stop", "%d", at->stop);
	put(a, "samples", "%lld", (long long)at->samples);
	put(a, "batch_size", "%lld", (long long)at->batch_size);
	put(a, "shuffled", "%d", at->shuffled);
	if (at->batch && now->state &&
	    !add_bytes(a, "training/metrics", NACRE_F64, now->n_state, now->state))
		return false;
	return add_bytes(a, "training/means", NACRE_F64, 1 + 2 * now->n, means) &&
	       save_history(a) && save_callbacks(a, at);
}

nacre_status nc_checkpoint_save(nacre_model *m, const char *path, nacre_error *e)
{
	nacre_error own = {0};
	saver a = {.m = m, .e = &own};
	nc_arena_init(&a.arena, &m->runtime->memory);
	bool ok = save_model(&a) && (!m->at || save_training(&a, m->at));
	if (ok && !own.status)
		nc_checked_save(m->runtime, path, (int64_t)a.n, a.item, a.n_metadata, a.metadata,
				&own);
	else if (m->error.status) /* the moments could not be made */
		nc_fail(&own, m->error.status, "%s", m->error.text);
	for (size_t i = 0; i < a.n; i++)
		if (!a.borrowed[i])
			nacre_tensor_free((nacre_tensor *)(uintptr_t)a.item[i].tensor);
	nc_arena_free(&a.arena);
	return own.status ? nc_fail(e, own.status, "%s", own.text) : NACRE_OK;
}

/* -- loading ----------------------------------------------------------------------------------- */
/* Everything is read and checked into a list of what is to be done, and only then done. */
typedef struct change {
	nacre_variable *variable; /* this becomes `tensor`, or */
	void *bytes;              /* these, or */
	nacre_tensor *to;         /* this */
	nacre_tensor *tensor;
	struct change *next;
} change;

typedef struct loader {
	nacre_model *m;
	const char *path;
	nacre_error *e;
	nacre_safetensors *file;
	nc_arena arena;
	change *changes;
	uint64_t seed, rate, scale;
	int64_t iterations, order, scale_steps, skipped;
	int64_t epoch, batch, first, stop, samples, batch_size, shuffled;
} loader;

static bool unfit(loader *a, const char *format, ...) NC_PRINTF(2, 3);
static bool unfit(loader *a, const char *format, ...)
{
	char text[300];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	nc_fail(a->e, NACRE_BAD_MODEL, "%.180s: %s", a->path, text);
	return false;
}

static bool parse(const char *s, int base, uint64_t *out)
{
	size_t n = s ? strlen(s) : 0;
	if (n == 0 || n > 20 || strspn(s, "0123456789abcdef") != n)
		return false;
	char *end;
	*out = strtoull(s, &end, base);
	return !*end;
}

static bool get(loader *a, const char *key, int base, uint64_t *out)
{
	const char *s = nacre_safetensors_metadata(a->file, key);
	return parse(s, base, out) ||
	       unfit(a, "%s: expected a number, got %.40s", key, s ? s : "nothing");
}

static bool get_count(loader *a, const char *key, int64_t most, int64_t *out)
{
	uint64_t v = 0;
	if (!get(a, key, 10, &v))
		return false;
	*out = (int64_t)v;
	return v <= (uint64_t)most || unfit(a, "%s: expected 0 to %lld, got %llu", key,
					    (long long)most, (unsigned long long)v);
}

static change *plan(loader *a, nacre_tensor *t)
{
	change *c = t ? nc_arena_alloc(&a->arena, sizeof *c) : NULL;
	if (!c) {
		nacre_tensor_free(t);
		nc_no_memory(a->e, sizeof *c);
		return NULL;
	}
	c->tensor = t;
	c->next = a->changes;
	a->changes = c;
	return c;
}

/* The tensor of that name, which must have this type and shape. */
static nacre_tensor *fetch(loader *a, const char *name, nacre_dtype dtype, int rank,
			   const int64_t *shape)
{
	char want[128], got[128];
	nacre_error own = {0};
	nacre_tensor *t = nacre_safetensors_tensor(a->file, name, &own);
	bool same = t && t->dtype == dtype && t->rank == rank;
	for (int i = 0; same && i < rank; i++)
		same = t->shape[i] == shape[i];
	if (same)
		return t;
	if (!t && own.status == NACRE_NO_MEMORY)
		nc_fail(a->e, own.status, "%s", own.text);
	else if (!t)
		unfit(a, "it has no %.200s", name);
	else
		unfit(a, "%.120s is %s %s there, %s %s in the model", name,
		      nacre_dtype_name(t->dtype), nc_shape_text(got, t->rank, t->shape),
		      nacre_dtype_name(dtype), nc_shape_text(want, rank, shape));
	nacre_tensor_free(t);
	return NULL;
}

static bool load_variable(loader *a, const char *name, nacre_variable *v)
{
	nacre_tensor *t = fetch(a, name, v->dtype, v->rank, v->shape);
	change *c = t ? plan(a, t) : NULL;
	if (c)
		c->variable = v;
	return c;
}

static bool load_slot(void *context, nacre_variable *weight, const char *slot,
		      nacre_variable *moment)
{
	char name[NAME];
	snprintf(name, sizeof name, "optimizer/%.180s/%.40s", nacre_variable_name(weight), slot);
	return load_variable(context, name, moment);
}

static int64_t count_names(const loader *a, const char *start)
{
	int64_t n = 0;
	for (int64_t i = 0; i < nacre_safetensors_count(a->file); i++)
		n += strncmp(nacre_safetensors_name(a->file, i), start, strlen(start)) == 0;
	return n;
}

static bool load_model(loader *a)
{
	nacre_model *m = a->m;
	const char *format = nacre_safetensors_metadata(a->file, "format");
	const char *optimizer = nacre_safetensors_metadata(a->file, "optimizer");
	const char *mine = nacre_optimizer_name(&m->how.optimizer);
	uint64_t hash;
	int64_t n = 0;
	if (!format || strcmp(format, "nacre checkpoint 2") != 0)
		return unfit(a, "expected a nacre checkpoint 2, got %.60s",
			     format ? format : "something else");
	if (!optimizer || strcmp(optimizer, mine) != 0)
		return unfit(a, "made with the optimizer %.40s, the model has %s",
			     optimizer ? optimizer : "(none)", mine);
	if (!get(a, "configuration", 16, &hash) || !get(a, "seed", 10, &a->seed) ||
	    !get(a, "learning_rate", 16, &a->rate) ||
	    !get_count(a, "iterations", INT64_MAX / 2, &a->iterations) ||
	    !get_count(a, "order", INT64_MAX / 2, &a->order) ||
	    !get(a, "loss_scale", 16, &a->scale) ||
	    !get_count(a, "scale_steps", INT64_MAX / 2, &a->scale_steps) ||
	    !get_count(a, "skipped", INT64_MAX / 2, &a->skipped))
		return false;
	if (hash != configuration(&m->how.optimizer))
		return unfit(a, "made with other options of the optimizer %s", mine);
	for (nacre_layer *l = m->layers; l; l = l->next)
		for (int i = 0; i < l->n_weights; i++, n++) {
			char name[NAME];
			snprintf(name, sizeof name, "model/%.200s",
				 nacre_variable_name(l->weight[i].variable));
			if (!load_variable(a, name, l->weight[i].variable))
				return false;
		}
	if (count_names(a, "model/") != n)
		return unfit(a, "it has %lld weights, the model %lld",
			     (long long)count_names(a, "model/"), (long long)n);
	return each_slot(m, load_slot, a);
}

static bool load_callbacks(loader *a, const nc_training *at)
{
	char name[NAME], part[NAME + 16];
	for (int i = 0; i < count_callbacks(at); i++) {
		if (!callback_name(at, i, name) || !count_names(a, name))
			continue;
		nacre_callback_state s = at->callbacks[i].state(at->callbacks[i].context);
		nacre_tensor *t = fetch(a, name, NACRE_U8, 1, (int64_t[]){(int64_t)s.size});
		change *c = t ? plan(a, t) : NULL;
		if (!c)
			return false;
		c->bytes = s.data;
		for (int k = 0; k < s.n_tensors; k++) {
			const nacre_tensor *to = s.tensors[k];
			snprintf(part, sizeof part, "%s/%d", name, k);
			t = fetch(a, part, to->dtype, to->rank, to->shape);
			c = t ? plan(a, t) : NULL;
			if (!c)
				return false;
			c->to = s.tensors[k];
		}
	}
	return true;
}

static bool load_training(loader *a, nc_training *at)
{
	const int64_t n = 1 + 2 * at->means.n;
	if (!get_count(a, "epoch", INT32_MAX - 1, &a->epoch) ||
	    !get_count(a, "batch", INT64_MAX / 2, &a->batch) ||
	    !get_count(a, "first", INT64_MAX / 2, &a->first) ||
	    !get_count(a, "stop", 1, &a->stop) ||
	    !get_count(a, "samples", INT64_MAX / 2, &a->samples) ||
	    !get_count(a, "batch_size", INT64_MAX / 2, &a->batch_size) ||
	    !get_count(a, "shuffled", 1, &a->shuffled))
		return false;
	int64_t batches = (at->samples + at->batch_size - 1) / at->batch_size;
	int64_t next = a->first + a->batch;
	if (next && (a->samples != at->samples || a->batch_size != at->batch_size ||
		     a->shuffled != at->shuffled || next > batches))
		return unfit(a,
			     "interrupted in batch %lld of %lld samples in batches of %lld, %s; "
			     "now there are %lld in batches of %lld, %s",
			     (long long)next, (long long)a->samples, (long long)a->batch_size,
			     a->shuffled ? "shuffled" : "in order", (long long)at->samples,
			     (long long)at->batch_size, at->shuffled ? "shuffled" : "in order");
	nacre_tensor *t = fetch(a, "training/means", NACRE_F64, 1, &n);
	return t && plan(a, t) && load_callbacks(a, at);
}

/* The rows of the history; a name that has no place any more is left out. */
static bool apply_history(loader *a)
{
	double none[NC_MAX_LOGS];
	nacre_model *m = a->m;
	for (int i = 0; i < NC_MAX_LOGS; i++)
		none[i] = NAN;
	m->history.epochs = 0;
	for (int64_t i = 0; i < nacre_safetensors_count(a->file); i++) {
		const char *name = nacre_safetensors_name(a->file, i);
		if (strncmp(name, "history/", 8) != 0 || strlen(name + 8) >= NC_LOG_NAME)
			continue;
		int place = nc_history_place(m, name + 8);
		nacre_tensor *t = place < 0 ? NULL : nacre_safetensors_tensor(a->file, name, NULL);
		for (int64_t k = 0; t && t->rank == 1 && k < t->shape[0]; k++) {
			if (k >= m->history.epochs && !nc_history_add(m, none)) {
				nacre_tensor_free(t);
				return false;
			}
			m->history.value[k * NC_MAX_LOGS + place] = nacre_tensor_get(t, k);
		}
		nacre_tensor_free(t);
	}
	return true;
}

/* What metrics that are no means have gathered in the interrupted epoch. */
static bool apply_metrics(loader *a, nc_means *n)
{
	nacre_tensor *t = nacre_safetensors_tensor(a->file, "training/metrics", NULL);
	int64_t size = t ? nacre_tensor_size(t) : 0;
	bool ok = true;
	if (a->batch && size) {
		n->memory = &a->m->runtime->memory;
		n->state = nc_alloc(n->memory, (size_t)size * sizeof *n->state);
		ok = n->state != NULL;
		n->n_state = ok ? size : 0;
		for (int64_t i = 0; i < n->n_state; i++)
			n->state[i] = nacre_tensor_get(t, i);
	}
	nacre_tensor_free(t);
	return ok;
}

static void apply_training(loader *a, nc_training *at)
{
	nc_means *n = &at->means;
	nacre_tensor *t = nacre_safetensors_tensor(a->file, "training/means", NULL);
	if (!t || !apply_history(a) || !apply_metrics(a, n)) {
		nc_no_memory(a->e, 0);
		nacre_tensor_free(t);
		return;
	}
	n->rows = nacre_tensor_get(t, 0);
	for (int i = 0; i < n->n; i++) {
		n->sum[i] = nacre_tensor_get(t, 1 + i);
		n->value[i] = nacre_tensor_get(t, 1 + n->n + i);
	}
	nacre_tensor_free(t);
	at->epoch = (int)a->epoch;
	at->batch = a->batch;
	at->first = a->first;
	at->order = a->order;
	at->stop = a->stop;
	at->resumed = true;
}

static void apply(loader *a)
{
	nacre_model *m = a->m;
	for (change *c = a->changes; c && !a->e->status; c = c->next)
		if (c->variable)
			nacre_variable_write(c->variable, c->tensor, a->e);
		else if (c->to)
			nacre_tensor_copy(c->to, c->tensor, a->e);
		else if (c->bytes)
			memcpy(c->bytes, c->tensor->data, (size_t)nacre_tensor_size(c->tensor));
	if (m->seed != a->seed)
		nc_model_drop_programs(m); /* it is in them */
	m->seed = a->seed;
	m->iterations = a->iterations;
	m->epochs = a->order;
	memcpy(&m->learning_rate, &a->rate, sizeof a->rate);
	double scale;
	memcpy(&scale, &a->scale, sizeof scale);
	m->loss_scale = (float)scale;
	m->scale_steps = a->scale_steps;
	m->skipped = a->skipped;
}

nacre_status nc_checkpoint_load(nacre_model *m, const char *path, nacre_error *e)
{
	nacre_error own = {0};
	loader a = {.m = m, .path = path, .e = &own};
	nc_arena_init(&a.arena, &m->runtime->memory);
	a.file = nc_checked_open(m->runtime, path, &own);
	bool within = a.file && m->at && nacre_safetensors_metadata(a.file, "epoch");
	if (a.file && load_model(&a) && (!within || load_training(&a, m->at))) {
		apply(&a);
		if (within && !own.status)
			apply_training(&a, m->at);
	} else if (m->error.status)
		nc_fail(&own, m->error.status, "%s", m->error.text);
	for (change *c = a.changes; c; c = c->next)
		nacre_tensor_free(c->tensor);
	nacre_safetensors_free(a.file);
	nc_arena_free(&a.arena);
	if (!own.status)
		return NACRE_OK;
	return nc_fail(e, own.status, "%s", own.text);
}

/* -- by hand ----------------------------------------------------------------------------------- */
static nacre_status by_hand(nacre_model *m, const char *path, const char *what,
			    nacre_status (*f)(nacre_model *, const char *, nacre_error *))
{
	nacre_error e = {0};
	if (!nc_model_ready(m, what, true))
		return nacre_model_error(m)->status;
	if (!path)
		return nc_model_fail(m, false, NACRE_INVALID, "%s: the path is NULL", what);
	if (f(m, path, &e) && !m->error.status)
		nc_model_take(m, false, what, &e);
	return m->error.status;
}

nacre_status nacre_checkpoint_save(nacre_model *m, const char *path)
{
	return by_hand(m, path, "checkpoint_save", nc_checkpoint_save);
}

nacre_status nacre_checkpoint_load(nacre_model *m, const char *path)
{
	if (m && m->training)
		return nc_model_fail(m, false, NACRE_INVALID,
				     "checkpoint_load: the model is being trained");
	return by_hand(m, path, "checkpoint_load", nc_checkpoint_load);
}
