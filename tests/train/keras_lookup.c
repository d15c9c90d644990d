/* SPDX-License-Identifier: MIT
 *
 * keras_lookup.c - models that look texts and numbers up, as Keras saves them
 * (tests/fixtures/keras_files/make_tensorflow.py): every output mode, vocabularies in the config
 * and in the archive; adapted here; misuse.
 */
#include <unistd.h>

#include "help.h"

#define FIXTURES NACRE_SOURCE_DIR "/tests/fixtures/keras_files/lookup_"

static const char *const words[] = {"dog", "cat", "cow", "",    "cat", "eel",
				    "owl", "cat", "",    "fox", "gnu", "dog"};
enum { WORDS = sizeof words / sizeof *words };

static nacre_tensor *array(const char *name)
{
	char path[600];
	nacre_error e = {0};
	snprintf(path, sizeof path, FIXTURES "%s.npy", name);
	nacre_tensor *t = nacre_npy_load(NULL, path, &e);
	CHECK_STR(e.text, "");
	return t;
}

/* What is fed: numbers, or what the layer makes of the words. */
static nacre_tensor *fed(nacre_model *m, bool texts)
{
	nacre_error e = {0};
	nacre_tensor *t = texts ? nacre_layer_texts(nacre_model_layer(m, 1), 2,
						    (int64_t[]){WORDS / 2, 2}, words, &e)
				: array("numbers_x");
	CHECK_STR(e.text, "");
	return t;
}

static void predicts(nacre_model *m, const char *stem, bool texts)
{
	char name[100];
	snprintf(name, sizeof name, "%s_y", stem);
	nacre_tensor *x = fed(m, texts), *y = nacre_predict_tensor(m, x), *want = array(name);
	CHECK_FINE(m);
	CHECK_EQ(nacre_tensor_size(y), nacre_tensor_size(want));
	for (int64_t i = 0; i < nacre_tensor_size(want); i++)
		if (nacre_tensor_get(y, i) != nacre_tensor_get(want, i)) {
			test_failed(__FILE__, __LINE__, "%s[%lld] = %g, expected %g", stem,
				    (long long)i, nacre_tensor_get(y, i),
				    nacre_tensor_get(want, i));
			break;
		}
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	nacre_tensor_free(want);
}

static void check_model(const char *stem, bool texts)
{
	char path[600];
	nacre_error e = {0};
	nacre_runtime *rt = quiet(NULL, 0);
	snprintf(path, sizeof path, FIXTURES "%s.keras", stem);
	nacre_model *m = nacre_load(rt, path, &e), *again = NULL;
	CHECK_STR(e.text, "");
	if (m) {
		predicts(m, stem, texts);
		snprintf(path, sizeof path, "/tmp/nacre-lookup-%d.keras", (int)getpid());
		CHECK_EQ(nacre_save(m, path), NACRE_OK);
		again = nacre_load(rt, path, &e);
		CHECK_STR(e.text, "");
	}
	if (again)
		predicts(again, stem, texts);
	nacre_model_free(m);
	nacre_model_free(again);
	nacre_runtime_free(rt);
	unlink(path);
}

TEST(from_keras)
{
	static const char *const modes[] = {"int", "one_hot", "multi_hot", "count"};
	for (int i = 0; i < 4; i++) {
		char stem[60];
		snprintf(stem, sizeof stem, "string_%s", modes[i]);
		check_model(stem, true);
		snprintf(stem, sizeof stem, "integer_%s", modes[i]);
		check_model(stem, false);
		snprintf(stem, sizeof stem, "hashing_%s", modes[i]);
		check_model(stem, true);
	}
	check_model("string_adapted", true);
	check_model("integer_adapted", false);
}

/* The same as Keras adapted. */
TEST(adapted)
{
	nacre_error e = {0};
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_model *m = nacre_sequential_in(rt, "texts");
	nacre_layer *l = nacre_string_lookup_layer({0}, .max_tokens = 5);
	CHECK_EQ(nacre_adapt_texts(l, WORDS, words, &e), NACRE_OK);
	nacre_add(m, nacre_input_new((nacre_input_options){.shape = {2}, .text = 1}));
	nacre_add(m, l);
	predicts(m, "string_adapted", true);
	nacre_model_free(m);
	m = nacre_sequential_in(rt, "numbers");
	l = nacre_integer_lookup({0}, .output_mode = NACRE_OUTPUT_MULTI_HOT);
	nacre_tensor *x = array("numbers_x");
	CHECK_EQ(nacre_adapt(l, x, &e), NACRE_OK);
	nacre_add(m, nacre_input_new((nacre_input_options){.shape = {2}, .dtype = NACRE_I32}));
	nacre_add(m, l);
	predicts(m, "integer_adapted", false);
	CHECK_EQ(nacre_adapt(l, x, &e), NACRE_INVALID);
	CHECK_STR(e.text, "adapt: integer_lookup: it is applied already");
	nacre_tensor_free(x);
	nacre_model_free(m);
	nacre_runtime_free(rt);
}

static void refuse(nacre_layer *l, bool text, const char *want)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_add(m, nacre_input_new(
			 (nacre_input_options){.shape = {2}, .text = text, .dtype = NACRE_I32}));
	nacre_add(m, l);
	nacre_save(m, "/tmp/nacre-lookup-no.keras");
	if (!strstr(nacre_model_error(m)->text, want))
		test_failed(__FILE__, __LINE__, "\"%s\" has no \"%s\"", nacre_model_error(m)->text,
			    want);
	CHECK(access("/tmp/nacre-lookup-no.keras", F_OK) != 0);
	nacre_model_free(m);
	nacre_runtime_free(rt);
}

TEST(misuse)
{
	static const char *const two[] = {"a", "b"}, *const none[] = {"a", NULL};
	nacre_error e = {0};
	refuse(nacre_string_lookup_layer({0}), true, "string_lookup: has no vocabulary yet");
	refuse(nacre_integer_lookup({0}), false, "integer_lookup: has no vocabulary yet");
	refuse(nacre_string_lookup_layer({2, none}), true,
	       "string_lookup: vocabulary: expected texts, none of them NULL");
	refuse(nacre_hashing_layer(0), true, "hashing: num_bins: expected 1 to 1e+09, got 0");
	refuse(nacre_string_lookup_layer({2, two}), false, "reads texts, but its input is none");
	refuse(nacre_rescaling(1), true,
	       "an input of texts leads to a layer that looks nothing up");
	nacre_layer *l = nacre_string_lookup_layer({2, two}), *dense = nacre_dense(1);
	CHECK(!nacre_layer_texts(l, 1, (int64_t[]){2}, none, &e));
	CHECK_STR(e.text, "texts: text 1 is NULL");
	e = (nacre_error){0};
	CHECK(!nacre_layer_texts(dense, 1, (int64_t[]){2}, two, &e));
	CHECK_STR(e.text, "texts: expected a layer of texts, got Dense");
	e = (nacre_error){0};
	CHECK_EQ(nacre_adapt_texts(l, 2, two, &e), NACRE_INVALID);
	CHECK_STR(e.text, "adapt: its vocabulary is given");
	e = (nacre_error){0};
	CHECK_EQ(nacre_adapt_texts(dense, 2, two, &e), NACRE_INVALID);
	CHECK_STR(e.text, "adapt: expected a string_lookup, got Dense");
	nacre_layer_free(l);
	nacre_layer_free(dense);
}
