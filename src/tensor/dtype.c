/* SPDX-License-Identifier: MIT
 *
 * dtype.c - the data types: names, sizes, and conversion between all pairs.
 *
 * A type is read into one of four wide types (f32, f64, i32, i64) that holds each of its values,
 * and written from each of them: 9 readers and 36 writers make the 81 conversions, a tile at a
 * time.  No value is rounded twice.
 */
#include <string.h>

#include "tensor/tensor.h"

typedef uint16_t f16, bf16;

/* -- rounding -----------------------------------------------------------------------------------*/
static inline uint32_t bits(float f)
{
	uint32_t u;
	memcpy(&u, &f, sizeof u);
	return u;
}

static inline float from_bits(uint32_t u)
{
	float f;
	memcpy(&f, &u, sizeof f);
	return f;
}

/* condition ? a : b without a branch, or the loops over it would not become vector code */
static inline int32_t pick(bool condition, int32_t a, int32_t b)
{
	int32_t mask = -(int32_t)condition;
	return (a & mask) | (b & ~mask);
}

/* Normal numbers: the exponent is rebased and half a unit of the last place added, less one if
 * the last place is even.  What is denormal in f16: adding 0.5 shifts the digits to the right
 * place and rounds them. */
static inline uint16_t to_f16(float f)
{
	int32_t sign = (int32_t)(bits(f) >> 16 & 0x8000), size = (int32_t)(bits(f) & 0x7fffffff);
	int32_t normal = (size - (112 << 23) + 0xfff + (size >> 13 & 1)) >> 13;
	int32_t denormal = (int32_t)(bits(from_bits((uint32_t)size) + 0.5f) - bits(0.5f));
	int32_t nan = 0x7e00 | (size >> 13 & 0x3ff), infinity = 0x7c00;
	int32_t finite = pick(size < 113 << 23, denormal, normal);
	int32_t special = pick(size > 0x7f800000, nan, infinity);
	return (uint16_t)(pick(size < 143 << 23, finite, special) | sign);
}

static inline uint16_t to_bf16(float f)
{
	uint32_t u = bits(f);
	uint32_t rounded = (u + 0x7fff + (u >> 16 & 1)) >> 16, quiet = u >> 16 | 0x40;
	return (uint16_t)((u & 0x7fffffff) > 0x7f800000 ? quiet : rounded);
}

uint16_t nc_f32_to_f16(float f)
{
	return to_f16(f);
}

uint16_t nc_f32_to_bf16(float f)
{
	return to_bf16(f);
}

/* On the way from a double to 16 bits by way of f32, rounding twice could err.  f32 therefore
 * takes the neighbour whose last bit is 1 when it is not exact ("round to odd"): it then never
 * lies on a tie of the second rounding that the double did not lie on. */
static inline float odd_float(double d)
{
	float f = (float)d;
	uint32_t u = bits(f);
	if ((double)f == d || d != d || u & 1)
		return f;
	/* the last bit is 0: of the neighbours take the one on the other side of d, which for an
	 * infinity that is too large is the largest number */
	bool outward = (d < 0 ? -d : d) > (double)(f < 0 ? -f : f);
	return from_bits(outward ? u + 1 : u - 1);
}

/* The same from i64 to double: whether any of the low bits, which may not fit, is set goes into
 * the lowest bit kept. */
static inline double odd_double(int64_t i)
{
	uint64_t n = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
	if (n >> 53)
		n = n >> 11 << 11 | (uint64_t)((n & 0x7ff) != 0) << 11;
	return i < 0 ? -(double)n : (double)n;
}

/* -- clamping to integers: NaN gives 0 ----------------------------------------------------------*/
#define CLAMP(x, low, high) ((x) < (low) ? (low) : (x) > (high) ? (high) : (x))
#define NUMBER(x) ((x) == (x) ? (x) : 0)

/* f32 holds the limits of 8 bits, f64 those of 32 */
#define SMALL(NAME, T, low, high)                                                                  \
	static inline T NAME##_from_f32(float x)                                                   \
	{                                                                                          \
		float y = NUMBER(x);                                                               \
		return (T)(int32_t)CLAMP(y, (float)(low), (float)(high));                          \
	}                                                                                          \
	static inline T NAME##_from_f64(double x)                                                  \
	{                                                                                          \
		double y = NUMBER(x);                                                              \
		return (T)(int32_t)CLAMP(y, (double)(low), (double)(high));                        \
	}                                                                                          \
	static inline T NAME##_from_i32(int32_t x)                                                 \
	{                                                                                          \
		return (T)CLAMP(x, (low), (high));                                                 \
	}                                                                                          \
	static inline T NAME##_from_i64(int64_t x)                                                 \
	{                                                                                          \
		return (T)CLAMP(x, (low), (high));                                                 \
	}

typedef int8_t i8;
typedef uint8_t u8;
SMALL(I8, i8, -128, 127)
SMALL(U8, u8, 0, 255)

typedef int32_t i32;
static inline i32 I32_from_f64(double x)
{
	double y = NUMBER(x);
	return (i32)CLAMP(y, (double)INT32_MIN, (double)INT32_MAX);
}
static inline i32 I32_from_f32(float x)
{
	return I32_from_f64((double)x);
}
static inline i32 I32_from_i32(int32_t x)
{
	return x;
}
static inline i32 I32_from_i64(int64_t x)
{
	return (i32)CLAMP(x, INT32_MIN, INT32_MAX);
}

typedef int64_t i64;
static inline i64 I64_from_f64(double x)
{
	if (!(x > -0x1p63))
		return x == x ? INT64_MIN : 0;
	return x < 0x1p63 ? (i64)x : INT64_MAX;
}
static inline i64 I64_from_f32(float x)
{
	return I64_from_f64((double)x);
}
static inline i64 I64_from_i32(int32_t x)
{
	return x;
}
static inline i64 I64_from_i64(int64_t x)
{
	return x;
}

/* -- to floating point and bool -----------------------------------------------------------------*/
typedef float f32;
typedef double f64;
typedef uint8_t bool8;

#define F32_from_f32(x) (x)
#define F32_from_f64(x) ((float)(x))
#define F32_from_i32(x) ((float)(x))
#define F32_from_i64(x) ((float)(x))
#define F64_from_f32(x) ((double)(x))
#define F64_from_f64(x) (x)
#define F64_from_i32(x) ((double)(x))
#define F64_from_i64(x) ((double)(x))
#define F16_from_f32(x) to_f16(x)
#define F16_from_f64(x) to_f16(odd_float(x))
#define F16_from_i32(x) to_f16(odd_float((double)(x)))
#define F16_from_i64(x) to_f16(odd_float(odd_double(x)))
#define BF16_from_f32(x) to_bf16(x)
#define BF16_from_f64(x) to_bf16(odd_float(x))
#define BF16_from_i32(x) to_bf16(odd_float((double)(x)))
#define BF16_from_i64(x) to_bf16(odd_float(odd_double(x)))
#define BOOL_from_f32(x) ((x) != 0)
#define BOOL_from_f64(x) ((x) != 0)
#define BOOL_from_i32(x) ((x) != 0)
#define BOOL_from_i64(x) ((x) != 0)

/* -- the wide type of each type, and its value in it --------------------------------------------*/
typedef enum wide { WIDE_f32, WIDE_f64, WIDE_i32, WIDE_i64 } wide;
enum { TILE = 512 };

/* what each NAME of NACRE_DTYPE_LIST is stored as, is widened to, and how */
#define STORED_F32 f32
#define STORED_F64 f64
#define STORED_F16 f16
#define STORED_BF16 bf16
#define STORED_I8 i8
#define STORED_U8 u8
#define STORED_I32 i32
#define STORED_I64 i64
#define STORED_BOOL bool8
#define WIDER_F32 f32
#define WIDER_F64 f64
#define WIDER_F16 f32
#define WIDER_BF16 f32
#define WIDER_I8 i32
#define WIDER_U8 i32
#define WIDER_I32 i32
#define WIDER_I64 i64
#define WIDER_BOOL i32
#define WIDEN_F32(x) (x)
#define WIDEN_F64(x) (x)
#define WIDEN_F16(x) nc_f16_to_f32(x)
#define WIDEN_BF16(x) from_bits((uint32_t)(x) << 16)
#define WIDEN_I8(x) (x)
#define WIDEN_U8(x) (x)
#define WIDEN_I32(x) (x)
#define WIDEN_I64(x) (x)
#define WIDEN_BOOL(x) ((x) != 0)

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

typedef void convert_loop(void *restrict dst, const void *restrict src, int64_t n);

#define READ(NAME)                                                                                 \
	static void read_##NAME(void *restrict dst, const void *restrict src, int64_t n)           \
	{                                                                                          \
		WIDER_##NAME *restrict y = dst;                                                    \
		const STORED_##NAME *restrict x = src;                                             \
		for (int64_t i = 0; i < n; i++)                                                    \
			y[i] = WIDEN_##NAME(x[i]);                                                 \
	}
#define WRITE(NAME, from)                                                                          \
	static void write_##NAME##_##from(void *restrict dst, const void *restrict src, int64_t n) \
	{                                                                                          \
		STORED_##NAME *restrict y = dst;                                                   \
		const from *restrict x = src;                                                      \
		for (int64_t i = 0; i < n; i++)                                                    \
			y[i] = (STORED_##NAME)NAME##_from_##from(x[i]);                            \
	}
#define LOOPS(NAME, name, bytes, kind, safetensors, numpy)                                         \
	READ(NAME)                                                                                 \
	WRITE(NAME, f32)                                                                           \
	WRITE(NAME, f64)                                                                           \
	WRITE(NAME, i32)                                                                           \
	WRITE(NAME, i64)                                                                           \
	_Static_assert(sizeof(STORED_##NAME) == (bytes), #NAME);
NACRE_DTYPE_LIST(LOOPS)

/* -- the table ----------------------------------------------------------------------------------*/
static const struct type {
	const char *name;
	size_t bytes;
	enum { FLOAT, INT, BOOL } kind;
	wide wide;
	bool is_wide; /* stored as the wide type itself */
	convert_loop *read;
	convert_loop *write[4]; /* by wide type */
} types[NACRE_DTYPES] = {
#define X(NAME, name_, bytes_, kind_, safetensors, numpy)                                          \
	[NACRE_##NAME] = {                                                                         \
	    #name_,                                                                                \
	    bytes_,                                                                                \
	    kind_,                                                                                 \
	    PASTE(WIDE_, WIDER_##NAME),                                                            \
	    sizeof(STORED_##NAME) == sizeof(WIDER_##NAME),                                         \
	    read_##NAME,                                                                           \
	    {write_##NAME##_f32, write_##NAME##_f64, write_##NAME##_i32, write_##NAME##_i64}},
	NACRE_DTYPE_LIST(X)
#undef X
};

bool nc_dtype_valid(nacre_dtype d)
{
	return (unsigned)d < NACRE_DTYPES;
}

bool nc_dtype_is_float(nacre_dtype d)
{
	return nc_dtype_valid(d) && types[d].kind == FLOAT;
}

const char *nacre_dtype_name(nacre_dtype dtype)
{
	return nc_dtype_valid(dtype) ? types[dtype].name : "?";
}

size_t nacre_dtype_size(nacre_dtype dtype)
{
	return nc_dtype_valid(dtype) ? types[dtype].bytes : 0;
}

void nc_convert(nacre_dtype to, void *dst, nacre_dtype from, const void *src, int64_t n)
{
	const struct type *t = &types[to], *f = &types[from];
	if (n <= 0)
		return;
	if (to == from && t->kind != BOOL) {
		memcpy(dst, src, (size_t)n * t->bytes);
	} else if (f->is_wide) {
		t->write[f->wide](dst, src, n);
	} else if (t->is_wide && t->wide == f->wide) {
		f->read(dst, src, n);
	} else {
		_Alignas(NC_ALIGN) char tile[TILE * sizeof(int64_t)];
		for (int64_t i = 0; i < n; i += TILE) {
			int64_t part = nc_min(TILE, n - i);
			f->read(tile, (const char *)src + (size_t)i * f->bytes, part);
			t->write[f->wide]((char *)dst + (size_t)i * t->bytes, tile, part);
		}
	}
}

double nc_element(nacre_dtype d, const void *data, int64_t i)
{
	double value;
	nc_convert(NACRE_F64, &value, d, (const char *)data + i * (int64_t)types[d].bytes, 1);
	return value;
}

void nc_element_set(nacre_dtype d, void *data, int64_t i, double value)
{
	nc_convert(d, (char *)data + i * (int64_t)types[d].bytes, NACRE_F64, &value, 1);
}
