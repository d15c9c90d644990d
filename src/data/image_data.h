/* SPDX-License-Identifier: MIT
 *
 * image_data.h - inside data sets of pictures.
 *
 *   image_list.c   which files there are, of which classes
 *   image_cache.c  what was decoded, in memory or in a file
 *   image_data.c   the data set
 *   image_sets.c   those that are known by name
 */
#ifndef NC_IMAGE_DATA_H
#define NC_IMAGE_DATA_H

#include "data/data.h"
#include "nacre/image_data.h"

enum { NC_PROBLEMS = 100 }; /* that are kept with a text */

typedef struct nc_image_file {
	const char *path;
	size_t folder; /* of its bytes the folder */
	int32_t label;
	int64_t slot; /* in the cache */
} nc_image_file;

typedef struct nc_image_list {
	nc_arena arena; /* all texts and files */
	nc_memory *memory;
	const char **class_name;
	int classes;
	nc_image_file **file;
	int64_t n;
	size_t room;
	int64_t problems;
	const char *problem[NC_PROBLEMS];
} nc_image_list;

void nc_image_list_init(nc_image_list *l, nc_memory *m);
void nc_image_list_free(nc_image_list *l);
/* The classes of a folder, and their files in the order of names. */
nacre_status nc_image_list_read(nc_image_list *l, const nacre_image_dataset_options *o,
				nacre_error *e);
nacre_status nc_image_list_problem(nc_image_list *l, const char *text, nacre_error *e);

/* -- the cache: a record for each slot.  Several threads at once; what cannot be read is not there,
 * and what cannot be written is left. */
typedef struct nc_image_cache {
	nc_memory *memory;
	size_t record, n;
	uint8_t *data;       /* in memory: the records ... */
	atomic_uchar *state; /* ... and whether they are there: 0 no, 1 being written, 2 yes */
	int fd;              /* of a file; -1: none */
	uint64_t head;       /* bytes of it before the records */
} nc_image_cache;

nacre_status nc_image_cache_memory(nc_image_cache *c, nc_memory *m, size_t n, size_t record,
				   nacre_error *e);
/* A file that was made with another key, or size, is begun anew. */
nacre_status nc_image_cache_file(nc_image_cache *c, nc_memory *m, const char *path, size_t n,
				 size_t record, uint64_t key, nacre_error *e);
bool nc_image_cache_get(nc_image_cache *c, size_t slot, void *out);
void nc_image_cache_put(nc_image_cache *c, size_t slot, const void *data);
void nc_image_cache_close(nc_image_cache *c);

#endif
