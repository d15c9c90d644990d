/* SPDX-License-Identifier: MIT
 *
 * overhead.c - what metrics and callbacks cost: the fit of MNIST without any, and with two metrics
 * and five callbacks, in turns.  Writing files is part of the cost.
 *
 * usage: bench_overhead [threads [rounds [epochs]]]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <nacre.h>

#include "bench.h"
#include "base/base.h"

/* Seconds of all threads: other work on the machine does not count. */
static double processor(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int idle(void *context, nacre_model *m, int64_t batch, const nacre_logs *logs)
{
	(void)m, (void)batch;
	*(double *)context += nacre_logs_get(logs, "loss");
	return 0;
}

typedef struct spent {
	double wall, processor;
} spent;

static spent fit(nacre_runtime *rt, nacre_dataset *data, bool all, int epochs)
{
	double sum = 0;
	nacre_callback own = {.context = &sum, .on_train_batch_end = idle};
	nacre_model *m = nacre_sequential_in(rt, "mnist");
	nacre_add(m, nacre_input(784));
	nacre_add(m, nacre_dense(512, .activation = nacre_relu));
	nacre_add(m, nacre_dense(10, .activation = nacre_softmax));
	nacre_compile_options how = {.optimizer = nacre_adam(),
				     .loss = nacre_categorical_crossentropy};
	nacre_fit_options o = {
	    .data = data, .epochs = epochs, .batch_size = 128, .verbose = NACRE_SILENT};
	if (all) {
		how.metrics[0] = nacre_accuracy;
		how.metrics[1] = nacre_top_k_categorical_accuracy;
		o.callbacks[0] = nacre_early_stopping(.monitor = "loss", .patience = 3);
		o.callbacks[1] = nacre_reduce_lr_on_plateau(.monitor = "loss");
		o.callbacks[2] = nacre_csv_logger("overhead.csv");
		o.callbacks[3] = nacre_terminate_on_nan();
		o.callbacks[4] = own;
	}
	nacre_compile_with(m, how);
	spent s = {nc_now(), processor()};
	nacre_fit_with(m, o);
	s = (spent){nc_now() - s.wall, processor() - s.processor};
	if (nacre_report(m))
		exit(1);
	nacre_model_free(m);
	return s;
}

int main(int argc, char **argv)
{
	enum { MOST = 50 };
	nacre_runtime_options o = {.threads = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 2};
	int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5;
	int epochs = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 1;
	double time[2][2][MOST];
	nacre_runtime *rt = nacre_runtime_new(&o, NULL);
	nacre_dataset *data = nacre_mnist(NACRE_TRAIN, .runtime = rt);
	rounds = rounds < 1 ? 1 : rounds > MOST ? MOST : rounds;
	fit(rt, data, false, 1);
	for (int r = 0; r < rounds; r++)
		for (int all = 0; all < 2; all++) {
			spent s = fit(rt, data, all, epochs);
			time[all][0][r] = s.wall;
			time[all][1][r] = s.processor;
		}
	for (int all = 0; all < 2; all++)
		for (int k = 0; k < 2; k++)
			bench_sort(time[all][k], rounds);
	for (int k = 0; k < 2; k++)
		printf("%-10s without %.3f s, with metrics and callbacks %.3f s: %+.1f %% "
		       "(medians of %d; the best: %+.1f %%)\n",
		       k ? "processor" : "wall", time[0][k][rounds / 2], time[1][k][rounds / 2],
		       100 * (time[1][k][rounds / 2] / time[0][k][rounds / 2] - 1), rounds,
		       100 * (time[1][k][0] / time[0][k][0] - 1));
	unlink("overhead.csv");
	nacre_dataset_free(data);
	nacre_runtime_free(rt);
	return 0;
}
