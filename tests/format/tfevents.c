/* SPDX-License-Identifier: MIT
 *
 * tfevents.c - the checksum, records whose bytes are known, histograms, files.
 */
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc.h"
#include "format/load.h"
#include "format/tfevents.h"
#include "test.h"

TEST(checksum)
{
	CHECK(nc_crc32c(0, "123456789", 9) == 0xe3069283u);
	CHECK(nc_crc32c(0, "", 0) == 0);
	uint8_t bytes[10000], zeros[32] = {0};
	CHECK(nc_crc32c(0, zeros, 32) == 0x8a9136aau);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)test_random();
	/* many at once, and in pieces, which go another way */
	uint32_t whole = nc_crc32c(0, bytes, sizeof bytes), pieces = 0;
	for (size_t i = 0, n; i < sizeof bytes; i += n) {
		n = test_random() % 700;
		n = n < sizeof bytes - i ? n : sizeof bytes - i;
		pieces = nc_crc32c(pieces, bytes + i, n);
	}
	CHECK(whole == pieces);
	for (size_t k = 4090; k < 4110; k++)
		CHECK(nc_crc32c(nc_crc32c(0, bytes, 5), bytes + 5, k) ==
		      nc_crc32c(nc_crc32c(0, bytes, k), bytes + k, 5));
}

static void check_hex(const nc_buffer *b, const char *want)
{
	char hex[1000] = "";
	for (size_t i = 0; i < b->size && i < 450; i++)
		snprintf(hex + 2 * i, 3, "%02x", b->data[i]);
	CHECK(!b->failed);
	CHECK_STR(hex, want);
}

TEST(known_records)
{
	nc_memory m;
	nacre_error e = {0};
	nc_buffer b, event, summary, value;
	nc_memory_init(&m, NULL);
	nc_buffer_init(&b, &m, &e);
	nc_event_version(&b, 1.0);
	check_hex(&b, "1800000000000000a37f4b2209000000000000f03f1a0d627261696e2e4576656e743a3286bf"
		      "577a");
	b.size = 0;
	nc_event_scalar(&b, 2.0, 7, "loss", 0.5f);
	check_hex(&b, "300000000000000095f5d05f09000000000000004010072a230a210a046c6f73734a0d0a090a"
		      "077363616c6172732001420a080112002a040000003f61d85010");
	/* the writer of fields alone: the event of an old scalar */
	nc_buffer_init(&event, &m, &e);
	nc_buffer_init(&summary, &m, &e);
	nc_buffer_init(&value, &m, &e);
	nc_proto_double(&event, 1, 2.0);
	nc_proto_integer(&event, 2, 7);
	nc_proto_text(&value, 1, "loss");
	nc_proto_float(&value, 2, 0.5f);
	nc_proto_message(&summary, 1, &value);
	nc_proto_message(&event, 5, &summary);
	check_hex(&event, "09000000000000004010072a0d0a0b0a046c6f7373150000003f");
	event.size = 0;
	nc_proto_integer(&event, 1, 300); /* of more than one byte, up to ten */
	nc_proto_integer(&event, 16, UINT64_MAX);
	check_hex(&event, "08ac028001ffffffffffffffffff01");
	nc_buffer_free(&b);
	nc_buffer_free(&event);
	CHECK_EQ(m.bytes, 0);
}

/* -- reading back, as far as these tests need it -- */
typedef struct reader {
	const uint8_t *p, *end;
} reader;

static uint64_t varint(reader *r)
{
	uint64_t v = 0;
	for (int shift = 0; r->p < r->end && shift < 64; shift += 7) {
		v |= (uint64_t)(*r->p & 127) << shift;
		if (!(*r->p++ & 128))
			return v;
	}
	test_failed(__FILE__, __LINE__, "a varint has no end");
	return 0;
}

/* The message of that field (the k-th of them); empty if there is none. */
static reader find(reader r, int field, int k)
{
	while (r.p < r.end) {
		uint64_t tag = varint(&r);
		size_t n = (tag & 7) == 1 ? 8 : (tag & 7) == 5 ? 4 : 0;
		const uint8_t *at = r.p;
		if ((tag & 7) == 2) {
			n = (size_t)varint(&r);
			at = r.p;
		} else if ((tag & 7) == 0) {
			varint(&r);
			n = (size_t)(r.p - at);
			r.p = at;
		}
		CHECK(n <= (size_t)(r.end - r.p));
		r.p += n;
		if ((int)(tag >> 3) == field && k-- == 0)
			return (reader){at, at + n};
	}
	return (reader){r.end, r.end};
}

/* The event of the next record; false: the end. */
static bool next(reader *r, reader *event)
{
	if (r->p == r->end)
		return false;
	CHECK(r->end - r->p >= 16);
	uint64_t n = nc_little64(r->p);
	for (int k = 0; k < 2; k++) {
		const uint8_t *of = k ? r->p + 12 : r->p, *sum = k ? r->p + 12 + n : r->p + 8;
		uint32_t c = nc_crc32c(0, of, k ? (size_t)n : 8);
		c = (c >> 15 | c << 17) + 0xa282ead8u;
		CHECK(memcmp(sum,
			     (uint8_t[]){(uint8_t)c, (uint8_t)(c >> 8), (uint8_t)(c >> 16),
					 (uint8_t)(c >> 24)},
			     4) == 0);
	}
	*event = (reader){r->p + 12, r->p + 12 + n};
	r->p += 16 + n;
	return true;
}

static double number(const uint8_t *p)
{
	uint64_t v = nc_little64(p);
	double x;
	memcpy(&x, &v, sizeof x);
	return x;
}

static void check_histogram(int n, const float *x, int buckets, const double (*want)[3])
{
	nc_memory m;
	nacre_error e = {0};
	nc_buffer b;
	reader all, event;
	nc_memory_init(&m, NULL);
	nc_buffer_init(&b, &m, &e);
	nc_event_histogram(&b, 1, 5, "w", n, x);
	all = (reader){b.data, b.data + b.size};
	CHECK(next(&all, &event));
	reader value = find(find(event, 5, 0), 1, 0), tensor = find(value, 8, 0);
	reader shape = find(tensor, 2, 0), content = find(tensor, 4, 0);
	reader rows = find(find(shape, 2, 0), 1, 0), columns = find(find(shape, 2, 1), 1, 0);
	CHECK_EQ(varint(&rows), buckets);
	CHECK_EQ(varint(&columns), 3);
	CHECK_EQ(content.end - content.p, 24 * buckets);
	for (int i = 0; i < buckets && content.end - content.p == 24 * buckets; i++)
		for (int j = 0; j < 3; j++)
			CHECK_NEAR(number(content.p + 24 * i + 8 * j), want[i][j], 1e-12);
	nc_buffer_free(&b);
}

TEST(histogram)
{
	double want[30][3];
	for (int i = 0; i < 30; i++) {
		want[i][0] = -1 + 0.1 * i;
		want[i][1] = -1 + 0.1 * (i + 1);
		want[i][2] = 0;
	}
	want[0][2] = 2;
	want[15][2] = 1;
	want[29][2] = 2; /* the largest is in the last */
	float x[] = {-1, -0.95f, 0.55f, 2, 1.95f, NAN, INFINITY};
	check_histogram(7, x, 30, want);
	check_histogram(2, (float[]){3, 3}, 1, (const double[][3]){{2.5, 3.5, 2}});
	check_histogram(1, (float[]){NAN}, 0, NULL);
	check_histogram(0, NULL, 0, NULL);
}

TEST(graph)
{
	nc_memory m;
	nacre_error e = {0};
	nc_buffer b, g;
	nc_memory_init(&m, NULL);
	nc_buffer_init(&b, &m, &e);
	nc_buffer_init(&g, &m, &e);
	nc_graph_add(&g,
		     &(nc_graph_node){
			 .name = "x", .op = "InputLayer", .rank = 2, .shape = (int64_t[]){-1, 4}});
	nc_graph_add(&g, &(nc_graph_node){.name = "y",
					  .op = "Dense",
					  .text = "Dense(units=2)",
					  .n = 1,
					  .input = (const char *[]){"x"}});
	nc_graph_end(&g);
	nc_event_graph(&b, 1, &g);
	reader all = {b.data, b.data + b.size}, event;
	CHECK(next(&all, &event));
	reader graph = find(event, 4, 0), y = find(graph, 1, 1);
	CHECK(memcmp(find(y, 1, 0).p, "y", 1) == 0);
	CHECK(memcmp(find(y, 2, 0).p, "Dense", 5) == 0);
	CHECK(memcmp(find(y, 3, 0).p, "x", 1) == 0);
	reader text = find(find(find(y, 5, 1), 2, 0), 2, 0);
	CHECK(text.end - text.p == 14 && memcmp(text.p, "Dense(units=2)", 14) == 0);
	reader shape = find(find(find(find(find(graph, 1, 0), 5, 0), 2, 0), 1, 0), 7, 0);
	reader none = find(find(shape, 2, 0), 1, 0), four = find(find(shape, 2, 1), 1, 0);
	CHECK(varint(&none) == UINT64_MAX); /* -1 */
	CHECK_EQ(varint(&four), 4);
	nc_buffer_free(&b);
	CHECK_EQ(m.bytes, 0);
}

TEST(files)
{
	char folder[100], path[400];
	nc_memory m;
	nacre_error e = {0};
	nc_tfevents a, b;
	nc_memory_init(&m, NULL);
	snprintf(folder, sizeof folder, "/tmp/nacre-events-%d", (int)getpid());
	CHECK(nc_tfevents_open(&a, &m, folder, &e) == NACRE_IO); /* no such folder */
	nc_tfevents_close(&a, NULL);
	e = (nacre_error){0};
	CHECK_EQ(mkdir(folder, 0777), 0);
	CHECK_EQ(nc_tfevents_open(&a, &m, folder, &e), NACRE_OK);
	CHECK_EQ(nc_tfevents_open(&b, &m, folder, &e), NACRE_OK); /* in the same second */
	for (int i = 0; i < 100; i++)
		nc_event_scalar(&a.out, nc_wall(), i, "loss", (float)i);
	CHECK_EQ(nc_tfevents_flush(&a, &e), NACRE_OK);
	nc_event_scalar(&a.out, nc_wall(), 100, "loss", 100);
	CHECK_EQ(nc_tfevents_close(&a, &e), NACRE_OK);
	CHECK_EQ(nc_tfevents_close(&b, &e), NACRE_OK);
	int files = 0, most = 0;
	DIR *d = opendir(folder);
	for (struct dirent *f; d && (f = readdir(d));) {
		nc_bytes bytes;
		reader all, event;
		int n = 0;
		if (f->d_name[0] == '.')
			continue;
		CHECK(strncmp(f->d_name, "events.out.tfevents.", 20) == 0);
		snprintf(path, sizeof path, "%s/%.250s", folder, f->d_name);
		CHECK_EQ(nc_file_read(&m, path, 0, &bytes, &e), NACRE_OK);
		for (all = (reader){bytes.data, bytes.data + bytes.size}; next(&all, &event);)
			n++;
		nc_bytes_free(&m, &bytes);
		most = n > most ? n : most;
		files++;
		unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(folder);
	CHECK_EQ(files, 2);
	CHECK_EQ(most, 102);
	CHECK_EQ(m.bytes, 0);
	CHECK_STR(e.text, "");
}
