/* SPDX-License-Identifier: MIT
 *
 * Transfers: what arrives, its checksum, and what stays of a mapped file in memory.
 */
#include <fcntl.h>
#include <unistd.h>

#include "base/crc.h"
#include "base/transfer.h"
#include "test.h"

enum { MB = 1 << 20, LARGE = 40 * MB };

static uint8_t *random_bytes(size_t n)
{
	uint64_t *p = malloc(n + 8);
	for (size_t i = 0; p && i < n / 8 + 1; i++)
		p[i] = i * 0x9e3779b97f4a7c15u ^ i >> 7;
	CHECK(p);
	return (uint8_t *)p;
}

static void check(nc_pool *pool, const uint8_t *from, size_t n, const nc_bytes *file)
{
	uint8_t *to = malloc(n + 2);
	uint32_t before = 0x12345678, crc = before, alone = before;
	if (!to)
		return;
	memset(to, 7, n + 2);
	nc_transfer(pool, to + 1, from, n, file, &crc);
	nc_transfer(pool, NULL, from, n, NULL, &alone);
	CHECK(!memcmp(to + 1, from, n) && to[0] == 7 && to[n + 1] == 7);
	CHECK_EQ(crc, nc_crc32(before, from, n));
	CHECK_EQ(alone, crc);
	memset(to, 0, n + 2);
	nc_transfer(pool, to, from, n, file, NULL);
	CHECK(!memcmp(to, from, n));
	nc_transfer(pool, NULL, from, n, file, NULL);
	free(to);
}

TEST(any_size_on_any_threads)
{
	static const size_t sizes[] = {0, 1, 4096, MB, MB + 1, 4 * MB, 8 * MB - 1, 21 * MB + 12345};
	nc_memory m;
	uint8_t *from = random_bytes(LARGE);
	nc_memory_init(&m, NULL);
	for (int threads = 0; threads <= 4; threads++) {
		nc_pool *pool = threads ? nc_pool_new(&m, threads) : NULL;
		for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
			check(pool, from + i, sizes[i], NULL);
		nc_pool_free(pool);
	}
	free(from);
}

static double resident_file(void)
{
	char text[128];
	double kb = -1;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(text, sizeof text, f))
		if (!strncmp(text, "RssFile:", 8))
			kb = strtod(text + 8, NULL);
	if (f)
		fclose(f);
	return kb * 1024;
}

TEST(a_mapped_file_is_forgotten)
{
	char path[100];
	nc_memory m;
	nc_bytes file;
	nacre_error e = {0};
	uint8_t *from = random_bytes(LARGE);
	snprintf(path, sizeof path, "/tmp/nacre-test-%ld-transfer", (long)getpid());
	FILE *f = fopen(path, "wb");
	CHECK(f && fwrite(from, 1, LARGE, f) == LARGE);
	if (f)
		fclose(f);
	nc_memory_init(&m, NULL);
	for (int threads = 1; threads <= 3; threads++) {
		nc_pool *pool = nc_pool_new(&m, threads);
		uint32_t crc = 0;
		CHECK(!nc_file_map(path, &file, &e));
		double before = resident_file();
		nc_transfer(pool, NULL, file.data + 77, LARGE - 77, &file, &crc);
		double stays = resident_file() - before;
		if (before < 0 || !(stays < 2 * MB))
			test_failed(__FILE__, __LINE__, "%d threads: %.0f bytes stay", threads,
				    stays);
		CHECK_EQ(crc, nc_crc32(0, from + 77, LARGE - 77));
		check(pool, file.data + 77, LARGE - 77, &file); /* it is read again */
		nc_bytes_free(&m, &file);
		nc_pool_free(pool);
	}
	unlink(path);
	free(from);
}
