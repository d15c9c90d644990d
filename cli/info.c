/* SPDX-License-Identifier: MIT
 *
 * info.c - nacre info and nacre convert: what a file is, and the same tensors in another format.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "photos.h"
#include "tabular.h"

/* -- formats ----------------------------------------------------------------------------------- */
typedef struct format {
	const char *name;
	nacre_tensor *(*load)(nacre_runtime *runtime, const char *path, nacre_error *error);
	nacre_status (*save)(const nacre_tensor *tensor, const char *path, nacre_error *error);
	const char *extension;
} format;

enum { IDX, NPY, NPZ, SAFETENSORS, TABLE };
static const format formats[] = {
    [IDX] = {"idx", nacre_idx_load, NULL, ""},
    [NPY] = {"npy", nacre_npy_load, nacre_npy_save, ".npy"},
    [NPZ] = {"npz", NULL, NULL, ".npz"},
    [SAFETENSORS] = {"safetensors", NULL, NULL, ".safetensors"},
    [TABLE] = {"csv", NULL, NULL, ".csv"},
};

/* By its first bytes, not its name; -1 after an error was printed. */
static int format_of(const char *path, int *code)
{
	unsigned char b[16] = {0};
	errno = 0;
	FILE *f = fopen(path, "rbe");
	size_t n = f ? fread(b, 1, sizeof b, f) : 0;
	*code = 0;
	if (!f || ferror(f))
		*code = fail(NACRE_IO, "%s: cannot read: %s", path, strerror(errno));
	if (f)
		fclose(f);
	if (*code)
		return -1;
	if (n >= 6 && memcmp(b, "\x93NUMPY", 6) == 0)
		return NPY;
	if (n >= 4 && (memcmp(b, "PK\3\4", 4) == 0 || memcmp(b, "PK\5\6", 4) == 0))
		return NPZ;
	if (n >= 4 && !b[0] && !b[1] && b[2] >= 8 && b[2] <= 14 && b[3])
		return IDX;
	if (n >= 2 && b[0] == 0x1f && b[1] == 0x8b)
		return IDX; /* gzip: the only packed files that are read */
	if (n >= 9 && !b[5] && !b[6] && !b[7] && b[8] == '{')
		return SAFETENSORS;
	if (n && !memchr(b, 0, n))
		return TABLE;
	*code = fail(NACRE_BAD_DATA, "%s: %s", path, n ? "the format is not known" : "is empty");
	hint("known: idx, npy, npz, safetensors, pictures, tables as text (csv)");
	return -1;
}

/* -- info -------------------------------------------------------------------------------------- */
typedef struct info_options {
	common_options common;
	table_options table;
} info_options;

static const option info_table[] = {TABLE_OPTIONS(info_options, table)};

static void json_shape(json_out *j, const nacre_tensor *t)
{
	json_open(j, "shape", '[');
	for (int i = 0; i < nacre_tensor_rank(t); i++)
		json_whole(j, NULL, nacre_tensor_shape(t)[i]);
	json_close(j, ']');
}

static const char *shape_text(char buffer[200], const nacre_tensor *t)
{
	int n = snprintf(buffer, 200, "[");
	for (int i = 0; i < nacre_tensor_rank(t) && n < 160; i++)
		n += snprintf(buffer + n, 200 - (size_t)n, "%s%lld", i ? ", " : "",
			      (long long)nacre_tensor_shape(t)[i]);
	snprintf(buffer + n, 200 - (size_t)n, "]");
	return buffer;
}

static double bytes_of(const nacre_tensor *t)
{
	return (double)nacre_tensor_size(t) * (double)nacre_dtype_size(nacre_tensor_dtype(t));
}

static int info_tensor(const char *path, const format *f, bool as_json)
{
	nacre_error e = {0};
	char shape[200], size[32];
	nacre_tensor *t = f->load(NULL, path, &e);
	if (!t)
		return fail_with(&e);
	const char *type = nacre_dtype_name(nacre_tensor_dtype(t));
	if (as_json) {
		json_out j = {.to = stdout};
		json_open(&j, NULL, '{');
		json_text(&j, "file", path);
		json_text(&j, "format", f->name);
		json_text(&j, "dtype", type);
		json_shape(&j, t);
		json_number(&j, "bytes", bytes_of(t));
		json_close(&j, '}');
	} else {
		printf("%s: %s, %s %s, %s\n", path, f->name, type, shape_text(shape, t),
		       size_text(size, bytes_of(t)));
	}
	nacre_tensor_free(t);
	return 0;
}

/* A file of named tensors: one of the two is open. */
typedef struct named_file {
	nacre_safetensors *safetensors;
	nacre_npz *npz;
} named_file;

static bool named_open(named_file *f, int which, const char *path, nacre_error *e)
{
	*f = (named_file){0};
	if (which == NPZ)
		f->npz = nacre_npz_open(NULL, path, e);
	else
		f->safetensors = nacre_safetensors_open(NULL, path, e);
	return f->npz || f->safetensors;
}

static void named_close(named_file *f)
{
	nacre_npz_free(f->npz);
	nacre_safetensors_free(f->safetensors);
}

static const char *named_format(const named_file *f)
{
	return formats[f->npz ? NPZ : SAFETENSORS].name;
}

static int64_t named_count(const named_file *f)
{
	return f->npz ? nacre_npz_count(f->npz) : nacre_safetensors_count(f->safetensors);
}

static const char *named_name(const named_file *f, int64_t i)
{
	return f->npz ? nacre_npz_name(f->npz, i) : nacre_safetensors_name(f->safetensors, i);
}

static nacre_tensor *named_tensor(const named_file *f, const char *name, nacre_error *e)
{
	return f->npz ? nacre_npz_tensor(f->npz, name, e)
		      : nacre_safetensors_tensor(f->safetensors, name, e);
}

/* As the file has it, for a tensor that may not be readable. */
static const char *named_dtype(const named_file *f, int64_t i, const nacre_tensor *t)
{
	return !f->npz ? nacre_safetensors_dtype(f->safetensors, i)
	       : t     ? nacre_dtype_name(nacre_tensor_dtype(t))
		       : "?";
}

static void json_named(const char *path, const named_file *file)
{
	json_out j = {.to = stdout};
	json_open(&j, NULL, '{');
	json_text(&j, "file", path);
	json_text(&j, "format", named_format(file));
	json_open(&j, "tensors", '[');
	for (int64_t i = 0; i < named_count(file); i++) {
		const char *name = named_name(file, i);
		nacre_tensor *t = named_tensor(file, name, NULL);
		json_open(&j, NULL, '{');
		json_text(&j, "name", name);
		json_text(&j, "dtype", named_dtype(file, i, t));
		if (t) {
			json_shape(&j, t);
			json_number(&j, "bytes", bytes_of(t));
		}
		json_close(&j, '}');
		nacre_tensor_free(t);
	}
	json_close(&j, ']');
	json_open(&j, "metadata", '{');
	for (int64_t i = 0; i < nacre_safetensors_metadata_count(file->safetensors); i++) {
		const char *key = nacre_safetensors_metadata_key(file->safetensors, i);
		json_text(&j, key, nacre_safetensors_metadata(file->safetensors, key));
	}
	json_close(&j, '}');
	json_close(&j, '}');
}

static void print_metadata(const nacre_safetensors *file)
{
	char name[160];
	for (int64_t i = 0; i < nacre_safetensors_metadata_count(file); i++) {
		const char *key = nacre_safetensors_metadata_key(file, i);
		const char *value = nacre_safetensors_metadata(file, key);
		printf("  metadata %s", cell_text(name, key, 24));
		printf("  %s%s\n",
		       cell_text(name, value, strlen(value) > 50 ? 50 : (int)strlen(value)),
		       strlen(value) > 50 ? "..." : "");
	}
}

static void print_named(const char *path, const named_file *file)
{
	char name[160], text[200], size[32];
	double bytes = 0, numbers = 0;
	for (int64_t i = 0; i < named_count(file); i++) {
		nacre_tensor *t = named_tensor(file, named_name(file, i), NULL);
		printf("  %s  %-8s  %-20s  %s\n", cell_text(name, named_name(file, i), 40),
		       named_dtype(file, i, t), t ? shape_text(text, t) : "?",
		       t ? size_text(size, bytes_of(t)) : "not readable here");
		bytes += t ? bytes_of(t) : 0;
		numbers += t ? (double)nacre_tensor_size(t) : 0;
		nacre_tensor_free(t);
	}
	printf("%s: %s, %lld tensors, %.0f numbers, %s\n", path, named_format(file),
	       (long long)named_count(file), numbers, size_text(size, bytes));
	print_metadata(file->safetensors);
	if (nacre_safetensors_metadata(file->safetensors, "nacre.table"))
		printf("A model of a table: nacre summary %s tells more.\n", path);
}

static int info_named(const char *path, int which, bool as_json)
{
	nacre_error e = {0};
	named_file file;
	if (!named_open(&file, which, path, &e))
		return fail_with(&e);
	if (as_json)
		json_named(path, &file);
	else
		print_named(path, &file);
	named_close(&file);
	return 0;
}

/* Least, mean and largest of a column. */
static void range_of(const nacre_table *t, int column, double range[3])
{
	double sum = 0, n = 0;
	for (int64_t i = 0; i < nacre_table_rows(t); i++) {
		double v = nacre_table_number(t, i, column);
		if (v != v)
			continue;
		range[0] = n > 0 && range[0] <= v ? range[0] : v;
		range[2] = n > 0 && range[2] >= v ? range[2] : v;
		sum += v;
		n++;
	}
	range[1] = n > 0 ? sum / n : 0;
}

static void json_table(const char *path, const nacre_table *t)
{
	json_out j = {.to = stdout};
	json_open(&j, NULL, '{');
	json_text(&j, "file", path);
	json_text(&j, "format", "csv");
	json_whole(&j, "rows", nacre_table_rows(t));
	json_bool(&j, "header", nacre_table_has_header(t));
	json_whole(&j, "malformed", nacre_table_malformed(t));
	json_open(&j, "columns", '[');
	for (int c = 0; c < nacre_table_columns(t); c++) {
		double range[3] = {0};
		json_open(&j, NULL, '{');
		json_text(&j, "name", nacre_table_name(t, c));
		json_text(&j, "kind", nacre_column_kind_name(nacre_table_kind(t, c)));
		json_whole(&j, "missing", nacre_table_missing(t, c));
		if (nacre_table_kind(t, c) == NACRE_COLUMN_NUMBER) {
			range_of(t, c, range);
			json_number(&j, "min", range[0]);
			json_number(&j, "mean", range[1]);
			json_number(&j, "max", range[2]);
		}
		if (nacre_table_kind(t, c) == NACRE_COLUMN_CATEGORY) {
			json_open(&j, "categories", '[');
			for (int k = 0; k < nacre_table_categories(t, c); k++)
				json_text(&j, NULL, nacre_table_category(t, c, k));
			json_close(&j, ']');
		}
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
}

static void print_table(const char *path, const nacre_table *t)
{
	char name[160];
	printf("%s: table, %lld rows, %d columns, %s\n", path, (long long)nacre_table_rows(t),
	       nacre_table_columns(t),
	       nacre_table_has_header(t) ? "names in the first line" : "no line of names");
	for (int c = 0; c < nacre_table_columns(t); c++) {
		int n = nacre_table_categories(t, c);
		double range[3] = {0};
		printf("  %3d  %s  %-8s", c + 1, cell_text(name, nacre_table_name(t, c), 24),
		       nacre_column_kind_name(nacre_table_kind(t, c)));
		if (nacre_table_kind(t, c) == NACRE_COLUMN_NUMBER) {
			range_of(t, c, range);
			printf("  %.5g to %.5g, mean %.5g", range[0], range[2], range[1]);
		}
		for (int k = 0; k < n && k < 4; k++) {
			const char *s = nacre_table_category(t, c, k);
			size_t length = strlen(s);
			printf("%s%s", k ? ", " : "  ",
			       cell_text(name, s, length > 20 ? 20 : (int)length));
		}
		if (n > 4)
			printf(" ... (%d)", n);
		if (nacre_table_missing(t, c))
			printf("  %lld missing", (long long)nacre_table_missing(t, c));
		printf("\n");
	}
}

static int run_info(int n, char **operand, const void *given)
{
	(void)n;
	const info_options *o = given;
	if (!ends_with(operand[0], ".csv") && is_picture(operand[0])) {
		int refused = refuse_given(&info_command, &o->common, false, "", "a picture");
		return refused ? refused : photos_info(operand[0], &o->common);
	}
	if (is_model(operand[0])) {
		int refused = refuse_given(&info_command, &o->common, false, "", MODEL_FILE);
		return refused ? refused : model_info(operand[0], &o->common);
	}
	int code, which = format_of(operand[0], &code);
	if (which < 0)
		return code;
	if (which == SAFETENSORS || which == NPZ)
		return info_named(operand[0], which, o->common.json);
	if (which != TABLE)
		return info_tensor(operand[0], &formats[which], o->common.json);
	nacre_table *t = open_table(operand[0], &o->table, o->common.quiet, &code);
	if (!t)
		return code;
	if (o->common.json)
		json_table(operand[0], t);
	else
		print_table(operand[0], t);
	nacre_table_free(t);
	return 0;
}

const command info_command = {
    .name = "info",
    .operands = "FILE",
    .least = 1,
    .most = 1,
    .summary = "show what a file holds",
    .text = "The format is told by the first bytes: idx (plain or gzip), npy, npz, safetensors, a "
	    "picture (PNG, JPEG, PNM, BMP), or a table as text. Of tensors: names, types, shapes, "
	    "sizes; of tables: the columns and what is guessed of them.\n\n"
	    "A whole model is known by its name, .keras, .h5 or model.json: its layers, how far "
	    "it is "
	    "trained.",
    .examples = "nacre info titanic.csv\nnacre info weights.safetensors --json",
    .options = info_table,
    .n_options = COUNT(info_table),
    .size = sizeof(info_options),
    .run = run_info,
};

/* -- convert ----------------------------------------------------------------------------------- */
typedef struct convert_options {
	common_options common;
	const char *tensor;
} convert_options;

static const option convert_table[] = {
    {"tensor", 0, TEXT, offsetof(convert_options, tensor), "NAME", NULL, 0, 0,
     "the tensor of a file of several; not needed if there is only one. To safetensors or npz: its "
     "name there, \"tensor\" or \"arr_0\" if not given"},
};

static nacre_tensor *load_named(const char *path, int which, const char *name, int *code)
{
	nacre_error e = {0};
	named_file file;
	nacre_tensor *t = NULL;
	bool open = named_open(&file, which, path, &e);
	int64_t n = open ? named_count(&file) : 0;
	if (open && !name && n != 1) {
		*code = fail(NACRE_INVALID, "%s holds %lld tensors: expected --tensor NAME", path,
			     (long long)n);
		hint("nacre info %s lists them", path);
	} else if (open) {
		t = named_tensor(&file, name ? name : named_name(&file, 0), &e);
	}
	if (!t && !*code)
		*code = fail_with(&e);
	named_close(&file);
	return t;
}

static int save_as(const nacre_tensor *t, const char *path, const char *name)
{
	nacre_error e = {0};
	nacre_named_tensor item = {name ? name : "tensor", t};
	if (ends_with(path, formats[NPY].extension)) {
		nacre_npy_save(t, path, &e);
	} else if (ends_with(path, formats[NPZ].extension)) {
		item.name = name ? name : "arr_0"; /* as savez has it */
		nacre_npz_save(path, 1, &item, &e);
	} else if (ends_with(path, formats[SAFETENSORS].extension)) {
		nacre_safetensors_save(path, 1, &item, 0, NULL, &e);
	} else {
		int code =
		    fail(NACRE_INVALID, "%s: the name tells no format that can be written", path);
		hint("expected .npy, .npz or .safetensors");
		return code;
	}
	return e.status ? fail_with(&e) : 0;
}

static int run_convert(int n, char **operand, const void *given)
{
	(void)n;
	const convert_options *o = given;
	nacre_error e = {0};
	char shape[200];
	if (is_model(operand[0])) {
		int refused = refuse_given(&convert_command, &o->common, false, "", MODEL_FILE);
		return refused ? refused : model_convert(operand[0], operand[1], &o->common);
	}
	int code, which = format_of(operand[0], &code);
	nacre_tensor *t = NULL;
	if (which < 0)
		return code;
	if (which == TABLE)
		return fail(NACRE_UNSUPPORTED,
			    "%s: tables are not converted; expected idx, npy, npz or "
			    "safetensors",
			    operand[0]);
	bool named = which == SAFETENSORS || which == NPZ;
	if (named)
		t = load_named(operand[0], which, o->tensor, &code);
	else if (!(t = formats[which].load(NULL, operand[0], &e)))
		code = fail_with(&e);
	if (!code)
		code = save_as(t, operand[1], named ? NULL : o->tensor);
	const char *type = t ? nacre_dtype_name(nacre_tensor_dtype(t)) : "";
	if (!code && o->common.json) {
		json_out j = {.to = stdout};
		json_open(&j, NULL, '{');
		json_text(&j, "input", operand[0]);
		json_text(&j, "output", operand[1]);
		json_text(&j, "dtype", type);
		json_shape(&j, t);
		json_close(&j, '}');
	} else if (!code && !o->common.quiet) {
		printf("%s: %s %s\n", operand[1], type, shape_text(shape, t));
	}
	nacre_tensor_free(t);
	return code;
}

const command convert_command = {
    .name = "convert",
    .operands = "IN OUT",
    .least = 2,
    .most = 2,
    .summary = "write a tensor, or a model, in another format",
    .text =
	"From idx (plain or gzip), npy, npz or safetensors to npy, npz or safetensors, by the name "
	"of OUT. The numbers and their type stay as they are; i16 of idx becomes i32; metadata and "
	"other tensors of a safetensors file are not taken along.\n\n"
	"A whole model, .keras, .h5 or model.json (TensorFlow.js, with its files beside it), goes "
	"to .keras with everything; to .weights.h5 or "
	".safetensors go its weights, bit for bit.",
    .examples = "nacre convert old.h5 digits.keras\n"
		"nacre convert train-images-idx3-ubyte.gz images.npy\n"
		"nacre convert mnist.safetensors kernel.npy --tensor dense/kernel",
    .options = convert_table,
    .n_options = COUNT(convert_table),
    .size = sizeof(convert_options),
    .run = run_convert,
};
