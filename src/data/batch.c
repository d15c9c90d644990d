/* SPDX-License-Identifier: MIT
 *
 * batch.c - checking labels once, and putting batches together for ever after.
 */
#include <string.h>

#include "data/data.h"

/* -- labels */
static nacre_status outside(const nc_column *c, const char *what, int64_t i, double value,
			    int64_t classes, nacre_error *e)
{
	long long sample = c->width ? i / c->width : 0;
	if (classes)
		return nc_fail(e, NACRE_BAD_DATA,
			       "%s: label %.17g of sample %lld is outside 0..%lld", what, value,
			       sample, (long long)classes - 1);
	return nc_fail(e, NACRE_BAD_DATA,
		       "%s: value %.17g of sample %lld is no whole number of 32 bits", what, value,
		       sample);
}

nacre_status nc_column_check(const nc_column *c, const char *what, int64_t classes, nacre_error *e)
{
	const int64_t n = c->tensor ? nacre_tensor_size(c->tensor) : 0;
	const double low = classes ? 0 : -2147483648.0;
	const double high = classes ? (double)classes - 1 : 2147483647.0;
	if (c->maker)
		return nc_fail(e, NACRE_INVALID,
			       "%s: %s are made as f32, whole numbers are expected", what,
			       c->maker->unit);
	if (classes > INT32_MAX)
		return nc_fail(e, NACRE_INVALID, "%s: %lld classes, at most %d", what,
			       (long long)classes, INT32_MAX);
	if (c->tensor->dtype == NACRE_U8 && high >= 255)
		return NACRE_OK;
	for (int64_t i = 0; i < n; i++) {
		/* an i64 beyond 2^53 is rounded, and out of range all the same */
		double value = nc_element(c->tensor->dtype, c->tensor->data, i);
		if (!(value >= low && value <= high) || value != (double)(int64_t)value)
			return outside(c, what, i, value, classes, e);
	}
	return NACRE_OK;
}

size_t nc_feed_bytes(const nc_column *c, nc_feed feed, int64_t classes)
{
	return 4 * (size_t)c->width * (feed == NC_FEED_ONE_HOT ? (size_t)classes : 1);
}

/* -- batches */
static int64_t sample(const nc_batch *b, int64_t row)
{
	return b->index ? b->index[row] : b->first + row;
}

static const uint8_t *sample_data(const nc_batch *b, const nc_column *c, int64_t row)
{
	return c->tensor->data +
	       (size_t)(sample(b, row) * c->width) * nacre_dtype_size(c->tensor->dtype);
}

/* the memory type of the kernels; -1: they do not read it */
static int kernel_type(nacre_dtype d)
{
	switch (d) {
	case NACRE_F32:
		return NC_V_F32;
	case NACRE_F16:
		return NC_V_F16;
	case NACRE_BF16:
		return NC_V_BF16;
	case NACRE_I8:
		return NC_V_I8;
	case NACRE_U8:
		return NC_V_U8;
	case NACRE_I32:
		return NC_V_I32;
	case NACRE_BOOL:
		return NC_V_BOOL;
	default:
		return -1;
	}
}

static void feed_f32(const nc_batch *b, const nc_batch_column *o, int64_t begin, int64_t end)
{
	const nc_column *c = o->column;
	int type = kernel_type(c->tensor->dtype);
	bool plain = c->tensor->dtype == NACRE_F32 && c->scale == 1 && c->offset == 0;
	float *out = o->out;
	if (type >= 0 && !plain) {
		/* rows of the kernel start at the first sample when there is no list of them */
		size_t skip = b->index ? 0 : (size_t)(b->first * c->width);
		nc_rows r = {.n = c->width,
			     .x_type = type,
			     .x = c->tensor->data + skip * nacre_dtype_size(c->tensor->dtype),
			     .row = b->index,
			     .scale = c->scale,
			     .offset = c->offset,
			     .y = out};
		b->kernels->rows(&r, begin, end);
		return;
	}
	for (int64_t i = begin; i < end; i++) {
		float *y = out + i * c->width;
		const uint8_t *x = sample_data(b, c, i);
		if (plain) {
			memcpy(y, x, (size_t)c->width * sizeof *y);
			continue;
		}
		nc_convert(NACRE_F32, y, c->tensor->dtype, x, c->width);
		for (int64_t k = 0; k < c->width; k++)
			y[k] = y[k] * c->scale + c->offset;
	}
}

static void feed_i32(const nc_batch *b, const nc_batch_column *o, int64_t begin, int64_t end)
{
	int32_t *out = o->out;
	const nc_column *c = o->column;
	for (int64_t i = begin; i < end; i++)
		nc_convert(NACRE_I32, out + i * c->width, c->tensor->dtype, sample_data(b, c, i),
			   c->width);
}

static void feed_one_hot(const nc_batch *b, const nc_batch_column *o, int64_t begin, int64_t end)
{
	const nc_column *c = o->column;
	const int64_t row = c->width * o->classes;
	float *out = o->out;
	for (int64_t i = begin; i < end; i++) {
		float *y = out + i * row;
		const uint8_t *x = sample_data(b, c, i);
		memset(y, 0, (size_t)row * sizeof *y);
		for (int64_t k = 0; k < c->width; k++) {
			int32_t label;
			nc_convert(NACRE_I32, &label, c->tensor->dtype,
				   x + (size_t)k * nacre_dtype_size(c->tensor->dtype), 1);
			/* checked when bound; the caller's memory may have changed since */
			if (label >= 0 && label < o->classes)
				y[k * o->classes + label] = 1;
		}
	}
}

/* -- samples that are made --------------------------------------------------------------------- */
/* The error of the first row stays, whichever thread found one first. */
static void note_failure(nc_making *m, int64_t row, const nacre_error *e)
{
	while (__atomic_exchange_n(&m->busy, 1, __ATOMIC_ACQUIRE))
		;
	if (!m->error.status || row < m->row) {
		m->error = *e;
		m->row = row;
	}
	__atomic_store_n(&m->busy, 0, __ATOMIC_RELEASE);
}

static void feed_made(const nc_batch *b, const nc_batch_column *o)
{
	const nc_column *c = o->column;
	for (;;) {
		int64_t row = __atomic_fetch_add(&b->making->next, 1, __ATOMIC_RELAXED);
		if (row >= b->rows)
			return;
		float *y = (float *)o->out + row * c->width;
		nacre_error e = {0};
		if (c->maker->make(c->maker, c->first + sample(b, row), y, &e)) {
			memset(y, 0, (size_t)c->width * sizeof *y);
			note_failure(b->making, row, &e);
			continue;
		}
		if (c->scale == 1 && c->offset == 0)
			continue;
		for (int64_t k = 0; k < c->width; k++)
			y[k] = y[k] * c->scale + c->offset;
	}
}

void nc_batch_assemble(const nc_batch *b, nc_team team)
{
	for (int i = 0; i < b->n; i++)
		if (b->column[i].column->maker)
			feed_made(b, &b->column[i]);
	int64_t begin = b->rows * team.tid / team.size, end = b->rows * (team.tid + 1) / team.size;
	if (begin == end)
		return;
	for (int i = 0; i < b->n; i++) {
		const nc_batch_column *o = &b->column[i];
		if (!o->column->width || o->column->maker)
			continue;
		if (o->feed == NC_FEED_F32)
			feed_f32(b, o, begin, end);
		else if (o->feed == NC_FEED_I32)
			feed_i32(b, o, begin, end);
		else
			feed_one_hot(b, o, begin, end);
	}
}
