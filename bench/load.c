/* SPDX-License-Identifier: MIT
 *
 * load.c - a model of 1 GB out of a .keras and a .safetensors file: the time beside that of reading
 * the file into memory, and the most memory that the process took.  The files lie in the page cache
 * both times.  Each measurement is a process of its own.
 *
 * usage: bench_load [FOLDER [MB]]      the folder for the files, /tmp; they are removed at the end
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nacre.h>

#include "base/base.h"
#include "base/runtime.h"

enum { ROUNDS = 3 };

typedef struct taken {
	double seconds, bytes; /* at most, in memory */
	int failed;
} taken;

static const char *file;
static int64_t width;

static double status_of(const char *name)
{
	char text[128];
	double kb = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(text, sizeof text, f))
		if (!strncmp(text, name, strlen(name)))
			kb = strtod(text + strlen(name) + 1, NULL);
	if (f)
		fclose(f);
	return kb * 1024;
}

static nacre_model *network(void)
{
	nacre_model *m = nacre_sequential("large");
	nacre_add(m, nacre_input(width));
	nacre_add(m, nacre_dense(width));
	nacre_add(m, nacre_dense(width));
	return m;
}

static int read_file(void)
{
	nc_bytes b;
	nacre_error e = {0};
	return nc_file_read(nc_runtime_memory(nc_runtime(NULL)), file, 0, &b, &e) != NACRE_OK;
}

static int load_keras(void)
{
	nacre_error e = {0};
	nacre_model *m = nacre_load(NULL, file, &e);
	if (!m)
		fprintf(stderr, "%s\n", e.text);
	return !m;
}

static int load_weights(void)
{
	nacre_model *m = network();
	nacre_load_weights(m, file);
	return nacre_report(m);
}

/* Every tensor of the file, mapped, and a number of each page asked for. */
static int map_tensors(void)
{
	nacre_error e = {0};
	double sum = 0;
	nacre_safetensors *f = nacre_safetensors_open(NULL, file, &e);
	for (int64_t i = 0; i < nacre_safetensors_count(f); i++) {
		nacre_tensor *t = nacre_safetensors_tensor(f, nacre_safetensors_name(f, i), &e);
		for (int64_t k = 0; k < nacre_tensor_size(t); k += 1024)
			sum += nacre_tensor_get(t, k);
		nacre_tensor_free(t);
	}
	nacre_safetensors_free(f);
	return e.status || sum == 0.123;
}

static int save_both(void)
{
	char path[600];
	nacre_model *m = network();
	for (int k = 0; k < 2; k++) {
		snprintf(path, sizeof path, "%s.%s", file, k ? "keras" : "safetensors");
		nacre_save(m, path);
	}
	return nacre_report(m);
}

/* The best of some rounds. */
static taken measure(int (*job)(void), int rounds)
{
	taken *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	taken best = {1e9, 0, 1};
	for (int r = 0; r < rounds && shared != MAP_FAILED; r++) {
		pid_t child = fork();
		if (child == 0) {
			double start = nc_now();
			shared->failed = job();
			shared->seconds = nc_now() - start;
			shared->bytes = status_of("VmHWM");
			_exit(0);
		}
		waitpid(child, NULL, 0);
		best.seconds = shared->seconds < best.seconds ? shared->seconds : best.seconds;
		best.bytes = shared->bytes > best.bytes ? shared->bytes : best.bytes;
		best.failed = shared->failed;
	}
	munmap(shared, sizeof *shared);
	return best;
}

static void report(const char *what, taken t, taken reading, double size)
{
	printf("%-34s %7.3f s %6.2f of reading   peak %6.0f MB %6.2f of the file%s\n", what,
	       t.seconds, t.seconds / reading.seconds, t.bytes * 1e-6, t.bytes / size,
	       t.failed ? "   FAILED" : "");
}

int main(int argc, char **argv)
{
	char base[500], path[600];
	struct stat s;
	double mb = argc > 2 ? strtod(argv[2], NULL) : 1024;
	snprintf(base, sizeof base, "%s/nacre-load-%d", argc > 1 ? argv[1] : "/tmp", (int)getpid());
	width = 64;
	while (8e-6 * (double)width * (double)width < mb)
		width += 64;
	file = base;
	if (measure(save_both, 1).failed)
		return 1;
	for (int k = 0; k < 2; k++) {
		snprintf(path, sizeof path, "%s.%s", base, k ? "keras" : "safetensors");
		file = path;
		if (stat(path, &s))
			return 1;
		double size = (double)s.st_size;
		taken reading = measure(read_file, ROUNDS + 1);
		printf("%s, %.0f MB\n", k ? ".keras" : ".safetensors", size * 1e-6);
		report("read into memory", reading, reading, size);
		if (!k)
			report("tensors, mapped, every page seen", measure(map_tensors, ROUNDS),
			       reading, size);
		report(k ? "nacre_load" : "nacre_load_weights",
		       measure(k ? load_keras : load_weights, ROUNDS), reading, size);
		unlink(path);
	}
	return 0;
}
