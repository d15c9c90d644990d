/* SPDX-License-Identifier: MIT
 *
 * nacre/image.h - pictures in files: read into tensors [height, width, channels], and written.
 *
 *     nacre_tensor *t = nacre_image_load(NULL, "cat.jpg",
 *                                        &(nacre_image_options){.color = NACRE_RGB,
 *                                                               .height = 224, .width = 224},
 *                                        &error);
 *     nacre_image_save(t, "small.png", NULL, &error);
 *
 * Read: PNG, JPEG (baseline, progressive, grey, CMYK), PNM (P1 to P6, 16 bits), BMP (1 to 32 bits,
 * RLE).  Written: PNG, JPEG, PNM.  The format is told by the first bytes, not by the name.  PNG
 * needs libpng and JPEG libjpeg when Nacre is built (nacre --version tells): without them such
 * files are refused with NACRE_UNSUPPORTED, and all the rest works.
 *
 * Numbers go from 0 (black) to 255: as f32 (the default) or u8.  A picture of 16 bits is divided
 * by 257, so that its largest number is 255, too; u8 is rounded from that.  Palettes and fewer bits
 * are expanded.  Gamma and colour profiles are left alone.
 *
 * Alpha: kept where the colour has it (GREY_ALPHA, RGBA; a file without gets 255), as the file
 * has it, not multiplied in.  Where it has none, alpha is dropped, as TensorFlow and Keras do, or,
 * with .composite, the picture is laid over .background.  Grey of RGB is
 * (299 R + 587 G + 114 B) / 1000; a JPEG's own brightness is taken as it is.
 *
 * The orientation in the EXIF data of JPEG and PNG is applied (Keras ignores it), so that the
 * picture stands upright; .no_orientation leaves it.
 *
 * A file that is damaged, cut off or too large is refused with a text that names it, what was
 * expected and what came.  Limits are checked before memory is taken, and no picture is believed
 * that is larger than its file can hold when unpacked.  All memory is the runtime's allocator's,
 * but for what libjpeg takes inside, which it does not let go: that is bounded by the same limits.
 */
#ifndef NACRE_IMAGE_H
#define NACRE_IMAGE_H

#include "layers_more.h"
#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef enum nacre_image_color {
	NACRE_AS_STORED,
	NACRE_GREY,
	NACRE_GREY_ALPHA,
	NACRE_RGB,
	NACRE_RGBA
} nacre_image_color;

/* What happens to the proportions where the size is changed. */
typedef enum nacre_image_aspect {
	NACRE_STRETCH, /* nothing is cut off or added */
	NACRE_CROP,    /* the largest part in the middle that has the new proportions */
	NACRE_PAD      /* the whole, with the background around it */
} nacre_image_aspect;

typedef struct nacre_image_options {
	nacre_image_color color;
	nacre_dtype dtype;     /* NACRE_F32 or NACRE_U8 */
	int64_t height, width; /* 0: as it is; both are given, or none */
	/* bilinear (default), nearest, bicubic, area: the places and weights of tf.image.resize.
	 * Without .antialias only the nearest points count, however much smaller it gets. */
	nacre_interpolation interpolation;
	int antialias; /* 1: bilinear and bicubic reach as far as the picture shrinks */
	nacre_image_aspect aspect;
	int composite;
	double background[3]; /* red, green, blue, 0 .. 255; its grey for grey pictures */
	int no_orientation;
	int64_t max_pixels; /* 0: 100 million */
	int64_t max_side;   /* 0: 65535 */
	int64_t max_bytes;  /* of the file; 0: 256 MiB */
} nacre_image_options;

/* What the head of a file says.  height and width: as stored, before the orientation. */
typedef struct nacre_image_info {
	const char *format; /* "PNG", "JPEG", "PNM", "BMP" */
	int64_t height, width;
	int channels;    /* 1 grey, 2 grey and alpha, 3 RGB, 4 RGBA */
	int bits;        /* of a number: 8 or 16 */
	int orientation; /* of EXIF: 1 upright ... 8; 1 if there is none */
} nacre_image_info;

/* Options NULL: the defaults.  NULL after an error. */
nacre_tensor *nacre_image_load(nacre_runtime *runtime, const char *path,
			       const nacre_image_options *options, nacre_error *error);
/* From bytes in memory, of a whole file. */
nacre_tensor *nacre_image_decode(nacre_runtime *runtime, const void *bytes, size_t size,
				 const nacre_image_options *options, nacre_error *error);
/* Only the head is read; of the options the limits count. */
nacre_status nacre_image_read_info(nacre_runtime *runtime, const char *path,
				   const nacre_image_options *options, nacre_image_info *info,
				   nacre_error *error);
/* A copy in another size, by the options' size, interpolation, aspect and background; image: [h, w,
 * c] of f32 or u8, 1 to 4 channels; the copy has its type. */
nacre_tensor *nacre_image_resize(const nacre_tensor *image, const nacre_image_options *options,
				 nacre_error *error);

typedef struct nacre_image_save_options {
	int quality; /* of JPEG, 1 to 100; 0: 95 */
	int bits;    /* of PNG and PNM: 8 (0) or 16 */
} nacre_image_save_options;
/* By extension: .png, .jpg, .jpeg, .pgm (grey), .ppm (RGB), .pnm (either).  image: [h, w] or
 * [h, w, c] of u8 or of floats 0 .. 255, which are rounded and cut off there.  Alpha only goes to
 * PNG.  The file is replaced as a whole. */
nacre_status nacre_image_save(const nacre_tensor *image, const char *path,
			      const nacre_image_save_options *options, nacre_error *error);

/* Format i that is known, "PNG", and whether this build reads it; NULL past the end. */
const char *nacre_image_format(int i, int *readable);
/* The format that those first bytes of a file (18 are enough) belong to; NULL: none. */
const char *nacre_image_probe(const void *bytes, size_t size);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
