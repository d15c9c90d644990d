/* SPDX-License-Identifier: MIT
 *
 * load.c - a model of 1 GB out of a .safetensors and a .keras file: the time beside that of reading
 * the file, and the most memory that the process took.
 *
 * Reading is read(2) of the whole file into fresh memory, of huge pages, as the model's weights
 * are: by one thread, and by as many as the library has, each with a part of its own.  The file
 * lies in the page cache.  Each measurement is a process of its own that begins with the first byte
 * asked of the file (the model's: with its first layer) and ends when all are there; the kinds take
 * turns.  Before each, another process takes and gives back as much memory, since a virtual
 * machine's first touch of what was long free can take ten times as long.
 *
 * usage: bench_load [FOLDER [MB [ROUNDS]]]   the files' folder, /tmp; they are removed at the end
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nacre.h>

#include "base/base.h"
#include "base/crc.h"
#include "base/runtime.h"
#include "bench.h"

enum { ROUNDS = 100, KINDS = 4 }; /* at most */

static const char *file;
static size_t file_size;
static int64_t width;

static nacre_model *network(void)
{
	nacre_model *m = nacre_sequential("large");
	nacre_add(m, nacre_input(width));
	nacre_add(m, nacre_dense(width));
	nacre_add(m, nacre_dense(width));
	return m;
}

/* -- what is measured: 0 if it went well --------------------------------------------------------*/
static int read_alone(void)
{
	nc_bytes b;
	nacre_error e = {0};
	return nc_file_read(nc_runtime_memory(nc_runtime(NULL)), file, 0, &b, &e) != NACRE_OK;
}

typedef struct reading {
	int fd;
	uint8_t *data;
	atomic_int failed;
} reading;

static void read_part(void *arg, nc_team t)
{
	reading *r = arg;
	size_t share = nc_round_up(file_size / (size_t)t.size + 1, 2 << 20);
	size_t at = share * (size_t)t.tid;
	size_t end = at + share < file_size ? at + share : file_size;
	while (at < end) {
		ssize_t n = pread(r->fd, r->data + at, end - at, (off_t)at);
		if (n <= 0) {
			r->failed = 1;
			return;
		}
		at += (size_t)n;
	}
}

static int read_together(void)
{
	nacre_runtime *rt = nc_runtime(NULL);
	reading r = {.fd = open(file, O_RDONLY), .data = nc_alloc(&rt->memory, file_size)};
	if (r.fd < 0 || !r.data)
		return 1;
	nc_pool_run(rt->pool, read_part, &r);
	return r.failed;
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

static int touch_memory(void)
{
	char *p = mmap(NULL, file_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return 1;
	madvise(p, file_size, MADV_HUGEPAGE);
	memset(p, 1, file_size);
	return 0;
}

/* -- measuring ----------------------------------------------------------------------------------*/
typedef struct kind {
	const char *name;
	int (*job)(void);
} kind;

/* The first two are what the others are compared with. */
static const kind safetensors[] = {{"read, one thread", read_alone},
				   {"read, all threads", read_together},
				   {"nacre_load_weights", load_weights},
				   {"tensors, mapped, every page seen", map_tensors},
				   {NULL, NULL}};
static const kind keras[] = {{"read, one thread", read_alone},
			     {"read, all threads", read_together},
			     {"nacre_load", load_keras},
			     {NULL, NULL}};

typedef struct taken {
	double seconds, bytes; /* at most, in memory */
	int failed;
} taken;

static taken run(int (*job)(void))
{
	taken *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
			     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return (taken){.failed = 1};
	shared->failed = 1;
	pid_t child = fork();
	if (child == 0) {
		struct rusage u;
		double start = bench_now();
		int failed = job();
		shared->seconds = bench_now() - start;
		getrusage(RUSAGE_SELF, &u);
		shared->bytes = 1024 * (double)u.ru_maxrss;
		shared->failed = failed;
		_exit(0);
	}
	if (child > 0)
		waitpid(child, NULL, 0);
	taken t = *shared;
	munmap(shared, sizeof *shared);
	return t;
}

static void report(const kind *kinds, int n, double times[][ROUNDS], const double *bytes,
		   int rounds)
{
	int m = rounds / 2;
	printf("%-34s %8s %8s   of reading by one, by all %11s\n", "", "median", "best", "memory");
	for (int i = 0; i < n; i++)
		printf("%-34s %6.3f s %6.3f s %19.2f %7.2f %6.2f files\n", kinds[i].name,
		       times[i][m], times[i][0], times[i][m] / times[0][m],
		       times[i][m] / times[1][m], bytes[i] / (double)file_size);
}

/* All kinds in turns, on the file of that name; it is removed. */
static int compare(const kind *kinds, const char *name, int rounds)
{
	static double times[KINDS][ROUNDS];
	double bytes[KINDS] = {0};
	struct stat s;
	int n = 0, failed = stat(name, &s);
	file = name;
	file_size = failed ? 0 : (size_t)s.st_size;
	while (kinds[n].name)
		n++;
	for (int r = 0; r < rounds; r++)
		for (int i = 0; i < n && !failed; i++) {
			run(touch_memory);
			taken t = run(kinds[i].job);
			times[i][r] = t.seconds;
			bytes[i] = t.bytes > bytes[i] ? t.bytes : bytes[i];
			failed |= t.failed;
		}
	unlink(name);
	if (failed) {
		printf("%s: FAILED\n", name);
		return 1;
	}
	for (int i = 0; i < n; i++)
		bench_sort(times[i], rounds);
	printf("%s, %.0f MB, %d rounds\n", strrchr(name, '.'), 1e-6 * (double)file_size, rounds);
	report(kinds, n, times, bytes, rounds);
	return 0;
}

/* GB/s of the zip archive's checksum, from the cache. */
static double checksum_speed(void)
{
	static float data[1 << 18];
	double best = 1e9;
	volatile uint32_t crc = 0;
	bench_fill(data, sizeof data / sizeof *data);
	for (int i = 0; i < 300; i++) {
		double start = bench_now();
		crc = nc_crc32(crc, data, sizeof data);
		double took = bench_now() - start;
		best = took < best ? took : best;
	}
	return 1e-9 * (double)sizeof data / best;
}

int main(int argc, char **argv)
{
	char base[500], path[600];
	double mb = argc > 2 ? strtod(argv[2], NULL) : 1024;
	int rounds = argc > 3 ? (int)strtol(argv[3], NULL, 10) : 7;
	rounds = rounds < 1 ? 1 : rounds > ROUNDS ? ROUNDS : rounds;
	snprintf(base, sizeof base, "%s/nacre-load-%d", argc > 1 ? argv[1] : "/tmp", (int)getpid());
	width = 64;
	while (8e-6 * (double)width * (double)width < mb)
		width += 64;
	file = base;
	if (run(save_both).failed)
		return 1;
	snprintf(path, sizeof path, "%s.safetensors", base);
	int failed = compare(safetensors, path, rounds);
	snprintf(path, sizeof path, "%s.keras", base);
	failed |= compare(keras, path, rounds);
	printf("CRC-32 on one thread, from the cache: %.1f GB/s\n", checksum_speed());
	return failed;
}
