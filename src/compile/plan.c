/* SPDX-License-Identifier: MIT
 *
 * plan.c - where values lie, and where threads wait.
 *
 * Each workspace value lives from the step that makes it to the last that uses it.  Values are placed
 * largest first, each at the lowest offset that no value alive at the same time occupies.  Then a
 * barrier goes before a step that touches memory which a step since the last barrier wrote, or writes
 * what one of them read, unless thread 0 does both.
 */
#include <stdlib.h>
#include <string.h>

#include "compile/compile.h"

static bool lives_with(const nc_value *a, const nc_value *b)
{
	return a->first <= b->last && b->first <= a->last;
}

typedef struct placed {
	size_t size;
	int value;
} placed;

static int larger_first(const void *a, const void *b)
{
	const placed *x = a, *y = b;
	if (x->size != y->size)
		return x->size < y->size ? 1 : -1;
	return x->value - y->value;
}
static int by_offset(const void *a, const void *b)
{
	const placed *x = a, *y = b; /* size holds the offset here */
	return x->size < y->size ? -1 : x->size > y->size;
}

/* the lowest gap that holds v among those of done[0..n) that live with it */
static size_t lowest_gap(const nacre_program *p, const nc_value *v, const placed *done, int n,
			 placed *near)
{
	int k = 0;
	for (int i = 0; i < n; i++) {
		const nc_value *w = &p->value[done[i].value];
		if (lives_with(v, w))
			near[k++] = (placed){w->offset, done[i].value};
	}
	qsort(near, (size_t)k, sizeof *near, by_offset);
	size_t at = 0;
	for (int i = 0; i < k; i++) {
		const nc_value *w = &p->value[near[i].value];
		if (w->offset >= at + v->size)
			break;
		size_t end = nc_round_up(w->offset + w->size, NC_ALIGN);
		if (end > at)
			at = end;
	}
	return at;
}

static bool place(nc_compile *c)
{
	nacre_program *p = c->program;
	size_t n = (size_t)p->n_values + 1;
	placed *list = nc_arena_alloc(&c->arena, n * sizeof *list);
	placed *near = nc_arena_alloc(&c->arena, n * sizeof *near);
	if (!list || !near)
		return nc_fail_memory(c);
	for (int i = 0; i < p->n_outputs; i++) /* results stay readable after the run */
		if (p->output[i] >= 0) {
			nc_value *v = &p->value[p->output[i]];
			v->last = p->n_steps;
			if (v->first < 0)
				v->first = 0;
		}
	int k = 0;
	for (int i = 0; i < p->n_values; i++)
		if (p->value[i].where == NC_AT_WORKSPACE && p->value[i].first >= 0)
			list[k++] = (placed){p->value[i].size, i};
	qsort(list, (size_t)k, sizeof *list, larger_first);
	for (int i = 0; i < k; i++) {
		nc_value *v = &p->value[list[i].value];
		size_t end;
		v->offset = lowest_gap(p, v, list, i, near);
		if (!nc_add(v->offset, v->size + NC_ALIGN, &end))
			return nc_fail_memory(c);
		if (end > p->workspace_size)
			p->workspace_size = end;
	}
	return true;
}

/* -- barriers -----------------------------------------------------------------------------------------*/
static bool overlap(const nc_value *a, const nc_value *b)
{
	if (a->where != NC_AT_WORKSPACE || b->where != NC_AT_WORKSPACE)
		return a == b || (a->variable && a->variable == b->variable);
	return a->offset < b->offset + b->size && b->offset < a->offset + a->size;
}
static bool conflict(const nacre_program *p, const nc_step *a, const nc_step *b)
{
	if (a->serial && b->serial)
		return false;
	for (int i = a->use; i >= 0; i = p->use[i].next)
		for (int j = b->use; j >= 0; j = p->use[j].next)
			if ((p->use[i].write || p->use[j].write) &&
			    overlap(&p->value[p->use[i].value], &p->value[p->use[j].value]))
				return true;
	return false;
}

/* Sharing costs two or three waits of some 0.3 us: worth it above a few microseconds of work. */
enum { SHARE_FLOPS = 200000, SHARE_BYTES = 100000 };

static void add_barriers(nacre_program *p)
{
	int since = 0;
	for (int i = 0; i < p->n_steps; i++) {
		nc_step *s = &p->step[i];
		s->serial |= s->flops < SHARE_FLOPS && s->bytes < SHARE_BYTES;
		p->parallel |= !s->serial;
		p->flops += s->flops;
		if (s->scratch > p->scratch_size)
			p->scratch_size = s->scratch;
		for (int j = since; j < i && !s->barrier; j++)
			s->barrier = conflict(p, &p->step[j], s);
		if (s->barrier)
			since = i;
	}
	p->scratch_size = nc_round_up(p->scratch_size + 4096, 4096);
}

static bool resolve(nc_compile *c)
{
	nacre_program *p = c->program;
	p->workspace = nc_alloc(&c->runtime->memory, p->workspace_size);
	if (!p->workspace)
		return nc_fail_memory(c);
	for (int i = 0; i < p->n_values; i++) {
		nc_value *v = &p->value[i];
		if (v->where == NC_AT_WORKSPACE)
			v->data = p->workspace + v->offset;
		for (int k = v->patch; k >= 0 && v->data; k = p->patch[k].next)
			*p->patch[k].field = (uint8_t *)v->data + p->patch[k].offset;
	}
	return true;
}

bool nc_plan(nc_compile *c)
{
	if (!place(c))
		return false;
	add_barriers(c->program);
	return resolve(c);
}
