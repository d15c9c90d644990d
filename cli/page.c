/* SPDX-License-Identifier: MIT
 *
 * page.c - a page of pictures.
 */
#include "page.h"

#include <string.h>

enum { GAP = 4 };

int page_check_path(const char *path)
{
	if (path && strcmp(path, "-") != 0)
		return 0;
	return fail(NACRE_INVALID, "expected -o FILE.png or -o FILE.ppm for the sheet");
}

int page_new(page *p, int64_t rows, int64_t columns, int64_t cell_height, int64_t cell_width)
{
	nacre_error e = {0};
	*p = (page){.cell_height = cell_height,
		    .cell_width = cell_width,
		    .height = rows * (cell_height + GAP) + GAP,
		    .width = columns * (cell_width + GAP) + GAP};
	p->pixels = nacre_tensor_new(NULL, NACRE_U8, 3, (int64_t[]){p->height, p->width, 3}, &e);
	if (!p->pixels)
		return fail_with(&e);
	memset(nacre_tensor_data(p->pixels), 255, (size_t)nacre_tensor_size(p->pixels));
	return 0;
}

void page_paint(page *p, int64_t row, int64_t column, const nacre_tensor *t, int64_t i)
{
	const int64_t *shape = nacre_tensor_shape(t);
	unsigned char *to = nacre_tensor_data(p->pixels);
	int64_t h = shape[1], w = shape[2], c = shape[3];
	int64_t top = GAP + row * (p->cell_height + GAP);
	int64_t left = GAP + column * (p->cell_width + GAP);
	for (int64_t k = 0; k < h * w; k++)
		for (int64_t j = 0; j < 3; j++) {
			double v = nacre_tensor_get(t, (i * h * w + k) * c + (c >= 3 ? j : 0));
			v = v > 0 ? v + 0.5 : 0.5; /* NaN is black */
			to[((top + k / w) * p->width + left + k % w) * 3 + j] =
			    (unsigned char)(v < 255 ? v : 255);
		}
}

int page_save(const page *p, const char *path)
{
	nacre_error e = {0};
	return nacre_image_save(p->pixels, path, NULL, &e) ? fail_with(&e) : 0;
}

void page_free(page *p)
{
	nacre_tensor_free(p->pixels);
	p->pixels = NULL;
}
