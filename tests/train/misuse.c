/* SPDX-License-Identifier: MIT
 *
 * misuse.c - what goes wrong when a model is misused: the full text of each error, and that nothing
 * else happens.
 */
#include "help.h"

typedef struct misuse {
	const char *text;
	nacre_status status;
	void (*run)(nacre_model *m); /* on an empty sequential model */
} misuse;

static void base(nacre_model *m)
{
	nacre_add(m, nacre_input(4));
	nacre_add(m, nacre_dense(3, .activation = nacre_softmax));
}

static void ready(nacre_model *m)
{
	base(m);
	nacre_compile(m, .loss = nacre_categorical_crossentropy, .metrics = {nacre_accuracy});
}

/* fit with n samples of `in` numbers, targets of a type, rank and last size */
static void fit_on(nacre_model *m, int64_t n, int64_t in, nacre_dtype type, int64_t last,
		   double value, nacre_fit_options o)
{
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){n, in}, NULL);
	nacre_tensor *y = nacre_tensor_new(NULL, type, last ? 2 : 1, (int64_t[]){n, last}, NULL);
	if (n > 0)
		nacre_tensor_set(y, nacre_tensor_size(y) - 1, value);
	o.data = nacre_dataset_from_tensors(NULL, x, y);
	nacre_fit_with(m, o);
	nacre_dataset_free(o.data);
	nacre_tensor_free(x);
	nacre_tensor_free(y);
}

static void fit_plain(nacre_model *m, nacre_fit_options o)
{
	ready(m);
	fit_on(m, 10, 4, NACRE_U8, 0, 0, o);
}

/* -- layers that cannot be -- */
static void no_units(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_dense(0));
}
static void negative_units(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_dense(-5, .name = "out"));
}
static void all_dropped(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_dropout(1));
}
static void too_much_dropped(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_dropout(1.5));
}
static void negative_rate(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_dropout(-0.1));
}
static void nan_rate(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_dropout(NAN));
}
static void no_function(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_activation(NULL));
}
static void bad_shape(nacre_model *m)
{
	nacre_add(m, nacre_input(3, -2));
}
static void bad_dtype(nacre_model *m)
{
	nacre_add(m, nacre_input_new((nacre_input_options){.shape = {3}, .dtype = NACRE_F64}));
}
static void slash(nacre_model *m)
{
	nacre_add(m, nacre_input_new((nacre_input_options){.shape = {3}, .name = "a/b"}));
}
static void long_name(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_dense(3, .name = "0123456789012345678901234567890123456789"
					    "012345678901234567890123456789"));
}
static void bad_momentum(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_batch_normalization(.momentum = 2));
}
static void no_rows(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_embedding(0, 3));
}
static void two_unknown(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_reshape_layer(-1, -1));
}

/* -- layers that do not fit -- */
static void not_first(nacre_model *m)
{
	nacre_add(m, nacre_dense(3));
}
static void input_again(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_input(3));
}
static void same_name(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_dense(3, .name = "x"));
	nacre_add(m, nacre_dense(3, .name = "x"));
}
static void same_layer(nacre_model *m)
{
	base(m);
	nacre_layer *l = nacre_dense(3);
	nacre_add(m, l);
	nacre_add(m, l);
}
static void does_not_reshape(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_reshape_layer(2, 2));
}
static void rest_does_not_divide(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_reshape_layer(2, -1));
}
static void one_to_add(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_add_layer());
}
static void bad_axis(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_layer_normalization(.axis = {2}));
}
static void whole_numbers(nacre_model *m)
{
	nacre_add(m, nacre_input_new((nacre_input_options){.shape = {5}, .dtype = NACRE_I32}));
	nacre_add(m, nacre_dense(3));
}
static void scalars(nacre_model *m)
{
	nacre_add(m, nacre_input_new((nacre_input_options){.shape = {0}}));
	nacre_add(m, nacre_dense(3));
}
static nacre_node *nothing(nacre_node *x)
{
	(void)x;
	return NULL;
}
static void no_output(nacre_model *m)
{
	base(m);
	nacre_add(m, nacre_activation(nothing));
}
static void no_layer(nacre_model *m)
{
	base(m);
	nacre_add(m, NULL);
}
static void output_of_sequential(nacre_model *m)
{
	base(m);
	nacre_model_output(m, nacre_model_output_value(m, 0));
}

/* -- calls in the wrong order -- */
static void compile_empty(nacre_model *m)
{
	nacre_compile(m, .loss = nacre_mse);
}
static void no_loss(nacre_model *m)
{
	base(m);
	nacre_compile(m, .optimizer = nacre_adam());
}
static void bad_optimizer(nacre_model *m)
{
	base(m);
	nacre_compile(m, .optimizer = nacre_adam(-1), .loss = nacre_mse);
}
static void bad_smoothing(nacre_model *m)
{
	base(m);
	nacre_compile(m, .loss = nacre_mse, .loss_options = {.label_smoothing = 2});
}
static void fit_uncompiled(nacre_model *m)
{
	base(m);
	nacre_fit(m, NULL);
}
static void evaluate_uncompiled(nacre_model *m)
{
	base(m);
	nacre_evaluate(m, NULL);
}
static void fit_nothing(nacre_model *m)
{
	ready(m);
	nacre_fit(m, NULL);
}
static void late_layer(nacre_model *m)
{
	ready(m);
	nacre_add(m, nacre_dense(3));
}
static void late_seed(nacre_model *m)
{
	ready(m);
	nacre_set_seed(m, 3);
}
static void no_such_weight(nacre_model *m)
{
	base(m);
	nacre_get_weight(m, "dense/gamma");
}
static void null_weight(nacre_model *m)
{
	base(m);
	nacre_get_weight(m, NULL);
}
static void weight_shape(nacre_model *m)
{
	base(m);
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){3, 4}, NULL);
	nacre_set_weight(m, "dense/kernel", t);
	nacre_tensor_free(t);
}
static void null_value(nacre_model *m)
{
	base(m);
	nacre_set_weight(m, "dense/bias", NULL);
}
static void bad_rate(nacre_model *m)
{
	ready(m);
	nacre_set_learning_rate(m, -1);
}
static void save_as_text(nacre_model *m)
{
	base(m);
	nacre_save(m, "model.txt");
}
static void save_nowhere(nacre_model *m)
{
	base(m);
	nacre_save(m, NULL);
}
static void load_keras(nacre_model *m)
{
	base(m);
	nacre_load_weights(m, "model.keras");
}
static void predict_null(nacre_model *m)
{
	base(m);
	nacre_predict_tensor(m, NULL);
}
static void predict_empty(nacre_model *m)
{
	nacre_predict_tensor(m, NULL);
	nacre_predict(m, NULL);
}
static void summary_empty(nacre_model *m)
{
	nacre_summary(m);
}

/* -- data that does not fit -- */
#define OPTIONS(...) ((nacre_fit_options){.data = NULL, __VA_ARGS__})
static void wrong_width(nacre_model *m)
{
	ready(m);
	fit_on(m, 10, 5, NACRE_U8, 0, 0, OPTIONS());
}
static void empty(nacre_model *m)
{
	ready(m);
	fit_on(m, 0, 4, NACRE_U8, 0, 0, OPTIONS());
}
static void label(nacre_model *m)
{
	ready(m);
	fit_on(m, 10, 4, NACRE_U8, 0, 12, OPTIONS());
}
static void half_label(nacre_model *m)
{
	ready(m);
	fit_on(m, 10, 4, NACRE_F32, 0, 0.5, OPTIONS());
}
static void target_width(nacre_model *m)
{
	ready(m);
	fit_on(m, 10, 4, NACRE_F32, 2, 0, OPTIONS());
}
static void sparse_label(nacre_model *m)
{
	base(m);
	nacre_compile(m, .loss = nacre_sparse_categorical_crossentropy);
	fit_on(m, 10, 4, NACRE_I32, 0, -1, OPTIONS());
}
static void no_targets(nacre_model *m)
{
	ready(m);
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){10, 4}, NULL);
	nacre_dataset *d = nacre_dataset_from_tensors(NULL, x, NULL);
	nacre_fit(m, d);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
}
static void two_inputs(nacre_model *m)
{
	ready(m);
	nacre_tensor *x = nacre_tensor_new(NULL, NACRE_F32, 2, (int64_t[]){10, 4}, NULL);
	const nacre_tensor *in[] = {x, x};
	nacre_dataset *d = nacre_dataset_new(NULL, 2, in, 1, in);
	nacre_fit(m, d);
	nacre_dataset_free(d);
	nacre_tensor_free(x);
}
static void failed_data(nacre_model *m)
{
	ready(m);
	nacre_dataset *d = nacre_mnist(NACRE_TRAIN, .folder = "/nowhere");
	nacre_fit(m, d);
	nacre_dataset_free(d);
}
static void batch_size(nacre_model *m)
{
	fit_plain(m, OPTIONS(.batch_size = -1));
}
static void epochs(nacre_model *m)
{
	fit_plain(m, OPTIONS(.epochs = -2));
}
static void split_negative(nacre_model *m)
{
	fit_plain(m, OPTIONS(.validation_split = -0.5));
}
static void split_all(nacre_model *m)
{
	fit_plain(m, OPTIONS(.validation_split = 1));
}
static void split_empty(nacre_model *m)
{
	fit_plain(m, OPTIONS(.validation_split = 0.99));
}
static void frequency(nacre_model *m)
{
	fit_plain(m, OPTIONS(.validation_freq = -1));
}
static void validation_size(nacre_model *m)
{
	fit_plain(m, OPTIONS(.validation_batch_size = -3));
}
static void nothing_to_train(nacre_model *m)
{
	base(m);
	nacre_layer_set_trainable(nacre_get_layer(m, "dense"), false);
	nacre_compile(m, .loss = nacre_mse);
	fit_on(m, 10, 4, NACRE_F32, 3, 0, OPTIONS());
}

static const misuse all[] = {
	{"dense: units: expected at least 1, got 0", NACRE_INVALID, no_units},
	{"out: units: expected at least 1, got -5", NACRE_INVALID, negative_units},
	{"dropout: rate: expected less than 1, got 1", NACRE_INVALID, all_dropped},
	{"dropout: rate: expected 0 to 1, got 1.5", NACRE_INVALID, too_much_dropped},
	{"dropout: rate: expected 0 to 1, got -0.1", NACRE_INVALID, negative_rate},
	{"dropout: rate: expected 0 to 1, got nan", NACRE_INVALID, nan_rate},
	{"activation: function: expected a function, got NULL", NACRE_INVALID, no_function},
	{"input_layer: shape: expected positive sizes, got [3, -2]", NACRE_INVALID, bad_shape},
	{"input_layer: dtype: expected f32 or i32, got f64", NACRE_INVALID, bad_dtype},
	{"input_layer: name: \"a/b\" contains '/', which separates layer and weight", NACRE_INVALID,
     slash},
	{"dense: name: expected at most 63 bytes, got 70", NACRE_INVALID, long_name},
	{"batch_normalization: momentum: expected 0 to 1, got 2", NACRE_INVALID, bad_momentum},
	{"embedding: input_dim: expected at least 1, got 0", NACRE_INVALID, no_rows},
	{"reshape: target_shape: expected positive sizes and at most one -1, got [None, None]",
     NACRE_INVALID, two_unknown},
	{"dense: the first layer must be nacre_input(...), got Dense", NACRE_INVALID, not_first},
	{"input_layer_1: an input comes first and is not applied to anything", NACRE_INVALID,
     input_again},
	{"x: a layer of that name is there already", NACRE_INVALID, same_name},
	{"dense_1: the layer is in the model already", NACRE_INVALID, same_layer},
	{"reshape: cannot make [2, 2] of a sample of [3]", NACRE_INVALID, does_not_reshape},
	{"reshape: cannot make [2, None] of a sample of [3]", NACRE_INVALID, rest_does_not_divide},
	{"add: expected at least 2 inputs, got 1", NACRE_INVALID, one_to_add},
	{"layer_normalization: axis: expected 1 to 1, or the same from the end, got 2",
	 NACRE_INVALID, bad_axis},
	{"dense: expected an input of f32, got i32 [1, 5]", NACRE_INVALID, whole_numbers},
	{"dense: expected an input of [None, ..., size], got rank 1", NACRE_INVALID, scalars},
	{"activation: gave no output", NACRE_FAILED, no_output},
	{"add: no layer: out of memory", NACRE_NO_MEMORY, no_layer},
	{"output: the model is sequential: its last layer is its output", NACRE_INVALID,
     output_of_sequential},
	{"compile: the model has no input", NACRE_INVALID, compile_empty},
	{"compile: output 0 has no loss", NACRE_INVALID, no_loss},
	{"compile: adam: learning_rate: expected 0 to 1e+30, got -1", NACRE_INVALID, bad_optimizer},
	{"compile: label_smoothing: expected 0 to 1, got 2", NACRE_INVALID, bad_smoothing},
	{"fit: the model is not compiled", NACRE_INVALID, fit_uncompiled},
	{"evaluate: the model is not compiled", NACRE_INVALID, evaluate_uncompiled},
	{"fit: the data set is NULL", NACRE_INVALID, fit_nothing},
	{"dense_1: the model is compiled already", NACRE_INVALID, late_layer},
	{"set_seed: the weights are drawn already; set the seed before compile", NACRE_INVALID,
     late_seed},
	{"get_weight: there is no weight \"dense/gamma\"", NACRE_INVALID, no_such_weight},
	{"get_weight: there is no weight \"(null)\"", NACRE_INVALID, null_weight},
	{"set_weight: dense/kernel is [4, 3], the value [3, 4]", NACRE_INVALID, weight_shape},
	{"set_weight: dense/bias is [3], the value NULL", NACRE_INVALID, null_value},
	{"set_learning_rate: expected 0 to 1e+30, got -1", NACRE_INVALID, bad_rate},
	{"save: expected a file name that ends in .safetensors, .keras, .weights.h5, "
	 "got \"model.txt\"",
	 NACRE_UNSUPPORTED, save_as_text},
	{"save: expected a file name that ends in .safetensors, .keras, .weights.h5, "
	 "got NULL",
	 NACRE_INVALID, save_nowhere},
	{"load_weights: model.keras: cannot open: No such file or directory", NACRE_IO,
	 load_keras},
	{"predict: the tensor is NULL", NACRE_INVALID, predict_null},
	{"predict: the tensor is NULL", NACRE_INVALID, predict_empty},
	{"summary: the model has no input", NACRE_INVALID, summary_empty},
	{"fit: input_layer expects samples of [4], the data has [5]", NACRE_INVALID, wrong_width},
	{"fit: the data set has no samples", NACRE_INVALID, empty},
	{"fit: target 0: label 12 of sample 9 is outside 0..2", NACRE_BAD_DATA, label},
	{"fit: target 0: label 0.5 of sample 9 is outside 0..2", NACRE_BAD_DATA, half_label},
	{"fit: target 0: label -1 of sample 9 is outside 0..2", NACRE_BAD_DATA, sparse_label},
	{"categorical_crossentropy: the target is f32 [10, 2], the output f32 [10, 3]",
	 NACRE_INVALID, target_width},
	{"fit: the model has 1 output, the data 0 targets", NACRE_INVALID, no_targets},
	{"fit: the model has 1 input, the data 2", NACRE_INVALID, two_inputs},
	{"fit: batch_size: expected at least 1, got -1", NACRE_INVALID, batch_size},
	{"fit: epochs: expected at least 1, got -2", NACRE_INVALID, epochs},
	{"fit: validation_split: expected 0 <= split < 1, got -0.5", NACRE_INVALID, split_negative},
	{"fit: validation_split: expected 0 <= split < 1, got 1", NACRE_INVALID, split_all},
	{"fit: validation_split: 0.99 of 10 samples leaves the training part empty", NACRE_INVALID,
     split_empty},
	{"fit: validation_freq: expected at least 1, got -1", NACRE_INVALID, frequency},
	{"fit: validation_batch_size: expected at least 1, got -3", NACRE_INVALID, validation_size},
	{"fit: the model has no trainable weights", NACRE_INVALID, nothing_to_train},
};

static printed out;

/* The error of a model, and that what follows changes nothing. */
static void check_error(nacre_model *m, const char *text, nacre_status status)
{
	CHECK_STR(nacre_model_error(m)->text, text);
	CHECK_EQ(nacre_model_error(m)->status, status);
	nacre_add(m, nacre_dense(7));
	nacre_compile(m, .loss = nacre_mse);
	CHECK(nacre_fit(m, NULL) == status);
	CHECK(isnan(nacre_evaluate(m, NULL).loss));
	CHECK(!nacre_predict(m, NULL));
	CHECK_STR(nacre_model_error(m)->text, text);
	out.size = 0;
	CHECK_EQ(nacre_report(m), status);
	char line[600];
	snprintf(line, sizeof line, "m: %s\n", text);
	CHECK_STR(out.text, line);
	CHECK_EQ(out.last, NACRE_ERR);
}

TEST(texts)
{
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		out.size = 0;
		nacre_runtime *rt = quiet(&out, 0);
		nacre_model *m = nacre_sequential_in(rt, "m");
		all[i].run(m);
		check_error(m, all[i].text, all[i].status);
		nacre_model_free(m);
		nacre_runtime_free(rt);
	}
}

/* Layers that cannot be, or not on this input. */
typedef struct refused {
	const char *text;
	int64_t input[NACRE_MAX_RANK];
	bool indices;
	nacre_layer *layer;
} refused;

static int check_layers(int n, const refused *row)
{
	for (int i = 0; i < n; i++) {
		out.size = 0;
		nacre_runtime *rt = quiet(&out, 0);
		nacre_model *m = nacre_sequential_in(rt, "m");
		nacre_input_options in = {.dtype = row[i].indices ? NACRE_I32 : NACRE_F32};
		memcpy(in.shape, row[i].input, sizeof in.shape);
		nacre_add(m, nacre_input_new(in));
		nacre_add(m, row[i].layer);
		check_error(m, row[i].text, NACRE_INVALID);
		nacre_model_free(m);
		nacre_runtime_free(rt);
	}
	return n;
}
#define CHECK_LAYERS(row) check_layers((int)(sizeof(row) / sizeof *(row)), row)

static int refused_channels(void)
{
	const refused row[] = {
	    {"conv2d: filters: expected 1 to 1e+09, got 0", {8, 8, 2}, false, nacre_conv2d(0, {3})},
	    {"conv2d: conv: a window over 9 places does not fit into 8 (axis 1)",
	     {8, 8, 2}, false, nacre_conv2d(4, {9})},
	    {"conv2d: expected an input of [None, height, width, channels], got [None, 8, 8]",
	     {8, 8}, false, nacre_conv2d(4, {3})},
	    {"conv2d: expected channels that 2 groups divide, got 3",
	     {8, 8, 3}, false, nacre_conv2d(4, {3}, .groups = 2)},
	    {"conv2d: strides above 1 and dilation_rate above 1 exclude each other",
	     {8, 8, 2}, false, nacre_conv2d(4, {3}, {2}, .dilation_rate = {2})},
	    {"max_pooling2d: max_pool: a window over 9 places does not fit into 8 (axis 1)",
	     {8, 8, 2}, false, nacre_max_pooling2d({9})},
	    {"gaussian_noise: stddev: expected 0 to 1, got -1",
	     {4}, false, nacre_gaussian_noise(-1)},
	    {"group_normalization: groups: 4 channels cannot be parted in 3 groups",
	     {4}, false, nacre_group_normalization(3)},
	};
	return CHECK_LAYERS(row);
}

static int refused_others(void)
{
	const refused row[] = {
	    {"permute: dims: expected the numbers 1 to 2 in some order, got [1, 1]",
	     {4, 2}, false, nacre_permute(1, 1)},
	    {"repeat_vector: expected an input of [None, size], got [None, 4, 2]",
	     {4, 2}, false, nacre_repeat_vector(3)},
	    {"repeat_vector: n: expected 1 to 1e+09, got 0", {4}, false, nacre_repeat_vector(0)},
	    {"cropping1d: cropping [3, 2] leaves nothing of axis 1, which is 4",
	     {4, 2}, false, nacre_cropping1d({3, 2})},
	    {"resizing: height: expected 1 to 65536, got 0",
	     {4, 4, 1}, false, nacre_resizing(0, 3)},
	    {"resizing: expected an input of [None, height, width, channels], got [None, 4, 4]",
	     {4, 4}, false, nacre_resizing(2, 3)},
	    {"spectral_normalization: Flatten has neither a kernel nor embeddings",
	     {4}, false, nacre_spectral_normalization(nacre_flatten())},
	    {"time_distributed: layer: expected a layer, got NULL",
	     {4}, false, nacre_time_distributed(NULL)},
	    {"time_distributed: layer: dense: units: expected at least 1, got 0",
	     {4}, false, nacre_time_distributed(nacre_dense(0))},
	    {"einsum_dense: equation: expected \"x,y->z\", \"...x,y->...z\" or \"x...,y->z...\", "
	     "got \"ab->bc\"",
	     {4}, false, nacre_einsum_dense("ab->bc", {3})},
	    {"einsum_dense: equation: \"ab,bc->ac\" does not fit an input of 3 axes",
	     {4, 2}, false, nacre_einsum_dense("ab,bc->ac", {3})},
	    {"discretization: bin_boundaries: expected rising numbers, got 1 at place 1",
	     {4}, false, nacre_discretization({2, (double[]){3, 1}})},
	    {"category_encoding: num_tokens: expected 1 to 1e+09, got 0",
	     {4}, true, nacre_category_encoding(0)},
	    {"normalization: mean has 1 numbers, variance 0",
	     {4}, false, nacre_normalization(.mean = {1, (double[]){3}})},
	    {"embedding: output_dim: expected at least 1, got 0", {4}, true, nacre_embedding(5, 0)},
	    {"conv2d: padding: expected valid or same, got causal",
	     {8, 8, 2}, false, nacre_conv2d(4, {3}, .padding = NACRE_CAUSAL)},
	    {"dot: expected 2 inputs, got 1", {4}, false, nacre_dot(1)},
	    {"softmax: axis: expected 1 to 1, or the same from the end, got 3",
	     {4}, false, nacre_softmax_layer(3)},
	};
	return CHECK_LAYERS(row);
}

TEST(layers)
{
	int texts = (int)(sizeof all / sizeof *all) + refused_channels() + refused_others();
	printf("%d error texts of models\n", texts);
	CHECK(texts >= 80);
}

/* The text of a failed data set begins with the set's own words. */
TEST(failed_data_set)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_model *m = nacre_sequential_in(rt, "m");
	failed_data(m);
	CHECK(strncmp(nacre_model_error(m)->text, "fit: ", 5) == 0);
	CHECK(strstr(nacre_model_error(m)->text, "/nowhere"));
	nacre_model_free(m);
	nacre_runtime_free(rt);
}

/* Functional models: values of elsewhere, shapes that do not meet. */
TEST(graphs)
{
	nacre_model *m = nacre_functional("m"), *other = nacre_functional("other");
	nacre_value *x = nacre_model_input(m, nacre_input(4)),
		    *y = nacre_model_input(other, nacre_input(4));
	nacre_layer *l = nacre_dense(2, .name = "l");
	CHECK(nacre_apply(l, y) != NULL);
	nacre_value *z = nacre_apply(l, x);
	CHECK(z != NULL);
	CHECK_STR(nacre_model_error(m)->text, "l: the layer belongs to another model");
	CHECK(nacre_apply(nacre_dense(3), z) == z); /* stands for nothing */
	CHECK_EQ(nacre_model_output(m, z), NACRE_INVALID);
	CHECK_EQ(nacre_clear_error(m), NACRE_INVALID);
	nacre_model_free(m);

	m = nacre_functional("m");
	x = nacre_model_input(m, nacre_input(4));
	nacre_apply_n(nacre_add_layer(), 2, (nacre_value *[]){x, y});
	CHECK_STR(nacre_model_error(m)->text, "add: input 1 is a value of another model");
	nacre_model_free(m);

	m = nacre_functional("m");
	x = nacre_model_input(m, nacre_input(4));
	z = nacre_model_input(m, nacre_input(5));
	nacre_apply_n(nacre_add_layer(), 2, (nacre_value *[]){x, z});
	CHECK_STR(nacre_model_error(m)->text,
		  "add: input 1 is f32 [5] a sample, input 0 is f32 [4]");
	nacre_model_free(m);

	m = nacre_functional("m");
	x = nacre_model_input(m, nacre_input(4));
	l = nacre_dense(3);
	z = nacre_apply(l, x);
	nacre_apply(l, z);
	CHECK_STR(nacre_model_error(m)->text, "dense: kernel expects 4 inputs, got 3");
	nacre_model_free(m);

	m = nacre_functional("m");
	nacre_model_input(m, nacre_input(4));
	nacre_compile(m, .loss = nacre_mse);
	CHECK_STR(nacre_model_error(m)->text, "compile: the model has no output");
	nacre_model_free(m);

	m = nacre_functional("m");
	nacre_model_input(m, nacre_dense(4));
	CHECK_STR(nacre_model_error(m)->text, "dense: expected nacre_input(...) here, got Dense");
	nacre_model_free(m);
	nacre_model_free(other);
}

TEST(null_everywhere)
{
	nacre_add(NULL, nacre_dense(3));
	nacre_add(NULL, NULL);
	CHECK_EQ(nacre_compile(NULL, .loss = nacre_mse), NACRE_NO_MEMORY);
	CHECK_EQ(nacre_fit(NULL, NULL), NACRE_NO_MEMORY);
	CHECK(isnan(nacre_evaluate(NULL, NULL).loss));
	CHECK_EQ(nacre_evaluate(NULL, NULL).status, NACRE_NO_MEMORY);
	CHECK(!nacre_predict(NULL, NULL));
	CHECK(!nacre_predict_tensor(NULL, NULL));
	CHECK_EQ(nacre_train_on_batch(NULL, NULL).status, NACRE_NO_MEMORY);
	CHECK_EQ(nacre_save(NULL, NULL), NACRE_NO_MEMORY);
	CHECK_EQ(nacre_load_weights(NULL, NULL), NACRE_NO_MEMORY);
	CHECK_EQ(nacre_summary(NULL), NACRE_NO_MEMORY);
	CHECK_EQ(nacre_set_seed(NULL, 1), NACRE_NO_MEMORY);
	CHECK_EQ(nacre_set_learning_rate(NULL, 1), NACRE_NO_MEMORY);
	CHECK_EQ(nacre_clear_error(NULL), NACRE_NO_MEMORY);
	CHECK_EQ(nacre_set_weight(NULL, NULL, NULL), NACRE_NO_MEMORY);
	CHECK(!nacre_get_weight(NULL, NULL));
	CHECK_EQ(nacre_set_weights(NULL, 0, NULL), NACRE_NO_MEMORY);
	CHECK_EQ(nacre_get_weights(NULL, NULL), NACRE_NO_MEMORY);
	CHECK_EQ(nacre_model_weights(NULL), 0);
	CHECK(!nacre_model_weight_name(NULL, 0) && !nacre_model_clone(NULL));
	CHECK_EQ(nacre_model_trainable_parameters(NULL), 0);
	CHECK_EQ(nacre_model_non_trainable_parameters(NULL), 0);
	CHECK(isnan(nacre_model_flops(NULL)) && nacre_loss_scale(NULL) == 1);
	CHECK(!nacre_is_compiled(NULL) && !nacre_predict_on_batch(NULL, NULL, NULL));
	CHECK_EQ(nacre_test_on_batch_with(NULL, (nacre_batch_options){.data = NULL}).status,
		 NACRE_NO_MEMORY);
	CHECK(!nacre_model_input(NULL, NULL));
	CHECK(!nacre_apply(NULL, NULL));
	CHECK(!nacre_apply_n(NULL, 0, NULL));
	CHECK_EQ(nacre_model_output(NULL, NULL), NACRE_NO_MEMORY);
	CHECK(!nacre_model_output_value(NULL, 0));
	CHECK(!nacre_model_layer(NULL, 0) && !nacre_get_layer(NULL, "x"));
	CHECK_STR(nacre_model_name(NULL), "");
	CHECK(isnan(nacre_history(NULL, "loss", 0)) && !nacre_history_name(NULL, 0));
	CHECK_EQ(nacre_layer_weights(NULL), 0);
	CHECK_STR(nacre_layer_name(NULL), "");
	CHECK(!nacre_layer_weight(NULL, 0));
	CHECK_EQ(nacre_layer_error(NULL)->status, NACRE_NO_MEMORY);
	nacre_layer_set_trainable(NULL, true);
	nacre_layer_free(NULL);
	nacre_model_free(NULL);
	nacre_layer *l = nacre_dense(0);
	CHECK_STR(nacre_layer_error(l)->text, "dense: units: expected at least 1, got 0");
	nacre_layer_free(l);
}

/* An error of running can be dealt with. */
TEST(clear_error)
{
	nacre_runtime *rt = quiet(NULL, 0);
	nacre_dataset *d = classes(rt, 20, 4, 3);
	nacre_model *m = classifier(rt, 4, 8, 3);
	CHECK_EQ(nacre_load_weights(m, "/nowhere/there.safetensors"), NACRE_IO);
	CHECK_EQ(nacre_fit(m, d), NACRE_IO);
	CHECK_EQ(nacre_clear_error(m), NACRE_OK);
	CHECK_EQ(nacre_fit(m, d), NACRE_OK);
	CHECK_EQ(nacre_report(m), 0);
	nacre_model_free(m);
	nacre_dataset_free(d);
	nacre_runtime_free(rt);
}
