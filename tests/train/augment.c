/* SPDX-License-Identifier: MIT
 *
 * augment.c - augmentation: what layers do with given numbers against Keras (the file that
 * tests/fixtures/make_augment.py made, a row below for each case), what they draw, the same bits on
 * any number of threads, maps before the data, files.
 */
#include <stdio.h>
#include <unistd.h>

#include <nacre.h>

#include "nn/augment.h"
#include "test.h"
#include "train/model.h"

/* -- against Keras ----------------------------------------------------------------------------- */
typedef struct fixture {
	const char *name;
	nacre_safetensors *file;
	nacre_graph *g;
	nacre_layer *l; /* for errors */
	nc_call c;
	nacre_error error;
} fixture;

static nacre_tensor *take(fixture *f, const char *what)
{
	char name[96];
	snprintf(name, sizeof name, "%s/%s", f->name, what);
	return nacre_safetensors_tensor(f->file, name, &f->error);
}

static nacre_node *in(fixture *f, const char *what)
{
	nacre_tensor *t = take(f, what);
	nacre_node *n = t ? nacre_constant(f->g, t->dtype, t->rank, t->shape, t->data) : NULL;
	nacre_tensor_free(t);
	return n;
}

/* column i of [n, k], as [n] */
static nacre_node *column(nacre_node *x, int i)
{
	return nacre_squeeze(nacre_slice_axis(x, 1, i, i + 1), NACRE_AXIS(1));
}

static int64_t whole(fixture *f, const char *what, int i)
{
	nacre_tensor *t = take(f, what);
	int64_t v = (int64_t)nacre_tensor_get(t, i);
	nacre_tensor_free(t);
	return v;
}

static nc_range range_of(const fixture *f)
{
	return (nc_range){0, strstr(f->name, "_unit") ? 1 : 255};
}

static nacre_node *affine(fixture *f)
{
	static const char *const modes[] = {"", "reflect", "wrap", "constant", "nearest", "mirror"};
	nacre_affine_options o = {.fill_value = 7.5};
	for (int i = NACRE_FILL_REFLECT; i <= NACRE_FILL_MIRROR; i++)
		if (strncmp(f->name + 7, modes[i], strlen(modes[i])) == 0)
			o.fill_mode = i;
	o.interpolation = strstr(f->name + 8 + strlen(modes[o.fill_mode]) - 1, "nearest")
			      ? NACRE_NEAREST
			      : NACRE_BILINEAR;
	return nacre_affine_transform(in(f, "x"), in(f, "transform"), o);
}

static nacre_node *by_map(fixture *f, nacre_node *map)
{
	return nacre_affine_transform(
	    in(f, "x"), map, (nacre_affine_options){.fill_mode = NACRE_FILL_REFLECT});
}

static nacre_node *rotation(fixture *f)
{
	return by_map(f, nc_map_rotation(in(f, "angle"), 6, 5));
}

static nacre_node *zoom(fixture *f)
{
	return by_map(f, nc_map_zoom(column(in(f, "zoom"), 0), column(in(f, "zoom"), 1), 6, 5));
}

static nacre_node *translation(fixture *f)
{
	nacre_node *m = in(f, "move");
	return by_map(f, nc_map_translation(column(m, 1), column(m, 0)));
}

static nacre_node *shear(fixture *f)
{
	return by_map(f, nc_map_shear(column(in(f, "shear"), 0), column(in(f, "shear"), 1)));
}

static nacre_node *flip(fixture *f)
{
	int mode = strcmp(f->name, "flip_horizontal") == 0 ? NACRE_FLIP_HORIZONTAL
		   : strcmp(f->name, "flip_vertical") == 0 ? NACRE_FLIP_VERTICAL
							   : NACRE_FLIP_HORIZONTAL_AND_VERTICAL;
	nacre_node *flips = nacre_cast(in(f, "flips"), NACRE_BOOL);
	return nc_augment_flip(in(f, "x"), nacre_reshape(flips, 4, (int64_t[]){3, 1, 1, 1}), mode);
}

static nacre_node *contrast(fixture *f)
{
	return nc_augment_contrast(in(f, "x"), in(f, "f"), range_of(f));
}

static nacre_node *brightness(fixture *f)
{
	return nc_augment_brightness(in(f, "x"), in(f, "f"), range_of(f));
}

static nacre_node *hue(fixture *f)
{
	return nc_augment_hue(&f->c, f->l, in(f, "x"), in(f, "f"), range_of(f));
}

static nacre_node *saturation(fixture *f)
{
	return nc_augment_saturation(&f->c, f->l, in(f, "x"), in(f, "f"), range_of(f));
}

static nacre_node *degeneration(fixture *f)
{
	return nc_augment_degenerate(&f->c, f->l, in(f, "x"), in(f, "f"), range_of(f));
}

static nacre_node *sharpness(fixture *f)
{
	return nc_augment_sharpen(in(f, "x"), in(f, "f"), range_of(f));
}

static nacre_node *posterization(fixture *f)
{
	nacre_node *bits = nacre_reshape(in(f, "bits"), 4, (int64_t[]){3, 1, 1, 1});
	return nc_augment_posterize(in(f, "x"), nacre_cast(bits, NACRE_F32), range_of(f));
}

static nacre_node *solarization(fixture *f)
{
	return nc_augment_solarize(in(f, "x"), in(f, "addition"), in(f, "threshold"), range_of(f));
}

static nacre_node *auto_contrast(fixture *f)
{
	return nc_augment_auto_contrast(in(f, "x"), range_of(f));
}

static nacre_node *equalization(fixture *f)
{
	int64_t bins = strstr(f->name, "_bins") ? 16 : 256;
	return nc_augment_equalize(in(f, "x"), bins, range_of(f));
}

static nacre_node *grey(fixture *f)
{
	return nc_augment_grey(&f->c, f->l, in(f, "x"));
}

static nacre_node *blur(fixture *f)
{
	bool uneven = strstr(f->name, "_uneven");
	return nc_augment_blur(in(f, "x"), (int64_t[]){uneven ? 5 : 3, uneven ? 1 : 3},
			       in(f, "sigma"));
}

static nacre_node *box(fixture *f)
{
	nacre_node *c = in(f, "corner");
	nacre_node *y =
	    nc_augment_box(in(f, "x"), column(c, 0), column(c, 1), column(c, 2), column(c, 3));
	return nacre_cast(y, NACRE_F32);
}

static nacre_node *mix(fixture *f)
{
	return nc_augment_mix(in(f, "x"), in(f, "w"), in(f, "order"));
}

static nacre_node *resize(fixture *f)
{
	static const char *const how[] = {"",     "nearest",  "bilinear", "bicubic",
					  "area", "lanczos3", "lanczos5"};
	int method = 0;
	for (int i = NACRE_NEAREST; i <= NACRE_LANCZOS5; i++)
		if (strncmp(f->name + 7, how[i], strlen(how[i])) == 0)
			method = i;
	return nacre_resize_image(in(f, "x"), whole(f, "size", 0), whole(f, "size", 1),
				  (nacre_interpolation)method, strstr(f->name, "antialias"));
}

static nacre_node *through(fixture *f, nacre_layer *l)
{
	nacre_node *x = in(f, "x"), *y = nc_layer_call(&f->c, l, 1, &x);
	nacre_layer_free(l);
	return y;
}

static nacre_node *crop_to_aspect(fixture *f)
{
	return through(f, nacre_resizing(whole(f, "size", 0), whole(f, "size", 1),
					 .crop_to_aspect_ratio = 1));
}

static nacre_node *pad_to_aspect(fixture *f)
{
	return through(f, nacre_resizing(whole(f, "size", 0), whole(f, "size", 1),
					 .pad_to_aspect_ratio = 1, .fill_value = 9));
}

static nacre_node *center_crop(fixture *f)
{
	return through(f, nacre_center_crop(whole(f, "size", 0), whole(f, "size", 1)));
}

static const struct {
	const char *name; /* of the case, or of all that begin with it and '_' */
	nacre_node *(*make)(fixture *f);
} rows[] = {
    {"affine", affine},	    {"rotation", rotation},	    {"zoom", zoom},
    {"translation", translation},   {"shear", shear},	    {"flip", flip},
    {"contrast", contrast},	    {"brightness", brightness},	    {"hue", hue},
    {"saturation", saturation},	    {"degeneration", degeneration}, {"sharpness", sharpness},
    {"posterization", posterization}, {"solarization", solarization},
    {"auto_contrast", auto_contrast}, {"equalization", equalization}, {"grey", grey},
    {"blur", blur},		    {"box", box},		    {"mix", mix},
    {"resize", resize},		    {"crop", crop_to_aspect},	    {"pad", pad_to_aspect},
    {"center", center_crop},
};
enum { ROWS = sizeof rows / sizeof *rows };

static void compare(fixture *f, const char *what, nacre_node *y)
{
	nacre_tensor *want = take(f, what), *got = NULL;
	nacre_error e = f->error.status ? f->error : f->c.error ? *f->c.error : (nacre_error){0};
	if (!e.status)
		e = *nacre_graph_error(f->g);
	nacre_program *p =
	    e.status || !y ? NULL : nacre_program_new(NULL, 0, NULL, 1, &y, NULL, &e);
	if (p)
		got = nacre_tensor_new(NULL, y->dtype, y->rank, y->shape, &e);
	if (!got || !want || nacre_program_run(p, NULL, &got, &e) ||
	    nacre_tensor_size(got) != nacre_tensor_size(want)) {
		test_failed(__FILE__, __LINE__, "%s/%s: %s", f->name, what,
			    e.status ? e.text : "another size");
	} else {
		double most = 1, worst = 0;
		int64_t n = nacre_tensor_size(want);
		for (int64_t i = 0; i < n; i++)
			most = fmax(most, fabs(nacre_tensor_get(want, i)));
		for (int64_t i = 0; i < n; i++)
			worst = fmax(worst,
				     fabs(nacre_tensor_get(want, i) - nacre_tensor_get(got, i)));
		if (!(worst <= 4e-6 * most))
			test_failed(__FILE__, __LINE__, "%s/%s: off by %g of %g", f->name, what,
				    worst, most);
	}
	nacre_program_free(p);
	nacre_tensor_free(got);
	nacre_tensor_free(want);
}

static void run_case(nacre_safetensors *file, const char *name)
{
	fixture f = {.name = name, .file = file, .g = nacre_graph_new(NULL)};
	f.l = nacre_random_hue(0.1);
	f.c = (nc_call){.runtime = nc_runtime(NULL), .graph = f.g, .error = &f.error};
	f.c.effects_end = &f.c.effects;
	for (int i = 0; i < ROWS; i++) {
		size_t n = strlen(rows[i].name);
		if (strncmp(name, rows[i].name, n) != 0 || (name[n] && name[n] != '_'))
			continue;
		compare(&f, "y", rows[i].make(&f));
		if (rows[i].make == mix)
			compare(&f, "mixed",
				nc_augment_mix(in(&f, "labels"), in(&f, "w"), in(&f, "order")));
		nacre_layer_free(f.l);
		nacre_graph_free(f.g);
		return;
	}
	test_failed(__FILE__, __LINE__, "%s: no row", name);
}

TEST(keras)
{
	nacre_error e = {0};
	nacre_safetensors *file = nacre_safetensors_open(
	    NULL, NACRE_SOURCE_DIR "/tests/fixtures/augment/augment.safetensors", &e);
	CHECK_STR(e.text, "");
	int cases = 0;
	for (int64_t i = 0; i < nacre_safetensors_count(file); i++) {
		char name[96];
		const char *full = nacre_safetensors_name(file, i), *end = strrchr(full, '/');
		if (strcmp(end, "/y") != 0)
			continue;
		snprintf(name, sizeof name, "%.*s", (int)(end - full), full);
		run_case(file, name);
		cases++;
	}
	CHECK(cases >= 80);
	nacre_safetensors_free(file);
}

/* -- what layers draw -------------------------------------------------------------------------- */
enum { N = 64, SIDE = 12 };

static nacre_layer *layer_at(int i) /* one of each class; NULL past the end */
{
	switch (i) {
	case 0: return nacre_random_flip(NACRE_FLIP_HORIZONTAL);
	case 1: return nacre_random_rotation(0.2);
	case 2: return nacre_random_translation(0.2, 0.3, .fill_mode = NACRE_FILL_CONSTANT);
	case 3: return nacre_random_zoom(0.3, .fill_mode = NACRE_FILL_WRAP);
	case 4: return nacre_random_shear(0.2, 0.1, .interpolation = NACRE_NEAREST);
	case 5: return nacre_random_crop(SIDE - 4, SIDE - 2);
	case 6: return nacre_random_brightness(0.2);
	case 7: return nacre_random_contrast(0.4);
	case 8: return nacre_random_saturation(0.2, .factor_high = 0.8);
	case 9: return nacre_random_hue(0.3);
	case 10: return nacre_random_color_jitter(.brightness_factor = 0.2, .hue_factor = 0.1);
	case 11: return nacre_random_color_degeneration(0.5);
	case 12: return nacre_random_grayscale(0.5);
	case 13: return nacre_random_sharpness(0.9);
	case 14: return nacre_random_posterization(6);
	case 15: return nacre_random_invert(.factor = 0.5);
	case 16: return nacre_random_gaussian_blur(.kernel_size = {5, 3});
	case 17: return nacre_solarization(.addition_factor = 0.2, .threshold_factor = 0.6);
	case 18: return nacre_auto_contrast();
	case 19: return nacre_equalization();
	case 20: return nacre_random_erasing(.fill_value = {1, (double[]){0}});
	case 21: return nacre_mix_up(0.2);
	case 22: return nacre_cut_mix();
	case 23: return nacre_rand_augment(.num_ops = 3);
	default: return NULL;
	}
}
enum { LAYERS = 24 };

static nacre_tensor *pictures(int64_t n)
{
	nacre_tensor *t =
	    nacre_tensor_new(NULL, NACRE_F32, 4, (int64_t[]){n, SIDE, SIDE, 3}, NULL);
	for (int64_t i = 0; i < nacre_tensor_size(t); i++) {
		int64_t x = i / 3 % SIDE, y = i / 3 / SIDE % SIDE, c = i % 3;
		int64_t k = i / 3 / SIDE / SIDE;
		nacre_tensor_set(t, i, (double)((x * 17 + y * 5 + c * 61 + k * 29) % 256));
	}
	return t;
}

static nacre_model *around(nacre_runtime *rt, nacre_layer *l, uint64_t seed)
{
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_set_seed(m, seed);
	nacre_add(m, nacre_input(SIDE, SIDE, 3));
	nacre_add(m, l);
	return m;
}

/* The same numbers in memory of the default runtime; the tensor is freed. */
static nacre_tensor *moved(nacre_tensor *t)
{
	nacre_tensor *c = t ? nacre_tensor_new(NULL, t->dtype, t->rank, t->shape, NULL) : NULL;
	if (c)
		memcpy(c->data, t->data, (size_t)nacre_tensor_size(t) * sizeof(float));
	nacre_tensor_free(t);
	return c;
}

static nacre_tensor *sample(nacre_model *m, const nacre_tensor *x, int step)
{
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, x, NULL);
	nacre_tensor *y = nacre_predict_with(
	    m, (nacre_predict_options){.data = d, .batch_size = N, .training = step});
	nacre_dataset_free(d);
	if (!y)
		test_failed(__FILE__, __LINE__, "%s", nacre_model_error(m)->text);
	return moved(y);
}

static bool same(const nacre_tensor *a, const nacre_tensor *b)
{
	return a && b && nacre_tensor_size(a) == nacre_tensor_size(b) &&
	       memcmp(a->data, b->data, (size_t)nacre_tensor_size(a) * sizeof(float)) == 0;
}

/* Equal seeds and steps give equal bits on any number of threads; others differ.  Values stay in
 * their range, and prediction leaves images alone. */
TEST(every_layer)
{
	nacre_tensor *x = pictures(N);
	for (int i = 0; i < LAYERS; i++) {
		nacre_tensor *first = NULL;
		nacre_layer *one = layer_at(i);
		const char *name = nacre_layer_class(one); /* a constant of the class */
		nacre_layer_free(one);
		bool fixed = i == 18 || i == 19; /* no random numbers in them */
		for (int threads = 1; threads <= 7; threads += threads == 3 ? 4 : 1) {
			nacre_runtime_options o = {.threads = threads};
			nacre_runtime *rt = nacre_runtime_new(&o, NULL);
			nacre_model *m = around(rt, layer_at(i), 5);
			nacre_tensor *y = sample(m, x, 1);
			if (first && !same(first, y))
				test_failed(__FILE__, __LINE__, "%s: %d threads: other bits", name,
					    threads);
			if (threads == 1) {
				nacre_tensor *z = sample(m, x, 2), *p = sample(m, x, 0);
				bool passes = i != 18 && i != 5; /* outside of training */
				if (same(y, z) != fixed || (passes && !same(x, p)) || same(x, y))
					test_failed(__FILE__, __LINE__, "%s: step 1, step 2 and "
						    "prediction are not as they should", name);
				/* saturation beyond 1 leaves the range, as it does in Keras */
				for (int64_t k = 0; i != 8 && k < nacre_tensor_size(y); k++)
					if (!(nacre_tensor_get(y, k) >= -1e-3 &&
					      nacre_tensor_get(y, k) <= 255.001)) {
						test_failed(__FILE__, __LINE__, "%s gives %g", name,
							    nacre_tensor_get(y, k));
						break;
					}
				nacre_tensor_free(z);
				nacre_tensor_free(p);
			}
			nacre_model_free(m);
			if (first)
				nacre_tensor_free(y);
			else
				first = y;
			nacre_runtime_free(rt);
		}
		nacre_model *other = around(NULL, layer_at(i), 6);
		nacre_tensor *y = sample(other, x, 1);
		CHECK(same(first, y) == fixed);
		nacre_tensor_free(y);
		nacre_tensor_free(first);
		nacre_model_free(other);
	}
	nacre_tensor_free(x);
}

/* Half of the images are flipped; brightness lies evenly in its range. */
TEST(distributions)
{
	enum { MANY = 2000 };
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 4, (int64_t[]){MANY, 1, 2, 1}, NULL);
	for (int64_t i = 0; i < MANY; i++)
		nacre_tensor_set(x, 2 * i, 100);
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, x, NULL);
	for (int i = 0; i < 2; i++) {
		nacre_model *m = nacre_sequential("m");
		nacre_add(m, nacre_input(1, 2, 1));
		nacre_add(m, i ? nacre_random_brightness(-0.1, 0.3)
			       : nacre_random_flip(NACRE_FLIP_HORIZONTAL));
		nacre_tensor *y = nacre_predict_with(
		    m, (nacre_predict_options){.data = d, .batch_size = 500, .training = 1});
		double sum = 0, least = 1e9, most = -1e9;
		for (int64_t k = 0; y && k < MANY; k++) {
			double v = nacre_tensor_get(y, 2 * k);
			sum += v / MANY;
			least = fmin(least, v);
			most = fmax(most, v);
		}
		CHECK_NEAR(sum, i ? 100 + 0.1 * 255 : 50, i ? 2.5 : 5);
		CHECK_NEAR(least, i ? 100 - 0.1 * 255 : 0, 0.5);
		CHECK_NEAR(most, i ? 100 + 0.3 * 255 : 100, 0.5);
		nacre_tensor_free(y);
		nacre_model_free(m);
	}
	nacre_dataset_free(d);
	nacre_tensor_free(x);
}

/* A flip goes into the map behind it, if nothing else lies between: the pictures are the same. */
TEST(flips_before_maps)
{
	nacre_tensor *x = pictures(N);
	for (int i = 0; i < 5; i++) {
		nacre_tensor *y[2];
		for (int between = 0; between < 2; between++) {
			nacre_model *m = nacre_sequential("m");
			nacre_add(m, nacre_input(SIDE, SIDE, 3));
			nacre_add(m, nacre_random_flip(i % 3));
			if (between)
				nacre_add(m, nacre_rescaling(1));
			nacre_add(m, i == 0   ? nacre_random_translation(0.4, 0.4)
				     : i == 1 ? nacre_random_rotation(0.3)
				     : i == 2 ? nacre_random_zoom(0.3, 0.2)
				     : i == 3 ? nacre_random_shear(0.3, 0.2, .fill_value = 9,
								   .fill_mode = NACRE_FILL_CONSTANT)
					      : nacre_random_rotation(
						    0.2, .interpolation = NACRE_NEAREST));
			y[between] = sample(m, x, 1);
			nacre_model_free(m);
		}
		CHECK(!same(x, y[0]));
		for (int64_t k = 0; k < nacre_tensor_size(y[0]); k++)
			CHECK_NEAR(nacre_tensor_get(y[0], k), nacre_tensor_get(y[1], k),
				   i == 4 ? 0 : 0.02);
		nacre_tensor_free(y[0]);
		nacre_tensor_free(y[1]);
	}
	nacre_tensor_free(x);
}

/* Labels are mixed as images are: an image of one value v has the label (v, 255 - v) / 255. */
static void check_mixture(nacre_layer *l, bool exact)
{
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 4, (int64_t[]){N, 20, 20, 1}, NULL);
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){N, 2}, NULL);
	for (int64_t i = 0; i < N * 400; i++)
		nacre_tensor_set(x, i, (double)(i / 400 * 4));
	for (int64_t i = 0; i < N * 2; i++)
		nacre_tensor_set(t, i, fabs((double)(i % 2) - (double)(i / 2 * 4) / 255));
	nacre_model *m = nacre_functional("mix");
	nacre_value *v[] = {nacre_model_input(m, nacre_input(20, 20, 1)),
			    nacre_model_input(m, nacre_input(2))};
	nacre_value *y = nacre_apply_n(l, 2, v);
	nacre_model_output(m, y);
	nacre_model_output(m, nacre_value_output(y, 1));
	const nacre_tensor *given[] = {x, t};
	nacre_dataset *d = nacre_dataset_new(NULL, 2, given, 0, NULL);
	nacre_tensor *out[NACRE_MAX_PORTS] = {NULL};
	nacre_predict_with(m, (nacre_predict_options){
				  .data = d, .batch_size = N, .training = 1, .outputs = out});
	CHECK_STR(nacre_model_error(m)->text, "");
	int mixed = 0;
	for (int64_t i = 0; out[1] && i < N; i++) {
		double mean = 0, a = nacre_tensor_get(out[1], 2 * i);
		for (int64_t k = 0; k < 400; k++)
			mean += nacre_tensor_get(out[0], i * 400 + k) / 400;
		CHECK_NEAR(a + nacre_tensor_get(out[1], 2 * i + 1), 1, 1e-5);
		/* a rectangle's corners lie between pixels: its label is nearly that of its area */
		CHECK_NEAR(a * 255, mean, exact ? 1e-2 : 255 * 0.11);
		mixed += fabs(mean - (double)(i * 4)) > 1e-3;
	}
	CHECK(mixed > N / 4);
	nacre_tensor_free(out[0]);
	nacre_tensor_free(out[1]);
	nacre_tensor_free(x);
	nacre_tensor_free(t);
	nacre_dataset_free(d);
	nacre_model_free(m);
}

TEST(labels_are_mixed)
{
	check_mixture(nacre_mix_up(0.8), true);
	check_mixture(nacre_cut_mix(), false);
}

/* -- a map before the data --------------------------------------------------------------------- */
static nacre_dataset *labelled(nacre_runtime *rt)
{
	nacre_tensor *x = pictures(50);
	nacre_tensor *y = nacre_tensor_new(NULL, NACRE_U8, 1, (int64_t[]){50}, NULL);
	for (int64_t i = 0; i < 50; i++)
		nacre_tensor_set(y, i, (double)(i % 3));
	nacre_dataset *d = nacre_dataset_from_tensors(rt, x, y);
	nacre_dataset_set_scale(d, 0, 1 / 255., 0);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	return d;
}

static nacre_model *mixing_map(nacre_runtime *rt)
{
	nacre_model *map = nacre_functional_in(rt, "map");
	nacre_value *v[] = {nacre_model_input(map, nacre_input(SIDE, SIDE, 3)),
			    nacre_model_input(map, nacre_input(3))};
	v[0] = nacre_apply(nacre_random_flip(0), v[0]);
	v[0] = nacre_apply(nacre_random_rotation(0.1), v[0]);
	v[0] = nacre_apply_n(nacre_mix_up(0.3), 2, v);
	nacre_model_output(map, v[0]);
	nacre_model_output(map, nacre_value_output(v[0], 1));
	return map;
}

static nacre_model *classifier(nacre_runtime *rt)
{
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_add(m, nacre_input(SIDE, SIDE, 3));
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dropout(0.2));
	nacre_add(m, nacre_dense(3, nacre_softmax));
	nacre_compile(m, .optimizer = nacre_adam(), .loss = nacre_categorical_crossentropy);
	return m;
}

TEST(map_gives_the_same_bits)
{
	nacre_tensor *first = NULL, *plain = NULL;
	for (int threads = 0; threads <= 7; threads += threads == 3 ? 4 : 1) {
		nacre_runtime_options o = {.threads = threads ? threads : 1};
		nacre_runtime *rt = nacre_runtime_new(&o, NULL);
		nacre_dataset *d = labelled(rt);
		nacre_model *map = mixing_map(rt), *m = classifier(rt);
		if (threads)
			CHECK_EQ(nacre_dataset_map(d, map), NACRE_OK);
		nacre_result before =
		    nacre_evaluate(m, d, .batch_size = 16, .verbose = NACRE_SILENT);
		nacre_fit(m, d, .epochs = 3, .batch_size = 16, .verbose = NACRE_SILENT,
			  .validation_split = 0.2);
		CHECK_STR(nacre_model_error(m)->text, "");
		CHECK(nacre_evaluate(m, d, .batch_size = 16, .verbose = NACRE_SILENT).loss <
		      before.loss);
		nacre_tensor *w = moved(nacre_get_weight(m, "dense/kernel"));
		if (threads == 0)
			plain = w;
		else if (!first)
			first = w;
		else if (!same(first, w))
			test_failed(__FILE__, __LINE__, "%d threads: other weights", threads);
		if (w != plain && w != first)
			nacre_tensor_free(w);
		nacre_model_free(m);
		nacre_dataset_free(d);
		nacre_model_free(map);
		nacre_runtime_free(rt);
	}
	CHECK(!same(first, plain)); /* it did something */
	nacre_tensor_free(first);
	nacre_tensor_free(plain);
}

/* Resizing acts everywhere, flips in training only: evaluating and predicting give what a model
 * with the resizing in front gives. */
TEST(map_outside_of_training)
{
	nacre_dataset *d = labelled(NULL);
	nacre_model *map = nacre_sequential("map"), *m = nacre_sequential("m");
	nacre_add(map, nacre_input(SIDE, SIDE, 3));
	nacre_add(map, nacre_random_flip(0));
	nacre_add(map, nacre_resizing(6, 4, .antialias = 1));
	nacre_add(m, nacre_input(6, 4, 3));
	nacre_add(m, nacre_flatten());
	CHECK_EQ(nacre_dataset_map(d, map), NACRE_OK);
	nacre_dataset *part = nacre_dataset_slice(d, 10, 50); /* has the map, too */
	nacre_tensor *a = nacre_predict(m, part);
	nacre_dataset_map(d, NULL);
	nacre_tensor *b = nacre_predict(map, d);
	CHECK_STR(nacre_model_error(m)->text, "");
	CHECK(a && b);
	for (int64_t i = 0; a && b && i < nacre_tensor_size(a); i++)
		CHECK_NEAR(nacre_tensor_get(a, i), nacre_tensor_get(b, i + 10 * 6 * 4 * 3), 1e-6);
	nacre_tensor_free(a);
	nacre_tensor_free(b);
	nacre_dataset_free(part);
	nacre_dataset_free(d);
	nacre_model_free(map);
	nacre_model_free(m);
}

TEST(map_misuse)
{
	nacre_dataset *d = labelled(NULL);
	nacre_model *map = nacre_sequential("map");
	nacre_model *m = classifier(NULL), *sparse = classifier(NULL);
	nacre_add(map, nacre_input(SIDE, SIDE, 3));
	nacre_add(map, nacre_random_crop(4, 4));
	CHECK_EQ(nacre_dataset_map(d, map), NACRE_OK);
	nacre_fit(m, d, .verbose = NACRE_SILENT);
	CHECK_STR(nacre_model_error(m)->text, "fit: input_layer expects samples of [12, 12, 3], "
					      "the map of the data gives [4, 4, 3]");
	nacre_model *mixing = mixing_map(NULL);
	CHECK_EQ(nacre_dataset_map(d, mixing), NACRE_OK);
	nacre_compile(sparse, .loss = nacre_sparse_categorical_crossentropy);
	nacre_fit(sparse, d, .verbose = NACRE_SILENT);
	CHECK_STR(nacre_model_error(sparse)->text,
		  "fit: the loss expects labels, the map of the data gives f32 of [3]: "
		  "categorical_crossentropy takes those");
	nacre_model *two = nacre_functional("two");
	nacre_value *v = nacre_model_input(two, nacre_input(4));
	nacre_model_output(two, v);
	nacre_model_output(two, v);
	CHECK_EQ(nacre_dataset_map(d, two), NACRE_INVALID);
	CHECK_STR(nacre_dataset_error(d)->text,
		  "dataset_map: expected a model of 1 inputs and outputs, or of 2 with the "
		  "targets, got 1 and 2");
	CHECK_EQ(nacre_dataset_map(NULL, map), NACRE_INVALID);
	nacre_dataset_free(d);
	nacre_model_free(two);
	nacre_model_free(mixing);
	nacre_model_free(map);
	nacre_model_free(m);
	nacre_model_free(sparse);
}

/* -- files ------------------------------------------------------------------------------------- */
TEST(saved_and_loaded)
{
	char path[64];
	snprintf(path, sizeof path, "augment_%d.keras", (int)getpid());
	nacre_tensor *x = pictures(N);
	nacre_model *m = nacre_sequential("m");
	nacre_add(m, nacre_input(SIDE, SIDE, 3));
	for (int i = 0; i < LAYERS; i++)
		nacre_add(m, layer_at(i));
	nacre_add(m, nacre_resizing(5, 6, NACRE_LANCZOS3, .pad_to_aspect_ratio = 1,
				    .fill_value = 3, .antialias = 1));
	CHECK_EQ(nacre_save(m, path), NACRE_OK);
	CHECK_STR(nacre_model_error(m)->text, "");
	nacre_error e = {0};
	nacre_model *l = nacre_load(NULL, path, &e);
	CHECK_STR(e.text, "");
	nacre_tensor *a = sample(m, x, 1), *b = sample(l, x, 1);
	CHECK(same(a, b));
	unlink(path);
	nacre_tensor_free(a);
	nacre_tensor_free(b);
	nacre_tensor_free(x);
	nacre_model_free(m);
	nacre_model_free(l);
}

/* -- what is refused --------------------------------------------------------------------------- */
TEST(misuse)
{
#define REFUSED(layer, wanted)                                                                     \
	do {                                                                                       \
		nacre_layer *l_ = layer;                                                           \
		CHECK_STR(nacre_layer_error(l_)->text, wanted);                                    \
		nacre_layer_free(l_);                                                              \
	} while (0)
	REFUSED(nacre_random_rotation(1.5),
		"random_rotation: factor: expected -1 to 1, got 1.5");
	REFUSED(nacre_random_contrast(-0.5), "random_contrast: factor: expected 0 to 1, got -0.5");
	REFUSED(nacre_random_zoom(-1),
		"random_zoom: height_factor: expected more than -1: nothing would be left");
	REFUSED(nacre_random_posterization(9),
		"random_posterization: factor: expected 1 to 8, got 9");
	REFUSED(nacre_random_brightness(0.1, .value_range = {5, 5}),
		"random_brightness: value_range: expected two numbers that differ, got 5 and 5");
	REFUSED(nacre_random_gaussian_blur(.kernel_size = {4}),
		"random_gaussian_blur: kernel_size: expected odd numbers of 1 to 99, got 4");
	REFUSED(nacre_resizing(4, 4, .crop_to_aspect_ratio = 1, .pad_to_aspect_ratio = 1),
		"resizing: crop_to_aspect_ratio and pad_to_aspect_ratio exclude each other");
	REFUSED(nacre_random_flip(7), "random_flip: mode: expected one of "
				      "horizontal_and_vertical|horizontal|vertical, got 7");
	nacre_model *m = nacre_sequential("m");
	nacre_add(m, nacre_input(8, 8, 2));
	nacre_add(m, nacre_random_hue(0.5));
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 4, (int64_t[]){1, 8, 8, 2}, NULL);
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, x, NULL);
	CHECK(!nacre_predict_with(m, (nacre_predict_options){.data = d, .training = 1}));
	CHECK_STR(nacre_model_error(m)->text, "random_hue: expected 3 channels, got 2");
	nacre_model_free(m);
	m = nacre_sequential("m");
	nacre_add(m, nacre_input(8));
	nacre_add(m, nacre_random_rotation(0.5));
	CHECK_STR(nacre_model_error(m)->text,
		  "random_rotation: expected an input of [None, height, width, channels], "
		  "got [None, 8]");
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
}
