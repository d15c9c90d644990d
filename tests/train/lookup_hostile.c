/* SPDX-License-Identifier: MIT
 *
 * lookup_hostile.c - vocabularies that are damaged in their archive, and memory that fails while
 * layers look up, adapt, load and save.
 */
#include <unistd.h>

#include "format/sink.h"
#include "format/zip.h"
#include "help.h"
#include "sweep.h"
#include "train/keras/keras.h"

#define FIXTURES NACRE_SOURCE_DIR "/tests/fixtures/keras_files/lookup_"

/* -- assets ------------------------------------------------------------------------------------ */
/* The archive with another vocabulary.txt (NULL: without one), or with another text in its config.
 */
typedef struct change {
	const char *vocabulary;
	size_t size;
	bool drop;
	const char *from, *to; /* as long */
} change;

static void replace(uint8_t *data, size_t n, const char *from, const char *to)
{
	size_t length = strlen(from);
	CHECK_EQ(strlen(to), length);
	for (size_t i = 0; i + length <= n; i++)
		if (memcmp(data + i, from, length) == 0)
			memcpy(data + i, to, length);
}

static void copy_member(nc_zip *z, const nc_zip_member *m, nc_zip_writer *w, const change *c,
			nacre_error *e)
{
	nc_zip_data d;
	bool words = strstr(m->name, "vocabulary.txt");
	if (words && c->drop)
		return;
	if (words && c->vocabulary) {
		nc_zip_add(w, m->name, c->vocabulary,
			   c->size ? c->size : strlen(c->vocabulary));
		return;
	}
	CHECK_EQ(nc_zip_read(z, m, &d, e), NACRE_OK);
	uint8_t *copy = malloc(d.size + 1);
	memcpy(copy, d.data, d.size);
	if (c->from && strcmp(m->name, "config.json") == 0)
		replace(copy, d.size, c->from, c->to);
	nc_zip_add(w, m->name, copy, d.size);
	free(copy);
	nc_zip_data_free(z, &d);
}

static void load_changed(const char *stem, const change *c, const char *want)
{
	char path[600];
	nacre_error e = {0};
	nc_memory memory;
	nc_bytes file;
	nc_zip z;
	nc_buffer out;
	nc_zip_writer w;
	nc_memory_init(&memory, NULL);
	snprintf(path, sizeof path, FIXTURES "%s.keras", stem);
	CHECK_EQ(nc_file_read(&memory, path, 0, &file, &e), NACRE_OK);
	CHECK_EQ(nc_zip_open(&memory, file.data, file.size, &z, &e), NACRE_OK);
	nc_buffer_init(&out, &memory, &e);
	nc_zip_start(&w, &memory, nc_sink_buffer(&out), &e);
	for (size_t i = 0; i < z.n; i++)
		copy_member(&z, z.member[i], &w, c, &e);
	nc_zip_finish(&w);
	CHECK_STR(e.text, "");
	nacre_model *m = nc_keras_decode(nc_runtime(NULL), out.data, out.size,
					 &(nacre_load_options){0}, &e);
	CHECK_STR(e.text, want);
	CHECK((m != NULL) == !*want);
	nacre_model_free(m);
	nc_buffer_free(&out);
	nc_zip_close(&z);
	nc_bytes_free(&memory, &file);
}

TEST(damaged_words)
{
	static const struct {
		const char *words, *text;
		size_t size;
	} rows[] = {
	    {"[UNK]\ncat\ndog\n\nowl", "", 0},
	    {"[UNK]\r\ncat\r\ndog\r\nemu\r\nowl\r\n", "", 0},
	    {"", "vocabulary.txt: string_lookup_4: expected 5 lines, got 0", 0},
	    {"[UNK]\ncat\ndog\nowl", "vocabulary.txt: string_lookup_4: expected 5 lines, got 4", 0},
	    {"[UNK]\ncat\ndog\na\nowl\ngnu",
	     "vocabulary.txt: string_lookup_4: line 6: expected 5 lines of words", 0},
	    {"[UNK]\ncat\ndog\ncat\nowl",
	     "vocabulary.txt: string_lookup_4: string_lookup: \"cat\" is there twice", 0},
	    {"[UNK]\nc\0t\ndog\na\nowl", "vocabulary.txt: string_lookup_4: a line with a 0 in it",
	     20},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		load_changed("string_adapted", &(change){rows[i].words, rows[i].size, 0, 0, 0},
			     rows[i].text);
	load_changed("string_adapted", &(change){.drop = true},
		     "config.json: assets/...: not every vocabulary.txt that is wanted is there");
}

TEST(damaged_numbers)
{
	static const struct {
		const char *words, *text;
	} rows[] = {
	    {"-1\n0\n7\n-3\n42\n41\n5", ""},
	    {"-1\n0\n7\n-3\n42\n41\ncat", "line 7: expected 7 lines of words"},
	    {"-1\n0\n7\n-3\n42\n41\n", "expected 7 lines, got 6"},
	    {"-1\n0\n7\n-3\n42\n41\n0x5", "line 7: expected 7 lines of words"},
	    {"-1\n0\n7\n-3\n42\n41\n99999999999", "line 7: expected 7 lines of words"},
	    {"-1\n0\n7\n-3\n42\n7\n5", "integer_lookup_4: vocabulary: 7 is there twice"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[200];
		snprintf(text, sizeof text, "vocabulary.txt: integer_lookup_4: %s", rows[i].text);
		load_changed("integer_adapted", &(change){rows[i].words, 0, 0, 0, 0},
			     rows[i].text[0] ? text : "");
	}
}

TEST(damaged_configs)
{
	static const struct {
		const char *stem, *from, *to, *text;
	} rows[] = {
	    {"string_adapted", "\"vocabulary_size\": 5", "\"vocabulary_size\": 4",
	     "vocabulary.txt: string_lookup_4: line 5: expected 4 lines of words"},
	    {"string_adapted", "\"vocabulary_size\": 5", "\"vocabulary_size\": 0",
	     "config.json: string_lookup_4: a vocabulary of -1 is larger than the file"},
	    {"string_no_oov", "\"num_oov_indices\": 0", "\"num_oov_indices\":-1",
	     "config.json: string_lookup_8: num_oov_indices: expected a whole number, 0 or more, "
	     "got -1"},
	    {"integer_sparse_pad", "\"max_tokens\": 9", "\"max_tokens\": 1",
	     "config.json: integer_lookup_12: max_tokens: expected at least 2, got 1"},
	    {"integer_sparse_pad", "\"max_tokens\": 9,", "\"vax_tokens\": 9,",
	     "config.json: integer_lookup_12: option vax_tokens = 9 is not supported"},
	    {"integer_sparse_pad", "\"max_tokens\": 9, ", "                 ",
	     "config.json: integer_lookup_12: pad_to_max_tokens: expected max_tokens too, got "
	     "none"},
	    {"integer_sparse_pad", "\"max_tokens\"", "\"\"          ",
	     "config.json: integer_lookup_12: option  = 9 is not supported"},
	    {"string_sparse_count", "\"sparse\": true", "\"sparse\": 1   ",
	     "config.json: string_lookup_16: sparse: expected true or false, got 1"},
	    {"string_tf_idf", "[0.25, 1.5, 3.0]", "[0.25,     3.0 ]",
	     "config.json: string_lookup_5: idf_weights: expected 3 numbers, got 2"},
	    {"string_salt", "133,", "0.5,",
	     "config.json: string_lookup_7: salt: expected whole numbers of at most 2^53, got 0.5"},
	    {"string_invert", "\"int\"", "\"inx\"",
	     "config.json: string_lookup_9: output_mode: expected "
	     "default|int|one_hot|multi_hot|count|tf_idf, got \"inx\""},
	    {"integer_no_oov", "\"floormod\"", "\"farmhash\"",
	     "config.json: integer_lookup_7: option oov_method = \"farmhash\" is not supported"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		load_changed(rows[i].stem, &(change){.from = rows[i].from, .to = rows[i].to},
			     rows[i].text);
}

/* -- memory ------------------------------------------------------------------------------------ */
static const char *const words[] = {"dog", "cat", "cow", "", "cat", "eel"};
static char saved[100];

static nacre_tensor *numbers_of(nacre_runtime *rt, int64_t rows)
{
	nacre_tensor *x = nacre_tensor_new(rt, NACRE_I32, 2, (int64_t[]){rows, 2}, NULL);
	for (int64_t i = 0; i < nacre_tensor_size(x); i++)
		nacre_tensor_set(x, i, (double)(i % 5));
	return x;
}

/* What is looked up in x, or in the words, by a model of this layer; frees x. */
static nacre_status use(nacre_model *m, nacre_tensor *x, nacre_error *e)
{
	nacre_tensor *y = nacre_predict_tensor(m, x);
	nacre_status status = nacre_model_error(m)->status;
	status = status ? status : e->status;
	if (!status)
		status = nacre_save(m, saved);
	CHECK(y || status);
	nacre_tensor_free(y);
	nacre_tensor_free(x);
	return status;
}

static nacre_status load_and_look(nacre_runtime *rt)
{
	static const char *const stems[] = {"string_tf_idf_adapted", "integer_tf_idf_adapted",
					    "integer_no_oov", "string_salt",
					    "integer_pad_tf_idf"};
	nacre_status status = NACRE_OK;
	for (size_t i = 0; i < sizeof stems / sizeof *stems && !status; i++) {
		char path[600];
		nacre_error e = {0};
		snprintf(path, sizeof path, FIXTURES "%s.keras", stems[i]);
		nacre_model *m = nacre_load(rt, path, &e);
		CHECK((m != NULL) == !e.status);
		bool texts = strstr(stems[i], "string");
		nacre_tensor *x = NULL;
		if (m && texts)
			x = nacre_layer_texts(nacre_model_layer(m, 1), 2, (int64_t[]){3, 2}, words,
					      &e);
		else if (m && (x = nacre_tensor_new(rt, NACRE_I32, 2, (int64_t[]){3, 2}, &e)))
			nacre_tensor_set(x, 0, 7);
		status = x ? use(m, x, &e) : e.status;
		nacre_model_free(m);
	}
	return status;
}

static nacre_status adapt_texts(nacre_runtime *rt)
{
	nacre_error e = {0};
	nacre_model *m = nacre_sequential_in(rt, "texts");
	nacre_layer *l = m ? nacre_string_lookup_layer({0}, .mask_token = "",
						       .output_mode = NACRE_OUTPUT_TF_IDF)
			   : NULL;
	nacre_tensor *x = NULL;
	nacre_status status = l ? nacre_adapt_documents(l, 3, 2, words, &e) : NACRE_NO_MEMORY;
	if (!status && !(x = nacre_layer_texts(l, 2, (int64_t[]){3, 2}, words, &e)))
		status = e.status;
	if (status) {
		nacre_layer_free(l);
	} else {
		nacre_add(m, nacre_input_new((nacre_input_options){.shape = {2}, .text = 1}));
		nacre_add(m, l);
		status = use(m, x, &e);
	}
	nacre_model_free(m);
	return status;
}

static nacre_status adapt_numbers(nacre_runtime *rt)
{
	nacre_error e = {0};
	nacre_model *m = nacre_sequential_in(rt, "numbers");
	nacre_layer *l =
	    m ? nacre_integer_lookup({0}, .output_mode = NACRE_OUTPUT_TF_IDF) : NULL;
	nacre_tensor *x = numbers_of(rt, 6);
	nacre_status status = l && x ? nacre_adapt(l, x, &e) : NACRE_NO_MEMORY;
	if (status) {
		nacre_tensor_free(x);
		nacre_layer_free(l);
	} else {
		nacre_add(m, nacre_input_new(
				 (nacre_input_options){.shape = {2}, .dtype = NACRE_I32}));
		nacre_add(m, l);
		status = use(m, x, &e);
	}
	nacre_model_free(m);
	return status;
}

TEST(allocations_fail)
{
	snprintf(saved, sizeof saved, "/tmp/nacre-lookup-hostile-%d.keras", (int)getpid());
	for (int for_ever = 0; for_ever < 2; for_ever++) {
		every_allocation(load_and_look, for_ever, 100);
		every_allocation(adapt_texts, for_ever, 50);
		every_allocation(adapt_numbers, for_ever, 50);
	}
	unlink(saved);
}
