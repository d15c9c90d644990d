/* SPDX-License-Identifier: MIT
 *
 * model.c - defining a model: its layers, the values between them, its errors.
 *
 * Every layer is called once on a scratch graph of batch 1 as soon as it is applied: so a shape
 * that does not fit is found where it was written.
 */
#include "train/model.h"

#include "nn/policy.h"

#include <stdio.h>
#include <string.h>

/* -- errors ------------------------------------------------------------------------------------ */
nacre_status nc_model_fail(nacre_model *m, bool breaks, nacre_status status, const char *format,
			   ...)
{
	va_list args;
	va_start(args, format);
	nc_failv(&m->error, status, format, args);
	va_end(args);
	m->broken |= breaks;
	return m->error.status;
}

nacre_status nc_model_take(nacre_model *m, bool breaks, const char *what, const nacre_error *e)
{
	nacre_status status = e->status ? e->status : NACRE_NO_MEMORY;
	const char *text = e->status ? e->text : "out of memory";
	if (what)
		return nc_model_fail(m, breaks, status, "%s: %s", what, text);
	return nc_model_fail(m, breaks, status, "%s", text);
}

bool nc_model_ready(nacre_model *m, const char *what, bool compiled)
{
	if (!m || m->error.status)
		return false;
	if (m->n_inputs == 0 || m->n_outputs == 0)
		nc_model_fail(m, false, NACRE_INVALID, "%s: the model has no %s", what,
			      m->n_inputs ? "output" : "input");
	else if (compiled && !m->compiled)
		nc_model_fail(m, false, NACRE_INVALID, "%s: the model is not compiled", what);
	return !m->error.status;
}

const nacre_error *nacre_model_error(const nacre_model *m)
{
	static const nacre_error none = {NACRE_NO_MEMORY, "no model: out of memory"};
	return m ? &m->error : &none;
}

int nacre_report(nacre_model *m)
{
	const nacre_error *e = nacre_model_error(m);
	if (!e->status)
		return 0;
	nacre_runtime *rt = m ? m->runtime : nc_runtime(NULL);
	if (rt && m && m->name[0])
		nc_print(rt, NACRE_ERR, "%s: %s\n", m->name, e->text);
	else if (rt)
		nc_print(rt, NACRE_ERR, "nacre: %s\n", e->text);
	return (int)e->status;
}

nacre_status nacre_clear_error(nacre_model *m)
{
	if (!m)
		return NACRE_NO_MEMORY;
	if (!m->broken)
		m->error = (nacre_error){0};
	return m->error.status;
}

/* -- making and freeing ------------------------------------------------------------------------ */
static nacre_model *model_new(nacre_runtime *runtime, const char *name, bool sequential)
{
	nacre_runtime *rt = nc_runtime(runtime);
	if (!rt)
		return NULL;
	nacre_model *m = nc_zero_alloc(&rt->memory, sizeof *m);
	if (!m)
		return NULL;
	m->runtime = rt;
	nc_arena_init(&m->arena, &rt->memory);
	m->sequential = sequential;
	m->layers_end = &m->layers;
	m->calls_end = &m->calls;
	m->nothing.model = m;
	m->name = nc_arena_string(&m->arena, name         ? name
					     : sequential ? "sequential"
							  : "functional");
	m->scratch = nacre_graph_new(rt);
	if (m->name && m->scratch)
		return m;
	nacre_model_free(m);
	return NULL;
}

nacre_model *nacre_sequential_in(nacre_runtime *runtime, const char *name)
{
	return model_new(runtime, name, true);
}

nacre_model *nacre_functional_in(nacre_runtime *runtime, const char *name)
{
	return model_new(runtime, name, false);
}

nacre_model *nacre_sequential(const char *name)
{
	return model_new(NULL, name, true);
}

nacre_model *nacre_functional(const char *name)
{
	return model_new(NULL, name, false);
}

void nacre_model_free(nacre_model *m)
{
	if (!m)
		return;
	nc_model_drop_programs(m);
	nc_model_drop_slots(m);
	nacre_graph_free(m->scratch);
	for (nacre_layer *l = m->layers, *next; l; l = next) {
		next = l->next;
		nacre_layer_free(l);
	}
	nc_history_free(m);
	nc_arena_free(&m->arena);
	nc_free(&m->runtime->memory, m, sizeof *m);
}

nacre_status nacre_set_seed(nacre_model *m, uint64_t seed)
{
	if (!m || m->error.status)
		return nacre_model_error(m)->status;
	if (m->drawn)
		return nc_model_fail(
		    m, false, NACRE_INVALID,
		    "set_seed: the weights are drawn already; set the seed before compile");
	if (m->seed != seed)
		nc_model_drop_programs(m); /* it is in them */
	m->seed = seed;
	return NACRE_OK;
}

nacre_status nacre_set_fast_convolution(nacre_model *m, int on)
{
	if (!m || m->error.status)
		return nacre_model_error(m)->status;
	if (m->fast_convolution != !!on)
		nc_model_drop_programs(m);
	m->fast_convolution = on;
	return NACRE_OK;
}

nacre_status nacre_set_policy(nacre_model *m, nacre_policy p)
{
	if (!m || m->error.status)
		return nacre_model_error(m)->status;
	if (!nacre_policy_name(p))
		return nc_model_fail(m, true, NACRE_INVALID, "set_policy: %d is none", (int)p);
	m->policy = p;
	return NACRE_OK;
}

/* -- taking layers in -------------------------------------------------------------------------- */
/* dense, dense_1, dense_2 ...: the first that is free */
static void give_name(nacre_model *m, nacre_layer *l)
{
	char name[NC_NAME_SIZE];
	snprintf(name, sizeof name, "%s", l->class->snake);
	for (int i = 1; nacre_get_layer(m, name); i++)
		snprintf(name, sizeof name, "%s_%d", l->class->snake, i);
	memcpy(l->name, name, sizeof name);
}

/* From here on the layer is the model's, whatever happens next. */
bool nc_model_adopt(nacre_model *m, nacre_layer *l)
{
	if (l->owner == m)
		return !m->error.status;
	if (l->owner) {
		nc_model_fail(m, true, NACRE_INVALID, "%s: the layer belongs to another model",
			      l->name);
		return false;
	}
	bool twice = l->name[0] && nacre_get_layer(m, l->name);
	if (!l->name[0])
		give_name(m, l);
	l->owner = m;
	nc_layer_inherit(l, m->policy);
	*m->layers_end = l;
	m->layers_end = &l->next;
	m->n_layers++;
	if (l->error.status)
		nc_model_take(m, true, NULL, &l->error);
	else if (twice)
		nc_model_fail(m, true, NACRE_INVALID, "%s: a layer of that name is there already",
			      l->name);
	return !m->error.status;
}

static nacre_value *value_new(nacre_model *m, nacre_layer *l, nacre_node *node)
{
	nacre_value *v = node ? nc_arena_alloc(&m->arena, sizeof *v) : NULL;
	if (!v) {
		nc_model_fail(m, true, NACRE_NO_MEMORY, "%s: out of memory", l->name);
		return &m->nothing;
	}
	v->model = m;
	v->layer = l;
	v->node = node;
	v->dtype = node->dtype;
	v->rank = node->rank;
	memcpy(v->shape, node->shape, sizeof v->shape);
	if (v->rank)
		v->shape[0] = -1;
	for (nc_apply *a = m->calls; a; a = a->next)
		v->call += a->layer == l;
	return v;
}

nacre_value *nacre_model_input(nacre_model *m, nacre_layer *l)
{
	if (!m)
		return NULL;
	if (!l)
		nc_model_fail(m, true, NACRE_NO_MEMORY, "input: no layer: out of memory");
	if (!l || !nc_model_adopt(m, l))
		return &m->nothing;
	if (l->class != &nc_class_input)
		nc_model_fail(m, true, NACRE_INVALID, "%s: expected nacre_input(...) here, got %s",
			      l->name, l->class->name);
	else if (m->n_inputs == NACRE_MAX_PORTS)
		nc_model_fail(m, true, NACRE_INVALID, "%s: at most %d inputs", l->name,
			      NACRE_MAX_PORTS);
	else if (l->built)
		nc_model_fail(m, true, NACRE_INVALID, "%s: is an input of the model already",
			      l->name);
	if (m->error.status)
		return &m->nothing;
	const nacre_input_options *o = nc_input_options(l);
	int64_t shape[NACRE_MAX_RANK] = {1};
	int rank = nc_shape_rank(o->shape);
	memcpy(shape + 1, o->shape, (size_t)rank * sizeof *shape);
	l->built = true;
	nacre_node *x = nacre_placeholder(m->scratch, l->name, o->dtype, rank + 1, shape);
	if (!x) {
		nc_model_take(m, true, l->name, nacre_graph_error(m->scratch));
		return &m->nothing;
	}
	nacre_value *v = value_new(m, l, x);
	if (v != &m->nothing)
		m->input[m->n_inputs++] = v;
	return v;
}

static nc_apply *apply_new(nacre_model *m, nacre_layer *l, int n, nacre_value *const *x)
{
	nc_apply *a = nc_arena_alloc(&m->arena, sizeof *a);
	nacre_value **in = nc_arena_copy(&m->arena, x, (size_t)n * sizeof *in);
	if (!a || !in) {
		nc_model_fail(m, true, NACRE_NO_MEMORY, "%s: out of memory", l->name);
		return NULL;
	}
	*a = (nc_apply){.layer = l, .n = n, .x = in};
	return a;
}

static nacre_value *apply(nacre_model *m, nacre_layer *l, int n, nacre_value *const *x)
{
	nc_call c = {.runtime = m->runtime, .graph = m->scratch, .error = &m->error};
	c.room = m->room;
	c.policy = m->policy;
	c.effects_end = &c.effects;
	nc_model_drop_programs(m); /* made before this layer came */
	nc_apply *a = apply_new(m, l, n, x);
	nacre_node **in = nc_arena_alloc(&m->arena, 2 * (size_t)n * sizeof *in), **mask = in + n;
	if (!a || !in) {
		nc_model_fail(m, true, NACRE_NO_MEMORY, "%s: out of memory", l->name);
		return &m->nothing;
	}
	for (int i = 0; i < n; i++) {
		in[i] = x[i]->node;
		mask[i] = x[i]->mask;
		c.mask = mask[i] ? mask : c.mask;
	}
	nacre_node *y = nc_layer_call(&c, l, n, in);
	if (!y || m->error.status) {
		m->broken = true;
		return &m->nothing;
	}
	a->y = value_new(m, l, y);
	if (a->y == &m->nothing)
		return a->y;
	a->y->mask = c.mask_out;
	nacre_value *last = a->y;
	for (int i = 0; i < c.n_more; i++, last = last->more) {
		last->more = value_new(m, l, c.more[i]);
		if (last->more == &m->nothing) {
			last->more = NULL;
			return &m->nothing;
		}
		last->more->mask = c.more_mask[i];
		last->more->output = i + 1;
	}
	*m->calls_end = a;
	m->calls_end = &a->next;
	return a->y;
}

nacre_value *nacre_apply_n(nacre_layer *l, int n, nacre_value *const *x)
{
	if (n < 1 || !x || !x[0])
		return NULL;
	nacre_model *m = x[0]->model;
	if (!l) {
		nc_model_fail(m, true, NACRE_NO_MEMORY, "apply: no layer: out of memory");
		return &m->nothing;
	}
	if (!nc_model_adopt(m, l))
		return &m->nothing;
	for (int i = 0; i < n; i++)
		if (!x[i] || x[i]->model != m) {
			nc_model_fail(m, true, NACRE_INVALID, "%s: input %d is %s", l->name, i,
				      x[i] ? "a value of another model" : "NULL");
			return &m->nothing;
		}
	if (m->compiled || m->nested) {
		nc_model_fail(m, false, NACRE_INVALID, "%s: the model is %s already", l->name,
			      m->compiled ? "compiled" : "a layer");
		return &m->nothing;
	}
	return apply(m, l, n, x);
}

nacre_value *nacre_apply(nacre_layer *l, nacre_value *x)
{
	return nacre_apply_n(l, 1, &x);
}

nacre_status nacre_model_output(nacre_model *m, nacre_value *y)
{
	if (!m || m->error.status)
		return nacre_model_error(m)->status;
	if (!y || y->model != m)
		return nc_model_fail(m, true, NACRE_INVALID, "output %d is %s", m->n_outputs,
				     y ? "a value of another model" : "NULL");
	if (m->sequential || m->compiled)
		return nc_model_fail(m, true, NACRE_INVALID, "output: the model is %s",
				     m->compiled ? "compiled already"
						 : "sequential: its last layer is its output");
	if (m->n_outputs == NACRE_MAX_PORTS)
		return nc_model_fail(m, true, NACRE_INVALID, "output: at most %d outputs",
				     NACRE_MAX_PORTS);
	m->output[m->n_outputs++] = y;
	return NACRE_OK;
}

nacre_status nacre_add(nacre_model *m, nacre_layer *l)
{
	if (!m) {
		if (l && !l->owner)
			nacre_layer_free(l);
		return NACRE_NO_MEMORY;
	}
	if (!l)
		return nc_model_fail(m, true, NACRE_NO_MEMORY, "add: no layer: out of memory");
	if (m->error.status) {
		nc_model_adopt(m, l);
		return m->error.status;
	}
	if (l->owner == m)
		return nc_model_fail(m, true, NACRE_INVALID,
				     "%s: the layer is in the model already", l->name);
	if (!nc_model_adopt(m, l))
		return m->error.status;
	if (!m->sequential)
		return nc_model_fail(m, true, NACRE_INVALID,
				     "%s: add is for sequential models; use nacre_apply", l->name);
	if (m->compiled)
		return nc_model_fail(m, true, NACRE_INVALID, "%s: the model is compiled already",
				     l->name);
	if (!m->n_inputs && l->class != &nc_class_input)
		return nc_model_fail(m, true, NACRE_INVALID,
				     "%s: the first layer must be nacre_input(...), got %s",
				     l->name, l->class->name);
	nacre_value *v = m->n_inputs ? nacre_apply(l, m->output[0]) : nacre_model_input(m, l);
	if (!m->error.status) {
		m->output[0] = v;
		m->n_outputs = 1;
	}
	return m->error.status;
}

/* -- looking at it ----------------------------------------------------------------------------- */
nacre_value *nacre_value_output(nacre_value *y, int i)
{
	nacre_value *v = y;
	while (v && v->output != i)
		v = v->more;
	if (v || !y)
		return v;
	nc_model_fail(y->model, true, NACRE_INVALID, "%s: it has no output %d",
		      y->layer ? y->layer->name : "value", i);
	return &y->model->nothing;
}

int nacre_value_rank(const nacre_value *v)
{
	return v ? v->rank : 0;
}

const int64_t *nacre_value_shape(const nacre_value *v)
{
	return v ? v->shape : NULL;
}

const char *nacre_model_name(const nacre_model *m)
{
	return m ? m->name : "";
}

int nacre_model_layers(const nacre_model *m)
{
	return m ? m->n_layers : 0;
}

nacre_layer *nacre_model_layer(const nacre_model *m, int i)
{
	nacre_layer *l = m && i >= 0 ? m->layers : NULL;
	while (l && i-- > 0)
		l = l->next;
	return l;
}

nacre_layer *nacre_get_layer(const nacre_model *m, const char *name)
{
	nacre_layer *l = m && name ? m->layers : NULL;
	while (l && strcmp(l->name, name) != 0)
		l = l->next;
	return l;
}

int nacre_model_outputs(const nacre_model *m)
{
	return m ? m->n_outputs : 0;
}

nacre_value *nacre_model_output_value(nacre_model *m, int i)
{
	return m && i >= 0 && i < m->n_outputs ? m->output[i] : NULL;
}

int nacre_model_inputs(const nacre_model *m)
{
	return m ? m->n_inputs : 0;
}

nacre_value *nacre_model_input_value(nacre_model *m, int i)
{
	return m && i >= 0 && i < m->n_inputs ? m->input[i] : NULL;
}
