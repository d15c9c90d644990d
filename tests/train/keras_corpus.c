/* SPDX-License-Identifier: MIT
 *
 * keras_corpus.c - the fuzz target of config.json over its corpus: "ok-*" must be accepted, "bad-*"
 * refused.
 */
#include <dirent.h>

#include "test.h"

#include "../../fuzz/fuzz_keras.c"

TEST(corpus)
{
	char folder[1000], path[1400];
	snprintf(folder, sizeof folder, "%s/fuzz/corpus/keras", NACRE_SOURCE_DIR);
	nc_memory m;
	nc_memory_init(&m, NULL);
	DIR *d = opendir(folder);
	CHECK(d);
	int ok = 0, bad = 0;
	for (struct dirent *entry; d && (entry = readdir(d));) {
		nc_bytes bytes;
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		CHECK(!nc_file_read(&m, path, 0, &bytes, NULL));
		LLVMFuzzerTestOneInput(bytes.data, bytes.size);
		nc_bytes_free(&m, &bytes);
		bool must = !strncmp(entry->d_name, "ok-", 3);
		bool must_not = !strncmp(entry->d_name, "bad-", 4);
		if ((must && !fuzz_accepted) || (must_not && fuzz_accepted))
			test_failed(__FILE__, __LINE__, "%s %s", path,
				    fuzz_accepted ? "was accepted" : "was refused");
		ok += must;
		bad += must_not;
	}
	if (d)
		closedir(d);
	printf("  keras: %d accepted, %d refused\n", ok, bad);
	CHECK(ok >= 8 && bad >= 16);
}
