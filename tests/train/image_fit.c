/* SPDX-License-Identifier: MIT
 *
 * image_fit.c - training on pictures that are decoded meanwhile: the same bits on any number of
 * threads, cached or not; errors in the middle; the progress line; notes that go with a model.
 */
#include "help.h"

#include "../data/image_help.h"

static nacre_model *small(nacre_runtime *rt, int classes)
{
	nacre_model *m = nacre_sequential_in(rt, "photos");
	nacre_add(m, nacre_input(3, 5, 3));
	nacre_add(m, nacre_rescaling(1.0 / 255));
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dense(8, .activation = nacre_relu));
	nacre_add(m, nacre_dense(classes, .activation = nacre_softmax));
	nacre_compile(m, .loss = nacre_sparse_categorical_crossentropy,
		      .metrics = {nacre_accuracy});
	return m;
}

static double train(int threads, int cache, int64_t window, double *predicted)
{
	nacre_runtime *rt = nacre_runtime_new(
	    &(nacre_runtime_options){.threads = threads, .output.silent = 1}, NULL);
	nacre_dataset *d = nacre_image_dataset_from_directory(
	    image_folder, .image.height = 3, .image.width = 5, .cache = cache, .batch_size = 7,
	    .shuffle_window = window, .runtime = rt);
	nacre_model *m = small(rt, 3);
	nacre_fit(m, d, .epochs = 3);
	CHECK_STR(nacre_model_error(m)->text, "");
	CHECK_EQ(nacre_iterations(m), 3 * ((30 + 6) / 7)); /* batches of 7, as the data says */
	double loss = nacre_evaluate(m, d).loss;
	nacre_tensor *y = nacre_predict(m, d);
	*predicted = y ? nacre_tensor_get(y, 50) : NAN;
	nacre_tensor_free(y);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
	return loss;
}

TEST(same_bits_on_any_number_of_threads)
{
	image_make(3, 10);
	double first, again, loss = train(1, 0, 0, &first);
	CHECK(loss > 0 && loss < 10);
	for (int threads = 1; threads <= 7; threads++) {
		double other = train(threads, threads % 2, 0, &again);
		CHECK(!memcmp(&other, &loss, sizeof loss) && !memcmp(&first, &again, sizeof first));
	}
	double window = train(1, 0, 4, &first), same = train(5, 1, 4, &again);
	CHECK(window == same && first == again && window != loss);
	test_remove_folder(image_folder);
}

TEST(validation_split_of_fit)
{
	image_make(2, 10);
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = nacre_image_dataset_from_directory(image_folder, .image.height = 3,
							      .image.width = 5, .runtime = rt);
	nacre_model *m = small(rt, 2);
	nacre_fit(m, d, .epochs = 2, .validation_split = 0.3);
	CHECK_STR(nacre_model_error(m)->text, "");
	CHECK(nacre_history(m, "val_loss", 1) > 0);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
	test_remove_folder(image_folder);
}

/* A file that goes bad after the data set was made. */
TEST(errors_in_the_middle)
{
	for (int threads = 1; threads <= 3; threads += 2) {
		image_make(2, 20);
		nacre_runtime *rt = nacre_runtime_new(
		    &(nacre_runtime_options){.threads = threads, .output.silent = 1}, NULL);
		nacre_dataset *d = nacre_image_dataset_from_directory(
		    image_folder, .image.height = 3, .image.width = 5, .no_shuffle = 1,
		    .runtime = rt);
		image_write("c1/13.ppm", "P6\n6 4\n255\nabc", 14);
		image_write("c1/14.ppm", "", 0);
		nacre_model *m = small(rt, 2);
		CHECK(nacre_fit(m, d, .batch_size = 8, .no_shuffle = 1) == NACRE_BAD_DATA);
		/* the first of the batch, whichever thread came first */
		CHECK(strstr(nacre_model_error(m)->text, "c1/13.ppm"));
		CHECK(strstr(nacre_model_error(m)->text, "do not fit into 14 bytes"));
		CHECK_EQ(nacre_iterations(m), 3); /* 24 samples; the bad one would be the 26th */
		nacre_clear_error(m);
		CHECK(nacre_evaluate(m, d).status == NACRE_BAD_DATA);
		nacre_clear_error(m);
		CHECK(!nacre_predict(m, d));
		nacre_clear_error(m);
		nacre_dataset *good = nacre_dataset_slice(d, 0, 20);
		CHECK(!nacre_evaluate(m, good).status);
		nacre_dataset_free(good);
		nacre_model_free(m);
		nacre_dataset_free(d);
		nacre_runtime_free(rt);
		test_remove_folder(image_folder);
	}
}

TEST(progress_line)
{
	static printed out;
	image_make(2, 20);
	nacre_runtime *rt = quiet(&out, 0);
	nacre_dataset *d = nacre_image_dataset_from_directory(image_folder, .image.height = 3,
							      .image.width = 5, .runtime = rt);
	nacre_model *m = small(rt, 2);
	nacre_fit(m, d, .batch_size = 10);
	CHECK(strstr(out.text, "images/s - accuracy"));
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
	test_remove_folder(image_folder);
}

TEST(notes)
{
	char path[200];
	nacre_error e = {0};
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_model *m = small(rt, 2);
	snprintf(path, sizeof path, "/tmp/nacre-test-%ld-notes.keras", (long)getpid());
	CHECK(!nacre_set_note(m, "a", "1") && !nacre_set_note(m, "b", "\"x\"\n\xc3\xa4"));
	CHECK(!nacre_set_note(m, "a", "2") && !nacre_set_note(m, "c", "3"));
	CHECK(!nacre_set_note(m, "c", NULL) && !nacre_note(m, "c") && !nacre_note(m, NULL));
	CHECK_STR(nacre_note(m, "a"), "2");
	CHECK(!nacre_save(m, path));
	nacre_model *again = nacre_load(rt, path, &e);
	CHECK_STR(e.text, "");
	CHECK_STR(nacre_note(again, "a"), "2");
	CHECK_STR(nacre_note(again, "b"), "\"x\"\n\xc3\xa4");
	CHECK(!nacre_note(again, "c"));
	CHECK(nacre_set_note(again, "", "x") && nacre_set_note(NULL, "a", "b"));
	CHECK(!nacre_set_note(m, "bad", "\xff"));
	CHECK(nacre_save(m, path) == NACRE_INVALID);
	nacre_model_free(again);
	nacre_model_free(m);
	nacre_runtime_free(rt);
	unlink(path);
}
