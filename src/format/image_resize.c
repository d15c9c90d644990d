/* SPDX-License-Identifier: MIT
 *
 * image_resize.c - a picture in another size, as numbers of a tensor.
 *
 * Both axes are resampled apart: place i of the new size lies at c = (i + 1/2) in/out - 1/2 of the
 * old one, and is the sum of the places around it times weights w(k - c), divided by the sum of
 * those that lie inside.  (https://www.tensorflow.org/api_docs/python/tf/image/resize)
 */
#include <math.h>
#include <string.h>

#include "base/runtime.h"
#include "format/image.h"
#include "kernels/kernels.h"

typedef struct axis { /* for each new place: the first of the old ones, and their weights */
	int64_t in, out;
	int taps; /* of each, the same for all; those that count for nothing weigh 0 */
	int64_t *first;
	int32_t *count; /* taps, again and again */
	float *weight;  /* [out][taps] */
	size_t bytes;
} axis;

static double kernel(nacre_interpolation how, double d)
{
	d = fabs(d);
	if (how != NACRE_BICUBIC)
		return d < 1 ? 1 - d : 0;
	if (d <= 1) /* Keys, a = -1/2 */
		return (1.5 * d - 2.5) * d * d + 1;
	return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
}

/* In f32, as TensorFlow has it: where it falls between two places, rounding decides. */
static int64_t nearest(const axis *a, int64_t i)
{
	float scale = (float)a->in / (float)a->out;
	return nc_min((int64_t)floorf(((float)i + 0.5f) * scale), a->in - 1);
}

/* The weight of old place k for new place i. */
static double weight(const axis *a, nacre_interpolation how, double widen, int64_t i, int64_t k)
{
	double scale = (double)a->in / (double)a->out, place = (double)k;
	if (how == NACRE_NEAREST)
		return k == nearest(a, i);
	if (how == NACRE_AREA) { /* how much of it the new place covers */
		double low = fmax((double)i * scale, place);
		return fmax(0, fmin(((double)i + 1) * scale, place + 1) - low);
	}
	return kernel(how, (place - (((double)i + 0.5) * scale - 0.5)) / widen);
}

static void fill(axis *a, nacre_interpolation how, double widen, double reach)
{
	double scale = (double)a->in / (double)a->out;
	for (int64_t i = 0; i < a->out; i++) {
		double center = ((double)i + 0.5) * scale - 0.5, sum = 0;
		float *w = a->weight + i * a->taps;
		int64_t from =
		    how == NACRE_NEAREST ? nearest(a, i) : (int64_t)floor(center - reach) + 1;
		from = nc_max(0, nc_min(from, a->in - a->taps));
		a->first[i] = from;
		a->count[i] = a->taps;
		for (int k = 0; k < a->taps; k++)
			sum += weight(a, how, widen, i, from + k);
		for (int k = 0; k < a->taps; k++)
			w[k] = sum > 0 ? (float)(weight(a, how, widen, i, from + k) / sum) : k == 0;
	}
}

static nacre_status axis_new(axis *a, nc_memory *m, int64_t in, int64_t out,
			     const nacre_image_options *o, nacre_error *e)
{
	nacre_interpolation how =
	    o->interpolation == NACRE_DEFAULT_INTERPOLATION ? NACRE_BILINEAR : o->interpolation;
	double scale = (double)in / (double)out;
	double widen = o->antialias && scale > 1 ? scale : 1;
	double reach = how == NACRE_BICUBIC ? 2 * widen
		       : how == NACRE_AREA  ? scale / 2 + 0.5
					    : widen;
	*a = (axis){.in = in, .out = out};
	int64_t taps = (int64_t)ceil(2 * reach) + (widen > 1 || how == NACRE_AREA);
	a->taps = how == NACRE_NEAREST ? 1 : (int)nc_min(taps, in);
	size_t n =
	    (size_t)out * ((size_t)a->taps * sizeof(float) + sizeof *a->first + sizeof *a->count);
	a->first = nc_alloc(m, n);
	if (!a->first)
		return nc_no_memory(e, n);
	a->bytes = n;
	a->count = (int32_t *)(void *)(a->first + out);
	a->weight = (float *)(void *)(a->count + out);
	fill(a, how, widen, reach);
	return NACRE_OK;
}

static void axis_free(axis *a, nc_memory *m)
{
	nc_free(m, a->first, a->bytes);
}

/* -- numbers ----------------------------------------------------------------------------------- */
/* n numbers of 1, 2 or 4 bytes as 0 .. 255 */
static void widen_row(const nc_kernels *k, float *restrict y, const uint8_t *x, int bytes,
		      int64_t n)
{
	if (bytes == 1)
		k->rows(&(nc_rows){.n = n, .x_type = NC_V_U8, .x = x, .scale = 1, .y = y}, 0, 1);
	else if (bytes == 2)
		for (int64_t i = 0; i < n; i++)
			y[i] = (float)((const uint16_t *)(const void *)x)[i] / 257.0f;
	else
		memcpy(y, x, (size_t)n * sizeof *y);
}

static void round_row(uint8_t *restrict y, const float *restrict x, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		float v = x[i] + 0.5f;
		y[i] = (uint8_t)(v >= 1 ? v < 255 ? v : 255 : 0);
	}
}

/* -- resampling --------------------------------------------------------------------------------
 * A few new rows at a time: the old ones that they need are widened and mixed by the kernels, then
 * columns are resampled; all of that stays in cache. */
enum { BLOCK = 16 };

typedef struct job {
	const nc_picture *p;
	const nc_kernels *kernels;
	int64_t top, left, height, width; /* the part of the picture that is taken */
	axis rows, columns;
	int64_t most;              /* old rows that a block needs */
	float *old, *mixed, *line; /* old rows; new rows of old width; of new width */
	float back[4];
} job;

static const uint8_t *row_at(const job *j, int64_t y)
{
	const nc_picture *p = j->p;
	int64_t at = ((j->top + y) * p->width + j->left) * p->channels;
	return p->data + (size_t)at * (size_t)p->bytes;
}

/* The old rows for new rows i .. i + n - 1: the first, and how many. */
static int64_t needed(const axis *a, int64_t i, int64_t n, int64_t *first)
{
	*first = a->first[i];
	return a->first[i + n - 1] + a->taps - *first;
}

/* New rows i .. i + n - 1 into y, [n][columns->out][channels]. */
static void resample_block(job *j, int64_t i, int64_t n, float *y)
{
	const axis *a = &j->rows, *b = &j->columns;
	const int64_t channels = j->p->channels, length = j->width * channels;
	int64_t first, place[BLOCK], rows = needed(a, i, n, &first);
	for (int64_t k = 0; k < rows; k++)
		widen_row(j->kernels, j->old + k * length, row_at(j, first + k), j->p->bytes,
			  length);
	for (int64_t k = 0; k < n; k++)
		place[k] = a->first[i + k] - first;
	j->kernels->resample(&(nc_resample){.outer = 1,
					    .in = rows,
					    .out = n,
					    .inner = length,
					    .width = a->taps,
					    .first = place,
					    .count = a->count,
					    .weight = a->weight + i * a->taps,
					    .x = j->old,
					    .y = j->mixed},
			     0, 1);
	j->kernels->resample(&(nc_resample){.outer = n,
					    .in = j->width,
					    .out = b->out,
					    .inner = channels,
					    .width = b->taps,
					    .first = b->first,
					    .count = b->count,
					    .weight = b->weight,
					    .x = j->mixed,
					    .y = y},
			     0, 1);
}

static void resample_all(job *j, const nacre_image_options *o, const int64_t at[2], uint8_t *out)
{
	const int64_t channels = j->p->channels, length = j->columns.out * channels;
	const bool whole = o->dtype == NACRE_F32 && j->columns.out == o->width; /* rows of it */
	for (int64_t i = 0; i < j->rows.out; i += BLOCK) {
		int64_t n = nc_min(BLOCK, j->rows.out - i);
		if (whole) {
			resample_block(j, i, n, (float *)(void *)out + (at[0] + i) * length);
			continue;
		}
		resample_block(j, i, n, j->line);
		for (int64_t k = 0; k < n; k++) {
			int64_t place = ((at[0] + i + k) * o->width + at[1]) * channels;
			const float *from = j->line + k * length;
			if (o->dtype == NACRE_F32)
				memcpy((float *)(void *)out + place, from,
				       (size_t)length * sizeof *from);
			else
				round_row(out + place, from, length);
		}
	}
}

/* The part to `size` places, from `at` on. */
static nacre_status resample(job *j, nc_memory *m, const nacre_image_options *o,
			     const int64_t at[2], const int64_t size[2], uint8_t *out,
			     nacre_error *e)
{
	const size_t channels = (size_t)j->p->channels;
	size_t n = 0, bytes = 0, length = (size_t)j->width * channels;
	nacre_status s = axis_new(&j->rows, m, j->height, size[0], o, e);
	if (!s)
		s = axis_new(&j->columns, m, j->width, size[1], o, e);
	for (int64_t i = 0; i < size[0] && !s; i += BLOCK) {
		int64_t first;
		j->most = nc_max(j->most, needed(&j->rows, i, nc_min(BLOCK, size[0] - i), &first));
	}
	n = (size_t)(j->most + BLOCK) * length + BLOCK * (size_t)size[1] * channels;
	if (!s && (!nc_mul(n, sizeof(float), &bytes) || !(j->old = nc_alloc(m, bytes))))
		s = nc_no_memory(e, bytes);
	if (!s) {
		j->mixed = j->old + (size_t)j->most * length;
		j->line = j->mixed + BLOCK * length;
		resample_all(j, o, at, out);
	}
	nc_free(m, j->old, bytes);
	axis_free(&j->rows, m);
	axis_free(&j->columns, m);
	return s;
}

/* -- proportions ------------------------------------------------------------------------------- */
/* The largest part in the middle with the proportions of the new size, as Keras counts it. */
static void crop(job *j, const nacre_image_options *o)
{
	int64_t h = j->height, w = j->width;
	int64_t height = (int64_t)((double)(w * o->height) / (double)o->width);
	int64_t width = (int64_t)((double)(h * o->width) / (double)o->height);
	j->height = nc_max(nc_min(h, height), 1);
	j->width = nc_max(nc_min(w, width), 1);
	j->top = (h - j->height) / 2;
	j->left = (w - j->width) / 2;
}

static void fill_background(const job *j, const nacre_image_options *o, void *out)
{
	const int channels = j->p->channels;
	for (int64_t i = 0, n = o->height * o->width * channels; i < n; i++) {
		float v = j->back[i % channels];
		if (o->dtype == NACRE_F32)
			((float *)out)[i] = v;
		else
			((uint8_t *)out)[i] = (uint8_t)(v + 0.5f);
	}
}

/* Where the whole picture comes to lie inside the new size, as tf.image.resize_with_pad counts. */
static void fit(const job *j, const nacre_image_options *o, int64_t at[2], int64_t size[2])
{
	double full[2] = {(double)o->height, (double)o->width};
	double own[2] = {(double)j->height, (double)j->width};
	double ratio = fmax(own[0] / full[0], own[1] / full[1]);
	for (int k = 0; k < 2; k++) {
		double length = own[k] / ratio;
		size[k] = nc_max((int64_t)length, 1);
		at[k] = nc_max((int64_t)((full[k] - length) / 2), 0);
	}
}

static void background(job *j, const nacre_image_options *o)
{
	const double *b = o->background;
	float grey = (float)((299 * b[0] + 587 * b[1] + 114 * b[2]) / 1000);
	int channels = j->p->channels;
	for (int k = 0; k < channels; k++)
		j->back[k] = channels > 2 && k < 3 ? (float)b[k] : grey;
	if (channels % 2 == 0)
		j->back[channels - 1] = 255;
}

nacre_status nc_picture_put(const nc_picture *p, nacre_runtime *rt, const nacre_image_options *o,
			    void *out, nacre_error *e)
{
	job j = {
	    .p = p, .kernels = nc_kernels_named(rt->isa), .height = p->height, .width = p->width};
	const int64_t n = p->height * p->width * p->channels;
	if (o->height && (o->height != p->height || o->width != p->width)) {
		int64_t at[2] = {0, 0}, size[2] = {o->height, o->width};
		if (o->aspect == NACRE_CROP)
			crop(&j, o);
		if (o->aspect == NACRE_PAD) {
			fit(&j, o, at, size);
			background(&j, o);
			fill_background(&j, o, out);
		}
		return resample(&j, nc_runtime_memory(rt), o, at, size, out, e);
	}
	if (o->dtype == NACRE_F32) {
		widen_row(j.kernels, out, p->data, p->bytes, n);
	} else if (p->bytes == 1) {
		memcpy(out, p->data, p->size ? p->size : (size_t)n);
	} else if (p->bytes == 2) {
		for (int64_t i = 0; i < n; i++) {
			unsigned v = ((const uint16_t *)(const void *)p->data)[i];
			((uint8_t *)out)[i] = (uint8_t)((v + 128) / 257);
		}
	} else {
		round_row(out, (const float *)(const void *)p->data, n);
	}
	return NACRE_OK;
}
