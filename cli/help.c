/* SPDX-License-Identifier: MIT
 *
 * help.c - what is read from the tables of subcommands and options: --help, the manual page (roff)
 * and the completion for bash.
 */
#include <ctype.h>
#include <string.h>

#include "command.h"

/* -- help -------------------------------------------------------------------------------------- */
/* Words of `text` at column `indent`, wrapped before 80. */
static void print_wrapped(FILE *to, const char *text, int indent, int column)
{
	while (*text) {
		if (*text == '\n') {
			fprintf(to, "\n");
			column = 0;
			text++;
			continue;
		}
		int n = (int)strcspn(text, " \n");
		if (column > indent && column + 1 + n > 79) {
			fprintf(to, "\n");
			column = 0;
		}
		if (column < indent)
			fprintf(to, "%*s", indent - column, "");
		else if (column > indent)
			fprintf(to, " ");
		column = column <= indent ? indent + n : column + 1 + n;
		fprintf(to, "%.*s", n, text);
		text += n;
		text += strspn(text, " ");
	}
	fprintf(to, "\n");
}

static void option_head(char *buffer, size_t size, const option *o)
{
	char letter[8] = "    ";
	if (o->letter)
		snprintf(letter, sizeof letter, "-%c, ", o->letter);
	snprintf(buffer, size, "  %s--%s%s%s", letter, o->name, o->argument ? " " : "",
		 o->argument ? o->argument : "");
}

static const char *option_help(char buffer[400], const option *o)
{
	bool shown = o->standard && *o->standard;
	snprintf(buffer, 400, "%s%s%s%s", o->help, shown ? " (default: " : "",
		 shown ? o->standard : "", shown ? ")" : "");
	return buffer;
}

void print_help(const command *c, FILE *to)
{
	enum { INDENT = 28 };
	char head[160], text[400];
	const option *o;
	fprintf(to, "usage: nacre %s%s%s [OPTION...]\n\n", c->name, *c->operands ? " " : "",
		c->operands);
	print_wrapped(to, c->summary, 0, 0);
	if (*c->text) {
		fprintf(to, "\n");
		print_wrapped(to, c->text, 0, 0);
	}
	fprintf(to, "\nOptions:\n");
	for (int i = 0; (o = option_at(c, i)); i++) {
		option_head(head, sizeof head, o);
		fprintf(to, "%s", head);
		int column = (int)strlen(head);
		if (column > INDENT - 2) {
			fprintf(to, "\n");
			column = 0;
		}
		print_wrapped(to, option_help(text, o), INDENT, column);
	}
	if (*c->examples) {
		fprintf(to, "\nExamples:\n");
		for (const char *p = c->examples; *p;) {
			int n = (int)strcspn(p, "\n");
			fprintf(to, "  %.*s\n", n, p);
			p += n + (p[n] == '\n');
		}
	}
}

static const char exit_texts[][2][60] = {
    {"0", "all went well"},
    {"1", "a failure of another kind"},
    {"2", "the command line cannot be understood"},
    {"3", "a data file is damaged, or does not fit"},
    {"4", "a model file is damaged or not supported"},
    {"5", "out of memory"},
    {"6", "a file cannot be read or written"},
    {"7", "training ran into numbers that are not finite"},
    {"130, 143", "stopped by SIGINT, SIGTERM"},
};

void print_usage(FILE *to)
{
	const command *c;
	fprintf(to, "usage: nacre COMMAND [OPERAND...] [OPTION...]\n"
		    "       nacre --version\n\n"
		    "Deep learning at the shell.\n\nCommands:\n");
	for (int i = 0; (c = command_at(i)); i++)
		fprintf(to, "  %-10s %s\n", c->name, c->summary);
	fprintf(to, "\nnacre COMMAND --help tells more.  Exit codes:\n");
	for (int i = 0; i < COUNT(exit_texts); i++)
		fprintf(to, "  %-10s %s\n", exit_texts[i][0], exit_texts[i][1]);
}

/* -- the manual page --------------------------------------------------------------------------- */
static void roff(FILE *to, const char *s)
{
	bool line = true;
	for (; *s; s++) {
		if (*s == '\n') {
			fprintf(to, "\n%s", s[1] == '\n' ? ".PP" : "");
			line = true;
			continue;
		}
		if (line && (*s == '.' || *s == '\''))
			fprintf(to, "\\&");
		if (*s == '\\')
			fprintf(to, "\\e");
		else if (*s == '-')
			fprintf(to, "\\-");
		else
			fputc(*s, to);
		line = false;
	}
}

static void man_option(FILE *to, const option *o)
{
	char text[400];
	fprintf(to, ".TP\n");
	if (o->letter)
		fprintf(to, "\\fB\\-%c\\fR, ", o->letter);
	fprintf(to, "\\fB\\-\\-");
	roff(to, o->name);
	fprintf(to, "\\fR");
	if (o->argument) {
		fprintf(to, " \\fI");
		roff(to, o->argument);
		fprintf(to, "\\fR");
	}
	fprintf(to, "\n");
	roff(to, option_help(text, o));
	fprintf(to, "\n");
}

static void man_command(FILE *to, const command *c)
{
	const option *o;
	fprintf(to, ".SS nacre %s ", c->name);
	roff(to, c->operands);
	fprintf(to, "\n");
	roff(to, c->summary);
	fprintf(to, "\n.PP\n");
	roff(to, c->text);
	fprintf(to, "\n");
	for (int i = 0; i < c->n_options && (o = option_at(c, i)); i++)
		man_option(to, o);
	if (*c->examples) {
		fprintf(to, ".PP\nExamples:\n.PP\n.nf\n");
		roff(to, c->examples);
		fprintf(to, "\n.fi\n");
	}
}

void print_man(FILE *to)
{
	const command *c;
	fprintf(
	    to,
	    ".TH NACRE 1 \"\" \"nacre %s\" \"User Commands\"\n.SH NAME\nnacre \\- deep learning at "
	    "the shell\n.SH SYNOPSIS\n.B nacre\n\\fICOMMAND\\fR [\\fIOPERAND\\fR...] "
	    "[\\fIOPTION\\fR...]\n.br\n.B nacre \\-\\-version\n.SH DESCRIPTION\n"
	    "Trains small networks on tables, uses them, and looks at files of tensors.\n"
	    ".SH COMMANDS\n",
	    nacre_version());
	for (int i = 0; (c = command_at(i)); i++)
		man_command(to, c);
	fprintf(to, ".SH COMMON OPTIONS\n");
	for (int i = 0; i < COMMON_OPTIONS; i++)
		man_option(to, &common_table[i]);
	fprintf(to, ".SH EXIT STATUS\n");
	for (int i = 0; i < COUNT(exit_texts); i++)
		fprintf(to, ".TP\n%s\n%s\n", exit_texts[i][0], exit_texts[i][1]);
	fprintf(to, ".SH ENVIRONMENT\n.TP\nNACRE_THREADS\nthreads that compute\n"
		    ".TP\nNACRE_ISA\nkernels to use: v2, v3, v4 (x86\\-64 levels) or neon\n");
}

/* -- completion -------------------------------------------------------------------------------- */
static void bash_values(FILE *to, const command *c)
{
	const option *o;
	for (int i = 0; (o = option_at(c, i)); i++) {
		if (!o->argument || !strchr(o->argument, '|'))
			continue;
		fprintf(to, "\t%s:--%s) COMPREPLY=($(compgen -W \"", c->name, o->name);
		for (const char *p = o->argument; *p; p++)
			if (*p == '|' || islower((unsigned char)*p) || *p == '_')
				fputc(*p == '|' ? ' ' : *p, to);
		fprintf(to, "\" -- \"$cur\")%s); return ;;\n",
			strstr(o->argument, "FILE") ? " $(compgen -f -- \"$cur\")" : "");
	}
}

void print_bash(FILE *to)
{
	const command *c;
	const option *o;
	fprintf(to, "# completion of nacre for bash, made by: nacre help --bash\n"
		    "_nacre()\n{\n"
		    "\tlocal cur=${COMP_WORDS[COMP_CWORD]} last=${COMP_WORDS[COMP_CWORD-1]}\n"
		    "\tlocal command=${COMP_WORDS[1]} options=\n"
		    "\tif [ \"$COMP_CWORD\" = 1 ]; then\n\t\tCOMPREPLY=($(compgen -W \"");
	for (int i = 0; (c = command_at(i)); i++)
		fprintf(to, "%s ", c->name);
	fprintf(to, "--version --help\" -- \"$cur\"))\n\t\treturn\n\tfi\n"
		    "\tcase $command:$last in\n");
	for (int i = 0; (c = command_at(i)); i++)
		bash_values(to, c);
	fprintf(to, "\tesac\n\tcase $command in\n");
	for (int i = 0; (c = command_at(i)); i++) {
		fprintf(to, "\t%s) options=\"", c->name);
		for (int k = 0; (o = option_at(c, k)); k++)
			fprintf(to, "%s--%s", k ? " " : "", o->name);
		fprintf(to, "\" ;;\n");
	}
	fprintf(to, "\tesac\n"
		    "\tcase $cur in\n"
		    "\t-*) COMPREPLY=($(compgen -W \"$options\" -- \"$cur\")) ;;\n"
		    "\t*) COMPREPLY=($(compgen -f -- \"$cur\")) ;;\n"
		    "\tesac\n}\ncomplete -o filenames -F _nacre nacre\n");
}

/* -- nacre help -------------------------------------------------------------------------------- */
typedef struct help_options {
	common_options common;
	int man, bash;
} help_options;

static const option options[] = {
    {"man", 0, FLAG, offsetof(help_options, man), NULL, NULL, 0, 0,
     "print the manual page, to be read by man"},
    {"bash", 0, FLAG, offsetof(help_options, bash), NULL, NULL, 0, 0,
     "print the completion for bash"},
};

static void list_commands(void)
{
	json_out j = {.to = stdout};
	const command *c;
	const option *o;
	json_open(&j, NULL, '{');
	json_open(&j, "commands", '[');
	for (int i = 0; (c = command_at(i)); i++) {
		json_open(&j, NULL, '{');
		json_text(&j, "name", c->name);
		json_text(&j, "operands", c->operands);
		json_text(&j, "summary", c->summary);
		json_open(&j, "options", '[');
		for (int k = 0; (o = option_at(c, k)); k++) {
			json_open(&j, NULL, '{');
			json_text(&j, "name", o->name);
			json_text(&j, "argument", o->argument);
			json_text(&j, "default", o->standard);
			json_text(&j, "help", o->help);
			json_close(&j, '}');
		}
		json_close(&j, ']');
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
}

static int run(int n, char **operand, const void *given)
{
	const help_options *o = given;
	const char *names[16];
	const command *c;
	if (o->man)
		print_man(stdout);
	else if (o->bash)
		print_bash(stdout);
	else if (o->common.json)
		list_commands();
	else if (!n)
		print_usage(stdout);
	if (!n || o->man || o->bash || o->common.json)
		return 0;
	int known = 0;
	for (; known < COUNT(names) && (c = command_at(known)); known++) {
		names[known] = c->name;
		if (strcmp(c->name, operand[0]) == 0) {
			print_help(c, stdout);
			return 0;
		}
	}
	int code = fail(NACRE_INVALID, "there is no command \"%s\"", operand[0]);
	const char *near = nearest(operand[0], known, names);
	if (near)
		hint("did you mean %s?", near);
	return code;
}

const command help_command = {
    .name = "help",
    .operands = "[COMMAND]",
    .most = 1,
    .summary = "tell about the commands",
    .text = "Without a command: the list of them.",
    .examples = "nacre help train\nnacre help --man | man -l -\nsource <(nacre help --bash)",
    .options = options,
    .n_options = COUNT(options),
    .size = sizeof(help_options),
    .run = run,
};
