/* SPDX-License-Identifier: MIT
 *
 * keras_own.c - layers of the program's own in files of models: what they are made of goes there
 * and back, also to and from Keras; refused by name where they are not registered.
 */
#include <unistd.h>

#include "base/runtime.h"
#include "countdown.h"
#include "help.h"

#define FIXTURES NACRE_SOURCE_DIR "/tests/fixtures/keras_files/"

/* -- AddScaled: x scale factor, plus the weight count if `shift`; as in make_tensorflow.py
 * --------- */
typedef struct scaled {
	double factor;
	int shift;
} scaled;

static int alive; /* contexts */

static bool scaled_build(nacre_layer_call *c, int n, nacre_node *const *x)
{
	(void)n;
	int64_t size = nacre_node_shape(x[0])[nacre_node_rank(x[0]) - 1];
	return nacre_layer_add(c, (nacre_own_weight){.name = "count",
						     .rank = 1,
						     .shape = {1},
						     .initializer = nacre_ones,
						     .fixed = true}) &&
	       nacre_layer_add(
		   c, (nacre_own_weight){
			  .name = "scale", .rank = 1, .shape = {size}, .initializer = nacre_ones});
}

static nacre_node *scaled_call(nacre_layer_call *c, int n, nacre_node *const *x)
{
	(void)n;
	const scaled *s = nacre_layer_context(c);
	nacre_node *y = nacre_scale(nacre_times(x[0], nacre_layer_use(c, 1)), s->factor);
	return s->shift ? nacre_plus(y, nacre_layer_use(c, 0)) : y;
}

static int scaled_config(void *context, char *text, size_t room)
{
	const scaled *s = context;
	return snprintf(text, room,
			"{\"factor\": %.17g, \"shift\": %s, \"list\": [1, {\"a\": null}]}",
			s->factor, s->shift ? "true" : "false");
}

static bool scaled_from(const char *config, void **context, nacre_error *error)
{
	scaled s = {nacre_config_number(config, "factor", 1),
		    (int)nacre_config_number(config, "shift", 0)};
	if (s.factor == 0)
		return nacre_config_fail(error, "factor: expected a number other than 0");
	if (!strstr(config, "\"list\": [1") || !strstr(config, "{\"a\": null}"))
		return nacre_config_fail(error, "list: it is not what was written");
	if (!(*context = malloc(sizeof s)))
		return nacre_config_fail(error, "no memory");
	memcpy(*context, &s, sizeof s);
	alive++;
	return true;
}

static void scaled_release(void *context)
{
	alive -= context != NULL;
	free(context);
}

static const nacre_layer_functions add_scaled = {.name = "AddScaled",
						 .package = "zoo",
						 .build = scaled_build,
						 .call = scaled_call,
						 .release = scaled_release,
						 .get_config = scaled_config,
						 .from_config = scaled_from};

static nacre_layer *scaled_layer(double factor, int shift)
{
	scaled *s = malloc(sizeof *s);
	*s = (scaled){factor, shift};
	alive++;
	return nacre_own(&add_scaled, .context = s);
}

static nacre_runtime *registered(void)
{
	nacre_error e = {0};
	nacre_runtime *rt = quiet(NULL, 0);
	CHECK_EQ(nacre_register_layer(rt, &add_scaled, &e), NACRE_OK);
	CHECK_EQ(nacre_register_layer(rt, &add_scaled, &e), NACRE_OK); /* again: no harm */
	return rt;
}

static const char *file(const char *name)
{
	static char path[2][200];
	static int turn;
	char *p = path[turn++ % 2];
	snprintf(p, sizeof path[0], "/tmp/nacre-own-%d-%s", (int)getpid(), name);
	return p;
}

static nacre_model *load(nacre_runtime *rt, const char *path)
{
	nacre_error e = {0};
	nacre_model *m = nacre_load(rt, path, &e);
	CHECK_STR(e.text, "");
	return m;
}

static void check_predictions(nacre_model *m, const char *x_path, const char *y_path)
{
	nacre_tensor *x = nacre_npy_load(NULL, x_path, NULL),
		     *y = nacre_npy_load(NULL, y_path, NULL);
	nacre_tensor *got = nacre_predict_tensor(m, x);
	CHECK_FINE(m);
	CHECK_EQ(nacre_tensor_size(got), nacre_tensor_size(y));
	for (int64_t i = 0; i < nacre_tensor_size(y); i++)
		CHECK_NEAR(nacre_tensor_get(got, i), nacre_tensor_get(y, i), 1e-5);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	nacre_tensor_free(got);
}

/* What Keras wrote, through two files of Nacre's. */
TEST(from_keras)
{
	nacre_runtime *rt = registered();
	nacre_model *m = load(rt, FIXTURES "own.keras");
	CHECK_STR(nacre_layer_class(nacre_model_layer(m, 1)), "AddScaled");
	check_predictions(m, FIXTURES "own_x.npy", FIXTURES "own_y.npy");
	CHECK_EQ(nacre_save(m, file("a.keras")), NACRE_OK);
	nacre_model *again = load(rt, file("a.keras"));
	check_predictions(again, FIXTURES "own_x.npy", FIXTURES "own_y.npy");
	CHECK_EQ(alive, 4);
	nacre_model_free(m);
	nacre_model_free(again);
	nacre_runtime_free(rt);
	CHECK_EQ(alive, 0);
	unlink(file("a.keras"));
}

/* Inside of another layer and of a nested model, beside a layer of Keras's of the same name in
 * small letters; trained, and on from the file. */
static nacre_node *dense_call(nacre_layer_call *c, int n, nacre_node *const *x)
{
	(void)n;
	return nacre_times(x[0], nacre_layer_use(c, 0));
}

static bool dense_build(nacre_layer_call *c, int n, nacre_node *const *x)
{
	(void)n, (void)x;
	return nacre_layer_add(
	    c, (nacre_own_weight){.name = "w", .rank = 1, .shape = {1}, .initializer = nacre_ones});
}

static const nacre_layer_functions my_dense = {
    .name = "Dense", .package = "mine", .build = dense_build, .call = dense_call};

TEST(within_others)
{
	nacre_error e = {0};
	nacre_runtime *rt = registered();
	CHECK_EQ(nacre_register_layer(rt, &my_dense, &e), NACRE_OK);
	nacre_dataset *d = sums(rt, 24, 6);
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_add(m, nacre_input(6));
	nacre_add(m, nacre_dense(6, nacre_tanh));
	nacre_add(m, nacre_own(&my_dense));
	nacre_add(m, nacre_reshape_layer(3, 2));
	nacre_add(m, nacre_time_distributed(scaled_layer(1.5, 1)));
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dense(4));
	nacre_add(m, nacre_own(&my_dense));
	nacre_add(m, nacre_dense(1));
	nacre_compile(m, .optimizer = nacre_adam(0.01), .loss = nacre_mse);
	nacre_fit(m, d, .epochs = 2, .batch_size = 8, .no_shuffle = 1);
	CHECK_EQ(nacre_save(m, file("in.keras")), NACRE_OK);
	CHECK_FINE(m);
	nacre_model *again = load(rt, file("in.keras"));
	for (int i = 0; i < 2; i++) {
		nacre_result a = nacre_train_on_batch(m, d), b = nacre_train_on_batch(again, d);
		CHECK(a.loss == b.loss && a.loss > 0);
	}
	CHECK_FINE(again);
	nacre_dataset_free(d);
	nacre_model_free(m);
	nacre_model_free(again);
	nacre_runtime_free(rt);
	CHECK_EQ(alive, 0);
	unlink(file("in.keras"));
}

/* -- refusals ---------------------------------------------------------------------------------- */
static void refuse_load(nacre_runtime *rt, const char *path, const char *text)
{
	nacre_error e = {0};
	nacre_model *m = nacre_load(rt, path, &e);
	CHECK(!m);
	if (!strstr(e.text, text))
		test_failed(__FILE__, __LINE__, "\"%s\" has no \"%s\"", e.text, text);
	nacre_model_free(m);
}

static void refuse_save(nacre_runtime *rt, nacre_layer *l, nacre_status status, const char *text)
{
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_add(m, nacre_input(3));
	nacre_add(m, l);
	CHECK_EQ(nacre_save(m, file("no.keras")), status);
	if (!strstr(nacre_model_error(m)->text, text))
		test_failed(__FILE__, __LINE__, "\"%s\" has no \"%s\"", nacre_model_error(m)->text,
			    text);
	CHECK(access(file("no.keras"), F_OK) != 0);
	nacre_model_free(m);
}

static int wrong_config(void *context, char *text, size_t room)
{
	return context ? snprintf(text, room, "%s", (const char *)context) : -1;
}

static nacre_layer *wrong_layer(const char *text)
{
	static nacre_layer_functions f;
	f = (nacre_layer_functions){
	    .name = "Wrong", .call = dense_call, .build = dense_build, .get_config = wrong_config};
	return nacre_own(&f, .context = (void *)(uintptr_t)text);
}

TEST(refusals)
{
	nacre_error e = {0};
	nacre_runtime *plain = quiet(NULL, 0), *rt = registered();
	refuse_load(plain, FIXTURES "own.keras",
		    "config.json: first: layer: \"AddScaled\" is a class of somebody's own "
		    "(\"zoo>AddScaled\"), which this program has not registered");
	nacre_layer_functions other = add_scaled, none = add_scaled, nameless = add_scaled;
	CHECK_EQ(nacre_register_layer(rt, &other, &e), NACRE_INVALID);
	CHECK_STR(e.text, "register: \"zoo>AddScaled\" is known already");
	none.call = NULL;
	nameless.name = "";
	e = (nacre_error){0};
	CHECK_EQ(nacre_register_layer(rt, &none, &e), NACRE_INVALID);
	CHECK_STR(e.text, "register_layer: expected a table with a name and a call function");
	CHECK_EQ(nacre_register_layer(rt, &nameless, NULL), NACRE_INVALID);
	CHECK_EQ(nacre_register_layer(rt, NULL, NULL), NACRE_INVALID);

	/* what from_config refuses */
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_add(m, nacre_input(3));
	nacre_add(m, scaled_layer(0, 0));
	CHECK_EQ(nacre_save(m, file("zero.keras")), NACRE_OK);
	nacre_model_free(m);
	refuse_load(rt, file("zero.keras"),
		    "config.json: add_scaled: AddScaled: factor: expected a number other than 0");
	unlink(file("zero.keras"));

	/* what get_config cannot give */
	refuse_save(plain, wrong_layer(NULL), NACRE_FAILED, "wrong: get_config: failed");
	refuse_save(plain, wrong_layer("[1]"), NACRE_INVALID,
		    "wrong: get_config: expected the text of an object");
	refuse_save(plain, wrong_layer("{\"a\": }"), NACRE_INVALID, "wrong: get_config: ");
	refuse_save(plain, wrong_layer("{\"name\": 1}"), NACRE_INVALID,
		    "wrong: get_config: \"name\" is written already");
	static nacre_layer_functions dumb;
	dumb = (nacre_layer_functions){.name = "Dumb", .call = dense_call, .build = dense_build};
	refuse_save(plain, nacre_own(&dumb, .context = &(scaled){1, 0}), NACRE_UNSUPPORTED,
		    "dumb: a layer of one's own without get_config cannot be saved");
	nacre_runtime_free(plain);
	nacre_runtime_free(rt);
	CHECK_EQ(alive, 0);
}

TEST(config_numbers)
{
	const char *config = "{\"a\": 2.5, \"b\": true, \"c\": \"x\", \"d\": null}";
	CHECK(nacre_config_number(config, "a", 7) == 2.5);
	CHECK(nacre_config_number(config, "b", 7) == 1);
	CHECK(nacre_config_number(config, "c", 7) == 7);
	CHECK(nacre_config_number(config, "d", 7) == 7);
	CHECK(nacre_config_number(config, "e", 7) == 7);
	CHECK(nacre_config_number("{", "a", 7) == 7);
	CHECK(nacre_config_number(NULL, "a", 7) == 7);
}

/* -- memory ------------------------------------------------------------------------------------ */
/* Loads and saves while the n-th allocation fails. */
TEST(allocations_fail)
{
	nc_memory *shared = nc_runtime_memory(nc_runtime(NULL));
	nacre_allocator before = shared->allocator, counting = {reallocate, NULL};
	nacre_runtime_options o = {.threads = 1, .allocator = counting, .output.silent = 1};
	state = (countdown){.left = -1};
	nacre_runtime *rt = nacre_runtime_new(&o, NULL);
	CHECK_EQ(nacre_register_layer(rt, &add_scaled, NULL), NACRE_OK);
	shared->allocator = counting;
	long held = state.blocks, n = 0;
	do {
		nacre_error e = {0};
		state.left = n++;
		state.failed = false;
		nacre_model *m = nacre_load(rt, FIXTURES "own.keras", &e);
		nacre_status status = m ? nacre_save(m, file("m.keras")) : e.status;
		bool failed = state.failed;
		state.left = -1;
		CHECK(failed || status == NACRE_OK);
		/* the numbers of a config are read by the layer, which makes do with what it gets
		 */
		CHECK(!status || status == NACRE_NO_MEMORY || status == NACRE_BAD_MODEL);
		nacre_model_free(m);
		CHECK_EQ(state.blocks, held);
		CHECK_EQ(alive, 0);
		state.failed = failed;
	} while (state.failed && n < 20000);
	CHECK(n > 30 && n < 20000);
	shared->allocator = before;
	nacre_runtime_free(rt);
	unlink(file("m.keras"));
}
