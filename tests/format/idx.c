/* SPDX-License-Identifier: MIT
 *
 * idx.c - IDX: every type bit for bit, gzip, refusals and their texts, memory and I/O failures.
 */
#include "format/help.h"
#include "format/idx.h"
#include "nacre/format.h"

static nacre_tensor *decode(const void *bytes, size_t n, nacre_error *e)
{
	*e = (nacre_error){0};
	return nc_idx_decode(nacre_runtime_default(), bytes, n, e);
}

static void check_values(const char *bytes, size_t n, nacre_dtype dtype, int count,
			 const double *values)
{
	nacre_error e;
	nacre_tensor *t = decode(bytes, n, &e);
	CHECK_STR(e.text, "");
	CHECK_EQ(nacre_tensor_dtype(t), dtype);
	CHECK_EQ(nacre_tensor_rank(t), 1);
	CHECK_EQ(nacre_tensor_size(t), count);
	for (int i = 0; i < count; i++)
		CHECK(nacre_tensor_get(t, i) == values[i]);
	nacre_tensor_free(t);
}

TEST(types)
{
	check_values("\0\0\x08\x01\0\0\0\x02\x00\xff", 10, NACRE_U8, 2, (double[]){0, 255});
	check_values("\0\0\x09\x01\0\0\0\x02\x80\x7f", 10, NACRE_I8, 2, (double[]){-128, 127});
	check_values("\0\0\x0b\x01\0\0\0\x03\x80\x00\xff\xfe\x01\x02", 14, NACRE_I32, 3,
		     (double[]){-32768, -2, 258});
	check_values("\0\0\x0c\x01\0\0\0\x02\x80\0\0\0\0\x01\x02\x03", 16, NACRE_I32, 2,
		     (double[]){-2147483648.0, 66051});
	check_values("\0\0\x0d\x01\0\0\0\x02\x3f\xc0\0\0\xff\x80\0\0", 16, NACRE_F32, 2,
		     (double[]){1.5, -INFINITY});
	check_values("\0\0\x0e\x01\0\0\0\x01\x3f\xb9\x99\x99\x99\x99\x99\x9a", 16, NACRE_F64, 1,
		     (double[]){0.1});
}

TEST(shape)
{
	nacre_error e;
	nacre_tensor *t = decode("\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02"
				 "abcd",
				 20, &e);
	CHECK_EQ(nacre_tensor_rank(t), 3);
	CHECK_EQ(nacre_tensor_shape(t)[0], 2);
	CHECK_EQ(nacre_tensor_shape(t)[1], 1);
	CHECK_EQ(nacre_tensor_shape(t)[2], 2);
	CHECK(!memcmp(nacre_tensor_data(t), "abcd", 4));
	nacre_tensor_free(t);
}

static void check_refused(const char *bytes, size_t n, const char *text)
{
	nacre_error e;
	CHECK(!decode(bytes, n, &e));
	CHECK_EQ(e.status, NACRE_BAD_DATA);
	CHECK_STR(e.text, text);
}

TEST(refusals)
{
	check_refused("\0\0\x08", 3, "IDX: a header needs at least 4 bytes, got 3");
	check_refused("\0\x01\x08\x01", 4, "IDX, byte 0: expected 00 00, got 00 01");
	check_refused("\0\0\x0a\x01\0\0\0\x01x", 9,
		      "IDX, byte 2: unknown type 0x0a (known: 08 09 0b 0c 0d 0e)");
	check_refused("\0\0\x08\0", 4, "IDX, byte 3: expected 1 to 8 dimensions, got 0");
	check_refused("\0\0\x08\x09", 4, "IDX, byte 3: expected 1 to 8 dimensions, got 9");
	check_refused("\0\0\x08\x02\0\0\0\x01", 8,
		      "IDX: a header of 2 dimensions has 12 bytes, got 8");
	check_refused("\0\0\x08\x01\0\0\0\x02x", 9,
		      "IDX: [2] elements of 1 bytes need 2 bytes, got 1");
	check_refused("\0\0\x08\x01\0\0\0\x02xyz", 11,
		      "IDX: [2] elements of 1 bytes need 2 bytes, got 3");
	check_refused(
	    "\0\0\x08\x02\0\x10\0\0\0\x10\0\0x", 13,
	    "IDX: [1048576, 1048576] elements of 1 bytes need 1099511627776 bytes, got 1");
	check_refused(
	    "\0\0\x08\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16,
	    "IDX: the product of the sizes [4294967295, 4294967295, 4294967295] overflows");
}

static const char corpus[] = NACRE_SOURCE_DIR "/fuzz/corpus/idx/";

static void check_gzip(const char *name, nacre_status status, const char *text)
{
	char path[600];
	nacre_error e = {0};
	snprintf(path, sizeof path, "%s%s", corpus, name);
	nacre_tensor *t = nacre_idx_load(NULL, path, &e);
	CHECK(!t == (status != NACRE_OK));
#ifndef NACRE_HAVE_ZLIB
	status = NACRE_UNSUPPORTED;
	text = "no zlib";
#endif
	CHECK_EQ(e.status, status);
	if (!strstr(e.text, text) || (status && !strstr(e.text, name)))
		test_failed(__FILE__, __LINE__, "%s: \"%s\" has no \"%s\"", name, e.text, text);
	nacre_tensor_free(t);
}

TEST(gzip)
{
	nacre_error e = {0};
	char path[600];
	snprintf(path, sizeof path, "%sok-gzip", corpus);
	nacre_tensor *t = nacre_idx_load(NULL, path, &e);
#ifdef NACRE_HAVE_ZLIB
	CHECK_STR(e.text, "");
	CHECK_EQ(nacre_tensor_size(t), 12);
	for (int i = 0; i < 12; i++)
		CHECK_EQ(nacre_tensor_get(t, i), i);
#endif
	nacre_tensor_free(t);
	check_gzip("bad-gzip-cut", NACRE_BAD_DATA, "the end of the gzip file");
	check_gzip("bad-gzip-crc", NACRE_BAD_DATA, "damaged near byte");
	check_gzip("bad-gzip-length", NACRE_BAD_DATA, "the header claims 28 bytes");
	check_gzip("bad-gzip-trailing", NACRE_BAD_DATA, "the end of the gzip file");
	check_gzip("bad-gzip-two-members", NACRE_BAD_DATA, "ends at byte");
	check_gzip("bad-gzip-data-more", NACRE_BAD_DATA, "the header claims 28 bytes");
	check_gzip("bad-gzip-not-idx", NACRE_BAD_DATA, "expected 00 00, got 68 65");
	check_gzip("bad-gzip-nothing", NACRE_BAD_DATA, "the data end 4 bytes too early, after 0");
	check_gzip("bad-gzip-head-only", NACRE_BAD_DATA, "cut off after 10 bytes");
	check_gzip("bad-gzip-terabyte", NACRE_BAD_DATA,
		   "claims 1099511627788 bytes, over 100 times");
	check_gzip("bad-gzip-claims-more-i16", NACRE_BAD_DATA,
		   "claims 65536012 bytes, over 100 times");
	check_gzip("bad-gzip-claims-most-i16", NACRE_BAD_DATA, "incorrect length check");
	check_gzip("bad-gzip-checksum-as-length", NACRE_BAD_DATA, "cut off after");
	check_gzip("bad-gzip-claims-most", NACRE_BAD_DATA, "incorrect length check");
}

TEST(files)
{
	nacre_error e = {0};
	CHECK(!nacre_idx_load(NULL, "/no/such/file", &e));
	CHECK_EQ(e.status, NACRE_IO);
	CHECK(strstr(e.text, "/no/such/file: cannot open"));
	e = (nacre_error){0};
	CHECK(!nacre_idx_load(NULL, "/tmp", &e));
	CHECK_EQ(e.status, NACRE_IO);
	e = (nacre_error){0};
	CHECK(!nacre_idx_load(NULL, NULL, &e));
	CHECK_EQ(e.status, NACRE_INVALID);
	CHECK(!nacre_idx_load(NULL, "/no/such/file", NULL));
}

static bool load(nacre_runtime *rt, const char *name, nacre_error *e)
{
	char path[600];
	snprintf(path, sizeof path, "%s%s", corpus, name);
	nacre_tensor *t = nacre_idx_load(rt, path, e);
	nacre_tensor_free(t);
	return t;
}

static bool load_plain(nacre_runtime *rt, nacre_error *e)
{
	return load(rt, "ok-u8", e);
}

TEST(allocations_fail)
{
	fail_each_allocation(load_plain);
}

#ifdef NACRE_HAVE_ZLIB
static bool load_gzip(nacre_runtime *rt, nacre_error *e)
{
	return load(rt, "ok-gzip-i16", e);
}

TEST(allocations_fail_in_zlib)
{
	fail_each_allocation(load_gzip);
}
#endif

TEST(calls_fail)
{
	nacre_error e = {0};
	fail_call(0, 0);
	CHECK(load(NULL, "ok-u8", &e));
	int64_t n = io_calls;
	CHECK(n >= 2);
	for (int64_t i = 1; i <= n; i++) {
		e = (nacre_error){0};
		fail_call(i, EIO);
		bool ok = load(NULL, "ok-u8", &e);
		CHECK(io_failed);
		CHECK(ok == !e.status && (ok || e.status == NACRE_IO));
	}
	restore_calls();
}
