/* SPDX-License-Identifier: MIT
 *
 * variable.c - variables: reading, writing, and their layouts.
 */
#include "ir/ir.h"
#include "test.h"

static nacre_tensor *random_tensor(nacre_dtype dtype, int rank, const int64_t *shape)
{
	nacre_error e = {0};
	nacre_tensor *t = nacre_tensor_new(NULL, dtype, rank, shape, &e);
	for (int64_t i = 0; i < nacre_tensor_size(t); i++)
		nacre_tensor_set(t, i, test_uniform(-100, 100));
	return t;
}

static void expect_same(const nacre_variable *v, const nacre_tensor *want)
{
	nacre_error e = {0};
	nacre_tensor *t = nacre_variable_read(v, &e);
	CHECK(t != NULL);
	CHECK_EQ(nacre_tensor_dtype(t), v->dtype);
	for (int64_t i = 0; i < nacre_tensor_size(want); i++)
		CHECK_EQ(nacre_tensor_get(t, i) == nacre_tensor_get(want, i), 1);
	nacre_tensor_free(t);
}

TEST(layouts)
{
	static const struct {
		int rank;
		int64_t shape[4];
	} shapes[] = {{2, {5, 7}}, {2, {3, 8}}, {2, {1, 1}},    {2, {0, 4}},       {2, {4, 0}},
		      {1, {9}},    {0, {0}},    {3, {2, 3, 5}}, {4, {2, 1, 3, 17}}};
	static const nacre_dtype types[] = {NACRE_F32, NACRE_F64, NACRE_U8};
	for (size_t s = 0; s < sizeof(shapes) / sizeof(*shapes); s++)
		for (int d = 0; d < 3; d++) {
			nacre_error e = {0};
			nacre_tensor *t = random_tensor(types[d], shapes[s].rank, shapes[s].shape);
			nacre_variable *v = nacre_variable_new(NULL, "w", types[d], shapes[s].rank,
							       shapes[s].shape, t, &e);
			CHECK(v != NULL);
			expect_same(v, t);
			for (int i = 0; i < 12; i++) {
				int panel = (int)(test_random() % 9);
				CHECK_EQ(nc_variable_relayout(v, panel, &e), NACRE_OK);
				CHECK_EQ(v->panel, panel);
				size_t bytes;
				CHECK(nc_variable_bytes(v, panel, &bytes) && bytes == v->size);
				CHECK_EQ((uintptr_t)v->data % NC_ALIGN, 0);
				expect_same(v, t);
				nacre_tensor_free(t);
				t = random_tensor(types[d], shapes[s].rank, shapes[s].shape);
				CHECK_EQ(nacre_variable_write(v, t, &e), NACRE_OK);
				expect_same(v, t);
			}
			nacre_tensor_free(t);
			nacre_variable_free(v);
		}
}

TEST(panels)
{
	nacre_error e = {0};
	float data[] = {1, 2, 3, 4, 5, 6}; /* [2, 3] in panels of 2 */
	float want[] = {1, 2, 4, 5, 3, 0, 6, 0};
	nacre_tensor *t =
		nacre_tensor_wrap(NULL, NACRE_F32, 2, (int64_t[]){2, 3}, data, NULL, NULL, &e);
	nacre_variable *v = nacre_variable_new(NULL, "w", NACRE_F32, 2, (int64_t[]){2, 3}, t, &e);
	CHECK_EQ(nc_variable_relayout(v, 2, &e), NACRE_OK);
	CHECK_EQ(v->size, sizeof(want));
	CHECK(!memcmp(v->data, want, sizeof(want)));
	v->programs = 1;
	CHECK_EQ(nc_variable_relayout(v, 2, &e), NACRE_OK);
	CHECK_EQ(nc_variable_relayout(v, 0, &e), NACRE_INVALID);
	CHECK_STR(e.text, "variable \"w\": its layout cannot change: a program uses it");
	v->programs = 0;
	nacre_tensor_free(t);
	nacre_variable_free(v);
}

TEST(writing_converts)
{
	nacre_error e = {0};
	nacre_variable *v =
		nacre_variable_new(NULL, "w", NACRE_F32, 2, (int64_t[]){3, 2}, NULL, &e);
	nacre_tensor *t = random_tensor(NACRE_F64, 2, (int64_t[]){2, 3});
	for (int i = 0; i < 6; i++)
		nacre_tensor_set(t, i, i);
	nacre_tensor *turned = nacre_tensor_transpose(t, (int[]){1, 0}, &e);
	for (int panel = 0; panel < 5; panel += 4) {
		CHECK_EQ(nc_variable_relayout(v, panel, &e), NACRE_OK);
		CHECK_EQ(nacre_variable_write(v, turned, &e), NACRE_OK); /* f64, strided */
		nacre_tensor *back = nacre_variable_read(v, &e);
		static const double want[] = {0, 3, 1, 4, 2, 5};
		for (int i = 0; i < 6; i++)
			CHECK_EQ(nacre_tensor_get(back, i), want[i]);
		nacre_tensor_free(back);
	}
	CHECK_EQ(nacre_variable_write(v, t, &e), NACRE_INVALID);
	CHECK_STR(e.text, "variable \"w\": shape [3, 2] expected, got [2, 3]");
	nacre_tensor_free(turned);
	nacre_tensor_free(t);
	nacre_variable_free(v);
}

#define REFUSED(dtype, rank, shape, want)                                                          \
	do {                                                                                       \
		nacre_error e = {0};                                                               \
		CHECK(!nacre_variable_new(NULL, "w", dtype, rank, shape, NULL, &e));               \
		CHECK_STR(e.text, want);                                                           \
		CHECK(!nacre_variable_new(NULL, "w", dtype, rank, shape, NULL, NULL));             \
	} while (0)

TEST(misuse)
{
	REFUSED((nacre_dtype)50, 0, NULL, "variable \"w\": 50 is no data type");
	REFUSED(NACRE_F32, 9, NULL,
		"variable \"w\": a rank of 0 to 8 expected, got 9 without a shape");
	REFUSED(NACRE_F32, 1, NULL,
		"variable \"w\": a rank of 0 to 8 expected, got 1 without a shape");
	REFUSED(NACRE_F32, 1, (int64_t[]){-2}, "variable \"w\": impossible shape [-2]");
	int64_t large[] = {INT64_C(1) << 32, INT64_C(1) << 31};
	REFUSED(NACRE_F32, 2, large, "variable \"w\": impossible shape [4294967296, 2147483648]");
	nacre_error e = {0};
	CHECK(!nacre_variable_read(NULL, &e) && e.status == NACRE_INVALID);
	CHECK_EQ(nacre_variable_write(NULL, NULL, NULL), NACRE_INVALID);
	nacre_variable_free(NULL);
	CHECK_STR(nacre_variable_name(NULL), "");
	nacre_variable *v =
		nacre_variable_new(NULL, NULL, NACRE_F32, 1, (int64_t[]){3}, NULL, NULL);
	CHECK_STR(nacre_variable_name(v), "variable");
	CHECK_EQ(nacre_variable_rank(v), 1);
	CHECK_EQ(nacre_variable_shape(v)[0], 3);
	nacre_variable_free(v);
}
