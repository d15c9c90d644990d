/* SPDX-License-Identifier: MIT
 *
 * npz.c - NPZ: arrays by name, refusals and their texts, round trips, failures.
 */
#include "format/help.h"
#include "format/npz.h"

static const char corpus[] = NACRE_SOURCE_DIR "/fuzz/corpus/npz/";

static nacre_npz *open_file(nacre_runtime *rt, const char *name, nacre_error *e)
{
	char path[600];
	snprintf(path, sizeof path, "%s%s", corpus, name);
	*e = (nacre_error){0};
	return nacre_npz_open(rt, path, e);
}

static void check_six(const nacre_npz *f, const char *name, const double *values)
{
	nacre_error e = {0};
	nacre_tensor *t = nacre_npz_tensor(f, name, &e);
	CHECK_STR(e.text, "");
	CHECK_EQ(nacre_tensor_dtype(t), NACRE_F32);
	CHECK_EQ(nacre_tensor_size(t), 6);
	for (int i = 0; i < 6; i++)
		CHECK(nacre_tensor_get(t, i) == values[i]);
	nacre_tensor_free(t);
}

TEST(reads_arrays)
{
	const double rows[] = {0, 1, 2, 3, 4, 5}, columns[] = {0, 2, 4, 1, 3, 5};
	nacre_error e;
	nacre_npz *f = open_file(NULL, "ok-folders", &e);
	CHECK_EQ(nacre_npz_count(f), 2);
	CHECK_STR(nacre_npz_name(f, 0), "layer/kernel");
	CHECK_STR(nacre_npz_name(f, 1), "layer/bias");
	CHECK(!nacre_npz_name(f, 2) && !nacre_npz_name(f, -1));
	check_six(f, "layer/kernel", rows);
	nacre_npz_free(f);
	f = open_file(NULL, "ok-types", &e);
	check_six(f, "a", columns);
	nacre_tensor *t = nacre_npz_tensor(f, "b", &e);
	CHECK_EQ(nacre_tensor_rank(t), 0);
	CHECK(nacre_tensor_get(t, 0) == -7);
	nacre_npz_free(f); /* what was taken out of it stays */
	CHECK(nacre_tensor_get(t, 0) == -7);
	nacre_tensor_free(t);
	f = open_file(NULL, "ok-none", &e);
	CHECK_EQ(nacre_npz_count(f), 0);
	nacre_npz_free(f);
#ifdef NACRE_HAVE_ZLIB
	f = open_file(NULL, "ok-deflate-and-stored", &e);
	check_six(f, "x", rows);
	check_six(f, "y", rows);
	nacre_npz_free(f);
#endif
}

/* The error of opening a file and reading all of it. */
static nacre_error read_all(nacre_runtime *rt, const char *name)
{
	nacre_error e;
	nacre_npz *f = open_file(rt, name, &e);
	for (int64_t i = 0; i < nacre_npz_count(f) && !e.status; i++)
		nacre_tensor_free(nacre_npz_tensor(f, nacre_npz_name(f, i), &e));
	nacre_npz_free(f);
	return e;
}

TEST(refusals)
{
	static const struct {
		const char *name;
		nacre_status status;
		const char *text;
	} bad[] = {
	    {"bad-nothing", NACRE_BAD_DATA, "zip"},
	    {"bad-npy", NACRE_BAD_DATA, "zip"},
	    {"bad-text", NACRE_UNSUPPORTED, "NPZ: member \"readme.txt\" is no array (NAME.npy)"},
	    {"bad-text-beside", NACRE_UNSUPPORTED, "member \"config.json\" is no array"},
	    {"bad-folder", NACRE_UNSUPPORTED, "member \"a.npy/\" is no array"},
	    {"bad-ending", NACRE_UNSUPPORTED, "member \"x.NPY\" is no array"},
	    {"bad-outside", NACRE_BAD_DATA, "not a relative path"},
	    {"bad-empty-member", NACRE_BAD_DATA, "array \"x\": NPY: the file does not begin with"},
	    {"bad-cut-member", NACRE_BAD_DATA,
	     "array \"x\": NPY: [2, 3] f32 need 24 bytes, got 23"},
	    {"bad-second-cut", NACRE_BAD_DATA, "array \"y\": NPY, byte 8: a header of"},
	    {"bad-object", NACRE_UNSUPPORTED, "'|O' holds Python objects, which are never loaded"},
	    {"bad-bool", NACRE_BAD_DATA, "element 0 of a bool tensor is 2"},
	    {"bad-terabyte", NACRE_BAD_DATA, "need 1099511627776 bytes, got 4"},
	    {"bad-crc", NACRE_BAD_DATA, "the checksum is"},
	    {"bad-nested", NACRE_BAD_DATA, "does not begin with \\x93NUMPY"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		nacre_error e = read_all(NULL, bad[i].name);
		CHECK_EQ(e.status, bad[i].status);
		if (!strstr(e.text, bad[i].text))
			test_failed(__FILE__, __LINE__, "%s: \"%s\" has no \"%s\"", bad[i].name,
				    e.text, bad[i].text);
	}
}

static nacre_tensor *random_tensor(nacre_dtype dtype)
{
	int rank = (int)(test_random() % 5);
	int64_t shape[8];
	for (int i = 0; i < rank; i++)
		shape[i] = (int64_t)(test_random() % 4);
	nacre_tensor *t = nacre_tensor_new(NULL, dtype, rank, shape, NULL);
	uint8_t *p = nacre_tensor_data(t);
	size_t bytes = (size_t)nacre_tensor_size(t) * nacre_dtype_size(dtype);
	for (size_t i = 0; i < bytes; i++) /* any bits, NaNs too */
		p[i] = (uint8_t)(test_random() & (dtype == NACRE_BOOL ? 1 : 255));
	return t;
}

static void check_same(const nacre_npz *f, const nacre_named_tensor *want)
{
	nacre_error e = {0};
	nacre_tensor *t = nacre_npz_tensor(f, want->name, &e);
	const nacre_tensor *u = want->tensor;
	CHECK(t && t->dtype == u->dtype && t->rank == u->rank);
	if (t)
		CHECK(!memcmp(t->shape, u->shape, (size_t)u->rank * sizeof *u->shape) &&
		      !memcmp(t->data, u->data,
			      (size_t)nacre_tensor_size(u) * nacre_dtype_size(u->dtype)));
	nacre_tensor_free(t);
}

TEST(round_trips)
{
	static const char *const names[] = {"x", "y_train", "a/b/c",
					    ("gr\xc3\xb6\xc3\x9f"
					     "e"),
					    ""};
	enum { N = sizeof names / sizeof *names };
	const char *path = temporary("round.npz");
	for (int k = 0; k < 100; k++) {
		nacre_error e = {0};
		nacre_named_tensor item[N];
		nacre_tensor *t[N];
		int n = (int)(test_random() % (N + 1));
		for (int i = 0; i < n; i++) {
			nacre_dtype dtype = (nacre_dtype)(test_random() % NACRE_DTYPES);
			t[i] = random_tensor(dtype == NACRE_BF16 ? NACRE_F32 : dtype);
			item[i] = (nacre_named_tensor){names[i], t[i]};
		}
		CHECK_EQ(nacre_npz_save(path, n, item, &e), NACRE_OK);
		nacre_npz *f = nacre_npz_open(NULL, path, &e);
		CHECK_EQ(nacre_npz_count(f), n);
		for (int i = 0; i < n; i++) {
			CHECK_STR(nacre_npz_name(f, i), names[i]);
			check_same(f, &item[i]);
			nacre_tensor_free(t[i]);
		}
		nacre_npz_free(f);
	}
	unlink(path);
}

/* A view that is not contiguous is written in C order; the same arrays give the same bytes. */
TEST(views)
{
	uint8_t first[2][600];
	const char *path = temporary("view.npz");
	nacre_error e = {0};
	nacre_npz *six = open_file(NULL, "ok-one", &e);
	nacre_tensor *t = nacre_npz_tensor(six, "x", &e);
	nacre_tensor *turned = nacre_tensor_transpose(t, (int[]){1, 0}, &e);
	nacre_named_tensor item = {"x", turned};
	CHECK_EQ(nacre_npz_save(path, 1, &item, &e), NACRE_OK);
	size_t n = get_file(path, first[0], sizeof first[0]);
	nacre_npz *f = nacre_npz_open(NULL, path, &e);
	check_six(f, "x", (double[]){0, 3, 1, 4, 2, 5});
	nacre_npz_free(f);
	CHECK_EQ(nacre_npz_save(path, 1, &item, &e), NACRE_OK);
	CHECK(get_file(path, first[1], sizeof first[1]) == n && !memcmp(first[0], first[1], n));
	nacre_tensor_free(turned);
	nacre_tensor_free(t);
	nacre_npz_free(six);
	unlink(path);
}

static void refuse_save(nacre_status status, const char *text, const char *path, int64_t n,
			const nacre_named_tensor *item)
{
	nacre_error e = {0};
	CHECK_EQ(nacre_npz_save(path, n, item, &e), status);
	if (!strstr(e.text, text))
		test_failed(__FILE__, __LINE__, "\"%s\" has no \"%s\"", e.text, text);
}

TEST(invalid_calls)
{
	nacre_error e = {0};
	const char *path = temporary("invalid.npz");
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 0, NULL, NULL);
	nacre_tensor *b = nacre_tensor_new(NULL, NACRE_BF16, 0, NULL, NULL);
	const nacre_named_tensor twice[] = {{"x", t}, {"x", t}}, none[] = {{NULL, t}, {"x", NULL}};
	const nacre_named_tensor outside[] = {{"../x", t}}, brain[] = {{"b", b}};
	refuse_save(NACRE_INVALID, "a path and named tensors are needed", NULL, 1, twice);
	refuse_save(NACRE_INVALID, "a path and named tensors are needed", path, 1, NULL);
	refuse_save(NACRE_INVALID, "a path and named tensors are needed", path, 1, none);
	refuse_save(NACRE_INVALID, "a path and named tensors are needed", path, 1, none + 1);
	refuse_save(NACRE_INVALID, "two members with the name \"x.npy\"", path, 2, twice);
	refuse_save(NACRE_INVALID, "is not a relative path of UTF-8", path, 1, outside);
	refuse_save(NACRE_UNSUPPORTED, "NumPy has no type for bf16", path, 1, brain);
	refuse_save(NACRE_IO, "/no/such/folder/x.npz", "/no/such/folder/x.npz", 1, twice);
	CHECK(access(path, F_OK));
	CHECK(!nacre_npz_open(NULL, NULL, &e));
	CHECK_STR(e.text, "npz_open: the path is NULL");
	nacre_npz *f = open_file(NULL, "ok-two", &e);
	CHECK(!nacre_npz_tensor(f, "z", &e));
	CHECK_STR(e.text, "NPZ: no array \"z\" among the 2 of the file");
	e = (nacre_error){0};
	CHECK(!nacre_npz_tensor(f, NULL, &e));
	CHECK_STR(e.text, "npz_tensor: the name is NULL");
	CHECK(!nacre_npz_tensor(NULL, "x", NULL) && nacre_npz_count(NULL) == 0);
	nacre_npz_free(f);
	nacre_npz_free(NULL);
	nacre_tensor_free(t);
	nacre_tensor_free(b);
}

static bool read_two(nacre_runtime *rt, nacre_error *e)
{
	*e = read_all(rt, "ok-types");
	return !e->status;
}

/* from a transposed view, which must be copied */
static bool save_view(nacre_runtime *rt, nacre_error *e)
{
	nacre_npz *f = open_file(rt, "ok-types", e);
	nacre_tensor *t = nacre_npz_tensor(f, "a", e->status ? NULL : e);
	nacre_named_tensor item = {"a", t};
	bool ok = t && !nacre_npz_save(temporary("alloc.npz"), 1, &item, e);
	nacre_tensor_free(t);
	nacre_npz_free(f);
	return ok;
}

TEST(allocations_fail)
{
	fail_each_allocation(read_two);
	fail_each_allocation(save_view);
	unlink(temporary("alloc.npz"));
}

TEST(calls_fail)
{
	static const int errors[] = {EIO, ENOSPC, EINTR};
	const char *path = temporary("io.npz");
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F64, 1, (int64_t[]){3}, NULL);
	const nacre_named_tensor item[] = {{"old", t}, {"new", t}};
	uint8_t before[900], after[900];
	for (size_t k = 0; k < sizeof errors / sizeof *errors; k++)
		for (int64_t n = 1; n < 1000; n++) {
			nacre_error e = {0};
			CHECK(!nacre_npz_save(path, 1, item, &e));
			size_t size = get_file(path, before, sizeof before);
			fail_call(n, errors[k]);
			nacre_status s = nacre_npz_save(path, 2, item, &e);
			bool hit = io_failed;
			restore_calls();
			size_t now = get_file(path, after, sizeof after);
			if (s && !strstr(e.text, "in place"))
				CHECK(now == size && !memcmp(before, after, size));
			CHECK(s == e.status && (!s || s == NACRE_IO));
			CHECK(hit || !s);
			CHECK(hit || n > 5);
			if (!hit)
				break;
		}
	nacre_tensor_free(t);
	unlink(path);
}
