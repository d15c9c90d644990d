/* SPDX-License-Identifier: MIT
 *
 * page.h - a white page with pictures in rows and columns, written as a file: what sheets are drawn
 * on.
 */
#ifndef PAGE_H
#define PAGE_H

#include "command.h"

typedef struct page {
	int64_t cell_height, cell_width; /* of the largest picture */
	int64_t height, width;
	nacre_tensor *pixels; /* u8 [height, width, 3] */
} page;

/* 0, or the exit code after an error was printed.  page_free() in either case. */
int page_new(page *p, int64_t rows, int64_t columns, int64_t cell_height, int64_t cell_width);
/* Picture i of t, [n, h, w, 1 or 3 and more] of 0 .. 255, no larger than a cell. */
void page_paint(page *p, int64_t row, int64_t column, const nacre_tensor *t, int64_t i);
int page_save(const page *p, const char *path);
void page_free(page *p);
/* Whether a sheet can be written there; else fails. */
int page_check_path(const char *path);

#endif
