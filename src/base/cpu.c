/* SPDX-License-Identifier: MIT
 *
 * cpu.c - what this process may use: instruction sets and number of CPUs.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined __x86_64__
#include <cpuid.h>
#endif

#include "base/base.h"
#include "base/pool.h"
#include "base/runtime.h"

/* -- instruction sets, as the x86-64 psABI defines its levels -----------------------------------*/
#if defined __x86_64__

static bool has_v2(void)
{
	return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt") &&
	       __builtin_cpu_supports("ssse3");
}

/* The compiler's function also asks whether the operating system saves the wide registers; what
 * it has no name for needs no more than that. */
static bool has_v3(void)
{
	unsigned a, b, basic, d, extended;
	if (!__get_cpuid(1, &a, &b, &basic, &d) || !__get_cpuid(0x80000001, &a, &b, &extended, &d))
		return false;
	bool f16c = basic >> 29 & 1, movbe = basic >> 22 & 1, lzcnt = extended >> 5 & 1;
	return has_v2() && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
	       __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && f16c && movbe &&
	       lzcnt;
}

static bool has_v4(void)
{
	return has_v3() && __builtin_cpu_supports("avx512f") &&
	       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

/* beyond the levels: AVX-512 BF16 */
static bool has_v4_bf16(void)
{
	unsigned a = 0, b = 0, c = 0, d = 0;
	return has_v4() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 5 & 1);
}

static const struct {
	const char *name;
	bool (*available)(void);
} levels[] = {{"v4_bf16", has_v4_bf16}, {"v4", has_v4}, {"v3", has_v3}, {"v2", has_v2}};

#else

static bool always(void)
{
	return true;
}

static const struct {
	const char *name;
	bool (*available)(void);
} levels[] = {{"neon", always}};

#endif

const char *nc_cpu_isa(int i)
{
#if defined __x86_64__
	__builtin_cpu_init();
#endif
	for (size_t level = 0; level < sizeof levels / sizeof *levels; level++)
		if (levels[level].available() && i-- == 0)
			return levels[level].name;
	return NULL;
}

/* -- number of CPUs -----------------------------------------------------------------------------*/
/* Reads a small text file; false if it cannot. */
static bool read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	size_t n = 0;
	ssize_t got;
	while (n < size - 1 && (got = read(fd, text + n, size - 1 - n)) > 0)
		n += (size_t)got;
	text[n] = 0;
	close(fd);
	return n > 0;
}

static int rounded_up(double quota, double period)
{
	if (!(quota > 0 && period > 0 && quota < period * NC_THREADS))
		return NC_THREADS;
	double cpus = quota / period;
	int whole = (int)cpus;
	return whole < cpus ? whole + 1 : whole;
}

/* the quota of one group; NC_THREADS: none */
static int group_quota(const char *folder, bool v2)
{
	char path[1300], text[64];
	double quota = -1, period = 100000;
	if (v2) {
		snprintf(path, sizeof path, "%s/cpu.max", folder);
		if (!read_text(path, text, sizeof text) ||
		    sscanf(text, "%lf %lf", &quota, &period) < 1)
			return NC_THREADS; /* also "max" */
		return rounded_up(quota, period);
	}
	snprintf(path, sizeof path, "%s/cpu.cfs_quota_us", folder);
	if (!read_text(path, text, sizeof text) || sscanf(text, "%lf", &quota) != 1)
		return NC_THREADS;
	snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
	if (!read_text(path, text, sizeof text) || sscanf(text, "%lf", &period) != 1)
		return NC_THREADS;
	return rounded_up(quota, period);
}

/* The tightest quota on the way from a group up to the root.  Inside a container the path that
 * the kernel names may not exist; its root then stands for the group. */
static int path_quota(const char *mount, const char *group, bool v2)
{
	char folder[1200];
	int length = snprintf(folder, sizeof folder, "%s%s", mount, group);
	if (length < 0 || (size_t)length >= sizeof folder)
		return group_quota(mount, v2);
	int quota = NC_THREADS;
	size_t root = strlen(mount);
	for (;;) {
		int here = group_quota(folder, v2);
		quota = here < quota ? here : quota;
		char *slash = strrchr(folder, '/');
		if (!slash || (size_t)(slash - folder) < root)
			return quota;
		*slash = 0;
	}
}

/* is `name` in the comma-separated list? */
static bool listed(const char *list, size_t size, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = list, *end = list + size; p < end;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		size_t length = (size_t)((comma ? comma : end) - p);
		if (length == n && !memcmp(p, name, n))
			return true;
		p += length + 1;
	}
	return false;
}

int nc_cgroup_cpus(const char *root)
{
	char path[600], text[8192], mount[600];
	snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
	if (!read_text(path, text, sizeof text))
		return NC_THREADS;
	int quota = NC_THREADS;
	for (char *save, *line = strtok_r(text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		/* "id:controllers:/group"; version 2 has no controllers */
		char *controllers = strchr(line, ':');
		char *group = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!group)
			continue;
		controllers++;
		bool v2 = group == controllers;
		if (!v2 && !listed(controllers, (size_t)(group - controllers), "cpu"))
			continue;
		snprintf(mount, sizeof mount, "%s/sys/fs/cgroup%s", root, v2 ? "" : "/cpu");
		int here = path_quota(mount, group + 1, v2);
		quota = here < quota ? here : quota;
	}
	return quota;
}

int nc_cpu_count(void)
{
	cpu_set_t set;
	int n = NC_THREADS;
	if (!sched_getaffinity(getpid(), sizeof set, &set)) {
		n = CPU_COUNT(&set);
	} else { /* more CPUs than the set can hold */
		long online = sysconf(_SC_NPROCESSORS_ONLN);
		n = online < 1 ? 1 : online < NC_THREADS ? (int)online : NC_THREADS;
	}
	int quota = nc_cgroup_cpus("");
	n = n < quota ? n : quota;
	return n < 1 ? 1 : n > NC_THREADS ? NC_THREADS : n;
}
