// SPDX-License-Identifier: GPL-2.0-only
/*
 * The writer of json.h.
 */
#include "sim/report/json.h"

static void put_text(GString *out, const char *s)
{
	if (!s) {
		g_string_append(out, "null");
		return;
	}
	g_string_append_c(out, '"');
	for (; *s; s++) {
		guchar c = (guchar)*s;

		if (c == '"' || c == '\\')
			g_string_append_printf(out, "\\%c", c);
		else if (c < 0x20)
			g_string_append_printf(out, "\\u%04x", c);
		else
			g_string_append_c(out, (char)c);
	}
	g_string_append_c(out, '"');
}

/* Start a member (key) or an element (key NULL): comma, new line, indentation. */
static void json_item(struct json *j, const char *key)
{
	if (j->comma)
		g_string_append_c(j->out, ',');
	g_string_append_printf(j->out, "\n%*s", 2 * j->depth, "");
	if (key) {
		put_text(j->out, key);
		g_string_append(j->out, ": ");
	}
	j->comma = TRUE;
}

void json_text(struct json *j, const char *key, const char *v)
{
	json_item(j, key);
	put_text(j->out, v);
}

void json_number(struct json *j, const char *key, gint64 v)
{
	json_item(j, key);
	g_string_append_printf(j->out, "%" G_GINT64_FORMAT, v);
}

void json_truth(struct json *j, const char *key, gboolean v)
{
	json_item(j, key);
	g_string_append(j->out, v ? "true" : "false");
}

void json_enter(struct json *j, const char *key, char bracket)
{
	if (j->depth)
		json_item(j, key);
	g_string_append_c(j->out, bracket);
	j->depth++;
	j->comma = FALSE;
}

void json_leave(struct json *j, char bracket)
{
	j->depth--;
	if (j->comma)
		g_string_append_printf(j->out, "\n%*s", 2 * j->depth, "");
	g_string_append_c(j->out, bracket);
	j->comma = TRUE;
}

void json_words(struct json *j, const char *key, const char *const *list)
{
	json_enter(j, key, '[');
	for (; list && *list; list++)
		json_text(j, NULL, *list);
	json_leave(j, ']');
}
