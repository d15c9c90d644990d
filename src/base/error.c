/* SPDX-License-Identifier: MIT
 *
 * error.c - the texts of statuses, the version, and the one way to set an error.
 */
#include <stdio.h>

#include "base/base.h"

#ifndef NACRE_VERSION
#define NACRE_VERSION "0.1.0"
#endif

const char *nacre_status_text(nacre_status status)
{
	switch (status) {
#define X(name, value, text)                                                                       \
	case NACRE_##name:                                                                         \
		return text;
		NACRE_STATUS_LIST(X)
#undef X
	}
	return "unknown status";
}

const char *nacre_version(void)
{
	return NACRE_VERSION;
}

nacre_status nc_failv(nacre_error *e, nacre_status status, const char *format, va_list args)
{
	if (!e || e->status != NACRE_OK)
		return status;
	e->status = status;
	if (vsnprintf(e->text, sizeof e->text, format, args) < 0)
		e->text[0] = 0;
	return status;
}

nacre_status nc_fail(nacre_error *e, nacre_status status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	nc_failv(e, status, format, args);
	va_end(args);
	return status;
}

nacre_status nc_no_memory(nacre_error *e, size_t bytes)
{
	return nc_fail(e, NACRE_NO_MEMORY, "out of memory (%zu bytes asked for)", bytes);
}
