/* SPDX-License-Identifier: MIT
 *
 * images.c - JPEG files of 128 x 128 from memory: decoded by libjpeg alone, and decoded and resized
 * to f32 as data sets do it, in turn, on the same threads.
 *
 *     bench_images [ROUNDS [SIDE...]]     5 rounds; sides of the result 128, 96, 160, 224
 *
 * The photos are those of nacre_flowers(), or, where they are not there, noisy ones made here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "data/data.h"
#include "format/image.h"
#include "nacre/image_data.h"

#ifndef NACRE_HAVE_JPEG
int main(void)
{
	printf("this build has no libjpeg\n");
	return 0;
}
#else
#include <jpeglib.h>

enum { FILES = 2000, SIDE = 128, ROUNDS = 5, MOST = 64 };

typedef struct bench {
	nacre_runtime *rt;
	nc_bytes file[FILES];
	int n;
	int64_t next;
	nacre_image_options how; /* height 0: by libjpeg alone */
	int failures;
} bench;

static void raw(const nc_bytes *f, uint8_t *out)
{
	struct jpeg_decompress_struct in;
	struct jpeg_error_mgr errors;
	in.err = jpeg_std_error(&errors);
	jpeg_create_decompress(&in);
	jpeg_mem_src(&in, (unsigned char *)(uintptr_t)f->data, (unsigned long)f->size);
	jpeg_read_header(&in, TRUE);
	in.out_color_space = JCS_RGB;
	jpeg_start_decompress(&in);
	while (in.output_scanline < in.output_height) {
		JSAMPROW row = out + (size_t)in.output_scanline * in.output_width * 3;
		jpeg_read_scanlines(&in, &row, 1);
	}
	jpeg_finish_decompress(&in);
	jpeg_destroy_decompress(&in);
}

static void ours(bench *b, const nc_bytes *f, float *out)
{
	nc_memory *m = nc_runtime_memory(b->rt);
	nc_picture p;
	nacre_error e = {0};
	if (nc_image_read(m, f->data, f->size, &b->how, &p, &e)) {
		__atomic_fetch_add(&b->failures, 1, __ATOMIC_RELAXED);
		return;
	}
	nc_picture_put(&p, b->rt, &b->how, out, &e);
	nc_picture_free(&p, m);
}

static void work(void *arg, nc_team team)
{
	bench *b = arg;
	(void)team;
	float *out = malloc(sizeof *out * 3 * 512 * 512);
	for (;;) {
		int64_t i = __atomic_fetch_add(&b->next, 1, __ATOMIC_RELAXED);
		if (i >= b->n)
			break;
		if (b->how.height)
			ours(b, &b->file[i], out);
		else
			raw(&b->file[i], (uint8_t *)out);
	}
	free(out);
}

static double run(bench *b, int64_t side)
{
	b->how = (nacre_image_options){.color = NACRE_RGB, .height = side, .width = side};
	b->next = 0;
	double start = nc_now();
	nc_pool_run(b->rt->pool, work, b);
	return nc_now() - start;
}

static void make_file(bench *b, unsigned seed)
{
	nacre_error e = {0};
	nc_buffer to;
	nacre_tensor *t = nacre_tensor_new(b->rt, NACRE_U8, 3, (int64_t[]){SIDE, SIDE, 3}, &e);
	uint8_t *p = nacre_tensor_data(t);
	for (int i = 0; i < SIDE * SIDE * 3; i++) {
		seed = seed * 1664525 + 1013904223;
		p[i] = (uint8_t)((i / 3 % SIDE) + (i / 3 / SIDE) / 2 + (int)(seed >> 28));
	}
	nc_buffer_init(&to, nc_runtime_memory(b->rt), &e);
	nc_sink sink = nc_sink_buffer(&to);
	nc_image_encode(t, &nc_image_jpeg, ".jpg", &(nacre_image_save_options){.quality = 90},
			&sink, &e);
	b->file[b->n++] = (nc_bytes){to.data, to.size, false};
	nacre_tensor_free(t);
}

static void get_files(bench *b)
{
	nacre_dataset *d = nacre_flowers();
	for (int64_t i = 0; i < nacre_dataset_size(d) && b->n < FILES; i++) {
		nacre_image_info info;
		const char *path = nacre_dataset_file(d, i);
		if (!nacre_image_read_info(b->rt, path, NULL, &info, NULL) && info.height == SIDE &&
		    info.width == SIDE &&
		    !nc_file_read(nc_runtime_memory(b->rt), path, 0, &b->file[b->n], NULL))
			b->n++;
	}
	printf("%s\n", b->n ? "photos of flowers" : nacre_dataset_error(d)->text);
	nacre_dataset_free(d);
	for (unsigned i = 0; b->n < FILES / 4; i++)
		make_file(b, i);
}

int main(int argc, char **argv)
{
	static bench b;
	static const char *const standard[] = {"128", "96", "160", "224"};
	int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : ROUNDS;
	int n = argc > 2 ? argc - 2 : 4;
	if (rounds < 1 || rounds > MOST)
		return 2;
	b.rt = nacre_runtime_default();
	get_files(&b);
	printf("%d files of %d x %d, %d threads; images per second, median (best) of %d rounds\n",
	       b.n, SIDE, SIDE, nacre_runtime_threads(b.rt), rounds);
	for (int i = 0; i < n; i++) {
		const char *name = argc > 2 ? argv[2 + i] : standard[i];
		int64_t side = nc_min(nc_max(strtol(name, NULL, 10), 1), 512);
		double time[2][MOST];
		run(&b, 0);
		for (int r = 0; r < rounds; r++) {
			time[0][r] = run(&b, 0);
			time[1][r] = run(&b, side);
		}
		for (int k = 0; k < 2; k++)
			bench_sort(time[k], rounds);
		int mid = rounds / 2;
		printf(
		    "to %3d x %3d: libjpeg alone %7.0f (%7.0f), with all the rest %7.0f (%7.0f): "
		    "%.2f of its speed\n",
		    (int)side, (int)side, b.n / time[0][mid], b.n / time[0][0], b.n / time[1][mid],
		    b.n / time[1][0], time[0][mid] / time[1][mid]);
	}
	for (int i = 0; i < b.n; i++)
		nc_bytes_free(nc_runtime_memory(b.rt), &b.file[i]);
	if (b.failures)
		printf("%d files could not be read\n", b.failures);
	return b.failures != 0;
}
#endif
