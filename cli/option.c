/* SPDX-License-Identifier: MIT
 *
 * option.c - the words of the command line to a struct of options, by its table.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"

#define AT(field) offsetof(common_options, field)
const option common_table[COMMON_OPTIONS] = {
    {"json", 0, FLAG, AT(json), NULL, NULL, 0, 0, "print the result as JSON on standard output"},
    {"quiet", 'q', FLAG, AT(quiet), NULL, NULL, 0, 0, "print no progress and no warnings"},
    {"threads", 0, WHOLE, AT(threads), "N", "0", 0, 256,
     "threads that compute; 0: as $NACRE_THREADS says, else one for each CPU"},
    {"help", 'h', FLAG, AT(help), NULL, NULL, 0, 0, "print this help"},
};

const option *option_at(const command *c, int i)
{
	if (i < c->n_options)
		return &c->options[i];
	i -= c->n_options;
	return i < COMMON_OPTIONS ? &common_table[i] : NULL;
}

/* -- did you mean ------------------------------------------------------------------------------ */
/* Letters to insert, remove or change to get from a to b (Levenshtein). */
static int distance(const char *a, const char *b)
{
	enum { LONGEST = 40 };
	int row[LONGEST + 1], n = (int)strlen(b);
	if (n > LONGEST || strlen(a) > LONGEST)
		return LONGEST;
	for (int k = 0; k <= n; k++)
		row[k] = k;
	for (int i = 0; a[i]; i++) {
		int corner = row[0];
		row[0] = i + 1;
		for (int k = 1; k <= n; k++) {
			int best = corner + (a[i] != b[k - 1]);
			corner = row[k];
			if (row[k] + 1 < best)
				best = row[k] + 1;
			if (row[k - 1] + 1 < best)
				best = row[k - 1] + 1;
			row[k] = best;
		}
	}
	return row[n];
}

const char *nearest(const char *typed, int n, const char *const *candidates)
{
	const char *best = NULL;
	int limit = (int)strlen(typed) / 3 + 1, least = limit + 1;
	for (int i = 0; i < n; i++) {
		int d = distance(typed, candidates[i]);
		size_t length = strlen(typed);
		if (length > 1 && strncmp(typed, candidates[i], length) == 0)
			d = 1; /* the beginning of it */
		if (d < least) {
			least = d;
			best = candidates[i];
		}
	}
	return best;
}

/* -- values ------------------------------------------------------------------------------------ */
static int choice_of(const char *choices, const char *value)
{
	size_t n = strlen(value);
	int i = 0;
	for (const char *p = choices; *p; i++) {
		size_t length = strcspn(p, "|");
		if (length == n && memcmp(p, value, n) == 0)
			return i;
		p += length + (p[length] == '|');
	}
	return -1;
}

static int bad_value(const option *o, const char *value, const char *expected)
{
	return fail(NACRE_INVALID, "--%s: expected %s, got \"%s\"", o->name, expected, value);
}

static int set_number(const option *o, const char *value, void *place)
{
	char expected[80], *end;
	errno = 0;
	if (o->kind == WHOLE) {
		long long v = strtoll(value, &end, 10);
		snprintf(expected, sizeof expected, "a whole number from %.0f to %.0f", o->minimum,
			 o->maximum);
		if (errno || end == value || *end || (double)v < o->minimum ||
		    (double)v > o->maximum)
			return bad_value(o, value, expected);
		*(int64_t *)place = v;
	} else {
		double v;
		snprintf(expected, sizeof expected, "a number from %g to %g", o->minimum,
			 o->maximum);
		if (!nacre_parse_number(value, &v) || v < o->minimum || v > o->maximum)
			return bad_value(o, value, expected);
		*(double *)place = v;
	}
	return 0;
}

static int add_text(const option *o, const char *value, text_list *list)
{
	if (list->n == COUNT(list->item))
		return fail(NACRE_INVALID, "--%s: expected at most %d of them", o->name,
			    COUNT(list->item));
	list->item[list->n++] = value;
	return 0;
}

static int set_value(const option *o, const char *value, void *options)
{
	void *place = (char *)options + o->offset;
	switch (o->kind) {
	case FLAG:
		*(int *)place = 1;
		return 0;
	case TEXT:
		*(const char **)place = value;
		return 0;
	case CHOICE:
		*(int *)place = choice_of(o->argument, value);
		if (*(int *)place >= 0)
			return 0;
		return bad_value(o, value, o->argument);
	case LIST:
		return add_text(o, value, place);
	case WHOLE:
	case REAL:
		break;
	}
	return set_number(o, value, place);
}

/* -- words ------------------------------------------------------------------------------------- */
static const option *find(const command *c, const char *name, size_t n)
{
	const option *o;
	for (int i = 0; (o = option_at(c, i)); i++)
		if (strlen(o->name) == n && memcmp(o->name, name, n) == 0)
			return o;
	return NULL;
}

static const option *find_letter(const command *c, char letter)
{
	const option *o;
	for (int i = 0; (o = option_at(c, i)); i++)
		if (o->letter && o->letter == letter)
			return o;
	return NULL;
}

static int unknown(const command *c, const char *word)
{
	const char *names[64];
	char typed[64];
	const option *o;
	int n = 0, code = fail(NACRE_INVALID, "there is no option \"%s\"", word);
	for (; n < COUNT(names) && (o = option_at(c, n)); n++)
		names[n] = o->name;
	snprintf(typed, sizeof typed, "%.*s", (int)strcspn(word + strspn(word, "-"), "="),
		 word + strspn(word, "-"));
	const char *near = nearest(typed, n, names);
	if (near)
		hint("did you mean --%s?", near);
	else
		hint("nacre %s --help lists the options", c->name);
	return code;
}

/* One word that begins with a dash; *i moves past a value of its own. */
static int parse_word(const command *c, int *i, int n, char **word, void *options)
{
	const char *w = word[*i], *value = NULL;
	const option *o;
	if (w[1] == '-') {
		size_t length = strcspn(w + 2, "=");
		o = find(c, w + 2, length);
		value = w[2 + length] ? w + 3 + length : NULL;
	} else {
		o = find_letter(c, w[1]);
		value = w[2] ? w + 2 : NULL;
		if (o && o->kind == FLAG && value)
			o = NULL;
	}
	if (!o)
		return unknown(c, w);
	if (o->kind == FLAG && value)
		return fail(NACRE_INVALID, "--%s takes no value", o->name);
	if (o->kind != FLAG && !value) {
		if (*i + 1 >= n)
			return fail(NACRE_INVALID, "--%s needs a value: --%s %s", o->name, o->name,
				    o->argument);
		value = word[++*i];
	}
	for (int k = 0; k < 64 && option_at(c, k); k++)
		if (option_at(c, k) == o)
			((common_options *)options)->given |= (uint64_t)1 << k;
	return set_value(o, value, options);
}

bool listed(const char *list, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = list; p && *p;) {
		size_t length = strcspn(p, ",");
		if (length == n && memcmp(p, name, n) == 0)
			return true;
		p += length + (p[length] == ',');
	}
	return false;
}

int refuse_given(const command *c, const common_options *o, bool in, const char *list,
		 const char *what)
{
	for (int i = 0; i < c->n_options && i < 64; i++)
		if ((o->given >> i & 1) && listed(list, c->options[i].name) == in)
			return fail(NACRE_INVALID, "--%s does not go with %s", c->options[i].name,
				    what);
	return 0;
}

int parse_options(const command *c, int *n, char **argument, void *options)
{
	const option *o;
	int operands = 0, code = 0;
	bool only_operands = false;
	for (int i = 0; (o = option_at(c, i)); i++)
		if (o->standard)
			set_value(o, o->standard, options);
	for (int i = 0; i < *n && !code; i++) {
		char *word = argument[i];
		if (only_operands || word[0] != '-' || !word[1])
			argument[operands++] = word;
		else if (strcmp(word, "--") == 0)
			only_operands = true;
		else
			code = parse_word(c, &i, *n, argument, options);
	}
	*n = operands;
	if (code || ((const common_options *)options)->help)
		return code;
	if (operands >= c->least && operands <= c->most)
		return 0;
	code = operands < c->least ? fail(NACRE_INVALID, "expected %s", c->operands)
				   : fail(NACRE_INVALID, "expected %s, got \"%s\" as well",
					  c->most ? c->operands : "no operand", argument[c->most]);
	hint("nacre %s --help tells more", c->name);
	return code;
}
