/* SPDX-License-Identifier: MIT
 *
 * image_exif.c - which side of a photo is up: tag 0x0112 in the first directory of the TIFF
 * structure that EXIF data is.  What is damaged there is passed over: the photo itself is not.
 */
#include "format/image.h"

#include <string.h>

typedef struct tiff {
	const uint8_t *p;
	size_t size;
	bool big;
} tiff;

static uint32_t number(const tiff *t, size_t at, size_t n) /* 0 past the end */
{
	uint32_t v = 0;
	if (at > t->size || n > t->size - at)
		return 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | t->p[at + (t->big ? i : n - 1 - i)];
	return v;
}

int nc_exif_orientation(const uint8_t *p, size_t size)
{
	enum { TAG = 0x0112, SHORT = 3, ENTRY = 12 };
	tiff t = {p, size, size >= 2 && p[0] == 'M'};
	if (size < 8 || p[0] != p[1] || (p[0] != 'M' && p[0] != 'I') || number(&t, 2, 2) != 42)
		return 1;
	size_t at = number(&t, 4, 4);
	for (uint32_t i = 0, n = number(&t, at, 2); i < n; i++) {
		size_t entry = at + 2 + (size_t)i * ENTRY;
		if (entry > size || size - entry < ENTRY)
			break;
		if (number(&t, entry, 2) != TAG)
			continue;
		uint32_t v = number(&t, entry + 8, 2);
		return number(&t, entry + 2, 2) == SHORT && v >= 1 && v <= 8 ? (int)v : 1;
	}
	return 1;
}

/* The segments in front of the picture: ff, marker, length (itself counted), contents. */
int nc_jpeg_orientation(const uint8_t *bytes, size_t size)
{
	enum { APP1 = 0xe1, START_OF_SCAN = 0xda, HEAD = 6 };
	static const char exif[HEAD] = "Exif\0";
	size_t at = 2;
	while (at + 4 <= size && bytes[at] == 0xff) {
		uint8_t marker = bytes[at + 1];
		size_t n = (size_t)bytes[at + 2] << 8 | bytes[at + 3];
		if (marker == 0xff) { /* fills up */
			at++;
			continue;
		}
		if (marker == START_OF_SCAN || n < 2 || n > size - at - 2)
			break;
		const uint8_t *p = bytes + at + 4;
		if (marker == APP1 && n - 2 > HEAD && memcmp(p, exif, HEAD) == 0)
			return nc_exif_orientation(p + HEAD, n - 2 - HEAD);
		at += 2 + n;
	}
	return 1;
}
