/* SPDX-License-Identifier: MIT
 *
 * keras_hostile.c - Keras's files that lie, break off, or ask for code; memory and disks that fail.
 */
#include "../format/help.h"
#include "format/zip.h"
#include "help.h"
#include "train/keras/keras.h"

/* -- files made here --------------------------------------------------------------------------- */
enum { ROOM = 1 << 16 };
static uint8_t bytes[ROOM];

typedef struct weight {
	const char *path;
	int rank;
	int64_t shape[2];
} weight;

static nacre_status produce(void *context, const nc_sink *sink)
{
	return nc_hdf5_write(context, sink);
}

/* A .keras of this config and of weights that are zero; its size. */
static size_t make(const char *config, const weight *w)
{
	nacre_runtime *rt = nc_runtime(NULL);
	nacre_error e = {0};
	nc_buffer out;
	nc_hdf5_tree t;
	nc_zip_writer z;
	nacre_tensor *held[8];
	int n = 0;
	nc_buffer_init(&out, &rt->memory, &e);
	nc_hdf5_tree_init(&t, &rt->memory, &e);
	nc_hdf5_put_group(&t, "vars");
	for (; w && w->path; w++) {
		held[n] = nacre_tensor_new(rt, NACRE_F32, w->rank, w->shape, &e);
		nc_hdf5_put_tensor(&t, w->path, held[n++]);
	}
	nc_zip_start(&z, &rt->memory, nc_sink_buffer(&out), &e);
	nc_zip_add(&z, "config.json", config, strlen(config));
	nc_zip_add_from(&z, "model.weights.h5", produce, &t);
	nc_zip_finish(&z);
	CHECK_STR(e.text, "");
	CHECK(out.size < ROOM);
	size_t size = out.size;
	memcpy(bytes, out.data, size < ROOM ? size : 0);
	nc_hdf5_tree_free(&t);
	nc_buffer_free(&out);
	while (n)
		nacre_tensor_free(held[--n]);
	return size;
}

static nacre_model *decode(nacre_runtime *rt, size_t size, nacre_error *e)
{
	return nc_keras_decode(rt, bytes, size, &(nacre_load_options){0}, e);
}

static void refused(const char *config, const weight *w, const char *text)
{
	nacre_error e = {0};
	nacre_model *m = decode(nc_runtime(NULL), make(config, w), &e);
	CHECK(!m);
	CHECK_STR(e.text, text);
	nacre_model_free(m);
}

#define INPUT                                                                                      \
	"{\"class_name\": \"InputLayer\", \"config\": {\"batch_shape\": [null, 2], "               \
	"\"name\": \"in\"}}"
#define SEQUENTIAL(layers)                                                                         \
	"{\"module\": \"keras\", \"class_name\": \"Sequential\", \"config\": {\"name\": \"s\", "   \
	"\"layers\": [" INPUT ", " layers "]}}"
#define LAYER_OF(class, config)                                                                    \
	"{\"module\": \"keras.layers\", \"class_name\": \"" class "\", \"config\": {" config "}}"
#define DENSE LAYER_OF("Dense", "\"name\": \"d\", \"units\": 3")

static const weight good[] = {
    {"layers/dense/vars/0", 2, {2, 3}}, {"layers/dense/vars/1", 1, {3}}, {NULL, 0, {0}}};

TEST(smallest_file)
{
	nacre_error e = {0};
	nacre_model *m = decode(nc_runtime(NULL), make(SEQUENTIAL(DENSE), good), &e);
	CHECK_STR(e.text, "");
	CHECK_EQ(nacre_model_parameters(m), 9);
	nacre_model_free(m);
}

TEST(code_is_never_run)
{
	refused(SEQUENTIAL(LAYER_OF("Lambda", "\"name\": \"l\", \"function\": \"os.system\"")),
		good, "config.json: l: layer: Lambda is code in a file, which is never run");
	refused(SEQUENTIAL("{\"module\": \"evil.module\", \"class_name\": \"Dense\", "
			   "\"config\": {\"name\": \"d\"}}"),
		good,
		"config.json: d: layer: \"Dense\" of module \"evil.module\" is no class of "
		"Keras's");
	refused(SEQUENTIAL("{\"module\": null, \"class_name\": \"Mine\", \"registered_name\": "
			   "\"pkg>Mine\", \"config\": {\"name\": \"d\"}}"),
		good,
		"config.json: d: layer: \"Mine\" is a class of somebody's own (\"pkg>Mine\"), "
		"which this program has not registered");
	refused(SEQUENTIAL(LAYER_OF("Dense", "\"name\": \"d\", \"units\": 3, \"activation\": "
					     "{\"class_name\": \"__lambda__\", \"config\": {}}")),
		good, "config.json: d: activation: Lambda is code in a file, which is never run");
	refused("{\"module\": \"builtins\", \"class_name\": \"exec\", \"config\": {}}", good,
		"config.json: unknown class of models \"exec\"");
}

TEST(unknown_things)
{
	refused(SEQUENTIAL(LAYER_OF("Dance", "\"name\": \"d\"")), good,
		"config.json: d: unknown class of layers \"Dance\"");
	refused(SEQUENTIAL(LAYER_OF("Dense", "\"name\": \"d\", \"units\": 3, \"turbo\": 2")), good,
		"config.json: d: option turbo = 2 is not supported");
	refused(
	    SEQUENTIAL(LAYER_OF("Dense", "\"name\": \"d\", \"units\": 3, \"activation\": \"wow\"")),
	    good, "config.json: d: activation: unknown activation \"wow\"");
	refused(SEQUENTIAL(LAYER_OF("Dense",
				    "\"name\": \"d\", \"units\": 3, \"dtype\": \"mixed_float16\"")),
		good,
		"config.json: d: dtype: expected float32, float64 or mixed_bfloat16, got "
		"\"mixed_float16\"");
	refused(SEQUENTIAL(LAYER_OF("Dense", "\"name\": \"d\", \"units\": \"3\"")), good,
		"config.json: d: units: expected a whole number, got \"3\"");
	refused(SEQUENTIAL(LAYER_OF("Dense", "\"name\": \"d\", \"units\": -3")), good,
		"config.json: d: units: expected at least 1, got -3");
	refused(SEQUENTIAL(DENSE ", " DENSE), good,
		"config.json: d: a layer of that name is there already");
	refused("[]", good, "config.json: model: expected an object, got []");
	refused("{\"class_name\": \"Sequential\", \"config\": {\"layers\": 3}}", good,
		"config.json: layers: expected a list of 1 to 16384, got 3");
	refused("{\"class_name\": \"Sequential\", \"class_name\": \"Functional\"}", good,
		"config.json, byte 29: the key \"class_name\" occurs twice");
}

TEST(weights_that_do_not_fit)
{
	static const weight none[] = {{NULL, 0, {0}}};
	static const weight shape[] = {
	    {"layers/dense/vars/0", 2, {3, 2}}, {"layers/dense/vars/1", 1, {3}}, {NULL, 0, {0}}};
	static const weight more[] = {{"layers/dense/vars/0", 2, {2, 3}},
				      {"layers/dense/vars/1", 1, {3}},
				      {"layers/dense/vars/2", 1, {3}},
				      {NULL, 0, {0}}};
	static const weight layer[] = {{"layers/dense/vars/0", 2, {2, 3}},
				       {"layers/dense/vars/1", 1, {3}},
				       {"layers/dense_1/vars/0", 1, {3}},
				       {NULL, 0, {0}}};
	refused(SEQUENTIAL(DENSE), none,
		"model.weights.h5: layers/dense/vars/0: there is no such variable");
	refused(SEQUENTIAL(DENSE), shape,
		"model.weights.h5: layers/dense/vars/0: d/kernel is [2, 3] in the model, [3, 2] "
		"there");
	refused(SEQUENTIAL(DENSE), more,
		"model.weights.h5: layers/dense/vars: expected 2 variables, got 3");
	refused(SEQUENTIAL(DENSE), layer,
		"model.weights.h5: layers/dense_1: the model has no such layer");
}

/* -- functional models that do not hold together ------------------------------------------------
 */
#define TENSOR(layer, node)                                                                        \
	"{\"class_name\": \"__keras_tensor__\", \"config\": {\"shape\": [null, 2], "               \
	"\"keras_history\": [\"" layer "\", " node ", 0]}}"
#define NODE(args) "{\"args\": [" args "], \"kwargs\": {}}"
#define ENTRY(name, nodes)                                                                         \
	"{\"class_name\": \"Dense\", \"name\": \"" name "\", \"config\": {\"name\": \"" name       \
	"\", \"units\": 2}, \"inbound_nodes\": [" nodes "]}"
#define NET(layers, output)                                                                        \
	"{\"class_name\": \"Functional\", \"config\": {\"name\": \"f\", \"layers\": "              \
	"[{\"class_name\": \"InputLayer\", \"name\": \"in\", \"config\": {\"batch_shape\": "       \
	"[null, 2], \"name\": \"in\"}, \"inbound_nodes\": []}, " layers "], \"input_layers\": "    \
	"[\"in\", 0, 0], \"output_layers\": [\"" output "\", 0, 0]}}"

TEST(networks)
{
	refused(
	    NET(ENTRY("a", NODE(TENSOR("b", "0"))) ", " ENTRY("b", NODE(TENSOR("a", "0"))), "a"),
	    good, "config.json: a: inbound_nodes: its inputs depend on itself, or are nowhere");
	refused(NET(ENTRY("a", NODE(TENSOR("in", "0"))), "b"), good,
		"config.json: there is no layer \"b\"");
	refused(NET(ENTRY("a", NODE(TENSOR("in", "7"))), "a"), good,
		"config.json: a: inbound_nodes: its inputs depend on itself, or are nowhere");
	refused(NET(ENTRY("a", ""), "a"), good, "config.json: a: inbound_nodes: it has no input");
	refused(NET(ENTRY("a", NODE("")), "a"), good,
		"config.json: a: inbound_nodes: a call without inputs");
	refused(NET(ENTRY("a", NODE("3")), "a"), good,
		"config.json: a: inbound_nodes: an argument of 3 is not supported");
	refused(NET(ENTRY("in", NODE(TENSOR("in", "0"))), "in"), good,
		"config.json: two layers are called \"in\"");
}

/* -- sweeps ------------------------------------------------------------------------------------ */
static nacre_model *tiny(nacre_runtime *rt)
{
	nacre_model *m = nacre_sequential_in(rt, "tiny");
	nacre_add(m, nacre_input(2));
	nacre_add(m, nacre_dense(2, .activation = nacre_relu));
	nacre_compile(m, .optimizer = nacre_sgd(), .loss = nacre_mse);
	return m;
}

static size_t tiny_file(nacre_runtime *rt)
{
	nacre_model *m = tiny(rt);
	CHECK_EQ(nacre_save(m, temporary("tiny.keras")), NACRE_OK);
	nacre_model_free(m);
	size_t size = get_file(temporary("tiny.keras"), bytes, ROOM);
	unlink(temporary("tiny.keras"));
	CHECK(size > 1000 && size < ROOM);
	return size;
}

TEST(every_prefix)
{
	nacre_runtime *rt = quiet(NULL, 0);
	size_t size = tiny_file(rt);
	int64_t blocks = nacre_runtime_memory(rt).blocks;
	for (size_t n = 0; n < size; n++) {
		nacre_error e = {0};
		uint8_t *part = malloc(n + 1); /* so that a byte too far is seen */
		memcpy(part, bytes, n);
		nacre_model *m = nc_keras_decode(rt, part, n, &(nacre_load_options){0}, &e);
		CHECK(!m && e.status);
		nacre_model_free(m);
		free(part);
	}
	CHECK_EQ(nacre_runtime_memory(rt).blocks, blocks);
	nacre_runtime_free(rt);
}

/* A flipped bit is found, or was in what is not read (dates). */
TEST(every_bit)
{
	nacre_runtime *rt = quiet(NULL, 0);
	size_t size = tiny_file(rt), accepted = 0;
	nacre_error e = {0};
	nacre_model *m = decode(rt, size, &e);
	nacre_tensor *w = nacre_get_weight(m, "dense/kernel");
	nacre_model_free(m);
	for (size_t i = 0; i < size; i++)
		for (int bit = 0; bit < 8; bit++) {
			e = (nacre_error){0};
			bytes[i] ^= (uint8_t)(1 << bit);
			m = decode(rt, size, &e);
			bytes[i] ^= (uint8_t)(1 << bit);
			CHECK(!m == (e.status != 0));
			if (!m)
				continue;
			accepted++;
			nacre_tensor *v = nacre_get_weight(m, "dense/kernel");
			CHECK(v && memcmp(nacre_tensor_data(v), nacre_tensor_data(w), 16) == 0);
			nacre_tensor_free(v);
			nacre_model_free(m);
		}
	CHECK(accepted < size / 4);
	nacre_tensor_free(w);
	nacre_runtime_free(rt);
}

/* Wherever it is among the weights, also where no number could be right; a model that is there
 * keeps what it has. */
TEST(damage_is_told)
{
	nacre_runtime *rt = quiet(NULL, 0);
	const char *path = temporary("damaged.keras");
	size_t size = tiny_file(rt);
	nacre_error e = {0};
	nc_zip z;
	CHECK(!nc_zip_open(nc_runtime_memory(rt), bytes, size, &z, &e));
	const nc_zip_member *w = nc_zip_find(&z, "model.weights.h5");
	CHECK(w && !w->deflated);
	size_t first = w ? w->data : 0, end = w ? first + w->size : 0;
	nc_zip_close(&z);
	for (size_t i = first; i < end; i += 5) {
		nacre_model *other = tiny(rt);
		nacre_tensor *before = nacre_get_weight(other, "dense/kernel");
		nacre_tensor_set(before, 0, 5);
		nacre_set_weight(other, "dense/kernel", before);
		e = (nacre_error){0};
		bytes[i] ^= 64;
		CHECK(!decode(rt, size, &e));
		CHECK(strstr(e.text, "zip: byte") && strstr(e.text, "the checksum is"));
		put_file(path, bytes, size);
		e = (nacre_error){0};
		CHECK_EQ(nc_keras_load_weights(other, path, &e), NACRE_BAD_DATA);
		CHECK(strstr(e.text, "the checksum is"));
		bytes[i] ^= 64;
		nacre_tensor *after = nacre_get_weight(other, "dense/kernel");
		CHECK(before && after &&
		      memcmp(nacre_tensor_data(before), nacre_tensor_data(after),
			     (size_t)nacre_tensor_size(before) * sizeof(float)) == 0);
		nacre_tensor_free(before);
		nacre_tensor_free(after);
		nacre_model_free(other);
	}
	unlink(path);
	nacre_runtime_free(rt);
}

/* -- memory ------------------------------------------------------------------------------------ */
static size_t held_size;

static bool load_and_save(nacre_runtime *rt, nacre_error *e)
{
	nacre_model *m = nc_keras_decode(rt, bytes, held_size, &(nacre_load_options){0}, e);
	if (m && nacre_save(m, temporary("again.keras")))
		*e = *nacre_model_error(m);
	nacre_model_free(m);
	return !e->status;
}

static void run_out(void)
{
	/* layers come from the default runtime, the rest from this one: both run out at once */
	nc_memory *shared = nc_runtime_memory(nc_runtime(NULL));
	nacre_allocator before = shared->allocator;
	for (int forever = 0; forever < 2; forever++) {
		test_memory state = {0};
		nacre_allocator counting = {test_reallocate, &state};
		nacre_runtime_options o = {.threads = 1, .allocator = counting, .output.silent = 1};
		nacre_runtime *rt = nacre_runtime_new(&o, NULL);
		shared->allocator = counting;
		size_t held = state.bytes;
		int64_t n = 0;
		do {
			nacre_error e = {0};
			state.calls = state.failures = 0;
			state.fail_at = ++n;
			state.forever = forever;
			bool ok = load_and_save(rt, &e);
			state.fail_at = 0;
			CHECK(ok == !e.status);
			CHECK(ok || e.status == NACRE_NO_MEMORY);
			CHECK_EQ(state.bytes, held);
		} while (state.failures && n < 20000);
		CHECK(n > 50);
		shared->allocator = before;
		nacre_runtime_free(rt);
		CHECK_EQ(state.bytes, 0);
	}
	unlink(temporary("again.keras"));
}

TEST(memory_runs_out)
{
	nacre_runtime *plain = quiet(NULL, 0);
	held_size = tiny_file(plain);
	nacre_runtime_free(plain);
	run_out();
}

TEST(memory_runs_out_for_files_of_keras)
{
	static const char *const names[] = {"nested_before.keras", "sgd_before.keras",
					    "sequential.h5"};
	for (int i = 0; i < 3; i++) {
		char path[600];
		snprintf(path, sizeof path, "%s/tests/fixtures/keras_files/%s", NACRE_SOURCE_DIR,
			 names[i]);
		held_size = get_file(path, bytes, ROOM);
		CHECK(held_size > 1000 && held_size < ROOM);
		run_out();
	}
}

/* -- disks ------------------------------------------------------------------------------------- */
TEST(disk_fails)
{
	static uint8_t old[ROOM], now[ROOM];
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_model *m = tiny(rt);
	const char *const path = "/tmp/nacre-test-keras-disk.keras";
	CHECK_EQ(nacre_save(m, path), NACRE_OK);
	size_t size = get_file(path, old, ROOM);
	int64_t n = 0, unsaid = 0;
	do {
		n++;
		fail_call(n, n % 2 ? EIO : ENOSPC);
		nacre_status status = nacre_save(m, path);
		restore_calls();
		CHECK(!status || io_failed);
		unsaid += io_failed && !status; /* the folder cannot be flushed, or closed */
		nacre_clear_error(m);
		CHECK_EQ(get_file(path, now, ROOM), size); /* the old one, or a new one: equal */
		CHECK(memcmp(now, old, size) == 0);
	} while (io_failed && n < 1000);
	CHECK(n > 5 && unsaid <= 2);
	for (n = 0, io_failed = true; io_failed && n < 100;) {
		nacre_error e = {0};
		fail_call(++n, EIO);
		nacre_model *again = nacre_load(rt, path, &e);
		restore_calls();
		CHECK(!again == (e.status != NACRE_OK));
		CHECK(again || io_failed);
		nacre_model_free(again);
	}
	nacre_model_free(m);
	nacre_runtime_free(rt);
	unlink(path);
}
