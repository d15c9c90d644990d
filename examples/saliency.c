/* SPDX-License-Identifier: MIT
 *
 * saliency.c - which pixels made a network see that digit: digits of the test, and below them what
 * each method finds; see docs/interpretability.md.
 *
 *     saliency [EPOCHS [SAMPLES]]       3 epochs of all 60,000; draws saliency.png
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nacre.h>

enum { DIGITS = 10, SIDE = 28, CELL = 4 * SIDE };

static nacre_model *network(void)
{
	nacre_model *m = nacre_sequential("digits");
	nacre_add(m, nacre_input(SIDE, SIDE, 1));
	nacre_add(m, nacre_conv2d(16, {3}, .activation = nacre_relu));
	nacre_add(m, nacre_max_pooling2d({2}));
	nacre_add(m, nacre_conv2d(32, {3}, .activation = nacre_relu));
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dropout(0.5));
	nacre_add(m, nacre_dense(10, .activation = nacre_softmax));
	nacre_compile(m, .optimizer = nacre_adam(), .loss = nacre_categorical_crossentropy,
		      .metrics = {nacre_accuracy});
	return m;
}

/* Digit i, larger. */
static nacre_tensor *picture(nacre_dataset *digits, int i, nacre_error *e)
{
	nacre_image_options size = {.height = CELL, .width = CELL, .interpolation = NACRE_NEAREST};
	nacre_tensor *one = nacre_tensor_slice(nacre_dataset_input(digits, 0), 0, i, i + 1, 1, e);
	nacre_tensor *flat =
	    one ? nacre_tensor_reshape(one, 3, (int64_t[]){SIDE, SIDE, 1}, e) : NULL;
	nacre_tensor *large = flat ? nacre_image_resize(flat, &size, e) : NULL;
	nacre_tensor_free(one);
	nacre_tensor_free(flat);
	return large;
}

/* Digit i under a map of all of them, at its place on the sheet; without a map the digit alone. */
static void draw(unsigned char *sheet, int row, int i, const nacre_tensor *map,
		 nacre_dataset *digits, nacre_error *e)
{
	nacre_heat_options heat = {.opacity = map ? 0 : NACRE_ZERO};
	nacre_tensor *under = picture(digits, i, e);
	nacre_tensor *one = map ? nacre_tensor_slice(map, 0, i, i + 1, 1, e)
				: nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){1, 1}, e);
	nacre_tensor *drawing = one && under ? nacre_heat_map(one, under, &heat, e) : NULL;
	for (size_t y = 0; drawing && y < CELL; y++)
		memcpy(sheet + (((size_t)row * CELL + y) * DIGITS + (size_t)i) * CELL * 3,
		       (unsigned char *)nacre_tensor_data(drawing) + y * CELL * 3, CELL * 3);
	nacre_tensor_free(under);
	nacre_tensor_free(one);
	nacre_tensor_free(drawing);
}

static void draw_all(nacre_model *m, nacre_dataset *digits, nacre_error *e)
{
	int64_t shape[] = {CELL * (1 + NACRE_SALIENCY_METHODS), CELL * DIGITS, 3};
	nacre_tensor *sheet = nacre_tensor_new(NULL, NACRE_U8, 3, shape, e);
	for (int row = 0; sheet && row <= NACRE_SALIENCY_METHODS; row++) {
		nacre_saliency_method method = (nacre_saliency_method)(row - 1);
		nacre_tensor *map = row ? nacre_saliency(m, digits, .method = method) : NULL;
		for (int i = 0; i < DIGITS && !nacre_model_error(m)->status; i++)
			draw(nacre_tensor_data(sheet), row, i, map, digits, e);
		nacre_tensor_free(map);
	}
	if (sheet && !e->status)
		nacre_image_save(sheet, "saliency.png", NULL, e);
	nacre_tensor_free(sheet);
}

int main(int argc, char **argv)
{
	int epochs = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 3;
	long samples = argc > 2 ? strtol(argv[2], NULL, 10) : 60000;
	nacre_error e = {0};
	nacre_dataset *all = nacre_mnist(NACRE_TRAIN, .image = 1);
	nacre_dataset *test = nacre_mnist(NACRE_TEST, .image = 1);
	nacre_dataset *train = nacre_dataset_slice(all, 0, samples);
	nacre_dataset *digits = nacre_dataset_slice(test, 0, DIGITS);
	nacre_model *m = network();

	nacre_fit(m, train, .epochs = epochs, .batch_size = 128);
	nacre_result r = nacre_evaluate(m, test, .verbose = NACRE_SILENT);
	if (!r.status)
		draw_all(m, digits, &e);
	if (e.status)
		fprintf(stderr, "saliency: %s\n", e.text);
	else if (!r.status)
		printf("drew saliency.png; test accuracy %.4f\n", r.metric[0]);

	int status = nacre_report(m);
	nacre_model_free(m);
	nacre_dataset_free(digits);
	nacre_dataset_free(train);
	nacre_dataset_free(test);
	nacre_dataset_free(all);
	return status ? status : (int)e.status;
}
