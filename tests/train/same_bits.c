/* SPDX-License-Identifier: MIT
 *
 * same_bits.c - one seed, one result: on any number of threads, run after run; another seed
 * differs.
 */
#include <pthread.h>

#include "help.h"

enum { STEPS = 50, BATCH = 48, SAMPLES = 1000, INPUTS = 37, WEIGHTS = 6 };
static const char *const names[WEIGHTS] = {"dense/kernel",
					   "dense/bias",
					   "batch_normalization/gamma",
					   "batch_normalization/moving_variance",
					   "dense_1/kernel",
					   "dense_1/bias"};

typedef struct weights {
	nacre_tensor *w[WEIGHTS];
	double loss;
} weights;

/* Layers of odd sizes with dropout, batch normalization and shuffling: 50 steps and a bit. */
static weights train(int threads, uint64_t seed, nacre_optimizer optimizer)
{
	nacre_runtime_options o = {.threads = threads, .output.silent = 1};
	nacre_runtime *rt = nacre_runtime_new(&o, NULL);
	nacre_dataset *d = classes(rt, SAMPLES, INPUTS, 5);
	nacre_model *m = nacre_sequential_in(rt, "m");
	weights out = {.loss = 0};
	nacre_set_seed(m, seed);
	nacre_add(m, nacre_input(INPUTS));
	nacre_add(m, nacre_dropout(0.1));
	nacre_add(m, nacre_dense(129, .activation = nacre_gelu));
	nacre_add(m, nacre_batch_normalization());
	nacre_add(m, nacre_dropout(0.3));
	nacre_add(
	    m, nacre_dense(5, .activation = nacre_softmax, .kernel_regularizer = nacre_l2(1e-3)));
	nacre_compile(m, .optimizer = optimizer, .loss = nacre_categorical_crossentropy,
		      .metrics = {nacre_accuracy});
	nacre_fit(m, d, .epochs = (STEPS * BATCH + SAMPLES - 1) / SAMPLES, .batch_size = BATCH);
	CHECK(nacre_iterations(m) >= STEPS);
	out.loss = nacre_evaluate(m, d).loss;
	for (int i = 0; i < WEIGHTS; i++)
		out.w[i] = nacre_get_weight(m, names[i]);
	CHECK_FINE(m);
	nacre_model_free(m);
	nacre_dataset_free(d);
	for (int i = 0; i < WEIGHTS; i++) { /* outlive the runtime */
		nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, nacre_tensor_rank(out.w[i]),
						   nacre_tensor_shape(out.w[i]), NULL);
		nacre_tensor_copy(t, out.w[i], NULL);
		nacre_tensor_free(out.w[i]);
		out.w[i] = t;
	}
	nacre_runtime_free(rt);
	return out;
}

static bool equal(const weights *a, const weights *b, bool all)
{
	bool same = a->loss == b->loss;
	for (int i = 0; i < WEIGHTS; i++) {
		size_t size = (size_t)nacre_tensor_size(a->w[i]) * sizeof(float);
		bool one =
		    memcmp(nacre_tensor_data(a->w[i]), nacre_tensor_data(b->w[i]), size) == 0;
		if (all && !one)
			test_failed(__FILE__, __LINE__, "%s differs", names[i]);
		same = same && one;
	}
	return same;
}

static void drop(weights *a)
{
	for (int i = 0; i < WEIGHTS; i++)
		nacre_tensor_free(a->w[i]);
}

TEST(any_number_of_threads)
{
	static const int counts[] = {2, 3, 4, 7};
	nacre_optimizer all[] = {nacre_adam(), nacre_sgd(0.05, .momentum = 0.9, .nesterov = 1)};
	for (int k = 0; k < 2; k++) {
		weights one = train(1, 42, all[k]);
		for (int i = 0; i < 4; i++) {
			weights more = train(counts[i], 42, all[k]);
			CHECK(equal(&one, &more, true));
			drop(&more);
		}
		drop(&one);
	}
}

TEST(another_seed)
{
	weights a = train(2, 1, nacre_adam()), b = train(2, 2, nacre_adam());
	CHECK(!equal(&a, &b, false));
	for (int i = 0; i < WEIGHTS; i++) {
		size_t size = (size_t)nacre_tensor_size(a.w[i]) * sizeof(float);
		CHECK(memcmp(nacre_tensor_data(a.w[i]), nacre_tensor_data(b.w[i]), size) != 0);
	}
	drop(&a);
	drop(&b);
}

/* -- many models on many threads, on one runtime and on runtimes of their own -- */
enum { MODELS = 8 };

typedef struct job {
	nacre_runtime *rt;
	double loss;
} job;

static void *train_one(void *arg)
{
	job *j = arg;
	nacre_dataset *d = classes(j->rt, 300, 10, 3);
	nacre_model *m = classifier(j->rt, 10, 64, 3);
	nacre_fit(m, d, .epochs = 3, .verbose = NACRE_SILENT);
	j->loss = nacre_evaluate(m, d, .verbose = NACRE_SILENT).loss;
	if (nacre_model_error(m)->status)
		j->loss = NAN;
	nacre_model_free(m);
	nacre_dataset_free(d);
	return NULL;
}

static void many(bool own)
{
	static job jobs[MODELS];
	static pthread_t thread[MODELS];
	job alone = {.rt = NULL};
	train_one(&alone);
	for (int i = 0; i < MODELS; i++) {
		jobs[i] = (job){.rt = own ? quiet(NULL, 0) : NULL};
		CHECK_EQ(pthread_create(&thread[i], NULL, train_one, &jobs[i]), 0);
	}
	for (int i = 0; i < MODELS; i++) {
		CHECK_EQ(pthread_join(thread[i], NULL), 0);
		CHECK(jobs[i].loss == alone.loss);
		if (own)
			nacre_runtime_free(jobs[i].rt);
	}
}

TEST(many_models_on_one_runtime)
{
	many(false);
}

TEST(many_models_on_their_own)
{
	many(true);
}
