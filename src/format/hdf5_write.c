/* SPDX-License-Identifier: MIT
 *
 * hdf5_write.c - writing HDF5: superblock 0, symbol tables, contiguous data.
 *
 * A tree is described first.  Then every structure gets its place, in one fixed order: superblock;
 * for each group its header, heap, names, symbol nodes and B-tree, for each data set its header;
 * strings of variable size; then the data, each at a multiple of 8.  All before the data is made
 * in memory, the data are passed on as they are.
 */
#include "format/hdf5.h"

#include <string.h>

#include "format/json.h"
#include "format/load.h"

enum {
	SUPERBLOCK = 96,
	LEAF_K = 4,      /* symbols of a node: at most 2 k */
	INTERNAL_K = 16, /* children of a B-tree's node, the same */
	SYMBOLS = 2 * LEAF_K,
	CHILDREN = 2 * INTERNAL_K,
	SYMBOL_NODE = 8 + 40 * SYMBOLS,
	TREE_NODE = 24 + 8 * (CHILDREN + 1) + 8 * CHILDREN,
	HEAP_HEAD = 32,
	HEADER = 16, /* of an object */
	MESSAGE = 8, /* head of one */
	MESSAGE_MOST = 65528,
	HEAP_OBJECTS = 1000, /* strings of one global heap */
	HEAP_LEAST = 4096    /* bytes of one */
};

typedef struct attribute {
	struct attribute *next;
	const char *name;
	bool variable;
	int rank; /* 0 or 1 */
	int64_t n;
	const char *const *text;
	size_t element; /* bytes of a fixed string */
	/* where the (one) variable string is */
	struct nc_hdf5_heap *heap;
	uint32_t index;
} attribute;

/* A global heap with strings of variable size. */
typedef struct nc_hdf5_heap {
	struct nc_hdf5_heap *next;
	uint64_t at, size;
	uint32_t n;
} global_heap;

typedef struct nc_hdf5_node {
	struct nc_hdf5_node *parent, *first, *next; /* first child, next sibling: by name */
	const char *name;
	attribute *attribute;
	size_t n;                   /* children */
	const nacre_tensor *tensor; /* NULL: a group */
	uint64_t header, header_size, messages;
	uint64_t heap, names_size, symbols, tree; /* of a group */
	uint64_t data, data_size;                 /* of a data set */
} node;

/* -- describing */
static nacre_status failed(nc_hdf5_tree *t, nacre_status s)
{
	t->status = t->status ? t->status : s;
	return t->status;
}

static void *take(nc_hdf5_tree *t, size_t n)
{
	void *p = t->status ? NULL : nc_arena_alloc(&t->arena, n);
	if (!p && !t->status)
		failed(t, nc_no_memory(t->error, n));
	return p;
}

void nc_hdf5_tree_init(nc_hdf5_tree *t, nc_memory *m, nacre_error *e)
{
	*t = (nc_hdf5_tree){.memory = m, .error = e};
	nc_arena_init(&t->arena, m);
	t->root = take(t, sizeof *t->root);
	if (t->root)
		t->root->name = "";
}

void nc_hdf5_tree_free(nc_hdf5_tree *t)
{
	nc_arena_free(&t->arena);
	*t = (nc_hdf5_tree){0};
}

static const char *copy_text(nc_hdf5_tree *t, const char *text, size_t n)
{
	char *copy = take(t, n + 1);
	if (copy)
		memcpy(copy, text, n);
	return copy;
}

static node *invalid(nc_hdf5_tree *t, const char *path, const char *why)
{
	failed(t, nc_fail(t->error, NACRE_INVALID, "hdf5: %s: %s",
			  nc_quote(path, strlen(path)).text, why));
	return NULL;
}

/* The child of that name, made in its place if it is not there. */
static node *child(nc_hdf5_tree *t, node *g, const char *name, size_t n, bool *made)
{
	node **at = &g->first;
	for (; *at; at = &(*at)->next) {
		int order = strncmp((*at)->name, name, n);
		if (!order && !(*at)->name[n])
			return *at;
		if (order > 0 || (!order && (*at)->name[n]))
			break;
	}
	node *c = take(t, sizeof *c);
	const char *text = copy_text(t, name, n);
	if (!c || !text)
		return NULL;
	*c = (node){.parent = g, .next = *at, .name = text};
	*at = c;
	g->n++;
	*made = true;
	return c;
}

/* The node at a path, groups made on the way; *made: the last did not exist. */
static node *reach(nc_hdf5_tree *t, const char *path, bool *made)
{
	node *o = t->root;
	const char *p = path;
	*made = false;
	t->ready = false;
	for (int depth = 0; o && !t->status && *p; depth++) {
		size_t n = strcspn(p, "/");
		if (!n || (n == 1 && *p == '.') || (n == 2 && p[0] == '.' && p[1] == '.') ||
		    (p[n] && !p[n + 1]) || !nc_utf8_valid(p, n) || depth == NC_HDF5_DEPTH)
			return invalid(t, path, "no path of an object");
		if (o->tensor)
			return invalid(t, path, "there is a data set on the way");
		o = child(t, o, p, n, made);
		p += p[n] ? n + 1 : n;
	}
	return t->status ? NULL : o;
}

nacre_status nc_hdf5_put_group(nc_hdf5_tree *t, const char *path)
{
	bool made;
	node *o = reach(t, path, &made);
	if (o && o->tensor)
		invalid(t, path, "it is a data set already");
	return t->status;
}

nacre_status nc_hdf5_put_tensor(nc_hdf5_tree *t, const char *path, const nacre_tensor *tensor)
{
	bool made;
	if (!tensor) {
		invalid(t, path, "the tensor is NULL");
		return t->status;
	}
	node *o = reach(t, path, &made);
	if (o && !made)
		invalid(t, path, "it exists already");
	if (!t->status) {
		o->tensor = tensor;
		if (tensor->dtype == NACRE_BF16) /* which HDF5 did not know: as Keras says it */
			nc_hdf5_put_text(t, path, "dtype", "bfloat16");
	}
	return t->status;
}

static attribute *put_attribute(nc_hdf5_tree *t, const char *path, const char *name, int64_t n,
				const char *const *texts)
{
	bool made;
	node *o = reach(t, path, &made);
	if (!o)
		return NULL;
	size_t size = name ? strlen(name) : 0;
	if (!size || size > 1024 || !nc_utf8_valid(name, size))
		return invalid(t, path, "an attribute without a name"), NULL;
	attribute **last = &o->attribute;
	for (; *last; last = &(*last)->next)
		if (!strcmp((*last)->name, name))
			return invalid(t, path, "an attribute with the same name twice"), NULL;
	attribute *a = take(t, sizeof *a);
	const char **copy = take(t, (size_t)(n ? n : 1) * sizeof *copy);
	const char *text = copy_text(t, name, size);
	if (!a || !copy || !text)
		return NULL;
	*a = (attribute){.name = text, .n = n, .text = copy, .element = 1};
	for (int64_t i = 0; i < n; i++) {
		size_t length = texts[i] ? strlen(texts[i]) : 0;
		if (!texts[i] || !nc_utf8_valid(texts[i], length))
			return invalid(t, path, "an attribute that is not UTF-8"), NULL;
		copy[i] = copy_text(t, texts[i], length);
		if (!copy[i])
			return NULL;
		a->element = length > a->element ? length : a->element;
	}
	*last = a;
	return a;
}

nacre_status nc_hdf5_put_text(nc_hdf5_tree *t, const char *path, const char *name, const char *text)
{
	attribute *a = put_attribute(t, path, name, 1, &text);
	if (a)
		a->variable = true;
	return t->status;
}

static size_t attribute_size(const attribute *a);

static nacre_status check_fixed(nc_hdf5_tree *t, const char *path, const attribute *a)
{
	if (a &&
	    (a->n > MESSAGE_MOST || a->element > MESSAGE_MOST || attribute_size(a) > MESSAGE_MOST))
		invalid(t, path, "an attribute of more than 64 KiB");
	return t->status;
}

nacre_status nc_hdf5_put_fixed(nc_hdf5_tree *t, const char *path, const char *name,
			       const char *text)
{
	return check_fixed(t, path, put_attribute(t, path, name, 1, &text));
}

nacre_status nc_hdf5_put_list(nc_hdf5_tree *t, const char *path, const char *name, int64_t n,
			      const char *const *texts)
{
	if (n < 0 || n > MESSAGE_MOST) {
		invalid(t, path, "an attribute of more than 64 KiB");
		return t->status;
	}
	attribute *a = put_attribute(t, path, name, n, texts);
	if (a)
		a->rank = 1;
	return check_fixed(t, path, a);
}

/* -- sizes */
static uint64_t pad(uint64_t n)
{
	return (n + 7) & ~7ull;
}

/* bytes of the data type's message: a string of fixed size, one of variable size */
static size_t attribute_type_size(const attribute *a)
{
	return a->variable ? 20 : 8;
}

static size_t attribute_size(const attribute *a)
{
	uint64_t data = a->variable ? 16 : (uint64_t)a->n * a->element;
	return (size_t)(8 + pad(strlen(a->name) + 1) + pad(attribute_type_size(a)) +
			(a->rank ? 16 : 8) + pad(data));
}

/* X: dtype, class and version, bits, properties; sizes are those of nacre_dtype_size */
static const struct {
	uint8_t size, bytes[40];
} types[NACRE_DTYPES] = {
    [NACRE_F32] = {20, {0x11, 0x20, 31, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127}},
    [NACRE_F64] = {20, {0x11, 0x20, 63, 0, 8, 0, 0, 0, 0, 0, 64, 0, 52, 11, 0, 52, 0xff, 3}},
    [NACRE_F16] = {20, {0x11, 0x20, 15, 0, 2, 0, 0, 0, 0, 0, 16, 0, 10, 5, 0, 10, 15}},
    [NACRE_BF16] = {8, {0x15, 0, 0, 0, 2}},
    [NACRE_I8] = {12, {0x10, 8, 0, 0, 1, 0, 0, 0, 0, 0, 8}},
    [NACRE_U8] = {12, {0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8}},
    [NACRE_I32] = {12, {0x10, 8, 0, 0, 4, 0, 0, 0, 0, 0, 32}},
    [NACRE_I64] = {12, {0x10, 8, 0, 0, 8, 0, 0, 0, 0, 0, 64}},
    [NACRE_BOOL] = {38,
		    {0x18, 2,   0,   0,   1,   0, 0, 0, 0x10, 8,   0,   0,   1, 0, 0, 0, 0, 0, 8, 0,
		     'F',  'A', 'L', 'S', 'E', 0, 0, 0, 'T',  'R', 'U', 'E', 0, 0, 0, 0, 0, 1}},
};

static uint64_t tensor_messages_size(const nacre_tensor *tensor)
{
	return MESSAGE + 8 + 8 * (uint64_t)tensor->rank + /* data space */
	       MESSAGE + pad(types[tensor->dtype].size) + /* data type */
	       MESSAGE + 8 +                              /* fill value */
	       MESSAGE + 24;                              /* layout */
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t up(uint64_t n, uint64_t by)
{
	return (n + by - 1) / by;
}

/* A group without members still has a node of the tree, which lists nothing. */
static uint64_t tree_nodes(uint64_t symbol_nodes)
{
	uint64_t n = up(symbol_nodes, CHILDREN), all;
	n = n ? n : 1;
	for (all = n; n > 1; all += n)
		n = up(n, CHILDREN);
	return all;
}

/* -- places */
/* Every node once, parents before children; NULL after the last. */
static node *following(const node *o)
{
	if (o->first)
		return o->first;
	while (o && !o->next)
		o = o->parent;
	return o ? o->next : NULL;
}

static void place_node(node *o, uint64_t *at)
{
	o->messages = o->tensor ? 4 : 1;
	o->header_size = o->tensor ? tensor_messages_size(o->tensor) : MESSAGE + 16;
	for (const attribute *a = o->attribute; a; a = a->next, o->messages++)
		o->header_size += MESSAGE + attribute_size(a);
	o->header = *at;
	*at += HEADER + o->header_size;
	if (o->tensor)
		return;
	o->heap = *at;
	o->names_size = 8; /* the empty name, of the first key */
	for (const node *c = o->first; c; c = c->next)
		o->names_size += pad(strlen(c->name) + 1);
	o->symbols = o->heap + HEAP_HEAD + o->names_size;
	o->tree = o->symbols + up(o->n, SYMBOLS) * SYMBOL_NODE;
	*at = o->tree + tree_nodes(up(o->n, SYMBOLS)) * TREE_NODE;
}

/* Strings of variable size, some to a heap; its size counts a last, empty object. */
static bool place_strings(nc_hdf5_tree *t, uint64_t *at)
{
	global_heap *heap = NULL, **last = &t->heap;
	*last = NULL;
	for (node *o = t->root; o; o = following(o))
		for (attribute *a = o->attribute; a; a = a->next) {
			if (!a->variable || !a->text[0][0])
				continue;
			if (!heap || heap->n == HEAP_OBJECTS) {
				heap = *last = take(t, sizeof *heap);
				if (!heap)
					return false;
				last = &heap->next;
				heap->size = 16;
			}
			a->heap = heap;
			a->index = ++heap->n;
			heap->size += 16 + pad(strlen(a->text[0]));
		}
	for (heap = t->heap; heap; heap = heap->next) {
		heap->at = *at;
		heap->size = heap->size + 16 < HEAP_LEAST ? HEAP_LEAST : heap->size + 16;
		*at += heap->size;
	}
	return true;
}

static bool prepare(nc_hdf5_tree *t)
{
	uint64_t at = SUPERBLOCK;
	if (t->status)
		return false;
	if (t->ready)
		return true;
	for (node *o = t->root; o; o = following(o)) {
		place_node(o, &at);
		if (o->messages > 65535 || o->header_size > UINT32_MAX) {
			invalid(t, o->name, "too many attributes");
			return false;
		}
	}
	if (!place_strings(t, &at))
		return false;
	t->metadata = t->size = at;
	for (node *o = t->root; o; o = following(o)) {
		if (!o->tensor)
			continue;
		o->data_size =
		    (uint64_t)nacre_tensor_size(o->tensor) * nacre_dtype_size(o->tensor->dtype);
		o->data = o->data_size ? pad(t->size) : UINT64_MAX;
		t->size = o->data_size ? o->data + o->data_size : t->size;
	}
	t->ready = true;
	return true;
}

uint64_t nc_hdf5_size(nc_hdf5_tree *t)
{
	return prepare(t) ? t->size : 0;
}

/* -- bytes */
static uint8_t *put(uint8_t *p, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		*p++ = (uint8_t)(i < 8 ? v >> 8 * i : 0);
	return p;
}

static uint8_t *put_bytes(uint8_t *p, const void *data, size_t n)
{
	memcpy(p, data, n);
	return p + n;
}

static uint8_t *put_message(uint8_t *p, unsigned type, uint64_t size, unsigned flags)
{
	p = put(p, type, 2);
	p = put(p, size, 2);
	return put(p, flags, 4);
}

static void put_superblock(const nc_hdf5_tree *t, uint8_t *p)
{
	p = put_bytes(p, "\211HDF\r\n\032\n", 8);
	p = put(p, 0, 5);
	p = put(p, 8, 1);
	p = put(p, 8, 2);
	p = put(p, LEAF_K, 2);
	p = put(p, INTERNAL_K, 2);
	p = put(p, 0, 4 + 8);
	p = put(p, UINT64_MAX, 8);
	p = put(p, t->size, 8);
	p = put(p, UINT64_MAX, 8);
	p = put(p, 0, 8);
	p = put(p, t->root->header, 8);
	p = put(p, 1, 8);
	p = put(p, t->root->tree, 8);
	put(p, t->root->heap, 8);
}

static uint8_t *put_attribute_message(uint8_t *p, const attribute *a)
{
	size_t name = strlen(a->name) + 1;
	p = put_message(p, 0x0c, attribute_size(a), 0);
	p = put(p, 1, 2);
	p = put(p, name, 2);
	p = put(p, attribute_type_size(a), 2);
	p = put(p, a->rank ? 16 : 8, 2);
	put_bytes(p, a->name, name);
	p += pad(name);
	if (a->variable) { /* a sequence of bytes, string, UTF-8 */
		put_bytes(p, "\x19\1\1\0\x10\0\0\0\x10\0\0\0\1\0\0\0\0\0\10\0", 20);
		p += 24;
	} else { /* filled up with NULs, UTF-8 */
		p = put(p, 0x13 | 0x11 << 8, 4);
		p = put(p, a->element, 4);
	}
	p = put(p, 1 | (unsigned)a->rank << 8, 8);
	if (a->rank)
		p = put(p, (uint64_t)a->n, 8);
	if (a->variable) {
		p = put(p, strlen(a->text[0]), 4);
		p = put(p, a->heap ? a->heap->at : 0, 8);
		return put(p, a->index, 4);
	}
	for (int64_t i = 0; i < a->n; i++)
		put_bytes(p + (size_t)i * a->element, a->text[i], strlen(a->text[i]));
	return p + pad((uint64_t)a->n * a->element);
}

static uint8_t *put_tensor_messages(uint8_t *p, const node *o)
{
	const nacre_tensor *t = o->tensor;
	p = put_message(p, 0x01, 8 + 8 * (uint64_t)t->rank, 0);
	p = put(p, 1 | (unsigned)t->rank << 8, 8);
	for (int i = 0; i < t->rank; i++)
		p = put(p, (uint64_t)t->shape[i], 8);
	p = put_message(p, 0x03, pad(types[t->dtype].size), 1);
	put_bytes(p, types[t->dtype].bytes, types[t->dtype].size);
	p += pad(types[t->dtype].size);
	p = put_message(p, 0x05, 8, 1);
	p = put(p, 0x01020202, 8); /* version 2: zeros, space taken late */
	p = put_message(p, 0x08, 24, 0);
	p = put(p, 3 | 1 << 8, 2); /* version 3: contiguous */
	p = put(p, o->data, 8);
	return put(p, o->data_size, 14);
}

/* -- groups: names, symbols, tree */
static void put_names(const node *g, uint8_t *p)
{
	p = put_bytes(p, "HEAP", 4);
	p = put(p, 0, 4);
	p = put(p, g->names_size, 8);
	p = put(p, 1, 8); /* no free space */
	p = put(p, g->heap + HEAP_HEAD, 8);
	p += 8;
	for (const node *c = g->first; c; c = c->next) {
		put_bytes(p, c->name, strlen(c->name) + 1);
		p += pad(strlen(c->name) + 1);
	}
}

static void put_symbols(const node *g, uint8_t *start)
{
	uint64_t name = 8, i = 0;
	for (const node *c = g->first; c; c = c->next, i++) {
		uint8_t *p = start + i / SYMBOLS * SYMBOL_NODE;
		if (i % SYMBOLS == 0) {
			uint8_t *head = put_bytes(p, "SNOD", 4);
			head = put(head, 1, 2);
			put(head, smaller(g->n - i, SYMBOLS), 2);
		}
		p = put(p + 8 + 40 * (i % SYMBOLS), name, 8);
		p = put(p, c->header, 8);
		p = put(p, c->tensor ? 0 : 1, 8);
		if (!c->tensor)
			put(put(p, c->tree, 8), c->heap, 8);
		name += pad(strlen(c->name) + 1);
	}
}

/* The place, in the heap, of the name of the last of the first n children: a key. */
typedef struct keys {
	const node *next;
	uint64_t n, name, last; /* children passed, where the next name is, and the last was */
} keys;

static uint64_t key_of(keys *k, uint64_t n)
{
	for (; k->next && k->n < n; k->n++, k->next = k->next->next) {
		k->last = k->name;
		k->name += pad(strlen(k->next->name) + 1);
	}
	return k->last;
}

static uint8_t *put_tree_node(uint8_t *p, unsigned level, uint64_t used, uint64_t left,
			      uint64_t right)
{
	p = put_bytes(p, "TREE", 4);
	p = put(p, 0, 1);
	p = put(p, level, 1);
	p = put(p, used, 2);
	p = put(p, left, 8);
	return put(p, right, 8);
}

/* Level by level from the leaves up, in the file from the root down.  A key stands on each side of
 * a child: the last name before it, and its own last. */
static void put_tree(const node *g, uint8_t *start)
{
	uint64_t children = up(g->n, SYMBOLS), child_at = g->symbols, child_size = SYMBOL_NODE;
	uint64_t names = SYMBOLS, nodes = 0; /* names below a child; nodes of this level */
	for (unsigned level = 0; nodes != 1; level++) {
		nodes = children ? up(children, CHILDREN) : 1;
		uint64_t at = g->tree + (nodes > 1 ? tree_nodes(nodes) * TREE_NODE : 0);
		keys k = {.next = g->first, .name = 8};
		for (uint64_t i = 0; i < nodes; i++) {
			uint64_t first = i * CHILDREN, used = smaller(children - first, CHILDREN);
			uint64_t here = at + i * TREE_NODE;
			uint8_t *p = put_tree_node(start + (here - g->tree), level, used,
						   i ? here - TREE_NODE : UINT64_MAX,
						   i + 1 < nodes ? here + TREE_NODE : UINT64_MAX);
			p = put(p, key_of(&k, first * names), 8);
			for (uint64_t c = first; c < first + used; c++) {
				p = put(p, child_at + c * child_size, 8);
				p = put(p, key_of(&k, (c + 1) * names), 8);
			}
		}
		children = nodes;
		child_at = at;
		child_size = TREE_NODE;
		names *= CHILDREN;
	}
}

static void put_node(const node *o, uint8_t *file)
{
	uint8_t *p = file + o->header;
	p = put(p, 1, 2);
	p = put(p, o->messages, 2);
	p = put(p, 1, 4);
	p = put(p, o->header_size, 8);
	if (o->tensor) {
		p = put_tensor_messages(p, o);
	} else {
		p = put_message(p, 0x11, 16, 0);
		p = put(p, o->tree, 8);
		p = put(p, o->heap, 8);
		put_names(o, file + o->heap);
		put_symbols(o, file + o->symbols);
		put_tree(o, file + o->tree);
	}
	for (const attribute *a = o->attribute; a; a = a->next)
		p = put_attribute_message(p, a);
}

static void put_strings(const nc_hdf5_tree *t, uint8_t *file)
{
	uint8_t *p = NULL;
	global_heap *heap = NULL;
	for (node *o = t->root; o; o = following(o))
		for (const attribute *a = o->attribute; a; a = a->next) {
			if (!a->heap || !a->variable)
				continue;
			if (a->heap != heap) {
				heap = a->heap;
				p = put_bytes(file + heap->at, "GCOL", 4);
				p = put(p, 1, 4);
				p = put(p, heap->size, 8);
			}
			size_t n = strlen(a->text[0]);
			p = put(p, a->index, 2);
			p = put(p, 1, 6);
			p = put(p, n, 8);
			put_bytes(p, a->text[0], n);
			p += pad(n);
			if (a->index == heap->n) { /* the last: the rest is free */
				uint64_t left =
				    heap->size - (uint64_t)(p - file - (ptrdiff_t)heap->at);
				put(put(p, 0, 8), left, 8);
			}
		}
}

static nacre_status put_data(nc_hdf5_tree *t, const nc_sink *sink)
{
	static const uint8_t zeros[8];
	uint64_t at = t->metadata;
	nacre_status s = NACRE_OK;
	for (node *o = t->root; o && !s; o = following(o)) {
		if (!o->tensor || !o->data_size)
			continue;
		s = nc_put(sink, zeros, (size_t)(o->data - at));
		nacre_tensor *copy = NULL;
		const nacre_tensor *from = o->tensor;
		if (!s && !nacre_tensor_contiguous(from)) {
			nacre_error own = {0};
			from = copy = nacre_tensor_convert(from, from->dtype, &own);
			if (!copy)
				s = nc_fail(t->error, own.status, "%s", own.text);
		}
		s = s ? s : nc_put(sink, from->data, (size_t)o->data_size);
		nacre_tensor_free(copy);
		at = o->data + o->data_size;
	}
	return s;
}

nacre_status nc_hdf5_write(nc_hdf5_tree *t, const nc_sink *sink)
{
	if (!prepare(t))
		return t->status;
	uint8_t *file = nc_zero_alloc(t->memory, (size_t)t->metadata);
	if (!file)
		return failed(t, nc_no_memory(t->error, (size_t)t->metadata));
	put_superblock(t, file);
	for (const node *o = t->root; o; o = following(o))
		put_node(o, file);
	put_strings(t, file);
	nacre_status s = nc_put(sink, file, (size_t)t->metadata);
	nc_free(t->memory, file, (size_t)t->metadata);
	s = s ? s : put_data(t, sink);
	return s ? failed(t, s) : NACRE_OK;
}
