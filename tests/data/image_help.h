/* SPDX-License-Identifier: MIT
 *
 * image_help.h - folders of small pictures, written as PNM by hand.
 */
#ifndef TEST_DATA_IMAGE_HELP_H
#define TEST_DATA_IMAGE_HELP_H

#include <nacre.h>
#include <sys/stat.h>
#include <unistd.h>

#include "test.h"

static char image_folder[200];

static inline void image_write(const char *name, const void *data, size_t n)
{
	char path[600];
	snprintf(path, sizeof path, "%s/%s", image_folder, name);
	FILE *f = fopen(path, "wb");
	CHECK(f && fwrite(data, 1, n, f) == n);
	if (f)
		fclose(f);
}

/* 4 x 6, RGB, of one seed */
static inline void image_put(const char *name, unsigned seed)
{
	unsigned char file[64 + 72];
	int n = snprintf((char *)file, 64, "P6\n6 4\n255\n");
	for (int i = 0; i < 72; i++)
		file[n++] = (unsigned char)(seed * 37 + (unsigned)i * (seed % 5 + 1));
	image_write(name, file, (size_t)n);
}

static inline void image_class(const char *name)
{
	char path[600];
	snprintf(path, sizeof path, "%s/%s", image_folder, name);
	CHECK(!mkdir(path, 0777));
}

/* `classes` folders "c0" ..., each with `n` pictures "0.ppm" ... */
static inline void image_make(int classes, int n)
{
	char name[64];
	snprintf(image_folder, sizeof image_folder, "/tmp/nacre-test-%ld-photos", (long)getpid());
	if (!access(image_folder, F_OK))
		test_remove_folder(image_folder);
	CHECK(!mkdir(image_folder, 0777));
	for (int c = 0; c < classes; c++) {
		snprintf(name, sizeof name, "c%d", c);
		image_class(name);
		for (int i = 0; i < n; i++) {
			snprintf(name, sizeof name, "c%d/%d.ppm", c, i);
			image_put(name, (unsigned)(c * 100 + i));
		}
	}
}

#endif
