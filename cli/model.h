/* SPDX-License-Identifier: MIT
 *
 * model.h - whole models in files (.keras, .h5), arrays (.npy, .npz): what train, evaluate,
 * predict, summary, info, plot and convert do where they are given such a model instead of one of
 * a table.
 *
 * All return 0, or the exit code after an error was printed.
 */
#ifndef MODEL_H
#define MODEL_H

#include "command.h"

#define MODEL_FILE "a model in a file"
bool is_model(const char *path); /* by its name */

/* The samples: arrays of the inputs and of the targets, in the model's order. */
typedef struct arrays {
	text_list x, y;
	const char *sample_weight;
} arrays;
#define ARRAY_OPTIONS(struct_name, field)                                                          \
	{"x",                                                                                      \
	 'x',                                                                                      \
	 LIST,                                                                                     \
	 offsetof(struct_name, field.x),                                                           \
	 "X.npy",                                                                                  \
	 NULL,                                                                                     \
	 0,                                                                                        \
	 0,                                                                                        \
	 "of a model in a file: the array of an input (X.npy, DATA.npz:NAME); once for each, in "  \
	 "the model's order"},                                                                     \
	    {"y",                                                                                  \
	     'y',                                                                                  \
	     LIST,                                                                                 \
	     offsetof(struct_name, field.y),                                                       \
	     "Y.npy",                                                                              \
	     NULL,                                                                                 \
	     0,                                                                                    \
	     0,                                                                                    \
	     "of a model in a file: the array of what an output should be, in the same way"},      \
	{                                                                                          \
		"sample-weight", 0, TEXT, offsetof(struct_name, field.sample_weight), "W.npy",     \
		    NULL, 0, 0, "of a model in a file: how much each sample counts"                \
	}

typedef struct model_training {
	const char *model, *output, *csv_log;
	arrays data;
	int64_t epochs, batch, seed;
	bool no_shuffle;
} model_training;
int model_train(const model_training *t, const common_options *o);
int model_evaluate(const char *model, const arrays *data, int64_t batch, const common_options *o);
int model_predict(int n, char **operand, const char *output, bool fast);
int model_summary(const char *model, const common_options *o);
int model_info(const char *model, const common_options *o);
int model_plot(const char *model, const nacre_plot_options *drawing, const common_options *o);
int model_convert(const char *in, const char *out, const common_options *o);

#endif
