/* SPDX-License-Identifier: MIT
 *
 * vec.h - one vector type for every ISA, by the vector extensions of GCC and Clang.
 *
 * The width follows the flags: 512 bits with AVX-512, 256 with AVX, else 128 (SSE, NEON).  No
 * intrinsics (but one, in pairs.inc).  Compile with -ffp-contract=fast, so that c += a * b is one
 * instruction where there is one, and never with -ffast-math: vmath.inc rounds by adding and
 * subtracting.
 */
#ifndef NC_VEC_H
#define NC_VEC_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#if defined __AVX512F__
#define VL 16
#elif defined __AVX__
#define VL 8
#else
#define VL 4
#endif

typedef float vf __attribute__((vector_size(VL * 4)));
typedef int32_t vi __attribute__((vector_size(VL * 4)));
typedef uint32_t vu __attribute__((vector_size(VL * 4))); /* bits that may overflow */
/* the same at any address, aliasing anything */
typedef float vf_any __attribute__((vector_size(VL * 4), aligned(4), may_alias));
typedef int32_t vi_any __attribute__((vector_size(VL * 4), aligned(4), may_alias));
typedef float four_any __attribute__((vector_size(16), aligned(4), may_alias)); /* whatever VL is */
typedef float eight_any __attribute__((vector_size(32), aligned(4), may_alias));

#define INLINE static inline __attribute__((always_inline, unused))

INLINE vf v_load(const float *p)
{
	return *(const vf_any *)p;
}
INLINE void v_store(float *p, vf v)
{
	*(vf_any *)p = v;
}
/* x - 0 is x for every x, so this folds into a bare broadcast (x + 0 does not: -0) */
INLINE vf v_set(float x)
{
	return x - (vf){0};
}
INLINE vi v_seti(int32_t x)
{
	return x - (vi){0};
}
INLINE vu v_setu(uint32_t x)
{
	return x - (vu){0};
}
/* What no operator says is written lane by lane, in memory that both compilers see through: a loop
 * over the lanes of a vector variable stays a loop, this one becomes an instruction or two. */
#define V_LANES(out, expression)                                                                   \
	do {                                                                                       \
		float lane_[VL] __attribute__((aligned(VL * 4)));                                  \
		for (int i = 0; i < VL; i++)                                                       \
			lane_[i] = (expression);                                                   \
		(out) = v_load(lane_);                                                             \
	} while (0)

/* lanes of m are all ones (a) or all zeros (b) */
INLINE vf v_sel(vi m, vf a, vf b)
{
	vf r;
	V_LANES(r, m[i] ? a[i] : b[i]);
	return r;
}
/* the same by bits: inside of loops over windows GCC takes the lanes above apart */
INLINE vf v_pick(vi m, vf a, vf b)
{
	return (vf)((m & (vi)a) | (~m & (vi)b));
}
/* a where the lanes of m are all ones, else 0 */
INLINE vf v_only(vi m, vf a)
{
	return (vf)(m & (vi)a);
}
/* one instruction each; b if either is a NaN, or both are zeros */
INLINE vf v_less(vf a, vf b)
{
	vf r;
	V_LANES(r, a[i] < b[i] ? a[i] : b[i]);
	return r;
}
INLINE vf v_more(vf a, vf b)
{
	vf r;
	V_LANES(r, a[i] > b[i] ? a[i] : b[i]);
	return r;
}
INLINE vf v_abs(vf x)
{
	return (vf)((vi)x & v_seti(0x7fffffff));
}
/* x, which is not made part of a multiply-add */
INLINE vf v_rounded(vf x)
{
#if defined __aarch64__
	__asm__("" : "+w"(x));
#else
	__asm__("" : "+v"(x));
#endif
	return x;
}
/* a NaN of either operand comes through */
INLINE vf v_max(vf a, vf b)
{
	return v_sel(a == a, v_more(a, b), a);
}
INLINE vf v_min(vf a, vf b)
{
	return v_sel(a == a, v_less(a, b), a);
}

#endif
