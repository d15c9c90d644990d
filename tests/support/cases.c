/* SPDX-License-Identifier: MIT
 *
 * cases.c - the cases of the ops: a function a family, a table by op.
 */
#include "support/cases.h"

#include "nacre/augment.h"
#include "nacre/op.h"
#include "test.h"

/* Three shapes that broadcast together; ops of one input take the first. */
static const char *const shapes[FLOAT_CASES][3] = {
	{"", "", ""},
	{"1", "1", "1"},
	{"5", "5", "5"},
	{"0", "0", "0"},
	{"3,4", "4", "1"},
	{"4", "3,4", "3,1"},
	{"3,1", "1,4", ""},
	{"2,1,3", "5,1", "3"},
	{"17", "1", "17"},
	{"", "7", "7"},
	{"0,3", "3", "1"},
	{"3,0", "1", "3,0"},
	{"1,1", "6,1", "1,6"},
	{"2,3,4", "2,3,4", "2,3,4"},
	{"2,3,4", "1,3,1", "4"},
	{"5,1,1,2", "3,1", "2"},
	{"33", "33", "33"},
	{"9,7", "7", "9,1"},
	{"1,0", "4,1", "1"},
	{"2,2,2,2,2", "2", "2,1"},
	{"1,1,1,1,1,1,1,2", "2", "1"},
	{"31", "", ""},
	{"4,5", "4,5", "4,1"},
	{"2,19,3", "19,1", "3"},
};

typedef struct build {
	const nc_op *op;
	int which;
	nacre_dtype dtype;
	op_case *c;
} build;

static int read_shape(const char *s, int64_t *shape)
{
	int rank = 0;
	while (*s) {
		char *end;
		shape[rank++] = strtoll(s, &end, 10);
		s = *end == ',' ? end + 1 : end;
	}
	return rank;
}

static nacre_node *place(build *b, nacre_dtype dtype, int rank, const int64_t *shape, double low,
			 double high)
{
	op_case *c = b->c;
	int i = c->n_in++;
	c->in[i] = nacre_placeholder(c->g, NULL, dtype, rank, shape);
	c->low[i] = low;
	c->high[i] = high;
	c->whole[i] = !nc_dtype_is_float(dtype);
	return c->in[i];
}

static nacre_node *input(build *b, nacre_dtype dtype, const char *text, double low, double high)
{
	int64_t shape[NACRE_MAX_RANK];
	int rank = read_shape(text, shape);
	return place(b, dtype, rank, shape, low, high);
}

static const char *shape_of(const build *b, int k)
{
	return shapes[b->which % FLOAT_CASES][k];
}

/* an input of the case's first shape, but of rank 1 at least */
static nacre_node *line_input(build *b)
{
	const char *s = shape_of(b, 0);
	return input(b, b->dtype, *s ? s : "4", -2, 2);
}

static int axis_of(const build *b, const nacre_node *x)
{
	return x && x->rank ? b->which % x->rank : 0;
}

static unsigned mask_of(const build *b, const nacre_node *x)
{
	return x ? (unsigned)(b->which * 5 + 1) & ((1u << x->rank) - 1) : 0;
}

/* elementwise */
typedef struct domain {
	double low, high;
} domain;

static domain domain_of(const nc_op *op)
{
	static const struct {
		const char *names;
		domain d;
	} table[] = {
		{" log sqrt rsqrt reciprocal div pow mod floor_divide atan2 ", {0.3, 3}},
		{" log1p ", {-0.6, 2}},
		{" asin acos atanh ", {-0.8, 0.8}},
		{" tan ", {-1.2, 1.2}},
		{" acosh ", {1.2, 3}},
	};
	char name[40];
	snprintf(name, sizeof(name), " %s ", op->name);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
		if (strstr(table[i].names, name))
			return table[i].d;
	return (domain){-2, 2};
}

static nacre_node *make_element(build *b)
{
	static const nacre_dtype whole[] = {NACRE_I32, NACRE_I64, NACRE_U8,
					    NACRE_I8,  NACRE_I32, NACRE_BOOL};
	domain d = domain_of(b->op);
	nacre_dtype dtype = b->dtype;
	if (b->which >= FLOAT_CASES) {
		dtype = whole[b->which - FLOAT_CASES];
		d.low = dtype == NACRE_BOOL ? 0 : dtype == NACRE_U8 ? 1 : d.low > 0 ? 1 : -9;
		d.high = dtype == NACRE_BOOL ? 1 : !strcmp(b->op->name, "pow") ? 3 : 9;
	}
	nacre_node *in[3];
	for (int k = 0; k < b->op->min_in; k++) {
		bool condition = b->op == &nc_op_select && k == 0;
		in[k] = input(b, condition ? NACRE_BOOL : dtype, shape_of(b, k),
			      condition ? 0 : d.low, condition ? 1 : d.high);
	}
	return nc_node_new(b->c->g, b->op, b->op->min_in, in, NULL);
}

/* sources and conversions */
static nacre_variable *variable(build *b, const char *text)
{
	nacre_error e = {0};
	int64_t shape[NACRE_MAX_RANK];
	int rank = read_shape(text, shape);
	nacre_variable *v =
		nacre_variable_new(b->c->g->runtime, "v", b->dtype, rank, shape, NULL, &e);
	nacre_tensor *t = nacre_tensor_new(b->c->g->runtime, b->dtype, rank, shape, &e);
	for (int64_t i = 0; i < nacre_tensor_size(t); i++)
		nacre_tensor_set(t, i, test_uniform(0.1, 1));
	nacre_variable_write(v, t, &e);
	nacre_tensor_free(t);
	b->c->variable[b->c->n_variables++] = v;
	return v;
}

static nacre_node *make_source(build *b)
{
	static const nacre_dtype types[] = {NACRE_F32, NACRE_I32, NACRE_F64, NACRE_BOOL, NACRE_I64};
	nacre_graph *g = b->c->g;
	int64_t shape[NACRE_MAX_RANK], n = 1;
	int rank = read_shape(shape_of(b, 0), shape);
	nacre_dtype dtype = b->which % 2 ? types[b->which / 2 % 5] : b->dtype;
	for (int i = 0; i < rank; i++)
		n *= shape[i];
	if (b->op == &nc_op_placeholder)
		return input(b, b->dtype, shape_of(b, 0), -2, 2);
	if (b->op == &nc_op_variable)
		return nacre_use(g, variable(b, shape_of(b, 0)));
	if (b->op == &nc_op_fill)
		return nacre_fill(g, dtype, rank, shape, b->which % 3 == 0);
	if (b->op == &nc_op_arange)
		return nacre_arange(g, dtype == NACRE_BOOL ? NACRE_U8 : dtype, n, b->which % 4,
				    1 + b->which % 3);
	double data[200];
	for (int i = 0; i < 200; i++)
		data[i] = test_uniform(-3, 3);
	return nacre_constant(g, NACRE_F64, rank, shape, data);
}

static nacre_node *make_random(build *b)
{
	int64_t shape[NACRE_MAX_RANK];
	int rank = read_shape(b->which % 5 == 4 ? "50,21" : shape_of(b, 0), shape);
	nacre_random_kind kind = (nacre_random_kind)(b->which % 4);
	double p = kind == NACRE_BERNOULLI ? 0.3 : -1;
	return nacre_random(b->c->g, kind, b->dtype, rank, shape, p, 2);
}

static nacre_node *make_cast(build *b)
{
	static const nacre_dtype pairs[][2] = {
		{NACRE_I32, NACRE_F32},  {NACRE_F32, NACRE_I32}, {NACRE_F32, NACRE_BOOL},
		{NACRE_BOOL, NACRE_F32}, {NACRE_U8, NACRE_F32},  {NACRE_F32, NACRE_U8},
		{NACRE_F32, NACRE_I8},   {NACRE_I64, NACRE_I32}, {NACRE_F64, NACRE_I64}};
	int k = b->which - FLOAT_CASES;
	nacre_dtype from = k < 0 ? b->dtype : pairs[k][0];
	nacre_dtype to = k < 0 ? (from == NACRE_F64 ? NACRE_F32 : NACRE_F64) : pairs[k][1];
	bool sign = from != NACRE_BOOL && from != NACRE_U8;
	nacre_node *x = input(b, from, shape_of(b, 0), sign ? -9 : 0, from == NACRE_BOOL ? 1 : 9);
	return nacre_cast(x, to);
}

static nacre_node *make_stop(build *b)
{
	return nacre_stop_gradient(input(b, b->dtype, shape_of(b, 0), -2, 2));
}

/* sums */
static nacre_node *make_matmul(build *b)
{
	static const int64_t all[12][2][5] = {
		/* rank and sizes of a, of b */
		{{2, 3, 4}, {2, 4, 5}},
		{{2, 1, 1}, {2, 1, 1}},
		{{2, 0, 4}, {2, 4, 5}},
		{{2, 3, 0}, {2, 0, 5}},
		{{2, 3, 4}, {2, 4, 0}},
		{{3, 2, 3, 4}, {3, 2, 4, 5}},
		{{3, 2, 3, 4}, {2, 4, 5}},
		{{2, 3, 4}, {3, 2, 4, 5}},
		{{4, 2, 1, 3, 4}, {4, 1, 3, 4, 2}},
		{{3, 1, 3, 4}, {3, 6, 4, 1}},
		{{2, 17, 9}, {2, 9, 13}},
		{{2, 1, 7}, {2, 7, 1}},
	};
	nacre_node *in[2];
	bool flip[2] = {b->which / 12 & 1, b->which / 24 & 1};
	for (int k = 0; k < 2; k++) {
		int64_t shape[4];
		int rank = (int)all[b->which % 12][k][0];
		memcpy(shape, all[b->which % 12][k] + 1, sizeof(shape));
		if (flip[k]) {
			int64_t t = shape[rank - 1];
			shape[rank - 1] = shape[rank - 2];
			shape[rank - 2] = t;
		}
		in[k] = place(b, b->dtype, rank, shape, -2, 2);
	}
	return nacre_matmul_transposed(in[0], in[1], flip[0], flip[1]);
}

static nacre_node *make_reduce(build *b)
{
	nacre_node *x = input(b, b->dtype, shape_of(b, 0), -2, 2);
	unsigned axes = mask_of(b, x);
	bool keep = b->which % 2, extreme = b->op == &nc_op_max || b->op == &nc_op_min;
	for (int i = 0; x && i < x->rank && extreme; i++)
		if (!x->shape[i])
			axes &= ~NACRE_AXIS(i);
	return (b->op == &nc_op_sum   ? nacre_sum
		: b->op == &nc_op_max ? nacre_max
		: b->op == &nc_op_min ? nacre_min
				      : nacre_product)(x, axes, keep);
}

static nacre_node *make_axis(build *b)
{
	nacre_node *x = line_input(b);
	int axis = axis_of(b, x);
	if (b->op == &nc_op_softmax)
		return nacre_softmax_axis(x, axis);
	if (b->op == &nc_op_log_softmax)
		return nacre_log_softmax_axis(x, axis);
	if (b->op == &nc_op_cumsum)
		return nacre_cumsum(x, axis, b->which & 1, b->which & 2);
	if (b->op == &nc_op_sort)
		return nacre_sort(x, axis, b->which & 1);
	if (b->op == &nc_op_argsort)
		return nacre_argsort(x, axis, b->which & 1);
	for (int k = 0; x && !x->shape[axis] && k < x->rank; k++)
		axis = (axis + 1) % x->rank; /* argmax of something */
	if (x && !x->shape[axis])
		x = input(b, b->dtype, "6", -2, 2);
	return b->op == &nc_op_argmax ? nacre_argmax(x, axis) : nacre_argmin(x, axis);
}

/* movement */
static nacre_node *make_reshape(build *b)
{
	nacre_node *x = line_input(b);
	int64_t n = x ? nc_node_size(x) : 0;
	int64_t to[3] = {1, n, 1};
	int form = b->which % 3;
	return nacre_reshape(x,
			     x && x->rank == 1 && !form ? 3
			     : form                     ? 2
							: 1,
			     x && x->rank == 1 && !form ? to
			     : form == 2                ? to
							: to + 1);
}

static nacre_node *make_transpose(build *b)
{
	nacre_node *x = input(b, b->dtype, b->which % 2 ? "3,4" : "2,5,3", -2, 2);
	if (b->which >= 6) {
		b->c->n_in = 0;
		const char *s = shape_of(b, 0);
		x = input(b, b->dtype, strchr(s, ',') ? s : "6,2,1", -2, 2);
	}
	int order[NACRE_MAX_RANK];
	for (int i = 0; x && i < x->rank; i++) /* rotated; every second case also reversed */
		order[i] = b->which % 2 ? x->rank - 1 - i : (i + 1) % x->rank;
	return nacre_transpose(x, order);
}

static nacre_node *make_broadcast(build *b)
{
	nacre_node *x = input(b, b->dtype, shape_of(b, 1), -2, 2), other = {0};
	int64_t shape[NACRE_MAX_RANK];
	int rank;
	other.rank = read_shape(shape_of(b, 0), other.shape);
	if (!x || !nc_broadcast_shape(x, &other, &rank, shape))
		return NULL;
	if (rank == x->rank && rank < NACRE_MAX_RANK) { /* the same: add an axis */
		memmove(shape + 1, shape, (size_t)rank * sizeof(*shape));
		shape[0] = 2;
		rank++;
	}
	return nacre_broadcast(x, rank, shape);
}

static nacre_node *make_slice(build *b)
{
	nacre_node *x = line_input(b);
	int64_t start[NACRE_MAX_RANK], stop[NACRE_MAX_RANK], step[NACRE_MAX_RANK];
	for (int i = 0; x && i < x->rank; i++) {
		start[i] = x->shape[i] / 3;
		stop[i] = nc_max(start[i], x->shape[i] - (b->which + i) % 2);
		step[i] = 1 + (b->which + i) % 3;
		if (i == 0 && x->shape[i] <= 1) /* not the whole */
			start[i] = stop[i] = 0, step[i] = 2;
	}
	return nacre_slice(x, start, stop, step);
}

static nacre_node *make_pad(build *b)
{
	nacre_node *x = line_input(b);
	int64_t before[NACRE_MAX_RANK], after[NACRE_MAX_RANK], between[NACRE_MAX_RANK];
	for (int i = 0; x && i < x->rank; i++) {
		before[i] = (b->which + i) % 3;
		after[i] = (b->which / 3 + i + 1) % 3;
		between[i] = (b->which / 2 + i) % 3;
		if (x->rank == 8 && i < 6)
			before[i] = after[i] = between[i] = 0;
	}
	return nacre_pad(x, before, after, b->which % 4 ? between : NULL, b->which % 2 ? 0.5 : 0);
}

static nacre_node *make_concat(build *b)
{
	nacre_node *first = line_input(b), *x[4] = {first};
	int n = 2 + b->which % 3, axis = axis_of(b, first);
	int64_t shape[NACRE_MAX_RANK];
	for (int k = 1; first && k < n; k++) {
		memcpy(shape, first->shape, sizeof(shape));
		shape[axis] = (b->which + 2 * k) % 5;
		x[k] = place(b, b->dtype, first->rank, shape, -2, 2);
	}
	return nacre_concat(n, x, axis);
}

static nacre_node *make_reverse(build *b)
{
	nacre_node *x = input(b, b->dtype, shape_of(b, 0), -2, 2);
	return nacre_reverse(x, mask_of(b, x));
}

/* by index */
static nacre_dtype index_type(const build *b)
{
	return b->which % 2 ? NACRE_I64 : NACRE_I32;
}

static nacre_node *make_gather(build *b)
{
	static const char *const indices[] = {"", "3", "0", "2,3", "1", "9"};
	nacre_node *x = line_input(b);
	int axis = axis_of(b, x);
	double top = x ? (double)x->shape[axis] : 0; /* one past the end, and -1: outside */
	const char *s = indices[b->which % 6];
	nacre_node *i = input(b, index_type(b), x && x->rank == 8 ? "3" : s, -1, top);
	if (b->op == &nc_op_gather)
		return nacre_gather(x, i, axis);
	nacre_node *like = nacre_gather(x, i, axis); /* of the shape that the updates need */
	if (!like)
		return NULL;
	return nacre_scatter_add(x, i, place(b, b->dtype, like->rank, like->shape, -2, 2), axis);
}

static nacre_node *make_along(build *b)
{
	nacre_node *x = line_input(b);
	if (!x)
		return NULL;
	int axis = axis_of(b, x);
	int64_t shape[NACRE_MAX_RANK];
	memcpy(shape, x->shape, sizeof(shape));
	shape[axis] = b->which % 7;
	nacre_node *i = place(b, index_type(b), x->rank, shape, -1, (double)x->shape[axis]);
	if (b->op == &nc_op_take_along_axis)
		return nacre_take_along_axis(x, i, axis);
	return nacre_scatter_add_along_axis(x, i, place(b, b->dtype, x->rank, shape, -2, 2), axis);
}

static nacre_node *make_one_hot(build *b)
{
	const char *s = b->which == 20 ? "3,2" : shape_of(b, 0); /* one axis more than rank 8 */
	int64_t depth = b->which % 6;
	return nacre_one_hot(input(b, index_type(b), s, -1, (double)depth), depth,
			     b->which % 5 == 4 ? NACRE_BOOL : b->dtype);
}

/* images resampled; the maps are exact in f32, and no place lies near where nearest turns */
static nacre_node *make_affine(build *b)
{
	static const double maps[][8] = {
		{1, 0, 0, 0, 1, 0, 0, 0},
		{1, 0, 0.25, 0, 1, -1.25, 0, 0},
		{0.75, 0.25, -1.0625, -0.25, 0.75, 0.5625, 0, 0},
		{-1.5, 0.5, 9.3125, 0.125, -2, 7.1875, 0, 0},
		{1, 0.25, -5.0625, 0.5, 1.25, 0.3125, 0.03125, 0.0625},
	};
	enum { MAPS = sizeof maps / sizeof *maps };
	static const int64_t sizes[][4] = {
		{2, 5, 4, 3}, {1, 1, 1, 1},  {3, 4, 6, 1},
		{1, 7, 2, 4}, {2, 3, 70, 2}, {0, 3, 2, 2}};
	const int64_t *shape = sizes[b->which % 6];
	int64_t n = shape[0];
	float transform[3 * 8];
	nc_attr_affine a = {0};
	a.height = 1 + b->which % 5;
	a.width = b->which % 7 == 3 ? 130 : 2 + b->which % 3;
	a.interpolation = b->which % 2 ? NACRE_BILINEAR : NACRE_NEAREST;
	a.fill = NACRE_FILL_REFLECT + b->which % 5;
	a.value = b->which % 3 ? 0.5 : 0;
	for (int64_t i = 0; i < n * 8; i++) {
		double v = maps[(b->which + i / 8) % MAPS][i % 8];
		bool scale = a.interpolation == NACRE_NEAREST && i % 8 >= 6;
		transform[i] = (float)(scale ? 0 : v);
	}
	nacre_node *x = place(b, b->dtype, 4, shape, -2, 2);
	nacre_node *t = nacre_constant(b->c->g, NACRE_F32, 2, (int64_t[]){n, 8}, transform);
	if (b->dtype != NACRE_F32)
		t = nacre_cast(t, b->dtype);
	return nc_node_new(b->c->g, b->op, 2, (nacre_node *[]){x, t}, &a);
}

static nacre_node *make_resize(build *b)
{
	static const int64_t sizes[] = {1, 2, 5, 9, 40};
	nacre_node *x = line_input(b);
	int axis = axis_of(b, x);
	nc_attr_resize a = {0};
	for (int k = 0; x && !x->shape[axis] && k < x->rank; k++)
		axis = (axis + 1) % x->rank;
	if (x && !x->shape[axis])
		x = input(b, b->dtype, "6", -2, 2);
	a.axis = axis;
	a.size = sizes[b->which / 2 % 5];
	a.method = NACRE_NEAREST + b->which % 6;
	a.antialias = b->which % 4 > 1;
	a.adjoint = b->which % 3 == 2;
	return nc_node_new(b->c->g, b->op, 1, &x, &a);
}

/* effects */
static nacre_node *make_update(build *b)
{
	nacre_graph *g = b->c->g;
	nacre_node *v[3];
	const char *s = shape_of(b, 0);
	for (int i = 0; i < b->op->targets; i++)
		v[i] = nacre_use(g, variable(b, s));
	nacre_node *d = input(b, b->dtype, s, -1, 1);
	if (b->op == &nc_op_assign)
		return nacre_assign(v[0], d);
	if (b->op == &nc_op_update_one || b->op == &nc_op_update_two) {
		/* slots that roots are taken of are above 0 */
		bool two = b->op == &nc_op_update_two;
		int rule = two ? (int)NACRE_UPDATE_ADADELTA + b->which % 5
			       : (int)NACRE_UPDATE_ADAGRAD + b->which % 2;
		double abc[3] = {0.9, rule == (int)NACRE_UPDATE_FTRL ? 0.1 : 0.99, 1e-3};
		return nacre_update((nacre_update_rule)rule, v[0], v[1], two ? v[2] : NULL, d,
				    input(b, NACRE_F32, "4", 0.1, 1), abc, b->which % 3 ? 0 : 0.1);
	}
	nacre_node *rate = input(b, NACRE_F32, "2", 0.01, 0.1);
	double decay = b->which % 3 ? 0 : 0.1;
	if (b->op == &nc_op_update_sgd)
		return nacre_update_sgd(v[0], d, rate, decay);
	if (b->op == &nc_op_update_momentum)
		return nacre_update_momentum(v[0], v[1], d, rate, 0.9, b->which % 2, decay);
	if (b->op == &nc_op_update_rmsprop)
		return nacre_update_rmsprop(v[0], v[1], d, rate, 0.9, 1e-7, decay);
	return nacre_update_adam(v[0], v[1], v[2], d, rate, 0.9, 0.999, 1e-7, decay);
}

/* windows */
static const struct window_case {
	int spatial;
	int64_t n, x[3], size[3], stride[3], dilation[3], before[3], after[3], cx, cy, groups;
} windows[] = {
	{1, 2, {5}, {3}, {0}, {0}, {0}, {0}, 2, 3, 0},
	{1, 1, {7}, {2}, {2}, {0}, {0}, {0}, 1, 1, 0},
	{1, 2, {6}, {3}, {1}, {2}, {2}, {2}, 2, 2, 0},
	{1, 1, {5}, {3}, {1}, {2}, {4}, {0}, 2, 2, 0}, /* causal */
	{1, 2, {4}, {1}, {1}, {0}, {0}, {0}, 3, 2, 0},
	{1, 0, {4}, {2}, {1}, {0}, {0}, {0}, 3, 2, 0},
	{1, 2, {3}, {2}, {3}, {0}, {1}, {0}, 0, 2, 0},
	{2, 1, {4, 5}, {3, 3}, {0}, {0}, {0}, {0}, 1, 2, 0},
	{2, 2, {4, 4}, {3, 3}, {1, 1}, {0}, {1, 1}, {1, 1}, 2, 2, 0},
	{2, 1, {5, 4}, {3, 2}, {2, 1}, {0}, {1, 0}, {1, 1}, 2, 3, 0},
	{2, 1, {6, 5}, {2, 2}, {2, 2}, {0}, {0}, {0, 1}, 3, 1, 0},
	{2, 2, {3, 3}, {1, 1}, {2, 2}, {0}, {0}, {0}, 2, 3, 0},
	{2, 1, {5, 5}, {2, 3}, {1, 1}, {2, 1}, {1, 1}, {1, 0}, 2, 2, 0},
	{2, 1, {4, 4}, {3, 3}, {1, 1}, {0}, {1, 1}, {1, 1}, 4, 4, 2},
	{2, 1, {4, 3}, {3, 3}, {2, 1}, {0}, {1, 1}, {1, 1}, 3, 3, 3}, /* depthwise */
	{2, 1, {4, 3}, {2, 2}, {1, 1}, {0}, {0, 1}, {0}, 2, 6, 2},
	{2, 2, {1, 1}, {3, 3}, {1, 1}, {0}, {1, 1}, {1, 1}, 2, 2, 0},
	{2, 1, {7, 1}, {1, 1}, {3, 1}, {0}, {0}, {0}, 1, 5, 0},
	{2, 1, {2, 9}, {2, 5}, {1, 3}, {1, 1}, {0, 2}, {0, 2}, 1, 2, 0},
	{2, 1, {3, 3}, {3, 3}, {1, 1}, {0}, {0}, {0}, 2, 0, 0},
	{3, 1, {3, 3, 3}, {2, 2, 2}, {0}, {0}, {0}, {0}, 1, 2, 0},
	{3, 1, {2, 3, 4}, {2, 3, 2}, {1, 2, 2}, {0}, {1, 1, 0}, {0, 1, 0}, 2, 2, 0},
	{3, 1, {2, 2, 3}, {1, 1, 1}, {1, 1, 1}, {0}, {0}, {0}, 2, 2, 2},
	{3, 1, {3, 2, 2}, {2, 1, 2}, {1, 1, 1}, {2, 1, 1}, {1, 0, 0}, {0, 0, 1}, 1, 2, 0},
	/* for the fast kernels: several tiles, odd ends */
	{2, 2, {9, 14}, {3, 3}, {1, 1}, {0}, {1, 1}, {1, 1}, 16, 32, 0},
	{2, 3, {7, 7}, {3, 3}, {1, 1}, {0}, {0}, {0}, 19, 35, 0},
	{2, 1, {13, 11}, {3, 3}, {1, 1}, {0}, {1, 1}, {1, 1}, 33, 70, 0},
	{2, 1, {12, 30}, {3, 3}, {2, 2}, {0}, {0, 0}, {1, 1}, 20, 24, 0},
	{2, 2, {16, 17}, {5, 5}, {1, 1}, {0}, {2, 2}, {2, 2}, 3, 40, 0},
	{2, 1, {19, 18}, {7, 7}, {2, 2}, {0}, {3, 3}, {3, 3}, 3, 17, 0},
	{2, 2, {10, 9}, {1, 1}, {1, 1}, {0}, {0}, {0}, 40, 33, 0},
	{2, 2, {10, 9}, {1, 1}, {2, 2}, {0}, {0}, {0}, 40, 33, 0},
	{2, 1, {15, 16}, {3, 3}, {1, 1}, {2, 2}, {2, 2}, {2, 2}, 18, 20, 0},
	{2, 2, {9, 10}, {3, 3}, {1, 1}, {0}, {1, 1}, {1, 1}, 37, 37, 37},
	{2, 1, {12, 13}, {3, 3}, {2, 2}, {0}, {0, 0}, {1, 1}, 32, 32, 32},
	{2, 1, {11, 9}, {5, 5}, {1, 1}, {0}, {2, 2}, {2, 2}, 24, 48, 24},
	{2, 1, {8, 9}, {3, 3}, {1, 1}, {0}, {1, 1}, {1, 1}, 32, 64, 4},
	{1, 2, {50}, {5}, {1}, {0}, {2}, {2}, 24, 40, 0},
	{3, 1, {5, 6, 7}, {3, 3, 3}, {1, 1, 1}, {0}, {1, 1, 1}, {1, 1, 1}, 6, 33, 0},
	{2, 1, {3, 40}, {3, 3}, {1, 1}, {0}, {1, 1}, {1, 1}, 1, 32, 0},
	{2, 1, {37, 5}, {3, 3}, {1, 1}, {0}, {1, 1}, {1, 1}, 130, 16, 0},
};
enum { WINDOWS = sizeof(windows) / sizeof(*windows) };

/* The window of a case, and the shapes of x and y with so many channels. */
static nacre_window window_of(const struct window_case *k, int64_t cx, int64_t cy, int64_t *x,
			      int64_t *y)
{
	nacre_window w = {.groups = k->groups};
	x[0] = y[0] = k->n;
	for (int i = 0; i < k->spatial; i++) {
		int64_t d = k->dilation[i] ? k->dilation[i] : 1;
		int64_t s = k->stride[i] ? k->stride[i] : 1;
		w.size[i] = k->size[i];
		w.stride[i] = k->stride[i];
		w.dilation[i] = k->dilation[i];
		w.before[i] = k->before[i];
		w.after[i] = k->after[i];
		x[i + 1] = k->x[i];
		y[i + 1] =
		    (k->x[i] + k->before[i] + k->after[i] - (k->size[i] - 1) * d - 1) / s + 1;
	}
	x[k->spatial + 1] = cx;
	y[k->spatial + 1] = cy;
	return w;
}

static nacre_node *make_window(build *b)
{
	const struct window_case *k = &windows[b->which];
	int rank = k->spatial + 2;
	int64_t x[5], y[5], f[5];
	nacre_window w = window_of(k, k->cx, k->cy, x, y);
	memcpy(f, k->size, sizeof k->size);
	f[rank - 2] = k->cx / (k->groups ? k->groups : 1);
	f[rank - 1] = k->cy;
	if (b->op == &nc_op_conv_input) {
		nacre_node *dy = place(b, b->dtype, rank, y, -1, 1);
		return nacre_conv_input(dy, place(b, b->dtype, rank, f, -1, 1), w, x + 1);
	}
	nacre_node *in = place(b, b->dtype, rank, x, -1, 1);
	if (b->op == &nc_op_conv)
		return nacre_conv(in, place(b, b->dtype, rank, f, -1, 1), w);
	return nacre_conv_filter(in, place(b, b->dtype, rank, y, -1, 1), w);
}

static nacre_node *make_pool(build *b)
{
	const struct window_case *k = &windows[b->which];
	int rank = k->spatial + 2;
	int64_t x[5], y[5], places = 1;
	nacre_window w = window_of(k, k->cx, k->cx, x, y);
	w.groups = 0;
	for (int i = 0; i < k->spatial; i++)
		places *= k->size[i];
	bool back = b->op == &nc_op_max_unpool || b->op == &nc_op_sum_unpool;
	nacre_node *in = place(b, b->dtype, rank, back ? y : x, -1, 1);
	if (b->op == &nc_op_max_pool)
		return nacre_max_pool(in, w);
	if (b->op == &nc_op_max_pool_index)
		return nacre_max_pool_index(in, w);
	if (b->op == &nc_op_sum_pool)
		return nacre_sum_pool(in, w);
	if (b->op == &nc_op_sum_unpool)
		return nacre_sum_unpool(in, w, x + 1);
	nacre_node *index = place(b, NACRE_U8, rank, y, 0, (double)places - 1);
	return back ? nacre_max_unpool(in, index, w, x + 1) : nacre_max_pool_at(in, index, w);
}

/* the table */
typedef nacre_node *maker(build *b);
static const struct {
	maker *make;
	int count;
} makers[NC_OP_COUNT] = {
#define ELEMENT(id) [NC_OP_##id] = {make_element, FLOAT_CASES + 6},
#define OP(id)
#include "op/op.def"
	[NC_OP_placeholder] = {make_source, FLOAT_CASES},
	[NC_OP_variable] = {make_source, FLOAT_CASES},
	[NC_OP_fill] = {make_source, FLOAT_CASES},
	[NC_OP_constant] = {make_source, FLOAT_CASES},
	[NC_OP_arange] = {make_source, FLOAT_CASES},
	[NC_OP_random] = {make_random, FLOAT_CASES},
	[NC_OP_cast] = {make_cast, FLOAT_CASES + 9},
	[NC_OP_stop_gradient] = {make_stop, FLOAT_CASES},
	[NC_OP_matmul] = {make_matmul, 48},
	[NC_OP_sum] = {make_reduce, FLOAT_CASES},
	[NC_OP_max] = {make_reduce, FLOAT_CASES},
	[NC_OP_min] = {make_reduce, FLOAT_CASES},
	[NC_OP_product] = {make_reduce, FLOAT_CASES},
	[NC_OP_argmax] = {make_axis, FLOAT_CASES},
	[NC_OP_argmin] = {make_axis, FLOAT_CASES},
	[NC_OP_softmax] = {make_axis, FLOAT_CASES},
	[NC_OP_log_softmax] = {make_axis, FLOAT_CASES},
	[NC_OP_reshape] = {make_reshape, FLOAT_CASES},
	[NC_OP_transpose] = {make_transpose, FLOAT_CASES},
	[NC_OP_broadcast] = {make_broadcast, FLOAT_CASES},
	[NC_OP_slice] = {make_slice, FLOAT_CASES},
	[NC_OP_pad] = {make_pad, FLOAT_CASES},
	[NC_OP_concat] = {make_concat, FLOAT_CASES},
	[NC_OP_reverse] = {make_reverse, FLOAT_CASES},
	[NC_OP_gather] = {make_gather, FLOAT_CASES},
	[NC_OP_scatter_add] = {make_gather, FLOAT_CASES},
	[NC_OP_take_along_axis] = {make_along, FLOAT_CASES},
	[NC_OP_scatter_add_along_axis] = {make_along, FLOAT_CASES},
	[NC_OP_one_hot] = {make_one_hot, FLOAT_CASES},
	[NC_OP_affine] = {make_affine, 60},
	[NC_OP_affine_adjoint] = {make_affine, 60},
	[NC_OP_resize] = {make_resize, 60},
	[NC_OP_cumsum] = {make_axis, FLOAT_CASES},
	[NC_OP_sort] = {make_axis, FLOAT_CASES},
	[NC_OP_argsort] = {make_axis, FLOAT_CASES},
	[NC_OP_conv] = {make_window, WINDOWS},
	[NC_OP_conv_input] = {make_window, WINDOWS},
	[NC_OP_conv_filter] = {make_window, WINDOWS},
	[NC_OP_max_pool] = {make_pool, WINDOWS},
	[NC_OP_max_pool_index] = {make_pool, WINDOWS},
	[NC_OP_max_unpool] = {make_pool, WINDOWS},
	[NC_OP_max_pool_at] = {make_pool, WINDOWS},
	[NC_OP_sum_pool] = {make_pool, WINDOWS},
	[NC_OP_sum_unpool] = {make_pool, WINDOWS},
	[NC_OP_assign] = {make_update, FLOAT_CASES},
	[NC_OP_update_sgd] = {make_update, FLOAT_CASES},
	[NC_OP_update_momentum] = {make_update, FLOAT_CASES},
	[NC_OP_update_rmsprop] = {make_update, FLOAT_CASES},
	[NC_OP_update_adam] = {make_update, FLOAT_CASES},
	[NC_OP_update_one] = {make_update, FLOAT_CASES},
	[NC_OP_update_two] = {make_update, FLOAT_CASES},
};

static bool make(maker *m, const nc_op *op, int which, nacre_dtype dtype, op_case *out)
{
	memset(out, 0, sizeof(*out));
	out->g = nacre_graph_new(NULL);
	if (!out->g)
		return false;
	build b = {op, which, dtype, out};
	out->out = m(&b);
	return out->out != NULL;
}

/* integers: as many as the op takes; those that it refuses are the last ones */
int op_case_count(int op_index)
{
	int n = makers[op_index].count;
	for (op_case c; n > FLOAT_CASES && makers[op_index].make == make_element; n--) {
		bool ok = make(makers[op_index].make, nc_op_at(op_index), n - 1, NACRE_F32, &c);
		op_case_free(&c);
		if (ok)
			break;
	}
	return n;
}

bool op_case_make(int op_index, int which, nacre_dtype float_dtype, op_case *out)
{
	return make(makers[op_index].make, nc_op_at(op_index), which, float_dtype, out);
}

void op_case_free(op_case *c)
{
	nacre_graph_free(c->g);
	for (int i = 0; i < c->n_variables; i++)
		nacre_variable_free(c->variable[i]);
	memset(c, 0, sizeof(*c));
}

void op_case_values(const op_case *c, int i, double *values)
{
	int64_t n = nc_node_size(c->in[i]);
	for (int64_t k = 0; k < n; k++) {
		double v = test_uniform(c->low[i], c->high[i] + c->whole[i]);
		values[k] = c->whole[i] ? floor(v) : v;
	}
}
