/* SPDX-License-Identifier: MIT
 *
 * keras_own.c - layers of the program's own in files of models: what they are made of goes there
 * and back, also to and from Keras; refused by name where they are not registered.
 */
#include <unistd.h>

#include "base/runtime.h"
#include "help.h"
#include "sweep.h"

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

static nacre_model *with_own(nacre_runtime *rt)
{
	nacre_model *m = nacre_functional_in(rt, "own");
	nacre_value *x = nacre_model_input(m, nacre_input(4, 3));
	nacre_layer *twice = scaled_layer(0.5, 1);
	x = nacre_apply(twice, nacre_apply(twice, x));
	x = nacre_apply(nacre_time_distributed(scaled_layer(2, 0)), x);
	nacre_model_output(m, nacre_apply(nacre_dense(2), x));
	return m;
}

static double first_answer(nacre_model *m)
{
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 3, (int64_t[]){1, 4, 3}, NULL);
	for (int i = 0; i < 12; i++)
		nacre_tensor_set(x, i, i - 5);
	nacre_tensor *y = nacre_predict_tensor(m, x);
	CHECK_FINE(m);
	double first = nacre_tensor_get(y, 0);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	return first;
}

TEST(cloned)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_model *m = with_own(rt), *c = nacre_model_clone(m);
	CHECK_FINE(m);
	CHECK_FINE(c);
	CHECK_EQ(alive, 4);
	nacre_tensor *w[8];
	int n = nacre_model_weights(m);
	CHECK_EQ(n, 6);
	CHECK_EQ(nacre_get_weights(m, w), NACRE_OK);
	CHECK_EQ(nacre_set_weights(c, n, (const nacre_tensor *const *)w), NACRE_OK);
	for (int i = 0; i < n; i++)
		nacre_tensor_free(w[i]);
	CHECK_EQ(nacre_model_trainable_parameters(c), nacre_model_trainable_parameters(m));
	double want = first_answer(m);
	nacre_model_free(m); /* its contexts are gone */
	CHECK_EQ(alive, 2);
	CHECK(want != 0 && first_answer(c) == want);
	nacre_model_free(c);
	CHECK_EQ(alive, 0);
	nacre_runtime_free(rt);
}

static void refuse_clone(nacre_runtime *rt, nacre_layer *l, const char *want)
{
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_add(m, nacre_input(3));
	nacre_add(m, l);
	CHECK_FINE(m);
	CHECK(!nacre_model_clone(m));
	CHECK_STR(nacre_model_error(m)->text, want);
	nacre_model_free(m);
}

TEST(not_cloned)
{
	static const nacre_layer_functions dumb = {
	    .name = "Dumb", .call = scaled_call, .build = scaled_build};
	static scaled one = {1, 0};
	nacre_runtime *rt = quiet(NULL, 0);
	refuse_clone(rt, nacre_own(&dumb, .context = &one),
		     "clone: dumb: a layer of one's own without get_config and from_config cannot "
		     "be made again");
	refuse_clone(rt, scaled_layer(0, 0),
		     "clone: add_scaled: factor: expected a number other than 0");
	CHECK_EQ(alive, 0);
	nacre_runtime_free(rt);
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
static void know_layer(nacre_runtime *rt, long n)
{
	if (n == 0)
		CHECK_EQ(nacre_register_layer(rt, &add_scaled, NULL), NACRE_OK);
}

static nacre_status clone(nacre_runtime *rt)
{
	nacre_error e = {0};
	nacre_model *m = nacre_load(rt, FIXTURES "own.keras", &e);
	nacre_model *c = nacre_model_clone(m);
	nacre_status status = m ? nacre_model_error(m)->status : e.status;
	CHECK(c || status);
	nacre_model_free(c);
	nacre_model_free(m);
	CHECK_EQ(alive, 0);
	return status;
}

static nacre_status load_and_save(nacre_runtime *rt)
{
	nacre_error e = {0};
	nacre_model *m = nacre_load(rt, FIXTURES "own.keras", &e);
	nacre_status status = m ? nacre_save(m, file("m.keras")) : e.status;
	nacre_model_free(m);
	CHECK_EQ(alive, 0);
	return status;
}

/* The numbers of a config are read by the layer, which makes do with what it gets: so there may be
 * another error. */
TEST(allocations_fail)
{
	sweep_allocations(&(sweep){.live = load_and_save,
				   .before = know_layer,
				   .least = 30,
				   .other = NACRE_BAD_MODEL});
	sweep_allocations(&(sweep){
	    .live = clone, .before = know_layer, .least = 60, .other = NACRE_BAD_MODEL});
	unlink(file("m.keras"));
}
