/* SPDX-License-Identifier: MIT
 *
 * fuzz_png.c - fuzz target: PNG pictures from memory, with right checksums after each mutation,
 * which would stop nearly all of them else.
 */
#include "base/crc.h"
#include "format/load.h"
#include "fuzz_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_image(data, size, &nc_image_png);
}

#ifndef LLVMFuzzerTestOneInput /* the fuzzer's own build, not the replay of the corpus */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
	size = LLVMFuzzerMutate(data, size, room);
	if (seed % 8 == 0)
		return size;
	for (size_t at = 8; at + 12 <= size;) {
		size_t n = nc_big32(data + at);
		if (n > size - at - 12)
			break;
		uint32_t crc = nc_crc32(0, data + at + 4, n + 4);
		for (size_t i = 0; i < 4; i++)
			data[at + 8 + n + i] = (uint8_t)(crc >> (24 - 8 * i));
		at += 12 + n;
	}
	return size;
}
#endif
