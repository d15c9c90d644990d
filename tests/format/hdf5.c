/* SPDX-License-Identifier: MIT
 *
 * hdf5.c - HDF5: files of h5py against what is said beside them, and trees written and read again.
 */
#include "format/hdf5.h"

#include "format/hdf5_read.h"
#include "format/help.h"
#include "nacre/format.h"

static test_memory memory;
static nacre_runtime *rt;

static nc_memory *start(void)
{
	if (!rt)
		rt = test_runtime(&memory);
	return nc_runtime_memory(rt);
}

/* -- the fixtures: NAME.h5, NAME.txt (see make_hdf5.py) */
enum { FIELDS = 8 };

typedef struct fixture {
	const char *name;
	nc_hdf5 file;
	const nc_hdf5_object *object;
	int lines;
} fixture;

static int split(char *line, char separator, char **field, int most)
{
	int n = 0;
	for (char *p = line; p && n < most; n++) {
		field[n] = p;
		p = strchr(p, separator);
		if (p)
			*p++ = '\0';
	}
	return n;
}

static void check_data(fixture *f, char **field)
{
	nacre_error e = {0};
	nacre_tensor *t = nc_hdf5_tensor(&f->file, f->object, rt, NULL, &e);
	if (!t) {
		test_failed(__FILE__, __LINE__, "%s: %s: %s", f->name, field[1], e.text);
		return;
	}
	CHECK_STR(nacre_dtype_name(t->dtype), field[2]);
	char shape[100] = "";
	for (int i = 0; i < t->rank; i++)
		snprintf(shape + strlen(shape), sizeof shape - strlen(shape), i ? ",%d" : "%d",
			 (int)t->shape[i]);
	CHECK_STR(shape, field[3]);
	char *p = field[4];
	for (int64_t i = 0; i < nacre_tensor_size(t); i++)
		if (strtod(p, &p) != nacre_tensor_get(t, i))
			test_failed(__FILE__, __LINE__, "%s: %s: element %d is %g", f->name,
				    field[1], (int)i, nacre_tensor_get(t, i));
	CHECK(!*p);
	nacre_tensor_free(t);
}

static void check_attribute(fixture *f, char **field, int n)
{
	const nc_hdf5_attribute *a = nc_hdf5_attribute_find(f->object, field[2]);
	nacre_error e = {0};
	CHECK(a);
	if (!a)
		return;
	if (!strcmp(field[0], "number")) {
		char *p = field[3];
		double v;
		for (int64_t i = 0; i < a->type.count; i++)
			CHECK(!nc_hdf5_number(a, i, &v, &e) && v == strtod(p, &p));
		CHECK(!*p);
		CHECK(nc_hdf5_number(a, a->type.count, &v, &e));
	} else {
		const char *s;
		size_t size;
		CHECK_EQ(a->type.count, n - 3);
		for (int i = 0; i < n - 3; i++) {
			CHECK(!nc_hdf5_string(&f->file, a, i, &s, &size, &e));
			if (size != strlen(field[3 + i]) || memcmp(s, field[3 + i], size))
				test_failed(__FILE__, __LINE__, "%s: %s is \"%.*s\"", f->name,
					    field[2], (int)size, s);
		}
		CHECK(nc_hdf5_string(&f->file, a, n - 3, &s, &size, &e));
		CHECK(nc_hdf5_string(&f->file, a, -1, &s, &size, NULL) == NACRE_INVALID);
		double v;
		CHECK(nc_hdf5_number(a, 0, &v, NULL) == NACRE_UNSUPPORTED);
	}
}

static void check_line(fixture *f, char *line)
{
	char *field[FIELDS] = {0};
	int n = split(line, '\t', field, FIELDS);
	f->object = nc_hdf5_find(&f->file, NULL, field[1]);
	f->lines++;
	if (!f->object)
		test_failed(__FILE__, __LINE__, "%s: no %s", f->name, field[1]);
	else if (!strcmp(field[0], "group"))
		CHECK(f->object->group && f->object->n == strtoull(field[2], NULL, 10));
	else if (!strcmp(field[0], "data"))
		check_data(f, field);
	else if (!strcmp(field[0], "refused")) {
		nacre_error e = {0};
		CHECK(!nc_hdf5_tensor(&f->file, f->object, rt, NULL, &e));
		if (!strstr(e.text, field[2]) || !strstr(e.text, "hdf5: data set"))
			test_failed(__FILE__, __LINE__, "%s: expected \"%s\", got \"%s\"", f->name,
				    field[2], e.text);
	} else
		check_attribute(f, field, n);
}

static void check_fixture(const char *name, int lines)
{
	char path[1000], text[20000];
	fixture f = {.name = name};
	nacre_error e = {0};
	nc_bytes b;
	nc_memory *m = start();
	size_t before = memory.bytes;
	snprintf(path, sizeof path, "%s/tests/fixtures/hdf5/%s.txt", NACRE_SOURCE_DIR, name);
	size_t n = get_file(path, text, sizeof text - 1);
	CHECK(n > 0 && n < sizeof text - 1);
	text[n] = '\0';
	snprintf(path, sizeof path, "%s/tests/fixtures/hdf5/%s.h5", NACRE_SOURCE_DIR, name);
	CHECK(!nc_file_read(m, path, 0, &b, &e));
	nacre_status s = nc_hdf5_open(m, b.data, b.size, &f.file, &e);
	if (!strncmp(text, "error\t", 6)) {
		text[strcspn(text, "\n")] = '\0';
		CHECK(s && s == e.status);
		if (!strstr(e.text, text + 6) || strncmp(e.text, "hdf5: byte ", 11))
			test_failed(__FILE__, __LINE__, "%s: expected \"%s\", got \"%s\"", name,
				    text + 6, e.text);
	} else if (s) {
		test_failed(__FILE__, __LINE__, "%s: %s", name, e.text);
	} else {
		for (char *line = text, *next; *line; line = next) {
			next = line + strcspn(line, "\n");
			*next++ = '\0';
			check_line(&f, line);
		}
		CHECK_EQ(f.lines, lines);
		nc_hdf5_close(&f.file);
	}
	nc_bytes_free(m, &b);
	CHECK_EQ(memory.bytes, before);
}

TEST(keras)
{
	check_fixture("keras", 27);
	check_fixture("keras_latest", 27);
	check_fixture("keras_v108", 27);
	check_fixture("keras_ordered", 27);
	check_fixture("userblock", 27);
}

TEST(types)
{
	check_fixture("types", 31);
	check_fixture("types_latest", 31);
}

TEST(attributes)
{
	check_fixture("attributes", 24);
	check_fixture("attributes_latest", 24);
}

#ifdef NACRE_HAVE_ZLIB
TEST(chunked)
{
	check_fixture("chunked", 15);
	check_fixture("chunked_latest", 8);
}
#endif

TEST(many_members)
{
	check_fixture("many", 402);
	check_fixture("many_latest", 402);
	check_fixture("dense", 14);
}

TEST(refused)
{
	static const char *const names[] = {"link_soft",     "link_soft_latest", "link_hard",
					    "link_external", "external",         "cycle",
					    "huge"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		check_fixture(names[i], 0);
	check_fixture("foreign", 15);
}

TEST(checksums)
{
	CHECK_EQ(nc_lookup3((const uint8_t *)"", 0), 0xdeadbeef);
	CHECK_EQ(nc_lookup3((const uint8_t *)"Four score and seven years ago", 30), 0x17770551);
	CHECK_EQ(nc_fletcher32((const uint8_t *)"abcde", 5), 0x4ff029c7);
}

/* -- writing */
static nacre_tensor *numbers(nacre_runtime *runtime, nacre_dtype dtype, int rank,
			     const int64_t *shape, nacre_error *e)
{
	nacre_tensor *t = nacre_tensor_new(runtime, dtype, rank, shape, e);
	for (int64_t i = 0; t && i < nacre_tensor_size(t); i++)
		nacre_tensor_set(t, i, dtype == NACRE_BOOL ? (double)(i % 2) : (double)(i - 2));
	return t;
}

static bool same(const nacre_tensor *a, const nacre_tensor *b)
{
	bool ok = a && b && a->dtype == b->dtype && a->rank == b->rank &&
		  !memcmp(a->shape, b->shape, (size_t)a->rank * sizeof *a->shape);
	for (int64_t i = 0; ok && i < nacre_tensor_size(a); i++)
		ok = nacre_tensor_get(a, i) == nacre_tensor_get(b, i);
	return ok;
}

/* A tensor of every type and rank 0 to 8, at "type/rank". */
static void every_type(nc_hdf5_tree *tree, nacre_tensor **t)
{
	static const int64_t shape[] = {2, 1, 3, 1, 1, 2, 1, 1};
	for (int d = 0; d < NACRE_DTYPES; d++)
		for (int rank = 0; rank <= 8; rank++, t++) {
			char path[100];
			*t = numbers(rt, (nacre_dtype)d, rank, shape, NULL);
			snprintf(path, sizeof path, "%s/%d", nacre_dtype_name((nacre_dtype)d),
				 rank);
			CHECK(!nc_hdf5_put_tensor(tree, path, *t));
		}
}

TEST(every_type_and_rank)
{
	nacre_tensor *t[NACRE_DTYPES * 9];
	nacre_error e = {0};
	nc_hdf5_tree tree;
	nc_hdf5 f;
	nc_buffer b;
	nc_memory *m = start();
	size_t before = memory.bytes;
	nc_hdf5_tree_init(&tree, m, &e);
	every_type(&tree, t);
	nc_buffer_init(&b, m, &e);
	nc_sink sink = nc_sink_buffer(&b);
	CHECK(!nc_hdf5_write(&tree, &sink));
	CHECK_EQ(nc_hdf5_size(&tree), b.size);
	CHECK(!nc_hdf5_open(m, b.data, b.size, &f, &e));
	CHECK_STR(e.text, "");
	CHECK_EQ(f.root->n, NACRE_DTYPES);
	nc_storage *s = nc_storage_wrap(m, b.data, b.size, NULL, NULL, &e);
	for (int i = 0; i < NACRE_DTYPES * 9; i++) {
		char path[100];
		snprintf(path, sizeof path, "/%s//%d", nacre_dtype_name(t[i]->dtype), i % 9);
		const nc_hdf5_object *o = nc_hdf5_find(&f, NULL, path);
		CHECK(o && !o->group);
		nacre_tensor *copy = nc_hdf5_tensor(&f, o, rt, NULL, &e);
		nacre_tensor *view = nc_hdf5_tensor(&f, o, rt, s, &e);
		CHECK(same(copy, t[i]) && same(view, t[i]));
		/* what Nacre wrote is aligned; bfloat16 alone has no byte order in the file */
		CHECK(view->data == o->data && view->storage == s && copy->data != o->data);
		nacre_tensor_free(copy);
		nacre_tensor_free(view);
		nacre_tensor_free(t[i]);
	}
	nc_storage_drop(s);
	nc_hdf5_close(&f);
	nc_buffer_free(&b);
	nc_hdf5_tree_free(&tree);
	CHECK_EQ(memory.bytes, before);
}

static void check_text(const nc_hdf5 *f, const char *path, const char *name, int64_t i,
		       const char *expected)
{
	const nc_hdf5_object *o = nc_hdf5_find(f, NULL, path);
	const nc_hdf5_attribute *a = o ? nc_hdf5_attribute_find(o, name) : NULL;
	const char *s;
	size_t n;
	nacre_error e = {0};
	CHECK(a && !nc_hdf5_string(f, a, i, &s, &n, &e));
	CHECK(a && n == strlen(expected) && !memcmp(s, expected, n));
}

TEST(written_attributes)
{
	static const char *const list[] = {"dense", "", "a long name of a layer", "\xc3\xa9"};
	nacre_error e = {0};
	nc_hdf5_tree tree;
	nc_hdf5 f;
	nc_buffer b;
	nc_memory *m = start();
	char large[60001];
	memset(large, 'x', 60000);
	large[60000] = '\0';
	nc_hdf5_tree_init(&tree, m, &e);
	nc_hdf5_put_text(&tree, "a/b", "name", "grün");
	nc_hdf5_put_text(&tree, "a/b", "empty", "");
	nc_hdf5_put_fixed(&tree, "a/b", "fixed", "3.16.0");
	nc_hdf5_put_fixed(&tree, "a/b", "none", "");
	nc_hdf5_put_fixed(&tree, "", "large", large);
	nc_hdf5_put_text(&tree, "", "larger", large);
	nc_hdf5_put_list(&tree, "", "layer_names", 4, list);
	nc_hdf5_put_list(&tree, "", "no_names", 0, NULL);
	for (int i = 0; i < 2100; i++) { /* more than a heap has */
		char path[50];
		snprintf(path, sizeof path, "many/%d", i);
		nc_hdf5_put_text(&tree, path, "name", path);
	}
	nc_buffer_init(&b, m, &e);
	nc_sink sink = nc_sink_buffer(&b);
	CHECK(!nc_hdf5_write(&tree, &sink));
	CHECK(!nc_hdf5_open(m, b.data, b.size, &f, &e));
	CHECK_STR(e.text, "");
	check_text(&f, "a/b", "name", 0, "grün");
	check_text(&f, "a/b", "empty", 0, "");
	check_text(&f, "a/b", "fixed", 0, "3.16.0");
	check_text(&f, "a/b", "none", 0, "");
	check_text(&f, "", "large", 0, large);
	check_text(&f, "", "larger", 0, large);
	for (int i = 0; i < 4; i++)
		check_text(&f, "", "layer_names", i, list[i]);
	const nc_hdf5_attribute *a = nc_hdf5_attribute_find(f.root, "no_names");
	CHECK(a && a->type.rank == 1 && a->type.count == 0);
	for (int i = 0; i < 2100; i++) {
		char path[50];
		snprintf(path, sizeof path, "many/%d", i);
		check_text(&f, path, "name", 0, path);
	}
	nc_hdf5_close(&f);
	/* the same tree: the same bytes */
	nc_buffer again;
	nc_buffer_init(&again, m, &e);
	sink = nc_sink_buffer(&again);
	CHECK(!nc_hdf5_write(&tree, &sink));
	CHECK(again.size == b.size && !memcmp(again.data, b.data, b.size));
	nc_buffer_free(&again);
	nc_buffer_free(&b);
	nc_hdf5_tree_free(&tree);
}

/* Numbers of members around those at which nodes and levels of the tree are added. */
TEST(numbers_of_members)
{
	static const int counts[] = {0, 1, 7, 8, 9, 255, 256, 257, 8191, 8192, 8193, 9000};
	nc_memory *m = start();
	for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
		nacre_error e = {0};
		nc_hdf5_tree tree;
		nc_hdf5 f;
		nc_buffer b;
		nc_hdf5_tree_init(&tree, m, &e);
		nacre_tensor *t = numbers(rt, NACRE_F32, 0, NULL, NULL);
		for (int i = 0; i < counts[k]; i++) {
			char path[50];
			snprintf(path, sizeof path, "%d", i * 7919 % counts[k]);
			nc_hdf5_put_tensor(&tree, path, t);
		}
		nc_buffer_init(&b, m, &e);
		nc_sink sink = nc_sink_buffer(&b);
		CHECK(!nc_hdf5_write(&tree, &sink));
		CHECK(!nc_hdf5_open(m, b.data, b.size, &f, &e));
		CHECK_EQ(f.root->n, counts[k]);
		for (int i = 0; i < counts[k]; i++) {
			char path[50];
			snprintf(path, sizeof path, "%d", i);
			CHECK(nc_hdf5_find(&f, f.root, path));
		}
		CHECK(!nc_hdf5_find(&f, NULL, "x") && !nc_hdf5_find(&f, NULL, "1/x"));
		nc_hdf5_close(&f);
		nc_buffer_free(&b);
		nacre_tensor_free(t);
		nc_hdf5_tree_free(&tree);
	}
}

TEST(strided_and_empty_tensors)
{
	nacre_error e = {0};
	nc_hdf5_tree tree;
	nc_hdf5 f;
	nc_buffer b;
	nc_memory *m = start();
	nc_hdf5_tree_init(&tree, m, &e);
	nacre_tensor *t = numbers(rt, NACRE_F32, 2, (int64_t[]){3, 4}, NULL);
	nacre_tensor *turned = nacre_tensor_transpose(t, (int[]){1, 0}, NULL);
	nacre_tensor *none = numbers(rt, NACRE_I64, 2, (int64_t[]){0, 4}, NULL);
	nacre_tensor *byte = numbers(rt, NACRE_U8, 1, (int64_t[]){3}, NULL);
	nc_hdf5_put_tensor(&tree, "a", byte);
	nc_hdf5_put_tensor(&tree, "b", turned);
	nc_hdf5_put_tensor(&tree, "c", none);
	nc_buffer_init(&b, m, &e);
	nc_sink sink = nc_sink_buffer(&b);
	CHECK(!nc_hdf5_write(&tree, &sink));
	CHECK(!nc_hdf5_open(m, b.data, b.size, &f, &e));
	nacre_tensor *x = nc_hdf5_tensor(&f, nc_hdf5_find(&f, NULL, "b"), rt, NULL, &e);
	nacre_tensor *y = nc_hdf5_tensor(&f, nc_hdf5_find(&f, NULL, "c"), rt, NULL, &e);
	CHECK(same(x, turned) && same(y, none));
	/* a storage that lies elsewhere is not used */
	nc_storage *s = nc_storage_new(m, 100, &e);
	nacre_tensor *z = nc_hdf5_tensor(&f, nc_hdf5_find(&f, NULL, "b"), rt, s, &e);
	CHECK(same(z, turned) && z->storage != s);
	nc_storage_drop(s);
	nacre_tensor *all[] = {t, turned, none, byte, x, y, z};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		nacre_tensor_free(all[i]);
	nc_hdf5_close(&f);
	nc_buffer_free(&b);
	nc_hdf5_tree_free(&tree);
}

/* -- wrong calls */
static void expect_invalid(nc_hdf5_tree *tree, nacre_error *e, const char *text)
{
	CHECK_EQ(tree->status, NACRE_INVALID);
	CHECK_EQ(nc_hdf5_size(tree), 0);
	CHECK_EQ(nc_hdf5_put_group(tree, "good"), NACRE_INVALID); /* the error stays */
	if (!strstr(e->text, text))
		test_failed(__FILE__, __LINE__, "expected \"%s\", got \"%s\"", text, e->text);
	nc_hdf5_tree_free(tree);
	*e = (nacre_error){0};
	nc_hdf5_tree_init(tree, start(), e);
}

TEST(wrong_calls)
{
	static const char *const paths[] = {"/a",
					    "a/",
					    "a//b",
					    ".",
					    "..",
					    "a/../b",
					    "\xff",
					    ("1/2/3/4/5/6/7/8/9/0/1/2/3/4/5/6/7/8/9/0/"
					     "1/2/3/4/5/6/7/8/9/0/1/2/3/4")};
	nacre_error e = {0};
	nc_hdf5_tree t;
	nc_hdf5_tree_init(&t, start(), &e);
	nacre_tensor *x = numbers(rt, NACRE_F32, 0, NULL, NULL);
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		nc_hdf5_put_tensor(&t, paths[i], x);
		expect_invalid(&t, &e, "no path of an object");
	}
	nc_hdf5_put_tensor(&t, "a", NULL);
	expect_invalid(&t, &e, "the tensor is NULL");
	nc_hdf5_put_tensor(&t, "", x);
	expect_invalid(&t, &e, "it exists already");
	nc_hdf5_put_tensor(&t, "a", x);
	nc_hdf5_put_tensor(&t, "a", x);
	expect_invalid(&t, &e, "\"a\": it exists already");
	nc_hdf5_put_tensor(&t, "a", x);
	nc_hdf5_put_group(&t, "a/b");
	expect_invalid(&t, &e, "there is a data set on the way");
	nc_hdf5_put_tensor(&t, "a", x);
	nc_hdf5_put_group(&t, "a");
	expect_invalid(&t, &e, "it is a data set already");
	nc_hdf5_put_text(&t, "a", "", "x");
	expect_invalid(&t, &e, "an attribute without a name");
	nc_hdf5_put_text(&t, "a", "n", "\xff");
	expect_invalid(&t, &e, "an attribute that is not UTF-8");
	nc_hdf5_put_text(&t, "a", "n", NULL);
	expect_invalid(&t, &e, "an attribute that is not UTF-8");
	nc_hdf5_put_text(&t, "a", "n", "x");
	nc_hdf5_put_fixed(&t, "a", "n", "x");
	expect_invalid(&t, &e, "an attribute with the same name twice");
	char large[65600];
	memset(large, 'x', sizeof large - 1);
	large[sizeof large - 1] = '\0';
	nc_hdf5_put_fixed(&t, "a", "n", large);
	expect_invalid(&t, &e, "an attribute of more than 64 KiB");
	nc_hdf5_put_list(&t, "a", "n", 1000000, NULL);
	expect_invalid(&t, &e, "an attribute of more than 64 KiB");
	nc_hdf5_put_list(&t, "a", "n", -1, NULL);
	expect_invalid(&t, &e, "an attribute of more than 64 KiB");
	nc_hdf5_tree_free(&t);
	nacre_tensor_free(x);
}

/* -- failing memory, failing disks */
static bool put_tree(nc_hdf5_tree *tree, nacre_tensor *x)
{
	for (int i = 0; i < 30; i++) {
		char path[300];
		snprintf(path, sizeof path, "group/%0200d", i);
		nc_hdf5_put_tensor(tree, path, x);
	}
	nc_hdf5_put_text(tree, "group", "name", "a name");
	nc_hdf5_put_list(tree, "", "list", 2, (const char *const[]){"a", "bc"});
	return !tree->status;
}

static bool write_memory(nacre_runtime *runtime, nacre_error *e)
{
	nc_memory *m = nc_runtime_memory(runtime);
	nc_hdf5_tree tree;
	nc_buffer b;
	nacre_tensor *x = numbers(runtime, NACRE_F32, 2, (int64_t[]){3, 5}, e);
	if (!x)
		return false;
	nacre_tensor *turned = nacre_tensor_transpose(x, (int[]){1, 0}, e);
	nacre_tensor_free(x);
	if (!turned)
		return false;
	nc_hdf5_tree_init(&tree, m, e);
	nc_buffer_init(&b, m, e);
	nc_sink sink = nc_sink_buffer(&b);
	bool ok = put_tree(&tree, turned) && !nc_hdf5_write(&tree, &sink);
	nc_buffer_free(&b);
	nc_hdf5_tree_free(&tree);
	nacre_tensor_free(turned);
	return ok;
}

TEST(memory_of_writing)
{
	fail_each_allocation(write_memory);
}

static const char *read_name;
static bool read_memory(nacre_runtime *runtime, nacre_error *e)
{
	static uint8_t bytes[200000];
	static const char *loaded;
	static size_t n;
	nc_memory *m = nc_runtime_memory(runtime);
	if (loaded != read_name) {
		char path[1000];
		snprintf(path, sizeof path, "%s/tests/fixtures/hdf5/%s.h5", NACRE_SOURCE_DIR,
			 read_name);
		n = get_file(path, bytes, sizeof bytes);
		CHECK(n > 0 && n < sizeof bytes);
		loaded = read_name;
	}
	nc_hdf5 f;
	if (nc_hdf5_open(m, bytes, n, &f, e))
		return false;
	bool ok = true;
	for (nc_hdf5_object *o = f.root; o && ok; o = o->next)
		if (!o->group && !o->type.refused && strcmp(o->name, "too_large")) {
			nacre_tensor *t = nc_hdf5_tensor(&f, o, runtime, NULL, e);
			ok = t;
			nacre_tensor_free(t);
		}
	nc_hdf5_close(&f);
	return ok;
}

TEST(memory_of_reading)
{
	static const char *const names[] = {"keras",      "types",          "attributes_latest",
#ifdef NACRE_HAVE_ZLIB
					    "chunked",    "chunked_latest",
#endif
					    "many_latest"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		read_name = names[i];
		fail_each_allocation(read_memory);
	}
}

static nacre_status write_file(const char *path, nacre_tensor *x, nacre_error *e)
{
	nc_writer w;
	nc_hdf5_tree tree;
	if (nc_writer_open(&w, path, e))
		return e->status;
	nc_hdf5_tree_init(&tree, start(), e);
	nc_sink sink = nc_sink_writer(&w);
	bool ok = put_tree(&tree, x) && !nc_hdf5_write(&tree, &sink);
	nc_hdf5_tree_free(&tree);
	if (ok)
		return nc_writer_finish(&w);
	nc_writer_abandon(&w);
	return e->status;
}

TEST(failing_disk)
{
	static const int errors[] = {EIO, ENOSPC};
	static uint8_t file[100000];
	const char *path = temporary("hdf5");
	nc_memory *m = start();
	nacre_tensor *x = numbers(rt, NACRE_F32, 1, (int64_t[]){5}, NULL);
	for (int i = 0; i < 2; i++)
		for (int64_t n = 1;; n++) {
			nacre_error e = {0};
			nc_hdf5 f;
			put_file(path, "old", 3);
			fail_call(n, errors[i]);
			nacre_status s = write_file(path, x, &e);
			bool failed = io_failed;
			restore_calls();
			size_t size = get_file(path, file, sizeof file);
			CHECK(s == e.status && (s == NACRE_OK || s == NACRE_IO));
			bool old = size == 3 && !memcmp(file, "old", 3);
			if (!old) {
				CHECK(!nc_hdf5_open(m, file, size, &f, NULL));
				nc_hdf5_close(&f);
			}
			CHECK(s || !old);
			if (!failed) {
				CHECK(n > 20 && !s);
				break;
			}
		}
	nacre_tensor_free(x);
	unlink(path);
}
