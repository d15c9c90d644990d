/* SPDX-License-Identifier: MIT
 *
 * mnist.c - finding and reading the four files of MNIST.
 *
 * NACRE_DATA_SOURCE (the data folder of the source tree) and NACRE_DATA_DIR (where it is installed,
 * <prefix>/share/nacre) are set by the build; both may be missing.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/data.h"
#include "data/mnist.h"
#include "nacre/format.h"

static const char *const names[2][2] = {
    [NACRE_TRAIN] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"},
    [NACRE_TEST] = {"t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"},
};

/* false: the text does not fit */
static bool join(char out[NC_MNIST_PATH], const char *a, const char *b, const char *c)
{
	int n = snprintf(out, NC_MNIST_PATH, "%s%s%s", a, b, c);
	return n >= 0 && n < NC_MNIST_PATH;
}

/* The path of a file in a folder, with or without .gz. */
static bool find_file(const char *folder, const char *name, char out[NC_MNIST_PATH])
{
	char base[NC_MNIST_PATH];
	return join(base, folder, "/", name) &&
	       ((join(out, base, "", "") && nc_file_exists(out)) ||
		(join(out, base, "", ".gz") && nc_file_exists(out)));
}

/* ../share/nacre/<set> beside the folder that this very code was loaded from */
static bool library_folder(const char *set, char out[NC_MNIST_PATH])
{
	static const char here = 0;
	Dl_info info;
	if (!dladdr(&here, &info) || !info.dli_fname)
		return false;
	const char *slash = strrchr(info.dli_fname, '/');
	int n = slash ? (int)(slash - info.dli_fname) : 1;
	n = snprintf(out, NC_MNIST_PATH, "%.*s/../share/nacre/%s", n,
		     slash ? info.dli_fname : ".", set);
	return n >= 0 && n < NC_MNIST_PATH;
}

bool nc_mnist_place(int i, char out[NC_MNIST_PATH])
{
	return nc_data_place(i, "mnist", out);
}

bool nc_data_place(int i, const char *set, char out[NC_MNIST_PATH])
{
	const char *data = getenv("NACRE_DATA");
	out[0] = '\0';
	switch (i) {
	case 0:
		if (data && *data && !join(out, data, "/", set))
			out[0] = '\0';
		return true;
	case 1:
#ifdef NACRE_DATA_SOURCE
		join(out, NACRE_DATA_SOURCE, "/", set);
#endif
		return true;
	case 2:
#ifdef NACRE_DATA_DIR
		join(out, NACRE_DATA_DIR, "/", set);
#endif
		return true;
	case 3:
		if (!library_folder(set, out))
			out[0] = '\0';
		return true;
	default:
		return false;
	}
}

static bool find_both(nacre_mnist_part part, const char *folder, char images[NC_MNIST_PATH],
		      char labels[NC_MNIST_PATH])
{
	return *folder && find_file(folder, names[part][0], images) &&
	       find_file(folder, names[part][1], labels);
}

nacre_status nc_mnist_find(nacre_mnist_part part, const char *folder, nc_mnist_search *place,
			   char images[NC_MNIST_PATH], char labels[NC_MNIST_PATH], nacre_error *e)
{
	if (folder) {
		if (find_both(part, folder, images, labels))
			return NACRE_OK;
		return nc_fail(e, NACRE_IO, "MNIST: no %s and %s (or .gz) in \"%s\"",
			       names[part][0], names[part][1], folder);
	}
	char tried[400], found[NC_MNIST_PATH];
	size_t n = 0;
	tried[0] = '\0';
	for (int i = 0; place(i, found); i++) {
		if (find_both(part, found, images, labels))
			return NACRE_OK;
		if (*found && n < sizeof tried)
			n += (size_t)snprintf(tried + n, sizeof tried - n, "%s%s", n ? ", " : "",
					      found);
	}
	return nc_fail(e, NACRE_IO, "MNIST: no %s (or .gz) in %s; set NACRE_DATA or give a folder",
		       names[part][0], n ? tried : "any known place");
}

static nacre_status check(const nacre_tensor *x, const nacre_tensor *y, const char *images,
			  const char *labels, nacre_error *e)
{
	char text[128];
	if (x->dtype != NACRE_U8 || x->rank != 3 || x->shape[1] != 28 || x->shape[2] != 28)
		return nc_fail(e, NACRE_BAD_DATA, "%s: expected u8 [n, 28, 28], got %s %s", images,
			       nacre_dtype_name(x->dtype), nc_shape_text(text, x->rank, x->shape));
	if (y->dtype != NACRE_U8 || y->rank != 1 || y->shape[0] != x->shape[0])
		return nc_fail(e, NACRE_BAD_DATA,
			       "%s: expected u8 [%lld] as there are images, got %s %s", labels,
			       (long long)x->shape[0], nacre_dtype_name(y->dtype),
			       nc_shape_text(text, y->rank, y->shape));
	return NACRE_OK;
}

/* images: [n, 784] or [n, 28, 28, 1]; both in memory of their own */
static nacre_status load(const nacre_mnist_options *o, nacre_tensor **x, nacre_tensor **y,
			 nacre_error *e)
{
	char images[NC_MNIST_PATH], labels[NC_MNIST_PATH];
	if (o->part != NACRE_TRAIN && o->part != NACRE_TEST)
		return nc_fail(e, NACRE_INVALID, "MNIST: no part %d", (int)o->part);
	if (nc_mnist_find(o->part, o->folder, nc_mnist_place, images, labels, e))
		return e->status;
	nacre_tensor *raw = nacre_idx_load(o->runtime, images, e);
	*y = raw ? nacre_idx_load(o->runtime, labels, e) : NULL;
	if (raw && *y && !check(raw, *y, images, labels, e))
		*x = nacre_tensor_reshape(raw, o->image ? 4 : 2,
					  o->image ? (int64_t[]){raw->shape[0], 28, 28, 1}
						   : (int64_t[]){raw->shape[0], 784},
					  e);
	nacre_tensor_free(raw);
	return e->status;
}

nacre_dataset *nacre_mnist_open(const nacre_mnist_options *options)
{
	static const nacre_mnist_options none = {NACRE_TRAIN, NULL, 0, NULL};
	const nacre_mnist_options *o = options ? options : &none;
	nacre_tensor *x = NULL, *y = NULL;
	nacre_error e = {0};
	load(o, &x, &y, &e);
	nacre_dataset *d = nacre_dataset_from_tensors(o->runtime, x, y);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	if (!d)
		return NULL;
	if (e.status) { /* what went wrong here comes before the NULL that it led to */
		d->error = e;
		d->size = 0;
		return d;
	}
	nacre_dataset_set_scale(d, 0, 1.0 / 255, 0);
	nacre_dataset_set_classes(d, 0, 10);
	return d;
}

nacre_dataset *nacre_mnist_from(nacre_mnist_part part, const char *folder)
{
	return nacre_mnist_open(&(nacre_mnist_options){.part = part, .folder = folder});
}
