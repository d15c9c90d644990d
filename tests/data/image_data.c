/* SPDX-License-Identifier: MIT
 *
 * image_data.c - data sets of pictures in folders: which files, in what order, what they hold; bad
 * files, caches, the sets that are known by name.
 */
#include "data/image_data.h"

#include <fcntl.h>

#include "data/image_help.h"
#include "format/image.h"

#define OPEN(...)                                                                                  \
	nacre_image_dataset_from_directory(image_folder, .image.height = 4, .image.width = 6,      \
					   __VA_ARGS__)

static void check_ok(const nacre_dataset *d)
{
	if (nacre_dataset_error(d)->status)
		test_failed(__FILE__, __LINE__, "%s", nacre_dataset_error(d)->text);
}

static void refused(nacre_dataset *d, const char *text)
{
	CHECK(nacre_dataset_error(d)->status && nacre_dataset_size(d) == 0);
	if (!strstr(nacre_dataset_error(d)->text, text))
		test_failed(__FILE__, __LINE__, "\"%s\" has no \"%s\"",
			    nacre_dataset_error(d)->text, text);
	nacre_dataset_free(d);
}

/* Sample i is the file that it says it is. */
static void check_sample(nacre_dataset *d, int64_t i)
{
	float x[72];
	nacre_error e = {0};
	nacre_tensor *t = nacre_image_load(NULL, nacre_dataset_file(d, i), NULL, &e);
	CHECK(!nacre_dataset_sample(d, i, x, &e));
	CHECK_STR(e.text, "");
	for (int k = 0; t && k < 72; k++)
		CHECK_NEAR(x[k], nacre_tensor_get(t, k), 0);
	nacre_tensor_free(t);
}

TEST(files_in_order)
{
	image_make(2, 3);
	image_class("c0/deeper");
	image_put("c0/deeper/a.PPM", 7);
	image_put("c0/.hidden.ppm", 8);
	image_write("c0/notes.txt", "hello", 5);
	image_write("top.ppm", "", 0);
	nacre_dataset *d = OPEN(.no_shuffle = 1);
	check_ok(d);
	static const char *const want[] = {"c0/0.ppm", "c0/1.ppm", "c0/2.ppm", "c0/deeper/a.PPM",
					   "c1/0.ppm", "c1/1.ppm", "c1/2.ppm"};
	int rank = 0;
	CHECK_EQ(nacre_dataset_size(d), 7);
	for (int i = 0; i < 7; i++) {
		CHECK_STR(nacre_dataset_file(d, i) + strlen(image_folder) + 1, want[i]);
		CHECK_EQ(nacre_dataset_label(d, i), i > 3);
		check_sample(d, i);
	}
	CHECK_STR(nacre_dataset_class_name(d, 1), "c1");
	CHECK(!nacre_dataset_class_name(d, 2) && !nacre_dataset_file(d, 7));
	CHECK_EQ(nacre_dataset_problems(d), 1);
	CHECK(strstr(nacre_dataset_problem(d, 0), "c0/notes.txt"));
	CHECK(!nacre_dataset_problem(d, 1) && !nacre_dataset_input(d, 0));
	CHECK_EQ(nacre_dataset_shape(d, 0, &rank)[1], 6);
	CHECK_EQ(rank, 3);
	CHECK_EQ(nacre_dataset_classes(d, 0), 2);
	nacre_dataset *part = nacre_dataset_slice(d, 4, 6);
	nacre_dataset_free(d);
	CHECK_STR(nacre_dataset_file(part, 1) + strlen(image_folder) + 1, "c1/1.ppm");
	check_sample(part, 0);
	nacre_dataset_free(part);
	test_remove_folder(image_folder);
}

TEST(shuffled_and_split_by_seed)
{
	image_make(3, 7);
	nacre_dataset *all = OPEN(.seed = 5), *again = OPEN(.seed = 5), *other = OPEN(.seed = 6);
	nacre_dataset *train =
	    OPEN(.seed = 5, .validation_split = 0.25, .subset = NACRE_SUBSET_TRAINING);
	nacre_dataset *held =
	    OPEN(.seed = 5, .validation_split = 0.25, .subset = NACRE_SUBSET_VALIDATION);
	CHECK_EQ(nacre_dataset_size(train), 16);
	CHECK_EQ(nacre_dataset_size(held), 5);
	int same = 0;
	for (int i = 0; i < 21; i++) {
		nacre_dataset *part = i < 16 ? train : held;
		CHECK_STR(nacre_dataset_file(all, i), nacre_dataset_file(again, i));
		CHECK_STR(nacre_dataset_file(all, i),
			  nacre_dataset_file(part, i < 16 ? i : i - 16));
		CHECK_EQ(nacre_dataset_label(all, i),
			 nacre_dataset_label(part, i < 16 ? i : i - 16));
		same += !strcmp(nacre_dataset_file(all, i), nacre_dataset_file(other, i));
	}
	CHECK(same < 10);
	nacre_dataset *five[] = {all, again, other, train, held};
	for (int i = 0; i < 5; i++)
		nacre_dataset_free(five[i]);
	test_remove_folder(image_folder);
}

TEST(label_modes)
{
	image_make(2, 2);
	nacre_dataset *d = OPEN(.no_shuffle = 1, .label_mode = NACRE_LABEL_CATEGORICAL);
	const nacre_tensor *t = nacre_dataset_target(d, 0);
	CHECK(t && t->rank == 2 && t->shape[1] == 2 && nacre_tensor_get(t, 0) == 1 &&
	      nacre_tensor_get(t, 7) == 1 && nacre_tensor_get(t, 6) == 0);
	nacre_dataset_free(d);
	d = OPEN(.no_shuffle = 1, .label_mode = NACRE_LABEL_BINARY);
	t = nacre_dataset_target(d, 0);
	CHECK(t && t->rank == 2 && t->shape[1] == 1 && nacre_tensor_get(t, 3) == 1);
	nacre_dataset_free(d);
	d = OPEN(.label_mode = NACRE_LABEL_NONE);
	CHECK(nacre_dataset_size(d) == 4 && nacre_dataset_targets(d) == 0);
	nacre_dataset_free(d);
	d = OPEN(.no_shuffle = 1, .class_names = (const char *[]){"c1", "c0"}, .n_class_names = 2);
	CHECK_STR(nacre_dataset_class_name(d, 0), "c1");
	CHECK(strstr(nacre_dataset_file(d, 0), "/c1/") && nacre_dataset_label(d, 0) == 0);
	nacre_dataset_free(d);
	test_remove_folder(image_folder);
}

TEST(colors_and_whole_numbers)
{
	image_make(1, 1);
	float x[24], y[6];
	nacre_dataset *d = OPEN(.image.color = NACRE_GREY);
	CHECK(!nacre_dataset_sample(d, 0, x, NULL));
	CHECK_EQ(nacre_dataset_shape(d, 0, NULL)[2], 1);
	nacre_dataset_free(d);
	for (int cache = 0; cache < 2; cache++) {
		d = nacre_image_dataset_from_directory(image_folder, .image.height = 2,
						       .image.width = 1, .image.dtype = NACRE_U8,
						       .cache = cache);
		for (int turn = 0; turn < 2; turn++) {
			CHECK(!nacre_dataset_set_scale(d, 0, 0.5, 1));
			CHECK(!nacre_dataset_sample(d, 0, y, NULL));
			for (int i = 0; i < 6; i++)
				CHECK((y[i] - 1) * 2 == floorf((y[i] - 1) * 2) && y[i] >= 1);
		}
		nacre_dataset_free(d);
	}
	test_remove_folder(image_folder);
}

/* -- bad files --------------------------------------------------------------------------------- */
static void make_bad(void)
{
	image_make(2, 4);
	image_write("c0/empty.png", "", 0);
	image_write("c0/huge.pgm", "P5\n60000 60000\n255\n", 19);
	image_write("c1/text.jpg", "no picture", 10);
	image_write("c1/cut.ppm", "P3 6 4 255 1 2 3", 16);
}

TEST(bad_files_refused)
{
	make_bad();
	refused(OPEN(.no_shuffle = 1), "c0/empty.png: no picture: the file is empty");
	refused(OPEN(.no_shuffle = 1, .bad_files = NACRE_BAD_FILES_CHECK), "c0/empty.png");
	test_remove_folder(image_folder);
	/* what the head does not show turns up when it is wanted */
	image_make(1, 2);
	image_write("c0/zcut.ppm", "P6\n2 2\n255\n0123456789ab\n!", 25);
	nacre_dataset *d = OPEN(.no_shuffle = 1);
	float x[72];
	nacre_error e = {0};
	check_ok(d);
	CHECK(!nacre_dataset_sample(d, 0, x, &e));
	CHECK(nacre_dataset_sample(d, 2, x, &e) == NACRE_BAD_DATA && strstr(e.text, "c0/zcut.ppm"));
	nacre_dataset_free(d);
	refused(OPEN(.bad_files = NACRE_BAD_FILES_CHECK), "zcut.ppm");
	test_remove_folder(image_folder);
}

TEST(bad_files_skipped)
{
	make_bad();
	for (int threads = 1; threads <= 7; threads += 3) {
		nacre_runtime *rt =
		    nacre_runtime_new(&(nacre_runtime_options){.threads = threads}, NULL);
		nacre_dataset *d = OPEN(.no_shuffle = 1, .bad_files = NACRE_BAD_FILES_SKIP,
					.cache = threads > 1, .runtime = rt);
		check_ok(d);
		CHECK_EQ(nacre_dataset_size(d), 8);
		CHECK_EQ(nacre_dataset_problems(d), 4);
		static const char *const names[] = {"c0/empty.png", "c0/huge.pgm", "c1/cut.ppm",
						    "c1/text.jpg"};
		for (int i = 0; i < 4; i++)
			CHECK(strstr(nacre_dataset_problem(d, i), names[i]));
		for (int i = 0; i < 8; i++)
			check_sample(d, i);
		nacre_dataset_free(d);
		nacre_runtime_free(rt);
	}
	test_remove_folder(image_folder);
	image_make(1, 0);
	image_write("c0/a.png", "", 0);
	refused(OPEN(.bad_files = NACRE_BAD_FILES_SKIP), "none of the pictures");
	test_remove_folder(image_folder);
}

TEST(options_that_cannot_be)
{
	refused(nacre_image_dataset_from_directory(NULL), "NULL");
	refused(nacre_image_dataset_from_directory("/nowhere/photos"), "/nowhere/photos");
	image_make(3, 2);
	refused(OPEN(.validation_split = 0.5), "subset");
	refused(OPEN(.subset = NACRE_SUBSET_TRAINING), "subset");
	refused(OPEN(.validation_split = 2, .subset = NACRE_SUBSET_TRAINING), "0 <= split < 1");
	refused(OPEN(.validation_split = 0.1, .subset = NACRE_SUBSET_TRAINING), "empty");
	refused(OPEN(.label_mode = NACRE_LABEL_BINARY), "there are 3");
	refused(OPEN(.label_mode = 9), "label_mode 9");
	refused(OPEN(.class_names = (const char *[]){"x"}, .n_class_names = 1), "\"x\"");
	refused(OPEN(.class_names = (const char *[]){"c0", "c0"}, .n_class_names = 2), "twice");
	refused(OPEN(.image.aspect = 8), "aspect 8");
	refused(OPEN(.cache_file = "/nowhere/cache"), "/nowhere/cache");
	test_remove_folder(image_folder);
	image_make(0, 0);
	refused(OPEN(.seed = 0), "a folder for each class");
	image_class("c0");
	refused(OPEN(.seed = 0), "no pictures");
	test_remove_folder(image_folder);
	CHECK(!nacre_dataset_class_name(NULL, 0) && !nacre_dataset_problems(NULL));
}

/* -- caches ------------------------------------------------------------------------------------ */
static void check_cached(nacre_dataset *d, bool files_gone)
{
	float x[72];
	nacre_error e = {0};
	for (int i = 0; i < 6; i++)
		CHECK(!nacre_dataset_sample(d, i, x, &e) == files_gone || !e.status);
	CHECK_STR(e.text, "");
}

TEST(cache_in_memory)
{
	image_make(2, 3);
	nacre_dataset *d = OPEN(.cache = 1), *lazy = OPEN(.cache = 1, .bad_files = 1);
	check_cached(d, true);
	test_remove_folder(image_folder);
	check_cached(d, true);
	check_cached(lazy, true); /* was filled when it was checked */
	nacre_dataset_free(d);
	nacre_dataset_free(lazy);
}

TEST(cache_in_a_file)
{
	char path[300];
	float x[72], y[72];
	image_make(2, 3);
	snprintf(path, sizeof path, "/tmp/nacre-test-%ld-cache", (long)getpid());
	unlink(path);
	nacre_dataset *plain = OPEN(.seed = 0);
	for (int turn = 0; turn < 4; turn++) {
		nacre_dataset *d = OPEN(.cache_file = path);
		check_ok(d);
		for (int i = 0; i < 6; i++) {
			CHECK(!nacre_dataset_sample(d, i, x, NULL));
			CHECK(!nacre_dataset_sample(plain, i, y, NULL));
			CHECK(!memcmp(x, y, sizeof x));
		}
		nacre_dataset_free(d);
		struct stat s;
		CHECK(!stat(path, &s) && s.st_size == 32 + 6 * (8 + 72 * 4));
		if (turn == 1) { /* a byte that fell over, a record that is missing */
			int fd = open(path, O_RDWR);
			CHECK(pwrite(fd, "?", 1, 100) == 1 && !ftruncate(fd, s.st_size - 10));
			close(fd);
		}
		if (turn == 2)
			image_put("c0/1.ppm", 77); /* another file: the cache is begun anew */
	}
	image_write("not-a-cache", "keep me", 7);
	snprintf(path, sizeof path, "%s/not-a-cache", image_folder);
	refused(OPEN(.cache_file = path), "no cache of pictures");
	nacre_dataset_free(plain);
	test_remove_folder(image_folder);
	snprintf(path, sizeof path, "/tmp/nacre-test-%ld-cache", (long)getpid());
	unlink(path);
}

/* -- order ------------------------------------------------------------------------------------- */
TEST(shuffle_window)
{
	enum { N = 1000, WINDOW = 50 };
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 1, (int64_t[]){N}, NULL);
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, x, NULL);
	int64_t order[N], seen[N] = {0}, moved = 0;
	d->shuffle_window = WINDOW;
	CHECK(!nc_dataset_order(d, nc_random_stream(3, 0, 0), order, NULL));
	for (int i = 0; i < N; i++) {
		CHECK(order[i] >= 0 && order[i] < N && order[i] < i + WINDOW);
		seen[order[i]]++;
		moved += order[i] != i;
	}
	for (int i = 0; i < N; i++)
		CHECK_EQ(seen[i], 1);
	CHECK(moved > N / 2);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
}

/* -- memory ------------------------------------------------------------------------------------ */
static long failing = -1;
static bool failed_once;

static void *countdown(void *context, void *p, size_t old, size_t n)
{
	(void)context;
	if (!n) {
		free(p);
		return NULL;
	}
	if (failing == 0) {
		failed_once = true;
		failing = -1;
		return NULL;
	}
	failing -= failing > 0;
	void *q = NULL;
	if (posix_memalign(&q, 64, n))
		return NULL;
	if (p)
		memcpy(q, p, old < n ? old : n);
	free(p);
	return q;
}

TEST(allocations_that_fail)
{
	image_make(2, 2);
	nacre_runtime *rt = nacre_runtime_new(
	    &(nacre_runtime_options){.threads = 1, .allocator = {countdown, NULL}}, NULL);
	int64_t before = nacre_runtime_memory(rt).blocks;
	for (long n = 0; n < 1000; n++) {
		float x[72];
		nacre_error e = {0};
		failed_once = false;
		failing = n;
		nacre_dataset *d =
		    OPEN(.runtime = rt, .cache = 1, .bad_files = NACRE_BAD_FILES_SKIP);
		bool ok =
		    d && !nacre_dataset_error(d)->status && !nacre_dataset_sample(d, 0, x, &e);
		failing = -1;
		CHECK(ok == !failed_once || (d && nacre_dataset_error(d)->status == NACRE_OK));
		CHECK(ok || !d || nacre_dataset_error(d)->status == NACRE_NO_MEMORY ||
		      e.status == NACRE_NO_MEMORY);
		nacre_dataset_free(d);
		CHECK_EQ(nacre_runtime_memory(rt).blocks, before);
		if (!failed_once)
			break;
		CHECK(n < 999);
	}
	nacre_runtime_free(rt);
	test_remove_folder(image_folder);
}

/* -- sets -------------------------------------------------------------------------------------- */
static void known_set(nacre_dataset *d, int64_t n, int classes, int64_t height, int64_t width,
		      int64_t channels)
{
	if (nacre_dataset_error(d)->status == NACRE_IO || (!nc_image_jpeg.read && channels == 3)) {
		printf("  skipped: %s\n", nacre_dataset_error(d)->text);
		nacre_dataset_free(d);
		return;
	}
	check_ok(d);
	const int64_t *shape = nacre_dataset_shape(d, 0, NULL);
	CHECK_EQ(nacre_dataset_size(d), n);
	CHECK_EQ(nacre_dataset_classes(d, 0), classes);
	CHECK(shape && shape[0] == height && shape[1] == width && shape[2] == channels);
	float *x = malloc((size_t)(height * width * channels) * sizeof *x);
	CHECK(!nacre_dataset_sample(d, n - 1, x, NULL));
	free(x);
	nacre_dataset_free(d);
}

TEST(known_sets)
{
	known_set(nacre_orl_faces(), 400, 40, 112, 92, 1);
	known_set(nacre_flowers(), 4317, 5, 128, 128, 3);
	known_set(nacre_cifar10(NACRE_TEST), 10000, 10, 32, 32, 3);
	image_make(0, 0);
	image_class("test");
	image_class("test/airplane");
	image_put("test/airplane/a.ppm", 1);
	refused(nacre_cifar10(NACRE_TEST, .data.folder = image_folder), "automobile");
	nacre_dataset *d = nacre_cifar10(NACRE_TEST, .data.folder = image_folder,
					 .data.class_names = (const char *[]){"airplane"},
					 .data.n_class_names = 1);
	check_ok(d);
	CHECK_EQ(nacre_dataset_shape(d, 0, NULL)[0], 32);
	nacre_dataset_free(d);
	test_remove_folder(image_folder);
}
