/* SPDX-License-Identifier: MIT
 *
 * image_data.c - data sets of pictures: the list of files, checked as the caller chose, and the
 * maker of samples that decodes them when a batch is put together.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "data/image_data.h"
#include "format/image.h"
#include "format/load.h"

enum { SIDE = 256 }; /* if none is said */

typedef struct images {
	nc_maker maker; /* first: one is the other */
	nacre_runtime *runtime;
	nacre_image_options how;
	nc_image_list list;
	nc_image_cache cache;
	size_t width; /* numbers of a sample */
	bool cached;
} images;

/* -- making ------------------------------------------------------------------------------------ */
static nacre_status decode(images *k, const nc_image_file *f, void *out, nacre_error *e)
{
	nc_memory *m = nc_runtime_memory(k->runtime);
	nc_bytes bytes;
	nc_picture p;
	nacre_error inner = {0};
	if (nc_file_read(m, f->path, (size_t)nc_image_max_bytes(&k->how), &bytes, e))
		return e->status;
	if (!nc_image_read(m, bytes.data, bytes.size, &k->how, &p, &inner)) {
		nc_picture_put(&p, k->runtime, &k->how, out, &inner);
		nc_picture_free(&p, m);
	}
	nc_bytes_free(m, &bytes);
	return inner.status ? nc_fail_in(e, f->path, &inner) : NACRE_OK;
}

/* Whole numbers take the front of `out` first, and are widened from their end. */
static void widen(const images *k, float *out)
{
	const uint8_t *from = (const uint8_t *)out;
	for (size_t i = k->width; i-- > 0;)
		out[i] = from[i];
}

static nacre_status make_file(images *k, const nc_image_file *f, float *out, nacre_error *e)
{
	size_t slot = (size_t)f->slot;
	if (!k->cached || !nc_image_cache_get(&k->cache, slot, out)) {
		if (decode(k, f, out, e))
			return e->status;
		if (k->cached)
			nc_image_cache_put(&k->cache, slot, out);
	}
	if (k->how.dtype == NACRE_U8)
		widen(k, out);
	return NACRE_OK;
}

static nacre_status make(nc_maker *maker, int64_t i, float *out, nacre_error *e)
{
	images *k = (images *)maker;
	return make_file(k, k->list.file[i], out, e);
}

static void release(nc_maker *maker)
{
	images *k = (images *)maker;
	nc_image_list_free(&k->list);
	if (k->cached)
		nc_image_cache_close(&k->cache);
	nc_free(nc_runtime_memory(k->runtime), k, sizeof *k);
}

/* -- checking ---------------------------------------------------------------------------------- */
/* All files, by the threads of the pool; each has a byte that says whether it is bad. */
typedef struct scan {
	images *k;
	bool decode;
	uint8_t *bad;
	int64_t next;
} scan;

static nacre_status check_file(images *k, const nc_image_file *f, bool whole, float *room,
			       nacre_error *e)
{
	if (whole)
		return make_file(k, f, room, e);
	return nacre_image_read_info(k->runtime, f->path, &k->how, NULL, e);
}

static void scan_files(void *arg, nc_team team)
{
	scan *s = arg;
	images *k = s->k;
	nc_memory *m = nc_runtime_memory(k->runtime);
	float *room = s->decode ? nc_alloc(m, k->width * sizeof *room) : NULL;
	(void)team;
	for (;;) {
		int64_t i = __atomic_fetch_add(&s->next, 1, __ATOMIC_RELAXED);
		if (i >= k->list.n)
			break;
		nacre_error e = {0};
		s->bad[i] =
		    (s->decode && !room) || check_file(k, k->list.file[i], s->decode, room, &e);
	}
	nc_free(m, room, k->width * sizeof *room);
}

/* Once more, for the text: the first bad file is the error, or all are left out. */
static nacre_status judge(const scan *s, bool skip, float *room, nacre_error *e)
{
	images *k = s->k;
	nc_image_list *l = &k->list;
	int64_t n = 0;
	for (int64_t i = 0; i < l->n; i++) {
		nacre_error own = {0};
		if (!s->bad[i] || !check_file(k, l->file[i], s->decode, room, &own)) {
			l->file[n++] = l->file[i];
			continue;
		}
		if (!skip || own.status == NACRE_NO_MEMORY)
			return nc_fail(e, own.status, "%s", own.text);
		if (nc_image_list_problem(l, own.text, e))
			return e->status;
	}
	l->n = n;
	return n ? NACRE_OK
		 : nc_fail(e, NACRE_BAD_DATA, "none of the pictures can be read: %s",
			   l->problems ? l->problem[0] : "");
}

static nacre_status check_files(images *k, nacre_bad_files how, nacre_error *e)
{
	nc_memory *m = nc_runtime_memory(k->runtime);
	scan s = {.k = k, .decode = how != NACRE_BAD_FILES_REFUSE};
	const size_t n = (size_t)k->list.n, bytes = k->width * sizeof(float);
	float *room = nc_alloc(m, bytes);
	s.bad = nc_zero_alloc(m, n);
	if (!room || !s.bad) {
		nc_no_memory(e, bytes + n);
	} else {
		nc_pool_run(k->runtime->pool, scan_files, &s);
		judge(&s, how == NACRE_BAD_FILES_SKIP, room, e);
	}
	nc_free(m, room, bytes);
	nc_free(m, s.bad, n);
	return e->status;
}

/* -- which files ------------------------------------------------------------------------------- */
static nacre_status shuffle(nc_image_list *l, uint64_t seed, nacre_error *e)
{
	nc_memory *m = l->memory;
	size_t n = (size_t)l->n;
	int64_t *order = nc_alloc(m, n * sizeof *order);
	nc_image_file **file = nc_alloc(m, n * sizeof *file);
	if (!order || !file) {
		nc_no_memory(e, n * sizeof *order);
	} else {
		nc_random_permutation(nc_random_stream(seed, 0, 0), l->n, order);
		memcpy(file, l->file, n * sizeof *file);
		for (size_t i = 0; i < n; i++)
			l->file[i] = file[order[i]];
	}
	nc_free(m, order, n * sizeof *order);
	nc_free(m, file, n * sizeof *file);
	return e->status;
}

static nacre_status split(nc_image_list *l, const nacre_image_dataset_options *o, nacre_error *e)
{
	int64_t held = (int64_t)(o->validation_split * (double)l->n);
	if (o->subset == NACRE_SUBSET_ALL)
		return NACRE_OK;
	if (held == 0 || held == l->n)
		return nc_fail(e, NACRE_INVALID,
			       "validation_split: %g of %lld pictures leaves the %s part empty",
			       o->validation_split, (long long)l->n,
			       held ? "training" : "validation");
	if (o->subset == NACRE_SUBSET_VALIDATION)
		memmove(l->file, l->file + (l->n - held), (size_t)held * sizeof *l->file);
	l->n = o->subset == NACRE_SUBSET_VALIDATION ? held : l->n - held;
	return NACRE_OK;
}

static uint64_t mix(uint64_t key, const void *data, size_t n) /* FNV-1a */
{
	const uint8_t *p = data;
	for (size_t i = 0; i < n; i++)
		key = (key ^ p[i]) * 0x100000001b3u;
	return key;
}

/* What a cache in a file was made of: the files as they are now, and how they were decoded. */
static uint64_t key_of(const images *k)
{
	const nacre_image_options *h = &k->how;
	uint64_t key = 0xcbf29ce484222325u;
	const double options[] = {h->color,         h->dtype,         (double)h->height,
				  (double)h->width, h->interpolation, h->antialias,
				  h->aspect,        h->composite,     h->background[0],
				  h->background[1], h->background[2], h->no_orientation};
	key = mix(key, options, sizeof options);
	for (int64_t i = 0; i < k->list.n; i++) {
		const char *path = k->list.file[i]->path;
		struct stat s;
		int64_t about[3] = {0};
		if (!stat(path, &s)) {
			about[0] = s.st_size;
			about[1] = s.st_mtim.tv_sec;
			about[2] = s.st_mtim.tv_nsec;
		}
		key = mix(mix(key, path, strlen(path) + 1), about, sizeof about);
	}
	return key;
}

static nacre_status open_cache(images *k, const nacre_image_dataset_options *o, nacre_error *e)
{
	nc_memory *m = nc_runtime_memory(k->runtime);
	size_t record = k->width * nacre_dtype_size(k->how.dtype), n = (size_t)k->list.n;
	nacre_status s = NACRE_OK;
	for (int64_t i = 0; i < k->list.n; i++)
		k->list.file[i]->slot = i;
	bool fits = !o->cache_limit || (double)n * (double)record <= (double)o->cache_limit;
	if (o->cache_file)
		s = nc_image_cache_file(&k->cache, m, o->cache_file, n, record, key_of(k), e);
	else if (o->cache && fits)
		s = nc_image_cache_memory(&k->cache, m, n, record, e);
	k->cached = !s && ((o->cache && fits) || o->cache_file);
	return s;
}

/* -- options ----------------------------------------------------------------------------------- */
static nacre_status check(const nacre_image_dataset_options *o, nacre_error *e)
{
	if (!o->folder)
		return nc_fail(e, NACRE_INVALID, "the folder is NULL");
	if ((int)o->label_mode < 0 || o->label_mode > NACRE_LABEL_NONE || (int)o->subset < 0 ||
	    o->subset > NACRE_SUBSET_VALIDATION || (int)o->bad_files < 0 ||
	    o->bad_files > NACRE_BAD_FILES_SKIP)
		return nc_fail(e, NACRE_INVALID,
			       "there is no label_mode %d, subset %d or bad_files %d",
			       (int)o->label_mode, (int)o->subset, (int)o->bad_files);
	if (!(o->validation_split >= 0 && o->validation_split < 1))
		return nc_fail(e, NACRE_INVALID,
			       "validation_split: expected 0 <= split < 1, got %g",
			       o->validation_split);
	if ((o->validation_split > 0) != (o->subset != NACRE_SUBSET_ALL))
		return nc_fail(e, NACRE_INVALID,
			       "expected validation_split and a subset, or none of them");
	if (o->batch_size < 0 || o->cache_limit < 0 || o->shuffle_window < 0 ||
	    o->n_class_names < 0 || (o->n_class_names && !o->class_names))
		return nc_fail(
		    e, NACRE_INVALID,
		    "batch_size, shuffle_window, cache_limit or n_class_names cannot be");
	if (o->label_mode == NACRE_LABEL_NONE && o->n_class_names)
		return nc_fail(e, NACRE_INVALID, "class_names without labels");
	return nc_image_check(&o->image, e);
}

static nacre_status set_up(images *k, const nacre_image_dataset_options *o, nacre_error *e)
{
	nacre_image_options *h = &k->how;
	*h = o->image;
	if (!h->height)
		h->height = h->width = SIDE;
	if (h->color == NACRE_AS_STORED)
		h->color = NACRE_RGB;
	k->maker.rank = 3;
	k->maker.shape[0] = h->height;
	k->maker.shape[1] = h->width;
	k->maker.shape[2] = nc_color_channels(h->color, 0);
	k->width = (size_t)(h->height * h->width * k->maker.shape[2]);
	if (nc_image_list_read(&k->list, o, e))
		return e->status;
	if (o->label_mode == NACRE_LABEL_BINARY && k->list.classes != 2)
		return nc_fail(e, NACRE_INVALID,
			       "label_mode binary expects 2 classes, there are %d",
			       k->list.classes);
	if ((!o->no_shuffle && shuffle(&k->list, o->seed, e)) || split(&k->list, o, e) ||
	    open_cache(k, o, e))
		return e->status;
	return check_files(k, o->bad_files, e);
}

/* -- the data set ------------------------------------------------------------------------------ */
static nacre_tensor *targets(const images *k, nacre_label_mode mode, nacre_error *e)
{
	const nc_image_list *l = &k->list;
	bool labels = mode == NACRE_LABEL_INT;
	int64_t width = mode == NACRE_LABEL_CATEGORICAL ? l->classes : 1;
	nacre_tensor *t = nacre_tensor_new(k->runtime, labels ? NACRE_I32 : NACRE_F32,
					   labels ? 1 : 2, (int64_t[]){l->n, width}, e);
	for (int64_t i = 0; t && i < l->n; i++) {
		int32_t label = l->file[i]->label;
		if (labels)
			((int32_t *)(void *)t->data)[i] = label;
		else if (mode == NACRE_LABEL_BINARY)
			((float *)(void *)t->data)[i] = (float)label;
		else
			((float *)(void *)t->data)[i * width + label] = 1;
	}
	return t;
}

/* An object that has nothing but an error. */
static nacre_dataset *failed(nacre_runtime *rt, const nacre_error *e)
{
	nacre_dataset *d = nacre_dataset_new(rt, 0, NULL, 0, NULL);
	if (d) {
		d->error = (nacre_error){0};
		nc_fail(&d->error, e->status, "image data: %s", e->text);
	}
	return d;
}

nacre_dataset *nacre_image_dataset_open(const nacre_image_dataset_options *options)
{
	static const nacre_image_dataset_options none;
	const nacre_image_dataset_options *o = options ? options : &none;
	nacre_runtime *rt = nc_runtime(o->runtime);
	nacre_error e = {0};
	images *k = rt && !check(o, &e) ? nc_zero_alloc(nc_runtime_memory(rt), sizeof *k) : NULL;
	if (!k) {
		nc_no_memory(&e, sizeof *k); /* keeps an error that came before */
		return rt ? failed(rt, &e) : NULL;
	}
	k->maker = (nc_maker){.count = 1, .unit = "images", .make = make, .release = release};
	k->runtime = rt;
	nc_image_list_init(&k->list, nc_runtime_memory(rt));
	set_up(k, o, &e);
	nacre_tensor *t = NULL;
	if (!e.status && o->label_mode != NACRE_LABEL_NONE)
		t = targets(k, o->label_mode, &e);
	if (e.status) {
		release(&k->maker);
		return failed(rt, &e);
	}
	int classes = k->list.classes;
	nacre_dataset *d =
	    nc_dataset_made(rt, &k->maker, k->list.n, t ? 1 : 0, (const nacre_tensor *const *)&t);
	nacre_tensor_free(t);
	if (d && o->label_mode == NACRE_LABEL_INT)
		nacre_dataset_set_classes(d, 0, classes);
	if (d) {
		d->batch_size = o->batch_size;
		d->shuffle_window = o->shuffle_window;
	}
	return d;
}

/* -- asking ------------------------------------------------------------------------------------ */
/* NULL: not of pictures */
static const images *images_of(const nacre_dataset *d, int64_t *first)
{
	nc_maker *k = nc_dataset_maker(d, first);
	return k && k->make == make ? (const images *)k : NULL;
}

const char *nacre_dataset_class_name(const nacre_dataset *dataset, int i)
{
	const images *k = images_of(dataset, NULL);
	return k && i >= 0 && i < k->list.classes ? k->list.class_name[i] : NULL;
}

const char *nacre_dataset_file(const nacre_dataset *dataset, int64_t sample)
{
	int64_t first;
	const images *k = images_of(dataset, &first);
	return k && sample >= 0 && sample < dataset->size ? k->list.file[first + sample]->path
							  : NULL;
}

int64_t nacre_dataset_problems(const nacre_dataset *dataset)
{
	const images *k = images_of(dataset, NULL);
	return k ? k->list.problems : 0;
}

const char *nacre_dataset_problem(const nacre_dataset *dataset, int64_t i)
{
	const images *k = images_of(dataset, NULL);
	return k && i >= 0 && i < k->list.problems && i < NC_PROBLEMS ? k->list.problem[i] : NULL;
}
