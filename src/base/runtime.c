/* SPDX-License-Identifier: MIT
 *
 * runtime.c - a runtime: memory, threads, output and the choice of kernels; and the default one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/pool.h"
#include "base/runtime.h"

/* -- output -------------------------------------------------------------------------------------*/
static void write_stdio(void *context, nacre_stream stream, const char *text, size_t size)
{
	(void)context;
	FILE *f = stream == NACRE_ERR ? stderr : stdout;
	fwrite(text, 1, size, f);
	fflush(f);
}

void nacre_runtime_set_output(nacre_runtime *runtime, const nacre_output *output)
{
	nacre_runtime *rt = nc_runtime(runtime);
	if (!rt)
		return;
	rt->output = output ? *output : (nacre_output){0};
	if (!rt->output.write) {
		rt->output.write = write_stdio;
		rt->output.terminal = isatty(STDOUT_FILENO);
	}
}

void nc_print(nacre_runtime *runtime, nacre_stream stream, const char *format, ...)
{
	nacre_runtime *rt = nc_runtime(runtime);
	if (!rt || rt->output.silent)
		return;
	char small[1024], *text = small;
	va_list args;
	va_start(args, format);
	int n = vsnprintf(small, sizeof small, format, args);
	va_end(args);
	if (n <= 0)
		return;
	size_t size = (size_t)n;
	if (size >= sizeof small) {
		text = nc_alloc(&rt->memory, size + 1);
		if (text) {
			va_start(args, format);
			vsnprintf(text, size + 1, format, args);
			va_end(args);
		} else { /* better its beginning than nothing */
			text = small;
			size = sizeof small - 1;
		}
	}
	rt->output.write(rt->output.context, stream, text, size);
	if (text != small)
		nc_free(&rt->memory, text, (size_t)n + 1);
}

/* -- choices ------------------------------------------------------------------------------------*/
static nacre_status choose_isa(const char *wanted, const char **isa, nacre_error *e)
{
	const char *source = "isa";
	if (!wanted) {
		source = "NACRE_ISA";
		wanted = getenv("NACRE_ISA");
	}
	const char *name;
	if (!wanted || !*wanted) {
		*isa = nc_cpu_isa(0);
		if (*isa)
			return NACRE_OK;
		return nc_fail(e, NACRE_UNSUPPORTED, "this CPU is older than x86-64-v2");
	}
	char list[64] = "";
	for (int i = 0; (name = nc_cpu_isa(i)); i++) {
		if (!strcmp(name, wanted)) {
			*isa = name;
			return NACRE_OK;
		}
		size_t n = strlen(list);
		snprintf(list + n, sizeof list - n, "%s%s", n ? ", " : "", name);
	}
	return nc_fail(e, NACRE_INVALID, "%s: no kernels \"%.40s\"; this CPU can run: %s", source,
		       wanted, list);
}

/* threads: 0 chooses */
static nacre_status choose_threads(int threads, int *out, nacre_error *e)
{
	if (threads < 0 || threads > NC_THREADS)
		return nc_fail(e, NACRE_INVALID, "threads: expected 1 to %d or 0, got %d",
			       NC_THREADS, threads);
	*out = threads;
	if (threads)
		return NACRE_OK;
	const char *text = getenv("NACRE_THREADS");
	if (!text || !*text) {
		*out = nc_cpu_count();
		return NACRE_OK;
	}
	char *end;
	errno = 0;
	long n = strtol(text, &end, 10);
	if (errno || *end || n < 1 || n > NC_THREADS)
		return nc_fail(e, NACRE_INVALID, "NACRE_THREADS: expected 1 to %d, got \"%.40s\"",
			       NC_THREADS, text);
	*out = (int)n;
	return NACRE_OK;
}

/* -- the runtime --------------------------------------------------------------------------------*/
/* Counters move along when a runtime comes out of, or goes back into, the memory that it counts. */
static void move_counters(nc_memory *to, nc_memory *from)
{
	to->allocator = from->allocator;
	to->bytes = atomic_load(&from->bytes);
	to->peak = atomic_load(&from->peak);
	to->blocks = atomic_load(&from->blocks);
	to->calls = atomic_load(&from->calls);
}

nacre_runtime *nacre_runtime_new(const nacre_runtime_options *options, nacre_error *error)
{
	nacre_runtime_options o = options ? *options : (nacre_runtime_options){0};
	const char *isa;
	int threads;
	if (choose_isa(o.isa, &isa, error) || choose_threads(o.threads, &threads, error))
		return NULL;
	nc_memory memory;
	nc_memory_init(&memory, &o.allocator);
	nacre_runtime *rt = nc_zero_alloc(&memory, sizeof *rt);
	if (!rt) {
		nc_no_memory(error, sizeof *rt);
		return NULL;
	}
	move_counters(&rt->memory, &memory);
	rt->isa = isa;
	nacre_runtime_set_output(rt, &o.output);
	rt->pool = nc_pool_new(&rt->memory, threads);
	if (!rt->pool) {
		nc_fail(error, NACRE_NO_MEMORY, "out of memory (for a pool of threads)");
		nacre_runtime_free(rt);
		return NULL;
	}
	return rt;
}

/* -- what is known by name ----------------------------------------------------------------------*/
const void *nc_registered_find(nacre_runtime *rt, const char *name)
{
	const nc_registered *r = atomic_load(&rt->registered);
	while (r && strcmp(r->name, name))
		r = r->next;
	return r ? r->what : NULL;
}

nacre_status nc_register(nacre_runtime *rt, const char *name, const void *what, nacre_error *e)
{
	const void *before = nc_registered_find(rt, name);
	if (before)
		return before == what ? NACRE_OK
				      : nc_fail(e, NACRE_INVALID,
						"register: \"%.200s\" is known already", name);
	size_t n = strlen(name) + 1;
	nc_registered *r = nc_alloc(&rt->memory, sizeof *r);
	char *copy = nc_alloc(&rt->memory, n);
	if (!r || !copy) {
		nc_free(&rt->memory, r, sizeof *r);
		nc_free(&rt->memory, copy, n);
		return nc_no_memory(e, sizeof *r + n);
	}
	memcpy(copy, name, n);
	*r = (nc_registered){atomic_load(&rt->registered), copy, what};
	while (!atomic_compare_exchange_weak(&rt->registered, &r->next, r))
		;
	return NACRE_OK;
}

static void free_registered(nacre_runtime *rt)
{
	for (nc_registered *r = atomic_load(&rt->registered), *next; r; r = next) {
		next = r->next;
		nc_free(&rt->memory, r->name, strlen(r->name) + 1);
		nc_free(&rt->memory, r, sizeof *r);
	}
}

static _Atomic(nacre_runtime *) the_default;

void nacre_runtime_free(nacre_runtime *runtime)
{
	if (!runtime)
		return;
	nacre_runtime *expected = runtime;
	atomic_compare_exchange_strong(&the_default, &expected, NULL);
	nc_pool_free(runtime->pool);
	free_registered(runtime);
	nc_memory memory;
	nc_memory_init(&memory, NULL);
	move_counters(&memory, &runtime->memory);
	nc_free(&memory, runtime, sizeof *runtime);
}

nacre_runtime *nacre_runtime_default(void)
{
	nacre_runtime *rt = atomic_load_explicit(&the_default, memory_order_acquire);
	if (rt)
		return rt;
	nacre_runtime *made = nacre_runtime_new(NULL, NULL);
	if (!made || atomic_compare_exchange_strong(&the_default, &rt, made))
		return made;
	nacre_runtime_free(made); /* another thread was first */
	return rt;
}

nacre_runtime *nc_runtime(nacre_runtime *runtime)
{
	return runtime ? runtime : nacre_runtime_default();
}

int nacre_runtime_threads(nacre_runtime *runtime)
{
	nacre_runtime *rt = nc_runtime(runtime);
	return rt ? nc_pool_threads(rt->pool) : 0;
}

nacre_status nacre_runtime_set_threads(nacre_runtime *runtime, int threads)
{
	nacre_runtime *rt = nc_runtime(runtime);
	int n;
	if (!rt || choose_threads(threads, &n, NULL))
		return NACRE_INVALID;
	return nc_pool_resize(rt->pool, n);
}

void nacre_runtime_stop(nacre_runtime *runtime)
{
	nacre_runtime *rt = runtime ? runtime : atomic_load(&the_default);
	if (rt)
		nc_pool_stop(rt->pool);
}

nacre_memory nacre_runtime_memory(nacre_runtime *runtime)
{
	nacre_runtime *rt = nc_runtime(runtime);
	if (!rt)
		return (nacre_memory){0};
	nc_memory *m = &rt->memory;
	return (nacre_memory){atomic_load(&m->bytes), atomic_load(&m->peak),
			      atomic_load(&m->blocks), atomic_load(&m->calls)};
}

const char *nacre_runtime_isa(nacre_runtime *runtime)
{
	nacre_runtime *rt = nc_runtime(runtime);
	return rt ? rt->isa : "";
}
