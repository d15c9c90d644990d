/* SPDX-License-Identifier: MIT
 *
 * cases.c - the CPU backend against the reference functions: every op, every case, on every
 * instruction set that this CPU can run, optimized and not.
 */
#include "base/runtime.h"
#include "nacre/op.h"
#include "support/cases.h"
#include "support/eval.h"
#include "test.h"

typedef struct run {
	nacre_runtime *runtime;
	const char *isa;
	int no_optimize;
	nacre_dtype dtype; /* of the cases' floats */
} run;

static nacre_tensor *tensor_of(const nacre_node *n, const double *value)
{
	nacre_tensor *t = nacre_tensor_new(NULL, n->dtype, n->rank, n->shape, NULL);
	for (int64_t i = 0; i < nc_node_size(n); i++)
		nacre_tensor_set(t, i, value ? value[i] : 0);
	return t;
}

/* How far a result may be off, of its own size and of the largest beside it.  bf16 is stored with a
 * relative error of 2^-9; an op made of several rounds in between when it is not optimized. */
static double off_by(const nacre_tensor *got, const run *r, double y, double scale)
{
	if (r->dtype == NACRE_BF16)
		return 1e-2 * scale + 8e-3 * fabs(y);
	if (nacre_tensor_dtype(got) == NACRE_F64)
		return 1e-12 * scale;
	return 2e-6 * scale + 1e-5 * fabs(y);
}

static void compare(const nacre_tensor *got, const double *want, const char *what, int which,
		    const run *r)
{
	double scale = 1;
	for (int64_t i = 0; i < nacre_tensor_size(got); i++)
		if (isfinite(want[i]))
			scale = fmax(scale, fabs(want[i]));
	for (int64_t i = 0; i < nacre_tensor_size(got); i++) {
		double x = nacre_tensor_get(got, i), y = want[i];
		bool same = isnan(y)   ? isnan(x)
			    : isinf(y) ? x == y
				       : fabs(x - y) <= off_by(got, r, y, scale);
		if (!same) {
			test_failed(__FILE__, __LINE__,
				    "%s of %s case %d on %s%s: element %lld is %.9g, reference "
				    "%.9g",
				    what, nacre_dtype_name(r->dtype), which, r->isa,
				    r->no_optimize ? " unoptimized" : "", (long long)i, x, y);
			return;
		}
	}
}

/* the variables of an effect: what the reference function makes of them */
static void compare_variables(const op_case *c, const evaluation *e, const char *what, int which,
			      const run *r)
{
	for (int i = 0; i < c->n_variables; i++) {
		nacre_tensor *t = nacre_variable_read(c->variable[i], NULL);
		const nacre_node *n = nacre_use(c->g, c->variable[i]);
		compare(t, eval_of(e, n), what, which, r);
		nacre_tensor_free(t);
	}
}

static void run_case(op_case *c, const char *what, int which, const run *r)
{
	double *value[CASE_INPUTS] = {0};
	nacre_tensor *in[CASE_INPUTS] = {0}, *start[CASE_VARIABLES] = {0}, *out = NULL;
	for (int i = 0; i < c->n_in; i++) {
		value[i] = malloc((size_t)(nc_node_size(c->in[i]) + 1) * sizeof(double));
		op_case_values(c, i, value[i]);
		in[i] = tensor_of(c->in[i], value[i]);
		for (int64_t k = 0; k < nc_node_size(c->in[i]); k++)
			value[i][k] = nacre_tensor_get(in[i], k); /* as it was rounded */
	}
	for (int i = 0; i < c->n_variables; i++)
		start[i] = nacre_variable_read(c->variable[i], NULL);
	evaluation e = eval_graph(c->g, c->n_in, c->in, value, 5, 0);
	nacre_error error = {0};
	nacre_program_options o = {.no_optimize = r->no_optimize, .seed = 5};
	nacre_program *p = nacre_program_new(r->runtime, c->n_in, c->in, 1, &c->out, &o, &error);
	if (!p)
		test_failed(__FILE__, __LINE__, "%s case %d: %s", what, which, error.text);
	bool effect = c->out->op->flags & NC_OP_EFFECT;
	if (!effect)
		out = tensor_of(c->out, NULL);
	if (p) {
		CHECK_EQ(nacre_program_run(p, in, &out, &error), NACRE_OK);
		CHECK_STR(error.text, "");
		if (effect)
			compare_variables(c, &e, what, which, r);
		else
			compare(out, eval_of(&e, c->out), what, which, r);
	}
	nacre_program_free(p);
	for (int i = 0; i < c->n_variables; i++) {
		nacre_variable_write(c->variable[i], start[i], NULL);
		nacre_tensor_free(start[i]);
	}
	eval_free(&e);
	nacre_tensor_free(out);
	for (int i = 0; i < c->n_in; i++) {
		nacre_tensor_free(in[i]);
		free(value[i]);
	}
}

static void run_all(const run *r)
{
	op_case c;
	for (int op = 0; op < NC_OP_COUNT; op++) {
		int count = op_case_count(op);
		const char *name = nc_op_at(op)->name;
		if (count == 0)
			test_failed(__FILE__, __LINE__, "op %s has no case", name);
		for (int i = 0; i < count; i++)
			if (op_case_make(op, i, r->dtype, &c)) {
				run_case(&c, name, i, r);
				op_case_free(&c);
			} else {
				test_failed(__FILE__, __LINE__, "%s case %d cannot be made", name,
					    i);
			}
	}
	for (int i = 0; i < composite_case_count(); i++)
		if (composite_case_make(i, r->dtype, &c)) {
			run_case(&c, composite_case_name(i), i, r);
			op_case_free(&c);
		}
}

static void on_every_isa(nacre_dtype dtype)
{
	for (int i = 0; nc_cpu_isa(i); i++)
		for (int threads = 1; threads <= 3; threads += 2)
			for (int no_optimize = 0; no_optimize < 2; no_optimize++) {
				nacre_runtime_options o = {.threads = threads,
							   .isa = nc_cpu_isa(i)};
				run r = {nacre_runtime_new(&o, NULL), nc_cpu_isa(i), no_optimize,
					 dtype};
				CHECK(r.runtime != NULL);
				run_all(&r);
				nacre_runtime_free(r.runtime);
			}
}

TEST(cpu_equals_reference_on_every_isa)
{
	on_every_isa(NACRE_F32);
}

TEST(every_op_in_bf16)
{
	on_every_isa(NACRE_BF16);
}

TEST(every_op_in_f64)
{
	on_every_isa(NACRE_F64);
}
