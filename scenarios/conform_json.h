/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * One JSON text as a tree. Numbers stay as they are written; null, true and false have no
 * place in recorded vectors and are errors.
 */
#include <glib.h>

#include "sim/engine/types.h"

enum node_type { NODE_NUMBER, NODE_TEXT, NODE_LIST, NODE_MAP };

struct node {
	enum node_type type;
	const char *key, *text;		/* NODE_NUMBER: as written */
	GPtrArray *in;			/* of a list or map: struct node */
};

struct json_tree {
	GStringChunk *text;		/* the caller's: keys and texts live in it */
	GPtrArray *nodes, *open;	/* all of them; those that are not closed yet */
	struct node *root;
	const char *key;
	char *wrong;
};

/* json_tree_grow - an object of @n bytes. False: *@error says what is wrong, and where */
void json_tree_init(struct json_tree *t, GStringChunk *text);
bool json_tree_grow(struct json_tree *t, const char *s, size_t n, GError **error);
void json_tree_fini(struct json_tree *t);

GQuark conform_error_quark(void);
