/* SPDX-License-Identifier: MIT
 *
 * image_bmp.c - BMP, all little-endian:
 *
 *     "BM", size of the file, 0, where the pixels begin                       14 bytes
 *     size of this head (12: OS/2; 40 and more: Windows), width, height, planes, bits, compression,
 *     size of the pixels, -, -, colours of the palette, -; from 52 bytes on masks of the channels
 *     palette of blue, green, red (, 0)
 *     rows from bottom to top (height < 0: from top to bottom), each filled up to 4 bytes
 *
 * Compression: none, RLE of 8 or 4 bits, or masks that say where in 16 or 32 bits a channel is.
 */
#include "format/image.h"

#include <string.h>

enum { FILE_HEAD = 14, OS2 = 12, WINDOWS = 40 };
enum { NONE, RLE8, RLE4, MASKS, ALPHA_MASKS = 6 };

typedef struct bmp {
	nc_image_reader *r;
	size_t head, pixels; /* size of the second head; where the pixels are */
	int64_t width, height;
	bool down; /* from top to bottom */
	unsigned bits, compression, colors;
	size_t palette, entry; /* where, bytes of one */
	uint32_t mask[4];      /* red, green, blue, alpha */
} bmp;

static uint32_t little(const uint8_t *p, int bytes)
{
	uint32_t v = 0;
	while (bytes--)
		v = v << 8 | p[bytes];
	return v;
}

/* "BM" alone could begin a text: the size of the second head must be a likely one, too. */
static bool probe(const uint8_t *bytes, size_t size)
{
	if (size < FILE_HEAD + 4 || bytes[0] != 'B' || bytes[1] != 'M')
		return false;
	uint32_t n = little(bytes + FILE_HEAD, 4);
	return n >= OS2 && n < 4096;
}

/* -- the heads --------------------------------------------------------------------------------- */
static nacre_status read_masks(bmp *b)
{
	const uint8_t *p = b->r->bytes + FILE_HEAD;
	static const uint32_t standard[2][4] = {{0x7c00, 0x3e0, 0x1f, 0},
						{0xff0000, 0xff00, 0xff, 0}};
	int n = b->compression == ALPHA_MASKS || b->head >= 56 ? 4 : 3;
	memcpy(b->mask, standard[b->bits == 32], sizeof b->mask);
	if (b->compression != MASKS && b->compression != ALPHA_MASKS)
		return NACRE_OK;
	if (b->bits != 16 && b->bits != 32)
		return nc_image_wrong(b->r, "masks with %u bits: expected 16 or 32", b->bits);
	size_t end = WINDOWS + 4 * (size_t)n; /* inside the head, or behind it */
	if (b->r->size - FILE_HEAD < end)
		return nc_image_wrong(b->r, "the file ends in the masks of the colours");
	for (int i = 0; i < n; i++) {
		uint32_t m = b->mask[i] = little(p + WINDOWS + 4 * i, 4);
		uint32_t low = m ? m >> __builtin_ctz(m) : 0;
		if ((low & (low + 1)) || (!m && i < 3) || (b->bits == 16 && m > 0xffff))
			return nc_image_wrong(b->r, "mask %d of the colours is 0x%08x", i, m);
	}
	if (b->head < end)
		b->head = end;
	return NACRE_OK;
}

static nacre_status check_palette(bmp *b)
{
	const nc_image_reader *r = b->r;
	b->entry = b->head == OS2 ? 3 : 4;
	b->palette = FILE_HEAD + b->head;
	if (b->bits > 8) {
		b->colors = 0;
		return NACRE_OK;
	}
	if (!b->colors || b->colors > 1u << b->bits)
		b->colors = 1u << b->bits;
	if (b->palette > r->size || r->size - b->palette < b->colors * b->entry)
		return nc_image_wrong(b->r, "the palette of %u colours goes past the end",
				      b->colors);
	return NACRE_OK;
}

static nacre_status read_heads(bmp *b)
{
	const nc_image_reader *r = b->r;
	const uint8_t *p = r->bytes + FILE_HEAD;
	if (r->size < FILE_HEAD + OS2)
		return nc_image_wrong(b->r, "a head of at least %d bytes is expected, got %zu",
				      FILE_HEAD + OS2, r->size);
	b->pixels = little(r->bytes + 10, 4);
	b->head = little(p, 4);
	if ((b->head != OS2 && b->head < WINDOWS) || b->head > r->size - FILE_HEAD)
		return nc_image_wrong(b->r, "byte 14: a head of %zu bytes in %zu of file", b->head,
				      r->size);
	if (b->head == OS2) {
		b->width = (int64_t)little(p + 4, 2);
		b->height = (int64_t)little(p + 6, 2);
		b->bits = little(p + 10, 2);
	} else {
		b->width = (int32_t)little(p + 4, 4);
		b->height = (int32_t)little(p + 8, 4);
		b->bits = little(p + 14, 2);
		b->compression = little(p + 16, 4);
		b->colors = little(p + 32, 4);
	}
	b->down = b->height < 0;
	b->height = b->down ? -b->height : b->height;
	return NACRE_OK;
}

static nacre_status check_heads(bmp *b)
{
	static const unsigned depth[] = {1, 4, 8, 16, 24, 32};
	bool known = false;
	for (size_t i = 0; i < sizeof depth / sizeof *depth; i++)
		known |= depth[i] == b->bits;
	if (!known)
		return nc_image_wrong(b->r, "%u bits: expected 1, 4, 8, 16, 24 or 32", b->bits);
	if (b->compression > MASKS && b->compression != ALPHA_MASKS)
		return nc_image_wrong(b->r,
				      "compression %u: expected none (0), RLE (1, 2) or "
				      "masks (3, 6)",
				      b->compression);
	if ((b->compression == RLE8 && b->bits != 8) || (b->compression == RLE4 && b->bits != 4) ||
	    (b->down && (b->compression == RLE8 || b->compression == RLE4)))
		return nc_image_wrong(b->r, "RLE of compression %u with %u bits%s", b->compression,
				      b->bits, b->down ? ", from top to bottom" : "");
	if (read_masks(b) || check_palette(b))
		return NACRE_BAD_DATA;
	if (b->pixels < b->palette + b->colors * b->entry || b->pixels > b->r->size)
		return nc_image_wrong(b->r, "byte 10: the pixels begin at %zu, expected %zu to %zu",
				      b->pixels, b->palette + b->colors * b->entry, b->r->size);
	return NACRE_OK;
}

/* -- pixels ------------------------------------------------------------------------------------ */
static uint8_t *row_of(const bmp *b, int64_t y) /* y: in the order of the file */
{
	const nc_picture *p = &b->r->picture;
	int64_t line = b->down ? y : p->height - 1 - y;
	return p->data + (size_t)(line * p->width * p->channels);
}

/* A colour of the palette that is not there is black. */
static void put_color(const bmp *b, uint8_t *out, unsigned index)
{
	const uint8_t *p = b->r->bytes + b->palette + b->entry * index;
	for (int k = 0; k < 3; k++)
		out[k] = index < b->colors ? p[2 - k] : 0;
}

/* The number under a mask, as 0..255. */
static uint8_t under(uint32_t v, uint32_t mask)
{
	if (!mask)
		return 255;
	int shift = __builtin_ctz(mask);
	uint64_t most = mask >> shift, got = (v & mask) >> shift;
	return (uint8_t)((got * 255 + most / 2) / most);
}

static void read_row(const bmp *b, const uint8_t *from, uint8_t *out)
{
	int channels = b->r->picture.channels;
	for (int64_t x = 0; x < b->width; x++, out += channels) {
		if (b->bits <= 8) {
			size_t bit = (size_t)x * b->bits;
			unsigned shift = 8 - b->bits - (unsigned)(bit % 8);
			put_color(b, out,
				  (uint32_t)from[bit / 8] >> shift & ((1u << b->bits) - 1));
		} else if (b->bits == 24) {
			for (int k = 0; k < 3; k++)
				out[k] = from[3 * x + 2 - k];
		} else {
			int bytes = (int)b->bits / 8;
			uint32_t v = little(from + bytes * x, bytes);
			for (int k = 0; k < channels; k++)
				out[k] = under(v, b->mask[k]);
		}
	}
}

static nacre_status read_plain(bmp *b)
{
	size_t row = ((size_t)b->width * b->bits + 31) / 32 * 4;
	size_t have = b->r->size - b->pixels, need = row * (size_t)b->height;
	if (have < need)
		return nc_image_wrong(b->r, "the pixels need %zu bytes, the file has %zu", need,
				      have);
	for (int64_t y = 0; y < b->height; y++)
		read_row(b, b->r->bytes + b->pixels + (size_t)y * row, row_of(b, y));
	return NACRE_OK;
}

/* Pairs of bytes: a count and an index; 0 and 0 (end of the row), 1 (end), 2 (jump: dx, dy) or a
 * count of indices that follow one by one, filled up to pairs. */
static nacre_status read_rle(bmp *b)
{
	const uint8_t *p = b->r->bytes + b->pixels, *end = b->r->bytes + b->r->size;
	int64_t x = 0, y = 0;
	for (int64_t i = 0; i < b->height; i++)
		for (int64_t k = 0; k < b->width; k++)
			put_color(b, row_of(b, i) + 3 * k, 0);
	for (; end - p >= 2; p += 2) {
		unsigned count = p[0], what = p[1];
		bool single = !count && what > 2;
		size_t bytes = single ? (what * b->bits + 7) / 8 : 0;
		if (!count && what == 1)
			return NACRE_OK;
		if (!count && what == 0) {
			x = 0;
			y++;
			continue;
		}
		if ((size_t)(end - p) < 2 + (bytes + 1) / 2 * 2 ||
		    (!count && what == 2 && end - p < 4))
			break;
		if (!count && what == 2) {
			x += p[2];
			y += p[3];
			p += 2;
			continue;
		}
		unsigned n = single ? what : count;
		if (y >= b->height || x + n > b->width)
			return nc_image_wrong(b->r, "RLE at byte %zu: a run of %u at (%lld, %lld)",
					      (size_t)(p - b->r->bytes), n, (long long)x,
					      (long long)y);
		for (unsigned i = 0; i < n; i++, x++) {
			unsigned v = single ? p[2 + i * b->bits / 8] : what;
			if (b->bits == 4)
				v = i & 1 ? v & 15 : v >> 4;
			put_color(b, row_of(b, y) + 3 * x, v);
		}
		p += (bytes + 1) / 2 * 2;
	}
	return nc_image_wrong(b->r, "RLE: the file ends before the picture does");
}

static nacre_status read_bmp(nc_image_reader *r)
{
	bmp b = {.r = r};
	if (read_heads(&b) || check_heads(&b))
		return NACRE_BAD_DATA;
	bool rle = b.compression == RLE8 || b.compression == RLE4;
	double have = (double)(r->size - b.pixels);
	double most = rle ? have * 255 / 2 : have * 8 / b.bits;
	nacre_status s =
	    nc_image_begin(r, b.height, b.width, b.mask[3] && b.bits > 8 ? 4 : 3, 1, most);
	if (s || r->only_head)
		return s;
	return rle ? read_rle(&b) : read_plain(&b);
}

const nc_image_format nc_image_bmp = {
    .name = "BMP",
    .extension = {".bmp", ".dib"},
    .probe = probe,
    .read = read_bmp,
};
