/* SPDX-License-Identifier: MIT
 *
 * lanes.h - parts of vectors and sums over the lanes of one.
 */
#ifndef NC_LANES_H
#define NC_LANES_H

#include "vec.h"

#if VL == 16
#define V_IOTA ((vi){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
#elif VL == 8
#define V_IOTA ((vi){0, 1, 2, 3, 4, 5, 6, 7})
#else
#define V_IOTA ((vi){0, 1, 2, 3})
#endif

/* lane i is lane (i + by) % VL of v; by is a constant */
INLINE vf v_rotate(vf v, int by)
{
#ifdef __clang__
	vf r;
	for (int i = 0; i < VL; i++)
		r[i] = v[(i + by) % VL];
	return r;
#else
	return __builtin_shuffle(v, (V_IOTA + by) & (VL - 1));
#endif
}
INLINE float lanes_sum(vf v) /* a tree of halves */
{
	if (VL > 8)
		v += v_rotate(v, 8);
	if (VL > 4)
		v += v_rotate(v, 4);
	v += v_rotate(v, 2);
	v += v_rotate(v, 1);
	return v[0];
}
INLINE float lanes_product(vf v)
{
	if (VL > 8)
		v *= v_rotate(v, 8);
	if (VL > 4)
		v *= v_rotate(v, 4);
	v *= v_rotate(v, 2);
	v *= v_rotate(v, 1);
	return v[0];
}
INLINE float lanes_max(vf v)
{
	if (VL > 8)
		v = v_max(v, v_rotate(v, 8));
	if (VL > 4)
		v = v_max(v, v_rotate(v, 4));
	v = v_max(v, v_rotate(v, 2));
	v = v_max(v, v_rotate(v, 1));
	return v[0];
}

/* k < VL floats: by powers of two, as a call of memcpy costs more than they do */
INLINE void part_copy(float *d, const float *s, int64_t k)
{
	if (VL > 8 && (k & 8)) {
		memcpy(d, s, 32);
		d += 8;
		s += 8;
	}
	if (VL > 4 && (k & 4)) {
		memcpy(d, s, 16);
		d += 4;
		s += 4;
	}
	if (k & 2) {
		memcpy(d, s, 8);
		d += 2;
		s += 2;
	}
	if (k & 1)
		*d = *s;
}
INLINE vf part_load(const float *p, int64_t k, float fill)
{
	float lane[VL] __attribute__((aligned(VL * 4)));
	v_store(lane, v_set(fill));
	part_copy(lane, p, k);
	return v_load(lane);
}
INLINE void part_store(float *p, vf v, int64_t k)
{
	float lane[VL] __attribute__((aligned(VL * 4)));
	v_store(lane, v);
	part_copy(p, lane, k);
}
/* k <= VL */
INLINE vf load_up_to(const float *p, int64_t k, float fill)
{
	return k == VL ? v_load(p) : part_load(p, k, fill);
}
INLINE void store_up_to(float *p, vf v, int64_t k)
{
	if (k == VL)
		v_store(p, v);
	else
		part_store(p, v, k);
}

#endif
