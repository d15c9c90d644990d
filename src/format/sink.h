/* SPDX-License-Identifier: MIT
 *
 * sink.h - where a writer puts its bytes: a file (nc_writer), memory, or a checksum.
 *
 * Writers of formats produce their bytes front to back and know nothing of where they go.
 */
#ifndef NC_SINK_H
#define NC_SINK_H

#include "base/base.h"

typedef struct nc_sink {
	nacre_status (*write)(void *context, const void *data, size_t n); /* sets its own error */
	void *context;
} nc_sink;

/* Bytes in memory that grow; sticky like nc_text. */
typedef struct nc_buffer {
	nc_memory *memory;
	nacre_error *error;
	uint8_t *data;
	size_t size, capacity;
	bool failed;
} nc_buffer;

void nc_buffer_init(nc_buffer *b, nc_memory *m, nacre_error *e);
nacre_status nc_buffer_add(nc_buffer *b, const void *data, size_t n);
void nc_buffer_free(nc_buffer *b);

nc_sink nc_sink_buffer(nc_buffer *b);
nc_sink nc_sink_writer(nc_writer *w);

static inline nacre_status nc_put(const nc_sink *s, const void *data, size_t n)
{
	return n ? s->write(s->context, data, n) : NACRE_OK;
}

#endif
