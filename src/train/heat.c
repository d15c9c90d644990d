/* SPDX-License-Identifier: MIT
 *
 * heat.c - a map of numbers as colours over a picture.
 */
#include <math.h>
#include <string.h>

#include "nacre/explain.h"
#include "nacre/image.h"
#include "tensor/tensor.h"

/* Inferno, by Stefan van der Walt, Nathaniel Smith and Eric Firing (CC0), from 0 to 1 in ninths. */
enum { KNOTS = 10 };
static const uint8_t inferno[KNOTS][3] = {
    {0, 0, 4},     {27, 12, 65},   {74, 12, 107}, {120, 28, 109}, {165, 44, 96},
    {207, 68, 70}, {237, 105, 37}, {251, 155, 6}, {247, 209, 61}, {252, 255, 164},
};

static double color(double v, int channel)
{
	double at = v * (KNOTS - 1);
	int k = at < KNOTS - 2 ? (int)at : KNOTS - 2;
	double part = at - k;
	return inferno[k][channel] * (1 - part) + inferno[k + 1][channel] * part;
}

/* Number k in ascending order of floats that are not negative, whose bits are in the order of their
 * values: bit by bit the largest pattern that at most k of them are below. */
static float smallest(const float *v, int64_t n, int64_t k)
{
	uint32_t found = 0, bits;
	float value;
	for (uint32_t bit = 1u << 30; bit; bit >>= 1) {
		int64_t below = 0;
		for (int64_t i = 0; i < n; i++) {
			memcpy(&bits, &v[i], sizeof bits);
			below += bits < (found | bit);
		}
		found |= below <= k ? bit : 0;
	}
	memcpy(&value, &found, sizeof value);
	return value;
}

/* The value that 99 % do not exceed; the largest where that is 0. */
static double find_highest(const float *v, int64_t n)
{
	float most = smallest(v, n, (n - 1) * 99 / 100);
	return (double)(most > 0 ? most : smallest(v, n, n - 1));
}

/* The map as f32 [h, w, 1] without what is not positive, between 0 and 1. */
static nacre_tensor *normalized(const nacre_tensor *map, double highest, nacre_error *e)
{
	const int64_t *shape = map->shape + (map->rank == 3);
	nacre_tensor *t =
	    nacre_tensor_new(map->runtime, NACRE_F32, 3, (int64_t[]){shape[0], shape[1], 1}, e);
	int64_t n = t ? nacre_tensor_size(t) : 0;
	float *v = t ? (float *)(void *)t->data : NULL;
	for (int64_t i = 0; i < n; i++) {
		double x = nacre_tensor_get(map, i);
		v[i] = x > 0 ? (float)x : 0;
	}
	if (t && highest == 0)
		highest = find_highest(v, n);
	for (int64_t i = 0; i < n; i++) {
		double x = (double)v[i] / highest;
		v[i] = x < 1 ? (float)x : highest > 0 ? 1 : 0;
	}
	return t;
}

/* Brightness of a place, 0 .. 255. */
static double grey(const nacre_tensor *picture, int64_t place)
{
	static const double weight[3] = {0.299, 0.587, 0.114};
	int64_t channels = picture->rank == 3 ? picture->shape[2] : 1;
	double v = 0;
	if (channels < 3)
		v = nacre_tensor_get(picture, place * channels);
	for (int k = 0; k < 3 && channels >= 3; k++)
		v += weight[k] * nacre_tensor_get(picture, place * channels + k);
	return v > 0 ? v < 255 ? v : 255 : 0;
}

static bool check(const nacre_tensor *map, const nacre_tensor *picture, const nacre_heat_options *o,
		  nacre_error *e)
{
	char text[128];
	int64_t channels = picture && picture->rank == 3 ? picture->shape[2] : 1;
	bool slice = map && map->rank == 3 && map->shape[0] == 1;
	if (!map)
		nc_fail(e, NACRE_INVALID, "heat_map: the map is NULL");
	else if ((map->rank != 2 && !slice) || nacre_tensor_size(map) < 1 ||
		 (map->dtype != NACRE_F32 && map->dtype != NACRE_F64))
		nc_fail(e, NACRE_INVALID,
			"heat_map: expected a map of floats [height, width], got %s %s",
			nacre_dtype_name(map->dtype), nc_shape_text(text, map->rank, map->shape));
	else if (picture && (picture->rank < 2 || picture->rank > 3 || channels < 1 ||
			     channels > 4 || nacre_tensor_size(picture) < 1 ||
			     (picture->dtype != NACRE_U8 && !nc_dtype_is_float(picture->dtype))))
		nc_fail(e, NACRE_INVALID,
			"heat_map: expected a picture of u8 or floats, [height, width] or "
			"[height, width, 1 to 4 channels], got %s %s",
			nacre_dtype_name(picture->dtype),
			nc_shape_text(text, picture->rank, picture->shape));
	else if (!(o->opacity >= 0 && o->opacity <= 1))
		nc_fail(e, NACRE_INVALID, "heat_map: opacity: expected 0 to 1, got %g", o->opacity);
	else if (!(o->highest >= 0 && o->highest < (double)INFINITY))
		nc_fail(e, NACRE_INVALID, "heat_map: highest: expected a number from 0, got %g",
			o->highest);
	else
		return true;
	return false;
}

nacre_tensor *nacre_heat_map(const nacre_tensor *map, const nacre_tensor *picture,
			     const nacre_heat_options *options, nacre_error *error)
{
	nacre_heat_options o = options ? *options : (nacre_heat_options){0};
	nacre_error own = {0}, *e = error ? error : &own;
	if (!check(map, picture, &o, e))
		return NULL;
	double opacity = !picture ? 1 : o.opacity != 0 ? o.opacity : 0.7;
	nacre_tensor *small = normalized(map, o.highest, e);
	int64_t shape[3] = {small ? small->shape[0] : 0, small ? small->shape[1] : 0, 3};
	if (picture)
		memcpy(shape, picture->shape, 2 * sizeof *shape);
	nacre_image_options size = {.height = shape[0], .width = shape[1]};
	nacre_tensor *large = small ? nacre_image_resize(small, &size, e) : NULL;
	nacre_tensor *out = large ? nacre_tensor_new(map->runtime, NACRE_U8, 3, shape, e) : NULL;
	for (int64_t i = 0; out && i < shape[0] * shape[1]; i++) {
		double v = (double)((const float *)(const void *)large->data)[i];
		double under = picture ? (1 - opacity) * grey(picture, i) : 0;
		for (int k = 0; k < 3; k++)
			out->data[i * 3 + k] = (uint8_t)(under + opacity * color(v, k) + 0.5);
	}
	nacre_tensor_free(small);
	nacre_tensor_free(large);
	return out;
}
