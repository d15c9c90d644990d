/* SPDX-License-Identifier: MIT
 *
 * program.c - nacre_program: runs the passes in order, and the result as often as asked.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compile/backend.h"
#include "compile/compile.h"
#include "nacre/graph.h"

bool nc_fail_memory(nc_compile *c)
{
	nc_fail(c->error, NACRE_NO_MEMORY, "out of memory while compiling a program");
	return false;
}

static bool optimization_wanted(const nacre_program_options *o)
{
	const char *s = getenv("NACRE_OPT");
	return !(o && o->no_optimize) && !(s && strcmp(s, "0") == 0);
}

/* -- what the caller gave ---------------------------------------------------------------------- */
static bool check_arguments(nc_compile *c, int n_in, nacre_node *const *in, int n_out,
			    nacre_node *const *out)
{
	if (n_out < 1 || n_in < 0 || !out || (n_in && !in)) {
		nc_fail(c->error, NACRE_INVALID, "program: expected at least one output, got %d",
			n_out);
		return false;
	}
	nacre_graph *g = out[0] ? out[0]->graph : NULL;
	for (int i = 0; i < n_out; i++)
		if (!out[i] || out[i]->graph != g) {
			nc_fail(c->error, NACRE_INVALID, "program: output %d is %s", i,
				out[i] ? "a node of another graph" : "NULL");
			return false;
		}
	if (g->error.status) {
		nc_fail(c->error, g->error.status, "%s", g->error.text);
		return false;
	}
	for (int i = 0; i < n_in; i++)
		if (!in[i] || in[i]->graph != g || !nc_is(in[i], NC_OP_placeholder)) {
			nc_fail(c->error, NACRE_INVALID, "program: input %d is %s", i,
				!in[i] ? "NULL" : "no placeholder of the outputs' graph");
			return false;
		}
	return true;
}

static void describe(struct nc_spec *s, const nacre_node *n)
{
	s->dtype = n->dtype;
	s->rank = n->rank;
	memcpy(s->shape, n->shape, sizeof s->shape);
	snprintf(s->name, sizeof s->name, "%s", n->name ? n->name : n->op->name);
}

/* Copies what the outputs need into the program's own graph.  in[] become its placeholders' values.
 */
static bool copy_graph(nc_compile *c, int n_in, nacre_node *const *in, int n_out,
		       nacre_node *const *out)
{
	nacre_graph *from = out[0]->graph;
	bool *needed = nc_arena_alloc(&c->arena, (size_t)from->n + 1);
	nacre_node **map = nc_arena_alloc(&c->arena, ((size_t)from->n + 1) * sizeof *map);
	nacre_node **args = nc_arena_alloc(&c->arena, ((size_t)from->n + 1) * sizeof *args);
	c->output = nc_arena_alloc(&c->arena, (size_t)n_out * sizeof *c->output);
	if (!needed || !map || !args || !c->output)
		return nc_fail_memory(c);
	for (int i = 0; i < n_out; i++)
		needed[out[i]->id] = true;
	for (int i = from->n - 1; i >= 0; i--)
		for (int j = 0; needed[i] && j < from->node[i]->n_in; j++)
			needed[from->node[i]->in[j]->id] = true;
	for (int i = 0; i < n_in; i++)
		needed[in[i]->id] = true;
	for (int i = 0; i < from->n; i++) {
		nacre_node *n = from->node[i];
		if (!needed[i])
			continue;
		for (int j = 0; j < n->n_in; j++)
			args[j] = map[n->in[j]->id];
		map[i] = nc_node_like(c->graph, n, args);
		if (!map[i])
			return nc_fail_memory(c);
		if (n->name)
			map[i]->name = nc_arena_string(&c->graph->arena, n->name);
		bool given = !nc_is(n, NC_OP_placeholder);
		for (int k = 0; k < n_in && !given; k++)
			given = in[k] == n;
		if (!given) {
			nc_fail(c->error, NACRE_INVALID,
				"program: placeholder \"%s\" is not among the inputs",
				n->name ? n->name : "?");
			return false;
		}
	}
	for (int i = 0; i < n_out; i++)
		c->output[i] = map[out[i]->id];
	c->n_outputs = n_out;
	return true;
}

static bool describe_program(nc_compile *c, int n_in, nacre_node *const *in, int n_out,
			     nacre_node *const *out)
{
	nacre_program *p = c->program;
	nc_memory *m = &c->runtime->memory;
	p->n_inputs = n_in;
	p->n_outputs = n_out;
	p->input = nc_zero_alloc(m, (size_t)n_in * sizeof *p->input);
	p->output = nc_zero_alloc(m, (size_t)n_out * sizeof *p->output);
	p->spec = nc_zero_alloc(m, (size_t)(n_in + n_out) * sizeof *p->spec);
	if (!p->input || !p->output || !p->spec)
		return nc_fail_memory(c);
	for (int i = 0; i < n_in; i++)
		describe(&p->spec[i], in[i]);
	for (int i = 0; i < n_out; i++)
		describe(&p->spec[n_in + i], out[i]);
	return true;
}

/* Placeholders are told apart by their serial number, which copies keep. */
static void connect_inputs(nc_compile *c, int n_in, nacre_node *const *in)
{
	for (int i = 0; i < n_in; i++) {
		const nc_attr_placeholder *want = in[i]->attr;
		c->program->input[i] = -1;
		for (int k = 0; k < c->graph->n; k++) {
			nacre_node *n = c->graph->node[k];
			if (nc_is(n, NC_OP_placeholder) &&
			    ((const nc_attr_placeholder *)n->attr)->serial == want->serial)
				c->program->input[i] = c->plain[k];
		}
	}
}

static bool connect_outputs(nc_compile *c)
{
	for (int i = 0; i < c->n_outputs; i++) {
		nacre_node *n = c->output[i];
		c->program->output[i] = -1;
		if (n->op->flags & NC_OP_EFFECT)
			continue;
		if ((c->program->output[i] = nc_plain(c, n)) < 0)
			return false;
	}
	return true;
}

static bool size_scratch(nacre_program *p, int threads)
{
	if (threads <= p->scratch_threads)
		return true;
	size_t total;
	if (!nc_mul(p->scratch_size, (size_t)threads, &total))
		return false;
	uint8_t *s = nc_alloc(&p->runtime->memory, total);
	if (!s)
		return false;
	nc_free(&p->runtime->memory, p->scratch, p->scratch_size * (size_t)p->scratch_threads);
	p->scratch = s;
	p->scratch_threads = threads;
	return true;
}

/* In debug builds each graph that a pass made is checked as a whole. */
static bool sound(nc_compile *c)
{
#ifndef NDEBUG
	if (!nc_graph_check(c->graph)) {
		nc_fail(c->error, NACRE_FAILED, "simplify: %s", c->graph->error.text);
		return false;
	}
#endif
	(void)c;
	return true;
}

static bool run_passes(nc_compile *c, const nc_trace *trace, int n_in, nacre_node *const *in,
		       int n_out, nacre_node *const *out)
{
	if (!describe_program(c, n_in, in, n_out, out) || !copy_graph(c, n_in, in, n_out, out))
		return false;
	nc_trace_graph(c, trace, "graph");
	if (!nc_simplify(c) || !sound(c))
		return false;
	nc_trace_graph(c, trace, "simplify");
	if (!nc_find_users(c) || !nc_choose_layouts(c) || !nc_fuse(c))
		return false;
	nc_trace_groups(c, trace, "fuse");
	if (!nc_schedule(c))
		return false;
	nc_trace_groups(c, trace, "schedule");
	if (!nc_lower(c) || !connect_outputs(c))
		return false;
	connect_inputs(c, n_in, in);
	if (!nc_plan(c))
		return false;
	nc_trace_program(c, trace, "program");
	return true;
}

static nacre_program *compile(nc_compile *c, int n_inputs, nacre_node *const *inputs, int n_outputs,
			      nacre_node *const *outputs, const nacre_program_options *options)
{
	const char *name = options && options->backend ? options->backend : "cpu";
	if (!c->runtime) {
		nc_fail(c->error, NACRE_NO_MEMORY, "program: no runtime");
		return NULL;
	}
	c->backend = nc_backend_named(name);
	if (!c->backend) {
		nc_fail(c->error, NACRE_INVALID,
			"program: expected backend \"cpu\" or \"reference\", got \"%s\"", name);
		return NULL;
	}
	nacre_program *p = check_arguments(c, n_inputs, inputs, n_outputs, outputs)
			       ? nc_zero_alloc(&c->runtime->memory, sizeof *p)
			       : NULL;
	if (!p) {
		nc_fail_memory(c);
		return NULL;
	}
	nc_trace trace = {options ? options->trace : NULL, options ? options->trace_context : NULL,
			  options && options->dot};
	c->optimize = optimization_wanted(options);
	c->fast_convolution = options && options->fast_convolution;
	p->runtime = c->runtime;
	p->seed = options ? options->seed : 0;
	c->program = p;
	nc_arena_init(&c->arena, &c->runtime->memory);
	p->graph = c->graph = nacre_graph_new(c->runtime);
	bool ok = c->graph ? run_passes(c, &trace, n_inputs, inputs, n_outputs, outputs)
			   : nc_fail_memory(c);
	if (ok && !size_scratch(p, nc_pool_threads(c->runtime->pool)))
		ok = nc_fail_memory(c);
	nc_arena_free(&c->arena);
	if (ok)
		return p;
	nc_fail_memory(c); /* in case a pass could not say why: nothing else is left */
	nacre_program_free(p);
	return NULL;
}

nacre_program *nacre_program_new(nacre_runtime *runtime, int n_inputs, nacre_node *const *inputs,
				 int n_outputs, nacre_node *const *outputs,
				 const nacre_program_options *options, nacre_error *error)
{
	nacre_error first = {0};
	nc_compile c = {.error = &first, .runtime = nc_runtime(runtime)};
	nacre_program *p = compile(&c, n_inputs, inputs, n_outputs, outputs, options);
	if (!p)
		nc_fail(error, first.status, "%s", first.text);
	return p;
}

void nacre_program_free(nacre_program *p)
{
	if (!p)
		return;
	nc_memory *m = &p->runtime->memory;
	for (int i = 0; i < p->n_variables; i++)
		p->variable[i]->programs--;
	nc_free(m, p->variable, (size_t)p->variables_capacity * sizeof *p->variable);
	nc_free(m, p->value, (size_t)p->values_capacity * sizeof *p->value);
	nc_free(m, p->step, (size_t)p->steps_capacity * sizeof *p->step);
	nc_free(m, p->patch, (size_t)p->patches_capacity * sizeof *p->patch);
	nc_free(m, p->use, (size_t)p->uses_capacity * sizeof *p->use);
	nc_free(m, p->input, p->input ? (size_t)p->n_inputs * sizeof *p->input : 0);
	nc_free(m, p->output, p->output ? (size_t)p->n_outputs * sizeof *p->output : 0);
	nc_free(m, p->spec, p->spec ? (size_t)(p->n_inputs + p->n_outputs) * sizeof *p->spec : 0);
	nc_free(m, p->workspace, p->workspace ? p->workspace_size : 0);
	nc_free(m, p->scratch, p->scratch_size * (size_t)p->scratch_threads);
	nacre_graph_free(p->graph);
	nc_free(m, p, sizeof *p);
}

/* -- running ------------------------------------------------------------------------------------
 */
void nc_program_bind(nacre_program *p, int input, const void *data)
{
	int v = p->input[input];
	if (v < 0 || p->value[v].data == data)
		return;
	p->value[v].data = (void *)(uintptr_t)data;
	for (int i = p->value[v].patch; i >= 0; i = p->patch[i].next)
		*p->patch[i].field = (uint8_t *)p->value[v].data + p->patch[i].offset;
}

static void job(void *arg, nc_team team)
{
	nacre_program *p = arg;
	if (p->side)
		p->side(p->side_arg, team);
	void *scratch = p->scratch + p->scratch_size * (size_t)team.tid;
	for (const nc_step *s = p->step, *end = s + p->n_steps; s < end; s++) {
		if (s->barrier && team.size > 1)
			nc_barrier(team);
		if (s->idle)
			continue;
		if (!s->serial)
			s->run(s, team.tid, team.size, scratch);
		else if (team.tid == 0)
			s->run(s, 0, 1, scratch);
	}
}

/* A run waits several times for its slowest thread, so when other processes want the same CPUs,
 * it waits for whole time slices.  If a few runs took three times as long as the best one, the next
 * ones stay on the caller, which needs nobody; then all threads are tried again.  Results are the
 * same. */
static void run_shared(nacre_program *p)
{
	enum { SLOW_RUNS = 4, RUNS_ALONE = 16 };
	if (p->alone > 0) {
		p->alone--;
		nc_pool_run_serial(job, p);
		return;
	}
	double start = nc_now();
	nc_pool_run(p->runtime->pool, job, p);
	double took = nc_now() - start;
	if (p->best == 0 || took < p->best)
		p->best = took;
	p->slow = took > 3 * p->best ? p->slow + 1 : 0;
	if (p->slow >= SLOW_RUNS) {
		p->alone = RUNS_ALONE;
		p->slow = SLOW_RUNS - 2;
	}
}

void nc_program_execute_with(nacre_program *p, nc_job *side, void *arg)
{
	int threads = nc_pool_threads(p->runtime->pool);
	p->side = side;
	p->side_arg = arg;
	for (int i = 0; p->remembers && i < p->n_steps; i++)
		if (p->step[i].of) {
			p->step[i].idle = p->step[i].seen == p->step[i].of->version;
			p->step[i].seen = p->step[i].of->version;
		}
	if (threads > 1 && (p->parallel || side) && size_scratch(p, threads))
		run_shared(p);
	else
		nc_pool_run_serial(job, p);
	for (int i = 0; i < p->n_changed; i++)
		p->variable[i]->version++;
	p->run++;
}

void nc_program_execute(nacre_program *p)
{
	nc_program_execute_with(p, NULL, NULL);
}

const void *nc_program_result(const nacre_program *p, int output)
{
	int v = p->output[output];
	return v < 0 ? NULL : p->value[v].data;
}

static nacre_status check_tensor(const nacre_tensor *t, const struct nc_spec *s, const char *what,
				 int i, nacre_error *e)
{
	char want[128], got[128];
	if (!t)
		return nc_fail(e, NACRE_INVALID, "program: %s %d (%s) is NULL", what, i, s->name);
	bool same = t->dtype == s->dtype && t->rank == s->rank && nacre_tensor_contiguous(t);
	for (int d = 0; same && d < s->rank; d++)
		same = t->shape[d] == s->shape[d];
	if (same)
		return NACRE_OK;
	return nc_fail(e, NACRE_INVALID, "program: %s %d (%s): expected %s %s, got %s %s%s", what,
		       i, s->name, nacre_dtype_name(s->dtype),
		       nc_shape_text(want, s->rank, s->shape), nacre_dtype_name(t->dtype),
		       nc_shape_text(got, t->rank, t->shape),
		       nacre_tensor_contiguous(t) ? "" : " that is not contiguous");
}

nacre_status nacre_program_run(nacre_program *p, nacre_tensor *const *inputs,
			       nacre_tensor *const *outputs, nacre_error *error)
{
	if (!p || (p->n_inputs && !inputs))
		return nc_fail(error, NACRE_INVALID, "program: %s is NULL",
			       p ? "inputs" : "the program");
	nacre_status status = NACRE_OK;
	for (int i = 0; i < p->n_inputs && !status; i++)
		status = check_tensor(inputs[i], &p->spec[i], "input", i, error);
	for (int i = 0; i < p->n_outputs && outputs && !status; i++)
		if (outputs[i] && p->output[i] >= 0)
			status =
			    check_tensor(outputs[i], &p->spec[p->n_inputs + i], "output", i, error);
	if (status)
		return status;
	for (int i = 0; i < p->n_inputs; i++)
		nc_program_bind(p, i, inputs[i]->data);
	nc_program_execute(p);
	for (int i = 0; i < p->n_outputs && outputs; i++)
		if (outputs[i] && p->output[i] >= 0)
			memcpy(outputs[i]->data, nc_program_result(p, i),
			       (size_t)nacre_tensor_size(outputs[i]) *
				   nacre_dtype_size(outputs[i]->dtype));
	return NACRE_OK;
}

void nacre_program_set_step(nacre_program *p, uint64_t step)
{
	if (p)
		p->run = step;
}

size_t nacre_program_workspace(const nacre_program *p)
{
	return p ? p->workspace_size : 0;
}

double nacre_program_flops(const nacre_program *p)
{
	return p ? p->flops : 0;
}
