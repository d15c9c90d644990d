/* SPDX-License-Identifier: MIT
 *
 * denoise.c - an autoencoder that takes noise out of handwritten digits, and a picture of digits
 * as they were, with noise, and cleaned; see docs/denoise.md.
 *
 *     denoise [EPOCHS [SAMPLES]]      5 epochs of all 60,000; writes denoise.png
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <nacre.h>

enum { SIDE = 28, PIXELS = SIDE * SIDE, SHOWN = 12, TESTS = 2000 };

static double uniform(uint64_t *state) /* in (0, 1) */
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return ((double)(*state >> 11) + 0.5) / 9007199254740992.0;
}

/* The first n digits, 0 .. 1: with noise of deviation 0.5, and without. */
static nacre_dataset *noisy(nacre_mnist_part part, int64_t n, nacre_error *e)
{
	nacre_dataset *digits = nacre_mnist(part, .image = 1), *both = NULL;
	const int64_t shape[] = {n, SIDE, SIDE, 1};
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 4, shape, e);
	nacre_tensor *y = nacre_tensor_new(NULL, NACRE_F32, 4, shape, e);
	uint64_t state = part == NACRE_TRAIN ? 1 : 2;
	for (int64_t i = 0; x && y && !e->status && i < n; i++) {
		float *to = (float *)nacre_tensor_data(x) + i * PIXELS;
		float *clean = (float *)nacre_tensor_data(y) + i * PIXELS;
		nacre_dataset_sample(digits, i, clean, e);
		for (int k = 0; k < PIXELS; k++) { /* Box and Muller's normal numbers */
			double r = sqrt(-2 * log(uniform(&state)));
			double v = clean[k] + 0.5 * r * cos(6.283185307179586 * uniform(&state));
			to[k] = (float)fmin(fmax(v, 0), 1);
		}
	}
	if (!e->status)
		both = nacre_dataset_from_tensors(NULL, x, y);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	nacre_dataset_free(digits);
	return both;
}

/* Down to 7 x 7 places of 32 numbers, and up again. */
static nacre_model *autoencoder(void)
{
	nacre_model *m = nacre_sequential("denoise");
	nacre_add(m, nacre_input(SIDE, SIDE, 1));
	for (int i = 0; i < 2; i++) {
		nacre_add(m, nacre_conv2d(32, {3, 3}, .padding = NACRE_SAME,
					  .activation = nacre_relu));
		nacre_add(m, nacre_max_pooling2d());
	}
	for (int i = 0; i < 2; i++)
		nacre_add(m, nacre_conv2d_transpose(32, {3, 3}, .strides = {2, 2},
						    .padding = NACRE_SAME,
						    .activation = nacre_relu));
	nacre_add(m, nacre_conv2d(1, {3, 3}, .padding = NACRE_SAME, .activation = nacre_sigmoid));
	nacre_compile(m, .optimizer = nacre_adam(), .loss = nacre_binary_crossentropy);
	return m;
}

/* The mean squared difference as decibels: 10 log10(1 / mse). */
static double decibels(const nacre_tensor *a, const nacre_tensor *b)
{
	const float *x = nacre_tensor_data(a), *y = nacre_tensor_data(b);
	int64_t n = nacre_tensor_shape(a)[0] * PIXELS;
	double sum = 0;
	for (int64_t i = 0; i < n; i++)
		sum += pow((double)x[i] - (double)y[i], 2);
	return -10 * log10(sum / (double)n);
}

/* Three rows: clean, with noise, cleaned. */
static int draw(const nacre_tensor *const rows[3], const char *path, nacre_error *e)
{
	const int64_t shape[] = {3 * SIDE, SHOWN * SIDE};
	nacre_tensor *sheet = nacre_tensor_new(NULL, NACRE_F32, 2, shape, e);
	for (int r = 0; r < 3 && sheet; r++)
		for (int k = 0; k < SHOWN * PIXELS; k++) {
			int digit = k / PIXELS, y = k % PIXELS / SIDE, x = k % SIDE;
			float *to = nacre_tensor_data(sheet);
			to[(r * SIDE + y) * SHOWN * SIDE + digit * SIDE + x] =
			    255 * ((const float *)nacre_tensor_data(rows[r]))[k];
		}
	if (sheet)
		nacre_image_save(sheet, path, NULL, e);
	nacre_tensor_free(sheet);
	return e->status;
}

int main(int argc, char **argv)
{
	int epochs = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 5;
	int64_t samples = argc > 2 ? strtol(argv[2], NULL, 10) : 60000;
	nacre_error e = {0};
	nacre_dataset *train = noisy(NACRE_TRAIN, samples, &e);
	nacre_dataset *test = noisy(NACRE_TEST, TESTS, &e);
	nacre_model *m = autoencoder();

	nacre_fit(m, train, .epochs = epochs);
	nacre_tensor *cleaned = nacre_predict(m, test);
	int status = nacre_report(m);
	if (!status) {
		const nacre_tensor *x = nacre_dataset_input(test, 0);
		const nacre_tensor *y = nacre_dataset_target(test, 0);
		printf("test: %.2f dB with noise, %.2f dB cleaned\n", decibels(x, y),
		       decibels(cleaned, y));
		status = draw((const nacre_tensor *const[]){y, x, cleaned}, "denoise.png", &e);
	}
	if (e.status)
		fprintf(stderr, "denoise: %s\n", e.text);
	nacre_tensor_free(cleaned);
	nacre_model_free(m);
	nacre_dataset_free(train);
	nacre_dataset_free(test);
	return status || e.status;
}
