/* SPDX-License-Identifier: MIT
 *
 * hdf5_object.c - object headers: their messages, and the group or data set that these make.
 */
#include <string.h>

#include "format/hdf5_read.h"
#include "format/load.h"

enum {
	NIL = 0x00,
	DATASPACE = 0x01,
	LINK_INFO = 0x02,
	DATATYPE = 0x03,
	OLD_FILL = 0x04,
	FILL = 0x05,
	LINK = 0x06,
	EXTERNAL = 0x07,
	LAYOUT = 0x08,
	GROUP_INFO = 0x0a,
	FILTERS = 0x0b,
	ATTRIBUTE = 0x0c,
	CONTINUATION = 0x10,
	SYMBOL_TABLE = 0x11,
	ATTRIBUTE_INFO = 0x15,
	MESSAGES = 0x18, /* those after are unknown */
	FLAG_SHARED = 2, /* the message is an address of the true one */
	FLAG_MUST_KNOW = 0x80
};

/* A block of messages. */
typedef struct block {
	nc_cursor cursor;
	struct block *next;
} block;

typedef struct parts {
	nc_hdf5_object *object;
	nc_cursor one[MESSAGES]; /* of the kinds that an object has once */
	uint32_t has;            /* bits: which of them there are */
	bool shared_type;
	nc_h5_links links;
	nc_hdf5_attribute **last; /* where the next goes */
	size_t attributes, messages;
	block *tail;
} parts;

static bool has(const parts *p, int type)
{
	return p->has >> type & 1;
}

static bool add_attribute(nc_h5 *h, parts *p, nc_cursor c)
{
	nc_hdf5_attribute *a = nc_h5_take(h, sizeof *a);
	if (!a || !nc_h5_attribute(h, c, a))
		return false;
	*p->last = a;
	p->last = &a->next;
	p->attributes++;
	return true;
}

static bool add_dense_attribute(nc_h5 *h, void *context, nc_cursor c)
{
	return add_attribute(h, context, c);
}

static bool add_dense_link(nc_h5 *h, void *context, nc_cursor c)
{
	parts *p = context;
	return nc_h5_link(h, p->object, &p->links, c);
}

/* version 1 has blocks of bare messages, version 2 with a magic in front and a checksum behind */
static bool add_block(nc_h5 *h, parts *p, nc_cursor where, int version)
{
	uint64_t at = nc_cursor_u(&where, 8), n = nc_cursor_u(&where, 8);
	nc_cursor c = nc_cursor_claim(h, at, n, "object header continuation");
	if (version == 2 && nc_cursor_magic(&c, "OCHK")) {
		if (nc_cursor_left(&c) < 4)
			return nc_h5_wrong(h, at, "object header continuation of %llu bytes",
					   (unsigned long long)n);
		nc_h5_checksum(h, at, at + n, "object header continuation");
		c.end -= 4;
	}
	block *b = nc_h5_take(h, sizeof *b);
	if (!b)
		return false;
	b->cursor = c;
	p->tail = p->tail->next = b;
	return true;
}

static bool message(nc_h5 *h, parts *p, int version, int type, unsigned flags, nc_cursor c)
{
	p->messages++;
	if (flags & FLAG_SHARED && type == DATATYPE)
		p->shared_type = true;
	else if (flags & FLAG_SHARED && type != NIL)
		return nc_h5_refuse(h, c.at, "object header: a shared message of type 0x%02x",
				    type);
	switch (type) {
	case CONTINUATION:
		return add_block(h, p, c, version);
	case ATTRIBUTE:
		return add_attribute(h, p, c);
	case LINK:
		p->has |= 1u << LINK;
		return nc_h5_link(h, p->object, &p->links, c);
	case EXTERNAL:
		return nc_h5_refuse(h, c.at, "a data set in another file");
	case DATASPACE:
	case LINK_INFO:
	case DATATYPE:
	case OLD_FILL:
	case FILL:
	case LAYOUT:
	case GROUP_INFO:
	case FILTERS:
	case SYMBOL_TABLE:
	case ATTRIBUTE_INFO:
		if (has(p, type))
			return nc_h5_wrong(h, c.at,
					   "object header: a second message of type 0x%02x", type);
		p->has |= 1u << type;
		p->one[type] = c;
		return true;
	default:
		if (type >= MESSAGES && flags & FLAG_MUST_KNOW)
			return nc_h5_refuse(h, c.at,
					    "object header: a message of type 0x%02x that must be "
					    "understood",
					    type);
		return true;
	}
}

/* -- the two kinds of headers */
static bool header1(nc_h5 *h, parts *p, uint64_t at)
{
	nc_cursor c = nc_cursor_claim(h, at, 16, "object header");
	nc_cursor_version(&c, 1);
	nc_cursor_bytes(&c, 1);
	size_t count = nc_cursor_u(&c, 2);
	nc_cursor_bytes(&c, 4); /* number of links to it */
	block first = {.cursor = nc_cursor_claim(h, at + 16, nc_cursor_u(&c, 4), "object header")};
	p->tail = &first;
	for (block *b = &first; b && !h->failed; b = b->next)
		while (nc_cursor_left(&b->cursor) && !h->failed) {
			int type = (int)nc_cursor_u(&b->cursor, 2);
			uint64_t n = nc_cursor_u(&b->cursor, 2);
			unsigned flags = (unsigned)nc_cursor_u(&b->cursor, 1);
			nc_cursor_bytes(&b->cursor, 3);
			message(h, p, 1, type, flags, nc_cursor_part(&b->cursor, n));
		}
	if (!h->failed && p->messages != count)
		nc_h5_wrong(h, at + 2, "object header: expected %zu messages, got %zu", count,
			    p->messages);
	return !h->failed;
}

static bool header2(nc_h5 *h, parts *p, uint64_t at)
{
	enum { TIMES = 0x20, LIMITS = 0x10, ORDER = 4 };
	nc_cursor c = nc_cursor_look(h, at, 6, "object header");
	nc_cursor_magic(&c, "OHDR");
	nc_cursor_version(&c, 2);
	unsigned flags = (unsigned)nc_cursor_u(&c, 1), width = 1u << (flags & 3);
	uint64_t prefix = 6u + (flags & TIMES ? 16 : 0) + (flags & LIMITS ? 4 : 0);
	c = nc_cursor_look(h, at + prefix, width, "object header");
	uint64_t n = nc_cursor_u(&c, width);
	if (h->failed || n > h->size)
		return nc_h5_wrong(h, at + prefix, "object header of %llu bytes",
				   (unsigned long long)n);
	block first = {.cursor = nc_cursor_claim(h, at, prefix + width + n + 4, "object header")};
	nc_cursor_bytes(&first.cursor, prefix + width);
	if (h->failed || !nc_h5_checksum(h, at, first.cursor.end, "object header"))
		return false;
	first.cursor.end -= 4;
	p->tail = &first;
	unsigned head = flags & ORDER ? 6 : 4;
	for (block *b = &first; b && !h->failed; b = b->next)
		/* a rest that is too small for a message is a gap */
		while (nc_cursor_left(&b->cursor) >= head && !h->failed) {
			int type = (int)nc_cursor_u(&b->cursor, 1);
			uint64_t size = nc_cursor_u(&b->cursor, 2);
			unsigned bits = (unsigned)nc_cursor_u(&b->cursor, 1);
			nc_cursor_bytes(&b->cursor, head - 4);
			message(h, p, 2, type, bits, nc_cursor_part(&b->cursor, size));
		}
	return !h->failed;
}

/* -- what the messages make */
/* Where links or attributes are when they are not in the header: heap and index, if anywhere. */
static bool dense(nc_h5 *h, nc_cursor c, unsigned order_bytes, uint64_t *heap, uint64_t *tree)
{
	c.what = "place of links or attributes";
	nc_cursor_version(&c, 0);
	if (nc_cursor_u(&c, 1) & 1)
		nc_cursor_bytes(&c, order_bytes);
	*heap = nc_cursor_u(&c, 8);
	*tree = nc_cursor_u(&c, 8);
	return !h->failed && *heap != NC_H5_UNDEFINED;
}

static bool make_group(nc_h5 *h, parts *p)
{
	uint64_t tree, heap;
	if (has(p, SYMBOL_TABLE)) {
		nc_cursor c = p->one[SYMBOL_TABLE];
		tree = nc_cursor_u(&c, 8);
		heap = nc_cursor_u(&c, 8);
		if (h->failed || !nc_h5_symbol_table(h, p->object, &p->links, tree, heap))
			return false;
	}
	if (has(p, LINK_INFO) && dense(h, p->one[LINK_INFO], 8, &heap, &tree) &&
	    !nc_h5_dense(h, heap, tree, 5, add_dense_link, p))
		return false;
	return !h->failed && nc_h5_children(h, p->object, &p->links);
}

static bool read_fill(nc_h5 *h, parts *p)
{
	bool defined = true;
	nc_cursor c = has(p, FILL) ? p->one[FILL] : p->one[OLD_FILL];
	uint64_t at = c.at;
	c.what = "fill value";
	if (has(p, FILL)) {
		uint64_t version = nc_cursor_u(&c, 1);
		if (version == 3) {
			defined = nc_cursor_u(&c, 1) & 0x20;
		} else if (version == 1 || version == 2) {
			nc_cursor_bytes(&c, 2);
			defined = nc_cursor_u(&c, 1) || version == 1;
		} else if (!h->failed) {
			return nc_h5_refuse(h, at, "fill value: version %llu, expected 1 to 3",
					    (unsigned long long)version);
		}
	} else if (!has(p, OLD_FILL)) {
		return true;
	}
	uint64_t n = defined ? nc_cursor_u(&c, 4) : 0;
	if (h->failed || !n || n == UINT32_MAX)
		return !h->failed;
	if (n != p->object->type.size)
		return nc_h5_wrong(h, at, "a fill value of %llu bytes for elements of %u",
				   (unsigned long long)n, p->object->type.size);
	p->object->fill = nc_cursor_bytes(&c, n);
	return p->object->fill;
}

/* Keras stores bfloat16, which HDF5 did not know, as two opaque bytes and says so beside it. */
static void find_bfloat16(nc_hdf5 *f, nc_hdf5_object *o)
{
	static const char name[] = "bfloat16";
	const nc_hdf5_attribute *a = nc_hdf5_attribute_find(o, "dtype");
	const char *text;
	size_t n;
	if (o->type.kind != NC_HDF5_OPAQUE || o->type.size != 2 || !a)
		return;
	if (nc_hdf5_string(f, a, 0, &text, &n, NULL) || n != sizeof name - 1 ||
	    memcmp(text, name, n))
		return;
	o->type.refused = NULL;
	o->type.native = NACRE_BF16;
	o->type.direct = true;
}

static bool make_data_set(nc_h5 *h, parts *p)
{
	nc_hdf5_object *o = p->object;
	int64_t bytes;
	if (!has(p, DATASPACE) || !has(p, DATATYPE))
		return nc_h5_wrong(h, o->header, "a data set without a %s",
				   has(p, DATATYPE) ? "data space" : "data type");
	if (p->shared_type) {
		/* its size is unknown, so nothing else can be checked */
		nc_h5_refused(&o->type, "a committed data type");
		o->type.native = -1;
		return nc_h5_dataspace(h, &p->one[DATASPACE], &o->type);
	}
	if (!nc_h5_datatype(h, &p->one[DATATYPE], &o->type) ||
	    !nc_h5_dataspace(h, &p->one[DATASPACE], &o->type))
		return false;
	if (!nc_mul_i64(o->type.count, o->type.size, &bytes))
		return nc_h5_wrong(h, o->header, "a data set whose size overflows");
	o->size = (size_t)bytes;
	if (has(p, FILTERS) && !nc_h5_filters(h, o, p->one[FILTERS]))
		return false;
	if (!read_fill(h, p) || !nc_h5_layout(h, o, p->one[LAYOUT]))
		return false;
	find_bfloat16(h->file, o);
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const nc_hdf5_attribute *)a)->name, ((const nc_hdf5_attribute *)b)->name);
}

static bool check_attributes(nc_h5 *h, const parts *p)
{
	if (p->attributes < 2)
		return true;
	void **sorted = nc_h5_take(h, p->attributes * sizeof *sorted);
	if (!sorted)
		return false;
	size_t n = 0;
	for (nc_hdf5_attribute *a = p->object->attribute; a; a = a->next)
		sorted[n++] = a;
	nc_sort(sorted, n, by_name);
	for (size_t i = 1; i < n; i++)
		if (!by_name(sorted[i - 1], sorted[i])) {
			const nc_hdf5_attribute *a = sorted[i];
			return nc_h5_wrong(h, p->object->header, "the attribute %s occurs twice",
					   nc_quote(a->name, strlen(a->name)).text);
		}
	return true;
}

bool nc_h5_object(nc_h5 *h, nc_hdf5_object *o)
{
	parts p = {.object = o, .last = &o->attribute};
	nc_cursor c = nc_cursor_look(h, o->header, 1, "object header");
	uint64_t first = nc_cursor_u(&c, 1), heap, tree;
	if (h->failed || !(first == 'O' ? header2 : header1)(h, &p, o->header))
		return false;
	if (has(&p, ATTRIBUTE_INFO) && dense(h, p.one[ATTRIBUTE_INFO], 2, &heap, &tree))
		nc_h5_dense(h, heap, tree, 8, add_dense_attribute, &p);
	if (h->failed || !check_attributes(h, &p))
		return false;
	bool group = has(&p, SYMBOL_TABLE) || has(&p, LINK_INFO) || has(&p, LINK);
	if (group && has(&p, LAYOUT))
		return nc_h5_wrong(h, o->header, "an object that is both group and data set");
	if (has(&p, LAYOUT))
		return make_data_set(h, &p);
	if (group || has(&p, GROUP_INFO))
		return make_group(h, &p);
	o->type.native = -1;
	nc_h5_refused(&o->type, "no group or data set");
	return true;
}
