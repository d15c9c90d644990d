/* SPDX-License-Identifier: MIT
 *
 * image.h - inside the readers and writers of pictures.
 *
 *   image.c          the table of formats; limits; from bytes to a tensor, and back to a file
 *   image_png.c ...  a format each: from bytes to a picture as it is stored there
 *   image_exif.c     the orientation
 *   image_convert.c  turning, colours
 *   image_resize.c   sizes, and from whole numbers to those of a tensor
 */
#ifndef NC_IMAGE_H
#define NC_IMAGE_H

#include "base/base.h"
#include "format/sink.h"
#include "nacre/image.h"

/* Rows from top to bottom without gaps; numbers of 1 byte, or of 2 as this machine has them. */
typedef struct nc_picture {
	int64_t height, width;
	int channels, bytes; /* of a pixel; of a number */
	uint8_t *data;
	size_t size;
} nc_picture;

typedef struct nc_image_format nc_image_format;

typedef struct nc_image_reader {
	nc_memory *memory;
	const uint8_t *bytes;
	size_t size;
	const nacre_image_options *options;
	bool only_head;
	nacre_error *error;
	/* what the format's reader finds */
	nacre_image_info info;
	nc_picture picture; /* given back by the caller, after an error too */
} nc_image_reader;

struct nc_image_format {
	const char *name;
	const char *extension[5]; /* with the dot, in lower case; ends at NULL */
	bool (*probe)(const uint8_t *bytes, size_t size);
	nacre_status (*read)(nc_image_reader *r); /* NULL: not in this build, for lack of ... */
	const char *needs;                        /* ... this library */
	nacre_status (*write)(const nc_picture *p, const char *extension,
			      const nacre_image_save_options *o, nc_memory *m, const nc_sink *to,
			      nacre_error *e);
};
extern const nc_image_format nc_image_png, nc_image_jpeg, nc_image_pnm, nc_image_bmp;
const nc_image_format *nc_image_format_at(int i); /* NULL past the end */
const nc_image_format *nc_image_format_of(const uint8_t *bytes, size_t size);
/* Whether a name ends as those of pictures do. */
bool nc_image_name_ok(const char *path);

/* A reader knows the size: refuses what is beyond the limits, or has more pixels than `most`, which
 * is what a file of that size can hold; takes memory for the picture, unless only the head is
 * wanted. */
nacre_status nc_image_begin(nc_image_reader *r, int64_t height, int64_t width, int channels,
			    int bytes, double most);
/* "PNG: ..."  Returns NACRE_BAD_DATA. */
nacre_status nc_image_wrong(nc_image_reader *r, const char *format, ...) NC_PRINTF(2, 3);

nacre_status nc_picture_new(nc_picture *p, nc_memory *m, int64_t height, int64_t width,
			    int channels, int bytes, nacre_error *e);
void nc_picture_free(nc_picture *p, nc_memory *m);

/* The orientation in the TIFF structure of EXIF data, 1 to 8; 1 if there is none, or it is damaged.
 * In a JPEG file: in its first segment of EXIF. */
int nc_exif_orientation(const uint8_t *tiff, size_t size);
int nc_jpeg_orientation(const uint8_t *bytes, size_t size);

/* image_convert.c; *p becomes another picture */
nacre_status nc_picture_orient(nc_picture *p, nc_memory *m, int orientation, nacre_error *e);
nacre_status nc_picture_color(nc_picture *p, nc_memory *m, const nacre_image_options *o,
			      nacre_error *e);
static inline int nc_color_channels(nacre_image_color color, int stored)
{
	return color == NACRE_AS_STORED ? stored : (int)color;
}

/* image_resize.c: into `out`, [height, width, channels] of f32 or u8, in the size of the options
 * or, if that is 0, its own.  From numbers of 1, 2 or (f32) 4 bytes. */
nacre_status nc_picture_put(const nc_picture *p, nacre_runtime *rt, const nacre_image_options *o,
			    void *out, nacre_error *e);

/* The options are such as can be. */
nacre_status nc_image_check(const nacre_image_options *o, nacre_error *e);
/* From the bytes of a file to a picture, turned and in the colours of the options, to be freed. */
nacre_status nc_image_read(nc_memory *m, const uint8_t *bytes, size_t size,
			   const nacre_image_options *o, nc_picture *out, nacre_error *e);
/* To the bytes of a file. */
nacre_status nc_image_encode(const nacre_tensor *t, const nc_image_format *f, const char *extension,
			     const nacre_image_save_options *o, const nc_sink *to, nacre_error *e);
static inline int64_t nc_image_max_bytes(const nacre_image_options *o)
{
	return o->max_bytes ? o->max_bytes : (int64_t)256 << 20;
}

#endif
