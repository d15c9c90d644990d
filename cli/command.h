/* SPDX-License-Identifier: MIT
 *
 * command.h - what the files of the command share: tables of subcommands and options, output,
 * errors, JSON.
 *
 * A subcommand is a row of the table in main.c; its options are a table of its own file.  From
 * these tables come the parser, --help, the manual page and the completion of the shell.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <nacre.h>

#define COUNT(array) (int)(sizeof(array) / sizeof *(array))
#define PRINTF(text, args) __attribute__((format(printf, text, args)))

/* -- options ----------------------------------------------------------------------------------- */
typedef enum option_kind {
	FLAG,  /* int: 1 if it is given */
	TEXT,  /* const char *: NULL if it is not */
	WHOLE, /* int64_t */
	REAL,  /* double */
	CHOICE, /* int: the place in `argument`, "auto|linear|mlp" */
	LIST    /* text_list: may be given several times */
} option_kind;

typedef struct text_list {
	int n;
	const char *item[NACRE_MAX_COLUMNS];
} text_list;

typedef struct option {
	const char *name; /* without the dashes */
	char letter;      /* 0: none */
	option_kind kind;
	size_t offset;        /* in the subcommand's struct of options */
	const char *argument; /* "FILE" */
	const char *standard; /* what is taken if it is not given; NULL: nothing */
	double minimum, maximum;
	const char *help;
} option;

/* Every struct of options begins with these. */
typedef struct common_options {
	int help, json, quiet;
	int64_t threads;
	uint64_t given; /* bit i: option_at(i) was on the command line */
} common_options;
enum { COMMON_OPTIONS = 4 };
extern const option common_table[COMMON_OPTIONS];

typedef struct command {
	const char *name, *operands; /* "TABLE.csv" */
	int least, most;             /* how many operands */
	const char *summary;         /* a line */
	const char *text;            /* paragraphs, apart by an empty line */
	const char *examples;        /* a line each */
	const option *options;
	int n_options;
	size_t size; /* of the struct of options */
	int (*run)(int n, char **operand, const void *options);
} command;

extern const command train_command, evaluate_command, predict_command, summary_command,
    convert_command, plot_command, explain_command, info_command, help_command;
const command *command_at(int i); /* NULL past the end */

/* 0, or the exit code after an error was printed.  *n becomes the number of operands, which stand
 * at the front of `argument` then. */
int parse_options(const command *c, int *n, char **argument, void *options);
/* Option i of a command: its own, then the common ones; NULL past the end. */
const option *option_at(const command *c, int i);
/* Whether `name` stands in a list with commas. */
bool listed(const char *list, const char *name);
/* Fails if an option of the command's own was given that is listed (or, if `in` is false, one that
 * is not): it does not go with `what`. */
int refuse_given(const command *c, const common_options *o, bool in, const char *list,
		 const char *what);
/* The word of `candidates` that is nearest to what was typed; NULL: none is near. */
const char *nearest(const char *typed, int n, const char *const *candidates);

void print_help(const command *c, FILE *to);
void print_usage(FILE *to);
void print_man(FILE *to);
void print_bash(FILE *to);
void print_version(FILE *to);

/* -- errors --------------------------------------------------------------------------------------
 * "nacre train: text", and what to do on a line of its own. */
extern const char *command_name; /* of the running subcommand, for the texts */
int exit_code(nacre_status status);
/* Prints, returns exit_code(status). */
int fail(nacre_status status, const char *format, ...) PRINTF(2, 3);
int fail_with(const nacre_error *error);
void hint(const char *format, ...) PRINTF(1, 2);
void warn(const char *format, ...) PRINTF(1, 2);

/* Zeroed memory; ends the program with code 5 if there is none. */
void *take(size_t n, size_t size);
char *copy_text(const char *s);
char *format_text(const char *format, ...) PRINTF(1, 2); /* the caller frees it */
bool ends_with(const char *s, const char *end);
/* "1.5 MB" */
const char *size_text(char buffer[32], double bytes);
/* A number with as few digits as bring it back. */
const char *number_text(char buffer[40], double value);
/* At most `width` columns of s for a table; control characters become '?'. */
const char *cell_text(char buffer[160], const char *s, int width);

/* -- files to write: `path` NULL or "-" is stdout; another one is replaced when it is complete --
 */
typedef struct sink {
	FILE *to;
	const char *path;
	char *temporary;
} sink;
int sink_open(sink *s, const char *path); /* 0, or the exit code after an error was printed */
int sink_close(sink *s, bool keep);
void put_csv(FILE *to, const char *field, bool last); /* quoted where it must be */

/* -- JSON, written --------------------------------------------------------------------------------
 * key NULL: an item of a list. */
typedef struct json_out {
	FILE *to;
	int depth;
	bool some[32];
} json_out;
void json_open(json_out *j, const char *key, char bracket); /* '{' or '[' */
void json_close(json_out *j, char bracket);                 /* '}' or ']'; a line end at the last */
void json_text(json_out *j, const char *key, const char *value); /* NULL: null */
void json_number(json_out *j, const char *key, double value);    /* not finite: null */
void json_whole(json_out *j, const char *key, int64_t value);
void json_bool(json_out *j, const char *key, bool value);

/* -- JSON, read -------------------------------------------------------------------------------- */
typedef enum json_kind {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_TEXT,
	JSON_LIST,
	JSON_OBJECT
} json_kind;
typedef struct json {
	json_kind kind;
	char *key;     /* in an object */
	char *text;    /* JSON_TEXT */
	double number; /* JSON_NUMBER, JSON_BOOL */
	struct json *child, *next;
} json;
/* NULL: it is not JSON. */
json *json_parse(const char *text);
void json_free(json *j);
/* Of an object: NULL if it has no such key, or of another kind. */
const json *json_get(const json *j, const char *key, json_kind kind);
const char *json_get_text(const json *j, const char *key);
double json_get_number(const json *j, const char *key); /* NaN */
int json_length(const json *j);                         /* of a list or object; else 0 */

/* -- signals ----------------------------------------------------------------------------------- */
extern volatile int signal_came; /* SIGINT or SIGTERM, once catch_signals() was called */
void catch_signals(void);

#endif
