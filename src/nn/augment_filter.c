/* SPDX-License-Identifier: MIT
 *
 * augment_filter.c - what looks at neighbours or at all values: sharpness, random_gaussian_blur,
 * equalization.
 */
#include "nn/augment.h"

/* x moved by `by` places along an axis of a padded image, at its old size */
static nacre_node *shifted(nacre_node *padded, int axis, int64_t by, int64_t size)
{
	return nacre_slice_axis(padded, axis, by, by + size);
}

/* `around` zeros before and after along an axis */
static nacre_node *padded(nacre_node *x, int axis, int64_t around)
{
	int64_t pad[NACRE_MAX_RANK] = {0};
	pad[axis] = around;
	return nacre_pad(x, pad, pad, NULL, 0);
}

static nacre_node *triple(nacre_node *x, int axis)
{
	if (!x)
		return NULL;
	nacre_node *p = padded(x, axis, 1), *sum = x;
	for (int64_t i = 0; i < 3; i += 2)
		sum = nacre_plus(sum, shifted(p, axis, i, x->shape[axis]));
	return sum;
}

/* [1 1 1, 1 5 1, 1 1 1] / 13 = (all nine + 4 times the middle) / 13 */
nacre_node *nc_augment_sharpen(nacre_node *x, nacre_node *f, nc_range range)
{
	nacre_node *nine = triple(triple(x, 1), 2);
	nacre_node *smooth = nacre_scale(nacre_plus(nine, nacre_scale(x, 4)), 1 / 13.);
	nacre_node *part = nacre_add_number(nacre_scale(f, -2), 1);
	nacre_node *y = nacre_plus(x, nacre_times(part, nacre_minus(smooth, x)));
	return nc_augment_clip(y, range);
}

/* -- random_gaussian_blur ---------------------------------------------------------------------- */
/* Weights [size] of e^(-(i / sigma)^2 / 2), divided by their sum. */
static nacre_node *gaussian(nacre_node *sigma, int i, int64_t size)
{
	if (!sigma)
		return NULL;
	double from = -0.5 * (double)(size - 1);
	nacre_node *at = nacre_arange(sigma->graph, sigma->dtype, size, from, 1);
	at = nacre_divide(at, nacre_slice_axis(sigma, 0, i, i + 1));
	nacre_node *w = nacre_exp(nacre_scale(nacre_square(at), -0.5));
	return nacre_divide(w, nacre_sum(w, NACRE_ALL_AXES, false));
}

static nacre_node *blurred(nacre_node *x, int axis, nacre_node *weight, int64_t size)
{
	if (!x || !weight)
		return NULL;
	nacre_node *p = padded(x, axis, size / 2), *sum = NULL;
	for (int64_t i = 0; i < size; i++) {
		nacre_node *w = nacre_squeeze(nacre_slice_axis(weight, 0, i, i + 1), NACRE_AXIS(0));
		nacre_node *term = nacre_times(shifted(p, axis, i, x->shape[axis]), w);
		sum = sum ? nacre_plus(sum, term) : term;
	}
	return sum;
}

nacre_node *nc_augment_blur(nacre_node *x, const int64_t size[2], nacre_node *sigma)
{
	nacre_node *y = blurred(x, 2, gaussian(sigma, 0, size[0]), size[0]);
	return blurred(y, 1, gaussian(sigma, 1, size[1]), size[1]);
}

static void blur_sizes(const nacre_layer *l, int64_t size[2])
{
	const nacre_random_gaussian_blur_options *o =
	    (const nacre_random_gaussian_blur_options *)l->options;
	size[0] = o->kernel_size[0];
	size[1] = o->kernel_size[1] ? o->kernel_size[1] : size[0];
}

static bool random_gaussian_blur_check(nacre_layer *l)
{
	int64_t size[2];
	blur_sizes(l, size);
	for (int i = 0; i < 2; i++)
		if (size[i] < 1 || size[i] % 2 == 0 || size[i] > 99)
			return nc_layer_refuse(l, "kernel_size: expected odd numbers of 1 to 99, "
						  "got %lld",
					       (long long)size[i]);
	return nc_augment_check(l);
}

static nacre_node *random_gaussian_blur_call(nc_call *c, nacre_layer *l, int n,
					     nacre_node *const *x)
{
	(void)n;
	int64_t size[2];
	if (!nc_augment_images(c, l, x[0]) || !c->training)
		return c->error->status ? NULL : x[0];
	blur_sizes(l, size);
	nacre_node *chance = nc_augment_chance(c, x[0], nc_layer_range(l, "factor"));
	nc_range s = nc_layer_range(l, "sigma");
	nacre_node *sigma = nacre_random(c->graph, NACRE_UNIFORM, x[0]->dtype, 1, (int64_t[]){2},
					 s.low, s.high);
	nacre_node *y = nc_augment_blur(x[0], size, nacre_add_number(sigma, 1e-6));
	return nc_augment_clip(nacre_select(chance, y, x[0]), nc_layer_range(l, "value_range"));
}

static const nc_option random_gaussian_blur_options[] = {
    NC_OPT_RANGE(nacre_random_gaussian_blur_options, factor, factor_high, 0, 1, "1"),
    NC_OPT_SIZES_OR(nacre_random_gaussian_blur_options, kernel_size, 3),
    NC_OPT_RANGE(nacre_random_gaussian_blur_options, sigma, sigma_high, 0, 1, "1"),
    NC_VALUE_RANGE(nacre_random_gaussian_blur_options),
    NC_OPT_END,
};
const nc_layer_class nc_class_random_gaussian_blur = {
    NC_AUGMENT(random_gaussian_blur, "RandomGaussianBlur", nacre_random_gaussian_blur_options,
	       random_gaussian_blur_options),
    .check = random_gaussian_blur_check,
    .call = random_gaussian_blur_call,
};
nacre_layer *nacre_random_gaussian_blur_new(nacre_random_gaussian_blur_options options)
{
	return nc_layer_new(&nc_class_random_gaussian_blur, &options, options.name);
}

/* -- equalization ------------------------------------------------------------------------------ */
/* Bin b of channel k as k bins + b; values 0 .. 255 times `scale`. */
static nacre_node *bins_of(nacre_node *x, int64_t bins, double scale)
{
	if (!x)
		return NULL;
	nacre_node *b = nacre_floor(nacre_clip(nacre_scale(x, scale), 0, (double)bins - 1));
	nacre_node *channel = nacre_arange(x->graph, x->dtype, x->shape[3], 0, (double)bins);
	return nacre_cast(nacre_plus(b, channel), NACRE_I32); /* sums in f32: exact to 2^24 */
}

/* The table of each channel, [channels, bins]: round((cdf - least) 255 / (all - least)), least the
 * first that is not 0. */
static nacre_node *equalizer(nacre_node *histogram)
{
	if (!histogram)
		return NULL;
	nacre_graph *g = histogram->graph;
	nacre_dtype dtype = histogram->dtype;
	nacre_node *zero = nacre_scalar(g, dtype, 0), *one = nacre_scalar(g, dtype, 1);
	nacre_node *cdf = nacre_cumsum(histogram, 1, false, false);
	nacre_node *some = nacre_select(nacre_greater(cdf, zero), cdf,
					nacre_scalar(g, dtype, 3e38));
	nacre_node *least = nacre_min(some, NACRE_AXIS(1), true);
	nacre_node *rest = nacre_minus(nacre_max(cdf, NACRE_AXIS(1), true), least);
	rest = nacre_select(nacre_equal(rest, zero), one, rest);
	nacre_node *table = nacre_divide(nacre_scale(nacre_minus(cdf, least), 255), rest);
	return nacre_clip(nacre_round(table), 0, 255);
}

nacre_node *nc_augment_equalize(nacre_node *x, int64_t bins, nc_range range)
{
	const nc_range bytes = {0, 255};
	if (!x || !nc_node_size(x)) /* nothing to count */
		return x;
	nacre_graph *g = x->graph;
	int64_t channels = x->shape[3], all = nc_node_size(x), table_size = channels * bins;
	nacre_node *y = nc_augment_rerange(x, range, bytes);
	nacre_node *at = bins_of(y, bins, (double)(bins - 1) / 255);
	nacre_node *none = nacre_fill(g, NACRE_F32, 1, &table_size, 0);
	nacre_node *ones = nacre_fill(g, NACRE_F32, 1, &all, 1);
	nacre_node *histogram = nacre_scatter_add(none, nacre_reshape(at, 1, &all), ones, 0);
	histogram = nacre_reshape(histogram, 2, (int64_t[]){channels, bins});
	nacre_node *zero = nacre_scalar(g, NACRE_F32, 0), *one = nacre_scalar(g, NACRE_F32, 1);
	nacre_node *used = nacre_select(nacre_greater(histogram, zero), one, zero);
	used = nacre_sum(used, NACRE_AXIS(1), false);
	nacre_node *table = nacre_reshape(equalizer(histogram), 1, &table_size);
	nacre_node *z = nacre_cast(nacre_gather(table, at, 0), x->dtype);
	z = nacre_select(nacre_less_equal(used, one), y, z); /* [channels] against the last axis */
	return nc_augment_rerange(z, bytes, range);
}

static nacre_node *equalization_call(nc_call *c, nacre_layer *l, int n, nacre_node *const *x)
{
	(void)n;
	const nacre_equalization_options *o = (const nacre_equalization_options *)l->options;
	if (!nc_augment_images(c, l, x[0]) || !c->training)
		return c->error->status ? NULL : x[0];
	return nc_augment_equalize(x[0], o->bins, nc_layer_range(l, "value_range"));
}

static const nc_option equalization_options[] = {
    NC_VALUE_RANGE(nacre_equalization_options),
    NC_OPT_NUMBER(I64, nacre_equalization_options, bins, 256, 2, 65536),
    NC_OPT_END,
};
const nc_layer_class nc_class_equalization = {
    NC_AUGMENT(equalization, "Equalization", nacre_equalization_options, equalization_options),
    .check = nc_augment_check,
    .call = equalization_call,
};
nacre_layer *nacre_equalization_new(nacre_equalization_options options)
{
	return nc_layer_new(&nc_class_equalization, &options, options.name);
}
