/* SPDX-License-Identifier: MIT
 *
 * update.c - effects: ops that change variables when a program runs.
 *
 * The result of an effect is no value: it has the shape [0] and may not be an input.
 */
#include <math.h>
#include <string.h>

#include "nacre/op.h"
#include "op/table.h"

static bool targets_fit(nacre_node *y)
{
	for (int i = 0; i < y->op->targets; i++) {
		if (y->in[i]->op != &nc_op_variable)
			return nc_node_fail(y, "a variable expected as input %d, got a %s", i,
					    y->in[i]->op->name);
		for (int k = 0; k < i; k++)
			if (y->in[k] == y->in[i])
				return nc_node_fail(y, "inputs %d and %d are the same variable", k,
						    i);
	}
	y->dtype = y->in[0]->dtype;
	y->rank = 1;
	y->shape[0] = 0;
	return true;
}

static bool like_target(nacre_node *y, int i)
{
	char s[128], t[128];
	if (!nc_expect_same(y, 0, i))
		return false;
	return nc_same_shape(y->in[0], y->in[i]) ||
	       nc_node_fail(y, "shape %s expected, got %s",
			    nc_shape_text(s, y->in[0]->rank, y->in[0]->shape),
			    nc_shape_text(t, y->in[i]->rank, y->in[i]->shape));
}

static bool infer_assign(nacre_node *y)
{
	return targets_fit(y) && like_target(y, 1);
}

const nc_op nc_op_assign = {
	.name = "assign",
	.index = NC_OP_assign,
	.min_in = 2,
	.max_in = 2,
	.flags = NC_OP_EFFECT | NC_OP_NO_GRADIENT,
	.element = -1,
	.targets = 1,
	.infer = infer_assign,
	.keras = "Variable.assign",
};

nacre_node *nacre_assign(nacre_node *variable, nacre_node *value)
{
	nacre_node *in[2] = {variable, value};
	return nc_node_new(nc_graph_of(2, in), &nc_op_assign, 2, in, NULL);
}

/* w [, m] [, v], g, rate */
static bool infer_update(nacre_node *y)
{
	const nc_attr_update *a = y->attr;
	const nacre_node *rate = y->in[y->n_in - 1];
	char text[128];
	if (!targets_fit(y) || !nc_expect_float(y, 0))
		return false;
	for (int i = 1; i + 1 < y->n_in; i++)
		if (!like_target(y, i))
			return false;
	bool by_rule = nc_is_rule(y->op->index);
	int rates = by_rule ? 4 : 2;
	if (by_rule && (a->rule < NACRE_UPDATE_ADAGRAD || a->rule > NACRE_UPDATE_SCHEDULE_FREE ||
			(a->rule >= NACRE_UPDATE_ADADELTA) != (y->op->targets == 3)))
		return nc_node_fail(y, "rule %d does not have %d slots", a->rule,
				    y->op->targets - 1);
	if (rate->dtype != NACRE_F32 || rate->rank != 1 || rate->shape[0] != rates)
		return nc_node_fail(y, "a rate of f32 [%d] expected, got %s %s", rates,
				    nacre_dtype_name(rate->dtype),
				    nc_shape_text(text, rate->rank, rate->shape));
	return (isfinite(a->a) && isfinite(a->b) && isfinite(a->c) && isfinite(a->decay)) ||
	       nc_node_fail(y, "an option is not a finite number");
}

static double flops_update(const nacre_node *y)
{
	return 4.0 * y->op->targets * (double)nc_node_size(y->in[0]);
}

#define ROW(id, changed, keras_name, ...)                                                          \
	static const nc_field fields_##id[] = {                                                    \
		__VA_ARGS__, {"decay", NC_FIELD_F64, offsetof(nc_attr_update, decay)}, {0}};       \
	const nc_op nc_op_##id = {                                                                 \
		.name = #id,                                                                       \
		.index = NC_OP_##id,                                                               \
		.min_in = changed + 2,                                                             \
		.max_in = changed + 2,                                                             \
		.flags = NC_OP_EFFECT | NC_OP_NO_GRADIENT,                                         \
		.element = -1,                                                                     \
		.targets = changed,                                                                \
		.attr_size = sizeof(nc_attr_update),                                               \
		.fields = fields_##id,                                                             \
		.infer = infer_update,                                                             \
		.flops = flops_update,                                                             \
		.keras = keras_name,                                                               \
	};
#define OPTION(text, member)                                                                       \
	{                                                                                          \
		text, NC_FIELD_F64, offsetof(nc_attr_update, member)                               \
	}
ROW(update_sgd, 1, "SGD", {"a", NC_FIELD_HIDDEN, 0})
ROW(update_momentum, 2, "SGD", OPTION("momentum", a), OPTION("nesterov", b))
ROW(update_rmsprop, 2, "RMSprop", OPTION("rho", a), OPTION("epsilon", c))
ROW(update_adam, 3, "Adam", OPTION("beta1", a), OPTION("beta2", b), OPTION("epsilon", c))

#define BY_RULE                                                                                    \
	OPTION("a", a), OPTION("b", b), OPTION("c", c),                                            \
	{                                                                                          \
		"rule", NC_FIELD_INT, offsetof(nc_attr_update, rule)                               \
	}
ROW(update_one, 2, "Optimizer.update_step", BY_RULE)
ROW(update_two, 3, "Optimizer.update_step", BY_RULE)

static nacre_node *make(const nc_op *op, nacre_node *const *in, double a, double b, double c,
			double decay)
{
	nc_attr_update u = {a, b, c, decay, 0};
	return nc_node_new(nc_graph_of(op->min_in, in), op, op->min_in, in, &u);
}

nacre_node *nacre_update_sgd(nacre_node *w, nacre_node *g, nacre_node *rate, double decay)
{
	return make(&nc_op_update_sgd, (nacre_node *[]){w, g, rate}, 0, 0, 0, decay);
}

nacre_node *nacre_update_momentum(nacre_node *w, nacre_node *m, nacre_node *g, nacre_node *rate,
				  double momentum, bool nesterov, double decay)
{
	return make(&nc_op_update_momentum, (nacre_node *[]){w, m, g, rate}, momentum, nesterov, 0,
		    decay);
}

nacre_node *nacre_update_rmsprop(nacre_node *w, nacre_node *v, nacre_node *g, nacre_node *rate,
				 double rho, double epsilon, double decay)
{
	return make(&nc_op_update_rmsprop, (nacre_node *[]){w, v, g, rate}, rho, 0, epsilon, decay);
}

nacre_node *nacre_update_adam(nacre_node *w, nacre_node *m, nacre_node *v, nacre_node *g,
			      nacre_node *rate, double beta1, double beta2, double epsilon,
			      double decay)
{
	return make(&nc_op_update_adam, (nacre_node *[]){w, m, v, g, rate}, beta1, beta2, epsilon,
		    decay);
}

nacre_node *nacre_update(nacre_update_rule rule, nacre_node *w, nacre_node *m, nacre_node *v,
			 nacre_node *g, nacre_node *rate, const double abc[3], double decay)
{
	bool two = rule >= NACRE_UPDATE_ADADELTA;
	const nc_op *op = two ? &nc_op_update_two : &nc_op_update_one;
	nacre_node *in[5] = {w, m, two ? v : g, two ? g : rate, rate};
	nc_attr_update u = {abc ? abc[0] : 0, abc ? abc[1] : 0, abc ? abc[2] : 0, decay, (int)rule};
	return nc_node_new(nc_graph_of(op->min_in, in), op, op->min_in, in, &u);
}
