/* SPDX-License-Identifier: GPL-2.0-only */
#pragma once
/*
 * One JSON text as a tree. Numbers stay as they are written; null, true and false have no
 * place in recorded vectors and are errors. A tree is grown again and again in the same
 * memory: what it held before is gone then.
 */
#include <glib.h>

#include "sim/engine/types.h"

enum node_type { NODE_NUMBER, NODE_TEXT, NODE_LIST, NODE_MAP };

struct node {
	const char *key, *text;		/* NODE_NUMBER: as written */
	u32 text_len;
	u32 in;				/* of a list or map: how many */
	u32 first, next;		/* the first in it, the one behind it: 0 for none */
	u8 type;			/* enum node_type */
};

enum { JSON_DEPTH = 16 };

struct json_tree {
	GArray *nodes;			/* struct node; 0 stands for none, 1 is the root */
	char *text;			/* keys and texts, with a NUL behind each */
	size_t used, room;
	struct {
		u32 node, last;		/* a list or map that is not closed yet, and its last */
	} open[JSON_DEPTH];
	u32 depth;
	const char *key, *wrong;
};

/* json_tree_grow - an object of @n bytes. False: *@error says what is wrong, and where */
void json_tree_init(struct json_tree *t);
bool json_tree_grow(struct json_tree *t, const char *s, size_t n, GError **error);
void json_tree_fini(struct json_tree *t);

static inline const struct node *json_node(const struct json_tree *t, u32 i)
{
	return i ? &g_array_index(t->nodes, struct node, i) : NULL;
}

#define json_each(n, t, of)						\
	for (const struct node *n = json_node(t, (of)->first); n; n = json_node(t, n->next))

GQuark conform_error_quark(void);
