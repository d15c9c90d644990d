/* SPDX-License-Identifier: MIT
 *
 * conv.c - convolutions: which kernel, how the filter lies, what is done to the tiles.
 *
 * The gradient by the input is a convolution of dy with the filter turned round and transposed;
 * with a stride it falls into one convolution for each remainder of the place divided by the
 * stride.
 */
#include <string.h>

#include "backend/cpu/cpu.h"
#include "op/window.h"

static bool depthwise(const nc_window3 *w)
{
	return w->groups == w->cx && w->cx > 1;
}

static bool unit_strides(const nc_window3 *w)
{
	return w->stride[0] * w->stride[1] * w->stride[2] == 1;
}

static bool anchors(const nacre_node *n)
{
	if (n->dtype != NACRE_F32 || (!nc_is(n, NC_OP_conv) && !nc_is(n, NC_OP_conv_input)))
		return false;
	nc_window3 w = nc_window_of(n);
	if (depthwise(&w))
		return nc_is(n, NC_OP_conv);
	return w.groups == 1 && (nc_is(n, NC_OP_conv) || unit_strides(&w));
}

bool nc_cpu_accepts_conv(nc_compile *c, const nc_group *g)
{
	if (g->effect || !anchors(g->anchor))
		return false;
	nc_vm_build *b = nc_arena_alloc(&c->arena, sizeof *b);
	if (!b || !nc_cpu_vm_build(c, g, b))
		return false;
	nc_window3 w = nc_window_of(g->anchor);
	bool panels = false; /* a depthwise tile is as wide as no panel */
	for (int i = 0; i < b->vm.n_operands; i++)
		panels |= b->vm.operand[i].access == NC_PANEL;
	for (int i = 0; i < b->vm.n_results; i++)
		panels |= b->vm.result[i].access == NC_PANEL;
	return !panels || !depthwise(&w);
}

static double bytes_of(const nacre_node *n, const nc_vm_build *b)
{
	return (double)nc_node_bytes(n->in[0]) + (double)nc_node_bytes(n->in[1]) +
	       (b ? nc_cpu_epilogue_bytes(b) : (double)nc_node_bytes(n));
}

static void copy3(int64_t *to, const int64_t *from)
{
	memcpy(to, from, 3 * sizeof *to);
}

/* the part of nc_conv that follows from the node alone: x to y */
static nc_conv conv_of(const nc_window3 *w)
{
	nc_conv k = {.n = w->n,
		     .groups = w->groups,
		     .ci = w->cx / w->groups,
		     .co = w->cy / w->groups,
		     .step = {1, 1, 1}};
	copy3(k.in, w->x);
	copy3(k.out, w->y);
	copy3(k.whole, w->y);
	copy3(k.size, w->size);
	copy3(k.stride, w->stride);
	copy3(k.dilation, w->dilation);
	copy3(k.before, w->before);
	return k;
}

/* -- filters into panels --------------------------------------------------------------------*/
static void run_pack(const nc_step *s, int tid, int nt, void *scratch)
{
	(void)scratch;
	NC_KERNELS(s)->conv_pack(s->args, tid, nt);
}
static void run_winograd_filter(const nc_step *s, int tid, int nt, void *scratch)
{
	(void)scratch;
	NC_KERNELS(s)->winograd_filter(s->args, tid, nt);
}

static size_t panel_bytes(const nc_conv *k)
{
	size_t panels = (size_t)((k->co + k->nr - 1) / k->nr);
	return (size_t)(k->size[0] * k->size[1] * k->size[2] * k->ci * k->groups) * panels *
	       (size_t)k->nr * sizeof(float);
}

/* The filter node in the panels that k's product reads, through `pack`, whose places are set. */
static int packed(nc_compile *c, nacre_node *f, const nc_conv *k, nc_conv_pack pack)
{
	const nacre_variable *v = nc_cpu_in_panels(c, f);
	int from = v ? nc_storage_of(c, f) : nc_plain(c, f);
	int to = nc_temporary(c, panel_bytes(k));
	pack.from_nr = v ? v->panel : 0;
	pack.nr = k->nr;
	if (from < 0 || to < 0)
		return -1;
	nc_step *s = nc_cpu_step(c, run_pack, sizeof pack, "conv pack", f, 0,
				 (double)nc_node_bytes(f) + (double)panel_bytes(k));
	if (!s)
		return -1;
	nc_conv_pack *a = s->args;
	*a = pack;
	if (!nc_reads(c, &a->f, from, 0) || !nc_writes(c, &a->panels, to, 0))
		return -1;
	nc_keep(c, f, to);
	return to;
}

/* The panels, or what Winograd's way reads, if k may take it with tiles of up to `most` and is
 * quicker so: k remembers. */
static int winograd(nc_compile *c, nacre_node *f, nc_conv *k, int panels, int most)
{
	k->winograd = most && c->optimize ? nc_cpu_kernels(c)->conv_winograd(k, most) : 0;
	if (panels < 0 || !k->winograd)
		return panels;
	size_t planes = (size_t)((k->winograd + 2) * (k->winograd + 2));
	int to = nc_temporary(c, panel_bytes(k) / 9 * planes);
	if (to < 0)
		return -1;
	nc_step *s = nc_cpu_step(c, run_winograd_filter, sizeof(nc_winograd_filter),
				 "winograd filter", f, 0,
				 (double)(panel_bytes(k) / 9 * (9 + planes)));
	if (!s)
		return -1;
	nc_winograd_filter *a = s->args;
	*a = (nc_winograd_filter){
	    .ci = k->ci, .co = k->co, .nr = k->nr, .side = k->winograd};
	if (!nc_reads(c, &a->panels, panels, 0) || !nc_writes(c, &a->u, to, 0))
		return -1;
	nc_keep(c, f, to);
	return to;
}

/* -- one convolution ------------------------------------------------------------------------*/
typedef struct conv_args {
	nc_conv conv;
	nc_vm vm;
} conv_args;

static void run_conv(const nc_step *s, int tid, int nt, void *scratch)
{
	NC_KERNELS(s)->conv(&((const conv_args *)s->args)->conv, tid, nt, scratch);
}

static const char *conv_name(const nc_conv *k, bool epilogue)
{
	if (k->winograd == 4)
		return epilogue ? "conv winograd 4x4+epilogue" : "conv winograd 4x4";
	if (k->winograd)
		return epilogue ? "conv winograd+epilogue" : "conv winograd";
	return epilogue ? "conv direct+epilogue" : "conv direct";
}

/* k of node n: x, panels and result are values; b: the epilogue, or NULL */
static bool add_conv(nc_compile *c, nacre_node *n, const nc_conv *k, int x, int panels, int y,
		     const nc_vm_build *b, double part)
{
	nc_step *s = nc_cpu_step(c, run_conv, sizeof(conv_args), conv_name(k, b), n,
				 n->op->flops(n) * part, bytes_of(n, b) * part);
	if (!s)
		return false;
	conv_args *a = s->args;
	a->conv = *k;
	if (b) {
		a->vm = b->vm;
		a->conv.vm = &a->vm;
	}
	if (!nc_reads(c, &a->conv.x, x, 0) || !nc_reads(c, &a->conv.b, panels, 0) ||
	    !(b ? nc_cpu_vm_connect(c, b, &a->vm) : nc_writes(c, &a->conv.y, y, 0)))
		return false;
	s = &c->program->step[c->program->n_steps - 1];
	for (int nt = 1; nt <= nc_pool_threads(c->runtime->pool); nt++) {
		size_t bytes = nc_cpu_kernels(c)->conv_scratch(&a->conv, nt);
		s->scratch = bytes > s->scratch ? bytes : s->scratch;
	}
	return true;
}

static bool lower_conv(nc_compile *c, nacre_node *n, const nc_window3 *w, const nc_vm_build *b)
{
	nacre_node *f = n->in[1];
	const nacre_variable *v = nc_cpu_in_panels(c, f);
	nc_conv k = conv_of(w);
	k.nr = v ? v->panel : nc_cpu_kernels(c)->gemm_width(k.co);
	int x = nc_plain(c, n->in[0]), y = b ? 0 : nc_plain(c, n), panels;
	if (v) {
		panels = nc_storage_of(c, f);
	} else {
		nc_conv_pack pack = {.groups = k.groups, .ci = k.ci, .co = k.co, .step = {1, 1, 1}};
		copy3(pack.size, k.size);
		copy3(pack.count, k.size);
		panels = packed(c, f, &k, pack);
	}
	panels = winograd(c, f, &k, panels, c->fast_convolution ? 4 : 2);
	return x >= 0 && y >= 0 && panels >= 0 && add_conv(c, n, &k, x, panels, y, b, 1);
}

/* -- the gradient by the input --------------------------------------------------------------*/
/* Places i of x with i = phase (mod stride) see places k of the window with
 * (phase + before - k dilation) divisible by the stride: every `step`th from `first`, `count` of
 * them; there y's place is i / stride + begin - j * apart for the jth. */
typedef struct phase {
	int64_t first, step, count, begin, apart;
} phase;

static phase phase_of(const nc_window3 *w, int d, int64_t p)
{
	int64_t s = w->stride[d], t = w->dilation[d], a = s, g = t;
	while (a) {
		int64_t r = g % a;
		g = a;
		a = r;
	}
	phase h = {.step = s / g, .apart = t / g};
	while (h.first < w->size[d] && (p + w->before[d] - h.first * t) % s != 0)
		h.first++;
	if (h.first < w->size[d])
		h.count = (w->size[d] - 1 - h.first) / h.step + 1;
	h.begin = (p + w->before[d] - h.first * t) / s;
	return h;
}

/* false: nothing of dy is seen, the places stay 0 */
static bool phase_conv(const nc_window3 *w, const int64_t *p, nc_conv *k, nc_conv_pack *pack)
{
	*k = (nc_conv){.n = w->n, .groups = w->groups};
	*pack = (nc_conv_pack){.groups = w->groups, .transposed = true};
	k->ci = pack->co = w->cy / w->groups;
	k->co = pack->ci = w->cx / w->groups;
	copy3(k->in, w->y);
	copy3(k->whole, w->x);
	copy3(k->step, w->stride);
	copy3(k->first, p);
	copy3(pack->size, w->size);
	bool any = true;
	for (int d = 0; d < 3; d++) {
		phase h = phase_of(w, d, p[d]);
		k->out[d] = p[d] < w->x[d] ? (w->x[d] - 1 - p[d]) / w->stride[d] + 1 : 0;
		k->size[d] = pack->count[d] = h.count;
		k->stride[d] = 1;
		k->dilation[d] = h.apart;
		k->before[d] = (h.count - 1) * h.apart - h.begin;
		pack->first[d] = h.first;
		pack->step[d] = h.step;
		any &= h.count > 0 && k->out[d] > 0;
	}
	return any;
}

static void phase_at(const nc_window3 *w, int64_t i, int64_t *p)
{
	p[0] = i / (w->stride[1] * w->stride[2]);
	p[1] = i / w->stride[2] % w->stride[1];
	p[2] = i % w->stride[2];
}

/* Do some places of x see nothing of dy? */
static bool leaves_out(const nc_window3 *w, int64_t phases)
{
	for (int64_t i = 0; i < phases; i++) {
		nc_conv k;
		nc_conv_pack pack;
		int64_t p[3];
		phase_at(w, i, p);
		bool inside = p[0] < w->x[0] && p[1] < w->x[1] && p[2] < w->x[2];
		if (inside && !phase_conv(w, p, &k, &pack))
			return true;
	}
	return false;
}

static double places(const int64_t *size)
{
	return (double)(size[0] * size[1] * size[2]);
}

static bool lower_conv_input(nc_compile *c, nacre_node *n, const nc_window3 *w,
			     const nc_vm_build *b)
{
	int64_t phases = w->stride[0] * w->stride[1] * w->stride[2];
	int dy = nc_plain(c, n->in[0]), dx = b ? 0 : nc_plain(c, n);
	if (dy < 0 || dx < 0 || (leaves_out(w, phases) && !nc_cpu_zero(c, n, dx)))
		return false;
	for (int64_t i = 0; i < phases; i++) {
		nc_conv k;
		nc_conv_pack pack;
		int64_t p[3];
		phase_at(w, i, p);
		if (!phase_conv(w, p, &k, &pack))
			continue;
		k.nr = nc_cpu_kernels(c)->gemm_width(k.co);
		int panels = packed(c, n->in[1], &k, pack);
		panels = winograd(c, n->in[1], &k, panels, phases == 1 ? 2 : 0);
		double part = places(k.size) / places(w->size);
		if (panels < 0 || !add_conv(c, n, &k, dy, panels, dx, b, part))
			return false;
	}
	return true;
}

/* -- depthwise ------------------------------------------------------------------------------*/
typedef struct depthwise_args {
	nc_depthwise d;
	nc_vm vm;
	float *df;
} depthwise_args;

static void run_depthwise(const nc_step *s, int tid, int nt, void *scratch)
{
	NC_KERNELS(s)->depthwise(&((const depthwise_args *)s->args)->d, tid, nt, scratch);
}
static void run_depthwise_input(const nc_step *s, int tid, int nt, void *scratch)
{
	const depthwise_args *a = s->args;
	(void)scratch;
	NC_KERNELS(s)->depthwise_input(&a->d, a->df, tid, nt);
}
static void run_depthwise_filter(const nc_step *s, int tid, int nt, void *scratch)
{
	const depthwise_args *a = s->args;
	(void)scratch;
	NC_KERNELS(s)->depthwise_filter(&a->d, a->df, tid, nt);
}

static nc_depthwise depthwise_of(const nc_window3 *w)
{
	nc_depthwise d = {.n = w->n, .cx = w->cx, .multiplier = w->cy / w->cx};
	copy3(d.in, w->x);
	copy3(d.out, w->y);
	copy3(d.size, w->size);
	copy3(d.stride, w->stride);
	copy3(d.dilation, w->dilation);
	copy3(d.before, w->before);
	return d;
}

static bool lower_depthwise(nc_compile *c, nacre_node *n, const nc_window3 *w, const nc_vm_build *b)
{
	int x = nc_plain(c, n->in[0]), f = nc_plain(c, n->in[1]), y = b ? 0 : nc_plain(c, n);
	if (x < 0 || f < 0 || y < 0)
		return false;
	nc_step *s = nc_cpu_step(c, run_depthwise, sizeof(depthwise_args),
				 b ? "depthwise+epilogue" : "depthwise", n, n->op->flops(n),
				 bytes_of(n, b));
	if (!s)
		return false;
	depthwise_args *a = s->args;
	a->d = depthwise_of(w);
	if (b) {
		a->vm = b->vm;
		a->d.vm = &a->vm;
	}
	s->scratch = nc_cpu_kernels(c)->depthwise_scratch(&a->d);
	return nc_reads(c, &a->d.x, x, 0) && nc_reads(c, &a->d.f, f, 0) &&
	       (b ? nc_cpu_vm_connect(c, b, &a->vm) : nc_writes(c, &a->d.y, y, 0));
}

/* by the input (in[0] is dy, in[1] the filter) or by the filter (x and dy) */
static bool lower_depthwise_back(nc_compile *c, nacre_node *n, const nc_window3 *w)
{
	bool by_filter = nc_is(n, NC_OP_conv_filter);
	int a0 = nc_plain(c, n->in[0]), a1 = nc_plain(c, n->in[1]), to = nc_plain(c, n);
	if (a0 < 0 || a1 < 0 || to < 0)
		return false;
	nc_step *s =
	    nc_cpu_step(c, by_filter ? run_depthwise_filter : run_depthwise_input,
			sizeof(depthwise_args), by_filter ? "depthwise filter" : "depthwise input",
			n, n->op->flops(n), bytes_of(n, NULL));
	if (!s)
		return false;
	depthwise_args *a = s->args;
	a->d = depthwise_of(w);
	return nc_reads(c, by_filter ? (const void *)&a->d.x : &a->d.y, a0, 0) &&
	       nc_reads(c, by_filter ? (const void *)&a->d.y : &a->d.f, a1, 0) &&
	       nc_writes(c, &a->df, to, 0);
}

/* -- entry points ---------------------------------------------------------------------------*/
bool nc_cpu_lower_conv(nc_compile *c, const nc_group *g)
{
	nacre_node *n = g->anchor ? g->anchor : g->node[0];
	nc_window3 w = nc_window_of(n);
	nc_vm_build *b = NULL;
	if (nc_node_size(n) == 0)
		return true;
	if (g->n > 1) {
		b = nc_arena_alloc(&c->arena, sizeof *b);
		if (!b)
			return nc_fail_memory(c);
		if (!nc_cpu_vm_build(c, g, b) || !nc_cpu_vm_prepare(c, b))
			return false;
	}
	if (!b && nc_node_size(n->in[0]) * nc_node_size(n->in[1]) == 0)
		return nc_cpu_zero(c, n, nc_plain(c, n));
	if (depthwise(&w))
		return nc_is(n, NC_OP_conv) ? lower_depthwise(c, n, &w, b)
					    : lower_depthwise_back(c, n, &w);
	return nc_is(n, NC_OP_conv) ? lower_conv(c, n, &w, b) : lower_conv_input(c, n, &w, b);
}

static void run_filter(const nc_step *s, int tid, int nt, void *scratch)
{
	NC_KERNELS(s)->conv_filter(s->args, tid, nt, scratch);
}
static void run_sum(const nc_step *s, int tid, int nt, void *scratch)
{
	(void)scratch;
	NC_KERNELS(s)->conv_sum(s->args, tid, nt);
}

bool nc_cpu_lower_conv_filter(nc_compile *c, nacre_node *n)
{
	nc_window3 w = nc_window_of(n);
	const nc_kernels *kernels = nc_cpu_kernels(c);
	if (n->dtype != NACRE_F32)
		return false;
	if (nc_node_size(n) == 0)
		return true;
	if (nc_node_size(n->in[0]) * nc_node_size(n->in[1]) == 0)
		return nc_cpu_zero(c, n, nc_plain(c, n));
	if (depthwise(&w))
		return lower_depthwise_back(c, n, &w);
	nc_conv_filter k = {.c = conv_of(&w)};
	k.c.nr = kernels->gemm_width(k.c.co);
	k.winograd = c->optimize && kernels->filter_winograd(&k.c);
	k.chunks = kernels->conv_filter_chunks(&k);
	bool panels = k.c.groups == 1 && nc_cpu_only_updates_panels(c, n);
	int x = nc_plain(c, n->in[0]), dy = nc_plain(c, n->in[1]);
	int to = panels ? nc_cpu_panels_value(c, n) : nc_plain(c, n);
	bool whole = panels && k.chunks == 1 && !k.winograd; /* the sums are the result */
	size_t bytes = panel_bytes(&k.c) * (size_t)k.chunks;
	if (k.winograd)
		bytes = bytes / 9 * 16;
	int partial = whole ? to : nc_temporary(c, bytes);
	if (x < 0 || dy < 0 || to < 0 || partial < 0)
		return false;
	nc_step *s = nc_cpu_step(c, run_filter, sizeof k,
				 k.winograd ? "conv filter winograd" : "conv filter", n,
				 n->op->flops(n), bytes_of(n, NULL));
	if (!s)
		return false;
	nc_conv_filter *a = s->args;
	*a = k;
	s->scratch = kernels->conv_filter_scratch(a);
	if (!nc_reads(c, &a->c.x, x, 0) || !nc_reads(c, &a->c.y, dy, 0) ||
	    !nc_writes(c, &a->partial, partial, 0))
		return false;
	if (whole)
		return true;
	s = nc_cpu_step(c, run_sum, sizeof(nc_conv_sum), "conv filter sum", n, 0, (double)bytes);
	if (!s)
		return false;
	nc_conv_sum *sum = s->args;
	*sum = (nc_conv_sum){.k = k.c.size[0] * k.c.size[1] * k.c.size[2] * k.c.ci,
			     .co = k.c.co,
			     .groups = k.c.groups,
			     .chunks = k.chunks,
			     .nr = k.c.nr,
			     .panels = panels,
			     .winograd = k.winograd};
	return nc_reads(c, &sum->partial, partial, 0) && nc_writes(c, &sum->f, to, 0);
}
