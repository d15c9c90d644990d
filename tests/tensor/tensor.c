/* SPDX-License-Identifier: MIT
 *
 * Tensors: making and refusing them, storage that is shared, views, copies.
 */
#include <pthread.h>

#include "tensor/tensor.h"
#include "test.h"

#define SHAPE(...)                                                                                 \
	(int64_t[])                                                                                \
	{                                                                                          \
		__VA_ARGS__                                                                        \
	}

static nacre_tensor *count_up(int rank, const int64_t *shape)
{
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, rank, shape, NULL);
	for (int64_t i = 0; i < nacre_tensor_size(t); i++)
		nacre_tensor_set(t, i, (double)i);
	return t;
}

static nacre_memory used(void)
{
	return nacre_runtime_memory(NULL);
}

/* -- making -------------------------------------------------------------------------------------*/
TEST(new_tensors_are_zero)
{
	int64_t blocks = used().blocks;
	size_t bytes = used().bytes;
	for (int d = 0; d < NACRE_DTYPES; d++) {
		nacre_error e = {0};
		nacre_tensor *t = nacre_tensor_new(NULL, (nacre_dtype)d, 3, SHAPE(2, 3, 4), &e);
		CHECK(t && !e.status);
		CHECK_EQ(nacre_tensor_dtype(t), d);
		CHECK_EQ(nacre_tensor_rank(t), 3);
		CHECK_EQ(nacre_tensor_size(t), 24);
		CHECK(!memcmp(nacre_tensor_shape(t), SHAPE(2, 3, 4), 24));
		CHECK(!memcmp(nacre_tensor_strides(t), SHAPE(12, 4, 1), 24));
		CHECK(nacre_tensor_contiguous(t));
		CHECK((uintptr_t)nacre_tensor_data(t) % NC_ALIGN == 0);
		for (int64_t i = 0; i < 24; i++)
			CHECK(nacre_tensor_get(t, i) == 0);
		nacre_tensor_set(t, 23, 1);
		CHECK(nacre_tensor_get(t, 23) == 1 && nacre_tensor_get(t, 22) == 0);
		nacre_tensor_free(t);
	}
	CHECK_EQ(used().blocks, blocks);
	CHECK_EQ(used().bytes, bytes);
}

TEST(ranks_from_0_to_8)
{
	int64_t shape[9] = {2, 1, 2, 1, 2, 1, 2, 1, 2};
	for (int rank = 0; rank <= 9; rank++) {
		nacre_error e = {0};
		nacre_tensor *t = nacre_tensor_new(NULL, NACRE_I32, rank, shape, &e);
		CHECK_EQ(t != NULL, rank <= 8);
		if (t)
			CHECK_EQ(nacre_tensor_size(t), 1 << (rank + 1) / 2);
		else
			CHECK(e.status == NACRE_INVALID && strstr(e.text, "got 9"));
		nacre_tensor_free(t);
	}
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F64, 0, NULL, NULL);
	nacre_tensor_set(t, 0, 2.5);
	CHECK(nacre_tensor_get(t, 0) == 2.5);
	CHECK(nacre_tensor_get(t, 1) == 0 && nacre_tensor_get(t, -1) == 0);
	nacre_tensor_free(t);
}

TEST(tensors_that_cannot_be)
{
	static const int64_t huge[][3] = {{INT64_MAX, 2, 1},
					  {1ll << 31, 1ll << 31, 2},
					  {INT64_MAX / 4 + 1, 1, 1},
					  {0, INT64_MAX, 2},
					  {INT64_MAX, INT64_MAX, INT64_MAX}};
	int64_t blocks = used().blocks;
	for (int i = 0; i < 5; i++) {
		nacre_error e = {0};
		CHECK(!nacre_tensor_new(NULL, NACRE_F32, 3, huge[i], &e));
		CHECK_EQ(e.status, NACRE_INVALID);
		CHECK(strstr(e.text, "too large"));
	}
	nacre_error e = {0};
	CHECK(!nacre_tensor_new(NULL, NACRE_F32, 2, SHAPE(3, -1), &e));
	CHECK(e.status == NACRE_INVALID && strstr(e.text, "[3, None]"));
	e = (nacre_error){0};
	CHECK(!nacre_tensor_new(NULL, (nacre_dtype)99, 0, NULL, &e));
	CHECK(e.status == NACRE_INVALID && strstr(e.text, "99"));
	e = (nacre_error){0};
	CHECK(!nacre_tensor_new(NULL, NACRE_F32, -1, NULL, &e) && e.status == NACRE_INVALID);
	e = (nacre_error){0};
	CHECK(!nacre_tensor_new(NULL, NACRE_F32, 1, NULL, &e) && e.status == NACRE_INVALID);
	CHECK(!nacre_tensor_new(NULL, NACRE_F32, 9, NULL, NULL));
	CHECK_EQ(used().blocks, blocks);
}

TEST(null_is_nothing)
{
	nacre_tensor_free(NULL);
	CHECK_EQ(nacre_tensor_rank(NULL), 0);
	CHECK_EQ(nacre_tensor_size(NULL), 0);
	CHECK(!nacre_tensor_shape(NULL) && !nacre_tensor_strides(NULL) && !nacre_tensor_data(NULL));
	CHECK(nacre_tensor_contiguous(NULL));
	CHECK(nacre_tensor_get(NULL, 0) == 0);
	nacre_tensor_set(NULL, 0, 1);
	CHECK(!nacre_tensor_slice(NULL, 0, 0, 0, 1, NULL));
	CHECK(!nacre_tensor_transpose(NULL, NULL, NULL));
	CHECK(!nacre_tensor_reshape(NULL, 0, NULL, NULL));
	CHECK(!nacre_tensor_convert(NULL, NACRE_F32, NULL));
	CHECK_EQ(nacre_tensor_copy(NULL, NULL, NULL), NACRE_INVALID);
}

/* -- wrapping -----------------------------------------------------------------------------------*/
static atomic_int released;
static void *released_data, *released_context;
static void release(void *context, void *data)
{
	atomic_fetch_add(&released, 1);
	released_data = data;
	released_context = context;
}

TEST(release_is_called_once_by_the_last_view)
{
	float data[6] = {0, 1, 2, 3, 4, 5};
	int context;
	for (int order = 0; order < 2; order++) {
		released = 0;
		nacre_tensor *t = nacre_tensor_wrap(NULL, NACRE_F32, 2, SHAPE(2, 3), data, release,
						    &context, NULL);
		CHECK(nacre_tensor_data(t) == data);
		nacre_tensor *row = nacre_tensor_slice(t, 0, 1, 2, 1, NULL);
		nacre_tensor *turned = nacre_tensor_transpose(row, (int[]){1, 0}, NULL);
		nacre_tensor *flat = nacre_tensor_reshape(t, 1, SHAPE(-1), NULL);
		CHECK(nacre_tensor_get(turned, 2) == 5 && nacre_tensor_get(flat, 4) == 4);
		nacre_tensor *all[] = {t, row, turned, flat};
		for (int i = 0; i < 4; i++) {
			CHECK_EQ(released, 0);
			nacre_tensor_free(all[order ? 3 - i : i]);
		}
		CHECK_EQ(released, 1);
		CHECK(released_data == data && released_context == &context);
	}
	nacre_tensor_free(nacre_tensor_wrap(NULL, NACRE_F32, 1, SHAPE(6), data, NULL, NULL, NULL));
}

TEST(release_is_not_called_on_failure)
{
	released = 0;
	_Alignas(8) char data[16];
	nacre_error e = {0};
	CHECK(!nacre_tensor_wrap(NULL, NACRE_F32, 1, SHAPE(-4), data, release, NULL, &e));
	e = (nacre_error){0};
	CHECK(!nacre_tensor_wrap(NULL, NACRE_F32, 1, SHAPE(4), NULL, release, NULL, &e));
	CHECK(strstr(e.text, "NULL"));
	e = (nacre_error){0};
	CHECK(!nacre_tensor_wrap(NULL, NACRE_F64, 1, SHAPE(1), data + 4, release, NULL, &e));
	CHECK(strstr(e.text, "aligned to 8"));
	CHECK_EQ(released, 0);
	nacre_tensor *t = nacre_tensor_wrap(NULL, NACRE_F32, 1, SHAPE(0), NULL, release, NULL, &e);
	CHECK(t != NULL);
	nacre_tensor_free(t);
	CHECK_EQ(released, 1);
}

static void *view_and_free(void *arg)
{
	for (int i = 0; i < 500; i++) {
		nacre_tensor *t = nacre_tensor_slice(arg, 0, i % 3, 3, 1, NULL);
		nacre_tensor *u = nacre_tensor_transpose(t, (int[]){0}, NULL);
		nacre_tensor_free(t);
		CHECK(nacre_tensor_get(u, 0) == i % 3);
		nacre_tensor_free(u);
	}
	nacre_tensor_free(arg);
	return NULL;
}

TEST(threads_share_a_storage)
{
	float data[3] = {0, 1, 2};
	released = 0;
	nacre_tensor *t =
	    nacre_tensor_wrap(NULL, NACRE_F32, 1, SHAPE(3), data, release, NULL, NULL);
	pthread_t thread[4];
	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, view_and_free,
			       nacre_tensor_reshape(t, 1, SHAPE(3), NULL));
	nacre_tensor_free(t);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	CHECK_EQ(released, 1);
}

TEST(views_into_a_storage_are_checked)
{
	nacre_runtime *rt = nacre_runtime_default();
	nc_storage *s = nc_storage_new(&rt->memory, 64, NULL);
	for (int i = 0; i < 16; i++)
		nc_element_set(NACRE_F32, s->data, i, i);
	nacre_error e = {0};
	nacre_tensor *t = nc_tensor_view(rt, s, 16, NACRE_F32, 2, SHAPE(3, 4), &e);
	CHECK(nacre_tensor_get(t, 0) == 4 && nacre_tensor_get(t, 11) == 15);
	static const struct {
		size_t offset;
		int64_t n;
	} bad[] = {{0, 17}, {20, 12}, {64, 1}, {65, 0}, {SIZE_MAX - 3, 1}, {SIZE_MAX, 0}, {2, 1}};
	for (int i = 0; i < 7; i++) {
		e = (nacre_error){0};
		CHECK(!nc_tensor_view(rt, s, bad[i].offset, NACRE_F32, 1, SHAPE(bad[i].n), &e));
		CHECK_EQ(e.status, NACRE_BAD_DATA);
	}
	e = (nacre_error){0};
	CHECK(!nc_tensor_view(rt, s, 0, NACRE_F32, 1, SHAPE(-1), &e) && e.status == NACRE_INVALID);
	nacre_tensor *empty = nc_tensor_view(rt, s, 64, NACRE_F32, 1, SHAPE(0), NULL);
	CHECK(empty != NULL);
	nacre_tensor_free(empty);
	nc_storage_drop(s); /* the tensor still has it */
	CHECK(nacre_tensor_get(t, 1) == 5);
	nacre_tensor_free(t);
	nc_storage_drop(NULL);
}

/* -- slices -------------------------------------------------------------------------------------*/
TEST(slices_are_what_python_gives)
{
	int64_t blocks = used().blocks;
	for (int64_t n = 0; n <= 6; n++) {
		nacre_tensor *t = count_up(2, SHAPE(n, 2));
		for (int64_t start = -2; start <= n + 1; start++)
			for (int64_t stop = -2; stop <= n + 1; stop++)
				for (int64_t step = -n - 2; step <= n + 2; step++) {
					bool ok = step > 0
						      ? 0 <= start && start <= stop && stop <= n
						      : step < 0 && -1 <= stop && stop <= start &&
							    start < n;
					nacre_error e = {0};
					nacre_tensor *s =
					    nacre_tensor_slice(t, 0, start, stop, step, &e);
					CHECK_EQ(s != NULL, ok);
					CHECK_EQ(e.status, ok ? NACRE_OK : NACRE_INVALID);
					int64_t count = 0;
					for (int64_t i = start;
					     ok && (step > 0 ? i < stop : i > stop);
					     i += step, count++) {
						CHECK(nacre_tensor_get(s, 2 * count) ==
						      (double)(2 * i));
						CHECK(nacre_tensor_get(s, 2 * count + 1) ==
						      (double)(2 * i + 1));
					}
					CHECK_EQ(nacre_tensor_size(s), 2 * count);
					nacre_tensor_free(s);
				}
		nacre_tensor_free(t);
	}
	CHECK_EQ(used().blocks, blocks);
}

TEST(slices_with_extreme_numbers)
{
	nacre_tensor *t = count_up(1, SHAPE(5));
	static const struct {
		int64_t start, stop, step, first, size;
	} good[] = {
	    {4, -1, INT64_MIN, 4, 1}, {1, 5, INT64_MAX, 1, 1}, {4, -1, -4, 4, 2}, {5, 5, 1, 0, 0}};
	for (int i = 0; i < 4; i++) {
		nacre_tensor *s =
		    nacre_tensor_slice(t, 0, good[i].start, good[i].stop, good[i].step, NULL);
		CHECK_EQ(nacre_tensor_size(s), good[i].size);
		if (good[i].size)
			CHECK(nacre_tensor_get(s, 0) == (double)good[i].first);
		nacre_tensor *c = nacre_tensor_convert(s, NACRE_F64, NULL);
		CHECK_EQ(nacre_tensor_size(c), good[i].size);
		nacre_tensor_free(c);
		nacre_tensor_free(s);
	}
	static const int64_t bad[][3] = {{INT64_MIN, INT64_MAX, 1},
					 {0, INT64_MAX, 1},
					 {INT64_MAX, -1, -1},
					 {0, INT64_MIN, -1},
					 {0, 5, 0}};
	for (int i = 0; i < 5; i++) {
		nacre_error e = {0};
		CHECK(!nacre_tensor_slice(t, 0, bad[i][0], bad[i][1], bad[i][2], &e));
		CHECK(e.status == NACRE_INVALID && strstr(e.text, "[5]"));
	}
	nacre_error e = {0};
	CHECK(!nacre_tensor_slice(t, 1, 0, 1, 1, &e) && strstr(e.text, "no axis 1 in [5]"));
	CHECK(!nacre_tensor_slice(t, -2, 0, 1, 1, NULL));
	nacre_tensor *last = nacre_tensor_slice(t, -1, 4, 5, 1, NULL);
	CHECK(nacre_tensor_get(last, 0) == 4);
	nacre_tensor_free(last);
	nacre_tensor_free(t);
}

TEST(slices_of_slices)
{
	nacre_tensor *t = count_up(1, SHAPE(20));
	nacre_tensor *back = nacre_tensor_slice(t, 0, 19, -1, -3, NULL);   /* 19 16 ... 1 */
	nacre_tensor *again = nacre_tensor_slice(back, 0, 5, 0, -2, NULL); /* 4 10 16 */
	CHECK_EQ(nacre_tensor_size(back), 7);
	CHECK_EQ(nacre_tensor_size(again), 3);
	CHECK_EQ(nacre_tensor_strides(again)[0], 6);
	for (int i = 0; i < 3; i++)
		CHECK(nacre_tensor_get(again, i) == 4 + 6 * i);
	CHECK(!nacre_tensor_contiguous(back));
	nacre_tensor_set(again, 1, -5);
	CHECK(nacre_tensor_get(t, 10) == -5); /* a view: the same numbers */
	nacre_tensor_free(back);
	nacre_tensor_free(t);
	CHECK(nacre_tensor_get(again, 0) == 4);
	nacre_tensor_free(again);
}

/* -- transposes and reshapes --------------------------------------------------------------------*/
TEST(transposes)
{
	nacre_tensor *t = count_up(3, SHAPE(2, 3, 4));
	nacre_tensor *u = nacre_tensor_transpose(t, (int[]){2, 0, 1}, NULL);
	CHECK(!memcmp(nacre_tensor_shape(u), SHAPE(4, 2, 3), 24));
	for (int64_t i = 0; i < 4; i++)
		for (int64_t j = 0; j < 2; j++)
			for (int64_t k = 0; k < 3; k++)
				CHECK(nacre_tensor_get(u, (i * 2 + j) * 3 + k) ==
				      (double)((j * 3 + k) * 4 + i));
	CHECK(!nacre_tensor_contiguous(u));
	nacre_tensor *same = nacre_tensor_transpose(u, (int[]){1, 2, 0}, NULL);
	CHECK(nacre_tensor_contiguous(same));
	nacre_error e = {0};
	static const int bad[][3] = {{0, 1, 1}, {0, 1, 3}, {-1, 0, 1}, {1 << 30, 0, 1}};
	for (int i = 0; i < 4; i++) {
		e = (nacre_error){0};
		CHECK(!nacre_tensor_transpose(t, bad[i], &e) && e.status == NACRE_INVALID);
		CHECK(strstr(e.text, "0 to 2"));
	}
	CHECK(!nacre_tensor_transpose(t, NULL, NULL));
	nacre_tensor_free(same);
	nacre_tensor_free(u);
	nacre_tensor_free(t);
}

TEST(reshapes)
{
	nacre_tensor *t = count_up(2, SHAPE(4, 6));
	static const struct {
		int rank;
		int64_t shape[4];
		int64_t inferred;
	} good[] = {{1, {24}, 24}, {1, {-1}, 24}, {3, {2, -1, 3}, 4}, {4, {1, 24, 1, -1}, 1}};
	for (int i = 0; i < 4; i++) {
		nacre_tensor *s = nacre_tensor_reshape(t, good[i].rank, good[i].shape, NULL);
		CHECK_EQ(nacre_tensor_rank(s), good[i].rank);
		CHECK_EQ(nacre_tensor_size(s), 24);
		CHECK(nacre_tensor_contiguous(s) && nacre_tensor_get(s, 17) == 17);
		for (int a = 0; a < good[i].rank; a++)
			CHECK_EQ(nacre_tensor_shape(s)[a],
				 good[i].shape[a] < 0 ? good[i].inferred : good[i].shape[a]);
		nacre_tensor_free(s);
	}
	static const struct {
		int rank;
		int64_t shape[4];
	} bad[] = {{1, {25}},
		   {2, {-1, 5}},
		   {2, {-1, -1}},
		   {2, {-2, -12}},
		   {2, {0, -1}},
		   {0, {0}},
		   {3, {INT64_MAX, INT64_MAX, -1}},
		   {2, {1ll << 62, 8}}};
	for (int i = 0; i < 8; i++) {
		nacre_error e = {0};
		CHECK(!nacre_tensor_reshape(t, bad[i].rank, bad[i].shape, &e));
		CHECK(e.status == NACRE_INVALID && strstr(e.text, "[4, 6] cannot become ["));
	}
	nacre_error e = {0};
	CHECK(!nacre_tensor_reshape(t, 9, good[0].shape, &e) && strstr(e.text, "got 9"));
	CHECK(!nacre_tensor_reshape(t, 1, NULL, NULL));
	nacre_tensor *u = nacre_tensor_transpose(t, (int[]){1, 0}, NULL);
	e = (nacre_error){0};
	CHECK(!nacre_tensor_reshape(u, 1, SHAPE(24), &e) && strstr(e.text, "not contiguous"));
	nacre_tensor_free(u);
	nacre_tensor_free(t);
}

TEST(reshapes_of_nothing)
{
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 2, SHAPE(0, 6), NULL);
	nacre_tensor *s = nacre_tensor_reshape(t, 2, SHAPE(3, 0), NULL);
	CHECK_EQ(nacre_tensor_size(s), 0);
	nacre_tensor_free(s);
	s = nacre_tensor_reshape(t, 2, SHAPE(-1, 3), NULL);
	CHECK_EQ(nacre_tensor_shape(s)[0], 0);
	nacre_tensor_free(s);
	CHECK(!nacre_tensor_reshape(t, 2, SHAPE(0, -1), NULL));
	CHECK(!nacre_tensor_reshape(t, 3, SHAPE(INT64_MAX, INT64_MAX, 0), NULL));
	CHECK(!nacre_tensor_reshape(t, 0, NULL, NULL));
	nacre_tensor_free(t);
	t = count_up(0, NULL);
	s = nacre_tensor_reshape(t, 3, SHAPE(1, -1, 1), NULL);
	CHECK_EQ(nacre_tensor_size(s), 1);
	nacre_tensor_free(s);
	nacre_tensor_free(t);
}

/* -- copies -------------------------------------------------------------------------------------*/
/* A view with random slices and order of axes, of at most `size` a side. */
static nacre_tensor *random_view(nacre_dtype d, int rank, int64_t size, const int64_t *shape)
{
	int64_t outer[NACRE_MAX_RANK];
	int order[NACRE_MAX_RANK], back[NACRE_MAX_RANK];
	for (int i = 0; i < rank; i++)
		order[i] = i;
	for (int i = rank - 1; i > 0; i--) {
		int j = (int)(test_random() % (uint64_t)(i + 1)), o = order[i];
		order[i] = order[j];
		order[j] = o;
	}
	for (int i = 0; i < rank; i++) {
		back[order[i]] = i;
		outer[i] = shape[order[i]] * (1 + (int64_t)(test_random() % 3)) + size;
	}
	nacre_tensor *base = nacre_tensor_new(NULL, d, rank, outer, NULL);
	for (int64_t i = 0; i < nacre_tensor_size(base); i++)
		nacre_tensor_set(base, i, -1);
	nacre_tensor *t = nacre_tensor_transpose(base, back, NULL);
	nacre_tensor_free(base);
	for (int i = 0; i < rank; i++) {
		int64_t n = shape[i], all = nacre_tensor_shape(t)[i];
		int64_t step =
		    n > 1 ? 1 + (int64_t)(test_random() % (uint64_t)((all - 1) / (n - 1))) : 1;
		int64_t span = n ? (n - 1) * step + 1 : 0;
		int64_t start = (int64_t)(test_random() % (uint64_t)(all - span + 1));
		nacre_tensor *s =
		    test_random() % 2 || !n
			? nacre_tensor_slice(t, i, start, start + span, step, NULL)
			: nacre_tensor_slice(t, i, start + span - 1, start - 1, -step, NULL);
		nacre_tensor_free(t);
		t = s;
	}
	return t;
}

TEST(copies_between_views_of_any_kind)
{
	int64_t blocks = used().blocks;
	for (int round = 0; round < 400; round++) {
		int rank = (int)(test_random() % 5);
		int64_t shape[4];
		for (int i = 0; i < rank; i++)
			shape[i] =
			    (int64_t)(test_random() % (round % 7 ? 6 : 20)) + (round % 10 != 0);
		nacre_dtype from = (nacre_dtype)(test_random() % NACRE_DTYPES);
		nacre_dtype to = (nacre_dtype)(test_random() % NACRE_DTYPES);
		nacre_tensor *x = random_view(from, rank, 3, shape),
			     *y = random_view(to, rank, 3, shape);
		CHECK(x && y && !memcmp(nacre_tensor_shape(x), shape, (size_t)rank * 8));
		int64_t n = nacre_tensor_size(x);
		for (int64_t i = 0; i < n; i++)
			nacre_tensor_set(x, i, (double)(test_random() % 100));
		CHECK_EQ(nacre_tensor_copy(y, x, NULL), NACRE_OK);
		nacre_tensor *c = nacre_tensor_convert(x, to, NULL);
		CHECK(nacre_tensor_contiguous(c));
		for (int64_t i = 0; i < n; i++) {
			double value = nacre_tensor_get(x, i);
			value = to == NACRE_BOOL ? value != 0 : value;
			CHECK(nacre_tensor_get(y, i) == value);
			CHECK(nacre_tensor_get(c, i) == value);
		}
		nacre_tensor_free(c);
		nacre_tensor_free(x);
		nacre_tensor_free(y);
	}
	CHECK_EQ(used().blocks, blocks);
}

TEST(a_copy_writes_only_its_places)
{
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 2, SHAPE(50, 40), NULL);
	nacre_tensor *part = nacre_tensor_slice(t, 0, 40, 9, -10, NULL);
	nacre_tensor *odd = nacre_tensor_slice(part, 1, 1, 40, 2, NULL);
	nacre_tensor *ones = nacre_tensor_new(NULL, NACRE_I8, 2, SHAPE(4, 20), NULL);
	for (int i = 0; i < 80; i++)
		nacre_tensor_set(ones, i, 1);
	CHECK_EQ(nacre_tensor_copy(odd, ones, NULL), NACRE_OK);
	for (int64_t i = 0; i < 50; i++)
		for (int64_t j = 0; j < 40; j++)
			CHECK(nacre_tensor_get(t, i * 40 + j) == (i && i % 10 == 0 && j % 2));
	nacre_tensor_free(ones);
	nacre_tensor_free(odd);
	nacre_tensor_free(part);
	nacre_tensor_free(t);
}

TEST(copies_onto_themselves)
{
	nacre_tensor *t = count_up(1, SHAPE(1000));
	nacre_tensor *back = nacre_tensor_slice(t, 0, 999, -1, -1, NULL);
	CHECK_EQ(nacre_tensor_copy(t, back, NULL), NACRE_OK); /* reversed in place */
	for (int i = 0; i < 1000; i++)
		CHECK(nacre_tensor_get(t, i) == 999 - i);
	nacre_tensor *a = nacre_tensor_slice(t, 0, 0, 999, 1, NULL);
	nacre_tensor *b = nacre_tensor_slice(t, 0, 1, 1000, 1, NULL);
	CHECK_EQ(nacre_tensor_copy(b, a, NULL), NACRE_OK); /* moved by one */
	for (int i = 1; i < 1000; i++)
		CHECK(nacre_tensor_get(t, i) == 1000 - i);
	CHECK_EQ(nacre_tensor_copy(t, t, NULL), NACRE_OK);
	CHECK(nacre_tensor_get(t, 500) == 500);
	nacre_tensor_free(a);
	nacre_tensor_free(b);
	nacre_tensor_free(back);
	nacre_tensor_free(t);
}

TEST(copies_need_equal_shapes)
{
	nacre_tensor *a = count_up(2, SHAPE(2, 3)), *b = count_up(2, SHAPE(3, 2)),
		     *c = count_up(1, SHAPE(2));
	nacre_error e = {0};
	CHECK_EQ(nacre_tensor_copy(a, b, &e), NACRE_INVALID);
	CHECK(strstr(e.text, "[2, 3]") && strstr(e.text, "[3, 2]"));
	CHECK_EQ(nacre_tensor_copy(a, c, NULL), NACRE_INVALID);
	CHECK_EQ(nacre_tensor_copy(a, NULL, NULL), NACRE_INVALID);
	CHECK(nacre_tensor_get(a, 4) == 4);
	nacre_tensor_free(a);
	nacre_tensor_free(b);
	nacre_tensor_free(c);
}

/* -- no memory ----------------------------------------------------------------------------------*/
static int64_t allocations, fail_at, held;
static void *failing(void *context, void *block, size_t old_size, size_t new_size)
{
	(void)context;
	(void)old_size;
	if (!new_size) {
		free(block);
		held--;
		return NULL;
	}
	if (block || ++allocations == fail_at || new_size > 1 << 30)
		return NULL;
	held++;
	return aligned_alloc(NC_ALIGN, nc_round_up(new_size, NC_ALIGN));
}

static bool use_tensors(nacre_runtime *rt, nacre_error *e)
{
	float data[6] = {1, 2, 3, 4, 5, 6};
	nacre_tensor *t[6] = {0};
	bool ok =
	    (t[0] = nacre_tensor_wrap(rt, NACRE_F32, 2, SHAPE(2, 3), data, release, NULL, e)) &&
	    (t[1] = nacre_tensor_transpose(t[0], (int[]){1, 0}, e)) &&
	    (t[2] = nacre_tensor_convert(t[1], NACRE_F16, e)) &&
	    (t[3] = nacre_tensor_reshape(t[2], 1, SHAPE(6), e)) &&
	    (t[4] = nacre_tensor_slice(t[3], 0, 5, -1, -1, e)) && !nacre_tensor_copy(t[3], t[4], e);
	for (int i = 0; i < 6; i++)
		nacre_tensor_free(t[i]);
	return ok;
}

TEST(a_size_that_could_be_but_not_here)
{
	fail_at = 0;
	nacre_runtime *rt =
	    nacre_runtime_new(&(nacre_runtime_options){.allocator = {failing, NULL}}, NULL);
	nacre_error e = {0};
	CHECK(!nacre_tensor_new(rt, NACRE_U8, 1, SHAPE(INT64_MAX - 100), &e));
	CHECK_EQ(e.status, NACRE_NO_MEMORY);
	CHECK(strstr(e.text, "9223372036854775707"));
	nacre_runtime_free(rt);
	CHECK_EQ(held, 0);
}

TEST(every_allocation_may_fail)
{
	bool done = false;
	int64_t n = 1;
	for (; !done; n++) {
		fail_at = 0;
		nacre_runtime *rt =
		    nacre_runtime_new(&(nacre_runtime_options){.allocator = {failing, NULL}}, NULL);
		int64_t before = held;
		allocations = 0;
		fail_at = n;
		released = 0;
		nacre_error e = {0};
		done = use_tensors(rt, &e);
		CHECK_EQ(e.status, done ? NACRE_OK : NACRE_NO_MEMORY);
		CHECK_EQ(done, allocations < n);
		CHECK_EQ(held, before);
		CHECK_EQ(released, n > 2); /* the tensor was made: two blocks */
		nacre_runtime_free(rt);
		CHECK_EQ(held, 0);
	}
	CHECK(n > 10);
}
