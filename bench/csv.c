/* SPDX-License-Identifier: MIT
 *
 * csv.c - how fast a table is parsed, on one thread: bytes to fields, kinds of columns guessed and
 * checked, all that nacre_table_read() does but for the disk; then every number asked for once.
 *
 * Seconds are the processor's, which other work on the machine does not lengthen much.
 *
 * usage: bench_csv [TABLE.csv]      a file is repeated up to 64 MB; else rows are made up: eight
 *                                   numbers as those of census blocks, and a category
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "data/csv.h"

enum { ROUNDS = 5 };
static const size_t wanted = 64 << 20;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static char *made_up(size_t *size)
{
	static const char *const place[] = {"NEAR BAY", "INLAND", "<1H OCEAN", "NEAR OCEAN"};
	char *text = malloc(wanted + 200);
	size_t n = 0;
	uint64_t s = 1;
	if (!text)
		return NULL;
	n = (size_t)snprintf(text, 200, "longitude,latitude,age,rooms,population,households,"
					"income,value,place\n");
	while (n < wanted) {
		s = s * 6364136223846793005u + 1442695040888963407u;
		unsigned r = (unsigned)(s >> 40);
		n += (size_t)snprintf(text + n, 200,
				      "-%u.%02u,%u.%02u,%u.0,%u.0,%u.0,%u.0,%u.%04u,%u.0,%s\n",
				      114 + r % 11, r % 100, 32 + r % 10, r / 7 % 100, 1 + r % 52,
				      r % 9000, r / 3 % 5000, r / 9 % 1800, r % 15, r % 10000,
				      15000 + r % 485000, place[r % 4]);
	}
	*size = n;
	return text;
}

static char *repeated(const char *path, size_t *size)
{
	nacre_error e = {0};
	nc_bytes b;
	if (nc_file_map(path, &b, &e)) {
		fprintf(stderr, "%s\n", e.text);
		return NULL;
	}
	const char *data = (const char *)b.data, *line = memchr(data, '\n', b.size);
	size_t head = line ? (size_t)(line + 1 - data) : 0, body = b.size - head;
	char *text = malloc(wanted + b.size);
	if (!text || !body)
		return NULL;
	memcpy(text, data, head);
	for (*size = head; *size < wanted; *size += body)
		memcpy(text + *size, data + head, body);
	return text;
}

int main(int argc, char **argv)
{
	size_t size = 0;
	char *text = argc > 1 ? repeated(argv[1], &size) : made_up(&size);
	double best = 1e9, number = 1e9, sum = 0;
	nacre_error e = {0};
	for (int r = 0; r < ROUNDS && text; r++) {
		double start = now();
		nacre_table *t =
		    nc_table_parse(nc_runtime(NULL), (const uint8_t *)text, size, NULL, &e);
		double took = now() - start;
		best = took < best ? took : best;
		if (!t) {
			fprintf(stderr, "%s\n", e.text);
			return 1;
		}
		start = now();
		for (int64_t i = 0; i < nacre_table_rows(t); i++)
			for (int c = 0; c < nacre_table_columns(t); c++)
				if (nacre_table_kind(t, c) == NACRE_COLUMN_NUMBER)
					sum += nacre_table_number(t, i, c);
		took = now() - start;
		number = took < number ? took : number;
		if (!r)
			printf("%.1f MB, %lld rows of %d columns, %lld malformed\n",
			       (double)size * 1e-6, (long long)nacre_table_rows(t),
			       nacre_table_columns(t), (long long)nacre_table_malformed(t));
		nacre_table_free(t);
	}
	if (!text)
		return 1;
	printf("parsed: %.0f MB/s (best of %d); with every number asked for: %.0f MB/s (sum %g)\n",
	       (double)size / best * 1e-6, ROUNDS, (double)size / (best + number) * 1e-6, sum);
	free(text);
	return 0;
}
