/* SPDX-License-Identifier: MIT
 *
 * fit.c - training lowers the loss; what is reported is what Keras would report; validation,
 * history, callbacks, learning rate.
 */
#include "help.h"

TEST(learns_classes)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = classes(rt, 600, 6, 3);
	nacre_model *m = classifier(rt, 6, 32, 3);
	nacre_result before = nacre_evaluate(m, d);
	nacre_fit(m, d, .epochs = 20);
	nacre_result after = nacre_evaluate(m, d);
	CHECK_FINE(m);
	CHECK(before.loss > 0.9 && after.loss < 0.25);
	CHECK(after.metric[0] > 0.93);
	CHECK_EQ(nacre_iterations(m), 20 * 19);
	CHECK_EQ(nacre_history_epochs(m), 20);
	CHECK(nacre_history(m, "loss", 19) < nacre_history(m, "loss", 0));
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

/* The same network with each form of target: one-hot by expansion, sparse. */
TEST(sparse_is_the_same)
{
	double loss[2];
	for (int k = 0; k < 2; k++) {
		nacre_runtime *rt = quiet(NULL, 0);
		nacre_dataset *d = classes(rt, 100, 5, 4);
		nacre_model *m = nacre_sequential_in(rt, "m");
		nacre_add(m, nacre_input(5));
		nacre_add(m, nacre_dense(4, .activation = nacre_softmax));
		nacre_compile(m, .optimizer = nacre_sgd(0.5),
			      .loss = k ? nacre_sparse_categorical_crossentropy
					: nacre_categorical_crossentropy,
			      .metrics = {nacre_accuracy});
		nacre_fit(m, d, .epochs = 3, .batch_size = 30);
		nacre_result r = nacre_evaluate(m, d);
		loss[k] = r.loss;
		CHECK_FINE(m);
		CHECK(r.metric[0] > 0.5);
		nacre_model_free(m);
		nacre_dataset_free(d);
		nacre_runtime_free(rt);
	}
	CHECK_NEAR(loss[0], loss[1], 1e-6);
}

/* One weight w = 0, y = w x, mean squared error, rate r: worked out by hand with a last batch that
 * is smaller, and a regularizer, which the reported loss contains. */
TEST(loss_by_hand)
{
	nacre_runtime *rt = quiet(NULL, 0);
	float x[] = {1, 2, 3}, y[] = {2, 4, 6};
	nacre_tensor *tx = nacre_tensor_new(rt, NACRE_F32, 2, (int64_t[]){3, 1}, NULL);
	nacre_tensor *ty = nacre_tensor_new(rt, NACRE_F32, 1, (int64_t[]){3}, NULL);
	memcpy(nacre_tensor_data(tx), x, sizeof x);
	memcpy(nacre_tensor_data(ty), y, sizeof y);
	nacre_dataset *d = nacre_dataset_from_tensors(rt, tx, ty);
	nacre_model *m = nacre_sequential_in(rt, "line");
	nacre_add(m, nacre_input(1));
	nacre_add(m, nacre_dense(1, .no_bias = 1, .kernel_initializer = nacre_ones,
				 .kernel_regularizer = nacre_l1_l2(0.1, 0.2)));
	nacre_compile(m, .optimizer = nacre_sgd(.learning_rate = 0.01), .loss = nacre_mse,
		      .metrics = {nacre_mae, nacre_mse});
	nacre_result r = nacre_evaluate(m, d, .batch_size = 2);
	CHECK_NEAR(r.loss, (1 + 4 + 9) / 3. + 0.3, 1e-5);
	CHECK_NEAR(r.metric[0], 2, 1e-6);
	CHECK_NEAR(r.metric[1], 14 / 3., 1e-5);
	nacre_fit(m, d, .epochs = 1, .batch_size = 2, .no_shuffle = 1);
	/* batch 1: x 1 and 2: loss 2.5 + 0.3; dw = mean 2 (w x - y) x + 0.1 + 0.4 w = -5 + 0.5 */
	double w = 1 + 0.01 * 4.5;
	double second = (w * 3 - 6) * (w * 3 - 6) + 0.1 * w + 0.2 * w * w;
	CHECK_NEAR(nacre_history(m, "loss", 0), (2 * 2.8 + second) / 3, 1e-5);
	w -= 0.01 * (2 * (w * 3 - 6) * 3 + 0.1 + 0.4 * w);
	nacre_tensor *k = nacre_get_weight(m, "dense/kernel");
	CHECK_NEAR(nacre_tensor_get(k, 0), w, 1e-6);
	CHECK_FINE(m);
	nacre_tensor_free(k);
	nacre_tensor_free(tx);
	nacre_tensor_free(ty);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

/* The last part is kept apart: samples floor(n (1 - split)) and on, whatever the order. */
TEST(validation_split)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = sums(rt, 101, 3), *last = nacre_dataset_slice(d, 75, 101);
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_add(m, nacre_input(3));
	nacre_add(m, nacre_dense(1));
	nacre_compile(m, .optimizer = nacre_sgd(0.1), .loss = nacre_mse, .metrics = {nacre_mae});
	nacre_fit(m, d, .epochs = 4, .batch_size = 16, .validation_split = 0.25);
	CHECK_EQ(nacre_iterations(m), 4 * 5); /* floor(101 * 0.75) = 75 samples: 5 batches */
	nacre_result r = nacre_evaluate(m, last, .batch_size = 7);
	CHECK_NEAR(nacre_history(m, "val_loss", 3), r.loss, 1e-6);
	CHECK_NEAR(nacre_history(m, "val_mae", 3), r.metric[0], 1e-6);
	CHECK(isnan(nacre_history(m, "val_mae", 4)));
	CHECK(isnan(nacre_history(m, "nothing", 0)));
	CHECK_STR(nacre_history_name(m, 0), "loss");
	CHECK_STR(nacre_history_name(m, 1), "mae");
	CHECK_STR(nacre_history_name(m, 2), "val_loss");
	CHECK_STR(nacre_history_name(m, 3), "val_mae");
	CHECK(!nacre_history_name(m, 4));
	/* a second fit has a history of its own; every second epoch is validated */
	nacre_fit(m, d, .epochs = 2, .validation_data = last, .validation_freq = 2);
	CHECK_EQ(nacre_history_epochs(m), 2);
	CHECK(isnan(nacre_history(m, "val_loss", 0)));
	CHECK(nacre_history(m, "val_loss", 1) >= 0);
	nacre_fit(m, d, .epochs = 1);
	CHECK(!nacre_history_name(m, 2));
	CHECK_FINE(m);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_dataset_free(last);
	nacre_runtime_free(rt);
}

/* -- callbacks -- */
typedef struct counts {
	int train_begin, train_end, epoch_begin, epoch_end, batch_begin, batch_end;
	int stop_epoch, stop_batch;
	double loss, val;
	double evaluated;
	nacre_dataset *data;
} counts;

static int train_begin(void *c, nacre_model *m)
{
	(void)m;
	((counts *)c)->train_begin++;
	return 0;
}

static int train_end(void *c, nacre_model *m, const nacre_logs *logs)
{
	(void)m, (void)logs;
	((counts *)c)->train_end++;
	return 0;
}

static int epoch_begin(void *c, nacre_model *m, int epoch)
{
	(void)m;
	CHECK_EQ(epoch, ((counts *)c)->epoch_begin);
	((counts *)c)->epoch_begin++;
	return 0;
}

static int epoch_end(void *c, nacre_model *m, int epoch, const nacre_logs *logs)
{
	counts *n = c;
	n->epoch_end++;
	n->loss = nacre_logs_get(logs, "loss");
	n->val = nacre_logs_get(logs, "val_loss");
	CHECK(isnan(nacre_logs_get(logs, "lost")));
	if (n->data)
		n->evaluated = nacre_evaluate(m, n->data, .verbose = NACRE_SILENT).loss;
	return epoch == n->stop_epoch;
}

static int batch_begin(void *c, nacre_model *m, int64_t batch)
{
	(void)m, (void)batch;
	((counts *)c)->batch_begin++;
	return 0;
}

static int batch_end(void *c, nacre_model *m, int64_t batch, const nacre_logs *logs)
{
	(void)m;
	((counts *)c)->batch_end++;
	CHECK(nacre_logs_get(logs, "loss") >= 0);
	return batch == ((counts *)c)->stop_batch;
}

static nacre_callback counting(counts *c)
{
	return (nacre_callback){.context = c,
				.on_train_begin = train_begin,
				.on_train_end = train_end,
				.on_epoch_begin = epoch_begin,
				.on_epoch_end = epoch_end,
				.on_batch_begin = batch_begin,
				.on_batch_end = batch_end};
}

TEST(callbacks)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = classes(rt, 100, 4, 2);
	nacre_model *m = classifier(rt, 4, 8, 2);
	counts all = {.stop_epoch = -1, .stop_batch = -1, .data = d};
	nacre_fit(m, d, .epochs = 3, .batch_size = 25, .validation_data = d,
		  .callbacks = {{.on_train_end = NULL, .context = &all}, counting(&all)});
	CHECK_EQ(all.train_begin, 1);
	CHECK_EQ(all.train_end, 1);
	CHECK_EQ(all.epoch_begin, 3);
	CHECK_EQ(all.epoch_end, 3);
	CHECK_EQ(all.batch_begin, 12);
	CHECK_EQ(all.batch_end, 12);
	CHECK_NEAR(all.loss, nacre_history(m, "loss", 2), 0);
	CHECK_NEAR(all.val, nacre_history(m, "val_loss", 2), 0);
	CHECK_NEAR(all.evaluated, all.val, 1e-6);

	counts early = {.stop_epoch = 1, .stop_batch = -1};
	nacre_fit(m, d, .epochs = 10, .callbacks = {counting(&early)});
	CHECK_EQ(early.epoch_end, 2);
	CHECK_EQ(nacre_history_epochs(m), 2);
	CHECK_EQ(early.train_end, 1);

	counts soon = {.stop_epoch = -1, .stop_batch = 1};
	nacre_fit(m, d, .epochs = 10, .batch_size = 10, .callbacks = {counting(&soon)});
	CHECK_EQ(soon.batch_end, 2);
	CHECK_EQ(soon.epoch_end, 1);
	CHECK_FINE(m);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

static int nested(void *c, nacre_model *m, int epoch, const nacre_logs *logs)
{
	(void)epoch, (void)logs;
	nacre_fit(m, c, .epochs = 1);
	return 0;
}

TEST(no_fit_within_fit)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = classes(rt, 20, 4, 2);
	nacre_model *m = classifier(rt, 4, 8, 2);
	nacre_fit(m, d, .epochs = 2, .callbacks = {{.context = d, .on_epoch_end = nested}});
	CHECK_STR(nacre_model_error(m)->text, "fit: the model is being trained");
	CHECK_EQ(nacre_clear_error(m), NACRE_OK);
	CHECK_EQ(nacre_fit(m, d, .epochs = 1), NACRE_OK);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

TEST(learning_rate)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = classes(rt, 20, 4, 2);
	nacre_model *m = classifier(rt, 4, 8, 2);
	CHECK(nacre_learning_rate(m) == (double)0.01f);
	nacre_tensor *a = nacre_get_weight(m, "dense/kernel");
	nacre_set_learning_rate(m, 0);
	nacre_fit(m, d, .epochs = 2);
	nacre_tensor *b = nacre_get_weight(m, "dense/kernel");
	CHECK(memcmp(nacre_tensor_data(a), nacre_tensor_data(b), 32 * sizeof(float)) == 0);
	nacre_set_learning_rate(m, 0.5);
	nacre_result r = nacre_train_on_batch(m, d);
	nacre_tensor *c = nacre_get_weight(m, "dense/kernel");
	CHECK(memcmp(nacre_tensor_data(a), nacre_tensor_data(c), 32 * sizeof(float)) != 0);
	CHECK(r.status == NACRE_OK && r.loss > 0);
	CHECK(nacre_test_on_batch(m, d).loss != r.loss);
	CHECK_FINE(m);
	nacre_tensor_free(a);
	nacre_tensor_free(b);
	nacre_tensor_free(c);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

TEST(initial_epoch)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = classes(rt, 20, 4, 2);
	nacre_model *m = classifier(rt, 4, 8, 2);
	nacre_fit(m, d, .epochs = 5, .initial_epoch = 3);
	CHECK_EQ(nacre_history_epochs(m), 2);
	nacre_fit(m, d, .epochs = 3, .initial_epoch = 3);
	CHECK_EQ(nacre_history_epochs(m), 0);
	CHECK_FINE(m);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

/* One loss of one's own, cubic, and it as a metric. */
static nacre_node *cubic(nacre_node *t, nacre_node *p, const nacre_loss_options *o)
{
	nacre_node *e = nacre_abs(nacre_minus(t, p));
	e = nacre_times(e, nacre_square(e));
	return nacre_scale(nacre_mean(e, NACRE_LAST_AXIS, false), o->context ? 2 : 1);
}

/* Keras: an epoch of so many steps goes on where the one before ended, but not past the data. */
typedef struct counted {
	int64_t batches[8];
	int epochs;
} counted;

static int count_batch(void *context, nacre_model *m, int64_t batch, const nacre_logs *logs)
{
	counted *c = context;
	(void)m, (void)logs;
	CHECK_EQ(batch, c->batches[c->epochs]++);
	return 0;
}

static int count_epoch(void *context, nacre_model *m, int epoch, const nacre_logs *logs)
{
	counted *c = context;
	(void)m, (void)logs;
	CHECK_EQ(epoch, c->epochs++);
	return 0;
}

TEST(steps_per_epoch)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = classes(rt, 70, 6, 3);
	counted c = {{0}, 0};
	nacre_model *a = classifier(rt, 6, 8, 3), *b = classifier(rt, 6, 8, 3);
	nacre_fit(a, d, .epochs = 5, .batch_size = 10, .steps_per_epoch = 3, .verbose = -1,
		  .callbacks = {{.context = &c, .on_batch_end = count_batch,
				 .on_epoch_end = count_epoch}});
	CHECK_FINE(a);
	CHECK_EQ(c.epochs, 5);
	for (int e = 0; e < 5; e++)
		CHECK_EQ(c.batches[e], e == 2 ? 1 : 3);
	CHECK_EQ(nacre_iterations(a), 13);
	/* 7 + 6 batches in the same orders: the same weights as without epochs that are cut */
	nacre_fit(b, d, .epochs = 1, .batch_size = 10, .verbose = -1);
	CHECK_EQ(nacre_iterations(b), 7);
	nacre_fit(b, d, .epochs = 1, .batch_size = 10, .steps_per_epoch = 6, .verbose = -1);
	nacre_tensor *p = nacre_predict(a, d), *q = nacre_predict(b, d);
	CHECK(memcmp(nacre_tensor_data(p), nacre_tensor_data(q), 210 * sizeof(float)) == 0);
	nacre_tensor_free(p);
	nacre_tensor_free(q);
	/* more steps than there are batches: as without */
	nacre_fit(b, d, .epochs = 2, .batch_size = 10, .steps_per_epoch = 100, .verbose = -1);
	CHECK_EQ(nacre_iterations(b), 13 + 14);
	nacre_fit(b, d, .steps_per_epoch = -1);
	CHECK_STR(nacre_model_error(b)->text, "fit: steps_per_epoch: expected at least 1, got -1");
	nacre_model_free(a);
	nacre_model_free(b);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

static int count_test(void *context, nacre_model *m, int64_t batch, const nacre_logs *logs)
{
	counted *c = context;
	(void)m, (void)logs;
	CHECK_EQ(batch, c->batches[0]++);
	return 0;
}

TEST(validation_steps)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = classes(rt, 40, 6, 3), *part = nacre_dataset_slice(d, 0, 15);
	nacre_model *m = classifier(rt, 6, 8, 3);
	counted c = {{0}, 0};
	nacre_fit(m, d, .epochs = 4, .batch_size = 8, .validation_data = d,
		  .validation_batch_size = 5, .validation_steps = 3, .validation_freq = 2,
		  .verbose = -1);
	CHECK_FINE(m);
	CHECK(isnan(nacre_history(m, "val_loss", 0)) && isnan(nacre_history(m, "val_loss", 2)));
	CHECK_NEAR(nacre_history(m, "val_loss", 3), nacre_evaluate(m, part, .verbose = -1).loss,
		   1e-5);
	nacre_result r = nacre_evaluate(m, d, .batch_size = 5, .steps = 3, .verbose = -1,
					.callbacks = {{.context = &c,
						       .on_test_batch_end = count_test}});
	CHECK_EQ(c.batches[0], 3);
	CHECK_NEAR(r.loss, nacre_history(m, "val_loss", 3), 1e-5);
	nacre_fit(m, d, .validation_steps = -2);
	CHECK_STR(nacre_model_error(m)->text, "fit: validation_steps: expected at least 1, got -2");
	nacre_clear_error(m);
	nacre_evaluate(m, d, .steps = -1);
	CHECK_STR(nacre_model_error(m)->text, "evaluate: steps: expected at least 1, got -1");
	nacre_model_free(m);
	nacre_dataset_free(part);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

TEST(own_loss)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = sums(rt, 64, 3);
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_add(m, nacre_input(3));
	nacre_add(m, nacre_dense(1));
	nacre_compile(m, .optimizer = nacre_adam(0.05), .loss = cubic,
		      .metrics = {cubic, nacre_mse}, .loss_options = {.context = m});
	nacre_result a = nacre_evaluate(m, d);
	CHECK_NEAR(a.loss, 2 * a.metric[0], 1e-5 * a.loss);
	nacre_fit(m, d, .epochs = 60);
	CHECK(nacre_evaluate(m, d).loss < 0.05 * a.loss);
	CHECK_STR(nacre_history_name(m, 1), "metric_1");
	CHECK_FINE(m);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}
