/* SPDX-License-Identifier: MIT
 *
 * dataset.c - data sets: shared storage, slices, errors, labels; batches of every type, bit for bit
 * the same from any number of threads.
 */
#include "data/data.h"
#include "nacre/data.h"
#include "test.h"
#include "train/countdown.h"

static nacre_tensor *tensor(nacre_dtype dtype, int rank, const int64_t *shape)
{
	nacre_error e = {0};
	nacre_tensor *t = nacre_tensor_new(NULL, dtype, rank, shape, &e);
	CHECK_STR(e.text, "");
	return t;
}

static const nc_kernels *kernels(void)
{
	return nc_kernels_named(nacre_runtime_isa(NULL));
}

TEST(storage_is_shared)
{
	nacre_tensor *x = tensor(NACRE_F32, 2, (int64_t[]){4, 3});
	nacre_tensor *y = tensor(NACRE_I32, 1, (int64_t[]){4});
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, x, y);
	CHECK_EQ(nacre_dataset_error(d)->status, NACRE_OK);
	CHECK_EQ(nacre_dataset_size(d), 4);
	CHECK(nacre_tensor_data(nacre_dataset_input(d, 0)) == nacre_tensor_data(x));
	CHECK(nacre_tensor_data(nacre_dataset_target(d, 0)) == nacre_tensor_data(y));
	nacre_tensor_set(x, 11, 7);
	nacre_tensor_free(x); /* the data set keeps what it needs */
	nacre_tensor_free(y);
	CHECK(nacre_tensor_get(nacre_dataset_input(d, 0), 11) == 7);
	nacre_dataset *part = nacre_dataset_slice(d, 1, 4);
	nacre_dataset_free(d);
	CHECK_EQ(nacre_dataset_size(part), 3);
	CHECK_EQ(nacre_tensor_shape(nacre_dataset_target(part, 0))[0], 3);
	float sample[3];
	CHECK(!nacre_dataset_sample(part, 2, sample, NULL));
	CHECK(sample[2] == 7);
	nacre_dataset *none = nacre_dataset_slice(part, 3, 3);
	CHECK_EQ(nacre_dataset_error(none)->status, NACRE_OK);
	CHECK_EQ(nacre_dataset_size(none), 0);
	nacre_dataset_free(none);
	nacre_dataset_free(part);
}

TEST(views_that_are_not_contiguous)
{
	nacre_error e = {0};
	nacre_tensor *t = tensor(NACRE_F32, 2, (int64_t[]){3, 2});
	for (int i = 0; i < 6; i++)
		nacre_tensor_set(t, i, i);
	nacre_tensor *x = nacre_tensor_transpose(t, (int[]){1, 0}, &e);
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, x, NULL);
	nacre_tensor_free(x);
	nacre_tensor_free(t);
	float sample[3];
	CHECK_EQ(nacre_dataset_size(d), 2);
	CHECK_EQ(nacre_dataset_targets(d), 0);
	CHECK(!nacre_dataset_target(d, 0));
	CHECK(!nacre_dataset_sample(d, 1, sample, NULL));
	CHECK(sample[0] == 1 && sample[1] == 3 && sample[2] == 5);
	CHECK_EQ(nacre_dataset_label(d, 0), -1);
	nacre_dataset_free(d);
}

static void check_error(nacre_dataset *d, nacre_status status, const char *text)
{
	CHECK(d);
	CHECK_EQ(nacre_dataset_error(d)->status, status);
	CHECK_STR(nacre_dataset_error(d)->text, text);
	CHECK_EQ(nacre_dataset_size(d), 0);
	nacre_dataset_free(d);
}

TEST(errors)
{
	nacre_tensor *x = tensor(NACRE_F32, 2, (int64_t[]){4, 3});
	nacre_tensor *y = tensor(NACRE_U8, 1, (int64_t[]){5});
	nacre_tensor *number = tensor(NACRE_F32, 0, NULL);
	check_error(nacre_dataset_from_tensors(NULL, x, y), NACRE_INVALID,
		    "data set: target 0 has 5 samples, input 0 has 4");
	check_error(nacre_dataset_from_tensors(NULL, NULL, y), NACRE_INVALID,
		    "data set: input 0 is NULL");
	check_error(nacre_dataset_from_tensors(NULL, number, NULL), NACRE_INVALID,
		    "data set: input 0 has no axis of samples: its rank is 0");
	check_error(nacre_dataset_new(NULL, 0, NULL, 0, NULL), NACRE_INVALID,
		    "data set: expected 1 to 16 inputs and targets, got 0 and 0 (NULL)");
	const nacre_tensor *many[17];
	for (int i = 0; i < 17; i++)
		many[i] = x;
	check_error(nacre_dataset_new(NULL, 9, many, 8, many), NACRE_INVALID,
		    "data set: expected 1 to 16 inputs and targets, got 9 and 8");
	check_error(nacre_dataset_new(NULL, 1, many, INT32_MAX, many), NACRE_INVALID,
		    "data set: expected 1 to 16 inputs and targets, got 1 and 2147483647");
	nacre_dataset *d = nacre_dataset_new(NULL, 9, many, 7, many);
	CHECK_EQ(nacre_dataset_inputs(d), 9);
	CHECK_EQ(nacre_dataset_targets(d), 7);
	CHECK_EQ(nacre_dataset_size(d), 4);
	check_error(nacre_dataset_slice(d, 2, 5), NACRE_INVALID,
		    "data set: samples 2 .. 5 asked for, it has 0 .. 4");
	check_error(nacre_dataset_slice(d, 2, 1), NACRE_INVALID,
		    "data set: samples 2 .. 1 asked for, it has 0 .. 4");
	CHECK_EQ(nacre_dataset_set_scale(d, 8, 2, 1), NACRE_OK);
	CHECK_EQ(nacre_dataset_set_scale(d, 9, 2, 1), NACRE_INVALID);
	CHECK_EQ(nacre_dataset_set_scale(d, 0, 1, 0), NACRE_INVALID); /* the first error stays */
	check_error(d, NACRE_INVALID, "data set: set_scale(input 9 of 9, scale 2, offset 1)");
	d = nacre_dataset_from_tensors(NULL, x, NULL);
	CHECK_EQ(nacre_dataset_set_scale(d, 0, NAN, 0), NACRE_INVALID);
	nacre_dataset_free(d);
	nacre_dataset *broken = nacre_dataset_from_tensors(NULL, NULL, NULL);
	nacre_error e = {0};
	CHECK_EQ(nacre_dataset_sample(broken, 0, (float[]){0}, &e), NACRE_INVALID);
	CHECK_STR(e.text, "data set: input 0 is NULL");
	CHECK_EQ(nacre_dataset_set_classes(broken, 0, 10), NACRE_INVALID);
	nacre_dataset_free(broken);
	d = nacre_dataset_from_tensors(NULL, x, x);
	CHECK_EQ(nacre_dataset_label(d, 0), -1); /* three numbers are no label */
	CHECK_EQ(nacre_dataset_set_classes(d, 1, 10), NACRE_INVALID);
	check_error(d, NACRE_INVALID, "data set: set_classes(target 1 of 1, 10)");
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	nacre_tensor_free(number);
}

TEST(null_in)
{
	CHECK(!nacre_dataset_slice(NULL, 0, 0));
	CHECK_EQ(nacre_dataset_error(NULL)->status, NACRE_NO_MEMORY);
	CHECK_EQ(nacre_dataset_size(NULL), 0);
	CHECK_EQ(nacre_dataset_inputs(NULL) + nacre_dataset_targets(NULL), 0);
	CHECK(!nacre_dataset_input(NULL, 0) && !nacre_dataset_target(NULL, 0));
	CHECK_EQ(nacre_dataset_classes(NULL, 0), 0);
	CHECK_EQ(nacre_dataset_label(NULL, 0), -1);
	CHECK_EQ(nacre_dataset_sample(NULL, 0, (float[]){0}, NULL), NACRE_INVALID);
	CHECK_EQ(nacre_dataset_set_scale(NULL, 0, 1, 0), NACRE_INVALID);
	CHECK_EQ(nacre_dataset_set_classes(NULL, 0, 1), NACRE_INVALID);
	nacre_dataset_free(NULL);
}

static void check_labels(nacre_dtype dtype, double value, int64_t classes, const char *text)
{
	nacre_tensor *x = tensor(NACRE_F32, 2, (int64_t[]){4, 3});
	nacre_tensor *y = tensor(dtype, 1, (int64_t[]){4});
	nacre_tensor_set(y, 2, value);
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, x, y);
	CHECK_EQ(nacre_dataset_set_classes(d, 0, classes), *text ? NACRE_BAD_DATA : NACRE_OK);
	CHECK_STR(nacre_dataset_error(d)->text, text);
	CHECK_EQ(nacre_dataset_label(d, 2), *text ? -1 : (int64_t)value);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
}

TEST(labels)
{
	check_labels(NACRE_U8, 9, 10, "");
	check_labels(NACRE_U8, 10, 10, "target 0: label 10 of sample 2 is outside 0..9");
	check_labels(NACRE_U8, 255, 256, "");
	check_labels(NACRE_I8, -1, 10, "target 0: label -1 of sample 2 is outside 0..9");
	check_labels(NACRE_I64, 0x1p32, 10,
		     "target 0: label 4294967296 of sample 2 is outside 0..9");
	check_labels(NACRE_F32, 3, 10, "");
	check_labels(NACRE_F32, 1.5, 10, "target 0: label 1.5 of sample 2 is outside 0..9");
	check_labels(NACRE_F32, NAN, 10, "target 0: label nan of sample 2 is outside 0..9");
	check_labels(NACRE_F64, INFINITY, 10, "target 0: label inf of sample 2 is outside 0..9");
	check_labels(NACRE_I32, 5, 0, "");
	nc_column c = {.tensor = tensor(NACRE_I64, 1, (int64_t[]){2}), .width = 1};
	nacre_error e = {0};
	nacre_tensor_set(c.tensor, 1, -0x1p31);
	CHECK(!nc_column_check(&c, "ids", 0, &e));
	nacre_tensor_set(c.tensor, 1, 0x1p31);
	CHECK_EQ(nc_column_check(&c, "ids", 0, &e), NACRE_BAD_DATA);
	CHECK_STR(e.text, "ids: value 2147483648 of sample 1 is no whole number of 32 bits");
	e = (nacre_error){0};
	CHECK_EQ(nc_column_check(&c, "ids", 0x100000000, &e), NACRE_INVALID);
	nacre_tensor_free(c.tensor);
}

enum { N = 37, WIDTH = 21, ROWS = 13 };

/* What a batch must hold, by the slow way. */
static void check_batch(const nc_batch *b, const float *x, const int32_t *ids, const float *hot)
{
	const nc_column *cx = b->column[0].column, *cy = b->column[1].column;
	int64_t classes = b->column[2].classes;
	for (int64_t i = 0; i < b->rows; i++) {
		int64_t s = b->index ? b->index[i] : b->first + i;
		for (int64_t k = 0; k < WIDTH; k++) {
			double want =
			    nc_element(cx->tensor->dtype, cx->tensor->data, s * WIDTH + k) *
				cx->scale +
			    cx->offset;
			CHECK_NEAR(x[i * WIDTH + k], want, 1e-6 * fabs(want) + 1e-6);
		}
		int label = (int)nc_element(cy->tensor->dtype, cy->tensor->data, s);
		CHECK_EQ(ids[i], label);
		for (int64_t k = 0; k < classes; k++)
			CHECK(hot[i * classes + k] == (k == label));
	}
}

static void try_type(nacre_dtype dtype, nacre_dtype label, bool scaled)
{
	nacre_tensor *x = tensor(dtype, 3, (int64_t[]){N, 3, 7}),
		     *y = tensor(label, 1, (int64_t[]){N});
	for (int64_t i = 0; i < N * WIDTH; i++)
		nacre_tensor_set(x, i, (double)(test_random() % 100));
	for (int64_t i = 0; i < N; i++)
		nacre_tensor_set(
		    y, i, label == NACRE_BOOL ? (double)(i % 2) : (double)(test_random() % 10));
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, x, y);
	CHECK(!nacre_dataset_set_classes(d, 0, 10));
	if (scaled)
		nacre_dataset_set_scale(d, 0, 1.0 / 255, -0.5);
	float one[ROWS * WIDTH], many[ROWS * WIDTH], hot[ROWS * 10];
	int32_t ids[ROWS];
	int64_t index[ROWS];
	for (int i = 0; i < ROWS; i++)
		index[i] = (int64_t)(test_random() % N);
	const nc_column *cx = nc_dataset_input(d, 0), *cy = nc_dataset_target(d, 0);
	CHECK_EQ(nc_feed_bytes(cx, NC_FEED_F32, 0), sizeof one / ROWS);
	CHECK_EQ(nc_feed_bytes(cy, NC_FEED_I32, 0), 4);
	CHECK_EQ(nc_feed_bytes(cy, NC_FEED_ONE_HOT, 10), 40);
	for (int k = 0; k < 2; k++) {
		nc_batch b = {.kernels = kernels(),
			      .rows = ROWS,
			      .index = k ? index : NULL,
			      .first = 20,
			      .n = 3,
			      .column = {{cx, NC_FEED_F32, 0, one},
					 {cy, NC_FEED_I32, 0, ids},
					 {cy, NC_FEED_ONE_HOT, 10, hot}}};
		nc_batch_assemble(&b, (nc_team){.size = 1});
		check_batch(&b, one, ids, hot);
		for (int threads = 2; threads <= 16; threads *= 2) { /* more than rows, too */
			memset(many, 0xff, sizeof many);
			memset(ids, 0xff, sizeof ids);
			memset(hot, 0xff, sizeof hot);
			b.column[0].out = many;
			for (int t = 0; t < threads; t++)
				nc_batch_assemble(&b, (nc_team){.tid = t, .size = threads});
			CHECK(!memcmp(one, many, sizeof one));
			check_batch(&b, many, ids, hot);
		}
	}
	float sample[WIDTH];
	CHECK(!nacre_dataset_sample(d, 20, sample, NULL));
	nc_batch b = {.kernels = kernels(),
		      .rows = 1,
		      .first = 20,
		      .n = 1,
		      .column = {{cx, NC_FEED_F32, 0, one}}};
	nc_batch_assemble(&b, (nc_team){.size = 1});
	CHECK(!memcmp(sample, one, sizeof sample));
	nacre_dataset_free(d);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
}

TEST(batches)
{
	for (int dtype = 0; dtype < NACRE_DTYPES; dtype++)
		for (int scaled = 0; scaled < 2; scaled++)
			try_type((nacre_dtype)dtype, (nacre_dtype)((dtype + 5) % NACRE_DTYPES),
				 scaled);
}

/* Samples of no elements, batches of no rows. */
TEST(nothing)
{
	nacre_tensor *x = tensor(NACRE_U8, 2, (int64_t[]){5, 0});
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, x, NULL);
	CHECK_EQ(nacre_dataset_size(d), 5);
	float f = 3;
	CHECK(!nacre_dataset_sample(d, 4, &f, NULL));
	CHECK(f == 3);
	nc_batch b = {
	    .kernels = kernels(), .n = 1, .column = {{nc_dataset_input(d, 0), NC_FEED_F32, 0, &f}}};
	nc_batch_assemble(&b, (nc_team){.size = 1});
	CHECK(f == 3);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
}

TEST(allocations_fail)
{
	state = (countdown){.left = -1};
	nacre_runtime *rt = nacre_runtime_new(
	    &(nacre_runtime_options){.threads = 1, .allocator = {reallocate, NULL}}, NULL);
	nacre_tensor *x = nacre_tensor_new(rt, NACRE_F32, 2, (int64_t[]){4, 3}, NULL);
	nacre_tensor *y = nacre_tensor_new(rt, NACRE_U8, 1, (int64_t[]){4}, NULL);
	int64_t blocks = nacre_runtime_memory(rt).blocks;
	bool done = false;
	for (long n = 0; !done && n < 100; n++) {
		state.left = n;
		state.failed = false;
		nacre_dataset *d = nacre_dataset_from_tensors(rt, x, y);
		nacre_dataset *part = nacre_dataset_slice(d, 1, 3);
		done = !state.failed;
		if (done)
			CHECK(nacre_dataset_size(part) == 2);
		else
			CHECK(nacre_dataset_error(part)->status == NACRE_NO_MEMORY);
		nacre_dataset_free(part);
		nacre_dataset_free(d);
		CHECK_EQ(nacre_runtime_memory(rt).blocks, blocks);
	}
	CHECK(done);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	nacre_runtime_free(rt);
}
