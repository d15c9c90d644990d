/* SPDX-License-Identifier: MIT
 *
 * same_bits_conv.c - a convnet trained on 1, 2, 3, 4 and 7 threads: the same loss and weights, bit
 * for bit, whichever kernel a layer takes: direct, Winograd's, depthwise, with strides, 1x1.
 */
#include "help.h"
#include "train/model.h"

enum { SIDE = 17, SAMPLES = 80, BATCH = 32, MOST = 32 };

typedef struct outcome {
	double loss;
	int n;
	nacre_tensor *w[MOST];
} outcome;

static void add_layers(nacre_model *m)
{
	nacre_add(m, nacre_input(SIDE * SIDE * 3));
	nacre_add(m, nacre_reshape_layer(SIDE, SIDE, 3));
	nacre_add(m, nacre_conv2d(17, {5, 3}, .padding = NACRE_SAME, .activation = nacre_relu));
	nacre_add(m, nacre_batch_normalization());
	nacre_add(m, nacre_conv2d(32, {3}, .padding = NACRE_SAME, .activation = nacre_relu));
	nacre_add(m, nacre_max_pooling2d());
	nacre_add(m, nacre_depthwise_conv2d({3}, .padding = NACRE_SAME));
	nacre_add(m, nacre_conv2d(24, {1}));
	nacre_add(m, nacre_conv2d(20, {3}, .strides = {2}, .activation = nacre_relu));
	nacre_add(m, nacre_global_average_pooling2d());
	nacre_add(m, nacre_dropout(0.2));
	nacre_add(m, nacre_dense(4, .activation = nacre_softmax));
}

static outcome train(int threads)
{
	nacre_runtime_options o = {.threads = threads, .output.silent = 1};
	nacre_runtime *rt = nacre_runtime_new(&o, NULL);
	nacre_dataset *d = classes(rt, SAMPLES, SIDE * SIDE * 3, 4);
	nacre_model *m = nacre_sequential_in(rt, "m");
	outcome out = {0};
	nacre_set_seed(m, 5);
	add_layers(m);
	nacre_compile(m, .optimizer = nacre_adam(), .loss = nacre_categorical_crossentropy);
	nacre_fit(m, d, .epochs = 3, .batch_size = BATCH);
	out.loss = nacre_evaluate(m, d).loss;
	out.n = (int)nacre_model_weights(m);
	CHECK(out.n <= MOST);
	nacre_tensor *w[MOST] = {NULL};
	CHECK_EQ(nacre_get_weights(m, w), NACRE_OK);
	for (int i = 0; i < out.n; i++) { /* outlive the runtime */
		out.w[i] = nacre_tensor_new(NULL, NACRE_F32, nacre_tensor_rank(w[i]),
					    nacre_tensor_shape(w[i]), NULL);
		nacre_tensor_copy(out.w[i], w[i], NULL);
		nacre_tensor_free(w[i]);
	}
	CHECK_FINE(m);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
	return out;
}

static void drop(outcome *o)
{
	for (int i = 0; i < o->n; i++)
		nacre_tensor_free(o->w[i]);
}

TEST(a_convnet_on_any_number_of_threads)
{
	static const int threads[] = {2, 3, 4, 7};
	outcome one = train(1);
	CHECK(one.loss > 0 && isfinite(one.loss));
	for (int t = 0; t < 4; t++) {
		outcome more = train(threads[t]);
		CHECK(more.loss == one.loss && more.n == one.n);
		for (int i = 0; i < one.n; i++)
			if (memcmp(nacre_tensor_data(one.w[i]), nacre_tensor_data(more.w[i]),
				   (size_t)nacre_tensor_size(one.w[i]) * sizeof(float)) != 0)
				test_failed(__FILE__, __LINE__, "weight %d differs on %d threads",
					    i, threads[t]);
		drop(&more);
	}
	drop(&one);
}

/* largest difference of two predictions of probabilities */
static double apart(const nacre_tensor *a, const nacre_tensor *b)
{
	double worst = 0;
	CHECK_EQ(nacre_tensor_size(a), nacre_tensor_size(b));
	for (int64_t i = 0; i < nacre_tensor_size(a); i++)
		worst = fmax(worst, fabs(nacre_tensor_get(a, i) - nacre_tensor_get(b, i)));
	return worst;
}

TEST(fast_convolution_is_of_predict_alone_and_may_be_taken_back)
{
	nacre_runtime_options o = {.output.silent = 1};
	nacre_runtime *rt = nacre_runtime_new(&o, NULL);
	nacre_dataset *d = classes(rt, SAMPLES, SIDE * SIDE * 3, 4);
	nacre_model *m = nacre_sequential_in(rt, "m");
	add_layers(m);
	nacre_compile(m, .loss = nacre_categorical_crossentropy);
	double loss = nacre_evaluate(m, d).loss;
	nacre_tensor *plain = nacre_predict(m, d);
	CHECK_EQ(nacre_set_fast_convolution(m, 1), NACRE_OK);
	nacre_tensor *fast = nacre_predict(m, d);
	CHECK(apart(plain, fast) > 0);
	CHECK(apart(plain, fast) < 1e-5);
	CHECK(nacre_evaluate(m, d).loss == loss);
	CHECK_EQ(nacre_set_fast_convolution(m, 0), NACRE_OK);
	nacre_tensor *again = nacre_predict(m, d);
	CHECK(apart(plain, again) == 0);
	CHECK_FINE(m);
	CHECK_EQ(nacre_set_fast_convolution(NULL, 1), NACRE_NO_MEMORY);
	nacre_tensor_free(plain);
	nacre_tensor_free(fast);
	nacre_tensor_free(again);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

static int count(void *batches, nacre_model *m, int64_t i)
{
	(void)m, (void)i;
	++*(int *)batches;
	return 0;
}

/* Large images are computed a few at a time where nobody counts batches. */
TEST(slices_of_a_batch_give_its_bits)
{
	enum { SIZE = 64, IMAGES = 32 };
	nacre_model *m = nacre_sequential("m");
	nacre_add(m, nacre_input(SIZE, SIZE, 3));
	nacre_add(m, nacre_conv2d(64, {3}, .activation = nacre_relu));
	nacre_add(m, nacre_batch_normalization());
	nacre_add(m, nacre_max_pooling2d({4}));
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dense(3, .activation = nacre_softmax));
	nacre_tensor *x =
	    nacre_tensor_new(NULL, NACRE_F32, 4, (int64_t[]){IMAGES, SIZE, SIZE, 3}, NULL);
	float *v = nacre_tensor_data(x);
	for (int64_t i = 0; i < nacre_tensor_size(x); i++)
		v[i] = (float)(test_random() % 1000) / 1000;
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, x, NULL);
	int batches = 0;
	nacre_tensor *sliced = nacre_predict_on_batch(m, d, NULL);
	nacre_tensor *whole =
	    nacre_predict(m, d, .batch_size = IMAGES,
			  .callbacks = {{.context = &batches, .on_predict_batch_end = count}});
	CHECK(nc_model_at_once(m, IMAGES) < IMAGES);
	CHECK_EQ(batches, 1);
	CHECK_FINE(m);
	CHECK(memcmp(nacre_tensor_data(sliced), nacre_tensor_data(whole),
		     (size_t)nacre_tensor_size(whole) * sizeof(float)) == 0);
	nacre_tensor_free(sliced);
	nacre_tensor_free(whole);
	nacre_tensor_free(x);
	nacre_dataset_free(d);
	nacre_model_free(m);
}
