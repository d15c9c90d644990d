/* SPDX-License-Identifier: MIT
 *
 * hostile.c - files that lie: every integer of small valid files set to values at the edges of the
 * types, every prefix, every flipped bit.  Each must be refused with an error, within memory of the
 * file's size + 64 MiB, and without a read past the end (the bytes lie in blocks of their exact
 * size, for the address sanitizer).
 */
#include "format/idx.h"
#include "format/npy.h"
#include "format/npz.h"
#include "format/replay.h"
#include "format/safetensors.h"
#include "format/sweep.h"

static bool read_idx(const uint8_t *bytes, size_t n, nacre_error *e)
{
	nacre_tensor *t = nc_idx_decode(rt, bytes, n, e);
	nacre_tensor_free(t);
	return t;
}

static bool read_npy(const uint8_t *bytes, size_t n, nacre_error *e)
{
	nacre_tensor *t = nc_npy_decode(rt, bytes, n, e);
	nacre_tensor_free(t);
	return t;
}

static bool read_npz(const uint8_t *bytes, size_t n, nacre_error *e)
{
	nc_npz z;
	if (nc_npz_open(nc_runtime_memory(rt), bytes, n, &z, e))
		return false;
	for (size_t i = 0; i < z.zip.n && !e->status; i++)
		nacre_tensor_free(nc_npz_tensor(rt, &z, i, e));
	nc_npz_close(&z);
	return !e->status;
}

static bool read_safetensors(const uint8_t *bytes, size_t n, nacre_error *e)
{
	nc_safetensors d;
	if (nc_safetensors_parse(nc_runtime_memory(rt), bytes, n, &d, e))
		return false;
	nc_safetensors_clear(&d);
	return true;
}

TEST(idx_fields)
{
	start();
	for (int rank = 1; rank <= 8; rank++)
		for (int k = 0; k < 6; k++) {
			static const uint8_t type[] = {8, 9, 0x0b, 0x0c, 0x0d, 0x0e};
			static const uint8_t size[] = {1, 1, 2, 4, 4, 8};
			uint8_t file[400] = {0, 0, type[k], (uint8_t)rank};
			size_t n = 4 + 4 * (size_t)rank, elements = 1;
			for (int i = 0; i < rank; i++) {
				file[4 + 4 * i + 3] = i < 2 ? 3 : 1;
				elements *= i < 2 ? 3 : 1;
			}
			n += elements * size[k];
			CHECK(try_file(read_idx, file, n));
			lie_at(read_idx, file, n, 0, 2, true, 0, true);
			lie_at(read_idx, file, n, 2, 1, true, type[k],
			       false); /* u8 as i8 is right */
			lie_at(read_idx, file, n, 3, 1, true, (uint64_t)rank, false);
			for (int i = 0; i < rank; i++)
				lie_at(read_idx, file, n, 4 + 4 * (size_t)i, 4, true, i < 2 ? 3 : 1,
				       true);
		}
	report();
}

typedef struct text_file {
	uint8_t bytes[1200];
	size_t n;
} text_file;

static text_file npy_file(int version, const char *shape, size_t data)
{
	text_file f = {{0x93, 'N', 'U', 'M', 'P', 'Y', (uint8_t)version}, 0};
	size_t start = version == 1 ? 10 : 12;
	int n = snprintf((char *)f.bytes + start, 900,
			 "{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }\n", shape);
	f.bytes[8] = (uint8_t)n;
	f.bytes[9] = (uint8_t)(n >> 8);
	f.n = start + (size_t)n + data;
	return f;
}

TEST(npy_fields)
{
	start();
	for (int version = 1; version <= 3; version++) {
		text_file f = npy_file(version, "3, 5", 60);
		size_t length = f.n - 60 - (version == 1 ? 10 : 12);
		CHECK(try_file(read_npy, f.bytes, f.n));
		/* a length that is too small by the final newline alone leaves a whole header, but
		 * then the data are one byte more */
		lie_at(read_npy, f.bytes, f.n, 8, version == 1 ? 2 : 4, false, length, true);
		lie_at(read_npy, f.bytes, f.n, 6, 1, false, (uint64_t)version, false);
		lie_at(read_npy, f.bytes, f.n, 7, 1, false, 0, true);
	}
	for (int rank = 1; rank <= 8; rank++)
		for (int field = 0; field < rank; field++)
			for (int i = 0; i < LIES; i++) {
				char shape[400];
				size_t n = 0;
				for (int d = 0; d < rank; d++)
					n += (size_t)snprintf(shape + n, sizeof shape - n,
							      "%" PRIu64 ",",
							      d == field ? lie(i, 2) : 2);
				text_file f = npy_file(1, shape, (size_t)4 << rank);
				CHECK(!try_file(read_npy, f.bytes, f.n));
				/* the same as a negative number */
				n = 0;
				for (int d = 0; d < rank; d++)
					n += (size_t)snprintf(
					    shape + n, sizeof shape - n, "%" PRId64 ",",
					    d == field ? -(int64_t)(lie(i, 2) >> 1) - 1 : 2);
				f = npy_file(1, shape, (size_t)4 << rank);
				CHECK(!try_file(read_npy, f.bytes, f.n));
			}
	report();
}

/* Two tensors; one of the numbers replaced by the text of a lie. */
static text_file safetensors_file(int field, const char *text)
{
	static const char *const truth[] = {"2", "3", "0", "24", "5", "24", "29"};
	const char *v[7];
	text_file f = {{0}, 0};
	for (int i = 0; i < 7; i++)
		v[i] = i == field ? text : truth[i];
	int n = snprintf((char *)f.bytes + 8, 1000,
			 "{\"a\":{\"dtype\":\"F32\",\"shape\":[%s,%s],\"data_offsets\":[%s,%s]},"
			 "\"b\":{\"dtype\":\"U8\",\"shape\":[%s],\"data_offsets\":[%s,%s]}}",
			 v[0], v[1], v[2], v[3], v[4], v[5], v[6]);
	put_integer(f.bytes, 8, false, (uint64_t)n);
	f.n = 8 + (size_t)n + 29;
	return f;
}

TEST(safetensors_fields)
{
	static const uint64_t truth[] = {2, 3, 0, 24, 5, 24, 29};
	start();
	text_file f = safetensors_file(-1, "");
	CHECK(try_file(read_safetensors, f.bytes, f.n));
	lie_at(read_safetensors, f.bytes, f.n, 0, 8, false, f.n - 8 - 29, true);
	for (int field = 0; field < 7; field++)
		for (int i = 0; i < LIES; i++) {
			char text[60];
			for (int k = 0; k < 7; k++) {
				uint64_t value = lie(i, truth[field]);
				switch (k) { /* formats are literals, for the compiler to check */
				case 0:
					snprintf(text, sizeof text, "%" PRIu64, value);
					break;
				case 1:
					snprintf(text, sizeof text, "-%" PRIu64, value);
					break;
				case 2:
					snprintf(text, sizeof text, "0%" PRIu64, value);
					break;
				case 3:
					snprintf(text, sizeof text, "%" PRIu64 "0000", value);
					break;
				case 4:
					snprintf(text, sizeof text, "%" PRIu64 ".0", value);
					break;
				case 5:
					snprintf(text, sizeof text, "\"%" PRIu64 "\"", value);
					break;
				default:
					snprintf(text, sizeof text, "[%" PRIu64 "]", value);
					break;
				}
				f = safetensors_file(field, text);
				bool ok = try_file(read_safetensors, f.bytes, f.n);
				char right[30];
				snprintf(right, sizeof right, "%" PRIu64, truth[field]);
				if (ok && strcmp(text, right))
					test_failed(__FILE__, __LINE__, "field %d: %s was believed",
						    field, text);
			}
		}
	report();
}

/* -- prefixes and bits */
static void damage_one(const char *name, const uint8_t *data, size_t n, void *context)
{
	reader *const *read = context;
	try_file(*read, data, n);
	if (corpus_is_ok(name) && !corpus_is_packed(name))
		damage_file(name, *read, data, n);
}

static void damage(const char *format, reader *read)
{
	start();
	corpus_each(format, damage_one, &read);
	report();
	CHECK(files > 1000);
}

TEST(idx_damaged)
{
	damage("idx", read_idx);
}

TEST(npy_damaged)
{
	damage("npy", read_npy);
}

TEST(npz_damaged)
{
	damage("npz", read_npz);
}

TEST(safetensors_damaged)
{
	damage("safetensors", read_safetensors);
}

/* -- much in little */
/* n times the same text between `head` and `tail` as the header of a safetensors file */
static void repeat(const char *head, const char *text, size_t n, const char *tail)
{
	size_t one = strlen(text), at = 8;
	uint8_t *file = malloc(8 + strlen(head) + n * one + strlen(tail));
	memcpy(file + at, head, strlen(head));
	at += strlen(head);
	for (size_t i = 0; i < n; i++, at += one)
		memcpy(file + at, text, one);
	memcpy(file + at, tail, strlen(tail));
	at += strlen(tail);
	put_integer(file, 8, false, at - 8);
	double t = seconds();
	CHECK(!try_file(read_safetensors, file, at));
	CHECK(seconds() - t < 2);
	free(file);
}

TEST(bombs)
{
	start();
	repeat("", "[", 1000000, ""); /* nesting */
	repeat("{\"a\":", "{\"a\":", 1000000, "");
	repeat("{\"a\":{\"shape\":[", "1,", 1000000, "1]}}");                 /* dimensions */
	repeat("{\"", "\\u0041", 1000000, "\":1}");                           /* one long name */
	repeat("{\"__metadata__\":{", "\"a\":\"\",", 100000, "\"a\":\"\"}}"); /* equal keys */
	repeat("{", "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},", 50000,
	       "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}");
	report();
}
