/* SPDX-License-Identifier: MIT
 *
 * heat.c - heat maps: their colours, how they lie over a picture, their size, what is refused.
 */
#include "help.h"

static nacre_tensor *map_of(int64_t h, int64_t w, const double *v)
{
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){h, w}, NULL);
	for (int64_t i = 0; i < h * w; i++)
		nacre_tensor_set(t, i, v[i]);
	return t;
}

static void pixel(const nacre_tensor *t, int64_t place, int r, int g, int b)
{
	CHECK_EQ(nacre_tensor_get(t, place * 3), r);
	CHECK_EQ(nacre_tensor_get(t, place * 3 + 1), g);
	CHECK_EQ(nacre_tensor_get(t, place * 3 + 2), b);
}

TEST(colours)
{
	nacre_error e = {0};
	const double v[] = {0, -3, (double)NAN, 9, 18, 7, (double)INFINITY, 8};
	nacre_tensor *map = map_of(2, 4, v);
	nacre_tensor *t = nacre_heat_map(map, NULL, &(nacre_heat_options){.highest = 9}, &e);
	CHECK_STR(e.text, "");
	CHECK_EQ(nacre_tensor_dtype(t), NACRE_U8);
	CHECK_EQ(nacre_tensor_rank(t), 3);
	CHECK_EQ(nacre_tensor_shape(t)[2], 3);
	for (int i = 0; i < 3; i++)
		pixel(t, i, 0, 0, 4);
	pixel(t, 3, 252, 255, 164);
	pixel(t, 4, 252, 255, 164);
	pixel(t, 5, 251, 155, 6); /* 7/9 of the way */
	pixel(t, 6, 252, 255, 164);
	pixel(t, 7, 247, 209, 61);
	nacre_tensor_free(t);
	nacre_tensor_free(map);
}

/* Brightest is what 99 of 100 places do not exceed; of 101 places the second largest. */
TEST(highest)
{
	double v[101] = {0};
	for (int i = 0; i < 101; i++)
		v[(i * 37) % 101] = i;
	v[(100 * 37) % 101] = 1e6;
	nacre_tensor *map = map_of(1, 101, v), *t = nacre_heat_map(map, NULL, NULL, NULL);
	pixel(t, (100 * 37) % 101, 252, 255, 164);
	pixel(t, (99 * 37) % 101, 252, 255, 164);
	pixel(t, (88 * 37) % 101, 247, 209, 61); /* 8/9 of 99 */
	nacre_tensor_free(t);
	nacre_tensor_free(map);
	double one[200] = {0};
	one[5] = 0.5; /* all others are 0: the largest then */
	map = map_of(10, 20, one);
	t = nacre_heat_map(map, NULL, NULL, NULL);
	pixel(t, 5, 252, 255, 164);
	pixel(t, 6, 0, 0, 4);
	nacre_tensor_free(t);
	nacre_tensor_set(map, 5, 0);
	t = nacre_heat_map(map, NULL, NULL, NULL);
	pixel(t, 5, 0, 0, 4);
	nacre_tensor_free(t);
	nacre_tensor_free(map);
}

TEST(over_a_picture)
{
	nacre_error e = {0};
	nacre_tensor *map = map_of(2, 2, (double[]){0, 1, 0, 1});
	nacre_tensor *grey = nacre_tensor_new(NULL, NACRE_U8, 2, (int64_t[]){4, 4}, NULL);
	nacre_tensor *colour = nacre_tensor_new(NULL, NACRE_F32, 3, (int64_t[]){1, 2, 4}, NULL);
	for (int i = 0; i < 16; i++)
		nacre_tensor_set(grey, i, 100);
	nacre_tensor_set(colour, 0, 200); /* red, and something out of range */
	nacre_tensor_set(colour, 4, 1000);
	nacre_tensor_set(colour, 5, 1000);
	nacre_tensor_set(colour, 6, 1000);
	nacre_heat_options half = {.opacity = 0.5, .highest = 1};
	nacre_tensor *t = nacre_heat_map(map, grey, &half, &e);
	CHECK_EQ(nacre_tensor_shape(t)[0], 4);
	CHECK_EQ(nacre_tensor_shape(t)[1], 4);
	pixel(t, 0, 50, 50, 52);
	pixel(t, 15, 176, 178, 132);
	nacre_tensor_free(t);
	t = nacre_heat_map(map, colour, &half, &e);
	CHECK_EQ(nacre_tensor_shape(t)[0], 1);
	CHECK_EQ(nacre_tensor_shape(t)[1], 2);
	pixel(t, 0, 30, 30, 32); /* brightness 0.299 * 200, cut off at 255 in the second */
	pixel(t, 1, 254, 255, 210);
	nacre_tensor_free(t);
	t = nacre_heat_map(map, grey, &(nacre_heat_options){.opacity = NACRE_ZERO}, &e);
	pixel(t, 3, 100, 100, 100);
	nacre_tensor_free(t);
	/* a slice of several maps */
	nacre_tensor *three = nacre_tensor_reshape(map, 3, (int64_t[]){1, 2, 2}, NULL);
	t = nacre_heat_map(three, NULL, NULL, &e);
	pixel(t, 1, 252, 255, 164);
	CHECK_STR(e.text, "");
	nacre_tensor_free(t);
	nacre_tensor_free(three);
	nacre_tensor_free(grey);
	nacre_tensor_free(colour);
	nacre_tensor_free(map);
}

static void refused(const char *text, const nacre_tensor *map, const nacre_tensor *picture,
		    nacre_heat_options o)
{
	nacre_error e = {0};
	CHECK(!nacre_heat_map(map, picture, &o, &e));
	CHECK_STR(e.text, text);
	CHECK(!nacre_heat_map(map, picture, &o, NULL));
}

TEST(misuse)
{
	nacre_heat_options none = {0};
	nacre_tensor *map = map_of(2, 2, (double[]){0, 1, 0, 1});
	nacre_tensor *line = nacre_tensor_new(NULL, NACRE_F32, 1, (int64_t[]){3}, NULL);
	nacre_tensor *five = nacre_tensor_new(NULL, NACRE_U8, 3, (int64_t[]){2, 2, 5}, NULL);
	nacre_tensor *two = nacre_tensor_new(NULL, NACRE_F32, 3, (int64_t[]){2, 2, 2}, NULL);
	nacre_tensor *whole = nacre_tensor_new(NULL, NACRE_I32, 2, (int64_t[]){2, 2}, NULL);
	nacre_tensor *empty = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){0, 2}, NULL);
	refused("heat_map: the map is NULL", NULL, NULL, none);
	refused("heat_map: expected a map of floats [height, width], got f32 [3]", line, NULL,
		none);
	refused("heat_map: expected a map of floats [height, width], got f32 [2, 2, 2]", two, NULL,
		none);
	refused("heat_map: expected a map of floats [height, width], got i32 [2, 2]", whole, NULL,
		none);
	refused("heat_map: expected a map of floats [height, width], got f32 [0, 2]", empty, NULL,
		none);
	refused("heat_map: expected a picture of u8 or floats, [height, width] or [height, width, "
		"1 to 4 channels], got u8 [2, 2, 5]",
		map, five, none);
	refused("heat_map: expected a picture of u8 or floats, [height, width] or [height, width, "
		"1 to 4 channels], got f32 [3]",
		map, line, none);
	refused("heat_map: expected a picture of u8 or floats, [height, width] or [height, width, "
		"1 to 4 channels], got i32 [2, 2]",
		map, whole, none);
	refused("heat_map: opacity: expected 0 to 1, got 2", map, NULL,
		(nacre_heat_options){.opacity = 2});
	refused("heat_map: highest: expected a number from 0, got -1", map, NULL,
		(nacre_heat_options){.highest = -1});
	nacre_tensor_free(map);
	nacre_tensor_free(line);
	nacre_tensor_free(five);
	nacre_tensor_free(two);
	nacre_tensor_free(whole);
	nacre_tensor_free(empty);
}
