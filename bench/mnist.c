/* SPDX-License-Identifier: MIT
 *
 * mnist.c - the program that the peers' ones stand beside (bench/peers): MNIST with Adam, with the
 * public interface alone, and the time of each part in one line.
 *
 *     bench/mnist [threads [seed [mlp|no-zeros|convnet]]]        (0 threads: one per CPU)
 *
 * mlp is 784-512-10, five epochs; no-zeros the same with black pixels of 1/255 instead of 0, which
 * four in five are: products leave zeros out; convnet is Keras's example, two epochs.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <nacre.h>

#include "bench.h"

enum { EPOCHS = 5, CONVNET_EPOCHS = 2 };

static double now(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Seconds since the kernel started this process: the 22nd field of /proc/self/stat, in ticks since
 * boot; the second field is a name that may hold blanks.  0 where that cannot be read. */
static double since_start(void)
{
	char text[1024];
	FILE *f = fopen("/proc/self/stat", "r");
	if (!f)
		return 0;
	size_t n = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[n] = 0;
	const char *p = strrchr(text, ')');
	for (int field = 2; p && field < 22; field++)
		p = strchr(p + 1, ' ');
	if (!p)
		return 0;
	double age = now(CLOCK_BOOTTIME) - strtod(p, NULL) / (double)sysconf(_SC_CLK_TCK);
	return age > 0 ? age : 0;
}

typedef struct epochs {
	double begin, seconds[EPOCHS];
} epochs;

static int begin(void *context, nacre_model *model, int epoch)
{
	(void)model, (void)epoch;
	((epochs *)context)->begin = now(CLOCK_MONOTONIC);
	return 0;
}

static int end(void *context, nacre_model *model, int epoch, const nacre_logs *logs)
{
	(void)model, (void)logs;
	epochs *e = context;
	if (epoch < EPOCHS)
		e->seconds[epoch] = now(CLOCK_MONOTONIC) - e->begin;
	return 0;
}

static void add_mlp(nacre_model *m)
{
	nacre_add(m, nacre_input(784));
	nacre_add(m, nacre_dense(512, .activation = nacre_relu));
}

static void add_convnet(nacre_model *m)
{
	nacre_add(m, nacre_input(784));
	nacre_add(m, nacre_reshape_layer(28, 28, 1));
	nacre_add(m, nacre_conv2d(32, {3}, .activation = nacre_relu));
	nacre_add(m, nacre_max_pooling2d());
	nacre_add(m, nacre_conv2d(64, {3}, .activation = nacre_relu));
	nacre_add(m, nacre_max_pooling2d());
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dropout(0.5));
}

int main(int argc, char **argv)
{
	double born = since_start(), start = now(CLOCK_MONOTONIC);
	int threads = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 0;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	bool convnet = argc > 3 && !strcmp(argv[3], "convnet");
	int n_epochs = convnet ? CONVNET_EPOCHS : EPOCHS;
	if (nacre_runtime_set_threads(NULL, threads)) {
		fprintf(stderr, "mnist: cannot compute on '%s' threads\n", argv[1]);
		return 2;
	}

	nacre_dataset *train = nacre_mnist(NACRE_TRAIN), *test = nacre_mnist(NACRE_TEST);
	if (argc > 3 && !strcmp(argv[3], "no-zeros")) {
		nacre_dataset_set_scale(train, 0, 1 / 255., 1 / 255.);
		nacre_dataset_set_scale(test, 0, 1 / 255., 1 / 255.);
	}
	double loaded = now(CLOCK_MONOTONIC);

	nacre_model *m = nacre_sequential("mnist");
	nacre_set_seed(m, seed);
	(convnet ? add_convnet : add_mlp)(m);
	nacre_add(m, nacre_dense(10, .activation = nacre_softmax));
	nacre_compile(m, .optimizer = nacre_adam(), .loss = nacre_categorical_crossentropy,
		      .metrics = {nacre_accuracy});
	double compiled = now(CLOCK_MONOTONIC);

	epochs e = {0};
	nacre_callback timer = {.context = &e, .on_epoch_begin = begin, .on_epoch_end = end};
	nacre_fit(m, train, .epochs = n_epochs, .batch_size = 128, .verbose = NACRE_SILENT,
		  .callbacks = {timer});
	double fitted = now(CLOCK_MONOTONIC);

	nacre_result r = nacre_evaluate(m, test, .verbose = NACRE_SILENT);
	double done = now(CLOCK_MONOTONIC);

	int failed = nacre_report(m);
	if (!failed) {
		printf("name=nacre start=%.4f load=%.4f compile=%.4f fit=%.4f epochs=", born,
		       loaded - start, compiled - loaded, fitted - compiled);
		for (int i = 0; i < n_epochs; i++)
			printf("%s%.4f", i ? "," : "", e.seconds[i]);
		printf(" evaluate=%.4f total=%.4f loss=%.4f accuracy=%.4f", done - fitted,
		       born + done - start, r.loss, r.metric[0]);
		printf(" memory_mb=%.1f threads=%d isa=%s\n", bench_peak_memory(),
		       nacre_runtime_threads(NULL), nacre_runtime_isa(NULL));
	}
	nacre_model_free(m);
	nacre_dataset_free(train);
	nacre_dataset_free(test);
	return failed;
}
