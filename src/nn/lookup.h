/* SPDX-License-Identifier: MIT
 *
 * lookup.h - integer_lookup and string_lookup, seen alike.
 */
#ifndef NC_NN_LOOKUP_H
#define NC_NN_LOOKUP_H

#include "nacre/vocabulary.h"
#include "nn/encode.h"

#define NC_LOOKUP_MODES NC_OUTPUT_MODES "|tf_idf"

/* Indices are in this order: of the mask token, of unknown words, of words. */
typedef struct nc_lookup {
	int64_t words, unknown, first; /* how many; the index of word 0 */
	int64_t most;                  /* indices in all; 0: any number */
	int64_t width;                 /* places of an output, but in mode int */
	bool masks, zero_masks;        /* there is a mask token; it has an index: 0 */
	bool invert, sparse, pads; /* pads: width is `most` */
	int mode;
	const nacre_numbers *idf;
} nc_lookup;
bool nc_is_lookup(const nacre_layer *l); /* whether it is one of the two */
nc_lookup nc_lookup_of(const nacre_layer *l);
/* Whether its options, vocabulary included, make sense; else the layer's error says what does not.
 */
bool nc_lookup_check(nacre_layer *l);
/* The first number of x that a lookup without an index for unknown ones has not; -1: there is none.
 * *memory: false if there was too little to say so. */
int64_t nc_lookup_missing(const nacre_layer *l, const nacre_tensor *x, bool *memory);

/* The two numbers of a salt; false: there is none. */
bool nc_salt(const nacre_numbers *salt, int64_t out[2]);
/* A table of a string_lookup's words, which finds all that is wrong with them. */
nacre_vocabulary *nc_lookup_vocabulary(const nacre_layer *l, nacre_error *e);
const char *nc_lookup_unknown(const nacre_layer *l); /* a string_lookup's oov_token */

#endif
