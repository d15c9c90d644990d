/* SPDX-License-Identifier: MIT
 *
 * lower.c - values and steps: the records that a backend fills while it turns groups into calls.
 */
#include <string.h>

#include "compile/backend.h"
#include "compile/compile.h"

/* -- growing records ------------------------------------------------------------------------*/
static bool reserve(nc_compile *c, void *array, int n, int *capacity, size_t size)
{
	if (n < *capacity)
		return true;
	int more = *capacity ? *capacity * 2 : 32;
	void **p = array;
	void *grown =
	    nc_realloc(&c->runtime->memory, *p, (size_t)*capacity * size, (size_t)more * size);
	if (!grown)
		return nc_fail_memory(c);
	*p = grown;
	*capacity = more;
	return true;
}

int nc_value_new(nc_compile *c, nc_where where, size_t size)
{
	nacre_program *p = c->program;
	if (!reserve(c, &p->value, p->n_values, &p->values_capacity, sizeof *p->value))
		return -1;
	p->value[p->n_values] =
	    (nc_value){.where = where, .size = size, .first = -1, .last = -1, .patch = -1};
	return p->n_values++;
}

nc_step *nc_step_new(nc_compile *c, nc_step_fn *run, size_t args_size, const char *kernel,
		     const nacre_node *node)
{
	nacre_program *p = c->program;
	void *args = nc_arena_alloc(&c->graph->arena, args_size);
	if (!args || !reserve(c, &p->step, p->n_steps, &p->steps_capacity, sizeof *p->step)) {
		nc_fail_memory(c);
		return NULL;
	}
	nc_step *s = &p->step[p->n_steps++];
	*s = (nc_step){.run = run, .args = args, .kernel = kernel, .node = node, .use = -1};
	return s;
}

static bool use(nc_compile *c, const void *field, int value, size_t offset, bool write)
{
	nacre_program *p = c->program;
	if (value < 0 ||
	    !reserve(c, &p->patch, p->n_patches, &p->patches_capacity, sizeof *p->patch) ||
	    !reserve(c, &p->use, p->n_uses, &p->uses_capacity, sizeof *p->use))
		return false;
	nc_value *v = &p->value[value];
	nc_step *s = &p->step[p->n_steps - 1];
	void **at = (void **)(uintptr_t)field;
	p->patch[p->n_patches] = (nc_patch){at, offset, v->patch};
	v->patch = p->n_patches++;
	p->use[p->n_uses] = (nc_use){value, write, s->use};
	s->use = p->n_uses++;
	if (v->first < 0)
		v->first = p->n_steps - 1;
	v->last = p->n_steps - 1;
	return true;
}
bool nc_reads(nc_compile *c, const void *field, int value, size_t offset)
{
	return use(c, field, value, offset, false);
}
bool nc_writes(nc_compile *c, const void *field, int value, size_t offset)
{
	return use(c, field, value, offset, true);
}

void nc_keep(nc_compile *c, const nacre_node *n, int value)
{
	const nacre_variable *v = nc_variable_of(n);
	for (int e = v ? c->users[n->id] : -1; e >= 0; e = c->edge[e].next)
		if (nc_changes(c->edge[e].user, n))
			return;
	if (!v || !c->optimize)
		return;
	c->program->step[c->program->n_steps - 1].of = v;
	c->program->remembers = true;
	if (value >= 0)
		c->program->value[value].kept = true;
}

/* -- values of nodes ------------------------------------------------------------------------*/
size_t nc_node_bytes(const nacre_node *n)
{
	return (size_t)nc_node_size(n) * nacre_dtype_size(n->dtype);
}

int nc_temporary(nc_compile *c, size_t size)
{
	return nc_value_new(c, NC_AT_WORKSPACE, size);
}

int nc_storage_of(nc_compile *c, nacre_node *n)
{
	if (c->native[n->id] < 0) {
		nacre_variable *v = nc_variable_of(n);
		int value = nc_value_new(c, NC_AT_VARIABLE, v->size);
		if (value < 0)
			return -1;
		c->program->value[value].data = v->data;
		c->program->value[value].variable = v;
		c->native[n->id] = value;
	}
	return c->native[n->id];
}

static int constant_value(nc_compile *c, const void *data, size_t size)
{
	int value = nc_value_new(c, NC_AT_CONSTANT, size);
	void *copy = nc_arena_alloc(&c->graph->arena, size + 1);
	if (value < 0 || !copy)
		return nc_fail_memory(c) - 1;
	if (size)
		memcpy(copy, data, size);
	c->program->value[value].data = copy;
	return value;
}

int nc_scalar(nc_compile *c, nacre_node *n)
{
	if (!nc_is(n, NC_OP_fill))
		return nc_node_size(n) == 1 ? nc_plain(c, n) : -1;
	if (c->scalar[n->id] < 0) {
		uint8_t bytes[16] = {0};
		nc_element_set(n->dtype, bytes, 0, ((const nc_attr_fill *)n->attr)->value);
		c->scalar[n->id] = constant_value(c, bytes, nacre_dtype_size(n->dtype));
	}
	return c->scalar[n->id];
}

static int arange_value(nc_compile *c, const nacre_node *n)
{
	const nc_attr_arange *a = n->attr;
	void *data = nc_arena_alloc(&c->graph->arena, nc_node_bytes(n) + 1);
	int value = nc_value_new(c, NC_AT_CONSTANT, nc_node_bytes(n));
	if (!data || value < 0)
		return nc_fail_memory(c) - 1;
	for (int64_t i = 0; i < a->n; i++)
		nc_element_set(n->dtype, data, i, a->start + (double)i * a->step);
	c->program->value[value].data = data;
	return value;
}

static int variable_plain(nc_compile *c, nacre_node *n)
{
	const nacre_variable *v = nc_variable_of(n);
	int storage = nc_storage_of(c, n);
	if (storage < 0 || v->panel == 0)
		return storage;
	int value = nc_temporary(c, nc_node_bytes(n));
	return value >= 0 && c->backend->unpack(c, n, storage, value) ? value : -1;
}

static int new_plain(nc_compile *c, nacre_node *n)
{
	int value;
	switch (n->op->index) {
	case NC_OP_placeholder:
		return nc_value_new(c, NC_AT_INPUT, nc_node_bytes(n));
	case NC_OP_variable:
		return variable_plain(c, n);
	case NC_OP_constant:
		return constant_value(c, ((const nc_attr_constant *)n->attr)->data,
				      nc_node_bytes(n));
	case NC_OP_arange:
		return arange_value(c, n);
	case NC_OP_fill:
		if (nc_node_size(n) == 1)
			return nc_scalar(c, n);
		value = nc_temporary(c, nc_node_bytes(n));
		return value >= 0 && c->backend->fill(c, n, value) ? value : -1;
	default:
		if (n->op->flags & NC_OP_RESHAPES)
			return nc_plain(c, n->in[0]);
		return nc_temporary(c, nc_node_bytes(n));
	}
}

int nc_plain(nc_compile *c, nacre_node *n)
{
	if (c->plain[n->id] < 0)
		c->plain[n->id] = new_plain(c, n);
	return c->plain[n->id];
}

bool nc_lower(nc_compile *c)
{
	size_t n = (size_t)c->graph->n + 1;
	c->plain = nc_arena_alloc(&c->arena, n * sizeof *c->plain);
	c->scalar = nc_arena_alloc(&c->arena, n * sizeof *c->scalar);
	c->native = nc_arena_alloc(&c->arena, n * sizeof *c->native);
	if (!c->plain || !c->scalar || !c->native)
		return nc_fail_memory(c);
	for (int i = 0; i < c->graph->n; i++)
		c->plain[i] = c->scalar[i] = c->native[i] = -1;
	for (int i = 0; i < c->n_groups; i++)
		if (!c->backend->lower(c, &c->group[c->order[i]]))
			return false;
	return true;
}
