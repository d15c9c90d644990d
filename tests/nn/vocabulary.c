/* SPDX-License-Identifier: MIT
 *
 * vocabulary.c - hashing, and words as numbers.
 */
#include <nacre.h>

#include "test.h"

/* What the farmhash package of Python gives, modulo a prime. */
TEST(fingerprints)
{
	static const struct {
		const char *text;
		int64_t want;
	} row[] = {
	    {"", 377723},
	    {"A", 127888},
	    {"12345678", 470335},
	    {"0123456789", 682217},
	    {"abcdefghijklmnop", 860307},
	    {"the quick brown fox", 634681},
	    {"nacre nacre nacre nacre nacre nacre nacre nacre nacre nacre nacre nacre nacre nacre "
	     "nacre nacre nacre nacre nacre nacre nacre nacre nacre nacre nacre nacre nacre nacre "
	     "nacre nacre ",
	     400873},
	};
	static const struct {
		char letter;
		int n;
		int64_t want;
	} same[] = {
	    {'x', 32, 750362}, {'x', 33, 302064},  {'x', 64, 518772},
	    {'y', 65, 120696}, {'z', 128, 830881},
	};
	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		CHECK_EQ(nacre_hashing(row[i].text, 1000003), row[i].want);
	for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
		char text[200] = "";
		memset(text, same[i].letter, (size_t)same[i].n);
		CHECK_EQ(nacre_hashing(text, 1000003), same[i].want);
	}
	/* of the page of Keras's layer Hashing */
	static const int want[] = {1, 0, 1, 1, 2};
	for (int i = 0; i < 5; i++)
		CHECK_EQ(nacre_hashing((char[]){(char)('A' + i), 0}, 3), want[i]);
	CHECK_EQ(nacre_hashing(NULL, 3), -1);
	CHECK_EQ(nacre_hashing("A", 0), -1);
}

/* What TensorFlow's to_hash_bucket_strong gives; below, of the page of Keras's layer Hashing. */
TEST(salted)
{
	static const int64_t salt[2] = {133, -137}, page[2] = {133, 137}, same[2] = {133, 133};
	static const struct {
		const char *text;
		int64_t want;
	} row[] = {
	    {"", 259524},	  {"A", 706447},	 {"1234567", 202829},
	    {"12345678", 898995}, {"123456789", 663223}, {"the quick brown fox jumps", 253624},
	};
	for (size_t i = 0; i < sizeof row / sizeof *row; i++)
		CHECK_EQ(nacre_hashing_salted(row[i].text, 1000003, salt), row[i].want);
	static const int two[] = {1, 2, 1, 0, 2}, one[] = {0, 0, 2, 1, 0};
	for (int i = 0; i < 5; i++) {
		const char text[] = {(char)('A' + i), 0};
		CHECK_EQ(nacre_hashing_salted(text, 3, page), two[i]);
		CHECK_EQ(nacre_hashing_salted(text, 3, same), one[i]);
	}
	CHECK_EQ(nacre_hashing_salted(NULL, 3, salt), -1);
	CHECK_EQ(nacre_hashing_salted("A", 0, salt), -1);
	CHECK_EQ(nacre_hashing_salted("A", 3, NULL), -1);
	nacre_error e = {0};
	nacre_string_lookup_options o = {.num_oov_indices = 3, .salted = 1, .salt = {133, 137}};
	nacre_vocabulary *v = nacre_string_lookup(NULL, 1, (const char *[]){"cat"}, o, &e);
	CHECK_EQ(nacre_string_index(v, "B"), 2);
	CHECK_EQ(nacre_string_index(v, "cat"), 3);
	nacre_vocabulary_free(v);
	o = (nacre_string_lookup_options){.num_oov_indices = -1};
	v = nacre_string_lookup(NULL, 1, (const char *[]){"cat"}, o, &e);
	CHECK_EQ(nacre_string_index(v, "B"), -1);
	CHECK_EQ(nacre_string_index(v, "cat"), 0);
	CHECK_EQ(nacre_vocabulary_size(v), 1);
	nacre_vocabulary_free(v);
}

TEST(lookup)
{
	nacre_error e = {0};
	const char *words[] = {"cat", "dog", "mouse"};
	nacre_vocabulary *v =
	    nacre_string_lookup(NULL, 3, words, (nacre_string_lookup_options){0}, &e);
	CHECK_STR(e.text, "");
	CHECK_EQ(nacre_vocabulary_size(v), 4);
	CHECK_EQ(nacre_string_index(v, "cat"), 1);
	CHECK_EQ(nacre_string_index(v, "mouse"), 3);
	CHECK_EQ(nacre_string_index(v, "horse"), 0);
	CHECK_EQ(nacre_string_index(v, ""), 0);
	CHECK_STR(nacre_string_word(v, 0), "[UNK]");
	CHECK_STR(nacre_string_word(v, 2), "dog");
	CHECK(!nacre_string_word(v, 4) && !nacre_string_word(v, -1));
	nacre_vocabulary_free(v);
	nacre_string_lookup_options o = {.num_oov_indices = 3, .mask_token = ""};
	v = nacre_string_lookup(NULL, 3, words, o, &e);
	CHECK_EQ(nacre_vocabulary_size(v), 7);
	CHECK_EQ(nacre_string_index(v, ""), 0);
	CHECK_EQ(nacre_string_index(v, "A"), 2); /* 1 of 3, after the mask */
	CHECK_EQ(nacre_string_index(v, "E"), 3);
	CHECK_EQ(nacre_string_index(v, "cat"), 4);
	CHECK_STR(nacre_string_word(v, 0), "");
	CHECK_STR(nacre_string_word(v, 3), "[UNK]");
	nacre_vocabulary_free(v);
}

TEST(adapted)
{
	nacre_error e = {0};
	const char *words[] = {"b", "a", "c", "", "a", "b", "d", "a"};
	nacre_string_lookup_options o = {.mask_token = ""};
	nacre_vocabulary *v = nacre_string_lookup_adapt(NULL, 8, words, o, &e);
	CHECK_STR(e.text, "");
	static const char *const want[] = {"", "[UNK]", "a", "b", "d", "c"};
	CHECK_EQ(nacre_vocabulary_size(v), 6);
	for (int i = 0; i < 6; i++)
		CHECK_STR(nacre_string_word(v, i), want[i]);
	CHECK_EQ(nacre_string_index(v, "d"), 4);
	nacre_vocabulary_free(v);
	o.max_tokens = 4;
	v = nacre_string_lookup_adapt(NULL, 8, words, o, &e);
	CHECK_EQ(nacre_vocabulary_size(v), 4);
	CHECK_EQ(nacre_string_index(v, "b"), 3);
	CHECK_EQ(nacre_string_index(v, "d"), 1);
	nacre_vocabulary_free(v);
	v = nacre_string_lookup_adapt(NULL, 0, NULL, (nacre_string_lookup_options){0}, &e);
	CHECK_EQ(nacre_vocabulary_size(v), 1);
	CHECK_EQ(nacre_string_index(v, "x"), 0);
	nacre_vocabulary_free(v);
}

/* Many words, so that they share places of the table. */
TEST(many)
{
	enum { N = 5000 };
	static char text[N][8];
	static const char *words[N];
	nacre_error e = {0};
	for (int i = 0; i < N; i++) {
		for (int k = 0, j = i; k < 4; k++, j /= 10)
			text[i][k] = (char)('0' + j % 10);
		words[i] = text[i];
	}
	nacre_vocabulary *v =
	    nacre_string_lookup(NULL, N, words, (nacre_string_lookup_options){0}, &e);
	CHECK_STR(e.text, "");
	for (int i = 0; i < N; i++)
		CHECK_EQ(nacre_string_index(v, text[i]), i + 1);
	nacre_vocabulary_free(v);
}

TEST(refused)
{
	nacre_error e = {0};
	nacre_string_lookup_options o = {0};
	CHECK(!nacre_string_lookup(NULL, 2, (const char *[]){"a", "a"}, o, &e));
	CHECK_STR(e.text, "string_lookup: \"a\" is there twice");
	e = (nacre_error){0};
	CHECK(!nacre_string_lookup(NULL, 2, (const char *[]){"a", NULL}, o, &e));
	CHECK_STR(e.text, "string_lookup: word 1 is NULL");
	CHECK(!nacre_string_lookup(NULL, -1, NULL, o, NULL));
	CHECK_EQ(nacre_string_index(NULL, "a"), -1);
	CHECK_EQ(nacre_vocabulary_size(NULL), 0);
	CHECK(!nacre_string_word(NULL, 0));
	nacre_vocabulary_free(NULL);
}
