/* SPDX-License-Identifier: MIT
 *
 * tfevents.c - TensorBoard's event files.  Numbers of fields are those of tensorboard's
 * event.proto, summary.proto, tensor.proto and graph.proto.
 */
#include "format/tfevents.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/crc.h"

/* -- protocol buffers -------------------------------------------------------------------------- */
static void put_varint(nc_buffer *b, uint64_t v)
{
	uint8_t bytes[10];
	size_t n = 0;
	do {
		bytes[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	} while (v);
	bytes[n - 1] &= 0x7f;
	nc_buffer_add(b, bytes, n);
}

static void put_little(nc_buffer *b, uint64_t v, size_t n)
{
	uint8_t bytes[8];
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(v >> 8 * i);
	nc_buffer_add(b, bytes, n);
}

enum { VARINT = 0, EIGHT = 1, BYTES = 2, FOUR = 5 };

static void put_tag(nc_buffer *b, int field, int kind)
{
	put_varint(b, (uint64_t)(field << 3 | kind));
}

static uint64_t double_bits(double x)
{
	uint64_t v;
	memcpy(&v, &x, sizeof v);
	return v;
}

static uint32_t float_bits(float x)
{
	uint32_t v;
	memcpy(&v, &x, sizeof v);
	return v;
}

void nc_proto_integer(nc_buffer *b, int field, uint64_t v)
{
	put_tag(b, field, VARINT);
	put_varint(b, v);
}

void nc_proto_float(nc_buffer *b, int field, float v)
{
	put_tag(b, field, FOUR);
	put_little(b, float_bits(v), 4);
}

void nc_proto_double(nc_buffer *b, int field, double v)
{
	put_tag(b, field, EIGHT);
	put_little(b, double_bits(v), 8);
}

void nc_proto_bytes(nc_buffer *b, int field, const void *data, size_t n)
{
	put_tag(b, field, BYTES);
	put_varint(b, n);
	nc_buffer_add(b, data, n);
}

void nc_proto_text(nc_buffer *b, int field, const char *s)
{
	nc_proto_bytes(b, field, s, strlen(s));
}

void nc_proto_message(nc_buffer *b, int field, nc_buffer *message)
{
	nc_proto_bytes(b, field, message->data, message->size);
	b->failed |= message->failed;
	nc_buffer_free(message);
}

static nc_buffer message_in(const nc_buffer *b)
{
	nc_buffer m;
	nc_buffer_init(&m, b->memory, b->error);
	return m;
}

/* -- records ----------------------------------------------------------------------------------- */
static uint32_t masked(const void *data, size_t n)
{
	uint32_t c = nc_crc32c(0, data, n);
	return (c >> 15 | c << 17) + 0xa282ead8u;
}

static void put_record(nc_buffer *out, nc_buffer *event)
{
	nc_buffer head = message_in(out);
	put_little(&head, event->size, 8);
	if (head.size == 8)
		put_little(&head, masked(head.data, 8), 4);
	nc_buffer_add(out, head.data, head.size);
	nc_buffer_add(out, event->data, event->size);
	put_little(out, masked(event->data, event->size), 4);
	out->failed |= head.failed | event->failed;
	nc_buffer_free(&head);
	nc_buffer_free(event);
}

/* Event: 1 wall_time, 2 step, 3 file_version, 4 graph_def, 5 summary */
static nc_buffer event_at(const nc_buffer *out, double wall, int64_t step)
{
	nc_buffer event = message_in(out);
	nc_proto_double(&event, 1, wall);
	if (step)
		nc_proto_integer(&event, 2, (uint64_t)step);
	return event;
}

void nc_event_version(nc_buffer *out, double wall)
{
	nc_buffer event = event_at(out, wall, 0);
	nc_proto_text(&event, 3, "brain.Event:2");
	put_record(out, &event);
}

/* Summary: 1 value: 1 tag, 9 metadata { 1 plugin_data { 1 name }, 4 data_class }, 8 tensor */
static void put_summary(nc_buffer *out, double wall, int64_t step, const char *tag,
			const char *plugin, uint64_t class, nc_buffer *tensor)
{
	nc_buffer event = event_at(out, wall, step), summary = message_in(out),
		  value = message_in(out), metadata = message_in(out), data = message_in(out);
	nc_proto_text(&data, 1, plugin);
	nc_proto_message(&metadata, 1, &data);
	nc_proto_integer(&metadata, 4, class);
	nc_proto_text(&value, 1, tag);
	nc_proto_message(&value, 9, &metadata);
	nc_proto_message(&value, 8, tensor);
	nc_proto_message(&summary, 1, &value);
	nc_proto_message(&event, 5, &summary);
	put_record(out, &event);
}

/* TensorProto: 1 dtype (1 float, 2 double), 2 shape { 2 dim { 1 size } }, 4 content, 5 float_val */
enum { FLOAT = 1, DOUBLE = 2, SCALAR_CLASS = 1, TENSOR_CLASS = 2, BUCKETS = 30 };

static void put_shape(nc_buffer *b, int field, int rank, const int64_t *shape)
{
	nc_buffer s = message_in(b);
	for (int i = 0; i < rank; i++) {
		nc_buffer dim = message_in(b);
		nc_proto_integer(&dim, 1, (uint64_t)shape[i]);
		nc_proto_message(&s, 2, &dim);
	}
	nc_proto_message(b, field, &s);
}

void nc_event_scalar(nc_buffer *out, double wall, int64_t step, const char *tag, float value)
{
	nc_buffer tensor = message_in(out), packed = message_in(out);
	put_little(&packed, float_bits(value), 4);
	nc_proto_integer(&tensor, 1, FLOAT);
	put_shape(&tensor, 2, 0, NULL);
	nc_proto_message(&tensor, 5, &packed);
	put_summary(out, wall, step, tag, "scalars", SCALAR_CLASS, &tensor);
}

/* [k, 3]: left, right, count.  Values that are all the same make one bucket around them. */
static int fill_buckets(int64_t n, const float *x, double bucket[BUCKETS][3])
{
	double low = INFINITY, high = -INFINITY;
	int64_t finite = 0;
	for (int64_t i = 0; i < n; i++)
		if (isfinite(x[i])) {
			low = fmin(low, (double)x[i]);
			high = fmax(high, (double)x[i]);
			finite++;
		}
	if (!finite)
		return 0;
	if (low == high) {
		bucket[0][0] = low - 0.5;
		bucket[0][1] = low + 0.5;
		bucket[0][2] = (double)finite;
		return 1;
	}
	double width = (high - low) / BUCKETS;
	for (int k = 0; k < BUCKETS; k++) {
		bucket[k][0] = low + k * width;
		bucket[k][1] = k + 1 < BUCKETS ? low + (k + 1) * width : high;
		bucket[k][2] = 0;
	}
	for (int64_t i = 0; i < n; i++)
		if (isfinite(x[i])) {
			int k = (int)(((double)x[i] - low) / width);
			bucket[k < BUCKETS ? k : BUCKETS - 1][2]++;
		}
	return BUCKETS;
}

void nc_event_histogram(nc_buffer *out, double wall, int64_t step, const char *tag, int64_t n,
			const float *values)
{
	double bucket[BUCKETS][3];
	int k = fill_buckets(n, values, bucket);
	nc_buffer tensor = message_in(out), content = message_in(out);
	for (int i = 0; i < k; i++)
		for (int j = 0; j < 3; j++)
			put_little(&content, double_bits(bucket[i][j]), 8);
	nc_proto_integer(&tensor, 1, DOUBLE);
	put_shape(&tensor, 2, 2, (int64_t[]){k, 3});
	nc_proto_message(&tensor, 4, &content);
	put_summary(out, wall, step, tag, "histograms", TENSOR_CLASS, &tensor);
}

/* -- graphs ------------------------------------------------------------------------------------ */
/* entry 5 of a node's map of attributes: 1 key, 2 value */
static void put_attribute(nc_buffer *node, const char *key, nc_buffer *value)
{
	nc_buffer entry = message_in(node);
	nc_proto_text(&entry, 1, key);
	nc_proto_message(&entry, 2, value);
	nc_proto_message(node, 5, &entry);
}

/* NodeDef: 1 name, 2 op, 3 input; AttrValue: 1 list { 7 shape }, 2 string */
void nc_graph_add(nc_buffer *graph, const nc_graph_node *a)
{
	nc_buffer node = message_in(graph), list = message_in(graph), shapes = message_in(graph);
	nc_proto_text(&node, 1, a->name);
	nc_proto_text(&node, 2, a->op);
	for (int i = 0; i < a->n; i++)
		nc_proto_text(&node, 3, a->input[i]);
	put_shape(&shapes, 7, a->rank, a->shape);
	nc_proto_message(&list, 1, &shapes);
	put_attribute(&node, "_output_shapes", &list);
	if (a->text) {
		nc_buffer text = message_in(graph);
		nc_proto_text(&text, 2, a->text);
		put_attribute(&node, "layer", &text);
	}
	nc_proto_message(graph, 1, &node);
}

/* GraphDef: 1 node, 4 versions { 1 producer } */
void nc_graph_end(nc_buffer *graph)
{
	nc_buffer versions = message_in(graph);
	nc_proto_integer(&versions, 1, 1);
	nc_proto_message(graph, 4, &versions);
}

void nc_event_graph(nc_buffer *out, double wall, nc_buffer *graph)
{
	nc_buffer event = event_at(out, wall, 0);
	nc_proto_message(&event, 4, graph);
	put_record(out, &event);
}

/* -- a file ------------------------------------------------------------------------------------ */
double nc_wall(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

nacre_status nc_tfevents_open(nc_tfevents *w, nc_memory *m, const char *folder, nacre_error *e)
{
	char host[65] = "", path[1000];
	bool exists = true;
	*w = (nc_tfevents){.file.fd = -1};
	nc_buffer_init(&w->out, m, &w->error);
	if (gethostname(host, sizeof host - 1) || !host[0])
		memcpy(host, "localhost", 10);
	double wall = nc_wall();
	for (int i = 0; exists && i < 1000; i++) {
		int n = snprintf(path, sizeof path, "%s/events.out.tfevents.%010lld.%s.%ld.%d",
				 folder, (long long)wall, host, (long)getpid(), i);
		if (n < 0 || (size_t)n >= sizeof path)
			return nc_fail(e, NACRE_INVALID, "%.300s...: too long a path", folder);
		if (nc_append_open(&w->file, path, NC_APPEND_NEW, &exists, e))
			return e ? e->status : NACRE_IO;
	}
	if (exists)
		return nc_fail(e, NACRE_IO, "%.300s: there is a file of that name", path);
	nc_event_version(&w->out, wall);
	return nc_tfevents_flush(w, e);
}

nacre_status nc_tfevents_flush(nc_tfevents *w, nacre_error *e)
{
	if (w->out.failed)
		return nc_no_memory(e, w->out.size);
	nacre_status s = nc_append(&w->file, w->out.data, w->out.size, e);
	w->out.size = 0;
	w->written = nc_now();
	return s;
}

nacre_status nc_tfevents_tick(nc_tfevents *w, nacre_error *e)
{
	return nc_now() - w->written < 5 ? NACRE_OK : nc_tfevents_flush(w, e);
}

nacre_status nc_tfevents_close(nc_tfevents *w, nacre_error *e)
{
	nacre_status s = w->file.fd >= 0 && w->out.size ? nc_tfevents_flush(w, e) : NACRE_OK;
	nc_buffer_free(&w->out);
	nacre_status c = nc_append_close(&w->file, e);
	return s ? s : c;
}
