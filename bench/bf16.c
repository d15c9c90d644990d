/* SPDX-License-Identifier: MIT
 *
 * bf16.c - a training step in mixed_bfloat16 beside one in float32: the time, and the loss.
 *
 *     bench/bf16 [STEPS [ROUNDS [UNITS [adam|sgd]]]]     60, 3, 4096, adam
 *
 * A network UNITS-UNITS-UNITS (relu, then linear) learns y[j] = tanh(x[j] + x[j+1]) in batches of
 * 256; a step is forward, backward and update.  In every round both models go STEPS steps from the
 * same weights over the same batches, by turns, a step each.  Prints median and best step of each,
 * and how far the losses lie apart, relative to that of f32: at most, and at the end.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <nacre.h>

#include "bench.h"

enum { BATCH = 256, BATCHES = 4, MOST = 100000 };

static double time_of[2][MOST], loss_of[2][MOST];

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void must(int good, const nacre_model *m)
{
	if (good)
		return;
	fprintf(stderr, "bf16: %s\n", m ? nacre_model_error(m)->text : "no memory");
	exit(1);
}

static nacre_model *model(nacre_policy policy, int64_t units, int adam)
{
	nacre_model *m = nacre_sequential(nacre_policy_name(policy));
	must(m != NULL, NULL);
	nacre_set_policy(m, policy);
	nacre_add(m, nacre_input(units));
	nacre_add(m, nacre_dense(units, .activation = nacre_relu));
	nacre_add(m, nacre_dense(units));
	nacre_optimizer o = adam ? nacre_adam(.learning_rate = 1e-4) : nacre_sgd();
	must(nacre_compile(m, .optimizer = o, .loss = nacre_mse) == NACRE_OK, m);
	return m;
}

/* batch b of the data: x in -1 .. 1 by a small generator */
static void batch(int b, int64_t units, nacre_tensor *x, nacre_tensor *y)
{
	uint32_t state = 12345 + (uint32_t)b;
	float *p = nacre_tensor_data(x), *q = nacre_tensor_data(y);
	for (int64_t i = 0; i < BATCH * units; i++) {
		state = state * 1664525u + 1013904223u;
		p[i] = (float)(state >> 8) / 8388608.f - 1;
	}
	for (int64_t i = 0; i < BATCH; i++)
		for (int64_t j = 0; j < units; j++)
			q[i * units + j] =
			    tanhf(p[i * units + j] + p[i * units + (j + 1) % units]);
}

static void show(const char *name, double *t, int n)
{
	bench_sort(t, n);
	printf("policy=%s median_ms=%.2f best_ms=%.2f\n", name, t[n / 2] * 1e3, t[0] * 1e3);
}

static long number(int argc, char **argv, int i, long standard)
{
	return argc > i ? strtol(argv[i], NULL, 10) : standard;
}

int main(int argc, char **argv)
{
	int steps = (int)number(argc, argv, 1, 60), rounds = (int)number(argc, argv, 2, 3);
	int64_t units = number(argc, argv, 3, 4096);
	int adam = argc <= 4 || strcmp(argv[4], "sgd") != 0, n = 0;
	const nacre_policy policy[2] = {NACRE_FLOAT32, NACRE_MIXED_BFLOAT16};
	nacre_dataset *data[BATCHES];
	if (steps < 1 || rounds < 1 || units < 1 || (int64_t)steps * rounds > MOST)
		return 2;
	for (int b = 0; b < BATCHES; b++) {
		const int64_t shape[] = {BATCH, units};
		nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 2, shape, NULL);
		nacre_tensor *y = nacre_tensor_new(NULL, NACRE_F32, 2, shape, NULL);
		must(x && y, NULL);
		batch(b, units, x, y);
		data[b] = nacre_dataset_from_tensors(NULL, x, y);
		nacre_tensor_free(x);
		nacre_tensor_free(y);
		must(data[b] != NULL, NULL);
	}
	double most = 0, last = 0;
	for (int r = 0; r < rounds; r++) {
		nacre_model *m[2];
		for (int k = 0; k < 2; k++)
			m[k] = model(policy[k], units, adam);
		for (int i = 0; i < steps; i++, n++) {
			for (int k = 0; k < 2; k++) {
				double start = now();
				nacre_result result =
				    nacre_train_on_batch(m[k], data[i % BATCHES]);
				time_of[k][n] = now() - start;
				loss_of[k][n] = result.loss;
				must(nacre_model_error(m[k])->status == NACRE_OK, m[k]);
			}
			last = fabs(loss_of[1][n] / loss_of[0][n] - 1);
			most = last > most ? last : most;
			if (r == 0 && (i < 4 || i % 10 == 9))
				printf("step=%d loss_f32=%.6f loss_bf16=%.6f\n", i + 1,
				       loss_of[0][n], loss_of[1][n]);
		}
		nacre_model_free(m[0]);
		nacre_model_free(m[1]);
	}
	for (int k = 0; k < 2; k++)
		show(nacre_policy_name(policy[k]), time_of[k], n);
	printf("isa=%s speedup_median=%.2f speedup_best=%.2f loss_off_most=%.2f%% "
	       "loss_off_last=%.2f%%\n",
	       nacre_runtime_isa(NULL), time_of[0][n / 2] / time_of[1][n / 2],
	       time_of[0][0] / time_of[1][0], most * 100, last * 100);
	for (int b = 0; b < BATCHES; b++)
		nacre_dataset_free(data[b]);
	return most <= 0.02 ? 0 : 1;
}
