/* SPDX-License-Identifier: MIT
 *
 * initializer.c - how weights begin, and the values that stand for regularizers.
 */
#include "nacre/initializer.h"

#include <math.h>
#include <string.h>

#include "base/base.h"
#include "base/runtime.h"
#include "tensor/tensor.h"

/* standard deviation of a normal distribution cut at two deviations */
#define TRUNCATED_DEVIATION 0.87962566103423978

static const nacre_initializer_options defaults;

/* The numbers of a weight, or NULL after an error. */
static float *numbers(nacre_tensor *w, nacre_error *e)
{
	if (!w)
		nc_fail(e, NACRE_INVALID, "initializer: the weight is NULL");
	else if (w->dtype != NACRE_F32 || !nacre_tensor_contiguous(w))
		nc_fail(e, NACRE_INVALID, "initializer: expected a contiguous f32 weight, got %s",
			nacre_dtype_name(w->dtype));
	else
		return (float *)(void *)w->data;
	return NULL;
}

static nacre_status fill(nacre_tensor *w, float value, nacre_error *e)
{
	float *y = numbers(w, e);
	if (!y)
		return NACRE_INVALID;
	for (int64_t i = 0, n = nacre_tensor_size(w); i < n; i++)
		y[i] = value;
	return NACRE_OK;
}

typedef void draw_function(nc_random r, int64_t begin, int64_t end, float *out);

/* y = a + b * draw */
static nacre_status draw(nacre_tensor *w, uint64_t seed, draw_function *f, double a, double b,
			 nacre_error *e)
{
	float *y = numbers(w, e);
	if (!y)
		return NACRE_INVALID;
	int64_t n = nacre_tensor_size(w);
	f(nc_random_stream(seed, 0, 0), 0, n, y);
	for (int64_t i = 0; i < n; i++)
		y[i] = (float)(a + b * (double)y[i]);
	return NACRE_OK;
}

nacre_status nacre_zeros(nacre_tensor *w, uint64_t seed, const nacre_initializer_options *o,
			 nacre_error *e)
{
	(void)seed, (void)o;
	return fill(w, 0, e);
}

nacre_status nacre_ones(nacre_tensor *w, uint64_t seed, const nacre_initializer_options *o,
			nacre_error *e)
{
	(void)seed, (void)o;
	return fill(w, 1, e);
}

nacre_status nacre_constant_value(nacre_tensor *w, uint64_t seed,
				  const nacre_initializer_options *o, nacre_error *e)
{
	(void)seed;
	return fill(w, o ? (float)o->value : 0, e);
}

static double deviation(const nacre_initializer_options *o)
{
	return o->stddev != 0 ? o->stddev : 0.05;
}

nacre_status nacre_random_normal(nacre_tensor *w, uint64_t seed, const nacre_initializer_options *o,
				 nacre_error *e)
{
	o = o ? o : &defaults;
	return draw(w, seed, nc_random_normal, o->mean, deviation(o), e);
}

nacre_status nacre_truncated_normal(nacre_tensor *w, uint64_t seed,
				    const nacre_initializer_options *o, nacre_error *e)
{
	o = o ? o : &defaults;
	return draw(w, seed, nc_random_truncated_normal, o->mean, deviation(o), e);
}

nacre_status nacre_random_uniform(nacre_tensor *w, uint64_t seed,
				  const nacre_initializer_options *o, nacre_error *e)
{
	o = o ? o : &defaults;
	bool given = o->minval != 0 || o->maxval != 0;
	double low = given ? o->minval : -0.05, high = given ? o->maxval : 0.05;
	if (!(low <= high))
		return nc_fail(e, NACRE_INVALID, "random_uniform: minval %g is above maxval %g",
			       low, high);
	return draw(w, seed, nc_random_uniform, low, high - low, e);
}

/* -- scaled by the number of inputs and outputs ------------------------------------------------ */
static void fans(const nacre_tensor *w, double *in, double *out)
{
	double field = 1;
	int r = w->rank;
	for (int i = 0; i < r - 2; i++)
		field *= (double)w->shape[i];
	*in = r >= 2 ? field * (double)w->shape[r - 2] : r == 1 ? (double)w->shape[0] : 1;
	*out = r >= 1 ? field * (double)w->shape[r - 1] : 1;
}

enum fan { FAN_IN, FAN_AVERAGE };

static nacre_status scaled(nacre_tensor *w, uint64_t seed, double scale, enum fan which,
			   bool normal, nacre_error *e)
{
	double in, out;
	if (!numbers(w, e))
		return NACRE_INVALID;
	fans(w, &in, &out);
	scale /= fmax(1, which == FAN_IN ? in : (in + out) / 2);
	if (normal)
		return draw(w, seed, nc_random_truncated_normal, 0,
			    sqrt(scale) / TRUNCATED_DEVIATION, e);
	double limit = sqrt(3 * scale);
	return draw(w, seed, nc_random_uniform, -limit, 2 * limit, e);
}

#define SCALED(name, scale, fan, normal)                                                           \
	nacre_status name(nacre_tensor *w, uint64_t seed, const nacre_initializer_options *o,      \
			  nacre_error *e)                                                          \
	{                                                                                          \
		(void)o;                                                                           \
		return scaled(w, seed, scale, fan, normal, e);                                     \
	}
SCALED(nacre_glorot_uniform, 1, FAN_AVERAGE, false)
SCALED(nacre_glorot_normal, 1, FAN_AVERAGE, true)
SCALED(nacre_he_uniform, 2, FAN_IN, false)
SCALED(nacre_he_normal, 2, FAN_IN, true)
SCALED(nacre_lecun_uniform, 1, FAN_IN, false)
SCALED(nacre_lecun_normal, 1, FAN_IN, true)

nacre_status nacre_variance_scaling(nacre_tensor *w, uint64_t seed,
				    const nacre_initializer_options *o, nacre_error *e)
{
	double in, out;
	o = o ? o : &defaults;
	if (!numbers(w, e))
		return NACRE_INVALID;
	fans(w, &in, &out);
	double scale = o->scale != 0 ? o->scale : 1;
	double fan = o->fan == NACRE_FAN_IN    ? in
		     : o->fan == NACRE_FAN_OUT ? out
					       : (in + out) / 2;
	scale /= fmax(1, fan);
	if (!(scale > 0))
		return nc_fail(e, NACRE_INVALID, "variance_scaling: expected a scale above 0");
	double limit = sqrt(3 * scale);
	if (o->distribution == NACRE_SCALED_UNIFORM)
		return draw(w, seed, nc_random_uniform, -limit, 2 * limit, e);
	if (o->distribution == NACRE_SCALED_NORMAL)
		return draw(w, seed, nc_random_normal, 0, sqrt(scale), e);
	return draw(w, seed, nc_random_truncated_normal, 0, sqrt(scale) / TRUNCATED_DEVIATION, e);
}

nacre_status nacre_identity(nacre_tensor *w, uint64_t seed, const nacre_initializer_options *o,
			    nacre_error *e)
{
	(void)seed;
	nacre_status status = fill(w, 0, e);
	if (status)
		return status;
	if (w->rank != 2)
		return nc_fail(e, NACRE_INVALID, "identity: expected a matrix, got rank %d",
			       w->rank);
	float gain = o && o->gain != 0 ? (float)o->gain : 1;
	for (int64_t i = 0; i < nc_min(w->shape[0], w->shape[1]); i++)
		((float *)(void *)w->data)[i * (w->shape[1] + 1)] = gain;
	return NACRE_OK;
}

/* -- orthogonal ---------------------------------------------------------------------------------
 * a: n columns of length m >= n, one after the other.  Modified Gram-Schmidt, each column made
 * orthogonal twice ("twice is enough": Giraud and others 2005), makes a the Q of its QR with a
 * positive diagonal of R, which is what multiplying Q by the signs of R's diagonal gives. */
static void orthonormalize(double *a, int64_t n, int64_t m)
{
	for (int64_t j = 0; j < n; j++) {
		double *v = a + j * m, length = 0;
		for (int64_t k = 0; k < 2 * j; k++) {
			const double *q = a + k % j * m;
			double dot = 0;
			for (int64_t i = 0; i < m; i++)
				dot += q[i] * v[i];
			for (int64_t i = 0; i < m; i++)
				v[i] -= dot * q[i];
		}
		for (int64_t i = 0; i < m; i++)
			length += v[i] * v[i];
		length = sqrt(length);
		for (int64_t i = 0; i < m && length > 0; i++)
			v[i] /= length;
	}
}

nacre_status nacre_orthogonal(nacre_tensor *w, uint64_t seed, const nacre_initializer_options *o,
			      nacre_error *e)
{
	float *y = numbers(w, e);
	if (!y)
		return NACRE_INVALID;
	if (w->rank < 2)
		return nc_fail(e, NACRE_INVALID, "orthogonal: expected rank 2 or more, got %d",
			       w->rank);
	int64_t size = nacre_tensor_size(w), columns = w->shape[w->rank - 1];
	if (size == 0)
		return NACRE_OK;
	int64_t rows = size / columns;
	int64_t n = nc_min(rows, columns), m = nc_max(rows, columns);
	double gain = o && o->gain != 0 ? o->gain : 1;
	nc_memory *memory = &w->runtime->memory;
	size_t bytes;
	if (!nc_mul((size_t)size, sizeof(double), &bytes))
		return nc_no_memory(e, SIZE_MAX);
	double *a = nc_alloc(memory, bytes);
	if (!a)
		return nc_no_memory(e, bytes);
	nc_random_normal(nc_random_stream(seed, 0, 0), 0, size, y);
	for (int64_t i = 0; i < size; i++)
		a[i] = (double)y[i];
	orthonormalize(a, n, m);
	/* a's vectors are the columns of w if it is tall, else its rows */
	for (int64_t r = 0; r < rows; r++)
		for (int64_t c = 0; c < columns; c++)
			y[r * columns + c] =
			    (float)(gain * (rows >= columns ? a[c * m + r] : a[r * m + c]));
	nc_free(memory, a, bytes);
	return NACRE_OK;
}

static const struct row {
	const char *name;
	nacre_initializer_function *function;
} rows_by_name[] = {
    {"glorot_uniform", nacre_glorot_uniform},
    {"glorot_normal", nacre_glorot_normal},
    {"he_uniform", nacre_he_uniform},
    {"he_normal", nacre_he_normal},
    {"lecun_uniform", nacre_lecun_uniform},
    {"lecun_normal", nacre_lecun_normal},
    {"zeros", nacre_zeros},
    {"ones", nacre_ones},
    {"constant", nacre_constant_value},
    {"random_normal", nacre_random_normal},
    {"random_uniform", nacre_random_uniform},
    {"truncated_normal", nacre_truncated_normal},
    {"orthogonal", nacre_orthogonal},
    {"variance_scaling", nacre_variance_scaling},
    {"identity", nacre_identity},
};

nacre_initializer_function *nacre_initializer_named(const char *name)
{
	for (size_t i = 0; name && i < sizeof rows_by_name / sizeof *rows_by_name; i++)
		if (strcmp(rows_by_name[i].name, name) == 0)
			return rows_by_name[i].function;
	return NULL;
}

const char *nacre_initializer_name(nacre_initializer_function *function)
{
	for (size_t i = 0; i < sizeof rows_by_name / sizeof *rows_by_name; i++)
		if (rows_by_name[i].function == function)
			return rows_by_name[i].name;
	return NULL;
}

nacre_regularizer nacre_l1(double l1)
{
	return (nacre_regularizer){.l1 = l1};
}

nacre_regularizer nacre_l2(double l2)
{
	return (nacre_regularizer){.l2 = l2};
}

nacre_regularizer nacre_l1_l2(double l1, double l2)
{
	return (nacre_regularizer){.l1 = l1, .l2 = l2};
}

nacre_regularizer nacre_orthogonal_rows(double factor)
{
	return (nacre_regularizer){.orthogonal = factor};
}

nacre_regularizer nacre_orthogonal_columns(double factor)
{
	return (nacre_regularizer){.orthogonal = factor, .columns = 1};
}
