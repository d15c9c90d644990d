/* SPDX-License-Identifier: MIT
 *
 * hdf5_type.c - data types, data spaces, attributes, and the strings and numbers of these.
 */
#include <stdio.h>
#include <string.h>

#include "format/hdf5_read.h"
#include "format/json.h"
#include "format/load.h"

/* -- data types */
static const char *const class_names[] = {"an integer",      "a float",
					  "a time",          "a string",
					  "a bit field",     "an opaque type",
					  "a compound type", "a reference",
					  "an enumeration",  "a sequence of variable length",
					  "an array type",   "a complex number"};
enum {
	INTEGER = 0,
	FLOAT = 1,
	STRING = 3,
	OPAQUE = 5,
	ENUM = 8,
	VARIABLE = 9,
	CLASSES = sizeof class_names / sizeof *class_names
};

void nc_h5_refused(nc_hdf5_type *t, const char *format, ...)
{
	va_list args;
	if (t->refused)
		return;
	va_start(args, format);
	vsnprintf(t->refused_text, sizeof t->refused_text, format, args);
	va_end(args);
	t->refused = t->refused_text;
}

static void read_integer(nc_cursor *c, nc_hdf5_type *t, unsigned bits)
{
	uint64_t offset = nc_cursor_u(c, 2), precision = nc_cursor_u(c, 2);
	t->kind = NC_HDF5_INTEGER;
	t->big = bits & 1;
	t->has_sign = bits >> 3 & 1;
	if (offset || precision != 8 * (uint64_t)t->size)
		nc_h5_refused(t, "an integer of %llu bits in %u bytes",
			      (unsigned long long)precision, t->size);
	else if (t->size == 1)
		t->native = t->has_sign ? NACRE_I8 : NACRE_U8;
	else if (t->size == 2 || (t->size == 4 && t->has_sign))
		t->native = NACRE_I32;
	else if (t->size == 4 || t->size == 8)
		t->native = NACRE_I64;
	else
		nc_h5_refused(t, "an integer of %u bytes", t->size);
	t->direct = t->size == 1 || (t->size >= 4 && t->has_sign);
}

static void read_float(nc_cursor *c, nc_hdf5_type *t, unsigned bits)
{
	/* X: size, bytes of the properties (bit offset, precision, place and size of exponent and
	 * mantissa, bias), sign's bit */
	static const struct {
		nacre_dtype dtype;
		uint32_t size;
		uint8_t sign, properties[12];
	} known[] = {
	    {NACRE_F16, 2, 15, {0, 0, 16, 0, 10, 5, 0, 10, 15}},
	    {NACRE_BF16, 2, 15, {0, 0, 16, 0, 7, 8, 0, 7, 127}},
	    {NACRE_F32, 4, 31, {0, 0, 32, 0, 23, 8, 0, 23, 127}},
	    {NACRE_F64, 8, 63, {0, 0, 64, 0, 52, 11, 0, 52, 0xff, 3}},
	};
	const uint8_t *p = nc_cursor_bytes(c, 12);
	t->kind = NC_HDF5_FLOAT;
	t->big = bits & 1;
	t->direct = true;
	for (size_t i = 0; p && i < sizeof known / sizeof *known; i++)
		if (known[i].size == t->size && known[i].sign == (bits >> 8 & 255) &&
		    !memcmp(p, known[i].properties, 12))
			t->native = (int)known[i].dtype;
	/* padding bits do not matter; the mantissa's first 1 is implied; not the order of the VAX
	 */
	if (t->native < 0 || (bits & 0x30) != 0x20 || bits & 0x40)
		nc_h5_refused(t, "a float of an unknown kind of %u bytes", t->size);
}

/* h5py's bool: an enumeration of bytes with FALSE = 0, TRUE = 1 */
static void read_enum(nc_cursor *c, nc_hdf5_type *t, unsigned version, unsigned bits)
{
	static const char names1[] = "FALSE\0\0\0TRUE\0\0\0\0\0\1", names3[] = "FALSE\0TRUE\0\0\1";
	uint64_t base = nc_cursor_u(c, 1);
	nc_cursor_bytes(c, 3); /* bits of the base type: signed or not, 0 and 1 are the same */
	uint64_t size = nc_cursor_u(c, 4);
	nc_cursor_bytes(c, 4);
	const char *expected = version < 3 ? names1 : names3;
	size_t n = version < 3 ? sizeof names1 - 1 : sizeof names3 - 1;
	bool is = !c->h->failed && (base & 15) == INTEGER && size == 1 && t->size == 1 &&
		  (bits & 0xffff) == 2 && nc_cursor_left(c) >= n;
	const uint8_t *p = is ? nc_cursor_bytes(c, n) : NULL;
	if (!p || memcmp(p, expected, n)) {
		nc_h5_refused(t, "an enumeration other than FALSE, TRUE");
		return;
	}
	t->kind = NC_HDF5_BOOL;
	t->native = NACRE_BOOL;
	t->direct = true;
}

bool nc_h5_datatype(nc_h5 *h, nc_cursor *c, nc_hdf5_type *t)
{
	uint64_t at = c->at;
	c->what = "data type";
	unsigned first = (unsigned)nc_cursor_u(c, 1), bits = (unsigned)nc_cursor_u(c, 3);
	unsigned class = first & 15, version = first >> 4;
	*t = (nc_hdf5_type){.size = (uint32_t)nc_cursor_u(c, 4), .native = -1};
	if (h->failed)
		return false;
	if (version < 1 || version > 5)
		return nc_h5_refuse(h, at, "data type version %u, expected 1 to 5", version);
	if (class >= CLASSES)
		return nc_h5_refuse(h, at, "data type of class %u", class);
	if (!t->size)
		return nc_h5_wrong(h, at + 4, "%s of 0 bytes", class_names[class]);
	if (class == INTEGER) {
		read_integer(c, t, bits);
	} else if (class == FLOAT) {
		read_float(c, t, bits);
	} else if (class == STRING) {
		t->kind = NC_HDF5_STRING;
		t->padding = bits & 15;
		if (t->padding > 2)
			nc_h5_refused(t, "a string with padding %d", t->padding);
	} else if (class == ENUM) {
		read_enum(c, t, version, bits);
	} else if (class == VARIABLE && (bits & 15) == 1) {
		t->kind = NC_HDF5_VSTRING;
		if (t->size != 16)
			return nc_h5_wrong(h, at + 4, "a string of variable size in %u bytes",
					   t->size);
	} else {
		t->kind = class == OPAQUE ? NC_HDF5_OPAQUE : NC_HDF5_OTHER;
		nc_h5_refused(t, "%s", class_names[class]);
	}
	return !h->failed;
}

/* -- data spaces */
static bool space_head(nc_cursor *c, nc_hdf5_type *t, bool *limits)
{
	nc_h5 *h = c->h;
	c->what = "data space";
	uint64_t at = c->at, version = nc_cursor_u(c, 1), rank = nc_cursor_u(c, 1);
	uint64_t flags = nc_cursor_u(c, 1), kind;
	if (h->failed)
		return false;
	if (version != 1 && version != 2)
		return nc_h5_refuse(h, at, "data space version %llu, expected 1 or 2",
				    (unsigned long long)version);
	kind = nc_cursor_u(c, 1);
	if (version == 1) {
		kind = rank ? 1 : 0;
		nc_cursor_bytes(c, 4);
	}
	if (h->failed)
		return false;
	if (kind > 2 || rank > NC_HDF5_RANK || (kind != 1 && rank))
		return nc_h5_wrong(h, at, "data space of type %llu and rank %llu, at most %d",
				   (unsigned long long)kind, (unsigned long long)rank,
				   NC_HDF5_RANK);
	if (flags & ~1u)
		return nc_h5_refuse(h, at + 2, "data space with flags 0x%02llx",
				    (unsigned long long)flags);
	if (kind == 2)
		nc_h5_refused(t, "an empty data space");
	t->rank = (int)rank;
	t->count = kind == 2 ? 0 : 1;
	*limits = flags & 1;
	return true;
}

bool nc_h5_dataspace(nc_h5 *h, nc_cursor *c, nc_hdf5_type *t)
{
	bool limits = false;
	uint64_t at = c->at;
	if (!space_head(c, t, &limits))
		return false;
	size_t rank = (size_t)t->rank;
	int64_t *shape = nc_h5_take(h, (rank + 1) * sizeof *shape);
	if (!shape)
		return false;
	for (size_t i = 0; i < rank; i++) {
		uint64_t n = nc_cursor_u(c, 8);
		if (n > INT64_MAX)
			return nc_h5_wrong(h, at, "data space: a dimension of %llu",
					   (unsigned long long)n);
		shape[i] = (int64_t)n;
	}
	if (limits)
		nc_cursor_bytes(c, 8 * rank);
	if (h->failed)
		return false;
	t->shape = shape;
	if (rank && !nc_shape_size(t->rank, shape, &t->count))
		return nc_h5_wrong(h, at, "data space: the product of the shape overflows");
	return true;
}

/* -- attributes */
bool nc_h5_attribute(nc_h5 *h, nc_cursor c, nc_hdf5_attribute *a)
{
	c.what = "attribute";
	uint64_t at = c.at, version = nc_cursor_u(&c, 1), flags = nc_cursor_u(&c, 1);
	uint64_t size[3];
	if (h->failed)
		return false;
	if (version < 1 || version > 3)
		return nc_h5_refuse(h, at, "attribute version %llu, expected 1 to 3",
				    (unsigned long long)version);
	for (int i = 0; i < 3; i++)
		size[i] = nc_cursor_u(&c, 2);
	if (version == 3)
		nc_cursor_bytes(&c, 1); /* the name's encoding, which is UTF-8 at most */
	nc_cursor part[3];
	for (int i = 0; i < 3; i++) {
		uint64_t end = c.at + (version == 1 ? (size[i] + 7) & ~7ull : size[i]);
		part[i] = nc_cursor_part(&c, size[i]);
		if (!h->failed)
			nc_cursor_bytes(&c, end - c.at);
	}
	const uint8_t *name = nc_cursor_bytes(&part[0], size[0]);
	if (h->failed)
		return false;
	size_t n = strnlen((const char *)name, size[0]);
	if (!n || n == size[0] || !nc_utf8_valid(name, n))
		return nc_h5_wrong(h, at, "attribute: %s is no name",
				   nc_quote((const char *)name, n).text);
	a->name = (const char *)name;
	if (version > 1 && flags & 3) {
		a->type.native = -1;
		nc_h5_refused(&a->type, "a committed data type");
		return true;
	}
	int64_t bytes;
	if (!nc_h5_datatype(h, &part[1], &a->type) || !nc_h5_dataspace(h, &part[2], &a->type))
		return false;
	if (!nc_mul_i64(a->type.count, a->type.size, &bytes) ||
	    (uint64_t)bytes > nc_cursor_left(&c))
		return nc_h5_wrong(h, at, "attribute %s: %lld elements of %u bytes, got %llu bytes",
				   nc_quote(a->name, n).text, (long long)a->type.count,
				   a->type.size, (unsigned long long)nc_cursor_left(&c));
	a->size = (size_t)bytes;
	a->data = nc_cursor_bytes(&c, (uint64_t)bytes);
	return a->data;
}

static nacre_status check_element(const nc_hdf5_attribute *a, int64_t i, nacre_error *e)
{
	nc_quoted q = nc_quote(a->name, strlen(a->name));
	if (a->type.refused)
		return nc_fail(e, NACRE_UNSUPPORTED, "hdf5: attribute %s: %s", q.text,
			       a->type.refused);
	if (i < 0 || i >= a->type.count)
		return nc_fail(e, NACRE_INVALID, "hdf5: attribute %s: no element %lld of %lld",
			       q.text, (long long)i, (long long)a->type.count);
	return NACRE_OK;
}

/* An object of a global heap: a collection at `at` of numbered objects, one after the other. */
static nacre_status global_heap(const nc_hdf5 *f, uint64_t at, uint32_t index, size_t n,
				const char **data, nacre_error *e)
{
	nacre_error own = {0};
	nc_h5 h = {.bytes = f->bytes, .size = f->size, .error = &own};
	nc_cursor c = nc_cursor_look(&h, at, 16, "global heap");
	nc_cursor_magic(&c, "GCOL");
	nc_cursor_version(&c, 1);
	nc_cursor_bytes(&c, 3);
	uint64_t size = nc_cursor_u(&c, 8);
	c = nc_cursor_look(&h, at, size, "global heap");
	nc_cursor_bytes(&c, 16);
	while (!h.failed && nc_cursor_left(&c) >= 16) {
		uint64_t here = c.at;
		uint32_t number = (uint32_t)nc_cursor_u(&c, 2);
		nc_cursor_bytes(&c, 6);
		uint64_t bytes = nc_cursor_u(&c, 8);
		if (!number)
			break; /* the free space at the end */
		const uint8_t *p = nc_cursor_bytes(&c, bytes);
		if (!h.failed && bytes % 8 && nc_cursor_left(&c))
			nc_cursor_bytes(&c, 8 - bytes % 8);
		if (h.failed || number != index)
			continue;
		if (bytes < n) {
			nc_h5_wrong(&h, here,
				    "global heap: expected a string of %zu bytes, got %llu", n,
				    (unsigned long long)bytes);
			break;
		}
		*data = (const char *)p;
		return NACRE_OK;
	}
	nc_h5_wrong(&h, at, "global heap: no object %u", index);
	return nc_fail(e, own.status, "%s", own.text);
}

nacre_status nc_hdf5_string(const nc_hdf5 *f, const nc_hdf5_attribute *a, int64_t i,
			    const char **data, size_t *size, nacre_error *e)
{
	*data = "";
	*size = 0;
	nacre_status s = check_element(a, i, e);
	if (s)
		return s;
	const uint8_t *p = a->data + (size_t)i * a->type.size;
	if (a->type.kind == NC_HDF5_VSTRING) {
		size_t n = (size_t)(nc_little64(p) & UINT32_MAX);
		uint64_t tail = nc_little64(p + 8), at = nc_little64(p) >> 32 | tail << 32;
		*size = n;
		return n ? global_heap(f, at, (uint32_t)(tail >> 32), n, data, e) : NACRE_OK;
	}
	if (a->type.kind != NC_HDF5_STRING)
		return nc_fail(e, NACRE_UNSUPPORTED, "hdf5: attribute %s is no string",
			       nc_quote(a->name, strlen(a->name)).text);
	size_t n = a->type.size;
	if (a->type.padding == 0)
		n = strnlen((const char *)p, n);
	while (a->type.padding && n && p[n - 1] == (a->type.padding == 1 ? 0 : ' '))
		n--;
	*data = (const char *)p;
	*size = n;
	return NACRE_OK;
}

nacre_status nc_hdf5_number(const nc_hdf5_attribute *a, int64_t i, double *out, nacre_error *e)
{
	*out = 0;
	nacre_status s = check_element(a, i, e);
	if (s)
		return s;
	if (a->type.native < 0)
		return nc_fail(e, NACRE_UNSUPPORTED, "hdf5: attribute %s is no number",
			       nc_quote(a->name, strlen(a->name)).text);
	uint8_t one[8] __attribute__((aligned(8))) = {0};
	size_t n = a->type.size;
	for (size_t k = 0; k < n; k++) /* to little-endian */
		one[k] = a->data[(size_t)i * n + (a->type.big ? n - 1 - k : k)];
	if (a->type.kind == NC_HDF5_INTEGER) {
		int shift = 64 - 8 * (int)n;
		uint64_t v = nc_little64(one) << shift;
		*out = a->type.has_sign ? (double)((int64_t)v >> shift) : (double)(v >> shift);
		return NACRE_OK;
	}
	nc_from_little(one, 1, (int)n);
	*out = nc_element((nacre_dtype)a->type.native, one, 0);
	return NACRE_OK;
}
