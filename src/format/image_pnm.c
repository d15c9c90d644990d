/* SPDX-License-Identifier: MIT
 *
 * image_pnm.c - PNM: "P1" to "P6", width, height and (but for bits) the largest number, as text
 * with comments from # to the end of a line; then the numbers as text (P1 bits, P2 grey, P3 RGB)
 * or, behind one blank, as bits, bytes or big-endian pairs of them (P4, P5, P6).
 */
#include "format/image.h"

#include <stdio.h>
#include <string.h>

typedef struct text {
	nc_image_reader *r;
	size_t at;
} text;

static bool is_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool probe(const uint8_t *bytes, size_t size)
{
	return size >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' &&
	       (is_blank(bytes[2]) || bytes[2] == '#');
}

static void skip_blanks(text *t)
{
	const uint8_t *p = t->r->bytes;
	bool comment = false;
	for (; t->at < t->r->size && (comment || is_blank(p[t->at]) || p[t->at] == '#'); t->at++)
		comment = p[t->at] == '#' || (comment && p[t->at] != '\n');
}

/* The next number, at most `most`. */
static nacre_status number(text *t, const char *what, unsigned most, unsigned *out)
{
	skip_blanks(t);
	size_t start = t->at;
	unsigned v = 0;
	for (; t->at < t->r->size; t->at++) {
		unsigned digit = (unsigned)t->r->bytes[t->at] - '0';
		if (digit > 9)
			break;
		v = v > most ? v : v * 10 + digit;
	}
	*out = v;
	if (t->at == start)
		return t->at == t->r->size
			   ? nc_image_wrong(t->r, "the file ends where a %s is expected", what)
			   : nc_image_wrong(t->r, "byte %zu: expected a %s, got 0x%02x", start,
					    what, t->r->bytes[start]);
	if (v > most)
		return nc_image_wrong(t->r, "byte %zu: expected a %s of at most %u", start, what,
				      most);
	return NACRE_OK;
}

static void put(nc_picture *p, size_t i, unsigned v, unsigned largest)
{
	unsigned most = p->bytes == 2 ? 65535 : 255;
	if (largest != most)
		v = (unsigned)(((uint64_t)v * most + largest / 2) / largest);
	if (p->bytes == 2)
		((uint16_t *)(void *)p->data)[i] = (uint16_t)v;
	else
		p->data[i] = (uint8_t)v;
}

/* P1: each digit is a pixel, with or without blanks between. */
static nacre_status plain_bits(text *t)
{
	nc_picture *p = &t->r->picture;
	for (size_t i = 0; i < p->size; i++) {
		skip_blanks(t);
		if (t->at == t->r->size)
			return nc_image_wrong(t->r, "the file ends after %zu of %zu pixels", i,
					      p->size);
		uint8_t c = t->r->bytes[t->at++];
		if (c != '0' && c != '1')
			return nc_image_wrong(t->r, "byte %zu: expected 0 or 1, got 0x%02x",
					      t->at - 1, c);
		p->data[i] = c == '0' ? 255 : 0;
	}
	return NACRE_OK;
}

static nacre_status plain_numbers(text *t, unsigned largest)
{
	nc_picture *p = &t->r->picture;
	for (size_t i = 0, n = p->size / (size_t)p->bytes; i < n; i++) {
		unsigned v;
		if (number(t, "number", largest, &v))
			return NACRE_BAD_DATA;
		put(p, i, v, largest);
	}
	return NACRE_OK;
}

static nacre_status raw(text *t, unsigned largest)
{
	nc_picture *p = &t->r->picture;
	const uint8_t *from = t->r->bytes + t->at;
	size_t n = p->size / (size_t)p->bytes, need = p->size, row = (size_t)p->width;
	if (!largest)
		need = (row + 7) / 8 * (size_t)p->height;
	if (t->r->size - t->at < need)
		return nc_image_wrong(t->r, "the picture needs %zu bytes, the file has %zu", need,
				      t->r->size - t->at);
	t->at += need;
	for (size_t i = 0; i < n && !largest; i++) {
		size_t x = i % row, byte = i / row * ((row + 7) / 8) + x / 8;
		p->data[i] = from[byte] >> (7 - x % 8) & 1 ? 0 : 255;
	}
	if (largest == 255) {
		memcpy(p->data, from, n);
		return NACRE_OK;
	}
	for (size_t i = 0; i < n && largest; i++) {
		unsigned v = p->bytes == 2 ? (unsigned)from[2 * i] << 8 | from[2 * i + 1] : from[i];
		if (v > largest)
			return nc_image_wrong(t->r, "number %zu is %u, the largest should be %u", i,
					      v, largest);
		put(p, i, v, largest);
	}
	return NACRE_OK;
}

static nacre_status read_pnm(nc_image_reader *r)
{
	text t = {r, 2};
	bool plain = r->bytes[1] <= '3';
	int kind = (r->bytes[1] - '1') % 3; /* bits, grey, RGB */
	unsigned width, height, largest = 0;
	if (number(&t, "width", INT32_MAX, &width) || number(&t, "height", INT32_MAX, &height) ||
	    (kind && number(&t, "largest number", 65535, &largest)))
		return NACRE_BAD_DATA;
	if (kind && !largest)
		return nc_image_wrong(r, "expected a largest number of 1 to 65535, got 0");
	if (!plain && (t.at == r->size || !is_blank(r->bytes[t.at])))
		return nc_image_wrong(r, "byte %zu: expected a blank before the picture", t.at);
	t.at += !plain;
	int bytes = largest > 255 ? 2 : 1, channels = kind == 2 ? 3 : 1;
	double each = kind ? channels * (plain ? 2 : bytes) : plain ? 1 : 0.125;
	nacre_status s = nc_image_begin(r, height, width, channels, bytes,
					((double)(r->size - t.at) + 1) / each);
	if (s || r->only_head)
		return s;
	s = !plain ? raw(&t, largest) : kind ? plain_numbers(&t, largest) : plain_bits(&t);
	if (s)
		return s;
	skip_blanks(&t);
	return t.at == r->size
		   ? NACRE_OK
		   : nc_image_wrong(r, "the picture ends at byte %zu of %zu", t.at, r->size);
}

static nacre_status write_pnm(const nc_picture *p, const char *extension,
			      const nacre_image_save_options *o, nc_memory *m, const nc_sink *to,
			      nacre_error *e)
{
	char head[80];
	int only = strcmp(extension, ".pgm") == 0 ? 1 : strcmp(extension, ".ppm") == 0 ? 3 : 0;
	(void)o;
	if ((p->channels != 1 && p->channels != 3) || (only && p->channels != only))
		return nc_fail(e, NACRE_INVALID, "PNM: expected %s, got %d channels",
			       only == 1   ? "1 channel for .pgm"
			       : only == 3 ? "3 channels for .ppm"
					   : "1 or 3 channels",
			       p->channels);
	int n = snprintf(head, sizeof head, "P%d\n%lld %lld\n%d\n", p->channels == 1 ? 5 : 6,
			 (long long)p->width, (long long)p->height, p->bytes == 2 ? 65535 : 255);
	nacre_status s = nc_put(to, head, (size_t)n);
	if (s || p->bytes == 1)
		return s ? s : nc_put(to, p->data, p->size);
	uint8_t *big = nc_alloc(m, p->size);
	if (!big)
		return nc_no_memory(e, p->size);
	for (size_t i = 0; i < p->size / 2; i++) {
		unsigned v = ((const uint16_t *)(const void *)p->data)[i];
		big[2 * i] = (uint8_t)(v >> 8);
		big[2 * i + 1] = (uint8_t)v;
	}
	s = nc_put(to, big, p->size);
	nc_free(m, big, p->size);
	return s;
}

const nc_image_format nc_image_pnm = {
    .name = "PNM",
    .extension = {".ppm", ".pgm", ".pnm", ".pbm"},
    .probe = probe,
    .read = read_pnm,
    .write = write_pnm,
};
