/* SPDX-License-Identifier: MIT
 *
 * augment.c - nacre plot --augment: a sheet of pictures as augmentation changes them.
 *
 * The augmentation is a model in a file, or a list of layers by their names, each with a factor if
 * one is wanted.  The pictures are one batch, so that mixtures mix them; every column of the sheet
 * is another step of training.
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "augment.h"
#include "model.h"
#include "page.h"

/* -- layers by name ---------------------------------------------------------------------------- */
#define BY_FACTOR(layer) return layer(factor)
static nacre_layer *flip(double factor)
{
	return nacre_random_flip(factor == 0   ? NACRE_FLIP_HORIZONTAL
				 : factor == 1 ? NACRE_FLIP_VERTICAL
					       : NACRE_FLIP_HORIZONTAL_AND_VERTICAL);
}
static nacre_layer *rotation(double factor) { BY_FACTOR(nacre_random_rotation); }
static nacre_layer *translation(double factor) { return nacre_random_translation(factor, factor); }
static nacre_layer *zoom(double factor) { BY_FACTOR(nacre_random_zoom); }
static nacre_layer *shear(double factor) { return nacre_random_shear(factor, factor); }
static nacre_layer *brightness(double factor) { BY_FACTOR(nacre_random_brightness); }
static nacre_layer *contrast(double factor) { BY_FACTOR(nacre_random_contrast); }
static nacre_layer *saturation(double factor)
{
	return nacre_random_saturation(0.5 - 0.5 * factor, .factor_high = 0.5 + 0.4 * factor);
}
static nacre_layer *hue(double factor) { BY_FACTOR(nacre_random_hue); }
static nacre_layer *jitter(double factor)
{
	return nacre_random_color_jitter(.brightness_factor = factor, .contrast_factor = factor,
					 .hue_factor = factor / 2);
}
static nacre_layer *degeneration(double factor) { BY_FACTOR(nacre_random_color_degeneration); }
static nacre_layer *grayscale(double factor) { BY_FACTOR(nacre_random_grayscale); }
static nacre_layer *sharpness(double factor) { BY_FACTOR(nacre_random_sharpness); }
static nacre_layer *posterization(double factor) { BY_FACTOR(nacre_random_posterization); }
static nacre_layer *invert(double factor) { return nacre_random_invert(.factor = factor); }
static nacre_layer *blur(double factor)
{
	return nacre_random_gaussian_blur(.kernel_size = {7}, .sigma = factor);
}
static nacre_layer *solarize(double factor)
{
	return nacre_solarization(.addition_factor = factor, .threshold_factor = factor);
}
static nacre_layer *auto_contrast(double factor)
{
	(void)factor;
	return nacre_auto_contrast();
}
static nacre_layer *equalize(double factor)
{
	(void)factor;
	return nacre_equalization();
}
static nacre_layer *erase(double factor)
{
	return nacre_random_erasing(.factor = factor, .factor_high = factor);
}
static nacre_layer *mix_up(double factor) { BY_FACTOR(nacre_mix_up); }
static nacre_layer *cut_mix(double factor) { return nacre_cut_mix(.factor = factor); }
static nacre_layer *rand_augment(double factor) { return nacre_rand_augment(.factor = factor); }

static const struct {
	const char *name;
	double standard; /* the factor, where none is given */
	nacre_layer *(*make)(double factor);
} layers[] = {
    {"random_flip", 0, flip},
    {"random_rotation", 0.1, rotation},
    {"random_translation", 0.2, translation},
    {"random_zoom", 0.3, zoom},
    {"random_shear", 0.2, shear},
    {"random_brightness", 0.3, brightness},
    {"random_contrast", 0.5, contrast},
    {"random_saturation", 0.8, saturation},
    {"random_hue", 0.5, hue},
    {"random_color_jitter", 0.3, jitter},
    {"random_color_degeneration", 1, degeneration},
    {"random_grayscale", 0.5, grayscale},
    {"random_sharpness", 1, sharpness},
    {"random_posterization", 5, posterization},
    {"random_invert", 1, invert},
    {"random_gaussian_blur", 1, blur},
    {"solarization", 0.5, solarize},
    {"auto_contrast", 0, auto_contrast},
    {"equalization", 0, equalize},
    {"random_erasing", 1, erase},
    {"mix_up", 1, mix_up},
    {"cut_mix", 1, cut_mix},
    {"rand_augment", 0.5, rand_augment},
};

/* "RandomFlip" is random_flip, too: letters alone are compared. */
static bool same_name(const char *a, size_t n, const char *b)
{
	for (;; a++, b++) {
		while (n && *a == '_') {
			a++;
			n--;
		}
		b += *b == '_';
		if (n == 0 || !*b)
			return n == 0 && !*b;
		if (tolower((unsigned char)*a) != *b)
			return false;
		n--;
	}
}

static int add_layer(nacre_model *m, const char *item, size_t length)
{
	const char *colon = memchr(item, ':', length);
	size_t n = colon ? (size_t)(colon - item) : length;
	for (int i = 0; i < COUNT(layers); i++) {
		if (!same_name(item, n, layers[i].name))
			continue;
		char *end = NULL;
		double factor = colon ? strtod(colon + 1, &end) : layers[i].standard;
		if (colon && (end == colon + 1 || end != item + length || !isfinite(factor)))
			return fail(NACRE_INVALID, "--augment: expected a number after \"%.*s:\"",
				    (int)n, item);
		return nacre_add(m, layers[i].make(factor)) ? fail_with(nacre_model_error(m)) : 0;
	}
	int code =
	    fail(NACRE_INVALID, "--augment: \"%.*s\" is no augmentation layer", (int)n, item);
	const char *names[COUNT(layers)];
	for (int i = 0; i < COUNT(layers); i++)
		names[i] = layers[i].name;
	char *typed = format_text("%.*s", (int)n, item);
	const char *near = nearest(typed, COUNT(layers), names);
	if (near)
		hint("did you mean %s?", near);
	free(typed);
	return code;
}

static nacre_model *listed_layers(const char *list, int64_t side, int *code)
{
	nacre_model *m = nacre_sequential("augment");
	*code = nacre_add(m, nacre_input(side, side, 3)) ? fail_with(nacre_model_error(m)) : 0;
	while (!*code && *list) {
		size_t length = strcspn(list, ",");
		*code = add_layer(m, list, length);
		list += length + (list[length] == ',');
	}
	return m;
}

/* -- the pictures ------------------------------------------------------------------------------ */
typedef struct sheet {
	nacre_model *m;
	int n; /* pictures */
	int64_t height, width, channels; /* before; */
	int64_t out_height, out_width;   /* and after */
	nacre_tensor *x; /* [n, height, width, channels] */
} sheet;

static int open_model_sizes(sheet *s)
{
	const nacre_value *in = nacre_model_input_value(s->m, 0);
	const nacre_value *out = nacre_model_output_value(s->m, 0);
	if (nacre_model_inputs(s->m) != 1 || nacre_value_rank(in) != 4 ||
	    nacre_value_rank(out) != 4 || nacre_value_shape(out)[3] != nacre_value_shape(in)[3])
		return fail(NACRE_INVALID, "--augment: the model does not take pictures "
					   "[height, width, channels] and give such");
	s->height = nacre_value_shape(in)[1];
	s->width = nacre_value_shape(in)[2];
	s->channels = nacre_value_shape(in)[3];
	s->out_height = nacre_value_shape(out)[1];
	s->out_width = nacre_value_shape(out)[2];
	if (s->channels != 1 && s->channels != 3)
		return fail(NACRE_INVALID,
			    "--augment: expected a model of 1 or 3 channels, got %lld",
			    (long long)s->channels);
	return 0;
}

static int read_pictures(sheet *s, char **path)
{
	nacre_error e = {0};
	nacre_image_options o = {.color = s->channels == 1 ? NACRE_GREY : NACRE_RGB,
				 .height = s->height,
				 .width = s->width,
				 .aspect = NACRE_CROP,
				 .antialias = 1};
	int64_t shape[] = {s->n, s->height, s->width, s->channels};
	size_t each = (size_t)(s->height * s->width * s->channels) * sizeof(float);
	s->x = nacre_tensor_new(NULL, NACRE_F32, 4, shape, &e);
	for (int i = 0; i < s->n && !e.status; i++) {
		nacre_tensor *t = nacre_image_load(NULL, path[i], &o, &e);
		if (t)
			memcpy((char *)nacre_tensor_data(s->x) + (size_t)i * each,
			       nacre_tensor_data(t), each);
		nacre_tensor_free(t);
	}
	return e.status ? fail_with(&e) : 0;
}

/* -- the sheet --------------------------------------------------------------------------------- */
/* One picture: a square of samples; several: a line each.  The picture itself comes first. */
static int draw(sheet *s, const augment_options *o, int64_t *height, int64_t *width)
{
	int64_t cells = o->samples + 1, columns = cells;
	if (s->n == 1)
		columns = (int64_t)ceil(sqrt((double)cells));
	int64_t rows = s->n == 1 ? (cells + columns - 1) / columns : s->n;
	page p;
	int code = page_new(&p, rows, columns,
			    s->height > s->out_height ? s->height : s->out_height,
			    s->width > s->out_width ? s->width : s->out_width);
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, s->x, NULL);
	*height = p.height;
	*width = p.width;
	for (int64_t k = 0; k < cells && !code; k++) {
		nacre_tensor *y = k ? nacre_predict_with(s->m, (nacre_predict_options){
								   .data = d,
								   .batch_size = s->n,
								   .training = (int)k})
				    : s->x;
		if (!y)
			code = fail_with(nacre_model_error(s->m));
		for (int64_t i = 0; y && i < s->n; i++) {
			int64_t row = s->n == 1 ? k / columns : i;
			page_paint(&p, row, s->n == 1 ? k % columns : k, y, i);
		}
		if (k)
			nacre_tensor_free(y);
	}
	if (!code)
		code = page_save(&p, o->output);
	nacre_dataset_free(d);
	page_free(&p);
	return code;
}

int augment_plot(int n, char **image, const augment_options *o, const common_options *common)
{
	int64_t height = 0, width = 0;
	sheet s = {.n = n};
	nacre_error e = {0};
	int code = page_check_path(o->output);
	if (code)
		return code;
	if (is_model(o->layers)) {
		s.m = nacre_load(NULL, o->layers, &e);
		code = s.m ? 0 : fail_with(&e);
	} else {
		s.m = listed_layers(o->layers, o->size, &code);
	}
	if (!code)
		code = nacre_set_seed(s.m, (uint64_t)o->seed) ? fail_with(nacre_model_error(s.m))
							       : open_model_sizes(&s);
	if (!code)
		code = read_pictures(&s, image);
	if (!code)
		code = draw(&s, o, &height, &width);
	if (!code && common->json) {
		json_out j = {.to = stdout};
		json_open(&j, NULL, '{');
		json_text(&j, "output", o->output);
		json_whole(&j, "pictures", n);
		json_whole(&j, "samples", o->samples);
		json_whole(&j, "height", height);
		json_whole(&j, "width", width);
		json_close(&j, '}');
	}
	nacre_tensor_free(s.x);
	nacre_model_free(s.m);
	return code;
}
