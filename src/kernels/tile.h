/* SPDX-License-Identifier: MIT
 *
 * tile.h - what all register tiles have in common: how many rows and vectors there are, and their
 * accumulators c<row>_<vector>, which are zeroed, taken from the tile in memory and given to it.
 */
#ifndef NC_TILE_H
#define NC_TILE_H

#include "vec.h"

#if defined __AVX512F__ || defined __aarch64__
#define WIDE_FILE 1 /* 32 vector registers */
#else
#define WIDE_FILE 0 /* 16 */
#endif

enum {
	MR1 = 12,		  /* most rows of a tile one vector wide */
	MR2 = WIDE_FILE ? 12 : 6, /* two: 24 or 12 accumulators */
	MR3 = WIDE_FILE ? 8 : 0,  /* three */
	TILE_FLOATS = 24 * VL	  /* room of the largest, also of the wide ones below */
};

/* X(i) for i < n */
#define REP1(X) X(0)
#define REP2(X) REP1(X) X(1)
#define REP3(X) REP2(X) X(2)
#define REP4(X) REP3(X) X(3)
#define REP5(X) REP4(X) X(4)
#define REP6(X) REP5(X) X(5)
#define REP7(X) REP6(X) X(6)
#define REP8(X) REP7(X) X(7)
#define REP9(X) REP8(X) X(8)
#define REP10(X) REP9(X) X(9)
#define REP11(X) REP10(X) X(10)
#define REP12(X) REP11(X) X(11)

/* what is done to row i, for one, two and three vectors */
#define ZERO1(i) vf c##i##_0 = {0};
#define ZERO2(i) ZERO1(i) vf c##i##_1 = {0};
#define ZERO3(i) ZERO2(i) vf c##i##_2 = {0};
#define TAKE1(i) c##i##_0 = v_load(t + i * ldt);
#define TAKE2(i) TAKE1(i) c##i##_1 = v_load(t + i * ldt + VL);
#define TAKE3(i) TAKE2(i) c##i##_2 = v_load(t + i * ldt + 2 * VL);
#define GIVE1(i) v_store(t + i * ldt, c##i##_0);
#define GIVE2(i) GIVE1(i) v_store(t + i * ldt + VL, c##i##_1);
#define GIVE3(i) GIVE2(i) v_store(t + i * ldt + 2 * VL, c##i##_2);
/* Where the rows of t lie is computed from here on: before the loop it would be kept on the stack,
 * which takes as long as a short sum. */
#define AFTER_SUMS __asm__ volatile("" : "+r"(ldt));
/* GCC for ARM would load the whole column of A first, and have no registers left */
#if defined __aarch64__ && !defined __clang__
#define IN_ORDER __asm__ volatile("" ::: "memory");
#else
#define IN_ORDER
#endif

/* every tile there is: X(rows, vectors) */
#define TILES_TO_6(X, nv) X(1, nv) X(2, nv) X(3, nv) X(4, nv) X(5, nv) X(6, nv)
#define TILES_TO_8(X, nv) TILES_TO_6(X, nv) X(7, nv) X(8, nv)
#define TILES_TO_12(X, nv) TILES_TO_8(X, nv) X(9, nv) X(10, nv) X(11, nv) X(12, nv)
#define TILES1(X) TILES_TO_12(X, 1)
#if WIDE_FILE
#define TILES2(X) TILES_TO_12(X, 2)
#define TILES3(X) TILES_TO_8(X, 3)
#else
#define TILES2(X) TILES_TO_6(X, 2)
#define TILES3(X)
#endif

#endif
