/* SPDX-License-Identifier: MIT
 *
 * vision.c - image networks, as the peers' programs run them (bench/peers): bench/run-vision starts
 * all of them by turns.
 *
 *     bench/vision weights NETWORK FOLDER          draws weights: NETWORK.keras and .safetensors
 *     bench/vision infer NETWORK FOLDER BATCH THREADS [4x4]
 *     bench/vision pictures N FOLDER               the first of CIFAR-10: cifar.x.npy, cifar.y.npy
 *     bench/vision train resnet20 FOLDER THREADS   on those, batch 128, changed at random
 *     bench/vision train resnet50 - THREADS        steps on one batch of 16 made up pictures
 *
 * infer reads the weights, predicts the first BATCH pictures of NETWORK.x.npy again and again, and
 * tells by how much it differs from NETWORK.y.npy, which the peer wrote: the largest difference, by
 * the largest number there.  4x4: with nacre_set_fast_convolution().  Networks end before the
 * softmax, for what it gives hides differences.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nacre.h>

#include "bench.h"

enum { MANY = 1000, LEAST = 3, EPOCHS = 4, STEPS = 5, SIDE = 32, SMALL_BATCH = 128, BATCH = 16 };
static const double seconds = 1.5; /* of predictions, if that is more than LEAST */

static nacre_error error;
static double times[MANY];

static const struct network {
	const char *name;
	nacre_model *(*new)(nacre_application_options options);
} networks[] = {
    {"vgg16", nacre_vgg16_new},
    {"resnet50", nacre_resnet50_new},
    {"mobilenet_v2", nacre_mobilenet_v2_new},
    {"efficientnet_b0", nacre_efficientnet_b0_new},
};

static void must(bool good)
{
	if (good)
		return;
	fprintf(stderr, "vision: %s\n", error.text[0] ? error.text : "a check failed");
	exit(1);
}

static void model_must(nacre_model *m)
{
	must(m != NULL);
	error = *nacre_model_error(m);
	must(!error.status);
}

static const char *path(const char *folder, const char *name, const char *end)
{
	static char text[4096];
	must(snprintf(text, sizeof text, "%s/%s%s", folder, name, end) < (int)sizeof text);
	return text;
}

static nacre_model *network(const char *name, const char *weights)
{
	for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
		if (!strcmp(networks[i].name, name))
			return networks[i].new((nacre_application_options){
			    .classifier_activation = nacre_linear, .weights = weights});
	fprintf(stderr, "vision: there is no network '%s'\n", name);
	exit(2);
}

/* Numbers that keep their size on their way through the network (variance 2 / fan-in, for relu),
 * and normalizations that change what goes through them. */
static void draw(const char *name, nacre_tensor *t)
{
	int rank = nacre_tensor_rank(t);
	const int64_t *shape = nacre_tensor_shape(t);
	bool depthwise = rank == 4 && shape[3] == 1;
	int64_t n = nacre_tensor_size(t), in = 1;
	for (int i = 0; i < rank - 1 - depthwise; i++)
		in *= shape[i];
	double width = strstr(name, "kernel") ? sqrt(24. / (double)in) : 0.2;
	double middle = strstr(name, "gamma") || strstr(name, "variance") ? 1 : 0;
	float *p = nacre_tensor_data(t);
	bench_fill(p, n);
	for (int64_t i = 0; i < n; i++)
		p[i] = (float)(middle + width * (double)p[i]);
}

static void weights(const char *name, const char *folder)
{
	nacre_model *m = network(name, NULL);
	model_must(m);
	for (int i = 0; i < nacre_model_weights(m); i++) {
		const char *weight = nacre_model_weight_name(m, i);
		nacre_tensor *t = nacre_get_weight(m, weight);
		must(t != NULL);
		if (nacre_tensor_dtype(t) == NACRE_F32 && strncmp(weight, "normalization/", 14)) {
			draw(weight, t);
			nacre_set_weight(m, weight, t);
		}
		nacre_tensor_free(t);
	}
	nacre_save(m, path(folder, name, ".keras"));
	nacre_save(m, path(folder, name, ".safetensors"));
	model_must(m);
	nacre_model_free(m);
}

static nacre_tensor *first_rows(const char *file, int64_t n)
{
	nacre_tensor *all = nacre_npy_load(NULL, file, &error);
	must(all != NULL);
	nacre_tensor *some = nacre_tensor_slice(all, 0, 0, n, 1, &error);
	must(some != NULL);
	nacre_tensor *copy = nacre_tensor_new(NULL, NACRE_F32, nacre_tensor_rank(some),
					      nacre_tensor_shape(some), &error);
	must(copy && !nacre_tensor_copy(copy, some, &error));
	nacre_tensor_free(some);
	nacre_tensor_free(all);
	return copy;
}

static double difference(const nacre_tensor *a, const nacre_tensor *b)
{
	double most = 0, size = 0;
	must(nacre_tensor_size(a) == nacre_tensor_size(b));
	for (int64_t i = 0; i < nacre_tensor_size(a); i++) {
		double d = fabs(nacre_tensor_get(a, i) - nacre_tensor_get(b, i));
		most = d <= most ? most : d; /* a NaN stays */
		size = fmax(size, fabs(nacre_tensor_get(b, i)));
	}
	return most / size;
}

static void show(const char *name, int n, double by)
{
	bench_sort(times, n);
	printf("name=nacre network=%s median=%.6f best=%.6f memory_mb=%.1f threads=%d isa=%s", name,
	       times[n / 2] * by, times[0] * by, bench_peak_memory(), nacre_runtime_threads(NULL),
	       nacre_runtime_isa(NULL));
}

static void infer(const char *name, const char *folder, int64_t batch, bool fast)
{
	double start = bench_now();
	nacre_tensor *x = first_rows(path(folder, name, ".x.npy"), batch);
	nacre_model *m = network(name, path(folder, name, ".safetensors"));
	nacre_dataset *pictures = nacre_dataset_from_tensors(NULL, x, NULL);
	nacre_set_fast_convolution(m, fast);
	nacre_tensor *y = nacre_predict_on_batch(m, pictures, NULL);
	double first = bench_now() - start;
	model_must(m);
	int n = 0;
	for (start = bench_now(); n < LEAST || (n < MANY && bench_now() - start < seconds); n++) {
		nacre_tensor_free(y);
		double began = bench_now();
		y = nacre_predict_on_batch(m, pictures, NULL);
		times[n] = bench_now() - began;
	}
	model_must(m);
	show(name, n, 1);
	nacre_tensor *wanted = first_rows(path(folder, name, ".y.npy"), batch);
	printf(" batch=%d first=%.4f difference=%.2e\n", (int)batch, first, difference(y, wanted));
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	nacre_tensor_free(wanted);
	nacre_dataset_free(pictures);
	nacre_model_free(m);
}

static void pictures(int64_t n, const char *folder)
{
	nacre_dataset *d = nacre_cifar10(NACRE_TRAIN, .data = {.image.dtype = NACRE_U8});
	error = *nacre_dataset_error(d);
	must(!error.status);
	if (n < 1 || n > nacre_dataset_size(d)) {
		fprintf(stderr, "vision: there are %lld pictures\n",
			(long long)nacre_dataset_size(d));
		exit(2);
	}
	const int64_t shape[] = {n, SIDE, SIDE, 3};
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_U8, 4, shape, &error);
	nacre_tensor *y = nacre_tensor_new(NULL, NACRE_I32, 1, shape, &error);
	must(x && y);
	uint8_t *p = nacre_tensor_data(x);
	float sample[SIDE * SIDE * 3];
	for (int64_t i = 0; i < n; i++) {
		must(!nacre_dataset_sample(d, i, sample, &error));
		for (int j = 0; j < SIDE * SIDE * 3; j++)
			*p++ = (uint8_t)sample[j];
		nacre_tensor_set(y, i, (double)nacre_dataset_label(d, i));
	}
	must(!nacre_npy_save(x, path(folder, "cifar", ".x.npy"), &error));
	must(!nacre_npy_save(y, path(folder, "cifar", ".y.npy"), &error));
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	nacre_dataset_free(d);
}

static void compile(nacre_model *m, double rate)
{
	nacre_compile(m, .optimizer = nacre_sgd(rate, .momentum = 0.9, .nesterov = 1),
		      .loss = nacre_sparse_categorical_crossentropy);
}

static int begin(void *context, nacre_model *model, int epoch)
{
	(void)context, (void)model;
	times[epoch] = bench_now();
	return 0;
}

static int end(void *context, nacre_model *model, int epoch, const nacre_logs *logs)
{
	(void)context, (void)model, (void)logs;
	times[epoch] = bench_now() - times[epoch];
	return 0;
}

/* As examples/objects.c: every other picture is mirrored, each is shifted by up to 4 pixels. */
static void small_pictures(const char *folder)
{
	nacre_tensor *x = nacre_npy_load(NULL, path(folder, "cifar", ".x.npy"), &error);
	nacre_tensor *y = x ? nacre_npy_load(NULL, path(folder, "cifar", ".y.npy"), &error) : NULL;
	must(x && y);
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, x, y);
	nacre_dataset_set_scale(d, 0, 1 / 127.5, -1);
	nacre_dataset_set_classes(d, 0, 10);
	nacre_model *map = nacre_sequential("changes"), *m = nacre_resnet20();
	nacre_add(map, nacre_input(SIDE, SIDE, 3));
	nacre_add(map, nacre_random_flip(NACRE_FLIP_HORIZONTAL));
	nacre_add(map, nacre_random_translation(4.0 / SIDE, 4.0 / SIDE,
						.fill_mode = NACRE_FILL_CONSTANT,
						.interpolation = NACRE_NEAREST));
	nacre_dataset_map(d, map);
	compile(m, 0.05);
	nacre_callback timer = {.on_epoch_begin = begin, .on_epoch_end = end};
	nacre_fit(m, d, .epochs = EPOCHS, .batch_size = SMALL_BATCH, .verbose = NACRE_SILENT,
		  .callbacks = {timer});
	model_must(m);
	memmove(times, times + 1, (EPOCHS - 1) * sizeof *times); /* the first is the warm-up */
	show("resnet20", EPOCHS - 1, (double)SMALL_BATCH / (double)nacre_dataset_size(d));
	printf(" batch=%d parameters=%lld loss=%.4f\n", SMALL_BATCH,
	       (long long)nacre_model_trainable_parameters(m),
	       nacre_history(m, "loss", EPOCHS - 1));
	nacre_model_free(m);
	nacre_model_free(map);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
}

static void large_pictures(void)
{
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 4, (int64_t[]){BATCH, 224, 224, 3},
					   &error);
	nacre_tensor *y = nacre_tensor_new(NULL, NACRE_I32, 1, (int64_t[]){BATCH}, &error);
	must(x && y);
	bench_fill(nacre_tensor_data(x), nacre_tensor_size(x));
	for (int i = 0; i < BATCH; i++)
		nacre_tensor_set(y, i, i * 61 % 1000);
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, x, y);
	nacre_dataset_set_classes(d, 0, 1000);
	nacre_model *m = nacre_resnet50();
	compile(m, 0.01);
	double loss = 0;
	for (int i = -2; i < STEPS; i++) { /* two are the warm-up */
		double began = bench_now();
		loss = nacre_train_on_batch(m, d).loss;
		times[i < 0 ? 0 : i] = bench_now() - began;
	}
	model_must(m);
	show("resnet50", STEPS, 1);
	printf(" batch=%d parameters=%lld loss=%.4f\n", BATCH,
	       (long long)nacre_model_trainable_parameters(m), loss);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
}

static int number(const char *text)
{
	return (int)strtol(text, NULL, 10);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	bool fast = argc == 7 && !strcmp(argv[6], "4x4");
	bool infers = (argc == 6 || fast) && !strcmp(what, "infer");
	bool trains = argc == 5 && !strcmp(what, "train");
	const char *threads = infers ? argv[5] : trains ? argv[4] : "0";
	if (nacre_runtime_set_threads(NULL, number(threads))) {
		fprintf(stderr, "vision: cannot compute on '%s' threads\n", threads);
		return 2;
	}
	if (infers)
		infer(argv[2], argv[3], number(argv[4]), fast);
	else if (argc == 4 && !strcmp(what, "weights"))
		weights(argv[2], argv[3]);
	else if (argc == 4 && !strcmp(what, "pictures"))
		pictures(number(argv[2]), argv[3]);
	else if (trains && !strcmp(argv[2], "resnet20"))
		small_pictures(argv[3]);
	else if (trains && !strcmp(argv[2], "resnet50"))
		large_pictures();
	else {
		fprintf(stderr, "vision: see the head of bench/vision.c\n");
		return 2;
	}
	return 0;
}
