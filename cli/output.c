/* SPDX-License-Identifier: MIT
 *
 * output.c - errors, small texts, files to write.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "command.h"

const char *command_name;

/* -- errors ------------------------------------------------------------------------------------ */
int exit_code(nacre_status status)
{
	return status == NACRE_UNSUPPORTED ? NACRE_BAD_DATA : (int)status;
}

static void prefix(void)
{
	fflush(stdout);
	fprintf(stderr, "nacre%s%s: ", command_name ? " " : "", command_name ? command_name : "");
}

int fail(nacre_status status, const char *format, ...)
{
	va_list args;
	prefix();
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
	return exit_code(status);
}

int fail_with(const nacre_error *error)
{
	return fail(error->status ? error->status : NACRE_FAILED, "%s",
		    error->status ? error->text : "failed");
}

void hint(const char *format, ...)
{
	va_list args;
	fprintf(stderr, "  ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
}

void warn(const char *format, ...)
{
	va_list args;
	prefix();
	fprintf(stderr, "warning: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\n");
}

/* -- memory and texts -------------------------------------------------------------------------- */
void *take(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);
	if (!p)
		exit(fail(NACRE_NO_MEMORY, "out of memory (%zu times %zu bytes asked for)", n,
			  size));
	return p;
}

char *copy_text(const char *s)
{
	size_t n = strlen(s) + 1;
	return memcpy(take(n, 1), s, n);
}

char *format_text(const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, format, args);
	char *s = take((size_t)(n < 0 ? 0 : n) + 1, 1);
	vsnprintf(s, (size_t)(n < 0 ? 0 : n) + 1, format, again);
	va_end(again);
	va_end(args);
	return s;
}

bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);
	return n >= m && strcmp(s + n - m, end) == 0;
}

const char *size_text(char buffer[32], double bytes)
{
	static const char *const unit[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
	int i = 0;
	for (; bytes >= 1000 && i < COUNT(unit) - 1; i++)
		bytes /= 1000;
	snprintf(buffer, 32, i ? "%.1f %s" : "%.0f %s", bytes, unit[i]);
	return buffer;
}

const char *number_text(char buffer[40], double value)
{
	for (int digits = 6; digits <= 17; digits++) {
		snprintf(buffer, 40, "%.*g", digits, value);
		double back;
		if (!nacre_parse_number(buffer, &back) || back == value)
			break;
	}
	return buffer;
}

const char *cell_text(char buffer[160], const char *s, int width)
{
	int n = 0, columns = 0;
	for (; s[n] && n < 150 && (columns < width || ((unsigned char)s[n] & 0xc0) == 0x80); n++) {
		unsigned char c = (unsigned char)s[n];
		buffer[n] = (char)(c < 0x20 || c == 0x7f ? '?' : c);
		columns += (c & 0xc0) != 0x80;
	}
	for (; columns < width && n < 158; columns++)
		buffer[n++] = ' ';
	buffer[n] = '\0';
	return buffer;
}

/* -- files ------------------------------------------------------------------------------------- */
int sink_open(sink *s, const char *path)
{
	*s = (sink){.to = stdout};
	if (!path || strcmp(path, "-") == 0)
		return 0;
	struct stat status;
	s->path = path;
	bool special = !stat(path, &status) && !S_ISREG(status.st_mode); /* as /dev/stdout */
	s->temporary = special ? NULL : format_text("%s.tmp.%ld", path, (long)getpid());
	s->to = fopen(special ? path : s->temporary, "w");
	if (s->to)
		return 0;
	int code = fail(NACRE_IO, "%s: cannot write: %s", path, strerror(errno));
	free(s->temporary);
	*s = (sink){0};
	return code;
}

int sink_close(sink *s, bool keep)
{
	int code = 0;
	if (!s->to || s->to == stdout)
		return 0;
	errno = 0;
	bool bad = ferror(s->to) || fflush(s->to) || (s->temporary && fsync(fileno(s->to)));
	bad |= fclose(s->to) != 0;
	if (keep && !bad && s->temporary)
		bad = rename(s->temporary, s->path) != 0;
	if (keep && bad)
		code = fail(NACRE_IO, "%s: cannot write: %s", s->path, strerror(errno));
	if (s->temporary && (bad || !keep))
		unlink(s->temporary);
	free(s->temporary);
	*s = (sink){0};
	return code;
}

void put_csv(FILE *to, const char *field, bool last)
{
	size_t n = strlen(field);
	bool quoted =
	    strpbrk(field, ",;\t|\"\r\n") || (n && (*field == ' ' || field[n - 1] == ' '));
	if (quoted)
		fputc('"', to);
	for (const char *p = field; *p; p++) {
		if (*p == '"')
			fputc('"', to);
		fputc(*p, to);
	}
	fprintf(to, "%s%s", quoted ? "\"" : "", last ? "\n" : ",");
}
