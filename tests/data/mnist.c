/* SPDX-License-Identifier: MIT
 *
 * mnist.c - the MNIST files of the repository: sizes, counts of each digit, a checksum of every
 * pixel; finding them; and what happens when they are not there or damaged.
 */
#include <sys/stat.h>
#include <unistd.h>

#include "data/data.h"
#include "data/mnist.h"
#include "nacre/data.h"
#include "nacre/format.h"
#include "test.h"

#define FOLDER NACRE_SOURCE_DIR "/data/mnist"

#ifdef NACRE_HAVE_ZLIB /* the files of the repository are gzipped */
/* FNV-1a of the pixels and labels, computed from the files by other means */
#define TEST_IMAGES 0x8614c3e55764d65fu
#define TEST_LABELS 0xfca1a11d31bd96bbu
#define TRAIN_IMAGES 0xb6e6196608671562u
#define TRAIN_LABELS 0xe3a35dee662474a5u

/* FNV-1a over the bytes of a tensor */
static uint64_t checksum(const nacre_tensor *t)
{
	const uint8_t *p = nacre_tensor_data(t);
	uint64_t h = 0xcbf29ce484222325u;
	for (int64_t i = 0; i < nacre_tensor_size(t); i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return h;
}

static void check_part(nacre_dataset *d, int64_t n, const int64_t histogram[10], uint64_t images,
		       uint64_t labels)
{
	int64_t count[10] = {0};
	CHECK_EQ(nacre_dataset_error(d)->status, NACRE_OK);
	CHECK_STR(nacre_dataset_error(d)->text, "");
	CHECK_EQ(nacre_dataset_size(d), n);
	CHECK_EQ(nacre_dataset_inputs(d), 1);
	CHECK_EQ(nacre_dataset_targets(d), 1);
	CHECK_EQ(nacre_dataset_classes(d, 0), 10);
	if (nacre_dataset_size(d) != n)
		return;
	const nacre_tensor *x = nacre_dataset_input(d, 0), *y = nacre_dataset_target(d, 0);
	CHECK_EQ(nacre_tensor_dtype(x), NACRE_U8);
	CHECK_EQ(nacre_tensor_rank(x), 2);
	CHECK_EQ(nacre_tensor_shape(x)[0], n);
	CHECK_EQ(nacre_tensor_shape(x)[1], 784);
	CHECK_EQ(nacre_tensor_dtype(y), NACRE_U8);
	for (int64_t i = 0; i < n; i++) {
		int64_t label = nacre_dataset_label(d, i);
		CHECK(label >= 0 && label < 10);
		count[label < 0 || label > 9 ? 0 : label]++;
	}
	for (int i = 0; i < 10; i++)
		CHECK_EQ(count[i], histogram[i]);
	CHECK_EQ(checksum(x), images);
	CHECK_EQ(checksum(y), labels);
}

TEST(mnist_train)
{
	nacre_dataset *d = nacre_mnist_from(NACRE_TRAIN, FOLDER);
	check_part(d, 60000,
		   (int64_t[]){5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949},
		   TRAIN_IMAGES, TRAIN_LABELS);
	CHECK_EQ(nacre_dataset_label(d, 0), 5);
	CHECK_EQ(nacre_dataset_label(d, -1), -1);
	CHECK_EQ(nacre_dataset_label(d, 60000), -1);
	float x[784];
	nacre_error e = {0};
	CHECK(!nacre_dataset_sample(d, 0, x, &e));
	const uint8_t *pixels = nacre_tensor_data(nacre_dataset_input(d, 0));
	for (int i = 0; i < 784; i++)
		CHECK_NEAR(x[i], pixels[i] / 255.0, 1e-7);
	CHECK(nacre_dataset_sample(d, 60000, x, &e) == NACRE_INVALID);
	CHECK_STR(e.text, "dataset_sample: sample 60000 asked for, there are 60000");
	nacre_dataset_free(d);
}

TEST(mnist_test)
{
	nacre_dataset *d = nacre_mnist(NACRE_TEST, .folder = FOLDER);
	check_part(d, 10000, (int64_t[]){980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009},
		   TEST_IMAGES, TEST_LABELS);
	nacre_dataset *image = nacre_mnist(NACRE_TEST, .folder = FOLDER, .image = 1);
	CHECK_EQ(nacre_dataset_size(image), 10000);
	const nacre_tensor *x = nacre_dataset_input(image, 0);
	CHECK_EQ(nacre_tensor_rank(x), 4);
	CHECK_EQ(nacre_tensor_shape(x)[1], 28);
	CHECK_EQ(nacre_tensor_shape(x)[2], 28);
	CHECK_EQ(nacre_tensor_shape(x)[3], 1);
	CHECK_EQ(checksum(x), TEST_IMAGES);
	nacre_dataset_free(image);
	nacre_dataset_free(d);
}

TEST(found_without_a_folder)
{
	unsetenv("NACRE_DATA");
	nacre_dataset *d = nacre_mnist(NACRE_TEST);
	CHECK_STR(nacre_dataset_error(d)->text, "");
	CHECK_EQ(nacre_dataset_size(d), 10000);
	nacre_dataset_free(d);
	setenv("NACRE_DATA", NACRE_SOURCE_DIR "/data", 1);
	d = nacre_mnist(NACRE_TEST);
	CHECK_EQ(nacre_dataset_size(d), 10000);
	nacre_dataset_free(d);
	unsetenv("NACRE_DATA");
}

#else
TEST(without_zlib)
{
	nacre_dataset *d = nacre_mnist_from(NACRE_TRAIN, FOLDER);
	CHECK_EQ(nacre_dataset_error(d)->status, NACRE_UNSUPPORTED);
	CHECK(strstr(nacre_dataset_error(d)->text, "this build of Nacre has no zlib"));
	nacre_dataset_free(d);
}
#endif

static bool nowhere(int i, char out[NC_MNIST_PATH])
{
	static const char *const folders[] = {"", "/no/such", "/nor/this"};
	snprintf(out, NC_MNIST_PATH, "%s", i < 3 ? folders[i] : "");
	return i < 3;
}

static bool long_names(int i, char out[NC_MNIST_PATH])
{
	memset(out, 'x', NC_MNIST_PATH - 1);
	out[NC_MNIST_PATH - 1 - i] = '\0';
	return i < 10;
}

TEST(search)
{
	char images[NC_MNIST_PATH], labels[NC_MNIST_PATH], folder[NC_MNIST_PATH];
	nacre_error e = {0};
	CHECK_EQ(nc_mnist_find(NACRE_TEST, NULL, nowhere, images, labels, &e), NACRE_IO);
	CHECK_STR(e.text, "MNIST: no t10k-images-idx3-ubyte (or .gz) in /no/such, /nor/this; "
			  "set NACRE_DATA or give a folder");
	e = (nacre_error){0};
	CHECK_EQ(nc_mnist_find(NACRE_TEST, NULL, long_names, images, labels, &e), NACRE_IO);
	CHECK(strlen(e.text) > 400);
	int n = 0;
	while (nc_mnist_place(n, folder))
		n++;
	CHECK_EQ(n, 4);
	CHECK(nc_mnist_place(3, folder)); /* beside this very program */
	CHECK(strstr(folder, "/../share/nacre/mnist"));
	setenv("NACRE_DATA", "/some/where", 1);
	CHECK(nc_mnist_place(0, folder));
	CHECK_STR(folder, "/some/where/mnist");
	char *big = malloc(2000);
	memset(big, 'a', 1999);
	big[1999] = '\0';
	setenv("NACRE_DATA", big, 1);
	CHECK(nc_mnist_place(0, folder));
	CHECK_STR(folder, "");
	unsetenv("NACRE_DATA");
	CHECK(nc_mnist_place(0, folder));
	CHECK_STR(folder, "");
	nacre_dataset *d = nacre_mnist(NACRE_TEST, .folder = big);
	CHECK_EQ(nacre_dataset_error(d)->status, NACRE_IO);
	nacre_dataset_free(d);
	free(big);
}

TEST(not_found)
{
	nacre_dataset *d = nacre_mnist(NACRE_TRAIN, .folder = "/no/such/folder");
	CHECK(d);
	CHECK_EQ(nacre_dataset_error(d)->status, NACRE_IO);
	CHECK_STR(nacre_dataset_error(d)->text,
		  "MNIST: no train-images-idx3-ubyte and train-labels-idx1-ubyte (or .gz) in "
		  "\"/no/such/folder\"");
	CHECK_EQ(nacre_dataset_size(d), 0);
	CHECK_EQ(nacre_dataset_label(d, 0), -1);
	nacre_dataset *part = nacre_dataset_slice(d, 0, 0); /* the error goes on */
	CHECK_EQ(nacre_dataset_error(part)->status, NACRE_IO);
	nacre_dataset_free(part);
	nacre_dataset_free(d);
	d = nacre_mnist((nacre_mnist_part)7);
	CHECK_EQ(nacre_dataset_error(d)->status, NACRE_INVALID);
	nacre_dataset_free(d);
}

static void write_file(const char *folder, const char *name, const void *data, size_t n)
{
	char path[300];
	nc_writer w;
	snprintf(path, sizeof path, "%s/%s", folder, name);
	CHECK(!nc_writer_open(&w, path, NULL));
	nc_writer_write(&w, data, n);
	CHECK(!nc_writer_finish(&w));
}

static void check_error(const char *folder, const char *part_of_text)
{
	nacre_dataset *d = nacre_mnist_from(NACRE_TRAIN, folder);
	CHECK_EQ(nacre_dataset_error(d)->status, NACRE_BAD_DATA);
	if (!strstr(nacre_dataset_error(d)->text, part_of_text))
		test_failed(__FILE__, __LINE__, "\"%s\" has no \"%s\"",
			    nacre_dataset_error(d)->text, part_of_text);
	CHECK_EQ(nacre_dataset_size(d), 0);
	nacre_dataset_free(d);
}

TEST(files_that_do_not_fit)
{
	static const char images[] = "train-images-idx3-ubyte",
			  labels[] = "train-labels-idx1-ubyte";
	uint8_t two[16 + 2 * 784] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 28, 0, 0, 0, 28};
	char folder[] = "/tmp/nacre-mnist-XXXXXX";
	CHECK(mkdtemp(folder));
	write_file(folder, images, two, sizeof two);
	write_file(folder, labels, "\0\0\x08\x01\0\0\0\x02\x03\x09", 10);
	nacre_dataset *d = nacre_mnist_from(NACRE_TRAIN, folder); /* plain, not gzip */
	CHECK_EQ(nacre_dataset_size(d), 2);
	CHECK_EQ(nacre_dataset_label(d, 1), 9);
	nacre_dataset_free(d);
	write_file(folder, labels, "\0\0\x08\x01\0\0\0\x01\x03", 9);
	check_error(folder, "expected u8 [2] as there are images, got u8 [1]");
	write_file(folder, labels, "\0\0\x08\x01\0\0\0\x02\x03\x0a", 10);
	check_error(folder, "target 0: label 10 of sample 1 is outside 0..9");
	write_file(folder, labels, "\0\0\x0c\x01\0\0\0\x01\0\0\0\x03", 12);
	check_error(folder, "as there are images, got i32 [1]");
	write_file(folder, labels, "\0\0\x08\x01\0\0\0\x02\x03", 9);
	check_error(folder,
		    "train-labels-idx1-ubyte: IDX: [2] elements of 1 bytes need 2 bytes, got 1");
	write_file(folder, images, "\0\0\x08\x03\0\0\0\0\0\0\0\x1b\0\0\0\x1c", 16);
	write_file(folder, labels, "\0\0\x08\x01\0\0\0\0", 8);
	check_error(folder, "expected u8 [n, 28, 28], got u8 [0, 27, 28]");
	char path[300];
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, i ? labels : images);
		unlink(path);
	}
	rmdir(folder);
}
