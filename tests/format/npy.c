/* SPDX-License-Identifier: MIT
 *
 * npy.c - NPY: every type bit for bit, both orders, refusals and their texts, round trips,
 * failures.
 */
#include "format/help.h"
#include "format/npy.h"
#include "nacre/format.h"

static const char corpus[] = NACRE_SOURCE_DIR "/fuzz/corpus/npy/";

static nacre_tensor *load(nacre_runtime *rt, const char *name, nacre_error *e)
{
	char path[600];
	snprintf(path, sizeof path, "%s%s", corpus, name);
	*e = (nacre_error){0};
	return nacre_npy_load(rt, path, e);
}

static void check_file(const char *name, nacre_dtype dtype, int rank, const int64_t *shape,
		       const double *values)
{
	nacre_error e;
	nacre_tensor *t = load(NULL, name, &e);
	CHECK_STR(e.text, "");
	CHECK_EQ(nacre_tensor_dtype(t), dtype);
	CHECK_EQ(nacre_tensor_rank(t), rank);
	for (int i = 0; i < rank && t; i++)
		CHECK_EQ(nacre_tensor_shape(t)[i], shape[i]);
	for (int64_t i = 0; i < nacre_tensor_size(t); i++)
		CHECK(nacre_tensor_get(t, i) == values[i]);
	nacre_tensor_free(t);
}

TEST(types_and_orders)
{
	check_file("ok-f4", NACRE_F32, 2, (int64_t[]){2, 3}, (double[]){0, 1, 2, 3, 4, 5});
	check_file("ok-f4-big", NACRE_F32, 2, (int64_t[]){2, 3}, (double[]){0, 1, 2, 3, 4, 5});
	check_file("ok-f4-fortran", NACRE_F32, 2, (int64_t[]){2, 3}, (double[]){0, 2, 4, 1, 3, 5});
	check_file("ok-f8", NACRE_F64, 1, (int64_t[]){1}, (double[]){0.1});
	check_file("ok-f8-big-fortran", NACRE_F64, 2, (int64_t[]){1, 2}, (double[]){1, 2});
	check_file("ok-f2", NACRE_F16, 1, (int64_t[]){2}, (double[]){1.5, -2});
	check_file("ok-f2-big", NACRE_F16, 1, (int64_t[]){2}, (double[]){1.5, -2});
	check_file("ok-i1", NACRE_I8, 1, (int64_t[]){3}, (double[]){-128, 0, 127});
	check_file("ok-u1", NACRE_U8, 1, (int64_t[]){3}, (double[]){128, 0, 255});
	check_file("ok-u1-order", NACRE_U8, 1, (int64_t[]){3}, (double[]){128, 0, 255});
	check_file("ok-i4", NACRE_I32, 1, (int64_t[]){2}, (double[]){-2147483648.0, 7});
	check_file("ok-i4-native", NACRE_I32, 1, (int64_t[]){1}, (double[]){7});
	check_file("ok-i8", NACRE_I64, 3, (int64_t[]){1, 1, 1}, (double[]){-0x1p63});
	check_file("ok-b1", NACRE_BOOL, 1, (int64_t[]){2}, (double[]){0, 1});
	check_file("ok-scalar", NACRE_F32, 0, NULL, (double[]){3});
	check_file("ok-empty", NACRE_F32, 2, (int64_t[]){0, 5}, NULL);
	check_file("ok-version2", NACRE_F32, 1, (int64_t[]){1}, (double[]){1});
	check_file("ok-version3", NACRE_F32, 1, (int64_t[]){1}, (double[]){1});
	check_file("ok-align16", NACRE_F32, 1, (int64_t[]){1}, (double[]){1});
	check_file("ok-other-order-of-keys", NACRE_F32, 2, (int64_t[]){2, 3},
		   (double[]){0, 1, 2, 3, 4, 5});
}

static void check_refused(const char *name, nacre_status status, const char *text)
{
	nacre_error e;
	CHECK(!load(NULL, name, &e));
	CHECK_EQ(e.status, status);
	if (!strstr(e.text, text) || !strstr(e.text, name))
		test_failed(__FILE__, __LINE__, "%s: \"%s\" has no \"%s\"", name, e.text, text);
}

TEST(refusals)
{
	static const struct {
		const char *name, *text;
	} bad[] = {
	    {"bad-magic", "does not begin with \\x93NUMPY"},
	    {"bad-version4", "byte 6: expected version 1.0 to 3.0, got 4.0"},
	    {"bad-version1.1", "got 1.1"},
	    {"bad-header-cut", "a header of 118 bytes, 30 are left"},
	    {"bad-header-length-cut", "ends inside the header's length"},
	    {"bad-header-long", "at most 10000"},
	    {"bad-header-4g", "a header of 4294967295 bytes"},
	    {"bad-data-cut", "[2, 3] f32 need 24 bytes, got 23"},
	    {"bad-data-more", "[2, 3] f32 need 24 bytes, got 25"},
	    {"bad-bool-2", "element 1 of a bool tensor is 2"},
	    {"bad-key-twice", "byte 27: expected each of 'descr', 'fortran_order', 'shape' once"},
	    {"bad-key-unknown", "expected each of 'descr'"},
	    {"bad-key-missing", "expected the keys 'descr', 'fortran_order' and 'shape'"},
	    {"bad-no-dict", "byte 10: expected '{', got \"[\""},
	    {"bad-after-dict", "expected nothing after the '}', got \"+\""},
	    {"bad-call", "expected a tuple, got \"t\""},
	    {"bad-no-tuple", "expected a tuple, as (n,)"},
	    {"bad-negative", "expected a size from 0, got \"-\""},
	    {"bad-leading-zero", "without leading zeros"},
	    {"bad-size-2^63", "a size below 2^63"},
	    {"bad-size-2^64", "a size below 2^63"},
	    {"bad-terabyte", "[1048576, 262144] f32 need 1099511627776 bytes, got 4"},
	    {"bad-overflow", "the product of the shape [4294967296, 4294967296] overflows"},
	    {"bad-overflow-bytes", "overflows"},
	    {"bad-bool-number", "expected True or False, got \"0\""},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		check_refused(bad[i].name, NACRE_BAD_DATA, bad[i].text);
	check_refused("bad-object", NACRE_UNSUPPORTED, "'|O' holds Python objects");
	check_refused("bad-structured", NACRE_UNSUPPORTED, "is structured");
	check_refused("bad-type", NACRE_UNSUPPORTED, "'<c8' is not one of f2 f4 f8");
	check_refused("bad-type-i2", NACRE_UNSUPPORTED, "'<i2' is not one of");
	check_refused("bad-type-no-order", NACRE_UNSUPPORTED, "'f4' has no byte order");
	check_refused("bad-rank9", NACRE_UNSUPPORTED, "more than 8 dimensions");
}

TEST(saved_bytes)
{
	const char *path = temporary("saved.npy");
	nacre_error e = {0};
	const int64_t shape[] = {2, 3};
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 2, shape, &e);
	for (int i = 0; i < 6; i++)
		nacre_tensor_set(t, i, i);
	CHECK(!nacre_npy_save(t, path, &e));
	/* the same array as NumPy wrote it */
	uint8_t ours[400], theirs[400];
	size_t n = get_file(path, ours, sizeof ours);
	CHECK_EQ(n, get_file(NACRE_SOURCE_DIR "/fuzz/corpus/npy/ok-f4", theirs, sizeof theirs));
	CHECK(!memcmp(ours, theirs, n));
	/* a view that is not contiguous is written in C order */
	nacre_tensor *back = nacre_tensor_transpose(t, (int[]){1, 0}, &e);
	CHECK(!nacre_npy_save(back, path, &e));
	nacre_tensor_free(back);
	back = nacre_npy_load(NULL, path, &e);
	CHECK_EQ(nacre_tensor_shape(back)[0], 3);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(nacre_tensor_get(back, i), ((int[]){0, 3, 1, 4, 2, 5})[i]);
	nacre_tensor_free(back);
	nacre_tensor_free(t);
	unlink(path);
}

TEST(round_trips)
{
	const char *path = temporary("round.npy");
	for (int k = 0; k < 200; k++) {
		nacre_error e = {0};
		nacre_dtype dtype = (nacre_dtype)(test_random() % NACRE_DTYPES);
		int rank = (int)(test_random() % 9);
		int64_t shape[8];
		for (int i = 0; i < rank; i++)
			shape[i] = (int64_t)(test_random() % (k % 10 ? 3 : 4)) + (k % 10 != 0);
		nacre_tensor *t = nacre_tensor_new(NULL, dtype, rank, shape, &e);
		uint8_t *p = nacre_tensor_data(t);
		size_t bytes = (size_t)nacre_tensor_size(t) * nacre_dtype_size(dtype);
		for (size_t i = 0; i < bytes; i++) /* any bits, NaNs too */
			p[i] = (uint8_t)(test_random() & (dtype == NACRE_BOOL ? 1 : 255));
		nacre_status s = nacre_npy_save(t, path, &e);
		CHECK_EQ(s, dtype == NACRE_BF16 ? NACRE_UNSUPPORTED : NACRE_OK);
		nacre_tensor *u = s ? NULL : nacre_npy_load(NULL, path, &e);
		CHECK(s || u);
		if (u) {
			CHECK_EQ(nacre_tensor_dtype(u), dtype);
			CHECK_EQ(nacre_tensor_rank(u), rank);
			CHECK(!memcmp(nacre_tensor_shape(u), shape, (size_t)rank * sizeof *shape));
			CHECK(!memcmp(nacre_tensor_data(u), p, bytes));
		}
		nacre_tensor_free(t);
		nacre_tensor_free(u);
	}
	unlink(path);
}

TEST(largest_header)
{
	char header[NC_NPY_HEADER];
	int64_t shape[8];
	for (int i = 0; i < 8; i++)
		shape[i] = INT64_MAX;
	CHECK_EQ(nc_npy_header(NACRE_F32, 8, shape, header), 256);
	CHECK_EQ(header[255], '\n');
}

TEST(invalid_calls)
{
	nacre_error e = {0};
	CHECK_EQ(nacre_npy_save(NULL, "/tmp/x", &e), NACRE_INVALID);
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 0, NULL, NULL);
	CHECK_EQ(nacre_npy_save(t, NULL, NULL), NACRE_INVALID);
	e = (nacre_error){0};
	CHECK_EQ(nacre_npy_save(t, "/no/such/folder/x.npy", &e), NACRE_IO);
	CHECK(strstr(e.text, "/no/such/folder/x.npy"));
	CHECK(!nacre_npy_load(NULL, NULL, NULL));
	nacre_tensor_free(t);
}

static bool load_fortran(nacre_runtime *rt, nacre_error *e)
{
	nacre_tensor *t = load(rt, "ok-f4-fortran", e);
	nacre_tensor_free(t);
	return t;
}

/* the tensor's own allocations come first, so the save is done from a transposed view */
static bool save_view(nacre_runtime *rt, nacre_error *e)
{
	nacre_tensor *t = load(rt, "ok-f4-fortran", e);
	bool ok = t && !nacre_npy_save(t, temporary("alloc.npy"), e);
	nacre_tensor_free(t);
	return ok;
}

TEST(allocations_fail)
{
	fail_each_allocation(load_fortran);
	fail_each_allocation(save_view);
	unlink(temporary("alloc.npy"));
}

TEST(calls_fail)
{
	static const int errors[] = {EIO, ENOSPC, EINTR};
	nacre_error e = {0};
	const char *path = temporary("io.npy");
	nacre_tensor *old = nacre_tensor_new(NULL, NACRE_U8, 1, (int64_t[]){5}, &e);
	nacre_tensor *new = nacre_tensor_new(NULL, NACRE_F64, 1, (int64_t[]){3}, &e);
	uint8_t before[300], after[300];
	for (size_t k = 0; k < sizeof errors / sizeof *errors; k++) {
		int64_t n = 0;
		do {
			e = (nacre_error){0};
			restore_calls();
			CHECK(!nacre_npy_save(old, path, &e));
			size_t size = get_file(path, before, sizeof before);
			fail_call(++n, errors[k]);
			nacre_status s = nacre_npy_save(new, path, &e);
			bool failed = io_failed;
			restore_calls();
			size_t now = get_file(path, after, sizeof after);
			if (s && !strstr(e.text, "in place"))
				CHECK(now == size && !memcmp(before, after, size));
			CHECK(s == e.status && (!s || s == NACRE_IO));
			CHECK(failed || !s);
			if (!failed)
				break;
			char leftover[300];
			snprintf(leftover, sizeof leftover, "%s.tmp.%ld", path, (long)getpid());
			CHECK(access(leftover, F_OK));
		} while (n < 1000);
		CHECK(n > 5 && n < 1000);
	}
	nacre_tensor_free(old);
	nacre_tensor_free(new);
	unlink(path);
}
