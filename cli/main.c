/* SPDX-License-Identifier: MIT
 *
 * main.c - the command nacre: the table of subcommands, and which of them is meant.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command.h"

static const command *const commands[] = {
    &train_command, &evaluate_command, &predict_command, &summary_command, &convert_command,
    &plot_command,  &explain_command,  &info_command,    &help_command,
};

const command *command_at(int i)
{
	return i >= 0 && i < COUNT(commands) ? commands[i] : NULL;
}

/* -- signals ----------------------------------------------------------------------------------- */
volatile int signal_came;

static void note_signal(int number)
{
	signal_came = number;
}

void catch_signals(void)
{
	struct sigaction a = {.sa_handler = note_signal};
	a.sa_flags = (int)(SA_RESETHAND | SA_RESTART); /* the second one ends the program at once */
	static const int number[] = {SIGINT, SIGTERM};
	for (int i = 0; i < COUNT(number); i++) {
		struct sigaction old;
		/* what the caller wants ignored, as the shell for jobs in the background, is */
		if (!sigaction(number[i], NULL, &old) && old.sa_handler != SIG_IGN)
			sigaction(number[i], &a, NULL);
	}
}

/* -- which ------------------------------------------------------------------------------------- */
static const struct {
	const char *name;
	bool there;
} libraries[] = {
    {"zlib", NACRE_CLI_ZLIB}, {"libpng", NACRE_CLI_PNG}, {"libjpeg", NACRE_CLI_JPEG}};

void print_version(FILE *to)
{
	nacre_runtime *rt = nacre_runtime_default();
	fprintf(to, "nacre %s\nkernels: %s\nthreads: %d\n", nacre_version(),
		rt ? nacre_runtime_isa(rt) : "none", rt ? nacre_runtime_threads(rt) : 0);
	for (int i = 0; i < COUNT(libraries); i++)
		fprintf(to, "%s: %s\n", libraries[i].name, libraries[i].there ? "yes" : "no");
}

static int version(bool as_json)
{
	nacre_runtime *rt = nacre_runtime_default();
	json_out j = {.to = stdout};
	if (!as_json) {
		print_version(stdout);
		return 0;
	}
	json_open(&j, NULL, '{');
	json_text(&j, "version", nacre_version());
	json_text(&j, "kernels", rt ? nacre_runtime_isa(rt) : NULL);
	json_whole(&j, "threads", rt ? nacre_runtime_threads(rt) : 0);
	for (int i = 0; i < COUNT(libraries); i++)
		json_bool(&j, libraries[i].name, libraries[i].there);
	json_close(&j, '}');
	return 0;
}

static int unknown(const char *word)
{
	const char *names[COUNT(commands)];
	int code = fail(NACRE_INVALID, "there is no command \"%s\"", word);
	for (int i = 0; i < COUNT(commands); i++)
		names[i] = commands[i]->name;
	const char *near = nearest(word, COUNT(commands), names);
	if (near)
		hint("did you mean nacre %s?", near);
	else
		hint("nacre help lists the commands");
	return code;
}

/* $NACRE_ISA or $NACRE_THREADS may say what cannot be: then there is no default runtime. */
static int check_runtime(int64_t threads)
{
	nacre_error e = {0};
	if (!nacre_runtime_default()) {
		nacre_runtime *rt = nacre_runtime_new(NULL, &e);
		nacre_runtime_free(rt);
		return e.status ? fail_with(&e) : fail(NACRE_NO_MEMORY, "out of memory");
	}
	if (threads)
		nacre_runtime_set_threads(nacre_runtime_default(), (int)threads);
	return 0;
}

static int run(const command *c, int n, char **word)
{
	void *options = take(1, c->size);
	command_name = c->name;
	int code = parse_options(c, &n, word, options);
	const common_options *common = options;
	if (!code && common->help)
		print_help(c, stdout);
	else if (!code)
		code = check_runtime(common->threads);
	if (!code && !common->help)
		code = c->run(n, word, options);
	free(options);
	return code;
}

int main(int argc, char **argv)
{
	int code = 0;
	signal(SIGPIPE, SIG_IGN); /* a closed pipe is an error of writing, found at the end */
	if (argc < 2) {
		print_usage(stderr);
		return exit_code(NACRE_INVALID);
	}
	const command *c = NULL;
	for (int i = 0; i < COUNT(commands); i++)
		if (strcmp(argv[1], commands[i]->name) == 0)
			c = commands[i];
	if (c)
		code = run(c, argc - 2, argv + 2);
	else if (strcmp(argv[1], "--version") == 0)
		code = version(argc > 2 && strcmp(argv[2], "--json") == 0);
	else if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		print_usage(stdout);
	else
		code = unknown(argv[1]);
	if ((fflush(stdout) || ferror(stdout)) && !code)
		code = fail(NACRE_IO, "cannot write to standard output: %s", strerror(errno));
	nacre_runtime_free(nacre_runtime_default());
	return code;
}
