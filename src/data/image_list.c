/* SPDX-License-Identifier: MIT
 *
 * image_list.c - the classes and files of a folder, in an order that no file system decides.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "data/image_data.h"
#include "format/image.h"
#include "format/load.h"

enum { DEPTH = 32, PATH = 4096 };

void nc_image_list_init(nc_image_list *l, nc_memory *m)
{
	*l = (nc_image_list){.memory = m};
	nc_arena_init(&l->arena, m);
}

void nc_image_list_free(nc_image_list *l)
{
	nc_free(l->memory, l->file, l->room * sizeof *l->file);
	nc_arena_free(&l->arena);
	l->file = NULL;
}

nacre_status nc_image_list_problem(nc_image_list *l, const char *text, nacre_error *e)
{
	if (l->problems < NC_PROBLEMS) {
		const char *copy = nc_arena_string(&l->arena, text);
		if (!copy)
			return nc_no_memory(e, strlen(text));
		l->problem[l->problems] = copy;
	}
	l->problems++;
	return NACRE_OK;
}

/* -- folders ----------------------------------------------------------------------------------- */
/* What readdir tells may be "unknown"; a link is what it leads to, if it may be followed. */
static bool is_folder(const char *path, bool follow)
{
	struct stat s;
	if (lstat(path, &s))
		return false;
	if (S_ISLNK(s.st_mode))
		return follow && !stat(path, &s) && S_ISDIR(s.st_mode);
	return S_ISDIR(s.st_mode);
}

static bool is_file(const char *path)
{
	struct stat s;
	return !stat(path, &s) && S_ISREG(s.st_mode);
}

static nacre_status join(char out[PATH], const char *folder, const char *name, nacre_error *e)
{
	int n = snprintf(out, PATH, "%s/%s", folder, name);
	return n > 0 && n < PATH ? NACRE_OK
				 : nc_fail(e, NACRE_IO, "%.300s: the path is too long", folder);
}

static DIR *open_folder(const char *path, nacre_error *e)
{
	char reason[128];
	DIR *d = opendir(path);
	if (!d)
		nc_fail(e, NACRE_IO, "%.300s: cannot open the folder: %s", path,
			strerror_r(errno, reason, sizeof reason));
	return d;
}

/* -- files ------------------------------------------------------------------------------------- */
static nacre_status add_file(nc_image_list *l, const char *path, size_t folder, int label,
			     nacre_error *e)
{
	if ((size_t)l->n == l->room) {
		size_t room = l->room ? 2 * l->room : 256;
		nc_image_file **file =
		    nc_realloc(l->memory, l->file, l->room * sizeof *file, room * sizeof *file);
		if (!file)
			return nc_no_memory(e, room * sizeof *file);
		l->file = file;
		l->room = room;
	}
	nc_image_file *f = nc_arena_alloc(&l->arena, sizeof *f);
	const char *copy = nc_arena_string(&l->arena, path);
	if (!f || !copy)
		return nc_no_memory(e, strlen(path));
	*f = (nc_image_file){.path = copy, .folder = folder, .label = label};
	l->file[l->n++] = f;
	return NACRE_OK;
}

static nacre_status wrong_name(nc_image_list *l, const char *path, nacre_error *e)
{
	char text[PATH];
	snprintf(text, sizeof text, "%.300s: not the name of a picture: left out", path);
	return nc_image_list_problem(l, text, e);
}

static nacre_status walk(nc_image_list *l, const char *folder, int label, bool follow, int depth,
			 nacre_error *e)
{
	char path[PATH];
	if (depth == DEPTH)
		return nc_fail(e, NACRE_IO, "%.300s: folders in folders, %d deep", folder, DEPTH);
	DIR *d = open_folder(folder, e);
	for (struct dirent *entry; d && !e->status && (entry = readdir(d));) {
		if (entry->d_name[0] == '.' || join(path, folder, entry->d_name, e))
			continue;
		if (is_folder(path, follow))
			walk(l, path, label, follow, depth + 1, e);
		else if (!is_file(path))
			continue;
		else if (nc_image_name_ok(entry->d_name))
			add_file(l, path, strlen(folder), label, e);
		else
			wrong_name(l, path, e);
	}
	if (d)
		closedir(d);
	return e->status;
}

/* Folder by folder, those in folders too, as Keras sorts; then by name. */
static int by_path(const void *a, const void *b)
{
	const nc_image_file *x = a, *y = b;
	size_t n = x->folder < y->folder ? x->folder : y->folder;
	int c = memcmp(x->path, y->path, n);
	if (!c)
		c = (x->folder > y->folder) - (x->folder < y->folder);
	return c ? c : strcmp(x->path + x->folder, y->path + y->folder);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* -- classes ----------------------------------------------------------------------------------- */
static nacre_status add_class(nc_image_list *l, size_t *room, const char *name, nacre_error *e)
{
	if ((size_t)l->classes == *room) { /* what was before stays in the arena, unused */
		size_t more = *room ? 2 * *room : 16;
		const char **names = nc_arena_alloc(&l->arena, more * sizeof *names);
		if (!names)
			return nc_no_memory(e, more * sizeof *names);
		if (l->classes)
			memcpy(names, l->class_name, (size_t)l->classes * sizeof *names);
		l->class_name = names;
		*room = more;
	}
	const char *copy = nc_arena_string(&l->arena, name);
	if (!copy)
		return nc_no_memory(e, strlen(name));
	l->class_name[l->classes++] = copy;
	return NACRE_OK;
}

static nacre_status given_classes(nc_image_list *l, const nacre_image_dataset_options *o,
				  nacre_error *e)
{
	char path[PATH];
	size_t room = 0;
	for (int i = 0; i < o->n_class_names && !e->status; i++) {
		const char *name = o->class_names[i];
		for (int k = 0; k < i && name; k++)
			if (strcmp(name, o->class_names[k]) == 0)
				return nc_fail(e, NACRE_INVALID, "class_names: \"%.100s\" twice",
					       name);
		if (!name || strchr(name, '/') || join(path, o->folder, name, e) ||
		    !is_folder(path, true))
			return nc_fail(e, NACRE_INVALID,
				       "class_names: there is no folder \"%.100s\" in %.300s",
				       name ? name : "(NULL)", o->folder);
		add_class(l, &room, name, e);
	}
	return e->status;
}

static nacre_status find_classes(nc_image_list *l, const nacre_image_dataset_options *o,
				 nacre_error *e)
{
	char path[PATH];
	size_t room = 0;
	DIR *d = open_folder(o->folder, e);
	for (struct dirent *entry; d && !e->status && (entry = readdir(d));) {
		if (entry->d_name[0] == '.' || join(path, o->folder, entry->d_name, e))
			continue;
		if (is_folder(path, true))
			add_class(l, &room, entry->d_name, e);
	}
	if (d)
		closedir(d);
	if (!e->status && l->classes)
		nc_sort((void **)l->class_name, (size_t)l->classes, by_bytes);
	return e->status;
}

nacre_status nc_image_list_read(nc_image_list *l, const nacre_image_dataset_options *o,
				nacre_error *e)
{
	char path[PATH];
	if (o->label_mode == NACRE_LABEL_NONE) /* folders mean nothing */
		walk(l, o->folder, 0, o->follow_links, 0, e);
	else if (o->n_class_names)
		given_classes(l, o, e);
	else
		find_classes(l, o, e);
	for (int i = 0; i < l->classes && !e->status; i++) {
		if (join(path, o->folder, l->class_name[i], e))
			break;
		int64_t from = l->n;
		walk(l, path, i, o->follow_links, 0, e);
		if (l->n > from)
			nc_sort((void **)l->file + from, (size_t)(l->n - from), by_path);
	}
	if (!e->status && !l->classes && l->n)
		nc_sort((void **)l->file, (size_t)l->n, by_path);
	if (!e->status && o->label_mode != NACRE_LABEL_NONE && !l->classes)
		return nc_fail(e, NACRE_BAD_DATA,
			       "%.300s: expected a folder for each class in it, there is none",
			       o->folder);
	if (!e->status && !l->n)
		return nc_fail(e, NACRE_BAD_DATA, "%.300s: there are no pictures in it", o->folder);
	return e->status;
}
