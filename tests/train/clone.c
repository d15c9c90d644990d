/* SPDX-License-Identifier: MIT
 *
 * clone.c - models made again, all weights at once, what a model counts, single batches.
 */
#include "help.h"
#include "sweep.h"

enum { N = 20 };

static nacre_model *shared(nacre_runtime *rt)
{
	nacre_model *inner = nacre_sequential_in(rt, "inner");
	nacre_add(inner, nacre_input(6));
	nacre_add(inner, nacre_dense(4, .activation = nacre_tanh));
	nacre_model *m = nacre_functional_in(rt, "shared");
	nacre_value *a = nacre_model_input(m, nacre_input(5));
	nacre_value *b = nacre_model_input(m, nacre_input(5));
	nacre_layer *both = nacre_dense(6, .kernel_regularizer = nacre_l2(0.01), .name = "both");
	nacre_constrain(both, "kernel", nacre_max_norm(0.5, 0));
	nacre_value *x = nacre_apply(both, a), *y = nacre_apply(both, b);
	x = nacre_apply(nacre_batch_normalization(),
			nacre_apply_n(nacre_add_layer(), 2, (nacre_value *[]){x, y}));
	x = nacre_apply(nacre_nested(inner), x);
	nacre_model_output(m, nacre_apply(nacre_dense(2, .name = "first"), x));
	nacre_model_output(m, nacre_apply(nacre_dense(1, .name = "second"), x));
	return m;
}

static nacre_dataset *data(nacre_runtime *rt)
{
	nacre_tensor *t[] = {numbers(rt, N, 5), numbers(rt, N, 5), numbers(rt, N, 2),
			     numbers(rt, N, 1)};
	nacre_dataset *d = nacre_dataset_new(rt, 2, (const nacre_tensor *const *)t, 2,
					     (const nacre_tensor *const *)t + 2);
	for (int i = 0; i < 4; i++)
		nacre_tensor_free(t[i]);
	return d;
}

static nacre_tensor **all_weights(nacre_model *m)
{
	nacre_tensor **w = calloc((size_t)nacre_model_weights(m), sizeof *w);
	CHECK_EQ(nacre_get_weights(m, w), NACRE_OK);
	return w;
}

static void free_weights(nacre_tensor **w, int n)
{
	for (int i = 0; i < n; i++)
		nacre_tensor_free(w[i]);
	free(w);
}

static double difference(nacre_model *a, nacre_model *b, nacre_dataset *d)
{
	nacre_tensor *p = nacre_predict_on_batch(a, d, NULL),
		     *q = nacre_predict_on_batch(b, d, NULL);
	double most = 0;
	for (int64_t i = 0; p && q && i < nacre_tensor_size(p); i++)
		most = fmax(most, fabs(nacre_tensor_get(p, i) - nacre_tensor_get(q, i)));
	nacre_tensor_free(p);
	nacre_tensor_free(q);
	return most;
}

TEST(clone)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = data(rt);
	nacre_model *m = shared(rt);
	nacre_compile(m, .optimizer = nacre_adam(0.02), .loss = nacre_mse);
	nacre_fit(m, d, .epochs = 3, .verbose = -1);
	nacre_layer_set_trainable(nacre_get_layer(m, "first"), false);
	nacre_model *c = nacre_model_clone(m);
	CHECK_FINE(m);
	CHECK_FINE(c);
	CHECK(nacre_is_compiled(m) && !nacre_is_compiled(c) && !nacre_is_compiled(NULL));
	int n = nacre_model_weights(m);
	CHECK_EQ(nacre_model_weights(c), n);
	CHECK_EQ(n, 2 + 4 + 2 + 2 + 2);
	for (int i = 0; i < n; i++)
		CHECK_STR(nacre_model_weight_name(c, i), nacre_model_weight_name(m, i));
	CHECK_EQ(nacre_model_layers(c), nacre_model_layers(m));
	CHECK(!nacre_layer_trainable(nacre_get_layer(c, "first")));
	CHECK_EQ(nacre_model_parameters(c), nacre_model_parameters(m));
	CHECK_EQ(nacre_model_trainable_parameters(c), nacre_model_trainable_parameters(m));
	CHECK(difference(m, c, d) > 1e-4); /* weights of its own, fresh ones */
	nacre_tensor **w = all_weights(m);
	CHECK_EQ(nacre_set_weights(c, n, (const nacre_tensor *const *)w), NACRE_OK);
	CHECK(difference(m, c, d) == 0);
	/* regularizer and constraint are there as well: the same training */
	nacre_compile(m, .optimizer = nacre_adam(0.02), .loss = nacre_mse);
	nacre_compile(c, .optimizer = nacre_adam(0.02), .loss = nacre_mse);
	nacre_fit(m, d, .epochs = 2, .no_shuffle = 1, .verbose = -1);
	nacre_fit(c, d, .epochs = 2, .no_shuffle = 1, .verbose = -1);
	CHECK_FINE(c);
	CHECK(nacre_history(m, "loss", 1) == nacre_history(c, "loss", 1));
	nacre_model_free(m); /* nothing of it is pointed to */
	nacre_model *third = nacre_model_clone(c);
	CHECK_FINE(third);
	CHECK_EQ(nacre_set_weights(third, n, (const nacre_tensor *const *)w), NACRE_OK);
	free_weights(w, n);
	nacre_model_free(c);
	nacre_model_free(third);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

/* -- memory: the layers, calls and names of a clone; the old model is as it was ---------------- */
static nacre_model *old;
static bool chain;

static void make_old(nacre_runtime *rt, long n)
{
	(void)n;
	if (!old)
		old = chain ? classifier(rt, 6, 5, 3) : shared(rt);
	nacre_clear_error(old);
}

static nacre_status clone_old(nacre_runtime *rt)
{
	(void)rt;
	nacre_model *c = nacre_model_clone(old);
	nacre_status status = nacre_model_error(old)->status;
	CHECK((c != NULL) == !status);
	nacre_model_free(c);
	return status;
}

static void still_there(nacre_runtime *rt, long n)
{
	(void)rt, (void)n;
	CHECK(nacre_model_parameters(old) > 50);
	if (state.failed)
		return;
	nacre_model_free(old);
	old = NULL;
}

TEST(clone_without_memory)
{
	for (int i = 0; i < 4; i++) {
		chain = i & 1;
		sweep_allocations(&(sweep){.live = clone_old,
					   .for_ever = i & 2,
					   .least = chain ? 15 : 60,
					   .before = make_old,
					   .after = still_there});
		CHECK_EQ(state.blocks, 0);
	}
}

TEST(clone_of_a_chain)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = classes(rt, N, 6, 3);
	nacre_model *m = classifier(rt, 6, 5, 3), *c = nacre_model_clone(m);
	nacre_tensor **w = all_weights(m), **fresh = all_weights(c);
	CHECK_FINE(c);
	CHECK(nacre_tensor_get(w[0], 0) == nacre_tensor_get(fresh[0], 0)); /* the same seed */
	nacre_add(c, nacre_dense(2)); /* it is not compiled: it may grow */
	CHECK_FINE(c);
	free_weights(w, 4);
	free_weights(fresh, 4);
	nacre_model_free(m);
	nacre_model_free(c);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

TEST(weights_that_do_not_fit)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_model *m = classifier(rt, 6, 5, 3);
	nacre_tensor **w = all_weights(m), **other = all_weights(m);
	nacre_tensor_set(w[0], 0, 77);
	nacre_tensor_free(w[3]);
	w[3] = numbers(rt, 2, 2);
	nacre_set_weights(m, 4, (const nacre_tensor *const *)w);
	CHECK_STR(nacre_model_error(m)->text, "set_weights: dense_1/bias is [3], the value [2, 2]");
	nacre_clear_error(m);
	nacre_tensor *t = nacre_get_weight(m, "dense/kernel");
	CHECK(nacre_tensor_get(t, 0) == nacre_tensor_get(other[0], 0)); /* none was changed */
	nacre_tensor_free(t);
	nacre_set_weights(m, 3, (const nacre_tensor *const *)w);
	CHECK_STR(nacre_model_error(m)->text, "set_weights: the model has 4 weights, got 3");
	nacre_clear_error(m);
	nacre_get_weights(m, NULL);
	CHECK_STR(nacre_model_error(m)->text, "get_weights: expected room for 4 tensors, got NULL");
	CHECK(nacre_model_weight_name(m, 4) == NULL && nacre_model_weight_name(m, -1) == NULL);
	CHECK(nacre_model_weight_name(NULL, 0) == NULL && nacre_model_weights(NULL) == 0);
	CHECK(nacre_model_clone(NULL) == NULL && isnan(nacre_model_flops(NULL)));
	free_weights(w, 4);
	free_weights(other, 4);
	nacre_model_free(m);
	nacre_runtime_free(rt);
}

TEST(counts)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_model *m = classifier(rt, 6, 5, 3);
	CHECK_EQ(nacre_model_parameters(m), 6 * 5 + 5 + 5 * 3 + 3);
	CHECK_EQ(nacre_model_trainable_parameters(m), 6 * 5 + 5 + 5 * 3 + 3);
	CHECK_EQ(nacre_model_non_trainable_parameters(m), 0);
	nacre_layer_set_trainable(nacre_get_layer(m, "dense_1"), false);
	CHECK_EQ(nacre_model_trainable_parameters(m), 6 * 5 + 5);
	CHECK_EQ(nacre_model_non_trainable_parameters(m), 5 * 3 + 3);
	CHECK(nacre_model_flops(m) >= 2 * (6 * 5 + 5 * 3));
	CHECK(nacre_model_flops(m) < 4 * (6 * 5 + 5 * 3) + 100);
	CHECK_FINE(m);
	nacre_model_free(m);
	nacre_model_free(m = nacre_sequential_in(rt, "empty"));
	nacre_runtime_free(rt);
}

TEST(single_batches)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = data(rt);
	nacre_model *m = shared(rt);
	nacre_compile(m, .optimizer = nacre_sgd(0.1), .loss = nacre_mse);
	nacre_tensor *out[2], *y = nacre_predict_on_batch(m, d, out);
	nacre_tensor *first = nacre_predict(m, d, .batch_size = 6);
	CHECK_FINE(m);
	CHECK(y == out[0] && nacre_tensor_shape(out[1])[0] == N &&
	      nacre_tensor_shape(out[1])[1] == 1);
	for (int i = 0; i < 2 * N; i++)
		CHECK_NEAR(nacre_tensor_get(y, i), nacre_tensor_get(first, i), 1e-6);
	nacre_result a = nacre_test_on_batch(m, d);
	CHECK_NEAR(a.loss, nacre_evaluate(m, d, .verbose = -1).loss, 1e-5);
	nacre_tensor *w = nacre_tensor_new(rt, NACRE_F32, 1, (int64_t[]){N}, NULL);
	nacre_result none =
	    nacre_test_on_batch_with(m, (nacre_batch_options){.data = d, .sample_weight = w});
	CHECK(none.loss < a.loss); /* weights of 0: the penalty alone is left */
	CHECK(none.output_loss[0] == 0 && none.output_loss[1] == 0);
	for (int i = 0; i < N; i++)
		nacre_tensor_set(w, i, 1);
	a = nacre_train_on_batch(m, d);
	for (int i = 0; i < 20; i++)
		nacre_train_on_batch_with(m, (nacre_batch_options){.data = d, .sample_weight = w});
	CHECK_EQ(nacre_iterations(m), 21);
	CHECK(nacre_test_on_batch(m, d).loss < a.loss);
	CHECK_FINE(m);
	nacre_train_on_batch_with(m, (nacre_batch_options){.data = d,
							   .sample_weight = w,
							   .class_weight = (double[]){1, 2},
							   .n_class_weights = 2});
	CHECK_STR(nacre_model_error(m)->text,
		  "train_on_batch: expected sample_weight or class_weight, got both");
	nacre_tensor_free(w);
	nacre_tensor_free(first);
	nacre_tensor_free(out[0]);
	nacre_tensor_free(out[1]);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}
