/* SPDX-License-Identifier: MIT
 *
 * program.h - random elementwise programs and what they must give, element by element.  Only
 * instructions that round once are used, so that the wanted bits are known.
 */
#ifndef KERNELS_PROGRAM_H
#define KERNELS_PROGRAM_H

#include "support.h"

static const int exact_ops[] = {
    NC_E_neg,         NC_E_abs, NC_E_sqrt, NC_E_relu,       NC_E_floor,  NC_E_is_nan,
    NC_E_logical_not, NC_E_add, NC_E_sub,  NC_E_mul,        NC_E_div,    NC_E_maximum,
    NC_E_minimum,     NC_E_lt,  NC_E_ge,   NC_E_logical_or, NC_E_select, NC_VM_MOVE};
static const int type_bytes[] = {[NC_V_F32] = 4, [NC_V_F16] = 2, [NC_V_BF16] = 2, [NC_V_I8] = 1,
				 [NC_V_U8] = 1,  [NC_V_I32] = 4, [NC_V_BOOL] = 1};

static inline int op_sources(int op)
{
	switch (op) {
	case NC_E_neg:
	case NC_E_abs:
	case NC_E_sqrt:
	case NC_E_relu:
	case NC_E_floor:
	case NC_E_is_nan:
	case NC_E_logical_not:
	case NC_VM_MOVE:
		return 1;
	case NC_E_select:
		return 3;
	default:
		return 2;
	}
}

static inline float op_value(int op, float a, float b, float c)
{
	switch (op) {
	case NC_E_neg:
		return -a;
	case NC_E_abs:
		return fabsf(a);
	case NC_E_sqrt:
		return sqrtf(a);
	case NC_E_relu:
		return a > 0 || a != a ? a : 0;
	case NC_E_floor:
		return floorf(a);
	case NC_E_is_nan:
		return a != a;
	case NC_E_logical_not:
		return a == 0;
	case NC_E_add:
		return a + b;
	case NC_E_sub:
		return a - b;
	case NC_E_mul:
		return a * b;
	case NC_E_div:
		return a / b;
	case NC_E_maximum:
		return a > b || a != a ? a : b;
	case NC_E_minimum:
		return a < b || a != a ? a : b;
	case NC_E_lt:
		return a < b;
	case NC_E_ge:
		return a >= b;
	case NC_E_logical_or:
		return a != 0 || b != 0;
	case NC_E_select:
		return a != 0 ? b : c;
	default:
		return a;
	}
}

/* types, by the book: half and bfloat through doubles */

static inline double small_float(unsigned bits, int exponent_bits, int fraction_bits)
{
	int bias = (1 << (exponent_bits - 1)) - 1, top = (1 << exponent_bits) - 1;
	int sign = (int)(bits >> (exponent_bits + fraction_bits)) & 1;
	int exponent = (int)(bits >> fraction_bits) & top;
	double fraction = (double)(bits & ((1u << fraction_bits) - 1));
	double x = exponent ? ldexp(1 + ldexp(fraction, -fraction_bits), exponent - bias)
			    : ldexp(fraction, 1 - bias - fraction_bits);
	if (exponent == top)
		x = fraction != 0 ? (double)NAN : (double)INFINITY;
	return sign ? -x : x;
}
static inline float get(nc_vtype type, const void *p, int64_t i)
{
	switch (type) {
	case NC_V_F16:
		return (float)small_float(((const uint16_t *)p)[i], 5, 10);
	case NC_V_BF16:
		return (float)small_float(((const uint16_t *)p)[i], 8, 7);
	case NC_V_I8:
		return ((const int8_t *)p)[i];
	case NC_V_U8:
		return ((const uint8_t *)p)[i];
	case NC_V_I32:
		return (float)((const int32_t *)p)[i];
	case NC_V_BOOL:
		return ((const uint8_t *)p)[i] != 0;
	default:
		return ((const float *)p)[i];
	}
}
/* is what stands at p[i] the right form of x in this type? */
static inline bool holds(nc_vtype type, const void *p, int64_t i, float x)
{
	float got = get(type, p, i);
	int low, high;
	switch (type) {
	case NC_V_F32:
		return same_float(got, x);
	case NC_V_BOOL:
		return ((const uint8_t *)p)[i] == (x != 0);
	case NC_V_F16:
	case NC_V_BF16: {
		if (x != x || got != got)
			return x != x && got != got;
		int bits = type == NC_V_F16 ? 11 : 8, least = type == NC_V_F16 ? -24 : -133, e;
		frexp(x, &e);
		double unit = ldexp(1, e - bits < least ? least : e - bits);
		double want = rint(x / unit) * unit; /* half to even */
		double most = type == NC_V_F16 ? 65504 : 0x1.fep127;
		if (fabs(want) > most)
			want = want > 0 ? (double)INFINITY : -(double)INFINITY;
		return got == want;
	}
	case NC_V_I8:
		low = -128, high = 127;
		break;
	case NC_V_U8:
		low = 0, high = 255;
		break;
	default:
		low = INT32_MIN, high = INT32_MAX;
	}
	double y = x != x ? 0 : trunc((double)x);
	y = y < low ? low : y > high ? high : y;
	int64_t n = type == NC_V_I8   ? ((const int8_t *)p)[i]
		    : type == NC_V_U8 ? ((const uint8_t *)p)[i]
				      : ((const int32_t *)p)[i];
	return (double)n == y;
}
static inline void randomize(nc_vtype type, void *p, int64_t n)
{
	static const float odd[] = {0.f, -0.f, NAN, INFINITY, -INFINITY, 1.f, 3e9f, 65519.f, 1e-7f};
	for (int64_t i = 0; i < n; i++) {
		if (type == NC_V_F32)
			((float *)p)[i] =
			    pick(0, 15) ? (float)test_uniform(-300, 300) : odd[pick(0, 8)];
		else if (type_bytes[type] == 2)
			((uint16_t *)p)[i] = (uint16_t)test_random();
		else if (type_bytes[type] == 4)
			((int32_t *)p)[i] = (int32_t)test_random() >> pick(0, 24);
		else
			((uint8_t *)p)[i] = (uint8_t)(pick(0, 3) ? test_random() : 0);
	}
}

/* programs */

static inline void random_code(nc_vm *vm, int operands)
{
	bool ready[NC_VM_REGISTERS] = {false};
	int registers[NC_VM_REGISTERS], have = 0;
	vm->n_code = (int)pick(1, pick(0, 7) ? 6 : NC_VM_CODE);
	for (int k = 0; k < vm->n_code; k++) {
		nc_code *c = &vm->code[k];
		c->op = (uint8_t)exact_ops[pick(0, sizeof exact_ops / sizeof *exact_ops - 1)];
		for (int s = 0; s < 3; s++) {
			bool operand = !have || pick(0, 1);
			c->src[s] = (uint8_t)(operand ? NC_VM_REGISTERS + pick(0, operands - 1)
						      : registers[pick(0, have - 1)]);
			if (s >= op_sources(c->op))
				c->src[s] = 255; /* unused: anything */
		}
		c->dst = (uint8_t)pick(0, pick(0, 3) ? 3 : NC_VM_REGISTERS - 1);
		if (!ready[c->dst])
			registers[have++] = c->dst;
		ready[c->dst] = true;
	}
	for (int j = 0; j < vm->n_results; j++)
		vm->result[j].src = (uint8_t)(pick(0, 7) ? vm->code[pick(0, vm->n_code - 1)].dst
							 : NC_VM_REGISTERS + pick(0, operands - 1));
}

/* the program on one element: x, the operands' values; y, the results' */
static inline void evaluate(const nc_vm *vm, const float *x, float *y)
{
	float value[NC_VM_REGISTERS + NC_VM_OPERANDS] = {0};
	for (int o = 0; o < vm->n_operands; o++)
		value[NC_VM_REGISTERS + o] = x[o];
	for (int k = 0; k < vm->n_code; k++) {
		const nc_code *c = &vm->code[k];
		float s[3] = {0};
		for (int i = 0; i < op_sources(c->op); i++)
			s[i] = value[c->src[i]];
		value[c->dst] = op_value(c->op, s[0], s[1], s[2]);
	}
	for (int j = 0; j < vm->n_results; j++)
		y[j] = value[vm->result[j].src];
}

#endif
