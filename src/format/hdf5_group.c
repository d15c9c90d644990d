/* SPDX-License-Identifier: MIT
 *
 * hdf5_group.c - the links of groups: symbol tables (a B-tree of nodes, the names in a heap) and
 * link messages.
 */
#include <string.h>

#include "format/hdf5_read.h"
#include "format/load.h"

/* -- symbol tables */
typedef struct table {
	nc_hdf5_object *group;
	nc_h5_links *links;
	nc_cursor names; /* the heap's data */
	const char *previous;
} table;

static bool read_heap(nc_h5 *h, uint64_t at, nc_cursor *data)
{
	nc_cursor c = nc_cursor_claim(h, at, 32, "local heap");
	nc_cursor_magic(&c, "HEAP");
	nc_cursor_version(&c, 0);
	nc_cursor_bytes(&c, 3);
	uint64_t size = nc_cursor_u(&c, 8);
	nc_cursor_bytes(&c, 8); /* free list */
	*data = nc_cursor_claim(h, nc_cursor_u(&c, 8), size, "names of a group");
	return !h->failed;
}

static bool add_entry(nc_h5 *h, table *t, nc_cursor *c)
{
	uint64_t at = c->at, name = nc_cursor_u(c, 8), address = nc_cursor_u(c, 8);
	uint64_t cache = nc_cursor_u(c, 4);
	nc_cursor_bytes(c, 4 + 16);
	if (h->failed)
		return false;
	if (cache == 2)
		return nc_h5_refuse(h, at, "a soft link");
	if (cache > 2)
		return nc_h5_wrong(h, at + 16, "symbol: cache type %llu, expected 0 to 2",
				   (unsigned long long)cache);
	uint64_t room = nc_cursor_left(&t->names);
	name = name < room ? name : room; /* where no name can be */
	const char *text = (const char *)h->bytes + t->names.at + name;
	size_t n = strnlen(text, room - name);
	if (n == room - name)
		return nc_h5_wrong(h, at, "symbol: no name at %llu of %llu bytes of names",
				   (unsigned long long)name, (unsigned long long)room);
	if (t->previous && strcmp(t->previous, text) >= 0)
		return nc_h5_wrong(h, at, "symbol: %s comes after %s", nc_quote(text, n).text,
				   nc_quote(t->previous, strlen(t->previous)).text);
	t->previous = text;
	return nc_h5_add_child(h, t->group, t->links, at, (const uint8_t *)text, n, address);
}

static bool read_symbols(nc_h5 *h, table *t, uint64_t at)
{
	nc_cursor c = nc_cursor_look(h, at, 8, "symbol node");
	nc_cursor_magic(&c, "SNOD");
	nc_cursor_version(&c, 1);
	nc_cursor_bytes(&c, 1);
	uint64_t n = nc_cursor_u(&c, 2);
	c = nc_cursor_claim(h, at, 8 + 40 * n, "symbol node");
	nc_cursor_bytes(&c, 8);
	while (n-- && !h->failed)
		add_entry(h, t, &c);
	return !h->failed;
}

/* A node of the tree; `level` -1: the root, which tells its own. */
static bool read_node(nc_h5 *h, table *t, uint64_t at, int level)
{
	nc_cursor c = nc_cursor_look(h, at, 8, "B-tree");
	nc_cursor_magic(&c, "TREE");
	uint64_t type = nc_cursor_u(&c, 1);
	int is = (int)nc_cursor_u(&c, 1);
	uint64_t n = nc_cursor_u(&c, 2);
	if (h->failed)
		return false;
	if (type)
		return nc_h5_wrong(h, at + 4, "B-tree of a group: type %llu, expected 0",
				   (unsigned long long)type);
	if (is > NC_H5_LEVELS || (level >= 0 && is != level))
		return nc_h5_wrong(h, at + 5, "B-tree: level %d, expected %d", is,
				   level < 0 ? NC_H5_LEVELS : level);
	c = nc_cursor_claim(h, at, 24 + 8 + 16 * n, "B-tree");
	nc_cursor_bytes(&c, 24 + 8); /* the siblings and the first key */
	while (n-- && !h->failed) {
		uint64_t child = nc_cursor_u(&c, 8);
		nc_cursor_bytes(&c, 8);
		if (is)
			read_node(h, t, child, is - 1);
		else
			read_symbols(h, t, child);
	}
	return !h->failed;
}

bool nc_h5_symbol_table(nc_h5 *h, nc_hdf5_object *o, nc_h5_links *l, uint64_t tree, uint64_t heap)
{
	table t = {.group = o, .links = l};
	return read_heap(h, heap, &t.names) && read_node(h, &t, tree, -1);
}

/* -- link messages */
bool nc_h5_link(nc_h5 *h, nc_hdf5_object *o, nc_h5_links *l, nc_cursor c)
{
	enum { TYPE = 8, ORDER = 4, CHARSET = 16 };
	uint64_t at = c.at;
	c.what = "link";
	nc_cursor_version(&c, 1);
	unsigned flags = (unsigned)nc_cursor_u(&c, 1);
	uint64_t type = flags & TYPE ? nc_cursor_u(&c, 1) : 0;
	nc_cursor_bytes(&c, (flags & ORDER ? 8 : 0) + (flags & CHARSET ? 1 : 0));
	uint64_t n = nc_cursor_u(&c, 1u << (flags & 3));
	const uint8_t *name = nc_cursor_bytes(&c, n);
	if (h->failed)
		return false;
	if (type)
		return nc_h5_refuse(h, at, "%s link %s",
				    type == 1    ? "a soft"
				    : type == 64 ? "an external"
						 : "an unknown kind of",
				    nc_quote((const char *)name, n).text);
	uint64_t address = nc_cursor_u(&c, 8);
	return nc_h5_add_child(h, o, l, at, name, n, address);
}
