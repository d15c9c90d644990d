/* SPDX-License-Identifier: MIT
 *
 * explain.c - nacre explain: what on a picture a prediction depends on, drawn over it.
 *
 * A line of the sheet is a picture, then the picture under the saliency of each method.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "page.h"
#include "photos.h"

/* The first method is all of them. */
static const char methods[] = "all"
#define X(NAME, name) "|" #name
    NACRE_SALIENCY_LIST(X)
#undef X
    ;
enum { CELL = 224 }; /* smaller pictures are drawn larger: as many times as fit into this */

typedef struct explain_options {
	common_options common;
	const char *output, *class, *layer;
	int method, pixels;
	int64_t samples, steps, seed;
	double noise, opacity;
} explain_options;

#define AT(field) offsetof(explain_options, field)
static const option options[] = {
    {"output", 'o', TEXT, AT(output), "FILE.png", NULL, 0, 0,
     "where the sheet goes: .png, .jpg or .ppm"},
    {"method", 'm', CHOICE, AT(method), methods, "all", 0, 0, "how it is found out"},
    {"class", 'c', TEXT, AT(class), "CLASS", NULL, 0, 0,
     "what speaks for this one, by its name or number; if not given, for what is predicted"},
    {"layer", 0, TEXT, AT(layer), "NAME", NULL, 0, 0,
     "of grad_cam: the layer that is looked at; if not given, the last that has places"},
    {"samples", 0, WHOLE, AT(samples), "N", "50", 1, 1e6, "of smooth_grad: pictures with noise"},
    {"noise", 0, REAL, AT(noise), "SHARE", "0.15", 0, 10,
     "of smooth_grad: its deviation, as a part of the picture's range"},
    {"steps", 0, WHOLE, AT(steps), "N", "50", 1, 1e6,
     "of integrated_gradients: from black to the picture"},
    {"seed", 0, WHOLE, AT(seed), "N", "0", 0, 1e15, "of the noise"},
    {"opacity", 0, REAL, AT(opacity), "SHARE", "0.7", 0, 1, "of the colours over the picture"},
    {"pixels", 0, CHOICE, AT(pixels), PIXEL_RANGES, "auto", 0, 0,
     "the range that the model takes; auto: what nacre train wrote down, else 0..255 if it has a "
     "Rescaling or Normalization layer, -1..1 of a MobileNet, else 0..1"},
};
#undef AT

typedef struct job {
	const explain_options *o;
	photos p;
	int n, *file; /* pictures that could be read, and which of the operands */
	nacre_tensor *x, *y, *baseline;
	nacre_tensor *complete; /* of integrated gradients, as in nacre_saliency_options */
	nacre_dataset *data;
	int target; /* as in nacre_saliency_options */
} job;

/* -- the class --------------------------------------------------------------------------------- */
static int find_class(job *j)
{
	const char *name = j->o->class;
	int classes = (int)nacre_value_shape(nacre_model_output_value(j->p.m, 0))[1];
	char *end;
	if (!name)
		return 0;
	for (int i = 0; i < j->p.n; i++)
		if (strcmp(j->p.class_name[i], name) == 0) {
			j->target = NACRE_CLASS(i);
			return 0;
		}
	long long number = strtoll(name, &end, 10);
	if (*name && !*end && number >= 0 && number < classes) {
		j->target = NACRE_CLASS((int)number);
		return 0;
	}
	int code = fail(NACRE_INVALID, "--class: expected %sa number from 0 to %d, got \"%s\"",
			j->p.n ? "the name of a class or " : "", classes - 1, name);
	const char *near =
	    nearest(name, j->p.n, (const char *const *)(const void *)j->p.class_name);
	if (near)
		hint("did you mean %s?", near);
	return code;
}

/* The class that is explained, of picture i. */
static int class_of(const job *j, int i)
{
	int classes = (int)nacre_tensor_shape(j->y)[1], best = 0;
	const float *y = (const float *)nacre_tensor_data(j->y) + (size_t)i * (size_t)classes;
	for (int k = 1; k < classes; k++)
		best = y[k] > y[best] ? k : best;
	return j->target ? j->target - 1 : best;
}

/* -- the pictures ------------------------------------------------------------------------------ */
static int read_pictures(job *j, int n, char **path, int *bad)
{
	nacre_error e = {0};
	double black = j->p.offset;
	j->x = photos_load(&j->p, n, path, j->file, &j->n, bad);
	if (!j->n)
		return *bad;
	j->data = nacre_dataset_from_tensors(NULL, j->x, NULL);
	nacre_dataset_set_scale(j->data, 0, j->p.scale, j->p.offset);
	j->baseline = nacre_tensor_new(NULL, NACRE_F32, 0, NULL, &e);
	if (!j->baseline)
		return fail_with(&e);
	nacre_tensor_set(j->baseline, 0, black);
	j->y = nacre_predict(j->p.m, j->data);
	return j->y ? 0 : fail_with(nacre_model_error(j->p.m));
}

static nacre_tensor *saliency(job *j, int method, int *code)
{
	const explain_options *o = j->o;
	bool integrated = method == NACRE_INTEGRATED_GRADIENTS;
	nacre_tensor *map = nacre_saliency(
	    j->p.m, j->data, .method = (nacre_saliency_method)method, .target = j->target,
	    .layer = o->layer, .samples = o->samples, .noise = o->noise > 0 ? o->noise : NACRE_ZERO,
	    .steps = o->steps, .seed = (uint64_t)o->seed, .baseline = {j->baseline},
	    .completeness = integrated ? &j->complete : NULL);
	*code = map ? 0 : fail_with(nacre_model_error(j->p.m));
	if (*code == exit_code(NACRE_INVALID) && method == NACRE_GRAD_CAM && !o->method)
		hint("the other methods need no such layer: -m gradient");
	return map;
}

/* -- the sheet --------------------------------------------------------------------------------- */
/* One tensor as a batch of one picture. */
static void paint(page *p, int row, int column, const nacre_tensor *t)
{
	const int64_t *s = nacre_tensor_shape(t);
	nacre_error e = {0};
	nacre_tensor *one = nacre_tensor_reshape(t, 4, (int64_t[]){1, s[0], s[1], s[2]}, &e);
	if (one)
		page_paint(p, row, column, one, 0);
	nacre_tensor_free(one);
}

static int draw_picture(const job *j, page *p, int row, int n, nacre_tensor **map, const char *path)
{
	nacre_image_options size = {
	    .color = NACRE_RGB, .height = p->cell_height, .width = p->cell_width};
	nacre_heat_options heat = {.opacity = j->o->opacity > 0 ? j->o->opacity : NACRE_ZERO};
	nacre_error e = {0};
	nacre_tensor *picture = nacre_image_load(NULL, path, &size, &e);
	if (picture)
		paint(p, row, 0, picture);
	for (int k = 0; k < n && picture && !e.status; k++) {
		nacre_tensor *one = nacre_tensor_slice(map[k], 0, row, row + 1, 1, &e);
		nacre_tensor *drawing = one ? nacre_heat_map(one, picture, &heat, &e) : NULL;
		if (drawing)
			paint(p, row, 1 + k, drawing);
		nacre_tensor_free(one);
		nacre_tensor_free(drawing);
	}
	nacre_tensor_free(picture);
	return e.status ? fail_with(&e) : 0;
}

static int draw(const job *j, page *p, int n, nacre_tensor **map, char **path)
{
	int64_t side = j->p.height > j->p.width ? j->p.height : j->p.width;
	int64_t times = side < CELL ? CELL / side : 1;
	int code = page_new(p, j->n, 1 + n, j->p.height * times, j->p.width * times);
	for (int i = 0; i < j->n && !code; i++)
		code = draw_picture(j, p, i, n, map, path[j->file[i]]);
	return code ? code : page_save(p, j->o->output);
}

/* -- what is told of it ------------------------------------------------------------------------ */
static void report_json(const job *j, const page *p, int n, const int *method, char **path)
{
	json_out out = {.to = stdout};
	json_open(&out, NULL, '{');
	json_text(&out, "output", j->o->output);
	json_whole(&out, "height", p->height);
	json_whole(&out, "width", p->width);
	json_open(&out, "methods", '[');
	for (int k = 0; k < n; k++)
		json_text(&out, NULL, nacre_saliency_name((nacre_saliency_method)method[k]));
	json_close(&out, ']');
	json_open(&out, "pictures", '[');
	for (int i = 0; i < j->n; i++) {
		int c = class_of(j, i), classes = (int)nacre_tensor_shape(j->y)[1];
		json_open(&out, NULL, '{');
		json_text(&out, "file", path[j->file[i]]);
		json_whole(&out, "number", c);
		json_text(&out, "class", c < j->p.n ? j->p.class_name[c] : NULL);
		json_number(&out, "predicted", nacre_tensor_get(j->y, (int64_t)i * classes + c));
		if (j->complete) {
			json_number(&out, "attributed", nacre_tensor_get(j->complete, 2 * i));
			json_number(&out, "difference", nacre_tensor_get(j->complete, 2 * i + 1));
		}
		json_close(&out, '}');
	}
	json_close(&out, ']');
	json_close(&out, '}');
}

/* A class in a line of text: cut off, but not filled up. */
static const char *class_text(char buffer[160], const char *name)
{
	size_t length = strlen(name);
	return cell_text(buffer, name, length < 40 ? (int)length : 40);
}

static void report(const job *j, int n, const int *method, char **path)
{
	char name[160];
	printf("%s: the picture", j->o->output);
	for (int k = 0; k < n; k++)
		printf(", %s", nacre_saliency_name((nacre_saliency_method)method[k]));
	printf("\n");
	for (int i = 0; i < j->n; i++) {
		int c = class_of(j, i), classes = (int)nacre_tensor_shape(j->y)[1];
		printf("  %s: class %d", path[j->file[i]], c);
		if (c < j->p.n)
			printf(", %s", class_text(name, j->p.class_name[c]));
		printf(", %.4f\n", nacre_tensor_get(j->y, (int64_t)i * classes + c));
		if (j->complete)
			printf("    integrated_gradients: %.4f of a difference of %.4f\n",
			       nacre_tensor_get(j->complete, 2 * i),
			       nacre_tensor_get(j->complete, 2 * i + 1));
	}
}

/* Attributions whose sum is not what it should be are wrong; within 5 % is what their authors ask
 * for. */
static void check_steps(const job *j, char **path)
{
	for (int i = 0; j->complete && i < j->n; i++) {
		double sum = nacre_tensor_get(j->complete, 2 * i);
		double difference = nacre_tensor_get(j->complete, 2 * i + 1);
		if (fabs(sum - difference) > 0.05 * fabs(difference))
			warn("%s: integrated_gradients explains %.4g of a difference of %.4g: more "
			     "--steps than %lld bring them together",
			     path[j->file[i]], sum, difference, (long long)j->o->steps);
	}
}

static int explain(job *j, int n, char **path, int *bad)
{
	const explain_options *o = j->o;
	nacre_tensor *map[NACRE_SALIENCY_METHODS] = {NULL};
	int method[NACRE_SALIENCY_METHODS], n_methods = 0;
	page p = {0};
	int code = find_class(j);
	for (int k = 0; k < NACRE_SALIENCY_METHODS; k++)
		if (o->method == 0 || o->method == k + 1)
			method[n_methods++] = k;
	if (!code)
		code = read_pictures(j, n, path, bad);
	for (int k = 0; k < n_methods && !code; k++)
		map[k] = saliency(j, method[k], &code);
	if (!code)
		code = draw(j, &p, n_methods, map, path);
	if (!code && !o->common.quiet)
		check_steps(j, path);
	if (!code && o->common.json)
		report_json(j, &p, n_methods, method, path);
	else if (!code && !o->common.quiet)
		report(j, n_methods, method, path);
	for (int k = 0; k < n_methods; k++)
		nacre_tensor_free(map[k]);
	page_free(&p);
	return code;
}

static int run(int n, char **operand, const void *given)
{
	const explain_options *o = given;
	job j = {.o = o};
	int bad = 0, code = page_check_path(o->output);
	if (code)
		return code;
	j.file = take((size_t)n, sizeof *j.file);
	code = photos_open(&j.p, operand[0], o->pixels);
	if (!code)
		code = explain(&j, n - 1, operand + 1, &bad);
	nacre_tensor_free(j.x);
	nacre_tensor_free(j.y);
	nacre_tensor_free(j.baseline);
	nacre_tensor_free(j.complete);
	nacre_dataset_free(j.data);
	photos_free(&j.p);
	free(j.file);
	return code ? code : bad;
}

const command explain_command = {
    .name = "explain",
    .operands = "MODEL PICTURE...",
    .least = 2,
    .most = 1 << 10,
    .summary = "draw what on a picture a prediction depends on",
    .text =
	"MODEL is a network for pictures in a file: what nacre train made of photos, or another "
	"one (.keras, .h5, model.json) that gives a number for each class.\n\n"
	"The sheet has a line for each picture: the picture, then what each method finds, in "
	"colours from black to pale yellow over its brightness. gradient: the pixels that "
	"change the score of the class most; smooth_grad: the mean of that under noise; "
	"integrated_gradients: what each pixel adds to the score on the way from black to the "
	"picture; grad_cam: the regions in which a layer, usually the last one with places, "
	"saw what speaks for the class.\n\n"
	"Pictures that cannot be read are named, and the others drawn all the same.",
    .examples = "nacre explain flowers.keras a.jpg b.png -o why.png\n"
		"nacre explain flowers.keras a.jpg --class tulips -m grad_cam -o tulips.png\n"
		"nacre explain mobilenet/model.json cat.jpg --layer conv_pw_11_relu -o cat.png",
    .options = options,
    .n_options = COUNT(options),
    .size = sizeof(explain_options),
    .run = run,
};
