/* SPDX-License-Identifier: MIT
 *
 * layers.c - every class of layers against Keras: outputs, masks, gradients, what training changes.
 *
 * tests/fixtures/layers/layers.txt holds the numbers, see make_layers.py; the rows below build the
 * same layers.  A class of layer.def without a row fails, unless `elsewhere` tells where it is
 * tested.
 */
#include <ctype.h>
#include <stdio.h>

#include "nn/layer.h"
#include "run.h"

/* -- the file ---------------------------------------------------------------------------------- */
enum { MAX_ARRAYS = 32, MAX_CASES = 256, MAX_IN = 4 };

typedef struct array {
	char what[8], name[32];
	nacre_dtype dtype;
	int rank;
	int64_t shape[NACRE_MAX_RANK], size;
	float *value;
} array;

typedef struct fixture {
	char name[64];
	int n;
	array a[MAX_ARRAYS];
} fixture;

static fixture *fixtures;
static int n_fixtures;

static void read_array(array *a, char *line, FILE *f)
{
	char type[8], *at = line;
	int used = 0;
	sscanf(at, "%7s %31s %7s%n", a->what, a->name, type, &used);
	a->dtype = strcmp(type, "f32") == 0   ? NACRE_F32
		   : strcmp(type, "i32") == 0 ? NACRE_I32
					      : NACRE_BOOL;
	a->size = 1;
	for (at += used; *at == ' ' && isdigit((unsigned char)at[1]);) {
		a->shape[a->rank] = strtoll(at, &at, 10);
		a->size *= a->shape[a->rank++];
	}
	a->value = calloc((size_t)a->size + 1, sizeof *a->value);
	for (int64_t i = 0; a->value && i < a->size; i++)
		if (fscanf(f, "%f", &a->value[i]) != 1)
			test_failed(__FILE__, __LINE__, "%s: too few numbers", a->name);
}

static void read_fixtures(void)
{
	char line[256];
	FILE *f = fopen(NACRE_SOURCE_DIR "/tests/fixtures/layers/layers.txt", "r");
	fixtures = calloc(MAX_CASES, sizeof *fixtures);
	CHECK(f && fixtures);
	for (fixture *x = NULL; f && fixtures && fgets(line, sizeof line, f);) {
		if (line[0] == '\n')
			continue;
		if (strncmp(line, "case ", 5) == 0) {
			CHECK(n_fixtures < MAX_CASES);
			x = &fixtures[n_fixtures++];
			sscanf(line + 5, "%63s", x->name);
		} else if (x && x->n < MAX_ARRAYS) {
			read_array(&x->a[x->n++], line, f);
		}
	}
	if (f)
		fclose(f);
}

static void free_fixtures(void)
{
	for (int i = 0; i < n_fixtures; i++)
		for (int k = 0; k < fixtures[i].n; k++)
			free(fixtures[i].a[k].value);
	free(fixtures);
	fixtures = NULL;
	n_fixtures = 0;
}

static const fixture *find_fixture(const char *name)
{
	for (int i = 0; i < n_fixtures; i++)
		if (strcmp(fixtures[i].name, name) == 0)
			return &fixtures[i];
	return NULL;
}

static const array *find(const fixture *f, const char *what, const char *name)
{
	for (int i = 0; i < f->n; i++)
		if (strcmp(f->a[i].what, what) == 0 && strcmp(f->a[i].name, name) == 0)
			return &f->a[i];
	return NULL;
}

static const array *find_at(const fixture *f, const char *what, int i)
{
	return find(f, what, (char[]){(char)('0' + i), '\0'});
}

static nacre_tensor *to_tensor(const array *a)
{
	nacre_tensor *t = nacre_tensor_new(NULL, a->dtype, a->rank, a->shape, NULL);
	for (int64_t i = 0; t && i < a->size; i++)
		nacre_tensor_set(t, i, (double)a->value[i]);
	return t;
}

static void compare(const char *name, const array *want, const nacre_tensor *got)
{
	char a[128], b[128];
	bool same = got && got->rank == want->rank;
	for (int d = 0; same && d < want->rank; d++)
		same = got->shape[d] == want->shape[d];
	if (!same)
		test_failed(__FILE__, __LINE__, "%s: %s %s: expected %s, got %s", name, want->what,
			    want->name, nc_shape_text(a, want->rank, want->shape),
			    got ? nc_shape_text(b, got->rank, got->shape) : "none");
	for (int64_t i = 0; same && i < want->size; i++) {
		double w = (double)want->value[i], v = nacre_tensor_get(got, i);
		if (!(fabs(v - w) <= 1e-5 * fmax(1, fabs(w)))) {
			test_failed(__FILE__, __LINE__, "%s: %s %s [%lld]: expected %.9g, got %.9g",
				    name, want->what, want->name, (long long)i, w, v);
			return;
		}
	}
}

/* -- running a layer --------------------------------------------------------------------------- */
typedef struct runner {
	const char *name;
	const fixture *f;
	nacre_layer *l;
	nacre_error error;
	nacre_graph *g;
	nc_call call;
	int n, n_in;
	nacre_node *x[MAX_IN], *mask[MAX_IN], *input[2 * MAX_IN + 1];
	nacre_tensor *data[2 * MAX_IN + 1];
} runner;

static nacre_node *input(runner *r, const array *a)
{
	nacre_node *p = nacre_placeholder(r->g, a->what, a->dtype, a->rank, a->shape);
	r->input[r->n_in] = p;
	r->data[r->n_in++] = to_tensor(a);
	return p;
}

static void start(runner *r, bool training)
{
	r->g = nacre_graph_new(NULL);
	r->n = r->n_in = 0;
	r->call = (nc_call){
	    .runtime = nc_runtime(NULL), .graph = r->g, .error = &r->error, .training = training};
	r->call.effects_end = &r->call.effects;
	for (const array *a; r->n < MAX_IN && (a = find_at(r->f, "x", r->n)); r->n++) {
		const array *m = find_at(r->f, "m", r->n);
		r->x[r->n] = input(r, a);
		r->mask[r->n] = m ? input(r, m) : NULL;
		r->call.mask = m ? r->mask : r->call.mask;
	}
}

static void stop(runner *r)
{
	for (int i = 0; i < r->n_in; i++)
		nacre_tensor_free(r->data[i]);
	nacre_graph_free(r->g);
}

/* Runs, and compares each output with what the file says; those without an array are effects. */
static void run(runner *r, int n, nacre_node **y, const array **want)
{
	nacre_tensor *out[MAX_ARRAYS] = {NULL};
	nacre_error e = {0};
	nacre_program *p = nacre_program_new(NULL, r->n_in, r->input, n, y, NULL, &e);
	for (int i = 0; i < n; i++)
		if (want[i])
			out[i] = nacre_tensor_new(NULL, y[i]->dtype, y[i]->rank, y[i]->shape, NULL);
	if (!p || nacre_program_run(p, r->data, out, &e))
		test_failed(__FILE__, __LINE__, "%s: %s", r->name, e.text);
	for (int i = 0; i < n; i++) {
		if (want[i] && p)
			compare(r->name, want[i], out[i]);
		nacre_tensor_free(out[i]);
	}
	nacre_program_free(p);
}

static void set_weights(runner *r)
{
	for (int i = 0; i < r->l->n_weights; i++) {
		nc_weight *w = &r->l->weight[i];
		const array *a = find(r->f, "w", w->name);
		if (!a) {
			test_failed(__FILE__, __LINE__, "%s: Keras has no weight %s", r->name,
				    w->name);
			continue;
		}
		nacre_tensor *t = to_tensor(a);
		nacre_error e = {0};
		if (nacre_variable_write(w->variable, t, &e))
			test_failed(__FILE__, __LINE__, "%s: %s", r->name, e.text);
		nacre_tensor_free(t);
	}
	int count = 0;
	for (int i = 0; i < r->f->n; i++)
		count += strcmp(r->f->a[i].what, "w") == 0;
	if (count != r->l->n_weights)
		test_failed(__FILE__, __LINE__, "%s: %d weights, Keras has %d", r->name,
			    r->l->n_weights, count);
}

static bool called(runner *r, const nacre_node *y)
{
	if (!y || r->error.status)
		test_failed(__FILE__, __LINE__, "%s: %s", r->name, r->error.text);
	return y && !r->error.status;
}

static void infer(runner *r)
{
	start(r, false);
	nacre_node *y[2] = {nc_layer_call(&r->call, r->l, r->n, r->x), r->call.mask_out};
	const array *want[2] = {find(r->f, "y", "0"), find(r->f, "ym", "0")};
	if ((y[1] != NULL) != (want[1] != NULL))
		test_failed(__FILE__, __LINE__, "%s: the output has %s mask", r->name,
			    y[1] ? "a" : "no");
	if (called(r, y[0]))
		run(r, y[1] && want[1] ? 2 : 1, y, want);
	stop(r);
}

static void train(runner *r)
{
	nacre_node *y[MAX_ARRAYS] = {NULL}, *wrt[MAX_ARRAYS];
	const array *want[MAX_ARRAYS] = {NULL}, *u = find(r->f, "u", "0");
	int n = 0, k = 1;
	start(r, true);
	y[0] = nc_layer_call(&r->call, r->l, r->n, r->x);
	want[0] = find(r->f, "t", "0");
	if (!called(r, y[0])) {
		stop(r);
		return;
	}
	for (int i = 0; i < r->l->n_weights; i++)
		if (r->l->weight[i].trainable) {
			want[1 + n] = find(r->f, "gw", r->l->weight[i].name);
			wrt[n++] = nc_layer_use(&r->call, r->l, i);
		}
	for (int i = 0; i < r->n; i++)
		if (r->x[i]->dtype == NACRE_F32) {
			want[1 + n] = find_at(r->f, "gx", i);
			wrt[n++] = r->x[i];
		}
	nacre_node *loss = nacre_sum(nacre_times(y[0], input(r, u)), NACRE_ALL_AXES, false);
	CHECK_EQ(nacre_grad(loss, n, wrt, y + 1), NACRE_OK);
	k += n;
	if (find(r->f, "loss", "0")) {
		want[k] = find(r->f, "loss", "0");
		y[k++] = r->call.penalty;
	}
	for (nc_effect *e = r->call.effects; e; e = e->next)
		y[k++] = e->node;
	run(r, k, y, want);
	for (int i = 0; i < r->l->n_weights; i++) {
		const array *a = find(r->f, "after", r->l->weight[i].name);
		nacre_tensor *t = a ? nacre_variable_read(r->l->weight[i].variable, NULL) : NULL;
		if (a)
			compare(r->name, a, t);
		nacre_tensor_free(t);
	}
	stop(r);
}

static void check_row(const char *name, nacre_layer *l)
{
	runner r = {.name = name, .f = find_fixture(name), .l = l};
	if (!r.f) {
		test_failed(__FILE__, __LINE__, "%s: no such case in the file", name);
		return;
	}
	if (l->error.status) {
		test_failed(__FILE__, __LINE__, "%s: %s", name, l->error.text);
		return;
	}
	const array *data = find(r.f, "data", "0");
	nacre_tensor *t = data ? to_tensor(data) : NULL;
	if (t && nacre_adapt(l, t, &r.error))
		test_failed(__FILE__, __LINE__, "%s: %s", name, r.error.text);
	nacre_tensor_free(t);
	snprintf(l->name, sizeof l->name, "%s", l->class->snake);
	start(&r, false); /* builds */
	bool built = called(&r, nc_layer_call(&r.call, l, r.n, r.x));
	stop(&r);
	if (!built)
		return;
	set_weights(&r);
	infer(&r);
	if (find(r.f, "t", "0"))
		train(&r);
}

/* -- the rows ---------------------------------------------------------------------------------- */
#define LIST(...)                                                                                  \
	{                                                                                          \
		sizeof((double[]){__VA_ARGS__}) / sizeof(double), (double[])                       \
		{                                                                                  \
			__VA_ARGS__                                                                \
		}                                                                                  \
	}

static nacre_node *same(int n, nacre_node *const *x, void *context)
{
	(void)n, (void)context;
	return x[0];
}

static nacre_node *own_same(nacre_layer_call *c, int n, nacre_node *const *x)
{
	(void)c, (void)n;
	return x[0];
}
static const nacre_layer_functions own_identity = {.name = "Same", .call = own_same};

/* Tested by other files. */
static const nc_layer_id elsewhere[] = {
    NC_LAYER_input, /* train/layers.c */
};

static void check_classes(int n, nacre_layer *const *l)
{
	for (int id = 0; id < NC_LAYERS; id++) {
		bool seen = false;
		for (int i = 0; i < n; i++)
			seen = seen || (int)l[i]->class->id == id;
		for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
			seen = seen || (int)elsewhere[i] == id;
		if (!seen)
			test_failed(__FILE__, __LINE__, "%s has no case",
				    nc_layer_classes[id]->name);
		CHECK(nc_layer_classes[id]->id == (nc_layer_id)id);
		CHECK(nc_layer_class_named(nc_layer_classes[id]->name) == nc_layer_classes[id]);
	}
}

typedef struct rows {
	int n;
	struct row {
		const char *name; /* of its case; NULL: it has no numbers of Keras */
		nacre_layer *layer;
	} row[NC_LAYERS + 100];
} rows;

static void take(rows *all, int n, const struct row *row)
{
	CHECK(all->n + n <= (int)(sizeof all->row / sizeof *all->row));
	memcpy(all->row + all->n, row, (size_t)n * sizeof *row);
	all->n += n;
}
#define TAKE(all, row) take(all, (int)(sizeof(row) / sizeof *(row)), row)

static void core(rows *all)
{
	const struct row row[] = {
	    {"dense", nacre_dense(4, nacre_tanh)},
	    {"dense_rank3", nacre_dense(4, .no_bias = 1)},
	    {"dense_mask", nacre_dense(4)},
	    {"activation", nacre_activation(nacre_relu)},
	    {"dropout", nacre_dropout(0.4)},
	    {"flatten", nacre_flatten()},
	    {"reshape", nacre_reshape_layer(-1, 2)},
	    {"embedding", nacre_embedding(7, 3)},
	    {"embedding_mask", nacre_embedding(4, 3, .mask_zero = 1)},
	    {"batch_normalization", nacre_batch_normalization()},
	    {"layer_normalization", nacre_layer_normalization()},
	    {"layer_normalization_axes", nacre_layer_normalization(.axis = {1, 2})},
	    {"layer_normalization_first", nacre_layer_normalization(.axis = {1}, .no_center = 1)},
	    {"add", nacre_add_layer()},
	    {"add_mask", nacre_add_layer()},
	    {"concatenate", nacre_concatenate(.axis = 1)},
	    {"concatenate_mask", nacre_concatenate()},
	    {"relu", nacre_relu_layer()},
	    {"relu_all",
	     nacre_relu_layer(.max_value = 1.5, .negative_slope = 0.1, .threshold = 0.3)},
	    {"leaky_relu", nacre_leaky_relu_layer(0)},
	    {"leaky_relu_slope", nacre_leaky_relu_layer(0.05)},
	    {"elu", nacre_elu_layer(1.7)},
	    {"prelu", nacre_prelu()},
	    {"prelu_shared", nacre_prelu(.shared_axes = {1, 2})},
	    {"softmax", nacre_softmax_layer(-1)},
	    {"softmax_axes", nacre_softmax_layer(1, 2)},
	    {"softmax_first", nacre_softmax_layer(1)},
	    {"alpha_dropout", nacre_alpha_dropout(0.4)},
	    {"gaussian_dropout", nacre_gaussian_dropout(0.4)},
	    {"gaussian_noise", nacre_gaussian_noise(0.4)},
	    {"activity_regularization", nacre_activity_regularization(0.1, 0.02)},
	};
	TAKE(all, row);
}

static void shapes(rows *all)
{
	const struct row row[] = {
	    {"identity", nacre_identity()},
	    {"permute", nacre_permute(3, 1, 2)},
	    {"repeat_vector", nacre_repeat_vector(3)},
	    {"zero_padding1d", nacre_zero_padding1d({1, 2})},
	    {"zero_padding2d", nacre_zero_padding2d({1, 0}, {2, 1})},
	    {"zero_padding3d", nacre_zero_padding3d({1, 0}, {0, 1}, {2, 1})},
	    {"cropping1d", nacre_cropping1d({1, 2})},
	    {"cropping2d", nacre_cropping2d({1, 0}, {2, 1})},
	    {"cropping3d", nacre_cropping3d({1, 0}, {0, 1}, {1, 1})},
	    {"up_sampling1d", nacre_up_sampling1d(3)},
	    {"up_sampling2d", nacre_up_sampling2d(.size = {2, 3})},
	    {"up_sampling2d_bilinear",
	     nacre_up_sampling2d(.size = {2, 3}, .interpolation = NACRE_BILINEAR)},
	    {"up_sampling2d_bicubic", nacre_up_sampling2d(.interpolation = NACRE_BICUBIC)},
	    {"up_sampling3d", nacre_up_sampling3d(2, 1, 3)},
	    {"resizing", nacre_resizing(5, 4)},
	    {"resizing_nearest", nacre_resizing(5, 8, NACRE_NEAREST)},
	    {"resizing_bicubic", nacre_resizing(3, 8, NACRE_BICUBIC)},
	    {"center_crop", nacre_center_crop(3, 2)},
	};
	TAKE(all, row);
}

static void merging(rows *all)
{
	const struct row row[] = {
	    {"subtract", nacre_subtract()},
	    {"multiply", nacre_multiply()},
	    {"multiply_ranks", nacre_multiply()},
	    {"average", nacre_average_layer()},
	    {"average_mask", nacre_average_layer()},
	    {"maximum", nacre_maximum_layer()},
	    {"minimum", nacre_minimum_layer()},
	    {"dot", nacre_dot(1)},
	    {"dot_axes", nacre_dot_new((nacre_dot_options){.axes = {2, 1}, .normalize = 1})},
	    {"dot_ranks", nacre_dot(1, 3)},
	    {"group_normalization", nacre_group_normalization(2)},
	    {"group_normalization_each", nacre_group_normalization(-1, .no_scale = 1)},
	    {"group_normalization_axis", nacre_group_normalization(3, .axis = 1)},
	    {"rms_normalization", nacre_rms_normalization()},
	    {"rms_normalization_axes", nacre_rms_normalization(.axis = {1, 2})},
	    {"unit_normalization", nacre_unit_normalization(-1)},
	    {"unit_normalization_axis", nacre_unit_normalization(1)},
	    {"spectral_normalization",
	     nacre_spectral_normalization(nacre_dense(4), .power_iterations = 3)},
	    {"einsum_dense", nacre_einsum_dense("abc,cde->abde", {-1, 3, 4}, .bias_axes = "de")},
	    {"einsum_dense_dots",
	     nacre_einsum_dense("...x,xy->...y", {4}, nacre_tanh, .bias_axes = "y")},
	    {"einsum_dense_sum", nacre_einsum_dense("ab,bc->ac", {3})},
	};
	TAKE(all, row);
}

static void preparing(rows *all)
{
	const struct row row[] = {
	    {"rescaling", nacre_rescaling(1 / 127.5, -1)},
	    {"rescaling_ints", nacre_rescaling(0.5)},
	    {"normalization",
	     nacre_normalization(.mean = LIST(1, 2, 3), .variance = LIST(1, 4, 0.5))},
	    {"normalization_inverted",
	     nacre_normalization(.mean = LIST(2), .variance = LIST(3), .invert = 1)},
	    {"normalization_adapted", nacre_normalization()},
	    {"normalization_whole", nacre_normalization(.axis = NACRE_NO_AXIS)},
	    {"discretization", nacre_discretization(LIST(-1, 0, 0.5))},
	    {"discretization_one_hot",
	     nacre_discretization(LIST(-1, 0, 0.5), .output_mode = NACRE_OUTPUT_ONE_HOT)},
	    {"discretization_adapted", nacre_discretization({0}, .num_bins = 4)},
	    {"category_encoding", nacre_category_encoding(5)},
	    {"category_encoding_one_hot", nacre_category_encoding(5, NACRE_OUTPUT_ONE_HOT)},
	    {"category_encoding_count", nacre_category_encoding(5, NACRE_OUTPUT_COUNT)},
	    {"masking", nacre_masking(0)},
	    {"time_distributed", nacre_time_distributed(nacre_dense(4))},
	    {"time_distributed_mask", nacre_time_distributed(nacre_dense(4))},
	    {"group_normalization_image", nacre_group_normalization(2)},
	    {"group_normalization_channels", nacre_group_normalization(3, .axis = 1)},
	    {"instance_normalization", nacre_group_normalization(-1)},
	    {"layer_normalization_image", nacre_layer_normalization()},
	    {"layer_normalization_whole", nacre_layer_normalization(.axis = {1, 2, 3})},
	    {"rms_normalization_image", nacre_rms_normalization()},
	    {"resizing_antialias", nacre_resizing(3, 4, .antialias = 1)},
	    {"resizing_lanczos3", nacre_resizing(9, 4, NACRE_LANCZOS3)},
	};
	TAKE(all, row);
}

static void formats(rows *all)
{
	const struct row row[] = {
	    /* not of Keras's numbers: below */
	    {"flatten_first", nacre_flatten(NACRE_CHANNELS_FIRST)},
	    {"zero_padding2d_first",
	     nacre_zero_padding2d_new((nacre_padding_options){
		 .padding = {{1, 0}, {2, 1}}, .data_format = NACRE_CHANNELS_FIRST})},
	    {"cropping2d_first",
	     nacre_cropping2d_new((nacre_cropping_options){
		 .cropping = {{1, 0}, {2, 1}}, .data_format = NACRE_CHANNELS_FIRST})},
	    {"up_sampling2d_first",
	     nacre_up_sampling2d(.size = {2, 3}, .interpolation = NACRE_BILINEAR,
				 .data_format = NACRE_CHANNELS_FIRST)},
	};
	TAKE(all, row);
}

static void convolutions(rows *all)
{
	const struct row row[] = {
	    {"conv1d", nacre_conv1d(3, {3}, .padding = NACRE_CAUSAL, .activation = nacre_tanh)},
	    {"conv1d_dilated", nacre_conv1d(3, {2}, .dilation_rate = {3}, .no_bias = 1)},
	    {"conv1d_strides", nacre_conv1d(3, {2}, {3}, NACRE_CAUSAL)},
	    {"conv2d", nacre_conv2d(3, {3, 2}, {2}, NACRE_SAME)},
	    {"conv2d_groups", nacre_conv2d(4, {2}, .groups = 2, .activation = nacre_relu)},
	    {"conv2d_first", nacre_conv2d(3, {3}, {1}, NACRE_SAME, NACRE_CHANNELS_FIRST)},
	    {"conv3d", nacre_conv3d(2, {2}, {1, 2, 1}, NACRE_SAME)},
	    {"conv1d_transpose", nacre_conv1d_transpose(3, {2}, {3})},
	    {"conv1d_transpose_dilated",
	     nacre_conv1d_transpose(3, {3}, .padding = NACRE_SAME, .dilation_rate = {2})},
	    {"conv2d_transpose", nacre_conv2d_transpose(3, {3}, {2}, NACRE_SAME)},
	    {"conv2d_transpose_padding",
	     nacre_conv2d_transpose(3, {4, 3}, {3, 2}, NACRE_SAME, {-1, 1}, .no_bias = 1)},
	    {"conv2d_transpose_first", nacre_conv2d_transpose(3, {2}, {2}, NACRE_VALID, {1},
							      NACRE_CHANNELS_FIRST)},
	    {"conv3d_transpose", nacre_conv3d_transpose(2, {2}, {2}, NACRE_SAME)},
	    {"depthwise_conv1d", nacre_depthwise_conv1d({3}, {2}, .depth_multiplier = 2)},
	    {"depthwise_conv2d",
	     nacre_depthwise_conv2d({3}, .padding = NACRE_SAME, .depth_multiplier = 2,
				    .activation = nacre_relu)},
	    {"depthwise_conv2d_first",
	     nacre_depthwise_conv2d({2}, {2}, NACRE_SAME, .data_format = NACRE_CHANNELS_FIRST)},
	    {"separable_conv1d",
	     nacre_separable_conv1d(3, {2}, .padding = NACRE_SAME, .depth_multiplier = 2)},
	    {"separable_conv2d", nacre_separable_conv2d(3, {2}, {2}, .no_bias = 1)},
	};
	TAKE(all, row);
}

static void pooling(rows *all)
{
	const struct row row[] = {
	    {"max_pooling1d", nacre_max_pooling1d()},
	    {"max_pooling2d", nacre_max_pooling2d({3, 2}, {2}, NACRE_SAME)},
	    {"max_pooling2d_first",
	     nacre_max_pooling2d({2}, {1}, .data_format = NACRE_CHANNELS_FIRST)},
	    {"max_pooling3d", nacre_max_pooling3d({2, 1, 2})},
	    {"average_pooling1d", nacre_average_pooling1d({3}, .padding = NACRE_SAME)},
	    {"average_pooling2d", nacre_average_pooling2d({3}, {2, 1}, NACRE_SAME)},
	    {"average_pooling2d_first",
	     nacre_average_pooling2d(.padding = NACRE_SAME, .data_format = NACRE_CHANNELS_FIRST)},
	    {"average_pooling3d", nacre_average_pooling3d()},
	    {"global_max_pooling1d", nacre_global_max_pooling1d()},
	    {"global_max_pooling2d", nacre_global_max_pooling2d(.keepdims = 1)},
	    {"global_max_pooling3d", nacre_global_max_pooling3d(NACRE_CHANNELS_FIRST)},
	    {"global_average_pooling1d", nacre_global_average_pooling1d()},
	    {"global_average_pooling1d_mask", nacre_global_average_pooling1d(.keepdims = 1)},
	    {"global_average_pooling2d", nacre_global_average_pooling2d(NACRE_CHANNELS_FIRST)},
	    {"global_average_pooling3d", nacre_global_average_pooling3d(.keepdims = 1)},
	    {"adaptive_max_pooling1d", nacre_adaptive_max_pooling1d({3})},
	    {"adaptive_max_pooling2d", nacre_adaptive_max_pooling2d({2, 3})},
	    {"adaptive_max_pooling3d", nacre_adaptive_max_pooling3d({2})},
	    {"adaptive_average_pooling1d", nacre_adaptive_average_pooling1d({5})},
	    {"adaptive_average_pooling2d",
	     nacre_adaptive_average_pooling2d({3, 2}, NACRE_CHANNELS_FIRST)},
	    {"adaptive_average_pooling3d", nacre_adaptive_average_pooling3d({1, 2, 3})},
	    {"spatial_dropout1d", nacre_spatial_dropout1d(0.4)},
	    {"spatial_dropout2d", nacre_spatial_dropout2d(0.4, NACRE_CHANNELS_FIRST)},
	    {"spatial_dropout3d", nacre_spatial_dropout3d(0.4)},
	};
	TAKE(all, row);
}

static void without_numbers(rows *all)
{
	const struct row row[] = {
	    {NULL, nacre_lambda(same)},
	    {NULL, nacre_own(&own_identity)},
	    {NULL, nacre_integer_lookup(LIST(3, 7))},
	    {NULL, nacre_string_lookup_layer({1, (const char *[]){"a"}})},
	    {NULL, nacre_hashing_layer(3)},
	    /* train/augment.c */
	    {NULL, nacre_random_flip(0)},
	    {NULL, nacre_random_rotation(0.1)},
	    {NULL, nacre_random_translation(0.1, 0.1)},
	    {NULL, nacre_random_zoom(0.1)},
	    {NULL, nacre_random_shear(0.1)},
	    {NULL, nacre_random_crop(2, 2)},
	    {NULL, nacre_random_brightness(0.1)},
	    {NULL, nacre_random_contrast(0.1)},
	    {NULL, nacre_random_saturation(0.1)},
	    {NULL, nacre_random_hue(0.1)},
	    {NULL, nacre_random_color_jitter()},
	    {NULL, nacre_random_color_degeneration(0.1)},
	    {NULL, nacre_random_grayscale(0.5)},
	    {NULL, nacre_random_sharpness(0.1)},
	    {NULL, nacre_random_posterization(4)},
	    {NULL, nacre_random_invert()},
	    {NULL, nacre_random_gaussian_blur()},
	    {NULL, nacre_solarization()},
	    {NULL, nacre_auto_contrast()},
	    {NULL, nacre_equalization()},
	    {NULL, nacre_random_erasing()},
	    {NULL, nacre_mix_up(0.2)},
	    {NULL, nacre_cut_mix()},
	    {NULL, nacre_rand_augment()},
	};
	TAKE(all, row);
}

TEST(keras)
{
	rows all = {0};
	nacre_layer *layer[sizeof all.row / sizeof *all.row];
	int named = 0;
	core(&all);
	shapes(&all);
	merging(&all);
	preparing(&all);
	formats(&all);
	convolutions(&all);
	pooling(&all);
	without_numbers(&all);
	read_fixtures();
	for (int i = 0; i < all.n; i++) {
		layer[i] = all.row[i].layer;
		named += all.row[i].name != NULL;
		if (all.row[i].name)
			check_row(all.row[i].name, layer[i]);
	}
	CHECK_EQ(named, n_fixtures);
	check_classes(all.n, layer);
	for (int i = 0; i < all.n; i++)
		nacre_layer_free(layer[i]);
	free_fixtures();
}
