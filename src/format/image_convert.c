/* SPDX-License-Identifier: MIT
 *
 * image_convert.c - pictures turned upright, and in other colours.
 */
#include <string.h>

#include "format/image.h"

/* -- orientation -------------------------------------------------------------------------------
 * What EXIF means: where row 0 and column 0 of the stored picture are.  Bit 0 here: stored columns
 * run backwards; bit 1: rows do; bit 2: rows and columns change places, after that. */
static const uint8_t turn[9] = {0, 0, 1, 3, 2, 4, 6, 7, 5};

nacre_status nc_picture_orient(nc_picture *p, nc_memory *m, int orientation, nacre_error *e)
{
	if (orientation < 2 || orientation > 8)
		return NACRE_OK;
	bool columns = turn[orientation] & 1, rows = turn[orientation] & 2;
	bool across = turn[orientation] & 4;
	const int64_t h = p->height, w = p->width;
	const size_t pixel = (size_t)(p->channels * p->bytes);
	nc_picture q;
	nacre_status s =
	    nc_picture_new(&q, m, across ? w : h, across ? h : w, p->channels, p->bytes, e);
	if (s)
		return s;
	uint8_t *to = q.data;
	for (int64_t y = 0; y < q.height; y++)
		for (int64_t x = 0; x < q.width; x++, to += pixel) {
			int64_t row = across ? x : y, column = across ? y : x;
			row = rows ? h - 1 - row : row;
			column = columns ? w - 1 - column : column;
			memcpy(to, p->data + (size_t)(row * w + column) * pixel, pixel);
		}
	nc_picture_free(p, m);
	*p = q;
	return NACRE_OK;
}

/* -- colours ----------------------------------------------------------------------------------- */
static unsigned get(const nc_picture *p, int64_t i)
{
	return p->bytes == 2 ? ((const uint16_t *)(const void *)p->data)[i] : p->data[i];
}

static void set(nc_picture *p, int64_t i, unsigned v)
{
	if (p->bytes == 2)
		((uint16_t *)(void *)p->data)[i] = (uint16_t)v;
	else
		p->data[i] = (uint8_t)v;
}

static unsigned grey_of(const unsigned c[3])
{
	return (299 * c[0] + 587 * c[1] + 114 * c[2] + 500) / 1000;
}

nacre_status nc_picture_color(nc_picture *p, nc_memory *m, const nacre_image_options *o,
			      nacre_error *e)
{
	const int from = p->channels, to = nc_color_channels(o->color, from);
	const bool alpha_in = from % 2 == 0, alpha_out = to % 2 == 0;
	const bool lay = alpha_in && o->composite && !(o->color == NACRE_AS_STORED);
	const unsigned most = p->bytes == 2 ? 65535 : 255;
	unsigned back[4];
	nc_picture q;
	if (from == to)
		return NACRE_OK;
	nacre_status s = nc_picture_new(&q, m, p->height, p->width, to, p->bytes, e);
	if (s)
		return s;
	for (int k = 0; k < 3; k++)
		back[k] = (unsigned)(o->background[k] * (most / 255) + 0.5);
	back[3] = grey_of(back);
	for (int64_t i = 0, n = p->height * p->width; i < n; i++) {
		unsigned c[4], a = alpha_in ? get(p, i * from + from - 1) : most;
		for (int k = 0; k < 3; k++)
			c[k] = get(p, i * from + (from > 2 ? k : 0));
		c[3] = from > 2 ? grey_of(c) : c[0];
		for (int k = 0; lay && !alpha_out && k < 4; k++)
			c[k] = (unsigned)(((uint64_t)c[k] * a + (uint64_t)back[k] * (most - a) +
					   most / 2) /
					  most);
		for (int k = 0; k < to - alpha_out; k++)
			set(&q, i * to + k, to > 2 ? c[k] : c[3]);
		if (alpha_out)
			set(&q, i * to + to - 1, a);
	}
	nc_picture_free(p, m);
	*p = q;
	return NACRE_OK;
}
