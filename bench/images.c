/* SPDX-License-Identifier: MIT
 *
 * images.c - JPEG files of 128 x 128: decoded by libjpeg alone, from memory; decoded and resized to
 * f32 as data sets do it, from memory; and read from their files, decoded and augmented, batch by
 * batch, as nacre_fit() does it but for the network; in turn, on the same threads.
 *
 *     bench_images [ROUNDS [SIDE | LAYERS]...]     5 rounds; 128, 96, ..., flip, ...
 *
 * SIDE is that of the result; LAYERS, as flip,rotation, those that augment: flip, translation,
 * rotation, zoom, contrast, brightness.
 *
 * The photos are those of nacre_flowers(), or, where they are not there, noisy ones made here,
 * which are not augmented.  Settings of libjpeg are its own on all sides.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <nacre.h>

#include "bench.h"
#include "data/data.h"
#include "format/image.h"
#include "train/model.h"

#ifndef NACRE_HAVE_JPEG
int main(void)
{
	printf("this build has no libjpeg\n");
	return 0;
}
#else
#include <jpeglib.h>

enum { FILES = 2000, SIDE = 128, ROUNDS = 5, MOST = 64, BATCH = 32 };

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
		JSAMPROW rows[8];
		for (JDIMENSION k = 0; k < 8; k++)
			rows[k] = out + (size_t)(in.output_scanline + k) * in.output_width * 3;
		JDIMENSION rest = in.output_height - in.output_scanline;
		jpeg_read_scanlines(&in, rows, rest < 8 ? rest : 8);
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

/* Seconds by the clock and of all threads' processor time (with waiting threads, that spin). */
typedef struct spent {
	double wall, cpu;
} spent;

static spent now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (spent){nc_now(), (double)t.tv_sec + 1e-9 * (double)t.tv_nsec};
}

static spent since(spent start)
{
	spent t = now();
	return (spent){t.wall - start.wall, t.cpu - start.cpu};
}

static spent run(bench *b, int64_t side)
{
	b->how = (nacre_image_options){.color = NACRE_RGB, .height = side, .width = side};
	b->next = 0;
	spent start = now();
	nc_pool_run(b->rt->pool, work, b);
	return since(start);
}

static void report(const bench *b, const char *what, const spent time[2][MOST], int rounds)
{
	int mid = rounds / 2;
	double wall[2][MOST], cpu[2][MOST];
	for (int k = 0; k < 2; k++) {
		for (int r = 0; r < rounds; r++) {
			wall[k][r] = time[k][r].wall;
			cpu[k][r] = time[k][r].cpu;
		}
		bench_sort(wall[k], rounds);
		bench_sort(cpu[k], rounds);
	}
	printf("%-42s: libjpeg alone %6.0f (%6.0f), this %6.0f (%6.0f): %.2f of its speed; by "
	       "processor time %6.0f, %6.0f: %.2f\n",
	       what, b->n / wall[0][mid], b->n / wall[0][0], b->n / wall[1][mid],
	       b->n / wall[1][0], wall[0][mid] / wall[1][mid], b->n / cpu[0][mid],
	       b->n / cpu[1][mid], cpu[0][mid] / cpu[1][mid]);
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

static bool get_files(bench *b)
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
	bool photos = b->n;
	for (unsigned i = 0; b->n < FILES / 4; i++)
		make_file(b, i);
	return photos;
}

/* -- augmentation: a model that is nothing else, run as in training ---------------------------- */
static nacre_model *augmenting(const char *layers)
{
	nacre_model *m = nacre_sequential("augment");
	nacre_add(m, nacre_input(SIDE, SIDE, 3));
	if (strstr(layers, "flip"))
		nacre_add(m, nacre_random_flip(NACRE_FLIP_HORIZONTAL));
	if (strstr(layers, "translation"))
		nacre_add(m, nacre_random_translation(0.1, 0.1));
	if (strstr(layers, "rotation"))
		nacre_add(m, nacre_random_rotation(0.1));
	if (strstr(layers, "zoom"))
		nacre_add(m, nacre_random_zoom(0.1));
	if (strstr(layers, "contrast"))
		nacre_add(m, nacre_random_contrast(0.2, .factor_high = 0.2));
	if (strstr(layers, "brightness"))
		nacre_add(m, nacre_random_brightness(0.1));
	if (strcmp(layers, "nothing") == 0)
		nacre_add(m, nacre_activation(nacre_linear));
	return m;
}

/* One pass over the data. */
static bool augment(nacre_model *m, nacre_dataset *d, spent *time)
{
	nc_source s;
	nc_feeder f;
	if (!nc_source_open(&s, m, d, NC_SAMPLE, "bench") || !nc_model_draw(m) ||
	    !nc_feeder_open(&f, m, &s, NC_SAMPLE, BATCH, "bench"))
		return false;
	spent start = now();
	bool ok = true;
	nc_feeder_first(&f, 0);
	for (int64_t i = 0; i < f.batches && ok; i++)
		ok = nc_feeder_step(&f, i) != NULL;
	*time = since(start);
	nc_feeder_close(&f);
	return ok;
}

static bool compare_augmented(bench *b, nacre_dataset *d, const char *layers, int rounds)
{
	nacre_model *m = augmenting(layers);
	spent time[2][MOST];
	bool ok = augment(m, d, &time[1][0]);
	for (int r = 0; r < rounds && ok; r++) {
		time[0][r] = run(b, 0);
		ok = augment(m, d, &time[1][r]);
	}
	if (ok)
		report(b, layers, time, rounds);
	nacre_report(m);
	nacre_model_free(m);
	return ok;
}

static void compare_decoded(bench *b, int64_t side, int rounds)
{
	char what[32];
	spent time[2][MOST];
	run(b, 0);
	for (int r = 0; r < rounds; r++) {
		time[0][r] = run(b, 0);
		time[1][r] = run(b, side);
	}
	snprintf(what, sizeof what, "to %d x %d", (int)side, (int)side);
	report(b, what, time, rounds);
}

int main(int argc, char **argv)
{
	static bench b;
	static char *standard[] = {"128",
				   "96",
				   "160",
				   "224",
				   "nothing",
				   "flip",
				   "flip,contrast,brightness",
				   "flip,translation",
				   "flip,rotation",
				   "flip,rotation,zoom",
				   "flip,rotation,zoom,contrast,brightness"};
	int rounds = argc > 1 ? (int)strtol(argv[1], NULL, 10) : ROUNDS;
	int n = argc > 2 ? argc - 2 : (int)(sizeof standard / sizeof *standard);
	char **what = argc > 2 ? argv + 2 : standard;
	if (rounds < 1 || rounds > MOST)
		return 2;
	b.rt = nacre_runtime_default();
	bool photos = get_files(&b);
	nacre_dataset *all = nacre_flowers(.data.image = {.height = SIDE, .width = SIDE});
	nacre_dataset *d = nacre_dataset_slice(all, 0, b.n);
	printf("%d files of %d x %d, %d threads; images per second, median (best) of %d rounds\n",
	       b.n, SIDE, SIDE, nacre_runtime_threads(b.rt), rounds);
	for (int i = 0; i < n; i++) {
		int64_t side = strtol(what[i], NULL, 10);
		if (side > 0)
			compare_decoded(&b, nc_min(side, 512), rounds);
		else if (photos && !compare_augmented(&b, d, what[i], rounds))
			b.failures++;
	}
	nacre_dataset_free(d);
	nacre_dataset_free(all);
	for (int i = 0; i < b.n; i++)
		nc_bytes_free(nc_runtime_memory(b.rt), &b.file[i]);
	if (b.failures)
		printf("%d files could not be read\n", b.failures);
	return b.failures != 0;
}
#endif
