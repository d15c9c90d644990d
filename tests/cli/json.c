/* SPDX-License-Identifier: MIT
 *
 * json.c - reads standard input and exits with 0 if it is one JSON value and nothing else; with
 * arguments, if also each of them occurs as a key.  It shares no code with what it checks.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static char text[4 << 20];
static const char *at = text;
static int missing;
static bool found[64];

static bool value(int n, char **key, int depth);

static void space(void)
{
	while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')
		at++;
}

static bool string(void)
{
	if (*at++ != '"')
		return false;
	for (; *at && *at != '"'; at++) {
		if ((unsigned char)*at < 0x20)
			return false;
		if (*at != '\\')
			continue;
		at++;
		if (*at == 'u') {
			for (int i = 0; i < 4; i++)
				if (!isxdigit((unsigned char)*++at))
					return false;
		} else if (!*at || !strchr("\"\\/bfnrt", *at)) {
			return false;
		}
	}
	return *at++ == '"';
}

static bool digits(void)
{
	const char *from = at;
	while (isdigit((unsigned char)*at))
		at++;
	return at > from;
}

static bool number(void)
{
	at += *at == '-';
	const char *from = at;
	if (!digits() || (*from == '0' && at > from + 1))
		return false;
	if (*at == '.' && (at++, !digits()))
		return false;
	if (*at == 'e' || *at == 'E') {
		at++;
		at += *at == '+' || *at == '-';
		return digits();
	}
	return true;
}

static bool children(int n, char **key, int depth, bool object, char end)
{
	space();
	if (*at == end)
		return at++, true;
	do {
		space();
		const char *from = at + 1;
		if (object) {
			if (!string())
				return false;
			for (int i = 1; i < n; i++)
				found[i] |= strlen(key[i]) == (size_t)(at - 1 - from) &&
					    !memcmp(key[i], from, strlen(key[i]));
			space();
			if (*at++ != ':')
				return false;
		}
		if (!value(n, key, depth + 1))
			return false;
		space();
	} while (*at++ == ',');
	return at[-1] == end;
}

static bool value(int n, char **key, int depth)
{
	static const char *const word[] = {"true", "false", "null"};
	space();
	if (depth > 50)
		return false;
	if (*at == '{' || *at == '[') {
		bool object = *at++ == '{';
		return children(n, key, depth, object, object ? '}' : ']');
	}
	if (*at == '"')
		return string();
	for (int i = 0; i < 3; i++)
		if (!strncmp(at, word[i], strlen(word[i])))
			return at += strlen(word[i]), true;
	return number();
}

int main(int n, char **key)
{
	size_t size = fread(text, 1, sizeof text - 1, stdin);
	bool ok = value(n, key, 0);
	space();
	if (!ok || at != text + size) {
		fprintf(stderr, "byte %ld: not JSON\n", (long)(at - text));
		return 1;
	}
	for (int i = 1; i < n; i++)
		if (!found[i]) {
			fprintf(stderr, "no key \"%s\"\n", key[i]);
			missing++;
		}
	return missing > 0;
}
