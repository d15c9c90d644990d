/* SPDX-License-Identifier: MIT
 *
 * plan.c - where values lie, and where threads wait.
 *
 * Each workspace value lives from the step that makes it to the last that uses it.  Values are
 * placed largest first, each at the lowest offset that no value alive at the same time occupies.
 * Then a barrier goes before a step that touches memory which a step since the last barrier wrote,
 * or writes what one of them read, unless thread 0 does both.
 */
#include <stdlib.h>
#include <string.h>

#include "compile/compile.h"

static bool lives_with(const nc_value *a, const nc_value *b)
{
	return a->first <= b->last && b->first <= a->last;
}

static int larger_first(const void *a, const void *b, void *program)
{
	const nacre_program *p = program;
	int i = *(const int *)a, j = *(const int *)b;
	size_t x = p->value[i].size, y = p->value[j].size;
	return x != y ? (x < y ? 1 : -1) : i - j;
}

/* the lowest gap that holds v among those of placed[0..n), which are in the order of their offsets
 */
static size_t lowest_gap(const nacre_program *p, const nc_value *v, const int *placed, int n)
{
	size_t at = 0;
	for (int i = 0; i < n; i++) {
		const nc_value *w = &p->value[placed[i]];
		if (!lives_with(v, w))
			continue;
		if (w->offset >= at + v->size)
			break;
		size_t end = nc_round_up(w->offset + w->size, NC_ALIGN);
		if (end > at)
			at = end;
	}
	return at;
}

static void insert(const nacre_program *p, int *placed, int n, int value)
{
	int i = n;
	for (; i > 0 && p->value[placed[i - 1]].offset > p->value[value].offset; i--)
		placed[i] = placed[i - 1];
	placed[i] = value;
}

static bool place(nc_compile *c)
{
	nacre_program *p = c->program;
	size_t n = (size_t)p->n_values + 1;
	int *list = nc_arena_alloc(&c->arena, n * sizeof *list);
	int *placed = nc_arena_alloc(&c->arena, n * sizeof *placed);
	if (!list || !placed)
		return nc_fail_memory(c);
	for (int i = 0; i < p->n_outputs; i++) /* results stay readable after the run */
		if (p->output[i] >= 0) {
			nc_value *v = &p->value[p->output[i]];
			v->last = p->n_steps;
			if (v->first < 0)
				v->first = 0;
		}
	for (int i = 0; i < p->n_values; i++)
		if (p->value[i].kept) {
			p->value[i].first = 0;
			p->value[i].last = p->n_steps;
		}
	int k = 0;
	for (int i = 0; i < p->n_values; i++)
		if (p->value[i].where == NC_AT_WORKSPACE && p->value[i].first >= 0)
			list[k++] = i;
	qsort_r(list, (size_t)k, sizeof *list, larger_first, p);
	for (int i = 0; i < k; i++) {
		nc_value *v = &p->value[list[i]];
		size_t end;
		v->offset = lowest_gap(p, v, placed, i);
		insert(p, placed, i, list[i]);
		if (!nc_add(v->offset, v->size + NC_ALIGN, &end))
			return nc_fail_memory(c);
		if (end > p->workspace_size)
			p->workspace_size = end;
	}
	return true;
}

/* -- barriers -------------------------------------------------------------------------------*/
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

/* variables that some step writes come first */
static void find_changed(nacre_program *p)
{
	for (int i = 0; i < p->n_steps; i++)
		for (int u = p->step[i].use; u >= 0; u = p->use[u].next) {
			const nacre_variable *v = p->value[p->use[u].value].variable;
			int at = p->n_changed;
			while (p->use[u].write && v && at < p->n_variables && p->variable[at] != v)
				at++;
			if (!p->use[u].write || !v || at == p->n_variables)
				continue; /* or it is among them already */
			p->variable[at] = p->variable[p->n_changed];
			p->variable[p->n_changed++] = (nacre_variable *)(uintptr_t)v;
		}
}

bool nc_plan(nc_compile *c)
{
	if (!place(c))
		return false;
	add_barriers(c->program);
	find_changed(c->program);
	return resolve(c);
}
