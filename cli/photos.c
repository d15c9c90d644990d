/* SPDX-License-Identifier: MIT
 *
 * photos.c - nacre train, predict and info where they are given photos.
 */
#include "photos.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define KEY "nacre.photos"

enum { MAX_CLASSES = 65536, SIZE = 32, EPOCHS = 20, BATCH = 32 };
enum { CACHE = 1000000000 }; /* bytes of pixels that are kept in memory, if those are all */

/* How pixels, 0 .. 255, become numbers of the model. */
static const struct {
	const char *name;
	double scale, offset;
} pixel_ranges[] = {
    {"auto", 0, 0}, {"0..255", 1, 0}, {"0..1", 1.0 / 255, 0}, {"-1..1", 2.0 / 255, -1}};

bool is_folder(const char *path)
{
	struct stat s;
	return !stat(path, &s) && S_ISDIR(s.st_mode);
}

bool is_picture(const char *path)
{
	unsigned char b[32];
	FILE *f = fopen(path, "rbe");
	size_t n = f ? fread(b, 1, sizeof b, f) : 0;
	if (f)
		fclose(f);
	return nacre_image_probe(b, n);
}

void photos_free(photos *p)
{
	for (int i = 0; i < p->n; i++)
		free(p->class_name[i]);
	free(p->class_name);
	nacre_model_free(p->m);
	nacre_model_free(p->base);
	*p = (photos){0};
}

nacre_image_color photos_color(int64_t channels)
{
	return channels == 1 ? NACRE_GREY : channels == 4 ? NACRE_RGBA : NACRE_RGB;
}

/* -- the note ---------------------------------------------------------------------------------- */
static int write_note(const photos *p)
{
	char *text = NULL;
	size_t size = 0;
	FILE *to = open_memstream(&text, &size);
	json_out j = {.to = to};
	if (!to)
		return fail(NACRE_NO_MEMORY, "out of memory");
	json_open(&j, NULL, '{');
	json_whole(&j, "version", 1);
	json_text(&j, "nacre", nacre_version());
	json_number(&j, "scale", p->scale);
	json_number(&j, "offset", p->offset);
	json_open(&j, "classes", '[');
	for (int i = 0; i < p->n; i++)
		json_text(&j, NULL, p->class_name[i]);
	json_close(&j, ']');
	json_close(&j, '}');
	bool bad = ferror(to);
	bad |= fclose(to) != 0;
	int code = bad                               ? fail(NACRE_NO_MEMORY, "out of memory")
		   : nacre_set_note(p->m, KEY, text) ? fail_with(nacre_model_error(p->m))
						     : 0;
	free(text);
	return code;
}

/* The size of the pictures that a model takes. */
static int read_input(photos *p, nacre_model *m, const char *path)
{
	nacre_value *x = nacre_model_input_value(m, 0);
	const int64_t *shape = nacre_value_shape(x);
	if (nacre_value_rank(x) != 4 || nacre_model_input_value(m, 1) || shape[1] < 1 ||
	    shape[2] < 1 || (shape[3] != 1 && shape[3] != 3 && shape[3] != 4))
		return fail(NACRE_BAD_MODEL,
			    "%s: expected a model of one input [height, width, 1, 3 or 4 channels]",
			    path);
	p->height = shape[1];
	p->width = shape[2];
	p->channels = shape[3];
	return 0;
}

/* And how many classes it tells apart. */
static int read_shapes(photos *p, const char *path, int64_t *classes)
{
	nacre_value *y = nacre_model_output_value(p->m, 0);
	int code = read_input(p, p->m, path);
	if (code)
		return code;
	if (nacre_model_outputs(p->m) != 1 || nacre_value_rank(y) != 2)
		return fail(NACRE_BAD_MODEL,
			    "%s: expected a model of one output, a number for each class", path);
	*classes = nacre_value_shape(y)[1];
	return 0;
}

/* Reading believes nothing. */
static bool read_note(photos *p, const char *text, int64_t classes)
{
	json *j = json_parse(text);
	const json *list = json_get(j, "classes", JSON_LIST);
	double version = json_get_number(j, "version");
	p->scale = json_get_number(j, "scale");
	p->offset = json_get_number(j, "offset");
	bool ok = version >= 1 && version <= 1 && list && isfinite(p->scale) &&
		  isfinite(p->offset) && classes <= MAX_CLASSES && json_length(list) == classes;
	if (ok) {
		p->class_name = take((size_t)classes, sizeof *p->class_name);
		for (const json *c = list->child; c; c = c->next)
			p->class_name[p->n++] = copy_text(c->kind == JSON_TEXT ? c->text : "?");
	}
	json_free(j);
	return ok;
}

static int read_classes(photos *p, int64_t classes)
{
	const char *note = nacre_note(p->m, KEY);
	if (!note || read_note(p, note, classes))
		return 0;
	return fail(NACRE_BAD_MODEL,
		    "\"" KEY "\" in the model is damaged, or made by a newer version");
}

/* NULL: *code is the exit code. */
static nacre_model *load(const char *path, int *code)
{
	nacre_error e = {0};
	nacre_model *m = nacre_load_with(NULL, path, (nacre_load_options){.no_compile = 1}, &e);
	if (!m && e.status != NACRE_NO_MEMORY && e.status != NACRE_IO)
		e.status = NACRE_BAD_MODEL;
	*code = m ? 0 : fail_with(&e);
	return m;
}

bool photos_model(const char *path, nacre_model **m, int *code)
{
	*m = load(path, code);
	if (!*m)
		return false;
	if (nacre_note(*m, KEY))
		return true;
	nacre_model_free(*m);
	*m = NULL;
	return false;
}

/* -- training ---------------------------------------------------------------------------------- */
static int build(photos *p, const photos_options *o, int n_classes)
{
	p->m = nacre_sequential("photos");
	nacre_set_seed(p->m, (uint64_t)o->seed);
	nacre_add(p->m, nacre_input(p->height, p->width, p->channels));
	nacre_add(p->m, nacre_flatten());
	const char *at = strcmp(o->hidden, "auto") ? o->hidden : "128";
	while (strcmp(o->model, "linear") && *at) {
		char *end;
		long units = strtol(at, &end, 10);
		if (end == at || units < 1 || units > 65536 || (*end && *end != ','))
			return fail(NACRE_INVALID,
				    "--hidden: expected numbers from 1 to 65536 with commas, got "
				    "\"%s\"",
				    o->hidden);
		nacre_add(p->m, nacre_dense(units, .activation = nacre_relu,
					    .kernel_initializer = nacre_he_normal));
		if (o->dropout > 0)
			nacre_add(p->m, nacre_dropout(o->dropout));
		at = end + (*end == ',');
	}
	nacre_add(p->m, nacre_dense(n_classes, .activation = nacre_softmax));
	const nacre_error *e = nacre_model_error(p->m);
	return e->status ? fail_with(e) : 0;
}

/* A model that brings its pixels into its own range says so by its layers. */
static void choose_pixels(photos *p, const nacre_model *m, int chosen)
{
	bool own = false;
	for (int i = 0; i < nacre_model_layers(m); i++) {
		const char *class = nacre_layer_class(nacre_model_layer(m, i));
		own |= strcmp(class, "Rescaling") == 0 || strcmp(class, "Normalization") == 0;
	}
	int range = chosen ? chosen : own ? 1 : 2;
	p->scale = pixel_ranges[range].scale;
	p->offset = pixel_ranges[range].offset;
}

static nacre_dataset *open_photos(const photos *p, const char *folder, const photos_options *o,
				  bool quiet, int *code)
{
	nacre_image_dataset_options options = {
	    .folder = folder,
	    .image = {.height = p->height, .width = p->width, .color = photos_color(p->channels)},
	    .seed = (uint64_t)o->seed,
	    .cache = !o->from || o->fine_tune, /* else pictures are looked at once */
	    .cache_limit = CACHE,
	    .bad_files = o->skip_bad ? NACRE_BAD_FILES_SKIP : NACRE_BAD_FILES_REFUSE};
	nacre_dataset *d = nacre_image_dataset_open(&options);
	const nacre_error *e = nacre_dataset_error(d);
	if (e->status) {
		nacre_error own = *e;
		if (own.status == NACRE_INVALID)
			own.status = NACRE_BAD_DATA;
		*code = fail_with(&own);
		if (own.status == NACRE_BAD_DATA && !o->skip_bad)
			hint("--skip-bad leaves out what cannot be read");
		nacre_dataset_free(d);
		return NULL;
	}
	for (int64_t i = 0; i < 10 && nacre_dataset_problem(d, i) && !quiet; i++)
		warn("%s", nacre_dataset_problem(d, i));
	if (nacre_dataset_problems(d) > 10 && !quiet)
		warn("%s: %lld files were left out", folder, (long long)nacre_dataset_problems(d));
	nacre_dataset_set_scale(d, 0, p->scale, p->offset);
	return d;
}

/* The parts: the files are in an order drawn by the seed already. */
typedef struct parts {
	nacre_dataset *all, *train, *validation, *test;
} parts;

static void parts_free(parts *s)
{
	nacre_dataset_free(s->train);
	nacre_dataset_free(s->validation);
	nacre_dataset_free(s->test);
	nacre_dataset_free(s->all);
}

static int make_parts(parts *s, const photos_options *o)
{
	int64_t n = nacre_dataset_size(s->all), test = (int64_t)((double)n * o->test);
	int64_t validation = (int64_t)((double)n * o->validation), train = n - test - validation;
	if (train < 1 || validation < 1 || (test < 1 && o->test > 0)) {
		int code =
		    fail(NACRE_BAD_DATA,
			 "too few photos: %lld give %lld to train, %lld for validation, %lld "
			 "for the test",
			 (long long)n, (long long)train, (long long)validation, (long long)test);
		hint("larger shares (--validation, --test) or --test 0 may help");
		return code;
	}
	s->train = nacre_dataset_slice(s->all, 0, train);
	s->validation = nacre_dataset_slice(s->all, train, train + validation);
	s->test = nacre_dataset_slice(s->all, train + validation, n);
	return s->train && s->validation && s->test ? 0 : fail(NACRE_NO_MEMORY, "out of memory");
}

/* -- transfer -----------------------------------------------------------------------------------
 * --from: a trained network without its head makes features of every photo, once; a new head is
 * trained on them, and both together are the model. */

/* The last layer in front of the head: where space ends; or where the head is a model of its own,
 * as join() makes it, what stands before that. */
static const char *end_of_body(const nacre_model *m)
{
	int n = nacre_model_layers(m);
	if (n > 1 && strcmp(nacre_layer_class(nacre_model_layer(m, n - 1)), "Sequential") == 0)
		return nacre_layer_name(nacre_model_layer(m, n - 2));
	for (int i = n - 1; i >= 0; i--) {
		const char *class = nacre_layer_class(nacre_model_layer(m, i));
		if (strcmp(class, "GlobalAveragePooling2D") == 0 ||
		    strcmp(class, "GlobalMaxPooling2D") == 0 || strcmp(class, "Flatten") == 0)
			return nacre_layer_name(nacre_model_layer(m, i));
	}
	return NULL;
}

/* The range of pixels: as its note says, if it was made here of photos; else as its layers do. */
static void choose_base_pixels(photos *p, const nacre_model *m, int chosen)
{
	json *j = nacre_note(m, KEY) ? json_parse(nacre_note(m, KEY)) : NULL;
	double scale = json_get_number(j, "scale"), offset = json_get_number(j, "offset");
	bool mobile = strncmp(nacre_model_name(m), "mobilenet", 9) == 0;
	choose_pixels(p, m, chosen ? chosen : mobile ? 3 : 0);
	if (j && !chosen && isfinite(scale) && isfinite(offset)) {
		p->scale = scale;
		p->offset = offset;
	}
	json_free(j);
}

static int open_base(photos *p, const photos_options *o)
{
	nacre_error e = {0};
	p->base = nacre_load_with(NULL, o->from, (nacre_load_options){.no_compile = 1}, &e);
	if (!p->base)
		return fail_with(&e);
	const char *layer = end_of_body(p->base);
	int code = read_input(p, p->base, o->from);
	if (!code && o->size && (o->size != p->height || o->size != p->width))
		code = fail(NACRE_INVALID, "--size %lld: %s takes %lld x %lld", (long long)o->size,
			    o->from, (long long)p->height, (long long)p->width);
	if (!code && !layer && nacre_value_rank(nacre_model_output_value(p->base, 0)) != 4)
		code = fail(NACRE_BAD_MODEL,
			    "--from %s: expected a network for images: global pooling or Flatten "
			    "in front of its head, or [height, width, channels] at its end",
			    o->from);
	if (!code && layer)
		nacre_cut(p->base, layer);
	if (!code && nacre_model_error(p->base)->status)
		code = fail_with(nacre_model_error(p->base));
	if (!code)
		choose_base_pixels(p, p->base, o->pixels);
	return code;
}

static int build_head(photos *p, const photos_options *o, int n_classes)
{
	const nacre_value *y = nacre_model_output_value(p->base, 0);
	int rank = nacre_value_rank(y);
	const int64_t *shape = nacre_value_shape(y);
	nacre_input_options in = {.shape = {0}};
	for (int i = 1; i < rank; i++)
		in.shape[i - 1] = shape[i];
	p->m = nacre_sequential("head");
	nacre_set_seed(p->m, (uint64_t)o->seed);
	nacre_add(p->m, nacre_input_new(in));
	if (rank == 4)
		nacre_add(p->m, nacre_global_average_pooling2d());
	if (o->dropout > 0)
		nacre_add(p->m, nacre_dropout(o->dropout));
	nacre_add(p->m, nacre_dense(n_classes, .activation = nacre_softmax));
	const nacre_error *e = nacre_model_error(p->m);
	return e->status ? fail_with(e) : 0;
}

/* All photos become their features. */
static int make_features(photos *p, parts *s, const photos_options *o, bool quiet)
{
	nacre_tensor *x = nacre_predict(p->base, s->all, .batch_size = BATCH,
					.verbose = quiet ? NACRE_SILENT : NACRE_BAR);
	nacre_dataset *d =
	    x ? nacre_dataset_from_tensors(NULL, x, nacre_dataset_target(s->all, 0)) : NULL;
	int code = !x                               ? fail_with(nacre_model_error(p->base))
		   : nacre_dataset_error(d)->status ? fail_with(nacre_dataset_error(d))
						    : 0;
	nacre_tensor_free(x);
	nacre_dataset *pictures = s->all;
	nacre_dataset_free(s->train);
	nacre_dataset_free(s->validation);
	nacre_dataset_free(s->test);
	*s = (parts){.all = d};
	if (!code)
		code = make_parts(s, o);
	nacre_dataset_free(d);
	s->all = pictures;
	return code;
}

/* Body and head as one model. */
static int join(photos *p, const photos_options *o)
{
	nacre_model *m = nacre_sequential("photos");
	nacre_layer *body = nacre_nested(p->base), *head = nacre_nested(p->m);
	p->base = NULL;
	p->m = m;
	nacre_set_seed(m, (uint64_t)o->seed);
	nacre_layer_set_trainable(body, false);
	nacre_add(m, nacre_input(p->height, p->width, p->channels));
	nacre_add(m, body);
	nacre_add(m, head);
	const nacre_error *e = nacre_model_error(m);
	return e->status ? fail_with(e) : 0;
}

static int after_batch(void *context, nacre_model *m, int64_t batch, const nacre_logs *logs)
{
	(void)context, (void)m, (void)batch, (void)logs;
	return signal_came != 0;
}

/* Trains p->m by the optimizer, for `epochs` more; `stop`: not to the end where nothing gets
 * better. */
static int fit(photos *p, const parts *s, const nacre_optimizer *optimizer, int epochs, bool stop,
	       const photos_options *o, const common_options *c)
{
	nacre_fit_options f = {.data = s->train,
			       .validation_data = s->validation,
			       .initial_epoch = p->epochs,
			       .epochs = p->epochs + epochs,
			       .batch_size = o->batch ? o->batch : BATCH,
			       .verbose = c->quiet || c->json ? NACRE_SILENT : NACRE_AUTO,
			       .callbacks = {{.on_batch_end = after_batch}}};
	int n = 1;
	if (stop)
		f.callbacks[n++] = nacre_early_stopping(.patience = (int)o->patience,
							.restore_best_weights = 1);
	if (o->history)
		f.callbacks[n] = nacre_csv_logger(o->history, .append = p->epochs > 0);
	nacre_compile(p->m, .optimizer = *optimizer, .loss = nacre_sparse_categorical_crossentropy,
		      .metrics = {nacre_accuracy});
	catch_signals();
	nacre_fit_with(p->m, f);
	const nacre_error *e = nacre_model_error(p->m);
	int last = nacre_history_epochs(p->m) - 1;
	p->epochs += last + 1;
	if (e->status)
		return fail_with(e);
	if (last >= 0 && !isfinite(nacre_history(p->m, "loss", last))) {
		int code =
		    fail(NACRE_NOT_FINITE, "the loss is not a finite number in epoch %d",
			 p->epochs);
		hint("try a smaller --learning-rate: it is %g", o->rate);
		return code;
	}
	return 0;
}

static int fit_first(photos *p, const parts *s, const photos_options *o, const common_options *c)
{
	nacre_optimizer adam = nacre_adam(.learning_rate = o->rate);
	return fit(p, s, &adam, o->epochs ? (int)o->epochs : EPOCHS, true, o, c);
}

/* --fine-tune: all of the joined model learns, on the photos themselves, changed at random.  The
 * rate grows in a tenth of the steps and falls to 0, so that no epoch need be chosen. */
static int fine_tune(photos *p, parts *s, const photos_options *o, const common_options *c)
{
	nacre_dataset *pictures = s->all;
	nacre_dataset_free(s->train);
	nacre_dataset_free(s->validation);
	nacre_dataset_free(s->test);
	*s = (parts){.all = pictures};
	int code = make_parts(s, o);
	if (code)
		return code;
	int64_t batch = o->batch ? o->batch : BATCH;
	double steps = (double)o->fine_tune *
		       (double)((nacre_dataset_size(s->train) + batch - 1) / batch);
	nacre_optimizer adamw = nacre_adamw(.weight_decay = 0.05,
					    .schedule = nacre_cosine_decay(
						o->rate / 20, 0.9 * steps, .warmup_target = o->rate,
						.warmup_steps = 0.1 * steps));
	nacre_model *map = nacre_sequential("changes");
	nacre_add(map, nacre_input(p->height, p->width, p->channels));
	nacre_add(map, nacre_random_flip(NACRE_FLIP_HORIZONTAL));
	nacre_add(map, nacre_random_rotation(0.05));
	nacre_add(map, nacre_random_zoom(0.2, .width_factor = 0.2));
	nacre_add(map, nacre_random_translation(0.1, 0.1));
	for (int i = 0; i < nacre_model_layers(p->m); i++)
		nacre_layer_set_trainable(nacre_model_layer(p->m, i), true);
	if (nacre_dataset_map(s->train, map))
		code = fail_with(nacre_dataset_error(s->train));
	else
		code = fit(p, s, &adamw, (int)o->fine_tune, false, o, c);
	nacre_dataset_map(s->train, NULL);
	nacre_model_free(map);
	return code;
}

static void report(const photos *p, const parts *s, const char *folder, const char *output,
		   const nacre_result *r, const common_options *o)
{
	bool test = nacre_dataset_size(s->test);
	if (o->json) {
		json_out j = {.to = stdout};
		json_open(&j, NULL, '{');
		json_text(&j, "folder", folder);
		json_text(&j, "model", output);
		json_open(&j, "classes", '[');
		for (int i = 0; i < p->n; i++)
			json_text(&j, NULL, p->class_name[i]);
		json_close(&j, ']');
		json_open(&j, "photos", '{');
		json_whole(&j, "all", nacre_dataset_size(s->all));
		json_whole(&j, "train", nacre_dataset_size(s->train));
		json_whole(&j, "validation", nacre_dataset_size(s->validation));
		json_whole(&j, "test", nacre_dataset_size(s->test));
		json_whole(&j, "left_out", nacre_dataset_problems(s->all));
		json_close(&j, '}');
		json_whole(&j, "parameters", nacre_model_parameters(p->m));
		json_whole(&j, "epochs", p->epochs);
		json_open(&j, test ? "test" : "validation", '{');
		json_number(&j, "loss", r->loss);
		json_number(&j, "accuracy", r->metric[0]);
		json_close(&j, '}');
		json_close(&j, '}');
	} else if (!o->quiet) {
		printf("\n%s, %lld photos\n  accuracy    %.4f\n  loss        %.4f\n",
		       test ? "test" : "validation",
		       (long long)nacre_dataset_size(test ? s->test : s->validation), r->metric[0],
		       r->loss);
		printf("\nsaved %s; use it: nacre predict %s PHOTO...\n", output, output);
	}
}

/* "data/flowers/" -> "flowers.keras" */
static char *default_output(const char *folder)
{
	size_t n = strlen(folder);
	while (n > 1 && folder[n - 1] == '/')
		n--;
	size_t from = n;
	while (from && folder[from - 1] != '/')
		from--;
	bool dots = folder[from] == '.' || from == n;
	return dots ? copy_text("photos.keras")
		    : format_text("%.*s.keras", (int)(n - from), folder + from);
}

/* The model: one in a file, or a small one that is made here once the classes are known. */
static int prepare(photos *p, const char *folder, const photos_options *o, parts *s,
		   const common_options *c)
{
	bool file = strcmp(o->model, "linear") && strcmp(o->model, "mlp");
	int64_t classes = 0;
	int code = 0;
	p->height = p->width = o->size ? o->size : SIZE;
	p->channels = 3;
	p->scale = pixel_ranges[o->pixels ? o->pixels : 2].scale;
	p->offset = pixel_ranges[o->pixels ? o->pixels : 2].offset;
	if (file) {
		nacre_error e = {0};
		p->m = nacre_load_with(NULL, o->model, (nacre_load_options){.no_compile = 1}, &e);
		code = p->m ? read_shapes(p, o->model, &classes) : fail_with(&e);
		if (!code && o->size && (o->size != p->height || o->size != p->width))
			code = fail(NACRE_INVALID, "--size %lld: %s takes %lld x %lld",
				    (long long)o->size, o->model, (long long)p->height,
				    (long long)p->width);
		if (!code)
			choose_pixels(p, p->m, o->pixels);
	} else if (o->from) {
		code = open_base(p, o);
	}
	if (!code)
		s->all = open_photos(p, folder, o, c->quiet, &code);
	if (code)
		return code;
	int n = (int)nacre_dataset_classes(s->all, 0);
	p->class_name = take((size_t)n, sizeof *p->class_name);
	for (; p->n < n; p->n++)
		p->class_name[p->n] = copy_text(nacre_dataset_class_name(s->all, p->n));
	if (n < 2)
		return fail(NACRE_BAD_DATA, "%s: expected folders of at least 2 classes, got %d",
			    folder, n);
	if (file && n != classes)
		return fail(NACRE_BAD_DATA, "%s tells %lld classes apart, %s has %d", o->model,
			    (long long)classes, folder, n);
	code = file ? 0 : o->from ? build_head(p, o, n) : build(p, o, n);
	return code ? code : make_parts(s, o);
}

int photos_train(const char *folder, const photos_options *o, const common_options *c)
{
	photos p = {0};
	parts s = {0};
	nacre_result r = {0};
	char *output = o->output ? copy_text(o->output) : default_output(folder);
	int code = 0;
	if (o->from && strcmp(o->model, "mlp"))
		code = fail(NACRE_INVALID, "--from and --model: expected one of them");
	else if (o->fine_tune && !o->from)
		code = fail(NACRE_INVALID, "--fine-tune: expected --from with it");
	else if (!ends_with(output, ".keras"))
		code = fail(NACRE_INVALID, "%s: expected a name that ends in .keras", output);
	if (!code)
		code = prepare(&p, folder, o, &s, c);
	if (!code && !c->quiet && !c->json) {
		printf("%s: %lld photos of %d classes, %lld x %lld\n", folder,
		       (long long)nacre_dataset_size(s.all), p.n, (long long)p.height,
		       (long long)p.width);
		fflush(stdout);
	}
	if (!code && o->from)
		code = make_features(&p, &s, o, c->quiet || c->json);
	if (!code)
		code = fit_first(&p, &s, o, c);
	bool tune = o->fine_tune && !signal_came;
	if (!code && tune)
		code = join(&p, o);
	if (!code && tune)
		code = fine_tune(&p, &s, o, c);
	if (!code) {
		r = nacre_evaluate(p.m, nacre_dataset_size(s.test) ? s.test : s.validation,
				   .batch_size = BATCH, .verbose = NACRE_SILENT);
		code = r.status           ? fail_with(nacre_model_error(p.m))
		       : o->from && !tune ? join(&p, o)
					  : 0;
	}
	if (!code)
		code = write_note(&p);
	if (!code && nacre_save(p.m, output))
		code = fail_with(nacre_model_error(p.m));
	if (!code)
		report(&p, &s, folder, output, &r, c);
	parts_free(&s);
	photos_free(&p);
	free(output);
	return code ? code : signal_came ? 128 + signal_came : 0;
}

/* -- a model of pictures in a file ------------------------------------------------------------- */
int photos_open(photos *p, const char *path, int pixels)
{
	int code;
	int64_t classes = 0;
	p->m = load(path, &code);
	if (!code)
		code = read_shapes(p, path, &classes);
	if (!code)
		code = read_classes(p, classes);
	if (!code)
		choose_base_pixels(p, p->m, pixels);
	return code;
}

/* -- prediction -------------------------------------------------------------------------------- */
nacre_tensor *photos_load(const photos *p, int n, char **pictures, int *file, int *good, int *code)
{
	nacre_image_options o = {
	    .height = p->height, .width = p->width, .color = photos_color(p->channels)};
	nacre_error e = {0};
	size_t each = (size_t)(p->height * p->width * p->channels);
	nacre_tensor *all = nacre_tensor_new(NULL, NACRE_F32, 4,
					     (int64_t[]){n, p->height, p->width, p->channels}, &e);
	if (!all) {
		*code = fail_with(&e);
		return NULL;
	}
	for (int i = 0; i < n; i++) {
		e = (nacre_error){0};
		nacre_tensor *t = nacre_image_load(NULL, pictures[i], &o, &e);
		if (!t) {
			int failed = fail_with(&e);
			*code = *code ? *code : failed;
			continue;
		}
		memcpy((float *)nacre_tensor_data(all) + each * (size_t)*good, nacre_tensor_data(t),
		       each * sizeof(float));
		file[(*good)++] = i;
		nacre_tensor_free(t);
	}
	nacre_tensor *x = nacre_tensor_slice(all, 0, 0, *good, 1, &e);
	if (!x)
		*code = fail_with(&e);
	nacre_tensor_free(all);
	return x;
}

static int next_best(const float *y, int n, const bool *taken)
{
	int best = -1;
	for (int k = 0; k < n; k++)
		if (!taken[k] && (best < 0 || y[k] > y[best]))
			best = k;
	return best;
}

static void put_classes(const photos *p, const char *path, const float *y, int top, FILE *csv,
			json_out *j)
{
	bool *taken = take((size_t)p->n, sizeof *taken);
	char name[160], number[40];
	if (j) {
		json_open(j, NULL, '{');
		json_text(j, "file", path);
		json_open(j, "classes", '[');
	} else if (!csv) {
		printf("%s\n", path);
	}
	for (int k = 0; k < top; k++) {
		int best = next_best(y, p->n, taken);
		taken[best] = true;
		if (j) {
			json_open(j, NULL, '{');
			json_text(j, "class", p->class_name[best]);
			json_number(j, "probability", y[best]);
			json_close(j, '}');
		} else if (csv) {
			put_csv(csv, path, false);
			put_csv(csv, p->class_name[best], false);
			put_csv(csv, number_text(number, y[best]), true);
		} else {
			printf("  %s  %.4f\n", cell_text(name, p->class_name[best], 24), y[best]);
		}
	}
	if (j) {
		json_close(j, ']');
		json_close(j, '}');
	}
	free(taken);
}

static int put_answers(const photos *p, char **pictures, const int *file, const nacre_tensor *y,
		       int top, const char *output, bool as_json)
{
	sink s = {0};
	json_out j = {.to = stdout};
	bool csv = strcmp(output, "-") != 0;
	int code = csv ? sink_open(&s, output) : 0;
	if (code)
		return code;
	if (csv)
		fprintf(s.to, "file,class,probability\n");
	if (as_json) {
		json_open(&j, NULL, '{');
		json_open(&j, "predictions", '[');
	}
	const float *v = nacre_tensor_data(y);
	for (int64_t i = 0; i < nacre_tensor_shape(y)[0]; i++) {
		if (csv)
			put_classes(p, pictures[file[i]], v + i * p->n, top, s.to, NULL);
		if (as_json || !csv)
			put_classes(p, pictures[file[i]], v + i * p->n, top, NULL,
				    as_json ? &j : NULL);
	}
	if (as_json) {
		json_close(&j, ']');
		json_close(&j, '}');
	}
	return csv ? sink_close(&s, true) : 0;
}

int photos_predict(nacre_model *m, int n, char **pictures, int64_t top, const char *output,
		   const common_options *o)
{
	photos p = {.m = m};
	int64_t classes = 0;
	int *file = take((size_t)n, sizeof *file), good = 0, bad = 0;
	int code = read_shapes(&p, "the model", &classes);
	if (!code)
		code = read_classes(&p, classes);
	nacre_tensor *x = code ? NULL : photos_load(&p, n, pictures, file, &good, &bad);
	nacre_dataset *d = x && good ? nacre_dataset_from_tensors(NULL, x, NULL) : NULL;
	nacre_dataset_set_scale(d, 0, p.scale, p.offset);
	nacre_tensor *y = d ? nacre_predict(m, d) : NULL;
	if (d && !y)
		code = fail_with(nacre_model_error(m));
	if (y)
		code = put_answers(&p, pictures, file, y, (int)(top < p.n ? top : p.n), output,
				   o->json);
	nacre_tensor_free(y);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
	free(file);
	photos_free(&p);
	return code ? code : bad;
}

/* -- info -------------------------------------------------------------------------------------- */
int photos_info(const char *path, const common_options *o)
{
	static const char *const kinds[] = {"", "grey", "grey and alpha", "RGB", "RGBA"};
	nacre_image_info i;
	nacre_error e = {0};
	if (nacre_image_read_info(NULL, path, NULL, &i, &e))
		return fail_with(&e);
	if (o->json) {
		json_out j = {.to = stdout};
		json_open(&j, NULL, '{');
		json_text(&j, "file", path);
		json_text(&j, "format", i.format);
		json_whole(&j, "height", i.height);
		json_whole(&j, "width", i.width);
		json_whole(&j, "channels", i.channels);
		json_whole(&j, "bits", i.bits);
		json_whole(&j, "orientation", i.orientation);
		json_close(&j, '}');
		return 0;
	}
	printf("%s: %s, %lld x %lld (height x width), %s, %d bits", path, i.format,
	       (long long)i.height, (long long)i.width, kinds[i.channels], i.bits);
	if (i.orientation != 1)
		printf(", orientation %d", i.orientation);
	printf("\n");
	return 0;
}
