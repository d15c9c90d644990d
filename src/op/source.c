/* SPDX-License-Identifier: MIT
 *
 * source.c - values from nowhere: placeholders, variables, constants, ranges, random numbers.
 */
#include <math.h>
#include <string.h>

#include "nacre/op.h"
#include "op/table.h"

/* Can a number of this type have the value? */
static bool holds(nacre_dtype dtype, double value)
{
	static const double low[NACRE_DTYPES] = {
		[NACRE_I8] = INT8_MIN, [NACRE_I32] = INT32_MIN, [NACRE_I64] = -0x1p63};
	static const double high[NACRE_DTYPES] = {[NACRE_I8] = INT8_MAX,
						  [NACRE_U8] = UINT8_MAX,
						  [NACRE_I32] = INT32_MAX,
						  [NACRE_I64] = 0x1.fffffffffffffp62,
						  [NACRE_BOOL] = 1};
	if (nc_dtype_is_float(dtype))
		return true;
	return value == floor(value) && value >= low[dtype] && value <= high[dtype];
}

static bool sizes_positive(nacre_node *y)
{
	for (int i = 0; i < y->rank; i++)
		if (y->shape[i] < 0)
			return nc_node_fail(y, "negative size %lld", (long long)y->shape[i]);
	return true;
}

/* placeholder */
static bool infer_placeholder(nacre_node *y)
{
	const nc_attr_placeholder *a = y->attr;
	return nc_infer_dims(y, a->dtype, &a->shape) && sizes_positive(y);
}

static const nc_field fields_placeholder[] = {
	{"serial", NC_FIELD_HIDDEN, offsetof(nc_attr_placeholder, serial)}, {0}};

const nc_op nc_op_placeholder = {
	.name = "placeholder",
	.index = NC_OP_placeholder,
	.flags = NC_OP_SOURCE,
	.element = -1,
	.attr_size = sizeof(nc_attr_placeholder),
	.fields = fields_placeholder,
	.infer = infer_placeholder,
	.keras = "InputLayer",
};

nacre_node *nacre_placeholder(nacre_graph *g, const char *name, nacre_dtype dtype, int rank,
			      const int64_t *shape)
{
	nc_attr_placeholder a;
	memset(&a, 0, sizeof(a));
	a.dtype = dtype;
	if (!nc_dims_set(g, "placeholder", rank, shape, &a.shape))
		return NULL;
	a.serial = g->n; /* no two are equal */
	nacre_node *y = nc_node_new(g, &nc_op_placeholder, 0, NULL, &a);
	if (name)
		nacre_node_set_name(y, name);
	return y;
}

/* variable */
static bool infer_variable(nacre_node *y)
{
	const nacre_variable *v = ((const nc_attr_variable *)y->attr)->variable;
	if (!v)
		return nc_node_fail(y, "the variable is NULL");
	y->dtype = v->dtype;
	y->rank = v->rank;
	memcpy(y->shape, v->shape, sizeof(y->shape));
	return true;
}

static const nc_field fields_variable[] = {
	{"variable", NC_FIELD_VARIABLE, offsetof(nc_attr_variable, variable)}, {0}};

const nc_op nc_op_variable = {
	.name = "variable",
	.index = NC_OP_variable,
	.flags = NC_OP_SOURCE,
	.element = -1,
	.attr_size = sizeof(nc_attr_variable),
	.fields = fields_variable,
	.infer = infer_variable,
};

nacre_node *nacre_use(nacre_graph *g, nacre_variable *variable)
{
	if (!g || g->error.status)
		return NULL;
	for (int i = 0; i < g->n; i++)
		if (g->node[i]->op == &nc_op_variable &&
		    ((const nc_attr_variable *)g->node[i]->attr)->variable == variable)
			return g->node[i];
	nc_attr_variable a = {variable};
	return nc_node_new(g, &nc_op_variable, 0, NULL, &a);
}

void nc_forget(nacre_graph *g, const nacre_variable *variable)
{
	for (int i = 0; g && i < g->n; i++)
		if (nc_variable_of(g->node[i]) == variable)
			((nc_attr_variable *)g->node[i]->attr)->variable = NULL;
}

/* fill and constant */
static bool infer_fill(nacre_node *y)
{
	const nc_attr_fill *a = y->attr;
	if (!nc_infer_dims(y, a->dtype, &a->shape) || !sizes_positive(y))
		return false;
	return holds(a->dtype, a->value) ||
	       nc_node_fail(y, "%.9g is no %s", a->value, nacre_dtype_name(a->dtype));
}

static const nc_field fields_fill[] = {{"value", NC_FIELD_F64, offsetof(nc_attr_fill, value)}, {0}};

const nc_op nc_op_fill = {
	.name = "fill",
	.index = NC_OP_fill,
	.flags = NC_OP_SOURCE,
	.element = -1,
	.attr_size = sizeof(nc_attr_fill),
	.fields = fields_fill,
	.infer = infer_fill,
	.keras = "full",
	.onnx = "ConstantOfShape",
};

nacre_node *nacre_fill(nacre_graph *g, nacre_dtype dtype, int rank, const int64_t *shape,
		       double value)
{
	nc_attr_fill a;
	memset(&a, 0, sizeof(a));
	a.dtype = dtype;
	a.value = value;
	if (!nc_dims_set(g, "fill", rank, shape, &a.shape))
		return NULL;
	return nc_node_new(g, &nc_op_fill, 0, NULL, &a);
}

nacre_node *nacre_scalar(nacre_graph *g, nacre_dtype dtype, double value)
{
	return nacre_fill(g, dtype, 0, NULL, value);
}

static bool infer_constant(nacre_node *y)
{
	const nc_attr_constant *a = y->attr;
	int64_t size;
	size_t bytes;
	if (!nc_infer_dims(y, a->dtype, &a->shape) || !sizes_positive(y))
		return false;
	if (!nc_shape_size(y->rank, y->shape, &size) ||
	    !nc_mul((size_t)size, nacre_dtype_size(a->dtype), &bytes))
		return true; /* too large: refused by whoever made the node */
	if (a->bytes != bytes || (bytes && !a->data))
		return nc_node_fail(y, "%zu bytes of data expected, got %zu", bytes,
				    a->data ? a->bytes : 0);
	return true;
}

static const nc_field fields_constant[] = {
	{"data", NC_FIELD_HIDDEN, offsetof(nc_attr_constant, data)}, {0}};

const nc_op nc_op_constant = {
	.name = "constant",
	.index = NC_OP_constant,
	.flags = NC_OP_SOURCE,
	.element = -1,
	.attr_size = sizeof(nc_attr_constant),
	.fields = fields_constant,
	.infer = infer_constant,
	.keras = "convert_to_tensor",
	.onnx = "Constant",
};

nacre_node *nacre_constant(nacre_graph *g, nacre_dtype dtype, int rank, const int64_t *shape,
			   const void *data)
{
	nc_attr_constant a;
	char text[128];
	int64_t size;
	memset(&a, 0, sizeof(a));
	a.dtype = dtype;
	if (!nc_dims_set(g, "constant", rank, shape, &a.shape) || g->error.status)
		return NULL;
	if (!nc_dtype_valid(dtype))
		return nc_graph_fail(g, "constant: %d is no data type", (int)dtype);
	if (!nc_shape_size(rank, shape, &size) ||
	    !nc_mul((size_t)size, nacre_dtype_size(dtype), &a.bytes))
		return nc_graph_fail(g, "constant: a value of shape %s is too large",
				     nc_shape_text(text, rank, shape));
	if (a.bytes && !data)
		return nc_graph_fail(g, "constant: the data are NULL");
	if (a.bytes && !(a.data = nc_arena_copy(&g->arena, data, a.bytes))) {
		nc_no_memory(&g->error, a.bytes);
		return NULL;
	}
	return nc_node_new(g, &nc_op_constant, 0, NULL, &a);
}

/* arange */
static bool infer_arange(nacre_node *y)
{
	const nc_attr_arange *a = y->attr;
	if (!nc_dtype_valid(a->dtype) || a->dtype == NACRE_BOOL)
		return nc_node_fail(y, "a type of numbers expected, got %s",
				    nacre_dtype_name(a->dtype));
	if (a->n < 0)
		return nc_node_fail(y, "negative size %lld", (long long)a->n);
	double last = a->n > 0 ? a->start + (double)(a->n - 1) * a->step : a->start;
	if (!holds(a->dtype, a->start) || !holds(a->dtype, last) ||
	    (!nc_dtype_is_float(a->dtype) && a->step != floor(a->step)))
		return nc_node_fail(y, "%.9g, %.9g ... %.9g are not all %s", a->start,
				    a->start + a->step, last, nacre_dtype_name(a->dtype));
	y->dtype = a->dtype;
	y->rank = 1;
	y->shape[0] = a->n;
	return true;
}

static const nc_field fields_arange[] = {{"start", NC_FIELD_F64, offsetof(nc_attr_arange, start)},
					 {"step", NC_FIELD_F64, offsetof(nc_attr_arange, step)},
					 {0}};

const nc_op nc_op_arange = {
	.name = "arange",
	.index = NC_OP_arange,
	.element = -1,
	.attr_size = sizeof(nc_attr_arange),
	.fields = fields_arange,
	.infer = infer_arange,
	.flops = nc_flops_each,
	.keras = "arange",
	.onnx = "Range",
};

nacre_node *nacre_arange(nacre_graph *g, nacre_dtype dtype, int64_t n, double start, double step)
{
	nc_attr_arange a;
	memset(&a, 0, sizeof(a));
	a.dtype = dtype;
	a.n = n;
	a.start = start;
	a.step = step;
	return nc_node_new(g, &nc_op_arange, 0, NULL, &a);
}

/* random */
static bool infer_random(nacre_node *y)
{
	const nc_attr_random *r = y->attr;
	if (!nc_infer_dims(y, r->dtype, &r->shape) || !sizes_positive(y))
		return false;
	if (r->kind < NACRE_UNIFORM || r->kind > NACRE_BERNOULLI)
		return nc_node_fail(y, "%d is no kind of random numbers", r->kind);
	if (!nc_dtype_is_float(r->dtype) && r->kind != NACRE_BERNOULLI)
		return nc_node_fail(y, "a floating-point type expected, got %s",
				    nacre_dtype_name(r->dtype));
	bool ok = isfinite(r->a) && isfinite(r->b);
	if (r->kind == NACRE_UNIFORM && !(ok && r->a <= r->b))
		return nc_node_fail(y, "a <= b expected, got %g and %g", r->a, r->b);
	if (r->kind == NACRE_BERNOULLI && !(r->a >= 0 && r->a <= 1))
		return nc_node_fail(y, "a probability of 0 to 1 expected, got %g", r->a);
	if ((r->kind == NACRE_NORMAL || r->kind == NACRE_TRUNCATED_NORMAL) && !(ok && r->b >= 0))
		return nc_node_fail(y, "a standard deviation >= 0 expected, got %g", r->b);
	return true;
}

static const nc_field fields_random[] = {{"kind", NC_FIELD_INT, offsetof(nc_attr_random, kind)},
					 {"a", NC_FIELD_F64, offsetof(nc_attr_random, a)},
					 {"b", NC_FIELD_F64, offsetof(nc_attr_random, b)},
					 {"key", NC_FIELD_INT, offsetof(nc_attr_random, key)},
					 {0}};

static double flops_random(const nacre_node *y)
{
	return 20 * (double)nc_node_size(y);
}

const nc_op nc_op_random = {
	.name = "random",
	.index = NC_OP_random,
	.flags = NC_OP_RANDOM | NC_OP_NO_GRADIENT,
	.element = -1,
	.attr_size = sizeof(nc_attr_random),
	.fields = fields_random,
	.infer = infer_random,
	.flops = flops_random,
	.keras = "random.uniform",
	.onnx = "RandomUniform",
};

nacre_node *nacre_random(nacre_graph *g, nacre_random_kind kind, nacre_dtype dtype, int rank,
			 const int64_t *shape, double a, double b)
{
	nc_attr_random r;
	memset(&r, 0, sizeof(r));
	r.kind = (int)kind;
	r.dtype = dtype;
	r.a = a;
	r.b = b;
	if (!nc_dims_set(g, "random", rank, shape, &r.shape))
		return NULL;
	r.key = g->random_ops;
	nacre_node *y = nc_node_new(g, &nc_op_random, 0, NULL, &r);
	g->random_ops += y != NULL;
	return y;
}
