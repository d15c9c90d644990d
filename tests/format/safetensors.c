/* SPDX-License-Identifier: MIT
 *
 * safetensors.c - safetensors: views of the mapping, names, metadata, the bytes that are written,
 * refusals and their texts, failures of memory and of the disk.
 */
#include "format/help.h"
#include "format/load.h"
#include "format/safetensors.h"
#include "nacre/format.h"

static const char corpus[] = NACRE_SOURCE_DIR "/fuzz/corpus/safetensors/";

static nacre_safetensors *open_file(nacre_runtime *rt, const char *name, nacre_error *e)
{
	char path[600];
	snprintf(path, sizeof path, "%s%s", corpus, name);
	*e = (nacre_error){0};
	return nacre_safetensors_open(rt, path, e);
}

TEST(views_of_the_file)
{
	nacre_error e;
	nacre_safetensors *f = open_file(NULL, "ok-two", &e);
	CHECK_STR(e.text, "");
	CHECK_EQ(nacre_safetensors_count(f), 2);
	CHECK_STR(nacre_safetensors_name(f, 0), "a");
	CHECK_STR(nacre_safetensors_name(f, 1), "b");
	CHECK_STR(nacre_safetensors_dtype(f, 0), "F32");
	CHECK_STR(nacre_safetensors_dtype(f, 1), "U8");
	CHECK(!nacre_safetensors_name(f, 2) && !nacre_safetensors_name(f, -1));
	nacre_tensor *a = nacre_safetensors_tensor(f, "a", &e);
	nacre_tensor *b = nacre_safetensors_tensor(f, "b", &e);
	CHECK_EQ(nacre_tensor_dtype(a), NACRE_F32);
	CHECK_EQ(nacre_tensor_rank(a), 1);
	CHECK(nacre_tensor_get(a, 0) == 1);
	CHECK(!memcmp(nacre_tensor_data(b), "xyz", 3));
	/* both lie in one mapping, where the file has them */
	CHECK(a->storage == b->storage);
	CHECK_EQ(b->data - a->data, 4);
	CHECK_EQ(a->storage->count, 3);
	nacre_safetensors_free(f); /* the views keep the mapping */
	CHECK(nacre_tensor_get(a, 0) == 1);
	nacre_tensor_free(a);
	CHECK_EQ(b->storage->count, 1);
	CHECK(!memcmp(nacre_tensor_data(b), "xyz", 3));
	nacre_tensor_free(b);
}

TEST(unaligned_is_copied)
{
	nacre_error e;
	nacre_safetensors *f = open_file(NULL, "ok-unaligned", &e);
	nacre_tensor *a = nacre_safetensors_tensor(f, "a", &e);
	nacre_tensor *b = nacre_safetensors_tensor(f, "b", &e);
	CHECK(a && b && a->storage != b->storage);
	CHECK_EQ((uintptr_t)nacre_tensor_data(b) % 4, 0);
	CHECK(nacre_tensor_get(b, 0) == 1);
	nacre_tensor_free(a);
	nacre_tensor_free(b);
	nacre_safetensors_free(f);
}

TEST(metadata)
{
	nacre_error e;
	nacre_safetensors *f = open_file(NULL, "ok-metadata", &e);
	CHECK_EQ(nacre_safetensors_metadata_count(f), 3);
	CHECK_STR(nacre_safetensors_metadata_key(f, 0), "format");
	CHECK_STR(nacre_safetensors_metadata_key(f, 1), "");
	CHECK(!nacre_safetensors_metadata_key(f, 3));
	CHECK_STR(nacre_safetensors_metadata(f, "format"), "pt");
	CHECK_STR(nacre_safetensors_metadata(f, ""), "");
	CHECK_STR(nacre_safetensors_metadata(f, "\xc3\xa9\xf0\x9f\x98\x80"), "x\ny");
	CHECK(!nacre_safetensors_metadata(f, "none"));
	nacre_safetensors_free(f);
	f = open_file(NULL, "ok-escapes", &e);
	CHECK_STR(nacre_safetensors_name(f, 0), "a\xc3\xa9\xf0\x9f\x98\x80\n\"\\/");
	nacre_safetensors_free(f);
}

TEST(what_tensors_cannot_be)
{
	nacre_error e;
	nacre_safetensors *f = open_file(NULL, "ok-every-dtype", &e);
	CHECK_EQ(nacre_safetensors_count(f), 22);
	CHECK(!nacre_safetensors_tensor(f, "t.F8_E4M3", &e));
	CHECK_EQ(e.status, NACRE_UNSUPPORTED);
	CHECK_STR(e.text, "safetensors: tensor \"t.F8_E4M3\": F8_E4M3 of rank 1");
	int ours = 0;
	for (int i = 0; i < 22; i++) {
		nacre_tensor *t = nacre_safetensors_tensor(f, nacre_safetensors_name(f, i), NULL);
		ours += t != NULL;
		nacre_tensor_free(t);
	}
	CHECK_EQ(ours, NACRE_DTYPES);
	e = (nacre_error){0};
	CHECK(!nacre_safetensors_tensor(f, "t", &e));
	CHECK_EQ(e.status, NACRE_INVALID);
	CHECK_STR(e.text,
		  "safetensors: no tensor \"t\" among the 22 of the file; it has \"t.BF16\", "
		  "\"t.BOOL\", \"t.C64\", \"t.F16\", ...");
	nacre_safetensors_free(f);
	f = open_file(NULL, "ok-rank9", &e);
	CHECK(!nacre_safetensors_tensor(f, "r", &e));
	CHECK_STR(e.text, "safetensors: tensor \"r\": U8 of rank 9");
	nacre_safetensors_free(f);
}

TEST(damaged_bool)
{
	const char *path = temporary("bool.safetensors");
	char file[200] = {0};
	const char *header = "{\"b\":{\"dtype\":\"BOOL\",\"shape\":[2],\"data_offsets\":[0,2]}}";
	size_t n = strlen(header);
	nacre_error e = {0};
	file[0] = (char)n;
	memcpy(file + 8, header, n);
	file[8 + n + 1] = 7;
	put_file(path, file, 8 + n + 2);
	nacre_safetensors *f = nacre_safetensors_open(NULL, path, &e);
	CHECK(f && !nacre_safetensors_tensor(f, "b", &e));
	CHECK_EQ(e.status, NACRE_BAD_DATA);
	CHECK_STR(e.text,
		  "safetensors: tensor \"b\": element 1 of a bool tensor is 7, expected 0 or 1");
	nacre_safetensors_free(f);
	unlink(path);
}

TEST(refusals)
{
	static const struct {
		const char *name, *text;
	} bad[] = {
	    {"bad-nothing", "expected at least 8 bytes, got 0 (HeaderTooSmall)"},
	    {"bad-seven-bytes", "got 7 (HeaderTooSmall)"},
	    {"bad-length-max",
	     "a header of 18446744073709551615 bytes, at most 100000000 (HeaderTooLarge)"},
	    {"bad-length-over-limit", "(HeaderTooLarge)"},
	    {"bad-length-past-end",
	     "a header of 3 bytes, the file has 2 more (InvalidHeaderLength)"},
	    {"bad-byte-ff", "not UTF-8 (InvalidHeader)"},
	    {"bad-only-brace", "header, byte 1: expected a key, got the end"},
	    {"bad-length-0", "header, byte 0: expected an object, got the end"},
	    {"bad-data-more", "need 16 bytes, the file has 17 (MetadataIncompleteBuffer)"},
	    {"bad-data-cut", "need 16 bytes, the file has 14 (MetadataIncompleteBuffer)"},
	    {"bad-equal-offsets",
	     "tensor \"t1\": data_offsets [0, 8], expected [8, ...] (InvalidOffset)"},
	    {"bad-hole", "data_offsets [2, 3], expected [1, ...] (InvalidOffset)"},
	    {"bad-not-from-0", "expected [0, ...] (InvalidOffset)"},
	    {"bad-overlap", "(InvalidOffset)"},
	    {"bad-end-before-begin", "(InvalidOffset)"},
	    {"bad-overflow", "the product of its shape overflows (ValidationOverflow)"},
	    {"bad-overflow-bits", "(ValidationOverflow)"},
	    {"bad-size-2^63", "size 9223372036854775808 is 2^63 or more (ValidationOverflow)"},
	    {"bad-size-2^64", "byte 28: the number is larger than 2^64 - 1"},
	    {"bad-half-byte", "12 bits are no whole number of bytes (MisalignedSlice)"},
	    {"bad-size", "its F32 and shape need 8 bytes, its data_offsets [0, 4] have 4 "
			 "(TensorInvalidInfo)"},
	    {"bad-terabyte", "need 1099511627776 bytes, the file has 0"},
	    {"bad-name-twice", "tensor \"t\" occurs twice, at bytes 1 and 53"},
	    {"bad-name-twice-escaped", "tensor \"t\" occurs twice"},
	    {"bad-metadata-twice", "\"__metadata__\" occurs twice"},
	    {"bad-metadata-key-twice", "metadata key \"a\" occurs twice"},
	    {"bad-metadata-number", "expected a string, got '1'"},
	    {"bad-field-twice", "key \"dtype\" occurs twice"},
	    {"bad-field-unknown", "unknown key \"x\""},
	    {"bad-field-missing", "tensor \"t\" has no \"data_offsets\""},
	    {"bad-dtype-unknown", "unknown dtype \"U9\""},
	    {"bad-shape-leading-zero", "a number with a leading zero"},
	    {"bad-rank33", "more than 32 dimensions"},
	    {"bad-nul-in-name", "a NUL inside a string"},
	    {"bad-deep-in-entry", "expected a whole number from 0, got '['"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		nacre_error e;
		CHECK(!open_file(NULL, bad[i].name, &e));
		CHECK_EQ(e.status, NACRE_BAD_DATA);
		if (!strstr(e.text, bad[i].text) || !strstr(e.text, bad[i].name))
			test_failed(__FILE__, __LINE__, "%s: \"%s\" has no \"%s\"", bad[i].name,
				    e.text, bad[i].text);
	}
}

TEST(saved_bytes)
{
	const char *path = temporary("saved.safetensors");
	nacre_error e = {0};
	nacre_tensor *b = nacre_tensor_new(NULL, NACRE_U8, 1, (int64_t[]){3}, &e);
	nacre_tensor *a = nacre_tensor_new(NULL, NACRE_F32, 0, NULL, &e);
	nacre_tensor *z = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){1, 2}, &e);
	nacre_tensor_set(a, 0, 1);
	for (int i = 0; i < 3; i++)
		nacre_tensor_set(b, i, 'x' + i);
	nacre_named_tensor tensors[] = {{"b", b}, {"z", z}, {"a\"\n", a}};
	nacre_metadata metadata[] = {{"k", "v"}, {"format", "nacre"}};
	CHECK(!nacre_safetensors_save(path, 3, tensors, 2, metadata, &e));
	CHECK_STR(e.text, "");
	static const char header[] =
	    "{\"__metadata__\":{\"format\":\"nacre\",\"k\":\"v\"},"
	    "\"a\\\"\\u000a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
	    "\"z\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[4,12]},"
	    "\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[12,15]}}";
	size_t text = sizeof header - 1, padded = (text + 7) / 8 * 8;
	uint8_t file[600];
	CHECK_EQ(get_file(path, file, sizeof file), 8 + padded + 15);
	CHECK_EQ(file[0] | file[1] << 8, padded);
	CHECK(!memcmp(file + 2, "\0\0\0\0\0", 6));
	CHECK(!memcmp(file + 8, header, text));
	for (size_t i = text; i < padded; i++)
		CHECK_EQ(file[8 + i], ' ');
	CHECK(!memcmp(file + 8 + padded, "\0\0\x80\x3f\0\0\0\0\0\0\0\0xyz", 15));
	/* nothing at all */
	CHECK(!nacre_safetensors_save(path, 0, NULL, 0, NULL, &e));
	CHECK_EQ(get_file(path, file, sizeof file), 16);
	CHECK(!memcmp(file, "\x08\0\0\0\0\0\0\0{}      ", 16));
	nacre_safetensors *f = nacre_safetensors_open(NULL, path, &e);
	CHECK(f && nacre_safetensors_count(f) == 0);
	nacre_safetensors_free(f);
	nacre_tensor_free(a);
	nacre_tensor_free(b);
	nacre_tensor_free(z);
	unlink(path);
}

static nacre_tensor *random_tensor(nacre_dtype dtype)
{
	int64_t shape[8];
	int rank = (int)(test_random() % 5);
	for (int i = 0; i < rank; i++)
		shape[i] = (int64_t)(test_random() % 5);
	nacre_tensor *t = nacre_tensor_new(NULL, dtype, rank, shape, NULL);
	size_t bytes = (size_t)nacre_tensor_size(t) * nacre_dtype_size(dtype);
	for (size_t i = 0; i < bytes; i++)
		t->data[i] = (uint8_t)(test_random() & (dtype == NACRE_BOOL ? 1 : 255));
	return t;
}

TEST(round_trips)
{
	const char *path = temporary("round.safetensors");
	enum { N = 12 };
	for (int k = 0; k < 100; k++) {
		nacre_error e = {0};
		nacre_named_tensor tensors[N];
		char names[N][20];
		for (int i = 0; i < N; i++) {
			snprintf(names[i], sizeof names[i], "%c.%d",
				 'a' + (int)(test_random() % 26), i);
			tensors[i].name = names[i];
			tensors[i].tensor =
			    random_tensor((nacre_dtype)(test_random() % NACRE_DTYPES));
		}
		CHECK(!nacre_safetensors_save(path, N, tensors, 0, NULL, &e));
		nacre_safetensors *f = nacre_safetensors_open(NULL, path, &e);
		CHECK_EQ(nacre_safetensors_count(f), N);
		for (int i = 0; i < N; i++) {
			const nacre_tensor *t = tensors[i].tensor;
			nacre_tensor *u = nacre_safetensors_tensor(f, names[i], &e);
			CHECK(u && u->dtype == t->dtype && u->rank == t->rank);
			if (u) {
				/* what the writer aligned needs no copy */
				CHECK(u->storage->release);
				CHECK(!memcmp(u->shape, t->shape, (size_t)t->rank * 8));
				CHECK(!memcmp(u->data, t->data,
					      (size_t)nacre_tensor_size(t) *
						  nacre_dtype_size(t->dtype)));
			}
			nacre_tensor_free(u);
			nacre_tensor_free((nacre_tensor *)(uintptr_t)t);
		}
		CHECK_STR(e.text, "");
		nacre_safetensors_free(f);
	}
	unlink(path);
}

TEST(strided_views_are_saved)
{
	const char *path = temporary("view.safetensors");
	nacre_error e = {0};
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_I32, 2, (int64_t[]){2, 3}, &e);
	for (int i = 0; i < 6; i++)
		nacre_tensor_set(t, i, i);
	nacre_tensor *view = nacre_tensor_transpose(t, (int[]){1, 0}, &e);
	CHECK(!nacre_safetensors_save(path, 1, &(nacre_named_tensor){"v", view}, 0, NULL, &e));
	nacre_safetensors *f = nacre_safetensors_open(NULL, path, &e);
	nacre_tensor *u = nacre_safetensors_tensor(f, "v", &e);
	for (int i = 0; i < 6; i++)
		CHECK_EQ(nacre_tensor_get(u, i), ((int[]){0, 3, 1, 4, 2, 5})[i]);
	nacre_safetensors_free(f);
	nacre_tensor_free(u);
	nacre_tensor_free(view);
	nacre_tensor_free(t);
	unlink(path);
}

static void check_save(int64_t n, const nacre_named_tensor *tensors, int64_t m,
		       const nacre_metadata *metadata, const char *text)
{
	const char *path = temporary("never.safetensors");
	nacre_error e = {0};
	CHECK_EQ(nacre_safetensors_save(path, n, tensors, m, metadata, &e), NACRE_INVALID);
	CHECK_STR(e.text, text);
	CHECK(access(path, F_OK));
}

TEST(what_is_not_saved)
{
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 0, NULL, NULL);
	check_save(2, (nacre_named_tensor[]){{"a", t}, {"a", t}}, 0, NULL,
		   "safetensors_save: the name \"a\" occurs twice");
	check_save(1, (nacre_named_tensor[]){{"__metadata__", t}}, 0, NULL,
		   "safetensors_save: \"__metadata__\" is no name of a tensor");
	check_save(1, (nacre_named_tensor[]){{NULL, t}}, 0, NULL,
		   "safetensors_save: the name of tensor 0 is NULL");
	check_save(1, (nacre_named_tensor[]){{"\xff", t}}, 0, NULL,
		   "safetensors_save: the name of tensor 0 is not UTF-8");
	check_save(1, (nacre_named_tensor[]){{"a", NULL}}, 0, NULL,
		   "safetensors_save: the tensor \"a\" is NULL");
	check_save(0, NULL, 2, (nacre_metadata[]){{"k", "1"}, {"k", "2"}},
		   "safetensors_save: the metadata key \"k\" occurs twice");
	check_save(0, NULL, 1, (nacre_metadata[]){{"k", NULL}},
		   "safetensors_save: the value of metadata 0 is NULL");
	check_save(-1, NULL, 0, NULL, "safetensors_save: a path, tensors and metadata are needed");
	check_save(1, NULL, 0, NULL, "safetensors_save: a path, tensors and metadata are needed");
	CHECK_EQ(nacre_safetensors_save(NULL, 0, NULL, 0, NULL, NULL), NACRE_INVALID);
	nacre_tensor_free(t);
	/* NULL in, nothing out */
	CHECK(!nacre_safetensors_open(NULL, NULL, NULL));
	CHECK(!nacre_safetensors_tensor(NULL, "a", NULL));
	CHECK_EQ(nacre_safetensors_count(NULL), 0);
	CHECK_EQ(nacre_safetensors_metadata_count(NULL), 0);
	CHECK(!nacre_safetensors_metadata(NULL, "a"));
	CHECK(!nacre_safetensors_name(NULL, 0) && !nacre_safetensors_dtype(NULL, 0));
	nacre_safetensors_free(NULL);
}

/* A file that is replaced while it is mapped: the old views keep the old numbers. */
TEST(replaced_while_open)
{
	const char *path = temporary("replace.safetensors");
	nacre_error e = {0};
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 1, (int64_t[]){2}, &e);
	nacre_tensor_set(t, 0, 7);
	CHECK(!nacre_safetensors_save(path, 1, &(nacre_named_tensor){"a", t}, 0, NULL, &e));
	nacre_safetensors *f = nacre_safetensors_open(NULL, path, &e);
	nacre_tensor *view = nacre_safetensors_tensor(f, "a", &e);
	CHECK(!nacre_safetensors_save(path, 0, NULL, 0, NULL, &e));
	CHECK(nacre_tensor_get(view, 0) == 7);
	/* a view of a file can be written over that very file */
	CHECK(!nacre_safetensors_save(path, 1, &(nacre_named_tensor){"b", view}, 0, NULL, &e));
	nacre_tensor_free(view);
	nacre_safetensors_free(f);
	f = nacre_safetensors_open(NULL, path, &e);
	CHECK_STR(nacre_safetensors_name(f, 0), "b");
	nacre_safetensors_free(f);
	nacre_tensor_free(t);
	unlink(path);
}

static bool load_all(nacre_runtime *rt, nacre_error *e)
{
	static const char *const names[] = {"ok-metadata", "ok-unaligned"};
	bool ok = true;
	for (int k = 0; k < 2 && ok; k++) {
		nacre_safetensors *f = open_file(rt, names[k], e);
		ok = f;
		for (int64_t i = 0; i < nacre_safetensors_count(f) && ok; i++) {
			nacre_tensor *t =
			    nacre_safetensors_tensor(f, nacre_safetensors_name(f, i), e);
			ok = t;
			nacre_tensor_free(t);
		}
		nacre_safetensors_free(f);
	}
	return ok;
}

static bool save_view(nacre_runtime *rt, nacre_error *e)
{
	nacre_tensor *t = nacre_tensor_new(rt, NACRE_F32, 2, (int64_t[]){2, 3}, e);
	nacre_tensor *view = t ? nacre_tensor_transpose(t, (int[]){1, 0}, e) : NULL;
	bool ok = view && !nacre_safetensors_save(temporary("alloc.safetensors"), 1,
						  &(nacre_named_tensor){"v", view}, 1,
						  &(nacre_metadata){"k", "v"}, e);
	nacre_tensor_free(view);
	nacre_tensor_free(t);
	return ok;
}

TEST(allocations_fail)
{
	fail_each_allocation(load_all);
	fail_each_allocation(save_view);
	unlink(temporary("alloc.safetensors"));
}

/* Enough entries for several blocks of memory. */
static bool load_many(nacre_runtime *rt, nacre_error *e)
{
	const char *path = temporary("many.safetensors");
	static char file[200000];
	size_t n = 8;
	n += (size_t)snprintf(file + n, sizeof file - n, "{\"__metadata__\":{\"0\":\"\"");
	for (int i = 1; i < 500; i++)
		n += (size_t)snprintf(file + n, sizeof file - n, ",\"%d\":\"\"", i);
	n += (size_t)snprintf(file + n, sizeof file - n, "}");
	for (int i = 0; i < 1000; i++)
		n += (size_t)snprintf(
		    file + n, sizeof file - n,
		    ",\"%d\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}", i);
	n += (size_t)snprintf(file + n, sizeof file - n, "}");
	for (int i = 0; i < 8; i++)
		file[i] = (char)((n - 8) >> 8 * i);
	put_file(path, file, n);
	nacre_safetensors *f = nacre_safetensors_open(rt, path, e);
	CHECK(!f || (nacre_safetensors_count(f) == 1000 && nacre_safetensors_metadata(f, "499")));
	nacre_safetensors_free(f);
	unlink(path);
	return f;
}

TEST(allocations_fail_in_a_long_header)
{
	fail_each_allocation(load_many);
}

TEST(sizes_that_overflow)
{
	nacre_error e = {0};
	static char data[4];
	nacre_named_tensor tensors[5];
	static const char *const names[] = {"a", "b", "c", "d", "e"};
	for (int i = 0; i < 5; i++) /* 2^62 bytes each, by their own account */
		tensors[i] = (nacre_named_tensor){
		    names[i], nacre_tensor_wrap(NULL, NACRE_F32, 1, (int64_t[]){(int64_t)1 << 60},
						data, NULL, NULL, &e)};
	CHECK_STR(e.text, "");
	check_save(5, tensors, 0, NULL, "safetensors_save: the sizes overflow");
	check_save(INT64_MAX, tensors, INT64_MAX, (nacre_metadata[]){{"k", "v"}},
		   "safetensors_save: too many tensors");
	for (int i = 0; i < 5; i++)
		nacre_tensor_free((nacre_tensor *)(uintptr_t)tensors[i].tensor);
}

TEST(names_in_error_texts)
{
	char name[100];
	memset(name, 'a', sizeof name);
	CHECK_STR(nc_quote("a\nb\x7f", 4).text, "\"a?b?\"");
	CHECK_STR(nc_quote("", 0).text, "\"\"");
	CHECK_EQ(strlen(nc_quote(name, 60).text), 62);
	CHECK_EQ(strlen(nc_quote(name, 61).text), 65);
	memcpy(name + 59, "\xc3\xa9", 2); /* would be cut in two */
	CHECK_EQ(strlen(nc_quote(name, 100).text), 64);
	CHECK_STR(nc_quote(name, 100).text + 57, "aaa...\"");
}

TEST(calls_fail)
{
	static const int errors[] = {EIO, ENOSPC};
	const char *path = temporary("io.safetensors");
	nacre_error e = {0};
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F64, 1, (int64_t[]){3}, &e);
	uint8_t before[300], after[300];
	for (size_t k = 0; k < sizeof errors / sizeof *errors; k++) {
		for (int64_t n = 1;; n++) {
			e = (nacre_error){0};
			CHECK(!nacre_safetensors_save(path, 0, NULL, 0, NULL, &e));
			size_t size = get_file(path, before, sizeof before);
			fail_call(n, errors[k]);
			nacre_status s = nacre_safetensors_save(
			    path, 1, &(nacre_named_tensor){"t", t}, 0, NULL, &e);
			bool failed = io_failed;
			restore_calls();
			CHECK(s == e.status && (!s || (s == NACRE_IO && failed)));
			if (s && !strstr(e.text, "in place")) {
				CHECK_EQ(get_file(path, after, sizeof after), size);
				CHECK(!memcmp(before, after, size));
			}
			if (!failed)
				break;
			CHECK(n < 1000);
		}
	}
	for (int64_t n = 1;; n++) {
		e = (nacre_error){0};
		fail_call(n, EIO);
		nacre_safetensors *f = nacre_safetensors_open(NULL, path, &e);
		bool failed = io_failed;
		restore_calls();
		CHECK(!f == (e.status != NACRE_OK));
		CHECK(f || e.status == NACRE_IO);
		nacre_safetensors_free(f);
		if (!failed)
			break;
	}
	nacre_tensor_free(t);
	unlink(path);
}

/* A file of PyTorch's, where the reference data stand beside the repository. */
TEST(from_another_library)
{
	nacre_error e = {0};
	const char *path = NACRE_SOURCE_DIR "/../shared/data/models/burn-mnist/mnist.safetensors";
	if (access(path, R_OK))
		return;
	nacre_safetensors *f = nacre_safetensors_open(NULL, path, &e);
	CHECK_STR(e.text, "");
	CHECK_EQ(nacre_safetensors_count(f), 20);
	nacre_tensor *w = nacre_safetensors_tensor(f, "fc1.weight", &e);
	CHECK_EQ(nacre_tensor_dtype(w), NACRE_F32);
	CHECK_EQ(nacre_tensor_rank(w), 2);
	CHECK_EQ(nacre_tensor_size(w), 32 * 11616);
	double largest = 0;
	for (int64_t i = 0; i < nacre_tensor_size(w); i++)
		largest = fmax(largest, fabs(nacre_tensor_get(w, i)));
	CHECK(largest > 0 && largest < 10);
	nacre_tensor_free(w);
	nacre_tensor *n = nacre_safetensors_tensor(f, "norm1.num_batches_tracked", &e);
	CHECK_EQ(nacre_tensor_dtype(n), NACRE_I64);
	CHECK_EQ(nacre_tensor_rank(n), 0);
	nacre_tensor_free(n);
	nacre_safetensors_free(f);
}
