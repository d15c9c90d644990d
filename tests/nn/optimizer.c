/* SPDX-License-Identifier: MIT
 *
 * optimizer.c - three steps of each optimizer against the formulas in double; defaults, clipping,
 * values that cannot be.
 */
#include "nn/optimizer.h"

#include "run.h"

enum { N = 5, STEPS = 3 };
static const float start[N] = {1, -2, 0.5f, 0, 3};
static const float gradients[STEPS][N] = {
	{0.1f, -0.2f, 3, 0, 1e-4f}, {0.3f, 0.1f, -1, 2, 1e-4f}, {-1, 0.5f, 0.25f, 0, 1e-4f}};

/* w after three steps, by graph and program */
static void run_steps(const nacre_optimizer *o, double *out)
{
	nacre_error e = {0};
	int64_t n = N, two = 2;
	nacre_tensor *t = nacre_tensor_new(NULL, NACRE_F32, 1, &n, &e);
	memcpy(nacre_tensor_data(t), start, sizeof start);
	nacre_variable *v[3] = {nacre_variable_new(NULL, "w", NACRE_F32, 1, &n, t, &e)};
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *w = nacre_use(g, v[0]), *slot[2] = {NULL};
	for (int s = 0; s < o->kind->slots(o); s++) {
		v[s + 1] = nacre_variable_new(NULL, "slot", NACRE_F32, 1, &n, NULL, &e);
		slot[s] = nacre_use(g, v[s + 1]);
	}
	nacre_node *in[] = {nacre_placeholder(g, "g", NACRE_F32, 1, &n),
			    nacre_placeholder(g, "rate", NACRE_F32, 1, &two)};
	nacre_node *dw = in[0];
	nc_optimizer_clip(o, 1, &dw);
	nacre_node *y = o->kind->update(o, w, slot, dw, in[1]);
	nacre_program *p = nacre_program_new(NULL, 2, in, 1, &y, NULL, &e);
	nacre_tensor *r = nacre_tensor_new(NULL, NACRE_F32, 1, &two, &e);
	for (int s = 0; s < STEPS && p; s++) {
		double rate[2];
		o->kind->rates(o, o->learning_rate, s + 1, rate);
		memcpy(nacre_tensor_data(t), gradients[s], sizeof gradients[s]);
		nacre_tensor_set(r, 0, rate[0]);
		nacre_tensor_set(r, 1, rate[1]);
		nacre_program_run(p, (nacre_tensor *[]){t, r}, NULL, &e);
	}
	CHECK_STR(e.text, "");
	nacre_program_free(p);
	nacre_tensor *result = nacre_variable_read(v[0], &e);
	for (int i = 0; i < N && result; i++)
		out[i] = nacre_tensor_get(result, i);
	nacre_tensor_free(result);
	nacre_tensor_free(r);
	nacre_tensor_free(t);
	nacre_graph_free(g);
	for (int i = 0; i < 3; i++)
		nacre_variable_free(v[i]);
}

typedef void rule(const nacre_optimizer *o, double *w, double *m, double *v, double g, int t);

static void check_rule(nacre_optimizer o, rule *f)
{
	double got[N] = {0};
	run_steps(&o, got);
	for (int i = 0; i < N; i++) {
		double w = start[i], m = 0, v = 0;
		for (int s = 0; s < STEPS; s++) {
			w -= w * o.weight_decay * o.learning_rate;
			f(&o, &w, &m, &v, (double)gradients[s][i], s + 1);
		}
		CHECK_NEAR(got[i], w, 2e-6 * fmax(1, fabs(w)));
	}
}

static void sgd(const nacre_optimizer *o, double *w, double *m, double *v, double g, int t)
{
	(void)v, (void)t;
	*m = o->momentum * *m - o->learning_rate * g;
	if (o->momentum == 0)
		*w -= o->learning_rate * g;
	else
		*w += o->nesterov ? o->momentum * *m - o->learning_rate * g : *m;
}

static void rmsprop(const nacre_optimizer *o, double *w, double *m, double *v, double g, int t)
{
	(void)m, (void)t;
	*v = o->rho * *v + (1 - o->rho) * g * g;
	*w -= o->learning_rate * g / sqrt(*v + o->epsilon);
}

static void adam(const nacre_optimizer *o, double *w, double *m, double *v, double g, int t)
{
	double a = o->learning_rate * sqrt(1 - pow(o->beta_2, t)) / (1 - pow(o->beta_1, t));
	*m += (g - *m) * (1 - o->beta_1);
	*v += (g * g - *v) * (1 - o->beta_2);
	*w -= *m * a / (sqrt(*v) + o->epsilon);
}

TEST(steps)
{
	check_rule(nacre_sgd(), sgd);
	check_rule(nacre_sgd(.learning_rate = 0.3, .weight_decay = 0.1), sgd);
	check_rule(nacre_sgd(0.1, .momentum = 0.9), sgd);
	check_rule(nacre_sgd(0.1, .momentum = 0.9, .nesterov = 1), sgd);
	check_rule(nacre_rmsprop(), rmsprop);
	check_rule(nacre_rmsprop(0.01, .rho = 0.5, .weight_decay = 0.02), rmsprop);
	check_rule(nacre_adam(), adam);
	check_rule(nacre_adam(.learning_rate = 0.1, .beta_1 = 0.5, .epsilon = 0.1), adam);
	check_rule(nacre_adamw(), adam);
	check_rule(nacre_adamw(0.1, .weight_decay = 0.5), adam);
}

TEST(defaults)
{
	nacre_optimizer o = nacre_sgd();
	CHECK(o.learning_rate == 0.01 && o.momentum == 0 && !o.nesterov && o.weight_decay == 0);
	o = nacre_rmsprop();
	CHECK(o.learning_rate == 0.001 && o.rho == 0.9 && o.epsilon == 1e-7);
	o = nacre_adam();
	CHECK(o.learning_rate == 0.001 && o.beta_1 == 0.9 && o.beta_2 == 0.999);
	CHECK(o.epsilon == 1e-7 && o.weight_decay == 0);
	o = nacre_adamw();
	CHECK(o.weight_decay == 0.004 && o.learning_rate == 0.001);
	o = (nacre_optimizer){0};
	nacre_error e = {0};
	CHECK_EQ(nc_optimizer_check(&o, &e), NACRE_OK);
	CHECK_STR(nacre_optimizer_name(&o), "rmsprop");
	CHECK(o.learning_rate == 0.001);
}

TEST(zero_that_is_meant)
{
	nacre_optimizer o = nacre_adam(.beta_1 = NACRE_ZERO, .epsilon = NACRE_ZERO);
	CHECK((float)o.beta_1 == 0 && (float)o.epsilon == 0);
	double rate[2];
	o.kind->rates(&o, 1, 1, rate);
	CHECK_NEAR(rate[0], sqrt(1 - 0.999), 1e-9);
	o = nacre_sgd(.learning_rate = NACRE_ZERO);
	CHECK((float)o.learning_rate == 0);
}

TEST(late_steps)
{
	nacre_optimizer o = nacre_adam();
	double rate[2];
	o.kind->rates(&o, 0.001, 1000000000, rate);
	CHECK_NEAR(rate[0], 0.001, 1e-12);
	o.kind->rates(&o, 0.001, 100, rate);
	CHECK_NEAR(rate[0], 0.001 * sqrt(1 - pow(0.999, 100)) / (1 - pow(0.9, 100)), 1e-12);
}

static void check_clip(nacre_optimizer o, const double *want)
{
	float g0[] = {3, -4}, g1[] = {12, 0};
	nacre_graph *g = nacre_graph_new(NULL);
	nacre_node *d[] = {f32(g, 0, 2, g0), f32(g, 0, 2, g1)};
	nc_optimizer_clip(&o, 2, d);
	check_node(__FILE__, __LINE__, nacre_concat(2, d, 0), 4, want, 1e-6);
	nacre_graph_free(g);
}

TEST(clipping)
{
	check_clip(nacre_sgd(), (double[]){3, -4, 12, 0});
	check_clip(nacre_sgd(.clipvalue = 3.5), (double[]){3, -3.5, 3.5, 0});
	check_clip(nacre_sgd(.clipnorm = 6), (double[]){3, -4, 6, 0});
	check_clip(nacre_sgd(.clipnorm = 2.5), (double[]){1.5, -2, 2.5, 0});
	check_clip(nacre_sgd(.global_clipnorm = 6.5), (double[]){1.5, -2, 6, 0});
	check_clip(nacre_sgd(.global_clipnorm = 13.5), (double[]){3, -4, 12, 0});
}

TEST(refusals)
{
	const struct {
		nacre_optimizer o;
		const char *text;
	} all[] = {
		{nacre_sgd(-1), "sgd: learning_rate: expected 0 to 1e+30, got -1"},
		{nacre_sgd(NAN), "sgd: learning_rate: expected 0 to 1e+30, got nan"},
		{nacre_sgd(.momentum = 1.5), "sgd: momentum: expected 0 to 1, got 1.5"},
		{nacre_rmsprop(.rho = -0.1), "rmsprop: rho: expected 0 to 1, got -0.1"},
		{nacre_adam(.beta_1 = 1), "adam: beta_1: expected 0 to 1, got 1"},
		{nacre_adamw(.beta_2 = 2), "adamw: beta_2: expected 0 to 1, got 2"},
		{nacre_adam(.epsilon = -1), "adam: epsilon: expected 0 to 1e+30, got -1"},
		{nacre_adam(.clipnorm = 1, .clipvalue = 1),
	     "adam: expected only one of clipnorm, clipvalue and global_clipnorm"},
	};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		nacre_optimizer o = all[i].o;
		nacre_error e = {0};
		CHECK_EQ(nc_optimizer_check(&o, &e), NACRE_INVALID);
		CHECK_STR(e.text, all[i].text);
	}
}

TEST(names)
{
	static const char *const all[] = {"sgd", "rmsprop", "adam", "adamw"};
	for (int i = 0; i < 4; i++) {
		nacre_optimizer o = nacre_optimizer_named(all[i]);
		CHECK_STR(nacre_optimizer_name(&o), all[i]);
	}
	CHECK(!nacre_optimizer_named("adamm").kind);
	CHECK(nacre_optimizer_named("adamw").weight_decay == 0.004);
}
