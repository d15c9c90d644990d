/* SPDX-License-Identifier: MIT
 *
 * tfevents.h - TensorBoard's event files: records of protocol buffers, appended.
 *
 * A record: u64 length, u32 masked CRC-32C of these 8 bytes, the bytes, u32 masked CRC-32C of them.
 * Each holds one Event; the first of a file says "brain.Event:2".
 */
#ifndef NC_TFEVENTS_H
#define NC_TFEVENTS_H

#include "format/append.h"
#include "format/sink.h"

/* -- a small writer of protocol buffers: fields appended to a buffer, whose error is kept ------ */
void nc_proto_integer(nc_buffer *b, int field, uint64_t v);
void nc_proto_float(nc_buffer *b, int field, float v);
void nc_proto_double(nc_buffer *b, int field, double v);
void nc_proto_bytes(nc_buffer *b, int field, const void *data, size_t n);
void nc_proto_text(nc_buffer *b, int field, const char *s);
/* Adds a message that was written into a buffer of its own, and frees that. */
void nc_proto_message(nc_buffer *b, int field, nc_buffer *message);

/* -- events as records, appended to a buffer; wall: seconds since 1970 ------------------------- */
void nc_event_version(nc_buffer *out, double wall);
void nc_event_scalar(nc_buffer *out, double wall, int64_t step, const char *tag, float value);
/* 30 buckets of equal width over the finite values */
void nc_event_histogram(nc_buffer *out, double wall, int64_t step, const char *tag, int64_t n,
			const float *values);
/* graph: a GraphDef; freed */
void nc_event_graph(nc_buffer *out, double wall, nc_buffer *graph);

/* One node of a GraphDef: name, op, inputs, the shape of its output (-1: any) and a text. */
typedef struct nc_graph_node {
	const char *name, *op, *text; /* text: NULL for none */
	int n;
	const char *const *input;
	int rank;
	const int64_t *shape;
} nc_graph_node;
void nc_graph_add(nc_buffer *graph, const nc_graph_node *node);
void nc_graph_end(nc_buffer *graph);

/* -- a file ------------------------------------------------------------------------------------ */
typedef struct nc_tfevents {
	nc_appender file;
	nc_buffer out;  /* not written yet */
	double written; /* nc_now() of the last flush */
	nacre_error error;
} nc_tfevents;

/* A new file in a folder; its name is like no other's. */
nacre_status nc_tfevents_open(nc_tfevents *w, nc_memory *m, const char *folder, nacre_error *e);
nacre_status nc_tfevents_flush(nc_tfevents *w, nacre_error *e);
/* Flushes if that was last done 5 s ago. */
nacre_status nc_tfevents_tick(nc_tfevents *w, nacre_error *e);
nacre_status nc_tfevents_close(nc_tfevents *w, nacre_error *e);
double nc_wall(void); /* seconds since 1970 */

#endif
