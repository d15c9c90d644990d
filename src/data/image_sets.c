/* SPDX-License-Identifier: MIT
 *
 * image_sets.c - the sets of pictures that are known by name: where they are, and their sizes.
 */
#include <stdio.h>
#include <string.h>

#include "data/data.h"
#include "data/mnist.h"
#include "nacre/image_data.h"

enum { PEOPLE = 40 };

/* The folder given, or the first place that has one of that name; fails with a list of them. */
static nacre_status find(const char *title, const char *name, const char *given,
			 char out[NC_MNIST_PATH], nacre_error *e)
{
	char tried[400] = "";
	size_t n = 0;
	if (given)
		return snprintf(out, NC_MNIST_PATH, "%s", given) < NC_MNIST_PATH
			   ? NACRE_OK
			   : nc_fail(e, NACRE_INVALID, "%s: the path is too long", title);
	for (int i = 0; nc_data_place(i, name, out); i++) {
		if (*out && nc_file_exists(out))
			return NACRE_OK;
		if (*out && n < sizeof tried)
			n += (size_t)snprintf(tried + n, sizeof tried - n, "%s%s", n ? ", " : "",
					      out);
	}
	return nc_fail(e, NACRE_IO, "%s: there is no %s; set NACRE_DATA or give a folder", title,
		       n ? tried : name);
}

/* Opens it with the size and colour of the set, where the options say of none. */
static nacre_dataset *open_set(const char *title, const char *name,
			       const nacre_image_dataset_options *given, int64_t height,
			       int64_t width, nacre_image_color color, int n,
			       const char *const *names)
{
	nacre_image_dataset_options o = *given;
	char folder[NC_MNIST_PATH];
	nacre_error e = {0};
	if (find(title, name, given->folder, folder, &e)) {
		nacre_dataset *d = nacre_dataset_new(o.runtime, 0, NULL, 0, NULL);
		if (d)
			d->error = e; /* in place of that about no inputs */
		return d;
	}
	o.folder = folder;
	if (!o.image.height && !o.image.width) {
		o.image.height = height;
		o.image.width = width;
	}
	if (o.image.color == NACRE_AS_STORED)
		o.image.color = color;
	if (!o.n_class_names && o.label_mode != NACRE_LABEL_NONE) {
		o.n_class_names = n;
		o.class_names = names;
	}
	return nacre_image_dataset_open(&o);
}

static const nacre_image_set_options none;

nacre_dataset *nacre_cifar10_open(const nacre_image_set_options *options)
{
	static const char *const classes[] = {"airplane", "automobile", "bird",  "cat",  "deer",
					      "dog",      "frog",       "horse", "ship", "truck"};
	const nacre_image_set_options *o = options ? options : &none;
	char folder[NC_MNIST_PATH];
	nacre_image_dataset_options data = o->data;
	const char *part = o->part == NACRE_TEST ? "test" : "train";
	if (data.folder) { /* that with both parts */
		if (snprintf(folder, sizeof folder, "%s/%s", data.folder, part) <
		    (int)sizeof folder)
			data.folder = folder;
	}
	return open_set("CIFAR-10",
			o->part == NACRE_TEST ? "cifar10-jpeg/test" : "cifar10-jpeg/train", &data,
			32, 32, NACRE_RGB, 10, classes);
}

nacre_dataset *nacre_orl_faces_open(const nacre_image_set_options *options)
{
	/* in the order of numbers, not of letters */
	char name[PEOPLE][8];
	const char *names[PEOPLE];
	for (int i = 0; i < PEOPLE; i++) {
		snprintf(name[i], sizeof name[i], "s%d", i + 1);
		names[i] = name[i];
	}
	return open_set("ORL faces", "orl-faces/orl_faces", options ? &options->data : &none.data,
			112, 92, NACRE_GREY, PEOPLE, names);
}

nacre_dataset *nacre_flowers_open(const nacre_image_set_options *options)
{
	return open_set("flowers", "flowers-small/flowers", options ? &options->data : &none.data,
			128, 128, NACRE_RGB, 0, NULL);
}
