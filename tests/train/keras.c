/* SPDX-License-Identifier: MIT
 *
 * keras.c - the numbers of Keras: small networks with fixed weights, trained by Keras on JAX in f32
 * and by Nacre, compared in every output, loss, metric, gradient and weight.
 *
 * tests/fixtures/make_keras.py wrote the files and tells what is in them.  A row of `rows` here
 * builds the network of the file of its name; a file without a row fails, as does the reverse.
 *
 * Numbers are compared with the largest of their tensor: |ours - theirs| <= tolerance max |theirs|
 * (for losses and weights, which are of size 1, at least the tolerance itself).  Both sides compute
 * in f32 and add in different orders; seen were 2e-6 after one step, 4e-6 after ten.  Gradients are
 * differences of weights around a step of rate 1, and so carry the rounding of two weights.
 */
#include <dirent.h>

#include <nacre.h>

#include "test.h"

enum { BATCH = 10, EPOCHS = 5 };
#define FOLDER NACRE_SOURCE_DIR "/tests/fixtures/keras"
#define FORWARD 4e-6
#define ONE_STEP 4e-6
#define TEN_STEPS 2e-5
#define WEIGHT_ROUNDING 1.2e-7

typedef struct row {
	const char *name;
	nacre_model *(*build)(const struct row *r);
	/* of the network */
	int inputs, units, last; /* 6, 7, 3 */
	nacre_activation_function *hidden, *output;
	nacre_layer *(*layer)(void);
	nacre_regularizer kernel, bias;
	nacre_constraint (*constraint)(void); /* of the first kernel */
	int no_bias;
	/* of training */
	nacre_loss_function *loss; /* mean squared error */
	nacre_loss_options loss_options;
	nacre_optimizer (*optimizer)(void); /* sgd of rate 0.1 */
	nacre_loss_function *metrics[3];
	nacre_loss_function *losses[2]; /* of several outputs */
	double loss_weights[2];
	int no_training;
	int constrained; /* a step is the gradient's and the constraint's */
} row;

static nacre_runtime *runtime; /* of all models; NULL: the default one */

/* -- networks -- */

static nacre_model *mlp(const row *r)
{
	nacre_model *m = nacre_sequential_in(runtime, r->name);
	nacre_add(m, nacre_input(r->inputs ? r->inputs : 6));
	nacre_layer *first = nacre_dense(
	    r->units ? r->units : 7, r->hidden ? r->hidden : nacre_tanh, .no_bias = r->no_bias,
	    .kernel_regularizer = r->kernel, .bias_regularizer = r->bias);
	nacre_add(m, r->constraint ? nacre_constrain(first, "kernel", r->constraint()) : first);
	nacre_add(m, nacre_dense(r->last ? r->last : 3, r->output));
	return m;
}

static nacre_model *around(const row *r, nacre_layer *input)
{
	nacre_model *m = nacre_sequential_in(runtime, r->name);
	nacre_add(m, input);
	nacre_add(m, nacre_dense(r->units ? r->units : 7, nacre_tanh));
	if (r->layer)
		nacre_add(m, r->layer());
	nacre_add(m, nacre_dense(3));
	return m;
}

static nacre_model *middle(const row *r) { return around(r, nacre_input(6)); }

static nacre_model *middle_rank3(const row *r) { return around(r, nacre_input(5, 6)); }

static nacre_model *two_branches(const row *r)
{
	nacre_model *m = nacre_functional_in(runtime, r->name);
	nacre_value *x = nacre_model_input(m, nacre_input(6));
	nacre_value *a = nacre_apply(nacre_dense(5, nacre_tanh), x);
	nacre_value *b = nacre_apply(nacre_dense(5), x);
	nacre_value *c = nacre_apply_n(r->layer(), 2, (nacre_value *[]){a, b});
	nacre_model_output(m, nacre_apply(nacre_dense(3), c));
	return m;
}

static nacre_model *two_inputs(const row *r)
{
	nacre_model *m = nacre_functional_in(runtime, r->name);
	nacre_value *a = nacre_model_input(m, nacre_input(6));
	nacre_value *b = nacre_model_input(m, nacre_input(4));
	a = nacre_apply(nacre_dense(5, nacre_relu), a);
	nacre_value *c = nacre_apply_n(nacre_concatenate(), 2, (nacre_value *[]){a, b});
	nacre_model_output(m, nacre_apply(nacre_dense(3), c));
	return m;
}

static nacre_model *shared(const row *r)
{
	nacre_model *m = nacre_functional_in(runtime, r->name);
	nacre_value *x = nacre_model_input(m, nacre_input(6));
	nacre_layer *layer = nacre_dense(6, nacre_tanh);
	x = nacre_apply(layer, nacre_apply(layer, x));
	nacre_model_output(m, nacre_apply(nacre_dense(3), x));
	return m;
}

static nacre_model *two_outputs(const row *r)
{
	nacre_model *m = nacre_functional_in(runtime, r->name);
	nacre_value *x = nacre_model_input(m, nacre_input(6));
	nacre_value *h = nacre_apply(nacre_dense(7, nacre_tanh), x);
	nacre_model_output(m, nacre_apply(nacre_dense(3, nacre_softmax), h));
	nacre_model_output(m, nacre_apply(nacre_dense(1), h));
	return m;
}

static nacre_model *embed(const row *r, nacre_dtype dtype)
{
	nacre_model *m = nacre_sequential_in(runtime, r->name);
	nacre_add(m, nacre_input_new((nacre_input_options){.shape = {4}, .dtype = dtype}));
	nacre_add(m, nacre_embedding(11, 5));
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dense(3));
	return m;
}

static nacre_model *embedding(const row *r) { return embed(r, NACRE_I32); }

static nacre_model *embedding_float(const row *r) { return embed(r, NACRE_F32); }

static nacre_model *sequence(const row *r)
{
	nacre_model *m = nacre_sequential_in(runtime, r->name);
	nacre_add(m, nacre_input_new((nacre_input_options){.shape = {4}, .dtype = NACRE_I32}));
	nacre_add(m, nacre_embedding(11, 6));
	nacre_add(m, nacre_layer_normalization());
	nacre_add(m, nacre_dense(7, nacre_gelu));
	nacre_add(m, nacre_dense(5, nacre_softmax));
	return m;
}

static nacre_model *flattened(const row *r)
{
	nacre_model *m = nacre_sequential_in(runtime, r->name);
	nacre_add(m, nacre_input(3, 2, 2));
	nacre_add(m, nacre_dense(4, nacre_relu));
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dense(3));
	return m;
}

static nacre_model *reshaped(const row *r)
{
	nacre_model *m = nacre_sequential_in(runtime, r->name);
	nacre_add(m, nacre_input(12));
	nacre_add(m, nacre_reshape_layer(3, 4));
	nacre_add(m, nacre_dense(2, nacre_tanh));
	nacre_add(m, nacre_reshape_layer(-1));
	nacre_add(m, nacre_dense(3));
	return m;
}

static nacre_layer *relu_layer(void) { return nacre_activation(nacre_relu); }
static nacre_layer *dropout_layer(void) { return nacre_dropout(0.3); }
static nacre_layer *add_layer(void) { return nacre_add_layer(); }
static nacre_layer *concatenate_layer(void) { return nacre_concatenate(); }
static nacre_layer *batch_norm(void) { return nacre_batch_normalization(); }
static nacre_layer *layer_norm(void) { return nacre_layer_normalization(); }

static nacre_layer *batch_norm_options(void)
{
	return nacre_batch_normalization(.momentum = 0.8, .epsilon = 0.01, .no_center = 1,
					 .no_scale = 1);
}

static nacre_layer *layer_norm_options(void)
{
	return nacre_layer_normalization(.epsilon = 1e-5, .no_center = 1);
}

/* -- optimizers -- */

static nacre_optimizer plain(void) { return nacre_sgd(.learning_rate = 0.1); }
static nacre_optimizer sgd(void) { return nacre_sgd(); }
static nacre_optimizer rmsprop(void) { return nacre_rmsprop(); }
static nacre_optimizer adam(void) { return nacre_adam(); }
static nacre_optimizer adam_fast(void) { return nacre_adam(.learning_rate = 0.01); }
static nacre_optimizer adamw(void) { return nacre_adamw(.learning_rate = 0.01); }

static nacre_optimizer momentum(void) { return nacre_sgd(.learning_rate = 0.05, .momentum = 0.9); }

static nacre_optimizer nesterov(void)
{
	return nacre_sgd(.learning_rate = 0.05, .momentum = 0.9, .nesterov = 1);
}

static nacre_optimizer sgd_decay(void)
{
	return nacre_sgd(.learning_rate = 0.1, .weight_decay = 0.05);
}

static nacre_optimizer rmsprop_rho(void)
{
	return nacre_rmsprop(.learning_rate = 0.01, .rho = 0.5, .epsilon = 1e-4);
}

static nacre_optimizer adam_options(void)
{
	return nacre_adam(.learning_rate = 0.01, .beta_1 = 0.8, .beta_2 = 0.95, .epsilon = 1e-3);
}

static nacre_optimizer adamw_decay(void)
{
	return nacre_adamw(.learning_rate = 0.02, .weight_decay = 0.3);
}

static nacre_optimizer clipnorm(void) { return nacre_sgd(.learning_rate = 0.1, .clipnorm = 0.3); }

static nacre_optimizer clipvalue(void)
{
	return nacre_adam(.learning_rate = 0.01, .clipvalue = 0.05);
}

static nacre_optimizer global_clipnorm(void)
{
	return nacre_sgd(.learning_rate = 0.1, .momentum = 0.5, .global_clipnorm = 0.3);
}

#define OPTIMIZER(name, ...)                                                                       \
	static nacre_optimizer name(void) { return __VA_ARGS__; }
OPTIMIZER(centered, nacre_rmsprop(0.01, .centered = 1))
OPTIMIZER(rmsprop_momentum,
	  nacre_rmsprop(0.01, .momentum = 0.8, .centered = 1, .weight_decay = 0.1))
OPTIMIZER(amsgrad, nacre_adam(0.01, .amsgrad = 1))
OPTIMIZER(adagrad, nacre_adagrad(0.05))
OPTIMIZER(adadelta, nacre_adadelta(1))
OPTIMIZER(adamax, nacre_adamax(0.01))
OPTIMIZER(nadam, nacre_nadam(0.01, .weight_decay = 0.1))
OPTIMIZER(lion, nacre_lion(0.01))
OPTIMIZER(lamb, nacre_lamb(0.01))
OPTIMIZER(ftrl, nacre_ftrl(0.05))
OPTIMIZER(ftrl_options, nacre_ftrl(0.05, .power = -0.6, .initial = 0.2, .l1 = 0.01, .l2 = 0.02,
				   .l2_shrinkage = 0.03, .beta = 0.1))
OPTIMIZER(adafactor, nacre_adafactor(0.05))
OPTIMIZER(muon, nacre_muon(0.01))
OPTIMIZER(schedule_free, nacre_schedule_free_adamw(0.02))
OPTIMIZER(schedule_free_warmup,
	  nacre_schedule_free_adamw(0.02, .warmup_steps = 4, .weight_decay = 0.1))
OPTIMIZER(no_decay, nacre_adamw(0.02, .weight_decay = 0.3, .no_decay = {"bias"}))
OPTIMIZER(ema, nacre_sgd(0.1, .use_ema = 1, .ema_momentum = 0.7))
OPTIMIZER(ema_overwrite,
	  nacre_adam(0.01, .use_ema = 1, .ema_momentum = 0.7, .ema_overwrite_frequency = 3))
OPTIMIZER(accumulation, nacre_adam(0.01, .gradient_accumulation_steps = 2))
OPTIMIZER(accumulation_all,
	  nacre_sgd(0.1, .momentum = 0.5, .gradient_accumulation_steps = 3, .clipnorm = 0.3,
		    .weight_decay = 0.1, .use_ema = 1, .ema_momentum = 0.7))
OPTIMIZER(loss_scale, nacre_sgd(0.1, .loss_scale_factor = 64))

static nacre_constraint max_norm(void) { return nacre_max_norm(0.8, 0); }
static nacre_constraint unit_norm(void) { return nacre_unit_norm(NACRE_AXIS(1)); }
static nacre_constraint min_max_norm(void) { return nacre_min_max_norm(0.9, 1.1, 0.6, 0); }

static nacre_model *constrained_dense(const row *r)
{
	nacre_model *m = nacre_sequential_in(runtime, r->name);
	nacre_add(m, nacre_input(6));
	nacre_add(m, nacre_dense(7, nacre_tanh, .kernel_constraint = nacre_max_norm(0.8, 0),
				 .bias_constraint = nacre_non_neg(),
				 .bias_regularizer = nacre_l2(0.02)));
	nacre_add(m, nacre_dense(3));
	return m;
}
static nacre_model *activity(const row *r)
{
	nacre_model *m = nacre_sequential_in(runtime, r->name);
	nacre_add(m, nacre_input(6));
	nacre_add(m, nacre_dense(7, nacre_tanh, .activity_regularizer = nacre_l1_l2(0.02, 0.03)));
	nacre_add(m, nacre_dense(3));
	return m;
}
static nacre_model *constrained_embedding(const row *r)
{
	nacre_model *m = nacre_sequential_in(runtime, r->name);
	nacre_add(m, nacre_input_new((nacre_input_options){.shape = {4}, .dtype = NACRE_I32}));
	nacre_add(m, nacre_embedding(6, 3,
				     .embeddings_constraint = nacre_unit_norm(NACRE_AXIS(1)),
				     .embeddings_regularizer = nacre_l1(0.01)));
	nacre_add(m, nacre_flatten());
	nacre_add(m, nacre_dense(3));
	return m;
}
static nacre_layer *constrained_einsum(void)
{
	return nacre_einsum_dense("ab,bc->ac", {5}, .bias_axes = "c",
				  .kernel_constraint = nacre_unit_norm(0),
				  .bias_constraint = nacre_max_norm(0.3, 0),
				  .activity_regularizer = nacre_l2(0.01));
}
static nacre_layer *constrained_batch(void)
{
	return nacre_batch_normalization(.beta_constraint = nacre_non_neg(),
					 .gamma_constraint = nacre_max_norm(1.5, 0),
					 .beta_regularizer = nacre_l2(0.02),
					 .gamma_regularizer = nacre_l1(0.01));
}
static nacre_layer *constrained_layer_norm(void)
{
	return nacre_layer_normalization(.beta_constraint = nacre_max_norm(0.4, 0),
					 .gamma_constraint = nacre_unit_norm(0),
					 .beta_regularizer = nacre_l2(0.02),
					 .gamma_regularizer = nacre_l1(0.01));
}
static nacre_layer *constrained_group(void)
{
	return nacre_group_normalization(3, .beta_constraint = nacre_non_neg(),
					 .gamma_constraint = nacre_min_max_norm(0.5, 2, 0, 0),
					 .gamma_regularizer = nacre_l2(0.02));
}
static nacre_layer *constrained_prelu(void)
{
	return nacre_prelu(.alpha_constraint = nacre_non_neg(), .alpha_regularizer = nacre_l2(0.1));
}

/* -- the cases -- */

#define CATEGORICAL .loss = nacre_categorical_crossentropy, .metrics = {nacre_accuracy}, .last = 4
#define SPARSE .loss = nacre_sparse_categorical_crossentropy, .metrics = {nacre_accuracy}, .last = 4
#define BINARY .loss = nacre_binary_crossentropy, .metrics = {nacre_binary_accuracy}, .last = 4
#define TUNED .build = mlp, CATEGORICAL, .output = nacre_softmax

static const row rows[] = {
    {"activation_linear", mlp, .hidden = nacre_linear, .metrics = {nacre_mae}},
    {"activation_relu", mlp, .hidden = nacre_relu, .metrics = {nacre_mae}},
    {"activation_sigmoid", mlp, .hidden = nacre_sigmoid, .metrics = {nacre_mae}},
    {"activation_tanh", mlp, .hidden = nacre_tanh, .metrics = {nacre_mae}},
    {"activation_softmax", mlp, .hidden = nacre_softmax, .metrics = {nacre_mae}},
    {"activation_leaky_relu", mlp, .hidden = nacre_leaky_relu, .metrics = {nacre_mae}},
    {"activation_elu", mlp, .hidden = nacre_elu, .metrics = {nacre_mae}},
    {"activation_selu", mlp, .hidden = nacre_selu, .metrics = {nacre_mae}},
    {"activation_gelu", mlp, .hidden = nacre_gelu, .metrics = {nacre_mae}},
    {"activation_silu", mlp, .hidden = nacre_silu, .metrics = {nacre_mae}},
    {"activation_softplus", mlp, .hidden = nacre_softplus, .metrics = {nacre_mae}},
    {"activation_gelu_tanh", mlp, .hidden = nacre_gelu_tanh},
    {"activation_layer", middle, .layer = relu_layer},

    {"loss_categorical", mlp, CATEGORICAL, .output = nacre_softmax},
    {"loss_categorical_logits", mlp, CATEGORICAL, .loss_options = {.from_logits = 1}},
    {"loss_categorical_other", mlp, CATEGORICAL, .output = nacre_sigmoid},
    {"loss_categorical_smooth", mlp, CATEGORICAL, .output = nacre_softmax,
     .loss_options = {.label_smoothing = 0.1}},
    {"loss_categorical_logits_smooth", mlp, CATEGORICAL,
     .loss_options = {.from_logits = 1, .label_smoothing = 0.2}},
    {"loss_sparse", mlp, SPARSE, .output = nacre_softmax},
    {"loss_sparse_logits", mlp, SPARSE, .loss_options = {.from_logits = 1}},
    {"loss_sparse_other", mlp, SPARSE, .output = nacre_sigmoid},
    {"loss_sparse_column", mlp, SPARSE, .output = nacre_softmax},
    {"loss_binary", mlp, BINARY, .output = nacre_sigmoid},
    {"loss_binary_logits", mlp, BINARY, .loss_options = {.from_logits = 1}},
    {"loss_binary_other", mlp, BINARY, .output = nacre_softmax},
    {"loss_binary_smooth", mlp, BINARY, .output = nacre_sigmoid,
     .loss_options = {.label_smoothing = 0.1}},
    {"loss_binary_logits_smooth", mlp, BINARY,
     .loss_options = {.from_logits = 1, .label_smoothing = 0.2}},
    {"loss_binary_one", mlp, .last = 1, .output = nacre_sigmoid, .loss = nacre_binary_crossentropy,
     .metrics = {nacre_accuracy}},
    {"loss_mse", mlp, .loss = nacre_mean_squared_error, .metrics = {nacre_mse, nacre_mae}},
    {"loss_mae", mlp, .loss = nacre_mean_absolute_error, .metrics = {nacre_mse, nacre_mae}},
    {"loss_huber", mlp, .loss = nacre_huber, .metrics = {nacre_mse}},
    {"loss_huber_delta", mlp, .loss = nacre_huber, .loss_options = {.delta = 0.4}},

    {"metric_categorical_accuracy", mlp, .last = 4, .output = nacre_softmax,
     .loss = nacre_categorical_crossentropy, .metrics = {nacre_categorical_accuracy, nacre_mse}},
    {"metric_sparse_categorical_accuracy", mlp, .last = 4, .output = nacre_softmax,
     .loss = nacre_sparse_categorical_crossentropy, .metrics = {nacre_sparse_categorical_accuracy}},

    {"optimizer_sgd", TUNED, .optimizer = sgd},
    {"optimizer_sgd_momentum", TUNED, .optimizer = momentum},
    {"optimizer_sgd_nesterov", TUNED, .optimizer = nesterov},
    {"optimizer_sgd_decay", TUNED, .optimizer = sgd_decay},
    {"optimizer_rmsprop", TUNED, .optimizer = rmsprop},
    {"optimizer_rmsprop_rho", TUNED, .optimizer = rmsprop_rho},
    {"optimizer_adam", TUNED, .optimizer = adam},
    {"optimizer_adam_options", TUNED, .optimizer = adam_options},
    {"optimizer_adamw", TUNED, .optimizer = adamw},
    {"optimizer_adamw_decay", TUNED, .optimizer = adamw_decay},
    {"optimizer_clipnorm", TUNED, .optimizer = clipnorm},
    {"optimizer_clipvalue", TUNED, .optimizer = clipvalue},
    {"optimizer_global_clipnorm", TUNED, .optimizer = global_clipnorm},
    {"optimizer_rmsprop_centered", TUNED, .optimizer = centered},
    {"optimizer_rmsprop_momentum", TUNED, .optimizer = rmsprop_momentum},
    {"optimizer_adam_amsgrad", TUNED, .optimizer = amsgrad},
    {"optimizer_adagrad", TUNED, .optimizer = adagrad},
    {"optimizer_adadelta", TUNED, .optimizer = adadelta},
    {"optimizer_adamax", TUNED, .optimizer = adamax},
    {"optimizer_nadam", TUNED, .optimizer = nadam},
    {"optimizer_lion", TUNED, .optimizer = lion},
    {"optimizer_lamb", TUNED, .optimizer = lamb},
    {"optimizer_ftrl", TUNED, .optimizer = ftrl},
    {"optimizer_ftrl_options", TUNED, .optimizer = ftrl_options},
    {"optimizer_adafactor", TUNED, .optimizer = adafactor},
    {"optimizer_muon", TUNED, .optimizer = muon},
    {"optimizer_schedule_free_adamw", TUNED, .optimizer = schedule_free},
    {"optimizer_schedule_free_adamw_warmup", TUNED, .optimizer = schedule_free_warmup},
    {"optimizer_no_decay", TUNED, .optimizer = no_decay},
    {"optimizer_ema", TUNED, .optimizer = ema},
    {"optimizer_ema_overwrite", TUNED, .optimizer = ema_overwrite},
    {"optimizer_accumulation", TUNED, .optimizer = accumulation},
    {"optimizer_accumulation_all", TUNED, .optimizer = accumulation_all},
    {"optimizer_loss_scale", TUNED, .optimizer = loss_scale},

    {"layer_dense_no_bias", mlp, .no_bias = 1},
    {"layer_dense_rank3", middle_rank3, .metrics = {nacre_mae}},
    {"layer_batch_normalization", middle, .layer = batch_norm},
    {"layer_batch_normalization_options", middle, .layer = batch_norm_options},
    {"layer_batch_normalization_rank3", middle_rank3, .layer = batch_norm},
    {"layer_layer_normalization", middle, .layer = layer_norm},
    {"layer_layer_normalization_options", middle, .layer = layer_norm_options},
    {"layer_embedding", embedding, .optimizer = adam_fast},
    {"layer_embedding_float", .build = embedding_float},
    {"layer_dropout", middle, .layer = dropout_layer, .metrics = {nacre_mae}, .no_training = 1},
    {"layer_flatten", .build = flattened},
    {"layer_reshape", .build = reshaped},
    {"layer_add", two_branches, .layer = add_layer},
    {"layer_concatenate", two_branches, .layer = concatenate_layer},
    {"model_two_inputs", .build = two_inputs},
    {"model_shared", .build = shared},
    {"model_two_outputs", two_outputs,
     .losses = {nacre_sparse_categorical_crossentropy, nacre_mean_squared_error},
     .loss_weights = {1, 0.5}},
    {"model_sequence", sequence, .loss = nacre_sparse_categorical_crossentropy,
     .optimizer = adam_fast, .metrics = {nacre_accuracy}},
    {"model_wide", mlp, .inputs = 41, .units = 70, .last = 10, .hidden = nacre_relu,
     .output = nacre_softmax, .loss = nacre_categorical_crossentropy, .optimizer = adam,
     .metrics = {nacre_accuracy}},

    {"regularizer_l1", mlp, .kernel = {.l1 = 0.02}},
    {"regularizer_l2", mlp, .kernel = {.l2 = 0.03}, .bias = {.l2 = 0.05}},
    {"regularizer_l1_l2", mlp, .kernel = {.l1 = 0.01, .l2 = 0.02}},
    {"regularizer_orthogonal", mlp, .kernel = {.orthogonal = 0.3}},
    {"regularizer_orthogonal_columns", mlp, .kernel = {.orthogonal = 0.3, .columns = 1}},
    {"constraint_max_norm", mlp, .constraint = max_norm},
    {"constraint_non_neg", mlp, .constraint = nacre_non_neg},
    {"constraint_unit_norm", mlp, .constraint = unit_norm},
    {"constraint_min_max_norm", mlp, .constraint = min_max_norm},
    {"constraint_both", constrained_dense, .constrained = 1},
    {"activity_regularizer", activity, .inputs = 6},
    {"constraint_embedding", constrained_embedding, .constrained = 1},
    {"constraint_einsum_dense", middle, .layer = constrained_einsum, .constrained = 1},
    {"constraint_batch_normalization", middle, .layer = constrained_batch, .constrained = 1},
    {"constraint_layer_normalization", middle, .layer = constrained_layer_norm, .constrained = 1},
    {"constraint_group_normalization", middle, .layer = constrained_group, .units = 6,
     .constrained = 1},
    {"constraint_prelu", middle, .layer = constrained_prelu, .constrained = 1},
};
enum { ROWS = sizeof rows / sizeof rows[0] };

/* -- comparing -- */

typedef struct trial {
	const row *r;
	const char *variant; /* for texts */
	nacre_safetensors *file;
	nacre_model *m;
	nacre_compile_options options;
	nacre_dataset *all, *first; /* first: the first batch */
	int metrics;
} trial;

static void wrong(const trial *t, const char *what, const char *name, double ours, double theirs,
		  double allowed)
{
	test_failed(__FILE__, __LINE__, "%s (%s), %s%s: %.9g, Keras has %.9g, off by %.3g > %.3g",
		    t->r->name, t->variant, what, name, ours, theirs, fabs(ours - theirs), allowed);
}

static nacre_tensor *stored(const trial *t, const char *prefix, const char *name)
{
	char key[128];
	nacre_error e = {0};
	snprintf(key, sizeof key, "%s%s", prefix, name);
	nacre_tensor *tensor = nacre_safetensors_tensor(t->file, key, &e);
	if (!tensor)
		test_failed(__FILE__, __LINE__, "%s: %s", t->r->name, e.text);
	return tensor;
}

static double largest(const nacre_tensor *x)
{
	double most = 0;
	for (int64_t i = 0; i < nacre_tensor_size(x); i++)
		most = fmax(most, fabs(nacre_tensor_get(x, i)));
	return most;
}

/* Frees `ours`, which may be NULL: that is a failure. */
static void compare(const trial *t, const char *prefix, const char *name, nacre_tensor *ours,
		    double relative, double at_least)
{
	nacre_tensor *theirs = stored(t, prefix, name);
	if (!ours || !theirs || nacre_tensor_size(ours) != nacre_tensor_size(theirs) ||
	    nacre_tensor_rank(ours) != nacre_tensor_rank(theirs)) {
		test_failed(__FILE__, __LINE__, "%s (%s): no %s%s of the right shape: %s",
			    t->r->name, t->variant, prefix, name, nacre_model_error(t->m)->text);
	} else {
		double allowed = fmax(relative * largest(theirs), at_least);
		for (int64_t i = 0; i < nacre_tensor_size(ours); i++) {
			double a = nacre_tensor_get(ours, i), b = nacre_tensor_get(theirs, i);
			if (!(fabs(a - b) <= allowed)) {
				wrong(t, prefix, name, a, b, allowed);
				break;
			}
		}
	}
	nacre_tensor_free(ours);
	nacre_tensor_free(theirs);
}

/* Loss and metrics, `row_index` of a table of them. */
static void compare_result(const trial *t, const char *name, int row_index, nacre_result r,
			   double tolerance)
{
	nacre_tensor *theirs = stored(t, name, "");
	for (int i = 0; theirs && i <= t->metrics; i++) {
		double ours = i ? r.metric[i - 1] : r.loss;
		double b = nacre_tensor_get(theirs, row_index * (t->metrics + 1) + i);
		double allowed = tolerance * fmax(1, fabs(b));
		if (!(fabs(ours - b) <= allowed))
			wrong(t, name, i ? " metric" : " loss", ours, b, allowed);
	}
	nacre_tensor_free(theirs);
}

/* Calls back for every tensor of the file whose name begins so, with the rest of the name. */
static void each(const trial *t, const char *prefix, void (*call)(const trial *, const char *))
{
	for (int64_t i = 0; i < nacre_safetensors_count(t->file); i++) {
		const char *name = nacre_safetensors_name(t->file, i);
		if (!strncmp(name, prefix, strlen(prefix)))
			call(t, name + strlen(prefix));
	}
}

static void set_weight(const trial *t, const char *name)
{
	nacre_tensor *value = stored(t, "w/", name);
	if (value && nacre_set_weight(t->m, name, value))
		test_failed(__FILE__, __LINE__, "%s: %s", t->r->name,
			    nacre_model_error(t->m)->text);
	nacre_tensor_free(value);
}

static void compare_gradient(const trial *t, const char *name)
{
	nacre_tensor *before = stored(t, "w/", name), *after = nacre_get_weight(t->m, name);
	for (int64_t i = 0; before && after && i < nacre_tensor_size(after); i++)
		nacre_tensor_set(after, i,
				 nacre_tensor_get(before, i) - nacre_tensor_get(after, i));
	nacre_tensor_free(before);
	compare(t, "g/", name, after, ONE_STEP, 2 * WEIGHT_ROUNDING);
}

static void compare_one_step(const trial *t, const char *name)
{
	compare(t, "w1/", name, nacre_get_weight(t->m, name), ONE_STEP, ONE_STEP);
}

static void compare_ten_steps(const trial *t, const char *name)
{
	compare(t, "w10/", name, nacre_get_weight(t->m, name), TEN_STEPS, TEN_STEPS);
}

/* -- running -- */

static void start_again(trial *t, nacre_optimizer optimizer)
{
	t->options.optimizer = optimizer;
	nacre_compile_with(t->m, t->options);
	each(t, "w/", set_weight);
}

static void check_forward(trial *t)
{
	nacre_tensor *outputs[NACRE_MAX_PORTS] = {0};
	nacre_predict(t->m, t->all, .batch_size = BATCH, .outputs = outputs);
	for (int i = 0; i < nacre_model_outputs(t->m); i++) {
		char name[] = {(char)('0' + i), 0};
		compare(t, "predict", name, outputs[i], FORWARD, 0);
	}
	compare_result(t, "evaluate", 0,
		       nacre_evaluate(t->m, t->all, .batch_size = BATCH, .verbose = NACRE_SILENT),
		       FORWARD);
}

static void check_training(trial *t)
{
	start_again(t, nacre_sgd(.learning_rate = 1));
	compare_result(t, "step", 0, nacre_train_on_batch(t->m, t->first), FORWARD);
	if (!t->r->constraint && !t->r->constrained)
		each(t, "g/", compare_gradient);

	nacre_optimizer optimizer = t->r->optimizer ? t->r->optimizer() : plain();
	start_again(t, optimizer);
	compare_result(t, "step", 0, nacre_train_on_batch(t->m, t->first), FORWARD);
	each(t, "w1/", compare_one_step);

	start_again(t, optimizer);
	nacre_fit(t->m, t->all, .epochs = EPOCHS, .batch_size = BATCH, .no_shuffle = 1,
		  .verbose = NACRE_SILENT);
	each(t, "w10/", compare_ten_steps);
	CHECK_EQ(nacre_history_epochs(t->m), EPOCHS);
	for (int epoch = 0; epoch < EPOCHS; epoch++) {
		nacre_result r = {.loss = nacre_history(t->m, "loss", epoch)};
		for (int i = 0; i < t->metrics; i++)
			r.metric[i] = nacre_history(t->m, nacre_history_name(t->m, i + 1), epoch);
		compare_result(t, "history", epoch, r, TEN_STEPS);
	}
	compare_result(t, "evaluate10", 0,
		       nacre_evaluate(t->m, t->all, .batch_size = BATCH, .verbose = NACRE_SILENT),
		       TEN_STEPS);
}

static int weights_of(const nacre_model *m)
{
	int n = 0;
	for (int i = 0; i < nacre_model_layers(m); i++)
		n += nacre_layer_weights(nacre_model_layer(m, i));
	return n;
}

static int stored_with(const trial *t, const char *prefix)
{
	int n = 0;
	for (int64_t i = 0; i < nacre_safetensors_count(t->file); i++)
		n += !strncmp(nacre_safetensors_name(t->file, i), prefix, strlen(prefix));
	return n;
}

static void open_data(trial *t)
{
	nacre_tensor *x[NACRE_MAX_PORTS] = {0}, *y[NACRE_MAX_PORTS] = {0};
	int n_x = stored_with(t, "x"), n_y = stored_with(t, "y");
	for (int i = 0; i < n_x && i < NACRE_MAX_PORTS; i++)
		x[i] = stored(t, "x", (char[]){(char)('0' + i), 0});
	for (int i = 0; i < n_y && i < NACRE_MAX_PORTS; i++)
		y[i] = stored(t, "y", (char[]){(char)('0' + i), 0});
	t->all = nacre_dataset_new(NULL, n_x, (const nacre_tensor *const *)x, n_y,
				   (const nacre_tensor *const *)y);
	t->first = nacre_dataset_slice(t->all, 0, BATCH);
	for (int i = 0; i < NACRE_MAX_PORTS; i++) {
		nacre_tensor_free(x[i]);
		nacre_tensor_free(y[i]);
	}
	CHECK_STR(nacre_dataset_error(t->all)->text, "");
	CHECK_EQ(nacre_dataset_size(t->first), BATCH);
}

static void run(const row *r, const char *variant, const char *backend, int no_optimize)
{
	char path[512];
	nacre_error e = {0};
	snprintf(path, sizeof path, "%s/%s.safetensors", FOLDER, r->name);
	trial t = {.r = r, .variant = variant};
	t.file = nacre_safetensors_open(NULL, path, &e);
	if (!t.file) {
		test_failed(__FILE__, __LINE__, "%s: %s", r->name, e.text);
		return;
	}
	open_data(&t);
	t.m = r->build(r);
	t.options = (nacre_compile_options){.backend = backend, .no_optimize = no_optimize};
	if (!r->losses[0])
		t.options.loss = r->loss ? r->loss : nacre_mean_squared_error;
	t.options.loss_options = r->loss_options;
	for (int i = 0; i < 2; i++) {
		t.options.losses[i] = r->losses[i];
		t.options.loss_weights[i] = r->loss_weights[i];
	}
	while (r->metrics[t.metrics]) {
		t.options.metrics[t.metrics] = r->metrics[t.metrics];
		t.metrics++;
	}
	start_again(&t, plain());
	CHECK_EQ(weights_of(t.m), stored_with(&t, "w/"));
	check_forward(&t);
	CHECK_EQ(stored_with(&t, "w10/"), r->no_training ? 0 : stored_with(&t, "w/"));
	if (!r->no_training)
		check_training(&t);
	if (nacre_model_error(t.m)->status)
		test_failed(__FILE__, __LINE__, "%s (%s): %s", r->name, t.variant,
			    nacre_model_error(t.m)->text);
	nacre_model_free(t.m);
	nacre_dataset_free(t.all);
	nacre_dataset_free(t.first);
	nacre_safetensors_free(t.file);
}

TEST(every_file_has_a_row)
{
	DIR *folder = opendir(FOLDER);
	int files = 0;
	CHECK(folder);
	for (struct dirent *d; folder && (d = readdir(folder));) {
		const char *end = strstr(d->d_name, ".safetensors");
		if (!end)
			continue;
		size_t length = (size_t)(end - d->d_name);
		int found = 0;
		for (int i = 0; i < ROWS; i++)
			found += strlen(rows[i].name) == length &&
				 !memcmp(rows[i].name, d->d_name, length);
		if (found != 1)
			test_failed(__FILE__, __LINE__, "%s has %d rows", d->d_name, found);
		files++;
	}
	if (folder)
		closedir(folder);
	CHECK_EQ(files, ROWS);
}

static void run_all(const char *variant, const char *backend, int no_optimize)
{
	for (int i = 0; i < ROWS; i++)
		run(&rows[i], variant, backend, no_optimize);
}

TEST(cpu) { run_all("cpu", NULL, 0); }

TEST(cpu_not_optimized) { run_all("not optimized", NULL, 1); }

TEST(reference) { run_all("reference", "reference", 0); }

/* Each set of kernels that this CPU can run, on three threads. */
TEST(every_isa)
{
	static const char *const isas[] = {"v2", "v3", "v4", "v4_bf16", "neon"};
	int ran = 0;
	for (size_t i = 0; i < sizeof isas / sizeof isas[0]; i++) {
		nacre_runtime_options options = {.threads = 3, .isa = isas[i]};
		runtime = nacre_runtime_new(&options, NULL);
		if (!runtime)
			continue;
		run_all(isas[i], NULL, 0);
		nacre_runtime_free(runtime);
		runtime = NULL;
		ran++;
	}
	CHECK(ran > 0);
}
