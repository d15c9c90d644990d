/* SPDX-License-Identifier: MIT
 *
 * resume.c - an interrupted training that is resumed ends with the bits of one that was not:
 * interrupted after every batch, killed at random moments, its files damaged, its disk failing.
 *
 * NACRE_TEST_KILLS: how many kills there are, 25 if it is not set.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "help.h"

enum { SAMPLES = 60, INPUTS = 5, BATCH = 8, EPOCHS = 4, BATCHES = (SAMPLES + BATCH - 1) / BATCH };
enum { SWEEP = 5 }; /* batches between checkpoints where every call of a training fails once */

/* -- folders -- */
static const char *folder(void)
{
	static char path[200];
	bool memory = access("/dev/shm", W_OK) == 0; /* where fsync takes no time */
	snprintf(path, sizeof path, "%s/nacre-resume-%d", memory ? "/dev/shm" : "/tmp",
		 (int)getpid());
	return path;
}

static void empty(const char *path)
{
	char file[600];
	DIR *d = opendir(path);
	for (struct dirent *f; d && (f = readdir(d));)
		if (f->d_name[0] != '.') {
			snprintf(file, sizeof file, "%s/%s", path, f->d_name);
			unlink(file);
		}
	if (d)
		closedir(d);
	rmdir(path);
}

static int count(const char *path, const char *part)
{
	int n = 0;
	DIR *d = opendir(path);
	for (struct dirent *f; d && (f = readdir(d));)
		n += strstr(f->d_name, part) != NULL;
	if (d)
		closedir(d);
	return n;
}

/* the name of the newest checkpoint */
static const char *newest(const char *path)
{
	static char best[600];
	best[0] = 0;
	DIR *d = opendir(path);
	for (struct dirent *f; d && (f = readdir(d));) {
		char file[600] = "";
		snprintf(file, sizeof file, "%s/%s", path, f->d_name);
		if (strstr(file, ".safetensors") && !strstr(file, ".aside") &&
		    strcmp(file, best) > 0)
			memcpy(best, file, sizeof best);
	}
	if (d)
		closedir(d);
	return best;
}

/* -- a training with everything that could go another way -- */
typedef struct training {
	nacre_runtime *rt;
	nacre_dataset *data;
	nacre_model *m;
	int64_t stop_after; /* batches of this process; 0: it runs to its end */
	int64_t batches;
	int until_epoch; /* stop after that many epochs of this process */
	int epochs;
} training;

/* What keeps numbers beside the usual: averages, gradients that are added up, metrics that are
 * sums, a loss scale that overflows at first, epochs that end within the data. */
typedef struct variant {
	nacre_optimizer optimizer;
	nacre_loss_function *metric;
	int64_t steps;
} variant;
static variant now;

static training begin(int threads, printed *out)
{
	nacre_runtime_options o = {.threads = threads, .output.silent = !out};
	o.output.write = out ? print_into : NULL;
	o.output.context = out;
	training t = {.rt = nacre_runtime_new(&o, NULL)};
	t.data = classes(t.rt, SAMPLES, INPUTS, 3);
	t.m = nacre_sequential_in(t.rt, "m");
	nacre_set_seed(t.m, 7);
	nacre_add(t.m, nacre_input(INPUTS));
	nacre_add(t.m, nacre_dense(17, .activation = nacre_tanh));
	nacre_add(t.m, nacre_batch_normalization());
	nacre_add(t.m, nacre_dropout(0.3));
	nacre_add(t.m, nacre_dense(3, .activation = nacre_softmax));
	nacre_compile(t.m, .optimizer = now.optimizer.kind ? now.optimizer : nacre_adam(0.02),
		      .loss = nacre_categorical_crossentropy,
		      .metrics = {nacre_accuracy, now.metric});
	return t;
}

static void finish(training *t)
{
	nacre_model_free(t->m);
	nacre_dataset_free(t->data);
	nacre_runtime_free(t->rt);
}

/* An interruption that leaves the files as a kill would: an error ends fit at once. */
static int interrupt(void *context, nacre_model *m, int64_t batch, const nacre_logs *logs)
{
	training *t = context;
	(void)batch, (void)logs;
	if (++t->batches == t->stop_after)
		nacre_set_weight(m, "interrupted", NULL);
	return 0;
}

static double slower(void *context, int epoch, double rate)
{
	(void)context, (void)epoch;
	return rate * 0.9; /* of the rate so far: would show an epoch that begins twice */
}

static nacre_status fit(training *t, const char *path, int64_t freq, int keep)
{
	nacre_callback stop = {.context = t, .on_train_batch_end = interrupt, .last = 1};
	return nacre_fit(
	    t->m, t->data, .epochs = EPOCHS, .batch_size = BATCH, .validation_split = 0.1,
	    .steps_per_epoch = now.steps,
	    .callbacks = {nacre_backup_and_restore(path, .save_freq = freq, .keep_at_end = keep),
			  nacre_learning_rate_scheduler(slower),
			  nacre_reduce_lr_on_plateau(.monitor = "loss", .patience = 1,
						     .factor = 0.5, .min_delta = 0.2),
			  nacre_early_stopping(.patience = 50, .restore_best_weights = 1), stop});
}

static const char *const names[] = {"dense/kernel",
				    "dense/bias",
				    "batch_normalization/gamma",
				    "batch_normalization/moving_mean",
				    "batch_normalization/moving_variance",
				    "dense_1/kernel"};

/* FNV-1a of all weights, the history and the learning rate */
static uint64_t hash(nacre_model *m)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		nacre_tensor *t = nacre_get_weight(m, names[i]);
		const unsigned char *p = nacre_tensor_data(t);
		for (int64_t k = 0; k < 4 * nacre_tensor_size(t); k++)
			h = (h ^ p[k]) * 0x100000001b3u;
		nacre_tensor_free(t);
	}
	double more[2 * EPOCHS + 1] = {nacre_learning_rate(m)};
	for (int e = 0; e < EPOCHS; e++) {
		more[1 + e] = nacre_history(m, "loss", e);
		more[1 + EPOCHS + e] = nacre_history(m, "val_accuracy", e);
	}
	for (size_t k = 0; k < sizeof more; k++)
		h = (h ^ ((unsigned char *)more)[k]) * 0x100000001b3u;
	return h;
}

static uint64_t uninterrupted(void)
{
	training t = begin(1, NULL);
	CHECK_EQ(fit(&t, folder(), 0, 0), NACRE_OK);
	CHECK_EQ(nacre_history_epochs(t.m), EPOCHS);
	CHECK_EQ(nacre_iterations(t.m), EPOCHS * ((SAMPLES * 9 / 10 + BATCH - 1) / BATCH));
	uint64_t h = hash(t.m);
	CHECK_FINE(t.m);
	finish(&t);
	return h;
}

/* Interrupted after k batches and resumed, for every k; then again and again after every batch. */
TEST(every_batch)
{
	uint64_t want = uninterrupted();
	CHECK_EQ(count(folder(), "checkpoint"), 0); /* it ended well: they are gone */
	int64_t total = EPOCHS * ((SAMPLES * 9 / 10 + BATCH - 1) / BATCH);
	for (int64_t k = 1; k < total; k++) {
		training a = begin(1, NULL), b = begin(2, NULL);
		a.stop_after = k;
		CHECK(fit(&a, folder(), 1, 0) != NACRE_OK);
		CHECK_EQ(nacre_iterations(a.m), k);
		CHECK_EQ(count(folder(), "checkpoint"), k > 1 ? 2 : 1);
		CHECK_EQ(fit(&b, folder(), 1, 0), NACRE_OK);
		CHECK_EQ(b.batches, total - k);
		if (hash(b.m) != want)
			test_failed(__FILE__, __LINE__, "after batch %d: other bits", (int)k);
		finish(&a);
		finish(&b);
	}
	for (int64_t k = 1; k <= total; k++) {
		training t = begin(1, NULL);
		t.stop_after = 1;
		fit(&t, folder(), 1, 0);
		CHECK_EQ(nacre_iterations(t.m), k);
		finish(&t);
	}
	training t = begin(1, NULL);
	CHECK_EQ(fit(&t, folder(), 1, 0), NACRE_OK);
	CHECK_EQ(t.batches, 0); /* only the end of the last epoch was left */
	CHECK(hash(t.m) == want);
	finish(&t);
	empty(folder());
}

/* Every number that a variant keeps is in the checkpoint. */
static void interrupt_everywhere(const char *what, int64_t total)
{
	training whole = begin(1, NULL);
	CHECK_EQ(fit(&whole, folder(), 0, 0), NACRE_OK);
	CHECK_EQ(whole.batches, total);
	uint64_t want = hash(whole.m);
	double scale = nacre_loss_scale(whole.m);
	double metric = now.metric ? nacre_history(whole.m, nacre_loss_name(now.metric), 2) : 0;
	for (int64_t k = 1; k < total; k += 2) {
		training a = begin(1, NULL), b = begin(2, NULL);
		a.stop_after = k;
		CHECK(fit(&a, folder(), 1, 0) != NACRE_OK);
		CHECK_EQ(fit(&b, folder(), 1, 0), NACRE_OK);
		CHECK_EQ(b.batches, total - k);
		CHECK_EQ(nacre_iterations(b.m), nacre_iterations(whole.m));
		CHECK_EQ(nacre_loss_scale(b.m), scale);
		CHECK(!now.metric ||
		      nacre_history(b.m, nacre_loss_name(now.metric), 2) == metric);
		if (hash(b.m) != want)
			test_failed(__FILE__, __LINE__, "%s, after batch %d: other bits", what,
				    (int)k);
		finish(&a);
		finish(&b);
	}
	finish(&whole);
	empty(folder());
}

TEST(every_kind_of_state)
{
	const int64_t all = EPOCHS * ((SAMPLES * 9 / 10 + BATCH - 1) / BATCH);
	const struct {
		const char *what;
		variant v;
		int64_t total;
	} rows[] = {
	    {"averages",
	     {nacre_adam(0.02, .use_ema = 1, .ema_overwrite_frequency = 3), NULL, 0},
	     all},
	    {"accumulation",
	     {nacre_sgd(0.1, .momentum = 0.9, .gradient_accumulation_steps = 3), NULL, 0},
	     all},
	    {"a metric of sums", {nacre_nadam(0.02), nacre_auc, 0}, all},
	    {"a loss scale",
	     {nacre_adam(0.02, .dynamic_loss_scale = 1, .initial_scale = 0x1p127,
			 .dynamic_growth_steps = 4, .use_ema = 1, .gradient_accumulation_steps = 2),
	      nacre_precision, 0},
	     all},
	    {"short epochs", {nacre_adafactor(0.02), nacre_auc, 3}, 3 + 3 + 1 + 3},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		now = rows[i].v;
		interrupt_everywhere(rows[i].what, rows[i].total);
	}
	now = (variant){.metric = NULL};
}

/* -- SIGKILL -- */
static void child(const char *path, int64_t freq)
{
	training t = begin(2, NULL);
	_exit(fit(&t, path, freq, 1) != NACRE_OK);
}

/* A process of its own trains; it is killed after a random time, until one comes to its end. */
TEST(killed_at_random_moments)
{
	const char *wanted = getenv("NACRE_TEST_KILLS");
	int kills = wanted ? (int)strtol(wanted, NULL, 10) : 25, killed = 0, ended = 0, runs = 0;
	uint64_t want = uninterrupted();
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	training whole = begin(2, NULL);
	fit(&whole, folder(), 1, 0);
	finish(&whole);
	clock_gettime(CLOCK_MONOTONIC, &b);
	double seconds = (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
	const char *path = folder(); /* of this process */
	char before[600] = "";
	int further = 0;
	fflush(stdout);
	while (killed < kills && runs++ < 20 * kills) {
		pid_t pid = fork();
		CHECK(pid >= 0);
		if (pid == 0)
			child(path, 1);
		double wait = test_uniform(0, seconds);
		nanosleep(&(struct timespec){(time_t)wait, (long)((wait - floor(wait)) * 1e9)},
			  NULL);
		int status = 0;
		kill(pid, SIGKILL);
		CHECK_EQ(waitpid(pid, &status, 0), pid);
		if (WIFSIGNALED(status)) {
			killed++;
			further += strcmp(newest(path), before) > 0;
			memcpy(before, newest(path), sizeof before);
			continue;
		}
		CHECK_EQ(WEXITSTATUS(status), 0);
		training t = begin(1, NULL); /* it ended: look, and begin anew */
		CHECK_EQ(fit(&t, folder(), 1, 0), NACRE_OK);
		CHECK(hash(t.m) == want);
		CHECK_EQ(t.batches, 0);
		finish(&t);
		ended++;
		before[0] = 0;
	}
	training t = begin(1, NULL);
	CHECK_EQ(fit(&t, folder(), 1, 0), NACRE_OK);
	CHECK(hash(t.m) == want);
	CHECK_FINE(t.m);
	finish(&t);
	printf("  %d killed, %d of them further than before; %d came to an end\n", killed, further,
	       ended);
	CHECK(further > 0);
	CHECK_EQ(killed, kills);
	CHECK_EQ(count(folder(), "checkpoint"), 0);
	empty(folder());
}

/* -- a disk that fails -- */
static nc_file_table real;
static int64_t calls, fail_at;
static int reason;
static bool for_ever, failed;

static bool fails(void)
{
	calls++;
	if (calls != fail_at && !(for_ever && fail_at && calls > fail_at))
		return false;
	if (reason < 0)
		kill(getpid(), SIGKILL);
	errno = reason;
	return failed = true;
}
static int bad_open(const char *path, int flags, unsigned mode)
{
	return fails() ? -1 : real.open(path, flags, mode);
}
static ssize_t bad_write(int fd, const void *data, size_t n)
{
	return fails() ? -1 : real.write(fd, data, n > 1000 ? n / 2 : n); /* short ones, too */
}
static int bad_fsync(int fd)
{
	return fails() ? -1 : real.fsync(fd);
}
static int bad_rename(const char *from, const char *to)
{
	return fails() ? -1 : real.rename(from, to);
}
static int bad_close(int fd)
{
	int rc = real.close(fd);
	return fails() ? -1 : rc;
}

static void fail_call(int64_t n, int error, bool on)
{
	if (!real.open)
		real = nc_file_calls;
	nc_file_calls.open = bad_open;
	nc_file_calls.write = bad_write;
	nc_file_calls.fsync = bad_fsync;
	nc_file_calls.rename = bad_rename;
	nc_file_calls.close = bad_close;
	calls = 0;
	fail_at = n;
	reason = error;
	for_ever = on;
	failed = false;
}

/* Call n of all those of a training fails: fit says so, what is on the disk is sound, and the
 * training that goes on from there ends with the same bits. */
static int64_t each_call(uint64_t want, int error, bool on)
{
	int64_t n = 0;
	do {
		n++;
		training a = begin(1, NULL), b = begin(1, NULL);
		fail_call(n, error, on);
		nacre_status status = fit(&a, folder(), SWEEP, 0);
		nc_file_calls = real;
		bool hit = failed;
		if (hit && status == NACRE_OK && error != EINTR)
			/* only what is closed after all was written, or read, may fail unheard */
			CHECK(hash(a.m) == want);
		if (status) {
			CHECK_EQ(status, NACRE_IO);
			CHECK(strstr(nacre_model_error(a.m)->text, "checkpoint-"));
			CHECK_EQ(count(folder(), ".tmp."), 0);
			CHECK_EQ(fit(&b, folder(), SWEEP, 0), NACRE_OK);
			CHECK_FINE(b.m);
			CHECK(hash(b.m) == want);
			CHECK(n < 12 || b.batches < EPOCHS * BATCHES - 1);
		}
		finish(&a);
		finish(&b);
		empty(folder());
		if (!hit)
			break;
	} while (n < 10000);
	return n;
}

TEST(disk_fails)
{
	uint64_t want = uninterrupted();
	CHECK(each_call(want, ENOSPC, false) > 40);
	CHECK(each_call(want, EIO, true) > 40);
}

/* The process is killed at call n. */
TEST(killed_at_calls)
{
	uint64_t want = uninterrupted();
	const char *path = folder();
	fflush(stdout);
	for (int64_t n = 1, status = 1; status && n < 10000; n++) {
		pid_t pid = fork();
		int how = 0;
		CHECK(pid >= 0);
		if (pid == 0) {
			fail_call(n, -1, false);
			child(path, SWEEP);
		}
		CHECK_EQ(waitpid(pid, &how, 0), pid);
		CHECK(WIFSIGNALED(how) || WEXITSTATUS(how) == 0);
		status = WIFSIGNALED(how);
		training t = begin(1, NULL);
		CHECK_EQ(fit(&t, path, SWEEP, 0), NACRE_OK);
		CHECK_FINE(t.m);
		CHECK(hash(t.m) == want);
		CHECK_EQ(count(path, ".tmp."), 0);
		CHECK(status || n > 50);
		finish(&t);
		empty(path);
	}
}

/* -- files that were damaged -- */
static long size_of(const char *path)
{
	struct stat s;
	return stat(path, &s) ? -1 : (long)s.st_size;
}

static void flip(const char *path, long at, int bit)
{
	FILE *f = fopen(path, "r+b");
	CHECK(f);
	fseek(f, at, SEEK_SET);
	int c = fgetc(f);
	fseek(f, at, SEEK_SET);
	fputc(c ^ (1 << bit), f);
	fclose(f);
}

TEST(every_flipped_bit)
{
	char path[300];
	snprintf(path, sizeof path, "%s-flip.safetensors", folder());
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = classes(rt, 16, 2, 2);
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_add(m, nacre_input(2));
	nacre_add(m, nacre_dense(2, .activation = nacre_softmax));
	nacre_compile(m, .loss = nacre_categorical_crossentropy);
	nacre_train_on_batch(m, d);
	CHECK_EQ(nacre_checkpoint_save(m, path), NACRE_OK);
	long size = size_of(path), found = 0;
	CHECK(size > 500 && size < 8192);
	for (long i = 0; i < size; i++)
		for (int bit = 0; bit < 8; bit++) {
			flip(path, i, bit);
			found += nacre_checkpoint_load(m, path) == NACRE_BAD_DATA;
			CHECK_EQ(nacre_clear_error(m), NACRE_OK);
			flip(path, i, bit);
		}
	CHECK_EQ(found, 8 * size);
	for (long i = size; i-- > 0;) { /* and every shorter file */
		CHECK_EQ(truncate(path, i), 0);
		CHECK(nacre_checkpoint_load(m, path) != NACRE_OK);
		CHECK_EQ(nacre_clear_error(m), NACRE_OK);
	}
	unlink(path);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}

/* The newest file is damaged: the one before is taken; both are: fit fails. */
TEST(damaged_newest)
{
	static printed out;
	uint64_t want = uninterrupted();
	for (int damaged = 1; damaged <= 2; damaged++) {
		training a = begin(1, NULL), b = begin(1, &out);
		char first[600];
		a.stop_after = 10;
		fit(&a, folder(), 1, 0);
		memcpy(first, newest(folder()), sizeof first);
		flip(first, size_of(first) / 2, 3);
		if (damaged == 2) {
			char aside[700];
			snprintf(aside, sizeof aside, "%s.aside", first);
			rename(first, aside);
			flip(newest(folder()), 100, 0);
			rename(aside, first);
		}
		out.size = 0;
		nacre_status status = fit(&b, folder(), 1, 0);
		CHECK(strstr(out.text, "checkpoint-000000000010.safetensors: damaged"));
		if (damaged == 1) {
			CHECK_FINE(b.m);
			CHECK(hash(b.m) == want);
		} else {
			CHECK_EQ(status, NACRE_BAD_DATA);
			CHECK(strstr(nacre_model_error(b.m)->text, "no checkpoint is sound"));
			CHECK_EQ(count(folder(), "checkpoint"), 2);
		}
		finish(&a);
		finish(&b);
		empty(folder());
	}
}

/* -- checkpoints of something else -- */
static void refuse(nacre_model *m, const char *path, const char *want)
{
	CHECK_EQ(nacre_checkpoint_load(m, path), NACRE_BAD_MODEL);
	if (!strstr(nacre_model_error(m)->text, want))
		test_failed(__FILE__, __LINE__, "\"%s\" in \"%s\"", want,
			    nacre_model_error(m)->text);
	CHECK_EQ(nacre_clear_error(m), NACRE_OK);
	CHECK_EQ(nacre_iterations(m), 0);
}

static nacre_model *small(nacre_runtime *rt, int units, nacre_optimizer optimizer)
{
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_add(m, nacre_input(3));
	nacre_add(m, nacre_dense(units));
	nacre_add(m, nacre_dense(1));
	nacre_compile(m, .optimizer = optimizer, .loss = nacre_mse);
	return m;
}

TEST(of_something_else)
{
	char path[300];
	snprintf(path, sizeof path, "%s-else.safetensors", folder());
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = sums(rt, 16, 3);
	nacre_model *a = small(rt, 4, nacre_adam()), *b = small(rt, 5, nacre_adam());
	nacre_model *c = small(rt, 4, nacre_sgd()), *e = small(rt, 4, nacre_adam(.beta_1 = 0.8));
	nacre_train_on_batch(a, d);
	CHECK_EQ(nacre_checkpoint_save(a, path), NACRE_OK);
	refuse(b, path, "model/dense/kernel is f32 [3, 4] there, f32 [3, 5] in the model");
	refuse(c, path, "made with the optimizer adam, the model has sgd");
	refuse(e, path, "made with other options of the optimizer adam");
	nacre_model *same = small(rt, 4, nacre_adam());
	CHECK_EQ(nacre_checkpoint_load(same, path), NACRE_OK);
	CHECK_EQ(nacre_iterations(same), 1);
	CHECK(nacre_train_on_batch(a, d).loss == nacre_train_on_batch(same, d).loss);
	CHECK(nacre_train_on_batch(a, d).loss == nacre_train_on_batch(same, d).loss);
	CHECK_EQ(nacre_save(a, path), NACRE_OK); /* weights alone */
	CHECK_EQ(nacre_checkpoint_load(same, path), NACRE_BAD_DATA);
	nacre_model *all[] = {a, b, c, e, same};
	for (int i = 0; i < 5; i++)
		nacre_model_free(all[i]);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
	unlink(path);
}

/* Other batches than those in whose middle it was interrupted. */
TEST(other_batch_size)
{
	training a = begin(1, NULL), b = begin(1, NULL);
	a.stop_after = 3;
	fit(&a, folder(), 1, 0);
	nacre_fit(b.m, b.data, .epochs = 2, .batch_size = 10,
		  .callbacks = {nacre_backup_and_restore(folder())});
	CHECK_EQ(nacre_model_error(b.m)->status, NACRE_BAD_MODEL);
	CHECK(strstr(nacre_model_error(b.m)->text,
		     "interrupted in batch 3 of 54 samples in batches of 8, shuffled; now there "
		     "are 60 in batches of 10, shuffled"));
	finish(&a);
	finish(&b);
	empty(folder());
}

/* Early stopping has decided, and the process dies before its end: the best weights come back all
 * the same.  Another seed than the checkpoint's is put right. */
static int die_at_end(void *context, nacre_model *m, int epoch, const nacre_logs *logs)
{
	(void)logs;
	if (epoch == *(int *)context)
		nacre_set_weight(m, "interrupted", NULL);
	return 0;
}

TEST(stopped_early)
{
	double loss[2];
	for (int k = 0; k < 2; k++) {
		nacre_runtime *rt = quiet(NULL, 0);
		nacre_dataset *d = sums(rt, 40, 3);
		int at = k ? 1 : -1;
		for (int run = 0; run <= k; run++) {
			nacre_model *m = nacre_sequential_in(rt, "m");
			nacre_set_seed(m, (uint64_t)(3 + run));
			nacre_add(m, nacre_input(3));
			nacre_add(m, nacre_dropout(0.2));
			nacre_add(m, nacre_dense(1));
			nacre_compile(m, .optimizer = nacre_sgd(1.2), .loss = nacre_mse);
			nacre_fit(
			    m, d, .epochs = 30, .validation_data = d,
			    .callbacks = {
				nacre_early_stopping(.patience = 1, .restore_best_weights = 1),
				nacre_backup_and_restore(folder()),
				{.context = &at, .on_epoch_end = die_at_end, .last = 1}});
			if (run == k) {
				CHECK_FINE(m);
				CHECK(nacre_history_epochs(m) < 30);
				loss[k] = nacre_evaluate(m, d).loss;
			} else
				CHECK(nacre_model_error(m)->status);
			nacre_model_free(m);
		}
		nacre_dataset_free(d);
		nacre_runtime_free(rt);
		empty(folder());
	}
	CHECK(loss[0] == loss[1]);
}
