/* SPDX-License-Identifier: MIT
 *
 * text.c - text that grows, shapes as text, and the checked size of a shape.
 */
#include <stdio.h>
#include <string.h>

#include "base/base.h"

void nc_text_init(nc_text *t, nc_memory *m)
{
	memset(t, 0, sizeof *t);
	t->memory = m;
}

/* room for n more bytes and the terminator */
static bool reserve(nc_text *t, size_t n)
{
	size_t need;
	if (!nc_add(t->size, n, &need) || !nc_add(need, 1, &need))
		return false;
	if (need <= t->capacity)
		return true;
	size_t capacity = t->capacity < 128 ? 128 : t->capacity;
	while (capacity < need)
		if (!nc_mul(capacity, 2, &capacity))
			return false;
	char *data = nc_realloc(t->memory, t->data, t->capacity, capacity);
	if (!data)
		return false;
	t->data = data;
	t->capacity = capacity;
	return true;
}

void nc_text_add(nc_text *t, const char *format, ...)
{
	if (t->failed)
		return;
	va_list args;
	va_start(args, format);
	char small[256];
	va_list again;
	va_copy(again, args);
	int n = vsnprintf(small, sizeof small, format, args);
	if (n < 0 || !reserve(t, (size_t)n))
		t->failed = true;
	else if ((size_t)n < sizeof small)
		memcpy(t->data + t->size, small, (size_t)n + 1);
	else
		vsnprintf(t->data + t->size, (size_t)n + 1, format, again);
	if (!t->failed)
		t->size += (size_t)n;
	va_end(again);
	va_end(args);
}

void nc_text_free(nc_text *t)
{
	nc_free(t->memory, t->data, t->capacity);
	nc_text_init(t, t->memory);
}

const char *nc_shape_text(char *buffer, int rank, const int64_t *shape)
{
	enum { SIZE = 128, TAIL = 6 }; /* TAIL: ", ...]" */
	size_t n = 0;
	buffer[n++] = '[';
	for (int i = 0; i < rank; i++) {
		char item[24] = "None";
		if (!shape)
			snprintf(item, sizeof item, "?");
		else if (shape[i] != -1)
			snprintf(item, sizeof item, "%lld", (long long)shape[i]);
		size_t length = strlen(item) + (i ? 2 : 0);
		if (n + length + TAIL >= SIZE) {
			n += (size_t)snprintf(buffer + n, SIZE - n, "%s...", i ? ", " : "");
			break;
		}
		n += (size_t)snprintf(buffer + n, SIZE - n, "%s%s", i ? ", " : "", item);
	}
	buffer[n++] = ']';
	buffer[n] = 0;
	return buffer;
}

bool nc_shape_size(int rank, const int64_t *shape, int64_t *out)
{
	/* A size of 0 makes the product 0, but may not hide an overflow of the others: strides
	 * are products of them. */
	int64_t n = 1, nonzero = 1;
	for (int i = 0; i < rank; i++) {
		if (shape[i] < 0)
			return false;
		if (!nc_mul_i64(nonzero, shape[i] ? shape[i] : 1, &nonzero))
			return false;
		n = shape[i] ? n : 0;
	}
	*out = n ? nonzero : 0;
	return true;
}
