/* SPDX-License-Identifier: MIT
 *
 * Errors, checked sizes and text.
 */
#include "base/base.h"
#include "test.h"

TEST(status_texts)
{
	CHECK_STR(nacre_status_text(NACRE_OK), "ok");
	CHECK_STR(nacre_status_text(NACRE_NO_MEMORY), "out of memory");
	CHECK_STR(nacre_status_text((nacre_status)77), "unknown status");
#define X(name, value, text) CHECK_STR(nacre_status_text((nacre_status)(value)), text);
	NACRE_STATUS_LIST(X)
#undef X
	int major, minor, patch;
	CHECK_EQ(sscanf(nacre_version(), "%d.%d.%d", &major, &minor, &patch), 3);
}

TEST(the_first_error_stays)
{
	nacre_error e = {0};
	CHECK_EQ(nc_fail(&e, NACRE_INVALID, "expected %d, got %d", 3, 4), NACRE_INVALID);
	CHECK_EQ(nc_fail(&e, NACRE_IO, "later"), NACRE_IO);
	CHECK_EQ(e.status, NACRE_INVALID);
	CHECK_STR(e.text, "expected 3, got 4");
	CHECK_EQ(nc_fail(NULL, NACRE_IO, "nobody listens"), NACRE_IO);
}

TEST(long_errors_are_cut)
{
	nacre_error e = {0};
	char text[2000];
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = 0;
	nc_fail(&e, NACRE_FAILED, "%s", text);
	CHECK_EQ(strlen(e.text), sizeof e.text - 1);
}

TEST(no_memory_names_the_size)
{
	nacre_error e = {0};
	CHECK_EQ(nc_no_memory(&e, 12345), NACRE_NO_MEMORY);
	CHECK(strstr(e.text, "12345"));
}

TEST(sizes_notice_overflow)
{
	size_t n;
	int64_t i;
	CHECK(nc_mul(3, 5, &n) && n == 15);
	CHECK(!nc_mul(SIZE_MAX / 2, 3, &n));
	CHECK(nc_add(SIZE_MAX - 1, 1, &n) && n == SIZE_MAX);
	CHECK(!nc_add(SIZE_MAX, 1, &n));
	CHECK(!nc_mul_i64(INT64_MAX, 2, &i));
	CHECK(!nc_mul_i64(INT64_MIN, -1, &i));
	CHECK_EQ(nc_round_up(0, 64), 0);
	CHECK_EQ(nc_round_up(65, 64), 128);
	CHECK_EQ(nc_min(-3, 2), -3);
	CHECK_EQ(nc_max(-3, 2), 2);
}

TEST(shape_sizes)
{
	int64_t n = -7;
	CHECK(nc_shape_size(0, NULL, &n) && n == 1);
	CHECK(nc_shape_size(3, (int64_t[]){2, 3, 4}, &n) && n == 24);
	CHECK(nc_shape_size(2, (int64_t[]){5, 0}, &n) && n == 0);
	CHECK(nc_shape_size(1, (int64_t[]){INT64_MAX}, &n) && n == INT64_MAX);
	CHECK(!nc_shape_size(2, (int64_t[]){INT64_MAX, 2}, &n));
	CHECK(!nc_shape_size(2, (int64_t[]){3, -1}, &n));
	CHECK(!nc_shape_size(2, (int64_t[]){0, -1}, &n));
	/* a 0 does not hide what the others would overflow */
	CHECK(!nc_shape_size(3, (int64_t[]){0, INT64_MAX, 2}, &n));
	CHECK(!nc_shape_size(3, (int64_t[]){INT64_MAX, 2, 0}, &n));
}

TEST(shapes_as_text)
{
	char b[128];
	CHECK_STR(nc_shape_text(b, 0, NULL), "[]");
	CHECK_STR(nc_shape_text(b, 2, (int64_t[]){128, 784}), "[128, 784]");
	CHECK_STR(nc_shape_text(b, 2, (int64_t[]){-1, 10}), "[None, 10]");
	CHECK_STR(nc_shape_text(b, 1, (int64_t[]){-2}), "[-2]");
	int64_t huge[8];
	for (int i = 0; i < 8; i++)
		huge[i] = INT64_MIN;
	for (int rank = 0; rank <= 8; rank++) {
		memset(b, '#', sizeof b);
		nc_shape_text(b, rank, huge);
		size_t n = strnlen(b, sizeof b);
		CHECK(n < sizeof b && b[0] == '[' && b[n - 1] == ']');
	}
	CHECK(strstr(nc_shape_text(b, 8, huge), "...]"));
}

TEST(text_grows)
{
	nc_memory m;
	nc_memory_init(&m, NULL);
	nc_text t;
	nc_text_init(&t, &m);
	char expected[20000] = "";
	size_t n = 0;
	for (int i = 0; i < 500; i++) {
		nc_text_add(&t, "%d,%*d;", i, i % 70, i);
		n += (size_t)snprintf(expected + n, sizeof expected - n, "%d,%*d;", i, i % 70, i);
	}
	CHECK(!t.failed);
	CHECK_EQ(t.size, n);
	CHECK_STR(t.data, expected);
	char item[1000];
	memset(item, 'y', sizeof item);
	item[999] = 0;
	nc_text_add(&t, "%s", item); /* longer than any buffer on the stack */
	nc_text_add(&t, "%s", "");
	CHECK_EQ(t.size, n + 999);
	CHECK_STR(t.data + n, item);
	nc_text_free(&t);
	nc_text_free(&t);
	CHECK_EQ(m.bytes, 0);
	CHECK_EQ(m.blocks, 0);
}

TEST(an_empty_text_is_terminated)
{
	nc_memory m;
	nc_memory_init(&m, NULL);
	nc_text t;
	nc_text_init(&t, &m);
	nc_text_add(&t, "%s", "");
	CHECK_STR(t.data, "");
	CHECK_EQ(t.size, 0);
	nc_text_free(&t);
	CHECK_EQ(m.blocks, 0);
}
