/* SPDX-License-Identifier: MIT
 *
 * einsum_dense.c - a dense layer whose product is an Einstein sum, "abc,cde->abde".
 *
 * The equation has one of the forms X,Y->Z, ...X,Y->...Z, X...,Y->Z...  Dots stand for the axes of
 * the input that have no letter; they get letters of their own before the sum is made.
 */
#include <stdio.h>
#include <string.h>

#include "nn/layer.h"

typedef struct parts {
	char in[NACRE_MAX_RANK + 1], kernel[NACRE_MAX_RANK + 1], out[NACRE_MAX_RANK + 1];
	int hidden; /* axes of the input without a letter */
} parts;

static const nacre_einsum_dense_options *options(const nacre_layer *l)
{
	return (const nacre_einsum_dense_options *)l->options;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* One term up to `stop` (or the end), its letters into out: 0 no dots, 1 before, 2 after; -1:
 * wrong.
 */
static int term(const char **at, const char *stop, char out[NACRE_MAX_RANK + 1])
{
	const char *p = *at;
	int n = 0, dots = 0;
	if (strncmp(p, "...", 3) == 0) {
		dots = 1;
		p += 3;
	}
	for (; is_letter(*p); p++) {
		if (n == NACRE_MAX_RANK || memchr(out, *p, (size_t)n))
			return -1;
		out[n++] = *p;
	}
	if (!dots && strncmp(p, "...", 3) == 0) {
		dots = 2;
		p += 3;
	}
	out[n] = '\0';
	if (n == 0 || strncmp(p, stop, strlen(stop)) != 0 || (!*stop && *p))
		return -1;
	*at = p + strlen(stop);
	return dots;
}

/* Letters for the axes that have none, at the front or the back; false: none is left. */
static bool letter_dots(parts *p, bool front)
{
	char more[NACRE_MAX_RANK + 1] = "";
	int n = 0;
	for (char c = 'A'; n < p->hidden && c <= 'z'; c++)
		if (is_letter(c) && !strchr(p->in, c) && !strchr(p->kernel, c) &&
		    !strchr(p->out, c))
			more[n++] = c;
	size_t in = strlen(p->in), out = strlen(p->out);
	if (n < p->hidden || in + (size_t)n > NACRE_MAX_RANK || out + (size_t)n > NACRE_MAX_RANK)
		return false;
	memmove(p->in + (front ? n : 0), p->in, in + 1);
	memmove(p->out + (front ? n : 0), p->out, out + 1);
	memcpy(p->in + (front ? 0 : in), more, (size_t)n);
	memcpy(p->out + (front ? 0 : out), more, (size_t)n);
	p->in[in + (size_t)n] = p->out[out + (size_t)n] = '\0';
	return true;
}

static bool parse(nc_call *c, nacre_layer *l, const nacre_node *x, parts *p)
{
	const char *at = options(l)->equation;
	int in = term(&at, ",", p->in);
	int kernel = in < 0 ? -1 : term(&at, "->", p->kernel);
	int out = kernel < 0 ? -1 : term(&at, "", p->out);
	if (kernel != 0 || in != out)
		return nc_layer_fail(c, l,
				     "equation: expected \"x,y->z\", \"...x,y->...z\" or "
				     "\"x...,y->z...\", got \"%s\"",
				     options(l)->equation);
	p->hidden = x->rank - (int)strlen(p->in);
	if (in ? p->hidden < 0 : p->hidden != 0)
		return nc_layer_fail(c, l, "equation: \"%s\" does not fit an input of %d axes",
				     options(l)->equation, x->rank);
	return letter_dots(p, in == 1) ||
	       nc_layer_fail(c, l, "equation: \"%s\": too many axes", options(l)->equation);
}

/* The shape of the output: the batch, the hidden axes, and output_shape for the others. */
static bool output_shape(nc_call *c, nacre_layer *l, const nacre_node *x, const parts *p,
			 int64_t shape[NACRE_MAX_RANK])
{
	const int64_t *given = options(l)->output_shape;
	int rank = (int)strlen(p->out), n = nc_shape_rank(given), k = 0;
	bool batch = p->out[0] == p->in[0];
	for (int d = 0; d < rank; d++) {
		const char *at = strchr(p->in, p->out[d]);
		bool hidden = at && !strchr(options(l)->equation, p->out[d]);
		int64_t size = at ? x->shape[at - p->in] : -1;
		int64_t want = d == 0 || hidden ? size : k < n ? given[k] : 0;
		k += d != 0 && !hidden;
		if (want == -1)
			want = size;
		if (want < 1 || (size >= 0 && want != size))
			return nc_layer_fail(c, l, "output_shape: axis '%c' is %lld, given is %lld",
					     p->out[d], (long long)size, (long long)want);
		shape[d] = want;
	}
	if (!batch || k != n)
		return nc_layer_fail(
		    c, l, "output_shape: expected %d sizes after the batch, got %d", k, n);
	return true;
}

static bool bias_build(nc_call *c, nacre_layer *l, const parts *p, const int64_t *out)
{
	const nacre_einsum_dense_options *o = options(l);
	int64_t shape[NACRE_MAX_RANK];
	int rank = (int)strlen(p->out), first = rank;
	for (const char *b = o->bias_axes; *b; b++) {
		const char *at = strchr(p->out, *b);
		if (!at || at == p->out)
			return nc_layer_fail(c, l, "bias_axes: '%c' is no axis of the output", *b);
		first = (int)nc_min(first, at - p->out);
	}
	for (int d = first; d < rank; d++)
		shape[d - first] = strchr(o->bias_axes, p->out[d]) ? out[d] : 1;
	return nc_layer_add_weight(c, l, "bias", rank - first, shape, o->bias_initializer,
				   &o->bias_initializer_options, o->bias_regularizer, true);
}

static bool einsum_build(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_einsum_dense_options *o = options(l);
	parts p = {0};
	int64_t out[NACRE_MAX_RANK], shape[NACRE_MAX_RANK];
	if (!nc_layer_floats(c, l, x[0]) || !parse(c, l, x[0], &p) ||
	    !output_shape(c, l, x[0], &p, out))
		return false;
	int rank = (int)strlen(p.kernel);
	for (int d = 0; d < rank; d++) {
		const char *in = strchr(p.in, p.kernel[d]), *at = strchr(p.out, p.kernel[d]);
		if (!in && !at)
			return nc_layer_fail(
			    c, l, "equation: '%c' of the kernel stands nowhere else", p.kernel[d]);
		shape[d] = at ? out[at - p.out] : x[0]->shape[in - p.in];
	}
	if (!nc_layer_add_weight(c, l, "kernel", rank, shape, o->kernel_initializer,
				 &o->kernel_initializer_options, o->kernel_regularizer, true))
		return false;
	return !o->bias_axes || !o->bias_axes[0] || bias_build(c, l, &p, out);
}

static nacre_node *einsum_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	char equation[3 * NACRE_MAX_RANK + 8];
	parts p = {0};
	if (!parse(c, l, x[0], &p))
		return NULL;
	snprintf(equation, sizeof equation, "%s,%s->%s", p.in, p.kernel, p.out);
	nacre_node *y = nacre_einsum(equation, x[0], nc_layer_use(c, l, 0));
	if (l->n_weights > 1)
		y = nacre_plus(y, nc_layer_use(c, l, 1));
	return y ? options(l)->activation(y) : NULL;
}

static bool einsum_check(nacre_layer *l)
{
	return options(l)->equation || nc_layer_refuse(l, "equation: expected one, got NULL");
}

#define OPTIONS nacre_einsum_dense_options
static const nc_option einsum_options[] = {
    NC_OPT_TEXT(OPTIONS, equation),
    NC_OPT_ALL(SHAPE, OPTIONS, output_shape, 0, 0, 0, "null", NULL, 0),
    NC_OPT_FUNCTION(ACTIVATION, OPTIONS, activation, "linear"),
    NC_OPT_TEXT(OPTIONS, bias_axes),
    NC_OPT_INITIALIZER(OPTIONS, kernel_initializer, "glorot_uniform"),
    NC_OPT_INITIALIZER(OPTIONS, bias_initializer, "zeros"),
    NC_OPT_REGULARIZER(OPTIONS, kernel_regularizer),
    NC_OPT_REGULARIZER(OPTIONS, bias_regularizer),
    NC_OPT_ACTIVITY(OPTIONS, activity_regularizer),
    NC_OPT_CONSTRAINT(OPTIONS, kernel_constraint),
    NC_OPT_CONSTRAINT(OPTIONS, bias_constraint),
    NC_OPT_END,
};
const nc_layer_class nc_class_einsum_dense = {
    .id = NC_LAYER_einsum_dense,
    .name = "EinsumDense",
    .snake = "einsum_dense",
    .options_size = sizeof(nacre_einsum_dense_options),
    .options = einsum_options,
    .min_in = 1,
    .max_in = 1,
    .check = einsum_check,
    .build = einsum_build,
    .call = einsum_call,
};

nacre_layer *nacre_einsum_dense_new(nacre_einsum_dense_options given)
{
	return nc_layer_new(&nc_class_einsum_dense, &given, given.name);
}
#undef OPTIONS
