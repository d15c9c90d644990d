/* SPDX-License-Identifier: MIT
 *
 * test.h - the test harness: TEST(name) { CHECK(...); } in a .c file of its own, linked with
 * main.c.  A run without a test that ran, or with a failed check, exits with 1.
 */
#ifndef NACRE_TEST_H
#define NACRE_TEST_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct test_case {
	const char *name;
	void (*run)(void);
	struct test_case *next;
} test_case;

void test_register(test_case *t);
void test_failed(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
uint64_t test_random(void);   /* 64 random bits; the seed is printed, set it by NACRE_TEST_SEED */
double test_uniform(double low, double high);
void test_remove_folder(const char *path); /* with all that is in it */

#define TEST(test_name)                                                                            \
	static void test_name(void);                                                               \
	__attribute__((constructor)) static void register_##test_name(void)                        \
	{                                                                                          \
		static test_case t = {#test_name, test_name, NULL};                                \
		test_register(&t);                                                                 \
	}                                                                                          \
	static void test_name(void)

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition))                                                                  \
			test_failed(__FILE__, __LINE__, "%s", #condition);                         \
	} while (0)
#define CHECK_EQ(a, b)                                                                             \
	do {                                                                                       \
		long long va_ = (long long)(a), vb_ = (long long)(b);                              \
		if (va_ != vb_)                                                                    \
			test_failed(__FILE__, __LINE__, "%s = %lld, %s = %lld", #a, va_, #b, vb_); \
	} while (0)
#define CHECK_STR(a, b)                                                                            \
	do {                                                                                       \
		const char *va_ = (a), *vb_ = (b);                                                 \
		if (!va_ || !vb_ || strcmp(va_, vb_))                                              \
			test_failed(__FILE__, __LINE__, "\"%s\" is not \"%s\"",                    \
				    va_ ? va_ : "(null)", vb_ ? vb_ : "(null)");                   \
	} while (0)
/* |a - b| <= tolerance (NaN fails) */
#define CHECK_NEAR(a, b, tolerance)                                                                \
	do {                                                                                       \
		double va_ = (a), vb_ = (b), vt_ = (tolerance);                                    \
		if (!(fabs(va_ - vb_) <= vt_))                                                     \
			test_failed(__FILE__, __LINE__, "%s = %.9g, %s = %.9g, off by %.3g > %.3g",\
				    #a, va_, #b, vb_, fabs(va_ - vb_), vt_);                       \
	} while (0)

#endif
