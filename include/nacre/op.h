/* SPDX-License-Identifier: MIT
 *
 * nacre/op.h - the ops: functions from nodes to a node.
 *
 * Elementwise ops broadcast as NumPy does: shapes are aligned at their ends, a size of 1 stretches.
 * The inputs of an op have one data type (select's condition is bool); nacre_cast() converts.
 * Results of an integer type are cut towards zero and clamped to its range, NaN becoming 0.
 * Axes may be negative: -1 is the last.  Each op of floating-point numbers has a gradient unless
 * its comment says "no gradient".
 */
#ifndef NACRE_OP_H
#define NACRE_OP_H

#include "graph.h"

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* -- elementwise, one input: y has the shape and type of x ------------------------------------*/
nacre_node *nacre_neg(nacre_node *x);        /* -x */
nacre_node *nacre_abs(nacre_node *x);        /* |x| */
nacre_node *nacre_sign(nacre_node *x);       /* -1, 0, 1; no gradient */
nacre_node *nacre_exp(nacre_node *x);        /* e^x */
nacre_node *nacre_expm1(nacre_node *x);      /* e^x - 1, exact near 0 */
nacre_node *nacre_log(nacre_node *x);        /* natural logarithm */
nacre_node *nacre_log1p(nacre_node *x);      /* log(1 + x), exact near 0 */
nacre_node *nacre_sqrt(nacre_node *x);       /* square root */
nacre_node *nacre_rsqrt(nacre_node *x);      /* 1 / sqrt(x) */
nacre_node *nacre_reciprocal(nacre_node *x); /* 1 / x */
nacre_node *nacre_square(nacre_node *x);     /* x^2 */
nacre_node *nacre_sin(nacre_node *x);
nacre_node *nacre_cos(nacre_node *x);
nacre_node *nacre_tan(nacre_node *x);
nacre_node *nacre_asin(nacre_node *x);
nacre_node *nacre_acos(nacre_node *x);
nacre_node *nacre_atan(nacre_node *x);
nacre_node *nacre_sinh(nacre_node *x);
nacre_node *nacre_cosh(nacre_node *x);
nacre_node *nacre_tanh(nacre_node *x);
nacre_node *nacre_asinh(nacre_node *x);
nacre_node *nacre_acosh(nacre_node *x);
nacre_node *nacre_atanh(nacre_node *x);
nacre_node *nacre_sigmoid(nacre_node *x);  /* 1 / (1 + e^-x) */
nacre_node *nacre_softplus(nacre_node *x); /* log(1 + e^x) */
nacre_node *nacre_relu(nacre_node *x);     /* max(x, 0) */
nacre_node *nacre_erf(nacre_node *x);      /* 2/sqrt(pi) * integral of e^(-t^2) from 0 to x */
nacre_node *nacre_gelu(nacre_node *x);     /* x (1 + erf(x / sqrt 2)) / 2 */
nacre_node *nacre_gelu_slope(nacre_node *x); /* its derivative */
nacre_node *nacre_floor(nacre_node *x);    /* no gradient, nor have ceil, round, trunc */
nacre_node *nacre_ceil(nacre_node *x);
nacre_node *nacre_round(nacre_node *x); /* to the nearest, half to even */
nacre_node *nacre_trunc(nacre_node *x);
/* bool results, no gradient */
nacre_node *nacre_logical_not(nacre_node *x);
nacre_node *nacre_is_nan(nacre_node *x);
nacre_node *nacre_is_inf(nacre_node *x);
nacre_node *nacre_is_finite(nacre_node *x);

/* -- elementwise, two inputs ------------------------------------------------------------------*/
nacre_node *nacre_plus(nacre_node *a, nacre_node *b);
nacre_node *nacre_minus(nacre_node *a, nacre_node *b);
nacre_node *nacre_times(nacre_node *a, nacre_node *b);
nacre_node *nacre_divide(nacre_node *a, nacre_node *b);
nacre_node *nacre_pow(nacre_node *a, nacre_node *b); /* a^b */
nacre_node *nacre_maximum(nacre_node *a, nacre_node *b);
nacre_node *nacre_minimum(nacre_node *a, nacre_node *b);
nacre_node *nacre_mod(nacre_node *a, nacre_node *b);          /* a - floor(a/b) b */
nacre_node *nacre_floor_divide(nacre_node *a, nacre_node *b); /* floor(a/b); no gradient */
nacre_node *nacre_atan2(nacre_node *a, nacre_node *b);        /* angle of (b, a) */
/* bool results, no gradient */
nacre_node *nacre_equal(nacre_node *a, nacre_node *b);
nacre_node *nacre_not_equal(nacre_node *a, nacre_node *b);
nacre_node *nacre_less(nacre_node *a, nacre_node *b);
nacre_node *nacre_less_equal(nacre_node *a, nacre_node *b);
nacre_node *nacre_greater(nacre_node *a, nacre_node *b);
nacre_node *nacre_greater_equal(nacre_node *a, nacre_node *b);
nacre_node *nacre_logical_and(nacre_node *a, nacre_node *b);
nacre_node *nacre_logical_or(nacre_node *a, nacre_node *b);
nacre_node *nacre_logical_xor(nacre_node *a, nacre_node *b);

/* condition ? a : b, elementwise; condition is bool */
nacre_node *nacre_select(nacre_node *condition, nacre_node *a, nacre_node *b);
/* min(max(x, low), high) */
nacre_node *nacre_clip(nacre_node *x, double low, double high);
/* another type; between floating-point types the gradient passes, else there is none */
nacre_node *nacre_cast(nacre_node *x, nacre_dtype dtype);
/* x + s and x * s with a number */
nacre_node *nacre_add_number(nacre_node *x, double s);
nacre_node *nacre_scale(nacre_node *x, double s);
/* x, cut off from the gradient */
nacre_node *nacre_stop_gradient(nacre_node *x);

/* -- products ---------------------------------------------------------------------------------*/
/* y[..., m, n] = sum over k of a[..., m, k] b[..., k, n]; leading axes broadcast; rank 2 and up */
nacre_node *nacre_matmul(nacre_node *a, nacre_node *b);
/* the same with the last two axes of a or b exchanged first */
nacre_node *nacre_matmul_transposed(nacre_node *a, nacre_node *b, bool transpose_a,
				    bool transpose_b);
/* Einstein's sum, "bij,bjk->bik": letters, commas, arrow; one or two inputs (b NULL for one);
 * a letter repeated within one input, or "...", is refused */
nacre_node *nacre_einsum(const char *equation, nacre_node *a, nacre_node *b);

/* -- reductions over a set of axes ------------------------------------------------------------
 * `axes`: bit i stands for axis i: NACRE_AXIS(0) | NACRE_AXIS(2); keep_dims leaves them as size 1.
 * NACRE_LAST_AXIS is the last, whatever the rank.  Over nothing (a size of 0): sum 0, product 1,
 * mean 0, max and min are refused.  The gradient of max and min goes to all that are equal to
 * it, in equal parts. */
#define NACRE_AXIS(i) (1u << (i))
#define NACRE_ALL_AXES 0xffu
#define NACRE_LAST_AXIS 0x100u
nacre_node *nacre_sum(nacre_node *x, unsigned axes, bool keep_dims);
nacre_node *nacre_mean(nacre_node *x, unsigned axes, bool keep_dims);
nacre_node *nacre_max(nacre_node *x, unsigned axes, bool keep_dims);
nacre_node *nacre_min(nacre_node *x, unsigned axes, bool keep_dims);
nacre_node *nacre_product(nacre_node *x, unsigned axes, bool keep_dims);
nacre_node *nacre_variance(nacre_node *x, unsigned axes, bool keep_dims); /* biased, two passes */
nacre_node *nacre_logsumexp(nacre_node *x, unsigned axes, bool keep_dims);
nacre_node *nacre_any(nacre_node *x, unsigned axes, bool keep_dims); /* of bool */
nacre_node *nacre_all(nacre_node *x, unsigned axes, bool keep_dims);
/* index of the first largest (smallest) along one axis, which goes; i32; no gradient */
nacre_node *nacre_argmax(nacre_node *x, int axis);
nacre_node *nacre_argmin(nacre_node *x, int axis);

/* e^x / sum e^x along an axis, and its logarithm; both subtract the maximum first */
nacre_node *nacre_softmax_axis(nacre_node *x, int axis);
nacre_node *nacre_log_softmax_axis(nacre_node *x, int axis);
nacre_node *nacre_softmax(nacre_node *x); /* along the last axis */
nacre_node *nacre_log_softmax(nacre_node *x);

/* -- movement ---------------------------------------------------------------------------------*/
nacre_node *nacre_reshape(nacre_node *x, int rank, const int64_t *shape); /* one size may be -1 */
nacre_node *nacre_transpose(nacre_node *x, const int *order); /* y.shape[i] = x.shape[order[i]] */
nacre_node *nacre_broadcast(nacre_node *x, int rank, const int64_t *shape);
/* y = x[start:stop:step] on every axis; step > 0, 0 <= start <= stop <= size */
nacre_node *nacre_slice(nacre_node *x, const int64_t *start, const int64_t *stop,
			const int64_t *step);
/* the same on one axis, the others whole */
nacre_node *nacre_slice_axis(nacre_node *x, int axis, int64_t start, int64_t stop);
/* `before` and `after` places of `value` around each axis; `between` (NULL: none) places between
 * neighbours */
nacre_node *nacre_pad(nacre_node *x, const int64_t *before, const int64_t *after,
		      const int64_t *between, double value);
nacre_node *nacre_concat(int n, nacre_node *const *x, int axis);
nacre_node *nacre_stack(int n, nacre_node *const *x, int axis); /* along a new axis */
nacre_node *nacre_reverse(nacre_node *x, unsigned axes);
nacre_node *nacre_expand_dims(nacre_node *x, int axis);
nacre_node *nacre_squeeze(nacre_node *x, unsigned axes); /* NACRE_ALL_AXES: all of size 1 */

/* -- by index: indices are i32 or i64; one outside 0 .. size-1 yields zeros and adds nothing ----*/
/* y = x[..., indices, ...]: the axis is replaced by the shape of the indices */
nacre_node *nacre_gather(nacre_node *x, nacre_node *indices, int axis);
/* y = x, then y[..., indices, ...] += updates, in order: the gradient of gather */
nacre_node *nacre_scatter_add(nacre_node *x, nacre_node *indices, nacre_node *updates, int axis);
/* y[i][j] = x[i][indices[i][j]] along an axis: indices have x's rank and sizes elsewhere */
nacre_node *nacre_take_along_axis(nacre_node *x, nacre_node *indices, int axis);
/* y = x, then y[i][indices[i][j]] += updates[i][j] */
nacre_node *nacre_scatter_add_along_axis(nacre_node *x, nacre_node *indices, nacre_node *updates,
					 int axis);
/* a new last axis of `depth`: 1 at the index, else 0; no gradient */
nacre_node *nacre_one_hot(nacre_node *indices, int64_t depth, nacre_dtype dtype);
/* n numbers: start, start + step, ... */
nacre_node *nacre_arange(nacre_graph *graph, nacre_dtype dtype, int64_t n, double start,
			 double step);

/* -- windows that slide over space: x: [n, spatial..., channels], 1 to 3 spatial axes -----------
 * Of every spatial axis i: the input is widened by before[i] and after[i] places, the window's
 * places lie dilation[i] apart, and it moves by stride[i]:
 *   out = (in + before + after - ((size - 1) dilation + 1)) / stride + 1, rounded down. */
typedef struct nacre_window {
	int64_t size[3]; /* a convolution's comes from its filter and may stay 0 */
	int64_t stride[3], dilation[3]; /* 0: 1 */
	int64_t before[3], after[3];
	int64_t groups; /* of channels, convolutions only; 0: 1 */
} nacre_window;
/* before and after such that out = in / stride, rounded up (Keras's padding "same": the odd place
 * goes after); x: the input, w: size, stride and dilation set */
nacre_window nacre_window_same(const nacre_node *x, nacre_window w);

/* y[n, o..., co] = sum over window places k and channels ci of x[n, o stride + k dilation - before,
 * ci] filter[k..., ci, co]; filter: [size..., channels / groups, out channels].  Output channel co
 * sees the channels of its group: co / (out channels / groups).  The widened places are 0. */
nacre_node *nacre_conv(nacre_node *x, nacre_node *filter, nacre_window w);
/* Its gradient by x, also called transposed convolution: dy: [n, out..., co] to [n, spatial...,
 * ci]; spatial: the sizes of the result, for which conv would give dy's. */
nacre_node *nacre_conv_input(nacre_node *dy, nacre_node *filter, nacre_window w,
			     const int64_t *spatial);
/* Its gradient by the filter, of w.size */
nacre_node *nacre_conv_filter(nacre_node *x, nacre_node *dy, nacre_window w);

/* The largest value under the window, the widened places left out, and where in the window it was
 * (the first of several, counted row-major; u8, i32 if the window has more than 256 places). */
nacre_node *nacre_max_pool(nacre_node *x, nacre_window w);
nacre_node *nacre_max_pool_index(nacre_node *x, nacre_window w); /* no gradient */
/* dy added up where the index points, zeros elsewhere: the gradient of max_pool */
nacre_node *nacre_max_unpool(nacre_node *dy, nacre_node *index, nacre_window w,
			     const int64_t *spatial);
/* x where the index points: the gradient of max_unpool */
nacre_node *nacre_max_pool_at(nacre_node *x, nacre_node *index, nacre_window w);
/* The sum under the window, and its gradient. */
nacre_node *nacre_sum_pool(nacre_node *x, nacre_window w);
nacre_node *nacre_sum_unpool(nacre_node *dy, nacre_window w, const int64_t *spatial);

/* -- along an axis ----------------------------------------------------------------------------*/
nacre_node *nacre_cumsum(nacre_node *x, int axis, bool exclusive, bool reverse);
nacre_node *nacre_sort(nacre_node *x, int axis, bool descending); /* stable; NaN last */
nacre_node *nacre_argsort(nacre_node *x, int axis, bool descending); /* i32; no gradient */
/* the k largest along the last axis, in order; *indices (may be NULL): i32, where they were */
nacre_node *nacre_top_k(nacre_node *x, int64_t k, nacre_node **indices);

/* -- random: keyed by the program's seed, the run's step and the op ----------------------------*/
typedef enum nacre_random_kind {
	NACRE_UNIFORM,          /* in [a, b) */
	NACRE_NORMAL,           /* mean a, standard deviation b */
	NACRE_TRUNCATED_NORMAL, /* the same, drawn again until within two deviations */
	NACRE_BERNOULLI         /* 1 with probability a, else 0 */
} nacre_random_kind;
nacre_node *nacre_random(nacre_graph *graph, nacre_random_kind kind, nacre_dtype dtype, int rank,
			 const int64_t *shape, double a, double b);

/* -- updates of an optimizer: effects on variables --------------------------------------------
 * w, m, v ...: what nacre_use() gave for them; g: the gradient, of w's shape; rate: f32 [2], a
 * value of each step: rate[0] multiplies the update, rate[1] is the learning rate of the decay.
 * First w -= w * decay * rate[1], then:
 *   sgd       w -= rate[0] g
 *   momentum  m = momentum m - rate[0] g;  w += m, with nesterov: w += momentum m - rate[0] g
 *   rmsprop   v = rho v + (1-rho) g^2;  w -= rate[0] g / sqrt(v + epsilon)
 *   adam      m += (g - m)(1-beta1);  v += (g^2 - v)(1-beta2);
 *             w -= rate[0] m / (sqrt(v) + epsilon)
 *             (rate[0] carries the bias correction: lr sqrt(1-beta2^t) / (1-beta1^t)) */
nacre_node *nacre_update_sgd(nacre_node *w, nacre_node *g, nacre_node *rate, double decay);
nacre_node *nacre_update_momentum(nacre_node *w, nacre_node *m, nacre_node *g, nacre_node *rate,
				  double momentum, bool nesterov, double decay);
nacre_node *nacre_update_rmsprop(nacre_node *w, nacre_node *v, nacre_node *g, nacre_node *rate,
				 double rho, double epsilon, double decay);
nacre_node *nacre_update_adam(nacre_node *w, nacre_node *m, nacre_node *v, nacre_node *g,
			      nacre_node *rate, double beta1, double beta2, double epsilon,
			      double decay);
/* The others with one slot m (v is NULL) or two.  rate: f32 [4], r0 to r3; a, b, c: numbers.
 *   adagrad        m += g^2;  w -= r0 g / sqrt(m + c)
 *   lion           w -= r0 sign(a m + (1-a) g);  m = b m + (1-b) g
 *   adadelta       m = a m + (1-a) g^2;  x = g sqrt(v + c) / sqrt(m + c);
 *                  v = a v + (1-a) x^2;  w -= r0 x
 *   adamax         m = a m + (1-a) g;  v = max(b v, |g|);  w -= r0 m / (v + c)
 *   nadam          m = a m + (1-a) g;  v = b v + (1-b) g^2;
 *                  w -= (r0 m + r2 g) / (sqrt(r3 v) + c)
 *   ftrl           s = r2 sqrt(m), m += g^2, t = r2 sqrt(m);  v += g + 2 b w - (t - s) w;
 *                  w = (clip(v, -a, a) - v) / (t + r3)
 *   schedule_free  v = b v + (1-b) g^2;  x = (w - (1-a) m) / a;
 *                  m -= r0 g / (sqrt(r2 v) + c);  x += r3 (m - x);  w = a x + (1-a) m */
typedef enum nacre_update_rule {
	NACRE_UPDATE_ADAGRAD,
	NACRE_UPDATE_LION,
	NACRE_UPDATE_ADADELTA, /* from here on there are two slots */
	NACRE_UPDATE_ADAMAX,
	NACRE_UPDATE_NADAM,
	NACRE_UPDATE_FTRL,
	NACRE_UPDATE_SCHEDULE_FREE
} nacre_update_rule;
nacre_node *nacre_update(nacre_update_rule rule, nacre_node *w, nacre_node *m, nacre_node *v,
			 nacre_node *g, nacre_node *rate, const double abc[3], double decay);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
