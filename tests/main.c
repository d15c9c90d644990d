/* SPDX-License-Identifier: MIT
 *
 * main.c - runs the registered tests, or those whose name contains the first argument.
 */
#include <ftw.h>
#include <stdarg.h>
#include <time.h>

#include "test.h"

static test_case *tests, **tests_end = &tests;
static int failures;
static uint64_t state;

void test_register(test_case *t)
{
	*tests_end = t;
	tests_end = &t->next;
}

void test_failed(const char *file, int line, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (failures++ < 50) {
		printf("  %s:%d: ", file, line);
		vprintf(format, args);
		printf("\n");
	}
	va_end(args);
}

uint64_t test_random(void) /* splitmix64 */
{
	uint64_t z = (state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

double test_uniform(double low, double high)
{
	return low + (high - low) * (double)(test_random() >> 11) * 0x1p-53;
}

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *where)
{
	(void)s, (void)type, (void)where;
	return remove(path);
}

void test_remove_folder(const char *path)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS))
		test_failed(__FILE__, __LINE__, "cannot remove %s", path);
}

int main(int argc, char **argv)
{
	const char *seed = getenv("NACRE_TEST_SEED");
	state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
	printf("NACRE_TEST_SEED=%llu\n", (unsigned long long)state);
	int passed = 0, failed = 0;
	for (test_case *t = tests; t; t = t->next) {
		if (argc > 1 && !strstr(t->name, argv[1]))
			continue;
		failures = 0;
		t->run();
		printf("%s %s\n", failures ? "FAILED" : "ok    ", t->name);
		fflush(stdout);
		if (failures)
			failed++;
		else
			passed++;
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed || !passed;
}
