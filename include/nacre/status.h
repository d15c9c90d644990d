/* SPDX-License-Identifier: MIT
 *
 * nacre/status.h - how Nacre says that something went wrong.
 *
 * Nothing in Nacre aborts, exits or prints an error by itself.  Every object that can fail
 * (graph, model, data set ...) keeps the FIRST error that happened to it, with a text that
 * names what was expected and what came.  Builders may be chained without a check: after an
 * error they do nothing more, and NULL given in yields NULL out.  The error is then read once,
 * with nacre_report() or the object's _error() function.
 */
#ifndef NACRE_STATUS_H
#define NACRE_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* X(NAME, value, text).  The values double as exit codes of the command line tool. */
#define NACRE_STATUS_LIST(X)                                                                       \
	X(OK, 0, "ok")                                                                             \
	X(FAILED, 1, "failed")                                                                     \
	X(INVALID, 2, "invalid argument")     /* a call, shape, type or option that cannot be */   \
	X(BAD_DATA, 3, "bad data")            /* a data file or value that is damaged or lies */   \
	X(BAD_MODEL, 4, "bad model")          /* a model file that is damaged or unsupported */    \
	X(NO_MEMORY, 5, "out of memory")                                                           \
	X(IO, 6, "input/output error")                                                             \
	X(NOT_FINITE, 7, "not a finite number")                                                    \
	X(UNSUPPORTED, 8, "not supported")

typedef enum nacre_status {
#define X(name, value, text) NACRE_##name = value,
	NACRE_STATUS_LIST(X)
#undef X
} nacre_status;

/* One error: what kind, and a sentence for people.  Zero-initialised means "no error". */
typedef struct nacre_error {
	nacre_status status;
	char text[500];
} nacre_error;

/* "out of memory" for NACRE_NO_MEMORY, and so on; never NULL. */
const char *nacre_status_text(nacre_status status);

/* The library's version, "major.minor.patch". */
const char *nacre_version(void);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
