/* SPDX-License-Identifier: MIT
 *
 * overfitting.c - a network too large for its data, alone and with each remedy: what it has learned
 * of the samples it saw and of those it did not, over five seeds.  docs/overfitting.md reads the
 * numbers.
 *
 *     overfitting                          1,000 MNIST digits
 *     overfitting TABLE.csv TARGET ROWS    that many rows of a table; the other columns are numbers
 *     overfitting ... -o FOLDER            also a history for each remedy, for nacre plot
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nacre.h>

enum { SEEDS = 5, EPOCHS = 30, BATCH = 32, TIMES = 5, VALIDATION = 2000 };

typedef struct remedy {
	const char *name;
	nacre_regularizer penalty;
	double decay, dropout, noise, smoothing;
	int early, normalized, small, more;
} remedy;

static const remedy remedies[] = {
    {.name = "none"},
    {.name = "early stopping", .early = 1},
    {.name = "L1 0.0003", .penalty = {.l1 = 3e-4}},
    {.name = "L2 0.003", .penalty = {.l2 = 3e-3}},
    {.name = "weight decay 1", .decay = 1},
    {.name = "dropout 0.5", .dropout = 0.5},
    {.name = "noise 0.5", .noise = 0.5},
    {.name = "label smoothing 0.1", .smoothing = 0.1},
    {.name = "batch normalization", .normalized = 1},
    {.name = "a simpler model", .small = 1},
    {.name = "more data, 5 times", .more = 1},
};
enum { REMEDIES = sizeof remedies / sizeof *remedies };

/* -- data -------------------------------------------------------------------------------------- */
typedef struct task {
	nacre_dataset *all, *unseen; /* unseen: NULL: the samples behind those for training */
	int64_t rows, features, classes;
} task;

static int64_t below(uint64_t *state, int64_t n)
{
	*state = *state * 6364136223846793005u + 1442695040888963407u;
	return (int64_t)((*state >> 33) % (uint64_t)n);
}

/* Rows in a random order, each column with mean 0 and deviation 1. */
static nacre_dataset *table_data(const nacre_table *t, int target)
{
	int64_t rows = nacre_table_rows(t), columns = nacre_table_columns(t) - 1, k = 0;
	int64_t *order = calloc((size_t)rows + 1, sizeof *order);
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){rows, columns}, NULL);
	nacre_tensor *y = nacre_tensor_new(NULL, NACRE_U8, 1, &rows, NULL);
	uint64_t state = 1;
	for (int64_t i = 0; i < rows && order; i++) {
		int64_t j = below(&state, i + 1);
		order[i] = order[j];
		order[j] = i;
	}
	for (int c = 0; c <= columns && order && x && y; c++) {
		double sum = 0, squares = 0;
		for (int64_t i = 0; i < rows; i++) {
			double v = nacre_table_number(t, i, c);
			sum += v;
			squares += v * v;
		}
		double mean = sum / (double)rows;
		double spread = sqrt(fmax(squares / (double)rows - mean * mean, 1e-30));
		for (int64_t i = 0; i < rows; i++)
			if (c == target)
				nacre_tensor_set(y, i, nacre_table_category_of(t, order[i], c));
			else
				nacre_tensor_set(x, i * columns + k,
						 (nacre_table_number(t, order[i], c) - mean) /
						     spread);
		k += c != target;
	}
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, x, y);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
	free(order);
	return d;
}

/* The text of what is wrong with the columns; NULL: nothing. */
static const char *unfit(const nacre_table *t, int target)
{
	if (target < 0)
		return "the table has no such column";
	for (int c = 0; c < nacre_table_columns(t); c++)
		if (c != target && (nacre_table_kind(t, c) != NACRE_COLUMN_NUMBER ||
				    nacre_table_missing(t, c)))
			return "the other columns must be numbers, none of them missing";
	return NULL;
}

static int open_table(task *t, const char *path, const char *name, int64_t rows)
{
	nacre_error e = {0};
	nacre_table *table = nacre_table_read(NULL, path, NULL, &e);
	int target = nacre_table_find(table, name);
	const char *wrong = table ? unfit(table, target) : e.text;
	if (!wrong && nacre_table_set_kind(table, target, NACRE_COLUMN_CATEGORY, &e))
		wrong = e.text;
	if (wrong) {
		fprintf(stderr, "%s: %s\n", path, wrong);
	} else {
		t->all = table_data(table, target);
		t->features = nacre_table_columns(table) - 1;
		t->classes = nacre_table_categories(table, target);
		t->rows = rows;
	}
	nacre_table_free(table);
	return t->all != NULL;
}

/* The samples that seed s trains with, and those it is judged by. */
static void split(const task *t, const remedy *r, int s, nacre_dataset *part[2])
{
	int64_t n = nacre_dataset_size(t->all), rows = r->more ? TIMES * t->rows : t->rows;
	int64_t left = t->unseen ? n : n - VALIDATION, begin = s * t->rows;
	if (begin + rows > left)
		begin = left - rows;
	part[0] = nacre_dataset_slice(t->all, begin, begin + rows);
	part[1] = t->unseen ? nacre_dataset_slice(t->unseen, 0, VALIDATION)
			    : nacre_dataset_slice(t->all, left, n);
}

/* -- one run ----------------------------------------------------------------------------------- */
typedef struct outcome {
	double loss[2], accuracy[2]; /* of what was seen, and not */
	double curve[EPOCHS][2];     /* the losses */
	int epochs;
} outcome;

static nacre_model *network(const task *t, const remedy *r)
{
	nacre_model *m = nacre_sequential("network");
	nacre_add(m, nacre_input(t->features));
	if (r->noise > 0)
		nacre_add(m, nacre_gaussian_noise(r->noise));
	for (int i = 0; i < (r->small ? 1 : 2); i++) {
		nacre_add(m, nacre_dense(r->small ? 16 : 256, .kernel_regularizer = r->penalty));
		if (r->normalized)
			nacre_add(m, nacre_batch_normalization(.momentum = 0.9));
		nacre_add(m, nacre_activation(nacre_relu));
		if (r->dropout > 0)
			nacre_add(m, nacre_dropout(r->dropout));
	}
	nacre_add(m, nacre_dense(t->classes, .activation = nacre_softmax));
	return m;
}

static int run(const task *t, const remedy *r, int seed, const char *log, outcome *out)
{
	nacre_dataset *part[2];
	split(t, r, seed, part);
	nacre_model *m = network(t, r);
	nacre_set_seed(m, (uint64_t)seed);
	/* the loss that is compared is a metric: without penalties and smoothing */
	nacre_compile(m, .optimizer = nacre_adam(.weight_decay = r->decay),
		      .loss = nacre_categorical_crossentropy,
		      .loss_options.label_smoothing = r->smoothing,
		      .metrics = {nacre_categorical_crossentropy, nacre_accuracy});
	nacre_fit_options fit = {.data = part[0],
				 .validation_data = part[1],
				 .epochs = EPOCHS,
				 .batch_size = BATCH,
				 .validation_batch_size = 500,
				 .verbose = NACRE_SILENT};
	int callbacks = 0;
	if (r->early)
		fit.callbacks[callbacks++] = nacre_early_stopping(
		    .monitor = "val_categorical_crossentropy", .patience = 3, .mode = NACRE_MIN,
		    .restore_best_weights = 1);
	if (log)
		fit.callbacks[callbacks] = nacre_csv_logger(log);
	nacre_fit_with(m, fit);
	for (int k = 0; k < 2; k++) {
		nacre_result e = nacre_evaluate(m, part[k], .batch_size = 500,
						.verbose = NACRE_SILENT);
		out->loss[k] = e.metric[0];
		out->accuracy[k] = 100 * e.metric[1];
	}
	out->epochs = nacre_history_epochs(m);
	for (int i = 0; i < out->epochs; i++) {
		out->curve[i][0] = nacre_history(m, "categorical_crossentropy", i);
		out->curve[i][1] = nacre_history(m, "val_categorical_crossentropy", i);
	}
	int status = nacre_report(m);
	nacre_model_free(m);
	nacre_dataset_free(part[0]);
	nacre_dataset_free(part[1]);
	return status;
}

/* -- the table --------------------------------------------------------------------------------- */
static void print_mean(const double *value, int digits)
{
	double sum = 0, squares = 0;
	for (int s = 0; s < SEEDS; s++)
		sum += value[s];
	for (int s = 0; s < SEEDS; s++)
		squares += (value[s] - sum / SEEDS) * (value[s] - sum / SEEDS);
	printf(" %6.*f ± %-5.*f", digits, sum / SEEDS, digits, sqrt(squares / (SEEDS - 1)));
}

static void print_row(const remedy *r, const outcome *o)
{
	double value[4][SEEDS];
	for (int s = 0; s < SEEDS; s++)
		for (int k = 0; k < 2; k++) {
			value[k][s] = o[s].loss[k];
			value[2 + k][s] = o[s].accuracy[k];
		}
	printf("%-20s", r->name);
	for (int i = 0; i < 4; i++)
		print_mean(value[i], i < 2 ? 3 : 1);
	printf("\n");
}

/* The losses of the first seed by epoch, on one scale for all remedies. */
static void print_curves(const remedy *r, const outcome *o, double top)
{
	static const char *const bar[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
	for (int k = 0; k < 2; k++) {
		printf("%-20s %-10s ", k ? "" : r->name, k ? "validation" : "training");
		for (int i = 0; i < o->epochs; i++) {
			int height = (int)(8 * o->curve[i][k] / top);
			printf("%s", bar[height > 7 ? 7 : height < 0 ? 0 : height]);
		}
		printf(" %.3f\n", o->curve[o->epochs - 1][k]);
	}
}

static int compare(const task *t, const char *folder)
{
	static outcome all[REMEDIES][SEEDS];
	double top = 0;
	printf("%-20s%15s%15s%15s%15s\n%-20s%15s%15s%15s%15s\n", "", "loss", "loss", "accuracy",
	       "accuracy", "", "training", "validation", "training", "validation");
	for (int i = 0; i < REMEDIES; i++) {
		char path[512];
		snprintf(path, sizeof path, "%s/%s.csv", folder ? folder : "", remedies[i].name);
		for (int s = 0; s < SEEDS; s++)
			if (run(t, &remedies[i], s, folder && !s ? path : NULL, &all[i][s]))
				return 1;
		print_row(&remedies[i], all[i]);
		fflush(stdout);
	}
	for (int i = 0; i < EPOCHS; i++)
		top = fmax(top, all[0][0].curve[i][1]);
	printf("\nlosses by epoch, seed 0; the full height is %.2f\n", top);
	for (int i = 0; i < REMEDIES; i++)
		print_curves(&remedies[i], &all[i][0], top);
	return 0;
}

int main(int argc, char **argv)
{
	const char *folder = NULL;
	task t = {.rows = 1000, .features = 784, .classes = 10};
	if (argc > 2 && strcmp(argv[argc - 2], "-o") == 0) {
		folder = argv[argc - 1];
		argc -= 2;
	}
	if (argc == 4) {
		if (!open_table(&t, argv[1], argv[2], strtol(argv[3], NULL, 10)))
			return 1;
	} else {
		t.all = nacre_mnist(NACRE_TRAIN);
		t.unseen = nacre_mnist(NACRE_TEST);
	}
	int64_t least = TIMES * t.rows + (t.unseen ? 0 : VALIDATION);
	if (t.rows < 1 || nacre_dataset_size(t.all) < least) {
		fprintf(stderr, "%s\n", t.rows < 1 ? "ROWS must be above 0"
						   : "there are too few samples");
		return 1;
	}
	int status = compare(&t, folder);
	nacre_dataset_free(t.all);
	nacre_dataset_free(t.unseen);
	return status;
}
