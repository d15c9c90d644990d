/* SPDX-License-Identifier: MIT
 *
 * sink.c - bytes into memory, or into a file that is being replaced.
 */
#include "format/sink.h"

#include <string.h>

void nc_buffer_init(nc_buffer *b, nc_memory *m, nacre_error *e)
{
	*b = (nc_buffer){.memory = m, .error = e};
}

static bool reserve(nc_buffer *b, size_t n)
{
	size_t need, capacity = b->capacity < 1024 ? 1024 : b->capacity;
	if (!nc_add(b->size, n, &need))
		return false;
	if (need <= b->capacity)
		return true;
	while (capacity < need)
		if (!nc_mul(capacity, 2, &capacity))
			return false;
	uint8_t *data = nc_realloc(b->memory, b->data, b->capacity, capacity);
	if (!data)
		return false;
	b->data = data;
	b->capacity = capacity;
	return true;
}

nacre_status nc_buffer_add(nc_buffer *b, const void *data, size_t n)
{
	if (b->failed)
		return NACRE_NO_MEMORY;
	if (!reserve(b, n)) {
		b->failed = true;
		return nc_no_memory(b->error, n);
	}
	if (n)
		memcpy(b->data + b->size, data, n);
	b->size += n;
	return NACRE_OK;
}

void nc_buffer_free(nc_buffer *b)
{
	nc_free(b->memory, b->data, b->capacity);
	nc_buffer_init(b, b->memory, b->error);
}

static nacre_status to_buffer(void *context, const void *data, size_t n)
{
	return nc_buffer_add(context, data, n);
}

static nacre_status to_writer(void *context, const void *data, size_t n)
{
	return nc_writer_write(context, data, n);
}

nc_sink nc_sink_buffer(nc_buffer *b)
{
	return (nc_sink){to_buffer, b};
}

nc_sink nc_sink_writer(nc_writer *w)
{
	return (nc_sink){to_writer, w};
}
