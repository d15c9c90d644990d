/* SPDX-License-Identifier: MIT
 *
 * kernels.h - the compute core as its callers see it: one table of functions per ISA.
 *
 * Everything here is pointers and sizes; nothing can fail, nothing allocates.  A function that
 * takes (tid, nt) is called by every thread of a team with the same arguments and does its share;
 * shares are cut so that the bits of the result do not depend on nt.  `scratch` is memory of the
 * calling thread alone, 64-byte aligned, of the size that the _scratch function beside it names.
 * This folder includes nothing but itself: it is compiled once per ISA, by flags alone.
 *
 * f32 unless said.  All arrays may sit at any address that is a multiple of the element size.
 */
#ifndef NC_KERNELS_H
#define NC_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* -- elementwise: a small program of vector instructions, evaluated tile by tile in L1 ----------*/
enum nc_elementwise {
#define UNARY(id, fn, vec, ref, dx) NC_E_##id,
#define PREDICATE(id, fn, vec, ref) NC_E_##id,
#define BINARY(id, fn, vec, ref, da, db) NC_E_##id,
#define COMPARE(id, fn, vec, ref) NC_E_##id,
#define TERNARY(id, fn, vec, ref, da, db, dc) NC_E_##id,
#include "elementwise.def"
	NC_E_COUNT
};

/* types of memory that a program reads and writes; inside it all is f32 (bool: 0 or 1) */
typedef enum nc_vtype {
	NC_V_F32, NC_V_F16, NC_V_BF16, NC_V_I8, NC_V_U8, NC_V_I32, NC_V_BOOL
} nc_vtype;

enum {
	NC_VM_TILE = 512, /* elements evaluated at a time */
	NC_VM_REGISTERS = 16,
	NC_VM_OPERANDS = 24,
	NC_VM_CODE = 64,
	NC_VM_OUTPUTS = 8
};

/* Where an operand's elements lie in the iteration space [size[0], ..., size[rank-1]]. */
typedef enum nc_access {
	NC_FLAT,   /* element i of the space is data[i] */
	NC_SCALAR, /* data[0] everywhere */
	NC_STRIDED, /* at the sum of index[d] * stride[d], in elements; may be 0 or negative */
	NC_PANEL,   /* epilogues only: the tile's place in panels [n/nr][m][nr] */
	NC_SUM_ROWS, /* results of whole spaces only: sums, see nc_vm.row */
	NC_SUM_COLUMNS
} nc_access;

typedef struct nc_operand {
	const void *data;
	nc_vtype type;
	nc_access access;
	int64_t stride[8];
} nc_operand;

typedef struct nc_code { /* register[dst] = op(src...) */
	uint8_t op;      /* enum nc_elementwise, or NC_VM_MOVE (= a copy of src[0]) */
	uint8_t dst;     /* a register */
	uint8_t src[3];  /* < NC_VM_REGISTERS: a register; else NC_VM_REGISTERS + operand */
} nc_code;
enum { NC_VM_MOVE = NC_E_COUNT };

typedef struct nc_result {
	void *data; /* row-major over the space (epilogues: row stride ld) */
	nc_vtype type;
	uint8_t src; /* as nc_code.src */
	/* NC_FLAT, sums; in epilogues NC_STRIDED with stride[1] = 1, or NC_PANEL */
	nc_access access;
	int64_t stride[8];
} nc_result;

typedef struct nc_vm {
	int rank;
	int64_t size[8];
	int64_t total; /* product of size */
	/* Sums see the space as [total / row][row] (row 0: there are none).  NC_SUM_ROWS gives the
	 * sum of each row.  NC_SUM_COLUMNS gives partial sums, [ceil(total / chunk)][width]: number
	 * i of a chunk goes to place i % width, and places a multiple of row apart are of one
	 * column.  Both depend on the shape alone: nc_vm_sum_width, nc_vm_sum_chunk. */
	int64_t row, chunk;
	int n_operands, n_code, n_results;
	nc_operand operand[NC_VM_OPERANDS];
	nc_code code[NC_VM_CODE];
	nc_result result[NC_VM_OUTPUTS];
} nc_vm;

static inline int64_t nc_vm_sum_width(int64_t row)
{
	int64_t even = row; /* whole rows that are whole vectors of any ISA, if a tile has room */
	while (even % 16 && even <= NC_VM_TILE)
		even *= 2;
	int64_t step = even <= NC_VM_TILE ? even : row;
	return row > NC_VM_TILE ? row : NC_VM_TILE / step * step;
}
static inline int64_t nc_vm_sum_chunk(int64_t total, int64_t row)
{
	enum { CHUNKS = 64, LEAST = 16 }; /* enough to share out; widths in one */
	int64_t width = nc_vm_sum_width(row), widths = total / width / CHUNKS;
	return (widths > LEAST ? widths + 1 : LEAST) * width;
}

/* -- what happens to a finished tile of a matrix product ------------------------------------------
 * vm: a program over the space [m, n]; operand 0 is the tile itself (access ignored).
 * update: the tile is the gradient of a weight in panels; see nc_update.  Neither: plain store. */
typedef struct nc_update { /* w, m, v: n floats each, m and v NULL where the rule has none */
	int rule;          /* enum nc_update_rule */
	float *w, *m, *v;
	const float *g;    /* unused in an epilogue */
	const float *rate; /* [2], from ADAGRAD on [4], see nacre/op.h */
	int64_t n;
	/* momentum, nesterov | rho, -, epsilon | beta1, beta2, epsilon; double, because 1 - beta2
	 * is taken before it is rounded to f32 */
	double a, b, c, decay;
} nc_update;
enum nc_update_rule {
	NC_UPDATE_SGD, NC_UPDATE_MOMENTUM, NC_UPDATE_RMSPROP, NC_UPDATE_ADAM,
	/* in the order of nacre_update_rule, with its a, b, c */
	NC_UPDATE_ADAGRAD, NC_UPDATE_LION, NC_UPDATE_ADADELTA, NC_UPDATE_ADAMAX, NC_UPDATE_NADAM,
	NC_UPDATE_FTRL, NC_UPDATE_SCHEDULE_FREE, NC_UPDATE_RULES
};

/* -- matrix product ----------------------------------------------------------------------------
 * C[m,n] = A B.  Every element is summed over k in ascending order by one chain of multiply-adds,
 * so its bits do not depend on tile, panel width or threads.
 * Panels: B(k,j) at ((j / nr) * k_total + k) * nr + j % nr, columns past n are zero. */
typedef enum nc_b_format {
	NC_B_PANELS,       /* b: panels of width nr of this B: [ceil(n/nr)][k][nr] */
	NC_B_ROWS,         /* B(k,j) = b[k*ldb + j] */
	NC_B_COLUMNS,      /* B(k,j) = b[j*ldb + k] */
	NC_B_PANELS_TRANSPOSED /* b: panels of width ldb of B's transpose (n x k):
				  B(k,j) at ((k / ldb) * n + j) * ldb + k % ldb */
} nc_b_format;

typedef struct nc_pairs nc_pairs; /* the tiles of products of bf16, see pairs.h */
typedef struct nc_gemm {
	int64_t m, n, k;
	/* NULL: A and B are f32.  Else nc_kernels.pairs, and `a` and `b` are bf16: lda, ldb (but of
	 * panels) and distances count its elements, panels are those of narrow(); C stays f32. */
	const nc_pairs *pairs;
	const float *a;
	int64_t lda;
	bool a_trans; /* A(i,k) = a[k*lda + i], else a[i*lda + k] */
	const float *b;
	int64_t ldb;
	nc_b_format b_format;
	int nr; /* panel width: gemm_width(n), or what the panels of b were made with */
	float *c; /* row-major [m, ldc]; unused if vm or update is set (their results say where) */
	int64_t ldc;
	int64_t batch; /* products; 0 is 1.  Those after the first are at these distances: */
	int64_t batch_a, batch_b, batch_c;
	const nc_vm *vm;         /* only with batch <= 1 */
	const nc_update *update; /* only with batch <= 1; w, m, v in panels [n/nr][m][nr] */
} nc_gemm;

/* -- convolution, channels last ------------------------------------------------------------------
 * Three spatial axes, missing ones in front with size 1.  Place o of y sees the places
 * o * stride + k * dilation - before of x, for k < size; those outside of x are zeros.
 * Every element is summed over the window's places and in them over the channels, as the filter
 * lies, by one chain of multiply-adds (winograd: see there). */
typedef struct nc_conv {
	int64_t n, in[3], out[3]; /* samples; spatial sizes of x and y */
	int64_t groups, ci, co;	  /* channels of one group */
	int64_t size[3], stride[3], dilation[3], before[3]; /* before may be negative */
	const float *x; /* [n, in..., groups * ci] */
	const float
	    *b; /* panels of the filter [size... * ci, co] of each group, one after another */
	int nr;
	/* place o of y lies at o * step + first of [n, whole..., groups * co] */
	float *y;
	int64_t whole[3], step[3], first[3];
	const nc_vm *vm; /* over [n * out..., co]; only with one group and steps of 1 */
	int winograd;	 /* 2 or 4: by F(2x2, 3x3) or F(4x4, 3x3), b as winograd_filter makes it */
} nc_conv;

/* The filter's gradient: partial sums over `chunks` parts of the places of y (their number follows
 * from sizes alone), each in panels [ceil(co/nr)][size... * ci][nr] of each group.  y: of c. */
typedef struct nc_conv_filter {
	nc_conv c;	 /* b, vm unused; y is read, steps of 1 */
	bool winograd;	 /* the sums are those of the transforms: [chunks][panel][16][ci][nr] */
	int64_t chunks;	 /* what conv_filter_chunks says */
	float *partial;	 /* [chunks][groups][panels] */
} nc_conv_filter;
/* The parts added up, in order: to f, row-major [size... * ci, groups * co], or in panels. */
typedef struct nc_conv_sum {
	int64_t k, co, groups, chunks;
	int nr;
	bool panels, winograd; /* into panels; from winograd's sums */
	const float *partial;
	float *f;
} nc_conv_sum;

/* A filter [size... * ci, groups * co] (row-major, or in panels of from_nr) made into panels: of
 * itself, or of the filter of the input's gradient, [places * co, ci] of each group with the
 * window's places turned round.  Places taken: first[d] + i * step[d] for i < count[d]. */
typedef struct nc_conv_pack {
	int64_t size[3], groups, ci, co;
	int64_t first[3], step[3], count[3];
	bool transposed; /* the gradient's */
	int from_nr;	 /* 0: row-major */
	int nr;
	const float *f;
	float *panels;
} nc_conv_pack;
/* F(side x side, 3x3): panels of a 3x3 filter, [panel][9 ci][nr], to [panel][16 or 36][ci][nr] */
typedef struct nc_winograd_filter {
	int64_t ci, co;
	int nr, side;
	const float *panels;
	float *u;
} nc_winograd_filter;

/* One filter a channel of y; channel c of y sees channel c / multiplier of x. */
typedef struct nc_depthwise {
	int64_t n, in[3], out[3], cx, multiplier;
	int64_t size[3], stride[3], dilation[3], before[3];
	const float *x, *f; /* f: [size..., cx * multiplier] */
	float *y;
	const nc_vm *vm; /* over [n * out..., cx * multiplier] */
} nc_depthwise;

/* Pools of [n, in..., c] to [n, out..., c] and back */
typedef enum nc_pool_kind {
	NC_POOL_MAX, NC_POOL_SUM, NC_POOL_MAX_AT, NC_POOL_MAX_BACK, NC_POOL_SUM_BACK
} nc_pool_kind;
typedef struct nc_pool_window {
	nc_pool_kind kind;
	int64_t n, in[3], out[3], c;
	int64_t size[3], stride[3], dilation[3], before[3];
	int index_size;	 /* bytes: 1 or 4 */
	const float *x;	 /* what is read: the in side, of back kinds the out side */
	float *y;	 /* NULL where only the index is wanted */
	void *index;	 /* max: written unless NULL; max_at, max_back: read */
} nc_pool_window;

/* -- reductions: x[outer][n][inner] over n -----------------------------------------------------*/
typedef enum nc_reduce_kind {
	NC_REDUCE_SUM, NC_REDUCE_MAX, NC_REDUCE_MIN, NC_REDUCE_PRODUCT
} nc_reduce_kind;
typedef struct nc_reduce {
	nc_reduce_kind kind;
	int64_t outer, n, inner; /* n = 0 gives the neutral element */
	const float *x;
	float *y; /* [outer][inner] */
	float scale; /* multiplies the result of a sum; 1 for none */
} nc_reduce;

typedef struct nc_arg_reduce { /* index of the first largest (smallest); NaN counts as largest */
	bool smallest;
	int64_t outer, n, inner;
	const float *x;
	int32_t *y;
} nc_arg_reduce;

typedef struct nc_softmax { /* x, y: [outer][n][inner], along n */
	bool log;
	int64_t outer, n, inner;
	const float *x;
	float *y;
} nc_softmax;

/* dst(index) = src(index) for elements of `size` bytes: transposes, broadcasts, slices, reversals,
 * pieces of a concatenation */
typedef struct nc_copy {
	int rank;
	int64_t shape[8], src_stride[8], dst_stride[8]; /* in elements, may be 0 or negative */
	int size; /* 1, 2, 4 or 8 */
	const void *src;
	void *dst;
} nc_copy;

typedef struct nc_fill {
	int size;
	uint64_t value; /* its low bytes */
	int64_t n;
	void *dst;
} nc_fill;

/* x[outer][n][inner], indices[count] -> y[outer][count][inner]; out of range: zeros */
typedef struct nc_gather {
	int64_t outer, n, inner, count;
	int size;        /* bytes of an element */
	int index_size;  /* 4 (i32) or 8 (i64) */
	const void *x, *indices;
	void *y;
} nc_gather;
/* y[outer][n][inner] += updates[outer][count][inner] at indices; f32, in order of the indices */
typedef struct nc_scatter {
	int64_t outer, n, inner, count;
	int index_size;
	const void *indices;
	const float *updates;
	float *y;
} nc_scatter;

typedef struct nc_one_hot {
	int64_t count, depth;
	int index_size;
	const void *indices;
	float *y;
} nc_one_hot;

typedef struct nc_cumsum { /* x, y: [outer][n][inner] along n */
	bool exclusive, reverse;
	int64_t outer, n, inner;
	const float *x;
	float *y;
} nc_cumsum;

/* Images by a map each, see nacre/augment.h.  from: [n][h][w][c], to: [n][height][width][c].  For
 * the adjoint the map leads from places of `from` to places of `to`, else the other way.  A height
 * or width is at most 32768. */
enum nc_fill_rule {
	NC_FILL_CONSTANT, NC_FILL_REFLECT, NC_FILL_WRAP, NC_FILL_NEAREST, NC_FILL_MIRROR
};
typedef struct nc_affine {
	int64_t n, h, w, c, height, width;
	bool nearest;
	int fill; /* enum nc_fill_rule */
	float value;
	const float *from, *transform; /* transform: [n][8] */
	float *to;
} nc_affine;

/* y[outer][i][inner] = sum over t < count[i] of weight[i][t] x[outer][first[i] + t][inner] */
typedef struct nc_resample {
	int64_t outer, in, out, inner;
	int64_t width; /* of a row of weights */
	const int64_t *first;
	const int32_t *count; /* at least 1 */
	const float *weight;
	const float *x;
	float *y;
} nc_resample;

/* rows [begin, end) of a batch: y[i][0..n) = (float)x[row[i]][0..n) * scale + offset */
typedef struct nc_rows {
	int64_t n;
	int x_type; /* nc_vtype */
	const void *x;
	const int64_t *row; /* NULL: i */
	float scale, offset;
	float *y;
} nc_rows;

typedef struct nc_kernels {
	const char *isa; /* "v2" ... */
	int vector;	 /* floats in a vector */

	int (*gemm_width)(int64_t n); /* the panel width to use for n columns */
	void (*gemm)(const nc_gemm *g, int tid, int nt, void *scratch);
	size_t (*gemm_scratch)(const nc_gemm *g, int nt); /* bytes a thread */
	/* panels [p0, p1) of a B given as rows (ldb) or, with trans, as columns */
	void (*pack)(int64_t k, int64_t n, int nr, const float *b, int64_t ldb, bool trans,
		     float *panels, int64_t p0, int64_t p1);
	void (*unpack)(int64_t k, int64_t n, int nr, const float *panels, float *b, int64_t ldb);
	/* panels [p0, p1) of k rows, rounded to bf16 in pairs of rows: [n/nr][(k + 1) / 2][nr][2]
	 */
	void (*narrow)(int64_t k, int nr, const float *panels, void *to, int64_t p0, int64_t p1);
	const nc_pairs *pairs;

	void (*conv)(const nc_conv *c, int tid, int nt, void *scratch);
	size_t (*conv_scratch)(const nc_conv *c, int nt);
	/* the side of Winograd's tiles, at most `most`, that is fastest by shape alone; 0: none */
	int (*conv_winograd)(const nc_conv *c, int most);
	bool (*filter_winograd)(const nc_conv *c); /* likewise for the filter's gradient */
	int64_t (*conv_filter_chunks)(const nc_conv_filter *c);
	void (*conv_filter)(const nc_conv_filter *c, int tid, int nt, void *scratch);
	size_t (*conv_filter_scratch)(const nc_conv_filter *c);
	void (*conv_sum)(const nc_conv_sum *s, int tid, int nt);
	void (*conv_pack)(const nc_conv_pack *p, int tid, int nt);
	void (*winograd_filter)(const nc_winograd_filter *w, int tid, int nt);
	void (*depthwise)(const nc_depthwise *d, int tid, int nt, void *scratch);
	size_t (*depthwise_scratch)(const nc_depthwise *d);
	/* d->y holds y's gradient: dx [n, in..., cx], df [size..., cx * multiplier] */
	void (*depthwise_input)(const nc_depthwise *d, float *dx, int tid, int nt);
	void (*depthwise_filter)(const nc_depthwise *d, float *df, int tid, int nt);
	void (*pool)(const nc_pool_window *p, int tid, int nt);

	void (*vm)(const nc_vm *vm, int tid, int nt, void *scratch);
	size_t (*vm_scratch)(const nc_vm *vm);
	void (*update)(const nc_update *u, int tid, int nt);
	/* scratch: 4096 bytes */
	void (*reduce)(const nc_reduce *r, int tid, int nt, void *scratch);
	void (*arg_reduce)(const nc_arg_reduce *r, int tid, int nt);
	void (*softmax)(const nc_softmax *s, int tid, int nt);
	void (*copy)(const nc_copy *c, int tid, int nt);
	void (*fill)(const nc_fill *f, int tid, int nt);
	void (*gather)(const nc_gather *g, int tid, int nt);
	void (*scatter)(const nc_scatter *s, int tid, int nt);
	void (*one_hot)(const nc_one_hot *o, int tid, int nt);
	void (*cumsum)(const nc_cumsum *c, int tid, int nt);
	void (*affine)(const nc_affine *a, int tid, int nt);
	void (*affine_adjoint)(const nc_affine *a, int tid, int nt);
	void (*resample)(const nc_resample *r, int tid, int nt);
	void (*rows)(const nc_rows *r, int64_t begin, int64_t end);
} nc_kernels;

/* The kernel sets built into this library, best first: NULL past the end, or where `isa` names
 * none.  Whether the CPU can run one is for the caller to know (nc_cpu_isa). */
const nc_kernels *nc_kernels_at(int i);
const nc_kernels *nc_kernels_named(const char *isa);

#endif
