/* SPDX-License-Identifier: MIT
 *
 * keras_lookup.c - models that look texts and numbers up, as Keras saves them
 * (tests/fixtures/keras_files/make_tensorflow.py): every output mode, vocabularies in the config
 * and in the archive; adapted here; misuse.
 */
#include <unistd.h>

#include "help.h"
#include "nn/layer.h"

#define FIXTURES NACRE_SOURCE_DIR "/tests/fixtures/keras_files/lookup_"

static const char *const words[] = {"dog", "cat", "cow", "",    "cat", "eel",
				    "owl", "cat", "",    "fox", "gnu", "dog"};
static const char *const known[] = {"dog", "cat", "cow", "eel", "cat", "eel",
				    "owl", "cat", "fox", "fox", "gnu", "dog"};
enum { WORDS = sizeof words / sizeof *words };
typedef enum fed_with { NUMBERS, INDICES, TEXTS, KNOWN } fed_with;

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
static nacre_tensor *fed(nacre_model *m, fed_with what)
{
	nacre_error e = {0};
	if (what == NUMBERS || what == INDICES)
		return array(what == NUMBERS ? "numbers_x" : "indices_x");
	nacre_tensor *t =
	    nacre_layer_texts(nacre_model_layer(m, 1), 2, (int64_t[]){WORDS / 2, 2},
			      what == TEXTS ? words : known, &e);
	CHECK_STR(e.text, "");
	return t;
}

static void predicts(nacre_model *m, const char *stem, fed_with texts)
{
	char name[100];
	snprintf(name, sizeof name, "%s_y", stem);
	nacre_tensor *x = fed(m, texts), *y = nacre_predict_tensor(m, x), *want = array(name);
	CHECK_FINE(m);
	CHECK_EQ(nacre_tensor_size(y), nacre_tensor_size(want));
	for (int64_t i = 0; i < nacre_tensor_size(want); i++) {
		double v = nacre_tensor_get(y, i), w = nacre_tensor_get(want, i);
		/* all are whole but tf_idf: a logarithm, and a mean of them, in f32 */
		if (!(fabs(v - w) <= (strstr(stem, "adapted") ? 2e-7 * fabs(w) : 0))) {
			test_failed(__FILE__, __LINE__, "%s[%lld] = %g, expected %g", stem,
				    (long long)i, v, w);
			break;
		}
	}
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	nacre_tensor_free(want);
}

static void check_model(const char *stem, fed_with texts)
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
		check_model(stem, TEXTS);
		snprintf(stem, sizeof stem, "integer_%s", modes[i]);
		check_model(stem, NUMBERS);
		snprintf(stem, sizeof stem, "hashing_%s", modes[i]);
		check_model(stem, TEXTS);
	}
	check_model("string_adapted", TEXTS);
	check_model("integer_adapted", NUMBERS);
	check_model("string_tf_idf", TEXTS);
	check_model("integer_tf_idf", NUMBERS);
	check_model("string_tf_idf_adapted", TEXTS);
	check_model("integer_tf_idf_adapted", NUMBERS);
	check_model("hashing_salt", TEXTS);
	check_model("hashing_salt_one", TEXTS);
	check_model("string_salt", TEXTS);
	check_model("string_no_oov", KNOWN);
	check_model("integer_no_oov", NUMBERS);
	check_model("integer_invert", INDICES);
}

/* Outputs of max_tokens places; without a use in the mode int. */
TEST(padded)
{
	check_model("string_pad_int", TEXTS);
	check_model("string_pad_multi_hot", TEXTS);
	check_model("string_pad_tf_idf", TEXTS);
	check_model("string_pad_tf_idf_adapted", TEXTS);
	check_model("integer_pad_one_hot", NUMBERS);
	check_model("integer_pad_tf_idf", NUMBERS);
	check_model("integer_pad_adapted", NUMBERS);
}

/* Sparse tensors of Keras, which a product with the identity has made ordinary ones. */
TEST(sparse)
{
	check_model("string_sparse_multi_hot", TEXTS);
	check_model("string_sparse_count", TEXTS);
	check_model("integer_sparse_pad", NUMBERS);
	check_model("hashing_sparse", TEXTS);
	check_model("discretization_sparse", NUMBERS);
}

/* The options as they were, in the config of what was read and written. */
TEST(kept_in_files)
{
	static const struct {
		const char *stem, *text;
	} rows[] = {{"integer_sparse_pad", "output_mode=count, sparse=1, max_tokens=9, "
					   "pad_to_max_tokens=1"},
		    {"string_pad_int", "max_tokens=9, pad_to_max_tokens=1"},
		    {"string_sparse_count", "output_mode=count, sparse=1"},
		    {"hashing_sparse", "output_mode=count, sparse=1"},
		    {"discretization_sparse", "output_mode=multi_hot, sparse=1"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char path[600];
		nacre_error e = {0};
		nc_text text;
		snprintf(path, sizeof path, FIXTURES "%s.keras", rows[i].stem);
		nacre_model *m = nacre_load(NULL, path, &e);
		snprintf(path, sizeof path, "/tmp/nacre-lookup-%d.keras", (int)getpid());
		CHECK_EQ(nacre_save(m, path), NACRE_OK);
		nacre_model_free(m);
		m = nacre_load(NULL, path, &e);
		CHECK_STR(e.text, "");
		nc_text_init(&text, &nc_runtime(NULL)->memory);
		nc_layer_text(nacre_model_layer(m, 1), &text);
		if (!strstr(text.data, rows[i].text))
			test_failed(__FILE__, __LINE__, "\"%s\" has no \"%s\"", text.data,
				    rows[i].text);
		nc_text_free(&text);
		nacre_model_free(m);
		unlink(path);
	}
}

/* The old format has the weights of tf_idf in the config alone. */
TEST(in_the_old_format)
{
	nacre_error e = {0};
	nacre_model *m = nacre_load(NULL, FIXTURES "integer_tf_idf.h5", &e);
	CHECK_STR(e.text, "");
	predicts(m, "integer_tf_idf", NUMBERS);
	nacre_model_free(m);
}

/* The output's indices, as words, against those of Keras, a line each. */
static void gives(nacre_model *m, const char *stem)
{
	char path[600], want[60];
	snprintf(path, sizeof path, FIXTURES "%s_y.txt", stem);
	FILE *f = fopen(path, "r");
	nacre_tensor *x = array("indices_x"), *y = nacre_predict_tensor(m, x);
	CHECK_FINE(m);
	CHECK(f && nacre_tensor_size(y) == 8);
	for (int64_t i = 0; f && i < nacre_tensor_size(y) && fgets(want, sizeof want, f); i++) {
		want[strcspn(want, "\n")] = 0;
		CHECK_STR(nacre_layer_word(nacre_model_layer(m, 1),
					   (int64_t)nacre_tensor_get(y, i)),
			  want);
	}
	if (f)
		fclose(f);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
}

TEST(words_of_indices)
{
	static const char *const stems[] = {"string_invert", "string_invert_adapted"};
	for (int i = 0; i < 2; i++) {
		char path[600];
		nacre_error e = {0};
		snprintf(path, sizeof path, FIXTURES "%s.keras", stems[i]);
		nacre_model *m = nacre_load(NULL, path, &e), *again;
		CHECK_STR(e.text, "");
		gives(m, stems[i]);
		snprintf(path, sizeof path, "/tmp/nacre-lookup-%d.keras", (int)getpid());
		CHECK_EQ(nacre_save(m, path), NACRE_OK);
		again = nacre_load(NULL, path, &e);
		CHECK_STR(e.text, "");
		gives(again, stems[i]);
		nacre_model_free(m);
		nacre_model_free(again);
		unlink(path);
	}
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
	predicts(m, "string_adapted", TEXTS);
	nacre_model_free(m);
	m = nacre_sequential_in(rt, "numbers");
	l = nacre_integer_lookup({0}, .output_mode = NACRE_OUTPUT_MULTI_HOT);
	nacre_tensor *x = array("numbers_x");
	CHECK_EQ(nacre_adapt(l, x, &e), NACRE_OK);
	nacre_add(m, nacre_input_new((nacre_input_options){.shape = {2}, .dtype = NACRE_I32}));
	nacre_add(m, l);
	predicts(m, "integer_adapted", NUMBERS);
	CHECK_EQ(nacre_adapt(l, x, &e), NACRE_INVALID);
	CHECK_STR(e.text, "adapt: integer_lookup: it is applied already");
	nacre_tensor_free(x);
	nacre_model_free(m);
	nacre_runtime_free(rt);
}

TEST(adapted_weights)
{
	nacre_error e = {0};
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_model *m = nacre_sequential_in(rt, "texts");
	nacre_layer *l =
	    nacre_string_lookup_layer({0}, .mask_token = "", .output_mode = NACRE_OUTPUT_TF_IDF);
	CHECK_EQ(nacre_adapt_documents(l, WORDS / 2, 2, words, &e), NACRE_OK);
	nacre_add(m, nacre_input_new((nacre_input_options){.shape = {2}, .text = 1}));
	nacre_add(m, l);
	predicts(m, "string_tf_idf_adapted", TEXTS);
	CHECK_EQ(nacre_model_trainable_parameters(m), 0);
	nacre_model_free(m);
	m = nacre_sequential_in(rt, "numbers");
	l = nacre_integer_lookup({0}, .num_oov_indices = 2, .max_tokens = 6,
				 .output_mode = NACRE_OUTPUT_TF_IDF);
	nacre_tensor *x = array("numbers_x");
	CHECK_EQ(nacre_adapt(l, x, &e), NACRE_OK);
	nacre_add(m, nacre_input_new((nacre_input_options){.shape = {2}, .dtype = NACRE_I32}));
	nacre_add(m, l);
	predicts(m, "integer_tf_idf_adapted", NUMBERS);
	nacre_tensor_free(x);
	nacre_model_free(m);
	m = nacre_sequential_in(rt, "padded");
	l = nacre_string_lookup_layer({0}, .mask_token = "", .output_mode = NACRE_OUTPUT_TF_IDF,
				      .max_tokens = 9, .pad_to_max_tokens = 1);
	CHECK_EQ(nacre_adapt_documents(l, WORDS / 2, 2, words, &e), NACRE_OK);
	nacre_add(m, nacre_input_new((nacre_input_options){.shape = {2}, .text = 1}));
	nacre_add(m, l);
	predicts(m, "string_pad_tf_idf_adapted", TEXTS);
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

static void refuse_layer(nacre_layer *l, const char *want)
{
	CHECK_STR(nacre_layer_error(l)->text, want);
	nacre_layer_free(l);
}

#define TWO                                                                                        \
	{                                                                                          \
		2, (const char *[]){"a", "b"}                                                      \
	}
#define LIST(...)                                                                                  \
	{                                                                                          \
		(int64_t)(sizeof((double[]){__VA_ARGS__}) / sizeof(double)),                       \
		    (const double[]){__VA_ARGS__}                                                  \
	}
TEST(options_that_do_not_fit)
{
	refuse_layer(nacre_string_lookup_layer({2, (const char *[]){"a", "a"}}),
		     "string_lookup: \"a\" is there twice");
	refuse_layer(nacre_integer_lookup(LIST(3, 5, 3)),
		     "integer_lookup: vocabulary: 3 is there twice");
	refuse_layer(nacre_string_lookup_layer(TWO, .mask_token = "b"),
		     "string_lookup: vocabulary: \"b\" is the mask token");
	refuse_layer(nacre_integer_lookup(LIST(3, 5), .masks = 1, .mask_token = 5),
		     "integer_lookup: vocabulary: 5 is the mask token");
	refuse_layer(nacre_string_lookup_layer(TWO, .invert = 1, .oov_token = "a"),
		     "string_lookup: vocabulary: \"a\" is the oov_token");
	refuse_layer(nacre_integer_lookup(LIST(3, -1), .invert = 1),
		     "integer_lookup: vocabulary: -1 is the oov_token");
	refuse_layer(nacre_string_lookup_layer(TWO, .max_tokens = 2),
		     "string_lookup: vocabulary: expected at most 2 indices, got 3");
	refuse_layer(nacre_integer_lookup(LIST(3, 5), .max_tokens = 1),
		     "integer_lookup: max_tokens: expected at least 2, got 1");
	refuse_layer(nacre_integer_lookup(LIST(3, 5), .num_oov_indices = -2),
		     "integer_lookup: num_oov_indices: expected -1 to 1e+09, got -2");
	refuse_layer(
	    nacre_string_lookup_layer(TWO, .invert = 1, .output_mode = NACRE_OUTPUT_COUNT),
	    "string_lookup: output_mode: only int can be inverted");
	refuse_layer(nacre_string_lookup_layer(TWO, .output_mode = NACRE_OUTPUT_TF_IDF),
		     "string_lookup: idf_weights: expected 2 numbers, got 0");
	refuse_layer(nacre_integer_lookup(LIST(3, 5), .idf_weights = LIST(1, 2),
					  .output_mode = NACRE_OUTPUT_COUNT),
		     "integer_lookup: idf_weights: only for the output_mode tf_idf");
	refuse_layer(nacre_integer_lookup(LIST(3, 5), .pad_to_max_tokens = 1),
		     "integer_lookup: pad_to_max_tokens: expected max_tokens too, got none");
	refuse_layer(nacre_string_lookup_layer(TWO, .sparse = 1),
		     "string_lookup: sparse: not in the output_mode int");
	refuse_layer(nacre_hashing_layer(3, .sparse = 1),
		     "hashing: sparse: not in the output_mode int");
	refuse_layer(nacre_discretization(LIST(3, 5), .sparse = 1),
		     "discretization: sparse: not in the output_mode int");
	refuse_layer(nacre_hashing_layer(3, .salt = LIST(1, 2, 3)),
		     "hashing: salt: expected one or two numbers, got 3");
	refuse_layer(nacre_string_lookup_layer(TWO, .salt = LIST(0.5)),
		     "string_lookup: salt: expected whole numbers of at most 2^53, got 0.5");
	refuse_layer(
	    nacre_hashing_layer(3, .output_mode = NACRE_OUTPUT_TF_IDF),
	    "hashing: output_mode: expected one of default|int|one_hot|multi_hot|count, got 5");
}

/* A text, or a number, that is not in a vocabulary without an index for it. */
TEST(unknown_words)
{
	nacre_error e = {0};
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_layer *l = nacre_string_lookup_layer(TWO, .num_oov_indices = -1, .mask_token = "");
	nacre_tensor *t = nacre_layer_texts(l, 1, (int64_t[]){3},
					    (const char *const[]){"b", "", "a"}, &e);
	CHECK_STR(e.text, "");
	CHECK(nacre_tensor_get(t, 0) == 2 && nacre_tensor_get(t, 1) == 0 &&
	      nacre_tensor_get(t, 2) == 1);
	nacre_tensor_free(t);
	CHECK(!nacre_layer_texts(l, 1, (int64_t[]){2}, (const char *const[]){"b", "owl"}, &e));
	CHECK_STR(e.text, "texts: text 1, \"owl\", is not in the vocabulary, and num_oov_indices "
			  "is 0");
	CHECK_STR(nacre_layer_word(l, 0), "");
	CHECK_STR(nacre_layer_word(l, 2), "b");
	CHECK_STR(nacre_layer_word(l, 3), "[UNK]");
	CHECK(nacre_layer_word(NULL, 0) == NULL);
	nacre_layer_free(l);

	nacre_model *m = nacre_sequential_in(rt, "m");
	nacre_add(m, nacre_input_new((nacre_input_options){.shape = {2}, .dtype = NACRE_I32}));
	nacre_add(m, nacre_integer_lookup(LIST(3, 5), .num_oov_indices = -1, .masks = 1,
					  .mask_token = 9));
	nacre_tensor *x = nacre_tensor_new(rt, NACRE_I32, 2, (int64_t[]){2, 2}, NULL);
	for (int i = 0; i < 4; i++)
		nacre_tensor_set(x, i, (int[]){9, 3, 5, 3}[i]);
	static const int want[] = {0, 1, 2, 1};
	nacre_tensor *y = nacre_predict_tensor(m, x);
	CHECK_FINE(m);
	for (int i = 0; i < 4; i++)
		CHECK_EQ((int64_t)nacre_tensor_get(y, i), want[i]);
	nacre_tensor_free(y);
	nacre_tensor_set(x, 3, 4);
	CHECK(!nacre_predict_tensor(m, x));
	CHECK_STR(nacre_model_error(m)->text,
		  "predict: integer_lookup: 4 of sample 1 is not in the vocabulary, and "
		  "num_oov_indices is 0");
	nacre_tensor_free(x);
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
	refuse(nacre_string_lookup_layer({2, two}, .invert = 1), true,
	       "an input of texts leads to a layer that looks nothing up");
	nacre_layer *l = nacre_string_lookup_layer({2, two}, .invert = 1), *dense = nacre_dense(1);
	CHECK(!nacre_layer_texts(l, 1, (int64_t[]){2}, two, &e));
	CHECK_STR(e.text, "texts: the layer is inverted: it gives texts");
	nacre_layer_free(l);
	e = (nacre_error){0};
	l = nacre_string_lookup_layer({2, two});
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
	e = (nacre_error){0};
	nacre_layer_free(l);
	l = nacre_string_lookup_layer({0});
	CHECK_EQ(nacre_adapt_documents(l, 2, -1, two, &e), NACRE_INVALID);
	CHECK_STR(e.text, "adapt: expected documents of texts, got 2 of -1");
	nacre_layer_free(l);
	nacre_layer_free(dense);
}
