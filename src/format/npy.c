/* SPDX-License-Identifier: MIT
 *
 * npy.c - reading and writing NPY files.
 *
 * The header is a literal of Python.  What is read here is one dict of three known keys, with a
 * string, a bool and a tuple of numbers: nothing is evaluated.
 */
#include "format/npy.h"

#include <stdio.h>
#include <string.h>

#include "format/load.h"
#include "nacre/format.h"

static const struct {
	const char *numpy;
	size_t size;
} types[NACRE_DTYPES] = {
#define X(NAME, name, bytes, kind, safetensors, numpy) [NACRE_##NAME] = {numpy, bytes},
    NACRE_DTYPE_LIST(X)
#undef X
};

/* A place in the header's literal. */
typedef struct literal {
	const uint8_t *bytes; /* of the file */
	size_t at, end;
	nacre_error *error;
} literal;

static bool expected(literal *l, const char *what)
{
	if (l->at >= l->end)
		nc_fail(l->error, NACRE_BAD_DATA, "NPY header, byte %zu: expected %s, got the end",
			l->at, what);
	else
		nc_fail(l->error, NACRE_BAD_DATA, "NPY header, byte %zu: expected %s, got %s",
			l->at, what, nc_quote((const char *)l->bytes + l->at, 1).text);
	return false;
}

static int next(literal *l)
{
	while (l->at < l->end && (l->bytes[l->at] == ' ' || l->bytes[l->at] == '\t' ||
				  l->bytes[l->at] == '\n' || l->bytes[l->at] == '\r'))
		l->at++;
	return l->at < l->end ? l->bytes[l->at] : -1;
}

static bool accept(literal *l, int c)
{
	if (next(l) != c)
		return false;
	l->at++;
	return true;
}

/* A string in either kind of quotes, without escapes, into a small buffer. */
static bool string(literal *l, const char *what, char *out, size_t room)
{
	int quote = next(l);
	if (quote != '\'' && quote != '"')
		return expected(l, what);
	l->at++;
	for (size_t n = 0; n < room && l->at < l->end; n++) {
		uint8_t c = l->bytes[l->at];
		if (c == quote) {
			out[n] = '\0';
			l->at++;
			return true;
		}
		if (c < 0x20 || c > 0x7e || c == '\\')
			return expected(l, "a printable character");
		out[n] = (char)c;
		l->at++;
	}
	return expected(l, "the closing quote");
}

static bool read_bool(literal *l, bool *out)
{
	next(l);
	size_t left = l->end - l->at;
	const uint8_t *p = l->bytes + l->at;
	*out = left >= 4 && !memcmp(p, "True", 4);
	if (!*out && !(left >= 5 && !memcmp(p, "False", 5)))
		return expected(l, "True or False");
	l->at += *out ? 4 : 5;
	return true;
}

static bool read_size(literal *l, int64_t *out)
{
	int first = next(l);
	if (first < '0' || first > '9')
		return expected(l, "a size from 0");
	size_t start = l->at;
	int64_t n = 0;
	for (; l->at < l->end && l->bytes[l->at] >= '0' && l->bytes[l->at] <= '9'; l->at++)
		if (__builtin_mul_overflow(n, (int64_t)10, &n) ||
		    __builtin_add_overflow(n, (int64_t)(l->bytes[l->at] - '0'), &n)) {
			l->at = start;
			return expected(l, "a size below 2^63");
		}
	if (first == '0' && l->at - start > 1) {
		l->at = start;
		return expected(l, "a size without leading zeros");
	}
	*out = n;
	return true;
}

/* (), (3,), (2, 3), (2, 3,); not (3), which is no tuple */
static bool read_shape(literal *l, nc_npy *out)
{
	if (!accept(l, '('))
		return expected(l, "a tuple");
	bool comma = true;
	out->rank = 0;
	while (!accept(l, ')')) {
		if (!comma)
			return expected(l, "',' or ')'");
		if (out->rank == NACRE_MAX_RANK) {
			nc_fail(l->error, NACRE_UNSUPPORTED, "NPY: more than %d dimensions",
				NACRE_MAX_RANK);
			return false;
		}
		if (!read_size(l, &out->shape[out->rank++]))
			return false;
		comma = accept(l, ',');
	}
	if (out->rank == 1 && !comma)
		return expected(l, "a tuple, as (n,)");
	return true;
}

static bool unsupported(literal *l, const char *descr, const char *why)
{
	nc_fail(l->error, NACRE_UNSUPPORTED, "NPY: type '%s' %s", descr, why);
	return false;
}

static bool read_descr(literal *l, nc_npy *out)
{
	char descr[32];
	if (next(l) == '[' || next(l) == '(')
		return unsupported(l, "[...]", "is structured, which is not supported");
	if (!string(l, "a type", descr, sizeof descr))
		return false;
	char order = descr[0];
	if (!order || !strchr("<>|=", order))
		return unsupported(l, descr, "has no byte order (one of < > | =)");
	if (descr[1] == 'O')
		return unsupported(l, descr, "holds Python objects, which are never loaded");
	for (int d = 0; d < NACRE_DTYPES; d++) {
		if (!types[d].numpy || strcmp(types[d].numpy + 1, descr + 1))
			continue;
		if (order == '|' && types[d].size > 1)
			return unsupported(l, descr, "needs a byte order");
		out->dtype = (nacre_dtype)d;
		out->big_endian =
		    order == '>' || (order == '=' && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
		return true;
	}
	return unsupported(l, descr, "is not one of f2 f4 f8 i1 u1 i4 i8 b1");
}

static bool read_dict(literal *l, nc_npy *out)
{
	static const char *const keys[] = {"descr", "fortran_order", "shape"};
	unsigned seen = 0;
	if (!accept(l, '{'))
		return expected(l, "'{'");
	bool comma = true;
	while (!accept(l, '}')) {
		char key[16];
		if (!comma)
			return expected(l, "',' or '}'");
		next(l);
		size_t start = l->at;
		if (!string(l, "a key", key, sizeof key))
			return false;
		int k = 0;
		while (k < 3 && strcmp(keys[k], key))
			k++;
		if (k == 3 || seen >> k & 1) {
			l->at = start;
			return expected(l, "each of 'descr', 'fortran_order', 'shape' once");
		}
		seen |= 1u << k;
		if (!accept(l, ':'))
			return expected(l, "':'");
		if (!(k == 0   ? read_descr(l, out)
		      : k == 1 ? read_bool(l, &out->fortran)
			       : read_shape(l, out)))
			return false;
		comma = accept(l, ',');
	}
	if (seen != 7)
		return expected(l, "the keys 'descr', 'fortran_order' and 'shape'");
	return next(l) == -1 || expected(l, "nothing after the '}'");
}

/* Where the header's text lies. */
static nacre_status find_header(const uint8_t *bytes, size_t size, literal *out, nacre_error *e)
{
	if (size < 10 || memcmp(bytes, "\x93NUMPY", 6))
		return nc_fail(e, NACRE_BAD_DATA, "NPY: the file does not begin with \\x93NUMPY");
	int major = bytes[6], minor = bytes[7];
	if (major < 1 || major > 3 || minor)
		return nc_fail(e, NACRE_BAD_DATA,
			       "NPY, byte 6: expected version 1.0 to 3.0, got %d.%d", major, minor);
	size_t start = major == 1 ? 10 : 12;
	if (size < start)
		return nc_fail(e, NACRE_BAD_DATA, "NPY: the file ends inside the header's length");
	size_t n = (size_t)bytes[8] | (size_t)bytes[9] << 8;
	if (major > 1)
		n |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
	if (n > NC_NPY_HEADER_LIMIT)
		return nc_fail(e, NACRE_BAD_DATA, "NPY, byte 8: a header of %zu bytes, at most %d",
			       n, NC_NPY_HEADER_LIMIT);
	if (n > size - start)
		return nc_fail(e, NACRE_BAD_DATA,
			       "NPY, byte 8: a header of %zu bytes, %zu are left", n, size - start);
	*out = (literal){.bytes = bytes, .at = start, .end = start + n, .error = e};
	return NACRE_OK;
}

nacre_status nc_npy_parse(const uint8_t *bytes, size_t size, nc_npy *out, nacre_error *e)
{
	literal l = {0};
	nacre_error own = {0};
	nc_npy d = {0};
	e = e ? e : &own;
	if (find_header(bytes, size, &l, e) || !read_dict(&l, &d))
		return e->status;
	char text[128];
	size_t n;
	d.data = l.end;
	if (!nc_shape_size(d.rank, d.shape, &d.count) ||
	    !nc_mul((size_t)d.count, types[d.dtype].size, &n))
		return nc_fail(e, NACRE_BAD_DATA, "NPY: the product of the shape %s overflows",
			       nc_shape_text(text, d.rank, d.shape));
	if (n != size - d.data)
		return nc_fail(e, NACRE_BAD_DATA, "NPY: %s %s need %zu bytes, got %zu",
			       nc_shape_text(text, d.rank, d.shape), nacre_dtype_name(d.dtype), n,
			       size - d.data);
	*out = d;
	return NACRE_OK;
}

/* The tensor of column-major data is the transpose of the row-major one of the reversed shape. */
static nacre_tensor *transposed(nacre_tensor *t, nacre_error *e)
{
	int order[NACRE_MAX_RANK];
	for (int i = 0; i < t->rank; i++)
		order[i] = t->rank - 1 - i;
	nacre_tensor *view = nacre_tensor_transpose(t, order, e);
	nacre_tensor_free(t);
	return view;
}

nacre_tensor *nc_npy_decode(nacre_runtime *rt, const uint8_t *bytes, size_t size, nacre_error *e)
{
	nc_npy d;
	if (nc_npy_parse(bytes, size, &d, e))
		return NULL;
	bool reverse = d.fortran && d.rank > 1;
	int64_t shape[NACRE_MAX_RANK];
	for (int i = 0; i < d.rank; i++)
		shape[i] = d.shape[reverse ? d.rank - 1 - i : i];
	if (d.dtype == NACRE_BOOL && nc_check_bools(bytes + d.data, d.count, e))
		return NULL;
	nacre_tensor *t = nacre_tensor_new(rt, d.dtype, d.rank, shape, e);
	if (!t)
		return NULL;
	if (size > d.data)
		memcpy(t->data, bytes + d.data, size - d.data);
	if (d.big_endian)
		nc_from_big(t->data, d.count, (int)types[d.dtype].size);
	else
		nc_from_little(t->data, d.count, (int)types[d.dtype].size);
	return reverse ? transposed(t, e) : t;
}

nacre_tensor *nacre_npy_load(nacre_runtime *runtime, const char *path, nacre_error *error)
{
	return nc_load(runtime, path, nc_npy_decode, error);
}

size_t nc_npy_header(nacre_dtype dtype, int rank, const int64_t *shape, char out[NC_NPY_HEADER])
{
	const char *descr = types[dtype].numpy;
	if (!descr)
		return 0;
	size_t n = 10;
	n += (size_t)snprintf(out + n, NC_NPY_HEADER - n,
			      "{'descr': '%s', 'fortran_order': False, 'shape': (", descr);
	for (int i = 0; i < rank; i++) /* 8 sizes of at most 19 digits: 176 bytes */
		n += (size_t)snprintf(out + n, NC_NPY_HEADER - n, i ? " %lld%s" : "%lld%s",
				      (long long)shape[i], i + 1 < rank || rank == 1 ? "," : "");
	n += (size_t)snprintf(out + n, NC_NPY_HEADER - n, "), }");
	size_t total = nc_round_up(n + 1, 64);
	memset(out + n, ' ', total - n);
	out[total - 1] = '\n';
	memcpy(out, "\x93NUMPY\x01\x00", 8);
	out[8] = (char)((total - 10) & 0xff);
	out[9] = (char)((total - 10) >> 8);
	return total;
}

static nacre_status save(const nacre_tensor *t, const char *path, nacre_error *e)
{
	char header[NC_NPY_HEADER];
	nc_writer w;
	size_t n = nc_npy_header(t->dtype, t->rank, t->shape, header);
	if (!n)
		return nc_fail(e, NACRE_UNSUPPORTED,
			       "%.300s: NumPy has no type for %s; convert the tensor to f32 first",
			       path, nacre_dtype_name(t->dtype));
	if (nc_writer_open(&w, path, e))
		return e->status;
	nc_writer_write(&w, header, n);
	nc_writer_write(&w, t->data, (size_t)nacre_tensor_size(t) * types[t->dtype].size);
	return nc_writer_finish(&w);
}

nacre_status nacre_npy_save(const nacre_tensor *tensor, const char *path, nacre_error *error)
{
	nacre_error own = {0};
	if (!tensor || !path)
		return nc_fail(error, NACRE_INVALID, "npy_save: the %s is NULL",
			       path ? "tensor" : "path");
	nacre_tensor *copy = NULL;
	if (!nacre_tensor_contiguous(tensor)) {
		copy = nacre_tensor_convert(tensor, tensor->dtype, &own);
		if (!copy)
			return nc_fail_in(error, path, &own);
	}
	nacre_status s = save(copy ? copy : tensor, path, &own);
	nacre_tensor_free(copy);
	return s ? nc_fail(error, own.status, "%s", own.text) : NACRE_OK;
}
