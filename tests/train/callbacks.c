/* SPDX-License-Identifier: MIT
 *
 * callbacks.c - each callback of the library with values that are scripted, its hooks called by
 * hand; then within fit: all hooks, release, files, errors.
 */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "help.h"
#include "train/model.h"

static const char *at(const char *name)
{
	static char path[4][300];
	static int k;
	char *p = path[k++ % 4];
	snprintf(p, sizeof path[0], "/tmp/nacre-callbacks-%d/%s", (int)getpid(), name);
	return p;
}

static void remove_all(const char *path)
{
	char file[700];
	DIR *d = opendir(path);
	for (struct dirent *f; d && (f = readdir(d));)
		if (strcmp(f->d_name, ".") != 0 && strcmp(f->d_name, "..") != 0) {
			snprintf(file, sizeof file, "%.400s/%.250s", path, f->d_name);
			if (unlink(file))
				remove_all(file);
		}
	if (d)
		closedir(d);
	rmdir(path);
}

static bool exists(const char *path)
{
	return access(path, F_OK) == 0;
}

static void read_text(const char *path, char *text, size_t size)
{
	FILE *f = fopen(path, "rb");
	size_t n = f ? fread(text, 1, size - 1, f) : 0;
	text[n] = 0;
	if (f)
		fclose(f);
}

/* -- one model, on which hooks are called by hand -- */
typedef struct stage {
	printed out;
	nacre_runtime *rt;
	nacre_model *m;
} stage;

static stage *stage_new(void)
{
	static stage s;
	s.out.size = 0;
	s.out.text[0] = 0;
	s.rt = quiet(&s.out, 0);
	s.m = classifier(s.rt, 3, 4, 2);
	return &s;
}

static void stage_free(stage *s)
{
	nacre_model_free(s->m);
	nacre_runtime_free(s->rt);
}

static int end_epoch(const nacre_callback *c, nacre_model *m, int epoch, const char *name, double v)
{
	nacre_logs logs = {1, &name, &v};
	return c->on_epoch_end(c->context, m, epoch, &logs);
}

/* The epoch at which it stops; -1: never.  The weight dense/bias[0] is the epoch meanwhile. */
static int stops(stage *s, nacre_callback c, const char *name, int n, const double *v)
{
	int at_epoch = -1;
	int64_t four = 4;
	CHECK_EQ(c.on_train_begin(c.context, s->m), 0);
	for (int e = 0; e < n && at_epoch < 0; e++) {
		nacre_tensor *b = nacre_tensor_new(s->rt, NACRE_F32, 1, &four, NULL);
		nacre_tensor_set(b, 0, e);
		nacre_set_weight(s->m, "dense/bias", b);
		nacre_tensor_free(b);
		if (end_epoch(&c, s->m, e, name, v[e]))
			at_epoch = e;
	}
	c.on_train_end(c.context, s->m, &(nacre_logs){0});
	c.release(c.context);
	return at_epoch;
}
#define STOPS(s, c, name, ...)                                                                     \
	stops(s, c, name, sizeof(double[]){__VA_ARGS__} / sizeof(double),                          \
	      (const double[]){__VA_ARGS__})

static double bias(nacre_model *m)
{
	nacre_tensor *b = nacre_get_weight(m, "dense/bias");
	double v = nacre_tensor_get(b, 0);
	nacre_tensor_free(b);
	return v;
}

TEST(early_stopping)
{
	stage *s = stage_new();
	/* smaller is better: epoch 2 is not better than 1, with patience 0 that is enough */
	CHECK_EQ(STOPS(s, nacre_early_stopping(), "val_loss", 3, 2, 2, 1), 2);
	/* not at epoch 0, which Keras never stops at */
	CHECK_EQ(STOPS(s, nacre_early_stopping(.baseline = 1), "val_loss", 3, 4, 2), 1);
	CHECK_EQ(STOPS(s, nacre_early_stopping(.patience = 2), "val_loss", 3, 4, 2, 5, 1.9, 6, 7),
		 6);
	CHECK_EQ(STOPS(s, nacre_early_stopping(.patience = 3), "val_loss", 3, 4, 2, 5, 6), -1);
	/* larger is better, by the name, or as it is said */
	CHECK_EQ(STOPS(s, nacre_early_stopping(.monitor = "val_accuracy"), "val_accuracy", 0.1, 0.2,
		       0.15),
		 2);
	CHECK_EQ(
	    STOPS(s, nacre_early_stopping(.monitor = "mae_1", .mode = NACRE_MAX), "mae_1", 1, 2, 1),
	    2);
	CHECK_EQ(STOPS(s, nacre_early_stopping(.monitor = "mae_1"), "mae_1", 3, 2, 1, 1), 3);
	/* better only by more than min_delta, whatever its sign */
	CHECK_EQ(STOPS(s, nacre_early_stopping(.min_delta = 0.5), "val_loss", 3, 2.4, 2), 2);
	CHECK_EQ(STOPS(s, nacre_early_stopping(.min_delta = -0.5, .monitor = "accuracy"),
		       "accuracy", 1, 1.4, 2),
		 1);
	CHECK_EQ(STOPS(s, nacre_early_stopping(.start_from_epoch = 3), "val_loss", 1, 2, 3, 4, 5),
		 4);
	/* better than ever but not than the baseline: the patience goes on running out */
	CHECK_EQ(
	    STOPS(s, nacre_early_stopping(.baseline = 1, .patience = 2), "val_loss", 5, 4, 3, 3.5),
	    3);
	CHECK_EQ(STOPS(s, nacre_early_stopping(.baseline = 4.5, .patience = 2), "val_loss", 5, 4, 3,
		       3.5),
		 -1);
	CHECK_EQ(STOPS(s, nacre_early_stopping(.patience = 2), "val_loss", NAN, NAN, NAN), 1);
	CHECK_FINE(s->m);
	stage_free(s);
}

TEST(best_weights)
{
	stage *s = stage_new();
	CHECK_EQ(STOPS(s,
		       nacre_early_stopping(.patience = 2, .restore_best_weights = 1, .verbose = 1),
		       "val_loss", 5, 3, 4, 4, 4),
		 3);
	CHECK_EQ(bias(s->m), 1);
	CHECK_STR(s->out.text, "Epoch 4: early stopping\n"
			       "Restoring model weights from the end of the best epoch: 2.\n");
	/* also when it did not stop; not without being asked */
	CHECK_EQ(STOPS(s, nacre_early_stopping(.patience = 9, .restore_best_weights = 1),
		       "val_loss", 5, 3, 2, 4, 4),
		 -1);
	CHECK_EQ(bias(s->m), 2);
	CHECK_EQ(STOPS(s, nacre_early_stopping(.patience = 9), "val_loss", 5, 3, 2, 4, 4), -1);
	CHECK_EQ(bias(s->m), 4);
	/* if nothing was ever better: those of the first epoch that was looked at */
	CHECK_EQ(STOPS(s,
		       nacre_early_stopping(.patience = 9, .restore_best_weights = 1,
					    .start_from_epoch = 1),
		       "val_loss", NAN, NAN, NAN),
		 -1);
	CHECK_EQ(bias(s->m), 1);
	CHECK_FINE(s->m);
	stage_free(s);
}

TEST(value_that_is_not_there)
{
	stage *s = stage_new();
	CHECK_EQ(STOPS(s, nacre_early_stopping(), "loss", 1, 2, 3), -1);
	CHECK_STR(s->out.text, "early_stopping: there is no val_loss; there are: loss\n");
	CHECK_EQ(s->out.last, NACRE_ERR);
	nacre_callback c = nacre_early_stopping(.monitor = "val_beauty");
	CHECK(c.on_train_begin(c.context, s->m));
	c.release(c.context);
	CHECK_STR(nacre_model_error(s->m)->text,
		  "early_stopping: whether val_beauty is better small or large is not known: give "
		  ".mode = NACRE_MIN or NACRE_MAX");
	stage_free(s);
}

/* rates after each epoch */
static void plateau(nacre_reduce_lr_on_plateau_options o, int n, const double *v,
		    const double *rate)
{
	stage *s = stage_new();
	nacre_callback c = nacre_reduce_lr_on_plateau_new(o);
	nacre_set_learning_rate(s->m, 1);
	CHECK_EQ(c.on_train_begin(c.context, s->m), 0);
	for (int e = 0; e < n; e++) {
		CHECK_EQ(end_epoch(&c, s->m, e, "val_loss", v[e]), 0);
		CHECK_NEAR(nacre_learning_rate(s->m), rate[e], 1e-7);
	}
	c.release(c.context);
	CHECK_FINE(s->m);
	stage_free(s);
}
#define PLATEAU(n, values, rates, ...)                                                             \
	plateau((nacre_reduce_lr_on_plateau_options){__VA_ARGS__}, n, (const double[])values,      \
		(const double[])rates)
#define LIST(...)                                                                                  \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

TEST(reduce_on_plateau)
{
	PLATEAU(6, LIST(3, 3, 3, 3, 3, 3), LIST(1, 1, .1, .1, .01, .01), .patience = 2);
	/* a value that gets better begins the count anew; 1e-4 is not better */
	PLATEAU(6, LIST(3, 3, 2, 2, 2, 2), LIST(1, 1, 1, 1, .5, .5), .patience = 2, .factor = .5);
	PLATEAU(3, LIST(3, 2.99995, 2.9999), LIST(1, .1, .01), .patience = 1);
	PLATEAU(3, LIST(3, 2.99995, 2.9999), LIST(1, 1, 1), .patience = 1, .min_delta = NACRE_ZERO);
	/* after a reduction two epochs do not count */
	PLATEAU(7, LIST(3, 3, 3, 3, 3, 3, 3), LIST(1, .5, .5, .25, .25, .125, .125), .patience = 1,
		.factor = .5, .cooldown = 2);
	PLATEAU(4, LIST(3, 3, 3, 3), LIST(1, .1, .05, .05), .patience = 1, .min_lr = .05);
	stage *s = stage_new();
	nacre_callback c = nacre_reduce_lr_on_plateau(.factor = 1);
	CHECK(c.on_train_begin(c.context, s->m));
	c.release(c.context);
	CHECK_STR(nacre_model_error(s->m)->text,
		  "reduce_lr_on_plateau: factor: expected more than 0 and less than 1, got 1");
	stage_free(s);
}

TEST(terminate_on_nan)
{
	stage *s = stage_new();
	nacre_callback c = nacre_terminate_on_nan();
	const char *name = "loss";
	double v[] = {1, INFINITY, -INFINITY, NAN};
	for (int i = 0; i < 4; i++)
		CHECK_EQ(c.on_train_batch_end(NULL, s->m, i, &(nacre_logs){1, &name, &v[i]}),
			 i > 0);
	CHECK(strstr(s->out.text, "Batch 3: Invalid loss, terminating training\n"));
	nacre_dataset *d = classes(s->rt, 40, 3, 2);
	nacre_set_learning_rate(s->m, 1e30);
	nacre_fit(s->m, d, .epochs = 50, .callbacks = {nacre_terminate_on_nan()});
	CHECK_FINE(s->m);
	CHECK(nacre_history_epochs(s->m) < 50);
	nacre_dataset_free(d);
	stage_free(s);
}

/* -- model checkpoint -- */
TEST(paths)
{
	stage *s = stage_new();
	const char *names[] = {"loss", "val_loss"};
	double v[] = {0.5, 12.345678};
	static const struct {
		const char *path, *file, *error;
	} cases[] = {
	    {"a-{epoch:02d}-{val_loss:.2f}.safetensors", "a-03-12.35.safetensors", NULL},
	    {"b{epoch}.safetensors", "b3.safetensors", NULL},
	    {"{loss}-{val_loss:09.3f}.safetensors", "0.5-00012.346.safetensors", NULL},
	    {"{{x}}-{val_loss:.1e}.safetensors", "{x}-1.2e+01.safetensors", NULL},
	    {"deep/er/{epoch:4d}.safetensors", "deep/er/   3.safetensors", NULL},
	    {"{accuracy:.2f}.safetensors", NULL, "there is no accuracy"},
	    {"{batch}.safetensors", NULL, "there is no batch"},
	    {"{epoch:02x}.safetensors", NULL, "expected a field such as {epoch:02d}"},
	    {"{epoch.safetensors", NULL, "expected a field"},
	    {"}.safetensors", NULL, "expected a field"},
	    {"{loss:d}.safetensors", NULL, "there is no whole loss"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		nacre_callback c = nacre_model_checkpoint(at(cases[i].path));
		CHECK_EQ(c.on_train_begin(c.context, s->m), 0);
		int stop = c.on_epoch_end(c.context, s->m, 2, &(nacre_logs){2, names, v});
		CHECK_EQ(stop != 0, cases[i].error != NULL);
		if (cases[i].file && !exists(at(cases[i].file)))
			test_failed(__FILE__, __LINE__, "no %s", cases[i].file);
		if (cases[i].error && !strstr(nacre_model_error(s->m)->text, cases[i].error))
			test_failed(__FILE__, __LINE__, "%s", nacre_model_error(s->m)->text);
		CHECK_EQ(nacre_clear_error(s->m), NACRE_OK);
		c.release(c.context);
	}
	remove_all(at(""));
	stage_free(s);
}

TEST(save_best_only)
{
	stage *s = stage_new();
	const double v[] = {3, 4, 2, 2, 1};
	nacre_callback c =
	    nacre_model_checkpoint(at("{epoch}.safetensors"), .save_best_only = 1, .verbose = 1);
	CHECK_EQ(c.on_train_begin(c.context, s->m), 0);
	for (int e = 0; e < 5; e++) {
		char name[40];
		snprintf(name, sizeof name, "%d.safetensors", e + 1);
		CHECK_EQ(end_epoch(&c, s->m, e, "val_loss", v[e]), 0);
		CHECK_EQ(exists(at(name)), e % 2 == 0);
	}
	CHECK(strstr(s->out.text, "Epoch 2: val_loss did not improve from 3.00000\n"));
	CHECK(strstr(s->out.text, "Epoch 3: val_loss improved from 3.00000 to 2.00000, saving "));
	c.release(c.context);
	c = nacre_model_checkpoint(at("x{epoch}.safetensors"), .save_best_only = 1,
				   .initial_value_threshold = 2);
	CHECK_EQ(c.on_train_begin(c.context, s->m), 0);
	CHECK_EQ(end_epoch(&c, s->m, 0, "val_loss", 2.5), 0);
	CHECK(!exists(at("x1.safetensors")));
	CHECK_EQ(end_epoch(&c, s->m, 1, "val_loss", 1.5), 0);
	CHECK(exists(at("x2.safetensors")));
	CHECK_EQ(end_epoch(&c, s->m, 2, "loss", 9), 0); /* not known: saved */
	CHECK(exists(at("x3.safetensors")));
	c.release(c.context);
	CHECK_FINE(s->m);
	remove_all(at(""));
	stage_free(s);
}

TEST(save_every_few_batches)
{
	stage *s = stage_new();
	nacre_dataset *d = classes(s->rt, 50, 3, 2); /* 5 batches */
	nacre_fit(s->m, d, .epochs = 2, .batch_size = 10,
		  .callbacks = {
		      nacre_model_checkpoint(at("{epoch}-{batch}.safetensors"), .save_freq = 3)});
	CHECK_FINE(s->m);
	for (int e = 1; e <= 2; e++)
		for (int b = 1; b <= 5; b++) {
			char name[40];
			snprintf(name, sizeof name, "%d-%d.safetensors", e, b);
			CHECK_EQ(exists(at(name)), (5 * (e - 1) + b) % 3 == 0);
		}
	nacre_dataset_free(d);
	remove_all(at(""));
	stage_free(s);
}

/* -- tables -- */
static void log_two(nacre_callback c, stage *s, bool validation)
{
	const char *names[] = {"loss", "accuracy", "val_loss"};
	double v[] = {0.1, 1, 1e-5}, w[] = {2.5, 1. / 3, 1e22};
	CHECK_EQ(c.on_train_begin(c.context, s->m), 0);
	CHECK_EQ(c.on_epoch_end(c.context, s->m, 0, &(nacre_logs){2 + validation, names, v}), 0);
	CHECK_EQ(c.on_epoch_end(c.context, s->m, 1, &(nacre_logs){3, names, w}), 0);
	c.on_train_end(c.context, s->m, &(nacre_logs){0});
	c.release(c.context);
}

TEST(csv_logger)
{
	stage *s = stage_new();
	char text[1000];
	const char *path = at("log/log.csv");
	log_two(nacre_csv_logger(path), s, true);
	read_text(path, text, sizeof text);
	CHECK_STR(text, "epoch,accuracy,loss,val_loss\n0,1.0,0.1,1e-05\n"
			"1,0.3333333333333333,2.5,1e+22\n");
	/* goes on, without what was cut off */
	FILE *f = fopen(path, "a");
	fprintf(f, "2,1.0,0.");
	fclose(f);
	log_two(nacre_csv_logger(path, .append = 1), s, true);
	read_text(path, text, sizeof text);
	CHECK_STR(text, "epoch,accuracy,loss,val_loss\n0,1.0,0.1,1e-05\n"
			"1,0.3333333333333333,2.5,1e+22\n0,1.0,0.1,1e-05\n"
			"1,0.3333333333333333,2.5,1e+22\n");
	/* anew; an epoch without validation first */
	log_two(nacre_csv_logger(path, .separator = ";"), s, false);
	read_text(path, text, sizeof text);
	CHECK_STR(text, "epoch;accuracy;loss;val_accuracy;val_loss\n0;1.0;0.1;NA;NA\n"
			"1;0.3333333333333333;2.5;NA;1e+22\n");
	CHECK_FINE(s->m);
	remove_all(at(""));
	nacre_callback c = nacre_csv_logger("/proc/nowhere/log.csv");
	CHECK(c.on_train_begin(c.context, s->m));
	CHECK_EQ(nacre_model_error(s->m)->status, NACRE_IO);
	c.release(c.context);
	stage_free(s);
}

/* -- within fit -- */
static double stairs(void *context, int epoch, double rate)
{
	(void)context;
	return epoch == 0 ? 0.5 : rate / 2;
}

TEST(rates_and_logs)
{
	stage *s = stage_new();
	nacre_dataset *d = classes(s->rt, 50, 3, 2);
	char text[2000];
	nacre_fit(s->m, d, .epochs = 3, .validation_data = d, .verbose = NACRE_SILENT,
		  .callbacks = {nacre_learning_rate_scheduler(stairs, .verbose = 1),
				nacre_csv_logger(at("a.csv"))});
	CHECK_FINE(s->m);
	CHECK(nacre_history(s->m, "learning_rate", 0) == 0.5);
	CHECK(nacre_history(s->m, "learning_rate", 2) == 0.125);
	CHECK_STR(nacre_history_name(s->m, 4), "learning_rate");
	CHECK_STR(s->out.text, "Epoch 1: LearningRateScheduler setting learning rate to 0.5.\n"
			       "Epoch 2: LearningRateScheduler setting learning rate to 0.25.\n"
			       "Epoch 3: LearningRateScheduler setting learning rate to 0.125.\n");
	read_text(at("a.csv"), text, sizeof text);
	CHECK(strstr(text, "epoch,accuracy,learning_rate,loss,val_accuracy,val_loss\n"));
	CHECK_EQ(nacre_log_value(s->m, "late", 1), NACRE_INVALID);
	nacre_dataset_free(d);
	remove_all(at(""));
	stage_free(s);
}

TEST(schedule)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = sums(rt, 40, 3);
	float w[2];
	for (int k = 0; k < 2; k++) { /* a schedule, and the same rates set by hand */
		nacre_schedule decay = nacre_exponential_decay(0.1, 3, 0.5);
		nacre_model *m = nacre_sequential_in(rt, "m");
		nacre_add(m, nacre_input(3));
		nacre_add(m, nacre_dense(1));
		nacre_compile(m, .loss = nacre_mse,
			      .optimizer = k ? nacre_sgd(0.1) : nacre_sgd(.schedule = decay));
		for (int step = 0; step < 5; step++) {
			double rate = (double)(float)nacre_schedule_at(&decay, step);
			if (k)
				nacre_set_learning_rate(m, rate);
			CHECK(nacre_learning_rate(m) == rate);
			nacre_train_on_batch(m, d);
		}
		CHECK_FINE(m);
		nacre_tensor *t = nacre_get_weight(m, "dense/kernel");
		w[k] = (float)nacre_tensor_get(t, 0);
		nacre_tensor_free(t);
		if (k == 0)
			CHECK_EQ(nacre_set_learning_rate(m, 1), NACRE_INVALID);
		nacre_model_free(m);
	}
	CHECK(w[0] == w[1]);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

/* -- all hooks, in their order -- */
typedef struct calls {
	char text[4096];
	size_t n;
	int released;
} calls;

static void note(void *context, const char *what)
{
	calls *c = context;
	c->n += (size_t)snprintf(c->text + c->n, sizeof c->text - c->n, "%s ", what);
}
#define HOOK(name, ...)                                                                            \
	static int name(void *context, nacre_model *m, ##__VA_ARGS__)                              \
	{                                                                                          \
		(void)m;                                                                           \
		note(context, #name);                                                              \
		return 0;                                                                          \
	}
HOOK(train_begin)
HOOK(test_begin)
HOOK(predict_begin)
HOOK(predict_end)
#define UNUSED __attribute__((unused))
HOOK(train_end, UNUSED const nacre_logs *logs)
HOOK(test_end, UNUSED const nacre_logs *logs)
HOOK(epoch_begin, UNUSED int epoch)
HOOK(epoch_end, UNUSED int epoch, UNUSED const nacre_logs *logs)
HOOK(batch_begin, UNUSED int64_t batch)
HOOK(batch_end, UNUSED int64_t batch, UNUSED const nacre_logs *logs)
HOOK(train_batch_begin, UNUSED int64_t batch)
HOOK(train_batch_end, UNUSED int64_t batch, UNUSED const nacre_logs *logs)
HOOK(test_batch_begin, UNUSED int64_t batch)
HOOK(test_batch_end, UNUSED int64_t batch, UNUSED const nacre_logs *logs)
HOOK(predict_batch_begin, UNUSED int64_t batch)
HOOK(predict_batch_end, UNUSED int64_t batch)

static void released(void *context)
{
	((calls *)context)->released++;
}

static nacre_callback all_hooks(calls *c)
{
	return (nacre_callback){.context = c,
#define X(name) .on_##name = name
				X(train_begin),
				X(train_end),
				X(epoch_begin),
				X(epoch_end),
				X(batch_begin),
				X(batch_end),
				X(train_batch_begin),
				X(train_batch_end),
				X(test_begin),
				X(test_end),
				X(test_batch_begin),
				X(test_batch_end),
				X(predict_begin),
				X(predict_end),
				X(predict_batch_begin),
				X(predict_batch_end),
#undef X
				.release = released};
}

static int stop_now(void *context, nacre_model *m, int64_t batch)
{
	(void)context, (void)m;
	return batch == 0;
}

TEST(all_sixteen)
{
	stage *s = stage_new();
	nacre_dataset *d = classes(s->rt, 20, 3, 2);
	static calls c;
	c = (calls){.n = 0};
	nacre_fit(s->m, d, .epochs = 1, .batch_size = 20, .validation_data = d,
		  .callbacks = {all_hooks(&c)});
	CHECK_STR(c.text, "train_begin epoch_begin batch_begin train_batch_begin batch_end "
			  "train_batch_end test_begin test_batch_begin test_batch_end test_end "
			  "epoch_end train_end ");
	CHECK_EQ(c.released, 1);
	c = (calls){.n = 0};
	nacre_evaluate(s->m, d, .callbacks = {all_hooks(&c)});
	CHECK_STR(c.text, "test_begin test_batch_begin test_batch_end test_end ");
	CHECK_EQ(c.released, 1);
	c = (calls){.n = 0};
	nacre_tensor_free(nacre_predict(s->m, d, .batch_size = 10, .callbacks = {all_hooks(&c)}));
	CHECK_STR(c.text, "predict_begin predict_batch_begin predict_batch_end "
			  "predict_batch_begin predict_batch_end predict_end ");
	CHECK_EQ(c.released, 1);
	/* an evaluation that is stopped after its first batch */
	c = (calls){.n = 0};
	nacre_evaluate(s->m, d, .batch_size = 5,
		       .callbacks = {all_hooks(&c), {.on_test_batch_begin = stop_now}});
	CHECK_STR(c.text, "test_begin test_batch_begin test_batch_end test_end ");
	CHECK_FINE(s->m);
	/* released also when nothing came of it */
	c = (calls){.n = 0};
	nacre_fit(s->m, NULL, .callbacks = {all_hooks(&c), nacre_csv_logger("x")});
	nacre_fit(NULL, NULL, .callbacks = {all_hooks(&c), nacre_early_stopping()});
	nacre_fit(s->m, d, .epochs = -1,
		  .callbacks = {nacre_backup_and_restore("x"), all_hooks(&c)});
	CHECK_EQ(c.released, 3);
	CHECK_STR(c.text, "");
	nacre_dataset_free(d);
	stage_free(s);
}

/* `last` comes after those that stand behind it. */
TEST(last_comes_last)
{
	stage *s = stage_new();
	nacre_dataset *d = classes(s->rt, 20, 3, 2);
	static calls c;
	c = (calls){.n = 0};
	nacre_fit(s->m, d,
		  .callbacks = {{.context = &c, .on_train_begin = train_begin, .last = 1},
				{.context = &c, .on_train_begin = test_begin},
				{.context = &c, .on_train_begin = predict_begin, .last = 1},
				{.context = &c, .on_train_begin = predict_end}});
	CHECK_STR(c.text, "test_begin predict_end train_begin predict_begin ");
	nacre_dataset_free(d);
	stage_free(s);
}

/* What is wrong with options is told by fit. */
static void refused(nacre_callback c, const char *want)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = classes(rt, 20, 3, 2);
	nacre_model *m = classifier(rt, 3, 4, 2);
	nacre_fit(m, d, .callbacks = {c});
	CHECK_STR(nacre_model_error(m)->text, want);
	CHECK_EQ(nacre_iterations(m), 0);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

TEST(wrong_options)
{
	refused(nacre_early_stopping(.patience = -1),
		"early_stopping: patience: expected at least 0, got -1");
	refused(nacre_early_stopping(.min_delta = NAN),
		"early_stopping: min_delta, baseline: expected numbers, got nan, 0");
	refused(nacre_reduce_lr_on_plateau(.cooldown = -2),
		"reduce_lr_on_plateau: cooldown: expected at least 0, got -2");
	refused(nacre_learning_rate_scheduler(NULL),
		"learning_rate_scheduler: the function is NULL");
	refused(nacre_model_checkpoint(NULL), "model_checkpoint: expected a path");
	refused(nacre_model_checkpoint("a", .save_freq = -1),
		"model_checkpoint: save_freq: expected at least 0, got -1");
	refused(nacre_csv_logger(""), "csv_logger: expected a path");
	refused(nacre_csv_logger("a", .separator = ""), "csv_logger: the separator is empty");
	refused(nacre_backup_and_restore(NULL),
		"backup_and_restore: expected a folder of 1 to 936 bytes");
	refused(nacre_backup_and_restore("a", .keep = -1),
		"backup_and_restore: keep: expected at least 1, got -1");
	refused(nacre_tensorboard("a", .update_freq = -1),
		"tensorboard: update_freq: expected at least 0, got -1");
	refused(nacre_backup_and_restore("/proc/nowhere"),
		"backup_and_restore: /proc/nowhere: cannot make the folder: No such file or "
		"directory");
}

TEST(tensorboard)
{
	stage *s = stage_new();
	nacre_dataset *d = classes(s->rt, 50, 3, 2);
	nacre_fit(
	    s->m, d, .epochs = 2, .batch_size = 10, .validation_data = d,
	    .callbacks = {nacre_tensorboard(at("logs"), .histogram_freq = 1, .update_freq = 2)});
	CHECK_FINE(s->m);
	static const char *const want[2][6] = {
	    {"brain.Event:2", "epoch_loss", "epoch_learning_rate", "batch_accuracy",
	     "dense/kernel/histogram", "Dense(units=4, activation=relu)"},
	    {"brain.Event:2", "epoch_loss", "epoch_accuracy", "evaluation_loss_vs_iterations"}};
	for (int k = 0; k < 2; k++) {
		char path[700] = "";
		static char bytes[100000];
		DIR *dir = opendir(at(k ? "logs/validation" : "logs/train"));
		for (struct dirent *f; dir && (f = readdir(dir));)
			if (f->d_name[0] == 'e')
				snprintf(path, sizeof path, "%s/%s",
					 at(k ? "logs/validation" : "logs/train"), f->d_name);
		if (dir)
			closedir(dir);
		FILE *f = fopen(path, "rb");
		size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
		if (f)
			fclose(f);
		for (int i = 0; i < 6 && want[k][i]; i++)
			if (!memmem(bytes, n, want[k][i], strlen(want[k][i])))
				test_failed(__FILE__, __LINE__, "no %s in %zu bytes of %s",
					    want[k][i], n, path);
	}
	nacre_dataset_free(d);
	if (!getenv("NACRE_TEST_KEEP")) /* to look at them with TensorBoard */
		remove_all(at(""));
	stage_free(s);
}
