/* SPDX-License-Identifier: MIT
 *
 * hdf5_data.c - the values of data sets as tensors: chunks put together, filters undone, byte order
 * and types converted.
 */
#include <string.h>

#include "format/gzip.h"
#include "format/hdf5_filter.h"
#include "format/hdf5_read.h"
#include "format/load.h"

/* -- filters, undone from the last to the first */
typedef struct pipeline {
	const nc_hdf5_object *object;
	nc_memory *memory;
	nacre_error *error;
	uint8_t *buffer[2]; /* `room` bytes each */
	size_t room;
	const uint8_t *data; /* what has become of the chunk */
	size_t size;
} pipeline;

static bool runs(const nc_hdf5_chunk *c, int i)
{
	return !(c->mask >> i & 1);
}

/* Bytes of the chunk before filter i went over it. */
static size_t size_before(const nc_hdf5_object *o, const nc_hdf5_chunk *c, int i)
{
	size_t n = o->chunk_size;
	while (i-- > 0)
		n += o->filter[i] == NC_H5_FLETCHER32 && runs(c, i) ? 4 : 0;
	return n;
}

static uint8_t *other_buffer(const pipeline *p)
{
	return p->data == p->buffer[0] ? p->buffer[1] : p->buffer[0];
}

static nacre_status undo_deflate(pipeline *p, size_t n)
{
	uint8_t *out = other_buffer(p);
	nc_gzip *g = nc_inflate_open(p->memory, NC_ZLIB, p->data, p->size, p->error);
	if (!g)
		return p->error->status;
	nacre_status s = nc_gzip_read(g, out, n, p->error);
	s = s ? s : nc_gzip_finish(g, p->error);
	nc_gzip_close(g);
	p->data = out;
	p->size = n;
	return s;
}

/* Shuffled: the first bytes of all elements, then the second bytes ...; a rest stays. */
static void undo_shuffle(pipeline *p)
{
	size_t element = p->object->type.size, n = p->size / element;
	uint8_t *out = other_buffer(p);
	for (size_t k = 0; k < element; k++)
		for (size_t i = 0; i < n; i++)
			out[i * element + k] = p->data[k * n + i];
	memcpy(out + n * element, p->data + n * element, p->size - n * element);
	p->data = out;
}

static nacre_status undo_fletcher32(pipeline *p)
{
	if (p->size < 4)
		return nc_fail(p->error, NACRE_BAD_DATA, "a chunk of %zu bytes without a checksum",
			       p->size);
	p->size -= 4;
	const uint8_t *q = p->data + p->size;
	uint32_t said =
	    (uint32_t)q[0] | (uint32_t)q[1] << 8 | (uint32_t)q[2] << 16 | (uint32_t)q[3] << 24;
	uint32_t is = nc_fletcher32(p->data, p->size);
	if (said != is)
		return nc_fail(p->error, NACRE_BAD_DATA,
			       "the checksum of a chunk is %08x, expected %08x", is, said);
	return NACRE_OK;
}

static nacre_status undo_filters(pipeline *p, const nc_hdf5_chunk *c)
{
	nacre_status s = NACRE_OK;
	p->data = c->data;
	p->size = c->size;
	for (int i = p->object->n_filters; i-- > 0 && !s;) {
		if (!runs(c, i))
			continue;
		if (p->object->filter[i] == NC_H5_DEFLATE)
			s = undo_deflate(p, size_before(p->object, c, i));
		else if (p->object->filter[i] == NC_H5_FLETCHER32)
			s = undo_fletcher32(p);
		else if (p->size > p->room)
			s = nc_fail(p->error, NACRE_BAD_DATA, "a chunk of %zu bytes, at most %zu",
				    p->size, p->room);
		else
			undo_shuffle(p);
	}
	if (!s && p->size != p->object->chunk_size)
		s = nc_fail(p->error, NACRE_BAD_DATA, "a chunk of %zu bytes, expected %zu", p->size,
			    p->object->chunk_size);
	return s;
}

/* -- chunks */
/* The rows of a chunk that are inside the data set, to their places. */
static void scatter(const nc_hdf5_object *o, const nc_hdf5_chunk *c, const uint8_t *data,
		    uint8_t *out)
{
	int rank = o->type.rank, last = rank - 1;
	int64_t first[NC_HDF5_RANK], extent[NC_HDF5_RANK], at[NC_HDF5_RANK] = {0};
	uint64_t index = c->index;
	for (int d = last; d >= 0; d--) {
		int64_t side = o->chunk_shape[d], n = o->type.shape[d];
		uint64_t grid = (uint64_t)(n / side + (n % side != 0));
		first[d] = (int64_t)(index % grid) * side;
		extent[d] = nc_min(side, n - first[d]);
		index /= grid;
	}
	size_t element = o->type.size;
	for (;;) {
		int64_t from = 0, to = 0;
		for (int d = 0; d < rank; d++) {
			from = from * o->chunk_shape[d] + at[d];
			to = to * o->type.shape[d] + first[d] + at[d];
		}
		memcpy(out + (size_t)to * element, data + (size_t)from * element,
		       (size_t)extent[last] * element);
		int d = last - 1;
		while (d >= 0 && ++at[d] == extent[d])
			at[d--] = 0;
		if (d < 0)
			break;
	}
}

static void fill_all(const nc_hdf5_object *o, uint8_t *out)
{
	for (size_t i = 0; o->fill && i < o->size; i += o->type.size)
		memcpy(out + i, o->fill, o->type.size);
}

static nacre_status read_chunks(const nc_hdf5 *f, const nc_hdf5_object *o, uint8_t *out,
				nacre_error *e)
{
	size_t room = o->n_filters ? o->chunk_size + 4 * NC_HDF5_FILTERS : 0;
	pipeline p = {.object = o, .memory = f->memory, .error = e, .room = room};
	if (room) {
		p.buffer[0] = nc_alloc(f->memory, 2 * room);
		if (!p.buffer[0])
			return nc_no_memory(e, 2 * room);
		p.buffer[1] = p.buffer[0] + room;
	}
	fill_all(o, out); /* chunks that are not there */
	nacre_status s = NACRE_OK;
	for (const nc_hdf5_chunk *c = o->chunk; c && !s; c = c->next) {
		s = undo_filters(&p, c);
		if (!s)
			scatter(o, c, p.data, out);
	}
	nc_free(f->memory, p.buffer[0], 2 * room);
	return s;
}

/* All elements as they are stored; `out` is zero. */
static nacre_status read_raw(const nc_hdf5 *f, const nc_hdf5_object *o, uint8_t *out,
			     nacre_error *e)
{
	if (!o->size)
		return NACRE_OK;
	if (o->layout == NC_HDF5_CHUNKED)
		return read_chunks(f, o, out, e);
	if (o->data)
		memcpy(out, o->data, o->size);
	else
		fill_all(o, out);
	return NACRE_OK;
}

/* -- tensors */
/* Integers of other sizes or without a sign, already in this machine's order. */
static nacre_status widen(const nc_hdf5_type *t, const uint8_t *raw, nacre_tensor *to,
			  nacre_error *e)
{
	int32_t *narrow = (int32_t *)(void *)to->data;
	int64_t *wide = (int64_t *)(void *)to->data;
	for (int64_t i = 0; i < t->count; i++) {
		const uint8_t *p = raw + (size_t)i * t->size;
		uint16_t u2;
		uint32_t u4;
		uint64_t u8;
		if (t->size == 2) {
			memcpy(&u2, p, 2);
			narrow[i] = t->has_sign ? (int16_t)u2 : u2;
		} else if (t->size == 4) {
			memcpy(&u4, p, 4);
			wide[i] = u4;
		} else {
			memcpy(&u8, p, 8);
			if (u8 > INT64_MAX)
				return nc_fail(e, NACRE_UNSUPPORTED,
					       "element %lld is %llu, which i64 cannot hold",
					       (long long)i, (unsigned long long)u8);
			wide[i] = (int64_t)u8;
		}
	}
	return NACRE_OK;
}

static void to_native(const nc_hdf5_type *t, uint8_t *data)
{
	(t->big ? nc_from_big : nc_from_little)(data, t->count, (int)t->size);
}

static nacre_status fill_tensor(const nc_hdf5 *f, const nc_hdf5_object *o, nacre_tensor *to,
				nacre_error *e)
{
	const nc_hdf5_type *t = &o->type;
	if (t->direct) {
		nacre_status s = read_raw(f, o, to->data, e);
		to_native(t, to->data);
		if (!s && t->native == NACRE_BOOL)
			s = nc_check_bools(to->data, t->count, e);
		return s;
	}
	uint8_t *raw = nc_zero_alloc(f->memory, o->size);
	if (!raw)
		return nc_no_memory(e, o->size);
	nacre_status s = read_raw(f, o, raw, e);
	to_native(t, raw);
	s = s ? s : widen(t, raw, to, e);
	nc_free(f->memory, raw, o->size);
	return s;
}

static bool is_plain(const nc_hdf5_object *o)
{
	bool little = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__;
	const nc_hdf5_type *t = &o->type;
	return !o->group && o->layout != NC_HDF5_CHUNKED && o->data && o->size && t->direct &&
	       (t->size == 1 || t->big != little);
}

const uint8_t *nc_hdf5_plain(const nc_hdf5_object *o, nacre_dtype dtype)
{
	bool same = is_plain(o) && !o->type.refused && o->type.native == (int)dtype;
	return same && dtype != NACRE_BOOL ? o->data : NULL;
}

/* The data themselves, where they are just what a tensor of this machine has. */
static bool can_view(const nc_hdf5_object *o, const nc_storage *storage)
{
	const nc_hdf5_type *t = &o->type;
	uintptr_t data = (uintptr_t)o->data, start = storage ? (uintptr_t)storage->data : 0;
	return storage && is_plain(o) && data % t->size == 0 && data >= start &&
	       data - start <= storage->size &&
	       o->size <= storage->size - (data - start);
}

static nacre_tensor *read_tensor(const nc_hdf5 *f, const nc_hdf5_object *o, nacre_runtime *rt,
				 nc_storage *storage, nacre_error *e)
{
	const nc_hdf5_type *t = &o->type;
	nacre_dtype dtype = (nacre_dtype)t->native;
	if (can_view(o, storage)) {
		if (dtype == NACRE_BOOL && nc_check_bools(o->data, t->count, e))
			return NULL;
		size_t offset = (size_t)((uintptr_t)o->data - (uintptr_t)storage->data);
		return nc_tensor_view(rt, storage, offset, dtype, t->rank, t->shape, e);
	}
	nacre_tensor *to = nacre_tensor_new(rt, dtype, t->rank, t->shape, e);
	if (to && fill_tensor(f, o, to, e)) {
		nacre_tensor_free(to);
		return NULL;
	}
	return to;
}

nacre_tensor *nc_hdf5_tensor(const nc_hdf5 *f, const nc_hdf5_object *o, nacre_runtime *rt,
			     nc_storage *storage, nacre_error *e)
{
	nacre_error own = {0};
	nacre_tensor *tensor = NULL;
	if (o->group)
		nc_fail(&own, NACRE_INVALID, "a group, expected a data set");
	else if (o->type.refused)
		nc_fail(&own, NACRE_UNSUPPORTED, "%s", o->type.refused);
	else if (o->type.native < 0)
		nc_fail(&own, NACRE_UNSUPPORTED, "strings, expected numbers");
	else if (o->type.rank > NACRE_MAX_RANK)
		nc_fail(&own, NACRE_UNSUPPORTED, "rank %d, at most %d", o->type.rank,
			NACRE_MAX_RANK);
	else
		tensor = read_tensor(f, o, rt, storage, &own);
	if (!tensor)
		nc_fail(e, own.status, "hdf5: data set %s at byte %llu: %s",
			nc_quote(o->name, strlen(o->name)).text, (unsigned long long)o->header,
			own.text);
	return tensor;
}
