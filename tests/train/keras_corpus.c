/* SPDX-License-Identifier: MIT
 *
 * keras_corpus.c - the fuzz target of config.json over its corpus.
 */
#include "format/replay.h"

#include "../../fuzz/fuzz_keras.c"

TEST(corpus)
{
	replay("keras", LLVMFuzzerTestOneInput, 8, 16);
}
