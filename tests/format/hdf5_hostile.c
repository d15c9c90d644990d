/* SPDX-License-Identifier: MIT
 *
 * hdf5_hostile.c - HDF5 files that lie: every prefix, every flipped bit and every field of small
 * files, with the checksums put right again, and small files that want much.
 */
#include "format/hdf5_read.h"
#include "format/sweep.h"

static bool read_hdf5(const uint8_t *bytes, size_t n, nacre_error *e)
{
	nc_hdf5 f;
	bool ok = true;
	if (nc_hdf5_open(nc_runtime_memory(rt), bytes, n, &f, e))
		return false;
	size_t count = 0;
	for (const nc_hdf5_object *o = f.root; o; o = o->next, count++) {
		for (const nc_hdf5_attribute *a = o->attribute; a; a = a->next) {
			const char *s;
			size_t size;
			double v;
			volatile char last;
			if (!nc_hdf5_string(&f, a, 0, &s, &size, NULL) && size)
				last = s[size - 1];
			nc_hdf5_number(a, a->type.count - 1, &v, NULL);
			(void)last;
		}
		if (!o->group) {
			nacre_tensor *t = nc_hdf5_tensor(&f, o, rt, NULL, ok ? e : NULL);
			ok = ok && t;
			nacre_tensor_free(t);
		}
	}
	CHECK_EQ(count, f.n);
	nc_hdf5_close(&f);
	return ok;
}

/* -- files to damage */
typedef struct file {
	const char *name;
	uint8_t bytes[20000];
	size_t n;
} file;

static void load(file *f, const char *folder, const char *name)
{
	char path[1000];
	f->name = name;
	snprintf(path, sizeof path, "%s/%s/%s", NACRE_SOURCE_DIR, folder, name);
	f->n = get_file(path, f->bytes, sizeof f->bytes);
	CHECK(f->n && f->n < sizeof f->bytes);
}

/* What the writer makes of all that it can. */
static void own_file(file *f)
{
	nacre_error e = {0};
	nc_hdf5_tree t;
	nc_buffer b;
	nc_memory *m = nc_runtime_memory(rt);
	nacre_tensor *x = nacre_tensor_new(rt, NACRE_F32, 2, (int64_t[]){2, 3}, &e);
	nacre_tensor *y = nacre_tensor_new(rt, NACRE_BOOL, 1, (int64_t[]){2}, &e);
	nacre_tensor *z = nacre_tensor_new(rt, NACRE_BF16, 0, NULL, &e);
	nc_hdf5_tree_init(&t, m, &e);
	nc_hdf5_put_tensor(&t, "g/0", x);
	nc_hdf5_put_tensor(&t, "g/1", y);
	nc_hdf5_put_tensor(&t, "2", z);
	nc_hdf5_put_fixed(&t, "", "version", "3.16");
	nc_buffer_init(&b, m, &e);
	nc_sink sink = nc_sink_buffer(&b);
	CHECK(!nc_hdf5_write(&t, &sink) && b.size < sizeof f->bytes);
	f->name = "own";
	f->n = b.size;
	memcpy(f->bytes, b.data, b.size);
	nc_buffer_free(&b);
	nc_hdf5_tree_free(&t);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	nacre_tensor_free(z);
}

/* -- checksums: found by what they are of, and put right again */
typedef struct summed {
	size_t begin, end;
} summed;
enum { MOST_SUMMED = 400 };

static size_t find_sums(const file *f, summed *s)
{
	static const char *const magic[] = {"\x89HDF", "OHDR", "OCHK", "FRHP", "FHDB", "FHIB",
					    "BTHD",    "BTLF", "BTIN", "FAHD", "FADB"};
	size_t n = 0;
	for (size_t at = 0; at + 8 < f->n; at++)
		for (size_t k = 0; k < sizeof magic / sizeof *magic; k++) {
			if (memcmp(f->bytes + at, magic[k], 4))
				continue;
			for (size_t end = at + 12; end <= f->n && n < MOST_SUMMED; end++) {
				const uint8_t *p = f->bytes + end - 4;
				uint32_t sum = nc_lookup3(f->bytes + at, end - 4 - at);
				if (p[0] == (sum & 255) && p[1] == (sum >> 8 & 255) &&
				    p[2] == (sum >> 16 & 255) && p[3] == sum >> 24) {
					s[n++] = (summed){at, end};
					break;
				}
			}
		}
	return n;
}

static void put_sums(uint8_t *bytes, const summed *s, size_t n, size_t changed, size_t width)
{
	for (size_t i = 0; i < n; i++)
		if (changed < s[i].end && changed + width > s[i].begin)
			put_integer(bytes + s[i].end - 4, 4, false,
				    nc_lookup3(bytes + s[i].begin, s[i].end - 4 - s[i].begin));
}

/* Every bit, and every `step`-th place set to every lie, checksums right. */
static void damage_summed(const file *f, size_t step)
{
	static summed s[MOST_SUMMED];
	size_t n = find_sums(f, s);
	uint8_t *copy = malloc(f->n);
	memcpy(copy, f->bytes, f->n);
	for (size_t i = 0; i < 8 * f->n; i += step) {
		copy[i / 8] ^= (uint8_t)(1 << i % 8);
		put_sums(copy, s, n, i / 8, 1);
		try_file(read_hdf5, copy, f->n);
		memcpy(copy, f->bytes, f->n);
	}
	for (size_t at = 0; at < f->n; at += step)
		for (size_t width = 1; width <= 8 && at + width <= f->n; width *= 2) {
			uint64_t truth = 0;
			for (size_t k = width; k-- > 0;)
				truth = truth << 8 | f->bytes[at + k];
			for (int i = 0; i < LIES; i++) {
				put_integer(copy + at, (int)width, false, lie(i, truth));
				put_sums(copy, s, n, at, width);
				try_file(read_hdf5, copy, f->n);
				memcpy(copy, f->bytes, f->n);
			}
		}
	free(copy);
}

TEST(own_file_damaged)
{
	static file f;
	start();
	own_file(&f);
	CHECK(try_file(read_hdf5, f.bytes, f.n));
	damage_file(f.name, read_hdf5, f.bytes, f.n);
	damage_summed(&f, 3);
	report();
}

TEST(small_files_damaged)
{
	static const char *const names[] = {"ok-new",
					    "ok-old-three",
					    "ok-attributes",
					    "ok-attribute-old",
					    "ok-two-dimensions",
					    "ok-chunked-hole",
					    "ok-bool",
					    "ok-bfloat16",
#ifdef NACRE_HAVE_ZLIB
					    "ok-chunked-zlib-all"
#endif
	};
	static file f;
	start();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		load(&f, "fuzz/corpus/hdf5", names[i]);
		CHECK(try_file(read_hdf5, f.bytes, f.n));
		damage_file(f.name, read_hdf5, f.bytes, f.n);
		damage_summed(&f, 1);
	}
	report();
}

/* Dense groups and attributes, and new indices of chunks, from h5py. */
TEST(new_files_damaged)
{
	static const char *const names[] = {"dense.h5", "chunked_latest.h5",
					    "attributes_latest.h5"};
	static file f;
	start();
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		load(&f, "tests/fixtures/hdf5", names[i]);
		damage_summed(&f, 11);
	}
	report();
}

/* -- lies that fit together */
static size_t find(const file *f, const char *magic, int which)
{
	for (size_t at = 0; at + 4 <= f->n; at++)
		if (!memcmp(f->bytes + at, magic, 4) && !which--)
			return at;
	test_failed(__FILE__, __LINE__, "no %s in the file", magic);
	return 0;
}

static void expect(const file *f, const char *text)
{
	nacre_error e = {0};
	bool ok = read_hdf5(f->bytes, f->n, &e);
	if (ok || !strstr(e.text, text))
		test_failed(__FILE__, __LINE__, "expected \"%s\", got \"%s\"", text, e.text);
	try_file(read_hdf5, f->bytes, f->n);
}

TEST(structures_in_each_other)
{
	static file f, g;
	start();
	own_file(&f);
	size_t tree = find(&f, "TREE", 0), node = find(&f, "SNOD", 0), heap = find(&f, "HEAP", 0);
	g = f; /* two children of the tree are one node */
	put_integer(g.bytes + tree + 6, 2, false, 2);
	memcpy(g.bytes + tree + 48, g.bytes + tree + 32, 8);
	expect(&g, "comes after");
	g = f; /* a level more: the tree as its own child */
	g.bytes[tree + 5] = 1;
	put_integer(g.bytes + tree + 32, 8, false, tree);
	expect(&g, "level 1, expected 0");
	g = f; /* the second object is the first */
	memcpy(g.bytes + node + 8 + 40 + 8, g.bytes + node + 8 + 8, 8);
	expect(&g, "shares bytes with");
	g = f; /* a group of the root is the root */
	put_integer(g.bytes + node + 8 + 40 + 8, 8, false, 96);
	expect(&g, "a cycle: \"g\" is a group that it lies in");
	g = f; /* the names are the superblock */
	put_integer(g.bytes + heap + 24, 8, false, 0);
	expect(&g, "no name");
	g = f; /* the names are everything: the names are right, but not their own */
	put_integer(g.bytes + heap + 8, 8, false, f.n - heap - 32);
	expect(&g, "shares bytes with another structure");
	/* the data of two sets */
	size_t end = f.n - 1;
	static const uint8_t layout[] = {8, 0, 24, 0, 0, 0, 0, 0, 3, 1};
	size_t first = 0, second = 0;
	for (size_t at = 0; at + sizeof layout < end; at++)
		if (!memcmp(f.bytes + at, layout, sizeof layout)) {
			first = first ? first : at + 10;
			second = at + 10;
		}
	CHECK(first && second > first);
	g = f;
	memcpy(g.bytes + first, g.bytes + second, 8);
	expect(&g, "data shares bytes with data at");
}

/* Groups one in the other, in version 2: as deep as allowed, one more, and very many. */
static void nested(file *f, int depth)
{
	size_t at = 48;
	memset(f, 0, sizeof *f);
	for (int i = 0; i <= depth; i++) { /* 30 bytes each; the last one without a link */
		uint8_t *p = f->bytes + at;
		memcpy(p, "OHDR\2\0\x10\6\x0c\0\0\1\0\1a", 15);
		put_integer(p + 15, 8, false, at + 27);
		if (i == depth)
			memcpy(p + 6, "\x10\x0a\x0c\0\0", 5); /* group information */
		put_integer(p + 23, 4, false, nc_lookup3(p, 23));
		at += 27;
	}
	f->n = at;
	memcpy(f->bytes, "\x89HDF\r\n\x1a\n\2\x08\x08", 11);
	memset(f->bytes + 20, 255, 8);
	put_integer(f->bytes + 28, 8, false, f->n);
	put_integer(f->bytes + 36, 8, false, 48);
	put_integer(f->bytes + 44, 4, false, nc_lookup3(f->bytes, 44));
}

TEST(deep_groups)
{
	static file f;
	start();
	nested(&f, NC_HDF5_DEPTH);
	CHECK(try_file(read_hdf5, f.bytes, f.n));
	nested(&f, NC_HDF5_DEPTH + 1);
	expect(&f, "groups nested deeper than 32, at \"a\"");
	nested(&f, 700);
	expect(&f, "groups nested deeper than 32, at \"a\"");
}

/* A megabyte of the same letter as the heap of names: each entry a longer one. */
TEST(overlapping_names)
{
	enum { N = 20000, HEAP = 96 + 16 + 24 + 32, LETTERS = 1 << 20, NODE = 8 + 40 * N };
	size_t node = HEAP + LETTERS, tree = node + NODE, n = tree + 48;
	uint8_t *p = calloc(n, 1);
	start();
	memcpy(p, "\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0\4\0\x10", 19);
	memset(p + 32, 255, 8);
	put_integer(p + 40, 8, false, n);
	memset(p + 48, 255, 8);
	put_integer(p + 64, 8, false, 96);
	memcpy(p + 96, "\1\0\1\0\1\0\0\0\x18", 9);
	p[112] = 0x11;
	p[114] = 16;
	put_integer(p + 120, 8, false, tree);
	put_integer(p + 128, 8, false, 136);
	memcpy(p + 136, "HEAP", 4);
	put_integer(p + 144, 8, false, LETTERS);
	put_integer(p + 160, 8, false, HEAP);
	memset(p + HEAP, 'a', LETTERS - 1);
	memcpy(p + node, "SNOD\1\0", 6);
	put_integer(p + node + 6, 2, false, N);
	for (size_t i = 0; i < N; i++) /* shorter ones first */
		put_integer(p + node + 8 + 40 * i, 8, false, LETTERS / 2 - i);
	memcpy(p + tree, "TREE\0\0\1", 7);
	put_integer(p + tree + 32, 8, false, node);
	double t = seconds();
	nacre_error e = {0};
	CHECK(!read_hdf5(p, n, &e));
	CHECK(strstr(e.text, "shares bytes with others"));
	CHECK(!try_file(read_hdf5, p, n));
	CHECK(seconds() - t < 2);
	free(p);
}
