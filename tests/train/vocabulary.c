/* SPDX-License-Identifier: MIT
 *
 * vocabulary.c - every activation, loss and metric against the numbers of Keras that
 * tests/fixtures/make_vocabulary.py wrote down: values, gradients, weighted and reduced.
 *
 * A row here builds the case of its name; a case without a row fails, as does a row of the
 * library's tables without a case.  Both sides compute in f32: compared is with the largest of a
 * tensor.
 */
#include <nacre.h>

#include "nn/activation.h"
#include "nn/metric.h"
#include "test.h"

#define FOLDER NACRE_SOURCE_DIR "/tests/fixtures/vocabulary/"
enum { BATCH = 7 };

/* -- reading and running ----------------------------------------------------------------------- */
static nacre_safetensors *file;

static nacre_tensor *find(const char *name, const char *what)
{
	char path[256];
	nacre_error e = {0};
	snprintf(path, sizeof path, "%s/%s", name, what);
	nacre_tensor *t = nacre_safetensors_tensor(file, *name ? path : what, &e);
	CHECK_STR(e.text, "");
	return t;
}

static void open_file(const char *name)
{
	char path[512];
	nacre_error e = {0};
	snprintf(path, sizeof path, FOLDER "%s.safetensors", name);
	file = nacre_safetensors_open(NULL, path, &e);
	CHECK_STR(e.text, "");
}

/* samples begin .. end-1 as a constant */
static nacre_node *part(nacre_graph *g, const nacre_tensor *t, int64_t begin, int64_t end)
{
	nacre_error e = {0};
	nacre_tensor *s = t ? nacre_tensor_slice(t, 0, begin, end, 1, &e) : NULL;
	nacre_tensor *c = s ? nacre_tensor_convert(s, nacre_tensor_dtype(s), &e) : NULL;
	nacre_node *n = c ? nacre_constant(g, nacre_tensor_dtype(c), nacre_tensor_rank(c),
					   nacre_tensor_shape(c), nacre_tensor_data(c))
			  : NULL;
	CHECK_STR(e.text, "");
	nacre_tensor_free(s);
	nacre_tensor_free(c);
	return n;
}

static nacre_node *whole(nacre_graph *g, const nacre_tensor *t)
{
	return t ? part(g, t, 0, nacre_tensor_shape(t)[0]) : NULL;
}

static nacre_tensor *run(const char *name, nacre_graph *g, nacre_node *y)
{
	nacre_error e = *nacre_graph_error(g);
	nacre_tensor *t = NULL;
	if (!e.status && y)
		t = nacre_tensor_new(NULL, nacre_node_dtype(y), nacre_node_rank(y),
				     nacre_node_shape(y), &e);
	nacre_program *p = t ? nacre_program_new(NULL, 0, NULL, 1, &y, NULL, &e) : NULL;
	if (p)
		nacre_program_run(p, NULL, &t, &e);
	nacre_program_free(p);
	if (e.status || !y)
		test_failed(__FILE__, __LINE__, "%s: %s", name, e.text);
	return t;
}

static void compare(const char *name, const char *what, const nacre_tensor *got,
		    const nacre_tensor *want, double tolerance)
{
	int64_t n = want ? nacre_tensor_size(want) : 0;
	if (!got || !want || nacre_tensor_size(got) != n) {
		test_failed(__FILE__, __LINE__, "%s/%s: expected %lld numbers, got %lld", name,
			    what, (long long)n, got ? (long long)nacre_tensor_size(got) : -1);
		return;
	}
	double most = 0;
	for (int64_t i = 0; i < n; i++)
		most = fmax(most, fabs(nacre_tensor_get(want, i)));
	for (int64_t i = 0; i < n; i++) {
		double a = nacre_tensor_get(got, i), b = nacre_tensor_get(want, i);
		if (!(fabs(a - b) <= tolerance * most)) {
			test_failed(__FILE__, __LINE__, "%s/%s[%lld]: expected %.9g, got %.9g",
				    name, what, (long long)i, b, a);
			return;
		}
	}
}

static void check(const char *name, const char *what, nacre_graph *g, nacre_node *y,
		  double tolerance)
{
	nacre_tensor *got = run(name, g, y), *want = find(name, what);
	compare(name, what, got, want, tolerance);
	nacre_tensor_free(got);
	nacre_tensor_free(want);
}

/* Every "NAME/what" of the file must be one of the cases. */
static void every_case(const char *what, bool (*known)(const char *name))
{
	for (int64_t i = 0; file && i < nacre_safetensors_count(file); i++) {
		char name[128];
		snprintf(name, sizeof name, "%s", nacre_safetensors_name(file, i));
		char *slash = strrchr(name, '/');
		if (!slash || strcmp(slash + 1, what) != 0)
			continue;
		*slash = 0;
		if (!known(name))
			test_failed(__FILE__, __LINE__, "%s has no row here", name);
	}
}

/* -- activations ------------------------------------------------------------------------------- */
static nacre_node *slope(nacre_node *x)
{
	return nacre_leaky_relu_slope(x, 0.3);
}
static nacre_node *elu(nacre_node *x)
{
	return nacre_elu_alpha(x, 0.7);
}
static nacre_node *celu(nacre_node *x)
{
	return nacre_celu_alpha(x, 0.7);
}
static nacre_node *squareplus(nacre_node *x)
{
	return nacre_squareplus_b(x, 2);
}
static nacre_node *threshold(nacre_node *x)
{
	return nacre_threshold_at(x, 0.4, -1.5);
}
static nacre_node *hard_shrink(nacre_node *x)
{
	return nacre_hard_shrink_at(x, 1.1);
}
static nacre_node *soft_shrink(nacre_node *x)
{
	return nacre_soft_shrink_at(x, 1.1);
}
static nacre_node *relu(nacre_node *x)
{
	return nacre_relu_with(x, 0.2, 2.5, 0.6);
}

static const struct {
	const char *name;
	nacre_activation_function *function;
} with_options[] = {
    {"gelu_tanh", nacre_gelu_tanh},
    {"leaky_relu_slope", slope},
    {"elu_alpha", elu},
    {"celu_alpha", celu},
    {"squareplus_b", squareplus},
    {"threshold_at", threshold},
    {"hard_shrink_at", hard_shrink},
    {"soft_shrink_at", soft_shrink},
    {"relu_with", relu},
};

static nacre_activation_function *activation(const char *name)
{
	for (size_t i = 0; i < sizeof with_options / sizeof *with_options; i++)
		if (strcmp(with_options[i].name, name) == 0)
			return with_options[i].function;
	return nacre_activation_named(name);
}

static bool known_activation(const char *name)
{
	return activation(name) != NULL;
}

static void check_activation(const char *name)
{
	nacre_graph *graph = nacre_graph_new(NULL);
	nacre_tensor *xs = find("", "x"), *gs = find("", "g");
	nacre_node *x = whole(graph, xs), *g = whole(graph, gs), *dx = NULL;
	nacre_activation_function *f = activation(name);
	nacre_node *y = f ? f(x) : NULL;
	if (y && nacre_node_shape(y)[1] < 6) /* glu */
		g = nacre_slice_axis(g, 1, 0, nacre_node_shape(y)[1]);
	check(name, "y", graph, y, 1e-6);
	nacre_grad(nacre_times(y, g), 1, &x, &dx);
	check(name, "dx", graph, dx, 4e-6);
	nacre_tensor_free(xs);
	nacre_tensor_free(gs);
	nacre_graph_free(graph);
}

TEST(activations)
{
	open_file("activations");
	for (int i = 0; nc_activation_at(i); i++)
		check_activation(
		    nacre_activation_name(nacre_activation_named(nc_activation_at(i))));
	for (size_t i = 0; i < sizeof with_options / sizeof *with_options; i++)
		check_activation(with_options[i].name);
	every_case("y", known_activation);
	nacre_safetensors_free(file);
}

TEST(activations_refuse)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *x = nacre_fill(g, NACRE_F32, 2, (int64_t[]){2, 3}, 1);
	CHECK(!nacre_glu(x));
	CHECK_STR(nacre_graph_error(g)->text, "glu: expected a last axis of even size, got 3");
	nacre_graph_free(g);
	for (int i = 0; nc_activation_at(i); i++)
		CHECK(!nacre_activation_named(nc_activation_at(i))(NULL));
}

/* -- losses and metrics ------------------------------------------------------------------------ */
typedef struct row {
	const char *name; /* of the function, and of the case with what stands behind it */
	const char *more;
	nacre_loss_options o;
} row;

static const row losses[] = {
    {"mean_squared_error", "", {0}},
    {"mean_squared_error", "_rank3", {0}},
    {"mean_absolute_error", "", {0}},
    {"mean_absolute_percentage_error", "", {0}},
    {"mean_squared_logarithmic_error", "", {0}},
    {"huber", "", {.delta = 0.7}},
    {"log_cosh", "", {0}},
    {"binary_crossentropy", "", {0}},
    {"binary_crossentropy", "_options", {.from_logits = 1, .label_smoothing = 0.2}},
    {"categorical_crossentropy", "", {0}},
    {"categorical_crossentropy", "_options", {.from_logits = 1, .label_smoothing = 0.2}},
    {"sparse_categorical_crossentropy", "", {0}},
    {"sparse_categorical_crossentropy", "_ignore", {.ignore_class = NACRE_CLASS(1)}},
    {"sparse_categorical_crossentropy",
     "_ignore_rank3",
     {.ignore_class = NACRE_CLASS(0), .from_logits = 1}},
    {"binary_focal_crossentropy", "", {0}},
    {"binary_focal_crossentropy",
     "_options",
     {.balance = 1, .alpha = 0.3, .gamma = 1.5, .from_logits = 1, .label_smoothing = 0.1}},
    {"categorical_focal_crossentropy", "", {0}},
    {"categorical_focal_crossentropy",
     "_options",
     {.alpha = 0.4, .gamma = 3, .from_logits = 1, .label_smoothing = 0.1}},
    {"categorical_generalized_cross_entropy", "", {.q = 0.6}},
    {"kl_divergence", "", {0}},
    {"poisson", "", {0}},
    {"cosine_similarity", "", {0}},
    {"cosine_similarity", "_axis", {.axis = 1}},
    {"hinge", "", {0}},
    {"hinge", "_binary", {0}},
    {"squared_hinge", "", {0}},
    {"categorical_hinge", "", {0}},
    {"dice", "", {0}},
    {"dice", "_axes", {.axes = NACRE_AXIS(1) | NACRE_AXIS(2)}},
    {"tversky", "", {.alpha = 0.3, .beta = 0.7}},
    {"tversky", "_axes", {.alpha = 0.3, .beta = 0.7, .axes = NACRE_AXIS(1) | NACRE_AXIS(2)}},
    {"circle", "", {0}},
    {"circle", "_options", {.gamma = 5, .margin = 0.3, .keep_self = 1}},
    {"ctc", "", {0}},
};

static const row metrics[] = {
    {"mean_squared_error", "", {0}},
    {"root_mean_squared_error", "", {0}},
    {"mean_absolute_error", "", {0}},
    {"mean_absolute_percentage_error", "", {0}},
    {"mean_squared_logarithmic_error", "", {0}},
    {"cosine_similarity", "", {0}},
    {"logcosh", "", {0}},
    {"r2_score", "", {0}},
    {"r2_score", "_weighted", {.average = NACRE_AVERAGE_WEIGHTED}},
    {"r2_score", "_adjusted", {.regressors = 2}},
    {"auc", "", {0}},
    {"auc", "_coarse", {.thresholds = 11}},
    {"auc", "_pr", {.curve = NACRE_PR}},
    {"auc", "_pr_coarse", {.curve = NACRE_PR, .thresholds = 6}},
    {"auc", "_pr_minoring", {.curve = NACRE_PR, .summation = NACRE_MINORING}},
    {"auc", "_majoring", {.summation = NACRE_MAJORING}},
    {"auc", "_logits", {.from_logits = 1}},
    {"true_positives", "", {0}},
    {"false_positives", "", {.threshold = 0.3}},
    {"true_negatives", "", {0}},
    {"false_negatives", "", {0}},
    {"precision", "", {0}},
    {"precision", "_threshold", {.threshold = 0.7}},
    {"precision", "_top_k", {.k = 2}},
    {"precision", "_class", {.class_id = NACRE_CLASS(1)}},
    {"recall", "", {0}},
    {"recall", "_top_k_class", {.k = 2, .class_id = NACRE_CLASS(2)}},
    {"sensitivity_at_specificity", "", {.at = 0.6}},
    {"specificity_at_sensitivity", "", {.at = 0.7, .thresholds = 11}},
    {"precision_at_recall", "", {.at = 0.4}},
    {"recall_at_precision", "", {.at = 0.55}},
    {"pearson_correlation", "", {0}},
    {"concordance_correlation", "", {0}},
    {"hinge", "", {0}},
    {"squared_hinge", "", {0}},
    {"categorical_hinge", "", {0}},
    {"kl_divergence", "", {0}},
    {"poisson", "", {0}},
    {"binary_crossentropy", "", {0}},
    {"categorical_crossentropy", "", {0}},
    {"sparse_categorical_crossentropy", "", {0}},
    {"exact_accuracy", "", {0}},
    {"binary_accuracy", "", {.threshold = 0.4}},
    {"categorical_accuracy", "", {0}},
    {"sparse_categorical_accuracy", "", {0}},
    {"top_k_categorical_accuracy", "", {.k = 2}},
    {"sparse_top_k_categorical_accuracy", "", {0}},
    {"f1_score", "", {0}},
    {"f1_score", "_micro", {.average = NACRE_AVERAGE_MICRO, .threshold = 0.6}},
    {"fbeta_score", "", {.average = NACRE_AVERAGE_WEIGHTED, .beta = 0.5}},
    {"iou", "", {.classes = 4, .target_classes = 1 << 0 | 1 << 2}},
    {"mean_iou", "", {.classes = 4}},
    {"mean_iou", "_scores", {.ignore_class = NACRE_CLASS(1)}},
    {"binary_iou", "", {.threshold = 0.4}},
    {"one_hot_iou", "", {.target_classes = 1 << 1 | 1 << 3}},
    {"one_hot_mean_iou", "", {0}},
    {"mean", "", {0}},
    {"sum", "", {0}},
};

static bool in(const char *name, const row *r, size_t n)
{
	char all[128];
	for (size_t i = 0; i < n; i++) {
		snprintf(all, sizeof all, "%s%s", r[i].name, r[i].more);
		if (strcmp(all, name) == 0)
			return true;
	}
	return false;
}

static bool known_loss(const char *name)
{
	return in(name, losses, sizeof losses / sizeof *losses);
}

static bool known_metric(const char *name)
{
	return in(name, metrics, sizeof metrics / sizeof *metrics);
}

static double number(nacre_graph *g, const char *name, nacre_node *y)
{
	nacre_tensor *t = run(name, g, y);
	double v = t && nacre_tensor_size(t) == 1 ? nacre_tensor_get(t, 0) : NAN;
	nacre_tensor_free(t);
	return v;
}

static void check_loss(const row *r)
{
	char name[128];
	snprintf(name, sizeof name, "%s%s", r->name, r->more);
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_tensor *ts = find(name, "t"), *ps = find(name, "p"), *ws = find(name, "w");
	nacre_tensor *reduced = find(name, "reduced");
	nacre_node *t = whole(g, ts), *p = whole(g, ps), *w = whole(g, ws), *dp = NULL;
	nacre_loss_function *f = nacre_loss_named(r->name);
	if (f && reduced) {
		check(name, "y", g, f(t, p, &r->o), 2e-6);
		nacre_grad(nc_loss_batch(f, t, p, NULL, NULL, &r->o), 1, &p, &dp);
		check(name, "dp", g, dp, 1e-5);
		nacre_loss_options o[4] = {r->o, r->o, r->o, r->o};
		o[2].reduction = NACRE_REDUCE_SUM;
		o[3].reduction = NACRE_REDUCE_WEIGHTED_MEAN;
		bool single = nacre_tensor_get(reduced, 2) == 0;
		for (int i = 0; i < (single ? 1 : 4); i++) {
			double want = nacre_tensor_get(reduced, i);
			nacre_node *y = nc_loss_batch(f, t, p, i ? w : NULL, NULL, &o[i]);
			CHECK_NEAR(number(g, name, y), want, 4e-6 * fabs(want));
		}
	} else
		test_failed(__FILE__, __LINE__, "there is no loss %s", r->name);
	nacre_tensor_free(ts);
	nacre_tensor_free(ps);
	nacre_tensor_free(ws);
	nacre_tensor_free(reduced);
	nacre_graph_free(g);
}

TEST(losses_of_keras)
{
	open_file("losses");
	for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
		check_loss(&losses[i]);
	every_case("y", known_loss);
	nacre_safetensors_free(file);
}

/* Adds what samples begin .. end-1 give to the sums; returns how many numbers that are. */
static int64_t add_batch(const row *r, const char *name, bool weighted, int64_t begin, int64_t end,
			 double *sum)
{
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_tensor *t = find(name, "t"), *p = find(name, "p"), *w = find(name, "w");
	nacre_loss_options o = r->o;
	o.weighted = weighted;
	nacre_loss_function *f = nacre_loss_named(r->name);
	nacre_node *y = nc_metric_batch(f, part(g, t, begin, end), part(g, p, begin, end),
					part(g, w, begin, end), NULL, &o);
	nacre_tensor *got = run(name, g, y);
	int64_t k = got ? nacre_tensor_size(got) : 0;
	bool mean = nc_metric_is_mean(f, &o) && k == 1;
	for (int64_t i = 0; i < k && i < 1000; i++)
		sum[i] += nacre_tensor_get(got, i) * (mean ? (double)(end - begin) : 1);
	nacre_tensor_free(got);
	nacre_tensor_free(t);
	nacre_tensor_free(p);
	nacre_tensor_free(w);
	nacre_graph_free(g);
	return k;
}

static void check_metric(const row *r)
{
	char name[128];
	snprintf(name, sizeof name, "%s%s", r->name, r->more);
	nacre_tensor *want = find(name, "result");
	for (int weighted = 0; weighted < 2 && want; weighted++) {
		double sum[1000] = {0};
		add_batch(r, name, weighted, 0, BATCH, sum);
		int64_t k = add_batch(r, name, weighted, BATCH, 12, sum);
		double v = nc_metric_finish(nacre_loss_named(r->name), sum, k, 12, &r->o);
		double w = nacre_tensor_get(want, weighted);
		if (!(fabs(v - w) <= 2e-6 * fmax(1, fabs(w))))
			test_failed(__FILE__, __LINE__, "%s%s: expected %.9g, got %.9g", name,
				    weighted ? ", weighted" : "", w, v);
	}
	nacre_tensor_free(want);
}

TEST(metrics_of_keras)
{
	open_file("metrics");
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
		check_metric(&metrics[i]);
	every_case("result", known_metric);
	nacre_safetensors_free(file);
}

/* accuracy chooses one of the three; mse and mae are their long names */
TEST(every_row_has_a_case)
{
	for (int i = 0; nc_loss_at(i); i++) {
		const nc_loss *l = nc_loss_at(i);
		bool same = l->function == nacre_accuracy || l->function == nacre_mse ||
			    l->function == nacre_mae;
		const char *name = nacre_loss_name(l->function);
		if (!same && !known_loss(name) && !known_metric(name))
			test_failed(__FILE__, __LINE__, "%s is not compared with Keras", l->name);
		CHECK(nacre_loss_named(l->name) == l->function);
		CHECK(!l->function(NULL, NULL, NULL));
	}
}
