/* SPDX-License-Identifier: MIT
 *
 * window.c - convolutions and pools as their formulas say: for every place of y, every place of
 * the window that lies inside x.
 */
#include <math.h>
#include <string.h>

#include "backend/reference/rows.h"
#include "op/window.h"

/* Calls visit for every place of y and of the window: at_x < 0 where that is outside. */
typedef struct place {
	const nc_window3 *w;
	int64_t at_x, at_y, tap; /* pixels, not yet times channels */
} place;
typedef void visit_fn(const place *p, double *const *in, double *out);

static int64_t pixel_of_x(const nc_window3 *w, int64_t n, const int64_t *o, const int64_t *k)
{
	int64_t at = n;
	for (int d = 0; d < 3; d++) {
		int64_t i = nc_window_at(w, d, o[d], k[d]);
		if (i < 0 || i >= w->x[d])
			return -1;
		at = at * w->x[d] + i;
	}
	return at;
}

static void walk(const nacre_node *node, double *const *in, double *out, visit_fn *visit)
{
	nc_window3 w = nc_window_of(node);
	int64_t pixels = w.y[0] * w.y[1] * w.y[2], taps = w.size[0] * w.size[1] * w.size[2];
	for (int64_t n = 0; n < w.n; n++) {
		int64_t o[3] = {0, 0, 0};
		for (int64_t i = 0; i < pixels; i++, nc_ref_next(3, w.y, o)) {
			int64_t k[3] = {0, 0, 0};
			for (int64_t t = 0; t < taps; t++, nc_ref_next(3, w.size, k)) {
				place p = {&w, pixel_of_x(&w, n, o, k), n * pixels + i, t};
				visit(&p, in, out);
			}
		}
	}
}

static void clear(const nacre_node *n, double *y, double value)
{
	int64_t size = nc_node_size(n);
	for (int64_t i = 0; i < size; i++)
		y[i] = value;
}

/* -- convolutions: element of the filter at a tap, channel of the group, channel of y */
static int64_t filter_at(const place *p, int64_t ci, int64_t co)
{
	const nc_window3 *w = p->w;
	return (p->tap * (w->cx / w->groups) + ci) * w->cy + co;
}
/* the first channel of x that channel co of y sees */
static int64_t group_begin(const nc_window3 *w, int64_t co)
{
	return co / (w->cy / w->groups) * (w->cx / w->groups);
}

#define FOR_CHANNELS(p)                                                                            \
	for (int64_t co = 0; p->at_x >= 0 && co < p->w->cy; co++)                                  \
		for (int64_t ci = 0, x = p->at_x * p->w->cx + group_begin(p->w, co),               \
			     y = p->at_y * p->w->cy + co;                                          \
		     ci < p->w->cx / p->w->groups; ci++, x++)

static void visit_conv(const place *p, double *const *in, double *out)
{
	FOR_CHANNELS(p) out[y] += in[0][x] * in[1][filter_at(p, ci, co)];
}
static void visit_conv_input(const place *p, double *const *in, double *out)
{
	FOR_CHANNELS(p) out[x] += in[0][y] * in[1][filter_at(p, ci, co)];
}
static void visit_conv_filter(const place *p, double *const *in, double *out)
{
	FOR_CHANNELS(p) out[filter_at(p, ci, co)] += in[0][x] * in[1][y];
}

void nc_ref_conv(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	clear(n, y, 0);
	walk(n, in, y, visit_conv);
}
void nc_ref_conv_input(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	clear(n, y, 0);
	walk(n, in, y, visit_conv_input);
}
void nc_ref_conv_filter(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	clear(n, y, 0);
	walk(n, in, y, visit_conv_filter);
}

/* -- pools */
static bool beats(double a, double b) /* the first NaN wins for good */
{
	return a > b || (isnan(a) && !isnan(b));
}
static void visit_max(const place *p, double *const *in, double *out)
{
	for (int64_t i = 0; p->at_x >= 0 && i < p->w->cy; i++) {
		double v = in[0][p->at_x * p->w->cx + i], *y = out + p->at_y * p->w->cy + i;
		if (beats(v, *y))
			*y = v;
	}
}
static void visit_sum(const place *p, double *const *in, double *out)
{
	for (int64_t i = 0; p->at_x >= 0 && i < p->w->cy; i++)
		out[p->at_y * p->w->cy + i] += in[0][p->at_x * p->w->cx + i];
}
static void visit_sum_back(const place *p, double *const *in, double *out)
{
	for (int64_t i = 0; p->at_x >= 0 && i < p->w->cy; i++)
		out[p->at_x * p->w->cx + i] += in[0][p->at_y * p->w->cy + i];
}
static void visit_max_at(const place *p, double *const *in, double *out)
{
	for (int64_t i = 0; p->at_x >= 0 && i < p->w->cy; i++)
		if (in[1][p->at_y * p->w->cy + i] == (double)p->tap)
			out[p->at_y * p->w->cy + i] = in[0][p->at_x * p->w->cx + i];
}
static void visit_max_back(const place *p, double *const *in, double *out)
{
	for (int64_t i = 0; p->at_x >= 0 && i < p->w->cy; i++)
		if (in[1][p->at_y * p->w->cy + i] == (double)p->tap)
			out[p->at_x * p->w->cx + i] += in[0][p->at_y * p->w->cy + i];
}

void nc_ref_max_pool(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	clear(n, y, -INFINITY);
	walk(n, in, y, visit_max);
}

/* The best value so far is looked up where the index points: -1 stands for none yet. */
static void visit_max_index(const place *p, double *const *in, double *out)
{
	const nc_window3 *w = p->w;
	for (int64_t i = 0; p->at_x >= 0 && i < w->cy; i++) {
		double *y = out + p->at_y * w->cy + i, best = -INFINITY;
		if (*y >= 0) {
			int64_t tap = (int64_t)*y, o[3], k[3], n = p->at_y;
			for (int d = 2; d >= 0; d--) {
				k[d] = tap % w->size[d];
				tap /= w->size[d];
				o[d] = n % w->y[d];
				n /= w->y[d];
			}
			best = in[0][pixel_of_x(w, n, o, k) * w->cx + i];
		}
		if (*y < 0 || beats(in[0][p->at_x * w->cx + i], best))
			*y = (double)p->tap;
	}
}
void nc_ref_max_pool_index(const nacre_node *n, double *const *in, double *y,
			   const nc_ref_context *c)
{
	(void)c;
	clear(n, y, -1);
	walk(n, in, y, visit_max_index);
	int64_t size = nc_node_size(n);
	for (int64_t i = 0; i < size; i++)
		if (y[i] < 0)
			y[i] = 0;
}

void nc_ref_max_pool_at(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	clear(n, y, 0);
	walk(n, in, y, visit_max_at);
}
void nc_ref_max_unpool(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	clear(n, y, 0);
	walk(n, in, y, visit_max_back);
}
void nc_ref_sum_pool(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	clear(n, y, 0);
	walk(n, in, y, visit_sum);
}
void nc_ref_sum_unpool(const nacre_node *n, double *const *in, double *y, const nc_ref_context *c)
{
	(void)c;
	clear(n, y, 0);
	walk(n, in, y, visit_sum_back);
}
