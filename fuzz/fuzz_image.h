/* SPDX-License-Identifier: MIT
 *
 * fuzz_image.h - what the targets of pictures share: the bytes are read as they are and in other
 * colours and sizes; what was read is written where that loses nothing, and read again.
 */
#ifndef NACRE_FUZZ_IMAGE_H
#define NACRE_FUZZ_IMAGE_H

#include <string.h>

#include "format/image.h"
#include "fuzz.h"
#include "tensor/tensor.h"

enum { FUZZ_PIXELS = 1 << 20 };

static inline void fuzz_image_again(const nacre_tensor *t, const nc_image_format *format,
				    const char *extension, int bits)
{
	nacre_error e = {0};
	nc_buffer b;
	nc_buffer_init(&b, nc_runtime_memory(fuzz_runtime()), &e);
	nc_sink to = nc_sink_buffer(&b);
	nacre_image_save_options save = {.bits = bits};
	FUZZ_CHECK(!nc_image_encode(t, format, extension, &save, &to, &e));
	nacre_tensor *u = nacre_image_decode(fuzz_runtime(), b.data, b.size, NULL, &e);
	FUZZ_CHECK(u && u->rank == t->rank && !memcmp(u->shape, t->shape, 3 * sizeof *t->shape));
	for (int64_t i = 0; i < nacre_tensor_size(t); i++)
		FUZZ_CHECK(nacre_tensor_get(u, i) - nacre_tensor_get(t, i) < 1e-4 &&
			   nacre_tensor_get(t, i) - nacre_tensor_get(u, i) < 1e-4);
	nacre_tensor_free(u);
	nc_buffer_free(&b);
}

static inline int fuzz_image(const uint8_t *data, size_t size, const nc_image_format *format)
{
	nacre_runtime *rt = fuzz_runtime();
	nacre_error e = {0};
	nacre_image_options o = {.max_pixels = FUZZ_PIXELS};
	const nc_image_format *found = nc_image_format_of(data, size);
	nacre_tensor *t =
	    found && found != format ? NULL : nacre_image_decode(rt, data, size, &o, &e);
	FUZZ_CHECK((found && found != format) || !t == (e.status != NACRE_OK));
	FUZZ_CHECK(!e.status || e.text[0]);
	bool accepted = t;
	if (t) {
		for (int64_t i = 0; i < nacre_tensor_size(t); i++)
			FUZZ_CHECK(nacre_tensor_get(t, i) >= 0 && nacre_tensor_get(t, i) <= 255);
		if (t->shape[2] % 2)
			fuzz_image_again(t, &nc_image_pnm, ".pnm", 16);
		if (nc_image_png.write)
			fuzz_image_again(t, &nc_image_png, ".png", 16);
		nacre_image_options other = {.max_pixels = FUZZ_PIXELS,
					     .color = NACRE_RGBA - size % 4,
					     .dtype = NACRE_U8,
					     .composite = size & 1,
					     .height = 9,
					     .width = 1 + size % 16,
					     .interpolation = size % 5,
					     .aspect = size % 3};
		nacre_tensor *u = nacre_image_decode(rt, data, size, &other, &e);
		FUZZ_CHECK(u && u->shape[0] == 9 && u->shape[2] == (int64_t)other.color);
		nacre_tensor_free(u);
	}
	nacre_tensor_free(t);
	return fuzz_done(accepted);
}

#endif
