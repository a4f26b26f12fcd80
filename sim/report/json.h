/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JSON for programs: members and elements one after the other, two blanks a depth. Keys come in
 * the order in which they are put; whatever differs from one machine to the next stands under
 * "host" alone. docs/json.md is the contract of what the commands put.
 */
#pragma once

#include <glib.h>

struct json {
	GString *out;
	int depth;
	gboolean comma;		/* something stands before the next one */
};

/* @key: of a member; NULL: an element. A NULL text is null. */
void json_text(struct json *j, const char *key, const char *v);
void json_number(struct json *j, const char *key, gint64 v);
void json_truth(struct json *j, const char *key, gboolean v);
void json_enter(struct json *j, const char *key, char bracket);	/* '{' or '[' */
void json_leave(struct json *j, char bracket);			/* '}' or ']' */
/* json_words - @list (NULL-terminated) as an array of texts */
void json_words(struct json *j, const char *key, const char *const *list);
