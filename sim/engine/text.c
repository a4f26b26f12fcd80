// SPDX-License-Identifier: GPL-2.0-only
/*
 * See text.h.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "sim/engine/text.h"

void text_add(char *buf, size_t n, const char *fmt, ...)
{
	size_t len = strlen(buf);
	va_list ap;

	if (len + 1 >= n)
		return;
	va_start(ap, fmt);
	vsnprintf(buf + len, n - len, fmt, ap);
	va_end(ap);
}
