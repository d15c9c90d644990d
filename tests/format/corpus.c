/* SPDX-License-Identifier: MIT
 *
 * corpus.c - the fuzz targets of the formats over the committed corpus.
 */
#include "format/replay.h"
#include "nacre/format.h"

#define LLVMFuzzerTestOneInput fuzz_idx
#include "../../fuzz/fuzz_idx.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_npy
#include "../../fuzz/fuzz_npy.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_safetensors
#include "../../fuzz/fuzz_safetensors.c"
#undef LLVMFuzzerTestOneInput

#define LLVMFuzzerTestOneInput fuzz_zip
#include "../../fuzz/fuzz_zip.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_npz
#include "../../fuzz/fuzz_npz.c"
#undef LLVMFuzzerTestOneInput
#define LLVMFuzzerTestOneInput fuzz_hdf5
#include "../../fuzz/fuzz_hdf5.c"
#undef LLVMFuzzerTestOneInput

TEST(corpus_idx)
{
	replay("idx", fuzz_idx, 8, 16);
}

TEST(corpus_npy)
{
	replay("npy", fuzz_npy, 8, 16);
}

TEST(corpus_safetensors)
{
	replay("safetensors", fuzz_safetensors, 8, 16);
}

TEST(corpus_zip)
{
	replay("zip", fuzz_zip, 8, 16);
}

TEST(corpus_npz)
{
	replay("npz", fuzz_npz, 8, 16);
}

TEST(corpus_hdf5)
{
	replay("hdf5", fuzz_hdf5, 8, 16);
}
