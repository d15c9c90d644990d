/* SPDX-License-Identifier: MIT
 *
 * fuzz_bmp.c - fuzz target: BMP pictures from memory.
 */
#include "fuzz_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_image(data, size, &nc_image_bmp);
}
