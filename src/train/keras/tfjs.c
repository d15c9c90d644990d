/* SPDX-License-Identifier: MIT
 *
 * tfjs.c - models of TensorFlow.js: see tfjs.h.
 */
#include "train/keras/tfjs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "format/load.h"
#include "nacre/applications.h"
#include "train/keras/keras.h"

enum { MOST_SHARDS = 1 << 14, MOST_WEIGHTS = 1 << 16 };

typedef enum kind { F32, I32, BOOL, U8, U16, F16, KINDS } kind;
static const struct {
	const char *name;
	size_t size;
} kinds[KINDS] = {
    [F32] = {"float32", 4}, [I32] = {"int32", 4},  [BOOL] = {"bool", 1},
    [U8] = {"uint8", 1},    [U16] = {"uint16", 2}, [F16] = {"float16", 2},
};

typedef struct entry { /* a weight of the file */
	const char *name;
	kind kind;
	int rank;
	int64_t shape[NACRE_MAX_RANK], count;
	double scale, min;
	size_t first, offset; /* first shard of its group; in the bytes of that */
	size_t shards;        /* in the group */
	bool used;
} entry;

typedef struct file {
	nc_keras k;
	const nc_tfjs_source *source;
	nc_bytes *shard;
	entry *weight;
	size_t n_shards, n_weights;
} file;

/* -- shards ------------------------------------------------------------------------------------ */
/* The name of a file in this folder, nothing else. */
static bool is_plain(const nc_json_string *s)
{
	bool good = s->size > 0 && s->size < 256 && strlen(s->data) == s->size &&
		    strcmp(s->data, ".") != 0 && strcmp(s->data, "..") != 0;
	for (size_t i = 0; good && i < s->size; i++)
		good = s->data[i] != '/' && s->data[i] != '\\' && s->data[i] != ':';
	return good;
}

static bool open_shard(file *f, const nc_json_value *path)
{
	nacre_error inner = {0};
	if (!nc_json_as(path, NC_JSON_STRING) || !is_plain(&path->text))
		return nc_keras_fail(&f->k, NACRE_BAD_MODEL,
				     "paths: expected the name of a file beside it, got %s",
				     nc_json_show(path).text);
	if (f->source->open(f->source->context, path->text.data, &f->shard[f->n_shards], &inner))
		return nc_keras_fail(&f->k, inner.status, "%s", inner.text);
	f->n_shards++;
	return true;
}

static const nc_json_value *list(file *f, const nc_json_value *object, const char *key, size_t most)
{
	const nc_json_value *v = nc_json_get(object, key);
	if (nc_json_as(v, NC_JSON_ARRAY) && v->n <= most)
		return v;
	nc_keras_fail(&f->k, NACRE_BAD_MODEL, "%s: expected a list of at most %zu, got %s", key,
		      most, nc_json_show(v).text);
	return NULL;
}

/* -- the manifest ------------------------------------------------------------------------------ */
static bool read_kind(file *f, entry *w, const nc_json_value *dtype)
{
	for (int i = 0; i < KINDS; i++)
		if (nc_json_is(dtype, kinds[i].name)) {
			w->kind = (kind)i;
			return true;
		}
	return nc_keras_fail(&f->k, NACRE_UNSUPPORTED, "%.60s: dtype %s is not supported", w->name,
			     nc_json_show(dtype).text);
}

static bool read_shape(file *f, entry *w, const nc_json_value *v)
{
	const nc_json_value *shape = nc_json_as(v, NC_JSON_ARRAY);
	bool good = shape && shape->n <= NACRE_MAX_RANK;
	for (const nc_json_value *i = good ? shape->first : NULL; i && good; i = i->next) {
		good = i->kind == NC_JSON_NUMBER && i->number >= 0 && i->number <= 1e12 &&
		       i->number == floor(i->number);
		w->shape[w->rank++] = good ? (int64_t)i->number : 0;
	}
	return (good && nc_shape_size(w->rank, w->shape, &w->count)) ||
	       nc_keras_fail(&f->k, NACRE_BAD_MODEL, "%.60s: shape: expected sizes, got %s",
			     w->name, nc_json_show(v).text);
}

static bool number(file *f, const entry *w, const nc_json_value *object, const char *key,
		   double *out)
{
	const nc_json_value *v = nc_json_get(object, key);
	if (!nc_json_as(v, NC_JSON_NUMBER) || !(fabs(v->number) <= 1e30))
		return nc_keras_fail(&f->k, NACRE_BAD_MODEL, "%.60s: %s: expected a number, got %s",
				     w->name, key, nc_json_show(v).text);
	*out = v->number;
	return true;
}

static bool read_weight(file *f, const nc_json_value *v, entry *w)
{
	const nc_json_value *name = nc_json_as(nc_json_get(v, "name"), NC_JSON_STRING);
	const nc_json_value *q = nc_json_get(v, "quantization");
	if (!name || strlen(name->text.data) != name->text.size)
		return nc_keras_fail(&f->k, NACRE_BAD_MODEL, "weights: one has no name");
	w->name = name->text.data;
	w->scale = 1;
	if (!read_shape(f, w, nc_json_get(v, "shape")) ||
	    !read_kind(f, w, nc_json_get(nc_json_as(q, NC_JSON_OBJECT) ? q : v, "dtype")))
		return false;
	if (!nc_json_as(q, NC_JSON_OBJECT) || w->kind == F16)
		return true;
	if (w->kind != U8 && w->kind != U16)
		return nc_keras_fail(&f->k, NACRE_UNSUPPORTED,
				     "%.60s: quantization as %s is not supported", w->name,
				     kinds[w->kind].name);
	return number(f, w, q, "scale", &w->scale) && number(f, w, q, "min", &w->min);
}

static bool read_group(file *f, const nc_json_value *group)
{
	const nc_json_value *paths = list(f, group, "paths", MOST_SHARDS - f->n_shards);
	const nc_json_value *weights =
	    paths ? list(f, group, "weights", MOST_WEIGHTS - f->n_weights) : NULL;
	size_t first = f->n_shards, have = 0, want = 0, bytes;
	if (!weights)
		return false;
	for (const nc_json_value *v = paths->first; v; v = v->next)
		if (!open_shard(f, v) || !nc_add(have, f->shard[f->n_shards - 1].size, &have))
			return nc_keras_fail(&f->k, NACRE_BAD_MODEL, "paths: too large");
	for (const nc_json_value *v = weights->first; v; v = v->next) {
		entry *w = &f->weight[f->n_weights++];
		if (!read_weight(f, v, w))
			return false;
		w->first = first;
		w->shards = f->n_shards - first;
		w->offset = want;
		if (!nc_mul((size_t)w->count, kinds[w->kind].size, &bytes) ||
		    !nc_add(want, bytes, &want))
			return nc_keras_fail(&f->k, NACRE_BAD_MODEL, "%.60s: too large", w->name);
	}
	return want == have ||
	       nc_keras_fail(&f->k, NACRE_BAD_MODEL,
			     "the weights of a group take %zu bytes, its files have %zu", want,
			     have);
}

/* All groups; at most as much room for weights as their bytes may be worth. */
static bool read_manifest(file *f, const nc_json_value *top)
{
	const nc_json_value *groups = list(f, top, "weightsManifest", MOST_SHARDS);
	size_t shards = 0, weights = 0, bytes = 0;
	if (!groups)
		return false;
	for (const nc_json_value *g = groups->first; g; g = g->next) {
		const nc_json_value *p = nc_json_as(nc_json_get(g, "paths"), NC_JSON_ARRAY);
		const nc_json_value *w = nc_json_as(nc_json_get(g, "weights"), NC_JSON_ARRAY);
		shards += p ? p->n : 0;
		weights += w ? w->n : 0;
	}
	if (shards > MOST_SHARDS || weights > MOST_WEIGHTS)
		return nc_keras_fail(&f->k, NACRE_UNSUPPORTED, "%zu weights in %zu files: too many",
				     weights, shards);
	f->shard = nc_arena_alloc(f->k.arena, (shards + 1) * sizeof *f->shard);
	f->weight = nc_arena_alloc(f->k.arena, (weights + 1) * sizeof *f->weight);
	if (!f->shard || !f->weight)
		return nc_keras_no_memory(&f->k);
	for (const nc_json_value *g = groups->first; g; g = g->next)
		if (!read_group(f, g))
			return false;
	for (size_t i = 0; i < f->n_shards; i++)
		if (!nc_add(bytes, f->shard[i].size, &bytes))
			return nc_keras_no_memory(&f->k);
	if (!nc_mul(bytes, NC_KERAS_EXPANSION, &f->k.room) ||
	    !nc_add(f->k.room, NC_KERAS_SMALL, &f->k.room))
		f->k.room = SIZE_MAX;
	return true;
}

/* -- weights ----------------------------------------------------------------------------------- */
static uint8_t byte_at(const file *f, size_t *shard, size_t *at)
{
	while (*at >= f->shard[*shard].size) {
		*at -= f->shard[*shard].size;
		++*shard;
	}
	return f->shard[*shard].data[(*at)++];
}

static double half(uint32_t bits)
{
	uint32_t exponent = bits >> 10 & 31, fraction = bits & 1023;
	double v = exponent == 31  ? (fraction ? NAN : INFINITY)
		   : exponent == 0 ? ldexp((double)fraction, -24)
				   : ldexp((double)(fraction | 1024), (int)exponent - 25);
	return bits & 0x8000 ? -v : v;
}

static double element(const file *f, const entry *w, size_t *shard, size_t *at)
{
	uint32_t bits = 0;
	float number;
	for (size_t b = 0; b < kinds[w->kind].size; b++)
		bits |= (uint32_t)byte_at(f, shard, at) << 8 * b;
	switch (w->kind) {
	case F32:
		memcpy(&number, &bits, sizeof number);
		return (double)number;
	case I32:
		return (double)(int32_t)bits;
	case F16:
		return half(bits);
	case BOOL:
		return bits != 0;
	default:
		return (double)bits * w->scale + w->min;
	}
}

static nacre_tensor *decode(file *f, const entry *w, const nacre_variable *v)
{
	char want[128], got[128];
	nacre_error inner = {0};
	size_t shard = w->first, at = w->offset;
	bool same = w->rank == v->rank;
	for (int d = 0; same && d < v->rank; d++)
		same = w->shape[d] == v->shape[d];
	if (!same) {
		nc_keras_fail(&f->k, NACRE_BAD_MODEL, "%.60s is %s in the model, %s there", w->name,
			      nc_shape_text(want, v->rank, v->shape),
			      nc_shape_text(got, w->rank, w->shape));
		return NULL;
	}
	nacre_tensor *t = nacre_tensor_new(f->k.runtime, v->dtype, v->rank, v->shape, &inner);
	if (!t)
		nc_keras_no_memory(&f->k);
	for (int64_t i = 0; t && i < w->count; i++)
		nacre_tensor_set(t, i, element(f, w, &shard, &at));
	return t;
}

static bool ends_with(const char *text, const char *end, bool whole)
{
	size_t n = strlen(text), k = strlen(end);
	return n >= k && strcmp(text + n - k, end) == 0 &&
	       (n == k || (!whole && text[n - k - 1] == '/'));
}

/* Whether an entry is the weight `name` of the layer: "conv1/kernel", perhaps in a nested model.  A
 * depthwise kernel has a name of its own in Keras 2. */
static bool is_weight(const entry *w, const nacre_layer *l, const char *name)
{
	char full[2 * NC_NAME_SIZE + 64];
	snprintf(full, sizeof full, "%s/%s", l->name, name);
	if (ends_with(w->name, full, false))
		return true;
	snprintf(full, sizeof full, "%s/depthwise_%s", l->name, name);
	return strncmp(l->class->name, "Depthwise", 9) == 0 && strcmp(name, "kernel") == 0 &&
	       ends_with(w->name, full, false);
}

/* The entry of a weight; of a model inside, whose names begin with its own, "block/conv1/kernel".
 */
static entry *find(file *f, const nacre_layer *l, int i)
{
	const nacre_variable *v = l->weight[i].variable;
	for (size_t k = 0; k < f->n_weights; k++)
		if (!f->weight[k].used &&
		    (is_weight(&f->weight[k], l, l->weight[i].name) ||
		     (l->weight[i].borrowed && ends_with(v->name, f->weight[k].name, false))))
			return &f->weight[k];
	nc_keras_fail(&f->k, NACRE_BAD_MODEL, "%s: there is no such weight", v->name);
	return NULL;
}

/* All are read before one is changed. */
static bool fill(file *f)
{
	nacre_model *m = f->k.model;
	size_t n = 0, k = 0;
	bool good = true;
	for (nacre_layer *l = m->layers; l; l = l->next)
		n += (size_t)l->n_weights;
	nacre_tensor **value = nc_arena_alloc(f->k.arena, (n + 1) * sizeof(nacre_tensor *));
	if (!value)
		return nc_keras_no_memory(&f->k);
	for (nacre_layer *l = m->layers; l && good; l = l->next)
		for (int i = 0; i < l->n_weights && good; i++, k++) {
			entry *w = find(f, l, i);
			value[k] = w ? decode(f, w, l->weight[i].variable) : NULL;
			good = value[k];
			if (w)
				w->used = true;
		}
	for (size_t i = 0; i < f->n_weights && good; i++)
		if (!f->weight[i].used)
			good =
			    nc_keras_fail(&f->k, NACRE_BAD_MODEL,
					  "%.60s: the model has no such weight", f->weight[i].name);
	k = 0;
	for (nacre_layer *l = m->layers; l && good; l = l->next)
		for (int i = 0; i < l->n_weights && good; i++, k++) {
			good = !nacre_variable_write(l->weight[i].variable, value[k], f->k.error);
			l->weight[i].drawn = l->weight[i].drawn || good;
		}
	for (size_t i = 0; i < n; i++)
		nacre_tensor_free(value[i]);
	return good;
}

/* -- weights without a model ------------------------------------------------------------------- */
static const entry *named(const file *f, const char *name)
{
	for (size_t i = 0; i < f->n_weights; i++)
		if (strcmp(f->weight[i].name, name) == 0)
			return &f->weight[i];
	return NULL;
}

static int64_t size_of(const file *f, const char *name, int axis)
{
	const entry *w = named(f, name);
	return w && axis < w->rank ? w->shape[axis] : 0;
}

/* The networks of nacre/applications.h, by a weight that only they have; `width`: one whose number
 * of filters tells alpha: `filters` of them are 1.  least: some of the numbers that they have
 * without a top and with it, at an alpha of 1; a file of fewer cannot be meant. */
static const struct {
	const char *mark, *top, *width;
	int64_t filters;
	double least, least_top;
	nacre_model *(*make)(nacre_application_options options);
} networks[] = {
    {"conv_pw_13/kernel", "conv_preds/kernel", "conv1/kernel", 32, 1e6, 1e6, nacre_mobilenet_new},
    {"block_16_project/kernel", "predictions/kernel", "block_16_project/kernel", 320, 7e5, 7e5,
     nacre_mobilenet_v2_new},
    {"conv5_block3_3_conv/kernel", "predictions/kernel", NULL, 1, 2e7, 2e7, nacre_resnet50_new},
    {"block5_conv4/kernel", "predictions/kernel", NULL, 1, 1.8e7, 1e8, nacre_vgg19_new},
    {"block5_conv3/kernel", "predictions/kernel", NULL, 1, 1.2e7, 1e8, nacre_vgg16_new},
    {"block7a_project_conv/kernel", "predictions/kernel", NULL, 1, 3e6, 3e6,
     nacre_efficientnet_b0_new},
};

/* Numbers in the file, at least as many as the network has. */
static bool enough(const file *f, size_t network, bool top, double alpha)
{
	double all = 0, least = top ? networks[network].least_top : networks[network].least;
	for (size_t i = 0; i < f->n_weights; i++)
		all += (double)f->weight[i].count;
	return all >= least * alpha * alpha;
}

static bool recognise(file *f)
{
	for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
		nacre_application_options o = {.runtime = f->k.runtime};
		if (!named(f, networks[i].mark))
			continue;
		const entry *top = named(f, networks[i].top);
		o.no_top = !top;
		o.classes = top && top->rank ? top->shape[top->rank - 1] : 0;
		int64_t width = networks[i].width ? size_of(f, networks[i].width, 3) : 0;
		if (o.classes > 1 << 20 || width > 1 << 16)
			return nc_keras_fail(&f->k, NACRE_UNSUPPORTED, "%s: too large",
					     networks[i].top);
		o.alpha = (double)width / (double)networks[i].filters;
		if (!enough(f, i, top, networks[i].width ? o.alpha : 1))
			return nc_keras_fail(&f->k, NACRE_BAD_MODEL,
					     "%s: a part of a network's weights alone",
					     networks[i].mark);
		f->k.model = networks[i].make(o);
		if (!f->k.model)
			return nc_keras_no_memory(&f->k);
		const nacre_error *e = nacre_model_error(f->k.model);
		return !e->status || nc_keras_fail(&f->k, e->status, "%s", e->text);
	}
	return nc_keras_fail(
	    &f->k, NACRE_UNSUPPORTED,
	    "modelTopology: the file holds weights alone, and not those of a known "
	    "network: give it to nacre_load_weights");
}

/* -- the whole --------------------------------------------------------------------------------- */
static bool read_topology(file *f, const nc_json_value *top)
{
	const nc_json_value *topology = nc_json_get(top, "modelTopology");
	const nc_json_value *config = nc_json_get(topology, "model_config");
	if (nc_json_is(nc_json_get(top, "format"), "graph-model") || nc_json_get(topology, "node"))
		return nc_keras_fail(&f->k, NACRE_UNSUPPORTED,
				     "format: a graph of TensorFlow, not a model of layers");
	if (!topology || topology->kind == NC_JSON_NULL)
		return recognise(f);
	if (!nc_keras_read_model(&f->k, config ? config : topology))
		return false;
	return f->k.promised == 0 ||
	       nc_keras_fail(&f->k, NACRE_UNSUPPORTED, "a layer's vocabulary is not in the file");
}

static bool read_all(file *f, const uint8_t *json, size_t size)
{
	if (size > NC_KERAS_CONFIG)
		return nc_keras_fail(&f->k, NACRE_UNSUPPORTED, "%zu bytes, more than %d", size,
				     NC_KERAS_CONFIG);
	const nc_json_value *top = nc_json_tree(json, size, f->k.arena, f->k.part, f->k.error);
	bool good = top && read_manifest(f, top) && (f->k.model || read_topology(f, top));
	f->k.where = NULL;
	return good && fill(f);
}

/* Into `m`, or a new model if it is NULL, which is freed after an error. */
static nacre_model *run(nacre_runtime *rt, nacre_model *m, const uint8_t *json, size_t size,
			const nc_tfjs_source *source, nacre_error *e)
{
	nc_arena arena;
	nc_arena_init(&arena, &rt->memory);
	file f = {.source = source};
	f.k = (nc_keras){
	    .runtime = rt, .model = m, .arena = &arena, .error = e, .part = "model.json"};
	bool good = read_all(&f, json, size);
	for (size_t i = 0; i < f.n_shards; i++)
		nc_bytes_free(&rt->memory, &f.shard[i]);
	nc_arena_free(&arena);
	if (good)
		return f.k.model;
	if (!m)
		nacre_model_free(f.k.model);
	if (!e->status)
		nc_no_memory(e, 0);
	return NULL;
}

bool nc_tfjs_is(const uint8_t *data, size_t size)
{
	size_t i = 0;
	while (i < size && i < 64 &&
	       (data[i] == ' ' || data[i] == '\n' || data[i] == '\r' || data[i] == '\t'))
		i++;
	return i < size && data[i] == '{';
}

nacre_model *nc_tfjs_decode(nacre_runtime *rt, const uint8_t *json, size_t size,
			    const nc_tfjs_source *source, nacre_error *e)
{
	return run(rt, NULL, json, size, source, e);
}

/* -- files ------------------------------------------------------------------------------------- */
typedef struct folder {
	nacre_runtime *runtime;
	const char *path; /* of the model.json */
} folder;

static nacre_status open_file(void *context, const char *name, nc_bytes *out, nacre_error *e)
{
	const folder *here = context;
	const char *slash = strrchr(here->path, '/');
	nc_text path;
	nc_text_init(&path, &here->runtime->memory);
	nc_text_add(&path, "%.*s%s", slash ? (int)(slash - here->path) + 1 : 0, here->path, name);
	if (path.failed)
		nc_no_memory(e, 0);
	else
		nc_file_map(path.data, out, e);
	nc_text_free(&path);
	return e->status;
}

static nacre_model *from_file(nacre_runtime *rt, nacre_model *m, const char *path, nacre_error *e)
{
	nc_bytes bytes;
	nacre_error inner = {0};
	folder here = {rt, path};
	const nc_tfjs_source source = {open_file, &here};
	if (nc_file_map(path, &bytes, e))
		return NULL;
	m = run(rt, m, bytes.data, bytes.size, &source, &inner);
	nc_bytes_free(&rt->memory, &bytes);
	if (!m)
		nc_fail_in(e, path, &inner);
	return m;
}

nacre_model *nc_tfjs_load(nacre_runtime *rt, const char *path, nacre_error *e)
{
	return from_file(rt, NULL, path, e);
}

nacre_status nc_tfjs_load_weights(nacre_model *m, const char *path, nacre_error *e)
{
	return from_file(m->runtime, m, path, e) ? NACRE_OK : e->status;
}
