/* SPDX-License-Identifier: MIT
 *
 * nacre/vocabulary.h - texts as numbers, as Keras's layers Hashing and StringLookup give them.
 * What goes into a model are the numbers: a graph knows no texts.  As layers, which files of models
 * keep with their vocabulary: nacre_string_lookup_layer(), nacre_hashing_layer().
 *
 *     nacre_vocabulary *v = nacre_string_lookup(NULL, 2, (const char *[]){"cat", "dog"}, o, &e);
 *     nacre_string_index(v, "dog");           2: place 1, after the index of unknown words
 *     nacre_embedding(nacre_vocabulary_size(v), 8)
 */
#ifndef NACRE_VOCABULARY_H
#define NACRE_VOCABULARY_H

#include "runtime.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* Hashing: 0 .. num_bins-1, the remainder of FarmHash's Fingerprint64 of the text (of a number:
 * its digits).  -1 if num_bins < 1 or the text is NULL. */
int64_t nacre_hashing(const char *text, int64_t num_bins);
/* With a salt: the remainder of SipHash-2-4 (Aumasson and Bernstein 2012), whose key it is. */
int64_t nacre_hashing_salted(const char *text, int64_t num_bins, const int64_t salt[2]);

typedef struct nacre_vocabulary nacre_vocabulary;
typedef struct nacre_string_lookup_options {
	int64_t num_oov_indices; /* 0 means 1: what unknown words are spread over, by hashing; -1:
				  * none, the index of an unknown word is -1 */
	const char *mask_token;  /* gets 0, and all others one more; NULL: there is none */
	int64_t max_tokens;      /* of an adapted one, all indices together; 0: no limit */
	int salted;              /* 1: they are spread by nacre_hashing_salted() */
	int64_t salt[2];
} nacre_string_lookup_options;

/* Of words, each once: word i gets i + num_oov_indices (+ 1 if there is a mask token).  adapt: of
 * all words of a list, the most frequent first; of equal ones the later in the alphabet.  NULL
 * after an error, whose text is in *error. */
nacre_vocabulary *nacre_string_lookup(nacre_runtime *runtime, int64_t n, const char *const *words,
				      nacre_string_lookup_options options, nacre_error *error);
nacre_vocabulary *nacre_string_lookup_adapt(nacre_runtime *runtime, int64_t n,
					    const char *const *words,
					    nacre_string_lookup_options options,
					    nacre_error *error);
void nacre_vocabulary_free(nacre_vocabulary *vocabulary);
int64_t nacre_vocabulary_size(const nacre_vocabulary *vocabulary); /* all indices together */
int64_t nacre_string_index(const nacre_vocabulary *vocabulary, const char *word); /* -1: none */
/* Back again; "[UNK]" for an index of unknown words, NULL for one that is not there.  Borrowed. */
const char *nacre_string_word(const nacre_vocabulary *vocabulary, int64_t index);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
