/* SPDX-License-Identifier: MIT
 *
 * matmul.c - batched matrix products: y[..., m, n] = sum over k of a[..., m, k] b[..., k, n].
 */
#include <string.h>

#include "nacre/op.h"

#include "op/build.h"

/* sizes of the product, with the flags applied */
static void sizes(const nacre_node *y, int64_t *m, int64_t *n, int64_t *ka, int64_t *kb)
{
	const nacre_node *a = y->in[0], *b = y->in[1];
	const nc_attr_matmul *t = y->attr;
	*m = a->shape[a->rank - (t->transpose_a ? 1 : 2)];
	*ka = a->shape[a->rank - (t->transpose_a ? 2 : 1)];
	*kb = b->shape[b->rank - (t->transpose_b ? 1 : 2)];
	*n = b->shape[b->rank - (t->transpose_b ? 2 : 1)];
}

static bool infer_matmul(nacre_node *y)
{
	const nacre_node *a = y->in[0], *b = y->in[1];
	const nc_attr_matmul *t = y->attr;
	char s[128], u[128];
	nc_shape_text(s, a->rank, a->shape);
	nc_shape_text(u, b->rank, b->shape);
	if (a->rank < 2 || b->rank < 2)
		return nc_node_fail(y, "matrices (rank 2 or more) expected, got %s and %s", s, u);
	if (!nc_expect_same(y, 0, 1) || !nc_expect_number(y, 0))
		return false;
	int64_t m, n, ka, kb;
	sizes(y, &m, &n, &ka, &kb);
	if (ka != kb)
		return nc_node_fail(y, "inner sizes differ: %s%s and %s%s", s,
				    t->transpose_a ? " transposed" : "", u,
				    t->transpose_b ? " transposed" : "");
	nacre_node batch_a = *a, batch_b = *b;
	batch_a.rank -= 2;
	batch_b.rank -= 2;
	if (!nc_broadcast_shape(&batch_a, &batch_b, &y->rank, y->shape))
		return nc_node_fail(y, "leading sizes do not broadcast: %s and %s", s, u);
	if (t->wide && a->dtype != NACRE_BF16)
		return nc_node_fail(y, "bf16 expected, got %s", nacre_dtype_name(a->dtype));
	y->dtype = t->wide ? NACRE_F32 : a->dtype;
	y->shape[y->rank++] = m;
	y->shape[y->rank++] = n;
	return true;
}

/* all axes but the last made one */
static nacre_node *flat(nacre_node *x)
{
	if (!x)
		return NULL;
	int64_t rows = 1;
	for (int i = 0; i + 1 < x->rank; i++)
		rows *= x->shape[i];
	return nacre_reshape(x, 2, (int64_t[]){rows, x->shape[x->rank - 1]});
}

/* With A' and B' the matrices as multiplied: dA' = dY B'^T, dB' = A'^T dY; transposed where the
 * input is.  The gradient of a matrix shared by a batch is one product over batch and rows. */
static void grad_matmul(nacre_node *y, nacre_node *dy, nacre_node **dx)
{
	nacre_node *a = y->in[0], *b = y->in[1];
	const nc_attr_matmul *t = y->attr;
	nacre_node *da = t->transpose_a ? nacre_matmul_transposed(b, dy, t->transpose_b, true)
					: nacre_matmul_transposed(dy, b, false, !t->transpose_b);
	dx[0] = nc_unbroadcast(da, a);
	if (b->rank == 2 && a->rank > 2 && !t->transpose_a) {
		nacre_node *a2 = flat(a), *dy2 = flat(dy);
		dx[1] = t->transpose_b ? nacre_matmul_transposed(dy2, a2, true, false)
				       : nacre_matmul_transposed(a2, dy2, true, false);
		return;
	}
	nacre_node *db = t->transpose_b ? nacre_matmul_transposed(dy, a, true, t->transpose_a)
					: nacre_matmul_transposed(a, dy, !t->transpose_a, false);
	dx[1] = nc_unbroadcast(db, b);
}

static double flops_matmul(const nacre_node *y)
{
	int64_t m, n, ka, kb;
	sizes(y, &m, &n, &ka, &kb);
	return 2 * (double)ka * (double)nc_node_size(y);
}

static const nc_field fields_matmul[] = {
	{"transpose_a", NC_FIELD_BOOL, offsetof(nc_attr_matmul, transpose_a)},
	{"transpose_b", NC_FIELD_BOOL, offsetof(nc_attr_matmul, transpose_b)},
	{"wide", NC_FIELD_BOOL, offsetof(nc_attr_matmul, wide)},
	{0}};

const nc_op nc_op_matmul = {
	.name = "matmul",
	.index = NC_OP_matmul,
	.min_in = 2,
	.max_in = 2,
	.element = -1,
	.attr_size = sizeof(nc_attr_matmul),
	.fields = fields_matmul,
	.infer = infer_matmul,
	.grad = grad_matmul,
	.flops = flops_matmul,
	.keras = "matmul",
	.onnx = "MatMul",
};

nacre_node *nacre_matmul_transposed(nacre_node *a, nacre_node *b, bool transpose_a,
				    bool transpose_b)
{
	nacre_node *in[2] = {a, b};
	nc_attr_matmul t = {transpose_a, transpose_b, false};
	return nc_node_new(nc_graph_of(2, in), &nc_op_matmul, 2, in, &t);
}

nacre_node *nacre_matmul(nacre_node *a, nacre_node *b)
{
	return nacre_matmul_transposed(a, b, false, false);
}
