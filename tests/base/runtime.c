/* SPDX-License-Identifier: MIT
 *
 * The runtime: choices and their errors, the default one, output; CPUs and cgroup quotas.
 */
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/runtime.h"
#include "test.h"

/* -- choices ------------------------------------------------------------------------------------*/
TEST(the_best_kernels_are_chosen)
{
	unsetenv("NACRE_ISA");
	CHECK(nc_cpu_isa(0) != NULL);
	for (int i = 0; nc_cpu_isa(i); i++) {
		nacre_error e = {0};
		nacre_runtime *rt =
		    nacre_runtime_new(&(nacre_runtime_options){.isa = nc_cpu_isa(i)}, &e);
		CHECK_STR(nacre_runtime_isa(rt), nc_cpu_isa(i));
		nacre_runtime_free(rt);
		setenv("NACRE_ISA", nc_cpu_isa(i), 1);
		rt = nacre_runtime_new(NULL, &e);
		CHECK_STR(nacre_runtime_isa(rt), nc_cpu_isa(i));
		nacre_runtime_free(rt);
		CHECK_EQ(e.status, NACRE_OK);
	}
	setenv("NACRE_ISA", "", 1);
	nacre_runtime *rt = nacre_runtime_new(NULL, NULL);
	CHECK_STR(nacre_runtime_isa(rt), nc_cpu_isa(0));
	nacre_runtime_free(rt);
	unsetenv("NACRE_ISA");
	CHECK(!nc_cpu_isa(100));
}

TEST(unknown_kernels_are_refused)
{
	nacre_error e = {0};
	CHECK(!nacre_runtime_new(&(nacre_runtime_options){.isa = "v9"}, &e));
	CHECK_EQ(e.status, NACRE_INVALID);
	CHECK(strstr(e.text, "v9") && strstr(e.text, nc_cpu_isa(0)));
	CHECK(!nacre_runtime_new(&(nacre_runtime_options){.isa = "v9"}, NULL));
	setenv("NACRE_ISA", "vax", 1);
	e = (nacre_error){0};
	CHECK(!nacre_runtime_new(NULL, &e));
	CHECK_EQ(e.status, NACRE_INVALID);
	CHECK(strstr(e.text, "NACRE_ISA: no kernels \"vax\"; this CPU can run: ") == e.text);
	CHECK(!nacre_runtime_default());
	CHECK_EQ(nacre_runtime_threads(NULL), 0);
	CHECK_EQ(nacre_runtime_set_threads(NULL, 2), NACRE_INVALID);
	CHECK_STR(nacre_runtime_isa(NULL), "");
	CHECK_EQ(nacre_runtime_memory(NULL).bytes, 0);
	nacre_runtime_set_output(NULL, NULL);
	nacre_runtime_stop(NULL);
	nc_print(NULL, NACRE_OUT, "nowhere to go");
	unsetenv("NACRE_ISA");
}

TEST(thread_counts)
{
	unsetenv("NACRE_THREADS");
	nacre_runtime *rt = nacre_runtime_new(&(nacre_runtime_options){.threads = 5}, NULL);
	CHECK_EQ(nacre_runtime_threads(rt), 5);
	CHECK_EQ(nacre_runtime_set_threads(rt, 2), NACRE_OK);
	CHECK_EQ(nacre_runtime_threads(rt), 2);
	CHECK_EQ(nacre_runtime_set_threads(rt, -1), NACRE_INVALID);
	CHECK_EQ(nacre_runtime_set_threads(rt, 257), NACRE_INVALID);
	CHECK_EQ(nacre_runtime_threads(rt), 2);
	CHECK_EQ(nacre_runtime_set_threads(rt, 0), NACRE_OK);
	CHECK_EQ(nacre_runtime_threads(rt), nc_cpu_count());
	setenv("NACRE_THREADS", "3", 1);
	CHECK_EQ(nacre_runtime_set_threads(rt, 0), NACRE_OK);
	CHECK_EQ(nacre_runtime_threads(rt), 3);
	nacre_runtime_free(rt);
	static const char *const bad[] = {"0", "257", "-1", "two", "2x", "99999999999999999999"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		nacre_error e = {0};
		setenv("NACRE_THREADS", bad[i], 1);
		CHECK(!nacre_runtime_new(NULL, &e));
		CHECK_EQ(e.status, NACRE_INVALID);
		CHECK(strstr(e.text, "NACRE_THREADS") && strstr(e.text, bad[i]));
	}
	unsetenv("NACRE_THREADS");
	nacre_error e = {0};
	CHECK(!nacre_runtime_new(&(nacre_runtime_options){.threads = -2}, &e));
	CHECK_EQ(e.status, NACRE_INVALID);
	CHECK(strstr(e.text, "-2"));
}

/* -- the default runtime ------------------------------------------------------------------------*/
static void *ask_for_default(void *arg)
{
	*(nacre_runtime **)arg = nacre_runtime_default();
	return NULL;
}

TEST(there_is_one_default)
{
	for (int round = 0; round < 50; round++) {
		pthread_t t[4];
		nacre_runtime *rt[4];
		for (int i = 0; i < 4; i++)
			pthread_create(&t[i], NULL, ask_for_default, &rt[i]);
		for (int i = 0; i < 4; i++)
			pthread_join(t[i], NULL);
		for (int i = 0; i < 4; i++)
			CHECK(rt[i] && rt[i] == rt[0]);
		CHECK(nc_runtime(NULL) == rt[0]);
		nacre_runtime_free(rt[0]); /* the next use makes another */
	}
	nacre_runtime *own = nacre_runtime_new(NULL, NULL);
	CHECK(nc_runtime(own) == own && nc_runtime(NULL) != own);
	nacre_runtime_free(own);
	nacre_runtime_free(nacre_runtime_default());
	nacre_runtime_free(NULL);
}

/* -- output -------------------------------------------------------------------------------------*/
typedef struct sink {
	char text[2][5000];
	size_t size[2];
	int calls;
} sink;

static void sink_write(void *context, nacre_stream stream, const char *text, size_t size)
{
	sink *s = context;
	s->calls++;
	memcpy(s->text[stream] + s->size[stream], text, size);
	s->size[stream] += size;
}

TEST(output_goes_through_the_hook)
{
	static sink s;
	nacre_output output = {.write = sink_write, .context = &s};
	nacre_runtime *rt = nacre_runtime_new(&(nacre_runtime_options){.output = output}, NULL);
	nc_print(rt, NACRE_OUT, "loss %.2f\n", 0.25);
	nc_print(rt, NACRE_ERR, "%s", "oh");
	nc_print(rt, NACRE_OUT, "%s", "");
	CHECK_EQ(s.calls, 2);
	CHECK_STR(s.text[NACRE_OUT], "loss 0.25\n");
	CHECK_STR(s.text[NACRE_ERR], "oh");
	char line[3000];
	memset(line, 'z', sizeof line);
	line[2999] = 0;
	nc_print(rt, NACRE_ERR, "%s", line);
	CHECK_EQ(s.calls, 3);
	CHECK_EQ(s.size[NACRE_ERR], 2 + 2999);
	CHECK_STR(s.text[NACRE_ERR] + 2, line);
	output.silent = 1;
	nacre_runtime_set_output(rt, &output);
	nc_print(rt, NACRE_OUT, "nothing");
	CHECK_EQ(s.calls, 3);
	nacre_runtime_set_output(rt, &(nacre_output){.silent = 1});
	nc_print(rt, NACRE_OUT, "nothing");
	nacre_runtime_free(rt);
}

static void *no_large_blocks(void *context, void *block, size_t old_size, size_t new_size)
{
	(void)context;
	(void)old_size;
	if (!new_size) {
		free(block);
		return NULL;
	}
	/* the pool is larger than a line of text; blocks of odd sizes are text */
	if (block || new_size % 8)
		return NULL;
	return aligned_alloc(NC_ALIGN, nc_round_up(new_size, NC_ALIGN));
}

TEST(without_memory_the_beginning_is_printed)
{
	static sink s;
	nacre_runtime *rt = nacre_runtime_new(
	    &(nacre_runtime_options){.output = {.write = sink_write, .context = &s},
				     .allocator = {no_large_blocks, NULL}},
	    NULL);
	char line[3000];
	memset(line, 'z', sizeof line);
	line[2998] = 0; /* 2999 bytes with the terminator */
	nc_print(rt, NACRE_OUT, "%s", line);
	CHECK_EQ(s.calls, 1);
	CHECK_EQ(s.size[NACRE_OUT], 1023);
	nacre_runtime_free(rt);
}

TEST(the_default_output_is_stdout)
{
	fflush(stdout);
	char path[] = "/tmp/nacre-test-XXXXXX";
	int fd = mkstemp(path), old = dup(STDOUT_FILENO);
	CHECK(fd >= 0 && old >= 0);
	dup2(fd, STDOUT_FILENO);
	nacre_runtime *rt = nacre_runtime_new(NULL, NULL);
	int terminal = rt->output.terminal;
	nc_print(rt, NACRE_OUT, "epoch %d\n", 3);
	nacre_runtime_free(rt);
	dup2(old, STDOUT_FILENO);
	close(old);
	char text[100] = "";
	CHECK_EQ(pread(fd, text, sizeof text - 1, 0), 8);
	CHECK_STR(text, "epoch 3\n");
	CHECK(!terminal);
	close(fd);
	unlink(path);
}

/* -- CPUs ---------------------------------------------------------------------------------------*/
static char root[] = "/tmp/nacre-test-XXXXXX";

/* Writes a file below `root`, and the folders it lies in. */
static void put(const char *path, const char *text)
{
	char full[600];
	snprintf(full, sizeof full, "%s%s", root, path);
	for (char *p = full + strlen(root) + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		mkdir(full, 0777);
		*p = '/';
	}
	FILE *f = fopen(full, "w");
	CHECK(f != NULL);
	if (f) {
		fputs(text, f);
		fclose(f);
	}
}

TEST(cgroup_quotas)
{
	CHECK(mkdtemp(root) != NULL);
	CHECK_EQ(nc_cgroup_cpus(root), NC_THREADS); /* nothing there at all */
	put("/proc/self/cgroup", "0::/a/b\n");
	CHECK_EQ(nc_cgroup_cpus(root), NC_THREADS);
	put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
	CHECK_EQ(nc_cgroup_cpus(root), NC_THREADS);
	put("/sys/fs/cgroup/a/b/cpu.max", "150000 100000\n");
	CHECK_EQ(nc_cgroup_cpus(root), 2);
	put("/sys/fs/cgroup/a/b/cpu.max", "300000 100000\n");
	CHECK_EQ(nc_cgroup_cpus(root), 3);
	put("/sys/fs/cgroup/a/cpu.max", "50000 100000\n"); /* the outer group is tighter */
	CHECK_EQ(nc_cgroup_cpus(root), 1);
	put("/proc/self/cgroup", "0::/\n"); /* inside a container */
	put("/sys/fs/cgroup/cpu.max", "700000 100000");
	CHECK_EQ(nc_cgroup_cpus(root), 7);
	put("/proc/self/cgroup", "4:cpu,cpuacct:/docker/x\n3:cpuset:/y\n0::/none\n");
	put("/sys/fs/cgroup/cpu.max", "max 100000");
	put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
	put("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
	CHECK_EQ(nc_cgroup_cpus(root), NC_THREADS);
	put("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "410000\n");
	CHECK_EQ(nc_cgroup_cpus(root), 5);
	put("/sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us", "200000\n");
	put("/sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us", "100000\n");
	CHECK_EQ(nc_cgroup_cpus(root), 2);
	/* nonsense limits nothing */
	static const char *const nonsense[] = {"",  "nan 5",     "1 0", "-5 1000",
					       "x", "100000 -1", "inf"};
	put("/proc/self/cgroup", "0::/\n");
	for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++) {
		put("/sys/fs/cgroup/cpu.max", nonsense[i]);
		CHECK_EQ(nc_cgroup_cpus(root), NC_THREADS);
	}
	put("/proc/self/cgroup", "no colons\n:\n::\na:b\n");
	CHECK_EQ(nc_cgroup_cpus(root), NC_THREADS);
	test_remove_folder(root);
}

TEST(there_is_a_cpu)
{
	CHECK(nc_cpu_count() >= 1 && nc_cpu_count() <= NC_THREADS);
}
