// SPDX-License-Identifier: GPL-2.0-only
/*
 * Breaking text into lines. Words of the field are long (TDH.MEM.RANGE.BLOCK(0x10),
 * EPT_ENTRY_STATE_INCORRECT|RCX), so a line may also break after a few signs inside one.
 */
#include <string.h>

#include "sim/report/report.h"

/* Where the line that starts at @s must end: at most @width columns. */
static size_t cut(const char *s, size_t width)
{
	size_t len = strlen(s), at = 0;

	if (len <= width)
		return len;
	for (size_t i = 1; i <= width; i++)
		if (s[i] == ' ')
			at = i;
	if (at)
		return at;
	for (size_t i = 1; i <= width; i++)
		if (strchr("|,/", s[i - 1]) || s[i] == '(')
			at = i;
	for (size_t i = 1; !at && i <= width; i++)
		if (strchr("_.", s[width - i]))
			at = width - i + 1;
	return at ? at : width;
}

GPtrArray *report_wrapped(const char *text, int rest, int width)
{
	GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
	int lead = (int)strspn(text, " ");
	const char *s = text + lead;
	int indent = lead;

	if (width < 8)
		width = 8;
	do {
		/* A status moves to a line of its own as a whole rather than break. */
		int room = width - indent;
		size_t n;

		if (room < 4) {
			indent = 0;
			room = width;
		}
		n = cut(s, (size_t)room);
		g_ptr_array_add(lines, g_strdup_printf("%*s%.*s", indent, "", (int)n, s));
		s += n;
		while (*s == ' ')
			s++;
		indent = lead + rest;
	} while (*s);
	return lines;
}

void report_wrap(GString *out, const char *text, int first, int rest, int width)
{
	char *lead = g_strdup_printf("%*s%s", first, "", text);
	GPtrArray *lines = report_wrapped(lead, rest - first, width);

	for (guint i = 0; i < lines->len; i++)
		g_string_append_printf(out, "%s\n", (char *)lines->pdata[i]);
	g_ptr_array_unref(lines);
	g_free(lead);
}
