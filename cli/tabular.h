/* SPDX-License-Identifier: MIT
 *
 * tabular.h - models of tables: a recipe that makes numbers of a row's fields, and the network
 * behind it.  Both are learned by train and stand in one file, so nothing else is needed later.
 */
#ifndef TABULAR_H
#define TABULAR_H

#include "command.h"

typedef enum task { TASK_AUTO, TASK_REGRESSION, TASK_CLASSIFICATION } task;
extern const char *const task_names[];

/* One column that is used.  A number becomes (x - mean) / deviation, at most 20 either way; where
 * it is missing 0, the mean.  A category becomes a 1 at its place among the values.  Behind these
 * come an input for "other" (rare or never seen in training) and one for "missing", each if it was
 * there in training. */
typedef struct feature {
	char *name;
	bool category, other, missing;
	double mean, deviation;
	int n;
	char **value;   /* sorted by bytes */
	int64_t at;     /* the first of its inputs */
	int64_t lacked; /* rows of training where it was missing; for the report */
	int rare;       /* values that became "other" */
} feature;

typedef struct left_out {
	char *name;
	const char *why;
} left_out;

typedef struct recipe {
	task task;
	char *target;
	int n_classes;
	char **label;           /* of the classes, in the order of the outputs */
	double mean, deviation; /* of the target, where it is a number */
	int n;
	feature *feature;
	int64_t width; /* inputs in all */
	int n_left;
	left_out *left; /* columns that are not used; for the report */
} recipe;

int64_t feature_inputs(const feature *f); /* how many inputs it makes */

/* Rows of a table, by index. */
typedef struct rows {
	int64_t n;
	int64_t *row;
} rows;

/* Learns from those rows; `ignore` is a list of names with commas, or NULL.  Returns 0 or the exit
 * code after an error was printed, as all here do. */
int recipe_learn(recipe *r, const nacre_table *t, int target, const rows *from, const char *ignore);
/* x: [n, width].  Fields that are no numbers where there should be some are taken for missing and
 * told about, or refused.  NULL after an error. */
nacre_tensor *recipe_encode(const recipe *r, const nacre_table *t, const rows *from, bool strict,
			    int *code);
/* The target of a row: the class, or the number as it stands in the table; NaN: missing or none
 * of the classes. */
double recipe_target(const recipe *r, const nacre_table *t, int column, int64_t row);
void recipe_free(recipe *r);

enum { MAX_HIDDEN = 8, MAX_UNITS = 65536 };

typedef struct tabular {
	recipe recipe;
	nacre_model *model;
	int n_hidden;
	int64_t hidden[MAX_HIDDEN];
	double dropout;
} tabular;

int tabular_build(tabular *m, uint64_t seed);
/* The container is a safetensors file: the weights, and the rest as JSON in its metadata. */
int tabular_save(tabular *m, const char *path);
int tabular_load(tabular *m, const char *path);
void tabular_free(tabular *m);
/* Copies of all weights, in the order of the model's; and back.  NULL: failed. */
nacre_tensor **weights_read(nacre_model *m, int *n);
bool weights_write(nacre_model *m, nacre_tensor *const *weight);
void weights_free(nacre_tensor **weight, int n);

/* -- tables from the command line -------------------------------------------------------------- */
typedef struct table_options { /* part of the options of the subcommands that read tables */
	int header, strict;    /* header: 0 auto, 1 yes, 2 no */
} table_options;
#define TABLE_OPTIONS(struct_name, field)                                                          \
	{"header",                                                                                 \
	 0,                                                                                        \
	 CHOICE,                                                                                   \
	 offsetof(struct_name, field.header),                                                      \
	 "auto|yes|no",                                                                            \
	 "auto",                                                                                   \
	 0,                                                                                        \
	 0,                                                                                        \
	 "whether the first line holds the names of the columns"},                                 \
	{                                                                                          \
		"strict", 0, FLAG, offsetof(struct_name, field.strict), NULL, NULL, 0, 0,          \
		    "refuse a table with malformed rows instead of leaving them out"               \
	}
/* Reads it, and tells of malformed rows.  NULL after an error. */
nacre_table *open_table(const char *path, const table_options *o, bool quiet, int *code);
/* A column by name, or by number from 1 (-1: the last); -1 after an error was printed. */
int find_column(const nacre_table *t, const char *path, const char *name);

/* -- scores ------------------------------------------------------------------------------------ */
typedef struct score {
	int64_t n;                 /* rows with a target */
	int64_t unknown;           /* rows whose label is none of the classes */
	double loss;               /* cross-entropy, or mean squared error in the target's unit */
	double accuracy, baseline; /* baseline: of the commonest class of these rows */
	double balanced;           /* mean of the recalls */
	double auc;                /* two classes: area under the ROC curve; else NaN */
	double rmse, mae, r2;
	int64_t *confusion; /* [classes][classes]: true, predicted; NULL for numbers */
} score;
/* Predictions of the model for all rows: [n, classes] or [n, 1] in the target's unit. */
nacre_tensor *tabular_predict(tabular *m, const nacre_tensor *x, int *code);
score tabular_score(const tabular *m, const nacre_table *t, int target, const rows *from,
		    const nacre_tensor *prediction);
void score_print(const score *s, const recipe *r);
void score_json(json_out *j, const char *key, const score *s, const recipe *r);

#endif
